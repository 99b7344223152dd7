"""A report as a notebook shows it: a tree by path that folds, in HTML that runs nothing and asks for nothing."""

from collections import Counter
from html import escape
from typing import TYPE_CHECKING

from siftpack.advice import advice
from siftpack.paths import split
from siftpack.policy import DATA_KINDS, MACHINERY_KINDS, Action, Kind
from siftpack.report import FINDINGS_KEPT, Finding, legible, shorten
from siftpack.report_style import STYLE
from siftpack.report_text import frequent

if TYPE_CHECKING:
    from siftpack.report import Report

STEPS = 48
"""Steps of a path that can be branches of the tree; those beyond stay in one label."""
LABEL_SHOWN = 160
"""Characters of a label that are shown."""
TITLE_SHOWN = 400
"""Characters of an advice that are shown."""
ROWS_OPEN = 40
"""Rows that are open at first; branches that would show more are folded."""
KINDS_TOLD = 3
"""Kinds that a folded branch tells of."""

_GROUPS = {Kind.SECRET: "secret", Kind.CYCLE: "link", Kind.KEY_COLLISION: "link", Kind.HOOK: "hook"}


class _Branch:
    """A place in the tree: what was found there and what lies below."""

    __slots__ = ("below", "counts", "found", "label", "open", "parent")

    def __init__(self, label: str, parent: "_Branch | None") -> None:
        self.label, self.parent = label, parent
        self.below: dict[str, _Branch] = {}
        self.found: Counter[tuple[Kind, str, Action]] = Counter()
        self.counts: Counter[Kind] = Counter()
        self.open = False

    def rows(self) -> int:
        """Rows that it shows when it is open."""
        return len(self.found) + sum(max(1, 0 if each.below else len(each.found)) for each in self.below.values())


def page(report: "Report") -> str:
    """The report as one element with its own style; a short line for a clean one."""
    if report.clean:
        return '<p class="siftpack-report">clean: nothing was left out</p>'
    shown = report.findings[:FINDINGS_KEPT]
    parts = [f'<div class="siftpack-report"><style>{STYLE}</style>', _head(report)]
    if len(report) > len(shown):
        parts.append(_note(f"The first {len(shown)} are shown, {len(report) - len(shown)} more are only counted."))
    if report.cut:
        parts.append(_note("A limit cut the data: what lies beyond it was neither kept nor looked at."))
    return "".join([*parts, *_drawn(_tree(shown)), "</div>"])


def _tree(findings: tuple[Finding, ...]) -> _Branch:
    """The tree of all paths, its lonely steps joined and its first rows open."""
    root = _Branch("$", None)
    branches = [root]
    for finding in findings:
        here = root
        for step in split(finding.path, STEPS):
            if step not in here.below:
                here.below[step] = _Branch(shorten(step, LABEL_SHOWN), here)
                branches.append(here.below[step])
            here = here.below[step]
        here.found[finding.kind, finding.type_name, finding.action] += 1
    for branch in reversed(branches):  # those below come before those above
        for (kind, _, _), number in branch.found.items():
            branch.counts[kind] += number
        if branch.parent is not None:
            branch.parent.counts.update(branch.counts)
        _join(branch)
    _open(root)
    return root


def _join(branch: _Branch) -> None:
    """A branch with nothing but one branch below becomes one with it."""
    if len(branch.below) == 1 and not branch.found:
        (only,) = branch.below.values()
        branch.label += only.label
        branch.below, branch.found = only.below, only.found


def _open(root: _Branch) -> None:
    """Opens branches from the top, each level before the next, while few rows show."""
    rows, level = 0, [root]
    while level:
        deeper: list[_Branch] = []
        for branch in level:
            if branch.below and rows + branch.rows() <= ROWS_OPEN:
                branch.open = True
                rows += branch.rows()
                deeper += branch.below.values()
        level = deeper


def _drawn(root: _Branch) -> list[str]:
    """The tree as HTML, with a stack of its own."""
    parts: list[str] = []
    waiting: list[_Branch | str] = [root]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            parts.append(each)
        elif not each.below:
            parts += [_row(_label(each.label), found, number) for found, number in each.found.items()]
        else:
            parts.append(_summary(each))
            parts += [_row(_HERE, found, number) for found, number in each.found.items()]
            waiting.append("</div></details>")
            waiting += reversed(each.below.values())
    return parts


_HERE = '<i class="siftpack-path">itself</i>'


def _head(report: "Report") -> str:
    number = f"{len(report)} finding{'' if len(report) == 1 else 's'}"
    told = " ".join(
        f'<span class="siftpack-kind siftpack-{_group(kind)}">{_text(kind)} {n}</span>'
        for kind, n in frequent(report.counts)
    )
    return f'<p class="siftpack-head"><b>{number}</b> {told}</p>'


def _note(words: str) -> str:
    return f'<p class="siftpack-note">{words}</p>'


def _summary(branch: _Branch) -> str:
    total = sum(branch.counts.values())
    kinds = frequent(branch.counts)
    told = ", ".join(f"{_text(kind)} {number}" for kind, number in kinds[:KINDS_TOLD])
    told += ", ..." if len(kinds) > KINDS_TOLD else ""
    opened = " open" if branch.open else ""
    return (
        f'<details class="siftpack-branch"{opened}><summary>{_label(branch.label)} '
        f'<b class="siftpack-count">{total}</b> <span class="siftpack-mix">{told}</span></summary>'
        '<div class="siftpack-inside">'
    )


def _row(label: str, found: tuple[Kind, str, Action], number: int) -> str:
    kind, type_name, action = found
    name = legible(type_name, LABEL_SHOWN)
    times = f' <b class="siftpack-count">{number} times</b>' if number > 1 else ""
    return (
        f'<div class="siftpack-row"><span class="siftpack-place">{label}{times}</span> '
        f'<span class="siftpack-kind siftpack-{_group(kind)}" title="{_text(advice(kind, name, action), TITLE_SHOWN)}">'
        f'{_text(kind)}</span> <span class="siftpack-action">{_text(action)}</span> '
        f'<code class="siftpack-type">{escape(name)}</code></div>'
    )


def _label(path: str) -> str:
    return f'<code class="siftpack-path">{_text(path)}</code>'


def _text(words: str, most: int = LABEL_SHOWN) -> str:
    """Any words as text that can be seen, bounded before it is escaped."""
    return escape(legible(str(words), most))


def _group(kind: Kind) -> str:
    """Which colour a kind has."""
    if kind in DATA_KINDS:
        return "data"
    return "machinery" if kind in MACHINERY_KINDS else _GROUPS.get(kind, "aside")
