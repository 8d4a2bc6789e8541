# SPDX-License-Identifier: Apache-2.0
"""create, start, kill and delete: the states of a container and the way from one to the next. `run` has its own file."""

import json
import time
from pathlib import Path

import pytest

import kernel
from deadline import eventually
from host_state import process_state

TRAPS = "trap 'exit 7' TERM; echo ready; while :; do sleep 0.02; done"


# -- create and start

def test_create_makes_a_container_that_waits(runtime, bundle):
    container = runtime.create(bundle.sh("echo started"))
    assert container.status == "created"
    eventually(lambda: process_state(container.pid) in ("S", "D"), "the process waits")
    assert container.output == ""


def test_start_runs_the_program_of_the_config(runtime, bundle):
    container = runtime.create(bundle.sh("echo started"))
    container.start()
    container.says("started")
    assert container.wait() == 0


def test_a_started_container_is_running_and_then_stopped(runtime, bundle):
    container = runtime.create(bundle.sleeps())
    container.start()
    assert container.status == "running"
    container.kill("KILL")
    container.wait_stopped()
    assert container.status == "stopped"


def test_the_first_process_keeps_its_pid_from_create_to_start(runtime, bundle):
    container = runtime.create(bundle.sleeps())
    before = container.state()["pid"]
    container.start()
    assert container.state()["pid"] == before == container.pid


def test_waiting_for_start_costs_no_cpu_time(runtime, bundle):
    container = runtime.create(bundle)

    def ticks():
        fields = Path(f"/proc/{container.pid}/stat").read_text().rpartition(")")[2].split()
        switches = sum(int(line.split()[1]) for line in Path(f"/proc/{container.pid}/status").read_text().splitlines()
                       if "ctxt_switches" in line)
        return int(fields[11]) + int(fields[12]), switches

    eventually(lambda: process_state(container.pid) == "S", "the process sleeps")
    time.sleep(0.05)
    cpu, switches = ticks()
    time.sleep(0.5)
    cpu_after, switches_after = ticks()
    assert cpu_after == cpu
    assert switches_after - switches <= 5


def test_a_container_that_nobody_starts_can_be_killed(runtime, bundle):
    container = runtime.create(bundle)
    container.kill("KILL")
    assert container.wait() == 137
    container.delete()


@pytest.mark.parametrize("namespaces", ["its own", "the host's"])
@pytest.mark.parametrize("name", ["TERM", "INT", "HUP", "QUIT"])
def test_a_container_that_nobody_starts_ends_with_a_usual_signal(runtime, bundle, name, namespaces):
    """The kernel keeps such signals from a PID namespace's first process unless it handles them: an engine's `stop` would
    wait its whole time out."""
    if namespaces == "the host's":
        bundle.without_namespace("pid")
    container = runtime.create(bundle)
    container.kill(name)
    container.wait()
    container.delete()


def test_a_started_container_handles_signals_as_its_program_does(runtime, bundle):
    """Nothing of what waited for `start` is left: TERM does nothing to a first process that has no handler for it."""
    container = runtime.create(bundle.args("sleep", "1000"))
    container.start()
    container.kill("TERM")
    time.sleep(0.2)
    assert container.status == "running"


def test_changing_config_json_after_create_changes_nothing(runtime, bundle):
    container = runtime.create(bundle.sh("echo first"))
    bundle.sh("echo second").write()
    container.start()
    assert container.wait() == 0
    assert container.output == "first\n"


def test_create_uses_the_current_folder_as_the_bundle(runtime, bundle):
    bundle.write()
    container_id = runtime.new_id()
    runtime.ok("create", container_id, cwd=bundle.folder)
    assert json.loads(runtime.ok("state", container_id).stdout)["bundle"] == str(bundle.folder)


def test_a_relative_bundle_is_reported_as_an_absolute_path(runtime, bundle):
    bundle.write()
    container_id = runtime.new_id()
    runtime.ok("create", "-b", bundle.folder.name, container_id, cwd=bundle.folder.parent)
    assert json.loads(runtime.ok("state", container_id).stdout)["bundle"] == str(bundle.folder)


def test_pid_file_holds_the_pid_and_nothing_else(runtime, bundle, workspace):
    file = workspace / "pid"
    container = runtime.create(bundle.sleeps(), "--pid-file", file)
    assert file.read_text() == str(container.state()["pid"])


def test_a_second_create_with_the_same_id_is_refused(runtime, bundle):
    container = runtime.create(bundle.sleeps())
    result = runtime.refuses("create", "--bundle", bundle.folder, container.id)
    assert "exist" in result.stderr
    assert container.status == "created"


def test_a_second_start_is_refused_and_the_container_goes_on(runtime, bundle):
    container = runtime.create(bundle.sleeps())
    container.start()
    runtime.refuses("start", container.id)
    assert container.status == "running"


def test_a_stopped_container_cannot_be_started_again(runtime, bundle):
    container = runtime.create(bundle)
    container.start()
    container.wait()
    runtime.refuses("start", container.id)


@pytest.mark.parametrize("command", ["start", "state", "kill", "delete", "exec", "pause", "resume", "ps"])
def test_a_command_on_an_unknown_id_is_refused(runtime, command):
    name = runtime.host.new_name()
    more = {"exec": ["true"], "kill": ["KILL"]}.get(command, [])
    result = runtime(command, name, *more)
    runtime.check_refusal(result, code=255 if command == "exec" else 1)
    assert "does not exist" in result.stderr


def test_delete_force_of_an_unknown_id_succeeds(runtime):
    runtime.ok("delete", "--force", runtime.host.new_name())


@pytest.mark.parametrize("form", ["../{}", "{}/b", "/{}", ".", "..", "", "{} b", "{}\nb", "{}" + "x" * 1025, "{}ü", "{}*", "{}\\", "{}\t"])
def test_an_id_with_bad_characters_is_refused(runtime, bundle, form):
    bundle.write()
    runtime.refuses("create", "--bundle", bundle.folder, form.format(runtime.host.new_name()))


def test_an_id_may_have_all_allowed_characters(runtime, bundle):
    container_id = f"{runtime.host.token}-aZ09_+.-"
    runtime.ids.append(container_id)
    assert runtime.run(bundle, id=container_id).code == 0


# -- the end

def test_delete_of_a_running_container_is_refused(runtime, bundle):
    container = runtime.run_detached(bundle.sleeps())
    runtime.refuses("delete", container.id)
    assert container.status == "running"


def test_delete_force_ends_a_running_container(runtime, bundle):
    container = runtime.run_detached(bundle.sleeps())
    container.delete("--force")
    assert container.wait() == 137
    runtime.refuses("state", container.id)


def test_delete_force_ends_a_created_container(runtime, bundle):
    container = runtime.create(bundle)
    container.delete("-f")
    assert container.wait() == 137


def test_delete_force_ends_every_process_of_a_container_without_its_own_pids(runtime, bundle):
    kernel.require_root("a new proc needs a pid namespace")
    bundle.without_namespace("pid").sh("sleep 1000 & sleep 1000 & echo ready; wait")
    container = runtime.run_detached(bundle)
    container.says("ready")
    container.delete("--force")


def test_after_delete_the_id_is_free_again(runtime, bundle):
    container = runtime.create(bundle.sleeps())
    container.end()
    again = runtime.create(bundle, id=container.id)
    assert again.status == "created"


def test_delete_removes_several_things_only_once(runtime, bundle):
    container = runtime.run_detached(bundle)
    container.wait()
    container.delete()
    runtime.refuses("delete", container.id)


# -- kill

@pytest.mark.parametrize("name", ["TERM", "SIGTERM", "15"])
def test_kill_takes_names_and_numbers(runtime, bundle, name):
    container = runtime.run_detached(bundle.sh(TRAPS)).says("ready")
    container.kill(name)
    assert container.wait() == 7


def test_kill_sends_sigterm_unless_told(runtime, bundle):
    container = runtime.run_detached(bundle.sh(TRAPS)).says("ready")
    container.kill()
    assert container.wait() == 7


@pytest.mark.parametrize("name", ["NOSUCH", "-1", "4711", "SIG"])
def test_kill_with_an_unknown_signal_is_refused(runtime, bundle, name):
    container = runtime.run_detached(bundle.sleeps())
    runtime.refuses("kill", container.id, name)
    assert container.status == "running"


def test_kill_of_a_stopped_container_is_refused(runtime, bundle):
    container = runtime.run_detached(bundle)
    container.wait()
    result = runtime.refuses("kill", container.id, "KILL")
    assert "not running" in result.stderr


def test_kill_all_reaches_every_process(runtime, bundle):
    kernel.require_root("a new proc needs a pid namespace")
    bundle.without_namespace("pid").sh("sleep 1000 & sleep 1000 & echo ready; sleep 1000")
    container = runtime.run_detached(bundle).says("ready")
    pid = container.pid
    eventually(lambda: len(runtime.host.processes()) >= 3, "all processes are there")
    runtime.ok("kill", "--all", container.id, "KILL")
    container.wait()
    eventually(lambda: not runtime.host.processes() - {pid}, "no process is left")


def test_kill_all_reaches_what_the_first_process_left_behind(runtime, bundle):
    kernel.require_root("a new proc needs a pid namespace")
    bundle.without_namespace("pid").sh("sleep 1000 & echo ready")
    container = runtime.run_detached(bundle).says("ready")
    container.wait()
    assert runtime.host.processes()
    runtime.ok("kill", "-a", container.id, "KILL")
    eventually(lambda: not runtime.host.processes(), "no process is left")
