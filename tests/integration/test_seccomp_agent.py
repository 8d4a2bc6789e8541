# SPDX-License-Identifier: Apache-2.0
"""SCMP_ACT_NOTIFY with a real agent (config-linux.md, "Seccomp", seccomp_unotify(2)): it listens on listenerPath, gets the
container process state and the descriptor of the filter, and answers mkdir(2): a path below /magic does not exist, one below
/done has been made, all the rest goes on in the kernel."""

import array
import errno
import fcntl
import json
import os
import platform
import select
import socket
import struct
import threading

import pytest

import kernel
from deadline import PATIENCE, eventually

RECEIVE, SEND = 0xC0502100, 0xC0182101  # SECCOMP_IOCTL_NOTIF_RECV, SECCOMP_IOCTL_NOTIF_SEND
CONTINUE = 1  # SECCOMP_USER_NOTIF_FLAG_CONTINUE
MKDIR, MKDIRAT = 83, 258

pytestmark = [pytest.mark.skipif(platform.machine() != "x86_64", reason="the agent knows the system calls of x86-64"),
              pytest.mark.skipif(not kernel.is_root(), reason="the agent reads the memory of root's processes")]


class Agent(threading.Thread):
    """Serves every filter that is sent to it."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path, self.states, self.asked, self.wrong = path, [], [], []
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(path))
        self.socket.listen()
        self.stop, self.stopped = os.pipe()

    def run(self):
        poll, filters = select.poll(), set()
        for descriptor in (self.socket.fileno(), self.stop):
            poll.register(descriptor, select.POLLIN)
        try:
            while True:
                for descriptor, event in poll.poll(PATIENCE * 1000):
                    if descriptor == self.stop:
                        return
                    if descriptor == self.socket.fileno():
                        filters.add(self.take(poll))
                    elif event & select.POLLIN:
                        self.answer(descriptor)
                    else:  # the last process with this filter is gone
                        poll.unregister(descriptor)
        except Exception as error:  # pylint: disable=broad-except  # told by the test
            self.wrong.append(repr(error))
        finally:
            for descriptor in filters:
                os.close(descriptor)

    def take(self, poll):
        connection, _ = self.socket.accept()
        with connection:
            text, ancillary, _, _ = connection.recvmsg(1 << 16, socket.CMSG_SPACE(8))
        received = [number for _, _, data in ancillary for number in array.array("i", data)]
        self.states.append(json.loads(text))
        if self.states[-1]["fds"] != ["seccompFd"] or len(received) != 1:
            self.wrong.append(f"descriptors {received} for {self.states[-1]['fds']}")
        poll.register(received[0], select.POLLIN)
        return received[0]

    def answer(self, descriptor):
        request = bytearray(80)
        try:
            fcntl.ioctl(descriptor, RECEIVE, request)
        except FileNotFoundError:
            return  # the caller was killed meanwhile
        number, pid, _, call, _, _, *arguments = struct.unpack("QIIiIQ6Q", request)
        path = self.text(pid, arguments[0 if call == MKDIR else 1])
        self.asked.append((call in (MKDIR, MKDIRAT), path))
        if path.startswith("/magic"):
            outcome = (0, -errno.ENOENT, 0)
        elif path.startswith("/done"):
            outcome = (0, 0, 0)
        else:
            outcome = (0, 0, CONTINUE)
        fcntl.ioctl(descriptor, SEND, struct.pack("QqiI", number, *outcome))

    @staticmethod
    def text(pid, address):
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            memory.seek(address)
            return memory.read(64).split(b"\0")[0].decode()

    def end(self):
        os.write(self.stopped, b"x")
        self.join(PATIENCE)
        self.socket.close()
        os.close(self.stop)
        os.close(self.stopped)
        assert not self.wrong


@pytest.fixture
def agent(workspace):
    agent = Agent(workspace / "agent")
    agent.start()
    yield agent
    agent.end()


@pytest.fixture
def watched(bundle, agent):
    bundle.own_rootfs()
    bundle.linux["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW", "listenerPath": str(agent.path), "listenerMetadata": "from the config",
        "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_NOTIFY"}]}
    return bundle


SCRIPT = "mkdir /magic 2>&1; mkdir /done && test ! -e /done && echo answered; mkdir /plain && test -d /plain && echo went on"


@pytest.mark.parametrize("nnp", [True, False])
def test_the_agent_answers_for_the_kernel(runtime, watched, agent, nnp):
    watched.process["noNewPrivileges"] = nnp
    lines = runtime.run(watched.sh(SCRIPT)).lines
    assert "No such file" in lines[0] and lines[1:] == ["answered", "went on"]
    assert agent.asked == [(True, "/magic"), (True, "/done"), (True, "/plain")]


def test_the_agent_gets_the_container_process_state(runtime, watched, agent):
    watched.spec["annotations"] = {"org.test": "yes"}
    container = runtime.run_detached(watched.sleeps())
    eventually(lambda: agent.states, "the agent hears of the container")
    state = agent.states[0]
    assert state["ociVersion"] and state["fds"] == ["seccompFd"] and state["metadata"] == "from the config"
    assert state["pid"] == container.pid
    inner = state["state"]
    assert (inner["id"], inner["bundle"], inner["pid"]) == (container.id, str(watched.folder), container.pid)
    assert inner["status"] == "creating" and inner["annotations"]["org.test"] == "yes"
    container.end()


def test_an_exec_has_a_filter_of_its_own_and_says_so(runtime, watched, agent):
    container = runtime.run_detached(watched.sleeps())
    assert container.exec("/bin/mkdir", "/magic").code == 1
    assert (True, "/magic") in agent.asked and len(agent.states) == 2
    second = agent.states[1]
    assert second["metadata"] == "from the config" and second["state"]["status"] == "running"
    assert second["pid"] != container.pid and second["state"]["pid"] == container.pid
    container.end()


def test_create_and_start_wait_for_no_answer(runtime, watched, agent):
    container = runtime.create(watched.sh(SCRIPT))
    container.start()
    container.says("went on").wait_stopped().delete()


def test_an_agent_that_is_not_there_is_refused(runtime, watched, workspace):
    watched.linux["seccomp"]["listenerPath"] = str(workspace / "nobody")
    runtime.refuses_to_run(watched, "linux.seccomp.listenerPath", "nobody")


@pytest.fixture(params=["there", "not there"])
def unasked(request, bundle, workspace):
    """No rule of this bundle's notifies: its listenerPath does not count, whether an agent listens or not."""
    bundle.linux["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW", "listenerPath": str(workspace / "idle"),
        "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}
    agent = None
    if request.param == "there":
        agent = socket.socket(socket.AF_UNIX)
        agent.bind(str(workspace / "idle"))
        agent.listen()
    yield bundle
    if agent:
        assert not select.select([agent], [], [], 0)[0], "the agent was called"
        agent.close()


def test_without_notify_no_agent_is_called_and_standard_input_stays(runtime, unasked):
    result = runtime.run(unasked.sh("mkdir /tmp/no 2>/dev/null || cat"), text="still here\n")
    assert (result.code, result.stdout) == (0, "still here\n"), result


def test_without_notify_an_exec_keeps_its_standard_input(runtime, unasked):
    container = runtime.run_detached(unasked.sleeps())
    assert container.exec_ok("/bin/cat", text="still here\n").stdout == "still here\n"
    container.end()


def test_notify_without_a_listener_is_refused(runtime, watched):
    del watched.linux["seccomp"]["listenerPath"]
    runtime.refuses_to_run(watched, "seccomp")
