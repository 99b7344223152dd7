"""Every allocation fails once: the answer is ``MemoryError`` or the value, and the interpreter goes on."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SWEEP = """
import sys
import _testcapi
import siftpack
from collections import Counter, OrderedDict, deque
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

@dataclass
class Record:
    a: object
    b: object = "text"

class Opaque:
    def __init__(self, x):
        self.x = x
        self._y = x

def graph():
    base = {"list": [1, 2.5, "three", b"four", None, 2**80, "\\ud800"], ("key", 1): {1, "a", (2, 3)}}
    rich = [datetime(2024, 1, 1, tzinfo=UTC), Decimal("1.5"), deque([1], 2), OrderedDict(a=1), Counter("ab"), 1j]
    lost = [len, print, Opaque({"k": [1]}), Record([Opaque(1)], {"r": Record(1)}), ValueError("m", [1]), frozenset([1])]
    return {**base, "rich": rich, "lost": lost, "cycle": (lambda x: x.append(x) or x)([1])}

def fresh():
    made = type("Fresh", (Opaque,), {"__slots__": ("s",)})({"k": 1})
    made.s = 2
    return [made, graph()]

value, make = graph(), fresh if sys.argv[2] == "fresh" else graph
call, stop = getattr(siftpack, sys.argv[1]), int(sys.argv[3])
packed = siftpack.packb(value)
framed = siftpack.dumps(value)
source = {"unpackb": lambda: packed, "loads": lambda: framed}.get(sys.argv[1], make)
expected = call(source())
bad, failures, at, quiet = [], 0, 0, 0
start, end = _testcapi.set_nomemory, _testcapi.remove_mem_hooks

def attempt(argument, first, last):
    # Kept short: the interpreter cannot leave a handler far into a long function while nothing can be allocated.
    start(first, last)
    try:
        call(argument)
    except MemoryError:
        end()
        return MemoryError
    except BaseException as error:
        end()
        return repr(error)
    end()
    return None

while quiet < 200 and at < 6000:
    raised = attempt(source(), at, at + 1 if stop else 0)
    quiet = 0 if raised else quiet + 1
    failures += raised is MemoryError
    if raised not in (None, MemoryError):
        bad.append((at, raised))
    at += 1
after = siftpack.packb(value) == packed
sys.stdout.write(f"{bad[:5]} {failures > 0} {after} {at < 6000}")
"""


@pytest.mark.parametrize("stop", ["1", "0"], ids=["once", "onwards"])
@pytest.mark.parametrize("kind", ["known", "fresh"])
@pytest.mark.parametrize(
    "name", ["packb", "packb_with_report", "fingerprint", "sanitize", "inspect", "dumps", "unpackb", "loads"]
)
def test_a_failed_allocation_is_a_memory_error_or_nothing(name: str, kind: str, stop: str) -> None:
    """With the n-th allocation failing, once or onwards, a call gives its value or ``MemoryError``, for every n."""
    done = subprocess.run(
        [sys.executable, "-c", SWEEP, name, kind, stop],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "[] True True True"), done.stderr[-2000:]


CEILING = """
import resource, sys
import siftpack
value = ["x" * 1000] * 400_000
siftpack.packb([1])
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]) * 2**20,) * 2)
for call in (siftpack.packb, siftpack.dumps, lambda v: siftpack.packb([bytearray(300_000_000)])):
    try:
        call(value)
        sys.stdout.write("written ")
    except MemoryError:
        sys.stdout.write("MemoryError ")
assert siftpack.unpackb(siftpack.packb([1])) == [1]
"""


@pytest.mark.resident
def test_an_address_space_that_ends_is_a_memory_error() -> None:
    """Native allocations that fail are ``MemoryError`` too, and the next call works."""
    done = subprocess.run(
        [sys.executable, "-c", CEILING, "300"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "MemoryError MemoryError MemoryError "), done.stderr[-2000:]
