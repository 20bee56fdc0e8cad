#!/usr/bin/env python3
"""totals.py NAME=FILE...: adds up ctest's JUnit files and prints what failed, what was skipped and
why, then "PASSED FAILED SKIPPED" as numbers on the last line. A test function that a cmocka program
skipped counts as one skipped, beside its program. A file that is missing or holds no test is a
failure: a suite that did not run has not passed."""
# SPDX-License-Identifier: MIT
import re
import sys
import xml.etree.ElementTree

LINES = 50


def reason(text):
    found = re.search(r"^\W*(?:SKIP|skipped):? (.*)", text, re.M)
    return found.group(1).strip() if found else "no reason given"


def skipped_inside(text):
    """Functions a cmocka program skipped: its summary repeats them, so each name counts once."""
    return sorted(set(re.findall(r"^\[  SKIPPED \] ([A-Za-z_]\w*)", text, re.M)))


def add(suite, path, totals):
    try:
        cases = list(xml.etree.ElementTree.parse(path).getroot().iter("testcase"))
    except (OSError, xml.etree.ElementTree.ParseError) as error:
        print(f"FAILED {suite}: no results ({error})")
        totals[1] += 1
        return
    if not cases:
        print(f"FAILED {suite}: no tests were run")
        totals[1] += 1
    for case in cases:
        name, text = f"{suite}: {case.get('name')}", case.findtext("system-out") or ""
        status = case.get("status")
        if status == "run":
            totals[0] += 1
            for function in skipped_inside(text):
                totals[2] += 1
                print(f"skipped {name} {function}: {reason(text)}")
        elif status in ("notrun", "disabled") and case.find("skipped") is not None and \
                "SKIP_R" in case.find("skipped").get("message", ""):
            totals[2] += 1
            print(f"skipped {name}: {reason(text)}")
        else:
            totals[1] += 1
            print(f"FAILED {name}")
            print("\n".join("    " + line for line in text.splitlines()[-LINES:]))


def main():
    totals = [0, 0, 0]
    for argument in sys.argv[1:]:
        suite, _, path = argument.partition("=")
        add(suite, path, totals)
    print(*totals)


if __name__ == "__main__":
    main()
