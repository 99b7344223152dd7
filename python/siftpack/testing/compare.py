"""Type-exact, NaN-aware comparison that keeps its own stack, so depth is no matter."""

import enum
import math
import struct
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from typing import Any

from siftpack.adapters.records import library
from siftpack.storage import inherits, instance_dict, mro, read_slot, slots

_MAPS = (dict, OrderedDict, defaultdict, Counter)
_SEQUENCES = (list, tuple, deque)
_SETS = (set, frozenset)
_SCALARS = (str, bytes, int, float, bool, type(None))
_UNSET: Any = object()
Pairs = list[tuple[Any, Any]]


def same(left: Any, right: Any) -> bool:
    """True if two clean values, or instances of listed classes, are of the same types and content.

    Dict order counts, NaN is itself, instances are compared by their storage and never asked. Which fields of a
    pydantic model count as set is no content, as it is none of the model's own equality.
    """
    stack = [(left, right)]
    while stack:
        a, b = stack.pop()
        if type(a) is not type(b):
            return False
        more = _parts(a, b)
        if more is None:
            return False
        stack += more
    return True


def _parts(a: Any, b: Any) -> Pairs | None:
    """The pairs that have to be the same for two objects of one type to be; None if they differ already."""
    cls = type(a)
    if cls in _SCALARS:
        return [] if _same_scalar(a, b) else None
    if cls in _SEQUENCES:
        bounded = cls is not deque or a.maxlen == b.maxlen
        return list(zip(a, b, strict=True)) if len(a) == len(b) and bounded else None
    if cls in _MAPS:
        if len(a) != len(b) or (cls is defaultdict and a.default_factory is not b.default_factory):
            return None
        return [*zip(a.keys(), b.keys(), strict=True), *zip(a.values(), b.values(), strict=True)]
    if cls in _SETS:
        return [] if _same_elements(a, b) else None
    if cls is ChainMap:
        return [(a.maps, b.maps)]
    if cls is slice:
        return [(a.start, b.start), (a.stop, b.stop), (a.step, b.step)]
    if _is_array(cls):
        return _array_parts(a, b)
    if _is_clean(cls):
        return [] if _same_leaf(a, b) else None
    return _instances(a, b)


def _is_clean(cls: type) -> bool:
    """True for types whose values can be written as they are."""
    from siftpack.classify import Shape, classify

    spec = classify(cls)
    return spec.shape is Shape.VALUE and spec.exact


def _is_array(cls: type) -> bool:
    from siftpack.classify import classify
    from siftpack.policy import Kind

    return classify(cls).kind is Kind.ARRAY


def _array_parts(a: Any, b: Any) -> Pairs | None:
    """Arrays by dtype, shape and items, tables part by part."""
    from siftpack.classify import classify
    from siftpack.values import Leaf, Parts

    lower = classify(type(a)).lower
    left, right = (None, None) if lower is None else (lower(a), lower(b))
    if type(left) is Parts and type(right) is Parts:
        return [(left.parts, right.parts)]
    if type(left) is Leaf and type(right) is Leaf and left.head == right.head:
        return [] if _same_items(left.head, *(memoryview(each.items).tobytes() for each in (left, right))) else None
    return [] if a is b or (type(left) is tuple and _same_leaf(a, b)) else None


_FLOATS = {2: "e", 4: "f", 8: "d"}


def _same_items(head: bytes, left: bytes, right: bytes) -> bool:
    """True if all bytes are equal, or those that differ belong to NaNs on both sides."""
    if left == right or len(left) != len(right):
        return left == right
    order, letter, digits = head[3:4].decode(), head[4:5].decode(), head[5 : 3 + head[2]].decode()
    if letter not in "fc" or not digits.isdigit():
        return False
    code = _FLOATS.get(int(digits) // (1 + (letter == "c")))
    if code is None:
        return False
    pairs = zip(struct.iter_unpack(order + code, left), struct.iter_unpack(order + code, right), strict=True)
    return all((x != x and y != y) or struct.pack("d", x) == struct.pack("d", y) for (x,), (y,) in pairs)


def _instances(a: Any, b: Any) -> Pairs | None:
    """Instances of one class by their base storage, slots and own dicts."""
    cls = type(a)
    if inherits(cls, enum.Enum):
        return [] if a is b else None
    pairs = [(_base(a), _base(b))] if _base(a) is not _UNSET else []
    if inherits(cls, BaseException):
        own = BaseException.__dict__
        pairs += [(own[name].__get__(a), own[name].__get__(b)) for name in ("args", "__cause__", "__context__")]
    ignored = _bookkeeping(cls)
    compared = (slot for name, slot in slots(cls) if name not in ignored)
    pairs += [(read_slot(slot, a, _UNSET), read_slot(slot, b, _UNSET)) for slot in compared]
    mine, theirs = dict(instance_dict(a) or {}), dict(instance_dict(b) or {})
    if mine.keys() != theirs.keys():
        return None
    pairs += [(mine[name], theirs[name]) for name in mine]
    return [(x, y) for x, y in pairs if x is not y]


def _bookkeeping(cls: type) -> tuple[str, ...]:
    """Slots in which the library of a record class keeps its books."""
    found = library(mro(cls))
    return () if found is None else found[1].ignored


def _base(obj: Any) -> Any:
    """The storage of the builtin that a class derives from, as that builtin."""
    cls = type(obj)
    for base in _BASES:
        if inherits(cls, base):
            copy: Callable[[Any], Any] = _COPIES.get(base, lambda found: dict(dict.items(found)))
            return copy(obj)
    return _UNSET


_COPIES: dict[type, Callable[[Any], Any]] = {
    str: str.__str__,
    bytes: lambda found: bytes(memoryview(found)),
    int: int.__pos__,
    float: float.__pos__,
    list: lambda found: list(list.__iter__(found)),
    tuple: lambda found: tuple(tuple.__iter__(found)),
    deque: lambda found: deque(deque.__iter__(found), deque.maxlen.__get__(found)),
    set: lambda found: set(set.__iter__(found)),
    frozenset: lambda found: frozenset(frozenset.__iter__(found)),
}
_BASES: tuple[type, ...] = (*_COPIES, dict)


def _same_elements(a: Any, b: Any) -> bool:
    from siftpack.policy import Limits
    from siftpack.reference.encode import encode

    if len(a) != len(b):
        return False
    limits = Limits()
    try:
        return sorted(encode(x, limits) for x in a) == sorted(encode(x, limits) for x in b)
    except AssertionError:  # instances of listed classes are no clean values
        return all(any(same(x, y) for y in b) for x in a) and all(any(same(x, y) for y in a) for x in b)


def _same_scalar(a: Any, b: Any) -> bool:
    if type(a) is float:
        return (a == b and math.copysign(1, a) == math.copysign(1, b)) or (a != a and b != b)
    return bool(a == b)


def _same_leaf(a: Any, b: Any) -> bool:
    if a is b:
        return True
    from siftpack.policy import Limits
    from siftpack.reference.encode import encode

    return encode(a, Limits()) == encode(b, Limits())
