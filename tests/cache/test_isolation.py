"""No user reads another's entry, whatever happens to the bytes."""

import pytest

from siftpack import PolicyError
from siftpack.cache import MISSING, Cache, MemoryBackend

MOVES = 10_000


class Counting(MemoryBackend):
    """Counts how often its connections were distrusted."""

    def __init__(self) -> None:
        super().__init__()
        self.distrusted = 0

    def distrust(self) -> None:
        self.distrusted += 1


def test_the_face_of_many_users_wants_a_user() -> None:
    """On a cache of many users no operation works without naming one; one user, or nobody, is asked for by name."""
    cache = Cache(namespace="app")
    operations = ("get", "get_entry", "delete", "exists", "ttl")
    for operation in operations:
        with pytest.raises(PolicyError, match="for_user"):
            getattr(cache, operation)("k")
    with pytest.raises(PolicyError, match="for_user"):
        cache.set("k", 1)
    with pytest.raises(PolicyError, match="for_user"):
        cache.clear()
    for user in (None, "", 7):
        with pytest.raises(PolicyError, match="user"):
            cache.for_user(user)  # type: ignore[arg-type]
    assert cache.shared().set("k", 1)
    assert cache.for_user("u").get("k") is MISSING
    assert cache.shared().get("k") == 1


def test_a_cache_of_one_user_has_the_operations_itself() -> None:
    """With ``multi_user=False`` the cache itself is the partition of nobody."""
    cache = Cache(namespace="app", multi_user=False)
    assert cache.set("k", 1)
    assert cache.get("k") == cache.shared().get("k") == 1
    assert cache.for_user("u").get("k") is MISSING
    assert cache.clear() == 1


def test_users_and_namespaces_do_not_meet() -> None:
    """One key of two users, or of two namespaces in one store, is two entries."""
    store = MemoryBackend()
    faces = [Cache(store, namespace=space).for_user(user) for space in ("a", "a:b", "b") for user in ("u", "b:u", "*")]
    for number, face in enumerate(faces):
        face.set("k", number)
    assert [face.get("k") for face in faces] == list(range(len(faces)))
    assert faces[2].clear() == 1
    assert [face.exists("k") for face in faces].count(False) == 1
    assert Cache(store, namespace="a").clear_namespace() == 2


def test_values_moved_verbatim_are_refused() -> None:
    """Bytes copied from one key or user to another are a miss, an alarm, and a reason to drop connections."""
    store = Counting()
    cache = Cache(store, namespace="app")
    faces = {number: cache.for_user(f"user-{number}") for number in range(100)}
    for number, face in faces.items():
        face.set("k", {"of": number})
        face.set("other", {"of": number, "key": "other"})
    bytes_of = {number: store.get(f"app:user-{number}:k") or b"" for number in faces}
    refused = 0
    for number, face in faces.items():
        own = store.get(f"app:user-{number}:other") or b""
        for data in [*(bytes_of[each] for each in faces if each != number), own]:
            store.set(f"app:user-{number}:k", data, None)
            refused += face.get("k") is MISSING
    assert refused == MOVES
    stats = cache.stats()
    assert stats["misses_by_reason"] == {"moved": MOVES}
    assert (stats["alarms"], stats["hits"], store.distrusted) == (MOVES, 0, MOVES)
