"""What the cache costs beside the plain client, measured side by side."""

import asyncio
import statistics
from collections.abc import Awaitable, Callable, Iterator
from time import perf_counter
from typing import Any

import pytest
import redis
import redis.asyncio

import siftpack
from siftpack.cache import AsyncCache, Cache
from siftpack.testing import servers

pytestmark = pytest.mark.alone

VALUE = {"rows": [{"id": n, "name": f"name {n}", "score": n * 1.5, "tags": ["a", "b", "c"]} for n in range(215)]}
ROUNDS, CALLS = 150, 10
ALLOWED = 1.15


class Turns:
    """Two calls in turn, some of one and then some of the other, as what else runs here disturbs both."""

    def __init__(self, ours: Callable[[], Any], plain: Callable[[], Any]) -> None:
        self._ours, self._plain = ours, plain
        self._times: dict[Callable[[], Any], list[float]] = {ours: [], plain: []}

    def __iter__(self) -> Iterator[Callable[[], Any]]:
        """Each call as often as it is to be made; what happens until the next one is asked for is what it takes."""
        for _ in range(ROUNDS):
            for call, taken in self._times.items():
                for _ in range(CALLS):
                    began = perf_counter()
                    yield call
                    taken.append(perf_counter() - began)

    def ratio(self) -> float:
        """Of the middle ones. The least ones are those for which the server happened to be awake, which is luck."""
        return statistics.median(self._times[self._ours]) / statistics.median(self._times[self._plain])


def ratio(ours: Callable[[], Any], plain: Callable[[], Any]) -> float:
    """What a call of ours takes, over what a plain one does."""
    turns = Turns(ours, plain)
    for call in turns:
        call()
    return turns.ratio()


def test_a_hit_and_a_write_cost_little_more_than_the_plain_client(server: servers.Server) -> None:
    """``get`` and ``set`` of 10 kB cost at most 15 % over redis-py with ``unpackb`` and ``packb``."""
    assert 9_000 < len(siftpack.packb(VALUE)) < 11_000
    with redis.Redis.from_url(server.url) as client, Cache.from_url(server.url, namespace="cost") as cache:
        user = cache.for_user("u-123")
        client.set("cost:u-123:plain", siftpack.packb(VALUE), px=3_600_000)
        user.set("k", VALUE)
        assert user.get("k") == VALUE
        reading = ratio(lambda: user.get("k"), lambda: siftpack.unpackb(client.get("cost:u-123:plain")))
        writing = ratio(
            lambda: user.set("k", VALUE),
            lambda: client.set("cost:u-123:plain", siftpack.packb(VALUE), px=3_600_000),
        )
        assert user.get("k") == VALUE
    assert reading <= ALLOWED, reading
    assert writing <= ALLOWED, writing


async def awaited(ours: Callable[[], Awaitable[Any]], plain: Callable[[], Awaitable[Any]]) -> float:
    """``ratio`` of what is awaited."""
    turns = Turns(ours, plain)
    for call in turns:
        await call()
    return turns.ratio()


def test_what_is_awaited_costs_little_more_too(server: servers.Server) -> None:
    """The same for ``AsyncCache`` beside ``redis.asyncio``."""

    async def run() -> tuple[float, float]:
        plain = redis.asyncio.Redis.from_url(server.url)
        async with plain as client, AsyncCache.from_url(server.url, namespace="cost") as cache:
            user = cache.for_user("u-456")

            async def read() -> Any:
                return siftpack.unpackb(await client.get("cost:u-456:plain"))  # type: ignore[arg-type]

            async def write() -> None:
                await client.set("cost:u-456:plain", siftpack.packb(VALUE), px=3_600_000)

            await write()
            await user.set("k", VALUE)
            found = await awaited(lambda: user.get("k"), read), await awaited(lambda: user.set("k", VALUE), write)
            assert await user.get("k") == VALUE
            return found

    reading, writing = asyncio.run(run())
    assert reading <= ALLOWED, reading
    assert writing <= ALLOWED, writing


def test_the_cache_is_imported_late() -> None:
    """``import siftpack`` does not import the cache, and the cache imports no client, no asyncio and no cipher."""
    import subprocess
    import sys

    program = (
        "import sys, siftpack; early = 'siftpack.cache' in sys.modules; import siftpack.cache;"
        "print(early, *sorted({'redis', 'valkey', 'asyncio', 'cryptography', 'pytest'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
