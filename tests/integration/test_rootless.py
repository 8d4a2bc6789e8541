# SPDX-License-Identifier: Apache-2.0
"""Containers of an ordinary user: a user namespace with newuidmap and newgidmap, or a single mapping where there are no
subordinate ids; no cgroups demanded. The tests are root and become that user for the runtime's commands only.
"""

import json
import os
import shutil
from pathlib import Path

import pytest

import bundle as bundles
import kernel
import unprivileged
from runtime import Runtime
from unprivileged import UID


@pytest.fixture(autouse=True)
def needs_a_second_user():
    kernel.require_root("the tests become another user")
    kernel.require_namespace("user")
    limit = Path("/proc/sys/user/max_user_namespaces").read_text().strip()
    for path in ("/proc/sys/kernel/unprivileged_userns_clone", "/proc/sys/user/max_user_namespaces"):
        if Path(path).exists() and Path(path).read_text().strip() == "0":
            pytest.skip(f"{path} is 0: ordinary users may make no user namespaces ({limit})")
    restricted = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
    if restricted.exists() and restricted.read_text().strip() != "0":
        pytest.skip(f"{restricted} is set: AppArmor restricts user namespaces of ordinary users")


class UsersRuntime(Runtime):
    """The runtime, started by the ordinary user."""

    def spawn(self, *arguments, **options):
        return super().spawn(*arguments, **{**unprivileged.as_user(self.folder), **options})


def make(program, workspace, host, new_bundle):
    runtime = UsersRuntime(program, workspace / "users", host)
    bundle = new_bundle()
    bundle.own_rootfs()
    bundles.make_rootless(bundle.spec, UID, UID)
    unprivileged.give(bundle.folder)
    unprivileged.give(runtime.folder)
    return runtime, bundle


@pytest.fixture
def runtime(leaves_nothing, program, workspace, host, new_bundle):
    with unprivileged.known_user(workspace / "etc", with_subordinate_ids=False):
        runtime, bundle = make(program, workspace, host, new_bundle)
        runtime.users_bundle = bundle
        yield runtime
        problems = runtime.close() + runtime.leftovers()
    assert not problems, "\n".join(problems)


@pytest.fixture
def bundle(runtime):
    """The user's own, with the single mapping."""
    return runtime.users_bundle


@pytest.fixture
def subordinate(runtime, bundle, workspace):
    """The user has subordinate ids, and the config maps them."""
    for program in ("newuidmap", "newgidmap"):
        path = shutil.which(program)
        if not path:
            pytest.skip(f"{program} is not installed (Debian's uidmap)")
        if not (os.stat(path).st_mode & 0o4000 or "security.capability" in os.listxattr(path)):
            pytest.skip(f"{path} has neither its setuid bit nor file capabilities")
    first, count = unprivileged.SUBORDINATE
    for name in ("uidMappings", "gidMappings"):
        bundle.linux[name] = [{"containerID": 0, "hostID": UID, "size": 1}, {"containerID": 1, "hostID": first, "size": count}]
    with unprivileged.known_user(workspace / "etc2", with_subordinate_ids=True):
        yield bundle


# -- a single mapping

def test_an_ordinary_user_runs_a_container(runtime, bundle):
    assert runtime.output_of(bundle.sh("id -u; id -g; hostname")).split() == ["0", "0", "kiste"]


def test_root_inside_is_the_user_outside(runtime, bundle):
    container = runtime.run_detached(bundle.sleeps())
    assert kernel.status_field("Uid", container.pid).split() == [str(UID)] * 4


def test_the_single_mapping_is_written_and_setgroups_is_denied(runtime, bundle):
    bundle.args("/bin/cat", "/proc/self/uid_map", "/proc/self/gid_map", "/proc/self/setgroups")
    assert runtime.output_of(bundle).split() == ["0", str(UID), "1"] * 2 + ["deny"]


def test_every_command_works_for_the_user(runtime, bundle):
    container = runtime.create(bundle.sh("echo started; exec sleep 1000"))
    assert container.status == "created"
    container.start()
    container.says("started")
    assert container.sh("echo $((40 + 2))") == "42\n"
    assert runtime.ok("list", "-q").lines == [container.id]
    container.kill("KILL")
    container.wait()
    container.delete()


@pytest.mark.kiste_only("runc leaves it to criu")
def test_checkpoints_are_refused_to_the_user(runtime, bundle, workspace):
    container = runtime.run_detached(bundle.sleeps())
    result = runtime.refuses("checkpoint", "--image-path", workspace / "images", container.id)
    assert "criu needs root" in result.stderr
    assert container.status == "running"
    (workspace / "images").mkdir()
    result = runtime.refuses("restore", "--image-path", workspace / "images", "--bundle", bundle.folder, runtime.new_id())
    assert "criu needs root" in result.stderr
    container.end()


def test_exec_into_a_created_container_works_for_the_user(runtime, bundle):
    container = runtime.create(bundle)
    assert container.exec_ok("/bin/echo", "before start").stdout == "before start\n"


def test_oom_score_adj_works_for_the_user(runtime, bundle):
    bundle.process["oomScoreAdj"] = 500
    container = runtime.run_detached(bundle.sh("cat /proc/self/oom_score_adj; exec sleep 1000")).says("500\n")
    assert container.exec_ok("/bin/cat", "/proc/self/oom_score_adj").stdout == "500\n"


def test_hooks_of_the_user_may_look_into_the_containers_namespaces(runtime, bundle, workspace):
    seen = workspace / "seen"
    seen.mkdir()
    unprivileged.give(seen)
    script = f"""pid=$(sed 's/.*"pid": *\\([0-9]*\\).*/\\1/'); readlink /proc/$pid/ns/net >{seen}/net"""
    bundle.hook("createRuntime", "/bin/sh", "-c", script)
    container = runtime.create(bundle)
    assert (seen / "net").read_text().strip() == os.readlink(f"/proc/{container.pid}/ns/net")


def test_exit_codes_and_input_work_for_the_user(runtime, bundle):
    result = runtime.run(bundle.sh("cat; exit 3"), text="in\n")
    assert (result.code, result.stdout) == (3, "in\n")


def test_the_default_mounts_and_devices_work_for_the_user(runtime, bundle):
    bundle.sh("ls /proc/1/status /dev/pts/ptmx; ls /sys/class/net; echo data >/dev/shm/x; cat /dev/shm/x; "
              "echo x >/dev/null; head -c 2 /dev/zero | wc -c")
    assert runtime.output_of(bundle).split() == ["/dev/pts/ptmx", "/proc/1/status", "lo", "data", "2"]


def test_all_capabilities_inside_give_none_outside(runtime, bundle):
    bundle.capabilities("CAP_SYS_ADMIN", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_MKNOD")
    bundle.sh("mount -t tmpfs x /mnt && echo mounted; mknod /dev/shm/x b 8 0 2>/dev/null || echo refused")
    assert runtime.output_of(bundle).split() == ["mounted", "refused"]


def test_a_bind_of_the_user(runtime, bundle, workspace):
    volume = workspace / "volume"
    volume.mkdir()
    unprivileged.give(volume)
    assert runtime.output_of(bundle.mount("/mnt", "bind", volume).sh("touch /mnt/made; stat -c %u /mnt/made")) == "0\n"
    assert (volume / "made").stat().st_uid == UID


def test_a_readonly_root_for_the_user(runtime, bundle):
    bundle.spec["root"]["readonly"] = True
    assert "Read-only" in runtime.run(bundle.sh("touch /x")).stderr


def test_a_bind_of_a_mount_with_locked_flags(runtime, bundle, workspace):
    """What the host mounted nosuid, nodev must stay so: a remount for ro has to repeat the flags, or it fails with EPERM."""
    volume = workspace / "volume"
    volume.mkdir()
    kernel.mount("locked", volume, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, f"uid={UID}")
    try:
        (volume / "file").write_text("data\n")
        bundle.mount("/mnt", "bind", volume, "rbind", "ro", "nosuid", "nodev").sh("cat /mnt/file; touch /mnt/x")
        result = runtime.run(bundle)
    finally:
        kernel.unmount(volume, kernel.MNT_DETACH)
    assert result.stdout == "data\n" and "Read-only" in result.stderr


def test_limits_that_the_user_cannot_set_are_refused_or_passed_over(runtime, bundle):
    bundle.resources["memory"] = {"limit": 64 << 20}
    result = runtime.run(bundle)
    if result.code != 0:
        runtime.check_refusal(result)


def test_spec_rootless_writes_a_config_that_runs(runtime, bundle):
    bundle.config.unlink(missing_ok=True)
    runtime.ok("spec", "--rootless", "--bundle", bundle.folder)
    spec = json.loads(bundle.config.read_text())
    assert spec["linux"]["uidMappings"] == [{"containerID": 0, "hostID": UID, "size": 1}]
    bundle.config.unlink()
    spec["process"].update(terminal=False, args=["/bin/echo", "it runs"])
    bundle.spec = spec
    assert runtime.output_of(bundle) == "it runs\n"


def test_the_default_state_folder_of_the_user_is_in_xdg_runtime_dir(runtime, bundle):
    with_root, runtime.options = runtime.options, []
    try:
        container = runtime.create(bundle.sleeps())
        assert [path for path in runtime.folder.rglob(container.id) if path.is_dir()]
        container.delete("--force")
    finally:
        runtime.options = with_root


def test_another_user_cannot_touch_the_container(runtime, bundle):
    container = runtime.run_detached(bundle.sleeps())
    result = runtime("kill", container.id, "KILL", user=UID + 1, group=UID + 1)
    assert result.code != 0
    assert container.status == "running"


@pytest.mark.parametrize("change", [{"hostID": 0}, {"hostID": UID + 1}, {"size": 2}], ids=["root", "somebody-else", "too-many"])
def test_ids_that_are_not_the_users_cannot_be_mapped(runtime, bundle, change):
    bundle.linux["uidMappings"][0].update(change)
    runtime.refuses_to_run(bundle, "uidMappings")


def test_without_a_user_namespace_an_ordinary_user_is_refused(runtime, bundle):
    bundle.without_namespace("user")
    for name in ("uidMappings", "gidMappings"):
        del bundle.linux[name]
    runtime.refuses_to_run(bundle)


# -- subordinate ids

def test_subordinate_ids_are_mapped_with_newuidmap(runtime, subordinate):
    first, count = unprivileged.SUBORDINATE
    text = runtime.output_of(subordinate.args("/bin/cat", "/proc/self/uid_map", "/proc/self/gid_map"))
    assert [int(word) for word in text.split()] == [0, UID, 1, 1, first, count] * 2


def test_another_user_inside_is_a_subordinate_one_outside(runtime, subordinate):
    subordinate.process["user"] = {"uid": 1000, "gid": 1000}
    container = runtime.run_detached(subordinate.sleeps())
    assert kernel.status_field("Uid", container.pid).split() == [str(unprivileged.SUBORDINATE[0] + 999)] * 4


@pytest.mark.kiste_only("it refuses additional groups of every rootless container")
def test_additional_groups_work_with_subordinate_ids(runtime, subordinate):
    subordinate.process["user"]["additionalGids"] = [5, 1000]
    assert runtime.output_of(subordinate.sh("id -G")).split() == ["0", "5", "1000"]


def test_exec_as_another_user_with_subordinate_ids(runtime, subordinate):
    container = runtime.run_detached(subordinate.sleeps())
    assert container.sh("id -u", options=["--user", "1000:1000"]) == "1000\n"


def test_subordinate_ids_of_somebody_else_are_refused(runtime, subordinate):
    subordinate.linux["uidMappings"][1]["hostID"] = 3_000_000
    runtime.refuses_to_run(subordinate, "uidMappings")
