"""Containers that foreign code changes while they are walked: every container, every change, every door, every walk."""

import contextlib
import dataclasses
import datetime as dt
import gc
import sys
from collections import ChainMap, Counter, OrderedDict, UserDict, defaultdict, deque
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import pytest

from siftpack import Action, Limits
from siftpack.errors import SiftError
from siftpack.report import Tombstone
from tests.conftest import FULL, core
from tests.hostile.doors import CHANGE, DOORS, LISTED, Door, Item, Key, install, policy_of
from tests.hostile.positions import Model

SIZE = 5
SHARED = ("shared", 1)


@dataclasses.dataclass
class Data:
    """A record."""

    a: Any
    b: Any
    c: Any


class Twin(Item):
    """What an instance may become."""


def _object(items: list[Any]) -> Any:
    made = Item(0)
    vars(made).update({f"k{at}": item for at, item in enumerate(items)})
    return made


def _named(items: list[Any]) -> dict[str, Any]:
    return {f"k{at}": item for at, item in enumerate(items)}


CONTAINERS: dict[str, Callable[[list[Any]], tuple[Any, Any]]] = {
    "list": lambda items: (items, items),
    "tuple": lambda items: ((items, *items), items),
    "dict": lambda items: (found := _named(items), found),
    "keys": lambda items: (found := {(at, "k1"): item for at, item in enumerate(items)}, found),
    "set": lambda items: ([found := {1, "k1", (2, "k2"), frozenset([3])}, items], found),
    "deque": lambda items: (found := deque(items, 3 * SIZE), found),
    "OrderedDict": lambda items: (found := OrderedDict(_named(items)), found),
    "defaultdict": lambda items: (found := defaultdict(list, _named(items)), found),
    "Counter": lambda items: (found := Counter(_named(items)), found),
    "ChainMap": lambda items: (ChainMap(found := _named(items), {"k1": 1}), found),
    "UserDict": lambda items: ((made := UserDict(_named(items))), made.data),
    "view": lambda items: ((found := OrderedDict(_named(items))).items(), found),
    "object": lambda items: (made := _object(items), vars(made)),
    "dataclass": lambda items: (made := Data(items, items[0], {"k1": items[1]}), vars(made)),
    "model": lambda items: (made := Model(a=items, **_named(items)), made.__pydantic_extra__),
}


def put(found: Any, at: int, value: Any) -> None:
    """Add one to whatever it is."""
    if isinstance(found, dict):
        found[f"k{at}"] = value
    elif isinstance(found, set):
        found.add((at, "k1"))
    else:
        found.append(value)


def take(found: Any) -> None:
    """Take one away."""
    found.popitem() if isinstance(found, dict) else found.pop()


def clear(found: Any, victim: Any) -> None:
    """Empty it."""
    found.clear()


def insert(found: Any, victim: Any) -> None:
    """Add one, at the front where there is one."""
    if isinstance(found, list) and len(found) < 4 * SIZE:
        found.insert(0, {"number": 1})
    elif len(found) < 4 * SIZE:
        put(found, len(found) + 1, {"number": 1})


def delete(found: Any, victim: Any) -> None:
    """Take one away."""
    take(found)


def replace(found: Any, victim: Any) -> None:
    """Put others in place of all of them."""
    count = len(found)
    found.clear()
    for at in range(count):
        put(found, at, [1])


def swap(found: Any, victim: Any) -> None:
    """Give elements and the container itself another class and another instance dict, and free what they had."""
    parts = list(found.values()) if isinstance(found, dict) else list(found)
    for each in (victim, *parts):
        if isinstance(each, Item):
            each.__class__ = Twin if type(each) is not Twin else Item
            each.__dict__ = {"number": 3}
    gc.collect(0)


def resize(found: Any, victim: Any) -> None:
    """Let go of all elements, fill what is freed with something else, and grow far beyond the old size."""
    if len(found) > 30 * SIZE:
        return
    found.clear()
    gc.collect(0)
    filler = [bytes([255]) * size for size in range(16, 400, 16) for _ in range(4)]
    for at in range(40 * SIZE):
        put(found, at, 1)
    del filler


CHANGES = (clear, insert, delete, replace, swap, resize)
WALKS: dict[str, tuple[dict[str, Any], Limits | None]] = {
    "fast": ({}, None),
    "path": ({"paths": {"$[1].k9": Action.DROP, "$[1].k1.number": Action.NAME}}, None),
    "redact": ({"redact": True, "emptied": Action.TOMBSTONE}, None),
    "json": ({"mode": "json"}, None),
    "cut": ({}, Limits(bytes=330, str_bytes=300, on_exceed="cut")),
}
FUNCTIONS = ("packb_with_report", "sanitize", "inspect", "fingerprint", *(("packb", "dumps") if FULL else ()))


@pytest.fixture(scope="module", autouse=True)
def settled() -> Iterator[None]:
    """Extractors are there, and a collection looks at the tests' own objects alone."""
    install()
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def victim_of(container: str, door: Door) -> tuple[Any, Any]:
    """A container whose elements are doors and others, and what of it is changed."""
    items: list[Any] = [door.element(at) if at % 2 == 0 else Item(at) for at in range(SIZE)]
    items[1].shared = SHARED
    if door is DOORS["str key"]:
        items.append({Key("k1"): 1, "k2": Item(2), Key("text"): Key("text")})
    return CONTAINERS[container](items)


def check(value: Any, depth: int = 0) -> None:
    """Nothing but what was there before or after."""
    cls = type(value)
    assert depth < 12
    if cls in (dict, OrderedDict, defaultdict, Counter):
        for key, each in value.items():
            check(key, depth + 1)
            check(each, depth + 1)
    elif cls is ChainMap:
        check(value.maps, depth + 1)
    elif cls in (list, tuple, set, frozenset, deque):
        for each in value:
            check(each, depth + 1)
    elif cls is int:
        assert 0 <= value <= 50 * SIZE or value == 2**100
    elif cls is str:
        assert len(value) < 400
        assert value.isprintable() or "\ud800" in value or "\ufffd" in value
    else:
        assert value is None or cls in (Tombstone, dt.datetime, float, memoryview, Fraction, *LISTED)


def call(name: str, value: Any, options: dict[str, Any]) -> Any:
    """What one function gives, as a value that can be looked at; None for an error of ours."""
    try:
        result = getattr(core(), name)(value, **options)
    except SiftError:
        return None
    if name == "inspect":
        assert all(each.path.startswith("$") for each in result.findings)
        return None
    if name == "fingerprint":
        assert len(bytes.fromhex(result)) == 32
        return None
    if name == "sanitize":
        return result
    payload = result[0] if name == "packb_with_report" else result
    return core().loads(payload) if name == "dumps" else core().unpackb(payload)


def walked(door: Door, container: str, change: Callable[..., None], walk: str, name: str) -> int:
    """One walk over a container that is changed in the middle of it, and how often foreign code got in."""
    policy, limits = WALKS[walk]
    options: dict[str, Any] = {"policy": policy_of(door, policy), "limits": limits}
    if door.listed:
        options["types"] = LISTED
    victim, found = victim_of(container, door)
    if not door.shut:
        CHANGE.action = lambda: change(found, victim)
    CHANGE.times = 0
    try:
        with door.around():
            result = call(name, ["before", victim, "after"], options)
    finally:
        CHANGE.action = None
    if result is not None:
        check(result)
        assert walk == "cut" or (result[0], result[-1]) == ("before", "after")
    return CHANGE.times


@pytest.mark.sized
@pytest.mark.parametrize("change", CHANGES, ids=lambda each: each.__name__)
@pytest.mark.parametrize("door", sorted(DOORS))
def test_whatever_gets_in_by_a_door_leaves_the_output_whole(door: str, change: Callable[..., None]) -> None:
    """Every container, walked in every way by every function while it is changed: whole or refused, nothing kept."""
    gc.collect()
    before, times = sys.getrefcount(SHARED), 0
    for container in CONTAINERS:
        for walk in WALKS:
            for name in FUNCTIONS:
                times += walked(DOORS[door], container, change, walk, name)
    gc.collect()
    assert (times == 0) is DOORS[door].shut
    assert sys.getrefcount(SHARED) == before
    assert gc.isenabled()


@pytest.mark.parametrize("change", CHANGES, ids=lambda each: each.__name__)
@pytest.mark.parametrize("door", ["validator of a key", "factory", "hash", "hash in a set", "profiler and listed"])
def test_whatever_gets_in_while_reading_leaves_the_value_whole(door: str, change: Callable[..., None]) -> None:
    """A reader whose listed classes change what it has read so far gives data or ``DecodeError``."""
    payload = core().packb([[{"k1": [1]}], DOORS[door].element(1), ({"k2": 1},)] * 3, types=LISTED)

    def around() -> None:
        for found in gc.get_objects():
            if type(found) in (list, dict) and len(found) == 1:
                inner = found[0] if type(found) is list else found.get("k1", found.get("k2"))
                if type(found) is dict and inner in ([1], 1):
                    change(found, None)

    CHANGE.action = around
    try:
        with DOORS[door].around(), contextlib.suppress(SiftError):
            check(core().unpackb(payload, types=LISTED))
    finally:
        CHANGE.action = None
