# SPDX-License-Identifier: Apache-2.0
"""The runtime under test as a command line, and a container made with it.

Standard output and error go to files, never to pipes: a container that lives on after `create` would keep a pipe open and
whoever reads it waiting. Every command has a time limit.
"""

import itertools
import json
import os
import select
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from deadline import PATIENCE, eventually
from host_state import process_state


@dataclass
class Result:
    """What became of one command. A container's later output arrives in the same files: it is read when asked for."""

    command: list
    code: int
    stdout_file: Path
    stderr_file: Path
    id: str = ""

    @property
    def stdout(self):
        return self.stdout_file.read_text(errors="replace")

    @property
    def stderr(self):
        return self.stderr_file.read_text(errors="replace")

    @property
    def lines(self):
        return self.stdout.splitlines()

    def __str__(self):
        return f"{' '.join(self.command)}\nexit code {self.code}\nstdout: {self.stdout}\nstderr: {self.stderr}"


class Command:
    """A command that is running."""

    def __init__(self, runtime, arguments, **options):
        number = next(runtime.serial)
        self.runtime, self.arguments = runtime, [str(argument) for argument in arguments]
        self.stdout_file = Path(options.pop("stdout_file", runtime.folder / f"{number}.out"))
        self.stderr_file = runtime.folder / f"{number}.err"
        options.setdefault("stdin", subprocess.DEVNULL)
        streams = {"stdout": options.pop("stdout", None) or self.stdout_file.open("wb"),
                   "stderr": options.pop("stderr", None) or self.stderr_file.open("wb")}
        for file in (self.stdout_file, self.stderr_file):
            file.touch()
        self.process = subprocess.Popen(self.arguments, **streams, **options)
        for stream in streams.values():
            if not isinstance(stream, int):
                stream.close()
        runtime.host.commands[self.process.pid] = self.process
        runtime.commands.append(self)

    @property
    def pid(self):
        return self.process.pid

    @property
    def running(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def result(self, text=None, timeout=PATIENCE):
        """Waits for the end; `text` goes to standard input when that is a pipe."""
        try:
            if self.process.stdin:
                self.process.communicate(text.encode() if isinstance(text, str) else text, timeout=timeout)
            else:
                self._wait(timeout)
        except subprocess.TimeoutExpired:
            self.end()
            late = Result(self.arguments, self.process.returncode, self.stdout_file, self.stderr_file)
            pytest.fail(f"still running after {timeout} s: {late}")
        self._forget()
        return Result(self.arguments, self.process.returncode, self.stdout_file, self.stderr_file)

    def _wait(self, timeout):
        """Popen.wait looks every now and then, up to 50 ms apart, which would be most of this suite's time."""
        descriptor = os.pidfd_open(self.pid) if self.running else None
        if descriptor is not None:
            select.select([descriptor], [], [], timeout)
            os.close(descriptor)
        self.process.wait(0.01)

    def end(self):
        if self.running:
            self.process.kill()
        self.process.wait()
        self._forget()

    def _forget(self):
        self.runtime.host.commands.pop(self.pid, None)


class Runtime:
    def __init__(self, program, folder, host):
        self.program, self.folder, self.host = str(program), Path(folder), host
        self.folder.mkdir(parents=True, exist_ok=True)
        self.state_folder = self.folder / "state"
        self.serial = itertools.count()
        self.commands = []
        self.ids = []
        self.options = ["--root", self.state_folder]  # global options for every command

    @property
    def name(self):
        return Path(self.program).name

    @property
    def is_kiste(self):
        return self.name.startswith("kiste")

    def spawn(self, *arguments, prefix=(), **options):
        """`prefix` is a command that executes the rest of its arguments."""
        return Command(self, [*prefix, self.program, *self.options, *arguments], **options)

    def __call__(self, *arguments, text=None, timeout=PATIENCE, **options):
        """Runs one command to its end. `text` is what standard input holds."""
        if text is not None:
            options["stdin"] = subprocess.PIPE
        return self.spawn(*arguments, **options).result(text, timeout)

    def ok(self, *arguments, **options):
        result = self(*arguments, **options)
        assert result.code == 0, f"should succeed: {result}"
        return result

    def refuses(self, *arguments, **options):
        """The command fails by its own decision: no signal, no crash, and some words on why."""
        result = self(*arguments, **options)
        self.check_refusal(result)
        return result

    def check_refusal(self, result, code=1):
        """kiste-oci promises more than its peers: one line, and exit code 1."""
        assert result.code > 0, f"should fail: {result}"
        assert result.code < 128 or result.code == 255, f"should not die of a signal: {result}"
        assert result.stderr.strip(), f"should say why: {result}"
        for word in ("panic:", "goroutine ", "terminate called", "Sanitizer"):
            assert word not in result.stderr, f"crashed: {result}"
        if self.is_kiste:
            assert result.code == code, f"should fail with {code}: {result}"
            assert len(result.stderr.strip().splitlines()) == 1, f"should say why in one line: {result}"

    def new_id(self):
        container_id = self.host.new_name()
        self.ids.append(container_id)
        return container_id

    # -- containers
    def run(self, bundle, *options, id=None, **keywords):
        """`run` in the foreground, to the end of the container."""
        id = id or self.new_id()
        result = self("run", "--bundle", bundle.write(id).folder, *options, id, **keywords)
        result.id = id
        return result

    def output_of(self, bundle, *options, **keywords):
        """What a container that must succeed writes."""
        result = self.run(bundle, *options, **keywords)
        assert result.code == 0, f"should succeed: {result}"
        return result.stdout

    def refuses_to_run(self, bundle, *names, **keywords):
        """kiste-oci's line of error must hold every one of `names`: the field and the value that are wrong."""
        result = self.run(bundle, **keywords)
        self.check_refusal(result)
        if self.is_kiste:
            for name in names:
                assert str(name) in result.stderr, f"the error should name {name!r}: {result}"
        return result

    def create(self, bundle, *options, **keywords):
        return self._container(("create",), bundle, options, keywords)

    def run_detached(self, bundle, *options, **keywords):
        return self._container(("run", "--detach"), bundle, options, keywords)

    def spawn_run(self, bundle, *options, **keywords):
        """`run` in the foreground, while it runs: the command and the container."""
        return self._container(("run",), bundle, options, keywords, wait=False)

    def _container(self, command, bundle, options, keywords, wait=True):
        container_id = keywords.pop("id", None) or self.new_id()
        pid_file = bundle.write(container_id).folder / f"{container_id}.pid"
        arguments = (*command, "--bundle", bundle.folder, "--pid-file", pid_file, *options, container_id)
        if wait:
            return Container(self, container_id, self.ok(*arguments, **keywords), pid_file)
        command = self.spawn(*arguments, **keywords)
        files = Result(command.arguments, 0, command.stdout_file, command.stderr_file)
        return command, Container(self, container_id, files, pid_file)

    def close(self):
        """Ends what the test did not: the commands, then the containers. Returns what went wrong with it."""
        for command in self.commands:
            command.end()
        left = [container_id for container_id in self.ids if (self.state_folder / container_id).exists()]
        results = [self("delete", "--force", container_id) for container_id in left]
        return [f"a container could not be deleted: {result}" for result in results if result.code != 0]

    def leftovers(self):
        """What is in the state folder after every container was deleted. A cache, whose name has a dot, may stay."""
        if not self.state_folder.exists():
            return []
        return [f"state left: {path}" for path in sorted(self.state_folder.iterdir()) if not path.name.startswith(".")]


class Container:
    def __init__(self, runtime, container_id, result, pid_file):
        self.runtime, self.id, self.result, self.pid_file = runtime, container_id, result, pid_file

    @property
    def output(self):
        return self.result.stdout

    def state(self):
        return json.loads(self.runtime.ok("state", self.id).stdout)

    @property
    def status(self):
        return self.state()["status"]

    @property
    def pid(self):
        """The host's number of the container's first process."""
        return int(eventually(lambda: self.pid_file.exists() and self.pid_file.read_text(), f"a pid in {self.pid_file}"))

    def start(self):
        return self.runtime.ok("start", self.id)

    def kill(self, *number, options=()):
        return self.runtime.ok("kill", *options, self.id, *number)

    def delete(self, *options):
        return self.runtime.ok("delete", *options, self.id)

    def exec(self, *command, options=(), **keywords):
        return self.runtime("exec", *options, self.id, *command, **keywords)

    def exec_ok(self, *command, **keywords):
        result = self.exec(*command, **keywords)
        assert result.code == 0, f"should succeed: {result}"
        return result

    def spawn_exec(self, *command, options=(), **keywords):
        return self.runtime.spawn("exec", *options, self.id, *command, **keywords)

    def sh(self, script, **keywords):
        return self.exec_ok("/bin/sh", "-c", script, **keywords).stdout

    def says(self, text, within=PATIENCE):
        """Waits until the container wrote `text`."""
        eventually(lambda: text in self.output, f"the container writes {text!r}; it wrote {self.output!r}", within)
        return self

    def wait(self, timeout=PATIENCE):
        """Waits for the end of the first process, which is our child since the runtime went away, and returns its
        exit code as a shell has it."""
        pid, host = self.pid, self.runtime.host
        what = f"the end of container {self.id}; it wrote: {self.output}"
        eventually(lambda: host.reap(pid) is not None, what, timeout)
        return host.reap(pid)

    def wait_stopped(self):
        eventually(lambda: process_state(self.pid) in ("", "Z"), f"the end of {self.id}")
        return self

    def end(self):
        """SIGKILL, and delete once it is gone."""
        os.kill(self.pid, signal.SIGKILL)
        self.wait_stopped()
        self.delete()
