"""The asyncio shell of ``tiered``: the same decisions, awaited."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from siftpack.cache.backends import AsyncBackend
from siftpack.cache.backends.tiered import Tier, outage
from siftpack.cache.breaker import Breaker
from siftpack.cache.decide import Verdict, distrusts
from siftpack.cache.entries import Degraded

R = TypeVar("R")


class AsyncTieredBackend(Tier):
    """``front`` is the remote store; ``behind`` is an embedded one of its own, which is emptied after an outage."""

    def __init__(self, front: AsyncBackend, behind: AsyncBackend, breaker: Breaker | None = None) -> None:
        super().__init__(breaker)
        self.front = front
        self.behind = behind

    async def get(self, name: str, /) -> bytes | None:
        """The bytes in front, or behind while the front is away. Raises ``Degraded``."""
        if await self._ready():
            try:
                found = await self.front.get(name)
            except Exception as error:  # noqa: BLE001 - judged
                await self._fail(error)
            else:
                self.breaker.succeeded()
                return found
        kept = await self.behind.get(name)
        if kept is None:
            raise Degraded
        return kept

    async def set(self, name: str, data: bytes, ttl: int | None, *, only_if_absent: bool = False) -> bool:
        """Keep bytes in front, or behind while the front is away; False too if the front is full."""
        if await self._ready():
            for last in (False, True):
                try:
                    kept = await self.front.set(name, data, ttl, only_if_absent=only_if_absent)
                except Exception as error:  # noqa: BLE001 - judged
                    found = await self._fail(error)
                    if found is Verdict.FULL:
                        await self.delete([name])
                        return False
                    if found is not Verdict.READONLY or last:
                        break
                else:
                    self.breaker.succeeded()
                    return kept
        self.notes.add([name])
        return await self.behind.set(name, data, outage(ttl), only_if_absent=only_if_absent)

    async def delete(self, names: Sequence[str], /) -> int:
        """Delete in front, now or as soon as it is back, and behind."""
        if await self._ready():
            for last in (False, True):
                try:
                    gone = await self.front.delete(names)
                except Exception as error:  # noqa: BLE001 - judged
                    if await self._fail(error) is not Verdict.READONLY or last:
                        break
                else:
                    self.breaker.succeeded()
                    return gone
        self.notes.add(names)
        return await self.behind.delete(names)

    async def exists(self, name: str, /) -> bool:
        """In front, or behind while the front is away."""
        return await self._either(lambda store: store.exists(name))

    async def expire(self, name: str, ttl: int | None, /) -> bool:
        """In front, or behind while the front is away; then the entry in front ends with the outage."""
        if await self._ready():
            try:
                done = await self.front.expire(name, ttl)
            except Exception as error:  # noqa: BLE001 - judged
                await self._fail(error)
            else:
                self.breaker.succeeded()
                return done
        self.notes.add([name])
        return await self.behind.expire(name, outage(ttl))

    async def ttl(self, name: str, /) -> int:
        """In front, or behind while the front is away."""
        return await self._either(lambda store: store.ttl(name))

    async def get_many(self, names: Sequence[str], /) -> list[bytes | None]:
        """In front, or behind while the front is away. Raises ``Degraded`` if there is nothing behind."""
        if await self._ready():
            try:
                found = await self.front.get_many(names)
            except Exception as error:  # noqa: BLE001 - judged
                await self._fail(error)
            else:
                self.breaker.succeeded()
                return found
        kept = await self.behind.get_many(names)
        if not any(each is not None for each in kept):
            raise Degraded
        return kept

    async def set_many(self, items: Sequence[tuple[str, bytes]], ttl: int | None, /) -> bool:
        """In front, or behind while the front is away; a full front keeps none of them."""
        if await self._ready():
            try:
                kept = await self.front.set_many(items, ttl)
            except Exception as error:  # noqa: BLE001 - judged
                if await self._fail(error) is Verdict.FULL:
                    await self.delete([name for name, _ in items])
                    return False
            else:
                self.breaker.succeeded()
                return kept
        self.notes.add([name for name, _ in items])
        return await self.behind.set_many(items, outage(ttl))

    async def clear(self, prefix: str, /) -> int:
        """Clear in front, now or as soon as it is back, and behind."""
        if await self._ready():
            try:
                gone = await self.front.clear(prefix)
            except Exception as error:  # noqa: BLE001 - judged
                await self._fail(error)
            else:
                self.breaker.succeeded()
                return gone
        self.notes.add_prefix(prefix)
        return await self.behind.clear(prefix)

    async def size(self, prefix: str, /) -> tuple[int, int, bool]:
        """In front, or behind while the front is away."""
        return await self._either(lambda store: store.size(prefix))

    async def ping(self) -> None:
        """Raises the front's error if it does not answer."""
        await self.front.ping()

    async def distrust(self) -> None:
        """Drop the front's idle connections."""
        await self.front.distrust()

    async def close(self) -> None:
        """Close both."""
        await self.front.close()
        await self.behind.close()

    async def _either(self, ask: Callable[[AsyncBackend], Awaitable[R]]) -> R:
        if await self._ready():
            try:
                found = await ask(self.front)
            except Exception as error:  # noqa: BLE001 - judged
                await self._fail(error)
            else:
                self.breaker.succeeded()
                return found
        return await ask(self.behind)

    async def _ready(self) -> bool:
        """True if the front may be asked: it is not known to be away, and owes nothing."""
        if self._calm():
            return True
        if not self.breaker.allow():
            self._told("open")
            return False
        if not self.notes.owing:
            return True
        names, prefixes = self.notes.taken()
        try:
            for prefix in prefixes:
                await self.front.clear(prefix)
            listed = list(names)
            for at in range(0, len(listed), 500):
                await self.front.delete(listed[at : at + 500])
        except Exception as error:  # noqa: BLE001 - judged
            await self._fail(error)
            return False
        self.breaker.succeeded()
        await self.behind.clear("")
        return self.notes.settled(names, prefixes)

    async def _fail(self, error: Exception) -> Verdict:
        found = self._judge(error)
        if distrusts(found):
            await self._drop()
        return found

    async def _drop(self) -> None:
        try:
            await self.front.distrust()
        except Exception as error:  # noqa: BLE001 - judged
            self._judge(error)
