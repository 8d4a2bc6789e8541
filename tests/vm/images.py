# SPDX-License-Identifier: Apache-2.0
"""What a guest boots from: kernel, root file system, initramfs. Made once of Debian's packages, kept in the cache by the hash
of all that decides about them, renamed into place when complete.

The cache is $KISTE_VM_CACHE, or kiste/vm in $XDG_CACHE_HOME or ~/.cache; removing it costs the time to make it again.
"""

import contextlib
import dataclasses
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
VERSION = 1  # of this file's results: a change of it makes everything anew
# What the initramfs needs to reach the root file system; the modules that these need come with them.
BOOT_MODULES = ("virtio_pci", "virtiofs", "overlay")


class ImageError(Exception):
    """An image could not be made; says which, and the end of the failed command's output."""


def cache_folder():
    base = os.environ.get("KISTE_VM_CACHE")
    if base:
        return Path(base)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kiste/vm"


def run(command, **options):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **options)
    if done.returncode != 0:
        raise ImageError(f"{command[0]} failed with {done.returncode}:\n{done.stdout[-2000:]}")
    return done.stdout


def key_of(*parts):
    return hashlib.sha256(json.dumps([VERSION, *parts]).encode()).hexdigest()[:16]


def cached(name, make):
    """The cache's folder of that name; made by make(folder) when it is not there, by one process at a time."""
    folder = cache_folder() / name
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            return folder
        print(f"making {name} (once)", file=sys.stderr, flush=True)
        new = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=folder.parent))
        try:
            make(new)
            new.chmod(0o755)
            new.rename(folder)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
    return folder


@dataclasses.dataclass(frozen=True)
class Kernel:
    image: Path
    version: str
    modules: Path  # the folder that holds `version`


def package_of_kernel(name):
    """linux-image-cloud-amd64 only depends on the package with the files."""
    for line in run(["apt-cache", "depends", name]).splitlines():
        match = re.fullmatch(r"\s*Depends: (linux-image-\d\S+)", line)
        if match:
            return match[1]
    return name


def kernel(package):
    def make(folder):
        with tempfile.TemporaryDirectory() as download:
            run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", package_of_kernel(package)], cwd=download)
            run(["dpkg-deb", "-x", *Path(download).glob("*.deb"), folder])
        version = next((folder / "lib/modules").iterdir()).name
        run(["depmod", "-b", folder, version])

    folder = cached(f"kernel-{package}-{key_of(package)}", make)
    version = next((folder / "lib/modules").iterdir()).name
    return Kernel(folder / f"boot/vmlinuz-{version}", version, folder / "lib/modules")


def root(host):
    """The folder that the guest's root file system is laid over."""
    if host.root == "host":
        return Path("/")

    def make(folder):
        folder.rmdir()
        hook = [f"--customize-hook=chroot \"$1\" sh -euc '{host.setup}'"] if host.setup else []
        run([REPOSITORY / "tools/make-debian-rootfs", f"--include={','.join(host.packages)}", *hook, folder])

    return cached(f"root-{host.name}-{key_of(host.packages, host.setup)}", make)


def modules_with_needs(kernel_files, wanted):
    """Files of modules in an order in which they can be loaded (modules.dep(5))."""
    needs = {}
    folder = kernel_files.modules / kernel_files.version
    for line in (folder / "modules.dep").read_text(encoding="utf-8").splitlines():
        file, _, others = line.partition(":")
        needs[Path(file).stem.replace("-", "_")] = [*reversed(others.split()), file]
    files = []
    for name in wanted:
        files += [file for file in needs[name.replace("-", "_")] if file not in files]
    return [folder / file for file in files]


def initramfs(kernel_files):
    files = modules_with_needs(kernel_files, BOOT_MODULES)
    boot, busybox = HERE / "guest/boot", Path(shutil.which("busybox") or "/bin/busybox")

    def make(folder):
        with tempfile.TemporaryDirectory() as name:
            tree = Path(name)
            for sub in ("bin", "modules", "proc", "dev", "layers", "root"):
                (tree / sub).mkdir()
            shutil.copy(busybox, tree / "bin/busybox")
            shutil.copy(boot, tree / "init")
            for number, file in enumerate(files):
                shutil.copy(file, tree / f"modules/{number:02}-{file.name}")
            listing = "\n".join(str(file.relative_to(tree)) for file in sorted(tree.rglob("*")))
            with (folder / "initramfs").open("wb") as archive:
                subprocess.run([busybox, "cpio", "-o", "-H", "newc"], cwd=tree, input=listing.encode(), stdout=archive,
                               stderr=subprocess.DEVNULL, check=True)

    key = key_of(kernel_files.version, boot.read_text(encoding="utf-8"), [file.name for file in files], busybox.stat().st_size)
    return cached(f"initramfs-{key}", make) / "initramfs"


def clear():
    """Empties the cache."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(cache_folder())
