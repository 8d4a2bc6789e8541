# SPDX-License-Identifier: Apache-2.0
"""containerd and dockerd, or CRI-O, for one session of tests, in a namespace of mounts and processes of their own.

Everything they write lies in one folder or in a /run that only they see. The kernel ends them, their shims, containers and
mounts together, when the first process of their namespace ends; that one dies with this process, however it ends.

Where systemd makes the cgroups (cgroups.manager()) there is no namespace of processes: runtimes tell systemd the numbers of
theirs. The daemons and their shims are then a scope in the session's slice, which systemd ends when the tests ask for it; what tests
that were killed leave is ended by `systemctl stop kt*.slice`.
"""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import cgroups
from deadline import SLOWNESS
from engines import LIMITS, PATH

PATIENCE = 60.0 * SLOWNESS  # seconds until both answer

CONTAINERD = """
version = 2
root = "{folder}/containerd"
state = "{folder}/containerd-state"
disabled_plugins = [{disabled}]
[grpc]
address = "{folder}/containerd.sock"
[ttrpc]
address = "{folder}/containerd-ttrpc.sock"
"""
CRI_PLUGIN, OPT_PLUGIN = "io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"

CRI = """
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{pause}"
restrict_oom_score_adj = true  # a root without CAP_SYS_RESOURCE cannot lower it
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{folder}/cni"
[plugins."io.containerd.grpc.v1.cri".containerd]
default_runtime_name = "peer"
"""
CRI_RUNTIME = """
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.{name}]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.{name}.options]
BinaryName = "{program}"
SystemdCgroup = {systemd}
"""
PAUSE = "docker.io/library/pause:test"  # the image of which containerd makes what keeps a pod's namespaces
NETWORK_OF_PODS = {"cniVersion": "0.4.0", "name": "pods", "plugins": [
    {"type": "ptp", "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.88.0.0/16"}]], "dataDir": "/run/cni"}}]}

OWN_NETWORK = """
ip link set lo up
mount --make-rshared /
"""

OWN_RUN = """
mount -t tmpfs tmpfs /run
"""
# But for the sockets by which systemd is asked for cgroups.
RUN_WITH_SYSTEMD = """
mkdir "$1/systemd" "$1/dbus"
mount --bind /run/systemd "$1/systemd"
mount --bind /run/dbus "$1/dbus"
mount -t tmpfs tmpfs /run
mkdir /run/systemd /run/dbus
mount --bind "$1/systemd" /run/systemd
mount --bind "$1/dbus" /run/dbus
umount "$1/systemd" "$1/dbus"
"""

# Shims keep their sockets in /run/containerd, wherever containerd's own state is.
SCRIPT = """
containerd --config "$1/containerd.toml" > "$1/containerd.log" 2>&1 &
until [ -S "$1/containerd.sock" ]; do sleep 0.05; done
dockerd --config-file "$1/dockerd.json" > "$1/dockerd.log" 2>&1 &
wait
"""

CRIO = """
[crio]
root = "{folder}/root"
runroot = "{folder}/runroot"
storage_driver = "overlay"
version_file = "{folder}/version"
version_file_persist = ""
clean_shutdown_file = ""
log_dir = "{folder}/logs"
[crio.api]
listen = "{folder}/crio.sock"
[crio.image]
pause_image = "{pause}"
pause_command = "sleep 100000"
[crio.network]
network_dir = "{folder}/cni"
plugin_dirs = ["/usr/lib/cni"]
[crio.runtime]
default_runtime = "peer"
conmon = "/usr/bin/conmon"
conmon_cgroup = "pod"
cgroup_manager = "{manager}"
pinns_path = "{pinns}"
namespaces_dir = "{folder}/namespaces"
default_ulimits = {limits}
"""
CRIO_RUNTIME = """
[crio.runtime.runtimes.{name}]
runtime_path = "{program}"
runtime_root = "{folder}/{name}"
"""
CRIO_SCRIPT = """
buildah --root "$1/root" --runroot "$1/runroot" --storage-driver overlay bud --quiet --tag {tag} --file "$1/Containerfile" {context} > "$1/image.log" 2>&1
{crio} --config "$1/crio.conf" --config-dir "$1/no-more" > "$1/crio.log" 2>&1 &
wait
"""


class Namespace:
    """A shell script and all that it starts, in namespaces of their own."""

    def __init__(self, folder, host, script, own_network, path=PATH):
        self.folder, self.host = folder, host
        self.unit, scope, processes = None, [], ["--pid", "--mount-proc"]
        if self.by_systemd:
            self.unit = f"{host.token}-{folder.name}.scope"
            scope, processes = ["systemd-run", "--quiet", "--scope", f"--slice={host.token}", f"--unit={self.unit}"], []
        # PDEATHSIG of each reaches the next: this process, unshare, the namespace's first process.
        command = ["setpriv", "--pdeathsig", "KILL", *scope, "unshare", "--mount", *(["--net"] if own_network else []), "--fork",
                   "--kill-child=KILL", *processes, "catatonit", "-g", "--", "sh", "-c",
                   (OWN_NETWORK if own_network else "") + (RUN_WITH_SYSTEMD if self.by_systemd else OWN_RUN) + script, "sh", folder]
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, env={"PATH": path},
                                        stdout=(folder / "script.log").open("wb"), stderr=subprocess.STDOUT)
        host.commands[self.process.pid] = self.process

    @property
    def by_systemd(self):
        return cgroups.manager() == "systemd"

    def wait_until(self, answers):
        """What all wrote when they never do."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            if answers():
                return
            time.sleep(0.05)
        said = [file.read_text(errors="replace")[-1500:] for file in sorted(self.folder.glob("*.log"))]
        self.close()
        raise AssertionError("the daemons do not start:\n" + "\n".join(said))

    def mounts(self):
        """The places that something is mounted on, where they are."""
        for pid in self.inside():
            text = Path(f"/proc/{pid}/mountinfo").read_text()
            return {line.split()[4] for line in text.splitlines()}
        return set()

    def inside(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as listing:
            return [int(word) for word in listing.read().split()]

    def close(self):
        """Ends them, unless that was done."""
        if self.process.returncode is not None:
            return
        for pid in self.inside():
            os.kill(pid, signal.SIGKILL)  # all others of its namespace die with it
        self.process.wait(PATIENCE)
        if self.unit:
            subprocess.run(["systemctl", "kill", "--signal=KILL", self.unit], capture_output=True, timeout=PATIENCE, check=False)
        self.host.commands.pop(self.process.pid, None)


class Daemons(Namespace):
    """containerd and dockerd. With `runc` they find that program under the name of runc, which is how BuildKit looks for its
    runtime. They then have a network of their own, with docker's bridge and one of pods', and containerd answers to a kubelet's
    calls."""

    def __init__(self, folder, host, runtimes, runc=None):
        self.folder, self.host, self.runc = folder, host, runc
        folder.mkdir()
        path = PATH
        if runc:
            (folder / "bin").mkdir()
            (folder / "bin/runc").symlink_to(runc)
            path = f"{folder}/bin:{PATH}"
        (folder / "containerd.toml").write_text(self.containerds_configuration(runtimes))
        write_network_of_pods(folder)
        (folder / "dockerd.json").write_text(json.dumps(self.configuration(runtimes)))
        super().__init__(folder, host, SCRIPT, own_network=bool(runc), path=path)

    def containerds_configuration(self, runtimes):
        disabled = ", ".join(f'"{plugin}"' for plugin in ([OPT_PLUGIN] if self.runc else [CRI_PLUGIN, OPT_PLUGIN]))
        text = CONTAINERD.format(folder=self.folder, disabled=disabled)
        if self.runc:
            text += CRI.format(folder=self.folder, pause=PAUSE)
            text += "".join(CRI_RUNTIME.format(name=name, program=program, systemd=str(self.by_systemd).lower()) for name, program in runtimes.items())
        return text

    def configuration(self, runtimes):
        return {
            "data-root": f"{self.folder}/docker", "exec-root": f"{self.folder}/docker-run",
            "pidfile": f"{self.folder}/dockerd.pid", "hosts": [f"unix://{self.docker}"],
            "containerd": str(self.containerd), "bridge": "" if self.runc else "none", "iptables": False, "ip6tables": False,
            "cgroup-parent": f"{self.host.token}-docker.slice" if self.by_systemd else f"/{self.host.token}-docker",
            "experimental": False, "exec-opts": [f"native.cgroupdriver={cgroups.manager()}"],
            "runtimes": {name: {"path": str(path)} for name, path in runtimes.items()},
            "default-ulimits": {limit.split("=")[0]: {"Name": limit.split("=")[0], "Soft": 1024, "Hard": 1024}
                                for limit in LIMITS},
        }

    @property
    def docker(self):
        return self.folder / "docker.sock"

    @property
    def containerd(self):
        return self.folder / "containerd.sock"

    def wait(self):
        """Until dockerd answers."""
        ping = ["/usr/bin/docker", "--host", f"unix://{self.docker}", "version", "--format", "{{.Server.Version}}"]
        environment = {"PATH": PATH, "HOME": str(self.folder)}
        self.wait_until(lambda: self.docker.exists() and subprocess.run(ping, capture_output=True, timeout=PATIENCE, env=environment).returncode == 0)


class Crio(Namespace):
    """CRI-O; `image` is a tar file, which becomes the image that pods and containers are made of."""

    def __init__(self, folder, host, runtimes, crio, pinns, image, name):
        folder.mkdir()
        self.socket = folder / "crio.sock"
        (folder / "Containerfile").write_text(f"FROM scratch\nENV FROM_IMAGE=yes\nADD {image.name} /\n")
        configured = "".join(CRIO_RUNTIME.format(folder=folder, name=which, program=program) for which, program in runtimes.items())
        (folder / "crio.conf").write_text(CRIO.format(folder=folder, pinns=pinns, pause=name, manager=cgroups.manager(), limits=json.dumps([f"{LIMITS[0]}"])) + configured)
        write_network_of_pods(folder)
        super().__init__(folder, host, CRIO_SCRIPT.format(crio=crio, tag=name, context=image.parent), own_network=True)

    def wait(self):
        self.wait_until(self.socket.exists)


def write_network_of_pods(folder):
    (folder / "cni").mkdir()
    (folder / "cni/pods.conflist").write_text(json.dumps(NETWORK_OF_PODS))
