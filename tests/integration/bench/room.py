# SPDX-License-Identifier: Apache-2.0
"""What test_probes.py runs in namespaces of its own: plants a few things, then a command with their markers.

    python3 room.py FOLDER COMMAND…       MARKERS among the words stands for the options `--marker NAME=VALUE`
"""

import os
import secrets
import socket
import subprocess
import sys
import threading
from pathlib import Path


def greet(listener, token):
    while True:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(token.encode())


def listen(family, address, token):
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.bind(address)
    listener.listen()
    threading.Thread(target=greet, args=(listener, token), daemon=True).start()
    return listener


def namespace(kind):
    return os.readlink(f"/proc/self/ns/{kind}").partition("[")[2].rstrip("]")


def facts():
    kinds = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")
    kernel = os.uname()
    return {"boot-id": Path("/proc/sys/kernel/random/boot_id").read_text().strip(), "kernel": f"{kernel.release} {kernel.version}",
            "host-name": kernel.nodename, **{f"ns-{kind}": namespace(kind) for kind in kinds}}


def main(folder, *command):
    token = secrets.token_hex(16)
    secret = Path(folder) / "secret"
    secret.write_text(f"secret {token}\n")
    secret.chmod(0o666)
    shared = Path(f"/dev/shm/kiste-bench-{token[:8]}")
    shared.write_bytes(token.encode() + bytes(200))
    abstract = listen(socket.AF_UNIX, f"\0kiste-bench-{token}", token)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True, timeout=10)
    loopback = listen(socket.AF_INET, ("127.0.0.1", 0), token)
    sleeper = subprocess.Popen([f"kiste-bench-planted {token}", "60"], executable="/bin/sleep", cwd=folder,
                               env={"KISTE_BENCH_WITNESS": token}, preexec_fn=lambda: os.nice(7), start_new_session=True)
    markers = {"token": token, "folder": folder, "secret": secret, "posix-shm": shared.name, "port": loopback.getsockname()[1],
               "abstract": abstract.getsockname()[1:].decode(), "process": sleeper.pid, **facts()}
    words = [word for name, value in markers.items() for word in ("--marker", f"{name}={value}")]
    try:
        at = command.index("MARKERS")
        result = subprocess.run([*command[:at], *words, *command[at + 1:]], stdin=subprocess.DEVNULL, timeout=50)
        return result.returncode
    finally:
        shared.unlink()
        sleeper.kill()
        sleeper.wait()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
