"""What a command costs, by the small program `measure`: status, ms of wall and of CPU time, KiB."""
# SPDX-License-Identifier: MIT
import collections
import os
import subprocess

Cost = collections.namedtuple("Cost", "status wall_ms cpu_ms kib output")


def run(measure, command):
    """Runs it to its end; its output is kept."""
    reader, writer = os.pipe()

    def place():
        os.dup2(writer, 3)

    with os.fdopen(reader) as answer:
        process = subprocess.Popen([measure, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   preexec_fn=place, pass_fds=(3,) if writer == 3 else (3, writer))
        os.close(writer)
        output = process.communicate()[0].decode(errors="replace")
        status, wall, cpu, kib = (int(word) for word in answer.read().split())
    return Cost(status, wall / 1000, cpu / 1000, kib, output)
