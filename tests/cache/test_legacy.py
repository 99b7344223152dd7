"""Entries that were there before: what is read, what is refused, and that nothing runs."""

import collections
import pickle
import sys
from typing import Any

import pytest

from siftpack import PolicyError
from siftpack.cache import MISSING, Cache, Legacy, MemoryBackend, Pickles, UserCache
from siftpack.cache.legacy import MAC_BYTES

NAME = "app:u:k"
SECRET = b"a secret of some bytes"
ALLOWED = Pickles(SECRET, allow=[("collections", "OrderedDict")])


class Evil:
    """A pickle of it would run code."""

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("import this_module_is_never_imported",)


def reading(data: bytes, legacy: Legacy | None, ttl: int | None = None) -> tuple[Cache, UserCache, MemoryBackend]:
    store = MemoryBackend()
    store.set(NAME, data, ttl)
    cache = Cache(store, namespace="app", legacy=legacy)
    return cache, cache.for_user("u"), store


@pytest.mark.parametrize(
    ("data", "value", "form"),
    [
        (b'{"a": [1, null]}', {"a": [1, None]}, "json"),
        (b' "x"', "x", "json"),
        (b"true", True, "json"),
        (b"-1.5", -1.5, "json"),
        (b"42", 42, "integer"),
        (b"-7", -7, "integer"),
        ("grüße".encode(), "grüße", "text"),
        (b"", "", "text"),
    ],
)
def test_what_readers_read(data: bytes, value: Any, form: str) -> None:
    """JSON, integers of INCR and text come back as values, each in its own format."""
    cache, user, _ = reading(data, Legacy(text=True))
    assert user.get("k") == value
    assert type(user.get("k")) is type(value)
    entry = user.get_entry("k")
    assert entry.format == form  # type: ignore[union-attr]
    assert cache.stats()["formats"] == {form: 3}


@pytest.mark.parametrize(
    ("data", "legacy", "why"),
    [
        (b'{"a": 1}', None, "legacy"),
        (b"42", Legacy(json=False, integers=False), "legacy"),
        (b'{"a": 1}', Legacy(json=False), "legacy"),
        (b'{"a": ', Legacy(), "bad_legacy"),
        (b"[" * 100_000, Legacy(), "bad_legacy"),
        (b"nothing", Legacy(text=True), "bad_legacy"),
        (b"1" * 5000, Legacy(), "bad_legacy"),
        (b"-", Legacy(), "bad_legacy"),
        (b'{"x": NaN}', Legacy(), "bad_legacy"),
        (b'{"x": "\xff"}', Legacy(), "bad_legacy"),
        (b"hello", Legacy(), "foreign"),
        (b"\xff\xfe", Legacy(text=True), "foreign"),
        (pickle.dumps([1]), Legacy(text=True), "legacy"),
    ],
)
def test_what_readers_refuse(data: bytes, legacy: Legacy | None, why: str) -> None:
    """A reader that is off, or does not like what it sees, makes a miss; none is tried after another."""
    cache, user, _ = reading(data, legacy)
    assert user.get("k") is MISSING
    assert cache.stats()["misses_by_reason"] == {why: 1}


def test_our_text_is_not_read_by_the_text_reader() -> None:
    """A rendering that the cache wrote stays a miss, whatever readers are on."""
    cache, user, _ = reading(b"x", Legacy(text=True))
    from siftpack import Limits

    small = Cache(cache._backend, namespace="app", limits=Limits(nodes=1)).for_user("u")
    assert not small.set("k", [[[]]])
    assert user.get("k") is MISSING
    assert cache.stats()["misses_by_reason"] == {"text": 1}


def test_a_signed_pickle_is_read_and_becomes_ours() -> None:
    """A pickle signed for its key is read, and written back as ours for the time it had left."""
    value = {"a": (1, {2}), "o": collections.OrderedDict(x=1)}
    signed = ALLOWED.sign(NAME, pickle.dumps(value))
    cache, user, store = reading(signed, Legacy(pickle=ALLOWED), 60_000)
    assert user.get("k") == value
    assert (store.get(NAME) or b"")[:1] == b"\xc1"
    assert 50_000 < store.ttl(NAME) <= 60_000
    assert user.get_many(["k"]) == {"k": value}
    assert cache.stats()["formats"] == {"pickle": 1, "msgpack": 1}


def bomb() -> bytes:
    """A few bytes that make the unpickler reserve gigabytes."""
    return b"\x80\x04Nr\xff\xff\xff\x7f."


@pytest.mark.parametrize(
    "body",
    [
        pickle.dumps(Evil()),
        pickle.dumps(collections.Counter("abc")),
        pickle.dumps(Evil),
        bomb(),
        b"\x80\x04\x96\xff\xff\xff\xff\x00\x00\x00\x00.",
        b"\x80\x04P1\n.",
        b"\x80\x04cos\nsystem\n(S'true'\ntR.",
        b"\x80\x04\x82\x01.",
        b"\x80\x04",
        pickle.dumps([1]) + b"trailing",
        pickle.dumps([1])[:-1],
        b"\x80\x04]\x94h\x05.",
    ],
)
def test_signed_pickles_that_are_refused(body: bytes) -> None:
    """Opcodes, memo numbers and names that are not allowed are refused though the signature is right."""
    cache, user, _ = reading(ALLOWED.sign(NAME, body), Legacy(pickle=ALLOWED))
    assert user.get("k") is MISSING
    assert cache.stats()["misses_by_reason"] == {"bad_legacy": 1}
    assert "this_module_is_never_imported" not in sys.modules


def test_pickles_must_be_signed_for_their_key() -> None:
    """No signature, another secret, another key, a changed byte or too many bytes: a miss, before anything is read."""
    good = pickle.dumps([1])
    signed = ALLOWED.sign(NAME, good)
    bad = [
        good,
        good + bytes(MAC_BYTES),
        Pickles(b"another secret ....").sign(NAME, good),
        ALLOWED.sign("app:v:k", good),
        signed[:12] + bytes((signed[12] ^ 1,)) + signed[13:],
        ALLOWED.sign(NAME, pickle.dumps("x" * 2000)),
    ]
    for data in bad:
        _, user, _ = reading(data, Legacy(pickle=Pickles(SECRET, max_bytes=1000)))
        assert user.get("k") is MISSING
    _, user, _ = reading(signed, Legacy(pickle=Pickles(SECRET, max_bytes=1000)))
    assert user.get("k") == [1]


@pytest.mark.parametrize(
    "options",
    [
        {"json": 1},
        {"pickle": True},
        {"pickle": b"secret"},
    ],
)
def test_readers_are_switched_on_by_what_they_are(options: dict[str, Any]) -> None:
    """Readers take bools, and a ``Pickles`` for pickles."""
    with pytest.raises(PolicyError):
        Legacy(**options)


@pytest.mark.parametrize(
    "options",
    [{"secret": b"short"}, {"secret": "text of some length"}, {"max_bytes": 0}, {"allow": ["os.system"]}],
)
def test_pickles_want_a_secret_and_exact_names(options: dict[str, Any]) -> None:
    """A secret has 16 bytes at least, a bound is positive, and names are pairs."""
    with pytest.raises(PolicyError):
        Pickles(**{"secret": SECRET, **options})


def test_secrets_are_not_shown_or_pickled() -> None:
    """Neither the words for it nor a pickle of it give the secret away."""
    assert "secret" not in repr(ALLOWED)
    with pytest.raises(TypeError, match="secret"):
        pickle.dumps(Legacy(pickle=ALLOWED))
