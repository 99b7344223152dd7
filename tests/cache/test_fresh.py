"""When an entry is renewed: before its end, and after it, while it is still given."""

import math
import random
import threading
from typing import Any

import pytest

from siftpack.cache import Cache, MemoryBackend
from siftpack.cache.flights import PAUSE
from siftpack.cache.fresh import RENEWALS, Age, judge, terms_of
from tests.cache.crowd import World, counted


class Clock:
    """The time of day as a test wants it, in seconds."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def terms(ttl: int | None = 100_000, early: float | None = None, stale: float | None = None) -> Any:
    return terms_of(ttl, early, stale, None, 1.0)


def test_an_entry_is_judged_by_its_age() -> None:
    """Without ``early`` or ``stale`` every entry is fresh; with one, it is stale once it is older than its ttl."""
    assert judge(1, 10**9, terms(), 0.5) is Age.FRESH
    assert judge(1, 10**9, terms(None), 0.5) is Age.FRESH
    assert judge(0, 10**9, terms(stale=10.0), 0.5) is Age.FRESH  # of a legacy entry nobody knows the age
    for either in ({"early": 1.0}, {"stale": 1.0}):
        assert judge(1000, 1000 + 50_000, terms(**either), 1.0) is Age.FRESH
        assert judge(1000, 1000 + 100_000, terms(**either), 1.0) is Age.STALE
        assert judge(2000, 1000, terms(**either), 1.0) is Age.FRESH  # the reader's clock is behind


def test_the_lead_of_an_early_renewal_is_exponential() -> None:
    """The share of readers who renew an entry with ``left`` seconds to live is exp(-left / early)."""
    draws = random.Random(7)
    for left in (0.5, 1, 2, 5):
        ages = [judge(1, 1 + 100_000 - int(left * 1000), terms(early=2.0), 1 - draws.random()) for _ in range(20_000)]
        share = ages.count(Age.EARLY) / len(ages)
        assert abs(share - math.exp(-left / 2)) < 0.015
    assert judge(1, 50_000, terms(stale=5.0), 1e-300) is Age.FRESH


def test_a_stale_answer_is_given_while_it_is_renewed(world: World) -> None:
    """After its end an entry is given for ``stale`` seconds more, and one of the readers renews it."""
    clock = Clock()
    cache = world.make(wall_clock=clock)
    user = cache.for_user("u")
    give, calls = counted(lambda number: number)

    load = world.loader(give, until=lambda: not calls or cache.stats()["hits"] >= 21)

    def ask() -> Any:
        return user.get_or_compute("k", load, ttl=10, stale=50)

    assert world.one(ask) == 1
    clock.now += 9
    assert world.one(ask) == 1
    assert len(calls) == 1
    clock.now += 2
    assert world.ask(*[ask] * 20) == [1] * 20
    world.until(lambda: len(calls) == 2)
    world.until(lambda: not cache._engine.flights.renewing)
    assert world.ask(*[ask] * 20) == [2] * 20
    assert len(calls) == 2
    assert cache.stats()["computing"] == {"compute_done": 2, "stale": 20, "refresh": 1}


def test_an_entry_is_renewed_early(world: World) -> None:
    """Near its end, an entry is given and renewed in the background."""
    clock = Clock()
    cache = world.make(wall_clock=clock)
    user = cache.for_user("u")
    give, calls = counted(lambda number: number)

    def ask() -> Any:
        return user.get_or_compute("k", world.loader(give), ttl=10, early=0.5)

    assert world.one(ask) == 1
    clock.now += 1
    assert world.ask(*[ask] * 50) == [1] * 50
    assert len(calls) == 1
    clock.now += 8.99
    assert set(world.ask(*[ask] * 50)) <= {1, 2}
    world.until(lambda: len(calls) == 2 and not cache._engine.flights.renewing)
    assert world.one(ask) == 2


def test_a_renewal_that_fails_changes_nothing(world: World) -> None:
    """The old value stays, the error is counted, and for a while nobody tries again."""
    clock = Clock()
    cache = world.make(wall_clock=clock)
    user = cache.for_user("u")

    def give(number: int) -> int:
        if number == 2:
            raise ZeroDivisionError
        return number

    called, calls = counted(give)

    def ask() -> Any:
        return user.get_or_compute("k", world.loader(called), ttl=10, stale=100)

    assert world.one(ask) == 1
    clock.now += 20
    assert world.one(ask) == 1
    world.until(lambda: len(calls) == 2 and not cache._engine.flights.renewing)
    assert world.ask(*[ask] * 10) == [1] * 10
    assert len(calls) == 2
    world.pause(PAUSE + 0.05)
    assert world.one(ask) == 1
    world.until(lambda: len(calls) == 3 and not cache._engine.flights.renewing)
    assert world.one(ask) == 3
    assert cache.stats()["computing"]["compute_failed"] == 1


def test_few_renewals_are_under_way_at_once(world: World) -> None:
    """However many entries are stale at once, no more than ``RENEWALS`` are renewed at a time."""
    clock = Clock()
    cache = world.make(MemoryBackend(), wall_clock=clock)
    user = cache.for_user("u")
    give, calls = counted(1)

    many = RENEWALS * 3
    load = world.loader(give, until=lambda: len(calls) < many or cache.stats()["hits"] == many)

    def ask(at: int) -> Any:
        return user.get_or_compute(f"k{at}", load, ttl=10, stale=100)

    world.ask(*[lambda at=at: ask(at) for at in range(many)])
    clock.now += 20
    world.ask(*[lambda at=at: ask(at) for at in range(many)])
    assert cache._engine.flights.renewing <= RENEWALS
    world.until(lambda: not cache._engine.flights.renewing)
    assert len(calls) == many + RENEWALS


def test_without_a_thread_to_be_had_the_old_value_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that can start no thread gives the stale value, and renews the entry when it can."""
    clock = Clock()
    cache = Cache(namespace="app", wall_clock=clock)
    give, calls = counted(lambda number: number)

    def ask() -> Any:
        return cache.for_user("u").get_or_compute("k", give, ttl=10, stale=50)

    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    assert ask() == 1
    clock.now += 20
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        assert ask() == 1
    assert cache._engine.flights.renewing == 0
    assert len(calls) == 1
