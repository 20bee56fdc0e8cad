#!/usr/bin/env python3
"""pc.py BUILD [--runs N] [--check]: what a BIOS PC costs on the software CPU, beside QEMU's `-M pc` on TCG in the same
run, in changing order: from process start to the first instruction's end, to GRUB's menu, and reading and writing the
IDE disk from a guest; memory outside the guest's. --check only shows that it runs. Ends with 77 where something is
missing."""
# SPDX-License-Identifier: MIT
import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))

import measuring

QEMU = "qemu-system-x86_64"
FLOPPY = os.path.join(os.environ.get("MW_GUESTS", os.path.join(ROOT, "build/guests")), "pc", "grub-rescue-floppy.img")
DISK_BYTES = 64 << 20
ROM_BYTES = 256 << 10
BOUND_S = 600
# Writes 0 to port 0xf4 at the reset vector: `exit` of debug-exit and of QEMU's isa-debug-exit.
EXIT = b"\x31\xc0\xe6\xf4\xf4\xeb\xfd"
# pieces, sectors of each, direction of the bus master, command
DISKS = {"read 128 KiB": (4096, 256, 8, 0x25), "write 128 KiB": (4096, 256, 0, 0x35),
         "read 4 KiB": (30000, 8, 8, 0x25)}
OVERLAY = """\
format: overlay/1
name: bench
devices: { exit: { type: debug-exit, at: isa, io: 0xf4+1 } }
"""


class Cost:
    """Of one run: seconds of wall and of CPU time."""

    def __init__(self, wall, usage):
        self.wall, self.cpu = wall, usage.ru_utime + usage.ru_stime


def run(command, pattern=None, statuses=(0,)):
    """To its end, or until its output shows the pattern."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    seen = b""
    while pattern is None or not re.search(pattern, seen):
        part = os.read(process.stdout.fileno(), 65536)
        if not part or time.monotonic() - start > BOUND_S:
            break
        seen += part
    if pattern:
        process.kill()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    errors = process.stderr.read().decode(errors="replace")
    if (pattern and not re.search(pattern, seen)) or (not pattern and process.returncode not in statuses):
        sys.exit(f"{' '.join(command)}: status {process.returncode}\n{errors[-800:]}")
    return Cost(wall, usage), seen


def ours(build, folder, *words):
    return [os.path.join(build, "millwright"), "run", "pc-legacy", "-o", os.path.join(folder, "bench.yaml"), "--accel", "soft",
            "--set", "ram=64MiB", "--set", "menu=false", *words]


def theirs(*words):
    return [QEMU, "-M", "pc", "-accel", "tcg", "-m", "64", "-nodefaults", "-no-user-config", "-display", "none", "-serial",
            "stdio", *words]


def boot_sector(folder, name, pieces, sectors, direction, command, share):
    source = os.path.join(HERE, "pc", "disk.S")
    code = os.path.join(folder, "code")
    subprocess.run(["gcc", "-c", f"-DITER={max(1, pieces // share)}", f"-DSECTORS={sectors}", f"-DDIR={direction}",
                    f"-DCMD={command}", "-o", code + ".o", source], check=True)
    subprocess.run(["ld", "-m", "elf_x86_64", "-Ttext", "0x7c00", "--oformat", "binary", "-o", code, code + ".o"],
                   check=True, stderr=subprocess.DEVNULL)
    path = os.path.join(folder, name.replace(" ", "-"))
    with open(code, "rb") as file:
        sector = file.read()
    with open(path, "wb") as file:
        file.write(sector)
        for _ in range(DISK_BYTES >> 20):
            file.write(os.urandom(1 << 20))
    os.truncate(path, DISK_BYTES)
    return path


def cases(build, folder, share):
    """{case: {program: (command, pattern, statuses)}}"""
    rom = os.path.join(folder, "rom")
    with open(rom, "wb") as file:
        file.write(b"\xff" * (ROM_BYTES - 16) + EXIT.ljust(16, b"\xff"))
    with open(os.path.join(folder, "sercon"), "wb") as file:
        file.write((0x3f8).to_bytes(2, "little"))
    with open(os.path.join(folder, "bench.yaml"), "w", encoding="ascii") as file:
        file.write(OVERLAY)
    sercon = f"name=etc/sercon-port,file={folder}/sercon"
    found = {"first instruction": {
        "millwright": (ours(build, folder, "--set", "vga=none", "--set", f"firmware={rom}"), None, (1,)),
        "QEMU": (theirs("-vga", "none", "-bios", rom, "-device", "isa-debug-exit,iobase=0xf4,iosize=1"), None, (1,))},
        "GRUB's menu": {
            "millwright": (ours(build, folder, "--set", f"floppy={FLOPPY}"), rb"GNU GRUB", ()),
            "QEMU": (theirs("-vga", "std", "-drive", f"if=floppy,format=raw,readonly=on,file={FLOPPY}", "-fw_cfg", sercon),
                     rb"GNU GRUB", ())}}
    for name, parts in DISKS.items():
        disk = boot_sector(folder, name, *parts, share)
        found[name] = {
            "millwright": (ours(build, folder, "--set", "vga=none", "--set", "serial=false", "--set", f"disk={disk}"),
                           None, (0,)),
            "QEMU": (theirs("-vga", "none", "-drive", f"if=ide,index=0,format=raw,file={disk}"), None, (0,))}
    return found


def report(results):
    programs = ("millwright", "QEMU")
    print(f"{'median (fastest), s':<20}{'millwright':>18}{'QEMU':>18}{'ratio':>8}{'CPU':>8}{'CPU QEMU':>10}")
    for name, found in results.items():
        wall = {program: statistics.median(cost.wall for cost in found[program]) for program in programs}
        best = {program: min(cost.wall for cost in found[program]) for program in programs}
        cpu = {program: statistics.median(cost.cpu for cost in found[program]) for program in programs}
        print(f"{name:<20}" + "".join(f"{wall[p]:9.3f} ({best[p]:.3f})" for p in programs) +
              f"{wall['millwright'] / wall['QEMU']:8.2f}{cpu['millwright']:8.3f}{cpu['QEMU']:10.3f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    for wanted, found in ((QEMU, shutil.which(QEMU)), (FLOPPY, os.path.exists(FLOPPY)), ("gcc", shutil.which("gcc"))):
        if not found:
            print(f"SKIP: there is no {wanted}")
            return 77
    with tempfile.TemporaryDirectory() as folder:
        results = {}
        wanted = cases(arguments.build, folder, 64 if arguments.check else 1)
        os.environ["MILLWRIGHT_PATH"] = ROOT
        measure = os.path.join(arguments.build, "tests", "measure")
        memory = {program: measuring.run(measure, parts[0]).kib
                  for program, parts in wanted["first instruction"].items()}
        for name, programs in wanted.items():
            for turn in range(1 if arguments.check else arguments.runs):
                for program in sorted(programs, reverse=turn % 2 == 1):
                    command, pattern, statuses = programs[program]
                    cost, seen = run(command, pattern, statuses)
                    if name in DISKS and not seen.rstrip().endswith(b"K"):
                        sys.exit(f"{program}: {name}: the guest says {seen[-20:]!r}")
                    results.setdefault(name, {}).setdefault(program, []).append(cost)
    report(results)
    print("MiB of a machine whose guest has touched no memory: " +
          ", ".join(f"{program} {kib / 1024:.1f}" for program, kib in memory.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
