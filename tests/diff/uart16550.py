"""uart16550 and QEMU 7.2's isa-serial. Reference: National Semiconductor PC16550D data sheet
(1995)."""
# SPDX-License-Identifier: MIT
from script import Difference, Script, watch_inputs

MACHINE = "isapc"
WATCHES = (watch_inputs("device[4]", {4}),)
BASE = 0x3f8
DATA, IER, FCR, LCR, MCR, LSR, MSR, SCRATCH = range(BASE, BASE + 8)
FORMATS = (0x03, 0x03, 0x03, 0x83, 0x1b, 0x07)


DIFFERENCES = (
    Difference("table I", "MCR is 0 after reset; QEMU sets OUT2. The script writes it first.",
               "inb 0x3fc",
               (0x00,), (0x08,)),
    Difference("table I leaves the divisor open",
               "ours begins with 0, QEMU with 12. The script writes it first.",
               "outb 0x3fb 0x80; inb 0x3f8; inb 0x3f9",
               (0x00, 0x00), (0x0c, 0x00)),
    Difference("8.3",
               "The divisor is 1 to 65,535. Ours takes 0 for 65,536, QEMU keeps to the one "
               "before. The script has no 0.",
               "outb 0x3fb 0x83; outb 0x3f8 0; outb 0x3f9 0; outb 0x3fb 3; outb 0x3fc 0x18; "
               "outb 0x3fa 0x81; outb 0x3f9 1; outb 0x3f8 0x55; clock_step 100000000; inb 0x3fa",
               (0xc1,), (0xcc,)),
    Difference("8.8",
               "In loopback the modem deltas work, and their interrupt; not so in QEMU. The "
               "script leaves that interrupt alone, and deltas are not compared.",
               "outb 0x3fc 0x10; inb 0x3fe; outb 0x3fc 0x13; inb 0x3fe",
               (0x0b, 0x33), (0x00, 0x30)),
    Difference("8.8; IBM PC/AT Technical Reference, serial adapter",
               "A PC's interrupt passes a gate that OUT2 opens, and in loopback that pin is "
               "inactive; QEMU has no gate. The line is not compared while the gate is closed.",
               "outb 0x3fc 0; outb 0x3f9 2; line 4; outb 0x3fc 0x18; line 4",
               (0, 0), (1, 1)),
    Difference("8.5",
               "Without bit 0 the other bits of an FCR write do not count; QEMU clears the FIFOs "
               "all the same. The script writes none such.",
               "outb 0x3fc 0x18; outb 0x3f8 0x55; outb 0x3fa 2; inb 0x3fd",
               (0x61,), (0x60,)),
    Difference("8.6",
               "THRE is an interrupt of a FIFO that becomes empty; in QEMU clearing one that is "
               "empty makes one, too. The script disables interrupts after an FCR write.",
               "outb 0x3fc 8; outb 0x3fa 1; outb 0x3f9 2; inb 0x3fa; inb 0x3fa; outb 0x3fa 5; "
               "inb 0x3fa",
               (0xc2, 0xc1, 0xc1), (0xc2, 0xc1, 0xc2)),
    Difference("table II, RBR",
               "What it gives when no byte waits is not said. Such reads are not compared.",
               "outb 0x3fc 0x18; outb 0x3fa 1; outb 0x3f8 0x55; inb 0x3f8; inb 0x3f8",
               (0x55, 0x00), (0x55, 0x00)),
)


def begin(script):
    for port, value in ((LCR, 0x83), (DATA, 1), (IER, 0), (LCR, 3), (MCR, 8)):
        script.outb(port, value)


def mask_data(theirs, count):
    """The divisor, by LCR, or a byte that waits, by LSR: those were read before."""
    return 0xff if theirs[count - 3].value & 0x80 or theirs[count - 2].value & 0x01 else 0


def read(rnd, script):
    script.inb(LCR)
    script.inb(LSR)
    port = rnd.randrange(BASE, BASE + 8)
    script.inb(port, {MSR: 0xf0, DATA: mask_data}.get(port, 0xff))


def write(rnd, script):
    port = rnd.choice((DATA, DATA, DATA, IER, IER, FCR, LCR, MCR, MCR, SCRATCH))
    value = {
        IER: rnd.randrange(256) & ~0x08,
        FCR: rnd.choice((0x01, 0x41, 0x81, 0xc1, 0x03, 0x05, 0xc7, 0x00)),
        LCR: rnd.choice(FORMATS),
        MCR: rnd.choice((0x10, 0x13, 0x1b, 0x0b, 0x0b, 0x08, rnd.randrange(32))),
    }.get(port, rnd.randrange(256))
    if script.latch_open:  # characters that fit the waits
        value = {DATA: rnd.choice((1, 2, 12, value | 1)), IER: 0}.get(port, value)
    if port == LCR:
        script.latch_open = value & 0x80
    if port == FCR:
        script.latch_open = False
        script.outb(LCR, 0x03)
        script.outb(IER, 0)
    if port == MCR:
        script.lines = value & 0x18 == 0x08
    script.outb(port, value)


def script(rnd, accesses):
    made = Script()
    made.latch_open = False  # the divisor's
    begin(made)
    while made.accesses < accesses:
        if rnd.random() < 0.2:
            made.wait(rnd.choice((1000, 100000, 1000000, rnd.randrange(10**7))))
        elif rnd.random() < 0.5:
            read(rnd, made)
        else:
            write(rnd, made)
    return made
