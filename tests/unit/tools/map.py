"""map.py MILLWRIGHT: the maps of the shipped machines, word for word (MW_UPDATE=1 writes them)."""
# SPDX-License-Identifier: MIT
import json
import os
import sys
import unittest

import drawing

PROGRAM = sys.argv.pop(1)
MAPS = "tests/unit/tools/maps/"


def show(*words):
    result = drawing.call(PROGRAM, "map", *words)
    assert result.returncode == 0, result.stderr
    return result.stdout


class Map(unittest.TestCase):
    def test_maps_of_machines_are_what_they_were(self):
        for profile in ("microvm", "linux-pc", "tests/golden/tour.yaml",
                        drawing.MACHINES + "sixty.yaml"):
            name = MAPS + os.path.basename(profile).removesuffix(".yaml") + ".map"
            text = show(profile)
            if os.environ.get("MW_UPDATE"):
                with open(name, "w", encoding="utf-8") as file:
                    file.write(text)
            with open(name, encoding="utf-8") as file:
                self.assertEqual(text, file.read(), name)

    def test_only_shows_what_was_asked_for(self):
        text = show("linux-pc", "--only", "lines", "--only", "ports")
        self.assertIn("interrupt lines\n", text)
        self.assertIn("ports\n", text)
        self.assertNotIn("memory\n", text)
        self.assertNotIn("buses\n", text)
        self.assertEqual(list(json.loads(show("linux-pc", "--only", "buses", "--format", "json"))),
                         ["v", "name", "version", "buses"])

    def test_free_room_and_claims_fill_a_window(self):
        for part, window in (("ports", "io"), ("memory", "mmio32")):
            ranges = json.loads(show(drawing.MACHINES + "sixty.yaml", "--format", "json"))[part]
            whole = [r for r in ranges if r["what"] == "window" and r["name"] == window][0]
            inside = [r for r in ranges if r is not whole and r["what"] in ("claim", "free") and
                      whole["first"] <= r["first"] <= whole["last"]]
            self.assertEqual(sum(r["last"] - r["first"] + 1 for r in inside),
                             whole["last"] - whole["first"] + 1)

    def test_automatic_placements_are_marked(self):
        memory = json.loads(show(drawing.MACHINES + "sixty.yaml", "--format", "json"))["memory"]
        marked = {r["node"] for r in memory if r.get("auto")}
        self.assertEqual(marked, {f"lite{i}" for i in range(8)} | {f"hole{i}" for i in range(6)})

    def test_the_picture_has_no_text_on_another_nor_out_of_its_box(self):
        for profile in drawing.ALL:
            svg = show(profile, "--format", "svg")
            self.assertEqual(drawing.overlaps(drawing.texts(svg)), [], profile)
            boxes = [box for box in drawing.boxes(svg) if box[4] != "paper"]
            for text in drawing.texts(svg):
                for box in boxes:
                    if drawing.meet(text, box):
                        self.assertTrue(box[0] < text[0] and text[2] < box[2], (text, box))

    def test_windows_are_unknown_to_a_plan(self):
        plan = drawing.call(PROGRAM, "resolve", "microvm").stdout
        path = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"millwright-map-{os.getpid()}.plan")
        try:
            with open(path, "w", encoding="utf-8") as file:
                file.write(plan)
            text = show(path)
        finally:
            os.remove(path)
        self.assertNotIn("window", text)
        self.assertIn("ged.regs", text)


unittest.main()
