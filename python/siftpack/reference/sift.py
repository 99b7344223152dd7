"""First step: from any object to a clean tree of builtins and values, with findings for everything lost."""

import gc
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterable, Iterator
from typing import Any

from siftpack import values, wire
from siftpack.classify import Field, Shape, Spec, classify
from siftpack.errors import LimitExceeded
from siftpack.policy import Action, Kind, Limits, Policy
from siftpack.redact import secret_name
from siftpack.reference.arrays import Arrays
from siftpack.reference.keys import GONE, HOPS, KINDS, Steps, enum_value, is_plain_type, key_step, scalar
from siftpack.report import RawReport, render
from siftpack.storage import instance_dict, own_value, read_slot, type_name
from siftpack.values.containers import assemble

Items = Iterable[tuple[Any, Any]]


def sift(obj: Any, policy: Policy, limits: Limits) -> tuple[Any, RawReport]:
    """The clean tree and what was lost on the way to it; a top that is all machinery is None."""
    walk = _Walk(policy, limits)
    clean = walk.visit(obj, (), 0)
    return (None if clean is GONE else clean), walk.report


class _Walk(Arrays):
    def visit(self, obj: Any, steps: Steps, depth: int, hops: int = 0) -> Any:
        cls = type(obj)
        if is_plain_type(cls) and cls is not bytes:
            return self.size(obj, steps)
        spec = classify(cls)
        action = self.table[KINDS.index(spec.kind)]
        if action is not Action.KEEP:
            return self.leave(obj, spec.kind, action, steps)
        if spec.shape is Shape.VALUE:
            return self.value(obj, spec, steps)
        if spec.shape is Shape.PARTS:
            return self.array(obj, spec, steps, depth)
        if spec.shape in (Shape.ENUM, Shape.MAPPING_PROXY):
            return self.stand_in(obj, spec, steps, depth, hops)
        if spec.shape in (Shape.INT, Shape.FLOAT, Shape.STR, Shape.BYTES):
            self.attributes(obj, spec, steps)
            return self.size(scalar(obj, spec.shape), steps)
        inside = self.enter(obj, steps, depth, 2 if spec.shape in _TWO_LEVELS else 1)
        if inside is None:
            return GONE
        try:
            return self.contents(obj, spec, steps, inside)
        finally:
            self.open.discard(id(obj))

    def value(self, obj: Any, spec: Spec, steps: Steps) -> Any:
        assert spec.lower is not None
        lowered = spec.lower(obj)
        if lowered is None:
            self.note(spec.kind, type(obj), Action.DROP, steps)
            return GONE
        code, payload, foreign = lowered
        self.fits(len(payload), steps)
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
            return self.exception(obj, spec, steps, depth)
        self.attributes(obj, spec, steps)
        if shape in (Shape.LIST, Shape.DEQUE, Shape.KEYS, Shape.VALUES):
            kept = list(self.elements(listed(obj, shape), steps, depth))
            return deque(kept, deque.__dict__["maxlen"].__get__(obj)) if shape is Shape.DEQUE else kept
        if shape is Shape.CHAIN_MAP:
            return assemble(wire.CHAIN_MAP, list(self.elements(chained(obj), (*steps, "maps"), depth)))
        if shape is Shape.TUPLE:
            return tuple(self.positions(tuple.__iter__(obj), steps, depth))
        if shape is Shape.SLICE:
            return slice(*self.positions((obj.start, obj.stop, obj.step), steps, depth))
        if shape is Shape.ITEMS:
            return [
                self.pair(i, k, v, steps, depth) for i, (k, v) in enumerate(mapping_items(gc.get_referents(obj)[0]))
            ]
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
            if not self.weigh(lowered, hashes, (*steps, step)):
                self.note(classify(type(key)).kind, type(key), Action.DROP, (*steps, step))
                continue
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
            self.size(field.name, (*steps, field.name))
            left = self.field(field, value, (*steps, field.name), depth)
            if left is not GONE:
                kept[field.name] = left
        return kept

    def field(self, field: Field, value: Any, steps: Steps, depth: int) -> Any:
        if field.secret and value is not None and type(value) is not bool:
            return self.leave(value, Kind.SECRET, self.table[KINDS.index(Kind.SECRET)], steps)
        return self.visit(value, steps, depth)

    def opaque(self, obj: Any, spec: Spec, steps: Steps, depth: int) -> Any:
        rows, totals = len(self.report.rows), self.report.totals.copy()
        kept: dict[str, Any] = {}
        for field, value in self.public(obj, spec, steps):
            self.size(field.name, (*steps, field.name))
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

    def exception(self, obj: BaseException, spec: Spec, steps: Steps, depth: int) -> Any:
        own = BaseException.__dict__
        args = own["args"].__get__(obj)
        rows: dict[str, Any] = {"type": type_name(type(obj))}
        if args and type(args[0]) is str:
            rows["message"] = args[0]
        rows["args"] = args
        notes = own_value(obj, "__notes__", GONE)
        if notes is not GONE:
            rows["notes"] = notes
        cause, context = own["__cause__"].__get__(obj), own["__context__"].__get__(obj)
        if cause is not None:
            rows["cause"] = cause
        elif context is not None and not own["__suppress_context__"].__get__(obj):
            rows["context"] = context
        self.attributes(obj, spec, steps)
        return self.entries(rows.items(), steps, depth)


_TWO_LEVELS = (Shape.ORDERED_DICT, Shape.DEFAULT_DICT, Shape.COUNTER)


def listed(obj: Any, shape: Shape) -> list[Any]:
    """The elements of a list, deque, or view of keys or values."""
    if shape is Shape.LIST:
        return list(list.__iter__(obj))
    if shape is Shape.DEQUE:
        return list(deque.__iter__(obj))
    return [row[shape is Shape.VALUES] for row in mapping_items(gc.get_referents(obj)[0])]


def chained(obj: Any) -> list[Any]:
    """The maps of a ChainMap."""
    maps = own_value(obj, "maps", None)
    return maps if type(maps) is list else []


def mapping_items(obj: Any) -> list[tuple[Any, Any]]:
    """The items of a dict or subclass, in its own order where it is an OrderedDict."""
    items = list(dict.items(obj))
    if any(each is OrderedDict for each in type.__dict__["__mro__"].__get__(type(obj))):
        by_key = {id(key): value for key, value in items}
        return [(key, by_key[id(key)]) for key in OrderedDict.__iter__(obj)]
    return items
