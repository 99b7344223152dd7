"""``execute_agent_pipeline``: runs, hits, failures, time limits, and a cache that fails no run."""

import asyncio
import contextvars
import dataclasses
import functools
import threading
import time
from typing import Any

import pytest
import redis

from siftpack import PolicyError
from siftpack.agents import AgentResult, ExecutionContext, execute_agent_pipeline, execute_agent_pipeline_sync
from siftpack.cache import AsyncCache, Cache, RedisBackend
from siftpack.testing import servers
from tests.agents.results import KEY, REPORTING, machinery
from tests.named import named

RUNS: list[Any] = []
"""What the agents below were asked."""


async def reporter(context: ExecutionContext, input_data: Any) -> dict[str, Any]:
    RUNS.append((context.user_id, input_data))
    return {**REPORTING, "asked": input_data, "for": context.user_id, **machinery()}


def blocking(context: ExecutionContext, input_data: Any) -> dict[str, Any]:
    RUNS.append((context.user_id, input_data))
    return {"asked": input_data, "thread": threading.current_thread().name}


@pytest.fixture(autouse=True)
def _forget() -> None:
    RUNS.clear()


@pytest.fixture
def context() -> ExecutionContext:
    return ExecutionContext("ada", "t-1", "r-1", data={"locale": "en"}, live={"client": object()})


def run(*args: Any, **options: Any) -> AgentResult:
    return asyncio.run(execute_agent_pipeline(*args, **options))


def test_a_run_gives_a_result(context: ExecutionContext) -> None:
    """The agent's data, exact; the ids of the run; a request that is a child's; the time it took."""
    made = run(reporter, context, "why")
    assert made.result_data == {**REPORTING, "asked": "why", "for": "ada"}
    assert (made.agent_name, made.status, made.user_id, made.run_id) == ("reporter", "completed", "ada", "r-1")
    assert made.request_id not in (None, context.request_id)
    assert made.metadata["processing_time"] >= 0
    assert "cache" not in made.metadata
    assert {finding.path for finding in made.report} == {f"$.{name}" for name in machinery()}


def test_the_agent_gets_a_child(context: ExecutionContext) -> None:
    """What an agent does to its context's data stays there; dependencies are the caller's own."""

    async def agent(child: ExecutionContext, input_data: Any) -> Any:
        child.data["locale"] = "changed"
        assert child.live["client"] is context.live["client"]
        return [child.operation, child.operation_depth, child.parent_request_id]

    assert run(agent, context, 1).result_data == {"output": ["agent", 1, context.request_id]}
    assert context.data == {"locale": "en"}


@pytest.mark.parametrize("kind", [Cache, AsyncCache])
def test_the_second_call_is_a_hit(context: ExecutionContext, kind: Any) -> None:
    """The same question of the same user is answered without a run, with the same data and report, as this run's."""
    cache = kind()
    first = run(reporter, context, "why", cache=cache)
    again = ExecutionContext("ada", "t-2", "r-2", data={"locale": "en"})
    second = run(reporter, again, "why", cache=cache)
    assert len(RUNS) == 1
    assert (first.metadata["cache"], second.metadata["cache"]) == ("stored", "hit")
    assert (first.cached, second.cached) == (False, True)
    assert second.result_data == first.result_data
    assert second.report == first.report
    assert (second.run_id, second.thread_id) == ("r-2", "t-2")
    assert second.metadata["cached_from"]["run_id"] == "r-1"
    assert second.raw is None
    assert cache.stats()["hits"] == 1


@pytest.mark.parametrize(
    ("other", "options"),
    [
        (("why not", {}), {}),
        (("why", {"user_id": "bob"}), {}),
        (("why", {"data": {"locale": "de"}}), {}),
        (("why", {}), {"agent_version": "2"}),
        (("why", {}), {"agent_name": "other"}),
        (("why", {"thread_id": "t-2"}), {"per_thread": True}),
    ],
    ids=["input", "user", "data", "version", "name", "thread"],
)
def test_another_question_is_no_hit(context: ExecutionContext, other: Any, options: Any) -> None:
    """Input, user, data, version, name, and thread where it counts, each make another question."""
    question, changes = other
    with Cache() as cache:
        base = {"user_id": "ada", "thread_id": "t-1", "data": {"locale": "en"}}
        for _ in range(2):
            run(reporter, ExecutionContext(**base), "why", cache=cache, per_thread=options.get("per_thread", False))
            run(reporter, ExecutionContext(**{**base, **changes}), question, cache=cache, **options)
        assert len(RUNS) == 2
        assert cache.stats()["hits"] == 2


def test_chosen_data_counts_alone() -> None:
    """With ``data_keys`` only the entries that are named make a question; the request's own id is none of them."""
    with Cache() as cache:
        for number in range(3):
            made = ExecutionContext("ada", data={"locale": "en", "trace": number})
            run(reporter, made, "why", cache=cache, data_keys=("locale", "absent"))
    assert len(RUNS) == 1


class Stored:
    """An agent that is its configuration."""

    def __init__(self, model: str) -> None:
        self.model = model

    async def execute(self, context: Any, input_data: Any) -> Any:
        RUNS.append(self.model)
        return {"model": self.model}


@dataclasses.dataclass
class Asked:
    """A question of a class of its own."""

    model: str


class Holding(Stored):
    """An agent that holds what is no data."""

    def __init__(self, model: str) -> None:
        super().__init__(model)
        self.lock = threading.Lock()


def test_agents_are_told_apart_by_what_they_store() -> None:
    """Two instances of one class with other settings are other agents; equal ones are the same."""
    with Cache() as cache:
        answers = [run(Stored(m), ExecutionContext("ada"), "q", cache=cache).result_data["model"] for m in "abab"]
    assert answers == ["a", "b", "a", "b"]
    assert RUNS == ["a", "b"]


def test_what_cannot_be_told_apart_is_not_cached(context: ExecutionContext) -> None:
    """Closures, lambdas, partials, agents that hold locks, and questions that hold lambdas run every time."""

    def made(answer: str) -> Any:
        async def agent(context: Any, input_data: Any) -> Any:
            return {"answer": answer}

        return agent

    with Cache() as cache:
        for agent in (
            *(made("a"), made("b")),
            *((lambda c, i: {"answer": "c"}), (lambda c, i: {"answer": "d"})),
            *(functools.partial(reporter), Holding("m"), Holding("n").execute),
        ):
            notes = {run(agent, context, "q", cache=cache).metadata["cache"] for _ in range(2)}
            assert notes == {"bypassed"}
        assert run(made("a"), context, "q", cache=cache).result_data["answer"] == "a"
        for question in (lambda: 1, {"f": lambda: 1}, [Holding("m")]):
            assert run(reporter, context, question, cache=cache).metadata["cache"] == "bypassed"
        assert cache.stats()["sets"] == 0
        assert cache.stats()["computing"]["bypass"] == 18
        for question in (print, len, Stored, Holding, Asked("a"), {"model": "a"}):
            notes = [run(reporter, context, question, cache=cache).metadata["cache"] for _ in range(2)]
            assert notes == ["stored", "hit"], "named functions and classes count, and so does the class of data"


def test_a_name_makes_any_agent_cacheable(context: ExecutionContext) -> None:
    """An agent that was given a name is known by it, whatever it holds."""
    with Cache() as cache:
        for _ in range(2):
            made = run(Holding("m"), context, "q", cache=cache, agent_name="holding")
    assert RUNS == ["m"]
    assert made.cached
    assert made.agent_name == "holding"


@pytest.mark.parametrize("caching", [False, True])
def test_a_failing_agent_is_a_failed_result(context: ExecutionContext, caching: bool) -> None:
    """What an agent raises is a failed result, which is never cached, and which the caller can have raised."""
    calls = []

    async def agent(context: Any, input_data: Any) -> Any:
        calls.append(1)
        raise RuntimeError("no model", KEY)

    with Cache() as cache:
        for _ in range(2):
            made = run(agent, context, "q", cache=cache if caching else None, agent_name="a")
            assert (made.status, made.error) == ("failed", {"type": "RuntimeError", "message": "no model"})
        assert len(calls) == 2
        assert cache.stats()["sets"] == 0
        with pytest.raises(RuntimeError, match="no model"):
            run(agent, context, "q", raise_on_error=True)


def test_a_reported_failure_is_not_cached(context: ExecutionContext) -> None:
    """A result that says it failed is kept nowhere."""

    async def agent(context: Any, input_data: Any) -> Any:
        RUNS.append(1)
        return {"status": "failed", "partial": 1}

    with Cache() as cache:
        made = [run(agent, context, "q", cache=cache, agent_name="a") for _ in range(2)]
    assert len(RUNS) == 2
    assert [each.metadata["cache"] for each in made] == ["not stored"] * 2


@pytest.mark.parametrize("blocks", [False, True])
def test_a_late_agent(context: ExecutionContext, blocks: bool) -> None:
    """An agent that takes too long is a result with the status ``timeout``, and in that time, awaiting or blocking."""
    over = threading.Event()

    async def awaiting(context: Any, input_data: Any) -> Any:
        await asyncio.sleep(30)

    def waiting(context: Any, input_data: Any) -> Any:
        over.wait(30)

    began = time.perf_counter()
    made = run(waiting if blocks else awaiting, context, 1, timeout=0.05)
    over.set()
    assert time.perf_counter() - began < 5
    assert (made.status, made.error) == (
        "timeout",
        {"type": "TimeoutError", "message": "the agent took longer than 0.05 s"},
    )
    with pytest.raises(TimeoutError):
        run(awaiting, context, 1, timeout=0.01, raise_on_error=True)


def test_a_timeout_of_the_agents_own_is_a_failure(context: ExecutionContext) -> None:
    """A ``TimeoutError`` that the agent raises itself is an error of its, and not ours."""

    async def agent(context: Any, input_data: Any) -> Any:
        raise TimeoutError("the model")

    assert run(agent, context, 1).status == "failed"


def test_cancellation_passes_through(context: ExecutionContext) -> None:
    """A cancelled run is cancelled, and no result."""

    async def agent(context: Any, input_data: Any) -> Any:
        await asyncio.sleep(30)

    async def cancelled() -> None:
        task = asyncio.create_task(execute_agent_pipeline(agent, context, 1, cache=AsyncCache(), agent_name="a"))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())


def test_agents_nest_ten_deep(context: ExecutionContext) -> None:
    """An agent that runs itself comes to an end: the innermost run fails, and every other has its result."""

    async def agent(child: ExecutionContext, depth: int) -> Any:
        inner = await execute_agent_pipeline(agent, child, depth + 1)
        return {"depth": depth, "inner": inner.status, "below": inner.result_data}

    made = run(agent, context, 1)
    deepest = made.result_data
    while deepest["inner"] == "completed":
        deepest = deepest["below"]
    assert (deepest["depth"], deepest["inner"]) == (10, "failed")
    at = context
    for _ in range(10):
        at = at.child("x")
    with pytest.raises(PolicyError, match="10"):
        run(agent, at, 1, raise_on_error=True)


def test_contexts_of_the_users_own() -> None:
    """A dict or an object that has a user id is made a context of; one that has none is refused."""
    assert run(reporter, {"user_id": "ada"}, "why").user_id == "ada"
    with pytest.raises(PolicyError, match="user"):
        run(reporter, {}, "why")


@pytest.mark.parametrize(
    "options",
    [
        *({"cache": 3}, {"cache": object()}, {"ttl": 0}, {"ttl": "x"}, {"timeout": -1}, {"timeout": float("nan")}),
        *({"agent_name": ""}, {"agent_version": 2}, {"data_keys": "locale"}),
    ],
    ids=named,
)
def test_options_are_checked(context: ExecutionContext, options: dict[str, Any]) -> None:
    """Options that make no sense are refused before the agent runs."""
    with pytest.raises(PolicyError):
        run(reporter, context, 1, **options)
    assert RUNS == []


class Broken:
    """A cache in which everything fails, in one of several ways."""

    def __init__(self, how: Any) -> None:
        self.how = how

    def for_user(self, user: str, *, agent: str | None = None) -> Any:
        if self.how == "face":
            raise OSError(KEY)
        return self

    def get(self, key: str) -> Any:
        if isinstance(self.how, Exception):
            raise self.how
        return self.how

    def set(self, key: str, value: Any, ttl: Any) -> Any:
        raise TypeError("cannot pickle 'module' object")


@pytest.mark.parametrize(
    "how",
    [
        *("face", ConnectionError(), redis.exceptions.AuthenticationError("no"), RuntimeError("x"), AttributeError()),
        *({"result": 1}, {"result": {}, "report": {}, "cached_at": 1}, [], 7, {"a": 1}),
    ],
    ids=repr,
)
def test_a_cache_that_fails_fails_no_run(context: ExecutionContext, how: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever a cache raises or gives back, the agent runs and its result is there; the log has types alone."""
    made = run(reporter, context, "why", cache=Broken(how))
    assert made.ok
    assert made.metadata["cache"] == "not stored"
    assert len(RUNS) == 1
    assert KEY not in caplog.text


def test_a_server_that_is_gone(context: ExecutionContext) -> None:
    """A Redis that died between two runs fails neither; the second is answered by the embedded store or the agent."""
    with servers.single() as server, Cache.from_url(server.url, namespace="gone") as cache:
        assert run(reporter, context, "why", cache=cache).metadata["cache"] == "stored"
        server.kill()
        began = time.perf_counter()
        made = run(reporter, context, "why", cache=cache)
        assert made.ok
        assert made.result_data["asked"] == "why"
        assert time.perf_counter() - began < 10


def test_an_entry_of_another_user_is_no_hit(context: ExecutionContext) -> None:
    """An entry that names another user is not given out, should one ever stand there."""

    class Mixed(Broken):
        def set(self, key: str, value: Any, ttl: Any) -> Any:
            self.how = {**value, "result": {**value["result"], "user_id": "bob"}}
            return True

    cache = Mixed(None)
    for _ in range(2):
        made = run(reporter, context, "why", cache=cache)
        assert (made.user_id, made.cached) == ("ada", False)
    assert len(RUNS) == 2


def test_the_result_survives_the_server(context: ExecutionContext, url: str) -> None:
    """Through a real server and another cache object the hit is the same, and no key is in the stored bytes."""
    with redis.Redis.from_url(url) as client:
        for key in client.scan_iter("agents-run:*"):
            client.delete(key)
        first = run(reporter, context, "why", cache=Cache(RedisBackend(client), namespace="agents-run"))
        stored = [client.get(key) for key in client.scan_iter("agents-run:*")]
        second = run(reporter, context, "why", cache=Cache(RedisBackend(client), namespace="agents-run"))
    assert len(RUNS) == len(stored) == 1
    assert KEY.encode() not in stored[0]
    assert second.result_data == first.result_data


def test_without_asyncio(context: ExecutionContext) -> None:
    """The synchronous twin gives the same, in a thread where a loop runs too, and keeps the caller's variables."""
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")
    variable.set("seen")

    def agent(context: Any, input_data: Any) -> Any:
        return {"variable": variable.get(), "thread": threading.current_thread() is threading.main_thread()}

    async def inside() -> AgentResult:
        return execute_agent_pipeline_sync(agent, context, 1)

    for made in (execute_agent_pipeline_sync(agent, context, 1), asyncio.run(inside())):
        assert made.result_data == {"variable": "seen", "thread": False}
    with Cache() as cache:
        notes = [execute_agent_pipeline_sync(blocking, context, 1, cache=cache).metadata["cache"] for _ in range(2)]
    assert notes == ["stored", "hit"]
    with pytest.raises(PolicyError, match="Cache"):
        execute_agent_pipeline_sync(blocking, context, 1, cache=AsyncCache())
    with pytest.raises(ZeroDivisionError):
        execute_agent_pipeline_sync(lambda data: 1 / data, context, 0, raise_on_error=True)


def test_stop_iteration_is_a_failure_like_any_other(context: ExecutionContext) -> None:
    """A blocking agent that lets ``StopIteration`` out has failed, and nothing hangs."""
    made = run(lambda data: next(iter(())), context, 1, timeout=5)
    assert (made.status, made.error["type"]) == ("failed", "RuntimeError")  # type: ignore[index]
