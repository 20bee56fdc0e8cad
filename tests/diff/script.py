"""What a chip's file is made of: random scripts whose every answer must be the same from both
sides, and differences, each with the section of the data sheet that decides it and commands that
show it."""
# SPDX-License-Identifier: MIT
import collections
import json

# A count to its end: QEMU's 8254, which else runs from reset on, does not interrupt any more.
STOP_PIT = ("outb 0x43 0x30", "outb 0x40 1", "outb 0x40 0")


def input_event(kind, **data):
    """A key, a button or a movement, for the monitors of both."""
    return json.dumps({"execute": "input-send-event",
                       "arguments": {"events": [{"type": kind, "data": data}]}})


class Step:
    """One command for each side, None for a side that is left alone; `mask`: the bits of the
    answers that are compared, or a function of QEMU's answers, and of how many are so far, that
    returns them. `lines`: whether the lines must stand alike after it, or `mark` and `edges`."""
    __slots__ = ("ours", "theirs", "mask", "lines")

    def __init__(self, ours, theirs, mask=0, lines=False):
        self.ours, self.theirs, self.mask, self.lines = ours, theirs, mask, lines


class Watch(collections.namedtuple("Watch", "theirs lines ours")):
    """Interrupt lines that are compared: how QEMU is asked to tell of them, their numbers on a PC,
    how our machine is asked."""
    __slots__ = ()

    @property
    def first(self):
        """The line that is number 0 of QEMU's device."""
        return min(self.lines, default=0) & 8


def watch_inputs(device, lines):
    """At one of the two 8259 of QEMU; ours are one device."""
    return Watch(f"irq_intercept_in /machine/unattached/{device}", lines, "irq_intercept_in pic")


class Script:
    """Steps as they are written, by the names of the protocol's commands. While `lines` is false
    the lines may differ."""

    def __init__(self):
        self.steps, self.accesses, self.lines = [], 0, True

    def both(self, command, mask=0, theirs=None):
        self.steps.append(Step(command, theirs or command, mask, self.lines))

    def write(self, verb, address, value):
        self.accesses += 1
        self.both(f"{verb} {address:#x} {value:#x}")

    def read(self, verb, address, mask):
        self.accesses += 1
        self.both(f"{verb} {address:#x}", mask)

    def outb(self, port, value):
        self.write("outb", port, value)

    def inb(self, port, mask=0xff):
        self.read("inb", port, mask)

    def writel(self, address, value):
        self.write("writel", address, value)

    def readl(self, address, mask=0xffffffff):
        self.read("readl", address, mask)

    def one(self, side, command):
        """Of ours (0) or of QEMU's (1) alone."""
        self.steps.append(Step(None, command) if side else Step(command, None))

    def event(self, kind, **data):
        self.both(input_event(kind, **data))

    def mark_edges(self):
        self.steps.append(Step("endianness", "endianness", lines="mark"))

    def compare_edges(self):
        """How often the lines have risen since the mark is the same."""
        self.steps.append(Step("endianness", "endianness", lines="edges"))

    def wait(self, ns):
        self.both(f"clock_step {ns}")


class Difference(collections.namedtuple("Difference", "section what commands ours theirs")):
    """`section` of the data sheet decides for ours. `commands`, separated by `;`, show it on
    machines that were just started: what they read are these numbers. `line N` reads the level of a
    line."""

    def plain(self):
        return [command.strip() for command in self.commands.split(";") if command.strip()]


class Lines:
    """Levels of some interrupt lines, as the answers tell them; number 0 of a side is line
    `first`."""

    def __init__(self, watched, first):
        self.watched, self.first, self.high, self.rises = watched, first, set(), 0

    def take(self, moves):
        for number, level in moves:
            if number + self.first in self.watched:
                self.rises += level
                (self.high.add if level else self.high.discard)(number + self.first)
