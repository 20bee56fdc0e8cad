#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ROMs placed by YAML, run by the command on this host's /dev/kvm: rom.py MILLWRIGHT ROM_FOLDER."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
# ROM, CPUs, and the exit code: what the ROM writes, doubled, plus one.
CASES = (
    ("exit", 1, 43),
    ("exit", 4, 43),
    ("romwrite", 1, 3),
    ("triple", 1, 3),
    ("port_reset", 1, 3),
    ("port_reset", 4, 3),
)


def run(millwright, rom, cpus):
    return subprocess.run(
        [millwright, "run", os.path.join(HERE, "rom.yaml"), "--accel", "kvm",
         "--set", f"firmware={rom}", "--set", f"cpus={cpus}"],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)


def main():
    millwright, folder = sys.argv[1:]
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        print("SKIP: no usable /dev/kvm")
        return 77
    failed = 0
    for number, (name, cpus, wanted) in enumerate(CASES, 1):
        done = run(millwright, os.path.join(folder, f"{name}.rom"), cpus)
        good = done.returncode == wanted
        failed += not good
        print(f"{'ok' if good else 'not ok'} {number} - {name}.rom with {cpus} CPUs")
        if not good:
            print(f"# ended with {done.returncode}, not {wanted}")
            print(done.stderr.decode("utf-8", "replace")[-3000:])
    print(f"1..{len(CASES)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
