"""From types to kinds: the order of the questions, and what ``register`` changes."""

import asyncio
import collections.abc
import enum
import logging
import threading
import types
from collections import Counter, OrderedDict, UserDict, defaultdict, deque
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar
from unittest import mock

import attrs
import msgspec
import pydantic
import pytest

import siftpack
from siftpack.classify import Shape, classify
from siftpack.errors import PolicyError
from siftpack.policy import MACHINERY_KINDS, Kind
from siftpack.storage import slots, type_name
from siftpack.testing import zoo
from siftpack.testing.machinery import specimens
from tests.named import named

T = TypeVar("T")


class Typed(NamedTuple):
    """A namedtuple."""

    a: int


@dataclass
class Runs:
    """A record that also has a method of execution."""

    a: int = 1

    def run(self) -> None: ...


class RunsInside(zoo.Plain):
    """A subclass of a record with a method of execution."""

    def invoke(self) -> None: ...


class Executes:
    """An agent by its method."""

    async def ainvoke(self) -> None: ...


class RunIsData:
    """Opaque: its ``run`` is no method."""

    run = 5


class Iterates(list):  # type: ignore[type-arg]
    """A list that is its own iterator: builtin storage goes first."""

    def __next__(self) -> int:
        return 1


class EnumError(Exception, enum.Enum):
    """An exception that is an enum."""


class Generic_(pydantic.BaseModel, Generic[T]):  # noqa: N801
    """A generic model."""

    a: T


class LockLike(threading.Event):
    """A subclass of machinery."""


class OddSlots:
    """A class whose slot a subclass hides behind a property."""

    __slots__ = ("a",)


class Hides(OddSlots):
    """Hides it."""

    a = property(lambda self: 1 / 0)  # type: ignore[assignment]


KINDS: dict[type, tuple[Kind, Shape]] = {
    list: (Kind.CONTAINER, Shape.LIST),
    OrderedDict: (Kind.CONTAINER, Shape.ORDERED_DICT),
    defaultdict: (Kind.CONTAINER, Shape.DEFAULT_DICT),
    Counter: (Kind.CONTAINER, Shape.COUNTER),
    deque: (Kind.CONTAINER, Shape.DEQUE),
    types.MappingProxyType: (Kind.CONTAINER, Shape.MAPPING_PROXY),
    type({}.keys()): (Kind.CONTAINER, Shape.KEYS),
    type(OrderedDict().items()): (Kind.CONTAINER, Shape.ITEMS),
    bytearray: (Kind.BINARY, Shape.VALUE),
    memoryview: (Kind.BINARY, Shape.VALUE),
    datetime: (Kind.VALUE, Shape.VALUE),
    Decimal: (Kind.VALUE, Shape.VALUE),
    type(Path()): (Kind.VALUE, Shape.VALUE),
    slice: (Kind.VALUE, Shape.SLICE),
    zoo.Color: (Kind.ENUM, Shape.ENUM),
    zoo.Size: (Kind.ENUM, Shape.ENUM),
    zoo.Word: (Kind.ENUM, Shape.ENUM),
    zoo.Bits: (Kind.ENUM, Shape.ENUM),
    zoo.Plain: (Kind.RECORD, Shape.RECORD),
    zoo.Model: (Kind.RECORD, Shape.RECORD),
    Generic_[int]: (Kind.RECORD, Shape.RECORD),
    zoo.Attr: (Kind.RECORD, Shape.RECORD),
    zoo.Struct: (Kind.RECORD, Shape.RECORD),
    Typed: (Kind.RECORD, Shape.NAMEDTUPLE),
    Runs: (Kind.RECORD, Shape.RECORD),
    RunsInside: (Kind.RECORD, Shape.RECORD),
    zoo.Str: (Kind.SUBCLASS, Shape.STR),
    zoo.Dict: (Kind.SUBCLASS, Shape.DICT),
    Iterates: (Kind.SUBCLASS, Shape.LIST),
    zoo.Amount: (Kind.VALUE, Shape.VALUE),
    UserDict: (Kind.CONTAINER, Shape.WRAPPER),
    zoo.Failure: (Kind.EXCEPTION, Shape.EXCEPTION),
    EnumError: (Kind.EXCEPTION, Shape.EXCEPTION),
    ExceptionGroup: (Kind.EXCEPTION, Shape.EXCEPTION),
    Executes: (Kind.AGENT, Shape.LEAF),
    RunIsData: (Kind.OPAQUE, Shape.OPAQUE),
    LockLike: (Kind.SYNC, Shape.LEAF),
    type(mock.MagicMock()): (Kind.MOCK, Shape.LEAF),
    type(mock.AsyncMock()): (Kind.MOCK, Shape.LEAF),
    type: (Kind.CLASS, Shape.LEAF),
    enum.EnumMeta: (Kind.CLASS, Shape.LEAF),
    logging.StreamHandler: (Kind.LOGGER, Shape.LEAF),
    asyncio.Queue: (Kind.SYNC, Shape.LEAF),
    types.SimpleNamespace: (Kind.OPAQUE, Shape.OPAQUE),
    object: (Kind.OPAQUE, Shape.OPAQUE),
    zoo.Opaque: (Kind.OPAQUE, Shape.OPAQUE),
}


@pytest.mark.parametrize("cls", KINDS, ids=type_name)
def test_kind_and_shape_of_a_type(cls: type) -> None:
    """Each type has the kind and the shape its storage says."""
    spec = classify(cls)
    assert (spec.kind, spec.shape) == KINDS[cls]


def test_the_table_of_machinery() -> None:
    """Every machinery kind but none of data is found for the specimens."""
    assert {classify(type(found.obj)).kind for found in specimens()} == MACHINERY_KINDS
    assert all(classify(type(found.obj)).kind is found.kind for found in specimens())


def test_an_abstract_base_is_never_asked() -> None:
    """Registering a type with an ABC does not make it a container."""
    cls = type("Virtual", (), {})
    collections.abc.Mapping.register(cls)
    assert classify(cls).kind is Kind.OPAQUE


def test_a_hidden_slot_is_still_the_slot(subject: Any) -> None:
    """A slot is read through the genuine descriptor of the class that made it, whatever a subclass calls it."""
    value = Hides()
    OddSlots.__dict__["a"].__set__(value, 5)
    assert dict(slots(Hides))["a"] is OddSlots.__dict__["a"]
    assert subject.sanitize(value) == {"a": 5}


@pytest.mark.parametrize(
    ("cls", "names"),
    [
        *(
            (zoo.Plain, ["a", "_b", "c"]),
            (zoo.FrozenSlotted, ["a", "b", "c"]),
            (zoo.Model, ["a", "token"]),
            (Typed, ["a"]),
        ),
        *((zoo.Attr, ["a", "_b"]), (zoo.AttrFrozen, ["a"]), (zoo.Struct, ["a", "b"]), (Generic_[int], ["a"])),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_declared_fields(cls: type, names: list[str]) -> None:
    """A record's fields are those it declares, in order, without the excluded ones."""
    assert [field.name for field in classify(cls).fields] == names


def test_fields_come_from_every_declaring_library(subject: Any) -> None:
    """ClassVar, InitVar, cached properties and private attributes are no fields."""
    from dataclasses import InitVar, field
    from functools import cached_property
    from typing import ClassVar

    @dataclass
    class Odd:
        a: int
        b: ClassVar[int] = 2
        c: InitVar[int] = 3
        d: list[int] = field(default_factory=list, repr=False, compare=False)

        @cached_property
        def e(self) -> int:
            return 5

    made = Odd(1)
    assert made.e == 5
    assert subject.sanitize(made) == {"a": 1, "d": []}
    assert [(f.path, f.kind) for f in subject.inspect(made)] == [("$.e", Kind.ATTRIBUTE)]


def test_unset_fields_are_left_out(subject: Any) -> None:
    """A record without values in some fields keeps the others."""
    made = object.__new__(zoo.Plain)
    made.a = 1
    assert subject.sanitize(made) == {"a": 1}
    assert subject.sanitize(zoo.Slotted.__new__(zoo.Slotted)) == {}
    assert subject.sanitize(attrs.make_class("A", ["x"]).__new__(attrs.make_class("A", ["x"]))) == {}


def test_inherited_structs(subject: Any) -> None:
    """Fields of a Struct's bases come with it, tagged or array-like as it may be."""

    class Base(msgspec.Struct, tag=True):
        a: int

    class More(Base, array_like=True, gc=False):
        b: str = "x"

    assert subject.sanitize(More(1)) == {"a": 1, "b": "x"}


@pytest.mark.parametrize("kind", [Kind.AGENT, Kind.CONNECTION, Kind.SYNC])
def test_a_registered_class_is_what_it_is_registered_as(subject: Any, kind: Kind) -> None:
    """``register`` makes a class and its subclasses machinery, also after they have been met."""
    cls = type("Mine", (), {})
    made = cls()
    made.a = 1
    assert subject.sanitize([made]) == [{"a": 1}]
    siftpack.register(cls, kind=kind)
    later = type("Later", (cls,), {})()
    later.b = 1
    assert subject.sanitize([made, later, 2]) == [2]
    assert subject.inspect([made, later]).counts == {kind: 2}


def test_registering_a_record_a_secret_and_a_machine(subject: Any) -> None:
    """A record can be made machinery or a secret by registration, an agent-like class data."""
    record, secret = dataclass(type("R", (), {"__annotations__": {"a": int}})), type("S", (str,), {})
    agent = type("A", (), {"run": lambda self: None})
    siftpack.register(record, kind="agent")
    siftpack.register(secret, kind=Kind.SECRET)
    made = agent()
    made.a = 1
    assert subject.sanitize([made]) == []
    siftpack.register(agent, kind=Kind.OPAQUE)
    result = subject.sanitize([record(1), secret("x"), made])
    assert result == [siftpack.Tombstone(Kind.SECRET, type_name(secret)), {"a": 1}]


@pytest.mark.parametrize(
    ("cls", "kind"),
    [
        *((object(), "agent"), ("name", "agent"), (None, "agent"), (zoo.Opaque, "nonsense"), (zoo.Opaque, Kind.CYCLE)),
        *((zoo.Opaque, Kind.RECORD), (zoo.Opaque, Kind.PRIVATE), (zoo.Opaque, Kind.SCALAR), (zoo.Opaque, 5)),
    ],
    ids=named,
)
def test_registrations_that_make_no_sense(cls: Any, kind: Any) -> None:
    """What is no class, and a kind that is no machinery, secret or opaque, is a ``PolicyError``."""
    with pytest.raises(PolicyError):
        siftpack.register(cls, kind=kind)
    assert classify(zoo.Opaque).kind is Kind.OPAQUE


def test_a_changed_class_is_asked_again(subject: Any) -> None:
    """A class that gains a method of execution, or loses it, is what it is now."""
    cls = type("Changing", (), {})
    made = cls()
    made.a = 1
    assert subject.sanitize([made]) == [{"a": 1}]
    cls.run = lambda self: None  # type: ignore[attr-defined]
    assert subject.sanitize([made]) == []
    del cls.run  # type: ignore[attr-defined]
    assert subject.sanitize([made]) == [{"a": 1}]


def test_a_new_class_at_an_old_address_is_its_own(subject: Any) -> None:
    """A class made where another was freed does not inherit its plan."""
    for at in range(300):
        body: dict[str, Any] = {"run": lambda self: None} if at % 2 else {}
        made = type("Reused", (), body)()
        made.a = at
        assert subject.sanitize([made]) == ([] if at % 2 else [{"a": at}])
        del made
