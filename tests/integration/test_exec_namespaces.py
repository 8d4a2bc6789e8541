# SPDX-License-Identifier: Apache-2.0
"""exec into every combination of namespaces: new ones, the host's, and another container's."""

import itertools
import os

import pytest

import kernel

NAMES = {"pid": "pid", "network": "net", "ipc": "ipc", "uts": "uts", "mount": "mnt", "user": "user", "cgroup": "cgroup", "time": "time"}
OPTIONAL = ("pid", "network", "ipc", "uts", "cgroup")

pytestmark = pytest.mark.skipif(not kernel.is_root(), reason="not root: needs a user namespace always")


def inodes(pid, kinds=NAMES):
    return {kind: os.readlink(f"/proc/{pid}/ns/{NAMES[kind]}") for kind in kinds}


def exec_inodes(container, workspace):
    """Those of a process that exec has brought, seen by the host."""
    file = workspace / "exec.pid"
    container.exec_ok("/bin/sleep", "1000", options=("--detach", "--pid-file", file))
    return inodes(int(file.read_text()))


def only(bundle, kinds):
    """These namespaces and no others; without what needs those that are left out."""
    for kind in OPTIONAL:
        bundle.without_namespace(kind)
    for kind in kinds:
        bundle.namespace(kind)
    if "uts" not in kinds:
        bundle.spec.pop("hostname")
    return bundle


@pytest.mark.parametrize("kinds", [kinds for count in range(len(OPTIONAL) + 1) for kinds in itertools.combinations(OPTIONAL, count)],
                         ids=lambda kinds: "+".join(kinds) or "none")
def test_exec_is_where_the_first_process_is(runtime, bundle, workspace, kinds):
    container = runtime.run_detached(only(bundle, kinds).sleeps())
    host, inside = inodes(os.getpid()), inodes(container.pid)
    assert {kind for kind in OPTIONAL if inside[kind] != host[kind]} == set(kinds)
    assert exec_inodes(container, workspace) == inside


@pytest.mark.parametrize("kinds", [(), ("pid",), ("network", "ipc"), OPTIONAL], ids=lambda kinds: "+".join(kinds) or "none")
def test_exec_into_a_user_namespace(runtime, bundle, workspace, kinds):
    if "network" not in kinds:  # sysfs shows the network, and that is the host's
        bundle.without_mount("/sys/fs/cgroup").without_mount("/sys")
    if "pid" not in kinds:
        bundle.without_mount("/proc").mount("/proc", "bind", "/proc", "rbind")
        bundle.linux["maskedPaths"] = bundle.linux["readonlyPaths"] = []
    if "ipc" not in kinds:
        bundle.without_mount("/dev/mqueue")
    container = runtime.run_detached(only(bundle, kinds).user_namespace().sleeps())
    inside = inodes(container.pid)
    assert inside["user"] != inodes(os.getpid())["user"]
    assert exec_inodes(container, workspace) == inside
    assert container.sh("cat /proc/self/uid_map").split() == ["0", "100000", "65536"]


@pytest.mark.kiste_only("1.1.5 knows no time namespace")
def test_exec_into_a_time_namespace(runtime, bundle, workspace):
    kernel.require_namespace("time")
    bundle.namespace("time").linux["timeOffsets"] = {"boottime": {"secs": 1000000}}
    container = runtime.run_detached(bundle.sleeps())
    assert exec_inodes(container, workspace) == inodes(container.pid)
    assert float(container.sh("cut -d' ' -f1 /proc/uptime")) > 1000000


def all_of(bundle, pid):
    """Every namespace of the process, its user and time namespaces among them."""
    for kind in ("pid", "network", "ipc", "uts", "cgroup", "user"):
        bundle.namespace(kind, f"/proc/{pid}/ns/{NAMES[kind]}")
    bundle.spec.pop("hostname", None)
    return bundle


@pytest.mark.kiste_only("1.1.5 wants mappings of a user namespace that it joins")
def test_exec_into_a_container_that_joined_everything(runtime, new_bundle, workspace):
    first = runtime.run_detached(new_bundle().namespace("cgroup").user_namespace().sleeps())
    second = runtime.run_detached(all_of(new_bundle(), first.pid).sleeps())
    inside, outside = inodes(second.pid), inodes(first.pid)
    assert {kind: inside[kind] for kind in NAMES if kind != "mount"} == {kind: outside[kind] for kind in NAMES if kind != "mount"}
    assert exec_inodes(second, workspace) == inside
