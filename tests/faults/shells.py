"""Both shells of the cache on one URL, timed, with the words of the synchronous one."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from siftpack.cache import AsyncCache, Cache
from tests.cache.shells import Blocking

R = TypeVar("R")
SHELLS = ("sync", "async")


@contextlib.contextmanager
def shell(kind: str, url: str, **options: Any) -> Iterator[Any]:
    """A cache of one kind; use it in the thread that made it."""
    options = {"namespace": "app", **options}
    if kind == "sync":
        with Cache.from_url(url, **options) as cache:
            yield cache
        return
    with asyncio.Runner() as runner:
        made = AsyncCache.from_url(url, **options)
        try:
            yield Blocking(made, runner)
        finally:
            runner.run(made.close())


def tier(cache: Any) -> Any:
    """The tier of a cache, of either kind."""
    return getattr(cache, "_made", cache)._backend


class Stalls:
    """How long this machine let a thread wait that wanted to run: time limits are not to blame for that."""

    def __init__(self) -> None:
        self.worst = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Stalls":
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.is_set():
            began = time.perf_counter()
            time.sleep(0.002)
            self.worst = max(self.worst, time.perf_counter() - began - 0.002)


def timed(call: Callable[[], R]) -> tuple[float, R]:
    """Seconds, and the answer."""
    began = time.perf_counter()
    answer = call()
    return time.perf_counter() - began, answer


def back(cache: Any, user: Any, limit: float = 5.0) -> float:
    """Seconds until the cache works on its store again, with nothing owed."""
    began = time.perf_counter()
    while not (user.set("back", 1) and tier(cache)._calm()):
        time.sleep(0.005)
        assert time.perf_counter() - began < limit, "the store was not taken back"
    return time.perf_counter() - began
