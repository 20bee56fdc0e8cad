#!/usr/bin/env python3
"""screen.py SCENARIO --millwright PROGRAM [--keep FOLDER]: the screen of a BIOS PC, as people see and use it. `vnc`
chooses from SeaBIOS's menu and types at GRUB's prompt over VNC; `type` does so by `millwright type`; `png` looks at the
file that a machine writes; `novnc` looks through Debian's noVNC in a Chromium without a window. With --keep the
pictures are left there. Prints TAP, and skips where something that it needs is not installed."""
# SPDX-License-Identifier: MIT
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
NOVNC = "/usr/share/novnc"
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
import rfb  # noqa: E402
from browser import Browser, Failure as BrowserFailure  # noqa: E402
from pc import BOUND_S, OPTIONS, Failure, Pc, main, media, skip  # noqa: E402


def machine(display, floppy=None):
    """One with this backend for its display."""
    return Pc(OPTIONS.millwright, {"ram": "32MiB", **({"floppy": floppy} if floppy else {})},
              f"  vga0: {{ backend: {{ image: {{ file: $(vgabios) }}, display: {display} }} }}", folder=OPTIONS.folder)


def grub(display):
    return machine(display, shutil.copy(media("grub-rescue-floppy.img"), OPTIONS.folder))


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


def is_same_picture(pc, screen):
    """What VNC shows is what `millwright screenshot` writes; a cursor may blink in between."""
    path = os.path.join(OPTIONS.folder, "shot.png")
    for _ in range(20):
        screen.update(False)
        pc.call("screenshot", "-o", path)
        if read_png(path)[1] == [bytes(row) for row in screen.pixels]:
            return True
    return False


def check_picture(tap, pc, screen, name):
    tap.ok(is_same_picture(pc, screen), f"VNC's picture of {name} is the screenshot's")
    if OPTIONS.keep:
        screen.png(os.path.join(OPTIONS.keep, name + ".png"))


def vnc(tap):
    path = os.path.join(OPTIONS.folder, "vnc")
    with grub(f"{{ vnc: unix:{path} }}") as pc:
        screen = rfb.Screen(path)
        pc.watch("Press ESC for boot menu")
        screen.press("escape")
        pc.watch("Select boot device")
        check_picture(tap, pc, screen, "post")
        screen.type("1")
        pc.watch("for a command-line")
        screen.type("c")
        pc.watch("grub>")
        screen.type("echo Over VNC: 1+2=3, $grub_platform\n")
        pc.watch("^Over VNC: 1\\+2=3, pc$")
        check_picture(tap, pc, screen, "grub")
        screen.close()


def type_keys(tap):
    printable = "".join(chr(code) for code in range(0x20, 0x7f) if chr(code) != "'")
    with grub("{}") as pc:
        pc.watch("Press ESC for boot menu")
        pc.type("<esc>", enter=False)
        pc.watch("Select boot device")
        pc.type("1", enter=False)
        pc.watch("for a command-line")
        pc.type("c", enter=False)
        pc.watch("grub>")
        pc.type(f"echo '{printable[:48]}'<enter>", enter=False)
        pc.watch("^" + re.escape(printable[:48].rstrip()) + "$")
        pc.call("type", "--plain", f"echo '{printable[48:]}'")
        pc.call("type", "--enter")
        pc.watch("^" + re.escape(printable[48:]) + "$")
        tap.ok(True, "every character of ASCII comes out as it was typed")
        pc.type("<ctrl-alt-delete>", enter=False)
        pc.watch("Press ESC for boot menu")
        tap.ok(True, "Ctrl-Alt-Delete starts the BIOS again")


def png(tap):
    path = os.path.join(OPTIONS.folder, "screen.png")
    with machine(f"{{ png: {path} }}") as pc:
        pc.watch("No bootable device")
    # The last one is of the end.
    width, rows = read_png(path)
    tap.ok((width, len(rows)) == (720, 400) and len(bright(rows)) >= 1000, "the file is the screen",
           f"{width} * {len(rows)}, {len(bright(rows))} pixels of text")


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


def shows(page, pc):
    """Whether the guest's text is on the page."""
    shot = os.path.join(OPTIONS.folder, "shot.png")
    pc.call("screenshot", "-o", shot)
    text = [(x, y) for x, y in bright(read_png(shot)[1]) if y < 200]
    return len(text) >= 1000 and is_inside(text[:2000], bright(read_png(page)[1]))


def look_through_novnc(pc, path, chromium):
    """Takes pictures until the guest's screen is on one; false: not within the bound."""
    port, picture = free_port(), os.path.join(OPTIONS.keep or OPTIONS.folder, "novnc.png")
    relay = subprocess.Popen([shutil.which("websockify"), "--web", NOVNC, f"127.0.0.1:{port}",
                              f"--unix-target={path}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        rfb.connect(("127.0.0.1", port), BOUND_S).close()
        url = f"http://127.0.0.1:{port}/vnc.html?autoconnect=1&resize=off"
        with Browser(chromium, OPTIONS.folder, url, BOUND_S) as browser:
            end = time.monotonic() + BOUND_S
            while time.monotonic() < end:
                with open(picture, "wb") as file:
                    file.write(browser.picture())
                if shows(picture, pc):
                    return True
                time.sleep(0.5)
        return False
    except (BrowserFailure, rfb.Failure) as failure:
        raise Failure(str(failure)) from failure
    finally:
        relay.terminate()
        relay.wait()


def novnc(tap):
    chromium = shutil.which("chromium")
    if not chromium or not shutil.which("websockify") or not os.path.exists(NOVNC):
        skip("chromium, websockify or novnc is not installed")
    path = os.path.join(OPTIONS.folder, "vnc")
    with machine(f"{{ vnc: unix:{path} }}") as pc:
        pc.watch("No bootable device")
        tap.ok(look_through_novnc(pc, path, chromium), "the guest's screen is on the page")


def add_keep(parser):
    parser.add_argument("--keep", metavar="FOLDER", help="leave the pictures there")


if __name__ == "__main__":
    main({"vnc": vnc, "type": type_keys, "png": png, "novnc": novnc}, add_keep)
