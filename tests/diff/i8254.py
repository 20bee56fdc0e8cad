"""i8254 with port 0x61, and QEMU 7.2's isa-pit and isa-pcspk. References: Intel 8254 data sheet
(231164), whose figures these are; Intel 82371AB (PIIX4) data sheet, NMISC, for port 0x61."""
# SPDX-License-Identifier: MIT
from script import Difference, Script, watch_inputs

MACHINE = "isapc"
WATCHES = (watch_inputs("device[4]", {0}),)
COUNTER, CONTROL, PORT61 = 0x40, 0x43, 0x61
HZ, SECOND = 1193182, 10**9
OURS, THEIRS = range(2)
TERMINAL, RATE, SQUARE, STROBE = 0, 2, 3, 4
LOW, HIGH, BOTH = 1, 2, 3
MANY_CLOCKS = 4000  # of an interrupt's period that neither side has too much work with
GATE, OUT_SEEN = 0x01, 0x20
BACK, BACK_NO_COUNT, BACK_NO_STATUS = 0xc0, 0x20, 0x10
OUT, CONTROL_BITS = 0x80, 0x3f
QUIET_CLOCKS = 64

LOAD = "outb 0x43 {:#x}; outb 0x40 {:#x}; outb 0x40 {:#x}; clock_step 1000; "
LOAD_2 = "outb 0x43 {:#x}; outb 0x42 {:#x}; outb 0x42 {:#x}; clock_step 1000; "
STATUS = "outb 0x43 0xe2; inb 0x40; "
COUNT, COUNT_2 = "outb 0x43 0; inb 0x40; inb 0x40; ", "outb 0x43 0x80; inb 0x42; inb 0x42; "
TEN = "clock_step 8381; "
DIFFERENCES = (
    Difference("Mode definitions, mode 0",
               "A count is loaded with the clock after it is written; QEMU's runs at once. QEMU "
               "is read one clock before ours.",
               LOAD.format(0x30, 16, 0) + COUNT,
               (16, 0), (15, 0)),
    Difference("figure 17, mode 2",
               "OUT is low in the last clock alone; QEMU's shows the contrary in its status. Only "
               "its edges are compared.",
               LOAD.format(0x34, 16, 0) + STATUS + "clock_step 12571; " + STATUS,
               (0xb4, 0x34), (0x34, 0xb4)),
    Difference("figure 19, mode 4",
               "OUT is high until the strobe; QEMU's is low and has a pulse. It is not compared.",
               LOAD.format(0x38, 16, 0) + STATUS,
               (0xb8,), (0x38,)),
    Difference("figures 16 and 20, modes 1 and 5",
               "The gate's rising edge starts the count; QEMU's starts when it is written. The "
               "script has not these modes.",
               LOAD_2.format(0xb2, 16, 0) + TEN + COUNT_2,
               (0, 0), (5, 0)),
    Difference("figure 18, mode 3, odd counts",
               "It is loaded less one and counts by two; QEMU counts from the odd number. The "
               "script has even ones.",
               LOAD.format(0x36, 17, 0) + COUNT,
               (16, 0), (15, 0)),
    Difference("figure 17, mode 2, new count",
               "It is taken at the end of the period; QEMU begins with it at once. The script "
               "writes a control word first.",
               LOAD.format(0x34, 0x40, 0) + "outb 0x40 0x20; outb 0x40 0; clock_step 1000; " +
               COUNT,
               (0x3f, 0), (0x1f, 0)),
    Difference("Mode definitions, mode 0",
               "The first byte of two stops the count (not in the 82C54); QEMU's runs on. The "
               "script does not read between them.",
               LOAD.format(0x30, 0x40, 0) + "outb 0x40 0x20; " + TEN + COUNT,
               (0x40, 0), (0x35, 0)),
    Difference("figure 21, gate",
               "A low gate stops counters of modes 0, 2, 3 and 4, QEMU's of none. The script "
               "looks at counters whose gate was high throughout.",
               "outb 0x61 1; " + LOAD_2.format(0xb0, 0x40, 0) + "outb 0x61 0; " + TEN + COUNT_2,
               (0x40, 0), (0x35, 0)),
    Difference("figure 12, NULL COUNT",
               "It tells that a count is not loaded yet; QEMU's is always 0. It is not compared.",
               "outb 0x43 0x30; " + STATUS,
               (0x70,), (0x30,)),
    Difference("figure 7, BCD",
               "The count reads in decimal digits; QEMU's does not. The script is in binary.",
               LOAD.format(0x31, 0x20, 0) + TEN + COUNT,
               (0x10, 0), (0x15, 0)),
    Difference("Counter latch command",
               "A control word ends a latch; QEMU's keeps it. The script reads what it has "
               "latched.",
               LOAD.format(0x30, 0x40, 0) + "outb 0x43 0; " + LOAD.format(0x30, 0x50, 0) +
               "inb 0x40",
               (0x50,), (0x3f,)),
    Difference("Operation common to all modes",
               "A control word sets OUT; QEMU's waits for the count. The line is compared once "
               "there is one.",
               LOAD.format(0x30, 4, 0) + TEN + "line 0; outb 0x43 0x30; line 0",
               (1, 0), (1, 1)),
    Difference("nobody's data sheet",
               "Interrupts that come within 50 us of one are late, for the host's sake. The "
               "script waits so long between a control word and a count.",
               LOAD.format(0x30, 4, 0) + TEN + LOAD.format(0x30, 4, 0) + "clock_step 4200; line 0",
               (0,), (1,)),
    Difference("figure 7, modes 6 and 7",
               "They are 2 and 3; QEMU's are none. The script has 2 and 3.",
               LOAD.format(0x3e, 0x40, 0) + TEN + COUNT,
               (0x2c, 0), (0x35, 0)),
    Difference("figure 14",
               "A read of the control word's port leaves the bus alone; QEMU has zeros. The "
               "script does not read it.",
               "inb 0x43",
               (0xff,), (0x00,)),
    Difference("PIIX4, NMISC",
               "Bits 2 and 3 read as they were written; QEMU's do not. Not compared.",
               "outb 0x61 0x0c; clock_step 20000; inb 0x61",
               (0x3c,), (0x30,)),
    Difference("PIIX4, NMISC, refresh",
               "It toggles with time; QEMU's with each read. Not compared.",
               "inb 0x61; inb 0x61",
               (0x20, 0x20), (0x30, 0x20)),
)


def ns_of(clock):
    return clock // HZ * SECOND - -(clock % HZ * SECOND) // HZ


class Counter:
    """What one of them was programmed to; `steady`: its gate was high since."""

    def __init__(self):
        self.mode = self.access = self.count = self.steady = None

    def ports(self, number):
        return [COUNTER + number] * (2 if self.access == BOTH else 1)


class Model:
    """Clocks of both sides, and what the counters do."""

    def __init__(self, rnd):
        self.rnd, self.script = rnd, Script()
        self.script.lines = False
        self.clock, self.at = 0, [0, 0]
        self.counters, self.port61 = [Counter() for _ in range(3)], 0

    def go(self, side, ns):
        if ns > self.at[side]:
            self.script.one(side, f"clock_step {ns - self.at[side]}")
        self.at[side] = max(ns, self.at[side])

    def write(self, port, value):
        for side in (OURS, THEIRS):
            self.go(side, ns_of(self.clock) + 100)
        self.script.outb(port, value)

    def look(self):
        """QEMU's side one clock earlier than ours."""
        for side in (THEIRS, OURS):
            self.go(side, ns_of(self.clock) + 400)
            self.clock += 1

    def program(self, number):
        rnd, counter = self.rnd, self.counters[number]
        counter.mode = rnd.choice((TERMINAL, RATE, SQUARE, STROBE))
        counter.access = rnd.choice((LOW, HIGH, BOTH, BOTH, BOTH))
        count = rnd.choice((0, 2, 4, 100, rnd.randrange(65536), rnd.randrange(2, 1000)))
        if number == 0 and counter.mode in (RATE, SQUARE):  # these interrupt
            counter.access, count = BOTH, rnd.choice((0, rnd.randrange(MANY_CLOCKS, 65536)))
        count &= {LOW: 0xff, HIGH: 0xff00, BOTH: 0xffff}[counter.access]
        counter.count = count & ~1 if counter.mode == SQUARE else count
        if counter.count == 1 and counter.mode == RATE:
            counter.count = 2
        counter.steady = number < 2 or bool(self.port61 & GATE)
        self.write(CONTROL, number << 6 | counter.access << 4 | counter.mode << 1)
        self.clock += rnd.choice((0, 0, rnd.randrange(5))) + (0 if number else QUIET_CLOCKS)
        if counter.access & LOW:
            self.write(COUNTER + number, counter.count & 0xff)
        self.clock += rnd.choice((0, 0, rnd.randrange(50)))
        if counter.access & HIGH:
            self.write(COUNTER + number, counter.count >> 8)
        self.clock += 1

    def read_counts(self):
        """As they are now, or by latches."""
        self.look()
        for number in self.rnd.sample(range(3), 3):
            counter = self.counters[number]
            if self.rnd.random() < 0.5:
                self.script.outb(CONTROL, number << 6)
            for port in counter.ports(number):
                self.script.inb(port, 0xff if counter.steady else 0)

    def read_back(self):
        chosen = [number for number in range(3) if self.rnd.random() < 0.6]
        command = BACK | sum(2 << number for number in chosen)
        command |= self.rnd.choice((0, BACK_NO_COUNT, BACK_NO_STATUS))
        self.look()
        self.script.outb(CONTROL, command)
        for number in chosen:
            counter = self.counters[number]
            out = OUT if counter.mode in (TERMINAL, SQUARE) else 0
            if not command & BACK_NO_STATUS:
                self.script.inb(COUNTER + number, CONTROL_BITS | out if counter.steady else 0)
            for port in counter.ports(number) if not command & BACK_NO_COUNT else ():
                self.script.inb(port, 0xff if counter.steady else 0)

    def read_port61(self):
        counter = self.counters[2]
        seen = OUT_SEEN if counter.mode in (TERMINAL, SQUARE) and counter.steady else 0
        self.look()
        self.script.inb(PORT61, 0x03 | seen)

    def write_port61(self):
        """A gate that rises starts modes 2 and 3 anew; what else the gate does is not the same."""
        before, self.port61 = self.port61, self.rnd.randrange(4)
        self.write(PORT61, self.port61)
        self.clock += 1
        rises = self.port61 & GATE and not before & GATE
        counter = self.counters[2]
        if rises and counter.mode in (RATE, SQUARE):
            counter.steady = True
        elif not (self.port61 & before & GATE):
            counter.steady = False

    def look_at_line(self):
        """The level of IRQ 0, where the mode has levels."""
        self.look()
        self.script.lines = self.counters[0].mode in (TERMINAL, SQUARE)
        self.script.inb(COUNTER + 3, 0)
        self.script.lines = False

    def count_edges(self):
        """Those of IRQ 0 in a while that does not end near one."""
        counter = self.counters[0]
        counter.mode, counter.access = self.rnd.choice((RATE, SQUARE)), BOTH
        counter.count = self.rnd.randrange(100, 2000) * 2
        self.write(CONTROL, BOTH << 4 | counter.mode << 1)
        self.write(COUNTER, counter.count & 0xff)
        self.write(COUNTER, counter.count >> 8)
        self.script.mark_edges()
        self.clock += counter.count * self.rnd.randrange(1, 8)
        self.clock += self.rnd.randrange(20, counter.count - 20)
        self.look()
        self.script.compare_edges()

    def any_step(self):
        rnd, choice = self.rnd, self.rnd.random()
        if choice < 0.15:
            self.clock += rnd.choice((1, 2, rnd.randrange(100), *[rnd.randrange(70000)] * 2))
        elif choice < 0.30:
            self.program(rnd.randrange(3))
        elif choice < 0.56:
            self.read_counts()
        elif choice < 0.78:
            self.read_back()
        elif choice < 0.85:
            self.read_port61()
        elif choice < 0.89:
            self.write_port61()
        elif choice < 0.98:
            self.look_at_line()
        else:
            self.count_edges()


def script(rnd, accesses):
    model = Model(rnd)
    for port, value in ((CONTROL, 0x30), (COUNTER, 1), (COUNTER, 0)):  # nobody knows how IRQ 0 was
        model.write(port, value)
    for number in range(3):
        model.program(number)
    while model.script.accesses < accesses:
        model.any_step()
    return model.script
