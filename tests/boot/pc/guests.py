#!/usr/bin/env python3
"""guests.py [--refresh] [media] [disk]: what people boot a BIOS PC from, in build/guests/pc. `media` fetches Debian's
grub-rescue-pc, memtest86+ and ipxe images and makes a CD with the 32-bit kernel of `tools/guests i386`; `disk` makes
debian.img, a partitioned disk with GRUB in its first sectors and a Debian 12 from debootstrap, which takes root and a
few minutes. Both without arguments. What is there and newer than this file is kept; so is what debootstrap made, for
the next time."""
# SPDX-License-Identifier: MIT
import fcntl
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
GUESTS = os.environ.get("MW_GUESTS", os.path.join(ROOT, "build", "guests"))
PC = os.path.join(GUESTS, "pc")
SUITE = "bookworm"
DATE = 1700000000  # of every file
UUID = "4d57babe-0000-4000-8000-000000000001"
DISK_ID = 0x4D57BABE
MIB = 1 << 20
FIRST_SECTOR, ROOT_MIB = 2048, 640

MEDIA = {
    "grub-rescue-pc": {"usr/lib/grub-rescue/grub-rescue-floppy.img": "grub-rescue-floppy.img",
                       "usr/lib/grub-rescue/grub-rescue-cdrom.iso": "grub-rescue-cdrom.iso"},
    "memtest86+": {"usr/lib/memtest86+/memtest86+x64.iso": "memtest86+x64.iso",
                   "usr/lib/memtest86+/memtest86+ia32.iso": "memtest86+ia32.iso",
                   "boot/memtest86+ia32.bin": "memtest86+ia32.bin"},
    "ipxe": {"usr/lib/ipxe/ipxe.iso": "ipxe.iso"},
}

# Beyond debootstrap's minbase.
PACKAGES = ("systemd-sysv", "udev", "kmod", "dbus", "initramfs-tools", "lz4", "pciutils", "dmidecode", "acpica-tools",
            "hdparm", "smartmontools", "fdutils", "util-linux-extra", "eject", "fdisk", "e2fsprogs", "login")

# Folders of the kernel's modules that stay; the others are for hardware that no such PC has.
MODULES = ("arch", "crypto", "lib", "fs/ext4", "fs/jbd2", "fs/isofs", "fs/fat", "fs/nls", "fs/autofs", "fs/fuse",
           "fs/efivarfs", "drivers/acpi", "drivers/ata", "drivers/block", "drivers/cdrom", "drivers/char",
           "drivers/gpu/drm", "drivers/hwmon", "drivers/i2c", "drivers/input", "drivers/parport", "drivers/platform/x86",
           "drivers/pnp", "drivers/powercap", "drivers/rtc", "drivers/scsi", "drivers/thermal", "drivers/tty",
           "drivers/video", "drivers/watchdog", "sound/drivers/pcsp", "sound/core", "sound/pci/ac97")
HEAVY = ("drivers/gpu/drm/amd", "drivers/gpu/drm/i915", "drivers/gpu/drm/nouveau", "drivers/gpu/drm/radeon",
         "drivers/gpu/drm/xe", "drivers/gpu/drm/vmwgfx", "drivers/scsi/lpfc", "drivers/scsi/qla2xxx")
INITRD_MODULES = ("ata_piix", "ata_generic", "sd_mod", "sr_mod", "ext4", "crc32c_generic", "crc32c-intel")

PRUNED = ("usr/share/doc", "usr/share/man", "usr/share/info", "usr/share/locale", "usr/share/i18n", "usr/share/lintian",
          "usr/share/bug", "usr/share/common-licenses", "usr/share/bash-completion", "usr/share/zsh",
          "usr/share/polkit-1", "usr/share/menu", "usr/share/keyrings", "usr/share/pixmaps", "var/lib/apt/lists",
          "var/cache", "var/log", "run", "tmp", "usr/lib/systemd/catalog", "usr/share/zoneinfo/right",
          "usr/lib/x86_64-linux-gnu/gconv", "usr/share/perl5", "usr/share/misc/usb.ids")
MASKED = ("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer",
          "e2scrub_reap.service", "fstrim.timer", "smartmontools.service", "smartd.service", "systemd-timesyncd.service",
          "systemd-networkd.service", "systemd-pcrphase.service", "systemd-pstore.service",
          "systemd-update-utmp-runlevel.service", "sys-kernel-debug.mount", "sys-kernel-tracing.mount", "dev-hugepages.mount",
          "dev-mqueue.mount", "modprobe@drm.service", "remote-fs.target")

GRUB_MODULES = ("biosdisk", "part_msdos", "ext2", "normal", "configfile", "linux", "serial", "terminal", "test", "echo",
                "ls", "search", "search_fs_uuid", "boot", "cat", "reboot", "halt", "minicmd")
KERNEL_WORDS = "root=UUID=" + UUID + " ro console=tty0 console=ttyS0,115200"
GRUB_CFG = f"""\
serial --unit=0 --speed=115200
terminal_input console serial
terminal_output console serial
set timeout=2
set default=0
menuentry "Debian" {{
	linux /boot/vmlinuz {KERNEL_WORDS} nomodeset quiet
	initrd /boot/initrd.img
}}
menuentry "Debian, all messages" {{
	linux /boot/vmlinuz {KERNEL_WORDS} nomodeset
	initrd /boot/initrd.img
}}
menuentry "Debian, graphical console" {{
	linux /boot/vmlinuz {KERNEL_WORDS}
	initrd /boot/initrd.img
}}
"""
I386_CFG = """\
serial --unit=0 --speed=115200
terminal_input console serial
terminal_output console serial
set timeout=1
menuentry "Debian i386" {
	linux /vmlinuz console=tty0 console=ttyS0,115200 panic=-1 nomodeset quiet
	initrd /initramfs.gz
}
"""


def say(text):
    print(f"guests: {text}", flush=True)


def fail(text):
    sys.exit(f"guests: {text}")


def run(*command, log=None, **options):
    """With `log`, a file, output goes there, and its end is shown when the command fails."""
    if not log:
        return subprocess.run(command, check=True, **options)
    with open(log, "ab") as out:
        done = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, check=False, **options)
    if done.returncode:
        with open(log, encoding="utf-8", errors="replace") as text:
            sys.stderr.write("".join(text.readlines()[-20:]))
        fail(f"{command[0]} failed; its log is {log}")
    return done


def install(*names):
    run(os.path.join(ROOT, "tools", "packages"), *names)


class Steps:
    """Says what is being done, and how long it took."""

    def __init__(self, total):
        self.total, self.number, self.began = total, 0, time.monotonic()

    def __call__(self, text):
        self.number += 1
        say(f"[{self.number}/{self.total}] {text} ({time.monotonic() - self.began:.0f} s)")


def download(folder, *names):
    """Debian's packages, checked by apt against its signatures."""
    os.makedirs(folder, exist_ok=True)
    command = ["apt-get", "-qq", "-o", "APT::Sandbox::User=", "download", *names]
    if subprocess.run(command, cwd=folder, check=False).returncode:
        run("apt-get", "-qq", "update", stdout=subprocess.DEVNULL)
        run(*command, cwd=folder)


def is_current(path, *others):
    """Newer than this script and what it is made of."""
    sources = [os.path.abspath(__file__), *others]
    return os.path.exists(path) and all(
        os.path.getmtime(path) >= os.path.getmtime(source) for source in sources if os.path.exists(source))


def make_media(refresh):
    wanted = [os.path.join(PC, name) for files in MEDIA.values() for name in files.values()]
    if refresh or not all(os.path.exists(path) for path in wanted):
        say("fetching " + ", ".join(MEDIA))
        with tempfile.TemporaryDirectory(dir=PC) as folder:
            download(folder, *MEDIA)
            tree = os.path.join(folder, "tree")
            for package in glob.glob(os.path.join(folder, "*.deb")):
                run("dpkg", "-x", package, tree)
            for files in MEDIA.values():
                for source, name in files.items():
                    shutil.copy(os.path.join(tree, source), os.path.join(PC, name))
    make_i386(refresh)
    say(f"rescue disks, memtest86+ and iPXE are in {PC}")


def make_i386(refresh):
    """A CD with the kernel and the initramfs of tools/guests."""
    image = os.path.join(PC, "i386.iso")
    sources = [os.path.join(GUESTS, "i386", name) for name in ("vmlinuz", "initramfs.gz")]
    if not all(os.path.exists(source) for source in sources):
        say("no 32-bit CD: run `tools/guests i386` before")
        return
    if not refresh and is_current(image, *sources):
        return
    install("grub-common", "grub-pc-bin", "xorriso", "mtools")
    with tempfile.TemporaryDirectory(dir=PC) as tree:
        os.makedirs(os.path.join(tree, "boot", "grub"))
        for source in sources:
            shutil.copy(source, tree)
        write(tree, "boot/grub/grub.cfg", I386_CFG)
        run("grub-mkrescue", "-d", "/usr/lib/grub/i386-pc", "-o", image + ".new", tree, log=image + ".log",
            env=dict(os.environ, SOURCE_DATE_EPOCH=str(DATE)))
    os.rename(image + ".new", image)


def write(tree, name, text, mode=0o644):
    path = os.path.join(tree, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.lexists(path):
        os.unlink(path)
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    os.chmod(path, mode)


def mirror():
    found = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", f"Codename: {SUITE}", "Component: main",
         "Created-By: Packages"], stdout=subprocess.PIPE, text=True, check=False).stdout.split()
    if not found:
        fail(f"apt's sources name no archive of Debian's {SUITE}")
    return found[0]


def bootstrap(tree, log):
    """What debootstrap makes is kept, as it takes the longest."""
    base, made_of = os.path.join(PC, "base.tar"), os.path.join(PC, "base.packages")
    wanted = " ".join((SUITE, *PACKAGES))
    if not os.path.exists(base) or not os.path.exists(made_of) or open(made_of, encoding="ascii").read() != wanted:
        run("debootstrap", "--variant=minbase", "--include=" + ",".join(PACKAGES), SUITE, tree, mirror(), log=log)
        run("tar", "-c", "--one-file-system", "-C", tree, "-f", base + ".new", ".")
        os.rename(base + ".new", base)
        write(PC, "base.packages", wanted)
        return
    os.makedirs(tree)
    run("tar", "-x", "-C", tree, "-f", base)


def kernel_package():
    text = subprocess.run(["apt-cache", "depends", "linux-image-amd64"], stdout=subprocess.PIPE, text=True,
                          check=True).stdout
    match = re.search(r"Depends: (linux-image-[0-9]\S*-amd64)", text)
    if not match:
        fail("apt knows no kernel that linux-image-amd64 depends on; does `apt-get update` work?")
    return match[1]


def is_below(path, folders):
    return any(path.startswith(f"kernel/{folder}/") for folder in folders)


def keep_modules(folder, tree, version):
    """Those of MODULES and what they need."""
    run("depmod", "-b", tree, version)
    with open(os.path.join(folder, "modules.dep"), encoding="ascii") as file:
        needs = {name: rest.split() for name, rest in (line.split(":") for line in file)}
    kept = {name for name in needs if is_below(name, MODULES) and not is_below(name, HEAVY)}
    kept |= {needed for name in kept for needed in needs[name]}
    for name in set(needs) - kept:
        os.unlink(os.path.join(folder, name))


def put_kernel(tree, folder):
    """The full kernel, with those of its modules that such a PC may want. Returns its version."""
    name = kernel_package()
    version = name[len("linux-image-"):]
    download(folder, name)
    package = glob.glob(os.path.join(folder, name + "_*.deb"))[0]
    files = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE)
    run("tar", "-x", "--keep-directory-symlink", "-C", tree, stdin=files.stdout)  # /lib is a link
    if files.wait():
        fail(f"{package} cannot be unpacked")
    keep_modules(os.path.join(tree, "lib/modules", version), tree, version)
    run("depmod", "-b", tree, version)
    return version


def configure(tree):
    write(tree, "etc/fstab", f"UUID={UUID} / ext4 errors=remount-ro 0 1\n")
    write(tree, "etc/hostname", "debian\n")
    write(tree, "etc/hosts", "127.0.0.1 localhost debian\n")
    write(tree, "etc/machine-id", "4d57babe000040008000000000000001\n")
    write(tree, "etc/initramfs-tools/initramfs.conf", "MODULES=list\nBUSYBOX=n\nKEYMAP=n\nCOMPRESS=lz4\nFSTYPE=ext4\n")
    write(tree, "etc/initramfs-tools/modules", "\n".join(INITRD_MODULES) + "\n")
    # Reading an empty drive takes long; who wants the floppy loads its driver.
    write(tree, "etc/modprobe.d/floppy.conf", "blacklist floppy\n")
    write(tree, "etc/systemd/system.conf.d/slow.conf", "[Manager]\nDefaultTimeoutStartSec=900s\n"
          "DefaultDeviceTimeoutSec=900s\nDefaultTimeoutStopSec=300s\nRuntimeWatchdogSec=0\n")
    write(tree, "etc/systemd/journald.conf.d/small.conf", "[Journal]\nStorage=volatile\nForwardToConsole=no\n")
    write(tree, "etc/issue", "Debian GNU/Linux 12 \\n \\l\n\n")
    write(tree, "etc/motd", "")
    write(tree, "boot/grub/grub.cfg", GRUB_CFG)
    for unit in MASKED:
        path = os.path.join(tree, "etc/systemd/system", unit)
        if os.path.lexists(path):
            os.unlink(path)
        os.symlink("/dev/null", path)
    shutil.copy(os.path.join(ROOT, "tests/support/guest/bin/facts"), os.path.join(tree, "usr/local/bin/facts"))
    shadow = os.path.join(tree, "etc/shadow")
    with open(shadow, encoding="ascii") as file:  # root logs in without a password
        text = re.sub(r"^root:[^:]*:\d*:", "root::19000:", file.read(), flags=re.M)
    write(tree, "etc/shadow", re.sub(r"^(\w[^:]*:[^:]*):\d+:", r"\1:19000:", text, flags=re.M), 0o640)
    os.makedirs(os.path.join(tree, "boot/grub/i386-pc"), exist_ok=True)
    for file in glob.glob("/usr/lib/grub/i386-pc/*.mod") + glob.glob("/usr/lib/grub/i386-pc/*.lst"):
        shutil.copy(file, os.path.join(tree, "boot/grub/i386-pc"))


def prune(tree):
    for name in PRUNED:
        path = os.path.join(tree, name)
        if os.path.isdir(path):
            for entry in os.listdir(path):
                below = os.path.join(path, entry)
                shutil.rmtree(below) if os.path.isdir(below) and not os.path.islink(below) else os.unlink(below)
        elif os.path.exists(path):
            os.unlink(path)
    for path in glob.glob(os.path.join(tree, "dev", "*")):
        shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)
    os.makedirs(os.path.join(tree, "var/log/journal"), exist_ok=True)
    os.rmdir(os.path.join(tree, "var/log/journal"))


def make_initrd(tree, version, log):
    run("chroot", tree, "update-initramfs", "-c", "-k", version, log=log,
        env=dict(os.environ, SOURCE_DATE_EPOCH=str(DATE), LC_ALL="C"))
    for name, link in ((f"vmlinuz-{version}", "vmlinuz"), (f"initrd.img-{version}", "initrd.img")):
        path = os.path.join(tree, "boot", link)
        if os.path.lexists(path):
            os.unlink(path)
        os.symlink(name, path)


def date_all(tree):
    for path, folders, files in os.walk(tree):
        for name in folders + files:
            os.utime(os.path.join(path, name), (DATE, DATE), follow_symlinks=False)


def make_file_system(tree, path, log):
    with open(path, "wb") as file:
        file.truncate(ROOT_MIB * MIB)
    run("mke2fs", "-q", "-t", "ext4", "-d", tree, "-U", UUID, "-L", "root", "-m", "1", "-O",
        "^metadata_csum_seed,^orphan_file,^64bit", "-E", f"hash_seed={UUID},lazy_itable_init=1,lazy_journal_init=1,root_owner=0:0",
        "-J", "size=16", path, log=log, env=dict(os.environ, E2FSPROGS_FAKE_TIME=str(DATE)))


def make_grub(folder):
    core = os.path.join(folder, "core.img")
    run("grub-mkimage", "-O", "i386-pc", "-o", core, "-p", "(hd0,msdos1)/boot/grub", *GRUB_MODULES)
    with open("/usr/lib/grub/i386-pc/boot.img", "rb") as boot, open(core, "rb") as rest:
        return boot.read(440), rest.read()


def copy_sparse(source, target, offset):
    """Blocks of zeros become holes."""
    with open(source, "rb") as file:
        target.seek(offset)
        while True:
            block = file.read(MIB)
            if not block:
                return
            if block.count(0) == len(block):
                target.seek(len(block), os.SEEK_CUR)
            else:
                target.write(block)


def make_image(file_system, folder, image):
    """boot.img loads core.img from the sector after it, and that itself from there on."""
    sectors = FIRST_SECTOR + ROOT_MIB * MIB // 512
    boot, core = make_grub(folder)
    if len(core) > (FIRST_SECTOR - 1) * 512:
        fail("GRUB does not fit before the partition")
    with open(image, "wb") as file:
        file.truncate(sectors * 512)
    run("sfdisk", "-q", image, input=f"label: dos\nlabel-id: {DISK_ID:#x}\nstart={FIRST_SECTOR}, type=83, bootable\n",
        text=True)
    with open(image, "r+b") as file:
        file.write(boot)
        file.seek(512)
        file.write(core)
        copy_sparse(file_system, file, FIRST_SECTOR * 512)


def make_disk(refresh):
    image = os.path.join(PC, "debian.img")
    if not refresh and is_current(image, os.path.join(ROOT, "tests/support/guest/bin/facts")):
        say(f"a Debian on a disk is {image}")
        return
    if os.geteuid():
        fail("debootstrap needs root: call this as root once")
    install("debootstrap", "debian-archive-keyring", "grub-common", "grub-pc-bin", "e2fsprogs", "fdisk", "kmod")
    step, log = Steps(5), os.path.join(PC, "debian.log")
    for name in ("debian.log", *(("base.packages",) if refresh else ())):
        if os.path.exists(os.path.join(PC, name)):
            os.unlink(os.path.join(PC, name))
    folder = tempfile.mkdtemp(dir=PC)
    try:
        tree = os.path.join(folder, "root")
        step(f"debootstrap of Debian's {SUITE}; the log is {log}")
        bootstrap(tree, log)
        step("the kernel")
        version = put_kernel(tree, folder)
        step(f"configuration and an initramfs for {version}")
        configure(tree)
        make_initrd(tree, version, log)
        prune(tree)
        date_all(tree)
        step("the file system")
        make_file_system(tree, os.path.join(folder, "root.img"), log)
        step("the disk")
        make_image(os.path.join(folder, "root.img"), folder, image + ".new")
        os.rename(image + ".new", image)
    finally:
        run("rm", "-rf", "--one-file-system", folder)
    say(f"a Debian on a disk is {image}, {os.stat(image).st_blocks * 512 // MIB} MiB")


def main():
    words = sys.argv[1:]
    refresh = "--refresh" in words
    wanted = [word for word in words if word != "--refresh"] or ["media", "disk"]
    makers = {"media": make_media, "disk": make_disk}
    if set(wanted) - set(makers):
        fail("usage: guests.py [--refresh] [media] [disk]")
    os.makedirs(PC, exist_ok=True)
    with open(os.path.join(PC, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for word in wanted:
            makers[word](refresh)


if __name__ == "__main__":
    main()
