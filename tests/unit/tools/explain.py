#!/usr/bin/env python3
"""explain.py MILLWRIGHT RULES: every rule has a text; its bad example raises the rule and nothing else, its good
one raises nothing."""
# SPDX-License-Identifier: MIT
import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
# Rules that nothing raises yet, and why.
NOT_YET = {
    "G203": "no bus with addresses",
    "R306": "no device with a DMA channel",
    "G207": "no device with hot-plug ports",
    "F405": "no TPM",
    "F406": "no IDE",
    "X603": "no device that holds keys",
    "X604": "no modules",
    "X605": "no foreign code",
    "X607": "no accelerator with isolation",
    "P801": "no faster device of the same kind",
}
# Texts without examples: what raises them is no text of a profile.
BESIDE = {
    "Y009": "bytes that are no text",
    "R309": "a lock file and its hash",
    "C702": "a frozen version beside the profile",
    "C705": "a snapshot",
    "C706": "a plan's text",
}


class Example:
    """One block of a text, with the files that came before it."""

    def __init__(self, kind, sets, files):
        self.kind, self.sets, self.files, self.lines = kind, sets, files, []

    def text(self):
        return "\n".join(line[4:] for line in self.lines) + "\n"


def examples(text):
    """The examples of one text."""
    found, files, current = [], {}, None
    for line in text.splitlines():
        head = re.fullmatch(r"(Bad|Good)(?:, with ([^:]*))?:", line)
        file = re.fullmatch(r"File (\S+):", line)
        if head:
            current = Example(head.group(1), (head.group(2) or "").split(), files)
            found.append(current)
        elif file:
            current = Example("File", [], {})
            files[file.group(1)] = current
        elif current and (line.startswith("    ") or not line):
            current.lines.append(line)
        else:
            current = None
    return found


def lint(program, example):
    """The codes that are raised, in order, and what was said."""
    with tempfile.TemporaryDirectory() as folder:
        for name, file in [("example.yaml", example), *example.files.items()]:
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as out:
                out.write(file.text().strip("\n") + "\n")
        words = [program, "lint", "example.yaml", "--format", "json"]
        for value in example.sets:
            words += ["-o", value[3:]] if value.startswith("-o=") else ["--set", value]
        done = subprocess.run(words, cwd=folder, env={**os.environ, "MILLWRIGHT_PATH": f"{folder}:{ROOT}"},
                              capture_output=True, text=True, timeout=60, check=False)
    try:
        return [finding["code"] for finding in json.loads(done.stdout)], done.stdout
    except ValueError:
        return ["?"], done.stdout + done.stderr


def fault(program, code, path):
    """None, or what is wrong with one text."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if re.search(r"^.{101}", text, re.M):
        return "a line is over 100 columns"
    if re.search(r"(?<! ) {4}?\t", text):
        return "a tab"
    found = examples(text)
    if code in BESIDE:
        return "there are examples" if found else None
    if {example.kind for example in found} != {"Bad", "Good"}:
        return "a bad and a good example are wanted"
    for example in found:
        codes, said = lint(program, example)
        wanted = {code} if example.kind == "Bad" else set()
        if set(codes) != wanted:
            return f"{example.kind}: {codes}\n{said[:1500]}"
    return None


def main():
    program, folder = os.path.abspath(sys.argv[1]), sys.argv[2]
    os.umask(0o022)  # X601 looks at modes
    listed = subprocess.run([program, "explain", "--list"], capture_output=True, text=True, check=True)
    codes = [line.split()[0] for line in listed.stdout.splitlines()]
    failed = 0
    for code in codes:
        path = os.path.join(folder, code + ".txt")
        there = os.path.exists(path)
        if code in NOT_YET:
            wrong = "it is on the list of those that nothing raises" if there else None
        else:
            wrong = fault(program, code, path) if there else "there is no text"
        failed += wrong is not None
        print(f"{'not ok' if wrong else 'ok'} - {code}")
        if wrong:
            print("# " + wrong.replace("\n", "\n# "))
    extra = sorted(set(name[:-4] for name in os.listdir(folder)) - set(codes))
    if extra:
        failed += 1
        print(f"not ok - texts of no rule: {', '.join(extra)}")
    print(f"1..{len(codes) + bool(extra)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
