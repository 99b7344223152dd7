"""What calls cost while the store is away: once that is known, nothing but the embedded store, except for probes."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from siftpack.cache import MISSING
from siftpack.cache.breaker import PAUSE
from siftpack.testing.faults import Fault
from siftpack.testing.outages import TOPOLOGIES, Rig, rig, until
from tests.faults.shells import SHELLS, Stalls, measured
from tests.faults.watching import Watch, watched

pytestmark = pytest.mark.alone

HUNG = 30.0
"""Seconds that servers hang."""
CALLS = 1000
SILENT = pytest.param(Fault.BLACK_HOLE, marks=pytest.mark.full)


@pytest.fixture(scope="module")
def rigs() -> Iterator[list[Rig]]:
    """All topologies, each behind proxies."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(rig(topology)) for topology in TOPOLOGIES]


async def ask_nobody(kind: str, where: Rig, fault: Fault) -> Watch:
    """Calls of all sorts during a fault, very many with an open breaker."""
    async with watched(kind, where.url) as (watch, user):
        await watch.until_back(user)
        where.inject(fault)
        try:
            while len(watch.others) < CALLS:
                assert await watch.timed(lambda: user.set("k", 1))
                assert await watch.timed(lambda: user.get("k")) == 1
                assert await watch.timed(lambda: user.get_many(["k", "l"])) == {"k": 1}
                assert await watch.timed(lambda: user.delete("k"))
        finally:
            where.heal()
        await watch.until_back(user)
        return watch


@pytest.mark.parametrize("kind", SHELLS)
@pytest.mark.parametrize("fault", [Fault.REFUSED, SILENT])
@measured
def test_a_call_that_asks_nobody(fault: Fault, kind: str, rigs: list[Rig]) -> None:
    """With an open breaker 99 of 100 calls that are no probe take at most a millisecond, on every topology."""
    for where in rigs:
        with Stalls() as stalls:
            watch = asyncio.run(ask_nobody(kind, where, fault))
        watch.check(stalls, f"{kind} on {where.topology}")


async def hang(kind: str, where: Rig, ready: threading.Barrier, ended: threading.Event) -> Watch:
    """Calls while servers hang, and after that."""
    async with watched(kind, where.url) as (watch, user):
        await watch.until_back(user)
        number = 0
        for _ in range(2):  # once before they hang, once after
            ready.wait(30)
        while not ended.is_set():
            number += 1
            await watch.timed(lambda number=number: user.set("k", number))
            assert await watch.timed(lambda: user.get("k")) in (number, MISSING)
            await asyncio.sleep(0.005)
        await watch.until_back(user)
        assert await watch.timed(lambda: user.get("k")) in (number, MISSING)
        return watch


@pytest.mark.full
@measured
def test_servers_that_hang_for_long(rigs: list[Rig]) -> None:
    """Stopped for half a minute under both shells at once, and never a call of more than 250 ms.

    That is without what the machine let it wait. Of the calls that are no probe 99 of 100 take at most a millisecond,
    and the store is used within a second of its return, which in a cluster is when its nodes have found each other.
    """
    pairs = [(kind, where) for where in rigs for kind in SHELLS]
    ready = threading.Barrier(len(pairs) + 1)
    ended = {where.topology: threading.Event() for where in rigs}

    def live(kind: str, where: Rig) -> Watch:
        return asyncio.run(hang(kind, where, ready, ended[where.topology]))

    with Stalls() as stalls, ThreadPoolExecutor(len(pairs)) as threads:
        hanging = [threads.submit(live, *pair) for pair in pairs]
        ready.wait(30)
        try:
            for where in rigs:
                where.pause()
            ready.wait(30)
            time.sleep(HUNG)
        finally:
            for where in rigs:
                where.resume()
            for where in rigs:
                until(where.healthy, "the servers to be ready")
                ended[where.topology].set()
        watches = [each.result() for each in hanging]
    for (kind, where), watch in zip(pairs, watches, strict=True):
        assert len(watch.probes) >= (HUNG - 2) / (2 * PAUSE)
        assert len(watch.others) > 20 * (HUNG - 1.5)
        watch.check(stalls, f"{kind} on {where.topology}")
