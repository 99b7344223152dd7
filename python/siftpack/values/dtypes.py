"""numpy's dtypes, from a text and back.

No text that came from outside ever reaches ``numpy.dtype``: it is given what a ``Layout`` says.
"""

import functools
import sys
from importlib import import_module
from typing import Any, NamedTuple

from siftpack.values.layouts import NESTED, SHORT, TEXT_MOST, Field, Layout, is_proper, parse, write


def describe(dtype: Any) -> str | None:
    """The text of a numpy dtype; None for one that has no such text."""
    known = _singles().get(id(dtype))
    if known is not None:
        return known[1]
    layout = _layout(dtype, 0)
    text = None if layout is None else write(layout)
    return None if text is None or len(text.encode("utf-8", "surrogatepass")) > TEXT_MOST else text


@functools.cache
def _singles() -> dict[int, tuple[Any, str]]:
    """The dtypes that numpy has once each, and their texts, by identity: equal dtypes can differ in their scalars."""
    found = [genuine().module.dtype(char) for char in "?bhilqBHILQefdFD"]
    return {id(dtype): (dtype, write(layout)) for dtype in found if (layout := _layout(dtype, 0)) is not None}


def _layout(dtype: Any, depth: int) -> Layout | None:
    numpy = genuine()
    letter = numpy.letters.get(id(type(dtype)))
    if letter is None:
        return None
    if letter == "V" and dtype.names is not None:
        return _record(dtype, depth, numpy)
    order = "|" if letter in "bSVO" or (dtype.itemsize == 1 and letter in "iu") else numpy.orders[dtype.byteorder]
    unit = dtype.str[3:] if letter in "Mm" else ""
    if letter == "V" and dtype.type is not numpy.module.void:
        return None
    return Layout(letter, order, dtype.itemsize, unit)


def _record(dtype: Any, depth: int, numpy: Any) -> Layout | None:
    numbered = dtype.type is numpy.module.record
    if depth == NESTED or not (numbered or dtype.type is numpy.module.void):
        return None
    found = {id(key): row for key, row in dtype.fields.items()}
    fields = []
    for name in dtype.names:
        inner, offset, *title = found[id(name)]
        base, shape = inner.subdtype or (inner, ())
        layout = _layout(base, depth + 1)
        words = (name, *title)
        if layout is None or any(type(word) is not str for word in words):
            return None
        fields.append(Field(name, offset, title[0] if title else None, shape, layout))
    made = Layout("{", "|", dtype.itemsize, "", tuple(fields), numbered, dtype.isalignedstruct)
    return made if is_proper(made) else None


# To numpy.


class Numpy(NamedTuple):
    """What is asked of numpy: the module, its own dtype classes by letter, byte orders by its signs."""

    module: Any
    letters: dict[int, str]
    orders: dict[str, str]
    owned: tuple[type, ...]
    """The dtype classes, so that no identity is ever reused."""


@functools.cache
def genuine() -> Numpy:
    """numpy, which the program has imported."""
    module = import_module("numpy")  # imported by now: an array of it was met, or the reader saw it
    letters: dict[int, str] = {}
    owned = []
    canonical = {module.dtype(f"{kind}{size}").char for kind in "iu" for size in (1, 2, 4, 8)}
    for char in "?bhilqBHILQefdgFDGSUVOMm":
        cls = type(module.dtype(char))
        owned.append(cls)
        kind: str = module.dtype(char).kind
        if kind in "iu" and char not in canonical:
            kind = {"i": "l", "I": "L"}.get(char, char)
        if char in "gG" and module.finfo(char).nmant == 63:
            kind = "x" if char == "g" else "y"
        if char not in "gG" or kind in "xy" or module.finfo(char).nmant in (52, 112):
            letters.setdefault(id(cls), kind)
    native = "<" if sys.byteorder == "little" else ">"
    return Numpy(module, letters, {"=": native, "<": "<", ">": ">"}, tuple(owned))


def restore(text: str) -> Any:
    """The numpy dtype of a text; None if this machine has none such. Raises ``ValueError`` as ``parse`` does."""
    return _remembered(text) if len(text) <= SHORT else _restored(text)


def _restored(text: str) -> Any:
    try:
        made = _made(parse(text), genuine().module)
    except (TypeError, KeyError):
        raise ValueError("bad dtype") from None
    if made is None:
        return None
    if describe(made) != text:
        raise ValueError("dtype that would be written otherwise")
    return made


_remembered = functools.lru_cache(maxsize=256)(_restored)


def _made(layout: Layout, numpy: Any) -> Any:
    """The dtype of a layout; None if this machine has none such."""
    if layout.letter == "{":
        return _made_record(layout, numpy)
    if layout.letter == "w" or (layout.letter, layout.size) == ("c", 4):
        return None
    if layout.letter in "lLqQxy" or (layout.letter in "fc" and layout.size in (16, 32)):
        return _made_special(layout, numpy)
    size = layout.size // 4 if layout.letter == "U" else layout.size
    return numpy.dtype("O" if layout.letter == "O" else f"{layout.order}{layout.letter}{size}{layout.unit}")


def _made_special(layout: Layout, numpy: Any) -> Any:
    """Types that C names and each machine sizes in its own way."""
    own = {"f": "dg", "c": "DG", "x": "g", "y": "G", "l": "li", "L": "LI"}.get(layout.letter, layout.letter)
    for char in own:
        made = numpy.dtype(char).newbyteorder(layout.order)
        if _layout(made, 0) == layout:
            return made
    return None


def _made_record(layout: Layout, numpy: Any) -> Any:
    formats = []
    for field in layout.fields:
        made = _made(field.layout, numpy)
        if made is None:
            return None
        formats.append((made, field.shape) if field.shape else made)
    spec: dict[str, Any] = {
        "names": [field.name for field in layout.fields],
        "formats": formats,
        "offsets": [field.offset for field in layout.fields],
        "itemsize": layout.size,
    }
    if any(field.title is not None for field in layout.fields):
        spec["titles"] = [field.title for field in layout.fields]
    made = numpy.dtype(spec, align=layout.aligned)
    return numpy.dtype((numpy.record, made)) if layout.numbered else made
