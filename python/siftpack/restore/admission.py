"""Which classes may be listed at all, and why the others may not."""

import enum
import sys

from siftpack import registry
from siftpack.classify import Shape, Spec, classify
from siftpack.errors import PolicyError
from siftpack.policy import MACHINERY_KINDS, Kind
from siftpack.restore import Flavour, Plan, plan_of
from siftpack.storage import inherits, module_attribute, mro, type_name

_ITSELF = (object, type(None), bool, type(NotImplemented))
_OWN_PLAN = (Shape.EXCEPTION, Shape.ENUM, Shape.RECORD, Shape.NAMEDTUPLE, Shape.OPAQUE, Shape.WRAPPER)


def admit(cls: type) -> tuple[Flavour, Plan]:
    """Flavour and plan of a class whose instances can come back. Raises ``PolicyError`` saying why others cannot."""
    if _is_typed_dict(cls):
        raise _refused(cls, "a TypedDict has no instances, its dicts come back as dicts")
    spec = classify(cls)
    if spec.kind is Kind.SECRET:
        raise _refused(cls, "a secret is never written")
    if spec.kind in MACHINERY_KINDS and not _only_acts(cls, spec):
        raise _refused(cls, f"it is machinery ({spec.kind})")
    if any(cls is each for each in _ITSELF) or (spec.exact and spec.shape not in (*_OWN_PLAN, Shape.LEAF)):
        raise _refused(cls, "a builtin type needs no listing")
    if spec.shape is Shape.EXCEPTION and inherits(cls, enum.Enum):
        raise _refused(cls, "it is an enum of exceptions")
    return plan_of(cls, spec)


def _only_acts(cls: type, spec: Spec) -> bool:
    """Whether a class counts as an agent for a method it has, and not because anybody said so."""
    return spec.kind is Kind.AGENT and not any(_is_declared(each) for each in mro(cls))


def _is_declared(cls: type) -> bool:
    _, kind, _ = registry.REGISTERED.get(id(cls), (cls, None, None))
    return kind is not None or classify(cls).sealed


def _is_typed_dict(cls: type) -> bool:
    places = (("typing", "_TypedDictMeta"), ("typing_extensions", "_TypedDictMeta"))
    metas = [module_attribute(sys.modules, *place) for place in places]
    return any(inherits(type(cls), meta) for meta in metas if meta is not None)


def _refused(cls: type, why: str) -> PolicyError:
    return PolicyError(f"{type_name(cls)} cannot be listed: {why}")
