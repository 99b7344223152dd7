"""A remote store in front of an embedded one: what is done while the remote one is away, and when it is back.

What could not be written or deleted in front is noted by name. Before the front is asked again, everything noted is
deleted there and the embedded store is emptied: a value of before the outage, or one that somebody deleted meanwhile,
is not read again. So entries written during an outage last until it ends, and at most ``OUTAGE_TTL``.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from siftpack.cache import forks
from siftpack.cache.backends import Backend
from siftpack.cache.breaker import Breaker
from siftpack.cache.decide import Verdict, distrusts, passes, verdict, weighs
from siftpack.cache.entries import Degraded

R = TypeVar("R")

OUTAGE_TTL: Final = 60_000
"""Milliseconds that an entry written during an outage lives at most."""
NOTED: Final = 10_000
"""Names that are noted; beyond that their whole namespaces are."""


class Notes:
    """Names and prefixes that the remote store still owes a delete."""

    __slots__ = ("__weakref__", "_lock", "_names", "_prefixes", "_turn", "owing")

    def __init__(self) -> None:
        self.owing = False
        self._lock = threading.RLock()
        self._names: dict[str, int] = {}
        self._prefixes: dict[str, int] = {}
        self._turn = 0
        forks.register(self)

    def add(self, names: Sequence[str]) -> None:
        """Note names."""
        with self._lock:
            self.owing = True
            self._turn += 1
            self._names |= dict.fromkeys(names, self._turn)
            if len(self._names) > NOTED:
                spaces = {f"{name.partition(':')[0]}:" for name in self._names}
                self._prefixes |= dict.fromkeys(spaces, self._turn)
                self._names.clear()

    def add_prefix(self, prefix: str) -> None:
        """Note all names that begin with a prefix."""
        with self._lock:
            self.owing = True
            self._turn += 1
            self._prefixes[prefix] = self._turn

    def taken(self) -> tuple[dict[str, int], dict[str, int]]:
        """All that is noted now."""
        with self._lock:
            return dict(self._names), dict(self._prefixes)

    def settled(self, names: dict[str, int], prefixes: dict[str, int]) -> bool:
        """Strikes out what was taken and not noted again since; True if nothing is left."""
        with self._lock:
            for noted, done in ((self._names, names), (self._prefixes, prefixes)):
                for name, turn in done.items():
                    if noted.get(name) == turn:
                        del noted[name]
            self.owing = bool(self._names or self._prefixes)
            return not self.owing

    def after_fork(self) -> None:
        """The child owes what its parent noted, and waits for no thread of the parent's."""
        self._lock = threading.RLock()


class Tier:
    """What both tiers decide."""

    remote = True

    def __init__(self, breaker: Breaker | None = None) -> None:
        self.breaker = Breaker() if breaker is None else breaker
        self.notes = Notes()
        self.on_error: Callable[[str], None] | None = None
        """Told the verdict of each error that the tier deals with, and ``open`` for each call it answers without."""

    def _calm(self) -> bool:
        return self.breaker.closed and not self.notes.owing

    def _judge(self, error: Exception) -> Verdict:
        """What an error means; raises it again if the caller has to see it."""
        found = verdict(error)
        if passes(found):
            raise error
        if weighs(found):
            self.breaker.failed()
        self._told(found.value)
        return found

    def _told(self, word: str) -> None:
        if self.on_error is not None:
            self.on_error(word)


def outage(ttl: int | None) -> int:
    """The time to live of an entry written during an outage."""
    return OUTAGE_TTL if ttl is None else min(ttl, OUTAGE_TTL)


class TieredBackend(Tier):
    """``front`` is the remote store; ``behind`` is an embedded one of its own, which is emptied after an outage."""

    def __init__(self, front: Backend, behind: Backend, breaker: Breaker | None = None) -> None:
        super().__init__(breaker)
        self.front = front
        self.behind = behind

    def get(self, name: str, /) -> bytes | None:
        """The bytes in front, or behind while the front is away. Raises ``Degraded``."""
        if self._calm() or self._ready():
            try:
                found = self.front.get(name)
            except Exception as error:  # noqa: BLE001 - judged
                self._fail(error)
            else:
                self.breaker.succeeded()
                return found
        kept = self.behind.get(name)
        if kept is None:
            raise Degraded
        return kept

    def set(self, name: str, data: bytes, ttl: int | None, *, only_if_absent: bool = False) -> bool:
        """Keep bytes in front, or behind while the front is away; False too if the front is full."""
        if self._ready():
            for last in (False, True):
                try:
                    kept = self.front.set(name, data, ttl, only_if_absent=only_if_absent)
                except Exception as error:  # noqa: BLE001 - judged
                    found = self._fail(error)
                    if found is Verdict.FULL:
                        self.delete([name])
                        return False
                    if found is not Verdict.READONLY or last:
                        break
                else:
                    self.breaker.succeeded()
                    return kept
        self.notes.add([name])
        return self.behind.set(name, data, outage(ttl), only_if_absent=only_if_absent)

    def delete(self, names: Sequence[str], /) -> int:
        """Delete in front, now or as soon as it is back, and behind."""
        if self._ready():
            for last in (False, True):
                try:
                    gone = self.front.delete(names)
                except Exception as error:  # noqa: BLE001 - judged
                    if self._fail(error) is not Verdict.READONLY or last:
                        break
                else:
                    self.breaker.succeeded()
                    return gone
        self.notes.add(names)
        return self.behind.delete(names)

    def exists(self, name: str, /) -> bool:
        """In front, or behind while the front is away."""
        return self._either(lambda store: store.exists(name))

    def expire(self, name: str, ttl: int | None, /) -> bool:
        """In front, or behind while the front is away; then the entry in front ends with the outage."""
        if self._ready():
            try:
                done = self.front.expire(name, ttl)
            except Exception as error:  # noqa: BLE001 - judged
                self._fail(error)
            else:
                self.breaker.succeeded()
                return done
        self.notes.add([name])
        return self.behind.expire(name, outage(ttl))

    def ttl(self, name: str, /) -> int:
        """In front, or behind while the front is away."""
        return self._either(lambda store: store.ttl(name))

    def get_many(self, names: Sequence[str], /) -> list[bytes | None]:
        """In front, or behind while the front is away. Raises ``Degraded`` if there is nothing behind."""
        if self._ready():
            try:
                found = self.front.get_many(names)
            except Exception as error:  # noqa: BLE001 - judged
                self._fail(error)
            else:
                self.breaker.succeeded()
                return found
        kept = self.behind.get_many(names)
        if not any(each is not None for each in kept):
            raise Degraded
        return kept

    def set_many(self, items: Sequence[tuple[str, bytes]], ttl: int | None, /) -> bool:
        """In front, or behind while the front is away; a full front keeps none of them."""
        if self._ready():
            try:
                kept = self.front.set_many(items, ttl)
            except Exception as error:  # noqa: BLE001 - judged
                if self._fail(error) is Verdict.FULL:
                    self.delete([name for name, _ in items])
                    return False
            else:
                self.breaker.succeeded()
                return kept
        self.notes.add([name for name, _ in items])
        return self.behind.set_many(items, outage(ttl))

    def clear(self, prefix: str, /) -> int:
        """Clear in front, now or as soon as it is back, and behind."""
        if self._ready():
            try:
                gone = self.front.clear(prefix)
            except Exception as error:  # noqa: BLE001 - judged
                self._fail(error)
            else:
                self.breaker.succeeded()
                return gone
        self.notes.add_prefix(prefix)
        return self.behind.clear(prefix)

    def size(self, prefix: str, /) -> tuple[int, int, bool]:
        """In front, or behind while the front is away."""
        return self._either(lambda store: store.size(prefix))

    def ping(self) -> None:
        """Raises the front's error if it does not answer."""
        self.front.ping()

    def distrust(self) -> None:
        """Drop the front's idle connections."""
        self.front.distrust()

    def close(self) -> None:
        """Close both."""
        self.front.close()
        self.behind.close()

    def _either(self, ask: Callable[[Backend], R]) -> R:
        if self._ready():
            try:
                found = ask(self.front)
            except Exception as error:  # noqa: BLE001 - judged
                self._fail(error)
            else:
                self.breaker.succeeded()
                return found
        return ask(self.behind)

    def _ready(self) -> bool:
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
                self.front.clear(prefix)
            listed = list(names)
            for at in range(0, len(listed), 500):
                self.front.delete(listed[at : at + 500])
        except Exception as error:  # noqa: BLE001 - judged
            self._fail(error)
            return False
        self.breaker.succeeded()
        self.behind.clear("")
        return self.notes.settled(names, prefixes)

    def _fail(self, error: Exception) -> Verdict:
        found = self._judge(error)
        if distrusts(found):
            self._drop()
        return found

    def _drop(self) -> None:
        try:
            self.front.distrust()
        except Exception as error:  # noqa: BLE001 - judged
            self._judge(error)
