# SPDX-License-Identifier: Apache-2.0
"""A bundle: a folder with config.json and a root file system. `default_spec` is what `runc spec` writes, without the
terminal; a test changes the few fields that it is about and leaves the rest.
"""

import copy
import json
import os
import shutil
import subprocess
from pathlib import Path

import cgroups
import kernel

CAPABILITIES = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]

MASKED = ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
          "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi"]
READONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]


def mount_entry(destination, kind, source=None, *options):
    entry = {"destination": destination, "type": kind, "source": source or kind}
    if options:
        entry["options"] = list(options)
    return entry


DEFAULT_MOUNTS = [
    mount_entry("/proc", "proc"),
    mount_entry("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
    mount_entry("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"),
    mount_entry("/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k"),
    mount_entry("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev"),
    mount_entry("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro"),
    mount_entry("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "noexec", "nodev", "relatime", "ro"),
]


def default_spec():
    spec = {
        "ociVersion": "1.0.2",
        "process": {
            "terminal": False,
            "user": {"uid": 0, "gid": 0},
            "args": ["/bin/true"],
            "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
            "cwd": "/",
            "capabilities": {name: CAPABILITIES for name in ("bounding", "effective", "permitted")},
            "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
            "noNewPrivileges": True,
        },
        "root": {"path": "rootfs", "readonly": False},
        "hostname": "kiste",
        "mounts": DEFAULT_MOUNTS,
        "linux": {
            "resources": {"devices": [{"allow": False, "access": "rwm"}]},
            "namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount")],
            "maskedPaths": MASKED,
            "readonlyPaths": READONLY,
        },
    }
    spec = copy.deepcopy(spec)
    if not kernel.is_root():
        make_rootless(spec, os.geteuid(), os.getegid())
    return spec


def single_mapping(host_id):
    return [{"containerID": 0, "hostID": host_id, "size": 1}]


def make_rootless(spec, uid, gid):
    """What `runc spec --rootless` changes: the user is root inside, owns no cgroup, and has no group 5."""
    linux = spec["linux"]
    linux["namespaces"].append({"type": "user"})
    linux["uidMappings"], linux["gidMappings"] = single_mapping(uid), single_mapping(gid)
    linux.pop("resources", None)
    spec["mounts"] = [entry for entry in spec["mounts"] if entry["type"] != "cgroup"]
    for entry in spec["mounts"]:
        if entry["destination"] == "/dev/pts":
            entry["options"].remove("gid=5")


class Bundle:
    """`rootfs` is the session's, shared and not to be written to, until `own_rootfs()` makes a copy for this bundle."""

    def __init__(self, folder, shared_rootfs):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.spec = default_spec()
        self.rootfs = Path(shared_rootfs)
        self._shared = True

    # -- the parts of the specification that tests change most
    @property
    def process(self):
        return self.spec["process"]

    @property
    def linux(self):
        return self.spec["linux"]

    @property
    def resources(self):
        return self.linux.setdefault("resources", {})

    def args(self, *args):
        self.process["args"] = list(args)
        return self

    def sh(self, script):
        return self.args("/bin/sh", "-c", script)

    def sleeps(self):
        return self.args("/bin/sleep", "1000")

    def capabilities(self, *names):
        """The same list for every set but the ambient one."""
        self.process["capabilities"] = {which: list(names) for which in ("bounding", "effective", "permitted")}
        return self

    def mount(self, destination, kind="bind", source=None, *options):
        if kind == "bind" and not {"bind", "rbind"} & set(options):
            options = ("bind", *options)
        self.spec["mounts"].append(mount_entry(str(destination), kind, source and str(source), *options))
        return self

    def mount_of(self, destination):
        return next(entry for entry in self.spec["mounts"] if entry["destination"] == destination)

    def without_mount(self, destination):
        self.spec["mounts"].remove(self.mount_of(destination))
        return self

    def namespace(self, kind, path=None):
        """A new namespace of this kind, or the one at `path`."""
        self.without_namespace(kind)
        self.linux["namespaces"].append({"type": kind} if path is None else {"type": kind, "path": str(path)})
        return self

    def without_namespace(self, kind):
        self.linux["namespaces"] = [entry for entry in self.linux["namespaces"] if entry["type"] != kind]
        return self

    def user_namespace(self, host_id=100000, size=65536):
        """Root inside is `host_id` outside; the root file system must be readable for that user."""
        self.namespace("user")
        for which in ("uidMappings", "gidMappings"):
            self.linux[which] = [{"containerID": 0, "hostID": host_id, "size": size}]
        return self

    def hook(self, kind, *args, **fields):
        self.spec.setdefault("hooks", {}).setdefault(kind, []).append({"path": args[0], "args": list(args), **fields})
        return self

    # -- files
    def own_rootfs(self):
        if self._shared:
            private = self.folder / "rootfs"
            # Not by shutil: it reads devices, without end, and a broken runtime may have left some.
            subprocess.run(["cp", "--archive", "--no-target-directory", self.rootfs, private], check=True, timeout=60)
            self.rootfs, self._shared = private, False
        return self.rootfs

    def add_program(self, program, name="/probe"):
        shutil.copy(program, self.own_rootfs() / name.lstrip("/"))
        return self

    def with_probe(self, program, *args):
        """The container runs probe.c's deed `args`."""
        return self.add_program(program).args("/probe", *args)

    @property
    def config(self):
        return self.folder / "config.json"

    def write(self, container_id=None):
        """Writes config.json; `root.path` names the root file system in use unless the test set another one, and `cgroupsPath` a cgroup
        below the one that an ordinary user was given."""
        spec, root = self.spec, self.spec.get("root")
        if container_id and cgroups.parent() and isinstance(spec.get("linux"), dict):
            spec = {**spec, "linux": {"cgroupsPath": f"{cgroups.parent()}/{container_id}", **spec["linux"]}}
        if self._shared and isinstance(root, dict) and root.get("path") == "rootfs":
            spec = {**spec, "root": {**root, "path": str(self.rootfs)}}
        self.config.write_text(json.dumps(spec, indent=1))
        return self
