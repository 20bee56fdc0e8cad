"""i440fx-host, piix3-isa and piix4-pm, and QEMU 7.2's: configuration space, PAM and SMRAM, ACPI's
registers where the guest puts them, the SMBus host. References: Intel 82441FX data sheet (290549),
82371SB (290550) and 82371AB (290562), whose sections these are."""
# SPDX-License-Identifier: MIT
from script import Difference, STOP_PIT, Script, watch_inputs

MACHINE = "pc"
PROFILE = "pci.yaml"
WATCHES = (watch_inputs("device[7]", {9}),)
ADDRESS, DATA, ENABLE = 0xcf8, 0xcfc, 1 << 31
HOST, ISA, IDE, PM = 0x0000, 0x0800, 0x0900, 0x0b00
PMBA, PMREGMISC, SMBBA, SMBHSTCFG = 0x40, 0x80, 0x90, 0xd2
BASES, SMB_BASES = (0x600, 0xb000, 0xe400, 0xff80), (0x700, 0xb100, 0xe4c0, 0xffc0)
TMR, GBL, PWRBTN, RTC = 0x0001, 0x0020, 0x0100, 0x0400
ENABLES, CONTROLS = TMR | GBL | PWRBTN | RTC, 0x1c03
HALF_NS = (1 << 23) * 10**9 // 3579545  # the timer's top bit changes so often
SCI_EN = 0x0001
ACPI_ENABLE, ACPI_DISABLE = 0xf1, 0xf0
HSTSTS, HSTCNT, HSTCMD, HSTADD, HSTDAT0, HSTDAT1, SLVCNT = 0, 2, 3, 4, 5, 6, 8
DEV_ERR, START = 0x04, 0x40
VERBS = {1: "b", 2: "w", 4: "l"}

# Registers and their bits that both sides let a guest write.
REGISTERS = {
    HOST: ((0x50, 2, 0xffff), (0x52, 1, 0xff), (0x53, 1, 0xff), (0x54, 1, 0xff),
           (0x55, 2, 0xffff), (0x57, 1, 0xff), (0x58, 1, 0xff), (0x60, 4, 0xffffffff),
           (0x64, 4, 0xffffffff), (0x68, 1, 0xff), (0x70, 1, 0xff), (0x71, 1, 0xff),
           (0x90, 1, 0xff), (0x93, 1, 0xff)),
    ISA: ((0x4c, 1, 0xff), (0x4e, 2, 0xffff), (0x60, 4, 0x8f8f8f8f), (0x69, 1, 0xfe),
          (0x6a, 2, 0x80fd), (0x70, 1, 0xef), (0x76, 2, 0x8f8f), (0x78, 2, 0xffff),
          (0x80, 1, 0x7f), (0x82, 1, 0x0f), (0xa0, 1, 0x1f), (0xa2, 2, 0x01ff),
          (0xa4, 4, 0xf000fffb), (0xa8, 1, 0xff), (0xaa, 2, 0x01ff), (0xac, 1, 0xff),
          (0xae, 1, 0xff)),
    PM: ((0x3c, 1, 0xff), (0x44, 4, 0xffffffff), (0x48, 4, 0x7fffffff), (0x4c, 4, 0x0fffffff),
         (0x50, 2, 0xffff), (0x52, 1, 0xff), (0x54, 4, 0xffffffff), (0x58, 4, 0x01ffffff),
         (0x5c, 4, 0xffffffff), (0x60, 4, 0xffffffff), (0x64, 4, 0xffffffff), (0x68, 2, 0xffff),
         (0x6a, 1, 0xff), (0x6c, 2, 0xffff), (0x6e, 1, 0xff), (0x70, 2, 0xffff), (0x72, 1, 0xff),
         (0x74, 4, 0xffffffff), (0x78, 4, 0xffffffff), (0x7c, 4, 0xffffffff), (0xd3, 1, 0xff),
         (0xd4, 1, 0xff), (0xd5, 1, 0xff)),
}
IDENTITY = ((0x00, 0xffffffff), (0x08, 0xffffffff), (0x0c, 0xffff0000), (0x2c, 0xffffffff),
            (0x30, 0xffffffff), (0x34, 0xffffffff))
# Halves of PAM registers by segment, and what each of them covers.
SEGMENTS = [(0x5a + i // 2, i % 2 * 4, 0xc0000 + i * 0x4000, 0x4000) for i in range(12)]
SEGMENTS.append((0x59, 4, 0xf0000, 0x10000))
READ, WRITE = 1, 2


def config(verb, function, at, value=""):
    return f"outl 0xcf8 {ENABLE | function | at & ~3:#x}; {verb} {DATA + at % 4:#x} {value}; "


def pm_at(base):
    return config("outl", PM, PMBA, base) + config("outb", PM, PMREGMISC, 1)


def smb_at(base):
    return (config("outl", PM, SMBBA, base) + config("outb", PM, SMBHSTCFG, 1)
            + config("outw", PM, 4, 1))


DIFFERENCES = (
    Difference("3.1, CONFADD",
               "Reserved bits are zeros, and so are the two below a register's; QEMU keeps them. "
               "The script writes zeros.",
               "outl 0xcf8 0xffffffff; inl 0xcf8",
               (0x80fffffc,), (0xffffffff,)),
    Difference("3.2.3, PCICMD",
               "Memory access and bus master are on, always, in the host bridge; QEMU starts with "
               "both off. Not compared, nor is the command register of the other two.",
               config("inw", HOST, 4) + config("outw", HOST, 4, 0) + config("inw", HOST, 4),
               (0x0006, 0x0006), (0x0000, 0x0000)),
    Difference("3.2.6, MLT",
               "The master's latency timer can be written; QEMU has none. Not compared.",
               config("outb", HOST, 0x0d, 0xff) + config("inb", HOST, 0x0d),
               (0xf8,), (0x00,)),
    Difference("3.2.11, PAM",
               "Bits 2, 3, 6 and 7 are reserved; QEMU keeps them. The script writes zeros.",
               config("outb", HOST, 0x5a, 0xff) + config("inb", HOST, 0x5a),
               (0x33,), (0xff,)),
    Difference("3.2.11, PAM",
               "Write only: writes reach memory and reads the bus. QEMU's memory is read as well. The "
               "script has no such segment.",
               config("outb", HOST, 0x5a, 0x02) + "writeb 0xc0000 0x55; readb 0xc0000; "
               + config("outb", HOST, 0x5a, 0x01) + "readb 0xc0000",
               (0xff, 0x55), (0x55, 0x55)),
    Difference("3.2.11, PAM",
               "Read only: writes go to the bus. What qtest writes, a CPU's write does not, "
               "reaches QEMU's memory. The script does not write there.",
               config("outb", HOST, 0x5a, 0x01) + "writeb 0xc0000 0x55; readb 0xc0000",
               (0x00,), (0x55,)),
    Difference("3.2.18, SMRAM",
               "The base is always A0000, and once D_LCK is set neither it nor D_OPEN can be "
               "written; QEMU has no lock. The script does not set it.",
               config("outb", HOST, 0x72, 0x58) + config("inb", HOST, 0x72)
               + config("outb", HOST, 0x72, 0x48) + config("inb", HOST, 0x72),
               (0x1a, 0x1a), (0x58, 0x48)),
    Difference("290550, PIRQRC",
               "Bits 4 to 6 are reserved; QEMU keeps them, and all others that are. The script "
               "writes zeros.",
               config("outb", ISA, 0x60, 0xff) + config("inb", ISA, 0x60),
               (0x8f,), (0xff,)),
    Difference("290550, RC",
               "Bits 0 and 3 to 7 are reserved in both; bit 2 reads as it was written, for a rise "
               "is what resets. QEMU's is never one. The script does not set it, for both reset.",
               "outb 0xcf9 0xfb; inb 0xcf9",
               (0x02,), (0x02,)),
    Difference("7.1, DEVACTB",
               "APMC_EN is set from the start, so that firmware does not look for SMIs; in QEMU "
               "it is where there are none. Not compared.",
               config("inb", PM, 0x5b),
               (0x02,), (0x00,)),
    Difference("7.1, PMBA",
               "The ports of the base are those of bits 6 to 15, and bits 16 to 31 are zeros; QEMU "
               "keeps what is written. The script writes zeros.",
               config("outl", PM, PMBA, 0xffffffff) + config("inl", PM, PMBA),
               (0x0000ffc1,), (0xffffffff,)),
    Difference("7.1, SMBBA",
               "It is 1 after reset, as PMBA; QEMU's SMBus host is at 0xb100 from the start. The "
               "script sets it.",
               config("inl", PM, SMBBA),
               (0x00000001,), (0x0000b101,)),
    Difference("ACPI 6.5, 4.8.3.1.1",
               "TMR_STS is set when the timer's top bit changes; QEMU's is set after reset. The "
               "script clears it first.",
               pm_at(0x600) + "inw 0x600",
               (0x0000,), (0x0001,)),
    Difference("ACPI 6.5, 4.8.3.1.2",
               "Reserved enable bits read as zeros; QEMU keeps them. The script writes zeros.",
               pm_at(0x600) + "outw 0x602 0xffff; inw 0x602",
               (0x0521,), (0xffff,)),
    Difference("7.2, SCI_EN",
               "Without it events make SMIs and no interrupt; QEMU interrupts. The script has it "
               "set while it looks at the line.",
               pm_at(0x600) + "outw 0x602 0x0001; outw 0x600 1; clock_step 2400000000; line 9",
               (0,), (1,)),
    Difference("290550, PIRQRC",
               "A line that others drive too stays high; all of QEMU's fall when a PIRQ is routed "
               "anew. The script then enables events again.",
               pm_at(0x600) + "outw 0x604 1; outw 0x602 1; outw 0x600 1; clock_step 2400000000; "
               "line 9; " + config("outb", ISA, 0x60, 0x0a) + "line 9",
               (1, 1), (1, 0)),
    Difference("7.2, GPSTS and GPEN",
               "They are there; QEMU has no ports between the timer and the end of the block. Not "
               "compared.",
               pm_at(0x600) + "outl 0x60c 0x0f010000; inl 0x60c",
               (0x0f010000,), (0xffffffff,)),
    Difference("7.3, SMBHSTSTS",
               "A transaction is over once it was started; QEMU's begins when the status is read. "
               "The script reads it twice.",
               smb_at(0x700) + "outb 0x704 0x81; outb 0x702 0x48; inb 0x700; inb 0x700",
               (0x04, 0x04), (0x01, 0x04)),
    Difference("nobody's data sheet",
               "Nothing is on the SMBus; QEMU has memories for modules at 0x50 and on. The script "
               "does not ask them.",
               smb_at(0x700) + "outb 0x704 0xa1; outb 0x702 0x48; inb 0x700; inb 0x700",
               (0x04, 0x04), (0x01, 0x02)),
    Difference("7.1, SMBBA",
               "The base is a multiple of 16; QEMU's registers are at one of 64. The script's is.",
               smb_at(0x710) + "outb 0x713 0x55; inb 0x713",
               (0x55,), (0x00,)),
)


class Model:
    """Where the guest has put things."""

    def __init__(self, rnd):
        self.rnd, self.script = rnd, Script()
        self.script.lines = False
        self.base, self.smb, self.pam = BASES[0], SMB_BASES[0], [0] * len(SEGMENTS)
        self.sci, self.enabled = False, 0

    def select(self, function, at):
        self.script.write("outl", ADDRESS, ENABLE | function | at & ~3)

    def put(self, function, at, size, value):
        self.select(function, at)
        self.script.write("out" + VERBS[size], DATA + at % 4, value)

    def get(self, function, at, size, mask):
        self.select(function, at)
        self.script.read("in" + VERBS[size], DATA + at % 4, mask)

    def begin(self):
        for function, registers in REGISTERS.items():
            for at, size, mask in registers:
                self.put(function, at, size, self.rnd.randrange(1 << 8 * size) & mask)
        self.move()
        self.script.write("outw", self.base, 0xffff)
        self.script.write("outw", self.base + 4, 0)
        self.enable(0)
        self.put(PM, SMBHSTCFG, 1, 1)
        self.put(PM, 4, 2, 1)

    def registers(self):
        """One is written, or a part of one is read."""
        function = self.rnd.choice(list(REGISTERS))
        at, size, mask = self.rnd.choice(REGISTERS[function])
        if self.rnd.random() < 0.4:
            self.put(function, at, size, self.rnd.randrange(1 << 8 * size) & mask)
            self.enable(self.enabled)
            return
        part = self.rnd.choice([part for part in VERBS if part <= size])
        offset = self.rnd.randrange(0, size, part)
        self.get(function, at + offset, part, mask >> 8 * offset & (1 << 8 * part) - 1)

    def identity(self):
        at, mask = self.rnd.choice(IDENTITY)
        self.get(self.rnd.choice([*REGISTERS, IDE]), at, 4, mask)

    def address(self):
        """As it reads back, and bytes of it that are the bus's."""
        self.select(self.rnd.randrange(1 << 16) << 8 & 0xffff00, self.rnd.randrange(256))
        if self.rnd.random() < 0.3:
            self.script.write("outb", ADDRESS + self.rnd.choice((0, 2, 3)), self.rnd.randrange(256))
        self.script.read("inl", ADDRESS, 0xffffffff)

    def nobody(self):
        """A function that neither has."""
        self.get(self.rnd.choice((0x1000, 0x8000, 0xf800, 0x10000, 0x0c00)), 0, 4, 0xffffffff)

    def shadow(self):
        """A segment's access is set, then segments are written and read where reads reach them."""
        rnd, script = self.rnd, self.script
        number = rnd.randrange(len(SEGMENTS))
        self.pam[number] = rnd.choice((0, READ, READ | WRITE, READ | WRITE))
        at = SEGMENTS[number][0]
        self.put(HOST, at, 1, sum(self.pam[i] << shift for i, (register, shift, _, _) in
                                  enumerate(SEGMENTS) if register == at))
        for _ in range(4):
            number = rnd.randrange(len(SEGMENTS))
            _, _, base, length = SEGMENTS[number]
            address = base + rnd.choice((0, length - 4, rnd.randrange(0, 64, 4)))
            if self.pam[number] & WRITE:
                script.writel(address, rnd.randrange(1 << 32))
            if self.pam[number] & READ:
                script.readl(address)

    def smram(self):
        """Opened, used, closed."""
        address = 0xa0000 + self.rnd.randrange(0, 0x20000, 4)
        self.put(HOST, 0x72, 1, 0x4a)
        self.get(HOST, 0x72, 1, 0xff)
        if self.rnd.random() < 0.5:
            self.script.writel(address, self.rnd.randrange(1 << 32))
        self.script.readl(address)
        self.put(HOST, 0x72, 1, self.rnd.choice((0x02, 0x0a)))

    def move(self):
        self.base, self.smb = self.rnd.choice(BASES), self.rnd.choice(SMB_BASES)
        self.put(PM, PMBA, 4, self.base | 1)
        self.put(PM, PMREGMISC, 1, 1)
        self.put(PM, SMBBA, 4, self.smb | 1)
        self.get(PM, PMBA, 4, 0xffffffff)
        self.get(PM, SMBBA, 4, 0xffffffff)

    def write_pm(self):
        rnd, script = self.rnd, self.script
        choice = rnd.random()
        if choice < 0.4:
            bits = rnd.choice((TMR, TMR, 0, 0xffff, rnd.randrange(0x10000)))
            script.write("outw", self.base, bits)
        elif choice < 0.8:
            bits = rnd.choice((TMR, TMR, 0, rnd.randrange(0x10000) & ENABLES))
            self.enable(bits)
        else:
            value = rnd.randrange(0x10000) & CONTROLS
            script.write("outw", self.base + 4, value)
            self.sci = bool(value & SCI_EN)
        self.look()

    def enable(self, events):
        self.enabled = events
        self.script.write("outw", self.base + 2, events)

    def look(self):
        """At the line, where it means the same."""
        self.script.lines = self.sci
        self.script.read("inw", self.base + 2, 0xffff)
        self.script.lines = False

    def read_pm(self):
        at, verb, mask = self.rnd.choice(((0, "inw", 0xffff), (2, "inw", 0xffff),
                                          (4, "inw", CONTROLS), (8, "inl", 0xffffffff)))
        self.script.read(verb, self.base + at, mask)

    def wait(self):
        rnd = self.rnd
        self.script.wait(rnd.choice((1, 279, 280, 1000, rnd.randrange(10**6),
                                     rnd.randrange(HALF_NS), rnd.randrange(3 * HALF_NS))))
        self.look()

    def command(self):
        """The bytes of the SMI port, and what ACPI's two commands do."""
        rnd, script = self.rnd, self.script
        value = rnd.choice((ACPI_ENABLE, ACPI_DISABLE, rnd.randrange(256)))
        script.outb(0xb2, value)
        script.inb(0xb2)
        script.outb(0xb3, rnd.randrange(256))
        script.inb(0xb3)
        if value in (ACPI_ENABLE, ACPI_DISABLE):
            self.sci = value == ACPI_ENABLE
        script.read("inw", self.base + 4, CONTROLS)
        self.look()

    def smbus(self):
        """Registers, and a transaction that nobody answers."""
        rnd, script = self.rnd, self.script
        for at in rnd.sample((HSTCMD, HSTADD, HSTDAT0, HSTDAT1), 2):
            script.outb(self.smb + at, rnd.randrange(256))
            script.inb(self.smb + at)
        if rnd.random() < 0.5:
            script.outb(self.smb + HSTADD, rnd.randrange(0x10, 0xa0))
            script.outb(self.smb + HSTCNT, START | rnd.choice((0, 1, 2, 3)) << 2)
            script.inb(self.smb + HSTSTS, 0)
            script.inb(self.smb + HSTSTS, DEV_ERR)
        script.outb(self.smb + HSTSTS, 0xff)
        script.inb(self.smb + HSTSTS)

    def reset_register(self):
        self.script.outb(0xcf9, self.rnd.choice((0, 2)))
        self.script.inb(0xcf9)

    def any_step(self):
        steps = {self.registers: 30, self.identity: 4, self.address: 4, self.nobody: 2,
                 self.shadow: 14, self.smram: 4, self.move: 3, self.write_pm: 12, self.read_pm: 12,
                 self.wait: 8, self.command: 4, self.smbus: 6, self.reset_register: 2}
        self.rnd.choices(list(steps), list(steps.values()))[0]()


THEIR_START = STOP_PIT


def script(rnd, accesses):
    model = Model(rnd)
    model.begin()
    while model.script.accesses < accesses:
        model.any_step()
    return model.script
