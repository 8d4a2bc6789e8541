# SPDX-License-Identifier: Apache-2.0
"""Every action in two boxes at a time, one with the runtime under test and one with runc: both see the same."""

import difflib
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import actions_buildah  # noqa: F401  (each registers its actions)
import actions_building  # noqa: F401
import actions_ctr  # noqa: F401
import actions_failing  # noqa: F401
import actions_living  # noqa: F401
import actions_pods  # noqa: F401
import actions_running  # noqa: F401
from actions import ACTIONS
from box import Box
from deadline import SLOWNESS
from host_state import describe_process, mountinfo

PATIENCE = 10.0 * SLOWNESS  # seconds in which what a container needed must have been cleaned away


class Stage:
    """What is there before a test, and what must be there again after it."""

    def __init__(self, engine, host):
        self.engine, self.host = engine, host
        self.processes, self.mounts = host.processes(), self.mounted()

    def mounted(self):
        targets = {line.split()[4] for line in mountinfo()}.union(*(daemons.mounts() for daemons in self.engine.daemons))
        return {target for target in targets if not target.endswith(("/overlay", "/overlay2", "/netns/default"))}  # kept by engines

    def leaks(self):
        found = [f"{describe_process(pid)} left" for pid in sorted(self.host.processes() - self.processes)]
        found += [f"mount left: {target}" for target in sorted(self.mounted() - self.mounts)]
        return found + [f"cgroup left: {path}" for path in sorted(self.engine.cgroups())]

    def settled(self):
        end = time.monotonic() + PATIENCE
        while self.leaks() and time.monotonic() < end:
            time.sleep(0.02)
        return self.leaks()


@pytest.fixture
def boxes(request, runtimes, workspace, host):
    """A function: the two boxes of an engine, which is empty of containers before and after the test."""
    stages = []

    def made(name):
        engine = request.getfixturevalue(name)
        stages.append(Stage(engine, host))
        stages[-1].boxes = [Box(engine, which, path, workspace / which) for which, path in runtimes.items()]
        return stages[-1].boxes

    yield made
    for stage in stages:
        for box in stage.boxes:
            stage.engine.remove_all(box)
        leaks = stage.settled()
        if leaks:
            host.clear_away({"processes": stage.processes, "mounts": mountinfo()})
            pytest.fail("the test left something behind:\n" + "\n".join(leaks), pytrace=False)


def as_lines(seen):
    return [line for value in seen for part in value for line in str(part).splitlines()]


@pytest.mark.parametrize("action, engine", ACTIONS, ids=[f"{engine}-{action.__name__}" for action, engine in ACTIONS])
def test_the_answers_are_the_peers(action, engine, boxes):
    tested, peer = boxes(engine)
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(action, box) for box in (peer, tested)]:
            done.result()
    assert tested.seen, "an action that sees nothing compares nothing"
    difference = difflib.unified_diff(as_lines(peer.seen), as_lines(tested.seen), "with runc", f"with {tested.program}", n=2,
                                      lineterm="")
    text = "\n".join(difference)
    assert not text, f"not the same answers:\n{text}"
