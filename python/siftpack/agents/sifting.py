"""How a result is sifted: as everywhere, but that objects of unknown classes keep their underscore fields too."""

import sys
import weakref
from typing import Any, Final

from siftpack import _core
from siftpack.agents.fields import stored
from siftpack.classify import Shape, classify
from siftpack.policy import Kind, Policy
from siftpack.redact import secret_name
from siftpack.registry import CHANGES, register
from siftpack.report import Report


class Masked:
    """Stands for a field whose name says that it holds a secret."""

    __slots__ = ()


register(Masked, kind=Kind.SECRET)
_MASKED: Final = Masked()


_Stamp = tuple[int, int]
_known: dict[int, tuple[weakref.ref[type], _Stamp, bool]] = {}
"""Whether a class is opaque, by its identity; not owned, and forgotten when modules or registrations have changed."""
_KNOWN_AT_MOST: Final = 1024


def _opaque(cls: type) -> bool:
    stamp = (len(sys.modules), CHANGES[0])
    found = _known.get(id(cls))
    if found is not None and found[0]() is cls and found[1] == stamp:
        return found[2]
    spec = classify(cls)
    if len(_known) >= _KNOWN_AT_MOST:
        _known.clear()
    answer = spec.kind is Kind.OPAQUE and spec.shape is Shape.OPAQUE
    _known[id(cls)] = (weakref.ref(cls), stamp, answer)
    return answer


def _with_private(obj: Any) -> Any:
    """Everything an object of an unknown class stores: results keep their text in underscore fields as often as not."""
    if not _opaque(type(obj)):
        return NotImplemented
    own = stored(obj)
    return masked(own) if any(name.startswith("_") for name in own) else NotImplemented


def masked(own: dict[str, Any]) -> dict[str, Any]:
    """The fields of an object as a dict; those that hold a secret by their name are masked, and reported as such."""
    return {name: _MASKED if value is not None and secret_name(name) else value for name, value in own.items()}


RESULTS: Final = Policy(default=_with_private)
"""The policy for what agents return."""


def opened(result: Any) -> Any:
    """What is walked for a result: the fields of one whose class only looks like an agent's, else the result itself.

    Agents, tools and graphs that are known as such, or registered, stay closed.
    """
    spec = classify(type(result))
    guessed = spec.kind is Kind.AGENT and not spec.exact  # by a method of execution alone
    return masked(stored(result)) if guessed else result


def sifted(value: Any) -> Any:
    """An isolated copy, data only. Raises ``LimitExceeded``."""
    return _core.sanitize(value, policy=RESULTS)


def report_of(value: Any) -> Report:
    """What ``sifted`` leaves out."""
    return _core.inspect(value, policy=RESULTS)
