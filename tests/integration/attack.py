# SPDX-License-Identifier: Apache-2.0
"""What the tests of attacks share. The fixtures `marker` and `burst`, which notice when one works, are in conftest.py."""

SECRET = "secret of the host\n"


def no_secret(result):
    assert SECRET.strip() not in result.stdout + result.stderr, f"the attack worked: {result}"
    return result


def powerful(bundle):
    """As docker runs containers: root with these capabilities and without noNewPrivileges."""
    bundle.process["noNewPrivileges"] = False
    return bundle.capabilities("CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID",
                               "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE")


def way_out(marker):
    """Tries to read the marker through the working folder."""
    climb = f"for up in . .. ../.. ../../.. ../../../.. ../../../../..; do cat $up{marker} 2>/dev/null; done"
    return f"{climb}; cat /proc/self/cwd/{marker.name} 2>/dev/null; pwd; true"
