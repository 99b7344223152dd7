"""A program: the tests side by side on every core, then those that measure, one after the other with nothing beside.

    python -m tests.run [PYTEST'S ARGUMENTS]

A test that compares times, counts what its process holds, or has a bound of milliseconds carries the mark ``alone``.
"""

import argparse
import os
import subprocess
import sys

import pytest

WORKERS = 0 if "REDIS_URL" in os.environ else (os.cpu_count() or 1) + 1
"""One more than there are cores, as tests of faults wait most of their time.

A server that was given is one place for all: two tests at once would find each other's keys there.
"""
PARTS = (("not alone", (f"--numprocesses={WORKERS}", "--dist=worksteal")), ("alone", ()))
NOTHING = pytest.ExitCode.NO_TESTS_COLLECTED


def selecting(marks: str, part: str) -> str:
    """The expression for what the caller's own expression selects of one part."""
    return f"({marks}) and {part}" if marks else part


def verdict(codes: list[int]) -> int:
    """The first failure; a part in which nothing was selected is none, unless it is every part."""
    failures = [code for code in codes if code not in (pytest.ExitCode.OK, NOTHING)]
    return failures[0] if failures else min(codes)


def main(words: list[str]) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("-m", default="")
    given, rest = parser.parse_known_args(words)
    codes: list[int] = []
    for part, options in PARTS:
        command = [sys.executable, "-m", "pytest", *options, *rest, "-m", selecting(given.m, part)]
        codes.append(subprocess.run(command, check=False).returncode)
        if codes[-1] == pytest.ExitCode.INTERRUPTED:
            break
    return verdict(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
