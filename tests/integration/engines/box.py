# SPDX-License-Identifier: Apache-2.0
"""One runtime behind one engine: what a user types, and a record of all that the user sees.

An action (actions_*.py) is done in two boxes, that of the runtime under test and that of its peer. Both records must be the
same once what has to differ (ids, names, times, process ids, folders) is taken out.
"""

import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from deadline import SLOWNESS, eventually

PATIENCE = 40.0 * SLOWNESS  # seconds that one command of an engine may take
NEVER_THE_SAME = [
    (re.compile(r"\b[0-9a-f]{64}\b"), "<id>"),
    (re.compile(r"\b[0-9a-f]{12}\b"), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?[+-]\d{2}:?\d{2}| ?Z)?( UTC)?"), "<time>"),
    # What docker's command line says or not, whichever answer of the daemon comes first.
    (re.compile(r'time="<time>" level=error msg="error waiting for container: (context canceled)?"\s*\n'), ""),
    # runc says it to every ordinary user, also to one whose cgroup is delegated.
    (re.compile(r'time="<time>" level=warning msg="runc \w+ may fail if you don.t have the full access to cgroups"\s*\n'), ""),
]
PROCESS_IDS = ("Pid", "ConmonPid", "LockNumber")


@dataclass
class Answer:
    """What one command said and how it ended."""

    command: list
    code: int
    stdout: str
    stderr: str

    def __str__(self):
        return f"{' '.join(self.command)}\nexit code {self.code}\nstdout: {self.stdout}\nstderr: {self.stderr}"


def call(command, host, environment, folder, text=None, timeout=PATIENCE):
    """Runs a command to its end; `text` is its standard input. Output goes through files: nothing that lives on and keeps
    them open can make us wait."""
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr, tempfile.TemporaryFile() as stdin:
        stdin.write((text or "").encode())
        stdin.seek(0)
        command = [str(word) for word in command]
        process = subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=stderr, env=environment, cwd=folder)
        host.commands[process.pid] = process
        late = False
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            late = True
            process.kill()
            process.wait()
        finally:
            host.commands.pop(process.pid, None)
        stdout.seek(0)
        stderr.seek(0)
        answer = Answer(command, process.returncode, stdout.read().decode(errors="replace"),
                        stderr.read().decode(errors="replace"))
    assert not late, f"still running after {timeout} s: {answer}"
    return answer


def without_processes(value):
    """A JSON value with the numbers of processes, and what depends on chance, taken out."""
    if isinstance(value, dict):
        masked = {key: "<pid>" for key in PROCESS_IDS if value.get(key)}
        ordered = {"Env": sorted(value["Env"])} if value.get("Env") else {}  # podman's comes in any order
        return {key: without_processes(inner) for key, inner in value.items()} | masked | ordered
    if isinstance(value, list):
        # Docker lists default limits as Go's maps come: in any order.
        ordered = sorted(value, key=str) if value and all(isinstance(inner, dict) and "Soft" in inner for inner in value) else value
        return [without_processes(inner) for inner in ordered]
    return value


class Box:
    """`engine` says how things are typed (engines.py); `runtime` is "tested" or "peer", `program` its path."""

    def __init__(self, engine, runtime, program, folder):
        self.engine, self.runtime, self.program, self.folder = engine, runtime, str(program), Path(folder)
        self.folder.mkdir(parents=True)
        self.folder.chmod(0o755)
        self.names, self.seen = [], []

    # -- what is typed
    def type(self, *words, code=0, says=None, text=None, silent=False):
        """A command of the engine, which must end with `code`. With `says` its complaint must hold each of these words,
        and need not be the same otherwise: a part of it is the runtime's own. Returns what it wrote."""
        return self.judge(self.engine.call(self, words, text), code, says, silent)

    def judge(self, answer, code=0, says=None, silent=False):
        assert code is None or answer.code == code, f"should end with {code}: {answer}"
        for word in [says] if isinstance(says, str) else says or ():
            assert word in answer.stdout + answer.stderr, f"should say {word!r}: {answer}"
        if not silent:
            complaint = answer.stderr if says is None else says
            self.saw(answer.code, answer.stdout if says is None else says, complaint)
        return answer.stdout

    def call(self, name, code=0, says=None, silent=False, **request):
        """A call of an engine that is called and not typed to; its answer."""
        return json.loads(self.type(name, request, code=code, says=says, silent=silent))

    def run(self, *command, code=0, says=None, text=None, **options):
        """A container in the foreground, removed when it ends; what it wrote."""
        words = self.engine.run_words(self, self.new_name(), command, options)
        return self.type(*words, code=code, says=says, text=text)

    def sh(self, script, **options):
        return self.run("sh", "-c", script, **options)

    def start(self, *command, **options):
        """A container in the background: its name."""
        name = self.new_name()
        self.type(*self.engine.run_words(self, name, command, options, detach=True))
        return name

    def exec(self, name, *command, code=0, says=None, text=None, **options):
        return self.type(*self.engine.exec_words(self, name, command, options), code=code, says=says, text=text)

    def verb(self, what, name, *words, **options):
        """pause, resume, kill, remove: each engine has its own words for them."""
        return self.type(*self.engine.verb_words(what, name, *words), **options)

    # -- what is seen
    def saw(self, *things):
        self.seen.append([self.normal(thing) if isinstance(thing, str) else thing for thing in things])

    def normal(self, text):
        for number, name in enumerate(self.names):
            text = text.replace(name, f"<container {number}>")
        for path in (self.folder, self.engine.folder_of(self)):
            text = text.replace(str(path), "<folder>")
        text = text.replace(self.program, "<runtime>").replace(self.engine.prefix_of(self), "<prefix>")
        for pattern, word in NEVER_THE_SAME:
            text = pattern.sub(word, text)
        return text

    def inspect(self, name, *path):
        """One field of what the engine knows about a container."""
        value = json.loads(self.type("inspect", name, silent=True))[0]
        for key in path:
            value = value[key]
        return value

    def saw_inspection(self, name, without=()):
        """All that the engine knows about a container."""
        facts = without_processes(self.inspect(name))
        for key in without:
            facts.pop(key, None)
        text = json.dumps(facts, indent=1, sort_keys=True).replace(f'"{self.runtime}"', '"<runtime>"')
        self.seen.append(self.normal(text).splitlines())
        return facts

    def status(self, name):
        return self.engine.status(self, name)

    def waits_for(self, condition, what, within=15 * SLOWNESS):
        return eventually(condition, f"{self.engine.name} with {self.program}: {what}", within)

    def reaches(self, name, status):
        self.waits_for(lambda: self.status(name) == status, f"{name} is {status}; it is {self.status(name)}")

    def logs(self, name):
        answer = self.engine.call(self, ("logs", name))
        return answer.stdout + answer.stderr

    def says(self, name, text):
        self.waits_for(lambda: text in self.logs(name), f"{name} writes {text!r}; it wrote {self.logs(name)!r}")

    # -- names
    def new_name(self):
        self.names.append(f"{self.engine.token}{self.runtime[0]}{self.engine.next_number()}z")
        return self.names[-1]
