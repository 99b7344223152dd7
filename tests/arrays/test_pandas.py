"""pandas' tables, indexes, arrays and moments: exact where their storage is known, reported where it is not."""

import datetime as dt
import threading
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from pandas.api.extensions import ExtensionArray, ExtensionDtype

from siftpack import NDArray
from siftpack.policy import Action, Kind, Policy
from siftpack.testing import arrays, same

MADE = [make() for make in arrays.makers() if type(make()).__module__.startswith("pandas")]
ASSERT = {pd.DataFrame: pd.testing.assert_frame_equal, pd.Series: pd.testing.assert_series_equal}


def equal(left: Any, right: Any) -> None:
    """Equal in pandas' own eyes, types, frequencies and categories included."""
    if isinstance(right, pd.Index):
        pd.testing.assert_index_equal(left, right, exact=True)
        assert getattr(left, "freq", None) == getattr(right, "freq", None)
    else:
        ASSERT.get(type(right), pd.testing.assert_extension_array_equal)(left, right)


@pytest.mark.parametrize("value", MADE, ids=lambda value: type(value).__name__)
def test_everything_comes_back_as_pandas_has_it(subject: Any, value: Any) -> None:
    """A clean table, index or array comes back equal in pandas' own eyes and in bytes, and so does its copy."""
    payload, report = subject.packb_with_report(value)
    assert report.clean, str(report)
    for copy in (subject.unpackb(payload), subject.sanitize(value)):
        equal(copy, value)
        assert same(copy, value)
        assert subject.packb(copy) == payload


@pytest.mark.parametrize("dtype", ["?", "i1", ">i4", "u8", "f4", "g", "c8", "M8[s]", "m8[ms]", "O"])
def test_columns_keep_numpys_dtypes(subject: Any, dtype: str) -> None:
    """A column of any dtype of numpy's that pandas keeps is of that dtype again."""
    value = pd.DataFrame({"a": pd.Series(np.zeros(2, dtype), dtype=dtype if dtype == "O" else None)})
    copy = subject.unpackb(subject.packb(value))
    assert copy["a"].dtype == np.zeros(2, dtype).dtype
    assert same(copy, value)


def test_blocks_are_no_content(subject: Any) -> None:
    """A table is written the same however its columns lie in memory."""
    value = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
    loose = pd.DataFrame({"a": [1, 2]})
    loose["b"] = [3, 4]
    assert subject.packb(value) == subject.packb(loose) == subject.packb(value.T.T)
    assert subject.packb(value.iloc[::-1]) == subject.packb(
        pd.DataFrame({"a": [2, 1], "b": [4, 3]}, index=range(1, -1, -1))
    )


def test_what_is_missing_is_missing_whatever_lies_there(subject: Any) -> None:
    """The value under a mask, and the sign for nothing in a string, do not show in the bytes."""
    one, other = (pd.arrays.IntegerArray(np.array([1, lies]), np.array([False, True])) for lies in (7, 8))
    assert subject.packb(one) == subject.packb(other)
    strings = pd.array(["a", None], dtype="str")
    strings._ndarray[1] = None
    assert subject.packb(strings) == subject.packb(pd.array(["a", np.nan], dtype="str"))


class Equal:
    """Not to be compared."""

    def __eq__(self, other: object) -> bool:
        raise AssertionError("asked")

    __hash__ = object.__hash__


def test_strings_that_hold_something_else_are_objects(subject: Any) -> None:
    """An array of strings into whose storage something else was put is written as objects, converted, unasked."""
    strings = pd.array(["a", "b"], dtype="str")
    strings._ndarray[1] = Equal()
    assert [each.action for each in subject.inspect(strings)] == [Action.CONVERTED, Action.DROP]
    assert np.asarray(subject.sanitize(strings)).tolist() == ["a", None]


def test_losses_in_a_table_have_the_column_and_the_row(subject: Any) -> None:
    """Machinery in an object column leaves None, at a path of label and row; duplicate labels and numbers too."""
    table = pd.DataFrame({"agent": np.array([threading.Lock(), {"k": len}], object), 7: [1, 2]})
    clean = subject.sanitize([table])[0]
    assert clean["agent"].tolist() == [None, {}]
    found = [(each.path, each.kind) for each in subject.inspect([table])]
    assert found == [("$[0].agent[0]", Kind.SYNC), ("$[0].agent[1].k", Kind.FUNCTION)]
    table.columns = [7, 7]
    assert [each.path for each in subject.inspect(table)] == ["${7}[0]", "${7}[1].k"]
    series = pd.Series(arrays.objects(1, len), dtype=object)
    assert [each.path for each in subject.inspect({"s": series})] == ["$.s[1]"]


def test_a_table_that_holds_itself_is_a_cycle(subject: Any) -> None:
    """The back edge from a cell, or from an index, is a finding, and the table is built without it."""
    table = pd.DataFrame({"a": pd.Series(arrays.objects(None, 1), dtype=object)}, copy=False)
    table._mgr.blocks[0].values[0, 0] = table
    assert [each.kind for each in subject.inspect(table)] == [Kind.CYCLE]
    assert subject.sanitize(table)["a"].tolist() == [None, 1]
    index = pd.Index(arrays.objects(1, None), dtype=object)
    index._data[1] = index
    assert [each.kind for each in subject.inspect(index)] == [Kind.CYCLE]


def test_attrs_flags_and_attributes_are_reported(subject: Any) -> None:
    """What a table keeps beside its data is lost with a finding each; accessors that it remembers are not."""
    table = pd.DataFrame({"a": ["x"]})
    table.attrs["source"] = "file"
    table.flags.allows_duplicate_labels = False
    object.__setattr__(table, "note", 1)
    series = table["a"]
    assert series.str.len().tolist() == [1]
    found = [(each.path, each.kind, each.action) for each in subject.inspect([table])]
    assert sorted(found) == [(f"$[0].{name}", Kind.ATTRIBUTE, Action.DROP) for name in ("attrs", "flags", "note")]
    assert subject.inspect(pd.DataFrame({"a": ["x"]})["a"]).clean


class Table(pd.DataFrame):
    """A subclass with metadata, as geopandas has one."""

    _metadata = ["_where"]  # noqa: RUF012 - pandas' own way to say it

    @property
    def _constructor(self) -> Any:
        raise AssertionError("asked")

    def __getitem__(self, key: Any) -> Any:
        raise AssertionError("asked")


def test_a_subclass_is_its_base_table_and_says_so(subject: Any) -> None:
    """A subclass of DataFrame, Series or Index is read by its storage, reported as converted, its metadata as lost."""
    table = Table({"a": [1, 2]})
    object.__setattr__(table, "_where", 5)
    found = [(each.path, each.kind, each.action) for each in subject.inspect(table)]
    assert found == [("$._where", Kind.PRIVATE, Action.DROP), ("$", Kind.SUBCLASS, Action.CONVERTED)]
    assert same(subject.sanitize(table), pd.DataFrame({"a": [1, 2]}))
    series = type("Numbers", (pd.Series,), {})([1, 2])
    assert same(subject.sanitize(series), pd.Series([1, 2]))
    assert [each.action for each in subject.inspect(series)] == [Action.CONVERTED]


class ForeignDtype(ExtensionDtype):
    """An extension dtype of somebody's own."""

    name = "foreign"
    type = object


class Foreign(ExtensionArray):
    """An extension array of somebody's own, which may not be asked."""

    def __init__(self) -> None:
        self._kept = "s"

    dtype = ForeignDtype()

    def __len__(self) -> int:
        return 2

    def __getitem__(self, _: Any) -> Any:
        raise AssertionError("asked")

    def copy(self) -> Any:
        return self

    def view(self, dtype: Any = None) -> Any:
        return self


def test_a_foreign_column_is_left_out_and_never_asked(subject: Any) -> None:
    """A column of an extension array that is not pandas' own becomes None in every row, reported with its type."""
    table = pd.DataFrame({"a": [1, 2], "g": pd.Series(Foreign())})
    clean = subject.sanitize(table)
    assert clean["a"].tolist() == [1, 2]
    assert clean["g"].tolist() == [None, None]
    found = [(each.path, each.kind, each.type_name, each.action) for each in subject.inspect(table)]
    assert found == [("$.g", Kind.OPAQUE, f"{__name__}.Foreign", Action.DROP)]
    assert subject.sanitize([table["g"].array]) == []


def test_arrays_without_a_form_become_elements(subject: Any) -> None:
    """A sparse column is dense afterwards, and categories that are objects become the values, each converted."""
    table = pd.DataFrame({"s": pd.arrays.SparseArray([0, 1]), "c": pd.Categorical([(1, 2), (1, 2)])})
    found = [(each.path, each.kind, each.action) for each in subject.inspect(table)]
    assert found == [("$.s", Kind.ARRAY, Action.CONVERTED), ("$.c", Kind.ARRAY, Action.CONVERTED)]
    clean = subject.sanitize(table)
    assert clean["s"].tolist() == [0, 1]
    assert clean["c"].tolist() == [(1, 2), (1, 2)]
    assert same(subject.unpackb(subject.packb(table)), clean)


def test_categories_that_could_be_made_to_collide_are_no_categories(subject: Any) -> None:
    """More than 64 labels of one hash are written as values, since a reader refuses them as categories."""
    labels = [7 + at * (2**61 - 1) for at in range(65)]
    value = pd.Categorical(labels[:2], categories=pd.Index(arrays.objects(*labels), dtype=object))
    assert [each.action for each in subject.inspect(value)] == [Action.CONVERTED]
    assert subject.sanitize(value).tolist() == labels[:2]


@pytest.mark.parametrize("name", [{"a": 1}, [1], threading.Lock(), ((1, 2), 3)], ids=["map", "list", "lock", "nested"])
def test_a_name_that_no_axis_can_have_is_lost(subject: Any, name: Any) -> None:
    """A name that is no scalar, value or tuple of them leaves None, reported."""
    series, index = pd.Series([1]), pd.Index([1])
    object.__setattr__(series, "_name", name)
    object.__setattr__(index, "_name", name)
    assert [each.path for each in subject.inspect([series, index])] == ["$[0].name", "$[1].name"]
    assert subject.sanitize(series).name is None


MOMENT = pd.Timestamp(1730000000123456789)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize(
    "zone", [None, dt.UTC, ZoneInfo("Europe/Berlin"), ZoneInfo("UTC"), dt.timezone(dt.timedelta(hours=-3), "Here")]
)
def test_a_timestamp_keeps_its_unit_its_zone_and_every_digit(subject: Any, unit: str, zone: Any) -> None:
    """A Timestamp comes back of its unit, to the nanosecond, in its own kind of zone."""
    value = MOMENT.as_unit(unit) if zone is None else MOMENT.as_unit(unit).tz_localize("UTC").tz_convert(zone)
    copy = subject.unpackb(subject.packb(value))
    assert (copy, copy.unit, type(copy.tzinfo), str(copy.tzinfo)) == (value, unit, type(zone), str(zone))
    assert same(copy, value)


class Zone(dt.tzinfo):
    """A zone of somebody's own, which may be asked by pandas and not by us."""

    asked = False

    def utcoffset(self, _: Any) -> dt.timedelta:
        Zone.asked = True
        return dt.timedelta(hours=3)

    dst = utcoffset  # type: ignore[assignment]


def test_a_foreign_zone_leaves_its_moment(subject: Any) -> None:
    """Of a Timestamp or column in a foreign zone the moment stays, with the offset it had or in UTC, reported."""
    value = pd.Timestamp("2024-01-01 12:00", tz=Zone())
    series = pd.Series(pd.to_datetime([0]).tz_localize("UTC").tz_convert(Zone()))
    Zone.asked = False
    found = [(each.path, each.kind, each.action) for each in subject.inspect([value, series])]
    copy, column = subject.sanitize([value, series])
    assert not Zone.asked
    assert found == [("$[0].tzinfo", Kind.VALUE, Action.CONVERTED), ("$[1]", Kind.VALUE, Action.CONVERTED)]
    assert copy == value
    assert copy.utcoffset() == dt.timedelta(hours=3)
    assert column[0] == pd.Timestamp(0, tz="UTC")


@pytest.mark.parametrize("action", [Action.DROP, Action.TOMBSTONE, Action.NAME])
def test_a_part_left_out_by_a_policy_keeps_the_rest(subject: Any, action: Action) -> None:
    """Where a policy takes a zone out of a column, the whole stays readable as an ``NDArray`` that holds the parts."""
    table = pd.DataFrame({"z": pd.to_datetime([0]).tz_localize("UTC"), "n": [1]})
    policy = Policy({Kind.VALUE: action})
    clean = subject.sanitize(table, policy=policy)
    assert type(clean) is NDArray
    assert (clean.kind, clean.dtype) == ("pandas.DataFrame", "frame")
    assert same(subject.unpackb(subject.packb(table, policy=policy)), clean)
    assert same(subject.sanitize(clean), clean)


def test_an_index_keeps_a_frequency_that_its_word_says_whole(subject: Any) -> None:
    """A frequency of pandas' own comes back; one with a calendar of its own is reported."""
    weekly = pd.date_range("2024", periods=3, freq="W-TUE")
    assert subject.unpackb(subject.packb(weekly)).freq == weekly.freq
    days = pd.offsets.CustomBusinessDay(holidays=["2024-01-02"])
    custom = pd.date_range("2024", periods=3, freq=days)
    assert [(each.path, each.kind) for each in subject.inspect(custom)] == [("$.freq", Kind.ATTRIBUTE)]
    assert subject.sanitize(custom).freq is None


def test_what_pandas_would_refuse_to_make_stays_parts(subject: Any) -> None:
    """Codes that point nowhere are written as they are and read as an ``NDArray``, never as a table that is broken."""
    dtype = pd.CategoricalDtype(["a"])
    for value in (
        pd.MultiIndex(levels=[[1]], codes=[[5]], verify_integrity=False),
        pd.Categorical.from_codes(np.array([3], "i1"), dtype=dtype, validate=False),
    ):
        payload, report = subject.packb_with_report([value])
        assert report.clean
        copy = subject.unpackb(payload)
        assert type(copy[0]) is NDArray
        assert subject.packb(copy) == payload
        assert same(subject.sanitize([value]), copy)


def test_moments_and_columns_that_pandas_did_not_make(subject: Any) -> None:
    """A Timestamp without a unit of its own is dropped; a column of a dtype that tables lack becomes its elements."""
    from pandas._libs.tslibs.timestamps import _Timestamp

    strange = _Timestamp.__new__(pd.Timestamp, 2020, 1, 1)
    raw = pd.Series(np.array([b"abc"], "V3"))
    found = [(each.path, each.kind, each.action) for each in subject.inspect([strange, raw])]
    assert found == [("$[0]", Kind.ARRAY, Action.DROP), ("$[1]", Kind.ARRAY, Action.CONVERTED)]
    assert subject.sanitize(raw).dtype == object
