"""``extract``: the business result of whatever an agent returned."""

import datetime as dt
from collections.abc import Callable
from typing import Any, Final, TypeVar

from siftpack.agents import errors, frameworks, ids
from siftpack.agents.context import ExecutionContext
from siftpack.agents.found import Found
from siftpack.agents.reports import joined
from siftpack.agents.result import AgentResult, Beside, Status, beside, put_beside
from siftpack.agents.sifting import opened, report_of, sifted
from siftpack.agents.split import Parts, split
from siftpack.errors import PolicyError
from siftpack.policy import MACHINERY_KINDS, Action, Kind
from siftpack.report import Report, shown_type
from siftpack.storage import inherits, mro

_NO_RESULT: Final = MACHINERY_KINDS | {Kind.OPAQUE}
Reader = Callable[[Any], Any]
_R = TypeVar("_R", bound=Reader)
METADATA: Final = ("timestamp", "processing_time", "usage", "version")
"""The keys that every result's metadata has, None where unknown."""


class Extract:
    """``extract(result, context=None)`` gives an ``AgentResult``; ``extract.register(cls)`` teaches it a class."""

    def __init__(self) -> None:
        self._readers: dict[int, tuple[type, Reader]] = {}

    def __call__(
        self, result: Any, context: ExecutionContext | None = None, *, agent_name: str | None = None
    ) -> AgentResult:
        """The result of a run: data apart from what is said of the run, and both apart from machinery.

        A class that was registered is read as its function says, a known framework's by its adapter, an exception is a
        failure, and anything else is read from storage: the fields of a record or object, the entries of a dict, and
        what is neither under ``output``. The context's ids are the result's; what the result itself reports never
        takes their place. Nothing of the result runs. Never raises for a result: one past all bounds is a failed one.
        """
        if type(result) is AgentResult:
            return _adopted(result, context)
        try:
            return self._read(result, context, agent_name)
        except Exception as refused:  # noqa: BLE001 - a reader of the user's, or a result past all bounds
            return failed(refused, context, agent_name=agent_name, raw=result)

    def register(self, cls: type) -> Callable[[_R], _R]:
        """Decorator: its function reads instances of ``cls`` and of its subclasses.

        The function gives a dict, which is taken apart like any other, or a ``Found``. Raises ``PolicyError`` for what
        is no class.
        """
        if not inherits(type(cls), type):
            raise PolicyError("extract.register takes a class")

        def add(reader: _R) -> _R:
            self._readers[id(cls)] = (cls, reader)
            return reader

        return add

    def _read(self, result: Any, context: ExecutionContext | None, agent_name: str | None) -> AgentResult:
        if inherits(type(result), BaseException):
            return failed(result, context, agent_name=agent_name)
        reader = next((self._readers[id(each)][1] for each in mro(type(result)) if id(each) in self._readers), None)
        if reader is not None:
            given = reader(result)
            found = given if type(given) is Found else Found(given, split=True)
            report = joined(report_of(opened(result)), report_of({"result_data": found.data}))
            return _made(result, found, report, context, agent_name)
        known = frameworks.read(result)
        walked = opened(result)
        report = report_of(walked)
        if known is None and _is_machinery(report):
            return _unusable(result, report, context, agent_name)
        return _made(result, known or Found(walked, split=True), report, context, agent_name)


def _made(
    result: Any, found: Found, report: Report, context: ExecutionContext | None, agent_name: str | None
) -> AgentResult:
    clean = sifted({"data": found.data, "metadata": found.metadata, "error": found.error})
    data = clean.get("data")
    known = _known(context)
    if found.split and type(data) is dict:
        parts = split(data, known)
    else:
        parts = Parts(data if type(data) is dict else {"output": data}, {}, None, None, {})
    error = clean.get("error") or parts.error
    status = found.status or parts.status or Status.COMPLETED
    if error is not None and status is Status.COMPLETED:
        status = Status.FAILED
    metadata = _joined(parts.metadata, clean.get("metadata", {}))
    strange = {name: value for name, value in parts.ids.items() if name in known and known[name] != value}
    if strange:
        metadata["reported_ids"] = strange
    named = {**parts.ids, **known, "agent_name": agent_name or found.agent_name or parts.ids.get("agent_name")}
    made = AgentResult(status=status.value, result_data=parts.data, metadata=_stamped(metadata), error=error, **named)
    put_beside(made, Beside(result, report))
    return made


def failed(
    raised: BaseException,
    context: ExecutionContext | None,
    *,
    agent_name: str | None = None,
    status: Status = Status.FAILED,
    raw: Any = None,
) -> AgentResult:
    """The result of a run that raised."""
    made = AgentResult(
        agent_name=agent_name,
        status=status.value,
        metadata=_stamped(_nothing()),
        error=errors.of_exception(raised),
        **_known(context),  # type: ignore[arg-type]  # ids alone
    )
    put_beside(made, Beside(raised if raw is None else raw))
    return made


def _is_machinery(report: Report) -> bool:
    """True if the result itself was left out, and not a part of it."""
    return any(found.path == "$" and found.action is Action.DROP and found.kind in _NO_RESULT for found in report)


def _unusable(result: Any, report: Report, context: ExecutionContext | None, agent_name: str | None) -> AgentResult:
    what = f"the agent gave a {shown_type(type(result))}, which is not data"
    made = failed(TypeError(what), context, agent_name=agent_name)
    put_beside(made, Beside(result, report))
    return made


def _adopted(result: AgentResult, context: ExecutionContext | None) -> AgentResult:
    """A result of ours in another's hands: a copy with the ids of that context."""
    known = _known(context)
    made = AgentResult.from_dict(sifted(result.to_dict()) | known)
    strange = {n: v for n in ("user_id",) if n in known and (v := getattr(result, n)) not in (None, known[n])}
    if strange:
        made.metadata["reported_ids"] = strange
    there = beside(result)
    put_beside(made, Beside(there.raw, there.report, cached=there.cached))
    return made


def _known(context: ExecutionContext | None) -> dict[str, str]:
    return {} if context is None else {name: getattr(context, name) for name in ids.NAMES}


def _joined(reported: dict[str, Any], read: dict[str, Any]) -> dict[str, Any]:
    """Metadata that a dict reports, and that an adapter read; where both say something, both are kept."""
    twice = {f"reported_{name}": value for name, value in reported.items() if name in read and read[name] != value}
    return {**_nothing(), **reported, **read, **twice}


def _nothing() -> dict[str, Any]:
    return dict.fromkeys(METADATA)


def _stamped(metadata: dict[str, Any]) -> dict[str, Any]:
    given = metadata.get("timestamp")
    if type(given) is dt.datetime:
        metadata["timestamp"] = given.isoformat()
    elif given is None:
        metadata["timestamp"] = now()
    return metadata


def now() -> str:
    """The moment, ISO 8601, UTC."""
    return dt.datetime.now(dt.UTC).isoformat()


extract: Final = Extract()
__all__ = ["METADATA", "Extract", "Found", "extract", "failed", "now"]
