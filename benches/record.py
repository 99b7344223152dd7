"""The record of a run: rows, how they stand to the aims, and tables of both."""

import datetime
import json
import math
import os
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from case import Aim
from questions import Question
from siftpack.cli.bench import peers
from siftpack.cli.bench.timing import Sample

RECORD = Path(__file__).parent / "record"
FAMILIES = ("epyc", "xeon", "ryzen", "threadripper", "core", "apple", "graviton", "neoverse", "ampere")


@dataclass(frozen=True)
class Row:
    """One case of a question: a sample for each contestant."""

    question: str
    case: str
    unit: str
    aimed: bool
    samples: dict[str, Sample]

    def better(self, rivals: Iterable[str]) -> str | None:
        """The better of those rivals that took part."""
        there = [name for name in rivals if name in self.samples]
        return min(there, key=lambda name: self.samples[name].minimum, default=None)

    def over(self, rivals: Iterable[str]) -> float | None:
        """siftpack over the better of them; below 1 is better than they."""
        rival = self.better(rivals)
        return None if rival is None else self.figure("siftpack") / self.figure(rival)

    def figure(self, name: str) -> float:
        """The least that was seen of one contestant, in the unit."""
        least = self.samples[name].minimum
        return least / 1000 if self.unit == "us" else least


@dataclass(frozen=True)
class Verdict:
    """How one question came out beside one aim."""

    question: str
    against: str
    aimed: str
    mean: float | None
    worst: float
    worst_case: str
    reached: bool
    mean_of_all: float | None
    worst_of_all: float


def verdict(aim: Aim, rows: list[Row]) -> Verdict | None:
    """None if none of the rivals took part in a case that is aimed at."""
    found = [(figure, row.case, row.aimed) for row in rows if (figure := _figure(aim, row, rows)) is not None]
    mine = [(figure, case) for figure, case, aimed in found if aimed]
    if not mine:
        return None
    ratios = aim.beyond is None and aim.spread is None
    mean = _mean([figure for figure, _ in mine]) if ratios else None
    worst, worst_case = max(mine)
    limit = next(limit for limit in (aim.worst, aim.beyond, aim.spread, math.inf) if limit is not None)
    return Verdict(
        rows[0].question,
        " or ".join(aim.rivals) or "itself",
        _said(aim),
        mean,
        worst,
        worst_case,
        worst <= limit and (aim.mean is None or (mean is not None and mean <= aim.mean)),
        _mean([figure for figure, _, _ in found]) if ratios else None,
        max(found)[0],
    )


def _figure(aim: Aim, row: Row, rows: list[Row]) -> float | None:
    if aim.spread is not None:
        alike = [other.figure("siftpack") for other in rows if other.case.split()[0] == row.case.split()[0]]
        return max(alike) / min(alike)
    if aim.beyond is not None:
        rival = row.better(aim.rivals)
        return None if rival is None else row.figure("siftpack") - row.figure(rival)
    return row.over(aim.rivals)


def _said(aim: Aim) -> str:
    parts = (
        ("mean", aim.mean, ""),
        ("worst", aim.worst, ""),
        ("beyond it", aim.beyond, " us"),
        ("largest over smallest", aim.spread, ""),
    )
    return ", ".join(f"{word} at most {part(limit)}{unit}" for word, limit, unit in parts if limit is not None)


def _mean(ratios: list[float]) -> float:
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def summary(verdicts: Iterable[Verdict]) -> str:
    """A Markdown table of how the aims were met."""
    lines = [["question", "against", "mean", "worst", "aim", "reached", "mean of all", "worst of all"]]
    for each in verdicts:
        said = short if each.mean is None else part
        numbers = (each.mean, each.worst, each.mean_of_all, each.worst_of_all)
        mean, worst, of_all, worst_of_all = ("-" if number is None else said(number) for number in numbers)
        reached = "yes" if each.reached else "no"
        worst = f"{worst} ({each.worst_case})"
        lines.append([each.question, each.against, mean, worst, each.aimed, reached, of_all, worst_of_all])
    return markdown(lines)


def table(question: Question, rows: list[Row]) -> str:
    """A Markdown table of every case: minima, and siftpack over the better of the rivals."""
    rivals = question.aims[0].rivals
    names = list(dict.fromkeys(name for row in rows for name in row.samples))
    lines = [["case", *names, *(["rival", "ratio"] if rivals else [])]]
    for row in rows:
        figures = [short(row.figure(name)) if name in row.samples else "-" for name in names]
        ratio = row.over(rivals)
        end = [row.better(rivals) or "-", "-" if ratio is None else short(ratio)] if rivals else []
        lines.append([row.case, *figures, *end])
    return f"## {question.name}\n\n{question.text} {question.figures}, in {question.unit}.\n\n{markdown(lines)}\n"


def short(number: float) -> str:
    """Three digits, without an exponent."""
    return f"{number:.0f}" if abs(number) >= 100 else f"{number:.2f}" if abs(number) >= 0.1 else f"{number:.2g}"


def part(ratio: float) -> str:
    """A small ratio as one part of so many."""
    return f"1/{1 / ratio:.0f}" if 0 < ratio < 0.13 else f"{ratio:.2f}"


def markdown(lines: list[list[str]]) -> str:
    """A table whose first line is the head."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    lines = [lines[0], ["-" * width for width in widths], *lines[1:]]
    padded = [" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    return "".join(f"| {line} |\n" for line in padded)


def cpu_model() -> str:
    """The processor's own name, as the system gives it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def machine_kind() -> str:
    """Processor family and number of cores, as ``epyc-2core``: a kind, never a name of one machine."""
    words = cpu_model().lower().replace("(r)", " ").replace("(tm)", " ").split()
    family = next((name for name in FAMILIES if name in words), words[0] if words else "unknown")
    return f"{''.join(c for c in family if c.isalnum())}-{os.cpu_count()}core"


def write(questions: list[Question], rows: list[Row], command: str, folder: Path) -> Path:
    """Write ``<date>-<machine kind>.json`` and ``.md`` into the folder; gives the path of the first."""
    facts: dict[str, Any] = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": machine_kind(),
        "cpu": f"{cpu_model()} x {os.cpu_count()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "versions": peers.versions(),
        "command": command,
    }
    asked = [(question, [row for row in rows if row.question == question.name]) for question in questions]
    asked = [(question, mine) for question, mine in asked if mine]
    verdicts = [found for question, mine in asked for aim in question.aims if (found := verdict(aim, mine))]
    path = folder / f"{facts['date']}-{facts['machine']}.json"
    folder.mkdir(exist_ok=True)
    content = facts | {"aims": [asdict(each) for each in verdicts], "cases": [asdict(row) for row in rows]}
    path.write_text(json.dumps(content, indent=1) + "\n")
    tables = "\n".join(table(question, mine) for question, mine in asked)
    path.with_suffix(".md").write_text(f"{head(facts)}\n## Aims\n\n{summary(verdicts)}\n{tables}")
    return path


def head(facts: dict[str, Any]) -> str:
    """Date, processor, versions and command."""
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    return f"# {facts['date']}, {facts['cpu']}\n\n{facts['python']}; {versions}.\n`{facts['command']}`\n"
