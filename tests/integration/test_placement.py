# SPDX-License-Identifier: Apache-2.0
"""Where a process runs and where its memory comes from: linux.memoryPolicy and process.execCPUAffinity."""

import json
import os
from pathlib import Path

import pytest

import kernel
from deadline import eventually

NUMA = pytest.mark.kiste_only("runc 1.1.5 and crun 1.8.1 do not know linux.memoryPolicy and pass it over")
AFFINITY = pytest.mark.kiste_only("runc 1.1.5 and crun 1.8.1 do not know process.execCPUAffinity and pass it over")


def allowed_cpus():
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        pytest.skip("there is one cpu only")
    return cpus


def policies(text):
    """The policies that /proc/<pid>/numa_maps names."""
    return {line.split()[1] for line in text.splitlines()}


@NUMA
@pytest.mark.parametrize("policy, shown", [
    ({"mode": "MPOL_BIND", "nodes": "0"}, "bind:0"),
    ({"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]}, "bind=static:0"),
    ({"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_RELATIVE_NODES"]}, "bind=relative:0"),
    ({"mode": "MPOL_INTERLEAVE", "nodes": "0"}, "interleave:0"),
    ({"mode": "MPOL_PREFERRED", "nodes": "0"}, "prefer:0"),
    ({"mode": "MPOL_LOCAL"}, "local"),
    ({"mode": "MPOL_DEFAULT"}, "default"),
])
def test_the_memory_policy_is_the_first_processs_and_an_execs(runtime, bundle, policy, shown):
    kernel.require_file("/proc/self/numa_maps", "this kernel has no NUMA")
    bundle.linux["memoryPolicy"] = policy
    container = runtime.run_detached(bundle.sleeps())
    assert policies(Path(f"/proc/{container.pid}/numa_maps").read_text()) == {shown}
    assert policies(container.sh("cat /proc/self/numa_maps")) == {shown}
    container.end()


@NUMA
def test_a_node_that_is_not_there_is_refused(runtime, bundle):
    kernel.require_file("/proc/self/numa_maps", "this kernel has no NUMA")
    bundle.linux["memoryPolicy"] = {"mode": "MPOL_BIND", "nodes": "1000"}
    runtime.refuses_to_run(bundle, "linux.memoryPolicy", "set_mempolicy", "EINVAL")


@AFFINITY
def test_an_exec_ends_on_the_final_cpus_and_the_first_process_does_not(runtime, bundle):
    cpus = allowed_cpus()
    bundle.process["execCPUAffinity"] = {"initial": str(cpus[0]), "final": str(cpus[-1])}
    container = runtime.run_detached(bundle.sleeps())
    assert os.sched_getaffinity(container.pid) == set(cpus)
    assert "Cpus_allowed_list:\t%d\n" % cpus[-1] in container.sh("cat /proc/self/status")
    container.end()


@AFFINITY
def test_the_initial_cpus_do_not_outlast_the_launch_for_the_runtime_itself(runtime, bundle):
    cpus = allowed_cpus()
    bundle.process["execCPUAffinity"] = {"initial": str(cpus[0])}
    container = runtime.run_detached(bundle.sleeps())
    command = container.spawn_exec("/bin/sh", "-c", "echo here; exec sleep 1000")
    eventually(lambda: "here" in command.stdout_file.read_text(), "the exec runs")
    assert os.sched_getaffinity(command.pid) == set(cpus)
    container.end()
    command.result()


@AFFINITY
def test_a_process_object_of_its_own_brings_its_own_cpus(runtime, bundle, workspace):
    cpus = allowed_cpus()
    container = runtime.run_detached(bundle.sleeps())
    process = {"args": ["/bin/grep", "Cpus_allowed_list", "/proc/self/status"], "cwd": "/", "user": {"uid": 0, "gid": 0},
               "execCPUAffinity": {"final": str(cpus[0])}}
    (workspace / "process.json").write_text(json.dumps(process))
    result = runtime.ok("exec", "--process", workspace / "process.json", container.id)
    assert result.stdout.split() == ["Cpus_allowed_list:", str(cpus[0])]
    container.end()


@AFFINITY
@pytest.mark.parametrize("which", ["initial", "final"])
def test_cpus_that_are_not_there_are_refused(runtime, bundle, which):
    bundle.process["execCPUAffinity"] = {which: "60000"}
    container = runtime.run_detached(bundle.sleeps())
    result = container.exec("/bin/true")
    assert result.code == 255 and f"process.execCPUAffinity.{which}" in result.stderr
    container.end()
