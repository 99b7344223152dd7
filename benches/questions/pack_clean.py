"""How long ``packb`` takes where there is nothing to sift."""

from case import Aim, Case, over
from siftpack.cli.bench import contests, corpora

AIMS = (Aim(("ormsgpack", "msgspec"), mean=0.85, worst=1.0), Aim(("reference",), mean=1 / 25, worst=1 / 8))


def cases() -> list[Case]:
    """The five corpora that are aimed at, and those nobody tuned for."""
    return over((*corpora.PLAIN, corpora.MIXED), contests.packing)
