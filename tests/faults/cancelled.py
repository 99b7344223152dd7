"""Checked traffic of asyncio tasks whose operations are cancelled at any point."""

import asyncio
import random
from typing import Any

from siftpack.testing.traffic import Worker


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
        else:
            worker.check(op, answer)


async def run(cache: Any, tasks: int, operations: int) -> list[Worker]:
    """The workers of ``tasks`` tasks, after they have done ``operations`` in all."""
    workers = [Worker(number, tasks, strict=False) for number in range(tasks)]
    await asyncio.gather(*(cancelled(cache, worker, operations // tasks) for worker in workers))
    return workers
