# SPDX-License-Identifier: Apache-2.0
"""Namespaces: new ones, the host's, and those of another container; user namespaces with mappings; time with offsets."""

import os
import stat
from pathlib import Path

import pytest

import cgroups
import kernel

IN_PROC = {"pid": "pid", "network": "net", "mount": "mnt", "ipc": "ipc", "uts": "uts", "user": "user", "cgroup": "cgroup", "time": "time"}


def of_host(kind):
    return os.readlink(f"/proc/self/ns/{IN_PROC[kind]}")


def of_container(runtime, bundle, kind):
    return runtime.output_of(bundle.args("/bin/readlink", f"/proc/self/ns/{IN_PROC[kind]}")).strip()


def namespace_path(container, kind):
    return f"/proc/{container.pid}/ns/{IN_PROC[kind]}"


@pytest.mark.parametrize("kind", ["pid", "network", "mount", "ipc", "uts"])
def test_a_new_namespace_is_not_the_hosts(runtime, bundle, kind):
    assert of_container(runtime, bundle, kind) != of_host(kind)


@pytest.mark.parametrize("kind", ["pid", "network", "ipc", "uts"])
def test_a_namespace_that_is_not_named_is_the_hosts(runtime, bundle, kind):
    bundle.without_namespace(kind).spec.pop("hostname")
    if kind == "network":  # a new sysfs may only be mounted by whom the network namespace belongs to
        bundle.spec["mounts"] = [entry for entry in bundle.spec["mounts"] if not entry["destination"].startswith("/sys")]
    if kind == "ipc":
        bundle.without_mount("/dev/mqueue")
    if kind == "pid" and not kernel.is_root():
        pytest.skip("not root: a new proc needs a pid namespace")
    assert of_container(runtime, bundle, kind) == of_host(kind)


def test_a_new_cgroup_namespace_hides_the_path(runtime, bundle):
    cgroups.require_own()
    kernel.require_namespace("cgroup")
    bundle.namespace("cgroup")
    text = runtime.output_of(bundle.args("/bin/cat", "/proc/self/cgroup"))
    assert {line.split(":", 2)[2] for line in text.splitlines()} == {"/"}


def test_without_a_cgroup_namespace_the_path_shows(runtime, bundle):
    cgroups.require_own()
    result = runtime.run(bundle.args("/bin/cat", "/proc/self/cgroup"))
    assert result.id in result.stdout


def test_the_cgroup_mount_in_a_cgroup_namespace_has_the_container_as_root(runtime, bundle):
    kernel.require_root("rootless containers have no cgroup mount")
    bundle.namespace("cgroup")
    bundle.sh("cat /sys/fs/cgroup/pids/cgroup.procs /sys/fs/cgroup/cgroup.procs 2>/dev/null | grep -c '^1$'")
    assert runtime.output_of(bundle) == "1\n"


def test_a_new_network_has_only_loopback_and_it_is_down_or_up(runtime, bundle):
    text = runtime.output_of(bundle.args("/bin/cat", "/proc/net/dev"))
    assert [line.split(":")[0].strip() for line in text.splitlines()[2:]] == ["lo"]


def test_loopback_works(runtime, bundle):
    assert "LOOPBACK,UP" in runtime.output_of(bundle.args("/bin/ip", "link", "show", "lo"))


def test_a_new_ipc_namespace_has_no_queues_of_the_host(runtime, bundle):
    assert len(runtime.output_of(bundle.args("/bin/cat", "/proc/sysvipc/shm")).splitlines()) == 1


# -- by path

@pytest.fixture
def first(runtime, new_bundle):
    """A container whose namespaces others join."""
    bundle = new_bundle()
    bundle.spec["hostname"] = "first"
    return runtime.run_detached(bundle.capabilities("CAP_SYS_ADMIN").sleeps())


@pytest.mark.parametrize("kind", ["network", "ipc", "uts", "pid"])
def test_a_namespace_of_another_container_is_joined(runtime, bundle, first, kind):
    kernel.require_root("joining needs privilege over the namespace")
    bundle.namespace(kind, namespace_path(first, kind)).spec.pop("hostname")
    assert of_container(runtime, bundle, kind) == os.readlink(namespace_path(first, kind))


def test_containers_that_share_a_network_share_loopback(runtime, bundle, first):
    kernel.require_root("joining needs privilege over the namespace")
    server = first.spawn_exec("/bin/sh", "-c", "echo hello | nc -l -p 8080")
    bundle.namespace("network", namespace_path(first, "network"))
    bundle.sh("for n in $(seq 100); do nc 127.0.0.1 8080 </dev/null && break; sleep 0.02; done")
    result = runtime.run(bundle)
    server.end()
    assert "hello" in result.stdout


def test_containers_that_share_pids_see_each_other(runtime, bundle, first):
    kernel.require_root("joining needs privilege over the namespace")
    bundle.namespace("pid", namespace_path(first, "pid"))
    assert "sleep 1000" in runtime.output_of(bundle.args("/bin/ps"))


def test_the_end_of_one_that_joined_is_not_the_end_of_the_other(runtime, bundle, first):
    kernel.require_root("joining needs privilege over the namespace")
    bundle.namespace("pid", namespace_path(first, "pid"))
    joined = runtime.run_detached(bundle.sh("sleep 1000 & echo ready; wait")).says("ready")
    joined.kill("KILL")
    joined.wait()
    joined.delete("--force")
    assert first.status == "running"


def test_containers_that_share_uts_share_the_hostname(runtime, bundle, first):
    kernel.require_root("joining needs privilege over the namespace")
    bundle.namespace("uts", namespace_path(first, "uts")).spec.pop("hostname")
    assert runtime.output_of(bundle.args("/bin/hostname")) == "first\n"


def test_several_namespaces_are_joined_as_a_pod_does(runtime, bundle, first):
    kernel.require_root("joining needs privilege over the namespace")
    bundle.spec.pop("hostname")
    for kind in ("network", "ipc", "uts"):
        bundle.namespace(kind, namespace_path(first, kind))
    bundle.sh("for name in net ipc uts; do readlink /proc/self/ns/$name; done")
    assert runtime.output_of(bundle).split() == [os.readlink(namespace_path(first, kind)) for kind in ("network", "ipc", "uts")]


def test_a_namespace_that_somebody_mounted_on_a_file_is_joined(runtime, bundle, first, workspace):
    kernel.require_root("the host's mounts can only be made by root")
    file = workspace / "netns"
    file.touch()
    expected = os.readlink(namespace_path(first, "network"))
    kernel.mount(namespace_path(first, "network"), file, flags=kernel.MS_BIND)
    try:
        assert of_container(runtime, bundle.namespace("network", file), "network") == expected
    finally:
        kernel.unmount(file, kernel.MNT_DETACH)


def test_exec_finds_namespaces_that_were_joined(runtime, bundle, first):
    kernel.require_root("joining needs privilege over the namespace")
    bundle.namespace("network", namespace_path(first, "network"))
    container = runtime.run_detached(bundle.sleeps())
    assert container.exec_ok("/bin/readlink", "/proc/self/ns/net").stdout.strip() == os.readlink(namespace_path(first, "network"))


# -- user namespaces

@pytest.fixture
def mapped(bundle):
    kernel.require_root("a mapping of many users")
    kernel.require_namespace("user")
    bundle.own_rootfs()
    return bundle.user_namespace(100000, 65536)


def test_root_inside_is_somebody_else_outside(runtime, mapped):
    container = runtime.run_detached(mapped.sh("id -u; echo ready; sleep 1000")).says("ready")
    assert container.output.split()[0] == "0"
    assert kernel.status_field("Uid", container.pid).split() == ["100000"] * 4


def test_the_mappings_are_the_configs(runtime, mapped):
    mapped.linux["uidMappings"] = [{"containerID": 0, "hostID": 100000, "size": 10}, {"containerID": 10, "hostID": 200000, "size": 5}]
    text = runtime.output_of(mapped.args("/bin/cat", "/proc/self/uid_map", "/proc/self/gid_map"))
    assert [[int(word) for word in line.split()] for line in text.splitlines()] == [[0, 100000, 10], [10, 200000, 5], [0, 100000, 65536]]


def test_another_user_in_a_user_namespace(runtime, mapped):
    mapped.process["user"] = {"uid": 1000, "gid": 1000, "additionalGids": [5]}
    assert runtime.output_of(mapped.sh("id -u; id -G")).split("\n")[:2] == ["1000", "1000 5"]


def test_all_default_mounts_work_in_a_user_namespace(runtime, mapped):
    mapped.sh("ls /proc/1/status /dev/pts/ptmx; ls /sys/class/net; echo data >/dev/shm/x; cat /dev/shm/x")
    assert runtime.output_of(mapped).split() == ["/dev/pts/ptmx", "/proc/1/status", "lo", "data"]


def test_the_default_devices_work_in_a_user_namespace(runtime, mapped):
    mapped.sh("echo x >/dev/null && head -c 2 /dev/zero | wc -c && head -c 8 /dev/urandom | wc -c && stat -c %t:%T /dev/null")
    assert runtime.output_of(mapped).split() == ["2", "8", "1:3"]


@pytest.fixture
def with_own_dev(mapped):
    """The image has a /dev of its own, and a device of the config lies in it."""
    for destination in ("/dev/mqueue", "/dev/shm", "/dev/pts", "/dev"):
        mapped.without_mount(destination)
    os.chown(mapped.rootfs / "dev", 100000, 100000)
    mapped.linux["devices"] = [{"path": "/dev/random", "type": "c", "major": 1, "minor": 8}]
    return mapped.sh("stat -c %t:%T /dev/random")


def test_a_root_file_system_with_mount_points_of_devices_can_be_used_again(runtime, with_own_dev):
    for _ in range(2):
        assert runtime.output_of(with_own_dev) == "1:8\n"
    left = with_own_dev.rootfs / "dev/random"
    assert left.is_file() and left.read_text() == ""
    left.unlink()
    os.mknod(left, 0o600 | stat.S_IFCHR, os.makedev(1, 8))
    os.chown(left, 100000, 100000)
    assert runtime.output_of(with_own_dev) == "1:8\n", "what a container without a user namespace has left"


@pytest.mark.kiste_only("it empties a file that is there, and binds the device over whatever it may open")
@pytest.mark.parametrize("make, words", [
    (lambda path: path.write_text("of the image"), "a regular file"), (Path.mkdir, "a directory"),
    (lambda path: os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 9)), "character device 1:9"),
], ids=["file", "folder", "other-numbers"])
def test_something_else_in_the_place_of_a_bound_device_is_refused(runtime, with_own_dev, make, words):
    make(with_own_dev.rootfs / "dev/random")
    os.chown(with_own_dev.rootfs / "dev/random", 100000, 100000)
    runtime.refuses_to_run(with_own_dev, "/dev/random", f"expected character device 1:8 or an empty file, found {words}")


def test_capabilities_hold_inside_only(runtime, mapped):
    mapped.capabilities("CAP_SYS_ADMIN", "CAP_NET_ADMIN").process["noNewPrivileges"] = False
    mapped.sh("hostname changed && hostname; ip link set lo up && echo lo; mount -t tmpfs x /mnt && echo mounted")
    assert runtime.output_of(mapped).split() == ["changed", "lo", "mounted"]


def test_a_bind_in_a_user_namespace(runtime, mapped, workspace):
    volume = workspace / "volume"
    volume.mkdir()
    os.chown(volume, 100000, 100000)
    mapped.mount("/mnt", "bind", volume, "nosuid", "nodev").sh("touch /mnt/made; stat -c %u /mnt/made")
    assert runtime.output_of(mapped) == "0\n"
    assert (volume / "made").stat().st_uid == 100000


def test_a_new_user_namespace_owns_the_other_new_ones(runtime, mapped):
    mapped.capabilities("CAP_NET_ADMIN")
    assert runtime.run(mapped.sh("ip addr add 10.1.1.1/24 dev lo && ip addr show lo")).stdout.count("10.1.1.1/24") == 1


def test_exec_joins_the_user_namespace(runtime, mapped):
    container = runtime.run_detached(mapped.sleeps())
    assert container.sh("id -u; readlink /proc/self/ns/user").split() == ["0", os.readlink(f"/proc/{container.pid}/ns/user")]


def test_setgroups_in_a_user_namespace_of_root_is_allowed(runtime, mapped):
    assert runtime.output_of(mapped.args("/bin/cat", "/proc/self/setgroups")) == "allow\n"


@pytest.mark.parametrize("repeated", [True, pytest.param(False, marks=pytest.mark.kiste_only("it wants the mappings told again"))])
def test_a_user_namespace_of_another_container_is_joined(runtime, mapped, new_bundle, repeated):
    first = runtime.run_detached(mapped.sleeps())
    second = new_bundle()
    second.own_rootfs()
    if repeated:
        second.user_namespace(100000, 65536)
    second.namespace("user", namespace_path(first, "user")).spec.pop("hostname")
    for kind in ("network", "ipc", "uts"):
        second.namespace(kind, namespace_path(first, kind))
    assert of_container(runtime, second, "user") == os.readlink(namespace_path(first, "user"))


# -- time

@pytest.mark.kiste_only("time namespaces came with runc 1.2")
def test_time_offsets(runtime, bundle):
    kernel.require_root("offsets need CAP_SYS_TIME in the user namespace")
    kernel.require_namespace("time")
    bundle.namespace("time").linux["timeOffsets"] = {"boottime": {"secs": 1000000, "nanosecs": 0}, "monotonic": {"secs": 2000000, "nanosecs": 5}}
    bundle.sh("cat /proc/uptime; cat /proc/self/timens_offsets")
    uptime, *offsets = runtime.output_of(bundle).splitlines()
    host = float(Path("/proc/uptime").read_text().split()[0])
    assert 999_990 < float(uptime.split()[0]) - host < 1_000_100
    assert [line.split() for line in offsets] == [["monotonic", "2000000", "5"], ["boottime", "1000000", "0"]]


@pytest.mark.kiste_only("time namespaces came with runc 1.2")
def test_a_time_namespace_without_offsets(runtime, bundle):
    kernel.require_namespace("time")
    assert of_container(runtime, bundle.namespace("time"), "time") != of_host("time")


@pytest.mark.kiste_only("time namespaces came with runc 1.2")
def test_offsets_without_a_time_namespace_are_refused(runtime, bundle):
    bundle.linux["timeOffsets"] = {"boottime": {"secs": 1}}
    runtime.refuses_to_run(bundle, "timeOffsets")


# -- refused

def test_a_namespace_path_that_is_not_there_is_refused(runtime, bundle):
    bundle.namespace("network", "/nosuch/netns")
    assert "/nosuch/netns" in runtime.refuses_to_run(bundle, "linux.namespaces", "/nosuch/netns").stderr


def test_a_namespace_path_of_another_kind_is_refused(runtime, bundle):
    kernel.require_root("joining needs privilege over the namespace")
    bundle.namespace("network", "/proc/self/ns/uts")
    runtime.refuses_to_run(bundle, "/proc/self/ns/uts")


def test_a_namespace_path_that_is_no_namespace_is_refused(runtime, bundle, workspace):
    (workspace / "file").touch()
    bundle.namespace("network", workspace / "file")
    runtime.refuses_to_run(bundle, workspace / "file")


def test_a_user_namespace_without_mappings_is_refused(runtime, bundle):
    bundle.namespace("user")
    for name in ("uidMappings", "gidMappings"):
        bundle.linux.pop(name, None)
    runtime.refuses_to_run(bundle, "uidMappings")


def test_a_user_that_is_not_mapped_is_refused(runtime, mapped):
    mapped.user_namespace(100000, 10).process["user"] = {"uid": 1000, "gid": 0}
    runtime.refuses_to_run(mapped, "process.user")
