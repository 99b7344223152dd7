"""``AsyncCache``: the asyncio shell, the same words with ``await``. Decisions are made in ``engine`` and ``decide``."""

import time
from collections.abc import Callable, Iterable, Mapping
from types import EllipsisType, TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, Self

from siftpack.cache.backends import GONE, AsyncBackend
from siftpack.cache.backends.memory import AsyncMemoryBackend
from siftpack.cache.backends.pace import bounded_async
from siftpack.cache.decide import check_backend, flag
from siftpack.cache.engine import Engine, Owner, Read
from siftpack.cache.entries import MISSING, Entry, Missing, Reason, SizeEstimate, Unreadable
from siftpack.cache.fresh import WAIT, terms_of
from siftpack.cache.whole import Whole, engine_of, healthy, named

if TYPE_CHECKING:
    from siftpack.cache.memo import Cached

P = ParamSpec("P")


class AsyncFace:
    """The operations on one partition. No value makes one of them raise; see ``docs/cache.md`` for what does."""

    _engine: Engine
    _backend: AsyncBackend
    _owner: Owner

    @bounded_async
    async def get(self, key: str, default: Any = MISSING) -> Any:
        """The value under a key, or ``default`` for a miss. A cached None is a hit."""
        engine, owner = self._engine, self._owner
        read = await self._read(engine.name(owner, key), owner)
        return default if read is None else read.value

    @bounded_async
    async def get_entry(self, key: str) -> Entry | Missing:
        """The entry under a key with what is known of it, or ``MISSING``."""
        engine, owner = self._engine, self._owner
        name = engine.name(owner, key)
        try:
            data = await self._backend.get(name)
            ttl = await self._backend.ttl(name)
        except Exception as error:  # noqa: BLE001 - judged
            engine.failed(owner, error, read=True)
            return MISSING
        try:
            read = engine.decode(data, name, owner, text=True)
        except Unreadable as refused:
            await self._refused(refused.reason)
            return MISSING
        engine.stats.hit(owner.labels, read.format, len(data or b""))
        return engine.entry(read, ttl)

    @bounded_async
    async def set(
        self, key: str, value: Any, ttl: float | EllipsisType | None = ..., *, only_if_absent: bool = False
    ) -> bool:
        """Store a value for ``ttl`` seconds (``...``: the cache's own, None: no end); True if ``get`` will give it.

        A value that cannot be stored as data deletes what was there, so that nothing stale is read. Raises
        ``EncodeError`` with ``on_lossy="raise"``.
        """
        engine, owner = self._engine, self._owner
        name, milliseconds = engine.name(owner, key), engine.ttl(ttl)
        outcome = engine.encode(value, name, owner, milliseconds)
        began = time.perf_counter()
        try:
            if outcome.data is not None:
                kept = await self._backend.set(name, outcome.data, milliseconds, only_if_absent=only_if_absent)
            else:
                kept = only_if_absent or await self._backend.delete([name]) >= 0
        except Exception as error:  # noqa: BLE001 - judged
            engine.failed(owner, error)
            kept = outcome.error is not None
            if not only_if_absent:
                await self._forget([name])
        return engine.wrote(owner, outcome, time.perf_counter() - began) if kept else False

    async def get_or_compute(  # noqa: PLR0913 - one argument an option
        self,
        key: str,
        fn: Callable[[], Any],
        ttl: float | EllipsisType | None = ...,
        *,
        early: float | None = None,
        stale: float | None = None,
        lock: float | None = None,
        wait: float = WAIT,
    ) -> Any:
        """The value under a key, or what ``fn()`` gives, which is awaited if it can be and stored for ``ttl`` seconds.

        As ``Cache.get_or_compute``, with a task of its own for each computation: a caller who is cancelled leaves the
        others their answer, and when the last who waits is cancelled, so is the task.

        Raises what ``fn`` raises, to all who waited for it; ``EncodeError`` with ``on_lossy="raise"``.
        """
        from siftpack.cache.aiocompute import get_or_compute

        terms = terms_of(self._engine.ttl(ttl), early, stale, lock, wait)
        return await get_or_compute(self, key, fn, terms)

    def cached(
        self, ttl: float | EllipsisType | None = ..., **options: Any
    ) -> "Callable[[Callable[P, Any]], Cached[P]]":
        """A decorator: keeps the answers of a coroutine function. See ``siftpack.cache.memo.decorator``."""
        from siftpack.cache.memo import decorator

        return decorator(self, ttl, awaits=True, **options)

    async def delete(self, key: str) -> bool:
        """Delete an entry; True if it was there."""
        return await self.delete_many([key]) > 0

    @bounded_async
    async def exists(self, key: str) -> bool:
        """True if something is stored under a key, readable or not."""
        engine, owner = self._engine, self._owner
        name = engine.name(owner, key)
        try:
            return await self._backend.exists(name)
        except Exception as error:  # noqa: BLE001 - judged
            engine.failed(owner, error)
            return False

    @bounded_async
    async def expire(self, key: str, ttl: float | None) -> bool:
        """Give an entry a new time to live in seconds, None for no end; False if it is not there."""
        engine, owner = self._engine, self._owner
        name = engine.name(owner, key)
        milliseconds = engine.ttl(ttl)
        try:
            if not engine.seals():
                return await self._backend.expire(name, milliseconds)
            data = engine.rebound(await self._backend.get(name), name, owner, milliseconds)
            return await self._backend.set(name, data, milliseconds)
        except Unreadable:
            return False
        except Exception as error:  # noqa: BLE001 - judged
            engine.failed(owner, error)
            return False

    @bounded_async
    async def ttl(self, key: str) -> float | Missing | None:
        """Seconds an entry has left, None if it does not expire, ``MISSING`` if it is not there."""
        engine, owner = self._engine, self._owner
        name = engine.name(owner, key)
        try:
            left = await self._backend.ttl(name)
        except Exception as error:  # noqa: BLE001 - judged
            engine.failed(owner, error)
            return MISSING
        return MISSING if left == GONE else engine.seconds(left)

    @bounded_async
    async def get_many(self, keys: Iterable[str]) -> dict[str, Any]:
        """The values of those keys that are hits."""
        engine, owner = self._engine, self._owner
        names = engine.names(owner, keys)
        try:
            found = await self._backend.get_many(list(names.values()))
            answers = list(zip(names.items(), found, strict=True))
        except Exception as error:  # noqa: BLE001 - judged
            engine.failed(owner, error, read=len(names))
            return {}
        values: dict[str, Any] = {}
        for (key, name), data in answers:
            try:
                read = engine.decode(data, name, owner)
            except Unreadable as refused:
                await self._refused(refused.reason)
                continue
            engine.stats.hit(owner.labels, read.format, len(data or b""))
            if read.rewrite:
                await self._rewrite(name, read, data)
            values[key] = read.value
        return values

    @bounded_async
    async def set_many(self, values: Mapping[str, Any], ttl: float | EllipsisType | None = ...) -> dict[str, bool]:
        """``set`` for each key; whether ``get`` will give each value. Raises as ``set``, after all were dealt with."""
        engine, owner = self._engine, self._owner
        milliseconds = engine.ttl(ttl)
        outcomes, refused, items = engine.encode_many(owner, values, milliseconds)
        try:
            await self._backend.delete(refused)
            kept = await self._backend.set_many(items, milliseconds)
        except Exception as error:  # noqa: BLE001 - judged
            engine.failed(owner, error)
            kept = False
            await self._forget([*refused, *(name for name, _ in items)])
        return engine.wrote_many(owner, outcomes, kept=kept)

    @bounded_async
    async def delete_many(self, keys: Iterable[str]) -> int:
        """Delete entries; how many were there."""
        engine, owner = self._engine, self._owner
        names = engine.names(owner, keys)
        try:
            gone = await self._backend.delete(list(names.values()))
        except Exception as error:  # noqa: BLE001 - judged
            engine.failed(owner, error)
            return 0
        engine.stats.deleted(owner.labels, gone)
        return gone

    async def clear(self) -> int:
        """Delete all entries of this partition; how many."""
        return await self._clear(self._owner, self._owner.prefix)

    async def size_estimate(self) -> SizeEstimate:
        """How much this partition holds; on a remote store by SCAN, so not for every request."""
        return await self._size(self._owner, self._owner.prefix)

    @bounded_async
    async def _clear(self, owner: Owner, prefix: str) -> int:
        try:
            gone = await self._backend.clear(prefix)
        except Exception as error:  # noqa: BLE001 - judged
            self._engine.failed(owner, error)
            return 0
        self._engine.stats.deleted(owner.labels, gone)
        return gone

    @bounded_async
    async def _size(self, owner: Owner, prefix: str) -> SizeEstimate:
        try:
            return SizeEstimate(*await self._backend.size(prefix))
        except Exception as error:  # noqa: BLE001 - judged
            self._engine.failed(owner, error)
            return SizeEstimate(0, 0, exact=False)

    async def _forget(self, names: list[str]) -> None:
        """Deletes what a failed write was to replace."""
        try:
            await self._backend.delete(names)
        except Exception as error:  # noqa: BLE001 - judged
            self._engine.failed(self._owner, error)

    async def _read(self, name: str, owner: Owner) -> Read | None:
        """What is stored under a name, counted; None for a miss."""
        engine = self._engine
        began = time.perf_counter()
        try:
            data = await self._backend.get(name)
        except Exception as error:  # noqa: BLE001 - judged
            engine.failed(owner, error, read=True)
            return None
        took = time.perf_counter() - began
        if data is None:
            engine.missed(owner, Reason.ABSENT, took)
            return None
        try:
            read = engine.decode(data, name, owner)
        except Unreadable as refused:
            await self._refused(refused.reason)
            return None
        engine.stats.hit(owner.labels, read.format, len(data), took)
        if read.rewrite:
            await self._rewrite(name, read, data)
        return read

    async def _refused(self, reason: Reason) -> None:
        if self._engine.missed(self._owner, reason):
            try:
                await self._backend.distrust()
            except Exception as error:  # noqa: BLE001 - judged
                self._engine.failed(self._owner, error)

    async def _rewrite(self, name: str, read: Read, data: bytes | None) -> None:
        """Puts a value that a legacy reader gave back as ours, for the time it had left, if it is still there."""
        engine, owner = self._engine, self._owner
        try:
            left = await self._backend.ttl(name)
            if left == GONE:
                return
            ttl = None if left < 0 else max(1, left)
            outcome = engine.encode(read.value, name, owner, ttl)
            unchanged = await self._backend.get(name) == data
            if unchanged and outcome.data is not None and outcome.word != "text":
                await self._backend.set(name, outcome.data, ttl)
        except Exception as error:  # noqa: BLE001 - judged
            engine.failed(owner, error)


class AsyncUserCache(AsyncFace):
    """The entries of one user, and no others."""

    def __init__(self, engine: Engine, backend: AsyncBackend, owner: Owner) -> None:
        self._engine = engine
        self._backend = backend
        self._owner = owner


class AsyncCache(Whole, AsyncFace):  # type: ignore[override]  # the owner is asked for each time: it may be refused
    """A cache in one namespace of a store; ``for_user`` gives the entries of one user.

    ``backend``: bytes are kept there, without one in this process. A remote one gets an embedded store behind it, for
    the time it is away; ``fallback=False`` keeps nothing there. Options: ``namespace``; ``ttl`` seconds, None for no
    end; ``policy``, ``limits``, ``types``, ``compression`` as for ``Serializer``; ``on_lossy`` (``store``, ``skip``,
    ``raise``); ``legacy``; ``seal``; ``hash_tags`` for a cluster; ``multi_user=False`` allows the operations on the
    cache itself, in a partition that belongs to nobody. Raises ``PolicyError`` for options that make no sense.
    """

    def __init__(self, backend: AsyncBackend | None = None, *, fallback: bool = True, **options: Any) -> None:
        self._engine = engine_of(options)
        if backend is None:
            backend = AsyncMemoryBackend()
        flag(fallback, "fallback")
        check_backend(backend, asynchronous=True)
        if backend.remote and not hasattr(backend, "notes"):
            from siftpack.cache.backends.aiotiered import AsyncTieredBackend

            backend = AsyncTieredBackend(backend, AsyncMemoryBackend() if fallback else AsyncMemoryBackend(max_bytes=0))
        if hasattr(backend, "on_error"):
            backend.on_error = self._engine.dealt_with
        self._backend = backend
        self._nobody = self._engine.owner(None, None)

    @classmethod
    def from_url(
        cls, url: str | None = None, *, client: Mapping[str, Any] | None = None, fallback: bool = True, **options: Any
    ) -> Self:
        """A cache of the store that a URL names: ``redis://``, ``rediss://``, ``unix://``, ``redis+sentinel://``,
        ``redis+cluster://``, ``memory://``; None is ``memory://``.

        ``client`` holds further options for redis-py. Nothing is asked yet: a wrong password is
        raised by the first operation, or by ``health``. Raises ``PolicyError`` for a URL or options that make no sense.
        """  # noqa: D205 - one sentence, too long for a line
        from siftpack.cache.presets import in_memory, maker, options_of

        if in_memory(url, client):
            return cls(AsyncMemoryBackend(), **options)
        from siftpack.cache.backends.aioredis import AsyncRedisBackend

        assert url is not None
        if "+cluster" in url.partition("://")[0]:
            options.setdefault("hash_tags", True)
        make = maker(url, asynchronous=True, **options_of(client))
        return cls(AsyncRedisBackend(make=make), fallback=fallback, **options)

    def for_user(self, user: str, *, agent: str | None = None) -> AsyncUserCache:
        """The entries of one user. ``agent`` is a label for counting. Raises ``PolicyError`` for an empty name."""
        return AsyncUserCache(self._engine, self._backend, self._engine.owner(named(user), agent))

    def shared(self, *, agent: str | None = None) -> AsyncUserCache:
        """The entries that belong to nobody: for what every user may see."""
        return AsyncUserCache(self._engine, self._backend, self._engine.owner(None, agent))

    async def clear_namespace(self) -> int:
        """Delete all entries of all users in this namespace; how many."""
        return await self._clear(self._nobody, self._engine.keys.namespace_prefix)

    async def size_estimate(self) -> SizeEstimate:
        """How much the whole namespace holds; on a remote store by SCAN."""
        return await self._size(self._nobody, self._engine.keys.namespace_prefix)

    @bounded_async
    async def health(self) -> dict[str, Any]:
        """Whether the store answers, and how fast: ``ok``, ``latency_ms``, ``error``, ``breaker``, ``backend``.

        Raises what a wrong password raises.
        """
        began = time.perf_counter()
        error: Exception | None = None
        try:
            await self._backend.ping()
        except Exception as raised:  # noqa: BLE001 - judged
            error = raised
        return healthy(self._backend, error, time.perf_counter() - began)

    health_check = health

    async def close(self) -> None:
        """Let go of connections and of what is kept in this process; renewals in the background are cancelled."""
        if self._engine.flights.renewing:
            from siftpack.cache.aiocompute import end_renewals

            await end_renewals(self._engine.flights)
        await self._backend.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, raised: object, trace: TracebackType | None) -> None:
        await self.close()
