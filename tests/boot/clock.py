#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`clock: instructions`: what a guest sees of time is the same in every run: clock.py MILLWRIGHT
ROM_FOLDER. Then what --trace and --counters say of such a run."""
import os
import re
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = ROM = None
CODE = 41  # EXIT 20, doubled, plus one
PERIOD_NS, PERIODIC, ONE_SHOTS, TIMEOUTS = 50000, 40, 5, 5


def command(*more):
    return [PROGRAM, "run", os.path.join(HERE, "clock.yaml"), "--set", "firmware=" + ROM,
            "--counters", *more]


def start(*more):
    return subprocess.Popen(command(*more), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def finish(test, process):
    out, error = process.communicate(timeout=120)
    test.assertEqual(process.returncode, CODE, error)
    return out, error


def instructions(error):
    return int(re.search(r"soft: instructions (\d+),", error).group(1))


class Clock(unittest.TestCase):
    def test_runs_are_equal_though_they_disturb_each_other(self):
        for cpus in ("cpus=1", "cpus=2"):
            results = [finish(self, process) for process in
                       [start("--set", cpus) for _ in range(4)]]
            self.assertEqual(len(set(results)), 1, results)

    def test_interrupts_come_at_their_instruction(self):
        out, _ = finish(self, start())
        numbers = [int(line, 16) for line in out.split()]
        self.assertEqual(len(numbers), 2 * (PERIODIC + ONE_SHOTS + TIMEOUTS))
        stamps, rounds = numbers[0::2], numbers[1::2]
        # The handler's own instructions are the same each time, and 10 ns each.
        for before, after in zip(stamps[:PERIODIC], stamps[1:PERIODIC]):
            self.assertLessEqual(abs(after - before - PERIOD_NS), 40)
        self.assertEqual((stamps[PERIODIC - 1] - stamps[0]) // (PERIODIC - 1), PERIOD_NS)
        self.assertEqual(rounds, sorted(rounds))
        # A machine that sleeps is at its deadline at once; each one-shot is 7 times the last.
        shots = stamps[PERIODIC:PERIODIC + ONE_SHOTS]
        for number, (before, after) in enumerate(zip(shots, shots[1:]), 1):
            self.assertLess(abs(after - before - 1000 * 7 ** number), 1000)

    def traced(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "trace")
            out, error = finish(self, start("--trace", path))
            with open(path, encoding="ascii") as file:
                return out, error, file.read().splitlines()

    def test_trace_has_each_instruction_and_what_it_changed(self):
        _, error, lines = self.traced()
        self.assertEqual(len(lines), instructions(error))
        first = re.fullmatch(r"0 +0 real16/0 f000:0000fff0 e9 [0-9a-f ]+ jmp .*", lines[0])
        self.assertTrue(first, lines[0])
        self.assertTrue(any(re.search(r"prot32/0 0008:\S+ bc 00 60 00 00 +mov esp, 0x6000 +"
                                      r"rsp=6000$", line) for line in lines), lines[:20])
        self.assertEqual(sum("(interrupt)" in line for line in lines),
                         PERIODIC + ONE_SHOTS + TIMEOUTS)

    def test_traces_of_two_runs_are_equal(self):
        self.assertEqual(self.traced(), self.traced())

    def test_trace_ends_at_its_limit(self):
        out, error = finish(self, start("--trace", "-", "--trace-limit", "10"))
        self.assertEqual(len(re.findall(r"^0 +\d real16|^0 +\d prot", out, re.M)), 10)
        self.assertIn("soft: the trace ends after 10 instructions, its limit", error)

    def test_full_disk_ends_the_trace_not_the_machine(self):
        _, error = finish(self, start("--trace", "/dev/full"))
        self.assertRegex(error, r"soft: the trace cannot be written beyond \d+ instructions|"
                                r"the trace is not whole: No space left on device")

    def test_counters_count(self):
        _, error = finish(self, start("--set", "cpus=2"))
        lines = re.findall(r"soft: ((?:CPU \d: )?)instructions (\d+), exits port (\d+) memory "
                           r"(\d+), interrupts (\d+), exceptions (\d+), ", error)
        self.assertEqual([line[0] for line in lines], ["", "CPU 0: ", "CPU 1: "])
        for column in range(1, 6):
            self.assertEqual(int(lines[0][column]), sum(int(line[column]) for line in lines[1:]))
        self.assertEqual(lines[0][4], str(PERIODIC + ONE_SHOTS + TIMEOUTS))


if __name__ == "__main__":
    ROM = os.path.join(sys.argv.pop(2), "clock.rom")
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
