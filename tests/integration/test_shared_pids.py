# SPDX-License-Identifier: Apache-2.0
"""Containers without pids of their own: the end of the first process is not the end of the others."""

import os
import signal

import pytest

import kernel
from deadline import eventually
from host_state import process_state

pytestmark = pytest.mark.skipif(not kernel.is_root(), reason="not root: a new proc needs a pid namespace")
as_newer_runc = pytest.mark.kiste_only("1.1.5 signals the first process alone; runc does as here since 1.2")


def gone(pids):
    return all(process_state(pid) in ("", "Z") for pid in pids)


@pytest.fixture
def crowd(runtime, bundle, workspace):
    """A container and the pids of five more processes in it."""
    container = runtime.run_detached(bundle.without_namespace("pid").sleeps())
    pids = []
    for number in range(5):
        file = workspace / f"{number}.pid"
        container.exec_ok("/bin/sleep", "1000", options=("--detach", "--pid-file", file))
        pids.append(int(file.read_text()))
    return container, pids


def end_first_process(container):
    os.kill(container.pid, signal.SIGKILL)
    container.wait_stopped()


@as_newer_runc
def test_kill_ends_all_of_them(crowd):
    container, pids = crowd
    container.kill("KILL")
    eventually(lambda: gone([container.pid, *pids]), "all processes are gone")
    assert container.status == "stopped"


def test_another_signal_is_for_the_first_process(crowd):
    container, pids = crowd
    container.kill("TERM")
    container.wait_stopped()
    assert not any(gone([pid]) for pid in pids)


@as_newer_runc
def test_kill_ends_those_whose_first_process_is_gone(crowd):
    container, pids = crowd
    end_first_process(container)
    assert not gone(pids)
    container.kill("KILL")
    eventually(lambda: gone(pids), "all processes are gone")


@pytest.mark.parametrize("options", [(), ("--force",)], ids=["delete", "delete --force"])
def test_delete_ends_those_whose_first_process_is_gone(crowd, runtime, options):
    container, pids = crowd
    end_first_process(container)
    container.delete(*options)
    assert gone(pids)
    runtime.refuses("state", container.id)


def test_a_stopped_container_gets_no_signal_unless_all_are_meant(runtime, bundle):
    container = runtime.run_detached(bundle.sleeps())
    end_first_process(container)
    assert "running" in runtime.refuses("kill", container.id, "0").stderr
    if runtime.name != "runc":  # 1.1.5 looks for the first process here too
        runtime.ok("kill", "--all", container.id, "0")


def test_a_container_in_anothers_pids_can_be_ended(runtime, new_bundle):
    first = runtime.run_detached(new_bundle().sleeps())
    joined = new_bundle().namespace("pid", f"/proc/{first.pid}/ns/pid").sleeps()
    second = runtime.run_detached(joined)
    second.kill("9")
    second.wait_stopped()
    second.delete()
    assert first.status == "running"
