# SPDX-License-Identifier: Apache-2.0
"""A part of cgroup v2 that root has given to an ordinary user, without a service manager's help (cgroups(7), "Delegation of cgroups")."""

import json
import os
from pathlib import Path

import pytest

import cgroups
import kernel
from test_rootless import UID, bundle, needs_a_second_user, runtime  # noqa: F401 (fixtures)

CONTROLLERS = ("cpu", "memory", "pids")


@pytest.fixture(autouse=True)
def only_on_v2():
    kernel.require_root("only root gives cgroups away")
    if cgroups.layout() != "v2":
        pytest.skip("only cgroup v2 can be given away")
    for name in CONTROLLERS:
        cgroups.require_controller(name)


def enable(folder):
    (folder / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in CONTROLLERS))


@pytest.fixture
def given(runtime, host):
    """The user's part, whose leaf `callers` this process, which starts the runtime, is in."""
    if cgroups.ROOT.joinpath("cgroup.type").exists():
        pytest.skip("this is a container: its top cgroup may have processes or controllers for others, not both")
    enable(cgroups.ROOT)
    part, before = cgroups.ROOT / host.new_name(), Path("/proc/self/cgroup").read_text().strip().split(":")[2]
    callers = part / "callers"
    callers.mkdir(parents=True)
    for folder in (part, callers):
        for name in (".", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"):
            os.chown(folder / name, UID, UID)
    enable(part)
    (callers / "cgroup.procs").write_text(str(os.getpid()))
    yield part
    (cgroups.ROOT / before.lstrip("/") / "cgroup.procs").write_text(str(os.getpid()))
    runtime.close()
    callers.rmdir()
    part.rmdir()


@pytest.fixture
def placed(bundle, given):
    bundle.linux["cgroupsPath"] = f"/{given.name}/box"
    bundle.resources.update({"pids": {"limit": 33}, "memory": {"limit": 64 << 20}, "cpu": {"quota": 50000}})
    return bundle


def test_a_user_sets_limits_in_the_users_part(runtime, placed, given):
    container = runtime.run_detached(placed.sleeps())
    box = given / "box"
    assert Path(f"/proc/{container.pid}/cgroup").read_text() == f"0::/{given.name}/box\n"
    assert [(box / name).read_text().strip() for name in ("pids.max", "memory.max", "cpu.max")] == ["33", str(64 << 20), "50000 100000"]
    assert box.stat().st_uid == UID
    runtime.ok("update", "--pids-limit", "44", container.id)
    assert (box / "pids.max").read_text() == "44\n"
    runtime.ok("pause", container.id)
    assert container.status == "paused" and "frozen 1" in (box / "cgroup.events").read_text()
    runtime.ok("resume", container.id)
    stats = json.loads(runtime.ok("events", "--stats", container.id).stdout)["data"]
    assert stats["pids"]["limit"] == 44
    container.end()
    assert not box.exists()


def test_what_an_exec_starts_is_in_the_users_part(runtime, placed, given):
    container = runtime.run_detached(placed.sleeps())
    container.exec_ok("/bin/sleep", "1000", options=["--detach"])
    pids = (given / "box/cgroup.procs").read_text().split()
    assert len(pids) == 2 and str(container.pid) in pids
    container.delete("--force")
    assert not (given / "box").exists()


def test_the_limit_of_processes_holds(runtime, placed):
    placed.resources["pids"] = {"limit": 3}
    result = runtime.run(placed.sh("for i in 1 2 3 4 5 6; do sleep 5 & done; wait"))
    assert "fork" in result.stderr, str(result)


def test_beside_the_users_part_there_is_no_cgroup_for_the_user(runtime, placed, given):
    """runc refuses it; kiste-oci's rootless containers do without, and say so."""
    placed.linux["cgroupsPath"] = f"/{given.name}-not"
    result = runtime.run(placed)
    if result.code != 0:
        runtime.check_refusal(result)
    assert f"{given.name}-not" in result.stderr and "permission denied" in result.stderr.lower(), str(result)
    assert not (cgroups.ROOT / f"{given.name}-not").exists()
