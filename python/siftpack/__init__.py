"""Turns any Python object graph into clean, safe, fast MessagePack.

``packb`` keeps the data of any object, leaves the machinery out and writes MessagePack; ``unpackb`` reads it back as
plain values. ``dumps`` and ``loads`` are the same in a frame that nothing else can be taken for. ``sanitize`` gives an
isolated copy, ``inspect`` a report of what would be left out, where and why.
"""

from typing import TYPE_CHECKING

from siftpack._core import (
    dumps,
    dumps_with_report,
    fingerprint,
    fingerprint_with_report,
    inspect,
    loads,
    packb,
    packb_with_report,
    sanitize,
    unpackb,
)
from siftpack.errors import DecodeError, EncodeError, FrameError, LimitExceeded, PolicyError, SiftError
from siftpack.ndarray import NDArray
from siftpack.policy import DEFAULT, JSON, LOGGING, PORTABLE, STRICT, Action, Kind, Limits, Policy
from siftpack.registry import register
from siftpack.report import Ext, Finding, Report, Tombstone
from siftpack.serializer import Serializer

if TYPE_CHECKING:
    __version__: str
else:

    def __getattr__(name: str) -> str:
        # importlib.metadata takes longer to import than all of siftpack. Hidden from type checkers, to whom every name
        # they do not find here would otherwise be a str.
        if name != "__version__":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib.metadata import version

        found = globals()["__version__"] = version("siftpack")
        return found


__all__ = [
    "DEFAULT",
    "JSON",
    "LOGGING",
    "PORTABLE",
    "STRICT",
    "Action",
    "DecodeError",
    "EncodeError",
    "Ext",
    "Finding",
    "FrameError",
    "Kind",
    "LimitExceeded",
    "Limits",
    "NDArray",
    "Policy",
    "PolicyError",
    "Report",
    "Serializer",
    "SiftError",
    "Tombstone",
    "__version__",
    "dumps",
    "dumps_with_report",
    "fingerprint",
    "fingerprint_with_report",
    "inspect",
    "loads",
    "packb",
    "packb_with_report",
    "register",
    "sanitize",
    "unpackb",
]
