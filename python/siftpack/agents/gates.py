"""How many runs of one user go on at a time, whichever thread and event loop each of them is in."""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

from siftpack.cache import forks


class _Gate:
    """The runs of one user that have a place, and those that wait for one."""

    def __init__(self) -> None:
        self.taken = 0
        self.waiting: deque[asyncio.Future[None]] = deque()


class Gates:
    """``places`` for each user. Users without a run are forgotten."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._lock = threading.RLock()
        self._gates: dict[str, _Gate] = {}
        forks.register(self)

    def __len__(self) -> int:
        return len(self._gates)

    @contextlib.asynccontextmanager
    async def place(self, user: str) -> AsyncIterator[None]:
        """Waits in line for a place, and has it to the end of the block."""
        await self._enter(user)
        try:
            yield
        finally:
            self._leave(user)

    def after_fork(self) -> None:
        """The child has none of its parent's runs."""
        self._lock = threading.RLock()
        self._gates = {}

    async def _enter(self, user: str) -> None:
        with self._lock:
            gate = self._gates.setdefault(user, _Gate())
            if gate.taken < self._places:
                gate.taken += 1
                return
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            gate.waiting.append(turn)
        try:
            await turn
        except BaseException:
            with self._lock, contextlib.suppress(ValueError):
                gate.waiting.remove(turn)
            if turn.done() and not turn.cancelled():  # it came too late
                self._leave(user)
            raise

    def _leave(self, user: str) -> None:
        with self._lock:
            gate = self._gates.get(user)
            if gate is None:
                return
            while gate.waiting:
                turn = gate.waiting.popleft()
                with contextlib.suppress(RuntimeError):  # its loop was closed, and nobody waits there
                    turn.get_loop().call_soon_threadsafe(self._hand, user, turn)
                    return
            gate.taken -= 1
            if not gate.taken:
                del self._gates[user]

    def _hand(self, user: str, turn: Any) -> None:
        """Gives a place to who waited, in the thread that waits; on to the next one if that was cancelled."""
        if turn.done():
            self._leave(user)
        else:
            turn.set_result(None)
