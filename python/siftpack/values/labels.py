"""What tables say about themselves: names, labels of columns, categories, lengths."""

from typing import Any

from siftpack import wire
from siftpack.ndarray import NDArray
from siftpack.report import Segment, Tombstone

_PLAIN = (type(None), bool, int, float, str, bytes)
_CATEGORIES = (bool, int, float, str)


class Lost(Exception):  # noqa: N818 - never leaves the rooms of the tables
    """A part was left out under a policy: something else stands for it."""


def lost(part: Any) -> bool:
    """True for what can stand where a part was left out."""
    return part is None or any(type(part) is each for each in (str, Tombstone))


def expect(part: Any, cls: type) -> Any:
    """The part, which must be of exactly that type. Raises ``Lost`` or ``ValueError``."""
    if type(part) is cls:
        return part
    if lost(part):
        raise Lost
    raise ValueError("part of another type")


def is_label(name: Any) -> bool:
    """True for what a table keeps as the name of an axis or series: a scalar or value, or a tuple of such."""
    if type(name) is tuple:
        return all(type(each) is not tuple and is_label(each) for each in tuple.__iter__(name))
    if any(type(name) is each for each in _PLAIN):
        return True
    from siftpack.classify import Shape, classify

    spec = classify(type(name))
    if type(name) is NDArray or (spec.shape is Shape.VALUE and spec.exact and spec.shared):
        try:
            hash(name)
        except TypeError:
            return False
        return True
    return False


def index_length(index: tuple[Any, ...]) -> int:
    """How many labels an index has, by parts that are what they should be."""
    if index[0] == "range":
        return steps_in(*index[2:])
    if index[0] == "multi":
        return column_length(index[3][0])
    return column_length(index[3])


def steps_in(start: int, stop: int, step: int) -> int:
    """How many steps a range has, however many they are."""
    return max(0, (stop - start + step - (1 if step > 0 else -1)) // step)


def column_length(column: Any) -> int:
    """How many items a column has, by parts that are what they should be."""
    if type(column) is tuple:
        at = 2 if column[0] == "strings" else 1
        return len(column[at]) if column[0] == "strings" else column_length(column[at])
    return int(column.shape[0])


def steps_of(columns: tuple[Any, ...], count: int) -> tuple[Segment, ...]:
    """What a path shows for each column: its label where that is plain, else its place."""
    labels: Any = None
    if columns[0] == "range":
        labels = range(*columns[2:])
    elif columns[0] == "values" and type(columns[3]) is tuple:
        labels = columns[3][2] if columns[3][0] == "strings" else None
    elif columns[0] == "values" and columns[3].dtype.kind in "biufO":
        labels = columns[3].tolist()
    if labels is None or len(labels) != count:
        return tuple(range(count))
    return tuple(_step(label) for label in labels)


def _step(label: Any) -> Segment:
    if type(label) is str:
        return label
    return (label,) if any(type(label) is each for each in _PLAIN) else type(label)


def categories_hold(index: tuple[Any, ...]) -> bool:
    """True if labels may be categories: objects only if they are plain, differ, and cannot be made to collide."""
    if index[0] != "values":
        return bool(index[0] == "range")
    column = index[3]
    if type(column) is tuple:
        return bool(column[0] != "strings") or _differ(column[2])
    if getattr(getattr(column, "dtype", None), "kind", "") != "O":
        return True
    return _differ(column.tolist())


def _differ(labels: Any) -> bool:
    if not all(any(type(label) is each for each in _CATEGORIES) for label in labels):
        return False
    hashes: dict[int, int] = {}
    for label in labels:
        code = hash(label)
        hashes[code] = hashes.get(code, 0) + 1
        if hashes[code] > wire.SAME_HASH:
            return False
    return len(set(labels)) == len(labels)
