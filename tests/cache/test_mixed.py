"""Everything about computing at once: nested loaders, errors, renewals, deletes, users, callers who leave."""

import asyncio
import random
import threading
import time
from collections.abc import Callable
from typing import Any

from siftpack.cache import AsyncCache, Cache

SECONDS = 1.5
TERMS: list[dict[str, float]] = [{"ttl": 0.02}, {"ttl": 0.02, "stale": 0.05}, {"ttl": 0.02, "early": 0.01}]


class Asked:
    """One question, and what its loader does: fails, gives what cannot be stored, asks another, or answers."""

    def __init__(self, cache: Any, draw: random.Random, user: str, depth: int = 0) -> None:
        self.user, self.key, self.depth = user, str(draw.randrange(5)), depth
        self.face = cache.for_user(user)
        self.terms = draw.choice(TERMS)
        self.fate, self.pause = draw.random(), draw.random() * 0.01
        self.inner = Asked(cache, draw, user, depth + 1) if depth < 3 and 0.2 < self.fate < 0.5 else None

    def answer(self) -> list[Any]:
        if self.fate < 0.1:
            raise ValueError(self.user)
        return [self.user, self.key, print] if self.fate < 0.2 else [self.user, self.key]

    def right(self, found: list[Any]) -> bool:
        """True if it is the answer to this question; then it is spoilt for whoever else has it."""
        right = found[:2] == [self.user, self.key] and len(found) < 4
        found += ["spoilt", "spoilt"]
        return right

    def load(self) -> list[Any]:
        time.sleep(self.pause)
        if self.inner is not None:
            assert self.inner.right(self.inner.ask())
        return self.answer()

    def ask(self) -> Any:
        return self.face.get_or_compute(self.key, self.load, **self.terms)

    async def load_later(self) -> list[Any]:
        await asyncio.sleep(self.pause)
        if self.inner is not None:
            assert self.inner.right(await self.inner.ask_later())
        return self.answer()

    async def ask_later(self) -> Any:
        return await self.face.get_or_compute(self.key, self.load_later, **self.terms)


def settled(cache: Any) -> None:
    """Nothing is left under way, and all of it did occur."""
    flights = cache._engine.flights
    assert (flights._under_way, flights.renewing) == ({}, 0)
    assert cache.stats()["computing"].keys() >= {"compute_done", "compute_failed", "shared", "stale", "refresh"}


def judged(asked: Asked, error: ValueError) -> bool:
    return error.args == (asked.user,)


def test_threads() -> None:
    """No thread gets the answer, the error or the very object of another, and none waits for ever."""
    cache, wrong = Cache(namespace="mixed"), []
    end = time.monotonic() + SECONDS

    def work(seed: int) -> None:
        draw = random.Random(seed)
        while time.monotonic() < end:
            asked = Asked(cache, draw, draw.choice("ab"))
            try:
                right = asked.right(asked.ask())
            except ValueError as error:
                right = judged(asked, error)
            if not right:
                wrong.append(asked)
            if draw.random() < 0.1:
                asked.face.delete(asked.key)

    ended(*(threading.Thread(target=work, args=(seed,), daemon=True) for seed in range(16)))
    assert wrong == []
    until(lambda: not cache._engine.flights.renewing)
    settled(cache)


def ended(*threads: threading.Thread) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS + 20)
        assert not thread.is_alive()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_tasks() -> None:
    """The same for tasks, of which many are cancelled while they wait."""

    async def main() -> list[Asked]:
        cache, wrong = AsyncCache(namespace="mixed"), []
        end = time.monotonic() + SECONDS

        async def work(seed: int) -> None:
            draw = random.Random(seed)
            while time.monotonic() < end:
                asked = Asked(cache, draw, draw.choice("ab"))
                try:
                    async with asyncio.timeout(draw.choice([None, None, 0.005, 0.01])):
                        right = asked.right(await asked.ask_later())
                except ValueError as error:
                    right = judged(asked, error)
                except TimeoutError:
                    right = True
                if not right:
                    wrong.append(asked)
                if draw.random() < 0.1:
                    await asked.face.delete(asked.key)

        await asyncio.wait_for(asyncio.gather(*(work(seed) for seed in range(60))), SECONDS + 20)
        while cache._engine.flights.renewing:  # noqa: ASYNC110 - there is no event
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        settled(cache)
        return wrong

    assert asyncio.run(main()) == []
