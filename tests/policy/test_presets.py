"""The ready policies as they are documented, and a policy as a value."""

import copy
import json
import pickle
from typing import Any

import pytest

import siftpack
from siftpack.errors import EncodeError, PolicyError
from siftpack.policy import DEFAULT, JSON, LOGGING, MACHINERY_KINDS, PORTABLE, STRICT, Action, Kind, Policy
from siftpack.report import Tombstone
from siftpack.testing import same, zoo
from siftpack.testing.machinery import hashable_specimens, specimens
from tests.hostile.positions import HASHED, PLAIN, path_of

PRESETS = {"DEFAULT": DEFAULT, "STRICT": STRICT, "JSON": JSON, "PORTABLE": PORTABLE, "LOGGING": LOGGING}
CLEAN = {"a": [1, "x", (2,)], "b": {3, 4}, ("k", 1): None, "password": "mine"}


@pytest.mark.parametrize("name", sorted(PLAIN))
def test_strict_raises_at_machinery_in_every_position(subject: Any, name: str) -> None:
    """``STRICT`` raises an error that names path, kind and type, in every position."""
    for lost in specimens()[::7]:
        with pytest.raises(EncodeError) as raised:
            subject.packb(PLAIN[name].build(lost.obj), policy=STRICT)
        assert str(raised.value).startswith(f"{path_of(PLAIN[name], lost.obj)}: {lost.kind} ")


@pytest.mark.parametrize("name", sorted(HASHED))
def test_strict_raises_at_lost_keys(subject: Any, name: str) -> None:
    """``STRICT`` raises where a key or a set element would leave."""
    for kind, lost in hashable_specimens()[::5]:
        with pytest.raises(EncodeError, match=f": {kind} "):
            subject.inspect(HASHED[name].build(lost), policy=STRICT)


LOSSES: list[tuple[Any, Kind]] = [
    (zoo.Held(1, api_key="k"), Kind.SECRET),
    (zoo.Opaque(a=1, _b=2), Kind.PRIVATE),
    (zoo.marked(zoo.Str("s"), 1), Kind.ATTRIBUTE),
    ({zoo.Color.RED: 1, 1: 2}, Kind.ENUM),
    ({zoo.Color.RED}, Kind.ENUM),
    ({zoo.Frozen(1)}, Kind.RECORD),
    (zoo.Opaque(), Kind.OPAQUE),
    ((made := [1], made.append(made))[0], Kind.CYCLE),
]


@pytest.mark.parametrize(("value", "kind"), LOSSES, ids=[row[1] for row in LOSSES])
def test_strict_raises_at_every_other_loss(subject: Any, value: Any, kind: Kind) -> None:
    """``STRICT`` raises at what happens to data too: masks, conversions, collisions, attributes, cycles."""
    with pytest.raises(EncodeError, match=rf"^\$\[0\].*: {kind} "):
        subject.packb([value], policy=STRICT)


def test_strict_takes_clean_data_and_data_of_known_types(subject: Any) -> None:
    """What loses nothing is written: builtin data, and records, enums and exceptions as their data."""
    value = [CLEAN, zoo.Frozen(1), zoo.Color.RED, ValueError("m"), zoo.Opaque(a=1)]
    assert subject.packb(value, policy=STRICT) == subject.packb(value)


def test_strict_leaves_what_was_given_an_action(subject: Any) -> None:
    """In a strict policy kinds and paths that are given an action keep it, and all others raise."""
    policy = STRICT.replace(actions={Kind.FUNCTION: Action.DROP}, paths={"$.m": Action.NAME})
    assert subject.sanitize({"f": len, "m": json}, policy=policy) == {"m": "<module json>"}
    with pytest.raises(EncodeError, match=r"\$\.n: module"):
        subject.packb({"n": json}, policy=policy)


def test_the_advice_of_a_refusal_can_be_followed(subject: Any) -> None:
    """What a strict policy says of scalars and containers names no action that policies refuse."""
    for value, policy in (([1], Policy(paths={"$[0]": Action.RAISE})), ([float("nan")], JSON.replace(strict=True))):
        with pytest.raises(EncodeError, match=r'is refused.*Policy\(paths=\{"\.\.\.": "drop"\}\)') as raised:
            subject.packb(value, policy=policy)
        assert "actions=" not in str(raised.value)


def test_json_and_portable(subject: Any) -> None:
    """``JSON`` gives what ``json.dumps`` takes and ``PORTABLE`` keeps bytes; both give text for keys and dates."""
    assert subject.sanitize(CLEAN, policy=JSON) == {
        "a": [1, "x", [2]],
        "b": [3, 4],
        '["k",1]': None,
        "password": "mine",
    }
    assert subject.sanitize([b"a"], policy=JSON) == ["YQ=="]
    assert subject.sanitize([b"a"], policy=PORTABLE) == [b"a"]


def test_logging(subject: Any) -> None:
    """``LOGGING`` names what others leave out, masks secrets everywhere and cuts strings to 1024 characters."""
    value = {
        "f": len,
        "k": int,
        "m": json,
        "empty": zoo.Opaque(),
        "private": zoo.Opaque(_a=1),
        "text": "x" * 1025,
        "fits": "x" * 1024,
        "data": b"y" * 1025,
        "password": "p",
        "held": zoo.Held(1, "k"),
    }
    clean = subject.sanitize(value, policy=LOGGING)
    assert clean["text"] == "x" * 1023 + "…"
    assert clean["fits"] == "x" * 1024
    assert clean["data"] == b"y" * 1024
    name = "siftpack.testing.zoo.Opaque"
    assert [clean[each] for each in ("f", "k", "m")] == ["<function len>", "<class int>", "<module json>"]
    assert clean["empty"] == clean["private"] == f"<opaque {name}>"
    assert clean["password"] == clean["held"]["api_key"] == Tombstone(Kind.SECRET, "str")
    found = {each.path: each.action for each in subject.inspect(value, policy=LOGGING)}
    assert found["$.text"] is found["$.data"] is Action.CUT
    assert "$.fits" not in found
    assert subject.inspect(value, policy=LOGGING).cut
    for each in specimens():
        (named,) = subject.sanitize([each.obj], policy=LOGGING)
        assert type(named) is Tombstone if each.kind is Kind.SECRET else named.startswith(f"<{each.kind} ")


def test_what_is_written_for_an_object_of_which_nothing_is_left(subject: Any) -> None:
    """``emptied`` says it: dropped, a tombstone or a name; fields that are left out on the way are no findings then."""
    value = [zoo.Opaque(_a=1, f=len)]
    name = "siftpack.testing.zoo.Opaque"
    marks = {Action.DROP: [], Action.TOMBSTONE: [Tombstone(Kind.OPAQUE, name)], Action.NAME: [f"<opaque {name}>"]}
    for action, left in marks.items():
        policy = Policy(emptied=action)
        assert subject.sanitize(value, policy=policy) == left
        assert [(each.path, each.kind, each.action) for each in subject.inspect(value, policy=policy)] == [
            ("$[0]", Kind.OPAQUE, action)
        ]


@pytest.mark.parametrize("longest", [1, 3])
def test_the_longest_text(subject: Any, longest: int) -> None:
    """``longest`` bounds strings by characters and bytes by bytes, not keys; what was cut stays as it is."""
    policy = Policy(longest=longest)
    value = ["abcd", "日本語文", b"abcd", {"abcd": "ab"}]
    clean = subject.sanitize(value, policy=policy)
    assert clean[:3] == ["abcd"[: longest - 1] + "…", "日本語文"[: longest - 1] + "…", b"abcd"[:longest]]
    assert list(clean[3]) == ["abcd"]
    assert same(subject.sanitize(clean, policy=policy), clean)
    assert subject.inspect(clean, policy=policy).clean


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_presets_are_public_values(name: str) -> None:
    """Each preset is a name of the package, equal to its copies and pickles, and to no other preset."""
    preset = getattr(siftpack, name)
    assert preset is PRESETS[name]
    for made in (pickle.loads(pickle.dumps(preset)), copy.copy(preset), copy.deepcopy(preset), preset.replace()):
        assert made == preset
        assert hash(made) == hash(preset)
        assert siftpack.packb([1, b"x", (1,)], policy=made) == siftpack.packb([1, b"x", (1,)], policy=preset)
    assert [other for other in PRESETS if PRESETS[other] == preset] == [name]
    with pytest.raises(AttributeError):
        preset.strict = True


def hook(obj: Any) -> Any:
    """A hook that pickles."""
    return type(obj).__name__


FULL = Policy(
    {Kind.FUNCTION: Action.NAME},
    paths={"$.a": Action.DROP, "$.b.**": Action.KEEP},
    default=hook,
    redact=True,
    strict=True,
    mode="json",
    longest=9,
    emptied=Action.NAME,
)


def test_a_policy_is_a_value() -> None:
    """Policies of the same rules are equal, hash alike, pickle and can be made anew with some rules changed."""
    assert pickle.loads(pickle.dumps(FULL)) == FULL
    assert FULL.replace() == FULL
    changes: dict[str, Any] = {
        "actions": {},
        "paths": {},
        "default": None,
        "redact": False,
        "strict": False,
        "mode": "native",
        "longest": None,
        "emptied": Action.DROP,
    }
    assert Policy(**changes) == DEFAULT == FULL.replace(**changes)
    for name, value in changes.items():
        changed = FULL.replace(**{name: value})
        assert changed != FULL
        assert getattr(changed, name) == value
        assert changed.replace(**{name: getattr(FULL, name)}) == FULL
    assert Policy(paths={"$.a": Action.DROP, "$.*": Action.NAME}) != Policy(
        paths={"$.*": Action.NAME, "$.a": Action.DROP}
    )
    assert Policy({"function": "name"}) == Policy({Kind.FUNCTION: Action.NAME})  # type: ignore[dict-item]
    assert DEFAULT != 5
    assert "mode='json'" in repr(FULL)


def test_hooks_are_compared_as_objects() -> None:
    """Two policies of one hook are equal and of two hooks are not; what a hook says of equality is never asked."""

    class Hook:
        __hash__ = None  # type: ignore[assignment]

        def __call__(self, obj: Any) -> Any:
            return obj

        def __eq__(self, other: object) -> bool:
            raise AssertionError

    first = Hook()
    assert Policy(default=first) == Policy(default=first)
    assert hash(Policy(default=first)) == hash(Policy(default=first))
    assert Policy(default=first) != Policy(default=Hook())


WRONG: list[dict[str, Any]] = [
    *({"default": 5}, {"redact": 1}, {"strict": None}, {"mode": "xml"}, {"mode": None}, {"mode": ["json"]}),
    *({"longest": 0}, {"longest": -1}, {"longest": True}, {"longest": 1.0}, {"longest": 2**32}, {"longest": "9"}),
    *({"emptied": "keep"}, {"emptied": "raise"}, {"emptied": "converted"}, {"emptied": "gone"}, {"emptied": None}),
    *({"paths": {"$.a": "converted"}}, {"paths": {"$.a": "cut"}}, {"paths": {"$.a": "gone"}}, {"paths": {"a": "drop"}}),
    *({"paths": [("$.a", "drop")]}, {"paths": None}, {"paths": "$.a"}, {"actions": [("function", "drop")]}),
    *({"actions": None}, {"actions": {"function": "cut"}}, {"actions": {"function": []}}, {"actions": {None: "drop"}}),
    *({"actions": {kind: "keep"}} for kind in sorted(MACHINERY_KINDS)),
]


@pytest.mark.parametrize("rules", WRONG, ids=str)
def test_rules_that_make_no_sense(rules: dict[str, Any]) -> None:
    """Unknown names and contradictions are a ``PolicyError`` when a policy is built or changed."""
    for make in (Policy, FULL.replace):
        with pytest.raises(PolicyError):
            make(**rules)


def test_unknown_rules() -> None:
    """A rule that no policy has is a ``PolicyError`` in ``replace`` that names it."""
    with pytest.raises(PolicyError, match=r"a policy has no mod$"):
        JSON.replace(mod="json")


@pytest.mark.parametrize("wrong", [5, "strict", {}, Policy, object()], ids=lambda each: type(each).__name__)
def test_what_is_no_policy(wrong: Any) -> None:
    """Every function refuses as policy what is none, by a ``TypeError``."""
    for call in (siftpack.packb, siftpack.sanitize, siftpack.inspect, siftpack.dumps, siftpack.fingerprint):
        with pytest.raises(TypeError, match=r"expected siftpack\.Policy"):
            call(1, policy=wrong)
