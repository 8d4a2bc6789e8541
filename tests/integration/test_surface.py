# SPDX-License-Identifier: Apache-2.0
"""surface: what a configuration opens of the kernel, and a comparison of two."""

import json

import pytest

import kernel

pytestmark = pytest.mark.kiste_only("the peers have no such command")
GROUPS = ["syscalls", "capabilities", "namespaces", "kernel-interfaces", "devices", "host-paths", "privileges"]


def of(runtime, *arguments):
    report = json.loads(runtime.ok("surface", "--format", "json", *arguments).stdout)
    return report, {group["name"]: group for group in report["groups"]}


def of_bundle(runtime, bundle):
    return of(runtime, "--bundle", bundle.write().folder)[1]


def test_every_group_has_a_score_and_what_is_open(runtime, bundle):
    groups = of_bundle(runtime, bundle)
    assert list(groups) == GROUPS
    for group in groups.values():
        assert 0 <= group["score"] <= 100
        assert (group["score"] > 0) == bool(group["open"] + group["partly"])


def test_without_a_filter_every_call_is_open(runtime, bundle):
    calls = of_bundle(runtime, bundle)["syscalls"]
    assert calls["score"] == 100 and calls["partly"] == [] and len(calls["open"]) > 600


def test_a_filter_decides_the_calls(runtime, bundle):
    bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
        {"names": ["read", "write"], "action": "SCMP_ACT_ALLOW"},
        {"names": ["personality"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}]}]}
    calls = of_bundle(runtime, bundle)["syscalls"]
    assert [name.split(":")[1] for name in calls["open"]] == ["read", "write"]
    assert [name.split(":")[1] for name in calls["partly"]] == ["personality"]
    assert 0 < calls["score"] < 5


def test_namespaces_that_are_missing_are_the_hosts(runtime, bundle):
    before = of_bundle(runtime, bundle)["namespaces"]
    bundle.linux["namespaces"] = [n for n in bundle.linux["namespaces"] if n["type"] != "network"]
    after = of_bundle(runtime, bundle)["namespaces"]
    assert set(after["open"]) - set(before["open"]) == {"network"}
    assert after["score"] == before["score"] + 20


def test_readonly_paths_close_what_they_cover(runtime, bundle):
    before = of_bundle(runtime, bundle)["kernel-interfaces"]
    bundle.linux["readonlyPaths"] = []
    after = of_bundle(runtime, bundle)["kernel-interfaces"]
    opened = set(after["open"] + after["partly"]) - set(before["open"] + before["partly"])
    assert {"/proc/sys", "/proc/sysrq-trigger"} <= opened and after["score"] > before["score"]


def test_a_running_container_is_asked_about_itself(runtime, bundle):
    container = runtime.run_detached(bundle.sleeps())
    report, live = of(runtime, container.id)
    assert report["pid"] == container.pid and report["noNewPrivileges"] is True and report["seccompFilter"] is False
    planned = of_bundle(runtime, bundle)
    for name in ("syscalls", "capabilities", "namespaces", "privileges"):
        assert live[name] == planned[name], name
    paths = lambda groups: set(groups["kernel-interfaces"]["open"] + groups["kernel-interfaces"]["partly"])
    # config.json does not know which of these files this kernel has; nothing else may differ.
    assert not {path for path in paths(live) - paths(planned)}
    container.end()


def test_a_running_containers_own_mounts_count(runtime, bundle):
    kernel.require_root("remounts in the container")
    bundle.own_rootfs()
    bundle.process["noNewPrivileges"] = False
    bundle.capabilities("CAP_SYS_ADMIN")
    container = runtime.run_detached(bundle.sleeps())
    assert "/proc/sys" not in of(runtime, container.id)[1]["kernel-interfaces"]["open"]
    container.sh("umount /proc/sys")
    assert "/proc/sys" in of(runtime, container.id)[1]["kernel-interfaces"]["open"]
    container.end()


def test_a_comparison_says_what_the_second_opens_more(runtime, bundle, new_bundle):
    other = new_bundle()
    other.capabilities("CAP_SYS_ADMIN", "CAP_KILL", "CAP_AUDIT_WRITE", "CAP_NET_BIND_SERVICE")
    first, second = bundle.write().folder, other.write().folder
    result = runtime("surface", "--bundle", first, "--compare", second, "--format", "json")
    assert result.code == 3, result
    report = json.loads(result.stdout)
    assert report["opensMore"] is True
    (group,) = report["more"]
    assert group["name"] == "capabilities" and group["open"] + group["partly"] == ["CAP_SYS_ADMIN"]
    back = runtime("surface", "--bundle", second, "--compare", first)
    assert back.code == 0 and "nothing more" in back.stdout, back


def test_the_table_names_every_group(runtime, bundle):
    text = runtime.ok("surface", "--bundle", bundle.write().folder).stdout
    for name in GROUPS:
        assert name in text


def test_a_bundle_or_an_id_is_needed(runtime, bundle):
    runtime.refuses("surface")
    runtime.refuses("surface", "--bundle", bundle.write().folder, "an-id")
    assert "does not exist" in runtime.refuses("surface", "nosuch").stderr
