# SPDX-License-Identifier: Apache-2.0
"""What one peer lacks or does otherwise: peers/NAME.toml, by reason. What all of them do is marked kiste_only beside the test."""

import tomllib
from pathlib import Path

FOLDER = Path(__file__).parent / "peers"


def names():
    return sorted(file.stem for file in FOLDER.glob("*.toml"))


def differing(name, layout=None):
    """Why this peer skips a test, by `file.test` or `file.*`: on a host with this layout of cgroups, or on any."""
    file = FOLDER / f"{name}.toml"
    groups = tomllib.loads(file.read_text(encoding="utf-8"))["differs"] if file.exists() else []
    return {test: group["why"] for group in groups if layout is None or group.get("cgroups", layout) == layout for test in group["tests"]}
