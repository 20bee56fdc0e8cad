#!/usr/bin/env python3
"""demo.py: tools/demo as a person and as a script use it: on a terminal (typing, Ctrl-C, Ctrl-A x, the
terminal's modes afterwards) and with its input and output piped. Prints TAP. MW_DEMO: direct, the
default, or lab."""
# SPDX-License-Identifier: MIT
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from lab import BOUND_S, Tap

DEMO = [os.path.join(os.path.dirname(os.path.dirname(HERE)), "tools", "demo")]
HOW = os.environ.get("MW_DEMO", "")
if HOW:
    DEMO.append(HOW)
PROMPT = r"guest# "


class Terminal:
    """tools/demo in a session of its own on a pseudo terminal."""

    def __init__(self):
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(DEMO, stdin=self.slave, stdout=self.slave,
                                        stderr=self.slave, start_new_session=True, cwd="/")
        self.text, self.mark = "", 0

    def expect(self, pattern):
        end = time.monotonic() + BOUND_S
        while time.monotonic() < end:
            match = re.search(pattern, self.text[self.mark:], re.M)
            if match:
                self.mark += match.end()
                return True
            if select.select([self.master], [], [], 0.5)[0]:
                self.text += os.read(self.master, 65536).decode("latin-1").replace("\r", "")
            elif self.process.poll() is not None:
                return False
        return False

    def type(self, text):
        os.write(self.master, text.encode("latin-1"))

    def wait(self):
        self.expect(r"the guest has ended with status")
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            return None


def on_a_terminal(tap):
    terminal = Terminal()
    if HOW != "lab":
        tap.ok(terminal.expect(r"^\[ *\d+\.\d+\] Linux version \S+-cloud-amd64 "),
               "the kernel's messages show progress", terminal.text[-3000:])
    tap.ok(terminal.expect(PROMPT), "a shell's prompt appears", terminal.text[-3000:])
    terminal.type("echo $((6 * 7)) typed\r")
    tap.ok(terminal.expect(r"^42 typed$"), "what is typed is run", terminal.text[-3000:])
    terminal.expect(PROMPT)
    terminal.type("sh -c \"echo beg''un; exec sleep 1000\"\r")
    terminal.expect(r"^begun$")
    terminal.type("\x03")
    tap.ok(terminal.expect(PROMPT), "Ctrl-C goes to the guest", terminal.text[-3000:])
    terminal.type("\x01x")
    status = terminal.wait()
    tap.ok(status is not None, f"Ctrl-A x leaves (status {status})", terminal.text[-3000:])
    tap.ok(termios.tcgetattr(terminal.slave) == terminal.before, "the terminal is as before")


def piped(tap):
    done = subprocess.run([*DEMO, "--cpus", "2"], cwd="/",
                          input="uname -a\nnproc\necho $((6 * 7)) piped\n",
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False, timeout=BOUND_S * 2)
    text = done.stdout.replace("\r", "")
    tap.ok(done.returncode == 0, "with its input piped it ends with status 0", text[-3000:])
    tap.ok("\n42 piped\n" in text, "and the lines were run in the guest", text[-3000:])
    tap.ok(re.search(r"^Linux guest \S+-cloud-amd64 ", text, re.M), "on Debian's kernel")
    tap.ok("\n2\n" in text, "with two CPUs, as --cpus asks", text[-3000:])
    if HOW != "lab":
        tap.ok(not re.search(r"\bqemu", text, re.I), "without QEMU")


def main():
    tap = Tap()
    on_a_terminal(tap)
    piped(tap)
    sys.exit(tap.done())


if __name__ == "__main__":
    main()
