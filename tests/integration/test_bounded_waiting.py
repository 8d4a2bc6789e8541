# SPDX-License-Identifier: Apache-2.0
"""No command waits for ever on another process: stopped, frozen, holding the lock, accepting nothing. kiste-oci's --timeout is
how long it waits; what it promises is in docs/waiting.md. Every test here would hang, not fail, where a bound is missing.
"""

import fcntl
import os
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

import cgroups
import kernel
from deadline import SLOWNESS, eventually
from host_state import process_state
from runtime import Command

pytestmark = pytest.mark.kiste_only("it has no --timeout, and waits without one")

BOUND = ["--timeout", "2"]
AT_MOST = 8.0  # seconds: the bound, what SIGKILL is granted, and a slow machine


@pytest.fixture(autouse=True)
def needs_root():
    kernel.require_root("freezing and stopping is tried on containers that root started")


@pytest.fixture
def hurried(runtime):
    runtime.options += BOUND
    return runtime


def in_time(deed, at_most=AT_MOST):
    begin = time.monotonic()
    result = deed()
    assert time.monotonic() - begin < at_most * SLOWNESS, f"took {time.monotonic() - begin:.1f} s: {result}"
    return result


class Stopped:
    """A process that does nothing while this lasts."""

    def __init__(self, pid):
        self.pid = pid

    def __enter__(self):
        os.kill(self.pid, signal.SIGSTOP)
        eventually(lambda: process_state(self.pid) in "Tt", f"{self.pid} stops")

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGCONT)


class Locked:
    """Another command's lock on the container."""

    def __init__(self, runtime, container_id):
        self.folder = runtime.state_folder / container_id

    def __enter__(self):
        self.descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self.descriptor, fcntl.LOCK_EX)

    def __exit__(self, *_):
        os.close(self.descriptor)


def freeze_file(folder):
    return (folder / "cgroup.freeze", "1", "0") if (folder / "cgroup.freeze").exists() else (folder / "freezer.state", "FROZEN", "THAWED")


def freezer_of(pid):
    return cgroups.ProcessCgroups(pid).folder("freezer" if cgroups.layout() != "v2" else "pids")


# -- a process that is stopped

def test_start_of_a_stopped_process_fails_and_starts_nothing(hurried, bundle):
    container = hurried.create(bundle.sh("echo started; sleep 1000"))
    with Stopped(container.pid):
        result = in_time(lambda: hurried.refuses("start", container.id))
        assert "does not answer" in result.stderr
    time.sleep(0.3)
    assert container.status == "created" and container.output == "", "a start that failed must not happen later"
    container.start()
    container.says("started")


@pytest.mark.kiste_only("its start waits as long as the process is stopped")
def test_start_that_gives_up_while_its_hooks_run_starts_nothing_either(hurried, bundle):
    bundle.hook("startContainer", "/bin/sh", "-c", "sleep 1", timeout=2)
    container = hurried.create(bundle.sh("echo started; sleep 1000"))
    start = hurried.spawn("start", container.id)
    time.sleep(0.5)
    with Stopped(container.pid):
        result = in_time(start.result, 12)
        assert result.code != 0 and "does not answer" in result.stderr and "nothing was started" in result.stderr
    container.wait_stopped()
    assert container.output == ""


def test_start_with_a_service_manager_may_be_tried_again(hurried, bundle, workspace):
    bundle.own_rootfs()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(workspace / "manager"))
        environment = {**os.environ, "NOTIFY_SOCKET": str(workspace / "manager")}
        container = hurried.create(bundle.args("/bin/true"), env=environment)
        with Stopped(container.pid):
            in_time(lambda: hurried.refuses("start", container.id, env=environment))
        eventually(lambda: container.status == "created", "the container is as it was")
        hurried.ok("start", container.id, env=environment)
    container.wait_stopped()


def test_looking_at_a_stopped_process_never_waits(hurried, bundle):
    container = hurried.create(bundle.sleeps())
    with Stopped(container.pid):
        for _ in range(20):  # more than the socket's queue holds
            assert in_time(lambda: container.status, 3) == "created"
        in_time(lambda: hurried.refuses("start", container.id))
    eventually(lambda: container.status == "created", "the container is as it was")
    container.start()


@pytest.mark.parametrize("command", [["kill", "{}", "KILL"], ["delete", "--force", "{}"], ["delete", "{}"]], ids=["kill", "delete-force", "delete"])
def test_a_stopped_process_can_be_ended(hurried, bundle, command):
    container = hurried.create(bundle.sleeps())
    os.kill(container.pid, signal.SIGSTOP)
    in_time(lambda: hurried.ok(*[word.format(container.id) for word in command]))
    container.wait_stopped()


def test_create_whose_process_is_stopped_fails_and_leaves_nothing(hurried, bundle):
    """Without a pid namespace a hook can stop the process that it is a child of."""
    bundle.without_namespace("pid").hook("createContainer", "/bin/sh", "-c", "kill -STOP $PPID", env=["PATH=/bin:/usr/bin"], timeout=1)
    result = in_time(lambda: hurried.refuses("create", "--bundle", bundle.write().folder, hurried.new_id()), 12)
    assert "does not answer" in result.stderr and "stopped" in result.stderr


# -- a process that has ended and is traced

class Withheld:
    """A tracer keeps the end of a process from its parent while this lasts."""

    def __init__(self, runtime, probe, pid):
        self.runtime, self.arguments = runtime, [probe, "withhold", pid]

    def __enter__(self):
        self.tracer = Command(self.runtime, self.arguments)
        eventually(lambda: "ready" in self.tracer.stdout_file.read_text(), "the tracer has it")

    def __exit__(self, *_):
        self.tracer.end()


def test_run_ends_though_the_exit_of_its_process_is_withheld(hurried, bundle, probe):
    command, container = hurried.spawn_run(bundle.sleeps())
    with Withheld(hurried, probe, container.pid):
        os.kill(container.pid, signal.SIGKILL)
        result = in_time(command.result)
        hurried.check_refusal(result)
        assert "withheld" in result.stderr and str(container.pid) in result.stderr
        hurried.refuses("state", container.id)


def test_exec_ends_though_the_exit_of_its_process_is_withheld(hurried, bundle, probe, workspace):
    container = hurried.run_detached(bundle.sleeps())
    file = workspace / "pid"
    command = container.spawn_exec("/bin/sleep", "1000", options=["--pid-file", file])
    pid = int(eventually(lambda: file.exists() and file.read_text(), "exec has written the pid"))
    with Withheld(hurried, probe, pid):
        os.kill(pid, signal.SIGKILL)
        result = in_time(command.result)
        hurried.check_refusal(result, code=255)
        assert "withheld" in result.stderr
    assert container.status == "running"


@pytest.mark.parametrize("kind", ["createRuntime", "createContainer"])
def test_a_hook_whose_exit_is_withheld_has_failed(hurried, bundle, probe, workspace, kind):
    file = workspace / "pid"
    bundle.without_namespace("pid").hook(kind, "/bin/sh", "-c", f"echo $$ >{file}; exec sleep 1000", env=["PATH=/bin:/usr/bin"])
    create = hurried.spawn("create", "--bundle", bundle.write().folder, hurried.new_id())
    pid = int(eventually(lambda: file.exists() and file.read_text(), "the hook runs"))
    with Withheld(hurried, probe, pid):
        os.kill(pid, signal.SIGKILL)
        result = in_time(create.result)
        hurried.check_refusal(result)
        assert f"hooks.{kind}" in result.stderr and "withheld" in result.stderr


# -- the lock held by a process that does nothing

@pytest.mark.parametrize("command", ["start", "pause", "resume", "delete"])
def test_a_command_whose_lock_another_one_holds_says_so(hurried, bundle, command):
    container = hurried.create(bundle.sleeps())
    with Locked(hurried, container.id):
        result = in_time(lambda: hurried.refuses(command, container.id))
        assert "busy" in result.stderr and container.id in result.stderr
    assert container.status == "created"


def test_what_needs_no_lock_works_while_another_command_holds_it(hurried, bundle):
    container = hurried.run_detached(bundle.sleeps())
    with Locked(hurried, container.id):
        assert in_time(lambda: container.status) == "running"
        in_time(lambda: container.exec_ok("/bin/true"))
        in_time(lambda: hurried.refuses("create", "--bundle", bundle.folder, container.id))
        in_time(lambda: container.kill("KILL"))
    container.wait_stopped()


def test_delete_force_kills_even_while_another_command_holds_the_lock(hurried, bundle):
    container = hurried.run_detached(bundle.sleeps())
    with Locked(hurried, container.id):
        in_time(lambda: hurried.refuses("delete", "--force", container.id))
        container.wait_stopped()
    container.delete("--force")


def test_a_container_of_a_foreground_run_can_be_paused_and_deleted(hurried, bundle):
    command, container = hurried.spawn_run(bundle.sh("echo up; sleep 1000"))
    container.says("up")
    hurried.ok("pause", container.id)
    hurried.ok("resume", container.id)
    in_time(lambda: hurried.ok("delete", "--force", container.id))
    assert command.result().code == 137


# -- frozen from outside

def test_exec_into_a_container_that_stays_frozen_ends(hurried, bundle):
    container = hurried.run_detached(bundle.sleeps())
    hurried.ok("pause", container.id)
    result = in_time(lambda: hurried("exec", "--ignore-paused", container.id, "/bin/true"))
    assert result.code == 255 and result.stderr, str(result)
    hurried.ok("resume", container.id)
    eventually(lambda: len(hurried.ok("ps", "--format", "json", container.id).stdout.split(",")) == 1, "nothing of the exec is left")


def test_delete_force_wins_against_somebody_who_freezes_again_and_again(hurried, bundle):
    container = hurried.run_detached(bundle.sleeps())
    file, frozen, _ = freeze_file(freezer_of(container.pid))
    over = threading.Event()

    def freeze():
        while not over.wait(0.001):
            try:
                file.write_text(frozen)
            except OSError:
                return  # it is gone

    thread = threading.Thread(target=freeze)
    thread.start()
    try:
        in_time(lambda: hurried.ok("delete", "--force", container.id), 12)
    finally:
        over.set()
        thread.join()


def test_delete_below_a_frozen_cgroup_ends_with_words(hurried, bundle, host):
    """On v1 nothing dies while a cgroup above it is frozen."""
    cgroups.require_v1("on v2 a frozen process can be killed")
    parent = f"/{host.new_name()}"
    bundle.linux["cgroupsPath"] = f"{parent}/container"
    container = hurried.run_detached(bundle.sleeps())
    above = freezer_of(container.pid).parent
    try:
        (above / "freezer.state").write_text("FROZEN")
        result = in_time(lambda: hurried.refuses("delete", "--force", container.id), 20)
        assert "did not end" in result.stderr
    finally:
        (above / "freezer.state").write_text("THAWED")
    container.wait_stopped()
    container.delete("--force")
    for _, mounted in cgroups.hierarchies():
        if (mounted / parent.strip("/")).is_dir():
            (mounted / parent.strip("/")).rmdir()


# -- sockets and files of the caller

def test_a_console_socket_that_nobody_accepts(hurried, bundle, workspace):
    path = workspace / "console"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(0)
        waiting = []
        for _ in range(8):  # until its queue is full
            one = socket.socket(socket.AF_UNIX)
            one.setblocking(False)
            waiting.append(one)
            try:
                one.connect(str(path))
            except BlockingIOError:
                break
        bundle.process["terminal"] = True
        result = in_time(lambda: hurried.refuses("create", "--bundle", bundle.write().folder, "--console-socket", path, hurried.new_id()))
        assert "--console-socket" in result.stderr and "accepts" in result.stderr
        for one in waiting:
            one.close()


def test_a_log_that_is_a_fifo_without_a_reader(hurried, workspace):
    os.mkfifo(workspace / "log")
    in_time(lambda: hurried("--log", workspace / "log", "list"), 3)


def test_a_hook_that_does_not_end_is_killed_in_time(hurried, bundle):
    bundle.hook("createRuntime", "/bin/sh", "-c", "exec sleep 1000", env=["PATH=/bin:/usr/bin"], timeout=1)
    result = in_time(lambda: hurried.refuses("create", "--bundle", bundle.write().folder, hurried.new_id()))
    assert "timeout" in result.stderr


@pytest.mark.parametrize("value", ["0", "x", "-1", "1000000"])
def test_a_timeout_that_is_none_is_refused(runtime, value):
    assert "--timeout" in runtime.refuses("--timeout", value, "list").stderr


# -- the launcher's file

@pytest.mark.parametrize("setting", ["1", "2"])
def test_create_works_where_memory_files_may_not_be_executed(runtime, bundle, setting):
    """vm.memfd_noexec belongs to a pid namespace and can only rise: it is set in one of this test's own."""
    if not Path("/proc/sys/vm/memfd_noexec").exists():
        pytest.skip("this kernel has no vm.memfd_noexec (Linux 6.3)")
    script = f'echo {setting} >/proc/sys/vm/memfd_noexec && exec "$@"'
    inside = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", script, "sh"]
    result = runtime.run(bundle.sh("echo works"), prefix=inside)
    assert (result.code, result.stdout) == (0, "works\n"), str(result)


def test_exec_gives_up_a_process_object_that_does_not_come(hurried, bundle, workspace):
    container = hurried.run_detached(bundle.sleeps())
    fifo = workspace / "fifo"
    os.mkfifo(fifo)
    result = in_time(lambda: hurried("exec", "--process", fifo, container.id))
    hurried.check_refusal(result, code=255)
    assert "--process" in result.stderr and str(fifo) in result.stderr
