#!/usr/bin/env python3
"""scenarios.py NAME --millwright FILE --image FILE: one scenario of the KVM lab, printed as TAP."""
# SPDX-License-Identifier: MIT
import argparse
import sys

from lab import Failure, Lab, Skip, Tap, skip


def probe(tap, boot):
    """The lab itself: KVM is here and takes nested pages."""
    with boot() as lab:
        tap.ok("kvm" in lab.check("ls /dev/kvm"), "/dev/kvm exists")
        tap.ok("svm" in lab.check("grep -m1 -o -w svm /proc/cpuinfo"), "the CPU has SVM")
        tap.ok(lab.check("cat /sys/module/kvm_amd/parameters/npt").strip() in ("1", "Y"),
               "nested paging is on")
        tap.ok(lab.run("false")[0] == 1, "a command's status comes back")


SCENARIOS = {"probe": probe}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("scenario", choices=sorted(SCENARIOS))
    parser.add_argument("--millwright", required=True)
    parser.add_argument("--image", required=True)
    arguments = parser.parse_args()
    tap = Tap()

    def boot(**options):
        lab = Lab(arguments.millwright, arguments.image, **options)
        lab.failed = lambda: tap.failed > 0
        return lab

    try:
        SCENARIOS[arguments.scenario](tap, boot)
    except Skip as reason:
        skip(reason)
    except Failure as failure:
        tap.ok(False, str(failure).splitlines()[0], failure)
    sys.exit(tap.done())


if __name__ == "__main__":
    main()
