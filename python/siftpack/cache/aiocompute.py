"""Computing once, on an event loop: as ``compute``, with a task of its own for each computation.

So a caller who is cancelled leaves the others their answer. When the last who waits is cancelled, so is the task.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from siftpack.cache.compute import TRIES, Job, job
from siftpack.cache.decide import described
from siftpack.cache.flights import Flight, Flights, inside, waiting_for
from siftpack.cache.fresh import RENEWALS, Terms
from siftpack.cache.locks import GROWTH, PAUSES, lock_for, lock_name, was_lost, weigh
from siftpack.storage import awaitable

PATIENCE = 1.0
"""Seconds that closing a cache waits for loaders that were cancelled."""


class Voyage(Flight):
    """A flight in a task. ``done`` is that task."""

    __slots__ = ("loop", "waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(None)
        self.loop = loop
        """Held, so that no other loop is taken for it."""
        self.waiting = 0
        """Callers, and one more for a renewal, which nobody waits for."""


async def get_or_compute(face: Any, key: str, fn: Callable[[], Any], terms: Terms) -> Any:
    """What ``AsyncFace.get_or_compute`` does."""
    one = job(face, key, fn, terms, asynchronous=True)
    asked = time.monotonic()
    read = await face._read(one.name, one.owner)  # noqa: SLF001 - the face's own other half
    if read is None:
        return await _once(one, asked)
    renewal = one.renewal(read)
    if renewal is not None:
        _renew(renewal, asked)
    return read.value


def _place(one: Job, loop: asyncio.AbstractEventLoop) -> tuple[int, str]:
    """What a flight is known by: a task can only be awaited on its own loop."""
    return id(loop), one.name


async def _once(one: Job, asked: float) -> Any:
    """The value of the one who computes it, here or elsewhere on this loop."""
    flights, loop = one.engine.flights, asyncio.get_running_loop()
    place = _place(one, loop)
    for _ in range(TRIES):
        mine = Voyage(loop)
        flight, again = flights.join(place, mine, asked)
        assert type(flight) is Voyage
        if flight is mine:
            flight.done = loop.create_task(_travel(one, mine, again=again), name="siftpack-computation")
        with waiting_for(flight) as sound:
            if not sound:
                break
            ended = await _wait(one, flight, None if flight is mine else one.terms.wait)
        if not ended:  # it hangs: one of those who waited for it starts again
            flights.leave(place, flight)
            continue
        if flight.error is not None:
            raise flight.error.with_traceback(flight.trace)
        if flight is mine:
            return await mine.done  # ended already: gives its value, or says that somebody cancelled it
        read = one.opened(flight.data)
        if read is not None:
            one.tell("shared")
            return read.value
        if flight.unstorable:
            break
    return await _compute(one, None)


async def _wait(one: Job, flight: Voyage, seconds: float | None) -> bool:
    """Waits for a flight, which goes on if the caller is cancelled and another waits; True if it ended."""
    flight.waiting += 1
    try:
        done, _ = await asyncio.wait({flight.done}, timeout=seconds)
    except asyncio.CancelledError:
        if flight.waiting == 1 and not flight.done.done():
            one.engine.flights.leave(_place(one, flight.loop), flight)
            flight.done.cancel()
        raise
    finally:
        flight.waiting -= 1
    return bool(done)


async def _travel(one: Job, mine: Voyage, *, again: bool) -> Any:
    """Computes for all who wait for ``mine``, and gives the value for the one who asked first."""
    inside.set(mine)
    try:
        return await _locked(one, mine, again=again)
    except Exception as error:  # noqa: BLE001 - raised by those who wait
        mine.error, mine.trace = error, error.__traceback__
        return None
    finally:
        one.engine.flights.leave(_place(one, mine.loop), mine, landed=mine.data is not None)


async def _locked(one: Job, mine: Voyage, *, again: bool) -> Any:
    held, found = await _hold(one) if one.terms.lock is not None else (None, None)
    try:
        if found is None and (again or held is not None):
            found = await _peek(one)
        if found is not None:
            return one.shared(mine, found)
        return await _compute(one, mine)
    finally:
        if held is not None:
            await _release(one, held)


async def _compute(one: Job, mine: Flight | None) -> Any:
    """Calls the loader and stores what it gives."""
    with one.loading():
        value = one.fn()
        if awaitable(value):
            value = await value
    outcome = one.engine.encode(value, one.name, one.owner, one.terms.keep)
    kept, began = False, time.perf_counter()
    try:
        backend = one.face._backend  # noqa: SLF001 - the face's own other half
        if outcome.data is not None:
            kept = await backend.set(one.name, outcome.data, one.terms.keep)
        else:
            kept = await backend.delete([one.name]) >= 0
    except Exception as error:  # noqa: BLE001 - judged
        one.failed(error)
    made, whole, data = one.wrote(outcome, time.perf_counter() - began, kept=kept)
    if mine is not None:
        mine.data, mine.unstorable = data, data is None
    return made if whole else value


async def _peek(one: Job) -> bytes | None:
    """The frame under the name if it will do; looking is not counted as a read."""
    try:
        data: bytes | None = await one.face._backend.get(one.name)  # noqa: SLF001 - the face's own other half
    except Exception as error:  # noqa: BLE001 - judged
        one.engine.failed(one.owner, error)
        return None
    return one.newer(data)


async def _hold(one: Job) -> tuple[Any, bytes | None]:
    """The lock, or the frame that its holder stored meanwhile; neither if there is none to be had in its time."""
    seconds = one.terms.lock
    assert seconds is not None
    backend = one.face._backend  # noqa: SLF001 - the face's own other half
    end, pause = time.monotonic() + seconds, PAUSES[0]
    while True:
        try:
            lock = lock_for(backend, lock_name(one.engine.keys.namespace_prefix, one.name), seconds)
            if lock is None or await lock.acquire(blocking=False):
                return lock, None
        except Exception as error:  # noqa: BLE001 - judged
            weigh(backend, error)
            one.engine.failed(one.owner, error)
            return None, None
        left = end - time.monotonic()
        if left <= 0:
            return None, None
        await asyncio.sleep(min(pause, left))
        pause = min(pause * GROWTH, PAUSES[1])
        found = await _peek(one)
        if found is not None:
            return None, found


async def _release(one: Job, held: Any) -> None:
    try:
        await held.release()
    except Exception as error:  # noqa: BLE001 - judged
        if not was_lost(error):
            one.failed(error)


def _renew(one: Job, asked: float) -> None:
    """Computes in a task of its own, unless somebody is at it or it failed just now."""
    loop = asyncio.get_running_loop()
    mine = Voyage(loop)
    mine.waiting, mine.renewal = 1, True
    if not one.engine.flights.renews(_place(one, loop), mine, asked, RENEWALS):
        return
    one.tell("refresh")
    mine.done = loop.create_task(_travel(one, mine, again=False), name="siftpack-renewal")
    mine.done.add_done_callback(lambda _: _renewed(one, mine))


async def end_renewals(flights: Flights) -> None:
    """Cancels what this loop computes in the background, before the connections are closed under it."""
    here = asyncio.get_running_loop()
    tasks = [each.done for each in flights.renewals() if type(each) is Voyage and each.loop is here]
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=PATIENCE)


def _renewed(one: Job, mine: Voyage) -> None:
    place = _place(one, mine.loop)
    one.engine.flights.leave(place, mine)
    one.engine.flights.renewed(place, failed=mine.data is None)
    if mine.error is not None:
        one.engine.tell(f"an entry could not be renewed ({described(mine.error)})")
