"""What an adapter reads out of a framework's result, before it is sifted."""

from dataclasses import dataclass, field
from typing import Any

from siftpack.agents.result import Status


@dataclass(slots=True)
class Found:
    """The business result in ``data``, what is known of the run in ``metadata``; None where an adapter knows nothing.

    ``data`` may hold machinery: it is sifted afterwards. What is no dict becomes ``{"output": data}``. With
    ``split=True`` a dict's own words of execution (``status``, ``usage``, ``error``, ids ...) are looked for in it.
    """

    data: Any
    metadata: dict[str, Any] = field(default_factory=dict)
    status: Status | None = None
    error: dict[str, Any] | None = None
    agent_name: str | None = None
    split: bool = False
