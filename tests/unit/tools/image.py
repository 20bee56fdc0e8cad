#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The verb `image` as a user calls it: image.py MILLWRIGHT. Where qemu-img is installed, it is the judge."""
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import unittest

MILLWRIGHT = None
CLUSTER = 65536
SIZE = 40 * CLUSTER + 512


def millwright(*words):
    return subprocess.run([MILLWRIGHT, *words], capture_output=True, text=True, timeout=60, check=False)


def qemu(*words):
    if not shutil.which(words[0]):
        raise unittest.SkipTest(f"{words[0]} is not installed")
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout


class Image(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.base = os.path.join(folder.name, "base.img")
        self.overlay = os.path.join(folder.name, "changes.qcow2")
        with open(self.base, "wb") as file:
            file.write(bytes(i // 512 % 251 for i in range(SIZE)))

    def good(self, *words):
        done = millwright("image", *words)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def refused(self, why, *words):
        done = millwright("image", *words)
        self.assertEqual(done.returncode, 1)
        self.assertIn(why, done.stderr)

    def read_base(self):
        with open(self.base, "rb") as file:
            return file.read()

    def test_new_overlay_is_empty(self):
        self.good("create", self.base, self.overlay)
        self.good("check", self.overlay)
        text = self.good("info", self.overlay)
        self.assertIn(f"size: {SIZE}\nown: 0\n", text)
        self.assertIn(f"base: {self.base}\nbase is: unchanged\n", text)

    def test_file_that_is_there_stays(self):
        self.refused("File exists", "create", self.base, self.base)
        self.refused("No such file", "create", self.base + "x", self.overlay)
        self.assertFalse(os.path.exists(self.overlay))

    def test_changed_base_is_noticed(self):
        self.good("create", self.base, self.overlay)
        os.utime(self.base, (1, 1))
        self.refused("written to since", "check", self.overlay)
        self.assertIn("base is: its base was written to", self.good("info", self.overlay))
        os.truncate(self.base, SIZE * 2)
        self.refused("another size", "check", self.overlay)
        os.unlink(self.base)
        self.refused("its backing file", "check", self.overlay)

    def test_what_is_no_image_is_refused(self):
        self.refused("no qcow2 image", "info", self.base)
        self.refused("no qcow2 image", "commit", self.base)
        self.refused("not a regular file", "check", os.path.dirname(self.base))

    def test_usage(self):
        for words in (("create", "x"), ("info", "x", "y"), ("shrink", "x")):
            self.assertEqual(millwright("image", *words).returncode, 2)

    def test_qemu_reads_what_we_make(self):
        self.good("create", self.base, self.overlay)
        self.assertIn("No errors", qemu("qemu-img", "check", self.overlay))
        self.assertIn("identical", qemu("qemu-img", "compare", "-f", "raw", "-F", "qcow2", self.base, self.overlay))

    def test_commit_writes_the_base_and_empties_the_overlay(self):
        self.good("create", self.base, self.overlay)
        before = self.read_base()
        qemu("qemu-io", "-c", "write -P 7 1000 70000", "-c", f"write -z {8 * CLUSTER} {CLUSTER}", self.overlay)
        self.assertEqual(self.read_base(), before)
        self.assertIn(f"own: {3 * CLUSTER}\n", self.good("info", self.overlay))
        self.good("commit", self.overlay)
        after = bytearray(before)
        after[1000:71000] = b"\x07" * 70000
        after[8 * CLUSTER:9 * CLUSTER] = bytes(CLUSTER)
        self.assertEqual(self.read_base(), after)
        self.good("check", self.overlay)
        self.assertIn("own: 0\n", self.good("info", self.overlay))

    def test_commit_leaves_a_base_that_was_changed_alone(self):
        self.good("create", self.base, self.overlay)
        before = self.read_base()
        qemu("qemu-io", "-c", f"write -P 7 0 {CLUSTER}", self.overlay)
        os.utime(self.base, (1, 1))
        self.refused("written to since", "commit", self.overlay)
        self.assertEqual(self.read_base(), before)
        self.assertIn(f"own: {CLUSTER}\n", self.good("info", self.overlay))

    def test_commit_that_was_interrupted_goes_on(self):
        self.good("create", self.base, self.overlay)
        after = bytearray(self.read_base())
        last = 30 * CLUSTER
        qemu("qemu-io", "-c", f"write -P 7 0 {CLUSTER}", "-c", f"write -P 8 {last} {CLUSTER}", self.overlay)
        done = subprocess.run([MILLWRIGHT, "image", "commit", self.overlay], timeout=60, check=False,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (last, last)))
        self.assertNotEqual(done.returncode, 0)
        self.refused("interrupted", "check", self.overlay)
        after[:CLUSTER] = b"\x07" * CLUSTER
        self.assertEqual(self.read_base(), after)
        self.good("commit", self.overlay)
        after[last:last + CLUSTER] = b"\x08" * CLUSTER
        self.assertEqual(self.read_base(), after)
        self.good("check", self.overlay)
        self.assertEqual(sorted(os.listdir(os.path.dirname(self.base))), ["base.img", "changes.qcow2"])

    def test_overlays_of_qemu_are_taken(self):
        qemu("qemu-img", "create", "-q", "-f", "qcow2", "-b", "base.img", "-F", "raw", self.overlay)
        self.good("check", self.overlay)
        os.unlink(self.overlay)
        qemu("qemu-img", "create", "-q", "-f", "qcow2", "-o", "cluster_size=4k", "-b", "base.img", "-F", "raw",
             self.overlay)
        self.refused("64 KiB", "check", self.overlay)


if __name__ == "__main__":
    MILLWRIGHT = os.path.abspath(sys.argv[1])
    del sys.argv[1]
    unittest.main()
