"""Laws 1, 2, 4 and 5: round trip, idempotence, readable by the same limits, nothing lost in silence."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siftpack.errors import EncodeError
from siftpack.policy import Action, Kind, Limits, Policy
from siftpack.testing import same
from siftpack.testing.machinery import hashable_specimens, specimens
from siftpack.testing.strategies import data, graphs
from tests.conftest import EXAMPLES, core

CORE = core()
FEWER = settings(max_examples=EXAMPLES // 2)


@FEWER
@given(graphs())
def test_what_is_read_back_is_the_sanitized_value(value: Any) -> None:
    """Law 1: ``unpackb(packb(x))`` is the same as ``sanitize(x)``."""
    assert same(CORE.unpackb(CORE.packb(value)), CORE.sanitize(value))


@FEWER
@given(graphs())
def test_sanitizing_twice_changes_nothing(value: Any) -> None:
    """Law 2: a sanitized value is clean, and sanitizing it again gives the same value and the same bytes."""
    once = CORE.sanitize(value)
    assert CORE.inspect(once).clean
    assert same(CORE.sanitize(once), once)
    assert CORE.packb(once) == CORE.packb(value)


@FEWER
@given(data())
def test_clean_data_comes_back_as_it_was(value: Any) -> None:
    """Law 2: clean data has no findings and is copied type for type, by ``sanitize`` and through the bytes."""
    payload, report = CORE.packb_with_report(value)
    assert report.clean, str(report)
    assert same(CORE.sanitize(value), value)
    assert same(CORE.unpackb(payload), value)


@settings(max_examples=EXAMPLES // 4)
@given(graphs(), st.integers(1, 60), st.integers(1, 6), st.integers(1, 80))
def test_what_is_written_can_be_read_under_the_same_limits(value: Any, nodes: int, depth: int, size: int) -> None:
    """Law 4: the reader accepts under the writer's limits whatever the writer wrote under them."""
    for limits in (
        Limits(nodes=nodes),
        Limits(depth=depth),
        Limits(str_bytes=size),
        Limits(bytes=size),
        Limits(container_keys=depth),
    ):
        try:
            payload = CORE.packb(value, limits=limits)
        except EncodeError:
            continue
        CORE.unpackb(payload, limits=limits)


PLACES = {
    "list": (lambda lost: [1, lost, 2], "$[1]"),
    "tuple": (lambda lost: ({"k": (0, lost)},), "$[0].k[1]"),
    "dict": (lambda lost: {"a": {"b": lost}}, "$.a.b"),
    "key": (lambda lost: {"a": {lost: 1}}, None),
    "set": (lambda lost: [{lost, 1}], None),
}


@settings(max_examples=EXAMPLES // 4)
@given(data(), st.sampled_from(specimens()), st.sampled_from(sorted(PLACES)))
def test_one_lost_leaf_is_one_finding_and_costs_nothing_else(beside: Any, lost: Any, place: str) -> None:
    """Laws 5 and 7: machinery beside clean data gives one finding, and the data beside it is intact."""
    if place in ("key", "set"):
        lost = hashable_specimens()[id(beside) % len(hashable_specimens())]
    build, path = PLACES[place]
    holder = build(lost.obj)
    step = "" if path else type(lost.obj).__qualname__
    payload, report = CORE.packb_with_report([beside, holder, beside])
    assert len(report) == 1
    found = report.findings[0]
    assert (found.kind, found.action) == (lost.kind, Action.DROP)
    assert found.path == f"$[1]{path[1:]}" if path else found.path.endswith(f"{step}}}")
    before, _, after = CORE.unpackb(payload)
    assert same(before, after)
    assert same(before, CORE.sanitize(beside))


@settings(max_examples=EXAMPLES // 4)
@given(graphs())
def test_a_policy_that_raises_and_a_clean_report_say_the_same(value: Any) -> None:
    """Law 5: a policy that raises at every loss raises exactly when the report of the default has a loss to show."""
    losses = [found for found in CORE.inspect(value) if found.action is not Action.CONVERTED]
    raising = Policy({found.kind: Action.RAISE for found in losses if found.kind in _CAN_RAISE})
    if not raising.actions:
        assert same(CORE.sanitize(value, policy=raising), CORE.sanitize(value))
        return
    with pytest.raises(EncodeError, match=r"^\$"):
        CORE.packb(value, policy=raising)


_CAN_RAISE = frozenset(kind for kind in Kind if kind not in (Kind.SCALAR, Kind.CONTAINER))
