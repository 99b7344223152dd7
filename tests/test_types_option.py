"""``types=`` in every function: listed classes come back as themselves, and nothing else ever does."""

import enum
import sys
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field, make_dataclass
from typing import Any, NamedTuple

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import siftpack
from siftpack import wire
from siftpack.errors import DecodeError, PolicyError
from siftpack.listed import Types
from siftpack.policy import Action, Kind, Policy
from siftpack.report import Ext, Tombstone
from siftpack.testing import same, zoo
from siftpack.testing.strategies import data
from tests.conftest import EXAMPLES, core
from tests.named import named

CORE = core()


@dataclass(frozen=True)
class Order:
    """A record."""

    id: Any
    lines: Any = ()


class Point(NamedTuple):
    """Another one."""

    x: int
    y: int


class Color(enum.Enum):
    """An enum."""

    RED = 1


@dataclass
class Account:
    """A record with a field of a secret's name."""

    user: Any
    password: Any = None


LISTED = (Order, Point, Color, Account, zoo.Str, zoo.List)
ORDER = Order(1, (Point(2, 3), Color.RED))
VALUE = {"order": ORDER, Order(2): [Color.RED], "set": {Point(1, 2)}, "s": zoo.Str("x")}
Doors = dict[str, Callable[..., Any]]


def doors() -> Doors:
    """Every way there and back, by name: from a value and ``types`` to what comes back."""
    return {
        "packb": lambda obj, types: siftpack.unpackb(siftpack.packb(obj, types=types), types=types),
        "packb_with_report": lambda obj, types: siftpack.unpackb(
            siftpack.packb_with_report(obj, types=types)[0], types=types
        ),
        "sanitize": lambda obj, types: siftpack.sanitize(obj, types=types),
        "dumps": lambda obj, types: siftpack.loads(siftpack.dumps(obj, types=types), types=types),
        "dumps_with_report": lambda obj, types: siftpack.loads(
            siftpack.dumps_with_report(obj, types=types)[0], types=types
        ),
        "Serializer": lambda obj, types: siftpack.Serializer(types=types).loads(
            siftpack.Serializer(types=types, compression="zlib").dumps_with_report(obj)[0]
        ),
    }


@pytest.mark.parametrize("name", sorted(doors()))
@pytest.mark.parametrize("make", [tuple, list, lambda each: {c.__qualname__: c for c in each}, Types], ids=named)
def test_listed_instances_come_back_through_every_door(name: str, make: Any) -> None:
    """Instances of listed classes come back equal and of their class, from values, keys and set elements."""
    back = doors()[name](VALUE, make(LISTED))
    assert back == VALUE
    assert [type(each) for each in back] == [type(each) for each in VALUE]
    assert type(back["order"].lines[0]) is Point
    assert back["order"].lines[1] is Color.RED
    assert type(back["s"]) is zoo.Str


@pytest.mark.parametrize(
    "value", [{Order(1, 2), Point(1, 2)}, {Order(1, 2): "a", Point(1, 2): "b"}], ids=["set", "dict"]
)
def test_keys_that_only_their_class_told_apart(subject: Any, value: Any) -> None:
    """Without the list that they were written with the second is refused, and none is lost in silence."""
    written = subject.packb(value, types=LISTED)
    assert subject.unpackb(written, types=LISTED) == value
    with pytest.raises(DecodeError, match="duplicate"):
        subject.unpackb(written)


def test_reports_and_fingerprints_know_what_is_listed(subject: Any) -> None:
    """A key of a listed class is no conversion, and its fingerprint is another than that of its data."""
    value = {Order(1): 1}
    assert subject.inspect(value, types=LISTED).clean
    assert [each.action for each in subject.inspect(value)] == [Action.CONVERTED]
    assert subject.fingerprint(ORDER, types=LISTED) != subject.fingerprint(ORDER)
    assert subject.fingerprint(ORDER) == subject.fingerprint({"id": 1, "lines": ({"x": 2, "y": 3}, 1)})
    assert subject.fingerprint(ORDER, types={"order": Order}) != subject.fingerprint(ORDER, types={"order.v2": Order})


UNLISTED: list[tuple[Any, Any, Any]] = [
    (Order(1), {"id": 1, "lines": ()}, (1, ())),
    (Point(1, 2), {"x": 1, "y": 2}, (1, 2)),
    (Color.RED, 1, 1),
    (zoo.Str("s"), "s", "s"),
    (zoo.Tuple((1, 2)), (1, 2), (1, 2)),
    (zoo.FrozenSet([1]), frozenset([1]), frozenset([1])),
]


@pytest.mark.parametrize(("value", "left", "key"), UNLISTED, ids=[type(row[0]).__name__ for row in UNLISTED])
def test_reading_without_the_list(subject: Any, value: Any, left: Any, key: Any) -> None:
    """A reader that lists nothing finds base storage or a dict of the fields; in a key the tuple of their values."""
    types = (type(value),)
    assert same(subject.unpackb(subject.packb([value], types=types)), [left])
    assert same(subject.unpackb(subject.packb({value: 1}, types=types)), {key: 1})
    assert same(subject.unpackb(subject.packb({value}, types=types)), {key})
    assert same(subject.unpackb(subject.packb([value], types=types), types=(Account,)), [left])
    assert subject.unpackb(subject.packb({(value,): {value}}, types=types), types=types) == {(value,): {value}}


def test_names_and_versions(subject: Any) -> None:
    """A class is written under its first name and read under all of them; each reader decides what a name means."""
    old = make_dataclass("Order", [("id", Any)], frozen=True)
    new = make_dataclass("Order", [("id", Any), ("state", Any, field(default="new"))], frozen=True)
    written = subject.packb(old(1), types={"order.v1": old})
    assert written == bytes.fromhex("93d4600aa86f726465722e7631 81a2696401")
    assert subject.unpackb(written, types={"order.v2": new, "order.v1": old}) == old(1)
    assert subject.unpackb(written, types={"order.v2": new, "order.v1": new}) == new(1)
    assert subject.packb(new(1), types={"order.v2": new, "order.v1": new})[3:13] == b"\x0a\xa8order.v2"
    assert subject.unpackb(written, types={"Order": old}) == {"id": 1}


FIELDS = ["a", "b"]


@pytest.mark.parametrize(
    "position", [lambda x: x, lambda x: [x], lambda x: {x: 1}, lambda x: {x}], ids=["top", "list", "key", "set"]
)
def test_fields_that_do_not_fit(subject: Any, position: Any) -> None:
    """A field that is unknown, renamed or missing is a ``DecodeError`` naming type, field and offset, never a value."""
    wide = make_dataclass("Row", [*FIELDS, ("c", Any, field(default=5))], frozen=True)
    narrow, renamed = make_dataclass("Row", FIELDS, frozen=True), make_dataclass("Row", ["a", "z"], frozen=True)
    more = make_dataclass("Row", ["a", "b", "d"], frozen=True)
    full = subject.packb(position(wide("secret", 2, 3)), types=(wide,))
    with pytest.raises(DecodeError, match=r"Row: field 'c' unknown at offset \d+$") as raised:
        subject.unpackb(full, types=(narrow,))
    assert "secret" not in str(raised.value)
    less = subject.packb(position(narrow(1, 2)), types=(narrow,))
    assert subject.unpackb(less, types=(wide,)) == position(wide(1, 2, 5))
    for other, word in ((renamed, "'b' unknown"), (more, "'d' missing and without a default")):
        with pytest.raises(DecodeError, match=f"Row: field {word}"):
            subject.unpackb(less, types=(other,))


def test_a_listed_class_whose_secret_is_masked_comes_back_as_a_dict(subject: Any) -> None:
    """What is listed is the caller's own and whole; where the policy redacts it is masked and comes back as a dict."""
    value = [Account("ada", "hunter2"), Account("bob"), Account("eve", True)]
    assert subject.sanitize(value, types=LISTED) == value
    policy = Policy(redact=True)
    masked = [{"user": "ada", "password": Tombstone(Kind.SECRET, "str")}, value[1], value[2]]
    assert subject.sanitize(value, types=LISTED, policy=policy) == masked
    assert subject.unpackb(subject.packb(value, types=LISTED, policy=policy), types=LISTED) == masked
    assert subject.sanitize([{"password": "x"}, Order({"password": "x"})], types=LISTED, policy=policy) == [
        *({"password": Tombstone(Kind.SECRET, "str")}, Order({"password": Tombstone(Kind.SECRET, "str")}))
    ]


def test_losses_inside_a_listed_instance(subject: Any) -> None:
    """A field that is lost takes its default or leaves the instance a dict; a kind that is not kept is no record."""
    assert subject.sanitize(Order(1, len), types=LISTED) == Order(1)
    assert subject.sanitize(Order(len, (1,)), types=LISTED) == {"lines": (1,)}
    assert subject.sanitize([Order(1)], types=LISTED, policy=Policy({Kind.RECORD: Action.DROP})) == []
    assert subject.sanitize([Order(1)], types=LISTED, policy=Policy(paths={"$[0].lines": Action.DROP})) == [Order(1)]


WRONG = [5, Order, Order(1), None.__class__, [5], ["Order"], {"x": "Order"}, {1: Order}, (int,), (type(len),), "Order"]


@pytest.mark.parametrize("types", [*WRONG, {"": Order}, (Order, make_dataclass("Order", []))], ids=repr)
def test_what_cannot_be_listed(types: Any) -> None:
    """Every door refuses the same: what is no class, what has no name or another's, what cannot come back."""
    calls: list[Callable[[], Any]] = [
        *(lambda call=call: call(1, types=types) for call in (siftpack.packb, siftpack.sanitize, siftpack.inspect)),
        *(lambda call=call: call(1, types=types) for call in (siftpack.dumps, siftpack.fingerprint)),
        lambda: siftpack.unpackb(b"\xc0", types=types),
        lambda: siftpack.loads(siftpack.dumps(1), types=types),
        lambda: siftpack.Serializer(types=types),
    ]
    for call in calls:
        with pytest.raises(PolicyError):
            call()


RECORD = "93d4600a"
FORGED = [
    *(f"92d4600a{name}" for name in ("a178", "80", "c0")),
    *("91d4600a", "94d4600aa17880c0", "93d7600a00000000000000a17880", "92c093d4600a", "93c701600aa17880"),
    *(
        RECORD + rest
        for rest in ("0180", "c08", "80a178", "a178c0", "a17890", "a17801", "a178d46001", "c40178", "a1ff80")
    ),
    *(RECORD + "a178" + fields for fields in ("810101", "81c0c0", "81c4016101", "819101c0", "81d60000000001c0")),
    *(RECORD + "a178" + fields for fields in ("82a16101a16102", "81a161", "8f", "de0001", "df000000ff", "")),
    *(f"81{RECORD}a178{fields}c0" for fields in ("81a16180", "81a161d46401", "81a16191d46002")),
    *(f"92d46002{RECORD}a17881a161{value}" for value in ("80", "d46401")),
]


@pytest.mark.parametrize("payload", FORGED)
def test_forged_records_are_refused(subject: Any, payload: str) -> None:
    """A record of any other shape is a ``DecodeError`` with its offset, whoever is listed under its name."""
    for types in ((), {"x": Order}, {"x": Point}, {"x": Color}, {"x": zoo.Str}):
        with pytest.raises(DecodeError, match=r" at offset \d+$"):
            subject.unpackb(bytes.fromhex(payload + "0" * (len(payload) % 2)), types=types)


@settings(max_examples=EXAMPLES // 4)
@given(
    data(), st.sampled_from([Order, Point, Color, zoo.Str, zoo.List, zoo.Failure, zoo.Opaque, zoo.Model, zoo.Struct])
)
def test_forged_fields_are_data_or_refused(value: Any, cls: type) -> None:
    """Whatever stands in a record of a listed name gives an instance, or its data, or a ``DecodeError``."""
    fields = value if type(value) is dict and all(type(key) is str for key in value) else {"": value}
    forged = bytes.fromhex(RECORD) + b"\xa1x" + siftpack.packb(fields)
    try:
        made = CORE.unpackb(forged, types={"x": cls})
    except DecodeError:
        assert same(CORE.unpackb(forged, types={"y": cls}), fields.get("", fields))
    else:
        assert type(made) is cls


LOOKALIKES: list[Any] = [
    *(
        Ext(wire.MARK, bytes([wire.RECORD])),
        Ext(wire.KEY, b"\x93"),
        Ext(wire.TOMBSTONE, b"lock\0x"),
        Ext(wire.EXT, b""),
    ),
    *([Ext(wire.MARK, b"\x0a"), "Order", {"id": 1}], (Ext(wire.MARK, b"\x0a"), "Order", {"id": 1})),
    *(["Order", {"id": 1}], {"Order": {"id": 1}}, {"": 1}, {"__type__": "Order", "id": 1}, {"py/object": "Order"}),
    *(
        {"$type": "Order"},
        {"lc": 1, "type": "constructor", "id": ["Order"]},
        [wire.RECORD, "Order", {}],
        b"\xd4\x60\x0a",
    ),
    *(
        msgpack.packb(msgpack.ExtType(96, b"\x0a")),
        OrderedDict({"": 1}),
        deque(["Order", {}]),
        Tombstone(Kind.SYNC, "Order"),
    ),
]


@pytest.mark.parametrize("value", LOOKALIKES, ids=lambda value: f"{value!r:.50}")
def test_data_is_never_taken_for_a_record(subject: Any, value: Any) -> None:
    """User data that looks like a marker, ours or any other library's, comes back as it was."""
    obj = [value, {"k": value}, Order(value, (value,))]
    first, second, order = subject.unpackb(subject.packb(obj, types=LISTED), types=LISTED)
    assert same([first, second, order.id, order.lines], [value, {"k": value}, value, (value,)])
    assert type(order) is Order
    assert subject.inspect(obj, types=LISTED).clean


@given(data())
def test_clean_data_is_the_same_under_any_list(value: Any) -> None:
    """Listing classes changes no byte of data that holds none of them."""
    payload = CORE.packb(value, types=LISTED)
    assert payload == CORE.packb(value)
    assert same(CORE.unpackb(payload, types=LISTED), value)


def test_nothing_is_looked_up_by_name() -> None:
    """A name that was read is never imported, however it is spelled."""
    for name in ("os.system", "this", "antigravity", "builtins.eval", __name__ + ".Order", "Order"):
        payload = bytes.fromhex(RECORD) + siftpack.packb(name) + b"\x81\xa1a\x01"
        assert siftpack.unpackb(payload) == {"a": 1}
    assert not {"this", "antigravity"} & sys.modules.keys()
