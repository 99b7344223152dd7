"""Both shells of the cache on one URL, timed, with the words of the synchronous one."""

import asyncio
import contextlib
import functools
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ParamSpec, TypeVar

from siftpack.cache import AsyncCache, Cache
from tests.cache.shells import Blocking

P = ParamSpec("P")
R = TypeVar("R")
ATTEMPTS = 3
_LOOK = 0.002
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


class Took(float):
    """Seconds, and when they began."""

    began: float

    @classmethod
    def since(cls, began: float) -> "Took":
        """Up to now."""
        took = cls(time.perf_counter() - began)
        took.began = began
        return took


class TooSlow(AssertionError):  # noqa: N818 - it says what is wrong with a measurement
    """A time limit was not kept."""


class Stalls:
    """When this machine let a thread wait that wanted to run: time limits are not to blame for that."""

    def __init__(self) -> None:
        self._seen: list[tuple[float, float]] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Stalls":
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._ended.set()
        self._thread.join()

    def own(self, took: Took) -> float:
        """What a call took without the stalls in it."""
        ended = took.began + took
        return took - sum(max(0.0, min(ended, last) - max(took.began, first)) for first, last in self._seen)

    def check(self, what: str, taken: Sequence[Took], limit: float, *, some: float = 0.0) -> None:
        """Raises ``TooSlow`` if more than ``some`` of the calls, a part of them, took longer than ``limit``."""
        slow = [own for took in taken if took > limit and (own := self.own(took)) > limit]
        if len(slow) > some * len(taken):
            raise TooSlow(f"{what}: {sorted(slow)[-5:]} s, at most {limit} s")

    def _watch(self) -> None:
        before = time.perf_counter()
        while not self._ended.is_set():
            time.sleep(_LOOK)
            now = time.perf_counter()
            if now - before > 2 * _LOOK:
                self._seen.append((before + _LOOK, now))
            before = now


def measured(test: Callable[P, None]) -> Callable[P, None]:
    """A test that holds if it keeps its time limits in one of ``ATTEMPTS``, and everything else in each."""

    @functools.wraps(test)
    def run(*args: P.args, **options: P.kwargs) -> None:
        for left in reversed(range(ATTEMPTS)):
            try:
                return test(*args, **options)
            except TooSlow as slow:
                logging.getLogger(__name__).warning("%s", slow)
                if not left:
                    raise
        return None

    return run


def timed(call: Callable[[], R]) -> tuple[Took, R]:
    """Seconds, and the answer."""
    began = time.perf_counter()
    answer = call()
    return Took.since(began), answer


def back(cache: Any, user: Any, limit: float = 5.0) -> Took:
    """Seconds until the cache works on its store again, with nothing owed."""

    def wait() -> None:
        began = time.perf_counter()
        while not (user.set("back", 1) and tier(cache)._calm()):
            time.sleep(0.005)
            assert time.perf_counter() - began < limit, "the store was not taken back"

    return timed(wait)[0]
