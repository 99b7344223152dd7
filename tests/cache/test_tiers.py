"""What a tier decides, row by row, with clocks that go on when they are told to."""

import asyncio
import threading
import time
from collections.abc import Iterator
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
from siftpack.cache.backends.notes import PATIENCE, Notes
from siftpack.cache.backends.redis import count, kept
from siftpack.cache.backends.tiered import OUTAGE_TTL
from siftpack.cache.breaker import FAILURES, PAUSE, Breaker
from siftpack.cache.decide import Verdict, verdict
from tests.cache.shells import AsyncFailing, Blocking, Failing, Make

AWAY = errors.ConnectionError("refused")


class Clock:
    """Goes on when told to."""

    def __init__(self) -> None:
        self.now = 1.0

    def __call__(self) -> float:
        return self.now


def tiered() -> tuple[Cache, Failing, Clock]:
    clock = Clock()
    front = Failing(clock=clock)
    front.remote = True
    return (
        Cache(TieredBackend(front, MemoryBackend(clock=clock), Breaker(clock, lambda: 0.5)), namespace="app"),
        front,
        clock,
    )


@pytest.mark.parametrize("jitter", [0.0, 0.5, 1.0])
def test_probes_are_spread(jitter: float) -> None:
    """A probe is let through a pause after the last failure, a quarter more or less as the jitter says."""
    clock = Clock()
    breaker = Breaker(clock, lambda: jitter)
    for _ in range(FAILURES):
        breaker.failed()
    due = PAUSE * (0.75 + 0.5 * jitter)
    clock.now += due * 0.99
    assert not breaker.allow()
    clock.now += due * 0.02
    assert breaker.allow()
    assert not breaker.allow()


@pytest.fixture(params=["sync", "async"])
def both(request: pytest.FixtureRequest) -> Iterator[tuple[Any, Failing, Clock]]:
    """``tiered`` of either kind."""
    cache, front, clock = tiered()
    if request.param == "sync":
        yield cache, front, clock
        return
    behind = AsyncMemoryBackend(MemoryBackend(clock=clock))
    tier = AsyncTieredBackend(AsyncFailing(front), behind, Breaker(clock, lambda: 0.5))
    with asyncio.Runner() as runner:
        yield Blocking(AsyncCache(tier, namespace="app"), runner), front, clock


def test_what_was_written_in_an_outage_ends(both: tuple[Any, Failing, Clock]) -> None:
    """Without an end of its own it is gone after a minute of outage; with a shorter one, then."""
    cache, front, clock = both
    user = cache.for_user("u")
    front.error = AWAY
    for _ in range(FAILURES):
        user.get("x")
    user.set("endless", 1, ttl=None)
    user.set("short", 2, ttl=5)
    clock.now += 4
    assert (user.get("endless"), user.get("short")) == (1, 2)
    clock.now += 2
    assert (user.get("endless"), user.get("short")) == (1, MISSING)
    clock.now += OUTAGE_TTL / 1000
    assert user.get("endless") is MISSING


def test_many_written_in_an_outage_end_too(both: tuple[Any, Failing, Clock]) -> None:
    """What was written together, or was given another end in the outage, is gone after a minute of it as well."""
    cache, front, clock = both
    user = cache.for_user("u")
    front.error = AWAY
    for _ in range(FAILURES):
        user.get("x")
    assert user.set_many({"a": 1, "b": 2}, ttl=None) == {"a": True, "b": True}
    assert user.set("c", 3, ttl=1)
    assert user.expire("c", None)
    clock.now += OUTAGE_TTL / 1000 * 0.9
    assert user.get_many(["a", "b", "c"]) == {"a": 1, "b": 2, "c": 3}
    clock.now += OUTAGE_TTL / 1000 * 0.2
    assert user.get_many(["a", "b", "c"]) == {}


def test_a_node_of_a_cluster_that_takes_no_more_clients_is_away(both: tuple[Any, Failing, Clock]) -> None:
    """It says so in words that the client has no class for: nothing raises, and the breaker counts it."""
    cache, front, _ = both
    user = cache.for_user("u")
    front.error = errors.ResponseError("max number of clients + cluster connections reached")
    for _ in range(FAILURES):
        assert user.set("k", 1)
        assert user.get("k") == 1
    assert not cache._backend.breaker.closed
    assert cache.stats()["errors_by_kind"].keys() == {"unreachable", "open"}


@pytest.mark.parametrize("error", [errors.AuthenticationError("no"), errors.NoPermissionError("no")])
def test_a_refusal_after_an_outage_is_seen_by_every_caller(error: Exception) -> None:
    """A store that is back but with another password answers: nobody is served by the embedded one any more."""
    cache, front, clock = tiered()
    user = cache.for_user("u")
    front.error = AWAY
    for _ in range(FAILURES):
        user.get("k")
    front.error = error
    clock.now += 2 * PAUSE
    for _ in range(5):
        with pytest.raises(type(error)):
            user.get("k")


@pytest.mark.parametrize("change", ["set", "set_many", "delete", "expire", "clear"])
def test_every_write_is_tried_once_more_after_readonly(change: str) -> None:
    """A replica in the master's place: connections are dropped, and the second try reaches the master."""
    cache, front, _ = tiered()
    user = cache.for_user("u")
    user.set("k", "old")
    front.error, front.on = errors.ReadOnlyError("replica"), (change,)

    def found() -> None:
        front.distrusted += 1
        front.error = None

    front.distrust = found  # type: ignore[method-assign]
    calls = {
        "set": lambda: user.set("k", "new"),
        "set_many": lambda: user.set_many({"k": "new"}) == {"k": True},
        "delete": lambda: user.delete("k"),
        "expire": lambda: user.expire("k", 10),
        "clear": lambda: user.clear() == 1,
    }
    assert calls[change]()
    assert front.distrusted == 1
    backend: Any = cache._backend
    assert not backend.notes.owing


def test_only_if_absent_leaves_what_is_there_when_the_store_is_full() -> None:
    """A full store refuses; the entry that is there stays, as it would have otherwise."""
    cache, front, _ = tiered()
    user = cache.for_user("u")
    user.set("k", "old")
    front.error, front.on = errors.OutOfMemoryError("full"), ("set",)
    assert not user.set("k", "new", only_if_absent=True)
    assert user.get("k") == "old"
    assert not user.set("k", "new")
    assert user.get("k") is MISSING


def test_one_settles_and_the_others_wait() -> None:
    """What is owed is deleted once, by one thread; the others come back to the store with it."""
    cache, front, _ = tiered()
    user = cache.for_user("u")
    user.set("k", "old")
    front.error = AWAY
    user.delete("k")
    front.error = None
    entered, leave = threading.Event(), threading.Event()
    real = front.delete
    deletes = []

    def slow(names: Any, /) -> int:
        deletes.append(names)
        entered.set()
        leave.wait(5)
        return real(names)

    front.delete = slow  # type: ignore[method-assign]
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(user.get("k"))) for _ in range(4)]
    threads[0].start()
    entered.wait(5)
    for thread in threads[1:]:
        thread.start()
    leave.set()
    for thread in threads:
        thread.join()
    assert found == [MISSING] * 4
    assert deletes == [["app:u:k"]]
    assert cache.stats()["misses_by_reason"] == {"absent": 4}


def test_a_write_that_ends_after_a_settlement_is_owed_again() -> None:
    """What lands in the embedded store while it is emptied is not left there for the next outage."""
    front = AsyncMemoryBackend()

    async def run() -> None:
        tier = AsyncTieredBackend(front, AsyncMemoryBackend())
        real = tier.behind.set

        async def late(*args: Any, **options: Any) -> bool:
            names, prefixes = tier.notes.taken()  # a settlement ends between the note and the write
            await tier.behind.clear("")
            assert tier.notes.taken_by("settler")
            assert tier.notes.settled("settler", names, prefixes)
            tier.notes.left_by("settler")
            return await real(*args, **options)

        tier.behind.set = late  # type: ignore[method-assign]
        await tier._owe(["k"], lambda: tier.behind.set("k", b"v", 1000))
        assert tier.notes.owing

    asyncio.run(run())


def test_a_settlement_that_was_taken_over_settles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that takes too long is taken up by another: only that one says that nothing is owed any more."""
    notes = Notes()
    notes.add(["k"])
    assert notes.taken_by("first")
    assert not notes.taken_by("second")
    later = time.monotonic() + PATIENCE
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert notes.taken_by("second")
    assert not notes.settled("first", *notes.taken())
    notes.left_by("first")
    assert notes.busy
    assert notes.owing
    assert notes.settled("second", *notes.taken())
    notes.left_by("second")
    assert not notes.busy
    assert not notes.owing


def test_health_that_finds_the_store_well_ends_the_outage(make: Make) -> None:
    """The next operation after it asks the store, whatever the breaker still waited for."""
    front = Failing()
    front.remote = True
    cache = make(front)
    user = cache.for_user("u")
    assert user.set("k", 1)
    front.error = AWAY
    for _ in range(FAILURES):
        user.get("k")
    user.delete("k")
    assert cache.health()["breaker"] == "open"
    front.error = None
    assert cache.health()["breaker"] == "closed"
    assert user.get("k") is MISSING
    assert user.set("k", 2)
    assert front.exists("app:u:k")


def test_no_call_waits_until_all_is_settled(make: Make) -> None:
    """A call spends a tenth of a second on what is owed and goes on without the store, the next one twice as much."""
    front = Failing()
    front.remote = True
    cache = make(front)
    user = cache.for_user("u")
    keys = [f"k{number}" for number in range(450)]
    assert all(user.set_many(dict.fromkeys(keys, "old")).values())
    front.error, front.on = AWAY, ("delete",)
    user.delete_many(keys)
    front.error = None
    real, portions = front.delete, []

    def slow(names: Any, /) -> int:
        portions.append(len(names))
        time.sleep(0.06)
        return real(names)

    front.delete = slow  # type: ignore[method-assign]
    calls, read = 0, front.get
    front.get = lambda name, /: pytest.fail("asked before it was settled") if len(portions) < 5 else read(name)  # type: ignore[method-assign]
    while front.exists("app:u:k449"):
        assert user.get(keys[calls]) is MISSING
        calls += 1
    assert portions == [100, 100, 100, 100, 50]
    assert 2 <= calls <= 4
    assert user.get_many(keys) == {}
    assert cache.stats()["errors_by_kind"]["settling"] == calls - 1


def test_who_writes_faster_than_it_is_settled_is_waited_for(make: Make) -> None:
    """A caller who owes more with each call than one settles is back on the store soon, and nobody's entries go."""
    front = Failing()
    front.remote = True
    user, other = (cache := make(front)).for_user("u"), cache.for_user("other")
    assert other.set("k", "stays")
    front.error, front.on = AWAY, ("set_many",)
    user.set_many(dict.fromkeys(map(str, range(400)), 0))
    front.error, real = None, front.delete

    def slow(names: Any, /) -> int:
        time.sleep(0.05)
        return real(names)

    front.delete = slow  # type: ignore[method-assign]
    for number in range(1, 20):
        user.set_many({f"{number} {key}": number for key in range(400)})
        if front.exists(f"app:u:{number}%200"):
            break
    else:
        pytest.fail("not settled")
    assert other.get("k") == "stays"


@pytest.mark.parametrize("reply", [b"v", "OK", 1.5, None, [], True])
def test_a_reply_that_is_no_number(reply: Any) -> None:
    """A reply of another kind belongs to another command: the connection is out of step."""
    with pytest.raises(ValueError, match="not a number") as raised:
        count(reply)
    assert verdict(raised.value) is Verdict.GARBLED


def test_a_reply_that_is_neither_done_nor_declined() -> None:
    """SET says OK, or nothing if it was asked to write only what is absent."""
    assert kept(True)
    assert kept(True, only_if_absent=True)
    assert not kept(None, only_if_absent=True)
    for reply, absent in ((None, False), (False, False), (False, True), (b"v", False), (1, False)):
        with pytest.raises(ValueError, match="neither"):
            kept(reply, only_if_absent=absent)
