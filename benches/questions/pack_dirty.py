"""How long ``packb`` takes where machinery stands beside the data."""

from case import Aim, Case, over
from siftpack.cli.bench import contests, corpora

AIMS = (Aim(("ormsgpack",), worst=1.0), Aim(("pydantic-core", "sentry-sdk", "jsonpickle"), worst=0.1))


def cases() -> list[Case]:
    """The dirty corpora."""
    return over(corpora.DIRTY, contests.packing)
