"""Connections that know whether they are in step, and pools that lose no slot; for redis-py and its asyncio twin.

A connection that was interrupted between a command and its reply would give that reply to whoever uses it next. Here
every command is counted before its bytes leave and counted off when its reply was read whole; a connection that owes a
reply, or whose handshake did not end, is dropped when it is taken from the pool. A pool counts the connections that are
there instead of keeping a number, so one that an interrupt tore out of the caller's hands gives its slot back.
"""

import functools
import inspect
import select
import socket
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from siftpack.cache import forks

WAIT: Final = 1.0
"""Seconds to wait for a connection when all are in use, unless ``wait`` says another number."""
_LOOK_AGAIN: Final = 0.05

if TYPE_CHECKING:
    Base = Any
else:  # the mixins below are put in front of the real classes when those are imported: see ``guarded``
    Base = object


class Step:
    """Replies owed, and whether the handshake ended. One thread at a time has a connection."""

    _owed = 0
    _packed = 1
    _ready = False
    _poll: Any = None
    _reader: Any = None
    _writer: Any = None

    def _out_of_step(self) -> bool:
        return bool(self._owed) or not self._ready


class GuardedConnection(Step, Base):  # type: ignore[misc]  # redis-py types few of its methods
    """Put in front of a connection class of redis-py."""

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
            return result
        return super().connect_check_health(*args, **options)

    def disconnect(self, *args: Any, **options: Any) -> None:
        """Close the socket; until that is done the connection counts as out of step."""
        self._ready = False
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
        super().send_command(*args, **options)

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """Send what was packed last; its replies are owed before the first byte leaves."""
        coming = self._packed
        if self._sock is None:
            self.connect_check_health(check_health=False)
        if check_health:  # it may connect anew, where nothing is owed yet
            self.check_health()
        self._owed += coming
        super().send_packed_command(command, check_health=False)

    def read_response(self, *args: Any, **options: Any) -> Any:
        """Read one reply, whole; an error is a reply too."""
        try:
            response = super().read_response(*args, **options)
        except Exception as error:
            if self._sock is not None and _is_reply(error):
                self._owed -= 1
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


class GuardedAsyncConnection(Step, Base):  # type: ignore[misc]  # as above
    """Put in front of a connection class of ``redis.asyncio``."""

    async def connect(self) -> Any:
        """Connect, after dropping a stream that is out of step."""
        if self.is_connected and self._out_of_step():
            self.drop()
        return await super().connect()

    async def connect_check_health(self, *args: Any, **options: Any) -> Any:
        """Connect and shake hands; ready only after both."""
        if not self.is_connected:
            self._ready = False
            self._owed = 0
            result = await super().connect_check_health(*args, **options)
            self._ready = self.is_connected
            return result
        return await super().connect_check_health(*args, **options)

    async def disconnect(self, *args: Any, **options: Any) -> None:
        """Close the stream; until that is done the connection counts as out of step."""
        self._ready = False
        await super().disconnect(*args, **options)
        self._owed = 0

    def drop(self) -> None:
        """Close at once, without waiting for anything."""
        self._parser.on_disconnect()
        writer, _ = self.leave_alone()
        if writer is not None:
            try:
                writer.transport.abort()
            except RuntimeError:  # its loop was closed before it
                _close_without_loop(writer.transport)
        self._owed = 0

    def leave_alone(self) -> Any:
        """Be without a stream, and give it away unclosed."""
        stream: tuple[Any, Any] = (self._writer, self._reader)
        self._ready = False
        self._writer = self._reader = None
        return stream

    def pack_commands(self, commands: Any) -> Any:
        """Pack a pipeline, and remember how many replies it will bring."""
        listed = list(commands)
        self._packed = len(listed)
        return super().pack_commands(listed)

    def pack_command(self, *args: Any) -> Any:
        """Pack one command, which brings one reply."""
        self._packed = 1
        return super().pack_command(*args)

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """Send what was packed last; its replies are owed before the first byte leaves."""
        coming = self._packed
        if not self.is_connected:
            await self.connect_check_health(check_health=False)
        if check_health:  # it may connect anew, where nothing is owed yet
            await self.check_health()
        self._owed += coming
        await super().send_packed_command(command, check_health=False)

    async def read_response(self, *args: Any, **options: Any) -> Any:
        """Read one reply, whole; an error is a reply too."""
        try:
            response = await super().read_response(*args, **options)
        except Exception as error:
            if self.is_connected and _is_reply(error):
                self._owed -= 1
            raise
        self._owed -= 1
        return response

    def __del__(self, _warnings: Any = None) -> None:
        if getattr(self, "_writer", None) is not None:
            self.drop()


def _close_without_loop(transport: Any) -> None:
    """Closes what a transport of asyncio leaves open, and complains of, when its loop is gone."""
    sock = getattr(transport, "_sock", None)
    if sock is not None:
        sock.close()
        transport._sock = None  # noqa: SLF001 - there is no other way to it


def _poll_of(sock: Any) -> Any:
    """Asks whether a plain socket has something to read; None for TLS, where not all that arrives is for us."""
    if type(sock) is not socket.socket or not hasattr(select, "poll"):
        return None
    poll = select.poll()
    poll.register(sock, select.POLLIN | select.POLLHUP | select.POLLERR)
    return poll.poll


def _expire(turn: Any) -> None:
    from redis.exceptions import MaxConnectionsError

    if not turn.done():
        turn.set_exception(MaxConnectionsError("Too many connections"))


def _is_reply(error: Exception) -> bool:
    from redis.exceptions import ResponseError

    return isinstance(error, ResponseError)


class GuardedPool(Base):  # type: ignore[misc]  # as above
    """Put in front of a connection pool of redis-py. ``wait``: seconds for a connection when all are in use."""

    def __init__(self, *args: Any, wait: float = WAIT, **options: Any) -> None:
        self._wait = float(wait)
        self._freed = threading.Condition()
        self._waiting = 0
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
        deadline = 0.0
        while True:
            try:
                return self._take(self)
            except Exception as error:
                if type(error).__name__ != "MaxConnectionsError":
                    raise
                deadline = deadline or time.monotonic() + self._wait
                left = deadline - time.monotonic()
                if left <= 0:
                    raise
            with self._freed:
                self._waiting += 1
                try:
                    self._freed.wait(min(left, _LOOK_AGAIN))
                finally:
                    self._waiting -= 1

    def release(self, connection: Any) -> None:
        """Give a connection back."""
        super().release(connection)
        if self._waiting:
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


class GuardedAsyncPool(Base):  # type: ignore[misc]  # as above
    """Put in front of a connection pool of ``redis.asyncio``, with ``wait`` as above; one event loop at a time."""

    def __init__(self, *args: Any, wait: float = WAIT, **options: Any) -> None:
        self._wait = float(wait)
        super().__init__(*args, **options)
        self._in_use_connections: Any = weakref.WeakSet()  # as its own reset does
        self._loop: Any = None
        self._waiting: deque[Any] = deque()
        forks.register(self)

    async def get_connection(self, command_name: Any = None, *keys: Any, **options: Any) -> Any:  # noqa: ARG002
        """A connection in step; waits for one. Raises ``ConnectionError``."""
        import asyncio

        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._drop_all()
            self._loop = loop
        if not self._waiting:
            try:
                return await super().get_connection()
            except Exception as error:
                if type(error).__name__ != "MaxConnectionsError":
                    raise
        connection = await self._handed(loop)
        try:
            await self.ensure_connection(connection)
        except BaseException:
            await self.release(connection)
            raise
        return connection

    async def _handed(self, loop: Any) -> Any:
        """Waits in line for a connection that somebody gives back."""
        import asyncio

        turn = loop.create_future()
        self._waiting.append(turn)
        alarm = loop.call_later(self._wait, _expire, turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                await self.release(turn.result())
            raise
        finally:
            alarm.cancel()

    async def release(self, connection: Any) -> None:
        """Give a connection back, or on to whoever waits longest; one that the pool no longer knows is dropped."""
        if connection not in self._in_use_connections:
            connection.drop()
            return
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(connection)
                return
        await super().release(connection)

    async def disconnect(self, inuse_connections: bool = True) -> None:
        """Close connections; those of another event loop at once."""
        import asyncio

        if self._loop is asyncio.get_running_loop():
            await super().disconnect(inuse_connections)
        else:
            self._drop_all()

    def _drop_all(self) -> None:
        for connection in self._every():
            connection.drop()
        self._anew()

    def after_fork(self) -> None:
        """The child leaves its parent's streams alone: to close one here would deafen the parent's event loop to it."""
        _LEFT_ALONE.extend(connection.leave_alone() for connection in self._every())
        self._anew()

    def _every(self) -> list[Any]:
        return [*self._available_connections, *self._in_use_connections]

    def _anew(self) -> None:
        import asyncio

        self._lock = asyncio.Lock()
        self._loop = None
        self._waiting.clear()
        self.reset()


_LEFT_ALONE: list[Any] = []


@functools.cache
def guarded(cls: type) -> Any:
    """A guarded subclass of a connection or pool class of redis-py, sync or asyncio."""
    from redis.asyncio.connection import AbstractConnection as Async
    from redis.asyncio.connection import ConnectionPool as AsyncPool
    from redis.connection import AbstractConnection as Sync
    from redis.connection import ConnectionPool as Pool

    guards: tuple[tuple[type, type], ...] = (
        (Sync, GuardedConnection),
        (Async, GuardedAsyncConnection),
        (Pool, GuardedPool),
        (AsyncPool, GuardedAsyncPool),
    )
    guard = next(guard for base, guard in guards if issubclass(cls, base))
    # The pool's own method without the wrapper that warns of arguments which are never given here.
    extra = {"_take": staticmethod(inspect.unwrap(cls.get_connection))} if guard is GuardedPool else {}  # type: ignore[attr-defined]
    return type(f"Guarded{cls.__name__}", (guard, cls), extra)
