#!/usr/bin/env python3
"""resolve.py MILLWRIGHT [--judge] [--runs N]: CPU time of `millwright resolve` as a whole process.

microvm; a flat file of 10,000 devices; 1,000 to 100,000 nodes by `count:`, half of them placed by
the allocator. Prints the best of N runs in ms of CPU time (user and system); --judge ends with 1
where a budget is missed, which means something on a release build only."""
# SPDX-License-Identifier: MIT
import argparse
import os
import subprocess
import sys
import tempfile

HEAD = """format: machine/1
name: bench
version: 1
extends: chipset/microvm@1
cpu: { model: host, tsc_khz: from-host }
memory: { ram: 64MiB }
boot: { linux: kernel, tables: [acpi] }
windows: { mmio32: { range: 0x80000000+0x70000000 } }
devices:
"""
FLAT_DEVICES = 10000
COUNTED = (1000, 3000, 10000, 30000, 100000)
MOST_BY_COUNT = 4096
MICROVM_MS, FLAT_MS, GROWTH = 5, 150, 1.5


def flat(devices):
    """One line a device: ports, memory, properties and backends in turn."""
    lines = []
    for i in range(devices):
        if i % 4 == 0:
            lines.append(f"  con{i}: {{ type: debugcon, at: sys, io: {0x1000 + i:#x} }}\n")
        elif i % 4 == 1:
            lines.append(f"  hole{i}: {{ type: absent, at: sys, mmio: {0x10000000 + i * 4096:#x}+4KiB,"
                         " props: { read: zeros } }\n")
        elif i % 4 == 2:
            lines.append(f"  file{i}: {{ type: debugcon, at: sys, io: {0x1000 + i:#x},"
                         f" backend: {{ file: out{i} }} }}\n")
        else:
            lines.append(f"  any{i}: {{ type: absent, at: sys, mmio: auto+256 }}\n")
    return HEAD + "".join(lines)


def counted(nodes):
    """Groups of at most 4,096 instances, every second group placed by the allocator."""
    lines, made = [], 0
    while made < nodes:
        group = min(MOST_BY_COUNT, nodes - made, max(nodes // 2, 1))
        base = 0x10000000 + made * 4096
        place = "auto+256" if made // group % 2 else f"$({base:#x} + i * 4096)+256"
        lines.append(f"  g{made}-: {{ type: absent, at: sys, count: {group}, mmio: {place} }}\n")
        made += group
    return HEAD + "".join(lines)


def cpu_ms(command, runs):
    """The least CPU time of several runs; ends the benchmark when one fails."""
    best = None
    for _ in range(runs):
        with open(os.devnull, "w", encoding="ascii") as nothing:
            child = subprocess.Popen(command, stdout=nothing)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            sys.exit(f"{' '.join(command)} ended with {child.returncode}")
        spent = (usage.ru_utime + usage.ru_stime) * 1000
        best = spent if best is None else min(best, spent)
    return best


def resolve_text(millwright, text, runs):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="ascii") as file:
        file.write(text)
        file.flush()
        return cpu_ms([millwright, "resolve", file.name], runs)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("millwright")
    parser.add_argument("--judge", action="store_true")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    missed = []

    def show(what, spent, budget=None):
        verdict = "" if budget is None else f"   (budget {budget:g})"
        print(f"{what:<34}{spent:9.1f} ms{verdict}", flush=True)
        if budget is not None and spent > budget:
            missed.append(what)

    show("microvm", cpu_ms([options.millwright, "resolve", "microvm", "--set", "kernel=k"],
                           options.runs), MICROVM_MS)
    show(f"flat, {FLAT_DEVICES:,} devices",
         resolve_text(options.millwright, flat(FLAT_DEVICES), options.runs), FLAT_MS)
    per_node = {}
    for nodes in COUNTED:
        spent = resolve_text(options.millwright, counted(nodes), options.runs)
        per_node[nodes] = spent / nodes
        show(f"count, {nodes:,} nodes", spent)
    growth = per_node[COUNTED[-1]] / per_node[10000]
    print(f"time per node, 100,000 against 10,000: {growth:.2f}   (budget {GROWTH})")
    if growth > GROWTH:
        missed.append("linear growth")
    if options.judge and missed:
        sys.exit("over budget: " + ", ".join(missed))


if __name__ == "__main__":
    main()
