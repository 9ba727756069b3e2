#!/usr/bin/env python3
"""Keeps the few rules of docs/style.md that a machine can keep.

    tidy.py --build build/release format words ...    run these checks
    tidy.py --build build/release --list              name them

Each finding is one line, `file:line: what: why; what to do instead`. The exit code is 1 when there
is any. CTest runs every check as a case of its own, with the label `tidy`.
"""

import argparse
import sys
from pathlib import Path

import check_coroutines
import check_format
import check_headers
import check_rooms
import check_scripts
import check_words
import longest
import self_test
from project import Project

CHECKS = {
    "format": check_format.run,
    "words": check_words.run,
    "rooms": check_rooms.run,
    "headers": check_headers.run,
    "coroutines": check_coroutines.run,
    "scripts": check_scripts.run,
    "longest": longest.run,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, help="the build folder with compile_commands.json")
    parser.add_argument("--list", action="store_true", help="name the checks and end")
    parser.add_argument("checks", nargs="*", metavar="CHECK", help="which; all when none is named")
    arguments = parser.parse_args()

    names = [*CHECKS, "self-test"]
    if arguments.list:
        print("\n".join(names))
        return 0
    unknown = [name for name in arguments.checks if name not in names]
    if unknown:
        parser.error(f"{unknown[0]}: no such check. Choose from: {' '.join(names)}.")
    if arguments.build is None:
        parser.error("--build: it is needed. Name a configured folder, build/release for one.")

    root = Path(__file__).resolve().parents[2]
    project = Project(root, arguments.build.resolve())
    findings = []
    for name in arguments.checks or names:
        if name == "self-test":
            findings += self_test.run(CHECKS)
        else:
            findings += CHECKS[name](project)
    for finding in sorted(set(findings)):
        print(finding)
    if findings:
        print(f"tidy: {len(set(findings))} findings", file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
