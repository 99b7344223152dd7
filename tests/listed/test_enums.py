"""Enum members: found by value, type for type, and combined by the machinery of ``enum`` alone."""

import datetime
import enum
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siftpack.listed import Flavour, readable, restore
from siftpack.restore import enums
from siftpack.storage import type_name
from siftpack.testing import zoo
from tests.listed.fields import again, listed


def never(*_: Any, **__: Any) -> Any:
    """Stands for code that must not run."""
    raise AssertionError


class Exact(enum.Enum):
    """Values that compare equal and are not the same; ``enum`` takes the second of each for an alias."""

    ONE = 1
    TRUTH = True
    HALF = 0.5
    TEXT = "1"
    BYTES = b"1"
    NOTHING = None


class Rich(enum.Enum):
    """Values of many types, hashable or not."""

    LIST = [1, {"a": (2, 3)}]  # noqa: RUF012 - an unhashable value is the point
    DICT = {"k": 1}  # noqa: RUF012 - as above
    SET = frozenset((1, 2, 3))
    NAN = float("nan")
    ZERO = -0.0
    DAY = datetime.date(2020, 1, 2)
    PRICE = Decimal("1.50")
    LIMIT = 2**80
    FUNCTION = enum.member(len)


class Alike(enum.Enum):
    """Three values, two of which are written the same way."""

    A = enum.member([zoo.Plain(1)])
    B = enum.member([{"a": 1, "_b": None, "c": 3}])
    C = enum.member([{"a": 1}])


class Guarded(enum.Enum):
    """Every hook refuses to run, once the class is made."""

    A = 1
    B = (2, "x")
    ALIAS = 1  # noqa: PIE796 - an alias is the point


for _name in ("__eq__", "__hash__", "__getattr__", "__getattribute__", "__repr__", "__setattr__"):
    type.__setattr__(Guarded, _name, never)
type.__setattr__(Guarded, "_missing_", classmethod(never))
type.__setattr__(Guarded, "value", property(never))


class Planet(enum.Enum):
    """Members with attributes, made by their own ``__init__``."""

    EARTH = (5.97, 6.37)

    def __init__(self, mass: float, radius: float) -> None:
        self.mass, self.radius = mass, radius


class Coded(str, enum.Enum):  # noqa: UP042 - a mixin that is no StrEnum
    """A value set by ``__new__``."""

    A = "alpha"

    def __new__(cls, text: str) -> "Coded":
        made = str.__new__(cls, text)
        made._value_ = text[0]
        return made


class Day(datetime.date, enum.Enum):
    """A mixin of the standard library."""

    FIRST = (2020, 1, 1)


class Bits(enum.Flag):
    """Flags, an alias of two and a gap."""

    R = 1
    W = 2
    RW = 3
    X = 16


class Kept(enum.IntFlag):
    """Keeps unknown bits, as every IntFlag does."""

    A = 1
    B = 2


class Conforms(enum.Flag, boundary=enum.CONFORM):
    """Would drop unknown bits."""

    A = 1
    B = 2


class Ejects(enum.IntFlag, boundary=enum.EJECT):
    """Would give an int for unknown bits."""

    A = 1
    B = 2


class Backwards(enum.Flag):
    """Declared out of order, which ``enum`` answers with a method of its own."""

    B = 2
    A = 1


class Missing(enum.Flag):
    """Has a ``_missing_`` that must not run."""

    A = 1
    B = 2
    _missing_ = classmethod(never)


@dataclass(frozen=True)
class Point:
    """A value that is a record."""

    x: int


class Places(enum.Enum):
    """Records as values."""

    HERE = Point(1)


def value(entry: Any, found: Any) -> Any:
    """What a value is read as."""
    return restore(entry, {"": found})


@pytest.mark.parametrize(
    "cls",
    [
        *(zoo.Color, zoo.Size, zoo.Word, zoo.Bits, Guarded, Planet, Coded, Day, Bits, Kept, Backwards, Places),
        *(enum.Enum("Made", "A B"), enum.IntEnum("Ints", "A B")),
    ],
    ids=type_name,
)
def test_every_member_comes_back_as_itself(cls: Any) -> None:
    """The member itself is found again from its value, aliases by the member they stand for."""
    entry = listed(cls)
    assert entry.flavour is Flavour.ENUM
    assert entry.required == set()
    for member in type.__dict__["__dict__"].__get__(cls)["_member_map_"].values():
        assert again(member) is member
        assert readable(entry, member)


def test_values_are_compared_type_for_type() -> None:
    """``1``, ``True``, ``1.0``, ``"1"`` and ``b"1"`` are different values, and so are ``0.0`` and ``-0.0``."""
    entry = listed(Exact)
    assert [value(entry, each) for each in (1, 0.5, "1", b"1", None)] == [
        *(Exact.ONE, Exact.HALF, Exact.TEXT, Exact.BYTES, Exact.NOTHING)
    ]
    for other in (True, 1.0, Decimal(1), "0.5", False, 0, "", b"", 2):
        with pytest.raises(ValueError, match=f"^{type_name(Exact)}: no member has this value$"):
            value(entry, other)


def test_values_of_every_type_are_found() -> None:
    """Containers, dates, decimals, great ints, NaN and negative zero are found, their near likes are not."""
    entry = listed(Rich)
    for found, member in (
        *(([1, {"a": (2, 3)}], Rich.LIST), ({"k": 1}, Rich.DICT), (frozenset((3, 2, 1)), Rich.SET)),
        *((float("nan"), Rich.NAN), (-0.0, Rich.ZERO), (datetime.date(2020, 1, 2), Rich.DAY)),
        *((Decimal("1.50"), Rich.PRICE), (2**80, Rich.LIMIT)),
    ):
        assert value(entry, found) is member
    for other in ([1, {"a": [2, 3]}], [True, {"a": (2, 3)}], {1, 2, 3}, 0.0, Decimal("1.5"), {"k": 1, "l": 1}, []):
        with pytest.raises(ValueError, match="no member has this value"):
            value(entry, other)


def test_members_that_cannot_be_told_apart_are_not_readable() -> None:
    """A value that is no data, and values written alike, lead to no member: such a member is written as its value."""
    entry = listed(Alike)
    assert [readable(entry, member) for member in Alike] == [False, False, True]
    with pytest.raises(ValueError, match="no member has this value"):
        value(entry, [{"a": 1, "_b": None, "c": 3}])
    assert not readable(listed(Rich), Rich.FUNCTION)
    assert readable(listed(Rich), Rich.NAN)


def test_a_record_as_value_is_found_as_record_or_map() -> None:
    """A member whose value is a record is found from the record and from the map it is written as."""
    assert value(listed(Places), {"x": 1}) is value(listed(Places), Point(1)) is Places.HERE
    with pytest.raises(ValueError, match="no member"):
        value(listed(Places), {"x": 2})


@pytest.mark.parametrize("cls", [Guarded, Missing, zoo.Color])
def test_no_hook_of_the_class_runs(cls: Any) -> None:
    """An unknown value never gets to ``_missing_``, and looking one up compares and hashes no member."""
    for unknown in (99, "x", [1], (2, "y"), {}, zoo.Plain(1)):
        with pytest.raises(ValueError, match="no member has this value"):
            value(listed(cls), unknown)


@pytest.mark.parametrize(
    ("fields", "why"),
    [({}, "field '' missing"), ({"": 1, "name": "A"}, "field 'name' unknown"), ({"_value_": 1}, "field '_value_' unk")],
)
def test_an_enum_has_one_field(fields: dict[str, Any], why: str) -> None:
    """The value stands under the empty name, and nothing stands beside it."""
    with pytest.raises(ValueError, match=why):
        restore(listed(Exact), fields)


def test_a_deep_or_great_forged_value_is_only_unknown() -> None:
    """A value of any depth or size is refused like any other."""
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    for forged in (deep, list(range(100_000)), "x" * 10**6, 10**4000, {str(at): at for at in range(10_000)}):
        with pytest.raises(ValueError, match="no member has this value"):
            value(listed(Exact), forged)


# Flags.


@pytest.mark.parametrize("cls", [Bits, Kept, zoo.Bits, Backwards, Conforms, Ejects, Missing])
def test_combined_flags_come_back(cls: Any) -> None:
    """A combination is the very object that combining the members gives, zero among them, made before or not."""
    entry = listed(cls)
    first, second = list(cls)[:2]
    both = value(entry, first._value_ | second._value_)
    assert both is (first | second)
    assert readable(entry, both)
    assert value(entry, 0) is (first & second)
    assert value(entry, first._value_) is first


@pytest.mark.parametrize(
    ("cls", "unknown"),
    [
        *(
            (Bits, (4, 8, 20, 32, -1, True, 1.0, "1", 2**5000)),
            (Conforms, (4, 5, -1)),
            (Ejects, (4, -1)),
            (Kept, (-1,)),
        ),
        (Kept, (2**5000, True)),
    ],
)
def test_bits_no_flag_has_are_refused(cls: Any, unknown: tuple[Any, ...]) -> None:
    """Unknown bits, negative values and values of another type are no combination and are not remembered."""
    known = len(cls._value2member_map_)
    for each in unknown:
        with pytest.raises(ValueError, match=f"^{type_name(cls)}: no member has this value$"):
            value(listed(cls), each)
    assert len(cls._value2member_map_) == known


def test_an_int_flag_keeps_unknown_bits() -> None:
    """A class whose own rule is to keep unknown bits keeps them."""
    found = value(listed(Kept), 2**40 | 1)
    assert type(found) is Kept
    assert found is Kept(2**40 | 1)


def test_forged_combinations_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading makes a bounded number of combinations, which the class would keep for ever."""
    monkeypatch.setattr(enums, "COMBINATIONS", 10)
    cls = enum.IntFlag("Forged", "A B")
    entry = listed(cls)
    made = 0
    for bits in range(4, 100):
        try:
            made += value(entry, bits) is not None
        except ValueError:
            continue
    assert len(cls._value2member_map_) <= 10
    assert made == 8
    assert value(entry, 1) is cls.A  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "body", ["__setattr__", "__getattribute__", "_iter_member_", "_numeric_repr_", "__eq__", "__hash__"], ids=str
)
def test_a_flag_with_hooks_is_not_combined(body: str) -> None:
    """Where combining would run code of the class, only its own members come back; the rest is not readable."""
    calls: list[str] = []

    cls = enum.Flag("Hooked", {"A": 1, "B": 2})
    type.__setattr__(cls, body, lambda *_: calls.append(body))
    entry = listed(cls)
    calls.clear()
    assert value(entry, 1) is type.__dict__["__dict__"].__get__(cls)["_member_map_"]["A"]
    with pytest.raises(ValueError, match="no member has this value"):
        value(entry, 3)
    assert calls == []


@given(st.integers() | st.booleans() | st.floats() | st.text() | st.binary() | st.none())
def test_a_value_leads_to_a_member_of_that_very_value(found: Any) -> None:
    """Whatever scalar is read, the member that comes of it has exactly that value, or nothing does."""
    for cls in (Exact, Bits, Kept, zoo.Size, zoo.Word):
        try:
            member = value(listed(cls), found)
        except ValueError:
            continue
        assert type(member) is cls
        assert type(member._value_) is type(found)
        assert member._value_ == found
