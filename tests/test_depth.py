"""Deep graphs: back edges are found at any depth, and a level costs about the same."""

import random
from typing import Any

import pytest

import siftpack
from siftpack import Kind, Limits

LIMITS = Limits(depth=10**5)


def put(container: Any, name: str, value: Any) -> None:
    """Adds a value to a list or dict."""
    if isinstance(container, list):
        container.append(value)
    else:
        container[name] = value


@pytest.mark.parametrize("levels", [10, 16, 17, 1000, 1023, 1024, 1025, 1026, 3000, 20_000])
def test_back_edges_are_found_at_any_depth(levels: int) -> None:
    """Every edge back to a container around it is a finding, and no edge to one that was closed before is."""
    chance = random.Random(levels)
    top: Any = []
    chain, planted, around = [top], 0, top
    for _ in range(levels):
        inner: Any = [] if chance.random() < 0.5 else {}
        if chance.random() < 0.3:
            put(around, "beside", [[1], {"again": [2, top]}])
            planted += 1
        put(around, "in", inner)
        if chance.random() < 0.1:
            put(around, "back", chance.choice(chain))
            planted += 1
        chain.append(inner)
        around = inner
    report = siftpack.inspect(top, limits=LIMITS)
    assert report.counts == ({Kind.CYCLE: planted} if planted else {})


def test_many_containers_opened_and_closed_at_depth() -> None:
    """What was closed is forgotten: a container shared by many at great depth is no back edge."""
    shared = [1]
    value: Any = [[shared, {"shared": shared}] for _ in range(50_000)]
    for _ in range(1100):
        value = [value]
    assert siftpack.inspect(value, limits=LIMITS).clean
