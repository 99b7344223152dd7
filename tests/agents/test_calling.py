"""How agents of every shape are called: by framework, signature, and whether they block."""

import asyncio
import functools
from typing import Any
from unittest.mock import AsyncMock

import pytest

from siftpack.agents import AgentResult, ExecutionContext, execute_agent_pipeline
from tests.named import named


@pytest.fixture
def context() -> ExecutionContext:
    return ExecutionContext("ada", "t-1", "r-1")


def run(*args: Any, **options: Any) -> AgentResult:
    return asyncio.run(execute_agent_pipeline(*args, **options))


class Methods:
    """Makes agents with one method each."""

    class Execute:
        async def execute(self, context: Any, input_data: Any) -> Any:
            return (context.user_id, input_data)

    class Run:
        def run(self, task: Any, images: Any = None) -> Any:
            return ("ada", task)

    class Turned:
        def invoke(self, input_data: Any, context: Any = None) -> Any:
            return (context.user_id, input_data)

    class Keyword:
        async def arun(self, query: Any, *, context: Any) -> Any:
            return (context.user_id, query)

    class Called:
        async def __call__(self, context: Any, input_data: Any) -> Any:
            return (context.user_id, input_data)

    class Slow:
        def kickoff(self, context: Any, input_data: Any) -> Any:
            return _later(context, input_data)


async def _later(context: Any, input_data: Any) -> Any:
    return (context.user_id, input_data)


@pytest.mark.parametrize(
    "agent",
    [
        *(Methods.Execute(), Methods.Run(), Methods.Turned(), Methods.Keyword(), Methods.Called(), Methods.Slow()),
        *(
            lambda context, input_data: ("ada", input_data),
            lambda data: ("ada", data),
            _later,
            Methods.Execute().execute,
        ),
        *(
            functools.partial(_later),
            lambda input_data, ctx: (ctx.user_id, input_data),
            AsyncMock(return_value=("ada", 3)),
        ),
    ],
    ids=lambda agent: getattr(agent, "__name__", type(agent).__name__),
)
def test_agents_of_any_shape(context: ExecutionContext, agent: Any) -> None:
    """Functions, coroutine functions, methods and callables get context and input where their signature has them."""
    assert run(agent, context, 3).result_data == {"output": ("ada", 3)}


@pytest.mark.parametrize("agent", [3, "agent", None, Methods.Execute, object()], ids=named)
def test_what_is_no_agent(context: ExecutionContext, agent: Any) -> None:
    """A class, a number or an object without a method of execution is a failed result that says so."""
    made = run(agent, context, 3)
    assert made.status == "failed"
    assert "agent" in made.error["message"]  # type: ignore[index]
