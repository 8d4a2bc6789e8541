# SPDX-License-Identifier: Apache-2.0
"""The harness itself, without a guest: python3 -m unittest discover -s tests/vm -p '*_test.py'"""

import atexit
import dataclasses
import os
import signal
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).parent))
sys.dont_write_bytecode = True

import description  # noqa: E402
import images  # noqa: E402
import machine  # noqa: E402
import suites  # noqa: E402


def program(folder, name, text):
    file = folder / name
    file.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    file.chmod(0o755)
    return str(file)


class InFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)


class Descriptions(InFolder):
    def read(self, text):
        (self.folder / "kind.toml").write_text(text, encoding="utf-8")
        with mock.patch.object(description, "FOLDER", self.folder):
            return description.read("kind")

    def test_every_kind_in_the_tree_can_be_read(self):
        self.assertIn("v2", description.names())
        for name in description.names():
            self.assertEqual(description.read(name).name, name)

    def test_what_is_not_said_has_a_default(self):
        host = self.read('about = "x"\n[[suite]]\nruntime = "runc"')
        self.assertEqual((host.init, host.cgroups, host.suites[0].name, host.suites[0].quick), ("small", "v2", "runc", False))

    def test_a_wrong_description_is_refused_by_key_and_value(self):
        for text, *words in (('about = "x"\ninitt = "small"', "initt", "unknown"), ('about = "x"\ninit = "runit"', "init", "runit", "systemd"),
                             ('about = "x"\ncpus = "2"', "cpus", "'2'", "int"), ("cpus = 2", "about", "missing"), ("about = ", "kind.toml"),
                             ('about = "x"\nsetup = "true"', "setup", "host"), ('about = "x"\n[[suite]]\nspeed = 1', "suite", "speed")):
            with self.subTest(text), self.assertRaises(description.DescriptionError) as raised:
                self.read(text)
            for word in words:
                self.assertIn(word, str(raised.exception))

    def test_an_unknown_kind_is_refused_with_those_there_are(self):
        with self.assertRaisesRegex(description.DescriptionError, "plan9.*v2"):
            description.read("plan9")


class Cache(InFolder):
    def setUp(self):
        super().setUp()
        patch = mock.patch.dict(os.environ, KISTE_VM_CACHE=str(self.folder))
        patch.start()
        self.addCleanup(patch.stop)

    def test_an_image_is_made_once(self):
        makings = []

        def make(folder):
            makings.append(folder)
            (folder / "file").write_text("x", encoding="utf-8")

        for _ in range(2):
            self.assertTrue((images.cached("thing", make) / "file").exists())
        self.assertEqual(len(makings), 1)

    def test_a_making_that_fails_leaves_nothing(self):
        def make(folder):
            (folder / "half").write_text("x", encoding="utf-8")
            raise images.ImageError("no")

        with self.assertRaises(images.ImageError):
            images.cached("thing", make)
        self.assertEqual([file.name for file in self.folder.iterdir()], [".thing.lock"])

    def test_modules_come_after_what_they_need_and_once(self):
        (self.folder / "6.1").mkdir()
        (self.folder / "6.1/modules.dep").write_text("a/top.ko: a/mid-dle.ko a/base.ko\na/mid-dle.ko: a/base.ko\na/base.ko:\n", encoding="utf-8")
        kernel = images.Kernel(Path("vmlinuz"), "6.1", self.folder)
        files = images.modules_with_needs(kernel, ["mid_dle", "top"])
        self.assertEqual([file.name for file in files], ["base.ko", "mid-dle.ko", "top.ko"])


class Machines(InFolder):
    """QEMU and its file server are scripts here: what the harness does when they misbehave."""

    SERVER = 'for word; do case $word in --socket-path=*) touch "${word#*=}" ;; esac; done; exec sleep 100'
    # The folder `run` of this boot is beside the console's file.
    SHARE = 'for word; do case $word in file:*) console=${word#file:} ;; esac; done; run=${console%/*}/run; echo the end >"$console"'
    ALIVE = ': >"$run/alive"'

    def boot(self, qemu, server=SERVER, limit=100, alive=ALIVE, **limits):
        kernel = images.Kernel(Path("vmlinuz"), "6.1", self.folder)
        output, self.said = bytearray(), []
        with mock.patch.multiple(machine, QEMU=program(self.folder, "qemu", f"{self.SHARE}\n{alive}\n{qemu}"), VIRTIOFSD=program(self.folder, "server", server), **limits), \
                mock.patch.multiple(images, kernel=lambda _: kernel, initramfs=lambda _: Path("initramfs"), root=lambda _: Path("/")), \
                machine.Machine(dataclasses.replace(description.read("v2"), acceleration="tcg"), self.folder, self.said.append) as guest:
            self.guest = guest
            code = guest.run("true", limit, output.extend)
        return code, bytes(output)

    def check_nothing_is_left(self):
        self.assertFalse(self.guest.folder.exists())
        for process in self.guest.processes:
            self.assertIsNotNone(process.poll())

    def test_output_and_exit_code_come_back(self):
        code, output = self.boot('echo one >"$run/output"; sleep 0.1; echo two >>"$run/output"; echo 3 >"$run/exit-code"')
        self.assertEqual((code, output), (3, b"one\ntwo\n"))
        self.check_nothing_is_left()

    def test_a_guest_that_ends_without_an_exit_code_shows_its_console(self):
        with self.assertRaisesRegex(machine.MachineError, "(?s)without an exit code.*the end"):
            self.boot("exit 0")
        self.check_nothing_is_left()

    def test_a_guest_that_hangs_is_ended(self):
        for qemu, limits, words in (("exec sleep 100", {"SILENCE_LIMIT": 0.3}, "no output for 0.3 s"),
                                    ('echo x >"$run/output"; exec sleep 100', {"SILENCE_LIMIT": 0.3}, "no output for 0.3 s"),
                                    ('while :; do echo x >>"$run/output"; sleep 0.05; done', {"limit": 0.5}, "limit of 0.5 s")):
            with self.subTest(words):
                start = time.monotonic()
                with self.assertRaisesRegex(machine.MachineError, f"(?s){words}.*the end"):
                    self.boot(qemu, **limits)
                self.assertLess(time.monotonic() - start, 20)
                self.check_nothing_is_left()

    def test_a_guest_without_a_sign_of_life_is_tried_again_and_this_is_said(self):
        late = '[ -e "$0.tried" ] || { : >"$0.tried"; exec sleep 100; }'
        code, output = self.boot('echo up >"$run/output"; echo 0 >"$run/exit-code"', alive=f"{late}; {self.ALIVE}", ALIVE_LIMITS=(0.5, 20))
        self.assertEqual((code, output), (0, b"up\n"))
        self.assertEqual(len(self.said), 1)
        self.assertRegex(self.said[0], "(?s)no sign of life within 0.5 s, try 1 of 2.*the end")
        self.check_nothing_is_left()

    def test_a_guest_that_never_shows_life_is_given_up(self):
        with self.assertRaisesRegex(machine.MachineError, "no sign of life within 0.2 s, try 2 of 2"):
            self.boot("exit 0", alive="exec sleep 100", ALIVE_LIMITS=(0.1, 0.2))
        self.assertEqual(len(self.said), 2)
        self.check_nothing_is_left()

    def test_a_share_that_cannot_be_served_is_an_error_with_the_servers_words(self):
        with self.assertRaisesRegex(machine.MachineError, "(?s)share root.*not today"):
            self.boot("exit 0", server="echo not today; exit 1")
        self.check_nothing_is_left()

    def test_the_harness_can_be_ended_by_sigterm(self):
        place = self.folder / "tmp"
        place.mkdir()
        for threaded in (False, True):
            with self.subTest(threaded=threaded):
                child = os.fork()
                if child == 0:
                    self.boot_until_sigterm(place, threaded)
                end = time.monotonic() + 20
                while not list(place.glob("*/run/alive")) and time.monotonic() < end:
                    time.sleep(0.01)
                os.kill(child, signal.SIGTERM)
                self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 143)
                self.assertEqual(list(place.iterdir()), [])

    def boot_until_sigterm(self, place, threaded):
        """In a child: a program of its own, but for the modules that it shares."""
        code = 1
        atexit._clear()  # what is the parent's to clear away
        try:
            tempfile.tempdir = str(place)
            machine.exit_on_sigterm()
            if threaded:
                threading.Thread(target=self.boot, args=("exec sleep 100",), daemon=True).start()
                time.sleep(100)
            self.boot("exec sleep 100")
        except SystemExit as end:
            code = end.code
        finally:
            atexit._run_exitfuncs()
            os._exit(code)


class Jobs(unittest.TestCase):
    def test_an_ordinary_users_suite_runs_in_a_scope_of_the_users_own(self):
        host = description.read("v2")
        root, user = (suites.job_of(host, description.Suite("s", user=user), Path("/tree/build"), ["-k", "a b"]) for user in ("", "tester"))
        self.assertIn("RUNTIME=/tree/build/bin/kiste-oci", root)
        self.assertTrue(root.endswith("-k 'a b'"), root)
        self.assertIn("systemd-run --user --scope", user)
        self.assertNotIn("systemd-run", root)


if __name__ == "__main__":
    unittest.main()
