"""A dict that an agent returned, taken apart: what it found out, and what it says of the run itself."""

from typing import Any, Final, NamedTuple

from siftpack.agents import errors, ids
from siftpack.agents.result import Status, status_of

USAGE: Final = ("usage", "token_usage", "usage_metadata", "models_usage", "usage_metrics", "llm_usage")
_RUN: Final = {
    name: name
    for name in (
        "version timestamp started_at finished_at processing_time processing_time_ms execution_time "
        "execution_time_ms duration_ms elapsed_ms latency_ms timing timings"
    ).split()
} | {"agent_version": "version"}
_FLAGS: Final = ("success", "ok", "succeeded", "is_error")


class Parts(NamedTuple):
    """The two halves of a dict."""

    data: dict[Any, Any]
    metadata: dict[str, Any]
    status: Status | None
    error: dict[str, Any] | None
    ids: dict[str, str]
    """Of the four ids and ``agent_name`` those that it reports."""


def split(given: dict[Any, Any], known: dict[str, str]) -> Parts:
    """Take a sifted dict apart. ``known`` are the ids of the run that are known already.

    A reported id that differs from a known one is business data and stays; the words of ``AgentResult.to_dict``, which
    has its data under ``result_data``, are recognised as a whole. Every other key stays under its own name.
    """
    data = dict(given)
    whole = type(data.get("result_data")) is dict
    metadata: dict[str, Any] = data.pop("metadata") if type(data.get("metadata")) is dict else {}
    _lift(data, metadata)
    reported = _ids(data, known, whole=whole)
    word, error = _ending(data, metadata)
    if whole:
        data = data["result_data"]
    return Parts(data, metadata, word, error, reported)


def _lift(data: dict[Any, Any], metadata: dict[str, Any]) -> None:
    """Moves what is said of the run; what would take another's place stays where it is."""
    for key in list(data):
        plain = key.lstrip("_") if type(key) is str else ""
        name = "usage" if plain in USAGE and type(data[key]) is dict else _RUN.get(plain)
        if name is not None and metadata.get(name) is None:
            metadata[name] = data.pop(key)
    for key in USAGE[1:]:
        if type(metadata.get(key)) is dict and metadata.get("usage") is None:
            metadata["usage"] = metadata.pop(key)


def _ids(data: dict[Any, Any], known: dict[str, str], *, whole: bool) -> dict[str, str]:
    found = {}
    for name in (*ids.NAMES, "agent_name"):
        given = data.get(name)
        if type(given) is str and given and (whole or known.get(name) in (None, given)):
            found[name] = data.pop(name)
        elif whole and given is None:
            data.pop(name, None)
    return found


def _ending(data: dict[Any, Any], metadata: dict[str, Any]) -> tuple[Status | None, dict[str, Any] | None]:
    word = None
    if type(data.get("status")) in (str, bool, int):
        word = status_of(data["status"])
        reported = data.pop("status")
        if word is Status.UNKNOWN:
            metadata["reported_status"] = reported
    flags = {name: data[name] for name in _FLAGS if type(data.get(name)) is bool}
    flags["is_error"] = not flags.get("is_error", False)
    if not all(flags.values()) and word in (None, Status.COMPLETED, Status.UNKNOWN):
        word = Status.FAILED
    error = errors.of_data(data.get("error"))
    if "error" in data and type(data["error"]) in (str, dict, type(None), bool):
        more = errors.details(data.pop("error"))
        if more:
            metadata["error_details"] = more
    if error is not None and word in (None, Status.COMPLETED, Status.UNKNOWN):
        word = Status.FAILED
    if word is None and type(data.get("errors")) in (list, dict) and data["errors"]:
        word = Status.FAILED
    return word, error
