"""What a fingerprint tells apart, what it does not, and where it is longer than its rule has room for."""

import itertools
import subprocess
import sys
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

import siftpack
from siftpack import reference
from siftpack.errors import EncodeError, LimitExceeded
from siftpack.policy import Action, Kind, Limits, Policy
from siftpack.testing.zoo import Color, Held, Loose, Opaque, Plain, Str
from tests.conftest import FULL

ROOT = Path(__file__).resolve().parents[1]
APART: dict[str, list[Any]] = {
    "numbers": [1, 1.0, True, "1", b"1", Decimal(1), 1 + 0j, 2**64, -1, 0, 0.0, -0.0, False, None],
    "sequences": [[1], (1,), {1}, frozenset([1]), deque([1]), deque([1], 5), deque([1], 6), [[1]], [(1,)], range(1)],
    "mappings": [
        *({"a": 1}, OrderedDict(a=1), defaultdict(None, a=1), Counter(a=1), ChainMap({"a": 1}), {"a": {}}),
        *([("a", 1)], [["a", 1]], ["a", 1], ("a", 1), {"a", 1}),
    ],
    "empty": [None, "", b"", 0, False, [], (), {}, set(), frozenset(), deque(), OrderedDict(), Counter(), ChainMap()],
    "nested": [[1, 2], [[1], 2], [1, [2]], [[1], [2]], [[1, 2]], [1, 2, []], [[], 1, 2], [[[1, 2]]]],
    "split": [["ab", "c"], ["a", "bc"], ["abc"], ["a", "b", "c"], ["", "abc"], ["abc", ""], "abc", [b"ab", b"c"]],
    "keys": [{1: 2}, {1.0: 2}, {True: 2}, {"1": 2}, {b"1": 2}, {(1,): 2}, {frozenset([1]): 2}, {2: 1}, {1: 2, 2: 1}],
    "pairs": [{"a": 1, "b": 2}, {"a": 2, "b": 1}, {"a": {"b": 1}}, {"a": {"b": 2}}, {"b": {"a": 1}}, {"a": "b"}],
    "ordered": [OrderedDict(pairs) for pairs in itertools.permutations([("a", 1), ("b", 2), ("c", 3)])],
    "chained": [ChainMap({"a": 1}, {"b": 2}), ChainMap({"b": 2}, {"a": 1}), ChainMap({"a": 1, "b": 2}), ChainMap({})],
    "sequences of long strings": [["x" * 2000, "y"], ["y", "x" * 2000], ["x" * 2000], ["x" * 2001], [b"x" * 2000]],
    "long and its digest": [["x" * 2000], [b"\xc1" * 33], [bytes.fromhex(reference.fingerprint("x" * 2000))]],
}
ALIKE: dict[str, list[Any]] = {
    "dict": [{"a": 1, "b": [2], 3: {}}, {3: {}, "b": [2], "a": 1}, MappingProxyType({"b": [2], "a": 1, 3: {}})],
    "inner dicts": [
        [{"a": {"x": 1, "y": 2}, "b": 3}, ({1: 2, 3: 4},)],
        [{"b": 3, "a": {"y": 2, "x": 1}}, ({3: 4, 1: 2},)],
    ],
    "defaultdict": [defaultdict(None, {"a": 1, "b": 2}), defaultdict(None, {"b": 2, "a": 1})],
    "Counter": [Counter({"a": 1, "b": 2}), Counter({"b": 2, "a": 1})],
    "dict inside an OrderedDict": [OrderedDict(k={"a": 1, "b": 2}), OrderedDict(k={"b": 2, "a": 1})],
    "set": [{"a", "b", (1, 2)}, {(1, 2), "b", "a"}],
    "keys equal to each other never": [{float("nan"): 1, float("nan"): 2}, {float("nan"): 2, float("nan"): 1}],
    "record": [Plain(1, 2), {"a": 1, "_b": 2, "c": 3}, {"c": 3, "_b": 2, "a": 1}],
    "namedtuple": [Loose(1, 2), {"y": 2, "x": 1}],
    "instance": [Opaque(a=1, b=2), Opaque(b=2, a=1), Opaque(a=1, b=2, _c=3), {"a": 1, "b": 2}],
    "subclass": [Str("a"), "a"],
    "enum": [Color.RED, Color.RED.value],
    "machinery in a dict": [{"a": 1}, {"a": 1, "f": len}, {"f": len, "a": 1, "g": Opaque(h=print)}],
    "machinery in a list": [[1, {"a": []}], [len, 1, {"a": [print]}, sys]],
    "machinery as a key": [{"a": 1}, {"a": 1, len: 2, (1, print): 3}],
    "machinery under a long key": [{"a": 1}, {"k" * 3000: len, "a": 1, "l" * 3000: Opaque(m=len)}],
    "machinery in a set": [{1, 2}, {1, 2, len}],
    "machinery in a deque": [deque([1, 2], 9), deque([1, len, 2], 9)],
    "machinery in an instance": [[{"a": 1}], [Opaque(a=1, lock=len)], [Opaque(a=1, _private=2)]],
    "nothing left": [[{}], [{"a": Opaque(b=len)}], [{"k" * 2000: Opaque(**{"l" * 2000: len})}]],
}


@pytest.mark.parametrize("name", sorted(APART))
def test_what_differs_in_type_or_content_differs(subject: Any, name: str) -> None:
    """Values that are not the same data type for type have fingerprints of their own, alone and inside others."""
    for wrap in (lambda value: value, lambda value: [value], lambda value: {"k": value, "a": 1}, lambda v: (["p"], v)):
        assert len({subject.fingerprint(wrap(value)) for value in APART[name]}) == len(APART[name]) > 1


@pytest.mark.parametrize("name", sorted(ALIKE))
def test_what_is_the_same_data_is_the_same(subject: Any, name: str) -> None:
    """Dict order, machinery and the type of an unlisted record do not show in a fingerprint."""
    for wrap in (lambda value: value, lambda value: [value, 1], lambda value: {"z": 1, "k": value, "a": 1}):
        assert len({subject.fingerprint(wrap(value)) for value in ALIKE[name]}) == 1


def test_machinery_at_the_top_is_nil(subject: Any) -> None:
    """Machinery that stands alone has the fingerprint of None, and a report that says so."""
    found, report = subject.fingerprint_with_report(len)
    assert found == subject.fingerprint(None)
    assert report.counts == {Kind.FUNCTION: 1}


def test_a_fingerprint_is_hexadecimal(subject: Any) -> None:
    """A fingerprint is 64 digits of lower-case hexadecimal, whatever the value."""
    for value in (None, [1], "x" * 5000, {"a": [{"b": "x" * 5000}]}, len):
        found = subject.fingerprint(value)
        assert type(found) is str
        assert len(found) == 64
        assert set(found) <= set("0123456789abcdef")


def test_the_first_of_two_equal_keys_stays(subject: Any) -> None:
    """Where sifting makes two keys equal the first one wins, so there the order of a dict shows; the report says so."""
    one, other = {Color.RED: "a", 1: "b"}, {1: "b", Color.RED: "a"}
    (first, report), (second, _) = (subject.fingerprint_with_report(value) for value in (one, other))
    assert first != second
    assert report.counts[Kind.KEY_COLLISION] == 1


@pytest.mark.parametrize("count", [1, 2, 15, 16, 17, 300, pytest.param(65_536, marks=pytest.mark.full)])
def test_what_was_announced_does_not_show(subject: Any, count: int) -> None:
    """A container that lost elements is the one that never had them, on either side of every header's width."""
    kept = list(range(count - 1))
    for make in (list, deque, lambda items: dict.fromkeys(kept, 1) | ({"f": len} if len in items else {})):
        assert subject.fingerprint(make([*kept, len])) == subject.fingerprint(make(kept))
        assert subject.fingerprint([make([*kept[:1], len, *kept[1:]]), 1]) == subject.fingerprint([make(kept), 1])


SIZED: dict[str, Callable[[int], Any]] = {
    "str": lambda size: "x" * size,
    "bytes": lambda size: b"x" * size,
    "latin": lambda size: "é" + "x" * size,
    "wide": lambda size: "日" + "x" * size,
    "surrogate": lambda size: "\ud800" + "x" * size,
    "subclass": lambda size: Str("x" * size),
    "int": lambda size: 2 ** (8 * size),
    "bytearray": bytearray,
    "list": lambda size: [1] * size,
    "tuple": lambda size: (1,) * size,
    "deque": lambda size: deque([1] * size),
    "set": lambda size: {"x" * size},
    "frozenset": lambda size: frozenset([("x" * size,)]),
    "dict": lambda size: {"b": [1] * (size - 16), "a": "key order"},
    "key": lambda size: {"x" * size: 1, "a": 2},
    "wide key": lambda size: {"é" + "x" * size: [2], "a": 2},
    "tuple key": lambda size: {("x" * size, 1): [2], "a": 2},
    "OrderedDict": lambda size: OrderedDict(b="x" * size, a=1),
    "Counter": lambda size: Counter({"b": b"x" * (size - 12), "a": 1}),
    "defaultdict": lambda size: defaultdict(None, {"x" * size: 1, "a": [1] * 12}),
    "ChainMap": lambda size: ChainMap({"b": "x" * size, "a": 1}, {}),
    "slice": lambda size: slice("x" * size, [1] * size, None),
    "record": lambda size: Plain("x" * (size - 10), 1),
    "lost": lambda size: [*[1] * size, len],
    "lost entry": lambda size: {"f": len, "b": "x" * size, "a": 1},
}


BORDER = (*range(999, 1024), 1027, 1028, 510, 511)
if FULL:
    BORDER += (*range(1024, 1040), 500, 512, 513, 16_383, 16_384, 40_000)


@pytest.mark.sized
@pytest.mark.parametrize("name", sorted(SIZED))
def test_the_border_between_short_and_long_is_that_of_the_reference(name: str) -> None:
    """Whatever grows past the size at which it is replaced by its digest does so at the very byte the rule says."""
    for size in BORDER:
        value = SIZED[name](size)
        places = (value, {"k": value, "a": 1}, [value], [[value] * 3])
        for held in places if FULL else places[:2]:
            assert siftpack.fingerprint(held) == reference.fingerprint(held), (size, type(held))


def test_large_maps_are_put_in_order_in_portions() -> None:
    """Maps of many, large and mixed entries have the fingerprint of the reference, in whatever order they come."""
    maps: list[dict[Any, Any]] = [
        {f"key {at * 7919 % 5003}": at for at in range(5003)},
        {at * 7919 % 20_011: [at] for at in range(20_011)},
        {f"{'k' * (at * 37 % 9000)}{at}": "v" * (at % 1000) for at in range(50)},
        {"k" * size: 1 for size in (20_000, 8_191, 8_192, 8_193, 3, 16_000, 16_384, 16_385, 1)},
        {"same lead " * 20 + str(at * 7 % 100): at for at in range(100)},
        {float("nan"): at % 2 for at in range(3000)},
    ]
    for found in maps:
        expected = reference.fingerprint(found)
        assert siftpack.fingerprint(found) == expected
        assert siftpack.fingerprint(dict(reversed(found.items()))) == expected
        assert siftpack.fingerprint(dict(sorted(found.items(), key=str))) == expected


def test_a_fingerprint_costs_the_limits_of_the_payload(subject: Any) -> None:
    """``Limits.bytes`` bounds the payload that ``packb`` would write, to the byte, though it is never there."""
    parts = ["x" * 1500, {"b": b"y" * 2000, "a": [1] * 1100}, OrderedDict(k=["é" * 900]), {("t" * 1100, 1): {2}}]
    value = [parts, {"k": parts, "f": len, "a": [len]}, parts]
    size = len(subject.packb(value))
    assert subject.fingerprint(value, limits=Limits(bytes=size)) == subject.fingerprint(value)
    for small in (size - 1, size // 2, 2000, 1):
        for call in (subject.fingerprint, subject.fingerprint_with_report, subject.packb):
            with pytest.raises(LimitExceeded, match=r"Limits\.bytes"):
                call(value, limits=Limits(bytes=small))


@pytest.mark.timeout(20)
def test_a_shared_string_is_not_hashed_without_end() -> None:
    """A terabyte of one string is refused once the bytes of the limits are spent, not when all of it is hashed."""
    for value in (["x" * 10**6] * 10**6, [{"k": b"x" * 10**6}] * 10**6, [["é" * 10**6]] * 10**6):
        with pytest.raises(LimitExceeded, match=r"^\$\[\d+\].*Limits\.bytes"):
            siftpack.fingerprint(value, limits=Limits(bytes=2**25))


def test_errors_are_those_of_packb(subject: Any) -> None:
    """What ``packb`` refuses, ``fingerprint`` refuses, naming the same path."""
    refusing = Policy({Kind.FUNCTION: Action.RAISE})
    with pytest.raises(EncodeError, match=r"^\$\.a\[0\]"):
        subject.fingerprint({"a": [len]}, policy=refusing)
    with pytest.raises(EncodeError, match=r"^\$\.a\[0\]"):
        subject.fingerprint_with_report({"a": [len]}, policy=refusing)
    with pytest.raises(LimitExceeded, match=r"Limits\.str_bytes"):
        subject.fingerprint(["x" * 2000], limits=Limits(str_bytes=1999))
    with pytest.raises(LimitExceeded, match=r"Limits\.nodes"):
        subject.fingerprint([[], []], limits=Limits(nodes=2))


def test_a_policy_shows_where_it_changes_the_data(subject: Any) -> None:
    """Names and tombstones are data, so a policy that writes them gives another fingerprint than one that drops."""
    policies = [Policy(), Policy({Kind.FUNCTION: Action.NAME}), Policy({Kind.FUNCTION: Action.TOMBSTONE})]
    assert len({subject.fingerprint([len], policy=policy) for policy in policies}) == 3
    assert len({subject.fingerprint([1], policy=policy) for policy in policies}) == 1


def test_the_report_is_that_of_packb(subject: Any) -> None:
    """A cache sees by the report when a key is ambiguous: what was left out, masked or converted is in it."""
    value = {"a": [len, Held(1, api_key="k")], Color.RED: Opaque(_b=1), "k" * 2000: {"f": print}}
    found, report = subject.fingerprint_with_report(value)
    assert found == subject.fingerprint(value)
    assert report == subject.packb_with_report(value)[1]
    assert not report.clean
    assert subject.fingerprint_with_report({"b": 1, "a": [2]})[1].clean
    one, other = (Held(1, api_key=key) for key in ("k", "l"))
    assert subject.fingerprint(one) == subject.fingerprint(other)


DEEP = """
import sys, threading
import siftpack

class Opaque:
    def __init__(self, inner):
        self.z, self.a = inner, 1

SHAPES = {
    "list": lambda x: [x],
    "dict": lambda x: {"k": x},
    "dict in another order": lambda x: {"z": x, "a": 1},
    "lossy": lambda x: [len, x],
    "tuple": lambda x: (x,),
    "instance": Opaque,
}
wrap, value, levels = SHAPES[sys.argv[1]], 1, 100_000
for _ in range(levels):
    value = wrap(value)
limits, found = siftpack.Limits(depth=levels), []
siftpack.fingerprint([Opaque([len])])
threading.stack_size(65_536)
thread = threading.Thread(target=lambda: found.append(siftpack.fingerprint(value, limits=limits)))
thread.start()
thread.join()
assert found == [siftpack.fingerprint(siftpack.sanitize(value, limits=limits), limits=limits)]
sys.stdout.write("survived")
"""


@pytest.mark.parametrize("shape", ["list", "dict", "dict in another order", "lossy", "tuple", "instance"])
def test_a_hundred_thousand_levels_fit_a_small_stack(shape: str) -> None:
    """A value 100 000 levels deep has a fingerprint, taken in a thread with a stack of 64 KiB."""
    command = [sys.executable, "-c", DEEP, shape]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "survived"), done.stderr[-2000:]


PEAK = """
import re, sys
from pathlib import Path
import siftpack

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

VALUES = {
    "long strings": lambda: [str(at) * 100_000 for at in range(100, 200)],
    "wide strings": lambda: ["é" * 100_000 + str(at) for at in range(100)],
    "large lists": lambda: [[at] * 100_000 for at in range(100)],
    "many rows": lambda: [[{"z": at, "a": "x" * 100} for at in range(200)] for _ in range(200)],
}
value = VALUES[sys.argv[1]]()
siftpack.fingerprint([1])
before = peak()
siftpack.fingerprint(value)
sys.stdout.write(f"{peak() - before} {len(siftpack.packb(value)) // 1024}")
"""


@pytest.mark.parametrize("name", ["long strings", "wide strings", "large lists", "many rows"])
def test_the_payload_is_never_there_as_a_whole(name: str) -> None:
    """A fingerprint of megabytes takes a fraction of them: what is done with shrinks to its digest."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK, name], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    grown, payload = map(int, done.stdout.split())
    assert payload > 4096
    assert grown <= payload // 8 + 512
