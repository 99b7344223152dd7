"""How the time for one value grows with their number, their depth, and how often one is shared."""

from collections.abc import Callable
from functools import partial
from typing import Any

import siftpack
from case import Aim, Case
from siftpack.cli.bench import clean, contests
from siftpack.cli.bench.contests import exact
from siftpack.cli.bench.corpora import Corpus
from siftpack.testing import same

UNIT = "ns a value"
PEERS = ("ormsgpack", "msgspec")
AIMS = (Aim(spread=1.3 / 0.7),)
LIMITS = siftpack.Limits(depth=1_000_000)
PEERS_DEEP = 500
"""As far down as every peer goes."""
CHECKED = 10_000
"""Values that the reference takes in a bearable time."""


def cases() -> list[Case]:
    """10^3 to 10^6 values in rows, 10^2 to 10^5 levels, 10^3 to 10^6 places in dicts that are all the same one."""
    shapes = (("values", range(3, 7), _rows), ("levels", range(2, 6), _deep), ("shared", range(3, 7), _shared))
    return [
        Case(f"{shape} {10**power}", partial(_calls, shape, 10**power, build), per=10**power)
        for shape, powers, build in shapes
        for power in powers
    ]


def _calls(shape: str, size: int, build: Callable[[int], Any]) -> contests.Calls:
    corpus = Corpus(f"{shape} {size}", partial(build, size))
    deep = shape == "levels" and size > PEERS_DEEP
    if size <= CHECKED and not deep:
        return contests.packing(corpus, only=PEERS)
    data = siftpack.packb(corpus.value, limits=LIMITS)
    back = siftpack.unpackb(data, limits=LIMITS)
    assert same(back, corpus.value) if deep else exact(back, corpus.value), f"{corpus.name} came back changed"
    mine: contests.Calls = {"siftpack": partial(siftpack.packb, corpus.value, limits=LIMITS)}
    return mine if deep else mine | contests.rivals(corpus, only=PEERS)


def _rows(size: int) -> list[dict[str, Any]]:
    return clean.metric_rows(size // 9)  # a row is a dict and eight values


def _deep(size: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(size - 1):
        value = [value]
    return value


def _shared(size: int) -> list[dict[str, int]]:
    return [{"x": 1, "y": 2, "z": 3}] * (size // 4)
