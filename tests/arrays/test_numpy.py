"""numpy's arrays and scalars: exact on the wire and back, whatever the dtype and however the items lie."""

from typing import Any

import numpy as np
import pytest

from siftpack.policy import Action, Kind, Limits, Policy
from siftpack.report import Tombstone
from siftpack.testing import arrays, same

DTYPES = arrays.dtypes()
SHAPES = ((), (0,), (3,), (2, 3), (1, 0, 2), (2, 1, 3))


def back(subject: Any, value: Any) -> Any:
    """The value through the bytes, with nothing lost on the way."""
    payload, report = subject.packb_with_report(value)
    assert report.clean, str(report)
    assert subject.packb(value) == payload
    return subject.unpackb(payload)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_dtype_comes_back_in_every_shape(subject: Any, dtype: Any) -> None:
    """An array of any dtype and shape comes back with dtype, scalar type, shape and bytes, and so does its copy."""
    for shape in SHAPES:
        value = arrays.filled(dtype, shape)
        for copy in (back(subject, value), subject.sanitize(value)):
            assert type(copy) is np.ndarray
            assert (copy.dtype, copy.dtype.type, copy.shape) == (value.dtype, value.dtype.type, shape)
            assert copy.dtype.isalignedstruct == value.dtype.isalignedstruct
            assert same(copy, value)


@pytest.mark.parametrize("dtype", ["u1", "<i2", "<f4", "<f8", "<c16", "V3", "U2", "M8[s]", "g", "u1,<i4"])
def test_items_are_written_in_c_order_however_they_lie(subject: Any, dtype: str) -> None:
    """Fortran order, transposes, steps, reversed and repeated items are written as their copy in C order is."""
    plain = arrays.filled(dtype, (4, 3, 2))
    views = (plain.T, plain[::2], plain[:, ::-1, 1:], plain[1:, 2:], np.asfortranarray(plain), plain[3, 2, 1:][0:0])
    for view in (*views, np.broadcast_to(plain[:1], (5, 3, 2)), plain.transpose(1, 2, 0)[::-1, :, ::-2]):
        assert subject.packb(view) == subject.packb(view.copy(order="C"))
        assert same(back(subject, view), view.copy(order="C"))


def test_what_comes_back_is_writable_whole_and_nobody_elses(subject: Any) -> None:
    """A read-only or strided array comes back in C order, aligned and writable, and shares nothing with the first."""
    value = np.arange(12.0).reshape(3, 4).T
    value.flags.writeable = False
    for copy in (back(subject, value), subject.sanitize(value)):
        assert copy.flags.c_contiguous
        assert copy.flags.aligned
        assert copy.flags.writeable
        assert not np.shares_memory(copy, value)
        copy[0, 0] = 7.0
    assert value[0, 0] == 0.0


@pytest.mark.parametrize("value", arrays.scalars(), ids=lambda value: type(value).__name__)
def test_every_scalar_comes_back_in_its_type_and_as_a_key(subject: Any, value: Any) -> None:
    """A scalar is itself again alone, nested, as a dict key and as a set element."""
    nested = [value, (value,), {value: 1}, {value}, {("k", value): [value]}]
    assert same(back(subject, nested), nested)
    assert same(subject.sanitize(nested), nested)
    assert type(back(subject, value)) is type(value)


def test_strings_keep_the_nuls_at_their_end(subject: Any) -> None:
    """``np.str_`` and ``np.bytes_`` keep their length, which an array of them would not."""
    assert back(subject, np.str_("a\0")) == "a\0"
    assert back(subject, np.bytes_(b"\0")) == b"\0"
    assert back(subject, np.str_("\ud800")) == "\ud800"


def test_a_scalar_key_meets_its_equal(subject: Any) -> None:
    """A numpy scalar that equals an earlier key of Python's after sifting is a collision, as Python itself has it."""
    key = type("Key", (int,), {"__eq__": object.__eq__, "__hash__": object.__hash__})(5)
    value = {np.int64(5): "first", key: "second"}
    assert same(subject.sanitize(value), {np.int64(5): "first"})
    assert [found.kind for found in subject.inspect(value)] == [Kind.SUBCLASS, Kind.KEY_COLLISION]


@pytest.mark.parametrize(
    "value", [np.zeros((), "u1,<f4")[()], np.void(b"abc"), np.rec.array([(1, 2)])[0], np.zeros((), "O,u1")[()]]
)
def test_records_and_raw_scalars_come_back(subject: Any, value: Any) -> None:
    """A record is a record again, of ``numpy.record`` if it was one, objects in its fields included."""
    copy = back(subject, [value])[0]
    assert type(copy) is type(value)
    assert copy.dtype == value.dtype
    assert same(copy, value)


def test_padding_is_no_data(subject: Any) -> None:
    """Bytes between the fields of a record, and behind an 80 bit float, are the same whatever lay there."""
    dtype = np.dtype("u1,<i4,g", align=True)
    zeros, noise = np.zeros(3, dtype), np.zeros(3, dtype)
    noise.view("u1")[:] = 255
    for name in dtype.names:
        noise[name] = 0
    assert noise.tobytes() != zeros.tobytes()
    assert subject.packb(noise) == subject.packb(zeros)
    assert subject.packb(noise[1]) == subject.packb(zeros[0])


def test_characters_beyond_unicode_are_left_out(subject: Any) -> None:
    """An array whose bytes are no characters is dropped with a finding, since nobody could read it."""
    bad = np.array([1, 0x110000], "<u4").view("<U1")
    record = np.zeros(2, [("a", "u1"), ("b", "<U1")])
    record["b"] = bad
    found = subject.inspect([bad, record, bad.byteswap().view(">U1"), bad[:1]])
    assert [(each.path, each.kind, each.action) for each in found] == [
        (f"$[{at}]", Kind.ARRAY, Action.DROP) for at in range(3)
    ]


def test_a_subclass_is_its_base_array(subject: Any) -> None:
    """A subclass of ndarray becomes the plain array in it."""
    plain = np.array([[1, 2]])
    for value in (plain.view(np.matrix), np.ma.masked_array(plain), plain.view(Sub)):
        assert same(subject.sanitize([value]), [plain])
        assert same(subject.unpackb(subject.packb([value])), [plain])


class Sub(np.ndarray):
    """A subclass with an attribute."""


def test_what_a_subclass_holds_beside_is_reported(subject: Any) -> None:
    """The mask of a masked array and the attributes of a subclass are findings."""
    masked = np.ma.array([1, 2], mask=[False, True])
    marked = np.arange(2).view(Sub)
    marked.unit = "m"
    found = {(each.path, each.kind) for each in subject.inspect([masked, marked])}
    assert found >= {("$[0]._mask", Kind.PRIVATE), ("$[1].unit", Kind.ATTRIBUTE)}
    refused = Policy({Kind.SUBCLASS: Action.TOMBSTONE})
    assert subject.sanitize([marked], policy=refused)[0] == Tombstone(Kind.SUBCLASS, f"{__name__}.Sub")


def test_a_recarray_and_a_memmap_are_arrays(subject: Any, tmp_path: Any) -> None:
    """A recarray keeps the record type of its dtype; a memmap is read into memory, its file reported."""
    rows = np.rec.array([(1, "a")])
    assert same(subject.sanitize(rows), np.asarray(rows))
    mapped = np.memmap(tmp_path / "m", "u1", "w+", shape=(3,))
    mapped[:] = 5
    assert same(subject.sanitize(mapped), np.full(3, 5, "u1"))
    assert "$._mmap" in {found.path for found in subject.inspect(mapped)}


def test_metadata_and_strings_of_any_length_are_reported(subject: Any) -> None:
    """A dtype's metadata is an attribute lost; strings of variable width become an object array, converted."""
    loud = np.zeros(1, np.dtype("i4", metadata={"a": 1}))
    wide = np.array(["a", "bcd"], np.dtypes.StringDType())
    found = [(each.path, each.kind, each.action) for each in subject.inspect({"m": loud, "w": wide})]
    assert found == [("$.m.metadata", Kind.ATTRIBUTE, Action.DROP), ("$.w", Kind.ARRAY, Action.CONVERTED)]
    assert same(subject.sanitize(wide), np.array(["a", "bcd"], object))


def test_arrays_are_a_kind_with_an_action(subject: Any) -> None:
    """A policy can drop, mark, name or refuse arrays and scalars alike."""
    value = [np.zeros(2), np.float32(1), 1]
    assert subject.sanitize(value, policy=Policy({Kind.ARRAY: Action.DROP})) == [1]
    assert subject.sanitize(value, policy=Policy({Kind.ARRAY: Action.NAME}))[0] == "<array numpy.ndarray>"
    with pytest.raises(TypeError, match=r"^\$\[0\]"):
        subject.packb(value, policy=Policy({Kind.ARRAY: Action.RAISE}))


def test_arrays_have_their_price(subject: Any) -> None:
    """An array costs four nodes and its payload is bounded as one value, for writer and reader alike."""
    payload = subject.packb(np.zeros(10), limits=Limits(nodes=4, str_bytes=95))
    assert subject.unpackb(payload, limits=Limits(nodes=4, str_bytes=95)).size == 10
    for tight in (Limits(nodes=3), Limits(str_bytes=94)):
        with pytest.raises(TypeError, match="Limits"):
            subject.packb(np.zeros(10), limits=tight)
        with pytest.raises(ValueError, match="Limits"):
            subject.unpackb(payload, limits=tight)
