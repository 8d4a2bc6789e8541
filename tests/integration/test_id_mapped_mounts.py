# SPDX-License-Identifier: Apache-2.0
"""Id-mapped mounts: uidMappings and gidMappings of a mount, and the options idmap and ridmap."""

import os

import pytest

import kernel

pytestmark = pytest.mark.kiste_only("runc 1.1.5 refuses id-mapped mounts, crun 1.8.1 has other words for them")


def mappings(host_id, size=65536):
    return [{"containerID": 0, "hostID": host_id, "size": size}]


def map_ids(bundle, destination, uid, gid):
    entry = bundle.mount_of(destination)
    entry["uidMappings"], entry["gidMappings"] = mappings(uid), mappings(gid)


@pytest.fixture
def owned(volume):
    """A folder whose files belong to 1000:2000 on the host's disk."""
    kernel.require_root("file systems are root's to map")
    kernel.require_mappable_ids(volume)
    for path in (volume, volume / "file"):
        os.chown(path, 1000, 2000)
    return volume


def owner(runtime, bundle, path):
    return runtime.output_of(bundle.args("/bin/stat", "-c", "%u:%g", path)).strip()


@pytest.mark.parametrize("option", ["idmap", "ridmap", None])
def test_a_mounts_own_mappings_change_whose_its_files_are(runtime, bundle, owned, option):
    bundle.mount("/mnt", "bind", owned, *([option] if option else []))
    map_ids(bundle, "/mnt", 10000, 20000)
    assert owner(runtime, bundle, "/mnt/file") == "11000:22000"
    assert ((owned / "file").stat().st_uid, (owned / "file").stat().st_gid) == (1000, 2000)


def test_without_the_option_ids_stay(runtime, bundle, owned):
    assert owner(runtime, bundle.mount("/mnt", "bind", owned), "/mnt/file") == "1000:2000"


@pytest.mark.parametrize("option", ["idmap", "ridmap"])
def test_the_option_alone_takes_the_containers_mappings(runtime, bundle, owned, option):
    bundle.user_namespace().mount("/mnt", "bind", owned, option)
    assert owner(runtime, bundle, "/mnt/file") == "1000:2000"


def test_what_is_made_inside_belongs_to_the_mapped_id_on_disk(runtime, bundle, owned):
    os.chown(owned, 0, 0)
    bundle.user_namespace().mount("/mnt", "bind", owned, "idmap")
    runtime.output_of(bundle.args("/bin/touch", "/mnt/new"))
    assert (owned / "new").stat().st_uid == 0


def test_idmap_is_for_the_top_mount_and_ridmap_for_all(runtime, new_bundle, owned):
    (owned / "below").mkdir()
    kernel.mount("below", owned / "below", "tmpfs")
    try:
        (owned / "below/file").touch()
        os.chown(owned / "below/file", 1000, 2000)
        for option, below in (("idmap", "1000:2000"), ("ridmap", "11000:22000")):
            bundle = new_bundle().mount("/mnt", "bind", owned, "rbind", option)
            map_ids(bundle, "/mnt", 10000, 20000)
            bundle.args("/bin/stat", "-c", "%u:%g", "/mnt/file", "/mnt/below/file")
            assert runtime.output_of(bundle).split() == ["11000:22000", below]
    finally:
        kernel.unmount(owned / "below")


def test_a_single_file_can_be_mapped_and_read_only(runtime, bundle, owned):
    bundle.own_rootfs()
    bundle.mount("/file", "bind", owned / "file", "ro", "idmap")
    map_ids(bundle, "/file", 10000, 20000)
    output = runtime.output_of(bundle.sh("stat -c %u:%g /file; echo x 2>/dev/null >/file || echo refused"))
    assert output.split() == ["11000:22000", "refused"]


def test_only_binds_can_be_mapped(runtime, bundle):
    kernel.require_root("file systems are root's to map")
    bundle.mount("/mnt", "tmpfs", "tmpfs", "idmap")
    map_ids(bundle, "/mnt", 10000, 20000)
    runtime.refuses_to_run(bundle, "mounts[", "only bind mounts", "/mnt")


def test_a_file_system_that_cannot_be_mapped_is_refused(runtime, bundle):
    kernel.require_root("file systems are root's to map")
    bundle.mount("/mnt", "bind", "/proc/sys/net", "idmap")
    map_ids(bundle, "/mnt", 10000, 20000)
    runtime.refuses_to_run(bundle, "MOUNT_ATTR_IDMAP", "/proc/sys/net")


def test_the_option_without_any_mapping_is_refused(runtime, bundle, volume):
    kernel.require_root("an ordinary user's container has a user namespace")
    runtime.refuses_to_run(bundle.mount("/mnt", "bind", volume, "idmap"), "idmap")
