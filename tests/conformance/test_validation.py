# SPDX-License-Identifier: Apache-2.0
"""Nothing fails that passes with runc."""

import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

import tap_output

LIMIT = 90  # seconds for one program
ATTEMPTS = 8  # some programs race with the container that they watch: poststart wants its program to write before the hook does
CGROUPS = ("cgrouptest", "testdir")  # what the programs call them, and leave


class Stage:
    """Where a program runs: a mount namespace, a state folder and a folder for bundles of its own."""

    def __init__(self, runtime, folder):
        self.runtime, self.folder = runtime, folder
        self.state, self.bundles = folder / "state", folder / "tmp"
        self.bundles.mkdir(parents=True)
        self.wrapper = folder / Path(runtime).name
        self.wrapper.write_text(f"#!/bin/sh\nexec {runtime} --root {self.state} \"$@\"\n")
        self.wrapper.chmod(0o755)

    def run(self, program):
        """Output and errors go to a file: a container that lives on would keep a pipe open."""
        with (self.folder / "output").open("w+") as output, (self.folder / "errors").open("w+") as errors:
            process = subprocess.Popen(
                ["unshare", "--mount", "--propagation", "slave", program], cwd=program.parent, stdin=subprocess.DEVNULL,
                stdout=output, stderr=errors, env=os.environ | {"RUNTIME": str(self.wrapper), "TMPDIR": str(self.bundles)},
                start_new_session=True)
            try:
                code = process.wait(LIMIT)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                code = process.wait()
            output.seek(0)
            errors.seek(0)
            self.words = f"{output.read()}\n{errors.read()}"
            return tap_output.read(self.words, code)

    def strike(self):
        for container in self.state.glob("[!.]*"):
            subprocess.run([self.wrapper, "delete", "--force", container.name], timeout=30, check=False,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for name in CGROUPS:
            for found in [*Path("/sys/fs/cgroup").glob(name), *Path("/sys/fs/cgroup").glob(f"*/{name}")]:
                for place in sorted([found, *found.glob("**/")], reverse=True):
                    with contextlib.suppress(OSError):
                        place.rmdir()
        shutil.rmtree(self.folder, ignore_errors=True)


def outcome_of(runtime, program, folder):
    stage = Stage(runtime, folder)
    try:
        return stage.run(program), stage.words
    finally:
        stage.strike()


def test_what_passes_with_runc_passes(validation, program, tmp_path_factory):
    folder = tmp_path_factory.mktemp(validation.name)
    for attempt in range(ATTEMPTS):
        outcome, words = outcome_of(program, validation, folder / f"runtime{attempt}")
        if outcome.shows_nothing:
            pytest.skip("all that it looks at is missing on this host")
        if outcome.is_flawless:
            return
        oracle = shutil.which("runc")
        if not oracle:
            pytest.skip(f"not all is well, and there is no runc to ask: {list(outcome.bad)}")
        expected, _ = outcome_of(oracle, validation, folder / f"oracle{attempt}")
        worse = outcome.worse_than(expected)
        if not worse:
            return
    told = [line for line in words.splitlines() if line.strip().startswith(("not ok", '"error"', '"stderr"', "kiste", "failed", "exit"))]
    pytest.fail("\n".join(["worse than runc:", *worse[:20], "", *told[:40]]), pytrace=False)
