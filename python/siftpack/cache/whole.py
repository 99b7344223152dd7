"""What ``Cache`` and ``AsyncCache`` have in common beside their decisions: options, counts, and whose face they are."""

from typing import Any

from siftpack.cache.decide import Verdict, passes, verdict
from siftpack.cache.engine import Engine, Owner
from siftpack.errors import PolicyError


class Whole:
    """A cache of many users. As a face of its own it is nobody's, and only where there is one user."""

    _engine: Engine
    _nobody: Owner

    @property
    def _owner(self) -> Owner:
        if self._engine.multi_user:
            raise PolicyError("this cache holds the entries of many users: use for_user(...), or shared()")
        return self._nobody

    def stats(self) -> dict[str, Any]:
        """All counts since the start or the last ``reset_stats``, with those of users and agents."""
        return self._engine.stats.snapshot()

    get_stats = stats

    def reset_stats(self) -> None:
        """Count from nothing again."""
        self._engine.stats.reset()

    def hit_rate(self) -> float:
        """Hits of all reads, from 0 to 1; reads that failed are misses."""
        return self._engine.stats.hit_rate()


def named(user: object) -> str:
    """A user that is not nobody. Raises ``PolicyError``."""
    if user is None:
        raise PolicyError("user must be a str; for what belongs to nobody there is shared()")
    return user  # type: ignore[return-value]  # looked at where it is escaped


def engine_of(options: dict[str, Any]) -> Engine:
    """The engine of a cache with these options. Raises ``PolicyError``."""
    try:
        return Engine(**options)
    except TypeError as unknown:
        raise PolicyError(f"no such option of a cache: {unknown}") from None


def healthy(backend: Any, error: Exception | None, took: float) -> dict[str, Any]:
    """What ``health`` gives. Raises ``error`` if the caller has to see it."""
    if error is not None and passes(verdict(error)) and verdict(error) is not Verdict.BUG:
        raise error
    breaker = getattr(backend, "breaker", None)
    return {
        "ok": error is None,
        "latency_ms": round(took * 1000, 3),
        "error": None if error is None else verdict(error).value,
        "breaker": None if breaker is None else "closed" if breaker.closed else "open",
        "backend": type(getattr(backend, "front", backend)).__name__,
    }
