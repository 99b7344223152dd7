"""What went wrong in the cache that this one replaces, each as a test against the real server."""

import asyncio
import pickle
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

import fakeredis
import pytest
import redis

from siftpack import Limits, PolicyError
from siftpack.cache import MISSING, AsyncCache, AsyncRedisBackend, Cache, RedisBackend
from siftpack.testing import servers
from tests.faults.busy import patient

BAD_VALUES: dict[str, Any] = {
    "module": {"data": 1, "m": pickle},
    "class": {"data": 1, "c": dict},
    "lambda": {"data": 1, "f": lambda: 0},
    "mock": {"data": 1, "m": MagicMock()},
    "generator": {"data": 1, "g": (x for x in ())},
    "surrogate": {"data": 1, "s": "\ud800"},
    "huge int": {"data": 1, "n": 10**400},
    "deep": {"data": 1, "d": [[[[[[[[]]]]]]]]},
    "cycle": None,
}
BAD_VALUES["cycle"] = {"data": 1}
BAD_VALUES["cycle"]["self"] = BAD_VALUES["cycle"]


@pytest.fixture
def cache(url: str) -> Any:
    """A cache in front of the real server."""
    with Cache.from_url(url, namespace="original", client=patient(url)) as made:
        made.clear_namespace()
        yield made


@pytest.mark.parametrize("name", BAD_VALUES)
def test_no_value_fails_a_run(cache: Cache, name: str) -> None:
    """A value with machinery, odd scalars or a cycle in it is stored and comes back without it."""
    user = cache.for_user("u")
    assert user.set("k", BAD_VALUES[name])
    assert user.get("k")["data"] == 1


def test_a_module_is_no_cached_value(cache: Cache) -> None:
    """A module is refused, and the value before it is gone rather than stale."""
    user = cache.for_user("u")
    user.set("k", "old")
    assert not user.set("k", ModuleType("m"))
    assert user.get("k") is MISSING


def test_a_text_fallback_never_reads_as_data(url: str) -> None:
    """What could only be rendered as text is a miss, not a str where a dict was put in."""
    with Cache.from_url(url, namespace="original", client=patient(url), limits=Limits(nodes=2)) as small:
        user = small.for_user("u")
        assert not user.set("k", {"a": {"b": {"c": {}}}})
        assert user.get("k") is MISSING
        assert user.get_entry("k").format == "text"  # type: ignore[union-attr]


def test_a_cached_none_is_a_hit_on_the_server(cache: Cache) -> None:
    """None comes back as None, and counts as a hit."""
    user = cache.for_user("u")
    assert user.set("k", None)
    assert user.get("k", "default") is None
    assert cache.hit_rate() == 1.0


def test_only_if_absent_works_on_the_server(cache: Cache) -> None:
    """The first of two writers wins, and each is told."""
    user = cache.for_user("u")
    assert [user.set("k", number, only_if_absent=True) for number in range(3)] == [True, False, False]
    assert user.get("k") == 0


def test_a_write_that_was_not_confirmed_leaves_no_stale_value() -> None:
    """A SET that is answered with anything but OK may not have happened: the value before it is gone too."""
    odd: Any = fakeredis.FakeRedis()
    real = odd.execute_command
    user = Cache(RedisBackend(odd), namespace="original").for_user("u")
    assert user.set("k", "old")
    odd.execute_command = lambda word, *more, **options: False if word == "SET" else real(word, *more, **options)
    user.set("k", "new")
    odd.execute_command = real
    assert user.get("k") is MISSING
    awaited: Any = fakeredis.FakeAsyncRedis()

    async def run() -> None:
        user = AsyncCache(AsyncRedisBackend(awaited), namespace="original").for_user("u")
        real = awaited.execute_command
        assert await user.set("k", "old")

        async def not_ok(word: str, *more: Any, **options: Any) -> Any:
            return False if word == "SET" else await real(word, *more, **options)

        awaited.execute_command = not_ok
        await user.set("k", "new")
        awaited.execute_command = real
        assert await user.get("k") is MISSING
        await awaited.aclose()

    asyncio.run(run())


def test_pickles_under_our_keys_are_not_loaded(cache: Cache, url: str) -> None:
    """An entry that the original pickled is a miss, and its code does not run."""

    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return exec, ("raise SystemExit('ran')",)

    with redis.Redis.from_url(url) as client:
        client.set("original:u:k", pickle.dumps(Evil()))
    assert cache.for_user("u").get("k") is MISSING
    assert cache.stats()["misses_by_reason"] == {"legacy": 1}


def test_a_client_that_decodes_is_refused_and_not_unreadable(server: servers.Server) -> None:
    """``decode_responses=True`` made every entry of the original unreadable; here it is an error at once."""
    client = redis.Redis(port=server.port, decode_responses=True)
    with client, pytest.raises(PolicyError, match="decode_responses"):
        Cache(RedisBackend(client))


def test_a_counter_of_the_host_stays_a_number(cache: Cache, url: str) -> None:
    """What the host counts with INCR is read as an int where integers are switched on."""
    from siftpack.cache import Legacy

    with redis.Redis.from_url(url) as client:
        client.delete("original:u:n")
        client.incr("original:u:n", 41)
        with Cache.from_url(url, namespace="original", client=patient(url), legacy=Legacy(json=False)) as reading:
            assert reading.for_user("u").get("n") == 41
            client.incr("original:u:n")
            assert reading.for_user("u").get("n") == 42


def test_clear_leaves_other_namespaces(cache: Cache, url: str) -> None:
    """Clearing a namespace deletes by prefix: no KEYS, no FLUSHDB, nothing of others."""
    with Cache.from_url(url, namespace="original2", client=patient(url)) as other, redis.Redis.from_url(url) as client:
        other.for_user("u").set("k", 1)
        client.config_resetstat()
        for number in range(30):
            cache.for_user(f"u{number}").set("k", number)
        assert cache.clear_namespace() == 30
        assert other.clear_namespace() == 1
        used = client.info("commandstats")
        assert "cmdstat_scan" in used
        assert not {"cmdstat_keys", "cmdstat_flushdb", "cmdstat_flushall"} & used.keys()


def test_the_asyncio_cache_has_the_same_words(url: str) -> None:
    """Every operation awaited gives what the synchronous one gives, and both read each other's entries."""

    async def run() -> None:
        with Cache.from_url(url, namespace="both", client=patient(url)) as plain:
            plain.clear_namespace()
            async with AsyncCache.from_url(url, namespace="both", client=patient(url)) as cache:
                user, other = cache.for_user("u"), plain.for_user("u")
                assert await user.set("k", {"x": (1, None)}, ttl=100)
                assert other.get("k") == await user.get("k") == {"x": (1, None)}
                assert await user.get("none", 7) == 7
                assert not await user.set("k", 2, only_if_absent=True)
                assert await user.set("k", print) is False
                assert await user.exists("k") is other.exists("k") is False
                assert await user.set_many({"a": 1, "b": print, "c": None}) == {"a": True, "b": False, "c": True}
                assert await user.get_many(["a", "b", "c"]) == other.get_many(["a", "b", "c"]) == {"a": 1, "c": None}
                entry = await user.get_entry("a")
                assert (entry.value, entry.format) == (1, "msgpack")  # type: ignore[union-attr]
                assert await user.get_entry("b") is MISSING
                assert await user.expire("a", None)
                assert await user.ttl("a") is None
                assert await user.ttl("b") is MISSING
                assert await user.delete("a")
                assert await user.delete_many(["a", "c"]) == 1
                await cache.shared().set("k", 1)
                assert (await cache.size_estimate()).entries == 1
                assert await cache.clear_namespace() == 1
                assert await user.clear() == 0
                assert (await cache.health())["ok"]
                assert cache.get_stats()["hits"] == 4
                with pytest.raises(PolicyError, match="for_user"):
                    await cache.get("k")
                cache.reset_stats()
                assert cache.hit_rate() == 0

    asyncio.run(run())
