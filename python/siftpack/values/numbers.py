"""Numbers beyond int64 and float: big ints, Decimal, Fraction, complex, range, UUID."""

import math
import re
import struct
import sys
from typing import Any

from siftpack import wire
from siftpack.values import Lowered

_DECIMAL = re.compile(rb"-?(?:(?:\d+)(?:\.\d+)?(?:E[+-]\d{1,19})?|Infinity|s?NaN\d*)", re.ASCII)
GCD_CHECKED = 2048
"""Payload size, in bytes, up to which a fraction is checked for being in lowest terms: gcd is quadratic."""


def twos_complement(value: int) -> bytes:
    """Big-endian, the fewest bytes that keep the sign; at least one."""
    return value.to_bytes((value + (value < 0)).bit_length() // 8 + 1, "big", signed=True)


def read_int(payload: bytes) -> int:
    """The inverse of ``twos_complement``; refuses a byte too many."""
    value = int.from_bytes(payload, "big", signed=True)
    if twos_complement(value) != payload:
        raise ValueError("integer not in its shortest form")
    return value


def _write_ints(*values: int) -> bytes:
    parts = map(twos_complement, values)
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def _read_ints(payload: bytes, count: int) -> list[int]:
    values, at = [], 0
    for _ in range(count):
        if len(payload) < at + 4:
            raise ValueError("integer list too short")
        size = int.from_bytes(payload[at : at + 4], "big")
        if not 0 < size <= len(payload) - at - 4:
            raise ValueError("integer list too short")
        values.append(read_int(payload[at + 4 : at + 4 + size]))
        at += 4 + size
    if at != len(payload):
        raise ValueError("trailing bytes after integers")
    return values


def build_bigint(payload: bytes) -> int:
    """An int outside -2**63 .. 2**64 - 1."""
    value = read_int(payload)
    if -(2**63) <= value < 2**64:
        raise ValueError("integer that fits MessagePack's own forms")
    return value


def lower_decimal(value: Any) -> Lowered:
    """The scientific string of the General Decimal Arithmetic specification, whatever the context's capitals."""
    text: str = sys.modules["decimal"].Decimal.__str__(value)
    return wire.DECIMAL, text.replace("e", "E").encode("ascii"), None


def build_decimal(payload: bytes) -> Any:
    """The inverse of ``lower_decimal``; refuses spellings it would not write."""
    import decimal

    if not _DECIMAL.fullmatch(payload):
        raise ValueError("bad decimal")
    value = decimal.Decimal(payload.decode("ascii"))
    if lower_decimal(value)[1] != payload:
        raise ValueError("decimal not in its canonical form")
    return value


def lower_fraction(value: Any) -> Lowered | None:
    """Numerator and denominator, lowest terms, denominator positive."""
    own = sys.modules["fractions"].Fraction.__dict__
    try:
        top, bottom = own["_numerator"].__get__(value), own["_denominator"].__get__(value)
    except AttributeError:
        return None
    if type(top) is not int or type(bottom) is not int or bottom <= 0:
        return None
    return wire.FRACTION, _write_ints(top, bottom), None


def build_fraction(payload: bytes) -> Any:
    """The inverse of ``lower_fraction``."""
    from fractions import Fraction

    top, bottom = _read_ints(payload, 2)
    if bottom <= 0 or (len(payload) <= GCD_CHECKED and math.gcd(top, bottom) != 1):
        raise ValueError("fraction not in lowest terms")
    value = object.__new__(Fraction)
    value._numerator, value._denominator = top, bottom  # type: ignore[attr-defined]
    return value


def lower_complex(value: Any) -> Lowered:
    """Two doubles."""
    own = complex.__dict__
    return wire.COMPLEX, struct.pack(">dd", own["real"].__get__(value), own["imag"].__get__(value)), None


def build_complex(payload: bytes) -> complex:
    """The inverse of ``lower_complex``."""
    if len(payload) != 16:
        raise ValueError("a complex has 16 bytes")
    return complex(*struct.unpack(">dd", payload))


def lower_range(value: Any) -> Lowered:
    """Start, stop, step."""
    return wire.RANGE, _write_ints(value.start, value.stop, value.step), None


def build_range(payload: bytes) -> range:
    """The inverse of ``lower_range``."""
    return range(*_read_ints(payload, 3))


def lower_uuid(value: Any) -> Lowered | None:
    """Sixteen bytes, and a seventeenth only where ``is_safe`` says something."""
    own = sys.modules["uuid"].UUID.__dict__
    try:
        number, safe = own["int"].__get__(value), own["is_safe"].__get__(value)
    except AttributeError:
        return None
    if type(number) is not int or not 0 <= number < 2**128:
        return None
    tail = _SAFE.get(getattr(safe, "name", "")) if type(safe) is sys.modules["uuid"].SafeUUID else None
    return None if tail is None else (wire.UUID, number.to_bytes(16, "big") + tail, None)


_SAFE = {"unknown": b"", "safe": b"\x00", "unsafe": b"\x01"}


def build_uuid(payload: bytes) -> Any:
    """The inverse of ``lower_uuid``."""
    import uuid

    for name, tail in _SAFE.items():
        if payload[16:] == tail and len(payload) == 16 + len(tail):
            return uuid.UUID(bytes=payload[:16], is_safe=uuid.SafeUUID[name])
    raise ValueError("a UUID has 16 bytes, or 17 with its safety")
