# SPDX-License-Identifier: Apache-2.0
"""process.selinuxLabel and linux.mountLabel, on the kind of host `selinux` (tests/vm/hosts) with its policy: container_t may
do all but read files of the type secret_t."""

from pathlib import Path

import pytest

PROCESS, FILES = "system_u:system_r:container_t:s0:c1,c2", "system_u:object_r:container_file_t:s0:c1,c2"
on = pytest.mark.skipif(not Path("/sys/fs/selinux/enforce").exists(), reason="no SELinux on this host")
off = pytest.mark.skipif(Path("/sys/fs/selinux/enforce").exists(), reason="SELinux is on")


@on
@pytest.mark.parametrize("nnp", [True, False])
def test_the_process_and_an_exec_have_the_label(runtime, bundle, nnp):
    bundle.process["selinuxLabel"], bundle.process["noNewPrivileges"] = PROCESS, nnp
    container = runtime.run_detached(bundle.sleeps())
    assert Path(f"/proc/{container.pid}/attr/current").read_text().rstrip("\0\n") == PROCESS
    assert container.sh("cat /proc/self/attr/current").rstrip("\0\n") == PROCESS
    container.end()


@on
def test_an_exec_may_have_another_label(runtime, bundle):
    bundle.process["selinuxLabel"] = PROCESS
    container = runtime.run_detached(bundle.sleeps())
    other = PROCESS.replace("c1,c2", "c3,c4")
    shown = container.exec_ok("/bin/cat", "/proc/self/attr/current", options=["--process-label", other]).stdout
    assert shown.rstrip("\0\n") == other
    container.end()


@on
def test_the_policy_is_enforced(runtime, bundle, workspace):
    secret = workspace / "secret"
    secret.mkdir()
    bundle.mount("/secret", "tmpfs", "tmpfs", 'context="system_u:object_r:secret_t:s0"')
    assert runtime.run(bundle.sh("echo x > /secret/file; cat /secret/file")).lines == ["x"]
    bundle.process["selinuxLabel"] = PROCESS
    result = runtime.run(bundle.sh("cat /secret/file; ls /secret; cat /proc/self/attr/current"))
    assert "Permission denied" in result.stderr and PROCESS in result.stdout


@on
def test_file_systems_have_the_mount_label(runtime, bundle):
    bundle.linux["mountLabel"] = FILES
    bundle.mount("/fresh", "tmpfs", "tmpfs", "size=1m")
    lines = runtime.output_of(bundle.sh("touch /fresh/file; ls -dZ /fresh /fresh/file /dev /dev/shm /dev/pts /dev/mqueue /sys/firmware")).splitlines()
    labels = {line.split()[-1]: line.split()[0] for line in lines}
    assert set(labels.values()) == {FILES} and "/fresh/file" in labels, labels


@on
def test_proc_and_sysfs_stay_as_they_are(runtime, bundle):
    bundle.linux["mountLabel"] = FILES
    assert FILES not in runtime.output_of(bundle.sh("ls -dZ /proc /sys"))


@on
def test_a_label_that_no_policy_knows_is_refused(runtime, bundle):
    bundle.process["selinuxLabel"] = "system_u:system_r:nosuch_t:s0"
    runtime.refuses_to_run(bundle, "nosuch_t")


@on
def test_a_mount_label_that_no_policy_knows_is_refused(runtime, bundle):
    bundle.linux["mountLabel"] = "system_u:object_r:nosuch_t:s0"
    runtime.refuses_to_run(bundle)


@off
@pytest.mark.parametrize("group, field", [("process", "selinuxLabel"), ("linux", "mountLabel")])
def test_without_selinux_a_label_is_refused(runtime, bundle, group, field):
    bundle.spec[group][field] = PROCESS
    runtime.refuses_to_run(bundle, field)
