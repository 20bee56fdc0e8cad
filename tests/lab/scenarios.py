#!/usr/bin/env python3
"""scenarios.py NAME --millwright FILE --image FILE: one scenario of the KVM lab, printed as TAP."""
# SPDX-License-Identifier: MIT
import argparse
import re
import sys

from lab import Failure, Lab, Skip, Tap, skip


def probe(tap, boot):
    """The lab itself: KVM is here and takes nested pages."""
    with boot() as lab:
        tap.ok("kvm" in lab.check("ls /dev/kvm"), "/dev/kvm exists")
        tap.ok("svm" in lab.check("grep -m1 -o -w svm /proc/cpuinfo"), "the CPU has SVM")
        tap.ok(lab.check("cat /sys/module/kvm_amd/parameters/npt").strip() in ("1", "Y"),
               "nested paging is on")
        tap.ok(lab.run("false")[0] == 1, "a command's status comes back")


PROMPT = r"guest# "
BOOT = "run microvm --set kernel=/guest/vmlinuz --set initrd=/guest/initramfs.gz"


def typed(terminal, command):
    """Types a command at the guest's prompt; returns what it printed. The mark stands before the
    next prompt's end, so calls follow each other."""
    terminal.send(command + "\n")
    terminal.expect(re.escape(command) + r"$")
    start = terminal.mark
    match = terminal.expect(PROMPT)
    return terminal.text[start:match.start()].strip("\n")


def shell(tap, boot, cpus):
    """Debian's kernel to a shell: input, Ctrl-C, CPUs, poweroff."""
    with boot(cpus=min(cpus, 2)) as lab:
        terminal = lab.terminal
        lab.start(f"{BOOT} --set cpus={cpus}")
        terminal.expect(r"Linux version 6\.1\.\S+")
        tap.ok(True, "the kernel prints on the serial console")
        terminal.expect(PROMPT)
        tap.ok(True, "a shell's prompt appears")
        tap.ok(typed(terminal, "echo $((6 * 7)) typed") == "42 typed", "typed input is echoed and run")
        tap.ok(typed(terminal, "nproc") == str(cpus), f"nproc says {cpus}")
        interrupt(tap, terminal)
        terminal.send("poweroff\n")
        tap.ok(lab.wait() == 0, "poweroff ends the process with status 0")


def interrupt(tap, terminal):
    """Ctrl-C reaches the program in the guest, not millwright."""
    terminal.send("echo beg''un; sleep 1000\n")
    terminal.expect(r"^begun$")
    terminal.pump(1)
    terminal.send("\x03")
    terminal.expect(PROMPT)
    tap.ok(typed(terminal, "echo $?") == "130", "Ctrl-C ends a program of the guest")


SCENARIOS = {"probe": probe, "cpus1": lambda tap, boot: shell(tap, boot, 1),
             "cpus4": lambda tap, boot: shell(tap, boot, 4)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("scenario", choices=sorted(SCENARIOS))
    parser.add_argument("--millwright", required=True)
    parser.add_argument("--image", required=True)
    arguments = parser.parse_args()
    tap = Tap()

    def boot(**options):
        lab = Lab(arguments.millwright, arguments.image, **options)
        lab.failed = lambda: tap.failed > 0
        return lab

    try:
        SCENARIOS[arguments.scenario](tap, boot)
    except Skip as reason:
        skip(reason)
    except Failure as failure:
        tap.ok(False, str(failure).splitlines()[0], failure)
    sys.exit(tap.done())


if __name__ == "__main__":
    main()
