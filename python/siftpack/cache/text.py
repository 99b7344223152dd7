"""The rendering of a value that could not be stored: shape and type names, bounded, for people who look at a store.

It reads exact builtin containers and scalars and nothing else, calls nothing of the value's, and shows no value whose
name or shape says that it is a secret. It is never read back as data.
"""

from itertools import islice
from typing import Any, Final

from siftpack._core import secret_name, secret_value
from siftpack.storage import type_name

LONGEST: Final = 4096
"""Characters of a rendering."""
_DEPTH: Final = 6
_ITEMS: Final = 20
_SHOWN: Final = 80
_PARTS: Final = 400
_BRACKETS: Final[dict[type, str]] = {list: "[]", tuple: "()", set: "{}", frozenset: "{}"}


def render(obj: Any) -> str:
    """The rendering, at most ``LONGEST`` characters. Raises what the iteration of a container raises that changes."""
    parts: list[str] = []
    _write(obj, parts, 0)
    text = "".join(parts)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def _write(obj: Any, parts: list[str], depth: int) -> None:
    cls = type(obj)
    if cls is dict:
        _write_dict(obj, parts, depth)
    elif cls in _BRACKETS:
        _write_sequence(obj, parts, depth, _BRACKETS[cls])
    else:
        parts.append(_leaf(obj))


def _leaf(obj: Any) -> str:
    cls = type(obj)
    if (cls is str or cls is bytes) and secret_value(obj[:LONGEST], whole=False):
        return "<secret>"
    if cls is str:
        return repr(obj) if len(obj) <= _SHOWN else f"{obj[:_SHOWN]!r}..."
    if obj is None or cls is bool or cls is float or (cls is int and -(2**64) < obj < 2**64):
        return repr(obj)
    if cls is bytes or cls is bytearray:
        return f"<{cls.__name__} of {len(obj)}>"
    return f"<{type_name(cls)}>"


def _write_dict(obj: dict[Any, Any], parts: list[str], depth: int) -> None:
    parts.append("{")
    if depth >= _DEPTH or len(parts) > _PARTS:
        parts.append("...")
    else:
        for key, value in list(islice(obj.items(), _ITEMS)):
            parts.append(f"{_leaf(key)}: ")
            if type(key) is str and secret_name(key):
                parts.append("<secret>")
            else:
                _write(value, parts, depth + 1)
            parts.append(", ")
        if len(obj) > _ITEMS:
            parts.append(f"... {len(obj) - _ITEMS} more")
    parts.append("}")


def _write_sequence(obj: Any, parts: list[str], depth: int, brackets: str) -> None:
    parts.append(brackets[0])
    if depth >= _DEPTH or len(parts) > _PARTS:
        parts.append("...")
    else:
        for value in list(islice(obj, _ITEMS)):
            _write(value, parts, depth + 1)
            parts.append(", ")
        if len(obj) > _ITEMS:
            parts.append(f"... {len(obj) - _ITEMS} more")
    parts.append(brackets[1])
