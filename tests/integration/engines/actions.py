# SPDX-License-Identifier: Apache-2.0
"""The actions, each written once, and the engines whose command line can type it."""

DOCKERLIKE = ("docker", "podman")
LASTING = ("docker", "podman", "containerd")  # those whose containers stay when the command ends
ALL = ("docker", "podman", "containerd", "buildah")

ACTIONS = []  # pairs of an action and the name of an engine


def action(*engines):
    """An action for these engines: a function of a Box. What it returns is not looked at; what it saw is compared."""

    def register(function):
        ACTIONS.extend((function, engine) for engine in engines)
        return function

    return register


def status_of(script_output, field):
    """A field of /proc/PID/status in what a container wrote."""
    return next(line.split(":", 1)[1].strip() for line in script_output.splitlines() if line.startswith(field + ":"))
