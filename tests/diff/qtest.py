"""Millwright and QEMU as a qtest client drives them: lines are sent ahead of their answers, and
time passes by `clock_step` on both sides. Debian's QEMU is built without the accelerator that steps
its clock, so it runs a ROM that halts, and still.c, loaded into it, moves the clock."""
# SPDX-License-Identifier: MIT
import itertools
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time

FOLDER = pathlib.Path(__file__).parent
QEMU, COMPILER = "qemu-system-x86_64", "cc"
ROM_BYTES = 64 << 10
FLOPPY_BYTES = 1440 << 10
HALT = b"\xf4"
BOUND_S, UNTIL_S = 120, 5


class Skip(Exception):
    """What this needs is not here; the message says what."""


class Failure(Exception):
    """A side ended, or refused a command."""


class Answer:
    """What a command got: a number, or None, and the lines that moved before it."""
    __slots__ = ("value", "moves")

    def __init__(self, value, moves):
        self.value, self.moves = value, moves


class Workshop:
    """The files that the two sides need, in a folder of their own."""

    def __init__(self, millwright):
        if not shutil.which(QEMU):
            raise Skip(f"there is no {QEMU}")
        self.millwright, self.monitors = millwright, 0
        self.folder = tempfile.TemporaryDirectory(prefix="mw-diff-")
        self.rom = os.path.join(self.folder.name, "halt.bin")
        self.still = os.path.join(self.folder.name, "still.so")
        pathlib.Path(self.rom).write_bytes(HALT * ROM_BYTES)
        self.compile_still()

    def compile_still(self):
        compiler = shutil.which(COMPILER) or shutil.which("gcc") or shutil.which("clang")
        if not compiler:
            raise Skip("there is no C compiler for the library that holds QEMU's clock")
        subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", self.still,
                        str(FOLDER / "still.c")], check=True)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.folder.cleanup()

    def ours(self, with_input=False, profile="isa.yaml"):
        """Our machine, a profile of this folder."""
        monitor = self.monitor("ours") if with_input else None
        return Side([self.millwright, "run", str(FOLDER / profile), "--set",
                     f"firmware={self.rom}", "--set", f"floppy={self.floppy()}",
                     "--accel", "none", "--qtest", "stdio"]
                    + (["--qmp", monitor] if monitor else []),
                    {"MILLWRIGHT_PATH": str(FOLDER.parent.parent)}, monitor)

    def qemu(self, machine, with_input=False):
        """QEMU's, at the same moment of the same day; `machine` may have options after it, in
        which `{floppy}` is a disk, `{rom}` the ROM's file."""
        monitor = self.monitor("theirs") if with_input else None
        return Side([QEMU, "-M", *machine.format(floppy=self.floppy(), rom=self.rom).split(),
                     "-accel", "tcg", "-m", "16", "-bios", self.rom,
                     "-qtest", "stdio", "-qtest-log", "none", "-rtc",
                     "base=2026-02-28T23:59:50,clock=vm", "-vga", "none", "-display", "none",
                     "-monitor", "none", "-nodefaults", "-serial", "null"]
                    + (["-qmp", f"unix:{monitor},server=on,wait=off"] if monitor else []),
                    {"LD_PRELOAD": self.still}, monitor)

    def floppy(self):
        """A disk whose sectors tell their numbers, which a side may write."""
        handle, path = tempfile.mkstemp(dir=self.folder.name, suffix=".img")
        with open(handle, "wb") as file:
            for sector in range(FLOPPY_BYTES // 512):
                file.write(sector.to_bytes(4, "little") + bytes(range(252)) + bytes(256))
        return path

    def monitor(self, name):
        """Where a side listens for keys; never the same place twice."""
        self.monitors += 1
        return os.path.join(self.folder.name, f"{name}{self.monitors}")


class Monitor:
    """A side's socket for QMP."""

    def __init__(self, path, process):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(BOUND_S)
        while True:  # until it listens there
            try:
                self.socket.connect(path)
                break
            except OSError:
                if process.poll() is not None:
                    raise Failure("a side ended before it listened for keys") from None
                time.sleep(0.01)
        self.file = self.socket.makefile("r")
        self.file.readline()
        self.run('{"execute": "qmp_capabilities"}')

    def run(self, command):
        self.socket.sendall(command.encode() + b"\n")
        while True:
            answer = json.loads(self.file.readline() or '{"error": "gone"}')
            if "error" in answer:
                raise Failure(f"`{command}` gets `{answer}`")
            if "return" in answer:
                return


class Side:
    """One program, which takes commands from a socket. Use as a context manager."""

    def __init__(self, command, variables, monitor):
        self.log = tempfile.TemporaryFile()
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(BOUND_S)
        with theirs:
            self.process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=self.log,
                                            env={**os.environ, **variables})
        self.rest, self.moves = b"", []
        self.monitor = Monitor(monitor, self.process) if monitor else None

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.socket.close()
        self.process.kill()
        self.process.wait()
        self.log.close()

    def run(self, commands):
        """Sends all commands, and returns an answer to each. What begins with `{` is for the
        monitor, and waits for the answers before it; `until MASK COMMAND` reads until none of
        these bits is set."""
        answers = []
        for kind, group in itertools.groupby(commands, lambda command: command[0] in "{u" and
                                             command[0]):
            for command in group if kind else ():
                if kind == "u":
                    answers.append(self.run_until(*command.split(" ", 2)[1:]))
                    continue
                self.monitor.run(command)
                answers.append(Answer(None, []))
            if not kind:
                answers += self.run_plain(list(group))
        return answers

    def run_until(self, mask, command):
        moves, end = [], time.monotonic() + UNTIL_S
        while time.monotonic() < end:
            answer = self.run_plain([command])[0]
            moves += answer.moves
            if not answer.value & int(mask, 0):
                return Answer(answer.value, moves)
        raise Failure(f"`{command}` still reads {answer.value:#x} from {self.process.args[0]}")

    def run_plain(self, commands):
        sender = threading.Thread(target=self.send, args=("\n".join(commands) + "\n",))
        sender.start()
        try:
            return self.take_answers(commands)
        finally:
            sender.join()

    def send(self, text):
        try:
            self.socket.sendall(text.encode())
        except OSError:
            pass  # whoever reads the answers sees it

    def take_answers(self, commands):
        """Lines may move after the last answer; they are the next one's."""
        answers = []
        while len(answers) < len(commands):
            for line in self.take_lines():
                word, _, rest = line.partition(b" ")
                if word == b"IRQ":
                    what, number = rest.split()
                    self.moves.append((int(number), what == b"raise"))
                elif word == b"OK":
                    answers.append(self.answer(int(rest, 0) if rest[:1].isdigit() else None))
                elif rest == b"Unknown command 'clock_step'":
                    answers.append(self.answer(None))  # still.c has made the step
                elif rest != b"Unknown command 'timers'":
                    raise Failure(f"`{commands[len(answers)]}` gets `{line.decode()}`")
        return answers

    def answer(self, value):
        moves, self.moves = self.moves, []
        return Answer(value, moves)

    def take_lines(self):
        try:
            data = self.socket.recv(65536)
        except OSError:
            data = b""
        if not data:
            self.log.seek(0)
            raise Failure(f"{self.process.args[0]} does not answer; it said:\n"
                          + self.log.read().decode(errors="replace"))
        lines = (self.rest + data).split(b"\n")
        self.rest = lines.pop()
        return lines
