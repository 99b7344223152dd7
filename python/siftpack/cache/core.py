"""``Cache``: the synchronous shell. Every decision is made in ``engine`` and ``decide``."""

import time
from collections.abc import Callable, Iterable, Mapping
from types import EllipsisType, TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, Self

from siftpack.cache.backends import GONE, Backend
from siftpack.cache.backends.memory import MemoryBackend
from siftpack.cache.backends.pace import bounded
from siftpack.cache.decide import Verdict, check_backend, described, flag, verdict
from siftpack.cache.engine import Engine, Owner, Read
from siftpack.cache.entries import MISSING, Entry, Missing, Reason, SizeEstimate, Unreadable
from siftpack.cache.fresh import WAIT, terms_of
from siftpack.cache.whole import Whole, engine_of, healthy, named

if TYPE_CHECKING:
    from siftpack.cache.memo import Cached

P = ParamSpec("P")


class Face:
    """The operations on one partition. No value makes one of them raise; see ``docs/cache.md`` for what does."""

    _engine: Engine
    _backend: Backend
    _owner: Owner

    @bounded
    def get(self, key: str, default: Any = MISSING) -> Any:
        """The value under a key, or ``default`` for a miss. A cached None is a hit."""
        engine, owner = self._engine, self._owner
        read = self._read(engine.name(owner, key), owner)
        return default if read is None else read.value

    @bounded
    def get_entry(self, key: str) -> Entry | Missing:
        """The entry under a key with what is known of it, or ``MISSING``."""
        engine, owner = self._engine, self._owner
        name = engine.name(owner, key)
        try:
            data = self._backend.get(name)
            ttl = self._backend.ttl(name)
        except Exception as error:  # noqa: BLE001 - judged
            engine.failed(owner, error, read=True)
            return MISSING
        try:
            read = engine.decode(data, name, owner, text=True)
        except Unreadable as refused:
            self._refused(refused.reason)
            return MISSING
        engine.stats.hit(owner.labels, read.format, len(data or b""))
        return engine.entry(read, ttl)

    @bounded
    def set(
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
                kept = self._backend.set(name, outcome.data, milliseconds, only_if_absent=only_if_absent)
            else:
                kept = only_if_absent or self._backend.delete([name]) >= 0
        except Exception as error:  # noqa: BLE001 - judged
            engine.failed(owner, error)
            kept = outcome.error is not None
            if not only_if_absent:
                self._forget([name])
        return engine.wrote(owner, outcome, time.perf_counter() - began) if kept else False

    def get_or_compute(  # noqa: PLR0913 - one argument an option
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
        """The value under a key, or what ``fn()`` gives, which is stored for ``ttl`` seconds as by ``set``.

        In this process one caller computes and the others wait for it, at most ``wait`` seconds; with ``lock`` one
        among all processes does, for at most so many seconds. An entry is given and renewed in a thread of its own when
        about ``early`` seconds are left, and for ``stale`` seconds after its end. Each caller gets a value of its own,
        as ``get`` would give it; one that cannot be stored is given as it is.

        Raises what ``fn`` raises, to all who waited for it; ``EncodeError`` with ``on_lossy="raise"``.
        """
        from siftpack.cache.compute import get_or_compute

        terms = terms_of(self._engine.ttl(ttl), early, stale, lock, wait)
        return get_or_compute(self, key, fn, terms)

    def cached(
        self, ttl: float | EllipsisType | None = ..., **options: Any
    ) -> "Callable[[Callable[P, Any]], Cached[P]]":
        """A decorator: keeps the answers of a function by its arguments. See ``siftpack.cache.memo.decorator``."""
        from siftpack.cache.memo import decorator

        return decorator(self, ttl, awaits=False, **options)

    def delete(self, key: str) -> bool:
        """Delete an entry; True if it was there."""
        return self.delete_many([key]) > 0

    @bounded
    def exists(self, key: str) -> bool:
        """True if something is stored under a key, readable or not."""
        engine, owner = self._engine, self._owner
        name = engine.name(owner, key)
        try:
            return self._backend.exists(name)
        except Exception as error:  # noqa: BLE001 - judged
            engine.failed(owner, error)
            return False

    @bounded
    def expire(self, key: str, ttl: float | None) -> bool:
        """Give an entry a new time to live in seconds, None for no end; False if it is not there."""
        engine, owner = self._engine, self._owner
        name = engine.name(owner, key)
        milliseconds = engine.ttl(ttl)
        try:
            if not engine.seals():
                return self._backend.expire(name, milliseconds)
            data = engine.rebound(self._backend.get(name), name, owner, milliseconds)
            return self._backend.set(name, data, milliseconds)
        except Unreadable:
            return False
        except Exception as error:  # noqa: BLE001 - judged
            engine.failed(owner, error)
            return False

    @bounded
    def ttl(self, key: str) -> float | Missing | None:
        """Seconds an entry has left, None if it does not expire, ``MISSING`` if it is not there."""
        engine, owner = self._engine, self._owner
        name = engine.name(owner, key)
        try:
            left = self._backend.ttl(name)
        except Exception as error:  # noqa: BLE001 - judged
            engine.failed(owner, error)
            return MISSING
        return MISSING if left == GONE else engine.seconds(left)

    @bounded
    def get_many(self, keys: Iterable[str]) -> dict[str, Any]:
        """The values of those keys that are hits."""
        engine, owner = self._engine, self._owner
        names = engine.names(owner, keys)
        try:
            found = self._backend.get_many(list(names.values()))
            answers = list(zip(names.items(), found, strict=True))
        except Exception as error:  # noqa: BLE001 - judged
            engine.failed(owner, error, read=len(names))
            return {}
        values: dict[str, Any] = {}
        for (key, name), data in answers:
            try:
                read = engine.decode(data, name, owner)
            except Unreadable as refused:
                self._refused(refused.reason)
                continue
            engine.stats.hit(owner.labels, read.format, len(data or b""))
            if read.rewrite:
                self._rewrite(name, read, data)
            values[key] = read.value
        return values

    @bounded
    def set_many(self, values: Mapping[str, Any], ttl: float | EllipsisType | None = ...) -> dict[str, bool]:
        """``set`` for each key; whether ``get`` will give each value. Raises as ``set``, after all were dealt with."""
        engine, owner = self._engine, self._owner
        milliseconds = engine.ttl(ttl)
        outcomes, refused, items = engine.encode_many(owner, values, milliseconds)
        try:
            self._backend.delete(refused)
            kept = self._backend.set_many(items, milliseconds)
        except Exception as error:  # noqa: BLE001 - judged
            engine.failed(owner, error)
            kept = False
            self._forget([*refused, *(name for name, _ in items)])
        return engine.wrote_many(owner, outcomes, kept=kept)

    @bounded
    def delete_many(self, keys: Iterable[str]) -> int:
        """Delete entries; how many were there."""
        engine, owner = self._engine, self._owner
        names = engine.names(owner, keys)
        try:
            gone = self._backend.delete(list(names.values()))
        except Exception as error:  # noqa: BLE001 - judged
            engine.failed(owner, error)
            return 0
        engine.stats.deleted(owner.labels, gone)
        return gone

    def clear(self) -> int:
        """Delete all entries of this partition; how many."""
        return self._clear(self._owner, self._owner.prefix)

    def size_estimate(self) -> SizeEstimate:
        """How much this partition holds; on a remote store by SCAN, so not for every request."""
        return self._size(self._owner, self._owner.prefix)

    @bounded
    def _clear(self, owner: Owner, prefix: str) -> int:
        try:
            gone = self._backend.clear(prefix)
        except Exception as error:  # noqa: BLE001 - judged
            self._engine.failed(owner, error)
            return 0
        self._engine.stats.deleted(owner.labels, gone)
        return gone

    @bounded
    def _size(self, owner: Owner, prefix: str) -> SizeEstimate:
        try:
            return SizeEstimate(*self._backend.size(prefix))
        except Exception as error:  # noqa: BLE001 - judged
            self._engine.failed(owner, error)
            return SizeEstimate(0, 0, exact=False)

    def _forget(self, names: list[str]) -> None:
        """Deletes what a failed write was to replace."""
        try:
            self._backend.delete(names)
        except Exception as error:  # noqa: BLE001 - judged
            self._engine.failed(self._owner, error)

    def _read(self, name: str, owner: Owner) -> Read | None:
        """What is stored under a name, counted; None for a miss."""
        engine = self._engine
        began = time.perf_counter()
        try:
            data = self._backend.get(name)
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
            self._refused(refused.reason)
            return None
        engine.stats.hit(owner.labels, read.format, len(data), took)
        if read.rewrite:
            self._rewrite(name, read, data)
        return read

    def _refused(self, reason: Reason) -> None:
        if self._engine.missed(self._owner, reason):
            try:
                self._backend.distrust()
            except Exception as error:  # noqa: BLE001 - judged
                self._engine.failed(self._owner, error)

    def _rewrite(self, name: str, read: Read, data: bytes | None) -> None:
        """Puts a value that a legacy reader gave back as ours, for the time it had left, if it is still there."""
        engine, owner = self._engine, self._owner
        try:
            left = self._backend.ttl(name)
            if left == GONE:
                return
            ttl = None if left < 0 else max(1, left)
            outcome = engine.encode(read.value, name, owner, ttl)
            unchanged = self._backend.get(name) == data
            if unchanged and outcome.data is not None and outcome.word != "text":
                self._backend.set(name, outcome.data, ttl)
        except Exception as error:  # noqa: BLE001 - judged
            engine.failed(owner, error)


class UserCache(Face):
    """The entries of one user, and no others."""

    def __init__(self, engine: Engine, backend: Backend, owner: Owner) -> None:
        self._engine = engine
        self._backend = backend
        self._owner = owner


class Cache(Whole, Face):  # type: ignore[override]  # the owner is asked for each time: it may be refused
    """A cache in one namespace of a store; ``for_user`` gives the entries of one user.

    ``backend``: bytes are kept there, without one in this process. A remote one gets an embedded store behind it, for
    the time it is away; ``fallback=False`` keeps nothing there. Options: ``namespace``; ``ttl`` seconds, None for no
    end; ``policy``, ``limits``, ``types``, ``compression`` as for ``Serializer``; ``on_lossy`` (``store``, ``skip``,
    ``raise``); ``legacy``; ``seal``; ``hash_tags`` for a cluster; ``multi_user=False`` allows the operations on the
    cache itself, in a partition that belongs to nobody. Raises ``PolicyError`` for options that make no sense.
    """

    def __init__(self, backend: Backend | None = None, *, fallback: bool = True, **options: Any) -> None:
        self._engine = engine_of(options)
        if backend is None:
            backend = MemoryBackend()
        flag(fallback, "fallback")
        check_backend(backend, asynchronous=False)
        if backend.remote and not hasattr(backend, "notes"):
            from siftpack.cache.backends.tiered import TieredBackend

            backend = TieredBackend(backend, MemoryBackend() if fallback else MemoryBackend(max_bytes=0))
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

        ``client`` holds further options for redis-py. A store that cannot be reached is no error, a wrong password is.
        Raises ``PolicyError`` for a URL or options that make no sense, and ``AuthenticationError`` of redis-py.
        """  # noqa: D205 - one sentence, too long for a line
        from siftpack.cache.presets import in_memory, maker, options_of

        if in_memory(url, client):
            return cls(MemoryBackend(), **options)
        from siftpack.cache.backends.redis import RedisBackend

        assert url is not None
        if "+cluster" in url.partition("://")[0]:
            options.setdefault("hash_tags", True)
        made = cls(
            RedisBackend(make=maker(url, asynchronous=False, **options_of(client))), fallback=fallback, **options
        )
        made._look()
        return made

    def for_user(self, user: str, *, agent: str | None = None) -> UserCache:
        """The entries of one user. ``agent`` is a label for counting. Raises ``PolicyError`` for an empty name."""
        return UserCache(self._engine, self._backend, self._engine.owner(named(user), agent))

    def shared(self, *, agent: str | None = None) -> UserCache:
        """The entries that belong to nobody: for what every user may see."""
        return UserCache(self._engine, self._backend, self._engine.owner(None, agent))

    def clear_namespace(self) -> int:
        """Delete all entries of all users in this namespace; how many."""
        return self._clear(self._nobody, self._engine.keys.namespace_prefix)

    def size_estimate(self) -> SizeEstimate:
        """How much the whole namespace holds; on a remote store by SCAN."""
        return self._size(self._nobody, self._engine.keys.namespace_prefix)

    @bounded
    def health(self) -> dict[str, Any]:
        """Whether the store answers, and how fast: ``ok``, ``latency_ms``, ``error``, ``breaker``, ``backend``.

        Raises what a wrong password raises.
        """
        began = time.perf_counter()
        error: Exception | None = None
        try:
            self._backend.ping()
        except Exception as raised:  # noqa: BLE001 - judged
            error = raised
        return healthy(self._backend, error, time.perf_counter() - began)

    health_check = health

    def close(self) -> None:
        """Let go of connections and of what is kept in this process."""
        self._backend.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, raised: object, trace: TracebackType | None) -> None:
        self.close()

    @bounded
    def _look(self) -> None:
        """Asks once, so that a wrong password is seen now."""
        try:
            self._backend.ping()
        except Exception as error:
            if verdict(error) in (Verdict.AUTH, Verdict.NOT_OURS):
                raise
            self._engine.tell(f"the store did not answer when the cache was made ({described(error)})")
