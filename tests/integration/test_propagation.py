# SPDX-License-Identifier: Apache-2.0
"""Propagation of mounts between the host and the container (mount_namespaces(7)): of each mount, and of the root."""

import os

import pytest

import kernel
from mount_table import mounted


@pytest.mark.parametrize("option, expected", [
    ("private", set()), ("slave", {"master"}), ("shared", {"shared"}), ("unbindable", {"unbindable"}),
    ("rprivate", set()), ("rslave", {"master"}), ("rshared", {"shared"}), ("runbindable", {"unbindable"})])
def test_propagation_of_a_bind(runtime, bundle, volume, option, expected):
    kernel.require_root("a user namespace's mounts are slaves of the host's")
    found = mounted(runtime, bundle.mount("/mnt", "bind", volume, "rbind", option), "/mnt").propagation
    assert expected <= found and (expected or not found)


def test_a_shared_mount_carries_new_mounts_to_the_host(runtime, bundle, volume):
    kernel.require_root("the host's mounts can only be made by root")
    kernel.mount("volume", volume, "tmpfs")
    try:
        kernel.mount("none", volume, flags=kernel.MS_SHARED)
        bundle.spec["linux"]["rootfsPropagation"] = "shared"
        bundle.mount("/mnt", "bind", volume, "rbind", "rshared").capabilities("CAP_SYS_ADMIN")
        container = runtime.run_detached(bundle.sh("mkdir /mnt/new; mount -t tmpfs new /mnt/new; echo ready; sleep 1000")).says("ready")
        assert os.path.ismount(volume / "new")
        container.delete("--force")
    finally:
        kernel.unmount(volume / "new")
        kernel.unmount(volume)


def test_a_slave_sees_new_mounts_of_the_host(runtime, bundle, volume):
    kernel.require_root("the host's mounts can only be made by root")
    (volume / "new").mkdir()
    bundle.mount("/mnt", "bind", volume, "rbind", "rslave").sh("echo ready; while ! [ -e /mnt/new/file ]; do sleep 0.02; done; echo seen")
    kernel.mount(volume, volume, flags=kernel.MS_BIND)
    try:
        container = runtime.run_detached(bundle).says("ready")
        kernel.mount("new", volume / "new", "tmpfs")
        (volume / "new/file").touch()
        container.says("seen")
    finally:
        kernel.unmount(volume / "new")
        kernel.unmount(volume)


def test_a_private_mount_sees_nothing_new_and_shows_nothing(runtime, bundle, volume):
    kernel.require_root("the host's mounts can only be made by root")
    (volume / "new").mkdir()
    bundle.mount("/mnt", "bind", volume, "rbind", "rprivate").capabilities("CAP_SYS_ADMIN")
    container = runtime.run_detached(bundle.sh("mkdir /mnt/own; mount -t tmpfs own /mnt/own; echo ready; while :; do sleep 0.02; done"))
    container.says("ready")
    assert not os.path.ismount(volume / "own")
    kernel.mount("new", volume / "new", "tmpfs")
    try:
        (volume / "new/file").touch()
        assert container.sh("ls -A /mnt/new") == ""
    finally:
        kernel.unmount(volume / "new")


@pytest.mark.parametrize("propagation, expected", [
    ("private", set()), ("slave", {"master"}), (None, {"master"}),
    pytest.param("shared", {"master", "shared"}, marks=pytest.mark.kiste_only("it leaves the root private")),
    pytest.param("unbindable", {"unbindable"}, marks=pytest.mark.kiste_only("it makes the host's root unbindable first, and cannot bind it then"))])
def test_propagation_of_the_root(runtime, bundle, propagation, expected):
    kernel.require_root("a user namespace's mounts are slaves of the host's")
    if propagation:
        bundle.linux["rootfsPropagation"] = propagation
    assert mounted(runtime, bundle, "/").propagation == frozenset(expected)


@pytest.mark.parametrize("propagation, seen", [
    ("private", "0"), ("slave", "0"), pytest.param("shared", "1", marks=pytest.mark.kiste_only("it leaves the root private"))])
def test_only_a_shared_root_carries_mounts_between_namespaces(runtime, bundle, propagation, seen):
    """Into one that the container makes for itself; that none reaches the host is what the leak check looks at."""
    kernel.require_root("a user namespace's mounts are slaves of the host's")
    bundle.linux["rootfsPropagation"] = propagation
    inner = "touch /dev/shm/ready; while ! [ -e /dev/shm/made ]; do sleep 0.02; done; grep -c ' /mnt ' /proc/self/mountinfo"
    script = (f'unshare --mount --propagation slave sh -c "{inner}" & while ! [ -e /dev/shm/ready ]; do sleep 0.02; done;'
              "mount -t tmpfs new /mnt; touch /dev/shm/made; wait")
    result = runtime.run(bundle.capabilities("CAP_SYS_ADMIN").sh(script))
    assert result.stdout.strip() == seen, str(result)


@pytest.mark.kiste_only("it makes the host's root unbindable first, and cannot bind it then")
def test_an_unbindable_root_is_not_bound_again(runtime, bundle):
    kernel.require_root("a user namespace's mounts are slaves of the host's")
    bundle.capabilities("CAP_SYS_ADMIN").sh("mount --bind / /mnt && echo bound")
    assert runtime.output_of(bundle) == "bound\n"
    bundle.linux["rootfsPropagation"] = "unbindable"
    assert runtime.run(bundle).stdout == ""


def test_mounts_of_the_container_do_not_reach_the_host(runtime, bundle):
    """The leak check of every test is what proves it: all mounts of this session are shared."""
    bundle.capabilities("CAP_SYS_ADMIN").sh("mount -t tmpfs own /mnt && mount -t tmpfs own /tmp && grep -c own /proc/self/mountinfo")
    assert runtime.output_of(bundle) == "2\n"
