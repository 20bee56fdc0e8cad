"""origin.py MILLWRIGHT: `cat` and `why` say where values come from; exact texts for shipped profiles."""
# SPDX-License-Identifier: MIT
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import unittest

PROGRAM = None
OVERLAY = """\
format: overlay/1
name: lab
devices:
  com1: { irq: 5 }
params: { ram: { default: 256MiB } }
"""
COM1 = """\
com1.irq is gsi:4
  --> profiles/microvm.yaml:LINE:53
   |
LINE |   com1: { type: uart16550, at: sys, io: 0x3f8, irq: 4, backend: stdio }
   |                                                     ^ `machine/microvm@1` says `4`
 --> chipsets/microvm.yaml:6:12
  |
6 | irq:     { gsi: { lines: 24, to: ioapic } }            # line n of gsi is pin n of the ioapic
  |            ^^^ line 4 of the domain `gsi`
 --> chipsets/microvm.yaml:8:3
  |
8 |   ioapic: { type: ioapic,   at: sys, mmio: 0xfec00000, props: { pins: 24 } }
  |   ^^^^^^ the line leads to `ioapic`, pin 4
  = the guest knows it as GSI 4
"""
GED = """\
ged.mmio is 0xfea00000+0x1000
 --> chipsets/microvm.yaml:9:44
  |
9 |   ged:    { type: acpi-ged, at: sys, mmio: auto, irq: 9 }
  |                                            ^^^^ `chipset/microvm@1` says `auto`
 --> chipsets/microvm.yaml:5:29
  |
5 | windows: { mmio32: { range: 0xfea00000+0x100000, pack: up } }
  |                             ^^^^^^^^^^^^^^^^^^^ `auto` looks in the window `mmio32`, \
0xfea00000+0x100000, from the start
  = it needs 0x1000 bytes aligned to 0x1000; larger alignments, then larger sizes, then ids go first
"""


def call(*words):
    environment = {**os.environ, "MILLWRIGHT_PATH": os.getcwd()}
    return subprocess.run([PROGRAM, *words], text=True, stdin=subprocess.DEVNULL, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                          env=environment)


def line_of(path, start):
    with open(path, encoding="utf-8") as file:
        return 1 + next(i for i, line in enumerate(file) if line.startswith(start))


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.overlay = os.path.join(folder.name, "lab.yaml")
        with open(self.overlay, "w", encoding="ascii") as file:
            file.write(OVERLAY)

    def said(self, *words):
        done = call(*words)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout


class Why(Case):
    def test_an_interrupt_line_is_followed_to_its_sinks(self):
        line = line_of("profiles/microvm.yaml", "  com1:")
        self.assertEqual(self.said("why", "microvm", "com1.irq"), COM1.replace("LINE", str(line)))

    def test_an_automatic_place_names_its_window(self):
        self.assertEqual(self.said("why", "microvm", "ged.mmio"), GED)

    def test_an_overlay_says_what_it_replaced(self):
        text = self.said("why", "microvm", "com1.irq", "-o", self.overlay)
        self.assertIn("com1.irq is gsi:5\n --> " + self.overlay + ":4:16\n", text)
        self.assertIn("^ the overlay `overlay/lab@1` says `5`\n", text)
        self.assertIn("^ instead of `4`, which `machine/microvm@1` says\n", text)

    def test_a_parameter_leads_to_its_default_or_to_the_command_line(self):
        text = self.said("why", "microvm", "memory.ram")
        self.assertIn("memory.ram is 134217728\n", text)
        self.assertIn("^ `machine/microvm@1` says `$(ram)`\n", text)
        self.assertIn("^^^ the parameter `ram`, which `machine/microvm@1` declares, is `134217728`",
                      text)
        self.assertIn("^^^^^^ `machine/microvm@1` says `128MiB`\n", text)
        text = self.said("why", "microvm", "memory.ram", "--set", "ram=1GiB")
        self.assertIn(" --> --set:1:5\n  |\n1 | ram=1GiB\n  |     ^^^^ given on the command line\n",
                      text)
        text = self.said("why", "microvm", "params.ram", "-o", self.overlay)
        self.assertTrue(text.startswith("params.ram is 268435456\n"), text)
        self.assertIn("instead of `128MiB`, which `machine/microvm@1` says\n", text)

    def test_claims_and_properties_go_by_their_short_names_as_well(self):
        self.assertEqual(self.said("why", "linux-pc", "pic.io.elcr").split("\n", 1)[0],
                         "pic.io.elcr is 0x4d0+0x2")
        self.assertIn("0x4d0+0x2", self.said("why", "linux-pc", "pic.elcr").split("\n")[0])
        self.assertIn("is 24\n", self.said("why", "microvm", "ioapic.pins"))
        self.assertIn("  = the default of `ioapic`\n", self.said("why", "microvm",
                                                                 "ioapic.props.version"))

    def test_a_name_that_is_not_there_is_refused_with_a_near_one(self):
        for name, wanted in (("cmo1.irq", "neither a device nor a section `cmo1`; did you mean `com1`"),
                             ("com1.irqq", "property `irqq`; did you mean `irq`"),
                             ("cpu.cont", "`cpu` has no key `cont`; did you mean `count`"),
                             ("params.rma", "no parameter `rma`; did you mean `ram`"),
                             ("", "neither"), (".", "neither"), ("...", "neither")):
            done = call("why", "microvm", name)
            self.assertEqual((done.returncode, done.stdout), (2, ""), name)
            self.assertIn(wanted, done.stderr)

    def test_json_has_a_step_for_each_place(self):
        story = json.loads(self.said("why", "microvm", "ged.mmio", "--format", "json"))
        self.assertEqual((story["name"], story["value"]), ("ged.mmio", "0xfea00000+0x1000"))
        self.assertEqual(story["steps"][0], {"text": "`chipset/microvm@1` says `auto`",
                                             "file": "chipsets/microvm.yaml", "line": 9,
                                             "column": 44})

    def test_a_profile_that_cannot_be_read_is_an_error(self):
        self.assertEqual(call("why", "/nonexistent.yaml", "a.b").returncode, 2)


class Cat(Case):
    def test_every_line_has_its_origin(self):
        for words in ((), ("--values",), ("-o", self.overlay)):
            for line in self.said("cat", "linux-pc" if words != ("-o", self.overlay) else "microvm",
                                  *words).splitlines():
                self.assertRegex(line, r"   # \S+\.yaml:\d+(, .*)?$")

    def test_without_comments_it_is_the_merged_profile(self):
        text = self.said("cat", "microvm")
        plain = re.sub(r" +# .*", "", text)
        self.assertIn("\ndevices:\n  ioapic: { type: ioapic, at: sys, mmio: 0xfec00000, props: "
                      "{ pins: 24 } }\n  ged: { type: acpi-ged, at: sys, mmio: auto, irq: 9 }\n",
                      plain)
        self.assertIn("\nsummary: direct-boot Linux in milliseconds; no PCI, no BIOS\n", plain)
        self.assertRegex(text, r"\n  ged: .* +# chipsets/microvm.yaml:9\n")

    def test_what_was_replaced_is_noted(self):
        text = self.said("cat", "microvm", "-o", self.overlay)
        line = line_of("profiles/microvm.yaml", "  com1:")
        self.assertRegex(text, r"\n    irq: 5 +# " + re.escape(self.overlay) +
                         rf":4, was 4 in profiles/microvm.yaml:{line}\n")

    def test_values_show_what_parameters_and_auto_became(self):
        text = self.said("cat", "microvm", "--values", "--set", "cpus=3")
        self.assertRegex(text, r"\n  count: 3 +# profiles/microvm.yaml:\d+, \$\(cpus\)\n")
        self.assertRegex(text, r"\n    mmio: 0xfea00000\+0x1000 +# chipsets/microvm.yaml:9, auto\n")
        self.assertNotIn("params:", text)

    def test_json_lists_paths_with_values_and_origins(self):
        rows = json.loads(self.said("cat", "microvm", "-o", self.overlay, "--format", "json"))
        (irq,) = [row for row in rows if row["path"] == "/devices/com1/irq"]
        self.assertEqual((irq["value"], irq["file"], irq["line"]), ("5", self.overlay, 4))
        self.assertEqual((irq["was"][0]["value"], irq["was"][0]["file"]),
                         ("4", "profiles/microvm.yaml"))

    def test_a_profile_with_errors_is_shown_as_far_as_it_goes(self):
        done = call("cat", "tests/bad/unknown_type/profile.yaml")
        self.assertEqual(done.returncode, 1)
        self.assertIn("devices:", done.stdout)
        self.assertIn("unknown", done.stderr)
        self.assertEqual(call("cat", "/nonexistent.yaml").returncode, 2)

    def test_a_files_name_ends_no_comment_and_is_text_in_json(self):
        name = os.path.join(os.path.dirname(os.fsencode(self.overlay)), b"a\xff\x1b\nb.yaml")
        with open(name, "wb") as file:
            file.write(b"format: machine/1\nname: x\nversion: 1\nsummary: x\n"
                       b"extends: machine/microvm@1\n")
        for line in self.said("cat", name).splitlines():
            self.assertRegex(line, r"   # \S+\.yaml:\d+(, .*)?$")
            self.assertNotIn("\x1b", line)
        files = {value["file"] for value in json.loads(self.said("cat", name, "--format", "json"))}
        self.assertTrue(any(file.endswith("a\ufffd\x1b\nb.yaml") for file in files), files)

    def test_ten_thousand_values_are_quick(self):
        name = os.path.join(os.path.dirname(self.overlay), "many.yaml")
        with open(name, "w", encoding="ascii") as file:
            file.write("format: machine/1\nname: x\nversion: 1\nsummary: x\n"
                       "extends: machine/microvm@1\ndevices:\n")
            for i in range(1500):
                file.write(f"  c{i}: {{ type: uartlite, at: sys, mmio: 0x{0xd0000000 + i * 16:x}, "
                           "irq: { line: 5, share: true }, backend: null }\n")
        usage = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        self.said("cat", name, "--values")
        # 20 s when each place was counted from the start of the file, under sanitizers
        self.assertLess(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - usage, 8)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
