"""Frames that are bound to the key they are stored under: made from what ``siftpack.dumps`` wrote, opened again.

The binding is a digest of the full key. It tells a reply that belongs to another key from the one that was asked for;
it is no secret, so it stops accidents and not forgers. Against those there is the seal.
"""

import hashlib
import struct
from typing import Any, Final, NamedTuple

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


class Place(NamedTuple):
    """Where an entry lies: namespace and user as given, and the name in the store."""

    namespace: str
    user: str
    full_key: str


class Opened(NamedTuple):
    """A frame that was opened: its payload, flags, and the two times in milliseconds since 1970."""

    payload: Any
    flags: int
    written: int
    expires: int


def key_digest(full_key: str) -> bytes:
    """The 16 bytes that bind a frame to a name."""
    return hashlib.blake2b(full_key.encode(), digest_size=16, person=b"siftpack-key").digest()


def bind(frame: bytes, place: Place, written: int, expires: int, seal: Seal | None) -> bytes:
    """A frame of ``dumps`` bound to ``place``, and sealed if there is a seal."""
    flags = frame[2] | wire.FLAG_BOUND
    digest = key_digest(place.full_key)
    payload = memoryview(frame)[wire.FRAME_HEADER :]
    if seal is None:
        return b"".join((HEAD.pack(_MAGIC + bytes((flags, 0)), digest, written, expires), payload))
    start = _MAGIC + bytes((flags | wire.FLAG_SEALED, seal.active))
    head = HEAD.pack(start, digest, written, expires)
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
    payload: Any = memoryview(data)[HEAD.size :]
    if seal is None:
        if flags & wire.FLAG_SEALED:
            raise Unreadable(Reason.SEALED)
    elif not flags & wire.FLAG_SEALED:
        raise Unreadable(Reason.UNSEALED)
    else:
        payload = seal.open(payload, data[: HEAD.size], *place)
        if expires and now > expires + CLOCKS_APART:
            raise Unreadable(Reason.EXPIRED)
    if flags & wire.FLAG_ZLIB:
        payload = _inflated(payload, bound)
    return Opened(payload, flags, written, expires)


def _check_start(data: bytes, flags: int) -> None:
    if data[1] != wire.FRAME_VERSION:
        raise Unreadable(Reason.VERSION)
    if flags & ~_KNOWN or (data[3] and not flags & wire.FLAG_SEALED):
        raise Unreadable(Reason.FLAGS)
    if not flags & wire.FLAG_BOUND:
        raise Unreadable(Reason.UNBOUND)


def _inflated(payload: Any, bound: int) -> bytes:
    try:
        return inflate(bytes(payload), bound)
    except FrameError:
        raise Unreadable(Reason.CORRUPT) from None
