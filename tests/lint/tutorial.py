#!/usr/bin/env python3
"""tutorial.py MILLWRIGHT [DOCUMENT] [--update]: the tutorial of README.md, walked as a reader would.

Between `## Tutorial` and the next `## `, a ```yaml block whose first line is `# NAME.yaml` is that file, and a
```console block holds commands after `$ ` (a line that ends in `\\` goes on) and what they print, standard error
included. It must be printed exactly; a line `...` stands for any lines. --update writes into the document what was
printed where no `...` is; read it before you commit it."""
# SPDX-License-Identifier: MIT
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PATIENCE = 120


def section(text):
    """Start and end of the tutorial."""
    match = re.search(r"^## Tutorial\n.*?(?=^## |\Z)", text, re.M | re.S)
    if not match:
        sys.exit("there is no `## Tutorial`")
    return match.span()


def steps(lines):
    """Commands of a console block with what each prints."""
    found = []
    for line in lines:
        if line.startswith("$ "):
            found.append(([line[2:]], []))
        elif found and not found[-1][1] and found[-1][0][-1].endswith("\\"):
            found[-1][0].append(line)
        elif found:
            found[-1][1].append(line)
        else:
            sys.exit(f"a console block begins with `$ `: {line}")
    return found


def matches(wanted, printed):
    pattern = "".join(r"(?:.*\n)*?" if line == "..." else re.escape(line) + r"\n" for line in wanted)
    return re.fullmatch(pattern, "".join(line + "\n" for line in printed)) is not None


class Walk:
    def __init__(self, program, folder):
        self.folder, self.count, self.failed = folder, 0, 0
        os.mkdir(os.path.join(folder, ".bin"))
        os.symlink(os.path.abspath(program), os.path.join(folder, ".bin", "millwright"))
        self.environment = dict(os.environ, PATH=f"{folder}/.bin:{os.environ['PATH']}", LC_ALL="C.UTF-8",
                                NO_COLOR="1", MILLWRIGHT_PATH=ROOT, COLUMNS="80")

    def file(self, body):
        name = re.match(r"# ([\w.-]+\.yaml)", body)
        if name:
            with open(os.path.join(self.folder, name.group(1)), "w", encoding="utf-8") as file:
                file.write(body)

    def step(self, command, wanted):
        """What was printed."""
        done = subprocess.run(["sh", "-c", "\n".join(command)], cwd=self.folder, env=self.environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=PATIENCE, check=False)
        printed = [line.rstrip() for line in done.stdout.decode().replace(ROOT + "/", "").splitlines()]
        self.count += 1
        good = matches(wanted, printed)
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {command[0]}")
        if not good:
            print("# wanted:\n# " + "\n# ".join(wanted) + "\n# printed:\n# " + "\n# ".join(printed))
        return printed


def walk_block(walk, match, update):
    kind, body = match.group(1), match.group(2)
    if kind == "yaml":
        walk.file(body)
    if kind != "console":
        return match.group(0)
    text = ""
    for command, wanted in steps(body.splitlines()):
        printed = walk.step(command, wanted)
        kept = wanted if "..." in wanted or not update else printed
        text += "$ " + "\n".join(command + kept) + "\n"
    return f"```console\n{text}```"


def main():
    words = [word for word in sys.argv[1:] if word != "--update"]
    document = words[1] if len(words) > 1 else os.path.join(ROOT, "README.md")
    with open(document, encoding="utf-8") as file:
        text = file.read()
    start, end = section(text)
    update = len(sys.argv) - 1 != len(words)
    with tempfile.TemporaryDirectory() as folder:
        walk = Walk(words[0], folder)
        told = re.sub(r"^```(\w*)\n(.*?)^```", lambda match: walk_block(walk, match, update),
                      text[start:end], flags=re.M | re.S)
    if update:
        with open(document, "w", encoding="utf-8") as file:
            file.write(text[:start] + told + text[end:])
    print(f"1..{walk.count}")
    return 0 if walk.count and not walk.failed else 1


if __name__ == "__main__":
    sys.exit(main())
