# SPDX-License-Identifier: Apache-2.0
"""linux.seccomp: what happens to a system call that a rule names. mkdir, personality and getpid stand for all."""

import errno
import platform

import pytest

import kernel

NATIVE = {"x86_64": "SCMP_ARCH_X86_64", "aarch64": "SCMP_ARCH_AARCH64"}.get(platform.machine(), "")
GETPID = {"x86_64": 39, "aarch64": 172}.get(platform.machine(), 0)
PERSONALITY = {"x86_64": 135, "aarch64": 92}.get(platform.machine(), 0)
SIGSYS = 31
MKDIR = ("mkdir", "mkdirat")
DEED = "mkdir /dev/shm/made 2>/dev/null && echo made || echo refused"


@pytest.fixture(autouse=True)
def needs_seccomp():
    if not NATIVE:
        pytest.skip(f"these tests do not know the system calls of {platform.machine()}")
    with open("/proc/self/status") as status:
        if "Seccomp:" not in status.read():
            pytest.skip("this kernel has no seccomp")


def rule(action, *names, **fields):
    return {"names": list(names), "action": action, **fields}


def argument(index, value, operator, second=None):
    return {"index": index, "value": value, "op": operator, **({} if second is None else {"valueTwo": second})}


def filtered(bundle, *rules, default="SCMP_ACT_ALLOW", **fields):
    bundle.linux["seccomp"] = {"defaultAction": default, "architectures": [NATIVE], "syscalls": list(rules), **fields}
    return bundle


def called(runtime, bundle, probe, *arguments):
    """What `probe syscall` says: ok, or the number of the error."""
    return runtime.output_of(bundle.with_probe(probe, "syscall", *(str(argument) for argument in arguments))).strip()


# -- actions

def test_a_filter_is_loaded_only_if_there_is_one(runtime, bundle):
    bundle.sh("grep Seccomp: /proc/self/status")
    assert runtime.output_of(bundle).split()[1] == "0"
    assert runtime.output_of(filtered(bundle, rule("SCMP_ACT_ERRNO", *MKDIR))).split()[1] == "2"


def test_errno_is_eperm_unless_told(runtime, bundle, probe):
    assert called(runtime, filtered(bundle, rule("SCMP_ACT_ERRNO", "personality")), probe, PERSONALITY, "0xffffffff") == str(errno.EPERM)


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EACCES, errno.ENOENT, 0], ids=lambda number: errno.errorcode.get(number, "0"))
def test_errno_ret_is_the_error(runtime, bundle, probe, number):
    expected = str(number) if number else "ok"
    assert called(runtime, filtered(bundle, rule("SCMP_ACT_ERRNO", "personality", errnoRet=number)), probe, PERSONALITY, "0xffffffff") == expected


def test_what_no_rule_names_gets_the_default_action(runtime, bundle):
    filtered(bundle, rule("SCMP_ACT_ERRNO", *MKDIR))
    result = runtime.run(bundle.sh("uname; mkdir /dev/shm/x"))
    assert result.stdout == "Linux\n" and "Operation not permitted" in result.stderr


def test_several_names_in_a_rule(runtime, bundle):
    filtered(bundle, rule("SCMP_ACT_ERRNO", *MKDIR, "rmdir", "unlinkat", "symlink", "symlinkat"))
    result = runtime.run(bundle.sh("mkdir /dev/shm/x; rmdir /dev/shm; ln -s x /dev/shm/y"))
    assert result.stderr.count("not permitted") == 3


@pytest.mark.parametrize("action", ["SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_KILL_PROCESS"])
def test_kill_ends_the_process_with_sigsys(runtime, bundle, action):
    filtered(bundle, rule(action, *MKDIR))
    bundle.sh("mkdir /dev/shm/x; echo $?")
    assert runtime.output_of(bundle).split()[-1] == str(128 + SIGSYS)


def test_kill_of_the_first_process_is_the_exit_code_of_run(runtime, bundle):
    filtered(bundle, rule("SCMP_ACT_KILL_PROCESS", *MKDIR))
    assert runtime.run(bundle.args("/bin/mkdir", "/dev/shm/x")).code == 128 + SIGSYS


def test_trap_sends_sigsys(runtime, bundle):
    filtered(bundle, rule("SCMP_ACT_TRAP", *MKDIR))
    assert runtime.output_of(bundle.sh("mkdir /dev/shm/x; echo $?")).split()[-1] == str(128 + SIGSYS)


def test_log_lets_the_call_through(runtime, bundle):
    filtered(bundle, rule("SCMP_ACT_LOG", *MKDIR))
    assert runtime.output_of(bundle.sh("mkdir /dev/shm/x && echo made")) == "made\n"


def test_trace_without_a_tracer_is_enosys(runtime, bundle, probe):
    assert called(runtime, filtered(bundle, rule("SCMP_ACT_TRACE", "personality")), probe, PERSONALITY, "0xffffffff") == str(errno.ENOSYS)


# What busybox and the runtime's own last steps need, so that the default can be a refusal.
NEEDED = ["access", "arch_prctl", "brk", "capget", "capset", "chdir", "clone", "clone3", "close", "close_range", "dup", "dup2", "dup3", "execve",
          "execveat", "exit", "exit_group", "epoll_ctl", "epoll_create1", "epoll_pwait", "epoll_wait", "faccessat", "faccessat2", "fchdir", "fchown", "fcntl",
          "fork", "fstat", "fstatfs", "futex", "getcwd", "getdents64", "getegid", "geteuid", "getgid", "getpid", "getppid", "getrandom", "getrlimit",
          "gettid", "getuid", "ioctl", "kill", "lseek", "lstat", "madvise", "mmap", "mprotect", "mremap", "munmap", "nanosleep", "newfstatat",
          "open", "openat", "openat2", "pipe", "pipe2", "poll", "ppoll", "prctl", "pread64", "prlimit64", "read", "readlink", "readlinkat", "rseq",
          "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait", "sched_getaffinity", "sched_yield", "set_robust_list",
          "set_tid_address", "setgid", "setgroups", "setpgid", "setresgid", "setresuid", "setsid", "setuid", "sigaltstack", "stat", "statfs",
          "statx", "tgkill", "umask", "vfork", "wait4", "waitid", "write", "writev", "recvmsg", "sendmsg", "sendto", "recvfrom"]


def test_the_default_may_be_a_refusal(runtime, bundle):
    filtered(bundle, rule("SCMP_ACT_ALLOW", *NEEDED), default="SCMP_ACT_ERRNO")
    result = runtime.run(bundle.sh(DEED))
    assert result.stdout == "refused\n"


def test_the_default_refusal_has_its_error(runtime, bundle, probe):
    filtered(bundle, rule("SCMP_ACT_ALLOW", *NEEDED), default="SCMP_ACT_ERRNO", defaultErrnoRet=errno.EXDEV)
    assert called(runtime, bundle, probe, PERSONALITY, "0xffffffff") == str(errno.EXDEV)


@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_a_filter_works_with_and_without_no_new_privileges(runtime, bundle, no_new_privileges):
    """Without them the filter needs CAP_SYS_ADMIN to be loaded, so it is loaded before the capabilities are given up."""
    bundle.process["noNewPrivileges"] = no_new_privileges
    filtered(bundle, rule("SCMP_ACT_ERRNO", *MKDIR))
    assert runtime.output_of(bundle.sh(DEED)) == "refused\n"


def test_a_filter_holds_for_another_user(runtime, bundle):
    kernel.require_root("other users need more than one mapping")
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    assert runtime.output_of(filtered(bundle, rule("SCMP_ACT_ERRNO", *MKDIR)).sh(f"{DEED}; id -u")) == "refused\n1000\n"


def test_a_filter_holds_for_exec(runtime, bundle):
    container = runtime.run_detached(filtered(bundle, rule("SCMP_ACT_ERRNO", *MKDIR)).sleeps())
    assert container.sh(DEED) == "refused\n"


def test_a_filter_may_forbid_what_the_runtime_itself_needs_before(runtime, bundle):
    """It takes effect as late as it can: mounting and the like are done by then."""
    filtered(bundle, rule("SCMP_ACT_ERRNO", "mount", "umount2", "pivot_root", "unshare", "setns", "sethostname", "mknod", "mknodat", "chroot"))
    assert runtime.output_of(bundle.sh("echo works")) == "works\n"


# -- conditions on arguments

CONDITIONS = [
    ("SCMP_CMP_EQ", 5, None, {5}), ("SCMP_CMP_NE", 5, None, {4, 6, 7}), ("SCMP_CMP_LT", 5, None, {4}), ("SCMP_CMP_LE", 5, None, {4, 5}),
    ("SCMP_CMP_GT", 5, None, {6, 7}), ("SCMP_CMP_GE", 5, None, {5, 6, 7}), ("SCMP_CMP_MASKED_EQ", 6, 6, {6, 7}),
]


@pytest.mark.parametrize("operator, value, second, matching", CONDITIONS, ids=[condition[0] for condition in CONDITIONS])
def test_a_condition_on_an_argument(runtime, bundle, probe, operator, value, second, matching):
    """getpid takes no argument, so the kernel does not mind ours."""
    filtered(bundle, rule("SCMP_ACT_ERRNO", "getpid", args=[argument(0, value, operator, second)]))
    bundle.add_program(probe).sh("".join(f"/probe syscall {GETPID} {number}; " for number in (4, 5, 6, 7)))
    answers = dict(zip((4, 5, 6, 7), runtime.output_of(bundle).split()))
    assert {number for number, answer in answers.items() if answer == str(errno.EPERM)} == matching


def test_several_conditions_must_all_hold(runtime, bundle, probe):
    filtered(bundle, rule("SCMP_ACT_ERRNO", "getpid", args=[argument(0, 1, "SCMP_CMP_EQ"), argument(1, 2, "SCMP_CMP_EQ")]))
    bundle.add_program(probe).sh("".join(f"/probe syscall {GETPID} {pair}; " for pair in ("1 2", "1 3", "3 2")))
    assert runtime.output_of(bundle).split() == [str(errno.EPERM), "ok", "ok"]


def test_several_conditions_on_one_argument_are_alternatives(runtime, bundle, probe):
    """As runtimes have always read it: libseccomp cannot say two things about one argument in one rule."""
    filtered(bundle, rule("SCMP_ACT_ERRNO", "getpid", args=[argument(0, 1, "SCMP_CMP_EQ"), argument(0, 2, "SCMP_CMP_EQ")]))
    bundle.add_program(probe).sh("".join(f"/probe syscall {GETPID} {number}; " for number in (1, 2, 3)))
    assert runtime.output_of(bundle).split() == [str(errno.EPERM), str(errno.EPERM), "ok"]


def test_a_condition_on_all_64_bits(runtime, bundle, probe):
    filtered(bundle, rule("SCMP_ACT_ERRNO", "getpid", args=[argument(5, 0x1_0000_0005, "SCMP_CMP_EQ")]))
    bundle.add_program(probe).sh("".join(f"/probe syscall {GETPID} 0 0 0 0 0 {number}; " for number in ("0x100000005", "5")))
    assert runtime.output_of(bundle).split() == [str(errno.EPERM), "ok"]


# -- architectures and flags

@pytest.mark.skipif(platform.machine() != "x86_64", reason="compat architectures of x86_64")
def test_all_architectures_of_the_machine(runtime, bundle, probe):
    filtered(bundle, rule("SCMP_ACT_ERRNO", "personality"), architectures=["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"])
    assert called(runtime, bundle, probe, PERSONALITY, "0xffffffff") == str(errno.EPERM)


def test_without_architectures_the_native_one_is_filtered(runtime, bundle, probe):
    filtered(bundle, rule("SCMP_ACT_ERRNO", "personality")).linux["seccomp"].pop("architectures")
    assert called(runtime, bundle, probe, PERSONALITY, "0xffffffff") == str(errno.EPERM)


@pytest.mark.kiste_only("flags came with runc 1.2")
@pytest.mark.parametrize("flags", [
    ["SECCOMP_FILTER_FLAG_LOG"], ["SECCOMP_FILTER_FLAG_SPEC_ALLOW"],
    ["SECCOMP_FILTER_FLAG_TSYNC"], ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"]], ids=lambda flags: "+".join(flags)[20:])
def test_flags_are_taken(runtime, bundle, flags):
    filtered(bundle, rule("SCMP_ACT_ERRNO", *MKDIR), flags=flags)
    assert runtime.output_of(bundle.sh(DEED)) == "refused\n"


def test_a_system_call_that_the_library_does_not_know_is_passed_over(runtime, bundle):
    """Profiles name newer calls than an older libseccomp has heard of."""
    filtered(bundle, rule("SCMP_ACT_ERRNO", "from_the_future", *MKDIR))
    assert runtime.output_of(bundle.sh(DEED)) == "refused\n"


def test_a_large_profile_works_twice(runtime, bundle):
    """The second run may take the compiled filter from a cache."""
    filtered(bundle, rule("SCMP_ACT_ALLOW", *NEEDED), *(rule("SCMP_ACT_ALLOW", "socket", args=[argument(0, 1 << bit, "SCMP_CMP_MASKED_EQ", 0)])
                                                        for bit in range(25, 30)), default="SCMP_ACT_ERRNO")
    for _ in range(2):
        assert runtime.output_of(bundle.sh(DEED)) == "refused\n"


def test_two_profiles_that_differ_little_are_not_mixed_up(runtime, bundle, probe):
    for number in (errno.EACCES, errno.EXDEV):
        filtered(bundle, rule("SCMP_ACT_ERRNO", "personality", errnoRet=number))
        assert called(runtime, bundle, probe, PERSONALITY, "0xffffffff") == str(number)


# -- refused

@pytest.mark.parametrize("change, names", [
    ({"defaultAction": "SCMP_ACT_NOSUCH"}, ["defaultAction", "SCMP_ACT_NOSUCH"]),
    ({"architectures": ["SCMP_ARCH_NOSUCH"]}, ["architectures", "SCMP_ARCH_NOSUCH"]),
    ({"flags": ["SECCOMP_FILTER_FLAG_NOSUCH"]}, ["flags", "SECCOMP_FILTER_FLAG_NOSUCH"]),
    ({"syscalls": [{"names": ["uname"], "action": "nosuch"}]}, ["syscalls", "nosuch"]),
    ({"syscalls": [{"names": ["uname"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_NOSUCH"}]}]},
     ["SCMP_CMP_NOSUCH"]),
    ({"syscalls": [{"names": ["uname"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 6, "value": 1, "op": "SCMP_CMP_EQ"}]}]}, ["index", "6"]),
    pytest.param({"syscalls": [{"names": [], "action": "SCMP_ACT_ERRNO"}]}, ["names"], marks=pytest.mark.kiste_only("it takes a rule for nothing")),
], ids=["default-action", "architecture", "flag", "action", "operator", "index", "no-names"])
def test_a_profile_that_makes_no_sense_is_refused(runtime, bundle, change, names):
    filtered(bundle, rule("SCMP_ACT_ERRNO", *MKDIR)).linux["seccomp"].update(change)
    runtime.refuses_to_run(bundle, *names)


# -- the runtime's own calls

@pytest.mark.parametrize("privileges", [True, False], ids=["no-new-privileges", "privileged"])
def test_a_filter_that_allows_nothing_but_the_program_itself_starts_it(runtime, bundle, probe, privileges):
    """execve is the last call the runtime makes: it may forbid sending, writing, capabilities and prctl."""
    if not runtime.is_kiste:
        pytest.skip("the peers need these calls after the filter is installed")
    bundle.process["noNewPrivileges"] = privileges
    filtered(bundle, rule("SCMP_ACT_ERRNO", "sendto", "sendmsg", "capset", "capget", "setresuid", "close", "ppoll"))
    bundle.sh("grep CapEff: /proc/self/status")
    expected = bundle.process["capabilities"]["effective"]
    mask = int(runtime.output_of(bundle).split()[1], 16)
    assert bin(mask).count("1") == len(expected), "no capability may be left from installing the filter"
    filtered(bundle, rule("SCMP_ACT_KILL_PROCESS", "sendto", "sendmsg", "capset"))
    assert runtime.output_of(bundle.sh("echo runs")) == "runs\n"
