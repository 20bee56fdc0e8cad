"""The node packages of package-lock.json, installed once into build/npm; every test that cannot have
them is skipped."""
# SPDX-License-Identifier: MIT
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
FOLDER = os.path.join(ROOT, "build", "npm")
FILES = ("package.json", "package-lock.json")
# What npm says when it is not our lock file that is wrong but the way to the registry.
UNREACHABLE = (r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|"
               r"ERR_SOCKET_TIMEOUT|ENOTCACHED|\b40[13]\b|\b50[234]\b|network")
SKIP = 77


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIP)


def wanted():
    digest = hashlib.sha256()
    for name in FILES:
        with open(os.path.join(HERE, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def install():
    for name in FILES:
        shutil.copy(os.path.join(HERE, name), FOLDER)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1",
               "--fetch-timeout=20000"]
    try:
        done = subprocess.run(command, cwd=FOLDER, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False, timeout=240)
    except subprocess.TimeoutExpired:
        skip("npm had not installed the packages after 240 s")
    if done.returncode and re.search(UNREACHABLE, done.stdout):
        last = [line for line in done.stdout.splitlines() if line.strip()]
        skip(f"npm does not reach its registry: {last[0] if last else done.returncode}")
    if done.returncode:
        sys.exit(f"npm ci:\n{done.stdout}")


def modules():
    """The folder node_modules; ends the process where it cannot be had."""
    for program in ("node", "npm"):
        if not shutil.which(program):
            skip(f"{program} is not installed")
    os.makedirs(FOLDER, exist_ok=True)
    stamp = os.path.join(FOLDER, "stamp")
    with open(os.path.join(FOLDER, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        have = ""
        if os.path.exists(stamp):
            with open(stamp, encoding="ascii") as file:
                have = file.read()
        if have != wanted():
            install()
            with open(stamp, "w", encoding="ascii") as file:
                file.write(wanted())
    return os.path.join(FOLDER, "node_modules")
