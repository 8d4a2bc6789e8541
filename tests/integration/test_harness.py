# SPDX-License-Identifier: Apache-2.0
"""The suite's own instruments: each must find what it looks for where somebody put it, or its silence proves nothing."""

import os
import signal
import stat
import subprocess
from pathlib import Path

import pytest

import cgroups
import kernel
import peers
from attack import SECRET, powerful, way_out
from deadline import eventually
from host_state import Tree, children_of


def found(host, before, word):
    return [leak for leak in host.leaks_since(before, patience=0) if word in leak]


def test_a_mount_that_is_left_is_found(host, workspace):
    kernel.require_root("the host's mounts can only be made by root")
    before = host.snapshot()
    kernel.mount("left", workspace, "tmpfs")
    leaks = found(host, before, "mount left")
    kernel.unmount(workspace)
    assert len(leaks) == 1 and str(workspace) in leaks[0]
    assert not found(host, before, "mount")


def test_a_mount_that_is_gone_is_found(host, workspace):
    kernel.require_root("the host's mounts can only be made by root")
    kernel.mount("there", workspace, "tmpfs")
    before = host.snapshot()
    kernel.unmount(workspace)
    assert len(found(host, before, "mount gone")) == 1


def test_a_cgroup_that_is_left_is_found(host):
    kernel.require_root("cgroups can be made by root only")
    if not cgroups.hierarchies():
        pytest.skip("no cgroups are mounted")
    before = host.snapshot()
    folder = cgroups.hierarchies()[0][1] / host.new_name()
    folder.mkdir()
    leaks = found(host, before, "cgroup left")
    folder.rmdir()
    assert leaks == [f"cgroup left: {folder}"]
    assert not found(host, before, "cgroup")


def test_an_orphan_is_found_and_its_exit_code_kept(host):
    before = host.snapshot()
    text = subprocess.run(["sh", "-c", "sh -c 'sleep 1000; exit 5' >/dev/null 2>&1 & echo $!"], capture_output=True, text=True, timeout=10).stdout
    pid = int(text)
    assert len(found(host, before, f"process {pid}")) == 1
    (child,) = eventually(lambda: children_of(pid), "the orphan's own child")
    os.kill(child, signal.SIGKILL)
    eventually(lambda: host.reap(pid) is not None, "the orphan's end")
    assert host.reap(pid) == 5


def test_a_changed_file_is_found(workspace):
    (workspace / "folder").mkdir()
    (workspace / "folder/file").write_text("one")
    tree = Tree(workspace)
    assert tree.changes() == []
    (workspace / "folder/file").write_text("three")
    assert tree.changes() == [f"changed: {workspace}/folder/file"]
    (workspace / "folder/new").touch()
    assert tree.changes() == [f"changed: {workspace}/folder", f"came: {workspace}/folder/new"]
    assert not (workspace / "folder/new").exists(), "what came is taken away"
    assert tree.changes() == []


@pytest.mark.parametrize("name", peers.names())
def test_what_a_peer_is_excused_from_is_there(name):
    for entry in peers.differing(name):
        file, _, test = entry.partition(".")
        text = (Path(__file__).parent / f"{file}.py").read_text()
        assert test == "*" or f"\ndef {test}(" in text, f"peers/{name}.toml names {entry}, which is no test"


def test_a_copy_of_a_root_file_system_with_devices_in_it_ends(bundle):
    """A broken runtime leaves devices in the shared one, and /dev/zero has no end."""
    kernel.require_root("devices are root's to make")
    shared = bundle.folder / "with-devices"
    shared.mkdir()
    os.mknod(shared / "zero", stat.S_IFCHR | 0o600, os.makedev(1, 5))
    bundle.rootfs = shared
    assert stat.S_ISCHR((bundle.own_rootfs() / "zero").lstat().st_mode)


def test_the_way_out_is_found_where_there_is_one(runtime, bundle, marker):
    """The control of the tests for CVE-2024-21626: a working folder that is the host's, because the config says so."""
    bundle.mount("/srv", "bind", marker.parent).process["cwd"] = "/srv"
    assert SECRET in runtime.output_of(bundle.sh(way_out(marker)))


def test_the_hunter_finds_a_folder_of_the_host_that_a_process_has_open(runtime, bundle, probe, marker):
    """The control of the tests for CVE-2016-9962: a descriptor that the caller handed in himself."""
    kernel.require_root("the attacks are those of a container that root started")
    powerful(bundle).add_program(probe)
    container = runtime.run_detached(bundle.args("/probe", "hunt", "/stop", str(marker))).says("ready")
    prefix = ["sh", "-c", 'exec 3</; exec "$@"', "sh"]
    container.exec_ok("/bin/sleep", "0.2", options=["--preserve-fds", "1"], prefix=prefix)
    (bundle.rootfs / "stop").touch()
    container.wait()
    assert "escape through" in container.output and "/fd/3/" in container.output


def test_the_hunter_overwrites_a_program_that_it_may(runtime, bundle, probe, marker):
    """The control of the tests for CVE-2019-5736: a program of the image that ran and has ended."""
    kernel.require_root("the attacks are those of a container that root started")
    powerful(bundle).add_program(probe)
    victim = bundle.rootfs / "bin/busybox"
    before = victim.read_bytes()
    container = runtime.run_detached(bundle.args("/probe", "hunt", "/stop", str(marker))).says("ready")
    container.exec_ok("/bin/sleep", "0.2")
    (bundle.rootfs / "stop").touch()
    container.wait()
    assert "overwritten" in container.output and victim.read_bytes() != before
