#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The qtest protocol beside QEMU's, byte for byte, and what only ours does: qtest_protocol.py MILLWRIGHT.
Ends with 77 where there is no QEMU; then the rest has been tested."""
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))

from qmp import BOUND_S, Lines, Qmp, Qtest, connect  # noqa: E402

MILLWRIGHT = None
QEMU = shutil.which("qemu-system-x86_64")
PROFILE = os.path.join(HERE, "qtest.yaml")
DEBUG_EXIT = "outb 0xf4 3"

# Lines to which both must give the same answers. QEMU ends on many wrong ones: those are not here.
ISA = """\
endianness
endianness little
foo
foo bar
 outb 0x70 0
OUTB 0x80 0
rtas a b c
qtest-rtas
module_load a b
outb 0x3ff 0x15a
inb 0x3ff
inb 01777
inw 0x1333
inl 0x1333
outb 0x3ff 0 1
outb 0x3ff 0 
writeb 0x1000 0x12
writew 0x1001 0x1234
writel 0x1004 0x12345678
writeq 0x1008 0x123456789abcdef0
writeb 0x1010 0x1ff
writeb 0x1011 -1
writew 0x1012 0xabcdef
readb 0x1000
readb 0x1000 5
readw 0x1001
readl 0x1004
readq 0x1008
read 0x1000 0x20
read 0x1000 1
write 0x2000 4 0x01020304
read 0x2000 4
write 0x2000 4 0x0102
read 0x2000 4
write 0x2000 2 0xaabbccdd
read 0x2000 4
write 0x2000 2 01020304
read 0x2000 4
write 0x2000 4 0x12345
read 0x2000 4
write 0x2000 4 0xAbCdEf98
read 0x2000 4
write 0x2000 0 0x
write 0x2000 0 0x00
write 0x2000 4 0x
write 0x2000 4 zz
memset 0x2000 2 0x1ff
memset 0x2000 0 0xff
read 0x2000 4
b64write 0x2000 3 AQID
read 0x2000 4
b64write 0x2000 4 AQIDBA==
b64write 0x2000 3 AQIDBA==
b64write 0x2000 3 !!
b64write 0x2000 3 AQ
b64write 0x2000 2 A
b64read 0x2000 4
b64read 0x2000 1
b64read 0x2000 0
read 0x2000 64
irq_intercept_in nonsense
irq_intercept_in /machine/nonsense
irq_intercept_out nonsense
set_irq_in nonsense unnamed-gpio-in 0 1
"""
PC = """\
irq_intercept_in ioapic
irq_intercept_in ioapic
set_irq_in ioapic unnamed-gpio-in 3 1
set_irq_in ioapic unnamed-gpio-in 3 1
set_irq_in ioapic unnamed-gpio-in 3 0
outb 0x3fc 0x08
outb 0x3f9 0x02
inb 0x3fa
inb 0x3fa
outb 0x3f9 0x00
outb 0x3f9 0x02
outb 0x3f9 0x00
"""


class Machine(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.rom = os.path.join(self.folder.name, "rom")
        with open(self.rom, "wb") as out:
            out.write(bytes(range(256)) * 256)
        self.processes = []

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def start(self, command, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.DEVNULL)
        options.setdefault("stderr", subprocess.DEVNULL)
        process = subprocess.Popen(command, **options)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def command(self, *words):
        return [MILLWRIGHT, "run", PROFILE, "--set", f"firmware={self.rom}", *words]

    def piped(self, text, *words):
        """What lines on standard input are answered, all at once."""
        return subprocess.run(self.command("--qtest", "stdio", *words), input=text,
                              capture_output=True, timeout=BOUND_S, check=False)

    def ours(self, *words):
        """A client of a machine of ours that connects, as QEMU's library starts one."""
        path = self.path("q")
        client = Qtest.listen(path, lambda: setattr(
            self, "process", self.start(self.command("--qtest", "unix:" + path, *words))))
        self.addCleanup(client.close)
        return client


@unittest.skipUnless(QEMU, "qemu-system-x86_64 is not installed")
class BesideQemu(Machine):
    def compare(self, machine, text):
        path = self.path("qemu")
        theirs = Qtest.listen(path, lambda: self.start(
            [QEMU, "-M", machine, "-m", "16", "-accel", "tcg", "-S", "-display", "none",
             "-serial", "null", "-nodefaults", "-qtest", "unix:" + path, "-qtest-log", "/dev/null"]))
        self.addCleanup(theirs.close)
        ours = self.ours("--log", self.path("log"))
        for line in text.splitlines():
            answers = []
            for client in theirs, ours:
                client.irqs.clear()
                answers.append((client(line), list(client.irqs)))
            self.assertEqual(answers[1], answers[0], f"the second is QEMU's; after `{line}`")

    def test_ports_and_memory(self):
        self.compare("isapc", ISA)

    def test_lines(self):
        self.compare("pc", PC)


class Streams(Machine):
    def test_standard_streams(self):
        done = self.piped(b"endianness\ninb 0x3fa\n")
        self.assertEqual((done.returncode, done.stdout), (0, b"OK little\nOK 0x0001\n"))

    def test_accel_none_may_be_named(self):
        done = self.piped(b"endianness\n", "--accel", "none")
        self.assertEqual((done.returncode, done.stdout), (0, b"OK little\n"))

    def test_line_without_an_end_is_no_command(self):
        done = self.piped(b"endianness\nendian")
        self.assertEqual((done.returncode, done.stdout), (0, b"OK little\n"))

    def test_last_answer_comes_before_the_end(self):
        done = self.piped(DEBUG_EXIT.encode() + b"\nendianness\n")
        self.assertEqual((done.returncode, done.stdout), (7, b"OK\n"))

    def test_binary_garbage_survives(self):
        noise = bytes(range(256)).replace(b"\n", b"") * 40
        done = self.piped(noise + b"\n" + b"\n\n" + b"x" * 100000 + b"\nendianness\n")
        self.assertEqual(done.returncode, 0)
        lines = done.stdout.split(b"\n")
        self.assertEqual(len(lines), 6)
        self.assertTrue(all(line.startswith(b"FAIL Unknown command ") for line in lines[:4]))
        self.assertLess(max(map(len, lines)), 400)
        self.assertEqual(lines[4:], [b"OK little", b""])

    def test_server_takes_one_client_after_the_other(self):
        path = self.path("s")
        process = self.start(self.command("--qtest", path + ",server"))
        for number in range(3):
            client = Qtest(connect(path))
            self.assertEqual(client("outb 0x3ff %d" % number), "OK")
            self.assertEqual(client("inb 0x3ff"), "OK 0x%04x" % number)
            client.close()
        client = Qtest(connect(path))
        self.assertEqual(client("inb 0x3ff"), "OK 0x0002")
        process.terminate()
        self.assertEqual(process.wait(BOUND_S), 128 + signal.SIGTERM)
        self.assertFalse(os.path.exists(path))
        client.close()

    def test_client_that_leaves_ends_a_machine_that_connected(self):
        client = self.ours()
        self.assertEqual(client("endianness"), "OK little")
        client.close()
        self.assertEqual(self.process.wait(BOUND_S), 0)

    def test_signal_ends_a_machine_that_waits(self):
        client = self.ours()
        client("endianness")
        self.process.terminate()
        self.assertEqual(self.process.wait(BOUND_S), 128 + signal.SIGTERM)

    def test_large_ranges(self):
        client = self.ours()
        self.assertEqual(client("write 0x100000 0x400000 0x" + "a5" * 0x400000), "OK")
        self.assertEqual(client("read 0x100000 0x400000"), "OK 0x" + "a5" * 0x400000)
        self.assertTrue(client("read 0 0x4000001").startswith("FAIL "))
        self.assertEqual(client("endianness"), "OK little")


class Time(Machine):
    def test_time_is_the_clients(self):
        client = self.ours()
        self.assertEqual(client("clock_step"), "OK 0")
        time.sleep(0.05)
        self.assertEqual(client("clock_step 5"), "OK 5")
        self.assertEqual(client("clock_set 1000000"), "OK 1000000")
        self.assertEqual(client("clock_set 5"), "OK 1000000")

    def test_timers_fire_each_at_its_own_time(self):
        client = self.ours()
        client("irq_intercept_in ioapic")
        # Counter 0 of the timer: mode 2, a pulse every 1193 ticks of 1.193182 MHz.
        for line in "outb 0x43 0x34", "outb 0x40 0xa9", "outb 0x40 0x04":
            client(line)
        times = []
        for _ in range(4):
            client.irqs.clear()
            while "IRQ raise 2" not in client.irqs:
                times.append(int(client("clock_step").split()[1]))
        self.assertEqual(times, sorted(times))
        client.irqs.clear()
        client(f"clock_set {times[-1] + 100 * 999847}")
        self.assertIn(client.irqs.count("IRQ raise 2"), (99, 100))
        self.assertEqual(client.irqs.count("IRQ lower 2"), client.irqs.count("IRQ raise 2"))

    def test_qmp_works_beside_it(self):
        path = self.path("control")
        client = self.ours("--qmp", path)
        control = Qmp(path)
        self.addCleanup(control.close)
        client("outb 0x3ff 0x5a")
        rows = {row["name"]: row["value"]
                for row in control("x-millwright-inspect", node="com1")["rows"]}
        self.assertEqual(rows["scr"], "5a")
        control("stop")
        client.send("inb 0x3ff\n")
        client.client.settimeout(0.2)
        with self.assertRaises(socket.timeout):
            client.line()
        control("cont")
        client.client.settimeout(BOUND_S)
        self.assertEqual(client.line(), "OK 0x005a")
        control("system_reset")
        control.event("RESET")
        self.assertEqual(client("inb 0x3ff"), "OK 0x0000")
        control("quit")
        self.assertEqual(self.process.wait(BOUND_S), 0)


class Keyboard(Machine):
    """From a command at the control socket to scan codes (set 1) at port 0x60."""

    def setUp(self):
        super().setUp()
        self.control = self.path("control")
        self.client = self.ours("--qmp", self.control)
        # Interrupts and translation on; the keyboard scans, and says so.
        for line in "outb 0x64 0x60", "outb 0x60 0x41", "outb 0x60 0xf4":
            self.client(line)
        self.assertEqual(self.codes(), [0xfa])

    def codes(self):
        found = []
        while int(self.client("inb 0x64").split()[1], 0) & 1:
            found.append(int(self.client("inb 0x60").split()[1], 0))
            self.client("clock_step 2000000")  # a byte takes its time on the wire
        return found

    def typed(self, *words):
        done = subprocess.run([MILLWRIGHT, "type", self.control, *words], capture_output=True,
                              text=True, timeout=BOUND_S, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.client("clock_step 2000000")
        return self.codes()

    def test_text(self):
        self.assertEqual(self.typed("aB"), [0x1e, 0x9e, 0x2a, 0x30, 0xb0, 0xaa])
        self.assertEqual(self.typed("1!", "--enter"),
                         [0x02, 0x82, 0x2a, 0x02, 0x82, 0xaa, 0x1c, 0x9c])

    def test_keys_together(self):
        self.assertEqual(self.typed("--keys", "ctrl-alt-f1"),
                         [0x1d, 0x38, 0x3b, 0xbb, 0xb8, 0x9d])

    def test_guest_that_does_not_read_is_not_waited_for_for_ever(self):
        done = subprocess.run([MILLWRIGHT, "type", self.control, "x" * 100], capture_output=True,
                              text=True, timeout=BOUND_S, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("the guest takes no more keys or movements", done.stderr)
        self.assertEqual(set(self.codes()) - {0x2d, 0xad, 0xff, 0x00}, set())

    def test_events_of_qmp(self):
        control = Qmp(self.control)
        self.addCleanup(control.close)
        key = {"type": "qcode", "data": "q"}
        control("input-send-event", events=[
            {"type": "key", "data": {"down": True, "key": key}},
            {"type": "key", "data": {"down": False, "key": key}}])
        self.client("clock_step 2000000")
        self.assertEqual(self.codes(), [0x10, 0x90])
        control("send-key", keys=[key], hold_time=1)
        self.client("clock_step 2000000")
        self.assertEqual(self.codes(), [0x10, 0x90])


class Mistakes(Machine):
    def refuse(self, code, expected, *words, profile=PROFILE):
        done = subprocess.run([MILLWRIGHT, "run", profile, "--set", f"firmware={self.rom}", *words],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=BOUND_S, check=False)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn(expected, done.stderr)

    def test_somebody_has_to_drive(self):
        self.refuse(2, "--accel none has no CPUs", "--accel", "none")
        self.refuse(1, "the accelerator none has no CPUs, and nobody drives the machine")

    def test_cpus_and_a_driver_do_not_go_together(self):
        self.refuse(2, "--accel soft has some", "--accel", "soft", "--qtest", "stdio")

    def test_there_is_one_terminal(self):
        self.refuse(2, "--qtest and --qmp cannot both be stdio", "--qtest", "stdio", "--qmp", "stdio")
        self.refuse(1, "`com1.backend` has the standard streams, and so has --qtest", "--qtest",
                    "stdio", profile=os.path.join(ROOT, "tests", "boot", "rom.yaml"))

    def test_sockets_that_cannot_be_had(self):
        self.refuse(2, "--qtest /nonexistent/s: No such file", "--qtest", "/nonexistent/s")
        self.refuse(2, "--qmp /nonexistent/s: No such file", "--qtest", "stdio", "--qmp",
                    "/nonexistent/s")
        self.refuse(2, "only `,server` may follow the path", "--qtest", "a,sever")

    def test_none_does_not_count_instructions(self):
        self.refuse(1, "the accelerator none has no `--counters`", "--qtest", "stdio", "--counters")


if __name__ == "__main__":
    MILLWRIGHT = os.path.abspath(sys.argv.pop(1))
    os.environ["MILLWRIGHT_PATH"] = ROOT
    program = unittest.main(exit=False)
    if not program.result.wasSuccessful():
        sys.exit(1)
    if not QEMU:
        print("SKIP: the comparison: qemu-system-x86_64 is not installed")
        sys.exit(77)
