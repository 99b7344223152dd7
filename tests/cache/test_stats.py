"""Counting."""

import threading
import time

from siftpack.cache import Cache, MemoryBackend
from siftpack.cache.entries import Reason
from siftpack.cache.stats import OTHERS, TALLIES_KEPT, Stats


def test_counts_of_users_and_agents() -> None:
    """Everything is counted for the namespace, for the user, and for the agent that was named."""
    cache = Cache(namespace="app")
    planner, writer = cache.for_user("u", agent="planner"), cache.for_user("u", agent="writer")
    planner.set("k", {"f": print, "x": 1})
    writer.get("k")
    writer.get("other")
    cache.for_user("v").get("k")
    stats = cache.get_stats()
    assert (stats["hits"], stats["misses"], stats["sets"]) == (1, 2, 1)
    assert stats["users"]["u"]["hit_rate"] == 0.5
    assert stats["users"]["v"]["misses_by_reason"] == {"absent": 1}
    assert stats["agents"]["planner"]["findings"] == {"function": 1}
    assert stats["agents"]["writer"]["formats"] == {"msgpack": 1}
    assert stats["bytes_in"] == stats["bytes_out"] > 36
    cache.reset_stats()
    assert cache.stats()["hits"] == 0
    assert cache.stats()["users"] == {}
    assert cache.hit_rate() == 0.0


def test_latency() -> None:
    """What the store took for reads and writes of one entry: how many, the mean and the most, in milliseconds."""

    class Slow(MemoryBackend):
        def get(self, name: str, /) -> bytes | None:
            time.sleep(0.01)
            return super().get(name)

    cache = Cache(Slow(), namespace="app")
    user = cache.for_user("u")
    assert cache.stats()["latency"] == {}
    user.set("k", 1)
    user.get("k")
    user.get("other")
    reads, writes = (cache.stats()["latency"][word] for word in ("reads", "writes"))
    assert (reads["count"], writes["count"]) == (2, 1)
    assert 10 <= reads["mean_ms"] <= reads["max_ms"]
    assert writes["mean_ms"] == writes["max_ms"]
    cache.reset_stats()
    assert cache.stats()["latency"] == {}


def test_tallies_are_bounded() -> None:
    """Of more users than are kept, those longest unused are added up under one name, and nothing is lost."""
    stats = Stats()
    for number in range(3 * TALLIES_KEPT):
        stats.hit((f"user-{number}", None), "msgpack", 1)
        stats.miss((f"user-{number}", None), Reason.ABSENT)
    users = stats.snapshot()["users"]
    assert len(users) == TALLIES_KEPT
    assert users[OTHERS]["hits"] == 3 * TALLIES_KEPT - (TALLIES_KEPT - 1)
    assert sum(tally["hits"] for tally in users.values()) == stats.snapshot()["hits"] == 3 * TALLIES_KEPT
    assert sum(tally["misses_by_reason"]["absent"] for tally in users.values()) == 3 * TALLIES_KEPT


def test_counting_is_exact_between_threads() -> None:
    """Many threads counting at once lose nothing."""
    stats = Stats()

    def work() -> None:
        for _ in range(5000):
            stats.hit(("u", "a"), "msgpack", 2)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shown = stats.snapshot()
    assert shown["hits"] == shown["users"]["u"]["hits"] == shown["agents"]["a"]["hits"] == 40_000
    assert shown["bytes_out"] == 80_000


def test_the_words_of_before() -> None:
    """The words that users of the seed know are there."""
    cache = Cache(namespace="app", multi_user=False)
    for word in ("get", "set", "delete", "exists", "get_many", "set_many", "delete_many", "clear", "clear_namespace"):
        assert callable(getattr(cache, word))
    assert cache.health_check()["ok"]
    assert cache.get_stats()["hit_rate"] == cache.hit_rate()
    with cache as same:
        assert same is cache
