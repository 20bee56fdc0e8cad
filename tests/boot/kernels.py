#!/usr/bin/env python3
"""kernels.py SCENARIO --millwright FILE: kernels that are no bzImage, and some that are and are not
Linux, on the software CPU, printed as TAP. Exits with 77 where a kernel is not there."""
# SPDX-License-Identifier: MIT
import argparse
import os
import re
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "tests", folder) for folder in ("support", "lab")]

from console import PROMPT, Console, conclude
from lab import GUESTS, Tap, skip

# Seconds for one event. Two sanitizers and a machine full of other tests slow a boot by much.
BOUND_S = float(os.environ.get("MW_BOOT_BOUND", "600"))
LINUX = "console=ttyS0 reboot=t panic=-1 cryptomgr.notests quiet"
# There is no BIOS to call in real mode, and Xen takes the first word for its own name.
XEN = "xen no-real-mode com1=115200,8n1 console=com1 noreboot"
PROFILE = """\
format: machine/1
name: kernels
version: 1
summary: a PC with a multiboot kernel and modules
extends: machine/linux-pc@1
params: { one: { type: path, scope: host }, two: { type: path, scope: host } }
boot: { linux: unset, elf: $(kernel), modules: ["$(one) dom0 earlyprintk=xen", $(two)] }
"""
OPTIONS = None


def guest_file(name, option):
    path = os.path.join(GUESTS, name)
    if not os.path.exists(path):
        skip(f"{name} is not in build/guests; run tools/guests {option}")
    return path


def run(profile, cmdline, ram_mib, **files):
    command = [OPTIONS.millwright, "run", profile, "--accel", "soft", "--set", f"cmdline={cmdline}",
               "--set", f"ram={ram_mib}MiB"]
    for name, path in files.items():
        command += ["--set", f"{name}={path}"]
    return Console(command, BOUND_S, folder=ROOT)


def use_shell(tap, console, machine):
    console.expect(PROMPT)
    found = console.typed("uname -m")
    tap.ok(found == machine, f"a shell of {machine}", repr(found))


def linux_by_pvh(tap, machine, kernel, initrd):
    """A vmlinux to a shell, and once more after a reboot."""
    with run("microvm", LINUX, 256, kernel=kernel, initrd=initrd) as console:
        use_shell(tap, console, machine)
        words = console.typed("cat /proc/cmdline")
        tap.ok(words == LINUX, "the command line is whole", repr(words))
        wrong = console.typed("dmesg | grep -E 'WARNING: |BUG: |Oops|Call Trace|lockup'")
        tap.ok(not wrong, "the kernel complains of nothing", wrong)
        found = console.typed("dmesg | grep -c -E 'ACPI: (RSDP|FACP|APIC)'")
        tap.ok(found.isdigit() and int(found) >= 3, "it has found the tables", found)
        console.send("reboot\n")
        console.expect(r"^Linux \S+ in Millwright")
        use_shell(tap, console, machine)
        console.send("poweroff\n")
        status, _ = console.wait()
        tap.ok(status == 0, "poweroff ends the process with status 0", console.report())


def pvh(tap):
    kernel, initrd = guest_file("vmlinux", "pvh"), guest_file("initramfs.gz", "")
    linux_by_pvh(tap, "x86_64", kernel, initrd)
    if os.path.exists(os.path.join(GUESTS, "i386", "vmlinux")):
        linux_by_pvh(tap, "i686", guest_file("i386/vmlinux", "i386 pvh"),
                     guest_file("i386/initramfs.gz", "i386"))


def xen_alone(tap):
    kernel = guest_file("multiboot/xen", "multiboot")
    with run("microvm", XEN, 128, kernel=kernel) as console:
        console.expect(r"^\(XEN\) Xen version \S+")
        tap.ok(True, "Xen prints its banner on com1")
        console.expect(r"^\(XEN\) Bootloader: Millwright\n")
        console.expect(r"^\(XEN\) Command line: " + re.escape(XEN.partition(" ")[2]) + r"\n")
        tap.ok(True, "Xen is told loader and command line")
        console.expect(r"^\(XEN\) dom0 kernel not specified")
        tap.ok(True, "Xen misses its modules")


def xen_with_linux(tap, profile):
    """Debian's bzImage is the first module, its initramfs the second."""
    kernel = guest_file("multiboot/xen", "multiboot")
    with run(profile, XEN, 512, kernel=kernel, one=guest_file("vmlinuz", ""),
             two=guest_file("initramfs.gz", "")) as console:
        console.expect(r"^\(XEN\) +Dom0 kernel: 64-bit")
        tap.ok(True, "Xen takes the first module for its dom0")
        console.expect(r"\] Hypervisor detected: Xen PV")
        console.expect(r"\] Run /init as init process")  # this kernel has no console in a dom0
        tap.ok(True, "Linux runs on Xen and has its initrd")


def mach(tap, profile):
    kernel = guest_file("multiboot/gnumach", "multiboot")
    with run(profile, "gnumach console=com0", 64, kernel=kernel, one=guest_file("busybox", ""),
             two=guest_file("initramfs.gz", "")) as console:
        console.expect(r"^GNU Mach \S+\n")
        tap.ok(True, "GNU Mach, an ELF file of 64 bits, prints its banner")
        console.expect(r"^biosmem: 0*100000:0*\S+, available\n")
        tap.ok(True, "GNU Mach has the memory map")
        console.expect(r"^module 0: dom0 earlyprintk=xen")
        tap.ok(True, "GNU Mach has the first module's arguments")


def memtest(tap, name):
    kernel = guest_file(f"multiboot/memtest86+{name}.bin", "multiboot")
    with run("linux-pc", "console=ttyS0,115200", 32, kernel=kernel) as console:
        console.expect(r"Memtest86\+ v\d")
        tap.ok(True, f"memtest86+ for {name} shows its screen")
        console.expect(r"#(?:[3-9]|10) +\[")  # the screen is sent every two seconds
        found = console.expect(r"Errors: +(\d+)").group(1)
        tap.ok(found == "0", f"memtest86+ for {name} is past three tests without an error", found)


def multiboot(tap):
    with tempfile.TemporaryDirectory() as folder:
        profile = os.path.join(folder, "kernels.yaml")
        with open(profile, "w", encoding="ascii") as out:
            out.write(PROFILE)
        xen_alone(tap)
        mach(tap, profile)
        memtest(tap, "x64")
        memtest(tap, "ia32")
        if not OPTIONS.short:
            xen_with_linux(tap, profile)


SCENARIOS = {"pvh": pvh, "multiboot": multiboot}


def main():
    global OPTIONS
    parser = argparse.ArgumentParser()
    parser.add_argument("scenario", choices=sorted(SCENARIOS))
    parser.add_argument("--millwright", required=True)
    parser.add_argument("--short", action="store_true", help="without what takes long")
    OPTIONS = parser.parse_args()
    conclude(Tap(), SCENARIOS[OPTIONS.scenario])


if __name__ == "__main__":
    main()
