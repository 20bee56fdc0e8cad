"""Scenarios of the KVM lab with a BIOS: SeaBIOS on pc-legacy, and what it boots, by the same judges as on the software
CPU (tests/boot/pc)."""
# SPDX-License-Identifier: MIT
import os
import shlex
import shutil
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [HERE, os.path.join(TESTS, "support"), os.path.join(TESTS, "boot", "pc")]

import console
import debian as judge_debian
import firmware as judge_firmware
import pc
from lab import BOUND_S, GUESTS, Failure, Skip

MEDIA = ("grub-rescue-floppy.img", "grub-rescue-cdrom.iso")
LOOK_S = 2  # between two looks at a screen; each is work for the CPU that the guest runs on
DEBIAN_S = 900  # for one event, as long as SeaBIOS's reading of a kernel sector by sector


class LabPc(pc.Driven, console.Console):
    """A BIOS PC in the lab under KVM. Use as a context manager; leaving it ends the machine. `devices` are lines of
    YAML below its `devices:`, `extra` other YAML."""

    look_s = LOOK_S

    def __init__(self, lab, sets=None, devices="", extra="", bound_s=BOUND_S):
        self.lab, self.millwright, self.bound_s = lab, lab.millwright, bound_s
        self.mark, self.is_open = len(lab.terminal.text), True
        self.own = tempfile.TemporaryDirectory()
        self.folder = self.own.name
        self.profile = os.path.join(self.folder, "pc.yaml")
        self.sets = pc.set_words({"menu": "false", **(sets or {})})
        text = f"{pc.PROFILE}{extra}\n" + (f"devices:\n{devices}\n" if devices else "")
        with open(self.profile, "w", encoding="ascii") as file:
            file.write(text)
        lab.check("rm -f /tmp/control; printf '%b' " + shlex.quote(text.replace("\n", "\\n")) + " >/tmp/pc.yaml")
        self.command = ["run", "/tmp/pc.yaml", *self.sets, "--accel", "kvm", "-v", "--qmp", "/tmp/control"]
        lab.start(" ".join(self.command))

    @property
    def text(self):
        return self.lab.terminal.text

    def pump(self, wait_s):
        self.lab.sound()
        self.is_open = self.lab.terminal.pump(wait_s)

    def send(self, text):
        self.lab.terminal.send(text)

    def call(self, verb, *words, check=True):
        status, output = self.lab.run(shlex.join(["millwright", verb, "/tmp/control", *words]) + " 2>/tmp/verb.log")
        if status and check:
            raise console.Failure(f"millwright {verb}: {self.lab.check('cat /tmp/verb.log')}")
        return output if not status else ""

    def has_ended(self):
        return self.lab.run("[ -s /tmp/status ]")[0] == 0

    def wait(self):
        return self.lab.wait(self.bound_s), 0

    def messages(self):
        return self.lab.messages()

    def __enter__(self):
        return self

    def __exit__(self, kind, failure, trace):
        """The lab tells its own failures with all that was seen in it."""
        self.own.cleanup()
        if isinstance(failure, console.Failure):
            raise Failure(str(failure)) from None
        if not kind and not self.has_ended():
            self.lab.run("kill -9 $(cat /tmp/pid)")
            self.lab.wait()


def medium(name):
    path = os.path.join(GUESTS, "pc", name)
    if not os.path.exists(path):
        raise Skip(f"{name} is not in build/guests/pc; run tools/guests pc")
    return path


def carry_media(folder):
    """The BIOS's disks, in a folder that the lab carries."""
    os.makedirs(folder, exist_ok=True)
    for name in MEDIA:
        source, target = medium(name), os.path.join(folder, name)
        if not os.path.exists(target) or os.path.getmtime(target) < os.path.getmtime(source):
            shutil.copy(source, target)


def shows_grub(tap, machine, how):
    """GRUB's menu, its lspci and its halt."""
    machine.expect(r"SeaBIOS \(version")
    tap.ok(True, f"SeaBIOS is on the serial line ({how})")
    machine.watch(r"GNU GRUB +version")
    tap.ok(True, f"GRUB's menu is on the screen ({how})")
    machine.press("c")
    machine.type("lspci")
    text = machine.watch(r"(?s).*1234:1111.*").group(0)
    tap.ok(all(word in text for word in ("8086:1237", "8086:7000", "8086:7010", "8086:7113")),
           "lspci there finds the functions of the plan", text)
    machine.send("halt\r")
    tap.ok(machine.wait()[0] == 0, "halt switches it off", machine.messages())


def bios(tap, boot, folder):
    """SeaBIOS and GRUB: real mode, PAM and base address registers that move, floppy and CD."""
    carry_media(folder)
    with boot() as lab:
        for drive, name in zip(("floppy", "cdrom"), MEDIA):
            with LabPc(lab, {"ram": "64MiB", drive: f"{folder}/{name}"}) as machine:
                shows_grub(tap, machine, drive)


def media(tap, boot):
    """What is no system from CDs: memtest86+ on 16 MiB, iPXE."""
    with boot(cpus=2, disks=(medium("memtest86+ia32.iso"), medium("ipxe.iso"))) as lab:
        with LabPc(lab, {"cdrom": "/dev/vda", "ram": "16MiB"}) as machine:
            judge_firmware.tests_memory(tap, machine)
        with LabPc(lab, {"cdrom": "/dev/vdb"}) as machine:
            judge_firmware.starts_ipxe(tap, machine)


def chips(tap, boot, folder):
    """The BIOS on two CPUs where the accelerator runs fewer of the interrupt chips, or none."""
    carry_media(folder)
    with boot(cpus=2) as lab:
        for place in ("split", "user"):
            with LabPc(lab, {"ram": "64MiB", "cpus": 2, "cdrom": f"{folder}/{MEDIA[1]}"},
                       extra=f"accel: {{ irqchip: {place} }}\n") as machine:
                shows_grub(tap, machine, f"{place} interrupt chips")
                tap.ok(f"{place} irqchip, 2 CPUs" in machine.messages(), f"{place} is used", machine.messages())


def debian(tap, boot):
    """The installed Debian from its IDE disk, to a login on the serial line and on the screen."""
    with boot(cpus=2, disks=(medium("debian.img"),)) as lab:
        disk = "  disk0: { type: ata-disk, at: ide:0.0, backend: { overlay: /dev/vda } }"
        with LabPc(lab, devices=disk, extra="boot: { order: [disk0] }\n", bound_s=DEBIAN_S) as machine:
            judge_debian.logs_in(tap, machine)
            judge_debian.agrees(tap, machine)
            judge_debian.power_off(tap, machine)
