"""A long run of law 8: ``python -m tests.properties.long 1000000 [--seed 0]``, one process for each core.

Writes the number of examples, the seed, the command and the date to ``record/``; stops at the first difference.
"""

import argparse
import datetime as dt
import json
import multiprocessing
import os
import platform
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from siftpack import reference
from siftpack.errors import EncodeError
from siftpack.policy import Limits, Policy
from siftpack.testing.random_graphs import Drawer
from tests.conftest import core, outcome
from tests.properties.test_agreement import agree

RECORD = Path(__file__).with_name("record")
BATCH = 1000
FULL = 16
"""One example in so many is also copied, inspected and read back by both."""
CORE = core()


def alike(value: Any, policy: Policy, limits: Limits, types: Any) -> None:
    """Both implementations write the same bytes and report the same, or raise the same class."""
    options: dict[str, Any] = {"policy": policy, "limits": limits, "types": types}
    ours, theirs = (outcome(each.packb_with_report, value, **options) for each in (CORE, reference))
    if isinstance(theirs, type):
        # The core sees a payload outgrow its bound on the way, the reference at the end: so either may refuse first.
        early = limits.on_exceed == "raise" and limits.bytes < Limits().bytes
        assert issubclass(ours, EncodeError) if early else ours is theirs
    else:
        assert ours[0] == theirs[0]
        assert (ours[1].findings, ours[1].counts, ours[1].cut) == (theirs[1].findings, theirs[1].counts, theirs[1].cut)


def batch(seed: int) -> int:
    """One batch of examples, each from a seed of its own; raises at a difference, naming the seed."""
    warnings.simplefilter("error")
    for number in range(seed * BATCH, (seed + 1) * BATCH):
        drawer = Drawer(number)
        value, policy, limits, types = drawer.graph(), drawer.policy(), drawer.limits(), drawer.types()
        try:
            whole = number % FULL == 0 and limits.bytes == Limits().bytes
            (agree if whole else alike)(value, policy, limits, types)
        except Exception as difference:
            raise AssertionError(f"seed {number}: {type(difference).__name__} {difference}"[:2000]) from None
    return BATCH


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("examples", type=int)
    parser.add_argument("--seed", type=int, default=0, help="the first batch of a thousand")
    given = parser.parse_args()
    batches, began, done = range(given.seed, given.seed + given.examples // BATCH), time.monotonic(), 0
    with multiprocessing.Pool(os.cpu_count()) as pool:
        for count in pool.imap_unordered(batch, batches):
            done += count
            sys.stderr.write(f"\r{done} examples, {time.monotonic() - began:.0f} s")
    sys.stderr.write("\n")
    found = {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "command": f"python -m tests.properties.long {given.examples} --seed {given.seed}",
        "examples": done,
        "differences": 0,
        "seconds": round(time.monotonic() - began),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
    }
    RECORD.mkdir(exist_ok=True)
    target = RECORD / f"{found['date']}-agreement.json"
    target.write_text(json.dumps(found, indent=2) + "\n")
    sys.stdout.write(json.dumps(found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
