# SPDX-License-Identifier: Apache-2.0
"""Both ends of a terminal: the master that a test holds, and the socket over which a runtime hands it out."""

import array
import fcntl
import os
import pty
import select
import socket
import struct
import termios
import time

import pytest

from deadline import PATIENCE


class Terminal:
    """The master of a pseudoterminal. What comes out of it is kept in `seen`."""

    def __init__(self, fd):
        self.fd, self.seen = fd, ""

    def write(self, text):
        os.write(self.fd, text.encode())

    def _read_some(self, wait):
        """False at the end: every slave is closed (EIO)."""
        if not select.select([self.fd], [], [], wait)[0]:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.seen += data.decode(errors="replace")
        return bool(data)

    def read_until(self, text, within=PATIENCE):
        end = time.monotonic() + within
        while text not in self.seen:
            if time.monotonic() > end or not self._read_some(0.05):
                if text in self.seen:
                    break
                pytest.fail(f"the terminal does not say {text!r}; it said {self.seen!r}")
        return self.seen

    def read_all(self, within=PATIENCE):
        end = time.monotonic() + within
        while self._read_some(0.05):
            if time.monotonic() > end:
                pytest.fail(f"the terminal does not close; it said {self.seen!r}")
        return self.seen

    @property
    def size(self):
        """(rows, columns)"""
        return struct.unpack("HHHH", fcntl.ioctl(self.fd, termios.TIOCGWINSZ, bytes(8)))[:2]

    @size.setter
    def size(self, size):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


class ConsoleSocket:
    """Where `--console-socket` sends the master of the container's terminal (SCM_RIGHTS, unix(7))."""

    def __init__(self, path):
        self.path = path
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.settimeout(PATIENCE)
        self.listener.bind(str(path))
        self.listener.listen(1)

    def receive(self):
        connection, _ = self.listener.accept()
        with connection:
            connection.settimeout(PATIENCE)
            room = array.array("i")
            self.message, ancillary, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(4 * room.itemsize))
            for level, kind, data in ancillary:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    room.frombytes(data[:len(data) - len(data) % room.itemsize])
        assert len(room) == 1, f"one descriptor should arrive, not {len(room)}"
        return Terminal(room[0])

    def close(self):
        self.listener.close()


class OwnTerminal:
    """A terminal for a command to be run in, as a shell's user would: options for `Runtime.spawn`, or Popen."""

    def __init__(self, rows=24, columns=80):
        master, self.slave = pty.openpty()
        self.terminal = Terminal(master)
        self.terminal.size = (rows, columns)

    def options(self):
        def become_session_leader():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        return {"stdin": self.slave, "stdout": self.slave, "stderr": self.slave, "preexec_fn": become_session_leader}

    def attributes(self):
        return termios.tcgetattr(self.slave)

    def close_slave(self):
        """Then reading ends with the command."""
        if self.slave >= 0:
            os.close(self.slave)
            self.slave = -1

    def close(self):
        self.close_slave()
        self.terminal.close()
