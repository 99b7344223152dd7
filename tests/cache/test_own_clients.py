"""Clients of clusters, sentinels and several databases as somebody makes them: as good as those made from a URL."""

import asyncio
import contextlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
import redis.asyncio
import valkey
import valkey.asyncio

from siftpack import PolicyError
from siftpack.cache import AsyncBackend, AsyncRedisBackend, Backend, RedisBackend
from siftpack.cache.backends.redis import further_pools, pools
from siftpack.testing import servers
from siftpack.testing.backends import AsyncBackendSuite, BackendSuite
from tests.cache import test_multi_database as multi

CLIENTS = [redis, valkey]
AWAITED = [redis.asyncio, valkey.asyncio]


def ports(url: str) -> list[int]:
    return [int(port) for port in re.findall(r":(\d+)", url)]


def of_cluster(module: Any, url: str, **options: Any) -> Any:
    made = module.RedisCluster if hasattr(module, "RedisCluster") else module.ValkeyCluster
    return made(host="127.0.0.1", port=ports(url)[0], **options)


def of_sentinel(module: Any, url: str, **options: Any) -> Any:
    hosts = [("127.0.0.1", port) for port in ports(url)]
    return module.sentinel.Sentinel(hosts, socket_timeout=10).master_for("main", socket_timeout=10, **options)


@contextlib.contextmanager
def closing(client: Any) -> Iterator[Any]:
    """Ends with the connections to sentinels closed too, which no client closes itself."""
    try:
        yield client
    finally:
        client.close()
        for pool in further_pools(client):
            pool.disconnect()


def open_ones(client: Any) -> list[Any]:
    """Connections to servers, not to sentinels, that wait to be used."""
    idle = [connection for pool in pools(client) for connection in pool._available_connections]
    for node in getattr(client, "get_nodes", list)():
        idle += getattr(node, "_free", ())
    return [connection for connection in idle if getattr(connection, "_sock", getattr(connection, "_writer", None))]


class Closing(AsyncRedisBackend):
    """Closes the client that a test made, as its owner would."""

    async def close(self) -> None:
        await self.client.aclose()
        for pool in further_pools(self.client):
            await pool.disconnect()
        for database in getattr(self.client, "get_databases", list)():  # it closes the one in use alone
            await database[0].client.aclose()


class TestOwnCluster(BackendSuite):
    @pytest.fixture(params=CLIENTS, ids=lambda module: module.__name__)
    def backend(self, cluster_url: str, request: pytest.FixtureRequest) -> Iterator[Backend]:
        """A client of a cluster."""
        with closing(of_cluster(request.param, cluster_url)) as client:
            yield RedisBackend(client)


class TestOwnSentinel(BackendSuite):
    @pytest.fixture(params=CLIENTS, ids=lambda module: module.__name__)
    def backend(self, sentinel_url: str, request: pytest.FixtureRequest) -> Iterator[Backend]:
        """A client of the master that sentinels name."""
        with closing(of_sentinel(request.param, sentinel_url)) as client:
            yield RedisBackend(client)


@pytest.mark.filterwarnings("ignore:MultiDBClient is an experimental:UserWarning")
class TestSeveralDatabases(BackendSuite):
    @pytest.fixture
    def backend(self, server: servers.Server, debian: servers.Server) -> Iterator[Backend]:
        """A client of two databases, of which one is used."""
        with closing(multi.plain([server, debian])) as client:
            yield RedisBackend(client)


class TestAsyncOwnCluster(AsyncBackendSuite):
    @pytest.fixture(params=AWAITED, ids=lambda module: module.__name__)
    def backend(self, cluster_url: str, request: pytest.FixtureRequest) -> Callable[[], AsyncBackend]:
        """A client of a cluster, awaited."""
        return lambda: Closing(of_cluster(request.param, cluster_url))


class TestAsyncOwnSentinel(AsyncBackendSuite):
    @pytest.fixture(params=AWAITED, ids=lambda module: module.__name__)
    def backend(self, sentinel_url: str, request: pytest.FixtureRequest) -> Callable[[], AsyncBackend]:
        """A client of the master that sentinels name, awaited."""
        return lambda: Closing(of_sentinel(request.param, sentinel_url))


@pytest.mark.filterwarnings("ignore:MultiDBClient is an experimental:UserWarning")
class TestAsyncSeveralDatabases(AsyncBackendSuite):
    @pytest.fixture
    def backend(self, server: servers.Server, debian: servers.Server) -> Callable[[], AsyncBackend]:
        """A client of two databases, awaited."""
        return lambda: Closing(multi.awaited([server, debian]))


@pytest.mark.parametrize("module", [*CLIENTS, *AWAITED], ids=lambda module: module.__name__)
@pytest.mark.parametrize("made", [of_cluster, of_sentinel])
def test_clients_of_groups_that_decode_are_refused(
    module: Any, made: Callable[..., Any], cluster_url: str, sentinel_url: str
) -> None:
    """A client of a cluster or of sentinels that gives text for bytes is a clear error, for both kinds of backend."""
    client = made(module, cluster_url if made is of_cluster else sentinel_url, decode_responses=True)
    try:
        for backend in (RedisBackend, AsyncRedisBackend):
            with pytest.raises(PolicyError, match="decode_responses"):
                backend(client)
    finally:
        if module in CLIENTS:
            client.close()


@pytest.mark.parametrize("module", CLIENTS, ids=lambda module: module.__name__)
@pytest.mark.parametrize("made", [of_cluster, of_sentinel])
def test_distrust_reaches_every_server(
    module: Any, made: Callable[..., Any], cluster_url: str, sentinel_url: str
) -> None:
    """After ``distrust`` no connection to any node is used again that was there before."""
    with closing(made(module, cluster_url if made is of_cluster else sentinel_url)) as client:
        backend = RedisBackend(client)
        for number in range(30):
            backend.exists(f"distrust:{number}")
        before = open_ones(client)
        backend.distrust()
        assert len(before) >= (3 if made is of_cluster else 1)
        assert open_ones(client) == []


@pytest.mark.parametrize("module", AWAITED, ids=lambda module: module.__name__)
@pytest.mark.parametrize("made", [of_cluster, of_sentinel])
def test_distrust_reaches_every_server_awaited(
    module: Any, made: Callable[..., Any], cluster_url: str, sentinel_url: str
) -> None:
    """The same of asyncio clients, whose nodes hold their connections themselves."""

    async def run() -> None:
        backend = Closing(made(module, cluster_url if made is of_cluster else sentinel_url))
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(backend.close)
            for number in range(30):
                await backend.exists(f"distrust:{number}")
            before = open_ones(backend.client)
            await backend.distrust()
            assert len(before) >= (3 if made is of_cluster else 1)
            assert open_ones(backend.client) == []
            assert not await backend.exists("distrust:0")

    asyncio.run(run())
