#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A profile of 1,000 devices while somebody types: speed.py MILLWRIGHT. Every answer costs less than a
bound."""
import os
import sys
import tempfile

from client import Client, position

BOUND_S = 0.05
DEVICES = 1000
ROUNDS = 9


def profile():
    devices = [f"  d{n}: {{ type: uartlite, at: sys, mmio: auto, irq: auto, notes: x }}"
               if n < 20 else f"  d{n}: {{ type: absent, at: sys, mmio: auto+4KiB }}"
               for n in range(DEVICES)]
    return "\n".join(["format: machine/1", "name: big", "version: 1", "summary: many",
                      "cpu: { model: host, hypervisor: kvm, tsc_khz: from-host }",
                      "memory: { ram: 64MiB }", "boot: { linux: k, tables: [acpi] }",
                      "irq: { gsi: { lines: 24, to: ioapic } }",
                      "windows: { mmio32: { range: 0xd0000000+0x10000000 } }", "devices:",
                      "  ioapic: { type: ioapic, at: sys, mmio: 0xfec00000 }", *devices, ""])


def spent(client):
    """Seconds of a processor that the server has used: what else the host does is no matter."""
    with open(f"/proc/{client.process.pid}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[0]) / 1e9


def timed(client, method, where, name, text):
    """The median of an edit and the answer that needs it."""
    spans = []
    for turn in range(ROUNDS):
        begun = spent(client)
        client.change(name, text + f"# {turn}\n")
        client.request(method, where)
        spans.append(spent(client) - begun)
        client.settle()
    return sorted(spans)[ROUNDS // 2]


def main():
    slow = False
    if not os.path.exists("/proc/self/schedstat"):
        print("SKIP: this kernel does not say what a process has used")
        sys.exit(77)
    text = profile()
    with tempfile.TemporaryDirectory() as folder:
        client = Client(os.path.abspath(sys.argv[1]), folders=[folder])
        path = os.path.join(folder, "big.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        name = client.open(path)
        found = client.diagnostics(name)
        errors = [one for one in found if one["severity"] == 1]
        assert not errors, errors[:3]
        broken = text.replace("  d500: { type: absent, at: sys, mmio: auto+4KiB }",
                              "  d500: { type: absent, at: sys, mmio: ")
        span = {"start": {"line": 0, "character": 0}, "end": {"line": 9999, "character": 0}}
        for label, method, body, mark in (
                ("completion", "completion", text, "mmio: auto+4KiB"),
                ("completion in broken text", "completion", broken, "mmio: \n"),
                ("hover", "hover", text, "d999"), ("references", "references", text, "ioapic"),
                ("hints", "inlayHint", text, "d1"), ("symbols", "documentSymbol", text, "d1")):
            where = {"textDocument": {"uri": name}, "range": span, "context": {},
                     "position": position(body, body.index(mark) + 6)}
            seconds = timed(client, "textDocument/" + method, where, name, body)
            print(f"{label}: {seconds * 1000:.1f} ms")
            slow |= seconds > BOUND_S
        client.kill()
    if slow:
        sys.exit(f"slower than {BOUND_S * 1000:.0f} ms")


if __name__ == "__main__":
    main()
