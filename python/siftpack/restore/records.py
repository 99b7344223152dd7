"""Classes that declare their fields and keep them in plain storage: dataclass, attrs, namedtuple."""

import sys
import types
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, NamedTuple

from siftpack.errors import PolicyError
from siftpack.restore.making import Maker, Storage, missing, refusal, shown, unknown
from siftpack.storage import class_attribute, inherits, module_attribute, mro, slots, type_dict, type_name


class How(Enum):
    """Where the value of a missing field comes from."""

    NOWHERE = "there is no default"
    VALUE = "the default itself"
    CALL = "a factory"
    CALL_WITH_SELF = "a factory that takes the object"
    CALL_WITH_FIELDS = "a factory that takes the fields declared before"


class Row(NamedTuple):
    """A declared field and its default."""

    name: str
    how: How = How.NOWHERE
    default: Any = None


class Rows:
    """The declared fields of a class, in order."""

    __slots__ = ("_known", "cls", "required", "rows")

    def __init__(self, cls: type, rows: Iterable[Row]) -> None:
        self.cls, self.rows = cls, tuple(rows)
        self._known = frozenset(row.name for row in self.rows)
        self.required = required(self.rows)

    def complete(self, fields: dict[str, Any]) -> tuple[dict[str, Any], list[Row]]:
        """Values in declared order, and the rows whose factory waits for the object.

        Raises ``ValueError`` for a field that is unknown, that is missing without a default, or whose factory raises.
        """
        if fields.keys() == self._known:
            return {row.name: fields[row.name] for row in self.rows}, []
        for name in fields:
            if name not in self._known:
                raise unknown(self.cls, name)
        for row in self.rows:
            if row.how is How.NOWHERE and row.name not in fields:
                raise missing(self.cls, row.name)
        return self._with_defaults(fields)

    def _with_defaults(self, fields: dict[str, Any]) -> tuple[dict[str, Any], list[Row]]:
        values: dict[str, Any] = {}
        waiting = []
        for row in self.rows:
            if row.name in fields:
                values[row.name] = fields[row.name]
            elif row.how is How.VALUE:
                values[row.name] = row.default
            elif row.how is How.CALL_WITH_SELF:
                waiting.append(row)
            else:
                args = (dict(values),) if row.how is How.CALL_WITH_FIELDS else ()
                values[row.name] = call_factory(self.cls, row, *args)
        return values, waiting


def required(rows: Iterable[Row]) -> frozenset[str]:
    """The names without any default."""
    return frozenset(row.name for row in rows if row.how is How.NOWHERE)


def call_factory(cls: type, row: Row, *args: Any) -> Any:
    """What a default factory makes. Raises ``ValueError`` naming type and field for what it raises."""
    try:
        return row.default(*args)
    except MemoryError:
        raise
    except Exception as raised:  # noqa: BLE001 - a factory is the class's own code and may raise anything
        why = f"the default factory of field {shown(row.name)} raised {type_name(type(raised))}"
    raise refusal(cls, why)


class Record:
    """A class whose fields stand in slots or the instance dict."""

    __slots__ = ("_also", "_make", "_rows", "_storage", "cls", "required")

    def __init__(self, cls: type, rows: Iterable[Row], also: tuple[tuple[str, Any], ...] = ()) -> None:
        """``also`` is set in every instance beside its fields. Raises ``PolicyError`` for a field without storage."""
        self.cls, self._rows, self._also = cls, Rows(cls, rows), also
        self.required = self._rows.required
        self._make, self._storage = Maker(cls), Storage(cls)
        for row in self._rows.rows:
            if self._storage.lacks(row.name):
                raise PolicyError(f"{type_name(cls)} cannot be listed: field {shown(row.name)} has no storage")

    def build(self, fields: dict[str, Any]) -> Any:
        """An instance of these fields. Raises ``ValueError``."""
        values, waiting = self._rows.complete(fields)
        made = self._make()
        self._storage.fill(made, values.items())
        if self._also:
            self._storage.fill(made, self._also)
        for row in waiting:
            self._storage.fill(made, ((row.name, call_factory(self.cls, row, made)),))
        return made


class Named:
    """A namedtuple."""

    __slots__ = ("_make", "_rows", "cls", "required")

    def __init__(self, cls: type, names: tuple[str, ...]) -> None:
        """Raises ``PolicyError`` for a tuple that only its own C code can make."""
        defaults = class_attribute(mro(cls), "_field_defaults")
        defaults = defaults if type(defaults) is dict else {}
        self.cls, self._make = cls, Maker(cls)
        rows = (Row(name, How.VALUE, defaults[name]) if name in defaults else Row(name) for name in names)
        self._rows = Rows(cls, rows)
        self.required = self._rows.required
        if self._make.owner is not tuple:
            raise PolicyError(f"{type_name(cls)} cannot be listed: its instances cannot be made")

    def build(self, fields: dict[str, Any]) -> Any:
        """The tuple of these fields. Raises ``ValueError``."""
        values, _ = self._rows.complete(fields)
        return self._make(tuple([values[row.name] for row in self._rows.rows]))


def dataclass_record(cls: type, names: tuple[str, ...]) -> Record:
    """A dataclass, pydantic's among them."""
    declared = class_attribute(mro(cls), "__dataclass_fields__")
    return Record(cls, tuple(_dataclass_row(name, declared[name]) for name in names))


def _dataclass_row(name: str, field: Any) -> Row:
    unset = module_attribute(sys.modules, "dataclasses", "MISSING")
    if field.default is not unset:
        info = module_attribute(sys.modules, "pydantic.fields", "FieldInfo")
        if info is not None and inherits(type(field.default), info):
            return pydantic_row(name, field.default)
        return Row(name, How.VALUE, field.default)
    if field.default_factory is not unset:
        return Row(name, How.CALL, field.default_factory)
    return Row(name)


def pydantic_row(name: str, info: Any) -> Row:
    """A field that a ``pydantic.fields.FieldInfo`` describes."""
    own = dict(slots(type(info)))
    factory = own["default_factory"].__get__(info)
    if factory is not None:
        asks = type_dict(module_attribute(sys.modules, "pydantic.fields", "FieldInfo"))
        takes = asks.get("default_factory_takes_validated_data")
        with_fields = takes is not None and takes.__get__(info) is True
        return Row(name, How.CALL_WITH_FIELDS if with_fields else How.CALL, factory)
    default = own["default"].__get__(info)
    if default is module_attribute(sys.modules, "pydantic_core._pydantic_core", "PydanticUndefined") or default is ...:
        return Row(name)
    return Row(name, How.VALUE, default)


def attrs_record(cls: type, names: tuple[str, ...]) -> Record:
    """A class of attrs."""
    attribute = module_attribute(sys.modules, "attr._make", "Attribute")
    default_of = type_dict(attribute)["default"].__get__
    found = tuple(tuple.__iter__(class_attribute(mro(cls), "__attrs_attrs__")))
    rows = tuple(_attrs_row(name, default_of(field)) for name, field in zip(names, found, strict=True))
    return Record(cls, rows, ((_HASH, None),) if _caches_hash(cls) else ())


def _attrs_row(name: str, default: Any) -> Row:
    if default is module_attribute(sys.modules, "attr._make", "NOTHING"):
        return Row(name)
    factory = module_attribute(sys.modules, "attr._make", "Factory")
    if type(default) is not factory:
        return Row(name, How.VALUE, default)
    own = dict(slots(factory))
    takes_self = own["takes_self"].__get__(default) is True
    return Row(name, How.CALL_WITH_SELF if takes_self else How.CALL, own["factory"].__get__(default))


_HASH = "_attrs_cached_hash"
"""Where attrs keeps a hash it has worked out; None until then, and its ``__hash__`` counts on finding it."""


def _caches_hash(cls: type) -> bool:
    code: Callable[[Any], Any] = types.FunctionType.__dict__["__code__"].__get__
    found = class_attribute(mro(cls), "__hash__")
    return type(found) is types.FunctionType and _HASH in code(found).co_names
