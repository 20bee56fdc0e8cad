"""ioapic and QEMU 7.2's, on its pc machine. References: Intel 82093AA data sheet (290566); for the
EOI register Intel ICH10 data sheet, 13.5.5. Nobody hears messages here: what is seen of them is
remote IRR."""
# SPDX-License-Identifier: MIT
from script import Difference, Script, watch_inputs

MACHINE = "pc"
WATCHES = (watch_inputs("device[6]", set()),)
OURS, THEIRS = ("set_irq_in ioapic unnamed-gpio-in {} {}",
                "set_irq_in /machine/i440fx/ioapic unnamed-gpio-in {} {}")
SELECT, WINDOW, EOI = 0xfec00000, 0xfec00010, 0xfec00040
ID, VERSION, ARBITRATION, TABLE = 0, 1, 2, 0x10
LEVEL, MASKED = 0x8000, 0x10000
PINS = range(1, 24)
VECTORS = (0x30, 0x31, 0x41, 0xfe)  # few, so that an EOI meets several pins

DIFFERENCES = (
    Difference("3.2.1 and 3.2.4, reserved bits",
               "Reserved bits of an entry and of the ID read as zeros; QEMU keeps what is "
               "written. The script writes zeros.",
               "writel 0xfec00000 0x10; writel 0xfec00010 0xfffe0000; readl 0xfec00010; "
               "writel 0xfec00000 0x11; writel 0xfec00010 0x00ffffff; readl 0xfec00010",
               (0x00000000, 0x00000000), (0xfffe0000, 0x00ffffff)),
    Difference("3.2",
               "A register that does not exist is an open bus; QEMU has zeros there. The script "
               "does not compare them.",
               "writel 0xfec00000 3; readl 0xfec00010",
               (0xffffffff,), (0x00000000,)),
    Difference("chapter 2, INTIN",
               "Pin 0 is a pin; QEMU's is pin 2, as its timer comes there. The script leaves pin "
               "0 alone.",
               "@2 0; writel 0xfec00000 0x15; writel 0xfec00010 0xf000000; "
               "writel 0xfec00000 0x14; writel 0xfec00010 0x8041; @0 1; readl 0xfec00010",
               (0x8041,), (0xc041,)),
    Difference("3.2.4, trigger mode",
               "A level counts as long as it is there; in QEMU it must rise while the entry is "
               "one of level. The script changes the trigger mode of pins that are low.",
               "writel 0xfec00000 0x1b; writel 0xfec00010 0xf000000; writel 0xfec00000 0x1a; "
               "@5 1; writel 0xfec00010 0x8041; readl 0xfec00010",
               (0xc041,), (0x8041,)),
)


def set_pin(script, pin, level):
    script.accesses += 1
    script.both(OURS.format(pin, level), theirs=THEIRS.format(pin, level))


def command(text):
    """`@PIN LEVEL` of a difference, for both sides."""
    pin, level = text.split()
    return OURS.format(pin, level), THEIRS.format(pin, level)


class Model:
    """What decides which accesses there are: the levels and the trigger modes of the pins."""

    def __init__(self, rnd):
        self.rnd, self.script = rnd, Script()
        self.high = dict.fromkeys(PINS, False)
        self.entry = dict.fromkeys(PINS, MASKED)

    def begin(self):
        """Destinations are CPUs that do not exist: nobody is reset or sent to a ROM of halts."""
        for pin in PINS:
            set_pin(self.script, pin, 0)
            self.write(TABLE + 2 * pin + 1, self.rnd.randrange(1, 0xff) << 24)

    def write(self, index, value):
        self.script.writel(SELECT, index)
        self.script.writel(WINDOW, value)

    def write_low(self, pin):
        value = (self.rnd.choice(VECTORS) | self.rnd.randrange(0x40) << 8 & 0x2f00
                 | self.rnd.choice((LEVEL, LEVEL, 0)) | self.rnd.choice((MASKED, 0, 0)))
        if self.high[pin]:
            value = value & ~LEVEL | self.entry[pin] & LEVEL
        self.entry[pin] = value
        self.write(TABLE + 2 * pin, value)

    def write_any(self):
        pin = self.rnd.choice(PINS)
        choice = self.rnd.random()
        if choice < 0.7:
            self.write_low(pin)
        elif choice < 0.9:
            self.write(TABLE + 2 * pin + 1, self.rnd.randrange(1, 0xff) << 24)
        else:
            self.write(self.rnd.choice((ID, VERSION, ARBITRATION)), self.rnd.randrange(16) << 24)

    def read_any(self):
        entry = self.rnd.randrange(TABLE + 2, TABLE + 48)
        index = self.rnd.choice((ID, VERSION, ARBITRATION, entry, entry))
        self.script.writel(SELECT, index)
        self.script.readl(WINDOW)
        if self.rnd.random() < 0.1:
            self.script.readl(SELECT)

    def move_pin(self):
        pin = self.rnd.choice(PINS)
        self.high[pin] = not self.high[pin]
        set_pin(self.script, pin, int(self.high[pin]))
        self.script.writel(SELECT, TABLE + 2 * pin)
        self.script.readl(WINDOW)


def script(rnd, accesses):
    model = Model(rnd)
    model.begin()
    while model.script.accesses < accesses:
        choice = rnd.random()
        if choice < 0.3:
            model.move_pin()
        elif choice < 0.55:
            model.write_any()
        elif choice < 0.65:
            model.script.writel(EOI, rnd.choice(VECTORS))
        else:
            model.read_any()
    return model.script
