"""Contexts and states that could not be pickled: each fails as it is, and passes once it is sifted."""

import json
import pickle
import sys
from collections.abc import Iterator
from typing import Any
from unittest.mock import MagicMock

import pytest

import siftpack
from siftpack import JSON
from siftpack.agents import ExecutionContext
from siftpack.cache import MISSING, Cache
from siftpack.testing import servers
from tests.faults.busy import patient
from tests.scene import (
    IDS,
    MACHINERY_OF_THE_CONTEXT,
    USER_DATA,
    AgentState,
    ExecutionEngine,
    agent_context,
    user_context,
)


@pytest.fixture(scope="module")
def server() -> Iterator[servers.Server]:
    """A real server."""
    with servers.single() as running:
        yield running


def test_a_context_with_mock_class_and_modules() -> None:
    """Pickle refuses the context; sifted it passes pickle, JSON and MessagePack, its data exact, each loss named."""
    context = agent_context()
    with pytest.raises(Exception, match=r"pickle"):
        pickle.dumps(context)
    clean, report = siftpack.sanitize(context), siftpack.inspect(context)
    assert clean == {"user_data": USER_DATA}
    assert pickle.loads(pickle.dumps(clean)) == clean
    assert json.loads(json.dumps(siftpack.sanitize(context, policy=JSON))) == clean
    assert siftpack.unpackb(siftpack.packb(context)) == clean
    assert {finding.path for finding in report} == MACHINERY_OF_THE_CONTEXT


def test_a_dataclass_whose_metadata_holds_machinery() -> None:
    """A class, a module, a lambda and a builtin in a dataclass's metadata are left out; its fields stay."""
    state = AgentState(
        "optimize",
        3,
        {"engine": ExecutionEngine, "module": sys, "score": lambda value: value, "show": print, "tries": 2},
    )
    with pytest.raises(Exception, match=r"pickle"):
        pickle.dumps(state)
    expected = {"user_request": "optimize", "step_count": 3, "metadata": {"tries": 2}}
    assert siftpack.unpackb(siftpack.packb(state)) == siftpack.sanitize(state) == expected
    back = siftpack.unpackb(siftpack.packb(state, types=(AgentState,)), types=(AgentState,))
    assert back == AgentState("optimize", 3, {"tries": 2})
    assert {finding.path for finding in siftpack.inspect(state)} == {
        f"$.metadata.{name}" for name in ("engine", "module", "score", "show")
    }


def test_a_clean_context_comes_back_equal() -> None:
    """A context of data alone is not changed by anything, type for type, and the report is clean."""
    context = {"user_data": USER_DATA, "steps": [1, (2, 3), {"deep": {"deeper": [None, True, 0.5]}}], 7: b"raw"}
    assert siftpack.unpackb(siftpack.packb(context)) == siftpack.sanitize(context) == context
    assert siftpack.inspect(context).clean
    assert ExecutionContext("ada", data=context).snapshot()["data"] == context


def test_a_user_context_with_a_weak_reference() -> None:
    """A context with a weak reference, a class and a module keeps ids and query through copy, pickle and bytes."""
    own = user_context()
    with pytest.raises(TypeError, match=r"cannot pickle"):
        pickle.dumps(own)
    context = ExecutionContext.of(own)
    child = context.child("report")
    assert [getattr(child, name) for name in IDS[:3]] == ["ada", "thread-ada", "run-ada"]
    assert child.parent_request_id == "request-ada"
    assert child.data["agent_context"] == {"query": "costs of ada"}
    assert pickle.loads(pickle.dumps(child)).snapshot() == child.snapshot()
    assert siftpack.unpackb(siftpack.packb(child)) == child.snapshot()
    assert {finding.path for finding in child.report} == {
        "$.data.session",
        "$.data.agent_context.engine_class",
        "$.data.agent_context.runtime",
    }


@pytest.mark.parametrize(
    ("value", "stored"),
    [(ExecutionEngine, False), (sys, False), (user_context(), True)],
    ids=["class", "module", "user context"],
)
def test_setting_anything_raises_nothing(value: Any, stored: bool, server: servers.Server) -> None:
    """A class and a module are no values and leave nothing behind; a user context is stored without its machinery."""
    with (
        Cache.from_url(server.url, namespace="unit", client=patient(server.url)) as cache,
        server.client() as client,
    ):
        user = cache.for_user("ada")
        assert user.set("k", "old")
        assert client.exists("unit:ada:k")
        assert user.set("k", value) is stored
        assert client.exists("unit:ada:k") == stored
        back = user.get("k")
    if stored:
        assert {name: back[name] for name in IDS} == {name: getattr(value, name) for name in IDS}
        assert back["agent_context"] == {"query": "costs of ada"}
    else:
        assert back is MISSING


def test_a_state_of_context_engine_module_and_registry() -> None:
    """A state that holds all of it comes down to the four ids and the input data."""
    state = {
        "user_context": user_context(),
        "engine": ExecutionEngine,
        "module": sys,
        "registry": MagicMock(name="registry"),
        "input_data": {"query": "why", "budget": 10.5},
    }
    clean = siftpack.sanitize(state)
    assert clean.keys() == {"user_context", "input_data"}
    assert clean["input_data"] == {"query": "why", "budget": 10.5}
    assert [clean["user_context"][name] for name in IDS] == ["ada", "thread-ada", "run-ada", "request-ada"]
    assert pickle.loads(pickle.dumps(clean)) == clean
