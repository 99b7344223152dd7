"""AES-256-GCM around a payload, with keys of its own for every user (extra ``crypto``).

The associated data are the format version, namespace, user, full key, content flags, key id and the two times of the
frame, each behind its length, so that nothing of it can be changed or moved. The algorithm is fixed here and never read
from what is stored. A user's key is HKDF-SHA256 of the ring's key over namespace and user.
"""

import os
import struct
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from siftpack import wire
from siftpack.cache.entries import Reason, Unreadable
from siftpack.errors import PolicyError

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
_CIPHERS_KEPT: Final = 1024


class Seal:
    """A ring of keys by id. ``active`` writes, all of them read; give new keys a new id and drop old ones later.

    ``keys`` maps ids from 1 to 255 to 32 random bytes; ``active`` is the highest id if not said. Raises
    ``PolicyError`` for anything else, and where the package ``cryptography`` is missing.
    """

    __slots__ = ("_aead", "_ciphers", "_keys", "_refused", "active")

    def __init__(self, keys: Mapping[int, bytes], *, active: int | None = None) -> None:
        try:
            ring = dict(keys)
        except (TypeError, ValueError):
            ring = {}
        if not ring or not all(type(key_id) is int and 1 <= key_id <= 255 for key_id in ring):
            raise PolicyError("Seal takes keys by id, from 1 to 255")
        if not all(type(key) is bytes and len(key) == KEY_BYTES for key in ring.values()):
            raise PolicyError(f"each key of a Seal is {KEY_BYTES} bytes")
        if len(set(ring.values())) != len(ring):
            raise PolicyError("two ids of a Seal have the same key")
        self.active: int = max(ring) if active is None else active
        if type(self.active) is not int or self.active not in ring:
            raise PolicyError("the active key of a Seal is one of its keys")
        try:
            from cryptography.exceptions import InvalidTag
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        except ImportError:
            raise PolicyError("Seal needs the package cryptography: pip install 'siftpack[crypto]'") from None
        self._aead: Any = AESGCM
        self._refused: Any = InvalidTag
        self._keys = ring
        self._ciphers: OrderedDict[tuple[int, str, str], Any] = OrderedDict()

    def seal(self, payload: Any, head: bytes, namespace: str, user: str, full_key: str) -> bytes:
        """Nonce, ciphertext and tag. ``head`` is the frame's header, which is bound in."""
        nonce = os.urandom(NONCE_BYTES)
        cipher = self._cipher(self.active, namespace, user)
        sealed: bytes = cipher.encrypt(nonce, payload, _associated(head, namespace, user, full_key))
        return nonce + sealed

    def open(self, sealed: memoryview, head: bytes, namespace: str, user: str, full_key: str) -> bytes:
        """The payload. Raises ``Unreadable`` for a key that is not in the ring and for a broken seal."""
        key_id = head[3]
        if key_id not in self._keys:
            raise Unreadable(Reason.UNKNOWN_KEY)
        if len(sealed) < NONCE_BYTES + TAG_BYTES:
            raise Unreadable(Reason.TRUNCATED)
        cipher = self._cipher(key_id, namespace, user)
        associated = _associated(head, namespace, user, full_key)
        try:
            opened: bytes = cipher.decrypt(bytes(sealed[:NONCE_BYTES]), sealed[NONCE_BYTES:], associated)
        except self._refused:
            raise Unreadable(Reason.BAD_SEAL) from None
        return opened

    def _cipher(self, key_id: int, namespace: str, user: str) -> Any:
        owner = (key_id, namespace, user)
        cipher = self._ciphers.get(owner)
        if cipher is None:
            cipher = self._aead(self._derived(key_id, namespace, user))
            self._ciphers[owner] = cipher
            while len(self._ciphers) > _CIPHERS_KEPT:
                try:
                    self._ciphers.popitem(last=False)
                except KeyError:  # another thread took the last one
                    break
        return cipher

    def _derived(self, key_id: int, namespace: str, user: str) -> bytes:
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        info = _prefixed(b"siftpack seal 1", _spelled(namespace), _spelled(user))
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(self._keys[key_id])

    def __repr__(self) -> str:
        return f"<Seal of {len(self._keys)} key(s), {self.active} active>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Seal holds keys and is not pickled")


def _associated(head: bytes, namespace: str, user: str, full_key: str) -> bytes:
    version, flags, key_id = head[1:4]
    codec = bytes((flags & (wire.FLAG_TEXT | wire.FLAG_ZLIB | wire.FLAG_LOSSY), key_id))
    times = head[-16:]
    names = (_spelled(namespace), _spelled(user), full_key.encode())
    return _prefixed(bytes((version,)), *names, codec, times[:8], times[8:])


def _spelled(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")


def _prefixed(*parts: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)
