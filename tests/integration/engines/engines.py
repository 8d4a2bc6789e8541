# SPDX-License-Identifier: Apache-2.0
"""How podman, docker, containerd, buildah, BuildKit and a kubelet's containerd are told to do the same things: each a table of options and a few verbs."""

import itertools
import json
import os
import re

import cgroups
from box import PATIENCE, Answer, call

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
LIMITS = ("nofile=1024:1024", "nproc=1024:1024")  # the engines' own are beyond what a root without CAP_SYS_RESOURCE may set


def flag(word):
    return lambda value: [word] if value else []


def option(word):
    return lambda value: [word, str(value)]


def each(word, form="{}"):
    """An option for each of several values."""
    return lambda values: [part for value in values for part in (word, form.format(*value) if isinstance(value, tuple)
                                                                 else form.format(value))]


# The command line that docker invented.
DOCKERS = {
    "env": each("--env"), "workdir": option("--workdir"), "user": option("--user"), "volumes": each("--volume"),
    "read_only": flag("--read-only"), "tmpfs": option("--tmpfs"), "memory": option("--memory"), "cpus": option("--cpus"),
    "pids_limit": option("--pids-limit"), "cap_add": each("--cap-add"), "cap_drop": each("--cap-drop"),
    "seccomp": lambda file: ["--security-opt", f"seccomp={file}"], "security": option("--security-opt"),
    "no_new_privileges": lambda _: ["--security-opt", "no-new-privileges"], "device": option("--device"),
    "sysctl": option("--sysctl"), "ulimit": each("--ulimit"), "hostname": option("--hostname"),
    "terminal": flag("--tty"), "stdin": flag("--interactive"), "privileged": flag("--privileged"),
    "others": lambda words: list(words),
}


class Engine:
    """What is the same for all."""

    name = ""
    options = DOCKERS
    daemons = ()  # those that it needs

    def __init__(self, folder, host):
        self.folder, self.host, self.token = folder, host, host.token
        self.folder.mkdir(exist_ok=True)
        self.folder.chmod(0o755)
        self.environment = {"PATH": PATH, "HOME": str(folder), "LC_ALL": "C.UTF-8", "TERM": "xterm",
                            "TMPDIR": str(folder)}
        self.numbers = itertools.count(1)

    def next_number(self):
        return next(self.numbers)

    def call(self, box, words, text=None):
        return call(self.command(box, *words), self.host, self.environment_of(box), self.folder, text)

    def words_of(self, options):
        return [word for name, value in options.items() for word in self.options[name](value)]

    def environment_of(self, _):
        return self.environment

    def folder_of(self, _):
        return self.folder

    def prefix_of(self, _):
        return f"/{self.token}"

    def verb_words(self, what, name, *words):
        return {"pause": ["pause"], "resume": ["unpause"], "kill": ["kill", "--signal"],
                "remove": ["rm", "--force"]}[what] + [*words, name]

    def exec_words(self, _, name, command, options):
        return ["exec", *self.words_of(options), name, *command]

    def run_words(self, box, name, command, options, detach=False):
        how = ["--detach"] if detach else ["--rm"]
        return ["run", *how, "--name", name, *self.extra(box), *self.words_of(options), self.image, *command]

    def extra(self, _):
        return []

    def status(self, box, name):
        return box.inspect(name, "State", "Status")

    def cgroups(self):
        """Those of containers, below the engine's parent, whose name has the session's token."""
        return {folder for folder in self.all_cgroups() if re.search(r"[0-9a-f]{64}|[tp]\d+z(\.scope)?$", folder)}

    def all_cgroups(self):
        found = (os.path.join(folder, name) for _, root in cgroups.hierarchies() for folder, names, _ in os.walk(root) for name in names)
        return {folder for folder in found if self.token in folder}

    def close(self):
        """Takes away the parents of cgroups, which engines keep."""
        if cgroups.manager() == "systemd":
            cgroups.stop_slice(f"{self.token}.slice")
        for _, root in cgroups.hierarchies():
            for folder, _, _ in os.walk(root, topdown=False):
                if self.token in folder:
                    os.rmdir(folder)


class Docker(Engine):
    """A client of the daemon that daemons.py starts, which knows both runtimes by the names `tested` and `peer`."""

    name = "docker"
    image = "busybox:test"

    def __init__(self, folder, host, daemons):
        super().__init__(folder, host)
        self.daemons, self.socket = [daemons], daemons.docker
        self.environment["DOCKER_CONFIG"] = str(folder)

    def command(self, _, *words):
        return ["/usr/bin/docker", "--host", f"unix://{self.socket}", *words]

    def extra(self, box):
        return ["--runtime", box.runtime]

    def import_image(self, tar, _):
        return [["import", "--change", "ENV FROM_IMAGE=yes", tar, self.image]]

    def remove_all(self, box):
        names = self.call(box, ["ps", "--all", "--quiet"]).stdout.split()
        return self.call(box, ["rm", "--force", "--volumes", *names]) if names else None


class Containerd(Engine):
    """`ctr`, whose words are its own."""

    name = "containerd"
    image = "docker.io/library/busybox:test"
    options = {
        "env": each("--env"), "workdir": option("--cwd"), "read_only": flag("--read-only"), "cpus": option("--cpus"),
        "memory": option("--memory-limit"), "terminal": flag("--tty"), "privileged": flag("--privileged"),
        "cap_add": each("--cap-add", "CAP_{}"), "cap_drop": each("--cap-drop", "CAP_{}"), "user": option("--user"),
        "seccomp": lambda file: ["--seccomp", "--seccomp-profile", str(file)], "no_new_privileges": lambda _: [],
        "volumes": lambda volumes: [word for volume in volumes for word in ("--mount", bind_mount(volume))],
        "tmpfs": lambda target: ["--mount", f"type=tmpfs,src=tmpfs,dst={target}"], "stdin": lambda _: [],
        "device": option("--device"), "others": lambda words: list(words),
    }

    def __init__(self, folder, host, daemons):
        super().__init__(folder, host)
        self.daemons, self.socket = [daemons], daemons.containerd

    def command(self, _, *words):
        return ["ctr", "--address", self.socket, "--namespace", self.token, *words]

    def import_image(self, _, archive):
        return [["image", "import", archive]]

    def run_words(self, box, name, command, options, detach=False):
        how = ["--detach", "--null-io"] if detach else ["--rm"]
        if cgroups.manager() == "systemd":
            how += ["--runc-systemd-cgroup", "--cgroup", f"{self.token}.slice:ctr:{name}"]
        return ["run", *how, "--runtime", "io.containerd.runc.v2", "--runc-binary", box.program, "--fifo-dir", self.folder,
                *self.words_of(options), self.image, name, *command]

    def cgroup_of(self, name):
        return f"{self.token}.slice/ctr-{name}.scope" if cgroups.manager() == "systemd" else f"{self.token}/{name}"

    def exec_words(self, _, name, command, options):
        number = f"e{self.next_number()}"
        return ["task", "exec", "--exec-id", number, "--fifo-dir", self.folder, *self.words_of(options), name, *command]

    def verb_words(self, what, name, *words):
        return {"pause": ["task", "pause"], "resume": ["task", "resume"], "kill": ["task", "kill", "--signal"],
                "remove": ["task", "rm", "--force"]}[what] + [*words, name]

    def status(self, box, name):
        listed = box.type("task", "ls", silent=True).splitlines()
        return next((line.split()[2].lower() for line in listed if line.split()[0] == name), "")

    def remove_all(self, box):
        for name in self.call(box, ["task", "ls", "--quiet"]).stdout.split():
            self.call(box, ["task", "rm", "--force", name])
        names = self.call(box, ["container", "ls", "--quiet"]).stdout.split()
        return self.call(box, ["container", "rm", *names]) if names else None


def bind_mount(volume):
    """docker's `source:target:ro` as ctr has it."""
    source, target, *how = volume.split(":")
    return f"type=bind,src={source},dst={target},options=" + ":".join(["rbind", *how])


class Podman(Engine):
    """Two podmans with storage of their own: podman_engine.Podman is the one of the podman tests."""

    name = "podman"
    image = "localhost/busybox:test"

    def __init__(self, folder, host, podmans):
        super().__init__(folder, host)
        self.podmans = podmans  # by the names `tested` and `peer`

    def environment_of(self, box):
        return self.podmans[box.runtime].environment

    def command(self, box, *words):
        return self.podmans[box.runtime].command(*words)

    def folder_of(self, box):
        return self.podmans[box.runtime].folder

    def prefix_of(self, box):
        return self.podmans[box.runtime].cgroup_parent

    def import_image(self, tar, _):
        return [["import", "--quiet", "--change", "ENV FROM_IMAGE=yes", tar, self.image]]

    def verb_words(self, what, name, *words):
        return super().verb_words(what, name, *words, *(["--time", "0"] if what == "remove" else []))

    def cgroups(self):
        return set().union(*(podman.cgroups() for podman in self.podmans.values()))

    def remove_all(self, box):
        self.podmans[box.runtime].remove_all()

    def close(self):
        for podman in self.podmans.values():
            podman.close()


class Buildah(Engine):
    """`buildah run` in a working container of its own for each command."""

    name = "buildah"
    image = "localhost/busybox:test"
    options = DOCKERS | {"cap_add": each("--cap-add", "CAP_{}"), "cap_drop": each("--cap-drop", "CAP_{}"),
                         "workdir": option("--workingdir"), "terminal": flag("--terminal"), "stdin": lambda _: []}
    OF_THE_CONTAINER = ("memory", "device", "ulimit", "security", "seccomp", "others")  # options of `buildah from`

    def command(self, _, *words):
        return ["buildah", "--root", self.folder / "root", "--runroot", self.folder / "run", "--storage-driver", "overlay",
                *words]

    def import_image(self, tar, _):
        file = self.folder / "Containerfile"
        file.write_text(f"FROM scratch\nENV FROM_IMAGE=yes\nADD {tar.name} /\n")
        return [["bud", "--quiet", "--tag", self.image, "--file", file, tar.parent]]

    def run_words(self, box, name, command, options, detach=False):
        ours = {key: value for key, value in options.items() if key in self.OF_THE_CONTAINER}
        limits = each("--ulimit")([limit for limit in LIMITS if "ulimit" not in options])
        made = self.call(box, ["from", "--name", name, "--pull-never", "--cgroup-parent", f"/{self.token}/{name}", *limits,
                               *self.words_of(ours), self.image])
        assert made.code == 0, f"should succeed: {made}"
        rest = {key: value for key, value in options.items() if key not in ours}
        return ["run", "--runtime", box.program, "--network", "private", *self.words_of(rest), name, "--", *command]

    def build_words(self, box):
        return ["--runtime", box.program, "--no-cache", "--network", "private", "--cgroup-parent",
                f"/{self.token}/{box.new_name()}", *each("--ulimit")(LIMITS)]

    def remove_all(self, box):
        self.call(box, ["rm", "--all"])


class BuildKit(Engine):
    """`docker build` by two daemons, one for each runtime: the BuildKit in them calls what they find by the name of runc."""

    name = "buildkit"
    image = "busybox:test"
    options = {"network": option("--network"), "hosts": each("--add-host"), "secrets": each("--secret"),
               "arguments": each("--build-arg"), "output": option("--output")}

    def __init__(self, folder, host, daemons):
        super().__init__(folder, host)
        self.daemons_of, self.daemons = daemons, daemons.values()
        self.environment |= {"DOCKER_CONFIG": str(folder), "DOCKER_BUILDKIT": "1"}

    def command(self, box, *words):
        return ["/usr/bin/docker", "--host", f"unix://{self.daemons_of[box.runtime].docker}", *words]

    def import_image(self, tar, _):
        return [["import", "--change", "ENV FROM_IMAGE=yes", tar, self.image]]

    def build_words(self, dockerfile, options):
        return ["build", "--no-cache", "--progress", "plain", "--file", dockerfile, *self.words_of(options), dockerfile.parent]

    def cgroups(self):
        return {path for path in self.all_cgroups() if "/buildkit/" in path}

    def remove_all(self, box):
        self.call(box, ["builder", "prune", "--all", "--force"])


class Cri(Engine):
    """containerd as a kubelet calls it (cri.py): the words of a command are the name of a call and what it is given. What a command's
    exit code is to the other engines is here the name of the answer's status, or 0."""

    name = "cri"
    image = "docker.io/library/busybox:test"

    def __init__(self, folder, host, daemons, socket, client):
        super().__init__(folder, host)
        self.daemons, self.socket, self.client = [daemons], socket, client
        self.parent_of_pods = f"/{self.token}.slice" if cgroups.manager() == "systemd" else f"/{self.token}"

    def call(self, _, words, text=None):
        name, request = words
        try:
            answer, code, complaint = self.client.call(name, request, PATIENCE), 0, ""
        except self.client.errors as error:
            answer, code, complaint = {}, error.code().name, error.details()
        return Answer([name, json.dumps(request)], code, json.dumps(answer), complaint)

    def import_archive(self, archive):
        return ["ctr", "--address", self.socket, "--namespace", "k8s.io", "image", "import", archive]

    def remove_all(self, box):
        for pod in json.loads(self.call(box, ["ListPodSandbox", {}]).stdout)["items"]:
            for name in ("StopPodSandbox", "RemovePodSandbox"):
                self.call(box, [name, {"pod_sandbox_id": pod["id"]}])

    def close(self):
        self.client.close()
        super().close()


class CrioCri(Cri):
    """The same calls to CRI-O."""

    name = "crio"
    image = "localhost/busybox:test"
