"""Whole results of agents, contaminated and clean, against the real server."""

import pickle
import sys
from collections.abc import Iterator
from typing import Any
from unittest.mock import MagicMock

import pytest

import siftpack
from siftpack.agents import ExecutionContext, extract
from siftpack.cache import Cache
from siftpack.testing import servers
from tests.faults.busy import patient
from tests.scene import (
    REPORT_DATA,
    SAVINGS,
    USER_DATA,
    EngineError,
    ExecutionEngine,
    agent_context,
    user_context,
)


@pytest.fixture(scope="module")
def cache() -> Iterator[Cache]:
    """A cache on a real server."""
    with (
        servers.single() as server,
        Cache.from_url(server.url, namespace="results", client=patient(server.url)) as made,
    ):
        yield made


def test_the_whole_pipeline_context(cache: Cache) -> None:
    """The context of a pipeline, with engine, factory, loop and callbacks, is stored; its data comes back exact."""
    context = {
        **agent_context(),
        "user_context": user_context(),
        "engine": ExecutionEngine(),
        "factory": lambda: ExecutionEngine().name,
        "pipeline": {"id": "p-1", "steps": ["report", "optimize"], "handlers": [print, ExecutionEngine().execute]},
    }
    user = cache.for_user("ada")
    assert user.set("context", context)
    back = user.get("context")
    assert back["user_data"] == USER_DATA
    assert back["pipeline"] == {"id": "p-1", "steps": ["report", "optimize"], "handlers": []}
    assert back["user_context"]["run_id"] == "run-ada"
    assert back.keys() == {"user_data", "pipeline", "user_context"}


def test_a_reporting_result(cache: Cache) -> None:
    """Status, numbers, recommendations and metadata are exact beside an agent, a context, a lambda and a class."""
    context = ExecutionContext.of(user_context())
    result = {
        "status": "completed",
        "report_data": REPORT_DATA,
        "metadata": {"version": "2.0", "processing_time": 1.25},
        "agent": MagicMock(name="reporting agent"),
        "context": context,
        "on_done": lambda value: value,
        "retry_on": EngineError,
    }
    user = cache.for_user("ada")
    assert user.set("report", result)
    stored = user.get("report")
    assert {name: stored[name] for name in ("status", "report_data", "metadata")} == {
        "status": "completed",
        "report_data": REPORT_DATA,
        "metadata": {"version": "2.0", "processing_time": 1.25},
    }
    made = extract(result, context, agent_name="reporting")
    assert made.ok
    assert made.result_data["report_data"] == REPORT_DATA
    assert (made.metadata["version"], made.metadata["processing_time"]) == ("2.0", 1.25)
    assert made.user_id == "ada"
    assert {finding.path for finding in made.report} >= {"$.agent", "$.on_done", "$.retry_on"}


def test_an_optimization_result_with_modules_in_a_list(cache: Cache) -> None:
    """Modules inside a list leave it and the list's data stays in order; savings and confidence are exact."""
    result = {**SAVINGS, "analyzers": ["first", sys, {"module": pickle, "weight": 2}, "last"]}
    user = cache.for_user("ada")
    assert user.set("savings", result)
    assert user.get("savings") == {**SAVINGS, "analyzers": ["first", {"weight": 2}, "last"]}
    made = extract(result)
    assert made.result_data == {**SAVINGS, "analyzers": ["first", {"weight": 2}, "last"]}
    assert [finding.path for finding in made.report] == ["$.analyzers[1]", "$.analyzers[2].module"]


def test_a_clean_result_is_equal_after_the_trip(cache: Cache) -> None:
    """A result of data alone comes back equal, type for type, and its entry says that nothing was lost."""
    result = {"status": "completed", "report_data": REPORT_DATA, "pairs": {(1, 2): {3}}, **SAVINGS}
    user = cache.for_user("ada")
    assert user.set("clean", result)
    assert user.get("clean") == result
    assert user.get_entry("clean").lossy is False  # type: ignore[union-attr]
    assert siftpack.sanitize(result) == result


def test_an_agent_result_entry(cache: Cache) -> None:
    """Under ``agent_result:{user}:{run}`` the value comes back with its time and ttl, which the server keeps too."""
    context = ExecutionContext.of(user_context())
    key = f"agent_result:{context.user_id}:{context.run_id}"
    made = extract({"report_data": REPORT_DATA, "agent": ExecutionEngine()}, context, agent_name="reporting")
    entry: dict[str, Any] = {"result": made.to_dict(), "cached_at": made.metadata["timestamp"], "ttl": 3600}
    user = cache.for_user(context.user_id)
    assert user.set(key, entry, ttl=3600)
    back = user.get(key)
    assert back == entry
    assert back["result"]["result_data"] == {"report_data": REPORT_DATA}
    assert 3590 < user.ttl(key) <= 3600  # type: ignore[operator]
    assert user.get_entry(key).age < 60  # type: ignore[union-attr, operator]
