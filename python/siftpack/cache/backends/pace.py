"""One time limit for all that an operation waits for in vain: servers that hang, connections that do not come about.

A socket's own time limit starts anew with every byte that arrives, and every further server that is asked has one of
its own. Here a step, which is to connect or to get a reply whole, has one limit from its start to its end; what arrives
quickly extends it, so that large values have their time. What the steps of an operation lost that failed, or that
only greeted a slow server, the steps after them have less, so that no operation waits longer than for one of them.

Most steps are a small command whose reply arrives at once and whole. For those a socket's own limit is right, and next
to nothing is done here.
"""

import functools
import threading
from collections.abc import Callable
from contextvars import ContextVar
from time import monotonic
from typing import Any, Final, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

RATE: Final = 16 * 2**20
"""Bytes a second at which a reply may arrive for as long as it takes."""
AT_ONCE: Final = 1 << 16
"""Bytes that are sent in one go; more may take a while."""
_SOON: Final = 0.01
"""Seconds after which a socket's own time limit is no longer about right."""


class _Operation(threading.local):
    """What a thread is about: the seconds that the steps of its operation lost, None if it is about none."""

    lost: float | None = None


_operation = _Operation()
_awaited: ContextVar[list[float] | None] = ContextVar("siftpack_operation", default=None)
"""The same of a task, and of the tasks that it starts for it: these add to the same number."""


def bounded(method: F) -> F:
    """A method of a cache whose steps on the network share one allowance."""

    @functools.wraps(method)
    def call(*args: Any, **options: Any) -> Any:
        _operation.lost = 0.0
        try:
            return method(*args, **options)
        finally:
            _operation.lost = None

    return call  # type: ignore[return-value]  # the same arguments and answer


def bounded_async(method: F) -> F:
    """``bounded`` for a coroutine."""

    @functools.wraps(method)
    async def call(*args: Any, **options: Any) -> Any:
        try:
            _awaited.set([0.0])
            return await method(*args, **options)
        finally:
            _awaited.set(None)

    return call  # type: ignore[return-value]  # as above


class Pace:
    """What a guarded connection knows of time. ``patience``: seconds for an operation in vain, None for no limit."""

    __slots__ = ("began", "patience", "quick")

    def __init__(self, patience: float | None) -> None:
        self.patience = patience
        self.began = 0.0
        self.quick = False
        """True until bytes arrive in a step whose socket has the right limit anyway."""

    def start(self) -> None:
        """Now a step begins."""
        self.began = monotonic()
        self.quick = not _operation.lost

    def sent(self) -> None:
        """A command that may have taken a while to send is on its way."""
        if monotonic() - self.began > _SOON:
            self.quick = False

    def greeted(self) -> None:
        """A step of a greeting is over: what a slow one took is lost to the operation, which greets to ask."""
        if monotonic() - self.began > _SOON:
            self.failed()

    def failed(self) -> None:
        """The step failed: what it took is lost."""
        now = monotonic()
        self.lose(now - self.began)
        self.began = now

    def left(self, limit: float | None) -> float | None:
        """Seconds that the step may still take, at least a millisecond, if it has a ``limit`` of its own."""
        if self.patience is None or limit is None:
            return limit
        return max(0.001, min(limit, self.patience - self.lost()) - (monotonic() - self.began))

    def lost(self) -> float:
        """Seconds that the steps before this one lost."""
        return _operation.lost or 0.0

    @staticmethod
    def lose(seconds: float) -> None:
        """The operation lost some."""
        if _operation.lost is not None:
            _operation.lost += seconds


class AsyncPace(Pace):
    """``Pace`` of a connection that is awaited."""

    __slots__ = ()

    def lost(self) -> float:
        """As in ``Pace``."""
        operation = _awaited.get()
        return 0.0 if operation is None else operation[0]

    @staticmethod
    def lose(seconds: float) -> None:
        """As in ``Pace``."""
        operation = _awaited.get()
        if operation is not None:
            operation[0] += seconds


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
        if pace.quick:
            pace.quick = False
            return self._recv(size)
        found = self._timed(self._recv, size)
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
