"""The fields of an instance as a writer would take them: from storage, without asking the instance."""

from collections import Counter, OrderedDict, defaultdict, deque
from typing import Any

from hypothesis import settings

from siftpack.adapters.records import library, namedtuple_fields
from siftpack.classify import Shape, classify
from siftpack.listed import Flavour, Listed, Types, restore
from siftpack.reference.keys import scalar
from siftpack.restore.exceptions import constructor_args
from siftpack.storage import instance_dict, mro, own_value, read_slot, slots
from tests.conftest import EXAMPLES

UNSET: Any = object()
FEW = settings(max_examples=min(EXAMPLES, 500))
"""For values that pass through untouched, where a few hundred examples say it all."""


def listed(cls: type) -> Listed:
    """A class listed under its own name."""
    (found,) = Types((cls,)).by_name.values()
    return found


def fields_of(entry: Listed, obj: Any) -> dict[str, Any]:
    """What stands in the map of a listed instance."""
    flavour = entry.flavour
    if flavour is Flavour.ENUM:
        return {"": own_value(obj, "_value_", UNSET)}
    if flavour is Flavour.NAMEDTUPLE:
        return dict(zip(namedtuple_fields(mro(entry.cls)) or (), tuple.__iter__(obj), strict=True))
    if flavour is Flavour.EXCEPTION:
        return _raised(obj)
    if flavour is Flavour.SUBCLASS:
        return {"": base_of(obj), **stored(obj)}
    if flavour is Flavour.OPAQUE:
        return stored(obj)
    return _declared(obj)


def again(obj: Any) -> Any:
    """An object made again from its own fields."""
    entry = listed(type(obj))
    return restore(entry, fields_of(entry, obj))


def stored(obj: Any) -> dict[str, Any]:
    """Slots that are set and the instance dict."""
    found = {name: read_slot(slot, obj, UNSET) for name, slot in slots(type(obj))}
    return {name: value for name, value in found.items() if value is not UNSET} | (instance_dict(obj) or {})


def _declared(obj: Any) -> dict[str, Any]:
    found = library(mro(type(obj)))
    assert found is not None
    name, declared = found
    held = stored(obj)
    fields = {field: held[field] for field in declared.names if field in held}
    if name == "pydantic":
        fields |= held.get("__pydantic_extra__") or {}
    return fields


def _raised(obj: BaseException) -> dict[str, Any]:
    own = BaseException.__dict__
    chain = {name: own[name].__get__(obj) for name in ("__cause__", "__context__")}
    return {
        "args": constructor_args(obj),
        **stored(obj),
        **{name: linked for name, linked in chain.items() if linked is not None},
    }


def base_of(obj: Any) -> Any:
    """The base storage of an instance of a subclass, as the builtin type itself."""
    shape = classify(type(obj)).shape
    if shape in (Shape.INT, Shape.FLOAT, Shape.STR, Shape.BYTES):
        return scalar(obj, shape)
    plain: dict[Shape, Any] = {Shape.LIST: list, Shape.TUPLE: tuple, Shape.SET: set, Shape.FROZENSET: frozenset}
    if shape in plain:
        return plain[shape](plain[shape].__iter__(obj))
    if shape is Shape.DEQUE:
        return deque(deque.__iter__(obj), deque.__dict__["maxlen"].__get__(obj))
    if shape is Shape.ORDERED_DICT:
        return OrderedDict((key, dict.__getitem__(obj, key)) for key in OrderedDict.__iter__(obj))
    items = dict(dict.items(obj))
    if shape is Shape.DEFAULT_DICT:
        return defaultdict(None, items)
    return Counter(items) if shape is Shape.COUNTER else items
