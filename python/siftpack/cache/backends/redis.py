"""Redis and its kin behind any synchronous client with redis-py's words.

redis-py (alone, Sentinel, Cluster, Unix socket, TLS, ``MultiDBClient``), valkey-py and fakeredis have them. Pools,
retries, failover, TLS and credentials are the client's. A command that may be repeated is, once, after a connection
broke; ``only_if_absent`` is not, because its first try may have gone through.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeVar

from siftpack.cache import forks
from siftpack.cache.decide import Verdict, check_kind, databases, refuse, verdict
from siftpack.errors import PolicyError

R = TypeVar("R")

SCANNED: Final = 500
"""Names that one step of SCAN is asked for, and that are deleted in one go."""
SAMPLED: Final = 1000
"""Entries whose size is asked for before the rest is projected."""


def broken(error: Exception) -> bool:
    """True if a connection broke in a way that another try may mend: not for timeouts, which were waited for."""
    return verdict(error) is Verdict.UNREACHABLE and type(error).__name__ != "TimeoutError"


def count(reply: Any) -> int:
    """A reply that is a number. Raises ``ValueError``, as parsers do: then it is the reply to something else."""
    if type(reply) is not int:
        raise ValueError("not a number")
    return reply


def kept(reply: Any, *, only_if_absent: bool = False) -> bool:
    """Whether a SET was done. Raises ``ValueError``, as parsers do, if it may or may not have been."""
    if reply is True or (reply is None and only_if_absent):
        return reply is True
    raise ValueError("neither done nor declined")


def setting(name: str, data: bytes, ttl: int | None, *, only_if_absent: bool = False) -> tuple[Any, ...]:
    """The words of a SET. The client's own ``set``, which looks at fifteen options, takes a quarter of the time."""
    words: tuple[Any, ...] = ("SET", name.encode(), data)
    if ttl is not None:
        words += ("PX", ttl)
    return (*words, "NX") if only_if_absent else words


def confirmed(*replies: object) -> bool:
    """True. Raises ``ValueError`` if a SET of several was not answered with OK."""
    return all(kept(reply) for reply in replies)


def raw(name: str | bytes) -> bytes:
    """A name as it is sent, whatever encoding the client has; SCAN gives them so."""
    return name.encode() if isinstance(name, str) else name


def glob(prefix: str) -> str:
    """The pattern for names that begin with ``prefix``."""
    return "".join(f"\\{char}" if char in "*?[]\\^" else char for char in prefix) + "*"


_LEFT_ALONE: Final[list[Any]] = []
"""Clients of a parent: to let go of one would have it close itself, and wait for a lock that nobody holds here."""


class Held:
    """A client that is shared and never closed, or ``make``, which makes one when it is first needed and is closed.

    Raises ``PolicyError`` for a client that a cache must not use, see ``siftpack.cache.decide.refuse``.
    """

    remote = True
    _asynchronous: bool

    def __init__(self, client: Any = None, *, make: Callable[[], Any] | None = None) -> None:
        if (client is None) == (make is None):
            raise PolicyError(f"{type(self).__name__} takes a client, or a function that makes one")
        if client is not None:
            refuse(client)
            check_kind(client, asynchronous=self._asynchronous)
        elif not callable(make):
            raise PolicyError(f"{type(self).__name__} takes a function that makes a client")
        self._client = client
        self._make = make
        self._making = threading.RLock()
        if make is not None:
            forks.register(self)

    @property
    def client(self) -> Any:
        """The client. Raises what making it raises."""
        return self._made() if self._client is None else self._client

    def _made(self) -> Any:
        with self._making:
            if self._client is None:
                assert self._make is not None
                made = self._make()
                refuse(made)
                self._client = made
            return self._client

    def after_fork(self) -> None:
        """A child makes a cluster client of its own: that of its parent may hold locks. Pools see to themselves."""
        self._making = threading.RLock()
        if self._client is not None and getattr(self._client, "connection_pool", None) is None:
            self._leave_alone()
            self._client = None

    def _leave_alone(self) -> None:
        _LEFT_ALONE.append(self._client)


class RedisBackend(Held):
    """Bytes in a store that a synchronous client reaches; see ``Held`` for the client."""

    _asynchronous = False

    def get(self, name: str, /) -> bytes | None:
        """The bytes under a name, None if there are none."""
        try:
            found: bytes | None = self.client.execute_command("GET", name.encode())
        except Exception as error:
            if not broken(error):
                raise
            found = self.client.execute_command("GET", name.encode())
        return found

    def set(self, name: str, data: bytes, ttl: int | None, *, only_if_absent: bool = False) -> bool:
        """Keep bytes; False if ``only_if_absent`` and there were some."""
        words = setting(name, data, ttl, only_if_absent=only_if_absent)
        try:
            return kept(self.client.execute_command(*words), only_if_absent=only_if_absent)
        except Exception as error:
            if only_if_absent or not broken(error):
                raise
            return kept(self.client.execute_command(*words))

    def delete(self, names: Sequence[str], /) -> int:
        """Delete; how many were there."""
        if not names:
            return 0
        if len(names) == 1:
            return count(self._twice(lambda: self.client.unlink(raw(names[0]))))
        return int(
            sum(map(count, self._pipelined(lambda pipe: [pipe.execute_command("UNLINK", raw(name)) for name in names])))
        )

    def exists(self, name: str, /) -> bool:
        """True if there are bytes under a name."""
        return count(self._twice(lambda: self.client.exists(name.encode()))) > 0

    def expire(self, name: str, ttl: int | None, /) -> bool:
        """Give an entry a new time to live, None for no end; False if it is not there."""
        if ttl is None:
            return bool(self._twice(lambda: self.client.persist(name.encode()))) or self.exists(name)
        return bool(self._twice(lambda: self.client.pexpire(name.encode(), ttl)))

    def ttl(self, name: str, /) -> int:
        """Milliseconds left, ``ENDLESS`` or ``GONE``."""
        return count(self._twice(lambda: self.client.pttl(name.encode())))

    def get_many(self, names: Sequence[str], /) -> list[bytes | None]:
        """``get`` for each name, in one pipeline."""
        return self._pipelined(lambda pipe: [pipe.get(name.encode()) for name in names]) if names else []

    def set_many(self, items: Sequence[tuple[str, bytes]], ttl: int | None, /) -> bool:
        """``set`` for each name, in one pipeline."""
        if items:
            confirmed(
                *self._pipelined(lambda pipe: [pipe.execute_command(*setting(name, data, ttl)) for name, data in items])
            )
        return True

    def clear(self, prefix: str, /) -> int:
        """Delete all names that begin with a prefix, by SCAN; how many."""
        gone = 0
        batch: list[Any] = []
        for name in self.client.scan_iter(match=glob(prefix).encode(), count=SCANNED):
            batch.append(name)
            if len(batch) == SCANNED:
                gone += self.delete(batch)
                batch = []
        return gone + self.delete(batch)

    def size(self, prefix: str, /) -> tuple[int, int, bool]:
        """Entries counted by SCAN, and bytes of values, projected from the first ``SAMPLED``."""
        entries = 0
        sample: dict[Any, None] = {}  # SCAN may give a name twice
        for name in self.client.scan_iter(match=glob(prefix).encode(), count=SCANNED):
            entries += name not in sample
            if len(sample) < SAMPLED:
                sample[name] = None
        total = sum(map(count, self._pipelined(lambda pipe: [pipe.strlen(name) for name in sample]))) if sample else 0
        return (entries, total, True) if entries == len(sample) else (entries, total * entries // len(sample), False)

    def ping(self) -> None:
        """Raises the client's error if the server does not answer."""
        self.client.ping()

    def distrust(self) -> None:
        """Drop connections, those in use when they are given back.

        One of them may be out of step, or lead to a server that is no longer the master.
        """
        for pool in pools(self._client):
            getattr(pool, "update_active_connections_for_reconnect", _nothing)()
            pool.disconnect(inuse_connections=False)

    def close(self) -> None:
        """Close the client if it was made for this backend."""
        if self._make is not None and self._client is not None:
            for pool in (*pools(self._client), *further_pools(self._client)):
                pool.disconnect()
            self._client.close()
            self._client = None

    def _twice(self, call: Callable[[], R]) -> R:
        try:
            return call()
        except Exception as error:
            if not broken(error):
                raise
        return call()

    def _pipelined(self, fill: Callable[[Any], object]) -> list[Any]:
        return self._twice(lambda: self._run(fill))

    def _run(self, fill: Callable[[Any], object]) -> list[Any]:
        with pipeline(self.client) as pipe, unspoken():
            fill(pipe)
            return list(pipe.execute())


def _nothing() -> None:
    """What older clients do about connections in use."""


def pipeline(client: Any) -> Any:
    """A pipeline that is no transaction, of any client."""
    try:
        return client.pipeline(transaction=False)
    except TypeError:  # MultiDBClient takes no options
        return client.pipeline()


@contextlib.contextmanager
def unspoken() -> Iterator[None]:
    """Takes out of an error of a pipeline what clients put into it: the command, and so the value."""
    try:
        yield
    except Exception as error:
        if error.args and type(error.args[0]) is str and error.args[0].startswith("Command # "):
            error.args = (error.args[0].rpartition(" caused error: ")[2], *error.args[1:])
        raise


def pools(client: Any) -> list[Any]:
    """The connection pools of a client: its own, or those of a cluster's nodes, or of several databases."""
    own = getattr(client, "connection_pool", None)
    if own is not None:
        return [own]
    nodes: list[Any] = getattr(client, "get_nodes", list)()
    holders = [_of_node(node) for node in nodes] or databases(client)
    return [pool for each in holders if (pool := getattr(each, "connection_pool", None)) is not None]


def _of_node(node: Any) -> Any:
    return getattr(node, "redis_connection", getattr(node, "valkey_connection", None))


def further_pools(client: Any) -> list[Any]:
    """Further pools that a client has: of the sentinels that it asks for its master, of nodes that left its cluster."""
    manager = getattr(getattr(client, "connection_pool", None), "sentinel_manager", None)
    sentinels = [sentinel.connection_pool for sentinel in getattr(manager, "sentinels", ())]
    return [*sentinels, *getattr(client, "every_pool", ())]
