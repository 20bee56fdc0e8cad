"""mermaid.py MILLWRIGHT: Mermaid takes the graphs of shipped, large and hostile machines."""
# SPDX-License-Identifier: MIT
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "schema"))
import npm  # noqa: E402

npm.HERE, npm.FOLDER = HERE, os.path.join(ROOT, "build", "npm-mermaid")

PROFILES = ("microvm", "linux-pc", "tests/golden/tour.yaml", "tests/unit/tools/machines/sixty.yaml",
            "tests/unit/tools/machines/hostile.yaml")


def main():
    modules = npm.modules()
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number, profile in enumerate(PROFILES):
            done = subprocess.run([sys.argv[1], "graph", profile, "--format", "mermaid"], cwd=ROOT,
                                  stdout=subprocess.PIPE, timeout=60, check=True,
                                  env={**os.environ, "MILLWRIGHT_PATH": ROOT})
            files.append(os.path.join(folder, f"{number}.mmd"))
            with open(files[-1], "wb") as file:
                file.write(done.stdout)
        broken = os.path.join(folder, "broken.mmd")
        with open(broken, "w", encoding="ascii") as file:
            file.write('flowchart TB\n  a[["x"]\n')
        command = ["node", os.path.join(HERE, "parse.mjs"), modules]
        done = subprocess.run([*command, *files], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=240, check=False)
        if done.returncode:
            sys.exit(done.stdout[:4000])
        if subprocess.run([*command, broken], stdout=subprocess.DEVNULL, timeout=240,
                          check=False).returncode != 1:
            sys.exit("what is no Mermaid was taken")


main()
