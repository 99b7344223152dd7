"""smolagents, with a model of our own that answers offline."""

from typing import Any

import pytest
from huggingface_hub import AsyncInferenceClient
from smolagents import CodeAgent, InferenceClientModel, Tool, ToolCallingAgent
from smolagents.models import ChatMessage, ChatMessageToolCall, ChatMessageToolCallFunction, MessageRole, Model
from smolagents.monitoring import LogLevel, TokenUsage

from siftpack.agents import extract
from siftpack.policy import Kind
from tests.frameworks.suite import KEY, FrameworkSuite, Scene


class Offline(Model):
    """Calls the tool, then gives the final answer."""

    def __init__(self) -> None:
        super().__init__(model_id="offline")
        self.api_key = KEY
        self.calls = 0

    def generate(self, messages: Any, **options: Any) -> ChatMessage:
        self.calls += 1
        name, arguments = (
            ("track", {"order": "A-17"}) if self.calls == 1 else ("final_answer", {"answer": "It ships tomorrow."})
        )
        function = ChatMessageToolCallFunction(name=name, arguments=arguments)
        call = ChatMessageToolCall(id=f"call-{self.calls}", type="function", function=function)
        usage = TokenUsage(input_tokens=12, output_tokens=5)
        return ChatMessage(role=MessageRole.ASSISTANT, content="", tool_calls=[call], token_usage=usage)


class Endless(Offline):
    """Never gives a final answer."""

    def generate(self, messages: Any, **options: Any) -> ChatMessage:
        self.calls = 0
        return super().generate(messages, **options)


class Track(Tool):
    """A tool with a key."""

    name = "track"
    description = "Say where an order is."
    inputs = {"order": {"type": "string", "description": "The order."}}  # noqa: RUF012 - as the framework wants it
    output_type = "string"

    def __init__(self) -> None:
        super().__init__()
        self.api_key = KEY

    def forward(self, order: str) -> str:
        return f"{order} is in Lyon"


def agent(model: Any = None, **options: Any) -> ToolCallingAgent:
    """An agent with a tool."""
    known = {"tools": [Track()], "model": model or Offline(), "verbosity_level": LogLevel.OFF}
    return ToolCallingAgent(**known, **options)


class TestSmolagents(FrameworkSuite):
    """smolagents."""

    @pytest.fixture(scope="class")
    @classmethod
    def scene(cls) -> Scene:
        """A whole result of two steps."""
        made, hosted = agent(), InferenceClientModel("org/model", token=KEY)
        assert KEY in str(vars(hosted.client))
        return Scene(
            result=made.run("Where is my order?", return_full_result=True),
            context={
                "agent": made,
                "model": Offline(),
                "tool": Track(),
                "code_agent": CodeAgent(tools=[], model=Offline(), verbosity_level=LogLevel.OFF),
                "client_model": hosted,
                "client": hosted.client,
                "async_client": AsyncInferenceClient(token=KEY),
            },
            output="It ships tomorrow.",
            usage={"input_tokens": 24, "output_tokens": 10, "total_tokens": 34},
            ids={"steps": 3},
            agent=agent,
            words=("It ships tomorrow.", "A-17 is in Lyon", "call-1"),
            beneath={".output._value": Kind.PRIVATE},
        )

    def test_out_of_steps_is_no_success(self) -> None:
        """An agent that ran out of steps has a partial result; its time is the run's."""
        made = extract(agent(Endless(), max_steps=1).run("q", return_full_result=True))
        assert (made.status, made.ok) == ("partial", False)
        assert made.metadata["processing_time"] > 0
