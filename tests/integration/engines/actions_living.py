# SPDX-License-Identifier: Apache-2.0
"""Containers that stay: what is done to them from outside, and what engines tell about them."""

import json
import time

import cgroups
import kernel
from actions import DOCKERLIKE, LASTING, action
from actions_running import MEMORY, PIDS, SIZE, limit
from pty_session import PtySession

SLEEP = ("sleep", "1000")
LOOP = "while :; do sleep 0.05; done"


@action(*DOCKERLIKE)
def detach_and_logs(box):
    name = box.start("sh", "-c", "echo out; echo err >&2")
    box.reaches(name, "exited")
    box.type("logs", name, says=["out", "err"])


@action(*DOCKERLIKE)
def logs_of_a_terminal(box):
    name = box.start("sh", "-c", "tty; echo out", terminal=True)
    box.reaches(name, "exited")
    assert box.type("logs", name) == "/dev/pts/0\r\nout\r\n"


@action(*DOCKERLIKE)
def waiting(box):
    name = box.start("sh", "-c", "sleep 0.2; exit 9")
    assert box.type("wait", name) == "9\n"


@action(*DOCKERLIKE)
def stop_of_a_program_that_listens(box):
    name = box.start("sh", "-c", f"trap 'echo ended; exit 5' TERM; echo ready; {LOOP}")
    box.says(name, "ready")
    box.type("stop", name)
    assert box.inspect(name, "State", "ExitCode") == 5
    box.type("logs", name)


@action(*DOCKERLIKE)
def stop_of_a_program_that_does_not(box):
    name = box.start("sh", "-c", f"trap '' TERM; echo ready; {LOOP}")
    box.says(name, "ready")
    box.type("stop", "--time", "1", name, says=name)
    assert box.inspect(name, "State", "ExitCode") == 137


@action(*DOCKERLIKE)
def signals(box):
    name = box.start("sh", "-c", f"trap 'echo one' USR1; trap 'echo two' USR2; echo ready; {LOOP}")
    box.says(name, "ready")
    for signal, word in (("USR1", "one"), ("12", "two")):
        box.verb("kill", name, signal)
        box.says(name, word)
    box.type("kill", name)
    box.reaches(name, "exited")
    assert box.inspect(name, "State", "ExitCode") == 137
    box.type("kill", name, code=None, says="running")


@action(*LASTING)
def kill(box):
    name = box.start(*SLEEP)
    assert box.status(name) == "running"
    box.verb("kill", name, "KILL")
    box.waits_for(lambda: box.status(name) in ("exited", "stopped"), "the end")


@action(*LASTING)
def pause_and_resume(box):
    name = box.start(*SLEEP)
    box.verb("pause", name)
    box.reaches(name, "paused")
    box.verb("resume", name)
    box.reaches(name, "running")
    assert box.exec(name, "echo", "alive") == "alive\n"


@action(*DOCKERLIKE)
def what_a_paused_container_refuses(box):
    name = box.start(*SLEEP)
    box.verb("pause", name)
    box.exec(name, "true", code=None, says="improper" if box.engine.name == "podman" else "paused")
    box.type("pause", name, code=None, says="paused")
    box.verb("remove", name)


@action("docker")
def update(box):
    name = box.start(*SLEEP, memory="64m", pids_limit=50)
    box.type("update", "--memory", "96m", "--memory-swap", "-1", "--pids-limit", "30", "--cpus", "0.3", name)
    assert box.exec(name, "sh", "-c", limit(MEMORY)) == f"{96 << 20}\n"
    assert box.exec(name, "sh", "-c", limit(PIDS)) == "30\n"
    box.saw_inspection(name)


@action(*DOCKERLIKE)
def restart(box):
    name = box.start("sh", "-c", f"echo begun; trap 'exit 0' TERM; {LOOP}")
    box.says(name, "begun")
    box.type("restart", "--time", "1", name)
    box.waits_for(lambda: box.logs(name) == "begun\nbegun\n", "it began twice")
    assert box.status(name) == "running"


@action("docker")
def restart_by_policy(box):
    name = box.start("sh", "-c", "echo begun; exit 1", others=["--restart", "on-failure:2"])
    box.waits_for(lambda: box.inspect(name, "RestartCount") == 2 and box.status(name) == "exited", "two more starts")
    assert box.logs(name) == "begun\n" * 3


@action(*DOCKERLIKE)
def create_and_start(box):
    name = box.new_name()
    words = box.engine.run_words(box, name, ["sh", "-c", "echo hello; exit 6"], {})
    box.type("create", *[word for word in words[1:] if word != "--rm"], says="")
    assert box.status(name) == "created"
    for _ in range(2):
        assert box.type("start", "--attach", name, code=6) == "hello\n"
    box.saw_inspection(name)


@action(*DOCKERLIKE)
def removal(box):
    name = box.start(*SLEEP)
    box.type("rm", name, code=None, says="running")
    box.verb("remove", name)
    box.type("inspect", name, code=None, says="o such")


@action(*DOCKERLIKE)
def copies(box):
    name = box.start(*SLEEP)
    (box.folder / "in").write_text("into it\n")
    box.type("cp", box.folder / "in", f"{name}:/tmp/in", says="")
    assert box.exec(name, "cat", "/tmp/in") == "into it\n"
    box.type("cp", f"{name}:/etc/passwd", box.folder / "out", says="")
    assert (box.folder / "out").read_text().startswith("root:")


@action(*DOCKERLIKE)
def processes(box):
    name = box.start("sh", "-c", "sleep 999 & exec sleep 1000")
    words = {"docker": ["-o", "pid,comm"], "podman": ["comm"]}[box.engine.name]
    said = box.waits_for(lambda: [text for text in [box.type("top", name, *words, silent=True)] if text.count("sleep") == 2],
                         "two processes")[0]
    box.saw("\n".join(line.split()[-1] for line in said.splitlines()))


@action("containerd")
def processes_of_a_task(box):
    name = box.start("sh", "-c", "sleep 999 & exec sleep 1000")
    box.waits_for(lambda: len(box.type("task", "ps", name, silent=True).splitlines()) == 3, "two processes and a heading")


@action("containerd")
def limits_of_a_task(box):
    """`ctr` mounts no cgroups in a container: they are looked at from outside."""
    name = box.start(*SLEEP, memory=64 << 20, cpus="0.5")
    found = {file.name: file.read_text() for _, root in cgroups.hierarchies() for file in root.glob(f"{box.engine.cgroup_of(name)}/*")
             if file.name in ("memory.limit_in_bytes", "memory.max", "cpu.cfs_quota_us", "cpu.max", "pids.max")}
    assert f"{64 << 20}\n" in found.values() and any(text.startswith("50000") for text in found.values()), found
    box.saw(*(f"{key}: {text}" for key, text in sorted(found.items())))


@action("containerd")
def metrics(box):
    name = box.start(*SLEEP, memory=64 << 20)
    said = box.type("task", "metrics", name, silent=True).splitlines()
    box.saw("\n".join(line.split()[0] for line in said if line.split()))
    assert any(line.split() == ["memory.limit_in_bytes", str(64 << 20)] for line in said)


@action(*DOCKERLIKE)
def statistics(box):
    name = box.start(*SLEEP, memory="64m")
    said = box.type("stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}} {{.PIDs}}", name, silent=True)
    usage, _, most = said.split()[1:4]
    assert usage[0].isdigit() and most.startswith("6") and said.split()[-1] == "1", said
    box.saw(most)


@action(*DOCKERLIKE)
def inspection_while_it_runs(box):
    options = {"memory": "64m", "cpus": "0.5", "pids_limit": 40, "cap_add": ["NET_ADMIN"], "env": ["A=b"], "workdir": "/tmp",
               "user": "1:1", "hostname": "crate", "read_only": True}
    facts = box.saw_inspection(box.start(*SLEEP, **options))
    assert facts["State"]["Running"] and facts["State"]["Pid"] == "<pid>"


@action(*DOCKERLIKE)
def inspection_after_its_end(box):
    name = box.start("sh", "-c", "exit 7")
    box.reaches(name, "exited")
    assert box.saw_inspection(name)["State"]["ExitCode"] == 7


@action(*DOCKERLIKE)
def out_of_memory(box):
    """The victim is not the first process: its container lives on until everybody has heard of it."""
    script = "sh -c 'x=0123456789; while :; do x=$x$x; done'; code=$?; sleep 1; exit $code"
    name = box.start("sh", "-c", script, memory="24m", others=["--memory-swap", "24m"])
    box.reaches(name, "exited")
    state = box.inspect(name, "State")
    assert state["ExitCode"] == 137, state
    if box.engine.name == "docker":  # podman 4.3's monitor does not hear of it on cgroup v1, with runc neither
        assert state["OOMKilled"], state
    box.saw(state["ExitCode"])


@action("docker")
def events(box):
    begun = int(time.time())
    name = box.start("sh", "-c", f"trap 'exit 0' TERM; echo ready; {LOOP}")
    box.says(name, "ready")
    box.exec(name, "true")
    box.verb("pause", name)
    box.verb("resume", name)
    box.verb("kill", name, "HUP")
    box.type("stop", name)
    box.verb("remove", name)
    said = box.type("events", "--since", begun, "--until", int(time.time()) + 1, "--filter", f"container={name}", "--format", "{{json .}}",
                    silent=True)
    lines = [json.loads(line) for line in said.splitlines()]
    box.saw("\n".join(f"{line['Type']} {line['Action']} {line['Actor']['Attributes'].get('exitCode')}" for line in lines))
    actions = [line["Action"] for line in lines if line["Action"] in ("start", "pause", "unpause", "die", "destroy")]
    assert actions == ["start", "pause", "unpause", "die", "destroy"], box.seen[-1]


@action("podman")
def events_of_podman(box):
    name = box.start("sh", "-c", f"trap 'exit 0' TERM; echo ready; {LOOP}")
    box.says(name, "ready")
    box.exec(name, "true")
    box.verb("pause", name)
    box.verb("resume", name)
    box.type("stop", name)
    box.verb("remove", name)
    said = box.type("events", "--stream=false", "--filter", f"container={name}", "--format", "{{.Type}} {{.Status}}", silent=True)
    # Some come twice, with any runtime; podman says "stop" only where its cleanup did not come first.
    box.saw("\n".join(line for line in dict.fromkeys(said.splitlines()) if line != "container stop"))
    assert "container died" in said and "container exec" in said


@action("podman")
def checkpoint_and_restore(box):
    """In its place, and as an archive that becomes another container."""
    kernel.require_criu()
    name = box.start("sh", "-c", "while :; do i=$((i+1)); echo $i; sleep 0.05; done")
    box.says(name, "3\n")
    box.type("container", "checkpoint", name)
    assert box.inspect(name, "State", "Checkpointed") is True and box.status(name) == "exited"
    box.type("container", "restore", name)
    assert box.status(name) == "running"
    before = len(box.logs(name))
    box.waits_for(lambda: len(box.logs(name)) > before, "it goes on")
    assert box.exec(name, "echo", "alive") == "alive\n"
    archive = box.folder / "archive.tar.gz"
    box.type("container", "checkpoint", "--leave-running", "--export", archive, name)
    assert box.status(name) == "running"
    box.verb("remove", name)
    box.type("container", "restore", "--import", archive, silent=True)
    box.waits_for(lambda: len(box.logs(name)) > 2, "it goes on")
    box.type("container", "checkpoint", "--pre-checkpoint", name)
    box.type("container", "checkpoint", "--with-previous", "--keep", name)
    box.type("container", "restore", name)
    box.verb("remove", name)


@action("docker")
def health_check(box):
    """The daemon runs a probe in the container every second."""
    name = box.start(*SLEEP, others=["--health-cmd", "echo well", "--health-interval", "1s"])
    box.waits_for(lambda: box.inspect(name, "State", "Health", "Status") == "healthy", "it is healthy")
    said = box.inspect(name, "State", "Health", "Log")[0]
    assert (said["ExitCode"], said["Output"]) == (0, "well\n")


@action(*DOCKERLIKE)
def attaching(box):
    """To a shell that waits at a terminal, leaving it by the keys for that, and coming back to its end."""
    name = box.start("sh", terminal=True, stdin=True)
    for last in (False, True):
        with PtySession(box.engine.command(box, "attach", name), box.engine.host, env=box.engine.environment_of(box),
                        cwd=box.engine.folder) as session:
            session.pause(0.3)
            session.line("echo a''nswer")
            session.expect(r"^answer$")
            session.keys(*(["exit 3\n"] if last else ["\x10", "\x11"]))
            session.wait()
        box.reaches(name, "exited" if last else "running")
    assert box.inspect(name, "State", "ExitCode") == 3


# -- exec
@action(*LASTING)
def exec_and_its_exit_code(box):
    name = box.start(*SLEEP)
    assert box.exec(name, "sh", "-c", "echo out; exit 4", code=4) == "out\n"


@action(*LASTING)
def exec_elsewhere_and_as_somebody(box):
    name = box.start(*SLEEP)
    where = {"containerd": "cwd"}.get(box.engine.name, "workdir")
    assert where
    assert box.exec(name, "sh", "-c", "pwd; id -u; id -g", workdir="/tmp", user="1234:5678") == "/tmp\n1234\n5678\n"


@action(*DOCKERLIKE)
def exec_with_an_environment(box):
    name = box.start(*SLEEP, env=["OF=container"])
    said = box.exec(name, "sh", "-c", "env | grep -v '^_\\|SHLVL\\|HOSTNAME' | sort", env=["A=b c"])
    assert "A=b c\n" in said and "OF=container\n" in said


@action(*LASTING)
def exec_with_standard_input(box):
    name = box.start(*SLEEP)
    assert box.exec(name, "wc", "-c", text="1234567", stdin=True) == "7\n"


@action(*DOCKERLIKE)
def exec_in_the_background(box):
    name = box.start(*SLEEP)
    box.exec(name, "touch", "/tmp/done", others=["--detach"])
    box.waits_for(lambda: "done" in box.type("exec", name, "ls", "/tmp", silent=True), "/tmp/done")


@action(*DOCKERLIKE)
def exec_with_privileges(box):
    kernel.require_capability("CAP_SYS_RESOURCE")  # runc refuses to go without
    name = box.start(*SLEEP)
    for words in ([], ["--privileged"]):
        box.exec(name, "sh", "-c", "grep 'Cap\\|Seccomp:\\|NoNew' /proc/self/status; cat /proc/self/oom_score_adj", others=words)
    assert box.seen[-1] != box.seen[-2]


@action(*LASTING)
def exec_at_a_terminal(box):
    name = box.start(*SLEEP)
    words = box.engine.exec_words(box, name, ["sh", "-c", f"tty; {SIZE}; read x; echo got:$x; exit 2"],
                                  {"terminal": True, "stdin": True})
    with PtySession(box.engine.command(box, *words), box.engine.host, rows=31, columns=77, env=box.engine.environment_of(box),
                    cwd=box.engine.folder) as session:
        session.expect(r"^/dev/pts/\d$")
        session.expect(r"^31 77$")
        session.line("word")
        session.expect(r"^got:word$")
        assert session.wait() == 2
        box.saw(session.seen)


@action(*LASTING)
def exec_finds_what_the_container_has(box):
    name = box.start(*SLEEP, cap_drop=["CHOWN"])
    box.exec(name, "sh", "-c", "grep 'Cap\\|NoNew\\|Seccomp:\\|Groups' /proc/self/status; cut -d : -f 2,3 /proc/self/cgroup; "
             "ls /proc/self/fd | grep -c .; umask; ulimit -n")
