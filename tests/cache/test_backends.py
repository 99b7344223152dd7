"""Every backend of ours keeps the promises of the suite, on every kind of server."""

from collections.abc import Callable, Iterator
from typing import Any

import fakeredis
import pytest
import redis
import valkey

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


def guarded(url: str, **options: Any) -> Iterator[Backend]:
    backend = RedisBackend(make=maker(url, asynchronous=False, **options))
    yield backend
    backend.close()


def awaited(url: str, **options: Any) -> Callable[[], AsyncBackend]:
    return lambda: AsyncRedisBackend(make=maker(url, asynchronous=True, **options))


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
    @pytest.fixture
    def backend(self, sentinel_url: str) -> Iterator[Backend]:
        """The master that three sentinels name."""
        yield from guarded(sentinel_url)


class TestCluster(BackendSuite):
    @pytest.fixture
    def backend(self, cluster_url: str) -> Iterator[Backend]:
        """A cluster of six nodes."""
        yield from guarded(cluster_url)


class TestTls(BackendSuite):
    @pytest.fixture
    def backend(self, tls: servers.Tls) -> Iterator[Backend]:
        """Debian's Redis behind TLS."""
        yield from guarded(tls.url, ssl_ca_certs=str(tls.authority), socket_timeout=2, socket_connect_timeout=2)


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


class TestAsyncUnixSocket(AsyncBackendSuite):
    @pytest.fixture
    def backend(self, server: servers.Server) -> Callable[[], AsyncBackend]:
        """A Unix socket, awaited."""
        return awaited(f"unix://{server.socket}")


class TestAsyncSentinel(AsyncBackendSuite):
    @pytest.fixture
    def backend(self, sentinel_url: str) -> Callable[[], AsyncBackend]:
        """The master that three sentinels name, awaited."""
        return awaited(sentinel_url)


class TestAsyncCluster(AsyncBackendSuite):
    @pytest.fixture
    def backend(self, cluster_url: str) -> Callable[[], AsyncBackend]:
        """A cluster of six nodes, awaited."""
        return awaited(cluster_url)


class TestAsyncTls(AsyncBackendSuite):
    @pytest.fixture
    def backend(self, tls: servers.Tls) -> Callable[[], AsyncBackend]:
        """Debian's Redis behind TLS, awaited."""
        return awaited(tls.url, ssl_ca_certs=str(tls.authority), socket_timeout=2, socket_connect_timeout=2)


class TestAsyncTiered(AsyncBackendSuite):
    @pytest.fixture
    def backend(self, url: str) -> Callable[[], AsyncBackend]:
        """Redis in front of the embedded store, awaited."""
        return lambda: AsyncTieredBackend(awaited(url)(), AsyncMemoryBackend())
