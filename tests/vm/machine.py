# SPDX-License-Identifier: Apache-2.0
"""One boot of a guest: QEMU, its shares, its output as it comes, and the limits after which it is ended.

The guest gets `root`, `modules` and, unless the root is this machine's own, `tree` to read (it writes to a tmpfs above them), and
`run`, a folder of this boot, to write: settings and job go in, output, exit code and results come out.
"""

import atexit
import contextlib
import ctypes
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time
import tty
from pathlib import Path

import images

GUEST = Path(__file__).parent / "guest"
VIRTIOFSD = "/usr/lib/qemu/virtiofsd"
QEMU = "qemu-system-x86_64"
# Seconds until the initramfs has reached the run's folder, for each try. A try takes 2 s; one in some dozens never gets there.
ALIVE_LIMITS = (30, 60, 120)
SILENCE_LIMIT = 300  # seconds from there to the job's first output, and between its outputs
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class MachineError(Exception):
    """The machine could not be started, or did not end as it should; says how far it came and shows its console."""


def with_us(*_):
    """Run in a child before exec: it gets SIGKILL when this process ends, however that happens."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def exit_on_sigterm():
    """For a program's main thread: SIGTERM ends it as an exception does, machines and their folders included."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def kvm_works(kernel, initramfs):
    """Whether stock kernels boot under this machine's KVM: tried, for the device may be there and unable to. Once a boot."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    known = images.cache_folder() / f"kvm-{kernel.version}-{boot_id}"
    if known.exists():
        return known.read_text(encoding="utf-8") == "works\n"
    # Without shares the initramfs says so and switches off; an exit code of a kernel that never came so far is none.
    command = [QEMU, "-M", "q35", "-accel", "kvm", "-cpu", "host", "-m", "512", "-kernel", kernel.image, "-initrd", initramfs,
               "-append", "console=ttyS0 quiet panic=-1", "-no-reboot", "-nodefaults", "-nographic", "-serial", "stdio"]
    try:
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=10, check=False, preexec_fn=with_us)
        works = b"boot: " in done.stdout
    except subprocess.TimeoutExpired:
        works = False
    for old in images.cache_folder().glob("kvm-*"):
        old.unlink()
    known.write_text("works\n" if works else "does not\n", encoding="utf-8")
    return works


class Machine:
    def __init__(self, host, tree, say=lambda text: print(text, file=sys.stderr, flush=True)):
        """`say` gets what a person should know besides the job's output: that a boot was tried again."""
        self.host, self.tree, self.say = host, tree, say
        self.kernel = images.kernel(host.kernel)
        self.initramfs = images.initramfs(self.kernel)
        self.root = images.root(host)
        self.processes = []
        self.interactive = False

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="kiste-vm-"))
        atexit.register(self._clear)  # where it is used by another thread than the one that exits
        self.share, self.console = self.folder / "run", self.folder / "console"
        self.share.mkdir()
        self.results = self.share / "results"
        self.results.mkdir(mode=0o1777)
        self.results.chmod(0o1777)
        return self

    def __exit__(self, *_):
        self._clear()
        atexit.unregister(self._clear)

    def _clear(self):
        self._end()
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- what goes in
    def _write_run_folder(self, job):
        settings = {"HOST": f"vm-{self.host.name}", "ROOT": self.host.root, "TREE": self.tree, "INIT": self.host.init,
                    "CGROUPS": self.host.cgroups, "MODULES": " ".join(self.host.modules), "INTERACTIVE": "yes" if self.interactive else "no"}
        texts = {"settings": "".join(f"{key}={shlex.quote(str(value))}\n" for key, value in settings.items()),
                 "mounts": "".join(f"{line}\n" for line in self.host.mounts), "prepare": self.host.prepare + "\n", "job": job + "\n"}
        for name, text in texts.items():
            (self.share / name).write_text(text, encoding="utf-8")
        for name in ("init", "start", "job.service"):
            shutil.copy(GUEST / name, self.share / name)

    def _spawn(self, command, **options):
        process = subprocess.Popen([str(word) for word in command], preexec_fn=with_us, **options)
        self.processes.append(process)
        return process

    def _serve(self, tag, folder, *options):
        """Starts the share; QEMU's options for it."""
        socket = self.folder / f"{tag}.socket"
        socket.unlink(missing_ok=True)  # of an earlier try
        with (self.folder / f"{tag}.log").open("wb") as log:
            server = self._spawn([VIRTIOFSD, "-f", f"--socket-path={socket}", "-o", f"source={folder}", "-o", "sandbox=chroot", "-o", "xattr",
                                  *options], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while not socket.exists():
            if server.poll() is not None or time.monotonic() > end:
                raise MachineError(f"share {tag} of {folder} cannot be served:\n{(self.folder / f'{tag}.log').read_text(errors='replace')}")
            time.sleep(0.005)
        return ["-chardev", f"socket,id={tag},path={socket}", "-device", f"vhost-user-fs-pci,chardev={tag},tag={tag}"]

    def _acceleration(self):
        if self.host.acceleration == "any" and kvm_works(self.kernel, self.initramfs):
            return ["-accel", "kvm", "-cpu", "host"]
        return ["-accel", "tcg,thread=multi", "-cpu", self.host.cpu]

    def _end(self):
        """Ends QEMU and its file servers, whatever they do."""
        for process in reversed(self.processes):
            process.kill()
            process.wait()

    def _boot(self, job):
        """QEMU, with a guest in it that has reached the folder of this run. An emulated kernel may stop on its way for ever: one
        that shows no sign of life is ended and tried again, with more patience, for the machine may only be busy."""
        self._write_run_folder(job)
        for number, patience in enumerate(ALIVE_LIMITS, 1):
            start = time.monotonic()
            qemu = self._start()
            while time.monotonic() - start < patience:
                if (self.share / "alive").exists() or qemu.poll() is not None:
                    return qemu
                time.sleep(0.02)
            self._end()
            silent = f"{self.host.name}: no sign of life within {patience} s, try {number} of {len(ALIVE_LIMITS)}"
            self.say(f"{silent}; the end of its console:\n{self._console_tail()}")
        raise MachineError(silent)

    def _start(self):
        cached = ["-o", "cache=always"]
        shares = [*self._serve("root", self.root, *cached), *self._serve("modules", self.kernel.modules, *cached),
                  *self._serve("run", self.share, "-o", "cache=none")]
        if self.host.root != "host":
            shares += self._serve("tree", self.tree, *cached)
        words = ["console=ttyS0", "panic=-1", "tsc=reliable", "no_timer_check", "mitigations=off", "random.trust_cpu=on", "quiet",
                 "systemd.mask=serial-getty@ttyS0.service", self.host.boot]
        serial = ["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"] if self.interactive else ["-serial", f"file:{self.console}"]
        memory = f"{self.host.memory}M"
        return self._spawn([QEMU, "-M", "q35", *self._acceleration(), "-smp", self.host.cpus, "-m", memory, "-kernel", self.kernel.image,
                            "-initrd", self.initramfs, "-object", f"memory-backend-memfd,id=memory,size={memory},share=on", "-numa",
                            "node,memdev=memory", "-blockdev", "null-co,node-name=disk,size=67108864,read-zeroes=on", "-device",
                            "virtio-blk-pci,drive=disk", *shares, "-append", " ".join(words).strip(), "-no-reboot", "-nodefaults", "-no-user-config",
                            "-nographic", *serial],
                           **({} if self.interactive else {"stdin": subprocess.DEVNULL}))

    # -- what comes out
    def _console_tail(self):
        try:
            text = re.sub(r"\x1b(\[[0-9;?]*[A-Za-z]|c)", "", self.console.read_text(errors="replace"))  # terminal control sequences
            return "\n".join(text.splitlines()[-40:])
        except OSError:
            return "(nothing)"

    def _exit_code(self):
        try:
            return int((self.share / "exit-code").read_text())
        except OSError:
            return None

    def shell(self, job):
        """Boots for a person: the terminal is the guest's console. Returns the job's exit code."""
        self.interactive = True
        before = termios.tcgetattr(sys.stdin) if sys.stdin.isatty() else None
        if before:
            size = os.get_terminal_size()
            job = f"stty rows {size.lines} columns {size.columns}; export TERM={shlex.quote(os.environ.get('TERM', 'linux'))}\n{job}"
        try:
            qemu = self._boot(job)
            if before:
                tty.setraw(sys.stdin)
            qemu.wait()
        finally:
            if before:
                termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
        return self._exit_code()

    def run(self, job, limit, write):
        """Boots, runs the shell commands `job` in the tree, hands what they print to write(bytes) as it comes. Returns its exit code."""
        qemu = self._boot(job)
        start = time.monotonic()
        last = start
        with contextlib.ExitStack() as stack:
            output = None
            while True:
                ended = qemu.poll() is not None
                if output is None and (self.share / "output").exists():
                    output = stack.enter_context((self.share / "output").open("rb"))
                text = output.read() if output else b""
                now = time.monotonic()
                if text:
                    last = now
                    write(text)
                elif ended:
                    break
                why = self._overdue(now - start, now - last, limit)
                if why:
                    raise MachineError(f"{self.host.name}: {why}; the end of its console:\n{self._console_tail()}")
                if not text:
                    time.sleep(0.02)
        code = self._exit_code()
        if code is None:
            raise MachineError(f"{self.host.name}: ended after {time.monotonic() - start:.0f} s without an exit code of its job (QEMU's: {qemu.returncode}); "
                               f"the end of its console:\n{self._console_tail()}")
        return code

    @staticmethod
    def _overdue(seconds, silence, limit):
        if silence > SILENCE_LIMIT:
            return f"no output for {SILENCE_LIMIT} s"
        return f"not done within its limit of {limit} s" if seconds > limit else None
