"""What is said seldom: a message that comes again and again is let through once a minute."""

import time
from typing import Final

EVERY: Final = 60.0
"""Seconds between two times that a message is let through."""
_MOST: Final = 100
"""Messages that are remembered; then all are forgotten."""


class Seldom:
    """True for a message that was not let through within the last minute."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def __call__(self, message: str) -> bool:
        """Whether to say it now."""
        now = time.monotonic()
        if now - self._last.get(message, -EVERY) < EVERY:
            return False
        if len(self._last) > _MOST:
            self._last.clear()
        self._last[message] = now
        return True
