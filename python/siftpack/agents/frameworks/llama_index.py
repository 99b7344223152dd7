"""LlamaIndex: ``AgentOutput`` of agents and workflows, answers of engines."""

from typing import Any

from siftpack.agents.fields import field, is_a, items, path, text
from siftpack.agents.found import Found
from siftpack.agents.frameworks.call import Call

_ANSWERS = (
    ("llama_index.core.chat_engine.types", "AgentChatResponse"),
    ("llama_index.core.base.response.schema", "Response"),
    ("llama_index.core.base.llms.types", "ChatResponse"),
)


def read(result: Any) -> Found | None:
    """The structured response or the text; usage of the provider's answer, which the event's own dump leaves out."""
    if is_a(result, "llama_index.core.agent.workflow.workflow_events", "AgentOutput"):
        output = field(result, "structured_response")
        data = {"output": _text(field(result, "response")) if output is None else output}
        calls = items(field(result, "tool_calls"))
        metadata = {
            "usage": _usage(field(result, "raw")),
            "tool_calls": [{name: field(each, name) for name in ("tool_name", "tool_id")} for each in calls],
        }
        kept = {name: value for name, value in metadata.items() if value}
        return Found(data, kept, agent_name=text(field(result, "current_agent_name")))
    if any(is_a(result, *each) for each in _ANSWERS):
        answer = text(field(result, "response"))
        output = _text(field(result, "message")) if answer is None else answer
        return Found({"output": output}, {"usage": _usage(field(result, "raw"))})
    return None


def call(agent: Any, context: Any, input_data: Any) -> Call | None:  # noqa: ARG001 - an adapter's shape
    """An agent or an agent workflow is run with the input as what the user says."""
    known = (
        ("llama_index.core.agent.workflow.base_agent", "BaseWorkflowAgent"),
        ("llama_index.core.agent.workflow.multi_agent_workflow", "AgentWorkflow"),
    )
    return Call(lambda: agent.run(user_msg=input_data)) if any(is_a(agent, *each) for each in known) else None


def _text(message: Any) -> str:
    return "".join(text(field(each, "text")) or "" for each in items(field(message, "blocks")))


def _usage(raw: Any) -> Any:
    found = field(raw, "usage")
    return path(raw, "raw", "usage") if found is None else found
