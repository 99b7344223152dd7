"""What of an array's items is no data: padding, and characters that there are none of."""

from collections.abc import Iterator

from siftpack.values.layouts import EXTENDED, Field, Layout


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
