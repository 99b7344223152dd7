"""Errors as data: a type and a message that shows no secret."""

from typing import Any, Final

from siftpack._core import secret_value
from siftpack.agents.fields import field, text
from siftpack.report import Tombstone, legible, shown_type
from siftpack.storage import inherits

LONGEST: Final = 1000
"""Characters of a message that are kept."""
WITHHELD: Final = "(left out: it may hold a secret)"

_args: Any = BaseException.__dict__["args"].__get__


def message(given: Any) -> str:
    """A text as an error shows it: bounded, printable, and without what looks like a key, a token or a password."""
    words = text(given)
    if words is None:
        return WITHHELD if type(given) is Tombstone else ""
    if any(secret_value(word, whole=False) for word in (words, *words.split())):
        return WITHHELD
    return legible(words, LONGEST)


def of_exception(raised: BaseException) -> dict[str, Any]:
    """An exception by its type, and its first argument or stored ``message``; nothing of it runs."""
    given = _args(raised)
    first = tuple.__getitem__(given, 0) if inherits(type(given), tuple) and tuple.__len__(given) else None
    if text(first) is None:
        first = field(raised, "message")
    return {"type": shown_type(type(raised)), "message": message(first)}


def of_data(given: Any) -> dict[str, Any] | None:
    """What a result reports under ``error``; None if that means there was none."""
    if given is None or given is False or given in ("", [], {}) or (type(given) is int and given == 0):
        return None
    if inherits(type(given), BaseException):
        return of_exception(given)
    if inherits(type(given), dict):
        kind = next(
            (text(value) for name in ("type", "code", "name") if (value := field(given, name)) is not None), None
        )
        return {"type": message(kind) or "error", "message": message(field(given, "message", field(given, "msg")))}
    return {"type": "error", "message": message(given)}


_TOLD: Final = frozenset({"type", "code", "name", "message", "msg"})
_OF_EXCEPTIONS: Final = frozenset({"type", "message", "args", "notes", "cause", "context"})


def details(given: Any) -> dict[Any, Any]:
    """What a reported dict says beyond type and message; of an exception nothing, since its arguments may be keys."""
    if type(given) is not dict or given.keys() <= _OF_EXCEPTIONS:
        return {}
    return {key: value for key, value in given.items() if key not in _TOLD}
