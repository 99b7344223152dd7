"""AutoGen AgentChat, with its replay client."""

import asyncio
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import TaskResult
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.messages import HandoffMessage, TextMessage
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core.models import CreateResult, RequestUsage
from autogen_core.tools import FunctionTool
from autogen_ext.models.replay import ReplayChatCompletionClient

from siftpack.agents import extract
from tests.frameworks.suite import KEY, FrameworkSuite, Scene


class Client(ReplayChatCompletionClient):
    """A client with a key."""

    def __init__(self) -> None:
        usage = RequestUsage(prompt_tokens=12, completion_tokens=5)
        answer = CreateResult(content="It ships tomorrow.", usage=usage, finish_reason="stop", cached=False)
        super().__init__([answer] * 20)
        self.api_key = KEY
        self._raw_config = {"api_key": KEY}


def track(order: str) -> str:
    """Say where an order is."""
    return f"{order} is in Lyon"


def agent() -> AssistantAgent:
    """An agent that answers once."""
    return AssistantAgent("tracker", model_client=Client(), description="Tracks orders")


class TestAutoGen(FrameworkSuite):
    """AutoGen."""

    @pytest.fixture(scope="class")
    @classmethod
    def scene(cls) -> Scene:
        """An agent's task."""
        made, client = agent(), Client()
        tool = FunctionTool(track, description="Say where an order is.")
        result = asyncio.run(made.run(task="Where is my order?"))
        return Scene(
            result=result,
            context={
                "agent": made,
                "team": RoundRobinGroupChat([agent()], termination_condition=MaxMessageTermination(3)),
                "client": client,
                "tool": tool,
                "function": track,
            },
            output="It ships tomorrow.",
            usage={"prompt_tokens": 12, "completion_tokens": 5},
            ids={"message_ids": [each.id for each in result.messages]},
            agent=agent,
            words=("It ships tomorrow.", "Where is my order?"),
            agent_name="tracker",
        )

    def test_a_team_that_ran_out_of_messages(self) -> None:
        """A team that stopped at its bound is partial and says so; usage is that of all its messages."""
        team = RoundRobinGroupChat([agent()], termination_condition=MaxMessageTermination(3))
        made = extract(asyncio.run(team.run(task="q")))
        assert made.status == "partial"
        assert made.metadata["stop_reason"].startswith("Maximum number")
        assert made.metadata["usage"] == {"prompt_tokens": 24, "completion_tokens": 10}

    def test_a_handoff_waits(self) -> None:
        """A result that ends in a handoff waits for somebody."""
        messages: list[Any] = [
            TextMessage(content="q", source="user"),
            HandoffMessage(content="h", source="a", target="u"),
        ]
        assert extract(TaskResult(messages=messages)).status == "interrupted"
