# SPDX-License-Identifier: Apache-2.0
"""Drives the command line of an OCI runtime: kiste-oci, or the one that the environment's RUNTIME names.

    python3 -m pytest tests/integration                 build/release/bin/kiste-oci
    RUNTIME=runc python3 -m pytest tests/integration    the same tests against the peer, which is the oracle

Every test must leave nothing behind: see host_state.py. tests/integration/podman and engines have rules of their own.
"""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

import attack
import cgroups
import kernel
import peers
from bundle import Bundle
from deadline import SLOWNESS
from host_state import Host, Tree
from runtime import Runtime

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
TEST_LIMIT = round(60 * SLOWNESS)  # seconds for one test: the last resort behind the limits of each wait


def runtime_program():
    name = os.environ.get("RUNTIME", "")
    if not name:
        return REPOSITORY / "build/release/bin/kiste-oci"
    return Path(shutil.which(name) or name).absolute()


def pytest_report_header():
    program = runtime_program()
    try:
        version = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10).stdout.split("\n")[0]
    except OSError:
        version = "NOT THERE: build it first, or name another one in RUNTIME"
    user = "root" if kernel.is_root() else f"user {os.geteuid()}"
    return f"runtime: {program} ({version}); {user}; Linux {os.uname().release}; cgroup {cgroups.layout()}"


def pytest_addoption(parser):
    parser.addoption("--no-exceptions", action="store_true", help="run what is kiste_only, or in peers/, with every runtime: does the reason still hold?")


def pytest_collection_modifyitems(config, items):
    name = runtime_program().name
    if name.startswith("kiste") or config.getoption("--no-exceptions"):
        return
    differing = peers.differing(name, cgroups.layout())
    for item in items:
        for marker in item.iter_markers("kiste_only"):
            item.add_marker(pytest.mark.skip(reason=f"not for {name}: {marker.args[0]}"))
        why = differing.get(f"{item.path.stem}.{item.originalname}") or differing.get(f"{item.path.stem}.*")
        if why:
            item.add_marker(pytest.mark.skip(reason=f"not for {name}: {why}"))


@pytest.fixture(scope="session")
def program():
    path = runtime_program()
    if not os.access(path, os.X_OK):
        pytest.exit(f"{path} is not there: build it first, or name another runtime in RUNTIME", returncode=2)
    return path


@pytest.fixture(scope="session")
def host(program):
    host = Host(strict=program.name.startswith("kiste"))
    if program.name == "crun" and kernel.is_root() and cgroups.layout() == "hybrid":
        # crun refuses hybrid hosts, and makes folders there even when it is no cgroup: this is our own mount namespace.
        kernel.unmount("/sys/fs/cgroup/unified")
        kernel.mount("hidden", "/sys/fs/cgroup/unified", "tmpfs")
    yield host
    host.close()


@pytest.fixture(scope="session")
def shared_rootfs(host):
    """Busybox. A bundle whose container writes to it takes `own_rootfs()`."""
    rootfs = host.folder / "rootfs"
    subprocess.run([REPOSITORY / "tools/make-rootfs", rootfs], check=True, timeout=300)
    return rootfs


@pytest.fixture(scope="session")
def shared_files(shared_rootfs):
    return Tree(shared_rootfs)


@pytest.fixture(scope="session")
def probe(host):
    """A static program that does from inside a container what busybox cannot: probe.c; as the build left it, or built now."""
    source, built = HERE / "probe.c", REPOSITORY / "build/release/tests/integration-probe"
    if built.exists() and built.stat().st_mtime >= source.stat().st_mtime:
        return built
    compiler = shutil.which("cc")
    if not compiler:
        pytest.skip("no C compiler: the probe cannot be built")
    program = host.folder / "probe"
    built = subprocess.run([compiler, "-static", "-O1", "-Wall", "-D_GNU_SOURCE", "-o", program, source],
                           capture_output=True, text=True, timeout=60)
    if built.returncode != 0:
        pytest.skip(f"no static C programs can be built here: {built.stderr[-300:]}")
    return program


def is_watched(request):
    parents = Path(request.node.path).parents
    return not any(HERE / folder in parents for folder in ("podman", "engines"))


@pytest.fixture(autouse=True)
def time_limit(request):
    if not is_watched(request):
        yield
        return

    def over(*_):
        raise TimeoutError(f"the test took more than {TEST_LIMIT} s")

    before = signal.signal(signal.SIGALRM, over)
    signal.alarm(TEST_LIMIT)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def workspace(request, host):
    """A folder of this test, with a short path (sockets) that every user can walk through."""
    folder = host.folder / host.new_name()
    folder.mkdir()
    folder.chmod(0o755)
    yield folder
    host.remove_folder(folder)


@pytest.fixture(autouse=True)
def leaves_nothing(request):
    if not is_watched(request):
        yield
        return
    host, shared_files = request.getfixturevalue("host"), request.getfixturevalue("shared_files")
    request.getfixturevalue("workspace")
    before = host.snapshot()
    yield
    leaks = host.leaks_since(before) + [f"shared root file system {change}" for change in shared_files.changes()]
    if leaks:
        host.clear_away(before)
        pytest.fail("the test left something behind:\n" + "\n".join(leaks), pytrace=False)


@pytest.fixture
def runtime(leaves_nothing, program, workspace, host):
    runtime = Runtime(program, workspace / "runtime", host)
    yield runtime
    problems = runtime.close() + runtime.leftovers()
    assert not problems, "\n".join(problems)


@pytest.fixture
def new_bundle(workspace, shared_rootfs):
    """A function that makes one more bundle."""
    made = []

    def make():
        made.append(Bundle(workspace / f"bundle{len(made)}", shared_rootfs))
        return made[-1]

    return make


@pytest.fixture
def bundle(new_bundle):
    return new_bundle()


@pytest.fixture
def marker(workspace):
    """A file of the host that no container may read or write."""
    file = workspace / "marker"
    file.write_text(attack.SECRET)
    yield file
    assert file.read_text() == attack.SECRET, "the attack worked: a file of the host was written to"


@pytest.fixture
def burst():
    """A sysctl of the host that no container may write to."""
    burst_file = Path("/proc/sys/kernel/printk_ratelimit_burst")  # not namespaced, and harmless
    before = burst_file.read_text()
    yield int(before)
    after = burst_file.read_text()
    burst_file.write_text(before)
    assert after == before, "the attack worked: a sysctl of the host was written to"


@pytest.fixture
def volume(workspace):
    """A folder of the host, with a file in it."""
    folder = workspace / "volume"
    folder.mkdir()
    (folder / "file").write_text("from the host\n")
    return folder
