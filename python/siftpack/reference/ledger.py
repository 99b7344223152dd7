"""What a walk has found, may still spend, and has open; and what is written for what is not kept."""

import math
from typing import Any, NamedTuple

from siftpack import patterns, wire
from siftpack.advice import exceeded, refusal
from siftpack.classify import Spec, classify, name_of
from siftpack.errors import EncodeError
from siftpack.listed import Listed, Types
from siftpack.policy import CONTAINER_BYTES, DATA_KINDS, Action, Kind, Limits, Policy
from siftpack.redact import secret_name
from siftpack.redact.values import holds_secret, holds_secret_bytes
from siftpack.reference.encode import encode, plain
from siftpack.report import ACTIONS, KINDS, RawReport, Segment, Tombstone, shown_type, where
from siftpack.storage import type_name
from siftpack.values import portable
from siftpack.values.names import text_bytes
from siftpack.values.numbers import twos_complement

GONE: Any = object()
"""What a visit gives when nothing is left."""
DECLINED: Any = object()
"""What a hook gives when the object is to be treated as without it."""
HOPS = 32
"""Enum values, proxies and hooks that may stand for one another in a row."""
UNBOUNDED = Limits(bytes=2**40, str_bytes=2**32 - 1)
_PLAIN = (type(None), bool, int, float, str, bytes)
_BUILTIN = (list, dict, tuple)


class At(NamedTuple):
    """A place: how it was reached, and where that stands in the patterns of the policy."""

    steps: tuple[Segment, ...]
    state: patterns.State


class Reached(Exception):  # noqa: N818 - no error yet: when cutting, it is where something ends
    """A bound was reached. One of nodes or bytes is ``final``: when cutting, the walk ends there."""

    def __init__(self, words: str, *, final: bool = False) -> None:
        super().__init__(words)
        self.final = final


class Ledger:
    """The books of one walk."""

    def __init__(self, policy: Policy, limits: Limits, types: Types, *, building: bool) -> None:
        self.building = building
        self.policy, self.limits, self.types = policy, limits, types
        self.table = [ACTIONS[number] for number in policy.lowered]
        self.cutting = limits.on_exceed == "cut"
        self.native = policy.mode == "native"
        looks = policy.patterns or policy.redact or policy.longest or self.cutting
        self.alters = bool(looks or any(self.action(kind) is not Action.KEEP for kind in DATA_KINDS))
        """Rules may change what an array or table is made of."""
        self.report = RawReport()
        self.open: dict[int, int] = {}
        self.hooked: set[int] = set()
        self.nodes = self.container_keys = self.bytes = self.groups = 0
        self.heights: dict[int, int] = {}
        self.fails: dict[int, int] = {}
        self.stopped = False

    # Places.

    def top(self) -> At:
        """Where ``$`` stands."""
        return At((), patterns.start(self.policy.patterns))

    def below(self, at: At, step: Segment) -> At:
        """One step further."""
        return At((*at.steps, step), patterns.advance(self.policy.patterns, at.state, step))

    def asked(self, at: At) -> Action | None:
        """What a path of the policy asks for here."""
        found: Action | None = patterns.action(self.policy.patterns, at.state)
        return found

    # Findings.

    def action(self, kind: Kind) -> Action:
        """What the policy does with a kind."""
        return self.table[KINDS.index(kind)]

    def note(self, kind: Kind, cls: type, action: Action, steps: tuple[Segment, ...]) -> None:
        """What happened to data. Raises ``EncodeError`` where the policy says raise."""
        changed, due = action in (Action.CONVERTED, Action.CUT), self.action(kind)
        if (self.policy.strict and (changed or due is Action.KEEP)) or (not changed and due is Action.RAISE):
            self.refuse(kind, cls, steps)
        self.record(kind, cls, action, steps)

    def refuse(self, kind: Kind, cls: type, steps: tuple[Segment, ...]) -> None:
        """Raise ``EncodeError``."""
        raise EncodeError(refusal(where(steps), kind, shown_type(cls)))

    def record(self, kind: Kind, cls: type, action: Action, steps: tuple[Segment, ...]) -> None:
        """One finding; it costs a node, and when cutting it is never lost for want of one."""
        self.report.rows.append((steps, KINDS.index(kind), cls, ACTIONS.index(action)))
        self.report.totals[KINDS.index(kind)] += 1
        if action is Action.CUT:
            self.report.is_cut = True
        self.nodes += 1
        if self.nodes > self.limits.nodes:
            if not self.cutting:
                raise self.no_nodes(steps)
            self.stopped = self.report.is_cut = True

    def leave(self, obj: Any, kind: Kind, action: Action, steps: tuple[Segment, ...]) -> Any:
        """What is written for an object that is not kept."""
        if action is Action.RAISE:
            self.refuse(kind, type(obj), steps)
        self.record(kind, type(obj), action, steps)
        return self.left_by(obj, kind, action, steps)

    def left_by(self, obj: Any, kind: Kind, action: Action, steps: tuple[Segment, ...]) -> Any:
        """What an action that was recorded leaves of an object."""
        if action is Action.TOMBSTONE:
            return self.stone(Tombstone(kind, type_name(type(obj))), steps)
        return self.fit(name_of(obj, kind), steps) if action is Action.NAME else GONE

    def stone(self, stone: Tombstone, steps: tuple[Segment, ...]) -> Any:
        """A tombstone; its text where there are no ext values."""
        if not self.native:
            return self.fit(portable.tombstone(stone), steps)
        self.charge(wire.COSTS[wire.TOMBSTONE], steps)
        size = len(stone.kind.value) + 1 + len(text_bytes(stone.type_name))
        self.fits(size, steps)
        self.spend(portable.ext_size(size), steps)
        return stone

    # Budgets.

    def no_nodes(self, steps: tuple[Segment, ...]) -> Reached:
        """The bound of nodes, in words."""
        return self.reached("nodes", steps, final=True)

    def reached(self, bound: str, steps: tuple[Segment, ...], *, final: bool = False) -> Reached:
        """A bound of ``Limits`` in words."""
        return Reached(exceeded(where(steps), bound, getattr(self.limits, bound)), final=final)

    def charge(self, nodes: int, steps: tuple[Segment, ...]) -> None:
        """Spend nodes. Raises ``Reached`` when there are no more."""
        self.nodes += nodes
        if self.nodes > self.limits.nodes:
            raise self.no_nodes(steps)

    def spend(self, size: int, steps: tuple[Segment, ...]) -> None:
        """Spend bytes of output, which are only counted when cutting. Raises ``Reached`` when there are no more."""
        self.bytes += size
        if self.cutting and self.bytes > self.limits.bytes:
            raise self.reached("bytes", steps, final=True)

    def has_room(self) -> bool:
        """Spend the byte of a None in place of what is lost; False, and the end when cutting, where there is none."""
        self.bytes += 1
        if self.cutting and self.bytes > self.limits.bytes:
            self.stopped = self.report.is_cut = True
        return not (self.cutting and self.bytes > self.limits.bytes)

    def fits(self, size: int, steps: tuple[Segment, ...]) -> None:
        """Look at the size of one string or payload, in bytes. Raises ``Reached``."""
        if size > self.limits.str_bytes:
            raise self.reached("str_bytes", steps)

    def deeper(self, depth: int, steps: tuple[Segment, ...], levels: int = 1) -> int:
        """The depth inside a container. Raises ``Reached`` where it is too deep or has no node left."""
        if depth + levels > self.limits.depth:
            raise self.reached("depth", steps)
        self.charge(levels, steps)
        self.spend(CONTAINER_BYTES * levels, steps)
        return depth + levels

    def holds(self, obj: Any) -> bool:
        """True if the container is open already."""
        return id(obj) in self.open

    def enter(self, obj: Any) -> None:
        """From here on the container is open."""
        self.open[id(obj)] = self.open.get(id(obj), 0) + 1

    def exit(self, obj: Any) -> None:
        """From here on it is not, or once less."""
        self.open[id(obj)] -= 1
        if not self.open[id(obj)]:
            del self.open[id(obj)]

    # Scalars.

    def scalar(self, obj: Any, steps: tuple[Segment, ...]) -> Any:
        """None, bool, int, float, str or bytes as the mode has it, within its bounds."""
        cls = type(obj)
        if cls is str:
            obj = self.text(obj, steps)
        elif cls is bytes:
            obj = self.binary(obj, steps)
        elif cls is float and self.policy.mode == "json" and not math.isfinite(obj):
            self.note(Kind.SCALAR, float, Action.CONVERTED, steps)
            obj = None
        elif cls is int and not self.native:
            number = portable.number(obj, self.policy.mode)
            if number is not obj:
                self.note(Kind.SCALAR, int, Action.CONVERTED, steps)
            obj = number
        return self.fit(obj, steps)

    def text(self, obj: str, steps: tuple[Segment, ...]) -> str:
        """A str as the mode has it, and no longer than the policy allows."""
        if not self.native and not plain(obj):
            self.note(Kind.SCALAR, str, Action.CONVERTED, steps)
            obj = portable.replaced(obj)
        longest = self.policy.longest
        if longest is not None and len(obj) > longest:
            self.note(Kind.SCALAR, str, Action.CUT, steps)
            obj = portable.cut_text(obj, longest)
        return obj

    def binary(self, obj: bytes, steps: tuple[Segment, ...]) -> Any:
        """Bytes as the mode has them, and no more than the policy allows."""
        longest = self.policy.longest
        if longest is not None and len(obj) > longest:
            self.note(Kind.BINARY, bytes, Action.CUT, steps)
            obj = portable.shortened(obj, longest)
        return portable.base64_text(obj) if self.policy.mode == "json" else obj

    def fit(self, obj: Any, steps: tuple[Segment, ...]) -> Any:
        """The object, if what is written for it is within its bounds; when cutting, as much of a string as is."""
        size = written_size(obj)
        if size > self.limits.str_bytes and self.cutting and type(obj) is not int:
            self.note(Kind.SCALAR if type(obj) is str else Kind.BINARY, type(obj), Action.CUT, steps)
            obj = portable.shortened(obj, self.limits.str_bytes)
        else:
            self.fits(size, steps)
        if self.cutting:
            self.spend(len(encode(obj, UNBOUNDED)), steps)
        return obj

    # Types.

    def listed(self, cls: type) -> Listed | None:
        """The class among those that come back as themselves; no mode but the native one has a form for it."""
        return self.types.names.get(id(cls)) if self.native else None

    def is_secret_value(self, obj: Any) -> bool:
        """True for a str or bytes in which a secret is, where the policy redacts."""
        return self.policy.redact and holds(obj)

    def is_secret_name(self, name: Any) -> bool:
        """True for a key whose value is a secret by its name alone, where the policy redacts."""
        if not self.policy.redact:
            return False
        if type(name) is bytes:
            return secret_name(name.decode("latin-1"))
        return type(name) is str and secret_name(name)

    def hook(self, call: Any, obj: Any, steps: tuple[Segment, ...]) -> Any:
        """What a hook of the caller's gives for an object, or ``DECLINED``."""
        try:
            made = call(obj)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - the caller's code may raise anything; one broken leaf costs that leaf
            self.note(Kind.HOOK, type(error), Action.DROP, steps)
            return DECLINED
        return DECLINED if made is NotImplemented or made is obj else made

    def hooks(self, spec: Spec) -> list[Any]:
        """The hooks an object of this plan is shown to: its own extractor, then the policy's."""
        found = [] if spec.extract is None else [spec.extract]
        unknown = spec.kind is Kind.OPAQUE or (spec.kind not in DATA_KINDS and spec.kind is not Kind.SECRET)
        return [*found, self.policy.default] if unknown and self.policy.default is not None else found

    def hooked_as(self, obj: Any, spec: Spec, steps: tuple[Segment, ...]) -> Any:
        """What stands in an object's place by the first hook that does not decline, or ``DECLINED``."""
        for call in self.hooks(spec):
            if id(obj) in self.hooked:
                self.note(Kind.CYCLE, type(obj), Action.DROP, steps)
                return GONE
            made = self.hook(call, obj, steps)
            if made is not DECLINED:
                return made
        return DECLINED


def holds(obj: Any) -> bool:
    """True for a str or bytes in which a secret is."""
    if type(obj) is str:
        return holds_secret(obj)
    return type(obj) is bytes and holds_secret_bytes(obj)


def kind_of(obj: Any) -> Kind:
    """What an object is, whatever is done with it."""
    cls = type(obj)
    if cls is bytes:
        return Kind.BINARY
    if is_plain_type(cls):
        return Kind.SCALAR
    return Kind.CONTAINER if any(cls is each for each in _BUILTIN) else classify(cls).kind


def is_plain_type(cls: type) -> bool:
    """True for the exact types that are their own message; by identity, since a metaclass may define ``==``."""
    return any(cls is each for each in _PLAIN)


def written_size(obj: Any) -> int:
    """Bytes of a str, bytes or big int as it is written."""
    if type(obj) is str:
        return len(text_bytes(obj))
    if type(obj) is bytes:
        return len(obj)
    return len(twos_complement(obj)) if type(obj) is int and not plain(obj) else 0
