"""Buffers other than bytes: bytearray, array.array, memoryview. Copied at once and released."""

import math
import struct
import sys
from typing import Any

from siftpack import wire
from siftpack.values import Lowered

CAST_FORMATS = "bBhHiIlLqQnNfd?c"
"""Single-character native formats that ``memoryview.cast`` can restore."""


def lower_bytearray(value: Any) -> Lowered:
    """Raw bytes."""
    return wire.BYTEARRAY, bytes(memoryview(value)), None


def lower_memoryview(value: memoryview) -> Lowered | None:
    """Format, shape and bytes in C order; None if released, of a foreign format, or empty in a shape."""
    try:
        code, shape = value.format.removeprefix("@"), value.shape or ()
        raw = value.tobytes()
    except ValueError:
        return None
    plain = code == "B" and len(shape) == 1
    if not plain and (len(code) != 1 or code not in CAST_FORMATS or not shape or 0 in shape):
        return None
    head = struct.pack(">BB", ord(code), len(shape)) + b"".join(struct.pack(">Q", n) for n in shape)
    return wire.MEMORYVIEW, head + raw, None


def build_memoryview(payload: bytes) -> memoryview:
    """The inverse of ``lower_memoryview``: a read-only view of its own bytes."""
    if len(payload) < 2:
        raise ValueError("memoryview too short")
    code, dimensions = chr(payload[0]), payload[1]
    start = 2 + 8 * dimensions
    if code not in CAST_FORMATS or not 0 < dimensions <= 64 or len(payload) < start:
        raise ValueError("bad memoryview header")
    shape = struct.unpack(f">{dimensions}Q", payload[2:start])
    raw = payload[start:]
    if math.prod(shape) * struct.calcsize(code) != len(raw):
        raise ValueError("memoryview shape and size disagree")
    if code == "B" and dimensions == 1:
        return memoryview(raw)
    if not raw:
        raise ValueError("memoryview with nothing in a shape")
    return memoryview(raw).cast(code, shape)  # type: ignore[call-overload,no-any-return]


def lower_array(value: Any) -> Lowered:
    """Typecode, item size and items, little-endian."""
    array = sys.modules["array"].array
    own = array.__dict__
    code, size = own["typecode"].__get__(value), own["itemsize"].__get__(value)
    raw = array.tobytes(value)
    if sys.byteorder == "big":
        raw = _swapped(raw, size)
    return wire.ARRAY, struct.pack(">BB", ord(code), size) + raw, None


def build_array(payload: bytes) -> Any:
    """The inverse of ``lower_array``; ints of a size this machine spells otherwise keep their values."""
    from array import array

    if len(payload) < 2:
        raise ValueError("array too short")
    code, size, raw = chr(payload[0]), payload[1], payload[2:]
    if code not in "bBuhHiIlLqQfd" or not size or len(raw) % size:
        raise ValueError("bad array header")
    if array(code).itemsize != size:
        family = "bhiq" if code in "hilq" else "BHIQ" if code in "HILQ" else ""
        code = next((c for c in family if array(c).itemsize == size), "")
        if not code:
            raise ValueError("array items of a size this machine has no type for")
    if sys.byteorder == "big":
        raw = _swapped(raw, size)
    if code == "u" and any(point > 0x10FFFF for point in array("I" if size == 4 else "H", raw)):
        raise ValueError("array of characters beyond Unicode")
    return array(code, raw)


def _swapped(raw: bytes, size: int) -> bytes:
    from array import array

    items = array({1: "B", 2: "H", 4: "I", 8: "Q"}[size], raw)
    items.byteswap()
    return items.tobytes()
