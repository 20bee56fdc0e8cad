"""port92 and QEMU 7.2's. Reference: Intel 82371SB (PIIX3) data sheet, "Port 92 register". What the A20
gate does is core's; here it is looked at through 1 MiB."""
# SPDX-License-Identifier: MIT
from script import Difference, Script, watch_inputs

MACHINE = "pc"
WATCHES = (watch_inputs("device[6]", set()),)
PORT, A20 = 0x92, 0x02
DATA, COMMAND = 0x60, 0x64

DIFFERENCES = (
    Difference("Port 92 register, bits 7 to 2",
               "They are reserved and read as zeros; QEMU keeps what is written. The script writes "
               "zeros.",
               "outb 0x92 0xfe; inb 0x92",
               (0x02,), (0xfe,)),
)


def script(rnd, accesses):
    made = Script()
    while made.accesses < accesses:
        made.outb(PORT, rnd.choice((0, A20)))
        for _ in range(rnd.randrange(3)):
            made.inb(PORT)
    return made
