"""abi.py MILLWRIGHT: a frozen version stays what it was, or C702 says what changed."""
# SPDX-License-Identifier: MIT
import json
import os
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.path.abspath(sys.argv.pop(1))
ROOT = os.getcwd()
MACHINE = """\
format: machine/1
name: pc
version: 1
summary: a machine to be frozen
extends: machine/linux-pc@1
params:
  fast: { type: bool, default: false }
devices:
  com2:  { irq: { line: 3, share: true }, backend: stdio }
  com1:  { backend: null }
  extra: { type: uart16550, at: isa, io: 0x1000, irq: 5, when: fast }
"""


class Frozen(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.path = os.path.join(self.folder, "pc.yaml")
        self.frozen = os.path.join(self.folder, "pc.abi.yaml")
        self.write(MACHINE)

    def write(self, text):
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(text)

    def read(self):
        with open(self.frozen, encoding="utf-8") as file:
            return file.read()

    def call(self, *words):
        return subprocess.run([PROGRAM, *words], cwd=self.folder, text=True, timeout=60,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False,
                              env={**os.environ, "MILLWRIGHT_PATH": ROOT})

    def good(self, *words):
        result = self.call(*words)
        self.assertEqual((result.returncode, result.stderr), (0, ""), result.stdout)
        return result.stdout

    def findings(self, *words):
        result = self.call(*words, "--format", "json")
        self.assertEqual(result.returncode, 1, result.stderr)
        return json.loads(result.stdout)

    def hashes(self):
        return [line.split('"')[1] for line in self.read().split("\n") if "sha256" in line]

    def test_the_hash_is_that_of_resolve(self):
        self.good("abi", "freeze", "pc.yaml")
        self.assertEqual(self.hashes(), [self.good("resolve", "pc.yaml", "--hash").strip()])
        self.good("abi", "freeze", "pc.yaml", "--with", "fast=true", "--with", "cpus=4,ram=1GiB")
        self.assertEqual(self.hashes(), [
            self.good("resolve", "pc.yaml", "--hash").strip(),
            self.good("resolve", "pc.yaml", "--hash", "--set", "fast=true").strip(),
            self.good("resolve", "pc.yaml", "--hash", "--set", "cpus=4", "--set",
                      "ram=1GiB").strip()])
        self.assertIn('- with: { cpus: "4", ram: "1GiB" }\n', self.read())

    def test_freezing_again_changes_nothing(self):
        self.good("abi", "freeze", "pc.yaml", "--with", "fast=true", "--text")
        before = self.read()
        self.good("abi", "freeze", "pc.yaml")
        self.good("abi", "freeze", "./pc.yaml", "--with", "fast=true")
        self.assertEqual(self.read(), before)
        self.good("abi", "check")
        self.good("lint", "pc.yaml")
        self.good("lint", "pc.abi.yaml", "pc.yaml")
        self.good("lint", ".")

    def test_what_the_guest_does_not_see_may_change(self):
        self.good("abi", "freeze", "pc.yaml")
        self.write(MACHINE.replace("backend: stdio", "backend: { file: log }, placement: own")
                   .replace("to be frozen", "that was frozen"))
        self.good("abi", "check", "pc.yaml")

    def test_an_edit_is_c702_at_the_version_in_check_and_in_lint(self):
        self.good("abi", "freeze", "pc.yaml", "--text")
        self.write(MACHINE.replace("line: 3", "line: 7"))
        for words in (("abi", "check", "pc.yaml"), ("abi", "check"), ("lint", "pc.yaml")):
            found, = self.findings(*words)
            self.assertEqual((found["code"], found["severity"]), ("C702", "error"))
            self.assertEqual(found["message"],
                             "`pc@1` is frozen, and its guest would notice a change")
            self.assertEqual(found["span"]["start"], {"line": 3, "col": 10, "byte": 36})
            self.assertTrue(found["related"][0]["file"].endswith("pc.abi.yaml"))
            self.assertEqual(found["notes"], ["node com2: irq.irq isa:3 becomes isa:7",
                                              "line isa:7 is new"])
            self.assertEqual(found["fix"]["applicability"], "unsafe")
            self.assertEqual(found["fix"]["edits"][0]["text"], "2")

    def test_a_check_of_many_is_one_json_text(self):
        self.good("abi", "freeze", "pc.yaml")
        self.write(MACHINE.replace("line: 3", "line: 7"))
        found = self.findings("abi", "check", "pc.yaml", "pc.yaml")
        self.assertEqual([one["code"] for one in found], ["C702", "C702"])

    def test_an_edit_that_only_a_row_sees_names_the_row(self):
        self.good("abi", "freeze", "pc.yaml", "--with", "fast=true")
        self.write(MACHINE.replace("0x1000", "0x1010"))
        found, = self.findings("lint", "pc.yaml")
        self.assertEqual(found["message"], "`pc@1` is frozen, and its guest would notice a change "
                                           "with fast=true")

    def test_a_frozen_version_is_not_frozen_anew_unless_forced(self):
        self.good("abi", "freeze", "pc.yaml")
        before = self.read()
        self.write(MACHINE.replace("line: 3", "line: 7"))
        result = self.call("abi", "freeze", "pc.yaml")
        self.assertEqual(result.returncode, 1)
        self.assertIn("C702", result.stderr)
        self.assertEqual(self.read(), before)
        self.good("abi", "freeze", "pc.yaml", "--force")
        self.assertNotEqual(self.read(), before)

    def test_a_new_version_keeps_the_rows_and_history_holds_the_old_one(self):
        self.good("abi", "freeze", "pc.yaml", "--with", "cpus=4")
        old = self.hashes()
        newer = MACHINE.replace("line: 3", "line: 7").replace("version: 1", "version: 2", 1)
        history = "history: { 1: { devices: { com2: { irq: { line: 3, share: true } } } } }\n"
        self.write(newer + history)
        self.good("abi", "check")
        self.good("abi", "freeze", "pc.yaml")
        self.assertEqual(self.hashes()[:2], old)
        self.assertEqual(len(self.hashes()), 4)
        delta = self.call("abi", "diff", "pc.yaml@1", "pc.yaml")
        self.assertEqual(delta.returncode, 1, delta.stderr)
        self.assertIn("    - irq.irq  isa:3\n    + irq.irq  isa:7\n", delta.stdout)
        self.write(newer + history.replace("line: 3", "line: 6"))
        found, = self.findings("abi", "check")
        self.assertEqual(found["message"], "`pc@1` is frozen, and its guest would notice a change")
        self.assertEqual(found["span"]["start"]["line"], 12)
        self.write(newer)
        result = self.call("abi", "check", "--format", "json")
        self.assertEqual(result.returncode, 0)
        self.assertEqual([(f["code"], f["severity"]) for f in json.loads(result.stdout)],
                         [("C702", "hint")])

    def test_a_file_that_is_no_use_is_told(self):
        self.good("abi", "freeze", "pc.yaml", "--text")
        whole = self.read()
        for text, what in (
                ("[", ""), ("format: abi/2\n", "expected `format: abi/1`"),
                ("format: abi/1\nname: pc\nversions: { 1: 3 }\n", "expected a version's number"),
                ("format: abi/1\nname: pc\nversions: { 1: [ { sha256: abc } ] }\n", "64 hexadecimal"),
                (whole.replace("count: 1", "count: 2"), "not the text that `sha256` is of"),
                (whole + whole[whole.index("    - sha256"):], "have a row already"),
                (whole.replace("name: pc\nversions", "nam: pc\nversions"), "unknown key `nam`")):
            with open(self.frozen, "w", encoding="utf-8") as file:
                file.write(text)
            for words in (("abi", "check", "pc.yaml"), ("lint", "pc.yaml"),
                          ("abi", "freeze", "pc.yaml")):
                result = self.call(*words)
                self.assertEqual(result.returncode, 1, (words, text, result.stderr))
                self.assertIn(what, result.stdout + result.stderr)
            self.assertEqual(self.read(), text)

    def test_mistakes_are_usage(self):
        for words, what in ((("abi", "melt", "pc.yaml"), "expected freeze, check or diff"),
                            (("abi", "freeze"), "takes one profile"),
                            (("abi", "diff", "pc.yaml"), "takes two machines"),
                            (("abi", "freeze", "pc.yaml", "--with", "cpus"), "expected NAME=VALUE"),
                            (("abi", "freeze", "pc.yaml", "--set", "cpus=4"), "--set is for diff"),
                            (("abi", "freeze", "nobody.yaml"), "nobody.yaml")):
            result = self.call(*words)
            self.assertEqual(result.returncode, 2, (words, result.stdout, result.stderr))
            self.assertIn(what, result.stderr)
        self.assertFalse(os.path.exists(self.frozen))


unittest.main()
