"""Checked traffic of many threads or many asyncio tasks on one cache."""

import asyncio
import threading
from typing import Any

from siftpack.cache import AsyncCache, Cache
from siftpack.testing.traffic import Worker, drive, drive_async

PATIENT = {"socket_timeout": 10, "socket_connect_timeout": 10}
"""What is looked for are wrong answers: a machine that stalls is not to be taken for a server that is away."""


def patient(url: str) -> dict[str, Any]:
    return PATIENT if "cluster" in url else {**PATIENT, "wait": 30}


def threads(url: str, count: int, operations: int, **options: Any) -> tuple[list[Worker], dict[str, Any]]:
    """The workers of ``count`` threads after ``operations`` in all, and the cache's counts."""
    with Cache.from_url(url, namespace="busy", client=patient(url), **options) as cache:
        cache.clear_namespace()
        workers = [Worker(number, count) for number in range(count)]
        running = [threading.Thread(target=drive, args=(cache, worker, operations // count)) for worker in workers]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        return workers, cache.stats()


def tasks(url: str, count: int, operations: int, **options: Any) -> tuple[list[Worker], dict[str, Any]]:
    """The workers of ``count`` tasks after ``operations`` in all, and the cache's counts."""

    async def run() -> tuple[list[Worker], dict[str, Any]]:
        async with AsyncCache.from_url(url, namespace="busy-async", client=patient(url), **options) as cache:
            await cache.clear_namespace()
            workers = [Worker(number, count) for number in range(count)]
            await asyncio.gather(*(drive_async(cache, worker, operations // count) for worker in workers))
            return workers, cache.stats()

    return asyncio.run(run())
