# SPDX-License-Identifier: Apache-2.0
"""kiste-bench by its command line, and what a run could leave behind."""

import json
import os
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent.parent


def build_folder():
    """Where the runtime under test was built; beside a peer it is the release build's instrument."""
    folder = Path(os.environ.get("RUNTIME") or "/").absolute().parent.parent
    return folder if (folder / "bin/kiste-bench").exists() else REPOSITORY / "build/release"


def left_behind():
    found = [str(path) for path in Path("/var/tmp").glob("kiste-bench-*")] + [str(path) for path in Path("/run/kiste-bench").glob("*")]
    found += [str(path) for path in Path("/sys/fs/cgroup").glob("kiste-bench-*")] + [str(path) for path in Path("/sys/fs/cgroup").glob("*/kiste-bench-*")]
    return found


class Bench:
    """The program with a record of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.record = folder / "record.sqlite"
        self.program = build_folder() / "bin/kiste-bench"
        self.names = set()

    def left(self):
        """What its own runs have left: somebody else's may be going on."""
        ends = tuple(f"/kiste-bench-{name}" for name in self.names) + tuple(f"/{name}.ledger" for name in self.names)
        return [path for path in left_behind() if path.endswith(ends)]

    def named(self, words):
        """A run's words, with a name; which is remembered."""
        for option in ("--name", "--resume"):
            if option in words:
                self.names.add(words[words.index(option) + 1])
                return words
        self.names.add(f"{self.folder.name}-{len(self.names)}")
        return [*words, "--name", f"{self.folder.name}-{len(self.names) - 1}"]

    def command(self, *words):
        words = [str(word) for word in words]
        if words[0] == "run":
            words = self.named(words)
        takes_record = words[0] in ("run", "report", "compare") and not any(word.startswith("--record") for word in words)
        return [self.program, *words, *(["--record", self.record] if takes_record else [])]

    def start(self, *words, **options):
        return subprocess.Popen(self.command(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                cwd=self.folder, **options)

    def ask(self, *words, timeout=55):
        return subprocess.run(self.command(*words), stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=self.folder, timeout=timeout)

    def ok(self, *words, timeout=55):
        result = self.ask(*words, timeout=timeout)
        assert result.returncode == 0, result.stderr + result.stdout
        return result.stdout

    def fails(self, *words, code=1):
        result = self.ask(*words)
        assert result.returncode == code, result.stdout + result.stderr
        assert result.stderr.startswith("kiste-bench: "), result.stderr
        return result.stderr

    def json(self, run=""):
        return json.loads(self.ok("report", *([run] if run else []), "--json", "-"))
