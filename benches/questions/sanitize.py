"""How long ``sanitize`` takes beside ``copy.deepcopy``."""

from case import Aim, Case, over
from siftpack.cli.bench import contests, corpora

AIMS = (Aim(("deepcopy",), worst=1 / 15),)


def cases() -> list[Case]:
    """Whatever is clean."""
    return over(corpora.CLEAN, contests.copying)
