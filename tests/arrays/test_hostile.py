"""Arrays that lie, bytes that are forged, and data that somebody changes meanwhile."""

import random
import struct
import sys
import time
import warnings
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from siftpack import reference
from siftpack.errors import DecodeError, LimitExceeded
from siftpack.policy import Limits
from siftpack.reference.encode import ext
from siftpack.testing import arrays, same
from tests.conftest import core

CALLS: list[str] = []
LEFT_ALONE = (
    "__new__",
    "__init__",
    "__class__",
    "__getattribute__",
    "__init_subclass__",
    "__subclasshook__",
    "__del__",
)


def recording(base: Any) -> Any:
    """A subclass that writes down every method, property and attribute asked of it, and every question to its class."""

    def method(name: str) -> Any:
        def called(*_: Any, **__: Any) -> Any:
            CALLS.append(name)
            return 1 if name == "__hash__" else None

        return called

    def getattribute(self: Any, name: str) -> Any:
        CALLS.append(f"getattribute {name}")
        return object.__getattribute__(self, name)

    names = {name for each in base.__mro__[:-1] for name in vars(each)} - {*LEFT_ALONE, "__dict__", "__slots__"}
    body: dict[str, Any] = {
        name: method(name) if callable(getattr(base, name, None)) else property(method(name)) for name in names
    }
    for name in ("__array__", "__array_interface__", "__array_struct__", "__buffer__", "__reduce_ex__", "__iter__"):
        body[name] = method(name)
    return type(base).__new__(
        type(base), f"Recording{base.__name__}", (base,), {**body, "__getattribute__": getattribute}
    )


def hostile(plain: Any) -> Any:
    """The same storage in a subclass of its type that records everything."""
    base = type(plain)
    cls = recording(base)
    if isinstance(plain, np.ndarray):
        made = np.ndarray.view(plain, cls)
    elif isinstance(plain, np.generic):
        made = base.__new__(cls, plain)
    elif isinstance(plain, pd.Timestamp | pd.Timedelta):
        made = plain
    else:
        made = object.__new__(cls)
        object.__getattribute__(made, "__dict__").update(vars(plain))
    CALLS.clear()
    return made


TABLE = pd.DataFrame({"a": [1, 2], "s": ["x", None], "o": arrays.objects(1, [2]), "c": pd.Categorical(["u", "v"])})
PLAIN = [
    *(
        np.arange(6.0).reshape(2, 3).T,
        np.array(["a"]),
        arrays.objects(1, [2]),
        np.zeros(2, "u1,i4,U2"),
        np.zeros(2, "O,i4"),
    ),
    *(
        np.float64(1.5),
        np.int64(3),
        np.str_("ab"),
        np.bytes_(b"ab"),
        np.datetime64(1, "s"),
        np.longdouble(1),
        np.complex64(1),
    ),
    *(TABLE, TABLE["s"], TABLE["o"], TABLE.index, TABLE.columns, pd.MultiIndex.from_product([[1], ["a"]])),
    *(pd.date_range("2024", periods=2, tz="UTC"), pd.RangeIndex(3), pd.CategoricalIndex(["a"])),
]


@pytest.mark.parametrize("plain", PLAIN, ids=lambda plain: type(plain).__name__)
def test_no_method_of_a_subclass_is_called(subject: Any, plain: Any) -> None:
    """A subclass with everything overridden is read by its storage alone, as a value and as a key."""
    value = hostile(plain)
    keyed = [{value}, {("k", value): 1}] if isinstance(plain, np.generic) else []
    CALLS.clear()
    payload, report = subject.packb_with_report([value, {"k": (value,)}])
    copy = subject.sanitize([value])
    subject.inspect([{1: value}, keyed])
    subject.packb(keyed)
    assert CALLS == []
    assert same(copy[0], plain if not isinstance(plain, np.generic) else np.asarray(plain)[()])
    assert same(subject.unpackb(payload)[0], copy[0])
    str(report)


FORGED = {
    "dims beyond memory": (0, "<f8", (2**40,), b""),
    "dims that wrap": (0, "|u1", (2**33, 2**33), bytes(4)),
    "dims that wrap to the size": (0, "|u1", (2**63 + 4, 2), bytes(8)),
    "dims of a huge empty": (0, "<f8", (0, 2**61, 2**61), b""),
    "dims all ones": (0, "|u1", (2**64 - 1,), bytes(8)),
    "itemsize huge": (0, "|V2147483647", (1,), bytes(8)),
    "characters huge": (1, "<U536870911", (), bytes(8)),
    "subarray huge": (0, "{2147483647;1:a@0(2147483647)|u1}", (1,), bytes(8)),
    "fields of nothing many": (0, "{0" + ";1:a@0|S0" * 2 + "}", (1,), b""),
    "nested": (0, "{1;1:a@0" * 5000 + "|u1" + "}" * 5000, (1,), b"x"),
    "tensor of text": (3, "<U1", (1,), bytes(4)),
    "pointer": (0, "|O8", (1,), struct.pack("<Q", id(None))),
    "pointer in a field": (0, "{8;1:a@0|O8}", (1,), struct.pack("<Q", id(None))),
    "pointer as a record": (2, "{8;1:a@0|O8}", (), struct.pack("<Q", id(None))),
    "pointer as a scalar": (1, "|O8", (), struct.pack("<Q", id(None))),
}


@pytest.mark.parametrize("name", FORGED)
def test_forged_arrays_are_refused_at_once(subject: Any, name: str) -> None:
    """A header that promises what the bytes do not hold is a ``DecodeError`` before anything is made."""
    form, text, shape, items = FORGED[name]
    raw = text.encode()
    payload = struct.pack(f">BH{len(raw)}sB{len(shape)}Q", form, len(raw), raw, len(shape), *shape) + items
    start = time.perf_counter()
    with pytest.raises(DecodeError, match="offset"):
        subject.unpackb(ext(120, payload))
    assert time.perf_counter() - start < 1


def test_empty_items_may_be_many(subject: Any) -> None:
    """Items of no size cost nothing however many they are, to write and to read."""
    value = np.zeros(2**40, "V0")
    copy = subject.unpackb(subject.packb(value))
    assert (copy.shape, copy.dtype) == (value.shape, value.dtype)


def test_an_array_larger_than_its_memory_is_refused_at_once(subject: Any) -> None:
    """An array that repeats a few bytes without end is a ``LimitExceeded`` before a copy is made."""
    for dtype in ("<f8", "<U2", "u1,<i4", "g"):
        wide = np.broadcast_to(np.zeros(1, dtype), (2**40, 1))
        start = time.perf_counter()
        with pytest.raises(LimitExceeded, match="bytes"):
            subject.packb([wide])
        assert time.perf_counter() - start < 1
    with pytest.raises(LimitExceeded):
        subject.sanitize(np.broadcast_to(np.zeros(1), (10**5,)), limits=Limits(str_bytes=10**5))


def read(module: Any, payload: bytes) -> Any:
    """The value, or ``DecodeError`` itself."""
    try:
        return module.unpackb(payload)
    except DecodeError:
        return DecodeError


def payloads() -> list[bytes]:
    """What is written for every array, scalar and table that tests know, if it is short."""
    values = [*(make() for make in arrays.makers()), *arrays.scalars(), *map(arrays.filled, arrays.dtypes())]
    return [packed for packed in dict.fromkeys(map(reference.packb, values)) if len(packed) < 2500]


PAYLOADS = payloads()


@pytest.mark.parametrize("chunk", range(4))
def test_every_prefix_of_an_array_is_refused(chunk: int) -> None:
    """No proper prefix of an array's or table's payload is read."""
    for payload in PAYLOADS[chunk::4]:
        for end in range(len(payload)):
            assert read(core(), payload[:end]) is DecodeError
            assert read(reference, payload[:end]) is DecodeError


def changed(draw: random.Random, payload: bytes) -> bytes:
    """A payload with some bytes changed, left out, or taken from another one."""
    data = bytearray(payload)
    for _ in range(draw.choice((1, 1, 2, 3))):
        at = draw.randrange(len(data) + 1)
        other = draw.choice(PAYLOADS)
        start = draw.randrange(len(other))
        piece = draw.choice((bytes([draw.randrange(256)]), b"\xc0", other[start : start + draw.randrange(40)], b""))
        data[at : at + draw.choice((0, 1, 1, 1, len(piece)))] = piece
    return bytes(data)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_the_bytes_both_readers_say_the_same(seed: int) -> None:
    """Changed bytes are refused by both readers, or read by both as the same value, which can be written again."""
    draw = random.Random(seed)
    kept = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(1500):
            payload = changed(draw, draw.choice(PAYLOADS))
            ours, theirs = read(core(), payload), read(reference, payload)
            assert (ours is DecodeError) == (theirs is DecodeError), payload.hex()
            if ours is DecodeError:
                continue
            kept += 1
            assert same(ours, theirs), payload.hex()
            again = core().packb(ours)
            assert core().inspect(ours).clean, payload.hex()
            assert again == reference.packb(ours), payload.hex()
            assert same(read(core(), again), ours), payload.hex()
    assert kept > 50


@pytest.mark.parametrize("change", ["fill", "resize"])
def test_an_array_is_what_it_was_when_it_was_reached(subject: Any, change: str) -> None:
    """Code that runs later in the walk and changes, or frees, a large array changes nothing of what was taken."""
    value = np.arange(300_000.0)
    expected = value.copy()

    def hook(frame: Any, event: str, _: Any) -> None:
        if event == "call" and frame.f_code.co_name == "lower_decimal":
            if change == "fill":
                value[:] = -1
            else:
                value.resize(1, refcheck=False)

    sys.setprofile(hook)
    try:
        payload = subject.packb([value, Decimal(1)])
    finally:
        sys.setprofile(None)
    assert value[0] == -1 or value.size == 1
    assert same(subject.unpackb(payload), [expected, Decimal(1)])


def test_a_large_array_can_be_undone_and_followed(subject: Any) -> None:
    """What vanishes right behind a large array, or around it, takes just its own bytes along."""
    big = np.arange(200_000.0)
    gone = type("Gone", (), {})()
    for value, left in (
        ([big, gone], [big]),
        ([big, gone, big], [big, big]),
        ({"a": big, "b": [gone]}, {"a": big, "b": []}),
    ):
        assert same(subject.unpackb(subject.packb(value)), left)
    lost = type("Key", (), {"__hash__": lambda self: 1})()
    assert same(subject.unpackb(subject.packb([{lost: big}, {"a": big, lost: 1}])), [{}, {"a": big}])
    with pytest.raises(LimitExceeded):
        subject.packb([big, big], limits=Limits(bytes=big.nbytes + 100))
