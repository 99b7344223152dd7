"""Hooks of the caller's: ``Policy(default=...)`` and ``register(cls, extract=...)``."""

import asyncio
import math
import sys
from types import SimpleNamespace
from typing import Any

import pydantic
import pytest

import siftpack
from siftpack.errors import EncodeError
from siftpack.policy import STRICT, Action, Kind, Policy
from siftpack.report import Ext, Tombstone
from siftpack.testing import same, zoo
from siftpack.testing.machinery import specimens
from siftpack.testing.zoo import Failure, Opaque
from tests.hostile.positions import PLAIN, Slotted
from tests.policy.things import Below, Thing, found

RESULTS: list[tuple[Any, Any]] = [
    *((None, None), (True, True), ("s", "s"), (2**70, 2**70), (math.nan, math.nan), (b"b", b"b"), ("\ud800", "\ud800")),
    *(([1], [1]), ({"a": {1: 2}}, {"a": {1: 2}}), ((1, len), (1, None)), ({1, 2}, {1, 2}), (range(3), range(3))),
    *((zoo.Frozen(1), {"a": 1, "b": None}), (zoo.Color.RED, 1), (zoo.Str("s"), "s"), (Ext(5, b""), Ext(5, b""))),
    *((Tombstone(Kind.SYNC, "x"), Tombstone(Kind.SYNC, "x")), (ValueError("m").args, ("m",)), ({}.keys(), [])),
    (pydantic.SecretStr("s"), Tombstone(Kind.SECRET, "pydantic.types.SecretStr")),
]


@pytest.mark.parametrize(("made", "left"), RESULTS, ids=[f"{row[0]!r:.30}" for row in RESULTS])
def test_what_a_hook_gives_is_sifted_in_the_place(subject: Any, made: Any, left: Any) -> None:
    """A result of any kind is sifted as if it had stood there, by ``sanitize`` and by ``packb``."""
    siftpack.register(Thing, extract=lambda _: made)
    for value, policy in (([len], Policy(default=lambda _: made)), ([Thing()], Policy())):
        clean = subject.sanitize(value, policy=policy)
        assert same(clean, [left])
        assert same(subject.unpackb(subject.packb(value, policy=policy)), clean)


@pytest.mark.parametrize("name", sorted(PLAIN))
def test_default_is_shown_machinery_in_every_position(subject: Any, name: str) -> None:
    """In every position the result of ``default`` stands where the machinery was, without a finding."""
    build, _, _ = PLAIN[name]
    policy = Policy(default=lambda obj: NotImplemented if type(obj) in (SimpleNamespace, Slotted) else 1.5)
    for lost in (len, iter([1]), sys):
        assert same(subject.sanitize(build(lost), policy=policy), subject.sanitize(build(1.5)))
        assert subject.packb(build(lost), policy=policy) == subject.packb(build(1.5))


def test_default_is_shown_what_nobody_knows(subject: Any) -> None:
    """``default`` is called once with each object of a machinery kind and each opaque one, and with nothing else."""
    seen: list[Any] = []
    policy = Policy(default=lambda obj: seen.append(obj) or NotImplemented)
    strange = Opaque(a=1)
    shown = [each.obj for each in specimens() if each.kind is not Kind.SECRET]
    data = [1, "a", b"b", zoo.Frozen(1), zoo.Held(1, api_key="k"), ValueError(1), zoo.Color.RED, zoo.List(), 1j]
    value = [*shown, strange, *data, pydantic.SecretStr("s")]
    subject.packb(value, policy=policy)
    assert all(a is b for a, b in zip(seen, [*shown, strange], strict=True))
    assert same(subject.sanitize(value, policy=policy), subject.sanitize(value))


def test_declining(subject: Any) -> None:
    """``NotImplemented`` or the object itself declines: it is treated as without the hook, the next one is asked."""
    for decline in (lambda _: NotImplemented, lambda obj: obj):
        siftpack.register(Thing, extract=decline)
        value = [Thing(2), len]
        assert subject.sanitize(value, policy=Policy(default=decline)) == subject.sanitize(value) == [{"held": 2}]
        assert found(subject, value, policy=Policy(default=decline)) == [("$[1]", Kind.FUNCTION, Action.DROP)]
        assert subject.sanitize(value, policy=Policy(default=lambda _: 7)) == [7, 7]


RAISED = [ValueError, RecursionError, StopIteration, AssertionError, type("Own", (Exception,), {})]


@pytest.mark.parametrize("error", RAISED, ids=lambda error: error.__name__)
def test_a_hook_that_raises_costs_a_finding(subject: Any, error: type[Exception]) -> None:
    """An exception is a ``hook`` finding of its type and nothing more: the object is treated as without the hook."""

    def hook(_: Any) -> Any:
        raise error("a secret value")

    siftpack.register(Thing, extract=hook)
    assert found(subject, [Thing(), 1]) == [("$[0]", Kind.HOOK, Action.DROP)]
    assert subject.sanitize([Thing(), 1]) == [{"held": 1}, 1]
    policy = Policy(default=hook)
    wanted = [("$[0]", Kind.HOOK, Action.DROP), ("$[0]", Kind.FUNCTION, Action.DROP)]
    assert found(subject, [len, 1], policy=policy) == wanted
    assert "secret value" not in str(subject.inspect([len], policy=policy))
    for refusing in (STRICT.replace(default=hook), Policy({Kind.HOOK: Action.RAISE}, default=hook)):
        with pytest.raises(EncodeError, match=r"^\$\[0\]: hook .* a hook raised here") as raised:
            subject.packb([len], policy=refusing)
        assert "secret value" not in str(raised.value)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError,
        KeyboardInterrupt,
        SystemExit,
        GeneratorExit,
        asyncio.CancelledError,
        type("B", (BaseException,), {}),
    ],
)
def test_what_passes_through(subject: Any, error: type[BaseException]) -> None:
    """``MemoryError`` and what is no ``Exception`` reach the caller as they are, from values and from keys."""
    made = error("m")

    def hook(_: Any) -> Any:
        raise made

    siftpack.register(Thing, extract=hook)
    for value in ([Thing()], {Thing(): 1}, {Thing()}, [len], zoo.Plain(len)):
        for call in (subject.packb, subject.sanitize, subject.inspect):
            with pytest.raises(error) as raised:
                call(value, policy=Policy(default=hook))
            assert raised.value is made


def test_extractors_are_inherited(subject: Any) -> None:
    """A subclass made before or after has the extractor of its nearest registered base, and may have its own."""
    siftpack.register(Thing, extract=lambda _: "thing")
    later = type("Later", (Below,), {})
    assert subject.sanitize([Below(), later(), Thing()]) == ["thing"] * 3
    siftpack.register(Below, extract=lambda _: "below")
    assert subject.sanitize([Below(), later(), Thing()]) == ["below", "below", "thing"]


@pytest.mark.parametrize(
    ("value", "cls"),
    [
        *((zoo.Frozen(1), zoo.Frozen), (zoo.Color.RED, zoo.Color), (zoo.List([1]), zoo.List), (zoo.Str("s"), zoo.Str)),
        *(
            (Failure("m"), Failure),
            (zoo.Model(a=1), pydantic.BaseModel),
            (zoo.Pair(1), zoo.Pair),
            (iter([1]), type(iter([]))),
        ),
        (pydantic.SecretStr("s"), pydantic.SecretStr),
    ],
    ids=lambda each: type(each).__name__,
)
def test_any_class_takes_an_extractor(subject: Any, value: Any, cls: type) -> None:
    """Records, enums, subclasses, exceptions, machinery and secrets: the extractor is asked before anything else."""
    siftpack.register(cls, extract=lambda _: "instead")
    assert subject.sanitize([value]) == ["instead"]
    assert subject.inspect([value]).clean
    assert subject.packb([value]) == subject.packb(["instead"])


def test_an_extractor_beside_a_kind(subject: Any) -> None:
    """A registered kind says what is done where the extractor declines, and only there."""
    answer: list[Any] = ["data"]
    siftpack.register(Thing, kind=Kind.CONNECTION, extract=lambda _: answer[0])
    refusing = Policy({Kind.CONNECTION: Action.RAISE})
    assert subject.sanitize([Thing()], policy=refusing) == ["data"]
    answer[0] = NotImplemented
    assert found(subject, [Thing()]) == [("$[0]", Kind.CONNECTION, Action.DROP)]
    with pytest.raises(EncodeError, match="connection"):
        subject.packb([Thing()], policy=refusing)


def test_listing_wins_over_extracting(subject: Any) -> None:
    """A listed instance comes back as itself and is shown to no hook; unlisted, or masked, it is."""
    siftpack.register(zoo.Held, extract=lambda _: "extracted")
    value = [zoo.Held(1, api_key="k")]
    (made,) = subject.sanitize(value, types=(zoo.Held,))
    assert (type(made), made.a, made.api_key) == (zoo.Held, 1, "k")
    assert subject.sanitize(value) == ["extracted"]
    assert subject.sanitize(value, types=(zoo.Held,), policy=Policy(redact=True)) == ["extracted"]


def test_a_path_decides_before_a_hook(subject: Any) -> None:
    """A place that a path drops is shown to no hook; paths go on into what a hook gave."""
    seen: list[Any] = []
    policy = Policy(paths={"$.a.x": Action.NAME, "$.b": Action.DROP}, default=lambda obj: seen.append(obj) or {"x": 1})
    assert subject.sanitize({"a": len, "b": print}, policy=policy) == {"a": {"x": "<scalar int>"}}
    assert seen == [len]
