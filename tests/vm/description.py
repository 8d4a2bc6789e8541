# SPDX-License-Identifier: Apache-2.0
"""A kind of host as a small description: hosts/NAME.toml. Every key is a field below; an unknown one is an error."""

import dataclasses
import tomllib
from pathlib import Path

FOLDER = Path(__file__).parent / "hosts"


class DescriptionError(Exception):
    """A description that cannot be meant so: names the file, the key, the value and what was expected."""


@dataclasses.dataclass(frozen=True)
class Suite:
    """A run of tests in the guest: the integration tests, or a program of unit tests."""

    name: str
    runtime: str = "kiste-oci"  # or a peer of the guest, as the oracle: runc, crun
    tests: tuple = ()  # pytest's arguments; none: all of tests/integration but the engines'
    program: str = ""  # instead: a GoogleTest program of the build, `tests` being its arguments
    user: str = ""  # an ordinary user of the guest, in a delegated scope of that user's own systemd; "": root
    quick: bool = False  # part of `make test`
    environment: dict = dataclasses.field(default_factory=dict)
    limit: int = 3600  # seconds


@dataclasses.dataclass(frozen=True)
class Host:
    name: str
    about: str
    kernel: str = "linux-image-cloud-amd64"  # a Debian package, or one that depends on it
    root: str = "host"  # the files of this machine, or "debian": made by mmdebstrap with `packages` and `setup`
    packages: tuple = ()  # Debian packages that the root must have
    setup: str = ""  # shell commands in a new "debian" root
    init: str = "small"  # guest/init, or "systemd"
    cgroups: str = "v2"  # what guest/init mounts: v2 or v1; with systemd its own words in `boot` decide
    boot: str = ""  # further words for the kernel's command line
    modules: tuple = ("virtio_blk",)  # loaded before the first command
    mounts: tuple = ()  # "type target" each, mounted by guest/init
    prepare: str = ""  # shell commands before the first command of every boot
    cpu: str = "max"  # QEMU's CPU model
    cpus: int = 2
    memory: int = 3072  # MiB
    acceleration: str = "any"  # "tcg": never KVM
    suites: tuple = ()


CHOICES = {"root": ("host", "debian"), "init": ("small", "systemd"), "cgroups": ("v1", "v2"), "acceleration": ("any", "tcg")}


def names():
    return sorted(file.stem for file in FOLDER.glob("*.toml"))


def _values(kind, table, where):
    """The table's values as the fields of `kind` want them."""
    fields = {field.name: field for field in dataclasses.fields(kind)}
    values = {}
    for key, value in table.items():
        field = fields.get(key)
        if field is None:
            raise DescriptionError(f"{where}: {key}: unknown; known are {', '.join(fields)}")
        if field.type is tuple and isinstance(value, list):
            value = tuple(value)
        if not isinstance(value, field.type):
            raise DescriptionError(f"{where}: {key}: {value!r} is not a {field.type.__name__}")
        if key in CHOICES and value not in CHOICES[key]:
            raise DescriptionError(f"{where}: {key}: {value!r} is none of {', '.join(CHOICES[key])}")
        values[key] = value
    return values


def read(name):
    file = FOLDER / f"{name}.toml"
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DescriptionError(f"{name}: no such kind of host; there are {', '.join(names())}") from None
    except tomllib.TOMLDecodeError as error:
        raise DescriptionError(f"{file}: {error}") from None
    suites = table.pop("suite", [])
    if "about" not in table:
        raise DescriptionError(f"{file}: about: missing; one line that says what kind of host this is")
    values = _values(Host, table, file)
    if values.get("root", "host") == "host" and values.get("setup"):
        raise DescriptionError(f"{file}: setup: changes a root made for the guest, and root is \"host\"")
    parsed = tuple(Suite(**_values(Suite, {"name": suite.get("runtime", "kiste-oci"), **suite}, f"{file}: suite")) for suite in suites)
    return Host(name=name, suites=parsed, **values)
