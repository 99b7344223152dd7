"""The modes ``json`` and ``portable``: what each type becomes, for readers that know text, numbers, lists and maps."""

import datetime as dt
import ipaddress
import json
import math
import pathlib
import re
import uuid
from array import array
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from decimal import Decimal, localcontext
from fractions import Fraction
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import msgpack
import msgspec
import ormsgpack
import pytest
from hypothesis import given, settings

from siftpack.errors import EncodeError, LimitExceeded
from siftpack.policy import JSON, PORTABLE, Action, Kind, Limits, Policy
from siftpack.report import Ext, Tombstone
from siftpack.testing import same, zoo
from siftpack.testing.strategies import data, graphs
from siftpack.values.portable import WIDE_BITS
from tests.conftest import EXAMPLES, core
from tests.named import named

CORE = core()
MODES = [JSON, PORTABLE]
FEWER = settings(max_examples=EXAMPLES // 4)
MOMENT = dt.datetime(2024, 10, 27, 2, 30, 15, 123456)
BERLIN = ZoneInfo("Europe/Berlin")
WIDE = 2**WIDE_BITS

TEXTS: list[tuple[Any, Any]] = [
    (MOMENT, "2024-10-27T02:30:15.123456"),
    (MOMENT.replace(tzinfo=dt.UTC), "2024-10-27T02:30:15.123456+00:00"),
    (MOMENT.replace(tzinfo=BERLIN), "2024-10-27T02:30:15.123456+02:00"),
    (MOMENT.replace(tzinfo=BERLIN, fold=1), "2024-10-27T02:30:15.123456+01:00"),
    (dt.date(2024, 2, 29), "2024-02-29"),
    (dt.time(1, 2, 3, tzinfo=dt.timezone(dt.timedelta(hours=-3))), "01:02:03-03:00"),
    (dt.timedelta(1, 7384, 500_000), "P1DT2H3M4.5S"),
    (dt.timedelta(0), "PT0S"),
    (dt.timedelta(3), "P3D"),
    (dt.timedelta(microseconds=-1), "-PT0.000001S"),
    (dt.UTC, "UTC"),
    (dt.timezone(dt.timedelta(minutes=90)), "UTC+01:30"),
    (BERLIN, "Europe/Berlin"),
    (Decimal("1.50"), "1.50"),
    (Decimal("1E+5"), "1E+5"),
    (Decimal("-NaN12"), "-NaN12"),
    (Decimal("-Infinity"), "-Infinity"),
    (Fraction(-1, 3), "-1/3"),
    (Fraction(WIDE, 3), f"{hex(WIDE)}/3"),
    (1 - 2j, "(1-2j)"),
    (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
    (pathlib.PurePosixPath("/a/b"), "/a/b"),
    (pathlib.PureWindowsPath("C:/x"), "C:\\x"),
    (ipaddress.ip_address("fe80::1%eth0"), "fe80::1%eth0"),
    (ipaddress.ip_network("10.0.0.0/8"), "10.0.0.0/8"),
    (ipaddress.ip_interface("10.1.2.3/8"), "10.1.2.3/8"),
    (re.compile("a+", re.IGNORECASE), "a+"),
    (re.compile(b"\xff"), "\xff"),
    (range(1, 9, 2), {"start": 1, "stop": 9, "step": 2}),
    (..., "..."),
    (array("h", [1, -2]), [1, -2]),
    (array("d", [0.5]), [0.5]),
    (array("u", "ab"), ["a", "b"]),
    (Tombstone(Kind.SYNC, "m.C"), "<sync m.C>"),
    (-0.0, -0.0),
    (True, True),
    (2**64 - 1, 2**64 - 1),
    (WIDE, hex(WIDE)),
    (-WIDE, hex(-WIDE)),
    ((1, (2,)), [1, [2]]),
    (slice(1, None, 2), [1, None, 2]),
    (deque([1, 2], 5), [1, 2]),
    (OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
    (defaultdict(None, a=1), {"a": 1}),
    (Counter("aa"), {"a": 2}),
    (ChainMap({"a": 1}, {}), [{"a": 1}, {}]),
    (MappingProxyType({"a": (1,)}), {"a": [1]}),
    ({"a": 1}.items(), [["a", 1]]),
    ({3, 1, 2}, [1, 2, 3]),
    (frozenset({(2,), (1, 1)}), [[2], [1, 1]]),
    (zoo.Color.BLUE, [1, "x"]),
    (zoo.Frozen((1,)), {"a": [1], "b": None}),
    (zoo.Pair(1), {"left": 1, "password": None}),
    (zoo.Tuple((1,)), [1]),
]


@pytest.mark.parametrize("policy", MODES, ids=["json", "portable"])
@pytest.mark.parametrize(("value", "left"), TEXTS, ids=[f"{row[0]!r:.40}" for row in TEXTS])
def test_what_each_type_becomes(subject: Any, policy: Policy, value: Any, left: Any) -> None:
    """Every type has one plain form in both modes, in the copy and in the bytes."""
    clean = subject.sanitize({"v": value}, policy=policy)
    assert same(clean, {"v": left})
    assert same(subject.unpackb(subject.packb({"v": value}, policy=policy)), clean)


APART: list[tuple[Any, Any, Any]] = [
    (b"\xff", "/w==", b"\xff"),
    (bytearray(b"a"), "YQ==", b"a"),
    (memoryview(b"abcd")[::2], "YWM=", b"ac"),
    (Ext(5, b"x"), "eA==", b"x"),
    (2**64, 2**64, "18446744073709551616"),
    (-(2**63) - 1, -(2**63) - 1, "-9223372036854775809"),
    (range(2**64), {"start": 0, "stop": 2**64, "step": 1}, {"start": 0, "stop": "18446744073709551616", "step": 1}),
    (math.inf, None, math.inf),
    (math.nan, None, math.nan),
]


@pytest.mark.parametrize(("value", "text", "plain"), APART, ids=[named(row[0])[:30] for row in APART])
def test_where_the_modes_differ(subject: Any, value: Any, text: Any, plain: Any) -> None:
    """MessagePack has bytes, infinities and NaN, and 64 bits; JSON has neither and ints of any size."""
    assert same(subject.sanitize([value], policy=JSON), [text])
    assert same(subject.sanitize([value], policy=PORTABLE), [plain])
    assert same(subject.unpackb(subject.packb([value], policy=PORTABLE)), [plain])


CHANGED = [
    (math.nan, "scalar", [JSON]),
    (-math.inf, "scalar", [JSON]),
    (2**64, "scalar", [PORTABLE]),
    (WIDE, "scalar", MODES),
    ("a\ud800b", "scalar", MODES),
    (pathlib.PurePosixPath("\udcff"), "scalar", MODES),
]


@pytest.mark.parametrize(("value", "kind", "where"), CHANGED, ids=[f"{row[0]!r:.20}" for row in CHANGED])
def test_what_does_not_come_back_is_reported(subject: Any, value: Any, kind: str, where: list[Policy]) -> None:
    """A scalar that a mode cannot hold is a finding and raises where the policy is strict; a value's text is none."""
    for policy in MODES:
        found = [(each.path, each.kind, each.action) for each in subject.inspect([value], policy=policy)]
        assert found == ([("$[0]", kind, Action.CONVERTED)] if policy in where else [])
        if policy in where:
            with pytest.raises(EncodeError, match=rf"\$\[0\]: {kind} "):
                subject.packb([value], policy=policy.replace(strict=True))
    assert subject.sanitize(["a\ud800b"], policy=JSON) == ["a\ufffdb"]


KEYS: list[tuple[Any, str]] = [
    (1, "1"),
    (-(2**70), str(-(2**70))),
    (WIDE, hex(WIDE)),
    (None, "null"),
    (True, "true"),
    (0.5, "0.5"),
    (math.nan, "NaN"),
    (-math.inf, "-Infinity"),
    (b"\xff", "/w=="),
    ("a\ud800", "a\ufffd"),
    (dt.date(2024, 2, 29), "2024-02-29"),
    (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
    (range(2), '{"start":0,"stop":2,"step":1}'),
    (Ext(5, b"x"), "eA=="),
    (("é", 1, (None, 0.5)), '["é",1,[null,"0.5"]]'),
    (frozenset({"b", "a"}), '["a","b"]'),
    (zoo.Color.GREEN, "green"),
    (zoo.Frozen(1, "b"), '[1,"b"]'),
]


@pytest.mark.parametrize("policy", MODES, ids=["json", "portable"])
@pytest.mark.parametrize(("key", "text"), KEYS, ids=[f"{type(row[0]).__name__} {row[1]:.30}" for row in KEYS])
def test_keys_become_text(subject: Any, policy: Policy, key: Any, text: str) -> None:
    """Every key is a str: scalars as ``json.dumps`` writes them, containers as JSON text."""
    value = {key: 1}
    assert subject.sanitize(value, policy=policy) == {text: 1}
    assert subject.unpackb(subject.packb(value, policy=policy)) == {text: 1}


@pytest.mark.parametrize("policy", MODES, ids=["json", "portable"])
def test_keys_that_become_equal(subject: Any, policy: Policy) -> None:
    """Of keys that become the same text the first stays and the later is a ``key_collision`` finding."""
    value = {1: "a", "1": "b", None: "c", "null": "d", (1,): "e", "[1]": "f"}
    assert subject.sanitize(value, policy=policy) == {"1": "a", "null": "c", "[1]": "e"}
    found = [(each.path, each.kind, each.action) for each in subject.inspect(value, policy=policy)]
    assert found == [(path, Kind.KEY_COLLISION, Action.DROP) for path in ('$["1"]', "$.null", '$["[1]"]')]
    assert subject.unpackb(subject.packb(value, policy=policy)) == {"1": "a", "null": "c", "[1]": "e"}


def test_sets_stand_in_their_canonical_order(subject: Any) -> None:
    """A set becomes a list in the order of the bytes its elements have in the native mode."""
    value = {300, 1, -1, "a", b"b", (2,)}
    assert subject.sanitize(value, policy=JSON) == [1, [2], "a", "Yg==", 300, -1]
    assert subject.sanitize(value, policy=PORTABLE) == [1, [2], "a", b"b", 300, -1]


@pytest.mark.parametrize("policy", MODES, ids=["json", "portable"])
def test_what_is_left_out_is_text(subject: Any, policy: Policy) -> None:
    """Tombstones and names are strings, and a secret is masked by one."""
    for action, text in ((Action.TOMBSTONE, "<function builtin_function_or_method>"), (Action.NAME, "<function len>")):
        changed = policy.replace(actions={Kind.FUNCTION: action})
        assert subject.sanitize([len, (len,)], policy=changed) == [text, [text]]
    assert subject.sanitize(zoo.Held(1, api_key="k"), policy=policy)["api_key"] == "<secret str>"
    assert subject.sanitize([len, (1, len)], policy=policy) == [[1, None]]


def test_decimals_do_not_depend_on_the_context(subject: Any) -> None:
    """The text of a Decimal is the same under any decimal context of the thread."""
    with localcontext(capitals=0, prec=1):
        assert subject.sanitize([Decimal("1.23E+7")], policy=JSON) == ["1.23E+7"]


def test_listed_classes_have_no_form_in_other_modes(subject: Any) -> None:
    """``types=`` changes nothing in a mode that has no form for a record."""
    for policy in MODES:
        assert subject.sanitize([zoo.Frozen(1)], policy=policy, types=(zoo.Frozen,)) == [{"a": 1, "b": None}]


@pytest.mark.parametrize("policy", MODES, ids=["json", "portable"])
def test_limits_look_at_what_is_written(subject: Any, policy: Policy) -> None:
    """The text of a key and of a value counts against the bound of a string, and a container is one level deep."""
    for value in ({(1, 2, 3): 1}, [b"1234567"] if policy is JSON else ["12345678"], [dt.date(2024, 2, 29)]):
        with pytest.raises(LimitExceeded, match="str_bytes"):
            subject.packb(value, policy=policy, limits=Limits(str_bytes=6))
    assert subject.packb(OrderedDict(a=1), policy=policy, limits=Limits(depth=1)) == b"\x81\xa1a\x01"


@given(graphs())
def test_json_takes_any_graph(value: Any) -> None:
    """The copy in the mode ``json`` passes ``json.dumps`` for any object whatever, and comes back equal."""
    clean = CORE.sanitize(value, policy=JSON)
    assert same(json.loads(json.dumps(clean, allow_nan=False)), clean)
    assert same(CORE.unpackb(CORE.packb(value, policy=JSON)), clean)


def _no_ext(code: int, payload: bytes) -> Any:
    raise AssertionError(f"ext {code}")


READERS: list[Callable[[bytes], Any]] = [msgpack.unpackb, ormsgpack.unpackb, msgspec.msgpack.decode]


@given(graphs())
def test_every_reader_opens_portable_bytes(value: Any) -> None:
    """The bytes of the mode ``portable`` have no ext value, and three readers agree on them with their defaults."""
    payload = CORE.packb(value, policy=PORTABLE)
    clean = CORE.sanitize(value, policy=PORTABLE)
    msgpack.unpackb(payload, ext_hook=_no_ext, timestamp=3)
    for read in READERS:
        assert same(read(payload), clean)


@FEWER
@given(graphs())
def test_a_second_time_changes_nothing(value: Any) -> None:
    """What a mode has made is clean and stays as it is under the same mode."""
    for policy in MODES:
        once = CORE.sanitize(value, policy=policy)
        assert CORE.inspect(once, policy=policy).clean
        assert same(CORE.sanitize(once, policy=policy), once)
        assert CORE.packb(once, policy=policy) == CORE.packb(value, policy=policy)


@FEWER
@given(data())
def test_clean_data_loses_nothing_but_keys(value: Any) -> None:
    """In clean data a mode finds only scalars and keys it cannot hold; no element disappears."""
    for policy in MODES:
        found = {(each.kind, each.action) for each in CORE.inspect(value, policy=policy)}
        assert found <= {(Kind.SCALAR, Action.CONVERTED), (Kind.KEY_COLLISION, Action.DROP)}
