#!/usr/bin/env python3
"""lint.py MEASURE MILLWRIGHT [--npm FOLDER] [--runs N] [--judge]: `millwright lint` against its peers.

One machine of 1,000 devices as a profile and as a device tree of as many nodes: `millwright lint`, `dtc`
(Debian's device-tree-compiler) and, when --npm names a folder in which `ajv` and `yaml` are installed,
`ajv` with the generated schema on the same profile. Each is a whole process, in changing order; wall
time, least and median, and the most memory. Then 1,000 to 100,000 nodes by `count:`, and every trap of the
language with a megabyte of brackets. --judge ends with 1 where a budget is missed, which means something
on a release build and a quiet machine only."""
# SPDX-License-Identifier: MIT
import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import resolve  # noqa: E402
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bad"))
import traps  # noqa: E402 (and with it the folder of measuring)
import measuring  # noqa: E402

DEVICES = 1000
LINT_MS, TRAP_MS, TRAP_KIB, GROWTH = 20, 10, 16 * 1024, 1.5
AJV = """const Ajv = require("ajv"), yaml = require("yaml"), fs = require("fs");
const [schema, profile] = process.argv.slice(2);
const ajv = new Ajv({ strict: false, allErrors: true });
const check = ajv.compile(JSON.parse(fs.readFileSync(schema)));
if (!check(yaml.parse(fs.readFileSync(profile, "utf8")))) { console.log(check.errors.length); process.exit(1); }
"""


def device_tree(devices):
    """As many nodes as the profile has, each with an address, a name of its kind and an interrupt."""
    lines = ["/dts-v1/;\n/ { #address-cells = <2>; #size-cells = <2>; interrupt-parent = <&pic>;\n",
             "pic: pic@fec00000 { compatible = \"intel,ioapic\"; interrupt-controller;"
             " #interrupt-cells = <2>; reg = <0 0xfec00000 0 0x1000>; };\n"]
    for i in range(devices):
        base = 0x10000000 + i * 4096
        lines.append(f"dev{i}: dev@{base:x} {{ compatible = \"acme,dev\"; reg = <0 {base:#x} 0 0x1000>;"
                     f" interrupts = <{i % 24} 1>; label = \"dev{i}\"; }};\n")
    return "".join(lines) + "};\n"


class Peer:
    """One command, run many times."""

    def __init__(self, measure, name, command, status=0):
        self.measure, self.name, self.command, self.status = measure, name, command, status
        self.wall, self.cpu, self.kib = [], [], 0

    def run(self):
        cost = measuring.run(self.measure, self.command)
        self.wall.append(cost.wall_ms)
        self.cpu.append(cost.cpu_ms)
        self.kib = max(self.kib, cost.kib)
        if cost.status != self.status:
            sys.exit(f"{self.name} ended with {cost.status}: {cost.output[-2000:]}")

    def show(self, first):
        print(f"{self.name:12} {min(self.wall):8.1f} {statistics.median(self.wall):8.1f} "
              f"{min(self.cpu):8.1f} {self.kib / 1024:8.1f} "
              f"{min(self.wall) / min(first.wall):8.2f}")


def peers(arguments, folder):
    def write(name, text):
        path = os.path.join(folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    profile = write("machine.yaml", resolve.flat(DEVICES))
    found = [Peer(arguments.measure, "millwright", [arguments.millwright, "lint", profile])]
    if shutil.which("dtc"):
        tree = write("machine.dts", device_tree(DEVICES))
        found.append(Peer(arguments.measure, "dtc", ["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", "/dev/null", tree]))
    else:
        print("dtc is not installed: left out")
    if arguments.npm:
        script = write("check.js", AJV)
        schema = write("schema.json", subprocess.run(
            [arguments.millwright, "schema", "machine/1"], check=True, capture_output=True,
            text=True).stdout)
        os.environ["NODE_PATH"] = os.path.join(arguments.npm, "node_modules")
        found.append(Peer(arguments.measure, "ajv", ["node", script, schema, profile]))
    return found


def compare(arguments, folder):
    """A table; whether the bar was met."""
    rows = peers(arguments, folder)
    for _ in range(arguments.runs):
        for peer in random.sample(rows, len(rows)):
            peer.run()
    print(f"{DEVICES} devices       least ms median ms   CPU ms      MiB    ratio")
    for peer in rows:
        peer.show(rows[0])
    return min(rows[0].wall) < LINT_MS


def growth(arguments, folder):
    """CPU time a node, from 1,000 to 100,000."""
    rates = []
    for nodes in resolve.COUNTED:
        path = os.path.join(folder, "counted.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(resolve.counted(nodes))
        peer = Peer(arguments.measure, "count", [arguments.millwright, "lint", path])
        for _ in range(max(2, arguments.runs // 4)):
            peer.run()
        rates.append(min(peer.cpu) / nodes)
        print(f"{nodes:7} nodes by count: {min(peer.cpu):8.1f} ms of CPU, {peer.kib / 1024:.0f} MiB")
    return rates[-1] < GROWTH * rates[1]


def trap_times(arguments, folder):
    good = True
    for name, text, _ in traps.TRAPS:
        path = os.path.join(folder, "trap.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        peer = Peer(arguments.measure, name, [arguments.millwright, "lint", path], 1)
        for _ in range(max(3, arguments.runs // 4)):
            peer.run()
        good &= min(peer.wall) < TRAP_MS and peer.kib < TRAP_KIB
        print(f"{name:28} {min(peer.wall):6.1f} ms {peer.kib / 1024:6.1f} MiB")
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("measure", help="build/release/tests/measure")
    parser.add_argument("millwright")
    parser.add_argument("--npm", help="a folder with node_modules/ajv and node_modules/yaml")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--judge", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        verdicts = [compare(arguments, folder), growth(arguments, folder),
                    trap_times(arguments, folder)]
    if arguments.judge and not all(verdicts):
        sys.exit("a budget was missed")


if __name__ == "__main__":
    main()
