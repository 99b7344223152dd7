"""siftpack beside its peers, in turn: ``python benches/run.py [--quick] [--only WORD]... [--record FOLDER]``.

Every result is checked before it is timed; a wrong one makes the exit code 1 and no record.
"""

import argparse
import sys
import time
from pathlib import Path

import questions
import record
from case import FULL, Case
from siftpack.cli.bench import peers

QUICK = 0.01
"""Seconds for each contestant."""


def ask(question: questions.Question, case: Case, seconds: float) -> record.Row:
    """Check, then measure. Raises whatever a wrong result raises."""
    samples = case.measure(case.calls(), seconds)
    each = {
        name: type(sample)(sample.minimum / case.per, sample.median / case.per, sample.calls)
        for name, sample in samples.items()
    }
    return record.Row(question.name, case.name, question.unit, case.aimed, each)


def run(asked: list[questions.Question], words: set[str], seconds: float) -> tuple[list[record.Row], list[str]]:
    """Measure what is named, or all, telling each result; also what was wrong."""
    rows, wrong = [], []
    for question in asked:
        print(f"{question.name}: {question.text}")
        for case in question.cases():
            if words and case.name not in words:
                continue
            try:
                row = ask(question, case, seconds)
            except Exception as error:  # noqa: BLE001 - a wrong result is what is looked for, in whatever form
                wrong.append(f"{question.name} {case.name}: {type(error).__name__}: {error}")
                print(f"  {case.name}: WRONG")
                continue
            rows.append(row)
            rival = row.better(question.aims[0].rivals)
            beside = f", {record.short(row.over([rival]) or 0)} of {rival}" if rival else ""
            print(f"  {case.name}: {record.short(row.figure('siftpack'))} {question.unit}{beside}", flush=True)
    return rows, wrong


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="little time for each; leaves no record unless told")
    parser.add_argument("--only", action="append", metavar="WORD", default=[], help="questions or cases; repeatable")
    parser.add_argument("--record", type=Path, metavar="FOLDER", help="where the record goes, if not to benches/record")
    given = parser.parse_args()
    named = [name for name in questions.NAMES if name in given.only] or questions.NAMES
    asked = [questions.load(name) for name in named]
    missing = set(peers.DISTRIBUTIONS) - peers.versions().keys()
    if missing:
        print(f"not installed, so left out: {', '.join(sorted(missing))}")
    began = time.monotonic()
    with peers.room_to_recurse():
        rows, wrong = run(asked, set(given.only) - set(questions.NAMES), QUICK if given.quick else FULL)
    for line in wrong:
        print(f"WRONG {line}")
    if not rows or wrong:
        return 1
    print(f"{len(rows)} cases in {time.monotonic() - began:.0f} s")
    folder = given.record or (None if given.quick or given.only else record.RECORD)
    if folder is not None:
        path = record.write(asked, rows, " ".join(["benches/run.py", *sys.argv[1:]]), folder)
        print(path.with_suffix(".md").read_text())
        print(f"recorded {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
