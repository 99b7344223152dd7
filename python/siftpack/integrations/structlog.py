"""A processor for structlog: what is in an event dict becomes data that every renderer can write.

``structlog.configure(processors=[..., Sift(), structlog.processors.JSONRenderer()])``
"""

from collections.abc import Iterable, MutableMapping
from typing import Any, Final

from siftpack import LOGGING, Limits, Policy, sanitize
from siftpack.storage import type_name

POLICY: Final = LOGGING.replace(mode="json")
"""Names where machinery was, masks where secrets were, strings of at most 1024 characters, and nothing but JSON."""
LIMITS: Final = Limits(depth=32, nodes=10_000, bytes=256 * 1024, on_exceed="cut")
"""What one event may hold; the rest is cut."""
KEPT: Final = ("exc_info", "stack_info", "_record", "_from_structlog")
"""What later processors of structlog read themselves."""

_SCALARS: Final = (str, int, float, bool, type(None))
"""Sifted before the rest, so that a limit cuts what is large and not the text of the event."""


class Sift:
    """Sifts an event dict by ``policy`` within ``limits``; the values under ``kept`` stay what they are.

    Put it after those that add to the dict and before the renderer. It never raises: of an event that cannot be sifted,
    the text and the reason are left.
    """

    __slots__ = ("_kept", "_limits", "_policy")

    def __init__(self, *, policy: Policy = POLICY, limits: Limits = LIMITS, kept: Iterable[str] = KEPT) -> None:
        self._policy = policy
        self._limits = limits
        self._kept = frozenset(kept)

    def __call__(
        self,
        logger: Any,  # noqa: ARG002 - structlog gives it
        method_name: str,  # noqa: ARG002 - structlog gives it
        event_dict: MutableMapping[str, Any],
        /,
    ) -> dict[str, Any]:
        """The event dict to go on with: a new one."""
        kept = {name: value for name, value in event_dict.items() if name in self._kept}
        rest = {name: value for name, value in event_dict.items() if name not in self._kept}
        first = {name: value for name, value in rest.items() if any(type(value) is each for each in _SCALARS)}
        try:
            found = sanitize(first | rest, policy=self._policy, limits=self._limits)
            sifted: dict[str, Any] = {name: found[name] for name in (*rest, *found) if name in found}
        except Exception as error:  # noqa: BLE001 - a log line must not fail its program
            event = rest.get("event")
            sifted = {"event": event[:1024] if type(event) is str else None, "unsifted": type_name(type(error))}
        return {**sifted, **kept}
