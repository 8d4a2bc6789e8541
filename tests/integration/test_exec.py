# SPDX-License-Identifier: Apache-2.0
"""exec: one more process in a container that runs, with its own user, environment, terminal and limits."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

import cgroups
import kernel
from deadline import eventually
from host_state import process_state


@pytest.fixture
def container(runtime, bundle):
    return runtime.run_detached(bundle.sleeps())


def status(text):
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def test_exec_runs_a_program_in_the_container(container):
    assert "/bin/sleep 1000" in container.exec_ok("/bin/ps").stdout


def test_exec_joins_every_namespace(container):
    inside = container.sh("for name in /proc/self/ns/*; do readlink $name; done | sort")
    first = sorted(os.readlink(f"/proc/{container.pid}/ns/{name}") for name in os.listdir("/proc/self/ns"))
    assert inside.splitlines() == first


def test_exec_joins_the_cgroups(container):
    cgroups.require_own()
    inside = container.exec_ok("/bin/cat", "/proc/self/cgroup").stdout
    assert inside == Path(f"/proc/{container.pid}/cgroup").read_text()


def test_exec_has_the_capabilities_and_restrictions_of_the_config(container):
    fields = status(container.exec_ok("/bin/cat", "/proc/self/status").stdout)
    first = status(Path(f"/proc/{container.pid}/status").read_text())
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp"):
        assert fields[name] == first[name], name


def test_exec_has_the_rlimits_of_the_config(container):
    assert container.sh("ulimit -n") == "1024\n"


def test_exec_sees_the_environment_of_the_config(runtime, bundle):
    bundle.process["env"].append("FROM_CONFIG=yes")
    container = runtime.run_detached(bundle.sleeps())
    assert container.sh("echo $FROM_CONFIG") == "yes\n"


@pytest.mark.parametrize("code", [0, 3, 255])
def test_exec_exits_with_the_code_of_the_program(container, code):
    assert container.exec("/bin/sh", "-c", f"exit {code}").code == code


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
def test_exec_exits_with_128_and_the_signal(container, number):
    assert container.exec("/bin/sh", "-c", f"kill -{int(number)} $$").code == 128 + number


def test_exec_passes_the_three_standard_streams(container):
    result = container.exec("/bin/sh", "-c", "cat; echo err >&2", text="in\n")
    assert (result.stdout, result.stderr) == ("in\n", "err\n")


def test_exec_forwards_signals(container):
    command = container.spawn_exec("/bin/sh", "-c", "trap 'exit 9' TERM; echo ready; while :; do sleep 0.02; done")
    eventually(lambda: "ready" in command.stdout_file.read_text(), "it is ready")
    command.signal(signal.SIGTERM)
    assert command.result().code == 9


def test_exec_ends_when_the_container_is_killed(container):
    command = container.spawn_exec("/bin/sh", "-c", "echo ready; sleep 1000")
    eventually(lambda: "ready" in command.stdout_file.read_text(), "it is ready")
    container.kill("KILL")
    assert command.result().code == 137


def test_many_execs_at_once(container):
    commands = [container.spawn_exec("/bin/sh", "-c", f"echo {number}; exit {number}") for number in range(6)]
    results = [command.result() for command in commands]
    assert [(result.code, result.stdout) for result in results] == [(number, f"{number}\n") for number in range(6)]


# -- options

def test_env_adds_and_overrides(container):
    options = ["--env", "A=1", "--env", "B=two words", "--env", "TERM=other"]
    assert container.sh('echo "$A,$B,$TERM"', options=options) == "1,two words,other\n"


def test_cwd_sets_the_folder(container):
    assert container.exec_ok("/bin/pwd", options=["--cwd", "/home/app"]).stdout == "/home/app\n"


def test_user_by_number(container):
    kernel.require_root("other users need more than one mapping")
    assert container.sh("id -u; id -g", options=["--user", "1000:2000"]).split() == ["1000", "2000"]


@pytest.mark.parametrize("user, expected", [("", "1000 2000"), ("5", "5 2000"), ("5:6", "5 6")])
def test_what_is_not_given_of_a_user_is_the_containers(runtime, bundle, user, expected):
    kernel.require_root("other users need more than one mapping")
    bundle.process["user"] = {"uid": 1000, "gid": 2000}
    container = runtime.run_detached(bundle.sleeps())
    assert container.sh("echo $(id -u) $(id -g)", options=["-u", user]) == expected + "\n"


def test_user_gets_the_home_of_its_entry_in_passwd(container):
    kernel.require_root("other users need more than one mapping")
    assert container.sh("echo $HOME", options=["--user", "1000:1000"]) == "/home/app\n"


def test_another_user_has_no_effective_capabilities(container):
    kernel.require_root("other users need more than one mapping")
    fields = status(container.exec_ok("/bin/cat", "/proc/self/status", options=["--user", "1000:1000"]).stdout)
    assert int(fields["CapEff"], 16) == 0


def test_additional_gids_are_added(container):
    kernel.require_root("other groups need more than one mapping")
    fields = status(container.exec_ok("/bin/cat", "/proc/self/status", options=["-g", "3000", "-g", "4000"]).stdout)
    assert set(fields["Groups"].split()) >= {"3000", "4000"}


def test_cap_adds_a_capability(container):
    fields = status(container.exec_ok("/bin/cat", "/proc/self/status", options=["--cap", "CAP_SYS_PTRACE"]).stdout)
    for name in ("CapEff", "CapPrm", "CapBnd"):
        assert int(fields[name], 16) >> 19 & 1, name


def test_an_unknown_capability_is_named_in_a_warning(container):
    options = ["--cap", "CAP_NOSUCH", "--cap", "CAP_SYS_PTRACE"]
    result = container.exec_ok("/bin/cat", "/proc/self/status", options=options)
    assert "CAP_NOSUCH" in result.stderr and int(status(result.stdout)["CapEff"], 16) >> 19 & 1, result


@pytest.mark.parametrize("config, options, expected", [
    (False, [], "0"), (False, ["--no-new-privs"], "1"), (True, [], "1"), (True, ["--no-new-privs=false"], "0"), (False, ["--no-new-privs=true"], "1")])
def test_no_new_privs_is_as_the_option_says_or_else_the_config(runtime, bundle, config, options, expected):
    bundle.process["noNewPrivileges"] = config
    container = runtime.run_detached(bundle.sleeps())
    assert status(container.exec_ok("/bin/cat", "/proc/self/status", options=options).stdout)["NoNewPrivs"] == expected


def test_preserve_fds_hands_descriptors_on(runtime, container, workspace):
    (workspace / "data").write_text("through three\n")
    prefix = ["sh", "-c", f'exec 3<{workspace}/data; exec "$@"', "sh"]
    assert container.exec_ok("/bin/sh", "-c", "cat <&3", options=["--preserve-fds", "1"], prefix=prefix).stdout == "through three\n"


def test_options_of_the_command_are_the_commands(container):
    assert container.exec_ok("/bin/echo", "--cwd", "-e", "x").stdout == "--cwd -e x\n"


# -- process.json

def process_file(workspace, **changes):
    file = workspace / "process.json"
    process = {"terminal": False, "user": {"uid": 0, "gid": 0}, "args": ["/bin/sh", "-c", "id -u; pwd; echo $X"],
               "env": ["PATH=/bin", "X=from process.json"], "cwd": "/tmp"}
    file.write_text(json.dumps({**process, **changes}))
    return file


def test_process_is_read_from_a_file(runtime, container, workspace):
    result = runtime.ok("exec", "--process", process_file(workspace), container.id)
    assert result.lines == ["0", "/tmp", "from process.json"]


@pytest.mark.parametrize("name", ["/dev/stdin", pytest.param("-", marks=pytest.mark.kiste_only("it is crun's word"))])
@pytest.mark.parametrize("kind", ["file", "pipe"])
def test_process_is_read_from_standard_input(runtime, container, workspace, name, kind):
    file = process_file(workspace)
    source = {"text": file.read_text()} if kind == "pipe" else {"stdin": file.open()}
    assert runtime.ok("exec", "--process", name, container.id, **source).lines == ["0", "/tmp", "from process.json"]


def test_process_is_read_from_what_a_shell_puts_in_place_of_a_file(runtime, container, workspace):
    prefix = ["bash", "-c", 'exec "$@" --process <(sleep 0.1; cat "$0") "$ID"', process_file(workspace)]
    result = runtime.ok("exec", prefix=prefix, env={**os.environ, "ID": container.id})
    assert result.lines == ["0", "/tmp", "from process.json"]


@pytest.mark.kiste_only("it reads devices without end")
@pytest.mark.parametrize("path", ["/dev/null", "/dev/zero", "/tmp"])
def test_process_from_what_is_no_file_is_refused(runtime, container, path):
    result = runtime("exec", "--process", path, container.id)
    runtime.check_refusal(result, code=255)
    assert "--process" in result.stderr and path in result.stderr


def test_process_has_only_its_own_capabilities(runtime, container, workspace):
    file = process_file(workspace, args=["/bin/cat", "/proc/self/status"],
                        capabilities={name: ["CAP_KILL"] for name in ("bounding", "effective", "permitted")})
    assert int(status(runtime.ok("exec", "-p", file, container.id).stdout)["CapEff"], 16) == 1 << 5


def test_process_has_its_own_rlimits(runtime, container, workspace):
    file = process_file(workspace, args=["/bin/sh", "-c", "ulimit -t; ulimit -Ht"],
                        rlimits=[{"type": "RLIMIT_CPU", "soft": 100, "hard": 200}])
    assert runtime.ok("exec", "-p", file, container.id).lines == ["100", "200"]


@pytest.mark.kiste_only("its exec ignores oomScoreAdj")
def test_process_has_its_own_oom_score(runtime, container, workspace):
    file = process_file(workspace, args=["/bin/cat", "/proc/self/oom_score_adj"], oomScoreAdj=500)
    assert runtime.ok("exec", "-p", file, container.id).lines == ["500"]


@pytest.mark.parametrize("text, names", [
    ("{", ["process.json"]), ('{"cwd": "/"}', ["args"]), ('{"args": ["true"]}', ["cwd"]), ('{"args": ["true"], "cwd": "tmp"}', ["cwd", "tmp"]),
    ('{"args": "true", "cwd": "/"}', ["args"]), ('[]', ["process.json"]),
], ids=["broken", "no-args", "no-cwd", "relative-cwd", "wrong-type", "no-object"])
def test_a_bad_process_file_is_refused(runtime, container, workspace, text, names):
    file = workspace / "process.json"
    file.write_text(text)
    result = runtime("exec", "--process", file, container.id)
    runtime.check_refusal(result, code=255)
    if runtime.is_kiste:
        assert all(name in result.stderr for name in names), result


# -- detached

def test_detach_returns_while_the_process_runs(runtime, container, workspace):
    file = workspace / "pid"
    container.exec_ok("/bin/sleep", "1000", options=["--detach", "--pid-file", file])
    pid = int(file.read_text())
    assert process_state(pid) in ("S", "R", "D")
    assert kernel.status_field("NSpid", pid).split()[0] == str(pid)
    assert len(kernel.status_field("NSpid", pid).split()) == 2


def test_the_pid_file_of_a_foreground_exec(container, workspace):
    file = workspace / "pid"
    command = container.spawn_exec("/bin/sleep", "1000", options=["--pid-file", file])
    pid = int(eventually(lambda: file.exists() and file.read_text(), "the pid file"))
    os.kill(pid, signal.SIGKILL)
    assert command.result().code == 137


def test_the_output_of_a_detached_process_arrives(container):
    result = container.exec_ok("/bin/sh", "-c", "sleep 0.1; echo later", options=["-d"])
    eventually(lambda: result.stdout == "later\n", "the output")


# -- refused

@pytest.mark.parametrize("command, words", [("/bin/nosuch", "no such file"), ("nosuch", "not found"), ("/etc/passwd", "permission denied")])
def test_a_program_that_cannot_be_executed_is_named(runtime, container, command, words):
    result = container.exec(command)
    runtime.check_refusal(result, code=255)
    assert command in result.stderr and words in result.stderr.lower()
    assert container.status == "running"


def test_exec_without_a_command_is_refused(runtime, container):
    runtime.check_refusal(runtime("exec", container.id), code=255)


def test_exec_into_a_stopped_container_is_refused(runtime, bundle):
    container = runtime.run_detached(bundle)
    container.wait()
    result = container.exec("/bin/true")
    runtime.check_refusal(result, code=255)
    assert "stopped" in result.stderr or "not running" in result.stderr


def test_exec_into_a_created_container_runs(runtime, bundle):
    container = runtime.create(bundle)
    assert container.exec_ok("/bin/echo", "before start").stdout == "before start\n"


@pytest.mark.parametrize("folder", ["/nosuch", "relative"])
def test_a_cwd_that_is_not_there_is_refused(runtime, container, folder):
    result = container.exec("/bin/true", options=["--cwd", folder])
    runtime.check_refusal(result, code=255)


@pytest.mark.parametrize("user", [
    "nobody", "1000:x", "-1", pytest.param("99999999999", marks=pytest.mark.kiste_only("it cuts the number to 32 bits"))])
def test_a_user_that_is_no_number_is_refused(runtime, container, user):
    runtime.check_refusal(container.exec("/bin/true", options=[f"--user={user}"]), code=255)


# -- paused containers

def test_exec_into_a_paused_container_is_refused(runtime, container):
    cgroups.require_own()
    runtime.ok("pause", container.id)
    result = container.exec("/bin/true")
    runtime.check_refusal(result, code=255)
    assert "paused" in result.stderr
    runtime.ok("resume", container.id)


def test_ignore_paused_runs_once_the_container_is_resumed(runtime, container):
    cgroups.require_own()
    runtime.ok("pause", container.id)
    command = container.spawn_exec("/bin/echo", "at last", options=["--ignore-paused"])
    time.sleep(0.2)
    assert command.running
    runtime.ok("resume", container.id)
    assert command.result().stdout == "at last\n"


# -- cgroup

def test_cgroup_puts_the_process_into_a_sub_cgroup(runtime, container):
    cgroups.require_own()
    inner = cgroups.ProcessCgroups(container.pid).folder("pids") / "inner"
    inner.mkdir()
    try:
        option = "inner" if cgroups.layout() == "v2" else "pids:inner"
        inside = container.exec_ok("/bin/cat", "/proc/self/cgroup", options=["--cgroup", option]).stdout
        assert any(line.endswith("/inner") for line in inside.splitlines() if ":pids:" in line or cgroups.layout() == "v2")
    finally:
        eventually(lambda: not (inner / "cgroup.procs").read_text(), "the cgroup is empty")
        inner.rmdir()


def test_a_cgroup_that_is_not_there_is_refused(runtime, container):
    cgroups.require_own()
    runtime.check_refusal(container.exec("/bin/true", options=["--cgroup", "/nosuch"]), code=255)


def test_a_cgroup_outside_of_the_containers_is_refused(runtime, container):
    cgroups.require_own()
    runtime.check_refusal(container.exec("/bin/true", options=["--cgroup", "../.."]), code=255)
