# SPDX-License-Identifier: Apache-2.0
"""process.scheduler, process.ioPriority and linux.personality, of the first process and of those that join it."""

import ctypes
import json
import os
import struct

import pytest

import cgroups
import kernel

IOPRIO_GET, SCHED_GETATTR = 252, 315  # x86-64
IOPRIO_CLASSES = {"IOPRIO_CLASS_RT": 1, "IOPRIO_CLASS_BE": 2, "IOPRIO_CLASS_IDLE": 3}
SCHED_DEADLINE, RESET_ON_FORK = 6, 1
libc = ctypes.CDLL(None, use_errno=True)

pytestmark = pytest.mark.skipif(os.uname().machine != "x86_64", reason="the numbers of system calls are those of x86-64")
lacks_scheduler = pytest.mark.kiste_only("1.1.5 knows neither scheduler nor ioPriority")


def io_priority(pid):
    value = libc.syscall(IOPRIO_GET, 1, pid)
    assert value >= 0
    return value >> 13, value & 0x1FFF


def sched_attributes(pid):
    """policy, flags, nice, priority, runtime, deadline, period: struct sched_attr of sched_setattr(2)."""
    buffer = ctypes.create_string_buffer(48)
    assert libc.syscall(SCHED_GETATTR, pid, buffer, 48, 0) == 0, os.strerror(ctypes.get_errno())
    return struct.unpack("=IIQiIQQQ", buffer.raw)[1:]


def require_policy(policy, priority=0):
    """Skips where not even this process may have the policy, in the cgroup that it is in."""
    pid = os.fork()
    if pid == 0:
        try:
            os.sched_setscheduler(0, policy, os.sched_param(priority))
        except OSError:
            os._exit(1)
        os._exit(0)
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0:
        pytest.skip(f"this host does not let root have the scheduling policy {policy}")


def exec_detached(runtime, container, workspace, **fields):
    """Another process of the container with these fields; its pid."""
    process, pid_file = workspace / "process.json", workspace / "exec.pid"
    process.write_text(json.dumps({"args": ["/bin/sleep", "1000"], "cwd": "/", **fields}))
    container.exec_ok(options=("--detach", "--pid-file", pid_file, "--process", process))
    return int(pid_file.read_text())


@lacks_scheduler
@pytest.mark.parametrize("policy, nice", [("SCHED_OTHER", 7), ("SCHED_BATCH", 7), ("SCHED_IDLE", 0)])
def test_a_policy_and_its_nice_value(runtime, bundle, policy, nice):
    bundle.process["scheduler"] = {"policy": policy, "nice": nice}
    container = runtime.run_detached(bundle.sleeps())
    assert os.sched_getscheduler(container.pid) == getattr(os, policy)
    assert os.getpriority(os.PRIO_PROCESS, container.pid) == nice  # the kernel knows none of an idle process


@lacks_scheduler
@pytest.mark.parametrize("policy", ["SCHED_FIFO", "SCHED_RR"])
def test_a_policy_of_real_time_and_its_priority(runtime, bundle, policy):
    kernel.require_root()
    require_policy(getattr(os, policy), 10)
    bundle.process["scheduler"] = {"policy": policy, "priority": 10}
    result = runtime.run(bundle.sh("grep ^policy /proc/self/sched; grep ^prio /proc/self/sched"))
    if "EPERM" in result.stderr:
        pytest.skip("a cgroup of the container's gets no share of real time here (CONFIG_RT_GROUP_SCHED)")
    assert result.code == 0, result
    assert [int(line.split()[-1]) for line in result.lines] == [getattr(os, policy), 99 - 10]


@lacks_scheduler
def test_an_exec_has_the_scheduler_of_the_config(runtime, bundle, workspace):
    bundle.process["scheduler"] = {"policy": "SCHED_BATCH", "nice": 19}
    container = runtime.run_detached(bundle.sleeps())
    inside = container.sh("cut -d' ' -f19,41 /proc/self/stat").split()
    assert inside == ["19", str(os.SCHED_BATCH)]


@lacks_scheduler
def test_an_exec_may_have_a_deadline_of_its_own(runtime, bundle, workspace):
    kernel.require_root()
    container = runtime.run_detached(bundle.sleeps())
    scheduler = {"policy": "SCHED_DEADLINE", "flags": ["SCHED_FLAG_RESET_ON_FORK"], "runtime": 42000000,
                 "deadline": 100000000, "period": 1000000000}
    process = workspace / "process.json"
    process.write_text(json.dumps({"args": ["/bin/true"], "cwd": "/", "scheduler": scheduler}))
    if "not permitted" in container.exec(options=("--process", process)).stderr:
        pytest.skip("this host does not let a process in this cgroup have a deadline")
    policy, flags, _, _, *times = sched_attributes(exec_detached(runtime, container, workspace, scheduler=scheduler))
    assert (policy, flags & RESET_ON_FORK, times) == (SCHED_DEADLINE, RESET_ON_FORK, [42000000, 100000000, 1000000000])


@lacks_scheduler
@pytest.mark.parametrize("scheduler, word", [
    ({"policy": "SCHED_NOTHING"}, "SCHED_NOTHING"),
    ({"policy": "SCHED_OTHER", "flags": ["SCHED_FLAG_NOTHING"]}, "SCHED_FLAG_NOTHING"),
    ({"policy": "SCHED_DEADLINE", "deadline": 1000000, "period": 2000000}, "scheduler"),
    ({"policy": "SCHED_DEADLINE", "runtime": 2000000, "deadline": 1000000, "period": 3000000}, "scheduler"),
    ({"policy": "SCHED_DEADLINE", "runtime": 1000000, "deadline": 3000000, "period": 2000000}, "scheduler"),
    ({"policy": "SCHED_DEADLINE", "runtime": 10, "deadline": 1000000, "period": 2000000}, "scheduler"),
], ids=["policy", "flag", "no runtime", "runtime too long", "deadline too long", "runtime too short"])
def test_a_scheduler_that_cannot_be_is_refused(runtime, bundle, scheduler, word):
    bundle.process["scheduler"] = scheduler
    runtime.refuses_to_run(bundle, word)


@lacks_scheduler
@pytest.mark.parametrize("kind, level", [("IOPRIO_CLASS_BE", 0), ("IOPRIO_CLASS_BE", 7), ("IOPRIO_CLASS_IDLE", 0), ("IOPRIO_CLASS_RT", 4)])
def test_the_priority_of_input_and_output(runtime, bundle, workspace, kind, level):
    if kind == "IOPRIO_CLASS_RT":
        kernel.require_root("real-time input and output is root's")
    bundle.process["ioPriority"] = {"class": kind, "priority": level}
    container = runtime.run_detached(bundle.sleeps())
    assert io_priority(container.pid) == (IOPRIO_CLASSES[kind], level)


@lacks_scheduler
def test_an_exec_has_the_io_priority_of_the_config_or_its_own(runtime, bundle, workspace):
    bundle.process["ioPriority"] = {"class": "IOPRIO_CLASS_BE", "priority": 5}
    container = runtime.run_detached(bundle.sleeps())
    pid_file = workspace / "plain.pid"
    container.exec_ok("/bin/sleep", "1000", options=("--detach", "--pid-file", pid_file))
    assert io_priority(int(pid_file.read_text())) == (IOPRIO_CLASSES["IOPRIO_CLASS_BE"], 5)
    own = exec_detached(runtime, container, workspace, ioPriority={"class": "IOPRIO_CLASS_IDLE"})
    assert io_priority(own)[0] == IOPRIO_CLASSES["IOPRIO_CLASS_IDLE"]


@pytest.mark.kiste_only("1.1.5 does not know personality")
@pytest.mark.parametrize("domain, machine", [("LINUX", "x86_64"), ("LINUX32", "i686")])
def test_the_personality_is_everybodys(runtime, bundle, domain, machine):
    bundle.linux["personality"] = {"domain": domain}
    container = runtime.run_detached(bundle.sh("uname -m; sleep 1000")).says("\n")
    assert container.output.split() == [machine]
    assert container.sh("uname -m").split() == [machine]


@pytest.mark.kiste_only("1.1.5 does not know personality")
def test_a_filter_may_forbid_to_change_the_personality(runtime, bundle):
    bundle.linux["personality"] = {"domain": "LINUX32"}
    bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW",
                               "syscalls": [{"names": ["personality"], "action": "SCMP_ACT_ERRNO"}]}
    container = runtime.run_detached(bundle.sleeps())
    assert container.sh("uname -m").split() == ["i686"]


@pytest.mark.kiste_only("1.1.5 does not know personality")
def test_a_personality_that_nobody_knows_is_refused(runtime, bundle):
    bundle.linux["personality"] = {"domain": "LINUX128"}
    runtime.refuses_to_run(bundle, "LINUX128")


def test_real_time_run_time_is_set_or_refused(runtime, bundle):
    """v1 has it with CONFIG_RT_GROUP_SCHED; v2 never, and passes it over with a warning."""
    kernel.require_root()
    bundle.resources["cpu"] = {"realtimeRuntime": 1000, "realtimePeriod": 500_000}
    if cgroups.layout() == "v2":
        assert runtime.run(bundle).code == 0
    elif cgroups.has_real_time():
        assert real_time_of(runtime.create(bundle)) == ["1000", "500000"]
    else:
        runtime.refuses_to_run(bundle)


def real_time_of(container):
    folder = cgroups.ProcessCgroups(container.pid).folder("cpu")
    return [(folder / f"cpu.rt_{which}_us").read_text().strip() for which in ("runtime", "period")]


def test_real_time_run_time_changes(runtime, bundle):
    """Each keeps the other."""
    if not cgroups.has_real_time():
        pytest.skip("the cgroups of this host give no real-time run time")
    container = runtime.create(bundle)
    for options, expected in [(["--cpu-rt-period", "400000", "--cpu-rt-runtime", "2000"], ["2000", "400000"]),
                              (["--cpu-rt-runtime", "3000"], ["3000", "400000"]), (["--cpu-rt-period", "600000"], ["3000", "600000"])]:
        runtime.ok("update", *options, container.id)
        assert real_time_of(container) == expected
