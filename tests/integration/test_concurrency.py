# SPDX-License-Identifier: Apache-2.0
"""Many containers at once, and many commands on one container: nothing fails, nothing is left, nobody waits for ever."""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import cgroups
from deadline import TOGETHER, eventually
from runtime import Command


def all_of(functions, workers=8):
    with ThreadPoolExecutor(workers) as pool:
        return [future.result(timeout=TOGETHER) for future in [pool.submit(function) for function in functions]]


def test_forty_containers_with_eight_workers(runtime, bundle):
    bundle.sh("echo $$").write()
    ids = [runtime.new_id() for _ in range(40)]
    results = all_of([lambda name=name: runtime("run", "--bundle", bundle.folder, name) for name in ids])
    assert [(result.code, result.stdout, result.stderr) for result in results] == [(0, "1\n", "")] * 40
    assert runtime.leftovers() == []


def test_containers_created_at_once_are_all_listed(runtime, bundle):
    bundle.sleeps().write()
    ids = [runtime.new_id() for _ in range(8)]
    results = all_of([lambda name=name: runtime("create", "--bundle", bundle.folder, name) for name in ids])
    assert [result.code for result in results] == [0] * 8, results
    assert {entry["id"] for entry in json.loads(runtime.ok("list", "--format", "json").stdout)} == set(ids)


@pytest.mark.kiste_only("its list fails when a container goes between two looks at it")
def test_list_never_fails_while_containers_come_and_go(runtime, bundle):
    bundle.write()
    ids = [runtime.new_id() for _ in range(12)]
    deeds = []
    for name in ids:
        deeds += [lambda name=name: runtime("run", "--bundle", bundle.folder, name), lambda: runtime("list", "--quiet")]
    assert {result.code for result in all_of(deeds, workers=4)} == {0}


def test_of_many_creates_with_one_id_exactly_one_succeeds(runtime, bundle):
    bundle.sleeps().write()
    name = runtime.new_id()
    results = all_of([lambda: runtime("create", "--bundle", bundle.folder, name)] * 6, workers=6)
    assert sorted(result.code for result in results) == [0, 1, 1, 1, 1, 1], "\n".join(str(result) for result in results)
    assert json.loads(runtime.ok("state", name).stdout)["status"] == "created"


def test_of_many_starts_of_one_container_exactly_one_succeeds(runtime, bundle):
    container = runtime.create(bundle.sh("echo started; sleep 1000"))
    results = all_of([lambda: runtime("start", container.id)] * 4, workers=4)
    codes = sorted(result.code for result in results)
    assert codes == [0, 1, 1, 1] if runtime.is_kiste else 0 in codes, "\n".join(str(result) for result in results)
    container.says("started")
    assert container.output == "started\n"


def test_many_kills_and_deletes_of_one_container(runtime, bundle):
    container = runtime.run_detached(bundle.sleeps())
    deeds = [lambda: runtime("kill", container.id, "KILL"), lambda: runtime("delete", "--force", container.id)] * 4
    results = all_of(deeds)
    assert all(result.code < 128 for result in results)
    runtime("delete", "--force", container.id)
    runtime.refuses("state", container.id)


def test_create_and_delete_race_on_one_id(runtime, bundle):
    """Whatever wins, in the end one delete --force leaves nothing."""
    bundle.sleeps().write()
    name = runtime.new_id()
    for _ in range(3):
        all_of([lambda: runtime("create", "--bundle", bundle.folder, name), lambda: runtime("delete", "--force", name),
                lambda: runtime("start", name), lambda: runtime("delete", "--force", name), lambda: runtime("state", name)], workers=5)
    eventually(lambda: runtime("delete", "--force", name).code == 0, "delete --force succeeds")


def test_kill_and_start_race(runtime, bundle):
    for _ in range(4):
        container = runtime.create(bundle.sleeps())
        all_of([lambda: runtime("start", container.id), lambda: runtime("kill", container.id, "KILL")], workers=2)
        container.delete("--force")


def test_exec_while_the_container_ends(runtime, bundle):
    container = runtime.run_detached(bundle.sh("sleep 0.15"))
    deeds = [lambda: container.exec("/bin/true")] * 6
    results = all_of(deeds, workers=3)
    assert all(result.code in (0, 137, 255) or result.code == 1 for result in results), [str(result) for result in results]
    container.wait()


@pytest.mark.kiste_only("how its update fails in a container that goes is its own matter")
def test_update_beside_delete_keeps_nothing_back(runtime, bundle, workspace):
    """`update` writes into the container's folder without the lock that delete has; the folder goes, and the hooks run."""
    cgroups.require_own()
    name, hooks = runtime.new_id(), workspace / "hooks"
    bundle.sleeps().hook("poststop", "/bin/sh", "-c", f"echo >>{hooks}")
    bundle.write(name)
    script = 'while kill -0 $1; do "$0" --root $2 update --pids-limit 100 $3; done'
    updates = [Command(runtime, ["/bin/sh", "-c", script, runtime.program, os.getpid(), runtime.state_folder, name]) for _ in range(4)]
    rounds, end = 0, time.monotonic() + 3
    while time.monotonic() < end:
        runtime.ok("run", "--detach", "--bundle", bundle.folder, name)
        runtime.ok("delete", "--force", name)
        rounds += 1
    for command in updates:
        command.end()
    assert len(hooks.read_text().splitlines()) == rounds
    assert runtime.leftovers() == []


@pytest.mark.parametrize("moment", [0.0, 0.01, 0.03])
def test_create_that_is_killed_hard_can_be_cleaned_up(runtime, bundle, moment):
    """SIGKILL at any point: delete --force, or a second one, leaves no state, mount or cgroup; the process goes with it."""
    before = runtime.host.snapshot()
    name = runtime.new_id()
    command = runtime.spawn("create", "--bundle", bundle.sleeps().write().folder, name)
    time.sleep(moment)
    command.end()
    runtime("delete", "--force", name)
    if not runtime.is_kiste:  # what runc had not written down yet when it died stays for ever
        runtime.host.clear_away(before)
