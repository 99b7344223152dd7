"""Every door by which foreign code gets into a walk: what has to lie in a container, or go on around it, for that."""

import contextlib
import dataclasses
import datetime as dt
import enum
import gc
import sys
import weakref
from collections import OrderedDict, UserString, deque
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, NamedTuple

import pydantic

from siftpack import Policy, register
from tests.hostile.intruders import at_calls, beside


class Change:
    """What the foreign code does when it gets in, and how often it got in."""

    def __init__(self) -> None:
        self.action: Callable[[], None] | None = None
        self.times = 0

    def fire(self) -> None:
        """Run the change, never inside itself; what it raises is its own affair."""
        self.times += 1
        action, self.action = self.action, None
        if action is not None:
            try:
                action()
            except (RuntimeError, TypeError, AttributeError, BufferError, IndexError, KeyError):
                pass
            finally:
                self.action = action


CHANGE = Change()
fire = CHANGE.fire


class Item:
    """An element without any door."""

    def __init__(self, number: int) -> None:
        self.number = number


class Extracted(Item):
    """Its extractor gives data."""


class Declined(Item):
    """Its extractor declines."""


class Failed(Item):
    """Its extractor raises."""


class Chained(Item):
    """Its extractor gives another object with an extractor."""


def _extract(obj: Any) -> Any:
    fire()
    return {"number": 1, "list": [1, (2, {3})]}


def _decline(obj: Any) -> Any:
    fire()
    return NotImplemented


def _fail(obj: Any) -> Any:
    fire()
    raise ValueError


def _chain(obj: Any) -> Any:
    fire()
    return Extracted(1)


def install() -> None:
    """Register the extractors."""
    register(Extracted, extract=_extract)
    register(Declined, extract=_decline)
    register(Failed, extract=_fail)
    register(Chained, extract=_chain)


def by_default(obj: Any) -> Any:
    """``Policy(default=)``: lets foreign code in, and takes one class of several."""
    fire()
    return {"number": 2} if type(obj) is Item and len(vars(obj)) == 1 else NotImplemented


def _new() -> int:
    fire()
    return 3


@dataclasses.dataclass(eq=False)
class Made:
    """Listed: its default factory lets foreign code in where a field is missing."""

    number: int
    extra: int = dataclasses.field(default_factory=_new)


def _made() -> Any:
    made = Made(1, 2)
    del made.extra
    return made


@dataclasses.dataclass(frozen=True, eq=False)
class Hashed:
    """Listed: hash and equality let foreign code in."""

    number: int

    def __hash__(self) -> int:
        fire()
        return 7

    def __eq__(self, other: object) -> bool:
        fire()
        return self is other


class Valid(pydantic.BaseModel):
    """Listed: its validator lets foreign code in."""

    model_config = pydantic.ConfigDict(frozen=True)
    number: int

    @pydantic.field_validator("number")
    @classmethod
    def check(cls, value: int) -> int:
        fire()
        return value


class Sort(enum.Enum):
    """Listed: asked whether a member comes back."""

    ONE = (1, "text")


class Text(str):
    """Listed, with base storage."""

    __slots__ = ("__dict__",)


class Whole(int):
    """A big one is built anew by Python."""


def _view(at: int) -> Any:
    """A view of a mapping whose class nobody has seen yet."""
    return type("Fresh", (OrderedDict,), {})([("k1", at)]).values()


class FailureError(Exception):
    """Listed, with arguments and notes."""


class Meta(type):
    """Would let foreign code in if a walk asked the class anything."""

    def __hash__(cls) -> int:
        fire()
        return 1

    def __eq__(cls, other: object) -> bool:
        fire()
        return cls is other

    def __instancecheck__(cls, instance: object) -> bool:
        fire()
        return False

    def __subclasscheck__(cls, subclass: type) -> bool:
        fire()
        return False

    def __getattribute__(cls, name: str) -> Any:
        fire()
        return type.__getattribute__(cls, name)


class Odd(Item, metaclass=Meta):
    """A class under such a metaclass."""


class Zone(dt.tzinfo):
    """Would let foreign code in if it was asked for an offset."""

    def utcoffset(self, when: Any) -> Any:
        fire()
        return dt.timedelta(0)

    dst = utcoffset

    def tzname(self, when: Any) -> str:
        fire()
        return "text"


class Key(str):
    """Would let foreign code in if it was hashed or compared."""

    __slots__ = ()

    def __hash__(self) -> int:
        fire()
        return str.__hash__(self)

    def __eq__(self, other: object) -> bool:
        fire()
        return str.__eq__(self, other)


LISTED = (Made, Hashed, Valid, Sort, Text, FailureError, ExceptionGroup)


class Door(NamedTuple):
    """``element`` makes what lies in a container, ``around`` what goes on beside the walk."""

    element: Callable[[int], Any] = Item
    around: Callable[[], contextlib.AbstractContextManager[Any]] = contextlib.nullcontext
    policy: dict[str, Any] = {}  # noqa: RUF012 - never changed
    listed: bool = False
    shut: bool = False
    """Nothing must ever get in here."""


@contextlib.contextmanager
def collecting(prepare: Callable[[], Any]) -> Iterator[None]:
    """The collector runs whenever it may, with something to find."""
    before, kept = gc.get_threshold(), prepare()
    gc.set_threshold(1)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        del kept


@contextlib.contextmanager
def callback() -> Iterator[None]:
    """The collector tells a callback of ours."""

    def tell(phase: str, info: Any) -> None:
        fire()

    gc.callbacks.append(tell)
    try:
        with collecting(lambda: None):
            yield
    finally:
        gc.callbacks.remove(tell)


class Garbage:
    """Found by the collector alone."""

    def __init__(self) -> None:
        self.me = self


class Dying(Garbage):
    """Its finalizer lets foreign code in."""

    def __del__(self) -> None:
        fire()


def _tracked() -> list[Any]:
    return [weakref.ref(Garbage(), lambda _: fire()) for _ in range(3)]


def hooked(install: Callable[[Any], None]) -> contextlib.AbstractContextManager[None]:
    """Every call of a function of ours is an event."""
    return at_calls(fire, install=install)


DOORS: dict[str, Door] = {
    "extractor": Door(Extracted),
    "extractor that declines": Door(Declined),
    "extractor that raises": Door(Failed),
    "extractor of what one gave": Door(Chained),
    "default": Door(policy={"default": by_default}),
    "default after an extractor": Door(Declined, policy={"default": by_default}),
    "validator": Door(lambda at: Valid(number=at), listed=True),
    "validator of a key": Door(lambda at: {Valid(number=at): Item(at)}, listed=True),
    "factory": Door(lambda at: [_made(), {_made(): at}], listed=True),
    "hash": Door(lambda at: {Hashed(at): Item(at), Hashed(1): 1}, listed=True),
    "hash in a set": Door(lambda at: {Hashed(at), (Hashed(1), 1)}, listed=True),
    "profiler": Door(around=lambda: hooked(sys.setprofile)),
    "tracer": Door(around=lambda: hooked(sys.settrace)),
    "profiler and ints": Door(lambda at: Whole(2**100), around=lambda: hooked(sys.setprofile)),
    "profiler and texts": Door(lambda at: Text("text\ud800"), around=lambda: hooked(sys.setprofile)),
    "profiler and wrappers": Door(lambda at: UserString("text" * 99), around=lambda: hooked(sys.setprofile)),
    "profiler and views": Door(_view, around=lambda: hooked(sys.setprofile)),
    "profiler and values": Door(
        lambda at: [memoryview(bytearray(b"text")), Fraction(at, 7), {Fraction(1, 3): at}, deque([at], 3)],
        around=lambda: hooked(sys.setprofile),
    ),
    "profiler and texts listed": Door(
        lambda at: Text("text\ud800"), around=lambda: hooked(sys.setprofile), listed=True
    ),
    "profiler and listed": Door(
        lambda at: [Sort.ONE, Text("text"), ExceptionGroup("text", [FailureError(at)]), {Sort.ONE: 1}],
        around=lambda: hooked(sys.setprofile),
        listed=True,
    ),
    "collector": Door(around=callback),
    "finalizer": Door(around=lambda: collecting([Dying() for _ in range(3)].clear)),
    "weak reference": Door(around=lambda: collecting(_tracked)),
    "thread": Door(lambda at: Item(at) if at % 2 else Extracted(at), around=lambda: beside(fire)),
    "metaclass": Door(Odd, shut=True),
    "tzinfo": Door(lambda at: dt.datetime(2024, 1, 1, tzinfo=Zone()), shut=True),
    "str key": Door(shut=True),
}
"""By name. What is shut is asked nothing at all."""


def policy_of(door: Door, options: dict[str, Any]) -> Policy:
    """The policy of a walk through a door."""
    return Policy(**{**options, **door.policy})
