# SPDX-License-Identifier: Apache-2.0
"""`update`: limits of a container that is there, by options and by JSON. What is not given stays as it is."""

import json
import os
import time
from pathlib import Path

import pytest

import cgroups
import kernel
from test_cgroups import OPENS, ordinary_device, with_device  # noqa: F401 (ordinary_device is a fixture)

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


# -- devices

EVERYTHING, NOTHING = ({"allow": allow, "type": "a", "access": "rwm"} for allow in (True, False))


def rules_of(words, numbers):
    """Nothing but: `+rw` allows, `-w` denies the device with these numbers, `+major rw` all of its major number, `+all` everything."""
    rules = [NOTHING]
    for word in words:
        allow, (scope, _, access) = word[0] == "+", word[1:].rpartition(" ")
        device = {"type": "c", "major": numbers[0], **({} if scope else {"minor": numbers[1]})}
        rules.append(EVERYTHING if access == "all" else {**device, "allow": allow, "access": access})
    return rules


@pytest.fixture
def with_rules(runtime, bundle, ordinary_device):
    """Makes a container that has a device, and these rules."""
    def make(*words, create=runtime.run_detached):
        with_device(bundle, ordinary_device).resources["devices"] = rules_of(words, ordinary_device)
        return create(bundle.sleeps())
    return make


@pytest.fixture
def update_rules(ordinary_device):
    def change(container, *words):
        return update_json(container, {"devices": rules_of(words, ordinary_device)})
    return change


def opened(container):
    """How the container's device can be opened."""
    return container.sh(OPENS).split()


@pytest.mark.parametrize("before, after, expected", [
    ([], ["+rw"], "read write"), (["+rw"], [], ""), (["+rw"], ["+r"], "read"), (["+r"], ["+w"], "write"), (["+rw"], ["+rw", "-w"], "read"),
    ([], ["+major rw"], "read write"), (["+major rw"], ["+r"], "read"), (["+r"], ["+major rw"], "read write"),
    (["+r"], ["+all"], "read write"), (["+all"], [], ""), (["+all"], ["+w"], "write"), ([], ["+all", "-w"], "read"),
    (["+all", "-w"], ["+all"], "read write"), (["+all", "-r"], ["+all", "-w"], "read"), (["+all", "-r"], ["+r"], "read")],
    ids=lambda words: words if isinstance(words, str) else " ".join(words) or "none")
def test_devices_are_those_of_the_new_list(with_rules, update_rules, before, after, expected):
    container = with_rules(*before)
    update_rules(container, *after)
    assert " ".join(opened(container)) == expected


def test_a_new_list_is_whole_also_without_saying_so(with_rules, ordinary_device):
    container = with_rules("+rw")
    update_json(container, {"devices": rules_of(["+r"], ordinary_device)[1:]})
    assert opened(container) == ["read"]


@pytest.mark.parametrize("rule", [NOTHING, {**NOTHING, "type": "c", "major": 1}, {**NOTHING, "type": "c", "major": 1, "minor": 3}],
                         ids=["all", "major", "null"])
def test_no_list_takes_the_default_devices(container, rule):
    update_json(container, {"devices": [rule]})
    container.sh("for name in null zero urandom; do head -c 1 /dev/$name >/dev/null || exit 1; done; echo x >/dev/null")


@pytest.mark.parametrize("resources", [{}, {"devices": []}], ids=["none", "empty"])
def test_without_a_list_the_devices_stay(with_rules, resources):
    container = with_rules("+r")
    update(container, "--pids-limit", "20")
    update_json(container, {"pids": {"limit": 30}, **resources})
    assert opened(container) == ["read"]


def test_the_list_that_there_was_leaves_alone_what_others_allowed(with_rules, update_rules, ordinary_device):
    """containerd gives all resources with every update; the nodes of a GPU have been allowed beside them."""
    cgroups.require_v1("v2 has no list of devices")
    container = with_rules("+r")
    (limits(container).folder("devices") / "devices.allow").write_text("c {}:{} w".format(*ordinary_device))
    update_json(container, {"devices": rules_of(["+r"], ordinary_device), "pids": {"limit": 20}})
    assert opened(container) == ["read", "write"]
    update_rules(container)
    assert opened(container) == []


def test_a_process_keeps_the_default_devices_while_lists_change(runtime, bundle, ordinary_device, update_rules):
    container = runtime.run_detached(bundle.sh("echo begun; while true </dev/null; do :; done"))
    container.says("begun")
    for _ in range(5):
        for words in (["+rw"], [], ["+all"], ["+r"], ["+all", "-rw"], ["+all"]):
            update_rules(container, *words)
    assert container.status == "running", container.output


@pytest.mark.parametrize("state", ["created", "paused"])
def test_devices_change_in_other_states(runtime, with_rules, update_rules, state):
    container = with_rules("+all", create=runtime.create if state == "created" else runtime.run_detached)
    if state == "paused":
        runtime.ok("pause", container.id)
    update_rules(container, "+r")
    assert container.status == state
    runtime.ok("start" if state == "created" else "resume", container.id)
    assert opened(container) == ["read"]


def test_devices_come_back_when_a_limit_is_refused(with_rules, update_rules, ordinary_device):
    cgroups.require_controller("cpuset")
    container = with_rules("+r")
    for given in (["+w"], ["+all"]):
        text = json.dumps({"devices": rules_of(given, ordinary_device), "cpu": {"cpus": "4711"}})
        assert "cpus" in container.runtime.refuses("update", "-r", "-", container.id, text=text).stderr
        assert opened(container) == ["read"]


@pytest.mark.parametrize("rule", [{"type": "x"}, {"type": "c", "major": 5000}, {"type": "c", "minor": -2}, {"access": "x"}, {"access": ""}],
                         ids=lambda rule: " ".join(map(str, rule.values())) or "none")
def test_a_rule_that_cannot_be_is_refused(with_rules, rule):
    cgroups.require_controller("pids")
    container = with_rules("+r")
    update(container, "--pids-limit", "20")
    text = json.dumps({"devices": [{"allow": True, **rule}], "pids": {"limit": 30}, "cpu": {"cpus": "0"}})
    container.runtime.refuses("update", "-r", "-", container.id, text=text)
    assert limits(container).pids_limit() == "20" and opened(container) == ["read"]


@pytest.mark.kiste_only("what v1 makes of such a list it does not mind")
def test_a_list_that_v1_cannot_say_changes_nothing(with_rules, update_rules, ordinary_device):
    container = with_rules("+w")
    words = ["+major rw", "-w"]
    if cgroups.layout() == "v2":
        update_rules(container, *words)
        assert opened(container) == ["read"]
        return
    text = json.dumps({"cpu": {"shares": 100}, "devices": rules_of(words, ordinary_device)})
    before = limits(container).devices_allowed(), (limits(container).folder("cpu") / "cpu.shares").read_text()
    assert "wildcard" in container.runtime.refuses("update", "-r", "-", container.id, text=text).stderr
    assert before == (limits(container).devices_allowed(), (limits(container).folder("cpu") / "cpu.shares").read_text())


@pytest.mark.kiste_only("runc leaves devices alone, and crun denies everything first, which the kernel refuses")
def test_a_list_changes_also_with_cgroups_below(with_rules, update_rules, ordinary_device):
    """Only another default does not, which a list of what is allowed never needs."""
    cgroups.require_v1("v2 has no default")
    container = with_rules("+r")
    (limits(container).folder("devices") / "below").mkdir()
    update_rules(container, "+w")
    text = json.dumps({"devices": rules_of(["+all"], ordinary_device)})
    assert "devices.allow" in container.runtime.refuses("update", "-r", "-", container.id, text=text).stderr
    assert opened(container) == ["write"]


@pytest.mark.kiste_only("its state folder is its own affair")
def test_the_list_of_devices_is_remembered(bundle, with_rules, update_rules, ordinary_device):
    bundle.capabilities("CAP_MKNOD")
    container = with_rules("+w")
    config = container.runtime.state_folder / container.id / "config.json"
    update_rules(container, "+r")
    update(container, "--pids-limit", "20")
    assert json.loads(config.read_text())["linux"]["resources"]["devices"] == rules_of(["+r"], ordinary_device)
    before = container.runtime.ok("surface", container.id).stdout
    update_rules(container, "+major rw")
    assert container.runtime.ok("surface", container.id).stdout != before
    update_rules(container, "+r")
    assert opened(container) == ["read"] and container.runtime.ok("surface", container.id).stdout == before


def test_where_devices_cannot_be_limited_the_rest_is_updated(container):
    if kernel.is_root():
        pytest.skip("root's containers get rules for devices")
    update_json(container, {"devices": [EVERYTHING], "pids": {"limit": 20}})
    assert limits(container).pids_limit() == "20"


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
