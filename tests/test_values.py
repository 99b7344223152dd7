"""Values of the standard library: exact on the wire, strict on the way back."""

import datetime as dt
import ipaddress
import pathlib
import re
import threading
import uuid
from array import array
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from siftpack import wire
from siftpack.policy import Action, Kind, Limits
from siftpack.report import Ext, Tombstone
from siftpack.testing import same, strategies
from siftpack.testing.zoo import Amount, Cells, Route
from siftpack.values import BUILD, VALUES, build, cost, resolve

LEAVES = [*strategies.FLAT, *strategies.TIMES, *strategies.NAMES]
MAKERS = strategies.MUTABLE


@pytest.mark.parametrize("at", range(len(LEAVES)))
def test_each_value_comes_back(subject: Any, at: int) -> None:
    """Every value is clean and comes back of its type and content, alone, nested and as a key."""
    value = LEAVES[at]
    payload, report = subject.packb_with_report([value, {"k": (value,)}, {value: 1}, {value}])
    assert report.clean
    back = subject.unpackb(payload)
    assert same(back[0], value)
    assert same(back, [value, {"k": (value,)}, {value: 1}, {value}])


@pytest.mark.parametrize("at", range(len(MAKERS)))
def test_each_mutable_value_comes_back(subject: Any, at: int) -> None:
    """Every buffer and every NaN that signals comes back as it was, and its copy is independent."""
    value = MAKERS[at]()
    assert same(subject.unpackb(subject.packb([value])), [value])
    copy = subject.sanitize([value])[0]
    assert same(copy, value)
    assert isinstance(value, Decimal) or copy is not value


def test_every_row_has_its_types_and_its_codes_are_its_own() -> None:
    """Each row of the table names types that exist, and each code builds in one way."""
    assert all(resolve(row) for row in VALUES if row.module in ("builtins", "datetime", "decimal"))
    assert set(BUILD) >= set(range(wire.BIGINT, wire.EXT + 1))


def test_a_copy_of_a_buffer_is_released_at_once(subject: Any) -> None:
    """A bytearray can be resized after a walk: its buffer is not held."""
    buffer = bytearray(b"abc")
    subject.packb([buffer, memoryview(buffer)])
    subject.sanitize(buffer)
    buffer.extend(b"more")
    assert subject.unpackb(subject.packb(buffer)) == bytearray(b"abcmore")


def test_buffers_that_cannot_be_written_are_reported(subject: Any) -> None:
    """A released view and a view of a foreign format are left out with a finding."""
    released = memoryview(b"x")
    released.release()
    foreign = memoryview(array("i")).cast("B").cast("i")
    found = subject.inspect([released, foreign])
    assert [(f.path, f.kind, f.action) for f in found] == [(f"$[{at}]", Kind.BINARY, Action.DROP) for at in range(2)]


class Zone(dt.tzinfo):
    """A zone of somebody's own."""

    def utcoffset(self, _: Any) -> dt.timedelta:
        raise AssertionError("asked")

    dst = tzname = utcoffset  # type: ignore[assignment]


def test_a_foreign_zone_is_left_out_and_never_asked(subject: Any) -> None:
    """A moment in a foreign zone becomes naive, reported as converted under ``tzinfo``."""
    moment = dt.datetime(2024, 1, 2, 3, tzinfo=Zone())
    clock = dt.time(3, tzinfo=Zone())
    payload, report = subject.packb_with_report([moment, {"t": clock}])
    assert subject.unpackb(payload) == [dt.datetime(2024, 1, 2, 3), {"t": dt.time(3)}]
    assert [(f.path, f.kind, f.action) for f in report] == [
        ("$[0].tzinfo", Kind.VALUE, Action.CONVERTED),
        ("$[1].t.tzinfo", Kind.VALUE, Action.CONVERTED),
    ]


def test_a_zone_keeps_its_key_and_its_offset(subject: Any) -> None:
    """A moment in a named zone comes back in that zone, and its payload holds the offset too."""
    zone = ZoneInfo("Europe/Berlin")
    for fold in (0, 1):
        moment = dt.datetime(2024, 10, 27, 2, 30, tzinfo=zone, fold=fold)
        back = subject.unpackb(subject.packb(moment))
        assert (back.tzinfo.key, back.fold, back.utcoffset()) == ("Europe/Berlin", fold, moment.utcoffset())
    payload = subject.packb(dt.datetime(2024, 1, 1, tzinfo=zone)).replace(b"Europe/Berlin", b"Europe/Berlim")
    unknown = subject.unpackb(payload)
    assert unknown.utcoffset() == dt.timedelta(hours=1)
    assert unknown.tzinfo.tzname(None) == "Europe/Berlim"


def test_zones_of_the_reader_are_never_files_named_by_input(subject: Any) -> None:
    """A zone key that is a path is no zone."""
    for key in (b"../../etc/passwd", b"/etc/localtime", b"", b"Europe", b"\xff"):
        payload = bytes([0xC7, len(key), wire.ZONEINFO]) + key
        if key == b"\xff":
            with pytest.raises(ValueError, match="offset"):
                subject.unpackb(payload)
        else:
            assert subject.unpackb(payload) == Ext(wire.ZONEINFO, key)


def test_decimals_ignore_the_context(subject: Any) -> None:
    """A decimal is the same bytes whatever precision and capitals the context asks for."""
    value = Decimal("1.23456789012345678901234567890E+50")
    before = subject.packb(value)
    with localcontext() as context:
        context.prec, context.capitals = 3, 0
        assert subject.packb(value) == before
        assert subject.unpackb(before).as_tuple() == value.as_tuple()


@pytest.mark.parametrize(
    ("value", "plain"), [(Amount("1.50"), Decimal("1.50")), (Route("a/b"), pathlib.PurePosixPath("a/b"))]
)
def test_subclasses_of_values_are_their_base_value(subject: Any, value: Any, plain: Any) -> None:
    """A subclass of a value is the base value of the same storage."""
    assert same(subject.sanitize([value]), [plain])
    assert same(subject.sanitize({value: 1}), {plain: 1})
    assert same(subject.sanitize([Cells("i", [1])]), [array("i", [1])])


@pytest.mark.parametrize(
    "base", [ipaddress.IPv4Network, ipaddress.IPv6Network, ipaddress.IPv4Interface, uuid.UUID, Fraction]
)
def test_the_storage_of_a_subclass_is_no_loss(subject: Any, base: type) -> None:
    """What a value keeps in its own storage is not reported as lost when a subclass of it is written."""
    made = type("Sub", (base,), {})
    value = made(int=5) if base is uuid.UUID else made(1, 2) if base is Fraction else made(0)
    assert subject.inspect([value]).clean


def test_ext_values_of_others_pass_through(subject: Any) -> None:
    """An ext value comes back under its code, also under one of ours or the timestamp's."""
    for code in range(-128, 128):
        value = Ext(code, b"\x01\x02")
        payload = subject.packb(value)
        assert subject.unpackb(payload) == value
        assert (payload == bytes([0xD5, code & 255, 1, 2])) is (code < wire.FIRST_OWN and code != wire.TIMESTAMP)


@pytest.mark.parametrize(
    "bad", [Ext(200, b""), Ext(1, bytearray(b"x")), Ext("1", b""), Tombstone("sync", "x"), Tombstone(Kind.SYNC, 5)]
)  # type: ignore[arg-type]
def test_markers_with_wrong_contents_are_left_out(subject: Any, bad: Any) -> None:
    """An ``Ext`` or ``Tombstone`` that holds what it should not is dropped with a finding."""
    assert subject.sanitize([bad, 1]) == [1]
    assert len(subject.inspect([bad])) == 1


def test_values_have_their_price(subject: Any) -> None:
    """What is dear to build is charged by writer and reader alike, to the node."""
    for value, code, size in (
        *(
            (re.compile("abc"), wire.PATTERN, 8),
            (Fraction(1, 3), wire.FRACTION, 10),
            (pathlib.PurePosixPath("a"), wire.PATH, 2),
        ),
        *((Ext(5, b""), 5, 0), (range(3), wire.RANGE, 15), (array("B"), wire.ARRAY, 2), (1j, wire.COMPLEX, 16)),
    ):
        price = cost(code, size) + 1
        payload = subject.packb([value], limits=Limits(nodes=price))
        assert same(subject.unpackb(payload, limits=Limits(nodes=price)), [value])
        for call, argument in ((subject.packb, [value]), (subject.unpackb, payload)):
            if price > 1:
                with pytest.raises((TypeError, ValueError), match=r"Limits\.nodes"):
                    call(argument, limits=Limits(nodes=price - 1))


@pytest.mark.parametrize("code", sorted(BUILD))
def test_bad_payloads_are_value_errors(code: int) -> None:
    """A payload that no value of its code has is a ``ValueError`` of ``build`` or an ``Ext``, nothing else."""
    for payload in (b"", b"\x00", b"\xff" * 3, b"\xff" * 40, bytes(13), b"\x01" * 11):
        try:
            built = build(code, payload)
        except ValueError:
            continue
        assert built is not NotImplemented


def test_a_lock_in_a_value_position_is_no_value(subject: Any) -> None:
    """Machinery beside values takes none of them with it."""
    assert subject.sanitize([1j, threading.Lock(), 2j]) == [1j, 2j]
