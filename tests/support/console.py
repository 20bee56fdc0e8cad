"""A guest's console as a test or a measurement sees it: the standard streams of the program that runs
the guest. What is waited for is an event, with a bound."""
# SPDX-License-Identifier: MIT
import os
import re
import select
import subprocess
import sys
import tempfile
import time

LINES = 50  # of what was seen, when something did not come
PROMPT = r"guest# "


class Failure(Exception):
    """Something was not as expected; the message says what, and what was seen last."""


def conclude(tap, scenario):
    """Runs it with its tap, says what stopped it early, and ends the program."""
    try:
        scenario(tap)
    except Failure as failure:
        tap.ok(False, str(failure).splitlines()[0], failure)
    sys.exit(tap.done())


class Console:
    """Starts `command` on creation. Use as a context manager; leaving it ends the program. `output`,
    if given, is a named pipe to read the console from in place of standard output."""

    def __init__(self, command, bound_s, output=None, folder=None):
        self.command, self.bound_s = command, bound_s
        self.text, self.mark = "", 0
        self.log = tempfile.TemporaryFile()
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=self.log if output else subprocess.PIPE,
            stderr=self.log, bufsize=0, cwd=folder)
        self.source = os.open(output, os.O_RDONLY | os.O_NONBLOCK) if output else \
            self.process.stdout.fileno()
        self.is_open = True

    def pump(self, wait_s):
        """Takes what has arrived, waiting for at most wait_s."""
        has_ended = self.process.poll() is not None
        if select.select([self.source], [], [], wait_s)[0]:
            data = os.read(self.source, 65536)
            self.is_open = bool(data)
            self.text += data.decode("latin-1").replace("\r", "")
        elif has_ended:
            self.is_open = False  # it never opened its end of the pipe

    def expect(self, pattern, bound_s=None):
        """Waits for the pattern after the mark, moves the mark behind it; returns the match."""
        regex, end = re.compile(pattern, re.M), time.monotonic() + (bound_s or self.bound_s)
        while True:
            match = regex.search(self.text, self.mark)
            if match:
                self.mark = match.end()
                return match
            if not self.is_open:
                raise Failure(f"the console ended before /{pattern}/\n{self.report()}")
            if time.monotonic() > end:
                raise Failure(f"no /{pattern}/ within the bound\n{self.report()}")
            self.pump(0.5)

    def send(self, text):
        try:
            self.process.stdin.write(text.encode("latin-1"))
        except BrokenPipeError:
            raise Failure(f"the guest ended while it was typed at\n{self.report()}") from None

    def typed(self, command):
        """Types a command at the shell's prompt; returns what it printed."""
        assert len(command) < 70, "a longer line wraps, and its echo is not found"
        self.send(command + "\n")
        self.expect(re.escape(command) + r"\n")
        start = self.mark
        prompt = self.expect(PROMPT)
        return self.text[start:prompt.start()].strip("\n")

    def wait(self):
        """Reads to the end; returns the exit status and the time from the start, in seconds."""
        end = time.monotonic() + self.bound_s
        while self.is_open and time.monotonic() < end:
            self.pump(0.5)
        try:
            status = self.process.wait(max(0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise Failure(f"the guest did not end within the bound\n{self.report()}") from None
        return status, time.monotonic() - self.started

    def messages(self):
        """What the program has written to standard error."""
        self.log.seek(0)
        return self.log.read().decode("utf-8", "replace")

    def report(self):
        def last(text):
            return "\n".join(text.splitlines()[-LINES:])
        return (f"--- {' '.join(self.command)}\n--- console, last {LINES} lines ---\n"
                f"{last(self.text)}\n--- messages ---\n{last(self.messages())}")

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        if self.process.stdout:
            self.process.stdout.close()
        else:
            os.close(self.source)
        self.log.close()
