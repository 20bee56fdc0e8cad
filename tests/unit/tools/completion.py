#!/usr/bin/env python3
"""completion.py SHELL MILLWRIGHT: the shell itself completes command lines of millwright."""
# SPDX-License-Identifier: MIT
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
SKIP = 77
# A command line up to the cursor, words that must be offered, words that must not.
CASES = (
    (["millwright", "li"], {"lint"}, {"run", "resolve"}),
    (["millwright", ""], {"run", "lint", "schema", "help"}, set()),
    (["millwright", "lint", "--fail"], {"--fail-on"}, {"--set"}),
    (["millwright", "lint", "--fail-on", "w"], {"warning"}, {"error"}),
    (["millwright", "devices", "uart16"], {"uart16550"}, {"i8042"}),
    (["millwright", "help", "res"], {"restore", "resolve"}, {"run"}),
    (["millwright", "resolve", "micro"], {"microvm"}, {"linux-pc"}),
    (["millwright", "completion", ""], {"bash", "zsh", "fish"}, {"run"}),
    (["millwright", "schema", "de"], {"device"}, {"machine/1"}),
    (["millwright", "explain", "R30"], {"R301", "R304"}, {"S101"}),
    (["millwright", "run", "--accel", "s"], {"soft"}, {"kvm"}),
)
# A profile's name that a shell would obey, were it to read it as code.
TRAP = "x$(touch pwned)`touch pwned`"

ZSH = r"""
zmodload zsh/zpty
zpty shell "zsh -f -i"
send() { zpty -w shell "$1" }
send "PS1=; setopt no_beep; autoload -U compinit; compinit -u -D; stty columns 200 rows 50"
send "source $SCRIPT; compadd () { local -a shown; builtin compadd -O shown \"\$@\"; \
(( \${#shown} )) && print -rl -- \"OFFER:\"\${^shown} >>\$OFFERS; builtin compadd \"\$@\" }"
send "bindkey '^I' complete-word; print ready >>\$OFFERS"
while ! grep -q ready $OFFERS; do sleep 0.05; done
zpty -n -w shell "$LINE"$'\t'
for i in {1..60}; do sleep 0.05; grep -q OFFER: $OFFERS && break; done
sleep 0.2
zpty -d shell
"""


def run(command, cwd=ROOT, **options):
    return subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, timeout=60, **options)


def ask_bash(script, words, cwd=ROOT):
    quoted = " ".join(f"'{word}'" for word in words)
    text = (f"source {script}\nCOMP_WORDS=({quoted})\nCOMP_CWORD={len(words) - 1}\n"
            "_millwright\nprintf '%s\\n' \"${COMPREPLY[@]}\"\ncomplete -p millwright >/dev/null")
    done = run(["bash", "--norc", "-c", text], cwd)
    return done.returncode, done.stdout.split()


def ask_fish(script, words, cwd=ROOT):
    done = run(["fish", "--no-config", "-c", f"source {script}; complete -C '{' '.join(words)}'"], cwd)
    return done.returncode, [line.split("\t")[0] for line in done.stdout.splitlines()]


def ask_zsh(script, words, cwd=ROOT):
    with tempfile.TemporaryDirectory() as folder:
        offers = os.path.join(folder, "offers")
        open(offers, "w", encoding="ascii").close()
        environment = dict(os.environ, SCRIPT=script, OFFERS=offers, LINE=" ".join(words),
                           TERM="dumb", HOME=folder)
        done = run(["zsh", "-f", "-c", ZSH], cwd, env=environment)
        with open(offers, encoding="utf-8") as file:
            lines = [line[len("OFFER:"):].strip() for line in file if line.startswith("OFFER:")]
    return done.returncode, [line.split(":")[0] for line in lines]


def main():
    shell, program = sys.argv[1:]
    if not shutil.which(shell):
        print(f"skipped: {shell} is not installed")
        sys.exit(SKIP)
    ask = {"bash": ask_bash, "fish": ask_fish, "zsh": ask_zsh}[shell]
    with tempfile.TemporaryDirectory() as folder:
        script = os.path.join(folder, "script")
        with open(script, "w", encoding="utf-8") as file:
            subprocess.run([program, "completion", shell], stdout=file, check=True, timeout=60)
        if run([shell, "-n", script]).returncode:
            sys.exit(f"{shell} -n: {run([shell, '-n', script]).stdout}")
        for words, offered, kept in CASES:
            status, found = ask(script, words)
            if status or not offered <= set(found) or kept & set(found):
                sys.exit(f"{shell}: {words} is completed to {found} ({status})")
        os.mkdir(os.path.join(folder, "profiles"))
        open(os.path.join(folder, "profiles", TRAP + ".yaml"), "w", encoding="ascii").close()
        _, found = ask(script, ["millwright", "run", "x"], folder)
        if os.path.exists(os.path.join(folder, "pwned")) or not found:
            sys.exit(f"{shell} obeys the name of a profile: {found}")
    print(f"{shell} completes {len(CASES)} command lines")


if __name__ == "__main__":
    main()
