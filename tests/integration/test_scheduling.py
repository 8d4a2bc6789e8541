# SPDX-License-Identifier: Apache-2.0
"""How the kernel runs a process: process.scheduler (sched_setattr(2)), process.ioPriority (ioprio_set(2)), linux.personality."""

import json
import platform

import pytest

import cgroups
import kernel

NEW = pytest.mark.kiste_only("runc 1.1.5 and crun 1.8.1 do not know it, or only a part")
POLICIES = {"SCHED_OTHER": 0, "SCHED_FIFO": 1, "SCHED_RR": 2, "SCHED_BATCH": 3, "SCHED_IDLE": 5, "SCHED_DEADLINE": 6}
CLASSES = {"IOPRIO_CLASS_RT": 1, "IOPRIO_CLASS_BE": 2, "IOPRIO_CLASS_IDLE": 3}
MILLISECOND = 1_000_000


def scheduled(oci, bundle, probe, **scheduler):
    bundle.process["scheduler"] = scheduler
    result = oci.run(bundle.with_probe(probe, "sched"))
    if result.code == 1 and "EPERM" in result.stderr and scheduler["policy"] in ("SCHED_FIFO", "SCHED_RR", "SCHED_DEADLINE"):
        pytest.skip("this host gives the cgroup no real-time run time")  # CONFIG_RT_GROUP_SCHED, or not root
    assert result.code == 0, result
    return [int(word) for word in result.stdout.split()]


@NEW
@pytest.mark.parametrize("policy, nice", [("SCHED_OTHER", 7), ("SCHED_OTHER", 19), ("SCHED_BATCH", 5)])
def test_a_policy_with_a_nice_value(runtime, bundle, probe, policy, nice):
    assert scheduled(runtime, bundle, probe, policy=policy, nice=nice)[:2] == [POLICIES[policy], nice]


@NEW
def test_root_may_give_a_better_nice_value_than_its_own(runtime, bundle, probe):
    kernel.require_root()
    assert scheduled(runtime, bundle, probe, policy="SCHED_OTHER", nice=-5)[:2] == [0, -5]


@NEW
def test_the_idle_policy(runtime, bundle, probe):
    assert scheduled(runtime, bundle, probe, policy="SCHED_IDLE")[0] == POLICIES["SCHED_IDLE"]


@NEW
@pytest.mark.parametrize("policy", ["SCHED_FIFO", "SCHED_RR"])
def test_a_real_time_policy_with_its_priority(runtime, bundle, probe, policy):
    kernel.require_root()
    assert scheduled(runtime, bundle, probe, policy=policy, priority=10)[::2][:2] == [POLICIES[policy], 10]


@NEW
def test_a_deadline(runtime, bundle, probe):
    kernel.require_root()
    values = {"runtime": 10 * MILLISECOND, "deadline": 20 * MILLISECOND, "period": 30 * MILLISECOND}
    shown = scheduled(runtime, bundle, probe, policy="SCHED_DEADLINE", flags=["SCHED_FLAG_RESET_ON_FORK"], **values)
    assert shown[0] == POLICIES["SCHED_DEADLINE"] and shown[3:] == list(values.values())


@NEW
def test_an_exec_takes_its_scheduler_from_the_process_file(runtime, bundle, probe, workspace):
    container = runtime.run_detached(bundle.add_program(probe).sleeps())
    process = {**bundle.process, "args": ["/probe", "sched"], "scheduler": {"policy": "SCHED_BATCH", "nice": 3}}
    file = workspace / "process.json"
    file.write_text(json.dumps(process))
    assert runtime.ok("exec", "--process", file, container.id).stdout.split()[:2] == ["3", "3"]
    container.end()


@NEW
def test_a_deadline_that_cannot_be_is_refused(runtime, bundle):
    bundle.process["scheduler"] = {"policy": "SCHED_DEADLINE", "runtime": 30 * MILLISECOND, "deadline": 20 * MILLISECOND, "period": 10 * MILLISECOND}
    runtime.refuses_to_run(bundle, "process.scheduler")


@NEW
@pytest.mark.parametrize("kind, priority", [("IOPRIO_CLASS_BE", 0), ("IOPRIO_CLASS_BE", 7), ("IOPRIO_CLASS_IDLE", 0), ("IOPRIO_CLASS_RT", 3)])
def test_the_io_priority(runtime, bundle, probe, kind, priority):
    if kind == "IOPRIO_CLASS_RT":
        kernel.require_root()
    bundle.process["ioPriority"] = {"class": kind, "priority": priority}
    assert runtime.output_of(bundle.with_probe(probe, "ioprio")).split() == [str(CLASSES[kind]), str(priority)]


@NEW
@pytest.mark.parametrize("domain, machine", [("LINUX", "x86_64"), ("LINUX32", "i686")])
def test_the_personality_is_what_uname_says(runtime, bundle, domain, machine):
    if platform.machine() != "x86_64":
        pytest.skip("another processor")
    bundle.linux["personality"] = {"domain": domain}
    assert runtime.output_of(bundle.args("/bin/uname", "-m")).strip() == machine
    container = runtime.run_detached(bundle.sleeps())
    assert container.sh("uname -m").strip() == machine
    container.end()


def test_real_time_run_time_is_set_or_refused(runtime, bundle):
    """v1 has it with CONFIG_RT_GROUP_SCHED; v2 never, and passes it over with a warning."""
    kernel.require_root()
    bundle.resources["cpu"] = {"realtimeRuntime": 1000, "realtimePeriod": 500_000}
    result = runtime.run(bundle)
    there = any((folder / "cpu.rt_runtime_us").exists() for controllers, folder in cgroups.hierarchies() if "cpu" in controllers)
    if cgroups.layout() == "v2" or there:
        assert result.code == 0, result
    else:
        runtime.check_refusal(result)
