"""Sealed entries: nothing moved, changed, forged, old or unsealed is read."""

import pickle
import random
import threading

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

import siftpack
from siftpack import PolicyError
from siftpack.cache import MISSING, Cache, MemoryBackend, Seal
from siftpack.cache.frames import HEAD, key_digest
from siftpack.cache.seal import NONCE_BYTES, TAG_BYTES

ONE, TWO = bytes(range(32)), bytes(range(32, 64))
TRIES = 10_000


def sealed(store: MemoryBackend, seal: Seal | None = None, **options: object) -> Cache:
    return Cache(store, namespace="app", seal=seal or Seal({1: ONE}), **options)


def reasons(cache: Cache) -> dict[str, int]:
    found: dict[str, int] = cache.stats()["misses_by_reason"]
    return found


def test_a_sealed_value_comes_back_and_shows_nothing() -> None:
    """Values come back, and neither they nor their keys can be read in the store."""
    store = MemoryBackend()
    user = sealed(store).for_user("u")
    assert user.set("k", {"text": "recognisable words", "f": print})
    data = store.get("app:u:k") or b""
    assert b"recognisable" not in data
    assert data[0] == 0xC1
    assert data[3] == 1
    assert user.get("k") == {"text": "recognisable words"}
    assert user.get_many(["k"]) == {"k": {"text": "recognisable words"}}
    entry = user.get_entry("k")
    assert (entry.lossy, entry.format) == (True, "msgpack")  # type: ignore[union-attr]
    assert user.set("k", None)
    assert user.get("k") is None


def test_a_sealed_frame_is_opened_by_the_words_of_the_format() -> None:
    """Key, associated data and payload are what ``docs/format.md`` says, told apart by nothing of ours."""
    store = MemoryBackend()
    sealed(store, Seal({9: ONE})).for_user("ü").set("k", {"a": 1})
    data = store.get("app:ü:k") or b""

    def parts(*each: bytes) -> bytes:
        return b"".join(len(part).to_bytes(4, "big") + part for part in each)

    info = parts(b"siftpack seal 1", b"app", "ü".encode())
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(ONE)
    names = (b"\x01", b"app", "ü".encode(), "app:ü:k".encode())
    associated = parts(*names, bytes((0, 9)), data[20:28], data[28:36])
    assert data[:4] == b"\xc1\x01\x60\x09"
    assert AESGCM(key).decrypt(data[36:48], data[48:], associated) == siftpack.packb({"a": 1})


def test_two_writes_of_one_value_differ() -> None:
    """Each write has a nonce of its own, so equal values cannot be told in the store."""
    store = MemoryBackend()
    user = sealed(store).for_user("u")
    seen = set()
    for _ in range(100):
        user.set("k", 1)
        seen.add((store.get("app:u:k") or b"")[36:])
    assert len(seen) == 100


PLACES = {
    "users": [(f"user-{number}", "k") for number in range(101)],
    "keys": [("u", f"key-{number}") for number in range(101)],  # one user has one cipher: the associated data are alone
    "both": [(f"user-{number}", f"key-{number}") for number in range(101)],
}


@pytest.mark.parametrize("between", PLACES)
def test_moved_sealed_values_are_refused(between: str) -> None:
    """Ten thousand moves between users and keys, with the digest of the target forged in too: none is read."""
    store = MemoryBackend()
    cache = sealed(store)
    places = {f"app:{user}:{key}": (cache.for_user(user), key) for user, key in PLACES[between]}
    for name, (face, key) in places.items():
        face.set(key, {"of": name})
    bytes_of = {name: store.get(name) or b"" for name in places}
    tried = refused = 0
    for name, (face, key) in places.items():
        for other, data in bytes_of.items():
            if other != name and tried < TRIES:
                forged = data[:4] + key_digest(name) + data[20:]
                store.set(name, forged, None)
                tried += 1
                refused += face.get(key) is MISSING
    assert tried == refused == TRIES
    assert reasons(cache) == {"bad_seal": TRIES}
    for name, (face, key) in places.items():
        store.set(name, bytes_of[name][:4] + key_digest(name) + bytes_of[name][20:], None)
        assert face.get(key) == {"of": name}


def test_flipped_bits_are_refused() -> None:
    """Ten thousand different bits of an entry, each flipped by itself: the entry is not read."""
    store = MemoryBackend()
    cache = sealed(store)
    user = cache.for_user("u")
    user.set("k", {"rows": list(range(700))})
    data = store.get("app:u:k") or b""
    begins, ends = HEAD.size + NONCE_BYTES, len(data) - TAG_BYTES
    sealed_bits = range(begins * 8, ends * 8)
    others = [*range(begins * 8), *range(ends * 8, len(data) * 8)]
    chosen = [*others, *random.Random(5).sample(sealed_bits, TRIES - len(others))]
    refused = 0
    for bit in chosen:
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        store.set("app:u:k", bytes(flipped), None)
        refused += user.get("k") is MISSING
    assert (len(set(chosen)), len(chosen), refused) == (TRIES, TRIES, TRIES)
    assert cache.stats()["hits"] == 0
    store.set("app:u:k", data, None)
    assert user.get("k") == {"rows": list(range(700))}


def test_every_truncation_of_a_sealed_entry_is_a_miss() -> None:
    """A sealed entry cut short anywhere is no value and no error."""
    store = MemoryBackend()
    user = sealed(store).for_user("u")
    user.set("k", "value")
    data = store.get("app:u:k") or b""
    for size in range(len(data)):
        store.set("app:u:k", data[:size], None)
        assert user.get("k") is MISSING


def test_no_downgrade() -> None:
    """A cache with a seal reads nothing without one, and one without a seal reads nothing sealed."""
    store = MemoryBackend()
    plain, closed = Cache(store, namespace="app"), sealed(store)
    for data in (b"42", b'{"a": 1}', b"\x80\x04N."):
        store.set("app:u:k", data, None)
        assert closed.for_user("u").get("k") is MISSING
    plain.for_user("u").set("k", 1)
    assert closed.for_user("u").get("k") is MISSING
    assert reasons(closed) == {"unsealed": 4}
    closed.for_user("u").set("k", 1)
    assert plain.for_user("u").get("k") is MISSING
    assert reasons(plain) == {"sealed": 1}


def test_rotation() -> None:
    """A new key writes while the old one still reads; once it is dropped, what it sealed is a miss."""
    store = MemoryBackend()
    sealed(store).for_user("u").set("old", 1)
    both = sealed(store, Seal({1: ONE, 2: TWO}))
    assert both.for_user("u").get("old") == 1
    both.for_user("u").set("new", 2)
    assert (store.get("app:u:new") or b"")[3] == 2
    alone = sealed(store, Seal({2: TWO}))
    assert alone.for_user("u").get("new") == 2
    assert alone.for_user("u").get("old") is MISSING
    assert reasons(alone) == {"unknown_key": 1}
    swapped = sealed(store, Seal({1: TWO}))
    assert swapped.for_user("u").get("old") is MISSING
    assert reasons(swapped) == {"bad_seal": 1}


def test_a_sealed_end_is_kept_though_the_store_forgets_it() -> None:
    """An entry put back or made to last by somebody else has expired all the same; ``expire`` gives a new end."""
    now = [1_000_000.0]
    store = MemoryBackend()
    cache = sealed(store, wall_clock=lambda: now[0])
    user = cache.for_user("u")
    user.set("k", 1, ttl=60)
    user.set("longer", 1, ttl=60)
    assert user.expire("longer", 3600)
    assert not user.expire("absent", 3600)
    store.expire("app:u:k", None)
    now[0] += 100
    assert user.get("k") is MISSING
    assert reasons(cache) == {"expired": 1}
    assert user.get("longer") == 1
    assert 3000 < user.ttl("longer") <= 3600  # type: ignore[operator]


def test_sealed_text_and_compression() -> None:
    """Renderings and compressed values are sealed like any other, and keep what they are."""
    from siftpack import Limits

    store = MemoryBackend()
    cache = sealed(store, compression="zlib", limits=Limits(nodes=3))
    user = cache.for_user("u")
    assert user.set("k", ["again and again " * 100])
    assert len(store.get("app:u:k") or b"") < 300
    assert user.get("k") == ["again and again " * 100]
    assert user.expire("k", 9)
    assert user.get("k") == ["again and again " * 100]
    assert not user.set("t", [[[[[]]]]])
    assert user.get("t") is MISSING
    assert user.get_entry("t").format == "text"  # type: ignore[union-attr]


def test_one_seal_between_threads() -> None:
    """Many threads and more users than are remembered seal and open at once, and all come back."""
    store = MemoryBackend()
    cache = sealed(store)
    wrong: list[int] = []

    def work(number: int) -> None:
        for each in range(400):
            face = cache.for_user(f"user-{number * 400 + each}")
            face.set("k", [number, each])
            if face.get("k") != [number, each]:
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize(
    ("keys", "active"),
    [
        ({}, None),
        ({0: ONE}, None),
        ({256: ONE}, None),
        ({"1": ONE}, None),
        ({1: b"short"}, None),
        ({1: "x" * 32}, None),
        ({1: ONE, 2: ONE}, None),
        ({1: ONE}, 2),
        ({1: ONE}, "1"),
        ({1: ONE}, True),
        ({True: ONE}, None),
        (5, None),
        (None, None),
        ([1], None),
        ([(1, ONE, 2)], None),
    ],
)
def test_rings_that_make_no_sense(keys: dict[int, bytes], active: int | None) -> None:
    """Ids are from 1 to 255, keys are 32 bytes and differ, and the active one is among them."""
    with pytest.raises(PolicyError):
        Seal(keys, active=active)


def test_keys_are_not_shown_or_pickled() -> None:
    """Neither the words for a seal nor a pickle of it give its keys away."""
    seal = Seal({1: ONE, 7: TWO}, active=1)
    assert repr(seal) == "<Seal of 2 key(s), 1 active>"
    with pytest.raises(TypeError, match="keys"):
        pickle.dumps(seal)
