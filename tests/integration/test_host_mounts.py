# SPDX-License-Identifier: Apache-2.0
"""A container without a mount namespace: its mounts are in the host's, and must not stay there."""

import os
import shutil
from pathlib import Path

import pytest

import kernel
from deadline import eventually
from host_state import process_state

pytestmark = [
    pytest.mark.skipif(not kernel.is_root(), reason="not root: mounts in the host's namespace are root's"),
    pytest.mark.kiste_only("it leaves the mounts on the host"),
]


@pytest.fixture
def shared_mounts(bundle):
    bundle.own_rootfs()
    bundle.without_namespace("mount")
    bundle.linux.pop("maskedPaths")
    bundle.linux.pop("readonlyPaths")
    return bundle


def mounts_below(folder):
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return [point for point in points if Path(point).is_relative_to(folder)]


def test_the_container_is_in_the_hosts_namespace_and_its_mounts_go_with_it(runtime, shared_mounts):
    container = runtime.run_detached(shared_mounts.sleeps())
    assert os.readlink(f"/proc/{container.pid}/ns/mnt") == os.readlink("/proc/self/ns/mnt")
    assert str(shared_mounts.rootfs / "proc") in mounts_below(shared_mounts.rootfs)
    assert "rootfs" not in container.sh("ls / /proc/1/root/")
    container.end()
    assert mounts_below(shared_mounts.rootfs) == []


def test_run_leaves_no_mount(runtime, shared_mounts):
    shared_mounts.hook("createRuntime", "/bin/touch", str(shared_mounts.folder / "hook-was-here"))
    assert runtime.output_of(shared_mounts.args("/bin/echo", "hello")) == "hello\n"
    assert (shared_mounts.folder / "hook-was-here").exists()
    assert mounts_below(shared_mounts.rootfs) == []


def test_a_readonly_root_is_read_only_for_the_container(runtime, shared_mounts):
    shared_mounts.spec["root"]["readonly"] = True
    assert "Read-only" in runtime.run(shared_mounts.sh("touch /file")).stderr
    (shared_mounts.rootfs / "file").touch()


def test_a_create_that_fails_leaves_no_mount(runtime, shared_mounts):
    runtime.refuses_to_run(shared_mounts.mount("/mnt", "tmpfs", "tmpfs", "nosuchoption"), "nosuchoption")
    assert mounts_below(shared_mounts.rootfs) == []


def test_what_was_mounted_on_the_root_before_stays(runtime, shared_mounts):
    copy = shared_mounts.rootfs.rename(shared_mounts.folder / "copy")
    shared_mounts.rootfs.mkdir()
    kernel.mount("rootfs", str(shared_mounts.rootfs), "tmpfs")
    try:
        shutil.copytree(copy, shared_mounts.rootfs, symlinks=True, dirs_exist_ok=True)
        runtime.output_of(shared_mounts)
        assert mounts_below(shared_mounts.rootfs) == [str(shared_mounts.rootfs)]
    finally:
        kernel.unmount(str(shared_mounts.rootfs), kernel.MNT_DETACH)


def test_a_link_in_place_of_the_root_leads_to_no_other_mount(runtime, shared_mounts, workspace):
    """Who owns the bundle may swap its root file system for a link while the container stops."""
    container = runtime.run_detached(shared_mounts.sleeps())
    pid = container.pid  # in a file of the bundle's
    other = workspace / "other"
    other.mkdir()
    kernel.mount("other", str(other), "tmpfs")
    moved = workspace / "moved"
    try:
        shared_mounts.folder.rename(moved)
        shared_mounts.folder.mkdir()
        (shared_mounts.folder / "rootfs").symlink_to(other)
        runtime("kill", container.id, "KILL")
        eventually(lambda: process_state(pid) in ("", "Z"), "the container's end")
        runtime("delete", container.id)
        assert mounts_below(other) == [str(other)]
    finally:
        kernel.unmount(str(other))
        (shared_mounts.folder / "rootfs").unlink(missing_ok=True)
        shared_mounts.folder.rmdir()
        moved.rename(shared_mounts.folder)
        for point in mounts_below(shared_mounts.rootfs)[:1]:
            kernel.unmount(point, kernel.MNT_DETACH)


@pytest.mark.parametrize("field", ["maskedPaths", "readonlyPaths"])
def test_masks_need_a_mount_namespace(runtime, shared_mounts, field):
    shared_mounts.linux[field] = ["/proc/kcore"]
    runtime.refuses_to_run(shared_mounts, field)
