"""Checked traffic of asyncio tasks whose operations are cancelled at any point."""

import asyncio
import json
import random
from typing import Any

from siftpack.cache import MISSING
from siftpack.testing.traffic import Worker
from tests.faults.interrupted import read


class Plain:
    """redis-py as it is, with the words of a cache."""

    def __init__(self, client: Any, user: str = "") -> None:
        self.client = client
        self._user = user

    def for_user(self, user: str) -> "Plain":
        return Plain(self.client, user)

    async def get(self, key: str) -> Any:
        found = await self.client.get(f"{self._user}:{key}")
        return MISSING if found is None else read(found)

    async def set(self, key: str, value: Any, *, only_if_absent: bool = False) -> bool:
        return bool(await self.client.set(f"{self._user}:{key}", json.dumps(value), nx=only_if_absent))

    async def delete(self, key: str) -> bool:
        deleted: int = await self.client.delete(f"{self._user}:{key}")
        return deleted == 1

    async def get_many(self, keys: list[str]) -> dict[str, Any]:
        found = await self.client.mget([f"{self._user}:{key}" for key in keys])
        return {key: read(data) for key, data in zip(keys, found, strict=True) if data is not None}


async def cancelled(cache: Any, worker: Worker, operations: int) -> None:
    """One task's run: every other operation is cancelled after 0 to 3 ms unless it is done by then."""
    rng = random.Random(worker.number)
    loop = asyncio.get_running_loop()
    for _ in range(operations):
        op = worker.next()
        running = loop.create_task(getattr(cache.for_user(op.user), op.method)(*op.args, **op.options))
        if rng.random() < 0.5:
            loop.call_later(rng.uniform(0, 3e-3), running.cancel)
        try:
            answer = await running
        except asyncio.CancelledError:
            worker.torn(op)
        except Exception as failed:
            if type(cache) is not Plain:
                raise
            worker.torn(op)
            worker.counts[f"raised {type(failed).__name__}"] += 1
        else:
            look(worker, op, answer)


def look(worker: Worker, op: Any, answer: Any) -> None:
    """Checks an answer that may be of any type."""
    try:
        worker.check(op, answer)
    except (TypeError, KeyError, AttributeError):
        worker.wrong.append(f"{op.method}: {answer!r:.100}")


async def run(cache: Any, tasks: int, operations: int) -> list[Worker]:
    """The workers of ``tasks`` tasks, after they have done ``operations`` in all."""
    workers = [Worker(number, tasks, strict=False) for number in range(tasks)]
    await asyncio.gather(*(cancelled(cache, worker, operations // tasks) for worker in workers))
    return workers
