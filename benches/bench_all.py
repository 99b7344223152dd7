"""Distributions of the calls that the questions time, by pytest-benchmark: ``pytest benches --benchmark-only``.

Here a contestant runs alone until it is done. Ratios are those of ``run.py``, where they run in turn.
"""

from collections.abc import Callable

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import questions
from siftpack.cli.bench import peers

ASKED = ("pack_clean", "pack_dirty", "report", "records", "unpack", "sanitize", "fingerprint", "frame")
"""The questions whose calls can be timed one by one in this process."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for each contestant of each case; making the calls checks their results."""
    with peers.room_to_recurse():
        found = [
            (f"{name} {case.name}", contestant, call)
            for name in ASKED
            for case in questions.load(name).cases()
            for contestant, call in case.calls().items()
        ]
    ids = [f"{group}-{contestant}".replace(" ", "-") for group, contestant, _ in found]
    metafunc.parametrize(("group", "call"), [(group, call) for group, _, call in found], ids=ids)


def test_call(benchmark: BenchmarkFixture, group: str, call: Callable[[], object]) -> None:
    """One call, timed."""
    benchmark.group = group
    with peers.room_to_recurse():
        benchmark(call)
