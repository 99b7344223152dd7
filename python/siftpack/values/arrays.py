"""numpy's arrays and scalars, and the payload that they share with tensors and pandas' moments.

An array is read through functions of the genuine ``ndarray``: a view of the base class first, which runs no code of a
subclass, then what lies in it. Its items are handed on as the buffer they are in, in whatever order; who writes them
puts them in C order.
"""

import struct
from collections.abc import Callable
from typing import Any

from siftpack import wire
from siftpack.ndarray import FORMS, NDArray
from siftpack.policy import Action, Kind
from siftpack.storage import imported
from siftpack.values import Leaf, Loss, Lowered, Parts, dtypes, layouts, padding

SPREAD = 8
"""Bytes of a record for each byte of its fields, at most, where a reader makes room for objects."""
_TENSORS = frozenset("b1 i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8 c4 c8 c16 w2".split())
_KIND, _ACTION = list(Kind), list(Action)


def loss(step: Any, kind: Kind, cls: type, action: Action) -> Loss:
    """A finding below an array."""
    return Loss(step, _KIND.index(kind), cls, _ACTION.index(action))


def head(form: int, text: str, shape: tuple[int, ...]) -> bytes:
    """Form, dtype and shape: what stands before the items."""
    raw = text.encode("utf-8", "surrogatepass")
    return struct.pack(f">BH{len(raw)}sB{len(shape)}Q", form, len(raw), raw, len(shape), *shape)


# Writing.


def lower_ndarray(value: Any) -> Leaf | Parts | None:
    """An ``ndarray`` or the storage of a subclass; None for a dtype that has no text."""
    numpy = dtypes.genuine().module
    plain = numpy.ndarray.__dict__["view"](value, numpy.ndarray)
    dtype = plain.dtype
    losses = () if dtype.metadata is None else (loss("metadata", Kind.ATTRIBUTE, dict, Action.DROP),)
    if type(dtype) is getattr(numpy.dtypes, "StringDType", None):
        losses = (*losses, loss(None, Kind.ARRAY, type(dtype), Action.CONVERTED))
        plain = plain.astype(object)
        dtype = plain.dtype
    text = dtypes.describe(dtype)
    if text is None:
        return None
    if dtype.hasobject:
        return _objects(plain, text, losses)
    items = _items(plain, layouts.parse(text), numpy)
    return None if items is None else Leaf(head(wire.NDARRAY_ARRAY, text, plain.shape), items, losses)


def _items(plain: Any, layout: layouts.Layout, numpy: Any) -> Any:
    """The items as they lie, padding cleared; None if there are characters beyond Unicode."""
    if not plain.nbytes:
        return b""
    if padding.delicate(layout):
        cut = tuple(slice(0, 1 if not step else None) for step in plain.strides)
        once = plain[cut] if cut else plain
        raw = bytearray(once.tobytes())
        if not padding.settle(layout, raw, once.size):
            return None
        plain = numpy.broadcast_to(numpy.ndarray(once.shape, plain.dtype, raw), plain.shape)
    return plain.view(f"V{layout.size}")


def _objects(plain: Any, text: str, losses: tuple[Loss, ...]) -> Parts | None:
    if plain.dtype.names is None:
        elements = tuple(plain.reshape(-1).tolist())
        return Parts(["object", plain.shape, elements], (None, "shape", None), losses)
    if not roomy(layouts.parse(text)):
        return None
    names = plain.dtype.names
    fields = [plain[name] for name in names]
    return Parts(["fields", text, plain.shape, *fields], (None, "dtype", "shape", *names), losses)


def roomy(layout: layouts.Layout) -> bool:
    """True if a record is not much larger than what is in it."""
    return layout.size <= 64 + SPREAD * sum(field.size for field in layout.fields)


def lower_void(value: Any) -> Leaf | Parts | None:
    """A record or raw ``numpy.void``."""
    numpy = dtypes.genuine().module
    own = numpy.generic.__dict__
    dtype = own["dtype"].__get__(value)
    text = dtypes.describe(dtype)
    if text is None:
        return None
    if dtype.hasobject:
        exact = type(value) is numpy.void or type(value) is numpy.record
        return Parts(["record", numpy.asarray(value)], (None, None)) if exact else None
    layout = layouts.parse(text)
    raw = bytearray(own["tobytes"](value)[: layout.size])
    sound = padding.settle(layout, raw, 1)
    return Leaf(head(wire.NDARRAY_RECORD, text, ()), bytes(raw)) if sound else None


def lower_scalar(value: Any) -> Lowered | None:
    """Any other scalar of numpy; strings keep the NULs at their end."""
    own = dtypes.genuine().module.generic.__dict__
    dtype = own["dtype"].__get__(value)
    if dtype.kind == "U":
        characters = "".join((value,))  # noqa: FLY002 - copies the base storage; an f-string would run its __format__
        text, raw = f"<U{len(characters)}", characters.encode("utf-32-le", "surrogatepass")
    elif dtype.kind == "S":
        raw = bytes.__getitem__(value, slice(None))
        text = f"|S{len(raw)}"
    else:
        described = dtypes.describe(dtype)
        if described is None:
            return None
        text, raw = described, own["tobytes"](value)
        if text[1] in "xy":
            data = bytearray(raw)
            padding.settle(layouts.parse(text), data, 1)
            raw = bytes(data)
    return wire.NDARRAY, head(wire.NDARRAY_SCALAR, text, ()) + raw, None


def lower_standin(value: Any) -> Leaf | Parts | None:
    """An ``NDArray``, as the payload or parts it was read from; None if no array is written so."""
    own = NDArray.__dict__
    try:
        kind, text, shape, data = (own[name].__get__(value) for name in NDArray.__match_args__)
    except AttributeError:
        return None
    if type(kind) is not str or type(text) is not str or type(shape) is not tuple:
        return None
    if type(data) is tuple:
        from siftpack.values.tables import lower_parts

        return lower_parts(kind, text, data)
    if kind not in FORMS or type(data) is not bytes or any(type(length) is not int for length in shape):
        return None
    try:
        check(FORMS.index(kind), text, shape, data)
    except ValueError:
        return None
    return Leaf(head(FORMS.index(kind), text, shape), data)


# Reading.


def build_ndarray(payload: bytes) -> Any:
    """The array of a whole payload; see ``restore``."""
    size = head_size(payload)
    return restore(payload[:size], bytearray(memoryview(payload)[size:]))


def head_size(payload: bytes) -> int:
    """How many bytes of a payload stand before its items, whatever they say."""
    at = 3 + int.from_bytes(payload[1:3], "big")
    return at + 1 + 8 * (payload[at] if at < len(payload) else 0)


def restore(front: bytes, items: bytearray) -> Any:
    """The array of what stands before the items and the items, which become its own.

    An ``NDArray`` where its library is not imported. Raises ``ValueError`` for anything that would not be written.
    """
    if len(front) < 4 or len(front) != head_size(front) or front[0] >= len(FORMS):
        raise ValueError("bad array header")
    end = 3 + int.from_bytes(front[1:3], "big")
    form, text = front[0], front[3:end].decode("utf-8", "surrogatepass")
    shape = struct.unpack(f">{front[end]}Q", front[end + 1 :])
    check(form, text, shape, items)
    made = _MAKERS[form](text, shape, items)
    return NDArray(FORMS[form], text, shape, bytes(items)) if made is None else made


def check(form: int, text: str, shape: tuple[int, ...], items: bytes | bytearray) -> None:
    """Raises ``ValueError`` unless an array of that dtype and shape has these items."""
    if form >= wire.NDARRAY_TIMESTAMP:
        from siftpack.values.moments import check_moment

        return check_moment(form, text, shape, bytes(items))
    layout = layouts.parse(text)
    if len(text.encode("utf-8", "surrogatepass")) > layouts.TEXT_MOST or not _suits(form, layout, text, shape):
        raise ValueError("dtype that such an array does not have")
    size = layouts.check_shape(shape, layout.size)
    if size != len(items):
        raise ValueError("array shape and size disagree")
    if padding.delicate(layout) and not padding.sound(layout, items, layouts.items(shape)):
        raise ValueError("array with padding that is not clear or characters beyond Unicode")
    if form == wire.NDARRAY_SCALAR and layout.letter == "b" and items[0] > 1:
        raise ValueError("bool that is neither")
    return None


def _suits(form: int, layout: layouts.Layout, text: str, shape: tuple[int, ...]) -> bool:
    if form == wire.NDARRAY_TENSOR:
        return text[1:] in _TENSORS
    if layouts.holds(layout, layouts.OBJECTS + "w") or (layout.letter == "c" and layout.size == 4):
        return False
    if form == wire.NDARRAY_ARRAY:
        return True
    return not shape and (layout.letter in "{V") is (form == wire.NDARRAY_RECORD)


def _array(text: str, shape: tuple[int, ...], items: bytearray) -> Any:
    if imported("numpy") is None:
        return None
    dtype = dtypes.restore(text)
    return None if dtype is None else dtypes.genuine().module.ndarray(shape, dtype, items)


def _scalar(text: str, shape: tuple[int, ...], items: bytearray) -> Any:
    numpy = imported("numpy") if text[1] in "US" else None
    if numpy is not None and text[1] == "U":
        order = "le" if text[0] == "<" else "be"
        return numpy.str_(items.decode(f"utf-32-{order}", "surrogatepass"))
    if numpy is not None:
        return numpy.bytes_(bytes(items))
    made = _array(text, shape, items)
    return None if made is None else made[()]


def _tensor(text: str, shape: tuple[int, ...], items: bytearray) -> Any:
    if imported("torch") is None:
        return None
    from siftpack.values.tensors import make_tensor

    return make_tensor(text, shape, items)


def _moment(form: int) -> Callable[[str, tuple[int, ...], bytearray], Any]:
    def make(text: str, _: tuple[int, ...], items: bytearray) -> Any:
        if imported("pandas") is None:
            return None
        from siftpack.values.moments import make_moment

        return make_moment(form, text, bytes(items))

    return make


_MAKERS = (
    *(_array, _scalar, _scalar, _tensor),
    *(_moment(form) for form in range(wire.NDARRAY_TIMESTAMP, wire.NDARRAY_NA + 1)),
)
"""How each form is made, from dtype, shape and items; None where its library is not imported."""
