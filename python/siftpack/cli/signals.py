"""SIGINT, SIGTERM and SIGHUP as a clean exit, held back where a resource changes hands."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

CAUGHT = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Signals:
    """The first signal raises ``SystemExit(128 + number)``; later ones do not disturb the way out."""

    def __init__(self) -> None:
        self.exit_code = 0
        self._holding = 0

    def _catch(self, number: int, _: FrameType | None) -> None:
        first = not self.exit_code
        self.exit_code = self.exit_code or 128 + number
        if first and not self._holding:
            raise SystemExit(self.exit_code)

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Catch the signals inside, give them back afterwards."""
        before = {number: signal.signal(number, self._catch) for number in CAUGHT}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def held(self) -> Iterator[None]:
        """No exit inside; one that was asked for meanwhile comes at the end."""
        already = self.exit_code
        self._holding += 1
        try:
            yield
        finally:
            self._holding -= 1
        if self.exit_code and not already:
            raise SystemExit(self.exit_code)
