# SPDX-License-Identifier: Apache-2.0
"""checkpoint and restore, through CRIU: a container that goes on where it was. Needs a criu that works with this kernel."""

import json
import os
import pty
import socket
import subprocess
import tty
from pathlib import Path

import pytest

import cgroups
import kernel
from checkpoints import COUNT, count_of, counting, counts_on, criu, images, restore  # noqa: F401 (criu and images are fixtures)
from deadline import eventually
from terminal import ConsoleSocket
from test_net_devices import inside, place  # noqa: F401 (place is a fixture)


# -- the command line, without criu

def test_help_of_checkpoint_is_there(runtime):
    runtime.ok("checkpoint", "--help")
    runtime.ok("restore", "--help")


def test_lsm_mount_context_is_known(runtime):
    """podman asks in this way whether it may be used."""
    result = runtime("restore", "--lsm-mount-context")
    assert result.code != 0
    said = result.stdout + result.stderr
    assert "flag needs an argument" in said or "requires an argument" in said


@pytest.mark.kiste_only("runc leaves most of it to criu")
@pytest.mark.parametrize("option, value", [
    ("--page-server", "nowhere"), ("--page-server", "host:0"), ("--page-server", "host:70000"), ("--page-server", ":5"),
    ("--manage-cgroups-mode", "never"), ("--empty-ns", "mount"), ("--network-lock", "rope"), ("--status-fd", "x"),
])
def test_a_wrong_value_is_refused(runtime, option, value):
    result = runtime.refuses("checkpoint", option, value, runtime.new_id())
    assert option in result.stderr and value in result.stderr


@pytest.mark.kiste_only("runc lets criu find out")
def test_a_wrong_lsm_profile_is_refused(runtime, bundle, images):
    result = runtime.refuses("restore", "--lsm-profile", "tomoyo:x", "--bundle", bundle.write().folder, runtime.new_id())
    assert "--lsm-profile" in result.stderr and "tomoyo:x" in result.stderr


def test_an_unknown_container_cannot_be_saved(runtime, images):
    runtime.refuses("checkpoint", "--image-path", images, runtime.new_id())


@pytest.mark.kiste_only("runc asks criu for its version first")
def test_only_what_runs_can_be_saved(runtime, bundle, images):
    container = runtime.create(bundle.sleeps())
    result = runtime.refuses("checkpoint", "--image-path", images, container.id)
    assert "created" in result.stderr
    container.kill("KILL")
    container.wait_stopped()
    result = runtime.refuses("checkpoint", "--image-path", images, container.id)
    assert "stopped" in result.stderr
    assert not images.exists()
    container.delete()


@pytest.mark.kiste_only("runc says it in other words")
def test_without_criu_it_is_said_so(runtime, bundle, images):
    kernel.require_root("restore needs real root")
    container = runtime.run_detached(bundle.sleeps())
    environment = {**os.environ, "PATH": "/nowhere"}
    result = runtime.refuses("checkpoint", "--image-path", images, container.id, env=environment)
    assert "criu: not found" in result.stderr
    assert container.status == "running"
    container.end()
    images.mkdir()
    result = runtime.refuses("restore", "--detach", "--image-path", images, "--bundle", bundle.folder, container.id, env=environment)
    assert "criu: not found" in result.stderr


def test_images_that_are_not_there_cannot_be_restored(criu, runtime, bundle, images):
    result = runtime.refuses("restore", "--detach", "--image-path", images, "--bundle", bundle.sleeps().write().folder, runtime.new_id())
    if runtime.is_kiste:
        assert "--image-path" in result.stderr and str(images) in result.stderr


# -- there and back

def test_a_container_goes_on_where_it_was(criu, runtime, bundle, images):
    container = counting(runtime, bundle)
    runtime.ok("checkpoint", "--image-path", images, container.id)
    runtime.refuses("state", container.id)
    again = restore(runtime, bundle, images, container.id)
    first = count_of(again)
    assert first > 1
    eventually(lambda: count_of(again) > first, "it counts on")
    state = again.state()
    assert state["status"] == "running"
    assert state["pid"] == int(again.pid_file.read_text())
    assert again.sh("hostname") == "kiste\n"
    again.end()


def test_it_may_be_left_running(criu, runtime, bundle, images):
    container = counting(runtime, bundle)
    runtime.ok("checkpoint", "--leave-running", "--image-path", images, container.id)
    counts_on(container)
    container.end()
    again = restore(runtime, bundle, images, container.id)
    assert again.status == "running"
    again.end()


def test_another_id_may_be_given(criu, runtime, bundle, images):
    container = counting(runtime, bundle)
    runtime.ok("checkpoint", "--image-path", images, container.id)
    again = restore(runtime, bundle, images, runtime.new_id())
    assert again.status == "running"
    again.end()


def test_it_lives_in_its_cgroup_with_its_limits(criu, runtime, bundle, images):
    bundle.resources["pids"] = {"limit": 77}
    container = counting(runtime, bundle)
    runtime.ok("checkpoint", "--image-path", images, container.id)
    again = restore(runtime, bundle, images, container.id)
    where = [line for line in open(f"/proc/{again.pid}/cgroup") if line.split(":")[1] in ("", "pids")]
    assert any(again.id in line for line in where), where
    assert again.pid in [entry["pid"] if isinstance(entry, dict) else entry for entry in json.loads(runtime.ok("ps", "--format", "json", again.id).stdout)]
    if cgroups.has_controller("pids"):
        assert cgroups.ProcessCgroups(again.pid).pids_limit() == "77"
    again.end()


def test_a_paused_container_can_be_saved(criu, runtime, bundle, images):
    container = counting(runtime, bundle)
    runtime.ok("pause", container.id)
    runtime.ok("checkpoint", "--image-path", images, container.id)
    again = restore(runtime, bundle, images, container.id)
    if again.status == "paused":
        runtime.ok("resume", again.id)
    counts_on(again)
    again.end()


def test_in_the_foreground_the_exit_code_is_the_programs(criu, runtime, bundle, images):
    bundle.sh("exec </dev/null >/dev/null 2>&1; while ! [ -e /dev/shm/end ]; do sleep 0.05; done; exit 42")
    container = runtime.run_detached(bundle)
    runtime.ok("checkpoint", "--image-path", images, container.id)
    command, again = runtime._container(("restore",), bundle, ("--image-path", images), {"id": container.id}, wait=False)
    eventually(lambda: runtime("state", again.id).code == 0 and again.status == "running", "it runs", 30)
    again.sh("touch /dev/shm/end")
    assert command.result().code == 42
    runtime.refuses("state", again.id)


def test_standard_streams_that_are_pipes_are_the_new_callers(criu, runtime, bundle, images):
    bundle.sh("exec </dev/null 2>/dev/null; i=0; while :; do i=$((i+1)); echo line $i; sleep 0.05; done")
    reader, writer = os.pipe()
    container = runtime.run_detached(bundle, stdout=writer)
    os.close(writer)
    assert b"line 1\n" in os.read(reader, 100)
    runtime.ok("checkpoint", "--image-path", images, container.id)
    os.close(reader)
    reader, writer = os.pipe()
    again = restore(runtime, bundle, images, container.id, stdout=writer)
    os.close(writer)
    assert b"line " in os.read(reader, 100)
    again.end()
    os.close(reader)


@pytest.mark.kiste_only("runc knows pipes only")
def test_standard_streams_that_are_files_are_the_new_callers(criu, runtime, bundle, images):
    container = runtime.run_detached(bundle.sh("i=0; while :; do i=$((i+1)); echo line $i; sleep 0.05; done"))
    container.says("line 1\n")
    runtime.ok("checkpoint", "--image-path", images, container.id)
    again = restore(runtime, bundle, images, container.id)
    again.says("line ")
    assert "line 1\n" not in again.output
    again.end()


def test_a_terminal_is_handed_over_anew(criu, runtime, bundle, images, workspace):
    bundle.process["terminal"] = True
    bundle.sh("while read line; do echo got $line; done")
    socket = ConsoleSocket(workspace / "console")
    container = runtime.run_detached(bundle, "--console-socket", socket.path)
    terminal = socket.receive()
    terminal.write("one\n")
    terminal.read_until("got one")
    runtime.ok("checkpoint", "--image-path", images, container.id)
    terminal.close()
    again = restore(runtime, bundle, images, container.id, "--console-socket", socket.path)
    terminal = socket.receive()
    terminal.write("two\n")
    terminal.read_until("got two")
    again.end()
    terminal.close()
    socket.close()


# -- what is not the container's own

def test_bind_mounts_are_bound_anew(criu, runtime, bundle, images, volume):
    (volume / "word").write_text("before")
    bundle.mount("/data", "bind", str(volume))
    container = counting(runtime, bundle)
    runtime.ok("checkpoint", "--image-path", images, container.id)
    (volume / "word").write_text("after")
    again = restore(runtime, bundle, images, container.id)
    assert again.sh("cat /data/word") == "after"
    assert again.sh("cat /proc/keys 2>/dev/null | wc -c") == "0\n"
    again.end()


def test_a_network_namespace_by_path_is_entered_again(criu, runtime, bundle, images, workspace):
    holder = subprocess.Popen(["unshare", "--net", "sleep", "1000"])
    runtime.host.commands[holder.pid] = holder
    try:
        own = os.readlink("/proc/self/ns/net")
        eventually(lambda: os.readlink(f"/proc/{holder.pid}/ns/net") != own, "a network namespace")
        bundle.namespace("network", f"/proc/{holder.pid}/ns/net")
        container = counting(runtime, bundle)
        runtime.ok("checkpoint", "--image-path", images, container.id)
        again = restore(runtime, bundle, images, container.id)
        assert os.readlink(f"/proc/{again.pid}/ns/net") == os.readlink(f"/proc/{holder.pid}/ns/net")
        again.end()
    finally:
        holder.kill()
        holder.wait()
        runtime.host.commands.pop(holder.pid, None)


@pytest.mark.kiste_only("runc passes linux.netDevices over at a restore")
def test_network_devices_are_moved_again(criu, runtime, bundle, images, place):
    bundle.linux["netDevices"] = {"data0": {"name": "inside0"}}
    place.add("data0", "192.0.2.7/24")
    container = runtime.run_detached(bundle.sh(COUNT), prefix=place.prefix)
    eventually(lambda: container.exec("cat", "/dev/shm/count").code == 0, "the container counts")
    runtime.ok("checkpoint", "--image-path", images, container.id)
    eventually(lambda: "data0" not in place.devices(), "the end of the device, which was a virtual one")
    place.add("data0", "192.0.2.7/24")
    again = restore(runtime, bundle, images, container.id, prefix=place.prefix)
    counts_on(again)
    assert "192.0.2.7/24" in inside(again, "addr", "show", "dev", "inside0") and "data0" not in place.devices()
    again.end()


@pytest.mark.kiste_only("runc passes linux.netDevices over at a restore")
def test_a_failed_restore_gives_network_devices_back(criu, runtime, bundle, images, place):
    container = counting(runtime, bundle)
    runtime.ok("checkpoint", "--image-path", images, container.id)
    place.add("data0", "192.0.2.7/24")
    bundle.linux["netDevices"] = {"data0": {}}
    bundle.hook("createRuntime", "/bin/false").write()
    runtime.refuses("restore", "--detach", "--image-path", images, "--bundle", bundle.folder, container.id, prefix=place.prefix)
    assert "192.0.2.7/24" in place.ip("addr", "show", "dev", "data0")


@pytest.mark.kiste_only("runc passes linux.intelRdt over at a restore")
def test_intel_rdt_is_wanted_again(criu, runtime, bundle, images):
    """No machine of the tests has it: that it is asked for shows in the refusal."""
    container = counting(runtime, bundle)
    runtime.ok("checkpoint", "--image-path", images, container.id)
    bundle.linux["intelRdt"] = {"closID": "kiste"}
    bundle.write()
    result = runtime.refuses("restore", "--detach", "--image-path", images, "--bundle", bundle.folder, container.id)
    assert "linux.intelRdt" in result.stderr and "resctrl" in result.stderr


@pytest.mark.kiste_only("runc leaves it down")
def test_loopback_is_up_in_a_network_namespace_of_its_own(criu, runtime, bundle, images):
    container = counting(runtime, bundle)
    runtime.ok("checkpoint", "--image-path", images, container.id)
    again = restore(runtime, bundle, images, container.id)
    assert "UP" in again.sh("ip link show lo")
    again.end()


def test_hooks_of_the_host_run_once_the_namespaces_are_there(criu, runtime, bundle, images, workspace):
    seen = workspace / "hooks"
    for kind in ("prestart", "createRuntime", "poststop"):
        bundle.hook(kind, "/bin/sh", "-c", f"echo {kind} >>{seen}")
    container = counting(runtime, bundle)
    runtime.ok("checkpoint", "--image-path", images, container.id)
    assert seen.read_text().split() == ["prestart", "createRuntime", "poststop"]
    seen.unlink()
    again = restore(runtime, bundle, images, container.id)
    assert seen.read_text().split() == ["prestart", "createRuntime"]
    again.end()


# -- what criu only saves when it is told to

TALKING = """exec </dev/null >/dev/null 2>&1
ip link set lo up
nc -l -p 1234 -e /bin/sh -c 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done' &
until nc 127.0.0.1 1234; do sleep 0.05; done | while read i; do echo $i >/dev/shm/new; mv /dev/shm/new /dev/shm/count; done"""
UNLINKED = "exec </dev/null >/dev/null 2>&1; exec 3>/dev/shm/a; ln /dev/shm/a /dev/shm/b; rm /dev/shm/a; " + COUNT


@pytest.mark.kiste_only("runc 1.1.5 does not know --link-remap, and leaves loopback down, over which no connection comes back")
@pytest.mark.parametrize("script, option, restored", [(TALKING, "--tcp-established", True), (UNLINKED, "--link-remap", False)],
                         ids=["tcp", "link"])
def test_it_is_refused_without_the_option(criu, runtime, bundle, images, script, option, restored):
    bundle.process["capabilities"] = {kind: ["CAP_NET_ADMIN"] for kind in ("bounding", "effective", "permitted")}
    container = counting(runtime, bundle, script)
    runtime.refuses("checkpoint", "--image-path", images, container.id)
    counts_on(container)
    runtime.ok("checkpoint", option, "--image-path", images, container.id)
    again = restore(runtime, bundle, images, container.id, *([option] if restored else []))
    counts_on(again)
    again.end()


CONNECTED = """exec </dev/null >/dev/null 2>&1; ip link set lo up
nc -l -p 1234 -e sleep 1000 & until sleep 1000 | nc 127.0.0.1 1234; do sleep 0.05; done & """


def established(container):
    """How many ends of connections there are."""
    return [line.split()[3] for line in container.sh("cat /proc/net/tcp /proc/net/tcp6").splitlines()].count("01")


@pytest.mark.kiste_only("runc 1.1.5 does not know --tcp-close")
@pytest.mark.parametrize("option, ends", [("--tcp-established", 2), ("--tcp-close", 0)])
def test_connections_come_back_open_or_closed(criu, runtime, bundle, images, option, ends):
    bundle.process["capabilities"] = {kind: ["CAP_NET_ADMIN"] for kind in ("bounding", "effective", "permitted")}
    container = counting(runtime, bundle, CONNECTED + COUNT)
    eventually(lambda: established(container) == 2, "the connection")
    runtime.ok("checkpoint", "--tcp-established", "--image-path", images, container.id)
    again = restore(runtime, bundle, images, container.id, option)
    counts_on(again)
    assert established(again) == ends
    again.end()


@pytest.mark.kiste_only("runc 1.1.5 does not know --tcp-skip-in-flight")
def test_connections_that_nobody_accepted_are_left_out_if_asked(criu, runtime, bundle, images):
    """In the queue of who listens, and was stopped before it could accept; who asked is gone."""
    if cgroups.layout() != "v2":
        pytest.skip("criu 3.17.1 waits without end for a stopped process in a freezer of cgroup v1, with runc too")
    bundle.process["capabilities"] = {kind: ["CAP_NET_ADMIN"] for kind in ("bounding", "effective", "permitted")}
    in_flight = """exec </dev/null >/dev/null 2>&1; ip link set lo up
    nc -l -p 1234 & listener=$!; until grep -q ':04D2 0*:0000 0A' /proc/net/tcp6; do sleep 0.02; done; kill -STOP $listener
    sleep 1000 | nc 127.0.0.1 1234 & client=$!; until grep -q ':04D2 01 ' /proc/net/tcp; do sleep 0.02; done; killall -KILL sleep; kill -KILL $client
    """
    container = counting(runtime, bundle, in_flight + COUNT)
    runtime.refuses("checkpoint", "--image-path", images / "without", container.id)
    counts_on(container)
    runtime.ok("checkpoint", "--tcp-skip-in-flight", "--image-path", images, container.id)
    again = restore(runtime, bundle, images, container.id)
    counts_on(again)
    again.end()


@pytest.mark.parametrize("how", ["iptables", "nftables"])  # "skip" is for a criu newer than 3.17
@pytest.mark.kiste_only("an option of crun's")
def test_its_connections_are_kept_while_it_is_saved(criu, runtime, bundle, images, how):
    bundle.process["capabilities"] = {kind: ["CAP_NET_ADMIN"] for kind in ("bounding", "effective", "permitted")}
    container = counting(runtime, bundle, TALKING)
    runtime.ok("checkpoint", "--tcp-established", "--network-lock", how, "--leave-running", "--image-path", images, container.id)
    counts_on(container)
    container.end()


def test_the_network_namespace_may_be_restored_empty(criu, runtime, bundle, images):
    """As docker asks for it: its hooks set it up anew."""
    container = counting(runtime, bundle)
    runtime.ok("checkpoint", "--empty-ns", "network", "--image-path", images, container.id)
    again = restore(runtime, bundle, images, container.id, "--empty-ns", "network")
    counts_on(again)
    again.end()


def comes_back_with_cgroups(runtime, bundle, images, mode):
    container = counting(runtime, bundle)
    runtime.ok("checkpoint", "--manage-cgroups-mode", mode, "--image-path", images, container.id)
    again = restore(runtime, bundle, images, container.id, "--manage-cgroups-mode", mode)
    counts_on(again)
    runtime.ok("pause", again.id)
    assert again.status == "paused"
    runtime.ok("resume", again.id)
    again.end()


@pytest.mark.parametrize("mode", ["soft", "full", "strict"])
def test_modes_of_cgroups(criu, runtime, bundle, images, mode):
    comes_back_with_cgroups(runtime, bundle, images, mode)


def counting_below(runtime, bundle):
    """A container whose first process is in a cgroup below the container's, which is the second result."""
    container = counting(runtime, bundle)
    folder = cgroups.ProcessCgroups(container.pid).folder("pids")
    (folder / "inner").mkdir()
    (folder / "inner/cgroup.procs").write_text(str(container.pid))
    return container, folder


@pytest.mark.parametrize("mode", ["soft", "full", "strict"])
def test_a_process_comes_back_where_it_was(criu, runtime, bundle, images, mode):
    container, folder = counting_below(runtime, bundle)
    runtime.ok("checkpoint", "--manage-cgroups-mode", mode, "--image-path", images, container.id)
    again = restore(runtime, bundle, images, container.id, "--manage-cgroups-mode", mode)
    counts_on(again)
    assert cgroups.ProcessCgroups(again.pid).folder("pids") == folder / "inner"
    again.end()


@pytest.mark.kiste_only("runc's comes back where the first container was")
def test_a_process_comes_back_below_the_new_containers_cgroup(criu, runtime, bundle, images, host):
    container, folder = counting_below(runtime, bundle)
    runtime.ok("checkpoint", "--image-path", images, container.id)
    again = restore(runtime, bundle, images, container.id, id=host.new_name())
    counts_on(again)
    assert cgroups.ProcessCgroups(again.pid).folder("pids") == folder.with_name(again.id) / "inner"
    again.end()


@pytest.mark.kiste_only("runc takes a cgroup that is there in any mode")
def test_the_strict_mode_refuses_a_cgroup_that_is_there(criu, runtime, bundle, images, host):
    container = counting(runtime, bundle)
    folder = cgroups.ProcessCgroups(container.pid).folder("pids")
    runtime.ok("checkpoint", "--manage-cgroups-mode", "strict", "--image-path", images, container.id)
    folder.mkdir()
    result = runtime.refuses("restore", "--detach", "--manage-cgroups-mode", "strict", "--image-path", images, "--bundle", bundle.folder, container.id)
    assert str(folder) in result.stderr
    assert host.cgroups() == {str(folder)}
    folder.rmdir()
    again = restore(runtime, bundle, images, container.id, "--manage-cgroups-mode", "strict")
    counts_on(again)
    again.end()


@pytest.mark.kiste_only("runc 1.1.5 does not know this mode yet")
def test_cgroups_may_be_ignored(criu, runtime, bundle, images):
    comes_back_with_cgroups(runtime, bundle, images, "ignore")


@pytest.fixture
def terminals():
    """Makes terminals of this process: the end to read, and the end that a program gets."""
    opened = []

    def make():
        ours, theirs = pty.openpty()
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        opened.extend((ours, theirs))
        return ours, theirs

    yield make
    for end in opened:
        os.close(end)


def hears(descriptor, word):
    def heard():
        try:
            return word in os.read(descriptor, 4096)
        except BlockingIOError:
            return False

    eventually(heard, f"{word!r} on the terminal")


@pytest.mark.kiste_only("runc 1.1.5 leaves the terminal to criu, which does not find it among the container's mounts")
def test_a_job_of_a_shell_gets_the_callers_terminal(criu, runtime, bundle, images, terminals):
    """No terminal of its own (process.terminal): the one that the caller has."""
    bundle.sh("exec 2>/dev/null; i=0; while :; do i=$((i+1)); echo line $i; sleep 0.05; done")
    ours, theirs = terminals()
    container = runtime.run_detached(bundle, stdin=theirs, stdout=theirs)
    hears(ours, b"line 1")
    runtime.refuses("checkpoint", "--image-path", images / "without", container.id)
    assert container.status == "running"
    runtime.ok("checkpoint", "--shell-job", "--image-path", images, container.id)
    ours, theirs = terminals()
    again = restore(runtime, bundle, images, container.id, "--shell-job", stdin=theirs, stdout=theirs)
    hears(ours, b"line ")
    again.end()


@pytest.fixture
def mailbox(volume):
    """A datagram socket of the host, in a folder that the container has under the same path."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(volume / "socket"))
        receiver.settimeout(30)
        yield receiver


def test_a_socket_of_the_host_is_connected_anew(criu, runtime, bundle, images, probe, mailbox):
    place = mailbox.getsockname()
    folder = os.path.dirname(place)
    bundle.add_program(probe).mount(folder, "bind", folder).without_namespace("network")  # where criu sees the other end
    container = runtime.run_detached(bundle.sh(f"exec </dev/null >/dev/null 2>&1; exec /probe count-to {place}"))
    first = int(mailbox.recv(100))
    runtime.refuses("checkpoint", "--image-path", images / "without", container.id)
    runtime.ok("checkpoint", "--ext-unix-sk", "--image-path", images, container.id)
    again = restore(runtime, bundle, images, container.id, "--ext-unix-sk")
    mailbox.setblocking(False)
    eventually(lambda: count_in(mailbox) > first + 10, "it counts on")
    again.end()


def count_in(mailbox):
    """The last number that has come; 0 for none."""
    number = 0
    while True:
        try:
            number = int(mailbox.recv(100))
        except BlockingIOError:
            return number


def test_a_user_namespace(criu, runtime, bundle, images):
    bundle.user_namespace()
    container = counting(runtime, bundle)
    if not runtime.is_kiste:
        images.mkdir(mode=0o755)  # for root inside to read them
    runtime.ok("checkpoint", "--image-path", images, container.id)
    assert not runtime.is_kiste or (images.stat().st_mode & 0o777, images.stat().st_gid) == (0o710, 100000)
    again = restore(runtime, bundle, images, container.id)
    counts_on(again)
    assert again.sh("id -u; cat /proc/self/uid_map").split() == ["0", "0", "100000", "65536"]
    again.end()


def test_all_of_its_processes(criu, runtime, bundle, images):
    bundle.sh("exec </dev/null >/dev/null 2>&1; sleep 1000 & sleep 1001 & (sleep 1002 & sleep 1003) & " + COUNT)
    container = runtime.run_detached(bundle)
    eventually(lambda: container.exec("cat", "/dev/shm/count").code == 0, "the container counts")
    runtime.ok("checkpoint", "--image-path", images, container.id)
    again = restore(runtime, bundle, images, container.id)
    assert {f"sleep {n}" for n in range(1000, 1004)} <= set(again.sh("for n in /proc/[0-9]*; do tr '\\0' ' ' <$n/cmdline; echo; done").replace(" \n", "\n").splitlines())
    again.end()


# -- more than one dump

def test_memory_is_saved_beforehand(criu, runtime, bundle, images, workspace):
    container = counting(runtime, bundle)
    runtime.ok("checkpoint", "--pre-dump", "--image-path", workspace / "before", container.id)
    assert container.status == "running"
    runtime.ok("checkpoint", "--parent-path", "../before", "--image-path", images, container.id)
    assert (images / "parent").is_symlink()
    again = restore(runtime, bundle, images, container.id)
    counts_on(again)
    again.end()


def test_a_page_is_kept_once(criu, runtime, bundle, images, workspace):
    container = counting(runtime, bundle)
    runtime.ok("checkpoint", "--pre-dump", "--image-path", workspace / "before", container.id)
    runtime.ok("checkpoint", "--auto-dedup", "--parent-path", "../before", "--image-path", images, container.id)
    again = restore(runtime, bundle, images, container.id, "--auto-dedup")
    counts_on(again)
    again.end()


@pytest.mark.kiste_only("runc names the option only")
@pytest.mark.parametrize("parent", ["/tmp", "../nowhere"])
def test_a_parent_that_cannot_be_is_refused(criu, runtime, bundle, images, parent):
    container = runtime.run_detached(bundle.sleeps())
    result = runtime.refuses("checkpoint", "--parent-path", parent, "--image-path", images, container.id)
    assert "--parent-path" in result.stderr and parent in result.stderr
    container.end()


def test_memory_may_be_sent_to_another_place(criu, runtime, bundle, images, workspace):
    """A page server of criu's, on another host if need be, has the memory; the rest is where it always is."""
    container = counting(runtime, bundle)
    elsewhere = workspace / "elsewhere"
    elsewhere.mkdir()
    server = subprocess.Popen(["criu", "page-server", "--address", "127.0.0.1", "--port", "27128", "--images-dir", elsewhere],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    runtime.host.commands[server.pid] = server
    try:
        listens = f":{27128:04X} 00000000:0000 0A"
        eventually(lambda: listens in Path("/proc/net/tcp").read_text(), "the page server listens", 30)
        runtime.ok("checkpoint", "--page-server", "127.0.0.1:27128", "--image-path", images, container.id)
        assert server.wait(30) == 0
    finally:
        server.kill()
        server.wait()
        runtime.host.commands.pop(server.pid, None)
    assert list(elsewhere.glob("pages-*.img")) and not list(images.glob("pages-*.img"))
    for file in elsewhere.glob("page*.img"):
        file.rename(images / file.name)
    again = restore(runtime, bundle, images, container.id)
    counts_on(again)
    again.end()


def test_memory_may_come_over_the_network_when_it_is_needed(criu, runtime, bundle, images, workspace):
    container = counting(runtime, bundle)
    reader, writer = os.pipe()
    dump = runtime.spawn("checkpoint", "--lazy-pages", "--page-server", "127.0.0.1:27127", "--status-fd", str(writer),
                         "--image-path", images, container.id, pass_fds=[writer])
    os.close(writer)
    assert os.read(reader, 1) == b"\0"
    os.close(reader)
    work = workspace / "work"
    work.mkdir()
    pages = subprocess.Popen(["criu", "lazy-pages", "--page-server", "--address", "127.0.0.1", "--port", "27127", "--images-dir", images,
                              "--work-dir", work], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    runtime.host.commands[pages.pid] = pages
    try:
        eventually(lambda: (work / "lazy-pages.socket").exists(), "criu lazy-pages listens", 30)
        again = restore(runtime, bundle, images, runtime.new_id(), "--lazy-pages", "--work-path", work)
        assert dump.result().code == 0
        first = count_of(again)
        eventually(lambda: count_of(again) > first, "it counts on")
        again.end()
    finally:
        pages.kill()
        pages.wait()
        runtime.host.commands.pop(pages.pid, None)


# -- failures

def test_after_a_failed_checkpoint_the_container_runs_on(criu, runtime, bundle, images, probe):
    """A lock that is held: criu wants --file-locks."""
    bundle.add_program(probe).sh("exec </dev/null >/dev/null 2>&1; exec /probe lock /dev/shm/lock")
    container = runtime.run_detached(bundle)
    eventually(lambda: container.exec("ls", "/dev/shm/lock.held").code == 0, "the lock")
    result = runtime.refuses("checkpoint", "--image-path", images, container.id)
    if runtime.is_kiste:
        assert "Error" in result.stderr and "dump.log" in result.stderr
    assert container.status == "running"
    assert container.sh("echo alive") == "alive\n"
    runtime.ok("checkpoint", "--file-locks", "--image-path", images, container.id)
    again = restore(runtime, bundle, images, container.id, "--file-locks")
    again.end()


def test_a_failed_restore_leaves_nothing(criu, runtime, bundle, images):
    container = counting(runtime, bundle)
    runtime.ok("checkpoint", "--image-path", images, container.id)
    for core in images.glob("core-*.img"):
        core.write_bytes(b"not an image")
    result = runtime.refuses("restore", "--detach", "--image-path", images, "--bundle", bundle.folder, container.id)
    if runtime.is_kiste:
        assert "Error" in result.stderr and "restore.log" in result.stderr
    runtime.refuses("state", container.id)


@pytest.mark.kiste_only("runc passes a failing hook over")
def test_a_failing_hook_undoes_the_restore(criu, runtime, bundle, images):
    container = counting(runtime, bundle)
    runtime.ok("checkpoint", "--image-path", images, container.id)
    bundle.hook("createRuntime", "/bin/sh", "-c", "echo no >&2; exit 3").write()
    result = runtime.refuses("restore", "--detach", "--image-path", images, "--bundle", bundle.folder, container.id)
    assert "hooks.createRuntime[0]" in result.stderr


def test_a_taken_id_is_refused(criu, runtime, bundle, images):
    container = counting(runtime, bundle)
    runtime.ok("checkpoint", "--leave-running", "--image-path", images, container.id)
    runtime.refuses("restore", "--detach", "--image-path", images, "--bundle", bundle.folder, container.id)
    assert container.status == "running"
    container.end()
