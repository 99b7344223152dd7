"""How an agent is to be run."""

from collections.abc import Callable
from typing import Any, NamedTuple


class Call(NamedTuple):
    """A function of no arguments that gives the result, or something to await for it; whether it blocks meanwhile."""

    run: Callable[[], Any]
    blocking: bool = False
