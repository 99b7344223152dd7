"""All that the core ever asks of Python, in one place. Each call is a checkpoint of the walk.

The core sees numbers where Python sees enums; both are counted in the order of definition.
"""

import zlib
from collections import OrderedDict, deque
from typing import Any

from siftpack.classify import Field, classify, name_of, name_of_type
from siftpack.errors import FrameError
from siftpack.listed import Types, readable, restore, types_of
from siftpack.report import ACTIONS, KINDS, Finding, Segment, Tombstone, render, segment, shown_type, where
from siftpack.restore.exceptions import constructor_args
from siftpack.storage import type_name
from siftpack.values import build, loaded
from siftpack.values import restore as restore_array
from siftpack.values.containers import assemble
from siftpack.values.names import lower_tombstone
from siftpack.values.portable import base64_text, cut_text, key_text, number, of_payload, replaced, shortened
from siftpack.values.portable import tombstone as text_of_tombstone
from siftpack.values.records import rebuild as rebuild_listed

__all__ = [
    "ACTIONS",
    "KINDS",
    "Finding",
    "Tombstone",
    "assemble",
    "base64_text",
    "build",
    "constructor_args",
    "cut_text",
    "deque",
    "exceeded",
    "inflate",
    "key_text",
    "layout_samples",
    "named",
    "named_type",
    "number",
    "of_payload",
    "order",
    "path",
    "plan",
    "readable",
    "rebuild",
    "refusal",
    "replaced",
    "restore",
    "restore_array",
    "segment",
    "shortened",
    "shown_type",
    "tombstone",
    "tombstone_text",
    "type_name",
    "types_of",
]

_NUMBERS = {kind: number for number, kind in enumerate(KINDS)}


def plan(cls: type) -> tuple[Any, ...]:
    """The plan of a type as the core keeps it."""
    spec = classify(cls)
    head = (_NUMBERS[spec.kind], int(spec.shape), spec.exact, spec.sealed, spec.shared)
    return (*head, _rows(spec.fields), _rows(spec.rest), spec.extra, loaded(spec.lower), spec.kept, spec.extract)


def _rows(fields: tuple[Field, ...]) -> tuple[tuple[str, Any, bool], ...]:
    return tuple((field.name, field.slot, field.secret) for field in fields)


def tombstone(kind: int, cls: type) -> tuple[Tombstone, bytes]:
    """The marker for something left out, and its payload."""
    stone = Tombstone(KINDS[kind], type_name(cls))
    lowered = lower_tombstone(stone)
    assert lowered is not None
    return stone, lowered[1]


def tombstone_text(kind: int, cls: type) -> str:
    """The marker for something left out, where only text can be written."""
    return text_of_tombstone(Tombstone(KINDS[kind], type_name(cls)))


def named_type(kind: int, cls: type) -> str:
    """The string of ``Action.NAME`` for an object of a class that says nothing more."""
    return name_of_type(cls, KINDS[kind])


def rebuild(types: Types | None, name: str, fields: dict[str, Any], in_key: bool) -> Any:
    """What a record found by a reader stands for. Raises ``ValueError`` where its class refuses."""
    return rebuild_listed(types_of(()) if types is None else types, name, fields, in_key=in_key)


def named(obj: Any, kind: int) -> str:
    """The string of ``Action.NAME``."""
    return name_of(obj, KINDS[kind])


def path(steps: tuple[Segment, ...]) -> str:
    """The path as an error shows it."""
    return where(steps)


def order(rows: list[tuple[tuple[Segment, ...], int, type, int]]) -> list[int]:
    """The order of findings inside a set: by what they say, so that no hash seed shows."""
    keys = [(render(steps), kind, type_name(cls), action) for steps, kind, cls, action in rows]
    return sorted(range(len(rows)), key=keys.__getitem__)


def refusal(path: str, kind: int, cls: type) -> str:
    """What the error says where the policy says raise."""
    from siftpack.advice import refusal as words

    return words(path, KINDS[kind], shown_type(cls))


def exceeded(path: str, bound: str, most: int) -> str:
    """What the error says at a bound of ``Limits``."""
    from siftpack.advice import exceeded as words

    return words(path, bound, most)


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
