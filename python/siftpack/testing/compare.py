"""Type-exact, NaN-aware comparison that keeps its own stack, so depth is no matter."""

import math
import struct
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
from typing import Any

from siftpack import wire

_MAPS = (dict, OrderedDict, defaultdict, Counter)
_SEQUENCES = (list, tuple, deque)


def same(left: Any, right: Any) -> bool:
    """True if two clean values are of the same types and content; dict order counts, NaN is itself."""
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


def _parts(a: Any, b: Any) -> list[tuple[Any, Any]] | None:
    cls = type(a)
    if cls in _SEQUENCES:
        bounded = cls is not deque or a.maxlen == b.maxlen
        return list(zip(a, b, strict=True)) if len(a) == len(b) and bounded else None
    if cls in _MAPS:
        if len(a) != len(b) or (cls is defaultdict and a.default_factory is not b.default_factory):
            return None
        return [*zip(a.keys(), b.keys(), strict=True), *zip(a.values(), b.values(), strict=True)]
    if cls in (set, frozenset):
        return [] if _same_elements(a, b) else None
    if cls is ChainMap:
        return [(a.maps, b.maps)]
    if cls is slice:
        return [(a.start, b.start), (a.stop, b.stop), (a.step, b.step)]
    return _array_parts(a, b)


def _array_parts(a: Any, b: Any) -> list[tuple[Any, Any]] | None:
    """Arrays by dtype, shape and items, tables part by part; any other value as a whole."""
    from siftpack.classify import Shape, classify
    from siftpack.values import Leaf, Parts

    spec = classify(type(a))
    if spec.shape is not Shape.PARTS or spec.lower is None:
        return [] if _same_leaf(a, b) else None
    left, right = spec.lower(a), spec.lower(b)
    if type(left) is Parts and type(right) is Parts:
        return [(left.parts, right.parts)]
    if type(left) is Leaf and type(right) is Leaf and left.head == right.head:
        return [] if _same_items(left.head, *(memoryview(each.items).tobytes() for each in (left, right))) else None
    return [] if a is b else None


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


def _same_elements(a: Any, b: Any) -> bool:
    from siftpack.policy import Limits
    from siftpack.reference.encode import encode

    limits = Limits()
    return len(a) == len(b) and sorted(encode(x, limits) for x in a) == sorted(encode(x, limits) for x in b)


def _same_leaf(a: Any, b: Any) -> bool:
    if type(a) is float:
        return (a == b and math.copysign(1, a) == math.copysign(1, b)) or (a != a and b != b)
    if a is b:
        return True
    from siftpack.policy import Limits
    from siftpack.reference.encode import encode

    left, right = encode(a, Limits()), encode(b, Limits())
    if left == right or left[2] != wire.NDARRAY or right[:3] != left[:3]:
        return left == right
    from siftpack.values.arrays import head_size

    size = 3 + head_size(left[3:])
    return left[:size] == right[:size] and _same_items(left[3:size], left[size:], right[size:])
