#!/usr/bin/env python3
"""snapshot.py --millwright FILE [--rounds N]: a guest of Debian's on the software CPU that is saved and goes on
in a new process, again and again; and files that must be refused. Printed as TAP. Exits with 77 where the
guest is not there."""
# SPDX-License-Identifier: MIT
import argparse
import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "tests", folder) for folder in ("support", "lab")]

import counting
import qmp
from console import PROMPT, Console, Failure
from lab import GUESTS, Tap, skip

# Seconds for one event. Two sanitizers and a machine full of other tests slow a boot by much.
BOUND_S = float(os.environ.get("MW_BOOT_BOUND", "600"))
CHIP = "echo $(($(date +%s)-$(cat /sys/class/rtc/rtc0/since_epoch)))"
# What was freed is zeroes and takes no place in a file.
CMDLINE = "console=ttyS0 panic=-1 cryptomgr.notests quiet init_on_free=1"


class Guest:
    """A machine that changes its process. Use as a context manager."""

    def __init__(self, millwright, folder):
        self.millwright = millwright
        self.socket, self.file = (os.path.join(folder, name) for name in ("control", "snapshot"))
        self.console = None
        self.save_s, self.restore_s = [], []

    def start(self, *words):
        self.console = Console([self.millwright, *words, "--accel", "soft", "--qmp", self.socket],
                               BOUND_S, folder=ROOT)

    def boot(self, profile, cpus, ram="72MiB"):
        files = {"kernel": "vmlinuz", "initrd": "initramfs.gz"}
        values = {name: os.path.join(GUESTS, file) for name, file in files.items()}
        cmdline = CMDLINE + (" reboot=t" if profile == "microvm" else "")
        values.update(cmdline=cmdline, cpus=cpus, ram=ram)
        sets = [word for name, value in values.items() for word in ("--set", f"{name}={value}")]
        self.start("run", profile, *sets)
        self.console.expect(PROMPT)

    def save(self, paused=False):
        """Saves it and ends its process; returns all that it printed since its start."""
        if paused:
            client = qmp.Qmp(self.socket)
            client("stop")
            client.close()
        begin = time.monotonic()
        done = subprocess.run([self.millwright, "snapshot", self.socket, self.file], check=False,
                              capture_output=True, text=True, timeout=BOUND_S)
        if done.returncode:
            raise Failure(f"snapshot: {done.returncode} {done.stderr}")
        self.save_s.append(time.monotonic() - begin)
        console = self.console
        console.process.kill()
        while console.is_open:
            console.pump(0.5)
        self.end()
        os.unlink(self.socket)  # one who is killed leaves it
        return console.text

    def restore(self):
        """In a new process, which is ready when it takes commands."""
        begin = time.monotonic()
        self.start("restore", self.file)
        try:
            client = qmp.Qmp(self.socket)
        except qmp.Failure as failure:
            raise Failure(f"{failure}\n{self.console.report()}") from None
        client("query-status")
        client.close()
        self.restore_s.append(time.monotonic() - begin)

    def end(self):
        if self.console:
            self.console.__exit__()
        self.console = None

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.end()
        for path in (self.socket, self.file):
            if os.path.exists(path):
                os.unlink(path)


def clock(console, command):
    return int(re.search(r"-?\d+", console.typed(command)).group())


def count(tap, guest, rounds):
    """The loop goes on, round for round; every other time it is saved while it is paused."""
    console, wrong = guest.console, None
    console.typed(counting.PREPARE)
    wanted = console.typed(counting.SUM).split()[0]
    began = clock(console, "date +%s")
    console.send(counting.LOOP)
    console.expect(re.escape(counting.LOOP.strip()) + r"\n")
    start = console.mark
    for number in range(rounds):
        console.expect(counting.LINE.pattern)
        old = guest.save(paused=number % 2 == 1)[start:]
        guest.restore()
        console, start = guest.console, 0
        for _ in range(3):
            console.expect(counting.LINE.pattern)
        wrong = counting.joint(old, console.text, wanted, ran_on=number % 2 == 0)
        if wrong:
            break
    tap.ok(not wrong, f"{rounds} times the loop goes on where it was, and the console is whole",
           f"round {number}: {wrong}")
    console.send("\x03")
    console.expect(PROMPT)
    return began


def sees_time(tap, guest, began):
    """The clocks of the guest stood together, and run on."""
    console = guest.console
    now = clock(console, "date +%s")
    tap.ok(0 <= now - began < BOUND_S, "`date` goes on", f"{began} {now}")
    console.send("date +%s; sleep 1; date +%s\n")
    first, last = (int(console.expect(r"^(\d+)\n").group(1)) for _ in range(2))
    console.expect(PROMPT)
    tap.ok(1 <= last - first <= 10, "`sleep 1` is a second", f"{first} {last}")
    difference = clock(console, CHIP)
    tap.ok(abs(difference) <= 2, "the clock chip agrees", difference)
    first = clock(console, "cut -d. -f1 /proc/uptime")
    last = clock(console, "cut -d. -f1 /proc/uptime")
    tap.ok(0 <= last - first < BOUND_S, "the time since the boot does not step", f"{first} {last}")


def calm(tap, console):
    wrong = console.typed("dmesg | grep -E 'WARNING: CPU|BUG: |lockup|stall|unstab'")
    tap.ok(not wrong, "the kernel complains of nothing", wrong)


def types(tap, guest):
    """Half of a line is typed before, half of it after."""
    guest.console.send("echo $((6 * ")
    guest.console.expect(re.escape("echo $((6 * "))
    guest.save()
    guest.restore()
    guest.console.send("7))\n")
    tap.ok(guest.console.expect(r"^42\n"), "what was typed before is there")
    guest.console.expect(PROMPT)


def restarts(tap, guest, cpus):
    """The kernel, which came from memory so far, is loaded again."""
    guest.console.send("reboot\n")
    guest.console.expect(r"^Linux \S+ in Millwright")
    guest.console.expect(PROMPT)
    tap.ok(clock(guest.console, "nproc") == cpus, "after a restore `reboot` boots")
    power_off(tap, guest)


def power_off(tap, guest):
    guest.console.send("poweroff\n")
    status, _ = guest.console.wait()
    tap.ok(status == 0, "poweroff ends the process with status 0", guest.console.report())
    tap.ok(not os.path.exists(guest.socket), "and takes its socket away")
    guest.end()


def refused(tap, millwright, path, name, reason):
    done = subprocess.run([millwright, "restore", path, "--accel", "soft"], check=False,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=BOUND_S)
    right = done.returncode == 1 and not done.stdout and "C705" in done.stderr and \
        path in done.stderr and re.search(reason, done.stderr)
    tap.ok(right, f"{name} is refused", f"{done.returncode}\n{done.stdout}\n{done.stderr}")


def flip(path, at):
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 0x10]))


def sections(path):
    """Where each part's payload begins, and its length, by kind; the last of its kind."""
    found, at = {}, 64
    with open(path, "rb") as file:
        while True:
            file.seek(at)
            head = file.read(64)
            if len(head) < 64:
                return found
            length = int.from_bytes(head[8:16], "little")
            found[head[:4].decode().strip()] = (at + 64, length)
            at += 64 + length


def damage(tap, guest, folder):
    """Files that hold no machine. The file is changed in place, and back."""
    path, places = guest.file, sections(guest.file)
    foreign = os.path.join(folder, "foreign")
    for kind in sorted(places):
        at = places[kind][0] + places[kind][1] // 2
        flip(path, at)
        refused(tap, guest.millwright, path, f"a flipped bit in {kind}", "damaged")
        flip(path, at)
    flip(path, 16)
    refused(tap, guest.millwright, path, "another version of the format", r"has format \d+")
    flip(path, 16)
    with open(path, "ab") as file:
        file.write(b"\0")
    refused(tap, guest.millwright, path, "one with something behind its end", "follows its end")
    size = os.path.getsize(path) - 1
    for length in (size - 1, size // 2, places["PLAN"][0] + 1, 63, 20):
        os.truncate(path, length)
        refused(tap, guest.millwright, path, f"one that is cut to {length} bytes", "truncated")
    for name, content, reason in (
            ("an empty file", b"", "is not a snapshot of Millwright"),
            ("a text", b"format: plan/1\n" * 100, "is not a snapshot of Millwright"),
            ("one that went through a transfer as text",
             b"\x89MWSNAP\n\x1a\n\0\0\0\0\0\0" + bytes(100), "transfer as text")):
        with open(foreign, "wb") as file:
            file.write(content)
        refused(tap, guest.millwright, foreign, name, reason)
    os.unlink(foreign)
    refused(tap, guest.millwright, foreign, "a missing file", "No such file")
    refused(tap, guest.millwright, folder, "a folder", "not a regular file")


def shows_plan(tap, guest):
    done = subprocess.run([guest.millwright, "restore", guest.file, "--plan"], check=False,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=BOUND_S)
    tap.ok(done.returncode == 0 and done.stdout.startswith("format: plan/1\n") and
           os.path.join(GUESTS, "vmlinuz") in done.stdout,
           "--plan shows the plan, which names the host's files", done.stdout[:500] + done.stderr)


def figures(guest):
    def middle(seconds):
        return sorted(seconds)[len(seconds) // 2]
    print(f"# {os.path.getsize(guest.file) / 1e6:.1f} MB; saved in {middle(guest.save_s):.2f} s, "
          f"restored in {middle(guest.restore_s):.2f} s", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--millwright", required=True)
    parser.add_argument("--rounds", type=int, default=50)
    options = parser.parse_args()
    options.millwright = os.path.abspath(options.millwright)
    os.environ["MILLWRIGHT_PATH"] = ROOT
    for name in ("vmlinuz", "initramfs.gz"):
        if not os.path.exists(os.path.join(GUESTS, name)):
            skip(f"{name} is not in build/guests; run tools/guests")
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="mw") as folder:
        try:
            for profile, cpus, rounds in (("linux-pc", 2, options.rounds), ("microvm", 1, 2)):
                print(f"# {profile}, {cpus} CPUs", flush=True)
                with Guest(options.millwright, folder) as guest:
                    guest.boot(profile, cpus)
                    began = count(tap, guest, rounds)
                    if profile == "linux-pc":
                        sees_time(tap, guest, began)
                        types(tap, guest)
                    calm(tap, guest.console)
                    figures(guest)
                    restarts(tap, guest, cpus)
                    if profile == "linux-pc":
                        shows_plan(tap, guest)
                        damage(tap, guest, folder)
        except (Failure, qmp.Failure) as failure:
            tap.ok(False, str(failure).splitlines()[0], failure)
        left = os.listdir(folder)
        tap.ok(not left, "nothing is left behind", left)
    sys.exit(tap.done())


if __name__ == "__main__":
    main()
