"""A guest that counts on its console while it computes sums of a file, and whether its console is whole
where one process ends and another goes on."""
# SPDX-License-Identifier: MIT
import re

PREPARE = "dd if=/dev/urandom of=/f bs=64k count=4 2>/dev/null"
SUM = "md5sum </f"
LOOP = "i=0; while :; do i=$((i+1)); echo L $i $(md5sum </f); done\n"
LINE = re.compile(r"^L (\d+) ([0-9a-f]{32}) +-$")


def numbers(text, wanted):
    """The numbers of all whole lines but the first, which may have begun earlier. ValueError: one is no line of
    the loop, does not follow the one before, or has another sum."""
    found = []
    for line in text.split("\n")[1:-1]:
        match = LINE.match(line)
        if not match:
            raise ValueError(f"no line of the loop: {line!r}")
        if found and int(match.group(1)) != found[-1] + 1:
            raise ValueError(f"{found[-1]} is followed by {match.group(1)}")
        if match.group(2) != wanted:
            raise ValueError(f"another sum: {line}")
        found.append(int(match.group(1)))
    return found


def joint(old, new, wanted, ran_on):
    """Why `new` does not go on where `old` ends, or None. Where the saved machine ran on for a moment, what it
    printed then is printed again."""
    old, new, why = old[-2000:], new[:4000], "nothing fits"
    for again in range(min(len(old), len(new)) + 1 if ran_on else 1):
        if not old.endswith(new[:again]):
            continue
        try:
            numbers(old + new[again:], wanted)
            return None
        except ValueError as error:
            why = str(error)
    return f"{why}\n--- before\n{old[-300:]}\n--- after\n{new[:300]}"
