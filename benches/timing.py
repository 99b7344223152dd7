"""Alternating measurement: everybody runs in every round, so a slow second on the machine hits all alike."""

import gc
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter_ns

ENOUGH_NS = 20_000_000
"""A call this slow is timed alone and in fewer rounds."""
FEW_ROUNDS = 3


@dataclass(frozen=True)
class Sample:
    """Nanoseconds a call."""

    minimum: float
    median: float
    calls: int


def measure(calls: Mapping[str, Callable[[], object]], rounds: int, batch_ns: int) -> dict[str, Sample]:
    """Time named calls in turn, the order shifting by one every round, each in batches of about ``batch_ns``."""
    sizes = {name: _batch(call, batch_ns) for name, call in calls.items()}
    slow = {name for name, size in sizes.items() if size == 1 and _time(calls[name], 1) > ENOUGH_NS}
    wanted = {name: FEW_ROUNDS if name in slow else rounds for name in calls}
    taken: dict[str, list[float]] = {name: [] for name in calls}
    names = list(calls)
    for turn in range(rounds):
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            if turn < wanted[name]:
                taken[name].append(_time(calls[name], sizes[name]) / sizes[name])
    return {
        name: Sample(min(times), statistics.median(times), len(times) * sizes[name]) for name, times in taken.items()
    }


def _batch(call: Callable[[], object], batch_ns: int) -> int:
    """Calls that take about ``batch_ns`` together; asking warms the caches up."""
    size = 1
    while True:
        took = _time(call, size)
        if took >= batch_ns:
            return size
        size = max(size + 1, min(size * 10, int(size * batch_ns / max(took, 1) * 1.05)))


def _time(call: Callable[[], object], size: int) -> int:
    """Nanoseconds for so many calls, the collector off."""
    turns = range(size)
    gc.collect()
    gc.disable()
    try:
        start = perf_counter_ns()
        for _ in turns:
            call()
        return perf_counter_ns() - start
    finally:
        gc.enable()
