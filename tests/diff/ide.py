"""piix3-ide with ata-disk and atapi-cd, and QEMU 7.2's piix3-ide, ide-hd and ide-cd. References:
ATA/ATAPI-7, whose sections (of volume 2) these are where nothing else is said; Intel 82371SB data
sheet (290550); SFF-8038i; MMC-3."""
# SPDX-License-Identifier: MIT
from script import Difference, STOP_PIT, Script, watch_inputs

MACHINE = ("pc -drive if=ide,index=0,format=raw,file={floppy} "
           "-drive if=ide,index=2,media=cdrom,format=raw,readonly=on,file={rom}")
PROFILE = "ide.yaml"
WATCHES = (watch_inputs("device[7]", {14, 15}),)
THEIR_START = STOP_PIT
DISK, CD = (0x1f0, 0x3f6, 0xc000), (0x170, 0x376, 0xc008)
SECTORS, SECTOR, BLOCKS, BLOCK = 2880, 512, 32, 2048
ERROR, COUNT, LOW, MID, HIGH, DEVICE, STATUS = range(1, 8)
BSY, DSC, DRQ = 0x80, 0x10, 0x08
STATUS_MASK = 0xff & ~DSC  # a bit that ATA/ATAPI-4 has made obsolete
TABLE, MEMORY = 0x200000, 0x300000
ON = ("outl 0xcf8 0x80000940; outl 0xcfc 0x80008000; outl 0xcf8 0x80000920; outl 0xcfc 0xc001; "
      "outl 0xcf8 0x80000904; outl 0xcfc 0x5; ")
IDLE_DISK, IDLE_CD = "until 0x80 inb 0x3f6; ", "until 0x80 inb 0x376; "


def command(base, code, count=0, lba=0, features=0, device=0xe0):
    values = (features, count, lba & 0xff, lba >> 8 & 0xff, lba >> 16 & 0xff, device | lba >> 24,
              code)
    return "".join(f"outb {base + 1 + i:#x} {value:#x}; " for i, value in enumerate(values))


def packet(*values, limit=BLOCK, features=0):
    """A packet for the CD drive."""
    padded = [*values, *[0] * (12 - len(values))]
    return (command(CD[0], 0xa0, lba=limit << 8, features=features) + IDLE_CD + "".join(
        f"outw 0x170 {padded[i] | padded[i + 1] << 8:#x}; " for i in range(0, 12, 2)) + IDLE_CD)


def table(*regions):
    """A descriptor table, and its start for a read."""
    return "".join(f"writel {TABLE + 8 * i:#x} {address:#x}; writel {TABLE + 8 * i + 4:#x} "
                   f"{length | (1 << 31 if i + 1 == len(regions) else 0):#x}; "
                   for i, (address, length) in enumerate(regions)) + (
        f"outl 0xc004 {TABLE:#x}; outb 0xc000 8; outb 0xc002 6; outb 0xc000 9; ")


SKIP_SECTOR = 256 * "skip inw 0x1f0; "
HEARD = packet(0x00)  # of the reset
SENSE = packet(0x03, 0, 0, 0, 18) + "skip inw 0x170; inw 0x170; " + 4 * "skip inw 0x170; " + (
    "inw 0x170; ") + 2 * "skip inw 0x170; "
CLEAN = ON + HEARD + packet(0x03, 0, 0, 0, 18) + 9 * "skip inw 0x170; "
DIFFERENCES = (
    Difference("82371SB, 2.3.8, IDETIM",
               "A channel that is not decoded does not answer; QEMU's always does. The script has "
               "it decoded.",
               ON + "inb 0x1f7; outl 0xcf8 0x80000940; outl 0xcfc 0x80000000; inb 0x1f7",
               (0x50, 0xff), (0x50, 0x50)),
    Difference("82371SB, 2.6",
               "Reserved ports of the bus master are zeros; QEMU's are ones. Not read.",
               ON + "inb 0xc001; inb 0xc003",
               (0x00, 0x00), (0xff, 0xff)),
    Difference("82371SB, 2.6.2, bit 1",
               "Addresses that are no memory are an error; QEMU's go unnoticed. The script has "
               "memory.",
               ON + command(DISK[0], 0xc8, 1) + table((0xfff00000, 512)) +
               "until 0x88 inb 0x3f6; inb 0xc002",
               (0x06,), (0x04,)),
    Difference("SFF-8038i, 3.1",
               "After a table that is too short the drive still waits for the rest; QEMU's has "
               "ended. The script's are long enough.",
               ON + command(DISK[0], 0xc8, 2) + table((MEMORY, 512)) + IDLE_DISK +
               "inb 0x3f6; inb 0xc002",
               (0x58, 0x00), (0x50, 0x00)),
    Difference("5.2.9, INTRQ",
               "nIEN hides an interrupt that is pending; QEMU's never is. The script has it zero.",
               ON + "outb 0x3f6 2; " + command(DISK[0], 0xe5) + IDLE_DISK +
               "line 14; outb 0x3f6 0; line 14",
               (0, 1), (0, 0)),
    Difference("7.15.6.4, obsolete",
               "Bit 4 of the status stays as it was; QEMU's goes with some errors. Not compared.",
               ON + command(DISK[0], 0x00) + IDLE_DISK + "inb 0x1f7",
               (0x51,), (0x41,)),
    Difference("ATA-3, 7.22",
               "After a transfer the registers have its last sector; QEMU's have the next one. Not "
               "compared.",
               ON + command(DISK[0], 0x20, 1, 5) + IDLE_DISK + SKIP_SECTOR + "inb 0x1f2; inb 0x1f3",
               (0, 5), (0, 6)),
    Difference("volume 1, 6.31",
               "READ MULTIPLE is off until it is set; QEMU begins with 16. The script sets it "
               "first.",
               ON + command(DISK[0], 0xc4, 1) + IDLE_DISK + "inb 0x1f7; inb 0x1f1",
               (0x51, 0x04), (0x58, 0x00)),
    Difference("volume 1, 6.34",
               "What is not there is not found; QEMU aborts. The error is not compared.",
               ON + command(DISK[0], 0x20, 1, SECTORS) + IDLE_DISK + "inb 0x1f1",
               (0x10,), (0x04,)),
    Difference("volume 1, 6.65",
               "A write beyond the end fails before its data; QEMU's takes them first. The script "
               "does not write there, and there is no DMA.",
               ON + command(DISK[0], 0x30, 1, SECTORS) + IDLE_DISK + "inb 0x3f6",
               (0x51,), (0x58,)),
    Difference("volume 1, 6.8",
               "CHECK POWER MODE tells standby; QEMU's disk is always active. Not in the script.",
               ON + command(DISK[0], 0xe0) + IDLE_DISK + command(DISK[0], 0xe5) + IDLE_DISK +
               "inb 0x1f2",
               (0x00,), (0xff,)),
    Difference("volume 1, 6.53",
               "Only a reset ends sleep; QEMU's does not sleep. Not in the script.",
               ON + command(DISK[0], 0xe6) + IDLE_DISK + command(DISK[0], 0xec) + IDLE_DISK +
               "inb 0x3f6",
               (0x50,), (0x58,)),
    Difference("volume 1, 6.48",
               "Features that IDENTIFY does not tell of are aborted; QEMU accepts acoustic "
               "management. Not in the script.",
               ON + command(DISK[0], 0xef, 0xfe, 0, 0x42) + IDLE_DISK + "inb 0x1f1",
               (0x04,), (0x00,)),
    Difference("ATA-3, 7.22",
               "Sectors of a track count from 1; QEMU has a sector 0. The script has no CHS "
               "addresses.",
               ON + command(DISK[0], 0x20, 1, 1 << 8, device=0xa0) + IDLE_DISK + "inb 0x1f1",
               (0x10,), (0x00,)),
    Difference("MMC-3, 4.1.6; SPC-2, 5.6.7",
               "The first command after power-on hears of it; QEMU's does not. The script asks for "
               "it at its start.",
               ON + packet(0x00) + "inb 0x177; " + SENSE,
               (0x51, 0x0006, 0x0029), (0x50, 0x0000, 0x0000)),
    Difference("SPC-2, 7.20",
               "Sense data last until the next command; QEMU's last longer. The script asks after "
               "what has failed.",
               CLEAN + packet(0x01) + packet(0x00) + SENSE,
               (0x0000, 0x0000), (0x0005, 0x0020)),
    Difference("MMC-3, table 219",
               "The lead-out has the control bits of the last track; QEMU has others. Not "
               "compared.",
               CLEAN + packet(0x43, 0, 0, 0, 0, 0, 0xaa, 0, 100) + 2 * "skip inw 0x170; " +
               "inw 0x170",
               (0x1400,), (0x1600,)),
    Difference("MMC-3, 5.23.3",
               "The session's first track is told; QEMU has zeros. Not compared.",
               CLEAN + packet(0x43, 0, 0, 0, 0, 0, 0, 0, 12, 0x40) + 2 * "skip inw 0x170; " +
               "inw 0x170; inw 0x170",
               (0x1400, 0x0001), (0x0000, 0x0000)),
    Difference("MMC-3, 5.2.1",
               "All features are told; QEMU has the list of profiles. Not in the script.",
               CLEAN + packet(0x46, 0, 0, 0, 0, 0, 0, 0, 100) + "inb 0x174",
               (0x40,), (0x14,)),
)


class Model:
    """Both drives, idle between the steps."""

    def __init__(self, rnd):
        self.rnd, self.script, self.multiple = rnd, Script(), 16
        self.script.lines = False
        for line in ON.split("; ")[:-1]:
            self.script.both(line)
        for drive in (DISK, CD):
            self.script.outb(drive[1], 0)
        self.run(DISK, 0xc6, count=16)
        self.end(DISK)
        self.packet([0x03, 0, 0, 0, 18], 18, ())  # ours tells of its reset

    # The protocols.

    def settle(self, drive):
        self.script.both(f"until {BSY:#x} inb {drive[1]:#x}")

    def run(self, drive, code, count=0, lba=0, features=0, device=0xe0):
        for line in command(drive[0], code, count, lba, features, device).split("; ")[:-1]:
            self.script.both(line)
            self.script.accesses += 1
        self.settle(drive)

    def run_ext(self, code, count, lba):
        for reg, value in ((COUNT, count >> 8), (LOW, lba >> 24 & 0xff), (MID, 0), (HIGH, 0)):
            self.script.outb(DISK[0] + reg, value)
        self.run(DISK, code, count & 0xff, lba & 0xffffff)

    def look(self, drive):
        """The status of a drive that is not busy, and the lines."""
        self.settle(drive)
        self.script.lines = True
        self.script.inb(drive[1], STATUS_MASK)
        self.script.lines = False

    def end(self, drive, status=STATUS_MASK, error=0xff):
        """What the command left."""
        self.look(drive)
        self.script.inb(drive[0] + STATUS, status)
        self.script.inb(drive[0] + ERROR, error)

    def read_data(self, drive, count, words=None):
        """So many bytes, or of them the words of a set."""
        for word in range(count // 2):
            self.script.read("inw", drive[0], 0xffff if words is None or word in words else 0)

    def write_data(self, drive, count):
        for _ in range(count // 2):
            self.script.write("outw", drive[0], self.rnd.randrange(1 << 16))

    # The disk.

    def span(self, most):
        count = self.rnd.randrange(1, most + 1)
        return self.rnd.randrange(SECTORS - count + 1), count

    def pio(self):
        lba, count = self.span(6)
        write, ext, multiple = (self.rnd.random() < 0.5 for _ in range(3))
        code = {(False, False, False): 0x20, (False, True, False): 0x24,
                (False, False, True): 0xc4, (False, True, True): 0x29,
                (True, False, False): 0x30, (True, True, False): 0x34,
                (True, False, True): 0xc5, (True, True, True): 0x39}[write, ext, multiple]
        if ext:
            self.run_ext(code, count, lba)
        else:
            self.run(DISK, code, count, lba)
        while count:
            block = min(count, self.multiple if multiple else 1)
            self.look(DISK)
            self.script.inb(DISK[0] + STATUS, STATUS_MASK)
            (self.write_data if write else self.read_data)(DISK, block * SECTOR)
            count -= block
        self.end(DISK)

    def regions(self, count):
        """A descriptor table for so many bytes; returns where they are."""
        parts, left = [], count
        while left:
            part = min(left, self.rnd.choice((2, 512, 1024, 65536, self.rnd.randrange(1, 999) * 2)))
            parts.append((MEMORY + (len(parts) * 3 % 8 << 16) + self.rnd.randrange(99) * 2, part))
            left -= part
        for at, (address, part) in enumerate(parts):
            self.script.writel(TABLE + 8 * at, address)
            self.script.writel(TABLE + 8 * at + 4,
                               part & 0xffff | (1 << 31 if at + 1 == len(parts) else 0))
        return parts

    def start_dma(self, drive, to_memory):
        self.script.outb(drive[2], 8 if to_memory else 0)
        self.script.outb(drive[2] + 2, 0x66)
        self.script.both(f"outl {drive[2] + 4:#x} {TABLE:#x}")
        self.script.outb(drive[2], 9 if to_memory else 1)

    def end_dma(self, drive):
        self.script.both(f"until {BSY | DRQ:#x} inb {drive[1]:#x}")
        self.script.inb(drive[2] + 2)
        self.end(drive)
        self.script.inb(drive[2] + 2)
        self.script.outb(drive[2], 0)
        self.script.inb(drive[2] + 2)

    def dma(self):
        lba, count = self.span(80)
        write, ext = self.rnd.random() < 0.5, self.rnd.random() < 0.5
        parts = self.regions(count * SECTOR)
        spots = [address + self.rnd.randrange(max(1, part - 4)) & ~3 for address, part in parts]
        for spot in spots[:8] if write else ():
            self.script.writel(spot, self.rnd.randrange(1 << 32))
        code = ((0xc8, 0xca), (0x25, 0x35))[ext][write]
        if ext:
            self.run_ext(code, count, lba)
        else:
            self.run(DISK, code, count, lba)
        self.start_dma(DISK, not write)
        self.end_dma(DISK)
        for spot in spots[:20]:
            self.script.readl(spot)

    def identify(self):
        self.run(DISK, 0xec)
        self.script.inb(DISK[0] + STATUS, STATUS_MASK)
        self.read_data(DISK, SECTOR, {1, 3, 6, 54, 55, 56, 57, 58, 60, 61, 100, 101, 102, 103})
        self.end(DISK)

    def set_multiple(self):
        self.multiple = self.rnd.choice((2, 4, 8, 16))
        self.run(DISK, 0xc6, count=self.multiple)
        self.end(DISK)

    def plain(self):
        """Commands without data, of which both have the same idea."""
        code, count, features, lba = self.rnd.choice((
            (0x40, self.rnd.randrange(1, 99), 0, self.rnd.randrange(2000)), (0xe7, 0, 0, 0),
            (0xea, 0, 0, 0), (0x10, 0, 0, 0), (0x70, 0, 0, 5), (0xe1, 0, 0, 0), (0xe3, 0, 0, 0),
            (0xef, 0, 0x02, 0), (0xef, 0, 0xaa, 0), (0xef, 0, 0x55, 0), (0xef, 0x0c, 3, 0),
            (0xef, 0x22, 3, 0), (0xef, 0x45, 3, 0), (0xef, 0, 0xcc, 0), (0xef, 0, 0x99, 0),
            (0xb0, 0, 0xd8, 0xc24f00), (0xb0, 0, 0xda, 0xc24f00), (0xb0, 0, 0xda, 0),
            (0xb0, 1, 0xd5, 0xc24f77), (0xf8, 0, 0, 0), (0x00, 0, 0, 0), (0x08, 0, 0, 0),
            (0xa0, 0, 0, 0), (0xa1, 0, 0, 0), (0xf1, 0, 0, 0), (0xff, 0, 0, 0),
            (0xc6, 3, 0, 0), (0xc6, 32, 0, 0)))
        self.run(DISK, code, count, lba, features)
        self.end(DISK)
        if code == 0xf8:
            for reg in (LOW, MID, HIGH, DEVICE):
                self.script.inb(DISK[0] + reg)

    def beyond(self):
        """What lies beyond the end."""
        self.run(DISK, 0x20, 1,
                 self.rnd.choice((SECTORS, SECTORS + 1, 0xfffffff)))
        self.end(DISK, error=0)

    def smart(self):
        self.run(DISK, 0xb0, 1, 0xc24f00, self.rnd.choice((0xd0, 0xd1)))
        self.script.inb(DISK[0] + STATUS, STATUS_MASK)
        self.read_data(DISK, SECTOR, ())
        self.end(DISK)

    def registers(self):
        """The task file remembers one value before."""
        drive, reg = self.rnd.choice((DISK, CD)), self.rnd.choice((COUNT, LOW, MID, HIGH))
        self.script.outb(drive[0] + reg, self.rnd.randrange(256))
        self.script.outb(drive[0] + reg, self.rnd.randrange(256))
        self.script.inb(drive[0] + reg)
        self.script.outb(drive[1], 0x80)
        self.script.inb(drive[0] + reg)
        self.script.outb(drive[1], 0)
        self.script.outb(drive[0] + DEVICE, self.rnd.randrange(256))
        self.script.inb(drive[0] + DEVICE)
        self.script.inb(drive[1], STATUS_MASK)
        self.script.outb(drive[0] + DEVICE, 0xa0)

    def masters(self):
        drive = self.rnd.choice((DISK, CD))
        self.script.both(f"outl {drive[2] + 4:#x} {self.rnd.randrange(1 << 32):#x}")
        self.script.read("inl", drive[2] + 4, 0xffffffff)
        self.script.outb(drive[2] + 2, self.rnd.randrange(256))
        self.script.inb(drive[2] + 2)
        self.script.outb(drive[2], self.rnd.randrange(256) & ~1)
        self.script.inb(drive[2])

    def reset(self):
        drive = self.rnd.choice((DISK, CD))
        if self.rnd.random() < 0.5:
            self.script.both(f"outb {drive[1]:#x} 4")
            self.script.both(f"outb {drive[1]:#x} 0")
        else:
            self.script.both(f"outb {drive[0] + STATUS:#x} 0x90")
        self.settle(drive)
        for reg in (ERROR, COUNT, LOW, MID, HIGH, DEVICE):
            self.script.inb(drive[0] + reg)
        self.script.inb(drive[0] + STATUS, STATUS_MASK)

    # The disc.

    def packet(self, values, most, words=None, limit=BLOCK):
        """A packet, and the data it asks for: at most so many bytes, of them some words."""
        self.run(CD, 0xa0, lba=limit << 8)
        for at in range(0, 12, 2):
            pair = (values + 12 * [0])[at:at + 2]
            self.script.write("outw", CD[0], pair[0] | pair[1] << 8)
        self.settle(CD)
        while most:
            block = min(most, limit)
            self.script.inb(CD[0] + STATUS, STATUS_MASK)
            for reg in (COUNT, MID, HIGH):
                self.script.inb(CD[0] + reg)
            self.read_data(CD, block, words)
            self.settle(CD)
            most -= block
        self.end(CD)
        self.script.inb(CD[0] + COUNT)

    def disc(self):
        rnd = self.rnd
        block, count = rnd.randrange(20), rnd.randrange(1, 5)
        values, most, words, limit = rnd.choice((
            ([0x00], 0, None, BLOCK), ([0x25], 8, None, BLOCK),
            ([0x28, 0, 0, 0, 0, block, 0, 0, count], count * BLOCK, None,
             rnd.choice((BLOCK, 512, 1024))),
            ([0xa8, 0, 0, 0, 0, block, 0, 0, 0, count], count * BLOCK, None, BLOCK),
            ([0xbe, 0, 0, 0, 0, block, 0, 0, 1, 0x10], BLOCK, None, BLOCK),
            ([0x43, rnd.choice((0, 2)), 0, 0, 0, 0, 0, 0, 100], 20, set(range(10)) - {6}, BLOCK),
            ([0x43, 0, 0, 0, 0, 0, 0, 0, 12, 0x40], 12, {0, 1}, BLOCK),
            ([0x12, 0, 0, 0, 36], 36, {0, 1, 2}, BLOCK),
            ([0x1e], 0, None, BLOCK), ([0x2b, 0, 0, 0, 0, block], 0, None, BLOCK),
            ([0xbb], 0, None, BLOCK), ([0xa3], 0, None, BLOCK), ([0x01], 0, None, BLOCK)))
        self.packet(values, most, words, limit)
        if values[0] in (0xa3, 0x01):  # nobody's commands
            self.packet([0x03, 0, 0, 0, 18], 18, {1, 6})

    def disc_dma(self):
        block, count = self.rnd.randrange(8), self.rnd.randrange(1, 25)
        self.regions(count * BLOCK)
        self.run(CD, 0xa0, features=1)
        values = [0x28, 0, 0, 0, 0, block, 0, 0, count, 0, 0, 0]
        for at in range(0, 12, 2):
            self.script.write("outw", CD[0], values[at] | values[at + 1] << 8)
        self.start_dma(CD, True)
        self.end_dma(CD)

    def any_step(self):
        self.rnd.choice((self.pio, self.pio, self.dma, self.dma, self.identify, self.set_multiple,
                         *[self.plain] * 4, self.beyond, self.smart, self.registers, self.masters,
                         self.reset, *[self.disc] * 4, self.disc_dma))()


def script(rnd, accesses):
    model = Model(rnd)
    while model.script.accesses < accesses:
        model.any_step()
    return model.script
