# SPDX-License-Identifier: Apache-2.0
"""Global options, version, help, spec, and how errors are told: to people on standard error, to engines in --log."""

import json
import re

import pytest

import kernel

LOGRUS_TEXT = re.compile(r'time="(\S+)" level=(\w+) msg="((?:[^"\\]|\\.)*)".*')


# -- errors

def test_an_error_is_told_on_standard_error(runtime):
    result = runtime.refuses("state", runtime.host.new_name())
    assert result.stdout == ""
    assert "does not exist" in result.stderr


def test_log_gets_errors_as_text(runtime, workspace):
    log = workspace / "log"
    runtime.refuses("--log", log, "state", runtime.host.new_name())
    (line,) = log.read_text().splitlines()
    time, level, message = LOGRUS_TEXT.fullmatch(line).groups()
    assert re.match(r"\d{4}-\d\d-\d\dT", time) and level == "error" and "does not exist" in message


def test_log_gets_errors_as_one_json_object_in_a_line(runtime, workspace):
    log = workspace / "log.json"
    runtime.refuses("--log", log, "--log-format", "json", "state", runtime.host.new_name())
    (line,) = log.read_text().splitlines()
    entry = json.loads(line)
    assert entry["level"] == "error" and "does not exist" in entry["msg"]
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", entry["time"])


def test_log_as_json_escapes_what_the_message_holds(runtime, bundle, workspace):
    log = workspace / "log.json"
    bundle.args('/bin/with "quotes"\tand\\').write()
    runtime.refuses("--log", log, "--log-format", "json", "run", "-b", bundle.folder, runtime.new_id())
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    assert any(entry["level"] == "error" and "quotes" in entry["msg"] for entry in entries)


def test_log_is_appended_to(runtime, workspace):
    log = workspace / "log"
    log.write_text("before\n")
    runtime.refuses("--log", log, "state", runtime.host.new_name())
    runtime.refuses("--log", log, "state", runtime.host.new_name())
    assert len(log.read_text().splitlines()) == 3


def test_log_gets_the_error_of_a_container_that_cannot_start(runtime, bundle, workspace):
    log = workspace / "log.json"
    bundle.args("/bin/nosuch").write()
    runtime.refuses("--log", log, "--log-format", "json", "run", "-b", bundle.folder, runtime.new_id())
    errors = [json.loads(line) for line in log.read_text().splitlines()]
    assert "/bin/nosuch" in errors[-1]["msg"] and errors[-1]["level"] == "error"


def test_log_of_a_success_holds_no_error(runtime, bundle, workspace):
    log = workspace / "log"
    bundle.write()
    runtime.ok("--log", log, "run", "-b", bundle.folder, runtime.new_id())
    assert "level=error" not in (log.read_text() if log.exists() else "")


def test_debug_writes_more(runtime, bundle, workspace):
    bundle.write()
    log = workspace / "log.json"
    runtime.ok("--debug", "--log", log, "--log-format", "json", "run", "-b", bundle.folder, runtime.new_id())
    levels = {json.loads(line)["level"] for line in log.read_text().splitlines()}
    assert "debug" in levels and "error" not in levels


def test_an_unknown_log_format_is_refused(runtime):
    assert "yaml" in runtime.refuses("--log-format", "yaml", "list").stderr


def test_a_log_that_cannot_be_opened_is_refused(runtime, workspace):
    assert str(workspace / "no/log") in runtime.refuses("--log", workspace / "no/log", "list").stderr


# -- commands and options

@pytest.mark.parametrize("arguments, name", [
    (["frobnicate"], "frobnicate"),
    (["--frobnicate", "list"], "frobnicate"),
    (["list", "--frobnicate"], "frobnicate"),
    (["run", "--pid-file"], "pid-file"),
    (["run", "--preserve-fds", "many", "x"], "preserve-fds"),
    (["run"], "run"),
    (["run", "one", "two"], "run"),
    (["start"], "start"),
    (["kill"], "kill"),
    (["delete"], "delete"),
    (["exec"], "exec"),
], ids=lambda value: "-".join(value) if isinstance(value, list) else "")
def test_a_wrong_command_line_is_refused(runtime, arguments, name):
    result = runtime(*arguments)
    runtime.check_refusal(result, code=255 if result.code == 255 and arguments[0] == "exec" else 1)
    assert name in result.stderr


@pytest.mark.parametrize("option", ["--version", "-v"])
def test_version_tells_name_version_commit_and_specification(runtime, option):
    lines = runtime.ok(option).lines
    assert re.fullmatch(rf"{re.escape(runtime.name)} version \d+\.\d+\S*", lines[0])
    assert any(re.fullmatch(r"commit: \S+", line) for line in lines)
    assert any(re.fullmatch(r"spec: 1\.\d+\.\d+\S*", line) for line in lines)


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_names_every_command(runtime, option):
    text = runtime.ok(option).stdout
    for command in ("create", "start", "run", "state", "kill", "delete", "exec", "list", "ps", "pause", "resume", "spec"):
        assert re.search(rf"\b{command}\b", text)


@pytest.mark.parametrize("command, options", [
    ("create", ["bundle", "console-socket", "pid-file", "preserve-fds", "no-pivot", "no-new-keyring"]),
    ("run", ["bundle", "console-socket", "pid-file", "preserve-fds", "no-pivot", "no-new-keyring", "detach", "keep"]),
    ("kill", ["all"]),
    ("delete", ["force"]),
    ("exec", ["process", "tty", "detach", "pid-file", "console-socket", "cwd", "env", "user", "additional-gids", "cap",
              "no-new-privs", "preserve-fds", "ignore-paused", "cgroup"]),
    ("list", ["format", "quiet"]),
    ("ps", ["format"]),
    ("spec", ["rootless", "bundle"]),
    ("start", []), ("state", []), ("pause", []), ("resume", []),
])
def test_help_of_a_command_names_its_options(runtime, command, options):
    text = runtime.ok(command, "--help").stdout
    for option in options:
        assert f"--{option}" in text


def test_root_may_be_a_folder_that_is_not_there(runtime, bundle, workspace):
    bundle.write()
    folder = workspace / "deep/er/root"
    result = runtime("--root", folder, "run", "-b", bundle.folder, runtime.host.new_name())
    assert result.code == 0, result
    assert list(folder.iterdir()) == []


def test_options_may_be_written_with_an_equals_sign(runtime, bundle, workspace):
    bundle.write()
    file = workspace / "pid"
    runtime.ok(f"--log={workspace}/log", "run", f"--bundle={bundle.folder}", f"--pid-file={file}", runtime.new_id())
    assert file.read_text().isdigit()


@pytest.mark.parametrize("value", ["true", "false", "auto"])
def test_rootless_takes_three_values(runtime, bundle, value):
    kernel.require_root("--rootless false is for root")
    bundle.write()
    runtime.ok("--rootless", value, "run", "-b", bundle.folder, runtime.new_id())


def test_rootless_with_another_value_is_refused(runtime, bundle):
    bundle.write()
    runtime.refuses("--rootless", "perhaps", "run", "-b", bundle.folder, runtime.new_id())


def test_the_place_of_criu_may_be_given(runtime, bundle):
    """Old callers' option: kiste-oci looks in PATH, and says so where criu is about to be used."""
    runtime.options += ["--criu", "/nowhere/criu"]
    container = runtime.run_detached(bundle.sleeps())
    assert not container.runtime.ok("state", container.id).stderr
    if runtime.is_kiste:
        result = runtime("checkpoint", runtime.new_id())
        assert result.code == 1 and "--criu: ignored" in result.stderr, result


def test_no_pivot_runs_a_container(runtime, bundle):
    bundle.sh("ls /proc/1/root/bin/busybox; ls / | grep -c tmp")
    assert runtime.output_of(bundle, "--no-pivot").splitlines() == ["/proc/1/root/bin/busybox", "1"]


def test_a_container_gets_a_session_keyring_of_its_own(runtime, bundle, probe):
    result = runtime.run(bundle.with_probe(probe, "keyring"))
    assert result.id in result.stdout


def test_no_new_keyring_keeps_the_callers(runtime, bundle, probe):
    result = runtime.run(bundle.with_probe(probe, "keyring"), "--no-new-keyring")
    assert result.id not in result.stdout


# -- spec

def test_spec_writes_a_config_that_runs(runtime, bundle, workspace):
    kernel.require_root("the default config has no user namespace")
    folder = workspace / "made"
    folder.mkdir()
    runtime.ok("spec", cwd=folder)
    spec = json.loads((folder / "config.json").read_text())
    assert spec["process"]["args"] == ["sh"] and spec["process"]["terminal"] is True
    assert spec["root"] == {"path": "rootfs", "readonly": True}
    bundle.spec = spec
    spec["process"].update(terminal=False, args=["echo", "it runs"])
    assert runtime.output_of(bundle) == "it runs\n"


def test_spec_writes_into_the_bundle_that_it_is_told(runtime, workspace):
    runtime.ok("spec", "--bundle", workspace)
    assert json.loads((workspace / "config.json").read_text())["ociVersion"].startswith("1.")


def test_spec_does_not_overwrite(runtime, workspace):
    (workspace / "config.json").write_text("mine")
    assert "exist" in runtime.refuses("spec", "-b", workspace).stderr
    assert (workspace / "config.json").read_text() == "mine"


def test_spec_rootless_maps_the_user_and_limits_nothing(runtime, workspace):
    runtime.ok("spec", "--rootless", "--bundle", workspace)
    linux = json.loads((workspace / "config.json").read_text())["linux"]
    assert {"type": "user"} in linux["namespaces"]
    assert linux["uidMappings"][0]["containerID"] == 0 and linux["uidMappings"][0]["size"] == 1
    assert not linux.get("resources")


def test_spec_into_a_folder_that_is_not_there_is_refused(runtime, workspace):
    assert str(workspace / "nosuch") in runtime.refuses("spec", "-b", workspace / "nosuch").stderr


def test_options_may_stand_behind_the_container(runtime, bundle):
    container = runtime.run_detached(bundle.sleeps())
    assert container.id in runtime.ok("list", "-q").stdout
    runtime.ok("update", container.id, "--pids-limit", "42")
    assert runtime.ok("exec", container.id, "/bin/echo", "-n", "--tty").stdout == "--tty"
    runtime.ok("delete", container.id, "--force")
    runtime.refuses("state", container.id)


def test_a_signal_below_zero_is_no_option(runtime, bundle):
    container = runtime.run_detached(bundle.sleeps())
    runtime.refuses("kill", container.id, "-9")
    assert container.status == "running"
