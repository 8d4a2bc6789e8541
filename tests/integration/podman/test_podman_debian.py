# SPDX-License-Identifier: Apache-2.0
"""Debian in containers that podman makes: real programs with shared libraries, locales of system calls, bash, python3, apt."""

import subprocess

import pytest


def test_it_is_debian_12(podman, debian_image):
    out = podman.out("run", "--rm", debian_image, "sh", "-c", ". /etc/os-release; echo $ID $VERSION_ID")
    assert out == "debian 12\n"


def test_bash(podman, debian_image):
    script = "a=(x y z); echo ${#a[@]} ${a[1]^^}; cat <(echo substituted)"
    assert podman.out("run", "--rm", debian_image, "bash", "-c", script) == "3 Y\nsubstituted\n"


def test_python(podman, debian_image):
    program = "import json, os, socket; print(json.dumps([os.getpid(), socket.gethostname()]))"
    assert podman.out("run", "--rm", "--hostname", "snake", debian_image, "python3", "-c", program) == '[1, "snake"]\n'


def test_threads_and_processes(podman, debian_image):
    program = """
import multiprocessing, threading
def square(n): return n * n
if __name__ == "__main__":
    threads = [threading.Thread(target=square, args=(n,)) for n in range(20)]
    [t.start() for t in threads]; [t.join() for t in threads]
    with multiprocessing.Pool(4) as pool: print(sum(pool.map(square, range(100))))
"""
    assert podman.out("run", "--rm", debian_image, "python3", "-c", program) == "328350\n"


def errno_of(podman, image, call, *options):
    program = ("import ctypes, os; libc = ctypes.CDLL(None, use_errno=True); "
               f"libc.syscall({call}); print(os.strerror(ctypes.get_errno()))")
    return podman.out("run", "--rm", *options, image, "python3", "-c", program)


def test_the_default_seccomp_profile(podman, debian_image):
    """podman's profile: EPERM for what it names as forbidden, ENOSYS for what it does not know."""
    assert errno_of(podman, debian_image, "167, 0, 0") == "Operation not permitted\n"  # swapon on x86-64
    assert errno_of(podman, debian_image, "9999") == "Function not implemented\n"
    assert errno_of(podman, debian_image, "39") == "Success\n"  # getpid


def test_dpkg_and_apt(podman, debian_image):
    out = podman.out("run", "--rm", debian_image, "sh", "-c",
                     "dpkg-query -W -f '${Status}\\n' bash; apt-cache policy python3 | head -1; dpkg -l | grep -c ^ii")
    lines = out.splitlines()
    assert lines[:2] == ["install ok installed", "python3:"]
    assert int(lines[2]) > 50


def test_a_package_is_installed(podman, debian_image, workspace):
    """dpkg's own tour through the kernel: temporary files, fsync, rename, maintainer scripts, triggers."""
    tree = workspace / "package"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN/control").write_text("Package: crate\nVersion: 1.0\nArchitecture: all\nMaintainer: A <a@example.org>\n"
                                         "Description: a test\n")
    (tree / "DEBIAN/postinst").write_text("#!/bin/sh\necho configured > /srv/by-postinst\n")
    (tree / "DEBIAN/postinst").chmod(0o755)
    (tree / "srv").mkdir()
    (tree / "srv/file").write_text("packed\n")
    built = subprocess.run(["dpkg-deb", "--root-owner-group", "--build", tree, workspace / "crate.deb"], capture_output=True,
                           timeout=30, check=False)
    if built.returncode != 0:
        pytest.skip(f"dpkg-deb cannot build here: {built.stderr}")
    script = "dpkg -i /crate.deb >/dev/null && cat /srv/file /srv/by-postinst && dpkg -s crate | grep ^Status"
    out = podman.sh(debian_image, script, "--volume", f"{workspace}/crate.deb:/crate.deb:ro")
    assert out == "packed\nconfigured\nStatus: install ok installed\n"


def test_bash_at_a_terminal(at_terminal, debian_image):
    with at_terminal("run", "--rm", "-it", "--hostname", "crate", debian_image, "bash", rows=35, columns=111) as shell:
        shell.ready(r"root@crate:/# ")
        shell.ask("stty size", r"^35 111$")
        shell.ask("sleep 100 &", r"^\[1\] \d+$")
        shell.ask("jobs", r"^\[1\]\+  Running +sleep 100 &$")
        shell.ask("kill %1; wait %1; echo status $?", r"^status 143$")
        shell.line("exit 3")
        assert shell.wait() == 3


def test_python_at_a_terminal(at_terminal, debian_image):
    with at_terminal("run", "--rm", "-it", debian_image, "python3") as python:
        python.ready(r">>> $")
        python.ask("6 * 7", r"^42$")
        python.line("exit()")
        assert python.wait() == 0


@pytest.mark.parametrize("options", [[], ["--uidmap", "0:100000:65536"]])
def test_users_of_debian(podman, debian_image, options):
    script = "id -un; id -gn; cat /etc/shadow"
    answer = podman("run", "--rm", *options, "--user", "www-data", debian_image, "sh", "-c", script)
    assert (answer.code, answer.stdout) == (1, "www-data\nwww-data\n")
    assert answer.stderr == "cat: /etc/shadow: Permission denied\n"
