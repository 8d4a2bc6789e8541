# SPDX-License-Identifier: Apache-2.0
"""run in the foreground: exit codes, streams, signals; programs that cannot be started; descriptors."""

import json
import os
import signal
import subprocess
import time

import pytest

import cgroups
import kernel
from deadline import eventually
from host_state import children_of


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


@pytest.mark.parametrize("options, adopted", [([], True), (["--no-subreaper"], False)], ids=["subreaper", "no-subreaper"])
def test_run_adopts_orphans_of_the_container_unless_told(runtime, bundle, options, adopted):
    """Where they have the host's pid namespace: else the first process in their own adopts them."""
    kernel.require_root("a new proc needs a pid namespace")
    bundle.without_namespace("pid").sh("(sleep 1000 & echo $!); echo ready; exec sleep 1000")
    command, container = runtime.spawn_run(bundle, *options)
    container.says("ready")
    orphan = int(container.output.split()[0])
    assert (int(kernel.status_field("PPid", orphan)) == command.pid) == adopted
    container.kill("KILL")
    assert command.result().code == 137


def test_orphans_of_the_container_are_reaped(runtime, bundle):
    """Each dead one that is not counts against the container's pids limit."""
    kernel.require_root("a new proc needs a pid namespace")
    bundle.without_namespace("pid").sh("for n in $(seq 60); do (sleep 0.01 &); done; echo made; exec sleep 1000")
    command, container = runtime.spawn_run(bundle)
    container.says("made")
    counter = cgroups.ProcessCgroups(container.pid).folder("pids") / "pids.current"
    eventually(lambda: int(counter.read_text()) == 1, "only the first process is left in the cgroup")
    assert children_of(command.pid) == [container.pid]
    container.kill("KILL")
    assert command.result().code == 137


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
