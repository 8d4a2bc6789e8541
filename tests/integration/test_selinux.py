# SPDX-License-Identifier: Apache-2.0
"""process.selinuxLabel and linux.mountLabel, on the kind of host `selinux` (tests/vm) with its policy: container_t may do all but
use files of the type secret_t, and nobody may become secret_t."""

import json
import os
from pathlib import Path

import pytest

PROCESS, OTHER_PROCESS = "system_u:system_r:container_t:s0:c1,c2", "system_u:system_r:container_t:s0:c3,c4"
FILES, OTHER_FILES = "system_u:object_r:container_file_t:s0:c1,c2", "system_u:object_r:container_file_t:s0:c3,c4"
SECRET = "system_u:object_r:secret_t:s0"
UNKNOWN, FORBIDDEN = "system_u:system_r:nosuch_t:s0", "system_u:system_r:secret_t:s0"
CURRENT = "/proc/self/attr/current"
# What the bundle's mounts and masks make anew, and takes a label.
LABELLED = ["/dev", "/dev/shm", "/dev/pts", "/dev/mqueue", "/sys/firmware"]

# Without a policy every label is "kernel" (is_selinux_enabled(3)): so it is with systemd and `apparmor=0`.
is_on = Path("/sys/fs/selinux/enforce").exists() and Path(CURRENT).read_text().rstrip("\0\n") != "kernel"
on = pytest.mark.skipif(not is_on, reason="no SELinux on this host")
off = pytest.mark.skipif(is_on, reason="SELinux is on")


def text_of(label):
    return label.rstrip("\0\n")


def label_of(container, path):
    """Of a file in the container, as the host sees it."""
    return text_of(os.getxattr(f"/proc/{container.pid}/root{path}", "security.selinux").decode())


def labels_of(container, paths):
    return {path: label_of(container, path) for path in paths}


@pytest.fixture
def labelled(bundle):
    bundle.process["selinuxLabel"], bundle.linux["mountLabel"] = PROCESS, FILES
    return bundle


# -- the process

@on
@pytest.mark.parametrize("nnp", [True, False])
def test_the_process_and_an_exec_have_the_label(runtime, labelled, nnp):
    labelled.process["noNewPrivileges"] = nnp
    container = runtime.run_detached(labelled.sleeps())
    assert text_of(Path(f"/proc/{container.pid}/attr/current").read_text()) == PROCESS
    assert text_of(container.sh(f"cat {CURRENT}")) == PROCESS
    container.end()


@on
def test_without_a_label_the_process_has_the_runtimes(runtime, bundle):
    assert text_of(runtime.output_of(bundle.args("/bin/cat", CURRENT))) == text_of(Path(CURRENT).read_text())


@on
def test_the_label_is_set_in_a_user_namespace_too(runtime, labelled):
    assert text_of(runtime.output_of(labelled.user_namespace().args("/bin/cat", CURRENT))) == PROCESS


@on
def test_an_exec_may_have_another_label(runtime, labelled):
    container = runtime.run_detached(labelled.sleeps())
    assert text_of(container.exec_ok("/bin/cat", CURRENT, options=["--process-label", OTHER_PROCESS]).stdout) == OTHER_PROCESS
    container.end()


@on
@pytest.mark.parametrize("asked, expected", [(OTHER_PROCESS, OTHER_PROCESS), (None, PROCESS)])
def test_an_exec_by_file_has_the_files_label_or_the_containers(runtime, labelled, workspace, asked, expected):
    container = runtime.run_detached(labelled.sleeps())
    process = {**labelled.process, "args": ["/bin/cat", CURRENT], "selinuxLabel": asked}
    file = workspace / "process.json"
    file.write_text(json.dumps({key: value for key, value in process.items() if value is not None}))
    assert text_of(runtime.ok("exec", "--process", file, container.id).stdout) == expected
    container.end()


@on
def test_the_session_keyring_has_the_label(runtime, labelled, probe):
    assert text_of(runtime.output_of(labelled.with_probe(probe, "keyring-label"))) == PROCESS


@on
def test_the_policy_is_enforced(runtime, bundle):
    bundle.mount("/mnt", "tmpfs", "tmpfs", f'context="{SECRET}"')
    assert runtime.output_of(bundle.sh("echo x >/mnt/file; cat /mnt/file")) == "x\n"
    bundle.process["selinuxLabel"] = PROCESS
    result = runtime.run(bundle.sh(f"cat {CURRENT}; echo; ls /mnt"))
    assert text_of(result.lines[0]) == PROCESS and "Permission denied" in result.stderr and result.code != 0, str(result)


@on
@pytest.mark.parametrize("label", [UNKNOWN, FORBIDDEN, "nonsense"])
def test_a_label_that_cannot_be_is_refused(runtime, bundle, label):
    bundle.process["selinuxLabel"] = label
    runtime.refuses_to_run(bundle, "process.selinuxLabel", label)


@on
@pytest.mark.parametrize("label", [UNKNOWN, FORBIDDEN])
def test_an_exec_with_a_label_that_cannot_be_is_refused(runtime, labelled, label):
    container = runtime.run_detached(labelled.sleeps())
    result = container.exec("/bin/true", options=["--process-label", label])
    assert result.code != 0 and result.stderr, str(result)
    assert label in result.stderr or not runtime.is_kiste, str(result)
    assert container.status == "running"
    container.end()


# -- file systems

@on
@pytest.mark.parametrize("user_namespace", [False, True])
def test_new_file_systems_have_the_mount_label(runtime, labelled, user_namespace):
    if user_namespace:
        labelled.user_namespace()
    labelled.mount("/mnt", "tmpfs", "tmpfs", "size=1m")
    container = runtime.run_detached(labelled.sh("touch /mnt/file; exec sleep 1000"))
    container.sh("until [ -e /mnt/file ]; do sleep 0.1; done")
    paths = ["/mnt", "/mnt/file", *LABELLED]
    assert labels_of(container, paths) == dict.fromkeys(paths, FILES)
    container.end()


@on
def test_the_hosts_files_and_the_kernels_stay_as_they_are(runtime, labelled, volume):
    (volume / "file").write_text("")
    labelled.mount("/mnt", "bind", volume)
    container = runtime.run_detached(labelled.sleeps())
    assert FILES not in labels_of(container, ["/", "/mnt", "/mnt/file", "/proc", "/sys", "/sys/fs/cgroup"]).values()
    container.end()


@on
def test_without_a_mount_label_the_policy_decides(runtime, bundle):
    bundle.process["selinuxLabel"] = PROCESS
    container = runtime.run_detached(bundle.sleeps())
    assert FILES not in labels_of(container, LABELLED).values()
    container.end()


@on
def test_a_mount_may_name_its_own_context(runtime, bundle):
    bundle.mount("/mnt", "tmpfs", "tmpfs", "size=1m", f'context="{OTHER_FILES}"')
    container = runtime.run_detached(bundle.sleeps())
    assert label_of(container, "/mnt") == OTHER_FILES
    container.end()


@on
def test_two_contexts_for_a_mount_are_refused(runtime, labelled):
    labelled.mount("/mnt", "tmpfs", "tmpfs", f'context="{OTHER_FILES}"')
    runtime.refuses_to_run(labelled, "/mnt", "context")


@on
def test_a_mount_label_that_no_policy_knows_is_refused(runtime, bundle):
    bundle.linux["mountLabel"] = "system_u:object_r:nosuch_t:s0"
    runtime.refuses_to_run(bundle, "nosuch_t")


@off
@pytest.mark.parametrize("group, field", [("process", "selinuxLabel"), ("linux", "mountLabel")])
def test_without_selinux_a_label_is_refused(runtime, bundle, group, field):
    bundle.spec[group][field] = PROCESS
    runtime.refuses_to_run(bundle, field)
