# SPDX-License-Identifier: Apache-2.0
"""/proc/PID/mountinfo as values (proc_pid_mountinfo(5))."""

import re
from dataclasses import dataclass

MOUNTINFO = ("/bin/cat", "/proc/self/mountinfo")


@dataclass(frozen=True)
class MountPoint:
    id: str
    parent: str
    root: str
    path: str
    options: frozenset  # of this mount
    propagation: frozenset  # shared, master, unbindable; empty is private
    kind: str
    source: str
    super_options: frozenset  # of the file system


def unescape(path):
    """The kernel writes a blank, a tab, a line's end and a backslash as octal numbers."""
    return re.sub(r"\\(\d{3})", lambda match: chr(int(match[1], 8)), path)


def parse(text):
    """Every mount, in the order of the table; of several on one path the last one is on top."""
    found = []
    for line in text.splitlines():
        left, _, right = line.partition(" - ")
        number, parent, _, root, path, options, *tags = left.split(" ")
        kind, source, super_options = right.split(" ")
        found.append(MountPoint(number, parent, root, unescape(path), frozenset(options.split(",")),
                                frozenset(tag.split(":")[0] for tag in tags), kind, source, frozenset(super_options.split(","))))
    return found


def on(path, text):
    """The mount on top at `path`, or None."""
    return next((entry for entry in reversed(parse(text)) if entry.path == path), None)


def mounted(runtime, bundle, path):
    """The mount at `path` as the container sees it."""
    entry = on(path, runtime.output_of(bundle.args(*MOUNTINFO)))
    assert entry, f"nothing is mounted on {path}"
    return entry
