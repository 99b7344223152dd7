"""OpenAI Agents, with a model of our own that answers offline."""

from typing import Any

import pytest
from agents.models.openai_chatcompletions import OpenAIChatCompletionsModel
from openai import AsyncOpenAI
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

from agents import (
    Agent,
    HostedMCPTool,
    Model,
    ModelResponse,
    RunHooks,
    Runner,
    Usage,
    function_tool,
    set_tracing_disabled,
)
from siftpack.agents import ExecutionContext, extract
from siftpack.policy import Kind
from tests.frameworks.suite import KEY, FrameworkSuite, Scene

set_tracing_disabled(True)

ITEMS = ("new_items", "_model_input_items")
"""Where a result keeps the call, what the tool said, and the answer, each with its agent."""


class Offline(Model):
    """Asks for the tool once, then answers."""

    def __init__(self) -> None:
        self.api_key = KEY
        self.calls = 0

    async def get_response(self, *args: Any, **options: Any) -> ModelResponse:
        self.calls += 1
        usage = Usage(requests=1, input_tokens=10, output_tokens=4, total_tokens=14)
        if self.calls == 1:
            call = ResponseFunctionToolCall(
                name="track", arguments='{"order": "A-17"}', call_id="call-1", type="function_call", id="fc-1"
            )
            return ModelResponse(output=[call], usage=usage, response_id="resp-1")
        text = ResponseOutputText(text="It ships tomorrow.", type="output_text", annotations=[])
        message = ResponseOutputMessage(
            id="msg-1", content=[text], role="assistant", status="completed", type="message"
        )
        return ModelResponse(output=[message], usage=usage, response_id="resp-2")

    def stream_response(self, *args: Any, **options: Any) -> Any:
        raise NotImplementedError


@function_tool
def track(order: str) -> str:
    """Say where an order is."""
    return f"{order} is in Lyon"


def agent(model: Any = None) -> Agent[Any]:
    """An agent with a tool."""
    return Agent(name="tracker", instructions="Answer.", model=model or Offline(), tools=[track])


class TestOpenAIAgents(FrameworkSuite):
    """OpenAI Agents."""

    @pytest.fixture(scope="class")
    @classmethod
    def scene(cls) -> Scene:
        """A run with a tool call; the run's own context holds a client."""
        import asyncio

        client = AsyncOpenAI(api_key=KEY)
        model = Offline()
        made = agent(model)
        hosted = HostedMCPTool(
            tool_config={"type": "mcp", "server_label": "orders", "server_url": "https://x", "authorization": KEY}
        )
        own = {"client": client, "user": "ada", "api": OpenAIChatCompletionsModel("gpt-4o", client)}
        result = asyncio.run(Runner.run(made, "Where is my order?", context=own))
        return Scene(
            result=result,
            context={
                "agent": made,
                "model": model,
                "provider_model": own["api"],
                "client": client,
                "tool": track,
                "hosted_tool": hosted,
                "hooks": RunHooks(),
            },
            output="It ships tomorrow.",
            usage={"requests": 2, "input_tokens": 20, "output_tokens": 8, "total_tokens": 28},
            ids={"last_response_id": "resp-2", "response_ids": ["resp-1", "resp-2"]},
            agent=agent,
            words=("It ships tomorrow.", "A-17 is in Lyon", "call-1", "msg-1"),
            beneath={
                **{f".{items}[{n}].agent": Kind.AGENT for items in ITEMS for n in range(3)},
                **{f".{items}[{n}]._agent_ref": Kind.WEAKREF for items in ITEMS for n in range(3)},
                "._starting_agent_for_state": Kind.AGENT,
                "._last_agent": Kind.AGENT,
                "._last_agent_ref": Kind.WEAKREF,
                ".context_wrapper._agent_tool_state_scope_id": Kind.PRIVATE,
                ".context_wrapper.context.client": Kind.CONNECTION,
                ".context_wrapper.context.api": Kind.CONNECTION,
            },
            agent_name="tracker",
        )

    def test_the_agent_of_each_item_is_named(self, scene: Scene) -> None:
        """The report of an extraction names the agents and weak references within the items by path."""
        found = {finding.path: finding.kind for finding in extract(scene.result).report}
        assert found["$.new_items[0].agent"] is Kind.AGENT
        assert found["$.context_wrapper.context.client"] is Kind.CONNECTION

    def test_a_released_agent_is_still_named(self) -> None:
        """A result that let go of its agent keeps only a weak reference; the name is read through it."""
        import asyncio

        kept = agent()
        result = asyncio.run(Runner.run(kept, "q", context=ExecutionContext("ada")))
        result.release_agents()
        assert extract(result).agent_name == "tracker"
        assert extract(result).result_data == {"output": "It ships tomorrow."}
