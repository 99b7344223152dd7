"""Pictures and figures of the docs, from the newest record: ``python benches/draw.py [--record FILE] [--root FOLDER]``.

Writes ``docs/plots/*.svg`` and what stands between the marks in ``docs/performance.md`` and ``README.md``.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import record
import svg

ROOT = Path(__file__).parents[1]
BETTER = ("ormsgpack", "msgspec")
BEGIN = "<!-- figures: written by benches/draw.py from the newest record -->"
END = "<!-- end of figures -->"


@dataclass(frozen=True)
class Bars:
    """One picture of bars: a question, its contestants, and who is 1."""

    question: str
    title: str
    one: tuple[str, ...]
    names: tuple[str, ...]
    longest: float

    def draw(self, cases: list[dict[str, Any]]) -> str:
        """The picture, of the cases in which somebody is 1."""
        groups = []
        for case in cases:
            least = _least(case)
            one = min((least[name] for name in self.one if name in least), default=None)
            if one:
                groups.append((_label(case), {name: least[name] / one for name in self.names if name in least}))
        who = " and ".join(self.one)
        axis = f"time; {'the better of ' if len(self.one) > 1 else ''}{who} is 1; shorter is better"
        return svg.bars(self.title, axis, groups, self.names, self.longest)


SANITIZERS = ("pydantic-core", "sentry-sdk", "jsonpickle")
PICTURES = (
    Bars("pack_clean", "packb, clean data", BETTER, ("siftpack", *BETTER, "msgpack", "pickle"), 3),
    Bars("pack_dirty", "packb, machinery beside the data", ("ormsgpack",), ("siftpack", "ormsgpack", *SANITIZERS), 12),
    Bars("report", "packb_with_report, findings read", ("ormsgpack",), ("siftpack", "ormsgpack", *SANITIZERS), 12),
    Bars("records", "packb, records", BETTER, ("siftpack", *BETTER, "langgraph", "pickle"), 6),
    Bars("unpack", "unpackb", BETTER, ("siftpack", *BETTER, "msgpack", "pickle"), 3),
)
SHAPES = {"values": "values in rows", "levels": "levels of lists", "shared": "values in places of one dict"}
FRONT = {
    "pack_clean": "`packb`, clean data",
    "pack_dirty": "`packb`, machinery beside the data",
    "unpack": "`unpackb`",
    "sanitize": "`sanitize`",
}
"""Questions of which the README tells, and what it calls them."""


def newest() -> Path:
    """The last record that has aims in it. Raises ``SystemExit`` if there is none."""
    found = [path for path in sorted(record.RECORD.glob("*.json")) if "aims" in json.loads(path.read_text())]
    if not found:
        raise SystemExit("there is no record yet: make bench")
    return found[-1]


def growth(cases: list[dict[str, Any]]) -> str:
    """The curves of each shape."""
    panels = []
    for shape, label in SHAPES.items():
        lines: dict[str, dict[str, float]] = {}
        for case in cases:
            if case["case"].startswith(f"{shape} "):
                for name, least in _least(case).items():
                    lines.setdefault(name, {})[case["case"].split()[1]] = least
        if lines:
            panels.append((label, {name: lines[name] for name in ("siftpack", *BETTER) if name in lines}))
    return svg.curves("packb, as the data grows", "nanoseconds for one value", panels, ("siftpack", *BETTER))


def pictures(cases: list[dict[str, Any]]) -> dict[str, str]:
    """Every picture that the record has something for, by name."""
    by_question: dict[str, list[dict[str, Any]]] = {}
    for case in cases:
        by_question.setdefault(case["question"], []).append(case)
    found = {each.question: each.draw(by_question[each.question]) for each in PICTURES if each.question in by_question}
    if "growth" in by_question:
        found["growth"] = growth(by_question["growth"])
    return found


def page(facts: dict[str, Any], name: str, drawn: dict[str, str]) -> str:
    """What ``docs/performance.md`` says of the record."""
    versions = ", ".join(f"{package} {version}" for package, version in facts["versions"].items())
    told = record.summary(record.Verdict(**each) for each in facts["aims"])
    shown = "\n".join(f"![{name}](plots/{name}.svg)\n" for name in drawn)
    return (
        f"Recorded on {facts['date']} on {facts['cpu']} with {facts['python']}, by `{facts['command']}`: {versions}.\n"
        f"Every case and every contestant: [{name}](../benches/record/{name}.md).\n\n{told}\n{shown}"
    )


def front(facts: dict[str, Any], drawn: dict[str, str]) -> str:
    """What the README says of it: the first aim of the main questions."""
    first: dict[str, dict[str, Any]] = {}
    for each in facts["aims"]:
        first.setdefault(each["question"], each)
    lines = [["", "beside", "mean", "worst"]]
    for name, label in FRONT.items():
        if name in first:
            each = first[name]
            mean = "-" if each["mean"] is None else record.part(each["mean"])
            lines.append([label, each["against"], mean, record.part(each["worst"])])
    picture = "\n![packb beside its peers](docs/plots/pack_clean.svg)\n" if "pack_clean" in drawn else ""
    where = f"{facts['cpu']}, {facts['date']}"
    return f"siftpack's time where theirs is 1, over the aimed corpora ({where}):\n\n{record.markdown(lines)}{picture}"


def main() -> None:
    """Draw, and write the figures between the marks."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--record", type=Path, help="the .json of a record; if not given, the newest")
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder with README.md and docs")
    given = parser.parse_args()
    path = given.record or newest()
    facts = json.loads(path.read_text())
    drawn = pictures(facts["cases"])
    plots = given.root / "docs" / "plots"
    plots.mkdir(exist_ok=True)
    for name, picture in drawn.items():
        (plots / f"{name}.svg").write_text(picture)
    for target, text in (("docs/performance.md", page(facts, path.stem, drawn)), ("README.md", front(facts, drawn))):
        file = given.root / target
        before, _, rest = file.read_text().partition(BEGIN)
        file.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{rest.partition(END)[2]}")
    print(f"{len(drawn)} pictures and two pages, from {path.name}")


def _least(case: dict[str, Any]) -> dict[str, float]:
    return {name: sample["minimum"] for name, sample in case["samples"].items()}


def _label(case: dict[str, Any]) -> str:
    return str(case["case"]).replace("_", " ").replace("+", " + ")


if __name__ == "__main__":
    main()
