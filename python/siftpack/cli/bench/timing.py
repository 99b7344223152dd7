"""Alternating measurement: everybody runs in every round, so a slow second on the machine hits all alike."""

import contextlib
import gc
import statistics
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from time import perf_counter_ns

ROUNDS = 50
FEWEST = 2
"""Rounds that everybody gets, however slow."""


@dataclass(frozen=True)
class Sample:
    """What one call takes: nanoseconds, unless the unit is said to be another."""

    minimum: float
    median: float
    calls: int


def measure(calls: Mapping[str, Callable[[], object]], seconds: float, rounds: int = ROUNDS) -> dict[str, Sample]:
    """Time named calls in turn, the order shifting by one every round, about so many seconds each.

    What is fast runs in batches that fill its share of a round; what is slow takes fewer rounds.
    """
    share = int(seconds * 1e9)
    with _quiet():
        sizes = {name: _batch(call, share // rounds) for name, call in calls.items()}
        taken: dict[str, list[int]] = {name: [] for name in calls}
        names = list(calls)
        for turn in range(rounds):
            shift = turn % len(names)
            for name in names[shift:] + names[:shift]:
                times = taken[name]
                if len(times) < FEWEST or sum(times) < share:
                    times.append(_time(calls[name], sizes[name]))
            gc.collect()
    return {name: _sample([took / sizes[name] for took in taken[name]], sizes[name]) for name in names}


def observe(calls: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, Sample]:
    """Samples of the numbers that named calls return, taken in turn."""
    seen: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            number = call()
            assert isinstance(number, float)
            seen[name].append(number)
    return {name: _sample(numbers, 1) for name, numbers in seen.items()}


def _sample(each: list[float], size: int) -> Sample:
    return Sample(min(each), statistics.median(each), len(each) * size)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The collector off, and what exists now out of its sight."""
    was_on = gc.isenabled()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        if was_on:
            gc.enable()


def _batch(call: Callable[[], object], enough: int) -> int:
    """Calls that take about ``enough`` nanoseconds together; asking warms the caches up."""
    size = 1
    while True:
        took = _time(call, size)
        if took >= enough:
            return size
        size = max(size + 1, min(size * 10, int(size * enough / max(took, 1) * 1.05)))


def _time(call: Callable[[], object], size: int) -> int:
    """Nanoseconds for so many calls."""
    turns = range(size)
    start = perf_counter_ns()
    for _ in turns:
        call()
    return perf_counter_ns() - start
