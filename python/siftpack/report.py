"""What a walk left out, and the two small values that stand for what is not data here."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from siftpack.errors import EncodeError
from siftpack.frozen import Frozen
from siftpack.policy import Action, Kind


class Finding(NamedTuple):
    """One loss: where, what it was, and what was done."""

    path: str
    """As ``$.messages[3].agent``; keys that are no str in braces: ``$.scores{1}``."""
    kind: Kind
    type_name: str
    """``module.qualname`` of the type, without the module for builtins."""
    action: Action


Segment = int | str | type | tuple[Any]
"""One step of a path: a position, a str key or field, the type of a key, or another plain key in a tuple."""

FINDINGS_KEPT = 1000
"""Findings a report keeps; all are counted."""

KEY_SHOWN = 64
"""Characters of a key that a path shows."""


def render(segments: tuple[Segment, ...]) -> str:
    """The path as text."""
    return "$" + "".join(map(_segment, segments))


def _segment(step: Segment) -> str:
    if type(step) is int:
        return f"[{step}]"
    if type(step) is str:
        if len(step) <= KEY_SHOWN and step.isascii() and step.isidentifier():
            return f".{step}"
        import json

        return f"[{json.dumps(step if len(step) <= KEY_SHOWN else step[:KEY_SHOWN] + '...')}]"
    if type(step) is tuple:
        key = step[0]
        shown = key is None or type(key) in (bool, float) or (type(key) is int and abs(key) < 2**64)
        return f"{{{key!r}}}" if shown else f"{{{type(key).__name__}}}"
    from siftpack.storage import type_name

    return f"{{{type_name(step)}}}"  # type: ignore[arg-type]


class Report:
    """The findings of one walk, made readable when first looked at.

    ``findings`` holds the first ``FINDINGS_KEPT``; ``counts`` counts all of them by kind.
    """

    __slots__ = ("_counts", "_findings", "_raw")

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._findings: tuple[Finding, ...] | None = None
        self._counts: dict[Kind, int] | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The first findings, in the order of the walk."""
        if self._findings is None:
            from siftpack.storage import type_name

            kinds, actions = list(Kind), list(Action)
            self._findings = tuple(
                Finding(render(steps), kinds[kind], type_name(cls), actions[action])
                for steps, kind, cls, action in self._raw.findings()
            )
        return self._findings

    @property
    def counts(self) -> Mapping[Kind, int]:
        """How many findings of each kind, kept or not."""
        if self._counts is None:
            self._counts = {kind: n for kind, n in zip(Kind, self._raw.counts(), strict=True) if n}
        return self._counts

    @property
    def clean(self) -> bool:
        """True if nothing was lost, masked or converted."""
        return not self.counts

    @property
    def truncated(self) -> bool:
        """True if there were more findings than are kept."""
        return sum(self.counts.values()) > len(self.findings)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return sum(self.counts.values())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Report):
            return NotImplemented
        return self.findings == other.findings and self.counts == other.counts

    __hash__ = None  # type: ignore[assignment]  # compared by content, like a list

    def __repr__(self) -> str:
        counted = ", ".join(f"{kind}: {n}" for kind, n in self.counts.items())
        return f"<Report {counted or 'clean'}>"

    def __str__(self) -> str:
        if self.clean:
            return "clean: nothing was left out"
        rows = [("path", "kind", "type", "action"), *(tuple(map(str, finding)) for finding in self.findings)]
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
        if self.truncated:
            lines.append(f"... and {len(self) - len(self.findings)} more")
        return "\n".join(line.rstrip() for line in lines)

    def to_dict(self) -> dict[str, Any]:
        """Plain data: ``{"findings": [{...}], "counts": {...}, "truncated": bool, "clean": bool}``."""
        return {
            "findings": [
                {**finding._asdict(), "kind": str(finding.kind), "action": str(finding.action)} for finding in self
            ],
            "counts": {str(kind): n for kind, n in self.counts.items()},
            "truncated": self.truncated,
            "clean": self.clean,
        }

    def raise_if_lossy(self) -> None:
        """Raise ``EncodeError`` naming the first findings unless the report is clean."""
        if self.clean:
            return
        named = "; ".join(f"{f.path}: {f.kind} {f.type_name}" for f in self.findings[:3])
        raise EncodeError(f"{len(self)} finding(s): {named}")

    def __getstate__(self) -> dict[str, Any]:
        return {"findings": self.findings, "counts": dict(self.counts)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._raw, self._findings, self._counts = None, state["findings"], state["counts"]


class RawReport:
    """Findings before they are looked at, as the reference collects them; the core has its own."""

    __slots__ = ("is_cut", "rows", "totals")

    def __init__(self) -> None:
        self.is_cut = False
        self.rows: list[tuple[tuple[Segment, ...], int, type, int]] = []
        self.totals = [0] * len(Kind)

    def findings(self) -> list[tuple[tuple[Segment, ...], int, type, int]]:
        """Rows of (path segments, kind index, type, action index)."""
        return self.rows[:FINDINGS_KEPT]

    def counts(self) -> list[int]:
        """Findings by kind index."""
        return self.totals

    def cut(self) -> bool:
        """True if a bound cut the data."""
        return self.is_cut


class Tombstone(Frozen):
    """Stands where something that is not data was: what kind of thing, and its type's name."""

    __slots__ = __match_args__ = ("kind", "type_name")
    kind: Kind
    type_name: str

    def __init__(self, kind: Kind, type_name: str) -> None:
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "type_name", type_name)


class Ext(Frozen):
    """A MessagePack ext value of a code siftpack does not know, kept as it is: code -128..127 and its bytes."""

    __slots__ = __match_args__ = ("code", "data")
    code: int
    data: bytes

    def __init__(self, code: int, data: bytes) -> None:
        object.__setattr__(self, "code", code)
        object.__setattr__(self, "data", data)
