#!/usr/bin/env python3
"""linux_pc.py SCENARIO --millwright FILE: Debian's kernel on linux-pc and on copies of it that lack something,
on the software CPU, printed as TAP. Exits with 77 where the guest is not there."""
# SPDX-License-Identifier: MIT
import argparse
import copy
import json
import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "tests", folder) for folder in ("support", "lab")]

import verify
from console import PROMPT, Console, conclude
from lab import GUESTS, Tap, skip
from qmp import Qmp

# Seconds for one event. Two sanitizers and a machine full of other tests slow a boot by much.
BOUND_S = float(os.environ.get("MW_BOOT_BOUND", "300"))
CMDLINE = "console=ttyS0 panic=-1 cryptomgr.notests quiet"
NEAR_S = 3  # what a clock of whole seconds and a slow answer leave open
COMPLAINTS = "WARNING: |BUG: |Oops|Call Trace|lockup|stall"
OPTIONS = None

# What a copy of linux-pc says beyond it.
COPIES = {
    "no_rtc": "devices: { rtc: remove }",
    "no_i8042": "devices: { kbd: remove }",
    "no_pit": "devices: { pit: remove }",
    "no_ioapic": "irq: { isa: { to: pic, map: { 0: pic:0 } } }\ndevices: { ioapic: remove }",
    "no_pic": "irq: { isa: { to: ioapic, map: { 0: ioapic:2 } } }\ndevices: { pic: remove }",
    "no_tables": "boot: { tables: [] }",
    "untold": "cpu: { hypervisor: none, tsc_khz: unset }",
    "split": "accel: { irqchip: split }",
    "user": "accel: { irqchip: user }",
    "kernel": "accel: { irqchip: kernel }",
    "jiffies": "accel: { clock: instructions }",
}


class Machine(Console):
    """A guest at its shell's prompt, with a control socket. Use as a context manager."""

    def __init__(self, options="", cpus=1, variant=None, kernel="vmlinuz", initrd="initramfs.gz"):
        self.folder = tempfile.TemporaryDirectory()
        self.socket = os.path.join(self.folder.name, "control")
        self.profile = write_copy(variant, self.folder.name) if variant else "linux-pc"
        self.sets = [f"kernel={guest_file(kernel)}", f"cpus={cpus}",
                     f"initrd={guest_file(initrd)}", f"cmdline={CMDLINE} {options}".strip()]
        self.began = time.time()
        super().__init__([OPTIONS.millwright, "run", self.profile, *self.words(), "--accel", "soft",
                          "-v", "--qmp", self.socket], BOUND_S, folder=ROOT)

    def words(self):
        return [word for value in self.sets for word in ("--set", value)]

    def __enter__(self):
        self.expect(PROMPT)
        return self

    def __exit__(self, *details):
        super().__exit__(*details)
        self.folder.cleanup()

    def plan(self):
        """The plan that it was made from, by the same program."""
        text = subprocess.run(
            [OPTIONS.millwright, "resolve", "--format", "json", self.profile, *self.words()],
            check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment()).stdout
        return json.loads(text)

    def number(self, command):
        return int(self.typed(command))

    def until(self, command, wanted):
        """Asks until the answer matches, some times a second; returns the last one."""
        end = time.monotonic() + self.bound_s
        while True:
            found = self.typed(command)
            if re.search(wanted, found) or time.monotonic() > end:
                return found
            time.sleep(0.1)

    def press(self, *words):
        """`millwright type`; returns what it complains of."""
        result = subprocess.run([OPTIONS.millwright, "type", self.socket, *words], text=True,
                                capture_output=True, timeout=self.bound_s, check=False)
        return result.stderr if result.returncode else ""


def environment():
    return dict(os.environ, MILLWRIGHT_PATH=ROOT)


def guest_file(name):
    path = os.path.join(GUESTS, name)
    if not os.path.exists(path):
        extra = " i386" if name.startswith("i386") else ""
        skip(f"{name} is not in build/guests; run tools/guests{extra}")
    return path


def write_copy(name, folder):
    path = os.path.join(folder, "profile.yaml")
    with open(path, "w", encoding="ascii") as file:
        file.write(f"format: machine/1\nname: {name.replace('_', '-')}\nversion: 1\n"
                   f"summary: linux-pc with a change\nextends: machine/linux-pc@1\n{COPIES[name]}\n")
    return path


def power_off(tap, guest):
    guest.send("poweroff\n")
    status, _ = guest.wait()
    tap.ok(status == 0, "poweroff ends the process with status 0", guest.report())


def reboot(tap, guest, how):
    guest.send("reboot\n")
    guest.expect(r"^Linux \S+ in Millwright")
    guest.expect(PROMPT)
    tap.ok(True, f"`reboot` starts the kernel again, {how}")


def sleeps(tap, guest):
    """A sleep of two seconds is that by the host's clock; a busy host may delay it, but not every time."""
    took = []
    while len(took) < 5 and (not took or min(took) > 2.4):
        start = time.monotonic()
        guest.typed("sleep 2")
        took.append(time.monotonic() - start)
    tap.ok(1.6 <= min(took) <= 2.4, "`sleep 2` takes two seconds of the host's", took)


def complains(tap, guest):
    wrong = guest.typed(f"dmesg | grep -E '{COMPLAINTS}'")
    tap.ok(not wrong, "the kernel complains of nothing", wrong)


def interrupts(guest, name):
    """How often it came, on all CPUs, and the controller."""
    line = guest.typed(f"grep -w '{name}$' /proc/interrupts")
    match = re.match(r" *\w+:((?: +\d+)+) +(\S+)", line)
    return (sum(int(count) for count in match[1].split()), match[2]) if match else (0, line)


def agrees_with_host(tap, guest):
    """`date` shows when the machine was started, and what has passed for it since then: on a host that has
    no time for it a machine falls behind, but never goes ahead."""
    passed = float(guest.typed("cut -d' ' -f1 /proc/uptime"))
    date = guest.number("date +%s")
    tap.ok(guest.began + passed - NEAR_S <= date <= time.time() + NEAR_S, "`date` is the host's time",
           f"began {guest.began}, {passed} passed, date {date}, now {time.time()}")
    texts = [guest.typed(command) for command in ("hwclock -ur", "date -u '+%a %b %e %T %Y'")]
    words = [time.mktime(time.strptime(" ".join(text.split()[:5]), "%a %b %d %H:%M:%S %Y"))
             for text in texts]
    tap.ok(abs(words[0] - words[1]) <= NEAR_S, "`hwclock -r` agrees with it", texts)


def clocks(tap):
    """Time and timers, with one CPU."""
    with Machine() as guest:
        agrees_with_host(tap, guest)
        sleeps(tap, guest)
        sources = guest.typed("cat /sys/bus/clocksource/devices/*0/available*").split()
        tap.ok({"kvm-clock", "tsc", "acpi_pm"} <= set(sources), "clock sources are there", sources)
        timers = guest.typed("cat /proc/timer_list")
        tap.ok(re.search(r"^Clock Event Device: lapic-deadline$", timers, re.M) and
               ".hres_active    : 1" in timers, "the local APIC's timer ticks", timers)
        complains(tap, guest)
        reboot(tap, guest, "by the FADT's reset register")
        agrees_with_host(tap, guest)
        power_off(tap, guest)


# Plans that are wrong on purpose, with what the comparison must say.
WRONG_PLANS = (
    (lambda p: p["nodes"]["pm"]["irq"].update(sci="isa:12"), "FADT: SCI_INT is 9"),
    (lambda p: p["nodes"]["pm"]["io"]["pm"].update(base=0x700), "FADT: ACPI PM1a_EVT_BLK"),
    (lambda p: p["nodes"].pop("pm"), "FADT: flags"),
    (lambda p: p["nodes"].pop("rtc"), "/proc/ioports: 0x70-0x71"),
    (lambda p: p["nodes"]["kbd"]["irq"].update(aux="isa:0"), "_CRS: interrupts"),
    (lambda p: [net.update(trigger="edge") for net in p["nets"]], "/proc/interrupts: pin 9 is"),
)


def cpus2(tap):
    """What two CPUs see is what the plan says."""
    with Machine(cpus=2) as guest:
        tap.ok(guest.typed("nproc") == "2", "there are two CPUs")
        sleeps(tap, guest)
        plan, seen = guest.plan(), guest.typed("facts")
        differences = verify.compare(plan, seen)
        tap.ok(not differences, "the guest and the plan agree", "\n".join(differences))
        for change, message in WRONG_PLANS:
            wrong = copy.deepcopy(plan)
            change(wrong)
            found = verify.compare(wrong, seen)
            tap.ok(any(line.startswith(message) for line in found),
                   f"a wrong plan is noticed: {message}", "\n".join(found))
        power_off(tap, guest)


def rtc(tap):
    """The clock chip: alarms, and a time that the guest sets."""
    with Machine(cpus=2) as guest:
        guest.typed("cd /sys/class/rtc/rtc0")
        tap.ok(interrupts(guest, "rtc0")[0] == 0, "no alarm has come")
        before = guest.number("cat since_epoch")
        guest.typed("echo +2 >wakealarm")
        armed = guest.number("cat wakealarm || echo 0")
        tap.ok(before + 2 <= armed <= before + 2 + NEAR_S, "an alarm is armed", f"{before} {armed}")
        guest.until("cat wakealarm", r"^$")
        after = guest.number("cat since_epoch")
        tap.ok(armed <= after, "it is gone when its time has come", f"{armed} {after}")
        tap.ok(interrupts(guest, "rtc0") == (1, "IO-APIC"), "and has interrupted once")
        guest.typed("date -s '2032-02-28 23:59:57'; hwclock -wu")
        guest.typed("sleep 4")
        tap.ok("Sun Feb 29 00:00:" in guest.typed("hwclock -ur"), "the chip has leap years")
        reboot(tap, guest, "and")
        tap.ok("Sun Feb 29 00:00:" in guest.typed("date"), "the time that was set is kept")
        power_off(tap, guest)


def reads_tty1(guest):
    guest.typed("rm -f /tmp/x; setsid -c cat </dev/tty1 >/tmp/x &")
    guest.until("pidof cat", r"\d")


def types(tap, guest, what, text, wanted=None):
    complaint = guest.press(text, "--enter")
    got = guest.until("tail -n 1 /tmp/x", re.escape((wanted or text)[-8:]) + "$")
    tap.ok(not complaint and got.strip("\n") == (wanted or text), what, complaint or repr(got))


def keyboard(tap):
    """Keys pressed from outside arrive at the first virtual terminal."""
    with Machine() as guest:
        reads_tty1(guest)
        types(tap, guest, "letters, and with Shift", "the quick brown fox JUMPS over the Lazy Dog")
        types(tap, guest, "digits and punctuation",
              "0123456789 !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
        text = "".join(chr(ord("!") + i * 7 % 90) for i in range(200))
        types(tap, guest, "200 characters without a lost one", text)
        guest.press("--keys", "caps_lock")
        types(tap, guest, "Caps Lock", "Caps Lock", "cAPS lOCK")
        guest.press("--keys", "caps_lock")
        tap.ok(guest.typed("pidof cat"), "somebody reads the terminal")
        guest.press("--keys", "ctrl-c")
        tap.ok(not guest.until("pidof cat", r"^$"), "Ctrl-C ends the program there")
        tap.ok(interrupts(guest, "i8042")[0] > 500, "each key interrupts")
        guest.press("--keys", "ctrl-alt-delete")
        guest.expect(r"^Linux \S+ in Millwright")
        guest.expect(PROMPT)
        tap.ok(True, "Ctrl-Alt-Delete starts the kernel again")
        reads_tty1(guest)
        types(tap, guest, "and the keyboard works again", "Again!")


def with_module(name, folder):
    """The guest's initramfs with one more archive behind it, for a kernel unpacks all."""
    tree, path = os.path.join(folder, "tree"), os.path.join(folder, "initramfs.gz")
    os.mkdir(tree)
    with open(guest_file(os.path.join("modules", name)), "rb") as source, \
            open(os.path.join(tree, "module.ko"), "wb") as file:
        file.write(source.read())
    subprocess.run([os.path.join(ROOT, "tests", "support", "initramfs"), tree, path], check=True)
    with open(guest_file("initramfs.gz"), "rb") as first, open(path, "rb") as second:
        archives = first.read() + second.read()
    with open(path, "wb") as file:
        file.write(archives)
    return path


def mouse(tap):
    """Movements arrive as packets of a PS/2 mouse. The cloud kernel has no psmouse, but hands out the bytes."""
    with tempfile.TemporaryDirectory() as folder:
        initrd = with_module("drivers/input/serio/serio_raw.ko", folder)
        with Machine(initrd=initrd) as guest:
            guest.typed("insmod /module.ko; cd /sys/bus/serio/devices/serio1")
            tap.ok(guest.typed("cat description") == "i8042 AUX port", "there is a second port")
            guest.typed("echo -n serio_raw >drvctl; cat /dev/serio_raw0 >/tmp/m &")
            guest.until("pidof cat", r"\d")
            guest.typed("printf '\\364' >/dev/serio_raw0")
            tap.ok(guest.until("xxd -p /tmp/m", "fa") == "fa", "the mouse acknowledges")
            client = Qmp(guest.socket)
            wanted = "fa"
            for what, events, packet in (
                    ("ten to the right", [("rel", {"axis": "x", "value": 10})], "080a00"),
                    ("five down", [("rel", {"axis": "y", "value": 5})], "2800fb"),
                    ("button down", [("btn", {"button": "left", "down": True})], "090000"),
                    ("button up", [("btn", {"button": "left", "down": False})], "080000")):
                client("input-send-event",
                       events=[{"type": kind, "data": data} for kind, data in events])
                wanted += packet
                seen = guest.until("xxd -p /tmp/m", wanted)
                tap.ok(seen == wanted, f"{what}: {packet}", seen)
            client.close()
            power_off(tap, guest)


def i386(tap):
    """Debian's 32-bit kernel."""
    with Machine(kernel="i386/vmlinuz", initrd="i386/initramfs.gz") as guest:
        tap.ok(guest.typed("uname -m") == "i686", "it is the 32-bit kernel")
        agrees_with_host(tap, guest)
        sleeps(tap, guest)
        reads_tty1(guest)
        types(tap, guest, "it has a keyboard", "Typed at a 686")
        complains(tap, guest)
        power_off(tap, guest)


# name: kernel's options, clock source, clock event device, interrupt controller.
OPTION_BOOTS = {
    "noapic": ("noapic", "kvm-clock", "lapic-deadline", "XT-PIC"),
    "nolapic": ("nolapic", "kvm-clock", "pit", "XT-PIC"),
    "pic_alone": ("noapic nolapic no-kvmclock tsc=unstable", "acpi_pm", "pit", "XT-PIC"),
    "no_deadline": ("lapic=notscdeadline nohz=off highres=off", "kvm-clock", "lapic", "IO-APIC"),
    "acpi_pm": ("clocksource=acpi_pm", "acpi_pm", "lapic-deadline", "IO-APIC"),
    "tsc_unstable": ("tsc=unstable no-kvmclock", "acpi_pm", "lapic-deadline", "IO-APIC"),
    "tsc": ("no-kvmclock", "tsc", "lapic-deadline", "IO-APIC"),
}


def uses(tap, guest, source, event, controller):
    found = guest.typed("cat /sys/bus/clocksource/devices/*0/current*")
    tap.ok(found == source, f"time is taken from {source}", found)
    events = guest.typed("grep 'Clock Event Device:' /proc/timer_list")
    tap.ok(events.endswith(f": {event}"), f"the ticks are of {event}", events)
    count, found = interrupts(guest, "ttyS0")
    tap.ok(count > 50 and found == controller, f"the serial port interrupts by {controller}",
           f"{count} {found}")


def option_boot(tap, options, source, event, controller):
    with Machine(options) as guest:
        uses(tap, guest, source, event, controller)
        sleeps(tap, guest)
        agrees_with_host(tap, guest)
        complains(tap, guest)
        power_off(tap, guest)


def jiffies(tap):
    """A kernel that counts ticks counts all of them. Where instructions make the time, no busy host takes
    one away; an idle guest is at its next tick at once, and hours pass while it is typed at. Linux keeps
    no time by ticks that it arms one by one, so the local APIC makes them."""
    options = "clocksource=refined-jiffies nohz=off highres=off lapic=notscdeadline"
    with Machine(options, variant="jiffies") as guest:
        uses(tap, guest, "refined-jiffies", "lapic", "IO-APIC")
        both = "cat /sys/class/rtc/rtc0/since_epoch; date +%s"
        first, second = (tuple(map(int, guest.typed(command).split()))
                         for command in (both, f"sleep 600; {both}"))
        passed = [after - before for before, after in zip(first, second)]
        tap.ok(passed[0] >= 600 and abs(passed[0] - passed[1]) <= 1 + passed[0] / 1000,
               "ticks and the clock chip agree on what has passed", f"{first} {second}")


def acpi_off(tap):
    """Without ACPI the 8259s and the 8254 are all that a kernel knows; nothing switches off then."""
    with Machine("acpi=off noapic nolapic") as guest:
        uses(tap, guest, "kvm-clock", "pit", "XT-PIC")
        sleeps(tap, guest)
        agrees_with_host(tap, guest)
        reboot(tap, guest, "by the keyboard controller")


# name: clock event device, interrupt controller, a command and what it says there.
COPY_BOOTS = {
    "no_rtc": ("lapic-deadline", "IO-APIC", "ls /dev/rtc*", "No such file"),
    "no_i8042": ("lapic-deadline", "IO-APIC", "dmesg | grep 'serio: i8042'", "^$"),
    "no_pit": ("lapic-deadline", "IO-APIC", "grep -c timer$ /proc/interrupts", "^0$"),
    "no_ioapic": ("pit|lapic.*", "XT-PIC", "dmesg | grep 'IOAPIC.0'", "^$"),
    "no_pic": ("lapic-deadline", "IO-APIC", "grep -c XT-PIC /proc/interrupts", "^0$"),
    "split": ("lapic-deadline", "IO-APIC", "nproc", "^1$"),
    "user": ("lapic-deadline", "IO-APIC", "nproc", "^1$"),
}


def copy_boot(tap, name):
    event, controller, command, wanted = COPY_BOOTS[name]
    with Machine(variant=name) as guest:
        events = guest.typed("grep 'Clock Event Device:' /proc/timer_list")
        tap.ok(re.search(f": ({event})$", events), f"the ticks are of {event}", events)
        count, found = interrupts(guest, "ttyS0")
        tap.ok(count > 50 and found == controller, f"the serial port interrupts by {controller}",
               f"{count} {found}")
        answer = guest.typed(command)
        tap.ok(re.search(wanted, answer), f"`{command}` says {wanted}", answer)
        sleeps(tap, guest)
        complains(tap, guest)
        power_off(tap, guest)


def no_tables(tap):
    """A PC from before ACPI."""
    with Machine(variant="no_tables") as guest:
        uses(tap, guest, "kvm-clock", "pit", "XT-PIC")
        sleeps(tap, guest)
        reboot(tap, guest, "by the keyboard controller")


def calibrates(tap, guest, line):
    """Within 0.1 % of what the machine has."""
    real = float(re.search(r"TSC (\d+\.\d+) GHz", guest.messages())[1]) * 1000
    found = guest.typed(f"dmesg | grep '{line}'")
    match = re.search(r"(\d+\.\d+) MHz", found)
    tap.ok(match and abs(float(match[1]) / real - 1) < 0.001, f"the kernel finds {real} MHz", found)


def untold(tap):
    """A kernel that is not told its TSC's rate measures it: by the PM timer, and by the 8254 alone."""
    with Machine(variant="untold") as guest:
        calibrates(tap, guest, "Detected .* MHz")
        sleeps(tap, guest)
        power_off(tap, guest)


def untold_pit(tap):
    with Machine("acpi=off", variant="untold") as guest:
        calibrates(tap, guest, "Detected .* MHz")
        sleeps(tap, guest)


def kernel(tap):
    """`irqchip: kernel` is a hypervisor's."""
    with tempfile.TemporaryDirectory() as folder:
        result = subprocess.run(
            [OPTIONS.millwright, "run", write_copy("kernel", folder), "--accel", "soft",
             "--set", f"kernel={guest_file('vmlinuz')}"], text=True, capture_output=True, cwd=ROOT,
            stdin=subprocess.DEVNULL, timeout=BOUND_S, check=False)
    tap.ok(result.returncode == 1 and "`irqchip: kernel`" in result.stderr and
           "profile.yaml:6:" in result.stderr, "`kernel` is refused, with the place", result.stderr)


SCENARIOS = {
    "clocks": clocks, "cpus2": cpus2, "rtc": rtc, "keyboard": keyboard, "mouse": mouse, "i386": i386,
    "acpi_off": acpi_off, "no_tables": no_tables, "untold": untold, "untold_pit": untold_pit,
    "kernel": kernel, "jiffies": jiffies,
    **{name: lambda tap, row=row: option_boot(tap, *row) for name, row in OPTION_BOOTS.items()},
    **{name: lambda tap, name=name: copy_boot(tap, name) for name in COPY_BOOTS},
}


def main():
    global OPTIONS
    parser = argparse.ArgumentParser()
    parser.add_argument("scenario", choices=sorted(SCENARIOS))
    parser.add_argument("--millwright", required=True)
    OPTIONS = parser.parse_args()
    OPTIONS.millwright = os.path.abspath(OPTIONS.millwright)
    conclude(Tap(), SCENARIOS[OPTIONS.scenario])


if __name__ == "__main__":
    main()
