# SPDX-License-Identifier: Apache-2.0
"""`features` (features.md, features-linux.md): that it is the structure, and that it is true."""

import json

import pytest


@pytest.fixture
def features(runtime):
    result = runtime("features")
    if "unknown command" in result.stderr + result.stdout:
        pytest.skip("this runtime has no features command")
    assert result.code == 0, result
    return json.loads(result.stdout)


def test_the_versions_are_accepted(runtime, bundle, features):
    for key in ("ociVersionMin", "ociVersionMax"):
        bundle.spec["ociVersion"] = features[key]
        assert runtime.run(bundle).code == 0, features[key]


def test_the_six_hooks(features):
    assert features["hooks"] == ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]


def test_every_mount_option_is_understood(runtime, bundle, features, volume):
    """An option that nobody understands is the file system's, and for a bind an error."""
    special = ("remount", "tmpcopyup", "acl", "noacl", "idmap", "ridmap")  # the last two need mappings: test_id_mapped_mounts.py
    options = [name for name in features["mountOptions"] if name not in special]
    assert {"ro", "rbind", "rro", "nosymfollow", "rprivate", "lazytime", "tmpcopyup"} <= set(features["mountOptions"])
    refused = []
    for name in options:
        bundle.spec["mounts"] = [entry for entry in bundle.spec["mounts"] if entry["destination"] != "/mnt"]
        bundle.mount("/mnt", "bind", volume, "rbind", name)
        if "ption" in (result := runtime.run(bundle)).stderr:
            refused.append((name, result.stderr))
    assert refused == []


def test_every_namespace_is_understood(runtime, bundle, features):
    kinds = features["linux"]["namespaces"]
    assert {"cgroup", "ipc", "mount", "network", "pid", "user", "uts"} <= set(kinds)
    for kind in kinds:
        if kind not in ("user", "time"):  # one needs mappings, the other a kernel
            bundle.namespace(kind)
    assert runtime.run(bundle).code == 0


def test_every_capability_is_understood(runtime, bundle, features):
    names = features["linux"]["capabilities"]
    assert "CAP_SYS_ADMIN" in names and "CAP_CHECKPOINT_RESTORE" in names
    bundle.capabilities(*names)
    assert "unknown" not in runtime.run(bundle).stderr.lower()


def test_cgroups(features):
    cgroup = features["linux"]["cgroup"]
    assert cgroup["v1"] is True and cgroup["v2"] is True
    assert isinstance(cgroup["systemd"], bool) and isinstance(cgroup["systemdUser"], bool)


@pytest.mark.kiste_only("its systemd driver is always there")
def test_what_it_says_of_systemd_is_true(runtime, bundle, features):
    if features["linux"]["cgroup"]["systemd"]:
        pytest.skip("the driver is there; its own tests show it")
    runtime.options += ["--systemd-cgroup"]
    assert runtime.run(bundle).code != 0
    runtime.options.pop()


def test_checkpoint_is_told_of(runtime, features):
    """runc's annotation; and criu's, which names a file of the host's with options for a program run as root."""
    assert runtime("checkpoint", "--help").code == 0
    assert features["annotations"]["org.opencontainers.runc.checkpoint.enabled"] == "true"
    if "potentiallyUnsafeConfigAnnotations" in features:  # since specification 1.2
        assert "org.criu.config" in features["potentiallyUnsafeConfigAnnotations"]


def test_seccomp_words(runtime, bundle, features):
    seccomp = features["linux"]["seccomp"]
    assert seccomp["enabled"] is True and "SCMP_ARCH_X86_64" in seccomp["archs"]
    assert {"SCMP_CMP_EQ", "SCMP_CMP_MASKED_EQ"} <= set(seccomp["operators"])
    for action in seccomp["actions"]:
        if action != "SCMP_ACT_NOTIFY":  # needs an agent
            bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["swapoff"], "action": action}]}
            assert runtime.run(bundle).code == 0, action


@pytest.mark.kiste_only("runc 1.1.5 does not tell flags")
def test_seccomp_flags_that_are_supported_work(runtime, bundle, features):
    seccomp = features["linux"]["seccomp"]
    assert set(seccomp["supportedFlags"]) <= set(seccomp["knownFlags"])
    for flag in seccomp["supportedFlags"]:
        if flag != "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV":  # for listeners only
            bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "flags": [flag],
                                       "syscalls": [{"names": ["swapoff"], "action": "SCMP_ACT_ERRNO"}]}
            assert runtime.run(bundle).code == 0, flag


@pytest.mark.kiste_only("runc 1.1.5 does not know these")
@pytest.mark.parametrize("field, value, path", [
    ("netDevices", {"nosuch0": {}}, ("netDevices", "enabled")),
    ("memoryPolicy", {"mode": "MPOL_DEFAULT"}, ("memoryPolicy", "modes"))])
def test_what_it_says_is_not_there_is_refused(runtime, bundle, features, field, value, path):
    told = features["linux"].get(path[0], {}).get(path[1])
    if told:
        pytest.skip("it is there; its own tests show it")
    bundle.linux[field] = value
    runtime.refuses_to_run(bundle, field)


def test_the_version_of_libseccomp(features):
    assert features["annotations"]["io.github.seccomp.libseccomp.version"][0].isdigit()


@pytest.mark.kiste_only("runc 1.1.5 does not know that member")
def test_unsafe_annotations_are_a_list(features):
    assert isinstance(features["potentiallyUnsafeConfigAnnotations"], list)


def test_it_takes_no_arguments(runtime):
    runtime.refuses("features", "argument")
