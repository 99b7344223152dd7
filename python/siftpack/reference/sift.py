"""First step: from any object to a clean tree of builtins and values, with findings for everything lost."""

import gc
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterable, Iterator
from typing import Any

from siftpack import values, wire
from siftpack.classify import Field, Shape, Spec, classify, name_of
from siftpack.errors import EncodeError, LimitExceeded
from siftpack.policy import Action, Kind, Limits, Policy
from siftpack.redact import secret_name
from siftpack.reference.encode import encode, plain
from siftpack.report import RawReport, Segment, Tombstone, render
from siftpack.storage import instance_dict, read_slot, type_name

GONE: Any = object()
"""What a visit gives when nothing is left."""
HOPS = 32
"""Enum values and proxies that may stand for one another in a row."""
_KINDS, _ACTIONS = list(Kind), list(Action)
_PLAIN = (type(None), bool, int, float, str, bytes)
Steps = tuple[Segment, ...]
Items = Iterable[tuple[Any, Any]]


def sift(obj: Any, policy: Policy, limits: Limits) -> tuple[Any, RawReport]:
    """The clean tree and what was lost on the way to it; a top that is all machinery is None."""
    walk = _Walk(policy, limits)
    clean = walk.visit(obj, (), 0)
    return (None if clean is GONE else clean), walk.report


class _Walk:
    def __init__(self, policy: Policy, limits: Limits) -> None:
        self.table = [_ACTIONS[number] for number in policy.lowered]
        self.limits = limits
        self.report = RawReport()
        self.open: set[int] = set()
        self.nodes = 0
        self.container_keys = 0

    # Findings and budgets.

    def note(self, kind: Kind, cls: type, action: Action, steps: Steps) -> None:
        if self.table[_KINDS.index(kind)] is Action.RAISE and action is not Action.CONVERTED:
            raise EncodeError(f"{render(steps)}: {kind} {type_name(cls)} is not data, and the policy says raise")
        self.report.rows.append((steps, _KINDS.index(kind), cls, _ACTIONS.index(action)))
        self.report.totals[_KINDS.index(kind)] += 1
        self.charge(1, steps)

    def charge(self, nodes: int, steps: Steps) -> None:
        self.nodes += nodes
        if self.nodes > self.limits.nodes:
            raise LimitExceeded(f"{render(steps)}: more than {self.limits.nodes} nodes (Limits.nodes)")

    def enter(self, obj: Any, steps: Steps, depth: int, levels: int = 1) -> int | None:
        """The depth inside ``obj``, or None if it is already open: a back edge."""
        if id(obj) in self.open:
            self.note(Kind.CYCLE, type(obj), Action.DROP, steps)
            return None
        if depth + levels > self.limits.depth:
            raise LimitExceeded(f"{render(steps)}: deeper than {self.limits.depth} (Limits.depth)")
        self.charge(levels, steps)
        self.open.add(id(obj))
        return depth + levels

    # Values.

    def visit(self, obj: Any, steps: Steps, depth: int, hops: int = 0) -> Any:
        cls = type(obj)
        if cls in _PLAIN and cls is not bytes:
            return obj
        spec = classify(cls)
        action = self.table[_KINDS.index(spec.kind)]
        if action is not Action.KEEP:
            return self.leave(obj, spec.kind, action, steps)
        if spec.shape is Shape.VALUE:
            return self.value(obj, spec, steps)
        if spec.shape in (Shape.ENUM, Shape.MAPPING_PROXY):
            return self.stand_in(obj, spec, steps, depth, hops)
        if spec.shape in (Shape.INT, Shape.FLOAT, Shape.STR, Shape.BYTES):
            self.attributes(obj, spec, steps)
            return scalar(obj, spec.shape)
        inside = self.enter(obj, steps, depth, 2 if spec.shape in _TWO_LEVELS else 1)
        if inside is None:
            return GONE
        try:
            return self.contents(obj, spec, steps, inside)
        finally:
            self.open.discard(id(obj))

    def leave(self, obj: Any, kind: Kind, action: Action, steps: Steps) -> Any:
        self.note(kind, type(obj), action, steps)
        if action is Action.TOMBSTONE:
            self.charge(wire.COSTS[wire.TOMBSTONE], steps)
            return Tombstone(kind, type_name(type(obj)))
        return name_of(obj, kind) if action is Action.NAME else GONE

    def value(self, obj: Any, spec: Spec, steps: Steps) -> Any:
        assert spec.lower is not None
        lowered = spec.lower(obj)
        if lowered is None:
            self.note(spec.kind, type(obj), Action.DROP, steps)
            return GONE
        code, payload, foreign = lowered
        self.attributes(obj, spec, steps)
        if foreign is not None:
            self.note(Kind.VALUE, foreign, Action.CONVERTED, (*steps, "tzinfo"))
        self.charge(values.cost(code, len(payload)), steps)
        return obj if spec.exact and spec.shared and foreign is None else values.build(code, payload)

    def stand_in(self, obj: Any, spec: Spec, steps: Steps, depth: int, hops: int) -> Any:
        """An enum member is its value, a mapping proxy what it wraps."""
        stands_for = enum_value(obj) if spec.shape is Shape.ENUM else gc.get_referents(obj)[0]
        if stands_for is GONE:
            self.note(spec.kind, type(obj), Action.DROP, steps)
            return GONE
        if hops == HOPS:
            self.note(Kind.CYCLE, type(obj), Action.DROP, steps)
            return GONE
        return self.visit(stands_for, steps, depth, hops + 1)

    # Containers.

    def contents(self, obj: Any, spec: Spec, steps: Steps, depth: int) -> Any:
        shape = spec.shape
        if shape in (Shape.RECORD, Shape.NAMEDTUPLE):
            return self.record(obj, spec, steps, depth)
        if shape is Shape.OPAQUE:
            return self.opaque(obj, spec, steps, depth)
        if shape is Shape.EXCEPTION:
            return self.exception(obj, steps, depth)
        self.attributes(obj, spec, steps)
        if shape in (Shape.LIST, Shape.DEQUE, Shape.KEYS, Shape.VALUES):
            kept = list(self.elements(listed(obj, shape), steps, depth))
            return deque(kept, deque.__dict__["maxlen"].__get__(obj)) if shape is Shape.DEQUE else kept
        if shape is Shape.CHAIN_MAP:
            return ChainMap(*self.elements(chained(obj), (*steps, "maps"), depth))
        if shape is Shape.TUPLE:
            return tuple(self.positions(tuple.__iter__(obj), steps, depth))
        if shape is Shape.SLICE:
            return slice(*self.positions((obj.start, obj.stop, obj.step), steps, depth))
        if shape is Shape.ITEMS:
            return [self.pair(i, k, v, steps, depth) for i, (k, v) in enumerate(mapping_items(gc.get_referents(obj)[0]))]
        if shape in (Shape.SET, Shape.FROZENSET):
            own = set if shape is Shape.SET else frozenset
            return own(self.unordered(own.__iter__(obj), steps, depth))
        return self.mapping(obj, shape, steps, depth)

    def elements(self, found: Iterable[Any], steps: Steps, depth: int) -> Iterator[Any]:
        """What is left of each element; the lost ones leave."""
        return (kept for kept in self.visits(found, steps, depth) if kept is not GONE)

    def positions(self, found: Iterable[Any], steps: Steps, depth: int) -> Iterator[Any]:
        """What is left of each element; the lost ones become None, because position has meaning here."""
        return (None if kept is GONE else kept for kept in self.visits(found, steps, depth))

    def visits(self, found: Iterable[Any], steps: Steps, depth: int) -> Iterator[Any]:
        return (self.visit(item, (*steps, at), depth) for at, item in enumerate(found))

    def pair(self, at: int, key: Any, value: Any, steps: Steps, depth: int) -> tuple[Any, ...]:
        if depth + 1 > self.limits.depth:
            raise LimitExceeded(f"{render((*steps, at))}: deeper than {self.limits.depth} (Limits.depth)")
        self.charge(1, (*steps, at))
        return tuple(self.positions((key, value), (*steps, at), depth + 1))

    def mapping(self, obj: Any, shape: Shape, steps: Steps, depth: int) -> Any:
        factory = defaultdict.__dict__["default_factory"].__get__(obj) if shape is Shape.DEFAULT_DICT else None
        if factory is not None:
            self.note(classify(type(factory)).kind, type(factory), Action.DROP, (*steps, "default_factory"))
        kept = self.entries(mapping_items(obj), steps, depth)
        if shape is Shape.ORDERED_DICT:
            return OrderedDict(kept)
        if shape is Shape.DEFAULT_DICT:
            return defaultdict(None, kept)
        return Counter(kept) if shape is Shape.COUNTER else kept

    def entries(self, items: Items, steps: Steps, depth: int) -> dict[Any, Any]:
        kept: dict[Any, Any] = {}
        seen: set[Any] = set()
        hashes: dict[int, int] = {}
        for key, value in items:
            step = key_step(key)
            lowered = self.key(key, (*steps, step), depth, 0)
            if lowered is GONE:
                continue
            self.weigh(lowered, hashes, (*steps, step))
            if lowered in seen:
                self.note(Kind.KEY_COLLISION, type(key), Action.DROP, (*steps, step))
                continue
            seen.add(lowered)
            left = self.visit(value, (*steps, step), depth)
            if left is not GONE:
                kept[lowered] = left
        return kept

    # Instances.

    def record(self, obj: Any, spec: Spec, steps: Steps, depth: int) -> Any:
        found = list(self.fields(obj, spec, steps))
        kept = {}
        for field, value in found:
            left = self.field(field, value, (*steps, field.name), depth)
            if left is not GONE:
                kept[field.name] = left
        return kept

    def fields(self, obj: Any, spec: Spec, steps: Steps) -> Iterator[tuple[Field, Any]]:
        """Declared fields that are set, then declared extras; reports whatever else the instance holds."""
        if spec.shape is Shape.NAMEDTUPLE:
            items = tuple(tuple.__iter__(obj))
            self.attributes(obj, spec._replace(fields=()), steps)
            yield from zip(spec.fields, items, strict=False)
            for at, item in enumerate(items[len(spec.fields) :], len(spec.fields)):
                self.note(Kind.ATTRIBUTE, type(item), Action.DROP, (*steps, at))
            return
        own = instance_dict(obj) or {}
        for field in spec.fields:
            value = dict.get(own, field.name, GONE) if field.slot is None else read_slot(field.slot, obj, GONE)
            if value is not GONE:
                yield field, value
        extra = None if spec.extra is None else read_slot(spec.extra, obj, None)
        if type(extra) is dict:
            declared = {field.name for field in spec.fields}
            for name, value in extra.items():
                if type(name) is str and name not in declared:
                    yield Field(name, None, secret_name(name)), value
                else:
                    self.note(Kind.ATTRIBUTE, type(value), Action.DROP, (*steps, key_step(name)))
        kept = {field.name for field in spec.fields if field.slot is None}
        self.attributes(obj, spec._replace(fields=spec.rest), steps, kept)

    def field(self, field: Field, value: Any, steps: Steps, depth: int) -> Any:
        if field.secret and value is not None and type(value) is not bool:
            return self.leave(value, Kind.SECRET, self.table[_KINDS.index(Kind.SECRET)], steps)
        return self.visit(value, steps, depth)

    def attributes(self, obj: Any, spec: Spec, steps: Steps, kept: Iterable[str] = ()) -> None:
        """Report what an instance holds beside its data."""
        if spec.exact and spec.shape is Shape.VALUE:
            return
        if spec.shape is Shape.CHAIN_MAP:
            kept = ("maps",)
        for field in spec.fields:
            value = read_slot(field.slot, obj, None)
            if value is not None:
                kind = Kind.PRIVATE if field.name.startswith("_") else Kind.ATTRIBUTE
                self.note(kind, type(value), Action.DROP, (*steps, field.name))
        for name, value in dict.items(instance_dict(obj) or {}):
            if type(name) is not str:
                self.note(Kind.ATTRIBUTE, type(value), Action.DROP, (*steps, type(name)))
            elif name not in kept:
                kind = Kind.PRIVATE if name.startswith("_") else Kind.ATTRIBUTE
                self.note(kind, type(value), Action.DROP, (*steps, name))

    def opaque(self, obj: Any, spec: Spec, steps: Steps, depth: int) -> Any:
        rows, totals = len(self.report.rows), self.report.totals.copy()
        kept: dict[str, Any] = {}
        for field, value in self.public(obj, spec, steps):
            left = self.field(field, value, (*steps, field.name), depth)
            if left is not GONE:
                kept[field.name] = left
        if kept:
            return kept
        del self.report.rows[rows:]
        self.report.totals = totals
        self.note(Kind.OPAQUE, type(obj), Action.DROP, steps)
        return GONE

    def public(self, obj: Any, spec: Spec, steps: Steps) -> list[tuple[Field, Any]]:
        found = []
        for field in spec.fields:
            value = read_slot(field.slot, obj, GONE)
            if value is not GONE:
                found.append((field, value))
        slotted = {field.name for field in spec.fields}
        for name, value in dict.items(instance_dict(obj) or {}):
            if type(name) is not str:
                self.note(Kind.ATTRIBUTE, type(value), Action.DROP, (*steps, type(name)))
            elif name in slotted:
                self.note(Kind.ATTRIBUTE, type(value), Action.DROP, (*steps, name))
            else:
                found.append((Field(name, None, secret_name(name)), value))
        for field, value in found:
            if field.name.startswith("_"):
                self.note(Kind.PRIVATE, type(value), Action.DROP, (*steps, field.name))
        return [row for row in found if not row[0].name.startswith("_")]

    def exception(self, obj: BaseException, steps: Steps, depth: int) -> Any:
        own = BaseException.__dict__
        args = own["args"].__get__(obj)
        state = instance_dict(obj) or {}
        rows: dict[str, Any] = {"type": type_name(type(obj))}
        if args and type(args[0]) is str:
            rows["message"] = args[0]
        rows["args"] = args
        if "__notes__" in state:
            rows["notes"] = state["__notes__"]
        cause, context = own["__cause__"].__get__(obj), own["__context__"].__get__(obj)
        if cause is not None:
            rows["cause"] = cause
        elif context is not None and not own["__suppress_context__"].__get__(obj):
            rows["context"] = context
        self.attributes(obj, _NO_FIELDS, steps, ("__notes__",))
        return self.entries(rows.items(), steps, depth)

    # Hash position.

    def unordered(self, found: Iterable[Any], steps: Steps, depth: int, kdepth: int = 0) -> list[Any]:
        """The elements of a set in canonical order, equal ones once, findings in an order no hash seed changes."""
        outer, self.report.rows = self.report.rows, []
        hashes: dict[int, int] = {}
        lowered = []
        for item in found:
            step = (*steps, type(item)) if not kdepth else steps
            left = self.key(item, step, depth, kdepth)
            if left is not GONE:
                self.weigh(left, hashes, step)
                lowered.append((encode(left, self.limits), type_name(type(item)), left, type(item), step))
            elif kdepth:
                lowered = GONE
                break
        kept: list[Any] = []
        seen: set[Any] = set()
        if lowered is not GONE:
            lowered.sort(key=lambda row: row[:2])
            for _, _, left, cls, step in lowered:
                if left in seen:
                    self.note(Kind.KEY_COLLISION, cls, Action.DROP, step)
                else:
                    seen.add(left)
                    kept.append(left)
        rows = self.report.rows
        rows.sort(key=lambda row: (render(row[0]), row[1], type_name(row[2]), row[3]))
        self.report.rows = outer + rows
        return GONE if lowered is GONE else kept

    def weigh(self, lowered: Any, hashes: dict[int, int], steps: Steps) -> None:
        """Charge what is dear to hash and what a forger could make collide."""
        if plain(lowered):
            return
        self.container_keys += 1
        code = hash(lowered)
        hashes[code] = hashes.get(code, 0) + 1
        if self.container_keys > self.limits.container_keys:
            raise LimitExceeded(f"{render(steps)}: more than {self.limits.container_keys} (Limits.container_keys)")
        if hashes[code] > wire.SAME_HASH:
            raise LimitExceeded(f"{render(steps)}: more than {wire.SAME_HASH} keys of one hash")

    def key(self, obj: Any, steps: Steps, depth: int, kdepth: int, hops: int = 0) -> Any:
        """A hashable form of a dict key or set element, or GONE: then its entry leaves."""
        cls = type(obj)
        if cls in _PLAIN:
            return obj
        spec = classify(cls)
        lost = self.table[_KINDS.index(spec.kind)] is not Action.KEEP
        if lost or spec.shape not in _HASHABLE or cls in (bytearray,):
            return self.drop_key(obj, spec, steps)
        if spec.shape is Shape.VALUE:
            return self.key_value(obj, spec, steps)
        if not spec.exact:
            self.note(spec.kind, cls, Action.CONVERTED, steps)
        if spec.shape is Shape.ENUM:
            stands_for = enum_value(obj)
            if stands_for is GONE or hops == HOPS:
                return self.drop_key(obj, spec, steps)
            return self.key(stands_for, steps, depth, kdepth, hops + 1)
        if spec.shape in (Shape.INT, Shape.FLOAT, Shape.STR, Shape.BYTES):
            return scalar(obj, spec.shape)
        return self.key_container(obj, spec, steps, depth + 1, kdepth + 1)

    def drop_key(self, obj: Any, spec: Spec, steps: Steps) -> Any:
        self.note(spec.kind, type(obj), Action.DROP, steps)
        return GONE

    def key_value(self, obj: Any, spec: Spec, steps: Steps) -> Any:
        assert spec.lower is not None
        lowered = spec.lower(obj)
        if lowered is None or lowered[0] in (wire.BYTEARRAY, wire.ARRAY):
            return self.drop_key(obj, spec, steps)
        code, payload, foreign = lowered
        self.charge(values.cost(code, len(payload)), steps)
        if code == wire.MEMORYVIEW:
            self.note(spec.kind, type(obj), Action.CONVERTED, steps)
            return obj.tobytes()
        if spec.exact and foreign is None:
            return obj
        self.note(spec.kind, foreign or type(obj), Action.CONVERTED, steps)
        return values.build(code, payload)

    def key_container(self, obj: Any, spec: Spec, steps: Steps, depth: int, kdepth: int) -> Any:
        if kdepth > self.limits.key_depth:
            raise LimitExceeded(f"{render(steps)}: key nested deeper than {self.limits.key_depth} (Limits.key_depth)")
        if depth > self.limits.depth:
            raise LimitExceeded(f"{render(steps)}: deeper than {self.limits.depth} (Limits.depth)")
        if id(obj) in self.open:
            self.note(Kind.CYCLE, type(obj), Action.DROP, steps)
            return GONE
        self.charge(1, steps)
        self.open.add(id(obj))
        try:
            return self.key_contents(obj, spec, steps, depth, kdepth)
        finally:
            self.open.discard(id(obj))

    def key_contents(self, obj: Any, spec: Spec, steps: Steps, depth: int, kdepth: int) -> Any:
        if spec.shape is Shape.FROZENSET:
            kept = self.unordered(frozenset.__iter__(obj), steps, depth, kdepth)
            return GONE if kept is GONE else frozenset(kept)
        if spec.shape is Shape.TUPLE:
            found: Iterable[tuple[Field | None, Any]] = ((None, item) for item in tuple.__iter__(obj))
        else:
            found = list(self.fields(obj, spec, steps))
        out = []
        for field, item in found:
            if field is not None and field.secret and item is not None and type(item) is not bool:
                left = self.leave(item, Kind.SECRET, self.table[_KINDS.index(Kind.SECRET)], (*steps, field.name))
            else:
                left = self.key(item, steps, depth, kdepth)
            if left is GONE:
                return GONE
            out.append(left)
        return tuple(out)


_TWO_LEVELS = (Shape.ORDERED_DICT, Shape.DEFAULT_DICT, Shape.COUNTER)
_HASHABLE = (
    *(Shape.VALUE, Shape.INT, Shape.FLOAT, Shape.STR, Shape.BYTES, Shape.TUPLE, Shape.FROZENSET),
    *(Shape.ENUM, Shape.RECORD, Shape.NAMEDTUPLE),
)
_NO_FIELDS = Spec(Kind.EXCEPTION, Shape.EXCEPTION)


def scalar(obj: Any, shape: Shape) -> Any:
    """The base storage of a subclass of int, float, str or bytes."""
    if shape is Shape.INT:
        return int.__pos__(obj)
    if shape is Shape.FLOAT:
        return float.__pos__(obj)
    return "".join((obj,)) if shape is Shape.STR else bytes(memoryview(obj))


def enum_value(obj: Any) -> Any:
    """The ``_value_`` in an enum member's own dict."""
    return (instance_dict(obj) or {}).get("_value_", GONE)


def listed(obj: Any, shape: Shape) -> list[Any]:
    """The elements of a list, deque, or view of keys or values."""
    if shape is Shape.LIST:
        return list(list.__iter__(obj))
    if shape is Shape.DEQUE:
        return list(deque.__iter__(obj))
    return [row[shape is Shape.VALUES] for row in mapping_items(gc.get_referents(obj)[0])]


def chained(obj: Any) -> list[Any]:
    """The maps of a ChainMap."""
    maps = (instance_dict(obj) or {}).get("maps")
    return maps if type(maps) is list else []


def mapping_items(obj: Any) -> list[tuple[Any, Any]]:
    """The items of a dict or subclass, in its own order where it is an OrderedDict."""
    items = list(dict.items(obj))
    if any(each is OrderedDict for each in type.__dict__["__mro__"].__get__(type(obj))):
        by_key = {id(key): value for key, value in items}
        return [(key, by_key[id(key)]) for key in OrderedDict.__iter__(obj)]
    return items


def key_step(key: Any) -> Segment:
    """How a path shows a key: itself if it is plain, else its type."""
    if type(key) is str:
        return key
    return (key,) if type(key) in _PLAIN else type(key)
