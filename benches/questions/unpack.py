"""How long ``unpackb`` takes."""

from case import Aim, Case, over
from siftpack.cli.bench import contests, corpora

AIMS = (Aim(("ormsgpack", "msgspec"), mean=0.95, worst=1.1),)


def cases() -> list[Case]:
    """Whatever is clean, each contestant reading what it wrote itself."""
    return over(corpora.CLEAN, contests.unpacking)
