"""A 64 KiB ROM that prints `>` and then echoes what it reads from COM1; a `q` ends it with code 33."""
# SPDX-License-Identifier: MIT

START = bytes((
    0xBA, 0xFC, 0x03,  # 0000 mov dx, 3fch   MCR
    0xB0, 0x0B,        # 0003 mov al, 0bh    DTR, RTS, OUT2
    0xEE,              # 0005 out dx, al
    0xB3, 0x3E,        # 0006 mov bl, '>'
    0xEB, 0x12,        # 0008 jmp put
    # get:
    0xBA, 0xFD, 0x03,  # 000a mov dx, 3fdh   LSR
    0xEC,              # 000d in al, dx
    0xA8, 0x01,        # 000e test al, 1     data ready
    0x74, 0xFB,        # 0010 jz 000d
    0xBA, 0xF8, 0x03,  # 0012 mov dx, 3f8h   RBR
    0xEC,              # 0015 in al, dx
    0x3C, 0x71,        # 0016 cmp al, 'q'
    0x74, 0x12,        # 0018 je end
    0x88, 0xC3,        # 001a mov bl, al
    # put:
    0xBA, 0xFD, 0x03,  # 001c mov dx, 3fdh   LSR
    0xEC,              # 001f in al, dx
    0xA8, 0x20,        # 0020 test al, 20h   transmitter empty
    0x74, 0xFB,        # 0022 jz 001f
    0xBA, 0xF8, 0x03,  # 0024 mov dx, 3f8h   THR
    0x88, 0xD8,        # 0027 mov al, bl
    0xEE,              # 0029 out dx, al
    0xEB, 0xDE,        # 002a jmp get
    # end:
    0xB0, 0x10,        # 002c mov al, 10h    2 * 16 + 1 = 33
    0xBA, 0xF4, 0x00,  # 002e mov dx, 0f4h   debug-exit
    0xEE,              # 0031 out dx, al
    0xF4,              # 0032 hlt
    0xEB, 0xFD,        # 0033 jmp 0032
))
RESET = bytes((0xE9, 0x0D, 0x00))  # fff0 jmp 0000 (IP wraps at 64 KiB)
EXIT_CODE = 33


def write(path):
    """Writes the ROM; it is entered at its last 16 bytes (SDM vol. 3, 10.1.4)."""
    rom = bytearray(b"\xf4" * 65536)
    rom[0:len(START)] = START
    rom[0xFFF0:0xFFF0 + len(RESET)] = RESET
    with open(path, "wb") as out:
        out.write(rom)
