"""One module a question: its docstring says what is asked, ``AIMS`` what is hoped for, ``cases`` what is measured.

``UNIT`` is what the figures are in, ``us`` (microseconds a call) if it is not said.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from case import Aim, Case

NAMES = (
    *("pack_clean", "pack_dirty", "report", "records", "unpack", "sanitize", "fingerprint"),
    *("dirty_leaf", "growth", "memory", "frame", "cache", "imports"),
)


@dataclass(frozen=True)
class Question:
    """A question as its module puts it."""

    name: str
    text: str
    unit: str
    aims: tuple[Aim, ...]
    cases: Callable[[], list[Case]]
    figures: str = "Minima"


def load(name: str) -> Question:
    """The question of that name. Raises ``ModuleNotFoundError`` if there is none."""
    module = importlib.import_module(f"questions.{name}")
    text = (module.__doc__ or "").splitlines()[0]
    return Question(
        name, text, getattr(module, "UNIT", "us"), module.AIMS, module.cases, getattr(module, "FIGURES", "Minima")
    )
