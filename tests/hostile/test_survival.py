"""Objects that raise, hang or answer everything from every method, and values far too deep or far too large."""

import math
import subprocess
import sys
import time
import timeit
from collections import OrderedDict, deque
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from siftpack.errors import DecodeError, EncodeError, LimitExceeded
from siftpack.policy import Kind, Limits
from siftpack.testing import same
from tests.conftest import core

ROOT = Path(__file__).resolve().parents[2]
METHODS = (
    "repr str hash len iter next bool getattr getattribute eq dir reduce reduce_ex index int float bytes call format"
)
METHODS += " getitem contains getstate fspath await aiter enter exit instancecheck deepcopy copy sizeof length_hint"


def _hang(*_: Any) -> Any:
    while True:
        time.sleep(0.01)


def _interrupt(*_: Any) -> Any:
    raise KeyboardInterrupt


def _exit(*_: Any) -> Any:
    raise SystemExit


def _fail(*_: Any) -> Any:
    raise ValueError("from inside")


def _large(*_: Any) -> Any:
    return "x" * 200_000_000


def _answer(self: Any, *_: Any) -> Any:
    return self


BEHAVIOURS = {each.__name__: each for each in (_hang, _interrupt, _exit, _fail, _large, _answer)}


def made(behaviour: Any, base: type = object) -> Any:
    """An object all of whose methods and properties behave so."""
    body = {f"__{name}__": behaviour for name in METHODS.split() if name != "next" or base is object}
    for iteration in ("__next__", "__await__"):
        body.pop(iteration, None)
    for name in ("__class__", "model_dump", "_asdict", "__fields__", "value", "name"):
        body[name] = property(behaviour)
    return base.__new__(type.__new__(type, "Awkward", (base,), body))


@pytest.mark.timeout(20)
@pytest.mark.parametrize("base", [object, Exception, list, dict, str, int], ids=lambda base: base.__name__)
@pytest.mark.parametrize("name", sorted(BEHAVIOURS))
def test_no_behaviour_of_a_method_is_met(subject: Any, name: str, base: type) -> None:
    """Methods that hang, raise, exit or return 200 MB are not run, whatever base the object has."""
    awkward = made(BEHAVIOURS[name], base)
    built = [1, awkward, {"k": awkward}, (awkward,), 2]
    payload, report = subject.packb_with_report(built)
    copy = subject.sanitize(built)
    assert same(subject.unpackb(payload), copy)
    assert (copy[0], copy[-1]) == (1, 2)
    assert str(report)
    assert len(payload) < 1000


LIES = (dict, list, str, int, type(None), type, mock.Mock, BaseException, float)


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_a_class_that_lies_is_not_believed(subject: Any, lie: type) -> None:
    """An object is what its type is, whatever its ``__class__`` says."""
    liar = type("Liar", (), {"__class__": property(lambda self: lie)})()
    liar.field = 1
    assert isinstance(liar, lie)
    assert subject.sanitize([liar]) == [{"field": 1}]


def test_a_mock_with_a_spec_is_a_mock(subject: Any) -> None:
    """A mock that claims to be a dict is still a mock."""
    found = subject.inspect({"m": mock.MagicMock(spec=dict)}).findings
    assert [(each.path, each.kind) for each in found] == [("$.m", Kind.MOCK)]


DEPTH = 10_000
DEEP = """
import sys, threading
from dataclasses import dataclass
from types import SimpleNamespace
import siftpack
from siftpack.testing import same

@dataclass
class Record:
    inner: object

class Opaque:
    def __init__(self, inner):
        self.inner = inner

SHAPES = {
    "list": lambda x: [x],
    "dict": lambda x: {"k": x},
    "tuple": lambda x: (x,),
    "record": Record,
    "opaque": Opaque,
    "mixed": lambda x: [{"k": (Opaque(x),)}],
    "error": lambda x: ValueError(x),
}
wrap = SHAPES[sys.argv[1]]
levels = {"mixed": 2_500, "error": 5_000}.get(sys.argv[1], 10_000)
value = 1
for _ in range(levels):
    value = wrap(value)
siftpack.packb([Record(1), Opaque(1), ValueError(1), (1,), {"k": [1]}])
results = []

def work():
    payload, report = siftpack.packb_with_report(value)
    copy = siftpack.sanitize(value)
    back = siftpack.unpackb(payload)
    assert siftpack.fingerprint(value) == siftpack.fingerprint(copy) == siftpack.fingerprint(back)
    results.append((report.clean, len(siftpack.inspect(value)), copy, back, siftpack.loads(siftpack.dumps(value))))

threading.stack_size(int(sys.argv[2]))
thread = threading.Thread(target=work)
thread.start()
thread.join()
clean, found, copy, back, framed = results.pop()
assert clean and not found
assert same(copy, back) and same(back, framed)
sys.stdout.write("survived")
"""


@pytest.mark.parametrize("shape", ["list", "dict", "tuple", "record", "opaque", "mixed", "error"])
@pytest.mark.parametrize("stack", [65_536, 32_768])
def test_ten_thousand_levels_fit_a_small_stack(shape: str, stack: int) -> None:
    """Values 10 000 levels deep are written, copied, inspected and read in a thread with a tiny stack."""
    command = [sys.executable, "-c", DEEP, shape, str(stack)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "survived"), done.stderr[-2000:]


def nested(levels: int) -> Any:
    """A list in a list."""
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def test_the_depth_limit_is_exact() -> None:
    """A value of exactly ``Limits.depth`` levels is written and read, one level more is refused by both."""
    limit = Limits().depth
    payload = core().packb(nested(limit))
    assert same(core().unpackb(payload), nested(limit))
    assert core().fingerprint(nested(limit)) != core().fingerprint(nested(limit - 1))
    for call in (core().packb, core().sanitize, core().inspect, core().fingerprint):
        with pytest.raises(LimitExceeded, match="depth"):
            call(nested(limit + 1))
    with pytest.raises(DecodeError, match="depth"):
        core().unpackb(b"\x91" + payload)


@pytest.mark.parametrize("levels", [33, 500, 2000])
def test_a_deep_key_is_refused_before_it_is_hashed(levels: int) -> None:
    """A key nested deeper than ``key_depth`` is a ``LimitExceeded``, not a hash of it."""
    key: Any = 1
    for _ in range(levels):
        key = (key,)
    for call in (core().packb, core().sanitize, core().inspect, core().fingerprint):
        with pytest.raises(LimitExceeded):
            call({key: 1})


BOMBS = {
    "list": lambda x: [x, x],
    "tuple": lambda x: (x, x),
    "dict": lambda x: {"a": x, "b": x},
    "deque": lambda x: deque([x, x]),
    "ordered": lambda x: OrderedDict(a=x, b=x),
    "values": lambda x: [{"a": x, "b": x}.values()],
    "error": lambda x: ValueError(x, x),
}


def bomb(shape: str, levels: int = 64) -> Any:
    """A small graph that unfolds to two to the number of its levels."""
    value: Any = "x"
    for _ in range(levels):
        value = BOMBS[shape](value)
    return value


def peers_time() -> float:
    """Seconds in which ormsgpack writes as many lists, and as many strings, as a bomb has before the limit is met."""
    import ormsgpack

    lists: list[list[str]] = [["x", "x"], []] * (Limits().nodes // 2)
    return min(timeit.repeat(lambda: ormsgpack.packb(lists), number=1, repeat=5))


@pytest.mark.alone
@pytest.mark.parametrize(("shape", "seconds"), [("list", 0.05), ("tuple", 0.05), ("dict", 0.15)])
def test_a_bomb_is_refused_at_once(shape: str, seconds: float) -> None:
    """A graph of 2**64 nodes is a ``LimitExceeded`` within 50 ms; of dicts, which have keys to write, within 150.

    On a slow machine: within three times what ormsgpack takes to write as much without a limit.
    """
    value, best = bomb(shape), math.inf
    seconds = max(seconds, 3 * peers_time())
    for _ in range(40):  # what else the machine does at the time is no matter
        start = time.perf_counter()
        with pytest.raises(LimitExceeded, match="nodes"):
            core().packb(value)
        best = min(best, time.perf_counter() - start)
        if best < seconds:
            break
    assert best < seconds


@pytest.mark.parametrize("shape", sorted(BOMBS))
def test_every_kind_of_bomb_is_refused_by_every_function(subject: Any, shape: str) -> None:
    """Whatever container shares its contents, the node budget stops every function."""
    for call in (subject.packb, subject.sanitize, subject.inspect, subject.packb_with_report, subject.fingerprint):
        with pytest.raises(LimitExceeded):
            call(bomb(shape), limits=Limits(nodes=2_000))


PEAK = """
import re, sys
from pathlib import Path
import siftpack

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

value = "x"
for _ in range(64):
    value = [value, value]
siftpack.packb([1])
before = peak()
for _ in range(3):
    try:
        siftpack.packb(value)
    except siftpack.LimitExceeded:
        pass
sys.stdout.write(str(peak() - before))
"""


@pytest.mark.resident
def test_a_bomb_leaves_memory_flat() -> None:
    """Refusing a bomb takes no more memory than the bytes of the nodes it was allowed."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert int(done.stdout) < 32 * 1024


def test_limit_errors_name_the_path_and_the_limit(subject: Any) -> None:
    """A ``LimitExceeded`` is an ``EncodeError`` that says where and which bound."""
    with pytest.raises(LimitExceeded, match=r"\$\.a\[0\].*Limits\.depth") as raised:
        subject.packb({"a": [[1]]}, limits=Limits(depth=2))
    assert isinstance(raised.value, EncodeError)
