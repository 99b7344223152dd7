"""Classes of every kind whose instances are data: records, enums, subclasses, exceptions, opaque objects."""

import enum
from array import array
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import Any, NamedTuple

import attrs
import msgspec
import pydantic


@dataclass
class Plain:
    """A dataclass with an underscore field and a default."""

    a: Any
    _b: Any = None
    c: Any = 3


@dataclass(slots=True)
class Slotted:
    """A dataclass without an instance dict."""

    a: Any
    b: Any = None


@dataclass(frozen=True)
class Frozen:
    """A dataclass that hashes by its fields."""

    a: Any
    b: Any = None


@dataclass(frozen=True, slots=True)
class FrozenSlotted(Frozen):
    """A slotted dataclass over one with an instance dict."""

    c: Any = None


@dataclass(eq=False)
class Held:
    """A dataclass that hashes by identity, whatever it holds; one field has a secret's name."""

    a: Any
    api_key: Any = None
    input_tokens: int = field(default=7, repr=False)


class Pair(NamedTuple):
    """A typed namedtuple."""

    left: Any
    password: Any = None


Loose = namedtuple("Loose", "x y")


class LoosePlus(Loose):
    """A namedtuple subclass with an instance dict."""


class Model(pydantic.BaseModel):
    """A pydantic model with extras, a private attribute and an excluded field."""

    model_config = pydantic.ConfigDict(extra="allow", arbitrary_types_allowed=True)
    a: Any = None
    hidden: Any = pydantic.Field(default=1, exclude=True)
    token: Any = None
    _private: Any = pydantic.PrivateAttr(default=2)


class FrozenModel(pydantic.BaseModel, frozen=True):
    """A pydantic model that hashes by its fields."""

    a: Any = None


@attrs.define
class Attr:
    """A slotted attrs class."""

    a: Any
    _b: Any = None


@attrs.frozen(slots=False)
class AttrFrozen:
    """A frozen attrs class with an instance dict."""

    a: Any


class Struct(msgspec.Struct):
    """A msgspec Struct."""

    a: Any
    b: Any = None


class FrozenStruct(msgspec.Struct, frozen=True):
    """A msgspec Struct that hashes by its fields."""

    a: Any


class Color(enum.Enum):
    """An enum of several value types."""

    RED = 1
    GREEN = "green"
    BLUE = (1, "x")
    LIST = [1, 2]  # noqa: RUF012 - an unhashable value is the point
    NAN = Decimal("NaN")


class Size(enum.IntEnum):
    """An IntEnum."""

    SMALL = 1
    LARGE = 2**70


class Word(enum.StrEnum):
    """A StrEnum."""

    A = "a"
    LONG = "long" * 10


class Bits(enum.Flag):
    """A Flag."""

    R = 1
    W = 2


class Str(str):
    """A str with attributes."""


class Int(int):
    """An int with attributes."""


class Float(float):
    """A float with attributes."""


class Bytes(bytes):
    """Bytes with attributes."""


class List(list):  # type: ignore[type-arg]
    """A list with attributes."""


class Dict(dict):  # type: ignore[type-arg]
    """A dict with attributes."""


class Tuple(tuple):  # type: ignore[type-arg]
    """A tuple with attributes."""


class Set(set):  # type: ignore[type-arg]
    """A set with a slot."""

    __slots__ = ("extra",)


class FrozenSet(frozenset):  # type: ignore[type-arg]
    """A frozenset with attributes."""


class Deque(deque):  # type: ignore[type-arg]
    """A deque with attributes."""


class Ordered(OrderedDict):  # type: ignore[type-arg]
    """An OrderedDict with attributes."""


class Default(defaultdict):  # type: ignore[type-arg]
    """A defaultdict with attributes."""


class Tally(Counter):  # type: ignore[type-arg]
    """A Counter with attributes."""


class Amount(Decimal):
    """A Decimal with attributes."""


class Route(PurePosixPath):
    """A path with attributes."""


class Cells(array):  # type: ignore[type-arg]
    """An array with attributes."""


class Opaque:
    """Any object with an instance dict."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


class SlotBase:
    """Slots without an instance dict."""

    __slots__ = ("_hidden", "kept", "secret")


class SlotMore(SlotBase):
    """Slots of a base, an own one, and an instance dict."""

    __slots__ = ("__dict__", "more")


class Failure(Exception):
    """An exception with fields of its own."""

    def __init__(self, *args: Any, code: Any = None) -> None:
        super().__init__(*args)
        self.code = code


def slotted(kept: Any, secret: Any) -> SlotMore:
    """A ``SlotMore`` with everything set but one slot."""
    made = SlotMore()
    made.kept, made.secret, made._hidden, made.loose = kept, secret, 1, kept  # type: ignore[attr-defined]
    return made


def marked(made: Any, value: Any) -> Any:
    """The same object with an attribute."""
    made.extra = value
    return made


def failed(*args: Any, note: Any = None, cause: Any = None, context: Any = None) -> Failure:
    """An exception with notes and a chain."""
    made = Failure(*args, code=1)
    if note is not None:
        made.__notes__ = [note]
    made.__cause__ = cause if isinstance(cause, BaseException) else None
    made.__context__ = context if isinstance(context, BaseException) else None
    made.__suppress_context__ = cause is not None
    return made


HASHABLE: tuple[Callable[[Any], Any], ...] = (
    *(Frozen, FrozenSlotted, Held, FrozenModel.model_construct, AttrFrozen, FrozenStruct, Pair),
    *(lambda v: FrozenModel(a=v), lambda v: Loose(v, 1), lambda v: LoosePlus(1, v), lambda v: Held(1, v)),
    *(lambda v: Tuple((v, 1)), lambda v: FrozenSet([v]), lambda v: marked(Str("s"), v), lambda v: Opaque(a=v)),
    lambda v: failed(v),
)
"""From one hashable value to an object that can be a key."""

ENUMS: tuple[Any, ...] = (*Color, *Size, *Word, *Bits, Bits.R | Bits.W, Bits(0))

WRAPS: tuple[Callable[[Any], Any], ...] = (
    *(Plain, Slotted, Frozen, FrozenSlotted, Held, Pair, Attr, AttrFrozen, Struct, FrozenStruct),
    *(lambda v: Plain(1, _b=v), lambda v: marked(Plain(v), 5), lambda v: Held(1, api_key=v), lambda v: Pair(1, v)),
    *(lambda v: Loose(v, v), lambda v: marked(LoosePlus(1, v), v), lambda v: tuple.__new__(Loose, (1, 2, v))),
    lambda v: Model(a=v, extra_field=v, token=v),  # type: ignore[call-arg]  # this model takes extras
    lambda v: Model.model_construct(a=v, api_key=v),
    *(lambda v: marked(Str("s\ud800"), v), lambda v: marked(Int(5), v), lambda v: marked(Float(0.5), v)),
    *(lambda v: marked(Bytes(b"b"), v), lambda v: marked(List([v, 1]), v), lambda v: marked(Dict(k=v), 1)),
    *(lambda v: marked(Tuple((v,)), v), lambda v: marked(Set([1]), v), lambda v: marked(Deque([v], 3), v)),
    *(lambda v: marked(Ordered(a=v), 1), lambda v: marked(Default(list, a=v), 1), lambda v: marked(Tally(a=v), v)),
    *(lambda v: marked(Amount("1.50"), v), lambda v: marked(Route("a/b"), v), lambda v: marked(Cells("i", [1]), v)),
    *(
        lambda v: Opaque(a=v),
        lambda v: Opaque(_a=v),
        lambda v: Opaque(a=v, _b=v, password="p", cookies=v),
        lambda v: Opaque(),
    ),
    *(lambda v: slotted(v, v), lambda v: SlotBase(), lambda v: SimpleNamespace(a=v), lambda v: Opaque(**{"not id": v})),
    *(
        lambda v: failed("m", v),
        lambda v: failed(v, note=v),
        lambda v: failed("m", cause=v),
        lambda v: failed(context=v),
    ),
    *(lambda v: failed("outer", cause=failed("inner", v)), lambda v: ExceptionGroup("g", [failed(v), ValueError(v)])),
    *(lambda v: KeyError(v), lambda v: OSError(2, "m", v), lambda v: marked(Slotless(), v)),
)
"""From one value to an object that holds it."""


class Slotless:
    """An object whose dict holds a key that is no str."""

    def __init__(self) -> None:
        self.__dict__[1] = 2  # type: ignore[index]
