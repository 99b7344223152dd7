"""What a reader gets: a value, ``MISSING``, or an ``Entry`` that says more; and why something was a miss."""

import enum
from typing import Any, Final

from siftpack.frozen import Frozen


class Missing(enum.Enum):
    """The type of ``MISSING``: false, and one of a kind in a process and across pickling."""

    MISSING = "MISSING"

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing.MISSING
"""What ``get`` gives for a miss when no default was given: a cached None is a hit."""


class Entry(Frozen):
    """A readable entry.

    ``format`` is ``msgpack``, ``text``, ``json``, ``pickle`` or ``integer``; ``value`` of a ``text`` entry that the
    cache wrote itself is the rendering of something it could not store, and never what was put in. ``lossy`` says that
    something was left out when it was written. ``created_at`` is the writer's clock, ``age`` and ``ttl`` are counted on
    from there and from the server's answer, all in seconds and None where unknown; ``ttl`` is None too for an entry
    that does not expire.
    """

    __slots__ = __match_args__ = ("value", "format", "lossy", "created_at", "age", "ttl")
    value: Any
    format: str
    lossy: bool
    created_at: float | None
    age: float | None
    ttl: float | None

    def __init__(  # noqa: PLR0913, PLR0917 - one argument a field
        self,
        value: Any,
        format: str,  # noqa: A002 - a public word of the design
        lossy: bool = False,
        created_at: float | None = None,
        age: float | None = None,
        ttl: float | None = None,
    ) -> None:
        for name, field in zip(self.__match_args__, (value, format, lossy, created_at, age, ttl), strict=True):
            object.__setattr__(self, name, field)


class SizeEstimate(Frozen):
    """How much a partition or namespace holds: entries, bytes of values, and whether both were counted or projected."""

    __slots__ = __match_args__ = ("entries", "bytes", "exact")
    entries: int
    bytes: int
    exact: bool

    def __init__(self, entries: int, bytes: int, exact: bool) -> None:  # noqa: A002 - the unit is the name
        object.__setattr__(self, "entries", entries)
        object.__setattr__(self, "bytes", bytes)
        object.__setattr__(self, "exact", exact)


class Reason(enum.StrEnum):
    """Why a read was a miss."""

    ABSENT = "absent"
    """Nothing under the key."""
    ERROR = "error"
    """The store could not be asked, or its answer made no sense."""
    GARBLED = "garbled"
    """A reply that is no bytes at all: it belongs to another command."""
    MOVED = "moved"
    """A frame that was written for another key."""
    UNBOUND = "unbound"
    """A frame bound to no key, as drop-in serializers write them."""
    TRUNCATED = "truncated"
    """Ends before its header does."""
    CORRUPT = "corrupt"
    """A payload that is not what the header promises."""
    VERSION = "version"
    """A frame of another format version."""
    FLAGS = "flags"
    """A frame with bits that this version does not know."""
    TEXT = "text"
    """The rendering of a value that could not be stored."""
    SEALED = "sealed"
    """Sealed, and this cache has no seal."""
    UNSEALED = "unsealed"
    """Not sealed, and this cache has a seal."""
    BAD_SEAL = "bad_seal"
    """The seal is broken: forged, moved, damaged, or made with other keys."""
    UNKNOWN_KEY = "unknown_key"
    """Sealed with a key that is not in the ring."""
    EXPIRED = "expired"
    """Sealed with a time that has passed."""
    LEGACY = "legacy"
    """What a legacy reader could read if it were switched on."""
    BAD_LEGACY = "bad_legacy"
    """What a legacy reader that is switched on refuses."""
    FOREIGN = "foreign"
    """Bytes of nobody we know."""
    DECODED = "decoded"
    """The client gave text instead of bytes."""


ALARMS: Final = frozenset({Reason.GARBLED, Reason.MOVED, Reason.BAD_SEAL})
"""Reasons that should never occur: counted apart, and the connections that may have caused them are dropped."""


class Unreadable(Exception):  # noqa: N818 - never leaves the cache: it is how a reader says why
    """Bytes under a key that are a miss, and the reason."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class Degraded(Exception):  # noqa: N818 - never leaves the cache
    """The remote store was not asked, or failed, and the embedded one has nothing."""
