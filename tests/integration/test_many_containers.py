# SPDX-License-Identifier: Apache-2.0
"""Hundreds of containers, and everybody at once on one id."""

import json
import random
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from deadline import PATIENCE, TOGETHER, eventually

CONTAINERS, WORKERS, SAMPLE = 500, 8, 50


def test_five_hundred_containers_with_eight_workers(runtime, bundle):
    """Started and deleted: none fails, nothing is left, and the last fifty take less than three times as long as the first."""
    bundle.sleeps().write()
    count = CONTAINERS if runtime.is_kiste else CONTAINERS // 5  # the slower ones would take more than a test may

    def live(name):
        begin = time.monotonic()
        results = [runtime("run", "--detach", "--bundle", bundle.folder, name), runtime("delete", "--force", name)]
        return time.monotonic() - begin, [str(result) for result in results if result.code != 0]

    with ThreadPoolExecutor(WORKERS) as pool:
        lives = list(pool.map(live, [runtime.host.new_name() for _ in range(count)], timeout=TOGETHER))
    failed = [failure for _, failures in lives for failure in failures]
    assert not failed, f"{len(failed)} failed, the first: {failed[0]}"
    times = [taken for taken, _ in lives]
    first, last = statistics.median(times[:SAMPLE]), statistics.median(times[-SAMPLE:])
    print(f"one container, start and delete, median: {first * 1000:.1f} ms of the first {SAMPLE}, {last * 1000:.1f} ms of the last")
    assert last < 3 * first, "the time per container grows"


@pytest.mark.kiste_only("its state can be half written when two commands meet")
def test_everybody_at_once_on_one_id(runtime, bundle):
    """Whatever wins: every loser says why, nobody dies of a signal, and the record is whole at every moment."""
    bundle.sleeps().write()
    name = runtime.new_id()
    deeds = [("create", "--bundle", bundle.folder, name), ("start", name), ("exec", name, "/bin/true"), ("kill", name, "KILL"), ("pause", name),
             ("resume", name), ("state", name), ("delete", name), ("delete", "--force", name), ("run", "--detach", "--bundle", bundle.folder, name)]
    chance = random.Random(4)

    def do(_):
        result = runtime("--timeout", "5", *chance.choice(deeds))
        if result.code == 0 and result.command[5] == "state":
            assert json.loads(result.stdout)["id"] == name
        return result

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(do, range(150), timeout=TOGETHER))
    for result in results:
        assert result.code in (0, 1, 137, 255), f"crashed: {result}"
        # The exit code of `exec` may be its program's, which was killed with the container.
        assert result.code in (0, 137) or result.stderr.count("\n") == 1, f"should say why in one line: {result}"
    eventually(lambda: runtime("delete", "--force", name).code == 0, "delete --force succeeds", PATIENCE)
    container = runtime.create(bundle, id=name)
    container.start()


@pytest.mark.parametrize("command", ["pause", "resume", "kill", "delete"])
def test_of_many_that_do_the_same_at_least_one_succeeds(runtime, bundle, command):
    container = runtime.run_detached(bundle.sleeps())
    if command == "resume":
        runtime.ok("pause", container.id)
    words = {"kill": ["kill", container.id, "KILL"], "delete": ["delete", "--force", container.id]}.get(command, [command, container.id])
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: runtime(*words), range(4), timeout=TOGETHER))
    assert 0 in [result.code for result in results], [str(result) for result in results]
    assert all(result.code < 128 for result in results)
    runtime.ok("delete", "--force", container.id)


@pytest.mark.kiste_only("it waits for the lock without a word")
def test_two_creates_and_a_forced_delete_never_harm_the_winner(runtime, bundle):
    """A forced delete may meet a create that has made its folder and nothing else yet."""
    bundle.sleeps().write()
    for _ in range(10):
        name = runtime.new_id()
        with ThreadPoolExecutor(3) as pool:
            futures = [pool.submit(runtime, *words) for words in
                       [("create", "--bundle", bundle.folder, name), ("delete", "--force", name), ("create", "--bundle", bundle.folder, name)]]
            first, deleted, second = [future.result(timeout=TOGETHER) for future in futures]
        assert deleted.code == 0, str(deleted)
        state = runtime("state", name)
        if state.code == 0:  # who came after the delete
            assert json.loads(state.stdout)["status"] == "created" and 0 in (first.code, second.code)
        runtime.ok("delete", "--force", name)
