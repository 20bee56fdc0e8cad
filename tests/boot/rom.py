#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ROMs placed by YAML, run by the command on the software CPU, and on this host's /dev/kvm where it
opens: rom.py MILLWRIGHT ROM_FOLDER."""
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


def run(millwright, rom, cpus, accel):
    return subprocess.run(
        [millwright, "run", os.path.join(HERE, "rom.yaml"), "--accel", accel,
         "--set", f"firmware={rom}", "--set", f"cpus={cpus}"],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)


def main():
    millwright, folder = sys.argv[1:]
    accels = ["soft"]
    if os.access("/dev/kvm", os.R_OK | os.W_OK):
        accels.append("kvm")
    else:
        print("# not on kvm: no usable /dev/kvm")
    cases = [(accel, *case) for accel in accels for case in CASES]
    failed = 0
    for number, (accel, name, cpus, wanted) in enumerate(cases, 1):
        done = run(millwright, os.path.join(folder, f"{name}.rom"), cpus, accel)
        good = done.returncode == wanted
        failed += not good
        print(f"{'ok' if good else 'not ok'} {number} - {name}.rom with {cpus} CPUs on {accel}")
        if not good:
            print(f"# ended with {done.returncode}, not {wanted}")
            print(done.stderr.decode("utf-8", "replace")[-3000:])
    print(f"1..{len(cases)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
