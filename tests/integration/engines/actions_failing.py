# SPDX-License-Identifier: Apache-2.0
"""What goes wrong: the exit codes that engines make of the runtime's words, and the words that users look for."""

from actions import ALL, DOCKERLIKE, LASTING, action

NOT_IN_PATH = "executable file not found in $PATH"
NO_FILE, NO_PERMISSION, NO_FOLDER = "no such file or directory", "ermission denied", "ot a directory"


def code_of(box, dockers, podmans=None):
    """Exit codes: docker's and podman's are their documented ones; the others' are whatever the peer's is."""
    return {"docker": dockers, "podman": dockers if podmans is None else podmans}.get(box.engine.name)


def words_of(box, words, podmans):
    return podmans if box.engine.name == "podman" else words


@action(*ALL)
def command_that_is_not_there(box):
    box.run("nosuch", code=code_of(box, 127), says=["nosuch", words_of(box, NOT_IN_PATH, "not found")])


@action(*ALL)
def path_that_is_not_there(box):
    box.run("/nosuch/file", code=code_of(box, 127), says=["/nosuch/file", words_of(box, NO_FILE, "not found")])


@action(*ALL)
def command_that_cannot_be_executed(box):
    box.run("/etc/passwd", code=code_of(box, 126), says=["/etc/passwd", NO_PERMISSION])


@action(*ALL)
def command_that_is_a_folder(box):
    box.run("/etc", code=code_of(box, 126), says=["/etc", NO_PERMISSION])


@action(*DOCKERLIKE)
def missing_command_in_the_background(box):
    name = box.new_name()
    words = box.engine.run_words(box, name, ["nosuch"], {}, detach=True)
    box.type(*words, code=127, says="nosuch")
    facts = box.inspect(name, "State")
    box.saw([facts["Status"], facts["ExitCode"], facts["Running"]])


@action(*DOCKERLIKE)
def missing_working_directory_below_a_file(box):
    box.run("true", workdir="/etc/passwd/x", code=code_of(box, 125, 126), says="/etc/passwd")


@action(*DOCKERLIKE)
def unknown_user(box):
    box.run("true", user="nosuch", code=code_of(box, 125, 126), says="unable to find user nosuch")


@action("docker", "containerd")
def file_mounted_on_a_folder(box):
    words = [NO_FOLDER] + (["Are you trying to mount a directory onto a file"] if box.engine.name == "docker" else [])
    file = box.folder / "file"
    file.write_text("")
    box.run("true", volumes=[f"{file}:/etc"], code=code_of(box, 125), says=words)


@action("docker")
def folder_mounted_on_a_file(box):
    folder = box.folder / "folder"
    folder.mkdir()
    box.run("true", volumes=[f"{folder}:/etc/passwd"], code=125, says="Are you trying to mount a directory onto a file")


@action(*DOCKERLIKE)
def kernel_parameter_with_a_bad_value(box):
    box.run("true", sysctl="kernel.msgmax=many", code=code_of(box, 125, 126), says="nvalid argument")


@action(*DOCKERLIKE)
def kernel_parameter_that_is_not_there(box):
    box.run("true", sysctl="kernel.shm_nosuch=1", code=code_of(box, 125), says="shm_nosuch")


@action("docker")
def kernel_parameter_of_the_network_that_is_not_there(box):
    box.run("true", sysctl="net.core.nosuch=1", code=127, says=["nosuch", NO_FILE])


@action("docker")
def limit_above_what_root_may_set(box):
    box.run("true", ulimit=["nofile=100000000:100000000"], code=code_of(box, 125), says="not permitted")


@action(*DOCKERLIKE)
def exec_of_what_is_missing(box):
    name = box.start("sleep", "1000")
    box.exec(name, "nosuch", code=code_of(box, 126, 127), says=["nosuch", words_of(box, NOT_IN_PATH, "not found")])
    box.exec(name, "/nosuch/file", code=code_of(box, 126, 127), says=words_of(box, NO_FILE, "not found"))
    box.exec(name, "/etc", code=126, says=NO_PERMISSION)
    box.exec(name, "true", workdir="/nosuch", code=code_of(box, 126, 127), says=NO_FILE)
    box.exec(name, "true", user="nosuch", code=code_of(box, 126, 255), says="unable to find user nosuch")
    assert box.exec(name, "echo", "alive") == "alive\n"


@action("containerd")
def exec_of_what_is_missing_in_a_task(box):
    name = box.start("sleep", "1000")
    box.exec(name, "nosuch", code=None, says=["nosuch", NOT_IN_PATH])
    box.exec(name, "/etc", code=None, says=NO_PERMISSION)
    box.exec(name, "true", workdir="/nosuch", code=None, says=["/nosuch", NO_FILE])


@action(*DOCKERLIKE)
def exec_in_what_has_ended(box):
    name = box.start("true")
    box.reaches(name, "exited")
    box.exec(name, "true", code=None, says="running")


@action(*LASTING)
def one_name_twice(box):
    name = box.start("sleep", "1000")
    words = box.engine.run_words(box, name, ["true"], {})
    box.type(*words, code=None, says="exist" if box.engine.name == "containerd" else "in use")
    assert box.status(name) == "running"
