#!/usr/bin/env python3
"""pc.py BUILD [--runs N] [--only PART,...] [--judge] [--check]: what a BIOS PC costs on the software CPU, beside QEMU's
`-M pc` on TCG in the same run, in changing order. Parts: `start` is from process start to the first instruction's end,
to GRUB's menu, a plain loop, and memory outside the guest's; `disk` reads and writes the IDE disk from a guest; `exits`
counts under KVM how often a CPU comes out to its program; `screen` is a guest that draws while a VNC client looks.
--judge ends with 1 where a bar is missed, and tells where we are behind QEMU; that means something on a release build
and a quiet machine only. --check only shows that it runs. Ends with 77 where something is missing."""
# SPDX-License-Identifier: MIT
import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(HERE, "pc"), os.path.join(ROOT, "tests", "support")]

import measuring  # noqa: E402
import screens  # noqa: E402
from machines import LOADER, PROGRAMS, QEMU, ROM_BYTES, Machines, run  # noqa: E402

FLOPPY = os.path.join(os.environ.get("MW_GUESTS", os.path.join(ROOT, "build/guests")), "pc", "grub-rescue-floppy.img")
PARTS = ("start", "disk", "exits", "screen")
MILLWRIGHT, THEIRS = PROGRAMS
DISK_BYTES = 64 << 20
LOOP = 20_000_000
# Writes 0 to port 0xf4 at the reset vector: `exit` of debug-exit and of QEMU's isa-debug-exit, which makes it a status.
EXIT = bytes.fromhex("31c0e6f4f4ebfd")
GOOD = 1
# requests, sectors of each, what disk.S takes for them
DISKS = {"read 128 KiB": (4096, 256, {"DIR": 8, "CMD": 0x25}), "write 128 KiB": (4096, 256, {"DIR": 0, "CMD": 0x35}),
         "read 4 KiB": (30000, 8, {"DIR": 8, "CMD": 0x25}), "write 4 KiB": (30000, 8, {"DIR": 0, "CMD": 0x35}),
         "read 4 KiB, PIO": (6000, 8, {"PIO": 1, "DIR": 8, "CMD": 0x24})}
# What is counted under KVM: one way with twice the other's ITER.
EXITS = {"read 4 KiB": ("disk.S", 100, {"SECTORS": 8, "DIR": 8, "CMD": 0x25}),
         "write 4 KiB": ("disk.S", 100, {"SECTORS": 8, "DIR": 0, "CMD": 0x35}),
         "read 4 KiB, PIO": ("disk.S", 100, {"SECTORS": 8, "PIO": 1, "DIR": 8, "CMD": 0x24}),
         "text screen, 1 word": ("window.S", 2000, {}), "mode 13h, 1 word": ("window.S", 2000, {"CHAINED": 1})}
START_PART, MOST_RSS_KIB = 6, 10 << 10


class Bars:
    """What is judged: what of it misses a bar, and where we are behind QEMU."""

    def __init__(self):
        self.missed, self.behind = [], []

    def most(self, what, value, bar):
        if value > bar:
            self.missed.append(f"{what}: {value:.3g}, at most {bar:.3g}")

    def throughput(self, what, over_qemu, bar):
        """As times QEMU's."""
        if over_qemu < 1:
            self.behind.append(f"{what}: {over_qemu:.2f} of QEMU's")
        if over_qemu < bar:
            self.missed.append(f"{what}: {over_qemu:.3g} of QEMU's, at least {bar:.3g}")


def turns(count):
    """The programs in changing order."""
    for turn in range(count):
        for program in sorted(PROGRAMS, reverse=turn % 2 == 1):
            yield program


def head(title, columns):
    print(f"\n{title:<22}" + "".join(f"{column:>16}" for column in columns))


def row(name, cells):
    print(f"{name:<22}" + "".join(f"{cell:>16}" for cell in cells), flush=True)


def middle(costs, what):
    return statistics.median(getattr(cost, what) for cost in costs)


def least(costs, what):
    return min(getattr(cost, what) for cost in costs)


# Start

def start_cases(machines, share):
    """{case: ({program: command}, pattern)}"""
    rom = machines.write("start", EXIT.ljust(len(LOADER), b"\xff").rjust(ROM_BYTES, b"\xff"))
    loop = machines.rom("loop", "loop.S", ITER=LOOP // share)
    sercon = machines.write("sercon", (0x3f8).to_bytes(2, "little"))
    return {"first instruction": (machines.rom_commands(rom), None),
            "GRUB's menu": ({MILLWRIGHT: machines.ours("--set", f"floppy={FLOPPY}", vga="std"),
                             THEIRS: machines.theirs("-display", "none", "-drive",
                                                     f"if=floppy,format=raw,readonly=on,file={FLOPPY}", "-fw_cfg",
                                                     f"name=etc/sercon-port,file={sercon}", vga="std")}, rb"GNU GRUB"),
            "plain loop": (machines.rom_commands(loop), None)}


def show_start(results):
    head("s, median (fastest)", (*PROGRAMS, "ratio", "CPU", "CPU QEMU"))
    for name, found in results.items():
        row(name, [f"{middle(found[p], 'wall'):.3f} ({least(found[p], 'wall'):.3f})" for p in PROGRAMS] +
            [f"{least(found[MILLWRIGHT], 'wall') / least(found[THEIRS], 'wall'):.2f}"] +
            [f"{middle(found[p], 'cpu'):.3f}" for p in PROGRAMS])


def start(machines, options, bars):
    """Returns the costs of the first instruction, and of what speed our CPU is beside QEMU's."""
    cases = start_cases(machines, options.share)
    measure = os.path.join(options.build, "tests", "measure")
    kib = {program: measuring.run(measure, command).kib
           for program, command in cases["first instruction"][0].items()}
    results = {name: {program: [] for program in PROGRAMS} for name in cases}
    for name, (commands, pattern) in cases.items():
        for program in turns(options.runs):
            results[name][program].append(run(commands[program], pattern, GOOD))
    show_start(results)
    print("MiB of a machine whose guest has touched no memory: " +
          ", ".join(f"{program} {kib[program] / 1024:.1f}" for program in PROGRAMS))
    first, grub, loop = (results[name] for name in cases)
    bars.most("start, s", least(first[MILLWRIGHT], "wall"), least(first[THEIRS], "wall") / START_PART)
    bars.most("memory, KiB", kib[MILLWRIGHT], MOST_RSS_KIB)
    speed = cpu_ratio(first, loop)
    print(f"CPU ratio by the plain loop: {speed:.2f}")
    bars.throughput("GRUB's menu", least(grub[THEIRS], "wall") / least(grub[MILLWRIGHT], "wall"), min(1, speed))
    return first, speed


def cpu_ratio(first, loop):
    ours, theirs = (least(loop[program], "cpu") - least(first[program], "cpu") for program in PROGRAMS)
    return theirs / ours


# Disk

def disk(machines, options, bars, first, speed):
    image = machines.write("disk", os.urandom(DISK_BYTES))
    head("disk", [f"{what}{program}" for what in ("MiB/s ", "CPU us ") for program in ("ours", THEIRS)] +
         ["throughput", "CPU/request"])
    for name, (count, sectors, numbers) in DISKS.items():
        count = max(2, count // options.share)
        commands = machines.rom_commands(machines.rom("rom", "disk.S", ITER=count, SECTORS=sectors, **numbers), image)
        costs = {program: [] for program in PROGRAMS}
        for program in turns(options.runs):
            costs[program].append(run(commands[program], None, GOOD))
        seconds = {p: max(1e-6, least(costs[p], "wall") - least(first[p], "wall")) for p in PROGRAMS}
        cpu = {p: max(1e-6, least(costs[p], "cpu") - least(first[p], "cpu")) for p in PROGRAMS}
        row(name, [f"{count * sectors / 2048 / seconds[p]:.0f}" for p in PROGRAMS] +
            [f"{cpu[p] / count * 1e6:.1f}" for p in PROGRAMS] +
            [f"{seconds[THEIRS] / seconds[MILLWRIGHT]:.2f}", f"{cpu[MILLWRIGHT] / cpu[THEIRS]:.2f}"])
        bars.throughput(name, seconds[THEIRS] / seconds[MILLWRIGHT], min(1, speed))
        bars.most(f"{name}, CPU time over QEMU's", cpu[MILLWRIGHT] / cpu[THEIRS], 1)


# Exits

def count_exits(machines, command):
    """How often a CPU was entered."""
    calls = os.path.join(machines.folder, "calls")
    done = subprocess.run(["strace", "-f", "-qq", "-e", "trace=ioctl", "-o", calls, *command], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=600, check=False)
    if done.returncode != GOOD:
        sys.exit(f"{' '.join(command)}: status {done.returncode}\n{done.stderr.decode(errors='replace')[-800:]}")
    with open(calls, encoding="utf-8", errors="replace") as file:
        return len(re.findall(r"ioctl\(\d+, KVM_RUN", file.read()))


def exits(machines, bars):
    if not os.access("/dev/kvm", os.R_OK | os.W_OK) or not shutil.which("strace"):
        print("\nexits: no /dev/kvm or no strace, left out")
        return
    image = machines.write("disk", os.urandom(1 << 20), DISK_BYTES)
    head("exits per request", PROGRAMS)
    for name, (source, count, numbers) in EXITS.items():
        found = {program: [] for program in PROGRAMS}
        for twice in (1, 2):
            rom = machines.rom("rom", source, ITER=twice * count, **numbers)
            screen = source == "window.S"
            commands = machines.rom_commands(rom, None if screen else image, ("kvm", "kvm"), "std" if screen else "none")
            for program in PROGRAMS:
                found[program].append(count_exits(machines, commands[program]))
        each = {program: (counts[1] - counts[0]) / count for program, counts in found.items()}
        row(name, [f"{each[p]:.2f}" for p in PROGRAMS])
        bars.most(f"{name}, exits", each[MILLWRIGHT], each[THEIRS])


# Screen

def show_screen(name, kind, costs, bars, speed):
    pictures, updates, cpu = ([statistics.median(getattr(sight, what) for sight in costs[p]) for p in PROGRAMS]
                              for what in ("pictures", "updates", "cpu_ms"))
    kib = [statistics.median(sight.kib for sight in costs[p]) for p in PROGRAMS]
    row(f"{name}, {kind}", [f"{value:.0f}" for value in pictures] + [f"{value:.1f}" for value in updates] +
        [f"{value:.2f}" for value in cpu] + [f"{value:.1f}" for value in kib])
    ours, theirs = 0, 1
    if kind != "paced":
        bars.throughput(f"{name}, {kind}, pictures", pictures[ours] / max(pictures[theirs], 1e-6), min(1, speed))
    if kind != "alone":
        bars.throughput(f"{name}, {kind}, updates", updates[ours] / max(updates[theirs], 1e-6), min(1, speed))
    if kind == "paced":
        bars.most(f"{name}, {kind}, CPU ms per update", cpu[ours], cpu[theirs])


def screen(machines, options, bars, speed):
    head("screen", [f"{what} {program}" for what in ("pictures/s", "updates/s", "CPU ms", "KiB")
                    for program in ("ours", THEIRS)])
    for name in screens.WAYS:
        for kind in screens.KINDS:
            costs = {program: [] for program in PROGRAMS}
            for program in turns(options.runs if options.runs < 3 else 3):
                costs[program].append(screens.measure(machines, name, kind, program, options.seconds))
            show_screen(name, kind, costs, bars, speed)


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--judge", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    options.share, options.seconds = (64, 0.5) if options.check else (1, 1.5)
    options.runs = 1 if options.check else options.runs
    options.parts = options.only.split(",")
    if not set(options.parts) <= set(PARTS):
        parser.error(f"--only takes {', '.join(PARTS)}")
    return options


def main():
    options, bars = parse(), Bars()
    for wanted, found in ((QEMU, shutil.which(QEMU)), (FLOPPY, os.path.exists(FLOPPY)), ("gcc", shutil.which("gcc"))):
        if not found:
            print(f"SKIP: there is no {wanted}")
            return 77
    with tempfile.TemporaryDirectory() as folder:
        machines = Machines(options.build, folder)
        first, speed = start(machines, options, bars)
        if "disk" in options.parts:
            disk(machines, options, bars, first, speed)
        if "exits" in options.parts:
            exits(machines, bars)
        if "screen" in options.parts:
            screen(machines, options, bars, speed)
    for title, found in (("behind QEMU", bars.behind), ("bars missed", bars.missed)):
        if options.judge and found:
            print(f"\n{title}:\n  " + "\n  ".join(found))
    return 1 if options.judge and bars.missed else 0


if __name__ == "__main__":
    sys.exit(main())
