# SPDX-License-Identifier: Apache-2.0
"""load, the program that kiste-bench starts in every sandbox: what it says, where it can live, and that it leaves nothing.

docs/bench.md has the lines. It is run here without a sandbox, or as the first process in an empty one that unshare(1) makes.
"""

import ctypes
import os
import re
import resource
import shutil
import signal
import socket
import statistics
import struct
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

import kernel
from deadline import PATIENCE, eventually

pytestmark = pytest.mark.kiste_only("this is kiste-bench's own program, and no runtime's")

NUMBER = r"[0-9.]+(e[+-][0-9]+)?"
NUMBERS = rf"[a-z0-9./-]+ (ns|B/s|1/s|B|count|ratio)( {NUMBER})+"
LINE = re.compile(rf"result {NUMBERS}|at [a-z-]+ {NUMBER} {NUMBERS}|ready|cannot [a-z0-9./-]+ .+|end")

OF_SYSCALL = "null clock clock-vdso open stat fstat read write poll epoll mmap mprotect pipe futex fork exec signal"
OF_DISK = "sequential-write sequential-read random-read/rate random-read/p50 random-read/p99 random-read/p99.9 random-read/histogram" \
          " random-write/rate random-write/p50 random-write/p99 random-write/p99.9 random-write/histogram create stat unlink"
OF_NETWORK = "tcp/throughput tcp/retransmits tcp/round-trip/p50 tcp/round-trip/p99 tcp/connections udp/round-trip/p50 udp/round-trip/p99" \
             " udp/lost unix/throughput"
METRICS = {
    "cpu": "primes hash float",
    "memory": "read write copy triad chase",
    "cache": "read chase",
    "allocate": "mmap fault dontneed brk malloc",
    "syscall": OF_SYSCALL,
    "network": OF_NETWORK,
    "victim": " ".join(f"{part}/{share}" for part in "wake cpu memory syscall loopback fork".split() for share in ("p50", "p99", "max")),
}
# What each takes its share of, made small.
BURNS = {
    "cpu": "", "interrupts": "", "memory": "--bytes 4000000", "cache": "--bytes 4000000", "memory-grow": "--most 20000000", "disk": "--bytes 2000000",
    "page-cache": "--bytes 4000000", "inodes": "--most 300", "network": "", "pids": "--most 50", "descriptors": "--most 500", "syscalls": "",
}
HELD = {"memory-grow": 19 << 20, "inodes": 300, "pids": 50, "descriptors": 500}


class Said:
    """The lines of standard output, each of which must be one that docs/bench.md knows."""

    def __init__(self, text):
        self.lines = text.splitlines()
        self.values, self.at, self.cannot = defaultdict(list), defaultdict(dict), {}
        for line in self.lines:
            assert LINE.fullmatch(line), f"no line of load: {line!r}"
            words = line.split()
            if words[0] == "result":
                self.values[words[1]] += map(float, words[3:])
            elif words[0] == "at":
                self.at[words[3]].setdefault(float(words[2]), []).extend(map(float, words[5:]))
            elif words[0] == "cannot":
                self.cannot[words[1]] = line

    def median(self, metric):
        return statistics.median(self.values[metric])

    def metrics(self):
        return set(self.values) | set(self.at)


@pytest.fixture
def load(program):
    path = program.parent.parent / "libexec/kiste-bench/load"
    assert path.exists(), f"{path} is not there: build it first"
    return path


def run(load, *words, **more):
    return subprocess.run([*([load] if isinstance(load, Path) else load), *map(str, words)], capture_output=True, text=True, timeout=PATIENCE, **more)


def said(load, *words, **more):
    result = run(load, *words, **more)
    assert (result.returncode, result.stderr) == (0, ""), result
    said = Said(result.stdout)
    assert said.lines[-1] == "end"
    return said


@pytest.fixture
def empty_room(load, workspace):
    """A command that runs load as the first process of its namespaces, in a root that has nothing else in it."""
    if not kernel.is_root():
        pytest.skip("namespaces and chroot(2) need root here")
    shutil.copy(load, workspace / "load")
    return ["unshare", "--mount", "--pid", "--ipc", "--net", "--uts", "--fork", "--kill-child", "chroot", workspace, "/load"]


class Started:
    """load while it runs; read up to `ready`."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
        self.before = []
        for line in self.process.stdout:
            if line == "ready\n":
                break
            self.before.append(line)

    def first_pid_below(self):
        """Of what unshare(1) forked: its first process."""
        pid = self.process.pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text())

    def end(self, pid=None):
        """The lines; all of its processes must be gone with it."""
        os.kill(pid or self.process.pid, signal.SIGTERM)
        rest = self.process.communicate(timeout=PATIENCE)[0]
        eventually(lambda: not processes_of_session(self.process.pid), "all processes of load have ended")
        return Said("".join(self.before) + "ready\n" + rest)


def processes_of_session(session):
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session:
            found.append(stat.parent.name)
    return found


def test_nothing_and_now_say_no_more_than_their_name(load):
    assert run(load, "nothing").stdout == ""
    assert run(load, "now").stdout == "ready\n"


@pytest.mark.parametrize("subcommand", METRICS)
def test_every_figure_is_there(load, subcommand):
    out = said(load, subcommand, "--seconds", 0.4)
    assert out.metrics() == {f"{subcommand}/{metric}" for metric in METRICS[subcommand].split()}
    may_be_none = {"network/tcp/retransmits", "network/udp/lost"}
    assert all(min(values) > 0 for metric, values in out.values.items() if metric not in may_be_none)


def test_more_work_takes_longer(load):
    chases = [said(load, "memory", "--bytes", size, "--seconds", 0.5).median("memory/chase") for size in (65536, 96 << 20)]
    assert chases[1] > 3 * chases[0]
    primes = [said(load, "cpu", "--limit", limit, "--seconds", 0.2).median("cpu/primes") for limit in (1000, 30000)]
    assert primes[1] > 10 * primes[0]
    sizes = said(load, "allocate", "--seconds", 0.3).at["allocate/mmap"]
    assert sorted(sizes) == [4096, 65536, 1 << 20, 16 << 20]
    assert statistics.median(sizes[16 << 20]) > 10 * statistics.median(sizes[65536])
    calls = said(load, "syscall", "--seconds", 0.4)
    assert calls.median("syscall/null") < calls.median("syscall/fork") < 1e9


def test_the_disk_is_measured_and_left_empty(load, workspace):
    out = said(load, "disk", workspace, "--seconds", 0.6, "--bytes", 4 << 20, "--files", 200)
    assert out.metrics() == {f"disk/{metric}" for metric in OF_DISK.split()}
    assert not [*workspace.iterdir()]
    counts = out.at["disk/random-read/histogram"]
    below = sum(count for bound, [count] in counts.items() if bound <= out.median("disk/random-read/p50"))
    assert below >= sum(count for [count] in counts.values()) / 2


def test_a_measurement_that_is_broken_off_is_no_success(load, workspace):
    process = subprocess.Popen([load, "disk", workspace, "--seconds", "60"], stdout=subprocess.PIPE, text=True)
    eventually(lambda: process.stdout.readline(), "the first figure")
    process.terminate()
    assert "end" not in process.communicate(timeout=PATIENCE)[0].splitlines()
    assert process.returncode == 1
    assert not [*workspace.iterdir()]


@pytest.mark.parametrize("subcommand", ["sleep", "serve", "victim"])
def test_what_waits_ends_when_told(load, subcommand):
    assert Started([load, subcommand]).end().lines[0] == "ready"


@pytest.mark.parametrize("subcommand", ["sleep", "serve", "burn pids --most 50"])
def test_a_first_process_ends_when_told(empty_room, subcommand):
    started = Started([*empty_room, *subcommand.split()])
    out = started.end(started.first_pid_below())
    assert out.lines[-1] == "end" and not out.cannot
    assert started.process.returncode == 0


@pytest.mark.parametrize("subcommand", ["allocate", "syscall", "network", "victim"])
def test_it_needs_nothing(empty_room, subcommand):
    out = said(empty_room, subcommand, "--seconds", 0.3)
    assert out.metrics() == {f"{subcommand}/{metric}" for metric in METRICS[subcommand].split()}
    assert not out.cannot


@pytest.mark.parametrize("kind", BURNS)
def test_a_burn_leaves_nothing(load, workspace, kind):
    out = Started([load, "burn", kind, "--directory", workspace, *BURNS[kind].split()]).end()
    assert out.lines[-2:] == ["ready", "end"] and not out.cannot
    assert out.values.get(f"burn/{kind}/held") == ([HELD[kind]] if kind in HELD else None)
    assert not [*workspace.iterdir()]


def test_descriptors_are_taken_in_as_many_processes_as_it_takes(load):
    command = [load, "burn", "descriptors", "--most", "500", "--seconds", "0.1"]
    out = said(command, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
    assert out.values["burn/descriptors/held"] == [500]


def test_a_burn_that_cannot_says_so(load, workspace):
    missing = workspace / "missing"
    out = said(load, "burn", "inodes", "--directory", missing, "--seconds", 0.1)
    assert "ENOENT" in out.cannot["burn/inodes"] and "ready" not in out.lines


def test_a_client_measures_a_server(load):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    server = Started([load, "network", "--listen", "127.0.0.1", "--port", port])
    out = said(load, "network", "--connect", "127.0.0.1", "--port", port, "--seconds", 0.4)
    assert out.metrics() == {f"network/{metric}" for metric in OF_NETWORK.split() if not metric.startswith("unix")}
    assert server.end().lines == ["ready", "end"]
    refused = said(load, "network", "--connect", "127.0.0.1", "--port", port, "--seconds", 0.1)
    assert "ECONNREFUSED" in refused.cannot["network/tcp/throughput"] and not refused.metrics()


def refuse(*numbers):
    """In a new process: these system calls of x86-64 fail with EPERM (seccomp(2))."""
    load_number, refused, allowed = (0x20, 0, 0, 0), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7FFF0000)
    jumps = [(0x15, len(numbers) - i, 0, number) for i, number in enumerate(numbers)]
    code = b"".join(struct.pack("HBBI", *line) for line in (load_number, *jumps, allowed, refused))
    buffer = ctypes.create_string_buffer(code)
    program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None)
    assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
    assert libc.prctl(22, 2, ctypes.create_string_buffer(program), 0, 0) == 0  # PR_SET_SECCOMP


SOCKET, CLONE, MEMFD_CREATE, FUTEX, CLONE3, EPOLL_CREATE1 = 41, 56, 319, 202, 435, 291


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="numbers of x86-64")
@pytest.mark.parametrize("subcommand, refused, cannot", [
    ("syscall", (MEMFD_CREATE, FUTEX, EPOLL_CREATE1), "fstat read write futex epoll"),
    ("syscall", (CLONE, CLONE3), "pipe futex fork exec"),
    ("network", (SOCKET,), "tcp udp"),
    ("victim", (SOCKET,), "loopback"),
    ("victim", (CLONE, CLONE3), "loopback fork"),
])
def test_what_is_refused_is_said_and_the_rest_measured(load, subcommand, refused, cannot):
    out = said(load, subcommand, "--seconds", 0.3, preexec_fn=lambda: refuse(*refused))
    assert set(out.cannot) == {f"{subcommand}/{metric}" for metric in cannot.split()}
    assert all("EPERM" in line for line in out.cannot.values())
    assert out.metrics()


def test_serving_goes_on_without_a_network(load):
    process = subprocess.Popen([load, "serve"], stdout=subprocess.PIPE, text=True, preexec_fn=lambda: refuse(SOCKET))
    assert process.stdout.readline().startswith("cannot serve/tcp ")
    assert process.stdout.readline() == "ready\n"
    process.terminate()
    assert process.communicate(timeout=PATIENCE)[0] == "end\n"


@pytest.mark.parametrize("words, told", [
    ("", "subcommand"), ("fly", "'fly'"), ("cpu --limit x", "--limit.*whole number.*'x'"), ("cpu --limit", "--limit"), ("cpu --size 3", "'--size'"),
    ("memory --seconds 0", "--seconds.*above 0.*'0'"), ("disk", "DIRECTORY"), ("burn water", "KIND.*'water'"), ("burn disk", "--directory"),
    ("network --listen here", "--listen.*address.*'here'"), ("network --listen ::1 --connect ::1", "both"), ("now then", "'then'"),
])
def test_a_wrong_command_line_is_refused(load, words, told):
    result = run(load, *words.split())
    assert result.returncode == 2 and not result.stdout
    assert re.search(told, result.stderr)


def test_init_is_for_first_processes_only(load):
    result = run(load, "init")
    assert result.returncode == 1 and "first process" in result.stderr
