# SPDX-License-Identifier: Apache-2.0
"""Images built by the BuildKit that is in dockerd: each RUN is one `run` of the runtime's, in the foreground."""

import re
import signal
import subprocess

from actions import action
from deadline import SLOWNESS

TOLD = re.compile(r"#\d+ (?:\d+\.\d+ (?P<said>.*)|(?P<error>ERROR: .*))")  # of a step, among the lines of BuildKit's own


def build(box, steps, code=0, says=None, **options):
    """A Dockerfile on top of busybox; what its steps wrote, and how it failed."""
    file = box.folder / "Dockerfile"
    file.write_text(f"FROM {box.engine.image}\n{steps}\n")
    answer = box.engine.call(box, box.engine.build_words(file, options))
    box.judge(answer, code, says, silent=True)
    told = [match["said"] or match["error"] for match in map(TOLD.fullmatch, answer.stderr.splitlines()) if match]
    box.saw(answer.code, says or "\n".join(told))
    return told


@action("buildkit")
def what_a_step_finds(box):
    told = build(box, "RUN id; umask; pwd; env | sort; ulimit -a; cat /proc/self/oom_score_adj /proc/self/cgroup | grep -c .; hostname; "
                      "grep 'Cap\\|NoNew\\|Seccomp:\\|Groups\\|Sig[BC]' /proc/self/status; cat /proc/1/comm; cat /etc/hosts; "
                      "stat -c '%n %A %u:%g' / /dev /proc /sys /tmp; ls -l /dev | tr -s ' ' | cut -d ' ' -f 1-6; "
                      "ls /proc/self/fd | grep -c .; ls -1A /")
    assert any("uid=0" in line for line in told) and "FROM_IMAGE=yes" in told


@action("buildkit")
def how_a_step_is_mounted(box):
    """But for how the masks of procfs are made, which is each runtime's own affair."""
    told = build(box, "RUN while read -r _ _ _ _ target options rest; do echo \"$target ${options%%,relatime} ${rest#*- }\"; done "
                      "< /proc/self/mountinfo | grep -v '^/proc/\\|^/sys/\\(firmware\\|fs/cgroup\\)' | cut -d ' ' -f 1-3 | sort")
    assert any(line.startswith("/dev/pts ") for line in told)


@action("buildkit")
def steps_that_build_on_each_other(box):
    told = build(box, "ARG WORD=none\nENV A=b\nWORKDIR /not/there\nRUN echo $WORD $A > made; chown 5:6 made\nUSER 1234:5678\n"
                      "RUN id -u; id -g; pwd; cat made; stat -c %u:%g made; touch /mine 2>/dev/null || echo refused", arguments=["WORD=given"])
    assert told == ["1234", "5678", "/not/there", "given b", "5:6", "refused"]


@action("buildkit")
def command_without_a_shell(box):
    assert build(box, 'RUN ["echo", "a b", "$c"]') == ["a b $c"]


@action("buildkit")
def networks_of_a_step(box):
    """A hook of docker's brings the bridge's in; BuildKit knows two more."""
    show = "RUN ls /sys/class/net; ip -o -4 addr show eth0 2>/dev/null | tr -s ' ' | cut -d ' ' -f 2-3; cat /etc/hosts"
    assert "eth0" in build(box, show)
    assert "docker0" in build(box, show, network="host")
    assert "eth0" not in build(box, show, network="none", hosts=["other:10.9.8.7"])


@action("buildkit")
def mounts_of_a_step(box):
    (box.folder / "secret").write_text("a secret\n")
    told = build(box, "RUN --mount=type=tmpfs,target=/scratch --mount=type=cache,target=/cache,id=" + box.new_name() + " "
                      "touch /scratch/a /cache/b; grep -c ' /scratch .* tmpfs ' /proc/self/mountinfo\n"
                      "RUN --mount=type=secret,id=word cat /run/secrets/word; stat -c %a:%u /run/secrets/word\n"
                      f"RUN --mount=type=bind,from={box.engine.image},target=/other ls /other; "
                      "ls -d /scratch /cache /run/secrets", secrets=[f"id=word,src={box.folder}/secret"])
    assert told[:3] == ["1", "a secret", "400:0"]


@action("buildkit")
def files_that_steps_leave(box):
    """The whole image, with what the runtime itself leaves in it: nothing but the places of its mounts."""
    file = box.folder / "out.tar"
    build(box, "RUN mkdir -p /data/deep; echo text > /data/deep/file; ln -s file /data/deep/link; chmod 4755 /data/deep/file\nRUN rm /etc/group",
          output=f"type=tar,dest={file}")
    listed = subprocess.run(["tar", "--list", "--verbose", "--numeric-owner", "--file", file], capture_output=True, text=True, check=True, timeout=30)
    box.saw(re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "<time>", listed.stdout))
    assert "data/deep/link" in listed.stdout and "etc/group" not in listed.stdout


@action("buildkit")
def stages_at_once(box):
    stages = "".join(f"FROM {box.engine.image} AS stage{number}\nRUN echo {number} > /number\n" for number in range(5))
    copies = "".join(f"COPY --from=stage{number} /number /number{number}\n" for number in range(5))
    assert build(box, f"{stages}FROM {box.engine.image}\n{copies}RUN cat /number?") == ["0", "1", "2", "3", "4"]


@action("buildkit")
def step_that_fails(box):
    assert build(box, "RUN echo before; exit 3", code=1) == ["before", "ERROR: executor failed running [/bin/sh -c echo before; exit 3]: exit code: 3"]
    build(box, "RUN sh -c 'kill -KILL $$'; exit $?", code=1)
    build(box, "RUN nosuch", code=1)


@action("buildkit")
def step_that_cannot_begin(box):
    build(box, 'RUN ["nosuch"]', code=1, says=["nosuch", "executable file not found in $PATH", "exit code: 1"])
    build(box, 'RUN ["/nosuch/file"]', code=1, says=["/nosuch/file", "no such file or directory", "exit code: 1"])
    build(box, 'RUN ["/etc/passwd"]', code=1, says=["/etc/passwd", "ermission denied", "exit code: 1"])
    build(box, "WORKDIR /etc/passwd/x\nRUN true", code=1, says="ot a directory")
    build(box, "USER nosuch\nRUN true", code=1, says="unable to find user nosuch")


@action("buildkit")
def interrupted_build(box):
    """^C of the client's: BuildKit kills the container, and nothing of it stays (which is looked at after every action)."""
    file, log = box.folder / "Dockerfile", box.folder / "log"
    file.write_text(f"FROM {box.engine.image}\nRUN trap '' TERM INT; echo rea''dy; sleep 1000\n")
    words = [str(word) for word in box.engine.command(box, *box.engine.build_words(file, {}))]
    with log.open("wb") as output:
        client = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=box.engine.environment)
    box.engine.host.commands[client.pid] = client
    try:
        box.waits_for(lambda: " ready\n" in log.read_text(), "the step runs")
        client.send_signal(signal.SIGINT)
        box.saw(client.wait(15 * SLOWNESS))
    finally:
        client.kill()
        client.wait()
        box.engine.host.commands.pop(client.pid)
