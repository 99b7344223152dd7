"""torch's tensors on the CPU: dtype, shape and items. What belongs to a computation is reported.

Only functions of the genuine ``torch.Tensor`` are asked, with ``__torch_function__`` and dispatch to Python off.
"""

import functools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from siftpack import wire
from siftpack.policy import Action, Kind
from siftpack.storage import mro, type_dict
from siftpack.values import Leaf, Loss
from siftpack.values.arrays import head, loss
from siftpack.values.layouts import items as item_count

_TEXTS = {
    "bool": "|b1",
    "uint8": "|u1",
    "int8": "|i1",
    "uint16": "u2",
    "int16": "i2",
    "uint32": "u4",
    "int32": "i4",
    "uint64": "u8",
    "int64": "i8",
    "float16": "f2",
    "float32": "f4",
    "float64": "f8",
    "bfloat16": "w2",
    "complex32": "c4",
    "complex64": "c8",
    "complex128": "c16",
}
"""torch's names of dtypes and ours, without the byte order of this machine."""
_STAND_INS = {"w2": "int16", "c4": "int32"}
"""Dtypes that numpy does not have, and one of the same size that it has."""
_ORDER = "<" if sys.byteorder == "little" else ">"


@functools.cache
def _dtypes(torch: Any) -> dict[Any, str]:
    known = {name: text if text[0] == "|" else _ORDER + text for name, text in _TEXTS.items()}
    return {getattr(torch, name): text for name, text in known.items() if hasattr(torch, name)}


def lower_tensor(value: Any) -> Leaf | None:
    """A tensor, or the storage of a subclass; None where the items are not in this machine's memory, item by item."""
    torch = sys.modules["torch"]
    if any("__torch_dispatch__" in type_dict(each) for each in _derived(torch, type(value))):
        return None
    own = {**type_dict(torch._C.TensorBase), **type_dict(torch.Tensor)}  # noqa: SLF001 - where the storage is
    with _unasked(torch):
        try:
            return _lower(torch, own, value)
        except (RuntimeError, TypeError, NotImplementedError):
            return None


@contextmanager
def _unasked(torch: Any) -> Iterator[None]:
    """In here torch calls no function of a subclass or mode."""
    with torch._C.DisableTorchFunction(), torch._C._DisableTorchDispatch():  # noqa: SLF001 - as torch itself does it
        yield


def _derived(torch: Any, cls: type) -> list[type]:
    order = mro(cls)
    return list(order[: next(at for at, each in enumerate(order) if each is torch.Tensor)])


def _lower(torch: Any, own: dict[str, Any], value: Any) -> Leaf | None:
    text = _dtypes(torch).get(own["dtype"].__get__(value))
    strided = own["layout"].__get__(value) is torch.strided and not own["is_nested"].__get__(value)
    if text is None or not strided or own["device"].__get__(value).type != "cpu":
        return None
    shape = tuple(map(int, own["shape"].__get__(value)))
    front = head(wire.NDARRAY_TENSOR, text, shape)
    losses = tuple(_losses(own, value))
    plain = own["detach"](value)
    plain = own["resolve_neg"](own["resolve_conj"](plain))
    if not item_count(shape):
        return Leaf(front, b"", losses)
    try:
        array = own["numpy"](
            own["view"](plain, getattr(torch, _STAND_INS[text[1:]])) if text[1:] in _STAND_INS else plain
        )
    except RuntimeError:  # torch without numpy
        import ctypes

        whole = own["contiguous"](plain)
        data = ctypes.string_at(own["data_ptr"](whole), item_count(shape) * own["element_size"](whole))
        return Leaf(front, bytes(map(bool, data)) if text == "|b1" else data, losses)
    return Leaf(front, (array.view("u1") != 0) if text == "|b1" else array.view(f"V{array.itemsize}"), losses)


def _losses(own: dict[str, Any], value: Any) -> list[Loss]:
    found = []
    if own["requires_grad"].__get__(value):
        found.append(loss("requires_grad", Kind.ATTRIBUTE, bool, Action.DROP))
    grad = own["grad"].__get__(value) if own["is_leaf"].__get__(value) else None
    if grad is not None:
        found.append(loss("grad", Kind.ATTRIBUTE, type(grad), Action.DROP))
    hooks = own["_backward_hooks"].__get__(value)
    if hooks is not None:
        found.append(loss("_backward_hooks", Kind.PRIVATE, type(hooks), Action.DROP))
    return found


def make_tensor(text: str, shape: tuple[int, ...], items: bytearray) -> Any:
    """The tensor of a payload that was checked; None if this torch has no such dtype.

    Raises ``ValueError`` for bools that are neither.
    """
    torch = sys.modules["torch"]
    dtype = next((dtype for dtype, known in _dtypes(torch).items() if known == text), None)
    if text == "|b1" and items.translate(None, b"\0\1"):
        raise ValueError("bool that is neither")
    if dtype is None:
        return None
    with _unasked(torch):
        return torch.frombuffer(items, dtype=dtype).reshape(shape) if items else torch.empty(shape, dtype=dtype)
