"""Histories while faults strike: what ``make soak`` runs for long, here for a while."""

import pytest

from siftpack.cache import MISSING
from tests.faults.history import Failovers, History
from tests.faults.storm import ARRANGEMENTS, storm

OPERATIONS = 24_000


def test_what_a_history_allows() -> None:
    """Its writer reads the last value alone, others nothing older than what was settled, and a failover undoes some."""
    failovers = Failovers()
    history = History(failovers)
    for number in range(4):
        history.wrote("k", number, 0.0)
        if number < 2:
            history.settled()
    assert [history.may_be("k", found) for found in (MISSING, 0, 1, 2, 3)] == [True, False, False, False, True]
    floor = history.floor("k")
    assert [history.may_be("k", found, floor) for found in (MISSING, 0, 1, 2, 3)] == [True, False, True, True, True]
    assert not history.may_be("k", "another's", floor)
    with failovers:
        assert history.may_be("k", 1)
        assert not history.may_be("k", "another's")


@pytest.mark.alone
@pytest.mark.full
@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
def test_no_wrong_answer_in_a_storm(arrangement: str) -> None:
    """Both shells, while the servers fail every few seconds: nothing older, deleted or of another key is ever read."""
    found = storm(arrangement, OPERATIONS, seconds=60, seed=1)
    assert found["wrong"] == 0, found["examples"]
    assert found["checked"] >= OPERATIONS * 0.9
    assert found["hits"] > found["checked"] / 5
    assert found["hits of others"] > found["checked"] / 100
    assert found["faults"]
