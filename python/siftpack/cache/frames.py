"""Frames that are bound to the key they are stored under: made from what ``siftpack.dumps`` wrote, opened again.

The binding is a digest of the full key. It tells a reply that belongs to another key from the one that was asked for;
it is no secret, so it stops accidents and not forgers. Against those there is the seal.
"""

import hashlib
import struct
from typing import Final, NamedTuple, TypeAlias

from siftpack import wire
from siftpack.bridge import inflate
from siftpack.cache.entries import Reason, Unreadable
from siftpack.cache.seal import Seal
from siftpack.errors import FrameError

HEAD: Final = struct.Struct(">4s16sQQ")
"""Magic, version, flags, key id; digest of the key; written and expires in milliseconds since 1970, 0 for never."""
CLOCKS_APART: Final = 30_000
"""Milliseconds that the clocks of writer and reader may differ before a sealed entry has expired."""
_KNOWN: Final = wire.FLAG_TEXT | wire.FLAG_ZLIB | wire.FLAG_LOSSY | wire.FLAG_BOUND | wire.FLAG_SEALED
_MAGIC: Final = bytes((wire.FRAME_MAGIC, wire.FRAME_VERSION))
_BOUND: Final = _MAGIC + bytes((wire.FLAG_BOUND, 0))
_DIGEST: Final = hashlib.blake2b(digest_size=16, person=b"siftpack-key")


class Place(NamedTuple):
    """Where an entry lies: namespace and user as given, and the name in the store."""

    namespace: str
    user: str
    full_key: str


Opened: TypeAlias = tuple[bytes, int, int, int]
"""A frame that was opened: bytes that hold its payload, from where on, its flags, and when it was written."""


def key_digest(full_key: str) -> bytes:
    """The 16 bytes that bind a frame to a name."""
    digest = _DIGEST.copy()
    digest.update(full_key.encode())
    return digest.digest()


def bound_head(full_key: str, written: int, expires: int, start: bytes = _BOUND) -> bytes:
    """The head of a frame that is bound to a name, as ``dumps_behind`` takes it; it begins with ``start``."""
    return HEAD.pack(start, key_digest(full_key), written, expires)


def bind(frame: bytes, place: Place, written: int, expires: int, seal: Seal | None) -> bytes:
    """A frame of ``dumps`` bound to ``place``, and sealed if there is a seal."""
    flags = frame[2] | wire.FLAG_BOUND
    payload = memoryview(frame)[wire.FRAME_HEADER :]
    if seal is None:
        return b"".join((bound_head(place.full_key, written, expires, _MAGIC + bytes((flags, 0))), payload))
    start = _MAGIC + bytes((flags | wire.FLAG_SEALED, seal.active))
    head = bound_head(place.full_key, written, expires, start)
    return head + seal.seal(payload, head, *place)


def open_frame(data: bytes, place: Place, now: int, seal: Seal | None, bound: int) -> Opened:
    """The payload of a frame that was written for ``place``. ``bound`` is what a compressed one may expand to.

    ``now`` is in milliseconds since 1970. Raises ``Unreadable`` for anything else.
    """
    if len(data) < wire.FRAME_HEADER:
        raise Unreadable(Reason.TRUNCATED)
    flags = data[2]
    _check_start(data, flags)
    if len(data) < HEAD.size:
        raise Unreadable(Reason.TRUNCATED)
    _, digest, written, expires = HEAD.unpack_from(data)
    if digest != key_digest(place.full_key):
        raise Unreadable(Reason.MOVED)
    at = HEAD.size
    if seal is not None:
        data, at = _unsealed(data, flags, place, seal), 0
        if expires and now > expires + CLOCKS_APART:
            raise Unreadable(Reason.EXPIRED)
    elif flags & wire.FLAG_SEALED:
        raise Unreadable(Reason.SEALED)
    if flags & wire.FLAG_ZLIB:
        data, at = _inflated(data[at:], bound), 0
    return data, at, flags, written


def _unsealed(data: bytes, flags: int, place: Place, seal: Seal) -> bytes:
    if not flags & wire.FLAG_SEALED:
        raise Unreadable(Reason.UNSEALED)
    return seal.open(memoryview(data)[HEAD.size :], data[: HEAD.size], *place)


def _check_start(data: bytes, flags: int) -> None:
    if data[1] != wire.FRAME_VERSION:
        raise Unreadable(Reason.VERSION)
    if flags & ~_KNOWN or (data[3] and not flags & wire.FLAG_SEALED):
        raise Unreadable(Reason.FLAGS)
    if not flags & wire.FLAG_BOUND:
        raise Unreadable(Reason.UNBOUND)


def _inflated(payload: bytes, bound: int) -> bytes:
    try:
        return inflate(payload, bound)
    except FrameError:
        raise Unreadable(Reason.CORRUPT) from None
