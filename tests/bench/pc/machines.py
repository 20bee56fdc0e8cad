"""The two BIOS PCs that pc.py compares, and guests of our own for them."""
# SPDX-License-Identifier: MIT
import os
import re
import select
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
PROGRAMS = ("millwright", "QEMU")
QEMU = "qemu-system-x86_64"
BOUND_S = 600
ROM_BYTES, CODE_AT, CODE_BYTES = 256 << 10, 0x400, 510
# The reset vector, 0xf000:0xfff0: moves 255 words from 0xf000:0xfc00 to 0x7c00 and goes there.
LOADER = bytes.fromhex("be00fc" "bf007c" "b1ff" "2ef3a5" "ea007c0000")
OVERLAY = """\
format: overlay/1
name: bench
devices: { exit: { type: debug-exit, at: isa, io: 0xf4+1 } }
"""


class Cost:
    """Of one run: seconds of wall and of CPU time."""

    def __init__(self, wall, usage):
        self.wall, self.cpu = wall, usage.ru_utime + usage.ru_stime


def run(command, pattern=None, status=0):
    """To its end, or until its output shows the pattern."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    seen, left = b"", BOUND_S
    while pattern is None or not re.search(pattern, seen):
        ready = select.select([process.stdout], [], [], left)[0]
        part = os.read(process.stdout.fileno(), 65536) if ready else b""
        left = start + BOUND_S - time.monotonic()
        if not part or left < 0:
            break
        seen += part
    if pattern or left < 0:
        process.kill()
    _, found, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(found)
    with process:
        errors = process.stderr.read().decode(errors="replace")
    if (pattern and not re.search(pattern, seen)) or (not pattern and process.returncode != status):
        sys.exit(f"{' '.join(command)}: status {process.returncode}\n{errors[-800:]}")
    return Cost(wall, usage)


class Machines:
    """Commands for both, and files for their guests."""

    def __init__(self, build, folder):
        self.build, self.folder = build, folder
        os.environ["MILLWRIGHT_PATH"] = ROOT
        self.overlay = self.write("bench.yaml", OVERLAY.encode())

    def write(self, name, data, size=None):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(data)
            file.truncate(size or len(data))
        return path

    def ours(self, *words, accel="soft", vga="none"):
        return [os.path.join(self.build, "millwright"), "run", "pc-legacy", "-o", self.overlay, "--accel", accel, "--set",
                "ram=64MiB", "--set", "menu=false", "--set", f"vga={vga}", *words]

    def theirs(self, *words, accel="tcg", vga="none"):
        return [QEMU, "-M", "pc", "-accel", accel, "-m", "64", "-nodefaults", "-no-user-config", "-serial", "stdio",
                "-vga", vga, "-device", "isa-debug-exit,iobase=0xf4,iosize=1", *words]

    def assemble(self, source, **numbers):
        code = os.path.join(self.folder, "code")
        subprocess.run(["gcc", "-c", *(f"-D{name}={value}" for name, value in numbers.items()), "-o", code + ".o",
                        os.path.join(HERE, source)], check=True)
        subprocess.run(["ld", "-m", "elf_x86_64", "-Ttext", "0x7c00", "--oformat", "binary", "-o", code, code + ".o"],
                       check=True)
        with open(code, "rb") as file:
            return file.read()

    def rom(self, name, source, **numbers):
        """One whose code runs as a boot sector does, but as the first of all."""
        code = self.assemble(source, **numbers)
        if len(code) > CODE_BYTES:
            sys.exit(f"{source} has {len(code)} bytes")
        code = code.ljust(CODE_AT - len(LOADER), b"\xff") + LOADER
        return self.write(name, code.rjust(ROM_BYTES, b"\xff"))

    def rom_commands(self, rom, disk=None, accel=("soft", "tcg"), vga="none"):
        """{program: command}"""
        ours = ["--set", f"firmware={rom}"] + (["--set", f"disk={disk}"] if disk else [])
        theirs = ["-bios", rom] + (["-drive", f"if=ide,index=0,format=raw,file={disk}"] if disk else [])
        return {"millwright": self.ours(*ours, accel=accel[0], vga=vga),
                "QEMU": self.theirs("-display", "none", *theirs, accel=accel[1], vga=vga)}
