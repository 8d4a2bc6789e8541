# SPDX-License-Identifier: Apache-2.0
"""--pidfd-socket of create, run and exec: a descriptor of the process for who asked for it."""

import os
import re
import signal
import socket

import pytest

from deadline import PATIENCE

pytestmark = pytest.mark.kiste_only("runc has it since 1.2, crun has not")


class Receiver:
    def __init__(self, path):
        self.path = path
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        self.listener.settimeout(PATIENCE)

    def receive(self):
        """The word and the descriptor's process."""
        with self.listener.accept()[0] as connection:
            word, descriptors, _, _ = socket.recv_fds(connection, 100, 2)
        assert len(descriptors) == 1
        self.pidfd = descriptors[0]
        with open(f"/proc/self/fdinfo/{self.pidfd}") as file:
            pid = int(re.search(r"^Pid:\t(-?\d+)$", file.read(), re.MULTILINE)[1])
        return word.decode(), pid


@pytest.fixture
def receiver(workspace):
    receiver = Receiver(workspace / "pidfd.sock")
    yield receiver
    receiver.listener.close()
    if hasattr(receiver, "pidfd"):
        os.close(receiver.pidfd)


@pytest.mark.parametrize("make", ["create", "run_detached"])
def test_a_new_container_is_handed_over(runtime, bundle, receiver, make):
    container = getattr(runtime, make)(bundle.sleeps(), "--pidfd-socket", receiver.path)
    assert receiver.receive() == ("standard", container.pid)
    signal.pidfd_send_signal(receiver.pidfd, signal.SIGKILL)
    container.wait()
    container.delete()


def test_an_exec_is_handed_over(runtime, bundle, workspace, receiver):
    container = runtime.run_detached(bundle.sleeps())
    pid_file = workspace / "exec.pid"
    options = ("--detach", "--pid-file", pid_file, "--pidfd-socket", receiver.path)
    container.exec_ok("/bin/sleep", "1000", options=options)
    assert receiver.receive() == ("setns", int(pid_file.read_text()))
    container.end()


@pytest.mark.parametrize("command", ["create", "run"])
def test_nobody_at_the_socket_is_an_error_that_leaves_nothing(runtime, bundle, workspace, command):
    result = runtime.refuses(command, "--bundle", bundle.sleeps().write().folder, "--pidfd-socket", workspace / "none", runtime.new_id())
    assert "--pidfd-socket" in result.stderr
