"""All that the core ever asks of Python, in one place. Each call is a checkpoint of the walk.

The core sees numbers where Python sees enums; both are counted in the order of definition.
"""

import zlib
from collections import OrderedDict, deque
from typing import Any

from siftpack.classify import Field, classify, name_of
from siftpack.errors import FrameError
from siftpack.policy import Kind
from siftpack.report import Segment, Tombstone, render
from siftpack.storage import type_name
from siftpack.values import build, restore
from siftpack.values.containers import assemble
from siftpack.values.names import lower_tombstone

__all__ = [
    "assemble",
    "build",
    "deque",
    "described",
    "inflate",
    "layout_samples",
    "named",
    "order",
    "path",
    "plan",
    "restore",
    "tombstone",
    "type_name",
]

_KINDS = tuple(Kind)
_NUMBERS = {kind: number for number, kind in enumerate(_KINDS)}


def plan(cls: type) -> tuple[Any, ...]:
    """The plan of a type as the core keeps it."""
    spec = classify(cls)
    head = (_NUMBERS[spec.kind], int(spec.shape), spec.exact, spec.sealed, spec.shared)
    return (*head, _rows(spec.fields), _rows(spec.rest), spec.extra, spec.lower, spec.kept)


def _rows(fields: tuple[Field, ...]) -> tuple[tuple[str, Any, bool], ...]:
    return tuple((field.name, field.slot, field.secret) for field in fields)


def tombstone(kind: int, cls: type) -> tuple[Tombstone, bytes]:
    """The marker for something left out, and its payload."""
    stone = Tombstone(_KINDS[kind], type_name(cls))
    lowered = lower_tombstone(stone)
    assert lowered is not None
    return stone, lowered[1]


def named(obj: Any, kind: int) -> str:
    """The string of ``Action.NAME``."""
    return name_of(obj, _KINDS[kind])


def path(steps: tuple[Segment, ...]) -> str:
    """The path as text."""
    return render(steps)


def order(rows: list[tuple[tuple[Segment, ...], int, type, int]]) -> list[int]:
    """The order of findings inside a set: by what they say, so that no hash seed shows."""
    keys = [(render(steps), kind, type_name(cls), action) for steps, kind, cls, action in rows]
    return sorted(range(len(rows)), key=keys.__getitem__)


def described(kind: int, cls: type) -> str:
    """Kind and type name, for an error."""
    return f"{_KINDS[kind]} {type_name(cls)}"


class _Sample:
    def __init__(self) -> None:
        self.b = 1
        self.a = 2


def layout_samples() -> tuple[Any, Any]:
    """Two objects by which the core makes sure that it reads Python's layouts rightly."""
    ordered = OrderedDict([("a", 1), ("b", 2)])
    ordered.move_to_end("a")
    return _Sample(), ordered


def inflate(payload: bytes, bound: int) -> bytes:
    """What a zlib payload expands to. Raises ``FrameError`` for a bad stream and for more than ``bound`` bytes."""
    stream = zlib.decompressobj()
    try:
        data = stream.decompress(payload, bound)
    except zlib.error:
        raise FrameError("compressed frame that does not expand") from None
    if stream.unconsumed_tail or (not stream.eof and len(data) >= bound):
        raise FrameError(f"compressed frame that expands to more than {bound} bytes (Limits.bytes)")
    if not stream.eof or stream.unused_data:
        raise FrameError("compressed frame that is cut short or goes on past its end")
    return data
