"""Google ADK: the events of a run, agents and runners."""

from typing import Any

from siftpack.agents.fields import class_named, field, is_a, items, path, text
from siftpack.agents.found import Found
from siftpack.agents.frameworks.call import Call
from siftpack.agents.result import Status
from siftpack.agents.usage import total
from siftpack.storage import inherits

_EVENT = ("google.adk.events.event", "Event")


def read(result: Any) -> Found | None:
    """The output or the text of the last event that says something; usage of all; ids; errors it reports."""
    session = is_a(result, "google.adk.sessions.session", "Session")
    given = items(field(result, "events")) if session else [result] if is_a(result, *_EVENT) else items(result)
    events = [each for each in given if is_a(each, *_EVENT)]
    if not events or len(events) != len(given):
        return None
    spoken = [each for each in events if field(each, "partial") is not True and _said(each) is not None]
    last = spoken[-1] if spoken else events[-1]
    metadata = {
        "usage": total(field(each, "usage_metadata") for each in events if field(each, "partial") is not True),
        "message_ids": [field(each, "id") for each in events],
        "invocation_id": field(last, "invocation_id"),
        "session_id": field(result, "id") if session else None,
        "model": field(last, "model_version"),
    }
    data: dict[str, Any] = {"output": _said(last)}
    if session:
        data["state"] = field(result, "state")
    kept = {name: value for name, value in metadata.items() if value}
    return Found(data, kept, _status(events[-1]), _error(events[-1]), agent_name=text(field(last, "author")))


def call(agent: Any, context: Any, input_data: Any) -> Call | None:
    """A runner runs in the context's session; an agent gets a runner in memory."""
    runner = is_a(agent, "google.adk.runners", "Runner")
    if not runner and not is_a(agent, "google.adk.agents.base_agent", "BaseAgent"):
        return None
    return Call(lambda: _run(agent if runner else None, agent, context, input_data))


async def _run(runner: Any, agent: Any, context: Any, input_data: Any) -> list[Any]:
    from google.adk.runners import InMemoryRunner  # type: ignore[import-not-found,unused-ignore]  # it is imported
    from google.genai import types  # type: ignore[import-not-found,unused-ignore]  # ADK cannot be without it

    if runner is None:
        runner = InMemoryRunner(agent=agent, app_name="siftpack")
    where = {"app_name": runner.app_name, "user_id": context.user_id, "session_id": context.thread_id}
    if await runner.session_service.get_session(**where) is None:
        await runner.session_service.create_session(**where)
    said = input_data
    if inherits(type(input_data), str):
        said = types.Content(role="user", parts=[types.Part(text=input_data)])
    asked = runner.run_async(user_id=context.user_id, session_id=context.thread_id, new_message=said)
    return [event async for event in asked]


def _said(event: Any) -> Any:
    output = field(event, "output")
    if output is not None:
        return output
    parts = items(path(event, "content", "parts"))
    texts = [text(field(each, "text")) for each in parts if field(each, "thought") is not True]
    return "".join(each for each in texts if each) if any(each is not None for each in texts) else None


def _error(event: Any) -> dict[str, Any] | None:
    code, message = (text(field(event, name)) for name in ("error_code", "error_message"))
    return None if code is None and message is None else {"type": code or "error", "message": message or ""}


def _status(event: Any) -> Status | None:
    if field(event, "interrupted") is True or field(event, "long_running_tool_ids"):
        return Status.INTERRUPTED
    reason = field(event, "finish_reason")
    cls = class_named("google.genai.types", "FinishReason")
    word = text(field(reason, "_value_")) if cls is not None and inherits(type(reason), cls) else text(reason)
    return Status.PARTIAL if word == "MAX_TOKENS" else None
