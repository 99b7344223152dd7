"""``execute_agent_pipeline``: one agent, run for one user, behind a cache that can never make it fail."""

import asyncio
import time
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

from siftpack.agents import calling, keeping
from siftpack.agents.calling import begun
from siftpack.agents.context import ExecutionContext
from siftpack.agents.extract import extract, failed
from siftpack.agents.keeping import Keeper
from siftpack.agents.keying import Identity, identity, question
from siftpack.agents.result import AgentResult, Status
from siftpack.cache.decide import milliseconds
from siftpack.errors import PolicyError, SiftError


@dataclass(frozen=True, slots=True)
class Options:
    """How a run is cached, bounded and keyed; checked when it is made. Raises ``PolicyError``."""

    cache: Any = None
    ttl: float | None = 3600
    timeout: float | None = 25
    raise_on_error: bool = False
    data_keys: tuple[str, ...] | None = None
    per_thread: bool = False

    def __post_init__(self) -> None:
        keeping.check(self.cache)
        milliseconds(self.ttl)
        milliseconds(self.timeout, "timeout")


async def execute_agent_pipeline(  # noqa: PLR0913 - one argument an option
    agent: Any,
    context: Any,
    input_data: Any,
    *,
    cache: Any = None,
    ttl: float | None = 3600,
    timeout: float | None = 25,  # noqa: ASYNC109 - a late agent is a result, and no error of the caller's
    raise_on_error: bool = False,
    agent_name: str | None = None,
    agent_version: str | None = None,
    data_keys: Iterable[str] | None = None,
    per_thread: bool = False,
) -> AgentResult:
    """Run an agent for the context's user, and keep what came of it.

    ``agent``: a function or coroutine function called as ``agent(context, input_data)``, an agent of a known framework,
    called as that framework does, or an object with a method of execution. It gets a child of ``context``; what is no
    ``ExecutionContext`` is made one by ``ExecutionContext.of``. A function that blocks runs in a thread of its own.

    ``cache``: a ``Cache`` or ``AsyncCache``. A completed result is kept for ``ttl`` seconds under the context's user,
    by agent, version, input and the context's data, of which ``data_keys`` names the entries that count, and with
    ``per_thread`` by thread. The same question is then answered without a run. A question that cannot be told from
    others by its data is not cached; ``result.metadata["cache"]`` says ``hit``, ``stored``, ``not stored`` or
    ``bypassed``. A cache that fails never fails a run.

    ``timeout``: seconds that the agent has, None for no end. An agent that raises, or is late, gives a result with the
    status ``failed`` or ``timeout``; with ``raise_on_error`` what it raised is raised.

    Raises ``PolicyError`` for options that make no sense, and whatever is no ``Exception``.
    """
    options = Options(cache, ttl, timeout, raise_on_error, names_of(data_keys), per_thread)
    who = identity(agent, agent_name, agent_version)
    parent = ExecutionContext.of(context)
    try:
        child = parent.child(who.shown)
    except SiftError as refused:
        if raise_on_error:
            raise
        return failed(refused, parent, agent_name=who.shown)
    return await run_one(agent, who, child, input_data, options)


def execute_agent_pipeline_sync(agent: Any, context: Any, input_data: Any, **options: Any) -> AgentResult:
    """``execute_agent_pipeline`` for callers without asyncio, with the same options; an ``AsyncCache`` is refused."""
    if options.get("cache") is not None and keeping.awaits(options["cache"]):
        raise PolicyError("without asyncio the cache is a siftpack.cache.Cache")
    result: AgentResult = finished(execute_agent_pipeline(agent, context, input_data, **options))
    return result


async def run_one(
    agent: Any, who: Identity, context: ExecutionContext, input_data: Any, options: Options
) -> AgentResult:
    """One run in a context made for it."""
    keeper, note = _keeper(who, context, input_data, options)
    kept = None if keeper is None else await keeper.read(context)
    if kept is not None:
        kept.metadata["cache"] = "hit"
        return kept
    result = await _ran(agent, who, context, input_data, options)
    if keeper is not None:
        note = "stored" if result.ok and await keeper.write(result) else "not stored"
    if note:
        result.metadata["cache"] = note
    return result


def _keeper(who: Identity, context: ExecutionContext, input_data: Any, options: Options) -> tuple[Keeper | None, str]:
    if options.cache is None:
        return None, ""
    asked = question(who, context, input_data, options.data_keys, per_thread=options.per_thread)
    if asked.key is None:
        keeping.tell(f"agent {who.shown} is not cached: {asked.why}")
        keeping.passed(options.cache, context.user_id, who.shown, asked.lost)
        return None, "bypassed"
    return Keeper(options.cache, context.user_id, who.shown, asked.key, options.ttl), ""


async def _ran(agent: Any, who: Identity, context: ExecutionContext, input_data: Any, options: Options) -> AgentResult:
    began = time.perf_counter()
    limit = asyncio.timeout(options.timeout)
    try:
        async with limit:
            raw = await calling.run(agent, context, input_data)
        result = extract(raw, context, agent_name=who.shown)
    except Exception as raised:
        if options.raise_on_error:
            raise
        late = isinstance(raised, TimeoutError) and limit.expired()
        status = Status.TIMEOUT if late else Status.FAILED
        result = failed(raised, context, agent_name=who.shown, status=status)
        if late and result.error is not None:
            result.error["message"] = f"the agent took longer than {options.timeout} s"
    if result.metadata.get("processing_time") is None:
        result.metadata["processing_time"] = round(time.perf_counter() - began, 6)
    if result.metadata.get("version") is None:
        result.metadata["version"] = who.version or None
    return result


def names_of(data_keys: Iterable[str] | None) -> tuple[str, ...] | None:
    """The entries of the data that make a question. Raises ``PolicyError`` for a name where names are wanted."""
    if data_keys is None:
        return None
    if type(data_keys) is str:
        raise PolicyError("data_keys are several names: data_keys=('locale',)")
    return tuple(data_keys)


def finished(awaitable: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine gives, whether or not an event loop is running in this thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(awaitable)
    return begun(lambda: asyncio.run(awaitable), "siftpack-pipeline").result()
