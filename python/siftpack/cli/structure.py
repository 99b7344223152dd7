"""Whether bytes can be one MessagePack value, by the lengths in it: nothing is built."""

import struct
from typing import Final

_FIXED: Final = {
    **dict.fromkeys((0xC0, 0xC2, 0xC3), 0),
    **dict(zip(range(0xCA, 0xD4), (4, 8, 1, 2, 4, 8, 1, 2, 4, 8), strict=True)),
    **dict(zip(range(0xD4, 0xD9), (2, 3, 5, 9, 17), strict=True)),
}
"""Bytes that follow a first byte of which the size is known."""
_COUNTED: Final = {
    **dict(zip(range(0xC4, 0xCA), ((1, 0), (2, 0), (4, 0), (1, 1), (2, 1), (4, 1)), strict=True)),
    **dict(zip(range(0xD9, 0xDC), ((1, 0), (2, 0), (4, 0)), strict=True)),
}
"""Bytes of a length, and bytes that follow beside what it counts."""
_OPENING: Final = {0xDC: (2, 1), 0xDD: (4, 1), 0xDE: (2, 2), 0xDF: (4, 2)}
"""Bytes of a count, and values for each of it."""
_SIZES: Final = {1: ">B", 2: ">H", 4: ">I"}


def is_messagepack(data: bytes, *, whole: bool) -> bool:
    """True if ``data`` is one value that is no bare small number; with ``whole`` off, if it may be the head of one."""
    if not data or data[0] < 0x80 or data[0] >= 0xE0:
        return False
    at, due = 0, 1
    while due and at < len(data):
        step = _step(data, at)
        if step is None:
            return False
        at, due = step[0], due - 1 + step[1]
    ended = not due and at == len(data)
    return ended or (not whole and (due > 0 or at > len(data)))


def _step(data: bytes, at: int) -> tuple[int, int] | None:
    """Where the next value starts, and how many values this one opens; None for the byte that is never used."""
    first = data[at]
    at += 1
    if first < 0x80 or first >= 0xE0:
        return at, 0
    if first < 0xA0:
        return at, (first & 0x0F) * (2 if first < 0x90 else 1)
    if first < 0xC0:
        return at + (first & 0x1F), 0
    if first in _FIXED:
        return at + _FIXED[first], 0
    if first not in _COUNTED and first not in _OPENING:
        return None
    width, more = _COUNTED.get(first) or _OPENING[first]
    if at + width > len(data):
        return at + width, 0
    (count,) = struct.unpack_from(_SIZES[width], data, at)
    return (at + width + more + count, 0) if first in _COUNTED else (at + width, count * more)
