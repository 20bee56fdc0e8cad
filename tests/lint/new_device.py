#!/usr/bin/env python3
"""tools/new-device in a copy of the tree: what it writes is in order, builds without a warning,
passes its own tests and the contract suite, and is tested well enough to fail when it is broken."""
# SPDX-License-Identifier: MIT
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SUMMARY = "what a test makes: one line of just as many characters as there is room for it"
# folder, name, summary: the shortest, one with a dash, the longest
MADE = (("serial", "a", "x"), ("legacy", "plain-chip", "a chip of \N{MICRO SIGN}s & 100% plain"),
        ("interrupt", "zz-of-twenty-four-letter", SUMMARY))
# arguments, what is said
REFUSED = (
    (("serial", "uart16550", "x"), "there is a device `uart16550` already: devices/serial/uart16550.c"),
    (("legacy", "uart16550", "x"), "already: devices/serial/uart16550.c"),
    (("serial", "image-file", "x"), "already: devices/backend/image_file.c"),
    (("serial", "small", "x"), "tests/unit/devices/test_small.c is there already"),
    (("nowhere", "mychip", "x"), "no folder devices/nowhere; there are "),
    (("../core", "mychip", "x"), "no folder devices/../core"),
    (("backend", "mychip", "x"), "a backend is no chip"),
    (("serial", "MyChip", "x"), "`MyChip` is no name"),
    (("serial", "my_chip", "x"), "`my_chip` is no name"),
    (("serial", "8250", "x"), "`8250` is no name"),
    (("serial", "a/b", "x"), "`a/b` is no name"),
    (("serial", "", "x"), "`` is no name"),
    (("serial", "mychip-", "x"), "`mychip-` is no name"),
    (("serial", "m" * 25, "x"), "has 25 characters; 24 are enough"),
    (("serial", "int", "x"), "means something in C"),
    (("serial", "mw-line", "x"), "means something in C or to core"),
    (("serial", "mychip", ""), "SUMMARY is one line of text"),
    (("serial", "mychip", "two\nlines"), "SUMMARY is one line of text"),
    (("serial", "mychip", "a sentence."), "no full stop"),
    (("serial", "mychip", 'a "chip"'), 'in a C string and a comment; `"` cannot'),
    (("serial", "mychip", "x */ int y; /*"), "in a C string and a comment; `/*` cannot"),
    (("serial", "mychip", "x" * 79), "SUMMARY has 79 characters; 78 fit"),
    (("serial", "mychip"), "usage: tools/new-device FOLDER NAME"),
    ((), "usage: tools/new-device FOLDER NAME"),
)
LISTS = (("devices/registry.def", r"^MW_BUILTIN\((\w+)_type\)$"),
         ("devices/CMakeLists.txt", r"^\t(\S+)\.c$"),
         ("tests/unit/devices/CMakeLists.txt", r"^mw_test\(unit\.devices\.(\S+) "))
failures = []


def check(good, what):
    if not good:
        failures.append(what)
        print(f"FAILED: {what}")
    return good


def run(*command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, stdin=subprocess.DEVNULL, **options)


def tree_files():
    """What is or may become part of the tree: no build, nothing that git ignores."""
    found = run("git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if found.returncode == 0:
        return sorted(set(found.stdout.split("\0")) - {""})
    names = []
    for folder, inner, entries in os.walk(ROOT):
        inner[:] = [name for name in inner if name not in ("build", ".git", "__pycache__")]
        names += [os.path.relpath(os.path.join(folder, entry), ROOT) for entry in entries]
    return sorted(names)


def copy_tree(tree):
    for name in tree_files():
        source, target = os.path.join(ROOT, name), os.path.join(tree, name)
        if os.path.isfile(source):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(source, target)


def contents(tree):
    """Every file's bytes, by path; the build apart."""
    texts = {}
    for folder, inner, entries in os.walk(tree):
        inner[:] = [name for name in inner if name != "build"]
        for entry in entries:
            with open(os.path.join(folder, entry), "rb") as file:
                texts[os.path.relpath(file.name, tree)] = file.read()
    return texts


def new_device(tree, arguments):
    return run(sys.executable, "-B", os.path.join(tree, "tools/new-device"), *arguments)


def c_name(name):
    return name.replace("-", "_")


def files_of(folder, name):
    return [f"devices/{folder}/{c_name(name)}.c", f"tests/unit/devices/test_{c_name(name)}.c"]


def seed_of(name):
    return f"tests/fuzz/corpus/registers/{name}"


def check_refusals(tree):
    before = contents(tree)
    for arguments, expected in REFUSED + tuple((made, "already") for made in MADE):
        result = new_device(tree, arguments)
        check(result.returncode != 0 and expected in result.stdout,
              f"{arguments} should be refused with `{expected}`, not {result.returncode}: "
              f"{result.stdout}")
        check("Traceback" not in result.stdout, f"{arguments} is not expected at all")
    check(contents(tree) == before, "a refusal leaves something behind")


def check_made(tree):
    for folder, name, summary in MADE:
        before = contents(tree)
        result = new_device(tree, (folder, name, summary))
        check(result.returncode == 0, f"{name}: {result.stdout}")
        after = contents(tree)
        changed = {path for path in after if before.get(path) != after[path]}
        expected = {*files_of(folder, name), seed_of(name), *(path for path, _ in LISTS), "CHANGELOG.md"}
        check(changed == expected, f"{name}: changed are {sorted(changed)}")
        *said, step = result.stdout.splitlines()
        check(changed == set(said), f"{name}: said are {said}")
        check(f"unit.devices.{c_name(name)}|contract.registry" in step, f"{name}: next is {step}")
        check(before.keys() <= after.keys(), f"{name}: a file is gone")


def check_lists(tree):
    texts = contents(tree)
    for path, pattern in LISTS:
        names = re.findall(pattern, texts[path].decode(), re.M)
        check(names == sorted(names, key=lambda name: name.replace("_", "-")),
              f"{path} is not sorted: {names}")
        for _, name, _ in MADE:
            check([os.path.basename(entry) for entry in names].count(c_name(name)) == 1,
                  f"{path} does not name {name} once")
    changes = texts["CHANGELOG.md"].decode()
    newest = changes[changes.index("\n- ") + 1:].split("\n- ")[0]
    check(newest.replace("\n  ", " ") == f"- Device `{MADE[-1][1]}`: {SUMMARY}.",
          f"CHANGELOG.md begins with {newest}")
    check(max(map(len, newest.splitlines())) <= 100, "a line of CHANGELOG.md is too long")


def check_rules(tree):
    """The house rules, for the new files; what others have in the works is not this test's."""
    mine = [path for folder, name, _ in MADE for path in files_of(folder, name)]
    for rule in ("layers", "banned", "notes", "house", "format"):
        result = run(sys.executable, "-B", os.path.join(tree, "tests/lint/lint.py"), rule, "--root",
                     tree)
        check(result.returncode in (0, 1, 77), f"lint.{rule} ends with {result.returncode}")
        for line in result.stdout.splitlines():
            check(not line.startswith(tuple(mine)), f"lint.{rule}: {line}")
    texts = contents(tree)
    for path in mine:
        wide = [line for line in texts[path].decode().splitlines()
                if len(line.expandtabs(8)) > 100]
        check(not wide, f"{path}: over 100 columns: {wide}")
    tidy = shutil.which("clang-tidy-14")
    if tidy:
        result = run(tidy, "--quiet", "-p", os.path.join(tree, "build"), os.path.join(tree, mine[0]))
        check(result.returncode == 0, f"clang-tidy: {result.stdout}")


def tests_of_made():
    return [f"unit.devices.{c_name(name)}" for _, name, _ in MADE]


def build(tree, *targets):
    return run("cmake", "--build", os.path.join(tree, "build"), "--target", *targets)


def ctest(tree, *names):
    pattern = "|".join(name.replace(".", r"\.") for name in names)
    return run("ctest", "--test-dir", os.path.join(tree, "build"), "--output-on-failure",
               "--no-tests=error", "-R", f"^({pattern})$")


def check_build(tree):
    result = run("cmake", "-S", tree, "-B", os.path.join(tree, "build"), "-G", "Ninja",
                 "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_C_FLAGS_DEBUG=-O0", "-DMW_WERROR=ON")
    if not check(result.returncode == 0, f"configure: {result.stdout[-3000:]}"):
        return
    names = [*tests_of_made(), "contract.registry"]
    result = build(tree, *names)
    if not check(result.returncode == 0, f"build: {result.stdout[-3000:]}"):
        return
    with open(os.path.join(tree, "build/tests/contract.registry"), "rb") as program:
        check(SUMMARY.encode() in program.read(), "the contract suite does not know the new type")
    result = ctest(tree, *names)
    check(result.returncode == 0 and f"out of {len(names)}" in result.stdout,
          f"tests: {result.stdout[-3000:]}")
    check_faults(tree)


# What is broken in the device, and the test that has to see it.
FAULTS = (("set_bits(&chip->status, DONE)", "set_bits(&chip->status, 0)", 0),
          ("clear_bits(&chip->status, (uint32_t)value)", "clear_bits(&chip->status, 0)", 0),
          ("(chip->control & IRQ_ENABLED) && ", "", 0),
          ("to be acknowledged.", "to be acknowledged", 1))


def check_faults(tree):
    path = os.path.join(tree, files_of(*MADE[0][:2])[0])
    with open(path, encoding="utf-8") as file:
        text = file.read()
    names = (tests_of_made()[0], "contract.registry")
    for good, bad, test in FAULTS:
        check(text.count(good) == 1, f"the template has no `{good}` to break")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(good, bad))
        result = build(tree, names[test])
        check(result.returncode == 0, f"build with a fault: {result.stdout[-3000:]}")
        check(ctest(tree, names[test]).returncode != 0, f"{names[test]} passes with `{bad}`")


def main():
    with tempfile.TemporaryDirectory() as tree:
        copy_tree(tree)
        check_made(tree)
        check_refusals(tree)
        check_lists(tree)
        check_build(tree)
        check_rules(tree)
    print(f"{len(MADE)} devices made, {len(REFUSED) + len(MADE)} refused, {len(FAULTS)} faults "
          f"planted; {len(failures)} failure(s)")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
