# SPDX-License-Identifier: Apache-2.0
"""docker, podman, containerd, buildah, BuildKit, and containerd and CRI-O as a kubelet calls them, each with the runtime under
test and with its peer, runc, side by side.

    python3 -m pytest tests/integration/engines -k 'docker and exec'

Nothing of the machine's own engines is used: storage, state, sockets and daemons are the session's (daemons.py). After every
test the engine has no container, and there is no process, mount or cgroup that was not there before.
"""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

HERE = Path(__file__).parent
for folder in (HERE, HERE.parent, HERE.parent / "podman"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

import kernel  # noqa: E402
import podman_engine  # noqa: E402
from box import call  # noqa: E402
from deadline import SLOWNESS, eventually  # noqa: E402
from daemons import PAUSE, Crio, Daemons  # noqa: E402
from engines import PATH, Buildah, BuildKit, Containerd, Cri, CrioCri, Docker, Podman  # noqa: E402
from host_state import mountinfo  # noqa: E402
from oci_archive import write_archive  # noqa: E402

TEST_LIMIT = round(120 * SLOWNESS)  # seconds for one action in both boxes: the last resort behind the limits of each wait
PEER = "/usr/sbin/runc"


def need(program, why):
    if not any(os.access(f"{place}/{program}", os.X_OK) for place in PATH.split(":")):
        pytest.skip(f"{program} is not installed: {why}")


@pytest.fixture(autouse=True)
def engine_time_limit():
    def over(*_):
        raise TimeoutError(f"the test took more than {TEST_LIMIT} s")

    before = signal.signal(signal.SIGALRM, over)
    signal.alarm(TEST_LIMIT)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="session")
def runtimes(program):
    need("runc", "the peer that every answer is compared with")
    return {"tested": program, "peer": PEER}


@pytest.fixture(scope="session")
def engine_folder(host, runtimes):
    """In memory: the engines' many fsyncs and the final clearing cost nothing."""
    folder = host.folder / "engines"
    folder.mkdir()
    if kernel.is_root():
        kernel.mount("tmpfs", folder, "tmpfs", 0, "mode=755")
    yield folder
    if kernel.is_root():
        kernel.unmount(folder, kernel.MNT_DETACH)


@pytest.fixture(scope="session")
def busybox(engine_folder, shared_rootfs):
    """Busybox's root file system as a tar and as an image of the OCI's format in one."""
    folder = engine_folder / "image"
    folder.mkdir()
    tar, archive = folder / "busybox.tar", folder / "busybox-oci.tar"
    subprocess.run(["tar", "--create", "--file", tar, "--directory", shared_rootfs, "."], check=True, timeout=60)
    write_archive(archive, tar, Containerd.image, env=[f"PATH=/usr/local/sbin:/usr/local/bin:{PATH}", "FROM_IMAGE=yes"])
    return tar, archive


def need_daemons():
    kernel.require_root("docker and containerd are daemons of root's")
    for program in ("containerd", "dockerd", "docker", "catatonit", "setpriv"):
        need(program, "docker and containerd are driven by these tests")


@pytest.fixture(scope="session")
def daemons(host, engine_folder, runtimes):
    need_daemons()
    started = Daemons(engine_folder / "daemons", host, runtimes)
    started.wait()
    yield started
    started.close()


def ready(engine, busybox):
    """With the image in its storage, in every storage that it has."""
    boxes = [SimpleNamespace(runtime=name) for name in (("tested", "peer") if engine.name in ("podman", "buildkit") else ("tested",))]
    for box in boxes:
        for words in engine.import_image(*busybox):
            made = engine.call(box, words)
            assert made.code == 0, f"the image cannot be brought in: {made}"
    return engine


@pytest.fixture(scope="session")
def docker(engine_folder, host, daemons, busybox):
    engine = ready(Docker(engine_folder / "docker", host, daemons), busybox)
    yield engine
    daemons.close()
    engine.close()


@pytest.fixture(scope="session")
def containerd(engine_folder, host, daemons, busybox):
    need("ctr", "containerd's own client")
    engine = ready(Containerd(engine_folder / "ctr", host, daemons), busybox)
    yield engine
    daemons.close()
    engine.close()


@pytest.fixture(scope="session")
def podman(engine_folder, host, runtimes, busybox):
    need("podman", "one of the engines that these tests drive")
    pair = {name: podman_engine.Podman(engine_folder / f"podman-{name}", path, host, f"{host.token}{name[0]}")
            for name, path in runtimes.items()}
    engine = ready(Podman(engine_folder / "podman", host, pair), busybox)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def buildah(engine_folder, host, busybox):
    kernel.require_root("buildah is driven as root only")
    need("buildah", "one of the engines that these tests drive")
    engine = ready(Buildah(engine_folder / "buildah", host), busybox)
    yield engine
    for line in mountinfo():
        if line.split()[4].startswith(f"{engine.folder}/"):
            kernel.unmount(line.split()[4])
    engine.close()


@pytest.fixture(scope="session")
def own_daemons(engine_folder, host, runtimes):
    """For each runtime daemons that find it by the name of runc, with a network of their own."""
    need_daemons()
    pair = {name: Daemons(engine_folder / f"daemons-{name}", host, runtimes, runc=program) for name, program in runtimes.items()}
    for daemons in pair.values():
        daemons.wait()
    yield pair
    for daemons in pair.values():
        daemons.close()


@pytest.fixture(scope="session")
def buildkit(engine_folder, host, own_daemons, busybox):
    engine = ready(BuildKit(engine_folder / "buildkit", host, own_daemons), busybox)
    yield engine
    for daemons in own_daemons.values():
        daemons.close()
    engine.close()


@pytest.fixture(scope="session")
def cri_client():
    """A function: a client of the socket."""
    pytest.importorskip("grpc", reason="python3-grpcio is not installed: the Container Runtime Interface is gRPC")
    if not os.access("/usr/lib/cni/bridge", os.X_OK):
        pytest.skip("containernetworking-plugins is not installed: pods have no network")
    from cri import Client
    return Client


@pytest.fixture(scope="session")
def crio(engine_folder, host, runtimes, busybox, cri_client):
    kernel.require_root("CRI-O is a daemon of root's")
    programs = [shutil.which(name) for name in ("crio", "pinns")]
    if not all(programs):
        pytest.skip("CRI-O is not installed, which Debian has not: crio and pinns are looked for in PATH")
    for program in ("conmon", "buildah", "catatonit", "setpriv"):
        need(program, "CRI-O is driven by these tests")
    daemon = Crio(engine_folder / "crio-daemon", host, runtimes, *programs, busybox[0], CrioCri.image)
    daemon.wait()
    engine = CrioCri(engine_folder / "crio", host, daemon, daemon.socket, cri_client(daemon.socket))
    yield engine
    daemon.close()
    engine.close()


@pytest.fixture(scope="session")
def cri(engine_folder, host, own_daemons, busybox, cri_client):
    daemons = own_daemons["peer"]
    engine = Cri(engine_folder / "cri", host, daemons, daemons.containerd, cri_client(daemons.containerd))
    tar, archive = busybox
    pause = archive.with_name("pause-oci.tar")
    write_archive(pause, tar, PAUSE, env=[f"PATH={PATH}"], command=["sleep", "100000"])
    for name, file in ((Cri.image, archive), (PAUSE, pause)):
        made = call(engine.import_archive(file), host, engine.environment, engine.folder)
        assert made.code == 0, f"the image cannot be brought in: {made}"
        eventually(lambda: '"id"' in engine.call(None, ["ImageStatus", {"image": {"image": name}}]).stdout, f"containerd knows {name}", 30)
    yield engine
    daemons.close()
    engine.close()
