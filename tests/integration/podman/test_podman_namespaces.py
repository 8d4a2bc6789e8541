# SPDX-License-Identifier: Apache-2.0
"""Namespaces that podman makes, shares between containers, or leaves as the host's."""

import os
import re
from pathlib import Path

import pytest

import kernel

OWN = ("ipc", "mnt", "net", "pid", "uts")
ALL = OWN + ("cgroup", "user")


def namespaces(pid, kinds=ALL):
    return {kind: os.readlink(f"/proc/{pid}/ns/{kind}") for kind in kinds}


def started(podman, image, *options, command=("sleep", "100")):
    name = podman.detached(image, *command, options=options)
    return name, podman.pid(name)


def test_own_ones_by_default(podman, image):
    _, pid = started(podman, image)
    mine, its = namespaces("self"), namespaces(pid)
    assert [kind for kind in OWN if mine[kind] == its[kind]] == []
    assert its["user"] == mine["user"]


@pytest.mark.parametrize("kind, option", [("pid", "pid"), ("ipc", "ipc"), ("net", "network"), ("uts", "uts")])
def test_the_hosts(podman, image, kind, option):
    _, pid = started(podman, image, f"--{option}", "host")
    mine, its = namespaces("self"), namespaces(pid)
    assert its[kind] == mine[kind]
    assert [other for other in OWN if other != kind and mine[other] == its[other]] == []


@pytest.mark.parametrize("kind, option", [("pid", "pid"), ("ipc", "ipc"), ("net", "network"), ("uts", "uts")])
def test_another_containers(podman, image, kind, option):
    first, first_pid = started(podman, image)
    _, pid = started(podman, image, f"--{option}", f"container:{first}")
    one, two = namespaces(first_pid), namespaces(pid)
    assert [other for other in OWN if one[other] == two[other]] == [kind]


def test_processes_of_another_container(podman, image):
    first, _ = started(podman, image, command=("sleep", "4321"))
    out = podman.sh(image, "ps -o pid,args; kill 1 2>/dev/null; echo $?", "--pid", f"container:{first}")
    assert re.search(r"^ +1 sleep 4321$", out, re.MULTILINE)


def test_the_end_of_the_first_ends_the_guest(podman, image):
    first, _ = started(podman, image)
    guest, _ = started(podman, image, "--pid", f"container:{first}")
    podman.ok("kill", first)
    assert podman.out("wait", guest) == "137\n"


def test_shared_memory_of_another_container(podman, image):
    first, _ = started(podman, image, "--ipc", "shareable")
    podman.out("exec", first, "sh", "-c", "echo shared > /dev/shm/file")
    assert podman.sh(image, "cat /dev/shm/file", "--ipc", f"container:{first}") == "shared\n"


def test_network_of_another_container(podman, image):
    script = "mkdir /www; echo served > /www/page; exec httpd -f -p 127.0.0.1:8765 -h /www"
    first, _ = started(podman, image, command=("sh", "-c", script))
    fetch = "for i in 1 2 3 4 5 6 7 8 9; do wget -q -O - http://127.0.0.1:8765/page && break; sleep 0.1; done 2>/dev/null"
    assert podman.sh(image, fetch, "--network", f"container:{first}") == "served\n"


def test_without_network_there_is_only_loopback(podman, image):
    out = podman.sh(image, "ip -o link; ping -c 1 -w 2 127.0.0.1 > /dev/null && echo alive", "--cap-add", "NET_RAW",
                    "--network", "none")
    assert re.sub(r"^1: lo: <[A-Z_,]*UP.*\n", "", out) == "alive\n"


def test_own_cgroup_namespace(podman, image):
    script = "cut -d: -f3 /proc/self/cgroup | sort -u"
    assert podman.sh(image, script, "--cgroupns", "private") == "/\n"
    assert "libpod-" in podman.sh(image, script, "--cgroupns", "host")


def user_namespace(podman, image, *options):
    kernel.require_namespace("user")
    return podman.sh(image, "cat /proc/self/uid_map /proc/self/gid_map; id -u; id -g; stat -c '%u %g' /bin/busybox", *options)


def test_a_user_namespace(podman, image):
    out = user_namespace(podman, image, "--uidmap", "0:100000:65536")
    lines = [line.split() for line in out.splitlines()]
    assert lines == [["0", "100000", "65536"], ["0", "100000", "65536"], ["0"], ["0"], ["0", "0"]]


def test_a_user_namespace_with_several_ranges(podman, image):
    out = user_namespace(podman, image, "--uidmap", "0:100000:1000", "--uidmap", "1000:101000:2000")
    lines = [line.split() for line in out.splitlines()]
    assert lines[:4] == [["0", "100000", "1000"], ["1000", "101000", "2000"]] * 2


def test_users_on_the_host_are_the_mapped_ones(podman, image):
    kernel.require_namespace("user")
    _, root = started(podman, image, "--uidmap", "0:100000:65536")
    _, app = started(podman, image, "--uidmap", "0:100000:65536", "--user", "app")
    assert Path(f"/proc/{root}").stat().st_uid == 100000
    assert kernel.status_field("Uid", app).split() == ["101000"] * 4
    assert kernel.status_field("Gid", app).split() == ["101000"] * 4


def test_root_of_a_user_namespace_does_its_work(podman, image):
    kernel.require_namespace("user")
    script = "chown app /tmp/f; stat -c %U /tmp/f; mkdir /new && echo made; hostname; cat /proc/sys/kernel/hostname"
    out = podman.sh(image, "touch /tmp/f; " + script, "--uidmap", "0:100000:65536", "--hostname", "mapped")
    assert out == "app\nmade\nmapped\nmapped\n"


def test_root_of_a_user_namespace_is_nobody_outside(podman, image, shared_folder):
    kernel.require_namespace("user")
    script = "cat /data/file; stat -c %U /data/file; touch /data/new"
    answer = podman("run", "--rm", "--uidmap", "0:100000:65536", "--volume", f"{shared_folder}:/data", image, "sh", "-c", script)
    assert (answer.code, answer.stdout, answer.stderr) == (
        1, "from the host\nnobody\n", "touch: /data/new: Permission denied\n")


def test_devices_and_terminals_in_a_user_namespace(podman, at_terminal, image):
    kernel.require_namespace("user")
    script = "head -c 3 /dev/zero | wc -c; echo x > /dev/null && echo null; stat -c %u $(tty); stty size"
    with at_terminal("run", "--rm", "-it", "--uidmap", "0:100000:65536", image, "sh", "-c", "sleep 0.2; " + script,
                     rows=22, columns=66) as run:
        assert run.wait() == 0
        assert run.seen == "3\nnull\n0\n22 66\n"


def test_exec_in_a_user_namespace(podman, image):
    kernel.require_namespace("user")
    name, pid = started(podman, image, "--uidmap", "0:100000:65536")
    assert podman.out("exec", name, "sh", "-c", "id -u; readlink /proc/self/ns/user").split() == [
        "0", os.readlink(f"/proc/{pid}/ns/user")]
    assert podman.out("exec", "--user", "app", name, "id", "-u") == "1000\n"


def test_limits_in_a_user_namespace(podman, image):
    kernel.require_namespace("user")
    out = podman.sh(image, "ulimit -n; cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null; true",
                    "--uidmap", "0:100000:65536", "--pids-limit", "31")
    assert out == "1024\n31\n"


def test_the_user_namespace_of_another_container(podman, image):
    kernel.require_namespace("user")
    first, first_pid = started(podman, image, "--uidmap", "0:100000:65536")
    _, pid = started(podman, image, "--userns", f"container:{first}")
    assert os.readlink(f"/proc/{pid}/ns/user") == os.readlink(f"/proc/{first_pid}/ns/user")
