"""What a clean tree holds that is made only at its end: listed instances, object arrays and tables."""

from collections import ChainMap, OrderedDict, defaultdict, deque
from typing import Any

from siftpack import wire
from siftpack.listed import Listed, restore
from siftpack.values.containers import assemble


class Record:
    """Name and clean fields of a listed instance. Where it has to be hashed, it is what it is rebuilt as."""

    __slots__ = ("fields", "listed", "made")

    def __init__(self, listed: Listed, fields: dict[str, Any], made: Any = None) -> None:
        self.listed, self.fields, self.made = listed, fields, made

    def __hash__(self) -> int:
        return hash(self.made)

    def __eq__(self, other: object) -> bool:
        return bool(self.made == (other.made if type(other) is Record else other))


class Gathered:
    """The clean parts of an object array or table."""

    __slots__ = ("parts",)

    def __init__(self, parts: list[Any]) -> None:
        self.parts = parts


def rebuilt(listed: Listed, fields: dict[str, Any]) -> Record:
    """A record with its instance. Raises ``ValueError`` where the class refuses."""
    return Record(listed, fields, restore(listed, {name: finished(value) for name, value in fields.items()}))


def finished(tree: Any) -> Any:
    """The clean tree with each record as the instance it was rebuilt as, and each table put together."""
    cls = type(tree)
    if cls is Record:
        return tree.made
    if cls is Gathered:
        return assemble(wire.PARTS, finished(tree.parts))
    if cls in (list, tuple, set, frozenset):
        return cls(map(finished, tree))
    if cls is deque:
        return deque(map(finished, tree), tree.maxlen)
    if cls is dict or cls is OrderedDict:
        return cls((finished(key), finished(value)) for key, value in tree.items())
    if cls is defaultdict:
        return defaultdict(None, {finished(key): finished(value) for key, value in tree.items()})
    if cls is ChainMap:
        return _chained(tree)
    return _rare(tree)


def _chained(tree: ChainMap[Any, Any]) -> ChainMap[Any, Any]:
    made: ChainMap[Any, Any] = ChainMap()
    made.maps = finished(tree.maps)
    return made


def _rare(tree: Any) -> Any:
    from collections import Counter

    if type(tree) is Counter:
        made: Counter[Any] = Counter()
        dict.update(made, {finished(key): finished(value) for key, value in tree.items()})
        return made
    return slice(*map(finished, (tree.start, tree.stop, tree.step))) if type(tree) is slice else tree
