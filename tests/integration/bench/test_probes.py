# SPDX-License-Identifier: Apache-2.0
"""The probes of kiste-bench (`load pry`): the document names them all, and their verdicts are right where the answer is known.

LOAD names the program when it is not build/release/libexec/kiste-bench/load.
"""

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

import kernel

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent.parent
ROOM = ["unshare", "--pid", "--mount", "--net", "--ipc", "--fork", "--mount-proc", "--kill-child"]
NAMESPACES = ["unshare", "--pid", "--mount", "--net", "--ipc", "--uts", "--cgroup", "--fork", "--kill-child"]

# What only the planted things can say.
PLANTED = ["files/secret", "memory/posix-shm", "network/abstract-socket", "network/loopback-listener", "process/command-line"]
REFUSED_TO_USERS = ["kernel/acct", "kernel/reboot", "kernel/entropy", "time/set-clock", "time/adjust-clock", "memory/swapon",
                    "identity/cap-sys-admin", "identity/root", "sysctl/core-pattern", "devices/kmsg"]


def documented():
    text = (REPOSITORY / "docs/bench-probes.md").read_text()
    return re.findall(r"^\| `([a-z]+/[a-z0-9-]+)` \|", text, re.MULTILINE)


def in_the_sources():
    names = []
    for file in (REPOSITORY / "src/bench/load").glob("pry_*.c"):
        text = file.read_text()
        names += re.findall(r'^\s+\{"([a-z]+/[a-z0-9-]+)",', text, re.MULTILINE)
        names += [f"identity/{name}" for name in re.findall(r'^\s+CAPABILITY\("([a-z-]+)"', text, re.MULTILINE)]
    return names


@pytest.fixture(scope="session")
def load():
    program = Path(os.environ.get("LOAD") or REPOSITORY / "build/release/libexec/kiste-bench/load").absolute()
    if not os.access(program, os.X_OK):
        pytest.skip(f"{program} is not there: build it first, or name it in LOAD")
    return program


@pytest.fixture
def root(workspace, load):
    """A root file system that has nothing but the program."""
    folder = workspace / "root"
    for name in ("bin", "proc", "dev", "tmp", "sys"):
        (folder / name).mkdir(parents=True)
    shutil.copy(load, folder / "bin/load")
    return folder


def needs(program):
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")


def findings(workspace, *command):
    """Runs the command, where MARKERS stands for the markers, in a room with planted things; {probe: (verdict, words)}."""
    kernel.require_root("namespaces without a user namespace are root's")
    planted = workspace / "planted"
    planted.mkdir(exist_ok=True)
    result = subprocess.run([*ROOM, "python3", HERE / "room.py", planted, *command], capture_output=True, text=True, timeout=58)
    assert result.returncode == 0, result.stderr
    lines = [line.split(" ", 3) for line in result.stdout.splitlines() if line.startswith("finding ")]
    assert all(len(line) == 4 and line[3] for line in lines), "a finding without words"
    return {probe: (verdict, words) for _, probe, verdict, words in lines}


def verdicts(found, names):
    return {name: found[name][0] for name in names}


def expect(found, verdict, names):
    wrong = {name: found[name] for name in names if found[name][0] != verdict}
    assert not wrong, f"expected {verdict}"


def test_the_document_names_every_probe_once():
    assert Counter(documented()) == Counter(in_the_sources())
    assert max(Counter(documented()).values()) == 1


def test_the_program_lists_what_the_document_names(load):
    listed = subprocess.run([load, "pry", "--list"], capture_output=True, text=True, timeout=10, check=True).stdout.split()
    assert [name for name in listed if name != "end"] == documented()


@pytest.mark.parametrize("words", [["--group", "nothing"], ["--marker", "novalue"], ["--marker"], ["word"]])
def test_a_wrong_command_line_is_refused(load, words):
    result = subprocess.run([load, "pry", *words], capture_output=True, text=True, timeout=10)
    assert result.returncode == 2
    assert result.stdout == "" and words[-1] in result.stderr


def test_a_group_and_a_probe_can_be_chosen(load):
    command = [load, "pry", "--list", "--group", "time", "--group", "files/secret"]
    listed = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.split()
    assert {name for name in listed if name != "end"} == {name for name in documented() if name.startswith("time/")} | {"files/secret"}


def test_without_a_sandbox_everything_planted_is_found(load, workspace):
    found = findings(workspace, load, "pry", "MARKERS")
    assert list(found) == documented()
    expect(found, "sees", ["files/secret", "memory/posix-shm", "process/command-line", "process/root", "process/list", "network/unix-list"])
    expect(found, "touches", ["files/secret-write", "memory/posix-shm-write", "network/abstract-socket", "network/loopback-listener",
                              "process/signal", "process/trace", "process/priority", "identity/root"])
    assert (workspace / "planted/secret").read_text().endswith("\nw"), "the probe's word against the file's"


def test_without_markers_nothing_planted_is_claimed(load, workspace):
    found = findings(workspace, load, "pry", "--marker", "none=MARKERS", "--group", "process", "--group", "files/secret", "MARKERS")
    assert found["files/secret"][0] == "sees"
    alone = subprocess.run([*ROOM, load, "pry"], capture_output=True, text=True, timeout=58, stdin=subprocess.DEVNULL)
    lines = [line.split(" ", 3) for line in alone.stdout.splitlines() if line.startswith("finding ")]
    claimed = {probe: verdict for _, probe, verdict, _ in lines if probe in PLANTED}
    assert claimed == dict.fromkeys(PLANTED, "unknown")


def test_an_ordinary_user_is_refused(load, workspace):
    needs("setpriv")
    program = workspace / "load"
    shutil.copy(load, program)
    user = ["setpriv", "--reuid", "54321", "--regid", "54321", "--clear-groups", "--inh-caps=-all"]
    found = findings(workspace, *user, program, "pry", "MARKERS")
    expect(found, "closed", REFUSED_TO_USERS)
    expect(found, "closed", ["process/signal", "process/trace", "process/environment", "process/priority"])
    expect(found, "sees", ["files/secret", "process/command-line", "process/list"])


def test_in_namespaces_the_planted_things_are_out_of_reach(workspace, root):
    found = findings(workspace, *NAMESPACES, "--root", root, "--wd", "/", "/bin/load", "pry", "MARKERS")
    expect(found, "closed", PLANTED + ["files/secret-write", "process/list", "process/signal"])
    # Nothing in there says whose network it is: no verdict.
    assert found["network/interfaces"][0] == "unknown"


def test_a_root_that_is_only_changed_is_escaped_from(workspace, root):
    found = findings(workspace, *NAMESPACES, "--root", root, "--wd", "/", "/bin/load", "pry", "MARKERS")
    expect(found, "closed", ["files/secret", "files/working-directory"])
    expect(found, "sees", ["files/chroot"])


def test_each_namespace_that_is_shared_shows(workspace, root):
    for kept, probe, verdict in [("--net", "network/abstract-socket", "touches"), ("--net", "network/loopback-listener", "touches"),
                                 ("--pid", "process/signal", "touches"), ("--uts", "runtime/set-host-name", "touches")]:
        shared = [word for word in NAMESPACES if word not in (kept, *(["--kill-child"] if kept == "--pid" else []))]
        # The namespaces can only be told where there is a /proc: that of the new pid namespace.
        script = 'mount -t proc proc "$0/proc" && exec chroot "$0" /bin/load pry "$@"'
        found = findings(workspace, *shared, "sh", "-c", script, root, "MARKERS", "--group", probe)
        assert verdicts(found, [probe]) == {probe: verdict}, found


def test_a_leaked_directory_is_found(workspace, root):
    script = 'exec 9</; exec unshare --mount --pid --fork --kill-child --root "$0" --wd / /bin/load pry "$@"'
    found = findings(workspace, "sh", "-c", script, root, "MARKERS", "--group", "files/leaked-descriptors")
    expect(found, "sees", ["files/leaked-descriptors"])


def test_a_working_directory_outside_is_found(workspace, root):
    script = 'cd /; exec chroot --skip-chdir / "$0" pry "$@"'
    found = findings(workspace, "sh", "-c", script, root / "bin/load", "MARKERS", "--group", "files/working-directory")
    expect(found, "sees", ["files/working-directory"])


def test_bubblewrap_closes_what_it_unshares(workspace, root):
    needs("bwrap")
    sandbox = ["bwrap", "--unshare-all", "--unshare-user", "--clearenv", "--ro-bind", root, "/", "--proc", "/proc", "--dev", "/dev",
               "--tmpfs", "/tmp", "--chdir", "/"]
    found = findings(workspace, *sandbox, "/bin/load", "pry", "MARKERS")
    expect(found, "closed", PLANTED + ["files/chroot", "kernel/acct", "kernel/bpf-kprobe", "devices/kmsg", "mounts/debugfs"])
    # Its program and its mounts can be seen from inside.
    assert found["runtime/first-executable"][0] in ("sees", "touches")
    expect(found, "sees", ["mounts/bound-paths", "time/loadavg"])


def run_bundle(workspace, root, runtime, *options):
    bundle = workspace / "bundle"
    bundle.mkdir()
    subprocess.run([runtime, "spec", "--bundle", bundle], check=True, timeout=20)
    config = json.loads((bundle / "config.json").read_text())
    config["root"] = {"path": str(root), "readonly": True}
    config["process"].update({"terminal": False, "args": ["/bin/load", "pry"]})
    # The markers are known in the room only.
    script = ("import json, sys; p = sys.argv[1] + '/config.json'; c = json.load(open(p)); c['process']['args'] += sys.argv[2:];"
              " json.dump(c, open(p, 'w'))")
    (bundle / "config.json").write_text(json.dumps(config))
    command = " ".join(map(str, [runtime, "--root", workspace / "state", *options, "run", "--bundle", bundle, "kiste-bench-probes"]))
    run = f'python3 -c "{script}" {bundle} "$@" && exec {command}'
    return findings(workspace, "sh", "-c", run, "sh", "MARKERS")


def test_the_runtime_closes_what_is_planted(workspace, root, program):
    found = run_bundle(workspace, root, program)
    expect(found, "closed", PLANTED + ["files/chroot", "files/leaked-descriptors", "kernel/acct", "sysctl/core-pattern",
                                       "mounts/proc-anew", "identity/cap-sys-admin", "runtime/first-executable", "cgroups/make-at-top"])
    expect(found, "sees", ["mounts/bound-paths", "time/loadavg"])


def test_a_kernel_of_its_own_is_not_the_hosts(workspace, root):
    needs("runsc")
    found = run_bundle(workspace, root, "runsc", "--network=none", "--ignore-cgroups", "--platform=ptrace")
    expect(found, "closed", PLANTED + ["kernel/log", "time/loadavg", "time/load", "identity/root", "memory/kcore"])
    assert "own kernel" in found["time/loadavg"][1]
