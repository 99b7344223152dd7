"""Containers that change while they are walked: by the collector, a signal, a thread, a profile hook."""

import contextlib
import gc
import signal
import time
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from siftpack.errors import SiftError
from siftpack.testing import same
from tests.conftest import FULL, core
from tests.hostile.intruders import at_calls, beside

SIZE = 400
TURNS = 3
LARGE = 20_000
WATCHED = SIZE // 4 if FULL else SIZE // 8
"""A hook changes a container at each of many calls for each element, which takes the square of their number."""


class Item:
    """An element whose walk lets the collector in."""

    def __init__(self, number: int) -> None:
        self.number = number


def _fresh(number: int) -> Any:
    """An element of a class of its own: it has to be classified."""
    return type(f"Fresh{number % 7}", (Item,), {})(number)


def _object(items: list[Any]) -> Any:
    made = Item(-1)
    made.__dict__.update({f"f{at}": item for at, item in enumerate(items)})
    return made


SHAPES: dict[str, Callable[[list[Any]], Any]] = {
    "list": list,
    "deque": deque,
    "dict": lambda items: dict(enumerate(items)),
    "named dict": lambda items: {f"k{at}": item for at, item in enumerate(items)},
    "OrderedDict": lambda items: OrderedDict(enumerate(items)),
    "defaultdict": lambda items: defaultdict(None, enumerate(items)),
    "Counter": lambda items: Counter(dict(enumerate(items))),
    "set": lambda items: {(at, f"element {at}", frozenset([at])) for at, _ in enumerate(items)},
    "object": _object,
    "keys": lambda items: {(at, "k"): item for at, item in enumerate(items)},
}


def storage(victim: Any) -> Any:
    """What a mutation changes: the container, or the dict of an object."""
    return vars(victim) if isinstance(victim, Item) else victim


def clear(found: Any) -> None:
    """Empty it."""
    found.clear()


def shrink(found: Any) -> None:
    """Take a few away."""
    for _ in range(3):
        if len(found):
            found.popitem() if isinstance(found, dict) else found.pop()


def grow(found: Any) -> None:
    """Add a few."""
    for at in range(5):
        if len(found) < 3 * SIZE:
            put(found, f"new{len(found)}{at}", [at])


def replace(found: Any) -> None:
    """Put others in place of all of them."""
    count = len(found)
    found.clear()
    for at in range(count):
        put(found, f"new{at}", at)


def put(found: Any, key: str, value: Any) -> None:
    """Add one to whatever it is."""
    if isinstance(found, dict):
        found[key] = value
    elif isinstance(found, set):
        found.add(key)
    else:
        found.append(value)


MUTATIONS = {each.__name__: each for each in (clear, shrink, grow, replace)}


@contextlib.contextmanager
def by_collector(change: Callable[[], None]) -> Iterator[None]:
    """The collector runs at every allocation, and its callback changes the container."""
    before, busy = gc.get_threshold(), []

    def callback(phase: str, info: Any) -> None:
        if not busy:
            busy.append(1)
            change()
            busy.clear()

    gc.callbacks.append(callback)
    gc.set_threshold(1)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(callback)


@contextlib.contextmanager
def by_signal(change: Callable[[], None]) -> Iterator[None]:
    """A timer signal changes the container every tenth of a millisecond."""
    before = signal.signal(signal.SIGALRM, lambda *_: change())
    signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


INTRUDERS = {"collector": by_collector, "profiler": at_calls, "signal": by_signal, "thread": beside}


def victim_of(shape: str, number: int, size: int = SIZE) -> Any:
    """A container of elements that take a while."""
    return SHAPES[shape]([Item(at) if at % 3 else _fresh(at + number) for at in range(size)])


def check(payload: bytes) -> None:
    """The bytes can be read, and what they hold is what was there before or after, never something else."""
    back = core().unpackb(payload)
    before, *kept, after = back
    assert (before, after) == ("before", "after")
    assert len(kept) <= 1
    inner = kept[0] if kept else []
    found = list(inner.values()) if isinstance(inner, dict) else list(inner)
    for item in found:
        known = type(item) is dict and set(item) == {"number"}
        assert known or type(item) in (int, str, list, tuple), item


@pytest.mark.sized
@pytest.mark.parametrize("intruder", ["collector", "profiler"])
@pytest.mark.parametrize("mutation", sorted(MUTATIONS))
@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_a_container_changed_in_mid_walk_is_whole_or_refused(shape: str, mutation: str, intruder: str) -> None:
    """Whatever changes the container, every function gives a readable value or a ``SiftError``."""
    size = WATCHED if intruder == "profiler" else SIZE
    for turn, name in enumerate(("packb", "packb_with_report", "sanitize", "inspect", "fingerprint")):
        victim = victim_of(shape, turn, size)
        found = storage(victim)
        result: Any = None
        with INTRUDERS[intruder](lambda found=found: MUTATIONS[mutation](found)):
            try:
                result = getattr(core(), name)(["before", victim, "after"])
            except SiftError:
                continue
        if name.startswith("packb"):
            check(result if name == "packb" else result[0])
        elif name == "sanitize":
            assert core().inspect(result).clean
            check(core().packb(result))
        elif name == "fingerprint":
            assert bytes.fromhex(result)


@pytest.mark.full
@pytest.mark.parametrize("intruder", ["signal", "thread"])
@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_a_large_container_changed_from_outside_is_whole_or_refused(shape: str, intruder: str) -> None:
    """Signals and threads that clear, shrink, grow and replace a large container break no output."""
    order = [grow, shrink, replace, grow, clear]
    for turn in range(TURNS):
        victim = victim_of(shape, turn, LARGE)
        found, count = storage(victim), [0]

        def change(found: Any = found, count: list[int] = count) -> None:
            count[0] += 1
            with contextlib.suppress(RuntimeError):
                order[count[0] % (len(order) if count[0] > 3 else 2)](found)

        with INTRUDERS[intruder](change), contextlib.suppress(SiftError):
            check(core().packb(["before", victim, "after"]))
            check(core().packb(core().sanitize(["before", victim, "after"])))
            core().fingerprint(["before", victim, "after"])


def test_an_untouched_container_beside_the_changing_one_is_intact() -> None:
    """The siblings of a container that changes in mid-walk are written as they are."""
    sibling = {"a": [1, 2, (3, {"b": {4, 5}})], "c": Item(6)}
    expected = core().sanitize(sibling)
    for mutation in MUTATIONS.values():
        victim = victim_of("list", 0)
        with by_collector(lambda victim=victim, mutation=mutation: mutation(victim)):
            try:
                payload = core().packb([sibling, victim, sibling])
            except SiftError:
                continue
        first, _, last = core().unpackb(payload)
        assert same(first, expected)
        assert same(last, expected)


def test_an_interrupt_in_a_long_walk_passes_through() -> None:
    """Ctrl-C during a long walk is raised out of it, promptly."""
    value = [Item(at) for at in range(400_000)]

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    def walk_on() -> None:
        for _ in range(100):
            core().packb(value)

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        start = time.perf_counter()
        with pytest.raises(KeyboardInterrupt):
            walk_on()
        assert time.perf_counter() - start < 5
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert core().packb([1]) == b"\x91\x01"


def test_unpacking_survives_a_collector_that_looks_at_everything() -> None:
    """A collector callback that touches every tracked object sees nothing half-built while a value is read."""
    payload = core().packb([{"a": [(1, {2}), deque([3])]} for _ in range(50)])

    def look() -> None:
        for found in gc.get_objects()[-200:]:
            if type(found) in (list, dict, tuple, set, deque):
                len(found)
                list(found)

    with by_collector(look):
        back = core().unpackb(payload)
    assert back == [{"a": [(1, {2}), deque([3])]}] * 50
