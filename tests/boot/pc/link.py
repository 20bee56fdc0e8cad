#!/usr/bin/env python3
"""link.py link --millwright FILE: two BIOS PCs on the software CPU, COM2 to COM4 of one joined to those of the other by
null modems. GRUB on each reads lines that the other's sends. Printed as TAP; exits with 77 where GRUB is not there."""
# SPDX-License-Identifier: MIT
import os
import re
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.path[:0] = [os.path.join(ROOT, "tests", folder) for folder in ("support", "lab")]

from pc import OPTIONS, Pc, main, media

UNITS = (1, 2, 3)  # as GRUB counts: COM2, COM3, COM4
CROSSED = {1: 1, 2: 3, 3: 2}  # COM3 of one to COM4 of the other
SENT, READ = "for n in 1 2 3; do", "for n in 1 3 2; do"  # GRUB drops what nobody takes for 0.2 s


def machine(name, cables):
    """`cables` are the links of COM2, COM3 and COM4."""
    folder = os.path.join(OPTIONS.folder, name)
    os.mkdir(folder)
    image = shutil.copy(media("grub-rescue-floppy.img"), folder)
    ports = "".join(f"  com{unit + 1}: {{ backend: {{ link: {cable} }} }}\n" for unit, cable in cables.items())
    return Pc(OPTIONS.millwright, {"floppy": image, "menu": "false", "ram": "32MiB"}, ports, folder=folder)


def says(name, unit):
    """More than the chip's FIFO holds, and another on each port."""
    return f"this is {name} at unit {unit}, in 16 bytes and more"


def sends(tap, sender, reader, name):
    """A line on each port. Before it go the codes that clear a terminal, and an end of line; each is two reads, for
    its two characters."""
    reader.type(f"clear; {READ} terminal_input serial_com$n; read a; read a; read a; read b; echo; echo $n:$a.; done; "
                "terminal_input console; echo all read")
    sender.type(f"clear; {SENT} terminal_output serial_com$n; echo; echo {says(name, '$n')}; done; "
                "terminal_output console")
    text = reader.watch(r"(?s).*^all read$.*^grub>\s*\Z").group(0)
    found = {int(unit): line for unit, line in re.findall(r"^(\d):(.*)\.$", text, re.M)}
    wanted = {CROSSED[unit]: says(name, unit) for unit in UNITS}
    tap.ok(found == wanted, f"what {name} sends on COM2 to COM4 is read at the other ends", f"{text}\n{wanted}")


def link(tap):
    os.environ["XDG_RUNTIME_DIR"] = OPTIONS.folder
    near_cables = {unit: f"pc-{unit}" for unit in UNITS}
    far_cables = {CROSSED[unit]: cable for unit, cable in near_cables.items()}
    with machine("near", near_cables) as near:
        with machine("far", far_cables) as far:
            for pc in (near, far):
                pc.grub_prompt()
                # GRUB sets a port up, and empties it, at its first use.
                pc.grub(f"{SENT} serial --unit=$n --speed=115200; terminal_output serial_com$n; done; "
                        "terminal_output console")
            sends(tap, near, far, "near")
            sends(tap, far, near, "far")
        text = near.grub("echo near $grub_cpu")
        tap.ok(text.strip() == "near i386", "one of them goes on when the other ends", text)


if __name__ == "__main__":
    main({"link": link})
