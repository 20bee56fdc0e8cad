"""mc146818 and QEMU 7.2's mc146818rtc. References: Motorola MC146818A data sheet, and Dallas
DS12887's where it is clearer: registers A to D, table 3 for the ranges of bytes, figure 3 for UIP
and PF."""
# SPDX-License-Identifier: MIT
import datetime

from script import Difference, STOP_PIT, Script, watch_inputs

MACHINE = "isapc"
WATCHES = (watch_inputs("device[5]", {8}),)
THEIR_START = STOP_PIT
INDEX, DATA = 0x70, 0x71
SECONDS, SECONDS_ALARM, MINUTES, MINUTES_ALARM, HOURS, HOURS_ALARM = range(6)
WEEKDAY, DAY, MONTH, YEAR, A, B, C, D = range(6, 14)
CENTURY, CENTURY_ALIAS = 0x32, 0x37
MEMORY = [at for at in range(14, 128) if at not in (CENTURY, CENTURY_ALIAS)]
RUNS, HOLDS = 0x20, 0x60
B_24, B_BINARY, B_SET = 0x02, 0x04, 0x80
SQWE, UIE, AIE, PIE = 0x08, 0x10, 0x20, 0x40
SECOND = 10**9
EXACT_NS = 1953125  # 64 ticks of 32,768 Hz: whole ns, as are the periods that are longer

ASK = "outb 0x70 {}; inb 0x71; "
TELL = "outb 0x70 {}; outb 0x71 {}; "
C_READS = ASK.format(12)
DIFFERENCES = (
    Difference("Register C, PF",
               "The flag is set whether or not it is enabled; QEMU's only with PIE. Without PIE "
               "it is not compared.",
               TELL.format(10, 0x26) + "clock_step 10000000; " + C_READS,
               (0x40,), (0x00,)),
    Difference("DS12887, figure 3",
               "Periods are half a period away from the update; QEMU's begin where the guest "
               "clock is a multiple of one. The script looks at distances of whole periods.",
               TELL.format(10, 0x2f) + TELL.format(11, 0x42) +
               "clock_step 250000100; line 8; clock_step 250000100; line 8",
               (1, 1), (0, 1)),
    Difference("Register B, SET",
               "No flag is set while time is being set; QEMU sets UF once more. C is read after "
               "SET, not compared.",
               C_READS + TELL.format(11, 0x82) + "clock_step 1500000000; " + C_READS,
               (0x00, 0x40), (0x00, 0x10)),
    Difference("Register B, DM and 24/12",
               "They say how bytes are read, and the bytes stay; QEMU encodes them anew. The "
               "script sets the time with them.",
               TELL.format(11, 6) + ASK.format(0) + TELL.format(11, 0) + ASK.format(4),
               (0x50, 0x23), (0x32, 0x91)),
    Difference("DS12887, DV0 to DV2",
               "010 alone lets the divider run; QEMU's runs with 000, 001, 011 and 10x as well. "
               "The script has 010 and 11x.",
               TELL.format(10, 0x06) + "clock_step 2000000000; " + ASK.format(0),
               (0x50,), (0x52,)),
    Difference("Table 3, hours of 12",
               "Bit 7 of the hours' alarm is PM; QEMU takes it for a digit: 2 PM comes at 10 AM. "
               "In the script such alarms do not care.",
               TELL.format(11, 0x80) + TELL.format(4, 0x09) + TELL.format(2, 0x59) +
               TELL.format(0, 0x59) + TELL.format(1, 0) + TELL.format(3, 0) + TELL.format(5, 0x82) +
               TELL.format(11, 0) + C_READS + "clock_step 1600000000; " + C_READS,
               (0x00, 0x50), (0x00, 0x30)),
    Difference("Alarm",
               "One for the second that is now comes a minute later; QEMU's, a day. The script "
               "sets others.",
               "clock_step 1100000000; " + TELL.format(1, 0x51) + TELL.format(3, 0xff) +
               TELL.format(5, 0xff) + "clock_step 60000000000; " + C_READS,
               (0x70,), (0x10,)),
    Difference("Table 3, day of the week",
               "It is a byte that counts to 7; QEMU computes it. The script sets the one that is "
               "right.",
               TELL.format(11, 0x82) + TELL.format(6, 5) + TELL.format(11, 2) +
               "clock_step 20000000000; " + ASK.format(6),
               (0x06,), (0x01,)),
    Difference("Table 3, ranges",
               "A number that is none stays until the next carry; QEMU makes one of it. The "
               "script writes numbers.",
               TELL.format(11, 0x82) + TELL.format(2, 0x75) + TELL.format(11, 2) +
               "clock_step 2000000000; " + ASK.format(2),
               (0x75,), (0x15,)),
    Difference("Table 3, year",
               "Those before 1970 are years like others; in QEMU the second is one ahead then. "
               "The script has later ones.",
               "clock_step 300000000; " + TELL.format(11, 0x82) + TELL.format(0x32, 0x19) +
               TELL.format(9, 0x65) + TELL.format(11, 2) + ASK.format(0),
               (0x50,), (0x51,)),
    Difference("Table 3, day of the month", "So does a day that the month has not.",
               TELL.format(11, 0x82) + TELL.format(7, 0x31) + TELL.format(11, 2) + ASK.format(7),
               (0x31,), (0x03,)),
    Difference("Register B, SET",
               "A byte that is written without SET leaves the second where it was; QEMU begins a "
               "new one. The script writes the time under SET.",
               "clock_step 700000000; " + TELL.format(0, 0x10) + "clock_step 500000000; " +
               ASK.format(0),
               (0x11,), (0x10,)),
    Difference("QEMU's century",
               "0x37 is memory; in QEMU it is 0x32 (PIIX has no such byte either). The script "
               "leaves it.",
               TELL.format(0x37, 0x21) + ASK.format(0x32),
               (0x20,), (0x21,)),
)


class Model:
    """What the registers hold that decide which accesses there are."""

    def __init__(self, rnd):
        self.rnd, self.script = rnd, Script()
        self.rate, self.mode, self.now, self.filled = 6, B_24, 0, []
        self.second, self.next_update, self.held, self.setting = 50, SECOND, False, False

    def write(self, at, value):
        self.script.outb(INDEX, at)
        self.script.outb(DATA, value)

    def read(self, at, mask=0xff):
        self.script.outb(INDEX, at)
        self.script.inb(DATA, mask)

    def wait(self, ns):
        self.now += ns
        self.script.wait(ns)
        while self.next_update <= self.now and not self.held:
            self.next_update += SECOND
            self.second = (self.second + (not self.setting)) % 60

    def encode(self, number):
        return number if self.mode & B_BINARY else number // 10 << 4 | number % 10

    def encode_hour(self, hour):
        if self.mode & B_24:
            return self.encode(hour)
        return self.encode((hour + 11) % 12 + 1) | (0x80 if hour >= 12 else 0)

    def begin(self):
        self.write(A, RUNS | self.rate)
        self.write_alarms()
        self.set_time()

    def write_alarms(self):
        rnd = self.rnd
        other = (self.second + rnd.randrange(1, 60)) % 60
        for at, number in ((SECONDS_ALARM, self.encode(other)),
                           (MINUTES_ALARM, self.encode(rnd.randrange(60))),
                           (HOURS_ALARM, self.encode_hour(rnd.randrange(24)))):
            is_free = rnd.random() < 0.6 or (at == HOURS_ALARM and not self.mode & B_24)
            self.write(at, rnd.randrange(0xc0, 0x100) if is_free else number)

    def set_time(self):
        """Under SET, at the end of something more often than not, and never before 1970."""
        rnd = self.rnd
        year = rnd.choice((1999, 2000, 2099, rnd.randrange(1970, 2100), rnd.randrange(1970, 2100)))
        month = rnd.choice((2, 12, rnd.randrange(1, 13)))
        day = rnd.choice((28, rnd.randrange(1, 29)) if month == 2 else (30, rnd.randrange(1, 31)))
        self.write(B, self.mode & (B_24 | B_BINARY) | B_SET)
        self.setting = True
        if rnd.random() < 0.5:
            self.wait(rnd.randrange(2 * SECOND))
        self.second = rnd.choice((0, 58, 59, rnd.randrange(60)))
        for at, value in ((SECONDS, self.encode(self.second)),
                          (MINUTES, self.encode(rnd.choice((59, rnd.randrange(60))))),
                          (HOURS, self.encode_hour(rnd.choice((0, 11, 12, 23, rnd.randrange(24))))),
                          (YEAR, self.encode(year % 100)), (CENTURY, self.encode(year // 100)),
                          (MONTH, self.encode(month)), (DAY, self.encode(day)),
                          (WEEKDAY, datetime.date(year, month, day).isoweekday() % 7 + 1)):
            self.write(at, value)
        self.write_alarms()
        for at in (SECONDS, MINUTES, HOURS, WEEKDAY, DAY, MONTH, YEAR, CENTURY):
            self.read(at)
        self.write(B, self.mode & (B_24 | B_BINARY))
        self.setting = False
        self.read(C, 0)
        self.write(B, self.mode)

    def pass_time(self):
        rnd = self.rnd
        near = self.next_update - self.now
        if rnd.random() < 0.15 and near > 250000:
            self.wait(near - rnd.choice((244141, 244140, 244139, 1, 250000)))
        else:
            self.wait(rnd.choice((1, 1000, 122070, 10**6, 10**8, rnd.randrange(SECOND),
                                  rnd.randrange(3 * SECOND),
                                  60 * SECOND if rnd.random() < 0.1 else 5)))

    def change_format(self):
        self.mode &= ~(B_24 | B_BINARY)
        self.mode |= self.rnd.choice((0, B_24, B_BINARY, B_24 | B_BINARY))
        self.set_time()

    def change_interrupts(self):
        self.mode = self.mode & (B_24 | B_BINARY) | self.rnd.choice((0, UIE, AIE, UIE | AIE, SQWE))
        self.write(B, self.mode)

    def hold_divider(self):
        """The first update comes half a second after its end."""
        self.read(SECONDS)
        self.write(A, HOLDS | self.rnd.randrange(2) << 4)
        self.held = True
        self.read(A)
        self.wait(self.rnd.randrange(2 * SECOND))
        self.read(SECONDS)
        self.write(A, RUNS | self.rate)
        self.held, self.next_update = False, self.now + SECOND // 2

    def watch_periods(self):
        """A read of C clears PF, and after a whole period it is there again, wherever that
        began."""
        rate = self.rnd.choice((1, 2, *range(5, 16)))
        ticks = 1 << (rate - 1 if rate > 2 else rate + 6)
        period = max(ticks // 64, 1) * EXACT_NS
        self.rate = rate
        self.script.lines = False
        self.write(A, RUNS | rate)
        self.write(B, self.mode | PIE)
        self.wait(period)
        self.read(C, 0)
        for _ in range(self.rnd.randrange(2, 6)):
            self.wait(period)
            self.script.lines = True
            self.read(C)
        self.script.lines = False
        self.write(B, self.mode)
        self.read(C, 0)
        self.script.lines = True

    def any_step(self):
        rnd, choice = self.rnd, self.rnd.random()
        if choice < 0.35:
            self.pass_time()
        elif choice < 0.45:
            self.read(A)
        elif choice < 0.57:
            self.read(C, 0xb0)
        elif choice < 0.77:
            self.read(rnd.choice((SECONDS, MINUTES, HOURS, WEEKDAY, DAY, MONTH, YEAR, CENTURY)))
        elif choice < 0.81:
            self.read(rnd.choice((SECONDS_ALARM, MINUTES_ALARM, HOURS_ALARM, B, D)))
        elif choice < 0.85:
            at = rnd.choice(MEMORY)
            self.filled.append(at)
            self.write(at, rnd.randrange(256))
            self.read(rnd.choice(self.filled))
        elif choice < 0.89:
            self.write_alarms()
        elif choice < 0.90:
            self.change_format()
        elif choice < 0.95:
            self.change_interrupts()
        elif choice < 0.96:
            self.hold_divider()
        elif choice < 0.975:
            self.watch_periods()
        elif choice < 0.985:
            self.write(rnd.choice((C, D)), rnd.randrange(256))


def script(rnd, accesses):
    model = Model(rnd)
    model.begin()
    while model.script.accesses < accesses:
        model.any_step()
    return model.script
