"""What a guest's pictures cost that a VNC client looks at: how many it makes, how many come, CPU time, bytes."""
# SPDX-License-Identifier: MIT
import contextlib
import os
import struct
import subprocess
import sys
import threading
import time

from machines import ROOT

sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
import rfb  # noqa: E402

IMAGE_BYTES = 1 << 20
PACE = 60  # pictures a second of a guest that halts between them
SETTLE_S = 0.3
WAYS = {"text": 0, "text, scrolled": 1, "mode 13h": 2, "1024x768": 3, "64x16 in it": 4}
# what is looked at: a client, pictures a second of the guest
KINDS = {"alone": (False, 0), "client": (True, 0), "paced": (True, PACE)}


class Client(rfb.Screen):
    """Asks for the next update when it has one, and draws nothing."""

    def __init__(self, address):
        self.bytes = self.count = 0
        self.place = memoryview(bytearray(1 << 20))
        super().__init__(address, encodings=(rfb.ZRLE, rfb.DESKTOP_SIZE))

    def get(self, count):
        self.bytes += count
        return super().get(count)

    def zrle(self, left, top, width, height):
        rest = self.number("I")[0]
        self.bytes += rest
        while rest:
            count = self.client.recv_into(self.place[:min(rest, len(self.place))])
            if not count:
                raise rfb.Failure("the server has closed the connection")
            rest -= count

    def look(self):
        try:
            while True:
                self.update()
                self.count += 1
        except (rfb.Failure, OSError):
            pass


class Sight:
    """What was seen of one run: per second, or per update."""

    def __init__(self, start, end, pictures):
        seconds = end[0] - start[0]
        updates = end[2] - start[2]
        self.pictures, self.updates, self.cpu = pictures / seconds, updates / seconds, (end[1] - start[1]) / seconds
        self.cpu_ms = self.cpu * 1000 / self.updates if updates else 0
        self.kib = (end[3] - start[3]) / 1024 / updates if updates else 0


def cpu_seconds(process):
    """Of all its threads."""
    spent = 0
    for thread in os.listdir(f"/proc/{process.pid}/task"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            with open(f"/proc/{process.pid}/task/{thread}/schedstat", encoding="ascii") as file:
                spent += int(file.read().split()[0])
    return spent / 1e9


def moment(process, client):
    return time.monotonic(), cpu_seconds(process), client.count if client else 0, client.bytes if client else 0


def say(process, byte):
    process.stdin.write(byte)
    process.stdin.flush()


def commands(machines, name, client, pace):
    numbers = {"PACE": pace} if pace else {}
    sector = machines.assemble("screen.S", WAY=WAYS[name], **numbers)
    disk = machines.write("screen", sector, IMAGE_BYTES)
    socket = os.path.join(machines.folder, "vnc")
    ours = ["--set", "serial=false", "--set", f"disk={disk}"] + (["--set", f"vnc=unix:{socket}"] if client else [])
    return {"millwright": machines.ours(*ours, vga="std"),
            "QEMU": machines.theirs("-drive", f"if=ide,index=0,format=raw,file={disk}", "-display",
                                    f"vnc=unix:{socket}" if client else "none", vga="std")}, socket


def watch(process, client, seconds):
    """The guest has said that it is ready."""
    if client:
        client.update(False)
        threading.Thread(target=client.look, daemon=True).start()
        time.sleep(SETTLE_S)
    start = moment(process, client)
    say(process, b"g")
    time.sleep(seconds)
    end = moment(process, client)
    say(process, b"s")
    pictures = struct.unpack("<I", process.stdout.read(4))[0]
    if process.wait(timeout=60):
        sys.exit(f"{process.args[0]} ended with {process.returncode}")
    return Sight(start, end, pictures)


def measure(machines, name, kind, program, seconds):
    looked_at, pace = KINDS[kind]
    found, socket = commands(machines, name, looked_at, pace)
    if os.path.exists(socket):
        os.unlink(socket)
    process = subprocess.Popen(found[program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    client = None
    try:
        if process.stdout.read(1) != b"R":
            sys.exit(f"{program}: {name}: the guest is not ready")
        client = Client(socket) if looked_at else None
        return watch(process, client, seconds)
    finally:
        if client:
            client.close()
        process.kill()
        process.wait()
