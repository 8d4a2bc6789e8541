# SPDX-License-Identifier: Apache-2.0
"""Looking at containers with podman, and reaching into them: inspect, ps, logs, attach, top, stats, cp, diff, healthcheck."""

import os
import re
import subprocess
from pathlib import Path

from deadline import eventually


def test_inspect_of_a_running_container(podman, image):
    name = podman.detached(image, "sleep", "100")
    seen = podman.inspect_all(name)
    state = seen["State"]
    assert (state["Status"], state["Running"], state["Paused"], state["ExitCode"]) == ("running", True, False, 0)
    assert seen["OCIRuntime"] == podman.program
    assert Path(f"/proc/{state['Pid']}/cmdline").read_bytes() == b"sleep\x00100\x00"
    assert state["CgroupPath"] == podman.cgroup_of(seen['Id'])
    in_cgroups = {line.split(":", 2)[2] for line in Path(f"/proc/{state['Pid']}/cgroup").read_text().splitlines()
                  if not line.startswith("0::")}
    assert in_cgroups <= {state["CgroupPath"]}


def test_inspect_of_an_ended_container(podman, image):
    name = podman.new_name()
    podman.fails(3, "run", "--name", name, image, "sh", "-c", "exit 3")
    state = podman.inspect_all(name)["State"]
    assert (state["Status"], state["Running"], state["Pid"], state["ExitCode"]) == ("exited", False, 0, 3)
    assert state["Error"] == ""


def test_ps(podman, image):
    running = podman.detached(image, "sleep", "100")
    ended = podman.detached(image, "sh", "-c", "exit 6")
    podman.ok("wait", ended)
    made = podman.detached(image, "true", prepare="create")
    assert podman.out("ps", "--format", "{{.Names}} {{.Command}}") == f"{running} sleep 100\n"
    out = podman.out("ps", "--all", "--format", "{{.Names}} {{.Status}}")
    found = sorted(re.sub(r"(Up|Exited \(\d+\)) .*", r"\1", line) for line in out.splitlines())
    assert found == sorted([f"{running} Up", f"{ended} Exited (6)", f"{made} Created"])


def test_logs(podman, image):
    name = podman.detached(image, "sh", "-c", "for i in 1 2 3; do echo out $i; echo err $i >&2; sleep 0.05; done; printf end")
    podman.ok("wait", name)
    answer = podman.ok("logs", name)
    assert (answer.stdout, answer.stderr) == ("out 1\nout 2\nout 3\nend", "err 1\nerr 2\nerr 3\n")


def test_the_end_of_logs(podman, image):
    name = podman.detached(image, "seq", "5")
    podman.ok("wait", name)
    assert podman.out("logs", "--tail", "2", name) == "4\n5\n"


def test_logs_followed(podman, image):
    name = podman.detached(image, "sh", "-c", "for i in 1 2 3; do echo line $i; sleep 0.2; done")
    assert podman.out("logs", "--follow", name) == "line 1\nline 2\nline 3\n"


def test_long_lines_in_logs(podman, image):
    name = podman.detached(image, "sh", "-c", "head -c 100000 /dev/zero | tr '\\0' x; echo")
    podman.ok("wait", name)
    assert podman.logs(name) == "x" * 100000 + "\n"


def test_attach(podman, image):
    name = podman.detached(image, "sh", "-c", "read line; echo heard $line; exit 6", options=["--interactive"])
    assert podman.out("attach", name, text="hello\n").rstrip("\n") == "heard hello"  # podman adds an empty line
    assert podman.inspect(name, ".State.ExitCode") == "6"


def test_top(podman, image):
    name = podman.detached(image, "sh", "-c", "sleep 333 & wait", options=["--user", "app"])
    eventually(lambda: "sleep" in podman.out("top", name, "args"), "the child is there")
    lines = [line.split() for line in podman.out("top", name, "pid", "ppid", "user", "args").splitlines()]
    assert lines[0] == ["PID", "PPID", "USER", "COMMAND"]
    assert lines[1][:3] == ["1", "0", "app"] and lines[1][3] == "sh"
    assert lines[2][1:] == ["1", "app", "sleep", "333"]
    assert len(lines) == 3


def test_top_with_options_of_ps(podman, image):
    name = podman.detached(image, "sleep", "100")
    lines = podman.out("top", name, "-o", "pid,args").splitlines()
    assert [line.split() for line in lines[:2]] == [["PID", "COMMAND"], ["1", "sleep", "100"]]


def test_stats(podman, image):
    name = podman.detached(image, "sh", "-c", "sleep 300 & sleep 301 & wait", options=["--memory", "64m"])
    eventually(lambda: len(podman.out("top", name, "pid").split()) == 4, "the children are there")
    out = podman.out("stats", "--no-stream", "--format", "{{.Name}} {{.PIDs}} {{.MemLimit}}", name)
    assert out == f"{name} 3 67108864\n"


def test_copy_in_and_out(podman, image, workspace):
    name = podman.detached(image, "sleep", "100")
    (workspace / "in").write_text("from the host\n")
    podman.out("cp", workspace / "in", f"{name}:/tmp/in")
    assert podman.out("exec", name, "cat", "/tmp/in") == "from the host\n"
    podman.out("exec", name, "sh", "-c", "mkdir /tmp/tree; echo deep > /tmp/tree/file; ln -s file /tmp/tree/link")
    podman.out("cp", f"{name}:/tmp/tree", workspace / "out")
    assert (workspace / "out/file").read_text() == "deep\n"
    assert os.readlink(workspace / "out/link") == "file"


def test_copy_with_a_container_that_ended(podman, image, workspace):
    name = podman.detached(image, "sh", "-c", "echo left behind > /left")
    podman.ok("wait", name)
    podman.out("cp", f"{name}:/left", workspace / "left")
    assert (workspace / "left").read_text() == "left behind\n"
    podman.out("cp", workspace / "left", f"{name}:/again")
    podman.out("cp", f"{name}:/again", workspace / "again")
    assert (workspace / "again").read_text() == "left behind\n"


def test_diff_and_commit(podman, image):
    name = podman.detached(image, "sh", "-c", "echo new > /srv/new; rm /etc/hostname 2>/dev/null; echo done")
    podman.ok("wait", name)
    changed = podman.out("diff", name).splitlines()
    assert "A /srv/new" in changed and "C /srv" in changed
    podman.ok("commit", "--quiet", name, "localhost/committed:test")
    assert podman.out("run", "--rm", "localhost/committed:test", "cat", "/srv/new") == "new\n"
    podman.ok("rmi", "--force", "localhost/committed:test")


def test_healthcheck(podman, image):
    name = podman.detached(image, "sleep", "100", options=["--health-cmd", "test -e /healthy", "--health-interval", "disable",
                                                          "--health-retries", "1"])
    answer = podman("healthcheck", "run", name)
    assert answer.code == 1
    assert podman.inspect(name, ".State.Health.Status") == "unhealthy"
    podman.out("exec", name, "touch", "/healthy")
    assert podman("healthcheck", "run", name).code == 0
    assert podman.inspect(name, ".State.Health.Status") == "healthy"


def test_the_runtimes_version_is_known_to_podman(podman):
    version = subprocess.run([podman.program, "--version"], capture_output=True, text=True, timeout=10, check=True).stdout
    out = podman.out("info", "--format", "{{.Host.OCIRuntime.Name}}\n{{.Host.OCIRuntime.Version}}")
    assert out == f"{podman.program}\n{version}" or out == f"{podman.program}\n{version.rstrip()}\n"
