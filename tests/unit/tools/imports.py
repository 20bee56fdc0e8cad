#!/usr/bin/env python3
"""imports.py MILLWRIGHT FOLDER: each NAME.qemu (a shell's words) and NAME.xml is imported; the profile and what was lost
are as in NAME.expected, and the profile has no errors. MW_UPDATE=1 writes them: read them before you commit."""
# SPDX-License-Identifier: MIT
import os
import shlex
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def run(program, words, folder):
    return subprocess.run([program, *words], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=60, check=False,
                          env={**os.environ, "MILLWRIGHT_PATH": ROOT, "NO_COLOR": "1"})


def case(program, folder, name):
    """What is said, all of it."""
    path = os.path.join(folder, name)
    if name.endswith(".qemu"):
        with open(path, encoding="utf-8") as file:
            words = ["qemu", "--diagnostics", "full", "--", *shlex.split(file.read())]
    else:
        words = ["libvirt", "--diagnostics", "full", name]
    done = run(program, ["import", *words], folder)
    return f"{done.stdout}--- lost\n{done.stderr}--- status {done.returncode}\n"


def main():
    program, folder = os.path.abspath(sys.argv[1]), sys.argv[2]
    names = sorted(name for name in os.listdir(folder) if not name.endswith(".expected"))
    failed = 0
    for name in names:
        said = case(program, folder, name)
        path = os.path.join(folder, os.path.splitext(name)[0] + ".expected")
        if os.environ.get("MW_UPDATE"):
            with open(path, "w", encoding="utf-8") as file:
                file.write(said)
        with open(path, encoding="utf-8") as file:
            wanted = file.read()
        good = said == wanted and "bug of the import" not in said
        failed += not good
        print(f"{'ok' if good else 'not ok'} - {name}")
        if not good:
            print("# " + said.replace("\n", "\n# "))
    print(f"1..{len(names)}")
    return 1 if failed or not names else 0


if __name__ == "__main__":
    sys.exit(main())
