"""`millwright lock`: what it writes, that nothing moves under it, and what --check says."""
# SPDX-License-Identifier: MIT
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

PROGRAM = None
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
PROFILE = """format: machine/1
name: lab
version: 1
summary: a machine for tests of locks
extends: machine/microvm@1
params:
  extra: { type: bool, default: true, help: one more }
devices:
  lite: { type: uartlite, at: sys, mmio: auto, irq: gsi:auto, backend: null, when: extra }
"""
MORE = "  aaa:  { type: uartlite, at: sys, mmio: auto, irq: gsi:auto, backend: null }\n"


class Lock(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.profile = self.path("lab.yaml")
        self.lock_file = self.path("lab.lock.yaml")
        self.write(self.profile, PROFILE)

    def tearDown(self):
        self.folder.cleanup()

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, path, text):
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)

    def read(self, path):
        with open(path, encoding="utf-8") as file:
            return file.read()

    def call(self, *words):
        environment = {**os.environ, "MILLWRIGHT_PATH": os.getcwd()}
        return subprocess.run([PROGRAM, *words], text=True, timeout=60, env=environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)

    def good(self, *words):
        result = self.call(*words)
        self.assertEqual(result.returncode, 0, result.stderr + result.stdout)
        return result.stdout

    def place(self, key):
        for line in self.read(self.lock_file).splitlines():
            if line.startswith("  " + key + ": "):
                return line.split(": ")[1]
        return None

    def test_a_lock_stands_beside_its_profile_and_fits(self):
        self.assertIn("3 places locked", self.good("lock", self.profile))
        self.assertEqual(sorted(os.listdir(self.folder.name)), ["lab.lock.yaml", "lab.yaml"])
        self.assertIsNotNone(self.place("lite.irq.irq"))
        before = self.read(self.lock_file)
        self.assertEqual(self.good("lock", self.profile, "--check"), "")
        self.good("lock", self.profile)
        self.assertEqual(self.read(self.lock_file), before)
        self.assertIn(self.good("resolve", self.profile, "--hash").strip(), before)

    def test_what_is_new_goes_round_what_is_locked(self):
        self.good("lock", self.profile)
        places = [self.place("lite.mmio.bank"), self.place("lite.irq.irq")]
        self.write(self.profile, PROFILE + MORE)
        result = self.call("lock", self.profile, "--check")
        self.assertEqual(result.returncode, 1)
        self.assertIn("2 places not locked, first `aaa.mmio.bank`", result.stdout)
        self.good("lock", self.profile)
        self.assertEqual([self.place("lite.mmio.bank"), self.place("lite.irq.irq")], places)
        self.good("lock", self.profile, "--no-lock")
        self.assertNotEqual(self.place("lite.irq.irq"), places[1])

    def test_what_is_gone_is_kept_and_marked(self):
        self.good("lock", self.profile)
        place = self.place("lite.irq.irq")
        result = self.call("lock", self.profile, "--set", "extra=false", "--check")
        self.assertEqual(result.returncode, 1)
        self.assertIn("2 places of what is gone, first `lite.mmio.bank`", result.stdout)
        self.good("lock", self.profile, "--set", "extra=false")
        self.assertIn("\ngone:\n  lite.mmio.bank: ", self.read(self.lock_file))
        self.write(self.profile, PROFILE + MORE)
        self.good("lock", self.profile)
        self.assertEqual(self.place("lite.irq.irq"), place)
        self.assertNotIn("gone:", self.read(self.lock_file))

    def test_without_a_lock_check_fails_and_drift_is_told(self):
        result = self.call("lock", self.profile, "--check")
        self.assertEqual(result.returncode, 1)
        self.assertIn("there is no lock, and 3 places to keep", result.stdout)
        self.good("lock", self.profile)
        domain, line = self.place("lite.irq.irq").split(":")
        self.assertEqual(domain, "gsi")
        self.write(self.profile, PROFILE + MORE.replace("gsi:auto", line))
        result = self.call("lint", self.profile, "--format", "concise")
        self.assertEqual(result.returncode, 1)
        self.assertIn("R309 `lite.irq` is locked at `gsi:%s`, which `aaa` drives now" % line,
                      result.stdout)
        self.assertEqual(self.call("lock", self.profile).returncode, 1)

    def test_files_can_be_named_and_must_be_there(self):
        other = self.path("other.yaml")
        self.assertEqual(self.call("lock", self.profile, "--lock", other).returncode, 2)
        self.good("lock", self.profile, "--output", other)
        self.assertFalse(os.path.exists(self.lock_file))
        self.good("lock", self.profile, "--lock", other, "--check")
        self.assertEqual(
            self.call("lock", self.profile, "--output", self.path("no/such")).returncode, 2)
        self.assertEqual(self.call("lock", self.path("none.yaml")).returncode, 2)

    def test_what_is_no_lock_is_not_written_over(self):
        for name in (self.profile, self.path("mine.yaml")):
            self.write(name, PROFILE)
            result = self.call("lock", self.profile, "--output", name)
            self.assertEqual((result.returncode, result.stdout), (2, ""))
            self.assertIn("it is there and no lock file", result.stderr)
            self.assertEqual(self.read(name), PROFILE)
        self.write(self.path("empty"), "")
        self.good("lock", self.profile, "--output", self.path("empty"))
        self.good("lock", self.profile, "--output", self.path("empty"))

    def test_nothing_is_written_into_the_installation(self):
        share = os.path.join(self.folder.name, "installed")
        program = os.path.join(share, "bin", "millwright")
        os.makedirs(os.path.dirname(program))
        shutil.copy(PROGRAM, program)
        for name in ("profiles", "chipsets"):
            shutil.copytree(os.path.join(ROOT, name), os.path.join(share, "share/millwright", name))
        environment = {key: value for key, value in os.environ.items() if key != "MILLWRIGHT_PATH"}
        for words in (("lock", "microvm"), ("abi", "freeze", "microvm")):
            done = subprocess.run([program, *words], cwd=self.folder.name, env=environment,
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn("belongs to the installation", done.stderr)
        self.assertFalse([name for name in os.listdir(os.path.join(share, "share/millwright/profiles"))
                          if "lock" in name or "abi" in name])

    def test_a_new_lock_has_the_mode_of_other_new_files(self):
        before = os.umask(0o027)
        self.good("lock", self.profile)
        os.umask(before)
        self.assertEqual(os.stat(self.lock_file).st_mode & 0o777, 0o640)

    def test_a_lock_holds_neither_secrets_nor_what_is_the_hosts(self):
        self.write(self.profile, PROFILE.replace("backend: null", "backend: { file: hush.log }"))
        self.good("lock", self.profile, "--set", "kernel=/home/hush/vmlinuz")
        self.assertNotIn("hush", self.read(self.lock_file))


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
