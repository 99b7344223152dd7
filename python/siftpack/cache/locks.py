"""One computation among many processes: the lock of redis-py, under a name of its own beside the entry.

It ends with its own time to live whatever becomes of its holder, so a process that dies with it costs the others that
time at most. Without a remote store, or while it is away, there is none, and each process computes for itself.
"""

from typing import Any, Final

from siftpack.cache.decide import verdict, weighs

MARK: Final = "%lock:"
"""Stands where a name has its user. No user's name is written like this, so no entry ever has a lock's name."""
PAUSES: Final = (0.01, 0.25)
"""Seconds between two tries for a lock: the first pause and the longest."""
GROWTH: Final = 1.5
"""What each pause is longer than the last by."""


def lock_name(prefix: str, name: str) -> str:
    """The name of the lock for an entry's name in the namespace with ``prefix``; in the same slot of a cluster."""
    return f"{prefix}{MARK}{name[len(prefix) :]}"


def lock_for(backend: Any, name: str, seconds: float) -> Any:
    """A lock of the client behind a backend, or None if there is no such client or it is known to be away."""
    breaker = getattr(backend, "breaker", None)
    if breaker is not None and not breaker.closed:
        return None
    client = getattr(getattr(backend, "front", backend), "client", None)
    make = getattr(client, "lock", None)
    return None if make is None else make(name.encode(), timeout=seconds, thread_local=False)


def weigh(backend: Any, error: BaseException) -> None:
    """Tells the breaker, if there is one, of an error that a lock met."""
    breaker = getattr(backend, "breaker", None)
    if breaker is not None and weighs(verdict(error)):
        breaker.failed()


def was_lost(error: BaseException) -> bool:
    """True for what releasing says of a lock whose time was up before."""
    return type(error).__name__ in ("LockError", "LockNotOwnedError")
