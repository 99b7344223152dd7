"""Computing once among processes: real ones, on a real server."""

import asyncio
import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from siftpack.cache import AsyncCache, Cache, MemoryBackend, RedisBackend
from siftpack.cache.keys import Keys, full_key
from siftpack.cache.locks import lock_for, lock_name
from siftpack.testing import servers
from tests.faults.busy import patient
from tests.faults.shells import SHELLS, Stalls, Took, measured, timed

ROOT = Path(__file__).resolve().parents[2]
PROCESSES, CALLERS = 8, 500
TTL = 3.0


def started(*arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.cache.once", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


@pytest.mark.full
@pytest.mark.timeout(120)
def test_eight_processes_compute_once(server: servers.Server) -> None:
    """Of 500 callers in each of 8 processes one computes; with the lock, one of all."""
    with server.client() as client:
        client.flushdb()
    running = [started(server.url, str(PROCESSES), str(CALLERS)) for _ in range(PROCESSES)]
    told = [json.loads(process.communicate(timeout=100)[0]) for process in running]
    assert [process.returncode for process in running] == [0] * PROCESSES
    for kind in ("threads", "tasks"):
        assert [each[f"{kind} without"]["loads"] for each in told] == [1] * PROCESSES
        assert sum(each[f"{kind} with"]["loads"] for each in told) == 1
    for each in told:
        assert each.pop("errors") == {}
        assert all(found["right"] == found["values"] == CALLERS for found in each.values())
    with server.client() as client:
        assert client.keys("*%lock*") == []


Ask = Callable[..., Any]


def asker(kind: str, url: str) -> Ask:
    """Asks a cache of either kind for ``once:u:held``, and waits until what it renews is renewed."""

    def called(load: Any, **terms: Any) -> Any:
        with Cache.from_url(url, namespace="once", client=patient(url)) as cache:
            found = cache.for_user("u").get_or_compute("held", load, **terms)
            while cache._engine.flights.renewing:
                time.sleep(0.01)
            return found

    if kind == "sync":
        return called

    async def awaited(load: Any, **terms: Any) -> Any:
        async with AsyncCache.from_url(url, namespace="once", client=patient(url)) as cache:
            found = await cache.for_user("u").get_or_compute("held", load, **terms)
            while cache._engine.flights.renewing:  # noqa: ASYNC110 - there is no event
                await asyncio.sleep(0.01)
            return found

    return lambda load, **terms: asyncio.run(awaited(load, **terms))


@contextlib.contextmanager
def holder(url: str, seconds: float) -> Iterator["subprocess.Popen[str]"]:
    """Another process, which computes ``once:u:held`` under a lock of so many seconds until it is killed."""
    with started(url, "hold", str(seconds)) as process:
        try:
            yield process
        finally:
            process.kill()


def computes(process: "subprocess.Popen[str]") -> None:
    """Waits until it does."""
    assert process.stdout is not None
    assert process.stdout.readline() == "loading\n"


@pytest.mark.parametrize("kind", SHELLS)
@measured
def test_a_dead_holder_costs_the_time_of_the_lock(server: servers.Server, kind: str) -> None:
    """A process killed while it computes under the lock keeps the others waiting for what its lock has left to live."""
    with server.client() as client:
        client.flushdb()
        with holder(server.url, TTL) as process:
            computes(process)
        left = client.pttl("once:%lock:u:held") / 1000
        assert 0 < left <= TTL
        with Stalls() as stalls:
            took, found = timed(lambda: asker(kind, server.url)(lambda: "mine", lock=5 * TTL))
        assert found == "mine"
        assert took > left - 0.1
        assert client.exists("once:%lock:u:held") == 0
        assert client.exists("once:u:held") == 1
        stalls.check("with a lock of a dead holder", [took], left + 0.3)


@pytest.mark.parametrize("kind", SHELLS)
@measured
def test_a_loader_that_fails_lets_go_of_the_lock(server: servers.Server, kind: str) -> None:
    """Its error is raised, nothing is left of it, and another process, which waited for the lock, computes at once."""
    with server.client() as client, contextlib.ExitStack() as stack, Stalls() as stalls:
        client.flushdb()
        waiting: list[subprocess.Popen[str]] = []
        failed: list[float] = []

        def fail() -> None:
            tries = client.info("commandstats")["cmdstat_set"]["calls"]
            waiting.append(stack.enter_context(holder(server.url, 60)))
            while client.info("commandstats")["cmdstat_set"]["calls"] < tries + 3:
                time.sleep(0.01)
            failed.append(time.perf_counter())
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            asker(kind, server.url)(fail, lock=60)
        computes(waiting[0])
        took = Took.since(failed[0])
        assert client.exists("once:u:held") == 0
    stalls.check("until another process computes", [took], 0.3)
    with server.client() as client:
        client.flushdb()
        with pytest.raises(ZeroDivisionError):
            asker(kind, server.url)(lambda: 1 / 0, lock=60)
        assert client.keys("once:*") == []
        assert asker(kind, server.url)(lambda: 7, lock=60) == 7


@pytest.mark.parametrize("kind", SHELLS)
def test_a_lock_that_nobody_lets_go_is_waited_for_no_longer_than_ours(server: servers.Server, kind: str) -> None:
    """Whoever asks with ``lock=0.4`` waits that long for a lock without an end, and then computes without it."""
    with server.client() as client:
        client.flushdb()
        client.set("once:%lock:u:held", "somebody")
        began = time.monotonic()
        assert asker(kind, server.url)(lambda: 5, lock=0.4) == 5
        assert 0.4 <= time.monotonic() - began < 1.4
        assert client.get("once:%lock:u:held") == b"somebody"


def test_an_answer_that_another_process_stored_is_taken(server: servers.Server) -> None:
    """While it waits for the lock a call looks at the store, and takes what the holder put there."""
    with server.client() as client, Cache.from_url(server.url, namespace="once", client=patient(server.url)) as cache:
        client.flushdb()
        client.set("once:%lock:u:held", "somebody", px=10_000)
        threading.Timer(0.2, lambda: cache.for_user("u").set("held", "theirs")).start()
        began = time.monotonic()
        assert asker("sync", server.url)(lambda: "mine", lock=10) == "theirs"
        assert asker("async", server.url)(lambda: "mine", lock=10) == "theirs"
        assert time.monotonic() - began < 5


def test_a_loader_slower_than_its_lock(server: servers.Server) -> None:
    """A lock whose time was up before the value was there is let go of without an error."""
    with server.client() as client, Cache.from_url(server.url, namespace="once", client=patient(server.url)) as cache:
        client.flushdb()
        user = cache.for_user("u")
        assert user.get_or_compute("k", lambda: time.sleep(0.3) or 1, lock=0.05) == 1
        assert cache.stats()["errors_by_kind"] == {}
        assert user.get("k") == 1


@pytest.mark.parametrize("kind", SHELLS)
def test_a_stale_entry_is_renewed_under_the_lock(server: servers.Server, kind: str) -> None:
    """The old entry, which is still there, is not taken for the new one."""
    loads: list[int] = []

    def load() -> int:
        loads.append(1)
        return len(loads)

    with server.client() as client:
        client.flushdb()
        ask = asker(kind, server.url)
        assert ask(load, ttl=0.1, stale=60, lock=10) == 1
        time.sleep(0.15)
        assert ask(load, ttl=0.1, stale=60, lock=10) == 1
        assert ask(load, ttl=60, stale=60, lock=10) == 2
        assert client.exists("once:%lock:u:held") == 0
        assert len(loads) == 2


def test_the_lock_works_in_a_cluster(cluster_url: str) -> None:
    """A lock lies in the slot of its entry, and is taken and let go of by the cluster's client."""
    with Cache.from_url(cluster_url, namespace="once", client=patient(cluster_url)) as cache:
        user = cache.for_user("u")
        assert user.get_or_compute("k", lambda: 1, lock=10) == 1
        assert user.get("k") == 1
        client = cache._backend.front.client
        names = [full_key(Keys("once", hash_tags=True).prefix("u"), "k")]
        names.append(lock_name("once:", names[0]))
        assert len({client.keyslot(name) for name in names}) == 1
        assert cache.stats()["errors_by_kind"] == {}

    async def awaited() -> None:
        async with AsyncCache.from_url(cluster_url, namespace="once", client=patient(cluster_url)) as cache:
            user = cache.for_user("v")
            assert await user.get_or_compute("k", lambda: 1, lock=10) == 1
            assert cache.stats()["errors_by_kind"] == {}

    asyncio.run(awaited())


@pytest.mark.parametrize("kind", SHELLS)
def test_the_lock_works_behind_sentinels(sentinel_url: str, kind: str) -> None:
    """One process holds the lock on the master, is killed, and another gets it when its time is up."""
    with Cache.from_url(sentinel_url, namespace="once", client=patient(sentinel_url)) as cache:
        client = cache._backend.front.client
        cache.clear_namespace()
        client.delete("once:%lock:u:held")
        with holder(sentinel_url, 0.5) as process:
            computes(process)
            assert 0 < client.pttl("once:%lock:u:held") <= 500
            process.kill()
            assert asker(kind, sentinel_url)(lambda: "mine", lock=10) == "mine"
        assert client.exists("once:%lock:u:held") == 0
        assert cache.for_user("u").get("held") == "mine"


def test_locks_are_no_entries(server: servers.Server) -> None:
    """A lock is outside every user's names, so neither ``clear`` nor a size knows it; no user can be named so."""
    name = lock_name("app:", full_key(Keys("app").prefix("u"), "k"))
    assert name == "app:%lock:u:k"
    assert not name.startswith(Keys("app").prefix("%lock"))
    with server.client() as client:
        client.flushdb()
        cache = Cache(RedisBackend(client), namespace="app")
        client.set(name, "held")
        assert cache.for_user("u").size_estimate().entries == 0
        assert cache.for_user("u").clear() == 0
        assert client.exists(name) == 1


def test_without_a_server_there_is_no_lock() -> None:
    """In this process, and while the breaker knows that the store is away, each process computes for itself."""
    assert lock_for(MemoryBackend(), "k", 1.0) is None
    assert Cache().for_user("u").get_or_compute("k", lambda: 1, lock=5) == 1
    cache = Cache.from_url(f"redis://127.0.0.1:{servers.free_port()}", namespace="app")
    began = time.monotonic()
    for number in range(8):
        assert cache.for_user("u").get_or_compute(f"k{number}", lambda: 1, lock=60) == 1
    assert time.monotonic() - began < 5
    assert not cache._backend.breaker.closed
    assert lock_for(cache._backend, "k", 1.0) is None
    cache.close()
