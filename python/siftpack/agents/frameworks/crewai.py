"""CrewAI: what a crew or a single agent gives, crews kicked off with the input as their inputs."""

from typing import Any

from siftpack.agents.fields import field, is_a, items, text
from siftpack.agents.found import Found
from siftpack.agents.frameworks.call import Call
from siftpack.storage import inherits


def read(result: Any) -> Found | None:
    """The model, the JSON or the text of the last task, in this order; usage; names of tasks and agents."""
    crew = is_a(result, "crewai.crews.crew_output", "CrewOutput")
    if not crew and not is_a(result, "crewai.lite_agent_output", "LiteAgentOutput"):
        return None
    found = (field(result, name) for name in ("pydantic", "json_dict"))
    output = next((each for each in found if each is not None), field(result, "raw"))
    tasks = items(field(result, "tasks_output"))
    data = {"output": output, "text": field(result, "raw")}
    if len(tasks) > 1:
        data["tasks"] = [{"name": field(each, "name"), "text": field(each, "raw")} for each in tasks]
    metadata = {
        "usage": field(result, "token_usage") if crew else field(result, "usage_metrics"),
        "tasks": [name for each in tasks if (name := text(field(each, "name")))],
        "agents": [name for each in tasks if (name := text(field(each, "agent")))],
    }
    name = text(field(result, "agent_role")) or (metadata["agents"][-1] if metadata["agents"] else None)
    return Found(data, {key: value for key, value in metadata.items() if value}, agent_name=name)


def call(agent: Any, context: Any, input_data: Any) -> Call | None:  # noqa: ARG001 - an adapter's shape
    """A crew or flow gets the input as its inputs, an agent as its message."""
    if is_a(agent, "crewai.agents.agent_builder.base_agent", "BaseAgent"):
        return Call(lambda: agent.kickoff_async(input_data))
    if is_a(agent, "crewai.crew", "Crew") or is_a(agent, "crewai.flow.flow", "Flow"):
        inputs = input_data if inherits(type(input_data), dict) else {"input": input_data}
        return Call(lambda: agent.kickoff_async(inputs=inputs))
    return None
