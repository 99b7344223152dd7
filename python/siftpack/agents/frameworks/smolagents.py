"""smolagents: ``RunResult``, agents run on a task."""

from typing import Any

from siftpack.agents.fields import field, is_a, items
from siftpack.agents.found import Found
from siftpack.agents.frameworks.call import Call
from siftpack.agents.result import status_of


def read(result: Any) -> Found | None:
    """The output; usage and timing; how many steps it took and how it ended."""
    if not is_a(result, "smolagents.agents", "RunResult"):
        return None
    began, ended = (field(field(result, "timing"), name) for name in ("start_time", "end_time"))
    metadata = {
        "usage": field(result, "token_usage"),
        "timing": field(result, "timing"),
        "processing_time": ended - began if type(began) is type(ended) is float else None,
        "steps": len(items(field(result, "steps"))),
    }
    kept = {name: value for name, value in metadata.items() if value is not None}
    return Found({"output": field(result, "output")}, kept, status_of(field(result, "state")))


def call(agent: Any, context: Any, input_data: Any) -> Call | None:  # noqa: ARG001 - an adapter's shape
    """``run`` with the input as the task, asked for the whole result."""
    if not is_a(agent, "smolagents.agents", "MultiStepAgent"):
        return None
    return Call(lambda: agent.run(input_data, return_full_result=True), blocking=True)
