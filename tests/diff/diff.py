#!/usr/bin/env python3
"""diff.py CHIP MILLWRIGHT [SEED]: our chip and QEMU's model of it get the same random accesses and
steps of time, and must answer alike. Then each difference that is known is shown to be there still.
Ends with 77 where QEMU or a compiler is missing."""
# SPDX-License-Identifier: MIT
import concurrent.futures
import importlib
import random
import sys
import time

from qtest import Answer, Failure, Skip, Workshop
from script import Lines, Step

SEEDS, ACCESSES = range(1, 11), 10000
SHOWN = 40  # steps before one that differs


def judge_lines(step, ours, theirs):
    """What of the lines is not alike, or None."""
    if step.lines == "mark":
        ours.rises = theirs.rises = 0
    elif step.lines == "edges" and ours.rises != theirs.rises:
        return f"{ours.rises} edges, {theirs.rises} from QEMU"
    elif step.lines is True and ours.high != theirs.high:
        return f"lines {sorted(ours.high)} are high, {sorted(theirs.high)} of QEMU"
    return None


def judge_answers(step, ours, theirs, count):
    """The same of what was read."""
    mask = step.mask(theirs, count) if callable(step.mask) else step.mask
    if mask and (ours.value ^ theirs[count - 1].value) & mask:
        return f"{ours.value & mask:#x}, {theirs[count - 1].value & mask:#x} from QEMU"
    return None


def first_finding(script, ours, theirs, watch):
    """The first step after which the two differ in what counts, and how; or None."""
    at_ours = at_theirs = 0
    our_lines, their_lines = Lines(watch.lines, 0), Lines(watch.lines, watch.first)
    for at, step in enumerate(script.steps):
        if step.ours:
            our_lines.take(ours[at_ours].moves)
            at_ours += 1
        if step.theirs:
            their_lines.take(theirs[at_theirs].moves)
            at_theirs += 1
        finding = judge_answers(step, ours[at_ours - 1], theirs, at_theirs) or judge_lines(
            step, our_lines, their_lines)
        if finding:
            return at, finding
    return None


def our_side(workshop, chip):
    return workshop.ours(getattr(chip, "WITH_INPUT", False), getattr(chip, "PROFILE", "isa.yaml"))


def run_pair(workshop, chip, script):
    """The answers of both, which run at once."""
    keys = getattr(chip, "WITH_INPUT", False)
    with our_side(workshop, chip) as ours, workshop.qemu(chip.MACHINE, keys) as theirs, \
            concurrent.futures.ThreadPoolExecutor() as pool:
        jobs = [pool.submit(ours.run, [step.ours for step in script.steps if step.ours]),
                pool.submit(theirs.run, [step.theirs for step in script.steps if step.theirs])]
        return [job.result() for job in jobs]


def show(script, at):
    """The commands that led to it, the last ones of many."""
    for step in script.steps[max(0, at - SHOWN):at + 1]:
        print("   ", step.ours if step.ours == step.theirs else f"{step.ours} | {step.theirs}")


def sees_one_wrong_bit(script, ours, theirs, watch, rnd):
    """Whether a comparison that found nothing finds one bit of ours that is turned over."""
    compared, at = [], 0
    for step in script.steps:
        if step.ours and step.mask and not callable(step.mask):
            compared.append((at, step.mask))
        at += bool(step.ours)
    at, mask = rnd.choice(compared)
    wrong = list(ours)
    wrong[at] = Answer(ours[at].value ^ (mask & -mask), ours[at].moves)
    return first_finding(script, wrong, theirs, watch) is not None


def check_seed(workshop, chip, seed):
    """Whether all is the same, and how many accesses that was."""
    rnd = random.Random(seed)
    script, watch = chip.script(rnd, ACCESSES), chip.WATCHES[seed % len(chip.WATCHES)]
    script.steps[:0] = [Step(watch.ours, watch.theirs)] + [
        Step(None, command) for command in their_start(chip)]
    ours, theirs = run_pair(workshop, chip, script)
    finding = first_finding(script, ours, theirs, watch)
    if finding:
        show(script, finding[0])
        print(f"seed {seed}, step {finding[0]} of {len(script.steps)}: {finding[1]}")
    elif not sees_one_wrong_bit(script, ours, theirs, watch, rnd):
        print(f"seed {seed}: a wrong bit is not seen")
        return False, script.accesses
    return not finding, script.accesses


def their_start(chip):
    """What QEMU's machine needs before it is like ours."""
    return getattr(chip, "THEIR_START", ())


def commands_of(chip, difference, theirs):
    """Those of one side: what begins with `@` the chip's file says."""
    return [chip.command(command[1:])[theirs] if command.startswith("@") else command
            for command in difference.plain()]


def read_all(side, intercept, first, commands):
    """What the commands read, `line N` among them; `skip` reads and does not tell."""
    lines, values = Lines(range(16), first), []
    plain = [command.removeprefix("skip ") for command in commands
             if not command.startswith("line")]
    answers = iter(side.run([intercept] + plain))
    lines.take(next(answers).moves)
    for command in commands:
        if command.startswith("line"):
            values.append(int(int(command.split()[1]) in lines.high))
            continue
        answer = next(answers)
        lines.take(answer.moves)
        if command.startswith(("in", "read")):
            values.append(answer.value)
    return tuple(values)


def is_as_listed(workshop, chip, difference):
    keys, watch = getattr(chip, "WITH_INPUT", False), chip.WATCHES[0]
    with our_side(workshop, chip) as ours, workshop.qemu(chip.MACHINE, keys) as theirs:
        theirs.run(their_start(chip))
        found = (read_all(ours, watch.ours, 0, commands_of(chip, difference, False)),
                 read_all(theirs, watch.theirs, watch.first, commands_of(chip, difference, True)))
    if found == (difference.ours, difference.theirs):
        return True
    ours, theirs = ([f"{value:#x}" for value in values] for values in found)
    print(f"{difference.section}: {difference.what}\n  {difference.commands}\n"
          f"  reads {', '.join(ours)}, from QEMU {', '.join(theirs)}")
    return False


def main():
    chip = importlib.import_module(sys.argv[1])
    seeds = [int(sys.argv[3])] if len(sys.argv) > 3 else SEEDS
    began, accesses, good = time.monotonic(), 0, True
    with Workshop(sys.argv[2]) as workshop:
        for seed in seeds:
            same, count = check_seed(workshop, chip, seed)
            good, accesses = good and same, accesses + count
            if not good:
                break
        listed = [is_as_listed(workshop, chip, difference) for difference in chip.DIFFERENCES]
    print(f"{accesses} accesses{' the same from both' if good else ''}; "
          f"{sum(listed)} of {len(listed)} differences as listed; "
          f"{time.monotonic() - began:.1f} s")
    return 0 if good and all(listed) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Skip as reason:
        print(f"SKIP: {reason}")
        sys.exit(77)
    except Failure as failure:
        print(failure)
        sys.exit(1)
