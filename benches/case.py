"""What a question consists of: cases to measure, and what is aimed at."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from siftpack.cli.bench import timing
from siftpack.cli.bench.contests import Calls
from siftpack.cli.bench.corpora import Corpus

Measure = Callable[[Calls, float], dict[str, timing.Sample]]


@dataclass(frozen=True)
class Case:
    """One contest: calls that were seen to give the right result, and how to measure them."""

    name: str
    calls: Callable[[], Calls]
    aimed: bool = True
    per: int = 1
    """What the time of one call is divided by: the number of values in it."""
    measure: Measure = timing.measure


@dataclass(frozen=True)
class Aim:
    """How siftpack should stand to the better of some contestants: its figure over theirs, at most."""

    rivals: tuple[str, ...] = ()
    mean: float | None = None
    """The geometric mean over the aimed cases."""
    worst: float | None = None
    """Each of them."""
    beyond: float | None = None
    """Microseconds more than theirs, in each."""
    spread: float | None = None
    """siftpack's largest figure over its smallest, of cases with the same first word."""


def over(corpora: tuple[Corpus, ...], contest: Callable[[Corpus], Calls]) -> list[Case]:
    """A case for each corpus."""
    return [Case(corpus.name, partial(contest, corpus), corpus.aimed) for corpus in corpora]


def observed(rounds: int) -> Measure:
    """A way to measure calls that return their number themselves."""
    return lambda calls, seconds: timing.observe(calls, rounds if seconds >= FULL else 1)


FULL = 0.3
"""Seconds for each contestant in a full run."""
