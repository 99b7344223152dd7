"""The decisions of the cache as pure functions, shared by the sync and the async shells. Nothing here does any I/O."""

import enum
import math
from collections.abc import Iterable
from inspect import CO_COROUTINE
from typing import Any, Final, NamedTuple

from siftpack.errors import PolicyError
from siftpack.policy import Action, Kind
from siftpack.report import Finding, Report
from siftpack.storage import mro, type_name


class Verdict(enum.StrEnum):
    """What an error of a store means for the call that met it."""

    UNREACHABLE = "unreachable"
    """Refused, reset, timed out, full of clients: count it for the breaker and go on without the store."""
    UNHEALTHY = "unhealthy"
    """It answers that it cannot serve now: the same."""
    READONLY = "readonly"
    """A replica where the master should be: drop the connections, ask once more, then as unreachable."""
    BUSY = "busy"
    """All connections of the client are in use: gone on without the store, and none of its fault."""
    FULL = "full"
    """No memory for a write. Reads and deletes still work."""
    AUTH = "auth"
    """Wrong password: raised, never hidden behind the embedded store."""
    BUG = "bug"
    """Not permitted, wrong type, bad command: raised."""
    GARBLED = "garbled"
    """An answer that makes no sense: drop the connections, a miss, an alarm."""
    NOT_OURS = "not_ours"
    """No error of a store: passes through."""


_BY_CLASS: Final = {
    "AuthenticationError": Verdict.AUTH,
    "AuthorizationError": Verdict.AUTH,
    "AuthenticationWrongNumberOfArgsError": Verdict.AUTH,
    "ExternalAuthProviderError": Verdict.AUTH,
    "NoPermissionError": Verdict.BUG,
    "DataError": Verdict.BUG,
    "OutOfMemoryError": Verdict.FULL,
    "ReadOnlyError": Verdict.READONLY,
    "BusyLoadingError": Verdict.UNHEALTHY,
    "ClusterDownError": Verdict.UNHEALTHY,
    "MasterDownError": Verdict.UNHEALTHY,
    "TryAgainError": Verdict.UNHEALTHY,
    "AskError": Verdict.UNHEALTHY,
    "MovedError": Verdict.UNHEALTHY,
    "ClusterError": Verdict.UNHEALTHY,
    "SlotNotCoveredError": Verdict.UNHEALTHY,
    "RedisClusterException": Verdict.UNHEALTHY,
    "ValkeyClusterException": Verdict.UNHEALTHY,
    "NoValidDatabaseException": Verdict.UNHEALTHY,
    "TemporaryUnavailableException": Verdict.UNHEALTHY,
    "UnhealthyDatabaseException": Verdict.UNHEALTHY,
    "InvalidResponse": Verdict.GARBLED,
    "ResponseError": Verdict.BUG,
    "MaxConnectionsError": Verdict.BUSY,
    "ConnectionError": Verdict.UNREACHABLE,
    "TimeoutError": Verdict.UNREACHABLE,
    "OSError": Verdict.UNREACHABLE,
    "ChildDeadlockedError": Verdict.UNREACHABLE,
    "RedisError": Verdict.UNREACHABLE,
    "ValkeyError": Verdict.UNREACHABLE,
}
_CLIENTS: Final = ("redis", "valkey", "fakeredis")
_PYTHON: Final = ("builtins", "asyncio", "socket", "ssl")
_CROWDED: Final = ("max number of clients", "ERR max number of clients")
_PARSERS_RAISE: Final = (
    *(ValueError, IndexError, KeyError, AttributeError, TypeError, UnicodeDecodeError, EOFError),
    *(OverflowError, RecursionError),
)


def verdict(error: BaseException) -> Verdict:
    """What an error means, by the names of its classes, so that no client needs to be imported.

    Classes of the clients count, with those that inherit them, and Python's own errors, without those that inherit
    them: what a signal handler of yours raises passes through.
    """
    cls = type(error)
    for each in mro(cls):
        root = each.__module__.partition(".")[0] if type(each) is type else ""
        if root in _CLIENTS or (root in _PYTHON and cls.__module__.partition(".")[0] in (*_CLIENTS, *_PYTHON)):
            found = _BY_CLASS.get(each.__name__)
            if found is Verdict.BUG and _is_crowded(error):
                return Verdict.UNREACHABLE
            if found is not None:
                return Verdict.AUTH if _hides_login(error) else found
    return Verdict.GARBLED if cls in _PARSERS_RAISE else Verdict.NOT_OURS


def _hides_login(error: BaseException) -> bool:
    """True if groups of servers could not be used because of a password: it is the cause, or stands in the words."""
    name = type(error).__name__
    if name in ("RedisClusterException", "ValkeyClusterException"):
        return error.__cause__ is not None and verdict(error.__cause__) is Verdict.AUTH
    if name in ("MasterNotFoundError", "SlaveNotFoundError"):  # of sentinels: one line, with what each of them raised
        return any(type(words) is str and "AuthenticationError" in words for words in error.args)
    return False


def _is_crowded(error: BaseException) -> bool:
    """True if a node of a cluster takes no more clients: its words for that are of no class of the clients'."""
    return any(type(words) is str and words.startswith(_CROWDED) for words in error.args)


def passes(found: Verdict) -> bool:
    """True if the caller has to see the error."""
    return found in (Verdict.AUTH, Verdict.BUG, Verdict.NOT_OURS)


def weighs(found: Verdict) -> bool:
    """True if the breaker counts the error."""
    return found in (Verdict.UNREACHABLE, Verdict.UNHEALTHY, Verdict.READONLY)


def distrusts(found: Verdict) -> bool:
    """True if idle connections may be out of step or lead to the wrong server, and are to be dropped."""
    return found in (Verdict.GARBLED, Verdict.READONLY)


class OnLossy(enum.StrEnum):
    """What becomes of a value that lost machinery when it was sifted."""

    STORE = "store"
    SKIP = "skip"
    RAISE = "raise"


_WORDS: Final = (
    *("get", "set", "delete", "exists", "expire", "ttl", "get_many", "set_many", "clear", "size"),
    *("ping", "distrust", "close"),
)
_REFUSING: Final = frozenset({Action.DROP, Action.TOMBSTONE, Action.NAME, Action.CUT})
_DATA: Final = frozenset({Kind.CONTAINER, Kind.RECORD, Kind.SUBCLASS, Kind.ENUM, Kind.VALUE, Kind.ATTRIBUTE})


def nothing_left(report: Report, *, nil: bool) -> bool:
    """True if the value itself, not a part of it, was machinery: there is nothing to store.

    ``nil`` says that None was written for it: what was cut short is a value unless it was cut to nothing.
    """
    return any(
        finding.path == "$"
        and finding.action in _REFUSING
        and finding.kind not in _DATA
        and (nil or finding.action is not Action.CUT)
        for finding in report.findings
    )


class Outcome(NamedTuple):
    """What a write comes to: the bytes to store, or None to delete what is there, and what to count."""

    data: bytes | None
    word: str
    """``data``, ``lossy``, ``text``, ``skipped`` or ``refused``."""
    found: dict[str, int]
    error: Exception | None
    """To be raised once the old entry is gone."""
    lost: tuple[Finding, ...] = ()
    """What was left out: the first findings of the report."""


def milliseconds(ttl: Any, what: str = "ttl") -> int | None:
    """A time to live in whole milliseconds, at least 1; None for no end. Raises ``PolicyError``."""
    if ttl is None:
        return None
    if type(ttl) not in (int, float) or not math.isfinite(ttl) or not 0 < ttl <= 10**10:
        raise PolicyError(f"{what} is a number of seconds above 0, or None")
    return max(1, int(ttl * 1000))


def flag(value: object, what: str) -> bool:
    """A bool, and nothing that is merely true or false. Raises ``PolicyError``."""
    if type(value) is not bool:
        raise PolicyError(f"{what} is True or False")
    return value


def check_backend(backend: Any, *, asynchronous: bool) -> None:
    """Raises ``PolicyError`` for a backend of the other kind, and for what is none, such as a bare client."""
    lacks = [word for word in _WORDS if not callable(getattr(backend, word, None))]
    lacks += ["remote"] if type(getattr(backend, "remote", None)) is not bool else []
    if lacks:
        raise PolicyError(
            "a backend is needed: RedisBackend(client), MemoryBackend(), or one of your own"
            f" ({type_name(type(backend))} lacks {', '.join(lacks)})"
        )
    if awaits(backend.get) is not asynchronous:
        raise PolicyError("Cache takes synchronous backends, and AsyncCache those of asyncio")


def check_kind(client: Any, *, asynchronous: bool) -> None:
    """Raises ``PolicyError`` for a client of the other kind, and for what is none, such as a URL."""
    run = getattr(client, "execute_command", None)
    if isinstance(client, type) or not callable(run):
        raise PolicyError("a client with the words of redis-py is needed; for a URL there is from_url")
    if awaits(run) is not asynchronous:
        raise PolicyError("RedisBackend takes synchronous clients, and AsyncRedisBackend those of asyncio")


def awaits(function: Any) -> bool:
    """True for a coroutine function, by its code."""
    return bool(getattr(getattr(function, "__code__", None), "co_flags", 0) & CO_COROUTINE)


def decodes(client: Any) -> bool:
    """True if a client gives text instead of bytes, as far as its options say."""
    return any(options.get("decode_responses") for options in _options(client))


def refuse(client: Any) -> None:
    """Raises ``PolicyError`` for a client that a cache must not share between callers."""
    if decodes(client):
        raise PolicyError(
            "the client was made with decode_responses=True and would give text for bytes; make one without it"
        )
    if any(not _spells(options.get("encoding", "utf-8")) for options in _options(client)):
        raise PolicyError("the client's encoding would change the commands themselves; use utf-8")
    if getattr(client, "single_connection_client", False) or getattr(client, "_single_connection_client", False):
        raise PolicyError("a client with single_connection_client=True mixes the replies of its callers")
    if any(options.get("cache") or options.get("cache_config") for options in _options(client)) or (
        _attribute(_attribute(client, "connection_pool"), "cache") is not None
    ):
        raise PolicyError("a client with a client-side cache of its own hides deletes; make one without it")
    if getattr(client, "read_from_replicas", False) or getattr(client, "load_balancing_strategy", None) is not None:
        raise PolicyError("a client with read_from_replicas=True gives what was there before a write; make one without")


def _spells(encoding: Any) -> bool:
    try:
        return "GET".encode(encoding) == b"GET"
    except (LookupError, TypeError):
        return False


def _options(client: Any) -> Iterable[dict[str, Any]]:
    pools = [client, _attribute(client, "connection_pool"), _attribute(client, "nodes_manager")]
    for database in databases(client):
        pools += [database, _attribute(database, "connection_pool"), _attribute(database, "nodes_manager")]
    for holder in pools:
        options = _attribute(holder, "connection_kwargs")
        if isinstance(options, dict):
            yield options


def databases(client: Any) -> list[Any]:
    """The clients within a ``MultiDBClient``; none for any other."""
    listed = _attribute(client, "_databases")
    try:
        return [_attribute(row[0], "client") for row in listed] if listed is not None else []
    except (TypeError, IndexError):
        return []


def _attribute(holder: Any, name: str) -> Any:
    return None if holder is None else getattr(holder, name, None)


def described(error: BaseException) -> str:
    """An error for a log: its type alone, because messages may hold values and addresses."""
    return type_name(type(error))
