"""redis-py's client of several databases, over two real servers: used as any other, and seen to change over."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest

from siftpack import PolicyError
from siftpack.cache import MISSING, AsyncCache, AsyncRedisBackend, Cache, RedisBackend
from siftpack.testing import servers

pytestmark = pytest.mark.filterwarnings("ignore:MultiDBClient is an experimental:UserWarning")

CHECKS = {"health_check_probes": 1, "health_check_delay": 0.01, "health_check_interval": 0.1, "failover_delay": 0.01}


@pytest.fixture
def two() -> Iterator[list[servers.Server]]:
    """Two servers, the first of them preferred."""
    with servers.single() as first, servers.single() as second:
        yield [first, second]


def plain(two: list[servers.Server], **options: Any) -> Any:
    from redis.multidb.client import MultiDBClient
    from redis.multidb.config import DatabaseConfig, MultiDbConfig

    made = [DatabaseConfig(client_kwargs=settings(each, options), weight=weight) for each, weight in weighed(two)]
    return MultiDBClient(MultiDbConfig(databases_config=made, **CHECKS))


def awaited(two: list[servers.Server], **options: Any) -> Any:
    from redis.asyncio.multidb.client import MultiDBClient
    from redis.asyncio.multidb.config import DatabaseConfig, MultiDbConfig

    made = [DatabaseConfig(client_kwargs=settings(each, options), weight=weight) for each, weight in weighed(two)]
    return MultiDBClient(MultiDbConfig(databases_config=made, **CHECKS))


def settings(server: servers.Server, options: dict[str, Any]) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": server.port, "socket_timeout": 1, "socket_connect_timeout": 1, **options}


def weighed(two: list[servers.Server]) -> list[tuple[servers.Server, float]]:
    return [(two[0], 1.0), (two[1], 0.5)]


def held(server: servers.Server, name: str) -> bool:
    with server.client() as client:
        return client.exists(name) == 1


def test_a_client_of_several_databases(two: list[servers.Server]) -> None:
    """Every operation works, in the preferred database; when that dies nothing raises, and the other is used."""
    client = plain(two)
    cache = Cache(RedisBackend(client), namespace="multi")
    user = cache.for_user("u")
    assert user.set("k", {"x": 1})
    assert user.get("k") == {"x": 1}
    assert user.set_many({"a": 1, "b": 2}) == {"a": True, "b": True}
    assert user.get_many(["a", "b", "c"]) == {"a": 1, "b": 2}
    assert user.size_estimate().entries == 3
    assert [held(each, "multi:u:k") for each in two] == [True, False]
    assert user.clear() == 3
    cache._backend.distrust()
    assert user.set("k", 2)
    two[0].kill()
    deadline = time.monotonic() + 10
    while not held(two[1], "multi:u:k"):
        user.set("k", 3)
        time.sleep(0.01)
        assert time.monotonic() < deadline
    assert user.get("k") == 3
    client.close()


def test_an_asyncio_client_of_several_databases(two: list[servers.Server]) -> None:
    """The same awaited, by several tasks at once; a batch of one task does not close the client of the others."""

    async def run() -> None:
        client = awaited(two)
        cache = AsyncCache(AsyncRedisBackend(client), namespace="multi")
        user = cache.for_user("u")
        assert await user.set("k", {"x": 1})

        async def busy(number: int) -> None:
            for each in range(20):
                assert await user.set_many({f"a{number}": each, f"b{number}": each}) == {
                    f"a{number}": True,
                    f"b{number}": True,
                }
                assert await user.get_many([f"a{number}", "absent"]) == {f"a{number}": each}
                assert await user.get("k") == {"x": 1}

        await asyncio.gather(*(busy(number) for number in range(8)))
        assert cache.stats()["errors"] == 0
        assert (await user.size_estimate()).entries == 17
        assert [held(each, "multi:u:k") for each in two] == [True, False]
        assert await user.clear() == 17
        await cache._backend.distrust()
        assert await user.set("k", 2)
        two[0].kill()
        deadline = time.monotonic() + 10
        while not held(two[1], "multi:u:k"):
            await user.set("k", 3)
            await asyncio.sleep(0.01)
            assert time.monotonic() < deadline
        assert await user.get("k") == 3
        await client.aclose()
        for database, _ in client.get_databases():  # it closes the one in use alone
            await database.client.aclose()

    asyncio.run(run())


def test_databases_that_decode_are_refused(two: list[servers.Server]) -> None:
    """A client is refused if one of its databases would give text, and so is one of the other kind."""
    decoding = plain(two, decode_responses=True)
    with pytest.raises(PolicyError, match="decode_responses"):
        RedisBackend(decoding)
    decoding.close()
    with pytest.raises(PolicyError, match="decode_responses"):
        AsyncRedisBackend(awaited(two, decode_responses=True))
    with pytest.raises(PolicyError, match="synchronous"):
        RedisBackend(awaited(two))


def test_distrust_reaches_every_database(two: list[servers.Server]) -> None:
    """A moved entry drops the idle connections of the databases too."""
    client = plain(two)
    user = Cache(RedisBackend(client), namespace="multi").for_user("u")
    user.set("k", 1)
    with two[0].client() as behind:
        behind.copy("multi:u:k", "multi:u:j")
    assert user.get("j") is MISSING
    pools = [database.client.connection_pool for database, _ in client.get_databases()]
    assert [each._sock for pool in pools for each in pool._available_connections] == [None]
    client.close()
