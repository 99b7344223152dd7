"""A report as a table for a terminal: bounded in columns and rows, aligned whatever the names are made of."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from siftpack.policy import Kind
from siftpack.report import legible

if TYPE_CHECKING:
    from siftpack.report import Report

WIDTH = 80
"""Columns of a terminal that a table takes at most."""
ROWS = 50
"""Findings that a table shows."""
TYPE_ROOM = 26
"""Columns that long paths leave to type names; a path that finds no room has a line of its own."""
WORD_ROOM = 16
"""Columns of a kind or an action at most."""
_CELL = 2000
"""Characters of a cell that are looked at; what is shown comes from both ends of them."""
_GAP = "  "


def table(report: "Report") -> str:
    """The first findings, how many more there are, and the counts by kind as the last line."""
    if report.clean:
        return "clean: nothing was left out"
    shown = report.findings[:ROWS]
    rows: list[tuple[str, ...]] = [("path", "kind", "type", "action")]
    rows += [tuple(legible(str(cell), _CELL) for cell in finding) for finding in shown]
    lines = _aligned(rows) if shown else []
    more, kept = len(report) - len(shown), len(report.findings) - len(shown)
    if more:
        there = " in report.findings" if kept == more else f", {kept} of them in report.findings" if kept else ""
        lines.append(f"... and {more} more{there}")
    return "\n".join([*lines, totals(report)])


def totals(report: "Report") -> str:
    """How many findings there are of each kind, the most frequent first, and whether a limit cut the data."""
    number = f"{len(report)} finding{'' if len(report) == 1 else 's'}"
    counts = ", ".join(f"{legible(str(kind), WORD_ROOM)} {n}" for kind, n in frequent(report.counts))
    told = f"{number}: {counts}" if counts else number
    return told + ("; a limit cut the data" if report.cut else "")


def frequent(counts: Mapping[Kind, int]) -> list[tuple[Kind, int]]:
    """Kinds and their numbers, the most frequent first, those of one number by name."""
    return sorted(counts.items(), key=lambda row: (-row[1], str(row[0])))


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    """One line a row, or two where the path is long."""
    paths, *others = ([columns(cell) for cell in column] for column in zip(*rows, strict=True))
    kinds, types, actions = map(max, others)
    kinds, actions = min(kinds, WORD_ROOM), min(actions, WORD_ROOM)
    room = WIDTH - kinds - actions - 3 * len(_GAP)
    types = min(types, max(TYPE_ROOM, room - max(paths)))
    path_width = max(width for width in paths if width <= room - types)
    widths = (kinds, types, actions)
    lines: list[str] = []
    for path, *rest in rows:
        alone = columns(path) > path_width
        if alone:
            lines.append(_cell(path, WIDTH, WIDTH // 3))
        cells = [_cell("" if alone else path, path_width), *map(_cell, rest, widths)]
        lines.append(_GAP.join(cells))
    return [line.rstrip() for line in lines]


def _cell(text: str, width: int, front: int = 0) -> str:
    """Exactly so many columns: padded, or shortened to so many at the front, three dots and as much as fits."""
    if columns(text) > width:
        head = _fitting(text, front)
        text = f"{head}...{_fitting(reversed(text), width - 3 - columns(head))[::-1]}"
    return text + " " * (width - columns(text))


def _fitting(text: Iterable[str], width: int) -> str:
    """The first characters that fit into so many columns."""
    taken: list[str] = []
    for char in text:
        width -= columns(char)
        if width < 0:
            break
        taken.append(char)
    return "".join(taken)


def columns(text: str) -> int:
    """Columns that printable text takes: two for a wide character, none for a mark that joins the one before."""
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width

    wide = sum(east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(category(char) in ("Mn", "Me") for char in text)
