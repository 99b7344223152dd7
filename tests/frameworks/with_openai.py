"""The OpenAI client: completions and responses as the API gives them."""

import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletion
from openai.types.responses import Response

from siftpack.agents import extract
from tests.frameworks.suite import KEY, FrameworkSuite, Scene

COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1714552200,
    "model": "gpt-4o",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "It ships tomorrow.", "refusal": None},
        }
    ],
    "usage": {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17},
}
RESPONSE = {
    "id": "resp-1",
    "object": "response",
    "created_at": 1714552200,
    "model": "gpt-4o",
    "status": "completed",
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "output": [
        {
            "id": "msg-1",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "It ships tomorrow.", "annotations": []}],
        }
    ],
    "usage": {
        "input_tokens": 12,
        "output_tokens": 5,
        "total_tokens": 17,
        "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 1},
    },
}


class TestCompletion(FrameworkSuite):
    """Chat completions."""

    @pytest.fixture(scope="class")
    @classmethod
    def scene(cls) -> Scene:
        """A completion beside the clients."""
        return Scene(
            result=ChatCompletion.model_validate(COMPLETION),
            context={"client": OpenAI(api_key=KEY), "async_client": AsyncOpenAI(api_key=KEY)},
            output="It ships tomorrow.",
            usage={"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17},
            ids={"id": "chatcmpl-1", "model": "gpt-4o", "finish_reason": "stop"},
            words=("It ships tomorrow.",),
        )

    @pytest.mark.parametrize(
        ("reason", "status"),
        [("length", "partial"), ("content_filter", "failed"), ("tool_calls", "pending"), ("stop", "completed")],
    )
    def test_how_it_ended(self, reason: str, status: str) -> None:
        """A completion that was cut, filtered, or asks for tools is no success."""
        choice = {**COMPLETION["choices"][0], "finish_reason": reason}  # type: ignore[index, dict-item]
        made = extract(ChatCompletion.model_validate({**COMPLETION, "choices": [choice]}))
        assert made.status == status


class TestResponse(FrameworkSuite):
    """Responses."""

    @pytest.fixture(scope="class")
    @classmethod
    def scene(cls) -> Scene:
        """A response beside the client."""
        return Scene(
            result=Response.model_validate(RESPONSE),
            context={"client": OpenAI(api_key=KEY)},
            output="It ships tomorrow.",
            usage={"input_tokens": 12, "output_tokens": 5, "total_tokens": 17},
            ids={"id": "resp-1", "model": "gpt-4o"},
            words=("It ships tomorrow.",),
        )

    def test_a_failed_response(self) -> None:
        """A response that failed is a failure with its code and message."""
        error = {"code": "server_error", "message": "try again"}
        made = extract(Response.model_validate({**RESPONSE, "status": "failed", "error": error}))
        assert (made.status, made.error) == ("failed", {"type": "server_error", "message": "try again"})
