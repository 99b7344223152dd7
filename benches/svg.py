"""Two kinds of picture as SVG text: grouped bars, and curves over a logarithmic axis. No library is needed for them."""

import math
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, TOP = 760, 160, 52, 92
BAR, GAP = 10, 12
PANEL_HEIGHT, PANEL_GAP, BOTTOM = 190, 46, 46
OURS = "#c2410c"
THEIRS = ("#3f6c8f", "#7fa3bf", "#aab8c2", "#c4b8a5", "#d9d2c3")
INK, FAINT, PAPER = "#24292f", "#d5dade", "#ffffff"

Figures = Mapping[str, float]


def bars(title: str, axis: str, groups: Sequence[tuple[str, Figures]], names: Sequence[str], longest: float) -> str:
    """A group of bars for each row, one for each name that has a figure there; 1 is marked, beyond ``longest`` cut."""
    scale = (WIDTH - LEFT - RIGHT) / longest
    parts, y = [], float(TOP)
    for label, figures in groups:
        there = [name for name in names if name in figures]
        middle = y + len(there) * BAR / 2
        parts.append(_text(LEFT - 10, middle + 4, label, anchor="end"))
        for name in there:
            figure = figures[name]
            length = min(figure, longest) * scale
            parts.append(_rect(LEFT, y, length, BAR - 1.5, _colour(name, names)))
            if figure > longest:
                parts.append(_text(LEFT + length + 5, y + BAR - 2, f"{figure:.3g}", size=10))
            y += BAR
        y += GAP
    ticks = [_tick(LEFT + scale * number, y, f"{number:g}") for number in _steps(longest)]
    one = f'<path d="M{LEFT + scale:.1f} {TOP - 8}V{y:.1f}" stroke="{INK}"/>'
    return _picture(title, axis, names, [*ticks, *parts, one], y + 8)


def curves(title: str, axis: str, panels: Sequence[tuple[str, Mapping[str, Figures]]], names: Sequence[str]) -> str:
    """A panel for each shape, side by side: for each name a curve of figures over sizes, from 0 upwards."""
    width = (WIDTH - 60 - 24 - PANEL_GAP * (len(panels) - 1)) / len(panels)
    parts = [
        _panel(60 + at * (width + PANEL_GAP), width, label, lines, names) for at, (label, lines) in enumerate(panels)
    ]
    return _picture(title, axis, names, parts, TOP + PANEL_HEIGHT + BOTTOM)


def _panel(left: float, width: float, label: str, lines: Mapping[str, Figures], names: Sequence[str]) -> str:
    sizes = sorted({float(size) for figures in lines.values() for size in figures})
    highest = _round_up(max(figure for figures in lines.values() for figure in figures.values()))
    low, high = math.log10(sizes[0]), math.log10(sizes[-1])
    bottom = TOP + PANEL_HEIGHT

    def across(size: float) -> float:
        return left + width * (math.log10(size) - low) / max(high - low, 1)

    parts = [_text(left + width / 2, bottom + 36, label, anchor="middle")]
    for step in range(5):
        number = highest * step / 4
        y = bottom - PANEL_HEIGHT * step / 4
        parts.append(f'<path d="M{left:.1f} {y:.1f}h{width:.1f}" stroke="{FAINT}"/>')
        parts.append(_text(left - 6, y + 4, f"{number:g}", anchor="end", size=10))
    for size in sizes:
        power = _text(across(size), bottom + 18, f"10{_superscript(round(math.log10(size)))}", anchor="middle", size=10)
        parts.append(power)
    for name in reversed([name for name in names if name in lines]):
        points = [
            (across(float(size)), bottom - PANEL_HEIGHT * figure / highest) for size, figure in lines[name].items()
        ]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in sorted(points))
        colour = _colour(name, names)
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2.2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
    return "".join(parts)


def _picture(title: str, axis: str, names: Sequence[str], parts: Sequence[str], height: float) -> str:
    legend, x = [], float(LEFT)
    for name in names:
        legend.append(_rect(x, 46, 10, 10, _colour(name, names)))
        legend.append(_text(x + 15, 55, name))
        x += 34 + 6.6 * len(name)
    head = _text(16, 24, title, size=15) + _text(WIDTH - 24, 24, axis, anchor="end", size=11)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" role="img"'
        f' font-family="system-ui, sans-serif"><title>{escape(title)}</title>'
        f'<rect width="{WIDTH}" height="{height:.0f}" rx="8" fill="{PAPER}"/>'
        f"{head}{''.join(legend)}\n{chr(10).join(parts)}\n</svg>\n"
    )


def _tick(x: float, bottom: float, label: str) -> str:
    line = f'<path d="M{x:.1f} {TOP - 8}V{bottom:.1f}" stroke="{FAINT}"/>'
    return line + _text(x, TOP - 12, label, anchor="middle", size=10)


def _text(x: float, y: float, words: str, *, anchor: str = "start", size: int = 12) -> str:
    weight = "bold" if size > 12 else "normal"
    style = f'text-anchor="{anchor}" font-size="{size}" font-weight="{weight}" fill="{INK}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(words)}</text>'


def _rect(x: float, y: float, width: float, height: float, fill: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height}" fill="{fill}"/>'


def _colour(name: str, names: Sequence[str]) -> str:
    if name == names[0]:
        return OURS
    return THEIRS[(list(names).index(name) - 1) % len(THEIRS)]


def _steps(longest: float) -> list[float]:
    step = next(step for step in (0.25, 0.5, 1, 2, 5, 10, 100) if longest / step <= 8)
    return [step * number for number in range(int(longest / step) + 1)]


def _round_up(number: float) -> float:
    power: float = 10.0 ** math.floor(math.log10(number))
    return next(power * step for step in (1, 2, 4, 6, 8, 10) if number <= power * step)


def _superscript(number: int) -> str:
    return str(number).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
