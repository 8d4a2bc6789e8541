# SPDX-License-Identifier: Apache-2.0
"""podman as a command line, with storage, state, locks and cgroups of its own, on top of the runtime under test.

Nothing of the user's podman is read or written: every path is below one folder, the configuration is a file made here
(CONTAINERS_CONF replaces the system's), and all cgroups are below one parent whose name nobody else uses.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

import cgroups
import kernel
from deadline import SLOWNESS, eventually

PATIENCE = 30.0 * SLOWNESS  # seconds that one podman command may take
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# podman's default limits are beyond what a root without CAP_SYS_RESOURCE may set, so they are stated. kiste-oci is not on
# podman's own list of runtimes that log JSON: users who want its best error messages write this line too.
CONFIGURATION = """
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
default_capabilities = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETFCAP", "SETGID",
                        "SETPCAP", "SETUID", "SYS_CHROOT"]
netns = "none"
log_driver = "k8s-file"
[engine]
cgroup_manager = "{cgroup_manager}"
events_logger = "file"
lock_type = "file"
runtime_supports_json = [{json_runtimes}]
"""
JSON_RUNTIMES = '"crun", "runc", "kiste-oci"'
DEFAULT_CAPABILITIES = 0x800405fb  # the bits of the list above


@dataclass
class Answer:
    """What one podman command said and how it ended."""

    command: list
    code: int
    stdout: str
    stderr: str

    @property
    def lines(self):
        return self.stdout.splitlines()

    def __str__(self):
        return f"{' '.join(self.command)}\nexit code {self.code}\nstdout: {self.stdout}\nstderr: {self.stderr}"


def storage_driver(folder):
    """overlay where the kernel lets us mount one on this folder's file system, else the copying driver."""
    if not kernel.is_root():
        return "vfs"
    parts = {name: folder / f"probe-{name}" for name in ("lower", "upper", "work", "merged")}
    for part in parts.values():
        part.mkdir()
    try:
        kernel.mount("overlay", parts["merged"], "overlay", 0,
                     f"lowerdir={parts['lower']},upperdir={parts['upper']},workdir={parts['work']}")
        kernel.unmount(parts["merged"])
        return "overlay"
    except OSError:
        return "vfs"


class Podman:
    def __init__(self, folder, program, host, token):
        self.folder, self.program, self.host = Path(folder), str(program), host
        self.folder.mkdir(parents=True)
        self.folder.chmod(0o755)  # users of a container's user namespace walk through it to their root file system
        self.manager = cgroups.manager()
        self.cgroup_parent = f"{token}podman.slice" if self.manager == "systemd" else f"/{token}-podman"
        self.prefix = token
        for name in ("home", "tmp"):
            (self.folder / name).mkdir()
        self.driver = storage_driver(self.folder)
        self.environment = {"PATH": PATH, "HOME": str(self.folder / "home"), "LC_ALL": "C.UTF-8", "TERM": "xterm",
                            "TMPDIR": str(self.folder / "tmp"), "CONTAINERS_CONF": str(self.configure(JSON_RUNTIMES))}
        if not kernel.is_root():  # where the user's systemd is found, which makes the cgroups
            self.environment["XDG_RUNTIME_DIR"] = os.environ.get("XDG_RUNTIME_DIR", f"/run/user/{os.geteuid()}")
        self.serial = 0

    def configure(self, json_runtimes):
        file = self.folder / f"containers-{len(json_runtimes)}.conf"
        file.write_text(CONFIGURATION.format(json_runtimes=json_runtimes, cgroup_manager=self.manager))
        return file

    @property
    def runtime(self):
        """The runtime's name as its users say it: runc, crun, kiste-oci."""
        return Path(self.program).name

    def known_gap(self, **reasons):
        """Skips when the runtime under test is one of these peers, which does not do what the test asks, and says why."""
        if self.runtime in reasons:
            pytest.skip(f"{self.runtime}: {reasons[self.runtime]}")

    def new_name(self):
        self.serial += 1
        return f"{self.prefix}c{self.serial}"

    # -- commands
    def command(self, *arguments):
        words = [str(argument) for argument in arguments]
        verb = 0
        while words[verb].startswith("--"):  # global options, each with a value
            verb += 2
        length = 2 if words[verb] == "pod" else 1
        if words[verb + length - 1] in ("run", "create") and kernel.is_root():
            words[verb + length:verb + length] = ["--cgroup-parent", self.cgroup_parent]
        folders = ["--root", self.folder / "root", "--runroot", self.folder / "run", "--tmpdir", self.folder / "state",
                   "--network-config-dir", self.folder / "networks"]
        return ["podman", *map(str, folders), "--storage-driver", self.driver, "--runtime", self.program, *words]

    def spawn(self, *arguments, within=(), environment=None, **options):
        """Starts podman and leaves it running; `within` is a command line to put before it."""
        options.setdefault("stdin", subprocess.DEVNULL)
        process = subprocess.Popen([*within, *self.command(*arguments)], env=self.environment | (environment or {}),
                                   cwd=self.folder, **options)
        self.host.commands[process.pid] = process
        return process

    def __call__(self, *arguments, text=None, timeout=PATIENCE, **options):
        """Runs one podman command to its end; `text` is its standard input. Output goes through files: nothing that
        lives on and keeps them open can make us wait."""
        with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr, tempfile.TemporaryFile() as stdin:
            if text is not None:
                stdin.write(text.encode())
                stdin.seek(0)
                options["stdin"] = stdin
            process = self.spawn(*arguments, stdout=stdout, stderr=stderr, **options)
            late = False
            try:
                process.wait(timeout)
            except subprocess.TimeoutExpired:
                late = True
                process.kill()
                process.wait()
            finally:
                self.host.commands.pop(process.pid, None)
            stdout.seek(0)
            stderr.seek(0)
            answer = Answer([str(argument) for argument in arguments], process.returncode,
                            stdout.read().decode(errors="replace"), stderr.read().decode(errors="replace"))
        if late:
            pytest.fail(f"podman still running after {timeout} s: {answer}")
        return answer

    def ok(self, *arguments, **options):
        answer = self(*arguments, **options)
        assert answer.code == 0, f"should succeed: {answer}"
        return answer

    def out(self, *arguments, **options):
        """The standard output of a command that must succeed and complain of nothing."""
        answer = self.ok(*arguments, **options)
        assert answer.stderr == "", f"should be silent on stderr: {answer}"
        return answer.stdout

    def fails(self, code, *arguments, says=(), **options):
        """The command ends with exactly this code, and its error holds each of these words."""
        answer = self(*arguments, **options)
        assert answer.code == code, f"should end with {code}: {answer}"
        for word in [says] if isinstance(says, str) else says:
            assert word.lower() in answer.stderr.lower(), f"should say {word!r}: {answer}"
        return answer

    # -- containers
    def sh(self, image, script, *options, **keywords):
        """What a shell script writes in a container that is made for it and removed."""
        return self.out("run", "--rm", *options, image, "sh", "-c", script, **keywords)

    def detached(self, image, *command, options=(), prepare="run"):
        """A container that runs in the background: its name."""
        name = self.new_name()
        flags = ["--detach"] if prepare == "run" else []
        answer = self.ok(prepare, *flags, "--name", name, *options, image, *command)
        identifier = answer.stdout.strip()
        assert len(identifier) == 64, f"should print the id: {answer}"
        return name

    def inspect(self, container, field):
        return self.out("inspect", "--type=container", "--format", "{{" + field + "}}", container).rstrip("\n")

    def inspect_all(self, container):
        return json.loads(self.out("inspect", "--type=container", container))[0]

    def pid(self, container):
        return int(self.inspect(container, ".State.Pid"))

    def logs(self, container):
        return self.ok("logs", container).stdout

    def says(self, container, text):
        """Waits until the container wrote `text`."""
        eventually(lambda: text in self.logs(container), f"{container} writes {text!r}; wrote {self.logs(container)!r}", 10 * SLOWNESS)
        return self.logs(container)

    def containers(self):
        """Ids of all containers, from the storage's own record: asked after every test, it has to cost nothing."""
        record = self.folder / "root" / f"{self.driver}-containers" / "containers.json"
        return [entry["id"] for entry in json.loads(record.read_text())] if record.exists() else []

    # -- what may stay and what may not
    def all_cgroups(self):
        """Every cgroup folder below our parent, in all hierarchies, and the parents themselves; children first."""
        parents = {mounted / self.cgroup_parent.lstrip("/") for _, mounted in cgroups.hierarchies()}
        found = []
        for parent in parents:
            found += [Path(folder) for folder, _, _ in os.walk(parent, topdown=False)]
        return found

    def cgroup_of(self, identifier):
        """Where a container's cgroup is."""
        return f"/{self.cgroup_parent}/libpod-{identifier}.scope" if self.manager == "systemd" else f"{self.cgroup_parent}/libpod-{identifier}"

    def cgroups(self):
        """Our containers' cgroups. Those of conmon and of pods, and the parent, are podman's: they stay until close()."""
        return {str(folder) for folder in self.all_cgroups() if re.match("libpod-(?!conmon)", folder.name)}

    def known_to_runtime(self):
        """Ids of our containers that the runtime itself still knows: it has its own idea of where its state is."""
        listed = subprocess.run([self.program, "list", "--quiet"], capture_output=True, text=True, timeout=PATIENCE,
                                env={"PATH": PATH, "XDG_RUNTIME_DIR": ""}, check=False)
        state = f"{self.folder}/"
        return [identifier for identifier in listed.stdout.split()
                if state in subprocess.run([self.program, "state", identifier], capture_output=True, text=True,
                                           timeout=PATIENCE, env={"PATH": PATH}, check=False).stdout]

    def remove_all(self, **options):
        """podman removes in any order, and refuses those that others still join: those are left for the next round."""
        for _ in range(4):
            if not self.containers():
                return
            answer = self("rm", "--all", "--force", "--time", "0", "--volumes", **options)
        assert answer.code == 0, f"should succeed: {answer}"

    def close(self):
        """Takes away what podman itself keeps while it may be used again."""
        for file in self.folder.glob("**/pause.pid"):  # the process that keeps an ordinary user's namespaces
            os.kill(int(file.read_text()), signal.SIGKILL)
        if self.manager == "systemd" and kernel.is_root():
            cgroups.stop_slice(self.cgroup_parent)
        for folder in self.all_cgroups():
            folder.rmdir()
        for parent in cgroups.ROOT.glob(f"*{self.cgroup_parent}"):
            shutil.rmtree(parent)  # crun takes a hierarchy's mount point for one even where nothing is mounted
        for line in Path("/proc/self/mountinfo").read_text().splitlines():
            where = line.split()[4]
            if where.startswith(f"{self.folder}/"):
                kernel.unmount(where)


def mountinfo_of(text, target):
    """The fields of one mount in the text of a mountinfo file (proc(5))."""
    for line in text.splitlines():
        left, _, right = line.partition(" - ")
        fields, rest = left.split(), right.split()
        if fields[4] == target:
            return {"root": fields[3], "options": fields[5].split(","), "tags": fields[6:], "kind": rest[0],
                    "super": rest[2].split(",")}
    raise AssertionError(f"nothing is mounted on {target}:\n{text}")


def need(program, why, paths=()):
    """Skips loudly when a program of the host is missing."""
    candidates = [Path(folder) / program for folder in PATH.split(":")] + [Path(path) for path in paths]
    if not any(os.access(candidate, os.X_OK) for candidate in candidates):
        pytest.skip(f"{program} is not installed: {why}")
