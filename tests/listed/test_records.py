"""Dataclasses and namedtuples: made again without ``__init__``, from storage, with declared defaults."""

from collections import namedtuple
from dataclasses import KW_ONLY, InitVar, dataclass, field, fields, make_dataclass
from functools import cached_property
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import pydantic
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


def never(*_: Any, **__: Any) -> Any:
    """Stands for code that must not run."""
    raise AssertionError


@dataclass
class Guarded:
    """Every hook a dataclass has refuses to run."""

    a: Any
    b: Any = 2
    __post_init__ = never
    __setattr__ = never
    __init__ = never
    __new__ = never


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class Tight:
    """Frozen, slotted, keyword-only."""

    a: int
    b: list[int] = field(default_factory=list)
    c: int = field(init=False, default=3)
    d: dict[str, int] = field(init=False, default_factory=dict)
    e: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "e", self.a * 2)


@dataclass
class Odd:
    """Fields that are none, and a cached property."""

    a: int
    _hidden: int = 1
    b: ClassVar[int] = 2
    c: InitVar[int] = 3
    _: KW_ONLY
    d: int = 4

    @cached_property
    def e(self) -> int:
        return 5


@dataclass
class Below(Odd):
    """Inherits fields and overrides a default."""

    _hidden: int = 7
    f: str = "f"


@dataclass
class Holds(Generic[T]):
    """A generic class."""

    a: T


@dataclass(slots=True)
class SlottedBelow(zoo.Slotted):
    """Slots over slots."""

    d: Any = 4


class Plainly(zoo.Plain):
    """A subclass without fields of its own."""


@pydantic.dataclasses.dataclass(slots=True)
class Checked:
    """A dataclass of pydantic, with every way it has to say a default."""

    a: int
    b: int = pydantic.Field(default=2)
    c: list[int] = pydantic.Field(default_factory=list)
    d: int = field(default=4)
    e: int = pydantic.Field(default_factory=lambda data: data["a"] + 1)
    f: int = pydantic.Field()
    g: int = pydantic.Field(..., alias="G")
    h: int = 8


class Named(NamedTuple):
    """A namedtuple with a default."""

    left: Any
    right: Any = (1, 2)


Loose = namedtuple("Loose", "x y _z", rename=True, defaults=[3])


class Guards(Named):
    """A namedtuple whose hooks refuse to run."""

    __new__ = never
    __init__ = never
    __iter__ = never
    left = property(never)
    _make = never


INSTANCES: tuple[Any, ...] = (
    *(zoo.Plain(1, _b=2), zoo.Slotted([1]), zoo.Frozen("a"), zoo.FrozenSlotted(1, 2, 3)),
    *(Tight(a=1), Tight(a=1, b=[2]), Odd(1), Odd(1, 2, 9, d=4), Below(1, f="g"), Holds(b"x"), SlottedBelow(1, 2, 3)),
    *(Plainly(1, 2, 3), Checked(a=1, f=2, G=3), make_dataclass("Made", [])(), make_dataclass("Two", ["a", "_b"])(1, 2)),
    *(zoo.Pair(1), zoo.Loose(1, 2), Named(1), Named(1, None), Loose(1, 2), zoo.LoosePlus(1, [])),
)


@pytest.mark.parametrize("obj", INSTANCES, ids=lambda obj: type(obj).__name__)
def test_an_instance_is_made_again_from_its_fields(obj: Any) -> None:
    """The copy is equal, of exactly the same class, and holds the very values it was given."""
    copy = again(obj)
    assert type(copy) is type(obj)
    assert copy == obj
    entry = listed(type(obj))
    held, given = fields_of(entry, copy), fields_of(entry, obj)
    assert list(held) == list(given)
    assert all(held[name] is given[name] for name in given)


@pytest.mark.parametrize("cls", [Guarded, Guards])
def test_no_hook_of_the_class_runs(cls: type) -> None:
    """Neither a constructor nor ``__post_init__``, ``__setattr__``, ``_make`` or a property is called."""
    names = [each.name for each in fields(cls)] if cls is Guarded else ["left", "right"]  # type: ignore[arg-type]
    made = restore(listed(cls), dict.fromkeys(names, 1))
    assert type(made) is cls
    assert fields_of(listed(cls), made) == dict.fromkeys(names, 1)


def test_what_is_no_field_is_not_set() -> None:
    """ClassVar, InitVar and cached properties are unknown; a restored object computes the latter anew."""
    made = again(Odd(1))
    assert made.e == 5
    assert vars(again(made)) == {"a": 1, "_hidden": 1, "d": 4}
    for name in ("b", "c", "e", "_"):
        with pytest.raises(ValueError, match=rf"test_records\.Odd: field '{name}' unknown"):
            restore(listed(Odd), {"a": 1, name: 2})


@pytest.mark.parametrize(
    ("cls", "given", "made"),
    [
        (Tight, {"a": 1, "e": 5}, {"a": 1, "b": [], "c": 3, "d": {}, "e": 5}),
        (Below, {"a": 1}, {"a": 1, "_hidden": 7, "d": 4, "f": "f"}),
        (Checked, {"a": 1, "f": 2, "g": 3}, {"a": 1, "b": 2, "c": [], "d": 4, "e": 2, "f": 2, "g": 3, "h": 8}),
        (Named, {"left": 1}, {"left": 1, "right": (1, 2)}),
        (Loose, {"x": 1, "y": 2}, {"x": 1, "y": 2, "_2": 3}),
        (zoo.LoosePlus, {"y": 1, "x": 2}, {"x": 2, "y": 1}),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_missing_fields_have_their_declared_defaults(cls: type, given: dict[str, Any], made: dict[str, Any]) -> None:
    """A default or factory fills what is missing, ``init=False`` or not; each object has its own list."""
    entry = listed(cls)
    first, second = restore(entry, given), restore(entry, given)
    assert fields_of(entry, first) == made
    for name, value in made.items():
        if isinstance(value, list | dict):
            assert getattr(first, name) is not getattr(second, name)


@pytest.mark.parametrize(
    ("cls", "names"),
    [
        *((Tight, {"a", "e"}), (Odd, {"a"}), (Below, {"a"}), (Checked, {"a", "f", "g"}), (Named, {"left"})),
        *((Loose, {"x", "y"}), (Holds, {"a"}), (SlottedBelow, {"a"})),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_a_required_field_is_named_when_it_is_missing(cls: type, names: set[str]) -> None:
    """``required`` holds the fields without any default, and the error of each names type and field."""
    entry = listed(cls)
    assert entry.required == names
    for name in names:
        with pytest.raises(ValueError, match=f"^{type_name(cls)}: field '{name}' missing and without a default$"):
            restore(entry, dict.fromkeys(names - {name}))


@pytest.mark.parametrize("cls", [zoo.Plain, zoo.Slotted, Named, Checked])
@pytest.mark.parametrize(
    "name", ["", "z", "__class__", "__dict__", "__slots__", "__weakref__", "__init__", "x" * 10**6]
)
def test_unknown_fields_are_refused(cls: type, name: str) -> None:
    """A field the class does not declare is a ``ValueError`` with its type and its name, cut short, and no value."""
    entry = listed(cls)
    with pytest.raises(ValueError, match=r"field '.*' unknown") as raised:
        restore(entry, {**dict.fromkeys(entry.required, "value"), name: "value"})
    assert str(raised.value).startswith(type_name(cls))
    assert "value" not in str(raised.value)
    assert len(str(raised.value)) < 200


def test_many_forged_fields_cost_their_number() -> None:
    """A hundred thousand unknown fields are refused at the first."""
    with pytest.raises(ValueError, match="field '0' unknown"):
        restore(listed(zoo.Plain), {str(at): None for at in range(100_000)})


@pytest.mark.parametrize("raised", [KeyError("secret"), RecursionError("secret"), TypeError("secret")])
def test_a_factory_that_raises_is_named(raised: Exception) -> None:
    """What a default factory raises becomes a ``ValueError`` naming type, field and the type of the error alone."""

    def fails() -> Any:
        raise raised

    cls = make_dataclass("Fails", [("a", Any, field(default_factory=fails))])
    with pytest.raises(ValueError, match=f"default factory of field 'a' raised {type(raised).__name__}$") as caught:
        restore(listed(cls), {})
    assert caught.value.__cause__ is caught.value.__context__ is None


@pytest.mark.parametrize("raised", [MemoryError, KeyboardInterrupt, SystemExit])
def test_what_is_no_error_of_a_factory_passes(raised: type[BaseException]) -> None:
    """Lack of memory and whatever ends the program is not taken for a refusal."""

    def fails() -> Any:
        raise raised

    cls = make_dataclass("Fails", [("a", Any, field(default_factory=fails))])
    with pytest.raises(raised):
        restore(listed(cls), {})


def test_no_object_exists_when_its_fields_are_refused() -> None:
    """A finalizer never sees a half-made object: fields are looked at first."""
    seen: list[Any] = []
    cls = make_dataclass("Finalised", ["a"], namespace={"__del__": lambda self: seen.append(vars(self))})
    for forged in ({}, {"a": 1, "b": 2}):
        with pytest.raises(ValueError, match="Finalised"):
            restore(listed(cls), forged)
    assert seen == []
    restore(listed(cls), {"a": 1})
    assert seen == [{"a": 1}]


def test_a_hidden_slot_is_set_through_its_own_descriptor() -> None:
    """A property that a subclass puts over a slot of a field is not called, the slot is set."""

    class Hides(zoo.Slotted):
        a = property(never, never)

    made = restore(listed(Hides), {"a": 1})
    assert zoo.Slotted.__dict__["a"].__get__(made) == 1


def test_a_property_over_the_instance_dict_is_not_called() -> None:
    """A field whose name a property has, or whose ``__dict__`` is hidden, lies in the real instance dict."""

    class Hides(zoo.Plain):
        a = property(never, never)
        __dict__ = property(never)  # type: ignore[assignment]

    entry = listed(Hides)
    assert fields_of(entry, restore(entry, {"a": 1, "c": 2})) == {"a": 1, "_b": None, "c": 2}


def test_a_field_without_storage_is_refused_when_listed() -> None:
    """A dataclass that has neither a slot nor an instance dict for a field cannot be listed."""
    cls = type("Nowhere", (), {"__slots__": (), "__dataclass_fields__": zoo.Plain.__dataclass_fields__})
    with pytest.raises(PolicyError, match="Nowhere cannot be listed: field 'a' has no storage"):
        listed(cls)


def test_an_abstract_class_is_made() -> None:
    """Abstract methods, and an ``__init_subclass__`` beside slots, do not keep an instance from coming back."""
    import abc

    class Shape(abc.ABC):
        __slots__ = ("a",)
        __dataclass_fields__ = make_dataclass("Fields", ["a"]).__dataclass_fields__
        __init_subclass__ = never

        @abc.abstractmethod
        def area(self) -> float: ...

    made = [restore(listed(Shape), {"a": at}) for at in range(3)]
    assert [(type(each), each.a) for each in made] == [(Shape, 0), (Shape, 1), (Shape, 2)]


@pytest.mark.parametrize("flavour", ["dict", "slots"])
@FEW
@given(values=st.tuples(data(), data(), data()))
def test_any_data_comes_back_in_any_field(flavour: str, values: tuple[Any, ...]) -> None:
    """Whatever the values are, they are the same afterwards."""
    cls = zoo.Plain if flavour == "dict" else zoo.FrozenSlotted
    obj = cls(*values)
    copy = again(obj)
    assert all(same(left, right) for left, right in zip(fields_of(listed(cls), copy).values(), values, strict=True))


def test_the_flavour_says_the_family() -> None:
    """Dataclasses, pydantic's among them, and namedtuples are told apart."""
    assert {listed(cls).flavour for cls in (zoo.Plain, Checked, Tight)} == {Flavour.DATACLASS}
    assert {listed(cls).flavour for cls in (zoo.Pair, Loose, Guards)} == {Flavour.NAMEDTUPLE}
