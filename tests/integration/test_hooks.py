# SPDX-License-Identifier: Apache-2.0
"""Hooks of all six kinds: when they run, in whose namespaces, what they are told, and what becomes of one that fails.

A hook here is a script that writes what it sees into a file of its name.
"""

import json
import os
import signal

import pytest

import kernel
from deadline import eventually
from host_state import process_state

ON_THE_HOST = ["prestart", "createRuntime", "poststart", "poststop"]
BEFORE_PIVOT = ["createContainer"]  # in the container's namespaces, still with the host's root: paths are the host's
IN_THE_CONTAINER = ["startContainer"]
AT_CREATE = pytest.mark.kiste_only("it runs poststart hooks at the end of create, before the program is started (runc#5186)")
TAKES_TOO_LONG = "echo $$ >$SEEN/pid; exec sleep 1000"
ALL = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]


@pytest.fixture
def seen(workspace):
    """A folder that is at the same path on the host and in the container: what hooks write their files into."""
    folder = workspace / "seen"
    folder.mkdir()
    folder.chmod(0o777)
    return folder


def add(bundle, seen, kind, script, **fields):
    """A hook whose script finds the folder in $SEEN."""
    return bundle.hook(kind, "/bin/sh", "-c", f"SEEN={seen}; {script}", **fields)


@pytest.fixture
def hooked(bundle, seen):
    bundle.own_rootfs()
    return bundle.mount(seen, "bind", seen)


def test_hooks_run_in_the_order_of_the_specification(runtime, hooked, seen):
    for kind in reversed(ALL):
        if kind != "poststart":
            add(hooked, seen, kind, f"echo {kind} >>$SEEN/order")
    runtime.output_of(hooked.sh(f"echo program >>{seen}/order"))
    assert (seen / "order").read_text().split() == [
        "prestart", "createRuntime", "createContainer", "startContainer", "program", "poststop"]


@AT_CREATE
def test_poststart_runs_when_the_program_runs(runtime, hooked, seen):
    add(hooked, seen, "poststart", "echo poststart >>$SEEN/order")
    add(hooked, seen, "startContainer", "echo startContainer >>$SEEN/order")
    runtime.output_of(hooked.sh("sleep 0.3"))
    assert (seen / "order").read_text().split() == ["startContainer", "poststart"]


def test_hooks_of_one_kind_run_in_the_order_of_the_list(runtime, hooked, seen):
    for number in range(5):
        add(hooked, seen, "createRuntime", f"sleep 0.0{5 - number}; echo {number} >>$SEEN/order")
    runtime.output_of(hooked)
    assert (seen / "order").read_text().split() == ["0", "1", "2", "3", "4"]


def test_create_runs_the_first_three_and_start_the_others(runtime, hooked, seen):
    kinds = set(ALL) - {"poststart"}
    for kind in kinds:
        add(hooked, seen, kind, f"touch $SEEN/{kind}")
    container = runtime.create(hooked.sleeps())
    assert set(os.listdir(seen)) == {"prestart", "createRuntime", "createContainer"}
    container.start()
    eventually(lambda: set(os.listdir(seen)) == kinds - {"poststop"}, "start's hooks ran")
    container.end()
    assert set(os.listdir(seen)) == kinds


@pytest.mark.parametrize("kind", [*(kind for kind in ALL if kind != "poststart"), pytest.param("poststart", marks=AT_CREATE)])
def test_a_hook_gets_the_state_on_standard_input(runtime, hooked, seen, kind):
    add(hooked, seen, kind, "cat >$SEEN/state")
    hooked.spec["annotations"] = {"key": "value"}
    container = runtime.run_detached(hooked.sleeps())
    pid = container.pid
    container.end()
    state = json.loads((seen / "state").read_text())
    assert state["id"] == container.id
    assert state["bundle"] == str(hooked.folder)
    assert state["annotations"] == {"key": "value"}
    assert state["ociVersion"].startswith("1.")
    if kind in ("prestart", "createRuntime", "poststart"):
        assert state["pid"] == pid
    assert state["status"] in {"poststart": ("running",), "poststop": ("stopped",)}.get(kind, ("creating", "created"))


@pytest.mark.parametrize("kind", ALL)
def test_a_hook_sees_the_namespaces_of_its_kind(runtime, hooked, seen, kind):
    add(hooked, seen, kind, "for name in mnt net uts; do readlink /proc/self/ns/$name; done >$SEEN/namespaces")
    container = runtime.run_detached(hooked.sleeps())
    inside = [os.readlink(f"/proc/{container.pid}/ns/{name}") for name in ("mnt", "net", "uts")]
    container.end()
    outside = [os.readlink(f"/proc/self/ns/{name}") for name in ("mnt", "net", "uts")]
    assert (seen / "namespaces").read_text().split() == (outside if kind in ON_THE_HOST else inside)


@pytest.mark.parametrize("kind", ["createContainer", "startContainer"])
def test_which_root_a_hook_in_the_container_has(runtime, hooked, seen, kind):
    """createContainer comes before pivot_root and still sees the host's files; startContainer sees the container's."""
    add(hooked, seen, kind, f"[ -e {hooked.config} ] && echo host >$SEEN/root || echo container >$SEEN/root")
    runtime.output_of(hooked)
    assert (seen / "root").read_text().strip() == ("host" if kind == "createContainer" else "container")


def test_a_createContainer_hook_sees_the_mounts_of_the_container(runtime, hooked, seen):
    """By the root file system's path on the host, as the hooks of device vendors look for them."""
    add(hooked, seen, "createContainer", f"ls {hooked.rootfs}/proc/1/status {hooked.rootfs}/dev/null >$SEEN/found")
    runtime.output_of(hooked)
    assert (seen / "found").read_text().split() == [f"{hooked.rootfs}/dev/null", f"{hooked.rootfs}/proc/1/status"]


def test_a_createContainer_hook_may_mount_into_the_container(runtime, hooked, seen):
    (seen / "device").write_text("of the hook\n")
    add(hooked, seen, "createContainer", f"mount --bind $SEEN/device {hooked.rootfs}/etc/hostname")
    assert runtime.output_of(hooked.sh("cat /etc/hostname")) == "of the hook\n"


def test_a_hook_has_exactly_its_environment_and_arguments(runtime, bundle, seen):
    tool = seen / "hook"
    tool.write_text(f'#!/bin/sh\nenv >{seen}/env\nfor word; do echo "$word"; done >{seen}/args\n')
    tool.chmod(0o755)
    bundle.spec["hooks"] = {"createRuntime": [{"path": str(tool), "args": ["name", "one", "two words"], "env": ["A=1", "B=x y"]}]}
    runtime.output_of(bundle, env={"PATH": "/usr/bin:/bin", "FROM_HOST": "x"})
    environment = (seen / "env").read_text()
    assert "A=1\nB=x y\n" in environment and "FROM_HOST" not in environment
    assert (seen / "args").read_text() == "one\ntwo words\n"


@pytest.mark.parametrize("kind", ALL)
def test_the_working_directory_of_a_hook(runtime, hooked, seen, kind):
    """On the host the bundle, before pivot_root the container's root, in the container where its program starts."""
    add(hooked, seen, kind, "pwd -P >$SEEN/folder; readlink /proc/self/cwd >>$SEEN/folder")
    hooked.process["cwd"] = "/tmp"
    runtime.output_of(hooked, cwd="/")
    folder = {"createContainer": hooked.rootfs, "startContainer": "/tmp"}.get(kind, hooked.folder)
    assert (seen / "folder").read_text().split() == [str(folder)] * 2


def test_poststop_runs_although_the_bundle_is_gone(runtime, hooked, seen):
    add(hooked, seen, "poststop", "touch $SEEN/stopped")
    container = runtime.run_detached(hooked)
    container.wait()
    hooked.config.rename(seen / "config.json")
    folder = hooked.folder.rename(hooked.folder.with_name("moved"))
    runtime("delete", container.id, cwd="/")
    folder.rename(hooked.folder)
    assert (seen / "stopped").exists()


OF_THE_IMAGE = pytest.mark.kiste_only("its createContainer hooks get the container's environment: CVE-2025-23266")


@pytest.mark.parametrize("kind", [*ON_THE_HOST, pytest.param("createContainer", marks=OF_THE_IMAGE), "startContainer"])
@pytest.mark.parametrize("fields", [{}, {"env": None}], ids=["absent", "null"])
def test_a_hook_without_env_has_the_environment_of_where_it_runs(runtime, hooked, seen, kind, fields):
    """Programs of the host have the runtime's, whose PATH is the host's; the image's has the container's process's."""
    add(hooked, seen, kind, "env >$SEEN/env", **fields)
    hooked.process["env"] = ["PATH=/usr/bin:/bin", "INSIDE=1"]
    (hooked.rootfs / "etc/passwd").write_text("root:x:0:0::/root-of-the-image:/bin/sh\n")
    runtime.output_of(hooked, env={"PATH": "/bin:/usr/bin", "OUTSIDE": "1"})
    environment = set((seen / "env").read_text().splitlines())
    inside, outside = {"PATH=/usr/bin:/bin", "INSIDE=1", "HOME=/root-of-the-image"}, {"PATH=/bin:/usr/bin", "OUTSIDE=1"}
    wanted, unwanted = (inside, outside) if kind == "startContainer" else (outside, inside)
    assert wanted <= environment and not unwanted & environment


@pytest.mark.parametrize("kind", ALL)
def test_a_hook_with_an_empty_env_has_none(runtime, hooked, seen, kind):
    """But for what the shell makes up."""
    add(hooked, seen, kind, "export -p >$SEEN/env", env=[])
    hooked.process["env"] += ["INSIDE=1"]
    runtime.output_of(hooked, env={"PATH": "/bin:/usr/bin", "OUTSIDE": "1"})
    environment = (seen / "env").read_text()
    assert "INSIDE" not in environment and "OUTSIDE" not in environment


@pytest.mark.parametrize("kind", ALL)
def test_the_umask_of_a_hook(runtime, hooked, seen, kind):
    """The runtime's own, which is its caller's; for the hook that comes before the program, the program's."""
    add(hooked, seen, kind, "umask >$SEEN/umask")
    hooked.process["user"]["umask"] = 0o077
    runtime.run(hooked, umask=0o027)
    assert (seen / "umask").read_text() == ("0077\n" if kind == "startContainer" else "0027\n")


@pytest.mark.parametrize("kind", ["prestart", "createRuntime"])
def test_a_failing_hook_fails_create_and_leaves_nothing(runtime, hooked, seen, kind):
    add(hooked, seen, kind, "echo because >&2; exit 3")
    result = runtime.refuses_to_run(hooked, "hooks")
    assert "3" in result.stderr


@pytest.mark.parametrize("kind", ["createContainer", "startContainer"])
def test_a_failing_hook_in_the_container_fails_run(runtime, hooked, seen, kind):
    add(hooked, seen, kind, "exit 3")
    runtime.refuses_to_run(hooked.sh(f"touch {seen}/started"), "hooks")
    assert not (seen / "started").exists()


@pytest.mark.kiste_only("its start answers before these hooks have run")
@pytest.mark.parametrize("script, fields, why", [
    ("exit 3", {}, "exit status 3"), ("exec sleep 1000", {"timeout": 1}, "killed after its timeout")], ids=["fails", "takes-too-long"])
def test_a_startContainer_hook_that_fails_fails_start(runtime, hooked, seen, script, fields, why):
    """The program never runs; the container is stopped, and its end is left to the caller's delete."""
    add(hooked, seen, "startContainer", script, **fields)
    add(hooked, seen, "poststop", "touch $SEEN/stopped")
    container = runtime.create(hooked.sh(f"touch {seen}/started"))
    result = runtime.refuses("start", container.id)
    assert "hooks.startContainer" in result.stderr and why in result.stderr
    assert container.wait() != 0
    assert container.status == "stopped" and os.listdir(seen) == []
    container.delete()
    assert os.listdir(seen) == ["stopped"]


def test_poststop_runs_when_create_failed(runtime, hooked, seen):
    add(hooked, seen, "createRuntime", "exit 3")
    add(hooked, seen, "poststop", "touch $SEEN/stopped")
    runtime.refuses_to_run(hooked)
    assert (seen / "stopped").exists()


def test_no_further_hooks_run_after_one_that_failed(runtime, hooked, seen):
    add(hooked, seen, "createRuntime", "exit 3")
    add(hooked, seen, "createRuntime", "touch $SEEN/second")
    add(hooked, seen, "createContainer", "touch $SEEN/later")
    runtime.refuses_to_run(hooked)
    assert os.listdir(seen) == []


def test_a_failing_poststop_does_not_keep_the_container(runtime, hooked, seen):
    add(hooked, seen, "poststop", "exit 3")
    container = runtime.run_detached(hooked)
    container.wait()
    runtime("delete", container.id)
    assert runtime.leftovers() == []


@pytest.mark.kiste_only("it stops at the first poststop hook that fails, where the specification wants a warning and the rest")
def test_a_failing_poststop_does_not_keep_the_next_from_running(runtime, hooked, seen):
    add(hooked, seen, "poststop", "exit 3")
    add(hooked, seen, "poststop", "touch $SEEN/second")
    container = runtime.run_detached(hooked)
    container.wait()
    container.delete()
    assert (seen / "second").exists()


@pytest.mark.kiste_only("its poststart hooks belong to create")
def test_a_failing_poststart_fails_start(runtime, hooked, seen):
    """Since specification 1.3: an error, and the container is stopped. Before, it was a warning."""
    add(hooked, seen, "poststart", "exit 3")
    container = runtime.create(hooked.sleeps())
    runtime.refuses("start", container.id)
    container.wait_stopped()
    container.delete()


@pytest.mark.kiste_only("its poststart hooks belong to create")
@pytest.mark.parametrize("waiting", [False, True], ids=["alone", "with a delete that waits"])
def test_a_failing_poststart_of_run_takes_everything_back(runtime, hooked, seen, waiting):
    """Once, though another `delete` may be waiting until `run` lets go of the container."""
    add(hooked, seen, "poststart", f"while {'[ ! -e $SEEN/go ]' if waiting else 'false'}; do sleep 0.01; done; exit 3")
    add(hooked, seen, "poststop", "echo >>$SEEN/stopped")
    name = runtime.new_id()
    run = runtime.spawn("run", "--detach", "--bundle", hooked.sleeps().write(name).folder, name)
    if waiting:
        eventually(lambda: '"running"' in runtime("state", name).stdout, "the container runs")
        delete = runtime.spawn("delete", "--force", name)
        eventually(lambda: runtime("state", name).code != 0 or '"stopped"' in runtime("state", name).stdout, "delete ended the process")
        (seen / "go").touch()
        assert delete.result().code == 0
    runtime.check_refusal(run.result())
    assert (seen / "stopped").read_text() == "\n"
    assert runtime.leftovers() == []


@pytest.mark.kiste_only("its container does not exist until it is made")
@pytest.mark.parametrize("mounts", ["of its own", "of the host"])
@pytest.mark.parametrize("command", ["create", "run"])
def test_nobody_enters_a_container_that_is_being_made(runtime, hooked, seen, command, mounts):
    """Its process has the namespaces, and the host's root still: whoever joined it then would be in that root."""
    if mounts == "of the host":
        kernel.require_root("has no mount namespace of its own")
        hooked.without_namespace("mount").spec["mounts"].clear()
        hooked.linux.pop("maskedPaths"), hooked.linux.pop("readonlyPaths")
        add(hooked, seen, "createRuntime", "touch $SEEN/at; while [ ! -e $SEEN/go ]; do sleep 0.01; done")
    else:
        add(hooked, seen, "createContainer", "touch $SEEN/at; while [ ! -e $SEEN/go ]; do sleep 0.01; done")
    name = runtime.new_id()
    options = ["--detach"] if command == "run" else []
    making = runtime.spawn(command, *options, "--bundle", hooked.sleeps().write(name).folder, name)
    eventually((seen / "at").exists, "the hook runs")
    state = json.loads(runtime.ok("state", name).stdout)
    assert state["status"] == "creating" and state["pid"] > 0
    for options in ([], ["--detach"], ["--ignore-paused"]):
        result = runtime("exec", *options, name, "/bin/touch", seen / "entered")
        runtime.check_refusal(result, code=255)
        assert "it is creating" in result.stderr
    added = seen / "mounts.json"
    added.write_text(json.dumps([{"destination": "/mnt", "type": "tmpfs"}]))
    assert "it is creating" in runtime.refuses("mounts", "add", name, added).stderr
    assert not (seen / "entered").exists()
    (seen / "go").touch()
    assert making.result().code == 0
    assert json.loads(runtime.ok("state", name).stdout)["status"] == {"create": "created", "run": "running"}[command]
    assert runtime.ok("exec", name, "/bin/sh", "-c", "readlink /bin/true").stdout == "busybox\n"


@pytest.mark.kiste_only("how it is left when create dies is its own matter")
@pytest.mark.parametrize("kind", ["createRuntime", "createContainer"])
def test_a_create_that_is_killed_in_a_hook_leaves_a_stopped_container(runtime, hooked, seen, kind):
    add(hooked, seen, kind, TAKES_TOO_LONG)
    name = runtime.new_id()
    making = runtime.spawn("create", "--bundle", hooked.sleeps().write(name).folder, name)
    eventually(lambda: (seen / "pid").exists() and (seen / "pid").read_text().endswith("\n"), "the hook runs")
    making.process.kill()
    if kind in ON_THE_HOST:
        os.kill(int((seen / "pid").read_text()), signal.SIGKILL)  # which is nobody's then
    eventually(lambda: json.loads(runtime.ok("state", name).stdout)["status"] == "stopped", "its process ends with it")
    for command, code in ((("start", name), 1), (("exec", name, "/bin/true"), 255)):
        result = runtime(*command)
        runtime.check_refusal(result, code=code)
        assert "it is stopped" in result.stderr
    runtime.ok("delete", name)


@pytest.mark.parametrize("kind", ["prestart", "createRuntime", "createContainer", "startContainer"])
def test_a_hook_that_takes_too_long_is_ended(runtime, hooked, seen, kind):
    """Those in the container are the launcher's to end, the others the runtime's."""
    add(hooked, seen, kind, TAKES_TOO_LONG, timeout=1)
    runtime.refuses_to_run(hooked.sh(f"touch {seen}/started"), f"hooks.{kind}", "killed after its timeout")
    if kind in ON_THE_HOST:
        assert process_state(int((seen / "pid").read_text())) in ("", "Z")
    assert os.listdir(seen) == ["pid"] and runtime.host.processes() == set()


@pytest.mark.kiste_only("its poststart hooks belong to create")
def test_a_poststart_hook_that_takes_too_long_fails_start(runtime, hooked, seen):
    add(hooked, seen, "poststart", TAKES_TOO_LONG, timeout=1)
    container = runtime.create(hooked.sleeps())
    result = runtime.refuses("start", container.id)
    assert "hooks.poststart[0]" in result.stderr and "killed after its timeout" in result.stderr
    assert process_state(int((seen / "pid").read_text())) in ("", "Z")
    container.wait_stopped()
    container.delete()


def test_a_poststop_hook_that_takes_too_long_does_not_keep_the_container(runtime, hooked, seen):
    add(hooked, seen, "poststop", TAKES_TOO_LONG, timeout=1)
    container = runtime.run_detached(hooked)
    container.wait()
    runtime("delete", container.id)
    assert process_state(int((seen / "pid").read_text())) in ("", "Z")
    assert runtime.leftovers() == []


def test_a_hook_within_its_time_is_left_alone(runtime, hooked, seen):
    add(hooked, seen, "createRuntime", "sleep 0.1; touch $SEEN/done", timeout=10)
    runtime.output_of(hooked)
    assert (seen / "done").exists()


@pytest.mark.parametrize("kind", ["createRuntime", "createContainer", "startContainer"])
def test_a_hook_that_is_not_there_is_refused(runtime, bundle, kind):
    bundle.hook(kind, "/nosuch/hook")
    assert "/nosuch/hook" in runtime.refuses_to_run(bundle, "/nosuch/hook").stderr


def test_a_hook_with_a_relative_path_is_refused(runtime, bundle):
    bundle.hook("createRuntime", "bin/true")
    runtime.refuses_to_run(bundle, "hooks", "bin/true")


def test_a_hook_may_look_into_the_containers_namespaces(runtime, hooked, seen):
    """What network plugins do: the state's pid leads to the network namespace."""
    add(hooked, seen, "createRuntime", """pid=$(sed 's/.*"pid": *\\([0-9]*\\).*/\\1/'); readlink /proc/$pid/ns/net >$SEEN/net""")
    container = runtime.create(hooked)
    assert (seen / "net").read_text().strip() == os.readlink(f"/proc/{container.pid}/ns/net")


def test_poststop_runs_after_the_container_is_gone(runtime, hooked, seen):
    add(hooked, seen, "poststop", """pid=$(cat $SEEN/first); [ -d /proc/$pid/root/bin ] && echo alive >$SEEN/result || echo gone >$SEEN/result""")
    container = runtime.run_detached(hooked.sleeps())
    (seen / "first").write_text(str(container.pid))
    container.end()
    assert (seen / "result").read_text() == "gone\n"


@pytest.mark.parametrize("kind", ALL)
def test_the_output_of_a_hook_is_not_the_containers(runtime, hooked, seen, kind):
    add(hooked, seen, kind, "echo noise; echo noise >&2")
    result = runtime.run(hooked.sh("echo data; echo words >&2"))
    assert (result.code, result.stdout, result.stderr) == (0, "data\n", "words\n")


@pytest.mark.parametrize("kind", ["prestart", "createRuntime", "createContainer", "startContainer"])
def test_what_a_failing_hook_said_is_in_the_error(runtime, hooked, seen, kind):
    add(hooked, seen, kind, """echo because; echo '"reason"' >&2; exit 3""")
    result = runtime.refuses_to_run(hooked, f"hooks.{kind}", r'/bin/sh: exit status 3, output: "because\n\"reason\""')
    assert "because" in result.stderr and "reason" in result.stderr and result.stdout == ""


@pytest.mark.parametrize("kind", ["createContainer", "startContainer"])
def test_a_failing_hook_may_say_much(runtime, hooked, seen, kind):
    """The error holds the beginning; no pipe fills up."""
    add(hooked, seen, kind, "head -c 300000 /dev/zero | tr '\\0' x; exit 3")
    runtime.refuses_to_run(hooked, f"hooks.{kind}", "exit status 3, output: \"xxxx", "xxxx…\"")
