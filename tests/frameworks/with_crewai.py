"""CrewAI, with a model of our own that answers offline."""

from typing import Any

import pytest
from crewai import Agent, Crew, Task
from crewai.llms.base_llm import BaseLLM
from crewai.tools import BaseTool
from openai import OpenAI
from pydantic import BaseModel

from siftpack.agents import extract
from tests.frameworks.suite import KEY, FrameworkSuite, Scene


class Offline(BaseLLM):
    """Always answers the same."""

    def call(self, *args: Any, **options: Any) -> str:
        self._track_token_usage_internal({"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17})
        return 'Thought: I now can give a great answer\nFinal Answer: {"report": "It ships tomorrow.", "risk": 0.1}'


class Report(BaseModel):
    """A structured answer."""

    report: str
    risk: float


class Track(BaseTool):
    """A tool with a key."""

    name: str = "track"
    description: str = "Say where an order is."
    api_key: str = KEY

    def _run(self, order: str) -> str:
        return f"{order} is in Lyon"


def model() -> Offline:
    """The model, with its key."""
    return Offline(model="offline", api_key=KEY)


def worker() -> Agent:
    """An agent without memory."""
    return Agent(role="tracker", goal="track", backstory="knows orders", llm=model(), verbose=False)


def crew(**options: Any) -> Crew:
    """A crew of one agent and one task."""
    agent = worker()
    task = Task(description="Where is {input}?", expected_output="a report", agent=agent, name="tracking", **options)
    return Crew(agents=[agent], tasks=[task], verbose=False)


ANSWER = {"report": "It ships tomorrow.", "risk": 0.1}


class TestCrewAI(FrameworkSuite):
    """CrewAI."""

    @pytest.fixture(scope="class")
    @classmethod
    def scene(cls) -> Scene:
        """A crew's structured output."""
        made = crew(output_pydantic=Report)
        return Scene(
            result=made.kickoff(inputs={"input": "my order"}),
            context={
                "crew": made,
                "agent": worker(),
                "task": made.tasks[0],
                "model": model(),
                "client": OpenAI(api_key=KEY),
                "tool": Track(),
            },
            output=ANSWER,
            usage={"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17, "successful_requests": 1},
            ids={"tasks": ["tracking"], "agents": ["tracker"]},
            agent=lambda: crew(output_pydantic=Report),
            question="my order",
            words=("It ships tomorrow.",),
            agent_name="tracker",
        )

    def test_json_and_text(self) -> None:
        """Without a model the output is the JSON, and without that the text."""
        as_json = extract(crew(output_json=Report).kickoff(inputs={"input": "my order"}))
        assert as_json.result_data["output"] == ANSWER
        as_text = extract(crew().kickoff(inputs={"input": "my order"}))
        assert "It ships tomorrow." in as_text.result_data["output"]
