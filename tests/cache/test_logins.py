"""Wrong passwords where groups of servers hide them: raised, as those of a single server are."""

import asyncio
import time
from collections.abc import Iterator

import pytest
import redis
import redis.exceptions as errors
import redis.sentinel
from redis.asyncio.sentinel import MasterNotFoundError as AsyncMasterNotFoundError

from siftpack.cache import AsyncCache, Cache
from siftpack.cache.decide import Verdict, verdict
from siftpack.testing import servers

RAISED = (
    errors.AuthenticationError,
    errors.RedisClusterException,
    redis.sentinel.MasterNotFoundError,
    AsyncMasterNotFoundError,
)


@pytest.fixture(scope="module")
def locked_cluster() -> Iterator[str]:
    """A cluster of one node that wants a password; its URL without one."""
    with servers.single("requirepass right", "cluster-enabled yes") as node:
        with node.client(password="right") as client:
            client.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
            deadline = time.monotonic() + servers.START
            while b"cluster_state:ok" not in client.execute_command("CLUSTER", "INFO"):
                assert time.monotonic() < deadline
                time.sleep(0.01)
        yield f"redis+cluster://127.0.0.1:{node.port}"


@pytest.fixture(scope="module")
def locked_sentinel() -> Iterator[str]:
    """A sentinel that wants a password, over a master that does not; its URL without one."""
    with servers.single() as master:
        config = f"requirepass right\nsentinel monitor main 127.0.0.1 {master.port} 1"
        sentinel = servers.Server(sentinel=config)
        try:
            sentinel.start()
            yield f"redis+sentinel://127.0.0.1:{sentinel.port}/main"
        finally:
            sentinel.stop()


def with_login(url: str, word: str | None) -> str:
    """The URL with a password, of a node or of the sentinel."""
    if word is None:
        return url
    return f"{url}?sentinel_password={word}" if "sentinel" in url else url.replace("//", f"//:{word}@")


@pytest.mark.parametrize("where", ["locked_cluster", "locked_sentinel"])
def test_a_wrong_password_is_not_an_outage(where: str, request: pytest.FixtureRequest) -> None:
    """No password or a wrong one is raised when the cache is made, and never hidden behind the embedded store."""
    url = request.getfixturevalue(where)
    for word in (None, "wrong"):
        with pytest.raises(RAISED) as raised:
            Cache.from_url(with_login(url, word))
        assert verdict(raised.value) is Verdict.AUTH
        assert "wrong" not in str(raised.value)
    with Cache.from_url(with_login(url, "right"), namespace="app") as cache:
        assert cache.health()["ok"]
        assert cache.for_user("u").set("k", 1)
        assert cache.for_user("u").get("k") == 1
        assert cache.stats()["errors"] == 0


@pytest.mark.parametrize("where", ["locked_cluster", "locked_sentinel"])
def test_a_wrong_password_is_not_an_outage_awaited(where: str, request: pytest.FixtureRequest) -> None:
    """The same by the first operation of the asyncio cache, and by its ``health``."""
    url = request.getfixturevalue(where)

    async def run() -> None:
        for word in (None, "wrong"):
            async with AsyncCache.from_url(with_login(url, word)) as cache:
                user = cache.for_user("u")
                for call in (user.set("k", 1), user.get("k"), cache.health()):
                    with pytest.raises(RAISED) as raised:
                        await call
                    assert verdict(raised.value) is Verdict.AUTH
        async with AsyncCache.from_url(with_login(url, "right"), namespace="app") as cache:
            assert await cache.for_user("u").set("k", 1)
            assert (await cache.health())["ok"]

    asyncio.run(run())


def test_a_password_changed_under_a_cluster_is_seen(locked_cluster: str) -> None:
    """A cache in use whose password is changed raises; it does not go on alone."""
    port = int(locked_cluster.rpartition(":")[2])
    with Cache.from_url(with_login(locked_cluster, "right"), namespace="app") as cache:
        user = cache.for_user("u")
        assert user.set("k", 1)
        with redis_client(port) as client:
            client.config_set("requirepass", "rotated")
            client.client_kill_filter(skipme=True, _type="normal")
            with pytest.raises(errors.AuthenticationError):
                user.get("k")
            client.config_set("requirepass", "right")


def redis_client(port: int) -> redis.Redis:

    return redis.Redis(port=port, password="right")
