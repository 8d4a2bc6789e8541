# SPDX-License-Identifier: Apache-2.0
"""Cgroups: where the container is put, each limit in the file that means it, that the limits hold, and that delete cleans up."""

import json
import os
from pathlib import Path

import pytest

import cgroups
import kernel
from runtime import Runtime

MEBI = 1 << 20


@pytest.fixture(autouse=True)
def needs_cgroups():
    cgroups.require_own()


def limits_of(runtime, bundle):
    return cgroups.ProcessCgroups(runtime.create(bundle.sleeps()).pid)


# -- where

def test_a_container_gets_cgroups_of_its_own_with_its_id(runtime, bundle):
    container = runtime.create(bundle)
    folders = cgroups.ProcessCgroups(container.pid).folders()
    assert folders and all(container.id in folder.name for folder in folders)


def test_every_controller_of_the_host_has_one(runtime, bundle):
    cgroups.require_v1("v2 has one tree")
    folders = cgroups.ProcessCgroups(runtime.create(bundle).pid)
    for controllers, mounted in cgroups.hierarchies():
        if controllers:
            assert folders.folder(controllers[0]) != mounted, controllers


def test_delete_removes_every_cgroup(runtime, bundle):
    container = runtime.create(bundle.sleeps())
    folders = cgroups.ProcessCgroups(container.pid).folders()
    container.start()
    container.end()
    assert [folder for folder in folders if folder.exists()] == []


def test_run_removes_every_cgroup(runtime, bundle):
    result = runtime.run(bundle.args("/bin/cat", "/proc/self/cgroup"))
    assert result.id in result.stdout and not [path for path in runtime.host.cgroups() if result.id in path]


def test_an_absolute_cgroups_path_is_used(runtime, bundle, host):
    parent = host.new_name()
    bundle.linux["cgroupsPath"] = f"{cgroups.parent()}/{parent}/inner"
    container = runtime.create(bundle)
    paths = cgroups.ProcessCgroups(container.pid).paths
    assert paths["unified" if cgroups.layout() == "v2" else "memory"].endswith(f"/{parent}/inner")
    assert container.id not in paths["unified" if cgroups.layout() == "v2" else "memory"]
    container.delete("--force")
    for path in host.cgroups():
        Path(path).rmdir()  # a parent that the runtime made may stay


def test_a_relative_cgroups_path_is_used(runtime, bundle, host):
    name = host.new_name()
    bundle.linux["cgroupsPath"] = name
    folders = cgroups.ProcessCgroups(runtime.create(bundle).pid).folders()
    assert folders and all(folder.name == name for folder in folders)


def test_a_cgroups_path_does_not_leave_the_tree(runtime, bundle, host):
    name = host.new_name()
    bundle.linux["cgroupsPath"] = f"../../../../../../{name}/inner"
    result = runtime.run(bundle)
    assert result.code == 0 or result.stderr
    assert not Path("/", name).exists() and not (cgroups.ROOT.parent / name).exists()
    assert cgroups.layout() == "v2" or not (cgroups.ROOT / name).exists()  # the root of v2's tree is there, v1's are below
    for path in sorted(host.cgroups(), reverse=True):
        Path(path).rmdir()


def test_all_processes_of_the_container_are_in_it(runtime, bundle):
    container = runtime.run_detached(bundle.sh("sleep 1000 & sleep 1000 & echo ready; wait")).says("ready")
    assert len(cgroups.ProcessCgroups(container.pid).processes()) == 3


def test_a_container_that_is_waiting_is_already_in_it(runtime, bundle):
    container = runtime.create(bundle)
    assert container.pid in cgroups.ProcessCgroups(container.pid).processes()


def test_the_runtime_is_not_left_in_the_cgroup(runtime, bundle):
    command, container = runtime.spawn_run(bundle.sh("echo ready; exec sleep 1000"))
    container.says("ready")
    assert cgroups.ProcessCgroups(container.pid).processes() == [container.pid]
    container.kill("KILL")
    assert command.result().code == 137


def test_delete_removes_cgroups_that_the_container_made(runtime, bundle):
    container = runtime.run_detached(bundle.sleeps())
    (cgroups.ProcessCgroups(container.pid).folder("pids") / "inner/deep").mkdir(parents=True)
    container.delete("--force")


@pytest.mark.kiste_only("the peers remove it, which the specification forbids (runtime.md, delete)")
@pytest.mark.parametrize("command", ["delete", "run", "create that fails"])
def test_a_cgroup_that_was_there_before_stays_empty(runtime, bundle, host, command):
    name = host.new_name()
    bundle.linux["cgroupsPath"] = f"{cgroups.parent()}/{name}"
    found = [folder for folder in runtime_folders(runtime, bundle) if folder.name == name]
    assert found
    for folder in found:
        folder.mkdir()
    if command == "delete":
        container = runtime.run_detached(bundle.sh("trap '' TERM; sleep 1000 & wait"))
        for folder in found:
            (folder / "inner").mkdir()
        container.delete("--force")
    elif command == "run":
        assert runtime.run(bundle.args("/bin/true")).code == 0
    else:
        runtime.refuses_to_run(bundle.args("/nosuch"))
    for folder in found:
        assert (folder / "cgroup.procs").read_text() == "" and not (folder / "inner").exists()
        folder.rmdir()  # nothing of the container is in it


@pytest.mark.kiste_only("the peers remove it, which the specification forbids (runtime.md, delete)")
def test_of_the_hierarchies_only_those_stay_that_had_it(runtime, bundle, host):
    cgroups.require_v1("v2 has one tree")
    name = host.new_name()
    bundle.linux["cgroupsPath"] = f"{cgroups.parent()}/{name}"
    found = next(folder for folder in runtime_folders(runtime, bundle) if folder.parts[4] == "pids")
    found.mkdir()
    runtime.run_detached(bundle.sleeps()).delete("--force")
    assert host.cgroups() == {str(found)}
    found.rmdir()


def runtime_folders(runtime, bundle):
    """Where the bundle's container has its cgroups; they are gone again."""
    container = runtime.create(bundle)
    folders = cgroups.ProcessCgroups(container.pid).folders()
    container.delete("--force")
    return folders


# -- memory

def test_memory_limit(runtime, bundle):
    cgroups.require_controller("memory")
    bundle.resources["memory"] = {"limit": 64 * MEBI}
    assert limits_of(runtime, bundle).memory_limit() == 64 * MEBI


def test_memory_reservation(runtime, bundle):
    cgroups.require_controller("memory")
    bundle.resources["memory"] = {"limit": 64 * MEBI, "reservation": 32 * MEBI}
    assert limits_of(runtime, bundle).memory_reservation() == 32 * MEBI


def test_memory_and_swap(runtime, bundle):
    cgroups.require_controller("memory")
    bundle.resources["memory"] = {"limit": 64 * MEBI, "swap": 128 * MEBI}
    try:
        limits = limits_of(runtime, bundle)
        found = limits.memory_and_swap()
    except FileNotFoundError:
        pytest.skip("this kernel does not account for swap")
    assert (limits.memory_limit(), found) == (64 * MEBI, 128 * MEBI)


def test_swappiness(runtime, bundle):
    cgroups.require_v1("v2 has no swappiness")
    bundle.resources["memory"] = {"swappiness": 17}
    assert limits_of(runtime, bundle).swappiness() == 17


def test_disabling_the_oom_killer(runtime, bundle):
    cgroups.require_v1("v2 cannot disable it")
    bundle.resources["memory"] = {"limit": 64 * MEBI, "disableOOMKiller": True}
    assert limits_of(runtime, bundle).oom_killer_is_off()


def test_a_container_that_takes_too_much_memory_is_killed(runtime, bundle):
    cgroups.require_controller("memory")
    bundle.resources["memory"] = {"limit": 16 * MEBI}
    bundle.sh("head -c 64m /dev/zero | tail -c 60m | wc -c")
    result = runtime.run(bundle)
    assert result.code != 0 or result.stdout.strip() != str(60 * MEBI)


def test_a_memory_limit_too_small_to_live_with_is_refused_in_words(runtime, bundle):
    cgroups.require_controller("memory")
    bundle.resources["memory"] = {"limit": 4096}
    result = runtime.run(bundle)
    assert result.code != 0 and result.stderr.strip()


# -- cpu

def test_cpu_shares(runtime, bundle):
    cgroups.require_controller("cpu")
    bundle.resources["cpu"] = {"shares": 512}
    assert limits_of(runtime, bundle).cpu_shares_are(512)


def test_cpu_quota_and_period(runtime, bundle):
    cgroups.require_controller("cpu")
    bundle.resources["cpu"] = {"quota": 25000, "period": 50000}
    assert limits_of(runtime, bundle).cpu_quota_and_period() == (25000, 50000)


def test_cpu_quota_without_a_period(runtime, bundle):
    cgroups.require_controller("cpu")
    bundle.resources["cpu"] = {"quota": 25000}
    assert limits_of(runtime, bundle).cpu_quota_and_period() == (25000, 100000)


@pytest.mark.kiste_only("burst came with runc 1.2")
def test_cpu_burst(runtime, bundle):
    cgroups.require_v1("the file has another name on v2")
    bundle.resources["cpu"] = {"quota": 25000, "period": 50000, "burst": 10000}
    assert (limits_of(runtime, bundle).folder("cpu") / "cpu.cfs_burst_us").read_text() == "10000\n"


def test_cpus_and_memory_nodes(runtime, bundle):
    cgroups.require_controller("cpuset")
    bundle.resources["cpu"] = {"cpus": "0", "mems": "0"}
    limits = limits_of(runtime, bundle)
    assert (limits.cpus(), limits.memory_nodes()) == ("0", "0")


def test_cpus_can_be_seen_inside(runtime, bundle):
    cgroups.require_controller("cpuset")
    bundle.resources["cpu"] = {"cpus": "0"}
    assert runtime.output_of(bundle.args("/bin/nproc")) == "1\n"


def test_without_cpus_all_of_the_hosts_are_there(runtime, bundle):
    assert runtime.output_of(bundle.args("/bin/nproc")).strip() == str(len(os.sched_getaffinity(0)))


# -- pids

def test_pids_limit(runtime, bundle):
    cgroups.require_controller("pids")
    bundle.resources["pids"] = {"limit": 17}
    assert limits_of(runtime, bundle).pids_limit() == "17"


def test_a_pids_limit_below_zero_is_none(runtime, bundle):
    cgroups.require_controller("pids")
    bundle.resources["pids"] = {"limit": -1}
    assert limits_of(runtime, bundle).pids_limit() == "max"


def test_a_fork_bomb_is_stopped(runtime, bundle):
    cgroups.require_controller("pids")
    bundle.resources["pids"] = {"limit": 10}
    result = runtime.run(bundle.sh("for n in $(seq 30); do sleep 1000 & done; echo $(ls -d /proc/[0-9]* | wc -l)"))
    assert "fork" in result.stderr


# -- the network, and what remote memory access takes

def test_the_class_of_its_packets(runtime, bundle):
    cgroups.require_v1("v2 has no net_cls")
    cgroups.require_controller("net_cls")
    bundle.resources["network"] = {"classID": 0x100001}
    assert (limits_of(runtime, bundle).folder("net_cls") / "net_cls.classid").read_text() == "1048577\n"


def test_the_priorities_of_its_packets(runtime, bundle):
    """The names of interfaces are those of the network namespace that the limits are written in: the caller's (net_prio)."""
    cgroups.require_v1("v2 has no net_prio")
    cgroups.require_controller("net_prio")
    bundle.resources["network"] = {"priorities": [{"name": "lo", "priority": 7}]}
    assert "lo 7\n" in (limits_of(runtime, bundle).folder("net_prio") / "net_prio.ifpriomap").read_text()


def test_an_interface_that_is_not_there_is_refused(runtime, bundle):
    cgroups.require_v1("v2 has no net_prio")
    cgroups.require_controller("net_prio")
    bundle.resources["network"] = {"priorities": [{"name": "kt-none", "priority": 7}]}
    result = runtime.refuses("create", "--bundle", bundle.write().folder, runtime.new_id())
    if runtime.is_kiste:
        assert "network.priorities" in result.stderr and "kt-none" in result.stderr


def test_a_device_for_remote_memory_access_that_is_not_there_is_refused(runtime, bundle):
    cgroups.require_controller("rdma")
    bundle.resources["rdma"] = {"kt-none": {"hcaHandles": 3, "hcaObjects": 10000}}
    result = runtime.refuses("create", "--bundle", bundle.write().folder, runtime.new_id())
    if runtime.is_kiste:
        assert "rdma" in result.stderr and "kt-none" in result.stderr


@pytest.fixture
def remote_memory():
    """Name of a device for remote memory access, and the numbers of its file."""
    cgroups.require_controller("rdma")
    for verbs in sorted(Path("/sys/class/infiniband_verbs").glob("uverbs*")):
        major, minor = (verbs / "dev").read_text().split(":")
        return (verbs / "ibdev").read_text().strip(), (int(major), int(minor))
    pytest.skip("this host has no device for remote memory access (the kind of host rdma has)")


def remote_memory_limits(pid):
    text = (cgroups.ProcessCgroups(pid).folder("rdma") / "rdma.max").read_text()
    return [line.strip() for line in text.splitlines()]


@pytest.mark.parametrize("limits, expected", [
    ({"hcaHandles": 3, "hcaObjects": 10000}, "hca_handle=3 hca_object=10000"), ({"hcaHandles": 0}, "hca_handle=0 hca_object=max"),
    ({"hcaObjects": 7}, "hca_handle=max hca_object=7"), (None, "hca_handle=max hca_object=max")], ids=["both", "no-handles", "objects", "none"])
def test_remote_memory_access(runtime, bundle, remote_memory, limits, expected):
    if limits:
        bundle.resources["rdma"] = {remote_memory[0]: limits}
    assert f"{remote_memory[0]} {expected}" in remote_memory_limits(runtime.create(bundle).pid)


def test_remote_memory_access_holds(runtime, bundle, remote_memory, probe):
    """A program gets as many contexts of the device as it has handles."""
    name, numbers = remote_memory
    bundle.resources["rdma"] = {name: {"hcaHandles": 2}}
    with_device(bundle, numbers, (True, "rw")).with_probe(probe, "verbs", "/dev/mine", "4")
    assert runtime.output_of(bundle).splitlines() == 2 * ["a context"] + 2 * ["Resource temporarily unavailable"]


def test_remote_memory_access_is_updated(runtime, bundle, remote_memory):
    if not runtime.is_kiste:
        pytest.skip("runc's and crun's update do not know rdma")
    bundle.resources["rdma"] = {remote_memory[0]: {"hcaHandles": 3, "hcaObjects": 4}}
    container = runtime.run_detached(bundle.sleeps())
    runtime.ok("update", "--resources", "-", container.id, text=json.dumps({"rdma": {remote_memory[0]: {"hcaHandles": 5}}}))
    assert f"{remote_memory[0]} hca_handle=5 hca_object=4" in remote_memory_limits(container.pid)


# -- block devices

def disk():
    """Major and minor number of some whole disk."""
    for path in sorted(Path("/sys/block").glob("*")):
        if not path.name.startswith(("loop", "ram", "zram")):
            return tuple(int(number) for number in (path / "dev").read_text().split(":"))
    pytest.skip("this host has no disk")


@pytest.mark.parametrize("field, v1_file, v2_key", [
    ("throttleReadBpsDevice", "blkio.throttle.read_bps_device", "rbps"), ("throttleWriteBpsDevice", "blkio.throttle.write_bps_device", "wbps"),
    ("throttleReadIOPSDevice", "blkio.throttle.read_iops_device", "riops"),
    ("throttleWriteIOPSDevice", "blkio.throttle.write_iops_device", "wiops")])
def test_throttling_of_a_disk(runtime, bundle, field, v1_file, v2_key):
    cgroups.require_controller("io" if cgroups.layout() == "v2" else "blkio")
    major, minor = disk()
    bundle.resources["blockIO"] = {field: [{"major": major, "minor": minor, "rate": 1234567}]}
    limits = limits_of(runtime, bundle)
    if cgroups.layout() == "v2":
        assert f"{v2_key}=1234567" in (limits.folder("io") / "io.max").read_text()
    else:
        assert (limits.folder("blkio") / v1_file).read_text().split() == [f"{major}:{minor}", "1234567"]


def test_block_io_weight(runtime, bundle):
    cgroups.require_controller("io" if cgroups.layout() == "v2" else "blkio")
    container = runtime.create(bundle)
    cgroups.ProcessCgroups(container.pid).block_io_weight_is(100)  # skips where nobody knows weights
    container.delete("--force")
    bundle.resources["blockIO"] = {"weight": 300}
    assert limits_of(runtime, bundle).block_io_weight_is(300)


def test_block_io_weight_of_one_disk(runtime, bundle):
    cgroups.require_controller("io" if cgroups.layout() == "v2" else "blkio")
    major, minor = disk()
    if "[bfq]" not in Path(f"/sys/dev/block/{major}:{minor}/queue/scheduler").read_text():
        cost = cgroups.ROOT / "io.cost.qos"
        if not (cost.exists() and f"{major}:{minor} enable=1" in cost.read_text()):
            pytest.skip("this host's disk is served neither by BFQ nor by io.cost")
        if not runtime.is_kiste:
            pytest.skip(f"{runtime.name} gives one disk a weight through BFQ only")
    bundle.resources["blockIO"] = {"weight": 200, "weightDevice": [{"major": major, "minor": minor, "weight": 700}]}
    limits = limits_of(runtime, bundle)
    assert limits.block_io_weight_is(200) and limits.block_io_weight_is(700, f"{major}:{minor}")


# -- devices

def test_devices_are_denied_by_default(runtime, bundle):
    """mknod succeeds with the capability; opening what it made does not."""
    bundle.capabilities("CAP_MKNOD").sh("mknod /dev/mem2 c 1 1 2>&1; cat /dev/mem2 2>&1; mknod /dev/kmsg2 c 1 11 2>&1; cat /dev/kmsg2 2>&1")
    assert runtime.run(bundle).stdout.count("Operation not permitted") >= 2


def test_the_default_devices_are_allowed(runtime, bundle):
    bundle.sh("for name in null zero urandom; do head -c 1 /dev/$name >/dev/null || echo $name; done; echo x >/dev/null")
    assert runtime.output_of(bundle) == ""


@pytest.fixture
def ordinary_device():
    """Major and minor number of a character device of the host that is not allowed by default and opens without a privilege."""
    kernel.require_root("an ordinary user's containers get no rules for devices")
    for numbers in ((10, 237), (10, 229)):  # loop-control, fuse
        if Path(f"/sys/dev/char/{numbers[0]}:{numbers[1]}").exists():
            return numbers
    pytest.skip("this kernel has neither loop-control nor fuse")


OPENS = "(: </dev/mine) 2>/dev/null && echo read; (: >/dev/mine) 2>/dev/null && echo write; true"


def with_device(bundle, numbers, *rules):
    rule = {"type": "c", "major": numbers[0], "minor": numbers[1]}
    bundle.linux["devices"] = [{"path": "/dev/mine", **rule, "fileMode": 0o666}]
    bundle.resources["devices"] += [{**rule, "allow": allow, "access": access} for allow, access in rules]
    return bundle.sh(OPENS)


@pytest.mark.parametrize("rules, expected", [
    ([], ""), ([(True, "r")], "read\n"), ([(True, "w")], "write\n"), ([(True, "rw")], "read\nwrite\n"), ([(True, "rwm")], "read\nwrite\n"),
    ([(True, "rwm"), (False, "rwm")], ""), ([(False, "rwm"), (True, "r")], "read\n"), ([(True, "rw"), (False, "w")], "read\n")],
    ids=["none", "r", "w", "rw", "rwm", "taken-back", "given-after", "w-taken-back"])
def test_a_device_can_be_opened_as_the_rules_say(runtime, bundle, ordinary_device, rules, expected):
    assert runtime.output_of(with_device(bundle, ordinary_device, *rules)) == expected


def test_a_rule_for_a_whole_major_number(runtime, bundle, ordinary_device):
    with_device(bundle, ordinary_device)
    bundle.resources["devices"].append({"allow": True, "type": "c", "major": ordinary_device[0], "access": "rw"})
    assert runtime.output_of(bundle) == "read\nwrite\n"


def test_the_list_of_devices_is_the_configs(runtime, bundle):
    cgroups.require_v1("v2 has no list of devices")
    bundle.resources["devices"].append({"allow": True, "type": "b", "major": 7, "access": "rm"})
    allowed = limits_of(runtime, bundle).devices_allowed()
    assert "b 7:* rm" in allowed and "c 1:3 rwm" in allowed and "a *:* rwm" not in allowed


def test_all_devices_may_be_allowed(runtime, bundle, ordinary_device):
    with_device(bundle, ordinary_device).resources["devices"] = [{"allow": True, "access": "rwm"}]
    assert runtime.output_of(bundle) == "read\nwrite\n"


def test_exec_is_bound_by_the_rules_too(runtime, bundle, ordinary_device):
    container = runtime.run_detached(with_device(bundle, ordinary_device, (True, "r")).sleeps())
    assert container.exec("/bin/sh", "-c", ": </dev/mine").code == 0
    assert container.exec("/bin/sh", "-c", ": >/dev/mine").code != 0


# -- freezer and refusals

def test_pause_freezes_the_cgroup(runtime, bundle):
    container = runtime.run_detached(bundle.sleeps())
    folder = cgroups.ProcessCgroups(container.pid).folder("freezer")
    runtime.ok("pause", container.id)
    if cgroups.layout() == "v2":
        assert "frozen 1" in (folder / "cgroup.events").read_text()
    else:
        assert (folder / "freezer.state").read_text() == "FROZEN\n"
    runtime.ok("resume", container.id)


@pytest.mark.parametrize("resources, name", [
    ({"cpu": {"cpus": "4711"}}, "cpus"), ({"cpu": {"cpus": "x"}}, "cpus"), ({"cpu": {"quota": 1, "period": 1}}, "cpu"),
    ({"memory": {"limit": 64 * MEBI, "swap": 32 * MEBI}}, "memory"), ({"memory": {"swappiness": 1000}}, "swappiness")],
    ids=["cpu-not-there", "cpu-no-number", "period-too-short", "swap-below-memory", "swappiness-too-large"])
def test_a_limit_that_the_kernel_does_not_take_is_refused(runtime, bundle, resources, name):
    if "swappiness" in str(resources):
        cgroups.require_v1("v2 has no swappiness")
    bundle.resources.update(resources)
    runtime.refuses_to_run(bundle, name)


def test_a_cgroup_that_is_already_used_is_refused_or_shared(runtime, bundle, new_bundle, host):
    """runc 1.1 warns of a cgroup that has processes and joins it; newer ones refuse. Nothing may break the first container."""
    name = host.new_name()
    first, second = bundle, new_bundle()
    for some in (first, second):
        some.linux["cgroupsPath"] = f"{cgroups.parent()}/{name}"
    container = runtime.run_detached(first.sleeps())
    runtime.run(second)
    assert container.status == "running"
    assert container.pid in cgroups.ProcessCgroups(container.pid).processes()


@pytest.mark.kiste_only("it joins, and kills what is there with the container")
@pytest.mark.parametrize("path", ["/", "occupied"])
def test_a_cgroup_with_somebody_elses_processes_is_refused(runtime, bundle, new_bundle, path):
    """Deleting the container would kill them."""
    victim = runtime.run_detached(bundle.sleeps())
    second = new_bundle().sleeps()
    if path == "occupied":
        with open(f"/proc/{victim.pid}/cgroup") as memberships:
            path = next(line.strip().split(":")[2] for line in memberships if ":pids:" in line or line.startswith("0::"))
    second.linux["cgroupsPath"] = path
    runtime.refuses_to_run(second, "cgroupsPath")
    assert victim.state()["status"] == "running"


# -- one cgroup after the other: a stopped container's is taken by another container

def stopped_in(runtime, bundle, place):
    """A container that was run to its end and kept."""
    bundle.linux["cgroupsPath"] = place
    container = runtime.create(bundle.args("/bin/true"))
    container.start()
    return container.wait_stopped()


def stopped_and_successor(runtime, bundle, new_bundle, host, pid_namespace, inner=""):
    """Such a one, and one that runs in the same cgroup now, or in one below."""
    place, second = f"{cgroups.parent()}/{host.new_name()}", new_bundle().sleeps()
    second.linux["cgroupsPath"] = place + inner
    if pid_namespace == "shared":
        for some in (bundle, second):
            some.without_namespace("pid")
    return stopped_in(runtime, bundle, place), runtime.run_detached(second)


@pytest.mark.kiste_only("runc 1.1.5 cannot remove the cgroup, and without a pid namespace it kills who is there")
@pytest.mark.parametrize("pid_namespace", ["own", "shared"])
@pytest.mark.parametrize("inner", ["", "/inner"], ids=["same", "below"])
@pytest.mark.parametrize("options", [[], ["--force"]], ids=["delete", "force"])
def test_delete_leaves_a_cgroup_to_who_took_it(runtime, bundle, new_bundle, host, pid_namespace, inner, options):
    stopped, successor = stopped_and_successor(runtime, bundle, new_bundle, host, pid_namespace, inner)
    runtime("kill", "--all", stopped.id, "KILL")
    stopped.delete(*options)
    assert successor.status == "running"
    assert successor.pid in cgroups.ProcessCgroups(successor.pid).processes()
    successor.delete("--force")
    if inner:  # a parent that was there when the second one came stays
        for path in sorted(host.cgroups(), reverse=True):
            Path(path).rmdir()
    assert not host.cgroups()  # what the first one made


@pytest.mark.parametrize("pid_namespace", ["own", "shared"])
def test_who_took_a_cgroup_goes_first(runtime, bundle, new_bundle, host, pid_namespace):
    stopped, successor = stopped_and_successor(runtime, bundle, new_bundle, host, pid_namespace)
    successor.delete("--force")
    stopped.delete()
    assert not host.cgroups()


@pytest.mark.kiste_only("runc 1.1.5 cannot remove the cgroup, which is an error")
def test_delete_leaves_a_cgroup_to_a_container_of_another_root(runtime, bundle, new_bundle, host):
    """Its record is not seen; but nobody is left of a pid namespace whose first process is gone."""
    place = f"{cgroups.parent()}/{host.new_name()}"
    stopped = stopped_in(runtime, bundle, place)
    other = Runtime(runtime.program, runtime.folder / "other", host)
    second = new_bundle().sleeps()
    second.linux["cgroupsPath"] = place
    try:
        successor = other.run_detached(second)
        assert "not of this container" in stopped.delete().stderr
        assert successor.status == "running"
    finally:
        assert not other.close()
    for path in sorted(host.cgroups(), reverse=True):  # for the second one it was there before
        Path(path).rmdir()


# -- where, again: all forms of cgroupsPath

@pytest.mark.parametrize("form, end", [("/{}/../{}/inner", "/{}/inner"), ("/../../{}/inner", "/{}/inner"), ("//{}//./inner/", "/{}/inner"), ("/{}/a:b:c", "/{}/a:b:c")],
                         ids=["dots-inside", "dots-in-front", "slashes", "colons"])
def test_a_cgroups_path_is_taken_by_its_letters(runtime, bundle, host, form, end):
    kernel.require_root("the path starts at the root of the tree")
    name = host.new_name()
    bundle.linux["cgroupsPath"] = form.replace("{}", name)
    container = runtime.create(bundle)
    folders = cgroups.ProcessCgroups(container.pid).folders()
    assert folders and all(str(folder).endswith(end.replace("{}", name)) for folder in folders)
    container.delete("--force")
    for path in sorted(host.cgroups(), reverse=True):
        Path(path).rmdir()  # a parent that the runtime made may stay


@pytest.mark.kiste_only("runc 1.1.5 waits for ever")
def test_a_frozen_cgroup_is_refused(runtime, bundle, host):
    name = host.new_name()
    v2 = cgroups.layout() == "v2"
    folder = (cgroups.ROOT / cgroups.parent().lstrip("/") if v2 else cgroups.ROOT / "freezer") / name
    folder.mkdir()
    (folder / ("cgroup.freeze" if v2 else "freezer.state")).write_text("1" if v2 else "FROZEN")
    bundle.linux["cgroupsPath"] = f"{cgroups.parent()}/{name}"
    runtime.refuses_to_run(bundle, "cgroupsPath", "frozen")
    (folder / ("cgroup.freeze" if v2 else "freezer.state")).write_text("0" if v2 else "THAWED")
    folder.rmdir()


# -- who is charged

@pytest.mark.kiste_only("runc needs more than a mebibyte itself")
def test_the_runtime_is_not_charged_to_the_container(runtime, bundle):
    """A container may use all of its memory, however little it is."""
    cgroups.require_controller("memory")
    bundle.resources["memory"] = {"limit": MEBI}
    for _ in range(3):
        result = runtime.run(bundle.args("/bin/true"))
        assert result.code == 0, result


@pytest.mark.kiste_only("runc needs more than a mebibyte itself")
def test_exec_is_not_charged_to_the_container_either(runtime, bundle):
    cgroups.require_controller("memory")
    bundle.resources["memory"] = {"limit": MEBI}
    container = runtime.run_detached(bundle.sleeps())
    for _ in range(3):
        assert container.exec("/bin/true").code == 0


# -- settings that not every host has

V1_ONLY = {"memory": {"swappiness": 17, "disableOOMKiller": True}, "cpu": {"realtimePeriod": 1000000},
           "network": {"classID": 1048577, "priorities": [{"name": "lo", "priority": 500}]}}


@pytest.mark.parametrize("group", list(V1_ONLY))
def test_what_only_v1_has_is_passed_over_on_v2(runtime, bundle, group):
    if cgroups.layout() != "v2":
        pytest.skip("only on cgroup v2")
    bundle.resources[group] = V1_ONLY[group]
    result = runtime.run(bundle)
    assert result.code == 0, result
    if runtime.is_kiste:
        assert all(f"{group}.{field}" in result.stderr for field in V1_ONLY[group])


def test_kernel_memory_is_passed_over(runtime, bundle):
    cgroups.require_controller("memory")
    bundle.resources["memory"] = {"kernel": 64 * MEBI, "kernelTCP": 64 * MEBI}
    result = runtime.run(bundle)
    assert result.code == 0 and "ernel" in result.stderr, result


@pytest.mark.parametrize("hierarchy", [True, False])
def test_use_hierarchy_never_fails(runtime, bundle, hierarchy):
    cgroups.require_controller("memory")
    bundle.resources["memory"] = {"limit": 64 * MEBI, "useHierarchy": hierarchy}
    result = runtime.run(bundle)
    assert result.code == 0, result
    if runtime.is_kiste and not hierarchy:  # runc says nothing
        assert "memory.useHierarchy" in result.stderr, result


@pytest.mark.kiste_only("runc 1.1.5 reads 0 as no limit")
@pytest.mark.parametrize("version, limit", [("1.3.0", "1"), ("1.2.0", "max")])
def test_a_pids_limit_of_zero(runtime, bundle, version, limit):
    if limit == "1":
        kernel.require_root("making a user namespace takes a second process for a moment")
    cgroups.require_controller("pids")
    bundle.spec["ociVersion"] = version
    bundle.resources["pids"] = {"limit": 0}
    assert limits_of(runtime, bundle).pids_limit() == limit


def test_unified(runtime, bundle):
    if cgroups.layout() != "v2":
        pytest.skip("only on cgroup v2")
    bundle.resources["unified"] = {"memory.max": str(64 * MEBI), "memory.high": str(32 * MEBI), "cpu.weight": "42", "pids.max": "99"}
    folder = limits_of(runtime, bundle).folder("memory")
    found = {name: (folder / name).read_text().strip() for name in bundle.resources["unified"]}
    assert found == bundle.resources["unified"]


def test_unified_wins(runtime, bundle):
    if cgroups.layout() != "v2":
        pytest.skip("only on cgroup v2")
    bundle.resources.update(memory={"limit": 64 * MEBI}, pids={"limit": 10}, unified={"memory.max": str(32 * MEBI), "pids.max": "20"})
    limits = limits_of(runtime, bundle)
    assert (limits.memory_limit(), limits.pids_limit()) == (32 * MEBI, "20")


def huge_page_limits(process, sizes):
    """Every limit for pages of these sizes, as text; None where this host counts none per cgroup. A hybrid host's are in its v2 tree."""
    for controllers, mounted in cgroups.hierarchies():
        v2 = not controllers
        if "hugetlb" in ((mounted / "cgroup.controllers").read_text().split() if v2 else controllers):
            folder = mounted / process.paths["unified" if v2 else "hugetlb"].lstrip("/")
            files = [folder / f"hugetlb.{size}{kind}.{'max' if v2 else 'limit_in_bytes'}" for size in sizes for kind in ("", ".rsvd")]
            return {file.name: file.read_text().strip() for file in files if file.exists()}
    return None


def test_huge_pages(runtime, bundle):
    names = {"hugepages-2048kB": "2MB", "hugepages-1048576kB": "1GB", "hugepages-64kB": "64KB"}
    sizes = [names[path.name] for path in Path("/sys/kernel/mm/hugepages").glob("*") if path.name in names]
    if not runtime.is_kiste and cgroups.layout() == "hybrid":
        pytest.skip(f"{runtime.name} sets none on hybrid hosts")
    if cgroups.layout() == "v2":
        cgroups.require_controller("hugetlb")  # an ordinary user is seldom given it
    if not sizes or huge_page_limits(limits_of(runtime, bundle), sizes) is None:
        pytest.skip("this host does not count huge pages per cgroup")
    bundle.resources["hugepageLimits"] = [{"pageSize": size, "limit": 1 << 31} for size in sizes]
    found = huge_page_limits(limits_of(runtime, bundle), sizes)
    assert {value for name, value in found.items() if runtime.is_kiste or ".rsvd." not in name} == {str(1 << 31)}, found


@pytest.mark.kiste_only("idle came with runc 1.2")
def test_cpu_idle(runtime, bundle):
    cgroups.require_controller("cpu")
    bundle.resources["cpu"] = {"idle": 1}
    file = limits_of(runtime, bundle).folder("cpu") / "cpu.idle"
    if not file.exists():
        pytest.skip("this kernel has no cpu.idle")
    assert file.read_text() == "1\n"


# -- who owns it (config-linux.md, "Cgroup ownership")

def writable_cgroup(bundle, user_namespace):
    kernel.require_root("rootless containers have no cgroup mount")
    bundle.namespace("cgroup").mount_of("/sys/fs/cgroup")["options"] = ["nosuid", "noexec", "nodev", "relatime", "rw"]
    return bundle.user_namespace() if user_namespace else bundle


def owners(folder):
    delegated = Path("/sys/kernel/cgroup/delegate").read_text().split()
    return folder.stat().st_uid, {(folder / name).stat().st_uid for name in delegated if (folder / name).exists()}


@pytest.mark.kiste_only("runc's cgroupfs driver leaves it to root")
def test_a_writable_v2_cgroup_belongs_to_the_containers_root(runtime, bundle):
    if cgroups.layout() != "v2":
        pytest.skip("only on cgroup v2")
    container = runtime.run_detached(writable_cgroup(bundle, user_namespace=True).sleeps())
    folder = cgroups.ProcessCgroups(container.pid).folder("memory")
    assert owners(folder) == (100000, {100000})
    assert (folder / "memory.max").stat().st_uid == 0
    container.sh("mkdir /sys/fs/cgroup/inner && echo 1 >/sys/fs/cgroup/inner/cgroup.procs")


@pytest.mark.parametrize("change", ["read-only", "no-cgroup-namespace", "v1"])
def test_any_other_cgroup_stays_roots(runtime, bundle, change):
    if (change == "v1") != (cgroups.layout() in ("v1", "hybrid")):
        pytest.skip("a matter of the other version of cgroups")
    writable_cgroup(bundle, user_namespace=True)
    if change == "read-only":
        bundle.mount_of("/sys/fs/cgroup")["options"].append("ro")
    elif change == "no-cgroup-namespace":
        bundle.without_namespace("cgroup")
    container = runtime.create(bundle.sleeps())
    assert {folder.stat().st_uid for folder in cgroups.ProcessCgroups(container.pid).folders()} == {0}


# -- exec

@pytest.mark.kiste_only("runc 1.1.5 does not fall back when it clones into the cgroup")
def test_exec_joins_where_the_first_process_is_when_the_top_takes_none(runtime, bundle):
    if cgroups.layout() != "v2":
        pytest.skip("only on cgroup v2")
    container = runtime.run_detached(writable_cgroup(bundle, user_namespace=False).sleeps())
    where = "/proc/self/cgroup"
    assert container.sh(f"cat {where}") == "0::/\n"
    container.sh("mkdir /sys/fs/cgroup/foo && echo 1 >/sys/fs/cgroup/foo/cgroup.procs")
    assert container.sh(f"cat {where}") == "0::/\n"
    container.sh("echo $$ >/sys/fs/cgroup/foo/cgroup.procs; echo +memory >/sys/fs/cgroup/cgroup.subtree_control")
    assert container.sh(f"cat {where}") == "0::/foo\n"
    assert container.exec("/bin/true", options=("--cgroup", "/")).code != 0


def sub_cgroup(container, controller, name="sub"):
    folder = cgroups.ProcessCgroups(container.pid).folder(controller) / name
    folder.mkdir()
    return folder


def cgroups_of_exec(container, *options):
    lines = container.exec_ok("/bin/cat", "/proc/self/cgroup", options=options).lines
    return {name: path for _, names, path in (line.split(":", 2) for line in lines) for name in names.split(",")}


def test_exec_in_a_cgroup_below_in_some_hierarchies(runtime, bundle):
    cgroups.require_v1("v2 has one hierarchy")
    container = runtime.run_detached(bundle.sleeps())
    for controller in ("memory", "pids"):
        sub_cgroup(container, controller)
    found = cgroups_of_exec(container, "--cgroup", "memory,pids:sub")
    assert found["memory"].endswith("/sub") and found["pids"].endswith("/sub")
    found = cgroups_of_exec(container, "--cgroup", "memory:sub", "--cgroup", "pids:/")
    assert found["memory"].endswith("/sub") and not found["pids"].endswith("/sub")


@pytest.mark.kiste_only("it leaves the process in its caller's cgroups of the other controllers")
def test_exec_stays_in_the_containers_cgroups_of_the_others(runtime, bundle):
    cgroups.require_v1("v2 has one hierarchy")
    container = runtime.run_detached(bundle.sleeps())
    sub_cgroup(container, "memory")
    found = cgroups_of_exec(container, "--cgroup", "memory:sub")
    inside = cgroups.ProcessCgroups(container.pid).paths
    assert found["pids"] == inside["pids"] and found["cpu"] == inside["cpu"]


@pytest.mark.parametrize("option", ["sub", ":sub"])
def test_exec_in_a_cgroup_below_in_all_hierarchies(runtime, bundle, option):
    container = runtime.run_detached(bundle.sleeps())
    for folder in cgroups.ProcessCgroups(container.pid).folders():
        (folder / "sub").mkdir()
        for name in ("cpuset.cpus", "cpuset.mems"):
            if cgroups.layout() != "v2" and (folder / name).exists():
                (folder / "sub" / name).write_text((folder / name).read_text())
    found = cgroups_of_exec(container, "--cgroup", option)
    own = cgroups.ProcessCgroups(container.pid).paths
    assert all(path.endswith("/sub") for name, path in found.items() if own.get(name or "unified", "/") != "/")


@pytest.mark.parametrize("options", [
    ("nosuch",), ("../..",), ("nosuch:sub",), (":sub",), ("memory,:sub",), ("memory:a", "memory:b"), ("a", "b"), ("memory:a", "b")],
    ids=["not-there", "outside", "no-controller", "empty", "half-empty", "twice", "two-paths", "mixed"])
def test_exec_in_a_cgroup_that_makes_no_sense_is_refused(runtime, bundle, options):
    container = runtime.run_detached(bundle.sleeps())
    flags = [word for option in options for word in ("--cgroup", option)]
    result = container.exec("/bin/true", options=flags)
    assert result.code != 0 and result.stderr.strip(), result
