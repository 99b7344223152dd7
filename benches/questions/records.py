"""How long ``packb`` takes for records: dataclasses, named tuples, structs, models."""

from case import Aim, Case, over
from siftpack.cli.bench import contests, corpora

AIMS = (Aim(("msgspec",), worst=1.0),)


def cases() -> list[Case]:
    """Three hundred of each kind."""
    return over(corpora.RECORDS, contests.packing)
