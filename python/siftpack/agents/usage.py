"""Token counts of several model calls as one."""

from collections.abc import Iterable
from typing import Any

from siftpack.agents.fields import fields


def total(counts: Iterable[Any]) -> dict[str, Any] | None:
    """The sum of usage records or dicts, name by name, through what is nested in them; None if there is none.

    Numbers add up, and None counts nothing; of anything else the last stands.
    """
    whole: dict[str, Any] | None = None
    for count in counts:
        if count is not None:
            whole = _added(whole or {}, fields(count))
    return whole


def _added(whole: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    for name, value in more.items():
        before = whole.get(name)
        if type(value) in (int, float):
            whole[name] = value + (before if type(before) in (int, float) else 0)
        elif value is not None and type(value) not in (str, bool, list, tuple) and fields(value):
            whole[name] = _added(before if type(before) is dict else {}, fields(value))
        elif value is not None or name not in whole:
            whole[name] = value
    return whole
