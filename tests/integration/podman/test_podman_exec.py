# SPDX-License-Identifier: Apache-2.0
"""podman exec: further processes in a container that runs."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from deadline import eventually


@pytest.fixture
def container(podman, image):
    return podman.detached(image, "sh", "-c", "while :; do sleep 1; done", options=["--env", "OF=container"])


def test_output(podman, container):
    answer = podman("exec", container, "sh", "-c", "echo out; echo err >&2")
    assert (answer.code, answer.stdout, answer.stderr) == (0, "out\n", "err\n")


@pytest.mark.parametrize("code", [0, 7, 127, 255])
def test_exit_codes(podman, container, code):
    answer = podman("exec", container, "sh", "-c", f"exit {code}")
    assert (answer.code, answer.stdout, answer.stderr) == (code, "", "")


@pytest.mark.parametrize("number", [9, 15])
def test_death_by_a_signal(podman, container, number):
    assert podman("exec", container, "sh", "-c", f"kill -{number} $$; echo not reached").code == 128 + number


def test_environment(podman, container):
    out = podman.out("exec", "--env", "A=b c", "--env", "PATH=/bin", container, "env")
    variables = dict(line.split("=", 1) for line in out.splitlines())
    assert variables == {"A": "b c", "PATH": "/bin", "OF": "container", "HOME": "/root", "TERM": "xterm",
                         "container": "podman"}


@pytest.mark.parametrize("user, expected", [
    ("app", "uid=1000(app) gid=1000(app) groups=2000(extra)\n"),
    ("1:2", "uid=1 gid=2\n"),
    ("0", "uid=0(root) gid=0(root)\n"),
])
def test_user(podman, container, user, expected):
    assert podman.out("exec", "--user", user, container, "id") == expected


def test_working_directory(podman, container):
    assert podman.out("exec", "--workdir", "/var/log", container, "pwd") == "/var/log\n"
    assert podman.out("exec", container, "pwd") == "/\n"


def test_standard_input(podman, container):
    assert podman.out("exec", "--interactive", container, "wc", "-c", text="1234567\n") == "8\n"
    assert podman.out("exec", container, "wc", "-c", text="1234567\n") == "0\n"


def test_much_input_and_output(podman, container):
    text = "0123456789abcde\n" * 65536
    assert podman.out("exec", "--interactive", container, "cat", text=text) == text


def test_it_is_in_the_containers_namespaces(podman, container):
    kinds = ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"]
    script = "for k in " + " ".join(kinds) + "; do readlink /proc/self/ns/$k; done"
    inside = podman.out("exec", container, "sh", "-c", script).split()
    pid = podman.pid(container)
    assert inside == [os.readlink(f"/proc/{pid}/ns/{kind}") for kind in kinds]


def test_it_is_in_the_containers_cgroups(podman, container):
    script = "cat /proc/1/cgroup > /tmp/first; cat /proc/self/cgroup > /tmp/mine; cmp /tmp/first /tmp/mine && echo same"
    assert podman.out("exec", container, "sh", "-c", script) == "same\n"


def test_it_is_confined_as_the_first_process(podman, image):
    name = podman.detached(image, "sleep", "100", options=["--cap-drop", "ALL", "--cap-add", "CHOWN",
                                                          "--security-opt", "no-new-privileges", "--ulimit", "nofile=99:99",
                                                          "--ulimit", "nproc=1024:1024"])
    script = "grep -E '^(Cap(Prm|Eff|Bnd)|NoNewPrivs|Seccomp):' /proc/$0/status; ulimit -n"
    mine = podman.out("exec", name, "sh", "-c", script.replace("$0", "self"))
    assert mine == podman.out("exec", name, "sh", "-c", script.replace("$0", "1"))
    assert mine.split()[1::2][:5] == ["0000000000000001"] * 3 + ["1", "2"]
    assert mine.endswith("\n99\n")


def test_an_ordinary_user_has_no_capabilities(podman, container):
    assert podman.out("exec", "--user", "app", container, "grep", "CapEff", "/proc/self/status").split()[1] == "0" * 16


def test_privileged(podman, container):
    bounding = [line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if "CapBnd" in line]
    out = podman.out("exec", "--privileged", container, "grep", "CapEff", "/proc/self/status")
    assert out.split()[1:] == bounding


def test_no_descriptor_comes_in(podman, container):
    assert podman.out("exec", container, "ls", "/proc/self/fd") == "0\n1\n2\n3\n"


def test_a_descriptor_comes_in_when_asked_for(podman, container, workspace):
    (workspace / "given").write_text("through descriptor 3\n")
    command = podman.command("exec", "--preserve-fds", "1", container, "cat", "/proc/self/fd/3")
    done = subprocess.run(["sh", "-c", f'exec "$@" 3<{workspace}/given', "sh", *command], env=podman.environment,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "through descriptor 3\n", "")


def test_detached(podman, container):
    session = podman.out("exec", "--detach", container, "sh", "-c", "echo done > /tmp/written; sleep 0.1").strip()
    assert len(session) == 64
    eventually(lambda: podman("exec", container, "cat", "/tmp/written").stdout == "done\n", "the detached process writes")


def test_several_at_once(podman, container):
    started = [podman.spawn("exec", container, "sh", "-c", f"sleep 0.3; exit {number}") for number in range(1, 6)]
    codes = []
    for process in started:
        codes.append(process.wait(40))
        podman.host.commands.pop(process.pid)
    assert codes == [1, 2, 3, 4, 5]


def test_it_ends_with_the_container(podman, container):
    process = podman.spawn("exec", container, "sh", "-c", "echo begun > /tmp/begun; exec sleep 100", stderr=subprocess.DEVNULL)
    eventually(lambda: podman("exec", container, "test", "-e", "/tmp/begun").code == 0, "the process begins")
    podman.ok("kill", container)
    assert process.wait(20) == 137
    podman.host.commands.pop(process.pid)


def test_the_container_outlives_it(podman, container):
    for _ in range(3):
        podman.out("exec", container, "true")
    assert podman.inspect(container, ".State.Status") == "running"
    time.sleep(0.1)
    assert podman.out("exec", container, "ps", "-o", "comm").count("true") == 0


def test_not_in_a_container_that_does_not_run(podman, image):
    name = podman.detached(image, "true", prepare="create")
    podman.fails(255, "exec", name, "true", says="can only create exec sessions on running containers")


def test_not_in_a_paused_container(podman, container):
    podman.ok("pause", container)
    podman.fails(255, "exec", container, "true", says="can only create exec sessions on running containers")
    podman.ok("unpause", container)
    assert podman.out("exec", container, "echo", "again") == "again\n"
