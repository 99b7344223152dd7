"""What errors and reports say that helps."""

import contextlib
import re
from typing import Any

import pytest

from siftpack import reference
from siftpack.advice import advice
from siftpack.errors import EncodeError, LimitExceeded, PolicyError
from siftpack.policy import MACHINERY_KINDS, Action, Kind, Limits, Policy
from siftpack.report import FINDINGS_KEPT
from siftpack.testing.machinery import Agent, hashable_specimens, specimens
from siftpack.testing.strategies import _self_list
from siftpack.testing.zoo import Color, Held, Opaque, Plain, marked
from tests.conftest import core

DONE = [Action.DROP, Action.TOMBSTONE, Action.NAME, Action.RAISE, Action.CONVERTED, Action.CUT]
CALL = re.compile(r"Policy\(.*?\}\)")


def possible(kind: Kind, action: Action) -> bool:
    """True if a policy can ask for this."""
    try:
        Policy({kind: action})
    except PolicyError:
        return action in (Action.CONVERTED, Action.CUT, Action.DROP)
    return True


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("done", DONE)
def test_every_loss_has_advice(kind: Kind, done: Action) -> None:
    """Advice is one short line for every kind and action, and each policy in it is one that can be made."""
    if not possible(kind, done):
        return
    words = advice(kind, "app.agents.ReportAgent", done)
    assert words.isprintable()
    assert 20 < len(words) < 200
    for call in CALL.findall(words):
        (chosen,) = eval(call, {"Policy": Policy}).actions.items()
        assert chosen[0] is kind
        assert chosen[1] is not done


def test_advice_names_the_class_as_code_can() -> None:
    """The class is named as an expression: without the function it is local to, by dots where it has no such name."""
    for name, shown in {
        "app.agents.ReportAgent": "app.agents.ReportAgent",
        "app.make.<locals>.ReportAgent": "ReportAgent",
        "app.make.<locals>.<lambda>": "...",
        "not a name": "...",
        "x); evil(": "...",
        "{0.__class__}": "...",
    }.items():
        assert f'siftpack.register({shown}, kind="opaque")' in advice(Kind.AGENT, name)
        assert f"siftpack.register({shown}, extract=...)" in advice(Kind.CONNECTION, name)


class ReportAgent:
    """An agent by its method."""

    def run(self) -> None:
        """Never called here."""


ReportAgent.__module__, ReportAgent.__qualname__ = "app.agents", "ReportAgent"
REFUSED: dict[str, tuple[Any, Kind, str]] = {
    "agent": (
        {"a": {"agent": ReportAgent()}},
        Kind.AGENT,
        (
            "$.a.agent: agent app.agents.ReportAgent is not data, and the policy says raise; keep its data with "
            'siftpack.register(app.agents.ReportAgent, kind="opaque"), or leave it out with '
            'Policy(actions={"agent": "drop"})'
        ),
    ),
    "secret": (
        [Held(1, api_key="hunter2")],
        Kind.SECRET,
        (
            "$[0].api_key: secret str is refused: the policy says raise; mask it with "
            'Policy(actions={"secret": "tombstone"}), or leave it out with Policy(actions={"secret": "drop"})'
        ),
    ),
    "private": (
        Opaque(a=1, _b=2.5),
        Kind.PRIVATE,
        (
            "$._b: private float is refused: the policy says raise; list its owner's class in types=, or say what "
            'is data with siftpack.register(..., extract=...), or leave it out with Policy(actions={"private": "drop"})'
        ),
    ),
    "enum": (
        [Color.RED],
        Kind.ENUM,
        (
            "$[0]: enum siftpack.testing.zoo.Color is refused: the policy says raise; keep its data with "
            'Policy(actions={"enum": "keep"}), or leave it out with Policy(actions={"enum": "drop"})'
        ),
    ),
    "cycle": (
        _self_list(1),
        Kind.CYCLE,
        (
            "$[1]: cycle list is refused: the policy says raise; it refers back to what it is inside of: "
            'put an id in its place, or leave it out with Policy(actions={"cycle": "drop"})'
        ),
    ),
}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_refusal_says_what_to_do(subject: Any, name: str) -> None:
    """The error for a refused object names path, kind and type, and how to keep it or leave it out."""
    value, kind, words = REFUSED[name]
    for call in (subject.packb, subject.sanitize, subject.inspect, subject.packb_with_report):
        with pytest.raises(EncodeError) as raised:
            call(value, policy=Policy({kind: Action.RAISE}))
        assert str(raised.value) == words


@pytest.mark.parametrize("kind", sorted(MACHINERY_KINDS))
def test_both_implementations_refuse_in_the_same_words(kind: Kind) -> None:
    """Core and reference say the same of every refused specimen, in a place of its own and as a key."""
    policy = Policy({kind: Action.RAISE})
    lost = [[found.obj] for found in specimens() if found.kind is kind]
    lost += [{found.obj: 1} for found in hashable_specimens() if found.kind is kind]
    for value in lost:
        said = []
        for subject in (core(), reference):
            with pytest.raises(EncodeError) as raised:
                subject.packb(value, policy=policy)
            said.append(str(raised.value))
        assert said[0] == said[1]
        assert said[0].isprintable()
        assert len(said[0]) < 400


def test_advice_is_followed_by_success(subject: Any) -> None:
    """An object that was refused is written once one does what its error says."""
    policy = Policy({Kind.AGENT: Action.RAISE})
    with pytest.raises(EncodeError) as raised:
        subject.packb([Agent()], policy=policy)
    for call in CALL.findall(str(raised.value)):
        assert subject.unpackb(subject.packb([Agent()], policy=eval(call, {"Policy": Policy}))) == []


LIMITS: dict[str, tuple[Any, str]] = {
    "depth": ([[[]]], "$[0]: deeper than 1 (Limits.depth); allow more with Limits(depth=...)"),
    "nodes": ({"a": [[]]}, "$.a: more than 1 nodes (Limits.nodes); allow more with Limits(nodes=...)"),
    "bytes": ("abc", "$: larger than 1 bytes (Limits.bytes); allow more with Limits(bytes=...)"),
    "str_bytes": (
        {"a": ["abc"]},
        "$.a[0]: one value of more than 1 bytes (Limits.str_bytes); allow more with Limits(str_bytes=...)",
    ),
    "container_keys": (
        [{(1,): 1, (2,): 2}],
        (
            "$[0]{tuple}: more than 1 keys that are no plain scalars (Limits.container_keys); allow more with "
            "Limits(container_keys=...)"
        ),
    ),
    "key_depth": (
        [{((1,),): 1}],
        "$[0]{tuple}: key nested deeper than 1 (Limits.key_depth); allow more with Limits(key_depth=...), at most 32,",
    ),
}


@pytest.mark.parametrize("name", sorted(LIMITS))
def test_a_limit_says_how_to_raise_it(subject: Any, name: str) -> None:
    """The error at a limit names path, bound and option, and both ways on."""
    value, words = LIMITS[name]
    with pytest.raises(LimitExceeded) as raised:
        subject.packb(value, limits=Limits(**{name: 1}))
    assert str(raised.value) == f'{words} or keep what fits with Limits(on_exceed="cut")'


class _Same:
    """Hashes as all the others do."""

    def __init__(self, number: int) -> None:
        self.number = number


def test_colliding_keys_have_no_option(subject: Any) -> None:
    """Keys of one hash beyond the bound are refused in words that promise no option."""
    modulus = 2**61 - 1
    with pytest.raises(LimitExceeded, match=r"^\$\{tuple\}: more than 64 keys of one hash") as raised:
        subject.packb({(at * modulus,): 1 for at in range(1, 70)})
    assert "Limits" not in str(raised.value)


def test_errors_are_found_on_a_full_stack() -> None:
    """Where no words can be found because the stack is full, the error is of its class all the same."""
    write, refusing, small = core().packb, Policy({Kind.FUNCTION: Action.RAISE}), Limits(nodes=1)
    seen: list[BaseException] = []

    def deeper() -> None:
        with contextlib.suppress(RecursionError):
            deeper()
        if len(seen) < 20:
            for options in ({"policy": refusing}, {"limits": small}):
                try:
                    write([[len]], **options)
                except Exception as raised:
                    seen.append(raised)

    with contextlib.suppress(EncodeError):
        write([[len]], policy=refusing)
    deeper()
    assert [type(each) for each in seen] == [EncodeError, LimitExceeded] * 10
    assert str(seen[-1]).startswith("$[0]: more than 1 nodes (Limits.nodes)")
    assert str(seen[-2]).startswith("$[0][0]: function ")


def test_lossy_reports_count_all_and_name_three(subject: Any) -> None:
    """The error of a lossy report counts what is not kept too."""
    with pytest.raises(EncodeError, match=rf"^{FINDINGS_KEPT + 5} findings: .*; and {FINDINGS_KEPT + 2} more\. For "):
        subject.inspect([len] * (FINDINGS_KEPT + 5)).raise_if_lossy()


def test_no_advice_holds_a_value(subject: Any) -> None:
    """Neither refusals nor lossy reports hold a value of the data."""
    value = [marked(Plain("hunter2"), "hunter2"), Opaque(a=1, _token="hunter2"), Held("hunter2", api_key="hunter2")]
    for kind in (Kind.ATTRIBUTE, Kind.PRIVATE, Kind.SECRET, Kind.RECORD, Kind.OPAQUE):
        with pytest.raises(EncodeError) as raised:
            subject.packb(value, policy=Policy({kind: Action.RAISE}))
        assert "hunter2" not in str(raised.value)
    with pytest.raises(EncodeError) as raised:
        subject.inspect(value).raise_if_lossy()
    assert "hunter2" not in str(raised.value)
