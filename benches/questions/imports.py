"""How long ``import siftpack`` takes, in an interpreter of its own."""

import subprocess
import sys
from functools import partial

from case import Aim, Case, observed
from siftpack.cli.bench import contests

AIMS = (Aim(("msgspec",), worst=2.5), Aim(("pydantic",), worst=1.0))
OPTIONAL = ("numpy", "pandas", "pydantic", "msgspec", "attr", "redis", "typer", "rich")
PROGRAM = """
from time import perf_counter_ns
start = perf_counter_ns()
import {name}
print(perf_counter_ns() - start)
import sys
assert "{name}" != "siftpack" or not sys.modules.keys() & set({optional})
"""
ROUNDS = 15


def cases() -> list[Case]:
    """One; siftpack must bring no optional library along."""
    return [Case("import", _calls, measure=observed(ROUNDS))]


def _calls() -> contests.Calls:
    return {name: partial(_took, name) for name in ("siftpack", "msgspec", "ormsgpack", "pydantic")}


def _took(name: str) -> float:
    program = PROGRAM.format(name=name, optional=OPTIONAL)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
    return float(done.stdout)
