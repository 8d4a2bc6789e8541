# SPDX-License-Identifier: Apache-2.0
"""--systemd-cgroup: the container's cgroup is a scope of systemd's. Needs a host whose first process is systemd; the second
half needs a user's manager besides (`loginctl enable-linger USER`). What is expected is what runc's docs/systemd.md says.
"""

import json
import os
import pwd
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

import bundle as bundles
import cgroups
import kernel
from deadline import PATIENCE, eventually
from runtime import Runtime
from test_cgroups import OPENS, ordinary_device, with_device  # noqa: F401 (ordinary_device is a fixture)

MEBI = 1 << 20


def show(unit, *properties, user=None):
    """The unit's properties as systemctl prints them."""
    # A folder of the user's may be hidden in the tests' mount namespace, sockets are not: systemctl asks over one.
    command = ["systemctl", *(["--user"] if user else []), "show", unit, *(f"--property={name}" for name in properties)]
    options = user.options() if user else {}
    text = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True, **options).stdout
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def is_loaded(unit, **options):
    return show(unit, "LoadState", **options)["LoadState"] == "loaded"


@pytest.fixture(autouse=True)
def needs_systemd():
    kernel.require_root("the tests make system units and become another user")
    cgroups.require_systemd()


@pytest.fixture
def runtime(runtime):
    runtime.options.append("--systemd-cgroup")
    return runtime


@pytest.fixture
def slice_name(host):
    """A slice that is stopped when the test is over; its name has no dash, and so no parent."""
    name = host.new_name().replace("-", "x") + ".slice"
    yield name
    cgroups.stop_slice(name)


def path_of(container):
    """Where the container is, by the hierarchy that systemd keeps its processes in."""
    paths = cgroups.ProcessCgroups(container.pid).paths
    return paths["unified" if cgroups.layout() == "v2" else "name=systemd"]


def default_unit(runtime, container):
    return f"{'runc' if runtime.name == 'runc' else 'kiste'}-{container.id}.scope"


# -- where

def test_without_a_path_it_is_a_scope_of_system_slice(runtime, bundle):
    container = runtime.create(bundle.sleeps())
    unit = default_unit(runtime, container)
    assert path_of(container) == f"/system.slice/{unit}"
    properties = show(unit, "Slice", "Delegate", "ActiveState", "Transient")
    assert properties == {"Slice": "system.slice", "Delegate": "yes", "ActiveState": "active", "Transient": "yes"}


def test_every_hierarchy_has_the_same_place(runtime, bundle):
    container = runtime.create(bundle.sleeps())
    found = cgroups.ProcessCgroups(container.pid)
    for controllers, _ in cgroups.hierarchies():
        if controllers and controllers[0] in found.paths:
            assert found.paths[controllers[0]] == f"/system.slice/{default_unit(runtime, container)}", controllers


def test_the_path_names_slice_prefix_and_name(runtime, bundle, host, slice_name):
    name = host.new_name()
    bundle.linux["cgroupsPath"] = f"{slice_name}:pre:{name}"
    container = runtime.create(bundle.sleeps())
    assert path_of(container) == f"/{slice_name}/pre-{name}.scope"
    container.delete("--force")


def test_a_dash_in_the_slice_is_a_slice_inside(runtime, bundle, host, slice_name):
    inner = slice_name.replace(".slice", "-inner.slice")
    bundle.linux["cgroupsPath"] = f"{inner}:pre:{host.new_name()}"
    container = runtime.create(bundle.sleeps())
    assert path_of(container).startswith(f"/{slice_name}/{inner}/pre-")
    container.delete("--force")


def test_an_empty_slice_is_system_slice(runtime, bundle, host):
    name = host.new_name()
    bundle.linux["cgroupsPath"] = f":pre:{name}"
    assert path_of(runtime.create(bundle.sleeps())) == f"/system.slice/pre-{name}.scope"


@pytest.mark.kiste_only("runc asks for PIDs in a slice, which systemd refuses")
def test_a_name_that_is_a_slice_is_the_unit(runtime, bundle, slice_name):
    inner = slice_name.replace(".slice", "-inner.slice")
    bundle.linux["cgroupsPath"] = f"{slice_name}:ignored:{inner}"
    container = runtime.create(bundle.sleeps())
    assert path_of(container) == f"/{slice_name}/{inner}"
    container.delete("--force")
    assert show(inner, "ActiveState")["ActiveState"] == "inactive"


@pytest.mark.parametrize("path", ["/absolute/path", "name", "a.slice:b", "a.slice:b:c:d", "a/b.slice:c:d", "a--b.slice:c:d"])
def test_another_form_is_refused(runtime, bundle, path):
    bundle.linux["cgroupsPath"] = path
    runtime.refuses_to_run(bundle, "linux.cgroupsPath")


def test_the_cgroup_namespace_begins_at_the_scope(runtime, bundle):
    bundle.namespace("cgroup")
    lines = runtime.output_of(bundle.args("/bin/cat", "/proc/self/cgroup")).splitlines()
    known = [line for line in lines if "misc" not in line and not (cgroups.layout() == "hybrid" and line.startswith("0:"))]
    assert known and all(line.endswith(":/") for line in known), lines


# -- limits

def test_limits_are_in_the_files_and_in_the_properties(runtime, bundle):
    bundle.resources.update(memory={"limit": 64 * MEBI, "reservation": 32 * MEBI}, pids={"limit": 33},
                            cpu={"shares": 512, "quota": 50000, "period": 100000})
    container = runtime.create(bundle.sleeps())
    limits = cgroups.ProcessCgroups(container.pid)
    assert limits.memory_limit() == 64 * MEBI
    assert limits.pids_limit() == "33"
    assert limits.cpu_quota_and_period() == (50000, 100000)
    properties = show(default_unit(runtime, container), "MemoryMax", "MemoryLimit", "TasksMax", "CPUQuotaPerSecUSec", "MemoryLow")
    assert properties["TasksMax"] == "33" and properties["CPUQuotaPerSecUSec"] == "500ms"
    if cgroups.layout() == "v2":
        assert properties["MemoryMax"] == str(64 * MEBI) and properties["MemoryLow"] == str(32 * MEBI)
    else:
        assert properties["MemoryLimit"] == str(64 * MEBI)


def test_a_limit_without_a_property_is_in_its_file(runtime, bundle):
    cgroups.require_controller("hugetlb")
    sizes = [path.name for path in Path("/sys/kernel/mm/hugepages").glob("hugepages-2048kB")]
    if not sizes:
        pytest.skip("this kernel has no huge pages of 2 MB")
    bundle.resources["hugepageLimits"] = [{"pageSize": "2MB", "limit": 4 * MEBI}]
    folder = cgroups.ProcessCgroups(runtime.create(bundle.sleeps()).pid).folder("hugetlb")
    files = [folder / name for name in ("hugetlb.2MB.max", "hugetlb.2MB.limit_in_bytes") if (folder / name).exists()]
    assert [int(file.read_text()) for file in files] == [4 * MEBI]


def test_cpusets_reach_systemd(runtime, bundle):
    if cgroups.layout() != "v2":
        pytest.skip("systemd leaves cpusets alone on cgroup v1")
    bundle.resources["cpu"] = {"cpus": "0", "mems": "0"}
    container = runtime.create(bundle.sleeps())
    assert show(default_unit(runtime, container), "AllowedCPUs", "AllowedMemoryNodes") == {"AllowedCPUs": "0", "AllowedMemoryNodes": "0"}
    assert cgroups.ProcessCgroups(container.pid).cpus() == "0"


def test_the_unified_files_reach_systemd(runtime, bundle):
    if cgroups.layout() != "v2":
        pytest.skip("only cgroup v2 has them")
    bundle.resources["unified"] = {"memory.high": str(48 * MEBI), "pids.max": "44"}
    container = runtime.create(bundle.sleeps())
    assert show(default_unit(runtime, container), "MemoryHigh", "TasksMax") == {"MemoryHigh": str(48 * MEBI), "TasksMax": "44"}
    assert (cgroups.ProcessCgroups(container.pid).folder("memory") / "memory.high").read_text().strip() == str(48 * MEBI)


DEVICES = "head -c1 /dev/zero >/dev/null && echo zero; head -c1 /dev/kmsg >/dev/null 2>&1 || echo no-kmsg"


@pytest.mark.parametrize("reload", [False, True])
def test_devices_are_denied_but_for_the_listed(runtime, bundle, reload):
    """Also after systemd has set its own limits again."""
    bundle.linux["devices"] = [{"path": "/dev/kmsg", "type": "c", "major": 1, "minor": 11, "fileMode": 0o666}]
    container = runtime.create(bundle.sleeps())
    container.start()
    if reload:
        subprocess.run(["systemctl", "daemon-reload"], check=True, timeout=50)
    assert container.sh(DEVICES).split() == ["zero", "no-kmsg"]


@pytest.mark.kiste_only("runc's update leaves devices alone")
@pytest.mark.parametrize("reload", [False, True])
def test_devices_change_by_update(runtime, bundle, ordinary_device, reload):
    """Also after systemd has set its own limits again: wider and narrower lists."""
    container = runtime.run_detached(with_device(bundle, ordinary_device).sleeps())
    rule = dict(zip(("type", "major", "minor"), ("c", *ordinary_device)))
    for access, expected in (("rw", ["read", "write"]), ("r", ["read"]), ("w", ["write"])):
        text = json.dumps({"devices": [{"allow": True, "access": access, **rule}]})
        runtime.ok("update", "--resources", "-", container.id, text=text)
        if reload:
            subprocess.run(["systemctl", "daemon-reload"], check=True, timeout=50)
        assert container.sh(OPENS).split() == expected
        listed = show(default_unit(runtime, container), "DevicePolicy", "DeviceAllow")
        assert listed["DevicePolicy"] == "strict" and access in listed["DeviceAllow"]


@pytest.mark.kiste_only("runc's update leaves devices alone")
@pytest.mark.parametrize("reload", [False, True])
def test_all_devices_are_given_and_taken_by_update(runtime, bundle, ordinary_device, reload):
    container = runtime.run_detached(with_device(bundle, ordinary_device).sleeps())
    for allow, policy, expected in ((True, "auto", ["read", "write"]), (False, "strict", [])):
        runtime.ok("update", "-r", "-", container.id, text=json.dumps({"devices": [{"allow": allow, "access": "rwm"}]}))
        if reload:
            subprocess.run(["systemctl", "daemon-reload"], check=True, timeout=50)
        assert container.sh(OPENS).split() == expected
        assert show(default_unit(runtime, container), "DevicePolicy")["DevicePolicy"] == policy


@pytest.mark.kiste_only("runc's update leaves devices alone")
def test_a_process_keeps_the_default_devices_while_lists_change(runtime, bundle):
    container = runtime.run_detached(bundle.sh("echo begun; while true </dev/null; do :; done"))
    container.says("begun")
    for minor in range(20):
        rule = {"allow": True, "type": "c", "major": 10, "minor": minor, "access": "rw"}
        runtime.ok("update", "-r", "-", container.id, text=json.dumps({"devices": [rule]}))
    assert container.status == "running", container.output


# -- properties by annotation

def test_annotations_set_properties(runtime, bundle):
    bundle.spec["annotations"] = {"org.systemd.property.TimeoutStopUSec": "uint64 123000000",
                                  "org.systemd.property.CollectMode": "'inactive-or-failed'",
                                  "org.systemd.property.Description": '"by annotation"'}
    container = runtime.create(bundle.sleeps())
    properties = show(default_unit(runtime, container), "TimeoutStopUSec", "CollectMode", "Description")
    assert properties == {"TimeoutStopUSec": "2min 3s", "CollectMode": "inactive-or-failed", "Description": "by annotation"}


def test_seconds_in_an_annotation_are_converted(runtime, bundle):
    bundle.spec["annotations"] = {"org.systemd.property.TimeoutStopSec": "uint64 61"}
    container = runtime.create(bundle.sleeps())
    assert show(default_unit(runtime, container), "TimeoutStopUSec")["TimeoutStopUSec"] == "1min 1s"


@pytest.mark.parametrize("name, value", [("TimeoutStopUSec", "'soon"), ("A1", "true"), ("NoSuchProperty", "true")])
def test_wrong_annotations_are_refused(runtime, bundle, name, value):
    bundle.spec["annotations"] = {f"org.systemd.property.{name}": value}
    runtime.refuses_to_run(bundle, name)


# -- the life of a container

def test_run_leaves_no_unit(runtime, bundle):
    result = runtime.run(bundle.sh("exit 3"))
    assert result.code == 3
    if runtime.is_kiste:  # runc has remarks on devices that are not there
        assert result.stderr == ""
    for prefix in ("kiste", "runc"):
        assert not is_loaded(f"{prefix}-{result.id}.scope")


def test_delete_stops_the_unit(runtime, bundle):
    container = runtime.create(bundle.sleeps())
    container.start()
    unit = default_unit(runtime, container)
    folders = cgroups.ProcessCgroups(container.pid).folders()
    container.end()
    assert not is_loaded(unit)
    assert [folder for folder in folders if folder.exists()] == []


def test_delete_needs_no_option(runtime, bundle):
    container = runtime.create(bundle.sleeps())
    unit = default_unit(runtime, container)
    runtime.options.remove("--systemd-cgroup")
    container.delete("--force")
    assert not is_loaded(unit)


def test_the_name_is_free_again_at_once(runtime, bundle):
    container_id = runtime.new_id()
    for code in range(1, 5):
        assert runtime.run(bundle.sh(f"exit {code}"), id=container_id).code == code


def test_a_failed_unit_of_the_name_is_no_obstacle(runtime, bundle, host):
    name = host.new_name()
    unit = f"pre-{name}.scope"
    # A scope whose processes do not leave in time fails.
    stubborn = subprocess.Popen(["systemd-run", "--quiet", "--scope", f"--unit={unit}", "-p", "TimeoutStopSec=1ms",
                                 "/bin/sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"])
    host.commands[stubborn.pid] = stubborn
    try:
        eventually(lambda: is_loaded(unit), "the scope", within=PATIENCE)
        time.sleep(0.3)
        subprocess.run(["systemctl", "stop", unit], check=False, timeout=30, capture_output=True)
        eventually(lambda: show(unit, "ActiveState")["ActiveState"] == "failed", "the scope to fail")
    finally:
        stubborn.kill()
        stubborn.wait()
    bundle.linux["cgroupsPath"] = f":pre:{name}"
    assert runtime.run(bundle.sh("exit 7")).code == 7


def test_a_unit_of_the_name_that_runs_is_left_alone(runtime, bundle, host):
    name = host.new_name()
    unit = f"pre-{name}.scope"
    other = subprocess.Popen(["systemd-run", "--quiet", "--scope", f"--unit={unit}", "/bin/sleep", "1000"])
    host.commands[other.pid] = other
    try:
        eventually(lambda: is_loaded(unit), "the scope", within=PATIENCE)
        eventually(lambda: (cgroups.ROOT / "system.slice" / unit / "cgroup.procs").exists()
                   or cgroups.layout() != "v2", "its cgroup")
        bundle.linux["cgroupsPath"] = f":pre:{name}"
        runtime.refuses_to_run(bundle)
        assert other.poll() is None and show(unit, "ActiveState")["ActiveState"] == "active"
    finally:
        other.kill()
        other.wait()
        eventually(lambda: not is_loaded(unit), "the end of the scope")


def test_a_create_that_fails_leaves_no_unit(runtime, bundle):
    result = runtime.run(bundle.args("/no/such/program"))
    assert result.code != 0
    for prefix in ("kiste", "runc"):
        assert not is_loaded(f"{prefix}-{result.id}.scope")


def test_a_limit_that_the_kernel_refuses_leaves_no_unit(runtime, bundle):
    bundle.resources["cpu"] = {"cpus": "4000"}
    result = runtime.run(bundle)
    runtime.check_refusal(result)
    for prefix in ("kiste", "runc"):
        assert not is_loaded(f"{prefix}-{result.id}.scope")


def test_exec_is_in_the_scope(runtime, bundle):
    container = runtime.create(bundle.sleeps())
    container.start()
    assert default_unit(runtime, container) in container.sh("cat /proc/self/cgroup")


def test_pause_and_resume(runtime, bundle):
    container = runtime.create(bundle.sleeps())
    container.start()
    runtime.ok("pause", container.id)
    assert container.status == "paused"
    runtime.ok("resume", container.id)
    assert container.status == "running"


def test_a_user_namespace_is_no_obstacle(runtime, bundle):
    bundle.own_rootfs()
    bundle.user_namespace()
    bundle.folder.chmod(0o755)
    container = runtime.create(bundle.sleeps())
    assert path_of(container) == f"/system.slice/{default_unit(runtime, container)}"


def test_hooks_find_the_process_in_its_scope(runtime, bundle, workspace):
    script = workspace / "hook"
    script.write_text(f"#!/bin/sh\npid=$(sed 's/.*\"pid\": *\\([0-9]*\\).*/\\1/')\ncat /proc/$pid/cgroup > {workspace}/cgroup\n")
    script.chmod(0o755)
    bundle.hook("createRuntime", str(script))
    container = runtime.create(bundle)
    assert default_unit(runtime, container) in (workspace / "cgroup").read_text()


@pytest.mark.kiste_only("crun's option")
def test_the_option_has_another_name(runtime, bundle):
    runtime.options[runtime.options.index("--systemd-cgroup")] = "--cgroup-manager=systemd"
    container = runtime.create(bundle.sleeps())
    assert path_of(container).startswith("/system.slice/kiste-")


# -- the user's own manager

class User:
    """An ordinary user of this host whose manager runs."""

    def __init__(self, uid, name):
        self.uid, self.name = uid, name

    def options(self, folder="/"):
        environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "USER": self.name,
                       "HOME": str(folder), "XDG_RUNTIME_DIR": f"/run/user/{self.uid}"}
        return {"user": self.uid, "group": pwd.getpwuid(self.uid).pw_gid, "extra_groups": [], "env": environment, "cwd": str(folder)}


class UsersRuntime(Runtime):
    user = None

    def spawn(self, *arguments, **options):
        return super().spawn(*arguments, **{**self.user.options(self.folder), **options})


@pytest.fixture
def user():
    if cgroups.layout() != "v2":
        pytest.skip("an ordinary user's units need cgroup v2 alone")
    for folder in sorted(Path("/run/user").glob("[1-9]*")):
        if (folder / "systemd/private").exists():
            return User(int(folder.name), pwd.getpwuid(int(folder.name)).pw_name)
    pytest.skip("no ordinary user has a manager running (loginctl enable-linger USER)")


@pytest.fixture
def users_runtime(leaves_nothing, program, workspace, host, new_bundle, user):
    runtime = UsersRuntime(program, workspace / "users", host)
    runtime.user = user
    runtime.options.append("--systemd-cgroup")
    runtime.bundle = new_bundle()
    runtime.bundle.own_rootfs()
    bundles.make_rootless(runtime.bundle.spec, user.uid, pwd.getpwuid(user.uid).pw_gid)
    for top in (runtime.folder, runtime.bundle.folder):
        for parent, folders, files in os.walk(top):
            for name in [".", *folders, *files]:
                os.chown(os.path.join(parent, name), user.uid, -1, follow_symlinks=False)
    yield runtime
    problems = runtime.close() + runtime.leftovers()
    assert not problems, "\n".join(problems)


def test_a_users_container_is_a_scope_of_the_users_manager(users_runtime, user):
    runtime = users_runtime
    container = runtime.create(runtime.bundle.sleeps())
    unit = default_unit(runtime, container)
    assert re.fullmatch(rf"/user\.slice/user-{user.uid}\.slice/user@{user.uid}\.service/user\.slice/{re.escape(unit)}", path_of(container))
    assert show(unit, "ActiveState", "Delegate", user=user) == {"ActiveState": "active", "Delegate": "yes"}
    container.delete("--force")
    assert not is_loaded(unit, user=user)


def test_a_users_limits_are_set(users_runtime, user):
    controllers = cgroups.ROOT / f"user.slice/user-{user.uid}.slice/user@{user.uid}.service/cgroup.controllers"
    missing = {"memory", "pids"} - set(controllers.read_text().split())
    if missing:
        pytest.skip(f"the user may not set {', '.join(sorted(missing))}")
    runtime = users_runtime
    runtime.bundle.resources.update(memory={"limit": 64 * MEBI}, pids={"limit": 33})
    limits = cgroups.ProcessCgroups(runtime.create(runtime.bundle.sleeps()).pid)
    assert limits.memory_limit() == 64 * MEBI and limits.pids_limit() == "33"


@pytest.mark.kiste_only("runc 1.1.5 leaves the process where it is")
def test_a_user_execs_from_outside_of_what_is_delegated(users_runtime):
    """These tests are in no cgroup of the user's: systemd has to move the process."""
    runtime = users_runtime
    container = runtime.create(runtime.bundle.sleeps())
    container.start()
    assert default_unit(runtime, container) in container.sh("cat /proc/self/cgroup")


def test_a_users_run_leaves_no_unit(users_runtime, user):
    runtime = users_runtime
    result = runtime.run(runtime.bundle.sh("exit 3"))
    assert result.code == 3, result
    assert not is_loaded(f"kiste-{result.id}.scope", user=user)


@pytest.mark.kiste_only("runc asks the bus, which another user's environment does not lead to")
def test_the_users_bus_is_asked_where_there_is_no_private_socket(users_runtime, user, workspace):
    bus = Path(f"/run/user/{user.uid}/bus")
    if not bus.exists():
        pytest.skip("the user has no message bus (dbus-user-session)")
    runtime, folder = users_runtime, workspace / "run"
    folder.mkdir()
    shutil.chown(folder, user.uid)
    environment = {**user.options()["env"], "XDG_RUNTIME_DIR": str(folder), "DBUS_SESSION_BUS_ADDRESS": f"tcp:host=x;unix:path={bus},guid=0"}
    runtime.bundle.write()
    result = runtime("run", "--bundle", runtime.bundle.sh("cat /proc/self/cgroup").write().folder, runtime.new_id(), env=environment)
    assert result.code == 0 and f"user@{user.uid}.service" in result.stdout, result
