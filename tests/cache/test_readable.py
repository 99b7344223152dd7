"""What is written through a client is read through it, whatever options the client has that is not refused."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest
import redis
import redis.asyncio
from redis.maint_notifications import MaintNotificationsConfig

from siftpack import PolicyError
from siftpack.cache import AsyncCache, AsyncRedisBackend, Cache, RedisBackend
from siftpack.testing import servers
from tests.cache.shells import Blocking
from tests.faults.busy import patient

Opened: TypeAlias = contextlib.AbstractContextManager[Any]

ACCEPTED: list[dict[str, Any]] = [
    {},
    {"protocol": 2},
    {"protocol": 3},
    {"protocol": 2, "legacy_responses": False},
    {"protocol": 3, "legacy_responses": False},
    {"encoding": "latin-1"},
    {"encoding": "ascii", "encoding_errors": "ignore"},
    {"health_check_interval": 1},
    {"socket_keepalive": True},
    {"client_name": "app", "lib_name": "app", "lib_version": "1"},
    {"username": "default", "password": ""},
    {"retry": None},
    {"retry_on_error": [redis.exceptions.ConnectionError]},
    {"maint_notifications_config": MaintNotificationsConfig(enabled="auto")},
    {"socket_read_size": 64},
    {"socket_timeout": None, "socket_connect_timeout": None},
    {"max_connections": 1},
]
ALONE: list[dict[str, Any]] = [{"db": 5}]
"""Options that clusters do not have."""
OF_CLUSTERS: list[dict[str, Any]] = [
    {"reinitialize_steps": 1},
    {"require_full_coverage": False},
    {"dynamic_startup_nodes": False},
    {"cluster_error_retry_attempts": 1},
]


@contextlib.contextmanager
def own(server: servers.Server, options: dict[str, Any]) -> Iterator[Any]:
    """A cache over a client that somebody made."""
    with redis.Redis(port=server.port, **options) as client:
        yield Cache(RedisBackend(client), namespace="options", fallback=False)


@contextlib.contextmanager
def own_awaited(server: servers.Server, options: dict[str, Any]) -> Iterator[Any]:
    """The same of asyncio."""
    with asyncio.Runner() as runner, contextlib.ExitStack() as stack:
        client = redis.asyncio.Redis(port=server.port, **options)
        stack.callback(lambda: runner.run(client.aclose()))
        yield Blocking(AsyncCache(AsyncRedisBackend(client), namespace="options", fallback=False), runner)


@contextlib.contextmanager
def by_url(url: str, options: dict[str, Any]) -> Iterator[Any]:
    """A cache whose client is made from a URL and the options."""
    with Cache.from_url(url, namespace="options", client={**patient(url), **options}, fallback=False) as cache:
        yield cache


@contextlib.contextmanager
def by_url_awaited(url: str, options: dict[str, Any]) -> Iterator[Any]:
    """The same of asyncio."""
    with asyncio.Runner() as runner, contextlib.ExitStack() as stack:
        cache = AsyncCache.from_url(url, namespace="options", client={**patient(url), **options}, fallback=False)
        stack.callback(lambda: runner.run(cache.close()))
        yield Blocking(cache, runner)


KINDS: dict[str, tuple[Callable[[Any, dict[str, Any]], Opened], str]] = {
    "redis": (own, "server"),
    "redis.asyncio": (own_awaited, "server"),
    "single": (by_url, "url"),
    "single, async": (by_url_awaited, "url"),
    "sentinel": (by_url, "sentinel_url"),
    "sentinel, async": (by_url_awaited, "sentinel_url"),
    "cluster": (by_url, "cluster_url"),
    "cluster, async": (by_url_awaited, "cluster_url"),
}
CASES = [
    (kind, options)
    for kind, (_, where) in KINDS.items()
    for options in (*ACCEPTED, *(OF_CLUSTERS if where == "cluster_url" else ALONE))
]


@pytest.mark.filterwarnings("ignore:.*deprecated usage of input argument:DeprecationWarning")
@pytest.mark.parametrize(("kind", "options"), CASES, ids=str)
def test_nothing_is_unreadable_with_a_client_that_is_accepted(
    kind: str, options: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    """Whatever options a client has that is not refused, what is written through it can be read through it."""
    made, where = KINDS[kind]
    with made(request.getfixturevalue(where), options) as cache:
        user = cache.for_user("grüße ☃")
        value = {"key": "ünï", "bytes": bytes(range(256)), "none": None, "n": 2**80}
        assert user.set("k ☃", value)
        assert user.get("k ☃") == value
        assert user.get_many(["k ☃"]) == {"k ☃": value}
        assert user.clear() == 1
        stats = cache.stats()
        assert (stats["hits"], stats["misses"], stats["errors"]) == (2, 0, 0)


@pytest.mark.parametrize("made", [Cache, AsyncCache])
def test_options_of_another_kind_of_server(made: type[Cache | AsyncCache]) -> None:
    """What is no option of the server that the URL names is a clear error, and not ignored."""
    for options in OF_CLUSTERS:
        with pytest.raises(PolicyError, match="option"):
            made.from_url("redis://localhost", client=options)
    for options in ALONE:
        with pytest.raises(PolicyError, match="database"):
            made.from_url("redis+cluster://localhost", client=options)
