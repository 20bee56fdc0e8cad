#!/usr/bin/env python3
"""install.py CMAKE BUILD: installs into a folder of its own and uses what is there from elsewhere: the
program finds its profiles, chipsets and CPU models, there and in a place it was moved to, and nothing of
them once they are gone. Man pages and completions are where programs look for them."""
# SPDX-License-Identifier: MIT
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MODEL = """format: machine/1
name: model
version: 1
summary: microvm on a CPU model that is a file
extends: machine/microvm@1
cpu: { model: x86-64-v1, tsc_khz: 1000000 }
"""


def run(*command, cwd="/"):
    """Status and output, with no hint from outside where anything is."""
    environment = {key: value for key, value in os.environ.items() if key != "MILLWRIGHT_PATH"}
    done = subprocess.run(command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout


def expect(good, what):
    if not good:
        sys.exit(what)


def data_files(folder):
    return sorted(os.path.relpath(os.path.join(path, name), folder)
                  for part in ("profiles", "chipsets")
                  for path, _, names in os.walk(os.path.join(folder, part)) for name in names)


def use(place, model, build):
    program = os.path.join(place, "bin/millwright")
    expect(run(program, "lint", "microvm") == (0, ""),
           f"{place}: lint says {run(program, 'lint', 'microvm')}")
    expect(run(program, "lint", model) == (0, ""), f"{place}: lint says {run(program, 'lint', model)}")
    words = ("resolve", "microvm", "--set", "kernel=vmlinuz", "--guest")
    ours = run(os.path.join(build, "millwright"), *words, cwd=ROOT)
    theirs = run(program, *words)
    expect(theirs[0] == 0 and theirs == ours, f"{place}: the plan is another:\n{theirs[1]}")


def manual(place):
    """Every verb has its page, and every shell its completions."""
    status, text = run(os.path.join(place, "bin/millwright"), "--help")
    verbs = re.findall(r"^  ([a-z]+) ", text.split("Verbs:\n")[1].split("\n\n")[0].split("Planned")[0], re.M)
    expect(status == 0 and "lint" in verbs, f"verbs: {verbs}")
    wanted = [f"man/man1/millwright-{verb}.1" for verb in verbs] + [
        "man/man1/millwright.1", "man/man5/millwright.5", "bash-completion/completions/millwright",
        "zsh/site-functions/_millwright", "fish/vendor_completions.d/millwright.fish"]
    for name in wanted:
        path = os.path.join(place, "share", name)
        expect(os.path.exists(path) and os.path.getsize(path) > 200, f"{path} is not installed")


def main():
    cmake, build = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        first, moved = os.path.join(folder, "first"), os.path.join(folder, "moved")
        model = os.path.join(folder, "model.yaml")
        with open(model, "w", encoding="utf-8") as file:
            file.write(MODEL)
        status, said = run(cmake, "--install", os.path.abspath(build), "--prefix", first)
        expect(status == 0, said)
        share = os.path.join(first, "share/millwright")
        wanted = [name for name in data_files(ROOT) if name.endswith(".yaml")]
        expect(wanted and data_files(share) == wanted,
               f"in share are {data_files(share)}, not {wanted}")
        use(first, model, build)
        manual(first)
        os.rename(first, moved)
        use(moved, model, build)
        shutil.rmtree(os.path.join(moved, "share"))
        if not os.path.exists("/usr/local/share/millwright"):
            status, said = run(os.path.join(moved, "bin/millwright"), "lint", "microvm")
            expect(status == 2 and "microvm" in said, f"nothing is there, and lint says {said}")
    print("installed, used, moved, used again")


if __name__ == "__main__":
    main()
