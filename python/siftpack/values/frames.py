"""pandas' tables, indexes and arrays, taken apart into their storage: arrays, tuples and words.

What is read is the storage that pandas keeps, through the slots and dicts that its own classes have; methods of a
subclass are never called. Methods of pandas' own are, on exactly its own types, where the storage says too little.
"""

import datetime as dt
import sys
from typing import Any

from siftpack.policy import Action, Kind
from siftpack.storage import imported, inherits, mro, own_value
from siftpack.values import Loss, Parts, dtypes
from siftpack.values.arrays import loss
from siftpack.values.labels import categories_hold, index_length, is_label, steps_of
from siftpack.values.tables import fits, is_column

_NAMES = (
    *("Categorical", "ArrowStringArray", "StringArray", "IntegerArray", "FloatingArray", "BooleanArray"),
    *("DatetimeArray", "TimedeltaArray", "PeriodArray", "IntervalArray", "SparseArray", "ArrowExtensionArray"),
    "NumpyExtensionArray",
)
_TROUBLE = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError, Warning)
"""What pandas raises at storage that it did not make."""
_MASKED = ("IntegerArray", "FloatingArray", "BooleanArray")


class Unreadable(Exception):  # noqa: N818 - never leaves this room
    """The storage is not what pandas keeps."""


class _Pandas:
    """pandas' own classes, and the slots of its storage."""

    def __init__(self) -> None:
        modules = sys.modules
        internals, arrays = modules["pandas._libs.internals"], modules["pandas._libs.arrays"]
        managers = modules["pandas.core.internals.managers"]
        self.module = modules["pandas"]
        self.numpy = dtypes.genuine().module
        self.table, self.single = managers.BlockManager, managers.SingleBlockManager
        self.blocks = internals.BlockManager.__dict__["blocks"].__get__
        self.axes = internals.BlockManager.__dict__["axes"].__get__
        self.values = internals.Block.__dict__["values"].__get__
        self.places = internals.Block.__dict__["_mgr_locs"].__get__
        self.placed = internals.BlockPlacement.__dict__["as_array"].__get__
        self.ndarray = arrays.NDArrayBacked.__dict__["_ndarray"].__get__
        self.dtype = arrays.NDArrayBacked.__dict__["_dtype"].__get__
        self.known = {id(cls): (name, cls) for name in _NAMES for cls in [getattr(modules["pandas.arrays"], name)]}
        self.offsets = vars(modules["pandas.tseries.offsets"]).values()


_PANDAS: list[_Pandas] = []


def _pandas() -> _Pandas | None:
    if not _PANDAS and imported("pandas") is not None:
        try:
            _PANDAS.append(_Pandas())
        except (AttributeError, KeyError):
            return None
    return _PANDAS[0] if _PANDAS else None


class _Taken:
    """What is taken of one object: losses on the way, and the pandas it is of."""

    def __init__(self, pandas: _Pandas) -> None:
        self.pandas = pandas
        self.losses: list[Loss] = []

    def lose(self, step: Any, kind: Kind, cls: type, action: Action) -> None:
        self.losses.append(loss(step, kind, cls, action))

    def reduced(self, value: Any, name: str) -> None:
        """Report a subclass of pandas' own class."""
        if type(value) is not getattr(self.pandas.module, name):
            self.lose(None, Kind.SUBCLASS, type(value), Action.CONVERTED)

    def beside(self, value: Any) -> None:
        """Report what a table keeps beside its data."""
        attrs, flags = own_value(value, "_attrs", None), own_value(value, "_flags", None)
        if type(attrs) is dict and attrs:
            self.lose("attrs", Kind.ATTRIBUTE, dict, Action.DROP)
        if flags is not None and own_value(flags, "_allows_duplicate_labels", True) is not True:
            self.lose("flags", Kind.ATTRIBUTE, type(flags), Action.DROP)

    def name(self, name: Any, step: Any) -> Any:
        if is_label(name):
            return name
        self.lose(step, Kind.ATTRIBUTE, type(name), Action.DROP)
        return None

    # Columns.

    def column(self, values: Any, step: Any, count: int | None = None, row: int = 0) -> Any:
        """One column: an array, or a tuple that begins with a word. ``count`` is its length, if it is known."""
        exact = self.pandas.numpy.ndarray
        if inherits(type(values), exact):
            array = self.row(exact.view(values, exact), row)
            if is_column(array.dtype):
                return array
            self.lose(step, Kind.ARRAY, exact, Action.CONVERTED)
            return array.astype(object)
        known = self.pandas.known
        name, cls = next((known[id(each)] for each in mro(type(values)) if id(each) in known), ("", None))
        try:
            made = self.extension(values, name, cls, step, row)
        except (Unreadable, *_TROUBLE):
            if count is None:
                raise
            self.lose(step, Kind.OPAQUE, type(values), Action.DROP)
            return self.pandas.numpy.full(count, None, dtype=object)
        if type(values) is not cls:
            self.lose(step, Kind.SUBCLASS, type(values), Action.CONVERTED)
        return made

    def row(self, array: Any, row: int) -> Any:
        if array.ndim > 2:
            raise Unreadable
        return array[row] if array.ndim == 2 else array

    def extension(self, values: Any, name: str, cls: Any, step: Any, row: int) -> Any:
        if not name:
            raise Unreadable
        if name in _MASKED:
            return self.masked(values)
        if name == "IntervalArray":
            return self.interval(values, step)
        if name in ("SparseArray", "ArrowExtensionArray", "ArrowStringArray"):
            return self.elsewhere(values, name, cls, step)
        array, dtype = self.row(self.pandas.ndarray(values), row), self.pandas.dtype(values)
        if name == "StringArray":
            return self.strings(array, dtype, cls, step)
        if name == "Categorical":
            return self.category(values, array, dtype, step)
        if name == "PeriodArray":
            return self.period(array, dtype)
        zone = own_value(dtype, "_tz", None) if type(dtype) is self.pandas.module.DatetimeTZDtype else None
        return array if zone is None else self.zoned(array, zone, step)

    def masked(self, values: Any) -> Any:
        data, mask = own_value(values, "_data", None), own_value(values, "_mask", None)
        exact = self.pandas.numpy.ndarray
        if type(data) is not exact or type(mask) is not exact or data.ndim != 1 or data.shape != mask.shape:
            raise Unreadable
        if mask.any():
            data = data.copy()
            data[mask] = 0
        return "masked", data, mask

    def strings(self, array: Any, dtype: Any, cls: type, step: Any) -> Any:
        elements = array.tolist()
        na = self.pandas.module.NA
        if any(type(each) is not str and not _missing(each, na) for each in elements):
            self.lose(step, Kind.ARRAY, cls, Action.CONVERTED)
            return array
        missing = "NA" if own_value(dtype, "_na_value", na) is na else "nan"
        return "strings", missing, tuple(each if type(each) is str else None for each in elements)

    def category(self, values: Any, codes: Any, dtype: Any, step: Any) -> Any:
        if type(dtype) is not self.pandas.module.CategoricalDtype:
            raise Unreadable
        ordered = own_value(dtype, "_ordered", False) is True
        categories = self.index(own_value(dtype, "_categories", None), step)
        if categories_hold(categories):
            return "category", codes, categories, ordered
        self.lose(step, Kind.ARRAY, type(values), Action.CONVERTED)
        plain = self.pandas.module.Categorical.from_codes(codes, dtype=dtype, validate=False)
        return plain.astype(object)

    def zoned(self, array: Any, zone: Any, step: Any) -> Any:
        from siftpack.values.times import NAIVE, zone_of

        kind, _, foreign = zone_of(zone, None)
        if kind == NAIVE or foreign is not None:
            self.lose(step, Kind.VALUE, type(zone), Action.CONVERTED)
            zone = dt.UTC
        return "zoned", array, zone

    def interval(self, values: Any, step: Any) -> Any:
        left, right = own_value(values, "_left", None), own_value(values, "_right", None)
        dtype = own_value(values, "_dtype", None)
        closed = own_value(dtype, "_closed", None)
        if type(dtype) is not self.pandas.module.IntervalDtype or type(closed) is not str:
            raise Unreadable
        return "interval", self.column(left, step), self.column(right, step), closed

    def period(self, array: Any, dtype: Any) -> Any:
        own = self.pandas.module.PeriodDtype
        if type(dtype) is not own:
            raise Unreadable
        word = dtype.name.removeprefix("period[").removesuffix("]")
        if own(word) != dtype:
            raise Unreadable
        return "period", array, word

    def elsewhere(self, values: Any, name: str, cls: Any, step: Any) -> Any:
        """Arrays whose items are in no array of numpy's."""
        if type(values) is not cls:
            raise Unreadable
        if name == "ArrowStringArray":
            dtype = own_value(values, "_dtype", None)
            return self.strings(cls.to_numpy(values, dtype=object), dtype, cls, step)
        self.lose(step, Kind.ARRAY, cls, Action.CONVERTED)
        return cls.to_dense(values) if name == "SparseArray" else cls.to_numpy(values, dtype=object)

    # Indexes.

    def frequency(self, freq: Any) -> str | None:
        """The word of one of pandas' own offsets, if the word says all of it."""
        if not any(type(freq) is each for each in self.pandas.offsets):
            return None
        try:
            word: Any = freq.freqstr
            back = sys.modules["pandas.tseries.frequencies"].to_offset(word)
        except (ValueError, NotImplementedError, Warning):
            return None
        return word if type(word) is str and type(back) is type(freq) and back == freq else None

    def index(self, value: Any, step: Any) -> tuple[Any, ...]:
        """An index as a tuple that begins with a word."""
        module = self.pandas.module
        cls = type(value)
        if inherits(cls, module.MultiIndex):
            return self.multi(value, step)
        if not inherits(cls, module.Index):
            raise Unreadable
        name = self.name(own_value(value, "_name", None), step or "name")
        if inherits(cls, module.RangeIndex):
            steps = own_value(value, "_range", None)
            if type(steps) is not range:
                raise Unreadable
            return "range", name, steps.start, steps.stop, steps.step
        data = own_value(value, "_data", None)
        column = self.column(data, step)
        freq = own_value(value, "_freq", None)
        freq = own_value(data, "_freq", None) if freq is None else freq
        word = None if freq is None else self.frequency(freq)
        if freq is not None and word is None:
            self.lose(step or "freq", Kind.ATTRIBUTE, type(freq), Action.DROP)
        return "values", name, word, column

    def multi(self, value: Any, step: Any) -> tuple[Any, ...]:
        levels, codes, names = (own_value(value, each, None) for each in ("_levels", "_codes", "_names"))
        if not all(inherits(type(each), list) for each in (levels, codes, names)):
            raise Unreadable
        exact = self.pandas.numpy.ndarray
        parts = [self.index(each, step) for each in list.__iter__(levels)]
        return (
            "multi",
            tuple(self.name(each, step or "name") for each in list.__iter__(names)),
            tuple((word, None, *rest) for word, _, *rest in parts),
            tuple(exact.view(each, exact) for each in list.__iter__(codes)),
        )


def _missing(element: Any, na: Any) -> bool:
    return element is None or element is na or (type(element) is float and element != element)


def _taken(value: Any, take: Any) -> Parts | None:
    pandas = _pandas()
    if pandas is None:
        return None
    taken = _Taken(pandas)
    try:
        parts, names = take(taken, value)
    except (Unreadable, *_TROUBLE):
        return None
    return Parts(parts, names, tuple(taken.losses)) if fits(parts[0], tuple(parts[1:])) else None


def lower_series(value: Any) -> Parts | None:
    """Name, index and values."""
    return _taken(value, _series)


def _series(taken: _Taken, value: Any) -> tuple[list[Any], tuple[Any, ...]]:
    manager = own_value(value, "_mgr", None)
    if type(manager) is not taken.pandas.single:
        raise Unreadable
    (axis,), (block,) = own_value(manager, "axes", ()), own_value(manager, "blocks", ())
    taken.reduced(value, "Series")
    taken.beside(value)
    index = taken.index(axis, "index")
    name = taken.name(own_value(value, "_name", None), "name")
    column = taken.column(taken.pandas.values(block), None, index_length(index))
    return ["series", name, index, column], (None, "name", "index", None)


def lower_frame(value: Any) -> Parts | None:
    """Columns, index and one part for each column."""
    return _taken(value, _frame)


def _frame(taken: _Taken, value: Any) -> tuple[list[Any], tuple[Any, ...]]:
    manager, pandas = own_value(value, "_mgr", None), taken.pandas
    if type(manager) is not pandas.table:
        raise Unreadable
    taken.reduced(value, "DataFrame")
    taken.beside(value)
    axes = pandas.axes(manager)
    columns, index = taken.index(axes[0], "columns"), taken.index(axes[1], "index")
    found: dict[int, tuple[Any, int]] = {}
    for block in pandas.blocks(manager):
        values = pandas.values(block)
        for row, place in enumerate(pandas.placed(pandas.places(block)).tolist()):
            found[place] = values, row
    steps, count = steps_of(columns, len(found)), index_length(index)
    parts = [taken.column(found[at][0], steps[at], count, found[at][1]) for at in range(len(found))]
    return ["frame", columns, index, *parts], (None, "columns", "index", *steps)


def lower_index(value: Any) -> Parts | None:
    """The parts of an index."""
    return _taken(value, _index)


def _index(taken: _Taken, value: Any) -> tuple[list[Any], tuple[Any, ...]]:
    known = ("Index", "RangeIndex", "MultiIndex", "DatetimeIndex", "TimedeltaIndex", "CategoricalIndex")
    own = (*known, "PeriodIndex", "IntervalIndex")
    if not any(type(value) is getattr(taken.pandas.module, name) for name in own):
        taken.lose(None, Kind.SUBCLASS, type(value), Action.CONVERTED)
    parts = taken.index(value, None)
    return ["index", *parts], (None, None, "name", *("freq", None, None)[: len(parts) - 2])


def lower_array(value: Any) -> Parts | None:
    """An extension array of pandas' own."""
    return _taken(value, lambda taken, value: (["array", taken.column(value, None)], (None, None)))
