# SPDX-License-Identifier: Apache-2.0
"""A bridge network, made by podman's own tools in a network namespace of the test's own: the runtime joins what it is given."""

import ipaddress
import os
import subprocess

import pytest


@pytest.fixture
def bridged(podman, image, own_network):
    """podman in a host of its own; skips where its tools cannot make a bridge."""
    answer = podman("run", "--rm", "--network", "bridge", image, "true", within=own_network)
    if answer.code != 0:
        pytest.skip(f"no bridge network can be made here: {answer.stderr.strip()[-300:]}")
    return own_network


SERVER = "mkdir /www; echo served > /www/page; exec httpd -f -p 80 -h /www"


def fetch(url):
    return f"for i in 1 2 3 4 5 6 7 8 9; do wget -q -O - {url} && break; sleep 0.2; done 2>/dev/null"


def test_addresses_and_names(podman, image, bridged):
    out = podman.sh(image, "ip -o -4 addr show dev eth0; cat /etc/hosts; hostname", "--network", "bridge", "--hostname", "here",
                    within=bridged)
    address = out.split()[3].split("/")[0]
    assert ipaddress.ip_address(address).is_private
    assert [address, "here"] in [line.split()[:2] for line in out.splitlines()]
    assert out.splitlines()[-1] == "here"


def test_it_is_the_namespace_that_podman_made(podman, image, bridged):
    name = podman.new_name()
    podman.ok("run", "--detach", "--name", name, "--network", "bridge", image, "sleep", "100", within=bridged)
    given = podman.inspect(name, ".NetworkSettings.SandboxKey")
    assert os.stat(given).st_ino == os.stat(f"/proc/{podman.pid(name)}/ns/net").st_ino


def test_containers_reach_each_other_and_the_host_reaches_a_port(podman, image, bridged):
    name = podman.new_name()
    podman.ok("run", "--detach", "--name", name, "--network", "bridge", "--publish", "127.0.0.1:8080:80", image, "sh", "-c",
              SERVER, within=bridged)
    address = podman.inspect(name, ".NetworkSettings.IPAddress")
    assert podman.sh(image, fetch(f"http://{address}/page"), "--network", "bridge", within=bridged) == "served\n"
    from_the_host = subprocess.run([*bridged, "busybox", "sh", "-c", fetch("http://127.0.0.1:8080/page")], capture_output=True,
                                   text=True, timeout=30, check=False)
    assert from_the_host.stdout == "served\n"
    podman.ok("rm", "--force", "--time", "0", name, within=bridged)


def test_a_sysctl_of_the_network_namespace(podman, image, bridged):
    out = podman.sh(image, "cat /proc/sys/net/ipv4/conf/eth0/forwarding /proc/sys/net/ipv4/ip_local_port_range", "--network",
                    "bridge", "--sysctl", "net.ipv4.ip_local_port_range=30000 30099", within=bridged)
    assert out.splitlines()[1].split() == ["30000", "30099"]
