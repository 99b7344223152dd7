"""Entries that were there before: JSON, text, integers and, under lock and key, pickles.

A reader is chosen by the first byte and never by trying. Nothing here is on unless it was asked for.
"""

import hashlib
import hmac
import io
import json
import pickle
import re
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections.abc import Iterable
from typing import Any, Final, NoReturn

from siftpack.cache.entries import Reason, Unreadable
from siftpack.cache.opcodes import scan
from siftpack.errors import PolicyError
from siftpack.frozen import Frozen

MAC_BYTES: Final = 32
INTEGER: Final = re.compile(rb"0|-?[1-9][0-9]{0,18}")
_JSON_STARTS: Final = frozenset(b'{["tfn-0123456789 \t\r\n')
_PICKLE_START: Final = 0x80


class Pickles(Frozen):
    """Leave to read pickles: each must end with ``HMAC-SHA256(secret, name, pickle)``, see ``sign``.

    ``allow`` holds the exact ``(module, name)`` pairs it may load, ``max_bytes`` its size. Opcodes, memo numbers and
    what hashing its keys would take are looked at before anything runs. What an allowed class does when it is built is
    on whoever allowed it.
    """

    __slots__ = __match_args__ = ("secret", "allow", "max_bytes")
    secret: bytes
    allow: frozenset[tuple[str, str]]
    max_bytes: int

    def __init__(self, secret: bytes, allow: Iterable[tuple[str, str]] = (), max_bytes: int = 2**20) -> None:
        try:
            pairs: frozenset[Any] = frozenset(allow)
        except TypeError:
            raise PolicyError("allow holds pairs of module and name") from None
        if type(secret) is not bytes or len(secret) < 16:
            raise PolicyError("the secret for pickles is at least 16 bytes")
        if not all(type(p) is tuple and len(p) == 2 and type(p[0]) is str and type(p[1]) is str for p in pairs):
            raise PolicyError("allow holds pairs of module and name")
        if type(max_bytes) is not int or not 0 < max_bytes <= 2**30:
            raise PolicyError("max_bytes is an int from 1 to 2**30")
        object.__setattr__(self, "secret", secret)
        object.__setattr__(self, "allow", pairs)
        object.__setattr__(self, "max_bytes", max_bytes)

    def __repr__(self) -> str:
        return f"Pickles(allow={sorted(self.allow)!r}, max_bytes={self.max_bytes})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("Pickles hold a secret and are not pickled")

    def sign(self, full_key: str, data: bytes) -> bytes:
        """A pickle that you trust, ready to be stored under ``full_key``."""
        return data + self._mac(full_key, data)

    def load(self, full_key: str, data: bytes) -> Any:
        """The value of a signed pickle. Raises ``Unreadable`` for any other."""
        if len(data) > self.max_bytes + MAC_BYTES:
            raise Unreadable(Reason.BAD_LEGACY)
        body, mac = data[:-MAC_BYTES], data[-MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(full_key, body)):
            raise Unreadable(Reason.BAD_LEGACY)
        try:
            scan(body)
            return _Restricted(body, self.allow).load()
        except Exception:  # noqa: BLE001 - a pickle may raise anything, and none of it is the caller's
            raise Unreadable(Reason.BAD_LEGACY) from None

    def _mac(self, full_key: str, data: bytes) -> bytes:
        name = full_key.encode()
        return hmac.digest(self.secret, len(name).to_bytes(4, "big") + name + data, hashlib.sha256)


class _Restricted(pickle.Unpickler):
    def __init__(self, data: bytes, allow: frozenset[tuple[str, str]]) -> None:
        super().__init__(io.BytesIO(data), fix_imports=False)
        self._allow = allow
        self._old = data[1] < 3  # the protocols in which names of Python 2 are written

    def find_class(self, module: str, name: str) -> Any:
        if self._old:
            if (module, name) in NAME_MAPPING:
                module, name = NAME_MAPPING[module, name]
            else:
                module = IMPORT_MAPPING.get(module, module)
        if (module, name) not in self._allow:
            raise pickle.UnpicklingError("not allowed")
        return super().find_class(module, name)

    def persistent_load(self, pid: Any) -> NoReturn:  # noqa: ARG002 - the signature of pickle
        raise pickle.UnpicklingError("no persistent ids")


class Legacy(Frozen):
    """Which readers are on. Without a ``Legacy`` none is.

    ``json``: what starts like JSON. ``text``: any other UTF-8. ``integers``: what INCR keeps. ``pickle``: see
    ``Pickles``. Values of pickles are written back as ours when read.
    """

    __slots__ = __match_args__ = ("json", "text", "integers", "pickle")
    json: bool
    text: bool
    integers: bool
    pickle: Pickles | None

    def __init__(
        self, *, json: bool = True, text: bool = False, integers: bool = True, pickle: Pickles | None = None
    ) -> None:
        bools: tuple[Any, ...] = (json, text, integers)
        readers: Any = pickle
        if not all(type(each) is bool for each in bools) or type(readers) not in (Pickles, type(None)):
            raise PolicyError("Legacy takes json, text and integers as bool, and pickle as Pickles or None")
        for name, value in zip(self.__match_args__, (json, text, integers, pickle), strict=True):
            object.__setattr__(self, name, value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("Legacy may hold a secret and is not pickled")


NONE: Final = Legacy(json=False, integers=False)


def read(data: bytes, full_key: str, legacy: Legacy) -> tuple[Any, str]:
    """The value and format of bytes that are no frame. Raises ``Unreadable``."""
    first = data[0] if data else None
    if first == _PICKLE_START:
        if legacy.pickle is None:
            raise Unreadable(Reason.LEGACY)
        return legacy.pickle.load(full_key, data), "pickle"
    if legacy.integers and INTEGER.fullmatch(data):
        return int(data), "integer"
    if first in _JSON_STARTS and legacy.json:
        return _json(data), "json"
    if legacy.text:
        try:
            return data.decode(), "text"
        except UnicodeDecodeError:
            raise Unreadable(Reason.FOREIGN) from None
    raise Unreadable(Reason.LEGACY if first in _JSON_STARTS else Reason.FOREIGN)


def _json(data: bytes) -> Any:
    try:
        return json.loads(data.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Unreadable(Reason.BAD_LEGACY) from None


def _no_constant(word: str) -> NoReturn:
    raise ValueError(word)
