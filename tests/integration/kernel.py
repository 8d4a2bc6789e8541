# SPDX-License-Identifier: Apache-2.0
"""The few system calls that the suite needs and Python 3.11 does not wrap, and what this kernel and user can do.

A test that needs something asks for it with one of the `require_*` functions, which skip with the reason when it is not there.
"""

import ctypes
import functools
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_BIND, MS_REC, MS_UNBINDABLE, MS_PRIVATE, MS_SLAVE, MS_SHARED = 1 << 12, 1 << 14, 1 << 17, 1 << 18, 1 << 19, 1 << 20
MNT_DETACH = 2
CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
PR_SET_CHILD_SUBREAPER = 36
CAP_BY_NAME = {"CAP_SYS_RESOURCE": 24, "CAP_SYS_ADMIN": 21, "CAP_MKNOD": 27, "CAP_SYS_TIME": 25}

_libc = ctypes.CDLL(None, use_errno=True)


def _check(outcome, what):
    if outcome != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags):
    _check(_libc.unshare(flags), "unshare")


def enter(namespace, flags):
    _check(_libc.setns(namespace, flags), "setns")


def mount(source, target, kind=None, flags=0, data=None):
    def encoded(text):
        return None if text is None else os.fsencode(text)

    arguments = (encoded(source), encoded(target), encoded(kind), ctypes.c_ulong(flags), encoded(data))
    _check(_libc.mount(*arguments), f"mount {source} on {target}")


def unmount(target, flags=0):
    _check(_libc.umount2(os.fsencode(target), flags), f"umount {target}")


def become_subreaper():
    """Orphaned descendants become children of this process, which thereby can count them and reap them (prctl(2))."""
    _check(_libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl(PR_SET_CHILD_SUBREAPER)")


def is_root():
    return os.geteuid() == 0


def status_field(field, pid="self"):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return line.split(":", 1)[1].strip()
    raise KeyError(field)


def has_capability(name):
    return bool(int(status_field("CapEff"), 16) >> CAP_BY_NAME[name] & 1)


def require_root(why="this needs real root"):
    if not is_root():
        pytest.skip(f"not root: {why}")


def require_capability(name):
    if not has_capability(name):
        pytest.skip(f"this host's root has no {name}")


def require_namespace(kind):
    """`kind` as it is called in /proc/self/ns: mnt, net, user, time …"""
    if not Path(f"/proc/self/ns/{kind}").exists():
        pytest.skip(f"this kernel has no {kind} namespace")


def require_filesystem(kind):
    if kind not in Path("/proc/filesystems").read_text().split():
        pytest.skip(f"this kernel has no file system {kind}")


def require_mappable_ids(folder):
    """Files of a folder that a mount can give other owners: tmpfs takes that since Linux 6.3, what is overlaid never."""
    kind = subprocess.run(["stat", "--file-system", "--format=%T", folder], capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    release = tuple(int(part) for part in re.match(r"(\d+)\.(\d+)", os.uname().release).groups())
    if kind == "overlayfs" or (kind == "tmpfs" and release < (6, 3)):
        pytest.skip(f"ids of a {kind} cannot be mapped by Linux {os.uname().release}: {folder}")


def require_file(path, why):
    if not Path(path).exists():
        pytest.skip(f"{path} is not there: {why}")


@functools.cache
def _criu_complaint():
    if not shutil.which("criu"):
        return "criu is not installed"
    check = subprocess.run(["criu", "check"], capture_output=True, text=True, timeout=60)
    return "" if check.returncode == 0 else f"criu does not work here: {(check.stdout + check.stderr).strip().splitlines()[-1]}"


def require_criu():
    require_root("criu needs real root")
    if _criu_complaint():
        pytest.skip(_criu_complaint())
