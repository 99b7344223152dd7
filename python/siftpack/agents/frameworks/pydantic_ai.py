"""Pydantic AI: ``AgentRunResult``, agents run with their dependencies out of the context."""

from typing import Any

from siftpack.agents.fields import field, is_a, items, text
from siftpack.agents.found import Found
from siftpack.agents.frameworks.call import Call
from siftpack.agents.result import Status

_ENDINGS = {"length": Status.PARTIAL, "content_filter": Status.FAILED, "error": Status.FAILED}


def read(result: Any) -> Found | None:
    """The output; usage, run and conversation of the state; what the last response says of its end."""
    if not is_a(result, "pydantic_ai.run", "AgentRunResult"):
        return None
    state = field(result, "_state")
    messages = items(field(state, "message_history"))
    last = next((each for each in reversed(messages) if is_a(each, "pydantic_ai.messages", "ModelResponse")), None)
    ids = {name: field(state, name) for name in ("run_id", "conversation_id")}
    metadata = {
        "usage": field(state, "usage"),
        "framework_run_id": ids["run_id"],
        "conversation_id": ids["conversation_id"],
        "model": field(last, "model_name"),
        "reported": field(state, "metadata"),
    }
    output = field(result, "output")
    waits = is_a(output, "pydantic_ai.tools", "DeferredToolRequests")
    status = Status.INTERRUPTED if waits else _ENDINGS.get(text(field(last, "finish_reason")) or "")
    return Found({"output": output}, {name: value for name, value in metadata.items() if value}, status)


def call(agent: Any, context: Any, input_data: Any) -> Call | None:
    """``agent.run`` with what the context has in ``live`` as ``deps``, or with the context itself."""
    if not is_a(agent, "pydantic_ai.agent.abstract", "AbstractAgent"):
        return None
    return Call(lambda: agent.run(input_data, deps=context.live.get("deps", context)))
