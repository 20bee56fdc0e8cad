#!/usr/bin/env python3
"""link.py --millwright FILE: two guests on the software CPU, joined by serial cables. One logs in to
the other's getty and moves files by ZMODEM; then both send at once, as fast as they can. Nothing may be
lost. Printed as TAP; exits with 77 where the guest is not there."""
# SPDX-License-Identifier: MIT
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "tests", folder) for folder in ("support", "lab")]

from console import PROMPT, Console, Failure
from lab import GUESTS, Tap, skip

BOUND_S = float(os.environ.get("MW_BOOT_BOUND", "600"))
CMDLINE = "console=ttyS0 reboot=t panic=-1 cryptomgr.notests quiet"
ZMODEM = ("sz", "rz")
KIB = 200
LOST = "already joins two machines"


def guest_file(name):
    path = os.path.join(GUESTS, name)
    if not os.path.exists(path):
        skip(f"{name} is not in build/guests; run tools/guests")
    return path


def libraries(program):
    """The files that the program needs beside itself."""
    text = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return re.findall(r"(/\S+) \(0x", text)


def make_initrd(folder):
    """The guest's archive, and behind it one with the host's lrzsz where there is one."""
    initrd, tree = os.path.join(folder, "initrd"), os.path.join(folder, "tree")
    programs = [shutil.which(name) for name in ZMODEM]
    archives = [guest_file("initramfs.gz")]
    if all(programs):
        files = {"/bin/" + name: path for name, path in zip(ZMODEM, programs)}
        files.update({path: path for program in programs for path in libraries(program)})
        for name, path in files.items():
            os.makedirs(os.path.dirname(tree + name), exist_ok=True)
            shutil.copy(os.path.realpath(path), tree + name)
        archives.append(os.path.join(folder, "lrzsz.gz"))
        subprocess.run([os.path.join(ROOT, "tests/support/initramfs"), tree, archives[1]],
                       check=True)
    with open(initrd, "wb") as out:
        for archive in archives:
            with open(archive, "rb") as file:
                shutil.copyfileobj(file, out)
    return initrd, all(programs)


def command(millwright, initrd, more=""):
    return [millwright, "run", os.path.join(HERE, "link.yaml"), "--accel", "soft",
            "--set", f"kernel={guest_file('vmlinuz')}", "--set", f"initrd={initrd}",
            "--set", f"cmdline={CMDLINE} {more}".strip(), "--set", "cable=boot"]


def prepare(console, *ttys):
    """Ports that are held open, since what is in one that closes is lost, and a file of random bytes."""
    console.expect(PROMPT)
    for number, tty in enumerate(ttys):
        console.typed(f"stty -F /dev/{tty} raw -echo")
        console.typed(f"exec {4 - number}<>/dev/{tty}")
    console.typed(f"head -c {KIB * 1024} /dev/urandom >/tmp/out")
    return console.typed("md5sum </tmp/out")


def log_in(tap, near):
    """A session on the far machine, over the cable."""
    near.expect(r"login: ")
    near.send("printf 'root\\r' >&3\n")
    near.expect(f"{PROMPT}(.|\n)*{PROMPT}")  # ours and that of the other, in any order
    near.send("printf 'echo $((6 * 7)) here; cat /tmp/name\\r' >&3\n")
    near.expect(r"^42 here\nthe far one\n")
    tap.ok(True, "getty's login and a shell work over the cable")
    near.send("\n")
    near.expect(PROMPT)
    near.typed("kill $!")


def check(tap, console, path, wanted, what):
    found = console.typed(f"md5sum <{path}")
    tap.ok(found == wanted, what, f"{found} is not {wanted}\n{console.report()}")


def move_files(tap, near, far, sums):
    """By ZMODEM, with the session's shell at the other end."""
    near.typed("cd /tmp && mv out near && mkdir got && cd got")
    near.typed("printf 'cd /tmp; mv out far; rz -q\\r' >&3; sleep 1")
    near.typed("sz -q -b ../near <&3 >&3 2>/dev/null; sleep 1")
    check(tap, far, "/tmp/near", sums[0], f"sz there, rz here: {KIB} KiB arrive")
    near.typed("printf 'sz -q -b far\\r' >&3; rz -q -b <&3 >&3 2>/dev/null")
    check(tap, near, "/tmp/got/far", sums[1], f"rz there, sz here: {KIB} KiB arrive")
    near.typed("mv ../near ../out")
    far.typed("mv /tmp/far /tmp/out")


def send_at_once(tap, near, far, sums):
    """Both ways at the same time, with no protocol that would repeat what is lost."""
    for console in (near, far):
        console.send(f"head -c {KIB * 1024} <&4 >/tmp/in & cat /tmp/out >&4; wait $!; echo do''ne\n")
    for console, wanted in ((near, sums[1]), (far, sums[0])):
        console.expect(r"^done\n")
        console.expect(PROMPT)
        check(tap, console, "/tmp/in", wanted, f"{KIB} KiB arrive while as many are sent")


def refuse_third(tap, words):
    third = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                           timeout=BOUND_S, check=False)
    tap.ok(third.returncode != 0 and LOST in third.stderr, "a third machine is refused",
           third.stderr)


def power_off(tap, console, what):
    console.send("poweroff\n")
    status, _ = console.wait()
    tap.ok(status == 0, what, console.report())


def talk(tap, near, far, sums, has_zmodem):
    log_in(tap, near)
    if has_zmodem:
        move_files(tap, near, far, sums)
    else:
        print("# sz and rz are not installed: no ZMODEM")
    send_at_once(tap, near, far, sums)
    power_off(tap, near, "one of them ends")
    tap.ok(far.typed("echo $((6 * 7))") == "42", "the other goes on")
    power_off(tap, far, "and ends as well")
    for console in (near, far):
        lines = [line for line in console.messages().splitlines() if "lost" in line]
        tap.ok(not lines, "no port complains of a lost byte", "\n".join(lines))


def run(tap, millwright, folder):
    initrd, has_zmodem = make_initrd(folder)
    plain = command(millwright, initrd)
    with Console(plain, BOUND_S, folder=ROOT) as near:
        sums = [prepare(near, "ttyS2", "ttyS1")]
        near.typed("cat <&3 &")
        # A port echoes until it is raw, which the other's getty would take for names: it comes second.
        with Console(command(millwright, initrd, "login=ttyS1"), BOUND_S, folder=ROOT) as far:
            sums.append(prepare(far, "ttyS2"))
            far.typed("echo the far one >/tmp/name")
            refuse_third(tap, plain)
            talk(tap, near, far, sums, has_zmodem)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--millwright", required=True)
    options = parser.parse_args()
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(XDG_RUNTIME_DIR=folder, MILLWRIGHT_PATH=ROOT)
        try:
            run(tap, options.millwright, folder)
        except Failure as failure:
            tap.ok(False, str(failure).splitlines()[0], failure)
    sys.exit(tap.done())


if __name__ == "__main__":
    main()
