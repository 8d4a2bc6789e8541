# SPDX-License-Identifier: Apache-2.0
"""A container as a service: what a manager like systemd passes to it (LISTEN_FDS, sd_listen_fds(3)) and hears from it
(NOTIFY_SOCKET, sd_notify(3)). The manager here is a socket of this test."""

import array
import json
import os
import signal
import socket
import time

import pytest

import kernel
from deadline import PATIENCE, eventually


class Manager:
    """Listens where NOTIFY_SOCKET says; a descriptor that comes with BARRIER=1 is closed at once, as systemd does: who sent it
    knows by that that all before it was heard. runc 1.1.5 does not ask."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.socket.settimeout(PATIENCE)
        self.environment = {**os.environ, "NOTIFY_SOCKET": address}
        self.barriers = 0

    def hear(self):
        text = self.receive()
        while text == "BARRIER=1":
            self.barriers += 1
            text = self.receive()
        return text

    def receive(self):
        text, ancillary, _, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(4))
        for _, _, data in ancillary:
            for descriptor in array.array("i", data):
                os.close(descriptor)
        return text.decode().strip()

    def silent(self):
        self.socket.settimeout(0.3)
        try:
            return self.hear() is None
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(PATIENCE)


@pytest.fixture(params=["path", "abstract"])
def manager(request, workspace, host):
    manager = Manager(str(workspace / "manager") if request.param == "path" else "@" + host.new_name())
    yield manager
    manager.socket.close()


# Runc 1.1.5 looks at the beginning of a datagram only.
READY_LATER = pytest.param("MAINPID=1\nREADY=1\nFDSTORE=1", marks=pytest.mark.kiste_only("1.1.5 hears READY only where a message begins with it"), id="later")


@pytest.fixture(params=[pytest.param("READY=1\nFDSTORE=1", id="first"), READY_LATER])
def service(bundle, probe, request):
    """A container that says READY when there is a file /go, with more that must not be passed on, and stays."""
    bundle.add_program(probe)
    return bundle.sh(f"until [ -e /go ]; do sleep 0.05; done; /probe notify 'STATUS=here' '{request.param}'; exec sleep 1000")


def go(bundle):
    (bundle.rootfs / "go").touch()


def test_start_waits_until_the_container_is_ready(runtime, service, manager):
    container = runtime.create(service, env=manager.environment)
    start = runtime.spawn("start", container.id, env=manager.environment)
    assert manager.silent() and start.running
    assert container.status == "running", "others can look at it meanwhile"
    go(service)
    assert [manager.hear(), manager.hear()] == ["READY=1", f"MAINPID={container.pid}"]
    assert manager.silent()
    assert start.result().code == 0
    assert manager.barriers == 1 or not runtime.is_kiste
    container.end()


def test_run_detached_waits_until_the_container_is_ready(runtime, service, manager):
    go(service)
    container_id = runtime.new_id()
    command = runtime.spawn("run", "--detach", "--bundle", service.write().folder, container_id, env=manager.environment)
    heard = [manager.hear() for _ in range(2)]
    assert manager.silent() and command.result().code == 0
    pid = json.loads(runtime.ok("state", container_id).stdout)["pid"]
    assert heard == ["READY=1", f"MAINPID={pid}"]
    runtime.ok("delete", "--force", container_id)


@pytest.mark.kiste_only("runc 1.1.5 passes no signal on before READY, and names itself by a thread's number")
def test_run_in_the_foreground_names_itself(runtime, service, manager):
    command, container = runtime.spawn_run(service, env=manager.environment)
    assert container.pid and manager.silent()
    go(service)
    assert [manager.hear(), manager.hear()] == ["READY=1", f"MAINPID={command.pid}"]
    container.kill("KILL")
    assert command.result().code == 137


def test_a_container_that_ends_without_being_ready_ends_the_wait(runtime, bundle, manager):
    bundle.own_rootfs()
    container = runtime.create(bundle.args("/bin/true"), env=manager.environment)
    before = time.monotonic()
    assert runtime("start", container.id, env=manager.environment).code == 0
    assert time.monotonic() - before < PATIENCE and manager.silent()
    container.wait_stopped().delete()


SPEAKS_WITHOUT_END = "words=$(seq 5000); for n in 1 2 3 4; do (while :; do /probe notify $words; done) & done; sleep 0.5"


@pytest.mark.kiste_only("runc 1.1.5 and crun 1.8 wait on until that process is reaped")
@pytest.mark.parametrize("command", ["start", "run"])
def test_the_end_of_the_first_process_ends_the_wait_whoever_goes_on_talking(runtime, bundle, probe, manager, command):
    kernel.require_root("a new proc needs a pid namespace")
    bundle.add_program(probe).without_namespace("pid").sh(SPEAKS_WITHOUT_END)
    if command == "start":
        container = runtime.create(bundle, env=manager.environment)
        runtime.ok("start", container.id, env=manager.environment)
    else:
        container = runtime.run_detached(bundle, env=manager.environment)
    container.wait_stopped().delete("--force")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_ends_the_wait_and_not_the_container(runtime, service, manager, number):
    container = runtime.create(service, env=manager.environment)
    # Who runs the tests in the background may ignore SIGINT, and so would the command.
    heed = ["env", "--default-signal=INT,TERM"]
    start = runtime.spawn("start", container.id, env=manager.environment, prefix=heed)
    eventually(lambda: container.status == "running", "the container runs")
    start.signal(number)
    assert start.result().code != 0 and container.status == "running"
    container.end()


def test_the_socket_is_where_the_variable_says_and_cannot_be_replaced(runtime, bundle, manager):
    bundle.own_rootfs()
    container = runtime.create(bundle.sh("echo $NOTIFY_SOCKET; test -S $NOTIFY_SOCKET && echo socket; rm $NOTIFY_SOCKET || echo kept"), env=manager.environment)
    assert runtime("start", container.id, env=manager.environment).code == 0
    container.wait_stopped()
    assert container.result.lines[:2] == ["/run/notify/notify.sock", "socket"] and "kept" in container.output
    container.delete()


def test_without_a_manager_there_is_no_socket(runtime, bundle):
    environment = {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}
    assert "NOTIFY" not in runtime.run(bundle.args("/bin/env"), env=environment).stdout


def hand_over(descriptor, count, *extra, to="$$"):
    """Runs with `descriptor` as number 3 and on, as a manager does before execve; `to` is the process that they are for."""
    move = "; ".join(f"exec {number}<&{descriptor}" for number in range(3, 3 + count) if number != descriptor)
    return {"env": {**os.environ, "LISTEN_FDS": str(count), **dict(extra)}, "pass_fds": (descriptor,),
            "prefix": ("bash", "-c", f'{move or ":"}; export LISTEN_PID={to}; exec "$@"', "manager")}


@pytest.fixture
def listener(workspace):
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(workspace / "service"))
        listening.listen()
        yield listening


SEE_DESCRIPTORS = "env; readlink /proc/self/fd/3; readlink /proc/self/fd/4"


def test_a_socket_of_the_manager_is_the_containers(runtime, bundle, listener):
    result = runtime.run(bundle.sh(f"{SEE_DESCRIPTORS}; true"), **hand_over(listener.fileno(), 2))
    assert result.code == 0, result
    assert {"LISTEN_FDS=2", "LISTEN_PID=1"} <= set(result.lines), result
    assert sum(line.startswith("socket:") for line in result.lines) == 2, result


@pytest.mark.kiste_only("1.1.5 leaves them behind")
def test_the_names_of_sockets_are_handed_over(runtime, bundle, listener):
    result = runtime.run(bundle.args("/bin/env"), **hand_over(listener.fileno(), 2, ("LISTEN_FDNAMES", "a:b")))
    assert "LISTEN_FDNAMES=a:b" in result.lines, result


@pytest.mark.parametrize("whose", ["1", "", "x"])
def test_a_socket_for_another_process_is_not_the_containers(runtime, bundle, listener, whose):
    """As sd_listen_fds(3) says: LISTEN_PID is whose they are."""
    result = runtime.run(bundle.sh(f"{SEE_DESCRIPTORS}; true"), **hand_over(listener.fileno(), 2, to=whose))
    assert result.code == 0 and "LISTEN_" not in result.stdout and "socket:" not in result.stdout, result


def test_a_connection_from_outside_is_served_inside(runtime, bundle, listener, probe):
    bundle.add_program(probe)
    container = runtime.run_detached(bundle.args("/probe", "serve", "3"), **hand_over(listener.fileno(), 1))
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE)
        client.connect(listener.getsockname())
        assert client.recv(100) == b"from inside\n"
    container.wait()
    container.delete()
