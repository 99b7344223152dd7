"""Watches what calls take while a store is away, and tells probes from calls that ask nobody."""

import asyncio
import contextlib
import inspect
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from siftpack.cache import AsyncCache, Cache
from siftpack.cache.breaker import Breaker
from tests.faults.shells import Stalls, Took
from tests.faults.victims import BACK, FIRST, OPEN

SLOWER = 0.01
"""The part of the calls that may take longer than ``OPEN``: the collector of garbage, and the machine, have theirs."""


class Counted(Breaker):
    """Counts the probes that it lets through while it is open."""

    probes = 0

    def allow(self) -> bool:
        """As any breaker."""
        closed = self.closed
        allowed = super().allow()
        self.probes += allowed and not closed
        return allowed


class Watch:
    """What calls on a cache take: those with a closed breaker, those that were a probe, and the others."""

    def __init__(self, cache: Any) -> None:
        self._tier = cache._backend
        self.breaker = self._tier.breaker = Counted()
        self.first: list[Took] = []
        self.probes: list[Took] = []
        self.others: list[Took] = []
        self.back: list[Took] = []

    async def timed(self, call: Callable[[], Any]) -> Any:
        """What a call of either shell gives."""
        closed, probes = self.breaker.closed, self.breaker.probes
        began = time.perf_counter()
        answer = call()
        if inspect.isawaitable(answer):
            answer = await answer
        took = Took.since(began)
        (self.first if closed else self.probes if self.breaker.probes > probes else self.others).append(took)
        return answer

    async def until_back(self, user: Any) -> None:
        """Until the cache works on its store again, with nothing owed."""
        began = time.perf_counter()
        while not (await self.timed(lambda: user.set("back", 1)) and self._tier._calm()):
            await asyncio.sleep(0.005)
            assert time.perf_counter() - began < 5, "the store was not taken back"
        self.back.append(Took.since(began))

    def check(self, stalls: Stalls, name: str) -> None:
        """Raises ``TooSlow``."""
        stalls.check(f"{name}, calls that ask", [*self.first, *self.probes], FIRST)
        stalls.check(f"{name}, calls that do not", self.others, OPEN, some=SLOWER)
        stalls.check(f"{name}, until it is back", self.back, BACK)


@contextlib.asynccontextmanager
async def watched(kind: str, url: str) -> AsyncIterator[tuple[Watch, Any]]:
    """A cache of either kind in an event loop, where nobody minds if the synchronous one blocks it."""
    async with contextlib.AsyncExitStack() as stack:
        if kind == "sync":
            cache: Any = stack.enter_context(Cache.from_url(url, namespace=f"open-{kind}"))
        else:
            cache = await stack.enter_async_context(AsyncCache.from_url(url, namespace=f"open-{kind}"))
        yield Watch(cache), cache.for_user("u")
