"""The guards of ``redis.asyncio``: connections that know whether they are in step, and pools that lose no slot.

As in ``guard``. A stream belongs to the event loop it was opened in: a pool that is used in another one drops what it
has, and a forked child leaves its parent's streams alone.
"""

import weakref
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from siftpack.cache import forks
from siftpack.cache.backends.guard import WAIT, Step, checked_wait
from siftpack.cache.backends.pace import AT_ONCE, AsyncPace

if TYPE_CHECKING:
    Base = Any
else:  # put in front of the real classes when those are imported: see ``guarded``
    Base = object

LEFT_ALONE: Final[list[Any]] = []
"""Streams of a parent: to let go of one would close it."""


class GuardedAsyncConnection(Step, Base):  # type: ignore[misc]  # as above
    """Put in front of a connection class of ``redis.asyncio``, with ``patience`` as there."""

    def __init__(self, *args: Any, patience: float | None = None, **options: Any) -> None:
        import asyncio  # late: whoever uses the synchronous cache alone does not pay for it

        super().__init__(*args, **options)
        self.pace = AsyncPace(self.socket_timeout if patience is None else patience)
        self._task: Callable[[], Any] = asyncio.current_task
        self._asker: Any = None

    async def _connect(self) -> None:
        """Connect within the pace."""
        self.pace.start()
        limit = self.socket_connect_timeout
        self.socket_connect_timeout = self.pace.left(limit)
        try:
            await super()._connect()
        except BaseException:
            self.pace.failed()
            raise
        finally:
            self.socket_connect_timeout = limit

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
            self.pace.greeted()
            return result
        return await super().connect_check_health(*args, **options)

    async def disconnect(self, *args: Any, **options: Any) -> None:
        """Close the stream; until that is done the connection counts as out of step.

        One on which another task waits for a reply is closed when it is given back: a cluster client that looks for its
        nodes anew would close the streams of all tasks.
        """
        if self._asked_elsewhere():
            self.mark_for_reconnect()
            return
        self._ready = False
        if self._owed and self._writer is not None:  # what was not sent yet would keep it open
            self._recall(_socket_of(self._writer))
            self._writer.transport.abort()
        await super().disconnect(*args, **options)
        self._owed = 0
        self._asker = None

    def _asked_elsewhere(self) -> bool:
        asker = self._asker
        return bool(self._owed) and asker is not None and not asker.done() and asker is not self._task()

    def drop(self) -> None:
        """Close at once, without waiting for anything."""
        self._parser.on_disconnect()
        self._recall(_socket_of(self._writer))
        writer, _ = self.leave_alone()
        if writer is not None:
            try:
                writer.transport.abort()
            except RuntimeError:  # its loop was closed before it
                _close_without_loop(writer.transport)
        self._owed = 0
        self._asker = None

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
        self._asker = self._task()
        if not self._ready:
            self.pace.greeted()
        self.pace.start()
        limit = self.socket_timeout
        self.socket_timeout = None if self._takes(command) else self.pace.left(limit)
        try:
            await super().send_packed_command(command, check_health=False)
        except BaseException:
            self.pace.failed()
            raise
        finally:
            self.socket_timeout = limit

    def _takes(self, command: Any) -> bool:
        """True if the stream takes all of a command now: there is nothing to wait for, so no task for a time limit."""
        return (
            type(command) is list
            and sum(map(len, command)) <= AT_ONCE
            and not self._writer.transport.get_write_buffer_size()
        )

    async def read_response(self, *args: Any, **options: Any) -> Any:
        """Read one reply, whole; an error is a reply too."""
        limit = self.socket_timeout
        if self._owed > 0:
            self.socket_timeout = self.pace.left(limit)
        try:
            response = await super().read_response(*args, **options)
        except Exception as error:
            self._answered(error, connected=self.is_connected)
            raise
        else:
            self._owed -= 1
            return response
        finally:
            self.socket_timeout = limit
            if self._owed <= 0:
                self._asker = None  # a task that ended keeps its result

    def __del__(self, _warnings: Any = None) -> None:
        if getattr(self, "_writer", None) is not None:
            self.drop()


def _socket_of(writer: Any) -> Any:
    return None if writer is None else writer.get_extra_info("socket")


def _close_without_loop(transport: Any) -> None:
    """Closes what a transport of asyncio leaves open, and complains of, when its loop is gone."""
    sock = getattr(transport, "_sock", None)
    if sock is not None:
        sock.close()
        transport._sock = None  # noqa: SLF001 - there is no other way to it


class GuardedAsyncPool(Base):  # type: ignore[misc]  # as above
    """Put in front of a connection pool of ``redis.asyncio``, with ``wait`` as above; one event loop at a time."""

    def __init__(self, *args: Any, wait: float = WAIT, **options: Any) -> None:
        import asyncio

        self._wait = checked_wait(wait)
        self._take: Callable[[Any], Awaitable[Any]]
        super().__init__(*args, **options)
        self._in_use_connections: Any = weakref.WeakSet()  # as its own reset does
        self._running = asyncio.get_running_loop
        self._loop: Any = None
        self._waiting: deque[Any] = deque()
        forks.register(self)

    async def get_connection(self, command_name: Any = None, *keys: Any, **options: Any) -> Any:  # noqa: ARG002
        """A connection in step; waits for one. Raises ``ConnectionError``."""
        loop = self._running()
        if self._loop is not loop:
            self._drop_all()
            self._loop = loop
        if not self._waiting:
            try:
                return await self._take(self)
            except Exception as error:
                if type(error).__name__ != "MaxConnectionsError":
                    raise
        began = loop.time()
        try:
            connection = await self._handed(loop)
        except Exception as error:
            if type(error).__name__ != "MaxConnectionsError":
                raise
            return await self._take(self)  # nobody gave one back, but one may have been lost meanwhile
        if not connection.is_connected:  # who had it waited in vain, and so did who waited for it
            connection.pace.lose(loop.time() - began)
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
            if turn in self._waiting:  # gave up: whoever comes next does not stand behind it
                self._waiting.remove(turn)

    async def release(self, connection: Any) -> None:
        """Give a connection back, or on to whoever waits longest; one that the pool no longer knows is dropped."""
        if connection not in self._in_use_connections:
            connection.drop()
            return
        if self._waiting and connection.should_reconnect():
            await connection.disconnect()
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
        LEFT_ALONE.extend(connection.leave_alone() for connection in self._every())
        self._anew()

    def _every(self) -> list[Any]:
        return [*self._available_connections, *self._in_use_connections]

    def _anew(self) -> None:
        import asyncio

        self._lock = asyncio.Lock()
        self._loop = None
        self._waiting.clear()
        self.reset()


def _expire(turn: Any) -> None:
    from redis.exceptions import MaxConnectionsError

    if not turn.done():
        turn.set_exception(MaxConnectionsError("Too many connections"))
