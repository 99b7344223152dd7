"""Dates and times, which the core reads and makes without Python: as the reference does, to the last bit."""

import datetime as dt
import random
from typing import Any

import pytest

import siftpack
from siftpack import reference, wire
from tests.conftest import outcome

CODES = (wire.TIMESTAMP, wire.DATETIME, wire.DATE, wire.TIME, wire.TIMEDELTA)
SECONDS = (-62135596800, -1, 0, 1, 2**32 - 1, 2**32, 2**34 - 1, 2**34, 253402300799)
EDGES = (
    *(dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=each) for each in SECONDS),
    *(dt.datetime.min, dt.datetime.max, dt.date.min, dt.date.max, dt.time.min, dt.time.max),
    *(dt.timedelta.min, dt.timedelta.max, dt.timedelta(0), dt.timedelta(microseconds=-1)),
    *(dt.datetime.max.replace(tzinfo=dt.UTC), dt.datetime.min.replace(tzinfo=dt.UTC)),
    *(dt.datetime(2020, 1, 1, tzinfo=dt.UTC, fold=1), dt.datetime(2020, 1, 1, fold=1), dt.time(1, fold=1)),
    *(dt.datetime(2020, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=2), "x")), dt.time(1, tzinfo=dt.UTC)),
)


def agree(value: Any) -> None:
    """Both write the same bytes and the same digest, as a value and as a key, and read back what was written."""
    data = siftpack.packb(value)
    assert data == reference.packb(value)
    assert repr(siftpack.unpackb(data)) == repr(value)
    assert siftpack.packb({value: 1}) == reference.packb({value: 1})
    assert siftpack.fingerprint(value) == reference.fingerprint(value)


@pytest.mark.parametrize("value", EDGES, ids=repr)
def test_edges_agree(value: Any) -> None:
    """The first and last of each type, of each form of the timestamp, and each fold and zone."""
    agree(value)


def test_every_year_agrees() -> None:
    """The days around the leap day and the year's end, of every year there is, with and without UTC."""
    for year in range(1, 10000):
        for month, day in ((1, 1), (2, 28), (3, 1), (12, 31)):
            date = dt.date(year, month, day)
            for zone in (None, dt.UTC):
                moment = dt.datetime(year, month, day, year % 24, year % 60, 59, year * 99, tzinfo=zone)
                data = siftpack.packb([date, moment])
                assert siftpack.unpackb(data) == [date, moment]
                if year % 10 in (0, 6):
                    assert data == reference.packb([date, moment])


@pytest.mark.parametrize("code", CODES)
def test_forged_payloads_agree(code: int) -> None:
    """Whatever bytes stand in a payload, both make the same value of them or refuse in the same words."""
    chance = random.Random(code)
    for _ in range(4000):
        size = chance.choice((0, 3, 4, 4, 7, 8, 11, 11, 12, 12, 13, 19))
        payload = bytes(
            chance.choice((0, 1, 2, 11, 12, 13, 23, 24, 28, 29, 30, 31, 59, 60, 255, chance.randrange(256)))
            for _ in range(size)
        )
        data = bytes([0xC7, size, code & 0xFF]) + payload
        assert said(siftpack, data) == said(reference, data)


def said(subject: Any, data: bytes) -> str:
    """The value as text, or the words of the refusal."""
    try:
        return repr(subject.unpackb(data))
    except siftpack.DecodeError as refused:
        return str(refused)


def test_a_subclass_is_read_by_its_base() -> None:
    """A subclass of datetime with another idea of its year is written by its storage."""

    class Liar(dt.datetime):
        @property
        def year(self) -> int:  # type: ignore[override]
            return 1

    assert siftpack.unpackb(siftpack.packb(Liar(2020, 1, 1))) == dt.datetime(2020, 1, 1)
    assert outcome(siftpack.packb, Liar(2020, 1, 1)) == outcome(reference.packb, Liar(2020, 1, 1))
