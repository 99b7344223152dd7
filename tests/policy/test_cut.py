"""``Limits(on_exceed="cut")``: what does not fit is left out and reported, and nothing raises."""

import re
import time
from collections import ChainMap, OrderedDict, deque
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import siftpack
from siftpack import reference
from siftpack.errors import DecodeError, EncodeError, LimitExceeded, PolicyError
from siftpack.policy import CONTAINER_BYTES, JSON, PORTABLE, STRICT, Action, Kind, Limits, Policy
from siftpack.testing import same, zoo
from siftpack.testing.strategies import graphs
from tests.conftest import EXAMPLES, core

CORE = core()
WIDE = "é" * 3


def cut(**bounds: int) -> Limits:
    """Limits that cut."""
    return Limits(on_exceed="cut", **bounds)


def no_maps() -> ChainMap[Any, Any]:
    """A ChainMap all of whose maps are gone."""
    made: ChainMap[Any, Any] = ChainMap()
    made.maps = []
    return made


Row = tuple[dict[str, int], Any, Any, list[tuple[str, str]]]
CASES: list[Row] = [
    ({"depth": 2}, [[[1]], 2], [[], 2], [("$[0][0]", "container")]),
    ({"depth": 1}, {"a": [1], "b": 2}, {"b": 2}, [("$.a", "container")]),
    ({"depth": 1}, (1, [2], 3), (1, None, 3), [("$[1]", "container")]),
    ({"depth": 1}, slice([1], 2, [3]), slice(None, 2, None), [("$[0]", "container"), ("$[2]", "container")]),
    ({"depth": 1}, deque([[1], 2], 5), deque([2], 5), [("$[0]", "container")]),
    ({"depth": 1}, OrderedDict(a=1), None, [("$", "container")]),
    ({"depth": 1}, ChainMap({"a": 1}, {}), no_maps(), [("$.maps[0]", "container"), ("$.maps[1]", "container")]),
    ({"depth": 1}, zoo.Plain(1, [2], 3), {"a": 1, "c": 3}, [("$._b", "container")]),
    ({"depth": 1}, SimpleNamespace(a=1, b=[2]), {"a": 1}, [("$.b", "container")]),
    ({"depth": 1}, {"a": {1}}, {}, [("$.a", "container")]),
    ({"nodes": 2}, [[], [], [], 4], [[]], [("$[1]", "container")]),
    ({"nodes": 1}, [1, [2], 3], [1], [("$[1]", "container")]),
    ({"nodes": 1}, (1, [2], 3), (1, None), [("$[1]", "container")]),
    ({"nodes": 1}, slice(1, [2], 3), slice(1, None, None), [("$[1]", "container")]),
    ({"nodes": 1}, zoo.Plain([1], 2, 3), {}, [("$.a", "container")]),
    ({"nodes": 3}, [1, re.compile("a"), 2], [1], [("$[1]", "value")]),
    ({"bytes": CONTAINER_BYTES + 6}, ["ab", "cd", "ef", 1], ["ab", "cd"], [("$[2]", "scalar")]),
    ({"bytes": CONTAINER_BYTES + 6}, [b"ab", b"cd"], [b"ab"], [("$[1]", "binary")]),
    ({"bytes": CONTAINER_BYTES + 6}, {"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 2}, [("$.c", "scalar")]),
    ({"bytes": CONTAINER_BYTES - 1}, [1], None, [("$", "container")]),
    ({"bytes": 3}, "abc", None, [("$", "scalar")]),
    ({"str_bytes": 3}, ["abcdef", 1], ["abc", 1], [("$[0]", "scalar")]),
    ({"str_bytes": 5}, [WIDE], ["éé"], [("$[0]", "scalar")]),
    ({"str_bytes": 3}, [b"abcdef"], [b"abc"], [("$[0]", "binary")]),
    ({"str_bytes": 3}, {"abcdef": 1, "b": 2}, {"b": 2}, [("$.abcdef", "scalar")]),
    ({"str_bytes": 3}, {"abcdef", 1}, None, [("$", "container")]),
    ({"str_bytes": 5}, [2**200, 1], [1], [("$[0]", "scalar")]),
    ({"str_bytes": 5}, [bytearray(6), 1], [1], [("$[0]", "binary")]),
    ({"container_keys": 1}, {(1,): 1, (2,): 2, "a": 3}, {(1,): 1, "a": 3}, [("${tuple}", "scalar")]),
    ({"container_keys": 1}, [{(1,), (2,)}, 1], [1], [("$[0]", "container")]),
    ({"key_depth": 1}, {((1,),): 1, "a": 2}, {"a": 2}, [("${tuple}", "scalar")]),
    ({"key_depth": 1}, [{((1,),)}, 2], [2], [("$[0]", "container")]),
]


@pytest.mark.parametrize(("bounds", "value", "left", "lost"), CASES, ids=[f"{row[0]} {row[2]!r:.30}" for row in CASES])
def test_what_each_bound_cuts(subject: Any, bounds: Any, value: Any, left: Any, lost: list[tuple[str, str]]) -> None:
    """What does not fit leaves its place under each bound, with a ``cut`` finding; the rest is whole and readable."""
    limits = cut(**bounds)
    data, report = subject.packb_with_report(value, limits=limits)
    assert same(subject.sanitize(value, limits=limits), left)
    assert same(subject.unpackb(data, limits=limits), left)
    assert [(each.path, str(each.kind), each.action) for each in report] == [(*row, Action.CUT) for row in lost]
    assert report.cut
    assert report.truncated
    assert not report.clean
    with pytest.raises(LimitExceeded, match=f"Limits.{next(iter(bounds))}"):
        subject.packb(value, limits=Limits(**{**bounds, **({"bytes": 1} if "bytes" in bounds else {})}))


def test_what_fits_is_not_cut(subject: Any) -> None:
    """Under bounds that are just enough nothing is cut and the report is clean."""
    value = {"a": [1, "abc"], (1, (2,)): b"x"}
    limits = cut(depth=4, nodes=4, bytes=4 * CONTAINER_BYTES + 64, str_bytes=3, container_keys=1, key_depth=2)
    report = subject.inspect(value, limits=limits)
    assert report.clean
    assert not report.cut
    assert subject.packb(value, limits=limits) == subject.packb(value)


def test_losses_cost_nodes_and_are_never_cut(subject: Any) -> None:
    """When findings use up the nodes the walk ends there, says so, and keeps those it has."""
    report = subject.inspect([len, 1, len, 2], limits=cut(nodes=2))
    assert [(each.path, each.action) for each in report] == [("$[0]", Action.DROP), ("$[2]", Action.DROP)]
    assert report.cut
    assert subject.sanitize([len, 1, len, 2], limits=cut(nodes=2)) == [1]
    assert not subject.inspect([len, 1], limits=cut(nodes=2)).cut


def test_when_the_budget_is_gone_the_walk_ends(subject: Any) -> None:
    """After nodes or bytes are used up nothing more is looked at, at any level; after other bounds it is."""
    value = {"a": [[1], [2], [3]], "b": 4}
    assert subject.sanitize(value, limits=cut(nodes=3)) == {"a": [[1]]}
    assert subject.sanitize(value, limits=cut(bytes=3 * CONTAINER_BYTES + 4)) == {"a": [[1]]}
    assert subject.sanitize(value, limits=cut(depth=2)) == {"a": [], "b": 4}
    shown: list[Any] = []
    policy = Policy(default=lambda obj: shown.append(obj) or [])
    subject.packb([len, print, sum], policy=policy, limits=cut(nodes=2))
    assert shown == [len, print]


def test_an_object_of_which_nothing_is_left(subject: Any) -> None:
    """An opaque object all of which was cut is left out as one, and the report still says that a limit cut."""
    report = subject.inspect({"a": SimpleNamespace(x=[1])}, limits=cut(depth=2))
    assert [(each.path, each.kind) for each in report] == [("$.a", Kind.OPAQUE)]
    assert report.cut


LISTED = (zoo.Frozen, zoo.Str, zoo.Color, zoo.List, zoo.Failure)


def test_listed_instances_are_cut(subject: Any) -> None:
    """A listed instance that does not fit is gone as one; without an optional field it comes back with its default."""
    assert subject.sanitize([zoo.Frozen(1, [2])], types=LISTED, limits=cut(depth=3)) == [zoo.Frozen(1)]
    assert subject.sanitize([zoo.Frozen([1], 2)], types=LISTED, limits=cut(depth=3)) == [{"b": 2}]
    assert subject.sanitize([zoo.Frozen(1, 2)], types=LISTED, limits=cut(depth=2)) == []
    assert subject.sanitize([1, zoo.Frozen(1, 2), 3], types=LISTED, limits=cut(nodes=2)) == [1]
    assert subject.sanitize([zoo.Frozen("abcdefg")], types=LISTED, limits=cut(str_bytes=6)) == [zoo.Frozen("abcdef")]
    assert subject.sanitize([zoo.Color.BLUE, zoo.Color.RED], types=LISTED, limits=cut(depth=3)) == [zoo.Color.RED]
    (error,) = subject.sanitize([zoo.failed("m", [1])], types=LISTED, limits=cut(depth=4))
    assert (type(error), error.args) == (zoo.Failure, ("m", None))


def test_the_name_of_a_listed_class_is_a_string_too(subject: Any) -> None:
    """A name longer than ``str_bytes`` cannot be written, in a value or a key: no reader of these limits took it."""
    for value in ([zoo.Frozen(1)], {zoo.Frozen(1): 1}, {zoo.Frozen(1)}):
        with pytest.raises(LimitExceeded, match=r"Limits\.str_bytes"):
            subject.packb(value, types={"a name": zoo.Frozen}, limits=Limits(str_bytes=5))
        data = subject.packb(value, types={"a name": zoo.Frozen}, limits=Limits(str_bytes=6))
        assert subject.unpackb(data, types={"a name": zoo.Frozen}, limits=Limits(str_bytes=6)) == value
        limits = cut(str_bytes=5)
        left = subject.unpackb(subject.packb(value, types={"a name": zoo.Frozen}, limits=limits), limits=limits)
        assert not left


def test_strict_policies_raise_where_something_is_cut(subject: Any) -> None:
    """A cut is a loss: ``STRICT`` raises at it, and says that the limit was."""
    with pytest.raises(EncodeError, match=r"^\$\[0\]: container list is refused"):
        subject.packb([[1]], policy=STRICT, limits=cut(depth=1))


def test_reading_is_never_cut(subject: Any) -> None:
    """Limits that cut when writing raise when reading."""
    for value, limits in (([[1]], cut(depth=1)), ([[], []], cut(nodes=2)), (["abcd"], cut(str_bytes=3))):
        with pytest.raises(DecodeError, match=r"Limits\."):
            subject.unpackb(subject.packb(value), limits=limits)


def test_on_exceed_is_one_of_two_words() -> None:
    """Any other word is a ``PolicyError``; limits that cut compare and hash as other values do."""
    for wrong in ("drop", "", None, True):
        with pytest.raises(PolicyError, match="on_exceed"):
            Limits(on_exceed=wrong)  # type: ignore[arg-type]
    assert cut(depth=5) == cut(depth=5) != Limits(depth=5)
    assert len({cut(depth=5), cut(depth=5), Limits(depth=5)}) == 2


@pytest.mark.parametrize("bounds", [{"nodes": 10_000}, {"bytes": 100_000}, {"depth": 12}], ids=str)
@pytest.mark.parametrize("make", [list, tuple, lambda pair: dict(enumerate(pair)), lambda pair: zoo.Plain(*pair)])
def test_bombs_end_quickly(bounds: dict[str, int], make: Any) -> None:
    """Shared references that unfold without end cost what fits, for every function."""
    bomb: Any = 1
    for _ in range(64):
        bomb = make([bomb, bomb])
    started = time.perf_counter()
    for call in (siftpack.packb, siftpack.sanitize, siftpack.inspect, siftpack.fingerprint):
        call(bomb, limits=cut(**bounds))
    assert time.perf_counter() - started < 3
    assert siftpack.inspect(bomb, limits=cut(**bounds)).cut


TIGHT = st.builds(
    Limits,
    depth=st.sampled_from([1, 2, 3, 9]),
    nodes=st.sampled_from([1, 2, 5, 12, 10_000]),
    bytes=st.sampled_from([1, 20, 60, 2**20]),
    str_bytes=st.sampled_from([1, 3, 9, 2**20]),
    container_keys=st.integers(1, 3),
    key_depth=st.integers(1, 3),
    on_exceed=st.just("cut"),
)
POLICIES = st.sampled_from(
    [Policy(), JSON, PORTABLE, Policy(paths={"$.**.a": Action.NAME}), Policy(default=lambda _: ["in", ("place",)])]
)
TYPES = st.sampled_from([(), LISTED])


@given(graphs(), TIGHT, POLICIES, TYPES)
def test_nothing_raises(value: Any, limits: Limits, policy: Policy, types: Any) -> None:
    """Any graph whatever is written under any bounds, and read back under the same; as under none if nothing is cut."""
    options: dict[str, Any] = {"limits": limits, "types": types}
    data, report = CORE.packb_with_report(value, policy=policy, **options)
    back = CORE.unpackb(data, **options)
    clean = CORE.sanitize(value, policy=policy, **options)
    assert types or same(back, clean)
    whole = CORE.packb(value, policy=policy, types=types, limits=Limits(on_exceed="cut"))
    assert report.cut or data == whole


@settings(max_examples=EXAMPLES // 2)
@given(graphs(), TIGHT, POLICIES, TYPES)
def test_both_implementations_cut_the_same(value: Any, limits: Limits, policy: Policy, types: Any) -> None:
    """Core and reference agree on the bytes and the findings of whatever is cut."""
    options: dict[str, Any] = {"limits": limits, "types": types, "policy": policy}
    ours, theirs = CORE.packb_with_report(value, **options), reference.packb_with_report(value, **options)
    assert ours[0] == theirs[0]
    assert ours[1] == theirs[1]
