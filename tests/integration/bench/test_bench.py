# SPDX-License-Identifier: Apache-2.0
"""Runs, reports and comparisons of kiste-bench, as their users type them."""

import contextlib
import csv
import io
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
import xml.etree.ElementTree
from pathlib import Path

import pytest

import kernel
from bench_program import REPOSITORY
from host_state import descendants_of, process_state
from terminal import OwnTerminal

QUICK = """
title = "nothing much"
axiom = "performance"
method = "command"
command = ["{load}", "cpu", "--seconds", "0.05"]
"""
LINK = """
title = "over a link"
axiom = "performance"
method = "command"
network = "link"
command = ["{load}", "network", "--seconds", "0.3", "--connect", "{outside}", "--port", "4711"]
settings.companion = ["network", "--listen", "{outside}", "--port", "4711"]
"""
# What it "measures" is its base and some noise, the same in every run of the test: no clock decides.
COUNTING = """
title = "a host process that makes up its numbers"
isolation = "none"
program = "sh"
own-root = false
do.run = ["sh", "-c", "echo >> %(counter)s; n=$(wc -l < %(counter)s); echo result cpu/primes ns $((%(base)d + n * n * n %% 101)); echo end"]
"""


@pytest.fixture
def own(bench):
    """A folder of descriptions with a quick workload, a target that always takes about as long and one that is 5 % slower."""
    folder = bench.folder / "own"
    (folder / "targets").mkdir(parents=True)
    (folder / "workloads").mkdir()
    (folder / "workloads/quick.toml").write_text(QUICK)
    for name, base in (("steady", 10000), ("slower", 10500)):
        (folder / f"targets/{name}.toml").write_text(COUNTING % {"counter": bench.folder / "counter", "base": base})
    return folder


def need(*programs):
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")


def metrics(data, target):
    return {figure["metric"] for figure in data["figures"] for cell in figure["targets"] if cell["target"] == target}


def test_list_names_what_there_is(bench):
    text = bench.ok("list")
    for word in ("bare", "kiste-oci", "runc", "docker", "lifecycle", "syscall", "spatial", "oci:PROGRAM"):
        assert f"  {word} " in text


def test_every_description_is_read_and_documented(bench):
    text = bench.ok("list")
    documented = (REPOSITORY / "docs/bench.md").read_text()
    for kind in ("targets", "workloads"):
        for file in (REPOSITORY / "src/bench" / kind).glob("*.toml"):
            assert f"  {file.stem} " in text
            assert f"| `{file.stem}` |" in documented, f"docs/bench.md has no line of {file.name}"


NEEDED = {
    "bare": [], "kiste-oci": [], "kiste-oci-seccomp": [], "runc": ["runc"], "runc-seccomp": ["runc"], "crun": ["crun"], "crun-seccomp": ["crun"],
    "youki": ["youki"], "runsc": ["runsc"], "bubblewrap": ["bwrap"], "charliecloud": ["ch-run"], "systemd-nspawn": ["systemd-nspawn"],
    "podman": ["podman", "conmon", "crun"], "podman-kiste": ["podman", "conmon"], "docker": ["docker", "dockerd", "containerd", "runc"],
    "containerd": ["ctr", "containerd", "runc"],
}
PARTS = {"podman": ["conmon", "crun"], "podman-kiste": ["conmon", "kiste-oci"], "docker": ["dockerd", "containerd", "containerd-shim-runc-v2", "runc"],
         "containerd": ["containerd", "containerd-shim-runc-v2", "runc"]}


def version_of(data, target):
    return next(entry["version"] for entry in data["targets"] if entry["name"] == target)


def test_no_target_is_forgotten():
    machines = {"qemu-tcg", "qemu-kvm"}  # the first has a test below; what the second needs is tried when it is measured
    assert {file.stem for file in (REPOSITORY / "src/bench/targets").glob("*.toml")} == NEEDED.keys() | machines


@pytest.mark.parametrize("target", NEEDED)
def test_the_life_of_every_target(bench, target):
    need(*NEEDED[target])
    bench.ok("run", "-t", target, "-w", "lifecycle", "-r", 1, "--no-warm-up")
    data = bench.json()
    failed = [missing for missing in data["missing"] if not missing["metric"]]
    assert not failed
    assert {"lifecycle/run", "lifecycle/boot", "lifecycle/ready", "lifecycle/stop"} <= metrics(data, target)
    if target in ("kiste-oci", "runc", "crun", "podman", "docker"):
        assert {"lifecycle/create", "lifecycle/exec", "lifecycle/pause", "lifecycle/unpause", "lifecycle/delete"} <= metrics(data, target)
    for part in PARTS.get(target, []):
        assert re.search(rf"/{part}: [^;]*[0-9]+\.[0-9]", version_of(data, target))


def test_the_record_says_which_programs_took_part(bench, own, monkeypatch):
    """Of several programs of one name it is the first in PATH; and what is a part must be there."""
    for folder, version in (("first", 2), ("second", 1)):
        (bench.folder / folder).mkdir()
        for name in ("client", "helper-v2") if version == 1 else ("client",):
            program = bench.folder / folder / name
            program.write_text(f'#!/bin/sh\n[ "$1" != --version ] || exec echo "{name} {version}.0"\nexec "$@"\n')
            program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{bench.folder}/first:{bench.folder}/second:{os.environ['PATH']}")
    text = "title='x'\nisolation='none'\nprogram='client'\nown-root=false\nversion=['{program}', '--version']\ndo.run=['{program}', '{command}']\n"
    (own / "targets/engine.toml").write_text(text + "parts.helper-v2=['{helper-v2}', '--version']\n")
    (own / "targets/lame.toml").write_text(text + "parts.no-such-part=['{no-such-part}', '--version']\n")
    bench.ok("run", "-t", "engine,lame", "-w", "quick", "-r", 1, "--no-warm-up", "--descriptions", own)
    data = bench.json()
    assert version_of(data, "engine") == f"{bench.folder}/first/client: client 2.0; {bench.folder}/second/helper-v2: helper-v2 1.0"
    assert {missing["target"] for missing in data["missing"]} == {"lame"} and "no-such-part" in data["missing"][0]["why"]
    bench.ok("report", "--html", "page.html")
    assert "second/helper-v2: helper-v2 1.0" in (bench.folder / "page.html").read_text()


def cached_bytes(path):
    said = subprocess.run(["fincore", "--bytes", "--noheadings", "--output", "RES", path], capture_output=True, text=True, timeout=20, check=True)
    return int(said.stdout or 0)


def test_a_cold_boot_reads_all_that_the_target_names(bench, own):
    """What is needed and not read by the boot is out of the page cache afterwards; a file of nobody's is still there."""
    need("fincore")
    # On a disk: tmpfs has nothing but the page cache.
    folder = Path("/var/tmp") / bench.folder.name
    folder.mkdir()
    try:
        for name in ("needed", "file", "other"):
            (folder / name).write_bytes(b"k" * 1000000)
            (folder / name).chmod(0o755)
        (own / "targets/named.toml").write_text(f"title='x'\nisolation='none'\nprogram='sh'\nown-root=false\nneeds=['{folder}/needed']\n"
                                                f"files.image=['{folder}/f*']\ndo.run=['{{command}}']\n")
        bench.ok("run", "-t", "named", "-w", "lifecycle", "-r", 1, "--no-warm-up", "--descriptions", own)
        if cached_bytes(folder / "other") == 0:
            pytest.skip("the page cache of this file system cannot be seen")
        assert [cached_bytes(folder / name) for name in ("needed", "file")] == [0, 0]
    finally:
        shutil.rmtree(folder)


def test_a_virtual_machine(bench, own):
    """What it runs is what was asked for, and its failure is the machine's."""
    need("qemu-system-x86_64", "busybox")
    if not [*Path("/boot").glob("vmlinuz-*"), *(Path.home() / ".cache/kiste/vm").glob("kernel-*/boot/vmlinuz-*")]:
        pytest.skip("there is no kernel to boot: tools/vm makes one ready")
    (own / "workloads/wrong.toml").write_text('title="wrong"\naxiom="performance"\nmethod="command"\ncommand=["{load}", "cpu", "--no-such-option"]\n')
    result = bench.ask("run", "-t", "qemu-tcg", "-w", "quick,wrong", "-r", 1, "--no-warm-up", "--descriptions", own, timeout=170)
    data = bench.json()
    assert "cpu/primes" in metrics(data, "qemu-tcg"), result.stdout + result.stderr
    failed = [missing for missing in data["missing"] if not missing["metric"]]
    assert [missing["workload"] for missing in failed] == ["wrong"] and "exit code 5" in failed[0]["why"]


def test_all_methods(bench, own):
    """Each in small, bare and in a container."""
    texts = {
        "growth": 'axiom="performance"\nmethod="growth"\n[settings]\nbytes=[0, 3000000]\nrepeats=1',
        "many": 'axiom="performance"\nmethod="density"\n[settings]\ninstances=3\n',
        "rate": 'axiom="performance"\nmethod="throughput"\n[settings]\nsandboxes=4\nworkers=[1, 2]\n',
        "beside": 'axiom="temporal"\nmethod="interference"\ncommand=["{load}", "victim", "--seconds", "0.2"]\n[settings]\nneighbours=["cpu", "pids", "cache"]\n'
                  'cache=["--bytes", "{cache}"]\n[limits]\npids=64\n',
        "pair": 'axiom="temporal"\nmethod="pair"\n[settings]\nloads=["cpu", "cache"]\ncpu=["--seconds", "0.05"]\n'
                'cache=["--seconds", "0.05", "--bytes", "{cache}"]\n',
        "pry": 'axiom="spatial"\nmethod="pry"\ncommand=["{load}", "pry", "--group", "files"]\n',
    }
    for name, text in texts.items():
        (own / f"workloads/{name}.toml").write_text(f'title="{name}"\n{text}')
    bench.ok("run", "-t", "bare,kiste-oci", "-w", ",".join(texts), "-r", 1, "--no-warm-up", "--descriptions", own)
    data = bench.json()
    assert [missing for missing in data["missing"] if not missing["metric"] or "cache" in missing["metric"]] == []
    for target in ("bare", "kiste-oci"):
        assert {"beside-cache/typical", "cache/read/loss", "cache/chase/unfairness"} <= metrics(data, target)
        assert {"growth/boot", "density/pss", "throughput/run", "beside-cpu/wake/p99/slowdown", "cpu/primes/loss", "spatial/closed"} <= metrics(data, target)
    verdicts = {(finding["probe"], finding["target"]): finding["verdict"] for finding in data["findings"]}
    assert verdicts["files/secret", "bare"] in ("sees", "touches") and verdicts["files/secret", "kiste-oci"] == "closed"
    points = [figure["x"] for figure in data["figures"] if figure["metric"] == "growth/boot"]
    assert points == [0, 3000000]


def test_the_kernels_reach(bench, own):
    """Where the kernel can be traced: tools/vm reach."""
    try:
        os.close(os.open("/sys/kernel/tracing/set_ftrace_notrace_pid", os.O_WRONLY))
    except OSError as error:
        pytest.skip(f"functions of this kernel cannot be traced: {error}")
    (own / "workloads/reach.toml").write_text('title="x"\naxiom="isolation"\nmethod="reach"\ncommand=["{load}", "nothing"]\nsettings.idle=0.2\n')
    bench.ok("run", "-t", "bare,kiste-oci", "-w", "reach", "-r", 1, "--no-warm-up", "--descriptions", own, timeout=220)
    data = bench.json()
    assert [missing for missing in data["missing"] if not missing["metric"]] == []
    reached = {(figure["metric"], cell["target"]): cell["value"]["median"] for figure in data["figures"] for cell in figure["targets"]}
    assert reached["reach/runtime/functions", "kiste-oci"] > reached["reach/runtime/functions", "bare"]
    assert min(reached["reach/payload/functions", target] for target in ("bare", "kiste-oci")) > 50


# What a victim or a load says here goes down from one time to the next; the neighbours are real.
COLD = """
title = "slow at first"
isolation = "none"
program = "sh"
own-root = false
do.run = ["sh", "-c", "[ $2 = burn ] && exec \\"$@\\"; read n <COUNT; echo $((n + 1)) >COUNT; set -- NUMBERS; shift $n; echo result METRIC ns $1; echo end",
          "sh", "{command}"]
"""


def cold(own, name, numbers, metric):
    (own / "count").write_text("0\n")
    text = COLD.replace("COUNT", str(own / "count")).replace("NUMBERS", numbers).replace("METRIC", metric)
    (own / f"targets/{name}.toml").write_text(text)


def median(data, metric):
    return next(figure["targets"][0]["value"]["median"] for figure in data["figures"] if figure["metric"] == metric)


def measured_neighbours(bench, run):
    """By rounds, in the order in which they were measured; and where alone was."""
    with sqlite3.connect(bench.record) as record:
        rows = record.execute("SELECT round, metric FROM value JOIN trial ON trial = trial.id JOIN run ON trial.run = run.id"
                              " WHERE run.name = ? AND metric LIKE '%/wake/p50' ORDER BY value.rowid", [run]).fetchall()
    return [[metric.split("/")[0].removeprefix("beside-") for round, metric in rows if round == number] for number in sorted({row[0] for row in rows})]


def test_neighbours_come_in_an_order_that_the_seed_decides(bench, own):
    kinds = ["cpu", "pids", "syscalls", "interrupts", "network"]
    (own / "workloads/beside.toml").write_text('title="x"\naxiom="temporal"\nmethod="interference"\ncommand=["{load}", "victim", "--seconds", "0.02"]\n'
                                               f'settings.neighbours={kinds}\nlimits.pids=64\n')
    orders = {}
    for letter, seed in (("a", 7), ("b", 7), ("c", 8)):
        run = f"{bench.folder.name}-{letter}"
        bench.ok("run", "-t", "bare", "-w", "beside", "-r", 2, "--no-warm-up", "--seed", seed, "--descriptions", own, "--name", run)
        orders[letter] = measured_neighbours(bench, run)
    for order in sum(orders.values(), []):
        assert [order[at] for at in (0, 4, 7)] == ["alone"] * 3 and sorted(order) == sorted(kinds + ["alone"] * 3)
    assert orders["a"] == orders["b"] != orders["c"] and orders["a"][0] != orders["a"][1]


def test_a_cold_start_is_no_interference(bench, own):
    """Alone, a neighbour, alone, a neighbour, alone: only the first time takes ten times as long."""
    cold(own, "cold", "1000 100 100 100 100", "victim/wake/p50")
    (own / "workloads/beside.toml").write_text('title="x"\naxiom="temporal"\nmethod="interference"\ncommand=["{load}", "victim"]\n'
                                               'settings.neighbours=["cpu", "syscalls"]\n')
    bench.ok("run", "-t", "cold", "-w", "beside", "-r", 1, "--no-warm-up", "--descriptions", own)
    data = bench.json()
    assert [median(data, f"beside-{kind}/typical") for kind in ("cpu", "syscalls")] == [1, 1]
    assert median(data, "alone/drift") == pytest.approx(0.1)


def test_what_drifts_is_no_loss(bench, own):
    """Alone, the two beside each other, alone: as evenly as can be said of two that run at once."""
    cold(own, "cold", "300 200 200 100", "cpu/primes")
    # Which of the two reads first does not matter: one at a time.
    (own / "targets/cold.toml").write_text((own / "targets/cold.toml").read_text().replace('"sh", "-c"', f'"flock", "{own}/lock", "sh", "-c"'))
    (own / "workloads/two.toml").write_text('title="x"\naxiom="temporal"\nmethod="pair"\nsettings.loads=["cpu"]\n')
    need("flock")
    bench.ok("run", "-t", "cold", "-w", "two", "-r", 1, "--no-warm-up", "--descriptions", own)
    data = bench.json()
    assert [median(data, f"cpu/primes/{figure}") for figure in ("loss", "unfairness", "drift")] == [1, 1, pytest.approx(1 / 3)]


def test_a_network_link(bench, own):
    need("ip")
    (own / "workloads/link.toml").write_text(LINK)
    bench.ok("run", "-t", "bare,kiste-oci", "-w", "link", "-r", 1, "--no-warm-up", "--descriptions", own)
    data = bench.json()
    for target in ("bare", "kiste-oci"):
        assert {"network/tcp/throughput", "network/tcp/connections", "network/tcp/round-trip/p50"} <= metrics(data, target)


@pytest.fixture
def watcher(bench):
    """A packet socket that sees all that leaves by, or comes to, any link of the network that this test and its programs are in: a new one, whose
    way to everywhere is the link `outside`."""
    need("ip")
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    kernel.unshare(kernel.CLONE_NEWNET)
    try:
        for name in ("all", "default"):  # else the kernel speaks by itself
            Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("1")
        for words in ("link add outside type veth peer name beyond", "address add 198.51.100.1/24 dev outside", "link set outside up",
                      "link set beyond up", "neighbour add 198.51.100.2 lladdr 02:00:00:00:00:01 dev outside", "route add default via 198.51.100.2"):
            subprocess.run(["ip", *words.split()], check=True, timeout=10)
        everything = 3  # ETH_P_ALL, packet(7)
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(everything)) as watcher:
            watcher.settimeout(5)
            yield watcher
    finally:
        kernel.enter(home, kernel.CLONE_NEWNET)
        os.close(home)


@pytest.mark.parametrize("target", ["bare", "kiste-oci", "runsc", "podman", "docker", "containerd"])
def test_traffic_stays_on_links_of_the_run(bench, own, watcher, target):
    need(*NEEDED[target])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        control.sendto(b"does the watcher see it?", ("192.0.2.1", 9))
    assert b"does the watcher see it?" in watcher.recv(2048) and b"does the watcher see it?" in watcher.recv(2048)  # at both ends
    texts = {"link": LINK, "loopback": QUICK.replace("cpu", "network"),
             "pry": 'title="x"\naxiom="spatial"\nmethod="pry"\ncommand=["{load}", "pry", "--group", "network"]\n'}
    for name, text in texts.items():
        (own / f"workloads/{name}.toml").write_text(text)
    bench.ok("run", "-t", target, "-w", ",".join(texts), "-r", 1, "--no-warm-up", "--descriptions", own)
    unmeasured = [missing["workload"] for missing in bench.json()["missing"] if not missing["metric"]]
    assert unmeasured == (["link"] if target == "docker" else [])
    watcher.setblocking(False)
    with pytest.raises(BlockingIOError):
        pytest.fail(f"left the run: {watcher.recv(2048)!r}")


def test_a_setting_for_one_run(bench):
    bench.ok("run", "-t", "bare", "-w", "density", "-r", 1, "--no-warm-up", "--set", "density.instances=3")
    assert max(figure["x"] for figure in bench.json()["figures"] if figure["metric"] == "density/pss") == 3


WHERE_IT_RUNS = """
title = "x"
axiom = "performance"
method = "command"
pin = true
command = ["/bin/busybox", "grep", "Cpus_allowed_list", "/proc/self/status"]
[[read]]
pattern = 'Cpus_allowed_list:[[:space:]]*([0-9]+)$'
metric = "shell/processor"
unit = "count"
"""


@pytest.mark.parametrize("target, needed", [("bare", "sh"), ("kiste-oci", "sh"), ("containerd", "ctr"), ("docker", "dockerd"), ("podman", "podman")])
def test_who_is_pinned_runs_on_one_processor(bench, own, target, needed):
    need("busybox", needed)
    if os.cpu_count() == 1:
        pytest.skip("there is one processor only")
    text = WHERE_IT_RUNS.replace("/bin/busybox", shutil.which("busybox")) if target == "bare" else WHERE_IT_RUNS
    (own / "workloads/where.toml").write_text(text)
    bench.ok("run", "-t", target, "-w", "where", "-r", 1, "--no-warm-up", "--descriptions", own)
    data = bench.json()
    assert data["missing"] == [] and median(data, "shell/processor") == max(os.sched_getaffinity(0))


def test_who_cannot_be_pinned_is_named(bench, own):
    (own / "targets/free.toml").write_text("title='x'\nisolation='none'\nprogram='sh'\nown-root=false\ncgroup='target'\ndo.run=['{command}']\n")
    (own / "workloads/one.toml").write_text(QUICK + "pin = true\n")
    bench.ok("run", "-t", "bare,free", "-w", "one,quick", "-r", 1, "--no-warm-up", "--descriptions", own)
    assert [(missing["target"], missing["workload"], missing["metric"]) for missing in bench.json()["missing"]] == [("free", "one", "pin")]
    assert "pin: the target cannot be kept on one processor" in bench.ok("report")


def test_containerd_is_limited(bench, own):
    need("ctr", "containerd")
    (own / "workloads/few.toml").write_text("title='x'\naxiom='temporal'\nmethod='command'\ncommand=['/load', 'burn', 'pids', '--seconds', '0.1']\n"
                                            "limits.pids=40\nlimits.memory=268435456\nlimits.cpus=1\n")
    bench.ok("run", "-t", "containerd", "-w", "few", "-r", 1, "--no-warm-up", "--descriptions", own)
    assert 20 <= median(bench.json(), "burn/pids/held") < 40


def test_another_programs_output_is_read(bench, own):
    (own / "workloads/shell.toml").write_text("title='x'\naxiom='performance'\nmethod='command'\ncommand=['/bin/busybox', 'echo', 'took 2.5 s']\n"
                                              "[[read]]\npattern='took ([0-9.]+) s'\nmetric='shell/took'\nunit='ns'\nfactor=1e9\n")
    need("busybox")
    bench.ok("run", "-t", "kiste-oci", "-w", "shell", "-r", 1, "--no-warm-up", "--descriptions", own)
    assert bench.json()["figures"][0]["targets"][0]["value"]["median"] == 2.5e9


def test_inserts_index_and_queries_of_sqlite(bench):
    need("sqlite3")
    bench.ok("run", "-t", "bare,kiste-oci", "-w", "sqlite", "-r", 1, "--no-warm-up")
    data = bench.json()
    for target in ("bare", "kiste-oci"):
        assert metrics(data, target) == {f"sqlite/{part}" for part in ("insert", "index", "lookup", "range", "sort")}
    # Of a timer of milliseconds.
    assert all(cell["value"]["median"] >= 20e6 for figure in data["figures"] for cell in figure["targets"])


def test_what_is_missing_is_said(bench, own):
    (own / "targets/gone.toml").write_text("title='x'\nisolation='none'\nprogram='no-such-program'\ndo.run=['x']\n")
    (own / "targets/fails.toml").write_text("title='x'\nisolation='none'\nprogram='sh'\ndo.run=['sh', '-c', 'echo why >&2; exit 3']\n")
    (own / "workloads/gone.toml").write_text(QUICK + "programs = ['no-such-program']\n")
    bench.ok("run", "-t", "bare,gone,fails,oci:/no/such/runtime", "-w", "quick,gone", "-r", 1, "--no-warm-up", "--descriptions", own)
    said = {(missing["target"], missing["workload"]): missing["why"] for missing in bench.json()["missing"]}
    assert "no-such-program" in said["gone", ""] and "no-such-program" in said["", "gone"] and "/no/such/runtime" in said["oci:/no/such/runtime", ""]
    assert "exit code 3: why" in said["fails", "quick"]
    assert "exit code 3: why" in bench.ok("report")


def test_a_real_difference_is_told_from_none(bench, own):
    bench.ok("run", "-t", "steady,steady,slower", "-w", "quick", "-r", 12, "--seed", 1, "--no-warm-up", "--descriptions", own, "--name", "a")
    same = bench.ask("compare", "a", "-t", "steady,steady#2", "--exit-code")
    assert same.returncode == 0 and "No difference." in same.stdout
    slower = bench.ask("compare", "a", "-t", "steady,slower", "--exit-code")
    assert slower.returncode == 4, slower.stdout
    assert "worse" in next(line for line in slower.stdout.splitlines() if "cpu/primes" in line)
    bench.ok("run", "-t", "steady,slower", "-w", "quick", "-r", 12, "--seed", 1, "--no-warm-up", "--descriptions", own, "--name", "b")
    between = bench.ask("compare", "a", "b", "--exit-code")
    assert between.returncode == 0 and "slower: quick: cpu/primes" in between.stdout, between.stdout


def test_workloads_can_be_compared_apart(bench, own):
    (own / "workloads/other.toml").write_text(QUICK)
    bench.ok("run", "-t", "steady,slower", "-w", "quick,other", "-r", 2, "--no-warm-up", "--descriptions", own, "--name", "a")
    every, apart = (json.loads(bench.ok("compare", "a", "-t", "steady,slower", "--json", *words)) for words in ([], ["-w", "other"]))
    assert {difference["workload"] for difference in every["differences"]} == {"quick", "other"}
    assert {difference["workload"] for difference in apart["differences"]} == {"other"}
    assert "expected one of the workloads quick, other, found \"cpu\"" in bench.fails("compare", "a", "-t", "steady,slower", "-w", "cpu")


def test_few_rounds_are_said_to_be_few(bench, own):
    bench.ok("run", "-t", "steady,slower", "-w", "quick", "-r", 2, "--no-warm-up", "--descriptions", own, "--name", "a")
    few = bench.ask("compare", "a", "-t", "steady,slower", "--exit-code")
    assert few.returncode == 5, few.stdout
    assert "too few rounds" in few.stdout and "at least" in few.stdout and few.stdout.endswith("No metric could be decided.\n")
    assert "their range" in bench.ok("report")


def test_a_workload_of_few_rounds_can_be_asked_for_more(bench, own):
    (own / "workloads/seldom.toml").write_text(QUICK + "most-rounds = 1\n")
    bench.ok("run", "-t", "bare", "-w", "seldom", "-r", 3, "--descriptions", own, "--name", "a")
    assert len(bench.json()["figures"][0]["targets"][0]["rounds"]) == 1
    bench.ok("run", "-t", "bare", "-w", "seldom", "-r", 3, "--no-warm-up", "--set", "seldom.most-rounds=2", "--descriptions", own, "--name", "b")
    assert len(bench.json()["figures"][0]["targets"][0]["rounds"]) == 2
    for wrong in ("many", "1,2", "-1", "3000000000"):
        assert "most-rounds" in bench.fails("run", "-w", "seldom", "--set", f"seldom.most-rounds={wrong}", "--descriptions", own)


def test_progress_on_a_terminal(bench, own):
    """A bar that is drawn over and taken away in the end; what went wrong stays above it."""
    (own / "targets/fails.toml").write_text("title='x'\nisolation='none'\nprogram='sh'\ndo.run=['sh', '-c', 'exit 3']\n")
    own_terminal = OwnTerminal()
    run = subprocess.Popen(bench.command("run", "-t", "bare,fails", "-w", "quick", "-r", 20, "--no-warm-up", "--descriptions", own),
                           cwd=bench.folder, **own_terminal.options())
    own_terminal.close_slave()
    seen = own_terminal.terminal.read_all()
    own_terminal.close()
    assert run.wait(timeout=20) == 0
    with sqlite3.connect(bench.record) as record:
        trials = record.execute("SELECT took_ns, status FROM trial ORDER BY ordinal").fetchall()
    begin, *frames, end = seen.split("\r\033[K")
    bars = [frame for frame in frames if frame.startswith("\033[?7l[")]
    assert (begin, len(trials), len(bars)) == ("", 40, 40) and end.startswith("run ")
    for done, bar in enumerate(bars):
        shown = re.fullmatch(r"\033\[\?7l\[(#*)(\.*)] (\d+) %, (\d+)/40(?:, (\d+):(\d\d) left)?  quick on (?:bare|fails), round \d+\033\[\?7h", bar)
        assert shown, bar
        assert [len(shown[1]), len(shown[2])] == [done * 24 // 40, 24 - done * 24 // 40]
        assert [int(shown[3]), int(shown[4])] == [done * 100 // 40, done]
        spent = sum(took for took, _ in trials[:done])
        left = spent // done * (40 - done) // 10**9 if done else None
        assert (left is None) == (shown[5] is None) and (left is None or 60 * int(shown[5]) + int(shown[6]) == left)
    said = [frame for frame in frames if frame not in bars]
    assert len(said) == sum(status == "failed" for _, status in trials) == 20
    assert all(re.fullmatch(r"\d+/40 quick on fails, round \d+: failed, .* exit code 3.*\r\n", line) for line in said)


def test_every_form_of_a_report(bench, own):
    bench.ok("run", "-t", "bare,kiste-oci", "-w", "quick", "-r", 2, "--descriptions", own)
    bench.ok("report", "--html", "page.html", "--svg", "plots", "--csv", "samples.csv", "--json", "data.json")
    page = (bench.folder / "page.html").read_text()
    assert "cpu/primes" in page and "default-src 'none'" in page
    plots = list((bench.folder / "plots").iterdir())
    assert {plot.name for plot in plots} >= {"quick-cpu-primes.svg", "quick-cpu-hash.svg"}
    for plot in plots:
        xml.etree.ElementTree.parse(plot)
    rows = list(csv.DictReader(io.StringIO((bench.folder / "samples.csv").read_text())))
    assert {row["target"] for row in rows} == {"bare", "kiste-oci"} and {row["round"] for row in rows} == {"1", "2"}
    # Every figure can be got from the record by its query.
    with sqlite3.connect(bench.record) as record:
        for figure in bench.json()["figures"]:
            assert len(record.execute(figure["query"]).fetchall()) == sum(cell["samples"] for cell in figure["targets"])


def test_an_interrupted_run_goes_on(bench, own):
    run = bench.start("run", "-t", "bare,kiste-oci", "-w", "quick", "-r", 40, "--no-warm-up", "--descriptions", own, "--name", "a", "--seed", 5,
                      start_new_session=True)
    for _ in range(3):
        assert run.stderr.readline()
    os.killpg(run.pid, signal.SIGINT)
    out, _ = run.communicate(timeout=20)
    assert run.returncode == 3 and "--resume a" in out
    assert bench.left() == []
    kept = sum(len(cell["rounds"]) for cell in bench.json()["figures"][0]["targets"])
    assert 3 <= kept < 80
    shutil.rmtree(own)  # what it measures is in the record
    bench.ok("run", "--resume", "a")
    data = bench.json()
    assert data["ended"] and data["seed"] == 5 and [len(cell["rounds"]) for cell in data["figures"][0]["targets"]] == [40, 40]


def wait_for(condition, what):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def commands(pids):
    found = []
    for pid in pids:
        with contextlib.suppress(OSError):  # gone by now
            found.append(Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip())
    return found


def cgroups_of(pids):
    """Of those that still run: one that has ended and is not reaped yet is at the top of each v1 hierarchy."""
    found = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            paths = {line.split(":", 2)[2] for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines()}
            found |= paths if process_state(pid) != "Z" else set()
    return found


@pytest.mark.parametrize("target, text", [
    ("bare", QUICK), ("bare", LINK), ("kiste-oci", LINK), ("podman", LINK), ("docker", QUICK), ("containerd", LINK)],
    ids=["bare", "bare-link", "kiste-oci-link", "podman-link", "docker", "containerd-link"])
def test_a_killed_run_is_cleaned_up_and_goes_on(bench, own, target, text):
    """kill -9 while its second sandbox is up: daemon, container, mounts and link go with it. For mounts the fixtures look too."""
    need("ip", *NEEDED[target])
    (own / "workloads/long.toml").write_text(re.sub(r"0\.[0-9]+", "0.6", text))
    name, links = f"{bench.folder.name}-killed", socket.if_nameindex()
    run = bench.start("run", "-t", target, "-w", "long", "-r", 3, "--no-warm-up", "--descriptions", own, "--name", name)
    assert "round 1: ok" in run.stderr.readline()
    wait_for(lambda: any(re.match(r"\S*/load \w+ --seconds", command) for command in commands(descendants_of(run.pid))), "nothing was started")
    alive = descendants_of(run.pid)
    assert all(f"/kiste-bench-{name}/" in path for path in cgroups_of(alive)), "clean would not find them"
    assert f"{name}: still runs, left alone" in bench.ok("clean")
    run.kill()
    run.communicate(timeout=20)
    wait_for(lambda: not commands(alive), "something outlives its run")
    assert not bench.json()["ended"], "the run outlives its first process"
    assert bench.left() and "expected none" in bench.fails("run", "--resume", name)
    assert f"{name}: taken away\n" in bench.ok("clean")
    assert bench.left() == [] and name not in bench.ok("clean")
    assert socket.if_nameindex() == links
    bench.ok("run", "--resume", name)
    data = bench.json()
    assert data["ended"] and len(data["figures"][0]["targets"][0]["rounds"]) == 3


@pytest.mark.parametrize("words, said", [
    (["run", "-t", "nobody"], "nobody"), (["run", "-w", "nothing"], "nothing"), (["run", "-r", "0"], "--rounds: expected 1 to 10000, found 0"),
    (["run", "-r", "many"], "--rounds"), (["run", "--name", "a/b"], "--name"), (["run", "--seed", "-1"], "--seed"),
    (["run", "-t", "bare", "-w", "cpu", "--folder", "/no/such"], "/no/such"), (["run", "-t", "bare", "-w", "cpu,cpu"], "cpu"),
    (["run", "--resume", "none"], "no such record"),
    (["run", "-t", "bare", "--resume", "none"], "--targets"), (["run", "-w", "cpu", "--set", "x"], "WORKLOAD.SETTING"),
    (["run", "-w", "cpu", "--set", "disk.x=1"], "disk"), (["report"], "record.sqlite"), (["compare", "a", "b"], "record.sqlite")])
def test_bad_input_is_named(bench, words, said):
    assert said in bench.fails(*words)


@pytest.mark.parametrize("words", [["measure"], ["run", "--fast"], ["compare"], ["list", "all"], ["report", "a", "b"]])
def test_a_wrong_command_line(bench, words):
    bench.fails(*words, code=2)


@pytest.mark.parametrize("text, said", [
    ("title = ", "bad.toml: line 1"), (QUICK + "speed = 3\n", "speed"), (QUICK.replace("performance", "speed"), "axiom: expected performance"),
    (QUICK + "patience = -1\n", "patience"), (QUICK + "limits.cpus = 0\n", "limits.cpus")])
def test_a_bad_description_is_named(bench, own, text, said):
    (own / "workloads/bad.toml").write_text(text)
    assert said in bench.fails("run", "-t", "bare", "-w", "bad", "--descriptions", own)


def test_a_file_that_is_no_record_is_left_alone(bench):
    bench.record.write_text("precious " * 1000)
    assert "record.sqlite" in bench.fails("run", "-t", "bare", "-w", "cpu")
    assert bench.record.read_text() == "precious " * 1000


def test_an_ordinary_user_may_read_but_not_run(bench, own):
    need("runuser")
    bench.ok("run", "-t", "bare", "-w", "quick", "-r", 1, "--no-warm-up", "--descriptions", own)
    bench.folder.chmod(0o755)
    shutil.copy(bench.record, bench.folder / "copy.sqlite")
    for words in (["list"], ["run", "-t", "bare", "-w", "cpu"]):
        result = subprocess.run(["runuser", "-u", "nobody", "--", bench.program, *words], capture_output=True, text=True, timeout=20, check=False,
                                cwd="/")
        assert result.returncode == (0 if words == ["list"] else 1), result.stderr
    assert "expected to be root" in result.stderr
