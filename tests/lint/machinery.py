#!/usr/bin/env python3
"""The test run's own tools: totals.py counts what passed, failed, was skipped and did not run at all;
initramfs packs the same bytes from the same content, whenever and in whatever order it was made."""
# SPDX-License-Identifier: MIT
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SUPPORT = os.path.join(os.path.dirname(HERE), "support")
PASSED = '<testcase name="a" status="run"><system-out>fine</system-out></testcase>'
HALF = ('<testcase name="b" status="run"><system-out>[ RUN      ] far_host\nSKIP: no /dev/kvm\n'
        '[  SKIPPED ] far_host\n[  SKIPPED ] 1 test(s), listed below:\n[  SKIPPED ] far_host\n'
        '</system-out></testcase>')
SKIPPED = ('<testcase name="c" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/>'
           '<system-out>SKIP: no iasl here</system-out></testcase>')
FAILED = ('<testcase name="d" status="fail"><failure message="1"/><system-out>it broke\n'
          '</system-out></testcase>')
LOST = ('<testcase name="e" status="notrun"><skipped message="Unable to find executable"/>'
        '<system-out></system-out></testcase>')
# files (None: there is none), last line, what else is printed
SUMS = (
    ([PASSED], "1 0 0", ""),
    ([PASSED + PASSED, PASSED], "3 0 0", ""),
    ([PASSED + HALF], "2 0 1", "skipped s0: b far_host: no /dev/kvm"),
    ([SKIPPED], "0 0 1", "skipped s0: c: no iasl here"),
    ([PASSED + FAILED], "1 1 0", "FAILED s0: d\n    it broke"),
    ([PASSED + LOST], "1 1 0", "FAILED s0: e"),
    ([""], "0 1 0", "FAILED s0: no tests were run"),
    ([PASSED, None], "1 1 0", "FAILED s1: no results"),
    ([PASSED + "<testcase"], "0 1 0", "FAILED s0: no results"),
)


def totals(folder, contents):
    arguments = []
    for number, content in enumerate(contents):
        path = os.path.join(folder, f"{number}.xml")
        if os.path.exists(path):
            os.remove(path)
        if content is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(f"<testsuite>{content}</testsuite>")
        arguments.append(f"s{number}={path}")
    return subprocess.run([sys.executable, "-B", os.path.join(SUPPORT, "totals.py"), *arguments],
                          stdout=subprocess.PIPE, text=True, check=True).stdout


def check_totals(folder):
    for contents, last, also in SUMS:
        text = totals(folder, contents)
        if text.splitlines()[-1] != last or also not in text:
            sys.exit(f"totals of {contents}: expected `{last}` and `{also}`, got:\n{text}")


def pack(folder, name, entries, when):
    """entries: [(path, content)] in the order they are made."""
    tree = os.path.join(folder, name)
    for path, content in entries:
        full = os.path.join(tree, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(content)
        os.utime(full, (when, when))
    archive = os.path.join(folder, name + ".gz")
    subprocess.run([os.path.join(SUPPORT, "initramfs"), tree, archive], check=True)
    with open(archive, "rb") as file:
        return file.read()


def check_initramfs(folder):
    entries = [("init", "x"), ("bin/b", "1"), ("bin/a", "2")]
    first = pack(folder, "one", entries, 1_000_000_000)
    if first != pack(folder, "two", entries[::-1], 1_500_000_000):
        sys.exit("the same content is packed into different bytes")
    if first == pack(folder, "three", entries[:2] + [("bin/a", "3")], 1_000_000_000):
        sys.exit("different content is packed into the same bytes")


def main():
    with tempfile.TemporaryDirectory() as folder:
        check_totals(folder)
        check_initramfs(folder)
    print(f"{len(SUMS)} sums and 3 archives are right")


if __name__ == "__main__":
    main()
