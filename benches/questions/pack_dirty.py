"""How long ``packb`` takes where machinery stands beside the data, alone and with the report read."""

from dataclasses import replace

from case import Aim, Case, over
from siftpack.cli.bench import contests, corpora

AIMS = (Aim(("ormsgpack",), worst=1.0), Aim(("pydantic-core", "sentry-sdk", "jsonpickle"), worst=0.1))


def cases() -> list[Case]:
    """The dirty corpora; with the report they count apart, as no peer makes one."""
    reports = [
        replace(case, name=f"{case.name}+report", aimed=False) for case in over(corpora.DIRTY, contests.reporting)
    ]
    return over(corpora.DIRTY, contests.packing) + reports
