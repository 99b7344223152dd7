"""What both positions share - findings, budgets, the storage of instances - and the hash position itself."""

from collections.abc import Iterable, Iterator
from typing import Any

from siftpack import values, wire
from siftpack.classify import Field, Shape, Spec, classify, name_of
from siftpack.errors import EncodeError, LimitExceeded
from siftpack.ndarray import NDArray
from siftpack.policy import Action, Kind, Limits, Policy
from siftpack.redact import secret_name
from siftpack.reference.encode import encode, plain
from siftpack.report import RawReport, Segment, Tombstone, render
from siftpack.storage import instance_dict, own_value, read_slot, type_name
from siftpack.values.names import text_bytes
from siftpack.values.numbers import twos_complement

GONE: Any = object()
"""What a visit gives when nothing is left."""
HOPS = 32
"""Enum values and proxies that may stand for one another in a row."""
KINDS, ACTIONS = list(Kind), list(Action)
_PLAIN = (type(None), bool, int, float, str, bytes)
_UNBOUNDED = Limits(bytes=2**40, str_bytes=2**32 - 1)
_HASHABLE = (
    *(Shape.VALUE, Shape.INT, Shape.FLOAT, Shape.STR, Shape.BYTES, Shape.TUPLE, Shape.FROZENSET),
    *(Shape.ENUM, Shape.RECORD, Shape.NAMEDTUPLE, Shape.PARTS),
)
Steps = tuple[Segment, ...]


class Ledger:
    """What one walk has found, may still spend, and has open."""

    def __init__(self, policy: Policy, limits: Limits) -> None:
        self.table = [ACTIONS[number] for number in policy.lowered]
        self.limits = limits
        self.report = RawReport()
        self.open: set[int] = set()
        self.nodes = 0
        self.container_keys = 0

    def note(self, kind: Kind, cls: type, action: Action, steps: Steps) -> None:
        """One finding. Raises ``EncodeError`` where the policy says raise."""
        if self.table[KINDS.index(kind)] is Action.RAISE and action is not Action.CONVERTED:
            raise EncodeError(f"{render(steps)}: {kind} {type_name(cls)} is not data, and the policy says raise")
        self.report.rows.append((steps, KINDS.index(kind), cls, ACTIONS.index(action)))
        self.report.totals[KINDS.index(kind)] += 1
        self.charge(1, steps)

    def charge(self, nodes: int, steps: Steps) -> None:
        """Spend nodes. Raises ``LimitExceeded`` when there are no more."""
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

    def size(self, obj: Any, steps: Steps) -> Any:
        """The object itself, if what is written for a str, bytes or big int is within its bound."""
        if type(obj) is str:
            self.fits(len(text_bytes(obj)), steps)
        elif type(obj) is bytes:
            self.fits(len(obj), steps)
        elif type(obj) is int and not plain(obj):
            self.fits(len(twos_complement(obj)), steps)
        return obj

    def fits(self, size: int, steps: Steps) -> None:
        """Look at the size of one string or payload, in bytes. Raises ``LimitExceeded``."""
        if size > self.limits.str_bytes:
            raise LimitExceeded(f"{render(steps)}: more than {self.limits.str_bytes} bytes (Limits.str_bytes)")

    def leave(self, obj: Any, kind: Kind, action: Action, steps: Steps) -> Any:
        """What is written for an object that is not kept."""
        self.note(kind, type(obj), action, steps)
        if action is Action.TOMBSTONE:
            self.charge(wire.COSTS[wire.TOMBSTONE], steps)
            stone = Tombstone(kind, type_name(type(obj)))
            self.fits(len(kind.value) + 1 + len(text_bytes(stone.type_name)), steps)
            return stone
        return self.size(name_of(obj, kind), steps) if action is Action.NAME else GONE

    def fields(self, obj: Any, spec: Spec, steps: Steps) -> Iterator[tuple[Field, Any]]:
        """Declared fields that are set, then declared extras; reports whatever else the instance holds."""
        if spec.shape is Shape.NAMEDTUPLE:
            items = tuple(tuple.__iter__(obj))
            self.attributes(obj, spec._replace(fields=()), steps)
            yield from zip(spec.fields, items, strict=False)
            for at, item in enumerate(items[len(spec.fields) :], len(spec.fields)):
                self.note(Kind.ATTRIBUTE, type(item), Action.DROP, (*steps, at))
            return
        for field in spec.fields:
            value = own_value(obj, field.name, GONE) if field.slot is None else read_slot(field.slot, obj, GONE)
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

    def attributes(self, obj: Any, spec: Spec, steps: Steps, kept: Iterable[str] = ()) -> None:
        """Report what an instance holds beside its data."""
        if spec.exact and spec.shape is Shape.VALUE:
            return
        kept = kept or spec.kept
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


class Keys(Ledger):
    """The hash position: dict keys and set elements, which are kept whole or not at all."""

    def unordered(self, found: Iterable[Any], steps: Steps, depth: int, kdepth: int = 0) -> list[Any]:
        """The elements of a set in canonical order, equal ones once, findings in an order no hash seed changes."""
        outer, self.report.rows = self.report.rows, []
        hashes: dict[int, int] = {}
        lowered: list[Any] = []
        lost = False
        for item in found:
            step = (*steps, type(item)) if not kdepth else steps
            left = self.key(item, step, depth, kdepth)
            if left is not GONE and not self.weigh(left, hashes, step):
                left = self.drop_key(item, classify(type(item)), step)
            if left is not GONE:
                lowered.append((encode(left, _UNBOUNDED), type_name(type(item)), left, type(item), step))
            else:
                lost = True
        kept: list[Any] = []
        seen: set[Any] = set()
        whole = not (lost and kdepth)
        if whole:
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
        return kept if whole else GONE

    def weigh(self, lowered: Any, hashes: dict[int, int], steps: Steps) -> bool:
        """Charge what is dear to hash and what a forger could make collide; False for what has no hash after all."""
        if plain(lowered):
            return True
        self.container_keys += 1
        try:
            code = hash(lowered)
        except TypeError:
            return False
        hashes[code] = hashes.get(code, 0) + 1
        if self.container_keys > self.limits.container_keys:
            raise LimitExceeded(f"{render(steps)}: more than {self.limits.container_keys} (Limits.container_keys)")
        if hashes[code] > wire.SAME_HASH:
            raise LimitExceeded(f"{render(steps)}: more than {wire.SAME_HASH} keys of one hash")
        return True

    def key(self, obj: Any, steps: Steps, depth: int, kdepth: int, hops: int = 0) -> Any:
        """A hashable form of a dict key or set element, or GONE: then its entry leaves."""
        cls = type(obj)
        if is_plain_type(cls):
            return self.size(obj, steps)
        spec = classify(cls)
        lost = self.table[KINDS.index(spec.kind)] is not Action.KEEP
        if lost or spec.shape not in _HASHABLE or cls is bytearray:
            return self.drop_key(obj, spec, steps)
        if spec.shape is Shape.PARTS:
            return self.key_array(obj, spec, steps)
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
            return self.size(scalar(obj, spec.shape), steps)
        return self.key_container(obj, spec, steps, depth + 1, kdepth + 1)

    def drop_key(self, obj: Any, spec: Spec, steps: Steps) -> Any:
        """Nothing, and a finding that says so."""
        self.note(spec.kind, type(obj), Action.DROP, steps)
        return GONE

    def key_value(self, obj: Any, spec: Spec, steps: Steps) -> Any:
        """A value of the standard library; a memoryview is hashed as its bytes."""
        assert spec.lower is not None
        lowered = spec.lower(obj)
        if lowered is None or lowered[0] in (wire.BYTEARRAY, wire.ARRAY):
            return self.drop_key(obj, spec, steps)
        code, payload, foreign = lowered
        self.fits(len(payload), steps)
        self.charge(values.cost(code, len(payload)), steps)
        if code == wire.MEMORYVIEW:
            self.note(spec.kind, type(obj), Action.CONVERTED, steps)
            return obj.tobytes()
        if spec.exact and foreign is None:
            return obj
        self.note(spec.kind, foreign or type(obj), Action.CONVERTED, steps)
        return values.build(code, payload)

    def key_array(self, obj: Any, spec: Spec, steps: Steps) -> Any:
        """What stands for a scalar or moment whose library is not imported; no array is a key."""
        assert spec.lower is not None
        found = spec.lower(obj) if type(obj) is NDArray else None
        if type(found) is not values.Leaf or found.head[0] in wire.NDARRAY_UNHASHABLE:
            return self.drop_key(obj, spec, steps)
        payload = found.head + found.items
        self.fits(len(payload), steps)
        self.charge(values.cost(wire.NDARRAY, len(payload)), steps)
        return values.build(wire.NDARRAY, payload)

    def key_container(self, obj: Any, spec: Spec, steps: Steps, depth: int, kdepth: int) -> Any:
        """A tuple, frozenset or hashable record, within its bounds and open once."""
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
        """All its elements or fields, or GONE if one of them cannot be kept."""
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
                left = self.leave(item, Kind.SECRET, self.table[KINDS.index(Kind.SECRET)], (*steps, field.name))
            else:
                left = self.key(item, steps, depth, kdepth)
            if left is GONE:
                return GONE
            out.append(left)
        return tuple(out)


def is_plain_type(cls: type) -> bool:
    """True for the exact types that are their own message; by identity, since a metaclass may define ``==``."""
    return any(cls is each for each in _PLAIN)


def scalar(obj: Any, shape: Shape) -> Any:
    """The base storage of a subclass of int, float, str or bytes."""
    if shape is Shape.INT:
        return int.__pos__(obj)
    if shape is Shape.FLOAT:
        return float.__pos__(obj)
    if shape is Shape.STR:
        return "".join((obj,))  # noqa: FLY002 - copies the base storage; an f-string would run the object's __format__
    return bytes(memoryview(obj))


def enum_value(obj: Any) -> Any:
    """The ``_value_`` in an enum member's own dict."""
    return own_value(obj, "_value_", GONE)


def key_step(key: Any) -> Segment:
    """How a path shows a key: itself if it is plain, else its type."""
    if type(key) is str:
        return key
    return (key,) if is_plain_type(type(key)) else type(key)
