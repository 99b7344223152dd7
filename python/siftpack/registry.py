"""What the program has declared about its classes."""

from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Any

from siftpack import _core
from siftpack.errors import PolicyError
from siftpack.policy import MACHINERY_KINDS, Kind

REGISTERED: dict[int, tuple[type, Kind | None, Callable[[Any], Any] | None]] = {}
"""Class, kind and extractor by the identity of the class; each entry owns its class, so no identity is ever reused."""
_numbers = count(1)
CHANGES = deque((0,), 1)
"""The number of the last change to what is registered."""


def register(cls: type, *, kind: Kind | str | None = None, extract: Callable[[Any], Any] | None = None) -> None:
    """Say what instances of a class of yours, and of its subclasses, are. Never enables restoring.

    ``kind`` is a machinery kind, ``Kind.SECRET``, or ``Kind.OPAQUE`` to have public fields kept although the class
    looks like machinery. ``extract`` is called with an instance and gives the data that stands for it. What is not
    given stays as it was registered before. Raises ``PolicyError`` for anything else.
    """
    from siftpack.storage import mro, type_name

    if not any(each is type for each in mro(type(cls))):
        raise PolicyError(f"register takes a class, not an instance of {type_name(type(cls))}")
    if kind is None and extract is None:
        raise PolicyError("register takes a kind, an extractor, or both")
    known = None if kind is None else _kind(kind)
    if extract is not None and not callable(extract):
        raise PolicyError(f"extract must be callable, not an instance of {type_name(type(extract))}")
    _, before, extractor = REGISTERED.get(id(cls), (cls, None, None))
    REGISTERED[id(cls)] = (cls, known or before, extractor if extract is None else extract)
    _core.forget_plans()
    CHANGES.append(next(_numbers))


def _kind(kind: Kind | str) -> Kind:
    try:
        known = Kind(kind)
    except ValueError:
        raise PolicyError("unknown kind; see siftpack.Kind") from None
    if known not in MACHINERY_KINDS and known not in (Kind.SECRET, Kind.OPAQUE):
        raise PolicyError(f"a class cannot be registered as Kind.{known.name}")
    return known
