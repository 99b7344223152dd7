"""What observers are told, and what they cannot do to the cache."""

import logging
import threading
import time
from typing import Any

import pytest
import redis.exceptions as errors

import siftpack.cache
from siftpack import PolicyError
from siftpack.cache import Cache, CacheEvent, MemoryBackend, OnEvent, Seal
from siftpack.cache.events import DISTINCT, OTHERS, WORDS, Bounded
from siftpack.policy import Action, Kind
from tests.cache.crowd import World
from tests.cache.shells import Failing

NAMES = {
    *("MISSING", "AsyncBackend", "AsyncCache", "AsyncMemoryBackend", "AsyncRedisBackend", "AsyncTieredBackend"),
    *("AsyncUserCache", "Backend", "Cache", "CacheEvent", "Entry", "Legacy", "MemoryBackend", "Missing", "OnEvent"),
    *("Pickles", "Reason", "RedisBackend", "Seal", "SizeEstimate", "TieredBackend", "UserCache"),
}
FACE = {
    *("cached", "clear", "delete", "delete_many", "exists", "expire", "get", "get_entry", "get_many"),
    *("get_or_compute", "set", "set_many", "size_estimate", "ttl"),
}
CACHE = {
    *("clear_namespace", "close", "for_user", "from_url", "get_stats", "health", "health_check", "hit_rate"),
    *("reset_stats", "shared", "stats"),
}


def test_the_public_names() -> None:
    """The words of ``siftpack.cache`` and of both kinds of caches are these, and each is documented."""
    assert set(siftpack.cache.__all__) == NAMES
    for prefix in ("", "Async"):
        user, cache = (getattr(siftpack.cache, prefix + name) for name in ("UserCache", "Cache"))
        assert {name for name in dir(user) if not name.startswith("_")} == FACE
        assert {name for name in dir(cache) if not name.startswith("_")} == FACE | CACHE
        assert all(getattr(cache, name).__doc__ for name in FACE | CACHE)


def watched(world: World, store: Any = None, **options: Any) -> tuple[Any, list[CacheEvent]]:
    events: list[CacheEvent] = []
    return world.make(store, on_event=events.append, **options), events


def test_everything_that_is_counted_is_told(world: World) -> None:
    """One event for each hit, miss, write, delete, error and computation, with what is known of it."""
    store = Failing()
    cache, events = watched(world, store)
    user = cache.for_user("u", agent="planner")
    world.one(lambda: user.set("k", [1]))
    world.one(lambda: user.set("k", {"n": 1, "f": print}))
    world.one(lambda: user.get("k"))
    world.one(lambda: user.get("other"))
    world.one(lambda: user.set("k", print))
    world.one(lambda: user.delete("k"))
    world.one(lambda: user.get_or_compute("c", world.loader(lambda: 5)))
    store.error = errors.ConnectionError("away")
    world.one(lambda: user.get("k"))
    names = [(event.name, event.detail) for event in events]
    assert names == [
        *(("write", "data"), ("write", "lossy"), ("hit", "msgpack"), ("miss", "absent"), ("write", "refused")),
        *(("delete", ""), ("miss", "absent"), ("compute", "done"), ("write", "data")),
        *(("error", "unreachable"), ("miss", "error")),
    ]
    assert {event.name for event in events} <= set(WORDS)
    assert all((event.namespace, event.user, event.agent) == ("app", "u", "planner") for event in events)
    assert events[2].size == events[1].size > 0
    (lost,) = events[1].findings
    assert (lost.path, lost.kind, lost.action) == ("$.f", Kind.FUNCTION, Action.DROP)
    assert all((event.seconds is not None) == (event.name in ("write", "hit", "compute")) for event in events[:3])
    assert [event.entries for event in events if event.name == "delete"] == [0]
    took = next(event.seconds for event in events if event.name == "compute")
    assert took is not None
    assert 0 <= took < 5
    stats = cache.stats()
    assert stats["findings_by_type"] == {"function builtin_function_or_method": 2}
    assert stats["agents"]["planner"]["findings_by_type"] == stats["findings_by_type"]


def test_no_event_holds_a_key_or_a_value(world: World) -> None:
    """Nothing of what was stored, nor under which key, is in any event."""
    cache, events = watched(world)
    user = cache.for_user("u")
    word = "hushhush"
    for value in (word, {"a": word}, {"f": print, "a": word}, [word.encode()], lambda: word):
        world.one(lambda value=value: user.set(word, value))
        world.one(lambda: user.get(word))
        world.one(lambda value=value: user.get_or_compute(word + "2", world.loader(lambda: value)))
    assert len(events) > 15
    assert word not in repr(events)


def test_alarms_are_told(world: World) -> None:
    """Entries of other keys, broken seals and refused logins are events with ``alarm``."""
    store = Failing()
    cache, events = watched(world, store, seal=Seal({1: bytes(32)}))
    user = cache.for_user("u")
    world.one(lambda: user.set("a", 1))
    store._kept["app:u:b"] = store._kept["app:u:a"]
    world.one(lambda: user.get("b"))
    store.error = errors.AuthenticationError("wrong")
    with pytest.raises(errors.AuthenticationError):
        world.one(lambda: user.get("b"))
    assert [(event.name, event.detail) for event in events if event.alarm] == [("miss", "moved"), ("error", "auth")]


def test_an_observer_that_raises_changes_nothing(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """It is counted each time and logged once, by types alone; other observers and the operation go on."""
    events: list[CacheEvent] = []

    class Broken:
        def __call__(self, event: CacheEvent, /) -> None:
            raise ZeroDivisionError("a value: hushhush")

    cache = world.make(on_event=[Broken(), events.append])
    user = cache.for_user("u")
    assert world.one(lambda: user.set("k", 1))
    assert world.one(lambda: user.get("k")) == 1
    assert world.one(lambda: user.get_or_compute("c", world.loader(lambda: 5))) == 5
    assert [event.name for event in events] == ["write", "hit", "miss", "compute", "write"]
    assert cache.stats()["observer_failures"] == 5
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 1
    assert "Broken raised ZeroDivisionError" in told[0]
    assert "hushhush" not in told[0]


def test_what_is_no_exception_passes_through() -> None:
    """An observer that is interrupted does not swallow the interrupt, and the next operation is told again."""
    raised: list[int] = []

    def interrupted(event: CacheEvent) -> None:
        raised.append(1)
        if len(raised) == 1:
            raise KeyboardInterrupt

    user = Cache(on_event=interrupted).for_user("u")
    with pytest.raises(KeyboardInterrupt):
        user.set("k", 1)
    assert user.get("k") == 1
    assert len(raised) == 2


def test_an_observer_that_hangs_holds_up_its_own_operation_alone() -> None:
    """Observers are called inline and without a lock: while one hangs, other threads use the cache and are counted."""
    hanging, go_on = threading.Event(), threading.Event()

    def slow(event: CacheEvent) -> None:
        if event.user == "slow":
            hanging.set()
            go_on.wait(10)

    cache = Cache(on_event=slow)
    thread = threading.Thread(target=cache.for_user("slow").set, args=("k", "slow"))
    thread.start()
    assert hanging.wait(10)
    began = time.monotonic()
    user = cache.for_user("quick")
    for number in range(100):
        assert user.set("k", number)
        assert user.get("k") == number
    assert cache.stats()["sets"] == 101
    assert time.monotonic() - began < 5
    assert thread.is_alive()
    go_on.set()
    thread.join()
    assert cache.for_user("slow").get("k") == "slow"


def test_an_observer_may_use_the_cache() -> None:
    """What it does there is counted and not told, so it does not call itself."""
    seen: list[str] = []

    def curious(event: CacheEvent) -> None:
        seen.append(event.name)
        user.set("seen", seen)

    cache = Cache(on_event=curious)
    user = cache.for_user("u")
    user.set("k", 1)
    user.get("k")
    assert seen == ["write", "hit"]
    assert user.get("seen") == ["write", "hit"]
    assert cache.stats()["sets"] == 4


def test_what_is_no_observer_is_refused() -> None:
    """An observer is a callable that is not awaited, or several of them."""

    async def later(event: CacheEvent) -> None:
        pass

    class Later:
        async def __call__(self, event: CacheEvent) -> None:
            pass

    for wrong in (5, None, [5], later, Later(), [print, later]):
        with pytest.raises(PolicyError):
            Cache(on_event=wrong)
    told: OnEvent = print
    Cache(on_event=told)
    Cache(on_event=())


def test_types_of_findings_are_bounded(world: World) -> None:
    """However many types there are, so many are counted by name and the rest under one word; kinds are always exact."""
    cache = world.make(MemoryBackend())
    user = cache.for_user("u")
    for number in range(DISTINCT + 50):
        made = type(f"Made{number}", (), {"run": lambda self: None})()
        world.one(lambda made=made: user.set("k", [1, made]))
    by_type = cache.stats()["findings_by_type"]
    assert len(by_type) == DISTINCT + 1
    assert by_type[OTHERS] == 50
    assert cache.stats()["findings"] == {"agent": DISTINCT + 50}
    bounded = Bounded(2)
    assert [bounded(word) for word in "abcab"] == ["a", "b", OTHERS, "a", "b"]


def test_without_observers_nothing_is_made(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """A cache without observers tells nobody, and logs nothing of what goes well."""
    caplog.set_level(logging.DEBUG)
    user = world.make().for_user("u")
    world.one(lambda: user.set("k", {"f": print, "n": 1}))
    world.one(lambda: user.get("k"))
    assert [record for record in caplog.records if record.name.startswith("siftpack")] == []
