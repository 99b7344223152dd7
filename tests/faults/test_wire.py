"""Everything that networks and servers do at once, for both shells, on one server, behind a sentinel, in a cluster."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from siftpack.cache import MISSING, AsyncCache, AsyncUserCache, Cache
from siftpack.testing.faults import Fault, deaf
from siftpack.testing.outages import TOPOLOGIES, Rig, rig
from tests.faults.shells import SHELLS, Stalls, Took, back, measured, shell, timed
from tests.faults.victims import BACK, FIRST, suffer
from tests.faults.watching import Watch, watched

SILENT = (Fault.BLACK_HOLE, Fault.STALLED, Fault.SLOW, Fault.TRUNCATED)
FAULTS = [fault for fault in Fault if fault is not Fault.NONE]


@pytest.fixture(scope="module")
def rigs() -> Iterator[list[Rig]]:
    """All topologies, each behind proxies."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(rig(topology)) for topology in TOPOLOGIES]


@pytest.mark.parametrize("fault", FAULTS)
@measured
def test_a_fault_of_the_network(fault: Fault, rigs: list[Rig]) -> None:
    """No wrong answer, no exception, quick calls, nothing that was deleted or written over, and back in a second."""
    victims = suffer(rigs, lambda where: where.inject(fault), Rig.heal)
    if fault in SILENT:
        assert all(len(victim.later) > 40 for victim in victims)


@pytest.mark.parametrize(("begin", "end"), [(Rig.pause, Rig.resume), (Rig.kill, Rig.start)], ids=["hung", "killed"])
@measured
def test_a_fault_of_the_servers(begin: Callable[[Rig], None], end: Callable[[Rig], None], rigs: list[Rig]) -> None:
    """The same if the servers hang, or die with all that they held and are started again."""
    victims = suffer(rigs, begin, end)
    assert all(len(victim.later) > 40 for victim in victims)


def live_through_flaps(kind: str, where: Rig, ended: threading.Event) -> tuple[list[Took], Took]:
    """What the calls of one shell take until the flapping has ended, and how long it takes to be back then."""
    taken, number = [], 0
    with shell(kind, where.url, namespace=f"flapping-{kind}") as cache:
        user = cache.for_user("u")
        while not ended.is_set():
            number += 1
            seconds, _ = timed(lambda number=number: user.set("k", number))
            more, found = timed(lambda: user.get("k"))
            taken += [seconds, more]
            assert found in (number, MISSING), where.topology
            time.sleep(0.001)
        again = back(cache, user)
        assert user.set("k", "new")
        assert user.get("k") == "new"
    return taken, again


@measured
def test_flapping(rigs: list[Rig]) -> None:
    """Servers that come and go every 200 ms give no wrong answer, no exception, and no slow call."""
    ended = threading.Event()
    pairs = [(kind, where) for where in rigs for kind in SHELLS]
    with Stalls() as stalls, ThreadPoolExecutor(len(pairs)) as threads:
        living = [threads.submit(live_through_flaps, kind, where, ended) for kind, where in pairs]
        try:
            for turn in range(8):
                for where in rigs:
                    where.inject(Fault.REFUSED if turn % 2 else Fault.NONE)
                time.sleep(0.2)
        finally:
            for where in rigs:
                where.heal()
            ended.set()
        seen = [each.result() for each in living]
    for (kind, where), (taken, again) in zip(pairs, seen, strict=True):
        assert len(taken) > 100
        stalls.check(f"{kind} on {where.topology}, calls", taken, FIRST)
        stalls.check(f"{kind} on {where.topology}, until it is back", [again], BACK)


def all_at_once(kind: str, url: str, calls: int, connections: int, begin: Callable[[], None]) -> list[Took]:
    """What calls take that all begin when a fault does, and that share some connections."""
    options: dict[str, Any] = {"namespace": "app", "client": {"max_connections": connections}}

    async def one(user: AsyncUserCache) -> Took:
        began = time.perf_counter()
        assert await user.get("k") in (1, MISSING)
        return Took.since(began)

    async def run() -> list[Took]:
        async with AsyncCache.from_url(url, **options) as cache:
            user = cache.for_user("u")
            await asyncio.gather(*(user.set("k", 1) for _ in range(calls)))
            begin()
            return list(await asyncio.gather(*(one(user) for _ in range(calls))))

    if kind == "async":
        return asyncio.run(run())
    with Cache.from_url(url, **options) as cache, ThreadPoolExecutor(calls) as threads:
        user = cache.for_user("u")
        list(threads.map(lambda n: user.set("k", n), [1] * calls))
        begin()
        calling = [threads.submit(timed, lambda: user.get("k")) for _ in range(calls)]
        taken, found = zip(*(each.result() for each in calling), strict=True)
        assert {1, MISSING} >= set(found)
        return list(taken)


@pytest.mark.parametrize("kind", SHELLS)
@measured
def test_more_calls_than_connections(kind: str, rigs: list[Rig]) -> None:
    """Who waits in line for a connection when the server falls silent waits for no second time limit after it."""
    where = rigs[0]
    with Stalls() as stalls:
        try:
            taken = all_at_once(kind, where.url, 12, 4, lambda: where.inject(Fault.BLACK_HOLE))
        finally:
            where.heal()
    assert max(taken) > 0.15
    stalls.check("first calls", taken, FIRST)


async def meet_nobody(kind: str, url: str) -> Watch:
    """Calls on servers with which connections do not come about, very many with an open breaker."""
    async with watched(kind, url) as (watch, user):
        while len(watch.others) < 300:
            await watch.timed(lambda: user.set("k", 1))
        assert await watch.timed(lambda: user.get("k")) == 1
        return watch


@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("kind", SHELLS)
@measured
def test_connections_that_do_not_come_about(kind: str, topology: str) -> None:
    """Behind a firewall that drops packets the first calls are bounded, of three servers in all, and others quick."""
    with Stalls() as stalls, contextlib.ExitStack() as stack:
        count = 1 if topology == "single" else 3
        hosts = ",".join(f"127.0.0.1:{stack.enter_context(deaf())}" for _ in range(count))
        url = {"single": "redis://{}", "sentinel": "redis+sentinel://{}/main", "cluster": "redis+cluster://{}"}[
            topology
        ]
        watch = asyncio.run(meet_nobody(kind, url.format(hosts)))
        assert not watch.breaker.closed
    watch.check(stalls, kind)
