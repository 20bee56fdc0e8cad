"""diff_verb.py MILLWRIGHT: `millwright diff` between profiles, plans and parameters, word for word."""
# SPDX-License-Identifier: MIT
import json
import sys
import tempfile
import unittest

import drawing

PROGRAM = sys.argv.pop(1)


def diff(*words):
    return drawing.call(PROGRAM, "diff", *words)


class Diff(unittest.TestCase):
    def plan_of(self, *words):
        file = tempfile.NamedTemporaryFile("w", suffix=".plan", encoding="utf-8")
        self.addCleanup(file.close)
        file.write(drawing.call(PROGRAM, "resolve", *words).stdout)
        file.flush()
        return file.name

    def test_equal_machines_are_silent_and_0(self):
        result = diff("linux-pc", "linux-pc")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))
        result = diff(self.plan_of("linux-pc"), "linux-pc")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))

    def test_a_parameter_of_one_side(self):
        result = diff("linux-pc", "linux-pc", "--set-b", "cpus=4", "--set", "kernel=k")
        self.assertEqual((result.returncode, result.stderr), (1, ""))
        self.assertEqual(result.stdout, "what the guest sees:\n  cpu\n    - cores  1\n"
                                        "    + cores  4\n    - count  1\n    + count  4\n")

    def test_what_the_guest_does_not_see_is_apart_and_0(self):
        result = diff("linux-pc", "linux-pc", "--set-a", "kernel=a", "--set-b", "kernel=b")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(result.stdout, "what it does not see:\n  boot\n    - linux  \"a\"\n"
                                        "    + linux  \"b\"\n")
        result = diff("linux-pc", "linux-pc", "--set-a", "kernel=a", "--guest")
        self.assertEqual((result.returncode, result.stdout), (0, ""))

    def test_json_holds_both_sides(self):
        result = diff("linux-pc", drawing.MACHINES + "sixty.yaml", "--format", "json")
        self.assertEqual(result.returncode, 1)
        told = json.loads(result.stdout)
        self.assertFalse(told["equal"])
        self.assertEqual((told["a"]["name"], told["b"]["name"]), ("linux-pc", "sixty"))
        hashed = drawing.call(PROGRAM, "resolve", "linux-pc", "--hash").stdout.strip()
        self.assertEqual(told["a"]["sha256"], hashed)
        self.assertIn({"section": "node", "name": "modem", "key": "io.bank", "to": "0x3e0+0x8"},
                      told["guest"])
        self.assertIn("com2.backend", {row.get("name") for row in told["host"]})
        self.assertNotIn("com2.backend", {row.get("name") for row in told["guest"]})

    def test_what_cannot_be_compared_is_2(self):
        for other in ("nobody", "tests/bad/io_overlap/profile.yaml"):
            result = diff("linux-pc", other)
            self.assertEqual((result.returncode, result.stdout), (2, ""))
            self.assertNotEqual(result.stderr, "")
        plan = self.plan_of("linux-pc")
        with open(plan, "a", encoding="utf-8") as file:
            file.write("more: 1\n")
        self.assertEqual(diff(plan, "linux-pc").returncode, 2)


unittest.main()
