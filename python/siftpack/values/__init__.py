"""Values of the standard library, one pair of functions each: to payload bytes, and back.

``lower(obj)`` reads the storage of an instance (of the type or a subclass, whose overrides are ignored) and gives
``(ext code, payload, foreign)``; ``foreign`` is the type of a tzinfo that had to be left out, else None. It gives
None when the storage is not what the type promises. ``build(payload)`` is the inverse and raises ``ValueError`` for
anything ``lower`` would not write.

A module is consulted only once the program itself has imported it, so asking costs no import.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

from siftpack import wire

Lowered = tuple[int, bytes, type | None]
Lower = Callable[[Any], Any]
"""Gives ``Lowered``, or for ``arrays`` a ``Leaf`` or ``Parts``; None when the storage is not what it should be."""


class Loss(NamedTuple):
    """What an array does not keep beside its items: a finding below it."""

    step: Any
    """What the path adds, as in ``report.Segment``; None for the array itself."""
    kind: int
    """Position in ``Kind``."""
    cls: type
    action: int
    """Position in ``Action``."""


class Leaf(NamedTuple):
    """An array that is one ``NDARRAY``: what stands before the items, and the buffer they lie in, in any order."""

    head: bytes
    items: Any
    losses: tuple[Loss, ...] = ()


class Parts(NamedTuple):
    """An array or table of objects, which are walked: the elements of a tagged array under the mark ``PARTS``."""

    parts: list[Any]
    names: tuple[Any, ...]
    """What the path adds for each part, as in ``report.Segment``; None for nothing."""
    losses: tuple[Loss, ...] = ()


class Value(NamedTuple):
    """How a type is written: its exact types, whether an exact instance may be shared by a copy."""

    module: str
    names: tuple[str, ...]
    lower: Lower
    shared: bool
    kept: tuple[str, ...] = ()
    """Names in an instance's dict that are its storage."""
    array: bool = False
    """Of the kind ``Kind.ARRAY``."""
    parts: bool = False
    """``lower`` gives a ``Leaf`` or ``Parts``."""


def _late(room: str, name: str) -> Callable[..., Any]:
    """A function of a room that is imported when first called."""
    found: list[Callable[..., Any]] = []

    def load() -> Callable[..., Any]:
        if not found:
            found.append(getattr(import_module(f"siftpack.values.{room}"), name))
        return found[0]

    def call(*args: Any) -> Any:
        return load()(*args)

    call.__name__ = name
    _LOADERS[call] = load
    return call


_LOADERS: dict[Callable[..., Any], Callable[[], Callable[..., Any]]] = {}


def loaded(late: Callable[..., Any] | None) -> Callable[..., Any] | None:
    """The function itself behind one that is imported when first called: for whoever will call it often."""
    load = None if late is None else _LOADERS.get(late)
    return late if load is None else load()


_SUBCLASSES = ("_getitem", "_sharedmask", "_isfield", "_baseclass", "_basedict", "_hardmask")
"""What numpy's own subclasses remember of how they were made."""
_TABLE = (
    *("_mgr", "_name", "_attrs", "_flags", "_item_cache", "_is_copy", "_cacher", "_references"),
    *("str", "dt", "cat", "plot", "hist", "sparse", "list", "struct"),
)
"""The storage of pandas' tables, and the accessors that they keep once made."""
VALUES = (
    Value("datetime", ("datetime",), _late("times", "lower_datetime"), True),
    Value("datetime", ("date",), _late("times", "lower_date"), True),
    Value("datetime", ("time",), _late("times", "lower_time"), True),
    Value("datetime", ("timedelta",), _late("times", "lower_timedelta"), True),
    Value("datetime", ("timezone",), _late("times", "lower_timezone"), True),
    Value("zoneinfo", ("ZoneInfo",), _late("times", "lower_zoneinfo"), True),
    Value("decimal", ("Decimal",), _late("numbers", "lower_decimal"), True),
    Value("fractions", ("Fraction",), _late("numbers", "lower_fraction"), True),
    Value("builtins", ("complex",), _late("numbers", "lower_complex"), True),
    Value("builtins", ("range",), _late("numbers", "lower_range"), True),
    Value("builtins", ("ellipsis",), _late("names", "lower_ellipsis"), True),
    Value("uuid", ("UUID",), _late("numbers", "lower_uuid"), True),
    Value(
        "pathlib",
        ("PurePosixPath", "PureWindowsPath", "PosixPath", "WindowsPath"),
        _late("names", "lower_path"),
        True,
    ),
    Value(
        "ipaddress",
        ("IPv4Interface", "IPv6Interface", "IPv4Address", "IPv6Address", "IPv4Network", "IPv6Network"),
        _late("names", "lower_ip"),
        True,
        ("network_address", "broadcast_address", "netmask", "hostmask", "hosts", "network", "_prefixlen"),
    ),
    Value("re", ("Pattern",), _late("names", "lower_pattern"), True),
    Value("builtins", ("memoryview",), _late("binary", "lower_memoryview"), False),
    Value("builtins", ("bytearray",), _late("binary", "lower_bytearray"), False),
    Value("array", ("array",), _late("binary", "lower_array"), False),
    Value("siftpack.report", ("Tombstone",), _late("names", "lower_tombstone"), True),
    Value("siftpack.report", ("Ext",), _late("names", "lower_ext"), True),
    Value("siftpack.ndarray", ("NDArray",), _late("arrays", "lower_standin"), False, array=True, parts=True),
    Value("numpy", ("ndarray",), _late("arrays", "lower_ndarray"), False, _SUBCLASSES, array=True, parts=True),
    Value("numpy", ("void", "record"), _late("arrays", "lower_void"), False, array=True, parts=True),
    Value(
        "numpy",
        (
            *("bool_", "byte", "short", "intc", "int_", "longlong", "ubyte", "ushort", "uintc", "uint", "ulonglong"),
            *("half", "single", "double", "longdouble", "csingle", "cdouble", "clongdouble"),
            *("str_", "bytes_", "datetime64", "timedelta64"),
        ),
        _late("arrays", "lower_scalar"),
        True,
        array=True,
    ),
    Value("numpy", ("long", "ulong"), _late("arrays", "lower_scalar"), True, array=True),
    Value("torch", ("Tensor",), _late("tensors", "lower_tensor"), False, array=True, parts=True),
    Value("pandas", ("Timestamp",), _late("moments", "lower_timestamp"), True, array=True),
    Value("pandas", ("Timedelta",), _late("moments", "lower_timedelta"), True, array=True),
    Value("pandas._libs.tslibs.nattype", ("NaTType",), _late("moments", "lower_nat"), True, array=True),
    Value("pandas._libs.missing", ("NAType",), _late("moments", "lower_na"), True, array=True),
    Value("pandas", ("Series",), _late("frames", "lower_series"), False, _TABLE, array=True, parts=True),
    Value("pandas", ("DataFrame",), _late("frames", "lower_frame"), False, _TABLE, array=True, parts=True),
    Value(
        "pandas",
        (
            *("Index", "RangeIndex", "MultiIndex", "DatetimeIndex", "TimedeltaIndex", "CategoricalIndex"),
            *("PeriodIndex", "IntervalIndex"),
        ),
        _late("frames", "lower_index"),
        False,
        (
            *("_data", "_name", "_names", "_cache", "_id", "_references", "_freq", "_range", "_levels", "_codes"),
            *("sortorder", "_no_setting_name", "_reset_identity", "str"),
        ),
        array=True,
        parts=True,
    ),
    Value(
        "pandas.arrays",
        (
            *("Categorical", "StringArray", "IntegerArray", "FloatingArray", "BooleanArray", "DatetimeArray"),
            *("TimedeltaArray", "NumpyExtensionArray", "PeriodArray", "IntervalArray", "SparseArray"),
            *("ArrowExtensionArray", "ArrowStringArray"),
        ),
        _late("frames", "lower_array"),
        False,
        (
            *("_data", "_mask", "_cache", "_freq", "_readonly", "_dtype", "_left", "_right"),
            *("_sparse_index", "_sparse_values", "_pa_array"),
        ),
        array=True,
        parts=True,
    ),
)

UNHASHABLE = (wire.BYTEARRAY, wire.ARRAY, wire.MEMORYVIEW)
"""Ext codes of values that are no keys."""

BUILD: dict[int, Callable[[bytes], Any]] = {
    wire.TIMESTAMP: _late("times", "build_timestamp"),
    wire.BIGINT: _late("numbers", "build_bigint"),
    wire.STR: _late("names", "build_str"),
    wire.BYTEARRAY: bytearray,
    wire.ARRAY: _late("binary", "build_array"),
    wire.MEMORYVIEW: _late("binary", "build_memoryview"),
    wire.DATETIME: _late("times", "build_datetime"),
    wire.DATE: _late("times", "build_date"),
    wire.TIME: _late("times", "build_time"),
    wire.TIMEDELTA: _late("times", "build_timedelta"),
    wire.TIMEZONE: _late("times", "build_timezone"),
    wire.ZONEINFO: _late("times", "build_zoneinfo"),
    wire.DECIMAL: _late("numbers", "build_decimal"),
    wire.FRACTION: _late("numbers", "build_fraction"),
    wire.COMPLEX: _late("numbers", "build_complex"),
    wire.UUID: _late("numbers", "build_uuid"),
    wire.PATH: _late("names", "build_path"),
    wire.IP: _late("names", "build_ip"),
    wire.PATTERN: _late("names", "build_pattern"),
    wire.RANGE: _late("numbers", "build_range"),
    wire.ELLIPSIS: _late("names", "build_ellipsis"),
    wire.TOMBSTONE: _late("names", "build_tombstone"),
    wire.EXT: _late("names", "build_escaped"),
    wire.NDARRAY: _late("arrays", "build_ndarray"),
}


def build(code: int, payload: bytes) -> Any:
    """The value of one ext; ``Ext`` for a code nobody here knows. Raises ``ValueError`` for a bad payload."""
    builder = BUILD.get(code)
    if builder is None:
        from siftpack.report import Ext

        return Ext(code, payload)
    return _built(code, builder, payload)


def restore(head: bytes, items: bytearray) -> Any:
    """The array of what stands before its items and the items, which become its own. Raises ``ValueError``."""
    return _built(wire.NDARRAY, _RESTORE, head, items)


_RESTORE = _late("arrays", "restore")


def _built(code: int, builder: Callable[..., Any], *parts: Any) -> Any:
    try:
        return builder(*parts)
    except ValueError:
        raise
    except (ArithmeticError, LookupError, TypeError, RecursionError) as refused:
        raise ValueError(f"bad payload of ext {code}: {type(refused).__name__}") from None


def cost(code: int, size: int) -> int:
    """Nodes that one value of this ext code and payload size (bytes) costs, for writer and reader alike."""
    if code == wire.PATTERN:
        return wire.COSTS[code] + wire.PATTERN_BYTE * size
    return wire.COSTS.get(code, 0)


def resolve(value: Value) -> tuple[type, ...]:
    """The exact types of a row, or () while its module is not imported."""
    module = sys.modules.get(value.module)
    if module is None:
        return ()
    if value.names == ("ellipsis",):
        return (type(...),)
    found = (vars(module).get(name) for name in value.names)
    return tuple(cls for cls in found if type(cls) is type or isinstance(cls, type))
