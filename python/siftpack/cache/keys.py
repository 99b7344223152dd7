"""The names of entries in the store: ``{namespace}:{user}:{key}``, each part escaped so that no two can meet.

A part is written with every ``%``, ``:``, ``{``, ``}``, ``*``, ``?``, ``[``, ``]``, backslash, space, control character
and lone surrogate as ``%XX`` for each of its bytes, so the separators of a name are its own, a prefix holds exactly
what it says, and no part means anything to a glob. With hash tags the user part stands in braces, which puts all of a
user's entries into one slot of a cluster. An empty user part is what belongs to nobody.
"""

import re
from typing import Final

from siftpack.errors import PolicyError

LONGEST: Final = 16_384
"""Characters that a namespace, a user or a key may have."""

_SPECIAL = re.compile(r"[%:{}*?\[\]\\\s\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def escape(part: str) -> str:
    """One part of a name, injectively free of separators and of what means something to Redis."""
    return part if _SPECIAL.search(part) is None else _SPECIAL.sub(_percent, part)


def _percent(found: "re.Match[str]") -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "surrogatepass"))


def checked(part: object, what: str, *, empty: bool = False) -> str:
    """A part as an exact str. Raises ``PolicyError`` for what is no str, is too long, or is empty and must not be."""
    if type(part) is str:
        exact = part
    elif issubclass(type(part), str):
        exact = "".join((part,))  # type: ignore[arg-type]  # noqa: FLY002 - runs none of the subclass's code
    else:
        raise PolicyError(f"{what} must be a str")
    if len(exact) > LONGEST:
        raise PolicyError(f"{what} is longer than {LONGEST} characters")
    if not exact and not empty:
        raise PolicyError(f"{what} must not be empty")
    return exact


class Keys:
    """Names within one namespace. ``hash_tags`` puts each user's entries into one cluster slot."""

    __slots__ = ("_hash_tags", "namespace_prefix")

    def __init__(self, namespace: str, *, hash_tags: bool = False) -> None:
        self.namespace_prefix = f"{escape(checked(namespace, 'namespace'))}:"
        """What every name in the namespace begins with, and none outside it."""
        self._hash_tags = hash_tags

    def prefix(self, user: str | None) -> str:
        """What every name of a user begins with, and no other; None is the partition of nobody."""
        part = "" if user is None else escape(checked(user, "user"))
        return f"{self.namespace_prefix}{{{part}}}:" if self._hash_tags else f"{self.namespace_prefix}{part}:"


def full_key(prefix: str, key: object) -> str:
    """The name of an entry. Raises ``PolicyError`` for a key that is no str or is too long."""
    if type(key) is str and len(key) <= LONGEST:
        return prefix + (key if _SPECIAL.search(key) is None else _SPECIAL.sub(_percent, key))
    return prefix + escape(checked(key, "key", empty=True))
