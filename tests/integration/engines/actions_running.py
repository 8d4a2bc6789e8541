# SPDX-License-Identifier: Apache-2.0
"""One command in a new container: its streams, its exit code, and what the container is made of."""

import json
import os
import re
import socket
import stat

import kernel
from actions import ALL, DOCKERLIKE, LASTING, action, status_of
from pty_session import PtySession

SEE_CAPABILITIES = "grep Cap /proc/self/status"
NET_RAW, CHOWN = 1 << 13, 1 << 0
PIDS, MEMORY, QUOTA = ("/sys/fs/cgroup/pids/pids.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes",
                       "/sys/fs/cgroup/cpu/cpu.cfs_quota_us")
ON_V2 = {PIDS: "/sys/fs/cgroup/pids.max", MEMORY: "/sys/fs/cgroup/memory.max", QUOTA: "/sys/fs/cgroup/cpu.max"}


# Engines set the size of a terminal when the program runs already.
SIZE = "until stty size 2>/dev/null | grep -v '^0 0$'; do sleep 0.05; done"


def limit(file):
    return f"cat {file} {ON_V2[file]} 2>/dev/null; true"


def shared(box):
    """A folder of the host, with a file."""
    folder = box.folder / "shared"
    folder.mkdir()
    folder.chmod(0o777)
    (folder / "file").write_text("from the host\n")
    return folder


@action(*ALL)
def output_and_errors(box):
    assert box.sh("echo out; echo err >&2", says="err") == "out\n"


@action(*ALL)
def exit_code(box):
    box.sh("exit 3", code=3)


@action(*ALL)
def exit_code_of_a_signal(box):
    box.sh("sh -c 'kill -KILL $$'; exit $?", code=137)


@action(*ALL)
def standard_input(box):
    assert box.sh("read line; echo got:$line", stdin=True, text="12345\n") == "got:12345\n"


@action(*ALL)
def environment(box):
    said = box.sh("env | sort", env=["A=b c", "EMPTY="])
    assert "A=b c\n" in said and "EMPTY=\n" in said and "FROM_IMAGE=yes\n" in said


@action(*ALL)
def working_directory(box):
    assert box.run("pwd", workdir="/tmp") == "/tmp\n"


@action("docker")
def working_directory_that_is_missing(box):
    """The daemon makes it; podman refuses."""
    assert box.sh("pwd; stat -c %u:%g:%a .", workdir="/not/there").startswith("/not/there\n0:0:755")


@action("docker", "podman", "buildah")
def user_by_number(box):
    assert box.sh("id -u; id -g; touch /mine || echo refused", user="1234:5678", says="Permission denied") \
        == "1234\n5678\nrefused\n"


@action("docker", "podman", "buildah")
def user_by_name(box):
    assert box.run("id", "-un", user="app") == "app\n"


@action(*DOCKERLIKE)
def further_groups(box):
    assert box.run("id", "-G", user="1:1", others=["--group-add", "77"]).split() == ["1", "77"]


@action(*ALL)
def volume(box):
    folder = shared(box)
    assert box.sh("cat /data/file; echo back > /data/answer", volumes=[f"{folder}:/data"]) == "from the host\n"
    assert (folder / "answer").read_text() == "back\n"


@action(*ALL)
def read_only_volume(box):
    says = "Read-only file system"
    assert box.sh("cat /data/file; echo x > /data/new", volumes=[f"{shared(box)}:/data:ro"], code=1, says=says)


@action(*ALL)
def volume_that_is_one_file(box):
    assert box.run("cat", "/etc/given", volumes=[f"{shared(box)}/file:/etc/given:ro"]) == "from the host\n"


@action(*DOCKERLIKE)
def propagated_volume(box):
    box.sh("grep ' /data ' /proc/self/mountinfo | grep -o 'master:\\|shared:'", volumes=[f"{shared(box)}:/data:rslave"],
           code=None)


@action(*LASTING)
def read_only_root(box):
    box.sh("touch /new", read_only=True, code=1, says="Read-only file system")


@action(*LASTING)
def temporary_file_system(box):
    assert "tmpfs\n" in box.sh("stat -f -c %T /scratch; touch /scratch/file; ls /scratch", tmpfs="/scratch")


@action("docker", "podman", "buildah")
def memory_limit(box):
    assert box.sh(limit(MEMORY), memory=64 << 20) == f"{64 << 20}\n"


@action(*DOCKERLIKE)
def cpu_limit(box):
    assert box.sh(limit(QUOTA), cpus="0.5").split()[0] == "50000"


@action(*DOCKERLIKE)
def limit_of_processes(box):
    assert box.sh(limit(PIDS), pids_limit=25) == "25\n"
    # Not fewer: runc's own threads are within the limit, too, and it crashes when they do not fit.
    box.sh("for i in $(seq 40); do sleep 2 & done; echo not reached", pids_limit=25, code=2, says="can't fork")


@action(*ALL)
def added_capability(box):
    assert int(status_of(box.sh(SEE_CAPABILITIES, cap_add=["NET_ADMIN"]), "CapEff"), 16) & 1 << 12


@action(*ALL)
def dropped_capability(box):
    assert not int(status_of(box.sh(SEE_CAPABILITIES, cap_drop=["CHOWN"]), "CapBnd"), 16) & CHOWN


@action(*DOCKERLIKE)
def all_capabilities_dropped(box):
    assert int(status_of(box.sh(SEE_CAPABILITIES, cap_drop=["ALL"]), "CapBnd"), 16) == 0


@action(*LASTING)
def seccomp_profile(box):
    rule = {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}
    file = box.folder / "seccomp.json"
    file.write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]}))
    box.sh("mkdir /new", seccomp=file, code=1, says="Operation not permitted")


@action(*DOCKERLIKE)
def without_seccomp(box):
    assert status_of(box.sh("grep Seccomp: /proc/self/status", security="seccomp=unconfined"), "Seccomp") == "0"


@action(*LASTING)
def no_new_privileges(box):
    said = box.sh("grep NoNewPrivs /proc/self/status", no_new_privileges=True)
    assert status_of(said, "NoNewPrivs") == "1"


@action("docker", "podman", "buildah")
def device(box):
    node = "/dev/zero"
    if kernel.is_root():
        node = box.folder / "zero"
        os.mknod(node, 0o666 | stat.S_IFCHR, os.makedev(1, 5))
        node.chmod(0o666)
    assert box.sh("ls -l /dev/made | cut -c 1-10; head -c 3 /dev/made | wc -c",
                  device=f"{node}:/dev/made") == "crw-rw-rw-\n3\n"


@action(*DOCKERLIKE)
def kernel_parameter(box):
    assert box.run("cat", "/proc/sys/kernel/msgmax", sysctl="kernel.msgmax=4321") == "4321\n"


@action("docker", "podman", "buildah")
def limit_of_files(box):
    assert box.sh("ulimit -Sn; ulimit -Hn", ulimit=["nofile=300:400", "nproc=1024:1024"]) == "300\n400\n"


@action("docker", "podman", "buildah")
def hostname(box):
    assert box.sh("hostname; cat /proc/sys/kernel/hostname", hostname="crate") == "crate\ncrate\n"


@action(*DOCKERLIKE)
def sizes_and_scores(box):
    box.sh("cat /proc/self/oom_score_adj; df -k /dev/shm | tail -1 | tr -s ' ' | cut -d ' ' -f 2; umask",
           others=["--oom-score-adj", "300", "--shm-size", "2m"])
    assert box.seen[-1][1].splitlines()[:2] == ["300", "2048"]


@action(*DOCKERLIKE)
def chosen_processors(box):
    said = box.sh("grep Cpus_allowed_list /proc/self/status", others=["--cpuset-cpus", "0"])
    assert status_of(said, "Cpus_allowed_list") == "0"


@action(*DOCKERLIKE)
def host_namespaces(box):
    assert box.run("hostname", others=["--uts", "host", "--network", "host", "--ipc", "host"]) == f"{socket.gethostname()}\n"
    here = os.readlink("/proc/self/ns/net")
    assert box.sh("readlink /proc/self/ns/net", others=["--network", "host"]) == f"{here}\n"


@action(*DOCKERLIKE)
def another_containers_namespaces(box):
    name = box.start("sh", "-c", "hostname; exec sleep 1000", others=["--ipc", "shareable"])
    where = ["--pid", f"container:{name}", "--ipc", f"container:{name}", "--network", f"container:{name}"]
    assert "sleep 1000" in box.sh("ps -o args | grep '[s]leep'", others=where)
    box.verb("remove", name)


@action(*LASTING)
def privileged(box):
    kernel.require_capability("CAP_SYS_RESOURCE")  # runc refuses to go without
    said = box.sh("grep 'Cap\\|Seccomp:' /proc/self/status; ls /dev | grep -c .; "
                  "grep -c ' ro,' /proc/self/mountinfo; mkdir /m && mount -t tmpfs t /m && echo mounted", privileged=True)
    assert said.endswith("mounted\n")


@action(*ALL)
def what_a_container_finds(box):
    """All that a program can see of how it was set up; but not which signals are ignored: runc hands on what whoever started it
    ignored (make leaves signal 32 so), kiste-oci gives every container the defaults."""
    said = box.sh("id; umask; env | grep -v HOSTNAME | sort; ulimit -a; cat /proc/self/oom_score_adj; "
                  "grep 'Cap\\|NoNew\\|Seccomp:\\|Groups\\|Sig[BC]' /proc/self/status; "
                  "stat -c '%n %A %u:%g' / /dev /proc /sys /tmp; ls -l /dev | tr -s ' ' | cut -d ' ' -f 1-6; "
                  "cut -d ' ' -f 5 /proc/self/mountinfo | sort; ls /proc/self/fd | grep -c .; ls -1A /; "
                  "cat /proc/sys/kernel/ngroups_max", stdin=True)
    assert "uid=0" in said


@action(*ALL)
def how_it_is_mounted(box):
    """Target, type and options of each mount. How the masks of procfs are made is each runtime's own affair; and runc 1.1 leaves
    the tmpfs above v1's hierarchies writable although engines ask for a read-only one."""
    said = box.sh("while read -r _ _ _ _ target options rest; do echo \"$target ${options%%,relatime} ${rest#*- }\"; "
                  "done < /proc/self/mountinfo | grep -v ' /proc/\\(acpi\\|asound\\|kcore\\|keys\\|latency_stats\\|timer\\|"
                  "sched\\|scsi\\|interrupts\\)\\|^/sys/\\(firmware\\|dev\\|devices\\|fs/selinux\\)' | cut -d ' ' -f 1-3 | grep -v '^/proc/\\|^/sys/fs/cgroup ' | sort")
    assert "/dev/pts" in said


@action(*ALL)
def terminal(box):
    """A person's command at a terminal of 33 by 90."""
    name = box.new_name()
    words = box.engine.run_words(box, name, ["sh", "-c", f"tty; {SIZE}; read x; echo got:$x; exit 4"],
                                 {"terminal": True, "stdin": True})
    with PtySession(box.engine.command(box, *words), box.engine.host, rows=33, columns=90, env=box.engine.environment_of(box),
                    cwd=box.engine.folder) as session:
        session.expect(r"^(/dev/pts/0|/dev/console)$")
        session.expect(r"^33 90$")
        session.line("word")
        session.expect(r"^got:word$")
        code = session.wait()
        assert code == 4, f"should end with 4: {session.seen}"
        box.saw(session.seen)


@action(*DOCKERLIKE)
def changed_files(box):
    """What the runtime itself leaves in a container's root file system: nothing but the places of its mounts."""
    name = box.start("sh", "-c", "touch /new; sleep 1000", volumes=[f"{shared(box)}:/data/deep"], tmpfs="/scratch")
    box.waits_for(lambda: "/new" in box.type("diff", name, silent=True), "/new is written")
    said = sorted(box.type("diff", name, silent=True).splitlines())
    box.saw("\n".join(said))
    box.verb("remove", name)


@action("buildah")
def build_of_an_image(box):
    """Each RUN is a container of the runtime's."""
    file, words = box.folder / "Containerfile", box.engine.build_words(box)
    file.write_text(f"FROM {box.engine.image}\nRUN echo built > /made; id -u; pwd\nRUN cat /made; cat /proc/1/comm\n")
    said = box.type("bud", *words, "--file", file, box.folder, says="")
    box.saw("\n".join(line for line in said.splitlines() if not re.fullmatch("[0-9a-f]{64}|-->.*", line)))
    assert "built\n" in said
    file.write_text(f"FROM {box.engine.image}\nRUN exit 3\n")
    box.type("bud", *words, "--file", file, box.folder, code=3, says="exit status 3")
