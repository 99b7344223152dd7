"""First step: from any object to a clean tree of builtins and values, with findings for everything lost."""

import gc
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from typing import Any

from siftpack import values, wire
from siftpack.classify import Field, Shape, Spec, classify
from siftpack.errors import EncodeError, LimitExceeded
from siftpack.listed import Listed, Types
from siftpack.policy import DATA_KINDS, Action, Kind, Limits, Policy
from siftpack.reference.arrays import Arrays
from siftpack.reference.instances import BASE, Rows, chain, hides_nothing, key_step, scalar, stand_in
from siftpack.reference.ledger import DECLINED, GONE, HOPS, At, Reached, holds, is_plain_type, kind_of
from siftpack.reference.record import Record, rebuilt
from siftpack.report import RawReport, where
from siftpack.storage import own_value, type_name
from siftpack.values import portable
from siftpack.values.containers import assemble

Items = Iterable[tuple[Any, Any]]
_STORED_SCALARS = (Shape.INT, Shape.FLOAT, Shape.STR, Shape.BYTES)
_TWO_LEVELS = (Shape.ORDERED_DICT, Shape.DEFAULT_DICT, Shape.COUNTER)


def sift(obj: Any, policy: Policy, limits: Limits, types: Types, *, building: bool = False) -> tuple[Any, RawReport]:
    """The clean tree and what was lost on the way to it; a top that is all machinery is None.

    With ``building``, records hold their instances. Raises ``EncodeError``, ``LimitExceeded``.
    """
    walk = _Walk(policy, limits, types, building=building)
    at = walk.top()
    try:
        clean = walk.part(obj, at, walk.visit, obj, at, 0)
    except Reached as bound:
        raise LimitExceeded(str(bound)) from None
    return (None if clean is GONE else clean), walk.report


class _Walk(Arrays):
    def part(self, obj: Any, at: At, visit: Callable[..., Any], *args: Any) -> Any:
        """What is left of one part of a container. When cutting, a part that does not fit is gone as a whole."""
        rows, totals = len(self.report.rows), self.report.totals.copy()
        try:
            return visit(*args)
        except Reached as bound:
            if not self.cutting:
                raise
            del self.report.rows[rows:]
            self.report.totals = totals
            self.stopped = self.stopped or bound.final
            self.note(kind_of(obj), type(obj), Action.CUT, at.steps)
            return GONE

    def visit(self, obj: Any, at: At, depth: int, name: str | None = None, *masked: bool) -> Any:
        """What is left of an object, under the name of a field if it has one: what a path asks for, else its kind."""
        if name is not None:
            self.key_size(name, at.steps)
        asked = self.asked(at)
        if any(masked) and asked is not Action.KEEP:
            return self.leave(obj, Kind.SECRET, asked or self.action(Kind.SECRET), at.steps)
        if asked is not None and asked is not Action.KEEP:
            return self.leave(obj, Kind.SECRET if self.is_secret_value(obj) else kind_of(obj), asked, at.steps)
        return self.kept(obj, at, depth, forced=asked is Action.KEEP)

    def kept(self, obj: Any, at: At, depth: int, *, forced: bool, hops: int = 0) -> Any:
        cls = type(obj)
        if is_plain_type(cls):
            return self.plain(obj, at, forced=forced)
        spec, listed = classify(cls), self.listed(cls)
        if listed is not None and self.rebuilds(obj, spec, listed):
            return self.instance(obj, spec, listed, at, depth)
        made = self.hooked_as(obj, spec, at.steps)
        if made is GONE:
            return GONE
        if made is not DECLINED:
            return self.instead(obj, made, at, depth, forced=forced, hops=hops)
        action = self.action(spec.kind)
        if action is not Action.KEEP and not (forced and spec.kind in DATA_KINDS):
            return self.leave(obj, spec.kind, action, at.steps)
        if spec.shape is Shape.VALUE:
            return self.value(obj, spec, at, depth)
        if spec.shape in (Shape.ENUM, Shape.WRAPPER, Shape.MAPPING_PROXY):
            return self.stood_for(obj, spec, at, depth, forced=forced, hops=hops)
        return self.storage(obj, spec, at, depth)

    def plain(self, obj: Any, at: At, *, forced: bool) -> Any:
        binary = self.action(Kind.BINARY)
        if type(obj) is bytes and binary is not Action.KEEP and not forced:
            return self.leave(obj, Kind.BINARY, binary, at.steps)
        if self.is_secret_value(obj):
            return self.leave(obj, Kind.SECRET, self.action(Kind.SECRET), at.steps)
        return self.scalar(obj, at.steps)

    def instead(  # noqa: PLR0913 - where it is, what it is
        self, obj: Any, made: Any, at: At, depth: int, *, forced: bool, hops: int
    ) -> Any:
        """What a hook gave in an object's place."""
        if hops == HOPS:
            self.note(Kind.CYCLE, type(obj), Action.DROP, at.steps)
            return GONE
        self.hooked.add(id(obj))
        try:
            return self.kept(made, at, depth, forced=forced, hops=hops + 1)
        finally:
            self.hooked.discard(id(obj))

    def value(self, obj: Any, spec: Spec, at: At, depth: int) -> Any:
        assert spec.lower is not None
        lowered = spec.lower(obj)
        if lowered is None:
            self.note(spec.kind, type(obj), Action.DROP, at.steps)
            return GONE
        code, payload, foreign = lowered
        self.fits(len(payload), at.steps)
        self.attributes(obj, spec, at.steps)
        if foreign is not None:
            self.note(Kind.VALUE, foreign, Action.CONVERTED, (*at.steps, "tzinfo"))
        self.charge(values.cost(code, len(payload)), at.steps)
        if not self.native:
            return self.kept(portable.of_payload(code, payload), at, depth, forced=True)
        self.spend(portable.ext_size(len(payload)), at.steps)
        return obj if spec.exact and spec.shared and foreign is None else values.build(code, payload)

    def stood_for(  # noqa: PLR0913 - where it is, what it is
        self, obj: Any, spec: Spec, at: At, depth: int, *, forced: bool, hops: int
    ) -> Any:
        """An enum member is its value, a mapping proxy or wrapper what it wraps."""
        stands_for = gc.get_referents(obj)[0] if spec.shape is Shape.MAPPING_PROXY else stand_in(obj, spec)
        if stands_for is GONE:
            self.note(spec.kind, type(obj), Action.DROP, at.steps)
            return GONE
        if hops == HOPS:
            self.note(Kind.CYCLE, type(obj), Action.DROP, at.steps)
            return GONE
        if spec.shape is Shape.WRAPPER:
            self.attributes(obj, spec, at.steps)
        return self.kept(stands_for, at, depth, forced=forced, hops=hops + 1)

    def storage(self, obj: Any, spec: Spec, at: At, depth: int) -> Any:
        """An object by its own storage, with what stands beside it reported."""
        shape = spec.shape
        if shape not in _STORED_SCALARS and self.holds(obj):
            self.note(Kind.CYCLE, type(obj), Action.DROP, at.steps)
            return GONE
        if shape in (Shape.RECORD, Shape.NAMEDTUPLE):
            return self.as_map(obj, self.fields(obj, spec, at.steps), at, depth)
        if shape is Shape.OPAQUE:
            return self.opaque(obj, spec, at, depth)
        if shape is Shape.EXCEPTION:
            return self.exception(obj, spec, at, depth)
        if shape is Shape.PARTS:
            return self.array(obj, spec, at, depth)
        self.attributes(obj, spec, at.steps)
        return self.base(obj, shape, at, depth)

    # Containers.

    def base(self, obj: Any, shape: Shape, at: At, depth: int) -> Any:
        """The storage of a builtin, or of a subclass as that of its base."""
        if shape in _STORED_SCALARS:
            return self.plain(scalar(obj, shape), at, forced=True)
        if shape in (Shape.SET, Shape.FROZENSET):
            return self.set_of(obj, shape, at, depth)
        if shape is Shape.DEFAULT_DICT:
            self.factory(obj, at)
        inside = self.deeper(depth, at.steps, 2 if shape in _TWO_LEVELS and self.native else 1)
        self.enter(obj)
        try:
            return self.contents(obj, shape, at, inside)
        finally:
            self.exit(obj)

    def factory(self, obj: Any, at: At) -> None:
        found = defaultdict.__dict__["default_factory"].__get__(obj)
        if found is not None:
            self.note(classify(type(found)).kind, type(found), Action.DROP, (*at.steps, "default_factory"))

    def contents(self, obj: Any, shape: Shape, at: At, depth: int) -> Any:
        if shape in (Shape.LIST, Shape.DEQUE, Shape.KEYS, Shape.VALUES):
            kept = self.elements(members(obj, shape), at, depth)
            bounded = shape is Shape.DEQUE and self.native
            return deque(kept, deque.__dict__["maxlen"].__get__(obj)) if bounded else kept
        if shape is Shape.CHAIN_MAP:
            kept = self.elements(chained(obj), self.below(at, "maps"), depth)
            return assemble(wire.CHAIN_MAP, kept) if self.native else kept
        if shape is Shape.TUPLE:
            kept = self.elements(tuple.__iter__(obj), at, depth, places=True)
            return tuple(kept) if self.native else kept
        if shape is Shape.SLICE:
            return self.slice_of(obj, at, depth)
        if shape is Shape.ITEMS:
            return self.pairs(mapping_items(gc.get_referents(obj)[0]), at, depth)
        found = self.entries(mapping_items(obj), at, depth)
        if not self.native or shape is Shape.DICT:
            return found
        marks = {Shape.ORDERED_DICT: wire.ORDERED_DICT, Shape.COUNTER: wire.COUNTER}
        return assemble(marks.get(shape, wire.DEFAULT_DICT), [found])

    def elements(
        self, found: Iterable[Any], at: At, depth: int, *, places: bool = False, names: tuple[Any, ...] | None = None
    ) -> list[Any]:
        """What is left of each element. Lost ones leave, or become None where position has meaning.

        ``names`` is what the path adds for each, instead of its position; None for nothing.
        """
        kept = []
        for number, item in enumerate(found):
            if self.stopped:
                break
            step = number if names is None else names[number]
            place = at if step is None else self.below(at, step)
            left = self.part(item, place, self.visit, item, place, depth)
            if left is not GONE or places:
                kept.append(None if left is GONE else left)
        return kept

    def slice_of(self, obj: Any, at: At, depth: int) -> Any:
        kept = self.elements((obj.start, obj.stop, obj.step), at, depth, places=True)
        return slice(*kept, *[None] * (3 - len(kept))) if self.native else kept

    def pairs(self, items: Items, at: At, depth: int) -> list[Any]:
        kept = []
        for number, pair in enumerate(items):
            if self.stopped:
                break
            place = self.below(at, number)
            left = self.part(pair, place, self.pair, pair, place, depth)
            if left is not GONE:
                kept.append(left)
        return kept

    def pair(self, pair: tuple[Any, Any], at: At, depth: int) -> Any:
        asked = self.asked(at)
        if asked is not None and asked is not Action.KEEP:
            return self.leave(pair, Kind.CONTAINER, asked, at.steps)
        kept = self.elements(pair, at, self.deeper(depth, at.steps), places=True)
        return tuple(kept) if self.native else kept

    def set_of(self, obj: Any, shape: Shape, at: At, depth: int) -> Any:
        """A set in canonical order; a list of its elements where there are no sets."""
        own = set if shape is Shape.SET else frozenset
        inside = self.deeper(depth, at.steps)
        self.enter(obj)
        try:
            kept = self.unordered(own.__iter__(obj), at, inside)
            if self.native:
                return own(kept)
            return self.elements(kept, At(at.steps, ()), inside)
        finally:
            self.exit(obj)

    def entries(self, items: Items, at: At, depth: int) -> dict[Any, Any]:
        kept: dict[Any, Any] = {}
        seen: set[Any] = set()
        hashes: dict[int, int] = {}
        for key, value in items:
            if self.stopped:
                break
            place = self.below(at, key_step(key))
            found = self.part(value, place, self.entry, key, value, place, depth, (seen, hashes))
            if found is not GONE:
                kept[found[0]] = found[1]
        return kept

    def entry(self, key: Any, value: Any, at: At, depth: int, known: tuple[set[Any], dict[int, int]]) -> Any:
        """Key and value of one entry of a mapping, or GONE."""
        seen, hashes = known
        lowered = self.map_key(key, at.steps, depth)
        if lowered is GONE:
            return GONE
        if not self.weigh(lowered, hashes, at.steps):
            self.note(kind_of(key), type(key), Action.DROP, at.steps)
            return GONE
        if not self.is_first(lowered, key, seen, at.steps):
            return GONE
        left = self.visit(value, at, depth, None, not hides_nothing(value) and self.is_secret_name(lowered))
        return GONE if left is GONE else (lowered, left)

    # Instances.

    def as_map(self, obj: Any, found: list[tuple[Field, Any]], at: At, depth: int) -> dict[str, Any]:
        """Fields as a dict."""
        inside = self.deeper(depth, at.steps)
        self.enter(obj)
        try:
            kept = {}
            for field, value in found:
                if self.stopped:
                    break
                place = self.below(at, field.name)
                masked = self.masks(field, value)
                left = self.part(value, place, self.visit, value, place, inside, field.name, masked)
                if left is not GONE:
                    kept[field.name] = left
            return kept
        finally:
            self.exit(obj)

    def opaque(self, obj: Any, spec: Spec, at: At, depth: int) -> Any:
        rows, totals = len(self.report.rows), self.report.totals.copy()
        found = self.stored(obj, spec, at.steps)
        for field, value in found:
            if field.name.startswith("_"):
                self.note(Kind.PRIVATE, type(value), Action.DROP, (*at.steps, field.name))
        kept = self.as_map(obj, [row for row in found if not row[0].name.startswith("_")], at, depth)
        if kept:
            return kept
        del self.report.rows[rows:]
        self.report.totals = totals
        emptied = Action.RAISE if self.policy.strict else self.policy.emptied
        return self.part(obj, at, self.leave, obj, Kind.OPAQUE, emptied, at.steps)

    def exception(self, obj: BaseException, spec: Spec, at: At, depth: int) -> Any:
        args = BaseException.__dict__["args"].__get__(obj)
        rows: list[tuple[str, Any]] = [("type", type_name(type(obj)))]
        if args and type(args[0]) is str:
            rows.append(("message", args[0]))
        rows.append(("args", args))
        notes = own_value(obj, "__notes__", GONE)
        if notes is not GONE:
            rows.append(("notes", notes))
        rows += chain(obj)
        self.attributes(obj, spec, at.steps)
        fields = [(Field(name, None, not self.policy.redact and speaks(value)), value) for name, value in rows]
        return self.as_map(obj, fields, at, depth)

    def instance(self, obj: Any, spec: Spec, known: Listed, at: At, depth: int) -> Any:
        """A listed instance: its record; without a field that it cannot do without, its fields as a dict."""
        if self.holds(obj):
            self.note(Kind.CYCLE, type(obj), Action.DROP, at.steps)
            return GONE
        found = self.listed_fields(obj, spec, at.steps)
        inside = self.deeper(depth, at.steps, 2)
        self.spend(self.name_size(known), at.steps)
        self.enter(obj)
        try:
            kept = self.fields_of(obj, spec, found, at, inside)
        finally:
            self.exit(obj)
        names = {field.name for field, _ in found}
        if "" in names and "" not in kept:
            return GONE
        needed = known.required | ({"args"} if spec.shape is Shape.EXCEPTION else set())
        if not needed.issubset(kept):
            return kept
        if not self.building:
            return Record(known, kept)
        try:
            return rebuilt(known, kept)
        except ValueError as refused:
            raise EncodeError(f"{where(at.steps)}: {refused}") from None

    def fields_of(self, obj: Any, spec: Spec, found: Rows, at: At, depth: int) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for field, value in found:
            if self.stopped:
                break
            place, whole = (at, obj) if field is BASE else (self.below(at, field.name), value)
            left = self.part(whole, place, self.listed_field, obj, spec, field, value, place, depth)
            if left is not GONE:
                kept[field.name] = left
        return kept

    def listed_field(self, obj: Any, spec: Spec, field: Field, value: Any, at: At, depth: int) -> Any:  # noqa: PLR0913, PLR0917 - what it is, where it is
        self.key_size(field.name, at.steps)
        if field is not BASE:
            return self.visit(value, at, depth)
        if spec.shape is not Shape.ENUM:
            return self.base(obj, spec.shape, at, depth)
        held = stand_in(obj, spec)
        if held is GONE:
            self.note(spec.kind, type(obj), Action.DROP, at.steps)
            return GONE
        return self.kept(held, at, depth, forced=False)


def speaks(value: Any) -> bool:
    """True if a text, or one of the texts in a row, holds a secret."""
    cls = type(value)
    if cls is tuple or cls is list:
        return any(speaks(each) for each in value if type(each) is str or type(each) is bytes)
    return holds(value)


def members(obj: Any, shape: Shape) -> list[Any]:
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
