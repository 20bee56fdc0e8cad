"""hpet and QEMU 7.2's. Reference: Intel, IA-PC HPET Specification 1.0a (2004). Accesses are of 32
bits, all that QEMU takes; timers 0 and 1 have the interrupts of legacy replacement."""
# SPDX-License-Identifier: MIT
from script import Difference, Script, watch_inputs

MACHINE = "pc"
WATCHES = (watch_inputs("device[6]", {0}), watch_inputs("device[7]", {8}))
BASE = 0xfed00000
CONFIG, STATUS, COUNTER = BASE + 0x10, BASE + 0x20, BASE + 0xf0
TIMERS = range(3)
ON, LEGACY = 1, 2
LEVEL, ENABLE, PERIODIC, SET, MODE_32 = 0x02, 0x04, 0x08, 0x40, 0x100
ROUTE_2 = 2 << 9  # QEMU's timer 2 leads there; ours has no line here
TIMER_MASK = 0xffff & ~0x3e50  # all but routes, the capability to repeat, and SET
TICK_NS = 10
LEAST, MOST = 6000, 1 << 20  # ticks; shorter periods are fewer interrupts here

BEGIN = "outb 0x43 0x30; writel 0xfed00010 2; "
DIFFERENCES = (
    Difference("2.3.8, Tn_PER_INT_CAP",
               "Timer 0 alone repeats; all of QEMU's do. The script has no other periodic timer.",
               "readl 0xfed00120; writel 0xfed00120 0x08; readl 0xfed00120",
               (0x20, 0x20), (0x30, 0x38)),
    Difference("2.3.8, Tn_VAL_SET_CNF",
               "It clears itself and reads as zero; QEMU's shows until the comparator is written. "
               "Not compared.",
               "writel 0xfed00100 0x48; readl 0xfed00100",
               (0x38,), (0x78,)),
    Difference("2.3.8, Tn_INT_ROUTE_CNF",
               "A route that the timer cannot have does not read back; QEMU's does. Not compared.",
               "writel 0xfed00140 0x600; readl 0xfed00140",
               (0x20,), (0x630,)),
    Difference("2.3.8, Tn_INT_ENB_CNF",
               "A timer whose interrupt is disabled has its status all the same; not in QEMU. The "
               "script has no level without its enable bit.",
               "writel 0xfed00140 2; writel 0xfed00148 100; writel 0xfed0014c 0; "
               "writel 0xfed00010 1; clock_step 2000; readl 0xfed00020",
               (4,), (0,)),
    Difference("2.3.9.2.1",
               "An interrupt comes when the counter is equal to the comparator; QEMU's comes also "
               "when it has passed it. The script sets comparators that lie ahead.",
               BEGIN + "writel 0xfed00010 3; clock_step 100000; writel 0xfed00100 6; "
               "writel 0xfed0010c 0; writel 0xfed00108 100; clock_step 1000; readl 0xfed00020",
               (0,), (1,)),
    Difference("2.3.7",
               "A counter that runs can be written, too; QEMU's goes on. The script halts it.",
               "writel 0xfed00010 1; clock_step 1000; writel 0xfed000f0 0x5000; readl 0xfed000f0",
               (0x5000,), (0x64,)),
    Difference("2.3.8.1, 32-bit mode",
               "A comparator of 32 bits matches once in a turn of the counter's lower half; "
               "QEMU's interrupts when that wraps as well. The script has no wrap.",
               BEGIN + "writel 0xfed000f0 0xfffff000; writel 0xfed00100 0x102; "
               "writel 0xfed00108 0x80000000; writel 0xfed00100 0x106; writel 0xfed00010 3; "
               "clock_step 100000; readl 0xfed00020",
               (0,), (1,)),
)


class Model:
    """The counter and what the timers are set to, so that comparators lie ahead."""

    def __init__(self, rnd):
        self.rnd, self.script = rnd, Script()
        self.type = rnd.choice((0, LEVEL))
        self.script.lines = False
        self.is_on, self.count, self.rest_ns = False, 0, 0
        self.config = [0, 0, 0]

    def write(self, address, value):
        self.script.writel(address, value)

    def write_64(self, address, value):
        self.write(address, value & 0xffffffff)
        self.write(address + 4, value >> 32)

    def wait(self):
        ticks = self.rnd.choice((1, 10, 1000, LEAST, 5 * LEAST, self.rnd.randrange(2 * MOST)))
        self.script.mark_edges()
        self.script.wait(ticks * TICK_NS)
        self.script.compare_edges()
        if self.is_on:
            self.count += ticks

    def set_config(self, is_on):
        self.is_on = is_on
        self.write(CONFIG, LEGACY | (ON if is_on else 0))

    def ahead(self):
        return self.count + self.rnd.randrange(LEAST, MOST)

    def set_timer(self, number):
        """All of it, off before and on, perhaps, afterwards. Periods have level interrupts: of a
        match QEMU makes two edges where its clock stands still meanwhile."""
        rnd, at = self.rnd, BASE + 0x100 + 0x20 * number
        bits = self.type | (PERIODIC if number == 0 and self.type and rnd.random() < 0.6 else 0)
        mode = (MODE_32 if rnd.random() < 0.3 else 0) | (ROUTE_2 if number == 2 else 0)
        self.write(at, 0)
        self.write(STATUS, 1 << number)
        self.write(at, bits & PERIODIC | mode | SET)
        self.config[number] = bits & PERIODIC | mode
        ahead = self.ahead()
        self.write(at + 8, ahead & 0xffffffff)
        if not mode & MODE_32:
            self.write(at, bits & PERIODIC | mode | SET)
            self.write(at + 12, ahead >> 32)
        if bits & PERIODIC:
            self.write(at + 8, rnd.randrange(LEAST, MOST))
            if not mode & MODE_32:
                self.write(at + 12, 0)
        if rnd.random() < 0.8:
            self.write(at, bits | mode | ENABLE)
            self.config[number] = bits | mode | ENABLE

    def restart(self):
        """Halted, everything is set anew."""
        self.set_config(False)
        if self.rnd.random() < 0.5:
            self.count = self.rnd.choice((0, self.rnd.randrange(1 << 44))) & ~0x80000000
            self.write_64(COUNTER, self.count)
        for number in TIMERS:
            self.set_timer(number)
        self.set_config(True)

    def clear(self):
        self.write(STATUS, self.rnd.choice((1, 2, 4, 7)))

    def read(self):
        rnd = self.rnd
        number = rnd.choice(TIMERS)
        at, config = BASE + 0x100 + 0x20 * number, self.config[number]
        address, mask = rnd.choice((
            (BASE, 0xffffffff), (BASE + 4, 0xffffffff), (CONFIG, 0xffffffff),
            (STATUS, 0xffffffff), (STATUS, 0xffffffff), (COUNTER, 0xffffffff),
            (COUNTER + 4, 0xffffffff), (at, TIMER_MASK), (at + 8, 0xffffffff)))
        if address == at + 8 and config & (PERIODIC | ENABLE) == PERIODIC:
            mask = 0
        self.script.readl(address, mask)

    def step(self):
        if self.count & 0xffffffff > 0x60000000:
            self.restart()
        choice = self.rnd.random()
        if choice < 0.03:
            self.restart()
        elif choice < 0.08:
            self.set_timer(self.rnd.choice(TIMERS))
        elif choice < 0.15:
            self.clear()
        elif choice < 0.5:
            self.wait()
        else:
            self.read()


def script(rnd, accesses):
    model = Model(rnd)
    model.script.outb(0x43, 0x30)
    model.restart()
    model.script.lines = model.type == LEVEL
    while model.script.accesses < accesses:
        model.step()
    return model.script
