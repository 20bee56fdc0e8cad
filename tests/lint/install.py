#!/usr/bin/env python3
"""install.py CMAKE BUILD: installs into a folder of its own, moves it, and uses what is there from
elsewhere: the program finds its profiles and chipsets."""
# SPDX-License-Identifier: MIT
import os
import subprocess
import sys
import tempfile


def main():
    cmake, build = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        first, moved = os.path.join(folder, "first"), os.path.join(folder, "moved")
        done = subprocess.run([cmake, "--install", build, "--prefix", first],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        if done.returncode:
            sys.exit(done.stdout)
        os.rename(first, moved)
        for wanted in ("bin/millwright", "share/millwright/profiles/microvm.yaml",
                       "share/millwright/chipsets/microvm.yaml"):
            if not os.path.exists(os.path.join(moved, wanted)):
                sys.exit(f"{wanted} is not installed:\n{done.stdout}")
        environment = {key: value for key, value in os.environ.items() if key != "MILLWRIGHT_PATH"}
        plan = subprocess.run([os.path.join(moved, "bin/millwright"), "resolve", "microvm", "--set",
                               "kernel=vmlinuz"], cwd="/", env=environment, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if plan.returncode or "name: microvm" not in plan.stdout:
            sys.exit(f"the installed program does not find its profile:\n{plan.stdout}")
        for _, _, names in os.walk(os.path.join(moved, "share", "millwright")):
            if [name for name in names if not name.endswith(".yaml")]:
                sys.exit(f"more than YAML is installed in share: {names}")
    print("installed, moved and used")


if __name__ == "__main__":
    main()
