"""pandas' own moments: Timestamp and Timedelta in their unit, NaT and NA."""

import datetime as dt
import re
import struct
import sys
from typing import Any

from siftpack import wire
from siftpack.values import Lowered
from siftpack.values.arrays import head
from siftpack.values.times import EPOCH, FIXED, FOLD, MICROSECOND, NAIVE, read_flags, read_zone, zone_of

_TIMESTAMP = re.compile(r"[<>]M8\[(s|ms|us|ns)\]")
_TIMEDELTA = re.compile(r"[<>]m8\[(s|ms|us|ns)\]")
_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
"""Units in a second."""
_NAT = -(2**63)
_DAY = 86_400 * 10**6
_FIELDS = [dt.datetime.__dict__[name].__get__ for name in ("hour", "minute", "second", "microsecond")]
_DATE = [dt.date.__dict__[name].__get__ for name in ("year", "month", "day")]
_ORDER = "<" if sys.byteorder == "little" else ">"


def lower_timestamp(value: Any) -> Lowered | None:
    """Units since the epoch in UTC, fold of a naive one, and the zone; of a foreign zone its offset remains."""
    own = sys.modules["pandas._libs.tslibs.timestamps"]._Timestamp.__dict__  # noqa: SLF001 - where the storage is
    count, unit = own["_value"].__get__(value), own["unit"].__get__(value)
    if unit not in _SECOND or count == _NAT:
        return None
    zone = dt.datetime.__dict__["tzinfo"].__get__(value)
    wall = _wall(value)
    kind, tail, foreign = zone_of(zone, wall)
    if foreign is not None and kind == NAIVE:
        kind, tail = FIXED, struct.pack(">q", _offset(count, unit, wall))
    fold = FOLD * (zone is None and dt.datetime.__dict__["fold"].__get__(value) == 1)
    items = struct.pack(f"{_ORDER}qB", count, fold | kind << 1)
    return wire.NDARRAY, head(wire.NDARRAY_TIMESTAMP, f"{_ORDER}M8[{unit}]", ()) + items + tail, foreign


def _wall(value: Any) -> dt.datetime:
    """The fields in the datetime that a Timestamp is: those of another year where its own is beyond datetime's."""
    date, clock = (get(value) for get in _DATE), (get(value) for get in _FIELDS)
    return dt.datetime(*date, *clock, fold=dt.datetime.__dict__["fold"].__get__(value))


def _offset(count: int, unit: str, wall: dt.datetime) -> int:
    """Wall clock less UTC in microseconds; 0 where the one is not to be had."""
    offset = (wall - EPOCH) // MICROSECOND - count * 10**6 // _SECOND[unit]
    return offset if abs(offset) < _DAY else 0


def lower_timedelta(value: Any) -> Lowered | None:
    """Units; None for one that pandas did not make."""
    own = sys.modules["pandas._libs.tslibs.timedeltas"]._Timedelta.__dict__  # noqa: SLF001 - where the storage is
    count, unit = own["_value"].__get__(value), own["unit"].__get__(value)
    if unit not in _SECOND or count == _NAT:
        return None
    front = head(wire.NDARRAY_TIMEDELTA, f"{_ORDER}m8[{unit}]", ())
    return wire.NDARRAY, front + struct.pack(f"{_ORDER}q", count), None


def lower_nat(_: Any) -> Lowered:
    """Nothing but its form."""
    return wire.NDARRAY, head(wire.NDARRAY_NAT, "", ()), None


def lower_na(_: Any) -> Lowered:
    """Nothing but its form."""
    return wire.NDARRAY, head(wire.NDARRAY_NA, "", ()), None


def check_moment(form: int, text: str, shape: tuple[int, ...], items: bytes) -> None:
    """Raises ``ValueError`` for a payload that the functions above would not write."""
    if form >= wire.NDARRAY_NAT:
        if text or shape or items:
            raise ValueError("NaT or NA with something in it")
        return
    pattern = _TIMESTAMP if form == wire.NDARRAY_TIMESTAMP else _TIMEDELTA
    if shape or not pattern.fullmatch(text) or len(items) < 8 or _count(text, items) == _NAT:
        raise ValueError("bad Timestamp or Timedelta")
    if form == wire.NDARRAY_TIMEDELTA:
        if len(items) != 8:
            raise ValueError("a Timedelta has 8 bytes")
        return
    if len(items) < 9:
        raise ValueError("Timestamp too short")
    fold, kind = read_flags(items[8])
    if fold and kind:
        raise ValueError("fold of a Timestamp that has a zone")
    read_zone(kind, items[9:])


def _count(text: str, items: bytes) -> int:
    return int.from_bytes(items[:8], "little" if text[0] == "<" else "big", signed=True)


def make_moment(form: int, text: str, items: bytes) -> Any:
    """The value of a payload that was checked. Raises ``ValueError`` for what pandas has no value for."""
    pandas, numpy = sys.modules["pandas"], sys.modules["numpy"]
    if form >= wire.NDARRAY_NAT:
        return pandas.NaT if form == wire.NDARRAY_NAT else pandas.NA
    unit, count = text[4:-1], _count(text, items)
    if form == wire.NDARRAY_TIMEDELTA:
        return pandas.Timedelta(numpy.timedelta64(count, unit))
    made = pandas.Timestamp(numpy.datetime64(count, unit))
    fold, kind = read_flags(items[8])
    zone = read_zone(kind, items[9:])
    if zone is not None:
        return made.tz_localize(dt.UTC).tz_convert(zone)
    return made.replace(fold=1) if fold else made
