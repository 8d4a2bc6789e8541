# SPDX-License-Identifier: Apache-2.0
"""One test for each class of flaw that was published of a container runtime and that test_attacks.py and test_attacks_on_proc.py do not
try: docs/threat-model.md has the table from number to test. Each really tries the attack.
"""

import errno
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import cgroups
import kernel
from attack import SECRET, no_secret, powerful
from test_seccomp import NATIVE


@pytest.fixture(autouse=True)
def needs_root():
    kernel.require_root("the attacks are those of a container that root started")


# -- CVE-2022-29162, CVE-2022-27650, CVE-2025-27612: inheritable capabilities that nobody asked for

STATUS = "grep -E 'Cap(Inh|Amb)' /proc/self/status"


def test_no_capability_is_inheritable_or_ambient_by_itself(runtime, bundle):
    powerful(bundle)
    bundle.process["capabilities"].pop("inheritable", None)
    assert runtime.output_of(bundle.sh(STATUS)).split()[1::2] == ["0" * 16] * 2


@pytest.mark.parametrize("options", [[], ["--cap", "CAP_NET_RAW"], ["--user", "1000"]], ids=["plain", "cap", "user"])
def test_exec_makes_no_capability_inheritable(runtime, bundle, options):
    container = runtime.run_detached(powerful(bundle).sleeps())
    output = container.exec_ok("/bin/sh", "-c", STATUS, options=options).stdout
    assert output.split()[1::2] == ["0" * 16] * 2


# -- CVE-2026-30892: `exec --user 1` ran as root

@pytest.mark.parametrize("user, ids", [("1", "1 0"), ("7:8", "7 8"), ("0:5", "0 5")])
def test_exec_runs_as_the_user_that_was_named(runtime, bundle, user, ids):
    container = runtime.run_detached(bundle.sleeps())
    assert container.exec_ok("/bin/sh", "-c", "echo $(id -u) $(id -g)", options=["--user", user]).stdout.strip() == ids


@pytest.mark.kiste_only("it takes 2^32 for user 0")
@pytest.mark.parametrize("user", ["-1", "4294967295", "4294967296", "1:-1", "1:2:3", "root", "1x"])
def test_exec_refuses_users_that_are_no_ids(runtime, bundle, user):
    container = runtime.run_detached(bundle.sleeps())
    result = container.exec("/bin/id", options=["--user", user])
    assert result.code != 0 and "uid=" not in result.stdout, str(result)


# -- CVE-2022-36109, CVE-2022-2989, CVE-2022-2995: groups of the caller's, or missing negative ones

def test_the_callers_groups_do_not_enter_the_container(runtime, bundle):
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    assert runtime.output_of(bundle.args("/bin/id", "-G"), extra_groups=[4, 5, 6]).split() == ["1000"]


def test_setgroups_of_a_user_namespace_drops_no_group_of_the_hosts(runtime, bundle):
    """A group that is not mapped could only be dropped, never be taken."""
    bundle.user_namespace(size=1000)
    script = "id -G; setpriv --groups 5000 id -G 2>/dev/null || echo refused"
    assert "5000" not in runtime.output_of(bundle.sh(script), extra_groups=[4])


# -- CVE-2026-41579, CVE-2026-47766, CVE-2019-18837: a /dev of the image that leads to the host

def without_dev(bundle):
    bundle.spec["mounts"] = [entry for entry in bundle.spec["mounts"] if not entry["destination"].startswith("/dev")]
    return bundle


@pytest.mark.kiste_only("CVE-2026-41579: it makes links on the host, before 1.3.6")
@pytest.mark.parametrize("form", ["absolute", "relative"])
def test_a_dev_that_is_a_symlink_changes_nothing_on_the_host(runtime, bundle, workspace, form):
    """Default devices, the links in /dev, and /dev/ptmx, which is removed first."""
    target = workspace / "target"
    target.mkdir()
    (target / "ptmx").write_text("of the host\n")
    rootfs = without_dev(bundle).own_rootfs()
    shutil.rmtree(rootfs / "dev")
    (rootfs / "dev").symlink_to(target if form == "absolute" else Path("../../../../../../..") / str(target).lstrip("/"))
    runtime.run(bundle)
    assert sorted(os.listdir(target)) == ["ptmx"] and (target / "ptmx").read_text() == "of the host\n"


@pytest.mark.parametrize("name", ["sys", pytest.param("dev", marks=pytest.mark.kiste_only("CVE-2026-41579, before 1.3.6")), "proc"])
def test_a_file_system_is_not_mounted_through_a_symlink_to_the_host(runtime, bundle, workspace, name):
    """CVE-2025-54867, CVE-2019-19921. A mount on the host is noticed by the comparison after every test."""
    target = workspace / "target"
    target.mkdir()
    rootfs = bundle.own_rootfs()
    shutil.rmtree(rootfs / name)
    (rootfs / name).symlink_to(target)
    runtime.run(bundle)
    assert os.listdir(target) == []


# -- CVE-2023-27561, CVE-2023-28642: /proc as a link into a volume that another container holds

def test_a_proc_that_leads_into_a_volume_is_refused_or_the_kernels(runtime, bundle, volume):
    (volume / "proc/self/attr").mkdir(parents=True)
    (volume / "proc/self/attr/exec").touch()
    rootfs = bundle.own_rootfs()
    (rootfs / "proc").rmdir()
    (rootfs / "proc").symlink_to("/volume/proc")
    bundle.spec["mounts"].insert(0, {"destination": "/volume", "type": "bind", "source": str(volume), "options": ["bind"]})
    result = runtime.run(bundle.sh("stat -f -c %T /proc/."))
    assert result.code != 0 or result.stdout.strip() == "proc", str(result)
    assert (volume / "proc/self/attr/exec").read_text() == ""


# -- CVE-2024-45310: empty files and folders made on the host through a volume

@pytest.mark.parametrize("form", ["absolute", "climbing"])
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_destination_below_a_link_in_a_volume_is_made_inside(runtime, bundle, volume, workspace, form, kind):
    outside = workspace / "outside"
    outside.mkdir()
    (volume / "link").symlink_to(outside if form == "absolute" else Path("../../../../../..") / str(outside).lstrip("/"))
    source = volume / "file" if kind == "file" else volume
    bundle.own_rootfs()
    bundle.mount("/volume", "bind", volume).mount("/volume/link/deep/new", "bind", source)
    runtime.run(bundle)
    assert os.listdir(outside) == []


@pytest.mark.parametrize("form", ["plain", "user-namespace"])
def test_a_process_inside_that_denies_setgroups_does_not_keep_the_callers_groups_in_exec(runtime, bundle, form):
    """Exec joins the user namespace of the first process, which may have made one below its own since."""
    powerful(bundle)
    if form == "user-namespace":
        bundle.user_namespace()
    container = runtime.run_detached(bundle.sh("exec unshare -U -r sh -c 'echo ready; sleep 1000'")).says("ready")
    result = container.exec("/bin/grep", "^Groups:", "/proc/self/status", extra_groups=[4, 6])
    assert result.code != 0 or result.stdout.split() == ["Groups:"], str(result)


# -- CVE-2023-25809: the host's cgroups writable inside

@pytest.mark.parametrize("user_namespace", [False, True], ids=["root", "user-namespace"])
def test_the_hosts_cgroups_cannot_be_written_to(runtime, bundle, host, user_namespace):
    """Without a cgroup namespace and, with a user namespace but the host's network, with a /sys that has to be bound."""
    if user_namespace:
        bundle.user_namespace().without_namespace("network")
    name = host.new_name()
    script = f"for d in /sys/fs/cgroup /sys/fs/cgroup/*; do mkdir $d/{name} 2>/dev/null && echo made $d; done; echo over"
    result = runtime.run(bundle.sh(script))
    assert "made" not in result.stdout, str(result)
    for _, mounted in cgroups.hierarchies():
        assert not (mounted / name).exists()


# -- CVE-2022-0492: a release agent is run by the host as root

def test_a_release_agent_cannot_be_set(runtime, bundle, workspace):
    cgroups.require_v1("v2 has no release agents")
    script = ("for d in /sys/fs/cgroup/*; do echo /bin/true >$d/release_agent 2>/dev/null && echo set $d;"
              "echo 1 >$d/notify_on_release 2>/dev/null && echo notify $d; done;"
              "mkdir /dev/shm/c; mount -t cgroup -o rdma cgroup /dev/shm/c 2>/dev/null && echo mounted; echo over")
    assert runtime.run(powerful(bundle).sh(script)).stdout == "over\n"


# -- CVE-2022-0811: sysctls smuggled in the value of an allowed one

def test_a_sysctl_value_sets_no_other_sysctl(runtime, bundle):
    pattern = Path("/proc/sys/kernel/core_pattern")
    before = pattern.read_text()
    for value in ("1+kernel.core_pattern=|/bin/true", "1\nkernel.core_pattern=|/bin/true"):
        bundle.linux["sysctl"] = {"kernel.shm_rmid_forced": value}
        runtime.run(bundle)
        assert pattern.read_text() == before
    bundle.linux["sysctl"] = {"kernel.core_pattern": "|/bin/true"}
    runtime.refuses_to_run(bundle, "kernel.core_pattern")
    assert pattern.read_text() == before


# -- CVE-2021-43784: lengths that do not fit into what carries them

def hostile_sizes():
    return {
        "mount-source": lambda bundle: bundle.mount("/mnt", "bind", "/" + "a" * 70000),
        "mount-destination": lambda bundle: bundle.mount("/" + "b/" * 40000, "tmpfs"),
        "mount-options": lambda bundle: bundle.mount("/mnt", "tmpfs", "tmpfs", "x" * 70000),
        "cgroups-path": lambda bundle: bundle.linux.update(cgroupsPath="/" + "c" * 70000),
        "hostname": lambda bundle: bundle.spec.update(hostname="d" * 70000),
        "id-mappings": lambda bundle: bundle.namespace("user").linux.update(
            {which: [{"containerID": i, "hostID": 100000 + i, "size": 1} for i in range(5000)] for which in ("uidMappings", "gidMappings")}),
        "cwd": lambda bundle: bundle.process.update(cwd="/" + "e" * 70000),
        "argument": lambda bundle: bundle.process.update(args=["/bin/true", "f" * (1 << 20)]),
        "arguments": lambda bundle: bundle.process.update(args=["/bin/true"] + ["g"] * 3_000_000),
        "environment": lambda bundle: bundle.process.update(env=["H=" + "h" * (1 << 20)]),
        "masked-path": lambda bundle: bundle.linux.update(maskedPaths=["/" + "i" * 70000]),
    }


@pytest.mark.parametrize("field", hostile_sizes())
@pytest.mark.kiste_only("it crashes or succeeds for some of them")
def test_what_is_too_long_is_refused(runtime, bundle, field):
    hostile_sizes()[field](bundle)
    result = runtime.run(bundle)
    if field == "masked-path":  # what is not there needs no mask; a name that cannot be is an error
        assert result.code in (0, 1)
    else:
        runtime.check_refusal(result)
    assert len(result.stderr) < 100_000


# -- filters and the other ways to call the kernel

OTHER_CALLS = r"""
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
static char path[] = "/tmp/made";
int main(int count, char **arguments) {
  long result = -38;
  if (count > 1 && !strcmp(arguments[1], "x32")) result = syscall(0x40000000 | SYS_mkdir, path, 0755);
  if (count > 1 && !strcmp(arguments[1], "i386"))
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(39), "b"(path), "c"(0755) : "memory");
  if (count > 1 && !strcmp(arguments[1], "native")) result = syscall(SYS_mkdir, path, 0755);
  puts(access(path, F_OK) ? "not made" : "made");
  return 0;
}
"""


@pytest.fixture(scope="session")
def other_calls(host):
    compiler = shutil.which("cc")
    if not compiler or os.uname().machine != "x86_64":
        pytest.skip("needs a C compiler on x86_64")
    program = host.folder / "other-calls"
    # At an address that 32 bits can name.
    built = subprocess.run([compiler, "-static", "-no-pie", "-x", "c", "-", "-o", program], input=OTHER_CALLS, capture_output=True, text=True, timeout=60)
    if built.returncode != 0:
        pytest.skip(f"no static C programs can be built here: {built.stderr[-300:]}")
    return program


@pytest.mark.parametrize("way", ["native", "i386", "x32"])
@pytest.mark.parametrize("architectures", [None, ["SCMP_ARCH_X86_64"], ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]], ids=["default", "native", "all"])
def test_a_call_that_is_denied_is_denied_by_every_entry(runtime, bundle, other_calls, way, architectures):
    bundle.add_program(other_calls, "/other").mount("/tmp", "tmpfs", "tmpfs").args("/other", way)
    unfiltered = runtime.run(bundle)
    if unfiltered.stdout != "made\n":
        pytest.skip(f"this kernel has no system calls of {way}")
    profile = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}
    if architectures:
        profile["architectures"] = architectures
    bundle.linux["seccomp"] = profile
    assert "not made" in (result := runtime.run(bundle)).stdout or result.code >= 128, f"the filter was passed by: {result}"


CLONE_NEWUSER = 0x10000000
ENOSYS, EPERM = str(errno.ENOSYS), str(errno.EPERM)
NO_USER_NAMESPACE = {
    # As engines write it today. A filter cannot see the flags of clone3, which lie in memory: it must not be there at all.
    "named": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["clone"], "action": "SCMP_ACT_ERRNO",
         "args": [{"index": 0, "value": CLONE_NEWUSER, "valueTwo": CLONE_NEWUSER, "op": "SCMP_CMP_MASKED_EQ"}]},
        {"names": ["unshare"], "action": "SCMP_ACT_ERRNO"},
        {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": errno.ENOSYS}]},
    # Older than clone3: what the list does not know yet must look as if the kernel did not either, or no C library falls back.
    "older": {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
        {"names": ["clone"], "action": "SCMP_ACT_ALLOW",
         "args": [{"index": 0, "value": CLONE_NEWUSER, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}]},
        {"names": ["execve", "brk", "arch_prctl", "set_tid_address", "set_robust_list", "rseq", "prlimit64", "readlink", "readlinkat", "getrandom",
                   "mmap", "munmap", "mprotect", "fstat", "newfstatat", "write", "exit", "exit_group", "wait4", "futex",
                   # what runc itself calls behind its filter
                   "close", "fcntl", "openat", "read", "stat", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "gettid", "getpid",
                   "getppid", "tgkill", "nanosleep", "epoll_ctl", "epoll_pwait", "sched_yield", "madvise", "prctl", "fstatfs", "getdents64"],
         "action": "SCMP_ACT_ALLOW"}]},
}


@pytest.mark.parametrize("way, answer", [("clone", EPERM), ("unshare", EPERM), ("clone3", ENOSYS)])
@pytest.mark.parametrize("profile", NO_USER_NAMESPACE)
def test_a_user_namespace_that_is_denied_is_not_made_by_clone3(runtime, bundle, probe, profile, way, answer):
    if not NATIVE:
        pytest.skip(f"this test does not know the system calls of {os.uname().machine}")
    bundle.with_probe(probe, "user-namespace", way)
    if runtime.output_of(bundle) != "made\n":
        pytest.skip("this kernel makes no user namespaces in containers")
    bundle.linux["seccomp"] = {**NO_USER_NAMESPACE[profile], "architectures": [NATIVE]}
    assert runtime.output_of(bundle).strip() == answer


# -- ids and names as a way out

@pytest.mark.parametrize("name", ["../escape", "a/b", ".", "..", "", "a\nb", "a\x01b", "-", "a" * 1025, "%s%n", "$(id)",
                                  pytest.param(".seccomp", marks=pytest.mark.kiste_only("an id like others there"))])
def test_hostile_ids_are_refused_and_make_nothing(runtime, bundle, workspace, name):
    if name == "-" and not runtime.is_kiste:
        pytest.skip("an id for runc")
    result = runtime("run", "--bundle", bundle.write().folder, "--", name)
    if name == "-":
        assert result.code in (0, 1)
        return
    assert result.code != 0
    assert not (workspace / "escape").exists() and not (runtime.folder / "escape").exists()


@pytest.mark.parametrize("kind", ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"])
def test_a_hook_does_not_get_the_containers_environment(runtime, bundle, volume, kind):
    """LD_PRELOAD and PATH of the image's environment must not steer a program of the host."""
    bundle.own_rootfs()
    bundle.process["env"] = ["PATH=/evil", "LD_PRELOAD=/evil.so", "EVIL=1"]
    bundle.mount(volume, "bind", volume).hook(kind, "/bin/sh", "-c", f"env >{volume}/environment", env=["PATH=/usr/bin:/bin"])
    runtime.run(bundle.args("/bin/true"), env={**os.environ, "EVIL": "of the caller"})
    said = (volume / "environment").read_text()
    assert "PATH=/usr/bin:/bin\n" in said and "evil" not in said.lower()


# -- CVE-2025-23266: a library of the image's, named by its LD_PRELOAD, in a createContainer hook on the host's files

INHERITS = pytest.mark.kiste_only("it gives createContainer hooks that name no environment the container's")


@pytest.mark.parametrize("kind", ["prestart", "createRuntime", pytest.param("createContainer", marks=INHERITS), "poststart", "poststop"])
def test_a_hook_on_the_hosts_files_without_env_gets_nothing_of_the_containers(runtime, bundle, volume, kind):
    bundle.own_rootfs()
    bundle.process["env"] = ["PATH=/evil", "LD_PRELOAD=/proc/self/cwd/evil.so", "EVIL=1"]
    bundle.mount(volume, "bind", volume).hook(kind, "/bin/sh", "-c", f"/usr/bin/env >{volume}/environment")
    runtime.run(bundle.args("/bin/true"))
    said = (volume / "environment").read_text()
    assert f"PATH={os.environ['PATH']}\n" in said and "evil" not in said.lower()


# -- the order of device rules: the last match wins, a denial cannot be undone by an earlier allowance

def test_the_last_device_rule_wins(runtime, bundle):
    """A device without a driver: what the rules let pass ends with another error (ENXIO)."""
    allow = {"allow": True, "type": "c", "major": 240, "minor": 77, "access": "rwm"}
    deny = {**allow, "allow": False}
    bundle.linux["devices"] = [{"path": "/dev/nobody", "type": "c", "major": 240, "minor": 77}]
    script = "cat /dev/nobody 2>&1 | grep -q 'not permitted' && echo denied || echo passed"

    def with_rules(*rules):
        powerful(bundle).resources["devices"] = list(rules)
        return runtime.output_of(bundle.sh(script)).strip()

    nothing = {"allow": False, "access": "rwm"}
    assert with_rules(nothing, allow, deny) == "denied"
    assert with_rules(nothing, deny, allow) == "passed"
    assert with_rules(allow, nothing) == "denied"
