"""Both shells with one set of words, over a store that fails as it is told."""

import asyncio
from collections.abc import Callable
from typing import Any

from siftpack.cache import AsyncMemoryBackend, MemoryBackend

Make = Callable[..., Any]


class Blocking:
    """An asyncio cache or face with the words of the synchronous one."""

    def __init__(self, made: Any, runner: asyncio.Runner) -> None:
        self._made = made
        self._runner = runner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._made, name)
        if name in ("for_user", "shared"):
            return lambda *args, **options: Blocking(found(*args, **options), self._runner)
        if not asyncio.iscoroutinefunction(found):
            return found

        async def called(*args: Any, **options: Any) -> Any:
            return await found(*args, **options)

        return lambda *args, **options: self._runner.run(called(*args, **options))


class Failing(MemoryBackend):
    """A store in this process that fails as it is told."""

    error: Exception | None = None
    on: tuple[str, ...] = ()
    distrusted = 0

    def fail(self, method: str) -> None:
        if self.error is not None and (not self.on or method in self.on):
            raise self.error

    def distrust(self) -> None:
        self.distrusted += 1
        self.fail("distrust")

    def ping(self) -> None:
        self.fail("ping")


def failing(name: str) -> Any:
    real = getattr(MemoryBackend, name)

    def method(self: Failing, *args: Any, **options: Any) -> Any:
        self.fail(name)
        return real(self, *args, **options)

    return method


for _name in ("get", "set", "delete", "exists", "expire", "ttl", "get_many", "set_many", "clear", "size"):
    setattr(Failing, _name, failing(_name))


class AsyncFailing(AsyncMemoryBackend):
    """The same, awaited."""

    @property
    def remote(self) -> bool:  # type: ignore[override]  # as the store is told to be
        return self.store.remote

    async def distrust(self) -> None:
        self.store.distrust()

    async def ping(self) -> None:
        self.store.ping()
