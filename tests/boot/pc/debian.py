#!/usr/bin/env python3
"""debian.py SCENARIO --millwright FILE: the installed Debian of guests.py on pc-legacy, from its IDE disk, on the
software CPU, printed as TAP. The disk is a base that nothing is written to; changes go into an overlay. Exits with 77
where the disk is not there."""
# SPDX-License-Identifier: MIT
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.path[:0] = [os.path.join(ROOT, "tests", folder) for folder in ("support", "lab")]

import rfb
from pc import OPTIONS, SHELL, Pc, main, media, plain

FLOPPY_BYTES, CYLINDER = 1440 * 1024, 18432
# Debian 12 has no fdformat(8); this is what it asks the kernel for (FDFMTBEG, FDFMTTRK, FDFMTEND of linux/fd.h).
FORMAT = """perl -e 'open F, "+<", "/dev/fd0" or die $!; ioctl(F, 0x247, 0) // die $!; for $h (0, 1) \
{ ioctl(F, 0x400c0248, pack("III", 0, $h, 0)) // die $!; } ioctl(F, 0x249, 0) // die $!; print "formatted\\n";'""" \
    .replace("\\\n", "")
# RFB's mask of buttons; Linux's events (linux/input-event-codes.h).
LEFT, MIDDLE, RIGHT, WHEEL_UP, WHEEL_DOWN = 1, 2, 4, 8, 16
EV_KEY, EV_REL, BTN_LEFT, BTN_RIGHT, BTN_MIDDLE, REL_X, REL_Y, REL_WHEEL = 1, 2, 0x110, 0x111, 0x112, 0, 1, 8
# Finds the mouse, says its name, then each event until the right button is let go.
LISTEN = r"""perl -e '$| = 1; for (glob "/sys/class/input/event*") { open N, "$_/device/name"; $n = <N>; \
next if $n !~ /Explorer Mouse/; s/.*\///; open F, "/dev/input/$_" or die $!; print "listening to $n"; \
while (sysread F, $e, 24) { ($t, $c, $v) = unpack "x16SSl", $e; print "$t $c $v\n" if $t; \
last if "$t $c $v" eq "1 273 0" } last }'
""".replace("\\\n", "")


def machine(path="", sets=None, devices="", folder=None):
    """With changes in the overlay file `path`, or forgotten in the end."""
    over = f", path: {path}" if path else ""
    drive = f"""\
  disk0: {{ type: ata-disk, at: ide:0.0, backend: {{ overlay: {media("debian.img")}{over} }} }}
{devices}"""
    return Pc(OPTIONS.millwright, {"menu": "false", **(sets or {})}, drive, "boot: { order: [disk0] }\n", folder=folder)


def power_off(tap, pc):
    pc.send("systemctl poweroff\n")
    status, _ = pc.wait()
    tap.ok(status == 0, "poweroff ends the process with status 0", pc.report())


def check_judge(tap, path):
    """QEMU's own tool finds no fault with the overlay."""
    if shutil.which("qemu-img"):
        done = subprocess.run(["qemu-img", "check", "-f", "qcow2", path], text=True, capture_output=True, check=False)
        tap.ok(done.returncode == 0, "qemu-img finds no fault in the overlay", done.stdout + done.stderr)
    done = subprocess.run([OPTIONS.millwright, "image", "check", path], text=True, capture_output=True, check=False)
    tap.ok(done.returncode == 0, "nor does millwright image", done.stderr)


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else \
            hashlib.sha256(file.read()).hexdigest()


def logs_in(tap, pc):
    """To a login on both consoles, and a shell on both."""
    pc.expect(r"GNU GRUB|Booting `Debian'")
    tap.ok(True, "GRUB starts from the disk")
    pc.log_in()
    tap.ok(True, "a login on the serial line")
    pc.watch(r"^debian login:")
    pc.type("root")
    pc.watch(r"root@debian:")
    tap.ok(True, "and on the screen")
    pc.type("uname -s")
    pc.watch(r"^Linux$")
    tap.ok(True, "commands work there by the keyboard")
    wrong = pc.shell("dmesg | grep -E '] WARNING: |BUG: |Oops|lockup|ata.*(error|frozen)|irq.*nobody'")
    tap.ok(not wrong, "the kernel complains of nothing", wrong)
    text = pc.shell("cat /sys/block/sda/device/model /proc/cmdline; lsblk -bno SIZE /dev/sda | head -n 1")
    tap.ok(str(os.path.getsize(media("debian.img"))) in text, "the disk has the image's size", text)


def login(tap):
    before = os.stat(media("debian.img")).st_mtime_ns
    with machine() as pc:
        logs_in(tap, pc)
        power_off(tap, pc)
    tap.ok(os.stat(media("debian.img")).st_mtime_ns == before, "the base was not written")


def functions(plan):
    return {"00:00.0"} | {"00:" + node["address"] for node in plan["nodes"].values() if node.get("bus") == "pci0"}


def port_claims(plan):
    for node, value in plan["nodes"].items():
        for name, claim in value.get("io", {}).items():
            yield node, name, claim["base"], claim["length"]


# Ranges of the plan that Linux gives a driver, by node, under a name of its own.
PORTS = {"pic": "pic1", "pit": "timer0", "kbd": "keyboard", "rtc": "rtc", "com1": "serial", "com2": "serial",
         "dma": "dma1", "ide": "ata_piix", "vga0": "vga"}


def verify(tap, pc):
    """`millwright verify`: no unexplained difference."""
    probe = subprocess.run([pc.millwright, "verify", "--probe"], stdout=subprocess.PIPE, text=True, check=True).stdout
    pc.send(f"cat >probe <<'END'\n{probe}END\n")
    pc.expect(r"^guest:# ")
    report = os.path.join(pc.folder, "report")
    with open(report, "w", encoding="latin-1") as file:
        file.write(pc.shell("sh probe") + "\n")
    done = subprocess.run([pc.millwright, "verify", pc.profile, report, *pc.sets], text=True, capture_output=True,
                          check=False)
    tap.ok(done.returncode == 0 and "no unexplained difference" in done.stdout,
           "millwright verify finds no unexplained difference", done.stdout + done.stderr)


def agrees(tap, pc):
    """What the system finds is what the plan says."""
    plan = pc.plan()
    verify(tap, pc)
    text = pc.shell("lspci -nn")
    found = set(re.findall(r"^(\w\w:\w\w\.\d) ", text, re.M))
    tap.ok(found == functions(plan), "lspci finds the functions of the plan", text)
    text = pc.shell("lspci -vv")
    tap.ok("rev ff" not in text and "440FX" in text and "PIIX3" in text, "lspci -vv reads them all", text)
    text = pc.shell("cat /proc/ioports")
    for node, name in PORTS.items():
        tap.ok(name in text, f"/proc/ioports has `{name}` for {node}", text)
    text = pc.shell("cat /proc/interrupts")
    for line, name in ((1, "i8042"), (4, "ttyS0"), (14, "ata_piix"), (15, "ata_piix"), (12, "i8042"), (9, "acpi")):
        tap.ok(re.search(rf"^ *{line}:.*{name}", text, re.M), f"/proc/interrupts has {name} on {line}", text)
    text = pc.shell("dmidecode")
    tap.ok("BIOS Information" in text and "Processor Information" in text and
           "Physical Memory Array" in text, "dmidecode reads the SMBIOS tables", text)
    text = pc.shell("acpidump -b && ls *.dat")
    tap.ok({"facp.dat", "apic.dat", "dsdt.dat", "hpet.dat"} <= set(text.split()), "acpidump finds the tables", text)
    text = pc.shell("iasl -d dsdt.dat 2>&1; echo status $?; grep DefinitionBlock dsdt.dsl")
    tap.ok("DefinitionBlock" in text, "iasl reads the DSDT", text)


def drives(tap, pc, floppy, disc):
    """The tools that people use on drives."""
    text = pc.shell("hdparm -I /dev/sda")
    tap.ok("ATA device" in text and "LBA48" in text.replace("48-bit", "LBA48"), "hdparm -I", text)
    text = pc.shell("hdparm -t /dev/sda")
    tap.ok(re.search(r"reads: .*/sec", text), "hdparm -t", text)
    text = pc.shell("smartctl -i /dev/sda; smartctl -H /dev/sda")
    tap.ok("SMART support is: Enabled" in text and "PASSED" in text, "smartctl -i and -H", text)
    text = pc.shell(f"head -c {os.path.getsize(disc)} /dev/sr0 | sha256sum").split()
    tap.ok(text and text[0] == digest(disc), "the CD reads as its image", text)
    pc.shell("modprobe floppy; udevadm settle")
    text = pc.shell(FORMAT)
    with open(floppy, "rb") as file:
        content = file.read(2 * CYLINDER)
    tap.ok("formatted" in text and content == b"\xf6" * CYLINDER + b"\xe5" * CYLINDER,
           "a cylinder is formatted as fdformat does it", text)
    text = pc.shell("dd if=/dev/urandom of=/dev/fd0 bs=18k count=4 conv=fsync && head -c 73728 /dev/fd0 | sha256sum")
    pc.shell("sync")
    with open(floppy, "rb") as file:
        tap.ok(hashlib.sha256(file.read(4 * 18432)).hexdigest() in text, "what is written to the floppy is there",
               text)
    pc.shell("echo 0 >/proc/sys/dev/cdrom/autoclose")
    text = pc.shell("eject /dev/sr0; echo status $?")
    tap.ok("status 0" in text, "eject opens the tray", text)
    text = pc.shell("head -c 2048 /dev/sr0 | wc -c")
    tap.ok(re.search(r"^0$", text, re.M), "the drive is empty then", text)
    other = media("ipxe.iso")
    pc.insert("cd0", other)
    text = pc.shell(f"sleep 3; head -c {os.path.getsize(other)} /dev/sr0 | sha256sum").split()
    tap.ok(text and text[0] == digest(other), "another disc is seen", text)


def mouse(tap, pc, vnc):
    """Who moves, clicks and turns the wheel over VNC does so in the guest."""
    pc.shell("modprobe psmouse; udevadm settle")
    pc.send(LISTEN)
    pc.expect(r"listening to .*Explorer")
    start, hand = pc.mark, rfb.Screen(vnc)
    for x, y, buttons in ((100, 100, 0), (140, 110, 0), (140, 110, LEFT), (110, 130, LEFT), (110, 130, 0),
                          *((110, 130, button) for click in (MIDDLE, WHEEL_UP, WHEEL_DOWN, WHEEL_DOWN, RIGHT)
                            for button in (click, 0))):
        hand.pointer(x, y, buttons)
    end = pc.expect(f"^{SHELL}")
    hand.close()
    text = plain(pc.text[start:end.start()])
    seen = [tuple(map(int, words)) for words in re.findall(r"^(\d+) (\d+) (-?\d+)\r?$", text, re.M)]
    buttons = [(code, value) for kind, code, value in seen if kind == EV_KEY]
    tap.ok(buttons == [(button, down) for button in (BTN_LEFT, BTN_MIDDLE, BTN_RIGHT) for down in (1, 0)],
           "three buttons are pressed and let go", text)
    pressed = seen.index((EV_KEY, BTN_LEFT, 1)) if (EV_KEY, BTN_LEFT, 1) in seen else 0
    for what, events, moved in (("the pointer moves", seen[:pressed], (40, 10)),
                                ("and drags", seen[pressed:], (-30, 20))):
        sums = tuple(sum(value for kind, code, value in events if (kind, code) == (EV_REL, axis))
                     for axis in (REL_X, REL_Y))
        tap.ok(sums == moved, f"{what} by {moved}", text)
    wheel = [value for kind, code, value in seen if (kind, code) == (EV_REL, REL_WHEEL)]
    tap.ok(wheel[:1] == [1] and sum(wheel) == -1, "the wheel turns up once and down twice", text)


def tools(tap):
    """What the system's own tools see and do: of the plan, with a mouse, on the drives."""
    floppy, vnc = (os.path.join(OPTIONS.folder, name) for name in ("floppy.img", "vnc"))
    with open(floppy, "wb") as file:
        file.write(b"\xe5" * FLOPPY_BYTES)
    disc = media("grub-rescue-cdrom.iso")
    with machine(sets={"floppy": floppy, "cdrom": disc, "vnc": f"unix:{vnc}"}) as pc:
        pc.log_in()
        agrees(tap, pc)
        mouse(tap, pc, vnc)
        drives(tap, pc, floppy, disc)
        power_off(tap, pc)


def durable(tap):
    """A kill without warning loses nothing that was flushed."""
    overlay = os.path.join(OPTIONS.folder, "changes.qcow2")
    with machine(overlay) as pc:
        pc.log_in()
        pc.shell("mkdir -p /var/kept; cd /var/kept")
        pc.shell("for i in 1 2 3 4 5; do head -c 300000 /dev/urandom >f$i; done; sha256sum f? >sums; sync; echo done")
        kept = pc.shell("cat sums")
        pc.send("while :; do head -c 100000 /dev/urandom >unkept; done\n")
        pc.pump(2)
        pc.process.send_signal(signal.SIGKILL)
        pc.process.wait()
    tap.ok(len(kept.splitlines()) == 5, "five files were written and flushed", kept)
    check_judge(tap, overlay)
    with machine(overlay) as pc:
        pc.log_in()
        text = pc.shell("cd /var/kept && sha256sum -c --quiet sums && echo all good; cat sums")
        tap.ok("all good" in text and kept in text, "all of it is there after the next start", text)
        power_off(tap, pc)
    check_judge(tap, overlay)


SCENARIOS = {"login": login, "tools": tools, "durable": durable}


if __name__ == "__main__":
    main(SCENARIOS)
