# SPDX-License-Identifier: Apache-2.0
"""Mounts of a running container, changed from outside (`mounts add`, `mounts remove`), and crun's mount options."""

import json
import os

import pytest

import kernel

pytestmark = pytest.mark.kiste_only("crun's command and options")


@pytest.fixture
def change(runtime, workspace):
    """`mounts <deed>` with a file that holds these entries; the result."""
    kernel.require_root("clones the host's mounts")

    def change(deed, container, *entries, refused=False):
        file = workspace / "mounts.json"
        file.write_text(json.dumps(entries))
        return (runtime.refuses if refused else runtime.ok)("mounts", deed, container.id, file)

    return change


def bind(source, destination, *options):
    return {"destination": destination, "source": str(source), "type": "bind", "options": ["bind", *options]}


def test_added_mounts_are_seen_and_removed_ones_are_not(runtime, bundle, change, volume):
    bundle.own_rootfs()
    container = runtime.run_detached(bundle.sleeps())
    entries = [bind(volume, "/made/deep", "ro"), bind(volume / "file", "/one"), {"destination": "/tmp", "type": "tmpfs"}]
    change("add", container, *entries)
    assert container.sh("cat /made/deep/file /one") == "from the host\nfrom the host\n"
    assert "Read-only" in container.exec("touch", "/made/deep/new").stderr
    container.sh("touch /tmp/new")
    assert container.sh("stat -f -c %T /tmp") == "tmpfs\n"
    change("remove", container, *[{"destination": entry["destination"]} for entry in entries])
    assert container.sh("ls /made/deep /tmp; cat /one").split() == ["/made/deep:", "/tmp:"]
    assert (volume / "file").read_text() == "from the host\n"


def test_a_container_of_a_user_namespace_gets_mounts(runtime, bundle, change, volume):
    bundle.own_rootfs()
    for folder, _, files in os.walk(bundle.rootfs):
        for name in (".", *files):
            os.chown(os.path.join(folder, name), 100000, 100000, follow_symlinks=False)
    container = runtime.run_detached(bundle.user_namespace().sleeps())
    change("add", container, bind(volume, "/made"), {"destination": "/tmp", "type": "tmpfs"})
    assert container.sh("cat /made/file; stat -c %u /tmp") == "from the host\n0\n"
    change("remove", container, {"destination": "/made"}, {"destination": "/tmp"})
    assert container.sh("ls /made; stat -c %u /made") == "0\n"  # the mount point belongs to the container


def test_an_added_tmpfs_can_be_read_only(runtime, bundle, change):
    container = runtime.run_detached(bundle.sleeps())
    change("add", container, {"destination": "/tmp", "type": "tmpfs", "options": ["ro"]})
    assert "Read-only" in container.exec("touch", "/tmp/new").stderr


def test_a_created_container_gets_mounts(runtime, bundle, change, volume):
    bundle.own_rootfs()
    container = runtime.create(bundle.args("cat", "/late/file"))
    change("add", container, bind(volume, "/late"))
    container.start()
    container.says("from the host")


def test_a_paused_container_gets_mounts(runtime, bundle, change, volume):
    bundle.own_rootfs()
    container = runtime.run_detached(bundle.sleeps())
    runtime.ok("pause", container.id)
    change("add", container, bind(volume, "/late"))
    runtime.ok("resume", container.id)
    assert container.sh("cat /late/file") == "from the host\n"


def test_a_proc_that_is_added_shows_the_containers_processes(runtime, bundle, change):
    bundle.own_rootfs()
    container = runtime.run_detached(bundle.sleeps())
    change("add", container, {"destination": "/more", "type": "proc", "source": "proc"})
    assert container.sh("cat /more/1/comm") == "sleep\n"


def test_all_or_none(runtime, bundle, change, volume):
    bundle.own_rootfs()
    container = runtime.run_detached(bundle.sleeps())
    before = container.sh("cat /proc/self/mountinfo | wc -l")
    change("add", container, bind(volume, "/a"), bind(volume / "file", "/b"), {"destination": "/c", "type": "nosuchfs"}, refused=True)
    assert container.sh("cat /proc/self/mountinfo | wc -l; ls /a; cat /b").split() == [before.strip()]
    change("add", container, bind(volume, "/a"))
    result = change("remove", container, {"destination": "/a"}, {"destination": "/etc"}, refused=True)
    assert "/etc" in result.stderr and "nothing is mounted there" in result.stderr
    assert container.sh("cat /a/file") == "from the host\n"


@pytest.mark.parametrize("entry, names", [
    ({"destination": "/x", "type": "bind", "options": ["bind"]}, ["source"]),
    ({"destination": "/x", "type": "bind", "source": "/nosuch", "options": ["bind"]}, ["/nosuch"]),
    ({"destination": "/", "type": "tmpfs", "options": ["remount"]}, ["remount"]),
    ({"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup"}, ["cgroup"]),
    ({"destination": "/proc/sys", "type": "tmpfs", "source": "x"}, ["/proc"]),
    ({"type": "tmpfs"}, ["destination"]),
    (3, ["object"]),
])
def test_wrong_mounts_are_refused(runtime, bundle, change, entry, names):
    container = runtime.run_detached(bundle.sleeps())
    before = container.sh("cat /proc/self/mountinfo")
    result = change("add", container, entry, refused=True)
    for name in names:
        assert name in result.stderr
    assert container.sh("cat /proc/self/mountinfo") == before


def test_wrong_command_lines_are_refused(runtime, bundle, change, workspace):
    container = runtime.run_detached(bundle.sleeps())
    (workspace / "list").write_text("{}")
    assert "array" in runtime.refuses("mounts", "add", container.id, workspace / "list").stderr
    assert "nosuch" in runtime.refuses("mounts", "add", container.id, workspace / "nosuch").stderr
    assert '"append"' in runtime.refuses("mounts", "append", container.id, workspace / "list").stderr
    assert "root" in change("remove", container, {"destination": "/x/.."}, refused=True).stderr
    container.kill("KILL")
    container.wait_stopped()
    assert "stopped" in change("add", container, {"destination": "/x", "type": "tmpfs"}, refused=True).stderr


# -- what a hostile container may try

def test_a_link_in_the_container_does_not_lead_out(runtime, bundle, change, volume, workspace):
    outside = workspace / "outside"
    outside.mkdir()
    rootfs = bundle.own_rootfs()
    container = runtime.run_detached(bundle.sleeps())
    (rootfs / "absolute").symlink_to(outside)
    (rootfs / "relative").symlink_to("../../../../../.." + str(outside))
    change("add", container, bind(volume, "/absolute/in"), bind(volume, "/relative/in2"))
    assert list(outside.iterdir()) == []
    assert container.sh(f"cat {outside}/in/file {outside}/in2/file") == "from the host\n" * 2


def test_a_link_does_not_have_a_mask_removed(runtime, bundle, change, volume):
    rootfs = bundle.own_rootfs()
    container = runtime.run_detached(bundle.sleeps())
    change("add", container, bind(volume / "file", "/data/kcore"))
    (rootfs / "data").rename(rootfs / "moved")
    (rootfs / "data").symlink_to("/proc")
    result = change("remove", container, {"destination": "/data/kcore"}, refused=True)
    assert "symbolic link" in result.stderr
    assert container.sh("cat /proc/kcore; cat /moved/kcore") == "from the host\n"


def test_renames_while_mounts_are_added_lead_nowhere(runtime, bundle, change, volume, workspace):
    """A folder on the way becomes a link to the host's folder and back, as fast as it goes (CVE-2021-30465)."""
    outside = workspace / "outside"
    (outside / "in").mkdir(parents=True)
    rootfs = bundle.own_rootfs()
    (rootfs / "way").mkdir()
    container = runtime.run_detached(bundle.sh(
        f"ln -s {outside} /link; while :; do mv /way /real && mv /link /way; mv /way /link && mv /real /way; done"))
    host_mounts = open("/proc/self/mountinfo").read()
    for _ in range(30):
        result = runtime("mounts", "add", container.id, _file(workspace, bind(volume, "/way/in")))
        assert result.code == 0 or result.stderr
        runtime("mounts", "remove", container.id, _file(workspace, {"destination": "/way/in"}))
    assert open("/proc/self/mountinfo").read() == host_mounts
    assert os.listdir(outside) == ["in"] and os.listdir(outside / "in") == []
    assert (volume / "file").read_text() == "from the host\n"


def _file(workspace, *entries):
    file = workspace / "race.json"
    file.write_text(json.dumps(entries))
    return file


# -- copy-symlink, src-nofollow, dest-nofollow

@pytest.fixture
def links(workspace):
    """A link of the host, to a file that only the host has."""
    (workspace / "target").write_text("target\n")
    (workspace / "link").symlink_to("target")
    return workspace


@pytest.mark.parametrize("user_namespace", [False, True])
def test_copy_symlink_makes_the_link_again(runtime, bundle, links, user_namespace):
    bundle.own_rootfs()
    if user_namespace:
        kernel.require_root("maps other ids")
        os.chown(bundle.rootfs, 100000, 100000)
        bundle.user_namespace()
    bundle.mount("/copied", "bind", links / "link", "copy-symlink").mount("/file", "bind", links / "target", "copy-symlink")
    assert runtime.output_of(bundle.sh("readlink /copied; cat /file")) == "target\ntarget\n"


def test_copy_symlink_leaves_what_is_there(runtime, bundle, links):
    bundle.mount("/etc/copied", "bind", links / "link", "copy-symlink")
    rootfs = bundle.own_rootfs()
    (rootfs / "etc/copied").write_text("mine")
    runtime.refuses_to_run(bundle, "link to target")
    (rootfs / "etc/copied").unlink()
    (rootfs / "etc/copied").symlink_to("target")
    assert runtime.output_of(bundle.sh("readlink /etc/copied")) == "target\n"


@pytest.mark.parametrize("user_namespace", [False, True])
def test_nofollow_binds_a_link_on_a_link(runtime, bundle, links, user_namespace):
    rootfs = bundle.own_rootfs()
    (rootfs / "there").symlink_to("nowhere")
    if user_namespace:
        kernel.require_root("maps other ids")
        bundle.user_namespace()
    bundle.mount("/there", "bind", links / "link", "src-nofollow", "dest-nofollow")
    assert runtime.output_of(bundle.sh("readlink /there")) == "target\n"
    assert os.readlink(rootfs / "there") == "nowhere"


def test_dest_nofollow_needs_a_destination(runtime, bundle, links):
    bundle.own_rootfs()
    bundle.mount("/absent", "bind", links / "target", "dest-nofollow")
    runtime.refuses_to_run(bundle, "/absent", "no such file")


@pytest.mark.parametrize("kind, options", [("bind", ("copy-symlink", "src-nofollow")), ("tmpfs", ("dest-nofollow",))])
def test_options_that_make_no_sense_are_refused(runtime, bundle, links, kind, options):
    bundle.mount("/x", kind, links / "link", *options)
    runtime.refuses_to_run(bundle, "options", options[0])
