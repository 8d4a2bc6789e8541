# SPDX-License-Identifier: Apache-2.0
"""AppArmor profiles, on a host that has AppArmor and the profile kiste-vm (tests/vm/guest/apparmor-profile) loaded."""

from pathlib import Path

import pytest

import kernel

PROFILE = "kiste-vm"
LABEL = f"{PROFILE} (enforce)"
CURRENT = "/proc/self/attr/current"


def enabled():
    file = Path("/sys/module/apparmor/parameters/enabled")
    return file.exists() and file.read_text().strip() == "Y"


@pytest.fixture(autouse=True)
def needs_the_profile():
    kernel.require_root("profiles are root's to list")
    if not enabled():
        pytest.skip("this host has no AppArmor")
    profiles = Path("/sys/kernel/security/apparmor/profiles")
    if not profiles.exists() or PROFILE not in profiles.read_text():
        pytest.skip(f"the profile {PROFILE} is not loaded (tools/vm apparmor loads it)")


@pytest.fixture
def confined(bundle):
    bundle.process["apparmorProfile"] = PROFILE
    return bundle


def test_without_a_profile_a_container_is_unconfined(runtime, bundle):
    assert runtime.output_of(bundle.args("/bin/cat", CURRENT)).strip("\0\n") == "unconfined"


def test_the_program_runs_under_its_profile(runtime, confined):
    assert runtime.output_of(confined.args("/bin/cat", CURRENT)).strip("\0\n") == LABEL


def test_what_the_profile_denies_is_denied(runtime, confined):
    rootfs = confined.own_rootfs()
    (rootfs / "etc").mkdir(exist_ok=True)
    (rootfs / "etc/denied").write_text("secret\n")
    (rootfs / "etc/allowed").write_text("open\n")
    result = runtime.run(confined.sh("cat /etc/allowed; cat /etc/denied"))
    assert result.stdout == "open\n" and "Permission denied" in result.stderr, str(result)
    assert result.code != 0


def test_the_same_files_can_be_read_without_the_profile(runtime, bundle):
    rootfs = bundle.own_rootfs()
    (rootfs / "etc").mkdir(exist_ok=True)
    (rootfs / "etc/denied").write_text("secret\n")
    assert runtime.output_of(bundle.args("/bin/cat", "/etc/denied")) == "secret\n"


def test_no_new_privileges_does_not_keep_the_profile_away(runtime, confined):
    confined.process["noNewPrivileges"] = True
    assert runtime.output_of(confined.args("/bin/cat", CURRENT)).strip("\0\n") == LABEL


def test_the_profile_is_set_in_a_user_namespace_too(runtime, confined):
    kernel.require_namespace("user")
    assert runtime.output_of(confined.user_namespace().args("/bin/cat", CURRENT)).strip("\0\n") == LABEL


def test_a_profile_that_is_not_loaded_is_refused(runtime, bundle):
    bundle.process["apparmorProfile"] = "kiste-not-loaded"
    runtime.refuses_to_run(bundle, "process.apparmorProfile", "kiste-not-loaded")


def test_unconfined_is_a_profile(runtime, bundle):
    bundle.process["apparmorProfile"] = "unconfined"
    assert runtime.output_of(bundle.args("/bin/cat", CURRENT)).strip("\0\n") == "unconfined"


def test_exec_has_the_containers_profile(runtime, confined):
    container = runtime.run_detached(confined.sleeps())
    assert container.exec_ok("/bin/cat", CURRENT).stdout.strip("\0\n") == LABEL


def test_exec_with_a_profile_of_its_own(runtime, bundle):
    container = runtime.run_detached(bundle.sleeps())
    result = container.exec("/bin/cat", CURRENT, options=("--apparmor", PROFILE))
    assert result.code == 0 and result.stdout.strip("\0\n") == LABEL, str(result)


def test_exec_may_not_leave_the_profile_by_a_file_of_the_image(runtime, confined):
    """CVE-2019-16884 and its kin: a fake /proc takes the write of the label, and the program would run unconfined."""
    rootfs = confined.own_rootfs()
    (rootfs / "proc/self/attr/apparmor").mkdir(parents=True)
    for name in ("exec", "apparmor/exec"):
        (rootfs / "proc/self/attr" / name).write_text("")
    confined.without_mount("/proc")
    confined.linux["maskedPaths"], confined.linux["readonlyPaths"] = [], []
    result = runtime.run(confined.args("/bin/true"))
    # Refused, or done by a /proc of the runtime's own: in no case is the image's file written to.
    assert (rootfs / "proc/self/attr/exec").read_text() == "" == (rootfs / "proc/self/attr/apparmor/exec").read_text(), str(result)
