"""OpenAI: chat completions and responses."""

from typing import Any

from siftpack.agents.errors import of_data
from siftpack.agents.fields import field, is_a, items, text
from siftpack.agents.found import Found
from siftpack.agents.result import Status, status_of

_ENDINGS = {
    "stop": Status.COMPLETED,
    "length": Status.PARTIAL,
    "content_filter": Status.FAILED,
    "tool_calls": Status.PENDING,
    "function_call": Status.PENDING,
}


def read(result: Any) -> Found | None:
    """The first choice's message or the text of a response; usage, id and model."""
    if is_a(result, "openai.types.chat.chat_completion", "ChatCompletion"):
        return _completion(result)
    if is_a(result, "openai.types.responses.response", "Response"):
        return _response(result)
    return None


def call(agent: Any, context: Any, input_data: Any) -> None:
    """A client is no agent."""


def _completion(result: Any) -> Found:
    choices = items(field(result, "choices"))
    messages = [field(each, "message") for each in choices]
    first = messages[0] if messages else None
    output = field(first, "parsed")
    data = {"output": field(first, "content") if output is None else output}
    for name in ("tool_calls", "refusal"):
        if field(first, name):
            data[name] = field(first, name)
    if len(messages) > 1:
        data["messages"] = messages
    reason = text(field(choices[0], "finish_reason")) if choices else None
    status = Status.FAILED if data.get("refusal") else _ENDINGS.get(reason or "", Status.UNKNOWN)
    return Found(data, {**_metadata(result), "finish_reason": reason}, status)


def _response(result: Any) -> Found:
    outputs = items(field(result, "output"))
    parts = [part for each in outputs for part in items(field(each, "content"))]
    data: dict[str, Any] = {"output": "".join(text(field(part, "text")) or "" for part in parts)}
    calls = [each for each in outputs if "call" in (text(field(each, "type")) or "")]
    if calls:
        data["tool_calls"] = calls
    return Found(data, _metadata(result), status_of(field(result, "status")), _error(field(result, "error")))


def _error(given: Any) -> dict[str, Any] | None:
    return None if given is None else of_data({name: field(given, name) for name in ("code", "message")})


def _metadata(result: Any) -> dict[str, Any]:
    return {"usage": field(result, "usage"), "id": field(result, "id"), "model": field(result, "model")}
