"""Type-exact, NaN-aware comparison that keeps its own stack, so depth is no matter."""

import math
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
from typing import Any

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
    return [] if _same_leaf(a, b) else None


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

    return encode(a, Limits()) == encode(b, Limits())
