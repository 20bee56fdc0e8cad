"""acpi-pm and the power management function of QEMU 7.2's PIIX4. References: ACPI 6.5, section 4.8;
Intel 82371AB (PIIX4) data sheet, 7.2 for where its registers are."""
# SPDX-License-Identifier: MIT
from script import Difference, STOP_PIT, Script, watch_inputs

MACHINE = "pc"
WATCHES = (watch_inputs("device[7]", {9}),)
STATUS, ENABLE, CONTROL, TIMER = 0x600, 0x602, 0x604, 0x608
TMR, GBL, PWRBTN, SLPBTN, RTC = 0x0001, 0x0020, 0x0100, 0x0200, 0x0400
ENABLES = TMR | GBL | PWRBTN | SLPBTN | RTC
CONTROLS = 0x1c02  # BM_RLD and SLP_TYP
HALF_NS = (1 << 23) * 10**9 // 3579545  # the top bit of 24 changes so often

# The base address of PIIX4's registers is in PCI configuration space, and so is what enables them.
THEIR_START = (*STOP_PIT, "outl 0xcf8 0x80000b40", "outl 0xcfc 0x601", "outl 0xcf8 0x80000b80",
               "outb 0xcfc 1")

DIFFERENCES = (
    Difference("4.8.3.1.1, TMR_STS",
               "The status is set when the timer's top bit changes; QEMU's is set after reset. "
               "The script clears it first.",
               "inw 0x600",
               (0x0000,), (0x0001,)),
    Difference("4.8.3.1.2",
               "Reserved enable bits read as zeros; QEMU keeps what is written. The script writes "
               "zeros.",
               "outw 0x602 0xffff; inw 0x602",
               (0x0721,), (0xffff,)),
    Difference("4.8.3.2.1, SCI_EN",
               "There is no firmware that owns the registers: SCI_EN is one, always. In QEMU it "
               "can be written, being PIIX4's. The script does not compare it.",
               "inw 0x604; outw 0x604 0; inw 0x604",
               (0x0001, 0x0001), (0x0000, 0x0000)),
    Difference("4.8.3.2.1, GBL_RLS and reserved bits",
               "They are write-only or zero; QEMU keeps them. The script writes zeros.",
               "outw 0x604 0x03fc; inw 0x604",
               (0x0001,), (0x03fc,)),
    Difference("4.8.3.1.1",
               "PM1 registers may be accessed byte by byte; QEMU drops half of them. The script "
               "accesses words.",
               "outw 0x602 0x0120; inb 0x603; inl 0x600",
               (0x01, 0x01200000), (0x00, 0x01200001)),
)


def begin(script):
    script.write("outw", STATUS, 0xffff)


def write(rnd, script):
    choice = rnd.random()
    if choice < 0.4:
        script.write("outw", STATUS, rnd.choice((TMR, TMR, 0, 0xffff, rnd.randrange(0x10000))))
    elif choice < 0.8:
        script.write("outw", ENABLE, rnd.choice((TMR, TMR, 0, rnd.randrange(0x10000) & ENABLES)))
    else:
        script.write("outw", CONTROL, rnd.randrange(0x10000) & CONTROLS)


def wait(rnd, script):
    script.wait(rnd.choice((1, 279, 280, 1000, rnd.randrange(10**6), rnd.randrange(HALF_NS),
                            rnd.randrange(HALF_NS), rnd.randrange(3 * HALF_NS))))


def read(rnd, script):
    port, verb, mask = rnd.choice(((STATUS, "inw", 0xffff), (ENABLE, "inw", 0xffff),
                                   (CONTROL, "inw", CONTROLS), (TIMER, "inl", 0xffffffff),
                                   (TIMER, "inl", 0xffffffff)))
    script.read(verb, port, mask)


def script(rnd, accesses):
    made = Script()
    begin(made)
    while made.accesses < accesses:
        rnd.choices((write, wait, read), (2, 2, 5))[0](rnd, made)
    return made
