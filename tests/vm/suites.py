# SPDX-License-Identifier: Apache-2.0
"""Runs tests in guests: one boot for each suite of a kind of host, results as JUnit files."""

import re
import shlex
import shutil
import time
from pathlib import Path

import machine

TESTS = "tests/integration"
SLOWNESS = 4  # of an emulated processor: the tests' own limits grow by it
# pytest's line of progress, a file's name and the first result in it; or GoogleTest's line of a result.
FIRST_RESULT = re.compile(rb"^\S+\.py [.FEsxX]|^\[ +(OK|FAILED|SKIPPED) +\]", re.MULTILINE)


class SuiteRun:
    """What became of a suite: the JUnit file where there is one, the times, and why it has no result."""

    def __init__(self, host, suite):
        self.name = f"{host.name}-{suite.name}"
        self.report = None
        self.code = self.first_output = self.first_result = self.seconds = self.problem = None

    def times(self):
        def text(seconds):
            return "never" if seconds is None else f"{seconds:.1f} s"

        return f"{self.name}: first output after {text(self.first_output)}, first test's result after {text(self.first_result)}, done after {text(self.seconds)}"


def command_of(suite, build, report, arguments):
    if suite.program:
        return [f"{build}/{suite.program}", f"--gtest_output=xml:{report}", *suite.tests, *arguments]
    runtime = f"{build}/bin/{suite.runtime}" if suite.runtime.startswith("kiste") else suite.runtime
    tests = suite.tests or (TESTS, f"--ignore={TESTS}/podman", f"--ignore={TESTS}/engines", f"--ignore={TESTS}/bench")
    return ["env", f"RUNTIME={runtime}", f"SLOWNESS={SLOWNESS}", "PYTHONDONTWRITEBYTECODE=1", "/usr/bin/python3", "-m", "pytest", "-p", "no:cacheprovider",
            "-o", "console_output_style=classic", f"--junit-xml={report}", *tests, *arguments]


def job_of(host, suite, build, arguments):
    report = f"/run/vm/results/{host.name}-{suite.name}.xml"
    environment = [f"{key}={value}" for key, value in suite.environment.items()]
    command = shlex.join(["env", *environment, *command_of(suite, build, report, arguments)])
    if not suite.user:
        return f"exec {command}"
    # As if the user had logged in: the user's own systemd lends a scope to make cgroups in.
    user = shlex.quote(suite.user)
    return (f"exec runuser -u {user} -- env HOME=/home/{user} XDG_RUNTIME_DIR=/run/user/$(id -u {user}) "
            f"systemd-run --user --scope --quiet --property=Delegate=yes {command}")


def run(host, suite, tree, build, results, write, arguments=()):
    """Boots `host` for `suite` with what was built in `build`, a folder in the tree. The guest's output goes to write(bytes),
    the JUnit file to the folder `results`."""
    done = SuiteRun(host, suite)
    start = time.monotonic()
    seen = bytearray()

    def watch(text):
        if done.first_output is None:
            done.first_output = time.monotonic() - start
        if done.first_result is None:
            seen.extend(text)
            if FIRST_RESULT.search(seen):
                done.first_result = time.monotonic() - start
        write(text)

    with machine.Machine(host, tree, say=lambda text: write(f"{text}\n".encode())) as guest:
        try:
            done.code = guest.run(job_of(host, suite, build, arguments), suite.limit, watch)
        except machine.MachineError as error:
            done.problem = str(error)
        report = guest.results / f"{done.name}.xml"
        if report.exists():
            done.report = Path(results) / report.name
            shutil.copyfile(report, done.report)
    done.seconds = time.monotonic() - start
    return done
