# SPDX-License-Identifier: Apache-2.0
"""The OCI runtime-tools' validation programs, built once from Debian's source package with Debian's Go and kept outside of the
tree: in $KISTE_CONFORMANCE_CACHE, or kiste/conformance in $XDG_CACHE_HOME or ~/.cache, under the hash of what decides about them.

The source is the archive or folder that $KISTE_RUNTIME_TOOLS names, or what apt fetches: that of this release of Debian, or of a
later one where the mirror has lost this one's. The binary package lacks the programs, since what prints their results is not in
Debian: tap/tap.go stands in for it.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
PACKAGE = "golang-github-opencontainers-runtime-tools"
IMPORT_PATH = "github.com/opencontainers/runtime-tools"
TAP_IMPORT_PATH = "github.com/mndrix/tap-go"
LIBRARIES = Path("/usr/share/gocode")  # where Debian's Go packages lie
RELEASES_AFTER = {"bookworm": ["trixie"]}
VERSION = 1  # of what is made here: a change of it makes everything anew
ROOTFS = "rootfs-amd64.tar.gz"  # the name that the programs look for beside them


class Unavailable(Exception):
    """The programs cannot be had here; says what is missing."""


def cache_folder():
    if named := os.environ.get("KISTE_CONFORMANCE_CACHE"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kiste/conformance"


def run(command, limit, **options):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, timeout=limit, **options)
    if done.returncode != 0:
        raise Unavailable(f"{' '.join(map(str, command[:3]))} … failed with {done.returncode}: {done.stdout[-1500:]}")
    return done.stdout


def installed_version(package):
    done = subprocess.run(["dpkg-query", "-W", "-f=${db:Status-Status} ${Version}", package], capture_output=True, text=True, check=False)
    status, _, version = done.stdout.partition(" ")
    if status != "installed":
        raise Unavailable(f"Debian's package {package} is not installed (tools/setup conformance)")
    return version


# -- the source
def fetch_source(release, folder):
    """Lets apt fetch and check the source package's archive; a configuration of its own, the system's stays as it is."""
    targets = run(["apt-get", "indextargets", "--format", "$(CREATED_BY) $(ORIGIN) $(REPO_URI)"], 60)
    mirrors = [line.split()[2] for line in targets.splitlines() if line.startswith("Packages Debian ") and "security" not in line]
    if not mirrors:
        raise Unavailable("apt knows no mirror of Debian")
    lists, sources = folder / "lists", folder / "sources.list"
    (lists / "partial").mkdir(parents=True, exist_ok=True)
    sources.write_text(f"deb-src {mirrors[0]} {release} main\n")
    apt = ["apt-get", "-q", "-o", f"Dir::Etc::SourceList={sources}", "-o", "Dir::Etc::SourceParts=/dev/null",
           "-o", f"Dir::State::Lists={lists}", "-o", "APT::Sandbox::User=root", "-o", "Acquire::http::Timeout=20"]
    run([*apt, "update"], 120, cwd=folder)
    try:
        run([*apt, "--download-only", "source", PACKAGE], 120, cwd=folder)
    except Unavailable:
        # A mirror may lack one of the package's files; each file that did arrive has been checked by itself.
        if not list(folder.glob(f"{PACKAGE}_*.orig.tar.*")):
            raise
    return next(folder.glob(f"{PACKAGE}_*.orig.tar.*[!c]"))


def debian_release():
    named = re.search(r"^VERSION_CODENAME=(\S+)", Path("/etc/os-release").read_text(), re.MULTILINE)
    if not named:
        raise Unavailable("this is no release of Debian")
    return named.group(1)


def source_archive(cache):
    """The archive, or the folder, with the programs' source."""
    if named := os.environ.get("KISTE_RUNTIME_TOOLS"):
        if not Path(named).exists():
            raise Unavailable(f"KISTE_RUNTIME_TOOLS: {named} is not there")
        return Path(named)
    if kept := sorted(cache.glob(f"{PACKAGE}_*.orig.tar.*[!c]")):
        return kept[-1]
    if not shutil.which("apt-get"):
        raise Unavailable(f"no apt-get to fetch the source package {PACKAGE} with")
    problems, release = [], debian_release()
    for candidate in [release, *RELEASES_AFTER.get(release, [])]:
        with tempfile.TemporaryDirectory(prefix="kiste-source-") as folder:
            try:
                return Path(shutil.move(fetch_source(candidate, Path(folder)), cache))
            except (Unavailable, subprocess.TimeoutExpired, StopIteration) as error:
                problems.append(f"{candidate}: {error}")
    raise Unavailable(f"the source package {PACKAGE} cannot be fetched: " + "; ".join(problems))


# -- the programs
def unpack(source, place):
    place.mkdir(parents=True)
    if source.is_dir():
        shutil.copytree(source, place, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".git", "vendor"))
    else:
        run(["tar", "-xf", source, "-C", place, "--strip-components=1", "--no-same-owner"], 60)
    if not (place / "validation").is_dir():
        raise Unavailable(f"{source} holds no folder `validation`")


def make_rootfs(folder):
    """The root file system that a bundle begins as: Debian's static busybox."""
    with tempfile.TemporaryDirectory(prefix="kiste-rootfs-") as scratch:
        run([REPOSITORY / "tools/make-rootfs", f"{scratch}/rootfs"], 300)
        run(["tar", "-czf", folder / ROOTFS, "-C", f"{scratch}/rootfs", "."], 120)


def build(source, folder):
    with tempfile.TemporaryDirectory(prefix="kiste-go-") as scratch:
        own = Path(scratch) / "path"
        place = own / "src" / IMPORT_PATH
        unpack(source, place)
        tap = own / "src" / TAP_IMPORT_PATH
        tap.mkdir(parents=True)
        shutil.copyfile(HERE / "tap/tap.go", tap / "tap.go")
        environment = {"PATH": os.environ["PATH"], "HOME": scratch, "GO111MODULE": "off", "GOPROXY": "off", "GOFLAGS": "",
                       "CGO_ENABLED": "0", "GOPATH": f"{own}:{LIBRARIES}", "GOCACHE": f"{scratch}/cache"}
        run(["go", "build", "-ldflags=-s -w", "-o", f"{folder}/", "./validation/...", "./cmd/runtimetest"], 900,
            cwd=place, env=environment)
    make_rootfs(folder)


def key_of(source):
    digest = hashlib.sha256(repr((VERSION, source.name, installed_version("golang-go"),
                                  installed_version(f"{PACKAGE}-dev"))).encode())
    for file in (HERE / "tap/tap.go", REPOSITORY / "tools/make-rootfs", *([source] if source.is_file() else [])):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def programs_folder():
    """The folder with the programs, `runtimetest` and the root file system; built when it is not there."""
    for package in ("golang-go", f"{PACKAGE}-dev", "golang-github-google-uuid-dev"):
        installed_version(package)
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        source = source_archive(cache)
        folder = cache / key_of(source)
        if not folder.exists():
            fresh = Path(tempfile.mkdtemp(prefix=".building-", dir=cache))
            try:
                build(source, fresh)
                fresh.chmod(0o755)
                fresh.rename(folder)
            finally:
                shutil.rmtree(fresh, ignore_errors=True)
    return folder


def programs(folder):
    return sorted(file.name for file in folder.iterdir() if file.name not in ("runtimetest", ROOTFS))
