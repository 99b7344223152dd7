"""The key of a run in a cache, which must never give one answer for two questions.

What tells agents apart is the name they are given, or else a named function without a closure, or else a class and
everything its instance stores. Where something of that, or of the question, is lost in the fingerprint, there is no
key.
"""

import inspect
import types
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from siftpack._core import fingerprint_with_report
from siftpack.agents import ids
from siftpack.agents.calling import method_of
from siftpack.agents.context import ExecutionContext
from siftpack.agents.fields import class_text, field, stored, text
from siftpack.classify import classify
from siftpack.errors import SiftError
from siftpack.policy import Action, Kind
from siftpack.report import Report, legible, shown_type

_NAME_SHOWN: Final = 120
_NAMES: Final = ("agent_name", "name")


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


def key_of(
    who: Identity, context: ExecutionContext, input_data: Any, keys: Iterable[str] | None, *, per_thread: bool
) -> tuple[str | None, str]:
    """The key of a question, or None and why there is none. ``keys`` are the entries of the data that count."""
    if who.key is None:
        return None, who.why
    data = context.data if keys is None else {name: context.data[name] for name in keys if name in context.data}
    try:
        digest, report = fingerprint_with_report(
            {
                "agent": (who.key, who.version),
                "input": input_data,
                "data": data,
                "thread": context.thread_id if per_thread else None,
            }
        )
    except (SiftError, MemoryError):
        return None, "the input is past all bounds"
    if _lossy(report):
        return None, f"part of the input is no data: {report.findings[0].path}"
    return f"agent:{who.key}:{who.version}:{digest}", ""


def _lossy(report: Report) -> bool:
    return report.cut or report.omitted > 0 or any(each.action is not Action.CONVERTED for each in report)


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
    if type(agent) is not types.FunctionType:
        return None, "nothing tells this function from others: give agent_name"
    named = agent.__name__ != "<lambda>" and agent.__closure__ is None
    if not named or agent.__defaults__ is not None or agent.__kwdefaults__ is not None:
        return None, "a lambda, a closure, or a function with defaults is told from others by agent_name alone"
    return f"{agent.__module__}.{agent.__qualname__}", ""


def _object_key(agent: Any) -> tuple[str | None, str]:
    kind = shown_type(type(agent))
    if "<locals>" in kind:
        return None, "a class made in a function is told from others by agent_name alone"
    if classify(type(agent)).kind not in (Kind.AGENT, Kind.OPAQUE, Kind.RECORD):
        return None, "what the agent is made of cannot be looked at: give agent_name"
    try:
        digest, report = fingerprint_with_report(stored(agent))
    except (SiftError, MemoryError):
        return None, "the agent holds more than can be looked at: give agent_name"
    if _lossy(report):
        return None, f"the agent holds what is no data ({report.findings[0].path}): give agent_name"
    return f"{kind}.{method_of(agent)}:{digest}", ""
