"""Forged records: whatever bytes say of listed classes is data or ``DecodeError``, as the reference does."""

import dataclasses
import enum
import time
from typing import Any, NamedTuple

import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from siftpack import reference
from siftpack.errors import DecodeError
from tests.conftest import core, outcome


@dataclasses.dataclass(frozen=True)
class Data:
    """A dataclass."""

    a: Any
    b: Any = 2


class Row(NamedTuple):
    """A namedtuple."""

    a: Any
    b: Any = 2


class Struct(msgspec.Struct, frozen=True):
    """A struct."""

    a: Any
    b: Any = 2


class Model(pydantic.BaseModel):
    """A model."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")
    a: Any
    b: int = 2


class Color(enum.Enum):
    """An enum."""

    RED = "a"
    PAIR = (1, "a")


class Bits(enum.Flag):
    """Flags."""

    ONE = 1
    TWO = 2


class Text(str):
    """A str with attributes."""

    __slots__ = ("__dict__",)


class Items(list[Any]):
    """A list."""


class Free:
    """An opaque class."""


TYPES = (Data, Row, Struct, Model, Color, Bits, Text, Items, Free, KeyError, OSError, ExceptionGroup)
NAMES = st.sampled_from([cls.__qualname__ for cls in TYPES])
FIELDS = st.sampled_from(["", "a", "b", "c", "args", "__cause__", "__dict__", "__class__", "_value_"])


def text(value: str) -> bytes:
    """A str as MessagePack."""
    data = value.encode()
    return bytes([0xA0 | len(data)]) + data if len(data) < 32 else b"\xda" + len(data).to_bytes(2, "big") + data


def array(parts: list[bytes]) -> bytes:
    """An array."""
    return b"\xdc" + len(parts).to_bytes(2, "big") + b"".join(parts)


def mapping(pairs: list[tuple[bytes, bytes]]) -> bytes:
    """A map."""
    return b"\xdf" + len(pairs).to_bytes(4, "big") + b"".join(key + value for key, value in pairs)


def record(name: bytes, fields: bytes) -> bytes:
    """A record."""
    return b"\x93\xd4\x60\x0a" + name + fields


def keyed(payload: bytes) -> bytes:
    """The key form."""
    return b"\xc8" + len(payload).to_bytes(2, "big") + b"\x61" + payload


def marked(mark: int, parts: list[bytes]) -> bytes:
    """A tagged array."""
    return array([b"\xd4\x60" + bytes([mark]), *parts])


SCALARS = st.sampled_from([b"\x00", b"\x01", b"\x02", b"\xc0", b"\xc3", b"\xcb" + bytes(8), b"\xc4\x01a", text("a")])
ODD = st.sampled_from([b"\x93\xd4\x60\x0a", b"\xd4\x60\x0a", b"\xc1", b"\x80", b"\x90", b"\xdf\xff\xff\xff\xff", b""])


def grown(inner: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Containers and records of what is there."""
    pairs = st.lists(st.tuples(FIELDS.map(text), inner), max_size=3)
    some = st.lists(inner, max_size=3)
    keys = st.one_of(inner, inner.map(keyed))
    records = st.builds(record, st.one_of(NAMES.map(text), st.just(text("other"))), pairs.map(mapping))
    return st.one_of(
        records,
        records.map(keyed),
        some.map(array),
        pairs.map(mapping),
        st.lists(st.tuples(keys, inner), max_size=2).map(mapping),
        st.builds(marked, st.integers(1, 10), some),
        st.builds(record, inner, inner),
    )


PAYLOADS = st.recursive(st.one_of(SCALARS, SCALARS, ODD), grown, max_leaves=12)


def shown(value: Any) -> Any:
    """What was read, so that two of it can be compared."""
    if isinstance(value, type):
        return value
    payload, report = core().packb_with_report(value, types=TYPES)
    return type(value), payload, report.counts


def agree(payload: bytes) -> None:
    """Both readers give the same, and nothing but data or ``DecodeError``."""
    for types in (TYPES, ()):
        ours, theirs = (outcome(each.unpackb, payload, types=types) for each in (core(), reference))
        assert not isinstance(ours, type) or ours is DecodeError
        assert shown(ours) == shown(theirs)


@given(PAYLOADS)
def test_forged_records_are_data_or_refused(payload: bytes) -> None:
    """Records of every kind in every position are read as the reference reads them, with and without their classes."""
    agree(payload)


@given(PAYLOADS, st.data())
def test_damaged_records_are_data_or_refused(payload: bytes, data: st.DataObject) -> None:
    """The same with a byte changed, or cut short."""
    at = data.draw(st.integers(0, max(0, len(payload) - 1)))
    byte = bytes([data.draw(st.integers(0, 255))])
    agree(payload[:at] + byte + payload[at + 1 :])
    agree(payload[:at])


def deep(count: int, name: str, field: str, leaf: bytes) -> bytes:
    """Records inside one another."""
    head = b"\x93\xd4\x60\x0a" + text(name) + b"\x81" + text(field)
    return head * count + leaf


@pytest.mark.parametrize("name", [*(cls.__qualname__ for cls in TYPES), "other"])
@pytest.mark.parametrize("field", ["", "a", "args", "__cause__"])
def test_records_inside_one_another_are_read_level_by_level(name: str, field: str) -> None:
    """Records as deep as the limit allows are read or refused in time, and taken apart again without a deep stack."""
    start = time.perf_counter()
    for count in (8_191, 8_193, 100_000):
        found = outcome(core().unpackb, deep(count, name, field, b"\x01"), types=TYPES)
        assert count < 8_192 or found is DecodeError
        del found
    assert time.perf_counter() - start < 10


@pytest.mark.parametrize("name", [cls.__qualname__ for cls in TYPES])
def test_a_hundred_thousand_fields_cost_no_more_than_their_number(name: str) -> None:
    """A record of 10^5 fields, and 10^4 records of ten unknown ones, are read or refused in linear time."""
    wide = [(text(f"f{at}"), b"\x01") for at in range(100_000)]
    many = record(text(name), mapping([(text(f"f{at}"), b"\x01") for at in range(10)]))
    start = time.perf_counter()
    outcome(core().unpackb, record(text(name), mapping(wide)), types=TYPES)
    outcome(core().unpackb, record(text(name), mapping([(text("a"), b"\x01"), *wide])), types=TYPES)
    outcome(core().unpackb, array([many] * 10_000), types=TYPES)
    assert time.perf_counter() - start < 5


def test_records_inside_keys_are_bounded() -> None:
    """Records in a key count as its containers do: 33 of them inside one another are refused."""
    for count in (1, 10, 32, 33, 2_000):
        head = b"\x93\xd4\x60\x0a" + text("Data") + b"\x81" + text("a")
        key = keyed(head * count + b"\x01")
        found = outcome(core().unpackb, mapping([(key, b"\x01")]), types=TYPES)
        assert (found is DecodeError) is (count > 32)


@given(st.one_of(st.text(max_size=300), st.binary(max_size=9)))
def test_names_of_every_kind_stand_for_nothing(name: str | bytes) -> None:
    """Whatever a record is called, an unlisted name is its fields, and what is no name is refused."""
    written = core().packb(name)
    agree(record(written, b"\x81\xa1a\x01"))
    agree(record(text("Data"), mapping([(written, b"\x01")])))
