# SPDX-License-Identifier: Apache-2.0
"""Pods as a kubelet makes them, through the Container Runtime Interface of containerd and CRI-O: sandboxes, containers in them, probes."""

import base64
from concurrent.futures import ThreadPoolExecutor

import kernel
from actions import action, status_of
from actions_running import MEMORY, QUOTA, limit, shared

CRI = ("cri", "crio")
POD, CONTAINER, NODE, TARGET = range(4)  # whose a namespace is
HOST_TO_CONTAINER, BIDIRECTIONAL = 1, 2
RUNTIME_DEFAULT, UNCONFINED = 0, 1
CREATED, RUNNING, EXITED = range(3)
SLEEP = ["sleep", "1000"]
LOOP = "while :; do sleep 0.05; done"


class Pod:
    """A sandbox, and the containers in it by their ids."""

    def __init__(self, box, network=POD, hostname="pod", sysctls=(), pid=CONTAINER):
        logs = box.folder / "logs"
        logs.mkdir(exist_ok=True)
        self.box, self.namespaces, name = box, {"network": network, "pid": pid}, box.new_name()
        self.config = {
            "metadata": {"name": name, "uid": name, "namespace": "default"}, "hostname": "" if network == NODE else hostname,
            "log_directory": str(logs), "dns_config": {"servers": ["10.88.0.1"], "searches": ["pods.test"]},
            "linux": {"cgroup_parent": box.engine.parent_of_pods, "sysctls": [{"key": key, "value": value} for key, value in sysctls],
                      "security_context": {"namespace_options": self.namespaces}}}
        self.id = box.call("RunPodSandbox", config=self.config, runtime_handler=box.runtime)["pod_sandbox_id"]

    def container(self, *command, resources=None, code=0, says=None, **options):
        """Created and started: its id, unless it is to fail with `code`. What is not ContainerConfig's is its security context's."""
        config = {key: options.pop(key) for key in ("envs", "mounts", "devices", "working_dir", "tty") if key in options}
        name = self.box.new_name()
        security = {"namespace_options": self.namespaces, **options}
        config |= {"metadata": {"name": name}, "image": {"image": self.box.engine.image}, "command": list(command), "log_path": f"{name}.log",
                   "linux": {"resources": resources or {}, "security_context": security}}
        request = {"pod_sandbox_id": self.id, "config": config, "sandbox_config": self.config}
        if code and self.box.engine.name == "crio":  # whose CreateContainer is the runtime's `create`
            return self.box.call("CreateContainer", code=code, says=says, **request)
        made = self.box.call("CreateContainer", **request)["container_id"]
        self.box.call("StartContainer", container_id=made, code=code, says=says)
        self.log = self.box.folder / "logs" / f"{name}.log"
        return made

    def said_by(self, *command, code=0, **options):
        """What a container wrote to its standard output until its end."""
        container = self.container(*command, **options)
        status = ended(self.box, container)
        assert status["exit_code"] == str(code), (status, self.log.read_text())
        return self.logged()

    def logged(self):
        """Lines of the log are: time, stream, whether whole, text."""
        lines = [line.split(" ", 3) for line in self.log.read_text().splitlines()]
        self.box.saw("\n".join(f"{stream} {text}" for _, stream, _, text in sorted(lines, key=lambda line: line[1])))
        return "".join(f"{text}\n" for _, stream, _, text in lines if stream == "stdout")

    def sh(self, script, **options):
        return self.said_by("sh", "-c", script, **options)


def status(box, container):
    return box.call("ContainerStatus", silent=True, container_id=container)["status"]


def ended(box, container):
    box.waits_for(lambda: status(box, container)["state"] == EXITED, "the container's end")
    facts = status(box, container)
    box.saw([facts["state"], facts["exit_code"], facts["reason"]])
    return facts


def probe(box, container, *command, timeout=10, **options):
    said = box.call("ExecSync", container_id=container, cmd=list(command), timeout=timeout, **options)
    return [int(said["exit_code"]), base64.b64decode(said["stdout"]).decode()] if said else None


@action(*CRI)
def life_of_a_pod(box):
    pod = Pod(box)
    container = pod.container("sh", "-c", f"echo out; echo err >&2; trap 'exit 5' TERM; {LOOP}")
    box.waits_for(lambda: "err" in pod.log.read_text(), "its words in the log")
    pod.logged()
    assert status(box, container)["state"] == RUNNING
    assert box.call("PodSandboxStatus", silent=True, pod_sandbox_id=pod.id)["status"]["network"]["ip"].startswith("10.88.")
    box.call("StopContainer", container_id=container, timeout=10)
    assert ended(box, container)["exit_code"] == "5"
    box.call("RemoveContainer", container_id=container)
    again = pod.container(*SLEEP)
    assert probe(box, again, "echo", "alive") == [0, "alive\n"]
    box.call("StopPodSandbox", pod_sandbox_id=pod.id)
    assert ended(box, again)["exit_code"] == "137"
    box.call("RemovePodSandbox", pod_sandbox_id=pod.id)
    box.call("PodSandboxStatus", pod_sandbox_id=pod.id, code="NOT_FOUND", says="")


@action(*CRI)
def what_a_container_of_a_pod_finds(box):
    """But for how the masks of procfs are made, which is each runtime's own affair."""
    said = Pod(box).sh(
        "id; umask; pwd; env | sort; cat /proc/self/oom_score_adj; hostname; cat /etc/resolv.conf; ls /sys/class/net; "
        "grep 'Cap\\|NoNew\\|Seccomp:\\|Groups\\|Sig[BC]' /proc/self/status; ls -l /dev | tr -s ' ' | cut -d ' ' -f 1-6; ls /proc/self/fd | grep -c .; "
        "while read -r _ _ _ _ target options rest; do echo \"$target ${options%%,relatime} ${rest#*- }\"; done < /proc/self/mountinfo | "
        "grep -v '^/proc/\\|^/sys/\\(firmware\\|fs/cgroup\\)' | cut -d ' ' -f 1-3 | sort", envs=[{"key": "A", "value": "b"}])
    assert "uid=0" in said and "FROM_IMAGE=yes\n" in said and "eth0\n" in said and "search pods.test\n" in said


@action(*CRI)
def probes(box):
    """A kubelet's: one after the other, and those of many containers at once."""
    pod = Pod(box)
    containers = [pod.container(*SLEEP) for _ in range(3)]
    for command, code in ((["true"], 0), (["false"], 1), (["sh", "-c", "echo out; echo err >&2; exit 7"], 7), (["sh", "-c", "kill -9 $$"], 137)):
        assert probe(box, containers[0], *command)[0] == code
    with ThreadPoolExecutor(6) as pool:
        said = list(pool.map(lambda number: probe(box, containers[number % 3], "echo", str(number), silent=True), range(30)))
    assert said == [[0, f"{number}\n"] for number in range(30)]
    probe(box, containers[0], "nosuch", code="UNKNOWN", says=["nosuch", "executable file not found in $PATH"])
    if box.engine.name == "crio":
        assert probe(box, containers[0], *SLEEP, timeout=1)[0] == -1
    else:
        probe(box, containers[0], *SLEEP, timeout=1, code="DEADLINE_EXCEEDED", says="timeout 1s exceeded")
    assert probe(box, containers[0], "ps", "-o", "comm")[1].split() == ["COMMAND", "sleep", "ps"]


@action(*CRI)
def namespaces_of_a_pod(box):
    if box.engine.name == "crio":
        kernel.require_capability("CAP_SYS_RESOURCE")  # CRI-O lowers the OOM score of what keeps the pod's pid namespace
    pod = Pod(box, pid=POD)
    first, second = pod.container(*SLEEP), pod.container(*SLEEP)
    # Its sandbox's too; runc's `start` does not wait until the program runs.
    box.waits_for(lambda: probe(box, first, "ps", "-o", "comm", silent=True)[1].count("sleep") == 3, "three processes")
    for kind, same in (("pid", True), ("net", True), ("ipc", True), ("uts", True), ("mnt", False), ("cgroup", False)):
        found = {probe(box, container, "readlink", f"/proc/self/ns/{kind}", silent=True)[1] for container in (first, second)}
        box.saw(kind, len(found))
        assert len(found) == (1 if same else 2) or kind == "cgroup", kind
    probe(box, first, "sh", "-c", "echo shared > /dev/shm/file")
    assert probe(box, second, "cat", "/dev/shm/file") == [0, "shared\n"]


@action(*CRI)
def processes_of_another_container(box):
    """An ephemeral container's, as `kubectl debug --target` makes it."""
    pod = Pod(box)
    first = pod.container(*SLEEP)
    pod.namespaces = {"pid": TARGET, "target_id": first}
    assert pod.sh("cat /proc/1/comm") == "sleep\n"


@action(*CRI)
def pod_on_the_nodes_network(box):
    assert "eth0\n" not in Pod(box, network=NODE).sh("ls /sys/class/net | grep -v ^veth; cat /etc/resolv.conf")


@action(*CRI)
def kernel_parameters_of_a_pod(box):
    said = Pod(box, hostname="crate", sysctls=[("net.ipv4.ip_unprivileged_port_start", "79"), ("kernel.msgmax", "4321")]).sh(
        "cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/msgmax; hostname")
    assert said == "79\n4321\ncrate\n"


@action(*CRI)
def limits_of_a_container(box):
    container = Pod(box).container(*SLEEP, resources={"memory_limit_in_bytes": 64 << 20, "cpu_period": 100000, "cpu_quota": 50000,
                                                      "cpu_shares": 512, "oom_score_adj": 700, "cpuset_cpus": "0"})
    assert probe(box, container, "sh", "-c", limit(MEMORY))[1] == f"{64 << 20}\n"
    assert probe(box, container, "sh", "-c", "cat /proc/1/oom_score_adj; grep Cpus_allowed_list /proc/1/status")[1].split()[0] == "700"
    box.call("UpdateContainerResources", container_id=container, linux={"memory_limit_in_bytes": 96 << 20, "cpu_quota": 30000})
    assert probe(box, container, "sh", "-c", limit(MEMORY))[1] == f"{96 << 20}\n"
    assert probe(box, container, "sh", "-c", limit(QUOTA))[1].split()[0] == "30000"
    box.call("UpdateContainerResources", container_id=container, linux={"cpuset_cpus": "99"}, code="UNKNOWN", says="cpuset.cpus")
    stats = box.call("ContainerStats", silent=True, container_id=container)["stats"]
    assert int(stats["memory"]["working_set_bytes"]["value"]) > 0 and int(stats["cpu"]["usage_core_nano_seconds"]["value"]) > 0


@action(*CRI)
def security_of_a_container(box):
    pod = Pod(box)
    see = "id; grep 'Cap\\|NoNew\\|Seccomp:\\|Groups' /proc/self/status; touch /new 2>/dev/null || echo refused"
    said = pod.sh(see, run_as_user={"value": 1234}, run_as_group={"value": 5678}, supplemental_groups=[77], readonly_rootfs=True,
                  no_new_privs=True, capabilities={"drop_capabilities": ["ALL"]}, seccomp={"profile_type": RUNTIME_DEFAULT})
    assert "uid=1234" in said and "gid=5678" in said and said.rstrip().endswith("refused") and status_of(said, "Seccomp") == "2"
    said = pod.sh(see, run_as_username="app", capabilities={"add_capabilities": ["NET_ADMIN"]}, seccomp={"profile_type": UNCONFINED})
    assert "(app)" in said and status_of(said, "Seccomp") == "0"
    assert pod.sh("wc -c < /etc/passwd; { echo x > /etc/group; } 2>/dev/null || echo refused", masked_paths=["/etc/passwd"],
                  readonly_paths=["/etc"]).rstrip().endswith("refused")


@action(*CRI)
def volumes_of_a_container(box):
    folder, pod = shared(box), Pod(box)
    mounts = [{"container_path": "/data", "host_path": str(folder), "propagation": HOST_TO_CONTAINER},
              {"container_path": "/fixed", "host_path": str(folder), "readonly": True}, {"container_path": "/etc/given", "host_path": f"{folder}/file"}]
    said = pod.sh("cat /data/file /etc/given; echo back > /data/answer; touch /fixed/new 2>/dev/null || echo refused; "
                  "head -c 3 /dev/made | wc -c", mounts=mounts,
                  devices=[{"container_path": "/dev/made", "host_path": "/dev/zero", "permissions": "r"}])
    assert said == "from the host\nfrom the host\nrefused\n3\n"
    assert (folder / "answer").read_text() == "back\n"


@action(*CRI)
def containers_that_cannot_start(box):
    pod = Pod(box)
    for command, words in ((["nosuch"], ["nosuch", "executable file not found in $PATH"]), (["/nosuch/file"], ["/nosuch/file", "no such file or directory"]),
                           (["/etc/passwd"], ["/etc/passwd", "permission denied"])):
        failed = pod.container(*command, code="UNKNOWN", says=words)
        assert box.engine.name == "crio" or ended(box, failed)["reason"] == "StartError"
    pod.sh("exit 3", code=3)
    pod.sh("sh -c 'kill -KILL $$'; exit $?", code=137)


@action(*CRI)
def program_that_does_not_listen(box):
    pod = Pod(box)
    container = pod.container("sh", "-c", f"trap '' TERM; echo ready; {LOOP}")
    box.waits_for(lambda: "ready" in pod.log.read_text(), "its words in the log")
    box.call("StopContainer", container_id=container, timeout=1)
    assert ended(box, container)["exit_code"] == "137"


@action(*CRI)
def out_of_memory_in_a_pod(box):
    script = "sh -c 'x=0123456789; while :; do x=$x$x; done'; code=$?; sleep 1; exit $code"
    pod = Pod(box)
    container = pod.container("sh", "-c", script, resources={"memory_limit_in_bytes": 24 << 20})
    assert ended(box, container)["reason"] == "OOMKilled"
