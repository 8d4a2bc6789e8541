# SPDX-License-Identifier: Apache-2.0
"""Small things that an image, its devices, masks and files are checked for in the suites of the peers."""

import os
import resource
import stat

import pytest

import kernel


def secret(bundle):
    (bundle.own_rootfs() / "folder").mkdir()
    (bundle.rootfs / "folder/file").write_text("secret")
    (bundle.rootfs / "file").write_text("secret")
    bundle.linux["maskedPaths"] += ["/folder", "/file"]
    return bundle


@pytest.mark.parametrize("command", ["rm -f /file", "umount /file", "rm -rf /folder", "umount /folder", "touch /folder/new", "echo x > /file"])
def test_a_mask_cannot_be_removed(runtime, bundle, command):
    result = runtime.run(secret(bundle).sh(f"{command}; cat /file; ls -A /folder"))
    assert "secret" not in result.stdout and "new" not in result.stdout
    if command != "echo x > /file":
        assert any(why in result.stderr for why in ("Read-only", "busy", "not permitted", "denied")), result
    assert (bundle.rootfs / "file").read_text() == "secret"


@pytest.mark.kiste_only("1.1.5 masks twice")
def test_a_path_that_stands_twice_is_masked_once(runtime, bundle):
    secret(bundle).linux["maskedPaths"] += ["/folder", "/file"]
    assert runtime.output_of(bundle.sh("grep -c ' /folder ' /proc/mounts; grep -c ' /file ' /proc/mounts")).split() == ["1", "1"]


def test_masks_in_a_readonly_root(runtime, bundle):
    secret(bundle).spec["root"]["readonly"] = True
    assert runtime.output_of(bundle.sh("cat /file; ls -A /folder; stat -c %h /folder")) in ("2\n", "1\n")


@pytest.mark.parametrize("device", [
    {"path": "/dev/tty", "type": "c", "major": 5, "minor": 0},
    {"path": "/dev/ptmx", "type": "c", "major": 5, "minor": 2},
    {"path": "/dev/zero", "type": "c", "major": 1, "minor": 5, "fileMode": 0o666},
], ids=lambda device: device["path"])
def test_a_default_device_may_be_named_again(runtime, bundle, device):
    kernel.require_root("an ordinary user's devices are the host's, with their owners")
    bundle.linux["devices"] = [device]
    line = runtime.output_of(bundle.args("ls", "-lLn", device["path"])).split()
    assert line[0] == "crw-rw-rw-" and line[2:4] == ["0", "0"]
    assert [int(line[4].rstrip(",")), int(line[5])] == [device["major"], device["minor"]]


def test_a_device_has_its_owner_and_mode(runtime, bundle):
    kernel.require_root("devices can only be made by root")
    bundle.linux["devices"] = [{"path": "/dev/mine", "type": "c", "major": 1, "minor": 5, "fileMode": 0o640, "uid": 12, "gid": 34}]
    assert runtime.output_of(bundle.args("stat", "-c", "%a %u %g", "/dev/mine")) == "640 12 34\n"


def test_what_is_denied_stays_denied_after_an_update(runtime, bundle):
    kernel.require_capability("CAP_MKNOD")
    bundle.resources["devices"] = [{"allow": False, "access": "rwm"}]
    bundle.linux["devices"] = [{"path": "/dev/kmsg", "type": "c", "major": 1, "minor": 11}]
    container = runtime.run_detached(bundle.capabilities("CAP_SYSLOG", "CAP_DAC_OVERRIDE").sleeps())
    for _ in range(2):
        assert "not permitted" in container.exec("/bin/sh", "-c", "head -c 1 /dev/kmsg").stderr
        assert "not permitted" in container.exec("/bin/sh", "-c", "echo > /dev/kmsg").stderr
        runtime.ok("update", container.id, "--pids-limit", "42")


def test_a_root_that_is_the_bundle_itself(runtime, bundle):
    rootfs = bundle.own_rootfs()
    bundle.spec["root"]["path"] = "."
    bundle.write()
    bundle.config.rename(rootfs / "config.json")
    assert runtime.ok("run", "--bundle", rootfs, runtime.new_id()).code == 0


def test_a_program_may_be_executed_by_a_capability(runtime, bundle):
    program = bundle.own_rootfs() / "bin/hello"
    program.write_bytes((bundle.rootfs / "bin/busybox").read_bytes())
    program.chmod(0o700)
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    bundle.args("/bin/hello", "echo", "hello")
    assert runtime.run(bundle).code != 0
    bundle.process["args"] = ["/bin/hello"]
    bundle.process["capabilities"] = {name: ["CAP_DAC_OVERRIDE"] for name in ("bounding", "effective", "inheritable", "permitted", "ambient")}
    assert "permission" not in runtime.run(bundle).stderr.lower()


def test_a_working_folder_that_only_the_user_may_enter_is_no_obstacle_for_exec(runtime, bundle):
    kernel.require_root("other users need more than one mapping")
    folder = bundle.own_rootfs() / "home"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o700)
    os.chown(folder, 42, 42)
    bundle.process["user"], bundle.process["cwd"] = {"uid": 42, "gid": 42}, "/home"
    container = runtime.run_detached(bundle.sleeps())
    assert container.exec_ok("/bin/pwd").stdout == "/home\n"
    container.exec_ok("/bin/true", options=("--user", "0", "--cwd", "/"))


@pytest.mark.parametrize("user", ["1000:1000", "0"])
def test_the_hosts_null_device_keeps_its_owner(runtime, bundle, user):
    if user != "0":
        kernel.require_root("other users need more than one mapping")
    before = os.stat("/dev/null")
    container = runtime.run_detached(bundle.sleeps())
    container.exec_ok("/bin/id", options=("--detach", "--user", user))
    after = os.stat("/dev/null")
    assert (after.st_uid, after.st_gid, stat.S_IMODE(after.st_mode)) == (before.st_uid, before.st_gid, stat.S_IMODE(before.st_mode))


@pytest.mark.parametrize("difference", [-1, 0])
def test_a_limit_of_files_near_the_callers(runtime, bundle, difference):
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1] + difference
    bundle.process["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": limit, "hard": limit}]
    container = runtime.run_detached(bundle.sh("ulimit -n; ulimit -H -n; sleep 1000")).says("\n")
    assert container.sh("ulimit -n; ulimit -H -n").split() == [str(limit)] * 2


@pytest.mark.parametrize("options", [(), ("--no-pivot",)], ids=["pivot", "no pivot"])
@pytest.mark.parametrize("kind", ["proc", "sysfs"])
def test_nobody_mounts_a_proc_without_the_masks(runtime, bundle, options, kind):
    """A user namespace may mount one only where another is seen in full, and below the root none may be (fs/namespace.c)."""
    bundle.capabilities("CAP_SYS_ADMIN", "CAP_SETFCAP")
    bundle.process["noNewPrivileges"] = False
    result = runtime.run(bundle.sh(f"unshare -Umrpnf sh -c 'mount -t {kind} none /mnt && echo mounted'"), *options)
    if kind == "proc":
        assert "mounted" not in result.stdout and "denied" in result.stderr, result
    assert runtime.output_of(bundle.sh("echo x > /proc/self/comm; ls /sys"), *options)


def test_a_hostname_that_is_too_long_is_refused(runtime, bundle):
    bundle.spec["hostname"] = "x" * 65
    runtime.refuses_to_run(bundle, "hostname")


def test_a_sysctl_that_names_the_host_agrees_with_the_fields(runtime, bundle):
    bundle.spec["domainname"] = "of.config"
    bundle.own_rootfs()
    assert runtime.output_of(bundle.args("cat", "/proc/sys/kernel/domainname")) == "of.config\n" or runtime.name == "runc"


@pytest.mark.parametrize("name", ["kernel.msgmax", "fs.mqueue.msg_max"])
def test_a_sysctl_of_the_ipc_namespace_is_the_containers(runtime, bundle, name):
    path = "/proc/sys/" + name.replace(".", "/")
    with open(path, encoding="ascii") as file:
        before = file.read()
    bundle.linux["sysctl"] = {name: "5000" if name.startswith("kernel") else "9"}
    assert runtime.output_of(bundle.args("cat", path)).strip() == bundle.linux["sysctl"][name]
    with open(path, encoding="ascii") as file:
        assert file.read() == before


def test_what_a_created_container_has_open(runtime, bundle):
    """Nothing of the host's but what it needs to go on: sockets, pipes, its own root and the null device."""
    container = runtime.create(bundle.sleeps())
    found = [os.readlink(entry.path) for entry in os.scandir(f"/proc/{container.pid}/fd")]
    harmless = ("socket:", "pipe:", "anon_inode:", "/memfd:", "/dev/null", "/dev/pts", str(runtime.folder), "/runc", "/proc")
    assert [name for name in found if not name.startswith(harmless) and name != "/"] == []
