"""Many callers at once, in threads or in tasks, behind the same words."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

from siftpack.cache import AsyncCache, AsyncMemoryBackend, Cache, MemoryBackend

Loader = Callable[[], Any]


class Threads:
    """Callers that are threads of a ``Cache``."""

    kind = "sync"

    def make(self, store: MemoryBackend | None = None, **options: Any) -> Any:
        return Cache(MemoryBackend() if store is None else store, namespace="app", **options)

    def loader(self, give: Loader, seconds: float = 0.0, until: Callable[[], bool] = lambda: True) -> Any:
        """A loader that takes ``seconds``, and as long as ``until`` is not true."""

        def load() -> Any:
            time.sleep(seconds)
            self.until(until)
            return give()

        return load

    def ask(self, *calls: Callable[[], Any]) -> list[Any]:
        """What each call gives, or raises, all at once."""
        found: list[Any] = [None] * len(calls)

        def one(at: int) -> None:
            try:
                found[at] = calls[at]()
            except Exception as raised:
                found[at] = raised

        threads = [threading.Thread(target=one, args=(at,)) for at in range(len(calls))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return found

    def one(self, call: Callable[[], Any]) -> Any:
        return call()

    def until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not true():
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def after(self, true: Callable[[], bool], call: Loader) -> Loader:
        """The call, made once something is true."""

        def called() -> Any:
            self.until(true)
            return call()

        return called

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)

    def close(self) -> None:
        pass


async def true_at_last(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - the test knows of no event
            await asyncio.sleep(0.005)


class Tasks:
    """Callers that are tasks of an ``AsyncCache``, all on one loop."""

    kind = "async"

    def __init__(self) -> None:
        self.runner = asyncio.Runner()

    def make(self, store: MemoryBackend | None = None, **options: Any) -> Any:
        return AsyncCache(AsyncMemoryBackend(MemoryBackend() if store is None else store), namespace="app", **options)

    def loader(self, give: Loader, seconds: float = 0.0, until: Callable[[], bool] = lambda: True) -> Any:
        """A loader that takes ``seconds``, and as long as ``until`` is not true."""

        async def load() -> Any:
            await asyncio.sleep(seconds)
            await true_at_last(until)
            found = give()
            return await found if asyncio.iscoroutine(found) else found

        return load

    def ask(self, *calls: Callable[[], Any]) -> list[Any]:
        """What each call gives, or raises, all at once."""

        async def all_of_them() -> list[Any]:
            return list(await asyncio.gather(*(call() for call in calls), return_exceptions=True))

        return self.runner.run(all_of_them())

    def one(self, call: Callable[[], Any]) -> Any:
        async def awaited() -> Any:
            return await call()

        return self.runner.run(awaited())

    def until(self, true: Callable[[], bool]) -> None:
        self.runner.run(true_at_last(true))

    def after(self, true: Callable[[], bool], call: Loader) -> Loader:
        """The call, made once something is true."""

        async def called() -> Any:
            await true_at_last(true)
            return await call()

        return called

    def pause(self, seconds: float) -> None:
        self.runner.run(asyncio.sleep(seconds))

    def close(self) -> None:
        self.runner.close()


World = Threads | Tasks


def counted(give: Any) -> tuple[Any, list[int]]:
    """A function that gives what it is told, and the list of its calls."""
    calls: list[int] = []

    def called() -> Any:
        calls.append(1)
        return give(len(calls)) if callable(give) else give

    return called, calls
