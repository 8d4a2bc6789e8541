# SPDX-License-Identifier: Apache-2.0
"""Volumes, binds, tmpfs and propagation under podman."""

import os
import subprocess

import pytest

import kernel
from podman_engine import mountinfo_of


def mounted(podman, image, target, *options):
    return mountinfo_of(podman.sh(image, "cat /proc/self/mountinfo", *options), target)


def test_a_folder_of_the_host(podman, image, shared_folder):
    script = "cat /data/file; echo from the container > /data/new"
    assert podman.sh(image, script, "--volume", f"{shared_folder}:/data") == "from the host\n"
    assert (shared_folder / "new").read_text() == "from the container\n"


def test_read_only(podman, image, shared_folder):
    answer = podman("run", "--rm", "--volume", f"{shared_folder}:/data:ro", image, "sh", "-c", "cat /data/file; touch /data/new")
    assert (answer.code, answer.stdout) == (1, "from the host\n")
    assert answer.stderr == "touch: /data/new: Read-only file system\n"


def test_a_single_file(podman, image, shared_folder):
    assert podman.sh(image, "cat /etc/made/up", "--volume", f"{shared_folder}/file:/etc/made/up:ro") == "from the host\n"


def test_over_a_file_that_is_there(podman, image, shared_folder):
    assert podman.sh(image, "cat /etc/profile", "--volume", f"{shared_folder}/file:/etc/profile") == "from the host\n"


def test_a_target_behind_a_link_stays_inside(podman, image, shared_folder, workspace):
    """The image's link points out of the container: it is followed inside."""
    podman.known_gap(crun="1.8 does not make what a link of the image points to")
    subprocess.run(["cp", "-a", podman.host.folder / "rootfs", workspace / "rootfs"], check=True, timeout=60)
    (workspace / "rootfs/link").symlink_to(f"../../../../{workspace}/outside")
    (workspace / "outside").mkdir()
    assert podman.out("run", "--rm", "--volume", f"{shared_folder}:/link/data", "--rootfs", workspace / "rootfs", "cat",
                      "/link/data/file") == "from the host\n"
    assert list((workspace / "outside").iterdir()) == []


@pytest.mark.parametrize("option", ["nosuid", "nodev", "noexec"])
def test_options(podman, image, shared_folder, option):
    assert option in mounted(podman, image, "/data", "--volume", f"{shared_folder}:/data:{option}")["options"]


def test_noexec_bites(podman, image, shared_folder):
    (shared_folder / "script").write_text("#!/bin/sh\necho ran\n")
    (shared_folder / "script").chmod(0o755)
    assert podman.sh(image, "/data/script", "--volume", f"{shared_folder}:/data") == "ran\n"
    podman.fails(126, "run", "--rm", "--volume", f"{shared_folder}:/data:noexec", image, "sh", "-c", "/data/script",
                 says="Permission denied")


@pytest.mark.parametrize("propagation, tags", [
    ("private", []), ("shared", ["shared"]), ("slave", ["master"])])
def test_propagation(podman, image, shared_folder, propagation, tags):
    found = mounted(podman, image, "/data", "--volume", f"{shared_folder}:/data:{propagation}")
    assert [tag.split(":")[0] for tag in found["tags"]] == tags


@pytest.mark.parametrize("propagation, arrives", [("rslave", True), ("rshared", True), ("rprivate", False)])
def test_mounts_of_the_host_come_later(podman, image, shared_folder, propagation, arrives):
    (shared_folder / "sub").mkdir()
    name = podman.detached(image, "sleep", "100", options=["--volume", f"{shared_folder}:/data:{propagation}"])
    kernel.mount("none", shared_folder / "sub", "tmpfs")
    try:
        (shared_folder / "sub/late").write_text("")
        assert podman.out("exec", name, "ls", "/data/sub") == ("late\n" if arrives else "")
        podman.ok("rm", "--force", "--time", "0", name)
    finally:
        kernel.unmount(shared_folder / "sub")


@pytest.mark.parametrize("propagation, arrives", [("rshared", True), ("rslave", False)])
def test_mounts_of_the_container_go_out(podman, image, shared_folder, propagation, arrives):
    (shared_folder / "sub").mkdir()
    name = podman.detached(image, "sleep", "100", options=["--privileged", "--volume", f"{shared_folder}:/data:{propagation}"])
    podman.out("exec", name, "sh", "-c", "mount -t tmpfs none /data/sub; touch /data/sub/inside")
    assert os.path.ismount(shared_folder / "sub") == arrives
    podman.out("exec", name, "umount", "/data/sub")
    assert not os.path.ismount(shared_folder / "sub")


def test_mounts_below_come_along(podman, image, shared_folder):
    (shared_folder / "sub").mkdir()
    kernel.mount("none", shared_folder / "sub", "tmpfs")
    try:
        (shared_folder / "sub/deep").write_text("")
        assert podman.sh(image, "ls /data/sub", "--volume", f"{shared_folder}:/data") == "deep\n"
        if podman.runtime != "crun":  # which takes every bind for a recursive one
            assert podman.sh(image, "ls /data/sub", "--volume", f"{shared_folder}:/data:bind") == ""
    finally:
        kernel.unmount(shared_folder / "sub")


def test_mount_bind(podman, image, shared_folder):
    spec = f"type=bind,source={shared_folder},destination=/data"
    assert podman.sh(image, "cat /data/file; touch /data/new && echo ok", "--mount", spec) == "from the host\nok\n"
    found = mounted(podman, image, "/data", "--mount", spec + ",ro=true,bind-propagation=rslave")
    assert "ro" in found["options"] and found["tags"][0].startswith("master:")


def test_mount_tmpfs(podman, image):
    found = mounted(podman, image, "/data", "--mount", "type=tmpfs,destination=/data,tmpfs-size=1m,tmpfs-mode=1750")
    assert found["kind"] == "tmpfs"
    assert {"size=1024k", "mode=1750"} <= set(found["super"])


def test_tmpfs(podman, image):
    script = "stat -c %a /data; head -c 100000 /dev/zero > /data/file; stat -c %s /data/file"
    answer = podman("run", "--rm", "--tmpfs", "/data:size=64k,mode=1700", image, "sh", "-c", script)
    assert (answer.code, answer.stdout) == (0, "1700\n65536\n")
    assert answer.stderr.startswith("head: ")


def test_tmpfs_has_what_the_image_has(podman, image):
    """podman's default for --tmpfs: tmpcopyup, which the runtime does."""
    assert "passwd" in podman.sh(image, "ls /etc", "--tmpfs", "/etc").split()
    assert podman.sh(image, "ls /home", "--tmpfs", "/home:notmpcopyup") == ""


def test_tmpfs_options(podman, image):
    found = mounted(podman, image, "/data", "--tmpfs", "/data")
    assert {"rw", "nosuid", "nodev"} <= set(found["options"])


def test_a_named_volume_keeps_what_was_written(podman, image):
    podman.out("volume", "create", "kept")
    try:
        podman.sh(image, "echo one > /data/file", "--volume", "kept:/data")
        assert podman.sh(image, "cat /data/file", "--volume", "kept:/data:ro") == "one\n"
    finally:
        podman.ok("volume", "rm", "--force", "kept")


def test_a_named_volume_begins_with_the_images_files(podman, image):
    try:
        assert "passwd" in podman.sh(image, "ls /etc", "--volume", "filled:/etc").split()
    finally:
        podman.ok("volume", "rm", "--force", "filled")


def test_volumes_of_another_container(podman, image, shared_folder):
    other = podman.detached(image, "true", options=["--volume", f"{shared_folder}:/data"], prepare="create")
    assert podman.sh(image, "cat /data/file", "--volumes-from", other) == "from the host\n"


def test_a_missing_source_is_refused(podman, image, workspace):
    podman.fails(125, "run", "--rm", "--volume", f"{workspace}/nosuch:/data", image, "true", says="no such file or directory")
    assert not (workspace / "nosuch").exists()


def test_the_ordinary_mounts(podman, image):
    text = podman.sh(image, "cat /proc/self/mountinfo")
    kinds = {target: mountinfo_of(text, target)["kind"] for target in
             ("/proc", "/dev", "/sys", "/dev/pts", "/dev/mqueue", "/dev/shm")}
    assert kinds == {"/proc": "proc", "/dev": "tmpfs", "/sys": "sysfs", "/dev/pts": "devpts", "/dev/mqueue": "mqueue",
                     "/dev/shm": "tmpfs"}
    assert {"nosuid", "nodev", "noexec", "rw"} <= set(mountinfo_of(text, "/proc")["options"])
    assert {"nosuid", "nodev", "noexec", "ro"} <= set(mountinfo_of(text, "/sys")["options"])
    assert {"nosuid", "noexec"} <= set(mountinfo_of(text, "/dev")["options"])
    assert {"gid=5", "mode=620", "ptmxmode=666"} <= set(mountinfo_of(text, "/dev/pts")["super"])


def test_nothing_of_the_host_is_mounted(podman, image):
    """Whatever has a source on a disk is the container's own, and nothing of the old root is left."""
    roots = [line.split()[3] for line in podman.sh(image, "cat /proc/self/mountinfo").splitlines()]
    storage = f"/{podman.folder.name}/"
    devices = ("/null", "/zero", "/full", "/random", "/urandom", "/tty", "/ptmx")
    inside_proc = ("/bus", "/fs", "/irq", "/sys", "/asound", "/sysrq-trigger")
    strange = [root for root in roots if root not in ("/",) + devices + inside_proc and storage not in root
               and not root.lstrip("/").startswith(podman.cgroup_parent.lstrip("/"))]
    assert strange == []
