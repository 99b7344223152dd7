"""Real servers, each started once for all tests that need it, and stopped whatever happens."""

import asyncio
import os
from collections.abc import Iterator

import pytest

from siftpack.cache import AsyncCache, Cache
from siftpack.testing import servers
from tests.cache.crowd import Tasks, Threads, World
from tests.cache.shells import AsyncFailing, Blocking, Make


@pytest.fixture(scope="session")
def server() -> Iterator[servers.Server]:
    """A Valkey of our own."""
    with servers.single() as running:
        yield running


@pytest.fixture(scope="session")
def url(server: servers.Server) -> str:
    """Where a single server is: the one of ``REDIS_URL`` if it is set."""
    return os.environ.get("REDIS_URL") or server.url


@pytest.fixture(scope="session")
def debian() -> Iterator[servers.Server]:
    """The system's Redis, the second kind of server."""
    binary = servers.redis_binary()
    assert binary is not None, "there is no redis-server here: apt-get install redis-server"
    with servers.single(binary=binary) as running:
        yield running


@pytest.fixture(scope="session")
def sentinel_url() -> Iterator[str]:
    """Three sentinels over a master and a replica."""
    with servers.sentinels() as running:
        yield running.url


@pytest.fixture(scope="session")
def cluster_url() -> Iterator[str]:
    """A cluster of six nodes."""
    with servers.cluster() as running:
        yield running.url


@pytest.fixture(scope="session")
def tls() -> Iterator[servers.Tls]:
    """A Redis that speaks TLS alone, and the authority that signed its certificate."""
    with servers.tls() as running:
        yield running


@pytest.fixture(params=["sync", "async"])
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Makes a cache of either kind over a store: ``make(store, **options)``."""
    if request.param == "sync":
        yield lambda store, **options: Cache(store, namespace="app", **options)
        return
    with asyncio.Runner() as runner:
        yield lambda store, **options: Blocking(AsyncCache(AsyncFailing(store), namespace="app", **options), runner)


@pytest.fixture(params=[Threads, Tasks], ids=["sync", "async"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Callers of either kind."""
    made = request.param()
    yield made
    made.close()
