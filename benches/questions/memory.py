"""How much memory ``packb`` takes at its peak, in bytes for each byte it gives."""

import subprocess
import sys
from functools import partial
from pathlib import Path

from case import Aim, Case, observed
from siftpack.cli.bench import contests

UNIT = "bytes a byte"
AIMS = (Aim(("output",), worst=2.2),)
SIZES = {"metric_rows": 100_000, "float_vectors": 2_000, "long_documents": 100, "non_ascii_text": 40_000}
"""How many of what each corpus consists of: some ten megabytes of output."""
ROUNDS = 3
PROGRAM = Path(__file__).parents[1] / "peak.py"


def cases() -> list[Case]:
    """Each in a process of its own; on Linux alone, whose kernel tells the peak."""
    if not sys.platform.startswith("linux"):
        return []
    return [Case(corpus, partial(_calls, corpus), measure=observed(ROUNDS)) for corpus in SIZES]


def _calls(corpus: str) -> contests.Calls:
    return {name: partial(_peak, corpus, name) for name in ("siftpack", "ormsgpack", "msgspec")} | {
        "output": lambda: 1.0
    }


def _peak(corpus: str, name: str) -> float:
    command = [sys.executable, str(PROGRAM), corpus, str(SIZES[corpus]), name]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)  # noqa: S603
