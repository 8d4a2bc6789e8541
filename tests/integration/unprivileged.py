# SPDX-License-Identifier: Apache-2.0
"""An ordinary user for the rootless tests, with or without subordinate ids, made without touching the host's files.

passwd, group, subuid and subgid are copies with one more line, bound over the originals in the session's own mount namespace.
"""

import os
from contextlib import contextmanager
from pathlib import Path

import kernel

UID, NAME = 54321, "kiste-test"
SUBORDINATE = 2_000_000, 65536  # first id, how many


@contextmanager
def known_user(folder, with_subordinate_ids):
    """While this lasts, the host knows the user."""
    folder = Path(folder)
    folder.mkdir()
    folder.chmod(0o755)
    first, count = SUBORDINATE
    subordinate = f"{NAME}:{first}:{count}\n" if with_subordinate_ids else ""
    lines = {"passwd": f"{NAME}:x:{UID}:{UID}:{NAME}:{folder}:/bin/sh\n", "group": f"{NAME}:x:{UID}:\n", "subuid": subordinate, "subgid": subordinate}
    bound = []
    try:
        for name, line in lines.items():
            original, copy = Path("/etc") / name, folder / name
            if not original.exists():
                continue
            others = [] if name.startswith("sub") else [original.read_text()]
            copy.write_text("".join([*others, line]))
            kernel.mount(copy, original, flags=kernel.MS_BIND)
            bound.append(original)
        yield
    finally:
        for original in bound:
            kernel.unmount(original, kernel.MNT_DETACH)


def as_user(folder):
    """Options for Runtime.spawn: the command belongs to the user, who has no other group and a short environment."""
    environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "USER": NAME,
                   "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
    return {"user": UID, "group": UID, "extra_groups": [], "env": environment}


def give(folder):
    """The folder and all in it belong to the user."""
    for parent, folders, files in os.walk(folder):
        for name in [".", *folders, *files]:
            os.chown(os.path.join(parent, name), UID, UID, follow_symlinks=False)
