"""The hash position: dict keys and set elements, which are kept whole or not at all."""

from collections.abc import Iterable
from typing import Any

from siftpack import values, wire
from siftpack.advice import exceeded
from siftpack.classify import Field, Shape, Spec, classify
from siftpack.listed import Listed
from siftpack.ndarray import NDArray
from siftpack.policy import Action, Kind
from siftpack.reference.encode import encode, plain
from siftpack.reference.instances import BASE, Instances, scalar, stand_in
from siftpack.reference.ledger import DECLINED, GONE, HOPS, UNBOUNDED, At, Reached, is_plain_type, kind_of, written_size
from siftpack.reference.record import rebuilt
from siftpack.report import Segment, render, where
from siftpack.storage import type_name
from siftpack.values import portable

_HASHABLE = (
    *(Shape.VALUE, Shape.INT, Shape.FLOAT, Shape.STR, Shape.BYTES, Shape.TUPLE, Shape.FROZENSET),
    *(Shape.ENUM, Shape.WRAPPER, Shape.RECORD, Shape.NAMEDTUPLE, Shape.PARTS),
)
_LISTED = (*_HASHABLE, Shape.OPAQUE, Shape.LEAF)
Steps = tuple[Segment, ...]


class Keys(Instances):
    """Lowers what has to be hashable."""

    def unordered(self, found: Iterable[Any], at: At, depth: int, kdepth: int = 0) -> list[Any]:
        """The elements of a set in canonical order, equal ones once, findings in an order no hash seed changes."""
        outer, self.report.rows = self.report.rows, []
        try:
            kept = self.elements_of_set(found, at, depth, kdepth)
        finally:
            rows = self.report.rows
            rows.sort(key=lambda row: (render(row[0]), row[1], type_name(row[2]), row[3]))
            self.report.rows = outer + rows
        return kept

    def elements_of_set(self, found: Iterable[Any], at: At, depth: int, kdepth: int) -> list[Any]:
        """Lower each element, put them in order, keep of equal ones the first."""
        hashes: dict[int, int] = {}
        lowered: list[Any] = []
        lost = False
        for item in found:
            steps = at.steps if kdepth else (*at.steps, type(item))
            left = self.element(item, at, steps, depth, kdepth)
            if left is not GONE and not self.weigh(left, hashes, steps):
                left = self.drop_key(item, classify(type(item)), steps)
            if left is GONE:
                lost = True
            else:
                lowered.append((encode(left, UNBOUNDED), type_name(type(item)), left, item, steps))
        if lost and kdepth:
            return GONE  # type: ignore[no-any-return]
        lowered.sort(key=lambda row: row[:2])
        kept: list[Any] = []
        seen: set[Any] = set()
        for _, _, left, item, steps in lowered:
            if self.is_first(left, item, seen, steps):
                kept.append(left)
        return kept

    def is_first(self, lowered: Any, key: Any, seen: set[Any], steps: Steps) -> bool:
        """True for a key that no other one equals; else a finding says what became of it."""
        try:
            fresh = lowered not in seen
            seen.add(lowered)
        except Exception:  # noqa: BLE001 - a listed class has an equality of its own
            self.note(kind_of(key), type(key), Action.DROP, steps)
            return False
        if not fresh:
            self.note(Kind.KEY_COLLISION, type(key), Action.DROP, steps)
        return fresh

    def element(self, item: Any, at: At, steps: Steps, depth: int, kdepth: int) -> Any:
        """One element; those of a set that is no key itself can be addressed by a path."""
        asked = None if kdepth else self.asked(self.below(at, type(item)))
        if asked is None or asked is Action.KEEP:
            return self.key(item, steps, depth, kdepth)
        kind = Kind.SECRET if self.is_secret_value(item) else kind_of(item)
        return self.leave(item, kind, asked, steps)

    def weigh(self, lowered: Any, hashes: dict[int, int], steps: Steps) -> bool:
        """Charge what is dear to hash and what a forger could make collide; False for what has no hash after all."""
        if plain(lowered):
            return True
        self.container_keys += 1
        try:
            code = hash(lowered)
        except Exception:  # noqa: BLE001 - a listed class has a hash of its own
            return False
        hashes[code] = hashes.get(code, 0) + 1
        if self.container_keys > self.limits.container_keys:
            raise self.reached("container_keys", steps)
        if hashes[code] > wire.SAME_HASH:
            raise Reached(exceeded(where(steps), "same_hash", wire.SAME_HASH))
        return True

    def map_key(self, key: Any, steps: Steps, depth: int) -> Any:
        """A dict key as it is written, or GONE."""
        lowered = self.key(key, steps, depth, 0)
        if lowered is GONE or self.native or type(lowered) is str:
            return lowered
        text = portable.key_text(lowered, self.policy.mode)
        self.key_size(text, steps)
        return text

    def key(self, obj: Any, steps: Steps, depth: int, kdepth: int, hops: int = 0) -> Any:
        """A hashable form of a dict key or set element, or GONE: then its entry leaves."""
        cls = type(obj)
        if is_plain_type(cls):
            return self.plain_key(obj, steps)
        spec, listed = classify(cls), self.listed(cls)
        if listed is not None and self.rebuilds(obj, spec, listed):
            if spec.shape not in _LISTED:
                return self.drop_key(obj, spec, steps)
            return self.key_container(obj, spec, steps, depth, kdepth, listed)
        made = self.hooked_as(obj, spec, steps)
        if made is GONE:
            return GONE
        if made is not DECLINED:
            return self.key_instead(obj, spec, made, steps, depth, kdepth, hops)
        if self.action(spec.kind) is not Action.KEEP or spec.shape not in _HASHABLE or cls is bytearray:
            return self.drop_key(obj, spec, steps)
        if spec.shape is Shape.PARTS:
            return self.key_array(obj, spec, steps)
        if spec.shape is Shape.VALUE:
            return self.key_value(obj, spec, steps)
        if not spec.exact:
            self.note(spec.kind, cls, Action.CONVERTED, steps)
        if spec.shape not in (Shape.ENUM, Shape.WRAPPER):
            return self.key_storage(obj, spec, steps, depth, kdepth)
        stands_for = stand_in(obj, spec)
        if stands_for is GONE or hops == HOPS:
            return self.drop_key(obj, spec, steps)
        return self.key(stands_for, steps, depth, kdepth, hops + 1)

    def key_instead(  # noqa: PLR0913, PLR0917 - where it is, what it is
        self, obj: Any, spec: Spec, made: Any, steps: Steps, depth: int, kdepth: int, hops: int
    ) -> Any:
        """What a hook gave in a key's place."""
        if hops == HOPS:
            self.note(Kind.CYCLE, type(obj), Action.DROP, steps)
            return GONE
        self.note(spec.kind, type(obj), Action.CONVERTED, steps)
        self.hooked.add(id(obj))
        try:
            return self.key(made, steps, depth, kdepth, hops + 1)
        finally:
            self.hooked.discard(id(obj))

    def plain_key(self, obj: Any, steps: Steps) -> Any:
        """A scalar as the mode has it; one that is a secret is gone."""
        if self.is_secret_value(obj):
            self.note(Kind.SECRET, type(obj), Action.DROP, steps)
            return GONE
        if not self.native and type(obj) is str and not plain(obj):
            self.note(Kind.SCALAR, str, Action.CONVERTED, steps)
            obj = portable.replaced(obj)
        self.key_size(obj, steps)
        return obj

    def drop_key(self, obj: Any, spec: Spec, steps: Steps) -> Any:
        """Nothing, and a finding that says so."""
        self.note(spec.kind, type(obj), Action.DROP, steps)
        return GONE

    def key_storage(self, obj: Any, spec: Spec, steps: Steps, depth: int, kdepth: int) -> Any:
        """The base storage of a subclass, or a container."""
        if spec.shape in (Shape.INT, Shape.FLOAT, Shape.STR, Shape.BYTES):
            return self.plain_key(scalar(obj, spec.shape), steps)
        return self.key_container(obj, spec, steps, depth, kdepth, None)

    def key_value(self, obj: Any, spec: Spec, steps: Steps) -> Any:
        """A value of the standard library; a memoryview is hashed as its bytes."""
        assert spec.lower is not None
        lowered = spec.lower(obj)
        if lowered is None or lowered[0] in values.UNHASHABLE:
            return self.drop_key(obj, spec, steps)
        code, payload, foreign = lowered
        self.fits(len(payload), steps)
        self.charge(values.cost(code, len(payload)), steps)
        if code == wire.MEMORYVIEW:
            self.note(spec.kind, type(obj), Action.CONVERTED, steps)
            return self.plain_key(obj.tobytes(), steps)
        self.spend(portable.ext_size(len(payload)), steps)
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
        self.spend(portable.ext_size(len(payload)), steps)
        return values.build(wire.NDARRAY, payload)

    def key_container(  # noqa: PLR0913, PLR0917 - where it is, what it is
        self, obj: Any, spec: Spec, steps: Steps, depth: int, kdepth: int, listed: Listed | None
    ) -> Any:
        """A tuple, frozenset or hashable record, within its bounds and open once."""
        if kdepth + 1 > self.limits.key_depth:
            raise self.reached("key_depth", steps)
        if self.holds(obj):
            self.note(Kind.CYCLE, type(obj), Action.DROP, steps)
            return GONE
        inside = self.deeper(depth, steps, 1 if listed is None else 2)
        self.enter(obj)
        try:
            if listed is not None:
                return self.key_record(obj, spec, listed, steps, inside, kdepth + 1)
            return self.key_contents(obj, spec, steps, inside, kdepth + 1)
        finally:
            self.exit(obj)

    def key_record(  # noqa: PLR0913, PLR0917 - as above
        self, obj: Any, spec: Spec, listed: Listed, steps: Steps, depth: int, kdepth: int
    ) -> Any:
        """A listed instance, rebuilt so that it can be hashed."""
        self.spend_name(listed, steps)
        fields: dict[str, Any] = {}
        for field, value in self.listed_fields(obj, spec, steps):
            self.key_size(field.name, steps)
            if field is BASE:
                left = self.key_base(obj, spec, steps, depth, kdepth)
            else:
                left = self.key(value, steps, depth, kdepth)
            if left is GONE:
                return GONE
            fields[field.name] = left
        try:
            return rebuilt(listed, fields)
        except ValueError:
            return self.drop_key(obj, spec, steps)

    def key_base(self, obj: Any, spec: Spec, steps: Steps, depth: int, kdepth: int) -> Any:
        """The base storage of a listed instance."""
        if spec.shape is Shape.ENUM:
            value = stand_in(obj, spec)
            return self.drop_key(obj, spec, steps) if value is GONE else self.key(value, steps, depth, kdepth)
        if spec.shape not in (Shape.TUPLE, Shape.FROZENSET):
            return self.key_storage(obj, spec, steps, depth, kdepth)
        if kdepth + 1 > self.limits.key_depth:
            raise self.reached("key_depth", steps)
        return self.key_contents(obj, spec, steps, self.deeper(depth, steps), kdepth + 1)

    def key_contents(self, obj: Any, spec: Spec, steps: Steps, depth: int, kdepth: int) -> Any:
        """All its elements or fields, or GONE if one of them cannot be kept."""
        if spec.shape is Shape.FROZENSET:
            kept = self.unordered(frozenset.__iter__(obj), At(steps, ()), depth, kdepth)
            return GONE if kept is GONE else frozenset(kept)
        if spec.shape is Shape.TUPLE:
            found: Iterable[tuple[Field | None, Any]] = ((None, item) for item in tuple.__iter__(obj))
        else:
            found = self.fields(obj, spec, steps)
        out = []
        for field, item in found:
            if field is not None and self.masks(field, item):
                left = self.mask(field.name, item, steps)
            else:
                left = self.key(item, steps, depth, kdepth)
            if left is GONE:
                return GONE
            out.append(left)
        return tuple(out)

    def mask(self, name: str, value: Any, steps: Steps) -> Any:
        """What stands for a secret field of a record that is a key."""
        action = self.action(Kind.SECRET)
        if action is Action.RAISE:
            self.refuse(Kind.SECRET, type(value), (*steps, name))
        self.record(Kind.SECRET, type(value), action, (*steps, name))
        return self.left_by(value, Kind.SECRET, action, steps)

    def key_size(self, obj: Any, steps: Steps) -> None:
        """Charge a plain key, which is never shortened."""
        self.fits(written_size(obj), steps)
        if self.cutting:
            self.spend(len(encode(obj, UNBOUNDED)), steps)
