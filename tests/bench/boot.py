#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Speed of the software CPU beside QEMU's (-accel tcg) and Debian's bochs, in one run, from process
start to power-off. The programs take turns in changing order, so that a busy moment hits all.

  boot     Debian's cloud kernel and busybox, whose init powers off at once
  loops    the same, whose init runs kernels/loops.c: three loops of counted instructions
  systemd  a small Debian to multi-user.target, where python3, perl, openssl and sort run

usage: boot.py BUILD [--runs N] [--only boot,loops,systemd] [--check]
  BUILD    a release build with the target millwright; needs tools/guests debian
  --check  end with 1 when a bar is missed: 100 Minsn/s over the boot, 3 times QEMU's time, 3 times
           faster than bochs
"""
import argparse
import os
import random
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

from console import Console, Failure

GUESTS = os.environ.get("MW_GUESTS", os.path.join(ROOT, "build", "guests"))
CMDLINE = "console=ttyS0 reboot=t panic=-1 cryptomgr.notests quiet"
LOOPS = ("integer", "memory", "sse2")
BAR_MINSN_S, BAR_QEMU, BAR_BOCHS = 100, 3.0, 3.0
AIM_MINSN_S, AIM_QEMU = 200, 1.5
BOUND_S = 900
ISOLINUX = "/usr/lib/ISOLINUX/isolinux.bin"
LDLINUX = "/usr/lib/syslinux/modules/bios/ldlinux.c32"
# rfb is the display that needs no screen; the debugger, which Debian builds in, is told to go on.
BOCHSRC = """config_interface: textconfig
display_library: rfb, options="timeout=0"
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
megs: {ram}
cpu: model=bx_generic, count=1, ips=50000000, reset_on_triple_fault=0
ata0-master: type=cdrom, path={folder}/{guest}.iso, status=inserted
boot: cdrom
clock: sync=none
com1: enabled=1, mode=file, dev={folder}/{guest}.serial
log: {folder}/{guest}.log
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
speaker: enabled=0
"""


class Guest:
    """What is booted: the same files and command line for each program."""

    def __init__(self, name, initrd, more, ram_mib, programs):
        self.name, self.initrd, self.ram_mib, self.programs = name, initrd, ram_mib, programs
        self.kernel = os.path.join(GUESTS, "vmlinuz")
        self.cmdline = f"{CMDLINE} {more}"


class Run:
    """One run's result: seconds, instructions (None where they are not counted), and each loop's."""

    def __init__(self):
        self.seconds, self.instructions = 0.0, None
        self.loops = {}


def require(path, advice):
    if not os.path.exists(path):
        print(f"SKIP: there is no {path}; {advice}")
        sys.exit(77)
    return path


def millwright(build):
    program = require(os.path.join(build, "millwright"), "build it with the preset release")
    said = subprocess.run([program, "run", "--help"], stdout=subprocess.PIPE, check=False).stdout
    counters = ["--counters"] if b"--counters" in said else []

    def command(guest, folder):
        return [program, "run", "microvm", "--accel", "soft", *counters,
                "--set", f"kernel={guest.kernel}", "--set", f"initrd={guest.initrd}",
                "--set", f"cmdline={guest.cmdline}", "--set", f"ram={guest.ram_mib}MiB"], None
    return command


def qemu(guest, folder):
    # q35: QEMU's microvm asks for the TSC's rate, which TCG does not tell.
    return ["qemu-system-x86_64", "-M", "q35", "-accel", "tcg", "-nodefaults", "-no-user-config",
            "-display", "none", "-no-reboot", "-serial", "stdio", "-m", str(guest.ram_mib),
            "-kernel", guest.kernel, "-initrd", guest.initrd, "-append", guest.cmdline], None


def bochs(guest, folder):
    """Bochs starts no kernel by itself: isolinux does, from a CD."""
    place = os.path.join(folder, guest.name)
    if not os.path.exists(place + ".iso"):
        write_iso(guest, folder, place + ".iso")
    write(place + ".bochsrc", BOCHSRC.format(folder=folder, guest=guest.name, ram=guest.ram_mib))
    write(place + ".commands", "c\n")
    serial = place + ".serial"
    if not os.path.exists(serial):
        os.mkfifo(serial)
    return ["bochs", "-f", place + ".bochsrc", "-rc", place + ".commands"], serial


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def write_iso(guest, folder, path):
    tree = os.path.join(folder, "iso")
    shutil.rmtree(tree, ignore_errors=True)
    os.makedirs(tree)
    for source, name in ((guest.kernel, "linux"), (guest.initrd, "initrd"),
                         (ISOLINUX, "isolinux.bin"), (LDLINUX, "ldlinux.c32")):
        shutil.copy(source, os.path.join(tree, name))
    write(os.path.join(tree, "isolinux.cfg"), "DEFAULT guest\nPROMPT 0\nLABEL guest\nKERNEL /linux\n"
          f"INITRD /initrd\nAPPEND {guest.cmdline}\n")
    subprocess.run(["xorriso", "-as", "mkisofs", "-quiet", "-o", path, "-b", "isolinux.bin",
                    "-c", "boot.cat", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table",
                    tree], check=True, stderr=subprocess.DEVNULL)


def counted(name, guest, console, folder):
    """Instructions of the whole run, as the program says."""
    if name == "bochs":
        with open(os.path.join(folder, guest.name + ".log"), encoding="latin-1") as log:
            found = re.search(r"^(\d+)p.*soft power off", log.read(), re.M)
    else:
        found = re.search(r"instructions\s+(\d+)", console.messages())
    return int(found.group(1)) if found else None


def time_loops(console, run):
    for loop in LOOPS:
        console.expect(rf"^@@ {loop} begins\n")
        begin = time.monotonic()
        words = console.expect(rf"^@@ {loop} ends: (\d+) instructions, result (\w+)\n")
        run.loops[loop] = (int(words.group(1)), time.monotonic() - begin, words.group(2))


def loops_here(program):
    """The loops on this machine's own CPU: what they should compute, and how far there is to go."""
    run = Run()
    with Console([program], BOUND_S) as console:
        time_loops(console, run)
        console.wait()
    return run


def judge(name, guest, console):
    """A guest that did not get where it should is no measurement."""
    if guest.name == "boot" and "in Millwright" not in console.text:
        raise Failure(f"{name} has not booted\n{console.report()}")
    if guest.name == "systemd" and ("checks: done" not in console.text or
                                    re.search(r"^not ok", console.text, re.M)):
        raise Failure(f"{name}: the guest's checks fail\n{console.report()}")


def run_once(name, command, guest, folder):
    words, output = command(guest, folder)
    run = Run()
    with Console(words, BOUND_S, output=output, folder=ROOT) as console:
        if guest.name == "loops":
            time_loops(console, run)
        status, run.seconds = console.wait()
        judge(name, guest, console)
        if status and name != "bochs":  # which calls a power-off a panic
            raise Failure(f"{name} ended with {status}\n{console.report()}")
        run.instructions = counted(name, guest, console, folder)
    return run


def measure(guest, programs, folder, count):
    runs = {name: [] for name in guest.programs if name in programs}
    for _ in range(count):
        for name in random.sample(sorted(runs), len(runs)):
            runs[name].append(run_once(name, programs[name], guest, folder))
            print(f"# {guest.name}, {name}: {runs[name][-1].seconds:.2f} s", file=sys.stderr)
    return runs


def median(runs):
    return statistics.median(run.seconds for run in runs)


def speed(runs):
    """Minsn/s of a run in the middle."""
    known = [run.instructions / run.seconds / 1e6 for run in runs if run.instructions]
    return statistics.median(known) if known else None


def print_times(name, runs):
    print(f"\n| {name} | median | fastest | against QEMU | instructions | Minsn/s |\n"
          "|---|---|---|---|---|---|")
    for program, results in runs.items():
        ratio = f"{median(results) / median(runs['qemu']):.2f}" if "qemu" in runs else ""
        count = results[0].instructions
        print(f"| {program} | {median(results):.2f} s | {min(r.seconds for r in results):.2f} s "
              f"| {ratio} | {f'{count / 1e9:.2f} G' if count else ''} "
              f"| {f'{speed(results):.0f}' if count else ''} |")


def print_loops(runs):
    """Each loop's speed; what the loops computed must be the same everywhere."""
    print("\n| Minsn/s | " + " | ".join(LOOPS) + " |\n|---|" + "---|" * len(LOOPS))
    wrong = False
    for program, results in runs.items():
        cells = []
        for loop in LOOPS:
            rates = [r.loops[loop][0] / r.loops[loop][1] / 1e6 for r in results]
            cells.append(f"{statistics.median(rates):.0f}")
        print(f"| {program} | " + " | ".join(cells) + " |")
    for loop in LOOPS:
        found = {program: results[0].loops[loop][2] for program, results in runs.items()}
        if len(set(found.values())) > 1:
            wrong = True
            print(f"the results of {loop} differ: {found}")
    return wrong


def bars(runs):
    """Prints how the boot does against the bars; whether one is missed."""
    ours, rate = median(runs["millwright"]), speed(runs["millwright"])
    missed = rate is None or rate < BAR_MINSN_S
    print(f"\nboot: {'uncounted' if rate is None else f'{rate:.0f}'} Minsn/s "
          f"(bar {BAR_MINSN_S}, aim {AIM_MINSN_S})")
    if "qemu" in runs:
        ratio = ours / median(runs["qemu"])
        missed |= ratio > BAR_QEMU
        print(f"boot: {ratio:.2f} times QEMU's time (bar {BAR_QEMU:g}, aim {AIM_QEMU:g})")
    if "bochs" in runs:
        ratio = median(runs["bochs"]) / ours
        missed |= ratio < BAR_BOCHS
        print(f"boot: {ratio:.1f} times faster than bochs (bar {BAR_BOCHS:g})")
    return missed


def build_loops(folder):
    path = os.path.join(folder, "tree", "bin", "loops")
    os.makedirs(os.path.dirname(path))
    subprocess.run(["gcc", "-std=c17", "-D_GNU_SOURCE", "-O2", "-mno-red-zone", "-static",
                    os.path.join(HERE, "kernels", "loops.c"), "-o", path], check=True)
    return path


def loops_initrd(folder):
    """The guest's initramfs, followed by one that holds the loops."""
    tree, path = os.path.join(folder, "tree"), os.path.join(folder, "loops.gz")
    subprocess.run([os.path.join(ROOT, "tests/support/initramfs"), tree, path + ".ours"], check=True)
    with open(path, "wb") as out:
        for part in (os.path.join(GUESTS, "initramfs.gz"), path + ".ours"):
            with open(part, "rb") as file:
                shutil.copyfileobj(file, out)
    return path


def find_programs(build):
    found = {"millwright": millwright(build)}
    if shutil.which("qemu-system-x86_64"):
        found["qemu"] = qemu
    if shutil.which("bochs") and shutil.which("xorriso") and os.path.exists(ISOLINUX) \
            and os.path.exists(LDLINUX):
        found["bochs"] = bochs
    for name in {"qemu", "bochs"} - set(found):
        print(f"{name} is not here; tools/packages qemu-system-x86 bochs vgabios xorriso isolinux "
              "syslinux-common", file=sys.stderr)
    return found


def measure_all(options, folder):
    everyone = ("millwright", "qemu", "bochs")
    programs, wrong = find_programs(os.path.abspath(options.build)), False
    for name in options.leave_out.split(","):
        programs.pop(name, None)
    initrd = require(os.path.join(GUESTS, "initramfs.gz"), "run tools/guests")
    wanted = options.only.split(",")
    if "boot" in wanted:
        runs = measure(Guest("boot", initrd, "run=poweroff", 128, everyone), programs, folder,
                       options.runs)
        print_times("boot", runs)
        wrong |= "millwright" in runs and bars(runs)
    if "loops" in wanted:
        runs = {"this CPU": [loops_here(build_loops(folder))]}
        runs |= measure(Guest("loops", loops_initrd(folder), "run=loops", 128, everyone), programs,
                        folder, 1)
        wrong |= print_loops(runs)
    if "systemd" in wanted:
        initrd = require(os.path.join(GUESTS, "debian.cpio"), "run tools/guests debian")
        runs = measure(Guest("systemd", initrd, "guest.checks", 1024, ("millwright", "qemu")),
                       programs, folder, 1)
        print_times("systemd", runs)
    return wrong


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1])
    parser.add_argument("build")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="boot,loops,systemd")
    parser.add_argument("--leave-out", default="", help="programs not to measure")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mwboot") as folder:
        try:
            wrong = measure_all(options, folder)
        except Failure as failure:
            sys.exit(f"boot.py: {failure}")
    if wrong:
        print("a bar is missed, or a result is wrong")
    return 1 if wrong and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
