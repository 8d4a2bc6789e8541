# SPDX-License-Identifier: Apache-2.0
"""Pods: an infra container holds the namespaces that the others join by path."""

import os

import pytest

from podman_engine import need


@pytest.fixture
def pod(podman, image):
    need("catatonit", "the pause process of pods", ["/usr/libexec/podman/catatonit"])
    name = podman.new_name()
    answer = podman("pod", "create", "--name", name, "--network", "none", "--hostname", "podded", timeout=60)
    if answer.code != 0:
        pytest.skip(f"no pod can be made here: {answer.stderr.strip()[-300:]}")
    yield name
    podman.ok("pod", "rm", "--force", "--time", "0", name)


def test_members_share_namespaces(podman, image, pod):
    names = [podman.detached(image, "sleep", "100", options=["--pod", pod]) for _ in range(2)]
    pids = [podman.pid(name) for name in names]
    shared = {kind for kind in ("ipc", "mnt", "net", "pid", "uts")
              if os.readlink(f"/proc/{pids[0]}/ns/{kind}") == os.readlink(f"/proc/{pids[1]}/ns/{kind}")}
    assert shared == {"ipc", "net", "uts"}
    assert podman.out("exec", names[0], "hostname") == "podded\n"


def test_members_talk_over_loopback(podman, image, pod):
    script = "mkdir /www; echo served > /www/page; exec httpd -f -p 127.0.0.1:80 -h /www"
    podman.detached(image, "sh", "-c", script, options=["--pod", pod])
    fetch = "for i in 1 2 3 4 5 6 7 8 9; do wget -q -O - http://127.0.0.1/page && break; sleep 0.1; done 2>/dev/null"
    assert podman.sh(image, fetch, "--pod", pod) == "served\n"


def test_a_pod_stops_and_starts(podman, image, pod):
    name = podman.detached(image, "sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done", options=["--pod", pod])
    podman.ok("pod", "pause", pod)
    assert podman.inspect(name, ".State.Status") == "paused"
    podman.ok("pod", "unpause", pod)
    podman.ok("pod", "stop", "--time", "5", pod)
    assert podman.inspect(name, ".State.Status") == "exited"
    podman.ok("pod", "start", pod)
    assert podman.inspect(name, ".State.Status") == "running"
