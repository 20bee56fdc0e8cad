#!/usr/bin/env python3
"""direct.py kernel --millwright FILE: the installed Debian of guests.py on pc-legacy without its BIOS: its kernel is
booted directly, on the software CPU, printed as TAP. Exits with 77 where the disk is not there."""
# SPDX-License-Identifier: MIT
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.path[:0] = [os.path.join(ROOT, "tests", folder) for folder in ("support", "lab")]

from lab import skip
from pc import OPTIONS, SHELL, Pc, main, media

FIRST_BYTE = 2048 * 512  # of the partition
WORDS = "console=ttyS0 panic=-1 cryptomgr.notests root=/dev/sda1 ro init=/bin/bash"
# Of the plan; /proc/ioports names them so where the chipset answers there.
PORTS = (("ACPI PM1a_EVT_BLK", "pm", "pm", 0), ("ACPI PM1a_CNT_BLK", "pm", "pm", 4), ("ACPI PM_TMR", "pm", "pm", 8),
         ("ata_piix", "ide", "bmdma", 0), ("ata_piix", "ide", "cmd0", 0))
COMPLAINTS = "WARNING: |BUG: |Oops|unassigned|can't (find|derive)|PCI INT|ACPI (Error|BIOS)|nobody cared|firmware bug"


def from_disk(name):
    """A file of the disk's /boot, by its link."""
    if not shutil.which("debugfs"):
        skip("debugfs is missing: install e2fsprogs")
    path = os.path.join(OPTIONS.folder, name)
    disk = f"{media('debian.img')}?offset={FIRST_BYTE}"
    found = subprocess.run(["debugfs", "-R", f"stat /boot/{name}", disk], capture_output=True, text=True, check=True)
    link = re.search(r'Fast link dest: "([^"]+)"', found.stdout)
    subprocess.run(["debugfs", "-R", f"dump /boot/{link[1] if link else name} {path}", disk], capture_output=True,
                   check=True)
    return path


def start_shell(pc):
    pc.expect(r"bash: no job control")
    pc.send("exec bash --noediting --norc\n")
    pc.expect(r"bash\S*# ")
    pc.send(f"stty -echo cols 200; dmesg -n 1; mount -t proc p /proc; mount -t sysfs s /sys; PS1='\\n{SHELL}'\n")
    pc.expect(f"^{SHELL}")


def check_ports(tap, pc, plan):
    text = pc.shell("cat /proc/ioports")
    for name, node, claim, offset in PORTS:
        base = plan["nodes"][node]["io"][claim]["base"] + offset
        tap.ok(re.search(rf"^ *{base:04x}-\w+ : {name}$", text, re.M), f"{name} is at {base:#x}", text)


def kernel(tap):
    """What a BIOS would have set up is set up, after a reset too."""
    drive = f"  disk0: {{ type: ata-disk, at: ide:0.0, backend: {{ overlay: {media('debian.img')} }} }}\n"
    sets = {"kernel": from_disk("vmlinuz"), "initrd": from_disk("initrd.img"), "cmdline": WORDS}
    with Pc(OPTIONS.millwright, sets, drive) as pc:
        pc.expect(r"quirk: \[io +0x0600-0x063f\] claimed by PIIX4 ACPI")
        tap.ok(True, "power management is where the tables say")
        start_shell(pc)
        tap.ok(True, "the root file system is on the IDE disk")
        check_ports(tap, pc, pc.plan())
        text = pc.shell("cat /proc/interrupts")
        for line, name in ((9, "acpi"), (14, "ata_piix"), (4, "ttyS0")):
            tap.ok(re.search(rf"^ *{line}:.*{name}", text, re.M), f"{name} is on line {line}", text)
        text = pc.shell("dmesg | grep -E 'Interrupt link|configured for|udma|UDMA'")
        for link, line in zip("ABCD", (10, 10, 11, 11)):
            tap.ok(re.search(rf"LNK{link} configured for IRQ {line}$", text, re.M), f"PIRQ{link}# is routed to {line}",
                   text)
        wrong = pc.shell(f"dmesg | grep -iE \"{COMPLAINTS}\"")
        tap.ok(not wrong, "the kernel complains of nothing", wrong)
        text = pc.shell("setpci -s 01.1 4.w 20.l 40.w 42.w")
        tap.ok(text.split()[:2] == ["0005", f"{pc.plan()['nodes']['ide']['io']['bmdma']['base'] | 1:08x}"],
               "the IDE controller is a bus master at its place", text)
        text = pc.shell("dd if=/dev/sda of=/dev/null bs=64k count=64 iflag=direct 2>&1")
        tap.ok("4194304 bytes" in text, "4 MiB are read from the disk", text)
        text = pc.shell("dmidecode -t bios; cat /sys/devices/system/clocksource/clocksource0/available_clocksource")
        tap.ok("direct boot" in text, "SMBIOS is found in shadow RAM", text)
        tap.ok("acpi_pm" in text and "hpet" in text, "the PM timer is a clock", text)
        tap.ok("guest:" not in pc.messages(), "nothing odd is in the log", pc.messages())
        pc.send("reboot -f\n")
        pc.expect(r"quirk: \[io +0x0600-0x063f\] claimed by PIIX4 ACPI")
        pc.expect(r"LNKD configured for IRQ 11")
        tap.ok(True, "and again after a reset")


if __name__ == "__main__":
    main({"kernel": kernel})
