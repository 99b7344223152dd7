"""Reports put together from other reports, and read back from plain data."""

from collections.abc import Mapping
from typing import Any

from siftpack.policy import Action, Kind
from siftpack.report import FINDINGS_KEPT, Finding, Report


def made(findings: tuple[Finding, ...], counts: Mapping[Kind, int], *, cut: bool = False) -> Report:
    """A report of these findings."""
    report = Report.__new__(Report)
    report.__setstate__({"findings": findings[:FINDINGS_KEPT], "counts": dict(counts), "cut": cut})
    return report


EMPTY = made((), {})
"""Nothing was left out."""


def joined(first: Report, second: Report) -> Report:
    """One report of both: their findings one after the other, their counts added."""
    if first.clean:
        return second
    if second.clean:
        return first
    counts = {kind: first.counts.get(kind, 0) + second.counts.get(kind, 0) for kind in Kind}
    return made(first.findings + second.findings, {k: n for k, n in counts.items() if n}, cut=first.cut or second.cut)


def from_dict(data: Any) -> Report:
    """The report that ``Report.to_dict`` described. Raises ``ValueError`` for anything else."""
    try:
        findings = tuple(
            Finding(str(row["path"]), Kind(row["kind"]), str(row["type_name"]), Action(row["action"]))
            for row in data["findings"]
        )
        counts = {Kind(kind): int(number) for kind, number in data["counts"].items()}
        return made(findings, counts, cut=data["cut"] is True)
    except (KeyError, TypeError, AttributeError):
        raise ValueError("not what Report.to_dict gives") from None
