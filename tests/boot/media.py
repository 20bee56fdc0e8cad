#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Disks of a machine that runs, is saved and restored, as a user has them: media.py MILLWRIGHT ROM_FOLDER."""
import os
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))

from qmp import BOUND_S, Failure, Qmp  # noqa: E402

MILLWRIGHT = ROMS = None
FLOPPY, DISK = 1440 * 1024, 1 << 20


class Media(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder, self.process, self.said = folder.name, None, ""
        for name, size in (("disk", DISK), ("first", FLOPPY), ("second", FLOPPY)):
            with open(self.path(name), "wb") as file:
                file.truncate(size)
        self.addCleanup(self.end)

    def path(self, name):
        return os.path.join(self.folder, name)

    def run_machine(self, *words):
        """Until it takes commands; False where it does not."""
        self.process = subprocess.Popen([MILLWRIGHT, *words, "--accel", "soft", "--qmp", "socket"], cwd=self.folder,
                                        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        while not os.path.exists(self.path("socket")) and self.process.poll() is None:
            time.sleep(0.01)
        if self.process.poll() is not None:
            return False
        try:
            client = Qmp(self.path("socket"))
            self.addCleanup(client.close)
            client("query-status")  # the main thread answers once the machine runs
            client.close()
        except (Failure, OSError):
            self.process.wait(BOUND_S)
            return False
        return True

    def start(self, floppy="first", disk="disk"):
        self.assertTrue(self.run_machine("run", os.path.join(HERE, "media.yaml"), "--set", f"firmware={ROMS}/spin.rom",
                                         "--set", f"floppy={floppy}", "--set", f"disk={disk}"))

    def end(self):
        """What it has said meanwhile is in `said`."""
        if self.process:
            self.process.terminate()
            self.said = self.process.communicate()[1]
            self.process = None

    def call(self, *words):
        done = subprocess.run([MILLWRIGHT, *words], capture_output=True, text=True, timeout=BOUND_S, check=False,
                              cwd=self.folder)
        return done.returncode, done.stderr

    def save(self):
        self.assertEqual(self.call("snapshot", "socket", "snapshot"), (0, ""))
        self.end()

    def restored(self, *words):
        """Whether it goes on, and what it says at that."""
        good = self.run_machine("restore", "snapshot", *words)
        self.end()
        return good, self.said

    def touch(self, name):
        os.utime(self.path(name), (1, 1))

    def test_hard_disks_and_roms_stay(self):
        self.start()
        for words in (("eject", "socket", "hd0"), ("insert", "socket", "hd0", "first"), ("eject", "socket", "rom")):
            status, text = self.call(*words)
            self.assertEqual(status, 1)
            self.assertIn("has no medium that can be exchanged", text)
        self.assertEqual(self.call("eject", "socket", "fd0"), (0, ""))

    def test_the_medium_that_was_put_in_is_in_again(self):
        self.start()
        self.assertEqual(self.call("insert", "socket", "fd0", "second"), (0, ""))
        self.save()
        os.unlink(self.path("first"))
        plan = subprocess.run([MILLWRIGHT, "restore", self.path("snapshot"), "--plan"], capture_output=True, text=True,
                              timeout=BOUND_S, check=True).stdout
        self.assertIn("/second\"", plan)
        self.assertNotIn("\"first\"", plan)
        self.assertTrue(self.run_machine("restore", "snapshot"))
        self.assertEqual(self.call("snapshot", "socket", "snapshot"), (0, ""))
        self.end()
        self.assertEqual(self.restored(), (True, ""))

    def test_a_medium_that_is_gone_or_was_changed_is_told(self):
        self.start()
        self.save()
        self.touch("first")
        good, text = self.restored()
        self.assertTrue(good)
        self.assertIn("`fd0`: first was written to since; the guest is told that it is another", text)
        os.unlink(self.path("first"))
        good, text = self.restored()
        self.assertTrue(good)
        self.assertIn("`fd0`: its drive is empty now", text)

    def test_a_hard_disk_that_was_changed_is_refused(self):
        self.start()
        self.save()
        self.assertEqual(self.restored(), (True, ""))
        self.touch("disk")
        good, text = self.restored()
        self.assertFalse(good)
        self.assertIn("`hd0`: disk was written to since", text)
        good, text = self.restored("--changed-disks")
        self.assertTrue(good)
        self.assertIn("`hd0`: disk was written to since", text)
        os.truncate(self.path("disk"), 2 * DISK)
        good, text = self.restored()
        self.assertFalse(good)
        self.assertIn(f"`hd0`: disk had {DISK} bytes and has {2 * DISK}", text)

    def test_images_of_odd_sizes_are_told(self):
        os.truncate(self.path("first"), 64 << 20)
        os.truncate(self.path("disk"), 100)
        self.start()
        self.end()
        self.assertIn("fd0: first has 67108864 bytes: no floppy disk", self.said)
        self.assertIn("hd0: disk has 100 bytes; a disk is whole sectors of 512", self.said)
        os.truncate(self.path("disk"), 0)
        self.start(floppy="/dev/null")
        self.assertEqual(self.call("insert", "socket", "fd0", "first"), (0, ""))
        self.end()
        self.assertIn("hd0: disk has 0 bytes", self.said)
        self.assertIn("first has 67108864 bytes: no floppy disk", self.said)
        self.start(floppy="/dev/null", disk="/dev/null")
        self.end()
        self.assertNotIn("bytes", self.said)


if __name__ == "__main__":
    MILLWRIGHT, ROMS = map(os.path.abspath, sys.argv[1:3])
    del sys.argv[1:3]
    os.environ["MILLWRIGHT_PATH"] = ROOT
    unittest.main()
