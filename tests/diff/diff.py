#!/usr/bin/env python3
"""diff.py CASE REGISTERS: the same random register accesses for our device on its bench and for
QEMU's model of it, over QEMU's qtest protocol; every read must give the same. What is known to differ is
listed in the case, with the reason, and kept out of the script or of the comparison. Ends with 77
where there is no QEMU."""
# SPDX-License-Identifier: MIT
import random
import shutil
import subprocess
import sys

QEMU = "qemu-system-x86_64"
SEEDS, STEPS = range(24), 300


class Uart16550:
    """isa-serial of QEMU 7.2. Differences, ours being the data sheet's (PC16550D):
    - table I: MCR is 0 after reset; QEMU sets OUT2. The script writes it first.
    - table I leaves the divisor open; QEMU has 12. The script writes it first.
    - 8.8: in loopback the modem deltas and their interrupt work; in QEMU they do not. Deltas are
      masked, and the modem interrupt stays disabled.
    - 8.5: without bit 0 the other bits of an FCR write do not count; QEMU clears the FIFOs all the
      same. Such writes are left out.
    - Clearing a transmitter FIFO that is empty raises the THRE interrupt in QEMU; the data sheet
      has an interrupt only for becoming empty. The script disables interrupts after each FCR write.
    - RBR without a byte in it is not defined; such reads are not compared."""
    machine, device, region, base, port = "isapc", "uart16550", "bank", 0x3f8, True
    data, ier, fcr, lcr, mcr, lsr, msr = range(7)

    def script(self, rnd):
        steps = [("w", 3, 1, 0x83), ("w", 0, 1, 1), ("w", 1, 1, 0), ("w", 3, 1, 3), ("w", 4, 1, 8)]
        while len(steps) < STEPS:
            if rnd.random() < 0.5:
                steps += [("r", self.lcr, 1), ("r", self.lsr, 1), ("r", rnd.randrange(8), 1)]
            else:
                steps += self.write(rnd)
        return steps

    def write(self, rnd):
        register = rnd.choice((self.data, self.data, self.data, self.ier, self.ier, self.fcr,
                               self.lcr, self.mcr, self.mcr, 7))
        value = {
            self.ier: rnd.randrange(256) & ~0x08,
            self.fcr: rnd.choice((0x01, 0x41, 0x81, 0xc1, 0x03, 0x05, 0xc7, 0x00)),
            self.lcr: rnd.choice((0x03, 0x03, 0x03, 0x83, 0x1b, 0x07)),
            self.mcr: rnd.choice((0x10, 0x13, 0x1b, 0x0b, rnd.randrange(32))),
        }.get(register, rnd.randrange(256))
        steps = [("w", register, 1, value)]
        if register == self.fcr:
            steps += [("w", self.lcr, 1, 0x03), ("w", self.ier, 1, 0)]
        return steps

    def same(self, steps, at, ours, theirs):
        register = steps[at][1]
        if register == self.msr:
            return ours[at] & 0xf0 == theirs[at] & 0xf0
        if register == self.data:
            latch, ready = theirs[at - 2] & 0x80, theirs[at - 1] & 0x01
            return ours[at] == theirs[at] or not (latch or ready)
        return ours[at] == theirs[at]


class IoApic:
    """ioapic of QEMU 7.2. Differences: QEMU keeps the reserved bits of an entry and of the ID that
    are written, and so they are written as zeros."""
    machine, device, region, base, port = "q35", "ioapic", "bank", 0xfec00000, False

    def script(self, rnd):
        steps = []
        while len(steps) < STEPS:
            index = rnd.choice((0, 1, 2, 3, 0x10 + rnd.randrange(0x30), rnd.randrange(0x10, 0x40)))
            value = rnd.getrandbits(32) & (0x0f000000 if index == 0 else
                                           0xff000000 if index & 1 else 0x1ffff)
            steps.append(("w", 0, 4, index))
            if rnd.random() < 0.5:
                steps.append(("r", 0x10, 4))
            elif index == 0 or 0x10 <= index < 0x40:
                steps.append(("w", 0x10, 4, value))
            if rnd.random() < 0.2:
                steps.append(("r", 0, 4))
        return steps

    def same(self, steps, at, ours, theirs):
        # Registers that do not exist: ours are an open bus, QEMU's are zero.
        index = next(step[3] for step in reversed(steps[:at]) if step[:2] == ("w", 0))
        return ours[at] == theirs[at] or steps[at][1] == 0x10 and index == 3


CASES = {"uart16550": Uart16550(), "ioapic": IoApic()}


def run_ours(case, program, steps):
    text = "".join(" ".join([step[0], case.region] + [f"{number:x}" for number in step[1:]]) + "\n"
                   for step in steps)
    answer = subprocess.run([program, case.device], input=text, text=True, check=True, timeout=60,
                            stdout=subprocess.PIPE)
    return [None if line == "-" else int(line, 16) for line in answer.stdout.split()]


def command(case, step):
    kind = "b" if step[2] == 1 else "l"
    verb = ("in" if step[0] == "r" else "out") if case.port else \
        ("read" if step[0] == "r" else "write")
    return " ".join([verb + kind] + [f"{number:#x}" for number in (case.base + step[1], *step[3:])])


def run_qemu(case, steps):
    arguments = [QEMU, "-M", case.machine, "-accel", "tcg", "-S", "-qtest", "stdio", "-m", "16",
                 "-display", "none", "-serial", "null", "-monitor", "none"]
    values = []
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.DEVNULL) as qemu:
        for step in steps:
            qemu.stdin.write(command(case, step) + "\n")
            qemu.stdin.flush()
            line = qemu.stdout.readline()
            while line and not line.startswith("OK"):
                line = qemu.stdout.readline()
            assert line, "QEMU ended"
            words = line.split()
            values.append(int(words[1], 16) & ((1 << 8 * step[2]) - 1) if len(words) > 1 else None)
        qemu.kill()
    return values


def check(case, program, seed):
    steps = case.script(random.Random(seed))
    ours, theirs = run_ours(case, program, steps), run_qemu(case, steps)
    assert len(ours) == len(theirs) == len(steps)
    for at, step in enumerate(steps):
        if step[0] == "r" and not case.same(steps, at, ours, theirs):
            print(f"seed {seed}, step {at}: read of {step[1]:#x} gives {ours[at]:#x}, "
                  f"QEMU's {theirs[at]:#x}; before it:")
            for before in steps[max(0, at - 12):at]:
                print("  " + command(case, before))
            return False
    return True


def main():
    case, program = CASES[sys.argv[1]], sys.argv[2]
    if not shutil.which(QEMU):
        print(f"SKIP: there is no {QEMU}")
        return 77
    failed = [seed for seed in SEEDS if not check(case, program, seed)]
    print(f"{len(SEEDS) - len(failed)} of {len(SEEDS)} scripts read the same from both")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
