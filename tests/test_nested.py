"""Containers inside one another, around the depth where the core goes from recursion to frames.

Whatever comes up at any level, it writes, reports and refuses what the reference does.
"""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

import pytest

import siftpack
from siftpack import Kind, Limits, Policy, reference
from siftpack.testing import same
from tests.conftest import core
from tests.hostile.intruders import at_calls

CORE = core()

LEVELS = (1, 2, 3, 10, 11, 12, 13, 14, 15, 24, 25, 26, 38, 75)
"""Levels in all: the core recurses for a dozen at a time."""


class Opaque:
    """Machinery with something inside."""

    def __init__(self, inside: object) -> None:
        self.inside = inside


@dataclass
class Record:
    """Data with names."""

    first: object
    second: object = "text"
    third: object = None


class Stamp(datetime):
    """A date of a class of its own."""


class Text(str):
    """A key that is not written as it is."""

    __slots__ = ()


def wrap(value: object, at: int, before: int) -> Any:
    """A container of one of three kinds around a value, with parts before it and behind it."""
    if at % 3 == 0:
        return [*range(before), value, "behind"]
    if at % 3 == 1:
        return {**{f"k{each}": each for each in range(before)}, "in": value, "behind": 1.5}
    return (*range(before), value, "behind")


def chain(inner: object, levels: int, before: int) -> Any:
    """So many containers around a value."""
    for at in range(levels):
        inner = wrap(inner, at, before)
    return inner


def outcome(call: Callable[..., Any], value: object, **options: Any) -> Any:
    """What a call gives, or what it raises and where."""
    try:
        return call(value, **options)
    except siftpack.SiftError as raised:
        return type(raised), str(raised)


def agree(value: object, **options: Any) -> None:
    """Every walk of the core gives what the reference gives, and fails at the same place."""
    for name in ("packb", "inspect", "sanitize", "fingerprint"):
        ours, theirs = (outcome(getattr(each, name), value, **options) for each in (CORE, reference))
        assert same(ours, theirs) if name == "sanitize" else ours == theirs, name


PARTS: dict[str, Callable[[], object]] = {
    "function": lambda: len,
    "opaque": lambda: Opaque([1, {"a": {}}]),
    "list of machinery": lambda: [[len], {"a": len, "b": [1]}, (len, [2])],
    "strange key": lambda: {("a", 1): [1], 2**80: [2], Text("x"): [3], "plain": [4]},
    "key left out": lambda: {len: [1], "plain": {"b": [2]}},
    "record": lambda: [Record(1), Record([Record({"a": len}, [])], (1, Record(2))), {"in": Record(len, {"b": [len]})}],
    "record with secrets": lambda: Record("Bearer abcdefgh12345678", [Record(b"AKIAIOSFODNN7EXAMPLE")], {"a": []}),
    "dates": lambda: [
        datetime(2024, 1, 1, tzinfo=UTC),
        {"a": datetime(1969, 12, 31, 23, 59, 59, 7), "b": date(1, 1, 1), "c": time(1, 2, 3, fold=1)},
        (timedelta(-1, 5, 7), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
        Record(
            datetime(2600, 1, 1, 1, 1, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC, fold=1), time(1, tzinfo=UTC)
        ),
        [datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=1))), Stamp(2024, 1, 1)],
    ],
    "set": lambda: {1, (2, 3)},
    "bytes": lambda: b"bytes",
    "large strings": lambda: [
        "x" * 65_535,
        {"y" * 65_536: b"z" * 65_537},
        len,
        Opaque({"a": len}),
        {"w" * 70_000: len},
    ],
    "lone surrogate": lambda: {"\ud800": ["\ud800"]},
    "big": lambda: [2**100, {"n": -(2**90)}],
    "empty": lambda: [[], {}, (), [[], {}, ()]],
}


@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("part", PARTS)
def test_whatever_comes_up_inside(part: str, levels: int) -> None:
    """Machinery, strange keys, records and dates at any depth, alone and beside others."""
    agree(chain(PARTS[part](), levels, 0))
    agree([chain(PARTS[part](), levels, 3), chain(PARTS[part](), levels + 1, 1), {"a": [1]}])


@pytest.mark.parametrize("levels", LEVELS)
def test_a_way_back_from_every_level(levels: int) -> None:
    """A cycle is found wherever it begins and ends."""
    for back in {0, levels // 2, levels - 1}:
        ring: Any = []
        value = chain(ring, back, 1)
        inner = chain([value], levels - back, 2)
        ring.extend([1, inner, [inner, {"again": inner}], 2])
        agree(value)
        agree(inner)


@pytest.mark.parametrize("levels", LEVELS)
def test_bounds_are_met_where_they_are(levels: int) -> None:
    """Each bound is reached at the same place, and the error names it."""
    value = [chain(["x" * 40, 2**70], levels, 2)] * 3
    for bound in (levels - 1, levels, levels + 1, levels + 2, levels + 3):
        agree(value, limits=Limits(depth=max(bound, 1)))
        agree(value, limits=Limits(nodes=max(bound, 1)))
        agree(value, limits=Limits(nodes=3 * bound + 1))
    agree(value, limits=Limits(str_bytes=39))
    agree(value, limits=Limits(str_bytes=8))
    for inside in (
        {"k" * 50: []},
        {"k" * 50: {"a": 1}},
        [{"k" * 50: (1,)}],
        {"k" * 50: datetime(2024, 1, 1, tzinfo=UTC)},
    ):
        agree(chain(inside, levels, 1), limits=Limits(str_bytes=40))
        agree(Record(1, chain(inside, levels, 1)), limits=Limits(str_bytes=40))


def test_a_hook_stands_for_its_object_until_all_it_gave_is_written() -> None:
    """What a hook gave may hold its object again, behind whatever comes up before."""
    again = Opaque(1)

    def default(obj: object) -> object:
        return {"a": [len, 1], "deep": {"b": [[len]]}, "again": again, "more": [again, Record(again)]}

    agree([again], policy=Policy(default=default))
    agree(Record([again]), policy=Policy(default=default))


@pytest.mark.parametrize("action", ["drop", "tombstone", "name", "raise"])
def test_dates_that_are_not_kept(action: str) -> None:
    """Dates follow the policy, the mode and the bounds where they are met."""
    value = [1, {"a": datetime(2024, 1, 1, tzinfo=UTC), "b": [date(2024, 1, 1)]}, Record(timedelta(1), [time(1)])]
    agree(value, policy=Policy({Kind.VALUE: action}))
    agree(value, policy=Policy(mode="json"))
    agree(value, limits=Limits(nodes=3))
    agree(value, limits=Limits(bytes=20))


@pytest.mark.parametrize("seed", range(60))
def test_random_graphs_with_ways_back_and_machinery(seed: int) -> None:
    """Graphs without a plan, in which everything comes up anywhere."""
    chance = random.Random(seed)
    made: list[Any] = [[]]
    for _ in range(chance.randrange(5, 120)):
        inner: Any = chance.choice([[], {}, [1], {"a": "b"}])
        made.append(inner)
        deep = made[-chance.randrange(1, min(4, len(made)) + 1)] if chance.random() < 0.8 else chance.choice(made)
        for part in (inner, chance.choice([1, "x", len, None, 1.5, b"", (inner,), chance.choice(made)])):
            if isinstance(deep, list):
                deep.append(part)
            else:
                deep[chance.choice(["k", "l", ("m", 1), 2**70, len, 5])] = part
    agree(made[0])
    agree(made)


@pytest.mark.parametrize("levels", LEVELS)
def test_levels_that_change_while_something_inside_them_is_classified(levels: int) -> None:
    """Every level goes on from what it owned before foreign code could run."""
    for change in (dict.clear, lambda level: level.update(new=[1])):
        fresh = type("Fresh", (Opaque,), {})("kept")
        around: list[Any] = []
        value: Any = fresh
        for at in range(levels):
            value = {"at": at, "in": value, "beside": [{"at": at}]}
            around.append(value)
        plain = chain_of_dicts({"inside": "kept"}, levels)
        changed: list[int] = []

        def alter(around: list[Any] = around, change: Any = change, changed: list[int] = changed) -> None:
            if not changed:
                changed.append(1)
                for level in around:
                    change(level)

        with at_calls(alter):
            data = siftpack.packb(value)
        assert changed
        assert siftpack.unpackb(data) == plain


def chain_of_dicts(value: Any, levels: int) -> Any:
    """The levels as they were."""
    for at in range(levels):
        value = {"at": at, "in": value, "beside": [{"at": at}]}
    return value


@pytest.mark.parametrize("kind", ["list", "dict"])
def test_many_wide_containers_look_for_signals(kind: str) -> None:
    """A copy is bounded by its parts however they are spread over containers."""
    wide: Any = [None] * 40_000 if kind == "list" else dict.fromkeys(range(40_000))
    with pytest.raises(siftpack.LimitExceeded):
        siftpack.sanitize([[wide] * 1000], limits=Limits(bytes=1 << 24))


def test_levels_fit_the_smallest_stack() -> None:
    """A thread may have hardly any stack; how deep data is makes no difference to it."""
    value = [chain(part(), levels, 1) for levels in LEVELS for part in PARTS.values()]
    expected, found = siftpack.packb(value), []
    before = threading.stack_size(64 * 1024)
    try:
        thread = threading.Thread(target=lambda: found.append(siftpack.packb(value)))
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert found == [expected]
