"""Pydantic AI, with its test model."""

import asyncio
from typing import Any

import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent, RunContext, Tool
from pydantic_ai.models.test import TestModel

from siftpack.agents import ExecutionContext, execute_agent_pipeline, extract
from siftpack.policy import Kind
from tests.frameworks.suite import KEY, FrameworkSuite, Scene


class Advice(BaseModel):
    """What an optimization agent answers."""

    optimizations: list[str]
    estimated_savings: float
    confidence_score: float


ADVICE = {"optimizations": ["cache answers"], "estimated_savings": 120.5, "confidence_score": 0.9}


QUEUE = ("_capability_loads", "_closed", "_lock", "_spliced_request", "_last_delivered_for_call")
"""What the queue of messages that are still to come has beside them."""


def costs(service: str) -> str:
    """What a service costs."""
    return f"{service}: 42"


def agent(model: Any = None) -> Agent[Any, Advice]:
    """An agent with a tool and a structured output."""
    known = model or TestModel(custom_output_args=ADVICE)
    return Agent(known, output_type=Advice, deps_type=ExecutionContext, tools=[Tool(costs)], name="optimizer")


class TestPydanticAI(FrameworkSuite):
    """Pydantic AI."""

    @pytest.fixture(scope="class")
    @classmethod
    def scene(cls) -> Scene:
        """A run with a tool call and a structured output."""
        model = TestModel(custom_output_args=ADVICE)
        made = agent(model)
        client = AsyncOpenAI(api_key=KEY)
        context = ExecutionContext("ada", live={"client": client})
        result = made.run_sync("Where do the costs come from?", deps=context)
        usage = result.usage
        return Scene(
            result=result,
            context={"agent": made, "model": model, "client": client, "tool": Tool(costs), "function": costs},
            output=ADVICE,
            usage={
                "requests": usage.requests,
                "input_tokens": usage.input_tokens,
                "output_tokens": usage.output_tokens,
                "tool_calls": 1,
            },
            ids={"framework_run_id": result.run_id, "conversation_id": result.conversation_id, "model": "test"},
            agent=agent,
            question="Where do the costs come from?",
            words=("cache answers", "Where do the costs come from?", ": 42"),
            beneath={
                "._workspace": Kind.PRIVATE,
                "._state.event_stream_buffer.waiters": Kind.ATTRIBUTE,
                **{f"._state.message_history[{n}].parts[0].otel_metadata": Kind.ATTRIBUTE for n in (1, 3)},
                **{f"._state.pending_messages.{name}": Kind.PRIVATE for name in QUEUE},
            },
        )

    def test_text_and_failures(self, scene: Scene) -> None:
        """A text is the output as it is; the run's usage counts requests."""
        made = extract(Agent(TestModel(custom_output_text="hello")).run_sync("q"))
        assert made.result_data == {"output": "hello"}
        assert made.metadata["usage"]["requests"] == 1

    def test_dependencies_of_the_agents_own(self) -> None:
        """An agent gets what is under ``deps`` in the context's dependencies, and without that the context."""
        seen: list[Any] = []
        made: Agent[Any, str] = Agent(TestModel(), deps_type=object)

        @made.tool
        def look(run: RunContext[Any]) -> str:
            """Look at the dependencies."""
            seen.append(run.deps)
            return "seen"

        own = object()
        for live in ({"deps": own}, {}):
            context = ExecutionContext("ada", live=live)
            assert asyncio.run(execute_agent_pipeline(made, context, "q")).ok
        assert seen[0] is own
        assert seen[1].user_id == "ada"
