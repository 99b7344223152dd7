"""Hypothesis strategies: clean data, machinery, and graphs that mix both with records, shared references and cycles."""

import datetime as dt
import ipaddress
import math
import pathlib
import re
import uuid
from array import array
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from siftpack.policy import Kind
from siftpack.report import Ext, Tombstone
from siftpack.testing import arrays
from siftpack.testing.machinery import hashable_specimens, specimens
from siftpack.testing.zoo import ENUMS, HASHABLE, WRAPS

Strategy = st.SearchStrategy[Any]

_NUMBERS: tuple[Any, ...] = (
    *(0, 1, -1, 127, 128, -32, -33, 255, 256, -128, -129, 2**16, -(2**15) - 1, 2**32 - 1, 2**32, -(2**31) - 1),
    *(2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64 - 1, 2**64, 2**200, -(2**127), -(2**127) - 1),
    *(0.0, -0.0, 1.5, math.inf, -math.inf, math.nan, 5e-324, 1e308, 2.0, True, False, None),
)
_TEXTS: tuple[str, ...] = (
    "",
    "a",
    "b",
    "a b",
    "\ud800",
    "x\udfffy",
    "é",
    "日本",
    "\U0001f600",
    "\0",
    "s" * 31,
    "t" * 32,
    "u" * 256,
    "sk-proj-Fake1Fake2Fake3Fake4Fake5Fake6",
    "see https://user:hunter2@example.org/x",
    "password",
)
_BYTES: tuple[bytes, ...] = (b"", b"a", b"\xff\x00", b"\xc1", bytes(256))
_MOMENT = dt.datetime(2024, 10, 27, 2, 30, 15, 123456)
_BERLIN = ZoneInfo("Europe/Berlin")
_NAMED = dt.timezone(dt.timedelta(hours=-3, seconds=7, microseconds=9), "Here\udc80")
TIMES: tuple[Any, ...] = (
    *(_MOMENT, _MOMENT.replace(fold=1), _MOMENT.replace(tzinfo=dt.UTC), _MOMENT.replace(tzinfo=dt.UTC, fold=1)),
    *(_MOMENT.replace(tzinfo=_BERLIN), _MOMENT.replace(tzinfo=_BERLIN, fold=1), _MOMENT.replace(tzinfo=_NAMED)),
    *(dt.datetime.min, dt.datetime.max, dt.datetime.min.replace(tzinfo=dt.UTC), dt.datetime(1970, 1, 1, tzinfo=dt.UTC)),
    *(dt.datetime.max.replace(tzinfo=dt.UTC), dt.datetime(2600, 1, 1, 0, 0, 0, 1, tzinfo=dt.UTC)),
    *(dt.date.min, dt.date(2024, 2, 29), dt.time.min, dt.time(1, 2, 3, 4, fold=1), dt.time(1, tzinfo=_NAMED)),
    *(dt.time(1, tzinfo=_BERLIN), dt.timedelta.min, dt.timedelta.max, dt.timedelta(microseconds=-1), dt.UTC, _NAMED),
    *(dt.timezone(dt.timedelta(0), "Z"), _BERLIN, ZoneInfo("UTC")),
)
NAMES: tuple[Any, ...] = (
    *(Decimal("1.50"), Decimal("-0"), Decimal("1E+5"), Decimal("NaN"), Decimal("-NaN12"), Decimal("-Infinity")),
    *(
        Decimal("0E-20"),
        Fraction(-1, 3),
        Fraction(2**70, 3),
        1j,
        complex(-0.0, math.nan),
        range(5),
        range(2**70, 0, -3),
    ),
    *(
        uuid.UUID(int=5),
        uuid.UUID(int=2**127, is_safe=uuid.SafeUUID.safe),
        pathlib.PurePosixPath("/a/b"),
        pathlib.Path(),
    ),
    *(
        pathlib.PureWindowsPath("C:\\x\\y"),
        pathlib.PosixPath("a\ud800"),
        ipaddress.ip_address("1.2.3.4"),
        re.compile(b"x"),
    ),
    *(ipaddress.ip_address("fe80::1%eth0"), ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::/64")),
    *(ipaddress.ip_interface("10.1.2.3/8"), ipaddress.ip_interface("fe80::1%1/64"), re.compile("a+", re.I), ...),
    *(
        Tombstone(Kind.SYNC, "m.C"),
        Tombstone(Kind.SECRET, "é"),
        Ext(5, b"x"),
        Ext(97, b"x"),
        Ext(-1, b"1234"),
        Ext(-128, b""),
    ),
)
MUTABLE: tuple[Callable[[], Any], ...] = (
    *(lambda: bytearray(b"ab"), bytearray, lambda: memoryview(b"abcd"), lambda: memoryview(bytearray(b"xyz"))[::2]),
    *(
        lambda: memoryview(array("i", [1, 2, 3, 4])),
        lambda: memoryview(bytes(12)).cast("H", (2, 3)),
        lambda: memoryview(b""),
    ),
    *(lambda: array("d", [1.5, -0.0]), lambda: array("B"), lambda: array("u", "x\ud800"), lambda: array("q", [-1])),
    *(lambda: Decimal("sNaN"), lambda: Decimal("-sNaN7")),
)
FLAT = (*_NUMBERS, *_TEXTS, *_BYTES)
_ARRAYS = tuple(arrays.makers())
_SCALARS = tuple(arrays.scalars())


def scalars() -> Strategy:
    """None, bool, int, float, str, bytes, the borders among them."""
    return st.one_of(
        st.sampled_from(FLAT), st.integers(), st.floats(), st.text(st.characters(), max_size=5), st.binary(max_size=5)
    )


def values() -> Strategy:
    """Hashable values of the standard library."""
    moments = st.datetimes(timezones=st.sampled_from((None, dt.UTC, _BERLIN, _NAMED)))
    named = st.sampled_from((*TIMES, *NAMES, *_SCALARS))
    return st.one_of(named, moments, st.timedeltas(), st.fractions(), st.uuids())


def leaves() -> Strategy:
    """Anything clean that is no container of Python's."""
    made = st.sampled_from((*MUTABLE, *_ARRAYS)).map(lambda make: make())
    return st.one_of(scalars(), st.sampled_from(FLAT), values(), made)


def keys() -> Strategy:
    """Clean dict keys and set elements."""
    flat = st.one_of(st.sampled_from(FLAT), st.sampled_from(_TEXTS), values())
    return st.one_of(
        flat, flat, st.lists(flat, max_size=3).map(tuple), st.lists(flat, max_size=3).map(frozenset), _deep_keys(flat)
    )


def _deep_keys(flat: Strategy) -> Strategy:
    return st.builds(lambda a, b: (a, (b, frozenset([a, (b,)]))), flat, flat)


def _moved(rows: list[tuple[Any, Any]]) -> OrderedDict[Any, Any]:
    made = OrderedDict(rows)
    if made:
        made.move_to_end(next(iter(made)))
    return made


FROM_LIST: tuple[Callable[[list[Any]], Any], ...] = (
    *(list, list, tuple, tuple, deque, lambda found: deque(found, 2), lambda found: slice(*(found * 3 or [0])[:3])),
    lambda found: [tuple(found), found],
)
FROM_ROWS: tuple[Callable[[list[tuple[Any, Any]]], Any], ...] = (
    *(
        dict,
        dict,
        dict,
        OrderedDict,
        _moved,
        lambda rows: defaultdict(None, rows),
        lambda rows: ChainMap(dict(rows), {}),
    ),
    lambda rows: Counter(dict(rows)),
)
_FROM_KEYS = (set, frozenset)


def _containers(inner: Strategy, key: Strategy, tie: tuple[Callable[[Any], Any], ...] = ()) -> Strategy:
    rows = st.lists(st.tuples(key, inner), max_size=4)
    ways = [
        st.builds(lambda make, found: make(found), st.sampled_from(FROM_LIST), st.lists(inner, max_size=4)),
        st.builds(lambda make, found: make(found), st.sampled_from(FROM_ROWS), rows),
        st.builds(lambda make, found: make(found), st.sampled_from(_FROM_KEYS), st.lists(key, max_size=4)),
    ]
    if tie:
        ways.append(st.builds(lambda make, found: make(found), st.sampled_from(tie), inner))
    return st.one_of(ways)


def data() -> Strategy:
    """Clean graphs: every kind of data, nothing to lose."""
    return st.recursive(leaves(), lambda inner: _containers(inner, keys()), max_leaves=6)


def machinery() -> Strategy:
    """Machinery of every kind."""
    return st.sampled_from(specimens()).map(lambda found: found.obj)


def hash_positions() -> Strategy:
    """Dict keys and set elements of every kind, machinery among them, alone and inside tuples and frozensets."""
    strange = st.sampled_from((*ENUMS, *(found.obj for found in hashable_specimens())))
    wrapped = st.builds(lambda make, key: make(key), st.sampled_from(HASHABLE), st.one_of(keys(), strange))
    single = st.one_of(strange, wrapped)
    grouped = st.lists(st.one_of(single, keys()), max_size=2).map(tuple)
    return st.one_of(keys(), keys(), single, grouped, st.builds(lambda key: frozenset([key]), single))


def _self_list(inner: Any) -> Any:
    made = [inner]
    made.append(made)
    return made


def _self_dict(inner: Any) -> Any:
    made: dict[Any, Any] = {"a": inner}
    made["self"] = (made, inner)
    return made


def _self_object(inner: Any) -> Any:
    from siftpack.testing.zoo import Opaque

    made = Opaque(a=inner)
    vars(made)["me"] = [made]
    return made


def _no_maps(inner: Any) -> Any:
    made: ChainMap[Any, Any] = ChainMap(inner)
    made.maps = [] if type(inner) is int else [inner]
    return made


def _self_error(inner: Any) -> Any:
    first, second = ValueError("first", inner), KeyError(inner)
    first.__cause__, second.__cause__ = second, first
    return [first, second]


_TIES: tuple[Callable[[Any], Any], ...] = (
    *(lambda inner: [inner, inner], lambda inner: {"a": inner, "b": (inner,)}, MappingProxyType, *WRAPS, *WRAPS),
    *(lambda inner: {"a": inner, 1: 2}.values(), lambda inner: {"a": inner}.items(), lambda inner: {"a": inner}.keys()),
    *(
        _self_list,
        _self_dict,
        _self_object,
        _self_error,
        _no_maps,
        lambda inner: ChainMap(inner, {"a": 1}),
        lambda inner: deque([inner], 1),
    ),
    *(
        lambda inner: defaultdict(list, a=inner),
        lambda inner: OrderedDict(a=inner).values(),
        lambda inner: slice(inner),
    ),
    *arrays.ties(),
)


def _tie(make: Callable[[Any], Any], inner: Any) -> Any:
    try:
        return make(inner)
    except (TypeError, ValueError):
        return make({"a": inner})


SAFE_TIES: tuple[Callable[[Any], Any], ...] = tuple(lambda inner, make=make: _tie(make, inner) for make in _TIES)  # type: ignore[misc]


def graphs() -> Strategy:
    """Anything: data, machinery, records, enums, subclasses, exceptions, opaque objects, shared and cyclic."""
    leaf = st.one_of(leaves(), st.sampled_from(FLAT), machinery(), st.sampled_from(ENUMS), _tied_leaf())
    return st.recursive(leaf, lambda inner: _containers(inner, hash_positions(), SAFE_TIES), max_leaves=6)


def _tied_leaf() -> Strategy:
    leaf = st.one_of(st.sampled_from(FLAT), machinery())
    return st.builds(lambda make, inner: make(inner), st.sampled_from(SAFE_TIES), leaf)
