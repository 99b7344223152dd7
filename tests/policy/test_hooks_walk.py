"""Hooks in the middle of a walk: keys, chains, cycles, changes, limits, and what is left of them afterwards."""

import gc
import sys
import weakref
from collections import ChainMap, deque
from typing import Any

import pytest

import siftpack
from siftpack.errors import LimitExceeded
from siftpack.policy import JSON, Action, Kind, Limits, Policy
from siftpack.storage import type_name
from siftpack.testing import same, zoo
from siftpack.testing.machinery import hashable_specimens
from tests.hostile.positions import HASHED
from tests.policy.things import Below, Thing, found

HOPS = 32


def test_chains_end(subject: Any) -> None:
    """A result is shown to its own hooks in turn; a chain past the bound is a ``cycle`` finding and ends."""
    calls: list[int] = []

    def step(obj: Thing) -> Any:
        calls.append(obj.held)
        return Thing(obj.held - 1) if obj.held else "end"

    siftpack.register(Thing, extract=step)
    assert subject.sanitize(Thing(HOPS - 1)) == "end"
    assert len(calls) == HOPS
    calls.clear()
    assert found(subject, [Thing(1000), 1]) == [("$[0]", Kind.CYCLE, Action.DROP)]
    assert len(calls) == HOPS + 1
    assert subject.sanitize([{Thing(HOPS - 1)}]) == [{"end"}]
    assert subject.sanitize([{Thing(1000)}]) == [set()]


def test_cycles_through_hooks(subject: Any) -> None:
    """An object inside its own result, at any depth or through another one, is a cycle and is not asked again."""
    first, second = Thing(), Below()
    calls: list[Any] = []
    siftpack.register(Thing, extract=lambda obj: calls.append(obj) or {"me": [obj], "n": 1})
    assert subject.sanitize([first, first]) == [{"me": [], "n": 1}] * 2
    assert calls == [first, first]
    assert found(subject, first) == [("$.me[0]", Kind.CYCLE, Action.DROP)]
    siftpack.register(Thing, extract=lambda _: second)
    siftpack.register(Below, extract=lambda _: (first, 2))
    assert subject.sanitize([first]) == [(None, 2)]
    assert found(subject, [second]) == [("$[0][0]", Kind.CYCLE, Action.DROP)]
    assert subject.sanitize({first: 1}) == {}
    siftpack.register(Below, extract=lambda _: Below())
    assert subject.sanitize([second]) == []


def test_hooks_in_keys_and_set_elements(subject: Any) -> None:
    """A hashable result stands in the key and is ``converted``; one that is not hashable drops the entry."""
    siftpack.register(Thing, extract=lambda obj: obj.held)
    converted = [("${" + f"{type_name(Thing)}" + "}", Kind.OPAQUE, Action.CONVERTED)]
    assert subject.sanitize({Thing(("k", 1)): 2}) == {("k", 1): 2}
    assert found(subject, {Thing("k"): 2}) == converted
    assert subject.sanitize({Thing("k"), "l"}) == {"k", "l"}
    assert subject.sanitize({(Thing("k"),): 1}) == {("k",): 1}
    assert subject.sanitize({Thing("k"): 1, "k": 2}) == {"k": 1}
    assert subject.sanitize({Thing([1]): 1, "a": 2}) == {"a": 2}
    assert Action.DROP in [each.action for each in subject.inspect({Thing([1])})]
    assert subject.sanitize({Thing(3): 1}, policy=JSON) == {"3": 1}


@pytest.mark.parametrize("name", sorted(set(HASHED) - {"keys view"}))
def test_default_is_shown_machinery_in_every_hash_position(subject: Any, name: str) -> None:
    """In a key or set element of any kind the result of ``default`` stands in the place, reported as converted."""
    policy, build = Policy(default=lambda _: 1.5), HASHED[name].build
    for _, lost in hashable_specimens()[:6]:
        assert same(subject.sanitize(build(lost), policy=policy), subject.sanitize(build(1.5)))
        assert {each.action for each in subject.inspect(build(lost), policy=policy)} == {Action.CONVERTED}


CHANGES: list[tuple[Any, Any, Any]] = [
    (lambda: [len, 1, 2], lambda obj: obj.clear(), [1.5]),
    (lambda: [len, 1, 2], lambda obj: obj.append(3), [1.5, 1, 2, 3]),
    (lambda: zoo.List([len, 1, 2]), lambda obj: obj.clear(), [1.5]),
    (lambda: deque([len, 1]), lambda obj: obj.clear(), deque([1.5, 1])),
    (lambda: {"a": len, "b": 1}, lambda obj: obj.clear(), {"a": 1.5, "b": 1}),
    (lambda: {"a": len}, lambda obj: obj.update(b=1), {"a": 1.5}),
    (lambda: {len}, lambda obj: obj.add(1), {1.5}),
    (lambda: ChainMap({"a": len}, {"b": 1}), lambda obj: obj.maps.clear(), ChainMap({"a": 1.5}, {"b": 1})),
    (lambda: zoo.Plain(len, 1, 2), lambda obj: vars(obj).clear(), {"a": 1.5, "_b": 1, "c": 2}),
]


@pytest.mark.parametrize(("make", "change", "left"), CHANGES, ids=lambda each: type(each).__name__)
def test_a_hook_may_change_what_is_walked(subject: Any, make: Any, change: Any, left: Any) -> None:
    """A list is walked as it is when its elements are reached, all else as it was when it was opened."""
    for call in (subject.sanitize, lambda obj, policy: subject.unpackb(subject.packb(obj, policy=policy))):
        value = make()

        def hook(_: Any, value: Any = value) -> Any:
            change(value)
            return 1.5

        assert same(call([value], policy=Policy(default=hook)), [left])


def test_results_are_within_the_limits(subject: Any) -> None:
    """A hook that gives ever deeper results ends at the limits, as data would."""
    policy = Policy(default=lambda _: [iter([1])])
    for limits, bound in ((Limits(depth=20), "depth"), (Limits(nodes=20), "nodes")):
        with pytest.raises(LimitExceeded, match=rf"Limits\.{bound}"):
            subject.packb([len], policy=policy, limits=limits)


def test_nothing_is_kept_alive(subject: Any) -> None:
    """After a call neither the objects shown nor the results are held, whatever the hook did."""
    results: list[weakref.ref[Any]] = []

    def hook(obj: Any) -> Any:
        made = Below([obj.held])
        results.append(weakref.ref(made))
        if obj.held == 3:
            raise ValueError
        return {"made": made, "me": obj}

    siftpack.register(Thing, extract=hook)
    siftpack.register(Below, extract=lambda obj: obj.held)
    held = [Thing(1), Thing(2), Thing(3), {Thing(4): 1}]
    things = [*held[:3], *held[3]]
    counts = [sys.getrefcount(each) for each in things]
    for _ in range(50):
        for call in (subject.packb, subject.sanitize, subject.packb_with_report, subject.inspect):
            call(held)
    gc.collect()
    assert [sys.getrefcount(each) for each in things] == counts
    assert len(results) == 800
    assert not any(each() for each in results)


def test_a_policy_that_its_own_hook_holds_can_go() -> None:
    """A policy and a hook that refer to each other are collected together."""

    class Hook:
        policy: Policy

        def __call__(self, obj: Any) -> Any:
            return 1

    hook = Hook()
    hook.policy = Policy(default=hook)
    assert siftpack.sanitize([len], policy=hook.policy) == [1]
    gone = weakref.ref(hook)
    del hook
    gc.collect()
    assert gone() is None
