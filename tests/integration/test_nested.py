# SPDX-License-Identifier: Apache-2.0
"""The runtime in a container of its own, whose root runs another container: with a user and a cgroup namespace, and a part of cgroup v2
that is writable and that root's (config-linux.md, "Cgroup ownership")."""

import json

import pytest

import cgroups
import kernel
from bundle import Bundle, make_rootless

CAPABILITIES = "SYS_ADMIN SETUID SETGID KILL CHOWN DAC_OVERRIDE NET_ADMIN SYS_CHROOT MKNOD SETPCAP FOWNER"


@pytest.fixture(autouse=True)
def only_on_v2():
    kernel.require_root("root makes the outer container")
    if cgroups.layout() != "v2":
        pytest.skip("only cgroup v2 can be given away")


@pytest.fixture
def outer(bundle, program):
    """Nothing of its /proc is covered, or no other one could be mounted in it (user_namespaces(7))."""
    bundle.add_program(program, "/runtime").user_namespace().namespace("cgroup")
    bundle.mount_of("/sys/fs/cgroup")["options"] = ["nosuid", "noexec", "nodev", "rw"]
    bundle.linux["maskedPaths"], bundle.linux["readonlyPaths"] = [], []
    return bundle.capabilities(*(f"CAP_{name}" for name in CAPABILITIES.split()))


@pytest.fixture
def inner(outer, shared_rootfs):
    """The bundle /inner in there, without a user namespace of its own."""
    inner = Bundle(outer.rootfs / "inner", shared_rootfs)
    make_rootless(inner.spec, 0, 0)
    inner.without_namespace("user").namespace("cgroup").without_mount("/sys")
    for which in ("uidMappings", "gidMappings"):
        del inner.linux[which]
    inner.spec["hostname"] = "inside"
    inner.process["capabilities"] = {}
    (inner.folder / "rootfs").mkdir()
    outer.mount("/inner/rootfs", "bind", str(shared_rootfs))
    return inner


def written(inner):
    inner.config.write_text(json.dumps(inner.spec))  # as it is: its root is named as the outer container sees it


@pytest.mark.kiste_only("runc 1.1.5 leaves the cgroup of a user namespace's container to root")
def test_root_of_a_container_runs_another_one_in_its_cgroup(runtime, outer, inner):
    inner.linux["resources"], inner.linux["cgroupsPath"] = {"pids": {"limit": 22}}, "/below"
    written(inner.sh("cat /proc/self/cgroup; hostname"))
    script = """
        cd /sys/fs/cgroup && mkdir callers && echo $$ >callers/cgroup.procs && echo +pids >cgroup.subtree_control || exit
        runtime() { /runtime --root /tmp/state "$@"; }
        runtime create --bundle /inner one </dev/null && cat below/pids.max below/cgroup.procs | wc -w && cat below/pids.max && runtime start one
        until runtime state one | grep -q stopped; do sleep 0.1; done
        runtime delete one; ls"""
    result = runtime.run(outer.sh(script))
    assert result.lines[:4] == ["2", "22", "0::/", "inside"] and "below" not in result.lines, str(result)
