"""What a walk left out, and the two small values that stand for what is not data here."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from siftpack._core import secret_value
from siftpack.errors import EncodeError
from siftpack.frozen import Frozen
from siftpack.policy import Action, Kind
from siftpack.storage import type_name


class Finding(NamedTuple):
    """One loss: where, what it was, and what was done."""

    path: str
    """As ``$.messages[3].agent``; keys that are no str in braces: ``$.scores{1}``."""
    kind: Kind
    type_name: str
    """``module.qualname`` of the type, without the module for builtins; one line, at most ``TYPE_SHOWN`` characters."""
    action: Action


Segment = int | str | type | tuple[Any]
"""One step of a path: a position, a str key or field, the type of a key, or another plain key in a tuple."""

FINDINGS_KEPT = 1000
"""Findings a report keeps; all are counted."""

SHORTEST_SECRET = 8
"""Characters that a str has at least if it holds a secret: ``a://:b@c``."""

KEY_SHOWN = 64
"""Characters of a key that a path shows."""

TYPE_SHOWN = 160
"""Characters of a type's name that a finding, a path or an error shows."""

PATH_SHOWN = 120
"""Characters of a path that an error shows; a finding has all of them."""

_NAMED = 3
"""Findings that ``raise_if_lossy`` names."""


KINDS = tuple(Kind)
ACTIONS = tuple(Action)


def render(segments: tuple[Segment, ...]) -> str:
    """The path as text: one line without control characters. ``siftpack.paths.split`` takes it apart again."""
    return "$" + "".join([segment(step) for step in segments])


def where(segments: tuple[Segment, ...]) -> str:
    """The path as an error shows it: bounded."""
    return shorten(render(segments), PATH_SHOWN)


def segment(step: Segment) -> str:
    """One step of a path as text. The core makes the usual ones itself, by the same rule."""
    if type(step) is int:
        return f"[{step}]"
    if type(step) is str:
        return _key(step) if _shows(step) else "{str}"
    if type(step) is tuple:
        key = step[0]
        shown = key is None or type(key) in (bool, float) or (type(key) is int and abs(key) < 2**64)
        return f"{{{key!r}}}" if shown else f"{{{type(key).__name__}}}"
    name = shown_type(step)  # type: ignore[arg-type]
    return f"{{{_quoted(name) if any(mark in name for mark in _BRACES) else name}}}"


_BRACES = '{}"'


def _shows(step: str) -> bool:
    """True if a path may show this str key; else it shows ``{str}``: a key that holds a secret is shown nowhere."""
    return len(step) < SHORTEST_SECRET or not secret_value(step, whole=False)


def _key(step: str) -> str:
    if len(step) <= KEY_SHOWN and step.isascii() and step.isidentifier():
        return f".{step}"
    return f"[{_quoted(step if len(step) <= KEY_SHOWN else step[:KEY_SHOWN] + '...')}]"


def _quoted(text: str) -> str:
    import json

    return json.dumps(text)


def shown_type(cls: type) -> str:
    """The name of a type as people see it: one line, bounded."""
    return legible(type_name(cls), TYPE_SHOWN)


def shorten(text: str, most: int) -> str:
    """A text of at most so many characters: the middle of a longer one becomes three dots."""
    if len(text) <= most:
        return text
    front = (most - 3) // 3
    return f"{text[:front]}...{text[len(text) - (most - 3 - front) :]}"


def legible(text: str, most: int) -> str:
    """A shortened text in which every character can be seen: controls, overrides and lone surrogates are escaped."""
    text = shorten(text, most)
    if text.isprintable():
        return text
    escaped = (char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)
    return shorten("".join(escaped), most)


class Report:
    """The findings of one walk, made readable when first looked at.

    ``findings`` holds the first ``FINDINGS_KEPT``; ``counts`` counts all of them by kind. ``str`` gives a table for a
    terminal of 80 columns, a notebook shows a tree that folds, ``to_dict`` gives plain data.
    """

    __slots__ = ("_counts", "_cut", "_findings", "_raw")

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._findings: tuple[Finding, ...] | None = None
        self._counts: dict[Kind, int] | None = None
        self._cut = _was_cut(raw)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The first findings, in the order of the walk."""
        if self._findings is None:
            self._findings = tuple(self._raw.findings())
        return self._findings

    @property
    def counts(self) -> Mapping[Kind, int]:
        """How many findings of each kind, kept or not."""
        if self._counts is None:
            self._counts = self._raw.counts()
        return self._counts

    @property
    def clean(self) -> bool:
        """True if nothing was lost, masked, converted or cut."""
        return not self.counts and not self._cut

    @property
    def omitted(self) -> int:
        """Findings that are counted and not kept."""
        return len(self) - len(self.findings)

    @property
    def cut(self) -> bool:
        """True if a limit cut the data: what lies beyond it was neither kept nor looked at."""
        return self._cut

    @property
    def truncated(self) -> bool:
        """True if this report, or the result it tells of, is not whole: findings were omitted or the data was cut."""
        return self._cut or self.omitted > 0

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return sum(self.counts.values())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Report):
            return NotImplemented
        return (self.findings, self.counts, self.cut) == (other.findings, other.counts, other.cut)

    __hash__ = None  # type: ignore[assignment]  # compared by content, like a list

    def __repr__(self) -> str:
        counted = ", ".join(f"{kind}: {n}" for kind, n in self.counts.items())
        cut = ("; " if counted else "") + "cut" if self._cut else ""
        return f"<Report {counted + cut or 'clean'}>"

    def __str__(self) -> str:
        from siftpack.report_text import table

        return table(self)

    def _repr_html_(self) -> str:
        """The report as a notebook shows it: HTML that needs nothing else and runs nothing."""
        from siftpack.report_html import page

        return page(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain data: ``{"findings": [{...}], "counts": {...}, "omitted": int, "cut": bool, ...}``.

        ``truncated`` and ``clean`` are the other two keys; every value passes ``json.dumps``.
        """
        return {
            "findings": [
                {**finding._asdict(), "kind": str(finding.kind), "action": str(finding.action)} for finding in self
            ],
            "counts": {str(kind): n for kind, n in self.counts.items()},
            "omitted": self.omitted,
            "cut": self.cut,
            "truncated": self.truncated,
            "clean": self.clean,
        }

    def raise_if_lossy(self) -> None:
        """Raise ``EncodeError`` unless the report is clean: it names the first findings and says what helps."""
        if not self.clean:
            from siftpack.advice import lossy

            raise EncodeError(lossy(self.findings[:_NAMED], len(self), cut=self._cut))

    def __getstate__(self) -> dict[str, Any]:
        return {"findings": self.findings, "counts": dict(self.counts), "cut": self._cut}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._raw, self._findings, self._counts = None, state["findings"], state["counts"]
        self._cut = state.get("cut", False)


def _was_cut(raw: Any) -> bool:
    """What raw findings say of a limit that cut the data; those that cannot say so come of a walk that was not cut."""
    asked = getattr(raw, "cut", None)
    return asked is not None and bool(asked())


class RawReport:
    """Findings before they are looked at, as the reference collects them; the core has its own."""

    __slots__ = ("is_cut", "rows", "totals")

    def __init__(self) -> None:
        self.is_cut = False
        self.rows: list[tuple[tuple[Segment, ...], int, type, int]] = []
        self.totals = [0] * len(Kind)

    def findings(self) -> list[Finding]:
        """The first of them, made readable."""
        return [
            Finding(render(steps), KINDS[kind], shown_type(cls), ACTIONS[action])
            for steps, kind, cls, action in self.rows[:FINDINGS_KEPT]
        ]

    def counts(self) -> dict[Kind, int]:
        """Findings by kind, where there are any."""
        return {kind: n for kind, n in zip(KINDS, self.totals, strict=True) if n}

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
