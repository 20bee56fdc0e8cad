#!/usr/bin/env python3
"""verify.py MILLWRIGHT: `millwright verify` on the report of a real guest, and on that report with faults planted in
it. The report is Debian 12's on pc-legacy (tests/unit/tools/reports/); the plan is that of today."""
# SPDX-License-Identifier: MIT
import json
import os
import re
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
REPORT = os.path.join(HERE, "reports", "debian")
PROFILE = os.path.join(HERE, "reports", "machine.yaml")
MILLWRIGHT = ""


def verify(report, *words):
    return subprocess.run([MILLWRIGHT, "verify", PROFILE, "-", *words], input=report, text=True, capture_output=True,
                          check=False, env={**os.environ, "MILLWRIGHT_PATH": ROOT})


with open(REPORT, encoding="latin-1") as file:
    GOOD = file.read()

# What is done to the report, and what must be said of it.
FAULTS = (
    (r"(?m)^  03f8-03ff : serial\n", "", "/proc/ioports: `com1.bank`"),
    (r"(?m)^(  03f8-03ff : serial)$", r"\1\n  0abc-0abf : surprise", "0xabc-0xabf `surprise` is nowhere in the plan"),
    (r"(?m)^(fec00000-fec003ff : IOAPIC 0)$", r"\1\nfe000000-fe000fff : surprise",
     "0xfe000000-0xfe000fff `surprise` is nowhere"),
    (r"( *4: +\d+ +IO-APIC +)4-edge", r"\g<1>4-fasteoi", "input 4 is triggered by levels"),
    (r"( *4: +\d+ +IO-APIC +)4-edge", r"\g<1>19-edge", "input 19 is no line of the plan"),
    (r"(?m)^ +CPU0", "           CPU0       CPU1", "has 2 CPUs, the plan 1"),
    (r"(== pci 0000:00:01.1\n) 86 80 10 70", r"\1 86 80 11 70", "its device is 0x7011"),
    (r"(?s)== pci 0000:00:02.0\n.*?(?=== )", "", "0000:00:02.0: `vga0` is not there"),
    (r"== pci 0000:00:02.0", "== pci 0000:00:07.0", "0000:00:07.0: the plan has no such function"),
    (r"(== acpi DSDT\n(?:.*\n){4}) \w\w", r"\1 00", "DSDT: byte"),
    (r"== acpi HPET", "== acpi HPEX", "HPET: the guest has no such table"),
    (r"== dmi DMI", "== dmx DMI", "SMBIOS: the guest has no such table"),
    (r"(?m)^== end$", "", "is cut short"),
)


class Verify(unittest.TestCase):
    def test_a_guest_on_its_own_machine_shows_no_difference(self):
        done = verify(GOOD)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertIn("no unexplained difference", done.stdout)

    def test_each_fault_is_found(self):
        for pattern, text, said in FAULTS:
            bad, count = re.subn(pattern, text, GOOD, count=1)
            self.assertEqual(count, 1, f"{pattern} is not in the report")
            done = verify(bad)
            self.assertEqual(done.returncode, 1, said)
            self.assertIn(said, done.stdout)

    def test_another_machine_shows_differences(self):
        done = verify(GOOD, "--set", "ram=256MiB")
        self.assertEqual(done.returncode, 1)
        self.assertIn("the memory map", done.stdout)

    def test_programs_can_read_it(self):
        done = json.loads(verify(GOOD.replace("== end", "== ende"), "--format", "json").stdout)
        self.assertEqual(len(done["differences"]), 1)
        self.assertGreater(done["ports"], 20)

    def test_any_bytes_do_no_harm(self):
        for report in ("", "\0\0", "== ", "== pci\n== resource\n", "== file /proc/ioports\n:::\n" + "f" * 100000,
                       GOOD[:len(GOOD) // 2], GOOD.replace("\n", "\r\n"), "== acpi DSDT\nzz\n== end\n"):
            done = verify(report)
            self.assertIn(done.returncode, (0, 1))
            self.assertEqual(done.stderr, "")

    def test_the_probe_is_a_script(self):
        done = subprocess.run([MILLWRIGHT, "verify", "--probe"], capture_output=True, text=True, check=True)
        subprocess.run(["sh", "-n"], input=done.stdout, text=True, check=True)

    def test_what_is_missing_is_asked_for(self):
        done = subprocess.run([MILLWRIGHT, "verify", "pc-legacy"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("which report", done.stderr)


if __name__ == "__main__":
    MILLWRIGHT = os.path.abspath(sys.argv.pop(1))
    unittest.main()
