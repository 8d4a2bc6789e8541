# SPDX-License-Identifier: Apache-2.0
"""The runtime as engines call it: each one's own words, in its order, and what it reads of the answer.

containerd's shim (go-runc), BuildKit, conmon and podman's libpod, CRI-O, conmon-rs, dockerd. What only an engine at work
can show is in tests/integration/engines and podman.
"""

import json
import os
import re
import subprocess

import pytest

import cgroups
import kernel
from checkpoints import COUNT, criu, images  # noqa: F401 (criu and images are fixtures)
from deadline import eventually
from terminal import ConsoleSocket

# What containerd's shim looks for, to know that a signal came too late.
TOO_LATE = re.compile(r"process already finished|container not running|no such process", re.IGNORECASE)


class Caller:
    """A program that calls the runtime with the same words before every command."""

    def __init__(self, runtime, bundle, options=None, prefix=(), **how):
        self.runtime, self.bundle, self.prefix, self.how = runtime, bundle, prefix, how
        self.id, self.pid_file = runtime.new_id(), bundle.folder / "init.pid"
        if options is not None:
            runtime.options = options
        bundle.write()

    def __call__(self, *arguments, code=0, **keywords):
        result = self.runtime(*arguments, prefix=self.prefix, **self.how, **keywords)
        assert code is None or result.code == code, f"should end with {code}: {result}"
        return result

    def create(self, *options, **keywords):
        return self("create", "--bundle", self.bundle.folder, "--pid-file", self.pid_file, *options, self.id, **keywords)

    def process_file(self, *args, **fields):
        """process.json of an exec, as engines write it: the container's own process with other arguments."""
        file = self.bundle.folder / "process.json"
        file.write_text(json.dumps(self.bundle.process | {"args": list(args)} | fields))
        return file

    @property
    def pid(self):
        return int(self.pid_file.read_text())

    def status(self):
        return json.loads(self("state", self.id).stdout)["status"]

    def ended(self):
        eventually(lambda: self.status() == "stopped", "the container's end")


def last_error(log):
    """What go-runc and conmon take for the reason of a failure."""
    entry = json.loads(log.read_text().splitlines()[-1])
    assert entry["level"] == "error", entry
    return entry["msg"]


def memory_limit_of(pid):
    """As the shim and CRI-O read statistics: in cgroupfs, where /proc/PID/cgroup says."""
    for line in open(f"/proc/{pid}/cgroup", encoding="ascii"):
        _, controllers, path = line.strip().split(":", 2)
        for file in (f"/sys/fs/cgroup/{controllers}{path}/memory.limit_in_bytes", f"/sys/fs/cgroup{path}/memory.max"):
            if os.path.exists(file):
                return open(file, encoding="ascii").read().strip()
    return None


# -- containerd's shim, which dockerd, nerdctl and Kubernetes use
@pytest.fixture
def shim(runtime, bundle):
    """go-runc's global options; the runtime dies with the shim's thread (Pdeathsig), the container does not."""
    options = ["--root", runtime.state_folder, "--log", bundle.folder / "log.json", "--log-format", "json"]
    return Caller(runtime, bundle.sleeps(), options, prefix=("setpriv", "--pdeathsig", "KILL"))


def test_the_shims_life_of_a_container(shim, workspace):
    shim.create()
    assert shim.pid > 0 and shim.status() == "created"
    shim("start", shim.id)
    assert json.loads(shim("ps", "--format", "json", shim.id).stdout) == [shim.pid]

    exec_pid, output = workspace / "exec.pid", workspace / "exec.out"
    process = shim.process_file("/bin/sh", "-c", "echo within; exec sleep 1000")
    shim("exec", "--process", process, "--detach", "--pid-file", exec_pid, shim.id, stdout_file=output)
    eventually(lambda: output.read_text() == "within\n", "the output of the second process")
    assert sorted(json.loads(shim("ps", "--format", "json", shim.id).stdout)) == sorted([shim.pid, int(exec_pid.read_text())])

    shim("pause", shim.id)
    assert shim.status() == "paused"
    shim("resume", shim.id)
    shim("kill", "--all", shim.id, "9")
    shim.ended()
    shim("delete", shim.id)
    assert "does not exist" in shim("state", shim.id, code=None).stderr


def test_the_shim_changes_limits(shim):
    cgroups.require_own()
    shim.bundle.resources["memory"] = {"limit": 64 << 20}
    shim.bundle.linux["cgroupsPath"] = f"{cgroups.parent()}/{shim.id}"
    shim.bundle.write()
    shim.create("--no-new-keyring")
    if memory_limit_of(shim.pid) is None:
        pytest.skip("no memory controller here")
    assert memory_limit_of(shim.pid) == str(64 << 20)
    shim("update", "--resources=-", shim.id, text=json.dumps({"memory": {"limit": 96 << 20}}))
    assert memory_limit_of(shim.pid) == str(96 << 20)
    shim("delete", "--force", shim.id)


def test_the_shims_terminals(shim, workspace):
    shim.bundle.process["terminal"] = True
    shim.bundle.sh("tty; exec sleep 1000").write()
    console = ConsoleSocket(workspace / "console")
    shim.create("--console-socket", console.path)
    terminal = console.receive()
    shim("start", shim.id)
    terminal.read_until("/dev/pts/0")
    terminal.close()

    second = ConsoleSocket(workspace / "second")
    process = shim.process_file("/bin/sh", "-c", "tty; exec sleep 1000", terminal=True)
    shim("exec", "--process", process, "--console-socket", second.path, "--detach", "--pid-file", workspace / "pid", shim.id)
    terminal = second.receive()
    terminal.read_until("/dev/pts/1")
    terminal.close()
    shim("delete", "--force", shim.id)


@pytest.mark.parametrize("args, words", [
    (["nosuch"], 'exec: "nosuch": executable file not found in $PATH'),
    (["/nosuch/file"], "no such file or directory"),
    (["/etc/passwd"], "permission denied"),
    (["/etc"], "permission denied"),
])
def test_the_shim_reads_why_in_the_log(shim, args, words):
    log = shim.bundle.folder / "log.json"
    shim.bundle.args(*args).write()
    shim.create(code=1)
    assert words in last_error(log)
    shim("delete", "--force", shim.id)  # what the shim does after each failure

    shim.bundle.sleeps().write()
    shim.create()
    shim("start", shim.id)
    result = shim("exec", "--process", shim.process_file(*args), "--detach", "--pid-file", shim.pid_file, shim.id, code=None)
    assert result.code != 0 and words in last_error(log)
    shim("delete", "--force", shim.id)


def test_a_mount_of_a_file_on_a_folder_is_told_as_such(shim, workspace):
    """dockerd adds its question, whether a directory was mounted onto a file, when it reads these words."""
    (workspace / "file").write_text("")
    shim.bundle.mount("/etc", "bind", workspace / "file", "rbind").write()
    shim.create(code=1)
    assert "not a directory" in last_error(shim.bundle.folder / "log.json")


def test_the_shims_signals_that_come_too_late(shim):
    shim.create()
    shim("kill", shim.id, "9")
    shim.ended()
    assert TOO_LATE.search(shim("kill", shim.id, "15", code=1).stderr)
    shim("kill", "--all", shim.id, "9", code=None)
    shim("delete", shim.id)
    assert "does not exist" in shim("kill", shim.id, "9", code=1).stderr
    assert "does not exist" in shim("delete", shim.id, code=1).stderr
    shim("delete", "--force", shim.id)


# -- dockerd itself, and BuildKit
def test_dockerd_reads_the_version(runtime):
    """A line with the word `version` and one that begins with `commit:`; podman prints all of it."""
    runtime.options = []
    lines = runtime.ok("--version").lines
    name, _, version = next(line for line in lines if "version" in line).partition("version")
    assert name.strip() == runtime.name and version.strip()[0].isdigit()
    assert any(re.fullmatch(r"spec: 1\.\d+\.\d+(-\S+)?", line) for line in lines), lines


@pytest.mark.kiste_only("1.1.5 has a features command, but not yet the specification's structure")
def test_dockerd_and_crio_ask_for_features(runtime):
    for options in ([], ["--root", runtime.state_folder]):
        runtime.options = options
        features = json.loads(runtime.ok("features").stdout)
        assert features["ociVersionMax"] and features["linux"]["cgroup"]["v1"] and "recursive" not in features


@pytest.fixture
def buildkit(runtime, bundle):
    """No --root, a process group of its own."""
    options = ["--log", bundle.folder / "runc-log.json", "--log-format", "json"]
    caller = Caller(runtime, bundle, options, prefix=("setpriv", "--pdeathsig", "KILL"), process_group=0)
    yield caller
    runtime("delete", "--force", caller.id)


def test_buildkits_step(buildkit):
    buildkit.bundle.sh("cat; exit 7").write()
    result = buildkit("run", "--bundle", buildkit.bundle.folder, "--keep", buildkit.id, text="input", code=7)
    assert result.stdout == "input" and result.stderr == ""
    assert buildkit.status() == "stopped"
    buildkit("delete", buildkit.id)
    assert "does not exist" in buildkit("state", buildkit.id, code=1).stderr
    buildkit.bundle.sh("exit 0").write()
    buildkit("run", "--bundle", buildkit.bundle.folder, buildkit.id)
    assert "does not exist" in buildkit("state", buildkit.id, code=1).stderr


def test_buildkits_exec_and_kill(buildkit, workspace):
    buildkit.bundle.sleeps().write()
    running = buildkit.runtime.spawn("run", "--bundle", buildkit.bundle.folder, "--keep", buildkit.id, process_group=0)
    eventually(lambda: buildkit("state", buildkit.id, code=None).code == 0 and buildkit.status() == "running", "it runs")
    for options in ([], ["--pid-file", workspace / "pid"]):
        process = buildkit.process_file("/bin/sh", "-c", "echo out; exit 5")
        assert buildkit("exec", "--process", process, *options, buildkit.id, code=5).stdout == "out\n"
    buildkit("kill", buildkit.id, "9")
    assert running.result().code == 137
    buildkit("delete", buildkit.id)


# -- conmon, podman's libpod
@pytest.fixture(params=["with a log", "without"])
def conmon(request, runtime, bundle):
    """libpod's arguments come before conmon's own; conmon's pipes to podman are in its environment."""
    log = ["--log-format=json", "--log", bundle.folder / "oci-log"] if request.param == "with a log" else []
    environment = {"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": "/run/user/0", "_OCI_SYNCPIPE": "3", "_OCI_STARTPIPE": "4"}
    return Caller(runtime, bundle.sleeps(), [*log, "--root", runtime.state_folder], env=environment)


def test_conmons_and_libpods_life_of_a_container(conmon, workspace):
    conmon.create("--no-new-keyring")
    conmon("start", conmon.id)
    exec_pid = workspace / "exec.pid"
    process = conmon.process_file("/bin/sleep", "1000")
    conmon("exec", "--pid-file", exec_pid, "--process", process, "--detach", conmon.id)
    assert int(exec_pid.read_text()) > 0
    for command in ("pause", "resume"):
        conmon(command, conmon.id)
    conmon("kill", conmon.id, "0")
    conmon("kill", "--all", conmon.id, "9")
    conmon.ended()
    conmon("delete", "--force", conmon.id)


def test_conmon_preserves_descriptors(conmon, workspace):
    """Those of a user's --preserve-fds; conmon's own pipes are not among them."""
    given = workspace / "given"
    given.write_text("through descriptor 3\n")
    conmon.bundle.sh("cat <&3; ls /proc/self/fd/4 2>/dev/null").write()
    output = workspace / "out"
    conmon.prefix = ("sh", "-c", 'file=$1; shift; exec "$@" 3< "$file"', "sh", given)
    conmon.create("--preserve-fds", "1", stdout_file=output)
    conmon.prefix = ()
    conmon("start", conmon.id)
    conmon.ended()
    assert output.read_text() == "through descriptor 3\n"
    conmon("delete", "--force", conmon.id)


def test_conmon_reads_why(conmon):
    conmon.bundle.args("nosuch").write()
    result = conmon.create(code=1)
    log = conmon.bundle.folder / "oci-log"
    said = last_error(log) if log.exists() else result.stderr.strip().splitlines()[-1]
    assert "executable file not found in $PATH" in said and "nosuch" in said
    conmon("delete", "--force", conmon.id)


def test_libpod_changes_limits(conmon, workspace):
    cgroups.require_own()
    conmon.bundle.resources["memory"] = {"limit": 64 << 20}
    conmon.bundle.linux["cgroupsPath"] = f"{cgroups.parent()}/{conmon.id}"
    conmon.bundle.write()
    conmon.create()
    if memory_limit_of(conmon.pid) is None:
        pytest.skip("no memory controller here")
    file = workspace / "resources.json"
    file.write_text(json.dumps({"memory": {"limit": 80 << 20}}))
    conmon("update", f"--resources={file}", conmon.id)
    assert memory_limit_of(conmon.pid) == str(80 << 20)
    conmon("delete", "--force", conmon.id)


# -- CRI-O and conmon-rs
@pytest.fixture
def crio(runtime, bundle):
    return Caller(runtime, bundle.sleeps(), ["--root", runtime.state_folder])


def test_crios_life_of_a_container(crio):
    crio.bundle.spec["annotations"] = {"io.kubernetes.container.name": "app"}
    crio.bundle.write()
    crio.create()
    crio("start", crio.id)
    state = json.loads(crio("state", crio.id).stdout)
    assert (state["id"], state["pid"], state["status"]) == (crio.id, crio.pid, "running")
    assert state["annotations"]["io.kubernetes.container.name"] == "app" and state["created"] and "rootfs" in state

    process = crio.process_file("/bin/sh", "-c", "cat; echo err >&2; exit 3")
    result = crio("exec", "--process", process, crio.id, text="streamed", code=3)
    assert (result.stdout, result.stderr) == ("streamed", "err\n")
    for command in ("pause", "resume"):
        crio(command, crio.id)
    crio("update", "--resources", "-", crio.id, text=json.dumps({"cpu": {}}))
    crio("kill", crio.id, "KILL")
    crio.ended()
    crio("delete", "--force", crio.id)


def test_crio_ends_a_whole_container(crio):
    crio.create()
    crio("start", crio.id)
    crio("exec", "--process", crio.process_file("/bin/sh", "-c", "sleep 1000 <&- >&- 2>&- &"), crio.id)
    crio("kill", "-a", crio.id, "9")
    crio.ended()
    crio("delete", "--force", crio.id)


@pytest.mark.parametrize("signal", ["TERM", "SIGTERM", "15"])
def test_crios_signals_by_name(crio, signal):
    crio.bundle.sh("trap 'exit 0' TERM; while :; do sleep 0.02; done").write()
    crio.create()
    crio("start", crio.id)
    crio("exec", "--process", crio.process_file("/bin/true"), crio.id)
    crio("kill", crio.id, signal)
    eventually(lambda: crio.status() == "stopped" or crio("kill", crio.id, signal, code=None) and False, "the end")
    crio("delete", "--force", crio.id)


def test_conmon_rs(runtime, bundle, workspace):
    """Its options carry their value behind an equals sign."""
    bundle.process["terminal"] = True
    caller = Caller(runtime, bundle.sh("tty; exec sleep 1000"), [f"--root={runtime.state_folder}"])
    console = ConsoleSocket(workspace / "console")
    caller.create(f"--console-socket={console.path}")
    terminal = console.receive()
    caller("start", caller.id)
    terminal.read_until("/dev/pts/0")
    terminal.close()
    process = caller.process_file("/bin/sh", "-c", "echo out; exit 0", terminal=False)
    output = workspace / "out"
    caller("exec", "--process", process, "--detach", "--pid-file", workspace / "pid", caller.id, stdout_file=output)
    eventually(lambda: output.read_text() == "out\n", "the output")
    caller("delete", "--force", caller.id)


# -- checkpoint and restore
def counting(caller):
    caller.bundle.sh(COUNT).write()
    caller.create()
    caller("start", caller.id)
    counts_on(caller)


def counts_on(caller):
    def count():
        result = caller("exec", caller.id, "cat", "/dev/shm/count", code=None)
        return int(result.stdout) if result.code == 0 else 0

    before = count()
    eventually(lambda: count() > before, "it counts on")


def comes_back(caller):
    assert json.loads(caller("state", caller.id).stdout)["pid"] == caller.pid
    counts_on(caller)
    caller("kill", caller.id, "KILL")
    caller.ended()
    caller("delete", caller.id)


def test_the_shims_checkpoint(criu, shim, images, workspace):
    """The container is left, then not: what docker checkpoint create --leave-running and restarts come to."""
    options = ["--image-path", images, "--work-path", workspace, "--tcp-established", "--ext-unix-sk", "--file-locks", "--empty-ns", "network"]
    counting(shim)
    shim("checkpoint", *options, "--leave-running", shim.id)
    counts_on(shim)
    shim("kill", shim.id, "9")
    shim.ended()
    shim("delete", shim.id)
    shim("restore", *options, "--detach", "--pid-file", shim.pid_file, "--no-pivot", "--no-subreaper", "--bundle", shim.bundle.folder, shim.id)
    comes_back(shim)


def test_libpods_checkpoint_and_conmons_restore(criu, conmon, images):
    """The logs of criu go where the bundle is. libpod's options of a restore come last, as --runtime-opt."""
    counting(conmon)
    conmon("checkpoint", "--image-path", images, "--work-path", conmon.bundle.folder, "--file-locks", conmon.id)
    assert (conmon.bundle.folder / "dump.log").exists()
    conmon("restore", "--bundle", conmon.bundle.folder, "--pid-file", conmon.pid_file, "--detach", "--image-path", images,
           "--work-path", conmon.bundle.folder, "--file-locks", conmon.id)
    assert (conmon.bundle.folder / "restore.log").exists()
    comes_back(conmon)


def test_crios_checkpoint(criu, crio, images):
    """For a forensic copy the container goes on."""
    counting(crio)
    crio("checkpoint", "--file-locks", "--image-path", images, "--work-path", crio.bundle.folder, "--leave-running", crio.id)
    assert (crio.bundle.folder / "dump.log").exists() and (images / "inventory.img").exists()
    comes_back(crio)


def test_the_shims_checkpoint_upon_an_earlier_one(criu, shim, images, workspace):
    """go-runc's CheckpointOpts in its own order: the images hold what has changed since; the job of a shell is one here too."""
    options = ["--work-path", workspace, "--tcp-established", "--ext-unix-sk", "--shell-job", "--file-locks"]
    counting(shim)
    shim("checkpoint", "--image-path", workspace / "before", *options, "--pre-dump", shim.id)
    counts_on(shim)
    shim("checkpoint", "--image-path", images, *options[:2], "--parent-path", "../before", *options[2:], shim.id)
    assert (images / "parent").is_symlink()
    shim("restore", "--image-path", images, *options, "--detach", "--pid-file", shim.pid_file, "--no-subreaper",
         "--bundle", shim.bundle.folder, shim.id)
    comes_back(shim)


def terminal_comes_back(caller, images, workspace, *options):
    """Over the socket, as at create; conmon and the shim make another one for it."""
    caller.bundle.process["terminal"] = True
    caller.bundle.sh("while read line; do echo got $line; done").write()
    first, second = ConsoleSocket(workspace / "first"), ConsoleSocket(workspace / "second")
    caller.create("--console-socket", first.path)
    terminal = first.receive()
    caller("start", caller.id)
    terminal.write("one\n")
    terminal.read_until("got one")
    caller("checkpoint", "--image-path", images, "--work-path", workspace, caller.id)
    terminal.close()
    caller("restore", "--image-path", images, "--work-path", workspace, "--detach", "--pid-file", caller.pid_file,
           "--console-socket", second.path, *options, "--bundle", caller.bundle.folder, caller.id)
    terminal = second.receive()
    terminal.write("two\n")
    terminal.read_until("got two")
    terminal.close()
    caller("delete", "--force", caller.id)


def test_the_shim_restores_a_terminal(criu, shim, images, workspace):
    terminal_comes_back(shim, images, workspace, "--no-subreaper")


def test_conmon_restores_a_terminal(criu, conmon, images, workspace):
    terminal_comes_back(conmon, images, workspace)


# -- the same callers where systemd makes the cgroups, which is their default where it is the first process
class CallerWithSystemd(Caller):
    """The container is a scope; engines say `slice:prefix:name`. `later` are the options of the commands after `create`, where they differ."""

    def __init__(self, runtime, bundle, slice_name, prefix, options, later=None):
        super().__init__(runtime, bundle.sleeps(), options)
        self.later, self.scope = later, f"{prefix}-{self.id}.scope"
        bundle.linux["cgroupsPath"] = f"{slice_name}:{prefix}:{self.id}"
        bundle.resources.update(memory={"limit": 64 << 20}, pids={"limit": 40}, cpu={"shares": 512, "quota": 50000, "period": 100000})
        bundle.write()

    def create(self, *options, **keywords):
        result = super().create(*options, **keywords)
        if self.later is not None:
            self.runtime.options = self.later
        return result

    def properties(self, *names):
        command = ["systemctl", "show", self.scope, *(f"--property={name}" for name in names)]
        text = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
        return dict(line.split("=", 1) for line in text.splitlines())

    def limits(self):
        """By the kernel's files, which must be what systemd takes them for."""
        found = cgroups.ProcessCgroups(self.pid)
        values = (found.memory_limit(), int(found.pids_limit()), found.cpu_quota_and_period()[0])
        limit = "MemoryMax" if cgroups.layout() == "v2" else "MemoryLimit"
        told = self.properties(limit, "TasksMax")
        assert (told[limit], told["TasksMax"]) == (str(values[0]), str(values[1])), told
        return values

    def update(self, **resources):
        self("update", "--resources", "-", self.id, text=json.dumps(resources))


CHANGED = {"memory": {"limit": 96 << 20}, "pids": {"limit": 30}, "cpu": {"quota": 20000, "period": 100000, "shares": 256}}


@pytest.fixture
def pods_slice(host):
    """As a kubelet calls them: each dash is a slice inside."""
    kernel.require_root("the callers' scopes are the system's")
    cgroups.require_systemd()
    top = host.new_name().replace("-", "x")
    yield f"{top}-besteffort-pod1.slice"
    cgroups.stop_slice(f"{top}.slice")


@pytest.fixture(params=["shim for docker", "shim for a kubelet", "conmon for podman", "conmon for CRI-O", "CRI-O of today"])
def by_systemd(request, runtime, bundle, pods_slice):
    state = ["--root", runtime.state_folder]
    log = ["--log", bundle.folder / "log.json", "--log-format", "json"]
    if request.param.startswith("shim"):
        place = ("system.slice", "docker") if "docker" in request.param else (pods_slice, "cri-containerd")
        return CallerWithSystemd(runtime, bundle, *place, [*state, *log, "--systemd-cgroup"])
    if "podman" in request.param:  # conmon says it at `create` alone, before what libpod has it say; libpod never does
        options = ["--log-format=json", "--log", bundle.folder / "oci-log", *state]
        return CallerWithSystemd(runtime, bundle, "machine.slice", "libpod", ["--systemd-cgroup", *options], options)
    return CallerWithSystemd(runtime, bundle, pods_slice, "crio", ["--systemd-cgroup", *state],
                      [*state, "--systemd-cgroup"] if "today" in request.param else state)


def test_a_life_in_a_scope(by_systemd, workspace):
    caller = by_systemd
    caller.create()
    place = cgroups.ProcessCgroups(caller.pid).folder("pids")
    assert place.name == caller.scope and place.parent.name == caller.bundle.linux["cgroupsPath"].split(":")[0]
    caller("start", caller.id)
    exec_pid = workspace / "exec.pid"
    process = caller.process_file("/bin/sleep", "1000")
    caller("exec", "--process", process, "--detach", "--pid-file", exec_pid, caller.id)
    assert sorted(cgroups.ProcessCgroups(caller.pid).processes()) == sorted([caller.pid, int(exec_pid.read_text())])
    assert caller("exec", "--process", caller.process_file("/bin/sh", "-c", "echo out; exit 3"), caller.id, code=3).stdout == "out\n"
    caller("pause", caller.id)
    assert caller.status() == "paused" and caller.properties("ActiveState")["ActiveState"] == "active"
    caller("resume", caller.id)
    assert sorted(json.loads(caller("ps", "--format", "json", caller.id).stdout)) == sorted([caller.pid, int(exec_pid.read_text())])
    caller("kill", "--all", caller.id, "9")
    caller.ended()
    caller("delete", caller.id)
    assert "does not exist" in caller("state", caller.id, code=None).stderr
    assert caller.properties("LoadState")["LoadState"] == "not-found" and not place.exists()


def test_limits_of_a_scope_are_changed(by_systemd):
    caller = by_systemd
    caller.create("--no-new-keyring")
    caller("start", caller.id)
    assert caller.limits() == (64 << 20, 40, 50000)
    caller.update(**CHANGED)
    assert caller.limits() == (96 << 20, 30, 20000)
    caller.update(memory={"limit": 80 << 20})
    assert caller.limits() == (80 << 20, 30, 20000)
    caller("pause", caller.id)
    caller.update(pids={"limit": 33}, cpu={"quota": 30000})
    assert caller.status() == "paused"
    caller("resume", caller.id)
    subprocess.run(["systemctl", "daemon-reload"], check=True, timeout=60)  # systemd sets its limits again
    assert caller.limits() == (80 << 20, 33, 30000)
    caller("delete", "--force", caller.id)


@pytest.mark.kiste_only("systemd answers before it writes its own value, which can then take the place of runc's")
def test_systemd_keeps_whole_percents_the_file_is_exact(by_systemd):
    caller = by_systemd
    caller.create()
    for quota in range(12341, 12346):
        caller.update(cpu={"quota": quota})
        caller.update(cpu={"shares": quota})
        assert caller.limits() == (64 << 20, 40, quota)
    assert caller.properties("CPUQuotaPerSecUSec")["CPUQuotaPerSecUSec"] == "130ms"
    caller("delete", "--force", caller.id)


def test_devices_stay_denied_after_an_update_of_a_scope(by_systemd):
    caller = by_systemd
    caller.bundle.linux["devices"] = [{"path": "/dev/kmsg", "type": "c", "major": 1, "minor": 11, "fileMode": 0o666}]
    caller.bundle.write()
    caller.create()
    caller("start", caller.id)
    caller.update(**CHANGED)
    process = caller.process_file("/bin/sh", "-c", "head -c1 /dev/zero >/dev/null && echo zero; head -c1 /dev/kmsg >/dev/null 2>&1 || echo no-kmsg")
    assert caller("exec", "--process", process, caller.id).stdout.split() == ["zero", "no-kmsg"]
    caller("delete", "--force", caller.id)


def test_a_scope_of_a_create_that_failed_is_gone(by_systemd):
    caller = by_systemd
    caller.bundle.args("nosuch").write()
    result = caller.create(code=1)
    log = next((file for file in (caller.bundle.folder / name for name in ("log.json", "oci-log")) if file.exists()), None)
    assert 'exec: "nosuch": executable file not found in $PATH' in (last_error(log) if log else result.stderr)
    caller("delete", "--force", caller.id)
    assert caller.properties("LoadState")["LoadState"] == "not-found"


# -- an ordinary user's podman, which is root in a user namespace of its own
def test_roots_state_in_a_user_namespace_is_the_users(runtime, bundle, workspace):
    """There is no writing to /run: the state belongs into XDG_RUNTIME_DIR, unless USER says that this is a system's root."""
    runtime.options = []
    bundle.args("nosuch").write()
    runtime.refuses("create", "--bundle", bundle.folder, runtime.new_id(), prefix=("unshare", "--user", "--map-root-user"),
                    env={"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": str(workspace)})
    assert (workspace / runtime.name.removesuffix("-oci")).is_dir()
