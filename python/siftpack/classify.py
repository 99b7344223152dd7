"""From a type to what siftpack does with its instances. Sees types, never objects.

The order of the questions matters and is the order of ``_ask``: registered, machinery by table, enum, exception,
builtin storage and values, record, iterator, agent, opaque. Everything is compared by identity over genuine MROs.
"""

import enum
import sys
import types
from collections.abc import Callable
from enum import IntEnum
from typing import Any, NamedTuple

from siftpack import values
from siftpack.adapters.machinery import ROWS
from siftpack.adapters.records import declared, namedtuple_fields
from siftpack.policy import Kind
from siftpack.redact import secret_name
from siftpack.registry import REGISTERED
from siftpack.storage import base, module_attribute, module_dict, mro, slots, type_dict, type_name


class Shape(IntEnum):
    """Where the data of an instance is. The numbers are shared with the Rust core."""

    LEAF = 0
    VALUE = 1
    INT = 2
    FLOAT = 3
    STR = 4
    BYTES = 5
    LIST = 6
    TUPLE = 7
    DICT = 8
    SET = 9
    FROZENSET = 10
    DEQUE = 11
    ORDERED_DICT = 12
    DEFAULT_DICT = 13
    COUNTER = 14
    CHAIN_MAP = 15
    MAPPING_PROXY = 16
    KEYS = 17
    VALUES = 18
    ITEMS = 19
    SLICE = 20
    ENUM = 21
    RECORD = 22
    NAMEDTUPLE = 23
    EXCEPTION = 24
    OPAQUE = 25
    WRAPPER = 26
    PARTS = 27


class Field(NamedTuple):
    """One field of an instance: its name, its slot (None: in the instance dict), whether its name is a secret's."""

    name: str
    slot: Any
    secret: bool


class Spec(NamedTuple):
    """The plan of a type, as the walk wants it."""

    kind: Kind
    shape: Shape
    exact: bool = True
    """The type itself, not a subclass: its instances are what they look like."""
    sealed: bool = False
    """Every subclass by ``tp_base`` has this same plan."""
    fields: tuple[Field, ...] = ()
    """Declared fields of a record (all kept), slots of an opaque instance, slots a subclass adds to its base."""
    rest: tuple[Field, ...] = ()
    """Slots of a record that are not among its declared fields: reported, not kept."""
    extra: Any = None
    """The slot of further fields (pydantic), of a defaultdict's factory, of a deque's bound."""
    kept: tuple[str, ...] = ()
    """Names in the instance dict that are the storage itself, and so are no loss."""
    lower: values.Lower | None = None
    shared: bool = False
    """An exact instance is immutable: a copy may share it."""
    extract: Callable[[Any], Any] | None = None
    """A registered extractor, which is shown each instance first."""


_BUILTINS: tuple[tuple[str, str, Shape], ...] = (
    ("builtins", "int", Shape.INT),
    ("builtins", "float", Shape.FLOAT),
    ("builtins", "str", Shape.STR),
    ("builtins", "bytes", Shape.BYTES),
    ("builtins", "list", Shape.LIST),
    ("builtins", "tuple", Shape.TUPLE),
    ("builtins", "dict", Shape.DICT),
    ("builtins", "set", Shape.SET),
    ("builtins", "frozenset", Shape.FROZENSET),
    ("builtins", "slice", Shape.SLICE),
    ("collections", "deque", Shape.DEQUE),
    ("collections", "OrderedDict", Shape.ORDERED_DICT),
    ("collections", "defaultdict", Shape.DEFAULT_DICT),
    ("collections", "Counter", Shape.COUNTER),
    ("collections", "ChainMap", Shape.CHAIN_MAP),
    ("types", "MappingProxyType", Shape.MAPPING_PROXY),
    ("collections", "UserDict", Shape.WRAPPER),
    ("collections", "UserList", Shape.WRAPPER),
    ("collections", "UserString", Shape.WRAPPER),
)
_VIEWS = (("keys", Shape.KEYS), ("values", Shape.VALUES), ("items", Shape.ITEMS))
_FINAL = (Shape.SLICE, Shape.MAPPING_PROXY, Shape.KEYS, Shape.VALUES, Shape.ITEMS)
_EXECUTION = ("run", "arun", "invoke", "ainvoke", "execute", "kickoff", "run_sync")
_CALLABLES = (types.FunctionType, staticmethod, classmethod, types.MethodDescriptorType)
_ITERATION = ("__next__", "__anext__", "__await__")


class _Row(NamedTuple):
    """Names in a module whose classes are not known yet, and what makes their plan; ``order`` is its own alone."""

    order: int
    module: str
    names: tuple[str, ...]
    spec: Callable[[type], Spec]


class _Table:
    """Known types by identity, filled as their modules turn up. Owns each type it knows, so no id is ever reused."""

    def __init__(self) -> None:
        self.known: dict[int, tuple[type, Spec]] = {}
        self.pending: dict[str, list[_Row]] = {}
        rows: list[tuple[str, tuple[str, ...], Callable[[type], Spec]]] = [
            *((module, tuple(names.split()), _leaf(kind)) for module, kind, names in ROWS),
            *((module, (name,), _builtin(shape)) for module, name, shape in _BUILTINS),
            *((row.module, row.names, _value(row)) for row in values.VALUES),
        ]
        for order, (module, names, spec) in enumerate(rows):
            self.pending.setdefault(module, []).append(_Row(order, module, names, spec))
        ordered = sys.modules.get("collections", types).__dict__.get("OrderedDict", dict)
        samples: tuple[dict[Any, Any], ...] = ({}, ordered())
        for sample in samples:
            for view, shape in _VIEWS:
                self.add(type(getattr(sample, view)()), _builtin(shape))
        self.add(type(...), _value(next(row for row in values.VALUES if row.names == ("ellipsis",))))

    def add(self, cls: type, spec: Callable[[type], Spec]) -> None:
        self.known.setdefault(id(cls), (cls, spec(cls)))

    def refresh(self) -> None:
        """Resolve the names whose modules have been imported since the last question, an earlier row first."""
        pending = self.pending  # replaced, never changed: other threads ask too
        there = pending.keys() & sys.modules.keys()
        rows = sorted(row for module in there for row in pending[module])
        missing = [tuple(name for name in row.names if not self._resolved(row, name)) for row in rows]
        if any(left != row.names for left, row in zip(missing, rows, strict=True)):
            rest = {module: found for module, found in pending.items() if module not in there}
            for left, row in zip(missing, rows, strict=True):
                if left:
                    rest.setdefault(row.module, []).append(row._replace(names=left))
            self.pending = rest

    def _resolved(self, row: _Row, name: str) -> bool:
        cls = module_attribute(sys.modules, row.module, name)
        known = cls is not None and any(each is type for each in mro(type(cls)))
        if known:
            self.add(cls, row.spec)
        return known

    def get(self, cls: type) -> Spec | None:
        found = self.known.get(id(cls))
        return found[1] if found is not None else None


def _leaf(kind: Kind) -> Callable[[type], Spec]:
    return lambda _: Spec(kind, Shape.LEAF, sealed=True)


def _builtin(shape: Shape) -> Callable[[type], Spec]:
    kind = Kind.CONTAINER if shape not in (Shape.INT, Shape.FLOAT, Shape.STR, Shape.BYTES) else Kind.SCALAR
    if shape is Shape.BYTES:
        kind = Kind.BINARY
    if shape is Shape.SLICE:
        kind = Kind.VALUE
    extra = {Shape.DEFAULT_DICT: "default_factory", Shape.DEQUE: "maxlen"}.get(shape)
    kept = {Shape.CHAIN_MAP: ("maps",), Shape.WRAPPER: ("data",)}.get(shape, ())
    return lambda cls: Spec(kind, shape, kept=kept, extra=type_dict(cls)[extra] if extra else None)


def _value(row: values.Value) -> Callable[[type], Spec]:
    binary = row.names in (("memoryview",), ("bytearray",), ("array",))
    kind = Kind.ARRAY if row.array else Kind.BINARY if binary else Kind.VALUE
    shape = Shape.PARTS if row.parts else Shape.VALUE
    return lambda _: Spec(kind, shape, lower=row.lower, shared=row.shared, kept=row.kept)


def _fields(found: tuple[tuple[str, Any], ...]) -> tuple[Field, ...]:
    return tuple(Field(name, slot, secret_name(name)) for name, slot in found)


_table = _Table()


def classify(cls: type) -> Spec:
    """The plan of a type. Runs no code of the type or its metaclass."""
    _table.refresh()
    order = mro(cls)
    known = [REGISTERED[id(each)] for each in order if id(each) in REGISTERED]
    kind = next((kind for _, kind, _ in known if kind is not None), None)
    extract = next((extract for _, _, extract in known if extract is not None), None)
    if kind is None:
        spec = _sealed(cls) or _ask(cls, order)
    else:
        spec = _opaque(cls) if kind is Kind.OPAQUE else Spec(kind, Shape.LEAF)
    return spec if extract is None else spec._replace(extract=extract, sealed=False)


def _sealed(cls: type) -> Spec | None:
    """The plan inherited along ``tp_base``; the core follows the same chain."""
    each: type | None = cls
    while each is not None:
        spec = _table.get(each)
        if spec is not None and spec.sealed:
            return spec
        each = base(each)
    return None


def _ask(cls: type, order: tuple[type, ...]) -> Spec:
    known = [spec for spec in map(_table.get, order) if spec is not None]
    for spec in known:
        if spec.sealed:
            return spec._replace(sealed=False)
    if any(each is BaseException for each in order):
        return Spec(Kind.EXCEPTION, Shape.EXCEPTION, fields=_fields(slots(cls)), kept=("__notes__",))
    if any(each is enum.Enum for each in order):
        return Spec(Kind.ENUM, Shape.ENUM, exact=False, fields=_fields(slots(cls)), kept=("_value_",))
    names = namedtuple_fields(order) if any(each is tuple for each in order) else None
    if names is not None:
        return Spec(Kind.RECORD, Shape.NAMEDTUPLE, exact=False, fields=_fields(tuple((name, None) for name in names)))
    if known:
        return _stored(cls, known[0])
    return _record(cls, order) or _behaviour(cls, order) or _opaque(cls)


def _stored(cls: type, spec: Spec) -> Spec:
    """Builtin storage: the type itself, or a subclass read through the layout of its base."""
    if _table.get(cls) is spec:
        return spec
    kind = spec.kind if spec.shape is Shape.VALUE and spec.kind is not Kind.ARRAY else Kind.SUBCLASS
    root = next(each for each in mro(cls) if _table.get(each) is spec)
    inherited = {name for name, _ in slots(root)}
    added = tuple((name, slot) for name, slot in slots(cls) if name not in inherited)
    return spec._replace(kind=kind, exact=False, shared=False, fields=_fields(added))


def _record(cls: type, order: tuple[type, ...]) -> Spec | None:
    found = declared(order)
    if found is None:
        return None
    known = dict(slots(cls))
    fields = tuple(Field(name, known.pop(name, None), secret_name(name)) for name in found.names)
    extra = known.pop(found.extra, None) if found.extra else None
    for name in found.ignored:
        known.pop(name, None)
    return Spec(Kind.RECORD, Shape.RECORD, exact=False, fields=fields, rest=_fields(tuple(known.items())), extra=extra)


def _behaviour(cls: type, order: tuple[type, ...]) -> Spec | None:
    """Iterators by their protocol, agents by a method that executes them."""
    own = [type_dict(each) for each in order if each is not object]
    if any(name in names for names in own for name in _ITERATION):
        return Spec(Kind.ITERATOR, Shape.LEAF)
    for names in own:
        for name in _EXECUTION:
            if any(type(names.get(name)) is each for each in _CALLABLES):
                return Spec(Kind.AGENT, Shape.LEAF, exact=False, fields=_fields(slots(cls)))
    return None


def _opaque(cls: type) -> Spec:
    return Spec(Kind.OPAQUE, Shape.OPAQUE, exact=False, fields=_fields(slots(cls)))


def name_of(obj: Any, kind: Kind) -> str:
    """The bounded string of ``Action.NAME``: never a repr, never an address."""
    shown = type_name(type(obj))
    if any(each is type for each in mro(type(obj))):
        shown = type_name(obj)
    elif type(obj) is types.FunctionType:
        shown = "".join((types.FunctionType.__dict__["__qualname__"].__get__(obj),))
    elif type(obj) is types.BuiltinFunctionType:
        shown = obj.__name__
    elif type(obj) is types.ModuleType:
        own = module_dict(obj).get("__name__")
        shown = own if type(own) is str else shown
    return _name(shown, kind)


def name_of_type(cls: type, kind: Kind) -> str:
    """The same for any instance of a class."""
    return _name(type_name(cls), kind)


def _name(shown: str, kind: Kind) -> str:
    return f"<{kind} {shown[:NAME_SHOWN]}>"


NAME_SHOWN = 160
"""Characters of a name that ``Action.NAME`` writes."""
