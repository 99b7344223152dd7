"""Corners where two rules meet."""

from collections import ChainMap
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from siftpack.errors import DecodeError, EncodeError
from siftpack.policy import Kind, Limits
from siftpack.testing import same
from siftpack.testing.zoo import Frozen, Held, Opaque, Size


def test_a_key_that_cannot_be_hashed_after_sifting_leaves(subject: Any) -> None:
    """A record that hashes by identity but holds what Python cannot hash drops its entry, reported."""
    value = {Held(Decimal("sNaN")): 1, "a": 2, (Held(Decimal("sNaN")), 1): 3}
    assert subject.sanitize([value, {Held(Decimal("sNaN"))}]) == [{"a": 2}, set()]
    assert subject.unpackb(subject.packb(value)) == {"a": 2}
    assert len([f for f in subject.inspect(value) if f.action == "drop"]) == 2


class SlottedError(Exception):
    """An exception with a slot."""

    __slots__ = ("code",)


def test_the_slots_of_an_exception_are_reported(subject: Any) -> None:
    """What an exception keeps in slots of its own is not lost in silence."""
    error = SlottedError("m")
    error.code = 5
    assert [(f.path, f.kind) for f in subject.inspect(error)] == [("$.code", Kind.ATTRIBUTE)]


def no_maps() -> ChainMap[Any, Any]:
    """A ChainMap whose list of maps has been emptied."""
    made: ChainMap[Any, Any] = ChainMap()
    made.maps = []
    return made


@pytest.mark.parametrize("make", [lambda: ChainMap(len), no_maps], ids=["lost", "none"])  # type: ignore[arg-type]
def test_a_chain_map_without_maps_costs_what_its_reader_pays(subject: Any, make: Any) -> None:
    """A ChainMap that lost every map is read under the limits it was written under."""
    for limits in (Limits(depth=1), Limits(nodes=1), Limits(nodes=2)):
        try:
            payload = subject.packb(make(), limits=limits)
        except EncodeError:
            continue
        assert same(subject.unpackb(payload, limits=limits), subject.sanitize(make()))


@pytest.mark.parametrize("key", ["posixrules", "localtime", "posix/UTC", "right/UTC", "Europe/Berlin"])
def test_a_zone_outside_the_list_comes_back_as_it_is_sanitized(subject: Any, key: str) -> None:
    """A zone that readers do not preload is the same from ``sanitize`` as from the bytes, alone and in a moment."""
    import datetime as dt

    try:
        zone = ZoneInfo(key)
    except LookupError:
        zone = ZoneInfo("UTC")
    for value in (zone, dt.datetime(2024, 7, 1, tzinfo=zone), dt.time(1, tzinfo=zone)):
        assert same(subject.sanitize(value), subject.unpackb(subject.packb(value)))


def test_keys_keep_their_type(subject: Any) -> None:
    """Keys of different types stay apart, a record as a key is the tuple of its fields."""
    value = {1: "int", Size.SMALL.value + 0.5: "float", "1": "str", (1,): "tuple", Frozen(1): "record"}
    assert subject.sanitize(value) == {1: "int", 1.5: "float", "1": "str", (1,): "tuple", (1, None): "record"}


def test_equal_keys_after_sifting_keep_the_first(subject: Any) -> None:
    """Of keys that become equal the first stays, in dicts by order and in sets by their bytes."""
    one, other = Held(1), Held(1)
    assert subject.sanitize({one: "first", other: "second"}) == {(1, None, 7): "first"}
    assert subject.inspect({one: 1, other: 2}).counts == {Kind.RECORD: 2, Kind.KEY_COLLISION: 1}
    assert subject.sanitize({one, other}) == {(1, None, 7)}


def test_a_shared_object_is_written_at_each_place(subject: Any) -> None:
    """A shared object is copied once per place; only a back edge is a cycle."""
    shared = Opaque(a=[1])
    clean = subject.sanitize([shared, {"k": shared}, (shared,)])
    assert clean == [{"a": [1]}, {"k": {"a": [1]}}, ({"a": [1]},)]
    assert clean[0] is not clean[1]["k"]
    assert subject.inspect([shared, shared]).clean


@pytest.mark.parametrize("depth", [1, 2, 3, 10])
def test_the_path_of_a_cycle(subject: Any, depth: int) -> None:
    """The back edge of a cycle of any length is one finding at its place, named by the type it leads to."""
    loop: list[Any] = []
    inner = loop
    for _ in range(depth - 1):
        inner.append([])
        inner = inner[0]
    inner.append(loop)
    found = subject.inspect({"x": loop}).findings
    assert [(f.path, f.kind, f.type_name) for f in found] == [("$.x" + "[0]" * depth, Kind.CYCLE, "list")]


def test_readers_refuse_what_writers_never_write(subject: Any) -> None:
    """A reader takes a plain array in a key for a tuple, and a plain map never for a key."""
    assert subject.unpackb(b"\x81\x92\x01\x02\x03") == {(1, 2): 3}
    with pytest.raises(DecodeError):
        subject.unpackb(b"\x81\x80\x03")


@pytest.mark.parametrize("big", ["x" * 10_000, "x" * 100_000, b"x" * 100_000], ids=["large str", "str", "bytes"])
def test_what_vanishes_takes_nothing_large_before_it_along(subject: Any, big: Any) -> None:
    """A large string stays although the object right behind it leaves nothing and is undone."""
    gone = Opaque(_a=1)
    for value, left in (([big, gone], [big]), ({"a": big, "b": gone}, {"a": big}), ((big, [gone]), (big, []))):
        assert same(subject.unpackb(subject.packb(value)), left)
