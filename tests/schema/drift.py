#!/usr/bin/env python3
"""drift.py MILLWRIGHT: schemas/ holds exactly what `millwright schema` writes; twice the same, from
any folder. MW_UPDATE=1 writes it there. And what the verb says to its mistakes."""
# SPDX-License-Identifier: MIT
import difflib
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OURS = os.path.join(ROOT, "schemas")


def generate(program, folder):
    subprocess.run([program, "schema", "--all", folder, "--reference",
                    os.path.join(folder, "devices")], check=True, cwd="/", timeout=120)


def texts(folder):
    found = {}
    for path, _, names in os.walk(folder):
        for name in names:
            place = os.path.join(path, name)
            with open(place, encoding="utf-8") as file:
                found[os.path.relpath(place, folder)] = file.read()
    return found


def unique(pairs):
    """An object of JSON, which must not name a key twice: parsers keep the last one in silence."""
    names = [name for name, _ in pairs]
    if len(names) != len(set(names)):
        sys.exit(f"a key twice among {names}")
    return dict(pairs)


def update(made):
    for name in set(texts(OURS)) - set(made) - {"README.md"}:
        os.remove(os.path.join(OURS, name))
    for name, text in made.items():
        os.makedirs(os.path.dirname(os.path.join(OURS, name)), exist_ok=True)
        with open(os.path.join(OURS, name), "w", encoding="utf-8") as file:
            file.write(text)


def differences(made, kept):
    for name in sorted(set(made) | set(kept)):
        if name not in kept:
            yield f"schemas/{name} is missing"
        elif name not in made:
            yield f"schemas/{name} is not written by `millwright schema`"
        elif made[name] != kept[name]:
            lines = difflib.unified_diff(kept[name].splitlines(), made[name].splitlines(),
                                         f"schemas/{name}", "today", lineterm="", n=2)
            yield "\n".join(list(lines)[:30])


# Words, exit code, and what is said.
MISTAKES = (
    (["machin"], 2, "did you mean `machine`?"),
    (["plan/1"], 2, "there is no format `plan/1`"),
    (["config/1"], 2, "there is no format `config/1`; did you mean `config`?"),
    (["machine/2"], 2, "there is no format `machine/2`"),
    (["device", "uart16650"], 2, "did you mean `uart16550`?"),
    (["device"], 2, "which device?"),
    (["machine", "cpu"], 2, "one format at a time"),
    (["machine", "--all", "x"], 2, "no name goes with it"),
    (["--all", "/no/such/folder"], 2, "cannot make /no/such/folder"),
    (["--reference", "/dev/null"], 2, "cannot write /dev/null/README.md"),
)


def check_mistakes(program):
    for words, status, said in MISTAKES:
        done = subprocess.run([program, "schema", *words], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, check=False, timeout=60)
        if done.returncode != status or said not in done.stderr or done.stdout:
            sys.exit(f"schema {words}: {done.returncode}, {done.stderr}{done.stdout[:200]}")
    listed = subprocess.run([program, "schema"], capture_output=True, text=True, check=True, timeout=60)
    for name in listed.stdout.split():
        one = subprocess.run([program, "schema", name], capture_output=True, text=True, check=True, timeout=60)
        with open(os.path.join(OURS, name.split("/")[0] + ".schema.json"), encoding="utf-8") as file:
            if one.stdout != file.read():
                sys.exit(f"schema {name} is not what --all writes")


def main():
    program = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        first, second = os.path.join(folder, "first"), os.path.join(folder, "second")
        generate(program, first)
        generate(program, second)
        made = texts(first)
        if made != texts(second):
            sys.exit("two runs write different files")
        for name, text in made.items():
            if name.endswith(".json"):
                json.loads(text, object_pairs_hook=unique)
    if os.environ.get("MW_UPDATE"):
        update(made)
    kept = texts(OURS)
    kept.pop("README.md", None)
    found = list(differences(made, kept))
    if found:
        sys.exit("\n".join(found) + "\nMW_UPDATE=1 ctest -R contract.schemas writes them")
    check_mistakes(program)
    print(f"{len(made)} files are current")


if __name__ == "__main__":
    main()
