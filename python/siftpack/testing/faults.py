"""A TCP proxy between a client and a real Redis or Valkey that does to the replies what networks and bugs do.

    with Proxy(server.port) as proxy:
        client = redis.Redis(port=proxy.port)
        proxy.inject(Fault.TRUNCATED)
        ...
        proxy.heal()

It reads replies one by one, so that a fault strikes in the middle of one or between two, never by chance; of what a
replica is sent all is lost. It runs in a thread of its own and works for synchronous and asyncio clients alike.
"""

import asyncio
import contextlib
import enum
import random
import socket
import struct
import threading
from collections.abc import Coroutine, Iterator
from types import TracebackType
from typing import Any, Final, Self, TypeVar

R = TypeVar("R")

HELD: Final = 0.004
"""Seconds that a reply waits for another one to change places with."""
_AT_ONCE: Final = struct.pack("ii", 1, 0)


class Fault(enum.StrEnum):
    """What happens to connections and replies. ``NONE`` lets everything through."""

    NONE = "none"
    REFUSED = "refused"
    """Nobody listens, and connections that are there are reset."""
    BLACK_HOLE = "black hole"
    """Connections are taken, nothing comes through either way, and what was sent is lost."""
    STALLED = "stalled"
    """Nothing comes through until it is over; then what was sent arrives, unless its sender reset the connection."""
    SLOW = "slow"
    """Replies come byte by byte, ``Proxy.rate`` of them a second."""
    CUT = "cut"
    """The connection is reset in the middle of a reply."""
    HALF_CLOSED = "half closed"
    """The connection ends towards the client in place of a reply; commands still arrive."""
    TRUNCATED = "truncated"
    """Half a reply, and then silence."""
    GARBAGE = "garbage"
    """Random bytes in place of a reply."""
    DUPLICATED = "duplicated"
    """Each reply comes twice."""
    REORDERED = "reordered"
    """Replies change places with the next one, if one comes soon."""


def reply_end(data: bytes | bytearray, at: int = 0) -> int:
    """Where the reply that begins at ``at`` ends, -1 if it is not whole. Knows RESP2 and RESP3."""
    wanted = 1
    while wanted:
        line = data.find(b"\r\n", at)
        if line < 0:
            return -1
        kind, rest = data[at : at + 1], data[at + 1 : line]
        at = line + 2
        wanted -= 1
        if kind in b"$=!":
            at += int(rest) + 2 if int(rest) >= 0 else 0
            if at > len(data):
                return -1
        elif kind in b"*~>":
            wanted += max(int(rest), 0)
        elif kind in b"%|":
            wanted += 2 * int(rest) + (kind == b"|")
    return at


class Proxy:
    """Listens on ``port`` of 127.0.0.1 and talks to ``target`` there, as long as its ``with`` block lasts.

    ``rate``: bytes a second of ``Fault.SLOW``. ``spared``: connections that send this are let through whatever happens,
    as long as there are any. ``seed`` makes the garbage the same each time.
    """

    def __init__(
        self, target: int, *, port: int = 0, rate: float = 1.0, spared: bytes | None = None, seed: int = 0
    ) -> None:
        self.target = target
        self.port = port
        self.rate = rate
        self.spared = spared
        self.fault = Fault.NONE
        self._random = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="siftpack-proxy", daemon=True)
        self._listening: socket.socket | None = None
        self._links: set[Link] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self.over = asyncio.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._change(Fault.NONE))
        return self

    def __exit__(self, kind: type[BaseException] | None, raised: object, trace: TracebackType | None) -> None:
        self._run(self._change(Fault.REFUSED))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def inject(self, fault: Fault) -> None:
        """From now on, for connections that are there and for new ones."""
        self._run(self._change(fault))

    def heal(self) -> None:
        """Let everything through again; connections on which bytes were lost are reset."""
        self.inject(Fault.NONE)

    def cut_off(self) -> None:
        """Reset the connections that are there, and let new ones be."""
        self._loop.call_soon_threadsafe(self._reset_all)

    def garbage(self, size: int) -> bytes:
        """Bytes that no server would send."""
        return b"\x00" + self._random.randbytes(max(size, 16)) + b"\r\n"

    def _run(self, doing: Coroutine[Any, Any, R]) -> R:
        return asyncio.run_coroutine_threadsafe(doing, self._loop).result(10)

    async def _change(self, fault: Fault) -> None:
        self.fault = fault
        if fault is Fault.STALLED:
            self.over.clear()
        else:
            self.over.set()
        if fault is Fault.REFUSED:
            self._close()
            while self._serving:
                self._reset_all()
                await asyncio.sleep(0.001)
        elif self._listening is None:
            self._listen()
        if fault is Fault.NONE:
            for link in [link for link in self._links if link.lossy]:
                link.reset()

    def _listen(self) -> None:
        """Not with ``asyncio.start_server``, which loses track of a connection that comes while it is closed."""
        self._listening = socket.create_server(("127.0.0.1", self.port))
        self._listening.setblocking(False)
        self.port = self._listening.getsockname()[1]
        self._loop.add_reader(self._listening, self._accept, self._listening)

    def _close(self) -> None:
        if self._listening is not None:
            self._loop.remove_reader(self._listening)
            self._listening.close()
            self._listening = None

    def _reset_all(self) -> None:
        for link in list(self._links):
            link.reset()

    def _accept(self, listening: socket.socket) -> None:
        with contextlib.suppress(OSError):  # who came is gone again
            sock, _ = listening.accept()
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
            task = self._loop.create_task(self._serve(sock))
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)

    async def _serve(self, sock: socket.socket) -> None:
        link = Link(self, *await asyncio.open_connection(sock=sock))
        self._links.add(link)
        try:
            if self.fault is Fault.REFUSED:
                link.reset()
            else:
                await link.run()
        finally:
            self._links.discard(link)


class Link:
    """One connection of a client, and the one to the server that belongs to it."""

    def __init__(self, proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.lossy = False
        self._proxy = proxy
        self._reader = reader
        self._writer = writer
        self._tasks: list[asyncio.Task[None]] = []
        self._server: asyncio.StreamWriter | None = None
        self._spared = False
        self._replicates = False

    @property
    def _fault(self) -> Fault:
        return Fault.NONE if self._spared else self._proxy.fault

    async def run(self) -> None:
        """Until one side ends it."""
        with contextlib.suppress(OSError, asyncio.CancelledError):
            reader, self._server = await asyncio.open_connection("127.0.0.1", self._proxy.target)
            self._tasks = [
                asyncio.create_task(self._commands(self._server)),
                asyncio.create_task(self._replies(reader)),
            ]
            await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in (self._writer, self._server):
            if writer is not None:
                writer.transport.abort()

    def reset(self) -> None:
        """End it towards the client as a machine does that lost its memory."""
        with contextlib.suppress(OSError):
            sock: socket.socket = self._writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self._writer.transport.abort()
        for task in self._tasks:
            task.cancel()

    async def _commands(self, server: asyncio.StreamWriter) -> None:
        try:
            while data := await self._reader.read(1 << 16):
                self._spared = self._spared or (self._proxy.spared is not None and self._proxy.spared in data)
                self._replicates = self._replicates or b"PSYNC" in data
                if self._fault is Fault.BLACK_HOLE:
                    self.lossy = True
                    continue
                if self._fault is Fault.STALLED:
                    await self._proxy.over.wait()
                    failed = self._reader.exception()
                    if failed is not None:
                        raise failed
                server.write(data)
                await server.drain()
        except OSError:
            self.reset()
            return
        if self._fault is Fault.BLACK_HOLE:
            self.lossy = True
        else:
            server.write_eof()

    async def _replies(self, server: asyncio.StreamReader) -> None:
        buffer = bytearray()
        while data := await server.read(1 << 20):
            if self._replicates:
                await self._pass_on(data)
                continue
            buffer += data
            at = 0
            while (end := reply_end(buffer, at)) >= 0 and at < len(buffer):
                reply, at = bytes(buffer[at:end]), end
                if self._fault is Fault.REORDERED:
                    following = reply_end(buffer, at) if at < len(buffer) else -1
                    if following < 0:
                        await asyncio.sleep(HELD)
                    else:
                        self._writer.write(buffer[at:following])
                        at = following
                await self._send(reply)
            del buffer[:at]
        if self._fault is not Fault.BLACK_HOLE:
            self._writer.write_eof()

    async def _pass_on(self, data: bytes) -> None:
        """What a replica gets is no replies: it comes as it is, or is lost."""
        if self._fault is Fault.NONE:
            self._writer.write(data)
            await self._writer.drain()
        else:
            self.lossy = True

    async def _send(self, reply: bytes) -> None:
        fault = self._fault
        if fault is Fault.BLACK_HOLE or (self.lossy and fault is not Fault.SLOW):
            self.lossy = True
            return
        self.lossy = fault in (Fault.SLOW, Fault.TRUNCATED, Fault.HALF_CLOSED)
        for piece in self._pieces(fault, reply):
            self._writer.write(piece)
            await self._writer.drain()
            if fault is Fault.SLOW:
                await asyncio.sleep(1 / self._proxy.rate)
        if fault is Fault.STALLED:
            await self._proxy.over.wait()
            self._writer.write(reply)
        elif fault is Fault.CUT:
            self.reset()
        elif fault is Fault.HALF_CLOSED:
            self._writer.write_eof()

    def _pieces(self, fault: Fault, reply: bytes) -> Iterator[bytes]:
        """What of a reply is sent now."""
        if fault is Fault.SLOW:
            yield from (reply[at : at + 1] for at in range(len(reply)))
        elif fault in (Fault.CUT, Fault.TRUNCATED):
            yield reply[: max(1, len(reply) // 2)]
        elif fault is Fault.GARBAGE:
            yield self._proxy.garbage(len(reply))
        elif fault is Fault.DUPLICATED:
            yield reply * 2
        elif fault in (Fault.NONE, Fault.REORDERED):
            yield reply


@contextlib.contextmanager
def deaf() -> Iterator[int]:
    """A port whose connections never come about, as behind a firewall that drops packets."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):  # fill the queue of those to be accepted; the rest is not answered
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield int(listening.getsockname()[1])
