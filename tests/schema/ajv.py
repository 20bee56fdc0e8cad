#!/usr/bin/env python3
"""ajv.py MILLWRIGHT: ajv takes every shipped file by the schema of its kind, and what the tools write,
but with no key misspelt; refuses the bad profiles
that `rejected` lists and every line of `wrong_forms`, and takes the profiles whose mistakes no schema
can know."""
# SPDX-License-Identifier: MIT
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import npm

# Findings of shape, which a schema may or may not see, and of YAML itself.
SHAPE = r"(Y\d+|S101|S102|S103|S107|S110|S117|S118)$"

SETTINGS = """select: [S, X, R3]
ignore: X602
severity: { X601: hint, X: off }
per-file:
  "old/*": { ignore: [R, S103] }
profile_path: [profiles, /usr/share/x]
module_path: modules
trust: []
fail_on: warning
format: concise
baseline: known.yaml
x-owner: { anything: here }
"""
# The keys that `misspelt` spells wrongly; `format` and the ids of maps are none of them.
KEYS = {"frozen.abi.yaml": ("name", "versions", "with", "sha256", "text"),
        "known.yaml": ("findings", "code", "file", "node", "message"),
        ".millwright.yaml": ("select", "ignore", "severity", "per-file", "profile_path", "module_path",
                             "trust", "fail_on", "format", "baseline")}


def shipped():
    found = [path for pattern in ("profiles/**/*.yaml", "chipsets/**/*.yaml", "tests/golden/*.yaml",
                                  "tests/boot/*.yaml", "tests/diff/*.yaml")
             for path in glob.glob(os.path.join(npm.ROOT, pattern), recursive=True)]
    return sorted(path for path in found if re.match(r"format: ", open(path, encoding="utf-8").read()))


def lines(name):
    with open(os.path.join(npm.HERE, name), encoding="utf-8") as file:
        return [line.strip() for line in file if line.strip() and not line.startswith("#")]


def wrong_forms(folder):
    """Each wrong line as a machine file of its own: path to line."""
    made = {}
    for number, line in enumerate(lines("wrong_forms")):
        path = os.path.join(folder, f"wrong{number}.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"format: machine/1\nname: wrong\n{line}\n")
        made[path] = line
    return made


def semantic(folder):
    """Whether all that is wrong with a profile of tests/bad is beyond shapes."""
    path = os.path.join(folder, "expected")
    if not os.path.exists(path):
        return False
    with open(path, encoding="utf-8") as file:
        codes = re.findall(r"^(?:error|warning|hint)\[([A-Z]\d+)\]", file.read(), re.M)
    return codes and not any(re.match(SHAPE, code) for code in codes)


def locked(program, folder):
    """A lock file as `millwright lock` writes it."""
    profile = os.path.join(folder, "microvm.yaml")
    shutil.copy(os.path.join(npm.ROOT, "profiles/microvm.yaml"), profile)
    subprocess.run([program, "lock", profile], check=True, stdout=subprocess.PIPE,
                   stderr=subprocess.STDOUT, timeout=120)
    return os.path.join(folder, "microvm.lock.yaml")


def run(program, *words, status):
    done = subprocess.run([program, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, timeout=120)
    if done.returncode != status:
        sys.exit(f"{words}: {done.returncode}, {done.stdout}")


def written(program, folder):
    """Files that only tools read: frozen versions, a baseline, settings with every key."""
    profile, baseline = os.path.join(folder, "frozen.yaml"), os.path.join(folder, "known.yaml")
    settings = os.path.join(folder, ".millwright.yaml")
    shutil.copy(os.path.join(npm.ROOT, "profiles/microvm.yaml"), profile)
    run(program, "abi", "freeze", "--text", "--with", "cpus=2", profile, status=0)
    shutil.copy(os.path.join(npm.ROOT, "tests/bad/window_missing/profile.yaml"),
                os.path.join(folder, "bad.yaml"))
    run(program, "lint", "--no-config", "--baseline", baseline, "--baseline-write",
        os.path.join(folder, "bad.yaml"), status=0)
    with open(settings, "w", encoding="utf-8") as file:
        file.write(SETTINGS)
    with open(baseline, encoding="utf-8") as file:
        assert "- code: " in file.read(), "the baseline is empty"
    run(program, "lint", "--config", settings, profile, status=0)
    return [os.path.join(folder, "frozen.abi.yaml"), baseline, settings]


def misspelt(made):
    """Each with each of its keys spelt wrongly in turn: path to the key."""
    wrong = {}
    for path in made:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for key in KEYS[os.path.basename(path)]:
            bad = os.path.join(os.path.dirname(path), f"{key}.{os.path.basename(path).lstrip('.')}")
            changed = re.sub(rf"(?m)^([ {{-]*|.*[{{] ){key}:", rf"\1{key}x:", text, count=1)
            if changed == text:
                sys.exit(f"{path} has no key `{key}`")
            with open(bad, "w", encoding="utf-8") as file:
                file.write(changed)
            wrong[bad] = f"{key}x: in {os.path.basename(path)}"
    return wrong


def validate(modules, schemas, files):
    environment = dict(os.environ, NODE_PATH=modules)
    done = subprocess.run(["node", os.path.join(npm.HERE, "validate.js"), schemas, *files],
                          env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False, timeout=240)
    if done.returncode:
        sys.exit(f"validate.js:\n{done.stderr}")
    return {row["file"]: row for row in map(json.loads, done.stdout.splitlines())}


def main():
    modules = npm.modules()
    bad = sorted(glob.glob(os.path.join(npm.ROOT, "tests/bad/*/profile.yaml")))
    names = {path: os.path.basename(os.path.dirname(path)) for path in bad}
    good, refused, faults = shipped(), lines("rejected"), []
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[1], "schema", "--all", folder], check=True, timeout=120)
        good.append(locked(sys.argv[1], folder))
        good.append(os.path.join(npm.HERE, "forms.yaml"))
        made = written(sys.argv[1], folder)
        good += made
        wrong = {**wrong_forms(folder), **misspelt(made)}
        rows = validate(modules, folder, good + bad + list(wrong))
    for path in good:
        if rows[path]["state"] != "fits":
            faults.append(f"{path}: {rows[path]['state']}: {rows[path]['errors'][:3]}")
    for path, line in wrong.items():
        if rows[path]["state"] != "differs":
            faults.append(f"not refused: {rows[path]['state']}: {line}")
    for name in sorted(set(refused) - set(names.values())):
        faults.append(f"rejected: there is no tests/bad/{name}")
    for path, name in names.items():
        state = rows[path]["state"]
        if name in refused and state != "differs":
            faults.append(f"tests/bad/{name}: {state}, and `rejected` says that it is refused")
        elif name not in refused and state == "differs" and semantic(os.path.dirname(path)):
            faults.append(f"tests/bad/{name}: refused for no mistake of shape: {rows[path]['errors'][:3]}")
    if faults:
        sys.exit("\n".join(faults))
    fitting = sum(rows[path]["state"] == "fits" for path in bad)
    print(f"{len(good)} files fit, {len(refused)} bad profiles are refused, {fitting} have no mistake of shape")


if __name__ == "__main__":
    main()
