# SPDX-License-Identifier: Apache-2.0
"""What a test could leave behind on the host: mounts, cgroups, processes, files of the runtime's state, a changed root
file system. `Host` sets the stage once per session so that all of it can be told from other people's, and compares.

- The session gets a mount namespace of its own, all of it shared, as systemd sets up a host: a mount that a runtime
  lets escape from a container arrives here, and nobody else's mounts do.
- The session is a subreaper: whatever a runtime orphans becomes our child, so every process of ours can be counted.
- Container ids and cgroup paths carry the session's token, so cgroups can be told from other people's.
"""

import contextlib
import os
import re
import secrets
import shutil
import signal
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import cgroups
import kernel
import mount_table
from deadline import SLOWNESS


def mountinfo(strict=True):
    """runc and crun drop nsdelegate, and systemd's memory_recursiveprot, from the host's own cgroup2 mount whenever they mount
    another (cgroups(7)); `strict` sees it, and is what kiste-oci is held to."""
    text = Path("/proc/self/mountinfo").read_text()
    return Counter((text if strict else re.sub(",(nsdelegate|memory_recursiveprot)", "", text)).splitlines())


def mounted_on(line):
    return mount_table.unescape(line.split()[4])


def children_of(pid):
    """Process ids of the children of every thread of `pid`."""
    found = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return found
    for thread in threads:
        try:
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as listing:
                found += [int(word) for word in listing.read().split()]
        except OSError:
            pass  # the thread ended meanwhile
    return found


def descendants_of(pid):
    found, unseen = [], children_of(pid)
    while unseen:
        child = unseen.pop()
        found.append(child)
        unseen += children_of(child)
    return found


def process_state(pid):
    """The letter of /proc/PID/stat (R, S, Z …), or an empty text when there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def is_in_another_pid_namespace(pid):
    try:
        return len(kernel.status_field("NSpid", pid).split()) > 1
    except OSError:
        return False


def describe_process(pid):
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        return f"process {pid} ({process_state(pid)}): {command or Path(f'/proc/{pid}/comm').read_text().strip()}"
    except OSError:
        return f"process {pid}"


def describe_file(path):
    """What shows that a file was changed; of a folder, also that something in it came or went."""
    status = os.lstat(path)
    return status.st_mode, status.st_uid, status.st_gid, status.st_size, status.st_mtime_ns


def _names_in(folder):
    return set(os.listdir(folder)) if os.path.isdir(folder) else set()


class Tree:
    """A folder of files that nobody may change."""

    def __init__(self, folder):
        self.paths = [folder]
        for parent, folders, files in os.walk(folder):
            paths = [os.path.join(parent, name) for name in folders + files]
            self.paths += [path for path in paths if not os.path.islink(path)]  # a link cannot change but by being replaced
        self.names = {path: _names_in(path) for path in self.paths if os.path.isdir(path)}
        self.known = {path: describe_file(path) for path in self.paths}

    def changes(self):
        """What was changed since the last time, in words. What came is taken away, lest later tests meet it, but for folders with
        something in them: that could be a mount of the host's files."""
        came = [os.path.join(path, name) for path, names in self.names.items() for name in _names_in(path) - names]
        now = {path: describe_file(path) if os.path.lexists(path) else None for path in self.paths}
        changed = [f"changed: {path}" for path in self.paths if now[path] != self.known.get(path)]
        for path in came:
            with contextlib.suppress(OSError):
                os.rmdir(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)
        if came:
            self.names = {path: _names_in(path) for path in self.names}
            now = {path: describe_file(path) for path in self.paths if os.path.lexists(path)}
        self.known = now
        return changed + [f"came: {path}" for path in came]


class Host:
    REAPING_INTERVAL = 0.02  # seconds

    def __init__(self, strict=True):
        self.strict = strict  # with the host's mount options: see mountinfo()
        self.token = f"kt{secrets.token_hex(3)}"
        self.commands = {}  # pid -> Popen of the commands that tests started, which reap themselves
        self.exit_codes = {}  # pid -> exit code of the orphans that were reaped
        self.reaping, self.reaps, self.closing = threading.RLock(), True, threading.Event()
        self.serial = 0
        self.known_cgroups = set()
        kernel.become_subreaper()
        if kernel.is_root():
            kernel.unshare(kernel.CLONE_NEWNS)
            kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
            kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_SHARED)
        self.folder = Path(tempfile.mkdtemp(prefix=f"{self.token}-"))
        threading.Thread(target=self._reap_as_init_would, daemon=True).start()
        self.folder.chmod(0o755)  # users of the rootless tests walk through it

    def new_name(self):
        """An id that nobody else on this machine uses."""
        self.serial += 1
        return f"{self.token}-{self.serial}"

    def cgroups(self):
        """The cgroup folders, in all hierarchies, that carry the session's token."""
        found = set()
        for _, hierarchy in cgroups.hierarchies():
            for parent, folders, _ in os.walk(hierarchy):
                found.update(os.path.join(parent, name) for name in folders if self.token in name)
        return found

    def reap(self, pid):
        """The exit code, as a shell has it, of an orphan of some runtime; None while it runs."""
        with self.reaping:
            if pid not in self.exit_codes:
                done, status = os.waitpid(pid, os.WNOHANG)
                if not done:
                    return None
                code = os.waitstatus_to_exitcode(status)
                self.exit_codes[pid] = code if code >= 0 else 128 - code
            return self.exit_codes[pid]

    def reap_adopted(self):
        """Collects what became of orphans, and leaves alone the commands that somebody waits for."""
        for pid in children_of("self"):
            if pid not in self.commands:
                self._bury(pid)

    def _bury(self, pid):
        with self.reaping:
            if process_state(pid) != "Z":
                return
            self.exit_codes.pop(pid, None)  # of an earlier process with this number
            try:
                self.reap(pid)
            except ChildProcessError:
                pass  # a Popen was faster

    def _reap_as_init_would(self):
        """A pid namespace only ends when all its dead are reaped, and orphans in it that came by `exec` are ours to reap.
        What is in our own pid namespace waits for reap_adopted: it may be a command that somebody is about to wait for."""
        while not self.closing.wait(self.REAPING_INTERVAL):
            for pid in children_of("self"):
                if self.reaps and is_in_another_pid_namespace(pid):
                    self._bury(pid)

    def processes(self):
        self.reap_adopted()
        return set(descendants_of("self"))

    def snapshot(self):
        return {"mounts": mountinfo(self.strict), "cgroups": self.known_cgroups, "processes": self.processes()}

    def leaks_since(self, before, patience=1.0 * SLOWNESS):
        """What is there now and was not, or the other way round, in words. Things on their way out get a moment."""
        end = time.monotonic() + patience
        while True:
            leaks = self._differences(before)
            if not leaks or time.monotonic() > end:
                return leaks
            time.sleep(0.01)

    def _differences(self, before):
        mounts, processes = mountinfo(self.strict), self.processes()
        self.known_cgroups = self.cgroups()
        leaks = [f"mount left: {line}" for line in mounts - before["mounts"]]
        # A mount also goes when somebody in another namespace removes the folder that it is on.
        leaks += [f"mount gone: {line}" for line in before["mounts"] - mounts if os.path.lexists(mounted_on(line))]
        leaks += [f"cgroup left: {path}" for path in sorted(self.known_cgroups - before["cgroups"])]
        leaks += [f"{describe_process(pid)} left" for pid in sorted(processes - before["processes"])]
        return leaks

    def clear_away(self, before):
        """After a leak was reported: makes the host clean for the next test."""
        for pid in self.processes() - before["processes"]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for line in reversed(list(mountinfo(self.strict))):
            if line not in before["mounts"]:
                try:
                    kernel.unmount(mounted_on(line), kernel.MNT_DETACH)
                except OSError:
                    pass
        end = time.monotonic() + 2
        while self.cgroups() and time.monotonic() < end:
            self.reap_adopted()
            for path in sorted(self.cgroups(), reverse=True):
                self._thaw_and_remove(Path(path))
            time.sleep(0.01)
        self.known_cgroups = self.cgroups()

    @staticmethod
    def _thaw_and_remove(cgroup):
        for name, value in (("freezer.state", "THAWED"), ("cgroup.freeze", "0")):
            try:
                (cgroup / name).write_text(value)
            except OSError:
                pass
        try:
            cgroup.rmdir()
        except OSError:
            pass

    def remove_folder(self, folder):
        """Removes a test's folder, but nothing through a mount that a broken runtime left in it."""
        if not any(str(folder) in line for line in mountinfo()):
            shutil.rmtree(folder, ignore_errors=True)

    def close(self):
        self.closing.set()
        self.remove_folder(self.folder)
