# SPDX-License-Identifier: Apache-2.0
"""Waiting that always ends. Nothing in this suite waits on anything without one of these limits."""

import os
import time

# How much slower than a plain computer this one is: an emulated processor, or one that many share. All limits grow by it.
SLOWNESS = float(os.environ.get("SLOWNESS", "1"))
PATIENCE = 20.0 * SLOWNESS  # seconds that a runtime's command may take before it counts as hanging
SOON = 5.0 * SLOWNESS  # seconds in which something that is already on its way must have happened
TOGETHER = 50.0 * SLOWNESS  # seconds for what many workers do at the same time; less than a test's limit


def eventually(condition, what, within=SOON):
    """Returns the first true value of `condition()`; fails with `what` when there is none in time."""
    end = time.monotonic() + within
    pause = 0.002
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {within} s: {what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
