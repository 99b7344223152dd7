"""The laws hold under every policy, limit and list of types."""

import json
from typing import Any

import msgpack
import msgspec
import ormsgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siftpack.errors import DecodeError, EncodeError
from siftpack.policy import DEFAULT, JSON, LOGGING, PORTABLE, STRICT, Action, Kind, Limits, Policy
from siftpack.report import Ext
from siftpack.testing import same, zoo
from siftpack.testing.rules import listings, policies, rules, tight
from siftpack.testing.strategies import data, graphs
from tests.conftest import EXAMPLES, core, outcome

CORE = core()
FEWER = settings(max_examples=EXAMPLES // 4)
BESIDE = {Kind.PRIVATE, Kind.ATTRIBUTE}
"""What a model that is rebuilt has again: private attributes and excluded fields, at their defaults."""
TYPES = st.one_of(st.just(()), listings())


@FEWER
@given(graphs(), st.one_of(st.just(DEFAULT), policies()), TYPES)
def test_what_is_read_back_is_the_sanitized_value(value: Any, policy: Policy, types: Any) -> None:
    """Law 1: reading gives what ``sanitize`` gives, and what a listed class refuses both refuse."""
    payload = outcome(CORE.packb, value, policy=policy, types=types)
    copy = outcome(CORE.sanitize, value, policy=policy, types=types)
    if isinstance(payload, type):
        assert issubclass(payload, EncodeError)
        assert copy is payload
        return
    back = outcome(CORE.unpackb, payload, types=types)
    if back is DecodeError:
        assert copy is EncodeError
    else:
        assert same(back, copy)


@FEWER
@given(graphs(), st.one_of(st.just(DEFAULT), policies()), TYPES)
def test_what_is_sanitized_is_clean(value: Any, policy: Policy, types: Any) -> None:
    """Law 2: under whatever rules a value was sanitized, the result is clean, and a copy of it the same."""
    once = outcome(CORE.sanitize, value, policy=policy, types=types)
    if isinstance(once, type):
        assert issubclass(once, EncodeError)
        return
    again = {found.kind for found in CORE.inspect(once, types=types)}
    assert not again or (zoo.Model in types and again <= BESIDE)
    assert same(CORE.sanitize(once, types=types), once)


@FEWER
@given(graphs(), st.sampled_from((DEFAULT, JSON, PORTABLE, LOGGING)))
def test_a_ready_policy_changes_nothing_twice(value: Any, policy: Policy) -> None:
    """Law 2: a second pass under the same ready policy finds nothing and changes nothing."""
    once = CORE.sanitize(value, policy=policy)
    assert CORE.inspect(once, policy=policy).clean
    assert same(CORE.sanitize(once, policy=policy), once)


@FEWER
@given(graphs(), rules(), tight("cut"), TYPES)
def test_whatever_is_cut_can_be_read(value: Any, policy: Policy, limits: Limits, types: Any) -> None:
    """Laws 3 and 4: cutting raises only what the policy asks for, and what is left is read under the same limits."""
    asks = policy.strict or Action.RAISE in (*policy.paths.values(), *policy.actions.values())
    payload = outcome(CORE.packb_with_report, value, policy=policy, types=types, limits=limits)
    if isinstance(payload, type):
        assert asks
        assert payload is EncodeError
        return
    assert len(payload[0]) <= limits.bytes
    CORE.unpackb(payload[0], limits=limits)


@FEWER
@given(graphs())
def test_strict_raises_where_the_report_is_not_clean(value: Any) -> None:
    """Law 5: ``STRICT`` gives the bytes of the default where nothing is lost, and raises where anything is."""
    payload, report = CORE.packb_with_report(value)
    if report.clean:
        assert CORE.packb(value, policy=STRICT) == payload
    else:
        with pytest.raises(EncodeError, match=r"^\$"):
            CORE.packb(value, policy=STRICT)


@FEWER
@given(graphs())
def test_json_takes_what_its_policy_gives(value: Any) -> None:
    """The result under ``JSON`` passes ``json.dumps`` as strictly as it can be asked, and reads back as it was."""
    clean = CORE.sanitize(value, policy=JSON)
    assert same(json.loads(json.dumps(clean, allow_nan=False)), clean)


@FEWER
@given(graphs())
def test_every_reader_takes_what_is_portable(value: Any) -> None:
    """Law 4: other libraries read ``PORTABLE`` bytes with their defaults, to the value that ``sanitize`` gives."""
    payload, clean = CORE.packb(value, policy=PORTABLE), CORE.sanitize(value, policy=PORTABLE)
    for read in (msgpack.unpackb, msgspec.msgpack.decode, ormsgpack.unpackb):
        assert same(read(payload), clean)
    assert same(CORE.unpackb(payload), clean)


MAKERS = (
    *(zoo.Plain, zoo.Slotted, zoo.Frozen, zoo.FrozenSlotted, zoo.Pair, zoo.Attr, zoo.AttrFrozen, zoo.Struct),
    *(
        zoo.FrozenStruct,
        lambda inner: zoo.List([inner]),
        lambda inner: zoo.Dict(a=inner),
        lambda inner: zoo.Tuple([inner]),
    ),
    *(
        lambda inner: zoo.Deque([inner]),
        lambda inner: zoo.Ordered(a=inner),
        lambda inner: zoo.Opaque(a=inner, _b=inner),
    ),
    lambda inner: zoo.Failure("m", inner),
)
LISTED = (
    *(zoo.Plain, zoo.Slotted, zoo.Frozen, zoo.FrozenSlotted, zoo.Pair, zoo.Attr, zoo.AttrFrozen, zoo.Struct),
    *(zoo.FrozenStruct, zoo.List, zoo.Dict, zoo.Tuple, zoo.Deque, zoo.Ordered, zoo.Opaque, zoo.Failure),
)


@FEWER
@given(data(), st.sampled_from(MAKERS))
def test_an_instance_of_clean_data_comes_back_as_itself(inner: Any, make: Any) -> None:
    """A listed class whose fields are clean data is the same class with the same fields, in value positions."""
    value = [make(inner), {"k": make(inner)}]
    payload, report = CORE.packb_with_report(value, types=LISTED)
    assert report.clean, str(report)
    assert same(CORE.unpackb(payload, types=LISTED), value)


@FEWER
@given(data(), st.integers(0, 127), st.binary(max_size=9), st.text(max_size=5))
def test_data_cannot_forge_a_record(inner: Any, code: int, payload: bytes, name: str) -> None:
    """Lists that look like marks, records or ext values of ours come back as they were, whatever is listed."""
    value = [[Ext(code, payload), name, {"x": inner}], [Ext(96, b"\x0a"), "Plain", {"a": inner}], (Ext(97, payload),)]
    assert same(CORE.unpackb(CORE.packb(value, types=LISTED), types=LISTED), value)
