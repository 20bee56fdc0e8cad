#!/usr/bin/env python3
"""codes.py: every rule has a case here that shows it and, where it can be mended, its fix; and the
case with 25 mistakes tells 25. A rule that nothing can show yet is listed with the reason."""
# SPDX-License-Identifier: MIT
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

# No case shows these, for as long as the reason holds.
LEFT_OUT = {
    "G203": "no device type of the registry opens a bus with addresses; unit.resolver.typecheck",
    "R306": "no device type drives a DMA channel; unit.resolver.claims",
    "G207": "there are no hot-plug ports",
    "F405": "there is no TPM",
    "F406": "there is no IDE controller",
    "X603": "there is no TPM and no seal; snapshots hold no keys",
    "X604": "there are no modules to sign",
    "X605": "there is no FFI",
    "X607": "no accelerator isolates",
    "C702": "`millwright abi` tells it, of two versions; tests/unit/tools",
    "C705": "`millwright restore` tells it, of a snapshot; unit.core.snapshot",
    "C706": "a plan's reader tells it; unit.resolver.plan_refuse",
    "P801": "there is no device that virtio could stand in for",
}
# What mends it, as the catalogue has it: `-` rules are not here.
FIXES = {
    "[safe fix": "Y002 Y004 Y005 Y007 S104 R303 A503 C701 C703",
    "[unsafe fix": "Y003 Y006 S101 S105 S106 S107 S108 G201 G205 R304 R308 R309 A502 P802",
    "[fill in": "S109 F401 F403 F404 X602",
}
# A fix is no byte edit of a profile (a file's mode), or another folder tests it.
NO_FIX = {}


def codes():
    with open(os.path.join(ROOT, "core", "rules.c"), encoding="utf-8") as file:
        return re.findall(r'\{ "([A-Z]\d{3})", "', file.read())


def cases():
    """Name of a case to the findings of its `expected`."""
    found = {}
    for name in sorted(os.listdir(HERE)):
        path = os.path.join(HERE, name, "expected")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                found[name] = re.split(r"\n(?=(?:error|warning|hint)\[)", file.read())
    return found


def code_of(finding):
    match = re.match(r"(?:error|warning|hint)\[([A-Z]\d{3})\]", finding)
    return match.group(1) if match else ""


def check_shown(shown):
    for code in codes():
        if code in LEFT_OUT and code in shown:
            yield f"{code} is shown and need not be in LEFT_OUT any more"
        if code not in LEFT_OUT and code not in shown:
            yield f"{code} is shown by no case"
    for code in LEFT_OUT:
        if code not in codes():
            yield f"{code} of LEFT_OUT is no rule"


def check_fixes(shown):
    for mark, names in FIXES.items():
        for code in names.split():
            if code in LEFT_OUT or code in NO_FIX or code not in shown:
                continue
            if not any("  " + mark in finding for finding in shown[code]):
                yield f"{code}: no case shows its fix ({mark}])"


def check_25(findings):
    mistakes = [finding for finding in findings if finding.startswith("error[")]
    lines = [re.search(r"--> \S+:(\d+):", finding).group(1) for finding in mistakes]
    if len(findings) != 25 or len(mistakes) != 25:
        yield f"twenty_five has {len(findings)} findings, {len(mistakes)} of them errors"
    path = os.path.join(HERE, "twenty_five", "profile.yaml")
    with open(path, encoding="utf-8") as file:
        planted = [(str(number), match.group(1)) for number, line in enumerate(file, 1)
                   for match in [re.search(r"# \d+ ([A-Z]\d{3})$", line)] if match]
    if planted != list(zip(lines, map(code_of, mistakes))):
        yield "twenty_five: the findings are not those that its comments plant"


def main():
    found = cases()
    shown = {}
    for findings in found.values():
        for finding in findings:
            shown.setdefault(code_of(finding), []).append(finding)
    faults = [*check_shown(shown), *check_fixes(shown), *check_25(found["twenty_five"])]
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
