# SPDX-License-Identifier: Apache-2.0
"""What goes wrong: podman turns the runtime's words into 125, 126 and 127, and nothing is left behind.

podman reads them from the JSON log, when it knows the runtime by name as one that writes it, else from stderr: each case
that ends in the runtime is tried both ways.
"""

import pytest

NOT_FOUND = "OCI runtime attempted to invoke a command that was not found"
PERMISSION = "OCI permission denied"


@pytest.fixture(params=["from the JSON log", "from stderr"])
def way(request, podman):
    """The environment in which podman hears errors this way."""
    names = "" if request.param == "from stderr" else None
    return {} if names is None else {"CONTAINERS_CONF": str(podman.configure(names))}


def left_nothing(podman):
    assert podman.containers() == []
    assert not podman.cgroups()


def named(podman, command):
    """The words by which an error says which command it was. crun does not say it when the command is there."""
    return [] if podman.runtime == "crun" else [command]


@pytest.mark.parametrize("command", [["nosuch"], ["/nosuch/folder/file"], ["./relative"]])
def test_a_command_that_is_not_there(podman, image, way, command):
    podman.fails(127, "run", "--rm", image, *command, says=[command[0], NOT_FOUND], environment=way)
    left_nothing(podman)


@pytest.mark.parametrize("command", ["/etc/passwd", "/etc"])
def test_a_command_that_cannot_be_executed(podman, image, way, command):
    podman.fails(126, "run", "--rm", image, command, says=[PERMISSION, *named(podman, command)], environment=way)
    left_nothing(podman)


def test_a_command_that_the_user_may_not_execute(podman, image, shared_folder, way):
    podman.known_gap(crun="1.8 looks for the command as root, and finds out too late for podman")
    (shared_folder / "roots").write_text("#!/bin/sh\n")
    (shared_folder / "roots").chmod(0o700)
    options = ["--volume", f"{shared_folder}:/data"]
    podman.out("run", "--rm", *options, image, "/data/roots", environment=way)
    podman.fails(126, "run", "--rm", *options, "--user", "app", image, "/data/roots", says=PERMISSION, environment=way)


def test_an_entrypoint_that_is_not_there(podman, image):
    podman.fails(127, "run", "--rm", "--entrypoint", "/nosuch", image, says=["/nosuch", NOT_FOUND])


def test_a_command_found_by_the_containers_path(podman, image, shared_folder):
    (shared_folder / "found").write_text("#!/bin/sh\necho by PATH\n")
    (shared_folder / "found").chmod(0o755)
    options = ["--volume", f"{shared_folder}:/data", "--env", "PATH=/nosuch:/data:/bin"]
    assert podman.out("run", "--rm", *options, image, "found") == "by PATH\n"
    podman.fails(127, "run", "--rm", "--env", "PATH=/nosuch", image, "true", says=NOT_FOUND)


def test_a_container_whose_command_is_missing_can_be_started_again(podman, image, shared_folder):
    """Errors of an earlier start do not stand in the way of the next one's."""
    name = podman.detached(image, "/data/program", options=["--volume", f"{shared_folder}:/data"], prepare="create")
    for _ in range(2):
        podman.fails(125, "start", name, says=NOT_FOUND)
    (shared_folder / "program").write_text("#!/bin/sh\necho there now\n")
    (shared_folder / "program").chmod(0o755)
    assert podman.out("start", "--attach", name) == "there now\n"


def test_a_detached_container_with_a_missing_command(podman, image, way):
    podman.fails(127, "run", "--detach", image, "nosuch", says=NOT_FOUND, environment=way)


@pytest.mark.parametrize("command, code, says", [
    ("nosuch", 127, NOT_FOUND), ("/etc/passwd", 126, PERMISSION), ("/etc", 126, PERMISSION)])
def test_exec_of_what_cannot_be_executed(podman, image, way, command, code, says):
    name = podman.detached(image, "sleep", "100")
    podman.fails(code, "exec", name, command, says=[says, *named(podman, command)], environment=way)
    assert podman.out("exec", name, "echo", "alive") == "alive\n"


def test_exec_in_a_folder_that_is_not_there(podman, image, way):
    name = podman.detached(image, "sleep", "100")
    podman.fails(127, "exec", "--workdir", "/nosuch", name, "true", says="/nosuch", environment=way)


def test_exec_of_what_is_missing_in_the_background(podman, image):
    name = podman.detached(image, "sleep", "100")
    podman.fails(125, "exec", "--detach", name, "nosuch", says=NOT_FOUND)


def test_exec_as_a_user_that_is_not_there(podman, image):
    name = podman.detached(image, "sleep", "100")
    podman.fails(255, "exec", "--user", "nosuch", name, "true", says="unable to find user nosuch")


def test_exec_at_a_terminal_of_what_is_missing(podman, image, way):
    podman.known_gap(crun="1.8 writes it to the terminal that nobody reads any more")
    name = podman.detached(image, "sleep", "100")
    podman.fails(127, "exec", "--tty", name, "nosuch", says=NOT_FOUND, environment=way)


@pytest.mark.parametrize("arguments, code, says", [
    (["--user", "nosuch", "IMAGE", "true"], 126, "unable to find user nosuch"),
    (["--workdir", "/nosuch", "IMAGE", "true"], 126, 'workdir "/nosuch" does not exist'),
    (["--nosuch", "IMAGE", "true"], 125, "unknown flag: --nosuch"),
    (["--memory", "lots", "IMAGE", "true"], 125, "invalid"),
    (["--cap-add", "NOSUCH", "IMAGE", "true"], 125, "NOSUCH"),
    (["--pull", "never", "localhost/nosuch:test", "true"], 125, "image not known"),
    (["--security-opt", "seccomp=/nosuch.json", "IMAGE", "true"], 125, "/nosuch.json"),
    (["--device", "/dev/nosuch", "IMAGE", "true"], 125, "no such file or directory"),
])
def test_what_podman_itself_refuses(podman, image, arguments, code, says):
    arguments = [image if word == "IMAGE" else word for word in arguments]
    podman.fails(code, "run", "--rm", *arguments, says=says)
    left_nothing(podman)


def test_a_limit_that_the_kernel_refuses(podman, image, way):
    answer = podman("run", "--rm", "--cpuset-cpus", "4000", image, "true", environment=way)
    assert answer.code in (125, 126, 127) and answer.stderr
    left_nothing(podman)


def test_a_name_twice(podman, image):
    name = podman.detached(image, "sleep", "100")
    podman.fails(125, "run", "--name", name, image, "true", says="is already in use")
    assert podman.inspect(name, ".State.Status") == "running"


def test_a_runtime_that_is_not_there(podman, image):
    answer = podman("--runtime", "/nosuch/runtime", "run", "--rm", image, "true")
    assert answer.code == 125
