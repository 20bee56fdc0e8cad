"""i82077 with a drive of 1.44M and an empty one, behind i8237, and QEMU 7.2's isa-fdc. Reference: Intel
82077AA data sheet (290166), whose sections and tables these are; Intel 8237A data sheet (231466)."""
# SPDX-License-Identifier: MIT
from script import Difference, Script, watch_inputs

MACHINE = "isapc -drive if=floppy,index=0,format=raw,file={floppy}"
WATCHES = (watch_inputs("device[4]", {6}),)
DOR, TDR, MSR, FIFO, DIR = 0x3f2, 0x3f3, 0x3f4, 0x3f5, 0x3f7
READ, READ_BOTH, WRITE, WRITE_BOTH, READ_ID = 0x46, 0xc6, 0x45, 0xc5, 0x4a
SPECIFY, SENSE_DRIVE, RECALIBRATE, SENSE, DUMPREG, SEEK = 3, 4, 7, 8, 14, 15
VERSION, PERPENDICULAR, CONFIGURE, LOCK, RELATIVE_IN, RELATIVE_OUT = 16, 18, 19, 0x14, 0xcf, 0x8f
TO_MEMORY, FROM_MEMORY = 0x46, 0x4a
READY, BUSY, RESULT = 0x80, 0x90, 0xd0
CYLINDERS, SECTORS, SECTOR = 80, 18, 512
LONG_NS = 50 * 10**6  # everything has ended
EIS, SE, HEAD = 0x40, 0x20, 0x04

ON = "outb 0x3f2 0; outb 0x3f2 0x1c; clock_step 1000000; " + 4 * (
    "outb 0x3f5 8; skip inb 0x3f5; skip inb 0x3f5; ") + (
    "outb 0x3f5 3; outb 0x3f5 0xaf; outb 0x3f5 2; outb 0x3f7 0; ")
WAIT = "clock_step 50000000; "


def send(*values):
    return "".join(f"outb {FIFO:#x} {value:#x}; " for value in values)


def dma(mode, address, count):
    low, high = (count - 1) & 0xff, (count - 1) >> 8
    return (f"outb 0xd6 0xc0; outb 0xd4 0; outb 0x0c 0; outb 4 {address & 0xff:#x}; "
            f"outb 4 {address >> 8 & 0xff:#x}; outb 5 {low:#x}; outb 5 {high:#x}; "
            f"outb 0x81 {address >> 16:#x}; outb 0x0b {mode:#x}; outb 0x0a 2; ")


def result(count, skip=0):
    return skip * "skip inb 0x3f5; " + count * "inb 0x3f5; "


ONE = send(READ, 0, 0, 0, 1, 2, SECTORS, 0x1b, 0xff)
DIFFERENCES = (
    Difference("2.1.1, 2.1.2",
               "In PC/AT mode status registers A and B are not there; QEMU has those of a PS/2, in "
               "part. Not compared.",
               "inb 0x3f1",
               (0xff,), (0xc0,)),
    Difference("2.1.3",
               "Reset clears DOR, and the controller stays in reset; QEMU's is out of it. The "
               "script begins with a reset.",
               "inb 0x3f2; inb 0x3f4",
               (0x00, 0x00), (0x0c, 0x80)),
    Difference("2.1.3",
               "In reset RQM is 0; QEMU's is 1. The script does not look.",
               "outb 0x3f2 0; inb 0x3f4",
               (0x00,), (0x80,)),
    Difference("2.1.3",
               "DOR reads as it was written; QEMU's has the unit of the last command. Its bits 0 "
               "and 1 are not compared, and DIR is read after a command for unit 0.",
               ON + send(SENSE_DRIVE, 1) + result(0, 1) + "inb 0x3f2",
               (0x1c,), (0x1d,)),
    Difference("2.1.4",
               "TDR keeps two bits and leaves the others floating; QEMU has another one of a later "
               "chip, and zeros. Not compared.",
               "outb 0x3f2 4; outb 0x3f3 3; inb 0x3f3",
               (0xff,), (0x00,)),
    Difference("2.1.7, DSR",
               "Its reset leaves DOR alone; QEMU's stops the motors. The script resets by DOR.",
               "outb 0x3f2 0x1c; outb 0x3f4 0x80; inb 0x3f2",
               (0x1c,), (0x0c,)),
    Difference("2.1.8, DIR",
               "The other seven bits float; QEMU has zeros. Bit 7 is compared.",
               "outb 0x3f2 0x1c; inb 0x3f7",
               (0xff,), (0x80,)),
    Difference("5.1.1; 6.2, EN",
               "Without TC a transfer that has come to EOT ends as an error; QEMU's does not. The "
               "script lets the DMA controller count.",
               ON + dma(TO_MEMORY, 0x10000, 4096) + send(READ, 0, 0, 0, 18, 2, 18, 0x1b, 0xff) +
               WAIT + result(7),
               (0x40, 0x80, 0, 1, 0, 1, 2), (0x20, 0, 0, 1, 0, 1, 2)),
    Difference("6.1, SE and H",
               "After the last sector of a cylinder the head is where it was; QEMU's goes to the "
               "next one, and to the other side is a seek for it. These bits are not compared "
               "then, and a seek follows.",
               ON + dma(TO_MEMORY, 0x10000, 512) + send(READ_BOTH, 4, 0, 1, 18, 2, 18, 0x1b, 0xff) +
               WAIT + result(7),
               (0x04, 0, 0, 1, 0, 1, 2), (0x20, 0, 0, 1, 0, 1, 2)),
    Difference("5.1.1; 6.2, ND",
               "A sector that is not there is no data; QEMU says that the cylinder has ended, and "
               "has the head of the command before. Of such ST1 and H are not compared.",
               ON + dma(TO_MEMORY, 0x10000, 512) + send(READ, 0, 0, 0, 19, 2, 25, 0x1b, 0xff) +
               WAIT + result(2),
               (0x40, 0x04), (0x40, 0x80)),
    Difference("5.1.1",
               "After TC in the middle of a sector the rest of it is read; QEMU names it as the "
               "next. The script has whole sectors.",
               ON + dma(TO_MEMORY, 0x10000, 100) + ONE + WAIT + result(1, 5),
               (2,), (1,)),
    Difference("5.1.4, WRITE DATA",
               "After TC the rest of a sector is zeros; QEMU leaves what it read last. The script "
               "has whole sectors.",
               ON + dma(TO_MEMORY, 0x10000, 512) + ONE + WAIT + result(0, 7) +
               dma(FROM_MEMORY, 0x20000, 4) + send(WRITE, 0, 0, 0, 1, 2, SECTORS, 0x1b, 0xff) +
               WAIT + result(0, 7) + dma(TO_MEMORY, 0x30000, 512) + ONE + WAIT + result(0, 7) +
               "readl 0x30004; readl 0x30008",
               (0, 0), (0x03020100, 0x07060504)),
    Difference("5.1.1, implied seek",
               "Without EIS a command for another cylinder fails; QEMU seeks all the same. The "
               "script has EIS, or seeks.",
               ON + send(CONFIGURE, 0, 0x20, 0) + dma(TO_MEMORY, 0x10000, 512) +
               send(READ, 0, 5, 0, 1, 2, SECTORS, 0x1b, 0xff) + WAIT + result(3),
               (0x40, 0x04, 0x10), (0x20, 0, 0)),
    Difference("5.2.6, CONFIGURE",
               "There is no implied seek after reset; in QEMU there is. The script configures.",
               ON + send(DUMPREG) + result(1, 8),
               (0x20,), (0x60,)),
    Difference("5.2.8, DUMPREG",
               "It tells what SPECIFY was given; QEMU has lost half of the first byte. Not "
               "compared.",
               ON + send(DUMPREG) + result(2, 4),
               (0xaf, 0x02), (0x0a, 0x03)),
    Difference("5.2.10, PERPENDICULAR MODE",
               "Without OW the drives' bits stay; QEMU changes nothing at all then, and has them "
               "elsewhere. Not compared.",
               ON + send(PERPENDICULAR, 0xbf) + send(PERPENDICULAR, 0x01) + send(DUMPREG) +
               result(1, 7),
               (0x3d,), (0x1c,)),
    Difference("5.1.7, FORMAT TRACK",
               "The host names the sectors, which are written; QEMU does not ask for them. The "
               "script does not format.",
               ON + "writel 0x10000 0x02010000; " + dma(FROM_MEMORY, 0x10000, 4) +
               send(0x4d, 0, 2, 1, 0x54, 0xf6) + WAIT + result(0, 7) + "inb 8",
               (0x04,), (0x00,)),
    Difference("5.1.5, VERIFY",
               "Without EC it ends at EOT, and well; QEMU says of a seek, too. The script does not "
               "verify.",
               ON + send(0x56, 0, 0, 0, 1, 2, SECTORS, 0x1b, 0xff) + WAIT + result(1),
               (0x00,), (0x20,)),
    Difference("table 5-5, READ DELETED DATA",
               "Data that is not deleted is read, and marked; QEMU reads none. The script does "
               "without.",
               ON + dma(TO_MEMORY, 0x10000, 512) + send(0x4c, 0, 0, 0, 1, 2, SECTORS, 0x1b, 0xff) +
               WAIT + result(3),
               (0x00, 0x00, 0x40), (0x60, 0x00, 0x00)),
    Difference("5.1.2, READ ID",
               "It tells the sector that passes; QEMU's disk does not turn. R is not compared.",
               ON + WAIT + send(READ_ID, 0) + WAIT + result(1, 5),
               (7,), (2,)),
    Difference("5.1.2, READ ID",
               "It is of the drive that it names; QEMU's of the one before. The script names that "
               "one in SENSE DRIVE STATUS first.",
               ON + send(RECALIBRATE, 1) + WAIT + send(SENSE) + result(0, 2) + send(READ_ID, 0) +
               WAIT + result(1),
               (0x00,), (0x01,)),
    Difference("table 5-1",
               "The chip has no PART ID, SAVE, FORMAT AND WRITE and SCAN, and they are invalid; QEMU "
               "is a later one as well. The script has what both have.",
               ON + send(0x18) + result(1),
               (0x80,), (0x41,)),
    Difference("5, result phase",
               "The first byte that is read takes the interrupt away, QEMU's last one does. The "
               "line is compared between commands.",
               ON + dma(TO_MEMORY, 0x10000, 512) + ONE + WAIT + "line 6; " + result(0, 1) +
               "line 6; " + result(0, 6) + "line 6",
               (1, 0, 0), (1, 1, 0)),
    Difference("5.2.3, SEEK",
               "The controller counts its steps, whatever the drive does; in QEMU an empty drive "
               "stays where it is. The script seeks with the other one.",
               ON + send(SEEK, 1, 5) + WAIT + send(SENSE) + result(2),
               (0x21, 5), (0x21, 0)),
    Difference("5.2.2, RECALIBRATE",
               "Without a drive track 0 is never found; QEMU has two drives and takes them for all "
               "four. The script has units 0 and 1.",
               ON + send(RECALIBRATE, 3) + WAIT + send(SENSE) + result(1),
               (0x73,), (0x21,)),
    Difference("8237A, terminal count",
               "It masks the channel, unless that is autoinitialised; QEMU's, whose mask is at "
               "port 9, stays open. The script unmasks it each time.",
               ON + "outb 0x0f 0x0f; " + dma(TO_MEMORY, 0x10000, 512) + ONE + WAIT +
               result(0, 7) + "inb 0x0f; inb 0x09",
               (0x0f, 0xff), (0x00, 0x0b)),
    Difference("8237A, autoinitialise",
               "The registers are those of the beginning at once; in QEMU at the next request. The "
               "script does not autoinitialise.",
               ON + dma(TO_MEMORY | 0x10, 0x10000, 512) + ONE + WAIT + result(0, 7) +
               "outb 0x0c 0; inb 5; inb 5",
               (0xff, 0x01), (0xff, 0xff)),
    Difference("8237A, address decrement",
               "The first byte goes to the highest address and the others below it; QEMU has them "
               "in the order of the disk. The script counts up.",
               ON + dma(TO_MEMORY | 0x20, 0x101ff, 512) + ONE + WAIT + result(0, 7) +
               "readl 0x101f8",
               (0x00010203,), (0,)),
    Difference("IBM PC/AT Technical Reference, page registers",
               "The address wraps within its page; QEMU goes on in the next one. The script stays "
               "within one.",
               ON + dma(TO_MEMORY, 0x1ff00, 512) + send(READ, 0, 0, 0, 2, 2, SECTORS, 0x1b, 0xff) +
               WAIT + result(0, 7) + "readl 0x10000; readl 0x20000",
               (0, 0), (0, 0)),
)


class Model:
    """Where the heads are, and what the disk and the memory hold."""

    def __init__(self, rnd):
        self.rnd, self.made = rnd, Script()
        self.cylinder, self.implied = 0, False

    def command(self, values, masks, interrupts=True):
        """Sends it, and compares its result under the masks."""
        made = self.made
        made.lines = False
        for value in values:
            if self.rnd.random() < 0.1:
                made.inb(MSR)
            made.outb(FIFO, value)
        if interrupts:
            made.wait(LONG_NS)
        made.lines = not masks or not interrupts
        made.inb(MSR)
        made.lines = False
        for mask in masks:
            made.inb(FIFO, mask)
        made.lines = True
        made.inb(MSR)

    def sense(self):
        self.command((SENSE,), (0xff, 0xff), interrupts=False)

    def seek(self):
        self.cylinder = self.rnd.randrange(CYLINDERS)
        self.command((SEEK, 0, self.cylinder), ())
        self.sense()

    def relative_seek(self):
        inwards = self.rnd.random() < 0.5
        steps = self.rnd.randrange(CYLINDERS - self.cylinder if inwards else self.cylinder + 1)
        self.command((RELATIVE_IN if inwards else RELATIVE_OUT, 0, steps), ())
        self.cylinder += steps if inwards else -steps
        self.sense()

    def recalibrate(self):
        unit = self.rnd.randrange(2)
        self.command((RECALIBRATE, unit), ())
        self.cylinder = self.cylinder if unit else 0
        self.sense()

    def program(self, mode, address, count):
        for command in dma(mode, address, count).split(";"):
            if command.strip():
                verb, port, value = command.split()
                self.made.write(verb, int(port, 0), int(value, 0))

    def read_channel(self):
        """Terminal count, the address and the count."""
        self.made.inb(0x08)
        self.made.outb(0x0c, 0)
        for port in (4, 4, 5, 5):
            self.made.inb(port)

    def transfer(self):
        """One or more whole sectors, from where the head is or is told to go."""
        rnd, write, both = self.rnd, self.rnd.random() < 0.4, self.rnd.random() < 0.5
        cylinder, head = self.cylinder, rnd.randrange(2)
        if self.implied and rnd.random() < 0.4:
            cylinder = rnd.randrange(CYLINDERS)
        first = rnd.randrange(1, SECTORS + 1)
        left = SECTORS - first + 1 + (SECTORS if both and not head else 0)
        count = rnd.randrange(1, left + 1)
        address = rnd.choice((*range(1, 10), *range(16, 255))) << 16 | rnd.randrange(0x4000)
        code = {(False, False): READ, (False, True): READ_BOTH, (True, False): WRITE,
                (True, True): WRITE_BOTH}[write, both]
        spots = [address + 4 * rnd.randrange(count * SECTOR // 4) for _ in range(4)]
        for spot in spots:
            self.made.writel(spot, rnd.randrange(1 << 32))
        self.program(FROM_MEMORY if write else TO_MEMORY, address, count * SECTOR)
        st0 = 0xff & ~(SE if first + count > SECTORS else 0) & ~(HEAD if count == left else 0)
        self.command((code, head << 2, cylinder, head, first, 2, SECTORS, 0x1b, 0xff),
                     (st0,) + 6 * (0xff,))
        self.cylinder = cylinder
        self.read_channel()
        for spot in spots:
            self.made.readl(spot)
        if count == left:
            self.seek()

    def fail(self):
        """A sector that is not there, or the wrong rate."""
        rnd, cylinder = self.rnd, self.cylinder
        self.program(TO_MEMORY, 0x10000, SECTOR)
        if rnd.random() < 0.5:
            self.command((READ, 0, cylinder, 0, rnd.randrange(19, 256), 2, 255, 0x1b, 0xff),
                         (0xff & ~HEAD, 0, 0xff, 0xff, 0xff, 0xff, 0xff))
            return
        self.made.outb(DIR, rnd.choice((1, 2, 3)))
        self.command((READ, 0, cylinder, 0, 1, 2, SECTORS, 0x1b, 0xff),
                     (0xff & ~HEAD,) + 6 * (0xff,))
        self.made.outb(DIR, 0)

    def read_id(self):
        head = self.rnd.randrange(2)
        self.command((SENSE_DRIVE, head << 2), (0xff,), interrupts=False)
        self.command((READ_ID, head << 2), (0xff, 0xff, 0xff, 0xff, 0xff, 0, 0xff))

    def settings(self):
        rnd = self.rnd
        self.implied = rnd.random() < 0.5
        config = rnd.randrange(64) | (EIS if self.implied else 0)
        self.command((CONFIGURE, 0, config, rnd.randrange(256)), (), interrupts=False)
        self.command((PERPENDICULAR, 0x80 | rnd.randrange(64)), (), interrupts=False)
        self.command((DUMPREG,), (0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff), interrupts=False)

    def simple(self):
        rnd = self.rnd
        choice = rnd.randrange(5)
        if choice == 0:
            self.command((VERSION,), (0xff,), interrupts=False)
        elif choice == 1:
            self.command((SENSE_DRIVE, rnd.randrange(2) | rnd.choice((0, 4))), (0xff,),
                         interrupts=False)
        elif choice == 2:
            self.command((rnd.choice((0x00, 0x01)),), (0xff,), interrupts=False)
        elif choice == 3:
            self.command((SENSE_DRIVE, 0), (0xff,), interrupts=False)
            self.made.inb(DIR, 0x80)
        else:
            self.made.inb(DOR, 0xfc)

    def reset(self):
        """By DOR; LOCK or not."""
        made = self.made
        locked = self.rnd.random() < 0.5
        self.command((LOCK | (0x80 if locked else 0),), (0xff,), interrupts=False)
        self.start()

    def start(self):
        made = self.made
        made.lines = False
        made.outb(DOR, 0)
        made.outb(DOR, 0x1c)
        made.wait(LONG_NS)
        made.lines = True
        for _ in range(4):
            self.sense()
        self.command((SENSE,), (0xff,), interrupts=False)
        self.command((SPECIFY, 0xaf, 0x02), (), interrupts=False)
        self.command((CONFIGURE, 0, 0x20, 0), (), interrupts=False)
        self.implied = False
        made.outb(DIR, 0)
        for unit in range(2):
            self.command((RECALIBRATE, unit), ())
            self.sense()
        self.cylinder = 0

    def any_step(self):
        step = self.rnd.choice((self.seek, self.relative_seek, self.recalibrate, self.fail,
                                self.read_id, self.settings, self.simple, self.simple)
                               + 6 * (self.transfer,))
        if self.rnd.random() < 0.02:
            step = self.reset
        step()


def script(rnd, accesses):
    model = Model(rnd)
    model.start()
    while model.made.accesses < accesses:
        model.any_step()
    return model.made
