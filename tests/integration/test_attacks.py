# SPDX-License-Identifier: Apache-2.0
"""Attacks that have worked against container runtimes, each really tried: the test fails if it works.

The runtime's program is attacked in a copy, and "the host" is a file that the test made: nothing real is at stake.
Sysctls of the host that an attack aims at are put back whatever happens.
"""

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest

import kernel
from attack import SECRET, no_secret, powerful, way_out
from deadline import SOON, eventually
from runtime import Runtime
from terminal import ConsoleSocket

@pytest.fixture(autouse=True)
def needs_root():
    kernel.require_root("the attacks are those of a container that root started")


@pytest.fixture
def copied(program, workspace, host, leaves_nothing):
    """The runtime as a copy of its program, so that overwriting it harms nobody."""
    copy = workspace / "program" / Path(program).name
    copy.parent.mkdir()
    shutil.copy(program, copy)
    copy.chmod(0o755)
    before = hashlib.sha256(copy.read_bytes()).digest()
    runtime = Runtime(copy, workspace / "copied", host)
    yield runtime
    after = hashlib.sha256(copy.read_bytes()).digest()
    if before != after:
        shutil.copy(program, copy)
    problems = runtime.close() + runtime.leftovers()
    assert before == after, "the attack worked: the runtime's program was overwritten"
    assert not problems, "\n".join(problems)


# -- CVE-2019-5736: the runtime's program overwritten through /proc/self/exe

@pytest.mark.parametrize("entry", ["/proc/self/exe", "/entry", "/link"], ids=["directly", "as-interpreter", "as-symlink"])
def test_proc_self_exe_as_the_program_does_not_open_the_runtime(copied, bundle, probe, marker, entry):
    """The container's program is the runtime itself; an accomplice takes hold of it and writes once it ended."""
    powerful(bundle).add_program(probe)
    (bundle.rootfs / "entry").write_text("#!/proc/self/exe\n")
    (bundle.rootfs / "entry").chmod(0o755)
    (bundle.rootfs / "link").symlink_to("/proc/self/exe")
    accomplice = copied.run_detached(bundle.args("/probe", "hunt", "/stop", str(marker))).says("ready")
    for _ in range(5):
        no_secret(accomplice.exec(entry, "--help"))
    (bundle.rootfs / "stop").touch()
    accomplice.wait()
    no_secret(copied.run(bundle.args(entry, "--help")))


def check_prey(hunter, bundle):
    """Ends the hunt and looks at what was caught. Whoever may trace everything may trace the runtime's processes too."""
    (bundle.rootfs / "stop").touch()
    hunter.wait()
    caught = set(hunter.output.splitlines())
    assert "over" in caught
    bad = [line for line in caught if line.startswith("escape") or line.startswith("traced")]
    if "CAP_SYS_PTRACE" in bundle.process["capabilities"]["effective"]:
        bad = [line for line in bad if not line.startswith("traced")]
    assert not bad, "\n".join(sorted(bad))


@pytest.mark.parametrize("capabilities", [[], ["CAP_SYS_PTRACE"]], ids=["docker", "with-ptrace"])
def test_a_hunter_inside_gets_no_hold_of_what_exec_brings(copied, bundle, probe, marker, capabilities):
    """CVE-2019-5736 and CVE-2016-9962: root inside opens the program, the folders and the descriptors of every process that
    exec brings into the container, and traces it if it can."""
    powerful(bundle).add_program(probe)
    for names in bundle.process["capabilities"].values():
        names += capabilities
    hunter = copied.run_detached(bundle.args("/probe", "hunt", "/stop", str(marker), "trace")).says("ready")
    for _ in range(12):
        hunter.exec_ok("/bin/true")
    check_prey(hunter, bundle)
    if copied.is_kiste:
        status = os.stat(copied.program)
        assert f"program {status.st_dev} {status.st_ino}\n" not in hunter.output, "the host's own program can be seen inside"


def test_a_hunter_in_a_shared_pid_namespace_gets_no_hold_of_create(copied, bundle, new_bundle, probe, marker):
    """The same while a second container is created in the first one's pid namespace, as in a pod."""
    powerful(bundle).add_program(probe)
    hunter = copied.run_detached(bundle.args("/probe", "hunt", "/stop", str(marker), "trace")).says("ready")
    second = powerful(new_bundle()).namespace("pid", f"/proc/{hunter.pid}/ns/pid")
    second.own_rootfs()  # its programs may well be overwritten: the two containers share their processes
    for _ in range(6):
        assert copied.run(second).code == 0
    check_prey(hunter, bundle)


def in_the_hosts_pids(bundle):
    """A user namespace of its own, and every process of the host's to be seen."""
    bundle.user_namespace().without_namespace("pid").without_mount("/proc").mount("/proc", "bind", "/proc", "rbind")
    return bundle.capabilities("CAP_SYS_PTRACE", "CAP_SYS_ADMIN", "CAP_SETUID", "CAP_SETGID", "CAP_SYS_CHROOT")


@pytest.fixture
def hunter(bundle, probe, copied):
    """Root of a user namespace that sees the host's processes and traces the newest of them without a pause."""
    in_the_hosts_pids(bundle).own_rootfs()
    bundle.add_program(probe)
    bundle.process["noNewPrivileges"] = False
    hunter = copied.run_detached(bundle.args("/probe", "pounce", "/stop", "true")).says("ready")
    yield hunter
    (bundle.rootfs / "stop").touch()
    hunter.wait()
    assert set(hunter.output.splitlines()) == {"ready", "over"}, "somebody was traced on the way into the user namespace"


def test_a_hunter_in_the_hosts_pid_namespace_does_not_trace_exec(hunter):
    """Between setns(2) and setresuid(2) it would have the host's root and the host's descriptors."""
    for _ in range(80):
        hunter.exec_ok("/bin/true")


@pytest.mark.kiste_only("crun's command")
def test_a_hunter_in_the_hosts_pid_namespace_does_not_trace_a_change_of_mounts(hunter, volume, workspace):
    add, remove = workspace / "add.json", workspace / "remove.json"
    add.write_text(json.dumps([{"destination": "/mnt", "source": str(volume), "type": "bind", "options": ["bind"]}]))
    remove.write_text(json.dumps([{"destination": "/mnt"}]))
    for _ in range(30):
        hunter.runtime.ok("mounts", "add", hunter.id, add)
        hunter.runtime.ok("mounts", "remove", hunter.id, remove)


@pytest.mark.kiste_only("it wants mappings beside the path of a user namespace")
def test_a_hunter_in_the_hosts_pid_namespace_does_not_trace_who_joins_its_user_namespace(copied, new_bundle, hunter):
    second = in_the_hosts_pids(new_bundle())
    for which in ("uidMappings", "gidMappings"):
        second.linux.pop(which)
    second.namespace("user", f"/proc/{hunter.pid}/ns/user").args("/bin/true")
    for _ in range(40):
        assert copied.run(second).code == 0


def test_a_library_to_preload_is_not_loaded_into_the_runtime(copied, bundle, workspace):
    """The environment of the config is the program's, not that of the runtime's own processes."""
    source = workspace / "evil.c"
    witness = workspace / "loaded"
    source.write_text(f'#include <fcntl.h>\n__attribute__((constructor)) static void Load(void) {{ creat("{witness}", 0600); }}\n')
    library = workspace / "evil.so"
    if os.system(f"cc -shared -fPIC -o {library} {source} 2>/dev/null") != 0:
        pytest.skip("no shared library can be built here")
    bundle.process["env"] += [f"LD_PRELOAD={library}", f"LD_LIBRARY_PATH={workspace}", f"LD_AUDIT={library}"]
    copied.output_of(bundle)
    container = copied.run_detached(bundle.sleeps())
    container.exec_ok("/bin/true", options=["--env", f"LD_PRELOAD={library}"])
    assert not witness.exists()


@pytest.mark.parametrize("name, value", [("LISTEN_FDS", "3"), ("NOTIFY_SOCKET", "/nosuch"), ("_OCI_SYNCPIPE", "3"),
                                         ("MALLOC_TRACE", "/tmp/x"), ("TMPDIR", "/nosuch"), ("HOME", "/nosuch"), ("GCONV_PATH", "/nosuch")])
def test_the_callers_environment_neither_breaks_nor_enters_the_container(runtime, bundle, name, value):
    bundle.own_rootfs()
    result = runtime.run(bundle.args("/bin/env"), env={**os.environ, name: value})
    assert result.code == 0, result
    assert f"{name}={value}" not in result.stdout


# -- CVE-2024-21626: a descriptor of the host as the working folder

@pytest.mark.parametrize("number", range(3, 31))
def test_a_descriptor_as_the_working_folder_leads_nowhere(runtime, bundle, marker, number):
    bundle.process["cwd"] = f"/proc/self/fd/{number}"
    no_secret(runtime.run(bundle.sh(way_out(marker))))


@pytest.mark.parametrize("link", ["/proc/self/fd/", "/proc/1/fd/", "/dev/fd/", "/proc/thread-self/fd/"])
def test_a_symlink_to_a_descriptor_as_the_working_folder_leads_nowhere(runtime, bundle, marker, link):
    rootfs = bundle.own_rootfs()
    for number in range(3, 16):
        (rootfs / f"link{number}").symlink_to(f"{link}{number}")
    for number in (3, 6, 7, 8, 9, 11):
        bundle.process["cwd"] = f"/link{number}"
        no_secret(runtime.run(bundle.sh(way_out(marker))))


def test_exec_with_a_descriptor_as_the_working_folder_leads_nowhere(runtime, bundle, marker):
    container = runtime.run_detached(bundle.sleeps())
    for number in range(3, 24):
        no_secret(container.exec("/bin/sh", "-c", way_out(marker), options=["--cwd", f"/proc/self/fd/{number}"]))


def test_the_program_has_three_descriptors(runtime, bundle, probe):
    assert runtime.output_of(bundle.with_probe(probe, "fds")).split() == ["0", "1", "2"]


@pytest.mark.kiste_only("the host's /sys/fs/cgroup lands there (CVE-2024-21626)")
@pytest.mark.parametrize("closed", [(0,), (2,), (0, 1, 2)], ids=str)
@pytest.mark.parametrize("command", ["run", "exec"])
def test_a_closed_standard_stream_is_not_filled_with_the_runtimes_own(runtime, bundle, command, closed):
    """The next descriptor that the runtime opens would be it: a namespace, the container's first process."""
    listing = bundle.own_rootfs() / "listing"
    script = "exec 9>/listing; for fd in 0 1 2; do echo $(readlink /proc/$$/fd/$fd) >&9; done; touch /done; sleep 1000"
    prefix = ["sh", "-c", f'exec "$@" {" ".join(f"{stream}>&-" for stream in closed)}', "sh"]
    if command == "run":
        runtime.run_detached(bundle.namespace("network", "/proc/self/ns/net").sh(script), prefix=prefix)
    else:
        container = runtime.run_detached(bundle.sleeps())
        assert container.exec("/bin/sh", "-c", script, options=["--detach"], prefix=prefix).code == 0
    eventually((bundle.rootfs / "done").exists, "the program has listed its streams")
    for opened in listing.read_text().splitlines():
        assert opened in ("", "/dev/null") or opened.endswith((".out", ".err")), opened


def test_hooks_hold_no_descriptor_of_the_callers(runtime, bundle, marker, workspace):
    """A hook that stays would keep an engine's pipes open; one inside would hold a folder of the host."""
    seen = workspace / "seen"
    seen.mkdir()
    bundle.own_rootfs()
    kinds = ["prestart", "createRuntime", "createContainer", "startContainer", "poststop"]
    for kind in kinds:
        bundle.hook(kind, "/bin/sh", "-c", f"ls -l /proc/self/fd >{seen}/{kind}")
    bundle.mount(seen, "bind", seen)
    prefix = ["sh", "-c", f'exec "$@" 3<{marker} 7<{marker.parent} 9<{marker}', "sh"]
    assert runtime.run(bundle.args("/bin/true"), prefix=prefix).code == 0
    for kind in kinds:
        opened = [line.split(" -> ")[-1] for line in (seen / kind).read_text().splitlines()]
        assert str(marker) not in opened and str(marker.parent) not in opened, kind


def test_a_process_of_exec_has_three_descriptors(runtime, bundle, probe):
    container = runtime.run_detached(bundle.add_program(probe).sleeps())
    assert container.exec_ok("/probe", "fds").stdout.split() == ["0", "1", "2"]


def test_a_program_in_a_terminal_has_three_descriptors(runtime, bundle, probe, workspace):
    socket = ConsoleSocket(workspace / "console")
    try:
        bundle.with_probe(probe, "fds").process["terminal"] = True
        container = runtime.create(bundle, "--console-socket", socket.path)
        terminal = socket.receive()
        container.start()
        assert terminal.read_all().split() == ["0", "1", "2"]
        terminal.close()
    finally:
        socket.close()


def test_the_last_step_before_the_program_shows_no_folder_of_the_host(runtime, bundle, marker):
    """A created container waits inside with what it has open: none of it may lead out."""
    container = runtime.create(bundle)
    look = f"cat $door{marker} $door/{marker.name} $door/../../../../..{marker} 2>/dev/null"
    script = f"for door in /proc/1/fd/* /proc/1/cwd /proc/1/root; do {look}; done; true"
    no_secret(container.exec("/bin/sh", "-c", script))


# -- CVE-2021-30465 and its kin: paths that change while they are used

@pytest.fixture
def volume(workspace):
    folder = workspace / "volume"
    folder.mkdir()
    return folder


def test_a_destination_that_is_swapped_for_a_symlink_stays_inside(runtime, bundle, new_bundle, probe, volume, marker, workspace):
    """Container one swaps folder and link in a volume while container two is created with mounts below it. The link names
    a folder of the host; what is mounted there must never show on the host (all of this session's mounts are shared)."""
    target = workspace / "target"
    target.mkdir()
    (volume / "a").mkdir()
    (volume / "b").symlink_to("/" + os.path.relpath(target, "/"))
    attacker = new_bundle()
    powerful(attacker).mount("/volume", "bind", volume)
    racing = runtime.run_detached(attacker.with_probe(probe, "swap", "/volume/a", "/volume/b", "/volume/stop")).says("ready")
    bundle.own_rootfs()
    bundle.mount("/volume", "bind", volume)
    for number in range(4):
        bundle.mount("/volume/a/inner" if number % 2 else "/volume/a", "tmpfs", "tmpfs", "size=4k", f"nr_inodes={100 + number}")
    escaped = []
    for _ in range(12):
        runtime.run(bundle.sh("true"))
        escaped += [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if "nr_inodes=10" in line]
    (volume / "stop").touch()
    racing.wait()
    assert int(racing.output.split()[-1]) > 100, "the attacker was too slow to be one"
    assert escaped == [] and os.listdir(target) == []


def test_a_bind_on_a_swapped_destination_does_not_show_the_host(runtime, bundle, new_bundle, probe, volume, marker):
    """The classic of CVE-2021-30465: the link names /, so that a mount may end up over the container's own root."""
    (volume / "a").mkdir()
    (volume / "b").symlink_to("/")
    (volume / "data").mkdir()
    attacker = powerful(new_bundle()).mount("/volume", "bind", volume)
    racing = runtime.run_detached(attacker.with_probe(probe, "swap", "/volume/a", "/volume/b", "/volume/stop")).says("ready")
    bundle.own_rootfs()
    bundle.mount("/volume", "bind", volume).mount("/volume/a", "bind", volume / "data").mount("/volume/a/x", "tmpfs", "tmpfs", "size=4k")
    for _ in range(10):
        no_secret(runtime.run(bundle.sh(f"cat {marker} 2>/dev/null; true")))
    (volume / "stop").touch()
    racing.wait()
    assert not (volume / "data/bin").exists()


@pytest.mark.parametrize("name", [
    pytest.param("dev", marks=pytest.mark.kiste_only("before it pivots it makes /dev/stdin and the like by path: through the link, on the host")),
    "proc", "sys", "etc", "tmp"])
def test_a_root_folder_that_is_a_symlink_to_the_host_stays_inside(runtime, bundle, workspace, marker, name):
    """The image's own folders are links: whatever is mounted, made or masked below them must be in the root file system."""
    target = workspace / "target"
    target.mkdir()
    (target / "kcore").write_text(SECRET)
    rootfs = bundle.own_rootfs()
    shutil.rmtree(rootfs / name)
    (rootfs / name).symlink_to(target)
    bundle.mount("/etc/extra/file", "bind", marker, "ro").mount("/tmp/extra", "tmpfs")
    runtime.run(bundle.sh("true"))
    assert os.listdir(target) == ["kcore"]
    assert (target / "kcore").read_text() == SECRET


@pytest.mark.parametrize("path", ["../../", "/../../../", "/tmp/../../../../", "/a/b/../../../../../"])
def test_a_destination_that_climbs_stays_inside(runtime, bundle, host, path):
    bundle.own_rootfs()
    name = host.new_name()
    runtime.run(bundle.mount(path + name, "tmpfs").sh("true"))
    for parent in [bundle.folder, *bundle.folder.parents]:
        assert not (parent / name).exists(), f"{parent}/{name} was made on the host"


@pytest.mark.parametrize("form", ["../{}", "../../{}", "x/../../{}", "/{}", "./{}"])
@pytest.mark.parametrize("command", ["create", "state", "delete", "kill", "start", "exec"])
def test_an_id_does_not_climb(runtime, bundle, form, command):
    bundle.write()
    runtime.state_folder.mkdir(parents=True, exist_ok=True)
    name = runtime.host.new_name()
    victim = runtime.state_folder.parent / name
    victim.mkdir()
    (victim / "state.json").write_text("{}")
    bad = form.format(name)
    arguments = {"create": ["--bundle", bundle.folder, bad], "delete": ["--force", bad], "exec": [bad, "true"]}.get(command, [bad])
    result = runtime(command, *arguments)
    if command != "delete":
        assert result.code != 0, result
    assert (victim / "state.json").read_text() == "{}"


def test_a_cwd_through_a_symlink_of_the_image_makes_nothing_on_the_host(runtime, bundle, workspace):
    (bundle.own_rootfs() / "link").symlink_to(workspace)
    bundle.process["cwd"] = "/link/made"
    runtime.run(bundle)
    assert not (workspace / "made").exists()


def test_files_of_the_image_are_not_followed_to_the_host(runtime, bundle, marker):
    """passwd and group are read to find HOME and groups: as links to files of the host they say nothing of them."""
    rootfs = bundle.own_rootfs()
    hosts = marker.parent / "passwd"
    hosts.write_text("root:x:0:0:root:/from-the-host:/bin/sh\n")
    (rootfs / "etc/passwd").unlink()
    (rootfs / "etc/passwd").symlink_to(hosts)
    assert "/from-the-host" not in runtime.run(bundle.sh("echo $HOME")).stdout


def test_a_passwd_that_is_a_fifo_does_not_hold_the_runtime(runtime, bundle):
    rootfs = bundle.own_rootfs()
    (rootfs / "etc/passwd").unlink()
    os.mkfifo(rootfs / "etc/passwd")
    if not runtime.is_kiste:
        pytest.skip(f"not for {runtime.name}: it waits for a writer for ever")
    runtime.run(bundle.sh("echo $HOME"), timeout=SOON)
