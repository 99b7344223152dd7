"""A program: one of several processes whose callers all miss at once. Prints one line of JSON.

    python -m tests.cache.once URL PROCESSES CALLERS
    python -m tests.cache.once URL hold SECONDS

Four rounds: threads and tasks, without a lock and with one. Without, the loader of each process waits until those of
all others have begun, so every process has missed. The second form computes under a lock until it is killed.
"""

import asyncio
import json
import sys
import threading
import time
from typing import Any

import redis

from siftpack.cache import AsyncCache, Cache
from tests.faults.busy import patient

LOCK = 20.0
"""Seconds: more than any of these loaders takes."""


class Meeting:
    """Where the processes wait for each other, in the server they all use."""

    def __init__(self, url: str, size: int) -> None:
        self.client = redis.Redis.from_url(url)
        self.size = size

    def come(self, name: str) -> None:
        self.client.incr(f"meeting:{name}")

    def full(self, name: str) -> bool:
        return int(self.client.get(f"meeting:{name}") or 0) >= self.size

    def wait(self, name: str) -> None:
        self.come(name)
        deadline = time.monotonic() + 30
        while not self.full(name) and time.monotonic() < deadline:
            time.sleep(0.01)


def threads(cache: Any, meeting: Meeting, name: str, lock: float | None, callers: int) -> dict[str, int]:
    loads: list[int] = []
    found: list[Any] = []
    user = cache.for_user("u")

    def load() -> list[str]:
        loads.append(1)
        if lock is None:
            meeting.wait(f"{name}:loading")
        time.sleep(0.2)
        return [name]

    running = [
        threading.Thread(target=lambda: found.append(user.get_or_compute(name, load, lock=lock)))
        for _ in range(callers)
    ]
    meeting.wait(name)
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return {"loads": len(loads), "right": found.count([name]), "values": len({id(each) for each in found})}


async def tasks(cache: Any, meeting: Meeting, name: str, lock: float | None, callers: int) -> dict[str, int]:
    loads: list[int] = []
    user = cache.for_user("u")

    async def load() -> list[str]:
        loads.append(1)
        if lock is None:
            meeting.come(f"{name}:loading")
            async with asyncio.timeout(30):
                while not meeting.full(f"{name}:loading"):  # noqa: ASYNC110 - the event is in the server
                    await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        return [name]

    meeting.wait(name)
    found = await asyncio.gather(*(user.get_or_compute(name, load, lock=lock) for _ in range(callers)))
    return {"loads": len(loads), "right": found.count([name]), "values": len({id(each) for each in found})}


def rounds(url: str, processes: int, callers: int) -> dict[str, Any]:
    meeting = Meeting(url, processes)
    done: dict[str, Any] = {}
    with Cache.from_url(url, namespace="once", client=patient(url)) as cache:
        for lock in (None, LOCK):
            name = f"threads {'with' if lock else 'without'}"
            done[name] = threads(cache, meeting, name, lock, callers)
        done["errors"] = cache.stats()["errors_by_kind"]

    async def awaited() -> None:
        async with AsyncCache.from_url(url, namespace="once", client=patient(url)) as cache:
            for lock in (None, LOCK):
                name = f"tasks {'with' if lock else 'without'}"
                done[name] = await tasks(cache, meeting, name, lock, callers)
            done["errors"] |= cache.stats()["errors_by_kind"]

    asyncio.run(awaited())
    return done


def hold(url: str, seconds: float) -> None:
    def load() -> None:
        sys.stdout.write("loading\n")
        sys.stdout.flush()
        time.sleep(60)

    Cache.from_url(url, namespace="once", client=patient(url)).for_user("u").get_or_compute("held", load, lock=seconds)


if __name__ == "__main__":
    if sys.argv[2] == "hold":
        hold(sys.argv[1], float(sys.argv[3]))
    else:
        sys.stdout.write(json.dumps(rounds(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))) + "\n")
