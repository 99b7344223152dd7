"""Frames in the store: what is read, and every way of being a miss with a reason."""

import gzip
import json
import pickle
import zlib
from typing import Any

import msgpack
import pytest

import siftpack
from siftpack import wire
from siftpack._core import dumps_behind
from siftpack.cache import MISSING, Cache, Legacy, MemoryBackend, Seal, UserCache
from siftpack.cache.frames import HEAD, key_digest

VALUE = {"rows": [1, 2.5, "three", None], "more": {"x": (1, 2)}}
NAME = "app:u:k"


@pytest.fixture
def store() -> MemoryBackend:
    """The bytes under the cache."""
    return MemoryBackend()


@pytest.fixture
def cache(store: MemoryBackend) -> Cache:
    """A cache without options."""
    return Cache(store, namespace="app")


@pytest.fixture
def user(cache: Cache) -> UserCache:
    """One user of it."""
    return cache.for_user("u")


def reason(cache: Cache, user: UserCache, store: MemoryBackend, data: bytes) -> str:
    """Why ``data`` under the key is a miss."""
    cache.reset_stats()
    store.set(NAME, data, None)
    assert user.get("k") is MISSING
    assert user.get("k", "mine") == "mine"
    assert user.get_many(["k"]) == {}
    reasons = cache.stats()["misses_by_reason"]
    assert sum(reasons.values()) == 3
    return next(iter(reasons))


def written(user: UserCache, store: MemoryBackend) -> bytes:
    """The bytes of ``VALUE`` under the key."""
    assert user.set("k", VALUE)
    data = store.get(NAME)
    assert data is not None
    return data


def test_layout(user: UserCache, store: MemoryBackend) -> None:
    """An entry is header, digest of its name, the two times, and the payload of ``packb``."""
    data = written(user, store)
    start, digest, issued, expires = HEAD.unpack_from(data)
    assert start == bytes((0xC1, 1, wire.FLAG_BOUND, 0))
    assert digest == key_digest(NAME)
    assert expires - issued == 3_600_000
    assert data[HEAD.size :] == siftpack.packb(VALUE)


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"seal": Seal({1: b"k" * 32})}], ids=str)
@pytest.mark.parametrize(
    "value", [VALUE, {"kept": 1, "lost": print}, [], "text" * 500], ids=["clean", "lossy", "empty", "long"]
)
def test_every_way_of_writing_says_the_same(options: dict[str, Any], value: Any) -> None:
    """An entry that is compressed or sealed is read as one that was written at once, and counted as it."""
    caches = Cache(MemoryBackend(), namespace="app"), Cache(MemoryBackend(), namespace="app", **options)
    entries, counts = [], []
    for cache in caches:
        user = cache.for_user("u")
        assert user.set("k", value)
        entry = user.get_entry("k")
        assert entry is not MISSING
        entries.append((entry.value, entry.format, entry.lossy, entry.ttl is not None))
        counts.append({word: cache.stats()[word] for word in ("sets", "lossy_writes", "findings", "findings_by_type")})
    assert entries[0] == entries[1]
    assert counts[0] == counts[1]
    assert entries[0][2] is (value == {"kept": 1, "lost": print})


@pytest.mark.parametrize("head", [b"", b"\xc1", b"\xc1\x01\x20\x00" + bytes(32), bytes(1000)], ids=len)
def test_what_is_written_behind_a_head(head: bytes) -> None:
    """The payload is that of ``packb``; of the head nothing changes but the flag of what was left out."""
    assert dumps_behind(VALUE, head) == (head + siftpack.packb(VALUE), None)
    data, report = dumps_behind([print], head)
    marked = head[:2] + bytes((head[2] | wire.FLAG_LOSSY,)) + head[3:] if len(head) > 2 else head
    assert data == marked + siftpack.packb([print])
    assert report == siftpack.inspect([print])
    limits = siftpack.Limits(bytes=len(siftpack.packb(VALUE)))
    assert dumps_behind(VALUE, head, limits=limits)[1] is None
    with pytest.raises(siftpack.LimitExceeded):
        dumps_behind([VALUE], head, limits=limits)


def test_a_bound_frame_is_frozen() -> None:
    """The bytes of an entry are the same for every version of the package."""
    store = MemoryBackend()
    cache = Cache(store, namespace="app", wall_clock=lambda: 1_700_000_000.0)
    assert cache.for_user("u").set("k", {"a": 1}, ttl=60)
    frame = "c101200076dc495f7c1ecc47cd2d4078f4025ad00000018bcfe568000000018bcfe6526081a16101"
    assert (store.get(NAME) or b"").hex() == frame


def test_the_digest_is_frozen() -> None:
    """The binding of a name is the same for every version of the package."""
    assert key_digest("app:u:k").hex() == "76dc495f7c1ecc47cd2d4078f4025ad0"


def test_nobody_else_opens_a_bound_frame(user: UserCache, store: MemoryBackend) -> None:
    """``siftpack.loads`` and a ``Serializer`` refuse frames that are bound to a place."""
    data = written(user, store)
    with pytest.raises(siftpack.FrameError):
        siftpack.loads(data)
    with pytest.raises(siftpack.FrameError):
        siftpack.Serializer().loads(data)


def test_every_truncation_is_a_miss(cache: Cache, user: UserCache, store: MemoryBackend) -> None:
    """An entry cut short anywhere is no value and no error."""
    data = written(user, store)
    reasons = {reason(cache, user, store, data[:size]) for size in range(len(data))}
    assert reasons == {"foreign", "truncated", "corrupt"}


@pytest.mark.parametrize(
    ("at", "byte", "why"),
    [
        (1, 2, "version"),
        (2, wire.FLAG_BOUND | 0x04, "flags"),
        (2, wire.FLAG_BOUND | 0x80, "flags"),
        (2, 0, "unbound"),
        (2, wire.FLAG_BOUND | wire.FLAG_SEALED, "sealed"),
        (2, wire.FLAG_BOUND | wire.FLAG_ZLIB, "corrupt"),
        (3, 1, "flags"),
        (4, 0, "moved"),
        (19, 0, "moved"),
        (36, 0xC1, "corrupt"),
    ],
)
def test_headers_that_lie(store: MemoryBackend, at: int, byte: int, why: str) -> None:
    """Each field of the header is looked at, and says why the entry is a miss."""
    cache = Cache(store, namespace="app")
    user = cache.for_user("u")
    data = bytearray(written(user, store))
    data[at] = byte if data[at] != byte else byte ^ 1
    assert reason(cache, user, store, bytes(data)) == why


def test_frames_of_drop_in_serializers_are_unbound(cache: Cache, user: UserCache, store: MemoryBackend) -> None:
    """A frame that is bound to no key is refused: it may have been meant for anybody."""
    assert reason(cache, user, store, siftpack.dumps(VALUE)) == "unbound"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "foreign"),
        (b"\x00", "foreign"),
        (pickle.dumps(VALUE), "legacy"),
        (pickle.dumps(VALUE, protocol=0), "foreign"),
        (json.dumps(VALUE).encode(), "legacy"),
        (b"42", "legacy"),
        (b"true", "legacy"),
        (gzip.compress(b"x" * 100, mtime=0), "foreign"),
        (zlib.compress(b"x" * 100), "foreign"),
        (msgpack.packb(VALUE), "foreign"),
        (b"\xa5hello", "foreign"),
        (b"!redis-cache:1:zstd", "foreign"),
        ("plain text".encode("utf-16"), "foreign"),
    ],
)
def test_bytes_of_others(cache: Cache, user: UserCache, store: MemoryBackend, data: bytes, why: str) -> None:
    """Entries of other formats are misses, told apart by whether a legacy reader could read them."""
    assert reason(cache, user, store, data) == why


def test_compressed_entries(store: MemoryBackend) -> None:
    """A cache may compress; any cache reads it, and one that would expand too far is a miss."""
    long = {"text": "again and again " * 1000}
    small = Cache(store, namespace="app", compression="zlib").for_user("u")
    assert small.set("k", long)
    assert len(store.get(NAME) or b"") < 1000
    assert Cache(store, namespace="app").for_user("u").get("k") == long
    strict = Cache(store, namespace="app", limits=siftpack.Limits(bytes=1000))
    assert strict.for_user("u").get("k") is MISSING
    assert strict.stats()["misses_by_reason"] == {"corrupt": 1}


def test_text_is_never_data(store: MemoryBackend) -> None:
    """The rendering of a refused value is a miss for ``get`` and shows as text in ``get_entry``."""
    cache = Cache(store, namespace="app", policy=siftpack.Policy({siftpack.Kind.FUNCTION: siftpack.Action.RAISE}))
    user = cache.for_user("u")
    assert not user.set("k", {"f": print, "n": 1})
    assert user.get("k") is MISSING
    assert cache.stats()["misses_by_reason"] == {"text": 1}
    entry = user.get_entry("k")
    assert entry is not MISSING
    assert (entry.format, entry.lossy) == ("text", True)  # type: ignore[union-attr]
    assert "builtin_function_or_method" in entry.value  # type: ignore[union-attr]


def test_an_entry_says_what_is_known_of_it(user: UserCache) -> None:
    """``get_entry`` gives value, format, loss, the time it was written, its age and what it has left."""
    user.set("k", {"f": print, "n": 1}, ttl=100)
    entry = user.get_entry("k")
    assert entry is not MISSING
    assert (entry.value, entry.format, entry.lossy) == ({"n": 1}, "msgpack", True)  # type: ignore[union-attr]
    assert 0 <= entry.age < 5  # type: ignore[union-attr,operator]
    assert 95 < entry.ttl <= 100  # type: ignore[union-attr,operator]
    user.set("k", 1, ttl=None)
    assert user.get_entry("k").ttl is None  # type: ignore[union-attr]


def test_a_hit_is_read_through_a_client_that_decodes(cache: Cache, user: UserCache, store: MemoryBackend) -> None:
    """A store that gives text instead of bytes is a miss with a reason, not a wrong value."""
    store.get = lambda name, /: "text"  # type: ignore[method-assign,assignment,return-value]
    assert user.get("k") is MISSING
    assert cache.stats()["misses_by_reason"] == {"decoded": 1}


def test_sealed_caches_have_no_legacy() -> None:
    """A seal and legacy readers contradict each other."""
    with pytest.raises(siftpack.PolicyError, match="sealed"):
        Cache(seal=Seal({1: b"k" * 32}), legacy=Legacy())
