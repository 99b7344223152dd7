"""A key made of arguments: the fingerprint of all of them, or the reason why there is none.

No two questions may have one key. So classes count beside what is in their instances, named functions and classes by
module and qualname, and whatever loses data in the fingerprint (a masked secret, a private field, a lambda, a client)
makes the whole call ambiguous: it has no key. What a listed class would keep is no exception.
"""

import sys
import types
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any, Final, NamedTuple

from siftpack._core import fingerprint_with_report
from siftpack.classify import Shape, Spec, classify
from siftpack.errors import EncodeError, PolicyError
from siftpack.listed import is_class, types_of
from siftpack.policy import Action, Kind, Limits, Policy
from siftpack.report import Finding, Report, shown_type
from siftpack.storage import instance_dict, module_attribute, module_dict, read_slot, slots, type_dict

LOOKED_AT: Final = 100_000
"""Objects that are looked at for their classes; arguments with more are ambiguous."""

_INSTANCES: Final = (Kind.RECORD, Kind.ENUM, Kind.SUBCLASS, Kind.OPAQUE, Kind.EXCEPTION)
_PLAIN: Final = Policy(dict.fromkeys(_INSTANCES, Action.DROP))
"""Under which only arguments of builtin types have a clean report."""
_NAMED: Final = (Kind.FUNCTION, Kind.CLASS)
_qualname: Any = type.__dict__["__qualname__"].__get__
_MISSING: Final = object()


class Key(NamedTuple):
    """The key, or None and what was lost: findings whose paths begin with the name of an argument."""

    text: str | None
    lost: tuple[Finding, ...] = ()


class Named(NamedTuple):
    """Stands in a fingerprint where a function or class was."""

    kind: str
    name: str


def key_of(arguments: Mapping[str, Any], limits: Limits) -> Key:
    """The key of named arguments; their order does not count, nor that of the dicts in them."""
    values = dict(arguments)
    try:
        found, report = fingerprint_with_report(values, policy=_PLAIN, limits=limits)
        if report.clean:
            return Key(found)
        return _with_classes(values, limits)
    except (EncodeError, MemoryError, RuntimeError):  # beyond the limits, or changed meanwhile
        return _ambiguous("$", Kind.OPAQUE, dict)


def _with_classes(values: dict[str, Any], limits: Limits) -> Key:
    classes: dict[str, tuple[type, str]] = {f"{__name__}:Named": (Named, "$")}
    trouble = _gather(values, classes, limits)
    if trouble is not None:
        return trouble
    try:
        listed = types_of({name: cls for name, (cls, _) in classes.items()})
    except PolicyError:
        cls, path = next(each for name, each in classes.items() if not _listable(name, each[0]))
        return _ambiguous(path, Kind.OPAQUE, cls)
    unlisted = _report(values, limits, _NAMING)
    found, report = fingerprint_with_report(values, policy=_NAMING, types=listed, limits=limits)
    lost = {finding: None for finding in unlisted if finding.action is not Action.CONVERTED}
    lost |= {finding: None for finding in report if not _is_name(finding)}
    return Key(None, tuple(lost)) if lost or unlisted.truncated or report.truncated else Key(found)


def _listable(name: str, cls: type) -> bool:
    """False for a class whose instances are not written by its name."""
    try:
        types_of({name: cls})
    except PolicyError:
        return False
    return True


def _is_name(finding: Finding) -> bool:
    """True for a key or set element that is a named function or class: it counts, by its name."""
    return finding.action is Action.CONVERTED and finding.kind in _NAMED


def _stand_in(found: Any) -> Any:
    name = name_of(found)
    return NotImplemented if name is None else Named("class" if is_class(found) else "function", name)


_NAMING: Final = Policy(default=_stand_in)


def name_of(found: Any) -> str | None:
    """``module:qualname`` of a function or class that is found under that name, else None."""
    kind = type(found)
    if is_class(found):
        module, qualname = type_dict(found).get("__module__"), "".join((_qualname(found),))
        if type(module) is not str:  # a builtin class
            module = type.__dict__["__module__"].__get__(found)
    elif kind is types.FunctionType or kind is types.BuiltinFunctionType:
        module, qualname = found.__module__, found.__qualname__
    else:
        return None
    if type(module) is not str or type(qualname) is not str or "<" in qualname:
        return None
    return f"{module_name(module)}:{qualname}" if module_attribute(sys.modules, module, qualname) is found else None


def module_name(module: str) -> str:
    """A module's name as it is outside this process: of the main program that of its file, or of ``python -m``."""
    if module != "__main__":
        return module
    own = module_dict(sys.modules["__main__"]) if "__main__" in sys.modules else {}
    spec, file = own.get("__spec__"), own.get("__file__")
    if spec is not None and type(getattr(spec, "name", None)) is str:
        return f"__main__.{spec.name}"
    return f"__main__.{PurePath(file).stem}" if type(file) is str else "__main__"


# The classes of all instances in the arguments.


def _gather(values: dict[str, Any], classes: dict[str, tuple[type, str]], limits: Limits) -> Key | None:
    """Adds them by name to ``classes``, with the argument they are in; a ``Key`` without text if one has no name, or
    there is no looking inside.
    """  # noqa: D205 - one sentence, too long for a line
    specs: dict[int, Spec] = {}
    seen: dict[int, Any] = {}
    waiting: list[tuple[str, Any]] = [(f"$.{name}", value) for name, value in values.items()]
    while waiting:
        path, value = waiting.pop()
        cls = type(value)
        if any(cls is each for each in _SCALARS):
            continue
        spec = specs.get(id(cls)) or specs.setdefault(id(cls), classify(cls))
        if spec.shape in _BARE and spec.exact:
            continue
        if id(value) in seen:
            continue
        seen[id(value)] = value
        if len(seen) > LOOKED_AT:
            return _ambiguous(path, spec.kind, cls)
        if spec.kind in _INSTANCES:
            name = name_of(cls)
            if name is None:
                return _ambiguous(path, spec.kind, cls)
            classes.setdefault(name, (cls, path))
        inner = _inside(value, spec, limits)
        if inner is None:
            return _ambiguous(path, spec.kind, cls)
        waiting += [(path, each) for each in inner]
    return None


_SCALARS: Final = (type(None), bool, int, float, str, bytes)
_BARE: Final = frozenset({Shape.LEAF, Shape.VALUE, Shape.INT, Shape.FLOAT, Shape.STR, Shape.BYTES})
_ITERATED: Final[dict[Shape, Any]] = {
    Shape.LIST: list.__iter__,
    Shape.TUPLE: tuple.__iter__,
    Shape.NAMEDTUPLE: tuple.__iter__,
    Shape.SET: set.__iter__,
    Shape.FROZENSET: frozenset.__iter__,
    Shape.DEQUE: deque.__iter__,
}
_MAPPED: Final = (Shape.DICT, Shape.ORDERED_DICT, Shape.DEFAULT_DICT, Shape.COUNTER)
_STORED: Final = (*_BARE, Shape.ENUM, Shape.RECORD, Shape.OPAQUE)


def _inside(value: Any, spec: Spec, limits: Limits) -> Iterable[Any] | None:
    """What an object holds, too much rather than too little; None where only the walk itself can look."""
    found: list[Any] = []
    if spec.extract is not None:
        return None
    if spec.shape in _ITERATED:
        found += _ITERATED[spec.shape](value)
    elif spec.shape in _MAPPED:
        items = OrderedDict.items(value) if spec.shape is Shape.ORDERED_DICT else dict.items(value)
        found += (part for pair in items for part in pair)
    elif spec.shape not in _STORED:
        return () if _report(value, limits).clean else None
    if not spec.exact and spec.shape is not Shape.ENUM:
        found += (instance_dict(value) or {}).values()
        found += (each for _, slot in slots(type(value)) if (each := read_slot(slot, value, _MISSING)) is not _MISSING)
    return found


def _report(value: Any, limits: Limits, policy: Policy = _PLAIN) -> Report:
    return fingerprint_with_report(value, policy=policy, limits=limits)[1]


def _ambiguous(path: str, kind: Kind, cls: type) -> Key:
    return Key(None, (Finding(path, kind, shown_type(cls), Action.DROP),))
