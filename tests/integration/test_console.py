# SPDX-License-Identifier: Apache-2.0
"""Terminals: handed out over a console socket, or the caller's own with `run` and `exec --tty`."""

import json
import os
import pty
import signal
import stat
import time
from pathlib import Path

import pytest

import kernel
from deadline import eventually
from host_state import process_state
from terminal import ConsoleSocket, OwnTerminal


@pytest.fixture
def console(workspace):
    socket = ConsoleSocket(workspace / "console")
    yield socket
    socket.close()


@pytest.fixture
def own():
    terminal = OwnTerminal()
    yield terminal
    terminal.close()


@pytest.fixture
def terminals():
    """Masters that must be closed at the end."""
    made = []
    yield made
    for terminal in made:
        terminal.close()


def with_terminal(bundle, script):
    bundle.process["terminal"] = True
    return bundle.sh(script)


def created(runtime, bundle, console, terminals, script):
    container = runtime.create(with_terminal(bundle, script), "--console-socket", console.path)
    terminals.append(console.receive())
    return container, terminals[0]


# -- over a console socket

def test_create_sends_the_master_of_the_terminal(runtime, bundle, console, terminals):
    container, terminal = created(runtime, bundle, console, terminals, "echo hello; read line; echo got $line")
    assert os.isatty(terminal.fd)
    container.start()
    terminal.read_until("hello")
    terminal.write("input\n")
    terminal.read_until("got input")


def test_the_message_names_the_terminal(runtime, bundle, console, terminals):
    created(runtime, bundle, console, terminals, "true")
    assert console.message


def test_run_detach_sends_the_master_of_the_terminal(runtime, bundle, console, terminals):
    bundle = with_terminal(bundle, "tty; exec sleep 1000")
    runtime.run_detached(bundle, "--console-socket", console.path)
    terminals.append(console.receive())
    terminals[0].read_until("/dev/")


def test_exec_sends_the_master_of_its_terminal(runtime, bundle, console, terminals):
    container = runtime.run_detached(bundle.sleeps())
    container.exec_ok("/bin/sh", "-c", "tty; echo over; sleep 1000", options=["--tty", "--detach", "--console-socket", console.path])
    terminals.append(console.receive())
    terminals[0].read_until("over")
    assert "/dev/pts/" in terminals[0].seen


def test_the_three_streams_are_the_terminal(runtime, bundle, console, terminals):
    container, terminal = created(runtime, bundle, console, terminals, "for n in 0 1 2; do [ -t $n ] && echo tty$n; done")
    container.start()
    terminal.read_until("tty2")
    assert "tty0" in terminal.seen and "tty1" in terminal.seen


def test_the_terminal_belongs_to_the_containers_own_devpts(runtime, bundle, console, terminals):
    container, terminal = created(runtime, bundle, console, terminals, "tty; ls -1 /dev/pts; echo over")
    container.start()
    terminal.read_until("over")
    assert "/dev/pts/0" in terminal.seen or "/dev/console" in terminal.seen
    assert terminal.seen.replace("\r", "").splitlines()[1:3] == ["0", "ptmx"]


def test_the_terminal_is_the_controlling_one_of_a_new_session(runtime, bundle, console, terminals):
    container, terminal = created(runtime, bundle, console, terminals, "echo through /dev/tty >/dev/tty; cut -d' ' -f 6 /proc/1/stat; echo over")
    container.start()
    terminal.read_until("over")
    assert terminal.seen.replace("\r", "").splitlines()[:2] == ["through /dev/tty", "1"]


def test_dev_console_is_the_terminal(runtime, bundle, console, terminals):
    container, terminal = created(runtime, bundle, console, terminals, "echo through console >/dev/console; stat -c %F /dev/console; echo over")
    container.start()
    terminal.read_until("over")
    assert "through console" in terminal.seen and "character special file" in terminal.seen


def test_the_terminal_belongs_to_the_user(runtime, bundle, console, terminals):
    kernel.require_root("other users need more than one mapping")
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    container, terminal = created(runtime, bundle, console, terminals, "stat -c '%u %a' $(tty); echo over")
    container.start()
    terminal.read_until("over")
    owner, mode = terminal.seen.split()[:2]
    assert owner == "1000" and int(mode, 8) & stat.S_IRUSR


@pytest.mark.parametrize("size", [{}, {"height": 33}, {"height": 33, "width": 111}])
def test_console_size_is_ignored_without_a_terminal(runtime, bundle, size):
    bundle.process["consoleSize"] = size
    runtime.output_of(bundle)


def test_console_size_is_the_first_size(runtime, bundle, console, terminals):
    bundle.process["consoleSize"] = {"height": 33, "width": 111}
    container, terminal = created(runtime, bundle, console, terminals, "stty size; echo over")
    container.start()
    terminal.read_until("over")
    assert "33 111" in terminal.seen


@pytest.mark.parametrize("size", [(33, 111), (500, 1000)])
def test_console_size_of_a_process_object_is_that_of_exec(runtime, bundle, console, terminals, workspace, size):
    kernel.require_root("other users need more than one mapping")
    process = workspace / "process.json"
    process.write_text(json.dumps({"terminal": True, "consoleSize": {"height": size[0], "width": size[1]}, "cwd": "/",
                                   "args": ["/bin/sh", "-c", "stat -c %u:%a $(tty); stty size; echo over; sleep 1000"],
                                   "env": ["PATH=/bin"], "user": {"uid": 1000, "gid": 1000}}))
    container = runtime.run_detached(bundle.sleeps())
    container.exec_ok(options=["--detach", "--console-socket", console.path, "--process", process])
    terminals.append(console.receive())
    terminals[0].read_until("over")
    assert "1000:620" in terminals[0].seen and f"{size[0]} {size[1]}" in terminals[0].seen


def test_a_new_size_arrives_with_a_signal(runtime, bundle, console, terminals):
    script = "trap 'stty size' WINCH; echo ready; while :; do sleep 0.02; done"
    container, terminal = created(runtime, bundle, console, terminals, script)
    container.start()
    terminal.read_until("ready")
    terminal.size = (44, 99)
    terminal.read_until("44 99")


def test_control_c_interrupts_the_program(runtime, bundle, console, terminals):
    script = "trap 'echo interrupted; exit 5' INT; echo ready; while :; do sleep 0.02; done"
    container, terminal = created(runtime, bundle, console, terminals, script)
    container.start()
    terminal.read_until("ready")
    terminal.write("\x03")
    terminal.read_until("interrupted")
    assert container.wait() == 5


def test_closing_the_master_hangs_up(runtime, bundle, console, terminals):
    container, terminal = created(runtime, bundle, console, terminals, "trap 'exit 6' HUP; echo ready; while :; do sleep 0.02; done")
    container.start()
    terminal.read_until("ready")
    terminal.close()
    assert container.wait() == 6


def test_the_terminal_translates_line_ends_as_a_terminal_does(runtime, bundle, console, terminals):
    container, terminal = created(runtime, bundle, console, terminals, "printf 'a\\nb\\n'")
    container.start()
    container.wait()
    # Whether \n becomes \r\n is up to the terminal's flags, which runtimes set differently; no byte may be lost.
    assert terminal.read_all().replace("\r", "") == "a\nb\n"


# -- refused

def test_a_terminal_without_a_socket_cannot_be_detached(runtime, bundle):
    with_terminal(bundle, "true").write()
    runtime.refuses("create", "-b", bundle.folder, runtime.new_id())


def test_run_detach_with_a_terminal_needs_a_socket(runtime, bundle):
    with_terminal(bundle, "true").write()
    runtime.refuses("run", "--detach", "-b", bundle.folder, runtime.new_id())


def test_a_socket_without_a_terminal_is_refused(runtime, bundle, console):
    runtime.refuses("create", "-b", bundle.write().folder, "--console-socket", console.path, runtime.new_id())


def test_a_socket_that_is_not_there_is_refused(runtime, bundle, workspace):
    with_terminal(bundle, "true").write()
    path = workspace / "nosuch"
    result = runtime.refuses("create", "-b", bundle.folder, "--console-socket", path, runtime.new_id())
    assert str(path) in result.stderr


# -- the caller's own terminal

def run_in(own, runtime, bundle, script, **keywords):
    return runtime.spawn_run(with_terminal(bundle, script), **own.options(), **keywords)


def test_run_joins_the_callers_terminal(own, runtime, bundle):
    command, _ = run_in(own, runtime, bundle, "tty; read line; echo got $line; exit 4")
    own.terminal.read_until("/dev/pts/0")
    own.terminal.write("input\n")
    own.terminal.read_until("got input")
    assert command.result().code == 4


def test_run_is_interactive(own, runtime, bundle):
    bundle.process["terminal"] = True
    command, _ = runtime.spawn_run(bundle.args("/bin/sh"), **own.options())
    own.terminal.read_until("# ")
    own.terminal.write("echo $((6 * 7))\n")
    own.terminal.read_until("42")
    own.terminal.write("exit 8\n")
    assert command.result().code == 8


def test_run_starts_with_the_callers_window_size(own, runtime, bundle):
    own.terminal.size = (35, 101)
    command, _ = run_in(own, runtime, bundle, "sleep 0.2; stty size")
    own.terminal.read_until("35 101")
    assert command.result().code == 0


def test_run_follows_a_change_of_the_window(own, runtime, bundle):
    script = "trap 'stty size' WINCH; trap 'exit 0' TERM; sleep 0.2; echo ready; while :; do sleep 0.02; done"
    command, _ = run_in(own, runtime, bundle, script)
    own.terminal.read_until("ready")
    own.terminal.size = (45, 121)
    own.terminal.read_until("45 121")
    command.signal(signal.SIGTERM)
    assert command.result().code == 0


def test_control_c_goes_to_the_container_and_not_to_run(own, runtime, bundle):
    command, _ = run_in(own, runtime, bundle, "trap 'echo interrupted' INT; echo ready; sleep 0.5; exit 3")
    own.terminal.read_until("ready")
    own.terminal.write("\x03")
    own.terminal.read_until("interrupted")
    assert command.result().code == 3


def test_control_d_ends_the_input(own, runtime, bundle):
    command, _ = run_in(own, runtime, bundle, "echo ready; cat; echo over")
    own.terminal.read_until("ready")
    own.terminal.write("line\n\x04")
    own.terminal.read_until("over")
    assert command.result().code == 0


def test_the_callers_terminal_gets_its_attributes_back(own, runtime, bundle):
    before = own.attributes()
    command, _ = run_in(own, runtime, bundle, "echo over")
    own.terminal.read_until("over")
    command.result()
    assert own.attributes() == before


def test_no_output_is_lost_at_the_end(own, runtime, bundle):
    command, _ = run_in(own, runtime, bundle, "seq 1 5000")
    own.terminal.read_until("5000")
    command.result()
    assert [int(line) for line in own.terminal.seen.split()] == list(range(1, 5001))


@pytest.fixture(params=["pipe", "terminal"])
def unread(request):
    """A standard output whose reader takes its time."""
    reader, writer = os.pipe() if request.param == "pipe" else pty.openpty()
    yield writer
    os.close(reader)
    os.close(writer)


def written(command):
    return int(Path(f"/proc/{command.pid}/io").read_text().split("wchar: ")[1].split()[0])


def is_stuck(command):
    before = written(command)
    time.sleep(0.2)
    return written(command) == before > 10000


@pytest.mark.kiste_only("runc waits for the output's reader after all, crun passes nothing on")
def test_a_signal_reaches_the_container_while_nobody_reads_its_output(own, runtime, bundle, unread):
    bundle = with_terminal(bundle, "trap 'exit 9' TERM; yes & wait")
    command, container = runtime.spawn_run(bundle, **{**own.options(), "stdout": unread})
    eventually(lambda: is_stuck(command), "the output's reader is waited for")
    command.signal(signal.SIGTERM)
    eventually(lambda: process_state(container.pid) in ("", "Z"), "the signal arrives")
    eventually(lambda: command.signal(signal.SIGTERM) or not command.running, "what is left of the output is given up")
    assert command.result().code == 9


def test_exec_joins_the_callers_terminal(own, runtime, bundle):
    container = runtime.run_detached(bundle.sleeps())
    command = container.spawn_exec("/bin/sh", "-c", "tty; read line; echo got $line; exit 4", options=["-t"], **own.options())
    own.terminal.read_until("/dev/pts/0")
    own.terminal.write("input\n")
    own.terminal.read_until("got input")
    assert command.result().code == 4


def test_a_terminal_in_a_pipeline_is_given_or_refused_in_words(runtime, bundle):
    """The caller has no terminal to join. runc refuses, others give the container one and copy its output."""
    result = runtime.run(with_terminal(bundle, "[ -t 0 ] && echo terminal"))
    if result.code == 0:
        assert result.stdout.split() == ["terminal"]
    else:
        runtime.check_refusal(result)
