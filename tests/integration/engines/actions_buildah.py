# SPDX-License-Identifier: Apache-2.0
"""What buildah's users type besides `run` of one command: working containers that are configured, changed and committed, and `bud`."""

import json
import os
import re
import signal
import stat
import subprocess

from actions import action, status_of
from deadline import SLOWNESS
from engines import LIMITS, each

LOOP = "while :; do sleep 0.05; done"
OF_BUILDAHS = re.compile("[0-9a-f]{64}|-->.*|Getting image.*|Copying .*|Writing manifest.*|Storing signatures.*")
CGROUP = "/sys/fs/cgroup"


def working(box, *options, image=None):
    """A working container: its name."""
    name = box.new_name()
    limits = [] if "--ulimit" in options else each("--ulimit")(LIMITS)
    box.type("from", "--name", name, "--pull-never", "--cgroup-parent", f"/{box.engine.token}/{name}", *limits, *options,
             image or box.engine.image)
    return name


def inside_words(box, name, command, options):
    network = [] if "--network" in options else ["--network", "none"]  # the quickest
    return ["run", "--runtime", box.program, *network, *options, name, "--", *command]


def inside(box, name, *command, options=(), **expected):
    """A command in it."""
    return box.type(*inside_words(box, name, command, options), **expected)


def shell(box, name, script, *options, **expected):
    return inside(box, name, "sh", "-c", script, options=options, **expected)


def once(box, script, *options, **expected):
    """In a working container made with these options."""
    return shell(box, working(box, *options), script, **expected)


def build(box, steps, *options, code=0, says=None, cached=False, start=None, parent=True):
    """A Containerfile on top of busybox; what its steps wrote. Where `says` is given, that must hold these words, and need not be the
    same otherwise. Without `parent` each step has the cgroup that the runtime chooses."""
    file = box.folder / "Containerfile"
    file.write_text(f"{start or f'FROM {box.engine.image}'}\n{steps}\n")
    words = ["none" if word == "private" else word for word in box.engine.build_words(box) if not cached or word != "--no-cache"]
    if not parent:
        at = words.index("--cgroup-parent")
        del words[at:at + 2]
    if "--ulimit" in options:
        words = words[:words.index("--ulimit")]
    answer = box.engine.call(box, ["bud", *words, *options, "--file", file, box.folder])
    box.judge(answer, code, says, silent=True)
    said = [line for line in answer.stdout.splitlines() if not OF_BUILDAHS.fullmatch(line)]
    box.saw(answer.code, "\n".join(said) if says is None else says)
    return [line for line in said if not line.startswith(("STEP ", "COMMIT", "[", "Successfully"))]


def either(v1, v2):
    """A file of a cgroup, which is another on the other layout."""
    return f"cat {CGROUP}/{v1} 2>/dev/null || cat {CGROUP}/{v2}"


# -- options of `from`
@action("buildah")
def shares_and_quota_of_a_working_container(box):
    said = once(box, "; ".join((either("cpu/cpu.shares", "cpu.weight"), either("cpu/cpu.cfs_quota_us", "cpu.max"),
                                either("cpu/cpu.cfs_period_us", "cpu.max"))),
                "--cpu-shares", "512", "--cpu-quota", "30000", "--cpu-period", "60000")
    assert said == "512\n30000\n60000\n" or said.count("30000 60000\n") == 2, said


@action("buildah")
def processors_of_a_working_container(box):
    said = once(box, "grep Cpus_allowed_list /proc/self/status", "--cpuset-cpus", "0")
    assert status_of(said, "Cpus_allowed_list") == "0"


@action("buildah")
def size_of_the_shared_memory(box):
    assert once(box, "df -k /dev/shm | tail -1 | tr -s ' ' | cut -d ' ' -f 2; stat -c %a /dev/shm", "--shm-size", "2m") == "2048\n1777\n"


@action("buildah")
def limits_of_files_and_processes(box):
    """Given to the working container, and had by every command in it."""
    name = working(box, "--ulimit", "nofile=300:400", "--ulimit", "nproc=500:600", "--ulimit", "core=0:0")
    for user in ((), ("--user", "1234")):
        said = shell(box, name, "ulimit -Sn; ulimit -Hn; ulimit -c; grep 'Max processes' /proc/self/limits | tr -s ' ' | cut -d ' ' -f 3,4", *user)
        assert said == "300\n400\n0\n500 600\n", said


@action("buildah")
def names_of_other_hosts(box):
    name = working(box, "--add-host", "other:10.9.8.7", "--dns", "10.9.8.6", "--dns-search", "example.org", "--dns-option", "ndots:3")
    said = shell(box, name, f"grep -v {name} /etc/hosts | sort; cat /etc/resolv.conf | grep .", "--network", "private")
    assert re.search(r"10\.9\.8\.7\s+other", said) and "nameserver 10.9.8.6\n" in said and "ndots:3" in said, said


@action("buildah")
def capabilities_of_a_working_container(box):
    name = working(box, "--cap-add", "CAP_NET_ADMIN", "--cap-drop", "CAP_CHOWN")
    see = "grep Cap /proc/self/status; chown 5 /tmp && echo changed"
    said = shell(box, name, see, code=1, says="Operation not permitted")
    assert int(status_of(said, "CapEff"), 16) & 1 << 12 and not int(status_of(said, "CapBnd"), 16) & 1
    box.saw(said)
    assert shell(box, name, see, "--cap-add", "CAP_CHOWN", "--cap-drop", "CAP_NET_ADMIN").endswith("changed\n")


@action("buildah")
def all_capabilities_dropped_of_a_working_container(box):
    said = once(box, "grep Cap /proc/self/status", "--cap-drop", "all")
    assert int(status_of(said, "CapEff"), 16) == 0


@action("buildah")
def without_a_filter_of_system_calls(box):
    see = "grep Seccomp: /proc/self/status"
    assert status_of(once(box, see), "Seccomp") == "2"
    assert status_of(once(box, see, "--security-opt", "seccomp=unconfined"), "Seccomp") == "0"


@action("buildah")
def filter_of_ones_own(box):
    file = box.folder / "seccomp.json"
    rule = {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}
    file.write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]}))
    once(box, "mkdir /new", "--security-opt", f"seccomp={file}", code=1, says="No space left on device")


@action("buildah")
def volumes_of_a_working_container(box):
    """Read-only, writable, and one whose changes are thrown away with the command."""
    for name in ("one", "two", "three"):
        (box.folder / name).mkdir()
        (box.folder / name / "file").write_text(name + "\n")
    name = working(box, "--volume", f"{box.folder}/one:/one:ro", "--volume", f"{box.folder}/two:/two")
    said = shell(box, name, "cat /one/file /two/file /three/file; echo x > /two/new; echo x > /three/new; ls /three; touch /one/new",
                 "--volume", f"{box.folder}/three:/three:O", code=1, says="Read-only file system")
    assert said == "one\ntwo\nthree\nfile\nnew\n"
    assert [sorted(os.listdir(box.folder / name)) for name in ("one", "two", "three")] == [["file"], ["file", "new"], ["file"]]


@action("buildah")
def device_of_a_working_container(box):
    node = box.folder / "full"
    os.mknod(node, 0o666 | stat.S_IFCHR, os.makedev(1, 7))
    node.chmod(0o666)
    name = working(box, "--device", f"{node}:/dev/made:rw")
    for user in ((), ("--user", "1234")):
        shell(box, name, "ls -l /dev/made | cut -c 1-10; head -c 2 /dev/made | wc -c; echo x > /dev/made", *user, code=1, says="No space left")


@action("buildah")
def user_namespace_of_a_working_container(box):
    # Layers are copied for each mapping.
    first = {"tested": 100000, "peer": 300000}[box.runtime]
    name = working(box, "--userns-uid-map", f"0:{first}:5000", "--userns-gid-map", f"0:{first + 50000}:5000")
    said = shell(box, name, "cat /proc/self/uid_map /proc/self/gid_map | tr -s ' '; id -u; stat -c %u:%g /etc; touch /etc/new; stat -c %u /etc/new; "
                 "grep Cap /proc/self/status; cat /proc/self/setgroups", silent=True)
    assert said.startswith(f" 0 {first} 5000\n 0 {first + 50000} 5000\n0\n0:0\n0\n"), said
    box.saw(said.splitlines()[2:])


# -- options of `run`
@action("buildah")
def mounts_of_a_command(box):
    folder = box.folder / "shared"
    folder.mkdir()
    (folder / "file").write_text("from the host\n")
    said = shell(box, working(box), "cat /data/file; grep ' /data \\| /scratch ' /proc/self/mountinfo | cut -d ' ' -f 5,6 | sort; "
                 "df -k /scratch | tail -1 | tr -s ' ' | cut -d ' ' -f 2; touch /scratch/new && touch /data/new",
                 "--mount", f"type=bind,source={folder},target=/data,ro", "--mount", "type=tmpfs,destination=/scratch,tmpfs-size=64k",
                 code=1, says="Read-only file system")
    assert said.startswith("from the host\n/data ro,") and said.endswith("\n64\n"), said
    box.saw(said)


@action("buildah")
def mounts_are_gone_with_their_command(box):
    """Their places stay: empty, or not at all."""
    (box.folder / "shared").mkdir()
    (box.folder / "shared/file").write_text("")
    name = working(box)
    shell(box, name, "ls /data /tool", "--volume", f"{box.folder}/shared:/data", "--volume", f"{box.folder}/shared/file:/tool")
    said = shell(box, name, "ls -A /data; stat -c %u:%g:%F /data /tool; wc -c < /tool; mount | grep -c '/data\\|/tool'", code=1)
    assert said == "0:0:directory\n0:0:regular empty file\n0\n0\n", said


@action("buildah")
def isolation_by_the_runtime(box):
    said = shell(box, working(box), "echo $$; cat /proc/1/comm; ls /proc | grep -c '^[0-9]'", "--isolation", "oci")
    assert said.startswith("1\nsh\n")


@action("buildah")
def namespaces_of_the_host(box):
    name = working(box)
    for kind, file in (("network", "net"), ("ipc", "ipc"), ("uts", "uts"), ("pid", "pid")):
        here = os.readlink(f"/proc/self/ns/{file}")
        assert shell(box, name, f"readlink /proc/self/ns/{file}", f"--{kind}", "host", silent=True) == f"{here}\n"
        assert shell(box, name, f"readlink /proc/self/ns/{file}", silent=True) != f"{here}\n"
        box.saw(kind)


@action("buildah")
def no_network(box):
    said = shell(box, working(box), "ls /sys/class/net /proc/sys/net/ipv4/conf; cat /proc/net/route | wc -l", "--network", "none")
    assert "lo" in said and "eth0" not in said


@action("buildah")
def network_of_a_path(box):
    """A namespace that somebody else made."""
    with subprocess.Popen(["unshare", "--net", "sh", "-c", "ip link set lo up; echo up; exec sleep 1000"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True) as other:
        box.engine.host.commands[other.pid] = other
        try:
            assert other.stdout.readline() == "up\n"
            path = f"/proc/{other.pid}/ns/net"
            said = shell(box, working(box), "readlink /proc/self/ns/net; ip addr show lo | grep -c 127.0.0.1", "--network", f"ns:{path}",
                         silent=True)
            assert said == f"{os.readlink(path)}\n1\n"
            box.saw(said.splitlines()[1])
        finally:
            other.kill()
            other.wait()
            box.engine.host.commands.pop(other.pid)


@action("buildah")
def without_pivot_root_in_a_working_container(box):
    assert shell(box, working(box), "ls -1 /; touch /new && echo written", "--no-pivot").endswith("written\n")


@action("buildah")
def hosts_of_the_images_own(box):
    name = working(box)
    assert "127.0.0.1" in shell(box, name, "cat /etc/hosts; hostname", "--hostname", "crate")
    shell(box, name, "cat /etc/hosts; grep -c ' /etc/hosts ' /proc/self/mountinfo", "--no-hosts", code=1)


@action("buildah")
def history_of_commands(box):
    name = working(box)
    inside(box, name, "touch", "/one", options=["--add-history"])
    inside(box, name, "touch", "/two")
    image = f"localhost/{box.new_name()}"
    box.type("commit", "--quiet", name, image)
    told = json.loads(box.type("inspect", "--type", "image", image, silent=True))["OCIv1"]["history"]
    box.saw([entry.get("created_by", "") for entry in told])
    assert any("touch /one" in entry.get("created_by", "") for entry in told), told
    assert not any("touch /two" in entry.get("created_by", "") for entry in told), told
    box.type("rmi", "--force", image, says="")


@action("buildah")
def options_of_the_runtimes_own(box):
    """`--runtime-flag` goes before the runtime's command."""
    log = box.folder / "log"
    said = shell(box, working(box), "echo hello", "--runtime-flag", f"log={log}", "--runtime-flag", "log-format=json")
    assert said == "hello\n" and all(json.loads(line)["msg"] for line in log.read_text().splitlines())
    name = working(box)
    inside(box, name, "nosuch", options=["--runtime-flag", f"log={log}", "--runtime-flag", "log-format=json"], code=1, says="")
    errors = [json.loads(line) for line in log.read_text().splitlines()]
    assert any(entry["level"] == "error" and "nosuch" in entry["msg"] for entry in errors), errors


# -- a working container's configuration, and the image that becomes of it
@action("buildah")
def configured_user_environment_and_folder(box):
    name = working(box)
    box.type("config", "--user", "app", "--env", "A=b c", "--env", "FROM_IMAGE=no", "--workingdir", "/not/there", "--hostname", "crate", name)
    see = "id -un; echo $A $FROM_IMAGE; pwd; stat -c %a:%u:%g ."
    assert shell(box, name, see) == "app\nb c no\n/not/there\n755:1000:1000\n"
    assert shell(box, name, see, "--user", "root", "--env", "A=other", "--workingdir", "/tmp").startswith("root\nother no\n/tmp\n")


@action("buildah")
def configured_entry_point(box):
    """It is the image's: `run` neither uses it nor the image's command."""
    name = working(box)
    box.type("config", "--entrypoint", '["echo", "entry"]', "--cmd", "command", name)
    assert inside(box, name, "echo", "own") == "own\n"
    box.type("run", "--runtime", box.program, name, code=None, says="command must be specified")


@action("buildah")
def configured_volume(box):
    """Holds what the image has there, and keeps what a command writes no longer than it."""
    name = working(box)
    shell(box, name, "mkdir /data; echo first > /data/file; chown 5:6 /data")
    box.type("config", "--volume", "/data", name)
    said = shell(box, name, "cat /data/file; stat -c %u:%g /data; grep -c ' /data ' /proc/self/mountinfo; echo second > /data/other")
    assert said == "first\n5:6\n1\n"
    shell(box, name, "ls /data")


@action("buildah")
def commands_that_build_on_each_other(box):
    name = working(box)
    (box.folder / "in").write_text("copied\n")
    (box.folder / "in").chmod(0o640)
    box.type("copy", "--quiet", "--chown", "5:6", name, box.folder / "in", "/data/in", silent=True)
    shell(box, name, "cat /data/in; stat -c %u:%g:%a /data/in; echo more >> /data/in; ln -s in /data/link; rm -r /home; mkfifo /data/fifo")
    assert shell(box, name, "cat /data/link; ls /data; ls -d /home || echo none", says="No such file") == "copied\nmore\nfifo\nin\nlink\nnone\n"
    root = box.type("mount", name, silent=True).strip()
    with open(f"{root}/data/in", encoding="ascii") as file:
        assert file.read() == "copied\nmore\n"
    with open(f"{root}/data/host", "w", encoding="ascii") as file:
        file.write("written outside\n")
    assert inside(box, name, "cat", "/data/host") == "written outside\n"
    box.type("umount", name, says="")


@action("buildah")
def committed_image(box):
    """With what the runtime itself leaves in it: nothing but the places of its mounts."""
    name = working(box, "--volume", f"{box.folder}:/given/deep:ro")
    shell(box, name, "echo text > /made; chown 5:6 /made; chmod 4755 /made", "--mount", "type=tmpfs,destination=/scratch")
    box.type("config", "--user", "1234", "--workingdir", "/tmp", "--env", "KEPT=yes", name)
    image = f"localhost/{box.new_name()}"
    box.type("commit", "--quiet", name, image)
    other = working(box, image=image)
    said = shell(box, other, "id -u; pwd; echo $KEPT; cat /made; stat -c %a:%u:%g /made; "
                 "find / -xdev -newer /etc/passwd | grep -v '^/proc\\|^/sys' | sort; ls -1A /", code=None, says="1234\n/tmp\nyes\ntext\n4755:5:6\n")
    box.saw(re.sub(r"(?m)^/tmp/.*\n", "", said))
    box.type("rm", other, says="")
    box.type("rmi", "--force", image, says="")


@action("buildah")
def removal_of_a_working_container(box):
    name = working(box)
    inside(box, name, "touch", "/made")
    box.type("rm", name, says="")
    inside(box, name, "true", code=125, says=name)
    assert name not in box.type("containers", "--format", "{{.ContainerName}}", silent=True)


# -- bud
@action("buildah")
def arguments_environment_user_and_folder_of_steps(box):
    told = build(box, "ARG WORD=none\nENV A=b\nWORKDIR /not/there\nRUN echo $WORD $A > made; chown 5:6 made\nUSER 1234:5678\n"
                      "RUN id -u; id -g; pwd; cat made; stat -c %u:%g made; touch /mine 2>/dev/null || echo refused", "--build-arg", "WORD=given")
    assert told == ["1234", "5678", "/not/there", "given b", "5:6", "refused"]


@action("buildah")
def step_without_a_shell_and_with_another(box):
    assert build(box, 'RUN ["echo", "a b", "$c"]\nSHELL ["/bin/sh", "-x", "-c"]\nRUN echo word 2>&1') == ["a b $c", "word"]


@action("buildah")
def what_a_step_of_bud_finds(box):
    told = build(box, "RUN id; umask; pwd; env | grep -v HOSTNAME | sort; ulimit -a; cat /proc/self/oom_score_adj; cat /proc/1/comm; "
                      "grep 'Cap\\|NoNew\\|Seccomp:\\|Groups\\|Sig[BC]' /proc/self/status; "
                      "stat -c '%n %A %u:%g' / /dev /proc /sys /tmp; ls -l /dev | tr -s ' ' | cut -d ' ' -f 1-6; "
                      "cut -d ' ' -f 5 /proc/self/mountinfo | sort; ls /proc/self/fd | grep -c .; ls -1A /")
    assert any("uid=0" in line for line in told) and "FROM_IMAGE=yes" in told


@action("buildah")
def stages(box):
    told = build(box, f"RUN echo first > /made\nFROM {box.engine.image} AS second\nCOPY --from=first /made /from-first\n"
                      "RUN cat /from-first > /both; echo second >> /both\n"
                      f"FROM {box.engine.image} AS unused\nRUN echo never; exit 1\n"
                      f"FROM {box.engine.image}\nCOPY --from=second /both /\nRUN cat /both; ls /made || echo clean",
                 start=f"FROM {box.engine.image} AS first", says="first\nsecond")
    assert "clean" in told and "never" not in told


@action("buildah")
def stage_of_ones_choice(box):
    told = build(box, f"RUN echo one\nFROM {box.engine.image} AS two\nRUN echo two\nFROM two\nRUN echo three", "--target", "two",
                 start=f"FROM {box.engine.image} AS one")
    assert told == ["two"]


@action("buildah")
def stages_side_by_side(box):
    """buildah gives `--cgroup-parent` itself to all of them, so they would have one cgroup."""
    numbered = "".join(f"FROM {box.engine.image} AS stage{number}\nRUN echo {number} > /number\n" for number in range(3))
    copies = "".join(f"COPY --from=stage{number} /number /number{number}\n" for number in range(3))
    told = build(box, f"{copies}RUN cat /number?", "--jobs", "3", start=f"{numbered}FROM {box.engine.image}", says="0\n1\n2\n", parent=False)
    assert told[-3:] == ["0", "1", "2"], told


@action("buildah")
def mounts_of_steps(box):
    (box.folder / "context-file").write_text("of the context\n")
    (box.folder / "secret").write_text("a secret\n")
    told = build(box, "RUN --mount=type=tmpfs,target=/scratch touch /scratch/a; grep -c ' /scratch .* tmpfs ' /proc/self/mountinfo\n"
                      "RUN --mount=type=secret,id=word cat /run/secrets/word; stat -c %a:%u /run/secrets/word\n"
                      "RUN --mount=type=bind,target=/context cat /context/context-file; touch /context/new 2>/dev/null || echo read-only\n"
                      "RUN ls /scratch /context /run/secrets 2>/dev/null; echo end", "--secret", f"id=word,src={box.folder}/secret")
    assert told[:5] == ["1", "a secret", "400:0", "of the context", "read-only"] and told[-1] == "end", told


@action("buildah")
def cache_between_steps(box):
    """One folder for all steps that name it, and not in the image."""
    cache = f"--mount=type=cache,target=/cache,id={box.new_name()}"
    told = build(box, f"RUN {cache} cat /cache/file 2>/dev/null; echo kept > /cache/file\nRUN {cache} cat /cache/file\n"
                      "RUN cat /cache/file 2>/dev/null || echo none")
    assert told == ["kept", "none"]


@action("buildah")
def bind_from_another_stage(box):
    told = build(box, "RUN mkdir /out; echo built > /out/file\n"
                      f"FROM {box.engine.image}\nRUN --mount=type=bind,from=first,source=/out,target=/in cat /in/file; ls -d /out || echo none",
                 start=f"FROM {box.engine.image} AS first", says="built")
    assert told[-2:] == ["built", "none"]


@action("buildah")
def networks_of_steps(box):
    show = "RUN readlink /proc/self/ns/net; ls /sys/class/net"
    here = os.readlink("/proc/self/ns/net")
    assert build(box, show, "--network", "host")[0] == here
    for network in ("none", "private"):
        told = build(box, show, "--network", network, says="net:[")
        assert here not in told and "lo" in told and ("eth0" in told) == (network == "private"), told


@action("buildah")
def limits_of_steps(box):
    told = build(box, f"RUN ulimit -n; df -k /dev/shm | tail -1 | tr -s ' ' | cut -d ' ' -f 2; {either('memory/memory.limit_in_bytes', 'memory.max')}",
                 "--ulimit", "nofile=300:300", "--ulimit", "nproc=500:500", "--memory", "64m", "--shm-size", "2m")
    assert told == ["300", "2048", str(64 << 20)]


@action("buildah")
def volumes_and_names_of_steps(box):
    (box.folder / "shared").mkdir()
    (box.folder / "shared/file").write_text("from the host\n")
    told = build(box, "RUN cat /data/file; grep -c 10.9.8.7 /etc/hosts; grep Cap /proc/self/status; touch /data/new",
                 "--volume", f"{box.folder}/shared:/data:ro", "--add-host", "other:10.9.8.7", "--network", "private", "--cap-add", "CAP_NET_ADMIN",
                 "--cap-drop", "CAP_CHOWN", code=1, says="Read-only file system")
    assert told[:2] == ["from the host", "1"] and int(status_of("\n".join(told), "CapEff"), 16) & (1 << 12 | 1) == 1 << 12


@action("buildah")
def steps_from_the_cache(box):
    """A step is the runtime's to run once only, unless one before it changes."""
    log = box.folder / "log"
    log.touch()
    log.chmod(0o666)
    mark = box.new_name()

    def built(word, *options):
        build(box, f"ENV MARK={mark}\nRUN echo one >> /log\nENV WORD={word}\nRUN echo $WORD >> /log; test -e /log", "--layers", "--volume", f"{log}:/log",
              "--tag", f"localhost/{mark}", *options, cached=True, says="")
        return log.read_text().split()

    assert built("two") == ["one", "two"]
    assert built("two") == ["one", "two"]
    assert built("three") == ["one", "two", "three"]
    box.saw(log.read_text())
    box.type("rmi", "--force", f"localhost/{mark}", silent=True, code=None)


@action("buildah")
def image_with_all_that_steps_leave(box):
    """Nothing of the runtime's but the places of its mounts."""
    file = box.folder / "out.tar"
    build(box, "RUN mkdir -p /data/deep; echo text > /data/deep/file; ln -s file /data/deep/link; chmod 4755 /data/deep/file\n"
               "RUN --mount=type=tmpfs,target=/not/there rm /etc/group", "--output", f"type=tar,dest={file}")
    listed = subprocess.run(["tar", "--list", "--verbose", "--numeric-owner", "--file", file], capture_output=True, text=True, check=True, timeout=30)
    box.saw(re.sub(r" +(\d+) \d{4}-\d\d-\d\d \d\d:\d\d", r" \1 <time>", listed.stdout))
    assert "data/deep/link" in listed.stdout and "etc/group" not in listed.stdout


@action("buildah")
def built_image_that_runs(box):
    image = f"localhost/{box.new_name()}"
    build(box, "RUN echo 'builder:x:4321:4321::/:/bin/sh' >> /etc/passwd\nRUN echo 'echo tool $A' > /bin/tool; chmod +x /bin/tool\n"
               "ENV A=b\nUSER builder\nWORKDIR /var", "--tag", image, says="")
    name = working(box, image=image)
    assert shell(box, name, "sh /bin/tool; id -u; pwd") == "tool b\n4321\n/var\n"
    box.type("rm", name, says="")
    box.type("rmi", "--force", image, says="")


@action("buildah")
def steps_that_fail(box):
    for step, code, says in (("echo before; exit 3", 3, ["before", "exit status 3"]), ("sh -c 'kill -KILL $$'; exit $?", 137, "exit status 137"),
                             ("nosuch", 127, ["nosuch: not found", "exit status 127"]), ("/etc/passwd", 126, "exit status 126")):
        build(box, f"RUN {step}\nRUN echo never", code=code, says=says)
    assert "never" not in box.engine.call(box, ["images"]).stdout


@action("buildah")
def steps_that_cannot_begin(box):
    for step, says in (('RUN ["nosuch"]', ["nosuch", "executable file not found in $PATH"]),
                       ('RUN ["/nosuch/file"]', ["/nosuch/file", "no such file or directory"]),
                       ('RUN ["/etc/passwd"]', ["/etc/passwd", "ermission denied"]), ("USER nosuch\nRUN true", ["nosuch", "unknown user"])):
        build(box, step, code=None, says=says)
        assert box.seen[-1][0] not in (0, None)


@action("buildah")
def interrupted_build_with_bud(box):
    """Nothing of the step stays, which is looked at after every action."""
    file, log = box.folder / "Containerfile", box.folder / "log"
    file.write_text(f"FROM {box.engine.image}\nRUN echo rea''dy; {LOOP}\n")
    interrupted(box, ["bud", *box.engine.build_words(box), "--file", file, box.folder], log)
    build(box, "RUN echo alive", says="alive")


@action("buildah")
def interrupted_command(box):
    name = working(box)
    interrupted(box, inside_words(box, name, ["sh", "-c", f"echo rea''dy; {LOOP}"], []), box.folder / "log")
    assert inside(box, name, "echo", "alive") == "alive\n"


def interrupted(box, words, log):
    """A command that is told to end when it has written that it is ready. Only buildah is told: ^C at a
    terminal may also end a command of the runtime's that it awaits, and then it leaves the container. With runc it does so now and
    then all the same, and ends with 255 instead of 1: only the tested runtime's is interrupted."""
    if box.runtime == "peer":
        return
    with log.open("wb") as output:
        client = subprocess.Popen([str(word) for word in box.engine.command(box, *words)], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                  env=box.engine.environment, start_new_session=True)
    box.engine.host.commands[client.pid] = client
    try:
        box.waits_for(lambda: "ready\n" in log.read_text(), "it runs")
        client.send_signal(signal.SIGINT)
        assert client.wait(15 * SLOWNESS) == 1
    finally:
        client.kill()
        client.wait()
        box.engine.host.commands.pop(client.pid)


# -- what goes wrong
@action("buildah")
def mounts_of_what_is_missing(box):
    name = working(box)
    inside(box, name, "true", options=["--volume", f"{box.folder}/nosuch:/data"], code=None, says=["nosuch", "no such file or directory"])
    assert box.seen[-1][0] > 0
    inside(box, name, "true", options=["--mount", f"type=bind,source={box.folder}/nosuch,target=/data"], code=None,
           says=["nosuch", "no such file or directory"])
    assert box.seen[-1][0] > 0
    assert inside(box, name, "echo", "alive") == "alive\n"


@action("buildah")
def unknown_user_and_bad_folder(box):
    name = working(box)
    inside(box, name, "true", options=["--user", "nosuch"], code=None, says=["nosuch", "unknown user"])
    assert box.seen[-1][0] > 0
    inside(box, name, "true", options=["--workingdir", "/etc/passwd/x"], code=None, says="ot a directory")
    assert box.seen[-1][0] > 0
    inside(box, name, "true", options=["--network", "ns:/nosuch"], code=None, says=["/nosuch", "no such file or directory"])
    assert box.seen[-1][0] > 0
    assert inside(box, name, "echo", "alive") == "alive\n"


@action("buildah")
def limit_above_the_kernels(box):
    once(box, "true", "--ulimit", "nofile=100000000000:100000000000", code=None, says="not permitted")  # more than any kernel's own
    assert box.seen[-1][0] > 0


@action("buildah")
def modes_of_places_of_mounts(box):
    """They are made where there are none, and become a part of the image."""
    (box.folder / "file").write_text("")
    (box.folder / "folder").mkdir()
    name = working(box)
    inside(box, name, "true", options=["--volume", f"{box.folder}/file:/new/file", "--volume", f"{box.folder}/folder:/new/folder"])
    assert shell(box, name, "stat -c '%a %u:%g %F' /new/folder /new/file /new").startswith("755 0:0 directory\n")
