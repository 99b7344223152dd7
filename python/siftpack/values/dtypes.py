"""dtypes as text, in a small notation of our own, which ``docs/format.md`` gives in full.

``parse`` reads the text without numpy, ``describe`` writes it, ``restore`` makes the dtype. No text that came from
outside ever reaches ``numpy.dtype``: it is given what a ``Layout`` says.
"""

import functools
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any, NamedTuple, NoReturn

SIZES = {
    "b": (1,),
    "i": (1, 2, 4, 8),
    "u": (1, 2, 4, 8),
    "f": (2, 4, 8, 16),
    "c": (4, 8, 16, 32),
    "x": (12, 16),
    "y": (24, 32),
    "l": (4, 8),
    "L": (4, 8),
    "q": (4, 8),
    "Q": (4, 8),
    "w": (2,),
    "M": (8,),
    "m": (8,),
    "O": (8,),
}
"""Sizes of one item in bytes, by letter; ``S``, ``V`` and ``U`` have any."""
SIZE_MOST = 2**31 - 1
"""Bytes of one item, at most."""
NESTED = 16
"""Records inside one another, at most."""
TEXT_MOST = 2**16 - 1
"""Bytes of a dtype's text, at most."""
DIMENSIONS = 64
"""Dimensions of an array, at most."""
EXTENDED = 10
"""Bytes of the 80 bit float that count; the rest of its 12 or 16 are padding."""
OBJECTS = "O"
_UNITS = re.compile(r"(?:\[(?:[2-9]|[1-9][0-9]{1,9})?(?:Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\])?")
_SIMPLE = re.compile(r"([<>|])([a-zA-Z])(0|[1-9][0-9]{0,9})")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,9}")


class Layout(NamedTuple):
    """One dtype: its letter (``{`` for a record), byte order, item size in bytes, and what some letters add."""

    letter: str
    order: str
    size: int
    unit: str = ""
    fields: tuple["Field", ...] = ()
    numbered: bool = False
    """A record of ``numpy.record``."""
    aligned: bool = False


class Field(NamedTuple):
    """One field of a record; ``shape`` is that of a sub-array, else ()."""

    name: str
    offset: int
    title: str | None
    shape: tuple[int, ...]
    layout: Layout

    @property
    def size(self) -> int:
        """Bytes of the whole field."""
        return items(self.shape) * self.layout.size


def items(shape: tuple[int, ...]) -> int:
    """How many items an array of that shape has."""
    count = 1
    for length in shape:
        count *= length
    return count


def check_shape(shape: tuple[int, ...], size: int) -> int:
    """Bytes of an array. Raises ``ValueError`` for dimensions that no array can have."""
    if len(shape) > DIMENSIONS:
        raise ValueError("array of too many dimensions")
    extent = max(size, 1)
    for length in shape:
        if not 0 <= length < 2**63:
            raise ValueError("array of a dimension out of range")
        extent *= max(length, 1)
        if extent >= 2**63:
            raise ValueError("array of dimensions out of range")
    return items(shape) * size


# From text.


class _Text:
    """A cursor over a dtype's text."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def bad(self) -> NoReturn:
        raise ValueError("bad dtype")

    def take(self, mark: str) -> bool:
        """Step over a mark, if it is next."""
        found = self.text.startswith(mark, self.at)
        self.at += len(mark) * found
        return found

    def want(self, mark: str) -> None:
        if not self.take(mark):
            self.bad()

    def match(self, pattern: re.Pattern[str]) -> re.Match[str]:
        found = pattern.match(self.text, self.at)
        if found is None:
            self.bad()
        self.at = found.end()
        return found

    def number(self) -> int:
        value = int(self.match(_NUMBER)[0])
        return value if value <= SIZE_MOST else self.bad()

    def counted(self) -> str:
        size = self.number()
        self.want(":")
        self.at += size
        found = self.text[self.at - size : self.at]
        return found if len(found) == size else self.bad()

    def dtype(self, depth: int) -> Layout:
        numbered = self.take("R")
        if numbered or self.text.startswith("{", self.at):
            return self.record(numbered, depth)
        order, letter, digits = self.match(_SIMPLE).groups()
        size = int(digits)
        unit = self.match(_UNITS)[0] if letter in "Mm" else ""
        if letter == "U":
            size *= 4
        elif letter not in "SV" and size not in SIZES.get(letter, ()):
            self.bad()
        if size > SIZE_MOST or (order == "|") is not (letter in "bSVO" or (size == 1 and letter in "iu")):
            self.bad()
        if int(re.sub("[^0-9]", "", unit) or 0) > SIZE_MOST:
            self.bad()
        return Layout(letter, order, size, unit)

    def record(self, numbered: bool, depth: int) -> Layout:
        self.want("{")
        size = self.number()
        aligned = self.take("!")
        fields = []
        while self.take(";"):
            fields.append(self.field(depth))
        self.want("}")
        layout = Layout("{", "|", size, "", tuple(fields), numbered, aligned)
        if depth == NESTED or not _proper(layout):
            self.bad()
        return layout

    def field(self, depth: int) -> Field:
        name = self.counted()
        self.want("@")
        offset = self.number()
        title = self.counted() if self.take("=") else None
        shape: list[int] = []
        if self.take("("):
            shape.append(self.number())
            while self.take(","):
                shape.append(self.number())
            self.want(")")
        return Field(name, offset, title, tuple(shape), self.dtype(depth + 1))


def _proper(record: Layout) -> bool:
    """True if the fields lie inside the record beside one another, under names that differ."""
    names = [name for field in record.fields for name in (field.name, field.title) if name is not None]
    if len(set(names)) != len(names) or "" in names:
        return False
    end = 0
    for field in sorted(record.fields, key=lambda field: (field.offset, field.size)):
        if len(field.shape) > DIMENSIONS or field.offset < end:
            return False
        end = field.offset + field.size
    return end <= record.size


def parse(text: str) -> Layout:
    """The layout a text describes. Raises ``ValueError`` for any other text."""
    return _remembered(text) if len(text) <= SHORT else _read(text)


SHORT = 64
"""Characters of a dtype that is remembered: what a forger makes long is forgotten."""


def _read(text: str) -> Layout:
    cursor = _Text(text)
    layout = cursor.dtype(0)
    if cursor.at != len(text):
        cursor.bad()
    return layout


_remembered = functools.lru_cache(maxsize=256)(_read)


# To text.


def describe(dtype: Any) -> str | None:
    """The text of a numpy dtype; None for one that has no such text."""
    layout = _layout(dtype, 0)
    text = None if layout is None else write(layout)
    return None if text is None or len(text.encode("utf-8", "surrogatepass")) > TEXT_MOST else text


def write(layout: Layout) -> str:
    """The text of a layout."""
    if layout.letter != "{":
        size = layout.size // 4 if layout.letter == "U" else layout.size
        return f"{layout.order}{layout.letter}{size}{layout.unit}"
    rows = "".join(f";{_field_text(field)}" for field in layout.fields)
    return f"{'R' * layout.numbered}{{{layout.size}{'!' * layout.aligned}{rows}}}"


def _field_text(field: Field) -> str:
    title = "" if field.title is None else f"={len(field.title)}:{field.title}"
    shape = f"({','.join(map(str, field.shape))})" if field.shape else ""
    return f"{len(field.name)}:{field.name}@{field.offset}{title}{shape}{write(field.layout)}"


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
    return made if _proper(made) else None


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
    try:
        made = _made(parse(text), genuine().module)
    except (TypeError, KeyError):
        raise ValueError("bad dtype") from None
    if made is None:
        return None
    if describe(made) != text:
        raise ValueError("dtype that would be written otherwise")
    return made


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


# Items.


def holds(layout: Layout, letters: str) -> bool:
    """True if one of the letters is somewhere in a layout."""
    return layout.letter in letters or any(holds(field.layout, letters) for field in layout.fields)


def delicate(layout: Layout) -> bool:
    """True if not every byte is free: there is padding, or there are characters."""
    return layout.letter in "{Uxy"


def settle(layout: Layout, data: bytearray, count: int) -> bool:
    """Clears the padding of ``count`` items in place; False if a character is beyond Unicode."""
    if not count or not layout.size:
        return True
    for start, stop, order in _regions(layout, 0):
        if order:
            if not _characters(layout, (start, stop, order), data, count):
                return False
        elif stop - start < count:
            for at in range(start, stop):
                data[at :: layout.size] = bytes(count)
        else:
            for base in range(0, count * layout.size, layout.size):
                data[base + start : base + stop] = bytes(stop - start)
    return True


def sound(layout: Layout, data: bytes | bytearray, count: int) -> bool:
    """True if the padding of ``count`` items is clear and every character is Unicode's."""
    copy = bytearray(data)
    return settle(layout, copy, count) and (layout.letter == "U" or copy == data)


def _regions(layout: Layout, base: int) -> Iterator[tuple[int, int, str]]:
    """Stretches of one item that are padding (no order) or characters of a byte order."""
    if layout.letter == "U":
        yield base, base + layout.size, layout.order
    elif layout.letter in "xy":
        half = layout.size // (1 + (layout.letter == "y"))
        for start in range(base, base + layout.size, half):
            yield start + EXTENDED * (layout.order == "<"), start + half - (EXTENDED * (layout.order == ">")), ""
    elif layout.letter == "{":
        end = 0
        for field in sorted(layout.fields, key=lambda field: (field.offset, field.size)):
            if field.offset > end:
                yield base + end, base + field.offset, ""
            yield from _repeated(field, base + field.offset)
            end = field.offset + field.size
        if end < layout.size:
            yield base + end, base + layout.size, ""


def _repeated(field: Field, base: int) -> Iterator[tuple[int, int, str]]:
    if field.layout.letter == "U":
        yield base, base + field.size, field.layout.order
    elif delicate(field.layout) and field.layout.size:
        for start in range(base, base + field.size, field.layout.size):
            yield from _regions(field.layout, start)


_PLANES = bytes(range(17))


def _characters(layout: Layout, region: tuple[int, int, str], data: bytearray, count: int) -> bool:
    start, stop, order = region
    top, plane = (3, 2) if order == "<" else (0, 1)
    if stop - start == layout.size:
        pieces = [(0, len(data), 4)]
    elif (stop - start) // 4 >= count:
        pieces = [(base + start, base + stop, 4) for base in range(0, count * layout.size, layout.size)]
    else:
        pieces = [(at, len(data), layout.size) for at in range(start, stop, 4)]
    return not any(
        data[first + top : last : step].strip(b"\0") or data[first + plane : last : step].translate(None, _PLANES)
        for first, last, step in pieces
    )
