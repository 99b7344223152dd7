"""Signed pickles that would take the process down, and those that only look as if: what the scan lets through."""

import collections
import datetime as dt
import pickle
import pickletools
import subprocess
import sys
from typing import Any

import pytest

from siftpack import PolicyError
from siftpack.cache import MISSING, Cache, Legacy, MemoryBackend, Pickles
from siftpack.cache.opcodes import DEEPEST, Refused, scan

NAME = "app:u:k"
SECRET = b"a secret of some bytes"
DEEP = b"\x80\x04})" + b"\x85" * 10**6 + b"K\x01s."
BOMBS = {
    "a key a million tuples deep": DEEP,
    "a key of tuples shared twice at each of 40 levels": b"\x80\x04})" + b"2\x86" * 40 + b"K\x01s.",
    "the same in a set": b"\x80\x04\x8f()" + b"2\x86" * 40 + b"\x90.",
    "the same in a frozen set": b"\x80\x04()" + b"2\x86" * 40 + b"\x91.",
    "the same by the memo": b"\x80\x04})\x94"
    + b"".join(b"h" + bytes((n, 104, n)) + b"\x86\x94" for n in range(40))
    + b"K\x01s.",
    "the same as an argument": b"\x80\x04\x8c\x0bcollections\x8c\x07Counter\x93)" + b"2\x86" * 40 + b"\x85R.",
    "the same in a list that is an argument": b"\x80\x04\x8c\x0bcollections\x8c\x07Counter\x93])"
    + b"2\x86" * 40
    + b"a\x85R.",
    "a dear key, again and again": b"\x80\x04}()" + b"2\x86" * 18 + b"\x94" + b"K\x01" + b"h\x00K\x01" * 50 + b"u.",
}


def read(body: bytes, allow: Any = ()) -> tuple[Any, dict[str, int]]:
    """What a cache gives for a pickle that is signed, and its misses."""
    pickles = Pickles(SECRET, allow=allow, max_bytes=2**21)
    store = MemoryBackend()
    store.set(NAME, pickles.sign(NAME, body), None)
    cache = Cache(store, namespace="app", legacy=Legacy(pickle=pickles))
    return cache.for_user("u").get("k"), cache.stats()["misses_by_reason"]


def test_bombs() -> None:
    """A few bytes whose hash would overflow the C stack or never end are a miss, in a process that goes on."""
    program = (
        "from tests.cache.test_pickle_bombs import BOMBS, read\n"
        "for name, body in BOMBS.items(): print(name, read(body, [('collections', 'Counter')]), sep=': ', flush=True)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.splitlines() == [f"{name}: (MISSING, {{'bad_legacy': 1}})" for name in BOMBS]
    assert done.returncode == 0, done.stderr[-500:]


class Plain:
    """An instance with state, and one with slots."""

    def __init__(self) -> None:
        self.state = (1, [2])

    def __eq__(self, other: object) -> bool:
        return type(other) is Plain and vars(other) == vars(self)

    __hash__ = None  # type: ignore[assignment]  # as of any class with __eq__ alone


SHARED: list[int] = [1, 2]
FAIR: list[Any] = [
    {"rows": [(n, f"name {n}", n * 1.5) for n in range(2000)], (1, ("a", frozenset({2}))): {3, 4}},
    [SHARED] * 1000,
    (SHARED, SHARED, {"again": SHARED}),
    collections.OrderedDict((n, (n, n)) for n in range(2000)),
    {frozenset({(n, str(n))}): n for n in range(1000)},
    [Plain(), Plain()],
    dt.datetime(2024, 1, 2, 3, 4, tzinfo=dt.UTC),
    b"x" * 100_000,
    2**1000,
]
ALLOW = [
    ("collections", "OrderedDict"),
    (__name__, "Plain"),
    *(("datetime", name) for name in ("datetime", "timezone", "timedelta")),
]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("value", FAIR, ids=lambda value: type(value).__name__)
def test_pickles_of_plain_values_pass(value: Any, protocol: int) -> None:
    """What ``pickle`` itself writes of data and listed classes is read, shared and nested parts included."""
    more = [("_codecs", "encode"), ("builtins", "set"), ("builtins", "frozenset"), ("copyreg", "_reconstructor")]
    assert read(pickle.dumps(value, protocol=protocol), [*ALLOW, *more]) == (value, {})


def test_depth_has_a_bound() -> None:
    """As deep as is allowed passes, one level more does not."""
    for depth, passes in ((DEEPEST, True), (DEEPEST + 1, False)):
        body = b"\x80\x04})" + b"\x85" * depth + b"K\x01s."
        value, misses = read(body)
        assert (value is not MISSING) is passes
        assert misses == ({} if passes else {"bad_legacy": 1})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x80",
        b"\x80\x04.",
        b"\x80\x04(.",
        b"\x80\x04(K\x01a.",
        b"\x80\x04h\x05.",
        b"\x80\x040.",
        b"\x80\x04K\x01(1",
    ],
)
def test_programs_that_are_none(body: bytes) -> None:
    """Stacks that run empty, marks where values belong and memos that hold nothing are refused."""
    with pytest.raises(Refused):
        scan(body)


def test_old_names_are_listed_by_their_new_ones() -> None:
    """A pickle of an old protocol calls things by names of Python 2; the list is looked up by what would be loaded."""
    body = pickle.dumps({1, 2}, protocol=2)
    assert b"__builtin__" in pickletools.optimize(body)
    assert read(body, [("builtins", "set")])[0] == {1, 2}
    assert read(body, [("__builtin__", "set")])[0] is MISSING


@pytest.mark.parametrize("allow", [5, None, [["a", "b"]], [{}]])
def test_lists_that_are_none(allow: Any) -> None:
    """What is no list of pairs is a clear error."""
    with pytest.raises(PolicyError, match="allow"):
        Pickles(SECRET, allow=allow)


def test_a_secret_is_not_pickled() -> None:
    """``Pickles`` cannot be pickled alone either: that would write its secret down."""
    with pytest.raises(TypeError, match="secret"):
        pickle.dumps(Pickles(SECRET))
