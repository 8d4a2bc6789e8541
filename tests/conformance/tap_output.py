# SPDX-License-Identifier: Apache-2.0
"""What a validation program says, in the Test Anything Protocol, and which of two runs says the better things."""

import collections
import re
from dataclasses import dataclass, field

RESULT = re.compile(r"^\s*(?P<bad>not )?ok\b\s*\d*\s*(?:- )?(?P<text>.*?)\s*(?:#\s*(?P<directive>SKIP|TODO)\b.*)?$", re.IGNORECASE)
ERROR = re.compile(r'^\s*"error": "(.+)",?$')
# What differs from run to run: names of temporary folders and containers, pids.
CHANGING = re.compile(r"/tmp\S*|[0-9a-f]{8}-[0-9a-f-]{27}|\d{4,}")


@dataclass
class Outcome:
    """One run of a program. Texts are counted, since some come more than once."""

    code: int
    good: collections.Counter = field(default_factory=collections.Counter)
    bad: collections.Counter = field(default_factory=collections.Counter)
    skipped: int = 0

    @property
    def is_flawless(self):
        return self.code == 0 and not self.bad

    @property
    def shows_nothing(self):
        """All that it would look at is not here."""
        return self.is_flawless and not self.good and self.skipped > 0

    def worse_than(self, oracle):
        """What is wrong here and right with the oracle, a line each."""
        lines = [f"passes with the oracle only: {text}" for text in (oracle.good - self.good)]
        if oracle.is_flawless:  # else there is what it did not come to, and what it would have said of that is not known
            lines += [f"fails here only: {text}" for text in (self.bad - oracle.bad)]
            lines += [f"exit code {self.code}; 0 with the oracle"] if self.code else []
        return lines


def read(output, code):
    outcome, errors = Outcome(code), collections.Counter()
    for line in output.splitlines():
        result = RESULT.match(line)
        if result and (result["directive"] or "").upper() == "SKIP":
            outcome.skipped += 1
        elif result and (result["directive"] or "").upper() != "TODO":
            (outcome.bad if result["bad"] else outcome.good)[CHANGING.sub("…", result["text"])] += 1
        elif error := ERROR.match(line):
            errors[CHANGING.sub("…", error.group(1))] += 1
    if not outcome.good and not outcome.bad and not outcome.skipped:
        outcome.bad = errors  # programs that watch one thing only, and print no more than what was wrong with it
    return outcome
