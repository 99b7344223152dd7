"""Checked histories of both shells while a fault strikes every few seconds: what ``soak`` runs on each topology.

Each key has one writer, which knows what it wrote last. Whatever happens, a read gives that or nothing: nothing older
than the last acknowledged write, nothing that was deleted, nothing of another key.
"""

import asyncio
import random
import threading
import time
from collections import Counter
from typing import Any

from siftpack.cache import MISSING, AsyncCache, Cache
from siftpack.testing.faults import Fault
from siftpack.testing.outages import Rig, rig

THREADS = 4
TASKS = 40
KEYS = 8
EVERY = 3.0
"""Seconds between the beginnings of two faults."""
LASTS = (0.2, 1.2)
"""Seconds that one lasts, from and to."""
SLOWEST = 0.25
"""Seconds that an operation may take."""


class Writer:
    """One writer of keys of its own."""

    def __init__(self, name: str) -> None:
        self.user = name
        self.checked = 0
        self.wrong: list[str] = []
        self.slow = 0
        self._random = random.Random(name)
        self._last: dict[str, Any] = {}
        self._serial = 0

    def next(self) -> tuple[str, tuple[Any, ...]]:
        """A method and its arguments."""
        key = f"k{self._random.randrange(KEYS)}"
        draw = self._random.random()
        if draw < 0.35:
            self._serial += 1
            value = {
                "user": self.user,
                "key": key,
                "serial": self._serial,
                "text": "x" * self._random.choice((1, 4000)),
            }
            return "set", (key, value)
        if draw < 0.45:
            return "delete", (key,)
        if draw < 0.55:
            return "get_many", ([f"k{number}" for number in range(KEYS)],)
        return "get", (key,)

    def check(self, method: str, args: tuple[Any, ...], answer: Any, seconds: float) -> None:
        """Compares an answer with the history, and continues it."""
        self.checked += 1
        self.slow += seconds > SLOWEST
        if method == "set":
            self._last[args[0]] = args[1]
        elif method == "delete":
            self._last.pop(args[0], None)
        else:
            found = answer if method == "get_many" else {args[0]: answer}
            for key, value in found.items():
                if value is not MISSING and value != self._last.get(key, MISSING):
                    self.wrong.append(f"{self.user} {key}: {value!r:.100} and not {self._last.get(key)!r:.100}")


def threads(url: str, writers: list[Writer], ended: threading.Event, each: int) -> dict[str, Any]:
    """The synchronous shell; its counts."""
    with Cache.from_url(url, namespace="storm") as cache:

        def run(writer: Writer) -> None:
            user = cache.for_user(writer.user)
            while writer.checked < each and not ended.is_set():
                method, args = writer.next()
                began = time.perf_counter()
                answer = getattr(user, method)(*args)
                writer.check(method, args, answer, time.perf_counter() - began)
                if not cache._backend.breaker.closed:  # type: ignore[attr-defined]
                    time.sleep(0.002)  # or else most of all operations would be done without the store

        running = [threading.Thread(target=run, args=(writer,)) for writer in writers]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        return cache.stats()


def tasks(url: str, writers: list[Writer], ended: threading.Event, each: int) -> dict[str, Any]:
    """The asyncio shell; its counts."""

    async def main() -> dict[str, Any]:
        async with AsyncCache.from_url(url, namespace="storm") as cache:

            async def run(writer: Writer) -> None:
                user = cache.for_user(writer.user)
                while writer.checked < each and not ended.is_set():
                    method, args = writer.next()
                    began = time.perf_counter()
                    answer = await getattr(user, method)(*args)
                    writer.check(method, args, answer, time.perf_counter() - began)
                    if not cache._backend.breaker.closed:  # type: ignore[attr-defined]
                        await asyncio.sleep(0.02)

            await asyncio.gather(*map(run, writers))
            return cache.stats()

    return asyncio.run(main())


def strike(where: Rig, ended: threading.Event, rng: random.Random) -> Counter[str]:
    """One fault after another until ``ended``, and everything in order then; how often each."""
    struck: Counter[str] = Counter()
    wire = [fault for fault in Fault if fault is not Fault.NONE]
    while not ended.wait(EVERY - LASTS[1]):
        which: Any = rng.choice([*wire, "hung", "killed", "flushed"])
        struck[str(which)] += 1
        if which == "hung":
            where.pause()
        elif which == "killed":
            where.kill()
        elif which == "flushed":
            for server in where.servers:
                with server.client() as client:
                    client.flushall()
        else:
            where.inject(which)
        ended.wait(rng.uniform(*LASTS))
        if which == "hung":
            where.resume()
        elif which == "killed":
            where.start()
        where.heal()
    return struck


def storm(topology: str, operations: int, *, seconds: float, seed: int = 0) -> dict[str, Any]:
    """Both shells on one topology, until they did ``operations`` in all or ``seconds`` have passed."""
    writers = [[Writer(f"thread-{n}") for n in range(THREADS)], [Writer(f"task-{n}") for n in range(TASKS)]]
    ended = threading.Event()
    raised: list[BaseException] = []
    stats: dict[str, Any] = {}

    def run(kind: str, use: Any, mine: list[Writer]) -> None:
        try:
            stats[kind] = use(where.url, mine, ended, max(1, operations // 2 // len(mine)))
        except BaseException as error:
            raised.append(error)

    with rig(topology) as where:
        shells = (("sync", threads, writers[0]), ("async", tasks, writers[1]))
        running = [threading.Thread(target=run, args=each) for each in shells]
        for thread in running:
            thread.start()
        over = threading.Event()
        watching = threading.Thread(target=_watch, args=(running, over, ended, seconds))
        watching.start()
        struck = strike(where, over, random.Random(seed))  # servers live as long as the thread that started them
        watching.join()
    everyone = [writer for group in writers for writer in group]
    return {
        "checked": sum(writer.checked for writer in everyone),
        "wrong": sum(len(writer.wrong) for writer in everyone) + len(raised),
        "examples": [text for writer in everyone for text in writer.wrong][:3] + [repr(error) for error in raised],
        "slower than 250 ms": sum(writer.slow for writer in everyone),
        "faults": dict(struck),
        "errors": {kind: each["errors_by_kind"] for kind, each in stats.items()},
        "hit_rate": {kind: round(each["hit_rate"], 3) for kind, each in stats.items()},
    }


def _watch(running: list[threading.Thread], over: threading.Event, ended: threading.Event, seconds: float) -> None:
    """Ends the traffic when its time is up, and then the faults."""
    deadline = time.monotonic() + seconds
    for thread in running:
        thread.join(max(0.0, deadline - time.monotonic()))
    ended.set()
    for thread in running:
        thread.join()
    over.set()
