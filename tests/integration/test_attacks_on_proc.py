# SPDX-License-Identifier: Apache-2.0
"""Attacks through what the runtime itself opens, masks, binds and writes inside the container: /proc, /dev and sysctls.

Newer than the peers that Debian 12 has: what works against runc 1.1.5 is marked with the CVE.
"""

import os
import stat
from pathlib import Path

import pytest

import kernel
import mount_table
from attack import SECRET, powerful
from terminal import ConsoleSocket

TARGET = "/proc/sys/kernel/printk_ratelimit_burst"  # the fixture `burst`


@pytest.fixture(autouse=True)
def needs_root():
    kernel.require_root("the attacks are those of a container that root started")


def image_with_own_dev(bundle):
    """A bundle whose /dev is a folder of the image, so that the image decides what lies there."""
    for destination in ("/dev/mqueue", "/dev/shm", "/dev/pts", "/dev"):
        bundle.without_mount(destination)
    dev = bundle.own_rootfs() / "dev"
    for name in ("pts", "shm", "mqueue"):
        (dev / name).mkdir()
    return dev


# -- CVE-2025-31133: masking binds the container's /dev/null, which the image made something else

def try_masked_paths(runtime, bundle, text):
    """What a container read in masked paths after it wrote `text` into them. It goes to a file, not to standard output:
    runc lets the image's /dev/null take that over."""
    bundle.linux.update(maskedPaths=["/proc/keys", "/proc/timer_list"], readonlyPaths=[])
    witness = bundle.rootfs / "witness"
    witness.touch()
    runtime.run(bundle.sh(f"for path in /proc/keys /proc/timer_list; do (echo {text} >$path) 2>/dev/null; head -c 100 $path >>/witness; done"))
    return witness.read_text()


UNMASKED = pytest.mark.kiste_only("CVE-2025-31133: it masks with whatever /dev/null of the container is")


@pytest.mark.parametrize("target", [
    pytest.param(TARGET, id="sysctl", marks=UNMASKED), pytest.param("/etc/passwd", id="file", marks=UNMASKED),
    pytest.param("/proc/sys", id="folder")])
def test_a_dev_null_that_is_a_symlink_does_not_unmask(runtime, bundle, burst, target):
    """A masked path would become a second way, writable, to what the link names."""
    (image_with_own_dev(bundle) / "null").symlink_to(target)
    assert try_masked_paths(runtime, bundle, burst + 1) == ""


@UNMASKED
def test_a_dev_null_that_is_swapped_while_paths_are_masked_does_not_unmask(runtime, bundle, new_bundle, probe, workspace, burst):
    """The image is whole when it is looked at, and a link a moment later: a container that has the same /dev as a volume."""
    volume = workspace / "dev"
    for name in ("pts", "shm", "mqueue"):
        (volume / name).mkdir(parents=True)
    os.mknod(volume / "null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    (volume / "link").symlink_to(TARGET)
    attacker = powerful(new_bundle()).mount("/volume", "bind", volume)
    racing = runtime.run_detached(attacker.with_probe(probe, "swap", "/volume/null", "/volume/link", "/volume/stop")).says("ready")
    image_with_own_dev(bundle)
    bundle.spec["mounts"].insert(1, {"destination": "/dev", "type": "bind", "source": str(volume), "options": ["bind"]})
    for _ in range(8):
        assert try_masked_paths(runtime, bundle, burst + 1) == ""
    (volume / "stop").touch()
    racing.wait()
    assert int(racing.output.split()[-1]) > 100, "the attacker was too slow to be one"


@UNMASKED
def test_a_dev_null_that_is_a_file_does_not_become_a_way_to_write(runtime, bundle):
    """Masked paths must not all be one writable file of the image."""
    (image_with_own_dev(bundle) / "null").write_text("of the image\n")
    assert try_masked_paths(runtime, bundle, "more") == ""


def test_a_dev_null_that_is_a_folder_is_refused_or_harmless(runtime, bundle):
    dev = image_with_own_dev(bundle)
    (dev / "null").mkdir()
    (dev / "null/inside").write_text("x")
    bundle.linux["maskedPaths"] = ["/proc/keys"]
    result = runtime.run(bundle.sh("cat /proc/keys"))
    assert result.code != 0 or result.stdout == ""


@pytest.mark.kiste_only("it takes a pipe for /dev/null when that is a file, for both have device number 0, and sends the output into the image")
def test_a_dev_null_that_is_a_file_does_not_take_over_the_standard_streams(runtime, bundle):
    (image_with_own_dev(bundle) / "null").touch()
    through_a_pipe = ["sh", "-c", '"$@" 2>&1 | cat', "sh"]
    result = runtime.run(bundle.sh("echo data; echo data >&2"), prefix=through_a_pipe)
    assert result.stdout == "data\ndata\n" or "/dev/null" in result.stdout


@pytest.mark.parametrize("link", ["/proc/sys/kernel/hostname", "../../../../proc/self/environ"])
def test_a_masked_path_that_is_a_symlink_masks_nothing_on_the_host(runtime, bundle, marker, link):
    rootfs = bundle.own_rootfs()
    (rootfs / "masked").symlink_to(marker)
    (rootfs / "masked2").symlink_to(link)
    bundle.linux["maskedPaths"] = ["/masked", "/masked2"]
    runtime.run(bundle)
    assert marker.read_text() == SECRET


def test_a_readonly_path_that_is_a_symlink_changes_nothing_on_the_host(runtime, bundle, workspace):
    outside = workspace / "outside"
    outside.mkdir()
    (bundle.own_rootfs() / "fixed").symlink_to(outside)
    bundle.linux["readonlyPaths"] = ["/fixed"]
    runtime.run(bundle)
    (outside / "x").touch()


# -- CVE-2025-52565: /dev/console and /dev/pts

@pytest.fixture
def console(workspace):
    socket = ConsoleSocket(workspace / "console")
    yield socket
    socket.close()


def run_with_terminal(runtime, bundle, console, script):
    """What a container writes to its terminal; an empty text when it was refused."""
    bundle.process["terminal"] = True
    container_id = runtime.new_id()
    result = runtime("create", "--bundle", bundle.sh(script).write().folder, "--console-socket", console.path, container_id)
    if result.code != 0:
        return ""
    terminal = console.receive()
    try:
        if runtime("start", container_id).code != 0:
            return ""
        return terminal.read_all()
    finally:
        terminal.close()


@pytest.mark.kiste_only("CVE-2025-52565: it mounts the terminal on what /dev/console leads to")
def test_a_dev_console_that_is_a_symlink_does_not_cover_what_it_names(runtime, bundle, console, burst):
    """The terminal must not be mounted over a file of /proc."""
    dev = image_with_own_dev(bundle)
    (dev / "console").symlink_to(TARGET)
    bundle.mount("/dev/pts", "devpts", "devpts", "newinstance", "ptmxmode=0666", "mode=0620")
    text = run_with_terminal(runtime, bundle, console, f"grep -c ' {TARGET} ' /proc/self/mountinfo; echo over")
    assert text == "" or text.split() == ["0", "over"]


def test_a_dev_console_that_is_a_symlink_to_the_host_stays_inside(runtime, bundle, console, marker):
    dev = image_with_own_dev(bundle)
    (dev / "console").symlink_to(marker)
    bundle.mount("/dev/pts", "devpts", "devpts", "newinstance", "ptmxmode=0666", "mode=0620")
    run_with_terminal(runtime, bundle, console, "echo through console >/dev/console")
    assert marker.read_text() == SECRET and not mount_table.on(str(marker), Path("/proc/self/mountinfo").read_text())


@pytest.mark.parametrize("target", ["host", "proc"])
def test_a_dev_pts_that_the_image_prepared_gives_no_way_out(runtime, bundle, console, marker, burst, target):
    """No devpts is mounted; the image's /dev/pts/0 and ptmx are links."""
    dev = image_with_own_dev(bundle)
    where = str(marker) if target == "host" else TARGET
    (dev / "pts/0").symlink_to(where)
    (dev / "pts/1").symlink_to(where)
    (dev / "ptmx").symlink_to(where)
    script = f"cat /dev/console /dev/pts/0 /dev/ptmx </dev/null 2>/dev/null; echo {burst + 1} >/dev/console; echo over"
    text = run_with_terminal(runtime, bundle, console, script)
    assert SECRET.strip() not in text


def test_dev_symlinks_of_the_image_are_not_followed_to_the_host(runtime, bundle, workspace):
    """The runtime makes links and nodes in /dev: over links of the image it must not reach the host."""
    target = workspace / "target"
    target.mkdir()
    dev = image_with_own_dev(bundle)
    for name in ("fd", "stdin", "ptmx", "full", "zero", "tty"):
        (dev / name).symlink_to(target / name)
    runtime.run(bundle)
    assert os.listdir(target) == []


def test_what_the_image_has_in_place_of_devices_stays(runtime, bundle, workspace):
    """Only an image without a mount on /dev can: it is its own, as a file anywhere else, and must not keep the container from running."""
    target = workspace / "target"
    target.write_text("of the host")
    dev = image_with_own_dev(bundle)
    (dev / "zero").write_text("of the image")
    (dev / "full").symlink_to(target)
    (dev / "tty").mkdir()
    os.mknod(dev / "random", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    os.chown(dev / "zero", 7, 7)
    assert runtime.output_of(bundle.sh("cat /dev/zero; readlink /dev/full; [ -d /dev/tty ] && stat -c %t:%T:%a /dev/random; stat -c %u /dev/zero")).split("\n") == [
        "of the image" + str(target), "1:3:600", "7", ""]
    assert target.read_text() == "of the host"


# -- CVE-2019-16884 and CVE-2025-52881: a /proc that is not the kernel's

@pytest.mark.parametrize("kind", ["to-a-folder-of-the-image", "to-the-host"])
def test_a_proc_that_is_a_symlink_is_refused_or_mounted_inside(runtime, bundle, workspace, kind):
    rootfs = bundle.own_rootfs()
    target = workspace / "target"
    target.mkdir()
    (rootfs / "fake/sys/net/ipv4").mkdir(parents=True)
    (rootfs / "fake/sys/net/ipv4/ip_forward").write_text("0")
    (rootfs / "proc").rmdir()
    (rootfs / "proc").symlink_to("/fake" if kind.endswith("image") else target)
    bundle.linux["sysctl"] = {"net.ipv4.ip_forward": "1"}
    runtime.run(bundle)
    assert os.listdir(target) == []
    assert (rootfs / "fake/sys/net/ipv4/ip_forward").read_text() == "0"


def test_a_volume_over_proc_is_refused(runtime, bundle, workspace):
    """CVE-2019-16884: security labels would be written into the volume instead of the kernel."""
    volume = workspace / "volume"
    (volume / "self/attr").mkdir(parents=True)
    (volume / "self/attr/exec").touch()
    bundle.without_mount("/proc").mount("/proc", "bind", volume)
    runtime.refuses_to_run(bundle, "/proc")


def fake_proc(bundle, name, target):
    """A /proc of the image whose sysctl file is a link, and the kernel's own elsewhere."""
    rootfs = bundle.own_rootfs()
    (rootfs / "real").mkdir()
    file = rootfs / "proc/sys" / name.replace(".", "/")
    file.parent.mkdir(parents=True)
    file.symlink_to(target)
    bundle.without_mount("/proc")
    bundle.spec["mounts"].insert(0, {"destination": "/real", "type": "proc", "source": "proc"})
    bundle.linux["maskedPaths"], bundle.linux["readonlyPaths"] = [], []
    return rootfs


DECEIVED = pytest.mark.kiste_only("CVE-2025-52881: it writes sysctls to whatever lies at /proc/sys")


def refused_or_really_set(runtime, bundle, value):
    """A runtime that believes it has set a sysctl, and has only written to some file, was deceived."""
    bundle.linux["sysctl"] = {"net.ipv4.ip_forward": str(value)}
    result = runtime.run(bundle.args("/bin/cat", "/real/sys/net/ipv4/ip_forward"))
    if result.code == 0:
        assert result.stdout == f"{value}\n"
    else:
        runtime.check_refusal(result)


@DECEIVED
def test_a_sysctl_is_not_written_through_a_symlink(runtime, bundle, burst):
    fake_proc(bundle, "net.ipv4.ip_forward", TARGET.replace("/proc/", "/real/"))
    refused_or_really_set(runtime, bundle, burst + 1)


@DECEIVED
def test_a_sysctl_is_not_written_into_a_file_of_the_image(runtime, bundle):
    rootfs = fake_proc(bundle, "net.ipv4.ip_forward", "/tmp/decoy")
    (rootfs / "tmp/decoy").write_text("0")
    refused_or_really_set(runtime, bundle, 1)
    assert (rootfs / "tmp/decoy").read_text() == "0"


@DECEIVED
def test_a_sysctl_is_not_written_into_a_tmpfs_over_proc(runtime, bundle, burst):
    """The same with a tmpfs, filled by tmpcopyup from the image."""
    fake_proc(bundle, "net.ipv4.ip_forward", TARGET.replace("/proc/", "/real/"))
    bundle.spec["mounts"].insert(1, {"destination": "/proc", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup"]})
    refused_or_really_set(runtime, bundle, burst + 1)


@pytest.mark.parametrize("form", ["net/../kernel/{}", "net.ipv4/../../kernel/{}", "net...kernel.{}", "kernel/{}", "/kernel/{}", "net/./../kernel/{}"])
def test_the_name_of_a_sysctl_does_not_climb(runtime, bundle, burst, form):
    bundle.linux["sysctl"] = {form.format("printk_ratelimit_burst"): str(burst + 1)}
    runtime.refuses_to_run(bundle, "sysctl")


def test_a_volume_over_proc_sys_is_refused(runtime, bundle, workspace, burst):
    """Inside /proc nothing is mounted but the few files that lxcfs serves."""
    volume = workspace / "volume"
    (volume / "ipv4").mkdir(parents=True)
    (volume / "ipv4/ip_forward").symlink_to(TARGET)
    bundle.mount("/proc/sys/net", "bind", volume).linux["sysctl"] = {"net.ipv4.ip_forward": str(burst + 1)}
    runtime.refuses_to_run(bundle, "/proc/sys/net")


@pytest.mark.kiste_only("CVE-2025-52881: a link that is swapped in at the right moment takes its mounts into /proc")
def test_a_proc_swapped_while_the_container_is_created_is_not_written_through(runtime, bundle, new_bundle, probe, workspace, burst):
    """CVE-2025-52881 as it was found: a volume shared with a container that swaps a folder for a link below a mount."""
    volume = workspace / "volume"
    (volume / "a").mkdir(parents=True)
    (volume / "b").symlink_to("/proc/sys/kernel")
    attacker = powerful(new_bundle()).mount("/volume", "bind", volume)
    racing = runtime.run_detached(attacker.with_probe(probe, "swap", "/volume/a", "/volume/b", "/volume/stop")).says("ready")
    bundle.own_rootfs()
    bundle.mount("/volume", "bind", volume).mount("/volume/a/printk_ratelimit_burst", "bind", "/dev/null")
    bundle.linux["readonlyPaths"] = []
    for _ in range(8):
        result = runtime.run(bundle.sh("grep -c ' /proc/sys/kernel' /proc/self/mountinfo"))
        assert result.code != 0 or result.stdout == "0\n", f"a mount landed in /proc: {result}"
    (volume / "stop").touch()
    racing.wait()


def test_an_lsm_label_is_never_written_into_a_file_of_the_image(runtime, bundle):
    """Where the kernel has no such module, asking for a label is an error or is passed over, and no file changes."""
    rootfs = bundle.own_rootfs()
    for name in ("proc/self/attr", "proc/thread-self/attr"):
        (rootfs / name).mkdir(parents=True)
        (rootfs / name / "exec").write_text("")
    bundle.without_mount("/proc")
    bundle.linux["maskedPaths"], bundle.linux["readonlyPaths"] = [], []
    bundle.process["apparmorProfile"] = "unconfined-by-the-image"
    runtime.run(bundle)
    assert (rootfs / "proc/self/attr/exec").read_text() == "" == (rootfs / "proc/thread-self/attr/exec").read_text()


# -- what a container may never do, with docker's usual capabilities

# Each would do no more harm than a wrong line in a log, if it worked.
@pytest.mark.parametrize("script", [
    "mount -t tmpfs x /mnt", "mount -o remount,rw /sys", "mknod /dev/shm/disk b 254 0 && head -c 1 /dev/shm/disk", f"echo 77 >{TARGET}",
    "head -c 1 /proc/kcore | grep -q .", "nsenter -t 1 -m true", "hostname changed", "mknod /dev/shm/mem c 1 1 && head -c 1 /dev/shm/mem",
    "unshare -m true", "ip link set lo down", "echo x >/proc/sys/kernel/domainname", "echo 0 >/proc/self/oom_score_adj && ls /sys/firmware/*"],
    ids=lambda script: script.split(" >")[0].split(" &&")[0].replace("/", "-"))
def test_an_ordinary_container_may_not(runtime, bundle, burst, script):
    assert runtime.run(powerful(bundle).sh(script)).code != 0
