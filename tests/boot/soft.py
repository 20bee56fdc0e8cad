#!/usr/bin/env python3
"""soft.py SCENARIO --millwright FILE: a guest of Debian's on the software CPU, printed as TAP. Exits
with 77 where the guest is not there. --qemu FILE runs the same guest on QEMU's CPU in place of ours,
to tell whose fault a failure is."""
# SPDX-License-Identifier: MIT
import argparse
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "tests", folder) for folder in ("support", "lab")]

from console import PROMPT, Console, conclude
from lab import GUESTS, Tap, skip

# Seconds for one event. Two sanitizers and a machine full of other tests slow a boot by much.
BOUND_S = float(os.environ.get("MW_BOOT_BOUND", "600"))
CMDLINE = "console=ttyS0 reboot=t panic=-1 cryptomgr.notests quiet"
OPTIONS = None


def guest_file(name):
    path = os.path.join(GUESTS, name)
    if not os.path.exists(path):
        extra = {"i386": " i386", "debian": " debian"}.get(re.split(r"[/.]", name)[0], "")
        skip(f"{name} is not in build/guests; run tools/guests{extra}")
    return path


def boot(kernel="vmlinuz", initrd="initramfs.gz", cpus=1, ram_mib=128, more=""):
    kernel, initrd, cmdline = guest_file(kernel), guest_file(initrd), f"{CMDLINE} {more}".strip()
    if OPTIONS.qemu:
        command = [OPTIONS.qemu, "-M", "q35", "-accel", "tcg,thread=single", "-nodefaults",
                   "-no-user-config", "-display", "none", "-serial", "stdio", "-smp", str(cpus),
                   "-m", str(ram_mib), "-kernel", kernel, "-initrd", initrd, "-append", cmdline]
    else:
        command = [OPTIONS.millwright, "run", "microvm", "--accel", "soft",
                   "--set", f"kernel={kernel}", "--set", f"initrd={initrd}",
                   "--set", f"cmdline={cmdline}", "--set", f"cpus={cpus}",
                   "--set", f"ram={ram_mib}MiB"]
    return Console(command, BOUND_S, folder=ROOT)


def interrupt(tap, console):
    """Ctrl-C reaches the program in the guest."""
    # One process from its first word to its end, so that no moment is the wrong one for the signal.
    console.send("sh -c \"echo beg''un; exec sleep 100\"\n")
    console.expect(r"^begun\n")
    console.send("\x03")
    console.expect(PROMPT)
    tap.ok(console.typed("echo $?") == "130", "Ctrl-C ends a program of the guest")


def power_off(tap, console):
    console.send("poweroff\n")
    status, _ = console.wait()
    tap.ok(status == 0, "poweroff ends the process with status 0", console.report())


def shell(tap, machine, cpus=1, **options):
    """A kernel to busybox's shell, which is typed at."""
    with boot(cpus=cpus, **options) as console:
        console.expect(PROMPT)
        tap.ok(True, "a shell's prompt appears")
        for command, wanted in (("uname -m", machine), ("nproc", str(cpus)),
                                ("echo $((6 * 7)) typed", "42 typed")):
            found = console.typed(command)
            tap.ok(found == wanted, f"{command}: {wanted}", repr(found))
        wrong = console.typed("dmesg | grep -E 'WARNING: |BUG: |Oops|Call Trace|lockup|stall'")
        tap.ok(not wrong, "the kernel complains of nothing", wrong)
        interrupt(tap, console)
        power_off(tap, console)


def i386(tap):
    shell(tap, "i686", kernel="i386/vmlinuz", initrd="i386/initramfs.gz")


def reboot(tap):
    """`reboot` starts the kernel again, in the same process."""
    with boot(cpus=2) as console:
        console.expect(PROMPT)
        console.send("reboot\n")
        console.expect(r"^Linux \S+ in Millwright: 2 CPU")
        tap.ok(True, "reboot starts the kernel again")
        console.expect(PROMPT)
        tap.ok(console.typed("nproc") == "2", "all CPUs are there again")
        power_off(tap, console)


def systemd(tap):
    """Debian to multi-user.target; the guest itself judges what its programs computed."""
    with boot(initrd="debian.cpio", ram_mib=1024, more="guest.checks") as console:
        line, count = "", 0
        while not line.startswith("1.."):
            line = console.expect(r"^(?:(?:not )?ok \d+ - .*|1\.\.\d+)\n").group().strip()
            if not line.startswith("1.."):
                tap.ok(line.startswith("ok"), line.partition(" - ")[2])
                count += 1
        tap.ok(line == f"1..{count}" and count >= 10, "all checks have run", line)
        if tap.failed:
            print("\n".join("# " + line for line in console.text.splitlines()[-100:]))
        status, _ = console.wait()
        tap.ok(status == 0, "power-off ends the process with status 0", console.report())


SCENARIOS = {"cpus1": lambda tap: shell(tap, "x86_64", 1),
             "cpus2": lambda tap: shell(tap, "x86_64", 2),
             "cpus4": lambda tap: shell(tap, "x86_64", 4),
             "i386": i386, "reboot": reboot, "systemd": systemd}


def main():
    global OPTIONS
    parser = argparse.ArgumentParser()
    parser.add_argument("scenario", choices=sorted(SCENARIOS))
    parser.add_argument("--millwright")
    parser.add_argument("--qemu")
    OPTIONS = parser.parse_args()
    if not OPTIONS.millwright and not OPTIONS.qemu:
        parser.error("--millwright FILE is missing")
    conclude(Tap(), SCENARIOS[OPTIONS.scenario])


if __name__ == "__main__":
    main()
