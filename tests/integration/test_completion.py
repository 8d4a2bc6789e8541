# SPDX-License-Identifier: Apache-2.0
"""Completion, in the shells themselves: an interactive bash and zsh at a terminal, and fish's own `complete`."""

import re
import shutil
import subprocess

import pytest

from shell_session import ShellSession

pytestmark = pytest.mark.kiste_only("runc's completion is another")


class Fish:
    def __init__(self, script, path):
        self.script, self.path = script, path

    def complete(self, line):
        command = ["fish", "--no-config", "-c", f"set -x PATH {self.path} $PATH; source {self.script}; complete -C $argv[1]", line]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=self.path,
                                env={"HOME": str(self.path), "PATH": "/usr/bin:/bin"}, check=False)
        assert result.returncode == 0 and not result.stderr, result
        words = [entry.split("\t")[0] for entry in result.stdout.splitlines()]
        kept = line[line.rfind(" ") + 1:]
        return [word[kept.find("=") + 1:] if "=" in kept else word for word in words]

    def close(self):
        pass


@pytest.fixture(params=["bash", "zsh", "fish"])
def shell(request, runtime, workspace):
    if not shutil.which(request.param):
        pytest.skip(f"no {request.param} here")
    names = {"bash": "kiste-oci", "zsh": "_kiste-oci", "fish": "kiste-oci.fish"}
    (workspace / "bin").mkdir()
    (workspace / "bin/kiste-oci").symlink_to(runtime.program)
    (workspace / "bin/folder").mkdir()
    (workspace / "bin/file.json").touch()
    script = workspace / "completions" / names[request.param]
    script.parent.mkdir()
    script.write_text(runtime.ok("completion", request.param).stdout)
    if request.param == "fish":
        session = Fish(script, workspace / "bin")
    else:
        session = ShellSession(runtime.host, request.param, script, workspace / "bin")
    yield session
    session.close()


def commands_of(runtime):
    text = runtime.ok("--help").stdout
    return re.findall(r"^   (\w+) ", text[text.index("COMMANDS:"):text.index("GLOBAL OPTIONS:")], re.MULTILINE)


def options_of(runtime, *command):
    return re.findall(r"^   (--[a-z0-9-]+)", runtime.ok(*command, "--help").stdout, re.MULTILINE)


def test_commands(shell, runtime):
    assert set(shell.complete("kiste-oci ")) == {*commands_of(runtime), "help"}
    assert shell.complete("kiste-oci fea") == ["features"]
    assert set(shell.complete("kiste-oci --debug --root /x s")) == {"spec", "start", "state", "surface"}
    assert set(shell.complete("kiste-oci help re")) >= {"resume"}


def test_options_of_every_command(shell, runtime):
    assert set(shell.complete("kiste-oci --")) == {*options_of(runtime)}
    for command in commands_of(runtime):
        assert set(shell.complete(f"kiste-oci {command} --")) == {*options_of(runtime, command), "--help"}, command


def test_values_that_are_one_of_some_words(shell):
    assert set(shell.complete("kiste-oci --log-format ")) == {"text", "json"}
    assert set(shell.complete("kiste-oci --cgroup-manager=")) == {"cgroupfs", "systemd", "disabled"}
    assert shell.complete("kiste-oci list --format=j") == ["json"]
    assert shell.complete("kiste-oci list -f t") == ["table"]
    assert shell.complete("kiste-oci exec --cap CAP_SYS_ADM") == ["CAP_SYS_ADMIN"]
    assert set(shell.complete("kiste-oci completion ")) == {"bash", "zsh", "fish"}


def test_files_and_folders(shell):
    assert [word.rstrip("/") for word in shell.complete("kiste-oci run --bundle fo")] == ["folder"]
    assert shell.complete("kiste-oci run --bundle fi") == []
    assert shell.complete("kiste-oci run --config fi") == ["file.json"]


def test_signals_come_second(shell):
    assert shell.complete("kiste-oci kill --all some-id KI") == ["KILL"]
    assert len(shell.complete("kiste-oci kill some-id ")) >= 30


def test_containers_of_the_state_folder(shell, runtime, bundle):
    container = runtime.create(bundle.sleeps())
    for start in (f"--root {runtime.state_folder}", f"--root={runtime.state_folder} --debug"):
        assert shell.complete(f"kiste-oci {start} state ") == [container.id]
        assert shell.complete(f"kiste-oci {start} kill --all {container.id[:3]}") == [container.id]
        assert shell.complete(f"kiste-oci {start} state nothing-like-it") == []
    assert container.id not in shell.complete("kiste-oci --root /nonexistent state ")


def test_what_stands_in_an_id_is_never_run(shell, runtime, bundle, workspace):
    """A hostile state folder: what `list` says goes into the line as text."""
    program = workspace / "bin/kiste-oci"
    program.unlink()
    program.write_text(f"#!/bin/sh\necho 'a$(touch${{IFS}}{workspace}/run)'\n")
    program.chmod(0o755)
    shell.complete("kiste-oci state ")
    assert not (workspace / "run").exists()


def test_an_unknown_shell_is_refused(runtime):
    assert '"csh"' in runtime.refuses("completion", "csh").stderr
