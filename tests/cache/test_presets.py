"""Clients made from URLs, and clients that are refused."""

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from typing import Any

import fakeredis
import pytest
import redis
import redis.asyncio
from redis.cache import CacheConfig
from redis.cluster import LoadBalancingStrategy

from siftpack import PolicyError
from siftpack.cache import (
    MISSING,
    AsyncCache,
    AsyncMemoryBackend,
    AsyncRedisBackend,
    Cache,
    MemoryBackend,
    RedisBackend,
)
from siftpack.cache.backends.redis import further_pools, pools
from siftpack.cache.presets import CONNECTIONS, CONNECTIONS_OF_A_LOOP, TIMEOUT, maker
from siftpack.testing import servers
from tests.faults.busy import patient

BAD_URLS = [
    "",
    "localhost",
    "localhost:6379",
    "http://localhost",
    "redis:/localhost",
    "redis://localhost:port",
    "redis://localhost:99999999",
    "redis://localhost?socket_timeout=soon",
    "redis://localhost?nonsense=1",
    "redis://localhost?decode_responses=True",
    "redis://localhost?single_connection_client=1",
    "redis://localhost?protocol=7",
    "redis://localhost?retry=3",
    "redis://localhost?maint_notifications_config=off",
    "redis://localhost?credential_provider=os.system",
    "redis://localhost?redis_connect_func=os.system",
    "redis://localhost?event_dispatcher=os.system",
    "redis://localhost?parser_class=os.system",
    "redis://localhost?connection_class=os.system",
    "redis://localhost?socket_keepalive_options=1",
    "redis://localhost?wait=soon",
    "redis://localhost?wait=nan",
    "redis://localhost?wait=-1",
    "unix://",
    "redis+sentinel://localhost",
    "redis+sentinel:///main",
    "redis+sentinel://localhost/main?nonsense=1",
    "redis+cluster://",
    "redis+cluster://localhost/3",
    "redis+sentinel://localhost/main?credential_provider=os.system",
    "redis+cluster://localhost?decode_responses=yes",
    "redis+cluster://localhost?read_from_replicas=yes",
    "redis+cluster://localhost?policy_resolver=os.system",
    "redis+cluster://localhost?nonsense=1",
    "redis+cluster://localhost?socket_timeout=soon",
    "redis+cluster://localhost?protocol=7",
    "redis+cluster://localhost:port",
    "redis+cluster://a,,b",
]


@pytest.mark.parametrize("url", BAD_URLS)
def test_urls_that_make_no_sense(url: str) -> None:
    """A URL that cannot be meant is a clear error when the cache is made, for both shells."""
    for made in (Cache, AsyncCache):
        with pytest.raises(PolicyError):
            made.from_url(url)


@pytest.mark.parametrize("url", [7, b"redis://localhost", ["redis://localhost"]])
def test_what_is_no_url(url: Any) -> None:
    """A URL is a str."""
    with pytest.raises(PolicyError, match="URL"):
        Cache.from_url(url)


def test_an_error_does_not_show_a_password() -> None:
    """What is wrong with a URL is said without the URL."""
    with pytest.raises(PolicyError) as raised:
        Cache.from_url("redis://:hunter2@localhost?socket_timeout=soon")
    assert "hunter2" not in str(raised.value)
    assert raised.value.__cause__ is None
    with pytest.raises(PolicyError) as raised:
        Cache.from_url("hunter2://localhost" + "x" * 100)
    assert len(str(raised.value)) < 250


def test_the_preset() -> None:
    """Short timeouts, no retries of the client's own, no maintenance notifications, bounded pools."""
    client = maker("redis://user:pass@localhost:7000/3", asynchronous=False)()
    pool = client.connection_pool
    options = pool.connection_kwargs
    assert (options["host"], options["port"], options["db"], options["username"]) == ("localhost", 7000, 3, "user")
    assert options["socket_timeout"] == options["socket_connect_timeout"] == TIMEOUT == 0.225
    assert options["retry"].get_retries() == 0
    assert not pool.maint_notifications_enabled()
    assert pool.max_connections == CONNECTIONS
    awaited = maker("rediss://localhost?max_connections=3&socket_timeout=2", asynchronous=True)()
    assert awaited.connection_pool.max_connections == 3
    assert awaited.connection_pool.connection_kwargs["socket_timeout"] == 2
    assert maker("valkey://localhost", asynchronous=True)().connection_pool.max_connections == CONNECTIONS_OF_A_LOOP


@contextlib.contextmanager
def used(url: str, *, asynchronous: bool) -> Iterator[Any]:
    """A preset client that was asked for keys of many nodes."""
    make = maker(url, asynchronous=asynchronous, **patient(url))
    names = [f"k{number}" for number in range(30)]
    with contextlib.ExitStack() as stack:
        if asynchronous:
            runner = stack.enter_context(asyncio.Runner())
            awaited = AsyncRedisBackend(make=make)
            stack.callback(lambda: runner.run(awaited.close()))
            for name in names:
                runner.run(awaited.get(name))
            yield awaited._client
        else:
            backend = RedisBackend(make=make)
            stack.callback(backend.close)
            for name in names:
                backend.get(name)
            yield backend.client


def connections(client: Any) -> list[Any]:
    """Those that a client has: to its server, to sentinels, to nodes."""
    if isinstance(client, redis.asyncio.RedisCluster):
        return [connection for node in client.get_nodes() for connection in node._connections]
    return [each for pool in (*pools(client), *further_pools(client)) for each in pool._available_connections]


def settings(connection: Any) -> tuple[Any, int]:
    """Whether maintenance notifications are asked for, and how often a command is repeated."""
    config = connection.maint_notifications_config
    return config is not None and config.enabled, connection.retry.get_retries()


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(("where", "least"), [("url", 1), ("sentinel_url", 2), ("cluster_url", 3)])
def test_no_connection_notifies_or_repeats(
    where: str, least: int, asynchronous: bool, request: pytest.FixtureRequest
) -> None:
    """None to a server, sentinel or node does, nor does the client; a synchronous one of a cluster tries once more."""
    with used(request.getfixturevalue(where), asynchronous=asynchronous) as client:
        made = connections(client)
        assert len(made) >= least
        assert [settings(connection) for connection in made] == [(False, 0)] * len(made)
        retry = client.retry if where == "cluster_url" else client.get_retry()
        assert retry.get_retries() == int(where == "cluster_url" and not asynchronous)


def test_connections_of_others_notify_and_repeat(server: servers.Server) -> None:
    """By itself redis-py does both: the test above would see it."""
    with redis.Redis(port=server.port) as client:
        client.ping()
        assert [settings(connection) for connection in connections(client)] == [("auto", 10)]


@pytest.mark.parametrize("host", ["[::1]", "127.0.0.1", "u:p%40s,s@[::1]"])
def test_a_cluster_is_looked_for_where_the_url_says(host: str) -> None:
    """Addresses of both kinds are asked, with options of clusters beside those of connections; nothing is garbled."""
    make = maker(f"redis+cluster://{host}:1", asynchronous=False, require_full_coverage=False)
    with pytest.raises(redis.exceptions.RedisClusterException, match=r"cannot be connected.*(111|99|refused)"):
        make()
    maker(f"redis+cluster://{host}:1", asynchronous=True, require_full_coverage=False)


def refused() -> list[Any]:
    clients: list[Any] = []
    for module in (redis, redis.asyncio):
        clients += [
            module.Redis(decode_responses=True),
            module.Redis.from_url("redis://localhost", decode_responses=True),
            module.Redis(single_connection_client=True) if module is redis.asyncio else None,
        ]
    clients += [fakeredis.FakeRedis(decode_responses=True), fakeredis.FakeAsyncRedis(decode_responses=True)]
    clients += [redis.Redis(encoding="utf-16"), redis.Redis(encoding="no such")]
    clients += [redis.Redis(protocol=3, cache_config=CacheConfig())]
    clients += [redis.asyncio.RedisCluster("localhost", load_balancing_strategy=LoadBalancingStrategy.ROUND_ROBIN)]
    return [client for client in clients if client is not None]


@pytest.mark.parametrize("client", refused(), ids=lambda client: type(client).__module__)
def test_clients_that_are_refused(client: Any) -> None:
    """A client that decodes, shares one connection or caches by itself is a clear error when the backend is made."""
    for backend in (RedisBackend, AsyncRedisBackend):
        with pytest.raises(PolicyError, match=r"decode_responses|single_connection|client-side|encoding|replicas"):
            backend(client)


def test_a_client_with_a_single_connection_is_refused(server: servers.Server) -> None:
    """The synchronous one connects when it is made, so it needs a server to be refused."""
    client = redis.Redis(port=server.port, single_connection_client=True)
    with client, pytest.raises(PolicyError, match="single_connection"):
        RedisBackend(client)


@pytest.mark.parametrize(
    "name", ["decode_responses", "single_connection_client", "cache", "cache_config", "read_from_replicas"]
)
def test_options_that_are_refused(name: str) -> None:
    """The same options are refused beside a URL, true or false."""
    with pytest.raises(PolicyError, match=name):
        Cache.from_url("redis://localhost", client={name: True})


def test_the_two_kinds_are_not_mixed() -> None:
    """A client or backend of the other kind, or a client where a backend belongs, is a clear error."""
    for made in (
        lambda: RedisBackend(redis.asyncio.Redis()),
        lambda: RedisBackend(fakeredis.FakeAsyncRedis()),
        lambda: AsyncRedisBackend(redis.Redis()),
        lambda: Cache(AsyncMemoryBackend()),
        lambda: AsyncCache(MemoryBackend()),
        lambda: Cache(redis.Redis()),
        lambda: Cache("redis://localhost"),
        lambda: AsyncCache(redis.asyncio.Redis()),
    ):
        with pytest.raises(PolicyError, match=r"synchronous|backend"):
            made()


def test_a_backend_takes_a_client_or_a_maker() -> None:
    """Neither and both are errors."""
    for backend in (RedisBackend, AsyncRedisBackend):
        with pytest.raises(PolicyError):
            backend()
        with pytest.raises(PolicyError):
            backend(fakeredis.FakeRedis(), make=fakeredis.FakeRedis)
        with pytest.raises(PolicyError, match="decode_responses"):
            backend(make=lambda: fakeredis.FakeRedis(decode_responses=True)).client  # noqa: B018 - made when asked for


def test_tls_with_a_wrong_authority_is_an_outage_and_not_a_fallback_to_plain(tls: servers.Tls) -> None:
    """A server whose certificate is not trusted is not used."""
    cache = Cache.from_url(tls.url, namespace="app", client={"socket_timeout": 2, "socket_connect_timeout": 2})
    assert cache.health()["error"] == "unreachable"
    assert cache.for_user("u").set("k", 1)
    cache.close()
    options = {"ssl_ca_certs": str(tls.authority), "socket_timeout": 2, "socket_connect_timeout": 2}
    trusted = Cache.from_url(tls.url, namespace="app", client=options)
    assert trusted.health()["ok"]
    assert trusted.for_user("u").get("k") is MISSING
    trusted.close()


def test_one_asyncio_cache_in_several_loops(server: servers.Server) -> None:
    """An ``AsyncCache`` that outlives its event loop is used in the next one, with connections of its own."""
    cache = AsyncCache.from_url(server.url, namespace="loops")

    async def use(number: int) -> None:
        user = cache.for_user("u")
        assert await user.set("k", number)
        assert await user.get("k") == number

    for number in range(3):
        asyncio.run(use(number))
    assert cache.stats()["errors"] == 0
    asyncio.run(cache.close())


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without redis-py a URL says which extra to install, and so does a seal without cryptography."""
    from siftpack.cache import Seal

    monkeypatch.setitem(sys.modules, "redis", None)
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
    with pytest.raises(PolicyError, match=r"siftpack\[redis\]"):
        Cache.from_url("redis://localhost")
    with pytest.raises(PolicyError, match=r"siftpack\[crypto\]"):
        Seal({1: b"k" * 32})


def test_commands_of_a_cache_are_known() -> None:
    """An asyncio client of a cluster asks which commands there are when it meets one that a cache does not use."""

    class Node:
        asked = 0

        async def execute_command(self, command: str) -> dict[str, Any]:
            self.asked += command == "COMMAND"
            return {"LPUSH": {"name": "lpush", "flags": [], "first_key_pos": 1, "last_key_pos": 1, "step_count": 1}}

    async def run() -> None:
        parser = maker("redis+cluster://127.0.0.1:1", asynchronous=True)().commands_parser
        node = Node()
        await parser.initialize(node)
        assert await parser.get_keys("GET", b"k") == [b"k"]
        assert await parser.get_keys("SET", b"k", b"v", "PX", 1) == [b"k"]
        assert await parser.get_keys("UNLINK", b"k", b"l") == [b"k", b"l"]
        assert node.asked == 0
        assert await parser.get_keys("LPUSH", b"k", b"v") == [b"k"]
        assert node.asked == 1

    asyncio.run(run())
