"""A guard on speed: how long the core takes beside other encoders, in the same second on the same machine.

No time is ever compared with a number of seconds. The bounds are far above the aims, which ``make bench`` measures:
they are there to notice a slip. Short batches in many rounds find a moment in which nothing else runs, and a ratio
counts as too large only if it is in every one of several attempts.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import siftpack
from siftpack.cli.bench import contests, corpora, timing

pytestmark = pytest.mark.alone

PEERS = ("ormsgpack", "msgspec")
BOUND = {"pack": 1.7, "unpack": 1.8, "dirty": 1.0}
"""siftpack's time over that of the better peer, at most."""
ATTEMPTS, SECONDS, ROUNDS = 6, 0.06, 150
SLOWED = 5
"""How often the deliberately slow call does its work."""
CORPORA = {corpus.name: corpus for corpus in (*corpora.PLAIN, *corpora.DIRTY)}
CASES = [
    *(("pack", name) for name in ("small_context", "chat_run", "metric_rows", "float_vectors", "repeated_keys")),
    *(("unpack", name) for name in ("small_context", "chat_run", "metric_rows", "float_vectors", "repeated_keys")),
    ("dirty", "dirty_context"),
]


def contest(question: str, corpus: corpora.Corpus) -> contests.Calls:
    """siftpack and the two peers that matter, or the one that takes what is dirty; each was seen to be right."""
    calls = contests.unpacking(corpus) if question == "unpack" else contests.packing(corpus, only=PEERS)
    return {name: calls[name] for name in ("siftpack", *PEERS) if name in calls}


def least_ratio(calls: contests.Calls, bound: float) -> float:
    """siftpack over the better of the others: the least of several attempts, fewer once one is within the bound."""
    least = float("inf")
    for _ in range(ATTEMPTS):
        found = {name: sample.minimum for name, sample in timing.measure(calls, SECONDS, ROUNDS).items()}
        least = min(least, found.pop("siftpack") / min(found.values()))
        if least <= bound:
            break
    return least


@pytest.mark.parametrize(("question", "name"), CASES)
def test_the_core_keeps_up(question: str, name: str) -> None:
    """Packing, unpacking and sifting take no more than a generous multiple of what other encoders take."""
    calls = contest(question, CORPORA[name])
    assert len(calls) > 1
    assert least_ratio(calls, BOUND[question]) <= BOUND[question]


@pytest.mark.parametrize(
    ("question", "name"), [("pack", "chat_run"), ("unpack", "chat_run"), ("dirty", "dirty_context")]
)
def test_the_guard_notices_a_slow_core(question: str, name: str) -> None:
    """A call that does the same work five times is beyond the bound in every attempt."""
    calls = contest(question, CORPORA[name])
    calls["siftpack"] = partial(repeated, calls["siftpack"])
    assert least_ratio(calls, BOUND[question]) > BOUND[question]


def repeated(call: Callable[[], Any]) -> None:
    """The slow call."""
    for _ in range(SLOWED):
        call()


def test_one_dirty_leaf_costs_that_leaf() -> None:
    """One function among 20 000 values takes hardly longer than the same data without it."""
    dirty = {"rows": [{"id": number, "name": "row", "score": number * 0.5} for number in range(5000)], "show": print}
    clean = siftpack.sanitize(dirty)
    assert len(siftpack.inspect(dirty)) == 1
    calls: contests.Calls = {"siftpack": partial(siftpack.packb, dirty), "clean": partial(siftpack.packb, clean)}
    assert least_ratio(calls, 1.3) <= 1.3
