"""Real servers that die, hang, are not there, or want another password."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import redis.exceptions as errors

from siftpack.cache import MISSING, AsyncCache, Cache
from siftpack.cache.breaker import FAILURES
from siftpack.testing import servers

pytestmark = pytest.mark.alone


def seconds(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def waited(user: Any, key: str, value: Any) -> float:
    """Seconds until the store takes and gives a value again."""
    began = time.perf_counter()
    while not (user.set(key, value) and user._backend.front.get(f"app:u:{key}") is not None):
        time.sleep(0.01)
        assert time.perf_counter() - began < 10
    return time.perf_counter() - began


def test_a_server_that_dies_and_comes_back() -> None:
    """Killed: no exception, quick answers; started again: in use within a second, with nothing stale."""
    with servers.single() as server:
        cache = Cache.from_url(server.url, namespace="app")
        user = cache.for_user("u")
        user.set("k", 1)
        server.kill()
        slowest = max(seconds(lambda: user.get("k")) for _ in range(20))
        user.set("k", 2)
        assert user.get("k") == 2
        assert slowest < 0.25
        server.start()
        assert waited(user, "back", 1) < 1
        assert user.get("k") is MISSING
        assert cache.health()["ok"]
        cache.close()


def test_a_server_that_hangs() -> None:
    """Stopped where it is: each call ends within the time limit, all but the probes at once, and it is taken back."""
    with servers.single() as server:
        cache = Cache.from_url(server.url, namespace="app")
        user = cache.for_user("u")
        user.set("k", 1)
        server.pause()
        taken: Sequence[float] = [seconds(lambda: user.get("k")) for _ in range(FAILURES + 50)]
        server.resume()
        assert max(taken) < 0.4
        assert sorted(taken)[40] < 0.01
        assert waited(user, "back", 1) < 1.5
        cache.close()


def test_a_server_that_is_not_there() -> None:
    """A store that cannot be reached is no error when the cache is made: it works in this process."""
    port = servers.free_port()
    for url in (
        f"redis://127.0.0.1:{port}",
        f"redis+sentinel://127.0.0.1:{port}/main",
        f"redis+cluster://127.0.0.1:{port}",
    ):
        cache = Cache.from_url(url, namespace="app")
        user = cache.for_user("u")
        assert user.set("k", 1)
        assert user.get("k") == 1
        assert not cache.health()["ok"]
        cache.close()


def test_a_wrong_password_is_seen_at_once() -> None:
    """A password that the server does not take is raised when the cache is made, and by every operation later."""
    with servers.single("requirepass right") as server:
        good = server.url.replace("//", "//:right@")
        cache = Cache.from_url(good, namespace="app")
        assert cache.for_user("u").set("k", 1)
        for bad in (server.url, server.url.replace("//", "//:wrong@")):
            with pytest.raises(errors.AuthenticationError):
                Cache.from_url(bad, namespace="app")
        with server.client(password="right") as client:
            client.config_set("requirepass", "rotated")
            client.client_kill_filter(skipme=True, _type="normal")
        user = cache.for_user("u")
        with pytest.raises(errors.AuthenticationError):
            user.get("k")
        with pytest.raises(errors.AuthenticationError):
            cache.health()
        cache.close()

        async def later() -> None:
            async with AsyncCache.from_url(good, namespace="app") as awaited:
                with pytest.raises(errors.AuthenticationError):
                    await awaited.for_user("u").get("k")
                with pytest.raises(errors.AuthenticationError):
                    await awaited.health()

        asyncio.run(later())
