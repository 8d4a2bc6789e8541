# SPDX-License-Identifier: Apache-2.0
"""The runtime alone, without podman, on a bundle of Debian's root file system: scripts, python3, dpkg, a person at bash."""

import json
import os
import subprocess
import tempfile

import pytest

from pty_session import PtySession

LIMIT = 30


class DebianBundle:
    """A bundle on Debian, made from the runtime's own `spec`."""

    def __init__(self, program, folder, rootfs, host):
        self.program, self.folder, self.host = str(program), folder, host
        self.folder.mkdir()
        self.state = folder / "state"
        self.id = ""
        subprocess.run([self.program, "spec"], cwd=folder, check=True, timeout=LIMIT)
        self.config = json.loads((folder / "config.json").read_text())
        self.config["root"] = {"path": str(rootfs), "readonly": False}
        self.config["hostname"] = "crate"
        self.config["linux"]["cgroupsPath"] = f"/{host.new_name()}"
        self.config["process"]["rlimits"] = [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}]
        # Each container keeps /tmp and /var/tmp for itself: the root file system is shared by all tests.
        self.config["mounts"] += [{"destination": target, "type": "tmpfs", "source": "tmpfs",
                                   "options": ["nosuid", "nodev", "mode=1777"]} for target in ("/tmp", "/var/tmp")]

    def command(self, *arguments, terminal=False):
        self.config["process"] |= {"args": list(arguments), "terminal": terminal}
        (self.folder / "config.json").write_text(json.dumps(self.config))
        self.id = self.host.new_name()
        return [self.program, "--root", str(self.state), "run", "--bundle", str(self.folder), self.id]

    def run(self, *arguments, text=None):
        """Exit code, stdout, stderr."""
        with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
            stdin.write((text or "").encode())
            stdin.seek(0)
            done = subprocess.run(self.command(*arguments), stdin=stdin, stdout=stdout, stderr=stderr, timeout=LIMIT,
                                  check=False)
            stdout.seek(0)
            stderr.seek(0)
            return done.returncode, stdout.read().decode(), stderr.read().decode()

    def at_terminal(self, *arguments, **options):
        return PtySession(self.command(*arguments, terminal=True), self.host, **options)

    def end(self):
        if not self.id:
            return
        subprocess.run([self.program, "--root", str(self.state), "delete", "--force", self.id], capture_output=True,
                       timeout=LIMIT, check=False)


@pytest.fixture
def debian(program, workspace, debian_rootfs, host):
    before = host.snapshot() | {"cgroups": host.cgroups()}  # engines of other tests keep the parents of theirs
    bundle = DebianBundle(program, workspace / "debian", debian_rootfs, host)
    yield bundle
    bundle.end()
    left = host.leaks_since(before, patience=3)
    left += [f"state left: {name}" for name in (os.listdir(bundle.state) if bundle.state.exists() else [])]
    if left:
        host.clear_away(before)
        pytest.fail("the test left something behind:\n" + "\n".join(left), pytrace=False)


def test_bash(debian):
    assert debian.run("bash", "-c", "echo $BASH_VERSION | cut -d. -f1; echo ${0}; exit 5") == (5, "5\nbash\n", "")


def test_bash_reads_a_script_from_standard_input(debian):
    assert debian.run("bash", text="for i in 1 2 3; do echo $i; done\nexit 4\n") == (4, "1\n2\n3\n", "")


def test_python(debian):
    program = "import os, socket, sys; print(os.getpid(), socket.gethostname(), sys.stdin.read()); sys.exit(6)"
    assert debian.run("python3", "-c", program, text="read") == (6, "1 crate read\n", "")


def test_dpkg_and_apt(debian):
    code, out, err = debian.run("bash", "-c", "dpkg -l bash python3 | grep -c ^ii; apt-cache policy bash | sed -n 1p")
    assert (code, out, err) == (0, "2\nbash:\n", "")


def test_a_user_of_debian(debian):
    debian.config["process"]["user"] = {"uid": 33, "gid": 33}
    code, out, err = debian.run("bash", "-c", "id -un; cat /etc/shadow; touch /tmp/mine && ls /tmp")
    assert (code, out, err) == (0, "www-data\nmine\n", "cat: /etc/shadow: Permission denied\n")


@pytest.fixture
def gives_window_size(program):
    if program.name == "crun":
        pytest.skip("crun 1.8 gives a terminal in the foreground no window size")


def test_bash_at_a_terminal(gives_window_size, debian):
    debian.config["process"]["env"] += ["TERM=xterm"]
    with debian.at_terminal("bash", rows=37, columns=119) as shell:
        shell.ready(r"root@crate:/# ")
        shell.ask("stty size", r"^37 119$")
        shell.resize(25, 81)
        shell.ask("sleep 0.3; stty size", r"^25 81$")
        shell.ask("tty", r"^/dev/pts/0$")
        shell.ask("sleep 100 &", r"^\[1\] \d+$")
        shell.ask("jobs", r"^\[1\]\+  Running +sleep 100 &$")
        shell.ask("kill %1; wait %1; echo status $?", r"^status 143$")
        shell.begin("sleep 200")
        shell.send("\x03")
        shell.expect(r"root@crate:/# ")
        shell.ask("echo status $?", r"^status 130$")
        shell.line("exit 7")
        assert shell.wait() == 7


def test_python_at_a_terminal(gives_window_size, debian):
    debian.config["process"]["env"] += ["TERM=xterm"]
    with debian.at_terminal("python3") as python:
        python.ready(r">>> $")
        python.ask("import os; os.get_terminal_size().columns", r"^80$")
        python.line("raise SystemExit(9)")
        assert python.wait() == 9


def test_writing_stays_in_the_bundle(debian, debian_rootfs):
    """The root file system is the container's to write to, and the rest of the host is not."""
    try:
        code, out, err = debian.run("bash", "-c", "echo written > /srv/by-container; cat /srv/by-container; ls /tmp /var/tmp")
        assert (code, out, err) == (0, "written\n/tmp:\n\n/var/tmp:\n", "")
        assert (debian_rootfs / "srv/by-container").read_text() == "written\n"
    finally:
        (debian_rootfs / "srv/by-container").unlink(missing_ok=True)
