"""graph.py MILLWRIGHT: pictures that can be read, and formats that their readers take."""
# SPDX-License-Identifier: MIT
import json
import shutil
import subprocess
import sys
import tempfile
import unittest

import drawing

PROGRAM = sys.argv.pop(1)


def graph(*words, **options):
    result = drawing.call(PROGRAM, "graph", *words, **options)
    assert result.returncode == 0, result.stderr
    return result.stdout


class Picture(unittest.TestCase):
    def test_no_text_lies_on_another_or_sticks_out_of_the_picture(self):
        for profile in drawing.ALL:
            svg = graph(profile)
            texts = drawing.texts(svg)
            self.assertGreater(len(texts), 10)
            self.assertEqual(drawing.overlaps(texts), [], profile)
            paper = [box for box in drawing.boxes(svg) if box[4] == "paper"][0]
            for text in texts:
                self.assertTrue(paper[0] <= text[0] and text[2] <= paper[2] and
                                text[3] <= paper[3], (profile, text))

    def test_boxes_stand_apart_and_hold_their_texts(self):
        for profile in drawing.ALL:
            svg = graph(profile)
            bodies = [box for box in drawing.boxes(svg)
                      if box[4] in ("device", "controller", "bus")]
            self.assertEqual(drawing.overlaps(bodies), [], profile)
            for text in drawing.texts(svg):
                for box in bodies:
                    if drawing.meet(text, box):
                        self.assertTrue(box[0] < text[0] and text[2] < box[2], (text, box))

    def test_no_line_runs_through_a_box(self):
        for profile in drawing.ALL:
            svg = graph(profile)
            bodies = [box for box in drawing.boxes(svg) if box[4] in ("device", "controller")]
            for name, x1, y1, x2, y2 in drawing.lines(svg):
                line = (min(x1, x2) + 0.5, min(y1, y2) + 0.5, max(x1, x2) - 0.5, max(y1, y2) - 0.5)
                line = (line[0], line[1], max(line[2], line[0] + 0.1), max(line[3], line[1] + 0.1))
                for box in bodies:
                    inner = (box[0] + 1, box[1] + 1, box[2] - 1, box[3] - 1)
                    self.assertFalse(drawing.meet(line, inner), (profile, name, line, box))

    def test_no_line_runs_through_a_text(self):
        for profile in drawing.ALL:
            svg = graph(profile)
            texts = drawing.texts(svg)
            for name, x1, y1, x2, y2 in drawing.lines(svg):
                line = (min(x1, x2), min(y1, y2), max(x1, x2) + 0.1, max(y1, y2) + 0.1)
                for text in texts:
                    self.assertFalse(drawing.meet(line, text), (profile, name, line, text))

    def test_every_node_has_its_group_and_a_tip(self):
        nodes = json.loads(graph(drawing.MACHINES + "sixty.yaml", "--format", "json"))["nodes"]
        svg = graph(drawing.MACHINES + "sixty.yaml")
        self.assertGreater(len(nodes), 60)
        for node in nodes:
            if node["role"] != "backend":
                self.assertIn(f'data-name="{node["id"]}"><title>{node["id"]}: {node["type"]}', svg)

    def test_the_same_machine_gives_the_same_picture_from_its_plan(self):
        plan = drawing.call(PROGRAM, "resolve", "linux-pc").stdout
        with tempfile.NamedTemporaryFile("w", suffix=".plan", encoding="utf-8") as file:
            file.write(plan)
            file.flush()
            self.assertEqual(graph(file.name), graph("linux-pc"))

    def test_what_a_profile_says_stays_text(self):
        svg = graph(drawing.MACHINES + "hostile.yaml")
        self.assertNotIn("<script", svg)
        self.assertNotIn("<a>", svg)


class Formats(unittest.TestCase):
    def test_json_says_where_each_line_ends(self):
        machine = json.loads(graph("linux-pc", "--format", "json"))
        lines = {line["line"]: line["sinks"] for line in machine["lines"]}
        self.assertEqual(lines["isa:0"], ["pic.pin:0", "ioapic.pin:2"])
        com1 = [node for node in machine["nodes"] if node["id"] == "com1"][0]
        self.assertEqual(com1["claims"][0], {"kind": "io", "name": "bank", "base": 0x3f8,
                                             "length": 8, "auto": False})
        self.assertIn({"from": "com1.port", "to": "com1.backend.port"}, machine["links"])

    def test_dot_takes_what_is_for_it(self):
        if not shutil.which("dot"):
            self.skipTest("graphviz is not installed")
        for profile in drawing.ALL:
            done = subprocess.run(["dot", "-Tsvg"], input=graph(profile, "--format", "dot"),
                                  text=True, encoding="utf-8", stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, timeout=120, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""), profile)
            self.assertIn("</svg>", done.stdout)

    def test_graphviz_draws_or_says_how_to_get_it(self):
        with tempfile.TemporaryDirectory() as empty:
            result = drawing.call(PROGRAM, "graph", "microvm", "--layout", "graphviz",
                                  env={"PATH": empty})
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        self.assertIn("in the package graphviz", result.stderr)
        if shutil.which("dot"):
            self.assertIn("</svg>", graph("linux-pc", "--layout", "graphviz"))

    def test_mistakes_are_told(self):
        self.assertEqual(drawing.call(PROGRAM, "graph", "nobody").returncode, 2)
        self.assertEqual(drawing.call(PROGRAM, "graph", "tests/bad/io_overlap/profile.yaml")
                         .returncode, 1)


unittest.main()
