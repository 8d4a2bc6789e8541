# SPDX-License-Identifier: Apache-2.0
"""state, list, ps, pause and resume: what a container tells about itself, in the formats that engines parse."""

import json
import os
import pwd
import re
import time

import pytest

import cgroups
from deadline import eventually
from host_state import process_state

RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
COUNTS = "n=0; while :; do n=$((n+1)); echo $n; sleep 0.01; done"


def user_name():
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        pytest.skip(f"user {os.geteuid()} has no name in /etc/passwd")


# -- state

def test_state_has_every_field_of_the_specification(runtime, bundle):
    container = runtime.create(bundle.sleeps())
    state = container.state()
    assert re.fullmatch(r"1\.\d+\.\d+(-\w+)?", state["ociVersion"])
    assert state["id"] == container.id
    assert state["status"] == "created"
    assert state["pid"] == container.pid
    assert state["bundle"] == str(bundle.folder)


def test_state_also_has_what_engines_read_from_runc(runtime, bundle):
    state = runtime.create(bundle.sleeps()).state()
    assert state["rootfs"] == str(bundle.rootfs)
    assert RFC3339.fullmatch(state["created"])
    assert "owner" in state


def test_state_of_a_stopped_container_has_pid_zero(runtime, bundle):
    container = runtime.run_detached(bundle)
    container.wait()
    state = container.state()
    assert (state["status"], state["pid"]) == ("stopped", 0)


def test_state_sees_that_a_killed_container_stopped_even_before_it_is_reaped(runtime, bundle):
    container = runtime.run_detached(bundle.sleeps())
    runtime.host.reaps = False
    try:
        os.kill(container.pid, 9)
        eventually(lambda: process_state(container.pid) == "Z", "it is dead and not yet buried")
        assert container.status == "stopped"
    finally:
        runtime.host.reaps = True


def test_state_holds_the_annotations(runtime, bundle):
    annotations = {"org.example.key": "value", "another": "with \"quotes\" and ünicode\n", "empty": ""}
    bundle.spec["annotations"] = annotations
    assert runtime.create(bundle).state()["annotations"] == annotations


def test_state_is_written_to_standard_output_only(runtime, bundle):
    container = runtime.create(bundle)
    result = runtime.ok("state", container.id)
    assert isinstance(json.loads(result.stdout), dict)
    assert result.stderr == ""


def test_state_takes_exactly_one_id(runtime):
    runtime.refuses("state")
    runtime.refuses("state", "one", "two")


# -- list

def rows(result):
    header, *lines = result.lines
    assert header.split() == ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]
    return {line.split()[0]: line.split() for line in lines}


def test_list_of_nothing_is_a_header(runtime):
    assert rows(runtime.ok("list")) == {}


def test_list_of_nothing_as_json_is_empty(runtime):
    assert json.loads(runtime.ok("list", "--format", "json").stdout) in (None, [])


def test_list_shows_every_container_in_a_table(runtime, bundle):
    waiting, running, ended = runtime.create(bundle.sleeps()), runtime.run_detached(bundle), runtime.run_detached(bundle.sh(""))
    ended.wait()
    table = rows(runtime.ok("list"))
    owner = user_name()
    assert set(table) == {waiting.id, running.id, ended.id}
    assert table[waiting.id][1:4] == [str(waiting.pid), "created", str(bundle.folder)]
    assert table[running.id][1:4] == [str(running.pid), "running", str(bundle.folder)]
    assert table[ended.id][1:3] == ["0", "stopped"]
    assert all(RFC3339.fullmatch(row[4]) and row[5] == owner for row in table.values())


def test_list_as_json_holds_the_states(runtime, bundle):
    container = runtime.create(bundle)
    (entry,) = json.loads(runtime.ok("list", "-f", "json").stdout)
    assert {name: entry[name] for name in ("id", "pid", "status", "bundle")} == {
        "id": container.id, "pid": container.pid, "status": "created", "bundle": str(bundle.folder)}
    assert entry["owner"] == user_name()


def test_list_quiet_writes_only_ids(runtime, bundle):
    ids = {runtime.create(bundle).id for _ in range(2)}
    assert set(runtime.ok("list", "-q").lines) == set(runtime.ok("list", "--quiet").lines) == ids


def test_list_sees_only_its_own_root(runtime, bundle, workspace):
    runtime.create(bundle)
    other = runtime("--root", workspace / "other", "list", "-q")
    assert (other.code, other.stdout) == (0, "")


def test_list_with_an_unknown_format_is_refused(runtime):
    assert "format" in runtime.refuses("list", "--format", "yaml").stderr


def test_list_goes_on_after_a_folder_that_is_no_container(runtime, bundle):
    container = runtime.create(bundle)
    (runtime.state_folder / "rubbish").mkdir()
    try:
        assert container.id in runtime.ok("list", "-q").lines
    finally:
        (runtime.state_folder / "rubbish").rmdir()


# -- ps

def test_ps_shows_the_processes_with_the_hosts_pids(runtime, bundle):
    cgroups.require_own()
    container = runtime.run_detached(bundle.sh("sleep 1000 & echo ready; wait")).says("ready")
    header, *lines = runtime.ok("ps", container.id).lines
    assert header.split()[:3] == ["UID", "PID", "PPID"]
    assert len(lines) == 2
    assert str(container.pid) in [line.split()[1] for line in lines]


def test_ps_as_json_is_a_list_of_pids(runtime, bundle):
    cgroups.require_own()
    container = runtime.run_detached(bundle.sh("sleep 1000 & echo ready; wait")).says("ready")
    pids = json.loads(runtime.ok("ps", "--format", "json", container.id).stdout)
    assert len(pids) == 2 and container.pid in pids


def test_ps_takes_options_of_ps(runtime, bundle):
    cgroups.require_own()
    container = runtime.run_detached(bundle.sleeps())
    header, line = runtime.ok("ps", container.id, "-o", "pid,comm").lines
    assert header.split() == ["PID", "COMMAND"]
    assert line.split() == [str(container.pid), "sleep"]


def test_ps_takes_options_in_bsd_style(runtime, bundle):
    cgroups.require_own()
    container = runtime.run_detached(bundle.sleeps())
    header, line = runtime.ok("ps", container.id, "ax").lines
    assert "PID" in header.split() and str(container.pid) in line.split()


def test_ps_of_a_stopped_container_shows_nothing(runtime, bundle):
    container = runtime.run_detached(bundle)
    container.wait()
    result = runtime("ps", container.id)
    assert len(result.lines) <= 1


def test_ps_without_the_pid_column_is_refused(runtime, bundle):
    cgroups.require_own()
    container = runtime.run_detached(bundle.sleeps())
    assert "PID" in runtime.refuses("ps", container.id, "-o", "comm").stderr


# -- pause and resume

@pytest.fixture
def counting(runtime, bundle):
    cgroups.require_own()
    return runtime.run_detached(bundle.sh(COUNTS)).says("3\n")


def test_a_paused_container_stands_still(runtime, counting):
    runtime.ok("pause", counting.id)
    assert counting.status == "paused"
    before = counting.output
    time.sleep(0.1)
    assert counting.output == before
    runtime.ok("resume", counting.id)


def test_a_resumed_container_goes_on(runtime, counting):
    runtime.ok("pause", counting.id)
    before = counting.output
    runtime.ok("resume", counting.id)
    assert counting.status == "running"
    eventually(lambda: len(counting.output) > len(before), "it counts on")


def test_pausing_twice_is_refused(runtime, counting):
    runtime.ok("pause", counting.id)
    runtime.refuses("pause", counting.id)
    assert counting.status == "paused"


def test_resume_of_a_running_container_is_refused(runtime, counting):
    runtime.refuses("resume", counting.id)
    assert counting.status == "running"


def test_a_stopped_container_cannot_be_paused(runtime, bundle):
    cgroups.require_own()
    container = runtime.run_detached(bundle)
    container.wait()
    runtime.refuses("pause", container.id)


def test_a_created_container_can_be_paused(runtime, bundle):
    cgroups.require_own()
    container = runtime.create(bundle.sh("echo started"))
    runtime.ok("pause", container.id)
    assert container.status == "paused"
    runtime.ok("resume", container.id)
    assert container.status == "created"


def frozen_by_somebody_else(container):
    folder = cgroups.ProcessCgroups(container.pid).folder("pids" if cgroups.layout() == "v2" else "freezer")
    file, word = ("cgroup.freeze", "1") if cgroups.layout() == "v2" else ("freezer.state", "FROZEN")
    (folder / file).write_text(word)


@pytest.mark.parametrize("freeze", [lambda container: container.runtime.ok("pause", container.id), frozen_by_somebody_else], ids=["paused", "frozen"])
def test_a_created_container_that_is_paused_is_not_started(runtime, bundle, freeze):
    """Neither now nor when it is resumed."""
    cgroups.require_own()
    container = runtime.create(bundle.sh("echo started; sleep 1000"))
    freeze(container)
    eventually(lambda: container.status == "paused", "it is paused")
    assert "paused" in runtime.refuses("start", container.id).stderr
    runtime.ok("resume", container.id)
    assert container.status == "created" and container.output == ""
    container.start()
    container.says("started")


def test_kill_of_a_paused_container_ends_it(runtime, counting):
    """SIGKILL must not wait for somebody to resume: kill thaws, or delete --force does."""
    runtime.ok("pause", counting.id)
    runtime.ok("kill", counting.id, "KILL")
    runtime.ok("delete", "--force", counting.id)
    assert counting.wait() == 137


def test_delete_of_a_paused_container_is_refused(runtime, counting):
    runtime.ok("pause", counting.id)
    runtime.refuses("delete", counting.id)
    assert counting.status == "paused"
    runtime.ok("resume", counting.id)
    before = counting.output
    eventually(lambda: len(counting.output) > len(before), "it counts on")


def test_delete_force_ends_a_paused_container(runtime, counting):
    runtime.ok("pause", counting.id)
    counting.delete("--force")
    assert counting.wait() == 137
