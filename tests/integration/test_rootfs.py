# SPDX-License-Identifier: Apache-2.0
"""The root file system, the names of the container, devices, and the paths that are masked or made read-only."""

import os
import stat
from pathlib import Path

import pytest

import kernel

DEFAULT_DEVICES = {"null": "1:3", "zero": "1:5", "full": "1:7", "random": "1:8", "urandom": "1:9", "tty": "5:0"}
LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2", "ptmx": "pts/ptmx"}


# -- root

def test_the_container_sees_its_own_root_and_nothing_of_the_host(runtime, bundle):
    bundle.sh(f"ls -d {bundle.folder} {runtime.host.folder} 2>/dev/null; ls /")
    assert set(runtime.output_of(bundle).split()) == {path.name for path in bundle.rootfs.iterdir()}


def test_a_writable_root_can_be_written_to(runtime, bundle):
    bundle.own_rootfs()
    runtime.output_of(bundle.sh("echo data >/written"))
    assert (bundle.rootfs / "written").read_text() == "data\n"


def test_a_readonly_root_cannot_be_written_to(runtime, bundle):
    bundle.spec["root"]["readonly"] = True
    result = runtime.run(bundle.sh("echo data >/written"))
    assert result.code != 0 and "Read-only file system" in result.stderr


def test_mounts_in_a_readonly_root_can_still_be_written_to(runtime, bundle):
    bundle.spec["root"]["readonly"] = True
    bundle.mount("/tmp", "tmpfs")
    assert runtime.output_of(bundle.sh("echo data >/tmp/x; echo data >/dev/shm/x; cat /tmp/x /dev/shm/x")) == "data\ndata\n"


def test_a_relative_root_is_relative_to_the_bundle(runtime, bundle):
    bundle.own_rootfs().rename(bundle.folder / "my root")
    bundle.spec["root"]["path"] = "my root"
    assert runtime.output_of(bundle.sh("ls /bin/busybox"), cwd="/") == "/bin/busybox\n"


def test_a_root_through_a_symlink_works_or_is_refused(runtime, bundle):
    bundle.own_rootfs().rename(bundle.folder / "real")
    (bundle.folder / "rootfs").symlink_to("real")
    result = runtime.run(bundle.sh("ls /bin/busybox"))
    if result.code == 0:
        assert result.stdout == "/bin/busybox\n"
    else:
        runtime.check_refusal(result)


def test_the_bundle_may_have_special_characters_in_its_path(runtime, new_bundle, workspace, shared_rootfs):
    bundle = new_bundle()
    bundle.folder = workspace / "with space,comma:colon=ü\\"
    bundle.folder.mkdir()
    bundle.own_rootfs()
    assert runtime.output_of(bundle.sh("echo works")) == "works\n"


def test_proc_shows_only_the_containers_processes(runtime, bundle):
    assert runtime.output_of(bundle.sh("ls -d /proc/[0-9]*")).split()[0] == "/proc/1"
    assert len(runtime.output_of(bundle.sh("ls -d /proc/[0-9]*")).split()) <= 2


def test_the_old_root_is_gone(runtime, bundle):
    text = runtime.output_of(bundle.capabilities("CAP_SYS_ADMIN").args("/bin/cat", "/proc/self/mountinfo"))
    lines = [line.split() for line in text.splitlines()]
    ids = {line[0] for line in lines}
    assert [line[4] for line in lines if line[1] not in ids] == ["/"]


# -- names

def test_hostname(runtime, bundle):
    bundle.spec["hostname"] = "crate.example"
    assert runtime.output_of(bundle.args("/bin/hostname")) == "crate.example\n"


def test_the_hosts_name_stays(runtime, bundle):
    bundle.capabilities("CAP_SYS_ADMIN").sh("hostname changed; hostname")
    before = os.uname().nodename
    assert runtime.output_of(bundle) == "changed\n"
    assert os.uname().nodename == before


@pytest.mark.kiste_only("domainname came with specification 1.1, after runc 1.1.5")
def test_domainname(runtime, bundle):
    bundle.spec["domainname"] = "domain.example"
    assert runtime.output_of(bundle.args("/bin/cat", "/proc/sys/kernel/domainname")) == "domain.example\n"


def test_hostname_needs_a_uts_namespace(runtime, bundle):
    bundle.without_namespace("uts")
    runtime.refuses_to_run(bundle, "hostname")


# -- devices

def device(runtime, bundle, path):
    """(kind and mode, major:minor in decimal, owner, group)"""
    text = runtime.output_of(bundle.sh(f"stat -c '%F|%a|%t:%T|%u|%g' {path}"))
    kind, mode, numbers, owner, group = text.strip().split("|")
    return kind, mode, ":".join(str(int(number, 16)) for number in numbers.split(":")), int(owner), int(group)


def test_the_default_devices_are_there(runtime, bundle):
    bundle.sh("for name in null zero full random urandom tty; do stat -c '%n %F %a %t:%T' /dev/$name; done")
    found = {line.split()[0][5:]: line.split()[1:] for line in runtime.output_of(bundle).splitlines()}
    assert set(found) == set(DEFAULT_DEVICES)
    for name, words in found.items():
        assert words[:2] == ["character", "special"] and words[3] == "666" and words[4] == DEFAULT_DEVICES[name]


def test_the_default_devices_work(runtime, bundle):
    script = "echo x >/dev/null; head -c 3 /dev/zero | od -An -tx1; head -c 8 /dev/urandom | wc -c; echo x >/dev/full; echo $?"
    result = runtime.run(bundle.sh(script))
    assert result.stdout.split() == ["00", "00", "00", "8", "1"]


def test_the_default_links_are_there(runtime, bundle):
    output = runtime.output_of(bundle.sh("for name in fd stdin stdout stderr ptmx; do echo $name $(readlink /dev/$name); done"))
    assert dict(line.split() for line in output.splitlines()) == LINKS


def test_nothing_else_is_in_dev(runtime, bundle):
    names = set(runtime.output_of(bundle.args("/bin/ls", "/dev")).split())
    assert names - {"core"} == {*DEFAULT_DEVICES, *LINKS, "mqueue", "pts", "shm"}


@pytest.mark.parametrize("kind, numbers, expected", [("c", (10, 229), "character special file"), ("b", (7, 99), "block special file")])
def test_a_device_of_the_config_is_made(runtime, bundle, kind, numbers, expected):
    kernel.require_root("devices can only be made by root")
    entry = {"path": "/dev/mine", "type": kind, "major": numbers[0], "minor": numbers[1], "fileMode": 0o640, "uid": 12, "gid": 34}
    bundle.linux["devices"] = [entry]
    assert device(runtime, bundle, "/dev/mine") == (expected, "640", f"{numbers[0]}:{numbers[1]}", 12, 34)


def test_a_fifo_of_the_config_is_made(runtime, bundle):
    kernel.require_root("devices can only be made by root")
    bundle.linux["devices"] = [{"path": "/dev/queue", "type": "p", "fileMode": 0o600}]
    assert device(runtime, bundle, "/dev/queue")[:2] == ("fifo", "600")


def test_a_device_in_a_folder_that_is_not_there(runtime, bundle):
    kernel.require_root("devices can only be made by root")
    bundle.linux["devices"] = [{"path": "/dev/net/tun", "type": "c", "major": 10, "minor": 200, "fileMode": 0o666}]
    assert device(runtime, bundle, "/dev/net/tun")[2] == "10:200"


def test_the_mode_of_a_device_does_not_depend_on_the_umask(runtime, bundle):
    kernel.require_root("devices can only be made by root")
    bundle.linux["devices"] = [{"path": "/dev/mine", "type": "c", "major": 1, "minor": 3, "fileMode": 0o666}]
    prefix = ["sh", "-c", 'umask 0077; exec "$@"', "sh"]
    assert runtime.run(bundle.sh("stat -c %a /dev/mine"), prefix=prefix).stdout == "666\n"


def somewhere(bundle):
    """A place for a device that is the image's own, as /dev is where nothing is mounted on it; and the entry for it."""
    kernel.require_root("devices can only be made by root")
    bundle.linux["devices"] = [{"path": "/mine", "type": "c", "major": 10, "minor": 229, "fileMode": 0o640, "uid": 12, "gid": 34}]
    return bundle.own_rootfs() / "mine"


@pytest.mark.kiste_only("it passes over whatever is there")
@pytest.mark.parametrize("make, words", [
    (lambda path: path.write_text("of the image"), "a regular file"),
    (Path.touch, "a regular file"),
    (Path.mkdir, "a directory"),
    (os.mkfifo, "a FIFO"),
    (lambda path: os.mknod(path, 0o666 | stat.S_IFSOCK), "a socket"),
    (lambda path: os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(10, 230)), "character device 10:230"),
    (lambda path: os.mknod(path, 0o666 | stat.S_IFBLK, os.makedev(10, 229)), "block device 10:229"),
    (lambda path: path.symlink_to("bin/busybox"), "a regular file"),
    (lambda path: path.symlink_to("nothing"), "a symbolic link that leads nowhere"),
    (lambda path: path.symlink_to("mine"), "a symbolic link that leads nowhere"),
], ids=["file", "empty-file", "folder", "fifo", "socket", "other-numbers", "block", "link-to-a-file", "link-to-nothing", "link-to-itself"])
def test_something_else_in_the_place_of_a_device_is_refused(runtime, bundle, make, words):
    place = somewhere(bundle)
    make(place)
    before = place.lstat()
    runtime.refuses_to_run(bundle, "/mine", f"expected character device 10:229, found {words}")
    assert (place.lstat().st_ino, place.lstat().st_ctime_ns) == (before.st_ino, before.st_ctime_ns)


def test_a_device_that_is_there_already_is_taken_as_it_is(runtime, bundle):
    """Owner and mode stay: it may be the host's own, in a volume."""
    place = somewhere(bundle)
    os.mknod(place, 0o600 | stat.S_IFCHR, os.makedev(10, 229))
    assert device(runtime, bundle, "/mine") == ("character special file", "600", "10:229", 0, 0)
    place.rename(bundle.rootfs / "other")
    place.symlink_to("/other")
    assert device(runtime, bundle, "/other") == ("character special file", "600", "10:229", 0, 0)


def test_a_root_file_system_with_a_device_of_the_config_can_be_used_again(runtime, bundle):
    place = somewhere(bundle)
    for _ in range(2):
        assert device(runtime, bundle, "/mine") == ("character special file", "640", "10:229", 12, 34)
    place.unlink()
    bundle.linux["devices"] = [{"path": "/mine", "type": "p"}]
    for _ in range(2):
        assert device(runtime, bundle, "/mine")[0] == "fifo"


def test_a_mount_on_the_path_of_a_device_is_what_is_there(runtime, bundle):
    """As of `docker run --privileged -v /dev/zero:/dev/kmsg`, which lists every device of the host."""
    kernel.require_root("devices can only be made by root")
    bundle.linux["devices"] = [{"path": "/dev/mine", "type": "c", "major": 10, "minor": 229}]
    bundle.mount("/dev/mine", "bind", "/dev/zero")
    assert device(runtime, bundle, "/dev/mine")[2] == "1:5"


def test_a_device_of_an_unknown_kind_is_refused(runtime, bundle):
    kernel.require_root("devices can only be made by root")
    bundle.linux["devices"] = [{"path": "/dev/mine", "type": "x", "major": 1, "minor": 3}]
    runtime.refuses_to_run(bundle, "linux.devices", "x")


# -- masked and read-only paths

def test_a_masked_file_is_empty_and_stays_so(runtime, bundle):
    (bundle.own_rootfs() / "etc/secret").write_text("secret")
    bundle.linux["maskedPaths"] = ["/etc/secret"]
    assert runtime.output_of(bundle.sh("cat /etc/secret; echo try >/etc/secret; cat /etc/secret")) == ""
    assert (bundle.rootfs / "etc/secret").read_text() == "secret"


def test_a_masked_folder_is_empty_and_read_only(runtime, bundle):
    folder = bundle.own_rootfs() / "secrets"
    folder.mkdir()
    (folder / "key").write_text("secret")
    bundle.linux["maskedPaths"] = ["/secrets"]
    result = runtime.run(bundle.sh("ls -A /secrets; touch /secrets/new"))
    assert result.stdout == "" and "Read-only" in result.stderr


def test_a_masked_path_that_is_not_there_is_skipped(runtime, bundle):
    bundle.linux["maskedPaths"] = ["/nosuch/path", "/proc/nosuch"]
    runtime.output_of(bundle.sh("! [ -e /nosuch ]"))


def test_what_the_host_shows_in_proc_is_masked(runtime, bundle):
    script = "for path in /proc/keys /proc/timer_list /proc/kcore; do [ -e $path ] && wc -c <$path; done; ls -A /sys/firmware; true"
    assert set(runtime.output_of(bundle.sh(script)).split()) <= {"0"}


def test_a_readonly_path_cannot_be_written_to(runtime, bundle):
    (bundle.own_rootfs() / "etc/fixed").write_text("fixed")
    bundle.linux["readonlyPaths"] = ["/etc/fixed", "/var"]
    result = runtime.run(bundle.sh("cat /etc/fixed; echo x >/etc/fixed; touch /var/x"))
    assert result.stdout == "fixed" and result.stderr.count("Read-only file system") == 2


def test_a_readonly_path_covers_what_is_mounted_below(runtime, bundle):
    bundle.mount("/var/lib", "tmpfs").linux["readonlyPaths"] = ["/var"]
    result = runtime.run(bundle.sh("touch /var/x; touch /var/lib/y"))
    assert "/var/x: Read-only file system" in result.stderr


def test_a_readonly_path_that_is_not_there_is_skipped(runtime, bundle):
    bundle.linux["readonlyPaths"] = ["/nosuch/path"]
    runtime.output_of(bundle)


def test_a_readonly_path_keeps_the_other_flags_of_its_mount(runtime, bundle):
    bundle.mount("/srv", "tmpfs", "tmpfs", "nosuid", "nodev", "noexec").linux["readonlyPaths"] = ["/srv"]
    options = [line.split()[5] for line in runtime.output_of(bundle.args("/bin/cat", "/proc/self/mountinfo")).splitlines()
               if line.split()[4] == "/srv"][-1]
    assert {"ro", "nosuid", "nodev", "noexec"} <= set(options.split(","))


def test_proc_sys_is_read_only(runtime, bundle):
    result = runtime.run(bundle.capabilities("CAP_SYS_ADMIN").sh("echo other >/proc/sys/kernel/hostname; hostname"))
    assert result.stdout == "kiste\n" and "Read-only" in result.stderr


# -- sysctl

@pytest.mark.parametrize("name, value", [("net.ipv4.ip_forward", "1"), ("net.ipv4.ping_group_range", "0 7"), ("kernel.msgmax", "4096"),
                                         ("kernel.shm_rmid_forced", "1"), ("fs.mqueue.msg_max", "7"), ("net.ipv4.ip_unprivileged_port_start", "81")])
def test_a_sysctl_of_a_namespace_is_set_inside_and_not_outside(runtime, bundle, name, value):
    kernel.require_root("these belong to root")
    path = "/proc/sys/" + name.replace(".", "/")
    kernel.require_file(path, "the kernel has no such sysctl")
    before = Path(path).read_text()
    bundle.linux["sysctl"] = {name: value}
    assert runtime.output_of(bundle.args("/bin/cat", path)).split() == value.split()
    assert Path(path).read_text() == before


@pytest.mark.kiste_only("it knows none of a user namespace")
def test_a_sysctl_of_a_user_namespace_is_set_inside_and_not_outside(runtime, bundle):
    """What may be made of namespaces there."""
    path = Path("/proc/sys/user/max_net_namespaces")
    before = path.read_text()
    bundle.linux["sysctl"] = {"user.max_net_namespaces": "7"}
    if kernel.is_root():
        assert "user.max_net_namespaces" in runtime.refuses_to_run(bundle, "sysctl").stderr
        bundle.user_namespace()
    assert runtime.output_of(bundle.args("/bin/cat", str(path))) == "7\n"
    assert path.read_text() == before


def test_a_sysctl_of_the_uts_namespace(runtime, bundle):
    kernel.require_root("this belongs to root")
    bundle.linux["sysctl"] = {"kernel.domainname": "set.example"}
    assert runtime.output_of(bundle.args("/bin/cat", "/proc/sys/kernel/domainname")) == "set.example\n"


@pytest.mark.parametrize("name", ["kernel.panic", "vm.swappiness", "kernel.core_pattern", "fs.file-max", "kernel.printk_ratelimit_burst"])
def test_a_sysctl_of_the_host_is_refused(runtime, bundle, name):
    path = "/proc/sys/" + name.replace(".", "/")
    before = Path(path).read_text()
    bundle.linux["sysctl"] = {name: before.strip()}
    assert name in runtime.refuses_to_run(bundle, "sysctl", name).stderr


@pytest.mark.parametrize("name, namespace", [("net.ipv4.ip_forward", "network"), ("kernel.shmmax", "ipc"), ("kernel.domainname", "uts")])
def test_a_sysctl_without_its_namespace_is_refused(runtime, bundle, name, namespace):
    value = Path("/proc/sys/", name.replace(".", "/")).read_text().strip()
    bundle.without_namespace(namespace).spec.pop("hostname")
    bundle.linux["sysctl"] = {name: value}
    assert name in runtime.refuses_to_run(bundle, "sysctl", name).stderr


def test_a_sysctl_that_is_not_there_is_refused(runtime, bundle):
    bundle.linux["sysctl"] = {"net.ipv4.nosuch": "1"}
    assert "nosuch" in runtime.refuses_to_run(bundle, "sysctl").stderr
