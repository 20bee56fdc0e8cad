"""i8042 and QEMU 7.2's pckbd with its PS/2 keyboard and mouse. References: IBM PS/2 Hardware
Interface Technical Reference, "Keyboard and Auxiliary Device Controller" and the commands of both
devices there; IBM PC/AT Technical Reference (1984), "Keyboard"."""
# SPDX-License-Identifier: MIT
from script import Difference, Script, input_event, watch_inputs

MACHINE = "isapc"
WATCHES = (watch_inputs("device[4]", {1}), watch_inputs("device[5]", {12}))
DATA, STATUS = 0x60, 0x64
STATUS_MASK = 0xf7  # all but bit 3
MODE_SYSTEM, KEYBOARD_OFF, AUX_OFF, TRANSLATE = 0x04, 0x10, 0x20, 0x40
TO_MOUSE = 0xd4
WITH_INPUT = True
KEYS = [*"abcdefghijklmnopqrstuvwxyz0123456789", *(f"f{n}" for n in range(1, 13)),
        *(f"kp_{n}" for n in range(10)), "kp_decimal", "kp_divide", "kp_multiply", "kp_subtract",
        "kp_add", "kp_enter", "num_lock", "ret", "esc", "backspace", "tab", "spc", "minus", "equal",
        "bracket_left", "bracket_right", "backslash", "semicolon", "apostrophe", "grave_accent",
        "comma", "dot", "slash", "caps_lock", "scroll_lock", "insert", "home", "pgup", "delete",
        "end", "pgdn", "right", "left", "down", "up", "less", "meta_l", "meta_r", "compose"]
NOT_IN_SET_3 = ("kp_divide", "kp_subtract")
HELD = ["ctrl", "shift", "alt", "ctrl_r", "shift_r", "alt_r"]
BUTTONS = ("left", "right", "middle", "side", "extra")
# Rates that ask for the wheel or for five buttons, after one that begins nothing, and what it is then.
def knock(*rates):
    return tuple((byte, 1) for rate in (40, *rates) for byte in (0xf3, rate)) + ((0xf2, 2),)


KNOCKS = knock(200, 100, 80), knock(200, 200, 80)
BEGIN = "outb 0x64 0xaa; skip inb 0x60; outb 0x64 0x60; outb 0x60 0x47; "
MOUSE, READ = "outb 0x64 0xd4; outb 0x60 {:#x}; skip inb 0x60; ", "inb 0x60; "
READ_2, READ_4 = READ * 2, READ * 4
DIFFERENCES = (
    Difference("Status register, bit 3",
               "It tells whether the last byte was a command; in QEMU it is 1. Not compared.",
               "outb 0x64 0xaa; skip inb 0x60; inb 0x64; outb 0x60 0xee; skip inb 0x60; "
               "inb 0x64",
               (0x1c, 0x14), (0x1c, 0x1c)),
    Difference("Controller command byte after power-on is the BIOS's",
               "Ours begins as a BIOS leaves it: tested, keyboard on and translated. The script "
               "writes it first.",
               "inb 0x64; outb 0x64 0x20; inb 0x60",
               (0x14, 0x65), (0x18, 0x03)),
    Difference("Controller command byte, bit 2",
               "It is the status register's system flag; not in QEMU. The script sets it.",
               BEGIN + "outb 0x64 0x60; outb 0x60 0x43; inb 0x64",
               (0x10,), (0x1c,)),
    Difference("Controller command byte, bit 0",
               "What the controller itself puts into the buffer interrupts with the keyboard off, "
               "too; not QEMU's. The line is not compared then.",
               BEGIN + "outb 0x64 0xad; outb 0x64 0x20; line 1",
               (1,), (0,)),
    Difference("Output port, bits 4 and 5",
               "They are the interrupts, whatever is written; QEMU's keep it. The script writes "
               "zeros.",
               BEGIN + "outb 0x64 0xd1; outb 0x60 0xff; outb 0x64 0xd0; inb 0x60",
               (0xcf,), (0xff,)),
    Difference("Controller commands",
               "0xdd and 0xdf, which move A20 in QEMU, are not among them, but 0xe0 and the RAM "
               "are. The script has those of both.",
               BEGIN +
               "outb 0x64 0x65; outb 0x60 0x5a; outb 0x64 0x25; inb 0x60; outb 0x64 0xd1; "
               "outb 0x60 0xcd; outb 0x64 0xdf; outb 0x64 0xd0; inb 0x60",
               (0x5a, 0xcd), (0xfe, 0xcf)),
    Difference("Output buffer",
               "A byte that is not read is not lost; QEMU's is overwritten by the next answer of "
               "the controller. The script reads each.",
               BEGIN + "outb 0x64 0x20; outb 0x64 0xa9; " + READ_2,
               (0x47, 0x00), (0x00, 0x00)),
    Difference("Auxiliary device and keyboard at once",
               "The order is nobody's word: ours empties the keyboard first. The script reads "
               "before it writes to the other.",
               BEGIN + "@key a 1; @key b 1; outb 0x64 0xd4; outb 0x60 0xf4; " + READ_4,
               (0x1e, 0x30, 0xfa, 0xfa), (0x1e, 0xfa, 0x30, 0x30)),
    Difference("Keyboard, answers",
               "They follow what is on its way; QEMU's go before it and replace older ones. The "
               "script reads first.",
               BEGIN + "@key a 1; outb 0x60 0xee; " + READ_2,
               (0x1e, 0xee), (0xee, 0x1e)),
    Difference("Keyboard, Enable", "It clears the buffer of the keyboard; not in QEMU.",
               BEGIN + "outb 0x64 0xad; @key a 1; outb 0x60 0xf4; " + READ_2,
               (0xfa, 0xfa), (0xfa, 0x1e)),
    Difference("Keyboard, Set Default",
               "It goes on scanning if it did before; QEMU's does in any case. The script enables "
               "it.",
               BEGIN + "outb 0x60 0xf5; skip inb 0x60; outb 0x60 0xf6; skip inb 0x60; @key a 1; "
               "inb 0x60",
               (0xfa,), (0x1e,)),
    Difference("Keyboard, Resend", "It sends the last byte again; QEMU has no such command.",
               BEGIN + "outb 0x60 0xee; skip inb 0x60; outb 0x60 0xfe; inb 0x60",
               (0xee,), (0xfe,)),
    Difference("Keyboard, commands 0xf7 to 0xfd",
               "They are for scan code set 3 and acknowledged; QEMU has 0xfa and 0xfc alone, and "
               "takes 0x00 for one.",
               BEGIN + "outb 0x60 0xf7; inb 0x60; outb 0x60 0x00; inb 0x60",
               (0xfa, 0xfe), (0xfe, 0xfa)),
    Difference("Keyboard, scan code set 3",
               "A key tells its release where its type says so, at first few do; all of QEMU's "
               "tell. The script makes all tell.",
               BEGIN + "outb 0x64 0x60; outb 0x60 0x07; outb 0x60 0xf0; skip inb 0x60; "
               "outb 0x60 3; skip inb 0x60; @key esc 1; @key esc 0; " + READ_2,
               (0x08, 0x08), (0x08, 0xf0)),
    Difference("Keyboard, Set/Reset Status Indicators",
               "A command in place of the option byte ends it; QEMU takes any byte. The script "
               "has options.",
               BEGIN + "outb 0x60 0xed; skip inb 0x60; outb 0x60 0xee; inb 0x60",
               (0xee,), (0xfa,)),
    Difference("Keyboard, Print Screen with Alt",
               "It is the code 0x84; QEMU lets Alt go and come again before it. The script holds "
               "no Alt with it.",
               BEGIN + "@key alt 1; skip inb 0x60; @key print 1; " + READ_2,
               (0x54, 0x54), (0xb8, 0x38)),
    Difference("Mouse, defaults",
               "The resolution is 4 counts per mm from power-on; QEMU's is 1 until Set Default. "
               "The script sends that first.",
               BEGIN + MOUSE.format(0xe9) + "skip inb 0x60; inb 0x60",
               (0x02,), (0x00,)),
    Difference("Mouse, Read Data",
               "A coordinate has nine bits; QEMU's report seven. The script moves by less.",
               BEGIN + MOUSE.format(0xf4) + "@rel x 200; " + READ_4,
               (0x08, 0xc8, 0x00, 0x00), (0x08, 0x7f, 0x00, 0x08)),
    Difference("Keyboard, scan code set 3, table",
               "The keypad's / and - are 0x77 and 0x84, which systems' tables have as well; QEMU's "
               "are 0x4a and 0x4e. The script has other keys in that set.",
               BEGIN + "outb 0x64 0x60; outb 0x60 0x07; outb 0x60 0xf0; skip inb 0x60; "
               "outb 0x60 3; skip inb 0x60; @key kp_divide 1; inb 0x60; @key kp_subtract 1; "
               "inb 0x60",
               (0x77, 0x84), (0x4a, 0x4e)),
    Difference("Mouse, Set Scaling 2:1",
               "Fast moves are reported as twice as much; not by QEMU. The script moves with 1:1.",
               BEGIN + MOUSE.format(0xe7) + MOUSE.format(0xf4) + "@rel x 20; " + READ_2,
               (0x08, 40), (0x08, 20)),
    Difference("Mouse, stream mode",
               "Only what has changed is reported; QEMU sends a report for no movement.",
               BEGIN + MOUSE.format(0xf4) + "@rel x 0; inb 0x64",
               (0x14,), (0x3d,)),
    Difference("Mouse, Status Request", "It tells the buttons; QEMU's does not.",
               BEGIN + MOUSE.format(0xf4) +
               "@btn left 1; skip inb 0x60; skip inb 0x60; skip inb 0x60; " + MOUSE.format(0xe9) +
               READ,
               (0x24,), (0x20,)),
    Difference("Mouse, invalid commands",
               "They are answered with Resend; in QEMU not at all. The script has none.",
               BEGIN + "outb 0x64 0xd4; outb 0x60 0xe5; inb 0x60",
               (0xfe,), (0x55,)),
    Difference("Mouse, Set Resolution", "It has two bits; QEMU keeps what is written.",
               BEGIN + MOUSE.format(0xe8) + MOUSE.format(0x7f) + MOUSE.format(0xe9) +
               "skip inb 0x60; inb 0x60",
               (0x03,), (0x7f,)),
)


def command(text):
    """`@KIND WHAT VALUE` of a difference: `key a 1`, `btn left 0`, `rel x 5`."""
    kind, what, value = text.split()
    if kind == "key":
        event = input_event(kind, down=bool(int(value)), key={"type": "qcode", "data": what})
    elif kind == "btn":
        event = input_event(kind, down=bool(int(value)), button=what)
    else:
        event = input_event(kind, axis=what, value=int(value))
    return event, event


class Model:
    """The mode, which says when interrupts are alike."""

    def __init__(self, rnd):
        self.rnd, self.script = rnd, Script()
        self.mode, self.set, self.has_five = MODE_SYSTEM, 2, False

    def status(self):
        self.script.inb(STATUS, STATUS_MASK)

    def take(self, count):
        for _ in range(count):
            self.status()
            self.script.inb(DATA)
        self.status()

    def command(self, value, *arguments):
        self.script.outb(STATUS, value)
        for argument in arguments:
            self.script.outb(DATA, argument)

    def follow_mode(self, off, on=0):
        self.mode = self.mode & ~off | on
        self.script.lines = not self.mode & KEYBOARD_OFF

    def set_mode(self, mode):
        self.script.outb(STATUS, 0x60)
        self.follow_mode(0xff, mode | MODE_SYSTEM)
        self.script.outb(DATA, self.mode)

    def disable(self):
        value, off, on = self.rnd.choice(((0xa7, 0, AUX_OFF), (0xa8, AUX_OFF, 0),
                                          (0xad, 0, KEYBOARD_OFF), (0xae, KEYBOARD_OFF, 0)))
        self.follow_mode(off, on)
        self.command(value)

    def names(self):
        """Keys whose codes are alike in the scan code set."""
        return [key for key in KEYS if self.set != 3 or key not in NOT_IN_SET_3]

    def to_keyboard(self, byte):
        self.set = 2 if byte in (0xf5, 0xf6, 0xff) else self.set
        self.follow_mode(KEYBOARD_OFF)
        self.script.outb(DATA, byte)

    def to_mouse(self, byte):
        self.follow_mode(AUX_OFF)
        self.command(TO_MOUSE, byte)

    def begin(self):
        self.command(0xaa)
        self.take(1)
        self.set_mode(0x40)
        self.to_mouse(0xf6)
        self.take(1)

    def controller(self):
        rnd, choice = self.rnd, self.rnd.randrange(8)
        if choice == 0:
            self.set_mode(rnd.randrange(256) & 0x77)
        elif choice == 1:
            self.command(rnd.choice((0x20, 0xa9, 0xab, 0xaa, 0xc0, 0xd0)))
            self.take(1)
        elif choice == 2:
            self.command(rnd.choice((0xd2, 0xd3)), rnd.randrange(256))
            self.take(1)
        elif choice == 3:
            self.disable()
        elif choice == 4:
            self.command(0xd1, rnd.choice((0xcf, 0xcd, 0xcb, 0xc3)))
        else:
            self.take(rnd.randrange(2))

    def keyboard(self):
        """What is sent, each byte with the number of bytes that answer it."""
        rnd = self.rnd
        alternate = rnd.randrange(4)
        exchange = rnd.choice((
            ((0xed, 1), (rnd.randrange(8), 1)), ((0xee, 1),), ((0xf2, 3),), ((0xf4, 1),),
            ((0xf0, 1), (alternate, 1 if alternate else 2), (0xfa, 1)),
            ((0xf3, 1), (rnd.randrange(128), 1)), ((0xf5, 1),), ((0xf6, 1), (0xf4, 1)),
            ((0xff, 2),), ((0xef, 1),), ((0xf1, 1),)))
        self.transact(self.to_keyboard, exchange)
        if exchange[0][0] == 0xf0 and alternate:
            self.set = alternate

    def mouse(self):
        rnd = self.rnd
        echoed = rnd.choice([byte for byte in range(256) if byte not in (0xec, 0xff)])
        rate = rnd.choice((10, 20, 40, 60, 100, 200))
        exchange = rnd.choice((
            ((0xe6, 1),), ((0xe7, 1),), ((0xe8, 1), (rnd.randrange(4), 1)), ((0xe9, 4),),
            ((0xea, 1),), ((0xf0, 1),), ((0xeb, 5),), ((0xee, 1), (echoed, 1), (0xec, 1)),
            ((0xf2, 2),), ((0xf3, 1), (rate, 1)), ((0xf4, 1),), ((0xf5, 1),), ((0xf6, 1),),
            ((0xff, 3), (0xf6, 1)), *KNOCKS))
        self.transact(self.to_mouse, exchange)
        if exchange in KNOCKS or exchange[0][0] == 0xff:
            self.has_five = exchange == KNOCKS[1]

    def transact(self, write, exchange):
        for byte, answers in exchange:
            write(byte)
            self.take(answers)

    def press(self, key, down):
        self.script.event("key", down=down, key={"type": "qcode", "data": key})

    def keys(self):
        """Few enough that none is lost while they wait; a keyboard that is off loses all."""
        rnd = self.rnd
        self.to_keyboard(rnd.choice((0xf4, 0xf4, 0xf5)))
        self.take(1)
        last = rnd.choice((rnd.choice(self.names()), "pause", "print"))
        held = [key for key in HELD if not (last == "print" and key.startswith("alt"))]
        down = rnd.sample(held, rnd.randrange(3)) + [last]
        for key in down:
            self.press(key, True)
            if rnd.random() < 0.5:
                self.take(3)
        self.take(12)
        for key in rnd.sample(down, len(down)):
            self.press(key, False)
            self.take(7)
        self.to_keyboard(0xf4)
        self.take(1)

    def sweep(self):
        """Each key down and up, in one scan code set, translated or not."""
        self.set_mode(self.rnd.choice((0x01, TRANSLATE | 0x01)))
        chosen = self.rnd.choice((1, 2, 2, 3, 3))
        for byte in (0xf4, 0xf0, chosen, 0xfa):
            self.to_keyboard(byte)
            self.take(1)
        self.set = chosen
        for key in self.names() + HELD:
            self.press(key, True)
            self.take(2)
            self.press(key, False)
            self.take(3)

    def moves(self):
        rnd, is_remote = self.rnd, self.rnd.random() < 0.3
        for byte in (0xe6, 0xf0 if is_remote else 0xea, 0xf4):
            self.to_mouse(byte)
            self.take(1)
        for _ in range(rnd.randrange(1, 4)):
            self.script.event("rel", axis=rnd.choice("xy"),
                              value=rnd.choice((-1, 1)) * rnd.randrange(1, 128))
            if is_remote:
                self.to_mouse(0xeb)
            self.take(5)
            button = rnd.choice(BUTTONS if self.has_five else BUTTONS[:3])
            for level in (True, False):
                self.script.event("btn", button=button, down=level)
                self.take(5)
        self.to_mouse(0xf5)
        self.take(1)


def script(rnd, accesses):
    model = Model(rnd)
    model.begin()
    model.sweep()
    kinds = (model.controller, model.keyboard, model.mouse, model.keys, model.moves)
    while model.script.accesses < accesses:
        rnd.choices(kinds, (15, 15, 15, 1, 1))[0]()
    return model.script
