# SPDX-License-Identifier: Apache-2.0
"""mounts of config.json: file systems, binds, every option, and destinations that must be made first."""

import os
from pathlib import Path

import pytest

import cgroups
import kernel
import mount_table
from mount_table import MOUNTINFO, mounted


@pytest.fixture
def volume_tree(volume):
    """A folder of the host with a tmpfs mounted in it."""
    kernel.require_root("the host's mounts can only be made by root")
    inner = volume / "inner"
    inner.mkdir()
    kernel.mount("inner", inner, "tmpfs")
    yield volume
    kernel.unmount(inner, kernel.MNT_DETACH)


# -- the default mounts

@pytest.mark.parametrize("path, kind, options", [
    ("/proc", "proc", set()), ("/dev", "tmpfs", {"nosuid"}), ("/dev/pts", "devpts", {"nosuid", "noexec"}),
    ("/dev/shm", "tmpfs", {"nosuid", "noexec", "nodev"}), ("/dev/mqueue", "mqueue", {"nosuid", "noexec", "nodev"}),
    ("/sys", "sysfs", {"ro", "nosuid", "noexec", "nodev"})])
def test_a_default_mount_is_there(runtime, bundle, path, kind, options):
    entry = mounted(runtime, bundle, path)
    assert entry.kind == kind and options <= entry.options


def test_data_of_the_file_system_is_passed(runtime, bundle):
    bundle.mount("/mnt", "tmpfs", "my-source", "size=1024k", "mode=0710", "nr_inodes=77")
    entry = mounted(runtime, bundle, "/mnt")
    assert {"size=1024k", "mode=710", "nr_inodes=77"} <= entry.super_options
    assert entry.source == "my-source"


def test_dev_shm_can_be_used(runtime, bundle):
    assert runtime.output_of(bundle.sh("stat -c %a /dev/shm; echo data >/dev/shm/x; cat /dev/shm/x; df -k /dev/shm | awk 'NR==2{print $2}'")) \
        == "1777\ndata\n65536\n"


def test_devpts_is_a_new_instance_with_its_own_ptmx(runtime, bundle):
    assert runtime.output_of(bundle.sh("ls /dev/pts; stat -c %a /dev/pts/ptmx")).split() == ["ptmx", "666"]


def test_sysfs_shows_the_containers_network(runtime, bundle):
    assert runtime.output_of(bundle.args("/bin/ls", "/sys/class/net")).split() == ["lo"]


def test_the_cgroup_mount_shows_the_containers_own_cgroup(runtime, bundle):
    kernel.require_root("rootless containers have no cgroup mount")
    bundle.capabilities("CAP_DAC_OVERRIDE").sh("cat /sys/fs/cgroup/pids/cgroup.procs /sys/fs/cgroup/cgroup.procs 2>/dev/null | wc -l;"
                                               "mkdir /sys/fs/cgroup/pids/x || mkdir /sys/fs/cgroup/x")
    result = runtime.run(bundle)
    assert 0 < int(result.lines[0]) < 10
    if cgroups.layout() == "v2":
        assert "Read-only" in result.stderr
    else:
        assert result.stderr.startswith("mkdir: can't create directory '/sys/fs/cgroup/pids/x': Read-only")


def test_the_cgroup_mount_has_a_folder_for_each_controller(runtime, bundle):
    cgroups.require_v1("v2 has one tree")
    kernel.require_root("rootless containers have no cgroup mount")
    names = set(runtime.output_of(bundle.args("/bin/ls", "/sys/fs/cgroup")).split())
    wanted = {path.name for controllers, path in cgroups.hierarchies() if controllers}
    assert wanted <= names


# -- options

FLAGS = {"ro": "ro", "nosuid": "nosuid", "nodev": "nodev", "noexec": "noexec", "noatime": "noatime", "nodiratime": "nodiratime",
         "relatime": "relatime", "rw": "rw"}


@pytest.mark.parametrize("option", FLAGS)
def test_an_option_of_a_new_file_system(runtime, bundle, option):
    assert FLAGS[option] in mounted(runtime, bundle.mount("/mnt", "tmpfs", "tmpfs", option), "/mnt").options


@pytest.mark.parametrize("option", FLAGS)
def test_an_option_of_a_bind_mount(runtime, bundle, volume, option):
    if "atime" in option:
        kernel.require_root("a user namespace may not change how the host's mounts keep access times")
    assert FLAGS[option] in mounted(runtime, bundle.mount("/mnt", "bind", volume, option), "/mnt").options


@pytest.mark.parametrize("kind", ["tmpfs", "bind"])
def test_strictatime_is_the_absence_of_the_others(runtime, bundle, volume, kind):
    kernel.require_root("a user namespace may not change how the host's mounts keep access times")
    options = mounted(runtime, bundle.mount("/mnt", kind, volume, "strictatime"), "/mnt").options
    assert not {"relatime", "noatime"} & options


@pytest.mark.parametrize("option, expected", [("sync", "sync"), ("dirsync", "dirsync")])
def test_an_option_of_the_super_block(runtime, bundle, option, expected):
    kernel.require_root("a user namespace may not set it")
    assert expected in mounted(runtime, bundle.mount("/mnt", "tmpfs", "tmpfs", option), "/mnt").super_options


def test_lazytime(runtime, bundle):
    kernel.require_root("a user namespace may not set it")
    assert "lazytime" in mounted(runtime, bundle.mount("/mnt", "tmpfs", "tmpfs", "lazytime"), "/mnt").super_options


def test_nosymfollow(runtime, bundle):
    assert "nosymfollow" in mounted(runtime, bundle.mount("/mnt", "tmpfs", "tmpfs", "nosymfollow"), "/mnt").options


@pytest.mark.parametrize("option", [
    "suid", "dev", "exec", "atime", "diratime", "async", "norelatime", "nostrictatime", "mand", "nomand", "iversion", "noiversion",
    "silent", "loud", "nolazytime", "symfollow"])
@pytest.mark.parametrize("kind", ["tmpfs", "bind"])
def test_an_option_that_leaves_no_trace_is_taken(runtime, bundle, volume, kind, option):
    runtime.output_of(bundle.mount("/mnt", kind, volume, option))


@pytest.mark.kiste_only("it hands defaults to the file system as data")
def test_defaults_is_taken(runtime, bundle):
    runtime.output_of(bundle.mount("/mnt", "tmpfs", "tmpfs", "defaults"))


def test_remount_changes_a_mount_that_is_there(runtime, bundle):
    bundle.mount("/mnt", "tmpfs", "tmpfs", "nosuid").mount("/mnt", "tmpfs", "tmpfs", "remount", "ro", "size=512k")
    text = runtime.output_of(bundle.args(*MOUNTINFO))
    (entry,) = [entry for entry in mount_table.parse(text) if entry.path == "/mnt"]
    assert "ro" in entry.options and "size=512k" in entry.super_options


@pytest.mark.parametrize("options, expected, absent", [
    (["ro", "rw"], "rw", "ro"), (["rw", "ro"], "ro", "rw"), (["nosuid", "suid"], None, "nosuid"), (["noexec", "exec"], None, "noexec"),
    (["nodev", "dev"], None, "nodev")], ids=lambda value: "-".join(value) if isinstance(value, list) else "")
def test_the_last_of_two_options_wins(runtime, bundle, options, expected, absent):
    found = mounted(runtime, bundle.mount("/mnt", "tmpfs", "tmpfs", *options), "/mnt").options
    assert absent not in found and (not expected or expected in found)


def test_noexec_works(runtime, bundle):
    bundle.mount("/mnt", "tmpfs", "tmpfs", "noexec").sh("cp /bin/busybox /mnt/busybox; /mnt/busybox true")
    assert "Permission denied" in runtime.run(bundle).stderr


def test_nodev_works(runtime, bundle):
    kernel.require_root("devices can only be made by root")
    bundle.capabilities("CAP_MKNOD").resources["devices"] = [{"allow": True, "access": "rwm"}]
    bundle.mount("/mnt", "tmpfs", "tmpfs", "nodev").sh("mknod /mnt/null c 1 3; echo x >/mnt/null")
    assert "Permission denied" in runtime.run(bundle).stderr


def test_a_file_system_can_be_mounted_with_options_of_its_own(runtime, bundle, workspace):
    kernel.require_root("overlay")
    kernel.require_filesystem("overlay")
    for name in ("lower", "upper", "work"):
        (workspace / name).mkdir()
    (workspace / "lower/file").write_text("below\n")
    options = [f"{key}dir={workspace}/{name}" for key, name in (("lower", "lower"), ("upper", "upper"), ("work", "work"))]
    bundle.mount("/mnt", "overlay", "overlay", *options).sh("cat /mnt/file; echo above >/mnt/file")
    assert runtime.output_of(bundle) == "below\n"
    assert (workspace / "upper/file").read_text() == "above\n"
    assert (workspace / "lower/file").read_text() == "below\n"


def test_tmpcopyup_copies_what_is_below(runtime, bundle):
    etc = bundle.own_rootfs() / "etc"
    (etc / "link").symlink_to("passwd")
    (etc / "private").mkdir(mode=0o700)
    (etc / "private/file").write_text("in a folder\n")
    bundle.mount("/etc", "tmpfs", "tmpfs", "tmpcopyup").sh(
        "head -n 1 /etc/passwd; readlink /etc/link; cat /etc/private/file; stat -c %a /etc/private; echo new >/etc/new")
    assert runtime.output_of(bundle).split("\n")[:-1] == ["root:x:0:0:root:/root:/bin/sh", "passwd", "in a folder", "700"]
    assert not (etc / "new").exists()


def test_a_readonly_tmpfs_with_tmpcopyup(runtime, bundle):
    bundle.mount("/etc", "tmpfs", "tmpfs", "ro", "tmpcopyup").sh("head -c 4 /etc/passwd; touch /etc/x")
    result = runtime.run(bundle)
    assert result.stdout == "root" and "Read-only" in result.stderr


# -- binds

def test_a_bind_shows_a_folder_of_the_host(runtime, bundle, volume):
    bundle.mount("/mnt", "bind", volume).sh("cat /mnt/file; echo back >/mnt/back")
    assert runtime.output_of(bundle) == "from the host\n"
    assert (volume / "back").read_text() == "back\n"


def test_a_bind_may_have_any_type_or_none(runtime, bundle, volume):
    bundle.spec["mounts"] += [{"destination": "/mnt", "source": str(volume), "options": ["bind"]},
                              {"destination": "/srv", "source": str(volume), "type": "none", "options": ["rbind"]}]
    assert runtime.output_of(bundle.sh("cat /mnt/file /srv/file")) == "from the host\n" * 2


def test_a_readonly_bind_cannot_be_written_to(runtime, bundle, volume):
    bundle.mount("/mnt", "bind", volume, "ro").sh("cat /mnt/file; touch /mnt/x")
    result = runtime.run(bundle)
    assert result.stdout == "from the host\n" and "Read-only" in result.stderr
    assert os.listdir(volume) == ["file"]


def test_a_file_can_be_bound(runtime, bundle, volume):
    bundle.mount("/etc/hostname", "bind", volume / "file").sh("cat /etc/hostname")
    assert runtime.output_of(bundle) == "from the host\n"


def test_a_file_can_be_bound_where_there_was_none(runtime, bundle, volume):
    bundle.own_rootfs()
    bundle.mount("/made/here/file", "bind", volume / "file").sh("cat /made/here/file")
    assert runtime.output_of(bundle) == "from the host\n"


def test_a_socket_can_be_bound(runtime, bundle, workspace):
    import socket
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(workspace / "socket"))
        bundle.own_rootfs()
        bundle.mount("/run/socket", "bind", workspace / "socket").sh("stat -c %F /run/socket")
        assert runtime.output_of(bundle) == "socket\n"


def test_a_device_can_be_bound(runtime, bundle):
    bundle.mount("/dev/bound", "bind", "/dev/null").sh("echo x >/dev/bound; stat -c %F /dev/bound")
    assert runtime.output_of(bundle) == "character special file\n"


def test_a_relative_source_is_relative_to_the_bundle(runtime, bundle):
    (bundle.folder / "data").mkdir()
    (bundle.folder / "data/file").write_text("of the bundle\n")
    bundle.mount("/mnt", "bind", "data").sh("cat /mnt/file")
    assert runtime.output_of(bundle, cwd="/") == "of the bundle\n"


def test_a_bind_without_recursion_leaves_out_what_is_mounted_below(runtime, bundle, volume_tree):
    (volume_tree / "inner/deep").write_text("x")
    bundle.mount("/mnt", "bind", volume_tree, "bind").sh("ls -A /mnt/inner")
    assert runtime.output_of(bundle) == ""


def test_a_recursive_bind_takes_what_is_mounted_below(runtime, bundle, volume_tree):
    (volume_tree / "inner/deep").write_text("deep\n")
    bundle.mount("/mnt", "bind", volume_tree, "rbind").sh("cat /mnt/inner/deep")
    assert runtime.output_of(bundle) == "deep\n"


def test_ro_of_a_recursive_bind_leaves_what_is_below_writable(runtime, bundle, volume_tree):
    bundle.mount("/mnt", "bind", volume_tree, "rbind", "ro").sh("touch /mnt/x; touch /mnt/inner/x")
    assert runtime.run(bundle).stderr.count("Read-only") == 1


RECURSIVE = {"rro": "ro", "rnosuid": "nosuid", "rnodev": "nodev", "rnoexec": "noexec", "rnoatime": "noatime", "rnodiratime": "nodiratime",
             "rrelatime": "relatime", "rnosymfollow": "nosymfollow"}


@pytest.mark.parametrize("option", RECURSIVE)
def test_a_recursive_option_holds_for_what_is_below(runtime, bundle, volume_tree, option):
    bundle.mount("/mnt", "bind", volume_tree, "rbind", option)
    text = runtime.output_of(bundle.args(*MOUNTINFO))
    assert RECURSIVE[option] in mount_table.on("/mnt", text).options
    assert RECURSIVE[option] in mount_table.on("/mnt/inner", text).options


WRONG_ATTRIBUTES = pytest.mark.kiste_only("it asks mount_setattr to clear one of the atime bits, which the kernel takes only whole: EINVAL")


@pytest.mark.parametrize("option, absent", [("rrw", "ro"), ("rsuid", "nosuid"), ("rdev", "nodev"), ("rexec", "noexec"),
                                            ("rstrictatime", "relatime"), ("rdiratime", "nodiratime"), ("rnorelatime", "noatime"),
                                            ("rsymfollow", "nosymfollow"), pytest.param("ratime", "noatime", marks=WRONG_ATTRIBUTES),
                                            pytest.param("rnostrictatime", "noatime", marks=WRONG_ATTRIBUTES)])
def test_a_recursive_option_takes_another_one_back(runtime, bundle, volume_tree, option, absent):
    bundle.mount("/mnt", "bind", volume_tree, "rbind", option)
    assert absent not in mount_table.on("/mnt/inner", runtime.output_of(bundle.args(*MOUNTINFO))).options


def test_the_flags_of_the_host_are_kept_by_a_bind(runtime, bundle, volume):
    """A remount must name the flags that are there already, or it drops them."""
    kernel.require_root("the host's mounts can only be made by root")
    kernel.mount("locked", volume, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
    try:
        options = mounted(runtime, bundle.mount("/mnt", "bind", volume), "/mnt").options
    finally:
        kernel.unmount(volume)
    assert {"nosuid", "nodev", "noexec"} <= options


# -- destinations

def test_a_destination_that_is_not_there_is_made(runtime, bundle):
    bundle.own_rootfs()
    bundle.mount("/made/deep/here", "tmpfs").sh("touch /made/deep/here/x; stat -c %a /made/deep")
    assert runtime.output_of(bundle) == "755\n"


def test_mounts_are_made_in_order_and_may_stand_in_each_other(runtime, bundle, volume):
    bundle.mount("/mnt", "tmpfs").mount("/mnt/a", "bind", volume).mount("/mnt/b", "tmpfs").mount("/mnt/b/c", "bind", volume / "file")
    (volume / "sub").mkdir()
    assert runtime.output_of(bundle.sh("cat /mnt/a/file /mnt/b/c; ls /mnt")).split("\n")[:-1] == ["from the host"] * 2 + ["a", "b"]


def test_a_later_mount_covers_an_earlier_one(runtime, bundle, volume):
    bundle.mount("/mnt", "bind", volume).mount("/mnt", "tmpfs").sh("ls -A /mnt")
    assert runtime.output_of(bundle) == ""


@pytest.mark.kiste_only("it makes what lies on top read-only")
def test_a_mount_over_a_readonly_one_has_its_own_options(runtime, bundle, volume):
    """What becomes read-only at the end is the mount that was asked to, wherever it lies by then."""
    bundle.mount("/dev/mine", "tmpfs", "tmpfs", "ro").mount("/dev/mine/in", "bind", volume).mount("/dev/mine", "tmpfs", "tmpfs", "rw", "size=64k")
    text = runtime.output_of(bundle.args(*MOUNTINFO))
    below, above = [entry for entry in mount_table.parse(text) if entry.path == "/dev/mine"]
    assert "ro" in below.options and "rw" in above.options and "size=64k" in above.super_options


@pytest.mark.kiste_only("it makes what lies on top read-only")
def test_a_bind_over_a_readonly_tmpfs_stays_writable(runtime, bundle, volume):
    bundle.mount("/mnt", "tmpfs", "tmpfs", "ro").mount("/mnt", "bind", volume, "rw").sh("echo back >/mnt/back")
    runtime.output_of(bundle)
    assert (volume / "back").read_text() == "back\n"


@pytest.mark.parametrize("destination", ["/sys/fs/cgroup", "/sys"])
def test_a_mount_over_the_cgroups_has_its_own_options(runtime, bundle, destination):
    kernel.require_root("rootless containers have no cgroup mount")
    entry = mounted(runtime, bundle.mount(destination, "tmpfs", "mine", "rw"), destination)
    assert (entry.kind, entry.source) == ("tmpfs", "mine") and "rw" in entry.options


def test_a_destination_through_a_symlink_stays_in_the_root(runtime, bundle, workspace, volume):
    """An absolute link in the root file system means a path in the root file system."""
    outside = workspace / "outside"
    outside.mkdir()
    rootfs = bundle.own_rootfs()
    (rootfs / "link").symlink_to(outside)
    (rootfs / "up").symlink_to("../../../../../../../../srv")
    bundle.mount("/link", "bind", volume).mount("/up", "bind", volume).sh(f"cat {outside}/file /srv/file")
    assert runtime.output_of(bundle) == "from the host\n" * 2
    assert os.listdir(outside) == []


def test_a_destination_with_dots_stays_in_the_root(runtime, bundle, volume):
    bundle.mount("/../../../mnt", "bind", volume).sh("cat /mnt/file")
    assert runtime.output_of(bundle) == "from the host\n"


def test_a_destination_may_be_relative_to_the_root(runtime, bundle, volume):
    """Deprecated by the specification, and still taken."""
    bundle.mount("mnt", "bind", volume).sh("cat /mnt/file")
    assert runtime.output_of(bundle) == "from the host\n"


def test_a_destination_with_special_characters(runtime, bundle, volume):
    bundle.own_rootfs()
    bundle.mount("/with space,comma=ü\\", "bind", volume).sh("cat '/with space,comma=ü\\/file'")
    assert runtime.output_of(bundle) == "from the host\n"


def test_many_mounts(runtime, bundle):
    for number in range(60):
        bundle.mount(f"/dev/shm/{number}", "tmpfs", "tmpfs", "size=4k")
    assert runtime.output_of(bundle.sh("grep -c /dev/shm/ /proc/self/mountinfo")) == "60\n"


def test_the_source_is_the_hosts_and_not_the_containers(runtime, bundle, volume):
    rootfs = bundle.own_rootfs()
    inside = Path(str(rootfs) + str(volume))
    inside.mkdir(parents=True)
    (inside / "file").write_text("from the container\n")
    assert runtime.output_of(bundle.mount("/mnt", "bind", volume).sh("cat /mnt/file")) == "from the host\n"


# -- refused

def test_a_source_that_is_not_there_is_refused(runtime, bundle, workspace):
    bundle.mount("/mnt", "bind", workspace / "nosuch")
    assert "nosuch" in runtime.refuses_to_run(bundle, workspace / "nosuch").stderr


def test_a_file_system_that_the_kernel_does_not_know_is_refused(runtime, bundle):
    bundle.mount("/mnt", "nosuchfs", "x")
    assert "/mnt" in runtime.refuses_to_run(bundle, "nosuchfs", "/mnt").stderr


def test_an_option_that_the_file_system_does_not_know_is_refused(runtime, bundle):
    bundle.mount("/mnt", "tmpfs", "tmpfs", "nosuchoption")
    assert "/mnt" in runtime.refuses_to_run(bundle, "nosuchoption", "/mnt").stderr


def test_an_option_that_a_bind_does_not_know_is_passed_over(runtime, bundle, volume):
    result = runtime.run(bundle.mount("/mnt", "bind", volume, "nosuchoption", "nofail").sh("cat /mnt/file"))
    assert (result.code, result.stdout) == (0, "from the host\n"), result
    if runtime.is_kiste:  # runc says nothing
        assert all(word in result.stderr for word in ("nosuchoption", "nofail", "/mnt")), result


def test_a_folder_cannot_be_bound_on_a_file(runtime, bundle, volume):
    runtime.refuses_to_run(bundle.mount("/etc/passwd", "bind", volume), "/etc/passwd")


def test_an_empty_destination_is_refused(runtime, bundle, volume):
    bundle.mount("", "bind", volume)
    if runtime.is_kiste:
        runtime.refuses_to_run(bundle, "destination")
    else:  # runc takes it for the root
        runtime.run(bundle)


@pytest.mark.parametrize("destination", ["/proc/self", "/proc/1/fd", "/proc/sys"])
def test_a_bind_over_a_part_of_proc_is_refused(runtime, bundle, volume, destination):
    runtime.refuses_to_run(bundle.mount(destination, "bind", volume), destination)


@pytest.mark.parametrize("name", ["cpuinfo", "meminfo", "stat", "uptime", "loadavg", "diskstats"])
def test_a_file_that_tells_of_resources_may_be_bound_over(runtime, bundle, volume, name):
    """As lxcfs needs it."""
    bundle.mount(f"/proc/{name}", "bind", volume / "file").sh(f"cat /proc/{name}")
    assert runtime.output_of(bundle) == "from the host\n"
