"""``msgspec.Struct``: made by its genuine metaclass, without ``__post_init__``.

A Struct has no ``__new__``. Its metaclass makes instances in C and runs nothing of the class but ``__post_init__``.
A class that defines one gets its instances by another way: the metaclass makes one instance of a subclass of the same
layout whose ``__post_init__`` does nothing, that instance becomes one of the class itself, and every further one is a
copy of it, which runs nothing.
"""

import sys
from typing import Any

from siftpack.errors import PolicyError
from siftpack.restore.records import How, Row, Rows
from siftpack.storage import inherits, module_attribute, mro, slots, type_dict, type_name

_set_class: Any = object.__dict__["__class__"].__set__


class Struct:
    """A Struct class; tags, renames and array layouts are of no matter here, where fields have their own names."""

    __slots__ = ("_call", "_copy", "_first", "_rows", "_slots", "cls", "required")

    def __init__(self, cls: type, names: tuple[str, ...]) -> None:
        """Raises ``PolicyError`` for a class whose instances cannot be made without its own code."""
        struct = module_attribute(sys.modules, "msgspec", "Struct")
        meta = type(struct)
        self.cls = cls
        self._rows = Rows(cls, _rows(cls, names, meta))
        self.required = self._rows.required
        self._call = type_dict(meta)["__call__"]
        self._copy = next(type_dict(each)["__copy__"] for each in mro(struct) if "__copy__" in type_dict(each))
        self._slots: dict[str, Any] = dict(slots(cls))
        self._first: Any = None
        if any(name not in self._slots for name in names):
            raise _unlisted(cls, "a field has no storage")
        if _answers(type(cls), meta):
            raise _unlisted(cls, "its metaclass may have given it a __post_init__")
        if _defines(cls, "__post_init__"):
            self._first = self._prototype(meta)

    def build(self, fields: dict[str, Any]) -> Any:
        """An instance of these fields. Raises ``ValueError``."""
        values, _ = self._rows.complete(fields)
        if self._first is None:
            return self._call(self.cls, **values)
        made = self._copy(self._first)
        for name, value in values.items():
            self._slots[name].__set__(made, value)
        return made

    def _prototype(self, meta: Any) -> Any:
        """One instance that no code of the class has seen."""
        cls = self.cls
        if _defines(cls, "__del__"):
            raise _unlisted(cls, "it has __post_init__ and __del__")
        if type(cls) is not meta:
            raise _unlisted(cls, "it has __post_init__ and a metaclass of its own")
        bases = (_shield(meta), cls) if _defines(cls, "__init_subclass__") else (cls,)
        body = {"__post_init__": _nothing, "__module__": __name__}
        silent = type_dict(meta)["__new__"](meta, "Silent", bases, body, tag=False, rename=None)
        # The collector looks at a copy only if the original held something it looks at.
        made = self._call(silent, **{row.name: [] for row in self._rows.rows})
        try:
            _set_class(made, cls)
        except TypeError:
            raise _unlisted(cls, "it has __post_init__, __init_subclass__ and no fields") from None
        return made


def _rows(cls: type, names: tuple[str, ...], meta: Any) -> list[Row]:
    """Defaults are declared for the last fields; the gaps between them are marked."""
    defaults = type_dict(meta)["__struct_defaults__"].__get__(cls)
    bare = len(names) - len(defaults)
    core = "msgspec._core"
    nothing, factory = module_attribute(sys.modules, core, "NODEFAULT"), module_attribute(sys.modules, core, "Factory")
    rows = [Row(name) for name in names[:bare]]
    for name, default in zip(names[bare:], defaults, strict=True):
        if default is nothing:
            rows.append(Row(name))
        elif type(default) is factory:
            rows.append(Row(name, How.CALL, type_dict(factory)["factory"].__get__(default)))
        else:
            rows.append(Row(name, How.VALUE, default))
    return rows


def _defines(cls: type, name: str) -> bool:
    return any(name in type_dict(each) for each in mro(cls) if each is not object)


def _answers(meta: type, root: Any) -> bool:
    """Whether msgspec, which asks a new class for its ``__post_init__``, may have been told one by the metaclass."""
    names = ("__post_init__", "__getattr__", "__getattribute__")
    above = [type_dict(each) for each in mro(meta) if not inherits(root, each)]
    return any(name in own for own in above for name in names)


def _nothing(_: Any) -> None:
    """A ``__post_init__`` that does nothing."""


def _no_hook(_: Any, /, **__: Any) -> None:
    """An ``__init_subclass__`` that does nothing."""


def _shield(meta: Any) -> Any:
    """A base whose ``__init_subclass__`` stands before that of the class."""
    struct = module_attribute(sys.modules, "msgspec", "Struct")
    body = {"__init_subclass__": classmethod(_no_hook), "__module__": __name__}
    return type_dict(meta)["__new__"](meta, "Shield", (struct,), body)


def _unlisted(cls: type, why: str) -> PolicyError:
    return PolicyError(f"{type_name(cls)} cannot be listed: {why}")
