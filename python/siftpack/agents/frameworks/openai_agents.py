"""OpenAI Agents: ``RunResult`` and its streaming twin, agents run by ``Runner``."""

import weakref
from typing import Any

from siftpack.agents.fields import class_named, field, is_a, items, path, text
from siftpack.agents.found import Found
from siftpack.agents.frameworks.call import Call
from siftpack.agents.result import Status


def read(result: Any) -> Found | None:
    """The final output; usage and response ids; the agent that spoke last."""
    if not is_a(result, "agents.result", "RunResultBase"):
        return None
    responses = [field(each, "response_id") for each in items(field(result, "raw_responses"))]
    ids = [each for each in responses if each is not None]
    metadata = {
        "usage": path(result, "context_wrapper", "usage"),
        "last_response_id": responses[-1] if responses else None,
        "response_ids": ids,
        "turns": field(result, "_current_turn"),
    }
    status = None
    if items(field(result, "interruptions")):
        status = Status.INTERRUPTED
    elif field(result, "is_complete", missing=True) is False:
        status = Status.PENDING
    kept = {name: value for name, value in metadata.items() if value}
    return Found({"output": field(result, "final_output")}, kept, status, agent_name=_agent(result))


def call(agent: Any, context: Any, input_data: Any) -> Call | None:
    """``Runner.run`` with what the context has in ``live`` as ``deps``, or with the context itself."""
    if not is_a(agent, "agents.agent", "Agent"):
        return None
    runner: Any = class_named("agents.run", "Runner")
    return Call(lambda: runner.run(agent, input_data, context=context.live.get("deps", context)))


def _agent(result: Any) -> str | None:
    agent = field(result, "_last_agent")
    if agent is None:
        agent = field(result, "current_agent")
    reference = field(result, "_last_agent_ref")
    if agent is None and type(reference) is weakref.ref:
        agent = reference()
    return text(field(agent, "name"))
