"""Arrays of objects, tables, indexes and extension arrays, from parts that were checked.

No label is hashed here and no zone asked: what could be made to collide, or costs more than its bytes, waits until the
program uses it.
"""

import datetime as dt
import sys
from collections.abc import Callable
from typing import Any

from siftpack.ndarray import NDArray
from siftpack.values import dtypes


class Elsewhere(Exception):  # noqa: N818 - never leaves the rooms of the tables
    """Something in it has no counterpart on this machine."""


def _exact(array: Any) -> Any:
    if type(array) is NDArray:
        raise Elsewhere
    return array


# numpy.


def _object(data: tuple[Any, ...]) -> Any:
    numpy = sys.modules["numpy"]
    shape, elements = data
    return numpy.fromiter(elements, dtype=object, count=len(elements)).reshape(shape)


def _fields(data: tuple[Any, ...]) -> Any:
    text, shape, *parts = data
    dtype = dtypes.restore(text)
    if dtype is None:
        raise Elsewhere
    made = sys.modules["numpy"].zeros(shape, dtype)
    for name, part in zip(dtype.names, parts, strict=True):
        made[name][...] = _exact(part)
    return made


def _record(data: tuple[Any, ...]) -> Any:
    return _exact(data[0])[()]


# pandas.


def _column(column: Any) -> Any:
    """An array of numpy's or an extension array."""
    if type(column) is tuple:
        return _COLUMNS[column[0]](column)
    return _exact(column)


def _strings(column: tuple[Any, ...]) -> Any:
    pandas, numpy = sys.modules["pandas"], sys.modules["numpy"]
    missing = numpy.nan if column[1] == "nan" else pandas.NA
    values = numpy.fromiter((missing if each is None else each for each in column[2]), object, len(column[2]))
    try:
        return pandas.array(values, dtype=pandas.StringDtype(na_value=missing))
    except UnicodeEncodeError:  # arrow holds no lone surrogates
        return pandas.array(values, dtype=pandas.StringDtype("python", na_value=missing))


def _masked(column: tuple[Any, ...]) -> Any:
    arrays = sys.modules["pandas.arrays"]
    data, mask = _exact(column[1]), _exact(column[2])
    cls = {"b": arrays.BooleanArray, "f": arrays.FloatingArray}.get(data.dtype.kind, arrays.IntegerArray)
    return cls(data, mask, copy=False)


def _category(column: tuple[Any, ...]) -> Any:
    pandas = sys.modules["pandas"]
    codes, categories = _exact(column[1]), _index(column[2])
    _within(codes, len(categories))
    dtype = pandas.CategoricalDtype._from_fastpath(categories, column[3])  # noqa: SLF001 - the other way hashes
    return _same(pandas.Categorical.from_codes(codes, dtype=dtype, validate=False), codes, lambda made: made.codes)


def _within(codes: Any, count: int) -> None:
    if codes.size and not -1 <= int(codes.min()) <= int(codes.max()) < count:
        raise ValueError("code of no category")


def _same(made: Any, array: Any, get: Callable[[Any], Any]) -> Any:
    """What was made, if it holds the array in its own dtype."""
    if get(made).dtype != array.dtype:
        raise ValueError("dtype that pandas would not keep")
    return made


def _zoned(column: tuple[Any, ...]) -> Any:
    pandas = sys.modules["pandas"]
    return pandas.DatetimeIndex(_exact(column[1])).tz_localize(dt.UTC).tz_convert(column[2]).array


def _interval(column: tuple[Any, ...]) -> Any:
    intervals = sys.modules["pandas.arrays"].IntervalArray
    return intervals.from_arrays(_column(column[1]), _column(column[2]), closed=column[3])


def _period(column: tuple[Any, ...]) -> Any:
    return sys.modules["pandas.arrays"].PeriodArray(
        _exact(column[1]), dtype=sys.modules["pandas"].PeriodDtype(column[2])
    )


_COLUMNS = {
    "strings": _strings,
    "masked": _masked,
    "category": _category,
    "zoned": _zoned,
    "interval": _interval,
    "period": _period,
}


def _index(index: tuple[Any, ...]) -> Any:
    pandas = sys.modules["pandas"]
    if index[0] == "range":
        _, name, *steps = index
        return pandas.RangeIndex(*steps, name=name)
    if index[0] == "multi":
        _, names, levels, codes = index
        found = [_index(level) for level in levels]
        for level, each in zip(found, codes, strict=True):
            _within(_exact(each), len(level))
        made = pandas.MultiIndex(levels=found, codes=list(codes), names=names, verify_integrity=False, copy=False)
        return _same(made, codes[0], lambda made: made.codes[0])
    _, name, frequency, column = index
    values = _column(column)
    made = _typed(pandas.Index, values, name=name, tupleize_cols=False)
    if frequency is not None:
        _set_frequency(made, frequency)
    return made


def _typed(make: Any, values: Any, **options: Any) -> Any:
    """An index or series that keeps the values' own dtype."""
    exact = type(values) is sys.modules["numpy"].ndarray
    dtype = object if exact and values.dtype.kind == "O" else None
    made = make(values, dtype=dtype, copy=False, **options)
    return _same(made, values, lambda made: made) if exact else made


def _set_frequency(index: Any, word: str) -> None:
    """Give an index its frequency, once its first and last steps are seen to be of it."""
    offset = sys.modules["pandas.tseries.frequencies"].to_offset(word)
    pairs = ((index[0], index[1]), (index[-2], index[-1])) if len(index) > 1 else ()
    if any(first + offset != second for first, second in pairs):
        raise ValueError("index of another frequency")
    (index if "_freq" in vars(index) or not hasattr(index._data, "_freq") else index._data)._freq = offset  # noqa: SLF001
    if index.freq != offset:
        raise ValueError("index that has no frequency")


def _series(data: tuple[Any, ...]) -> Any:
    name, index, column = data
    return _typed(sys.modules["pandas"].Series, _column(column), index=_index(index), name=name)


def _frame(data: tuple[Any, ...]) -> Any:
    pandas = sys.modules["pandas"]
    columns, index = _index(data[0]), _index(data[1])
    rows = {at: _typed(pandas.Series, _column(column), index=index) for at, column in enumerate(data[2:])}
    made = pandas.DataFrame(rows, index=index, copy=False)
    made.columns = columns
    return made


def _array(data: tuple[Any, ...]) -> Any:
    values = _column(data[0])
    if type(values) is not sys.modules["numpy"].ndarray:
        return values
    arrays = sys.modules["pandas.arrays"]
    special = {"M": arrays.DatetimeArray, "m": arrays.TimedeltaArray}.get(values.dtype.kind)
    return arrays.NumpyExtensionArray(values) if special is None else special._from_sequence(values, dtype=values.dtype)  # noqa: SLF001


BUILD: dict[str, Callable[[tuple[Any, ...]], Any]] = {
    "object": _object,
    "fields": _fields,
    "record": _record,
    "series": _series,
    "frame": _frame,
    "index": _index,
    "array": _array,
}
"""How each form is put together."""
