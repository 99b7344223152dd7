"""What a key may hold, told by its only writer: the last value, or nothing, and never anything else.

A failover loses what the old master had not passed on. So what was written or deleted while one went on, or within
``BEHIND`` before it, may be undone by it, in the order of writing: an older value may be read then.
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

    def may_undo(self, written: float) -> bool:
        """True for a write that began then."""
        return any(first - BEHIND <= written <= last for first, last in self._spans)


class History:
    """What one writer did to its keys."""

    def __init__(self, failovers: Failovers) -> None:
        self._failovers = failovers
        self._states: dict[str, list[tuple[float, Any]]] = {}

    def wrote(self, key: str, value: Any, began: float) -> None:
        """Written, or deleted if the value is ``MISSING``, by a call that began then."""
        states = self._states.setdefault(key, [])
        states.append((began, value))
        del states[:-_KEPT]

    def may_be(self, key: str, found: Any) -> bool:
        """True if that may be read under a key now."""
        if found is MISSING:
            return True
        for began, value in reversed(self._states.get(key, [])):
            if value is not MISSING and found == value:
                return True
            if not self._failovers.may_undo(began):
                return False
        return False

    def last(self, key: str) -> Any:
        """What was written last."""
        states = self._states.get(key)
        return states[-1][1] if states else MISSING
