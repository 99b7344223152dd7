"""Enum members, looked up by value and never made, but for a combination of flags nobody has used before.

Values are compared type for type: ``1``, ``True`` and ``1.0`` are three values. A value that is no plain scalar is
compared by the bytes it is written as. Neither ``_missing_`` nor ``__eq__`` or ``__hash__`` of a class ever runs.
"""

import enum
import types
from typing import Any

from siftpack import _core
from siftpack.errors import PolicyError, SiftError
from siftpack.restore.making import missing, refusal, unknown
from siftpack.restore.subclasses import BASE
from siftpack.storage import inherits, mro, own_value, type_dict, type_name

COMBINATIONS = 2**16
"""Members and combinations of one Flag class beyond which reading makes no more: the class keeps them for ever."""
BITS = 4096
"""Bits of a combination."""

_SCALARS = (type(None), bool, int, str, bytes)
_NONE: Any = object()
_KNOWN = (object, int, enum.Enum, enum.Flag, enum.IntFlag, enum.ReprEnum)
_HOOKS = (
    *("__setattr__", "__getattribute__", "__getattr__", "__eq__", "__hash__", "_value_", "_name_"),
    *("_iter_member_", "_iter_member_by_value_", "_iter_member_by_def_", "_numeric_repr_"),
)


class Members:
    """An Enum class. Members and values are those it had when it was listed."""

    __slots__ = ("_by_token", "_combines", "cls")
    required: frozenset[str] = frozenset()

    def __init__(self, cls: type) -> None:
        """Raises ``PolicyError`` for a class without members."""
        self.cls = cls
        self._by_token: dict[Any, Any] = {}
        named = type_dict(cls).get("_member_map_")
        if type(named) is not dict or not named:
            raise PolicyError(f"{type_name(cls)} cannot be listed: an enum without members")
        for member in dict.values(named):
            token = _token(own_value(member, "_value_", _NONE)) if type(member) is cls else None
            if token is not None:
                # Two members whose values are written alike cannot be told apart: neither is read back.
                alike = self._by_token.setdefault(token, member)
                self._by_token[token] = member if alike is member else None
        self._combines = inherits(cls, enum.Flag) and _is_genuine_flag(cls, named)

    def build(self, fields: dict[str, Any]) -> Any:
        """The member whose value is given. Raises ``ValueError``."""
        for name in fields:
            if name != BASE:
                raise unknown(self.cls, name)
        if BASE not in fields:
            raise missing(self.cls, BASE)
        found = self._member(fields[BASE])
        if found is None:
            raise refusal(self.cls, "no member has this value")
        return found

    def readable(self, member: Any) -> bool:
        """Whether reading the value of a member gives that member again."""
        return self._member(own_value(member, "_value_", _NONE)) is member

    def _member(self, value: Any) -> Any:
        token = _token(value)
        found = None if token is None else self._by_token.get(token)
        if found is None and self._combines and type(value) is int:
            return self._combination(value)
        return found

    def _combination(self, value: int) -> Any:
        """Flags combined, by the machinery of ``enum.Flag`` itself."""
        own = type_dict(self.cls)
        if value < 0 or value.bit_length() > BITS:
            return None
        if value & ~own["_flag_mask_"] and own["_boundary_"] is not enum.KEEP:
            return None
        found = own["_value2member_map_"].get(value)
        if found is None:
            if len(own["_value2member_map_"]) >= COMBINATIONS:
                return None
            try:
                found = enum.Flag.__dict__["_missing_"].__func__(self.cls, value)
            except ValueError:
                return None
        exact = type(found) is self.cls and own_value(found, "_value_", _NONE) == value
        return found if exact else None


def _token(value: Any) -> Any:
    """A hashable stand-in that two values share if they are the same, type for type; None if there is none."""
    cls = type(value)
    if any(cls is each for each in _SCALARS):
        return cls, value
    try:
        payload, report = _core.packb_with_report(value)
    except SiftError:
        return None
    return payload if report.clean else None


def _is_genuine_flag(cls: type, named: dict[str, Any]) -> bool:
    """Whether combining members runs nothing but the standard library."""
    own = type_dict(cls)
    if type(cls) is not enum.EnumMeta or not (own.get("_member_type_") is object or own.get("_member_type_") is int):
        return False
    if any(type(own_value(member, "_value_", None)) is not int for member in named.values()):
        return False
    hooks = (
        type_dict(each)[name]
        for each in mro(cls)
        if not any(each is known for known in _KNOWN)
        for name in _HOOKS
        if name in type_dict(each)
    )
    return all(map(_is_own_order, hooks))


def _is_own_order(hook: Any) -> bool:
    """Whether this is what ``enum`` itself puts into a class whose members are declared out of order."""
    if type(hook) is not types.MethodType:
        return False
    return hook.__func__ is enum.Flag.__dict__["_iter_member_by_def_"].__func__
