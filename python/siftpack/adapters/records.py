"""Types that declare their fields: dataclass, namedtuple, pydantic, attrs, msgspec. Recognised by storage alone.

Each function takes a class's MRO and gives the declared field names, or None if the class is not of that library.
Fields that a class excludes from its data (pydantic's ``exclude=True``) are not among them.
"""

import sys
from typing import Any, NamedTuple

from siftpack.storage import class_attribute, inherits, module_attribute, slots, type_dict

Mro = tuple[type, ...]


class Declared(NamedTuple):
    """Field names in order, the slot that holds further ones, and slots that are bookkeeping."""

    names: tuple[str, ...]
    extra: str | None = None
    ignored: tuple[str, ...] = ()


def declared(mro: Mro) -> Declared | None:
    """The declared fields of a record class, by the first library that knows it."""
    found = library(mro)
    return None if found is None else found[1]


def library(mro: Mro) -> tuple[str, Declared] | None:
    """The first library that knows a record class - pydantic, dataclass, attrs, msgspec - and its fields."""
    for name, ask in (("pydantic", _pydantic), ("dataclass", _dataclass), ("attrs", _attrs), ("msgspec", _msgspec)):
        found = ask(mro)
        if found is not None:
            return name, found
    return None


def namedtuple_fields(mro: Mro) -> tuple[str, ...] | None:
    """The ``_fields`` of a tuple subclass that is a namedtuple."""
    fields = class_attribute(mro, "_fields")
    if type(fields) is tuple and all(type(name) is str for name in fields):
        return fields
    return None


def _names(found: Any) -> tuple[str, ...] | None:
    names = tuple(found)
    return names if all(type(name) is str for name in names) else None


def _dataclass(mro: Mro) -> Declared | None:
    fields = class_attribute(mro, "__dataclass_fields__")
    if type(fields) is not dict:
        return None
    field = module_attribute(sys.modules, "dataclasses", "Field")
    if field is None or not all(type(f) is field for f in fields.values()):
        return None
    # Nothing public tells a field from a ClassVar or an InitVar without asking the class for its fields.
    real = module_attribute(sys.modules, "dataclasses", "_FIELD")
    names = _names(name for name, f in fields.items() if f._field_type is real)  # noqa: SLF001 - as above
    return None if names is None else Declared(names)


def _pydantic(mro: Mro) -> Declared | None:
    model = module_attribute(sys.modules, "pydantic.main", "BaseModel")
    if model is None or not any(cls is model for cls in mro):
        return None
    fields = class_attribute(mro, "__pydantic_fields__")
    if type(fields) is not dict:
        fields = class_attribute(mro, "model_fields")
    names = _names(fields) if type(fields) is dict else ()
    info = module_attribute(sys.modules, "pydantic.fields", "FieldInfo")
    exclude = dict(slots(info)).get("exclude") if info is not None else None
    kept = tuple(
        name
        for name in names or ()
        if exclude is None or not inherits(type(fields[name]), info) or exclude.__get__(fields[name]) is not True
    )
    return Declared(kept, "__pydantic_extra__", ("__pydantic_fields_set__",))


def _attrs(mro: Mro) -> Declared | None:
    attribute = module_attribute(sys.modules, "attr._make", "Attribute")
    fields = class_attribute(mro, "__attrs_attrs__") if attribute is not None else None
    if fields is None or not inherits(type(fields), tuple):
        return None
    items = tuple.__iter__(fields)
    name_of = type_dict(attribute)["name"].__get__
    names = _names(name_of(field) if type(field) is attribute else None for field in items)
    return None if names is None else Declared(names)


def _msgspec(mro: Mro) -> Declared | None:
    struct = module_attribute(sys.modules, "msgspec", "Struct")
    if struct is None or not any(cls is struct for cls in mro):
        return None
    names = _names(type_dict(type(struct))["__struct_fields__"].__get__(mro[0]))
    return None if names is None else Declared(names)
