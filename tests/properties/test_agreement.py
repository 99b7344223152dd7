"""Law 8: the core and the reference agree byte for byte and finding for finding."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from siftpack import reference
from siftpack.policy import DEFAULT, Limits, Policy
from siftpack.testing import same
from siftpack.testing.rules import listings, policies, tight
from siftpack.testing.strategies import data, graphs
from tests.conftest import EXAMPLES, core, outcome

CORE = core()


def agree(value: Any, policy: Policy = DEFAULT, limits: Limits | None = None, types: Any = ()) -> None:
    """Every function of the core gives what the reference gives, or raises what it raises."""
    options: dict[str, Any] = {"policy": policy, "limits": limits or Limits(), "types": types}
    ours, theirs = (outcome(each.packb_with_report, value, **options) for each in (CORE, reference))
    if isinstance(theirs, type):
        assert ours is theirs
    else:
        assert not isinstance(ours, type), f"raised {ours}"
        assert ours[0] == theirs[0]
        assert ours[1].findings == theirs[1].findings
        assert ours[1].counts == theirs[1].counts
        assert ours[1].cut == theirs[1].cut
        back = [outcome(each.unpackb, theirs[0], types=types) for each in (CORE, reference)]
        assert (back[0] is back[1]) if isinstance(back[1], type) else same(*back)
    assert outcome(CORE.packb, value, **options) == (theirs if isinstance(theirs, type) else theirs[0])
    assert outcome(CORE.inspect, value, **options) == outcome(reference.inspect, value, **options)
    ours, theirs = (outcome(each.sanitize, value, **options) for each in (CORE, reference))
    assert same(ours, theirs)


@given(graphs())
def test_any_graph_gives_the_bytes_and_findings_of_the_reference(value: Any) -> None:
    """Any object whatever gives the same bytes, findings, counts and copy in both implementations."""
    agree(value)


@settings(max_examples=EXAMPLES // 4)
@given(graphs(), policies())
def test_any_policy_gives_the_bytes_and_findings_of_the_reference(value: Any, policy: Policy) -> None:
    """Under any policy both implementations write the same, or raise the same class."""
    agree(value, policy)


@settings(max_examples=EXAMPLES // 4)
@given(graphs(), tight())
def test_any_limit_stops_both_at_the_same_values(value: Any, limits: Limits) -> None:
    """Under tight limits the core accepts and refuses exactly what the reference does."""
    agree(value, limits=limits)


@settings(max_examples=EXAMPLES // 4)
@given(graphs(), listings(), st.one_of(st.just(DEFAULT), policies()))
def test_listed_types_give_the_bytes_and_findings_of_the_reference(value: Any, types: Any, policy: Policy) -> None:
    """With listed classes both implementations write, copy and read back the same, or refuse the same."""
    agree(value, policy, types=types)


@settings(max_examples=EXAMPLES // 4)
@given(graphs(), tight("cut"), st.one_of(st.just(DEFAULT), policies()), st.one_of(st.just(()), listings()))
def test_cutting_leaves_the_same_in_both(value: Any, limits: Limits, policy: Policy, types: Any) -> None:
    """Cut to tight limits, both implementations keep the same and report the same."""
    agree(value, policy, limits, types)


@settings(max_examples=EXAMPLES // 2)
@given(data())
def test_reading_gives_what_the_reference_reads(value: Any) -> None:
    """The core's reader builds what the reference's reader builds, type for type."""
    payload = reference.packb(value)
    assert same(CORE.unpackb(payload), reference.unpackb(payload))


@settings(max_examples=EXAMPLES // 4)
@given(data(), tight())
def test_reading_stops_at_the_limits_of_the_reference(value: Any, limits: Limits) -> None:
    """Under tight limits the core's reader accepts and refuses exactly what the reference's does."""
    payload = reference.packb(value)
    ours, theirs = (outcome(each.unpackb, payload, limits=limits) for each in (CORE, reference))
    assert (ours is theirs) if isinstance(theirs, type) else same(ours, theirs)
