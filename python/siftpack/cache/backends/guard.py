"""Connections that know whether they are in step, and pools that lose no slot.

A connection that was interrupted between a command and its reply would give that reply to whoever uses it next. Here
every command is counted before its bytes leave and counted off when its reply was read whole; a connection that owes a
reply, or whose handshake did not end, is dropped when it is taken from the pool. A pool counts the connections that are
there instead of keeping a number, so one that an interrupt tore out of the caller's hands gives its slot back.

Here are those of redis-py; those of ``redis.asyncio`` are in ``aioguard``.
"""

import contextlib
import functools
import inspect
import select
import socket
import struct
import threading
import time
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from siftpack.cache import forks
from siftpack.cache.backends.pace import AT_ONCE, Pace, PacedSocket

WAIT: Final = 1.0
"""Seconds to wait for a connection when all are in use, unless ``wait`` says another number."""
_LOOK_AGAIN: Final = 0.05
_RESET: Final = struct.pack("ii", 1, 0)

if TYPE_CHECKING:
    Base = Any
else:  # the mixins below are put in front of the real classes when those are imported: see ``guarded``
    Base = object


class Step:
    """Replies owed, and whether the handshake ended. One thread at a time has a connection."""

    pace: Pace
    socket_timeout: Any
    socket_connect_timeout: Any
    _owed = 0
    _packed = 1
    _ready = False
    _poll: Any = None
    _reader: Any = None
    _writer: Any = None

    def _out_of_step(self) -> bool:
        return bool(self._owed) or not self._ready

    def _recall(self, sock: Any) -> None:
        """Have the system forget what it did not deliver yet: a command that was given up is not to arrive late."""
        if self._owed and sock is not None:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)

    def _answered(self, error: Exception, *, connected: bool) -> None:
        """An error is a reply too; one after which redis-py would wait and ask again becomes one that it raises."""
        if connected and _is_reply(error):
            self._owed -= 1
            _hurry(error)
        else:
            self.pace.failed()


class GuardedConnection(Step, Base):  # type: ignore[misc]  # redis-py types few of its methods
    """Put in front of a connection class of redis-py. ``patience``: seconds for an operation, else its time limit."""

    def __init__(self, *args: Any, patience: float | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.pace = Pace(self.socket_timeout if patience is None else patience)

    def _connect(self) -> Any:
        """A socket that keeps to the pace."""
        self.pace.start()
        limit = self.socket_connect_timeout
        self.socket_connect_timeout = self.pace.left(limit)
        try:
            return PacedSocket(super()._connect(), self.pace)
        except BaseException:
            self.pace.failed()
            raise
        finally:
            self.socket_connect_timeout = limit

    def connect(self) -> Any:
        """Connect, after dropping a socket that is out of step."""
        if self._sock is not None:
            if self._ready and not self._owed:
                return None
            self.disconnect()
        return super().connect()

    def connect_check_health(self, *args: Any, **options: Any) -> Any:
        """Connect and shake hands; ready only after both."""
        if self._sock is None:
            self._ready = False
            self._owed = 0
            result = super().connect_check_health(*args, **options)
            self._poll = _poll_of(self._sock)
            self._ready = self._sock is not None
            self.pace.greeted()
            return result
        return super().connect_check_health(*args, **options)

    def disconnect(self, *args: Any, **options: Any) -> None:
        """Close the socket; until that is done the connection counts as out of step."""
        self._ready = False
        self._recall(self._sock)
        super().disconnect(*args, **options)
        self._owed = 0

    def pack_commands(self, commands: Any) -> Any:
        """Pack a pipeline, and remember how many replies it will bring."""
        listed = list(commands)
        self._packed = len(listed)
        return super().pack_commands(listed)

    def send_command(self, *args: Any, **options: Any) -> None:
        """Send one command, which brings one reply."""
        self._packed = 1
        self.send_packed_command(self._command_packer.pack(*args), check_health=options.get("check_health", True))

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """Send what was packed last; its replies are owed before the first byte leaves."""
        coming = self._packed
        if self._sock is None:
            self.connect_check_health(check_health=False)
        if check_health and self.health_check_interval:  # it may connect anew, where nothing is owed yet
            self.check_health()
        self._owed += coming
        pace = self.pace
        if not self._ready:
            pace.greeted()
        large = sum(map(len, command)) > AT_ONCE
        if len(command) > 1 and not large:  # the system is called once, and wakes the server once
            command = (b"".join(command),)
        pace.start()
        try:
            if pace.quick:
                super().send_packed_command(command, check_health=False)
            else:
                self._send_in_a_hurry(command)
        except BaseException:
            pace.failed()
            raise
        if large:
            pace.sent()

    def _send_in_a_hurry(self, command: Any) -> None:
        raw, limit = self._sock.raw, self._sock.gettimeout()
        raw.settimeout(self.pace.left(limit))
        try:
            super().send_packed_command(command, check_health=False)
        finally:
            with contextlib.suppress(OSError):  # it may be closed by now
                raw.settimeout(limit)

    def read_response(self, *args: Any, **options: Any) -> Any:
        """Read one reply, whole; an error is a reply too."""
        if self._owed <= 0:  # a message that was not asked for
            self.pace.start()
        try:
            response = super().read_response(*args, **options)
        except Exception as error:
            self._answered(error, connected=self._sock is not None)
            raise
        self._owed -= 1
        return response

    def can_read(self, timeout: float = 0) -> bool:
        """Look for data that nobody asked for, or a closed end. What may lose some when interrupted counts as owed."""
        poll, buffer = self._poll, getattr(self._parser, "_buffer", None)
        if (
            poll is not None and buffer is not None and not timeout
        ):  # one look at the socket, where redis-py takes three
            return bool(buffer.unread_bytes() or poll(0))
        self._owed += 1
        found: bool = super().can_read(timeout)
        self._owed -= 1
        return found


def _poll_of(sock: Any) -> Any:
    """Asks whether a plain socket has something to read; None for TLS, where not all that arrives is for us."""
    sock = getattr(sock, "raw", sock)
    if type(sock) is not socket.socket or not hasattr(select, "poll"):
        return None
    poll = select.poll()
    poll.register(sock, select.POLLIN | select.POLLHUP | select.POLLERR)
    return poll.poll


def _hurry(error: Exception) -> None:
    from redis.exceptions import BusyLoadingError, ClusterDownError, TryAgainError

    if isinstance(error, (ClusterDownError, TryAgainError)):
        raise BusyLoadingError(str(error)) from None


def _is_reply(error: Exception) -> bool:
    from redis.exceptions import ResponseError

    return isinstance(error, ResponseError)


def checked_wait(wait: Any) -> float:
    """Seconds to wait for a connection. Raises ``ValueError`` for what is no number of 0 or more."""
    seconds = float(wait)
    if not 0 <= seconds < float("inf"):
        raise ValueError("wait")
    return seconds


class GuardedPool(Base):  # type: ignore[misc]  # as above
    """Put in front of a connection pool of redis-py. ``wait``: seconds for a connection when all are in use."""

    def __init__(self, *args: Any, wait: float = WAIT, **options: Any) -> None:
        self._wait = checked_wait(wait)
        self._freed = threading.Condition()
        self._waiting = 0
        self._lost = 0.0
        """When a connection came back that had broken, while others waited for one."""
        self._take: Callable[[Any], Any]
        super().__init__(*args, **options)
        forks.register(self)

    @property
    def _created_connections(self) -> int:
        # Counted one by one: a set of weak references whose own tidying was interrupted has a length that is too large.
        return len(self._available_connections) + len(list(self._in_use_connections))

    @_created_connections.setter
    def _created_connections(self, value: int) -> None:
        """Counted, not kept."""

    def reset(self) -> None:
        """Forget all connections."""
        super().reset()
        self._in_use_connections: Any = weakref.WeakSet()

    def get_connection(self, command_name: Any = None, *keys: Any, **options: Any) -> Any:  # noqa: ARG002 - redis-py's
        """A connection in step; waits for one. Raises ``ConnectionError``."""
        began = counted = 0.0
        while True:
            try:
                return self._take(self)
            except Exception as error:
                if type(error).__name__ != "MaxConnectionsError":
                    raise
                now = time.monotonic()
                began, counted = began or now, counted or now
                left = began + self._wait - now
                if left <= 0:
                    raise
            with self._freed:
                self._waiting += 1
                try:
                    self._freed.wait(min(left, _LOOK_AGAIN))
                finally:
                    self._waiting -= 1
            if self._lost > counted:  # who had it waited in vain, and so did who waited for it
                Pace.lose(self._lost - counted)
                counted = self._lost

    def release(self, connection: Any) -> None:
        """Give a connection back."""
        super().release(connection)
        if self._waiting:
            if connection._sock is None:  # noqa: SLF001 - of our own class
                self._lost = time.monotonic()
            with self._freed:
                self._freed.notify()

    def after_fork(self) -> None:
        """The child makes connections of its own, and locks that no thread of its parent holds."""
        self._lock = threading.RLock()
        self._fork_lock = threading.RLock()
        self._freed = threading.Condition()
        self._forget()
        self.reset()

    def _forget(self) -> None:
        """Close the parent's sockets here; they stay open there."""
        for connection in [*self._available_connections, *self._in_use_connections]:
            connection.disconnect()


@functools.cache
def guarded(cls: type) -> Any:
    """A guarded subclass of a connection or pool class of redis-py, sync or asyncio."""
    from redis.asyncio.connection import AbstractConnection as Async
    from redis.asyncio.connection import ConnectionPool as AsyncPool
    from redis.connection import AbstractConnection as Sync
    from redis.connection import ConnectionPool as Pool

    from siftpack.cache.backends.aioguard import GuardedAsyncConnection, GuardedAsyncPool

    guards: tuple[tuple[type, type], ...] = (
        (Sync, GuardedConnection),
        (Async, GuardedAsyncConnection),
        (Pool, GuardedPool),
        (AsyncPool, GuardedAsyncPool),
    )
    guard = next(guard for base, guard in guards if issubclass(cls, base))
    # The pool's own method without the wrapper that warns of arguments which are never given here.
    take = getattr(cls, "get_connection", None)
    extra = {} if take is None else {"_take": staticmethod(inspect.unwrap(take))}
    return type(f"Guarded{cls.__name__}", (guard, cls), extra)
