"""What one function among 130 000 values costs, beside the same data without it."""

from functools import partial

import siftpack
from case import Aim, Case
from siftpack.cli.bench import contests
from siftpack.cli.bench.contests import exact
from siftpack.cli.bench.corpora import DIRTY_LEAF

AIMS = (Aim(("the same, clean",), worst=1.1),)


def cases() -> list[Case]:
    """One."""
    return [Case(DIRTY_LEAF.name, _calls)]


def _calls() -> contests.Calls:
    clean = siftpack.sanitize(DIRTY_LEAF.value)
    assert len(siftpack.inspect(DIRTY_LEAF.value)) == 1, "one function is one finding"
    assert exact(siftpack.unpackb(siftpack.packb(DIRTY_LEAF.value)), clean), "more than the function is gone"
    return {
        "siftpack": partial(siftpack.packb, DIRTY_LEAF.value),
        "the same, clean": partial(siftpack.packb, clean),
    }
