"""i8237 and QEMU 7.2's two i8257. References: Intel 8237A data sheet (231466); Intel 82371SB (PIIX3)
data sheet (290550). What moves, and how the registers follow, is seen with i82077."""
# SPDX-License-Identifier: MIT
from script import Difference, Script, watch_inputs

MACHINE = "isapc"
WATCHES = (watch_inputs("device[4]", set()),)
CHIPS = ((0x00, 1), (0xc0, 2))  # base, and how far its ports are apart
STATUS = COMMAND = 8
REQUEST, MASK, MODE, FLIP_FLOP, CLEAR, UNMASK, MASKS = range(9, 16)
ALL = 0x0f
PAGES = (0x81, 0x82, 0x83, 0x87, 0x89, 0x8a, 0x8b, 0x8f)

DIFFERENCES = (
    Difference("Base address and base word count registers",
               "Each byte goes to its half at once; QEMU's waits for the other. The script writes "
               "both.",
               "outb 0x0c 0; outb 0 0x11; outb 0x0c 0; inb 0",
               (0x11,), (0x00,)),
    Difference("figure 6",
               "Ports 9 to 12 and 14 have nothing to read, so the bus is left alone; QEMU has "
               "zeros. The script does not read them.",
               "inb 0x0a; inb 0x0e",
               (0xff, 0xff), (0x00, 0x00)),
    Difference("82371SB, mask register",
               "It can be read where it is written, and has four bits; QEMU's is at port 9 and has "
               "eight. The four are compared.",
               "outb 0x0f 0xf5; inb 0x0f; inb 0x09",
               (0x05, 0xff), (0x00, 0xf5)),
    Difference("Status register",
               "A request clears no terminal count, and a request of hardware's is no matter for "
               "the request register; in QEMU they are one. The script has no device that asks.",
               "outb 0x09 6; inb 8; outb 0x09 2; inb 8",
               (0x40, 0x00), (0x40, 0x00)),
    Difference("IBM PC/AT Technical Reference, page registers",
               "All sixteen can be read and written; QEMU has eight. Those are compared.",
               "outb 0x84 0x5a; inb 0x84; outb 0x8c 0x5a; inb 0x8c",
               (0x5a, 0x5a), (0xff, 0xff)),
)


class Chip:
    """One of the two."""

    def __init__(self, made, base, apart):
        self.made, self.base, self.apart = made, base, apart
        self.high = False  # the flip-flop
        self.write(CLEAR, 0)

    def port(self, number):
        return self.base + number * self.apart

    def write(self, number, value):
        self.made.outb(self.port(number), value)

    def clear_flip_flop(self, value):
        self.write(FLIP_FLOP, value)
        self.high = False

    def write_register(self, rnd):
        number, value = rnd.randrange(8), rnd.randrange(65536)
        if self.high:
            self.clear_flip_flop(rnd.randrange(256))
        for _ in range(2):
            self.write(number, value & 0xff)
            value >>= 8

    def read_registers(self, rnd):
        for _ in range(rnd.randrange(1, 6)):
            self.made.inb(self.port(rnd.randrange(8)))
            self.high = not self.high

    def any_step(self, rnd):
        choice = rnd.random()
        if choice < 0.25:
            self.write_register(rnd)
        elif choice < 0.50:
            self.read_registers(rnd)
        elif choice < 0.58:
            self.clear_flip_flop(rnd.randrange(256))
        elif choice < 0.66:
            self.made.inb(self.port(STATUS))
        elif choice < 0.74:
            self.made.accesses += 1
            self.made.both(f"inb {self.port(MASKS):#x}", ALL, f"inb {self.port(REQUEST):#x}")
        elif choice < 0.98:
            number = rnd.choice((MASK, MASK, MODE, MASKS, REQUEST, UNMASK, COMMAND))
            self.write(number, 0 if number == COMMAND else rnd.randrange(256))
        else:
            self.write(CLEAR, rnd.randrange(256))
            self.high = False


def script(rnd, accesses):
    made = Script()
    chips = [Chip(made, base, apart) for base, apart in CHIPS]
    for chip in chips:
        for number in range(8):
            chip.write(number, 0)
            chip.write(number, 0)
    for port in PAGES:
        made.outb(port, 0)
    while made.accesses < accesses:
        choice = rnd.random()
        if choice < 0.1:
            made.outb(rnd.choice(PAGES), rnd.randrange(256))
        elif choice < 0.2:
            made.inb(rnd.choice(PAGES))
        else:
            rnd.choice(chips).any_step(rnd)
    return made
