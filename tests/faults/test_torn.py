"""Operations that are torn apart: interrupts, cancellations, forks. Nobody reads what was meant for another."""

import asyncio
import gc
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio.cluster import RedisCluster

from siftpack.cache import AsyncCache
from tests.faults.busy import patient
from tests.faults.cancelled import run

ROOT = Path(__file__).resolve().parents[2]


def program(name: str, *arguments: str, limit: float = 120) -> dict[str, Any]:
    """What a program beside this file prints."""
    command = [sys.executable, "-m", f"tests.faults.{name}", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=limit, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("protocol", ["2", "3"])
def test_interrupts(url: str, protocol: str) -> None:
    """An exception out of a signal handler every 0.1 to 1 ms: no wrong answer, no error, no connection lost."""
    found = program("interrupted", url, "ours", protocol, "2.5")
    assert found["interrupts"] > 100
    assert found["checked"] > 1000
    assert (found["wrong"], found["failures"], found["slots_lost"]) == (0, 0, 0), found


@pytest.mark.full
@pytest.mark.parametrize("protocol", ["2", "3"])
@pytest.mark.parametrize("where", ["sentinel_url", "cluster_url"])
def test_interrupts_in_groups_of_servers(where: str, protocol: str, request: pytest.FixtureRequest) -> None:
    """The same behind sentinels and in a cluster."""
    found = program("interrupted", request.getfixturevalue(where), "ours", protocol, "1")
    assert found["interrupts"] > 50
    assert (found["wrong"], found["failures"], found["slots_lost"]) == (0, 0, 0), found


def test_what_interrupts_do_to_the_plain_client(url: str) -> None:
    """redis-py with its defaults loses connections, fails, hangs or answers wrongly under the same interrupts."""
    try:
        found = program("interrupted", url, "plain", "3", "2", limit=8)
    except subprocess.TimeoutExpired:
        return
    assert found["wrong"] + found["failures"] + found["slots_lost"] > 0, found


@pytest.mark.parametrize("where", ["memory", "redis"])
def test_a_cache_used_by_handlers_in_its_midst(where: str, url: str) -> None:
    """Signal handlers and finalizers may use the cache that they interrupt: it does not wait for itself, nor drift."""
    found = program("reentered", "memory://" if where == "memory" else url, "150", limit=60)
    assert found["handler"] >= 150
    assert found["finalizer"] >= 150
    assert (found["wrong"], found["drift"]) == (0, 0), found


@pytest.mark.parametrize("protocol", [2, 3])
def test_cancellations(url: str, protocol: int) -> None:
    """asyncio operations cancelled at any point: no wrong answer, no error, no connection lost."""

    async def cancel() -> None:
        async with AsyncCache.from_url(url, namespace="torn", client={**patient(url), "protocol": protocol}) as cache:
            await cache.clear_namespace()
            workers = await run(cache, 60, 6000)
            gc.collect()
            assert [text for worker in workers for text in worker.wrong] == []
            assert sum(worker.counts["torn"] for worker in workers) > 500
            assert sum(worker.checked for worker in workers) > 500
            assert cache.stats()["errors_by_kind"] == {}
            assert in_use(cache) == []

    asyncio.run(cancel())


@pytest.mark.full
@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("where", ["sentinel_url", "cluster_url"])
def test_cancellations_in_groups_of_servers(where: str, protocol: int, request: pytest.FixtureRequest) -> None:
    """The same behind sentinels and in a cluster: no wrong answer, no connection lost."""
    address = request.getfixturevalue(where)

    async def cancel() -> None:
        options = {**patient(address), "protocol": protocol}
        async with AsyncCache.from_url(address, namespace="torn", client=options) as cache:
            await cache.clear_namespace()
            workers = await run(cache, 20, 2000)
            gc.collect()
            assert [text for worker in workers for text in worker.wrong] == []
            assert sum(worker.checked for worker in workers) > 200
            assert in_use(cache) == []

    asyncio.run(cancel())


def in_use(cache: AsyncCache) -> list[Any]:
    """Connections that nobody uses and no pool has back."""
    client = cache._backend.front.client  # type: ignore[attr-defined]
    if not isinstance(client, RedisCluster):
        return list(client.connection_pool._in_use_connections)
    return [each for node in client.get_nodes() for each in node._connections if each not in node._free]


def test_forks(url: str) -> None:
    """Children forked from a process with busy threads go on with the same cache: no wrong answer anywhere."""
    found = program("forked", url, "8", "400")
    assert found == {"children": [0] * 8, "wrong": 0, "checked": 4 * 400 + 8 * 400, "errors": {}}


def test_a_fork_beside_an_event_loop(url: str) -> None:
    """A child forked while the parent's loop has connections open makes its own, and the parent's go on."""
    cache = AsyncCache.from_url(url, namespace="torn-fork", client=patient(url))

    async def use(number: int) -> None:
        for each in range(20):
            user = cache.for_user(f"user-{number}")
            assert await user.set("k", [number, each])
            assert await user.get("k") == [number, each]

    async def many(first: int) -> None:
        await asyncio.gather(*(use(number) for number in range(first, first + 5)))

    with asyncio.Runner() as runner:
        runner.run(many(0))
        pid = os.fork()
        if pid == 0:
            try:
                asyncio.run(many(10))
                os._exit(0)
            finally:
                os._exit(1)
        runner.run(many(20))
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        runner.run(many(30))
        assert cache.stats()["errors"] == 0
        runner.run(cache.close())
