"""Callers who leave in the middle of a computation: cancelled tasks, interrupted threads, forked children."""

import asyncio
import os
import threading
import time
from typing import Any

import pytest

from siftpack.cache import AsyncCache, Cache


async def begun(calls: list[Any]) -> None:
    while not calls:  # noqa: ASYNC110 - the test knows of no event
        await asyncio.sleep(0.005)


async def waiting(user: Any, key: str, load: Any) -> "asyncio.Task[Any]":
    task = asyncio.create_task(user.get_or_compute(key, load))
    await asyncio.sleep(0.02)
    return task


def test_a_cancelled_caller_leaves_the_others_their_answer() -> None:
    """Whoever is cancelled, the one who asked first or another, the load goes on for those who still wait."""

    async def main(leaving: int) -> None:
        user, calls, left = AsyncCache(namespace="app").for_user("u"), [], asyncio.Event()

        async def load() -> list[int]:
            calls.append(1)
            await left.wait()
            return [1]

        tasks = [await waiting(user, "k", load) for _ in range(5)]
        tasks[leaving].cancel()
        await asyncio.sleep(0.02)
        left.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(found.pop(leaving), asyncio.CancelledError)
        assert found == [[1]] * 4
        assert len(calls) == 1
        assert await user.get("k") == [1]

    for leaving in range(3):
        asyncio.run(main(leaving))


def test_the_last_one_to_leave_ends_the_load() -> None:
    """When all who wait are cancelled so is the loader, nothing is stored, and the next caller computes anew."""

    async def main() -> None:
        user, ended = AsyncCache(namespace="app").for_user("u"), []

        async def load() -> int:
            try:
                await asyncio.sleep(5)
            except asyncio.CancelledError:
                ended.append(1)
                raise
            return 1

        tasks = [await waiting(user, "k", load) for _ in range(3)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await begun(ended)
        assert not await user.exists("k")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await user.get_or_compute("k", load)

        async def other() -> int:
            return 2

        assert await user.get_or_compute("k", other) == 2
        assert len(ended) == 2

    asyncio.run(main())


def test_a_loader_that_is_cancelled_by_itself_cancels_one_caller() -> None:
    """A loader that raises ``CancelledError`` ends the call that ran it; those who waited compute for themselves."""

    async def main() -> None:
        user, calls = AsyncCache(namespace="app").for_user("u"), []

        async def load() -> int:
            calls.append(1)
            await asyncio.sleep(0.1)
            if len(calls) == 1:
                raise asyncio.CancelledError
            return 2

        found = await asyncio.gather(*(user.get_or_compute("k", load) for _ in range(5)), return_exceptions=True)
        assert isinstance(found[0], asyncio.CancelledError)
        assert found[1:] == [2] * 4
        assert len(calls) == 2

    asyncio.run(main())


def test_a_loop_that_ended_leaves_nothing_behind() -> None:
    """A cache used on one loop after another computes on each; what was under way on the first is no obstacle."""
    cache = AsyncCache(namespace="app", multi_user=False)
    calls: list[int] = []

    async def load() -> int:
        calls.append(1)
        await asyncio.sleep(0.01 if len(calls) > 1 else 60)
        return len(calls)

    async def leave() -> None:
        await waiting(cache, "k", load)

    asyncio.run(leave())
    assert asyncio.run(cache.get_or_compute("k", load)) == 2
    assert cache._engine.flights._under_way == {}


def test_closing_ends_what_is_renewed_in_the_background() -> None:
    """``close`` cancels renewals, so none of them opens connections again; the old value was given."""

    async def main() -> None:
        now, ended = [1_000_000.0], []
        async with AsyncCache(namespace="app", wall_clock=lambda: now[0]) as cache:
            user = cache.for_user("u")

            async def load() -> int:
                try:
                    await asyncio.sleep(30 if now[0] > 1_000_000 else 0)
                except asyncio.CancelledError:
                    ended.append(1)
                    raise
                return 1

            assert await user.get_or_compute("k", load, ttl=10, stale=100) == 1
            now[0] += 20
            assert await user.get_or_compute("k", load, ttl=10, stale=100) == 1
            await asyncio.sleep(0.01)
        assert ended == [1]
        assert cache._engine.flights.renewing == 0

    asyncio.run(main())


def test_an_interrupted_thread_leaves_the_others_to_compute() -> None:
    """What is no ``Exception`` ends the one who computes alone: of the others, one takes over."""
    user, calls = Cache(namespace="app").for_user("u"), []
    found: list[Any] = []

    def load() -> int:
        calls.append(1)
        time.sleep(0.2)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return 2

    def call() -> None:
        try:
            found.append(user.get_or_compute("k", load))
        except BaseException as raised:
            found.append(type(raised))

    threads = [threading.Thread(target=call) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, found)) == ["2"] * 5 + [str(KeyboardInterrupt)]
    assert len(calls) == 2


@pytest.mark.alone
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_waits_for_no_thread_of_its_parent() -> None:
    """A child forked in the middle of a computation computes for itself."""
    user, going = Cache(namespace="app").for_user("u"), threading.Event()

    def slow() -> int:
        going.set()
        time.sleep(1)
        return 1

    thread = threading.Thread(target=user.get_or_compute, args=("k", slow))
    thread.start()
    going.wait()
    pid = os.fork()
    if pid == 0:
        began = time.monotonic()
        right = user.get_or_compute("k", lambda: 2) == 2 and time.monotonic() - began < 0.9
        os._exit(0 if right else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    thread.join()
    assert user.get("k") == 1
