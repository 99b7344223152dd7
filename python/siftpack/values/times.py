"""Dates, times and zones. Fields are read through datetime's own descriptors; a foreign tzinfo is never called."""

import datetime as dt
import functools
import struct
import sys
from typing import Any

from siftpack import wire
from siftpack.values import Lowered

NAIVE, FIXED, ZONE = 0, 1, 2
FOLD = 1
EPOCH = dt.datetime(1970, 1, 1)
MICROSECOND = dt.timedelta(microseconds=1)

_DATE = [dt.date.__dict__[name].__get__ for name in ("year", "month", "day")]
_CLOCK = [dt.datetime.__dict__[name].__get__ for name in ("hour", "minute", "second", "microsecond", "fold")]
_TIME = [dt.time.__dict__[name].__get__ for name in ("hour", "minute", "second", "microsecond", "fold")]
_TZINFO = dt.datetime.__dict__["tzinfo"].__get__
_TIME_TZINFO = dt.time.__dict__["tzinfo"].__get__
_DELTA = [dt.timedelta.__dict__[name].__get__ for name in ("days", "seconds", "microseconds")]


def lower_datetime(value: Any) -> Lowered:
    """UTC as MessagePack's own timestamp; any other as fields, fold, and zone with its offset."""
    year, month, day = (get(value) for get in _DATE)
    hour, minute, second, microsecond, fold = (get(value) for get in _CLOCK)
    zone = _TZINFO(value)
    bare = dt.datetime(year, month, day, hour, minute, second, microsecond, fold=fold)
    if zone is dt.UTC and not fold:
        return wire.TIMESTAMP, _timestamp(bare), None
    kind, tail, foreign = zone_of(zone, bare)
    fields = struct.pack(">HBBBBB", year, month, day, hour, minute, second) + microsecond.to_bytes(3, "big")
    return wire.DATETIME, fields + bytes([fold | kind << 1]) + tail, foreign


def _timestamp(bare: dt.datetime) -> bytes:
    total = (bare - EPOCH) // MICROSECOND
    seconds, micros = divmod(total, 1_000_000)
    nanos = micros * 1000
    if 0 <= seconds < 2**34:
        if nanos == 0 and seconds < 2**32:
            return seconds.to_bytes(4, "big")
        return (nanos << 34 | seconds).to_bytes(8, "big")
    return struct.pack(">Iq", nanos, seconds)


def zone_of(zone: Any, bare: dt.datetime | None) -> tuple[int, bytes, type | None]:
    """Kind and tail of a tzinfo. What readers could not restore becomes its offset, or nothing; its type says so."""
    if zone is None:
        return NAIVE, b"", None
    if type(zone) is dt.timezone:
        return FIXED, _fixed(zone), None
    key = _zone_key(zone)
    if key is None:
        return NAIVE, b"", type(zone)
    offset = None if bare is None else type(zone).utcoffset(zone, bare)
    tail = b"" if offset is None else struct.pack(">q", offset // MICROSECOND)
    if key.decode("utf-8", "surrogatepass") in zones():
        return ZONE, tail + key, None
    return (FIXED, tail + b"\x01" + key, type(zone)) if tail else (NAIVE, b"", type(zone))


def _zone_key(zone: Any) -> bytes | None:
    known = sys.modules.get("zoneinfo")
    if known is None or type(zone) is not known.ZoneInfo:
        return None
    key = type(zone).__dict__["key"].__get__(zone)
    return key.encode("utf-8", "surrogatepass") if type(key) is str else None


def _fixed(zone: dt.timezone) -> bytes:
    offset, *name = zone.__getinitargs__()  # type: ignore[attr-defined]
    tail = b"\x01" + "".join(name).encode("utf-8", "surrogatepass") if name else b""
    return struct.pack(">q", offset // MICROSECOND) + tail


def lower_date(value: Any) -> Lowered:
    """Year, month, day."""
    return wire.DATE, struct.pack(">HBB", *(get(value) for get in _DATE)), None


def lower_time(value: Any) -> Lowered:
    """Fields, fold, and zone without an offset."""
    hour, minute, second, microsecond, fold = (get(value) for get in _TIME)
    kind, tail, foreign = zone_of(_TIME_TZINFO(value), None)
    fields = bytes([hour, minute, second]) + microsecond.to_bytes(3, "big")
    return wire.TIME, fields + bytes([fold | kind << 1]) + tail, foreign


def lower_timedelta(value: Any) -> Lowered:
    """Days, seconds, microseconds as datetime normalises them."""
    return wire.TIMEDELTA, struct.pack(">iII", *(get(value) for get in _DELTA)), None


def lower_timezone(value: Any) -> Lowered:
    """Offset in microseconds and the name, if it has one."""
    return wire.TIMEZONE, _fixed(value), None


def lower_zoneinfo(value: Any) -> Lowered | None:
    """The key, where readers know it; zones read from a file have none."""
    kind, key, _ = zone_of(value, None)
    return (wire.ZONEINFO, key, None) if kind == ZONE else None


def build_timestamp(payload: bytes) -> dt.datetime:
    """MessagePack's timestamp 32, 64 and 96, rounded down to microseconds."""
    if len(payload) == 4:
        nanos, seconds = 0, int.from_bytes(payload, "big")
    elif len(payload) == 8:
        packed = int.from_bytes(payload, "big")
        nanos, seconds = packed >> 34, packed & (2**34 - 1)
    elif len(payload) == 12:
        nanos, seconds = struct.unpack(">Iq", payload)
    else:
        raise ValueError("a timestamp has 4, 8 or 12 bytes")
    if nanos > 999_999_999:
        raise ValueError("timestamp with more than 999999999 nanoseconds")
    try:
        moment = EPOCH + dt.timedelta(seconds=seconds, microseconds=nanos // 1000)
    except OverflowError:
        raise ValueError("timestamp outside the years 1 to 9999") from None
    return moment.replace(tzinfo=dt.UTC)


def build_datetime(payload: bytes) -> Any:
    """The inverse of ``lower_datetime``."""
    if len(payload) < 11:
        raise ValueError("datetime too short")
    year, month, day, hour, minute, second = struct.unpack(">HBBBBB", payload[:7])
    fold, kind = read_flags(payload[10])
    zone = read_zone(kind, payload[11:])
    micros = int.from_bytes(payload[7:10], "big")
    return dt.datetime(year, month, day, hour, minute, second, micros, tzinfo=zone, fold=fold)


def build_date(payload: bytes) -> dt.date:
    """The inverse of ``lower_date``."""
    if len(payload) != 4:
        raise ValueError("a date has 4 bytes")
    return dt.date(*struct.unpack(">HBB", payload))


def build_time(payload: bytes) -> Any:
    """The inverse of ``lower_time``; an ``Ext`` where the zone is not known here."""
    if len(payload) < 7:
        raise ValueError("time too short")
    fold, kind = read_flags(payload[6])
    micros = int.from_bytes(payload[3:6], "big")
    bare = dt.time(payload[0], payload[1], payload[2], micros, fold=fold)
    if kind == ZONE:
        zone = zones().get(_key(payload[7:]))
        if zone is None:
            return _unknown(wire.TIME, payload)
    else:
        zone = read_zone(kind, payload[7:])
    return bare.replace(tzinfo=zone)


def build_timedelta(payload: bytes) -> dt.timedelta:
    """The inverse of ``lower_timedelta``; refuses what is not normalised."""
    if len(payload) != 12:
        raise ValueError("a timedelta has 12 bytes")
    days, seconds, micros = struct.unpack(">iII", payload)
    if seconds >= 86_400 or micros >= 1_000_000:
        raise ValueError("timedelta not normalised")
    try:
        return dt.timedelta(days, seconds, micros)
    except OverflowError:
        raise ValueError("timedelta out of range") from None


def build_timezone(payload: bytes) -> dt.timezone:
    """The inverse of ``lower_timezone``."""
    if len(payload) < 8 or payload[8:9] not in (b"", b"\x01"):
        raise ValueError("bad timezone")
    offset = struct.unpack(">q", payload[:8])[0]
    if abs(offset) >= 86_400_000_000:
        raise ValueError("timezone offset of a day or more")
    delta = dt.timedelta(microseconds=offset)
    if len(payload) == 8:
        return dt.timezone(delta)
    return dt.timezone(delta, payload[9:].decode("utf-8", "surrogatepass"))


def build_zoneinfo(payload: bytes) -> Any:
    """The preloaded zone of that key; an ``Ext`` where it is not known here."""
    return zones().get(_key(payload)) or _unknown(wire.ZONEINFO, payload)


def read_flags(byte: int) -> tuple[int, int]:
    """Fold and kind of zone."""
    if byte >> 1 > ZONE:
        raise ValueError("unknown zone kind")
    return byte & FOLD, byte >> 1


def read_zone(kind: int, tail: bytes) -> Any:
    """The tzinfo of a kind and its tail. Raises ``ValueError`` for a tail that ``zone_of`` would not write."""
    if kind == NAIVE:
        if tail:
            raise ValueError("trailing bytes after a naive time")
        return None
    if kind == FIXED:
        return build_timezone(tail)
    if len(tail) < 8:
        raise ValueError("zone without an offset")
    key = _key(tail[8:])
    return zones().get(key) or build_timezone(tail[:8] + b"\x01" + tail[8:])


def _key(payload: bytes) -> str:
    return payload.decode("utf-8", "surrogatepass")


def _unknown(code: int, payload: bytes) -> Any:
    from siftpack.report import Ext

    return Ext(code, payload)


@functools.cache
def zones() -> dict[str, Any]:
    """Every zone this system knows, loaded whole the first time any zone is met: input never names a file to open."""
    import zoneinfo

    loaded: dict[str, Any] = {}
    for key in sorted(zoneinfo.available_timezones()):
        try:
            loaded[key] = zoneinfo.ZoneInfo(key)
        except (ValueError, OSError):
            continue
    return loaded
