#!/usr/bin/env python3
"""fixes.py MILLWRIGHT: mends a copy of every case, safely and then with all fixes. What comes out can
be read again, has no new fault of form, and a second round changes nothing."""
# SPDX-License-Identifier: MIT
import concurrent.futures
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


def sets(case):
    path = os.path.join(case, "sets")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return [word for line in file.read().splitlines() for word in ("--set", line)]


def lint(program, case, *options):
    """Exit code, and what the profile is afterwards."""
    command = [program, "lint", os.path.join(case, "profile.yaml"), *sets(case), *options]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False, cwd=ROOT,
                          env={**os.environ, "MILLWRIGHT_PATH": f"{case}:{ROOT}"})
    with open(os.path.join(case, "profile.yaml"), "rb") as file:
        return done, file.read()


def lint_text(program, case, text):
    """The findings of another text in the case's place."""
    other = os.path.join(case, "before")
    os.mkdir(other)
    for name in os.listdir(case):
        if os.path.isfile(os.path.join(case, name)):
            shutil.copy(os.path.join(case, name), other)
    with open(os.path.join(other, "profile.yaml"), "wb") as file:
        file.write(text)
    return lint(program, other, "--format", "json")[0]


def codes(done):
    try:
        return sorted(finding["code"] for finding in json.loads(done.stdout or b"[]"))
    except (ValueError, TypeError):
        return ["no JSON"]


def more(before, after):
    """Codes that are there more often than they were."""
    return [code for code in sorted(set(after)) if after.count(code) > before.count(code)]


def check(program, folder, name):
    """What is wrong with the fixes of one case."""
    case = os.path.join(folder, name)
    shutil.copytree(os.path.join(HERE, name), case)
    before = None
    with open(os.path.join(case, "profile.yaml"), "rb") as file:
        text = file.read()
    for options in (["--fix"], ["--fix", "--unsafe-fixes"]):
        done, mended = lint(program, case, *options)
        if done.returncode not in (0, 1, 2):
            return f"{name}: {' '.join(options)} ends with {done.returncode}: {done.stderr!r}"
        if mended == text:
            continue
        before = before or codes(lint_text(program, case, text))
        after, again = lint(program, case, *options, "--format", "json")
        if again != mended:
            return f"{name}: a second {' '.join(options)} changes it again"
        # what a refused value hid may come to light, but nothing of a file's form
        new = [code for code in more(before, codes(after)) if code.startswith("Y")]
        if new:
            return f"{name}: {' '.join(options)} makes {', '.join(new)}"
        text = mended
    return None


def main():
    names = [name for name in sorted(os.listdir(HERE))
             if os.path.exists(os.path.join(HERE, name, "profile.yaml"))]
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = pool.map(functools.partial(check, sys.argv[1], folder), names)
        faults = [fault for fault in found if fault]
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
