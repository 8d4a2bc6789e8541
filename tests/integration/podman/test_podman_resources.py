# SPDX-License-Identifier: Apache-2.0
"""Limits that podman asks for: cgroups as the host and the container see them, rlimits, and that they bite."""

import pytest

import cgroups

SLEEP = ("sleep", "100")


@pytest.fixture
def limits_of(podman, image):
    """A function: the cgroups of a container that runs with these options."""

    def of(*options):
        return cgroups.ProcessCgroups(podman.pid(podman.detached(image, *SLEEP, options=options)))

    return of


def test_memory(limits_of):
    limits = limits_of("--memory", "64m", "--memory-reservation", "32m")
    assert (limits.memory_limit(), limits.memory_reservation()) == (64 << 20, 32 << 20)


def test_memory_and_swap(limits_of):
    cgroups.require_controller("memory")
    limits = limits_of("--memory", "64m", "--memory-swap", "96m")
    if not (limits.folder("memory") / "memory.memsw.limit_in_bytes").exists() and cgroups.layout() != "v2":
        pytest.skip("this kernel does not account swap (no memory.memsw)")
    assert limits.memory_and_swap() == 96 << 20


def test_memory_limit_bites(podman, image):
    name = podman.new_name()
    answer = podman("run", "--name", name, "--memory", "24m", "--memory-swap", "24m", image, "sh", "-c",
                    "x=0123456789; while :; do x=$x$x; done")
    assert answer.code == 137, f"{answer}"
    assert podman.inspect(name, ".State.ExitCode") == "137"


def test_oom_killer_off(limits_of):
    cgroups.require_v1("cgroup v2 has no such switch")
    assert limits_of("--memory", "64m", "--oom-kill-disable").oom_killer_is_off()


def test_cpus(limits_of):
    assert limits_of("--cpus", "0.5").cpu_quota_and_period() == (50000, 100000)


def test_cpu_quota_and_period(limits_of):
    assert limits_of("--cpu-quota", "30000", "--cpu-period", "60000").cpu_quota_and_period() == (30000, 60000)


def test_cpu_shares(limits_of):
    assert limits_of("--cpu-shares", "512").cpu_shares_are(512)


def test_cpuset(podman, image, limits_of):
    cgroups.require_controller("cpuset")
    limits = limits_of("--cpuset-cpus", "0", "--cpuset-mems", "0")
    assert (limits.cpus(), limits.memory_nodes()) == ("0", "0")
    assert podman.sh(image, "grep Cpus_allowed_list /proc/self/status", "--cpuset-cpus", "1").split()[1] == "1"


def test_pids_limit(limits_of):
    assert limits_of("--pids-limit", "17").pids_limit() == "17"
    assert limits_of("--pids-limit", "-1").pids_limit() == "max"
    assert limits_of().pids_limit() == "2048"  # podman's own default


def test_pids_limit_bites(podman, image):
    script = "for i in 1 2 3 4 5 6 7 8 9; do sleep 2 & done; echo not reached"
    answer = podman("run", "--rm", "--pids-limit", "5", image, "sh", "-c", script)
    assert answer.code == 2
    assert (answer.stdout, answer.stderr) == ("", "sh: can't fork: Resource temporarily unavailable\n")


def test_limits_count_for_exec_too(podman, image):
    name = podman.detached(image, *SLEEP, options=["--pids-limit", "20"])  # runc's own threads count while it enters
    answer = podman("exec", name, "sh", "-c", "for i in $(seq 30); do sleep 2 & done; echo not reached")
    assert (answer.code, answer.stdout) == (2, "")
    assert "can't fork" in answer.stderr


def test_the_container_sees_its_own_cgroup(podman, image):
    file = {"v2": "pids.max"}.get(cgroups.layout(), "pids/pids.max")
    assert podman.sh(image, f"cat /sys/fs/cgroup/{file}", "--pids-limit", "23") == "23\n"


def test_its_cgroups_are_read_only(podman, image):
    file = {"v2": "pids.max"}.get(cgroups.layout(), "pids/pids.max")
    answer = podman("run", "--rm", image, "sh", "-c", f"echo 9 > /sys/fs/cgroup/{file}")
    assert answer.code == 1 and "Read-only file system" in answer.stderr


def test_limits_are_gone_with_the_container(podman, image):
    name = podman.detached(image, *SLEEP, options=["--memory", "64m"])
    assert podman.cgroups()
    podman.ok("rm", "--force", "--time", "0", name)
    assert not podman.cgroups()


def test_ulimits(podman, image):
    podman.known_gap(crun="1.8 sets the limit before it writes its seccomp filter, which is larger")
    options = ["--ulimit", "nofile=256:512", "--ulimit", "nproc=300:300", "--ulimit", "fsize=4096", "--ulimit", "core=0"]
    limits = {line[:26].strip(): line[26:].split()[:2]
              for line in podman.sh(image, "cat /proc/self/limits", *options).splitlines()}
    assert limits["Max open files"] == ["256", "512"]
    assert limits["Max processes"] == ["300", "300"]
    assert limits["Max file size"] == ["4096", "4096"]
    assert limits["Max core file size"] == ["0", "0"]


def test_a_ulimit_bites(podman, image):
    podman.known_gap(crun="1.8 sets the limit before it writes its seccomp filter, which is larger")
    answer = podman("run", "--rm", "--ulimit", "fsize=1024", "--ulimit", "nofile=64:64", "--ulimit", "nproc=64:64", image,
                    "sh", "-c", "trap '' XFSZ; head -c 5000 /dev/zero > /big; stat -c %s /big")
    assert (answer.code, answer.stdout) == (0, "1024\n")


def test_oom_score(podman, image):
    assert podman.sh(image, "cat /proc/self/oom_score_adj", "--oom-score-adj", "500") == "500\n"


def test_shm_size(podman, image):
    assert podman.sh(image, "df -k /dev/shm | tail -1", "--shm-size", "2m").split()[1] == "2048"
