#!/usr/bin/env python3
"""lint.py CHECK [--root FOLDER]: the house rules that a compiler does not know. Prints one line per
finding, `file:line: what`, and ends with 1 when there are any, with 77 where a tool is missing."""
# SPDX-License-Identifier: MIT
import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys

LAYERS = ("core", "resolver", "devices", "accel", "tools", "tests")
FOLDERS = ("core", "resolver", "devices", "chipsets", "profiles", "schemas", "accel", "tools",
           "tests")
DATA = ("chipsets", "profiles", "schemas")
TOP = {"CMakeLists.txt", "CMakePresets.json", "README.md", "CONTRIBUTING.md", "CHANGELOG.md",
       "LICENSE", *FOLDERS}
# Which of our folders a folder may include, itself apart.
MAY_INCLUDE = {"core": (), "resolver": ("core",), "devices": ("core",), "accel": ("core",),
               "tools": ("core", "resolver", "devices", "accel"), "tests": LAYERS}
# A library's headers and the one place that wraps it; tests may look at any.
WRAPPED = ((r"yaml\.h", r"resolver/", "libyaml"), (r"uv(/.*)?\.h", r"core/loop", "libuv"),
           (r"mbedtls/.*", r"(core/trust|devices/backend/)", "mbedtls"),
           (r"ffi\.h", r"devices/modules/", "libffi"), (r"linux/kvm\.h", r"accel/kvm/", "KVM"),
           (r"Zydis/.*", r"accel/soft/trace", "Zydis"),
           (r"zlib\.h", r"devices/backend/rfb_deflate", "zlib"),
           (r"png\.h", r"devices/backend/png_file", "libpng"),
           (r"jansson\.h", r"tools/(control|lsp)/", "jansson"),
           (r"expat\.h", r"tools/import/", "expat"))
BANNED = {"sprintf": "snprintf", "vsprintf": "vsnprintf", "strcpy": "a length and memcpy",
          "strcat": "snprintf", "strncpy": "a length and memcpy", "atoi": "strtoul and a check",
          "gets": "fgets"}
ALLOCATORS = ("malloc", "calloc", "realloc", "strdup", "alloca")


class Skip(Exception):
    """A tool is missing."""


def files(root, *suffixes, folders=LAYERS):
    """Paths below the folders, relative to root, sorted."""
    found = []
    for folder in folders:
        for path, names, entries in os.walk(os.path.join(root, folder)):
            names[:] = [name for name in names if name not in ("build", "__pycache__", "corpus")]
            found += [os.path.relpath(os.path.join(path, entry), root) for entry in entries
                      if entry.endswith(suffixes)]
    return sorted(found)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def blank(match):
    """What a comment or string becomes: nothing but its line ends."""
    return re.sub(r"[^\n]", " ", match.group(0))


def code_only(text):
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text,
                  flags=re.S)


def includes(text):
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if match:
            yield number, match.group(1) == '"', match.group(2)


def layer_fault(path, name):
    """Why the file at `path` may not include our header `name`, or None."""
    folder, target = path.split("/")[0], name.split("/")[0]
    if folder == "tests":
        return None
    if "/" not in name or target not in FOLDERS or ".." in name:
        return f"include by the path from the root, not \"{name}\""
    if target == folder:
        return sibling_fault(path, name)
    if target not in MAY_INCLUDE[folder]:
        return f"{folder} may not include {target}/"
    if name.endswith("_internal.h"):
        return f"{name} is private to {target}"
    return None


# Parts that several chips have in them.
PARTS = ("devices/legacy/pm1.h",)


def sibling_fault(path, name):
    """Chips do not know each other, hypervisors neither; a chip's own headers are its own."""
    here, there = os.path.dirname(path), os.path.dirname(name)
    folder = path.split("/")[0]
    # Backends are host code, not chips: what two of them share lives beside them.
    shared = here == there == "devices/backend" or name in PARTS
    if folder == "devices" and there not in ("devices", "devices/bus") and not shared:
        stem = os.path.splitext(os.path.basename(name))[0]
        stem = stem[:-len("_internal")] if stem.endswith("_internal") else stem
        mine = os.path.splitext(os.path.basename(path))[0]
        if here != there or not (mine == stem or mine.startswith(stem + "_")):
            return f"a device may not include its sibling {name}"
    if folder == "accel":
        # A hypervisor's folder may have folders of its own; the local APIC is a part for all of them.
        mine, theirs = here.split("/")[:2], there.split("/")[:2]
        if mine != ["accel"] and theirs not in (["accel"], ["accel", "apic"], mine):
            return f"{'/'.join(mine)} may not include {'/'.join(theirs)}/"
    return None


def check_layers(root):
    for path in files(root, ".c", ".h", ".def"):
        for number, ours, name in includes(read(root, path)):
            if ours:
                fault = layer_fault(path, name)
                if fault:
                    yield f"{path}:{number}: {fault}"
                continue
            for pattern, place, library in WRAPPED:
                if re.fullmatch(pattern, name) and not re.match(place + "|tests/", path):
                    yield f"{path}:{number}: {library} is wrapped elsewhere; not for this file"
    for path in files(root, ".c", ".h", ".cmake", "CMakeLists.txt", folders=DATA):
        yield f"{path}:1: {path.split('/')[0]} holds data only"


def check_banned(root):
    calls = re.compile(r"\b(" + "|".join(BANNED) + r")\s*\(")
    allocations = re.compile(r"\b(" + "|".join(ALLOCATORS) + r")\s*\(")
    for path in files(root, ".c", ".h", ".def"):
        for number, line in enumerate(code_only(read(root, path)).splitlines(), 1):
            for match in calls.finditer(line):
                name = match.group(1)
                yield f"{path}:{number}: {name} is banned; use {BANNED[name]}"
            if path.startswith("devices/"):
                for match in allocations.finditer(line):
                    yield f"{path}:{number}: no {match.group(1)} in devices; core owns the memory"


def check_notes(root):
    note = re.compile(r"\b(TODO|FIXME|XXX)\b(?!\(#\d+\))")
    paths = files(root, ".c", ".h", ".def", ".py", ".yaml", ".md", "CMakeLists.txt",
                  folders=FOLDERS)
    paths += [p for p in files(root, "", folders=("tools", ".ci"))
              if "." not in os.path.basename(p)]
    for path in sorted(set(paths)):
        if path.startswith("tests/lint/"):
            continue
        for number, line in enumerate(read(root, path).splitlines(), 1):
            match = note.search(line)
            if match:
                yield f"{path}:{number}: {match.group(1)} without an issue; write TODO(#12)"


SEEDS = "tests/fuzz/corpus/registers"


def check_house(root):
    for path in files(root, ".c", ".h"):
        head = read(root, path).splitlines()[:8]
        if not head or not head[0].startswith("/*"):
            yield f"{path}:1: a file opens with one sentence on what it is"
        if "// SPDX-License-Identifier: MIT" not in head:
            yield f"{path}:1: no line `// SPDX-License-Identifier: MIT` after the first comment"
    for folder in FOLDERS:
        path = f"{folder}/README.md"
        if not os.path.exists(os.path.join(root, path)):
            yield f"{path}:1: every folder has a README"
        elif not 5 <= len(read(root, path).splitlines()) <= 40:
            yield f"{path}:1: a README has 5 to 12 lines, and not more than 40 with its reasons"
    registry = "devices/registry.def"
    types = read(root, registry) if os.path.exists(os.path.join(root, registry)) else ""
    for name in re.findall(r"^MW_BUILTIN\((\w+)_type\)", types, re.MULTILINE):
        if not os.path.exists(os.path.join(root, SEEDS, name.replace("_", "-"))):
            yield f"{registry}:1: {name} has no seed in {SEEDS}"
    for name in sorted(os.listdir(root)):
        if not name.startswith(".") and name not in TOP | {"build"}:
            yield f"{name}:1: does not belong at the top level"


def tool(*names):
    for name in names:
        if shutil.which(name):
            return name
    raise Skip(f"{names[-1]} is not installed")


def output(command, **options):
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                         check=False, **options)
    return run.returncode, run.stdout


def check_format(root):
    program = tool("clang-format-14", "clang-format")
    version = output([program, "--version"])[1].strip()
    if not re.search(r"version 14\.", version):
        raise Skip(f"clang-format 14 is pinned, here is {version}")
    paths = files(root, ".c", ".h")
    status, text = output([program, "--dry-run", "--Werror", "--style=file", *paths], cwd=root)
    if status:
        found = dict.fromkeys(re.findall(r"^([^\s:]+:\d+):\d+: error:", text, re.M))
        yield from [f"{place}: not as clang-format 14 writes it" for place in found] or [text]


def check_headers(root):
    compilers = [name for name in ("gcc", "clang") if shutil.which(name)]
    if not compilers:
        raise Skip("neither gcc nor clang is installed")
    flags = ["-fsyntax-only", "-x", "c", "-std=c17", "-D_GNU_SOURCE", "-I.", "-Wall", "-Wextra",
             "-Wpedantic", "-Wno-unused-parameter", "-Wno-missing-field-initializers", "-Werror",
             "-"]
    jobs = [(path, compiler) for path in files(root, ".h") for compiler in compilers]

    def compile_alone(job):
        path, compiler = job
        return job, output([compiler, *flags], input=f'#include "{path}"\n', cwd=root)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for (path, compiler), (status, text) in pool.map(compile_alone, jobs):
            if status:
                error = re.search(r"(error: .*)", text)
                yield f"{path}:1: does not compile alone with {compiler}: " \
                      f"{error.group(1) if error else text}"


# How far the analyzer follows paths: deep enough to find what is planted, in an eighth of the time that its own
# default takes. MW_TIDY=deep leaves it to that.
TIDY_EXTRA = [] if os.environ.get("MW_TIDY") == "deep" else [
    "--extra-arg=" + word for word in ("-Xclang", "-analyzer-config", "-Xclang", "max-nodes=30000")]


def check_tidy(root, build):
    """A file that was clean is looked at again when it, a header or the settings have changed."""
    program = tool("clang-tidy-14", "clang-tidy")
    if not build or not os.path.exists(os.path.join(build, "compile_commands.json")):
        raise Skip("there is no compile_commands.json; configure a preset first")
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        commands = {entry["file"]: json.dumps(entry) for entry in json.load(file)}
    paths = [path for path in files(root, ".c", folders=LAYERS[:5])
             if os.path.join(root, path) in commands]
    settings = read(root, ".clang-tidy") + "".join(
        read(root, path) for path in files(root, ".h", ".def", folders=LAYERS[:5]))

    def tidy(path):
        full = os.path.join(root, path)
        key = hashlib.sha256((settings + str(TIDY_EXTRA) + commands[full] + read(root, path)).encode()).hexdigest()
        stamp = os.path.join(build, "tidy", key)
        if os.path.exists(stamp):
            return path, (0, "")
        status, text = output([program, "--quiet", "-p", build, *TIDY_EXTRA, full])
        if not status:
            os.makedirs(os.path.dirname(stamp), exist_ok=True)
            with open(stamp, "w", encoding="utf-8"):
                pass
        return path, (status, text)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, (status, text) in pool.map(tidy, paths):
            if status:
                lines = re.findall(r"^.*(?:error|warning): .*$", text, re.M)
                yield from sorted({line.replace(root + "/", "") for line in lines}) or \
                    [f"{path}:1: {text}"]


CHECKS = {"layers": check_layers, "banned": check_banned, "notes": check_notes,
          "house": check_house, "format": check_format, "headers": check_headers,
          "tidy": check_tidy}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("check", choices=sorted(CHECKS))
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument("--root", default=os.path.dirname(os.path.dirname(here)))
    parser.add_argument("--build")
    arguments = parser.parse_args()
    root = os.path.abspath(arguments.root)
    try:
        if arguments.check == "tidy":
            found = list(check_tidy(root, arguments.build))
        else:
            found = list(CHECKS[arguments.check](root))
    except Skip as reason:
        print(f"SKIP: {reason}")
        sys.exit(77)
    for line in found:
        print(line)
    print(f"{len(found)} finding(s)")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
