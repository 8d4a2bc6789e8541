# SPDX-License-Identifier: Apache-2.0
"""`events`: counts as lines of JSON in runc's words, and word of memory running out."""

import json
import time

import pytest

import cgroups
from deadline import eventually

MEBI = 1 << 20


@pytest.fixture(autouse=True)
def needs_cgroups():
    cgroups.require_own()


def stats(container):
    (line,) = container.runtime.ok("events", "--stats", container.id).lines
    event = json.loads(line)
    assert (event["type"], event["id"]) == ("stats", container.id)
    return event["data"]


def events_of(command):
    return [json.loads(line) for line in command.stdout_file.read_text().splitlines()]


def test_the_groups_of_counts(runtime, bundle):
    data = stats(runtime.run_detached(bundle.sleeps()))
    assert list(data) == ["cpu", "cpuset", "memory", "pids", "blkio", "hugetlb", "intel_rdt", "network_interfaces"]
    assert data["network_interfaces"] is None and data["intel_rdt"] == {}


def test_processes_are_counted(runtime, bundle):
    cgroups.require_controller("pids")
    bundle.resources["pids"] = {"limit": 17}
    container = runtime.run_detached(bundle.sh("sleep 1000 & sleep 1000 & echo ready; wait")).says("ready")
    assert stats(container)["pids"] == {"current": 3, "limit": 17}


def test_without_a_limit_of_processes_none_is_told(runtime, bundle):
    cgroups.require_controller("pids")
    assert stats(runtime.run_detached(bundle.sleeps()))["pids"] == {"current": 1}


def test_memory_is_counted(runtime, bundle):
    cgroups.require_controller("memory")
    bundle.resources["memory"] = {"limit": 64 * MEBI}
    memory = stats(runtime.run_detached(bundle.sleeps()))["memory"]
    assert memory["usage"]["limit"] == 64 * MEBI and memory["usage"]["failcnt"] == 0
    assert 0 < memory["usage"]["usage"] <= 64 * MEBI
    key = "anon" if cgroups.layout() == "v2" else "rss"
    assert memory["raw"][key] >= 0


def test_memory_without_a_limit(runtime, bundle):
    cgroups.require_controller("memory")
    limit = stats(runtime.run_detached(bundle.sleeps()))["memory"]["usage"]["limit"]
    assert limit == 2**64 - 1 if cgroups.layout() == "v2" else limit > 1 << 60


def test_cpu_time_is_counted(runtime, bundle):
    container = runtime.run_detached(bundle.sh("while :; do :; done"))
    usage = eventually(lambda: (found := stats(container)["cpu"]["usage"]).get("total", 0) > 50_000_000 and found, "50 ms of cpu time")
    assert usage["user"] + usage["kernel"] > 0
    if cgroups.layout() != "v2":
        assert len(usage["percpu"]) == len(usage["percpu_kernel"]) == len(usage["percpu_user"])


def test_the_cpu_time_of_each_cpu_is_a_part_of_the_total(runtime, bundle):
    """Paused, for the numbers are read one after another."""
    if cgroups.layout() == "v2":
        pytest.skip("the time of each cpu is cgroup v1's")
    cgroups.require_controller("freezer")
    script = "i=0; while [ $i -lt 200 ]; do /bin/true; i=$((i + 1)); done; echo done; sleep 1000"
    container = runtime.run_detached(bundle.sh(script)).says("done")
    runtime.ok("pause", container.id)
    usage = stats(container)["cpu"]["usage"]
    assert usage["total"] > 0 and abs(sum(usage["percpu"]) - usage["total"]) < 0.01 * usage["total"]


def test_throttling_is_counted(runtime, bundle):
    cgroups.require_controller("cpu")
    bundle.resources["cpu"] = {"quota": 5000, "period": 50000}
    container = runtime.run_detached(bundle.sh("while :; do :; done"))
    # The time is counted when the processes go on, after the period that they stood still in.
    throttling = eventually(lambda: (found := stats(container)["cpu"]["throttling"]).get("throttledTime") and found, "throttling")
    assert throttling["periods"] >= throttling["throttledPeriods"] > 0


def test_the_cpuset_is_told_as_numbers(runtime, bundle):
    cgroups.require_controller("cpuset")
    bundle.resources["cpu"] = {"cpus": "0", "mems": "0"}
    cpuset = stats(runtime.run_detached(bundle.sleeps()))["cpuset"]
    if cgroups.layout() != "v2":
        assert (cpuset["cpus"], cpuset["mems"], cpuset["sched_relax_domain_level"]) == ([0], [0], -1)
    for key in ("cpu_exclusive", "mem_hardwall", "memory_migrate", "memory_pressure", "sched_load_balance"):
        assert isinstance(cpuset[key], int)


@pytest.mark.kiste_only("runc 1.1.5 does not tell pressure")
def test_pressure_is_told_where_the_kernel_counts_it(runtime, bundle):
    if cgroups.layout() != "v2":
        pytest.skip("only on cgroup v2")
    container = runtime.run_detached(bundle.sleeps())
    if not (cgroups.ProcessCgroups(container.pid).folder("cpu") / "cpu.pressure").exists():
        pytest.skip("this kernel does not count pressure")
    data = stats(container)
    for group in ("cpu", "memory", "blkio"):
        assert set(data[group]["psi"]["some"]) == {"avg10", "avg60", "avg300", "total"}


def test_lines_come_at_the_interval_until_the_end(runtime, bundle):
    container = runtime.run_detached(bundle.sleeps())
    started = time.monotonic()
    command = runtime.spawn("events", "--interval", "100ms", container.id)
    eventually(lambda: len(events_of(command)) >= 3, "three lines")
    assert time.monotonic() - started >= 0.3
    container.kill("KILL")
    container.wait()
    container.delete("--force")
    assert command.result().code == 0
    assert {event["type"] for event in events_of(command)} == {"stats"}


@pytest.mark.kiste_only("on cgroup v1 runc ends with the container's cgroup")
def test_it_ends_when_the_container_stops(runtime, bundle):
    container = runtime.run_detached(bundle.sleeps())
    command = runtime.spawn("events", "--interval", "50ms", container.id)
    eventually(lambda: events_of(command), "the first line")
    container.kill("KILL")
    assert command.result().code == 0


@pytest.mark.parametrize("interval", ["0s", "-1s", "5", "soon"])
def test_an_interval_that_is_none_is_refused(runtime, bundle, interval):
    container = runtime.run_detached(bundle.sleeps())
    runtime.refuses("events", f"--interval={interval}", container.id)


def test_a_stopped_container_is_refused(runtime, bundle):
    container = runtime.run_detached(bundle.sleeps())
    container.kill("KILL")
    container.wait_stopped()
    runtime.refuses("events", "--stats", container.id)


def test_an_unknown_container_is_refused(runtime):
    runtime.refuses("events", "--stats", runtime.host.new_name())


def test_memory_that_runs_out_is_told(runtime, bundle):
    cgroups.require_controller("memory")
    bundle.resources["memory"] = {"limit": 24 * MEBI, "swap": 24 * MEBI}
    container = runtime.run_detached(bundle.sleeps())
    command = runtime.spawn("events", "--interval", "100ms", container.id)
    eventually(lambda: events_of(command), "the first line")
    # The kernel takes another victim when the first one's memory is long in coming back: not the container's first process.
    container.exec("/bin/sh", "-c", "echo 1000 >/proc/self/oom_score_adj; x=$(head -c 60m /dev/zero | tr '\\0' x)")
    eventually(lambda: {"type": "oom", "id": container.id} in events_of(command), "word of memory running out")
    assert container.status == "running"
    container.kill("KILL")
    container.wait()
    container.delete("--force")
    command.result()


@pytest.mark.kiste_only("runc may miss what the container dies of")
def test_that_the_container_itself_dies_of_it_is_told(runtime, bundle):
    cgroups.require_controller("memory")
    bundle.resources["memory"] = {"limit": 24 * MEBI, "swap": 24 * MEBI}
    container = runtime.run_detached(bundle.sh("sleep 1; exec head -c 60m /dev/zero | tail -c 60m"))
    command = runtime.spawn("events", "--interval", "1h", container.id)
    assert command.result().code == 0
    assert {"type": "oom", "id": container.id} in events_of(command)
