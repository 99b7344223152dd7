"""AutoGen AgentChat: ``TaskResult`` and ``Response``, agents and teams run on a task."""

from typing import Any

from siftpack.agents.fields import field, is_a, items, text
from siftpack.agents.found import Found
from siftpack.agents.frameworks.call import Call
from siftpack.agents.result import Status
from siftpack.agents.usage import total


def read(result: Any) -> Found | None:
    """The content of the last message; usage of all; who spoke; why it ended."""
    if is_a(result, "autogen_agentchat.base._chat_agent", "Response"):
        messages = [*items(field(result, "inner_messages")), field(result, "chat_message")]
    elif is_a(result, "autogen_agentchat.base._task", "TaskResult"):
        messages = items(field(result, "messages"))
    else:
        return None
    last = messages[-1] if messages else None
    reason = text(field(result, "stop_reason"))
    metadata = {
        "usage": total(field(each, "models_usage") for each in messages),
        "message_ids": [found for each in messages if (found := text(field(each, "id")))],
        "stop_reason": reason,
    }
    data = {"output": field(last, "content"), "messages": messages}
    kept = {name: value for name, value in metadata.items() if value}
    return Found(data, kept, _status(last, reason), agent_name=text(field(last, "source")))


def call(agent: Any, context: Any, input_data: Any) -> Call | None:  # noqa: ARG001 - an adapter's shape
    """``run`` with the input as the task."""
    known = (("autogen_agentchat.base._chat_agent", "ChatAgent"), ("autogen_agentchat.base._team", "Team"))
    return Call(lambda: agent.run(task=input_data)) if any(is_a(agent, *each) for each in known) else None


def _status(last: Any, reason: str | None) -> Status | None:
    if reason is not None and reason.startswith("Maximum number"):
        return Status.PARTIAL
    if reason is not None and "timeout" in reason.lower():
        return Status.TIMEOUT
    return Status.INTERRUPTED if is_a(last, "autogen_agentchat.messages", "HandoffMessage") else None
