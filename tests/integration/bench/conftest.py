# SPDX-License-Identifier: Apache-2.0
"""kiste-bench: what a run could leave behind (cgroups, folders, ledgers) is looked for after every test."""

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
for folder in (HERE, HERE.parent):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

import kernel  # noqa: E402
from bench_program import Bench  # noqa: E402


@pytest.fixture
def bench(workspace):
    if not kernel.is_root():
        pytest.skip("a run needs root")
    bench = Bench(workspace)
    if not os.access(bench.program, os.X_OK):
        pytest.skip(f"{bench.program} is not there: build it first")
    yield bench
    assert bench.left() == []
