"""Computing once, in threads: the shell around the decisions of ``fresh`` and the flights of ``flights``."""

import contextlib
import contextvars
import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from siftpack.cache.decide import Outcome, Verdict, awaits, described, verdict
from siftpack.cache.engine import Engine, Owner, Read
from siftpack.cache.entries import Unreadable
from siftpack.cache.flights import Flight, inside, waiting_for
from siftpack.cache.fresh import RENEWALS, Age, Terms, judge
from siftpack.cache.locks import GROWTH, PAUSES, lock_for, lock_name, was_lost, weigh
from siftpack.errors import PolicyError

TRIES = 2
"""Flights of others that a call waits for, one after the other, before it computes for itself."""


class Job(NamedTuple):
    """One call: on which face of the cache, whose, under which name, what computes it, and the terms."""

    face: Any
    engine: Engine
    owner: Owner
    name: str
    fn: Callable[[], Any]
    terms: Terms
    seen: int = -1
    """When the entry was written that is to be renewed, in milliseconds since 1970; only a later one will do."""

    def tell(self, word: str, detail: str = "", **more: Any) -> None:
        """Count something that was done, and tell observers."""
        self.engine.stats.computing(self.owner.labels, word, detail, **more)

    def renewal(self, read: Read) -> "Job | None":
        """The job of renewing an entry that was read; None if it is fresh."""
        age = judge(read.written, self.engine.now(), self.terms, 1.0 - random.random())  # noqa: S311 - no secret
        if age is Age.FRESH:
            return None
        if age is Age.STALE:
            self.tell("stale")
        return self._replace(seen=read.written)

    @contextlib.contextmanager
    def loading(self) -> Iterator[None]:
        """Around a call of the loader: counts it, and how long it took."""
        began = time.perf_counter()
        try:
            yield
        except Exception:
            self.tell("compute", "failed", seconds=time.perf_counter() - began)
            raise
        self.tell("compute", "done", seconds=time.perf_counter() - began)

    def shared(self, mine: Flight, data: bytes) -> Any:
        """The value of a frame that somebody else stored, for all who wait for ``mine``."""
        self.tell("shared")
        mine.data = data
        read = self.opened(data)
        assert read is not None, "opened once already"
        return read.value

    def newer(self, data: bytes | None) -> bytes | None:
        """A frame, if it can be read and will do."""
        read = self.opened(data)
        return None if read is None or read.written <= self.seen else data

    def opened(self, data: bytes | None) -> Read | None:
        """The value of a frame that was stored or made just now; None if it cannot be read."""
        if data is None:
            return None
        try:
            return self.engine.decode(data, self.name, self.owner)
        except Unreadable:
            return None

    def failed(self, error: Exception) -> None:
        """Counts an error of the store after the value is there: nothing but what is not the store's is raised."""
        try:
            self.engine.failed(self.owner, error)
        except Exception:
            if verdict(error) is Verdict.NOT_OURS:
                raise
            self.engine.tell(f"a computed value could not be stored ({described(error)})")

    def wrote(self, outcome: Outcome, seconds: float, *, kept: bool) -> tuple[Any, bool, bytes | None]:
        """Counts a write; a value made of what was written, whether there is one, and the frame for others."""
        if kept:
            self.engine.wrote(self.owner, outcome, seconds)
        elif outcome.error is not None:
            raise outcome.error
        data = None if outcome.word == "text" else outcome.data
        read = self.opened(data)
        return (None, False, None) if read is None else (read.value, True, data)


def job(face: Any, key: str, fn: Any, terms: Terms, *, asynchronous: bool) -> Job:
    """What a call asks for. Raises ``PolicyError`` for a loader of the other kind, and for a key that is none."""
    if not callable(fn):
        raise PolicyError("get_or_compute takes a function without arguments")
    if not asynchronous and awaits(fn):
        raise PolicyError("Cache computes with functions; for coroutine functions there is AsyncCache")
    engine, owner = face._engine, face._owner  # noqa: SLF001 - the face's own other half
    return Job(face, engine, owner, engine.name(owner, key), fn, terms)


def get_or_compute(face: Any, key: str, fn: Callable[[], Any], terms: Terms) -> Any:
    """What ``Face.get_or_compute`` does."""
    one = job(face, key, fn, terms, asynchronous=False)
    asked = time.monotonic()
    read = face._read(one.name, one.owner)  # noqa: SLF001 - the face's own other half
    if read is None:
        return _once(one, asked)
    renewal = one.renewal(read)
    if renewal is not None:
        _renew(renewal, asked)
    return read.value


def _once(one: Job, asked: float) -> Any:
    """The value of the one who computes it, here or elsewhere in this process."""
    flights = one.engine.flights
    for _ in range(TRIES):
        mine = Flight(threading.Event())
        try:
            flight, again = flights.join(one.name, mine, asked)
            if flight is mine:
                with waiting_for(mine):
                    return _lead(one, mine, again=again)
        finally:
            flights.leave(one.name, mine, landed=mine.data is not None)
            mine.done.set()
        with waiting_for(flight) as sound:
            if not sound:
                break
            ended = flight.done.wait(one.terms.wait)
        if not ended:  # it hangs: one of those who waited for it starts again
            flights.leave(one.name, flight)
            continue
        if flight.error is not None:
            raise flight.error.with_traceback(flight.trace)
        read = one.opened(flight.data)
        if read is not None:
            one.tell("shared")
            return read.value
        if flight.unstorable:
            break
    return _compute(one, None)


def _lead(one: Job, mine: Flight, *, again: bool) -> Any:
    """Computes for all who wait for ``mine``."""
    token = inside.set(mine)
    try:
        return _locked(one, mine, again=again)
    except Exception as error:
        mine.error, mine.trace = error, error.__traceback__
        raise
    finally:
        inside.reset(token)


def _locked(one: Job, mine: Flight, *, again: bool) -> Any:
    held, found = _hold(one) if one.terms.lock is not None else (None, None)
    try:
        if found is None and (again or held is not None):
            found = _peek(one)
        if found is not None:
            return one.shared(mine, found)
        return _compute(one, mine)
    finally:
        if held is not None:
            _release(one, held)


def _compute(one: Job, mine: Flight | None) -> Any:
    """Calls the loader and stores what it gives."""
    with one.loading():
        value = one.fn()
    outcome = one.engine.encode(value, one.name, one.owner, one.terms.keep)
    kept, began = False, time.perf_counter()
    try:
        backend = one.face._backend  # noqa: SLF001 - the face's own other half
        if outcome.data is not None:
            kept = backend.set(one.name, outcome.data, one.terms.keep)
        else:
            kept = backend.delete([one.name]) >= 0
    except Exception as error:  # noqa: BLE001 - judged
        one.failed(error)
    made, whole, data = one.wrote(outcome, time.perf_counter() - began, kept=kept)
    if mine is not None:
        mine.data, mine.unstorable = data, data is None
    return made if whole else value


def _peek(one: Job) -> bytes | None:
    """The frame under the name if it will do; looking is not counted as a read."""
    try:
        data: bytes | None = one.face._backend.get(one.name)  # noqa: SLF001 - the face's own other half
    except Exception as error:  # noqa: BLE001 - judged
        one.engine.failed(one.owner, error)
        return None
    return one.newer(data)


def _hold(one: Job) -> tuple[Any, bytes | None]:
    """The lock, or the frame that its holder stored meanwhile; neither if there is none to be had in its time."""
    seconds = one.terms.lock
    assert seconds is not None
    backend = one.face._backend  # noqa: SLF001 - the face's own other half
    end, pause = time.monotonic() + seconds, PAUSES[0]
    while True:
        try:
            lock = lock_for(backend, lock_name(one.engine.keys.namespace_prefix, one.name), seconds)
            if lock is None or lock.acquire(blocking=False):
                return lock, None
        except Exception as error:  # noqa: BLE001 - judged
            weigh(backend, error)
            one.engine.failed(one.owner, error)
            return None, None
        left = end - time.monotonic()
        if left <= 0:
            return None, None
        time.sleep(min(pause, left))
        pause = min(pause * GROWTH, PAUSES[1])
        found = _peek(one)
        if found is not None:
            return None, found


def _release(one: Job, held: Any) -> None:
    try:
        held.release()
    except Exception as error:  # noqa: BLE001 - judged
        if not was_lost(error):
            one.failed(error)


def _renew(one: Job, asked: float) -> None:
    """Computes in a thread of its own, unless somebody is at it or it failed just now."""
    mine = Flight(threading.Event())
    mine.renewal = True
    if not one.engine.flights.renews(one.name, mine, asked, RENEWALS):
        return
    one.tell("refresh")
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(_renewal, one, mine), name="siftpack-renewal", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # no thread to be had
        _renewed(one, mine)


def _renewal(one: Job, mine: Flight) -> None:
    try:
        inside.set(None)
        _lead(one, mine, again=False)
    except Exception as error:  # noqa: BLE001 - nobody waits for it; the old value is there
        one.engine.tell(f"an entry could not be renewed ({described(error)})")
    finally:
        _renewed(one, mine)


def _renewed(one: Job, mine: Flight) -> None:
    landed = mine.data is not None
    one.engine.flights.leave(one.name, mine, landed=landed)
    one.engine.flights.renewed(one.name, failed=not landed)
    mine.done.set()
