"""The asyncio shell of ``tiered``: the same decisions, awaited."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from siftpack.cache.backends import AsyncBackend
from siftpack.cache.backends.tiered import LOOKS, PAUSE, PORTION, SETTLING, Full, Tier, outage
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
        if self._calm() or await self._ready():
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
        try:
            return await self._ask(lambda front: front.set(name, data, ttl, only_if_absent=only_if_absent))
        except Full:
            if not only_if_absent:
                await self.delete([name])
            return False
        except Degraded:
            return await self._owe(
                [name], lambda: self.behind.set(name, data, outage(ttl), only_if_absent=only_if_absent)
            )

    async def delete(self, names: Sequence[str], /) -> int:
        """Delete in front, now or as soon as it is back, and behind."""
        try:
            return await self._ask(lambda front: front.delete(names))
        except (Degraded, Full):
            return await self._owe(names, lambda: self.behind.delete(names))

    async def exists(self, name: str, /) -> bool:
        """In front, or behind while the front is away."""
        return await self._either(lambda store: store.exists(name))

    async def expire(self, name: str, ttl: int | None, /) -> bool:
        """In front, or behind while the front is away; then the entry in front ends with the outage."""
        try:
            return await self._ask(lambda front: front.expire(name, ttl))
        except (Degraded, Full):
            return await self._owe([name], lambda: self.behind.expire(name, outage(ttl)))

    async def ttl(self, name: str, /) -> int:
        """In front, or behind while the front is away."""
        return await self._either(lambda store: store.ttl(name))

    async def get_many(self, names: Sequence[str], /) -> list[bytes | None]:
        """In front, or behind while the front is away. Raises ``Degraded`` if there is nothing behind."""
        try:
            return await self._ask(lambda front: front.get_many(names))
        except (Degraded, Full):
            kept = await self.behind.get_many(names)
            if not any(each is not None for each in kept):
                raise Degraded from None
            return kept

    async def set_many(self, items: Sequence[tuple[str, bytes]], ttl: int | None, /) -> bool:
        """In front, or behind while the front is away; a full front keeps none of them."""
        names = [name for name, _ in items]
        try:
            return await self._ask(lambda front: front.set_many(items, ttl))
        except Full:
            await self.delete(names)
            return False
        except Degraded:
            return await self._owe(names, lambda: self.behind.set_many(items, outage(ttl)))

    async def clear(self, prefix: str, /) -> int:
        """Clear in front, now or as soon as it is back, and behind."""
        try:
            return await self._ask(lambda front: front.clear(prefix))
        except (Degraded, Full):
            self.notes.add_prefix(prefix)
            return await self.behind.clear(prefix)

    async def size(self, prefix: str, /) -> tuple[int, int, bool]:
        """In front, or behind while the front is away."""
        return await self._either(lambda store: store.size(prefix))

    async def ping(self) -> None:
        """Raises the front's error if it does not answer; if it does, it is asked again from now on."""
        await self.front.ping()
        self.breaker.succeeded()

    async def distrust(self) -> None:
        """Drop the front's idle connections."""
        await self.front.distrust()

    async def close(self) -> None:
        """Close both."""
        await self.front.close()
        await self.behind.close()

    async def _either(self, ask: Callable[[AsyncBackend], Awaitable[R]]) -> R:
        try:
            return await self._ask(ask)
        except (Degraded, Full):
            return await ask(self.behind)

    async def _ask(self, ask: Callable[[AsyncBackend], Awaitable[R]]) -> R:
        """What the front says; asked again if a replica is in the master's place. Raises ``Degraded``, ``Full``."""
        if not (self._calm() or await self._ready()):
            raise Degraded
        found = Verdict.READONLY
        for _ in range(2):
            if found is Verdict.READONLY:
                try:
                    answer = await ask(self.front)
                except Exception as error:  # noqa: BLE001 - judged
                    found = await self._fail(error)
                else:
                    self.breaker.succeeded()
                    return answer
        raise Full if found is Verdict.FULL else Degraded

    async def _owe(self, names: Sequence[str], change: Callable[[], Awaitable[R]]) -> R:
        """Changes what is behind: noted before, as it may be interrupted, and after, as a settlement may end in it."""
        self.notes.add(names)
        changed = await change()
        self.notes.add(names)
        return changed

    async def _ready(self) -> bool:
        """True if the front may be asked: it is not known to be away, and owes nothing any more."""
        if not self.breaker.allow():
            self._told("open")
            return False
        if not self.notes.owing:
            return True
        settler = object()
        try:
            if not self.notes.taken_by(settler):
                return await self._settled_soon()
            return await self._settle(settler)
        except Exception as error:  # noqa: BLE001 - judged
            await self._fail(error)
            return False
        finally:
            self.notes.left_by(settler)

    async def _settled_soon(self) -> bool:
        """Waits a little for who settles: whoever went on without the front now would owe it more."""
        import asyncio

        for _ in range(LOOKS):
            await asyncio.sleep(PAUSE)
            if not self.notes.busy:
                break
        return self._settled_by_now()

    async def _settle(self, settler: object) -> bool:
        names, prefixes = self.notes.taken()
        for prefix in prefixes:
            await self.front.clear(prefix)
        listed = list(names)
        until = time.monotonic() + self._settling
        for at in range(0, len(listed), PORTION):
            if time.monotonic() > until:
                return self._settled_in_part(settler, {name: names[name] for name in listed[:at]}, prefixes)
            await self.front.delete(listed[at : at + PORTION])
        self._settling = SETTLING
        self.breaker.succeeded()
        await self.behind.clear("")
        return self.notes.settled(settler, names, prefixes)

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
