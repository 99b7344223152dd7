"""One time limit for all that an operation waits for in vain: servers that hang, connections that do not come about.

A socket's own time limit starts anew with every byte that arrives, and every further server that is asked has one of
its own. Here a step, which is to connect or to get a reply whole, has one limit from its start to its end; what arrives
quickly extends it, so that large values have their time. What the steps of an operation lost that failed, or that
only greeted a slow server, the steps after them have less, so that no operation waits longer than for one of them.
"""

import functools
from collections.abc import Callable
from contextvars import ContextVar
from time import monotonic
from typing import Any, Final, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

RATE: Final = 16 * 2**20
"""Bytes a second at which a reply may arrive for as long as it takes."""
_MUCH: Final = 4096
_SOON: Final = 0.01
"""Seconds after which a socket's own time limit is no longer about right."""


_now: ContextVar[list[float] | None] = ContextVar("siftpack_call", default=None)
"""The operation under way: the seconds its steps lost. A list is what is made quickest."""


def bounded(method: F) -> F:
    """A method of a cache whose steps on the network share one allowance."""

    @functools.wraps(method)
    def call(*args: Any, **options: Any) -> Any:
        try:
            _now.set([0.0])
            return method(*args, **options)
        finally:
            _now.set(None)

    return call  # type: ignore[return-value]  # the same arguments and answer


def bounded_async(method: F) -> F:
    """``bounded`` for a coroutine."""

    @functools.wraps(method)
    async def call(*args: Any, **options: Any) -> Any:
        try:
            _now.set([0.0])
            return await method(*args, **options)
        finally:
            _now.set(None)

    return call  # type: ignore[return-value]  # as above


class Pace:
    """What a guarded connection knows of time. ``patience``: seconds for an operation in vain, None for no limit."""

    __slots__ = ("_call", "began", "patience", "unhurried")

    def __init__(self, patience: float | None) -> None:
        self.patience = patience
        self.began = 0.0
        self.unhurried = True
        """False while steps before this one of the same operation have failed."""
        self._call: list[float] | None = None

    def start(self, *, greeting: bool = False) -> None:
        """Now a step begins. One of those that greet a server anew has what those before it took, if that was much."""
        if greeting:
            self.greeted()
        self.began = monotonic()
        self._call = call = _now.get()
        self.unhurried = call is None or not call[0]

    def greeted(self) -> None:
        """A step of a greeting is over: what a slow one took is lost to the operation, which greets to ask."""
        if self._call is not None and monotonic() - self.began > _SOON:
            self.failed()

    def failed(self) -> None:
        """The step failed: what it took is lost."""
        if self._call is not None:
            now = monotonic()
            self._call[0] += now - self.began
            self.began = now

    def left(self, limit: float | None) -> float | None:
        """Seconds that the step may still take, at least a millisecond, if it has a ``limit`` of its own."""
        if self.patience is None or limit is None:
            return limit
        lost = 0.0 if self._call is None else self._call[0]
        return max(0.001, min(limit, self.patience - lost) - (monotonic() - self.began))


class PacedSocket:
    """A socket that keeps to the pace of its connection, and is otherwise what it was."""

    __slots__ = ("__weakref__", "_pace", "_recv", "raw", "sendall")

    def __init__(self, raw: Any, pace: Pace) -> None:
        self.raw = raw
        self._pace = pace
        self._recv = raw.recv
        self.sendall = raw.sendall  # a limit for all of it; shortened by its connection if need be

    def recv(self, size: int, /) -> Any:
        """As of a socket. Raises ``TimeoutError``."""
        pace = self._pace
        quick = pace.unhurried and monotonic() - pace.began < _SOON
        found = self._recv(size) if quick else self._timed(self._recv, size)
        if len(found) > _MUCH:
            pace.began += len(found) / RATE
        return found

    def recv_into(self, *args: Any) -> Any:
        """As of a socket. Raises ``TimeoutError``."""
        size = self._timed(self.raw.recv_into, *args)
        self._pace.began += size / RATE
        return size

    def _timed(self, step: Callable[..., Any], *args: Any) -> Any:
        limit = self.raw.gettimeout()
        left = self._pace.left(limit) if limit else limit  # 0 is a look without waiting
        if left == limit or limit - left < _SOON:
            return step(*args)
        self.raw.settimeout(left)
        try:
            return step(*args)
        finally:
            self.raw.settimeout(limit)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.raw, name)
