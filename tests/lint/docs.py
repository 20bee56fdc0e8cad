#!/usr/bin/env python3
"""docs.py MILLWRIGHT: resolves every YAML block of every Markdown file; each is a whole file of the
profile language. The commands shown beside them exist too. Ends by resolving a block broken on purpose."""
# SPDX-License-Identifier: MIT
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
FOLDERS = ("core", "resolver", "devices", "chipsets", "profiles", "schemas", "accel", "tools",
           "tests")


def documents():
    found = [name for name in os.listdir(ROOT) if name.endswith(".md")]
    for folder in FOLDERS:
        for path, _, names in os.walk(os.path.join(ROOT, folder)):
            found += [os.path.relpath(os.path.join(path, name), ROOT) for name in names
                      if name.endswith(".md")]
    return sorted(found)


def blocks(text):
    """(line, block) of each fenced YAML block."""
    for match in re.finditer(r"^```ya?ml\n(.*?)^```", text, re.M | re.S):
        yield text.count("\n", 0, match.start()) + 2, match.group(1)


def resolve(millwright, text):
    """Output of a failed resolve, or None."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "block.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        for command in (["lint", "--fail-on", "warning", path],
                        ["resolve", path, "--set", "kernel=vmlinuz"]):
            done = subprocess.run([millwright, *command], cwd=ROOT, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, check=False)
            if done.returncode:
                return done.stdout
    return None


def commands(text):
    """Names of our scripts and verbs that a document mentions in code."""
    code = "\n".join(a or b for a, b in re.findall(r"`([^`\n]+)`|^    (.*)$", text, re.M))
    return set(re.findall(r"\btools/([a-z-]+)(?![\w./-])", code)), \
        set(re.findall(r"(?:^|\s)millwright ([a-z]+)", code))


def main():
    millwright = os.path.abspath(sys.argv[1])
    failed = count = 0
    text_of_help = subprocess.run([millwright, "--help"], stdout=subprocess.PIPE, text=True,
                                  check=True).stdout
    last = ""
    for name in documents():
        with open(os.path.join(ROOT, name), encoding="utf-8") as file:
            text = file.read()
        for line, block in blocks(text):
            count += 1
            last = block
            problem = resolve(millwright, block)
            if problem:
                failed += 1
                print(f"{name}:{line}: this block does not resolve:\n{problem}")
        scripts, verbs = commands(text)
        for script in scripts:
            if not os.path.exists(os.path.join(ROOT, "tools", script)):
                failed += 1
                print(f"{name}: there is no tools/{script}")
        for verb in verbs:
            if not re.search(rf"\b{verb}\b", text_of_help):
                failed += 1
                print(f"{name}: there is no verb `millwright {verb}`")
    if not count:
        sys.exit("no YAML block was found in any document")
    if not resolve(millwright, last.replace("at: sys", "at: nowhere")):
        sys.exit("a broken block was not noticed")
    print(f"{count} YAML blocks, {failed} problem(s)")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
