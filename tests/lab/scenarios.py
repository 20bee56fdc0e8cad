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

import counting
import pc_bios
import verify
from lab import BOUND_S, Broken, Failure, Lab, Skip, Tap, skip


def probe(tap, boot):
    """The lab itself: KVM is here and takes nested pages."""
    with boot() as lab:
        tap.ok("kvm" in lab.check("ls /dev/kvm"), "/dev/kvm exists")
        tap.ok("svm" in lab.check("grep -m1 -o -w svm /proc/cpuinfo"), "the CPU has SVM")
        tap.ok(lab.check("cat /sys/module/kvm_amd/parameters/npt").strip() in ("1", "Y"),
               "nested paging is on")
        tap.ok(lab.run("false")[0] == 1, "a command's status comes back")


OPTIONS = None
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
    """`split` and `user` run, `kernel` is refused where the plan is not KVM's own set of chips."""
    with boot(cpus=2) as lab:
        for chips in ("split", "user"):
            lab.start(BOOT.replace("microvm", f"irqchip-{chips}") + " -v --set cpus=2")
            lab.terminal.expect(r"Linux version")
            lab.terminal.expect(PROMPT)
            tap.ok(f"{chips} irqchip" in lab.messages(), f"an explicit {chips} is used",
                   lab.messages())
            tap.ok(typed(lab.terminal, "nproc") == "2", "both CPUs are there")
            lab.terminal.send("poweroff\n")
            tap.ok(lab.wait() == 0, "and the guest ends well")
        status, text = lab.run("millwright " + BOOT.replace("microvm", "irqchip-kernel") +
                               " </dev/null")
        tap.ok(status == 1, "kernel is refused with status 1", text)
        tap.ok("A503" in text and "8259" in text, "the message says what is missing", text)


def sees_time(tap, terminal):
    """The guest's clocks run, and its clock chip wakes it."""
    terminal.send("date +%s; sleep 2; date +%s\n")
    first = int(terminal.expect(r"^(\d{10})$").group(1))
    second = int(terminal.expect(r"^(\d{10})$").group(1))
    tap.ok(2 <= second - first <= 10, "`sleep 2` is two seconds of `date`", f"{first} {second}")
    terminal.expect(PROMPT)
    now, clock = typed(terminal, "date -u +%s"), typed(terminal, "cat /sys/class/rtc/rtc0/since_epoch")
    tap.ok(abs(int(clock) - int(now)) <= 5, "the clock chip agrees", f"{now} {clock}")
    tap.ok(re.search(r"\d\d:\d\d:\d\d", typed(terminal, "hwclock -u")), "hwclock reads it")
    typed(terminal, "echo +2 >/sys/class/rtc/rtc0/wakealarm")
    typed(terminal, "sleep 4")
    alarms = typed(terminal, "grep rtc0 /proc/interrupts")
    tap.ok(re.search(r"\s[1-9]\d*\s", alarms), "its alarm interrupts", alarms)
    timers = typed(terminal, "grep -c expires /proc/timer_list")
    tap.ok(int(timers) > 2, "timers hang in /proc/timer_list", timers)


def saves(tap, lab, cpus):
    """In the middle of work the machine is saved, ends, and goes on from the file."""
    terminal = lab.terminal
    terminal.send("i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo di''d $i\n")
    terminal.expect(r"echo di''d \$i$")
    status, text = lab.run("millwright snapshot /tmp/qmp /tmp/pc.snapshot")
    if not tap.ok(status == 0, "it is saved", text):
        return
    terminal.send("\x01x")
    lab.wait()
    early = re.search(r"^did 300000$", terminal.text[terminal.mark:], re.M)
    terminal.mark = len(terminal.text)
    lab.start("restore /tmp/pc.snapshot --accel kvm -v")
    if not early:
        terminal.expect(r"^did 300000$")
        tap.ok(True, "what it was doing ends well")
        terminal.expect(PROMPT)
    else:
        terminal.send("\n")
        terminal.expect(PROMPT)
    tap.ok(typed(terminal, "nproc") == str(cpus), "the CPUs are there")
    before = int(typed(terminal, "date +%s"))
    typed(terminal, "sleep 2")
    passed = int(typed(terminal, "date +%s")) - before
    tap.ok(2 <= passed <= 20, "and time goes on", passed)
    ticks = typed(terminal, "grep -c . /proc/interrupts; dmesg | grep -c -i stall")
    tap.ok(ticks.split()[-1] == "0", "nothing has stalled", ticks)


# Where the chips are, the CPUs, what else the kernel is told, what drives the interrupts then.
PC_BOOTS = (("kernel", 2, "", "IO-APIC"), ("split", 2, "", "IO-APIC"), ("user", 2, "", "IO-APIC"),
            ("kernel", 1, "noapic", "XT-PIC"), ("split", 1, "noapic", "XT-PIC"),
            ("user", 1, "noapic", "XT-PIC"))


def pc(tap, boot, wanted):
    """The PC with its 8259 pair, wherever the chips are: clocks, alarms, the 8259 alone, power-off."""
    with boot(cpus=2) as lab:
        for chips, cpus, option, controller in PC_BOOTS:
            if chips != wanted:
                continue
            print(f"# {chips}, {cpus} CPUs, {option or 'as it is'}", flush=True)
            lab.start(f"{BOOT.replace('microvm', 'pc-' + chips)} -v --set cpus={cpus} --qmp /tmp/qmp "
                      f"--set cmdline='console=ttyS0 quiet panic=-1 {option}'")
            lab.terminal.expect(r"^Linux \S+ in Millwright")
            lab.terminal.expect(PROMPT)
            tap.ok(f"{chips} irqchip" in lab.messages(), f"{chips} is used", lab.messages())
            tap.ok(typed(lab.terminal, "nproc") == str(cpus), f"nproc says {cpus}")
            seen = typed(lab.terminal, "cat /proc/interrupts")
            tap.ok(re.search(rf"\s[1-9]\d*\s.* {controller}\b.* ttyS0$", seen, re.M),
                   f"the serial port interrupts by {controller}", seen)
            if not option:
                sees_time(tap, lab.terminal)
                saves(tap, lab, cpus)
            else:
                lab.terminal.send("reboot\n")
                lab.terminal.expect(r"^Linux \S+ in Millwright")
                lab.terminal.expect(PROMPT)
                tap.ok(True, "reboot starts it anew")
            lab.terminal.send("poweroff\n")
            tap.ok(lab.wait() == 0, "poweroff ends the process with status 0")


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


def quiet(terminal, wait_s):
    """Reads until nothing comes for so long; moves the mark to the end and returns it."""
    terminal.mark = -1
    while terminal.mark != len(terminal.text):
        terminal.mark = len(terminal.text)
        terminal.pump(wait_s)
    return terminal.mark


def counts(lab, arguments):
    """Boots a guest that then counts; returns the sum it prints (see counting.py)."""
    quiet(lab.terminal, 1)
    lab.start(f"{arguments} -v --set cpus=2 --qmp /tmp/control --set cmdline='console=ttyS0 panic=-1 quiet'")
    lab.terminal.expect(PROMPT, 3 * BOUND_S)  # one software CPU on another takes its time
    typed(lab.terminal, counting.PREPARE)
    lab.terminal.send(counting.SUM + "\n")
    wanted = lab.terminal.expect(r"^[0-9a-f]{32}").group()
    lab.terminal.expect(PROMPT)
    lab.terminal.send(counting.LOOP)
    lab.terminal.expect(r"^L 1 ")
    return wanted


def moves(tap, lab, wanted, source, target):
    """Saves the guest, ends it, and has it go on in a new process under `target`."""
    terminal, start = lab.terminal, lab.terminal.mark
    terminal.expect(counting.LINE.pattern)
    print("#", lab.check("time -f 'saved in %e s' millwright snapshot /tmp/control /tmp/snapshot 2>&1; "
                         "stat -c '%s bytes' /tmp/snapshot").replace("\n", ", "), flush=True)
    lab.check("kill -STOP $(cat /tmp/pid)")
    end = quiet(terminal, 3)  # what is still on the line would be lost by a hangup
    lab.check("kill -9 $(cat /tmp/pid)")
    lab.wait()
    lab.start(f"restore /tmp/snapshot -v --accel {target} --qmp /tmp/control")
    for _ in range(5):
        terminal.expect(counting.LINE.pattern)
    wrong = counting.joint(terminal.text[start:end], terminal.text[end:], wanted, True)
    tap.ok(not wrong, f"a machine saved under {source} goes on under {target}", wrong)


def leaves(tap, lab):
    """Ends the loop and the guest, which must have nothing to complain of."""
    terminal = lab.terminal
    terminal.send("\x03")
    terminal.expect(PROMPT)
    wrong = typed(terminal, "dmesg | grep -E 'WARNING: CPU|BUG: |lockup|stall'")
    tap.ok(not wrong, "the kernel complains of nothing", wrong)
    first, last = (int(typed(terminal, f"date +%s; {then}")) for then in ("sleep 2", "true"))
    tap.ok(2 <= last - first <= 20, "`sleep 2` is two seconds", f"{first} {last}")
    apart = typed(terminal, "echo $(($(date +%s)-$(cat /sys/class/rtc/rtc0/since_epoch)))")
    tap.ok(abs(int(apart)) <= 5, "the clock chip agrees with the kernel's clock", apart)
    tap.ok(typed(terminal, "nproc") == "2", "both CPUs are there")
    terminal.send("poweroff\n")
    tap.ok(lab.wait() == 0, "poweroff ends the process with status 0")


def snapshot(tap, boot):
    """A machine with a CPU that both have goes to and fro between KVM and the software CPU."""
    with boot(cpus=2) as lab:
        wanted = counts(lab, BOOT.replace("microvm", "portable"))
        for source, target in (("kvm", "kvm"), ("kvm", "soft"), ("soft", "kvm")):
            moves(tap, lab, wanted, source, target)
        leaves(tap, lab)
        # One that has seen the software CPU alone so far, with the rate of this host's TSC and without what
        # this host lacks.
        rate = re.search(r"tsc_khz: (\d+)", lab.check("millwright restore /tmp/snapshot --plan"))
        tap.ok(rate, "the rate of the TSC is part of what was saved")
        lab.check("sed -e 's/^name: portable/name: same-rate/' -e 's/^cpu:.*/cpu: { model: x86-64-v1, "
                  f"features: {{ vme: false }}, tsc_khz: {rate.group(1)} }}/' profiles/portable.yaml >profiles/same-rate.yaml")
        wanted = counts(lab, BOOT.replace("microvm", "same-rate").replace("kvm", "soft"))
        moves(tap, lab, wanted, "soft", "kvm")
        leaves(tap, lab)


def snapshot_host(tap, boot):
    """A machine with the host's CPU goes on under KVM, wherever its chips are, and nowhere else."""
    with boot(cpus=2) as lab:
        for chips in ("kernel", "split", "user"):
            wanted = counts(lab, BOOT.replace("microvm", "pc-" + chips))
            tap.ok(f"{chips} irqchip" in lab.messages(), f"{chips} is used", lab.messages())
            moves(tap, lab, wanted, "kvm", "kvm")
            lab.check("millwright snapshot /tmp/control /tmp/snapshot")
            leaves(tap, lab)
            status, text = lab.run("millwright restore /tmp/snapshot --accel soft </dev/null 2>&1")
            tap.ok(status == 1 and (chips == "kernel" or "sse3" in text),
                   "the software CPU refuses it, and says why", f"{status} {text}")


SCENARIOS = {"probe": probe, "facts": facts, "reboot": reboot, "reboots": reboots, "kvm": kvm,
             "bios": lambda tap, boot: pc_bios.bios(tap, boot, OPTIONS.extra[-1]),
             "bios_chips": lambda tap, boot: pc_bios.chips(tap, boot, OPTIONS.extra[-1]),
             "bios_media": pc_bios.media, "debian": pc_bios.debian,
             "two_uarts": two_uarts, "irqchips": irqchips, "streams": streams,
             "snapshot": snapshot, "snapshot_host": snapshot_host,
             "pc_kernel": lambda tap, boot: pc(tap, boot, "kernel"),
             "pc_split": lambda tap, boot: pc(tap, boot, "split"),
             "pc_user": lambda tap, boot: pc(tap, boot, "user"),
             "cpus1": lambda tap, boot: shell(tap, boot, 1),
             "cpus4": lambda tap, boot: shell(tap, boot, 4)}


# QEMU's nested virtualisation sometimes takes the lab's kernel down on a busy host.
ATTEMPTS = 3


def boot(arguments, tap, options):
    lab = Lab(arguments.millwright, arguments.image, extra=arguments.extra, **options)
    lab.failed = lambda: tap.failed > 0
    return lab


def main():
    global OPTIONS
    parser = argparse.ArgumentParser()
    parser.add_argument("scenario", choices=sorted(SCENARIOS))
    parser.add_argument("--millwright", required=True)
    parser.add_argument("--image", required=True)
    parser.add_argument("--extra", nargs="*", default=[],
                        help="programs and folders that the lab carries too")
    OPTIONS = arguments = parser.parse_args()
    for _ in range(ATTEMPTS):
        tap = Tap()
        try:
            SCENARIOS[arguments.scenario](tap, lambda **options: boot(arguments, tap, options))
        except Skip as reason:
            skip(reason)
        except Broken as broken:
            print(f"# {broken}; from the beginning", flush=True)
            continue
        except Failure as failure:
            tap.ok(False, str(failure).splitlines()[0], failure)
        break
    else:
        tap.ok(False, f"the lab's own kernel broke {ATTEMPTS} times")
    sys.exit(tap.done())


if __name__ == "__main__":
    main()
