"""What other serializers do with the scene: their own words, caught."""

import json
import pickle
from collections.abc import Callable
from typing import Any, NamedTuple

import ormsgpack


class Verdict(NamedTuple):
    """What one serializer did."""

    name: str
    answer: str
    """Its error for the whole context, or the size of its output."""
    fits: int
    """Entries of the context it writes when given one at a time."""
    leaks: int
    """Entries in whose output the API key can be read."""


def _ormsgpack(value: Any) -> bytes:
    return ormsgpack.packb(value, option=ormsgpack.OPT_NON_STR_KEYS | ormsgpack.OPT_SERIALIZE_PYDANTIC)


PEERS: tuple[tuple[str, Callable[[Any], bytes]], ...] = (
    ("pickle", pickle.dumps),
    ("json", lambda value: json.dumps(value).encode()),
    ("ormsgpack", _ormsgpack),
)


def verdicts(context: dict[str, Any], secret: str) -> list[Verdict]:
    """One verdict for each of ``PEERS``."""
    return [_verdict(name, write, context, secret.encode()) for name, write in PEERS]


def _verdict(name: str, write: Callable[[Any], bytes], context: dict[str, Any], secret: bytes) -> Verdict:
    whole = _try(write, context)
    written = [data for data in (_try(write, value) for value in context.values()) if isinstance(data, bytes)]
    answer = f"{len(whole)} bytes" if isinstance(whole, bytes) else whole
    return Verdict(name, answer, len(written), sum(secret in data for data in written))


def _try(write: Callable[[Any], bytes], value: Any) -> bytes | str:
    try:
        return write(value)
    except Exception as refused:  # noqa: BLE001 - whatever they raise is what is shown
        return f"{type(refused).__name__}: {refused}"
