"""What a key may hold, told by its only writer: the last value, or nothing, and never anything else.

Who reads it with another client may miss what is not settled yet: nothing older than what was when the read began.

A failover loses what the old master had not passed on. So what was written or deleted while one went on, or within
``BEHIND`` before it, may be undone by it, in the order of writing: an older value may be read then. What was written
while the store was away reaches it as a delete when the outage is settled, and may be undone until then.
"""

import time
from typing import Any

from siftpack.cache import MISSING

BEHIND = 1.0
"""Seconds that a replica may be behind its master."""
_KEPT = 200


class Failovers:
    """When masters were replaced, from the beginning to when the servers were through with it."""

    def __init__(self) -> None:
        self._spans: list[tuple[float, float]] = []

    def __enter__(self) -> "Failovers":
        self._spans.append((time.monotonic(), float("inf")))
        return self

    def __exit__(self, *raised: object) -> None:
        self._spans[-1] = (self._spans[-1][0], time.monotonic())

    def may_undo(self, began: float, settled: float) -> bool:
        """True for a write that reached the store some time between the two."""
        return any(first - BEHIND <= settled and began <= last for first, last in self._spans)


class State:
    """What a key holds since a write."""

    def __init__(self, number: int, value: Any, began: float) -> None:
        self.number = number
        self.value = value
        self.began = began
        self.settled = float("inf")


class History:
    """What one writer did to its keys."""

    def __init__(self, failovers: Failovers) -> None:
        self._failovers = failovers
        self._states: dict[str, list[State]] = {}
        self._unsettled: list[tuple[str, State]] = []
        self._floors: dict[str, int] = {}
        self._count = 0

    def wrote(self, key: str, value: Any, began: float) -> None:
        """Written, or deleted if the value is ``MISSING``, by a call that began then."""
        self._count += 1
        state = State(self._count, value, began)
        states = self._states.setdefault(key, [])
        states.append(state)
        del states[:-_KEPT]
        self._unsettled.append((key, state))

    def settled(self) -> None:
        """Every call has ended, and the store is owed nothing."""
        now = time.monotonic()
        for key, state in self._unsettled:
            state.settled = now
            self._floors[key] = state.number
        self._unsettled.clear()

    def floor(self, key: str) -> int:
        """The number of the last write that has surely reached the store."""
        return self._floors.get(key, 0)

    def may_be(self, key: str, found: Any, floor: int | None = None) -> bool:
        """True if that may be read under a key now, or with another client by a read that began at a ``floor``."""
        if found is MISSING:
            return True
        for state in reversed(list(self._states.get(key, []))):
            if state.value is not MISSING and found == state.value:
                return True
            lasts = floor is None or state.number <= floor
            if lasts and not self._failovers.may_undo(state.began, state.settled):
                return False
        return False

    def last(self, key: str) -> Any:
        """What was written last."""
        states = self._states.get(key)
        return states[-1].value if states else MISSING
