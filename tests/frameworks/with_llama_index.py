"""LlamaIndex, with a custom model that answers offline."""

import asyncio
from typing import Any

import pytest
from google.genai import Client
from llama_index.core.agent.workflow import AgentWorkflow, ReActAgent
from llama_index.core.callbacks import CallbackManager
from llama_index.core.llms import ChatMessage, ChatResponse, CompletionResponse, CustomLLM, LLMMetadata
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel

from siftpack.agents import extract
from siftpack.policy import Kind
from tests.frameworks.suite import KEY, FrameworkSuite, Scene

CALL = ".tool_calls[0]"
USAGE = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}


class Offline(CustomLLM):
    """Asks for the tool, then answers; tells its usage as providers do."""

    api_key: str = KEY

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(model_name="offline")

    def complete(self, prompt: str, formatted: bool = False, **options: Any) -> CompletionResponse:
        asks = 'Thought: I need a tool.\nAction: track\nAction Input: {"order": "A-17"}'
        answers = "Thought: I can answer without using any more tools.\nAnswer: It ships tomorrow."
        text = answers if "Observation: A-17 is in Lyon" in prompt else asks
        return CompletionResponse(text=text, raw={"usage": USAGE, "api_key": KEY})

    def stream_complete(self, prompt: str, formatted: bool = False, **options: Any) -> Any:
        yield self.complete(prompt)


def track(order: str) -> str:
    """Say where an order is."""
    return f"{order} is in Lyon"


def agent() -> ReActAgent:
    """An agent with a tool."""
    return ReActAgent(name="tracker", llm=Offline(), tools=[FunctionTool.from_defaults(track)])


async def ran() -> Any:
    return await agent().run(user_msg="Where is my order?")


class TestLlamaIndex(FrameworkSuite):
    """LlamaIndex."""

    @pytest.fixture(scope="class")
    @classmethod
    def scene(cls) -> Scene:
        """An agent's run."""
        made, result = agent(), asyncio.run(ran())
        (called,) = result.tool_calls
        return Scene(
            result=result,
            context={
                "agent": made,
                "workflow": AgentWorkflow(agents=[agent()], root_agent="tracker"),
                "model": Offline(),
                "tool": FunctionTool.from_defaults(track),
                "callbacks": CallbackManager(),
                "client": Client(api_key=KEY),  # of this framework's models of Google; `openai` is in another group
            },
            output="It ships tomorrow.",
            usage=USAGE,
            ids={"tool_calls": [{"tool_name": "track", "tool_id": called.tool_id}]},
            agent=agent,
            words=("It ships tomorrow.", "A-17 is in Lyon", called.tool_id),
            beneath={
                ".raw": Kind.ATTRIBUTE,
                **{f"{each}.__pydantic_private__": Kind.PRIVATE for each in ("", CALL, f"{CALL}.tool_output")},
            },
            agent_name="tracker",
        )

    def test_a_structured_response_is_the_output(self, scene: Scene) -> None:
        """Where there is a structured response, that is the output."""
        result = scene.result.model_copy(update={"structured_response": {"sections": [1]}})
        assert extract(result).result_data["output"] == {"sections": [1]}

    def test_answers_of_models(self) -> None:
        """A chat response is its message's text, with the usage of the provider's own answer."""

        class Usage(BaseModel):
            total_tokens: int = 17

        class Raw(BaseModel):
            usage: Usage = Usage()

        made = extract(ChatResponse(message=ChatMessage("It ships tomorrow."), raw=Raw()))
        assert made.result_data == {"output": "It ships tomorrow."}
        assert made.metadata["usage"] == {"total_tokens": 17}
