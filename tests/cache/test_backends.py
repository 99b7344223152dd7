"""Every backend of ours keeps the promises of the suite, on every kind of server."""

from collections.abc import Callable, Iterator
from typing import Any

import fakeredis
import pytest
import redis
import redis.asyncio
import valkey
import valkey.asyncio

from siftpack.cache import (
    AsyncBackend,
    AsyncMemoryBackend,
    AsyncRedisBackend,
    AsyncTieredBackend,
    Backend,
    MemoryBackend,
    RedisBackend,
    TieredBackend,
)
from siftpack.cache.presets import maker
from siftpack.testing import servers
from siftpack.testing.backends import AsyncBackendSuite, BackendSuite
from tests.faults.busy import patient


def guarded(url: str, **options: Any) -> Iterator[Backend]:
    backend = RedisBackend(make=maker(url, asynchronous=False, **{**patient(url), **options}))
    yield backend
    backend.close()


def awaited(url: str, **options: Any) -> Callable[[], AsyncBackend]:
    return lambda: AsyncRedisBackend(make=maker(url, asynchronous=True, **{**patient(url), **options}))


class TestMemory(BackendSuite):
    @pytest.fixture
    def backend(self) -> Backend:
        """The embedded store."""
        return MemoryBackend()


class TestRedis(BackendSuite):
    @pytest.fixture(params=[2, 3])
    def backend(self, url: str, request: pytest.FixtureRequest) -> Iterator[Backend]:
        """The preset client, in both protocols."""
        yield from guarded(url, protocol=request.param)


class TestDebianRedis(BackendSuite):
    @pytest.fixture(params=[2, 3])
    def backend(self, debian: servers.Server, request: pytest.FixtureRequest) -> Iterator[Backend]:
        """The second kind of server, in both protocols."""
        yield from guarded(debian.url, protocol=request.param)


class TestUnixSocket(BackendSuite):
    @pytest.fixture
    def backend(self, server: servers.Server) -> Iterator[Backend]:
        """A Unix socket."""
        yield from guarded(f"unix://{server.socket}")


class TestSentinel(BackendSuite):
    @pytest.fixture(params=[2, 3])
    def backend(self, sentinel_url: str, request: pytest.FixtureRequest) -> Iterator[Backend]:
        """The master that three sentinels name, in both protocols."""
        yield from guarded(sentinel_url, protocol=request.param)


class TestCluster(BackendSuite):
    @pytest.fixture(params=[2, 3])
    def backend(self, cluster_url: str, request: pytest.FixtureRequest) -> Iterator[Backend]:
        """A cluster of six nodes, in both protocols."""
        yield from guarded(cluster_url, protocol=request.param)


class TestTls(BackendSuite):
    @pytest.fixture
    def backend(self, tls: servers.Tls) -> Iterator[Backend]:
        """Debian's Redis behind TLS."""
        yield from guarded(tls.url, ssl_ca_certs=str(tls.authority))


class TestPlainRedisPy(BackendSuite):
    @pytest.fixture
    def backend(self, server: servers.Server) -> Iterator[Backend]:
        """A client as redis-py makes it."""
        with redis.Redis(port=server.port) as client:
            yield RedisBackend(client)


class TestValkeyPy(BackendSuite):
    @pytest.fixture
    def backend(self, server: servers.Server) -> Iterator[Backend]:
        """A client of valkey-py."""
        client = valkey.Valkey(port=server.port)
        yield RedisBackend(client)
        client.close()


class TestFakeRedis(BackendSuite):
    @pytest.fixture
    def backend(self) -> Backend:
        """fakeredis, where no server is."""
        return RedisBackend(fakeredis.FakeRedis())


class TestScanThatRepeats(BackendSuite):
    @pytest.fixture
    def backend(self) -> Backend:
        """A store that names what it holds twice when it is scanned, as Redis may while it grows."""

        class Repeating(fakeredis.FakeRedis):
            def scan_iter(self, *args: Any, **options: Any) -> Iterator[Any]:
                for name in list(super().scan_iter(*args, **options)):
                    yield from (name, name)

        return RedisBackend(Repeating())


class TestTiered(BackendSuite):
    @pytest.fixture
    def backend(self, url: str) -> Iterator[Backend]:
        """Redis in front of the embedded store; an absent name is one that the front does not have."""
        for front in guarded(url):
            yield TieredBackend(front, MemoryBackend())


class TestAsyncMemory(AsyncBackendSuite):
    @pytest.fixture
    def backend(self) -> Callable[[], AsyncBackend]:
        """The embedded store, awaited."""
        return AsyncMemoryBackend


class TestAsyncRedis(AsyncBackendSuite):
    @pytest.fixture(params=[2, 3])
    def backend(self, url: str, request: pytest.FixtureRequest) -> Callable[[], AsyncBackend]:
        """The preset asyncio client, in both protocols."""
        return awaited(url, protocol=request.param)


class Closing(AsyncRedisBackend):
    """Closes the client that a test made, as its owner would."""

    async def close(self) -> None:
        await self.client.aclose()


class TestAsyncPlainRedisPy(AsyncBackendSuite):
    @pytest.fixture
    def backend(self, server: servers.Server) -> Callable[[], AsyncBackend]:
        """A client as redis-py makes it, awaited."""
        return lambda: Closing(redis.asyncio.Redis(port=server.port))


class TestAsyncValkeyPy(AsyncBackendSuite):
    @pytest.fixture
    def backend(self, server: servers.Server) -> Callable[[], AsyncBackend]:
        """A client of valkey-py, awaited."""
        return lambda: Closing(valkey.asyncio.Valkey(port=server.port))


class TestAsyncFakeRedis(AsyncBackendSuite):
    @pytest.fixture
    def backend(self) -> Callable[[], AsyncBackend]:
        """fakeredis, awaited."""
        return lambda: Closing(fakeredis.FakeAsyncRedis())


class TestAsyncUnixSocket(AsyncBackendSuite):
    @pytest.fixture
    def backend(self, server: servers.Server) -> Callable[[], AsyncBackend]:
        """A Unix socket, awaited."""
        return awaited(f"unix://{server.socket}")


class TestAsyncSentinel(AsyncBackendSuite):
    @pytest.fixture(params=[2, 3])
    def backend(self, sentinel_url: str, request: pytest.FixtureRequest) -> Callable[[], AsyncBackend]:
        """The master that three sentinels name, awaited, in both protocols."""
        return awaited(sentinel_url, protocol=request.param)


class TestAsyncCluster(AsyncBackendSuite):
    @pytest.fixture(params=[2, 3])
    def backend(self, cluster_url: str, request: pytest.FixtureRequest) -> Callable[[], AsyncBackend]:
        """A cluster of six nodes, awaited, in both protocols."""
        return awaited(cluster_url, protocol=request.param)


class TestAsyncTls(AsyncBackendSuite):
    @pytest.fixture
    def backend(self, tls: servers.Tls) -> Callable[[], AsyncBackend]:
        """Debian's Redis behind TLS, awaited."""
        return awaited(tls.url, ssl_ca_certs=str(tls.authority))


class TestAsyncTiered(AsyncBackendSuite):
    @pytest.fixture
    def backend(self, url: str) -> Callable[[], AsyncBackend]:
        """Redis in front of the embedded store, awaited."""
        return lambda: AsyncTieredBackend(awaited(url)(), AsyncMemoryBackend())
