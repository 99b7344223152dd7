"""What observers are told: one ``CacheEvent`` for each thing that is counted, as it happens.

Observers are called inline, in the thread or task of the operation, after it was counted and with no lock held. One
that raises is counted and logged once and changes nothing. One that takes its time makes that one operation take it
too, and on an event loop all that runs there: what is slow belongs into a queue of the observer's own.
"""

import logging
import threading
from collections.abc import Iterable
from typing import Any, Final, NamedTuple, Protocol

from siftpack.cache.decide import awaits
from siftpack.errors import PolicyError
from siftpack.report import Finding
from siftpack.storage import type_name

log: Final = logging.getLogger("siftpack.cache")

WORDS: Final = ("hit", "miss", "write", "delete", "error", "compute", "shared", "stale", "refresh", "bypass")
"""All names that an event can have."""
DISTINCT: Final = 100
"""Different words that ``Bounded`` lets through."""
OTHERS: Final = "(others)"
"""What stands for the words beyond a bound."""


class CacheEvent(NamedTuple):
    """One thing that happened. It never holds a key, a value, or a part of one but in the paths of findings."""

    name: str
    """One of ``WORDS``."""
    namespace: str
    user: str | None
    agent: str | None
    detail: str = ""
    """Of a hit the format, of a miss its reason, of a write what it came to, of an error its kind, of a computation
    ``done`` or ``failed``, of a bypass the name of the function. All but the last are words of a short list.
    """
    entries: int = 1
    """How many entries it is about: more than one, or none, where several were deleted."""
    size: int = 0
    """Bytes read or written."""
    seconds: float | None = None
    """How long the store took for a read or write of one entry, or the loader for a computation."""
    findings: tuple[Finding, ...] = ()
    """What a write left out, or why a call went past the cache: the first ``FINDINGS_KEPT`` of a report."""
    alarm: bool = False
    """True for what should never occur: an entry of another key, a broken seal, a refused login."""


class OnEvent(Protocol):
    """An observer: any callable that takes an event. Called inline, see the module."""

    def __call__(self, event: CacheEvent, /) -> object:
        """Look at an event. What is returned is ignored, an ``Exception`` is counted and logged once."""
        ...


class Observers:
    """Tells each observer of each event. An observer that uses the cache itself is not told of what it does there."""

    __slots__ = ("_each", "_known", "_local", "failures")

    def __init__(self, observers: object = ()) -> None:
        self._each: tuple[Any, ...] = _checked(observers)
        self._known: set[int] = set()
        self._local = threading.local()
        self.failures = 0
        """How often an observer raised."""

    def __bool__(self) -> bool:
        return bool(self._each)

    def tell(self, event: CacheEvent) -> None:
        """Call them, in their order. Raises nothing but what is no ``Exception``."""
        if getattr(self._local, "telling", False):
            return
        self._local.telling = True
        try:
            for observer in self._each:
                try:
                    observer(event)
                except Exception as error:  # noqa: BLE001 - whatever an observer raises is its own affair
                    self._failed(observer, error)
        finally:
            self._local.telling = False

    def _failed(self, observer: Any, error: Exception) -> None:
        self.failures += 1
        if id(observer) not in self._known:
            self._known.add(id(observer))
            shown = type_name(type(observer)), type_name(type(error))
            log.warning("an observer of the cache failed: %s raised %s", *shown)


class Bounded:
    """Lets the first ``most`` different words through and gives ``OTHERS`` for the rest: for labels of metrics."""

    __slots__ = ("_most", "_seen")

    def __init__(self, most: int = DISTINCT) -> None:
        self._most = most
        self._seen: dict[str, str] = {}

    def __call__(self, word: str) -> str:
        """The word, or ``OTHERS``."""
        found = self._seen.get(word)
        if found is not None:
            return found
        if len(self._seen) >= self._most:
            return OTHERS
        return self._seen.setdefault(word, word)


def _checked(observers: object) -> tuple[Any, ...]:
    listed = (observers,) if callable(observers) or not isinstance(observers, Iterable) else tuple(observers)
    for each in listed:
        if not callable(each):
            raise PolicyError("on_event is a callable that takes a CacheEvent, or several")
        if awaits(each) or awaits(type(each).__call__):
            raise PolicyError("on_event is called inline, so it cannot be a coroutine function")
    return listed
