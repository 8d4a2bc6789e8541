# SPDX-License-Identifier: Apache-2.0
"""What a program finds in its environment, where configurations are not tidy."""

import json

import pytest

PATH = "PATH=/usr/bin:/bin"


@pytest.mark.parametrize("given", [["HOME="], ["HOME=/elsewhere", "HOME="]], ids=["empty", "emptied"])
def test_an_empty_home_becomes_the_users(runtime, bundle, given):
    bundle.process["env"] += given
    assert runtime.output_of(bundle.sh("echo $HOME")) == "/root\n"


def test_home_is_there_once(runtime, bundle):
    bundle.process["env"] = ["HOME=", PATH]
    assert sorted(runtime.output_of(bundle.args("env")).split()) == ["HOME=/root", PATH]


def test_the_last_of_two_values_counts(runtime, bundle):
    bundle.process["env"] += ["ONE=two", "ONE=three"]
    assert runtime.output_of(bundle.sh("echo $ONE")) == "three\n"


@pytest.mark.kiste_only("1.1.5 hands on both; later ones do as here")
def test_a_variable_that_stands_twice_is_handed_on_once(runtime, bundle):
    bundle.process["env"] = ["ONE=two", PATH, "ONE=three"]
    assert sorted(runtime.output_of(bundle.args("env")).split()) == ["HOME=/root", "ONE=three", PATH]


def test_a_value_may_hold_lines(runtime, bundle):
    bundle.process["env"] = ["LINES=a\nb", PATH]
    assert "LINES=a\nb\n" in runtime.output_of(bundle.args("env"))


def exec_process(runtime, container, workspace, **fields):
    file = workspace / "process.json"
    file.write_text(json.dumps({"terminal": False, "args": ["/bin/env"], "cwd": "/", **fields}))
    return container.exec_ok(options=("--process", file)).stdout.split()


def test_a_process_object_of_its_own_brings_its_own_environment(runtime, bundle, workspace):
    container = runtime.run_detached(bundle.sleeps())
    assert sorted(exec_process(runtime, container, workspace, env=["FOO=bar"])) == ["FOO=bar", "HOME=/root"]


def test_without_an_environment_home_is_all_there_is(runtime, bundle, workspace):
    container = runtime.run_detached(bundle.sleeps())
    assert exec_process(runtime, container, workspace) == ["HOME=/root"]
