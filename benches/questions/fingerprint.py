"""How long ``fingerprint`` takes beside hashing what a serializer wrote."""

from case import Aim, Case, over
from siftpack.cli.bench import contests, corpora

AIMS = (Aim(("msgspec+blake2b", "pickle+sha256"), worst=1.0),)


def cases() -> list[Case]:
    """Whatever is clean."""
    return over(corpora.CLEAN, contests.digesting)
