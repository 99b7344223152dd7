"""Arrays, scalars and tables of numpy and pandas for tests; nothing where they are not installed."""

import datetime as dt
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from zoneinfo import ZoneInfo

Make = Callable[[], Any]
Tie = Callable[[Any], Any]
NUMPY = find_spec("numpy") is not None
PANDAS = NUMPY and find_spec("pandas") is not None
DTYPES = (
    *("?", "b", "h", "i", "l", "q", "B", "H", "I", "L", "Q", "e", "f", "d", "g", "F", "D", "G", ">i4", ">f8", ">c16"),
    *("S3", "U2", ">U2", "V5", "M8[ns]", "m8[25s]", "M8[D]", ">M8[ms]", "m8", "S0", "U0", "V0"),
)
"""One dtype for each letter of the notation, and some in the other byte order."""
RECORDS = (
    *("u1,<i4", "i4,(2,3)f8,U3"),
    [("a", "<i2"), ("b", [("x", ">f8"), ("y", "S2", (2,))])],
    {"names": ["q", "p"], "formats": ["<i4", "u1"], "offsets": [4, 0], "itemsize": 12, "titles": ["Q!", None]},
    [("g", "g"), ("m", "M8[us]")],
)
"""Records: packed, nested, with titles and padding."""


def _numpy() -> Any:
    return import_module("numpy")


def _pandas() -> Any:
    return import_module("pandas")


def dtypes() -> list[Any]:
    """Every dtype above, aligned records among them."""
    np = _numpy()

    aligned = np.dtype("u1,i4,u1", align=True)
    return [*map(np.dtype, (*DTYPES, *RECORDS)), aligned, np.dtype((np.record, [("a", "i4")]))]


def filled(dtype: Any, shape: tuple[int, ...] = (2, 3)) -> Any:
    """An array whose bytes differ, of characters and bools that there are."""
    np = _numpy()

    made = np.zeros(shape, dtype)
    if made.dtype.names is not None:
        for name in made.dtype.names:
            made[name][...] = filled(made.dtype[name].base, made[name].shape)
    elif made.dtype.kind in "Ub":
        made[...] = "é" if made.dtype.kind == "U" else True
    elif made.nbytes:
        made[...] = np.ndarray(shape, made.dtype, bytearray((7 * at + 1) % 251 for at in range(made.nbytes)))
    return made


def _maker(made: Any) -> Make:
    def make() -> Any:
        return made

    return make


def _numpy_makers() -> list[Make]:
    np = _numpy()

    strided = np.arange(24, dtype="<i4").reshape(2, 3, 4)
    frozen = np.arange(3.0)
    frozen.flags.writeable = False
    made = [
        *(filled(dtype) for dtype in ("<f8", "?", "<U2", "M8[ns]", "u1,<i4", "g")),
        *(np.zeros((0, 3)), np.array(5), np.array(["a", "\ud800"]), np.array([], "S"), np.zeros((), "u1,U1")),
        *(strided[:, ::-1, ::2], np.asfortranarray(strided), strided.T, np.broadcast_to(np.float32(1), (3, 2)), frozen),
        *(np.array([1, "z", None], object), np.zeros((2, 0), object), np.array({"k": [1]}, object)),
        *(np.zeros(2, "O,i4"), np.zeros((), "u1,i4")[()], np.zeros((), "O,i4")[()], np.void(b"abc")),
    ]
    return [_maker(each) for each in made]


def scalars() -> list[Any]:
    """Scalars that can be keys, each unlike the others and unlike any number of Python's that tests have."""
    if not NUMPY:
        return []
    np = _numpy()

    found = [
        *(np.int8(-100), np.int64(12345), np.longlong(777), np.uint64(2**64 - 3), np.float16(3.5), np.float32(0.1)),
        *(np.float64(6.25), np.longdouble("1.1"), np.complex64(1 + 3j), np.str_("n\0"), np.bytes_(b"n\0"), np.str_("")),
        *(np.datetime64("2024-02-29"), np.datetime64(7, "25s"), np.timedelta64(-5, "ms"), np.bool_(True)),
    ]
    if PANDAS:
        pd = _pandas()

        zoned = pd.Timestamp(1730000000123456789, tz="UTC").tz_convert("Europe/Berlin")
        found += [zoned, pd.Timestamp(2021, 3, 4).replace(fold=1), pd.Timedelta(-5), pd.NaT, pd.NA]
    return found


def _pandas_makers() -> list[Make]:
    np, pd = _numpy(), _pandas()

    moments = pd.to_datetime(["2020-01-01", None, "2021-06-01"])
    table = pd.DataFrame(
        {
            "i": [1, 2, 3],
            "s": ["x", None, "\ud800"],
            "o": np.array([1, "z", None], object),
            "n": pd.array([1, None, 3], dtype="Int16"),
            "b": pd.array([True, None, False], dtype="boolean"),
            "f": pd.array([0.5, None, 1], dtype="Float32"),
            "t": pd.array(["q", pd.NA, "r"], dtype="string"),
            "c": pd.Categorical(["u", "v", None], categories=["v", "u"], ordered=True),
            "d": moments,
            "z": moments.tz_localize("Europe/Berlin"),
            "x": pd.cut([1, 2, 3], 2),
            "p": pd.period_range("2020", periods=3, freq="Q"),
        },
        index=pd.date_range("2020", periods=3, freq="D", name="day"),
    )
    pairs = pd.MultiIndex.from_product([[1, 2], ["a", "b"]], names=["x", None])
    frames = [
        *(pd.DataFrame(), pd.DataFrame(index=[3, 4]), pd.DataFrame(columns=["a"])),
        *(pd.DataFrame(np.eye(2), columns=[0, "a"]), pd.DataFrame([[1, 2]], columns=["a", "a"])),
        pd.DataFrame([[1, 2, 3, 4]], columns=pairs),
    ]
    series = [
        *(pd.Series([1.5], name=("k", 2)), pd.Series([1, 2], index=pairs[:2]), pd.Series([], dtype=object)),
        pd.Series(pd.to_datetime([1]).tz_localize(dt.timezone(dt.timedelta(hours=2), "Here"))),
    ]
    indexes = [
        *(table.index, table.columns, pairs, pd.RangeIndex(5, 0, -2), pd.Index([1, "a"]), pd.Index([True])),
        *(pd.timedelta_range("1s", periods=2), pd.CategoricalIndex(["a"]), pd.Index(table["x"]), pd.Index(table["p"])),
        pd.date_range("2020", periods=2, freq="ME", tz=ZoneInfo("UTC")),
    ]
    arrays = [
        *(table["c"].array, table["n"].array, pd.Series([1]).array, moments.array),
        pd.Series(pd.to_timedelta([1, None], unit="s")).array,
    ]
    made = [table, table["s"], table["z"], *frames, *series, *indexes, *arrays]
    return [_maker(each) for each in made]


def makers() -> list[Make]:
    """Makers of clean arrays and tables, each of a form of its own."""
    return [*(_numpy_makers() if NUMPY else ()), *(_pandas_makers() if PANDAS else ())]


def ties() -> list[Tie]:
    """Makers of arrays and tables around a value, some of which hold themselves."""
    found: list[Tie] = []
    if NUMPY:
        found += [objects, _record, _itself]
    if PANDAS:
        found += [_series, _table]
    return found


def objects(*inner: Any) -> Any:
    """An object array of these values, whatever they are."""
    np = _numpy()

    return np.fromiter(inner, dtype=object, count=len(inner))


def _record(inner: Any) -> Any:
    np = _numpy()

    made = np.zeros(2, [("a", "O"), ("b", "i4")])
    made["a"][1] = inner
    return made


def _itself(inner: Any) -> Any:
    made = objects(inner, None, 1)
    made[1] = {"me": made}
    return made


def _series(inner: Any) -> Any:
    pd = _pandas()

    return pd.Series(objects(inner, 1), dtype=object, name="s")


def _table(inner: Any) -> Any:
    pd = _pandas()

    column = pd.Series(objects(inner, None, inner), dtype=object)
    made = pd.DataFrame({"a": column, 7: [1, 2, 3]})
    made.attrs["about"] = "lost"
    return made
