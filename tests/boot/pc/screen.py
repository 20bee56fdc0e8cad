#!/usr/bin/env python3
"""screen.py SCENARIO --millwright PROGRAM [--keep FOLDER]: the screen of a BIOS PC, as people see and use it. `vnc`
chooses from SeaBIOS's menu and types at GRUB's prompt over VNC; `type` does so by `millwright type`; `png` looks at the
file that a machine writes; `novnc` looks through Debian's noVNC in a Chromium without a window. With --keep the
pictures are left there. Ends with 77 where something that it needs is not installed."""
# SPDX-License-Identifier: MIT
import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
GUESTS = os.environ.get("MW_GUESTS", os.path.join(ROOT, "build", "guests"))
GRUB = os.path.join(GUESTS, "pc", "grub-rescue-floppy.img")
BIOS = "/usr/share/seabios/bios-256k.bin"
NOVNC = "/usr/share/novnc"
BOUND_S = 300  # of one step, with sanitizers on a busy machine
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
import rfb  # noqa: E402
from browser import Browser, Failure as BrowserFailure  # noqa: E402

PROFILE = """\
format: machine/1
name: screen
version: 1
summary: the BIOS PC with a screen to look at
extends: machine/pc-legacy@1
devices:
  com1: {{ backend: null }}
  vga0: {{ backend: {{ image: {{ file: $(vgabios) }}, display: {display} }} }}
"""


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def fail(why):
    sys.exit(f"screen: {why}")


class Machine:
    """One that runs until the end of the `with`."""

    def __init__(self, program, folder, display, floppy=None):
        self.program, self.ctl = program, os.path.join(folder, "ctl")
        self.log = os.path.join(folder, "log")
        profile = os.path.join(folder, "screen.yaml")
        with open(profile, "w", encoding="utf-8") as file:
            file.write(PROFILE.format(display=display))
        command = [program, "run", profile, "--accel", "soft", "--qmp", self.ctl, "--set", "ram=32MiB"]
        if floppy:
            command += ["--set", "floppy=" + shutil.copy(floppy, folder)]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(BOUND_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def verb(self, *words):
        return subprocess.run([self.program, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              check=False, timeout=BOUND_S)

    def text(self):
        return self.verb("screenshot", self.ctl, "--text").stdout

    def wait(self, words):
        """Until they are on the screen."""
        end = time.monotonic() + BOUND_S
        while words not in self.text():
            if self.process.poll() is not None or time.monotonic() > end:
                with open(self.log, encoding="utf-8", errors="replace") as log:
                    fail(f"`{words}` does not come; there is:\n{self.text()}\n{log.read()[-2000:]}")
            time.sleep(0.2)


def read_png(path):
    """Width, and rows of R, G, B; of 8 bits a colour and not interlaced."""
    with open(path, "rb") as file:
        data = file.read()
    width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    size = {2: 3, 6: 4}[data[25]]
    packed, at = b"", 8
    while at < len(data):
        length = int.from_bytes(data[at:at + 4], "big")
        if data[at + 4:at + 8] == b"IDAT":
            packed += data[at + 8:at + 8 + length]
        at += 12 + length
    raw, stride, rows = zlib.decompress(packed), width * size, []
    before = bytearray(stride)
    for y in range(height):
        kind, line = raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        for x in range(stride):
            left = line[x - size] if x >= size else 0
            corner = before[x - size] if x >= size else 0
            line[x] = (line[x] + predict(kind, left, before[x], corner)) & 255
        before = line
        rows.append(b"".join(bytes(line[x:x + 3]) for x in range(0, stride, size)))
    return width, rows


def predict(kind, left, up, corner):
    """PNG, chapter 9: none, sub, up, average, Paeth."""
    if kind == 4:
        guess = left + up - corner
        return min((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner))[2]
    return (0, left, up, (left + up) // 2)[kind]


def bright(rows):
    """Where text is: pixels of the colour that a text screen has."""
    return [(x // 3, y) for y, row in enumerate(rows) for x in range(0, len(row), 3) if row[x:x + 3] == b"\xaa" * 3]


def same_picture(machine, screen, folder):
    """What VNC shows is what `millwright screenshot` writes; a cursor may blink in between."""
    path = os.path.join(folder, "shot.png")
    for _ in range(20):
        screen.update(False)
        done = machine.verb("screenshot", machine.ctl, "-o", path)
        if done.returncode:
            fail(done.stderr)
        if read_png(path)[1] == [bytes(row) for row in screen.pixels]:
            return
    fail("VNC's picture is not the screenshot's")


def keep(arguments, name, screen):
    if arguments.keep:
        screen.png(os.path.join(arguments.keep, name + ".png"))


def need(path, what):
    if not os.path.exists(path):
        skip(f"{what}: there is no {path}")


def vnc(arguments, folder):
    need(GRUB, "tests/boot/pc/guests.py media fetches GRUB")
    path = os.path.join(folder, "vnc")
    with Machine(arguments.millwright, folder, f"{{ vnc: unix:{path} }}", GRUB) as machine:
        screen = rfb.Screen(path)
        machine.wait("Press ESC for boot menu")
        screen.press("escape")
        machine.wait("Select boot device")
        same_picture(machine, screen, folder)
        keep(arguments, "post", screen)
        screen.type("1")
        machine.wait("for a command-line")
        screen.type("c")
        machine.wait("grub>")
        screen.type("echo Over VNC: 1+2=3, $grub_platform\n")
        machine.wait("Over VNC: 1+2=3, pc\n")
        same_picture(machine, screen, folder)
        keep(arguments, "grub", screen)
        screen.close()


def type_keys(arguments, folder):
    need(GRUB, "tests/boot/pc/guests.py media fetches GRUB")
    printable = "".join(chr(code) for code in range(0x20, 0x7f) if chr(code) != "'")
    with Machine(arguments.millwright, folder, "{}", GRUB) as machine:
        machine.wait("Press ESC for boot menu")
        machine.verb("type", machine.ctl, "<esc>")
        machine.wait("Select boot device")
        machine.verb("type", machine.ctl, "1")
        machine.wait("for a command-line")
        machine.verb("type", machine.ctl, "c")
        machine.wait("grub>")
        for text, keys in ((printable[:48], ()), (printable[48:], ("--plain",))):
            done = machine.verb("type", *keys, machine.ctl, f"echo '{text}'" + ("" if keys else "<enter>"))
            if keys:
                machine.verb("type", machine.ctl, "--enter")
            if done.returncode:
                fail(done.stderr)
            machine.wait(f"\n{text.rstrip()}")
        machine.verb("type", machine.ctl, "<ctrl-alt-delete>")
        machine.wait("Press ESC for boot menu")


def png(arguments, folder):
    path = os.path.join(folder, "screen.png")
    with Machine(arguments.millwright, folder, f"{{ png: {path} }}") as machine:
        machine.wait("No bootable device")
    # The last one is of the end.
    width, rows = read_png(path)
    if (width, len(rows)) != (720, 400) or len(bright(rows)) < 1000:
        fail(f"{path} is not the screen: {width} * {len(rows)}, {len(bright(rows))} pixels of text")


def free_port():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


def is_inside(text, page):
    """Whether the points are on the page as they are, wherever."""
    there = set(page)
    for x, y in page:
        left, top = x - text[0][0], y - text[0][1]
        if all((left + px, top + py) in there for px, py in text):
            return True
    return False


def shows(page, machine, folder):
    """Whether the guest's text is on the page."""
    shot = os.path.join(folder, "shot.png")
    if machine.verb("screenshot", machine.ctl, "-o", shot).returncode:
        return False
    text = [(x, y) for x, y in bright(read_png(shot)[1]) if y < 200]
    return len(text) >= 1000 and is_inside(text[:2000], bright(read_png(page)[1]))


def look_through_novnc(arguments, folder, machine, path, chromium):
    port, picture = free_port(), os.path.join(arguments.keep or folder, "novnc.png")
    relay = subprocess.Popen([shutil.which("websockify"), "--web", NOVNC, f"127.0.0.1:{port}",
                              f"--unix-target={path}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        rfb.connect(("127.0.0.1", port), BOUND_S).close()
        url = f"http://127.0.0.1:{port}/vnc.html?autoconnect=1&resize=off"
        with Browser(chromium, folder, url, BOUND_S) as browser:
            end = time.monotonic() + BOUND_S
            while True:
                with open(picture, "wb") as file:
                    file.write(browser.picture())
                if shows(picture, machine, folder):
                    return
                if time.monotonic() > end:
                    fail(f"the guest's screen is not in {picture}")
                time.sleep(0.5)
    except (BrowserFailure, rfb.Failure) as failure:
        fail(failure)
    finally:
        relay.terminate()
        relay.wait()


def novnc(arguments, folder):
    chromium = shutil.which("chromium")
    if not chromium or not shutil.which("websockify") or not os.path.exists(NOVNC):
        skip("chromium, websockify or novnc is not installed")
    path = os.path.join(folder, "vnc")
    with Machine(arguments.millwright, folder, f"{{ vnc: unix:{path} }}") as machine:
        machine.wait("No bootable device")
        look_through_novnc(arguments, folder, machine, path, chromium)


SCENARIOS = {"vnc": vnc, "type": type_keys, "png": png, "novnc": novnc}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", choices=SCENARIOS)
    parser.add_argument("--millwright", required=True)
    parser.add_argument("--keep", metavar="FOLDER")
    arguments = parser.parse_args()
    arguments.millwright = os.path.abspath(arguments.millwright)
    need(BIOS, "Debian's seabios is not installed")
    with tempfile.TemporaryDirectory(prefix="mw-screen-") as folder:
        SCENARIOS[arguments.scenario](arguments, folder)
    print(f"{arguments.scenario}: good")


if __name__ == "__main__":
    main()
