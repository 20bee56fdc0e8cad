"""fw_cfg and QEMU 7.2's. Reference: QEMU, docs/specs/fw_cfg. Items that are alike are read by ports and
by DMA; files are not, since a directory tells of the machine."""
# SPDX-License-Identifier: MIT
from script import Difference, Script, watch_inputs

MACHINE = "pc"
WATCHES = (watch_inputs("device[6]", set()),)
SELECTOR, DATA, DMA_HIGH, DMA_LOW = 0x510, 0x511, 0x514, 0x518
READ, SKIP, SELECT, WRITE = 0x02, 0x04, 0x08, 0x10
REQUEST, TARGET, NOWHERE = 0x1000, 0x2000, 0x80000000
# Signature, features, UUID, RAM, CPUs, whether there is a boot menu, CPUs again, IRQ 0; then nothing.
KEYS = (0x00, 0x01, 0x02, 0x03, 0x05, 0x0e, 0x0f, 0x8002, 0x1f, 0x100, 0x3fff, 0xbfff)

DIFFERENCES = (
    Difference("Guest-side DMA Interface, writes",
               "A write that is refused moves nothing, the offset included; QEMU's moves on. The "
               "script selects anew.",
               "outw 0x510 0; writel 0x1000 0x10000000; writel 0x1004 0x01000000; writel 0x1008 0; "
               "writel 0x100c 0x00200000; outl 0x518 0x00100000; inb 0x511",
               (0x51,), (0x45,)),
    Difference("All Other Data Items, key 0x8004",
               "The HPET is told of in its ACPI table; QEMU has it here as well.",
               "outw 0x510 0x8004; inb 0x511",
               (0x00,), (0x01,)),
)


def swapped(value):
    return int.from_bytes(value.to_bytes(4, "big"), "little")


class Chip:
    def __init__(self, made, rnd):
        self.made, self.rnd = made, rnd

    def select(self):
        key = self.rnd.choice(KEYS) | self.rnd.choice((0, 0, 0, 0x4000))
        self.made.write("outw", SELECTOR, key)

    def read(self):
        for _ in range(self.rnd.randrange(1, 12)):
            self.made.inb(self.rnd.choice((DATA, DATA, SELECTOR)))

    def read_signature(self):
        verb, size, mask = self.rnd.choice((("inb", 1, 0xff), ("inw", 2, 0xffff),
                                            ("inl", 4, 0xffffffff)))
        self.made.read(verb, DMA_HIGH + self.rnd.randrange(0, 8, size), mask)

    def request(self):
        rnd, made = self.rnd, self.made
        what = rnd.choice((READ, READ, READ, SKIP, WRITE, READ | SKIP, READ | WRITE, 0))
        selects = rnd.random() < 0.5
        control = what | (rnd.choice(KEYS) << 16 | SELECT if selects else 0)
        length = rnd.choice((0, 1, 2, 4, 7, 16, 40))
        target = rnd.choice((TARGET, TARGET, TARGET, NOWHERE))
        for at in range(0, 48, 4):
            made.writel(TARGET + at, 0x5a5a5a5a)
        for at, value in ((0, control), (4, length), (8, 0), (12, target)):
            made.writel(REQUEST + at, swapped(value))
        if rnd.random() < 0.3:
            made.write("outl", DMA_HIGH, 0)
        made.write("outl", DMA_LOW, swapped(REQUEST))
        made.readl(REQUEST)
        for at in range(0, 48, 4):
            made.readl(TARGET + at)
        if what & (READ | WRITE) == WRITE:
            self.select()

    def odd_write(self):
        port = self.rnd.choice((SELECTOR, DATA))
        self.made.outb(port, self.rnd.randrange(256))


def script(rnd, accesses):
    made = Script()
    chip = Chip(made, rnd)
    chip.select()
    while made.accesses < accesses:
        rnd.choice((chip.select, chip.read, chip.read, chip.read_signature, chip.request,
                    chip.odd_write))()
    return made
