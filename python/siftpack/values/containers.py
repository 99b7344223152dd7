"""Containers that are written as tagged arrays, put together from their clean parts."""

from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
from typing import Any

from siftpack import wire


def assemble(tag: int, items: list[Any], bound: int | None = None) -> Any:
    """The container of a mark. ``items`` are its elements, or the one map inside; ``bound`` is a deque's.

    Parts that no longer make an array or table - a policy may have changed them - are the list they are.
    """
    if tag == wire.PARTS:
        from siftpack.values.tables import gather

        try:
            return gather(items)
        except ValueError:
            return items
    if tag == wire.DEQUE:
        return deque(items, bound)
    if tag == wire.CHAIN_MAP:
        chain: ChainMap[Any, Any] = ChainMap()
        chain.maps = items  # as they are: the constructor would add a map where there is none
        return chain
    if tag == wire.SLICE:
        return slice(*items)
    if tag == wire.ORDERED_DICT:
        return OrderedDict(items[0])
    if tag == wire.COUNTER:
        return Counter(items[0])
    return defaultdict(None, items[0])
