#!/usr/bin/env python3
"""traps.py MEASURE MILLWRIGHT: what YAML does behind a writer's back, row by row as the language's paper lists it.
Each ends in a clear error with its rule, at the place where it was written, and in little memory."""
# SPDX-License-Identifier: MIT
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import measuring  # noqa: E402

HEAD = "format: machine/1\nname: trap\nversion: 1\nextends: machine/microvm@1\n"
PARAMS = HEAD + "params:\n  usb: { type: bool, default: true }\n  n: { type: int, default: 1 }\n"
USES = "checks: [{ that: usb or n == 0, say: used }]\n"
MEGABYTE = 1 << 20
MOST_KIB = 16 * 1024  # of the whole process


def laughs(levels):
    """Each level names the one before ten times."""
    lines = ["x-a0: &a0 [lol]"]
    lines += [f"x-a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, levels)]
    return HEAD + "\n".join(lines) + "\n"


# Name, text, and the `line: CODE` of the first finding of that line.
TRAPS = (
    ("no for a bool", PARAMS.replace("default: true", "default: no") + USES, "6: Y005"),
    ("on for a bool", PARAMS.replace("default: true", "default: on") + USES, "6: Y005"),
    ("on as a key", HEAD + "devices:\n  com1: { on: isa }\n", "6: S101"),
    ("octal or decimal", PARAMS.replace("default: 1 }", "default: 0700 }") + USES, "7: Y006"),
    ("a float", PARAMS.replace("default: 1 }", "default: 1.10 }") + USES, "7: S102"),
    ("an exponent", PARAMS.replace("default: 1 }", "default: 1e3 }") + USES, "7: S102"),
    ("a version as a float", HEAD.replace("version: 1", "version: 1.10"), "3: S102"),
    ("an address in base 60", HEAD + "params: { m: { type: mac, default: 52:54:00:12:34 } }\n"
     "checks: [{ that: has(m), say: used }]\n", "5: S102"),
    ("a bus address in base 60", HEAD + "devices:\n  d: { type: uart16550, at: 02:01 }\n", "6: G201"),
    ("duplicate keys", HEAD + "devices:\n  com1: { irq: 4, irq: 5 }\n", "6: Y001"),
    ("duplicate nodes", HEAD + "devices:\n  com1: { irq: 4 }\n  com1: { irq: 5 }\n", "7: Y001"),
    ("a billion laughs", laughs(9), "5: Y002"),
    ("an anchor in itself", HEAD + "x-a: &a [*a]\n", "5: Y002"),
    ("a merge key", HEAD + "x-b: &b { irq: 4 }\ndevices:\n  com1: { <<: *b }\n", "7: Y002"),
    ("brackets, a megabyte", "[" * MEGABYTE, "1: Y010"),
    ("braces, a megabyte", HEAD + "x-a: " + "{a: " * (MEGABYTE // 4), "5: Y010"),
    ("indents", HEAD + "\n".join(" " * i + "x-a:" for i in range(1400)), "37: Y010"),
    ("dashes, a megabyte", HEAD + "x-a:\n" + "- " * (MEGABYTE // 2), "6: Y010"),
    ("an at sign", HEAD + "devices:\n  com1: { at: @x }\n", "6: Y004"),
    ("a tag", HEAD + "devices:\n  com1: { when: !usb }\n", "6: Y003"),
    ("an alias", HEAD + "devices:\n  com1: { at: *x }\n", "6: Y002"),
    ("a question mark", HEAD + "devices:\n  com1: { irq: 4 ? 5 : 6 }\n", "6: Y00"),
    ("a call with a comma", HEAD + "x-bind: { call: rd(self, off) }\n", "5: Y007"),
    ("a command line with a comma",
     HEAD + "boot: { cmdline: console=ttyS0,115200 root=/dev/vda }\n", "5: Y007"),
    ("brackets of an address in flow",
     HEAD + "devices:\n  com1: { backend: { unix: tcp:[::1]:55 } }\n", "6: Y00"),
    ("a tab for an indent", HEAD + "devices:\n\tcom1: { irq: 5 }\n", "6: Y00"),
)


def lint(measure, program, text):
    """What it cost, and what was said."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "trap.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        cost = measuring.run(measure, [program, "lint", "--format", "concise", path])
        return cost, cost.output.replace(path, "trap.yaml")


def judge(measure, program, text, wanted):
    """None, or what is wrong."""
    line, code = wanted.split(": ")
    cost, said = lint(measure, program, text)
    own = [row for row in said.splitlines() if row.startswith(f"trap.yaml:{line}:")]
    if cost.status != 1:
        return f"status {cost.status}\n{said}"
    if not any(f" {code}" in row or f"[{code}" in row for row in own):
        return f"no {code} in line {line}\n{said}"
    if len(said) > 64 * 1024:
        return f"{len(said)} bytes of findings"
    if cost.kib > MOST_KIB and not sanitized(program):
        return f"{cost.kib} KiB of memory"
    return None


def sanitized(program):
    with open(program, "rb") as file:
        return b"__asan_init" in file.read()


def main():
    measure, program = sys.argv[1:]
    failed = 0
    for name, text, wanted in TRAPS:
        fault = judge(measure, program, text, wanted)
        failed += fault is not None
        print(f"{'not ok' if fault else 'ok'} - {name}")
        if fault:
            print("# " + fault[:2000].replace("\n", "\n# "))
    print(f"1..{len(TRAPS)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
