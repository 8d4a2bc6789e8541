# SPDX-License-Identifier: Apache-2.0
"""A program at a real terminal, as a person sits before it: types, reads, changes the window, presses Ctrl-C (pty(7))."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

import pytest

from deadline import SLOWNESS

PATIENCE = 15.0 * SLOWNESS
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")  # what readline sends to a terminal besides text


def set_window(terminal, rows, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


class PtySession:
    def __init__(self, command, host, rows=24, columns=80, **options):
        self.master, slave = pty.openpty()
        set_window(slave, rows, columns)

        # setsid makes it the leader of a session whose controlling terminal is the one on its standard input.
        self.host = host
        self.process = subprocess.Popen(["setsid", "--ctty", *command], stdin=slave, stdout=slave, stderr=slave, **options)
        os.close(slave)
        host.commands[self.process.pid] = self.process
        self.seen = ""  # all that came, without carriage returns
        self.read_to = 0  # how much of it was expected already
        self.prompt = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.host.commands.pop(self.process.pid, None)
        os.close(self.master)

    def send(self, text):
        os.write(self.master, text.encode())

    def line(self, text):
        self.send(text + "\n")

    def resize(self, rows, columns):
        """The kernel tells the foreground processes with SIGWINCH."""
        set_window(self.master, rows, columns)

    def _receive(self, seconds):
        """Whether anything came. EIO means that nobody has the other end open any more."""
        ready, _, _ = select.select([self.master], [], [], max(seconds, 0))
        if not ready:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.seen = ESCAPES.sub("", self.seen + data.decode(errors="replace").replace("\r", ""))
        return bool(data)

    def expect(self, pattern, timeout=PATIENCE):
        """Waits for the regular expression in what was not yet expected; returns its match."""
        end = time.monotonic() + timeout
        while True:
            found = re.compile(pattern, re.MULTILINE).search(self.seen, self.read_to)
            if found:
                self.read_to = found.end()
                return found
            if time.monotonic() > end or (not self._receive(min(0.2, end - time.monotonic())) and self._is_over()):
                pytest.fail(f"never came: {pattern!r}; since then came {self.seen[self.read_to:]!r}")

    def _is_over(self):
        return self.process.poll() is not None and not select.select([self.master], [], [], 0)[0]

    def ready(self, prompt):
        """Waits for a shell's prompt, which from then on ends each answer."""
        self.prompt = prompt
        self.expect(prompt)

    def ask(self, command, pattern):
        """Types a command and waits for its answer, and for the prompt if one is known: nobody types ahead. `pattern`
        must not match the command's echo."""
        self.line(command)
        found = self.expect(pattern)
        if self.prompt:
            self.expect(self.prompt)
        return found

    def begin(self, command):
        """Types a command that goes on, and waits until it has the terminal."""
        self.line(f"echo be''gun; {command}")
        self.expect(r"^begun$")
        self.pause(0.4)

    def pause(self, seconds):
        """Reads for that long, come what may."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._receive(end - time.monotonic())

    def keys(self, *keys):
        """Presses keys one by one, as slowly as podman needs it to recognise its detach keys."""
        for key in keys:
            self.send(key)
            self.pause(0.1)

    def wait(self, timeout=PATIENCE):
        """Reads to the end; the exit code."""
        end = time.monotonic() + timeout
        while self.process.poll() is None:
            if time.monotonic() > end:
                pytest.fail(f"still running after {timeout} s; wrote {self.seen!r}")
            self._receive(0.05)
        while self._receive(0.05):
            pass
        return self.process.returncode
