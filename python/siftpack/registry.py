"""Classes whose kind the program has declared."""

from siftpack import _core
from siftpack.errors import PolicyError
from siftpack.policy import MACHINERY_KINDS, Kind

REGISTERED: dict[int, tuple[type, Kind]] = {}
"""By identity; each entry owns its class, so no identity is ever reused."""


def register(cls: type, *, kind: Kind | str) -> None:
    """Say what instances of a class of yours, and of its subclasses, are. Never enables restoring.

    ``kind`` is a machinery kind, ``Kind.SECRET``, or ``Kind.OPAQUE`` to have public fields kept although the class
    looks like machinery. Raises ``PolicyError`` for anything else.
    """
    from siftpack.storage import mro, type_name

    if not any(each is type for each in mro(type(cls))):
        raise PolicyError(f"register takes a class, not an instance of {type_name(type(cls))}")
    try:
        known = Kind(kind)
    except ValueError:
        raise PolicyError("unknown kind; see siftpack.Kind") from None
    if known not in MACHINERY_KINDS and known not in (Kind.SECRET, Kind.OPAQUE):
        raise PolicyError(f"a class cannot be registered as Kind.{known.name}")
    REGISTERED[id(cls)] = (cls, known)
    _core.forget_plans()
