"""The storage of instances: declared fields, attributes beside the data, and what a listed class is rebuilt from."""

from collections.abc import Iterable, Iterator
from typing import Any

from siftpack.classify import Field, Shape, Spec, classify
from siftpack.listed import Listed, readable
from siftpack.policy import DATA_KINDS, Action, Kind
from siftpack.redact import secret_name
from siftpack.redact.values import is_secret, is_secret_bytes
from siftpack.reference.ledger import GONE, Ledger
from siftpack.report import Segment, Tombstone
from siftpack.restore.exceptions import constructor_args
from siftpack.storage import inherits, instance_dict, own_value, read_slot
from siftpack.values.names import text_bytes

Steps = tuple[Segment, ...]
Rows = list[tuple[Field, Any]]
BASE = Field("", None, secret=False)
"""The name under which a record holds the base storage of its instance."""
_CHAIN = {"__cause__", "__context__"}
GROUPS = 32
"""Exception groups inside one another that may all come back."""
_FIELDS_ONLY = (Shape.RECORD, Shape.NAMEDTUPLE)
_NO_BASE = (*_FIELDS_ONLY, Shape.OPAQUE, Shape.LEAF, Shape.WRAPPER, Shape.EXCEPTION)


class Instances(Ledger):
    """Reads instances, never asking them."""

    def fields(self, obj: Any, spec: Spec, steps: Steps) -> Rows:
        """Declared fields that are set, then declared extras; reports whatever else the instance holds."""
        found: Rows = []
        if spec.shape is Shape.NAMEDTUPLE:
            items = tuple(tuple.__iter__(obj))
            self.attributes(obj, spec._replace(fields=()), steps)
            for at, item in enumerate(items[len(spec.fields) :], len(spec.fields)):
                self.note(Kind.ATTRIBUTE, type(item), Action.DROP, (*steps, at))
            return list(zip(spec.fields, items, strict=False))
        for field in spec.fields:
            value = own_value(obj, field.name, GONE) if field.slot is None else read_slot(field.slot, obj, GONE)
            if value is not GONE:
                found.append((field, value))
        declared = {field.name for field in spec.fields}
        for name, value in extras(obj, spec):
            if type(name) is str and name not in declared:
                found.append((Field(name, None, secret_name(name)), value))
            else:
                self.note(Kind.ATTRIBUTE, type(value), Action.DROP, (*steps, key_step(name)))
        kept = {field.name for field in spec.fields if field.slot is None}
        self.attributes(obj, spec._replace(fields=spec.rest), steps, kept)
        return found

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

    def stored(self, obj: Any, spec: Spec, steps: Steps) -> Rows:
        """Slots and attributes of an instance of no declared fields, but for storage of another kind."""
        found = [(field, value) for field in spec.fields if (value := read_slot(field.slot, obj, GONE)) is not GONE]
        slotted = {field.name for field in spec.fields}
        for name, value in dict.items(instance_dict(obj) or {}):
            if type(name) is not str:
                self.note(Kind.ATTRIBUTE, type(value), Action.DROP, (*steps, type(name)))
            elif name in slotted:
                self.note(Kind.ATTRIBUTE, type(value), Action.DROP, (*steps, name))
            else:
                found.append((Field(name, None, secret_name(name)), value))
        return found

    # What is masked.

    def masks(self, field: Field, value: Any) -> bool:
        """True for what is pulled out of an object and is a secret by its name, or as a whole by its shape."""
        if type(value) is str:
            return field.secret or is_secret(value)
        if type(value) is bytes:
            return field.secret or is_secret_bytes(value)
        return field.secret and not hides_nothing(value)

    def hides(self, obj: Any, spec: Spec) -> bool:
        """True if an instance holds a secret that will be masked: then it is not rebuilt."""
        return any(self.is_hidden(name, value) for name, value in _everything(obj, spec))

    def is_hidden(self, name: Any, value: Any) -> bool:
        """True for one thing an instance holds that will be masked."""
        cls = type(value)
        if cls is str or cls is bytes:
            return self.is_secret_name(name) or self.is_secret_value(value)
        if hides_nothing(value):
            return False
        return self.is_secret_name(name) or classify(cls).kind is Kind.SECRET

    # Listed classes.

    def rebuilds(self, obj: Any, spec: Spec, listed: Listed | None) -> bool:
        """True if an instance is written so that it comes back as itself."""
        if listed is None or (spec.kind in DATA_KINDS and self.action(spec.kind) is not Action.KEEP):
            return False
        if not _whole(obj, spec, listed) or self.hides(obj, spec) or not readable(listed, obj):
            return False
        return not inherits(listed.cls, BaseExceptionGroup) or self.members_come_back(obj)

    def members_come_back(self, obj: Any) -> bool:
        """True if each exception of a group comes back as itself: a group takes nothing else."""
        args = constructor_args(obj)
        members = args[1] if len(args) > 1 else None
        if self.cutting or (type(members) is not list and type(members) is not tuple):
            return False
        self.groups += 1
        try:
            return self.groups <= GROUPS and all(self.comes_back(member) for member in members)
        finally:
            self.groups -= 1

    def comes_back(self, obj: Any) -> bool:
        """True if an exception comes back as itself."""
        known = self.listed(type(obj))
        return known is not None and self.rebuilds(obj, classify(type(obj)), known)

    def listed_fields(self, obj: Any, spec: Spec, steps: Steps) -> Rows:
        """What a listed instance is rebuilt from; ``BASE`` stands for its base storage."""
        if spec.shape in _FIELDS_ONLY:
            return self.fields(obj, spec, steps)
        if spec.shape is Shape.ENUM:
            return [(BASE, None)]
        found: Rows = [] if spec.shape in _NO_BASE else [(BASE, None)]
        if spec.shape is Shape.EXCEPTION:
            found.append((Field("args", None, secret=False), constructor_args(obj)))
        taken = {field.name for field, _ in found} | (_CHAIN if spec.shape is Shape.EXCEPTION else set())
        for field, value in self.stored(obj, spec, steps):
            if field.name in taken:
                self.note(Kind.ATTRIBUTE, type(value), Action.DROP, (*steps, field.name))
            elif field.name not in spec.kept or spec.shape is Shape.EXCEPTION or spec.shape is Shape.WRAPPER:
                found.append((field, value))
        if spec.shape is Shape.EXCEPTION:
            found += self.chained(obj, steps)
        return found

    def chained(self, obj: BaseException, steps: Steps) -> Rows:
        """The cause or context of a listed exception, if that comes back too."""
        found = []
        for name, value in chain(obj):
            if self.comes_back(value):
                found.append((Field(f"__{name}__", None, secret=False), value))
            else:
                self.note(Kind.EXCEPTION, type(value), Action.DROP, (*steps, f"__{name}__"))
        return found

    def name_size(self, listed: Listed) -> int:
        """Bytes of the name of a listed class as it is written."""
        size = len(text_bytes(listed.name))
        return size + (1 if size < 32 else 2)


def hides_nothing(value: Any) -> bool:
    """True for values that are no secret under any name, a mask among them."""
    return value is None or type(value) is bool or type(value) is Tombstone


def chain(obj: BaseException) -> Iterator[tuple[str, Any]]:
    """The cause of an exception, or else its context unless that is suppressed."""
    own = BaseException.__dict__
    cause, context = own["__cause__"].__get__(obj), own["__context__"].__get__(obj)
    if cause is not None:
        yield "cause", cause
    elif context is not None and not own["__suppress_context__"].__get__(obj):
        yield "context", context


def extras(obj: Any, spec: Spec) -> list[tuple[Any, Any]]:
    """The items of a record's slot of further fields."""
    if spec.extra is None or spec.shape is not Shape.RECORD:
        return []
    found = read_slot(spec.extra, obj, None)
    return list(found.items()) if type(found) is dict else []


def _everything(obj: Any, spec: Spec) -> Iterator[tuple[Any, Any]]:
    """All that an instance holds directly, with its names."""
    if spec.shape is Shape.NAMEDTUPLE:
        for field, item in zip(spec.fields, tuple.__iter__(obj), strict=False):
            yield field.name, item
    else:
        for field in spec.fields:
            if field.slot is not None:
                yield field.name, read_slot(field.slot, obj, None)
    yield from dict.items(instance_dict(obj) or {})
    yield from extras(obj, spec)
    if spec.shape is Shape.EXCEPTION:
        for item in BaseException.__dict__["args"].__get__(obj):
            yield None, item
    if spec.shape in (Shape.STR, Shape.BYTES):
        yield None, scalar(obj, spec.shape)


def _whole(obj: Any, spec: Spec, listed: Listed) -> bool:
    """True if every field is there without which the class cannot be rebuilt."""
    if spec.shape is Shape.NAMEDTUPLE:
        return tuple.__len__(obj) == len(spec.fields)
    if spec.shape is not Shape.RECORD:
        return True
    held = [
        field.name
        for field in spec.fields
        if (own_value(obj, field.name, GONE) if field.slot is None else read_slot(field.slot, obj, GONE)) is not GONE
    ]
    return listed.required.issubset(held)


def scalar(obj: Any, shape: Shape) -> Any:
    """The base storage of a subclass of int, float, str or bytes."""
    if shape is Shape.INT:
        return int.__pos__(obj)
    if shape is Shape.FLOAT:
        return float.__pos__(obj)
    if shape is Shape.STR:
        return "".join((obj,))  # noqa: FLY002 - copies the base storage; an f-string would run the object's __format__
    return bytes(memoryview(obj))


def stand_in(obj: Any, spec: Spec) -> Any:
    """The value of an enum member, or what a wrapper such as UserDict wraps: in the object's own dict."""
    return own_value(obj, spec.kept[0], GONE)


def key_step(key: Any) -> Segment:
    """How a path shows a key: itself if it is plain, else its type."""
    from siftpack.reference.ledger import is_plain_type

    if type(key) is str:
        return key
    return (key,) if is_plain_type(type(key)) else type(key)
