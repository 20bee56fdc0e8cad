#!/usr/bin/env python3
"""floppies.py --millwright FILE: SeaBIOS boots floppy disks of every IBM format on the software CPU; what it boots
reads, writes and verifies the last sector by INT 13h. Printed as TAP."""
# SPDX-License-Identifier: MIT
import argparse
import os
import re
import struct
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.path[:0] = [os.path.join(ROOT, "tests", folder) for folder in ("support", "lab")]

from lab import Tap
from pc import Failure, Pc

SECTOR = 512
READ, WRITE, VERIFY = 2, 3, 4
BUFFER, SELF = 0x8000, 0x7c00
# KiB, cylinders, heads, sectors, types of drives; 40 cylinders are read by drives that have no more.
FORMATS = (
    (160, 40, 1, 8, ("auto",)), (180, 40, 1, 9, ("auto",)), (320, 40, 2, 8, ("auto",)),
    (360, 40, 2, 9, ("auto", "360K")), (720, 80, 2, 9, ("auto", "720K", "1.44M", "2.88M")),
    (1200, 80, 2, 15, ("auto", "1.2M")), (1440, 80, 2, 18, ("auto", "1.44M", "2.88M")),
    (2880, 80, 2, 36, ("auto", "2.88M")),
)


def call(function, buffer, cylinder, head, sector):
    """INT 13h for a sector of drive 0, and AH as a digit on the debug console."""
    return (struct.pack("<BHBHBHBH", 0xb8, function << 8 | 1,  # mov ax; bx; cx; dx
                        0xbb, buffer, 0xb9, cylinder << 8 | sector, 0xba, head << 8)
            + bytes.fromhex("cd13 88e0 0430 ba0204 ee"))  # int 0x13; mov al, ah; add al, '0'; out 0x402, al


def boot_sector(cylinders, heads, sectors):
    last = (cylinders - 1, heads - 1, sectors)
    code = (bytes.fromhex("31c0 8ed8 8ec0 8ed0 bc007c fb")  # xor ax, ax; ds, es and ss; sp; sti
            + call(READ, BUFFER, *last)
            + bytes.fromhex("be0080 b91000 ac ee e2fc")  # 16 bytes of the buffer to the console
            + call(WRITE, SELF, *last) + call(VERIFY, SELF, *last)
            + bytes.fromhex("b00a ee f4 ebfd"))  # a line's end; hlt; jmp back
    return code.ljust(SECTOR - 2, b"\0") + b"\x55\xaa"


def answer(pc):
    """What the boot sector has written."""
    pc.expect(r"Booting from Floppy")
    end = time.monotonic() + pc.bound_s
    while time.monotonic() < end:
        pc.pump(0.2)
        match = re.search(r"Booting from 0000:7c00\n(.*)\n", pc.debug())
        if match:
            return match.group(1)
    raise Failure(f"no boot sector spoke\n{pc.debug()[-2000:]}\n{pc.report()}")


def check(tap, options, disk, drive):
    kib, cylinders, heads, sectors, _ = disk
    boot, name = boot_sector(cylinders, heads, sectors), f"last of {kib}K".ljust(16).encode()
    path = os.path.join(options.folder, "floppy.img")
    with open(path, "wb") as file:
        file.write(boot.ljust(kib * 1024 - SECTOR, b"\0") + name.ljust(SECTOR, b"\0"))
    with Pc(options.millwright, {"floppy": path, "menu": "false", "ram": "16MiB"},
            f'  fd0: {{ props: {{ type: "{drive}" }} }}') as pc:
        found = answer(pc)
    with open(path, "rb") as file:
        file.seek(-SECTOR, os.SEEK_END)
        written = file.read() == boot
    tap.ok(found == f"0{name.decode()}00" and written, f"{kib}K in a drive of type {drive}",
           f"{found}, {'written' if written else 'not written'}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--millwright", required=True)
    options, tap = parser.parse_args(), Tap()
    with tempfile.TemporaryDirectory() as options.folder:
        for disk in FORMATS:
            for drive in disk[-1]:
                try:
                    check(tap, options, disk, drive)
                except Failure as failure:
                    tap.ok(False, str(failure).splitlines()[0], failure)
    sys.exit(tap.done())


if __name__ == "__main__":
    main()
