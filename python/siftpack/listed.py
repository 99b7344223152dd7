"""``types=``: the classes whose instances come back as themselves.

A listed instance is written as its name and its fields, and a reader that lists the same name makes it again. Nothing
is ever looked up or imported by a name that was read: only what the caller listed can come back.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from siftpack import _core, registry
from siftpack.errors import PolicyError
from siftpack.frozen import Frozen
from siftpack.restore import Flavour, Plan
from siftpack.restore.admission import admit
from siftpack.restore.enums import Members
from siftpack.restore.making import unknown
from siftpack.storage import inherits, mro, type_name

NAME_BYTES = 255
"""Bytes of UTF-8 that a listed name may have."""
CACHED = 64
"""Lists of types that ``types_of`` remembers."""

_qualname: Any = type.__dict__["__qualname__"].__get__
_Rows = list[tuple[str, type]]


class Listed:
    """One class under one name. Compared by identity."""

    __slots__ = ("cls", "flavour", "name", "plan", "required")
    cls: type
    name: str
    flavour: Flavour
    required: frozenset[str]
    """Fields without any default: an instance that lost one of them cannot come back, and is written as a plain map."""
    plan: Plan

    def __init__(self, cls: type, name: str, flavour: Flavour, plan: Plan) -> None:
        self.cls, self.name, self.flavour, self.plan, self.required = cls, name, flavour, plan, plan.required

    def __repr__(self) -> str:
        return f"<Listed {self.name!r}: {self.flavour} {type_name(self.cls)}>"


class Types(Frozen):
    """Classes that come back as themselves, checked once.

    Takes classes, each known by its ``__qualname__``, or a mapping from names to classes. A class may have several
    names: all of them are read, the first is written. Names have at most ``NAME_BYTES`` bytes of UTF-8.

    A class is looked at when it is listed. What it gains or loses later - a field, a default, a member of an enum - is
    not seen, neither by this list nor where ``types_of`` remembers one of the same classes: a field added since is
    unknown, and refused. A pydantic model validates as it is at the moment of reading.

    Raises ``PolicyError`` for what is no class, for a name that two classes share, and for classes whose instances
    cannot come back (machinery, secrets) or come back anyway (builtin types).
    """

    __slots__ = ("by_name", "lowered", "names")
    __match_args__ = ("by_name",)
    names: Mapping[int, Listed]
    """By the identity of the class, under the name that is written."""
    by_name: Mapping[str, Listed]
    lowered: Any
    """The same as the core has it."""

    def __init__(self, types: Iterable[type] | Mapping[str, type] = ()) -> None:
        self._fill(_rows(types))

    def _fill(self, rows: _Rows) -> None:
        names: dict[int, Listed] = {}
        by_name: dict[str, Listed] = {}
        for name, cls in rows:
            other, same = by_name.get(name), names.get(id(cls))
            if other is not None and other.cls is not cls:
                raise PolicyError(f"two classes of one name in types: {type_name(other.cls)}, {type_name(cls)}")
            if other is None:
                flavour, plan = (same.flavour, same.plan) if same is not None else admit(cls)
                by_name[name] = Listed(cls, name, flavour, plan)
                names.setdefault(id(cls), by_name[name])
        object.__setattr__(self, "names", MappingProxyType(names))
        object.__setattr__(self, "by_name", MappingProxyType(by_name))
        written = [
            (each.cls, each.name, sorted(each.required), inherits(each.cls, BaseExceptionGroup), each)
            for each in names.values()
        ]
        object.__setattr__(self, "lowered", _core.Names(written))

    def __eq__(self, other: object) -> bool:
        if type(other) is not Types:
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"Types({', '.join(map(repr, self.by_name))})"

    def __reduce__(self) -> tuple[type["Types"], tuple[dict[str, type]]]:
        return Types, ({name: listed.cls for name, listed in self.by_name.items()},)

    def _key(self) -> tuple[tuple[str, int], ...]:
        return tuple((name, id(listed.cls)) for name, listed in self.by_name.items())


_CACHE: OrderedDict[tuple[Any, ...], Types] = OrderedDict()


def types_of(types: Types | Iterable[type] | Mapping[str, type]) -> Types:
    """The checked list of an argument ``types=``; the last ``CACHED`` ones are remembered. Raises ``PolicyError``."""
    if type(types) is Types:
        return types
    rows = _rows(types)
    if not rows:
        return EMPTY
    key = (registry.CHANGES[0], *((name, id(cls)) for name, cls in rows))
    found = _CACHE.get(key)
    if found is None:
        # The list owns its classes, so no identity in a remembered key is ever reused.
        found = object.__new__(Types)
        found._fill(rows)
        _CACHE[key] = found
        while len(_CACHE) > CACHED:
            _CACHE.popitem(last=False)
    else:
        _remember(key, found)
    return found


def _remember(key: tuple[Any, ...], found: Types) -> None:
    """Put at the end what is used now; another thread may have forgotten it meanwhile."""
    try:
        _CACHE.move_to_end(key)
    except KeyError:
        _CACHE[key] = found


def restore(listed: Listed, fields: dict[str, Any]) -> Any:
    """An instance of a listed class, made of decoded fields.

    Runs no code of the class but its default factories and a model's validation. Raises ``ValueError`` naming the type
    and the field, never a value; what a factory or validator raises is named by its type.
    """
    for name in fields:
        if type(name) is not str:
            raise unknown(listed.cls, name)
    return listed.plan.build(fields)


def readable(listed: Listed, member: Any) -> bool:
    """Whether an instance would come back: False for an enum member whose value does not lead to it again."""
    return listed.plan.readable(member) if type(listed.plan) is Members else True


# From an argument to names and classes.


def _rows(types: Any) -> _Rows:
    """Names, checked, and classes, in order. Raises ``PolicyError``."""
    if type(types) is tuple:
        return [_row(cls) for cls in types]
    if is_class(types):
        raise PolicyError(f"types takes several classes: types=({type_name(types)},)")
    if type(types) is Types:
        return [(name, listed.cls) for name, listed in types.by_name.items()]
    if isinstance(types, Mapping):
        return [(_name(name, cls), cls) for name, cls in types.items() if _class(cls)]
    if not isinstance(types, Iterable):
        raise PolicyError(f"types takes classes, or a mapping from names to classes, not {type_name(type(types))}")
    return [_row(cls) for cls in types]


def _row(cls: Any) -> tuple[str, type]:
    if type(cls) is not type:
        _class(cls)
    return _name("".join((_qualname(cls),)), cls), cls


def is_class(found: Any) -> bool:
    """Whether this is a class, whatever it says itself."""
    return any(each is type for each in mro(type(found)))


def _class(found: Any) -> bool:
    if is_class(found):
        return True
    raise PolicyError(f"types takes classes, not an instance of {type_name(type(found))}")


def _name(name: Any, cls: type) -> str:
    """The name itself, if it can be written. Raises ``PolicyError``."""
    if type(name) is not str or not name:
        raise PolicyError(f"the name of {type_name(cls)} in types is no str, or empty")
    if name.isascii() and len(name) <= NAME_BYTES:
        return name
    if any("\ud800" <= char <= "\udfff" for char in name) or len(name.encode()) > NAME_BYTES:
        raise PolicyError(f"the name of {type_name(cls)} in types has surrogates or more than {NAME_BYTES} bytes")
    return name


EMPTY = Types()
"""No types at all."""

__all__ = ["EMPTY", "Flavour", "Listed", "Types", "readable", "restore", "types_of"]
