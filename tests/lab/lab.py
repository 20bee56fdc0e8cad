"""The KVM lab: a Debian kernel with nested SVM on QEMU's software CPU, driven from outside.

A Lab has a command channel (its second serial port) and a terminal (its third), on which a guest
started inside talks. All waiting is for an event, with a bound that is generous because the lab may
share two CPUs with a whole test run.
"""
# SPDX-License-Identifier: MIT
import os
import re
import select
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
GUESTS = os.environ.get("MW_GUESTS", os.path.join(ROOT, "build", "guests"))
# What to ask of a lab in which something went wrong.
REPORTS = (("millwright's messages", "tail -n 50 /tmp/millwright.log"),
           ("millwright's threads", "for t in /proc/$(pidof millwright | cut -d' ' -f1)/task/*; do "
            "echo $(cat $t/comm $t/wchan) : $(cat $t/syscall); grep -E 'State|ctxt' $t/status; cat $t/stack; done"),
           ("the lab's serial ports and interrupts",
            "cat /proc/tty/driver/serial /proc/interrupts /proc/loadavg; dmesg | tail -n 5"))
# What a Linux says that is past help.
BROKEN = re.compile(r"^.*(?:BUG: |Kernel panic|Oops: |double fault|unable to handle).*$", re.M)
BOUND_S = float(os.environ.get("MW_LAB_BOUND", "300"))
with open(os.path.join(HERE, "cpu"), encoding="ascii") as cpu_file:
    CPU = cpu_file.readlines()[-1].strip()


class Failure(Exception):
    """Something was not as expected; the message says what."""


class Broken(Failure):
    """The lab's own kernel went down, under QEMU's software CPU: nothing of ours was judged."""


class Skip(Exception):
    """The test cannot run here; the message says why."""


class Channel:
    """One serial line: what came in so far, and a mark up to which it has been consumed."""

    def __init__(self, path, name):
        self.name = name
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        self.connection = None
        self.text = ""
        self.mark = 0
        self.watch = lambda: None  # called while waiting

    def accept(self, alive):
        while not select.select([self.listener], [], [], 0.2)[0]:
            alive()
        self.connection, _ = self.listener.accept()
        self.listener.close()

    def pump(self, wait_s):
        """Takes what has arrived, waiting for at most wait_s. False at the end of the line."""
        if not select.select([self.connection], [], [], wait_s)[0]:
            return True
        try:
            data = self.connection.recv(65536)
        except ConnectionResetError:
            return False
        self.text += data.decode("latin-1").replace("\r", "")
        return bool(data)

    def send(self, text):
        self.connection.sendall(text.encode("latin-1"))

    def expect(self, pattern, bound_s=None):
        """Waits for the pattern after the mark, moves the mark behind it, returns the match."""
        regex = re.compile(pattern, re.M)
        end = time.monotonic() + (bound_s or BOUND_S)
        is_open = True
        while True:
            match = regex.search(self.text, self.mark)
            if match:
                self.mark = match.end()
                return match
            if not is_open:
                raise Failure(f"{self.name} ended before /{pattern}/")
            if time.monotonic() > end:
                raise Failure(f"{self.name}: no /{pattern}/ within the bound")
            self.watch()
            is_open = self.pump(0.5)

    def tail(self, lines=50):
        return "\n".join(self.text.splitlines()[-lines:])


class Lab:
    """Boots on creation. Use as a context manager; leaving it ends QEMU. `disks` are image files, which are
    /dev/vda, /dev/vdb, ... there, and which nothing can write."""

    def __init__(self, millwright, image, cpus=1, ram_mib=1536, extra=(), disks=()):
        self.folder = tempfile.mkdtemp(prefix="mwlab")
        self.channels = {}
        self.process = None
        self.millwright = millwright
        self.failed = lambda: False
        self.programs = [path for path in extra if os.path.isfile(path)]
        if not shutil.which("qemu-system-x86_64"):
            raise Skip("qemu-system-x86_64 is not installed (Debian package qemu-system-x86)")
        if not os.path.exists(os.path.join(GUESTS, "initramfs.gz")):
            raise Skip("Debian's kernel is not in build/guests; run tools/guests")
        environment = dict(os.environ, LAB_EXTRA=" ".join(extra))
        subprocess.run([os.path.join(HERE, "image"), millwright, image], check=True,
                       env=environment)
        command = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none",
                   "-accel", "tcg,thread=multi", "-cpu", CPU, "-smp", str(cpus),
                   "-m", str(ram_mib), "-no-reboot",
                   "-kernel", os.path.join(GUESTS, "vmlinuz"), "-initrd", image,
                   "-append", "console=ttyS0 quiet panic=-1 mitigations=off"]
        for number, path in enumerate(disks):
            command += ["-drive", f"file={path},format=raw,if=none,id=disk{number},readonly=on",
                        "-device", f"virtio-blk-pci,drive=disk{number}"]
        for name in ("console", "commands", "terminal"):
            path = os.path.join(self.folder, name)
            self.channels[name] = Channel(path, name)
            command += ["-chardev", f"socket,id={name},path={path}", "-serial", f"chardev:{name}"]
        self.console = self.channels["console"]
        self.commands = self.channels["commands"]
        self.terminal = self.channels["terminal"]
        self.log = open(os.path.join(self.folder, "qemu.log"), "w+", encoding="latin-1")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log)
        for channel in self.channels.values():
            channel.accept(self.alive)
            channel.watch = self.sound
        self.commands.expect(r"^@@ready$")

    def alive(self):
        if self.process.poll() is not None:
            raise Failure(f"QEMU ended with {self.process.returncode}")

    def sound(self):
        """Raises Broken when the lab's kernel has said that it is."""
        self.console.pump(0)
        broken = BROKEN.search(self.console.text)
        if broken:
            raise Broken(f"the lab's own kernel broke: {broken.group().strip()}")

    def run(self, command, bound_s=None):
        """Runs a shell command in the lab; returns its status and output."""
        assert "\n" not in command
        start = self.commands.mark
        self.commands.send(command + "\n")
        match = self.commands.expect(r"^@@(\d+)$", bound_s)
        output = self.commands.text[start:match.start()].lstrip("\n")
        return int(match.group(1)), output

    def check(self, command, bound_s=None):
        """Runs a command that must succeed; returns its output."""
        status, output = self.run(command, bound_s)
        if status:
            raise Failure(f"`{command}` in the lab ended with {status}:\n{output}")
        return output

    def start(self, arguments, stderr="/tmp/millwright.log"):
        """Starts millwright on the lab's terminal, in the background; its status lands in a file."""
        script = f"echo $$ >/tmp/pid; exec millwright {arguments}"
        self.check(f"rm -f /tmp/status /tmp/pid; printf '%s' {shlex.quote(script)} >/tmp/start")
        self.check(f"(setsid -c sh /tmp/start <>/dev/ttyS2 >&0 2>{stderr}; echo $? >/tmp/status) & "
                   "while [ ! -s /tmp/pid ]; do usleep 20000; done")
        return int(self.check("cat /tmp/pid"))

    def messages(self):
        """What millwright has written to standard error."""
        return self.check("cat /tmp/millwright.log")

    def wait(self, bound_s=None):
        """Waits until what start() started has ended; returns its exit status."""
        bound = int(bound_s or BOUND_S)
        status, output = self.run(
            f"n=0; while [ ! -s /tmp/status ] && [ $n -lt {bound * 5} ]; "
            "do usleep 200000; n=$((n+1)); done; cat /tmp/status", bound + 60)
        if status:
            raise Failure("millwright did not end within the bound")
        return int(output)

    def report(self):
        """The last lines of all that was seen, for a failed test."""
        texts = []
        for channel in self.channels.values():
            if channel.connection:
                channel.pump(0.1)
                texts.append(f"--- {channel.name}, last 50 lines ---\n{channel.tail()}")
        for title, command in REPORTS:
            try:
                texts.append(f"--- {title} ---\n" + self.run(command, 20)[1])
            except (Failure, OSError):
                pass
        self.log.flush()
        self.log.seek(0)
        texts.append("--- qemu ---\n" + self.log.read()[-2000:])
        return "\n".join(texts)

    def close(self):
        if self.process:
            self.process.kill()
            self.process.wait()
        for channel in self.channels.values():
            if channel.connection:
                channel.connection.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, *unused):
        if kind is Failure or self.failed():
            print(self.report(), flush=True)
        self.close()


class Tap:
    """Counts and prints results as TAP."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def ok(self, condition, text, detail=""):
        self.count += 1
        if not condition:
            self.failed += 1
        print(f"{'ok' if condition else 'not ok'} {self.count} - {text}", flush=True)
        if not condition and detail:
            print("\n".join("# " + line for line in str(detail).splitlines()), flush=True)
        return condition

    def done(self):
        print(f"1..{self.count}", flush=True)
        return 1 if self.failed or not self.count else 0


def skip(reason):
    """Ends the program as a skipped test."""
    print(f"1..0 # SKIP {reason}\nSKIP: {reason}", flush=True)
    sys.exit(77)
