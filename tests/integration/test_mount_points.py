# SPDX-License-Identifier: Apache-2.0
"""What a mount point was before, what it is made as when it was not there, and links on the way to it."""

import os
import stat
import subprocess

import pytest

import kernel

MODE = "stat -c %a"


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_tmpfs_takes_the_mode_of_the_folder_that_it_covers(runtime, bundle):
    folder = bundle.own_rootfs() / "volume"
    folder.mkdir()
    folder.chmod(0o710)
    bundle.mount("/volume", "tmpfs", "tmpfs")
    assert runtime.output_of(bundle.sh(f"{MODE} /volume")) == "710\n"


def test_a_tmpfs_takes_all_bits_of_the_mode(runtime, bundle):
    folder = bundle.own_rootfs() / "volume"
    folder.mkdir()
    folder.chmod(0o7777)
    bundle.mount("/volume", "tmpfs", "tmpfs", "noexec", "nosuid", "nodev")
    assert runtime.output_of(bundle.sh(f"{MODE} /volume")) == "7777\n"


@pytest.mark.kiste_only("1.1.5 gives it the folder's mode all the same; later ones do as here")
def test_the_mode_of_the_config_wins(runtime, bundle):
    folder = bundle.own_rootfs() / "volume"
    folder.mkdir()
    folder.chmod(0o710)
    bundle.mount("/volume", "tmpfs", "tmpfs", "mode=0444")
    assert runtime.output_of(bundle.sh(f"{MODE} /volume")) == "444\n"
    assert mode_of(folder) == 0o710


@pytest.mark.kiste_only("1.1.5 gives it the mode of the folder that it has made; later ones do as here")
def test_a_tmpfs_where_nothing_was_is_open_to_everybody(runtime, bundle):
    bundle.own_rootfs()
    bundle.mount("/new/folder", "tmpfs", "tmpfs")
    assert runtime.output_of(bundle.sh(f"{MODE} /new/folder")) == "1777\n"
    assert [mode_of(bundle.rootfs / name) for name in ("new", "new/folder")] == [0o755, 0o755]


def test_folders_that_are_made_inherit_the_group_bit(runtime, bundle):
    top = bundle.own_rootfs() / "top"
    top.mkdir()
    top.chmod(0o7755)
    runtime.output_of(bundle.mount("/top/a/b", "tmpfs", "tmpfs"))
    assert [mode_of(top / name) for name in (".", "a", "a/b")] == [0o7755, 0o2755, 0o2755]


def test_dev_may_be_read_only(runtime, bundle):
    bundle.mount_of("/dev")["options"].append("ro")
    output = runtime.output_of(bundle.sh("grep ' /dev tmpfs ' /proc/mounts; echo x > /dev/null; ls -l /dev/null; echo x > /dev/file || true"))
    assert " ro," in output and "crw-rw-rw-" in output


def test_a_destination_through_an_absolute_link_of_the_image(runtime, bundle):
    (bundle.own_rootfs() / "real/conf").mkdir(parents=True)
    (bundle.rootfs / "conf").symlink_to("/real/conf")
    runtime.output_of(bundle.mount("/conf/stack", "tmpfs", "tmpfs", "ro").sh("grep ' /real/conf/stack ' /proc/mounts"))


@pytest.mark.kiste_only("1.1.5 makes the link's target only in part")
@pytest.mark.parametrize("links", [{"etc/hosts": "/tmp/hosts"}, {"jump": "/tmp/a/b", "etc/hosts": "/jump/c/hosts"}],
                         ids=["the last part", "a part on the way"])
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_destination_through_a_link_to_nothing_is_made_inside(runtime, bundle, volume, links, kind):
    rootfs = bundle.own_rootfs()
    (rootfs / "etc/hosts").unlink(missing_ok=True)
    for name, target in links.items():
        (rootfs / name).symlink_to(target)
    real = "/tmp/hosts" if len(links) == 1 else "/tmp/a/b/c/hosts"
    bundle.mount("/etc/hosts", "bind", volume if kind == "folder" else volume / "file")
    wanted = real + ("/file" if kind == "folder" else "")
    assert runtime.output_of(bundle.sh(f"cat {wanted}; grep -c ' {real} ' /proc/mounts")) == "from the host\n1\n"


@pytest.mark.parametrize("path", ["//mnt//x/", "/mnt/./x", "/mnt/x///"])
def test_a_destination_may_be_written_untidily(runtime, bundle, volume, path):
    bundle.own_rootfs()
    assert runtime.output_of(bundle.mount(path, "bind", volume).args("cat", "/mnt/x/file")) == "from the host\n"


def test_a_source_may_be_what_an_earlier_mount_shows(runtime, bundle, workspace):
    """The source is a path of the host that leads into the root file system, where the mounts before are seen."""
    rootfs = bundle.own_rootfs()
    for name in ("a", "b", "final"):
        (rootfs / name).mkdir()
    source = workspace / "tree"
    (source / "below").mkdir(parents=True)
    (source / "below/file").write_text("tree\n")
    bundle.mount("/a", "bind", source, "rbind", "rprivate")
    bundle.mount("/b", "bind", rootfs / "a", "rbind", "rprivate")
    bundle.mount("/final", "bind", rootfs / "b/below", "rbind", "rprivate")
    assert runtime.output_of(bundle.args("cat", "/final/file")) == "tree\n"


def test_a_fifo_can_be_bound(runtime, bundle, workspace):
    bundle.own_rootfs()
    os.mkfifo(workspace / "fifo")
    assert runtime.output_of(bundle.mount("/fifo", "bind", workspace / "fifo").sh("stat -c %F /fifo")) == "fifo\n"


def test_a_source_that_is_a_link_is_what_it_leads_to(runtime, bundle, volume, workspace):
    bundle.own_rootfs()
    (workspace / "link").symlink_to(volume)
    assert runtime.output_of(bundle.mount("/mnt/x", "bind", workspace / "link").args("cat", "/mnt/x/file")) == "from the host\n"


def test_an_overlay_of_folders_of_the_host(runtime, bundle, workspace):
    kernel.require_root()
    kernel.require_filesystem("overlay")
    where = workspace / "overlay"
    kernel_side = [where / name for name in ("lower", "upper", "work")]
    where.mkdir()
    kernel.mount("overlay-parts", str(where), "tmpfs")
    try:
        for folder in kernel_side:
            folder.mkdir()
        lower, upper, work = kernel_side
        (lower / "file").write_text("lower\n")
        bundle.own_rootfs()
        bundle.mount("/both", "overlay", "overlay", f"lowerdir={lower}", f"upperdir={upper}", f"workdir={work}")
        assert runtime.output_of(bundle.sh("cat /both/file; echo new > /both/file")) == "lower\n"
        assert ((lower / "file").read_text(), (upper / "file").read_text()) == ("lower\n", "new\n")
    finally:
        kernel.unmount(str(where), kernel.MNT_DETACH)


@pytest.mark.kiste_only("1.1.5 needs /proc inside")
@pytest.mark.parametrize("keep", [("/proc",), ("/sys", "/sys/fs/cgroup"), ()], ids=["proc alone", "sys alone", "none"])
def test_a_container_may_do_without_most_mounts(runtime, bundle, keep):
    """Without /proc nothing of it can be masked, and the runtime must not need it inside."""
    bundle.spec["mounts"] = [entry for entry in bundle.spec["mounts"] if entry["destination"] in keep]
    bundle.own_rootfs()
    if "/proc" not in keep:
        for name in ("maskedPaths", "readonlyPaths"):
            bundle.linux.pop(name)
    assert runtime.output_of(bundle.sh("echo alive")) == "alive\n"


def test_options_of_a_bind_that_belong_to_a_file_system_are_passed_over(runtime, bundle, volume):
    bundle.own_rootfs()
    bundle.mount("/mnt/x", "bind", volume, "mode=755", "size=1k")
    assert runtime.output_of(bundle.args("cat", "/mnt/x/file")) == "from the host\n"


def test_sys_that_is_a_link_is_refused(runtime, bundle):
    rootfs = bundle.own_rootfs()
    subprocess.run(["rm", "-rf", rootfs / "sys"], check=True)
    (rootfs / "elsewhere").mkdir()
    (rootfs / "sys").symlink_to("/elsewhere")
    runtime.refuses_to_run(bundle, "/sys")
