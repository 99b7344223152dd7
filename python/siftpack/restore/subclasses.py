"""Classes that declare nothing: subclasses of builtin types, base storage under the empty name, and plain objects."""

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any, NamedTuple

from siftpack.classify import Shape
from siftpack.errors import PolicyError
from siftpack.restore.making import Maker, Storage, hides_storage, missing, refusal, shown, unknown
from siftpack.storage import type_name

BASE = ""
"""The name under which base storage, or the value of an enum member, stands among the fields."""


class _Base(NamedTuple):
    """A builtin type: how its storage is filled once an empty instance is made; None: ``__new__`` takes it whole."""

    cls: type
    fill: Callable[[Any, Any], Any] | None = None


def _fill_ordered(made: Any, items: Any) -> None:
    for key, value in OrderedDict.items(items):
        OrderedDict.__setitem__(made, key, value)


def _fill_deque(made: Any, items: Any) -> None:
    deque.__init__(made, items, items.maxlen)


_BASES = {
    **{
        shape: _Base(cls)
        for shape, cls in (
            *((Shape.INT, int), (Shape.FLOAT, float), (Shape.STR, str), (Shape.BYTES, bytes)),
            *((Shape.TUPLE, tuple), (Shape.FROZENSET, frozenset)),
        )
    },
    Shape.LIST: _Base(list, list.extend),
    Shape.SET: _Base(set, set.update),
    Shape.DEQUE: _Base(deque, _fill_deque),
    Shape.DICT: _Base(dict, dict.update),
    Shape.ORDERED_DICT: _Base(OrderedDict, _fill_ordered),
    Shape.DEFAULT_DICT: _Base(defaultdict, dict.update),
    Shape.COUNTER: _Base(Counter, dict.update),
}


class Subclass:
    """A subclass of a builtin type. Its base storage must be of exactly that type; attributes go where it has room."""

    __slots__ = ("_base", "_make", "_storage", "cls")
    required: frozenset[str] = frozenset()

    def __init__(self, cls: type, shape: Shape) -> None:
        """Raises ``PolicyError`` for storage of another shape, and where only C code of its own can make instances."""
        if shape not in _BASES:
            raise PolicyError(f"{type_name(cls)} cannot be listed: subclasses of its base come back as the base")
        self.cls, self._base = cls, _BASES[shape]
        self._make, self._storage = Maker(cls), Storage(cls)
        if self._make.owner is not Maker(self._base.cls).owner:
            raise PolicyError(f"{type_name(cls)} cannot be listed: its instances cannot be made")

    def build(self, fields: dict[str, Any]) -> Any:
        """An instance of this base storage and these attributes. Raises ``ValueError``."""
        if BASE not in fields:
            raise missing(self.cls, BASE)
        stored = fields[BASE]
        if type(stored) is not self._base.cls:
            raise refusal(self.cls, f"field {shown(BASE)} is no {type_name(self._base.cls)}")
        attributes = _open_fields(self.cls, self._storage, ((n, v) for n, v in fields.items() if n != BASE))
        if self._base.fill is None:
            made = self._make(stored)
        else:
            made = self._make()
            self._base.fill(made, stored)
        self._storage.fill(made, attributes)
        return made


class Opaque:
    """Any other class: its instances are what their slots and instance dict hold."""

    __slots__ = ("_make", "_storage", "cls")
    required: frozenset[str] = frozenset()

    def __init__(self, cls: type) -> None:
        """Raises ``PolicyError`` for a class that keeps data where nothing can read it."""
        self.cls, self._make, self._storage = cls, Maker(cls), Storage(cls)
        root = self._make.owner
        if (root is not object and root is not SimpleNamespace) or hides_storage(cls, root):
            raise PolicyError(f"{type_name(cls)} cannot be listed: it keeps data out of reach, in C or in hidden slots")

    def build(self, fields: dict[str, Any]) -> Any:
        """An instance with these fields. Raises ``ValueError`` for a name it has no room for."""
        found = _open_fields(self.cls, self._storage, fields.items())
        made = self._make()
        self._storage.fill(made, found)
        return made


def _open_fields(cls: type, storage: Storage, fields: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    found = list(fields)
    for name, _ in found:
        if storage.lacks(name):
            raise unknown(cls, name)
    return found
