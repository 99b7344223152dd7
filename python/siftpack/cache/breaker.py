"""A small circuit breaker: after some failures in a while the store is not asked, but for one probe now and then."""

import random
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from siftpack.cache import forks

FAILURES: Final = 5
"""Failures within ``WINDOW`` that open the breaker."""
WINDOW: Final = 10.0
"""Seconds for which a failure counts."""
PAUSE: Final = 0.5
"""Seconds between probes while open, give or take a quarter so that many clients do not come at once."""


class Breaker:
    """Closed, open, or half open with one probe under way. Safe between threads.

    ``clock`` gives seconds that never go back, ``jitter`` a number from 0 to 1. A probe that reports nothing, because
    its thread was interrupted, is given up after ``PAUSE``.
    """

    __slots__ = ("__weakref__", "_clock", "_failures", "_jitter", "_lock", "_next_probe", "closed", "opened")

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, jitter: Callable[[], float] = random.random
    ) -> None:
        self.closed = True
        self.opened = 0
        """How often it opened."""
        self._clock = clock
        self._jitter = jitter
        self._failures: deque[float] = deque(maxlen=FAILURES)
        self._next_probe = 0.0
        self._lock = threading.RLock()
        forks.register(self)

    def allow(self) -> bool:
        """True if the store may be asked: always while closed, once a pause while open."""
        if self.closed:
            return True
        with self._lock:
            now = self._clock()
            if now < self._next_probe:
                return False
            self._next_probe = now + self._pause()
            return True

    def succeeded(self) -> None:
        """The store answered."""
        if self.closed and not self._failures:
            return
        with self._lock:
            self._failures.clear()
            self.closed = True

    def failed(self) -> None:
        """The store did not answer, or said that it cannot."""
        with self._lock:
            now = self._clock()
            self._failures.append(now)
            if not self.closed:
                self._next_probe = now + self._pause()
            elif len(self._failures) == FAILURES and now - self._failures[0] <= WINDOW:
                self.closed = False
                self.opened += 1
                self._next_probe = now + self._pause()

    def after_fork(self) -> None:
        """The child has seen no failure and holds no lock."""
        self._lock = threading.RLock()
        self._failures.clear()
        self.closed = True

    def _pause(self) -> float:
        return PAUSE * (0.75 + 0.5 * self._jitter())
