# SPDX-License-Identifier: Apache-2.0
"""Interactive shells at a terminal, asked what they complete a line to: keys go in, and the line that stands there comes out."""

import os
import pty
import re
import select
import subprocess
import time

from deadline import PATIENCE

ALL, SHOW, CLEAR = "\x14", "\x0f", "\x15"  # ^T inserts all completions, ^O shows the line, ^U empties it

BASH = r"""
PS1= ; set +o history
bind 'set bell-style none'; bind 'set enable-bracketed-paste off'
bind '"\C-t": insert-completions'
bind -x '"\C-o": printf "<<%s>>" "$READLINE_LINE"'
source {script}
"""
# Of the thousand files that zsh brings, those that ours needs: compinit reads them all.
ZSH = r"""
PS1= ; unsetopt prompt_sp prompt_cr beep zle_bracketed_paste 2>/dev/null; zle_bracketed_paste=()
autoload -Uz ${{(M)fpath:#*/Completion/Unix}}/{{_path_files,_files,_users,_groups}}
fpath=({folder} ${{(M)fpath:#*/Completion}} ${{(M)fpath:#*/Completion/Base}}); autoload -Uz compinit; compinit -u -D
zle -C all complete-word _generic; bindkey '^T' all
zstyle ':completion:all::::' completer _all_matches _complete
zstyle ':completion:all:*' insert true
show() {{ print -rn -- "<<$BUFFER>>" }}; zle -N show; bindkey '^O' show
bindkey '^U' kill-whole-line
"""


class ShellSession:
    """bash or zsh with the completion script in `script`; programs are looked for in `path` first."""

    def __init__(self, host, shell, script, path):
        arguments = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"]}[shell]
        self.host, self.output = host, ""
        self.master, slave = pty.openpty()
        environment = {"PATH": f"{path}:{os.environ['PATH']}", "TERM": "dumb", "HOME": str(path), "COLUMNS": "4000"}
        self.process = subprocess.Popen(arguments, stdin=slave, stdout=slave, stderr=slave, env=environment,
                                        cwd=path, start_new_session=True)
        os.close(slave)
        host.commands[self.process.pid] = self.process
        setup = {"bash": BASH, "zsh": ZSH}[shell].format(script=script, folder=script.parent)
        for line in setup.strip().splitlines():
            self.type(line + "\n")
        self.type("echo re''ady\n")
        try:
            self._read_until("ready")
        except BaseException:
            self.close()
            raise

    def type(self, text):
        os.write(self.master, text.encode())

    def complete(self, line):
        """The words that stand in the place of the last one of `line` when all completions are inserted."""
        self.output = ""
        self.type(line + ALL + SHOW)
        shown = self._read_until("<<(.*?)>>").group(1)
        self.type(CLEAR)
        kept = line[:line.rfind(" ") + 1]
        assert shown.startswith(kept), f"{shown!r} should begin with {kept!r}"
        if shown.rstrip() == line.rstrip():
            return []
        # Behind --name= bash gives values, zsh repeats the name; zsh also ends names that want a value with "=".
        option = re.match(r"--[a-z-]+=", line[len(kept):])
        words = [word.removeprefix(option.group() if option else "") for word in shown[len(kept):].split()]
        return [word.removesuffix("=") for word in words]

    def _read_until(self, pattern):
        end = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.output, re.DOTALL)):
            ready, _, _ = select.select([self.master], [], [], max(0, end - time.monotonic()))
            assert ready, f"no {pattern!r} in {self.output!r}"
            self.output += os.read(self.master, 65536).decode(errors="replace")
        return found

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.master)
        self.host.commands.pop(self.process.pid, None)
