"""msgspec Structs: made without ``__post_init__``, whatever their layout, tags and options."""

import copy
import gc
import weakref
from typing import Any, Generic, TypeVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from siftpack.errors import PolicyError
from siftpack.listed import Flavour, restore
from siftpack.storage import type_name
from siftpack.testing import same, zoo
from siftpack.testing.strategies import data
from tests.listed.fields import FEW, again, fields_of, listed

T = TypeVar("T")
CALLS: list[str] = []


def recorded(name: str) -> Any:
    """A hook that writes down that it ran."""
    return lambda *_, **__: CALLS.append(name)


class Tight(msgspec.Struct, frozen=True, kw_only=True, tag=True, cache_hash=True, omit_defaults=True):
    """Frozen, keyword-only, tagged, hashed once; with a gap between its defaults."""

    a: int
    b: list[int] = []
    c: dict[str, int] = msgspec.field(default_factory=lambda: {"made": 1})
    d: int = 3
    e: str


class Row(msgspec.Struct, array_like=True, tag=3, rename="camel", forbid_unknown_fields=True):
    """Written as an array elsewhere, under other names."""

    first_name: str
    last_name: str = "x"


class Hooked(
    msgspec.Struct,
    frozen=True,
    weakref=True,
    dict=True,
    tag=lambda name: CALLS.append("tag") or name,  # type: ignore[func-returns-value]
    rename=lambda name: CALLS.append("rename") or name.upper(),  # type: ignore[func-returns-value]
):
    """Every hook a Struct has."""

    a: Any
    b: Any = 2
    __post_init__ = recorded("post_init")
    __init_subclass__ = recorded("init_subclass")
    __setattr__ = recorded("setattr")
    __getattribute__ = recorded("getattribute")
    __eq__ = recorded("eq")
    __hash__ = recorded("hash")
    __copy__ = recorded("copy")
    __reduce__ = recorded("reduce")


class HookedBelow(Hooked, frozen=True):
    """Inherits every hook."""

    c: Any = None


class Checks(msgspec.Struct):
    """Changes itself when it is made."""

    a: Any

    def __post_init__(self) -> None:
        self.a += 1


class ChecksEmpty(msgspec.Struct, weakref=True):
    """No fields, but a hook."""

    __post_init__ = recorded("post_init")


class Holds(msgspec.Struct, Generic[T]):
    """A generic Struct with a hook."""

    a: T
    __post_init__ = recorded("post_init")


class Lean(msgspec.Struct, gc=False):
    """Out of the collector's sight."""

    a: Any
    __post_init__ = recorded("post_init")


class Empty(msgspec.Struct):
    """No fields."""


INSTANCES: tuple[Any, ...] = (
    *(zoo.Struct(1, [2]), zoo.FrozenStruct("a"), Tight(a=1, e="e"), Tight(a=1, b=[1], c={}, d=4, e="e")),
    *(Row("a", "b"), Holds([1]), Lean("a"), Empty(), ChecksEmpty()),
)


@pytest.mark.parametrize("obj", INSTANCES, ids=lambda obj: type(obj).__name__)
def test_an_instance_is_made_again_from_its_fields(obj: Any) -> None:
    """The copy is equal, of exactly the same class, and holds the very values it was given."""
    entry = listed(type(obj))
    CALLS.clear()
    made = again(obj)
    assert CALLS == []
    assert entry.flavour is Flavour.STRUCT
    assert type(made) is type(obj)
    assert made == obj
    given = fields_of(entry, obj)
    assert all(fields_of(entry, made)[name] is given[name] for name in given)
    assert copy.copy(made) == made
    assert msgspec.msgpack.encode(made) == msgspec.msgpack.encode(obj)


@pytest.mark.parametrize("cls", [Hooked, HookedBelow])
def test_no_hook_of_the_class_runs(cls: type) -> None:
    """Listing and restoring call neither ``__post_init__`` nor any other hook, the ``tag`` of the class included."""
    CALLS.clear()
    entry = listed(cls)
    made = restore(entry, {"a": 1})
    assert CALLS == []
    assert type(made) is cls
    assert fields_of(entry, made).items() >= {"a": 1, "b": 2}.items()


def test_what_post_init_would_change_stays() -> None:
    """A class that changes itself in ``__post_init__`` comes back as it was written."""
    assert again(Checks(1)).a == 2
    assert [restore(listed(Checks), {"a": at}).a for at in range(3)] == [0, 1, 2]


def test_listing_leaves_no_subclass_behind() -> None:
    """What makes the first instance of a class with ``__post_init__`` is gone once the class is listed."""
    entry = listed(Checks)
    gc.collect()
    assert Checks.__subclasses__() == []
    assert restore(entry, {"a": 1}).a == 1


def test_the_collector_sees_what_it_should() -> None:
    """A restored Struct that holds a container is tracked and freed with its cycle; one of ``gc=False`` is not."""
    made = restore(listed(Checks), {"a": []})
    assert gc.is_tracked(made)
    made.a.append(made)
    gone = weakref.ref(held := type("Held", (), {})())
    made.a.append(held)
    del made, held
    gc.collect()
    assert gone() is None
    assert not gc.is_tracked(restore(listed(Lean), {"a": []}))


def test_missing_fields_have_their_declared_defaults() -> None:
    """Values and factories fill what is missing, gaps between them are required; each object has its own list."""
    entry = listed(Tight)
    first, second = (restore(entry, {"a": 1, "e": "e"}) for _ in range(2))
    assert first == Tight(a=1, e="e")
    assert first.b is not second.b
    assert first.c == {"made": 1}
    assert hash(restore(entry, {"a": 1, "e": "e", "b": (), "c": None})) == hash(
        restore(entry, {"a": 1, "e": "e", "b": (), "c": None})
    )


@pytest.mark.parametrize(
    ("cls", "names"), [(Tight, {"a", "e"}), (Row, {"first_name"}), (Hooked, {"a"}), (Empty, set()), (Checks, {"a"})]
)
def test_a_required_field_is_named_when_it_is_missing(cls: type, names: set[str]) -> None:
    """``required`` holds the fields without any default, and the error of each names type and field."""
    assert listed(cls).required == names
    for name in names:
        with pytest.raises(ValueError, match=f"^{type_name(cls)}: field '{name}' missing and without a default$"):
            restore(listed(cls), dict.fromkeys(names - {name}))


@pytest.mark.parametrize("name", ["", "lastName", "type", "__class__", "__dict__", "__msgspec_cached_hash__", "self"])
@pytest.mark.parametrize("cls", [Row, Empty, Checks, Hooked])
def test_unknown_fields_are_refused(cls: type, name: str) -> None:
    """A name that is no field is refused: a renamed one, a tag and slots of bookkeeping among them."""
    entry = listed(cls)
    with pytest.raises(ValueError, match=f"^{type_name(cls)}: field '{name}' unknown$"):
        restore(entry, {**dict.fromkeys(entry.required), name: 1})


def test_a_field_may_be_called_anything() -> None:
    """Fields named like parameters of functions are fields like others."""
    cls = msgspec.defstruct("Names", ["self", "cls", "type", "kwargs", "_a"])
    obj = cls(1, 2, 3, 4, 5)
    assert again(obj) == obj


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"__del__": recorded("del")}, "__post_init__ and __del__"),
        ({"__init_subclass__": recorded("sub")}, "__post_init__, __init_subclass__ and no fields"),
    ],
    ids=["finalizer", "hook without fields"],
)
def test_structs_that_nobody_can_make_unseen(body: dict[str, Any], why: str) -> None:
    """Where a first instance cannot be made, or thrown away, without a hook, the class is refused when listed."""
    cls = msgspec.defstruct("Refused", [], namespace={"__post_init__": recorded("post"), **body}, weakref=True)
    CALLS.clear()
    with pytest.raises(PolicyError, match=f"Refused cannot be listed: it has {why}"):
        listed(cls)
    assert CALLS == []


def test_a_metaclass_of_its_own() -> None:
    """A Struct with a metaclass is made past its ``__call__``; where a ``__post_init__`` may run it is refused."""

    class Meta(type(msgspec.Struct)):  # type: ignore[misc]
        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            raise AssertionError

    class Plain(msgspec.Struct, metaclass=Meta):
        a: int

    class Hook(msgspec.Struct, metaclass=Meta):
        a: int
        __post_init__ = recorded("post_init")

    class Tells(Meta):
        def __getattr__(self, name: str) -> Any:
            if name == "__post_init__":
                return recorded("post_init")
            raise AttributeError(name)

    class Told(msgspec.Struct, metaclass=Tells):
        a: int

    assert restore(listed(Plain), {"a": 1}).a == 1
    for cls, why in ((Hook, "it has __post_init__ and a metaclass"), (Told, "its metaclass may have given it")):
        with pytest.raises(PolicyError, match=f"cannot be listed: {why}"):
            listed(cls)


@pytest.mark.parametrize("cls", [zoo.Struct, HookedBelow])
@FEW
@given(values=st.tuples(data(), data()))
def test_any_data_comes_back_in_any_field(cls: Any, values: tuple[Any, ...]) -> None:
    """Whatever the values are, they are the same afterwards, with a ``__post_init__`` or without."""
    entry = listed(cls)
    held = fields_of(entry, restore(entry, dict(zip(("a", "b"), values, strict=True))))
    assert same(held["a"], values[0])
    assert same(held["b"], values[1])
