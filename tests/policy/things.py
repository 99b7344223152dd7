"""Classes for tests of hooks to register, and what an inspection says of them."""

from typing import Any

from siftpack.policy import Action, Kind


class Thing:
    """A class to register."""

    def __init__(self, held: Any = 1) -> None:
        self.held = held


class Below(Thing):
    """A subclass of it."""


def found(subject: Any, value: Any, **options: Any) -> list[tuple[str, Kind, Action]]:
    """Path, kind and action of each finding."""
    return [(each.path, each.kind, each.action) for each in subject.inspect(value, **options)]
