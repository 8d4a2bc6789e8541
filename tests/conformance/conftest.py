# SPDX-License-Identifier: Apache-2.0
"""Runs the OCI runtime-tools' validation programs, one test each. What fails is run with the oracle too, runc: only what passes
there is a failure. RUNTIME names the runtime under test, else it is build/release/bin/kiste-oci.

    python3 -m pytest tests/conformance            all; two minutes
    python3 -m pytest tests/conformance --quick    without those that wait for long
"""

import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import validation_programs  # noqa: E402

# These wait for a state that the specification does not promise, ten seconds a time.
SLOW = {"delete", "kill", "killsig", "pidfile"}


def pytest_addoption(parser):
    parser.addoption("--quick", action="store_true", help="leave out the programs that wait for long")


def runtime_program():
    name = os.environ.get("RUNTIME", "")
    if not name:
        return Path(__file__).parent.parent.parent / "build/release/bin/kiste-oci"
    return Path(shutil.which(name) or name).absolute()


def pytest_generate_tests(metafunc):
    if "validation" not in metafunc.fixturenames:
        return
    try:
        if os.geteuid() != 0:
            raise validation_programs.Unavailable("not root: the programs make containers of root's")
        folder = validation_programs.programs_folder()
    except validation_programs.Unavailable as error:
        metafunc.parametrize("validation", [pytest.param(None, marks=pytest.mark.skip(reason=str(error)))], ids=["unavailable"])
        return
    names = [name for name in validation_programs.programs(folder) if not (metafunc.config.getoption("--quick") and name in SLOW)]
    metafunc.parametrize("validation", [folder / name for name in names], ids=names)


@pytest.fixture(scope="session")
def program():
    path = runtime_program()
    if not os.access(path, os.X_OK):
        pytest.exit(f"{path} is not there: build it first, or name another runtime in RUNTIME", returncode=2)
    return path
