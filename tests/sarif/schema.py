"""schema.py MILLWRIGHT: SARIF logs of good, bad and suppressed profiles fit the schema of SARIF 2.1.0."""
# SPDX-License-Identifier: MIT
import glob
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "schema"))
import npm  # noqa: E402

npm.HERE, npm.FOLDER = HERE, os.path.join(ROOT, "build", "npm-sarif")

SUPPRESSED = """\
format: machine/1
name: lab
version: 1
extends: microvm@1
devices:
  com3: { type: uart16550, at: sys, io: 0x3e8, irq: 4 }   # lint: allow R304 -- nobody listens
"""


def sarif(program, *words):
    done = subprocess.run([program, "lint", "--format", "sarif", *words], cwd=ROOT, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={**os.environ, "MILLWRIGHT_PATH": ROOT}, timeout=120, check=False)
    if done.returncode not in (0, 1, 2):
        sys.exit(f"lint {words}: {done.returncode} {done.stderr}")
    return done.stdout


def collect(program, folder):
    bad = sorted(glob.glob(os.path.join(ROOT, "tests/bad/*/profile.yaml")))
    suppressed = os.path.join(folder, "suppressed.yaml")
    with open(suppressed, "w", encoding="ascii") as file:
        file.write(SUPPRESSED)
    for name, words in (("bad", bad), ("good", ["profiles/microvm.yaml", "profiles/linux-pc.yaml"]),
                        ("suppressed", [suppressed]), ("missing", ["/nonexistent.yaml"])):
        with open(os.path.join(folder, name + ".sarif"), "w", encoding="utf-8") as file:
            file.write(sarif(program, *words))


def look(folder):
    """What the schema cannot ask for."""
    runs = {}
    for path in glob.glob(os.path.join(folder, "*.sarif")):
        with open(path, encoding="utf-8") as file:
            runs[os.path.basename(path)] = json.load(file)["runs"][0]
    bad = runs["bad.sarif"]
    rules = bad["tool"]["driver"]["rules"]
    for result in bad["results"]:
        if "ruleId" in result:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"], result
    assert len(rules) > 40 and len(bad["results"]) > 200, (len(rules), len(bad["results"]))
    assert any("fixes" in result for result in bad["results"])
    assert any(result["relatedLocations"] for result in bad["results"])
    hidden = [result for result in runs["suppressed.sarif"]["results"] if result["suppressions"]]
    assert [result["ruleId"] for result in hidden] == ["R304"], hidden
    assert hidden[0]["suppressions"] == [{"kind": "inSource", "justification": "nobody listens"}]


def main():
    modules = npm.modules()
    with tempfile.TemporaryDirectory() as folder:
        collect(sys.argv[1], folder)
        done = subprocess.run(["node", os.path.join(HERE, "validate.js"), modules,
                               *sorted(glob.glob(os.path.join(folder, "*.sarif")))],
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=300, check=False)
        if done.returncode:
            sys.exit(done.stdout[:4000])
        look(folder)


main()
