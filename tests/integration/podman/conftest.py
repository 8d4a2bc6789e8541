# SPDX-License-Identifier: Apache-2.0
"""podman drives the runtime: what its users do with it, each with exact output and exit codes, so that a peer is the oracle.

    RUNTIME=runc python3 -m pytest tests/integration/podman

The stage (mount namespace of our own, subreaper) and the runtime's name come from tests/integration/conftest.py. After
every test there is no container, process, mount or cgroup that was not there before it, and the runtime knows none.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent
for folder in (HERE, HERE.parent):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

import kernel  # noqa: E402
from deadline import SLOWNESS  # noqa: E402
from host_state import describe_process, mountinfo  # noqa: E402
from podman_engine import PATH, Podman, need  # noqa: E402
from pty_session import PtySession  # noqa: E402

REPOSITORY = HERE.parent.parent.parent
DEBIAN_LIMIT = 600  # seconds to make Debian's root file system the first time
TEST_LIMIT = round(90 * SLOWNESS)  # seconds for one test: the last resort behind the limits of each wait
PATIENCE = 10.0 * SLOWNESS  # seconds in which a container that ended must have been cleaned away


@pytest.fixture(autouse=True)
def podman_time_limit():
    def over(*_):
        raise TimeoutError(f"the test took more than {TEST_LIMIT} s")

    before = signal.signal(signal.SIGALRM, over)
    signal.alarm(TEST_LIMIT)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="session")
def memory_folder(host):
    """A folder in memory for podman's storage and for Debian: podman's many fsyncs and the final clearing cost nothing."""
    folder = host.folder / "memory"
    folder.mkdir()
    if kernel.is_root():
        kernel.mount("tmpfs", folder, "tmpfs", 0, "mode=755")
    yield folder
    if kernel.is_root():
        kernel.unmount(folder, kernel.MNT_DETACH)


@pytest.fixture(scope="session")
def session_podman(host, program, memory_folder):
    need("podman", "the engine that these tests drive")
    need("conmon", "podman's monitor", ["/usr/libexec/podman/conmon"])
    if not kernel.is_root():
        pytest.skip("not root: these tests drive rootful podman")
    podman = Podman(memory_folder / "podman", program, host, host.token)
    yield podman
    podman.close()


def imported(podman, tar, name, *options):
    podman.ok("import", "--quiet", *options, tar, name, timeout=120)
    return name


@pytest.fixture(scope="session")
def busybox_tar(session_podman, shared_rootfs):
    tar = session_podman.folder / "busybox.tar"
    subprocess.run(["tar", "--create", "--file", tar, "--directory", shared_rootfs, "."], check=True, timeout=60)
    return tar


@pytest.fixture(scope="session")
def image(session_podman, busybox_tar):
    """Busybox, with no configuration of its own."""
    return imported(session_podman, busybox_tar, "localhost/busybox:test")


@pytest.fixture(scope="session")
def configured_image(session_podman, busybox_tar):
    """Busybox with everything that an image can ask of a container."""
    changes = ["ENV FROM_IMAGE=yes", "WORKDIR /srv", "USER app", 'ENTRYPOINT ["/bin/echo","entry"]', 'CMD ["command"]',
               "STOPSIGNAL SIGUSR1", "LABEL of=image"]
    options = [word for change in changes for word in ("--change", change)]
    return imported(session_podman, busybox_tar, "localhost/configured:test", *options)


@pytest.fixture(scope="session")
def debian_tar(host):
    """Debian 12 with bash and python3. Made once per work tree: it is kept in the build folder."""
    tar = REPOSITORY / "build/rootfs/debian-12.tar"
    if not tar.exists():
        need("mmdebstrap", "it makes Debian's root file system")
    made = subprocess.run([REPOSITORY / "tools/make-debian-rootfs", tar], capture_output=True, text=True,
                          timeout=DEBIAN_LIMIT)
    if made.returncode != 0:
        pytest.skip(f"no root file system of Debian: {made.stderr.strip()[-300:]}")
    return tar


@pytest.fixture(scope="session")
def debian_image(session_podman, debian_tar):
    return imported(session_podman, debian_tar, "localhost/debian:test")


@pytest.fixture(scope="session")
def debian_rootfs(memory_folder, debian_tar):
    """Debian unpacked, for bundles. Containers that write to it take a copy of their own, or an overlay."""
    folder = memory_folder / "debian"
    folder.mkdir()
    subprocess.run(["tar", "--extract", "--numeric-owner", "--file", debian_tar, "--directory", folder], check=True,
                   timeout=120)
    return folder


class Stage:
    """What is there before a test, and what must be there again after it."""

    def __init__(self, podman):
        self.podman = podman
        self.mounts, self.processes = mountinfo(), podman.host.processes()

    def leaks(self):
        host, podman = self.podman.host, self.podman
        found = [f"{describe_process(pid)} left" for pid in sorted(host.processes() - self.processes)]
        found += [f"cgroup left: {path}" for path in sorted(podman.cgroups())]
        # The folder of podman's storage, mounted on itself, and /run/netns are podman's own and stay.
        own = (f" {podman.folder}/root/{podman.driver} ", " /run/netns ")
        now = mountinfo()
        changes = [("mount left", line) for line in now - self.mounts] + [("mount gone", line) for line in self.mounts - now]
        found += [f"{what}: {line}" for what, line in changes if not any(name in line for name in own)]
        return found

    def settled(self):
        """Leaks that stay: conmon and its `podman container cleanup` go on for a moment after a container ended."""
        end = time.monotonic() + PATIENCE
        while self.leaks() and time.monotonic() < end:
            time.sleep(0.02)
        return self.leaks()


@pytest.fixture
def podman(session_podman):
    """podman, which is empty of containers before and after the test."""
    stage = Stage(session_podman)
    yield session_podman
    session_podman.remove_all()
    leaks = stage.settled()
    leaks += [f"the runtime still knows {identifier}" for identifier in session_podman.known_to_runtime()]
    leaks += [f"container left: {identifier}" for identifier in session_podman.containers()]
    leaks += [f"file left: {path}" for path in (session_podman.folder / "tmp").iterdir()]
    if leaks:
        session_podman.host.clear_away({"processes": stage.processes, "mounts": stage.mounts})
        pytest.fail("the test left something behind:\n" + "\n".join(leaks), pytrace=False)


@pytest.fixture
def at_terminal(podman):
    """A function that starts a podman command at a terminal."""

    def start(*arguments, **options):
        return PtySession(podman.command(*arguments), podman.host, env=podman.environment, cwd=podman.folder, **options)

    return start


@pytest.fixture
def shared_folder(workspace):
    """A folder of the host for a container, with one file in it."""
    folder = workspace / "shared"
    folder.mkdir()
    (folder / "file").write_text("from the host\n")
    os.chmod(folder, 0o755)
    return folder


@pytest.fixture
def own_network(podman):
    """A network namespace for the engine itself, so that bridges and firewall rules stay out of the host's: a command
    line to put before podman's."""
    need("nsenter", "util-linux")
    need("netavark", "podman's network tool", ["/usr/lib/podman/netavark", "/usr/libexec/podman/netavark"])
    need("iptables", "netavark makes its rules with it")
    script = "ip link set lo up && echo up && exec sleep 1000"
    holder = subprocess.Popen(["unshare", "--net", "sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              env={"PATH": PATH})
    podman.host.commands[holder.pid] = holder
    worked = holder.stdout.readline() == b"up\n"
    within = ["nsenter", f"--net=/proc/{holder.pid}/ns/net"]
    if worked:
        yield within
        podman.remove_all(within=within)
    holder.kill()
    holder.communicate()
    podman.host.commands.pop(holder.pid)
    if not worked:
        pytest.skip("no network namespace of our own can be made here")
