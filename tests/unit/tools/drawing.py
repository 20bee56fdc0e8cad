"""What the tests of pictures share: calling the program, and the texts and boxes of an SVG."""
# SPDX-License-Identifier: MIT
import os
import subprocess
import unicodedata
import xml.etree.ElementTree as tree

SVG = "{http://www.w3.org/2000/svg}"
MACHINES = "tests/unit/tools/machines/"
ALL = ("microvm", "linux-pc", "tests/golden/tour.yaml", MACHINES + "sixty.yaml",
       MACHINES + "hostile.yaml")


def call(program, *words, **options):
    return subprocess.run([program, *words], text=True, stdin=subprocess.DEVNULL, encoding="utf-8",
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=False,
                          env={**os.environ, "MILLWRIGHT_PATH": os.getcwd(),
                               **options.pop("env", {})}, **options)


def columns(text):
    return sum(0 if unicodedata.combining(letter) else
               2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def texts(svg):
    """Each text as (left, top, right, bottom, what): as wide as the widest usual font makes it."""
    found = []
    for element in tree.fromstring(svg).iter(SVG + "text"):
        x, y = float(element.get("x")), float(element.get("y"))
        found.append((x, y - 10, x + columns(element.text or "") * 12 * 0.602, y + 3,
                      element.text or ""))
    return found


def boxes(svg):
    return [(float(box.get("x")), float(box.get("y")),
             float(box.get("x")) + float(box.get("width")),
             float(box.get("y")) + float(box.get("height")), box.get("class"))
            for box in tree.fromstring(svg).iter(SVG + "rect")]


def meet(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def overlaps(items):
    """Pairs that lie on one another, by a sweep."""
    found, open_items = [], []
    for item in sorted(items):
        open_items = [other for other in open_items if other[2] > item[0]]
        found += [(other, item) for other in open_items if meet(other, item)]
        open_items.append(item)
    return found


def lines(svg):
    """The straight parts of every line: (class, x1, y1, x2, y2)."""
    found = []
    for path in tree.fromstring(svg).iter(SVG + "path"):
        words = path.get("d").replace("M", " ").replace("L", " ").split()
        found.append((path.get("class"), *map(float, words)))
    return found
