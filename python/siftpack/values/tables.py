"""The parts of object arrays and tables: checked without their library, and put together where it is imported.

Nothing is believed: words, types and lengths are compared before anything is built. What stands where a part was left
out under a policy keeps the whole from being built, and it stays an ``NDArray``.
"""

import datetime as dt
import re
import sys
from collections.abc import Callable
from typing import Any

from siftpack.ndarray import CONTAINERS, NDArray
from siftpack.report import Ext
from siftpack.storage import imported
from siftpack.values import Parts, dtypes, layouts
from siftpack.values.arrays import roomy
from siftpack.values.labels import Lost, categories_hold, expect, is_label, lost, steps_in

_FREQUENCY = re.compile(r"-?[A-Za-z0-9]{1,24}(?:-[A-Z]{1,24})?")
_CLOSED = ("left", "right", "both", "neither")
_COLUMN = re.compile(r"\|b1|\|[iu]1|[<>][iufcxylLqQ][0-9]+|[<>][Mm]8\[(?:s|ms|us|ns)\]|\|O8")
_MASKED = re.compile(r"\|b1|\|[iu]1|[<>][iu][248]|[<>]f[48]")
_CODES = ("|i1", "<i2", "<i4", "<i8", ">i2", ">i4", ">i8")
_REFUSED = (ArithmeticError, LookupError, TypeError, ValueError, AttributeError, RuntimeError, AssertionError, Warning)


def gather(items: list[Any]) -> Any:
    """What parts come to; an ``NDArray`` where that cannot be built. Raises ``ValueError`` for parts of no form."""
    form = items[0] if items else ""
    data = tuple(items[1:])
    if type(form) is not str and lost(form):
        return NDArray("", "", (), tuple(items))
    if type(form) is not str or form not in CONTAINERS:
        raise ValueError("parts of an unknown form")
    try:
        _CHECKS[form](data)
        made = _build(form, data)
    except Lost:
        made = None
    if made is not None:
        return made
    shape = {"object": 0, "fields": 1}.get(form)
    known = shape is not None and len(data) > shape and type(data[shape]) is tuple
    return NDArray(CONTAINERS[form], form, data[shape] if known else (), data)  # type: ignore[index]


def lower_parts(kind: str, form: str, data: tuple[Any, ...]) -> Parts | None:
    """The parts of an ``NDArray`` that holds some; None if no array or table has such parts."""
    if not form and not kind:
        return Parts(list(data), (None,) * len(data)) if data and type(data[0]) is not str and lost(data[0]) else None
    known = CONTAINERS.get(form) == kind and fits(form, data)
    return Parts([form, *data], (None, *range(len(data)))) if known else None


def fits(form: str, data: tuple[Any, ...]) -> bool:
    """True if a reader takes parts for what they say they are."""
    try:
        _CHECKS[form](data)
    except ValueError:
        return False
    except Lost:
        pass
    return True


def is_column(dtype: Any) -> bool:
    """True for a dtype of numpy's that a column can have."""
    return _COLUMN.fullmatch(dtypes.describe(dtype) or "") is not None


def _build(form: str, data: tuple[Any, ...]) -> Any:
    library = imported("numpy" if form in ("object", "fields", "record") else "pandas")
    if library is None or imported("numpy") is None:
        return None
    from siftpack.values import assembly

    try:
        return assembly.BUILD[form](data)
    except (assembly.Elsewhere, *_REFUSED):
        return None


# Checks.


def _shape(shape: Any, size: int) -> int:
    for length in expect(shape, tuple):
        if type(length) is not int:
            raise Lost if lost(length) else ValueError("dimension that is no integer")
    layouts.check_shape(shape, size)
    return layouts.items(shape)


def _count(data: tuple[Any, ...], *counts: int) -> None:
    if len(data) not in counts:
        raise ValueError("too many parts or too few")


def _array(array: Any) -> tuple[str, tuple[int, ...]]:
    """Dtype and shape of an array, or of what stands for one."""
    numpy = imported("numpy")
    if numpy is not None and type(array) is numpy.ndarray:
        return dtypes.describe(array.dtype) or "", tuple(array.shape)
    if type(array) is NDArray:
        return _standing(array)
    if lost(array):
        raise Lost
    raise ValueError("part that is no array")


def _standing(array: NDArray) -> tuple[str, tuple[int, ...]]:
    kind, text, shape, data = (getattr(array, name, None) for name in NDArray.__match_args__)
    if type(kind) is not str or kind != "numpy.ndarray":
        raise ValueError("part that is no array")
    if type(data) is tuple:
        text, shape = ("|O8", *data, None)[:2] if text == "object" else (*data, None, None)[:2]
    if type(text) is not str or type(shape) is not tuple or any(type(length) is not int for length in shape):
        raise Lost
    return text, shape


def _word(parts: tuple[Any, ...]) -> str:
    """The word that parts begin with."""
    word: str = expect(parts[0] if parts else "", str)
    return word


def _line(array: Any, pattern: re.Pattern[str]) -> tuple[str, int]:
    """Dtype and length of an array of one dimension."""
    text, shape = _array(array)
    if len(shape) != 1 or not pattern.fullmatch(text):
        raise ValueError("array of another dtype or shape")
    return text, shape[0]


def _object(data: tuple[Any, ...]) -> None:
    _count(data, 2)
    if _shape(data[0], 8) != len(expect(data[1], tuple)):
        raise ValueError("array shape and elements disagree")


def _fields(data: tuple[Any, ...]) -> None:
    layout = _objects(data)
    _shape(data[1], layout.size)
    _count(data, 2 + len(layout.fields))
    for field, part in zip(layout.fields, data[2:], strict=True):
        text, shape = _array(part)
        if text != layouts.write(field.layout) or shape != (*data[1], *field.shape):
            raise ValueError("field of another dtype or shape")


def _objects(data: tuple[Any, ...]) -> layouts.Layout:
    if len(data) < 2:
        raise ValueError("too few parts")
    layout = layouts.parse(expect(data[0], str))
    if layout.letter != "{" or not layouts.holds(layout, layouts.OBJECTS) or not roomy(layout):
        raise ValueError("dtype without objects")
    return layout


def _record(data: tuple[Any, ...]) -> None:
    _count(data, 1)
    text, shape = _array(data[0])
    layout = layouts.parse(text)
    if shape or layout.letter != "{" or not layouts.holds(layout, layouts.OBJECTS):
        raise ValueError("record without objects")


def _label(name: Any) -> None:
    if not is_label(name):
        raise ValueError("name that cannot be hashed")


def _column(column: Any) -> int:
    """The length of a column."""
    if type(column) is not tuple:
        return _line(column, _COLUMN)[1]
    check = _COLUMNS.get(_word(column))
    if check is None:
        raise ValueError("column of an unknown kind")
    return check(column)


def _strings(column: tuple[Any, ...]) -> int:
    _count(column, 3)
    for each in expect(column[2], tuple):
        if each is not None and type(each) is not str:
            expect(each, str)
    if expect(column[1], str) not in ("NA", "nan"):
        raise ValueError("strings with another sign for nothing")
    return len(column[2])


def _masked(column: tuple[Any, ...]) -> int:
    _count(column, 3)
    count = _line(column[1], _MASKED)[1]
    if _line(column[2], re.compile(r"\|b1"))[1] != count:
        raise ValueError("mask of another length")
    return count


def _category(column: tuple[Any, ...]) -> int:
    _count(column, 4)
    text, shape = _array(column[1])
    if len(shape) != 1 or text not in _CODES or type(column[3]) is not bool:
        raise ValueError("bad category")
    _index(column[2])
    if not categories_hold(column[2]):
        raise ValueError("categories that are equal or cannot be hashed")
    return shape[0]


def _zoned(column: tuple[Any, ...]) -> int:
    _count(column, 3)
    text, count = _line(column[1], _COLUMN)
    zone = column[2]
    if type(zone) is Ext or lost(zone):
        raise Lost
    named = sys.modules.get("zoneinfo")
    if text[1] != "M" or not (type(zone) is dt.timezone or (named is not None and type(zone) is named.ZoneInfo)):
        raise ValueError("bad zone of a column")
    return count


def _interval(column: tuple[Any, ...]) -> int:
    _count(column, 4)
    count = _column(column[1])
    if _column(column[2]) != count or expect(column[3], str) not in _CLOSED:
        raise ValueError("bad intervals")
    return count


def _period(column: tuple[Any, ...]) -> int:
    _count(column, 3)
    if not _FREQUENCY.fullmatch(expect(column[2], str)):
        raise ValueError("bad frequency")
    return _line(column[1], re.compile(r"[<>]i8"))[1]


_COLUMNS: dict[str, Callable[[tuple[Any, ...]], int]] = {
    "strings": _strings,
    "masked": _masked,
    "category": _category,
    "zoned": _zoned,
    "interval": _interval,
    "period": _period,
}


def _index(index: Any) -> int:
    """The length of an index."""
    kind = _word(expect(index, tuple))
    if kind == "range":
        _count(index, 5)
        if any(type(each) is not int or abs(each) >= 2**63 for each in index[2:]) or not index[4]:
            raise Lost if any(map(lost, index[2:])) else ValueError("bad range")
        _label(index[1])
        return steps_in(*index[2:])
    if kind == "values":
        _count(index, 4)
        _label(index[1])
        if index[2] is not None and not _FREQUENCY.fullmatch(expect(index[2], str)):
            raise ValueError("bad frequency")
        return _column(index[3])
    if kind != "multi":
        raise ValueError("index of an unknown kind")
    return _multi(index)


def _multi(index: tuple[Any, ...]) -> int:
    _count(index, 4)
    names, levels, codes = (expect(part, tuple) for part in index[1:])
    if not levels or not len(names) == len(levels) == len(codes):
        raise ValueError("levels that do not fit their codes")
    for name in names:
        _label(name)
    for level in levels:
        _index(level)
        if level[0] == "multi" or level[1] is not None:
            raise ValueError("level with a name or levels of its own")
    counts = set()
    for each in codes:
        text, shape = _array(each)
        if text not in _CODES or len(shape) != 1:
            raise ValueError("bad codes")
        counts.add(shape[0])
    if len(counts) != 1:
        raise ValueError("codes of different lengths")
    return counts.pop()


def _series(data: tuple[Any, ...]) -> None:
    _count(data, 3)
    _label(data[0])
    if _index(data[1]) != _column(data[2]):
        raise ValueError("index of another length")


def _frame(data: tuple[Any, ...]) -> None:
    if len(data) < 2 or _index(data[0]) != len(data) - 2:
        raise ValueError("columns of another number")
    count = _index(data[1])
    if any(_column(column) != count for column in data[2:]):
        raise ValueError("column of another length")


def _only(data: tuple[Any, ...]) -> None:
    _count(data, 1)
    _column(data[0])


_CHECKS: dict[str, Callable[[tuple[Any, ...]], Any]] = {
    "object": _object,
    "fields": _fields,
    "record": _record,
    "series": _series,
    "frame": _frame,
    "index": _index,
    "array": _only,
}
