# SPDX-License-Identifier: Apache-2.0
"""A container that counts, saved and brought back: for the tests of checkpoint and restore."""

import pytest

import kernel
from deadline import eventually

# Every step writes the next number; the streams are the container's own, as runc wants files to be.
COUNT = "exec </dev/null >/dev/null 2>&1; i=0; while :; do i=$((i+1)); echo $i >/dev/shm/new; mv /dev/shm/new /dev/shm/count; sleep 0.05; done"


@pytest.fixture
def criu(request):
    """With a root file system of the bundle's own: criu writes to the container's."""
    kernel.require_criu()
    request.getfixturevalue("bundle").own_rootfs()


@pytest.fixture
def images(workspace):
    return workspace / "images"


def count_of(container):
    return int(container.sh("cat /dev/shm/count"))


def counts_on(container):
    before = count_of(container)
    eventually(lambda: count_of(container) > before, "it counts on")


def counting(runtime, bundle, script=COUNT):
    container = runtime.run_detached(bundle.sh(script))
    eventually(lambda: container.exec("cat", "/dev/shm/count").code == 0, "the container counts")
    return container


def restore(runtime, bundle, images, container_id, *options, **keywords):
    keywords.setdefault("id", container_id)
    return runtime._container(("restore", "--detach"), bundle, ("--image-path", images, *options), keywords)
