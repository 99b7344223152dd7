"""Tables of ratios, and the record of a run."""

import datetime
import json
import math
import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path

import peers
from timing import Sample

RECORD = Path(__file__).parent / "record"
BETTER_OF = ("ormsgpack", "ormsgpack+keys", "msgspec")
"""The peers the ratio is against, on data they can pack."""
STAND_INS = ("ormsgpack+repr", "deepcopy", "msgspec+blake2b", "pickle+sha256", "the same, clean")
"""Whom it is against where those cannot."""
FAMILIES = ("epyc", "xeon", "ryzen", "threadripper", "core", "apple", "graviton", "neoverse", "ampere")


@dataclass(frozen=True)
class Row:
    """One question on one corpus: a sample for each contestant."""

    question: str
    corpus: str
    aimed: bool
    samples: dict[str, Sample]

    @property
    def rival(self) -> str | None:
        """Whom the ratio is against: the better of the clean peers, else whoever is there for that."""
        clean = [name for name in BETTER_OF if name in self.samples]
        if clean:
            return min(clean, key=lambda name: self.samples[name].minimum)
        return next((name for name in STAND_INS if name in self.samples), None)

    @property
    def ratio(self) -> float | None:
        """siftpack over its rival; below 1 is faster."""
        if self.rival is None or "siftpack" not in self.samples:
            return None
        return self.samples["siftpack"].minimum / self.samples[self.rival].minimum


def tables(rows: list[Row]) -> str:
    """One Markdown table a question, in microseconds, with the ratios and their geometric means."""
    parts = []
    for question in dict.fromkeys(row.question for row in rows):
        mine = [row for row in rows if row.question == question]
        names = list(dict.fromkeys(name for row in mine for name in row.samples))
        lines = [["corpus", *names, "rival", "ratio"]]
        for row in mine:
            cells = [_time(row.samples.get(name)) for name in names]
            lines.append([row.corpus, *cells, row.rival or "-", "-" if row.ratio is None else f"{row.ratio:.2f}"])
        parts.append(f"## {question} (us a call, minimum)\n\n{_markdown(lines)}\n{_means(mine)}")
    return "".join(parts)


def _means(rows: list[Row]) -> str:
    text = ""
    for label, chosen in (("the aimed corpora", [row for row in rows if row.aimed]), ("all of them", rows)):
        ratios = [(row.ratio, row.corpus) for row in chosen if row.ratio is not None]
        if ratios:
            mean = math.exp(sum(math.log(ratio) for ratio, _ in ratios) / len(ratios))
            text += f"ratio over {label}: geometric mean {mean:.2f}, worst {max(ratios)[0]:.2f} ({max(ratios)[1]})\n\n"
    slower = [
        (row.samples["reference"].minimum / row.samples["siftpack"].minimum, row.corpus)
        for row in rows
        if {"reference", "siftpack"} <= row.samples.keys()
    ]
    if slower:
        text += f"the reference takes at least {min(slower)[0]:.0f} times as long ({min(slower)[1]})\n\n"
    return text


def _time(sample: Sample | None) -> str:
    if sample is None:
        return "-"
    us = sample.minimum / 1000
    return f"{us:.2f}" if us < 100 else f"{us:.0f}"


def _markdown(lines: list[list[str]]) -> str:
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


def record(rows: list[Row], text: str, command: str) -> str:
    """Write the run beside its predecessors; gives the name of the record."""
    facts = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": machine_kind(),
        "cpu": cpu_model(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "versions": peers.versions(),
        "command": command,
    }
    name = f"{facts['date']}-{facts['machine']}"
    RECORD.mkdir(exist_ok=True)
    cases = [asdict(row) | {"rival": row.rival, "ratio": row.ratio} for row in rows]
    (RECORD / f"{name}.json").write_text(json.dumps(facts | {"unit": "ns a call", "cases": cases}, indent=1) + "\n")
    versions = ", ".join(f"{package} {version}" for package, version in peers.versions().items())
    head = f"# {facts['date']}, {facts['cpu']} x {os.cpu_count()}\n\n{facts['python']}; {versions}.\n`{command}`\n\n"
    (RECORD / f"{name}.md").write_text(head + text)
    return name
