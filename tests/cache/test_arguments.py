"""Keys made of arguments: one question, one key, and none at all where data was lost."""

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import functools
import subprocess
import sys
import threading
import uuid
from typing import Any, NamedTuple
from unittest.mock import MagicMock

import numpy as np
import pytest
from pydantic import BaseModel, Field, PrivateAttr, SecretStr

from siftpack import Limits, Tombstone, register
from siftpack.cache.arguments import Named, key_of, module_name, name_of
from siftpack.policy import Kind

LIMITS = Limits()


@dataclasses.dataclass
class Circle:
    size: Any


@dataclasses.dataclass
class Square:
    size: Any


class Point(NamedTuple):
    x: Any


class Pair(NamedTuple):
    x: Any


class Model(BaseModel):
    size: int = 0
    hidden: int = Field(0, exclude=True)
    _own: int = PrivateAttr(0)


class Other(BaseModel):
    size: int = 0


class Color(enum.Enum):
    RED = 1


class Shade(enum.Enum):
    RED = 1
    PALE = 2


class Holder:
    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


class Keeper(Holder):
    pass


class Slotted:
    __slots__ = ("inner",)

    def __init__(self, inner: Any) -> None:
        self.inner = inner


class Text(str):
    __slots__ = ()


class Many(list):
    pass


class Agent:
    def run(self) -> None:
        """Makes it one."""


def named() -> None:
    """A function that is found under its name."""


def decorated(function: Any) -> Any:
    @functools.wraps(function)
    def wrapped() -> None:
        function()

    return wrapped


wrapped = decorated(named)


@decorated
def replaced() -> None:
    """What is found under this name is a closure."""


def key(value: Any) -> str | None:
    return key_of({"value": value}, LIMITS).text


APART = [
    *(1, 1.0, True, "1", b"1", None, [1], (1,), {1}, {"a": 1}, [[1]], decimal.Decimal(1), "", 0, {}),
    *(Circle(1), Square(1), Circle(1.0), {"size": 1}, Point(1), Pair(1), (1,) * 2, {"x": 1}, Circle(Circle(1))),
    *(Circle(Square(1)), [Circle(1)], [Square(1)], {"a": [Circle(1)]}, {"a": (Square(1),)}, Other(size=1)),
    *(Color.RED, Shade.RED, Shade.PALE, Text("1"), Many([1]), Many([Circle(1)]), Many([Square(1)])),
    *(Holder(size=1), Keeper(size=1), Holder(inner=1), Slotted(1), Slotted(Circle(1)), Slotted(Square(1)), Holder(b=2)),
    *({Color.RED: 1}, {Shade.RED: 1}, {Point(1): 1}, {Pair(1): 1}, {(1,): 1}, {Color.RED}, {Shade.RED}),
    *(len, print, named, "len", ["len"], [len], dict, list, Circle, "tests.cache.test_arguments:Circle"),
    *([named, "x"], ["x", named], {named: 1}, {len: 1}, {"a": len}, {"a": print}, str.upper, replaced),
    *(Tombstone(Kind.FUNCTION, "len"), collections.deque([1]), collections.Counter("a"), np.arange(2), np.arange(3)),
    *(collections.OrderedDict(a=1, b=2), collections.OrderedDict(b=2, a=1), dt.date(2020, 1, 1), uuid.UUID(int=1)),
]


def test_no_two_questions_have_one_key() -> None:
    """Values that differ in anything - type, class at any depth, order where it is data - have different keys."""
    keys: dict[str, Any] = {}
    for value in APART:
        if value is str.upper:
            continue
        found = key(value)
        assert found is not None, value
        assert found not in keys, (value, keys[found])
        keys[found] = value


def test_one_question_has_one_key() -> None:
    """The same data gives the same key: the order of arguments and dicts does not count, nor who holds it."""
    for left, right in (
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (Circle([{"a": 1, "b": 2}]), Circle([{"b": 2, "a": 1}])),
        (Holder(a=1, b=2), Holder(b=2, a=1)),
        (Other(size=1), Other.model_validate({"size": 1})),
    ):
        assert key(left) == key(right) is not None
    assert key_of({"a": 1, "b": [2]}, LIMITS) == key_of({"b": [2], "a": 1}, LIMITS)
    assert key_of({"a": 1, "b": 2}, LIMITS) != key_of({"a": 2, "b": 1}, LIMITS)


def local() -> Any:
    @dataclasses.dataclass
    class Circle:
        size: int

    return Circle


LOST: dict[str, Any] = {
    "a lambda": lambda: 0,
    "a closure": decorated(named),
    "a partial": functools.partial(named),
    "a bound method": Agent().run,
    "a method of an object": [].append,
    "a secret": SecretStr("s"),
    "a field with a secret's name": Holder(api_key="k", a=1),
    "a private field": Holder(_own=1, a=1),
    "a private attribute of a model": Model(size=1),
    "an excluded field": Model(size=1, hidden=2),
    "a lock": threading.Lock(),
    "an agent": Agent(),
    "a mock": MagicMock(),
    "a module": sys,
    "a generator": (each for each in ()),
    "an exception": ValueError("x"),
    "an object without data": object(),
    "an instance of a local class": local()(1),
    "a local class": local(),
    "a cycle": [],
    "a factory": collections.defaultdict(lambda: 0, a=1),
    "classes behind a view": {"a": Circle(1)}.values(),
}
LOST["a cycle"].append(LOST["a cycle"])
LOST["a private attribute of a model"]._own = 3


@pytest.mark.parametrize("name", LOST)
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_what_loses_data_has_no_key(name: str, depth: int) -> None:
    """A call with such an argument, at any depth, is ambiguous, and the finding says where and of what type."""
    value = LOST[name]
    for _ in range(depth):
        value = Circle([value])
    found = key_of({"other": 1, "value": value}, LIMITS)
    assert found.text is None
    assert found.lost
    assert all(finding.path.startswith("$.value") for finding in found.lost)


def test_looking_runs_nothing_of_the_arguments() -> None:
    """No method, property, comparison or iterator of an argument runs, and a generator is not consumed."""
    ran: list[str] = []

    class Loud:
        def __getattr__(self, name: str) -> Any:
            ran.append(name)
            raise AttributeError(name)

        def __repr__(self) -> str:
            ran.append("repr")
            return ""

        def __eq__(self, other: object) -> bool:
            ran.append("eq")
            return True

        def __hash__(self) -> int:
            ran.append("hash")
            return 1

        def __iter__(self) -> Any:
            ran.append("iter")
            return iter(())

    numbers = (each for each in range(3))
    loud = Loud()
    assert key([loud, numbers]) is None
    assert key(Circle([loud])) is None
    assert ran == []
    assert list(numbers) == [0, 1, 2]


def test_arguments_beyond_the_limits_have_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too large or too deep to be looked at is ambiguous, and no error."""
    monkeypatch.setattr("siftpack.cache.arguments.LOOKED_AT", 100)
    assert key_of({"value": [[[1]]]}, Limits(depth=2)).text is None
    assert key_of({"value": "x" * 100}, Limits(bytes=50)).text is None
    assert key([Circle(None) for _ in range(98)]) is not None  # with the list and the dict they are 100
    assert key([Circle(None) for _ in range(100)]) is None
    bomb: Any = Circle(1)
    for _ in range(64):
        bomb = [bomb, bomb]
    assert key_of({"value": bomb}, Limits(nodes=1000)).text is None


def test_names() -> None:
    """A function or class has a name if it is found under it; that of the main program is its file's."""
    assert name_of(named) == "tests.cache.test_arguments:named"
    assert name_of(replaced) == "tests.cache.test_arguments:replaced"
    assert name_of(Agent.run) == "tests.cache.test_arguments:Agent.run"
    assert (name_of(len), name_of(dict)) == ("builtins:len", "builtins:dict")
    assert name_of(wrapped) is None  # its name leads to the function inside
    assert name_of(Named("function", "x")) is None
    assert module_name("a.b") == "a.b"
    program = "import sys; from siftpack.cache.arguments import module_name; print(module_name('__main__'))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "__main__\n"


def test_a_registered_extractor_is_no_way_around_a_class() -> None:
    """What an extractor gives in the place of an object of another class is ambiguous beside listed ones."""

    class Odd:
        pass

    register(Odd, extract=lambda _: {"size": 1})
    assert key([Odd(), Circle(1)]) is None


def test_keys_are_the_same_in_another_process() -> None:
    """Neither the hash seed nor the process shows in a key."""
    program = (
        "from tests.cache.test_arguments import *\n"
        "print([key(v) for v in (Circle({'a', 'b', (1, 2)}), [len, Circle], Color.RED, {Color.RED: {'x': Point(1)}})])"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1
    assert "None" not in told.pop()
