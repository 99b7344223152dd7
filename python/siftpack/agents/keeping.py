"""Results in a cache: how one is put there and read back. Nothing that goes wrong here reaches a run."""

import asyncio
import inspect
import logging
from typing import Any, Final

from siftpack.agents import ids, reports
from siftpack.agents.calling import in_thread
from siftpack.agents.context import ExecutionContext
from siftpack.agents.extract import now
from siftpack.agents.result import AgentResult, Beside, put_beside
from siftpack.cache.aio import AsyncCache
from siftpack.cache.core import Cache
from siftpack.cache.entries import MISSING
from siftpack.cache.seldom import Seldom
from siftpack.errors import PolicyError
from siftpack.report import Finding, Report, shown_type

PATIENCE: Final = 2.0
"""Seconds that a run waits for a cache, once to read and once to write."""

log: Final = logging.getLogger("siftpack.agents")
_seldom: Final = Seldom()


def check(cache: Any) -> None:
    """Raises ``PolicyError`` for what is no cache of many users."""
    if cache is not None and not callable(getattr(type(cache), "for_user", None)):
        raise PolicyError("cache is a siftpack.cache.Cache or AsyncCache, or None")


def awaits(cache: Any) -> bool:
    """True for a cache of asyncio."""
    return inspect.iscoroutinefunction(getattr(type(cache), "health", None))


def passed(cache: Any, user: str, agent: str, lost: tuple[Finding, ...]) -> None:
    """Counts a run past the cache, as calls past it are counted; a cache of another make has no such count."""
    if not isinstance(cache, Cache | AsyncCache):
        return
    try:
        face: Any = cache.for_user(user, agent=agent)
        labels, stats = face._owner.labels, face._engine.stats  # noqa: SLF001 - the cache's own other half
        stats.computing(labels, "bypass", agent, findings=lost)
    except Exception as error:  # noqa: BLE001 - counting must not fail a run
        tell(f"the cache failed at counting: {shown_type(type(error))}")


class Keeper:
    """One key in the partition of one user."""

    def __init__(self, cache: Any, user: str, agent: str, key: str, ttl: float | None) -> None:
        self._cache = cache
        self._user = user
        self._agent = agent
        self._key = key
        self._ttl = ttl

    async def read(self, context: ExecutionContext) -> AgentResult | None:
        """The result of an earlier run of the same user, as a result of this one; None if there is none."""
        value = await self._ask("get", self._key)
        try:
            return _restored(value, context) if type(value) is dict else None
        except (KeyError, ValueError, TypeError):
            tell("an entry is no result of ours")
            return None

    async def write(self, result: AgentResult) -> bool:
        """Keep a result; True if it will be read again."""
        value = {"result": result.to_dict(), "report": result.report.to_dict(), "cached_at": now(), "ttl": self._ttl}
        return await self._ask("set", self._key, value, self._ttl) is True

    async def _ask(self, word: str, *args: Any) -> Any:
        try:
            async with asyncio.timeout(PATIENCE):
                face = self._cache.for_user(self._user, agent=self._agent)
                if awaits(self._cache):
                    return await getattr(face, word)(*args)
                return await in_thread(lambda: getattr(face, word)(*args))
        except Exception as error:  # noqa: BLE001 - a cache must not fail a run, whatever it raises
            tell(f"the cache failed at {word}: {shown_type(type(error))}")
            return MISSING


def _restored(value: dict[str, Any], context: ExecutionContext) -> AgentResult | None:
    made = AgentResult.from_dict(value["result"])
    if made.user_id != context.user_id:
        tell("an entry belongs to another user")
        return None
    made.metadata["cached_from"] = {
        "run_id": made.run_id,
        "request_id": made.request_id,
        "cached_at": value["cached_at"],
    }
    for name in ids.NAMES:
        setattr(made, name, getattr(context, name))
    report: Report = reports.from_dict(value["report"])
    put_beside(made, Beside(None, report, cached=True))
    return made


def tell(message: str) -> None:
    """Logs a message, once a minute each; it holds types and paths alone."""
    if _seldom(message):
        log.warning("%s", message)
