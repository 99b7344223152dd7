"""The names by which a run is told from all others: checked once, where they come in."""

import uuid
from typing import Any, Final

from siftpack.agents.fields import text
from siftpack.errors import PolicyError

NAMES: Final = ("user_id", "thread_id", "run_id", "request_id")
LONGEST: Final = 256
"""Characters that an id may have."""


def checked(value: Any, name: str) -> str:
    """An id as an exact str. Raises ``PolicyError`` for what is no str, empty, blank, too long or not printable."""
    exact = text(value)
    if exact is None:
        raise PolicyError(f"{name} must be a str")
    if not exact.strip():
        raise PolicyError(f"{name} must not be empty")
    if len(exact) > LONGEST:
        raise PolicyError(f"{name} is longer than {LONGEST} characters")
    if not exact.isprintable():
        raise PolicyError(f"{name} holds characters that cannot be printed")
    return exact


def made() -> str:
    """A new id."""
    return uuid.uuid4().hex


def spelled(value: Any) -> Any:
    """An id that another system keeps as a number or a UUID, as text; anything else as it is."""
    if type(value) is int or type(value) is uuid.UUID:
        return str(value)
    return value
