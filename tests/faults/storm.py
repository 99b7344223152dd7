"""Checked histories of both shells while a fault strikes every few seconds: what ``soak`` runs on each topology.

Each key has one writer, which knows what it wrote last. Whatever happens, a read gives that or nothing: nothing older
than the last acknowledged write, nothing that was deleted, nothing of another key; but for what a failover may undo.
Everybody reads the keys of others too, also those written by the other shell: nothing older than what had surely
reached the store when the read began.
"""

import asyncio
import contextlib
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from siftpack.cache import MISSING, AsyncCache, Cache
from siftpack.testing import servers
from siftpack.testing.faults import Fault
from siftpack.testing.outages import TOPOLOGIES, Rig, rig
from siftpack.testing.turnovers import kill_master, kill_node, masters, replace_master, replace_node
from tests.faults.history import Failovers, History

FAILING_OVER = ", failing over"
ARRANGEMENTS = (*TOPOLOGIES, *(f"{topology}{FAILING_OVER}" for topology in TOPOLOGIES[1:]))
THREADS = 4
TASKS = 40
KEYS = 8
LOOKS = 0.15
"""How many of the operations read the keys of others."""
EVERY = 3.0
"""Seconds between the beginnings of two faults."""
LASTS = (0.2, 1.2)
"""Seconds that one lasts, from and to."""
SLOWEST = 0.25
"""Seconds that an operation may take."""


class Writer:
    """One writer of keys of its own."""

    def __init__(self, name: str, failovers: Failovers) -> None:
        self.user = name
        self.checked = 0
        self.wrong: list[str] = []
        self.slow = 0
        self.hits = self.looked = 0
        self._random = random.Random(name)
        self.history = History(failovers)
        self.others: list[Writer] = []
        self._of: Writer = self
        self._floor = 0
        self._serial = 0

    def next(self) -> tuple[str, str, tuple[Any, ...]]:
        """A user, a method and its arguments."""
        key = f"k{self._random.randrange(KEYS)}"
        self._of = self
        if self._random.random() < LOOKS:
            self._of = self._random.choice(self.others)
            self._floor = self._of.history.floor(key)
            return self._of.user, "get", (key,)
        return self.user, *self._own(key)

    def _own(self, key: str) -> tuple[str, tuple[Any, ...]]:
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

    def begin(self, method: str, args: tuple[Any, ...]) -> float:
        """Continues the history with what is about to be done; when."""
        began = time.monotonic()
        if method in ("set", "delete"):
            self.history.wrote(args[0], args[1] if method == "set" else MISSING, began)
        return began

    def check(self, method: str, args: tuple[Any, ...], answer: Any, began: float, *, owing: bool) -> None:
        """Compares an answer with the history; ``owing``: whether the cache still has something to tell its store."""
        self.checked += 1
        if not owing:
            self.history.settled()
        self.slow += time.monotonic() - began > SLOWEST
        if method in ("get", "get_many"):
            found = answer if method == "get_many" else {args[0]: answer}
            history, floor = self._of.history, None if self._of is self else self._floor
            for key, value in found.items():
                self.hits += value is not MISSING
                self.looked += value is not MISSING and floor is not None
                if not history.may_be(key, value, floor):
                    last = history.last(key)
                    self.wrong.append(f"{self.user} {self._of.user} {key}: {value!r:.100} and not {last!r:.100}")


def threads(url: str, writers: list[Writer], ended: threading.Event, each: int) -> dict[str, Any]:
    """The synchronous shell; its counts."""
    with Cache.from_url(url, namespace="storm") as cache:
        tier: Any = cache._backend

        def run(writer: Writer) -> None:
            while writer.checked < each and not ended.is_set():
                whose, method, args = writer.next()
                began = writer.begin(method, args)
                answer = getattr(cache.for_user(whose), method)(*args)
                writer.check(method, args, answer, began, owing=tier.notes.owing)
                if not tier.breaker.closed:
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
            tier: Any = cache._backend

            async def run(writer: Writer) -> None:
                while writer.checked < each and not ended.is_set():
                    whose, method, args = writer.next()
                    began = writer.begin(method, args)
                    answer = await getattr(cache.for_user(whose), method)(*args)
                    writer.check(method, args, answer, began, owing=tier.notes.owing)
                    if not tier.breaker.closed:
                        await asyncio.sleep(0.02)

            await asyncio.gather(*map(run, writers))
            return cache.stats()

    return asyncio.run(main())


def strike(where: Rig, ended: threading.Event, rng: random.Random) -> Counter[str]:
    """One fault after another until ``ended``, and everything in order then; how often each."""
    struck: Counter[str] = Counter()
    each = [*(fault for fault in Fault if fault is not Fault.NONE), "hung", "killed", "flushed"]
    left: list[Any] = []
    while not ended.wait(EVERY - LASTS[1]):
        left = left or rng.sample(each, len(each))
        which = left.pop()
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


def turn(group: Any, failovers: Failovers, ended: threading.Event, rng: random.Random) -> Counter[str]:
    """One failover after another until ``ended``, by death and by order; how often each."""
    struck: Counter[str] = Counter()
    while not ended.wait(EVERY - LASTS[1]):
        which = rng.choice(["master killed", "master replaced"])
        struck[which] += 1
        with failovers:
            if isinstance(group, servers.Cluster):
                change = kill_node if which == "master killed" else replace_node
                change(group, rng.choice(masters(group)))
            else:
                (kill_master if which == "master killed" else replace_master)(group)
    return struck


@contextlib.contextmanager
def faults(arrangement: str, failovers: Failovers, seed: int) -> Iterator[tuple[str, Callable[[threading.Event], Any]]]:
    """The URL of servers, and what strikes them until an event."""
    rng = random.Random(seed)
    if arrangement.endswith(FAILING_OVER):
        made: Any = servers.cluster() if arrangement.startswith("cluster") else servers.sentinels()
        with made as group:
            yield group.url, lambda ended: turn(group, failovers, ended, rng)
    else:
        with rig(arrangement) as where:
            yield where.url, lambda ended: strike(where, ended, rng)


def storm(arrangement: str, operations: int, *, seconds: float, seed: int = 0) -> dict[str, Any]:
    """Both shells on one arrangement, until they did ``operations`` in all or ``seconds`` have passed."""
    failovers = Failovers()
    writers = [
        [Writer(f"thread-{n}", failovers) for n in range(THREADS)],
        [Writer(f"task-{n}", failovers) for n in range(TASKS)],
    ]
    everyone = [writer for group in writers for writer in group]
    for writer in everyone:
        writer.others = [each for each in everyone if each is not writer]
    ended = threading.Event()
    raised: list[BaseException] = []
    stats: dict[str, Any] = {}

    def run(kind: str, use: Any, url: str, mine: list[Writer]) -> None:
        try:
            stats[kind] = use(url, mine, ended, max(1, operations // 2 // len(mine)))
        except BaseException as error:
            raised.append(error)

    with faults(arrangement, failovers, seed) as (url, until):
        shells = (("sync", threads, url, writers[0]), ("async", tasks, url, writers[1]))
        running = [threading.Thread(target=run, args=each) for each in shells]
        for thread in running:
            thread.start()
        over = threading.Event()
        watching = threading.Thread(target=_watch, args=(running, over, ended, seconds))
        watching.start()
        try:
            struck = until(over)  # here: servers live as long as the thread that started them
        finally:
            ended.set()
            watching.join()
    return {
        "checked": sum(writer.checked for writer in everyone),
        "wrong": sum(len(writer.wrong) for writer in everyone) + len(raised),
        "examples": [text for writer in everyone for text in writer.wrong][:3] + [repr(error) for error in raised],
        "hits": sum(writer.hits for writer in everyone),
        "hits of others": sum(writer.looked for writer in everyone),
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
