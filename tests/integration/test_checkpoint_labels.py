# SPDX-License-Identifier: Apache-2.0
"""The labels of a container that comes back from a checkpoint: on the kinds of host `apparmor` and `selinux` (tests/vm)."""

import os
from pathlib import Path

import pytest

from checkpoints import counting, counts_on, criu, images, restore  # noqa: F401 (criu and images are fixtures)
from test_selinux import FILES, LABELLED, OTHER_FILES, PROCESS, label_of, labelled, labels_of, on, text_of  # noqa: F401 (labelled is a fixture)

PROFILE, OTHER_PROFILE = "kiste-vm", "kiste-vm-other"
PROFILES = Path("/sys/kernel/security/apparmor/profiles")
with_profiles = pytest.mark.skipif(not (PROFILES.exists() and os.geteuid() == 0 and OTHER_PROFILE in PROFILES.read_text()),
                                   reason=f"the profile {OTHER_PROFILE} is not loaded (tools/vm apparmor loads it)")


def current(container):
    return text_of(Path(f"/proc/{container.pid}/attr/current").read_text())


def saved(runtime, bundle, images):
    container = counting(runtime, bundle)
    runtime.ok("checkpoint", "--image-path", images, container.id)
    return container.id


def refuses_to_restore(runtime, bundle, images, container_id, *options):
    return runtime.refuses("restore", "--detach", "--image-path", images, "--bundle", bundle.write(container_id).folder, *options, container_id)


# -- AppArmor

@with_profiles
@pytest.mark.parametrize("options, expected", [((), PROFILE), (("--lsm-profile", f"apparmor:{OTHER_PROFILE}"), OTHER_PROFILE)], ids=["own", "other"])
def test_the_process_has_its_profile_or_another_one(criu, runtime, bundle, images, options, expected):
    bundle.process["apparmorProfile"] = PROFILE
    again = restore(runtime, bundle, images, saved(runtime, bundle, images), *options)
    assert current(again) == f"{expected} (enforce)"
    counts_on(again)
    again.end()


@with_profiles
@pytest.mark.kiste_only("with runc criu hangs in the middle of it")
def test_a_profile_that_is_not_loaded_is_refused(criu, runtime, bundle, images):
    bundle.process["apparmorProfile"] = PROFILE
    container_id = saved(runtime, bundle, images)
    result = refuses_to_restore(runtime, bundle, images, container_id, "--lsm-profile", "apparmor:kiste-not-loaded")
    assert "--lsm-profile" in result.stderr and "kiste-not-loaded" in result.stderr
    bundle.process["apparmorProfile"] = "kiste-not-loaded"
    assert "process.apparmorProfile" in refuses_to_restore(runtime, bundle, images, container_id).stderr


@with_profiles
@pytest.mark.kiste_only("runc brings it back unconfined")
def test_images_without_the_bundles_profile_are_refused(criu, runtime, bundle, images):
    container_id = saved(runtime, bundle, images)
    bundle.process["apparmorProfile"] = PROFILE
    result = refuses_to_restore(runtime, bundle, images, container_id)
    assert "process.apparmorProfile" in result.stderr and PROFILE in result.stderr and "unconfined" in result.stderr


# -- SELinux

@on
def test_mounts_have_the_label_that_they_had(criu, runtime, bundle, images):
    bundle.linux["mountLabel"] = FILES
    again = restore(runtime, bundle, images, saved(runtime, bundle, images))
    # runc leaves the queues, whose label is no option of their mount, to the policy.
    paths = [path for path in LABELLED if runtime.is_kiste or path != "/dev/mqueue"]
    assert labels_of(again, paths) == dict.fromkeys(paths, FILES)
    counts_on(again)
    again.end()


@on
def test_mounts_have_the_label_of_the_option(criu, runtime, bundle, images):
    bundle.linux["mountLabel"] = FILES
    again = restore(runtime, bundle, images, saved(runtime, bundle, images), "--lsm-mount-context", OTHER_FILES)
    paths = [path for path in LABELLED if runtime.is_kiste or path != "/dev/mqueue"]
    assert labels_of(again, paths) == dict.fromkeys(paths, OTHER_FILES)
    counts_on(again)
    again.end()


@on
@pytest.mark.kiste_only("runc leaves mounts as the images have them")
def test_mounts_have_the_label_of_the_bundle(criu, runtime, bundle, images):
    bundle.linux["mountLabel"] = FILES
    container_id = saved(runtime, bundle, images)
    bundle.linux["mountLabel"] = OTHER_FILES
    again = restore(runtime, bundle, images, container_id)
    assert labels_of(again, LABELLED) == dict.fromkeys(LABELLED, OTHER_FILES)
    again.end()


@on
@pytest.mark.kiste_only("runc brings it back under the runtime's label")
@pytest.mark.parametrize("options, named", [((), "process.selinuxLabel"), (("--lsm-profile", f"selinux:{PROCESS}"), "selinux")], ids=["own", "given"])
def test_a_process_without_its_label_is_refused(criu, runtime, labelled, images, options, named):
    """Debian's criu is built without SELinux."""
    result = refuses_to_restore(runtime, labelled, images, saved(runtime, labelled, images), *options)
    assert named in result.stderr, str(result)
