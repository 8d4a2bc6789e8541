# SPDX-License-Identifier: Apache-2.0
"""Limits of a cgroup by what they mean, whether the host has cgroup v1, v2 or both (cgroups(7)).

On a hybrid host a controller is where its v1 hierarchy is mounted; version 2 holds what is left.
"""

import contextlib
import functools
import math
import os
import subprocess
from pathlib import Path

import pytest

import kernel

ROOT = Path("/sys/fs/cgroup")


def layout():
    """v1, v2, hybrid or none."""
    if (ROOT / "cgroup.controllers").exists():
        return "v2"
    if not any((ROOT / name).is_dir() for name in ("memory", "pids", "cpu")):
        return "none"
    return "hybrid" if (ROOT / "unified").is_dir() else "v1"


def require_systemd():
    if not Path("/run/systemd/system").is_dir() or Path("/proc/1/comm").read_text().strip() != "systemd":
        pytest.skip("systemd is not the first process of this host")


def manager():
    """Who makes the cgroups of engines, as they call it: an ordinary user's systemd, and for root what CGROUP_MANAGER says (systemd,
    where it is the first process), else the runtime itself in cgroupfs."""
    return os.environ.get("CGROUP_MANAGER", "cgroupfs") if kernel.is_root() else "systemd"


def stop_slice(name):
    """Ends what systemd keeps in a slice, and the slices in it. The hierarchies of v1 that systemd has nothing to do with keep the
    folders that the runtime made there, as with runc."""
    subprocess.run(["systemctl", "stop", name], capture_output=True, timeout=120, check=False)
    for _, root in hierarchies():
        for folder, _, _ in os.walk(root / name, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(folder)


def hierarchies():
    """Every mounted hierarchy as (controllers, mount point)."""
    known = {name for line in Path("/proc/self/cgroup").read_text().splitlines() for name in line.split(":")[1].split(",") if name}
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, rest = line.partition(" - ")
        kind, _, options = rest.split(" ", 2)
        if kind == "cgroup2":
            found.append(((), Path(fields.split()[4])))
        elif kind == "cgroup":
            found.append((tuple(name for name in options.split(",") if name in known), Path(fields.split()[4])))
    return found


def has_controller(name):
    if layout() == "v2":
        return name in (ROOT / (parent() or "").lstrip("/") / "cgroup.controllers").read_text().split()
    return any(name in controllers for controllers, _ in hierarchies())


def require_controller(name):
    if not has_controller(name):
        pytest.skip(f"this host has no cgroup controller {name} ({layout()})")


@functools.cache
def parent():
    """Below which cgroup, as a prefix of cgroupsPath, the tests' containers have theirs: none for root; for an ordinary user the one
    that systemd gave away (Delegate=), and None if it gave none. This process then moves to a leaf of it: a cgroup with
    controllers for others has no processes (cgroups(7))."""
    if kernel.is_root():
        return ""
    path = next(line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::"))
    given = ROOT / path.lstrip("/")
    if layout() != "v2" or given == ROOT or not os.access(given / "cgroup.procs", os.W_OK):
        return None
    leaf = given / "tests"
    leaf.mkdir()
    (leaf / "cgroup.procs").write_text(str(os.getpid()))
    for name in (given / "cgroup.controllers").read_text().split():
        (given / "cgroup.subtree_control").write_text(f"+{name}")
    return path


def require_own():
    """Cgroups for the containers of this user."""
    if layout() == "none":
        pytest.skip("no cgroups are mounted")
    if parent() is None:
        pytest.skip("not root, and no cgroup was given to this user")


def require_v1(why):
    if layout() not in ("v1", "hybrid"):
        pytest.skip(f"only on cgroup v1: {why}")


def has_real_time():
    """A v1 hierarchy of a kernel with CONFIG_RT_GROUP_SCHED; v2 has none."""
    return any((folder / "cpu.rt_runtime_us").exists() for controllers, folder in hierarchies() if "cpu" in controllers)


def weights_of_shares(shares):
    """cpu.shares (v1) as cpu.weight (v2): by the formula of runc since 1.3.2 and crun since 1.23, and by the linear one before."""
    exponent = (math.log2(shares) ** 2 + 125 * math.log2(shares)) / 612 - 7 / 34
    return {math.ceil(10 ** exponent), 1 + ((shares - 2) * 9999) // 262142}


class ProcessCgroups:
    """The cgroups that a process is in, as the host sees them."""

    def __init__(self, pid):
        self.paths = {}
        for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
            number, controllers, path = line.split(":", 2)
            for name in controllers.split(",") if number != "0" else ["unified"]:
                self.paths[name] = path

    def folder(self, controller):
        if layout() == "v2":
            return ROOT / self.paths["unified"].lstrip("/")
        for controllers, mounted in hierarchies():
            if controller in controllers:
                return mounted / self.paths[controller].lstrip("/")
        pytest.skip(f"this host has no cgroup controller {controller}")

    def folders(self):
        """Every cgroup folder that the process is in; not the roots, which belong to the host."""
        found = set()
        for controllers, mounted in hierarchies():
            names = [name for name in controllers if name in self.paths] if controllers else ["unified"]
            found.update(mounted / self.paths[name].lstrip("/") for name in names if self.paths.get(name, "/") != "/")
        return found

    def _read(self, controller, v1_file, v2_file):
        folder = self.folder(controller)
        return (folder / (v2_file if layout() == "v2" else v1_file)).read_text().strip()

    def memory_limit(self):
        return int(self._read("memory", "memory.limit_in_bytes", "memory.max"))

    def memory_reservation(self):
        return int(self._read("memory", "memory.soft_limit_in_bytes", "memory.low"))

    def memory_and_swap(self):
        """The limit of both together, as config.json has it."""
        value = int(self._read("memory", "memory.memsw.limit_in_bytes", "memory.swap.max"))
        return value + self.memory_limit() if layout() == "v2" else value

    def swappiness(self):
        return int((self.folder("memory") / "memory.swappiness").read_text())

    def oom_killer_is_off(self):
        return "oom_kill_disable 1" in (self.folder("memory") / "memory.oom_control").read_text()

    def cpu_shares_are(self, shares):
        value = int(self._read("cpu", "cpu.shares", "cpu.weight"))
        return value in weights_of_shares(shares) if layout() == "v2" else value == shares

    def cpu_quota_and_period(self):
        if layout() == "v2":
            quota, period = self._read("cpu", "", "cpu.max").split()
            return int(quota), int(period)
        return (int(self._read("cpu", "cpu.cfs_quota_us", "")), int(self._read("cpu", "cpu.cfs_period_us", "")))

    def block_io_weight_is(self, weight, disk=""):
        """The specification's weight for all disks, or for the one with these numbers. A kernel has a file for it where BFQ, once CFQ, or
        io.cost knows weights."""
        folder = self.folder("io" if layout() == "v2" else "blkio")
        for name in ("blkio.weight", "blkio.bfq.weight", "io.bfq.weight", "io.weight"):
            file = folder / (f"{name}_device" if disk and name.startswith("blkio") else name)
            if file.exists():
                value = 1 + (weight - 10) * 9999 // 990 if name == "io.weight" else weight
                return f"{disk} {value}".strip() in [line.removeprefix("default ") for line in file.read_text().splitlines()]
        pytest.skip("no weight file: this host's disks have no scheduler that knows weights")

    def cpus(self):
        return self._read("cpuset", "cpuset.cpus", "cpuset.cpus")

    def memory_nodes(self):
        return self._read("cpuset", "cpuset.mems", "cpuset.mems")

    def pids_limit(self):
        return self._read("pids", "pids.max", "pids.max")

    def devices_allowed(self):
        """The list of v1; on v2 it is a BPF program that cannot be read."""
        require_v1("v2 has no list of devices")
        return (self.folder("devices") / "devices.list").read_text().splitlines()

    def processes(self, controller="pids"):
        return [int(line) for line in (self.folder(controller) / "cgroup.procs").read_text().split()]
