# SPDX-License-Identifier: Apache-2.0
"""`update`: limits of a container that is there, by options and by JSON. What is not given stays as it is."""

import json
import os
import time
from pathlib import Path

import pytest

import cgroups
import kernel

MEBI = 1 << 20


@pytest.fixture(autouse=True)
def needs_cgroups():
    cgroups.require_own()


@pytest.fixture
def container(runtime, bundle):
    return runtime.run_detached(bundle.sleeps())


def limits(container):
    return cgroups.ProcessCgroups(container.pid)


def update(container, *options, text=None):
    return container.runtime.ok("update", *options, container.id, text=text)


def update_json(container, resources):
    return update(container, "--resources", "-", text=json.dumps(resources))


def has_swap(container):
    name = "memory.swap.max" if cgroups.layout() == "v2" else "memory.memsw.limit_in_bytes"
    return (limits(container).folder("memory") / name).exists()


# -- memory

@pytest.mark.parametrize("size, expected", [
    ("67108864", 64 * MEBI), ("64m", 64 * MEBI), ("64M", 64 * MEBI), ("64mb", 64 * MEBI), ("64MiB", 64 * MEBI),
    ("0.0625g", 64 * MEBI), ("65536 k", 64 * MEBI)])
def test_memory_in_every_notation(container, size, expected):
    cgroups.require_controller("memory")
    update(container, "--memory", size)
    assert limits(container).memory_limit() == expected


@pytest.mark.parametrize("option, value", [
    ("--memory", "much"), ("--memory", "-5"), ("--memory", "64mm"), ("--cpu-quota", "1.5"), ("--cpu-share", "-1"), ("--pids-limit", "many")])
def test_what_is_no_number_is_refused(container, option, value):
    result = container.runtime.refuses("update", option, value, container.id)
    if container.runtime.is_kiste:
        assert option in result.stderr and value in result.stderr


def test_memory_and_swap_rise_and_fall_together(container):
    cgroups.require_controller("memory")
    if not has_swap(container):
        pytest.skip("this kernel does not account for swap")
    for size in (64, 256, 32, 512):
        update(container, "--memory", f"{size}m", "--memory-swap", f"{2 * size}m")
        assert (limits(container).memory_limit(), limits(container).memory_and_swap()) == (size * MEBI, 2 * size * MEBI)


def test_a_new_memory_limit_keeps_the_limit_of_both(container):
    cgroups.require_controller("memory")
    if not has_swap(container):
        pytest.skip("this kernel does not account for swap")
    update(container, "--memory", "64m", "--memory-swap", "128m")
    update(container, "--memory", "96m")
    assert (limits(container).memory_limit(), limits(container).memory_and_swap()) == (96 * MEBI, 128 * MEBI)


def test_unlimited_memory_takes_the_limit_of_both_away(container):
    cgroups.require_controller("memory")
    update(container, "--memory", "64m")
    update(container, "--memory", "-1")
    folder = limits(container).folder("memory")
    if cgroups.layout() == "v2":
        assert (folder / "memory.max").read_text() == "max\n"
    else:
        assert limits(container).memory_limit() > 1 << 60
        if has_swap(container):
            assert limits(container).memory_and_swap() > 1 << 60


def test_memory_reservation(container):
    cgroups.require_controller("memory")
    update(container, "--memory", "64m")
    update(container, "--memory-reservation", "32m")
    assert (limits(container).memory_limit(), limits(container).memory_reservation()) == (64 * MEBI, 32 * MEBI)


def test_kernel_memory_is_ignored_with_a_warning(container):
    cgroups.require_controller("memory")
    before = limits(container).folder("memory")
    result = update(container, "--kernel-memory", "64m", "--kernel-memory-tcp", "64m")
    assert "ernel" in result.stderr and before.exists()


@pytest.mark.kiste_only("runc 1.1.5 has no checkBeforeUpdate")
def test_a_limit_below_the_usage_is_refused_if_asked(container):
    cgroups.require_controller("memory")
    text = json.dumps({"memory": {"limit": 4096, "checkBeforeUpdate": True}})
    if cgroups.layout() != "v2":
        pytest.skip("on cgroup v1 the kernel decides")
    container.runtime.refuses("update", "-r", "-", container.id, text=text)
    assert container.status == "running"


# -- cpu

def test_cpu_shares(container):
    cgroups.require_controller("cpu")
    update(container, "--cpu-share", "512")
    assert limits(container).cpu_shares_are(512)


def test_quota_and_period_each_keep_the_other(container):
    cgroups.require_controller("cpu")
    update(container, "--cpu-quota", "25000", "--cpu-period", "50000")
    assert limits(container).cpu_quota_and_period() == (25000, 50000)
    update(container, "--cpu-quota", "30000")
    assert limits(container).cpu_quota_and_period() == (30000, 50000)
    update(container, "--cpu-period", "60000")
    assert limits(container).cpu_quota_and_period() == (30000, 60000)


def test_other_updates_leave_the_quota_alone(container):
    cgroups.require_controller("cpu")
    update(container, "--cpu-quota", "25000", "--cpu-period", "50000")
    update(container, "--cpu-share", "100")
    update(container, "--memory", "64m")
    assert limits(container).cpu_quota_and_period() == (25000, 50000)


@pytest.mark.kiste_only("burst came with runc 1.2")
def test_cpu_burst(container):
    cgroups.require_controller("cpu")
    update(container, "--cpu-quota", "25000", "--cpu-period", "50000", "--cpu-burst", "10000")
    folder = limits(container).folder("cpu")
    assert (folder / ("cpu.max.burst" if cgroups.layout() == "v2" else "cpu.cfs_burst_us")).read_text() == "10000\n"
    update(container, "--cpu-burst", "0")
    assert (folder / ("cpu.max.burst" if cgroups.layout() == "v2" else "cpu.cfs_burst_us")).read_text() == "0\n"


def idle_file(container):
    file = limits(container).folder("cpu") / "cpu.idle"
    if not file.exists():
        pytest.skip("this kernel has no cpu.idle")
    return file


@pytest.mark.kiste_only("runc 1.1.5 has no idle")
def test_cpu_idle(container):
    cgroups.require_controller("cpu")
    file = idle_file(container)
    update(container, "--cpu-share", "512")
    for value in (1, 0, 1):
        update_json(container, {"cpu": {"idle": value}})
        assert file.read_text() == f"{value}\n"
    update(container, "--cpu-idle", "0")
    assert limits(container).cpu_shares_are(512)


def test_cpus_and_memory_nodes(container):
    cgroups.require_controller("cpuset")
    update(container, "--cpuset-cpus", "0", "--cpuset-mems", "0")
    assert (limits(container).cpus(), limits(container).memory_nodes()) == ("0", "0")


# -- others

@pytest.mark.parametrize("limit, expected", [("17", "17"), ("-1", "max")])
def test_pids_limit(container, limit, expected):
    cgroups.require_controller("pids")
    update(container, "--pids-limit", "20")
    update(container, "--pids-limit", limit)
    assert limits(container).pids_limit() == expected


def test_what_is_not_given_in_json_stays(container):
    cgroups.require_controller("pids")
    cgroups.require_controller("memory")
    update(container, "--pids-limit", "20", "--memory", "64m")
    update_json(container, {"cpu": {"shares": 512}})
    assert (limits(container).pids_limit(), limits(container).memory_limit()) == ("20", 64 * MEBI)
    assert limits(container).cpu_shares_are(512)


def test_everything_in_one_json_from_a_file(container, workspace):
    cgroups.require_controller("cpu")
    file = workspace / "resources.json"
    file.write_text(json.dumps({
        "memory": {"limit": 64 * MEBI, "reservation": 32 * MEBI},
        "cpu": {"shares": 300, "quota": 25000, "period": 50000, "cpus": "0", "mems": "0"}, "pids": {"limit": 10}}))
    update(container, "-r", file)
    now = limits(container)
    assert (now.memory_limit(), now.memory_reservation(), now.pids_limit()) == (64 * MEBI, 32 * MEBI, "10")
    assert now.cpu_quota_and_period() == (25000, 50000) and now.cpu_shares_are(300) and now.cpus() == "0"


def test_with_json_the_options_do_not_count(container):
    cgroups.require_controller("pids")
    update(container, "--pids-limit", "20")
    update(container, "--pids-limit", "30", "--resources", "-", text='{"cpu": {"shares": 100}}')
    assert limits(container).pids_limit() == "20"


PIDS_41 = '{"pids": {"limit": 41}}'


def test_json_comes_through_a_pipe_or_fifo(container, workspace):
    """As a shell's <(…) and the like hand it over."""
    cgroups.require_controller("pids")
    update(container, "--resources", "/dev/stdin", text=PIDS_41)
    assert limits(container).pids_limit() == "41"
    update(container, "--pids-limit", "30")
    fifo = workspace / "fifo"
    os.mkfifo(fifo)
    command = container.runtime.spawn("update", "--resources", fifo, container.id)
    with open(fifo, "w") as writer:
        for half in (PIDS_41[:7], PIDS_41[7:]):
            writer.write(half)
            writer.flush()
            time.sleep(0.1)
    assert command.result().code == 0
    assert limits(container).pids_limit() == "41"


@pytest.mark.kiste_only("it waits for ever")
@pytest.mark.parametrize("writer", [False, True], ids=["nobody-writes", "nobody-ends"])
def test_a_fifo_without_an_end_is_not_waited_for(container, workspace, writer):
    fifo = workspace / "fifo"
    os.mkfifo(fifo)
    other_end = os.open(fifo, os.O_RDWR) if writer else None
    result = container.runtime.refuses("--timeout", "1", "update", "--resources", fifo, container.id)
    assert "--resources" in result.stderr and str(fifo) in result.stderr
    if writer:
        os.close(other_end)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"memory": {"limit": "much"}}', '{"cpu": {"shares": -1}}'])
def test_json_that_is_none_is_refused(container, text):
    container.runtime.refuses("update", "-r", "-", container.id, text=text)


def test_a_file_that_is_not_there_is_refused(container, workspace):
    container.runtime.refuses("update", "-r", workspace / "nosuch", container.id)


def test_block_io_weight(container):
    cgroups.require_controller("io" if cgroups.layout() == "v2" else "blkio")
    limits(container).block_io_weight_is(100)  # skips where nobody knows weights
    for weight in (300, 400):
        update(container, "--blkio-weight", str(weight))
        assert limits(container).block_io_weight_is(weight)


@pytest.mark.kiste_only("it takes some of them, and passes them over")
@pytest.mark.parametrize("weight", ["9", "1001", "many"])
def test_a_block_io_weight_that_cannot_be_is_refused(container, weight):
    result = container.runtime.refuses("update", "--blkio-weight", weight, container.id)
    assert "--blkio-weight" in result.stderr and weight in result.stderr


@pytest.mark.kiste_only("runc 1.1.5 takes block devices at create only")
def test_throttling_of_a_disk_changes(container):
    cgroups.require_controller("io" if cgroups.layout() == "v2" else "blkio")
    disks = [path for path in sorted(Path("/sys/block").glob("*")) if not path.name.startswith(("loop", "ram", "zram"))]
    if not disks:
        pytest.skip("this host has no disk")
    major, minor = (int(number) for number in (disks[0] / "dev").read_text().split(":"))
    for rate in (1000000, 2000000):
        update_json(container, {"blockIO": {"throttleReadBpsDevice": [{"major": major, "minor": minor, "rate": rate}]}})
        if cgroups.layout() == "v2":
            assert f"rbps={rate}" in (limits(container).folder("io") / "io.max").read_text()
        else:
            assert str(rate) in (limits(container).folder("blkio") / "blkio.throttle.read_bps_device").read_text()


def test_devices_are_left_alone(runtime, bundle):
    kernel.require_root("an ordinary user's containers get no rules for devices")
    bundle.resources["devices"].append({"allow": True, "type": "c", "major": 10, "minor": 229, "access": "rw"})
    container = runtime.run_detached(bundle.sleeps())
    update(container, "--pids-limit", "20")
    update_json(container, {"devices": [{"allow": True, "access": "rwm"}], "pids": {"limit": 30}})
    if cgroups.layout() == "v2":
        assert container.exec("/bin/sh", "-c", "mknod /dev/kmsg2 c 1 11 && cat /dev/kmsg2").code != 0
    else:
        allowed = limits(container).devices_allowed()
        assert "c 10:229 rw" in allowed and "a *:* rwm" not in allowed


@pytest.mark.kiste_only("runc refuses unified on a hybrid host")
def test_unified(container):
    if cgroups.layout() != "v2":
        pytest.skip("only on cgroup v2")
    update_json(container, {"unified": {"memory.high": str(64 * MEBI), "pids.max": "12"}})
    folder = limits(container).folder("memory")
    assert (folder / "memory.high").read_text() == f"{64 * MEBI}\n" and limits(container).pids_limit() == "12"


# -- when it can be done

@pytest.mark.parametrize("state", ["created", "running", "paused"])
def test_in_every_state_but_stopped(runtime, bundle, state):
    cgroups.require_controller("pids")
    container = runtime.create(bundle.sleeps()) if state == "created" else runtime.run_detached(bundle.sleeps())
    if state == "paused":
        runtime.ok("pause", container.id)
    update(container, "--pids-limit", "20")
    assert limits(container).pids_limit() == "20" and container.status == state
    if state == "paused":
        runtime.ok("resume", container.id)


def test_a_stopped_container_is_refused(container):
    container.kill("KILL")
    container.wait_stopped()
    result = container.runtime.refuses("update", "--pids-limit", "20", container.id)
    if container.runtime.is_kiste:
        assert "stopped" in result.stderr


def test_an_unknown_container_is_refused(runtime):
    runtime.refuses("update", "--pids-limit", "20", runtime.host.new_name())


def test_when_one_limit_is_refused_the_rest_is_as_before(container):
    cgroups.require_controller("memory")
    update(container, "--memory", "64m", "--cpu-share", "512")
    result = container.runtime.refuses("update", "--memory", "96m", "--cpu-share", "256", "--cpuset-cpus", "4711", container.id)
    assert "cpus" in result.stderr
    assert limits(container).memory_limit() == 64 * MEBI and limits(container).cpu_shares_are(512)
    update(container, "--memory-reservation", "32m")
    assert limits(container).memory_limit() == 64 * MEBI


@pytest.mark.kiste_only("its state folder is its own affair")
def test_what_was_set_is_remembered_and_the_bundle_is_not_touched(container):
    text = (container.runtime.state_folder / container.id / "config.json").read_text()
    before = json.loads(text)
    update(container, "--pids-limit", "20")
    after = json.loads((container.runtime.state_folder / container.id / "config.json").read_text())
    assert after["linux"]["resources"]["pids"] == {"limit": 20}
    for config in (before, after):
        config["linux"].pop("resources", None)
    assert after == before


@pytest.mark.kiste_only("runc sets the group's file")
@pytest.mark.parametrize("option", ["--l3-cache-schema", "--mem-bw-schema"])
def test_a_schema_without_a_group_is_refused(container, option):
    container.runtime.refuses("update", option, "L3:0=f", container.id)


@pytest.mark.kiste_only("two at a time: the last one wins the whole record")
def test_two_at_a_time_lose_nothing(container):
    cgroups.require_controller("pids")
    runtime = container.runtime
    commands = [runtime.spawn("update", "--pids-limit", "20", container.id), runtime.spawn("update", "--cpu-share", "512", container.id),
                runtime.spawn("update", "--memory-reservation", "32m", container.id)]
    assert [command.result().code for command in commands] == [0, 0, 0]
    kept = json.loads((runtime.state_folder / container.id / "config.json").read_text())["linux"]["resources"]
    assert (kept["pids"]["limit"], kept["cpu"]["shares"], kept["memory"]["reservation"]) == (20, 512, 32 * MEBI)
