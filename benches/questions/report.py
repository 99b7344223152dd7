"""How long ``packb_with_report`` takes with every finding read, beside peers who make no report."""

from case import Aim, Case, over
from siftpack.cli.bench import contests, corpora

AIMS = (Aim(("ormsgpack",), worst=2.0),)


def cases() -> list[Case]:
    """The dirty corpora."""
    return over(corpora.DIRTY, contests.reporting)
