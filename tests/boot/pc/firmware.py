#!/usr/bin/env python3
"""firmware.py SCENARIO --millwright FILE: SeaBIOS on pc-legacy, and what it boots that is no installed system, on the
software CPU, printed as TAP. Exits with 77 where a medium is not there."""
# SPDX-License-Identifier: MIT
import os
import re
import shutil
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.path[:0] = [os.path.join(ROOT, "tests", folder) for folder in ("support", "lab")]

from console import PROMPT
from pc import OPTIONS, Pc, main, media, plain
from qmp import connect

MIB, SECTOR, PAGE = 1 << 20, 512, 4096
SECTOR_KEPT, KEPT = 1000, b"the thousandth!!"


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
        tap.ok("parse DSDT" in debug and "parse error" not in debug, "and understands the whole DSDT", debug)


# What lspci there says of the chips: Intel's data sheets, and QEMU's of its display adapter.
CHIPS = {"i440fx-host": "8086:1237 [0600]", "piix3-isa": "8086:7000 [0601]", "piix3-ide": "8086:7010 [0101]",
         "piix4-pm": "8086:7113 [0680]", "vga-std": "1234:1111 [0300]"}
# Number, width, height, bits, bytes of a row: modes of VESA's (8 to 24 bits) and of Bochs' VBE.
MODES = [("0x101", "640", "480", "8", "640"), ("0x110", "640", "480", "15", "1280"),
         ("0x111", "640", "480", "16", "1280"), ("0x112", "640", "480", "24", "1920"),
         ("0x142", "640", "480", "32", "2560"), ("0x144", "1024", "768", "32", "4096")]
# Tables that SeaBIOS copies below 1 MiB: its name of them, and how they begin.
COPIED = {"pir": ("PIR", b"$PIR"), "mptable": ("MPTABLE", b"_MP_"), "smbios": ("SMBIOS", b"_SM_")}
BEGINS = "Running on QEMU (i440fx)"  # what SeaBIOS writes once
POLARITY, TRIGGER = {"high": 1, "low": 3}, {"edge": 1 << 2, "level": 3 << 2}


def pci_functions(plan):
    """By slot and function, what is on the PCI bus, the host bridge too."""
    nodes = plan["nodes"]
    found = {node["address"]: CHIPS[node["type"]] for node in nodes.values() if node.get("bus") == "pci0"}
    return {"00.0": CHIPS[nodes["pci0"]["type"]], **found}


def of_type(plan, name):
    return [node for node in plan["nodes"].values() if node["type"] == name]


def overrides(plan):
    """ISA lines that are not, as they should be, at the pin of their number and edge triggered."""
    for net in plan["nets"]:
        if net.get("domain") == "isa" and (net["gsi"] != net["line"] or net["trigger"] != "edge"):
            flags = POLARITY[net["polarity"]] | TRIGGER[net["trigger"]]
            yield f"Int Override bus=0 src={net['line']:x} GSI={net['gsi']:08x} Flags={flags:04x}"


def acpi_tables(plan):
    """Name, bytes, revision of what lsacpi must list (ACPI 6.5, 5.2.6 to 5.2.12; HPET 1.0a, 3.2.4)."""
    madt = 44 + 8 * plan["cpu"]["count"] + 12 * len(of_type(plan, "ioapic")) + 10 * len(list(overrides(plan))) + 6
    tables = [("FACP", 276, 6), ("APIC", madt, 5)] + [("HPET", 56, 1) for _ in of_type(plan, "hpet")]
    return [("XSDT", 36 + 8 * len(tables), 1), *tables]


def check_acpi(tap, pc, plan):
    text = pc.grub("lsacpi")
    line = rf"^(\w{{4}}) +(\d+)B rev=(\d+) chksum=0x\w\w \(valid\) OEM=MILLWR {plan['name']:8} "
    found = re.findall(line, text, re.M)
    wanted = acpi_tables(plan)
    tap.ok([(name, int(length), int(revision)) for name, length, revision in found] == wanted,
           "lsacpi finds the tables, whole", f"{text}\n{wanted}")
    tap.ok(re.search(r"^RSDPv2 signature:RSD PTR +chksum:\w\w \(valid\), OEM-ID: MILLWR rev=2$", text, re.M),
           "and what they are found by", text)
    wanted = [f"LAPIC ACPI_ID={number:02x} APIC_ID={number:02x} Flags=00000001"
              for number in range(plan["cpu"]["count"])]
    wanted += [f"IOAPIC ID=00 address={node['mmio']['bank']['base']:08x} GSI=00000000"
               for node in of_type(plan, "ioapic")]
    wanted += [*overrides(plan), "LAPIC_NMI ACPI_ID=ff Flags=0000 lint=01"]
    found = re.findall(r"^ +((?:LAPIC|IOAPIC|Int ).*)$", text, re.M)
    tap.ok(found == wanted, "lsacpi finds CPUs, the I/O APIC and the lines of the plan", f"{text}\n{wanted}")


def memory(pc, *ranges):
    """What GRUB finds at addresses."""
    text = pc.grub("; ".join(f"hexdump -s {base:#x} -n {length} (mem)" for base, length in ranges))
    lines = {int(at, 16): bytes.fromhex(row) for at, row in re.findall(r"^(\w{8})  ((?:\w\w +){1,16})", text, re.M)}
    return [b"".join(lines.get(at, b"") for at in range(base, base + length, 16)) for base, length in ranges]


def check_fixed_hardware(tap, pc, plan):
    """The FADT has the plan's ports and line, and leads to the two tables that lsacpi does not list."""
    debug = pc.debug()
    base = int(re.search(r"table\(50434146\)=(0x\w+)", debug).group(1), 16)
    facp = memory(pc, (base, 132))[0]
    facs, dsdt = struct.unpack_from("<II", facp, 36)
    pm = plan["nodes"]["pm"]
    ports, smi = pm["io"]["pm"]["base"], pm["io"]["smi"]["base"]
    wanted = (int(pm["irq"]["sci"].split(":")[1]), smi, ports, ports + 4, ports + 8)
    found = tuple(struct.unpack_from(form, facp, at)[0]
                  for form, at in (("<H", 46), ("<I", 48), ("<I", 56), ("<I", 64), ("<I", 76)))
    tap.ok(facp[:4] == b"FACP" and found == wanted, "the FADT has the ports and the line of the plan",
           f"{facp.hex()} {found} {wanted}")
    wanted = struct.pack("<BBBBQB", 1, 8, 0, 1, plan["nodes"]["isa"]["io"]["reset"]["base"], 6)
    tap.ok(facp[116:129] == wanted, "and its reset register", facp.hex())
    begins = memory(pc, (facs, 8), (dsdt, 8))
    length = int.from_bytes(begins[1][4:], "little")
    tap.ok(begins[0] == struct.pack("<4sI", b"FACS", 64) and begins[1][:4] == b"DSDT" and
           f"parse DSDT at {dsdt:#x} (len {length})" in debug, "it leads to FACS and to the DSDT that SeaBIOS read",
           begins)


def check_copied(tap, pc, plan):
    """The tables that are no tables of ACPI."""
    debug = pc.debug()
    names = [name for name in plan["boot"]["tables"] if name != "acpi"]
    at = [int(re.search(rf"Copying {COPIED[name][0]} from \S+ to (0x\w+)", debug).group(1), 16) for name in names]
    for name, begin in zip(names, memory(pc, *((base, 4) for base in at))):
        tap.ok(begin == COPIED[name][1], f"the table `{name}` is there", begin)
    text = pc.grub("smbios -t 1 -s 4; smbios -t 1 -s 5; smbios -t 17 -w 12")
    last = plan["memory"]["ranges"][-1]
    wanted = ["Millwright", plan["name"], str((last["base"] + last["length"]) // MIB)]
    tap.ok(text.split()[-3:] == wanted, "SMBIOS has the name and the memory of the plan", text)


def check_modes(tap, pc, plan):
    pc.grub("insmod vbe")
    text = pc.grub("videoinfo 640x480; videoinfo 1024x768x32")
    found = re.findall(r"^[ *] (0x\w+) +(\d+) x +(\d+) x +(\d+) \( *(\d+)\)  (?:Direct color|Paletted)", text, re.M)
    tap.ok(found == MODES, "videoinfo finds VBE's modes", text)
    adapter = plan["nodes"]["vga0"]
    wanted = ["Adapter `VESA BIOS Extension Video Driver':", "VBE info:   version: 3.0 ",
              f"total memory: {adapter['mmio']['vram']['length'] // 1024} KiB",
              f"Preferred mode: {adapter['props']['width']}x{adapter['props']['height']}"]
    tap.ok(all(text.count(line) == 2 for line in wanted), "and the adapter of the plan", f"{text}\n{wanted}")


def check_grub(tap, pc, drives):
    """GRUB's own tools see what the plan says. `drives` are its names of them."""
    plan = pc.plan()
    text = pc.grub("lspci")
    found = dict(re.findall(r"^00:(\w\w\.\d) (\S+ \[\w+\]) ", text, re.M))
    tap.ok(found == pci_functions(plan), "lspci finds the functions of the plan", f"{text}\n{pci_functions(plan)}")
    text = pc.grub("ls")
    tap.ok(set(re.findall(r"\((\w+)\)", text)) == drives, f"ls finds {sorted(drives)} and no other drive", text)
    check_modes(tap, pc, plan)
    check_acpi(tap, pc, plan)
    return plan


def resets(pc):
    return int(re.search(r"(\d+) resets?$", pc.call("inspect"), re.M).group(1))


def resets_once(tap, pc, reset, what):
    """`reset` does it; the BIOS comes again, and GRUB after it."""
    pc.pump(0)
    pc.mark, begins, before = len(pc.text), pc.debug().count(BEGINS), resets(pc)
    reset()
    pc.expect(r"SeaBIOS \(version")
    pc.expect(r"GNU GRUB +version")
    pc.grub_prompt()
    times = pc.debug().count(BEGINS) - begins
    tap.ok((resets(pc) - before, times) == (1, 1), f"{what} is one reset, after which the BIOS and GRUB come again",
           f"{pc.call('inspect').splitlines()[0]}, SeaBIOS began {times} times")


def floppy(tap):
    image = shutil.copy(media("grub-rescue-floppy.img"), OPTIONS.folder)
    disk = blank(OPTIONS.folder, "disk.img", 64 * MIB)
    with machine({"floppy": image, "disk": disk, "menu": "false"}) as pc:
        pc.grub_prompt()
        tap.ok(True, "GRUB boots from the floppy to its prompt")
        plan = check_grub(tap, pc, {"fd0", "hd0"})
        check_fixed_hardware(tap, pc, plan)
        check_copied(tap, pc, plan)
        text = pc.grub("ls (hd0)")
        tap.ok("Total size 65536KiB" in text.replace("\n", " "), "ls finds the size of the disk", text)


def cdrom(tap):
    with machine({"cdrom": media("grub-rescue-cdrom.iso"), "menu": "false"}) as pc:
        pc.grub_prompt()
        tap.ok(True, "GRUB boots from the CD to its prompt")
        check_grub(tap, pc, {"cd", "fd0"})
        resets_once(tap, pc, lambda: pc.type("clear; reboot"), "reboot, which is SeaBIOS's by the keyboard controller,")


def picture(pc):
    path = os.path.join(pc.folder, "screen.png")
    pc.call("screenshot", "--output", path)
    with open(path, "rb") as file:
        return file.read()


def is_shown(pc, wanted):
    """The picture; the cursor blinks, so some are looked at."""
    end = time.monotonic() + 60
    while picture(pc) != wanted:
        if time.monotonic() > end:
            return False
        pc.pump(0.1)
    return True


def save(tap, pc, path):
    """In the midst of a line. Returns the tables as GRUB found them, the screen, and a picture of it."""
    pc.grub_prompt()
    pc.grub("set color_normal=yellow/blue")
    tables = pc.grub("lsacpi")
    pc.type(f"hexdump -s {SECTOR_KEPT * SECTOR} -n", enter=False)
    seen = tables, pc.watch(r"(?s)\A.*HPET.*^grub> hexdump -s \d+ -n\s*\Z").group(0), picture(pc)
    pc.call("snapshot", path)
    tap.ok(os.path.getsize(path) > MIB, "a machine at GRUB's prompt is saved")
    pc.process.kill()
    pc.process.wait()
    os.unlink(pc.socket)  # one who is killed leaves it
    return seen


def go_on(tap, pc, seen, boot):
    connect(pc.socket, pc.bound_s).close()
    tables, text, shown = seen
    now = pc.screen()
    tap.ok(now == text, "the text on the screen is there in a new process", f"{text}\n--- now ---\n{now}")
    tap.ok(is_shown(pc, shown), "and so are its colours and its font")
    pc.type(" 16 (hd0)")
    text = pc.watch(r"(?s)-n 16 \(hd0\)\n(.*)^grub>\s*\Z").group(1)
    tap.ok(KEPT.decode() in text, "the line is typed on, and the disk is read", text)
    with open(boot, "rb") as file:
        file.seek(-16, os.SEEK_END)
        wanted = file.read()
    text = pc.grub(f"hexdump -s {os.path.getsize(boot) - 16} -n 16 (fd0)")
    tap.ok(wanted.hex(" ") in text.replace("  ", " "), "the floppy is read", f"{text}\n{wanted.hex(' ')}")
    text = pc.grub("lsacpi")
    tap.ok(text == tables, "shadow RAM is as it was", text)
    resets_once(tap, pc, lambda: pc.type("clear; outb 0xcf9 6"), "6 at port 0xcf9")


def snapshot(tap):
    """Saved, killed and restored."""
    boot = shutil.copy(media("grub-rescue-floppy.img"), OPTIONS.folder)
    disk = blank(OPTIONS.folder, "disk.img", 16 * MIB)
    for path, at, text in ((disk, SECTOR_KEPT * SECTOR, KEPT), (boot, 1440 * 1024 - 16, b"the floppy's end")):
        with open(path, "r+b") as file:
            file.seek(at)
            file.write(text)
    saved, sets = os.path.join(OPTIONS.folder, "snapshot"), {"floppy": boot, "disk": disk, "menu": "false"}
    with machine(sets, folder=OPTIONS.folder) as pc:
        seen = save(tap, pc, saved)
    with machine(sets, folder=OPTIONS.folder, restore=saved) as pc:
        go_on(tap, pc, seen, boot)


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


# 15988 KiB: 159 pages below the extended BIOS data area, and all from 1 MiB to two pages of tables under 16 MiB.
MEMORY = (("16 MiB of memory", r"^Memory +: +16MB "), ("what is not the BIOS's", r"\[\S+ of 15\.6MB\]"),
          ("one CPU", r"^CPU: 1 Cores 1 Threads "), ("the board", r"^ +Millwright pc$"))
SOFTWARE_CPU = (("the CPU", r"Memtest86\+ v\S+ +\S Millwright software CPU$"),
                ("its clock", r"^CLK/Temp: +(?:999|100[01])MHz "), ("its L1 cache", r"^L1 Cache: +32KB "),
                ("its L2 cache", r"^L2 Cache: +2MB "), ("no L3 cache", r"^L3 Cache: +N/A "))


def tests_memory(tap, pc, lines=()):
    """`lines` are others that it must show."""
    pc.watch(r"Memtest86\+")
    tap.ok(True, "memtest86+ shows its screen")
    screen = pc.watch(r"(?s).*#(?:[1-9]|10) .*Errors: *(\d+).*", pc.bound_s * 2)
    for name, pattern in (*MEMORY, *lines):
        tap.ok(re.search(pattern, screen.group(0), re.M), f"it finds {name}", screen.group(0))
    tap.ok(screen.group(1) == "0", "it is past its first test without an error", screen.group(0))


def memtest(tap):
    with machine({"cdrom": media("memtest86+ia32.iso"), "menu": "false", "ram": "16MiB"}) as pc:
        tests_memory(tap, pc, SOFTWARE_CPU)
        ranges = [(int(base, 16), int(end, 16), kind) for base, end, kind in
                  re.findall(r"^ +\d+: (\w+) - (\w+) = \d (\w+)", pc.debug(), re.M)]
        kib = sum(end // PAGE - -(-base // PAGE) for base, end, kind in ranges if kind == "RAM") * PAGE // 1024
        top = max(end for _, end, _ in ranges if end < 1 << 31)
        tap.ok((kib, top) == (15988, 16 * MIB), "which is the BIOS's map of the memory", f"{kib} KiB, {ranges}")


def starts_ipxe(tap, pc):
    pc.watch(r"iPXE.*Open Source Network Boot Firmware")
    tap.ok(True, "iPXE starts from the CD")
    pc.watch(r"Ctrl-B|No more network devices|iPXE>")
    tap.ok(True, "iPXE has looked for networks")


def ipxe(tap):
    with machine({"cdrom": media("ipxe.iso"), "menu": "false"}) as pc:
        starts_ipxe(tap, pc)


def runs_i386(tap, pc):
    """Debian's 32-bit kernel, from a CD by GRUB."""
    pc.expect(PROMPT)
    tap.ok(pc.typed("uname -m") == "i686", "a shell of Debian's 32-bit kernel")
    wrong = pc.typed("dmesg | grep -E '] WARNING: |BUG: |Oops|lockup'")
    tap.ok(not wrong, "the kernel complains of nothing", wrong)


def starts_i386(tap, pc):
    runs_i386(tap, pc)
    pc.send("poweroff\n")
    status, _ = pc.wait()
    tap.ok(status == 0, "poweroff ends the process with status 0", pc.report())


def check_serial_ports(tap, pc):
    """Linux finds the plan's ports, all four of them."""
    wanted = {number: (f"{node['io']['bank']['base']:08X}", node["irq"]["irq"].split(":")[1])
              for number, node in ((number, pc.plan()["nodes"][f"com{number + 1}"]) for number in range(4))}
    text = pc.typed("cat /proc/tty/driver/serial")
    found = {int(number): (port, irq) for number, port, irq in
             re.findall(r"^(\d): uart:16550A port:(\w+) irq:(\d+)", text, re.M)}
    tap.ok(found == wanted, "it finds the four serial ports of the plan", text)


def i386(tap):
    # Were port 0xcf9 dead, the kernel would fall back on a triple fault.
    with machine({"cdrom": media("i386.iso"), "menu": "false"}, extra="power: { triple_fault: exit }\n") as pc:
        runs_i386(tap, pc)
        check_serial_ports(tap, pc)
        pc.eject("cd0")
        pc.insert("cd0", media("grub-rescue-cdrom.iso"))
        pc.typed("echo pci >/sys/kernel/reboot/type")
        resets_once(tap, pc, lambda: pc.send("reboot -f\n"), "the kernel's reboot by port 0xcf9")
        pc.send("halt\r")  # not by keys: the machine ends before the last one is released
        status, _ = pc.wait()
        tap.ok(status == 0, "GRUB's halt ends the process with status 0", pc.report())


SCENARIOS = {"post": post, "floppy": floppy, "cdrom": cdrom, "exchange": exchange, "snapshot": snapshot,
             "memtest": memtest, "ipxe": ipxe, "i386": i386}


if __name__ == "__main__":
    main(SCENARIOS)
