# SPDX-License-Identifier: Apache-2.0
"""With --log-format json an error is told as data, beside the words that engines parse."""

import json

import pytest

import kernel

pytestmark = pytest.mark.kiste_only("the peers tell errors in words alone")


def failure(runtime, workspace, *arguments):
    """The members of the error's line, and the container's id if the last argument is one."""
    log = workspace / "log.json"
    runtime("--log", log, "--log-format", "json", *arguments)
    entry = json.loads(log.read_text().splitlines()[-1])
    log.unlink()
    assert entry["level"] == "error" and entry["msg"] and entry["time"], entry
    return entry


def failed_run(runtime, workspace, bundle):
    container = runtime.new_id()
    entry = failure(runtime, workspace, "run", "--bundle", bundle.write().folder, container)
    assert (entry["command"], entry["container"]) == ("run", container)
    return entry


def test_a_container_that_is_not_there(runtime, workspace):
    entry = failure(runtime, workspace, "state", "nosuch")
    assert (entry["kind"], entry["step"], entry["command"], entry["container"]) == ("not-found", "state", "state", "nosuch")
    assert "errno" not in entry and "syscall" not in entry


def test_a_wrong_option(runtime, workspace):
    entry = failure(runtime, workspace, "run", "--preserve-fds", "many", "x")
    assert (entry["kind"], entry["object"], entry["container"]) == ("invalid", "--preserve-fds", "x")


def test_an_option_that_is_not_known(runtime, workspace):
    entry = failure(runtime, workspace, "run", "--frobnicate", "x")
    assert (entry["kind"], entry["step"], entry["command"]) == ("invalid", "arguments", "run")


def test_a_wrong_field(runtime, workspace, bundle):
    bundle.process["cwd"] = "relative"
    entry = failed_run(runtime, workspace, bundle)
    assert (entry["kind"], entry["step"], entry["object"]) == ("invalid", "bundle", "config.json: process.cwd")


def test_a_bundle_that_is_not_there(runtime, workspace):
    missing = workspace / "nosuch"
    entry = failure(runtime, workspace, "create", "--bundle", missing, runtime.host.new_name())
    assert (entry["kind"], entry["step"], entry["errno"], entry["errnoName"]) == ("system", "bundle", 2, "ENOENT")
    assert entry["object"] == str(missing)


def test_a_program_that_is_not_there(runtime, workspace, bundle):
    entry = failed_run(runtime, workspace, bundle.args("/bin/nosuch"))
    assert (entry["kind"], entry["step"], entry["errnoName"]) == ("not-found", "exec", "ENOENT")
    assert "/bin/nosuch" in entry["object"]


def test_a_mount_that_fails_names_the_launchers_system_call(runtime, workspace, bundle):
    bundle.spec["mounts"].append({"destination": "/here", "type": "nosuchfs", "source": "none"})
    bundle.own_rootfs()
    entry = failed_run(runtime, workspace, bundle)
    assert (entry["kind"], entry["step"], entry["syscall"], entry["errnoName"]) == ("system", "root", "fsopen", "ENODEV")
    assert "nosuchfs" in entry["object"]


def test_a_namespace_that_cannot_be_joined(runtime, workspace, bundle):
    kernel.require_root("joins a namespace by path")
    bundle.linux["namespaces"] = [{"type": "mount"}, {"type": "network", "path": "/proc/self/ns/uts"}]
    bundle.spec.pop("hostname")
    entry = failed_run(runtime, workspace, bundle)
    assert (entry["kind"], entry["step"], entry["object"]) == ("invalid", "plan", "linux.namespaces: /proc/self/ns/uts")


def test_a_cgroup_limit_that_is_refused(runtime, workspace, bundle):
    kernel.require_root("sets a limit")
    bundle.resources["cpu"] = {"cpus": "4000-4001"}
    entry = failed_run(runtime, workspace, bundle)
    assert (entry["step"], entry["syscall"]) == ("cgroups", "write")
    assert "cpuset.cpus" in entry["object"]


def test_a_hook_that_fails(runtime, workspace, bundle):
    bundle.spec["hooks"] = {"createRuntime": [{"path": "/nosuch/hook"}]}
    entry = failed_run(runtime, workspace, bundle)
    assert (entry["step"], entry["syscall"], entry["errnoName"]) == ("hooks", "execve", "ENOENT")
    assert entry["object"] == "/nosuch/hook"


def test_exec_into_a_container(runtime, workspace, bundle):
    container = runtime.run_detached(bundle.sleeps())
    entry = failure(runtime, workspace, "exec", "--cwd", "/nosuch", container.id, "true")
    assert (entry["command"], entry["container"], entry["step"]) == ("exec", container.id, "process")
    assert (entry["syscall"], entry["object"], entry["errnoName"]) == ("chdir", "/nosuch", "ENOENT")
    container.end()


def test_a_wrong_state(runtime, workspace, bundle):
    container = runtime.run_detached(bundle.sleeps())
    entry = failure(runtime, workspace, "start", container.id)
    assert (entry["kind"], entry["step"]) == ("state", "start")
    container.end()
