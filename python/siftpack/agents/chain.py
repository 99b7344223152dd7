"""``AgentPipeline``: several agents in order, each seeing what those before it found out."""

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from siftpack.agents import ids, keeping
from siftpack.agents.context import ExecutionContext
from siftpack.agents.extract import extract, failed
from siftpack.agents.gates import Gates
from siftpack.agents.keying import Identity, identity
from siftpack.agents.pipeline import Options, finished, names_of, run_one
from siftpack.agents.result import AgentResult, Status
from siftpack.errors import PolicyError, SiftError
from siftpack.report import shown_type
from siftpack.storage import awaitable

PREVIOUS: Final = "previous_results"
"""The entry of the context's data where an agent finds the ``result_data`` of those before it, by their names."""

_GOES_ON: Final = (Status.COMPLETED, Status.PARTIAL, Status.UNKNOWN)


class PipelineEvent(NamedTuple):
    """Something happened in a run: ``started``, ``agent_started``, ``agent_finished``, ``finished``."""

    kind: str
    pipeline_id: str
    user_id: str
    run_id: str
    at: dt.datetime
    agent_name: str | None = None
    position: int | None = None
    """Of the agent, from 0 on."""
    status: str | None = None
    cached: bool = False


Listener = Callable[[PipelineEvent], Any]


@dataclass(slots=True)
class PipelineResult:
    """What came of a run: the results of the agents that ran, in order, and ``execution_metadata``:

    ``start_time`` (ISO, UTC), ``duration`` (seconds), ``total_agents``, ``completed_agents``, ``cached_agents``.
    """  # noqa: D400, D415 - goes on with a list

    pipeline_id: str
    agent_results: list[AgentResult]
    execution_metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """``completed`` if every agent did, ``partial`` if some did, else what the first one's result says."""
        done = sum(each.ok for each in self.agent_results)
        if done and done == self.execution_metadata["total_agents"]:
            return Status.COMPLETED.value
        return Status.PARTIAL.value if done else self.agent_results[0].status

    @property
    def ok(self) -> bool:
        """True if every agent completed."""
        return self.status == Status.COMPLETED.value

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "pipeline_id": self.pipeline_id,
            "status": self.status,
            "agent_results": [each.to_dict() for each in self.agent_results],
            "execution_metadata": dict(self.execution_metadata),
        }


extract.register(PipelineResult)(PipelineResult.to_dict)


class AgentPipeline:
    """Agents that run in order for one user at a time, and for many users at once.

    ``agents``: agents as ``execute_agent_pipeline`` takes them, or tuples of a name, an agent, and a version if you
    like. Every agent gets the same input, and finds the results before its own in its context's data, under
    ``PREVIOUS``. After one that failed, was late, or waits for somebody the rest do not run, unless ``keep_going``.
    ``per_user`` bounds the runs of one user at a time. ``on_event`` is called with each ``PipelineEvent``, or awaited;
    what it raises is logged. The other options are those of ``execute_agent_pipeline``. Raises ``PolicyError`` for
    options that make no sense.
    """

    def __init__(  # noqa: PLR0913 - one argument an option
        self,
        agents: Iterable[Any],
        *,
        cache: Any = None,
        ttl: float | None = 3600,
        timeout: float | None = 25,
        per_user: int = 4,
        keep_going: bool = False,
        on_event: Listener | None = None,
        data_keys: Iterable[str] | None = None,
        per_thread: bool = False,
    ) -> None:
        self._agents = _named(agents)
        if type(per_user) is not int or per_user < 1:
            raise PolicyError("per_user is a number of runs from 1 on")
        chosen = names_of(data_keys)
        keys = None if chosen is None else (*chosen, PREVIOUS)
        self._options = Options(cache, ttl, timeout, raise_on_error=False, data_keys=keys, per_thread=per_thread)
        self._gates = Gates(per_user)
        self._keep_going = keep_going
        self._on_event = on_event

    async def run(self, context: Any, input_data: Any) -> PipelineResult:
        """Run the agents for the context's user. An agent that fails is a failed result in what is returned."""
        parent = ExecutionContext.of(context)
        run = _Run(ids.made(), parent, self._on_event)
        async with self._gates.place(parent.user_id):
            began, start = time.perf_counter(), dt.datetime.now(dt.UTC)
            await run.tell("started")
            results = await self._results(run, parent, input_data)
            done = PipelineResult(
                run.pipeline_id,
                results,
                {
                    "start_time": start.isoformat(),
                    "duration": round(time.perf_counter() - began, 6),
                    "total_agents": len(self._agents),
                    "completed_agents": sum(each.ok for each in results),
                    "cached_agents": sum(each.cached for each in results),
                },
            )
            await run.tell("finished", status=done.status)
            return done

    def run_sync(self, context: Any, input_data: Any) -> PipelineResult:
        """``run`` for callers without asyncio; an ``AsyncCache`` is refused."""
        if keeping.awaits(self._options.cache):
            raise PolicyError("without asyncio the cache is a siftpack.cache.Cache")
        result: PipelineResult = finished(self.run(context, input_data))
        return result

    async def _results(self, run: "_Run", parent: ExecutionContext, input_data: Any) -> list[AgentResult]:
        results: list[AgentResult] = []
        before: dict[str, Any] = {}
        for position, (who, agent) in enumerate(self._agents):
            await run.tell("agent_started", agent_name=who.shown, position=position)
            try:
                child = parent.child(who.shown, data={PREVIOUS: before})
                result = await run_one(agent, who, child, input_data, self._options)
            except SiftError as refused:
                result = failed(refused, parent, agent_name=who.shown)
            results.append(result)
            ending = {"status": result.status, "cached": result.cached}
            await run.tell("agent_finished", agent_name=who.shown, position=position, **ending)
            if result.status not in _GOES_ON and not self._keep_going:
                break
            before[who.shown] = result.result_data
        return results


class _Run:
    """One run of a pipeline, and who wants to hear of it."""

    def __init__(self, pipeline_id: str, context: ExecutionContext, listener: Listener | None) -> None:
        self.pipeline_id = pipeline_id
        self._context = context
        self._listener = listener

    async def tell(self, kind: str, **told: Any) -> None:
        if self._listener is None:
            return
        who = (self._context.user_id, self._context.run_id)
        event = PipelineEvent(kind, self.pipeline_id, *who, dt.datetime.now(dt.UTC), **told)
        try:
            answer = self._listener(event)
            if awaitable(answer):
                await answer
        except Exception as error:  # noqa: BLE001 - who listens must not fail a run
            keeping.tell(f"a listener failed: {shown_type(type(error))}")


def _named(agents: Iterable[Any]) -> list[tuple[Identity, Any]]:
    """The agents with their names, each once: a second one of the same name is ``name#2``, in the cache too."""
    found: list[tuple[Identity, Any]] = []
    seen: Counter[str] = Counter()
    for given in agents:
        name, agent, version = (
            (*given, None)[:3] if type(given) is tuple and len(given) in (2, 3) else (None, given, None)
        )
        who = identity(agent, name, version)
        seen[who.shown] += 1
        if seen[who.shown] > 1:
            mark = f"#{seen[who.shown]}"
            who = who._replace(shown=who.shown + mark, key=None if who.key is None else who.key + mark)
        found.append((who, agent))
    if not found:
        raise PolicyError("a pipeline has at least one agent")
    return found
