"""When an entry is renewed: the decisions of ``get_or_compute`` as pure functions."""

import enum
import math
from typing import Any, Final, NamedTuple

from siftpack.cache.decide import milliseconds
from siftpack.errors import PolicyError

WAIT: Final = 300.0
"""Seconds that a call waits for somebody else's computation before it is given up."""
RENEWALS: Final = 8
"""Renewals in the background that a cache has under way at once."""


class Terms(NamedTuple):
    """What a call of ``get_or_compute`` asks for, checked. Times are milliseconds, waits are seconds."""

    ttl: int | None
    early: int
    stale: int
    lock: float | None
    wait: float

    @property
    def keep(self) -> int | None:
        """How long the store keeps the entry."""
        return None if self.ttl is None else self.ttl + self.stale


class Age(enum.Enum):
    """What is done with an entry that was found."""

    FRESH = "fresh"
    """Given."""
    EARLY = "early"
    """Given, and renewed in the background although its time is not yet up."""
    STALE = "stale"
    """Given, and renewed in the background: its time is up."""


def terms_of(ttl: int | None, early: Any, stale: Any, lock: Any, wait: Any) -> Terms:
    """The checked terms; ``ttl`` is milliseconds already. Raises ``PolicyError``."""
    if ttl is None and (early is not None or stale is not None):
        raise PolicyError("early and stale say what happens around the end of an entry, so it needs a ttl")
    lead, over = milliseconds(early, "early") or 0, milliseconds(stale, "stale") or 0
    held = milliseconds(lock, "lock")
    patience = milliseconds(wait, "wait")
    if patience is None:
        raise PolicyError("wait is a number of seconds above 0")
    return Terms(ttl, lead, over, None if held is None else held / 1000, patience / 1000)


def judge(written: int, now: int, terms: Terms, draw: float) -> Age:
    """What to do with an entry written at ``written``; ``draw`` is a random number above 0, at most 1.

    Its age decides and not how it was stored, so the clocks of writer and reader count. Before the end, it is renewed
    when an exponentially distributed lead with the mean ``early`` reaches over the end: the rule of Vattani,
    Chierichetti and Lowenstein, *Optimal Probabilistic Cache Stampede Prevention* (VLDB 2015), with their delta times
    beta given as one time. Each reader draws for itself, and the later it is the likelier: so one of many readers, and
    seldom two, renews it.
    """
    if terms.ttl is None or not written or not (terms.early or terms.stale):
        return Age.FRESH
    age = max(0, now - written)
    if age >= terms.ttl:
        return Age.STALE
    return Age.EARLY if terms.early and age - terms.early * math.log(draw) >= terms.ttl else Age.FRESH
