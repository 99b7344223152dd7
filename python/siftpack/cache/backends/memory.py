"""The embedded store: bytes in this process, bounded in bytes and entries, longest unused out first."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

from siftpack.cache import forks
from siftpack.cache.backends import ENDLESS, GONE
from siftpack.errors import PolicyError

OVERHEAD: Final = 200
"""Bytes that an entry is charged beside its name and value."""


class MemoryBackend:
    """Safe between threads, and for signal handlers and finalizers that run in its midst.

    A forked child keeps what it inherited unless a thread was at work in it.

    ``max_bytes`` bounds names, values and ``OVERHEAD`` together, ``max_entries`` their number; a value that is larger
    than the bound by itself is not kept. ``clock`` gives seconds that never go back.
    """

    remote = False

    def __init__(
        self,
        *,
        max_bytes: int = 64 * 2**20,
        max_entries: int = 100_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not all(type(bound) is int and bound >= 0 for bound in (max_bytes, max_entries)):
            raise PolicyError("max_bytes and max_entries are ints of 0 or more")
        self._max_bytes = max_bytes
        self._max_entries = max_entries
        self._clock = clock
        self._kept: OrderedDict[str, tuple[bytes, float | None]] = OrderedDict()
        self._bytes = 0
        self._at_work = False
        self._uncertain = False
        self._lock = threading.RLock()
        forks.register(self)

    def get(self, name: str, /) -> bytes | None:
        """The bytes under a name, None if there are none."""
        nested = self._nested()
        with self._lock:
            self._begin(nested)
            found = self._live(name)
            if found is None:
                return None
            if name in self._kept:
                self._kept.move_to_end(name)
            return found[0]

    def set(self, name: str, data: bytes, ttl: int | None, *, only_if_absent: bool = False) -> bool:
        """Keep bytes; False if ``only_if_absent`` and there were some, and for what is larger than the bound."""
        nested = self._nested()
        with self._lock:
            self._begin(nested)
            if only_if_absent and self._live(name) is not None:
                return False
            return self._put(name, bytes(data), self._end(ttl))

    def delete(self, names: Sequence[str], /) -> int:
        """Delete; how many were there."""
        nested = self._nested()
        with self._lock:
            self._begin(nested)
            return sum(self._live(name) is not None and self._drop(name) for name in names)

    def exists(self, name: str, /) -> bool:
        """True if there are bytes under a name."""
        nested = self._nested()
        with self._lock:
            self._begin(nested)
            return self._live(name) is not None

    def expire(self, name: str, ttl: int | None, /) -> bool:
        """Give an entry a new time to live, None for no end; False if it is not there."""
        nested = self._nested()
        with self._lock:
            self._begin(nested)
            found = self._live(name)
            if found is None:
                return False
            self._kept[name] = (found[0], self._end(ttl))
            return True

    def ttl(self, name: str, /) -> int:
        """Milliseconds left, ``ENDLESS`` or ``GONE``."""
        nested = self._nested()
        with self._lock:
            self._begin(nested)
            found = self._live(name)
            if found is None:
                return GONE
            return ENDLESS if found[1] is None else max(0, round((found[1] - self._clock()) * 1000))

    def get_many(self, names: Sequence[str], /) -> list[bytes | None]:
        """``get`` for each name."""
        return [self.get(name) for name in names]

    def set_many(self, items: Sequence[tuple[str, bytes]], ttl: int | None, /) -> bool:
        """``set`` for each name; False if one of them was not kept."""
        kept = [self.set(name, data, ttl) for name, data in items]
        return all(kept)

    def clear(self, prefix: str, /) -> int:
        """Delete all names that begin with a prefix; how many."""
        nested = self._nested()
        with self._lock:
            self._begin(nested)
            return sum(self._drop(name) for name in list(self._kept) if name.startswith(prefix))

    def size(self, prefix: str, /) -> tuple[int, int, bool]:
        """Entries and bytes of values under a prefix, counted."""
        nested = self._nested()
        with self._lock:
            self._begin(nested)
            live = [self._live(name) for name in list(self._kept) if name.startswith(prefix)]
            sizes = [len(found[0]) for found in live if found is not None]
            return len(sizes), sum(sizes), True

    def ping(self) -> None:
        """Always there."""

    def distrust(self) -> None:
        """No connection can be out of step."""

    def close(self) -> None:
        """Forget everything."""
        self.clear("")

    def after_fork(self) -> None:
        """A child forked while another thread was at work starts empty."""
        if self._at_work or not self._lock.acquire(blocking=False):
            self._kept = OrderedDict()
            self._bytes = 0
            self._at_work = False
        self._lock = threading.RLock()

    def _end(self, ttl: int | None) -> float | None:
        return None if ttl is None else self._clock() + ttl / 1000

    def _live(self, name: str) -> tuple[bytes, float | None] | None:
        found = self._kept.get(name)
        if found is not None and found[1] is not None and found[1] <= self._clock():
            self._drop(name)
            return None
        return found

    def _put(self, name: str, data: bytes, end: float | None) -> bool:
        self._drop(name)
        cost = _cost(name, data)
        if cost > self._max_bytes or not self._max_entries:
            return False
        self._at_work = True
        self._kept[name] = (data, end)
        self._bytes += cost
        self._at_work = False
        while self._bytes > self._max_bytes or len(self._kept) > self._max_entries:
            oldest = next(iter(self._kept), None)
            if oldest is None:
                break
            self._drop(oldest)
        return True

    def _drop(self, name: str) -> bool:
        self._at_work = True
        found = self._kept.pop(name, None)
        if found is not None:
            self._bytes -= _cost(name, found[0])
        self._at_work = False
        return found is not None

    def _nested(self) -> bool:
        """True if this thread is at work here already: a handler or finalizer interrupted it, and wants something."""
        owned: bool = self._lock._is_owned()  # type: ignore[attr-defined]  # noqa: SLF001 - as ``Condition`` asks it
        return owned

    def _begin(self, nested: bool) -> None:
        """Sets the sum right after an interrupt, or a call, in the midst of a change; not while one is going on."""
        if nested:
            self._uncertain = True
        elif self._at_work or self._uncertain:
            self._at_work = self._uncertain = False
            names = list(self._kept)
            self._bytes = sum(_cost(name, found[0]) for name in names if (found := self._kept.get(name)) is not None)


def _cost(name: str, data: bytes) -> int:
    """Bytes that an entry is charged. A str takes up to four bytes for each of its characters."""
    return len(name) * (1 if name.isascii() else 4) + len(data) + OVERHEAD


class AsyncMemoryBackend:
    """``MemoryBackend`` behind ``await``; it never waits. Takes the same arguments, or a ``store`` to share."""

    remote = False

    def __init__(self, store: MemoryBackend | None = None, **options: int) -> None:
        self.store = MemoryBackend(**options) if store is None else store  # type: ignore[arg-type]  # bounds only

    async def get(self, name: str, /) -> bytes | None:
        """As in ``MemoryBackend``."""
        return self.store.get(name)

    async def set(self, name: str, data: bytes, ttl: int | None, *, only_if_absent: bool = False) -> bool:
        """As in ``MemoryBackend``."""
        return self.store.set(name, data, ttl, only_if_absent=only_if_absent)

    async def delete(self, names: Sequence[str], /) -> int:
        """As in ``MemoryBackend``."""
        return self.store.delete(names)

    async def exists(self, name: str, /) -> bool:
        """As in ``MemoryBackend``."""
        return self.store.exists(name)

    async def expire(self, name: str, ttl: int | None, /) -> bool:
        """As in ``MemoryBackend``."""
        return self.store.expire(name, ttl)

    async def ttl(self, name: str, /) -> int:
        """As in ``MemoryBackend``."""
        return self.store.ttl(name)

    async def get_many(self, names: Sequence[str], /) -> list[bytes | None]:
        """As in ``MemoryBackend``."""
        return self.store.get_many(names)

    async def set_many(self, items: Sequence[tuple[str, bytes]], ttl: int | None, /) -> bool:
        """As in ``MemoryBackend``."""
        return self.store.set_many(items, ttl)

    async def clear(self, prefix: str, /) -> int:
        """As in ``MemoryBackend``."""
        return self.store.clear(prefix)

    async def size(self, prefix: str, /) -> tuple[int, int, bool]:
        """As in ``MemoryBackend``."""
        return self.store.size(prefix)

    async def ping(self) -> None:
        """Always there."""

    async def distrust(self) -> None:
        """No connection can be out of step."""

    async def close(self) -> None:
        """Forget everything."""
        self.store.close()
