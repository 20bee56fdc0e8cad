#!/usr/bin/env python3
"""scenarios.py NAME --millwright FILE --image FILE: one scenario of the KVM lab, printed as TAP."""
# SPDX-License-Identifier: MIT
import argparse
import copy
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "support")]

import verify
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
BOOT = "run microvm --accel kvm --set kernel=/guest/vmlinuz --set initrd=/guest/initramfs.gz"


def typed(terminal, command):
    """Types a command at the guest's prompt; returns what it printed. The mark stands before the
    next prompt's end, so calls follow each other."""
    assert len(command) < 70, "a longer line wraps, and its echo is not found"
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
    # One process from its first word to its end, so that no moment is the wrong one for the signal.
    terminal.send("sh -c \"echo beg''un; exec sleep 1000\"\n")
    terminal.expect(r"^begun$")
    terminal.send("\x03")
    terminal.expect(PROMPT)
    tap.ok(typed(terminal, "echo $?") == "130", "Ctrl-C ends a program of the guest")


def plan_of(lab, arguments):
    """The plan of the same arguments as run was given, made in the lab by the same program."""
    return json.loads(lab.check("millwright resolve --format json " +
                                arguments.partition("run ")[2].replace(" --accel kvm", "")))


def changed(plan, change):
    other = copy.deepcopy(plan)
    change(other)
    return other


# Plans that are wrong on purpose, with what the comparison must say; it is no test if it cannot fail.
WRONG_PLANS = (
    (lambda p: p["nodes"]["com1"]["io"]["bank"].update(base=0x2e8), "/proc/ioports: com1.bank"),
    (lambda p: p["nodes"]["ged"]["mmio"]["regs"].update(base=0xfea10000), "/proc/iomem: ged.regs"),
    (lambda p: p["nodes"]["com1"]["irq"].update(irq="gsi:5"), "_CRS: interrupts"),
    (lambda p: p["nodes"]["ioapic"]["mmio"]["bank"].update(base=0xfec01000), "MADT: I/O APICs"),
    (lambda p: p["memory"]["ranges"][0].update(length=0x7000000), "e820: "),
    (lambda p: p["cpu"].update(count=3), "MADT: 2 CPUs, the plan has 3"),
    (lambda p: p["nets"].clear(), "/proc/interrupts: "),
    (lambda p: p["nodes"].pop("reset"), "_CRS: io 0x60-0x60 is in no claim"),
    (lambda p: p["nodes"].pop("ged"), "FADT: RESET_REG"),
)


def facts(tap, boot):
    """What the guest's kernel sees is what the plan says."""
    with boot() as lab:
        arguments = f"{BOOT} --set cpus=2"
        lab.start(arguments)
        lab.terminal.expect(PROMPT)
        seen = typed(lab.terminal, "facts")
        plan = plan_of(lab, arguments)
        differences = verify.compare(plan, seen)
        tap.ok(not differences, "the guest and the plan agree", "\n".join(differences))
        for change, message in WRONG_PLANS:
            found = verify.compare(changed(plan, change), seen)
            tap.ok(any(line.startswith(message) for line in found),
                   f"a wrong plan is noticed: {message}", "\n".join(found))


def reboot(tap, boot):
    """`reboot`, typed at the shell, boots again, with 4 CPUs; so does a kernel's panic=-1."""
    with boot(cpus=2) as lab:
        terminal = lab.terminal
        lab.start(f"{BOOT} --set cpus=4")
        terminal.expect(PROMPT)
        terminal.send("reboot\n")
        terminal.expect(r"Restarting system")
        terminal.expect(r"Linux version")
        tap.ok(True, "reboot starts the kernel again")
        terminal.expect(PROMPT)
        tap.ok(typed(terminal, "nproc") == "4", "all CPUs are there again")
        terminal.send("echo c >/proc/sysrq-trigger\n")
        terminal.expect(r"Kernel panic")
        terminal.expect(r"Linux version")
        terminal.expect(PROMPT)
        tap.ok(typed(terminal, "nproc") == "4", "a panic restarts as the command line says")
        terminal.send("poweroff\n")
        tap.ok(lab.wait() == 0, "poweroff ends the process with status 0")


def usage(lab, pid):
    """What the process holds: KiB of every mapping that is not guest RAM, open files, threads,
    mappings."""
    awk = "/^[0-9a-f]+-/ { ram = /memfd/ } /^Rss:/ && !ram { kib += $2 } END { print kib }"
    words = lab.check(f"awk '{awk}' /proc/{pid}/smaps; ls /proc/{pid}/fd | wc -l; "
                      f"ls /proc/{pid}/task | wc -l; wc -l </proc/{pid}/maps").split()
    return dict(zip(("kib", "files", "threads", "mappings"), map(int, words)))


def reboots(tap, boot):
    """20 reboots in a row hold no more memory and no more files than one."""
    count = 20
    with boot() as lab:
        pid = lab.start(BOOT + " --set cpus=2 --set cmdline='console=ttyS0 quiet reboot=t run=reboot'")
        seen = []
        for _ in range(count + 1):
            lab.terminal.expect(r"^Linux \S+ in Millwright")
            seen.append(usage(lab, pid))
        tap.ok(True, f"{count} reboots")
        first, last = seen[1], seen[-1]
        # Within a boot the C library's heap and lazily touched pages still move a little.
        tap.ok(last["kib"] <= first["kib"] + 128, "memory does not grow", seen)
        tap.ok(last["files"] == first["files"], "open files do not grow", seen)
        tap.ok(last["threads"] == first["threads"], "threads do not grow", seen)
        tap.ok(last["mappings"] <= first["mappings"] + 2, "mappings do not grow", seen)
        lab.terminal.send("\x01x")
        tap.ok(lab.wait() != 127, "Ctrl-A x leaves")
        print(f"# {first} ... {last}")


def two_uarts(tap, boot):
    """A new machine without code: COM1 moved, a second UART with a login."""
    with boot() as lab:
        terminal = lab.terminal
        arguments = BOOT.replace("microvm", "two-uarts")
        lab.start(arguments)
        terminal.expect(r"guest login: ")
        terminal.send("root\n")
        terminal.expect(PROMPT)
        tap.ok(typed(terminal, "tty") == "/dev/ttyS1", "a login on the second UART")
        seen = typed(terminal, "facts")
        differences = verify.compare(plan_of(lab, arguments), seen)
        tap.ok(not differences, "the guest and the plan agree", "\n".join(differences))
        ports = typed(terminal, "cat /proc/ioports /proc/tty/driver/serial")
        tap.ok("02e8-02ef : serial" in ports and "03f8-03ff" not in ports, "COM1 has moved", ports)
        uarts = re.findall(r"uart:16550A port:(\w+)", ports)
        tap.ok(sorted(uarts) == ["000002E8", "000002F8"], "both are 16550A", ports)
        terminal.send("poweroff\n")
        tap.ok(lab.wait() == 0, "poweroff ends the process with status 0")
        console = lab.check("cat /tmp/com1.txt")
        tap.ok("Linux version" in console and "Power down" in console,
               "the console's text is in COM1's file", console[-2000:])


def irqchips(tap, boot):
    """`split` runs, `kernel` is refused where the plan is not KVM's own set of chips."""
    with boot() as lab:
        lab.start(BOOT.replace("microvm", "irqchip-split") + " -v")
        lab.terminal.expect(PROMPT)
        tap.ok("split" in lab.messages(), "an explicit split is used", lab.messages())
        lab.terminal.send("poweroff\n")
        tap.ok(lab.wait() == 0, "and the guest ends well")
        status, text = lab.run("millwright " + BOOT.replace("microvm", "irqchip-kernel") +
                               " </dev/null")
        tap.ok(status == 1, "kernel is refused with status 1", text)
        tap.ok("A503" in text and "8259" in text, "the message says what is missing", text)


def streams(tap, boot):
    """Standard input may be nothing, closed, or a file; output may be a file."""
    off = BOOT + " --set cmdline='console=ttyS0 quiet run=poweroff'"
    with boot() as lab:
        for name, redirection in (("/dev/null", "</dev/null >/tmp/out"),
                                  ("closed", "<&- >/tmp/out"),
                                  ("a file", "</proc/version >/tmp/out"),
                                  ("a pipe that has ended", "")):
            command = f"millwright {off} {redirection} 2>/tmp/millwright.log"
            if not redirection:
                command = f": | millwright {off} >/tmp/out 2>/tmp/millwright.log"
            status, _ = lab.run("rm -f /tmp/out; " + command)
            tap.ok(status == 0 and "in Millwright" in lab.check("cat /tmp/out"),
                   f"standard input is {name}", status)
        lab.check("head -c 100000 /guest/vmlinuz >/tmp/short; head -c 9000000 /dev/urandom >/tmp/noise")
        for name, path in (("truncated", "/tmp/short"), ("noise", "/tmp/noise"),
                           ("missing", "/tmp/none"), ("a folder", "/guest")):
            status, text = lab.run(f"millwright run microvm --accel kvm --set kernel={path} "
                                   "</dev/null")
            tap.ok(status == 1 and path in text, f"a kernel that is {name} is refused",
                   f"{status} {text}")
        status, text = lab.run(f"millwright {BOOT} --set ram=32MiB </dev/null")
        tap.ok(status == 1 and "error" in text, "a kernel that does not fit RAM is refused", text)


def kvm(tap, boot):
    """The test programs for a host's KVM, on the lab's, which lacks nothing."""
    with boot() as lab:
        for program in lab.programs:
            status, text = lab.run(f"cd /millwright; {os.path.basename(program)} 2>&1")
            tap.ok(status == 0, os.path.basename(program), text)
            for line in re.findall(r"^\[  (?:SKIPPED|FAILED ) .*", text, re.M):
                print("#", line)


SCENARIOS = {"probe": probe, "facts": facts, "reboot": reboot, "reboots": reboots, "kvm": kvm,
             "two_uarts": two_uarts, "irqchips": irqchips, "streams": streams,
             "cpus1": lambda tap, boot: shell(tap, boot, 1),
             "cpus4": lambda tap, boot: shell(tap, boot, 4)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("scenario", choices=sorted(SCENARIOS))
    parser.add_argument("--millwright", required=True)
    parser.add_argument("--image", required=True)
    parser.add_argument("--extra", nargs="*", default=[],
                        help="programs and folders that the lab carries too")
    arguments = parser.parse_args()
    tap = Tap()

    def boot(**options):
        lab = Lab(arguments.millwright, arguments.image, extra=arguments.extra, **options)
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
