# SPDX-License-Identifier: Apache-2.0
"""What only `ctr` types to containerd: its options, tasks apart from their containers, specifications of the user's own."""

import base64
import json
import os
import signal
import stat
import subprocess
import time

import cgroups
import kernel
from actions import action, status_of
from deadline import SLOWNESS

SLEEP = ("sleep", "1000")
LOOP = "while :; do sleep 0.05; done"
STOPPED = "stopped"


def fact(box, name, *path):
    """A field of `ctr container info`."""
    value = json.loads(box.type("container", "info", name, silent=True))
    for key in path:
        value = value[key]
    return value


def pid_of(box, name):
    """Of the task, as the daemon's namespace of processes has it."""
    lines = box.type("task", "ls", silent=True).splitlines()
    return next(int(line.split()[1]) for line in lines if line.split()[0] == name)


def cgroup_files(box, path, *names):
    """What stands in files of a cgroup, in whichever hierarchy: `ctr` mounts none in a container."""
    return {file.name: file.read_text().strip() for _, root in cgroups.hierarchies() for file in root.glob(f"{path}/*") if file.name in names}


def logged(box, *command, **options):
    """A container in the background that writes to a file: its name and the file."""
    name = box.new_name()
    words = box.engine.run_words(box, name, command, options, detach=True)
    at = words.index("--null-io")
    log = box.folder / f"log-{name}"
    box.type(*words[:at], "--log-uri", f"file://{log}", *words[at + 1:])
    return name, log


def writes(box, log, text):
    box.waits_for(lambda: log.exists() and text in log.read_text(), f"it writes {text!r}")


def ends(box, name):
    box.reaches(name, STOPPED)


def taskless(box, *command, ends_itself=True, **options):
    """A container without a task. `ctr container create` takes no runtime's path: the container's first task is one that `run` made."""
    name = box.start(*command, **options)
    if ends_itself:
        ends(box, name)
    box.verb("remove", name, code=None, silent=True)
    return name


def deleted(box, name, code):
    """The task; how it ended is in what `ctr` says."""
    box.type("task", "rm", name, says=f"non-zero exit code {code}" if code else None)
    assert box.status(name) == ""


def start_words(box, name, *how):
    return ["task", "start", "--fifo-dir", box.engine.folder, *how, name]


def unpacked_image(box):
    """The image's root file system as a folder."""
    folder = box.folder / "rootfs"
    folder.mkdir()
    tar = box.engine.folder.parent / "image/busybox.tar"
    subprocess.run(["tar", "--extract", "--file", tar, "--directory", folder], check=True, timeout=30)
    return folder


def specification(box, name, *args):
    """A configuration of the user's own, with a root file system, for `--config`."""
    kinds = ("pid", "mount", "ipc", "uts", "network")
    return {
        "ociVersion": "1.0.2", "root": {"path": str(unpacked_image(box))}, "hostname": "own",
        "process": {"args": list(args), "cwd": "/", "env": ["PATH=/bin:/usr/bin", "OF=config"], "user": {"uid": 0, "gid": 0}},
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
                   {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]}],
        "linux": {"namespaces": [{"type": kind} for kind in kinds], "cgroupsPath": f"/{box.engine.token}/{name}"},
    }


def run_configured(box, change, *args, **expected):
    """`ctr run --config`, after a change to the specification; what it wrote."""
    name = box.new_name()
    given = specification(box, name, *args)
    change(given)
    file = box.folder / "config.json"
    file.write_text(json.dumps(given))
    return box.type("run", "--rm", "--runtime", "io.containerd.runc.v2", "--runc-binary", box.program, "--fifo-dir", box.engine.folder,
                    "--config", file, name, **expected)


# -- options of `run`
@action("containerd")
def environment_from_a_file(box):
    file = box.folder / "env"
    file.write_text("FIRST=a b\nSECOND=2\n")
    said = box.sh("env | sort", others=["--env-file", file])
    assert "FIRST=a b\n" in said and "SECOND=2\n" in said


@action("containerd")
def shares_and_quota(box):
    name = box.start(*SLEEP, others=["--cpu-shares", "512", "--cpu-quota", "30000", "--cpu-period", "60000"])
    found = cgroup_files(box, f"{box.engine.token}/{name}", "cpu.shares", "cpu.cfs_quota_us", "cpu.cfs_period_us", "cpu.weight", "cpu.max")
    assert {"512", "30000", "60000"} == set(found.values()) or found["cpu.max"] == "30000 60000", found
    box.saw(*(f"{key}: {text}" for key, text in sorted(found.items())))


@action("containerd")
def cgroup_of_ones_choice(box):
    place = f"{box.engine.token}/{box.new_name()}"
    name = box.start(*SLEEP, others=["--cgroup", f"/{place}", "--memory-limit", 48 << 20])
    found = cgroup_files(box, place, "memory.limit_in_bytes", "memory.max", "cgroup.procs")
    assert str(48 << 20) in found.values() and found["cgroup.procs"], found
    box.verb("remove", name)
    box.waits_for(lambda: not cgroup_files(box, place, "cgroup.procs"), "the cgroup is gone")


@action("containerd")
def labels_and_annotations(box):
    name = box.start(*SLEEP, others=["--label", "role=web", "--annotation", "org.example.size=5", "--annotation", "org.example.kind=a b"])
    assert fact(box, name, "Labels")["role"] == "web"
    annotations = fact(box, name, "Spec", "annotations")
    assert annotations == {"org.example.size": "5", "org.example.kind": "a b", "role": "web"}, annotations
    inside = box.engine.daemons[0].inside()[0]
    told = subprocess.run(["nsenter", "--target", str(inside), "--mount", "--pid", box.program, "--root",
                           f"/run/containerd/runc/{box.engine.token}", "state", name], capture_output=True, text=True, check=True, timeout=30)
    state = json.loads(told.stdout)
    assert state["annotations"].items() >= annotations.items(), state
    box.saw(state["status"], state["annotations"], state["pid"] == pid_of(box, name))


@action("containerd")
def network_of_the_host(box):
    said = box.sh("readlink /proc/self/ns/net; hostname; cat /etc/hosts", others=["--net-host"])
    assert said.startswith(os.readlink("/proc/self/ns/net") + "\n" + os.uname().nodename + "\n")


@action("containerd")
def namespaces_of_another_task(box):
    name = box.start("sh", "-c", "hostname theirs; exec sleep 1000", others=["--cap-add", "CAP_SYS_ADMIN"])
    kinds = {"network": "net", "pid": "pid", "ipc": "ipc", "uts": "uts"}
    joined = [word for kind, file in kinds.items() for word in ("--with-ns", f"{kind}:/proc/{pid_of(box, name)}/ns/{file}")]
    show = "hostname; ps -o args | grep -c '[s]leep 1000'; " + "; ".join(f"readlink /proc/self/ns/{file}" for file in kinds.values())
    box.waits_for(lambda: box.type(*box.engine.exec_words(box, name, ["hostname"], {}), silent=True) == "theirs\n", "it has a name")
    theirs = box.type(*box.engine.exec_words(box, name, ["sh", "-c", show], {}), silent=True)
    ours = box.type(*box.engine.run_words(box, box.new_name(), ["sh", "-c", show], {"others": joined}), silent=True)
    assert ours == theirs and ours.startswith("theirs\n1\n"), (ours, theirs)
    apart = box.sh("hostname; ps -o args | grep -c '[s]leep 1000'; true")
    assert "theirs" not in apart
    box.saw(ours.splitlines()[:2])


@action("containerd")
def namespace_that_is_not_there(box):
    box.run("true", others=["--with-ns", f"network:{box.folder}/nosuch"], code=None, says=["nosuch", "no such file or directory"])
    assert box.seen[-1][0] != 0


@action("containerd")
def user_namespace(box):
    first = {"tested": 100000, "peer": 300000}[box.runtime]  # of one image containerd remaps a snapshot for each mapping
    words = box.engine.run_words(box, box.new_name(), [
        "sh", "-c", "cat /proc/self/uid_map /proc/self/gid_map | tr -s ' '; id -u; stat -c %u:%g /etc; touch /new; stat -c %u /new; "
        "grep Cap /proc/self/status; chown 6000 /new || echo unmapped"],
        {"others": ["--uidmap", f"0:{first}:5000", "--gidmap", f"0:{first + 50000}:5000"]})
    said = box.type(*words, silent=True)
    assert said.startswith(f" 0 {first} 5000\n 0 {first + 50000} 5000\n0\n0:0\n0\n") and said.endswith("unmapped\n"), said
    box.saw(said.splitlines()[2:])


@action("containerd")
def file_with_the_process_id(box):
    file = box.folder / "pid"
    name = box.start(*SLEEP, others=["--pid-file", file])
    assert int(file.read_text()) == pid_of(box, name)


@action("containerd")
def folder_of_states(box):
    """The runtime's `--root`, below which containerd has a folder for each of its namespaces."""
    folder = box.folder / "states"
    name = box.start(*SLEEP, others=["--runc-root", folder])
    assert name in os.listdir(folder / box.engine.token)
    assert box.exec(name, "echo", "alive") == "alive\n"
    box.verb("remove", name)
    box.waits_for(lambda: name not in os.listdir(folder / box.engine.token), "its state is gone")


@action("containerd")
def without_pivot_root(box):
    assert "FROM_IMAGE=yes\n" in box.sh("env; ls -1 /; touch /new && echo written", others=["--no-pivot"])


@action("containerd")
def devices(box):
    """One, and a folder of them."""
    folder = box.folder / "nodes"
    folder.mkdir()
    for name, minor in (("zero", 5), ("full", 7)):
        os.mknod(folder / name, 0o666 | stat.S_IFCHR, os.makedev(1, minor))
        (folder / name).chmod(0o666)
    said = box.sh(f"cd {folder}; ls -1 . | sort; head -c 3 zero | wc -c", others=["--device", folder / "zero"])
    assert said == "zero\n3\n"
    said = box.sh(f"cd {folder}; ls -l full zero | cut -c 1-10; head -c 3 zero | wc -c; echo x > full", others=["--device", folder],
                  code=1, says="No space left")
    assert said == "crw-rw-rw-\ncrw-rw-rw-\n3\n"


@action("containerd")
def device_that_is_refused(box):
    """A node that somebody makes, who was not given the device."""
    said = box.sh("mknod /made c 1 11; head -c 1 /made", code=1, says="Operation not permitted")
    assert said == ""


@action("containerd")
def allowed_new_privileges(box):
    assert status_of(box.sh("grep NoNewPrivs /proc/self/status", others=["--allow-new-privs"]), "NoNewPrivs") == "0"


@action("containerd")
def seccomp_by_default(box):
    """containerd's own profile depends on the capabilities."""
    see = "grep Seccomp: /proc/self/status; chroot / echo rooted; mount -t tmpfs t /tmp 2>/dev/null; echo $?"
    assert status_of(box.sh(see, others=["--seccomp"]), "Seccomp") == "2"
    said = box.sh(see, others=["--seccomp", "--cap-add", "CAP_SYS_ADMIN"])
    assert said.splitlines()[-1] == "0"


@action("containerd")
def propagation_of_a_mount(box):
    (box.folder / "shared").mkdir()
    see = "grep ' /data ' /proc/self/mountinfo | grep -o 'shared:\\|master:'; true"
    for how, seen in (("rshared", "shared:\n"), ("rprivate", ""), ("rslave", "")):
        assert box.sh(see, others=["--mount", f"type=bind,src={box.folder}/shared,dst=/data,options=rbind:{how}"]) == seen


@action("containerd")
def options_of_mounts(box):
    folder = box.folder / "shared"
    folder.mkdir()
    (folder / "tool").write_text("#!/bin/sh\necho run\n")
    (folder / "tool").chmod(0o755)
    said = box.sh("grep ' /data \\| /scratch ' /proc/self/mountinfo | cut -d ' ' -f 5,6 | sort; stat -c %a:%u /scratch; "
                  "df -k /scratch | tail -1 | tr -s ' ' | cut -d ' ' -f 2; touch /data/new; /data/tool",
                  others=["--mount", f"type=bind,src={folder},dst=/data,options=rbind:ro:nosuid:nodev:noexec",
                          "--mount", "type=tmpfs,src=tmpfs,dst=/scratch,options=size=64k:mode=1770:uid=5:noatime"],
                  code=126, says=["Read-only file system", "ermission denied"])
    assert said.splitlines()[0].startswith("/data ro,nosuid,nodev,noexec") and said.splitlines()[2:] == ["1770:5", "64"], said


@action("containerd")
def mount_over_a_mount(box):
    """In the order in which they were given, targets made where there are none."""
    (box.folder / "one").mkdir()
    (box.folder / "file").write_text("given\n")
    said = box.sh("cat /not/there/deep/file; find /not | sort; stat -c %a /not/there/deep",
                  others=["--mount", f"type=bind,src={box.folder}/one,dst=/not/there,options=rbind:rw",
                          "--mount", "type=tmpfs,src=tmpfs,dst=/not/there/deep,options=mode=700",
                          "--mount", f"type=bind,src={box.folder}/file,dst=/not/there/deep/file,options=bind:ro"])
    assert said == "given\n/not\n/not/there\n/not/there/deep\n/not/there/deep/file\n700\n"


@action("containerd")
def working_directory_that_is_made(box):
    assert box.sh("pwd; stat -c %a:%u:%g .", others=["--cwd", "/not/there"]) == "/not/there\n755:0:0\n"


@action("containerd")
def read_only_root_with_a_place_to_write(box):
    said = box.sh("touch /tmp/file && echo there; touch /file", read_only=True, tmpfs="/tmp", code=1, says="Read-only file system")
    assert said == "there\n"


@action("containerd")
def folder_as_the_root(box):
    """Without an image: what is written stays in the folder."""
    folder, name = unpacked_image(box), box.new_name()
    words = [word if word != box.engine.image else folder for word in
             box.engine.run_words(box, name, ["/bin/sh", "-c", "pwd; echo text > /written; id -un"], {"others": ["--rootfs"]})]
    assert box.type(*words) == "/\nroot\n"
    assert (folder / "written").read_text() == "text\n"


# -- specifications
@action("containerd")
def specification_of_ones_own(box):
    def change(given):
        given["process"] |= {"user": {"uid": 1234, "gid": 5678, "additionalGids": [77], "umask": 0o27}, "oomScoreAdj": 400, "cwd": "/tmp",
                             "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 300, "hard": 400}], "noNewPrivileges": True}
        given["linux"] |= {"sysctl": {"kernel.msgmax": "4321"}, "maskedPaths": ["/proc/version"], "readonlyPaths": ["/proc/sys"],
                           "resources": {"pids": {"limit": 25}}}

    said = run_configured(box, change, "sh", "-c",
                          "id -u; id -g; id -G; umask; pwd; hostname; echo $OF; ulimit -Sn; ulimit -Hn; cat /proc/self/oom_score_adj "
                          "/proc/sys/kernel/msgmax /proc/version; grep -c ' /proc/sys ro,' /proc/self/mountinfo; grep NoNew /proc/self/status")
    assert said.split()[:6] == ["1234", "5678", "5678", "77", "0027", "/tmp"] and "\n400\n4321\n1\n" in said, said


@action("containerd")
def hooks_of_a_specification(box):
    log = box.folder / "hooks"

    def change(given):
        script = "cat > /dev/null; echo $0 $WORD >> $1"
        given["hooks"] = {kind: [{"path": "/bin/sh", "args": ["sh", "-c", script, kind, str(log)], "env": [f"WORD={kind[0]}"]}]
                          for kind in ("prestart", "createRuntime", "createContainer", "poststart", "poststop")}

    assert run_configured(box, change, "echo", "hello") == "hello\n"
    said = log.read_text()
    assert said.split() == ["prestart", "p", "createRuntime", "c", "createContainer", "c", "poststart", "p", "poststop", "p"]
    box.saw(said)


@action("containerd")
def hook_that_fails(box):
    def change(given):
        given["hooks"] = {"prestart": [{"path": "/bin/sh", "args": ["sh", "-c", "echo 'it complains' >&2; exit 3"]}]}

    assert run_configured(box, change, "echo", "hello", code=None, says=["hook", "it complains", "exit status 3"]) == ""
    assert box.seen[-1][0] != 0


@action("containerd")
def specifications_that_are_wrong(box):
    def without_root(given):
        given["root"]["path"] = f"{box.folder}/nosuch"

    def with_an_unknown_limit(given):
        given["process"]["rlimits"] = [{"type": "RLIMIT_NOSUCH", "soft": 1, "hard": 1}]

    run_configured(box, without_root, "true", code=None, says=["nosuch", "no such file or directory"])
    codes = [box.seen[-1][0]]
    (box.folder / "rootfs").rename(box.folder / "before")
    run_configured(box, with_an_unknown_limit, "true", code=None, says="RLIMIT_NOSUCH")
    assert 0 not in [*codes, box.seen[-1][0]]


# -- tasks and containers
@action("containerd")
def container_and_then_task(box):
    name = taskless(box, "sh", "-c", "echo hello; exit 6", env=["A=b"])
    assert box.status(name) == "" and name in box.type("container", "ls", "--quiet", silent=True).splitlines()
    for _ in range(2):  # the task goes when `start` ends in the foreground; the container stays
        assert box.type(*start_words(box, name), code=6) == "hello\n"
        assert box.status(name) == ""
    box.type("container", "rm", name)
    assert name not in box.type("container", "ls", "--quiet", silent=True)


@action("containerd")
def files_that_stay_between_tasks(box):
    name = taskless(box, "sh", "-c", "echo line >> /kept; cat /kept")
    for count in (2, 3):  # the first was before
        assert box.type(*start_words(box, name)) == "line\n" * count


@action("containerd")
def task_in_the_background(box):
    name = taskless(box, *SLEEP, ends_itself=False)
    file = box.folder / "pid"
    box.type(*start_words(box, name, "--detach", "--null-io", "--pid-file", file))
    assert box.status(name) == "running" and int(file.read_text()) == pid_of(box, name)
    box.type(*start_words(box, name, "--detach", "--null-io"), code=None, says="already exists")
    assert box.status(name) == "running"
    box.type("container", "rm", name, code=None, says="running")
    box.verb("remove", name)
    box.type("container", "rm", name)


@action("containerd")
def exit_code_of_a_deleted_task(box):
    for script, code in (("exit 7", 7), ("kill -KILL $$", 137), ("kill -TERM $$", 143), ("true", 0)):
        name = box.start("sh", "-c", f"sleep 0.1; sh -c '{script}'; exit $?")
        ends(box, name)
        deleted(box, name, code)


@action("containerd")
def deletion_of_what_runs(box):
    name = box.start(*SLEEP)
    box.type("task", "rm", name, code=None, says="must be stopped before deletion")
    assert box.status(name) == "running"
    box.type("task", "rm", "--force", name, code=None)
    assert box.status(name) == ""


@action("containerd")
def attaching_to_a_task(box):
    """It gets a line, and its exit code is theirs who attached."""
    name = box.new_name()
    words = box.engine.run_words(box, name, ["sh", "-c", "read line; echo got:$line; exit 5"], {}, detach=True)
    box.type(*[word for word in words if word != "--null-io"])
    said = box.type("task", "attach", name, code=5, text="word\n")
    assert said == "got:word\n", said


@action("containerd")
def signals_of_a_task(box):
    """By their names, with and without SIG, and by numbers; the first process alone is told."""
    name, log = logged(box, "sh", "-c", f"for word in USR1 USR2 HUP; do trap \"echo got $word\" $word; done; trap 'exit 9' TERM; echo ready; {LOOP}")
    writes(box, log, "ready")
    for word, number in (("SIGUSR1", "USR1"), ("usr2", "USR2"), (str(int(signal.SIGHUP)), "HUP")):
        box.verb("kill", name, word)
        writes(box, log, f"got {number}\n")
    box.verb("kill", name, "SIGNOSUCH", code=None, says="NOSUCH")
    box.type("task", "kill", name)
    ends(box, name)
    box.type("task", "kill", name, code=None, says=["not found"])
    deleted(box, name, 9)
    box.saw(log.read_text())


@action("containerd")
def signal_for_all(box):
    name, log = logged(box, "sh", "-c", f"sh -c \"trap 'echo child' USR1; echo up; {LOOP}\" & trap 'echo parent' USR1; echo up; {LOOP}")
    box.waits_for(lambda: log.exists() and log.read_text().count("up\n") == 2, "both are up")
    box.type("task", "kill", "--signal", "USR1", "--all", name)
    writes(box, log, "child\n")
    writes(box, log, "parent\n")
    box.type("task", "kill", "--signal", "KILL", "--all", name)
    ends(box, name)
    deleted(box, name, 137)


@action("containerd")
def processes_of_a_paused_task(box):
    name = box.start("sh", "-c", "sleep 999 & exec sleep 1000")
    listed = box.waits_for(lambda: [text for text in [box.type("task", "ps", name, silent=True)] if len(text.splitlines()) == 3], "two processes")[0]
    box.verb("pause", name)
    assert box.type("task", "ps", name, silent=True) == listed
    assert box.type("task", "metrics", name, silent=True)
    box.verb("pause", name, code=None, says="")
    box.saw(box.status(name))
    box.verb("resume", name)
    box.verb("resume", name, code=None, says="")
    assert box.status(name) == "running"


@action("containerd")
def what_a_paused_task_refuses(box):
    name = box.start(*SLEEP)
    box.verb("pause", name)
    box.exec(name, "true", code=None, says="paused")
    assert box.seen[-1][0] != 0
    box.verb("kill", name, "KILL", silent=True)
    box.verb("resume", name, code=None, silent=True)
    ends(box, name)


@action("containerd")
def what_a_stopped_task_refuses(box):
    name = box.start("true")
    ends(box, name)
    codes = []
    for words in (box.engine.exec_words(box, name, ["true"], {}), ["task", "pause", name], ["task", "resume", name],
                  ["task", "metrics", name]):
        box.type(*words, code=None, says="")
        codes.append(box.seen[-1][0])
    assert 0 not in codes[:2], codes
    assert box.status(name) == STOPPED


@action("containerd")
def task_that_is_not_there(box):
    for words in (["kill", "nosuch"], ["pause", "nosuch"], ["exec", "--exec-id", "x", "nosuch", "true"], ["ps", "nosuch"]):
        box.type("task", *words, code=1, says="not found")


@action("containerd")
def metrics_as_data(box):
    name = box.start("sh", "-c", "sleep 999 & exec sleep 1000")
    box.waits_for(lambda: len(box.type("task", "ps", name, silent=True).splitlines()) == 3, "two processes and a heading")
    told = json.loads(box.type("task", "metrics", "--format", "json", name, silent=True))
    assert told["pids"]["current"] == 2 and told["memory"], told
    box.saw(sorted(told), told["pids"])


@action("containerd")
def all_that_is_known_of_a_container(box):
    name = box.start(*SLEEP, env=["A=b"], workdir="/tmp", memory=64 << 20, cpus="0.5", cap_add=["NET_ADMIN"], read_only=True)
    facts = fact(box, name)
    assert box.program in base64.b64decode(facts["Runtime"].pop("Options")["value"]).decode()
    assert facts["Spec"]["process"]["cwd"] == "/tmp" and facts["Spec"]["linux"]["resources"]["memory"]["limit"] == 64 << 20
    box.saw(json.dumps(facts, indent=1, sort_keys=True))


# -- exec
@action("containerd")
def exec_that_detaches(box):
    name = box.start(*SLEEP)
    box.type("task", "exec", "--detach", "--exec-id", "back", "--fifo-dir", box.engine.folder, name, "sh", "-c", "touch /done; exec sleep 999")
    box.waits_for(lambda: box.type(*box.engine.exec_words(box, name, ["ls", "/done"], {}), code=None, silent=True), "/done")
    box.type("task", "exec", "--exec-id", "back", "--fifo-dir", box.engine.folder, name, "true", code=1, says="already exists")
    box.type("task", "kill", "--exec-id", "back", "--signal", "KILL", name)
    box.waits_for(lambda: len(box.type("task", "ps", name, silent=True).splitlines()) == 2, "it has ended")
    box.type("task", "rm", "--exec-id", "back", name, code=None)
    assert box.status(name) == "running"
    assert box.exec(name, "sh", "-c", "ps -o args | grep -c '[s]leep'") == "1\n"


@action("containerd")
def exec_by_the_name_of_a_user(box):
    name = box.start(*SLEEP)
    box.exec(name, "sh", "-c", "id -un; id -G; touch /mine || echo refused", user="app", says="Permission denied")
    assert box.seen[-1][0] == 0


@action("containerd")
def exec_of_a_user_that_is_not_there(box):
    name = box.start(*SLEEP)
    box.exec(name, "true", user="nosuch", code=1, says="no users found")
    assert box.exec(name, "echo", "alive") == "alive\n"


@action("containerd")
def exec_that_is_killed(box):
    name = box.start(*SLEEP)
    assert box.exec(name, "sh", "-c", "echo before; kill -KILL $$", code=137) == "before\n"


@action("containerd")
def execs_at_once(box):
    """Each with what it was given, and no one else's."""
    name = box.start(*SLEEP)
    clients = []
    for number in range(6):
        words = box.engine.command(box, *box.engine.exec_words(box, name, ["sh", "-c", f"sleep 0.1; echo {number}; exit {number}"], {}))
        clients.append(subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env=box.engine.environment, text=True))
        box.engine.host.commands[clients[-1].pid] = clients[-1]
    answers = []
    for client in clients:
        said = client.communicate(timeout=30 * SLOWNESS)
        answers.append((client.returncode, *said))
        box.engine.host.commands.pop(client.pid)
    assert answers == [(number, f"{number}\n", "") for number in range(6)], answers
    box.saw(answers)


@action("containerd")
def end_of_a_task_with_an_exec_in_it(box):
    """Whoever waits for the exec hears of its end, too."""
    name = box.start(*SLEEP)
    words = box.engine.command(box, *box.engine.exec_words(box, name, ["sh", "-c", "echo up; exec sleep 999"], {}))
    client = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=box.engine.environment, text=True)
    box.engine.host.commands[client.pid] = client
    try:
        assert client.stdout.readline() == "up\n"
        box.verb("kill", name, "KILL")
        box.saw(client.wait(15 * SLOWNESS))
        ends(box, name)
        assert client.returncode == 137
    finally:
        client.kill()
        client.wait()
        client.stdout.close()
        box.engine.host.commands.pop(client.pid)


# -- what containerd tells of itself
class Events:
    """`ctr events` while something is done: the topics and exit codes of one container's task, in their order."""

    def __init__(self, box):
        self.box, self.file = box, box.folder / "events"
        with self.file.open("wb") as output:
            self.client = subprocess.Popen([str(word) for word in box.engine.command(box, "events")], stdin=subprocess.DEVNULL, stdout=output,
                                           stderr=output, env=box.engine.environment)

    def __enter__(self):
        self.box.engine.host.commands[self.client.pid] = self.client
        return self

    def __exit__(self, *_):
        self.client.kill()
        self.client.wait()
        self.box.engine.host.commands.pop(self.client.pid)

    def hears(self, name):
        """Until it has heard of a change of the container's labels: it listens."""
        numbers = iter(range(1000))

        def heard():
            self.box.type("container", "label", name, f"number={next(numbers)}", silent=True)
            return name in self.file.read_text()

        self.box.waits_for(heard, "events are heard")

    def of(self, name):
        found = []
        for line in self.file.read_text().splitlines():
            topic = line[line.index(" /") + 1:].split()[0]
            if topic.startswith("/tasks/") and f'"container_id":"{name}"' in line:
                told = json.loads(line[line.index("{"):])
                found.append(" ".join([topic, *(str(told[key]) for key in ("exec_id", "exit_status") if key in told)]))
        return found


@action("containerd")
def events_of_a_task(box):
    name = taskless(box, *SLEEP, ends_itself=False)
    with Events(box) as events:
        events.hears(name)
        box.type(*start_words(box, name, "--detach", "--null-io"))
        box.type("task", "exec", "--exec-id", "inside", "--fifo-dir", box.engine.folder, name, "sh", "-c", "exit 4", code=4)
        box.verb("pause", name)
        box.verb("resume", name)
        box.verb("kill", name, "KILL")
        ends(box, name)
        deleted(box, name, 137)
        box.waits_for(lambda: any(line.startswith("/tasks/delete") for line in events.of(name)[-1:]), "the deletion is told")
        told = events.of(name)
    topics = [line.split()[0].split("/")[-1] for line in told]
    assert topics[:4] == ["create", "start", "exec-added", "exec-started"] and topics.index("paused") < topics.index("resumed"), told
    assert f"/tasks/exit {name} 137" in told or "/tasks/exit 137" in told, told
    box.saw("\n".join(told))


@action("containerd")
def out_of_memory_in_a_task(box):
    """The victim is not the first process: its container lives on until everybody has heard of it."""
    script = "read x < /go/fifo; sh -c 'x=0123456789; while :; do x=$x$x; done'; code=$?; sleep 1; exit $code"
    (box.folder / "go").mkdir()
    os.mkfifo(box.folder / "go/fifo")
    name = taskless(box, "sh", "-c", script, ends_itself=False, memory=24 << 20, volumes=[f"{box.folder}/go:/go"])
    with Events(box) as events:
        events.hears(name)
        box.type(*start_words(box, name, "--detach", "--null-io"))
        (box.folder / "go/fifo").write_text("go\n")
        ends(box, name)
        deleted(box, name, 137)
        box.waits_for(lambda: any(line.startswith("/tasks/delete") for line in events.of(name)[-1:]), "the deletion is told")
        told = events.of(name)
    assert "/tasks/oom" in told, told
    box.saw("\n".join(dict.fromkeys(told)))


@action("containerd")
def checkpoint_of_a_task(box):
    kernel.require_criu()
    name = box.start("sh", "-c", LOOP)
    for option, status in ((), "running"), (("--exit",), STOPPED):
        folder = box.folder / f"images-{status}"
        folder.mkdir()
        box.type("task", "checkpoint", *option, "--image-path", folder, name)
        assert (folder / "inventory.img").exists()
        box.reaches(name, status)


# -- what goes wrong
@action("containerd")
def mount_of_what_is_missing(box):
    box.run("true", volumes=[f"{box.folder}/nosuch:/data"], code=None, says=["nosuch", "no such file or directory"])
    assert box.seen[-1][0] != 0
    assert box.run("echo", "next") == "next\n"


@action("containerd")
def mount_of_an_unknown_kind(box):
    box.run("true", others=["--mount", "type=nosuchfs,src=none,dst=/data"], code=None, says="no such device")
    assert box.seen[-1][0] != 0


@action("containerd")
def device_that_is_missing(box):
    box.run("true", others=["--device", f"{box.folder}/nosuch"], code=1, says=["nosuch", "no such file or directory"])


@action("containerd")
def capability_that_is_unknown(box):
    """containerd does not check it, and the runtime goes on without."""
    said = box.sh("grep Cap /proc/self/status", others=["--cap-add", "CAP_NOSUCH", "--cap-add", "CAP_NET_ADMIN"], says="")
    box.saw(said)
    assert int(status_of(said, "CapEff"), 16) & 1 << 12


@action("containerd")
def missing_command_in_the_background_of_a_task(box):
    """Nothing but the container stays."""
    name = box.new_name()
    words = box.engine.run_words(box, name, ["nosuch"], {}, detach=True)
    box.type(*words, code=None, says=["nosuch", "executable file not found in $PATH"])
    assert box.seen[-1][0] != 0 and box.status(name) == ""
    assert name in box.type("container", "ls", "--quiet", silent=True).splitlines()


@action("containerd")
def interrupted_run(box):
    """^C of a person who runs something in the foreground: the first process gets it."""
    name = box.new_name()
    words = box.engine.command(box, *box.engine.run_words(box, name, ["sh", "-c", f"trap 'echo heard; exit 8' INT; echo up; {LOOP}"], {}))
    client = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=box.engine.environment, text=True)
    box.engine.host.commands[client.pid] = client
    try:
        assert client.stdout.readline() == "up\n"
        time.sleep(0.5 * SLOWNESS)  # `ctr` hands signals on only when it has started the task
        client.send_signal(signal.SIGINT)
        said = client.communicate(timeout=15 * SLOWNESS)[0]
        assert (said, client.returncode) == ("heard\n", 8), (said, client.returncode)
        box.saw(said, client.returncode)
    finally:
        client.kill()
        client.wait()
        client.stdout.close()
        box.engine.host.commands.pop(client.pid)
