"""Policies by path: what a pattern addresses, which pattern decides, and what each action does there."""

import time
from collections import ChainMap
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siftpack import patterns, reference
from siftpack.errors import EncodeError, PolicyError
from siftpack.patterns import ANY_INDEX, ANY_NAME, DEEP, INDEX, KEY, NAME, PATTERN_STEPS, PATTERNS, Want, parse
from siftpack.policy import Action, Kind, Policy
from siftpack.report import Tombstone, render
from siftpack.storage import type_name
from siftpack.testing import same, zoo
from siftpack.testing.strategies import graphs
from tests.conftest import core
from tests.hostile.positions import HASHED, PLAIN

CORE = core()


def of(paths: dict[str, str]) -> Policy:
    """A policy of paths."""
    return Policy(paths={path: Action(action) for path, action in paths.items()})


def shown(subject: Any, value: Any, policy: Policy) -> list[tuple[str, str, str]]:
    """Path, kind and action of what an inspection finds."""
    return [(each.path, str(each.kind), str(each.action)) for each in subject.inspect(value, policy=policy)]


STEPS = {
    "$": (),
    "$.user": (Want(NAME, "user"),),
    "$.été": (Want(NAME, "été"),),
    "$.a-b": (Want(NAME, "a-b"),),
    "$.1": (Want(NAME, "1"),),
    '$["a key"]': (Want(NAME, "a key"),),
    '$[""]': (Want(NAME, ""),),
    '$["\\ud800\\""]': (Want(NAME, '\ud800"'),),
    "$[0]": (Want(INDEX, 0),),
    "$[999999999999999999]": (Want(INDEX, 999999999999999999),),
    "${1}": (Want(KEY, 1),),
    "${-7}": (Want(KEY, -7),),
    "${18446744073709551615}": (Want(KEY, 2**64 - 1),),
    "${2.5}": (Want(KEY, 2.5),),
    "${1e+16}": (Want(KEY, 1e16),),
    "${-inf}": (Want(KEY, float("-inf")),),
    "${True}": (Want(KEY, True),),
    "${None}": (Want(KEY, None),),
    "$.*": (Want(ANY_NAME),),
    "$[*]": (Want(ANY_INDEX),),
    "$.**": (Want(DEEP),),
    '$.a[3]["b c"]{1}.*[*].**.z': (
        *(Want(NAME, "a"), Want(INDEX, 3), Want(NAME, "b c"), Want(KEY, 1)),
        *(Want(ANY_NAME), Want(ANY_INDEX), Want(DEEP), Want(NAME, "z")),
    ),
}


@pytest.mark.parametrize("text", sorted(STEPS))
def test_every_form_of_a_step(text: str) -> None:
    """Each form is read as the step it stands for, of that very type."""
    found = parse(text)
    assert found == STEPS[text]
    assert [type(want.value) for want in found] == [type(want.value) for want in STEPS[text]]


REFUSED = [
    *("", "a", "a.b", " $", "$a", "$.", "$..a", "$.a.", "$ .a", "$.a b", "$.a\n", "$.a$", "$.a*", "$.***", "$**", "$*"),
    *("$[", "$[]", "$[a]", "$[-1]", "$[1", "$[1.0]", "$[ 1]", "$[1234567890123456789]", "$[\u0663]", "$[**]", "$.[0]"),
    *("$['a']", '$["a]', '$["a"', '$["\\x"]', '$["\n"]', "$.'a'", '$."a"'),
    *("${}", "${a}", "${1", "${ 1}", "${1_0}", "${\u0661}", "${+1}", "${0x1}", "${(1,)}", "${b'a'}", "${Infinity}"),
    *("${1.}", "${.5}", "${nan }", "${*}", "${true}", "${" + "1" * 65 + "}", ".a", 5, None, b"$", ("$",)),
]


@pytest.mark.parametrize("text", REFUSED, ids=repr)
def test_what_is_no_path(text: Any) -> None:
    """Anything else is a ``PolicyError`` when the policy is built."""
    for make in (parse, lambda text: Policy(paths={text: Action.DROP})):
        with pytest.raises(PolicyError, match="path"):
            make(text)


def test_paths_are_bounded() -> None:
    """A path of too many steps and a policy of too many paths is a ``PolicyError``; at the bound they work."""
    assert len(parse("$" + ".a" * PATTERN_STEPS)) == PATTERN_STEPS
    with pytest.raises(PolicyError, match="more than 64 steps"):
        parse("$" + ".a" * (PATTERN_STEPS + 1))
    many = {f"$.a{number}": Action.DROP for number in range(PATTERNS + 1)}
    with pytest.raises(PolicyError, match="more than 1024 paths"):
        Policy(paths=many)
    many.popitem()
    assert len(Policy(paths=many).patterns) == PATTERNS


@given(st.lists(st.one_of(st.text(), st.integers(0, 9), st.sampled_from([(1,), (None,), (True,), (0.5,)])), max_size=4))
def test_a_path_that_a_report_shows_addresses_the_place(steps: list[Any]) -> None:
    """A path as a report shows it, of short keys, is a pattern of exactly these steps."""
    steps = [step[:64] if type(step) is str else step for step in steps]
    found = parse(render(tuple(steps)))
    assert [want.value for want in found] == [step[0] if type(step) is tuple else step for step in steps]


ORDER = ["$.**.b", "$.*.*", "$.**.*.b", "$.a.**", "$.a.*", "$.**.a.b", "$.a.b"]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    ("less", "more"), [("$.**.b", "$.*.b"), ("$.*.*", "$.**.b"), ("$.x.**", "$.x.*"), ("$.*.b", "$.x.b")]
)
def test_the_more_specific_path_decides(subject: Any, less: str, more: str, reverse: bool) -> None:
    """More exact steps win, then more single wildcards, whatever was declared last."""
    rows = [(less, Action.DROP), (more, Action.NAME)]
    policy = Policy(paths=dict(reversed(rows) if reverse else rows))
    assert subject.sanitize({"x": {"b": 1}}, policy=policy)["x"]["b"] == "<scalar int>"


def test_the_order_of_patterns() -> None:
    """Patterns stand from the most specific to the least: exact steps count, then single wildcards."""
    found = patterns.compiled(dict.fromkeys(ORDER, Action.DROP))
    count = [sum(want.sort <= KEY for want in each.steps) for each in found]
    assert count == sorted(count, reverse=True)
    assert [each.steps for each in patterns.compiled({"$.**": 1, "$.*": 2, "$.*.*": 3, "$.a": 4})] == [
        *(parse("$.a"), parse("$.*.*"), parse("$.*"), parse("$.**"))
    ]


def test_of_equally_specific_paths_the_last_decides(subject: Any) -> None:
    """A tie goes to the path declared last."""
    value = {"a": {"b": 1}}
    assert subject.sanitize(value, policy=of({"$.a.*": "drop", "$.*.b": "name"})) == {"a": {"b": "<scalar int>"}}
    assert subject.sanitize(value, policy=of({"$.*.b": "name", "$.a.*": "drop"})) == {"a": {}}


DEEP_CASES = [
    ("$.**", {"a": [1], "b": {"c": 2}}, {}),
    ("$.b.**", {"a": 1, "b": {"c": [2]}}, {"a": 1, "b": {}}),
    ("$.**.x", {"x": 1, "a": [{"x": 2, "y": 3}]}, {"a": [{"y": 3}]}),
    ("$.a.**.x", {"x": 1, "a": {"x": 2, "b": {"x": 3}}}, {"x": 1, "a": {"b": {}}}),
    ("$.**.x.**", {"x": 1, "a": {"x": {"y": 2}}}, {"x": 1, "a": {"x": {}}}),
    ("$.**.**.x", {"x": 1, "a": {"x": 2}}, {"a": {}}),
    ("$.**[0]", {"a": [1, [2, 3]]}, {"a": [[3]]}),
    ("$.**{1}", {1: 2, "a": {1: 3, 2: 4}}, {"a": {2: 4}}),
    ("$.**.*", {"a": [1, {"b": 2}]}, {}),
    ("$[*].**.x", [{"x": 1}, 2], [{}, 2]),
]


@pytest.mark.parametrize(("path", "value", "left"), DEEP_CASES, ids=[row[0] for row in DEEP_CASES])
def test_any_number_of_steps(subject: Any, path: str, value: Any, left: Any) -> None:
    """``**`` at the end is everything below and not the place itself; in the middle any number of steps, also none."""
    assert subject.sanitize(value, policy=of({path: "drop"})) == left


def test_keeping_shelters_what_is_below(subject: Any) -> None:
    """What is kept is kept with all in it against wider paths, but for what a more specific path says."""
    value = {"a": {"b": 1, "c": [2]}, "d": 3}
    assert subject.sanitize(value, policy=of({"$.**": "drop", "$.a": "keep"})) == {"a": {"b": 1, "c": [2]}}
    assert subject.sanitize(value, policy=of({"$.**": "drop", "$.a": "keep", "$.a.b": "drop"})) == {"a": {"c": [2]}}
    assert subject.sanitize(value, policy=of({"$.a.**": "drop", "$.a.c": "keep"})) == {"a": {"c": [2]}, "d": 3}
    assert subject.sanitize(value, policy=of({"$.*": "drop", "$.a.c": "keep"})) == {}
    assert subject.sanitize(value, policy=of({"$.**": "drop", "$": "keep"})) == value
    assert subject.sanitize(value, policy=of({"$": "keep", "$.**": "drop"})) == {}


def test_keeping_undoes_the_action_of_a_data_kind(subject: Any) -> None:
    """A path that keeps brings back the one record of a kind that is dropped, and not what is in it."""
    policy = Policy({Kind.OPAQUE: Action.DROP, Kind.BINARY: Action.DROP}, paths={"$.a": Action.KEEP})
    value = {"a": SimpleNamespace(x=SimpleNamespace(y=1), z=2), "b": SimpleNamespace(x=1), "c": b"x"}
    assert subject.sanitize(value, policy=policy) == {"a": {"z": 2}}
    assert subject.sanitize({"a": b"x", "b": b"y"}, policy=policy) == {"a": b"x"}


def test_keeping_makes_no_data_of_machinery(subject: Any) -> None:
    """A path that keeps machinery changes nothing: it is still left out, by the action of its kind."""
    lost = {"a": len}
    assert shown(subject, lost, of({"$.a": "keep"})) == [("$.a", "function", "drop")]
    named = Policy({Kind.FUNCTION: Action.NAME}, paths={"$.a": Action.KEEP})
    assert subject.sanitize(lost, policy=named) == {"a": "<function len>"}


@pytest.mark.parametrize("path", ["$.a.api_key", "$.**", "$.a.*"])
def test_keeping_unmasks_the_field_of_a_secret_name(subject: Any, path: str) -> None:
    """A secret-named field is written where a path keeps that very place, not where it keeps the object around it."""
    value = {"a": zoo.Held(1, api_key="k")}
    assert subject.sanitize(value, policy=of({path: "keep"}))["a"]["api_key"] == "k"
    masked = subject.sanitize(value, policy=of({"$.a": "keep"}))["a"]["api_key"]
    assert masked == Tombstone(Kind.SECRET, "str")
    named = of({"$.a.api_key": "name"})
    assert subject.sanitize(value, policy=named)["a"]["api_key"] == "<secret str>"


@pytest.mark.parametrize("name", sorted(set(PLAIN) - {"map of ChainMap"}))
@pytest.mark.parametrize("action", [Action.DROP, Action.TOMBSTONE, Action.NAME, Action.RAISE])
def test_every_action_in_every_position(subject: Any, name: str, action: Action) -> None:
    """A path of a report does with data in that place what a kind's action does with machinery."""
    position, policy = PLAIN[name], Policy(paths={PLAIN[name].path: action})
    built = position.build(1.5)
    if action is Action.RAISE:
        with pytest.raises(EncodeError) as raised:
            subject.packb(built, policy=policy)
        assert str(raised.value).startswith(f"{position.path}: scalar float is refused")
        return
    marks = {Action.TOMBSTONE: Tombstone(Kind.SCALAR, "float"), Action.NAME: "<scalar float>"}
    left = position.left if action is Action.DROP else subject.sanitize(position.build(marks[action]))
    clean = subject.sanitize(built, policy=policy)
    assert same(clean, left)
    assert same(subject.unpackb(subject.packb(built, policy=policy)), clean)
    assert shown(subject, built, policy) == [(position.path, "scalar", action)]


@pytest.mark.parametrize("path", ["$.**", "$.*", "$[*]", "${1}", "${2}", "$.k"])
@pytest.mark.parametrize("name", ["key", "OrderedDict key", "tuple in a key", "frozenset in a key"])
def test_keys_are_never_addressed(subject: Any, name: str, path: str) -> None:
    """No path reaches a key or what is in it: only the entry under the key."""
    value = [HASHED[name].build(2)]
    (kept,) = subject.sanitize(value, policy=of({f"$[0]{path[1:]}": "name"}))
    assert list(kept) == list(value[0])


def test_elements_of_sets_are_addressed_by_any_depth_alone(subject: Any) -> None:
    """``**`` reaches the elements of a set, no other step does, and nothing reaches what is in them."""
    value = {"s": {1, "a", (2,)}, "f": frozenset([3])}
    for path in ("$.s[*]", "$.s.*", "$.s{1}", "$.s[0]", "$.s.a", "$.s.**[0]"):
        assert subject.sanitize(value, policy=of({path: "drop"})) == value
    assert subject.sanitize(value, policy=of({"$.s.**": "drop"})) == {"s": set(), "f": frozenset([3])}
    assert shown(subject, value, of({"$.s.**": "drop"})) == [
        *(("$.s{int}", "scalar", "drop"), ("$.s{str}", "scalar", "drop"), ("$.s{tuple}", "container", "drop"))
    ]
    assert subject.sanitize(value, policy=of({"$.**": "drop", "$.s": "keep"})) == {"s": value["s"]}
    with pytest.raises(EncodeError, match=r"\$\.f\{int\}: scalar int"):
        subject.packb(value, policy=of({"$.f.**": "raise"}))


MAPS: ChainMap[str, int] = ChainMap({"a": 1}, {"b": 2})
PLACES = [
    ("$.maps[0]", MAPS, ChainMap({"b": 2})),
    ("$.maps[1].b", MAPS, ChainMap({"a": 1}, {})),
    ("$.maps", MAPS, MAPS),
    ("$.a", MappingProxyType({"a": 1, "b": 2}), {"b": 2}),
    ("$[0]", {"a": 1, "b": 2}.keys(), ["b"]),
    ("$[1]", {"a": 1, "b": 2}.values(), [1]),
    ("$[1]", {"a": 1, "b": 2}.items(), [("a", 1)]),
    ("$[0][0]", {"a": 1}.items(), [(None, 1)]),
    ("$.message", ValueError("m", 1), {"type": "ValueError", "args": ("m", 1)}),
    ("$.type", KeyError(1), {"args": (1,)}),
    ("$.args", KeyError(1), {"type": "KeyError"}),
    ("$.b", zoo.Slotted(1, 2), {"a": 1}),
    ("$.extra", zoo.Model(a=1, extra=2), {"a": 1, "token": None}),  # type: ignore[call-arg]  # this model takes extras
    ("${True}", {True: 1, "a": 2}, {"a": 2}),
    ("${nan}", {float("nan"): 1}, {}),
    ("${0.0}", {-0.0: 1}, {}),
]


@pytest.mark.parametrize(("path", "value", "left"), PLACES, ids=[f"{type(row[1]).__name__} {row[0]}" for row in PLACES])
def test_places_of_other_containers(subject: Any, path: str, value: Any, left: Any) -> None:
    """Places are addressed as reports name them, in mappings, views, exceptions, records and opaque objects."""
    assert same(subject.sanitize(value, policy=of({path: "drop"})), left)


@pytest.mark.parametrize("path", ["${True}", "${1.0}", "$[1]", '$["1"]', "$.1"])
def test_steps_are_of_one_type(subject: Any, path: str) -> None:
    """A key is addressed by its own type: an int neither by a bool, a float, a position nor a name."""
    assert subject.sanitize({1: 2}, policy=of({path: "drop"})) == {1: 2}


def test_the_top_is_a_place(subject: Any) -> None:
    """``$`` is the object itself: nil when dropped, else a marker or a name."""
    value = {"a": 1}
    assert subject.packb(value, policy=of({"$": "drop"})) == b"\xc0"
    assert subject.sanitize(value, policy=of({"$": "tombstone"})) == Tombstone(Kind.CONTAINER, "dict")
    assert subject.sanitize(zoo.Frozen(1), policy=of({"$": "name"})) == f"<record {type_name(zoo.Frozen)}>"
    with pytest.raises(EncodeError, match=r"^\$: container dict is refused"):
        subject.inspect(value, policy=of({"$": "raise"}))


@pytest.mark.alone
def test_a_thousand_paths_cost_little() -> None:
    """Under a thousand paths a walk finds its places by what was met, not by trying each path everywhere."""
    policy = Policy(paths={f"$.rows[*].f{number}": Action.DROP for number in range(1000)})
    value = {"rows": [{"f7": 1, "g": {"h": 2}}] * 20_000}
    started = time.perf_counter()
    clean = CORE.sanitize(value, policy=policy)
    assert time.perf_counter() - started < 5
    assert clean == {"rows": [{"g": {"h": 2}}] * 20_000}
    value["rows"] = value["rows"][:9]
    assert CORE.packb(value, policy=policy) == reference.packb(value, policy=policy)


@given(graphs())
def test_keeping_everything_but_secrets_changes_nothing(value: Any) -> None:
    """A path that drops a place nobody has, and one that keeps the top, leave the data and the findings as they are."""
    for paths in ({'$["no such place"].**': "drop"}, {"$": "keep"}):
        assert same(CORE.sanitize(value, policy=of(paths)), CORE.sanitize(value))
        assert CORE.inspect(value, policy=of(paths)) == CORE.inspect(value)
