"""Whatever a result or a context is made of: nothing of it runs, nothing of it raises, and what comes out is data."""

import asyncio
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import siftpack
from siftpack import PolicyError
from siftpack.agents import AgentResult, ExecutionContext, execute_agent_pipeline, extract
from siftpack.agents.result import Status
from siftpack.cache import Cache
from siftpack.testing import same
from siftpack.testing.strategies import graphs
from tests.conftest import EXAMPLES
from tests.hostile.recorder import CALLS, CLASSES, HostileMeta, hostile

FEW = settings(max_examples=min(EXAMPLES, 60))


@pytest.mark.parametrize("cls", CLASSES, ids=["hostile", "sealed", "metaclass"])
def test_a_hostile_result_is_never_asked(cls: Any) -> None:
    """A result whose every door is watched is read, alone and in a dict, without one of them being opened."""
    lost = hostile(cls)
    CALLS.clear()
    extract({"report": "r", "lost": lost})
    extract(lost)
    ExecutionContext("ada", data={"lost": lost}).child("step").snapshot()
    assert CALLS == []


def test_a_hostile_result_gives_its_fields() -> None:
    """The stored fields of a watched object are its result, underscore fields too; secrets are masked."""
    lost = hostile(HostileMeta, report="r", _text="t", _api_key="sk-in-storage", status="failed")
    CALLS.clear()
    made = extract(lost)
    assert CALLS == []
    assert (made.result_data["report"], made.result_data["_text"], made.status) == ("r", "t", "failed")
    assert "sk-in-storage" not in str(made.to_dict())


@pytest.mark.parametrize("cls", CLASSES[:1] + CLASSES[2:], ids=["hostile", "metaclass"])
def test_a_hostile_context_is_never_asked(cls: Any) -> None:
    """A watched context gives its ids and data from storage."""
    own = hostile(cls, user_id="ada", query="why")
    CALLS.clear()
    made = ExecutionContext.of(own)
    assert CALLS == []
    assert (made.user_id, made.data) == ("ada", {"query": "why"})


def test_what_an_agent_returns_is_not_asked_either() -> None:
    """A run whose agent returns a watched object opens none of its doors, behind a cache too."""

    async def agent(context: Any, question: Any) -> Any:
        return lost

    lost = hostile(HostileMeta, report="r")
    with Cache() as cache:
        CALLS.clear()
        made = asyncio.run(execute_agent_pipeline(agent, ExecutionContext("ada"), 1, cache=cache, agent_name="a"))
        assert CALLS == []
    assert made.result_data == {"report": "r"}
    assert made.metadata["cache"] == "stored"


@FEW
@given(graphs())
def test_any_result_whatever_gives_clean_data(result: Any) -> None:
    """Anything an agent could return becomes a result: data alone, a known status, one that goes through a cache."""
    made = extract(result, ExecutionContext("ada"))
    assert type(made) is AgentResult
    assert made.user_id == "ada"
    assert made.status in set(Status)
    assert not (made.ok and made.error)
    clean = made.to_dict()
    assert siftpack.inspect(clean).clean
    assert same(siftpack.unpackb(siftpack.packb(clean)), clean)
    assert same(AgentResult.from_dict(clean).to_dict(), clean)
    assert same(extract(clean).to_dict(), clean)
    assert same(pickle.loads(pickle.dumps(made)).to_dict(), clean)


@FEW
@given(st.dictionaries(st.text(max_size=8), graphs(), max_size=2))
def test_any_data_whatever_makes_a_context(data: dict[str, Any]) -> None:
    """Any data makes a context that is copied, pickled, snapshot and read as a context again, always the same."""
    made = ExecutionContext("ada", data=data)
    child = made.child("step")
    assert same(child.data, made.data)
    assert same(pickle.loads(pickle.dumps(child)).data, made.data)
    assert siftpack.inspect(made.snapshot()).clean
    assert same(made.data, siftpack.sanitize({"data": data})["data"])


@FEW
@given(graphs())
def test_any_source_whatever(source: Any) -> None:
    """Anything is a context if it has a user id, and refused in words if it has none."""
    try:
        made = ExecutionContext.of(source)
    except PolicyError:
        return
    assert made.user_id
