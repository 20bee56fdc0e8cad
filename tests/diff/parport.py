"""parport and QEMU 7.2's isa-parallel. References: IEEE Std 1284-1994, compatibility mode; IBM PC/AT
Technical Reference (1984), "Serial/Parallel Adapter"."""
# SPDX-License-Identifier: MIT
from script import Difference, Script, watch_inputs

MACHINE = "pc -chardev null,id=printer -device isa-parallel,chardev=printer"
WATCHES = (watch_inputs("device[6]", {7}),)
DATA, STATUS, CONTROL = 0x378, 0x379, 0x37a
STROBE, AUTO_FEED, INIT, SELECT, IRQ = 0x01, 0x02, 0x04, 0x08, 0x10
STATUS_MASK, CONTROL_MASK = 0xf8, 0x1f
HANDSHAKE_NS = 10000

DIFFERENCES = (
    Difference("Data register",
               "It is zero after a reset; QEMU's is all ones. The script writes it first.",
               "inb 0x378",
               (0x00,), (0xff,)),
    Difference("Status register, bits 2 to 0",
               "They are not there and read as ones; QEMU has the time-out of another mode. Not "
               "compared.",
               "inb 0x379",
               (0xdf,), (0xd9,)),
    Difference("Control register, bits 7 to 5",
               "They are not there and read as ones; QEMU's bit 5 is the direction of a "
               "bidirectional port. Not compared, and zero.",
               "inb 0x37a; outb 0x37a 0x2c; outb 0x378 0x55; inb 0x378; inb 0x37a",
               (0xec, 0x55, 0xec), (0xcc, 0xff, 0xec)),
    Difference("IEEE 1284, compatibility mode timing",
               "Busy and nAck take their time; QEMU's go on with each look at the status, after "
               "the strobe. The script reads it until it is ready, or waits.",
               "outb 0x37a 0x0d; outb 0x37a 0x0c; inb 0x379; inb 0x379; inb 0x379; "
               "clock_step 5000; inb 0x379; clock_step 5000; inb 0x379",
               (0x5f, 0x5f, 0x5f, 0x1f, 0xdf), (0x59, 0x19, 0xd9, 0xd9, 0xd9)),
    Difference("IEEE 1284, nAck",
               "Its rising edge interrupts; QEMU's interrupt comes with the end of the strobe. "
               "The script compares the line when the handshake is over.",
               "outb 0x37a 0x1d; outb 0x37a 0x1c; line 7; clock_step 10000; line 7",
               (0, 1), (1, 1)),
    Difference("Control register, bit 4",
               "An interrupt that is disabled goes away; in QEMU it then comes. The script looks "
               "at the status afterwards.",
               "outb 0x37a 0x1c; outb 0x37a 0x0c; line 7",
               (0,), (1,)),
)


class Model:
    """The control register, which decides whether a byte interrupts."""

    def __init__(self, rnd):
        self.rnd, self.script, self.control = rnd, Script(), INIT | SELECT

    def both_ready(self):
        """QEMU's printer goes on when it is looked at, ours with time."""
        self.script.wait(HANDSHAKE_NS)
        for _ in range(3):
            self.script.inb(STATUS, 0)

    def set_control(self):
        self.control = INIT | self.rnd.choice((0, SELECT)) | self.rnd.choice((0, AUTO_FEED)) \
            | self.rnd.choice((0, IRQ))
        self.script.lines = False
        self.script.outb(CONTROL, self.control)
        self.both_ready()
        self.script.lines = True
        self.read()

    def print(self):
        script = self.script
        script.outb(DATA, self.rnd.randrange(256))
        script.lines = False
        script.outb(CONTROL, self.control | STROBE)
        if self.rnd.random() < 0.5:
            script.inb(CONTROL, CONTROL_MASK)
        script.outb(CONTROL, self.control)
        script.wait(HANDSHAKE_NS)
        script.lines = True
        script.inb(DATA)  # the line is high by now, where it is enabled
        script.inb(STATUS, 0)
        self.both_ready()
        self.read()

    def read(self):
        port, mask = self.rnd.choice(((DATA, 0xff), (STATUS, STATUS_MASK),
                                      (CONTROL, CONTROL_MASK)))
        self.script.inb(port, mask)

    def write_data(self):
        self.script.outb(DATA, self.rnd.randrange(256))


def script(rnd, accesses):
    model = Model(rnd)
    model.write_data()
    model.set_control()
    kinds = (model.set_control, model.print, model.read, model.write_data)
    while model.script.accesses < accesses:
        rnd.choices(kinds, (1, 3, 4, 2))[0]()
    return model.script
