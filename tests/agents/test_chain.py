"""``AgentPipeline``: several agents in order, many users at once, and nothing of one reaches another."""

import asyncio
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from siftpack import PolicyError, sanitize
from siftpack.agents import AgentPipeline, ExecutionContext, PipelineEvent, PipelineResult, keeping
from siftpack.agents.chain import PREVIOUS
from siftpack.cache import AsyncCache, Cache
from tests.agents.results import OPTIMIZATION, REPORTING, machinery
from tests.faults.busy import patient


async def reporting(context: ExecutionContext, input_data: Any) -> dict[str, Any]:
    return {**REPORTING, "for": context.user_id, **machinery()}


async def optimization(context: ExecutionContext, input_data: Any) -> dict[str, Any]:
    return {**OPTIMIZATION, "based_on": context.data[PREVIOUS]["reporting"]["report"]}


async def broken(context: ExecutionContext, input_data: Any) -> dict[str, Any]:
    raise RuntimeError("no model")


async def last(context: ExecutionContext, input_data: Any) -> dict[str, Any]:
    return {"seen": sorted(context.data[PREVIOUS])}


def context(user: str = "ada") -> ExecutionContext:
    return ExecutionContext(user, data={"question": "why"})


def run(agents: Any, **options: Any) -> PipelineResult:
    return asyncio.run(AgentPipeline(agents, **options).run(context(), "q"))


def test_each_agent_sees_the_results_before_its_own() -> None:
    """Two agents run in order; the second works with what the first found, and both results are exact."""
    made = run([reporting, optimization])
    assert [each.agent_name for each in made.agent_results] == ["reporting", "optimization"]
    assert made.agent_results[0].result_data == {**REPORTING, "for": "ada"}
    assert made.agent_results[1].result_data == {**OPTIMIZATION, "based_on": REPORTING["report"]}
    assert made.ok
    assert made.execution_metadata["total_agents"] == made.execution_metadata["completed_agents"] == 2
    assert made.execution_metadata["duration"] >= 0
    assert "start_time" in made.execution_metadata
    assert sanitize(made.to_dict()) == made.to_dict()


def test_partial_results_are_kept() -> None:
    """The results before a failure are there, the failure is one of them, and what depends on it does not run."""
    made = run([reporting, broken, last])
    assert [each.status for each in made.agent_results] == ["completed", "failed"]
    assert made.agent_results[0].result_data["report"] == REPORTING["report"]
    assert (made.status, made.ok) == ("partial", False)
    assert run([broken, last]).status == "failed"


def test_a_pipeline_may_go_on() -> None:
    """With ``keep_going`` the agents after a failure run and see that result too."""
    made = run([reporting, broken, last], keep_going=True)
    assert [each.status for each in made.agent_results] == ["completed", "failed", "completed"]
    assert made.agent_results[2].result_data == {"seen": ["broken", "reporting"]}


def test_a_pipeline_within_a_pipeline() -> None:
    """A pipeline's result that an agent returns keeps its ending: one that failed in part is no success."""

    async def nested(child: ExecutionContext, input_data: Any) -> Any:
        return await AgentPipeline([reporting, broken]).run(child, input_data)

    made = run([nested]).agent_results[0]
    assert (made.status, made.ok) == ("partial", False)
    assert [each["status"] for each in made.result_data["agent_results"]] == ["completed", "failed"]


def test_agents_have_names_of_their_own() -> None:
    """Pairs name their agents, and a name that comes twice is counted."""
    made = run([("first", reporting), ("first", reporting), last])
    assert [each.agent_name for each in made.agent_results] == ["first", "first#2", "last"]
    assert made.agent_results[2].result_data == {"seen": ["first", "first#2"]}


@pytest.mark.parametrize(
    "options", [{"per_user": 0}, {"ttl": 0}, {"data_keys": "locale"}, {"cache": 3}, {"timeout": "x"}], ids=repr
)
def test_options_are_checked(options: dict[str, Any]) -> None:
    """Options that make no sense are refused when the pipeline is made, and so is one without agents."""
    with pytest.raises(PolicyError):
        AgentPipeline([reporting], **options)
    with pytest.raises(PolicyError):
        AgentPipeline([])


def test_the_second_run_is_all_hits() -> None:
    """Every agent of the pipeline is answered by the cache the second time."""
    with Cache() as cache:
        pipeline = AgentPipeline([reporting, optimization], cache=cache)
        first, second = pipeline.run_sync(context(), "q"), pipeline.run_sync(context(), "q")
    assert (first.execution_metadata["cached_agents"], second.execution_metadata["cached_agents"]) == (0, 2)
    assert [each.result_data for each in first.agent_results] == [each.result_data for each in second.agent_results]
    assert first.pipeline_id != second.pipeline_id
    with pytest.raises(PolicyError, match="Cache"):
        AgentPipeline([reporting], cache=AsyncCache()).run_sync(context(), "q")


def test_versions_and_names_keep_agents_apart_in_the_cache() -> None:
    """Two agents of one name, or one agent in two versions, never answer for each other."""

    async def one(child: ExecutionContext, input_data: Any) -> int:
        return 1

    async def two(child: ExecutionContext, input_data: Any) -> int:
        return 2

    with Cache() as cache:
        for agents, answers in (
            ([("a", one), ("a", two)], [1, 2]),
            ([("a", one, "1")], [1]),
            ([("a", two, "2")], [2]),
            ([("a", one, "1")], [1]),
        ):
            made = AgentPipeline(agents, cache=cache).run_sync(context(), "q")
            assert [each.result_data["output"] for each in made.agent_results] == answers
        assert cache.stats()["hits"] == 1
        assert made.agent_results[0].metadata["version"] == "1"


def test_progress_is_told() -> None:
    """Each step is an event with user, run, agent, place and ending, for listeners of both kinds."""
    heard: list[PipelineEvent] = []

    async def listen(event: PipelineEvent) -> None:
        heard.append(event)

    for listener in (heard.append, listen):
        heard.clear()
        run([reporting, broken, last], on_event=listener)
        assert [(each.kind, each.agent_name, each.position, each.status) for each in heard] == [
            ("started", None, None, None),
            ("agent_started", "reporting", 0, None),
            ("agent_finished", "reporting", 0, "completed"),
            ("agent_started", "broken", 1, None),
            ("agent_finished", "broken", 1, "failed"),
            ("finished", None, None, "partial"),
        ]
        assert {each.user_id for each in heard} == {"ada"}
        assert len({(each.run_id, each.pipeline_id) for each in heard}) == 1


def test_a_listener_fails_no_run() -> None:
    """What a listener raises is logged, and the run goes on."""

    def listen(event: PipelineEvent) -> None:
        raise ValueError

    assert run([reporting], on_event=listen).ok


def test_the_runs_of_one_user_are_bounded() -> None:
    """At most ``per_user`` runs of one user are in flight, while others are not held up, and nobody is remembered."""
    running: dict[str, int] = {"ada": 0, "bob": 0}
    most: dict[str, int] = {"ada": 0, "bob": 0}

    async def agent(child: ExecutionContext, input_data: Any) -> int:
        running[child.user_id] += 1
        most[child.user_id] = max(most[child.user_id], running[child.user_id])
        await asyncio.sleep(0.005)
        running[child.user_id] -= 1
        return input_data

    async def all_runs() -> None:
        pipeline = AgentPipeline([agent], per_user=2)
        runs = [pipeline.run(context(user), number) for number in range(8) for user in ("ada", "bob")]
        assert all(each.ok for each in await asyncio.gather(*runs))
        assert len(pipeline._gates) == 0

    asyncio.run(all_runs())
    assert most == {"ada": 2, "bob": 2}


def test_the_runs_of_one_user_are_bounded_over_threads() -> None:
    """Runs without asyncio, each in an event loop of its own, share their user's places, and all come to their end."""
    running, most = 0, 0
    lock = threading.Lock()

    def agent(child: ExecutionContext, input_data: Any) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1
        return input_data

    pipeline = AgentPipeline([agent], per_user=2)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: pipeline.run_sync(context(), number), range(24)))
    assert [each.agent_results[0].result_data["output"] for each in made] == list(range(24))
    assert most == 2
    assert len(pipeline._gates) == 0


def test_who_is_cancelled_in_line_takes_no_place() -> None:
    """Runs that are cancelled while they wait, or just when it is their turn, leave the place to the next one."""

    async def agent(child: ExecutionContext, input_data: Any) -> int:
        await asyncio.sleep(0.001)
        return input_data

    async def all_runs() -> None:
        pipeline, draw = AgentPipeline([agent], per_user=1), random.Random(0)
        for _ in range(20):
            runs = [asyncio.create_task(pipeline.run(context(), number)) for number in range(10)]
            for task in draw.sample(runs, 6):
                await asyncio.sleep(draw.random() * 0.002)
                task.cancel()
            ended = await asyncio.gather(*runs, return_exceptions=True)
            assert sum(isinstance(each, PipelineResult) for each in ended) >= 4
            assert all(isinstance(each, PipelineResult | asyncio.CancelledError) for each in ended)
            assert len(pipeline._gates) == 0

    asyncio.run(asyncio.wait_for(all_runs(), 60))


def test_a_cache_that_hangs_holds_a_run_up_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that does not answer costs a run its patience twice, and no more."""
    monkeypatch.setattr(keeping, "PATIENCE", 0.1)
    ended = threading.Event()

    class Hanging(Cache):
        def for_user(self, *args: Any, **options: Any) -> Any:
            face: Any = super().for_user(*args, **options)
            face.get = face.set = lambda *_: ended.wait(10)
            return face

    began = time.perf_counter()
    pipeline = AgentPipeline([("answer", lambda context, question: {"answer": question})], cache=Hanging())
    made = pipeline.run_sync(context(), 1)
    took = time.perf_counter() - began
    ended.set()
    assert made.agent_results[0].result_data == {"answer": 1}
    assert 0.2 <= took < 2


@pytest.mark.alone
def test_two_hundred_users_at_once(url: str) -> None:
    """200 users with 50 runs each, on a real server: nothing mixes, and every second run is a hit."""
    runs, beside = 0, machinery()

    async def agent(child: ExecutionContext, question: Any) -> dict[str, Any]:
        nonlocal runs
        runs += 1
        own = child.data["private"]
        await asyncio.sleep(0)
        return {"for": child.user_id, "private": own, "question": question, **beside}

    async def user(number: int, cache: AsyncCache) -> int:
        name, hits = f"user-{number}", 0
        pipeline = AgentPipeline([("answer", agent)], cache=cache)
        for turn in range(50):
            own = ExecutionContext(name, run_id=f"{name}-{turn}", data={"private": [number]})
            made = (await pipeline.run(own, turn // 2)).agent_results[0]
            assert made.result_data == {"for": name, "private": [number], "question": turn // 2}
            assert (made.user_id, made.run_id) == (name, f"{name}-{turn}")
            assert made.cached is (turn % 2 == 1)
            hits += made.cached
        return hits

    async def all_users() -> tuple[list[int], dict[str, Any]]:
        async with AsyncCache.from_url(url, namespace="two-hundred", client=patient(url)) as cache:
            await cache.clear_namespace()
            found = await asyncio.gather(*(user(number, cache) for number in range(200)))
            counts = cache.stats()
            await cache.clear_namespace()
        return found, counts

    began = time.perf_counter()
    found, counts = asyncio.run(all_users())
    assert found == [25] * 200
    assert runs == 5000
    assert (counts["hits"], counts["sets"]) == (5000, 5000)
    assert time.perf_counter() - began < 120
