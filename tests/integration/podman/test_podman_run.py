# SPDX-License-Identifier: Apache-2.0
"""podman run: what a process gets from the command line and from the image, and what comes back of it."""

import os
import re
import subprocess

import pytest


def test_output_goes_to_stdout(podman, image):
    assert podman.out("run", "--rm", image, "echo", "hello", "world") == "hello world\n"


def test_streams_are_kept_apart(podman, image):
    answer = podman("run", "--rm", image, "sh", "-c", "echo out; echo err >&2")
    assert (answer.code, answer.stdout, answer.stderr) == (0, "out\n", "err\n")


@pytest.mark.parametrize("code", [0, 42, 127, 255])
def test_exit_code_of_the_process(podman, image, code):
    answer = podman("run", "--rm", image, "sh", "-c", f"exit {code}")
    assert (answer.code, answer.stdout, answer.stderr) == (code, "", "")


@pytest.mark.parametrize("number", [9, 15])
def test_death_by_a_signal_is_128_and_its_number(podman, image, number):
    # In the host's pid namespace, because the first process of one is spared the signals that it has no handler for.
    answer = podman("run", "--rm", "--pid", "host", image, "sh", "-c", f"echo before; kill -{number} $$; echo after")
    assert (answer.code, answer.stdout, answer.stderr) == (128 + number, "before\n", "")


def test_standard_input_in_scripts(podman, image):
    assert podman.out("run", "--rm", "--interactive", image, "wc", "-c", text="12345\n") == "6\n"


def test_standard_input_is_empty_unless_asked_for(podman, image):
    assert podman.out("run", "--rm", image, "wc", "-c", text="12345\n") == "0\n"


def test_much_input_and_output(podman, image):
    text = "0123456789abcde\n" * 65536
    assert podman.out("run", "--rm", "--interactive", image, "cat", text=text) == text


def test_environment(podman, image):
    out = podman.out("run", "--rm", "--env", "A=1", "--env", "B=two words", "--env", "EMPTY=", image, "env")
    variables = dict(line.split("=", 1) for line in out.splitlines())
    hostname = variables.pop("HOSTNAME")
    assert re.fullmatch("[0-9a-f]{12}", hostname)
    assert variables == {"A": "1", "B": "two words", "EMPTY": "", "container": "podman", "TERM": "xterm", "HOME": "/root",
                         "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


def test_nothing_of_the_callers_environment_comes_in(podman, image):
    out = podman.out("run", "--rm", image, "env", environment={"SECRET_OF_CALLER": "x"})
    assert "SECRET" not in out and "_OCI_" not in out and "XDG_RUNTIME_DIR" not in out


def test_working_directory(podman, image):
    assert podman.out("run", "--rm", "--workdir", "/var/tmp", image, "pwd") == "/var/tmp\n"


def test_entrypoint(podman, image):
    assert podman.out("run", "--rm", "--entrypoint", "echo", image, "a", "b") == "a b\n"
    assert podman.out("run", "--rm", "--entrypoint", '["echo","from","json"]', image, "x") == "from json x\n"


def test_the_images_configuration(podman, configured_image):
    assert podman.out("run", "--rm", configured_image) == "entry command\n"
    assert podman.out("run", "--rm", configured_image, "mine") == "entry mine\n"
    assert podman.sh(configured_image, "pwd; echo $FROM_IMAGE; id", "--entrypoint", "[]") == (
        "/srv\nyes\nuid=1000(app) gid=1000(app) groups=1000(app),2000(extra)\n")


def test_hostname(podman, image):
    assert podman.sh(image, "hostname; cat /etc/hostname", "--hostname", "crate.example") == "crate.example\ncrate.example"
    assert re.fullmatch("[0-9a-f]{12}\n", podman.sh(image, "hostname"))


def test_added_hosts(podman, image):
    assert podman.sh(image, "grep example /etc/hosts", "--add-host", "db.example:192.0.2.7") == "192.0.2.7\tdb.example\n"


@pytest.mark.parametrize("user, expected", [
    ("app", "uid=1000(app) gid=1000(app) groups=1000(app),2000(extra)\n"),
    ("1000", "uid=1000(app) gid=1000(app) groups=1000(app),2000(extra)\n"),
    ("1234:567", "uid=1234(1234) gid=567(567) groups=567(567)\n"),
    ("app:extra", "uid=1000(app) gid=2000(extra) groups=2000(extra)\n"),
    ("0", "uid=0(root) gid=0(root) groups=0(root)\n"),
])
def test_user(podman, image, user, expected):
    assert podman.out("run", "--rm", "--user", user, image, "id") == expected


def test_additional_groups(podman, image):
    groups = podman.out("run", "--rm", "--user", "1234:567", "--group-add", "2000", "--group-add", "77", image, "id", "-G")
    assert sorted(map(int, groups.split())) == [77, 567, 2000]


def test_umask(podman, image):
    assert podman.sh(image, "umask") == "0022\n"
    assert podman.sh(image, "umask; touch /f; stat -c %a /f", "--umask", "0077") == "0077\n600\n"


def test_the_first_process_is_alone(podman, image):
    assert podman.out("run", "--rm", image, "ps", "-o", "pid,ppid,user,args") == (
        "PID   PPID  USER     COMMAND\n    1     0 root     ps -o pid,ppid,user,args\n")


def test_no_descriptor_comes_in(podman, image):
    """3 is ls's own, on the folder that it lists."""
    assert podman.out("run", "--rm", image, "ls", "/proc/self/fd") == "0\n1\n2\n3\n"


def test_a_descriptor_comes_in_when_asked_for(podman, image, workspace):
    (workspace / "given").write_text("through descriptor 3\n")
    command = podman.command("run", "--rm", "--preserve-fds", "1", image, "sh", "-c", "cat <&3; ls /proc/self/fd")
    done = subprocess.run(["sh", "-c", f'exec "$@" 3<{workspace}/given', "sh", *command], env=podman.environment,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "through descriptor 3\n0\n1\n2\n3\n4\n", "")


def test_init_is_the_first_process_and_reaps(podman, image):
    # An orphan of the shell ends up with the init, which has to collect it.
    script = "(sleep 0.2 &); sleep 0.6; ps -o pid,comm | grep -c -e sleep -e Z; cat /proc/1/comm"
    assert podman.sh(image, script, "--init") in ("0\npodman-init\n", "0\ncatatonit\n")


def test_init_forwards_signals(podman, image):
    script = "trap 'echo got it; exit 7' TERM; echo ready; while :; do sleep 0.05; done"
    name = podman.detached(image, "sh", "-c", script, options=["--init"])
    podman.says(name, "ready")
    podman.ok("stop", "--time", "10", name)
    assert podman.inspect(name, ".State.ExitCode") == "7"
    assert podman.logs(name) == "ready\ngot it\n"


def test_timeout_ends_the_container(podman, image):
    answer = podman("run", "--rm", "--timeout", "1", image, "sh", "-c", "echo begun; sleep 60")
    assert (answer.code, answer.stdout) == (255, "begun\n")


def test_removed_when_it_ended(podman, image):
    podman.ok("run", "--rm", "--name", "gone", image, "true")
    assert podman("container", "exists", "gone").code == 1


def test_kept_when_not_told_to_remove(podman, image):
    podman.fails(3, "run", "--name", "kept", image, "sh", "-c", "exit 3")
    assert podman.inspect("kept", ".State.Status") == "exited"
    assert podman.inspect("kept", ".State.ExitCode") == "3"


def test_pidfile_and_conmon_pidfile(podman, image, workspace):
    name = podman.detached(image, "sleep", "100", options=["--pidfile", workspace / "pid", "--conmon-pidfile",
                                                          workspace / "conmon"])
    pid = int((workspace / "pid").read_text())
    assert pid == podman.pid(name)
    assert os.readlink(f"/proc/{pid}/exe").endswith("/bin/busybox")
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        parent = int(stat.read().rpartition(")")[2].split()[1])
    assert parent == int((workspace / "conmon").read_text())  # nobody stands between conmon and the container


def test_log_driver_none(podman, image):
    assert podman.out("run", "--rm", "--log-driver", "none", image, "echo", "seen all the same") == "seen all the same\n"


def test_log_driver_passthrough_gives_the_callers_descriptors(podman, image, workspace):
    command = podman.command("run", "--rm", "--log-driver", "passthrough", image, "sh", "-c", "cat; echo err >&2")
    with (workspace / "out").open("wb") as out, (workspace / "err").open("wb") as err:
        done = subprocess.run(command, env=podman.environment, input=b"straight through\n", stdout=out, stderr=err,
                              timeout=30, check=False)
    assert done.returncode == 0
    assert ((workspace / "out").read_text(), (workspace / "err").read_text()) == ("straight through\n", "err\n")


def test_root_file_system_without_an_image(podman, shared_rootfs, workspace):
    rootfs = workspace / "rootfs"
    subprocess.run(["cp", "-a", shared_rootfs, rootfs], check=True, timeout=60)
    assert podman.out("run", "--rm", "--rootfs", rootfs, "sh", "-c", "echo written > /new; cat /new") == "written\n"
    assert (rootfs / "new").read_text() == "written\n"


def test_an_oci_hook_runs(podman, image, workspace):
    hooks = workspace / "hooks"
    hooks.mkdir()
    seen = workspace / "seen"
    script = workspace / "hook"
    script.write_text(f"#!/bin/sh\ncat >>{seen}\necho >>{seen}\n")
    script.chmod(0o755)
    (hooks / "hook.json").write_text(
        f'{{"version": "1.0.0", "hook": {{"path": "{script}"}}, "when": {{"always": true}}, '
        '"stages": ["prestart", "poststop"]}')
    podman.ok("--hooks-dir", hooks, "run", "--rm", image, "true")
    states = seen.read_text().splitlines()
    assert len(states) == 2
    assert '"status":"stopped"' in states[1].replace(" ", "")


def test_many_at_once(podman, image):
    started = [podman.spawn("run", "--rm", image, "sh", "-c", f"exit {number}", stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE) for number in range(1, 6)]
    codes = []
    for process in started:
        _, errors = process.communicate(timeout=50)
        podman.host.commands.pop(process.pid)
        codes.append(process.returncode)
        assert errors == b""
    assert codes == [1, 2, 3, 4, 5]
