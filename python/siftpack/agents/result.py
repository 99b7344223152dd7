"""``AgentResult``: what came of a run, in one shape for every framework."""

import enum
from dataclasses import dataclass, field
from typing import Any, Final, Self

from siftpack import _core
from siftpack.agents import reports
from siftpack.policy import Kind
from siftpack.registry import register
from siftpack.report import Report


class Status(enum.StrEnum):
    """How a run ended. Only ``COMPLETED`` is a success."""

    COMPLETED = "completed"
    FAILED = "failed"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    PARTIAL = "partial"
    """It stopped before its end: out of steps, turns or tokens."""
    INTERRUPTED = "interrupted"
    """It waits for a person."""
    PENDING = "pending"
    """It goes on elsewhere."""
    UNKNOWN = "unknown"
    """It says how it ended in a word that nobody here knows; the word is in ``metadata["reported_status"]``."""


_WORDS: Final = {
    Status.COMPLETED: "completed complete success successful succeeded ok done finished passed final stop end_turn",
    Status.FAILED: "failed failure fail error errored exception fatal crashed aborted rejected denied invalid refused",
    Status.TIMEOUT: "timeout timed_out timedout deadline_exceeded expired",
    Status.CANCELLED: "cancelled canceled stopped killed",
    Status.PARTIAL: (
        "partial partially_completed incomplete truncated length max_tokens max_steps max_steps_error max_turns"
    ),
    Status.INTERRUPTED: "interrupted interrupt paused requires_action awaiting_input needs_approval blocked",
    Status.PENDING: "pending running in_progress queued waiting started processing scheduled",
}
_BY_WORD: Final = {word: status for status, words in _WORDS.items() for word in words.split()}


def status_of(word: Any) -> Status | None:
    """The status that a reported word, flag or HTTP code means; None for what reports nothing."""
    if word is None:
        return None
    if type(word) is bool:
        return Status.COMPLETED if word else Status.FAILED
    if type(word) is int:
        return Status.COMPLETED if 200 <= word < 300 else Status.FAILED if 400 <= word < 600 else Status.UNKNOWN
    if type(word) is not str:
        return Status.UNKNOWN
    spelled = word.strip().lower().replace("-", "_").replace(" ", "_").rpartition(".")[2]
    return _BY_WORD.get(spelled, Status.UNKNOWN)


class Beside:
    """What a result has beside its data, and what is never written: the original, the report, where it came from."""

    __slots__ = ("cached", "raw", "report")

    def __init__(self, raw: Any = None, report: Report = reports.EMPTY, *, cached: bool = False) -> None:
        self.raw = raw
        self.report = report
        self.cached = cached

    def __repr__(self) -> str:
        return "<Beside>"


register(Beside, kind=Kind.CONTEXT)


class _Slot:
    __slots__ = ("_beside",)
    _beside: Beside


@dataclass(slots=True)
class AgentResult(_Slot):
    """The result of one run of one agent.

    - ``agent_name``; ``status``, a word of ``Status``
    - ``result_data``: the business result, data only
    - ``metadata``: ``timestamp`` (ISO, UTC), ``processing_time`` (seconds), ``usage``, ``version``, each None where
      unknown, and what else the agent said of the run
    - ``user_id``, ``thread_id``, ``run_id``, ``request_id``: whose run it was, None where unknown
    - ``error``: ``{"type": ..., "message": ...}`` or None; a result with an error is never ``completed``
    """

    agent_name: str | None = None
    status: str = Status.UNKNOWN.value
    result_data: dict[Any, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    user_id: str | None = None
    thread_id: str | None = None
    run_id: str | None = None
    request_id: str | None = None
    error: dict[str, Any] | None = None

    @property
    def ok(self) -> bool:
        """True if the run completed and no error was reported."""
        return self.status == Status.COMPLETED.value and self.error is None

    @property
    def raw(self) -> Any:
        """The very object that the agent returned; None where the result was read back. Never written, never copied."""
        return beside(self).raw

    @property
    def report(self) -> Report:
        """What was left out of the result, with paths into what the agent returned."""
        return beside(self).report

    @property
    def cached(self) -> bool:
        """True if it came from a cache and the agent did not run."""
        return beside(self).cached

    def to_dict(self) -> dict[str, Any]:
        """Plain data: every field under its name. What the agent returned and the report are not among it."""
        return {name: getattr(self, name) for name in FIELDS}

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """The result that ``to_dict`` described. Raises ``ValueError`` for anything else."""
        if type(data) is not dict or not data.keys() >= {"status", "result_data", "metadata"}:
            raise ValueError("not what AgentResult.to_dict gives")
        known = {name: data[name] for name in FIELDS if name in data}
        if not all(type(value) in _TYPES.get(name, _TEXT) for name, value in known.items()):
            raise ValueError("not what AgentResult.to_dict gives")
        return cls(**known)

    def __getstate__(self) -> dict[str, Any]:
        # As bytes of ours, because not all data pickles: a memoryview does not.
        return {"packed": _core.packb(self.to_dict()), "report": self.report, "cached": self.cached}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in _core.unpackb(state["packed"]).items():
            setattr(self, name, value)
        put_beside(self, Beside(None, state["report"], cached=state["cached"]))


_NONE: Final = type(None)
_TEXT: Final = (str, _NONE)
_TYPES: Final = {"status": (str,), "result_data": (dict,), "metadata": (dict,), "error": (dict, _NONE)}
FIELDS: Final = tuple(AgentResult.__dataclass_fields__)


def beside(result: AgentResult) -> Beside:
    """What a result has beside its data; one that was made from data has nothing there."""
    return getattr(result, "_beside", None) or Beside()


def put_beside(result: AgentResult, what: Beside) -> None:
    """Set what a result has beside its data."""
    object.__setattr__(result, "_beside", what)
