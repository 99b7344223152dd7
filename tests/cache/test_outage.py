"""What happens while the remote store is away, and when it is back."""

import asyncio
from typing import Any

import pytest
import redis.exceptions as errors

from siftpack.cache import (
    MISSING,
    AsyncCache,
    AsyncMemoryBackend,
    AsyncTieredBackend,
    Cache,
    MemoryBackend,
    TieredBackend,
)
from siftpack.cache.backends.notes import NOTED, Notes
from siftpack.cache.breaker import FAILURES, PAUSE, WINDOW, Breaker


class Clock:
    """Goes on when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Front(MemoryBackend):
    """A remote store that fails as it is told."""

    remote = True

    def __init__(self) -> None:
        super().__init__()
        self.error: Exception | None = None
        self.on: tuple[str, ...] = ()
        self.calls = 0
        self.dropped = 0

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name in ("get", "set", "delete", "exists", "expire", "ttl", "get_many", "set_many", "clear", "size", "ping"):
            self.calls += 1
            if self.error is not None and (not self.on or name in self.on):
                raise self.error
        return found

    def distrust(self) -> None:
        self.dropped += 1


def tiered() -> tuple[Cache, Front, Clock]:
    clock = Clock()
    front = Front()
    backend = TieredBackend(front, MemoryBackend(), Breaker(clock, lambda: 0.5))
    return Cache(backend, namespace="app"), front, clock


def opened(front: Front, user: Any, error: Exception) -> None:
    front.error = error
    for _ in range(FAILURES):
        user.get("x")


AWAY = errors.ConnectionError("refused")


def test_a_breaker_opens_closes_and_probes() -> None:
    """Some failures in a while open it, one call a pause is let through, and one success closes it."""
    clock = Clock()
    breaker = Breaker(clock, lambda: 0.5)
    for _ in range(FAILURES - 1):
        breaker.failed()
        clock.now += WINDOW / FAILURES * 1.1
    assert breaker.closed
    clock.now += WINDOW
    for _ in range(FAILURES):
        assert breaker.allow()
        breaker.failed()
    assert (breaker.closed, breaker.opened) == (False, 1)
    assert not breaker.allow()
    clock.now += PAUSE
    assert [breaker.allow() for _ in range(3)] == [True, False, False]
    breaker.failed()
    clock.now += PAUSE / 2
    assert not breaker.allow()
    clock.now += PAUSE
    assert breaker.allow()
    breaker.succeeded()
    assert breaker.closed
    assert all(breaker.allow() for _ in range(3))


def test_nothing_raises_while_the_store_is_away() -> None:
    """Every operation answers without the store, and what was written in the outage is read in it."""
    cache, front, _ = tiered()
    user = cache.for_user("u")
    user.set("before", 1)
    front.error = AWAY
    assert user.set("k", 2)
    assert user.get("k") == 2
    assert user.set_many({"a": 1, "b": 2}) == {"a": True, "b": True}
    assert user.get_many(["a", "b", "before"]) == {"a": 1, "b": 2}
    assert user.get("before") is MISSING
    assert user.get_many(["before"]) == {}
    assert user.exists("k")
    assert 0 < user.ttl("k") <= 60  # type: ignore[operator]
    assert user.expire("k", 5)
    assert user.get_entry("k").value == 2  # type: ignore[union-attr]
    assert user.get_entry("none") is MISSING
    assert user.delete("k")
    assert user.clear() == 2
    assert user.size_estimate().entries == 0
    health = cache.health()
    assert (health["ok"], health["error"], health["breaker"]) == (False, "unreachable", "open")


def test_errors_are_misses() -> None:
    """A read that the store could not answer is a miss with its reason, and lowers the hit rate."""
    cache, front, _ = tiered()
    user = cache.for_user("u")
    user.set("k", 1)
    assert user.get("k") == 1
    front.error = AWAY
    for _ in range(3):
        assert user.get("k") is MISSING
    stats = cache.stats()
    assert stats["misses_by_reason"] == {"error": 3}
    assert stats["errors_by_kind"] == {"unreachable": 3}
    assert stats["users"]["u"]["misses_by_reason"] == {"error": 3}
    assert cache.hit_rate() == stats["hit_rate"] == 0.25
    assert stats["hit_percent"] == 25.0


def test_an_open_breaker_does_not_ask() -> None:
    """Once it is open, calls cost nothing but the embedded store."""
    cache, front, clock = tiered()
    user = cache.for_user("u")
    opened(front, user, AWAY)
    asked = front.calls
    for _ in range(100):
        user.get("k")
    assert front.calls == asked
    assert cache.stats()["errors_by_kind"]["open"] == 100
    clock.now += 2 * PAUSE
    user.get("k")
    assert front.calls == asked + 1


@pytest.mark.parametrize("change", ["set", "delete", "clear", "expire", "set_many", "skip"])
def test_no_old_value_comes_back(change: str) -> None:
    """What was written over, deleted or cleared in an outage is not read again after it."""
    cache, front, clock = tiered()
    user = cache.for_user("u")
    user.set("k", "old")
    front.error = AWAY
    {
        "set": lambda: user.set("k", "new"),
        "delete": lambda: user.delete("k"),
        "clear": user.clear,
        "expire": lambda: user.expire("k", 1),
        "set_many": lambda: user.set_many({"k": "new"}),
        "skip": lambda: user.set("k", print),
    }[change]()
    front.error = None
    clock.now += 60
    assert user.get("k") is MISSING
    assert front.get("app:u:k") is None
    assert user.set("k", "newer")
    assert user.get("k") == "newer"


def test_the_embedded_store_is_emptied_when_the_remote_one_is_back() -> None:
    """What was written in the outage ends with it, though it was never written over."""
    cache, front, clock = tiered()
    user = cache.for_user("u")
    opened(front, user, AWAY)
    user.set("k", 1)
    assert user.get("k") == 1
    front.error = None
    assert user.get("k") == 1
    clock.now += 2 * PAUSE
    assert user.get("k") is MISSING
    backend: Any = cache._backend
    assert backend.behind.size("") == (0, 0, True)
    assert not backend.notes.owing


def test_deletes_that_are_owed_come_before_anything_else() -> None:
    """While the store owes deletes and cannot take them, it is not read."""
    cache, front, _ = tiered()
    user = cache.for_user("u")
    user.set("k", "old")
    front.error, front.on = AWAY, ("delete",)
    user.delete("k")
    assert user.get("k") is MISSING
    front.error = None
    assert user.get("k") is MISSING


def test_notes_are_bounded() -> None:
    """Of too many names their namespace is noted instead."""
    notes = Notes()
    notes.add([f"app:u:{number}" for number in range(NOTED)])
    assert notes.taken()[1] == {}
    notes.add(["app:u:one more", "other:u:k"])
    names, prefixes = notes.taken()
    assert names == {}
    assert set(prefixes) == {"app:", "other:"}
    notes.add(["app:u:late"])
    assert notes.taken_by("settler")
    assert not notes.settled("settler", names, prefixes)
    names, prefixes = notes.taken()
    assert list(names) == ["app:u:late"]
    assert notes.settled("settler", names, prefixes)
    assert not notes.owing


@pytest.mark.parametrize(
    "error", [errors.AuthenticationError("no"), errors.NoPermissionError("no"), errors.ResponseError("WRONGTYPE")]
)
def test_errors_that_the_caller_must_see(error: Exception) -> None:
    """A wrong password, a forbidden command and a wrong type are raised, counted, and no outage."""
    cache, front, _ = tiered()
    user = cache.for_user("u")
    front.error = error
    for _ in range(2 * FAILURES):
        for call in (lambda: user.get("k"), lambda: user.set("k", 1), lambda: user.delete("k"), lambda: user.ttl("k")):
            with pytest.raises(type(error)):
                call()
    backend: Any = cache._backend
    assert backend.breaker.closed
    assert sum(cache.stats()["errors_by_kind"].values()) == 8 * FAILURES


class Mine(Exception):  # noqa: N818 - as somebody's signal handler raises it
    """Somebody's own."""


def test_what_is_no_error_of_the_store_passes_through() -> None:
    """An exception that a signal handler raised in the middle is neither swallowed nor counted."""
    cache, front, _ = tiered()
    user = cache.for_user("u")
    front.error = Mine()
    for call in (lambda: user.get("k"), lambda: user.set("k", 1), lambda: user.get_many(["k"])):
        with pytest.raises(Mine):
            call()
    assert cache.stats()["errors"] == 0


def test_a_full_store_keeps_reading() -> None:
    """Out of memory refuses the write, deletes the old value, and leaves reads where they are."""
    cache, front, _ = tiered()
    user = cache.for_user("u")
    user.set("k", "old")
    user.set("other", 1)
    front.error, front.on = errors.OutOfMemoryError("full"), ("set", "set_many")
    for _ in range(2 * FAILURES):
        assert not user.set("k", "new")
    assert user.set_many({"k": "new"}) == {"k": False}
    assert user.get("k") is MISSING
    assert user.get("other") == 1
    backend: Any = cache._backend
    assert backend.breaker.closed


def test_a_replica_in_the_masters_place_is_asked_once_more() -> None:
    """READONLY drops the connections and tries once again, then goes on without the store."""
    cache, front, _ = tiered()
    user = cache.for_user("u")
    front.error, front.on = errors.ReadOnlyError("replica"), ("set",)
    assert user.set("k", 1)
    assert front.dropped == 2
    assert user.get("k") is MISSING or user.get("k") == 1
    front.error = None
    assert user.set("k", 2)
    assert user.get("k") == 2


@pytest.mark.parametrize("error", [errors.InvalidResponse("?"), ValueError("int"), IndexError(), AttributeError("x")])
def test_garbled_answers(error: Exception) -> None:
    """An answer that cannot be parsed is a miss and an alarm, and the connections are dropped."""
    cache, front, _ = tiered()
    user = cache.for_user("u")
    front.error = error
    assert user.get("k") is MISSING
    assert cache.stats()["alarms"] == 1
    assert front.dropped == 1


def test_without_fallback_nothing_is_kept_here() -> None:
    """``fallback=False`` answers an outage with misses, and still reads nothing old after it."""
    front = Front()
    cache = Cache(front, namespace="app", fallback=False)
    user = cache.for_user("u")
    user.set("k", "old")
    front.error = AWAY
    user.set("k", "new")
    assert user.get("k") is MISSING
    front.error = None
    assert user.get("k") is MISSING


def test_the_asyncio_tier_decides_alike() -> None:
    """An outage of the asyncio cache: nothing raises, nothing old comes back, and the caller sees what it must."""

    class AsyncFront(AsyncMemoryBackend):
        remote = True
        error: Exception | None = None

        def __getattribute__(self, name: str) -> Any:
            found = super().__getattribute__(name)
            if name in ("get", "set", "delete", "exists", "expire", "ttl", "get_many", "set_many", "clear", "size"):
                error = super().__getattribute__("error")
                if error is not None:
                    raise error
            return found

    async def run() -> None:
        clock = Clock()
        front = AsyncFront()
        tier = AsyncTieredBackend(front, AsyncMemoryBackend(), Breaker(clock, lambda: 0.5))
        cache = AsyncCache(tier, namespace="app")
        user = cache.for_user("u")
        await user.set("k", "old")
        front.error = AWAY
        assert await user.set("k", "new")
        assert await user.get("k") == "new"
        assert await user.set_many({"a": 1}) == {"a": True}
        assert await user.get_many(["a", "k"]) == {"a": 1, "k": "new"}
        assert await user.exists("k")
        assert await user.expire("k", 5)
        assert 0 < await user.ttl("k") <= 5  # type: ignore[operator]
        assert (await user.size_estimate()).entries == 2
        assert await user.delete("a")
        assert await user.clear() == 1
        assert await user.get("k") is MISSING
        assert await user.get_many(["k"]) == {}
        front.error = None
        clock.now += 60
        assert await user.get("k") is MISSING
        front.error = errors.OutOfMemoryError("full")
        assert not await user.set("k", 1)
        front.error = errors.ReadOnlyError("replica")
        assert await user.set("k", 1)
        front.error = None
        clock.now += 60
        assert await user.get("k") is MISSING
        for error in (errors.AuthenticationError("no"), Mine()):
            front.error = error
            for call in (user.get("k"), user.set("k", 1), user.delete("k"), user.get_many(["k"]), user.clear()):
                with pytest.raises(type(error)):
                    await call

    asyncio.run(run())
