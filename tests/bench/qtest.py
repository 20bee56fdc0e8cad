#!/usr/bin/env python3
"""qtest.py BUILD [--rounds N] [--check]: what an access costs over the qtest socket of `millwright run
--accel none`, and over QEMU's in the same run, in changing order; the best of some rounds. --check only
shows that it runs. Ends with 77 where there is no QEMU."""
# SPDX-License-Identifier: MIT
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
QEMU = "qemu-system-x86_64"
BOUND_S = 300


def machines(build, folder):
    rom = os.path.join(folder, "rom")
    with open(rom, "wb") as file:
        file.write(b"\xf4" * 65536)
    return {
        "millwright": lambda path: [
            os.path.join(build, "millwright"), "run", os.path.join(ROOT, "tests/diff/qtest.yaml"),
            "--set", f"firmware={rom}", "--accel", "none", "--qtest", f"unix:{path}"],
        "QEMU": lambda path: [
            QEMU, "-M", "q35", "-accel", "tcg", "-S", "-m", "16", "-nodefaults", "-no-user-config",
            "-display", "none", "-serial", "null", "-bios", rom, "-qtest", f"unix:{path}",
            "-qtest-log", "/dev/null"],
    }


def measure(client, command, path):
    """{case: (ns one at a time, ns sent ahead)} of one machine."""
    with subprocess.Popen([client, path], stdout=subprocess.PIPE, text=True) as listener:
        while not os.path.exists(path):
            time.sleep(0.01)
        time.sleep(0.1)  # between bind and listen
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True) as machine:
            try:
                text = listener.communicate(timeout=BOUND_S)[0]
            finally:
                listener.kill()
                machine.kill()
            if listener.returncode:
                sys.exit(f"{' '.join(command)}: {machine.stderr.read()}")
    os.unlink(path)
    rows = (line.split("\t") for line in text.splitlines())
    return {name: (int(single), int(ahead)) for name, single, ahead in rows}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    if not shutil.which(QEMU):
        print(f"SKIP: there is no {QEMU} (Debian package qemu-system-x86)")
        return 77
    client = os.path.join(arguments.build, "tests", "qtest_client")
    best = {}
    with tempfile.TemporaryDirectory() as folder:
        commands = machines(arguments.build, folder)
        for turn in range(1 if arguments.check else arguments.rounds):
            for name in sorted(commands, reverse=turn % 2 == 1):
                path = os.path.join(folder, f"socket-{turn}")
                for case, found in measure(client, commands[name](path), path).items():
                    old = best.setdefault(case, {}).get(name, found)
                    best[case][name] = tuple(map(min, old, found))
    print(f"{'us per access':<28}{'one at a time':>24}{'sent ahead':>24}")
    print(f"{'':<28}" + "".join(f"{name:>12}" for name in sorted(commands)) * 2)
    for case, found in best.items():
        print(f"{case:<28}" + "".join(f"{found[name][way] / 1000:12.2f}"
                                     for way in (0, 1) for name in sorted(commands)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
