"""The fields of any object, read from where they are stored. Runs no code of the object."""

from typing import Any, Final

from siftpack.classify import Shape, Spec, classify
from siftpack.policy import Kind
from siftpack.storage import class_attribute, inherits, instance_dict, module_attribute, mro, read_slot, slots

MISSING: Final = object()
"""What ``field`` gives where there is none."""


def fields(obj: Any) -> dict[str, Any]:
    """Names to values: the entries of a dict under str keys, declared fields of a record, all that another stores.

    Underscore fields are among them, and fields that a pydantic model excludes from its data are not. An object without
    storage, such as a function or a number, has none.
    """
    if inherits(type(obj), dict):
        return {key: value for key, value in dict.items(obj) if type(key) is str}
    spec = classify(type(obj))
    if spec.shape is Shape.NAMEDTUPLE:
        return dict(zip((each.name for each in spec.fields), tuple.__iter__(obj), strict=False))
    if spec.kind is Kind.RECORD:
        return _record(obj, spec)
    return stored(obj)


def everything(obj: Any) -> dict[Any, Any]:
    """``fields``, with entries of a dict under any key, and attributes of a record that it does not declare.

    A pydantic model gives its fields alone: what else it stores are values of its own making.
    """
    if inherits(type(obj), dict):
        return dict(dict.items(obj))
    spec = classify(type(obj))
    return fields(obj) if spec.shape is Shape.NAMEDTUPLE or spec.extra is not None else stored(obj)


def stored(obj: Any) -> dict[str, Any]:
    """Everything in an instance's slots and dict, under its own names."""
    found = {name: read_slot(slot, obj, MISSING) for name, slot in slots(type(obj))}
    found |= {key: value for key, value in dict.items(instance_dict(obj) or {}) if type(key) is str}
    return {name: value for name, value in found.items() if value is not MISSING and name not in _BOOKKEEPING}


def field(obj: Any, name: str, missing: Any = None) -> Any:
    """One stored field, or ``missing``: never a property, never what ``__getattr__`` invents."""
    if inherits(type(obj), dict):
        return next((value for key, value in dict.items(obj) if type(key) is str and key == name), missing)
    for key, value in dict.items(instance_dict(obj) or {}):
        if type(key) is str and key == name:
            return value
    for slot_name, slot in slots(type(obj)):
        if slot_name == name:
            return read_slot(slot, obj, missing)
    return missing


def path(obj: Any, *names: str) -> Any:
    """``field`` of a field of a field; None where one is missing."""
    for name in names:
        obj = field(obj, name)
    return obj


def items(obj: Any) -> list[Any]:
    """The elements of a list or tuple, read through the layout of the builtin; of anything else none."""
    if inherits(type(obj), list):
        return list(list.__iter__(obj))
    return list(tuple.__iter__(obj)) if inherits(type(obj), tuple) else []


def text(obj: Any) -> str | None:
    """An exact copy of a str, None for anything else."""
    return "".join((obj,)) if inherits(type(obj), str) else None  # noqa: FLY002 - runs none of a subclass's code


def class_named(module: str, name: str) -> type | None:
    """A class of a module that the program has imported, else None; never imports it to ask."""
    import sys

    found = module_attribute(sys.modules, module, name)
    return found if found is not None and inherits(type(found), type) else None


def is_a(obj: Any, module: str, name: str) -> bool:
    """True if an object is an instance of that class, by its genuine MRO."""
    cls = class_named(module, name)
    return cls is not None and inherits(type(obj), cls)


def class_text(cls: type, name: str) -> str | None:
    """A str in the own dict of the first class of an MRO that has the name, else None."""
    return text(class_attribute(mro(cls), name))


_BOOKKEEPING: Final = frozenset({"__weakref__", "__dict__", "__pydantic_fields_set__"})


def _record(obj: Any, spec: Spec) -> dict[str, Any]:
    own = {key: value for key, value in dict.items(instance_dict(obj) or {}) if type(key) is str}
    found: dict[str, Any] = {}
    for each in spec.fields:
        value = read_slot(each.slot, obj, MISSING) if each.slot is not None else own.get(each.name, MISSING)
        if value is not MISSING:
            found[each.name] = value
    extra: Any = read_slot(spec.extra, obj, None) if spec.extra is not None else None
    if inherits(type(extra), dict):
        found |= {key: value for key, value in dict.items(extra) if type(key) is str}
    return found
