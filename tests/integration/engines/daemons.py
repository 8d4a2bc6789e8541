# SPDX-License-Identifier: Apache-2.0
"""containerd and dockerd for one session of tests, in a namespace of mounts and processes of their own.

Everything they write lies in one folder or in a /run that only they see. The kernel ends them, their shims, containers and
mounts together, when the first process of their namespace ends; that one dies with this process, however it ends.
"""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

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
"""
PAUSE = "docker.io/library/pause:test"  # the image of which containerd makes what keeps a pod's namespaces
NETWORK_OF_PODS = {"cniVersion": "0.4.0", "name": "pods", "plugins": [
    {"type": "bridge", "bridge": "pods", "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.88.0.0/16"}]], "dataDir": "/run/cni"}}]}

# Shims keep their sockets in /run/containerd, wherever containerd's own state is.
SCRIPT = """
mount -t tmpfs tmpfs /run
[ "$2" = shared-network ] || { ip link set lo up; mount --make-rshared /; }
containerd --config "$1/containerd.toml" > "$1/containerd.log" 2>&1 &
until [ -S "$1/containerd.sock" ]; do sleep 0.05; done
dockerd --config-file "$1/dockerd.json" > "$1/dockerd.log" 2>&1 &
wait
"""


class Daemons:
    """With `runc` the daemons find that program under the name of runc, which is how BuildKit looks for its runtime. They then
    have a network of their own, with docker's bridge and one of pods', and containerd answers to a kubelet's calls."""

    def __init__(self, folder, host, runtimes, runc=None):
        self.folder, self.host, self.runc = folder, host, runc
        folder.mkdir()
        path = PATH
        if runc:
            (folder / "bin").mkdir()
            (folder / "bin/runc").symlink_to(runc)
            path = f"{folder}/bin:{PATH}"
        (folder / "containerd.toml").write_text(self.containerds_configuration(runtimes))
        (folder / "cni").mkdir()
        (folder / "cni/pods.conflist").write_text(json.dumps(NETWORK_OF_PODS))
        (folder / "dockerd.json").write_text(json.dumps(self.configuration(runtimes)))
        # PDEATHSIG of each reaches the next: this process, unshare, the namespace's first process.
        command = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", *(["--net"] if runc else []), "--fork",
                   "--kill-child=KILL", "--mount-proc", "catatonit", "-g", "--", "sh", "-c", SCRIPT, "sh", folder,
                   "own-network" if runc else "shared-network"]
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, env={"PATH": path},
                                        stdout=(folder / "script.log").open("wb"), stderr=subprocess.STDOUT)
        host.commands[self.process.pid] = self.process

    def containerds_configuration(self, runtimes):
        disabled = ", ".join(f'"{plugin}"' for plugin in ([OPT_PLUGIN] if self.runc else [CRI_PLUGIN, OPT_PLUGIN]))
        text = CONTAINERD.format(folder=self.folder, disabled=disabled)
        if self.runc:
            text += CRI.format(folder=self.folder, pause=PAUSE)
            text += "".join(CRI_RUNTIME.format(name=name, program=program) for name, program in runtimes.items())
        return text

    def configuration(self, runtimes):
        return {
            "data-root": f"{self.folder}/docker", "exec-root": f"{self.folder}/docker-run",
            "pidfile": f"{self.folder}/dockerd.pid", "hosts": [f"unix://{self.docker}"],
            "containerd": str(self.containerd), "bridge": "" if self.runc else "none", "iptables": False, "ip6tables": False,
            "cgroup-parent": f"/{self.host.token}-docker", "experimental": False, "exec-opts": ["native.cgroupdriver=cgroupfs"],
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
        """Until dockerd answers; what both wrote when it does not."""
        end = time.monotonic() + PATIENCE
        ping = ["/usr/bin/docker", "--host", f"unix://{self.docker}", "version", "--format", "{{.Server.Version}}"]
        while time.monotonic() < end and self.process.poll() is None:
            if self.docker.exists() and subprocess.run(ping, capture_output=True, timeout=PATIENCE,
                                                       env={"PATH": PATH, "HOME": str(self.folder)}).returncode == 0:
                return
            time.sleep(0.05)
        said = [file.read_text(errors="replace")[-1500:] for file in sorted(self.folder.glob("*.log"))]
        self.close()
        raise AssertionError("containerd and dockerd do not start:\n" + "\n".join(said))

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
        self.host.commands.pop(self.process.pid, None)
