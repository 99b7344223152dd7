"""``siftpack bench``: a table for each of the main questions, every result checked before it is timed."""

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from statistics import geometric_mean

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from siftpack.cli.bench import contests, corpora, peers, timing
from siftpack.cli.bench.corpora import Corpus

LONGEST = 110.0
"""Seconds after which no further corpus is begun."""
BETTER_OF = ("ormsgpack", "msgspec")
"""The peers to measure against on clean data; they sanitize nothing."""


@dataclass(frozen=True)
class Question:
    """A call, how to time it beside others, and on what."""

    title: str
    contest: Callable[[Corpus], contests.Calls]
    corpora: tuple[Corpus, ...]


QUESTIONS = (
    Question("packb, clean data", contests.packing, (*corpora.PLAIN, corpora.MIXED)),
    Question("packb, records", contests.packing, corpora.RECORDS),
    Question("packb, machinery beside the data", contests.packing, corpora.DIRTY),
    Question("unpackb", contests.unpacking, corpora.PLAIN),
    Question("sanitize, beside copy.deepcopy", contests.copying, corpora.AIMED),
    Question("fingerprint, beside a hash of what a serializer wrote", contests.digesting, corpora.AIMED),
)
NAMES = tuple(dict.fromkeys(corpus.name for question in QUESTIONS for corpus in question.corpora))


class _Run:
    """What was found so far, and how much time there is left."""

    def __init__(self, console: Console, seconds: float) -> None:
        self.console = console
        self.wrong: list[str] = []
        self.left_out: list[str] = []
        self._seconds = seconds
        self._end = time.monotonic() + LONGEST

    def ask(self, question: Question, only: Collection[str]) -> dict[str, dict[str, timing.Sample]]:
        """Samples of each contestant, by corpus."""
        found = {}
        for corpus in question.corpora:
            if (only and corpus.name not in only) or not _exists(corpus):
                continue
            if time.monotonic() > self._end:
                self.left_out.append(f"{question.title}: {corpus.name}")
                continue
            with self.console.status(f"{question.title}: {corpus.name}"):
                try:
                    found[corpus.name] = timing.measure(question.contest(corpus), self._seconds)
                except Exception as error:  # noqa: BLE001 - a wrong result is what is looked for, in whatever form
                    self.wrong.append(f"{question.title}: {corpus.name}: {type(error).__name__}: {error}")
        return found


def run(console: Console, *, seconds: float, only: Collection[str] = ()) -> bool:
    """Ask every question; True if every result was right. Raises ``LookupError`` for a corpus that does not exist."""
    unknown = sorted(set(only) - set(NAMES))
    if unknown:
        raise LookupError(f"no corpus is called {', '.join(unknown)}; there are {', '.join(NAMES)}")
    console.print("Installed: " + ", ".join(f"{name} {version}" for name, version in peers.versions().items()))
    console.print(
        "Peers: their time in multiples of siftpack's, above 1 siftpack is faster; - cannot, or gives it back"
    )
    console.print("as something else. The reference is siftpack in pure Python. Least of many rounds, side by side.\n")
    running = _Run(console, seconds)
    with peers.room_to_recurse():
        for question in QUESTIONS:
            found = running.ask(question, only)
            if found:
                console.print(_table(question.title, found))
                console.print(_mean(found.values()))
    for line in running.wrong:
        console.print(f"WRONG {line}", style="bold red")
    if running.left_out:
        console.print(f"Left out, for want of time: {'; '.join(running.left_out)}")
    return not running.wrong


def _exists(corpus: Corpus) -> bool:
    try:
        return corpus.value is not None
    except ImportError:  # the library whose records these are is not installed
        return False


def _table(title: str, found: dict[str, dict[str, timing.Sample]]) -> Table:
    names = dict.fromkeys(name for samples in found.values() for name in samples)
    others = [name for name in names if name not in contests.OURS]
    others += ["reference"] if "reference" in names else []
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("corpus", overflow="fold")
    for name in ("siftpack us", *others):
        table.add_column(name.replace("-", "-\n"), justify="right", overflow="fold")
    for corpus, samples in found.items():
        ours = samples["siftpack"].minimum
        cells = [_multiple(samples[name].minimum / ours) if name in samples else Text("-") for name in others]
        table.add_row(corpus, _short(ours / 1000), *cells)
    return table


def _multiple(number: float) -> Text:
    return Text(f"{_short(number)}x", style="green" if number >= 1 else "red")


def _short(number: float) -> str:
    return f"{number:.2f}" if number < 10 else f"{number:.1f}" if number < 100 else f"{number:.0f}"


def _mean(found: Iterable[dict[str, timing.Sample]]) -> str:
    """How siftpack stands to the better of the peers that matter most, if one of them took part."""
    ratios = []
    for samples in found:
        theirs = [samples[name].minimum for name in BETTER_OF if name in samples]
        if theirs:
            ratios.append(min(theirs) / samples["siftpack"].minimum)
    if not ratios:
        return ""
    mean = f"{geometric_mean(ratios):.2f} of siftpack's time (geometric mean of {len(ratios)})"
    return f"The better of {' and '.join(BETTER_OF)} takes {mean}.\n"
