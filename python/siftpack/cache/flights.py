"""Who computes what in this process: one flight for each name, joined by all who want its answer.

A flight knows which others its computation waits for. A call that would close a circle does not wait: it computes for
itself, so that no two computations wait for each other.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Final

from siftpack.cache import forks

REMEMBERED: Final = 1000
"""Names whose last landing, and failed renewals whose pause, are remembered."""
PAUSE: Final = 1.0
"""Seconds for which a renewal that failed is not tried again."""


class Flight:
    """One computation under way. ``done`` is whatever those who wait wait for."""

    __slots__ = ("awaits", "data", "done", "error", "renewal", "trace", "unstorable")

    def __init__(self, done: Any) -> None:
        self.done = done
        self.data: bytes | None = None
        """The frame that those who waited read their own value from."""
        self.error: Exception | None = None
        """What the loader raised: those who waited get it too, each with the same traceback below it."""
        self.trace: TracebackType | None = None
        self.unstorable = False
        """True if there is a value, and nothing that others could read it from: they compute for themselves."""
        self.renewal = False
        """True if it goes on although nobody waits for it."""
        self.awaits: list[Flight] = []


inside: "ContextVar[Flight | None]" = ContextVar("siftpack.cache.inside", default=None)
"""The flight whose loader is running here."""


class Flights:
    """The flights of one cache by name. Safe between threads, and in a finalizer or signal handler that cuts in."""

    __slots__ = ("__weakref__", "_landed", "_lock", "_paused", "_under_way", "renewing")

    def __init__(self) -> None:
        self.renewing = 0
        """Renewals in the background that are under way."""
        self._lock = threading.RLock()
        self._under_way: dict[Hashable, Flight] = {}
        self._landed: OrderedDict[Hashable, float] = OrderedDict()
        self._paused: OrderedDict[Hashable, float] = OrderedDict()
        forks.register(self)

    def join(self, name: Hashable, mine: Flight, asked: float) -> tuple[Flight, bool]:
        """The flight for a name: the one under way, else ``mine``, which is now.

        True beside it if another landed after ``asked``, the monotonic time at which the caller began to read: what it
        read may be older than what is stored now.
        """
        with self._lock:
            flight = self._under_way.setdefault(name, mine)
            return flight, self._landed.get(name, -1.0) >= asked

    def leave(self, name: Hashable, flight: Flight, *, landed: bool = False) -> None:
        """Take a flight out, if it is still the one for its name; ``landed`` says that its answer was stored."""
        with self._lock:
            if landed:
                self._landed[name] = time.monotonic()
                self._landed.move_to_end(name)
                while len(self._landed) > REMEMBERED:
                    self._landed.popitem(last=False)
            if self._under_way.get(name) is flight:
                del self._under_way[name]

    def renews(self, name: Hashable, mine: Flight, asked: float, most: int) -> bool:
        """True if ``mine`` is now the renewal of a name: nobody is at it or was since ``asked``, and few others are."""
        with self._lock:
            if name in self._under_way or self.renewing >= most:
                return False
            if self._landed.get(name, -1.0) >= asked or self._paused.get(name, -1.0) > time.monotonic():
                return False
            self._under_way[name] = mine
            self.renewing += 1
            return True

    def renewals(self) -> list[Flight]:
        """The renewals in the background that are under way."""
        with self._lock:
            return [flight for flight in self._under_way.values() if flight.renewal]

    def renewed(self, name: Hashable, *, failed: bool) -> None:
        """A renewal has ended."""
        with self._lock:
            self.renewing -= 1
            self._paused.pop(name, None)
            if failed:
                self._paused[name] = time.monotonic() + PAUSE
                while len(self._paused) > REMEMBERED:
                    self._paused.popitem(last=False)

    def after_fork(self) -> None:
        """The child computes for itself: the threads that did are not there."""
        self._lock = threading.RLock()
        self._under_way, self._landed, self._paused = {}, OrderedDict(), OrderedDict()
        self.renewing = 0


class _Circles:
    """The lock over ``awaits`` of all flights of the process."""

    __slots__ = ("__weakref__", "lock")

    def __init__(self) -> None:
        self.lock = threading.RLock()
        forks.register(self)

    def after_fork(self) -> None:
        """A lock that no thread of the parent holds."""
        self.lock = threading.RLock()


_circles: Final = _Circles()


@contextmanager
def waiting_for(flight: Flight) -> Iterator[bool]:
    """For as long as the loader that runs here waits for ``flight``; False if it must not, because of a circle."""
    mine = inside.get()
    if mine is None:
        yield True
        return
    with _circles.lock:
        sound = not _reaches(flight, mine)
        if sound:
            mine.awaits.append(flight)
    try:
        yield sound
    finally:
        if sound:
            with _circles.lock:
                mine.awaits.remove(flight)


def _reaches(start: Flight, end: Flight) -> bool:
    seen: set[int] = set()
    waiting = [start]
    while waiting:
        flight = waiting.pop()
        if flight is end:
            return True
        if id(flight) not in seen:
            seen.add(id(flight))
            waiting += flight.awaits
    return False
