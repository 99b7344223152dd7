"""A remote store in front of an embedded one: what is done while the remote one is away, and when it is back.

What could not be written or deleted in front is noted by name. Before the front is asked again, everything noted is
deleted there and the embedded store is emptied: a value of before the outage, or one that somebody deleted meanwhile,
is not read again. So entries written during an outage last until it ends, and at most ``OUTAGE_TTL``.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from siftpack.cache.backends import Backend
from siftpack.cache.backends.notes import Notes
from siftpack.cache.breaker import Breaker
from siftpack.cache.decide import Verdict, distrusts, passes, verdict, weighs
from siftpack.cache.entries import Degraded

R = TypeVar("R")

OUTAGE_TTL: Final = 60_000
"""Milliseconds that an entry written during an outage lives at most."""
LOOKS: Final = 50
"""How often a call looks whether another one has settled what is owed."""
PAUSE: Final = 0.002
"""Seconds between two looks."""
SETTLING: Final = 0.1
"""Seconds that one call spends on what is owed; the next goes on where it ended, for twice as long."""
PORTION: Final = 100
"""Names that are deleted in one go."""


class Tier:
    """What both tiers decide."""

    remote = True

    def __init__(self, breaker: Breaker | None = None) -> None:
        self.breaker = Breaker() if breaker is None else breaker
        self.notes = Notes()
        self._settling = SETTLING
        self.on_error: Callable[[str], None] | None = None
        """Told the verdict of each error that the tier deals with, and ``open`` for each call it answers without."""

    def _calm(self) -> bool:
        return self.breaker.closed and not self.notes.owing

    def _settled_by_now(self) -> bool:
        """Whether another one has settled what is owed; a call that goes on without the front is told of."""
        calm = self._calm()
        if not calm:
            self._told("settling")
        return calm

    def _settled_in_part(self, settler: object, names: dict[str, int], prefixes: dict[str, int]) -> bool:
        """More may be owed by the next call than was paid by this one, so that one has more time."""
        self._settling *= 2
        self.notes.settled(settler, names, prefixes)
        self.breaker.succeeded()
        self._told("settling")
        return False

    def _judge(self, error: Exception) -> Verdict:
        """What an error means; raises it again if the caller has to see it."""
        found = verdict(error)
        if passes(found):
            if found in (Verdict.AUTH, Verdict.BUG):  # it is there and says no: every caller is to see that
                self.breaker.succeeded()
            raise error
        if weighs(found):
            self.breaker.failed()
        self._told(found.value)
        return found

    def _told(self, word: str) -> None:
        if self.on_error is not None:
            self.on_error(word)


class Full(Exception):  # noqa: N818 - never leaves the tier
    """The remote store has no memory for a write."""


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
        try:
            return self._ask(lambda front: front.set(name, data, ttl, only_if_absent=only_if_absent))
        except Full:
            if not only_if_absent:
                self.delete([name])
            return False
        except Degraded:
            return self._owe([name], lambda: self.behind.set(name, data, outage(ttl), only_if_absent=only_if_absent))

    def delete(self, names: Sequence[str], /) -> int:
        """Delete in front, now or as soon as it is back, and behind."""
        try:
            return self._ask(lambda front: front.delete(names))
        except (Degraded, Full):
            return self._owe(names, lambda: self.behind.delete(names))

    def exists(self, name: str, /) -> bool:
        """In front, or behind while the front is away."""
        return self._either(lambda store: store.exists(name))

    def expire(self, name: str, ttl: int | None, /) -> bool:
        """In front, or behind while the front is away; then the entry in front ends with the outage."""
        try:
            return self._ask(lambda front: front.expire(name, ttl))
        except (Degraded, Full):
            return self._owe([name], lambda: self.behind.expire(name, outage(ttl)))

    def ttl(self, name: str, /) -> int:
        """In front, or behind while the front is away."""
        return self._either(lambda store: store.ttl(name))

    def get_many(self, names: Sequence[str], /) -> list[bytes | None]:
        """In front, or behind while the front is away. Raises ``Degraded`` if there is nothing behind."""
        try:
            return self._ask(lambda front: front.get_many(names))
        except (Degraded, Full):
            kept = self.behind.get_many(names)
            if not any(each is not None for each in kept):
                raise Degraded from None
            return kept

    def set_many(self, items: Sequence[tuple[str, bytes]], ttl: int | None, /) -> bool:
        """In front, or behind while the front is away; a full front keeps none of them."""
        names = [name for name, _ in items]
        try:
            return self._ask(lambda front: front.set_many(items, ttl))
        except Full:
            self.delete(names)
            return False
        except Degraded:
            return self._owe(names, lambda: self.behind.set_many(items, outage(ttl)))

    def clear(self, prefix: str, /) -> int:
        """Clear in front, now or as soon as it is back, and behind."""
        try:
            return self._ask(lambda front: front.clear(prefix))
        except (Degraded, Full):
            self.notes.add_prefix(prefix)
            return self.behind.clear(prefix)

    def size(self, prefix: str, /) -> tuple[int, int, bool]:
        """In front, or behind while the front is away."""
        return self._either(lambda store: store.size(prefix))

    def ping(self) -> None:
        """Raises the front's error if it does not answer; if it does, it is asked again from now on."""
        self.front.ping()
        self.breaker.succeeded()

    def distrust(self) -> None:
        """Drop the front's idle connections."""
        self.front.distrust()

    def close(self) -> None:
        """Close both."""
        self.front.close()
        self.behind.close()

    def _either(self, ask: Callable[[Backend], R]) -> R:
        try:
            return self._ask(ask)
        except (Degraded, Full):
            return ask(self.behind)

    def _ask(self, ask: Callable[[Backend], R]) -> R:
        """What the front says; asked again if a replica is in the master's place. Raises ``Degraded``, ``Full``."""
        if not (self._calm() or self._ready()):
            raise Degraded
        found = Verdict.READONLY
        for _ in range(2):
            if found is Verdict.READONLY:
                try:
                    answer = ask(self.front)
                except Exception as error:  # noqa: BLE001 - judged
                    found = self._fail(error)
                else:
                    self.breaker.succeeded()
                    return answer
        raise Full if found is Verdict.FULL else Degraded

    def _owe(self, names: Sequence[str], change: Callable[[], R]) -> R:
        """Changes what is behind: noted before, as it may be interrupted, and after, as a settlement may end in it."""
        self.notes.add(names)
        changed = change()
        self.notes.add(names)
        return changed

    def _ready(self) -> bool:
        """True if the front may be asked: it is not known to be away, and owes nothing any more."""
        if not self.breaker.allow():
            self._told("open")
            return False
        if not self.notes.owing:
            return True
        settler = object()
        try:
            if not self.notes.taken_by(settler):
                return self._settled_soon()
            return self._settle(settler)
        except Exception as error:  # noqa: BLE001 - judged
            self._fail(error)
            return False
        finally:
            self.notes.left_by(settler)

    def _settled_soon(self) -> bool:
        """Waits a little for who settles: whoever went on without the front now would owe it more."""
        for _ in range(LOOKS):
            time.sleep(PAUSE)
            if not self.notes.busy:
                break
        return self._settled_by_now()

    def _settle(self, settler: object) -> bool:
        names, prefixes = self.notes.taken()
        for prefix in prefixes:
            self.front.clear(prefix)
        listed = list(names)
        until = time.monotonic() + self._settling
        for at in range(0, len(listed), PORTION):
            if time.monotonic() > until:
                return self._settled_in_part(settler, {name: names[name] for name in listed[:at]}, prefixes)
            self.front.delete(listed[at : at + PORTION])
        self._settling = SETTLING
        self.breaker.succeeded()
        self.behind.clear("")
        return self.notes.settled(settler, names, prefixes)

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
