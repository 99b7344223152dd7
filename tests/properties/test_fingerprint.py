"""The fingerprint: as the reference says, blind to dict order and machinery, and to nothing else."""

import os
import random
import subprocess
import sys
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from siftpack import reference
from siftpack.policy import DEFAULT, Limits, Policy
from siftpack.reference.fingerprint import FOLD, digest
from siftpack.testing.machinery import specimens
from siftpack.testing.rules import policies
from siftpack.testing.strategies import data, graphs, leaves
from tests.conftest import EXAMPLES, core, outcome
from tests.properties.test_agreement import TIGHT
from tests.properties.test_determinism import SEEDS, values

CORE = core()
ROOT = Path(__file__).resolve().parents[2]
FEWER = settings(max_examples=EXAMPLES // 4)
Rows = list[tuple[Any, Any]]

_LARGER: tuple[Callable[[Any, int], Any], ...] = (
    *(lambda value, _: value, lambda value, size: [value] * (size // 20), lambda value, size: ("p" * size, value)),
    *(
        lambda value, size: {"p" * size: value, "b": 1},
        lambda value, size: dict.fromkeys(range(size // 9, 0, -1), value),
    ),
    *(lambda value, size: OrderedDict(z=b"p" * size, a=value), lambda value, size: [{"b": value, "a": "p" * size}] * 3),
    *(
        lambda value, size: {"a": [[value, "é" * (size // 2)]], "A": value},
        lambda value, size: {"p" * size: 1, "v": value},
    ),
)


def larger(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """The same, some of them beside enough other data that they are long enough to be replaced by a digest."""
    sizes = st.one_of(st.integers(1, 2 * FOLD), st.integers(FOLD - 40, FOLD + 10))
    return st.builds(lambda make, value, size: make(value, size), st.sampled_from(_LARGER), inner, sizes)


def agree(value: Any, policy: Policy = DEFAULT, limits: Limits | None = None) -> None:
    """Core and reference give the same fingerprint and report, or raise the same."""
    options: dict[str, Any] = {"policy": policy, "limits": limits or Limits()}
    ours, theirs = (outcome(each.fingerprint_with_report, value, **options) for each in (CORE, reference))
    assert ours == theirs
    assert outcome(CORE.fingerprint, value, **options) == (theirs if isinstance(theirs, type) else theirs[0])


@FEWER
@given(larger(graphs()))
def test_any_graph_has_the_fingerprint_of_the_reference(value: Any) -> None:
    """Any object whatever has the fingerprint and the findings that the reference gives it."""
    agree(value)


@FEWER
@given(larger(graphs()), policies())
def test_any_policy_gives_the_fingerprint_of_the_reference(value: Any, policy: Policy) -> None:
    """Under any policy both give the same, or raise the same class."""
    agree(value, policy)


@FEWER
@given(larger(graphs()), st.one_of(TIGHT, st.builds(Limits, bytes=st.integers(1, 4 * FOLD))))
def test_any_limit_stops_where_the_payload_would(value: Any, limits: Limits) -> None:
    """Under tight limits a fingerprint is refused exactly where the reference refuses it, which is where packb does."""
    agree(value, limits=limits)
    packed, found = (outcome(call, value, limits=limits) for call in (CORE.packb, CORE.fingerprint))
    assert (found is packed) if isinstance(packed, type) else found == digest(packed)


def rebuilt(value: Any, entries: Callable[[Rows], Rows], elements: Callable[[list[Any]], list[Any]]) -> Any:
    """A clean value, the entries of every dict and the elements of every list in it as the two functions leave them."""

    def inside(found: Iterable[Any]) -> list[Any]:
        return [rebuilt(item, entries, elements) for item in found]

    def rows(found: dict[Any, Any]) -> Rows:
        return list(zip(found, inside(found.values()), strict=True))

    cls = type(value)
    if cls is list:
        return elements(inside(value))
    if cls is deque:
        return deque(inside(value) if value.maxlen is not None else elements(inside(value)), value.maxlen)
    if cls is tuple:
        return tuple(inside(value))
    if cls is slice:
        return slice(*inside((value.start, value.stop, value.step)))
    if cls is ChainMap:
        return ChainMap(*inside(value.maps))
    if cls is OrderedDict:
        return OrderedDict(rows(value))
    if cls is defaultdict:
        return defaultdict(None, entries(rows(value)))
    if cls is Counter:
        return Counter(dict(entries(rows(value))))
    return dict(entries(rows(value))) if cls is dict else value


def shuffled(value: Any, draw: random.Random) -> Any:
    """The same data, every dict in another order."""
    return rebuilt(value, lambda rows: draw.sample(rows, len(rows)), list)


def ordered(value: Any) -> Any:
    """The same data, every dict in the order of its bytes."""
    return rebuilt(value, lambda rows: sorted(rows, key=lambda row: [CORE.packb(each) for each in row]), list)


def sprinkled(value: Any, draw: random.Random) -> tuple[Any, int]:
    """The same data with machinery among it, and how often."""
    count = 0

    def lost() -> Any:
        nonlocal count
        count += 1
        return draw.choice(specimens()).obj

    def more(rows: Rows) -> Rows:
        extra = [(f"machinery {'m' * draw.choice((1, FOLD))} {at}", lost()) for at in range(draw.randrange(3))]
        return draw.sample(rows + extra, len(rows) + len(extra))

    def among(items: list[Any]) -> list[Any]:
        return [each for item in items for each in (*[lost() for _ in range(draw.randrange(2))], item)]

    return rebuilt(value, more, among), count


@FEWER
@given(larger(data()), st.randoms(use_true_random=False))
def test_the_order_of_dicts_does_not_show(value: Any, draw: random.Random) -> None:
    """Clean data whose dicts are in another order, at any depth, has the same fingerprint."""
    assert CORE.fingerprint(shuffled(value, draw)) == CORE.fingerprint(value)


@FEWER
@given(larger(data()), st.randoms(use_true_random=False))
def test_machinery_beside_the_data_does_not_show(value: Any, draw: random.Random) -> None:
    """Clean data with machinery as entries of its dicts and elements of its lists has one fingerprint, reported."""
    beside, count = sprinkled(value, draw)
    found, report = CORE.fingerprint_with_report(beside)
    assert found == CORE.fingerprint(value)
    assert len(report) == count


_AROUND: tuple[Callable[[Any], Any], ...] = (
    *(
        lambda value: [value],
        lambda value: (1, value),
        lambda value: {"b": value, "a": 1},
        lambda value: deque([value]),
    ),
    *(lambda value: OrderedDict(b=value, a=1), lambda value: {1: [value, value]}, lambda value: ["p" * FOLD, value]),
    *(lambda value: {"b": value, "a": "p" * FOLD}, lambda value: [value, []], lambda value: [[], value]),
)


def pairs() -> st.SearchStrategy[tuple[Any, Any]]:
    """Two values, some of them the same data in another order of dicts."""
    either = st.one_of(leaves(), data())
    return st.one_of(st.tuples(either, either), data().map(lambda value: (value, shuffled(value, random.Random(7)))))


@FEWER
@given(pairs(), st.lists(st.sampled_from(_AROUND), max_size=5))
def test_whatever_differs_anywhere_differs(pair: tuple[Any, Any], around: list[Callable[[Any], Any]]) -> None:
    """Two values have one fingerprint exactly if their bytes are the same once every dict is in order."""
    one, other = pair
    for wrap in around:
        one, other = wrap(one), wrap(other)
    same = CORE.packb(ordered(one)) == CORE.packb(ordered(other))
    assert (CORE.fingerprint(one) == CORE.fingerprint(other)) is same


@FEWER
@given(larger(graphs()))
def test_what_sifting_leaves_has_the_same_fingerprint(value: Any) -> None:
    """A fingerprint is that of the sanitized value, and of the value read back from its bytes."""
    found = CORE.fingerprint(value)
    assert CORE.fingerprint(CORE.sanitize(value)) == found
    assert CORE.fingerprint(CORE.unpackb(CORE.packb(value))) == found


def main() -> None:
    """Print the fingerprint and the report of every value."""
    for value in values():
        found, report = core().fingerprint_with_report(value)
        text = str(report).replace("\n", "|").encode("unicode_escape").decode()
        sys.stdout.write(f"{found} {text}\n")


def test_hash_seed_and_process_do_not_show() -> None:
    """Processes with different hash seeds and addresses give the same fingerprints and the same reports."""
    outputs = set()
    for seed in SEEDS:
        command = [sys.executable, "-W", "ignore", "-m", "tests.properties.test_fingerprint"]
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
        )
        outputs.add(done.stdout)
    assert len(outputs) == 1
    assert len(outputs.pop().splitlines()) == len(values())


if __name__ == "__main__":
    main()
