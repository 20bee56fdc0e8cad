"""vga-isa and QEMU 7.2's isa-vga: registers, memory in each way that a guest can open it, the Bochs
interface. References: IBM PS/2 Hardware Interface Technical Reference, "Video Subsystem", whose
sections these are; "Bochs VBE display API"."""
# SPDX-License-Identifier: MIT
from script import Difference, STOP_PIT, Script, watch_inputs

MACHINE = "isapc -device isa-vga,vgamem_mb=16"
WATCHES = (watch_inputs("device[4]", {0}),)
THEIR_START = STOP_PIT
ATTRIBUTE, ATTRIBUTE_READ, OUTPUT, OUTPUT_READ = 0x3c0, 0x3c1, 0x3c2, 0x3cc
SEQUENCER, GRAPHICS, CRTC, STATUS_1 = 0x3c4, 0x3ce, 0x3d4, 0x3da
PEL_STATE, PEL_WRITE, PEL_DATA = 0x3c7, 0x3c8, 0x3c9
MAP_MASK, MEMORY_MODE, READ_MAP, MODE, MISC = 2, 4, 4, 5, 6
VBE_INDEX, VBE_DATA = 0x1ce, 0x1cf
ID, WIDTH, HEIGHT, DEPTH, ENABLE, BANK, VIRTUAL_WIDTH, VIRTUAL_HEIGHT, X, Y = range(10)
WINDOW, LINEAR = 0xa0000, 0xe0000000
CHAIN_4, NO_ODD_EVEN = 0x08, 0x04
NEAR = 96  # addresses, so that accesses meet
ENOUGH = 1100
LAST = {SEQUENCER: 4, GRAPHICS: 8, CRTC: 0x18}
BITS = {SEQUENCER: (0x03, 0x3d, 0x0f, 0x3f, 0x0e), CRTC: (0xff,) * 0x19,
        GRAPHICS: (0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff)}
SIZES = {1: "b", 2: "w", 4: "l", 8: "q"}


def registers(port, *values):
    """Commands that set an index port's registers: pairs."""
    return "".join(f"outw {port:#x} {index | value << 8:#x}; " for index, value in values)


def vbe(*pairs):
    return "".join(f"outw 0x1ce {index}; outw 0x1cf {value:#x}; " for index, value in pairs)


RAM_ON = "outb 0x3c2 0x67; "
PLANAR = (RAM_ON + registers(SEQUENCER, (2, 0x0f), (4, 0x06)) +
          registers(GRAPHICS, (0, 0), (1, 0), (3, 0), (4, 0), (5, 0), (6, 0x05), (8, 0xff)))
TEXT = (RAM_ON + registers(SEQUENCER, (2, 0x03), (4, 0x02)) +
        registers(GRAPHICS, (0, 0), (1, 0), (3, 0), (4, 0), (5, 0x10), (6, 0x0e), (8, 0xff)))
CHAINED = (RAM_ON + registers(SEQUENCER, (2, 0x0f), (4, 0x0e)) +
           registers(GRAPHICS, (0, 0), (1, 0), (3, 0), (4, 0), (5, 0x40), (6, 0x05), (8, 0xff)))
INDEXED = "outb {0:#x} {1:#x}; outb {0:#x}+1 {2:#x}; inb {0:#x}+1; "
DIFFERENCES = (
    Difference("Memory Mode Register, Chain 4",
               "The two lowest bits of an address choose the map, and are zeros in the map's "
               "address; QEMU shifts the others down. The script does not look at what one mode "
               "has written in another.",
               CHAINED + "writeb 0xa0004 0x55; " + PLANAR + "readb 0xa0004; readb 0xa0001",
               (0x55, 0x00), (0x00, 0x55)),
    Difference("Memory Mode Register, Odd/Even",
               "The same of the lowest bit.",
               TEXT + "writew 0xb8002 0x1f41; " + PLANAR + "readb 0xa0002; readb 0xa0001",
               (0x41, 0x00), (0x00, 0x41)),
    Difference("Memory Mode Register, Odd/Even",
               "Bit 2 rules writes, the graphics controller's mode register reads; in QEMU the "
               "latter rules both. The script has them agree.",
               TEXT + registers(SEQUENCER, (4, 0x06)) + "writeb 0xb8001 0x12; " + PLANAR +
               "readb 0xa0001",
               (0x12,), (0x00,)),
    Difference("Map Mask Register",
               "An even address writes maps 0 and 2 of the enabled ones; in QEMU read map select "
               "chooses one of both. The script has enabled maps 0 and 1.",
               TEXT + registers(SEQUENCER, (2, 0x0f)) + "writeb 0xb8000 0x34; " + PLANAR +
               registers(GRAPHICS, (4, 2)) + "readb 0xa0000",
               (0x34,), (0x00,)),
    Difference("Bit Mask Register",
               "It and all other logic holds in all modes; QEMU has none with odd/even and "
               "chain 4. The script has it in planar modes.",
               CHAINED + registers(GRAPHICS, (8, 0x0f)) + "writeb 0xa0000 0xff; readb 0xa0000",
               (0x0f,), (0xff,)),
    Difference("Graphics Mode Register, Read Mode",
               "Colours are compared in all modes; QEMU does so in planar ones. As above.",
               CHAINED + registers(GRAPHICS, (5, 0x48), (7, 0)) + "readb 0xa0000",
               (0xff,), (0x00,)),
    Difference("Graphics Controller",
               "Each read fills the latches; QEMU's with odd/even and chain 4 do not. As above.",
               PLANAR + "writeb 0xa0000 0x77; readb 0xa0001; " + TEXT + "readb 0xb8000; " +
               PLANAR + registers(GRAPHICS, (8, 0)) + "writeb 0xa0002 0; readb 0xa0002",
               (0x00, 0x77, 0x77), (0x00, 0x77, 0x00)),
    Difference("Miscellaneous Register, Memory Map",
               "A map has 64 KiB, so that the second half of 128 KiB is the first; QEMU goes on. "
               "The script stays in the first half.",
               PLANAR + registers(GRAPHICS, (6, 0x01)) + "writeb 0xa0000 0x5a; readb 0xb0000",
               (0x5a,), (0x00,)),
    Difference("Miscellaneous Output Register, Enable RAM",
               "The memory is closed without; QEMU's never is. The script has it open.",
               PLANAR + "writeb 0xa0000 0x5a; outb 0x3c2 0x65; readb 0xa0000",
               (0xff,), (0x5a,)),
    Difference("PEL Mask Register", "QEMU has none.",
               "inb 0x3c6; outb 0x3c6 0x55; inb 0x3c6",
               (0xff, 0x55), (0x00, 0x00)),
    Difference("Video DAC",
               "Colours have six bits a part; QEMU keeps eight. The others are not compared.",
               "outb 0x3c8 0; outb 0x3c9 0xff; outb 0x3c9 0; outb 0x3c9 0; outb 0x3c7 0; "
               "inb 0x3c9",
               (0x3f,), (0xff,)),
    Difference("Feature Control Register",
               "It has bit 3; QEMU's bit 4. Not compared.",
               RAM_ON + "outb 0x3da 0xff; inb 0x3ca",
               (0x08,), (0x10,)),
    Difference("Input Status Register 0",
               "A monitor is sensed; QEMU's reads zero. Not compared.",
               "inb 0x3c2",
               (0x10,), (0x00,)),
    Difference("Input Status Register 1",
               "It tells where the beam is, by time; QEMU's bits toggle with each read. Not "
               "compared.",
               RAM_ON + "inb 0x3da; inb 0x3da",
               (0x00, 0x00), (0x09, 0x00)),
    Difference("Video Subsystem Enable Register",
               "It reads as enabled; QEMU has none. Not compared.",
               "inb 0x3c3",
               (0x01,), (0x00,)),
    Difference("Sequencer Registers",
               "There are five; QEMU keeps one at 7 as well. The script has the five.",
               "outw 0x3c4 0xff07; inb 0x3c5",
               (0x00,), (0xff,)),
    Difference("CRT Controller Registers",
               "There are 25; QEMU keeps 256. The script has the 25.",
               RAM_ON + "outw 0x3d4 0x7f19; inb 0x3d5",
               (0x00,), (0x7f,)),
    Difference("Ports 0x3cb and 0x3cd",
               "Nobody answers; QEMU reads zero. The script does not read them.",
               "inb 0x3cb; inb 0x3cd",
               (0xff, 0xff), (0x00, 0x00)),
    Difference("Bochs VBE display API",
               "The largest mode is what a picture may have here. The script has smaller ones.",
               vbe((ENABLE, 2)) + "outw 0x1ce 1; inw 0x1cf; outw 0x1ce 2; inw 0x1cf",
               (4096, 4096), (16000, 12000)),
    Difference("Bochs VBE display API, enable",
               "Bits that mean nothing read as zero; QEMU keeps them. The script does not set "
               "them.",
               vbe((ENABLE, 0xff1c)) + "inw 0x1cf",
               (0x0000,), (0xff1c,)),
    Difference("Bochs VBE display API, bank",
               "Turning off chooses bank 0; QEMU's register keeps its number. The script chooses "
               "one after it has turned on.",
               vbe((ENABLE, 1), (BANK, 7), (ENABLE, 0), (BANK + 256, 0)) + "outw 0x1ce 5; "
               "inw 0x1cf",
               (0,), (7,)),
    Difference("Bochs VBE display API, offsets",
               "An offset that is too large becomes the largest; QEMU's X goes on in the next "
               "line, and a Y may be any within the memory up to 12000. The script has ones that fit.",
               vbe((WIDTH, 640), (HEIGHT, 480), (DEPTH, 8), (ENABLE, 1), (X, 8), (Y, 0xffff)) +
               "outw 0x1ce 8; inw 0x1cf; outw 0x1ce 9; inw 0x1cf",
               (0, 25734), (8, 12000)),
    Difference("Bochs VBE display API, virtual height",
               "What does not fit 16 bits is the largest that does; QEMU's is cut off. Not "
               "compared where that is so.",
               vbe((WIDTH, 8), (HEIGHT, 8), (DEPTH, 8), (ENABLE, 1)) + "outw 0x1ce 7; inw 0x1cf",
               (0xffff,), (0x0000,)),
    Difference("Bochs VBE display API, linear frame buffer",
               "It is the interface's modes'. In the VGA's own those words of the four maps that chain 4 uses "
               "follow each other there; QEMU has all in their order. The script looks at maps through the window.",
               PLANAR + "writeb 0xa0001 0x5a; readl 0xe0000004; readl 0xe0010000",
               (0x00, 0x5a5a5a5a), (0x5a5a5a5a, 0x00)),
    Difference("Bochs VBE display API",
               "The VGA's registers stay as they are; QEMU changes some. The script writes all of "
               "them before it goes on.",
               registers(GRAPHICS, (6, 0x00)) +
               vbe((WIDTH, 640), (HEIGHT, 480), (DEPTH, 8), (ENABLE, 1)) + "inb 0x3cf",
               (0x00,), (0x05,)),
)


class Model:
    """Episodes, each in one of the modes, which begin with registers that both sides agree on."""

    def __init__(self, rnd):
        self.rnd, self.script = rnd, Script()
        self.script.lines = False
        self.kept = {port: [0] * (last + 1) for port, last in LAST.items()}

    def set(self, port, index, value):
        self.script.write("outw", port, index | value << 8)
        self.kept[port][index] = value & BITS[port][index]

    def set_attribute(self, index, value):
        self.script.inb(STATUS_1, 0)
        self.script.outb(ATTRIBUTE, index)
        self.script.outb(ATTRIBUTE, value)

    def set_all(self):
        """All registers, so that it does not matter what they were."""
        rnd = self.rnd
        self.script.outb(OUTPUT, 0x67)
        self.set(CRTC, 0x11, rnd.randrange(128))
        for port, last in LAST.items():
            for index in range(last + 1):
                if (port, index) != (CRTC, 0x11):
                    self.set(port, index, rnd.randrange(256))
        for index in range(0x15):
            self.set_attribute(index, rnd.randrange(256))
        self.script.inb(STATUS_1, 0)

    # Registers

    def any_register(self):
        rnd, script, choice = self.rnd, self.script, self.rnd.random()
        port = rnd.choice((SEQUENCER, GRAPHICS, CRTC))
        index = rnd.randrange(LAST[port] + 1)
        if choice < 0.3:
            self.set(port, index, rnd.randrange(256))
        elif choice < 0.6:
            script.outb(port, index)
            script.inb(port)
            script.inb(port + 1)
        elif choice < 0.75:
            script.outb(ATTRIBUTE, rnd.randrange(256))
            script.inb(ATTRIBUTE)
            script.inb(ATTRIBUTE_READ)
        elif choice < 0.8:
            script.inb(STATUS_1, 0)
        elif choice < 0.85:
            script.outb(OUTPUT, rnd.randrange(256))
            script.inb(OUTPUT_READ)
            script.inb(CRTC)
            script.inb(CRTC - 0x20)
        else:
            self.any_pel()

    def any_pel(self):
        rnd, script, choice = self.rnd, self.script, self.rnd.random()
        if choice < 0.2:
            script.outb(rnd.choice((PEL_STATE, PEL_WRITE)), rnd.randrange(8))
        elif choice < 0.6:
            script.outb(PEL_DATA, rnd.randrange(256))
        elif choice < 0.9:
            script.inb(PEL_DATA, 0x3f)
        else:
            script.inb(PEL_STATE)
            script.inb(PEL_WRITE)

    # Memory

    def access(self, first, room):
        """A read or a write of any size near some address."""
        rnd, size = self.rnd, self.rnd.choice((1, 1, 1, 2, 4, 8))
        at = first + rnd.randrange(room - size + 1)
        if rnd.random() < 0.5:
            self.script.write("write" + SIZES[size], at, rnd.randrange(1 << 8 * size))
        else:
            self.script.read("read" + SIZES[size], at, (1 << 8 * size) - 1)

    def fill(self, first, count):
        for at in range(first, first + count, 8):
            self.script.write("writeq", at, self.rnd.randrange(1 << 64))

    def open(self, maps, memory_mode, mode, memory_map):
        """A mode without logic. Returns where the window is."""
        self.set(SEQUENCER, MAP_MASK, maps)
        self.set(SEQUENCER, MEMORY_MODE, memory_mode | 0x02)
        for index, value in ((0, 0), (1, 0), (3, 0), (4, 0), (MODE, mode), (8, 0xff),
                             (MISC, 0x01 | memory_map << 2)):
            self.set(GRAPHICS, index, value)
        return WINDOW + {0: 0, 1: 0, 2: 0x10000, 3: 0x18000}[memory_map]

    def look(self, at):
        """All maps."""
        self.set(GRAPHICS, MODE, self.kept[GRAPHICS][MODE] & 0x03)
        for number in range(4):
            self.set(GRAPHICS, READ_MAP, number)
            self.script.read("readb", at, 0xff)

    def planar(self, steps):
        rnd = self.rnd
        memory_map = rnd.randrange(4)
        first = self.open(0x0f, NO_ODD_EVEN, 0, memory_map)
        self.fill(first, NEAR)
        self.script.read("readb", first, 0xff)  # so that the latches are the same
        for _ in range(steps):
            choice = rnd.random()
            if choice < 0.15:
                index = rnd.choice((0, 1, 2, 3, 4, 7, 8))
                self.set(GRAPHICS, index, rnd.choice((0, 0xff, rnd.randrange(256))))
            elif choice < 0.22:
                self.set(GRAPHICS, MODE, rnd.randrange(4) | rnd.choice((0, 0, 0x08)))
            elif choice < 0.3:
                self.set(SEQUENCER, MAP_MASK, rnd.choice((0x0f, rnd.randrange(16))))
            elif choice < 0.4:
                self.look(first + rnd.randrange(NEAR))
            else:
                self.access(first, NEAR)

    def text(self, steps):
        first = self.open(0x03, 0, 0x10, self.rnd.choice((1, 2, 3)))
        self.fill(first, NEAR)
        for _ in range(steps):
            self.access(first, NEAR)

    def go_on(self, first):
        """Until ours is plain memory without a device."""
        for _ in range(ENOUGH):
            self.script.read("readb", first + self.rnd.randrange(NEAR), 0xff)

    def chained(self, steps):
        first = self.open(0x0f, NO_ODD_EVEN | CHAIN_4, 0x40, self.rnd.randrange(4))
        self.fill(first, NEAR)
        direct = self.rnd.random() < 0.1
        if direct:
            self.go_on(first)
        for _ in range(steps):
            if self.rnd.random() < (0.01 if direct else 0.1):
                self.set(SEQUENCER, MAP_MASK, self.rnd.randrange(16))
            self.access(first, NEAR)

    def outside(self, steps):
        """Where the window is not."""
        memory_map = self.rnd.choice((1, 2, 3))
        self.open(0x0f, NO_ODD_EVEN, 0, memory_map)
        for _ in range(steps):
            self.access(WINDOW + {1: 0x10000, 2: 0x18000, 3: 0x10000}[memory_map], 0x8000)

    # Bochs interface

    def set_vbe(self, index, value):
        self.script.write("outw", VBE_INDEX, index)
        self.script.write("outw", VBE_DATA, value)

    def read_vbe(self, indices):
        for index in indices:
            self.script.write("outw", VBE_INDEX, index)
            self.script.read("inw", VBE_DATA, 0xffff)

    def bochs(self, steps):
        rnd = self.rnd
        depth = rnd.choice((8, 15, 16, 24, 32, 32))
        width, height = rnd.randrange(256, 1400), rnd.randrange(1, 1000)
        self.set_vbe(ENABLE, 0)
        self.set_vbe(ID, rnd.choice((0xb0c5, 0xb0c0, rnd.randrange(65536))))
        self.set_vbe(WIDTH, width)
        self.set_vbe(HEIGHT, height)
        self.set_vbe(DEPTH, rnd.choice((depth, depth, rnd.randrange(1, 4))))
        self.read_vbe((ID, WIDTH, HEIGHT, DEPTH, ENABLE, rnd.randrange(10, 16)))
        self.set_vbe(ENABLE, 0x41 | rnd.choice((0, 0x80)) | rnd.choice((0, 0x20)))
        if rnd.random() < 0.5:
            self.set_vbe(VIRTUAL_WIDTH, rnd.randrange(width + 16, 2000))
            self.set_vbe(X, rnd.randrange(8))
        self.set_vbe(Y, rnd.randrange(100))
        self.set_vbe(BANK, rnd.randrange(512))
        self.read_vbe((ID, WIDTH, HEIGHT, DEPTH, ENABLE, BANK, VIRTUAL_WIDTH, VIRTUAL_HEIGHT, X, Y))
        self.set(SEQUENCER, MAP_MASK, 0x0f)
        bank = rnd.randrange(256)
        self.set_vbe(BANK, bank)
        self.fill(WINDOW, NEAR)
        if rnd.random() < 0.3:
            self.go_on(WINDOW)
        for _ in range(steps):
            self.access(*rnd.choice(((WINDOW, NEAR), (LINEAR + bank * 65536, NEAR))))
        self.set_vbe(ENABLE, 0)
        self.set_all()

    def any_episode(self):
        rnd, steps = self.rnd, self.rnd.randrange(20, 120)
        choice = rnd.random()
        if choice < 0.25:
            for _ in range(steps):
                self.any_register()
            self.script.outb(PEL_WRITE, 0)  # the parts begin anew
            self.set_all()
        elif choice < 0.6:
            self.planar(steps)
        elif choice < 0.95:
            rnd.choice((self.text, self.chained, self.outside))(steps)
        else:
            self.bochs(steps // 4)


def script(rnd, accesses):
    model = Model(rnd)
    model.set_all()
    while model.script.accesses < accesses:
        model.any_episode()
    return model.script
