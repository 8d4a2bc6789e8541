# SPDX-License-Identifier: Apache-2.0
"""linux.netDevices: devices of the host that a container gets. `veth` devices stand for any kind; each test works in a network
namespace of its own, so that the machine's devices stay out of it."""

import json
import subprocess

import pytest

import kernel
from deadline import eventually

pytestmark = [pytest.mark.kiste_only("runc 1.1.5 and crun 1.8.1 do not know linux.netDevices and pass it over"),
              pytest.mark.skipif(not kernel.is_root(), reason="only root moves devices")]


class Place:
    """A network namespace with devices in it, as long as its process lives."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep 1000"], stdout=subprocess.PIPE)
        self.holder.stdout.readline()
        self.path = f"/proc/{self.holder.pid}/ns/net"
        self.prefix = ("nsenter", f"--net={self.path}")

    def ip(self, *words):
        return subprocess.run([*self.prefix, "ip", *words], check=True, capture_output=True, text=True, timeout=10).stdout

    def devices(self):
        return {device["ifname"] for device in json.loads(self.ip("-j", "link"))}

    def add(self, device="data0", *addresses):
        """A veth, up; its other end stays here."""
        try:
            self.ip("link", "add", device, "type", "veth", "peer", "name", f"p-{device}")
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no veth devices here: {error.stderr.strip()}")
        self.ip("link", "set", f"p-{device}", "up")
        self.ip("link", "set", device, "up", "mtu", "1400", "address", "02:00:00:00:00:07")
        for address in addresses:
            self.ip("addr", "add", address, "dev", device, *(("nodad",) if ":" in address else ()))

    def end(self):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()


@pytest.fixture
def place(runtime):
    """Where the runtime is called."""
    place = Place()
    yield place
    place.end()


def inside(container, *words):
    return subprocess.run(["nsenter", f"--net=/proc/{container.pid}/ns/net", "ip", *words], check=True, capture_output=True, text=True, timeout=10).stdout


def addresses(text):
    return {(entry["local"], entry["prefixlen"]) for device in json.loads(text) for entry in device["addr_info"] if entry["scope"] == "global"}


def test_a_device_moves_with_name_addresses_mtu_and_mac_and_is_up(runtime, bundle, place):
    place.add("data0", "10.9.0.1/24", "10.9.0.2/32", "fd00:9::1/64")
    bundle.linux["netDevices"] = {"data0": {}}
    container = runtime.run_detached(bundle.sleeps(), prefix=place.prefix)
    assert "data0" not in place.devices()
    device = json.loads(inside(container, "-j", "link", "show", "data0"))[0]
    assert "UP" in device["flags"] and device["mtu"] == 1400 and device["address"] == "02:00:00:00:00:07"
    assert addresses(inside(container, "-j", "addr", "show", "data0")) == {("10.9.0.1", 24), ("10.9.0.2", 32), ("fd00:9::1", 64)}
    assert "10.9.0.1/24" in container.sh("ip addr show data0")
    assert json.loads(inside(container, "-j", "route", "show", "10.9.0.0/24"))[0]["dev"] == "data0"
    container.end()


def test_a_device_is_renamed_before_the_sysctls_are_written(runtime, bundle, place):
    place.add("data0", "10.9.0.1/24")
    bundle.linux["netDevices"] = {"data0": {"name": "eth7"}}
    bundle.linux["sysctl"] = {"net.ipv4.conf.eth7.forwarding": "1"}
    container = runtime.run_detached(bundle.sleeps(), prefix=place.prefix)
    assert container.sh("cat /proc/sys/net/ipv4/conf/eth7/forwarding").strip() == "1"
    assert addresses(inside(container, "-j", "addr", "show", "eth7")) == {("10.9.0.1", 24)}
    container.end()


def test_what_is_not_permanent_or_not_global_stays_behind(runtime, bundle, place):
    place.add("data0", "10.9.0.1/24")
    place.ip("addr", "add", "10.9.1.1/24", "dev", "data0", "valid_lft", "1000", "preferred_lft", "1000")
    place.ip("addr", "add", "169.254.9.9/16", "scope", "link", "dev", "data0")
    bundle.linux["netDevices"] = {"data0": {}}
    container = runtime.run_detached(bundle.sleeps(), prefix=place.prefix)
    shown = inside(container, "-4", "addr", "show", "data0")
    assert "10.9.0.1/24" in shown and "10.9.1.1" not in shown and "169.254.9.9" not in shown
    container.end()


def test_a_template_takes_the_first_free_number(runtime, bundle, place):
    place.add("data0")
    place.add("data1")
    bundle.linux["netDevices"] = {"data0": {"name": "eth%d"}, "data1": {"name": "eth%d"}}
    container = runtime.run_detached(bundle.sleeps(), prefix=place.prefix)
    assert {"eth0", "eth1"} <= {device["ifname"] for device in json.loads(inside(container, "-j", "link"))}
    container.end()


def test_a_device_can_be_moved_to_a_namespace_that_is_joined(runtime, bundle, place):
    other = Place()
    try:
        place.add("data0", "10.9.0.1/24")
        bundle.linux["netDevices"] = {"data0": {"name": "joined0"}}
        container = runtime.run_detached(bundle.namespace("network", other.path).sleeps(), prefix=place.prefix)
        assert "10.9.0.1/24" in container.sh("ip addr show joined0")
        container.end()
        assert "joined0" in other.devices(), "the namespace lives on, and the device in it"
    finally:
        other.end()


def test_a_container_with_a_user_namespace_gets_its_device(runtime, bundle, place):
    place.add("data0", "10.9.0.1/24")
    bundle.user_namespace().linux["netDevices"] = {"data0": {}}
    container = runtime.run_detached(bundle.sleeps(), prefix=place.prefix)
    assert "10.9.0.1/24" in container.sh("ip addr show data0")
    container.end()


def refuses(runtime, bundle, place, *names):
    result = runtime.run(bundle, prefix=place.prefix)
    runtime.check_refusal(result)
    for name in names:
        assert name in result.stderr, result


def test_a_device_that_is_not_there_is_refused_and_one_that_was_moved_comes_back(runtime, bundle, place):
    place.add("data0", "10.9.0.1/24", "fd00:9::1/64")
    bundle.linux["netDevices"] = {"data0": {"name": "eth0"}, "nosuch0": {}}
    refuses(runtime, bundle, place, "linux.netDevices.nosuch0", "ENODEV")
    device = json.loads(place.ip("-j", "addr", "show", "data0"))[0]
    assert "UP" in device["flags"]
    assert addresses(place.ip("-j", "addr", "show", "data0")) == {("10.9.0.1", 24), ("fd00:9::1", 64)}


def test_a_device_comes_back_when_a_later_step_fails(runtime, bundle, place):
    place.add("data0", "10.9.0.1/24")
    bundle.linux["netDevices"] = {"data0": {}}
    refuses(runtime, bundle.args("/nosuch"), place, "/nosuch")
    assert addresses(place.ip("-j", "addr", "show", "data0")) == {("10.9.0.1", 24)}


def test_a_name_that_is_taken_inside_is_refused(runtime, bundle, place):
    place.add("data0", "10.9.0.1/24")
    bundle.linux["netDevices"] = {"data0": {"name": "lo"}}
    refuses(runtime, bundle, place, "linux.netDevices.data0", "lo")
    assert "data0" in place.devices()


def test_the_loopback_cannot_be_moved(runtime, bundle, place):
    bundle.linux["netDevices"] = {"lo": {"name": "lo7"}}
    refuses(runtime, bundle, place, "linux.netDevices.lo")


def test_without_a_network_namespace_it_is_refused(runtime, bundle, place):
    place.add("data0")
    bundle.without_namespace("network").linux["netDevices"] = {"data0": {}}
    refuses(runtime, bundle, place, "linux.netDevices")
    assert "data0" in place.devices()


def test_when_the_container_ends_the_kernel_ends_a_virtual_device(runtime, bundle, place):
    place.add("data0")
    bundle.linux["netDevices"] = {"data0": {}}
    assert runtime.run(bundle, prefix=place.prefix).code == 0
    # The kernel takes a network namespace apart in its own time.
    eventually(lambda: not {"data0", "p-data0"} & place.devices(), "both ends are gone")
