"""Listing a class and making its instances again asks nothing of a class that writes down whatever it is asked."""

import enum
import gc
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import make_dataclass
from typing import Any

import attrs
import msgspec
import pytest

from siftpack.listed import Listed, Types, restore, types_of
from siftpack.testing import zoo
from tests.hostile.recorder import CALLS, Base, Meta, _body, _recorded
from tests.listed.fields import fields_of

_EXTRA = "init new setattr delattr post_init attrs_post_init init_subclass set_name setstate getnewargs copy replace"
BODY = {
    **_body("instance"),
    **{f"__{name}__": _recorded(f"instance.{name}", None) for name in _EXTRA.split()},
    **{name: _recorded(f"instance.{name}", None) for name in ("_missing_", "_make", "_replace", "mro", "register")},
    "__getattribute__": _recorded("instance.getattribute", None),
    "__dict__": property(_recorded("instance.__dict__", {})),
    "__slots__": ("slotted",),
    "a": property(_recorded("instance.a", None)),
    "__module__": "lies",
}
del BODY["__del__"], BODY["_fields"]


def hostile(bases: tuple[Any, ...], body: dict[str, Any] | None = None, *, meta: Any = Meta) -> Any:
    """A class under a metaclass that records and lies, made without either being asked."""
    made = type.__new__(meta, "Hostile", bases, {**BODY, **(body or {})})
    CALLS.clear()
    return made


def declared(cls: Any, name: str, **body: Any) -> Any:
    """A hostile class with what a library has declared about another one."""
    return hostile((Base,), {name: getattr(cls, name), **body})


def flags(body: dict[str, Any]) -> Any:
    """A Flag, and everything it could be asked put in once its members are made."""
    made = enum.Flag("Hostile", "A B")
    for name, hook in body.items():
        type.__setattr__(made, name, hook)
    return made


_TWO = make_dataclass("Two", ["a", "b"])
_ATTRS = attrs.make_class("Attrs", ["a", "b"])
_ENUM_HOOKS = {
    name: hook
    for name, hook in BODY.items()
    if name not in ("__slots__", "__module__", "__class__", "__dict__", "_value_", "a", "mro", "__set_name__")
}
_MEMBERS = type.__dict__["__dict__"].__get__(flags({}))["_member_map_"]


def struct(body: dict[str, Any], meta: Any) -> Any:
    """A Struct of two fields."""
    made = msgspec.defstruct("Hostile", ["a", "b"], namespace=body) if meta is None else meta("Hostile", body)
    CALLS.clear()
    return made


def struct_meta(name: str, body: dict[str, Any]) -> Any:
    """A Struct under a metaclass of its own, which records."""
    above = type(msgspec.Struct)
    left_out = ("__dict__", "__weakref__", "__mro__", "__getattr__", "__getattribute__")
    hooks = {name: hook for name, hook in Meta.__dict__.items() if name not in left_out}
    meta = type.__new__(type, "StructMeta", (above,), hooks)
    space = {**body, "__annotations__": {"a": Any, "b": Any}}
    return above.__new__(meta, name, (msgspec.Struct,), space)


_STRUCT_BODY = {
    name: hook
    for name, hook in BODY.items()
    if name not in ("__slots__", "__init__", "__new__", "__dict__", "a", "__init_subclass__", "__class__", "_value_")
}
_NO_HOOK = {name: hook for name, hook in _STRUCT_BODY.items() if name != "__post_init__"}
PAIR = {"a": 1, "b": [2]}
_FLAT = (int, bytes, tuple)
FAMILIES: dict[str, tuple[Any, dict[str, Any]]] = {
    "dataclass": (declared(_TWO, "__dataclass_fields__"), PAIR),
    "attrs": (declared(_ATTRS, "__attrs_attrs__"), PAIR),
    "namedtuple": (hostile((zoo.Loose,), {"__slots__": ()}), {"x": 1, "y": [2]}),
    "struct with hooks": (struct(_STRUCT_BODY, None), PAIR),
    "struct under a metaclass": (struct(_NO_HOOK, struct_meta), PAIR),
    "plain": (hostile((Base,)), {"slotted": 1, "loose": 2, "__class__": 3}),
    "exception": (hostile((ValueError,)), {"args": (1, [2]), "slotted": 1, "loose": 2, "__notes__": ["n"]}),
    "os error": (hostile((FileNotFoundError,)), {"args": (2, "m", "f"), "slotted": 1}),
    "group": (hostile((ExceptionGroup,)), {"args": ("g", [ValueError(1)]), "slotted": 1}),
    **{
        base.__name__: (
            hostile((base,), {"__slots__": ()} if base in _FLAT else None),
            {"": stored} if base in _FLAT else {"": stored, "slotted": [1]},
        )
        for base, stored in (
            *((int, 5), (float, 0.5), (str, "s"), (bytes, b"b"), (tuple, (1, 2)), (frozenset, frozenset((1, 2)))),
            *((list, [1, 2]), (dict, {"a": 1}), (set, {1, 2}), (deque, deque([1, 2], 2)), (Counter, Counter("aa"))),
            *((OrderedDict, OrderedDict(b=1, a=2)), (defaultdict, defaultdict(None, a=1))),
        )
    },
}


def entry_of(cls: Any) -> Listed:
    """The class under a name that was given."""
    return Types({"hostile": cls}).by_name["hostile"]


@pytest.mark.parametrize("family", FAMILIES)
def test_no_class_and_no_instance_is_asked_anything(family: str) -> None:
    """Listing, restoring, refusing and forgetting leave the recorder empty, and the storage is what was given."""
    cls, fields = FAMILIES[family]
    CALLS.clear()
    entry = entry_of(cls)
    found = types_of((cls,))
    made = restore(entry, dict(fields))
    for wrong in ({**fields, 5: 1}, {}, {"": object()}, {"forged": 1, **fields}):
        try:
            restore(entry, wrong)
        except ValueError as refused:
            str(refused)
    held = fields_of(entry, made)
    repr(entry), repr(found), hash(found), found == types_of([cls])
    assert CALLS == []
    assert type(made) is cls
    assert {name: held[name] for name in fields} == fields
    CALLS.clear()
    del made, held
    gc.collect()
    assert CALLS == []


def test_no_flag_is_asked_anything() -> None:
    """Members are found, and combinations refused, without a call when every method of the class is replaced."""
    cls = flags(_ENUM_HOOKS)
    entry = entry_of(cls)
    CALLS.clear()
    first = type.__dict__["__dict__"].__get__(cls)["_member_map_"]["A"]
    assert restore(entry, {"": 1}) is first
    for unknown in (3, 0, "x", None, 1.0, True, [1]):
        with pytest.raises(ValueError, match="no member has this value"):
            restore(entry, {"": unknown})
    assert CALLS == []


def test_a_metaclass_of_enums_is_not_asked() -> None:
    """Members of an enum under a recording metaclass are found without it."""
    calls: list[str] = []

    class Asks(enum.EnumMeta):
        def __getattribute__(cls, name: str) -> Any:
            calls.append(name)
            return super().__getattribute__(name)

        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            calls.append("call")
            return super().__call__(*args, **kwargs)

        def __instancecheck__(cls, instance: Any) -> bool:
            calls.append("instancecheck")
            return False

    class Asked(enum.Flag, metaclass=Asks):
        A = 1
        B = 2

    member = Asked.A
    calls.clear()
    entry = entry_of(Asked)
    assert restore(entry, {"": 1}) is member
    with pytest.raises(ValueError, match="no member has this value"):
        restore(entry, {"": 3})
    assert calls == []
