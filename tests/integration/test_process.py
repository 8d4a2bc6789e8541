# SPDX-License-Identifier: Apache-2.0
"""The process object of config.json: what the first process is given and what is taken from it."""

import os
import resource

import pytest

import kernel

SETS = {"bounding": "CapBnd", "effective": "CapEff", "permitted": "CapPrm", "inheritable": "CapInh", "ambient": "CapAmb"}
NUMBER = {"CAP_CHOWN": 0, "CAP_KILL": 5, "CAP_SETUID": 7, "CAP_NET_BIND_SERVICE": 10, "CAP_NET_RAW": 13, "CAP_SYS_PTRACE": 19,
          "CAP_SYS_ADMIN": 21, "CAP_AUDIT_WRITE": 29}


def mask(*names):
    return sum(1 << NUMBER[name] for name in names)


def status(runtime, bundle):
    """/proc/self/status of the first process."""
    text = runtime.output_of(bundle.args("/bin/cat", "/proc/self/status"))
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def capability_sets(runtime, bundle):
    fields = status(runtime, bundle)
    return {name: int(fields[field], 16) for name, field in SETS.items()}


# -- arguments, environment, folder

def test_arguments_arrive_unchanged(runtime, bundle):
    words = ["", "two words", "'quotes\"", "*", "$HOME", "new\nline", "ünicode", "--option"]
    output = runtime.output_of(bundle.args("/bin/printf", "[%s]", *words))
    assert output == "".join(f"[{word}]" for word in words)


def test_many_and_long_arguments_arrive(runtime, bundle):
    bundle.args("/bin/sh", "-c", 'echo $# ${#1}', "sh", "x" * 100_000, *(["y"] * 2000))
    assert runtime.output_of(bundle).split() == ["2001", "100000"]


def test_the_environment_is_the_configs_and_nothing_else(runtime, bundle):
    bundle.process["env"] = ["PATH=/bin", "A=1", "EMPTY=", "WITH=a=b", "MULTI=one\ntwo"]
    output = runtime.output_of(bundle.args("/bin/cat", "/proc/self/environ"), env={"PATH": "/usr/bin:/bin", "FROM_HOST": "x"})
    assert set(output.strip("\0").split("\0")) - {"HOME=/root"} == set(bundle.process["env"])


def test_an_empty_environment_is_possible(runtime, bundle):
    bundle.process["env"] = []
    assert "FROM_HOST" not in runtime.output_of(bundle.args("/bin/env"), env={"PATH": "/usr/bin:/bin", "FROM_HOST": "x"})


def test_home_defaults_to_the_users_in_passwd(runtime, bundle):
    assert runtime.output_of(bundle.sh("echo $HOME")) == "/root\n"


def test_home_of_another_user(runtime, bundle):
    kernel.require_root("other users need more than one mapping")
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    assert runtime.output_of(bundle.sh("echo $HOME")) == "/home/app\n"


def test_home_of_a_user_that_passwd_does_not_know_is_the_root_folder(runtime, bundle):
    kernel.require_root("other users need more than one mapping")
    bundle.process["user"] = {"uid": 4711, "gid": 4711}
    assert runtime.output_of(bundle.sh("echo $HOME")) == "/\n"


def test_home_of_the_config_wins(runtime, bundle):
    bundle.process["env"].append("HOME=/mine")
    assert runtime.output_of(bundle.sh("echo $HOME")) == "/mine\n"


def test_cwd_is_the_folder(runtime, bundle):
    bundle.process["cwd"] = "/home/app"
    assert runtime.output_of(bundle.args("/bin/pwd")) == "/home/app\n"


def test_a_cwd_that_is_not_there_is_made(runtime, bundle):
    bundle.own_rootfs()
    bundle.process["cwd"] = "/made/by/runtime"
    assert runtime.output_of(bundle.args("/bin/pwd")) == "/made/by/runtime\n"


def test_a_cwd_that_only_the_user_may_enter(runtime, bundle):
    kernel.require_root("other users need more than one mapping")
    folder = bundle.own_rootfs() / "private"
    folder.mkdir(mode=0o700)
    os.chown(folder, 1000, 1000)
    bundle.process.update(cwd="/private", user={"uid": 1000, "gid": 1000})
    assert runtime.output_of(bundle.args("/bin/pwd")) == "/private\n"


# -- user

def test_user_and_group(runtime, bundle):
    kernel.require_root("other users need more than one mapping")
    bundle.process["user"] = {"uid": 1234, "gid": 5678}
    fields = status(runtime, bundle)
    assert fields["Uid"].split() == ["1234"] * 4
    assert fields["Gid"].split() == ["5678"] * 4


def test_additional_groups_are_exactly_the_configs(runtime, bundle):
    kernel.require_root("other groups need more than one mapping")
    bundle.process["user"] = {"uid": 1000, "gid": 1000, "additionalGids": [5, 77, 100000]}
    assert set(status(runtime, bundle)["Groups"].split()) == {"5", "77", "100000"}


def test_groups_of_the_caller_are_dropped(runtime, bundle):
    kernel.require_root("groups can be set by root only")
    assert status(runtime, bundle)["Groups"].split() in ([], ["0"])


@pytest.mark.kiste_only("an extra of crun's: runc does not have the annotation")
def test_groups_of_the_caller_are_kept_when_asked_for(runtime, bundle):
    """What `podman run --group-add keep-groups` writes: devices and files of the caller's groups stay within reach."""
    kernel.require_root("groups can be set by root only")
    bundle.process["user"]["additionalGids"] = [5]
    bundle.spec["annotations"] = {"run.oci.keep_original_groups": "1"}
    container = runtime.run_detached(bundle.sleeps(), extra_groups=[4242])
    assert "4242" in kernel.status_field("Groups", container.pid).split() and "5" not in kernel.status_field("Groups", container.pid).split()
    assert "4243" in container.exec_ok("id", "-G", extra_groups=[4243]).stdout.split()
    bundle.spec["annotations"] = {"run.oci.keep_original_groups": "0"}
    assert runtime.output_of(bundle.sh("id -G"), extra_groups=[4242]).split() == ["0", "5"]


@pytest.mark.parametrize("umask, expected", [(None, "0022"), (0o077, "0077"), (0, "0000"), (0o027, "0027")])
def test_umask(runtime, bundle, umask, expected):
    if umask is not None:
        bundle.process["user"]["umask"] = umask
    assert status(runtime, bundle)["Umask"] == expected


def test_umask_of_the_caller_does_not_matter(runtime, bundle):
    prefix = ["sh", "-c", 'umask 0077; exec "$@"', "sh"]
    assert runtime.run(bundle.sh("umask; ls -ld /dev /dev/null"), prefix=prefix).lines[0] == "0022"


# -- capabilities

def test_each_set_is_the_configs(runtime, bundle):
    bundle.process["capabilities"] = {
        "bounding": ["CAP_KILL", "CAP_CHOWN", "CAP_NET_RAW", "CAP_SETUID"],
        "permitted": ["CAP_KILL", "CAP_CHOWN", "CAP_NET_RAW"],
        "effective": ["CAP_KILL", "CAP_CHOWN"],
        "inheritable": ["CAP_KILL", "CAP_NET_RAW"],
        "ambient": ["CAP_KILL"],
    }
    # execve(2) of root: all that is permitted becomes effective, and noNewPrivileges keeps permitted from growing to the
    # bounding set.
    sets = capability_sets(runtime, bundle)
    assert sets["bounding"] == mask("CAP_KILL", "CAP_CHOWN", "CAP_NET_RAW", "CAP_SETUID")
    assert sets["inheritable"] == mask("CAP_KILL", "CAP_NET_RAW")
    assert sets["ambient"] == mask("CAP_KILL")
    assert sets["permitted"] == sets["effective"] == mask("CAP_KILL", "CAP_CHOWN", "CAP_NET_RAW")


def test_no_capabilities_means_none(runtime, bundle):
    bundle.process["capabilities"] = {}
    assert set(capability_sets(runtime, bundle).values()) == {0}


def test_without_the_field_there_are_none(runtime, bundle):
    del bundle.process["capabilities"]
    assert set(capability_sets(runtime, bundle).values()) == {0}


def test_ambient_capabilities_reach_an_ordinary_user(runtime, bundle):
    kernel.require_root("other users need more than one mapping")
    names = ["CAP_NET_BIND_SERVICE"]
    bundle.process.update(user={"uid": 1000, "gid": 1000}, capabilities={name: names for name in SETS})
    assert set(capability_sets(runtime, bundle).values()) == {mask(*names)}


def test_an_ambient_capability_that_is_not_inheritable_is_passed_over(runtime, bundle):
    """The kernel does not take it, and the config that `runc spec` writes has three of them."""
    bundle.capabilities("CAP_KILL").process["capabilities"]["ambient"] = ["CAP_KILL"]
    assert capability_sets(runtime, bundle)["ambient"] == 0


def test_an_ordinary_user_without_ambient_ones_has_only_the_bound(runtime, bundle):
    kernel.require_root("other users need more than one mapping")
    bundle.capabilities("CAP_KILL").process["user"] = {"uid": 1000, "gid": 1000}
    assert capability_sets(runtime, bundle) == {"bounding": 1 << 5, "effective": 0, "permitted": 0, "inheritable": 0, "ambient": 0}


@pytest.mark.kiste_only("it fails with capset's EPERM")
@pytest.mark.parametrize("which, lacking", [("effective", "permitted"), ("inheritable", "bounding")])
def test_a_capability_that_its_set_cannot_hold_is_left_out_with_a_warning(runtime, bundle, which, lacking):
    names = ["CAP_KILL", "CAP_CHOWN"]
    bundle.process["capabilities"] = {name: names for name in SETS if name != "ambient"} | {lacking: ["CAP_KILL"]}
    bundle.args("/bin/cat", "/proc/self/status")
    result = runtime.run(bundle)
    assert result.code == 0 and which in result.stderr and "CAP_CHOWN" in result.stderr, result
    if which == "inheritable":
        assert "CapInh:\t0000000000000020" in result.stdout


def test_a_capability_that_is_not_given_is_really_missing(runtime, bundle):
    assert runtime.run(bundle.sh("chown 1:1 /tmp/x 2>&1; hostname other 2>&1; mount -t tmpfs x /mnt 2>&1")).code != 0


@pytest.mark.parametrize("name", ["CAP_SYS_ADMIN", "CAP_NET_RAW", "CAP_SYS_PTRACE"])
def test_a_capability_that_is_given_is_there(runtime, bundle, name):
    assert capability_sets(runtime, bundle.capabilities(name))["effective"] == mask(name)


# -- limits

@pytest.mark.parametrize("kind, option, hard, soft", [
    ("RLIMIT_NOFILE", "n", 512, 256), ("RLIMIT_STACK", "s", 4 << 20, 2 << 20),
    ("RLIMIT_CORE", "c", 1 << 20, 0), ("RLIMIT_FSIZE", "f", 1 << 20, 1 << 19), ("RLIMIT_CPU", "t", 60, 30), ("RLIMIT_AS", "v", 1 << 30, 1 << 29),
])
def test_rlimits(runtime, bundle, kind, option, hard, soft):
    bundle.process["rlimits"] = [{"type": kind, "hard": hard, "soft": soft}]
    unit = {"s": 1024, "v": 1024, "c": 512, "f": 512}.get(option, 1)
    output = runtime.output_of(bundle.sh(f"ulimit -H{option}; ulimit -S{option}"))
    assert [int(line) * unit for line in output.split()] == [hard, soft]


LIMITS = {"RLIMIT_NPROC": "Max processes", "RLIMIT_MEMLOCK": "Max locked memory", "RLIMIT_SIGPENDING": "Max pending signals", 
          "RLIMIT_MSGQUEUE": "Max msgqueue size", "RLIMIT_NICE": "Max nice priority", "RLIMIT_RTPRIO": "Max realtime priority",
          "RLIMIT_LOCKS": "Max file locks", "RLIMIT_RTTIME": "Max realtime timeout", "RLIMIT_DATA": "Max data size",
          "RLIMIT_RSS": "Max resident set"}


def test_every_other_rlimit(runtime, bundle):
    """Zero for nice and rtprio, which are zero already: to raise them takes CAP_SYS_RESOURCE."""
    values = {name: 0 if name in ("RLIMIT_NICE", "RLIMIT_RTPRIO") else 1 << 16 for name in LIMITS} | {"RLIMIT_DATA": 1 << 28}
    for name in values:
        hard = resource.getrlimit(getattr(resource, name))[1] if hasattr(resource, name) else resource.RLIM_INFINITY
        if hard != resource.RLIM_INFINITY:
            values[name] = min(values[name], hard)  # an ordinary user may only lower it
    bundle.process["rlimits"] = [{"type": name, "hard": value, "soft": value} for name, value in values.items()]
    text = runtime.output_of(bundle.args("/bin/cat", "/proc/self/limits"))
    found = {line[:26].strip(): line[26:].split()[:2] for line in text.splitlines()}
    assert {name: found[LIMITS[name]] for name in LIMITS} == {name: [str(value)] * 2 for name, value in values.items()}


def test_an_rlimit_above_the_callers_is_refused_without_the_privilege(runtime, bundle):
    if kernel.has_capability("CAP_SYS_RESOURCE"):
        pytest.skip("this host's root may raise limits (CAP_SYS_RESOURCE)")
    above = resource.getrlimit(resource.RLIMIT_NOFILE)[1] + 1
    bundle.process["rlimits"] = [{"type": "RLIMIT_NOFILE", "hard": above, "soft": 1024}]
    runtime.refuses_to_run(bundle, "RLIMIT_NOFILE")


@pytest.mark.parametrize("value", [0, 500, 1000])
def test_oom_score_adj(runtime, bundle, value):
    bundle.process["oomScoreAdj"] = value
    assert runtime.output_of(bundle.args("/bin/cat", "/proc/self/oom_score_adj")) == f"{value}\n"


@pytest.mark.parametrize("value", [True, False])
def test_no_new_privileges(runtime, bundle, value):
    bundle.process["noNewPrivileges"] = value
    assert status(runtime, bundle)["NoNewPrivs"] == str(int(value))


@pytest.mark.parametrize("no_new_privileges, expected", [(False, "0\n"), (True, "1000\n")])
def test_no_new_privileges_disarms_a_setuid_program(runtime, bundle, probe, no_new_privileges, expected):
    kernel.require_root("a setuid program of another user is needed")
    if os.statvfs(bundle.folder).f_flag & os.ST_NOSUID:
        pytest.skip(f"{bundle.folder} is mounted nosuid")
    bundle.with_probe(probe, "euid").process.update(user={"uid": 1000, "gid": 1000}, noNewPrivileges=no_new_privileges)
    (bundle.rootfs / "probe").chmod(0o4755)
    assert runtime.output_of(bundle.capabilities("CAP_SETUID")) == expected


# -- what the process must not inherit

def test_signals_are_not_blocked_or_ignored(runtime, bundle):
    prefix = ["sh", "-c", 'trap "" USR1 PIPE HUP; exec "$@"', "sh"]
    text = runtime.run(bundle.args("/bin/grep", "Sig", "/proc/self/status"), prefix=prefix).stdout
    fields = dict(line.split(":\t") for line in text.splitlines())
    assert int(fields["SigBlk"], 16) == 0


def test_ignored_signals_of_the_caller_are_reset(runtime, bundle):
    prefix = ["sh", "-c", 'trap "" USR1 PIPE HUP; exec "$@"', "sh"]
    text = runtime.run(bundle.args("/bin/grep", "SigIgn", "/proc/self/status"), prefix=prefix).stdout
    assert int(text.split()[1], 16) == 0


def test_the_first_process_is_pid_1_and_leads_its_session(runtime, bundle):
    fields = runtime.output_of(bundle.args("/bin/cat", "/proc/self/stat")).rpartition(")")[2].split()
    assert fields[1:4] == ["0", "1", "1"]  # ppid, process group, session


def test_the_parent_death_signal_does_not_end_a_detached_container(runtime, bundle):
    container = runtime.run_detached(bundle.sh("sleep 0.2; echo alive"))
    container.says("alive")
    assert container.wait() == 0
