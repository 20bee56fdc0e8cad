"""i8259 and the two isa-i8259 of QEMU 7.2. References: Intel 8259A data sheet (231468), whose
headings these are; Intel 82371SB (PIIX3) data sheet, 2.5.5.6, for ELCR. No CPU runs: what
acknowledges is the poll command. The line that is compared is INTR."""
# SPDX-License-Identifier: MIT
from script import Difference, Script, Watch

MACHINE = "isapc"
WATCHES = (Watch("irq_intercept_out /machine/unattached/device[4]", {0}, "irq_intercept_out pic"),)
COMMAND, ELCR = (0x20, 0xa0), (0x4d0, 0x4d1)
EDGES_ONLY = (0x07, 0x21)
CASCADE = 2
PINS = [pin for pin in range(16) if pin != CASCADE]
POLL, READ_IRR, READ_ISR = 0x0c, 0x0a, 0x0b
SPECIAL_MASK, NO_SPECIAL_MASK = 0x68, 0x48
EOI = 0x20

INIT = "outb 0x20 0x11; outb 0x21 8; outb 0x21 4; outb 0x21 1; "
DIFFERENCES = (
    Difference("Edge and level triggered modes",
               "A request that falls before its acknowledge is none; QEMU keeps edges. In the "
               "script a pin of that kind falls once its request is acknowledged, and so does the "
               "slave's.",
               INIT + "@3 1; @3 0; inb 0x20",
               (0x00,), (0x08,)),
    Difference("ICW1, LTIM",
               "All pins are levels with it; QEMU has no such mode. The script leaves it.",
               "@0 0; @3 0; outb 0x20 0x19; outb 0x21 8; outb 0x21 4; outb 0x21 1; @3 1; "
               "outb 0x20 0xc; inb 0x20;inb 0x20",
               (0x83, 0x08), (0x83, 0x00)),
    Difference("figure 6",
               "Until it is initialized the chip accepts no requests; QEMU's does. Lines are not "
               "compared meanwhile.",
               "@3 0; outb 0x4d0 8; outb 0x20 0x11; @3 1; line 0",
               (0,), (1,)),
    Difference("Special fully nested mode",
               "A slave in service holds back lower pins of the master; not so QEMU's. The script "
               "leaves the mode alone.",
               "outb 0x20 0x11; outb 0x21 8; outb 0x21 4; outb 0x21 0x11; outb 0xa0 0x11; "
               "outb 0xa1 8; outb 0xa1 2; outb 0xa1 1; @9 0; @5 0; @9 1; outb 0x20 0xc; "
               "inb 0x20; @5 1; outb 0x20 0xc; inb 0x20",
               (0x82, 0x00), (0x82, 0x85)),
    Difference("Special mask mode",
               "A non-specific EOI does not clear an ISR bit that is masked; QEMU's does. The "
               "script has specific ones in that mode.",
               INIT + "@3 0; @3 1; outb 0x20 0xc; inb 0x20; outb 0x21 8; outb 0x20 0x68; "
               "outb 0x20 0x20; outb 0x20 0xb; inb 0x20",
               (0x83, 0x08), (0x83, 0x00)),
    Difference("Special mask mode",
               "It lets lower pins through at once; QEMU looks at the requests when something "
               "else changes. The script writes OCW1 before it compares the line.",
               INIT +
               "@3 0; @5 0; @3 1; outb 0x20 0xc; inb 0x20; outb 0x21 8; @5 1; outb 0x20 0x68; "
               "line 0",
               (0x83, 1), (0x83, 0)),
    Difference("Automatic end of interrupt",
               "The slave's INT falls with each acknowledge, so that its next request is an edge "
               "to the master; QEMU's stays high. The script has the cascade masked when slaves "
               "end by themselves.",
               INIT + "outb 0xa0 0x11; outb 0xa1 8; outb 0xa1 2; outb 0xa1 3; @9 0; @10 0; @9 1; "
               "@10 1; outb 0x20 0xc; inb 0x20; outb 0xa0 0xc; inb 0xa0; inb 0x20",
               (0x82, 0x81, 0x04), (0x82, 0x81, 0x00)),
    Difference("82371SB, 2.5.5.6",
               "A pin that becomes a level requests at once; QEMU's must rise. The script changes "
               "ELCR while pins are low.",
               INIT + "@3 0; @3 1; outb 0x20 0xc; inb 0x20; outb 0x4d0 8; inb 0x20",
               (0x83, 0x08), (0x83, 0x00)),
)


def command(text):
    """`@PIN LEVEL` of a difference, for both sides."""
    pin, level = text.split()
    return pin_commands(int(pin), int(level))


def pin_commands(pin, level):
    theirs = f"/machine/unattached/device[{4 + pin // 8}] unnamed-gpio-in {pin % 8}"
    return f"set_irq_in pic unnamed-gpio-in {pin} {level}", f"set_irq_in {theirs} {level}"


class Model:
    """What decides which accesses there are, and which bits are compared."""

    def __init__(self, rnd):
        self.rnd, self.script = rnd, Script()
        self.high, self.elcr, self.imr = set(), [0, 0], [0, 0]
        self.special, self.reads_irr, self.polls = [False] * 2, [True] * 2, [False] * 2

    def set_pin(self, pin, level):
        ours, theirs = pin_commands(pin, int(level))
        self.script.accesses += 1
        self.script.both(ours, theirs=theirs)
        (self.high.add if level else self.high.discard)(pin)

    def is_level(self, pin):
        return self.elcr[pin // 8] >> pin % 8 & 1

    def command(self, chip, value):
        changes_mask = value & 0x58 == 0x48
        self.script.lines = not changes_mask
        self.script.outb(COMMAND[chip], value)
        self.script.lines = True
        if value & 0x18 != 0x08:
            return
        if changes_mask:
            self.special[chip] = bool(value & 0x20)
            self.mask_cascade(chip, self.imr[chip])
        if value & 0x02:
            self.reads_irr[chip] = not value & 0x01
        if value & 0x04:
            self.polls[chip] = True

    def mask_cascade(self, chip, value):
        self.imr[chip] = value
        self.script.outb(COMMAND[chip] + 1, value if chip else value | 1 << CASCADE)

    def read(self, chip, offset):
        irr = not offset and self.reads_irr[chip] and not self.polls[chip]
        self.script.inb(COMMAND[chip] + offset, 0xfb if irr and not chip else 0xff)
        self.polls[chip] = False

    def initialize(self, chip, icw4, single=False):
        words = [self.rnd.randrange(256)] + ([] if single else [2 if chip else 4])
        self.script.lines = False
        self.script.outb(COMMAND[chip], 0x10 | single << 1 | bool(icw4))
        for value in words + ([icw4] if icw4 else []):
            self.script.outb(COMMAND[chip] + 1, value)
        self.special[chip], self.reads_irr[chip], self.polls[chip] = False, True, False
        self.mask_cascade(chip, 0)
        self.script.lines = True

    def drain(self):
        """Pins that are levels go low, and edges once they are acknowledged."""
        for pin in [pin for pin in self.high if self.is_level(pin)]:
            self.set_pin(pin, False)
        for chip in range(2):
            self.command(chip, NO_SPECIAL_MASK | READ_IRR)
            self.mask_cascade(chip, 0)
            for _ in range(8):
                self.command(chip, EOI)
            for _ in range(8):
                self.command(chip, POLL)
                self.read(chip, 0)
                self.command(chip, EOI)
        for pin in list(self.high):
            self.set_pin(pin, False)

    def change_mode(self):
        self.drain()
        for chip in range(2):
            if self.rnd.random() < 0.5:
                value = self.rnd.randrange(256)
                self.elcr[chip] = value & ~EDGES_ONLY[chip]
                self.script.outb(ELCR[chip], value)
            self.script.inb(ELCR[chip])
            self.initialize(chip, self.rnd.choice((0, 1, 1, 3)), self.rnd.random() < 0.3)

    def move_pin(self):
        pin = self.rnd.choice(PINS)
        if pin not in self.high or self.is_level(pin):
            self.set_pin(pin, pin not in self.high)

    def write_ocw2(self, chip):
        command, pin = self.rnd.choice((0, 1, 1, 1, 2, 3, 4, 5, 6, 7)), self.rnd.randrange(8)
        if self.special[chip] and command in (1, 5):
            command |= 2
        self.command(chip, command << 5 | pin)

    def write_ocw3(self, chip):
        self.command(chip, self.rnd.choice((POLL, POLL, POLL, READ_IRR, READ_ISR, 0x08, 0x28,
                                            SPECIAL_MASK, NO_SPECIAL_MASK,
                                            SPECIAL_MASK | READ_ISR)))

    def ask_both(self):
        """A request of the slave through the master, to its end."""
        for chip in range(2):
            self.command(chip, POLL)
            self.read(chip, 0)
            self.read(chip, self.rnd.randrange(2))
        for chip in (1, 0):
            self.command(chip, EOI)

    def cascade(self):
        """From quiet chips. The slave is asked after the master has acknowledged it."""
        self.drain()
        for chip in range(2):
            self.script.outb(ELCR[chip], 0)
            self.initialize(chip, 1)
            self.script.outb(COMMAND[chip] + 1, 0)
        self.elcr = [0, 0]
        for pin in self.rnd.sample(range(8, 16), self.rnd.randrange(1, 9)):
            self.set_pin(pin, True)
            if self.rnd.random() < 0.5:
                self.ask_both()
        for _ in range(8):
            self.ask_both()
        self.change_mode()


def script(rnd, accesses):
    model = Model(rnd)
    for pin in PINS:
        model.set_pin(pin, False)
    for chip in range(2):
        model.initialize(chip, 1)
    model.change_mode()
    while model.script.accesses < accesses:
        choice, chip = rnd.random(), rnd.randrange(2)
        if choice < 0.25:
            model.move_pin()
        elif choice < 0.40:
            model.write_ocw2(chip)
        elif choice < 0.55:
            model.write_ocw3(chip)
        elif choice < 0.63:
            model.mask_cascade(chip, rnd.choice((0, rnd.randrange(256))))
        elif choice < 0.98:
            model.read(chip, rnd.choice((0, 0, 1)))
        elif choice < 0.99:
            model.change_mode()
        else:
            model.cascade()
    return model.script
