"""No byte is read uninitialised or left behind by the verbs that only read. Exits with 77 where
there is no valgrind, or the program carries a sanitizer, which valgrind cannot run."""
# SPDX-License-Identifier: MIT
import shutil
import subprocess
import sys
import tempfile

PROGRAM = sys.argv[1]
OVERLAP = """format: machine/1
name: overlap
version: 1
summary: a bad one
extends: machine/microvm@1
devices:
  com9: { type: uart16550, at: sys, io: 0x3fc, irq: 5 }
  com8: { type: uart16551, at: nowhere, io: auto, irqq: 5 }
"""
SETS = ["--set", "kernel=/nonexistent"]


def skip(reason):
    print("skipped:", reason)
    sys.exit(77)


def calls(bad):
    yield ["lint", "microvm", *SETS], 0
    yield ["lint", "microvm"], 0
    yield ["lint", "microvm", "--set", "ram=1"], 1
    yield ["lint", bad, *SETS, "--format", "full"], 1
    yield ["lint", bad, *SETS, "--format", "json"], 1
    yield ["lint", "nonesuch"], 2
    yield ["resolve", "microvm", *SETS], 0
    yield ["resolve", "microvm", *SETS, "--format", "json", "--guest"], 0
    yield ["resolve", "microvm", *SETS, "--hash", "--set", "cpus=4"], 0
    yield ["devices"], 0
    yield ["devices", "uart16550"], 0
    yield ["devices", "--format", "json"], 0
    yield ["run", "microvm", *SETS, "--accel", "nonesuch"], 1
    yield ["help", "run"], 0


def main():
    if not shutil.which("valgrind"):
        skip("valgrind is not installed (Debian package valgrind)")
    with open(PROGRAM, "rb") as program:
        if b"libasan" in (text := program.read()) or b"libtsan" in text or b"__asan_init" in text:
            skip("the program carries a sanitizer")
    failures = 0
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as bad:
        bad.write(OVERLAP)
        bad.flush()
        for words, expected in calls(bad.name):
            result = subprocess.run(
                ["valgrind", "-q", "--error-exitcode=99", "--leak-check=full",
                 "--show-leak-kinds=all", "--errors-for-leak-kinds=all", PROGRAM, *words],
                capture_output=True, text=True, timeout=300, check=False)
            good = result.returncode == expected
            failures += not good
            print("ok" if good else "FAILED with %d" % result.returncode, "-", *words)
            if not good:
                print(result.stderr)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
