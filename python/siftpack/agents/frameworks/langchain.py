"""LangChain and LangGraph: states with messages, messages, runnables and graphs."""

from typing import Any

from siftpack.agents.fields import field, fields, is_a, items, path, text
from siftpack.agents.found import Found
from siftpack.agents.frameworks.call import Call
from siftpack.agents.result import Status
from siftpack.agents.usage import total
from siftpack.storage import inherits

_ENDINGS = {"length": Status.PARTIAL, "max_tokens": Status.PARTIAL, "content_filter": Status.FAILED}


def read(result: Any) -> Found | None:
    """A state that holds messages or an interrupt, or one message."""
    if is_a(result, "langchain_core.messages.base", "BaseMessage"):
        return Found({"output": _text(result)}, _metadata([result]), _status([result]))
    if not inherits(type(result), dict):
        return None
    messages = [each for each in items(field(result, "messages")) if _is_message(each)]
    interrupts = items(field(result, "__interrupt__"))
    if not messages and not interrupts:
        return None
    data = dict(dict.items(result))
    answers = [each for each in messages if is_a(each, "langchain_core.messages.ai", "AIMessage")]
    answer = field(result, "structured_response")
    if answer is None and answers:
        answer = _text(answers[-1])
    data.setdefault("output", answer)
    status = Status.INTERRUPTED if interrupts else _status(answers)
    return Found(data, _metadata(messages), status, split=True)


def call(agent: Any, context: Any, input_data: Any) -> Call | None:
    """A runnable is invoked, with the ids in its configuration; a graph's thread is the context's."""
    if not is_a(agent, "langchain_core.runnables.base", "Runnable"):
        return None
    ids = {"thread_id": context.thread_id, "user_id": context.user_id}
    config = {"configurable": ids, "metadata": {**ids, "run_id": context.run_id}}
    return Call(lambda: agent.ainvoke(input_data, config))


def _is_message(obj: Any) -> bool:
    return is_a(obj, "langchain_core.messages.base", "BaseMessage")


def _text(message: Any) -> str:
    content = field(message, "content")
    if text(content) is not None:
        return str(text(content))
    blocks = [text(each) if text(each) is not None else text(field(each, "text")) for each in items(content)]
    return "".join(block for block in blocks if block)


def _metadata(messages: list[Any]) -> dict[str, Any]:
    calls = [field(call, "id") for each in messages for call in items(field(each, "tool_calls"))]
    found = {
        "usage": total(field(each, "usage_metadata") for each in messages),
        "message_ids": [found for each in messages if (found := field(each, "id")) is not None],
        "tool_call_ids": [each for each in calls if each is not None],
        "model": next((m for each in reversed(messages) if (m := path(each, "response_metadata", "model_name"))), None),
    }
    return {name: value for name, value in found.items() if value}


def _status(answers: list[Any]) -> Status | None:
    told = fields(field(answers[-1], "response_metadata") or {}) if answers else {}
    word = text(told.get("finish_reason")) or text(told.get("stop_reason"))
    return _ENDINGS.get(word) if word else None
