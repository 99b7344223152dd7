"""Google ADK, with a model of our own that answers offline."""

import asyncio
from typing import Any

import pytest
from google.adk.agents import LlmAgent
from google.adk.models import BaseLlm, LlmResponse
from google.adk.runners import InMemoryRunner
from google.adk.tools import FunctionTool
from google.genai import Client, types

from siftpack.agents import ExecutionContext, execute_agent_pipeline, extract
from siftpack.policy import Kind
from tests.frameworks.suite import KEY, FrameworkSuite, Scene


class Offline(BaseLlm):
    """Asks for the tool once, then answers."""

    api_key: str = KEY

    async def generate_content_async(self, llm_request: Any, stream: bool = False) -> Any:
        counts = types.GenerateContentResponseUsageMetadata(
            prompt_token_count=12, candidates_token_count=5, total_token_count=17
        )
        asked = any(part.function_response for each in llm_request.contents for part in each.parts or ())
        call = types.FunctionCall(name="track", args={"order": "A-17"}, id="call-1")
        part = types.Part(text="It ships tomorrow.") if asked else types.Part(function_call=call)
        yield LlmResponse(content=types.Content(role="model", parts=[part]), usage_metadata=counts)


def track(order: str) -> str:
    """Say where an order is."""
    return f"{order} is in Lyon"


def agent() -> LlmAgent:
    """An agent with a tool."""
    return LlmAgent(name="tracker", model=Offline(model="offline"), instruction="Answer.", tools=[track])


async def events(runner: InMemoryRunner) -> tuple[list[Any], Any]:
    """All events of a run, and its session afterwards."""
    session = await runner.session_service.create_session(app_name="app", user_id="ada", session_id="s-1")
    said = types.Content(role="user", parts=[types.Part(text="Where is my order?")])
    found = [each async for each in runner.run_async(user_id="ada", session_id=session.id, new_message=said)]
    where = {"app_name": "app", "user_id": "ada", "session_id": "s-1"}
    return found, await runner.session_service.get_session(**where)


class TestGoogleADK(FrameworkSuite):
    """Google ADK."""

    @pytest.fixture(scope="class")
    @classmethod
    def scene(cls) -> Scene:
        """The events of a run with a tool call."""
        made = agent()
        runner = InMemoryRunner(agent=made, app_name="app")
        result, _ = asyncio.run(events(runner))
        return Scene(
            result=result,
            context={
                "agent": made,
                "runner": runner,
                "model": Offline(model="offline"),
                "tool": FunctionTool(track),
                "sessions": runner.session_service,
                "client": Client(api_key=KEY),
            },
            output="It ships tomorrow.",
            usage={"prompt_token_count": 24, "candidates_token_count": 10, "total_token_count": 34},
            ids={"message_ids": [each.id for each in result], "invocation_id": result[-1].invocation_id},
            agent=agent,
            words=("It ships tomorrow.", "A-17 is in Lyon"),
            beneath={f"[{n}].usage_metadata.__pydantic_private__": Kind.PRIVATE for n in (0, 2)},
            agent_name="tracker",
        )

    def test_a_session_is_a_result_too(self) -> None:
        """A session gives the answer of its last event, its id and its state."""
        _, session = asyncio.run(events(InMemoryRunner(agent=agent(), app_name="app")))
        made = extract(session)
        assert made.result_data == {"output": "It ships tomorrow.", "state": {}}
        assert made.metadata["session_id"] == "s-1"

    def test_a_runner_keeps_its_sessions(self) -> None:
        """A runner is run in the session of the context's thread."""
        runner = InMemoryRunner(agent=agent(), app_name="app")
        context = ExecutionContext("ada", "thread-7")
        made = asyncio.run(execute_agent_pipeline(runner, context, "Where is my order?", raise_on_error=True))
        assert made.result_data["output"] == "It ships tomorrow."
        where = {"app_name": "app", "user_id": "ada", "session_id": "thread-7"}
        assert asyncio.run(runner.session_service.get_session(**where)) is not None

    def test_errors_are_failures(self, scene: Scene) -> None:
        """An event that reports an error makes a failure of the run."""
        last = scene.result[-1].model_copy(update={"error_code": "RESOURCE_EXHAUSTED", "error_message": "slow down"})
        made = extract([*scene.result[:-1], last])
        assert (made.status, made.error) == ("failed", {"type": "RESOURCE_EXHAUSTED", "message": "slow down"})
