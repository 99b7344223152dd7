"""What the cache does with contaminated values, against the real server, and when the server is gone."""

import asyncio
import contextvars
import sys
import time
from collections.abc import Iterator
from typing import Any
from unittest.mock import MagicMock

import pytest

from siftpack.agents import AgentPipeline, ExecutionContext, execute_agent_pipeline
from siftpack.cache import MISSING, AsyncCache, Cache
from siftpack.testing import same, servers
from tests.faults.busy import patient
from tests.scene import IDS, REPORT_DATA, SAVINGS, USER_DATA, ExecutionEngine, agent_context, user_context


@pytest.fixture(scope="module")
def server() -> Iterator[servers.Server]:
    """A real server."""
    with servers.single() as running:
        yield running


@pytest.fixture
def cache(server: servers.Server) -> Iterator[Cache]:
    """An empty cache on it."""
    with Cache.from_url(server.url, namespace="fallback", client=patient(server.url)) as made:
        made.clear_namespace()
        yield made


def test_a_contaminated_value_is_stored(cache: Cache, server: servers.Server) -> None:
    """The value is stored, flagged as lossy, and the business text is in the bytes on the server."""
    user = cache.for_user("ada")
    assert user.set("k", agent_context())
    assert user.get("k") == {"user_data": USER_DATA}
    assert user.get_entry("k").lossy is True  # type: ignore[union-attr]
    with server.client() as client:
        (name,) = client.keys("fallback:*")  # type: ignore[misc]  # a synchronous client
        stored = client.get(name)
    assert b"Where do the costs come from?" in stored  # type: ignore[operator]
    assert b"MagicMock" not in stored  # type: ignore[operator]


def test_entries_are_of_one_user_and_one_run(cache: Cache) -> None:
    """The same key of another user is another entry, and so is that of another run."""
    for user in ("ada", "bob"):
        for run in ("r1", "r2"):
            assert cache.for_user(user).set(f"agent_result:{run}", {"of": user, "run": run, "engine": ExecutionEngine})
    for user in ("ada", "bob"):
        for run in ("r1", "r2"):
            assert cache.for_user(user).get(f"agent_result:{run}") == {"of": user, "run": run}
    assert cache.for_user("carol").get("agent_result:r1") is MISSING


@pytest.mark.parametrize(
    "value",
    [
        {"status": "completed", "numbers": [1, 2.5, None], "nested": {"deep": [{"x": True}]}},
        [("tuple", 1), {"set", "of"}, frozenset({1}), b"bytes", 2**70],
        'plain text, that looks like JSON: {"a": 1}',
    ],
    ids=["dict", "types", "text"],
)
def test_values_come_back_as_what_they_were(cache: Cache, value: Any) -> None:
    """A dict is a dict, a tuple a tuple, a text a text: nothing is turned into its representation."""
    user = cache.for_user("ada")
    assert user.set("k", value)
    assert same(user.get("k"), value)


def test_a_dict_that_holds_itself(cache: Cache) -> None:
    """A self-reference is left out with a module and a class, and what is beside them is there."""
    value: dict[str, Any] = {"data": [1, 2], "system": sys, "engine": ExecutionEngine}
    value["itself"] = value
    value["deep"] = {"up": value, "fine": "yes"}
    user = cache.for_user("ada")
    assert user.set("k", value)
    assert user.get("k") == {"data": [1, 2], "deep": {"fine": "yes"}}


def test_values_of_every_kind_in_bounded_time(cache: Cache) -> None:
    """What JSON takes, a set, and a dict with a local lambda are all stored, 300 of them within seconds."""
    values: list[Any] = [{"a": [1, "b", None]}, {1, 2, 3}, {"f": lambda: None, "kept": 1}]
    expected: list[Any] = [{"a": [1, "b", None]}, {1, 2, 3}, {"kept": 1}]
    user = cache.for_user("ada")
    began = time.perf_counter()
    for number in range(300):
        assert user.set(f"k{number}", values[number % 3])
        assert user.get(f"k{number}") == expected[number % 3]
    assert time.perf_counter() - began < 10


def test_a_pipeline_of_two_agents(cache: Cache) -> None:
    """What two agents found is stored for an hour beside an executor class and mocks, and comes back exact."""

    async def reporting(context: ExecutionContext, input_data: Any) -> Any:
        return {"report_data": REPORT_DATA, "executor": ExecutionEngine, "registry": MagicMock()}

    async def optimization(context: ExecutionContext, input_data: Any) -> Any:
        found = context.data["previous_results"]["reporting"]["report_data"]["recommendations"]
        return {**SAVINGS, "from": found, "engine": ExecutionEngine()}

    agents = [("reporting", reporting), ("optimization", optimization)]
    made = AgentPipeline(agents, cache=cache, ttl=3600).run_sync(user_context(), "why")
    assert made.ok
    value = {"pipeline": made.to_dict(), "executor_class": ExecutionEngine, "agents": [MagicMock(), MagicMock()]}
    user = cache.for_user("ada")
    assert user.set("pipeline", value, ttl=3600)
    back = user.get("pipeline")["pipeline"]
    assert back == made.to_dict()
    assert [each["result_data"] for each in back["agent_results"]] == [
        {"report_data": REPORT_DATA},
        {**SAVINGS, "from": REPORT_DATA["recommendations"]},
    ]
    assert 3590 < user.ttl("pipeline") <= 3600  # type: ignore[operator]
    again = AgentPipeline(agents, cache=cache, ttl=3600).run_sync(user_context(), "why")
    assert again.execution_metadata["cached_agents"] == 2


def test_three_users_get_their_own_ids_back(cache: Cache) -> None:
    """The contexts of three users, stored under one key, come back with the ids and the query of each."""
    users = ("ada", "bob", "carol")
    for name in users:
        assert cache.for_user(name).set("context", user_context(name))
    for name in users:
        back = cache.for_user(name).get("context")
        assert [back[field] for field in IDS] == [name, f"thread-{name}", f"run-{name}", f"request-{name}"]
        assert back["agent_context"] == {"query": f"costs of {name}"}


def test_a_context_with_context_variables(cache: Cache) -> None:
    """ContextVars, tokens and contexts in a user's state are no obstacle to a copy, a snapshot and an entry."""
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("current_user", default="nobody")
    state = {"current": variable, "token": variable.set("ada"), "all": contextvars.copy_context(), "query": "why"}
    context = ExecutionContext("ada", data=state)
    context.data["current"] = variable
    assert context.child("step").data == {"query": "why"}
    user = cache.for_user("ada")
    assert user.set("context", context)
    assert user.get("context") == context.snapshot()
    assert variable.get() == "ada"


@pytest.mark.parametrize("kind", [Cache, AsyncCache])
def test_a_pipeline_survives_the_cache(kind: Any) -> None:
    """With the server killed in the middle, refused, or never there, every run of every user has its result."""

    async def agent(context: ExecutionContext, input_data: Any) -> Any:
        return {"for": context.user_id, "asked": input_data, "engine": ExecutionEngine}

    async def runs(cache: Any, first: int) -> None:
        contexts = [ExecutionContext(f"user-{number}") for number in range(5)]
        made = await asyncio.gather(
            *(execute_agent_pipeline(agent, each, first, cache=cache, agent_name="agent") for each in contexts)
        )
        assert [each.result_data for each in made] == [{"for": f"user-{n}", "asked": first} for n in range(5)]
        assert all(each.ok for each in made)

    async def scene() -> None:
        with servers.single() as server:
            cache = kind.from_url(server.url, namespace="survives")
            await runs(cache, 1)
            server.kill()
            for number in (1, 2, 3):
                await runs(cache, number)
        await runs(kind.from_url("redis://127.0.0.1:9", namespace="survives"), 4)

    asyncio.run(scene())
