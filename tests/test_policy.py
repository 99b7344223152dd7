"""Policies and limits: what can be asked for, and what each action does where."""

from typing import Any

import pytest

from siftpack.classify import NAME_SHOWN
from siftpack.errors import EncodeError, PolicyError
from siftpack.policy import DATA_KINDS, DEFAULT, MACHINERY_KINDS, Action, Kind, Limits, Policy
from siftpack.report import Tombstone
from siftpack.storage import type_name
from siftpack.testing import same, strategies
from siftpack.testing.machinery import hashable_specimens, specimens
from siftpack.testing.zoo import Color, Failure, Frozen, Held, Opaque, Str
from tests.hostile.positions import HASHED, PLAIN, path_of

SAMPLES = {
    Kind.BINARY: (bytearray(b"x"), bytearray(b"x")),
    Kind.VALUE: (1j, 1j),
    Kind.ENUM: (Color.RED, 1),
    Kind.RECORD: (Frozen(1), {"a": 1, "b": None}),
    Kind.SUBCLASS: (Str("s"), "s"),
    Kind.EXCEPTION: (ValueError("m"), {"type": "ValueError", "message": "m", "args": ("m",)}),
    Kind.OPAQUE: (Opaque(a=1), {"a": 1}),
}


def test_the_kinds_are_split_in_data_and_machinery() -> None:
    """Every kind is data, machinery, a secret or only a finding; none is two of them."""
    rest = {Kind.SECRET, Kind.CYCLE, Kind.KEY_COLLISION, Kind.PRIVATE, Kind.ATTRIBUTE, Kind.HOOK}
    assert not DATA_KINDS & MACHINERY_KINDS
    assert DATA_KINDS | MACHINERY_KINDS | rest == set(Kind)
    assert not (DATA_KINDS | MACHINERY_KINDS) & rest


@pytest.mark.parametrize("kind", sorted(MACHINERY_KINDS))
@pytest.mark.parametrize("name", sorted(PLAIN))
def test_actions_in_every_position(subject: Any, name: str, kind: Kind) -> None:
    """In every position a tombstone or a name takes the place, and raising names path, kind and type."""
    position, lost = PLAIN[name], next(each.obj for each in specimens() if each.kind is kind)
    built, path = position.build(lost), path_of(position, lost)
    stone = subject.sanitize(position.build(Tombstone(kind, type_name(type(lost)))))
    for action in (Action.TOMBSTONE, Action.NAME):
        policy = Policy({kind: action})
        clean = subject.sanitize(built, policy=policy)
        report = subject.inspect(built, policy=policy)
        assert [(f.path, f.kind, f.action) for f in report] == [(path, kind, action)]
        assert same(subject.unpackb(subject.packb(built, policy=policy)), clean)
        if action is Action.TOMBSTONE:
            assert same(clean, stone)
        else:
            assert repr(subject.sanitize(built, policy=policy)).count(f"<{kind} ") == 1
    for call in (subject.packb, subject.sanitize, subject.inspect, subject.packb_with_report):
        with pytest.raises(EncodeError) as raised:
            call(built, policy=Policy({kind: Action.RAISE}))
        assert type(raised.value) is EncodeError
        assert all(part in str(raised.value) for part in (path, str(kind), type_name(type(lost))))


@pytest.mark.parametrize("name", sorted(HASHED))
@pytest.mark.parametrize("action", [Action.DROP, Action.TOMBSTONE, Action.NAME])
def test_a_lost_key_is_dropped_whatever_the_action(subject: Any, name: str, action: Action) -> None:
    """In a key or set element there is no place for a marker: the entry leaves under every action but raising."""
    position = HASHED[name]
    for kind, lost in hashable_specimens()[:12]:
        built, policy = position.build(lost), Policy({kind: action})
        raising = Policy({kind: Action.RAISE})
        with pytest.raises(EncodeError, match=str(kind)):
            subject.packb(built, policy=raising)
        if name == "keys view":
            continue
        assert same(subject.sanitize(built, policy=policy), position.left)
        assert [f.action for f in subject.inspect(built, policy=policy)] == [Action.DROP]


@pytest.mark.parametrize("kind", sorted(SAMPLES))
def test_data_kinds_can_be_left_out_too(subject: Any, kind: Kind) -> None:
    """A kind of data can be dropped, marked, named or refused, and is kept by default."""
    value, kept = SAMPLES[kind]
    assert same(subject.sanitize([value]), [kept])
    assert same(subject.sanitize([value], policy=Policy({kind: Action.KEEP})), [kept])
    assert subject.sanitize([value], policy=Policy({kind: Action.DROP})) == []
    assert subject.sanitize([value], policy=Policy({kind: "tombstone"})) == [Tombstone(kind, type_name(type(value)))]
    assert subject.sanitize([value], policy=Policy({kind: Action.NAME})) == [f"<{kind} {type_name(type(value))}>"]
    with pytest.raises(EncodeError, match=rf"\$\[0\]: {kind} "):
        subject.packb([value], policy=Policy({kind: Action.RAISE}))


def test_a_class_of_values_is_sifted_at_the_top(subject: Any) -> None:
    """At the top a lost value is nil, a marker under a tombstone, and a name under naming."""
    assert subject.packb(len) == b"\xc0"
    assert subject.sanitize(len, policy=Policy({Kind.FUNCTION: Action.TOMBSTONE})) == Tombstone(
        Kind.FUNCTION, "builtin_function_or_method"
    )
    assert subject.sanitize(len, policy=Policy({Kind.FUNCTION: Action.NAME})) == "<function len>"
    assert [f.path for f in subject.inspect(len)] == ["$"]


NAMES = [
    (Kind.FUNCTION, len, "len"),
    (Kind.FUNCTION, path_of, "path_of"),
    (Kind.FUNCTION, (lambda: 0), "<lambda>"),
    (Kind.CLASS, Failure, "siftpack.testing.zoo.Failure"),
    (Kind.CLASS, int, "int"),
    (Kind.MODULE, pytest, "pytest"),
]


@pytest.mark.parametrize(("kind", "lost", "shown"), NAMES, ids=[row[2] for row in NAMES])
def test_names(subject: Any, kind: Kind, lost: Any, shown: str) -> None:
    """A name says kind and qualified name, never an address."""
    assert subject.sanitize([lost], policy=Policy({kind: Action.NAME})) == [f"<{kind} {shown}>"]


def test_names_are_bounded(subject: Any) -> None:
    """A name is cut after its bound, however long the object's own is."""

    def long() -> None: ...

    long.__qualname__ = "x" * 10_000
    assert subject.sanitize([long], policy=Policy({Kind.FUNCTION: Action.NAME})) == [f"<function {'x' * NAME_SHOWN}>"]


@pytest.mark.parametrize(
    "actions",
    [
        *(
            {"nonsense": "drop"},
            {Kind.FUNCTION: "nonsense"},
            {Kind.FUNCTION: Action.CONVERTED},
            {Kind.SCALAR: Action.DROP},
        ),
        *(
            {Kind.CONTAINER: Action.NAME},
            {Kind.SYNC: Action.KEEP},
            {Kind.SECRET: Action.KEEP},
            {Kind.CYCLE: Action.TOMBSTONE},
        ),
        *(
            {Kind.PRIVATE: Action.NAME},
            {Kind.KEY_COLLISION: Action.KEEP},
            {Kind.ATTRIBUTE: Action.TOMBSTONE},
            {1: "drop"},
        ),
    ],
    ids=str,
)
def test_choices_that_make_no_sense(actions: Any) -> None:
    """Unknown words and contradictions are a ``PolicyError`` when the policy is built."""
    with pytest.raises(PolicyError):
        Policy(actions)


def test_a_policy_takes_words_and_does_not_change() -> None:
    """Kinds and actions may be given as words, later changes to the mapping do not reach the policy."""
    given: dict[Any, Any] = {"function": "name"}
    policy = Policy(given)
    given["class"] = "raise"
    assert policy == Policy({Kind.FUNCTION: Action.NAME})
    assert policy != DEFAULT
    assert len(policy.lowered) == len(Kind)
    with pytest.raises(TypeError):
        policy.actions[Kind.CLASS] = Action.RAISE  # type: ignore[index]
    with pytest.raises(AttributeError):
        policy.actions = {}  # type: ignore[misc]


@pytest.mark.parametrize("name", ["depth", "nodes", "bytes", "str_bytes", "container_keys", "key_depth"])
@pytest.mark.parametrize("bad", [0, -1, 2**62, 1.0, "5", True, None])
def test_bounds_that_make_no_sense(name: str, bad: Any) -> None:
    """A bound that is no positive int within reason is a ``PolicyError``."""
    with pytest.raises(PolicyError, match=name):
        Limits(**{name: bad})


FINDINGS = {
    Kind.CYCLE: lambda: strategies._self_list(1),
    Kind.KEY_COLLISION: lambda: {Color.RED: 1, 1: 2},
    Kind.PRIVATE: lambda: Opaque(a=1, _b=2),
    Kind.ATTRIBUTE: lambda: [setattr(made := Str("s"), "x", 1), made][1],
    Kind.SECRET: lambda: Held(1, api_key="k"),
}


@pytest.mark.parametrize("kind", sorted(FINDINGS))
def test_what_happened_can_be_refused(subject: Any, kind: Kind) -> None:
    """Cycles, collisions, private fields, attributes and secrets are reported, or raised if the policy says so."""
    value = FINDINGS[kind]()
    assert kind in subject.inspect([value]).counts
    with pytest.raises(EncodeError, match=str(kind)):
        subject.packb([value], policy=Policy({kind: Action.RAISE}))
