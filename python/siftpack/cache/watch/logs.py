"""Events as lines of a log: ``Cache(..., on_event=LogEvents())``. Paths and types, never values, keys or users."""

import logging
from typing import Final

from siftpack.cache.events import CacheEvent
from siftpack.report import PATH_SHOWN, shorten

SHOWN: Final = 5
"""Findings that a line names."""


class LogEvents:
    """Writes each event to a logger of the standard library, ``siftpack.cache.events`` without one.

    Alarms are warnings, errors and writes that lost something are information, the rest is for debugging.
    """

    __slots__ = ("_log",)

    def __init__(self, logger: logging.Logger | None = None) -> None:
        self._log = logging.getLogger("siftpack.cache.events") if logger is None else logger

    def __call__(self, event: CacheEvent, /) -> None:
        """Write one line."""
        level = level_of(event)
        if self._log.isEnabledFor(level):
            self._log.log(level, "cache %s: %s", event.namespace, told(event))


def level_of(event: CacheEvent) -> int:
    """The level of an event's line."""
    if event.alarm:
        return logging.WARNING
    return logging.INFO if event.name == "error" or event.findings or event.detail == "text" else logging.DEBUG


def told(event: CacheEvent) -> str:
    """An event in words: what it was, how much, and what was left out."""
    parts = [f"{event.name} {event.detail}".rstrip()]
    if event.size:
        parts.append(f"{event.size} bytes")
    if event.name == "delete":
        parts.append(f"{event.entries} entries")
    if event.seconds is not None and event.name == "compute":
        parts.append(f"{event.seconds:.3f} s")
    parts += [
        f"{shorten(finding.path, PATH_SHOWN)} ({finding.kind.value} {finding.type_name})"
        for finding in event.findings[:SHOWN]
    ]
    if len(event.findings) > SHOWN:
        parts.append(f"{len(event.findings) - SHOWN} more")
    return ", ".join(parts)
