"""Redis and its kin behind any asyncio client with the words of ``redis.asyncio``: see ``RedisBackend``."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

from siftpack.cache.backends.aiocluster import close_nodes, distrust_node, drop_nodes, leave_nodes
from siftpack.cache.backends.guard import WAIT
from siftpack.cache.backends.redis import (
    SAMPLED,
    SCANNED,
    Held,
    broken,
    confirmed,
    count,
    further_pools,
    glob,
    kept,
    pipeline,
    pools,
    raw,
    setting,
    unspoken,
)
from siftpack.cache.decide import Verdict, databases, verdict, weighs

R = TypeVar("R")

_LOOK_AGAIN: Final = 0.005


async def _sleep(seconds: float) -> None:
    import asyncio  # late: whoever uses the synchronous cache alone does not pay for it

    await asyncio.sleep(seconds)


async def _nothing() -> None:
    """What older clients do about connections in use."""


def _running() -> Any:
    import asyncio

    return asyncio.get_running_loop()


class AsyncRedisBackend(Held):
    """Bytes in a store that an asyncio client reaches; see ``Held`` for the client."""

    _asynchronous = True
    _loop: Any = None
    """Of a cluster client that was made here, the loop it belongs to. Pools look after loops themselves."""

    @property
    def client(self) -> Any:
        """The client. Raises what making it raises."""
        if self._client is None or (self._loop is not None and self._loop is not _running()):
            return self._made_here()
        return self._client

    async def get(self, name: str, /) -> bytes | None:
        """As in ``RedisBackend``."""
        try:
            found: bytes | None = await self.client.execute_command("GET", name.encode())
        except Exception as error:
            if not (broken(error) or self._crowded(error)):
                raise
            found = await self._twice(lambda: self.client.execute_command("GET", name.encode()))
        return found

    async def set(self, name: str, data: bytes, ttl: int | None, *, only_if_absent: bool = False) -> bool:
        """As in ``RedisBackend``."""
        words = setting(name, data, ttl, only_if_absent=only_if_absent)
        ask = self._in_turn if only_if_absent else self._twice
        return kept(await ask(lambda: self.client.execute_command(*words)), only_if_absent=only_if_absent)

    async def delete(self, names: Sequence[str], /) -> int:
        """As in ``RedisBackend``."""
        if not names:
            return 0
        if len(names) == 1:
            return count(await self._twice(lambda: self.client.unlink(raw(names[0]))))
        return int(
            sum(
                map(
                    count,
                    await self._pipelined(lambda pipe: [pipe.execute_command("UNLINK", raw(name)) for name in names]),
                )
            )
        )

    async def exists(self, name: str, /) -> bool:
        """As in ``RedisBackend``."""
        return count(await self._twice(lambda: self.client.exists(name.encode()))) > 0

    async def expire(self, name: str, ttl: int | None, /) -> bool:
        """As in ``RedisBackend``."""
        if ttl is None:
            return bool(await self._twice(lambda: self.client.persist(name.encode()))) or await self.exists(name)
        return bool(await self._twice(lambda: self.client.pexpire(name.encode(), ttl)))

    async def ttl(self, name: str, /) -> int:
        """As in ``RedisBackend``."""
        return count(await self._twice(lambda: self.client.pttl(name.encode())))

    async def get_many(self, names: Sequence[str], /) -> list[bytes | None]:
        """As in ``RedisBackend``."""
        return await self._pipelined(lambda pipe: [pipe.get(name.encode()) for name in names]) if names else []

    async def set_many(self, items: Sequence[tuple[str, bytes]], ttl: int | None, /) -> bool:
        """As in ``RedisBackend``."""
        if items:
            commands = [setting(name, data, ttl) for name, data in items]
            confirmed(*await self._pipelined(lambda pipe: [pipe.execute_command(*words) for words in commands]))
        return True

    async def clear(self, prefix: str, /) -> int:
        """As in ``RedisBackend``."""
        gone = 0
        batch: list[Any] = []
        async for name in self.client.scan_iter(match=glob(prefix).encode(), count=SCANNED):
            batch.append(name)
            if len(batch) == SCANNED:
                gone += await self.delete(batch)
                batch = []
        return gone + await self.delete(batch)

    async def size(self, prefix: str, /) -> tuple[int, int, bool]:
        """As in ``RedisBackend``."""
        entries = 0
        sample: dict[Any, None] = {}  # SCAN may give a name twice
        async for name in self.client.scan_iter(match=glob(prefix).encode(), count=SCANNED):
            entries += name not in sample
            if len(sample) < SAMPLED:
                sample[name] = None
        sizes = await self._pipelined(lambda pipe: [pipe.strlen(name) for name in sample]) if sample else []
        total = sum(map(count, sizes))
        return (entries, total, True) if entries == len(sample) else (entries, total * entries // len(sample), False)

    async def ping(self) -> None:
        """As in ``RedisBackend``."""
        await self.client.ping()

    async def distrust(self) -> None:
        """As in ``RedisBackend``."""
        self._drop_stale()
        for pool in pools(self._client):
            await getattr(pool, "update_active_connections_for_reconnect", _nothing)()
            await pool.disconnect(inuse_connections=False)
        for node in list(getattr(self._client, "get_nodes", list)()):
            await distrust_node(node)

    async def close(self) -> None:
        """As in ``RedisBackend``."""
        self._drop_stale()
        if self._make is not None and self._client is not None:
            if getattr(self._client, "nodes_manager", None) is not None:
                await close_nodes(self._client)
            else:
                await self._client.aclose()
            for pool in (*pools(self._client), *further_pools(self._client)):
                await pool.disconnect()
            self._client = None
            await _sleep(0)  # the loop closes a socket in its next turn, which may be its last

    def _made_here(self) -> Any:
        self._drop_stale()
        made = self._made()
        if self._make is not None and getattr(made, "nodes_manager", None) is not None:
            self._loop = _running()
        return made

    def _drop_stale(self) -> None:
        """Be without a client that belongs to another event loop."""
        if self._client is not None and self._loop is not None and self._loop is not _running():
            drop_nodes(self._client)
            self._client = self._loop = None

    def _leave_alone(self) -> None:
        leave_nodes(self._client)
        super()._leave_alone()

    async def _twice(self, call: Callable[[], Awaitable[R]]) -> R:
        try:
            return await self._in_turn(call)
        except Exception as error:
            if not broken(error):
                raise
        return await self._in_turn(call)

    async def _in_turn(self, call: Callable[[], Awaitable[R]]) -> R:
        """Calls, and again as long as a node of a cluster has all its connections in use, up to ``WAIT`` seconds."""
        began = None
        while True:
            try:
                return await call()
            except Exception as error:
                began = began or time.monotonic()
                if not self._crowded(error) or time.monotonic() - began > WAIT:
                    raise
            await _sleep(_LOOK_AGAIN)

    def _crowded(self, error: Exception) -> bool:
        """True for a client whose nodes refuse at once instead of waiting; nothing was sent then."""
        return verdict(error) is Verdict.BUSY and getattr(self._client, "connection_pool", None) is None

    async def _pipelined(self, fill: Callable[[Any], object]) -> list[Any]:
        return await self._twice(lambda: self._run(fill))

    async def _run(self, fill: Callable[[Any], object]) -> list[Any]:
        client = self.client
        pipe = pipeline(client)
        with unspoken():
            if databases(client):  # the end of a block would close the client, with the connections of other tasks
                fill(pipe)
                return list(await pipe.execute())
            async with pipe:
                fill(pipe)
                try:
                    return list(await pipe.execute())
                except Exception as error:
                    if getattr(client, "nodes_manager", None) is not None and weighs(verdict(error)):
                        await client.aclose()  # as redis-py does: it asks for the nodes anew
                    raise
