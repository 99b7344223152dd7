"""What the frame around the payload costs: ``dumps`` beside ``packb``, ``loads`` beside ``unpackb``."""

from functools import partial

import siftpack
from case import Aim, Case
from siftpack.cli.bench import contests
from siftpack.cli.bench.corpora import AIMED, Corpus
from siftpack.testing import same

AIMS = (Aim(("without",), beyond=0.3),)
FRAME = 4
"""Bytes."""


def cases() -> list[Case]:
    """Two small corpora, both ways: in large ones it is lost."""
    return [
        Case(f"{corpus.name} {way}", partial(_calls, corpus, way)) for corpus in AIMED[:2] for way in ("dumps", "loads")
    ]


def _calls(corpus: Corpus, way: str) -> contests.Calls:
    bare, framed = siftpack.packb(corpus.value), siftpack.dumps(corpus.value)
    assert framed[FRAME:] == bare, f"the payload of {corpus.name} is another in a frame"
    assert same(siftpack.loads(framed), corpus.value), f"{corpus.name} came back changed"
    if way == "dumps":
        return {"siftpack": partial(siftpack.dumps, corpus.value), "without": partial(siftpack.packb, corpus.value)}
    return {"siftpack": partial(siftpack.loads, framed), "without": partial(siftpack.unpackb, bare)}
