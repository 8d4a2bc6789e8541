# SPDX-License-Identifier: Apache-2.0
"""What a container may not do under podman, and what it may again when its user says so."""

import json
from pathlib import Path

import pytest

import kernel
from podman_engine import DEFAULT_CAPABILITIES

BITS = {"CHOWN": 0, "NET_BIND_SERVICE": 10, "NET_ADMIN": 12, "SYS_CHROOT": 18, "SYS_TIME": 25, "SETFCAP": 31}
EVERY_SET = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


def capabilities(podman, image, *options):
    out = podman.sh(image, "grep ^Cap /proc/self/status", *options)
    return {line.split(":")[0]: int(line.split()[1], 16) for line in out.splitlines()}


def test_default_capabilities(podman, image):
    sets = capabilities(podman, image)
    assert [sets[name] for name in EVERY_SET] == [0] + [DEFAULT_CAPABILITIES] * 3 + [0]


def test_cap_drop(podman, image):
    sets = capabilities(podman, image, "--cap-drop", "CHOWN", "--cap-drop", "cap_setfcap")
    left = DEFAULT_CAPABILITIES & ~(1 << BITS["CHOWN"] | 1 << BITS["SETFCAP"])
    assert [sets[name] for name in EVERY_SET] == [0] + [left] * 3 + [0]


def test_cap_drop_all(podman, image):
    assert set(capabilities(podman, image, "--cap-drop", "ALL").values()) == {0}


def test_cap_add(podman, image):
    sets = capabilities(podman, image, "--cap-add", "NET_ADMIN")
    assert sets["CapEff"] == sets["CapBnd"] == DEFAULT_CAPABILITIES | 1 << BITS["NET_ADMIN"]


def test_cap_add_after_drop_all(podman, image):
    sets = capabilities(podman, image, "--cap-drop", "ALL", "--cap-add", "SYS_CHROOT")
    assert sets["CapEff"] == sets["CapPrm"] == sets["CapBnd"] == 1 << BITS["SYS_CHROOT"]


def test_an_ordinary_user_has_none(podman, image):
    sets = capabilities(podman, image, "--user", "app")
    assert [sets[name] for name in EVERY_SET] == [0, 0, 0, DEFAULT_CAPABILITIES, 0]


def test_an_ordinary_user_gets_what_was_added(podman, image):
    """podman puts it into the ambient set, which survives exec for users."""
    sets = capabilities(podman, image, "--user", "app", "--cap-add", "NET_ADMIN")
    added = 1 << BITS["NET_ADMIN"]
    assert sets["CapEff"] == sets["CapAmb"] == sets["CapInh"] == added


def test_a_dropped_capability_is_missed(podman, image):
    podman.out("run", "--rm", image, "chown", "app", "/tmp")
    podman.fails(1, "run", "--rm", "--cap-drop", "CHOWN", image, "chown", "app", "/tmp", says="Operation not permitted")


def test_all_capabilities(podman, image):
    kernel_set = int(kernel.status_field("CapBnd"), 16)
    assert capabilities(podman, image, "--cap-add", "ALL")["CapEff"] == kernel_set


def test_seccomp_is_on_by_default(podman, image):
    assert podman.sh(image, "grep ^Seccomp: /proc/self/status").split()[1] == "2"


def test_seccomp_unconfined(podman, image):
    assert podman.sh(image, "grep ^Seccomp: /proc/self/status", "--security-opt", "seccomp=unconfined").split()[1] == "0"


def profile(workspace, *rules, default="SCMP_ACT_ALLOW"):
    file = workspace / "profile.json"
    file.write_text(json.dumps({"defaultAction": default, "syscalls": list(rules)}))
    return f"seccomp={file}"


def test_a_profile_denies(podman, image, workspace):
    option = profile(workspace, {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"})
    answer = podman("run", "--rm", "--security-opt", option, image, "sh", "-c", "mkdir /new; touch /other && echo other")
    assert (answer.code, answer.stdout) == (0, "other\n")
    assert answer.stderr == "mkdir: can't create directory '/new': Operation not permitted\n"


def test_a_profile_chooses_the_error(podman, image, workspace):
    option = profile(workspace, {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28})
    answer = podman("run", "--rm", "--security-opt", option, image, "mkdir", "/new")
    assert (answer.code, answer.stderr) == (1, "mkdir: can't create directory '/new': No space left on device\n")


def test_a_profile_kills(podman, image, workspace):
    option = profile(workspace, {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_KILL_PROCESS"})
    answer = podman("run", "--rm", "--security-opt", option, image, "sh", "-c", "(mkdir /new); echo $?")
    assert (answer.code, answer.stdout) == (0, "159\n")  # 128 + SIGSYS


def test_a_profile_looks_at_arguments(podman, image, workspace):
    rule = {"names": ["kill"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 1, "value": 10, "op": "SCMP_CMP_EQ"}]}
    script = "kill -0 $$ && echo asked; kill -USR1 $$"
    answer = podman("run", "--rm", "--security-opt", profile(workspace, rule), image, "sh", "-c", script)
    assert (answer.code, answer.stdout) == (1, "asked\n")
    assert answer.stderr == "sh: can't kill pid 1: Operation not permitted\n"


def test_a_profile_counts_for_exec_too(podman, image, workspace):
    option = profile(workspace, {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"})
    name = podman.detached(image, "sleep", "100", options=["--security-opt", option])
    podman.fails(1, "exec", name, "mkdir", "/new", says="Operation not permitted")


def test_no_new_privileges(podman, image):
    script = "grep ^NoNewPrivs /proc/self/status"
    assert podman.sh(image, script).split()[1] == "0"
    assert podman.sh(image, script, "--security-opt", "no-new-privileges").split()[1] == "1"


def test_read_only(podman, image):
    answer = podman("run", "--rm", "--read-only", image, "sh", "-c", "touch /new; touch /etc/new; touch /tmp/new && echo tmp")
    assert (answer.code, answer.stdout) == (0, "tmp\n")  # podman puts file systems in memory on /tmp, /run, /var/tmp
    assert answer.stderr == "touch: /new: Read-only file system\ntouch: /etc/new: Read-only file system\n"


def test_read_only_without_exceptions(podman, image):
    answer = podman("run", "--rm", "--read-only", "--read-only-tmpfs=false", image, "touch", "/tmp/new")
    assert (answer.code, answer.stderr) == (1, "touch: /tmp/new: Read-only file system\n")


def test_masked_paths(podman, image):
    script = "for f in /proc/kcore /proc/keys /proc/timer_list; do test -e $f && wc -c < $f; done; ls /sys/firmware"
    assert set(podman.sh(image, script).split()) == {"0"}


def test_unmasked_paths(podman, image):
    listed = sorted(path.name for path in Path("/sys/firmware").iterdir())
    if not listed:
        pytest.skip("this host has nothing in /sys/firmware to be masked")
    assert podman.sh(image, "ls /sys/firmware", "--security-opt", "unmask=/sys/firmware").split() == listed


def test_a_path_masked_by_the_user(podman, image):
    assert podman.sh(image, "wc -c < /etc/passwd; ls /srv | wc -l", "--security-opt", "mask=/etc/passwd:/srv") == "0\n0\n"


def test_read_only_paths(podman, image):
    for path in ("/proc/sys/kernel/panic", "/proc/irq/default_smp_affinity", "/proc/sysrq-trigger"):
        if not Path(path).exists():
            continue
        answer = podman("run", "--rm", image, "sh", "-c", f"echo 0 > {path}")
        assert answer.code == 1 and "Read-only file system" in answer.stderr


def test_devices(podman, image):
    names = podman.sh(image, "ls /dev").split()
    assert [name for name in names if name != "core"] == [  # a link to /proc/kcore, where the kernel has one
        "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero"]
    script = "echo x > /dev/null; head -c 4 /dev/zero | wc -c; head -c 4 /dev/urandom | wc -c; stat -c '%A %t:%T' /dev/null"
    assert podman.sh(image, script) == "4\n4\ncrw-rw-rw- 1:3\n"


LOOP = "/dev/loop-control"  # opening it does nothing, and no container has it by default


def test_a_device_that_was_given(podman, image):
    kernel.require_file(LOOP, "the device to hand to a container")
    script = "stat -c '%F %t:%T' /dev/given; : < /dev/given && echo read; : > /dev/given && echo written"
    expected = "character special file a:ed\nread\nwritten\n"
    assert podman.sh(image, script, "--device", f"{LOOP}:/dev/given") == expected
    assert podman.sh(image, script, "--device", f"{LOOP}:/dev/given:rw") == expected


def test_a_device_given_for_reading(podman, image):
    kernel.require_file(LOOP, "the device to hand to a container")
    answer = podman("run", "--rm", "--device", f"{LOOP}:{LOOP}:r", image, "sh", "-c", f": < {LOOP} && echo read; : > {LOOP}")
    assert (answer.code, answer.stdout) == (1, "read\n")
    assert answer.stderr == f"sh: can't create {LOOP}: Operation not permitted\n"


def test_a_folder_of_devices(podman, image):
    kernel.require_file("/dev/net/tun", "a device in a folder")
    assert podman.sh(image, "stat -c '%F %t:%T' /dev/net/tun", "--device", "/dev/net/tun") == "character special file a:c8\n"


def test_a_device_that_was_not_given(podman, image):
    """A container may make the node (MKNOD), but the device cgroup keeps it shut."""
    answer = podman("run", "--rm", "--cap-add", "MKNOD", image, "sh", "-c", "mknod /srv/node c 10 237 && : < /srv/node")
    assert (answer.code, answer.stderr) == (1, "sh: can't open /srv/node: Operation not permitted\n")


def test_a_rule_for_devices(podman, image):
    kernel.require_file(LOOP, "the device that the rule is for")
    script = "mknod /srv/node c 10 237 && : < /srv/node && echo opened"
    assert podman.sh(image, script, "--cap-add", "MKNOD", "--device-cgroup-rule", "c 10:237 r") == "opened\n"


def test_sysctls(podman, image):
    assert podman.sh(image, "cat /proc/sys/net/ipv4/ip_forward", "--sysctl", "net.ipv4.ip_forward=1") == "1\n"
    assert podman.sh(image, "cat /proc/sys/kernel/shm_rmid_forced", "--sysctl", "kernel.shm_rmid_forced=1") == "1\n"


def test_a_sysctl_of_the_host_is_refused(podman, image):
    before = Path("/proc/sys/vm/swappiness").read_text()
    answer = podman("run", "--rm", "--sysctl", "vm.swappiness=7", image, "true")
    assert answer.code in (125, 126)
    assert Path("/proc/sys/vm/swappiness").read_text() == before


def test_privileged(podman, image):
    bounding = int(kernel.status_field("CapBnd"), 16)
    assert capabilities(podman, image, "--privileged")["CapEff"] == bounding
    script = """
        grep -E '^(Seccomp|NoNewPrivs):' /proc/self/status
        mount -t tmpfs none /mnt && echo mounted
        echo 1 > /proc/sys/net/ipv4/ip_forward && echo proc is writable
        test -b /dev/%s && echo the disk is there
    """
    disk = next((path.name for path in sorted(Path("/dev").iterdir()) if path.is_block_device()), None)
    if disk is None:
        pytest.skip("this host has no block device to look for")
    assert podman.sh(image, script % disk, "--privileged").split("\n") == [
        "NoNewPrivs:\t0", "Seccomp:\t0", "mounted", "proc is writable", "the disk is there", ""]


def test_privileged_for_an_ordinary_user(podman, image):
    sets = capabilities(podman, image, "--privileged", "--user", "app")
    assert (sets["CapEff"], sets["CapAmb"], sets["CapInh"]) == (0, 0, 0)
