"""The key of a run in a cache, which must never give one answer for two questions.

What tells agents apart is the name they are given, or else a function that is found under its name in its module, or
else a class found so and everything its instance stores. Where something of that, or of the question, does not count in
a key by the rules of ``siftpack.cache.arguments``, there is none.
"""

import inspect
import types
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from siftpack.agents import ids
from siftpack.agents.calling import method_of
from siftpack.agents.context import ExecutionContext
from siftpack.agents.fields import class_text, field, stored, text
from siftpack.cache import arguments
from siftpack.classify import classify
from siftpack.policy import Kind, Limits
from siftpack.report import Finding, legible, shown_type

_NAME_SHOWN: Final = 120
_NAMES: Final = ("agent_name", "name")
_LIMITS: Final = Limits()


class Identity(NamedTuple):
    """An agent's name for people, its version, and what tells it from all others; None if nothing does."""

    shown: str
    version: str
    key: str | None
    why: str = ""
    """Why there is no key."""


def identity(agent: Any, name: str | None, version: str | None) -> Identity:
    """Which agent it is. Raises ``PolicyError`` for a name or version that is none."""
    given = None if name is None else ids.checked(name, "agent_name")
    shown = given or _shown(agent)
    number = ids.checked(version, "agent_version") if version is not None else _version(agent)
    if given is not None:
        return Identity(shown, number, given)
    key, why = _function_key(agent) if inspect.isroutine(agent) else _object_key(agent)
    return Identity(shown, number, key, why)


class Question(NamedTuple):
    """The key of a question, or None, why there is none, and what was lost."""

    key: str | None
    why: str = ""
    lost: tuple[Finding, ...] = ()


def question(
    who: Identity, context: ExecutionContext, input_data: Any, keys: Iterable[str] | None, *, per_thread: bool
) -> Question:
    """What is asked of an agent. ``keys`` are the entries of the context's data that count, None for all."""
    if who.key is None:
        return Question(None, who.why)
    data = context.data if keys is None else {name: context.data[name] for name in keys if name in context.data}
    thread = context.thread_id if per_thread else None
    asked = {"agent": (who.key, who.version), "input": input_data, "data": data, "thread": thread}
    found = arguments.key_of(asked, _LIMITS)
    if found.text is None:
        return Question(None, f"{_first(found.lost)} does not count in a key; pass data instead", found.lost)
    return Question(f"agent:{who.key}:{who.version}:{found.text}")


def _first(lost: tuple[Finding, ...]) -> str:
    return f"{lost[0].path} ({lost[0].kind.value} {lost[0].type_name})" if lost else "the input"


def _shown(agent: Any) -> str:
    if inspect.isroutine(agent):
        return legible(text(getattr(agent, "__name__", None)) or "function", _NAME_SHOWN)
    own = (text(field(agent, name)) for name in _NAMES)
    of_class = (class_text(type(agent), name) for name in _NAMES)
    found = next((each for each in (*own, *of_class) if each and each.strip()), None)
    return legible(found or shown_type(type(agent)).rpartition(".")[2], _NAME_SHOWN)


def _version(agent: Any) -> str:
    if inspect.isroutine(agent):
        return ""
    names = ("agent_version", "version")
    found = next((each for name in names if (each := text(field(agent, name)) or class_text(type(agent), name))), "")
    return legible(found, _NAME_SHOWN)


def _function_key(agent: Any) -> tuple[str | None, str]:
    if type(agent) is types.MethodType:
        key, why = _object_key(agent.__self__)
        return (None, why) if key is None else (f"{key}.{agent.__func__.__qualname__}", "")
    name = arguments.name_of(agent)
    if name is None:
        return None, "a lambda, a closure, or a function made in another is told from others by agent_name alone"
    return name, ""


def _object_key(agent: Any) -> tuple[str | None, str]:
    name = arguments.name_of(type(agent))
    if name is None:
        return None, "a class made in a function is told from others by agent_name alone"
    if classify(type(agent)).kind not in (Kind.AGENT, Kind.OPAQUE, Kind.RECORD):
        return None, "what the agent is made of cannot be looked at: give agent_name"
    found = arguments.key_of(stored(agent), _LIMITS)
    if found.text is None:
        return None, f"the agent holds what does not count in a key, {_first(found.lost)}: give agent_name"
    return f"{name}.{method_of(agent)}:{found.text}", ""
