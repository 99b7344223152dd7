"""Pools and clients that outlive what used them: waiters that gave up, event loops that ended, parents that forked."""

import asyncio
import contextlib
import gc
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest
import redis

from siftpack.cache import MISSING, AsyncCache, Cache
from siftpack.testing import servers
from tests.faults.busy import patient


def test_waiters_that_gave_up_are_not_waited_for(server: servers.Server) -> None:
    """A slot that comes free after those in line for it gave up is there for the next who asks."""

    async def run() -> None:
        async with AsyncCache.from_url(server.url, client={"max_connections": 1, "wait": 0.02}) as cache:
            user = cache.for_user("u")
            pool = cache._backend.front.client.connection_pool  # type: ignore[attr-defined]
            held = await pool.get_connection()
            assert await user.get("k") is MISSING
            assert cache.stats()["errors_by_kind"] == {"busy": 1}
            del held
            gc.collect()
            assert await user.get("k") is MISSING
            assert cache.stats()["misses_by_reason"] == {"error": 1, "absent": 1}
            assert not pool._waiting

    asyncio.run(run())


def test_a_slot_lost_while_others_wait_is_found(server: servers.Server) -> None:
    """A connection that nobody gives back, because its holder was torn away, is replaced for who waits in line."""

    async def run() -> None:
        async with AsyncCache.from_url(server.url, client={"max_connections": 1, "wait": 0.05}) as cache:
            pool = cache._backend.front.client.connection_pool  # type: ignore[attr-defined]
            held = [await pool.get_connection()]
            asyncio.get_running_loop().call_later(0.01, held.clear)
            assert await cache.for_user("u").set("k", 1)
            assert cache.stats()["errors"] == 0

    asyncio.run(run())


def test_connections_in_use_are_distrusted_too(server: servers.Server) -> None:
    """One that is in use when the others are dropped is closed when it is given back."""
    with Cache.from_url(server.url) as cache:
        backend = cache._backend.front  # type: ignore[attr-defined]
        pool = backend.client.connection_pool
        held = pool.get_connection()
        backend.distrust()
        assert held._sock is not None
        pool.release(held)
        assert held._sock is None

    async def run() -> None:
        async with AsyncCache.from_url(server.url) as cache:
            backend = cache._backend.front  # type: ignore[attr-defined]
            pool = backend.client.connection_pool
            held = await pool.get_connection()
            await backend.distrust()
            assert held.is_connected
            await pool.release(held)
            assert not held.is_connected

    asyncio.run(run())


def test_a_stream_on_which_another_task_waits_is_left_to_it(server: servers.Server) -> None:
    """A client that closes everything does not take the answer away from a task that waits for it."""

    async def run() -> None:
        async with AsyncCache.from_url(server.url, client={"socket_timeout": 5}) as cache:
            client = cache._backend.front.client  # type: ignore[attr-defined]
            connection = await client.connection_pool.get_connection()

            async def ask() -> object:
                await connection.send_command("BLPOP", "pools:nothing", 0.2)
                return await connection.read_response()

            asking = asyncio.create_task(ask())
            await asyncio.sleep(0.05)
            await connection.disconnect()
            assert connection.is_connected
            assert await asking is None
            await client.connection_pool.release(connection)
            assert not connection.is_connected

            torn = await client.connection_pool.get_connection()
            asking = asyncio.create_task(ask_in_vain(torn))
            await asyncio.sleep(0.05)
            asking.cancel()
            await asyncio.wait([asking])
            assert not torn.is_connected or torn._out_of_step()
            await torn.disconnect()
            assert not torn.is_connected
            await client.connection_pool.release(torn)

    async def ask_in_vain(connection: Any) -> None:
        await connection.send_command("BLPOP", "pools:nothing", 5)
        await connection.read_response()

    asyncio.run(run())


def sent_astray(client: Any) -> int:
    """How many commands the nodes of a cluster sent elsewhere."""
    return sum(
        node.get("errorstat_MOVED", {}).get("count", 0)
        for node in client.info("errorstats", target_nodes=client.ALL_NODES).values()
    )


def test_a_client_that_does_not_know_its_nodes_asks_none_in_vain(cluster_url: str) -> None:
    """Forty tasks that begin at once, and again when the client forgot its nodes, all ask the node of their key."""

    async def run() -> None:
        async with AsyncCache.from_url(cluster_url, namespace="astray") as cache:

            async def work(number: int) -> None:
                user = cache.for_user(f"u{number}")
                for turn in range(10):
                    assert await user.set(f"k{turn}", turn)
                    if number == turn == 5:
                        await cache._backend.front.client.aclose()  # type: ignore[attr-defined]
                    assert await user.get_many([f"k{turn}", "none"]) == {f"k{turn}": turn}

            await asyncio.gather(*map(work, range(40)))
            assert cache.stats()["errors"] == 0

    with redis.RedisCluster.from_url(cluster_url.replace("redis+cluster", "redis").partition(",")[0]) as client:
        before = sent_astray(client)
        asyncio.run(run())
        assert sent_astray(client) == before


async def use(cache: AsyncCache, number: int) -> None:
    """Writes and reads by several tasks."""

    async def one(each: int) -> None:
        user = cache.for_user(f"user-{number}-{each}")
        assert await user.set("k", [number, each])
        assert await user.get("k") == [number, each]
        assert await user.set_many({"a": each, "b": each}) == {"a": True, "b": True}

    await asyncio.gather(*(one(each) for each in range(5)))


@pytest.mark.parametrize("where", ["url", "sentinel_url", "cluster_url"])
def test_one_asyncio_cache_in_several_loops(where: str, request: pytest.FixtureRequest) -> None:
    """A cache that outlives its event loop is used in the next one, and closed in a last one."""
    address = request.getfixturevalue(where)
    cache = AsyncCache.from_url(address, namespace="loops", client=patient(address))
    for number in range(3):
        asyncio.run(use(cache, number))
    assert cache.stats()["errors"] == 0
    asyncio.run(cache.close())
    asyncio.run(use(cache, 4))
    asyncio.run(cache.close())
    assert cache.stats()["errors"] == 0


def fork(work: Callable[[], object]) -> int:
    """A child that does some work, and ends itself if it takes too long."""
    pid = os.fork()
    if pid == 0:
        try:
            signal.alarm(20)
            work()
            os._exit(0)
        finally:
            os._exit(1)
    return pid


def end(pid: int) -> int:
    """How a child ended."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize("where", ["sentinel_url", "cluster_url"])
def test_forks_beside_an_event_loop(where: str, request: pytest.FixtureRequest) -> None:
    """A child forked behind sentinels and in a cluster makes connections of its own, and the parent's go on."""
    address = request.getfixturevalue(where)
    cache = AsyncCache.from_url(address, namespace="loops-fork", client=patient(address))
    with asyncio.Runner() as runner:
        runner.run(use(cache, 0))
        assert end(fork(lambda: asyncio.run(use(cache, 1)))) == 0
        runner.run(use(cache, 2))
        assert cache.stats()["errors"] == 0
        runner.run(cache.close())


@pytest.mark.parametrize("where", ["sentinel_url", "cluster_url"])
def test_forks(where: str, request: pytest.FixtureRequest) -> None:
    """The synchronous cache is forked behind sentinels and in a cluster, while a thread holds the client's locks."""
    address = request.getfixturevalue(where)
    with Cache.from_url(address, namespace="fork", client=patient(address)) as cache:
        user = cache.for_user("u")
        assert user.set("k", 1)

        def work() -> None:
            assert user.get("k") == 1
            assert user.set("k", 2)
            assert cache.stats()["errors"] == 0

        client = cache._backend.front.client  # type: ignore[attr-defined]
        locks = [client.connection_pool._lock] if "sentinel" in where else [client._lock, client.nodes_manager._lock]
        held, forked = threading.Event(), threading.Event()

        def hold() -> None:
            with contextlib.ExitStack() as stack:
                for lock in locks:
                    stack.enter_context(lock)
                held.set()
                forked.wait()

        holder = threading.Thread(target=hold)
        holder.start()
        held.wait()
        pid = fork(work)
        forked.set()
        holder.join()
        assert end(pid) == 0
        assert user.get("k") == 2
        assert cache.stats()["errors"] == 0
