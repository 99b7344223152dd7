"""Both shells, driven by the same tests: what they do around the decisions they share."""

import pickle
from collections.abc import Callable
from typing import Any

import pytest
import redis.exceptions as errors

from siftpack import EncodeError
from siftpack.cache import MISSING, Legacy, Pickles, Seal
from tests.cache.shells import Failing, Make

LOSSY = {"n": 1, "f": print}
PICKLES = Pickles(b"a secret of some bytes")


OPERATIONS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "get": (lambda user: user.get("k", "default"), "default"),
    "get_entry": (lambda user: user.get_entry("k"), MISSING),
    "set": (lambda user: user.set("k", 1), False),
    "set refused": (lambda user: user.set("k", print), False),
    "delete": (lambda user: user.delete("k"), False),
    "exists": (lambda user: user.exists("k"), False),
    "expire": (lambda user: user.expire("k", 1), False),
    "ttl": (lambda user: user.ttl("k"), MISSING),
    "get_many": (lambda user: user.get_many(["k", "j"]), {}),
    "set_many": (lambda user: user.set_many({"k": 1, "j": print}), {"k": False, "j": False}),
    "delete_many": (lambda user: user.delete_many(["k"]), 0),
    "clear": (lambda user: user.clear(), 0),
    "size": (lambda user: user.size_estimate().entries, 0),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_store_without_a_fallback_that_fails(make: Make, name: str) -> None:
    """Each operation gives what it gives for an absent entry, and counts the error; reads count as misses."""
    store = Failing()
    cache = make(store)
    user = cache.for_user("u")
    user.set("k", "old")
    cache.reset_stats()
    store.error = errors.ConnectionError("away")
    call, expected = OPERATIONS[name]
    assert call(user) == expected
    stats = cache.stats()
    assert stats["errors_by_kind"].keys() == {"unreachable"}
    reads = {"get": 1, "get_entry": 1, "get_many": 2}.get(name, 0)
    assert stats["misses_by_reason"] == ({"error": reads} if reads else {})


@pytest.mark.parametrize("name", OPERATIONS)
def test_errors_that_are_raised(make: Make, name: str) -> None:
    """Each operation lets through what the caller has to see."""
    store = Failing()
    user = make(store).for_user("u")
    store.error = errors.NoPermissionError("forbidden")
    with pytest.raises(errors.NoPermissionError):
        OPERATIONS[name][0](user)


def test_health(make: Make) -> None:
    """``health`` says what is wrong, and raises for a wrong password."""
    store = Failing()
    cache = make(store)
    assert cache.health()["ok"]
    store.error = errors.TimeoutError("slow")
    assert (cache.health()["ok"], cache.health()["error"]) == (False, "unreachable")
    store.error = errors.NoPermissionError("no PING")
    assert cache.health_check()["error"] == "bug"
    store.error = errors.AuthenticationError("wrong")
    with pytest.raises(errors.AuthenticationError):
        cache.health()


def test_lossy_values(make: Make) -> None:
    """``on_lossy`` holds in both shells, for one value and for many."""
    store = Failing()
    kept, skipped, raised = (make(store, on_lossy=word).for_user("u") for word in ("store", "skip", "raise"))
    assert kept.set("k", LOSSY)
    assert kept.get("k") == {"n": 1}
    assert not skipped.set("k", LOSSY)
    assert kept.get("k") is MISSING
    kept.set("k", 1)
    with pytest.raises(EncodeError):
        raised.set("k", LOSSY)
    assert kept.get("k") is MISSING
    with pytest.raises(EncodeError):
        raised.set_many({"a": 1, "k": LOSSY})
    assert kept.get_many(["a", "k"]) == {"a": 1}
    assert not skipped.set("a", LOSSY, only_if_absent=True)
    assert kept.get("a") == 1


def test_an_error_of_a_value_is_raised_though_the_store_is_away(make: Make) -> None:
    """With ``on_lossy="raise"`` the caller is told about the value even if the old entry could not be deleted."""
    store = Failing()
    user = make(store, on_lossy="raise").for_user("u")
    store.error = errors.ConnectionError("away")
    with pytest.raises(EncodeError):
        user.set("k", LOSSY)


@pytest.mark.parametrize("error", [errors.ConnectionError("away"), errors.OutOfMemoryError("full"), ValueError()])
def test_a_write_that_failed_leaves_no_stale_value(make: Make, error: Exception) -> None:
    """What a store could not take is not answered for by what it had before; ``only_if_absent`` leaves that alone."""
    store = Failing()
    user = make(store).for_user("u")
    user.set_many({"k": "old", "a": "old", "b": "old"})
    store.error, store.on = error, ("set", "set_many")
    assert not user.set("k", "new", only_if_absent=True)
    assert user.get("k") == "old"
    assert not user.set("k", "new")
    assert user.get("k") is MISSING
    assert user.set_many({"a": "new", "c": "new"}) == {"a": False, "c": False}
    assert user.get_many(["a", "b", "c"]) == {"b": "old"}


def test_moved_entries(make: Make) -> None:
    """A moved entry makes the store drop connections; if that fails too, the read is still a miss."""
    store = Failing()
    user = make(store).for_user("u")
    user.set("other", 1)
    store._kept["app:u:k"] = store._kept["app:u:other"]
    assert user.get("k") is MISSING
    assert user.get_many(["k", "other"]) == {"other": 1}
    assert user.get_entry("k") is MISSING
    assert store.distrusted == 3
    store.error, store.on = errors.ConnectionError("away"), ("distrust",)
    assert user.get("k") is MISSING


def test_pickles_are_written_back(make: Make) -> None:
    """A legacy pickle becomes ours when read; if the entry is gone by then, or the store fails, it is still given."""
    store = Failing()
    user = make(store, legacy=Legacy(pickle=PICKLES)).for_user("u")

    def put() -> None:
        store.error = None
        store.set("app:u:k", PICKLES.sign("app:u:k", pickle.dumps([1])), None)

    put()
    assert user.get("k") == [1]
    assert (store.get("app:u:k") or b"")[:1] == b"\xc1"
    put()
    assert user.get_many(["k"]) == {"k": [1]}
    assert (store.get("app:u:k") or b"")[:1] == b"\xc1"
    put()
    store.error, store.on = errors.ConnectionError("away"), ("set",)
    assert user.get("k") == [1]
    put()
    store.error, store.on = errors.ConnectionError("away"), ("ttl",)
    assert user.get("k") == [1]
    put()
    real = store.ttl
    store.ttl = lambda name, /: -2  # type: ignore[method-assign]
    assert user.get("k") == [1]
    store.ttl = real  # type: ignore[method-assign]
    assert (store.get("app:u:k") or b"")[:1] != b"\xc1"


def test_sealed_entries_get_a_new_end(make: Make) -> None:
    """``expire`` writes a sealed entry anew; one that is not there, or not sealed, stays as it is."""
    store = Failing()
    user = make(store, seal=Seal({1: bytes(32)})).for_user("u")
    user.set("k", 1, ttl=5)
    assert user.expire("k", 50)
    assert 40 < user.ttl("k") <= 50
    assert user.get("k") == 1
    assert not user.expire("absent", 50)
    store.set("app:u:raw", b"42", None)
    assert not user.expire("raw", 50)
    store.error = errors.ConnectionError("away")
    assert not user.expire("k", 50)


@pytest.mark.parametrize("seal", [None, Seal({1: bytes(32)})])
def test_a_new_end_is_no_new_beginning(make: Make, seal: Seal | None) -> None:
    """``expire`` changes when an entry ends and not when it was written, sealed or not."""
    now = [1_700_000_000.0]
    user = make(Failing(), seal=seal, wall_clock=lambda: now[0]).for_user("u")
    user.set("k", 1, ttl=1000)
    now[0] += 100
    assert user.expire("k", 500)
    entry = user.get_entry("k")
    assert (entry.created_at, entry.age) == (1_700_000_000.0, 100.0)
    assert user.expire("k", None)
    now[0] += 10_000
    assert user.get("k") == 1


def test_partitions(make: Make) -> None:
    """Faces of a user, of nobody and of all are what they say, in both shells."""
    cache = make(Failing(), multi_user=False)
    assert cache.set("k", 0)
    assert cache.for_user("u", agent="a").set("k", 1)
    assert cache.shared(agent="a").get("k") == cache.get("k") == 0
    assert cache.size_estimate().entries == 2
    assert cache.clear_namespace() == 2
    assert cache.stats()["agents"]["a"]["sets"] == 1
    cache.close()
