"""Classes whose kind the program has declared."""

from collections.abc import Callable
from typing import Any, NamedTuple

from siftpack import _core
from siftpack.errors import PolicyError
from siftpack.policy import MACHINERY_KINDS, Kind

class Registered(NamedTuple):
    """What is known of a class: the class itself, its kind, its extractor."""

    cls: type
    kind: Kind | None
    extract: Callable[[Any], Any] | None


REGISTERED: dict[int, Registered] = {}
"""By identity; each entry owns its class, so no identity is ever reused."""


def register(cls: type, *, kind: Kind | str | None = None, extract: Callable[[Any], Any] | None = None) -> None:
    """Say what instances of a class of yours, and of its subclasses, are. Never enables restoring.

    ``kind`` is a machinery kind, ``Kind.SECRET``, or ``Kind.OPAQUE`` to have public fields kept although the class
    looks like machinery. Raises ``PolicyError`` for anything else.
    """
    from siftpack.storage import mro, type_name

    if not any(each is type for each in mro(type(cls))):
        raise PolicyError(f"register takes a class, not an instance of {type_name(type(cls))}")
    known = None
    try:
        known = None if kind is None else Kind(kind)
    except ValueError:
        raise PolicyError("unknown kind; see siftpack.Kind") from None
    if known is not None and known not in MACHINERY_KINDS and known not in (Kind.SECRET, Kind.OPAQUE):
        raise PolicyError(f"a class cannot be registered as Kind.{known.name}")
    REGISTERED[id(cls)] = Registered(cls, known, extract)
    _core.forget_plans()
