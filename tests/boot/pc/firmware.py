#!/usr/bin/env python3
"""firmware.py SCENARIO --millwright FILE: SeaBIOS on pc-legacy, and what it boots that is no installed system, on the
software CPU, printed as TAP. Exits with 77 where a medium is not there."""
# SPDX-License-Identifier: MIT
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.path[:0] = [os.path.join(ROOT, "tests", folder) for folder in ("support", "lab")]

from console import PROMPT
from pc import OPTIONS, Pc, main, media, plain

MIB = 1 << 20


def blank(folder, name, size):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.truncate(size)
    return path


def machine(sets=None, **options):
    return Pc(OPTIONS.millwright, sets, **options)


def post(tap):
    """The boot menu with the profile's drives, on the screen, the serial line and the debug console."""
    floppy, disk = (blank(OPTIONS.folder, name, size) for name, size in
                    (("floppy.img", 1440 * 1024), ("disk.img", 64 * MIB)))
    with machine({"floppy": floppy, "disk": disk, "cdrom": media("grub-rescue-cdrom.iso")}) as pc:
        pc.expect(r"SeaBIOS \(version \S+\)")
        tap.ok(True, "SeaBIOS begins on the serial line")
        pc.expect(r"Press ESC for boot menu")
        pc.press("esc")
        pc.expect(r"Select boot device:")
        tap.ok(True, "ESC leads to the boot menu")
        menu = pc.watch(r"(?s)Select boot device:.*\n.*DVD/CD.*").group(0)
        for name, pattern in (("floppy", r"^\d\. Floppy \[drive A\]"),
                              ("disk", r"^\d\. ata0-0: .* Hard-Disk \(64 MiBytes\)"),
                              ("CD", r"^\d\. DVD/CD \[ata1-0: ")):
            tap.ok(re.search(pattern, menu, re.M), f"the {name} drive is in the menu on the screen", menu)
        pc.pump(1)
        for name, text in (("serial line", plain(pc.text)), ("debug console", pc.debug())):
            found = all(re.search(word, text) for word in ("drive A", "ata0-0", "ata1-0"))
            tap.ok(found, f"the {name} tells of the same drives", text[-2000:])
        debug = pc.debug()
        ram = re.findall(r"qemu/e820: addr (0x\w+) len (0x\w+) \[RAM\]", debug)
        found = {int(base, 16): int(base, 16) + int(length, 16) for base, length in ram}
        last = pc.plan()["memory"]["ranges"][-1]
        tap.ok(found.get(last["base"]) == last["base"] + last["length"], "SeaBIOS has found the memory", debug)


def pci_functions(plan):
    """Slot and function of what is on the PCI bus, the host bridge too."""
    return {"00.0"} | {node["address"] for node in plan["nodes"].values() if node.get("bus") == "pci0"}


def check_grub(tap, pc, drive):
    """GRUB's own tools see what the plan says."""
    plan = pc.plan()
    text = pc.grub("lspci")
    found = {f"{slot}.{function}" for slot, function in re.findall(r"^00:(\w\w)\.(\d) ", text, re.M)}
    tap.ok(found == pci_functions(plan), "lspci finds the functions of the plan", f"{text}\n{pci_functions(plan)}")
    for name, vendor in (("00:00.0", "8086:1237"), ("00:01.0", "8086:7000"), ("00:01.1", "8086:7010"),
                         ("00:01.3", "8086:7113"), ("00:02.0", "1234:1111")):
        tap.ok(re.search(rf"^{name} {vendor} ", text, re.M), f"{name} is {vendor}", text)
    text = pc.grub("ls")
    tap.ok(f"({drive})" in text, f"ls finds {drive}", text)
    pc.grub("insmod vbe")
    text = pc.grub("videoinfo")
    tap.ok(re.search(r"\d{3,4} x +\d{3,4} x", text), "videoinfo finds VBE's modes", text)
    text = pc.grub("lsacpi")
    tap.ok(re.search(r"APIC|HPET|FACP|DSDT|Table", text), "lsacpi finds the tables", text)


def floppy(tap):
    image = shutil.copy(media("grub-rescue-floppy.img"), OPTIONS.folder)
    with machine({"floppy": image, "menu": "false"}) as pc:
        pc.grub_prompt()
        tap.ok(True, "GRUB boots from the floppy to its prompt")
        check_grub(tap, pc, "fd0")


def cdrom(tap):
    with machine({"cdrom": media("grub-rescue-cdrom.iso"), "menu": "false"}) as pc:
        pc.grub_prompt()
        tap.ok(True, "GRUB boots from the CD to its prompt")
        check_grub(tap, pc, "cd")


def exchange(tap):
    """Discs come and go under a GRUB that started from one. It knows CDs only as what it was started from."""
    with machine({"cdrom": media("grub-rescue-cdrom.iso"), "menu": "false"}) as pc:
        pc.grub_prompt()
        text = pc.grub("ls (cd)/boot/grub")
        tap.ok("i386-pc/" in text, "the disc can be read", text)
        pc.grub("insmod sleep")
        pc.eject("cd0")
        pc.grub("sleep 3")  # it remembers what it has read for a while
        text = pc.grub("ls (cd)/")
        tap.ok("error" in text, "when it is taken out it cannot", text)
        pc.insert("cd0", media("i386.iso"))
        for words, why in ((("cd0", "/no/such/file"), "No such file"), (("vga9", "x"), "no node `vga9`"),
                           (("com1", "x"), "no medium")):
            done = subprocess.run([OPTIONS.millwright, "insert", pc.socket, *words], text=True, capture_output=True,
                                  check=False)
            tap.ok(done.returncode == 1 and why in done.stderr, f"refused: {' '.join(words)}", done.stderr)


def memtest(tap):
    with machine({"cdrom": media("memtest86+ia32.iso"), "menu": "false", "ram": "16MiB"}) as pc:
        pc.watch(r"Memtest86\+")
        tap.ok(True, "memtest86+ shows its screen")
        text = pc.watch(r"(?s).*Memory *: *(\d+\.?\d*)(\w?)B.*")
        size = float(text.group(1)) * {"M": 1, "K": 1 / 1024, "G": 1024}.get(text.group(2), 0)
        tap.ok(14.5 <= size <= 16, "it finds 16 MiB of memory", text.group(0))
        screen = pc.watch(r"(?s).*#(?:[1-9]|10) .*Errors: *(\d+).*", pc.bound_s * 2)
        tap.ok(screen.group(1) == "0", "it is past its first test without an error", screen.group(0))


def ipxe(tap):
    with machine({"cdrom": media("ipxe.iso"), "menu": "false"}) as pc:
        pc.watch(r"iPXE.*Open Source Network Boot Firmware")
        tap.ok(True, "iPXE starts from the CD")
        pc.watch(r"Ctrl-B|No more network devices|iPXE>")
        tap.ok(True, "iPXE has looked for networks")


def i386(tap):
    """Debian's 32-bit kernel, from a CD by GRUB."""
    with machine({"cdrom": media("i386.iso"), "menu": "false"}) as pc:
        pc.expect(PROMPT)
        tap.ok(pc.typed("uname -m") == "i686", "a shell of Debian's 32-bit kernel")
        wrong = pc.typed("dmesg | grep -E 'WARNING: |BUG: |Oops|lockup'")
        tap.ok(not wrong, "the kernel complains of nothing", wrong)
        pc.send("poweroff\n")
        status, _ = pc.wait()
        tap.ok(status == 0, "poweroff ends the process with status 0", pc.report())


SCENARIOS = {"post": post, "floppy": floppy, "cdrom": cdrom, "exchange": exchange, "memtest": memtest, "ipxe": ipxe, "i386": i386}


if __name__ == "__main__":
    main(SCENARIOS)
