# SPDX-License-Identifier: Apache-2.0
"""What crun's callers give that runc does not know: --config, --regex, --log-level, --log journald: and syslog:."""

import re
import socket
from pathlib import Path

import pytest

import kernel
from deadline import PATIENCE

pytestmark = pytest.mark.kiste_only("crun's options")


# -- create and run --config

def test_config_stands_for_the_bundles_own(runtime, bundle, workspace):
    bundle.args("echo", "the bundle's").write()
    other = workspace / "other.json"
    other.write_text(bundle.config.read_text().replace("the bundle's", "another"))
    result = runtime.ok("run", "--bundle", bundle.folder, "--config", other, runtime.new_id())
    assert result.stdout == "another\n"
    bundle.config.unlink()
    assert runtime.ok("run", "-b", bundle.folder, "-f", "other.json", runtime.new_id(), cwd=workspace).stdout == "another\n"


def test_later_commands_know_that_config(runtime, bundle, workspace):
    bundle.sleeps().write()
    other = bundle.config.rename(workspace / "other.json")
    container_id = runtime.new_id()
    runtime.ok("run", "--detach", "--bundle", bundle.folder, "--config", other, container_id)
    other.unlink()
    assert runtime.ok("exec", container_id, "echo", "hello").stdout == "hello\n"
    runtime.ok("delete", "--force", container_id)


@pytest.mark.parametrize("content, names", [(None, ["--config", "no such file"]), ("{", ["other.json"]),
                                            ('{"ociVersion": "1.0.2", "root": 3}', ["other.json", "root"])])
def test_errors_name_the_config_file(runtime, bundle, workspace, content, names):
    other = workspace / "other.json"
    if content is not None:
        other.write_text(content)
    result = runtime.refuses("run", "--bundle", bundle.write().folder, "--config", other, runtime.new_id())
    for name in names:
        assert name in result.stderr


# -- kill and delete --regex

@pytest.fixture
def three(runtime, new_bundle):
    """Three containers; the first two have ids that end in web."""
    containers = []
    for suffix in ("-web", "-web", "-db"):
        containers.append(runtime.run_detached(new_bundle().sleeps(), id=runtime.host.new_name() + suffix))
        runtime.ids.append(containers[-1].id)
    return containers


def test_kill_regex_reaches_all_that_match(runtime, three):
    runtime.ok("kill", "--regex", "web$", "KILL")
    for container in three[:2]:
        container.wait_stopped()
    assert three[2].status == "running"


def test_delete_regex_removes_all_that_match(runtime, three):
    runtime.ok("delete", "--force", "--regex", f"^({three[0].id}|{three[2].id})$")
    assert runtime.ok("list", "-q").lines == [three[1].id]
    assert runtime.ok("delete", "-f", "-r", "nothing-$").stdout == ""
    assert runtime.ok("list", "-q").lines == [three[1].id]


def test_delete_regex_goes_on_after_a_failure(runtime, three):
    three[0].kill("KILL")
    three[0].wait_stopped()
    result = runtime("delete", "--regex", ".*")
    assert result.code == 1 and "2 of 3 containers failed" in result.stderr
    assert set(runtime.ok("list", "-q").lines) == {container.id for container in three[1:]}


@pytest.mark.parametrize("expression", ["(", "*", "[z-a]", "a{9999}", "(((a{99}){99}){99}){99}", "x" * 2000, "(.)\\1"])
def test_a_wrong_or_boundless_expression_is_refused_and_reaches_nobody(runtime, bundle, expression):
    container = runtime.run_detached(bundle.sleeps())
    assert "--regex" in runtime.refuses("kill", "--regex", expression, "KILL").stderr
    assert container.status == "running"


def test_an_expression_that_would_take_for_ever_elsewhere_takes_no_time(runtime, bundle):
    container = runtime.create(bundle.sleeps(), id=runtime.host.new_name() + "a" * 190)
    runtime.ids.append(container.id)
    runtime.ok("kill", "--regex", "^((((a*)*)*)*)*(a|aa)*b$", "KILL", timeout=PATIENCE)
    assert container.status == "created"


# -- --log-level, --log

def test_log_level_leaves_out_what_is_less(runtime, bundle, workspace):
    bundle.resources["memory"] = {"kernel": 1 << 30}  # a warning
    bundle.write()
    levels = {}
    for level in ("error", "warning", "debug"):
        log = workspace / level
        runtime.ok("--log", f"file:{log}", "--log-level", level, "run", "-b", bundle.folder, runtime.new_id())
        levels[level] = set(re.findall(r"level=(\w+)", log.read_text()))
    assert levels["error"] == set() and levels["warning"] == {"warning"} and "debug" in levels["debug"]


def test_an_unknown_log_level_is_refused(runtime):
    assert '"loud"' in runtime.refuses("--log-level", "loud", "list").stderr


@pytest.fixture
def daemon(workspace):
    """A socket that takes datagrams, and the command that puts it where a daemon listens."""
    kernel.require_root("puts a socket in the place of a daemon's, in a mount namespace")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(workspace / "daemon"))
        listener.settimeout(PATIENCE)

        def in_place_of(folder, path):
            script = f'mount -t tmpfs none {folder} && mkdir -p "${{1%/*}}" && ln -s {workspace}/daemon "$1" && shift && exec "$@"'
            return listener, ["unshare", "--mount", "sh", "-c", script, "sh", path]

        yield in_place_of


def test_log_goes_to_the_journal(runtime, daemon):
    listener, prefix = daemon("/run", "/run/systemd/journal/socket")
    result = runtime.spawn("--log", "journald:my-name", "state", "nobody", prefix=prefix).result()
    assert result.code == 1 and "does not exist" in result.stderr
    entry = listener.recv(1 << 16)
    assert entry.startswith(b"PRIORITY=3\n") and b"my-name" in entry and b'"nobody" does not exist' in entry


def test_log_goes_to_syslog_as_json_when_asked(runtime, daemon):
    listener, prefix = daemon("/dev", "/dev/log")
    runtime.spawn("--log", "syslog:", "--log-format", "json", "state", "nobody", prefix=prefix).result()
    entry = listener.recv(1 << 16).decode()
    assert re.match(r'<11>kiste-oci\[\d+\]: \{"level":"error","msg":".*does not exist.*\}$', entry)


def test_a_daemon_that_is_not_there_is_refused(runtime, daemon):
    _, prefix = daemon("/dev", "/dev/other")
    result = runtime.spawn("--log", "syslog:x", "list", prefix=prefix).result()
    runtime.check_refusal(result)
    assert "/dev/log" in result.stderr


# -- --cgroup-manager=disabled, which podman's --cgroups=disabled becomes

@pytest.fixture
def without_cgroups(runtime):
    runtime.options += ["--cgroup-manager", "disabled"]
    return runtime


def cgroups_of(pid):
    return Path(f"/proc/{pid}/cgroup").read_text()


def test_without_cgroups_a_container_stays_where_its_caller_is(without_cgroups, bundle, workspace):
    """From create to delete, and what is executed in it; limits mean nothing there."""
    bundle.resources.update(pids={"limit": 1}, memory={"limit": 64 << 20})
    container = without_cgroups.create(bundle.sh("sleep 1000 & wait"))
    own = cgroups_of("self")
    assert cgroups_of(container.pid) == own
    container.start()
    without_cgroups.ok("exec", "--detach", "--pid-file", workspace / "pid", container.id, "/bin/sleep", "1000")
    assert cgroups_of((workspace / "pid").read_text()) == own
    assert container.sh("true; echo forked") == "forked\n"
    assert not [path for path in without_cgroups.host.cgroups() if container.id in path]
    container.kill("KILL")
    assert container.wait() == 137
    container.delete()


@pytest.mark.parametrize("command", [["pause"], ["resume"], ["ps"], ["update", "--pids-limit", "20"], ["events", "--stats"]], ids=lambda words: words[0])
def test_without_cgroups_what_needs_them_is_refused(without_cgroups, bundle, command):
    container = without_cgroups.run_detached(bundle.sleeps())
    result = without_cgroups.refuses(*command, container.id)
    assert "cgroup" in result.stderr or command == ["resume"], str(result)
    assert container.status == "running"
    container.delete("--force")
    assert container.wait() == 137


def test_without_cgroups_those_of_the_config_are_left_alone(without_cgroups, bundle, host):
    """Neither made nor taken, though they may not even be possible."""
    bundle.linux["cgroupsPath"] = f"/{host.new_name()}/inner"
    bundle.resources["cpu"] = {"cpus": "4711"}
    assert without_cgroups.output_of(bundle.args("/bin/echo", "ran")) == "ran\n"
    assert not host.cgroups()
