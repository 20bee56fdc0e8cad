#!/usr/bin/env python3
"""docs.py MILLWRIGHT BUILD: what the documents say is true. A ```yaml block is a whole file of the
profile language that lints and resolves (one that begins with `# bad` must not); the commands of
`millwright` run; tests, files, scripts, verbs and presets that are named exist."""
# SPDX-License-Identifier: MIT
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
FOLDERS = ("accel", "chipsets", "core", "devices", "profiles", "resolver", "schemas", "tests", "tools")
KINDS = "unit contract golden bad lint lsp boot lab diff fuzz bench release valgrind".split()
# A chipset or a CPU model is no machine; this one uses it.
MACHINE = """format: machine/1
name: user
version: 1
summary: a machine around what a document shows
extends: {base}
params: {{ kernel: {{ type: path, scope: host }} }}
cpu: {{ model: {model}, tsc_khz: from-host }}
memory: {{ ram: 128MiB }}
boot: {{ linux: $(kernel), tables: [acpi] }}
"""


def output(command, **options):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60, check=False, **options)
    return done.returncode, done.stdout.strip()


class Facts:
    """What the documents are held against."""

    def __init__(self, program, build):
        self.program = program
        self.tests = re.findall(r"^ *Test +#\d+: (\S+)$",
                                output(["ctest", "--test-dir", build, "-N"])[1], re.M)
        self.help = output([program, "--help"])[1]
        with open(os.path.join(ROOT, "CMakePresets.json"), encoding="utf-8") as file:
            presets = json.load(file)
        self.presets = {kind: {entry["name"] for entry in presets[kind + "Presets"]}
                        for kind in ("build", "test", "workflow")}

    def call(self, words, folder):
        return output([self.program, *words], cwd=folder,
                      env={**os.environ, "MILLWRIGHT_PATH": f"{folder}:{ROOT}"})


def documents():
    for folder, inner, names in os.walk(ROOT):
        inner[:] = sorted(name for name in inner
                          if name not in ("build", "__pycache__") and not name.startswith("."))
        for name in sorted(names):
            if name.endswith(".md"):
                path = os.path.join(folder, name)
                with open(path, encoding="utf-8") as file:
                    yield os.path.relpath(path, ROOT), file.read()


def line_of(text, match):
    return text.count("\n", 0, match.start()) + 1


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def value(text, key, otherwise):
    match = re.search(rf"^{key}: ([\w-]+)$", text, re.M)
    return match.group(1) if match else otherwise


def place(folder, text):
    """Puts a block where its kind is looked for; gives the machine to resolve, or None."""
    kind = re.search(r"^format: (machine|chipset|cpu)/\d+$", text, re.M)
    if not kind:
        return None
    name, user = value(text, "name", "nameless"), {"base": "chipset/microvm@1", "model": "host"}
    if kind.group(1) == "machine":
        write(os.path.join(folder, name + ".yaml"), text)
        return name + ".yaml"
    if kind.group(1) == "chipset":
        write(os.path.join(folder, "chipsets", name + ".yaml"), text)
        user["base"] = f"chipset/{name}@{value(text, 'version', '1')}"
    else:
        write(os.path.join(folder, "chipsets/cpu", name + ".yaml"), text)
        user["model"] = name
    write(os.path.join(folder, f"user-of-{name}.yaml"), MACHINE.format(**user))
    return f"user-of-{name}.yaml"


def check_blocks(facts, text, folder):
    for match in re.finditer(r"^```ya?ml\n(.*?)^```$", text, re.M | re.S):
        line, block = line_of(text, match), match.group(1)
        bad = block.startswith("# bad\n")
        named = re.match(r"# [\w.-]+\.yaml\n", block)  # the tutorial's
        start = len("# bad\n") if bad else named.end() if named else 0
        if not block[start:].startswith("format:"):
            yield line, "a yaml block is a whole file, from `format:` on; fence a part as text"
            continue
        file = place(folder, block)
        if not file:
            yield line, "the block's format is none that is known"
            continue
        status, said = facts.call(["lint", "--fail-on", "hint", file], folder)
        if bad and (status != 1 or ": E " not in said):
            yield line, "the block is marked as bad, but lint finds no error"
        elif not bad and (status or said):
            yield line, f"lint says: {said}"
        elif not bad:
            status, said = facts.call(["resolve", file, "--set", "kernel=vmlinuz"], folder)
            if status:
                yield line, f"resolve says: {said}"


def check_commands(facts, text, folder):
    """Indented lines that call millwright; `run` gets as far as the kernel that is not there."""
    for match in re.finditer(r"^    millwright ([^\n]*)$", text, re.M):
        words = shlex.split(match.group(1), comments=True)
        status, said = facts.call(words, folder)
        missing = words[0] == "run" and status == 1 and "vmlinuz" in said
        if status and not missing:
            yield line_of(text, match), f"`millwright {' '.join(words)}` ends with {status}: {said}"
    for match in re.finditer(r"`millwright ([a-z]+)", text):
        if not re.search(rf"\b{match.group(1)}\b", facts.help):
            yield line_of(text, match), f"there is no verb `millwright {match.group(1)}`"


def check_tests(facts, text):
    """`unit.core.space`, `golden.*`: there is at least one such test."""
    for match in re.finditer(r"`((?:%s)\.[\w.*-]+)`" % "|".join(KINDS), text):
        name = match.group(1)
        wanted = re.compile(re.escape(name).replace(r"\*", ".*"))
        if not re.search(r"[A-Z]|mychip|\.(c|h|py|md|yaml|def)$", name) and \
                not any(map(wanted.fullmatch, facts.tests)):
            yield line_of(text, match), f"there is no test `{name}`"


def check_paths(text, path):
    """Words in backticks that look like a path of ours: below the root or beside the document."""
    for match in re.finditer(r"`([a-z0-9_.-]+/[a-z0-9_./-]*)`", text):
        name = match.group(1)
        ours = name.startswith(FOLDERS) or (name.endswith("/") and not name.startswith("build/"))
        near = os.path.join(ROOT, os.path.dirname(path), name)
        if ours and "mychip" not in name and not os.path.exists(near) and \
                not os.path.exists(os.path.join(ROOT, name)):
            yield line_of(text, match), f"there is no `{name}`"


def check_scripts(facts, text):
    for match in re.finditer(r"(?:^    |`)((?:tools|tests/\w+)/[a-z-]+)(?![\w/.-])", text, re.M):
        full = os.path.join(ROOT, match.group(1))
        if not os.path.isdir(full) and not os.access(full, os.X_OK):
            yield line_of(text, match), f"`{match.group(1)}` cannot be called"
    for match in re.finditer(r"cmake --(workflow|build) --preset (\w+)|ctest --preset (\w+)", text):
        kind, name = match.group(1) or "test", match.group(2) or match.group(3)
        if name not in facts.presets[kind]:
            yield line_of(text, match), f"there is no {kind} preset `{name}`"


def findings(facts, path, text):
    with tempfile.TemporaryDirectory() as folder:
        found = [*check_blocks(facts, text, folder), *check_commands(facts, text, folder)]
    found += [*check_tests(facts, text), *check_paths(text, path), *check_scripts(facts, text)]
    return [f"{path}:{line}: {what}" for line, what in sorted(found)]


GOOD = """```yaml
format: machine/1
name: two
version: 1
summary: microvm with a second serial port
extends: microvm@1
devices:
  com2: { type: uart16550, at: sys, io: 0x2f8, irq: 3, backend: null }
```

    millwright lint two.yaml   # silent
    millwright run two.yaml --set kernel=vmlinuz
    tools/check

`millwright devices`, `unit.core.space`, `golden.*`, `core/device.h`, `cmake --workflow --preset dev`
"""
# what is planted, in place of what, and what is said
FAULTS = (
    ("at: nowhere", "at: sys", "lint says: two.yaml:7:"),
    ("param: 1\ndevices:", "devices:", "lint says: two.yaml:6:"),
    ("irq: 4", "irq: 3", "lint says: two.yaml:7:"),
    ("# bad\nformat", "format", "marked as bad, but lint finds no error"),
    ("devices: {}\nformat", "format", "a yaml block is a whole file"),
    ("format: plan/1", "format: machine/1", "format is none that is known"),
    ("lint three.yaml", "lint two.yaml", "`millwright lint three.yaml` ends with 2"),
    ("lint --wide two.yaml", "lint two.yaml", "`millwright lint --wide two.yaml` ends with 2"),
    ("run --krnel x two.yaml", "run two.yaml", "`millwright run --krnel x two.yaml"),
    ("`millwright gadgets`", "`millwright devices`", "there is no verb `millwright gadgets`"),
    ("`unit.core.room`", "`unit.core.space`", "there is no test `unit.core.room`"),
    ("`core/devices.h`", "`core/device.h`", "there is no `core/devices.h`"),
    ("tools/chek", "tools/check", "`tools/chek` cannot be called"),
    ("--preset dove", "--preset dev", "there is no workflow preset `dove`"),
)


def check_planted(facts):
    """A document without a fault has no finding, and each fault has its own."""
    marked = GOOD.replace("```yaml\n", "```yaml\n# bad\n").replace("0x2f8", "0x3f8")
    failed = [f"a good document: {line}" for text in (GOOD, marked)
              for line in findings(facts, "planted.md", text) if "`millwright " not in line]
    failed += [line for line in findings(facts, "planted.md", GOOD) if "`millwright " in line]
    for bad, good, expected in FAULTS:
        text = GOOD.replace(good, bad, 1)
        found = findings(facts, "planted.md", text)
        if text == GOOD or not any(expected in line for line in found):
            failed.append(f"planted `{bad}`, expected `{expected}`, found {found}")
    return failed


def main():
    facts = Facts(*map(os.path.abspath, sys.argv[1:]))
    found, blocks = check_planted(facts), 0
    for path, text in documents():
        found += findings(facts, path, text)
        blocks += len(re.findall(r"^```ya?ml$", text, re.M))
    if not blocks:
        found.append("no YAML block was found in any document")
    print("\n".join([*found, f"{blocks} YAML blocks, {len(FAULTS)} planted faults, "
                     f"{len(found)} finding(s)"]))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
