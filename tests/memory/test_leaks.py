"""No call leaves anything behind: not in memory, not in the reference counts of what it was given."""

import datetime as dt
import gc
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from siftpack.errors import EncodeError, LimitExceeded
from siftpack.policy import Action, Kind, Limits, Policy
from siftpack.testing import zoo
from siftpack.testing.machinery import hashable_specimens, specimens
from tests.conftest import core
from tests.hostile.positions import HASHED, PLAIN

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module", autouse=True)
def settled() -> Iterator[None]:
    """What is there already is set aside, so that a collection looks at the tests' own objects alone."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


SOAK = 100_000
"""Short-lived objects, each of a class of its own."""
GROWTH = """
import gc, os, sys
from pathlib import Path
from unittest.mock import MagicMock, Mock
import siftpack

def resident():
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def opaque(at):
    return type(f"Short{at}", (), {"__slots__": ("a", "__dict__")})()

def sub(at):
    made = type(f"Sub{at}", (list,), {})([at])
    made.extra = at
    return made

def error(at):
    return type(f"Error{at}", (Exception,), {})("m", at)

MAKERS = {"mock": lambda at: MagicMock(), "class": opaque, "subclass": sub, "error": error}
make, count = MAKERS[sys.argv[1]], int(sys.argv[2])

def run(times):
    for at in range(times):
        siftpack.packb({"a": make(at), "b": [at]})
        if at % 10 == 0:
            siftpack.packb_with_report([make(at)])[1].counts
            siftpack.sanitize((make(at),))

run(count // 10)
before = resident()
run(count)
sys.stdout.write(str(resident() - before))
"""


@pytest.mark.full
@pytest.mark.resident
@pytest.mark.parametrize("kind", ["mock", "class", "subclass", "error"])
def test_short_lived_classes_leave_memory_flat(kind: str) -> None:
    """Instances without number, each of a class of its own, leave nothing behind once they are gone."""
    command = [sys.executable, "-c", GROWTH, kind, str(SOAK)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=True)
    assert int(done.stdout) <= 84 * SOAK


class Marker:
    """Something whose references are counted."""

    __slots__ = ()


MOMENT = dt.datetime(2024, 1, 1, 2, 3, 4, 5, dt.timezone(dt.timedelta(hours=5), "X"))
TARGETS: dict[str, Callable[[], Any]] = {
    **{f"in {name}": (lambda build=each.build: build) for name, each in {**PLAIN, **HASHED}.items()},
    **{f"zoo {at}": (lambda make=make: make) for at, make in enumerate(zoo.WRAPS)},
}


def counted(build: Callable[[Any], Any]) -> tuple[Any, list[Any]]:
    """A graph, and the parts of it that are looked at: a string, an int, a marker object, a list, a datetime."""
    parts = [f"some {SOAK} text", 2**90 + 1, [1, 2], dict.fromkeys(["k"], 1), MOMENT, Marker(), (1, [2])]
    built = []
    for part in parts:
        try:
            built.append(build(part))
        except (TypeError, ValueError):
            built.append([part])
    return built, [*parts, *built, build]


def references(parts: list[Any]) -> list[int]:
    """The reference count of each, and of its type."""
    return [sys.getrefcount(part) for part in parts] + [sys.getrefcount(type(part)) for part in parts]


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_reference_counts_are_as_before(name: str) -> None:
    """Writing, copying and inspecting a graph, and reading its bytes, leave every reference count as it was."""
    value, parts = counted(TARGETS[name]())
    calls = (core().packb, core().packb_with_report, core().sanitize, core().inspect, core().fingerprint)
    for call in (*calls, lambda graph: core().unpackb(core().packb(graph))):
        call(value)
        gc.collect()
        before = references(parts)
        for _ in range(5):
            call(value)
        gc.collect()
        assert references(parts) == before


ERRORS: dict[str, tuple[type, dict[str, Any]]] = {
    **{f"nodes {at}": (LimitExceeded, {"limits": Limits(nodes=at)}) for at in range(1, 30, 4)},
    **{f"depth {at}": (LimitExceeded, {"limits": Limits(depth=at)}) for at in range(1, 4)},
    **{f"bytes {at}": (LimitExceeded, {"limits": Limits(bytes=at)}) for at in range(1, 90, 9)},
    "str_bytes": (LimitExceeded, {"limits": Limits(str_bytes=8)}),
    "container_keys": (LimitExceeded, {"limits": Limits(container_keys=1)}),
    "key_depth": (LimitExceeded, {"limits": Limits(key_depth=1)}),
    **{
        f"raise {kind}": (EncodeError, {"policy": Policy({kind: Action.RAISE})})
        for kind in (Kind.FUNCTION, Kind.PRIVATE)
    },
    "raise opaque": (EncodeError, {"policy": Policy({Kind.OPAQUE: Action.RAISE})}),
    "raise record": (EncodeError, {"policy": Policy({Kind.RECORD: Action.RAISE})}),
    "raise secret": (EncodeError, {"policy": Policy({Kind.SECRET: Action.RAISE})}),
    "raise cycle": (EncodeError, {"policy": Policy({Kind.CYCLE: Action.RAISE})}),
}


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_an_error_leaves_reference_counts_as_before(name: str) -> None:
    """A walk that ends in an error gives back every reference it took."""
    error, options = ERRORS[name]
    text, record, items = f"a longer {SOAK} text", zoo.Held(1, "k"), [zoo.Opaque(a=1, _b=2)]
    loop: list[Any] = [items]
    loop.append(loop)
    keys = {("k", ("in", (1,))): text, frozenset([(2,)]): record, (3,): {(4, 5), (6,)}}
    value = {"a": {"b": [text, items, {"c": keys}]}, "r": (record, loop), "s": {text, (7,)}, "f": [len, {"g": len}]}
    parts = [value, text, record, items, loop, keys, len, *keys, *value.values()]

    def attempt(call: Any) -> None:
        with pytest.raises(error):
            call(value, **options)

    calls = [core().packb, core().packb_with_report, core().fingerprint]
    if not name.startswith(("bytes", "str_bytes")):
        calls += [core().sanitize, core().inspect]
    for call in calls:
        attempt(call)
        gc.collect()
        before = references(parts)
        for _ in range(4):
            attempt(call)
        gc.collect()
        assert references(parts) == before


def test_a_bad_payload_leaves_nothing() -> None:
    """Reading a payload that turns out bad leaves no object and no block behind."""
    payload = core().packb([{"a": [1, {2, 3}, ("t", {"k": [b"x"]})]}, MOMENT, {(1, 2): [zoo.Opaque(a=[1])]}])

    def attempt() -> None:
        for end in range(len(payload)):
            with pytest.raises(ValueError, match="offset"):
                core().unpackb(payload[:end])

    attempt()
    gc.collect()
    before = sys.getallocatedblocks()
    for _ in range(5):
        attempt()
    gc.collect()
    assert sys.getallocatedblocks() - before < 200


def test_machinery_is_not_kept_alive() -> None:
    """A report that has been looked at keeps types, never the objects that were left out."""
    lost = [each.obj for each in specimens()]
    before = [sys.getrefcount(each) for each in lost]
    report = core().inspect([lost, {each.obj: 1 for each in hashable_specimens()}])
    assert len(report) > len(lost)
    assert report.findings
    gc.collect()
    counted = [sys.getrefcount(each) for each in lost]
    assert [after - count for after, count in zip(counted, before, strict=True) if after > count + 200] == []
