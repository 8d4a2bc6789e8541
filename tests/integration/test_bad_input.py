# SPDX-License-Identifier: Apache-2.0
"""Everything invalid is refused: kiste-oci says in one line which field or file is wrong and with what value, and exits with 1.

The leak check of every test proves that nothing is left. What runc takes all the same is marked.
"""

import json
import os
import signal
import time

import pytest

import kernel


def changed(bundle, path, value):
    """Sets spec[path] (dots between names); a value of `...` removes it."""
    *parents, last = path.split(".")
    place = bundle.spec
    for name in parents:
        place = place[int(name)] if isinstance(place, list) else place.setdefault(name, {})
    if value is ...:
        del place[last]
    elif isinstance(place, list):
        place[int(last)] = value
    else:
        place[last] = value
    return bundle


# -- the file

def create_with_text(runtime, bundle, text):
    bundle.config.write_bytes(text if isinstance(text, bytes) else text.encode())
    return runtime.refuses("create", "--bundle", bundle.folder, runtime.new_id())


NO_OBJECTS = {"empty": "", "blank": " ", "brace": "{", "comma": '{"ociVersion": "1.0.2",}', "cut": '{"ociVersion": "1.0.2"', "words": "no json",
              "nul": "\0", "surrogate": b'{"a": "\xed\xa0\x80"}', "utf16": b"\xff\xfe{}", "list": "[]", "text": '"text"', "number": "17", "true": "true"}


@pytest.mark.parametrize("text", [
    *(pytest.param(text, id=name) for name, text in NO_OBJECTS.items()),
    pytest.param("null", id="null", marks=pytest.mark.kiste_only("it panics: nil pointer dereference"))])
def test_a_config_that_is_no_json_object_is_refused(runtime, bundle, text):
    result = create_with_text(runtime, bundle, text)
    if runtime.is_kiste:
        assert "config.json" in result.stderr, result


def test_a_config_cut_anywhere_is_refused(runtime, bundle):
    text = bundle.write().config.read_text()
    for length in range(1, len(text) - 1, len(text) // 7):
        create_with_text(runtime, bundle, text[:length])


@pytest.mark.kiste_only("it reads the first value and not what follows")
def test_something_after_the_object_is_refused(runtime, bundle):
    result = create_with_text(runtime, bundle, bundle.write().config.read_text() + "{}")
    assert "config.json" in result.stderr


@pytest.mark.parametrize("opening, closing", [("[", "]"), ('{"a":', "}")], ids=["lists", "objects"])
@pytest.mark.parametrize("closed", [True, False], ids=["closed", "open"])
def test_a_config_nested_100000_deep_is_refused(runtime, bundle, opening, closing, closed):
    deep = opening * 100_000 + ("1" + closing * 100_000 if closed else "")
    create_with_text(runtime, bundle, f'{{"ociVersion": "1.0.2", "annotations": {deep}}}')


def test_a_config_nested_100000_deep_in_a_field_that_nobody_knows_does_no_harm(runtime, bundle):
    text = json.dumps(bundle.spec)[:-1] + ', "unknown": ' + "[" * 100_000 + "]" * 100_000 + "}"
    create_with_text(runtime, bundle, text)


@pytest.mark.parametrize("size", [
    pytest.param(1 << 20, id="1M"), pytest.param(64 << 20, id="64M", marks=pytest.mark.kiste_only("it needs up to half a minute for it"))])
def test_a_huge_config_is_refused_or_taken(runtime, bundle, size):
    bundle.spec["annotations"] = {"huge": "x" * size}
    result = runtime.run(bundle)
    assert result.code in (0, 1)
    if result.code == 1:
        runtime.check_refusal(result)


def test_a_config_that_is_not_there_is_refused(runtime, bundle):
    result = runtime.refuses("create", "--bundle", bundle.folder, runtime.new_id())
    assert "config.json" in result.stderr


def test_a_config_that_is_a_folder_is_refused(runtime, bundle):
    bundle.config.mkdir()
    runtime.refuses("create", "--bundle", bundle.folder, runtime.new_id())


def test_a_config_that_is_a_fifo_does_not_hang_for_ever(runtime, bundle):
    """Nobody writes to it. runc waits for a writer; kiste-oci refuses what is no regular file."""
    if not runtime.is_kiste:
        pytest.skip(f"not for {runtime.name}: it waits for a writer for ever")
    os.mkfifo(bundle.config)
    result = runtime.refuses("create", "--bundle", bundle.folder, runtime.new_id())
    assert "config.json" in result.stderr


def test_a_config_without_permission_is_refused(runtime, bundle):
    if kernel.is_root():
        pytest.skip("root may read everything")
    bundle.write().config.chmod(0)
    assert "config.json" in runtime.refuses("create", "--bundle", bundle.folder, runtime.new_id()).stderr


def test_a_bundle_that_is_not_there_is_refused(runtime, workspace):
    result = runtime.refuses("create", "--bundle", workspace / "nosuch", runtime.new_id())
    assert str(workspace / "nosuch") in result.stderr


def test_a_bundle_that_is_a_file_is_refused(runtime, workspace):
    (workspace / "file").touch()
    result = runtime.refuses("create", "--bundle", workspace / "file", runtime.new_id())
    assert str(workspace / "file") in result.stderr


def test_fields_that_nobody_knows_are_passed_over(runtime, bundle):
    """The specification: what is unknown must not be an error."""
    bundle.spec.update(unknown=1)
    bundle.process["unknown"] = {"a": [1]}
    bundle.linux["unknown"] = None
    assert runtime.run(bundle).code == 0


def test_a_byte_order_mark_is_refused_or_passed_over(runtime, bundle):
    bundle.config.write_bytes(b"\xef\xbb\xbf" + json.dumps(bundle.spec).encode())
    container_id = runtime.new_id()
    result = runtime("create", "--bundle", bundle.folder, container_id)
    assert result.code in (0, 1)


# -- types

WRONG_TYPES = [
    ("ociVersion", 1), ("process", []), ("process", "x"), ("process.args", "sh"), ("process.args", [1]), ("process.args", {"a": 1}),
    ("process.env", "A=1"), ("process.env", [None, 1]), ("process.cwd", 5), ("process.cwd", ["/"]), ("process.user", 0), ("process.user.uid", "0"),
    ("process.user.uid", -1), ("process.user.uid", 1.5), ("process.user.uid", 4294967296), ("process.user.gid", True),
    ("process.user.additionalGids", 5), ("process.user.additionalGids", ["5"]), ("process.user.umask", "022"), ("process.terminal", "false"),
    ("process.terminal", 0), ("process.noNewPrivileges", "true"), ("process.oomScoreAdj", "high"), ("process.oomScoreAdj", 0.5),
    ("process.capabilities", ["CAP_KILL"]), ("process.capabilities.bounding", "CAP_KILL"), ("process.capabilities.bounding", [5]),
    ("process.rlimits", {}), ("process.rlimits", [5]), ("process.rlimits", [{"type": "RLIMIT_NOFILE", "soft": "1", "hard": 1}]),
    ("process.rlimits", [{"type": "RLIMIT_NOFILE", "soft": -1, "hard": 1}]), ("process.consoleSize", [1, 2]), ("root", "rootfs"), ("root.path", 1),
    ("root.readonly", "yes"), ("hostname", 1), ("mounts", {}), ("mounts", ["/proc"]), ("mounts", [{"destination": 1}]),
    ("mounts", [{"destination": "/mnt", "type": "tmpfs", "options": "ro"}]), ("mounts", [{"destination": "/mnt", "type": 1}]), ("hooks", []),
    ("hooks.prestart", {}), ("hooks.prestart", [{"path": 1}]), ("hooks.prestart", [{"path": "/bin/true", "timeout": "1"}]), ("annotations", []),
    ("annotations", {"a": 1}), ("linux", []), ("linux.namespaces", {}), ("linux.namespaces", [1]), ("linux.namespaces", [{"type": 1}]),
    ("linux.uidMappings", {}), ("linux.uidMappings", [{"containerID": "0", "hostID": 0, "size": 1}]), ("linux.devices", {}),
    ("linux.devices", [{"path": "/dev/x", "type": "c", "major": "1", "minor": 3}]), ("linux.resources", []), ("linux.resources.memory", 1),
    ("linux.resources.memory.limit", "64m"), ("linux.resources.cpu.shares", -1), ("linux.resources.cpu.quota", "1"), ("linux.resources.pids", 5),
    ("linux.resources.pids.limit", "5"), ("linux.resources.devices", {}), ("linux.resources.devices", [{"allow": "yes"}]),
    ("linux.cgroupsPath", 5), ("linux.sysctl", []), ("linux.sysctl", {"net.ipv4.ip_forward": 1}), ("linux.maskedPaths", "/proc/keys"),
    ("linux.readonlyPaths", [1]), ("linux.rootfsPropagation", 1), ("linux.seccomp", []), ("linux.seccomp.architectures", "SCMP_ARCH_X86_64"),
    ("linux.seccomp", {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": {}}),
]


@pytest.mark.parametrize("path, value", WRONG_TYPES, ids=[f"{path}={json.dumps(value)}"[:60] for path, value in WRONG_TYPES])
def test_a_field_of_the_wrong_type_is_refused(runtime, bundle, path, value):
    if path == "linux.seccomp.architectures":
        bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW"}
    runtime.refuses_to_run(changed(bundle, path, value), path.split(".")[-1])


# -- missing and impossible values

BAD_VALUES = [
    ("process", ..., ["process"]), ("process.args", ..., ["process.args"]), ("process.args", [], ["process.args"]),
    ("process.args", [""], ["process.args"]),
    ("process.cwd", ..., ["process.cwd"]), ("process.cwd", "", ["process.cwd"]), ("process.cwd", "relative", ["process.cwd", "relative"]),
    ("process.cwd", "/etc/passwd", ["process.cwd", "/etc/passwd"]),
    ("process.env", ["NO_EQUALS_SIGN"], ["process.env", "NO_EQUALS_SIGN"]),
    ("root", ..., ["root"]), ("root.path", ..., ["root.path"]), ("root.path", "", ["root.path"]), ("root.path", "nosuch", ["root.path", "nosuch"]),
    ("root.path", "/nosuch/rootfs", ["root.path", "/nosuch/rootfs"]), ("root.path", "config.json", ["root.path", "config.json"]),
    ("process.rlimits", [{"type": "RLIMIT_NOSUCH", "soft": 1, "hard": 1}], ["rlimits", "RLIMIT_NOSUCH"]),
    ("process.rlimits", [{"type": "", "soft": 1, "hard": 1}], ["rlimits"]),
    ("process.rlimits", [{"type": "RLIMIT_CORE", "soft": 2, "hard": 1}], ["rlimits"]),
    ("process.oomScoreAdj", 1001, ["oomScoreAdj", "1001"]), ("process.oomScoreAdj", -1001, ["oomScoreAdj", "-1001"]),
    ("linux.namespaces", [{"type": "nosuch"}], ["namespaces", "nosuch"]), ("linux.namespaces", [{"path": "/proc/self/ns/net"}], ["namespaces"]),
    ("linux.namespaces", [{"type": "mount"}, {"type": "pid"}, {"type": "pid"}], ["namespaces", "pid"]),
    ("linux.namespaces", [{"type": "mount"}, {"type": "network", "path": "relative"}], ["namespaces", "relative"]),
    ("linux.maskedPaths", ["/a\0b"], ["maskedPaths"]), ("linux.rootfsPropagation", "nosuch", ["rootfsPropagation", "nosuch"]),
    ("linux.resources.devices", [{"allow": True, "type": "q", "access": "r"}], ["devices", "q"]),
    ("linux.sysctl", {"": "1"}, ["sysctl"]), ("linux.sysctl", {"../../etc/passwd": "1"}, ["sysctl"]),
    ("hostname", "x" * 65, ["hostname"]), ("mounts", [{"type": "tmpfs"}], ["destination"]),
    ("hooks", {"createRuntime": [{"args": ["true"]}]}, ["path"]), ("hooks", {"createRuntime": [{"path": "/bin/true", "timeout": 0}]}, ["timeout"]),
    ("hooks", {"createRuntime": [{"path": "/bin/true", "timeout": -5}]}, ["timeout", "-5"]),
]


# What runc 1.1.5 does not look at, passes over with a warning, or takes for something else.
BAD_VALUES_THAT_RUNC_TAKES = [
    ("ociVersion", ..., ["ociVersion"]), ("ociVersion", "", ["ociVersion"]), ("ociVersion", "one", ["ociVersion", "one"]),
    ("ociVersion", "2.0.0", ["ociVersion", "2.0.0"]),
    ("process.rlimits", [{"type": "RLIMIT_CORE", "soft": 1, "hard": 1}] * 2, ["rlimits", "RLIMIT_CORE"]),
    ("linux.maskedPaths", ["relative"], ["maskedPaths", "relative"]), ("linux.readonlyPaths", ["relative"], ["readonlyPaths", "relative"]),
    ("linux.devices", [{"path": "relative", "type": "c", "major": 1, "minor": 3}], ["devices", "relative"]),
    ("linux.resources.devices", [{"allow": True, "type": "c", "access": "xyz"}], ["devices", "xyz"]),
    ("hostname", "a\0b", ["hostname"]),
]


def named(values):
    return [pytest.param(*value, id=f"{value[0]}={'missing' if value[1] is ... else json.dumps(value[1])}"[:70]) for value in values]


@pytest.mark.parametrize("path, value, names", named(BAD_VALUES))
def test_a_value_that_cannot_be_is_refused(runtime, bundle, path, value, names):
    runtime.refuses_to_run(changed(bundle, path, value), *names)


@pytest.mark.kiste_only("it takes this value")
@pytest.mark.parametrize("path, value, names", named(BAD_VALUES_THAT_RUNC_TAKES))
def test_a_value_that_cannot_be_is_refused_even_where_runc_takes_it(runtime, bundle, path, value, names):
    runtime.refuses_to_run(changed(bundle, path, value), *names)


@pytest.mark.parametrize("name", ["CAP_NOSUCH", "cap kill", ""])
def test_a_capability_that_nobody_knows_is_refused_or_named_in_a_warning(runtime, bundle, name):
    """A caller may know newer ones than the runtime does; but it must be told."""
    bundle.capabilities("CAP_KILL", name)
    result = runtime.run(bundle.args("/bin/grep", "CapEff", "/proc/self/status"))
    assert name in result.stderr and result.stderr, result
    if result.code == 0:
        assert int(result.stdout.split()[1], 16) == 1 << 5


@pytest.mark.parametrize("path, value", [
    ("process.args", ["/bin/true", "a\0b"]), ("process.args", ["/bin/true\0x"]), ("process.env", ["A=a\0b"]), ("process.cwd", "/\0a"),
    ("mounts", [{"destination": "/mnt\0/a", "type": "tmpfs"}])], ids=["argument", "program", "environment", "cwd", "mount"])
def test_a_nul_in_a_text_is_refused(runtime, bundle, path, value):
    """What is cut at the NUL by the kernel would be another value than the one that was checked."""
    runtime.refuses_to_run(changed(bundle, path, value), path.split(".")[-1])


# -- user namespaces

@pytest.mark.parametrize("mappings", [
    [{"containerID": 0, "hostID": 100000, "size": 10}, {"containerID": 5, "hostID": 200000, "size": 10}],
    [{"containerID": 0, "hostID": 100000, "size": 10}, {"containerID": 10, "hostID": 100005, "size": 10}],
    [{"containerID": 0, "hostID": 100000, "size": 0}], [{"containerID": 0, "hostID": 4294967295, "size": 10}],
    [{"containerID": index, "hostID": 100000 + index, "size": 1} for index in range(341)]],
    ids=["overlap-inside", "overlap-outside", "empty", "beyond-the-end", "too-many"])
def test_mappings_that_the_kernel_does_not_take_are_refused(runtime, bundle, mappings):
    kernel.require_root("a mapping of many users")
    bundle.own_rootfs()
    bundle.user_namespace().linux["uidMappings"] = mappings
    runtime.refuses_to_run(bundle, "uidMappings")


# -- a user who changes his mind

@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_create_that_is_interrupted_leaves_nothing_that_delete_does_not_clean(runtime, bundle, number):
    before = runtime.host.snapshot()
    bundle.hook("createRuntime", "/bin/sleep", "0.02")
    for pause in (0.003, 0.01, 0.02):
        container_id = runtime.new_id()
        command = runtime.spawn("create", "--bundle", bundle.write().folder, container_id)
        time.sleep(pause)
        command.signal(number)
        command.result()
        runtime("delete", "--force", container_id)
    if not runtime.is_kiste:  # what runc had not written down yet when it was interrupted stays for ever
        runtime.host.clear_away(before)


# -- without a process (config.md, "Process": required when `start` is called)

@pytest.mark.kiste_only("it refuses at create already")
def test_a_container_without_a_process_can_be_made_but_not_started(runtime, bundle):
    del bundle.spec["process"]
    container = runtime.create(bundle)
    runtime.refuses("start", container.id)
    assert container.status == "created"
    assert container.exec("/bin/echo", "here").stdout == "here\n"
    container.delete("--force")


def test_run_without_a_process_is_refused(runtime, bundle):
    del bundle.spec["process"]
    runtime.refuses_to_run(bundle, "process")


# -- Intel RDT, which a virtual machine does not have

@pytest.mark.kiste_only("runc 1.1.5 passes it over where the host has none")
@pytest.mark.skipif(" - resctrl " in open("/proc/self/mountinfo", encoding="utf-8").read(), reason="this host has resctrl")
@pytest.mark.parametrize("value", [{}, {"closID": "x"}, {"l3CacheSchema": "L3:0=f"}, {"memBwSchema": "MB:0=50"}, {"enableMonitoring": True}])
def test_intel_rdt_is_refused_where_resctrl_is_not_mounted(runtime, bundle, value):
    bundle.linux["intelRdt"] = value
    runtime.refuses_to_run(bundle, "linux.intelRdt", "resctrl")


@pytest.mark.kiste_only("runc 1.1.5 does not look")
@pytest.mark.parametrize("value, names", [({"closID": "../x"}, "closID"), ({"closID": ".."}, "closID"), ({"memBwSchema": "L3:0=f"}, "memBwSchema"),
                                          ({"schemata": ["L3:0=f\nMB:0=1"]}, "schemata")])
def test_what_cannot_be_a_class_is_refused(runtime, bundle, value, names):
    bundle.linux["intelRdt"] = value
    runtime.refuses_to_run(bundle, "linux.intelRdt", names)
