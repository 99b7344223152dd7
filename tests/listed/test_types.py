"""What may be listed, under which names, and what a list of types is."""

import array
import asyncio
import collections
import datetime
import decimal
import enum
import io
import logging
import pathlib
import pickle
import random
import re
import threading
import time
import types
import typing
import weakref
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass
from typing import Any, ClassVar
from unittest import mock

import pydantic
import pytest

import siftpack
from siftpack.errors import PolicyError
from siftpack.listed import CACHED, EMPTY, NAME_BYTES, Flavour, Types, restore, types_of
from siftpack.policy import Kind
from siftpack.storage import type_name
from siftpack.testing import zoo


@dataclass
class Order:
    """A class to list."""

    total: Any = 0


@dataclass
class Other:
    """Another."""

    total: Any = 0


class Runs:
    """An agent by nothing but its method."""

    def __init__(self) -> None:
        self.state = 1

    def run(self) -> None: ...


class Movie(typing.TypedDict):
    """Has no instances."""

    title: str


class Rows:
    """An iterator by protocol."""

    def __next__(self) -> int:
        return 1


class EnumError(Exception, enum.Enum):
    """An exception that is an enum."""

    A = 1


def test_a_class_is_known_by_its_qualified_name() -> None:
    """The name of a class is its ``__qualname__``, nested classes and local ones too."""

    class Local:
        class Inner:
            pass

    found = Types((Order, Local.Inner))
    local = "test_a_class_is_known_by_its_qualified_name.<locals>.Local.Inner"
    assert list(found.by_name) == ["Order", local]
    assert found.by_name["Order"].cls is Order
    assert found.names[id(Local.Inner)].name == local


def test_the_first_of_several_names_is_written_and_all_are_read() -> None:
    """A class listed under two names is written under the first and read under both."""
    found = Types({"order.v2": Order, "order.v1": Order})
    assert found.names[id(Order)].name == "order.v2"
    assert [restore(found.by_name[name], {"total": 1}) for name in ("order.v1", "order.v2")] == [Order(1)] * 2


def test_a_qualified_name_is_read_as_the_type_keeps_it() -> None:
    """Neither a metaclass nor a str subclass as ``__qualname__`` is asked for the name."""

    class Lies(type):
        def __getattribute__(cls, name: str) -> Any:
            raise AssertionError

    class Text(str):
        __slots__ = ()

        def __str__(self) -> str:
            raise AssertionError

        __hash__ = str.__hash__

    made = Lies("Made", (), {})
    type.__dict__["__qualname__"].__set__(made, Text("Kept"))
    (name,) = Types((made,)).by_name
    assert (name, type(name)) == ("Kept", str)


def test_two_classes_of_one_name_are_refused() -> None:
    """A second class of a name is a ``PolicyError`` naming both, the same class twice is not."""
    twin = type("Order", (), {})
    for make in (Types, types_of):
        with pytest.raises(PolicyError, match=r"two classes of one name.*Order, .*Order"):
            make((Order, twin))
        assert list(make((Order, Order)).by_name) == ["Order"]


@pytest.mark.parametrize(
    ("name", "why"),
    [("", "empty"), ("x" * (NAME_BYTES + 1), "255 bytes"), ("é" * 128, "255 bytes"), ("\ud800", "surrogates")],
)
def test_names_that_cannot_be_written(name: str, why: str) -> None:
    """An empty name, one of more than 255 bytes and one with surrogates is a ``PolicyError``, given or qualified."""
    with pytest.raises(PolicyError, match=why):
        Types({name: Order})
    made = type("Made", (), {})
    type.__dict__["__qualname__"].__set__(made, name)
    with pytest.raises(PolicyError, match=why):
        Types((made,))
    assert "é" * 127 in Types({"é" * 127: Order}).by_name


@pytest.mark.parametrize("name", [b"Order", 1, None, type("Text", (str,), {})("Order")])
def test_names_that_are_no_plain_str(name: Any) -> None:
    """A name of a mapping is an exact str."""
    with pytest.raises(PolicyError, match="no str"):
        types_of({name: Order})


@pytest.mark.parametrize(
    "given",
    [Order, zoo.Color, 5, None, "Order", [Order()], [list[int]], [typing.Union], {"x": "Order"}, (int | str,)],
    ids=str,
)
def test_what_is_no_list_of_classes(given: Any) -> None:
    """A class alone, an enum alone, a generic alias and anything that is no class is a ``PolicyError``."""
    with pytest.raises(PolicyError, match="types takes"):
        types_of(given)
    with pytest.raises(PolicyError, match="types takes"):
        Types(given)


@pytest.mark.parametrize(
    "cls",
    [
        *(type, enum.EnumMeta, types.ModuleType, types.FunctionType, weakref.ref, weakref.WeakSet, mock.MagicMock),
        *(threading.Thread, type(threading.Lock()), asyncio.Queue, io.BytesIO, logging.Logger, types.CodeType),
        *(types.GeneratorType, Rows, pydantic.SecretStr, type("Late", (threading.Event,), {}), property, re.Match),
        type("Stream", (io.RawIOBase,), {}),
    ],
    ids=type_name,
)
def test_machinery_and_secrets_are_refused(cls: type) -> None:
    """A class of machinery, or of secrets, is a ``PolicyError`` that says what it is."""
    with pytest.raises(PolicyError, match=r"cannot be listed: (it is machinery|a secret|it keeps data|its instances)"):
        Types((cls,))


@pytest.mark.parametrize(
    "cls",
    [
        *(
            dict,
            list,
            int,
            str,
            bytes,
            float,
            tuple,
            set,
            frozenset,
            bytearray,
            bool,
            type(None),
            complex,
            slice,
            range,
        ),
        *(deque, OrderedDict, defaultdict, Counter, collections.ChainMap, types.MappingProxyType, type({}.keys())),
        *(datetime.datetime, datetime.timezone, decimal.Decimal, type(pathlib.Path()), re.Pattern, array.array, object),
        *(siftpack.Tombstone, siftpack.Ext, type(...), memoryview, type(NotImplemented)),
    ],
    ids=lambda cls: cls.__name__,
)
def test_builtin_types_need_no_listing(cls: type) -> None:
    """A type whose instances come back anyway is a ``PolicyError`` that says so."""
    with pytest.raises(PolicyError, match=f"{cls.__name__} cannot be listed: a builtin type needs no listing"):
        Types((cls,))


@pytest.mark.parametrize(
    ("cls", "why"),
    [
        *((Movie, "TypedDict"), (EnumError, "enum of exceptions"), (enum.Enum, "without members")),
        *((zoo.Amount, "come back as the base"), (zoo.Route, "come back as the base"), (zoo.Cells, "come back as")),
        *((type("Chain", (collections.ChainMap,), {}), "come back as the base"), (time.struct_time, "cannot be made")),
        *((random.Random, "out of reach"), (type("Dice", (random.Random,), {}), "out of reach")),
        *((decimal.Context, "out of reach"), (enum.Flag, "without members")),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_classes_that_cannot_come_back(cls: type, why: str) -> None:
    """A class whose instances cannot be made again from fields is a ``PolicyError`` that says why."""
    with pytest.raises(PolicyError, match=f"cannot be listed: .*{why}"):
        Types((cls,))


def test_a_class_that_merely_acts_may_be_listed() -> None:
    """A class that counts as an agent for its ``run`` alone comes back; one registered as an agent does not."""
    found = types_of((Runs,))
    assert found.by_name["Runs"].flavour is Flavour.OPAQUE
    assert restore(found.by_name["Runs"], {"state": 2}).state == 2
    registered = type("Registered", (Runs,), {})
    assert types_of((registered,)).by_name
    siftpack.register(registered, kind=Kind.AGENT)
    for each in (registered, type("Below", (registered,), {})):
        with pytest.raises(PolicyError, match=r"it is machinery \(agent\)"):
            types_of((each,))


def test_registered_kinds_decide_what_may_be_listed() -> None:
    """A record registered as a secret or as machinery is refused, machinery registered as opaque is not."""
    secret, lock = type("Secret", (), {}), type("Lock", (Rows,), {})
    siftpack.register(secret, kind=Kind.SECRET)
    with pytest.raises(PolicyError, match="a secret is never written"):
        Types((secret,))
    siftpack.register(lock, kind=Kind.OPAQUE)
    assert Types((lock,)).by_name["Lock"].flavour is Flavour.OPAQUE


def test_lists_are_remembered_by_identity() -> None:
    """The same classes and names give the same list, from any iterable; ``()`` gives the empty one."""
    found = types_of((Order, Other))
    assert types_of([Order, Other]) is types_of(iter((Order, Other))) is found
    assert types_of({"Order": Order, "Other": Other}) is types_of(
        types.MappingProxyType({"Order": Order, "Other": Other})
    )
    assert types_of(found) is found
    assert types_of((Other, Order)) is not found
    assert types_of({"order": Order, "Other": Other}) is not found
    assert types_of(()) is types_of([]) is types_of({}) is EMPTY
    assert not EMPTY.by_name
    assert not EMPTY.names


def test_a_renamed_class_is_another_entry() -> None:
    """A class that is given another ``__qualname__`` is known by that from then on."""
    made = type("Before", (), {})
    assert "Before" in types_of((made,)).by_name
    made.__qualname__ = "After"
    assert list(types_of((made,)).by_name) == ["After"]


def test_few_lists_are_remembered() -> None:
    """The list used longest ago is forgotten first, and a forgotten class is free to go."""
    from siftpack import listed

    first = types_of((Order,))
    gone = weakref.ref(made := type("Gone", (), {}))
    types_of((made,))
    del made
    for at in range(CACHED):
        types_of((type(f"Made{at}", (), {}),))
        assert types_of((Order,)) is first
    assert len(listed._CACHE) == CACHED
    import gc

    gc.collect()
    assert gone() is None


def test_a_list_of_types_is_a_value() -> None:
    """Lists compare and hash by names and classes, never change, show names alone and pickle by reference."""
    found = Types((Order, Other))
    assert found == Types((Order, Other))
    assert hash(found) == hash(Types((Order, Other)))
    assert found != Types((Order,))
    assert found != (Order, Other)
    assert Types(found) == found
    assert repr(found) == "Types('Order', 'Other')"
    assert "Order" in repr(found.by_name["Order"])
    assert pickle.loads(pickle.dumps(found)) == found
    for change in (lambda: setattr(found, "names", {}), lambda: found.by_name.pop("Order")):  # type: ignore[attr-defined]
        with pytest.raises(AttributeError):
            change()


def test_a_class_is_looked_at_when_it_is_listed() -> None:
    """A default and a field that a class gains after it was listed are not seen by the list."""

    @dataclass
    class Edited:
        a: int
        b: ClassVar[int] = 1

    (found,) = Types((Edited,)).by_name.values()
    more = dataclass(type("Edited", (), {"__annotations__": {"a": int, "c": int}, "a": 1, "c": 2}))
    Edited.__dataclass_fields__ = more.__dataclass_fields__  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="field 'c' unknown"):
        restore(found, {"a": 1, "c": 2})
    with pytest.raises(ValueError, match="field 'a' missing"):
        restore(found, {})
    (later,) = Types((Edited,)).by_name.values()
    assert restore(later, {}).__dict__ == {"a": 1, "c": 2}


@pytest.mark.parametrize("cls", [Order, zoo.Pair, zoo.Struct, zoo.Attr, zoo.Opaque, zoo.Color, zoo.List, zoo.Failure])
@pytest.mark.parametrize("key", [1, None, ("a",), type("Text", (str,), {})("total")], ids=repr)
def test_a_field_name_is_a_plain_str(cls: type, key: Any) -> None:
    """A field under a key that is no exact str is refused by every family."""
    (entry,) = Types((cls,)).by_name.values()
    with pytest.raises(ValueError, match="field that is no str unknown"):
        restore(entry, {key: 1})
