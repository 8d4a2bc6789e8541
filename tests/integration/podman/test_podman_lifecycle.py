# SPDX-License-Identifier: Apache-2.0
"""The life of a container under podman: made, started, paused, signalled, stopped, removed."""

import subprocess
import time
from pathlib import Path

import pytest

from deadline import eventually

STUBBORN = "trap '' TERM; echo ready; while :; do sleep 0.05; done"
POLITE = "trap 'echo ended; exit 5' TERM; echo ready; while :; do sleep 0.05; done"


def status(podman, name):
    return podman.inspect(name, ".State.Status")


def test_create_and_start(podman, image):
    name = podman.detached(image, "sh", "-c", "echo it ran; exit 4", prepare="create")
    assert status(podman, name) == "created"
    assert podman.out("start", name) == f"{name}\n"
    assert podman.out("wait", name) == "4\n"
    assert (status(podman, name), podman.logs(name)) == ("exited", "it ran\n")


def test_init_creates_without_starting(podman, image):
    """podman init is the runtime's create alone."""
    name = podman.detached(image, "sh", "-c", "echo it ran", prepare="create")
    assert podman.out("init", name) == f"{name}\n"
    assert status(podman, name) == "initialized"
    pid = podman.pid(name)
    assert Path(f"/proc/{pid}").exists()
    time.sleep(0.2)
    assert podman.logs(name) == ""
    podman.ok("start", name)
    podman.ok("wait", name)
    assert podman.logs(name) == "it ran\n"


def test_a_created_container_can_be_removed(podman, image):
    name = podman.detached(image, "sh", "-c", "echo it ran", prepare="create")
    podman.ok("init", name)
    podman.ok("rm", name)
    assert podman("container", "exists", name).code == 1


def test_a_container_runs_again(podman, image):
    name = podman.detached(image, "sh", "-c", "echo run >> /count; wc -l < /count", prepare="create")
    for run in (1, 2, 3):
        assert podman.out("start", "--attach", name) == f"{run}\n"
    assert podman.logs(name) == "1\n2\n3\n"


def test_start_attached_gives_the_exit_code(podman, image):
    name = podman.detached(image, "sh", "-c", "echo out; echo err >&2; exit 9", prepare="create")
    answer = podman("start", "--attach", name)
    assert (answer.code, answer.stdout, answer.stderr) == (9, "out\n", "err\n")


def test_start_attached_with_input(podman, image):
    name = podman.detached(image, "tr", "a-z", "A-Z", options=["--interactive"], prepare="create")
    assert podman.out("start", "--attach", "--interactive", name, text="loud\n") == "LOUD\n"


def test_restart(podman, image):
    name = podman.detached(image, "sh", "-c", POLITE)
    podman.says(name, "ready")
    first = podman.pid(name)
    podman.ok("restart", "--time", "10", name)
    assert status(podman, name) == "running"
    assert podman.pid(name) != first
    eventually(lambda: podman.logs(name) == "ready\nended\nready\n", "the second run begins")


def test_wait_for_several(podman, image):
    names = [podman.detached(image, "sh", "-c", f"sleep 0.{number}; exit {number}") for number in (3, 1, 2)]
    assert podman.out("wait", *names) == "3\n1\n2\n"


def test_wait_for_a_condition(podman, image):
    name = podman.detached(image, "sleep", "100")
    assert podman.out("wait", "--condition", "running", name) == "-1\n"


def test_stop_asks_first(podman, image):
    name = podman.detached(image, "sh", "-c", POLITE)
    podman.says(name, "ready")
    assert podman.out("stop", "--time", "20", name) == f"{name}\n"
    assert (status(podman, name), podman.inspect(name, ".State.ExitCode")) == ("exited", "5")
    assert podman.logs(name) == "ready\nended\n"


def test_stop_kills_who_does_not_listen(podman, image):
    name = podman.detached(image, "sh", "-c", STUBBORN)
    podman.says(name, "ready")
    begun = time.monotonic()
    answer = podman.ok("stop", "--time", "1", name)
    assert 1 <= time.monotonic() - begun < 10
    assert "resorting to SIGKILL" in answer.stderr and answer.stdout == f"{name}\n"
    assert (status(podman, name), podman.inspect(name, ".State.ExitCode")) == ("exited", "137")


def test_stop_at_once(podman, image):
    name = podman.detached(image, "sh", "-c", POLITE)
    podman.says(name, "ready")
    assert podman.out("stop", "--time", "0", name) == f"{name}\n"
    assert podman.inspect(name, ".State.ExitCode") == "137"


def test_stop_of_several_and_of_ended_ones(podman, image):
    names = [podman.detached(image, "sleep", "100"), podman.detached(image, "true")]
    podman.ok("wait", names[1])
    assert sorted(podman.out("stop", "--time", "0", *names).split()) == sorted(names)


def test_stop_signal(podman, image):
    script = "trap 'echo asked by USR1; exit 3' USR1; trap 'exit 4' TERM; echo ready; while :; do sleep 0.05; done"
    name = podman.detached(image, "sh", "-c", script, options=["--stop-signal", "SIGUSR1"])
    podman.says(name, "ready")
    podman.ok("stop", "--time", "20", name)
    assert podman.inspect(name, ".State.ExitCode") == "3"
    assert podman.logs(name) == "ready\nasked by USR1\n"


def test_stop_signal_of_the_image(podman, configured_image):
    script = "trap 'exit 3' USR1; echo ready; while :; do sleep 0.05; done"
    name = podman.detached(configured_image, "-c", script, options=["--entrypoint", "sh"])
    podman.says(name, "ready")
    podman.ok("stop", "--time", "20", name)
    assert podman.inspect(name, ".State.ExitCode") == "3"


def test_kill(podman, image):
    name = podman.detached(image, "sleep", "100")
    assert podman.out("kill", name) == f"{name}\n"
    assert podman.out("wait", name) == "137\n"


@pytest.mark.parametrize("signal", ["HUP", "1"])
def test_kill_with_a_signal(podman, image, signal):
    script = "trap 'echo hung up; exit 8' HUP; echo ready; while :; do sleep 0.05; done"
    name = podman.detached(image, "sh", "-c", script)
    podman.says(name, "ready")
    podman.ok("kill", "--signal", signal, name)
    assert podman.out("wait", name) == "8\n"
    assert podman.logs(name) == "ready\nhung up\n"


def test_kill_does_not_mean_the_end(podman, image):
    script = "trap 'echo heard' USR1; echo ready; while :; do sleep 0.05; done"
    name = podman.detached(image, "sh", "-c", script)
    podman.says(name, "ready")
    podman.ok("kill", "--signal", "USR1", name)
    podman.says(name, "heard")
    assert status(podman, name) == "running"


def test_kill_of_an_ended_container_fails(podman, image):
    name = podman.detached(image, "true")
    podman.ok("wait", name)
    podman.fails(125, "kill", name, says="can only kill running containers")


def test_a_whole_tree_ends(podman, image):
    script = "sleep 300 & (sleep 301 & sleep 302) & echo ready; while :; do sleep 0.05; done"
    name = podman.detached(image, "sh", "-c", script)
    podman.says(name, "ready")
    inside = [int(pid) for pid in podman.out("top", name, "hpid").split()[1:] if pid.isdigit()]  # "?": gone meanwhile
    assert len(inside) >= 4
    podman.ok("kill", name)
    podman.ok("wait", name)
    assert not [pid for pid in inside if Path(f"/proc/{pid}").exists()]


def test_stop_with_the_hosts_pid_namespace_reaches_all_processes(podman, image):
    """Nobody dies with a first process here: podman says kill --all."""
    script = "sleep 300 & sleep 301 & echo $!; wait"
    name = podman.detached(image, "sh", "-c", script, options=["--pid", "host"])
    eventually(lambda: podman.logs(name), "the last child is started")
    last = int(podman.logs(name))
    assert Path(f"/proc/{last}").exists()
    podman.ok("stop", "--time", "5", name)
    eventually(lambda: not Path(f"/proc/{last}").exists() or Path(f"/proc/{last}/stat").read_text().split()[2] == "Z",
               "the child ends too")


def test_pause_and_unpause(podman, image):
    name = podman.detached(image, "sh", "-c", "while :; do echo tick; sleep 0.02; done")
    podman.says(name, "tick")
    assert podman.out("pause", name) == f"{name}\n"
    assert status(podman, name) == "paused"
    time.sleep(0.1)  # what it wrote before is on its way through conmon
    ticks = podman.logs(name).count("tick")
    time.sleep(0.3)
    assert podman.logs(name).count("tick") == ticks
    assert podman.out("unpause", name) == f"{name}\n"
    assert status(podman, name) == "running"
    eventually(lambda: podman.logs(name).count("tick") > ticks, "it goes on")


def test_pause_twice_fails(podman, image):
    name = podman.detached(image, "sleep", "100")
    podman.ok("pause", name)
    podman.fails(125, "pause", name, says="is already paused")
    podman.ok("unpause", name)
    podman.fails(125, "unpause", name, says="can't unpause")


def test_a_paused_container_can_be_killed_and_removed(podman, image):
    name = podman.detached(image, "sleep", "100")
    podman.ok("pause", name)
    podman.ok("rm", "--force", "--time", "0", name)
    assert podman("container", "exists", name).code == 1


def test_remove(podman, image):
    name = podman.detached(image, "true")
    podman.ok("wait", name)
    assert len(podman.out("rm", name).split()) == 1
    assert podman("container", "exists", name).code == 1


def test_remove_of_a_running_container_needs_force(podman, image):
    name = podman.detached(image, "sleep", "100")
    podman.fails(2, "rm", name, says="container state improper")
    assert status(podman, name) == "running"
    pid = podman.pid(name)
    podman.ok("rm", "--force", "--time", "0", name)
    assert podman("container", "exists", name).code == 1
    assert not Path(f"/proc/{pid}").exists()


def test_podman_dies_but_the_container_goes_on(podman, image):
    """A container is conmon's, not podman's."""
    name = podman.new_name()
    process = podman.spawn("run", "--name", name, image, "sh", "-c", "echo ready; sleep 1; echo finished; exit 2",
                           stdout=subprocess.DEVNULL)
    eventually(lambda: podman("logs", name).stdout == "ready\n", "the container writes", 10)
    assert status(podman, name) == "running"  # podman wrote that down: it holds the lock until then
    process.kill()
    process.wait()
    podman.host.commands.pop(process.pid)
    podman.says(name, "finished")
    eventually(lambda: status(podman, name) == "exited", "conmon's cleanup tells podman")
    assert podman.inspect(name, ".State.ExitCode") == "2"


def test_run_forwards_signals(podman, image):
    name = podman.new_name()
    process = podman.spawn("run", "--rm", "--name", name, image, "sh", "-c", POLITE, stdout=subprocess.DEVNULL)
    eventually(lambda: podman("logs", name).stdout == "ready\n", "the container is ready", 10)
    assert status(podman, name) == "running"  # podman knows it too: before, it would take the signal for itself
    process.terminate()
    assert process.wait(20) == 5
    podman.host.commands.pop(process.pid)
