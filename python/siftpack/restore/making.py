"""Objects made without a constructor of theirs: genuine ``__new__``, genuine slots, genuine instance dict.

A class statement cannot stand between: ``__new__`` is that of the nearest type written in C along ``tp_base``, and
fields go through the descriptors that own the storage, found by identity. What a class defines under the same names
(``__init__``, ``__setattr__``, properties, a metaclass's ``__call__``) never runs.
"""

import sys
import types
from collections.abc import Iterable
from typing import Any

from siftpack.errors import PolicyError
from siftpack.storage import base, flags, inherits, module_attribute, mro, slots, type_dict, type_name

NAME_SHOWN = 80
"""Characters of a field name that an error shows."""

ABSTRACT = 1 << 20
"""The flag of a type with abstract methods."""
_UNMAKEABLE = 1 << 7
_set_class: Any = object.__dict__["__class__"].__set__
_basicsize: Any = type.__dict__["__basicsize__"].__get__
_dictoffset: Any = type.__dict__["__dictoffset__"].__get__
_weakrefoffset: Any = type.__dict__["__weakrefoffset__"].__get__
_POINTER: int = type.__dict__["__itemsize__"].__get__(tuple)


def refusal(cls: type, why: str) -> ValueError:
    """The error of an instance that cannot be rebuilt. ``why`` names fields and types, never values."""
    return ValueError(f"{type_name(cls)}: {why}")


def shown(name: Any) -> str:
    """A field name as an error shows it: quoted and bounded; what is no str is no name."""
    return repr(name[:NAME_SHOWN]) if type(name) is str else "that is no str"


def missing(cls: type, name: str) -> ValueError:
    """The error of a field that is not there and has no default."""
    return refusal(cls, f"field {shown(name)} missing and without a default")


def unknown(cls: type, name: Any) -> ValueError:
    """The error of a field the class does not have: renamed, removed or forged."""
    return refusal(cls, f"field {shown(name)} unknown")


class Maker:
    """Makes bare instances of one class."""

    __slots__ = ("_concrete", "cls", "new", "owner")

    def __init__(self, cls: type) -> None:
        """Raises ``PolicyError`` for a class of which nobody can make instances."""
        self.cls = cls
        self.new, self.owner = _genuine_new(cls)
        self._concrete: type | None = None
        if flags(cls) & _UNMAKEABLE:
            raise PolicyError(f"{type_name(cls)} cannot be listed: its instances cannot be made")

    def __call__(self, *args: Any) -> Any:
        """A bare instance, ``args`` going to the ``__new__`` written in C. Raises ``ValueError``."""
        if self.owner is object and flags(self.cls) & ABSTRACT:
            return self._abstract()
        try:
            made = self.new(self.cls, *args)
        except TypeError:
            raise refusal(self.cls, f"not made by {type_name(self.owner)}.__new__") from None
        if type(made) is not self.cls:
            raise refusal(self.cls, f"{type_name(self.owner)}.__new__ made something else")
        return made

    def _abstract(self) -> Any:
        """An instance of a class with abstract methods, which ``object.__new__`` alone refuses to make."""
        try:
            if self._concrete is None:
                self._concrete = _without_abstraction(self.cls)
            made: Any = object.__new__(self._concrete)
            _set_class(made, self.cls)
        except TypeError:
            raise refusal(self.cls, "has abstract methods") from None
        return made


def _genuine_new(cls: type) -> tuple[Any, type]:
    """The nearest ``__new__`` written in C along ``tp_base``, and the type that owns it."""
    each = cls
    while each is not object:
        found = type_dict(each).get("__new__")
        genuine = type(found) is types.BuiltinFunctionType and found.__self__ is each
        if genuine and found.__name__ == "__new__":
            return found, each
        each = base(each)
    return object.__new__, object


class _Shield:
    """Stands before a class whose ``__init_subclass__`` is not to run."""

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        pass


def _without_abstraction(cls: type) -> type:
    """A subclass of the same layout that counts no abstract methods. Raises ``TypeError`` where hooks forbid it."""
    if any("mro" in type_dict(each) for each in mro(type(cls)) if each is not type and each is not object):
        raise TypeError
    owner = next(each for each in mro(cls) if "__init_subclass__" in type_dict(each))
    harmless = owner is object or owner is module_attribute(sys.modules, "typing", "Generic")
    bases = (cls,) if harmless else (_Shield, cls)
    concrete: type = type.__new__(type(cls), "Concrete", bases, {"__slots__": ()})
    return concrete


class Storage:
    """Where the instances of a class keep what is theirs."""

    __slots__ = ("_dict", "cls", "slots")

    def __init__(self, cls: type) -> None:
        self.cls = cls
        self.slots: dict[str, Any] = dict(slots(cls))
        self._dict = _dict_slot(cls)

    def lacks(self, name: str) -> bool:
        """Whether there is no place for a field of that name."""
        return self._dict is None and name not in self.slots

    def fill(self, obj: Any, fields: Iterable[tuple[str, Any]]) -> None:
        """Set fields, none of which is lacking, in the order given."""
        own: dict[str, Any] | None = None
        for name, value in fields:
            slot = self.slots.get(name)
            if slot is not None:
                slot.__set__(obj, value)
                continue
            if own is None:
                own = self._own(obj)
            own[name] = value

    def _own(self, obj: Any) -> dict[str, Any]:
        try:
            own = self._dict.__get__(obj)
        except AttributeError:
            own = None
        if type(own) is not dict:
            raise refusal(self.cls, "has no instance dict")
        return own


def _dict_slot(cls: type) -> Any:
    """The genuine ``__dict__`` descriptor of the first class in the MRO that has one, else None."""
    for each in mro(cls):
        slot = type_dict(each).get("__dict__")
        genuine = type(slot) is types.GetSetDescriptorType or type(slot) is types.MemberDescriptorType
        if genuine and slot.__objclass__ is each:
            return slot
    return None


def hides_storage(cls: type, root: type) -> bool:
    """Whether instances hold more than ``root``, slots that can be read, an instance dict and weak references."""
    each: type | None = cls
    while each is not root:
        below = base(each)
        if below is None:
            return True
        own = type_dict(each).values()
        named = sum(type(slot) is types.MemberDescriptorType and slot.__objclass__ is each for slot in own)
        offsets = sum(where(each) > 0 and where(below) <= 0 for where in (_dictoffset, _weakrefoffset))
        if _basicsize(each) > _basicsize(below) + _POINTER * (named + offsets):
            return True
        each = below
    return False


def is_builtin_exception(cls: type) -> bool:
    """Whether a class is an exception of the interpreter's own."""
    return not flags(cls) & 1 << 9 and inherits(cls, BaseException)
