"""A BIOS PC that a script drives: `millwright run` on machine/pc-legacy, its serial line, its screen as text, its
keyboard, its drives. What is waited for is an event, with a bound."""
# SPDX-License-Identifier: MIT
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(ROOT, "tests", "lab")]

from console import Console, Failure, conclude
from lab import GUESTS, Tap, skip

# Seconds for one event. Sanitizers and a machine full of other tests slow a boot by much.
BOUND_S = float(os.environ.get("MW_BOOT_BOUND", "900"))
OPTIONS = argparse.Namespace()
os.environ["MILLWRIGHT_PATH"] = ROOT  # for every verb that is called
SHELL = "guest:# "
PROFILE = """\
format: machine/1
name: pc
version: 1
summary: pc-legacy, with the drives that a test wants
extends: machine/pc-legacy@1
"""
CONTROLS = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|[a-zA-Z0-9])")


def media(name):
    """A file that tests/boot/pc/guests.py makes."""
    path = os.path.join(GUESTS, "pc", name)
    if not os.path.exists(path):
        skip(f"{name} is not in build/guests/pc; run tests/boot/pc/guests.py")
    return path


def plain(text):
    """Without what moves the cursor of a terminal."""
    return CONTROLS.sub("", text)


def set_words(sets):
    return [word for name, value in (sets or {}).items() for word in ("--set", f"{name}={value}")]


class Driven:
    """What a person does with a machine, for classes with its console (`text`, `mark`, `pump`, `expect`, `send`,
    `report`, `bound_s`), `call` for verbs that speak to it, `has_ended`, and what it is made of (`millwright`,
    `profile`, `sets`)."""

    look_s = 0.5  # between two looks at the screen

    def plan(self):
        done = subprocess.run([self.millwright, "resolve", "--format", "json", self.profile, *self.sets],
                              stdout=subprocess.PIPE, check=True)
        return json.loads(done.stdout)

    def screen(self):
        """The rows of the screen; "" before there is one, and in graphics modes."""
        return "\n".join(row.rstrip() for row in self.call("screenshot", "--text", check=False).splitlines())

    def watch(self, pattern, bound_s=None):
        """Waits until the screen shows it; returns the match."""
        regex, end, seen = re.compile(pattern, re.M), time.monotonic() + (bound_s or self.bound_s), ""
        while True:
            self.pump(self.look_s)
            seen = self.screen()
            match = regex.search(seen)
            if match:
                return match
            if self.has_ended():
                raise Failure(f"the machine ended before /{pattern}/ was on its screen\n{self.report()}")
            if time.monotonic() > end:
                raise Failure(f"no /{pattern}/ on the screen within the bound\n--- screen ---\n{seen}\n"
                              f"{self.report()}")

    def type(self, text, enter=True):
        self.call("type", text, *(("--enter",) if enter else ()))

    def press(self, *keys):
        self.call("type", *(word for key in keys for word in ("--keys", key)))

    def insert(self, drive, path):
        self.call("insert", drive, path)

    def eject(self, drive):
        self.call("eject", drive)

    def grub_prompt(self):
        """From GRUB's menu, or its prompt, to an empty prompt."""
        if self.watch(r"^ *GNU GRUB +version|^grub> *$").group(0).strip() != "grub>":
            self.press("c")
            self.watch(r"^grub> *$")

    def grub(self, command):
        """Types a command at GRUB's prompt on the keyboard; returns what is on the screen after it, its last
        rows where it is long."""
        self.type("clear")
        self.watch(r"\A\s*grub>\s*\Z")
        self.type(command)
        text = self.watch(rf"(?s)\A(?!\s*grub>(?: {re.escape(command)})?\s*\Z)(.*)^grub>\s*\Z").group(1)
        return re.sub(rf"\A.*grub> {re.escape(command)}\n", "", text, flags=re.S)

    def log_in(self):
        """As root, who has no password, on COM1; to a shell that echoes nothing."""
        self.expect(r"login: ")
        self.send("root\n")
        self.expect(r"root@\S+# ")
        self.send("exec bash --noediting --norc\n")
        self.expect(r"bash\S*# ")
        self.send(f"stty -echo cols 200; dmesg -n 1; PS1='\\n{SHELL}'\n")
        self.expect(f"^{SHELL}")

    def shell(self, command):
        """A command at that shell; returns what it printed."""
        start = self.mark
        self.send(command + "\n")
        end = self.expect(f"^{SHELL}")
        return plain(self.text[start:end.start()]).strip("\n")


class Pc(Driven, Console):
    """Use as a context manager. `sets` are parameters of the profile, `devices` lines of YAML below its
    `devices:`, `extra` other YAML; `restore` is a snapshot of such a machine that goes on. COM1 is this program's
    console (`expect`, `send`)."""

    def __init__(self, millwright, sets=None, devices="", extra="", accel="soft", folder=None, restore=None):
        self.millwright = millwright
        self.own = None if folder else tempfile.TemporaryDirectory()
        self.folder = folder or self.own.name
        self.socket = os.path.join(self.folder, "control")
        self.profile = os.path.join(self.folder, "pc.yaml")
        with open(self.profile, "w", encoding="utf-8") as file:
            file.write(f"{PROFILE}{extra}\ndevices:\n  dbg: {{ backend: {{ file: debug.log }} }}\n{devices}\n")
        self.sets = set_words(sets)
        words = ("restore", restore) if restore else ("run", self.profile, *self.sets)
        super().__init__([millwright, *words, "--accel", accel, "-v", "--qmp", self.socket], BOUND_S,
                         folder=self.folder)

    def __exit__(self, *details):
        super().__exit__(*details)
        if self.own:
            self.own.cleanup()

    def call(self, verb, *words, check=True):
        """A verb that speaks to the machine; returns what it printed."""
        done = subprocess.run([self.millwright, verb, self.socket, *words], text=True, timeout=self.bound_s,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if done.returncode and check:
            raise Failure(f"millwright {verb}: {done.stderr.strip()}\n{self.report()}")
        return done.stdout if not done.returncode else ""

    def has_ended(self):
        return self.process.poll() is not None

    def debug(self):
        """What the BIOS has written to its debug console."""
        with open(os.path.join(self.folder, "debug.log"), encoding="latin-1") as file:
            return file.read()


def main(scenarios, add_options=None):
    """The program of a file of scenarios: its options are OPTIONS, with a folder of its own; `add_options` adds to
    them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("scenario", choices=sorted(scenarios))
    parser.add_argument("--millwright", required=True)
    if add_options:
        add_options(parser)
    parser.parse_args(namespace=OPTIONS)
    with tempfile.TemporaryDirectory() as OPTIONS.folder:
        conclude(Tap(), scenarios[OPTIONS.scenario])
