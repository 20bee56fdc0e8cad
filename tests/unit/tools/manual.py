#!/usr/bin/env python3
"""manual.py MILLWRIGHT: every verb has a man page with all of its options, the pages hold no mistakes
that groff, man or mandoc know, and millwright(5) has every key."""
# SPDX-License-Identifier: MIT
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile


def run(*command, **options):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, timeout=120, **options)


def expect(good, what):
    if not good:
        sys.exit(what)


def verbs(program):
    """Names of the verbs that there are, from the command's help."""
    text = run(program, "--help").stdout.split("Verbs:\n")[1].split("\n\n")[0]
    return re.findall(r"^  ([a-z]+) ", text.split("Planned")[0], re.M)


def plain(page):
    """A page's text without roff: what a reader searches."""
    with open(page, encoding="utf-8") as file:
        text = file.read()
    return re.sub(r"\\f[BIP]|\\&", "", text).replace("\\-", "-").replace("\\e", "\\")


def check_verb(program, folder, verb):
    page = os.path.join(folder, "man1", f"millwright-{verb}.1")
    expect(os.path.exists(page), f"there is no page for {verb}")
    text = plain(page)
    for option in re.findall(r"^  (?:-\w, |    )(--[a-z0-9-]+)", run(program, "help", verb).stdout, re.M):
        expect(option in text, f"{page} says nothing of {option}")


def checkers():
    yield ["groff", "-man", "-ww", "-Tutf8", "-z"], "groff"
    yield ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z"], "man"
    yield ["mandoc", "-Tlint", "-Wwarning"], "mandoc"


def check_roff(pages):
    for command, name in checkers():
        if not shutil.which(name):
            print(f"without {name}: it is not installed")
            continue
        for page in pages:
            done = run(*command, page, env=dict(os.environ, LC_ALL="C.UTF-8", MANWIDTH="80"))
            # man writes the formatted page as well; its warnings begin with a program's name.
            said = [line for line in done.stdout.splitlines()
                    if re.match(r"(troff|groff|man|grotty|<standard input>|mandoc|an\.tmac)[:\s]", line)]
            expect(done.returncode == 0 and not said, f"{name} on {page}: {said or done.stdout[:400]}")


def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        done = run(program, "help", "--man", folder)
        expect(done.returncode == 0 and not done.stdout, f"help --man: {done.stdout}")
        names = verbs(program)
        expect({"run", "lint", "help"} <= set(names), f"verbs: {names}")
        for verb in names:
            check_verb(program, folder, verb)
        whole = plain(os.path.join(folder, "man1/millwright.1"))
        expect(all(f"millwright-{verb} (1)" in whole for verb in names), "millwright(1) names not every verb")
        files = plain(os.path.join(folder, "man5/millwright.5"))
        schema = json.loads(run(program, "schema", "machine/1").stdout)
        for key in schema["properties"]:
            expect(re.search(rf"^\.TP\n{key}\b", files, re.M), f"millwright(5) has no `{key}`")
        expect("No more is said of it" not in files, "millwright(5) has a key without a sentence; "
               "give it one in tools/schema/facts.c")
        check_roff([os.path.join(path, name) for path, _, entries in os.walk(folder)
                    for name in sorted(entries)])
        done = run(program, "help", "--man", os.path.join(folder, "no/such"))
        expect(done.returncode == 2 and "cannot make" in done.stdout, f"no folder: {done.stdout}")
    print(f"{len(names)} verbs have their pages")


if __name__ == "__main__":
    main()
