"""Compares what a guest's kernel reports (guest/bin/facts) with the plan it was built from. Linux's own
constant entries are known by the tables below; everything else must be in the plan, and everything of
the plan must be seen. Returns differences as sentences."""
# SPDX-License-Identifier: MIT
import base64
import re
import struct

# What Linux reserves on every PC, whatever is there (arch/x86/kernel/setup.c, standard_io_resources).
LINUX_PORTS = {(0x00, 0x1f): "dma1", (0x20, 0x21): "pic1", (0x40, 0x43): "timer0",
               (0x50, 0x53): "timer1", (0x60, 0x60): "keyboard", (0x64, 0x64): "keyboard",
               (0x80, 0x8f): "dma page reg", (0xa0, 0xa1): "pic2", (0xc0, 0xdf): "dma2",
               (0xf0, 0xff): "fpu"}
# The local APIC's page, and the BIOS area that Linux marks on every PC.
LINUX_MEMORY = {(0xfee00000, 0xfee00fff): "Local APIC", (0xf0000, 0xfffff): "System ROM"}
RAM_NAMES = re.compile(r"System RAM|Reserved|ACPI Tables|ACPI Non-volatile Storage|Kernel .*|RAM buffer")
DRIVERS = {"uart16550": r"ttyS\d+(, *ttyS\d+)*", "acpi-ged": r"ACPI:Ged", "acpi-pm": "acpi",
           "mc146818": r"rtc\d+", "i8042": "i8042", "i8254": "timer"}
# Chips that Linux knows from before PnP: their ACPI objects' resources never become PnP devices
# (drivers/pnp/pnpacpi/core.c), and some of their ports it uses without taking them.
SYSTEM_CHIPS = {"i8259": "PNP0000", "i8254": "PNP0100"}
UNTAKEN_PORTS = {("i8259", "elcr"), ("i8254", "port61")}
# Linux's names for the parts of a PM block: offset and length in ours.
PM_PARTS = {"ACPI PM1a_EVT_BLK": (0, 4), "ACPI PM1a_CNT_BLK": (4, 2), "ACPI PM_TMR": (8, 4)}
FADT_HW_REDUCED = 1 << 20
FADT_RESET_SUPPORTED = 1 << 10


def sections(text):
    """The sections of `facts`: a list of (header words, lines)."""
    found = []
    for line in text.splitlines():
        if line.startswith("== "):
            found.append((line[3:].split(), []))
        elif found and line.strip():
            found[-1][1].append(line)
    return found


class Facts:
    """What the guest said."""

    def __init__(self, text):
        self.parts = sections(text)
        if not self.parts or self.parts[-1][0] != ["end"]:
            raise ValueError("the guest's facts are cut short")

    def lines(self, name):
        return next((lines for words, lines in self.parts if words[0] == name), [])

    def all(self, name):
        return [(words[1:], lines) for words, lines in self.parts if words[0] == name]

    def ranges(self, name):
        """(first, last, what, depth) of /proc/ioports and /proc/iomem."""
        found = []
        for line in self.lines(name):
            match = re.match(r"( *)([0-9a-f]+)-([0-9a-f]+) : (.*)", line)
            if match:
                found.append((int(match[2], 16), int(match[3], 16), match[4],
                              len(match[1]) // 2))
        return found

    def tables(self):
        return {words[0]: base64.b64decode("".join(lines)) for words, lines in self.all("table")}


def claims(plan, kind):
    """The plan's ranges of a kind: {(first, last): "node.name"}."""
    found = {}
    for node, body in plan["nodes"].items():
        for name, claim in body.get(kind, {}).items():
            found[claim["base"], claim["base"] + claim["length"] - 1] = f"{node}.{name}"
    return found


def span(pair):
    return f"{pair[0]:#x}-{pair[1]:#x}"


def of_type(plan, kind):
    return [(name, body) for name, body in plan["nodes"].items() if body["type"] == kind]


def pm_parts(plan):
    """{(first, last): Linux's name} of the PM block's parts."""
    blocks = [claim["base"] for _, body in of_type(plan, "acpi-pm") for claim in body["io"].values()]
    return {(base + at, base + at + length - 1): name
            for base in blocks for name, (at, length) in PM_PARTS.items()}


def untaken(plan):
    return {f"{name}.{claim}" for name, body in plan["nodes"].items() for claim in body.get("io", {})
            if (body["type"], claim) in UNTAKEN_PORTS}


def compare_ports(plan, facts):
    wanted, parts, seen = claims(plan, "io"), pm_parts(plan), set()
    for first, last, what, _ in facts.ranges("/proc/ioports"):
        seen.add((first, last))
        known = (first, last) in wanted or parts.get((first, last)) == what
        if not known and LINUX_PORTS.get((first, last)) != what:
            yield f"/proc/ioports: {span((first, last))} `{what}` is in no claim"
    for claim, name in {**wanted, **parts}.items():
        if claim not in seen and name not in untaken(plan):
            yield f"/proc/ioports: {name} {span(claim)} is not there"


def compare_memory(plan, facts):
    wanted, seen = claims(plan, "mmio"), set()
    ram = [(r["base"], r["base"] + r["length"] - 1) for r in plan["memory"]["ranges"]]
    for first, last, what, _ in facts.ranges("/proc/iomem"):
        seen.add((first, last))
        inside = any(first >= a and last <= b for a, b in ram)
        known = (first, last) in wanted or LINUX_MEMORY.get((first, last)) == what
        if not known and not (inside and RAM_NAMES.fullmatch(what)):
            yield f"/proc/iomem: {span((first, last))} `{what}` is in no claim and not RAM"
    for claim, name in wanted.items():
        if claim not in seen:
            yield f"/proc/iomem: {name} {span(claim)} is not there"
    told = sorted((int(words[0], 16), int(words[1], 16)) for words, _ in facts.all("memmap"))
    joined = []
    for first, last in told:
        if joined and joined[-1][1] + 1 == first:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    if joined != sorted(ram):
        yield f"e820: {[span(x) for x in joined]} is not the plan's RAM {[span(x) for x in ram]}"


def irq_lines(plan):
    """{pin: net} for the nets that reach the I/O APIC."""
    return {int(sink.rpartition(":")[2]): net for net in plan["nets"] for sink in net["sinks"]
            if plan["nodes"][sink.partition(".")[0]]["type"] == "ioapic"}


def node_pins(plan):
    """{pin of the I/O APIC: node type} of the nodes that drive a line."""
    pins = {f"{net['domain']}:{net['line']}": net["gsi"] for net in plan["nets"]}
    return {pins.get(line, int(line.rpartition(":")[2])): body["type"]
            for body in plan["nodes"].values() for line in body.get("irq", {}).values()}


def compare_interrupts(plan, facts):
    nets, drivers, seen = irq_lines(plan), node_pins(plan), set()
    cpus = plan["cpu"]["count"]
    head = facts.lines("/proc/interrupts")[0].split()
    if len(head) != cpus:
        yield f"/proc/interrupts: {len(head)} CPUs, the plan has {cpus}"
    for line in facts.lines("/proc/interrupts"):
        match = re.match(r" *\d+: +(?:\d+ +)+(\S+) +(\d+)-(\S+) +(.*)", line)
        if not match:
            continue
        chip, pin, trigger, action = match[1], int(match[2]), match[3], match[4]
        seen.add(pin)
        if chip != "IO-APIC" or pin not in nets:
            yield f"/proc/interrupts: `{line.strip()}` is no line of the plan"
            continue
        if (trigger == "edge") != (nets[pin]["trigger"] == "edge"):
            yield f"/proc/interrupts: pin {pin} is {trigger}, the plan says {nets[pin]['trigger']}"
        expected = DRIVERS.get(drivers.get(pin, ""), r".*")
        if not re.fullmatch(expected, action):
            yield f"/proc/interrupts: pin {pin} serves `{action}`, not a {drivers.get(pin)}"
    for pin, kind in drivers.items():
        if kind in ("acpi-ged", "acpi-pm") and pin not in seen:
            yield f"/proc/interrupts: nobody listens to the {kind} on pin {pin}"


def compare_resources(plan, facts):
    """_CRS, exactly: every claim is in one PnP device or in the GED's own object, nothing else is."""
    pins = {words[0]: int(words[1]) for words, _ in facts.all("irq")
            if len(words) > 1 and words[1].isdigit()}
    ranges, lines = set(), set()
    for words, body in facts.all("pnp"):
        for line in body:
            match = re.match(r"(io|mem) 0x([0-9a-f]+)-0x([0-9a-f]+)", line)
            if match:
                ranges.add((match[1], int(match[2], 16), int(match[3], 16)))
            match = re.match(r"irq (\d+)", line)
            if match:
                lines.add(pins.get(match[1], -1))
    system = {name for kind in SYSTEM_CHIPS for name, _ in of_type(plan, kind)}
    wanted = {("io", *claim) for claim, name in claims(plan, "io").items()
              if name.partition(".")[0] not in system}
    wanted |= {("mem", *claim) for claim in claims(plan, "mmio")}
    for kind, first, last in sorted(ranges - wanted):
        yield f"_CRS: {kind} {span((first, last))} is in no claim"
    for kind, first, last in sorted(wanted - ranges):
        yield f"_CRS: the claim {kind} {span((first, last))} is in no device"
    # The GED's is in its own object, the PM block's in the FADT.
    expected = {pin for pin, kind in node_pins(plan).items()
                if kind not in ("acpi-ged", "acpi-pm", *SYSTEM_CHIPS)}
    if lines != expected:
        yield f"_CRS: interrupts {sorted(lines)}, the plan has {sorted(expected)}"
    objects = {words[0].partition(":")[0] for words, _ in facts.all("acpi")}
    for kind, name in SYSTEM_CHIPS.items():
        if of_type(plan, kind) and name not in objects:
            yield f"_CRS: there is no {name} for the {kind}"


def compare_tables(plan, facts):
    tables = facts.tables()
    for name, table in tables.items():
        has_sum = name != "FACS"  # ACPI 6.5, 5.2.10: it changes, and has none
        if has_sum and sum(table) % 256 or struct.unpack_from("<I", table, 4)[0] != len(table):
            yield f"{name}: checksum or length is wrong"
    for name in ("APIC", "FACP", "DSDT"):
        if name not in tables:
            yield f"{name}: there is no such table"
            return
    yield from compare_madt(plan, facts, tables["APIC"])
    yield from compare_fadt(plan, tables["FACP"])


def compare_madt(plan, facts, table):
    """ACPI 6.5, 5.2.12: entries from offset 44, each with type and length."""
    cpus, chips, at = [], [], 44
    while at + 2 <= len(table) and table[at + 1]:
        kind, size = table[at], table[at + 1]
        if kind == 0:
            cpus += [table[at + 3]] if table[at + 4] & 1 else []
        elif kind == 9:
            cpus.append(struct.unpack_from("<I", table, at + 4)[0])
        elif kind == 1:
            chips.append(struct.unpack_from("<II", table, at + 4))
        at += size
    told = [int(line) for line in facts.lines("apicids")]
    if sorted(cpus) != sorted(told):
        yield f"MADT: APIC ids {cpus}, CPUID says {told}"
    if len(cpus) != plan["cpu"]["count"]:
        yield f"MADT: {len(cpus)} CPUs, the plan has {plan['cpu']['count']}"
    wanted = [(claim["base"], 0) for body in plan["nodes"].values() if body["type"] == "ioapic"
              for claim in body["mmio"].values()]
    if chips != wanted:
        yield f"MADT: I/O APICs {chips}, the plan has {wanted}"


def compare_fadt(plan, table):
    """ACPI 6.5, 5.2.9: flags at 112; RESET_REG at 116, of which a machine without fixed hardware has two
    more registers for sleep."""
    flags = struct.unpack_from("<I", table, 112)[0]
    registers = [("RESET_REG", 116)]
    reduced = not of_type(plan, "acpi-pm")
    if reduced:
        registers += [("SLEEP_CONTROL_REG", 244), ("SLEEP_STATUS_REG", 256)]
    else:
        yield from compare_fixed_hardware(plan, table)
    if bool(flags & FADT_HW_REDUCED) != reduced:
        yield f"FADT: flags {flags:#x}: HW_REDUCED_ACPI is wrong"
    if not flags & FADT_RESET_SUPPORTED:
        yield f"FADT: flags {flags:#x} lack RESET_REG_SUP"
    spaces = {0: "mmio", 1: "io"}
    for name, at in registers:
        space, address = table[at], struct.unpack_from("<Q", table, at + 4)[0]
        if not any(a <= address <= b for a, b in claims(plan, spaces.get(space, "io"))):
            yield f"FADT: {name} {spaces.get(space)} {address:#x} is in no claim"


def compare_fixed_hardware(plan, table):
    """SCI_INT at 46, the blocks' ports from 56 on and their lengths from 88 on, each of them again from 148
    on."""
    net = next((net for _, body in of_type(plan, "acpi-pm") for line in body["irq"].values()
                for net in plan["nets"] if line == f"{net['domain']}:{net['line']}"), None)
    line = struct.unpack_from("<H", table, 46)[0]
    if not net or line != net["gsi"]:
        yield f"FADT: SCI_INT is {line}, the plan has {net and net['gsi']}"
    for (first, last), name in pm_parts(plan).items():
        port, length, address = {"ACPI PM1a_EVT_BLK": (56, 88, 148), "ACPI PM1a_CNT_BLK": (64, 89, 172),
                                 "ACPI PM_TMR": (76, 91, 208)}[name]
        told = (struct.unpack_from("<I", table, port)[0], table[length],
                struct.unpack_from("<Q", table, address + 4)[0])
        if told != (first, last - first + 1, first):
            yield f"FADT: {name} is {told}, the plan has {span((first, last))}"


def compare(plan, text):
    """All differences, and the warnings of the guest's kernel."""
    facts = Facts(text)
    found = [difference for rule in (compare_ports, compare_memory, compare_interrupts,
                                     compare_resources, compare_tables)
             for difference in rule(plan, facts)]
    return found + [f"kernel: {line}" for line in facts.lines("warnings")]
