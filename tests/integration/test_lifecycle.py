# SPDX-License-Identifier: Apache-2.0
"""create, start, state, kill, delete and run: the states of a container and the way from one to the next."""

import json
import os
import signal
import subprocess
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
    assert process_state(container.pid) in ("S", "D")
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


# -- run

@pytest.mark.parametrize("code", [0, 3, 255])
def test_run_exits_with_the_code_of_the_program(runtime, bundle, code):
    assert runtime.run(bundle.sh(f"exit {code}")).code == code


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV], ids=lambda number: number.name)
def test_run_exits_with_128_and_the_signal_that_killed_the_program(runtime, bundle, number):
    # Without a pid namespace of its own the process is no init and dies of every signal.
    kernel.require_root("a new proc needs a pid namespace")
    bundle.without_namespace("pid").sh(f"kill -{int(number)} $$")
    assert runtime.run(bundle).code == 128 + number


def test_run_leaves_no_container_behind(runtime, bundle):
    result = runtime.run(bundle)
    assert result.code == 0
    assert runtime.leftovers() == []


def test_run_keep_leaves_a_stopped_container(runtime, bundle):
    result = runtime.run(bundle.sh("exit 3"), "--keep")
    assert result.code == 3
    assert json.loads(runtime.ok("state", result.id).stdout)["status"] == "stopped"
    runtime.ok("delete", result.id)


def test_run_detach_returns_while_the_container_runs(runtime, bundle):
    container = runtime.run_detached(bundle.sleeps())
    assert container.status == "running"


def test_run_passes_output_and_errors_apart(runtime, bundle):
    result = runtime.run(bundle.sh("echo out; echo err >&2"))
    assert (result.stdout, result.stderr) == ("out\n", "err\n")


def test_run_passes_standard_input_from_a_pipe(runtime, bundle):
    text = "".join(f"line {number}\n" for number in range(20000))
    assert runtime.run(bundle.args("/bin/cat"), text=text).stdout == text


def test_run_passes_standard_input_from_a_file(runtime, bundle, workspace):
    file = workspace / "input"
    file.write_text("from a file\n")
    with file.open() as stdin:
        assert runtime.run(bundle.args("/bin/cat"), stdin=stdin).stdout == "from a file\n"


def test_run_passes_the_end_of_standard_input(runtime, bundle):
    command, container = runtime.spawn_run(bundle.sh("cat; echo over"), stdin=subprocess.PIPE)
    command.process.stdin.write(b"one\n")
    command.process.stdin.flush()
    container.says("one")
    assert command.result("two\n").stdout == "one\ntwo\nover\n"


def test_run_can_stand_in_a_pipeline(runtime, bundle):
    bundle.args("/bin/sort").write()
    script = f"printf 'b\\na\\n' | {runtime.program} --root {runtime.state_folder} run -b {bundle.folder} {runtime.new_id()} | head -n 1"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=20)
    assert (done.stdout, done.stderr) == ("a\n", "")


@pytest.mark.parametrize("name", ["TERM", "INT", "HUP", "USR1", "USR2", "QUIT"])
def test_run_forwards_signals_to_the_container(runtime, bundle, name):
    script = f"trap 'echo got {name}; exit 9' {name}; echo ready; while :; do sleep 0.02; done"
    command, container = runtime.spawn_run(bundle.sh(script))
    container.says("ready")
    command.signal(getattr(signal, f"SIG{name}"))
    result = command.result()
    assert (result.code, result.stdout) == (9, f"ready\ngot {name}\n")


def test_run_survives_many_signals(runtime, bundle):
    script = "n=0; trap 'n=$((n+1))' USR1; trap 'echo $n; exit 0' TERM; echo ready; while :; do sleep 0.02; done"
    command, container = runtime.spawn_run(bundle.sh(script))
    container.says("ready")
    for _ in range(20):
        command.signal(signal.SIGUSR1)
        time.sleep(0.005)
    command.signal(signal.SIGTERM)
    result = command.result()
    assert result.code == 0
    assert int(result.lines[1]) >= 1


def test_killing_run_hard_leaves_a_container_that_can_be_deleted(runtime, bundle):
    command, container = runtime.spawn_run(bundle.sh("echo ready; exec sleep 1000"))
    container.says("ready")
    command.end()
    assert container.status in ("running", "stopped")
    container.delete("--force")


# -- a program that cannot be started

def failure(runtime, bundle, *arguments):
    return runtime.refuses_to_run(bundle.args(*arguments), arguments[0])


def test_a_command_that_is_not_there_is_named(runtime, bundle):
    result = failure(runtime, bundle, "/bin/nosuch")
    assert "/bin/nosuch" in result.stderr and "no such file or directory" in result.stderr.lower()


def test_a_command_that_is_not_in_path_is_named(runtime, bundle):
    result = failure(runtime, bundle, "nosuch")
    assert "nosuch" in result.stderr and "not found" in result.stderr.lower()


def test_a_command_without_permission_to_execute_is_named(runtime, bundle):
    result = failure(runtime, bundle, "/etc/passwd")
    assert "/etc/passwd" in result.stderr and "permission denied" in result.stderr.lower()


def test_a_folder_as_the_command_is_named(runtime, bundle):
    result = failure(runtime, bundle, "/etc")
    assert "/etc" in result.stderr


def test_a_file_that_is_no_program_is_named(runtime, bundle):
    file = bundle.own_rootfs() / "bin/noprogram"
    file.write_text("neither ELF nor script\n")
    file.chmod(0o755)
    result = failure(runtime, bundle, "/bin/noprogram")
    assert "exec format error" in result.stderr.lower()


def test_a_script_without_its_interpreter_fails(runtime, bundle):
    file = bundle.own_rootfs() / "bin/script"
    file.write_text("#!/bin/nosuch\n")
    file.chmod(0o755)
    failure(runtime, bundle, "/bin/script")


def test_start_reports_why_exec_failed(runtime, bundle):
    """Found at create by some runtimes, at start by others: it must be reported by one of them."""
    bundle.args("/bin/nosuch").write()
    container_id = runtime.new_id()
    result = runtime("create", "--bundle", bundle.folder, container_id)
    if result.code == 0:
        result = runtime("start", container_id)
    runtime.check_refusal(result)
    assert "/bin/nosuch" in result.stderr
    runtime("delete", "--force", container_id)


@pytest.mark.kiste_only("its start reports success before exec was tried")
def test_start_reports_a_failure_that_only_exec_finds(runtime, bundle):
    file = bundle.own_rootfs() / "bin/noprogram"
    file.write_text("\x7fELF and nothing more")
    file.chmod(0o755)
    container = runtime.create(bundle.args("/bin/noprogram"))
    result = runtime.refuses("start", container.id)
    assert "exec format error" in result.stderr.lower()
    container.delete("--force")


def test_the_program_is_looked_up_in_the_containers_path(runtime, bundle):
    tool = bundle.own_rootfs() / "opt/tool"
    tool.write_text("#!/bin/sh\necho from opt\n")
    tool.chmod(0o755)
    bundle.process["env"] = ["PATH=/nowhere:/opt:/bin"]
    assert runtime.output_of(bundle.args("tool")) == "from opt\n"


# -- descriptors

def test_preserve_fds_hands_descriptors_on(runtime, bundle, workspace):
    for name in ("three", "four"):
        (workspace / name).write_text(f"through {name}\n")
    prefix = ["sh", "-c", f'exec 3<{workspace}/three 4<{workspace}/four; exec "$@"', "sh"]
    result = runtime.run(bundle.sh("cat <&3; cat <&4"), "--preserve-fds", "2", prefix=prefix)
    assert result.stdout == "through three\nthrough four\n"


def test_preserve_fds_hands_no_more_than_it_counts(runtime, bundle, workspace, probe):
    prefix = ["sh", "-c", 'exec 3</dev/null 4</dev/null 5</dev/null; exec "$@"', "sh"]
    result = runtime.run(bundle.with_probe(probe, "fds"), "--preserve-fds", "1", prefix=prefix)
    assert result.stdout.split() == ["0", "1", "2", "3"]


def test_preserve_fds_of_a_descriptor_that_is_not_open_is_refused(runtime, bundle):
    runtime.check_refusal(runtime.run(bundle, "--preserve-fds", "5"))


def test_descriptors_are_not_handed_on_unless_told(runtime, bundle, probe):
    read, write = os.pipe()
    try:
        result = runtime.run(bundle.with_probe(probe, "fds"), pass_fds=[read, write])
    finally:
        os.close(read)
        os.close(write)
    assert result.stdout.split() == ["0", "1", "2"]
