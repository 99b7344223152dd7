"""Every position a value can be in: how to build it around the value, what is left when it is lost, and its path."""

from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from dataclasses import make_dataclass
from types import MappingProxyType, SimpleNamespace
from typing import Any, NamedTuple

import attrs
import msgspec
import pydantic

from siftpack.storage import type_name

Data = make_dataclass("Data", ["a", "b", "c"])
Slots = make_dataclass("Slots", ["a", "b", "c"], slots=True)
Attrs = attrs.make_class("Attrs", ["a", "b", "c"])


class Named(NamedTuple):
    """A namedtuple."""

    a: Any
    b: Any
    c: Any


class Struct(msgspec.Struct):
    """A msgspec Struct."""

    a: Any
    b: Any
    c: Any


class Model(pydantic.BaseModel):
    """A pydantic model that takes extras."""

    model_config = pydantic.ConfigDict(extra="allow")
    a: Any


class Slotted:
    """An opaque class with slots."""

    __slots__ = ("a", "b", "c")

    def __init__(self, b: Any) -> None:
        self.a, self.b, self.c = 1, b, 2


class Error(Exception):
    """An exception."""


class Position(NamedTuple):
    """Around a lost value: the builder, what is left, the path of the finding."""

    build: Callable[[Any], Any]
    left: Any
    path: str


LEFT = {"a": 1, "c": 2}
PLAIN = {
    "list": Position(lambda x: [1, x, 2], [1, 2], "$[1]"),
    "tuple": Position(lambda x: (1, x, 2), (1, None, 2), "$[1]"),
    "deque": Position(lambda x: deque([1, x, 2], 5), deque([1, 2], 5), "$[1]"),
    "slice": Position(lambda x: slice(1, x, 2), slice(1, None, 2), "$[1]"),
    "dict": Position(lambda x: {"a": 1, "b": x, "c": 2}, LEFT, "$.b"),
    "int key": Position(lambda x: {"a": 1, 7: x}, {"a": 1}, "${7}"),
    "OrderedDict": Position(lambda x: OrderedDict(a=1, b=x, c=2), OrderedDict(LEFT), "$.b"),
    "defaultdict": Position(lambda x: defaultdict(None, a=1, b=x, c=2), defaultdict(None, LEFT), "$.b"),
    "Counter": Position(lambda x: Counter({"a": 1, "b": x, "c": 2}), Counter(LEFT), "$.b"),
    "ChainMap": Position(lambda x: ChainMap({"a": 1, "b": x, "c": 2}, {}), ChainMap(LEFT, {}), "$.maps[0].b"),
    "map of ChainMap": Position(lambda x: ChainMap(LEFT, x), ChainMap(LEFT), "$.maps[1]"),
    "mappingproxy": Position(lambda x: MappingProxyType({"a": 1, "b": x, "c": 2}), LEFT, "$.b"),
    "values view": Position(lambda x: {"a": 1, "b": x}.values(), [1], "$[1]"),
    "items view": Position(lambda x: {"a": 1, "b": x}.items(), [("a", 1), ("b", None)], "$[1][1]"),
    "dataclass": Position(lambda x: Data(1, x, 2), LEFT, "$.b"),
    "slotted dataclass": Position(lambda x: Slots(1, x, 2), LEFT, "$.b"),
    "namedtuple": Position(lambda x: Named(1, x, 2), LEFT, "$.b"),
    "attrs": Position(lambda x: Attrs(1, x, 2), LEFT, "$.b"),
    "msgspec": Position(lambda x: Struct(1, x, 2), LEFT, "$.b"),
    "pydantic extra": Position(lambda x: Model(a=1, b=x, c=2), LEFT, "$.b"),
    "opaque": Position(lambda x: SimpleNamespace(a=1, b=x, c=2), LEFT, "$.b"),
    "slotted opaque": Position(Slotted, LEFT, "$.b"),
    "exception": Position(
        lambda x: Error("m", x), {"type": type_name(Error), "message": "m", "args": ("m", None)}, "$.args[1]"
    ),
    "nested": Position(
        lambda x: {"a": [(Data(1, {"k": [x]}, 2),)]}, {"a": [({"a": 1, "b": {"k": []}, "c": 2},)]}, "$.a[0][0].b.k[0]"
    ),
}
HASHED = {
    "set": Position(lambda x: {1, x, "a"}, {1, "a"}, "${*}"),
    "frozenset": Position(lambda x: frozenset([1, x]), frozenset([1]), "${*}"),
    "key": Position(lambda x: {"a": 1, x: [3], "c": 2}, LEFT, "${*}"),
    "OrderedDict key": Position(lambda x: OrderedDict([("a", 1), (x, 3)]), OrderedDict(a=1), "${*}"),
    "tuple in a key": Position(lambda x: {"a": 1, ("k", x): 3}, {"a": 1}, "${tuple}"),
    "tuple in a set": Position(lambda x: {1, (x,)}, {1}, "${tuple}"),
    "frozenset in a key": Position(lambda x: {"a": 1, frozenset([x]): 3}, {"a": 1}, "${frozenset}"),
    "keys view": Position(lambda x: [1, {x: 1}.keys()], [1, []], "$[1][0]"),
}


def path_of(position: Position, lost: Any) -> str:
    """The path of the finding for a lost object in that position."""
    return position.path.replace("*", type_name(type(lost)))
