"""dtypes as text, in a small notation of our own, which ``docs/format.md`` gives in full. Knows nothing of numpy."""

import functools
import re
from typing import NamedTuple, NoReturn

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
        if depth == NESTED:
            self.bad()
        self.want("{")
        size = self.number()
        aligned = self.take("!")
        fields = []
        while self.take(";"):
            fields.append(self.field(depth))
        self.want("}")
        layout = Layout("{", "|", size, "", tuple(fields), numbered, aligned)
        if not is_proper(layout):
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


def is_proper(record: Layout) -> bool:
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


def holds(layout: Layout, letters: str) -> bool:
    """True if one of the letters is somewhere in a layout."""
    return layout.letter in letters or any(holds(field.layout, letters) for field in layout.fields)
