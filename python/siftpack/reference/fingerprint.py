"""The fingerprint as a rule over the payload: maps in the order of their bytes, what is long replaced by its digest.

It needs nothing but the bytes that ``encode`` wrote, so a reader in any language can do the same.
"""

from typing import Final

from siftpack import wire

CONTEXT: Final = "siftpack fingerprint 1"
"""Keeps these digests apart from those of every other use of BLAKE3."""
FOLD: Final = 1024
"""What is longer than this, in bytes, is replaced by its digest."""
DIGEST: Final = b"\xc1"
"""Opens a digest: the one byte that MessagePack never uses."""


def digest(payload: bytes) -> str:
    """The fingerprint of one valid payload: 64 hexadecimal digits. Raises ``ImportError`` without ``blake3``."""
    return _hash(_Payload(payload).value()).hex()


def _hash(data: bytes) -> bytes:
    from blake3 import blake3  # for tests alone, so it is imported where it is used

    return blake3(data, derive_key_context=CONTEXT).digest()


def _folded(form: bytes) -> bytes:
    return DIGEST + _hash(form) if len(form) > FOLD else form


class _Payload:
    """A cursor. Each method goes past one value and gives the bytes that stand for it."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def value(self) -> bytes:
        """A value in its place."""
        if self.data[self.at] in _MAPS:
            return self.map(ordered=False)
        if self.data[self.at] in _ARRAYS:
            return self.array()
        return _folded(self.verbatim())

    def map(self, *, ordered: bool) -> bytes:
        """A map: keys as they are, entries in the order of their bytes unless their own order is data."""
        head, count = self.header(_MAPS)
        entries = [self.verbatim() + self.value() for _ in range(count)]
        return _folded(head + b"".join(entries if ordered else sorted(entries)))

    def array(self) -> bytes:
        """An array: elements in their order, those of sets as they are. One around a map is not folded: its map is."""
        head, count = self.header(_ARRAYS)
        tag = self.mark() if count else None
        if tag in _AROUND_MAPS:
            front = b"".join(self.verbatim() for _ in range(count - 1))
            return head + front + self.map(ordered=tag == wire.ORDERED_DICT)
        part = self.verbatim if tag in (wire.SET, wire.FROZENSET) else self.value
        return _folded(head + b"".join(part() for _ in range(count)))

    def mark(self) -> int | None:
        """The number of the mark that comes next, if one does; stays where it is."""
        form = self.data[self.at : self.at + 3]
        return form[2] if form[0] in (0xD4, 0xD7) and form[1] == wire.MARK else None

    def header(self, markers: dict[int, int]) -> tuple[bytes, int]:
        """The header of an array or map, and its count."""
        start, width = self.at, markers[self.data[self.at]]
        self.at += 1 + width
        head = self.data[start : self.at]
        return head, int.from_bytes(head[1:], "big") if width else head[0] & 15

    def verbatim(self) -> bytes:
        """A value as it is, whatever is in it."""
        start = self.at
        for markers, each in ((_ARRAYS, 1), (_MAPS, 2)):
            if self.data[start] in markers:
                for _ in range(each * self.header(markers)[1]):
                    self.verbatim()
                return self.data[start : self.at]
        self.at += self.leaf(start)
        return self.data[start : self.at]

    def leaf(self, at: int) -> int:
        """The size in bytes of a value that is no array and no map."""
        marker = self.data[at]
        if marker in _SIZED:
            width, code = _SIZED[marker]
            return 1 + width + code + int.from_bytes(self.data[at + 1 : at + 1 + width], "big")
        return 1 + (marker & 31 if 0xA0 <= marker < 0xC0 else _FIXED.get(marker, 0))


_ARRAYS = {**dict.fromkeys(range(0x90, 0xA0), 0), 0xDC: 2, 0xDD: 4}
_MAPS = {**dict.fromkeys(range(0x80, 0x90), 0), 0xDE: 2, 0xDF: 4}
"""By marker: how many bytes the count takes that follows it."""
_SIZED = {
    **{0xC4 + step: (1 << step, 0) for step in range(3)},
    **{0xC7 + step: (1 << step, 1) for step in range(3)},
    **{0xD9 + step: (1 << step, 0) for step in range(3)},
}
"""By marker: how many bytes the size takes that follows it, and then the code."""
_FIXED = {
    **{marker: 1 << step for first in (0xCC, 0xD0) for step, marker in enumerate(range(first, first + 4))},
    0xCA: 4,
    0xCB: 8,
    **{0xD4 + step: 1 + (1 << step) for step in range(5)},
}
"""By marker: how many bytes follow it."""
_AROUND_MAPS = (wire.ORDERED_DICT, wire.DEFAULT_DICT, wire.COUNTER, wire.RECORD)
