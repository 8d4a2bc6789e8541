# SPDX-License-Identifier: Apache-2.0
"""podman run -it, exec -it and attach at a real terminal, as a person uses them."""

import os
import signal
import termios

from deadline import eventually

PROMPT = r"/ # $"


def test_a_shell(at_terminal, image):
    with at_terminal("run", "--rm", "-it", image, "sh") as shell:
        shell.ready(PROMPT)
        shell.ask("echo $((40 + 2))", r"^42$")
        shell.ask("test -t 0 && test -t 1 && test -t 2 && echo all 'three'", r"^all three$")
        shell.ask("tty", r"^/dev/pts/0$")
        shell.ask("echo $TERM", r"^xterm$")
        shell.line("exit 12")
        assert shell.wait() == 12


def test_output_arrives_whole_and_translated(at_terminal, image):
    with at_terminal("run", "--rm", "-t", image, "sh", "-c", "echo out; echo err >&2") as run:
        assert run.wait() == 0
        assert run.seen == "out\nerr\n"


def test_the_terminal_is_the_containers_own(at_terminal, image):
    """Its devices are those of a new devpts, and /dev/console is the terminal itself."""
    script = "ls /dev/pts; stat -c '%t:%T' /dev/console; stat -L -c '%t:%T' /proc/self/fd/0; ls -l /dev/ptmx | cut -d' ' -f1"
    with at_terminal("run", "--rm", "-it", image, "sh", "-c", script) as run:
        assert run.wait() == 0
        lines = run.seen.splitlines()
        assert lines[0].split() == ["0", "ptmx"]
        assert lines[1] == lines[2] == "88:0"
        assert lines[3].startswith("l") or lines[3].startswith("c")


def test_session_and_controlling_terminal(at_terminal, image):
    script = "cut -d' ' -f5-8 /proc/self/stat; echo through the controlling one > /dev/tty"
    with at_terminal("run", "--rm", "-it", image, "sh", "-c", script) as run:
        assert run.wait() == 0
        first, second = run.seen.splitlines()
        group, session, device, foreground = map(int, first.split())
        assert (session, device, foreground) == (1, 0x8800, group)
        assert second == "through the controlling one"


def test_window_size_at_the_start(at_terminal, image):
    with at_terminal("run", "--rm", "-it", image, "sh", "-c", "sleep 0.3; stty size", rows=33, columns=101) as run:
        assert run.wait() == 0
        assert run.seen == "33 101\n"


def test_window_size_changes(at_terminal, image):
    with at_terminal("run", "--rm", "-it", image, "sh", rows=30, columns=90) as shell:
        shell.ready(PROMPT)
        shell.begin("trap 'echo size: $(stty size)' WINCH; while :; do sleep 0.05; done")
        shell.resize(41, 123)
        shell.expect(r"^size: 41 123$")
        shell.resize(20, 60)
        shell.expect(r"^size: 20 60$")
        shell.send("\x03")
        shell.expect(PROMPT)
        shell.line("exit")
        shell.wait()


def test_control_c_reaches_the_foreground_process(at_terminal, image):
    with at_terminal("run", "--rm", "-it", image, "sh") as shell:
        shell.ready(PROMPT)
        shell.begin("sleep 100")
        shell.send("\x03")
        shell.expect(PROMPT)
        shell.ask("echo still here: $?", r"^still here: 130$")
        shell.line("exit 0")
        assert shell.wait() == 0


def test_job_control(at_terminal, image):
    with at_terminal("run", "--rm", "-it", image, "sh") as shell:
        shell.ready(PROMPT)
        shell.begin("sleep 200")
        shell.send("\x1a")
        shell.expect(r"Stopped +sleep 200$")
        shell.expect(PROMPT)
        shell.ask("jobs", r"^\[1\]\+ +Stopped +sleep 200$")
        shell.ask("bg", r"^\[1\] sleep 200$")
        shell.ask("kill %1; wait; echo 'all' gone", r"^all gone$")
        shell.line("exit 0")
        assert shell.wait() == 0


def test_end_of_input_ends_the_shell(at_terminal, image):
    with at_terminal("run", "--rm", "-it", image, "sh") as shell:
        shell.ready(PROMPT)
        shell.send("\x04")
        assert shell.wait() == 0


def test_the_users_terminal_is_as_before(at_terminal, image):
    with at_terminal("run", "--rm", "-it", image, "true") as run:
        before = termios.tcgetattr(run.master)
        assert run.wait() == 0
        assert termios.tcgetattr(run.master) == before


def test_a_missing_command_at_a_terminal(at_terminal, image):
    with at_terminal("run", "--rm", "-it", image, "nosuch") as run:
        assert run.wait() == 127
        assert "nosuch" in run.seen


def test_detach_and_attach(podman, at_terminal, image):
    name = podman.new_name()
    with at_terminal("run", "-it", "--name", name, image, "sh") as shell:
        shell.ready(PROMPT)
        shell.ask("A=kept; echo $A", r"^kept$")
        shell.keys("\x10", "\x11")  # Ctrl-P Ctrl-Q
        assert shell.wait() == 0
    assert podman.inspect(name, ".State.Status") == "running"
    with at_terminal("attach", name) as shell:
        shell.ask("echo still $A", r"^still kept$")
        shell.expect(PROMPT)
        shell.line("exit 0")
        shell.wait()
    assert podman.out("wait", name) == "0\n"


def test_start_attached_at_a_terminal(podman, at_terminal, image):
    name = podman.detached(image, "sh", options=["-it"], prepare="create")
    for _ in range(2):
        with at_terminal("start", "-ai", name, rows=28, columns=77) as shell:
            shell.ready(PROMPT)
            shell.ask("stty size", r"^28 77$")
            shell.line("exit 5")
            assert shell.wait() == 5


def test_exec_at_a_terminal(podman, at_terminal, image):
    name = podman.detached(image, "sleep", "100")
    with at_terminal("exec", "-it", name, "sh", rows=31, columns=99) as shell:
        shell.ready(PROMPT)
        shell.ask("tty", r"^/dev/pts/0$")
        shell.ask("stty size", r"^31 99$")
        shell.resize(42, 121)
        shell.pause(0.3)
        shell.ask("stty size", r"^42 121$")
        shell.line("exit 21")
        assert shell.wait() == 21
    assert podman.inspect(name, ".State.Status") == "running"


def test_exec_with_a_terminal_nobody_sits_at(podman, image):
    name = podman.detached(image, "sleep", "100")
    assert podman.ok("exec", "-t", name, "sh", "-c", "tty; id -u").stdout == "/dev/pts/0\r\n0\r\n"


def test_a_terminal_belongs_to_the_user_of_exec(podman, image):
    podman.known_gap(crun="1.8 leaves it to root")
    name = podman.detached(image, "sleep", "100")
    script = "id -u; echo w > $(tty); stat -c %U $(tty)"
    assert podman.ok("exec", "-t", "--user", "app", name, "sh", "-c", script).stdout == "1000\r\nw\r\napp\r\n"


def test_two_terminals_in_one_container(podman, at_terminal, image):
    name = podman.detached(image, "sleep", "100")
    with at_terminal("exec", "-it", name, "sh") as one, at_terminal("exec", "-it", name, "sh") as two:
        one.ready(PROMPT)
        two.ready(PROMPT)
        names = {shell.ask("tty", r"^/dev/pts/\d$").group() for shell in (one, two)}
        assert names == {"/dev/pts/0", "/dev/pts/1"}
        for shell in (one, two):
            shell.line("exit")
            assert shell.wait() == 0


def test_a_terminal_for_an_ordinary_user(at_terminal, image):
    with at_terminal("run", "--rm", "-it", "--user", "app", image, "sh") as shell:
        shell.ready(r"/ \$ $")
        shell.ask("echo mine > /dev/stdout && stat -c '%U %a' $(tty)", r"^app 620$")
        shell.line("exit")
        assert shell.wait() == 0


def test_a_detached_terminal(podman, image):
    name = podman.detached(image, "sh", "-c", "tty; test -t 0 && echo yes; sleep 100", options=["-t"])
    podman.says(name, "yes")
    assert podman.logs(name).replace("\r", "") == "/dev/pts/0\nyes\n"
    pid = podman.pid(name)
    assert os.readlink(f"/proc/{pid}/fd/0") == "/dev/pts/0"
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: podman.inspect(name, ".State.Status") == "exited", "podman sees the end")
    assert podman.inspect(name, ".State.ExitCode") == "137"
