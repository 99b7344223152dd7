"""Computing once in one process, with threads and with tasks: one loader runs, and everybody gets an answer."""

from typing import Any

import pytest
import redis.exceptions as errors
from pydantic import BaseModel

from siftpack import EncodeError, PolicyError
from siftpack.cache import MISSING, MemoryBackend, Seal
from tests.cache.crowd import Tasks, World, counted
from tests.cache.shells import Failing


def test_five_hundred_misses_run_one_loader(world: World) -> None:
    """Of 500 callers who miss at once one computes, and the others get its answer."""
    cache = world.make()
    user = cache.for_user("u")
    give, calls = counted({"rows": [1, 2]})
    load = world.loader(give, until=lambda: cache.stats()["misses"] == 500)
    found = world.ask(*[lambda: user.get_or_compute("k", load)] * 500)
    assert found == [{"rows": [1, 2]}] * 500
    assert len(calls) == 1
    assert cache.stats()["computing"] == {"compute_done": 1, "shared": 499}
    assert world.one(lambda: user.get("k")) == {"rows": [1, 2]}
    assert world.one(lambda: user.get_or_compute("k", load)) == {"rows": [1, 2]}
    assert len(calls) == 1


def test_what_one_caller_does_to_its_value_no_other_sees(world: World) -> None:
    """Each caller has a value of its own, at every depth, also the one who computed it."""
    user = world.make().for_user("u")
    kept: list[Any] = [[0]]
    load = world.loader(lambda: kept, 0.1)
    found = world.ask(*[lambda: user.get_or_compute("k", load)] * 10)
    parts = [id(each[0]) for each in [*found, kept]]
    assert len(set(parts)) == 11
    found[0][0].append("changed")
    assert found[1:] == [[[0]]] * 9
    assert kept == [[0]]
    assert world.one(lambda: user.get("k")) == [[0]]


def test_a_miss_gives_what_a_hit_gives(world: World) -> None:
    """The value that was computed comes as ``get`` will give it: without machinery, a listed class as itself."""
    user = world.make().for_user("u")
    load = world.loader(lambda: {"n": 1, "hook": print})
    assert world.one(lambda: user.get_or_compute("k", load)) == {"n": 1}
    assert world.one(lambda: user.get_or_compute("k", load)) == {"n": 1}


def test_a_cached_none_is_a_hit(world: World) -> None:
    """None is an answer: it is computed once."""
    user = world.make().for_user("u")
    give, calls = counted(None)
    assert [world.one(lambda: user.get_or_compute("k", world.loader(give))) for _ in range(3)] == [None] * 3
    assert len(calls) == 1


def test_sealed_answers_are_shared(world: World) -> None:
    """With a seal each caller opens the sealed entry for itself, and what is stored is sealed."""
    store = MemoryBackend()
    user = world.make(store, seal=Seal({1: bytes(32)})).for_user("u")
    give, calls = counted(["for u alone"])
    assert world.ask(*[lambda: user.get_or_compute("k", world.loader(give, 0.05))] * 10) == [["for u alone"]] * 10
    assert len(calls) == 1
    assert b"alone" not in (store.get("app:u:k") or b"")


def test_what_cannot_be_read_is_computed_again(world: World) -> None:
    """Foreign bytes under the key are a miss, and the answer takes their place."""
    store = MemoryBackend()
    user = world.make(store).for_user("u")
    store.set("app:u:k", b"foreign", None)
    assert world.one(lambda: user.get_or_compute("k", world.loader(lambda: [1]))) == [1]
    assert world.one(lambda: user.get("k")) == [1]


def test_a_value_that_its_class_refuses_is_given_as_it_is(world: World) -> None:
    """What would not come back from the store, because its class refuses it, still reaches who computed it."""
    user = world.make(types=(Strict,)).for_user("u")
    broken = Strict.model_construct(size="no number")
    found = world.ask(*[lambda: user.get_or_compute("k", world.loader(lambda: broken, 0.05))] * 3)
    assert all(each is broken for each in found)
    assert world.one(lambda: user.get_or_compute("l", world.loader(lambda: Strict(size=1)))) == Strict(size=1)


class Strict(BaseModel):
    """A class that refuses what it is not."""

    size: int


def test_a_value_that_cannot_be_stored_is_given_as_it_is(world: World) -> None:
    """Machinery, and what ``on_lossy`` skips, goes to the one who computed it; whoever waited computes for himself."""
    cache = world.make(on_lossy="skip")
    user = cache.for_user("u")
    give, _ = counted(lambda number: {"n": number, "hook": print})
    found = world.ask(*[lambda: user.get_or_compute("k", world.loader(give, 0.1))] * 5)
    assert sorted(each["n"] for each in found) == [1, 2, 3, 4, 5]
    assert all(each["hook"] is print for each in found)
    assert world.one(lambda: user.get_or_compute("f", world.loader(lambda: print))) is print
    assert world.one(lambda: user.get("k")) is MISSING


def test_a_store_that_fails_costs_no_answer(world: World) -> None:
    """Errors of the store, those included that ``set`` would raise, do not take away what was computed."""
    store = Failing()
    cache = world.make(store)
    user = cache.for_user("u")
    store.error = errors.ConnectionError("away")
    give, calls = counted([1])
    load = world.loader(give, until=lambda: cache.stats()["misses"] == 5)
    assert world.ask(*[lambda: user.get_or_compute("k", load)] * 5) == [[1]] * 5
    assert len(calls) == 1
    store.error, store.on = errors.NoPermissionError("read only"), ("set", "delete")
    assert world.one(lambda: user.get_or_compute("k", world.loader(lambda: [2]))) == [2]
    assert cache.stats()["errors_by_kind"] == {"unreachable": 6, "bug": 1}
    store.on = ("get",)
    with pytest.raises(errors.NoPermissionError):
        world.one(lambda: user.get_or_compute("k", world.loader(lambda: [3])))


def test_on_lossy_raise_is_heard(world: World) -> None:
    """With ``on_lossy="raise"`` a value that lost something is an error for all, although the store is away."""
    store = Failing()
    user = world.make(store, on_lossy="raise").for_user("u")
    for error in (None, errors.ConnectionError("away")):
        store.error = error
        found = world.ask(*[lambda: user.get_or_compute("k", world.loader(lambda: [print], 0.1))] * 3)
        assert [type(each) for each in found] == [EncodeError] * 3


def test_a_failing_loader_poisons_nothing(world: World) -> None:
    """All who wait get the error that the loader raised, nothing is kept of it, and the next call computes again."""
    cache = world.make()
    user = cache.for_user("u")
    error = ZeroDivisionError("loader")

    def give(number: int) -> Any:
        if number == 1:
            raise error
        return number

    called, calls = counted(give)
    load = world.loader(called, until=lambda: cache.stats()["misses"] >= 20)
    found = world.ask(*[lambda: user.get_or_compute("k", load)] * 20)
    assert all(each is error for each in found)
    assert len(calls) == 1
    assert world.one(lambda: user.exists("k")) is False
    assert world.one(lambda: user.get_or_compute("k", world.loader(called))) == 2
    assert cache.stats()["computing"] == {"compute_failed": 1, "compute_done": 1}


def test_no_answer_crosses_users(world: World) -> None:
    """The same key of two users and of nobody is three questions, asked at once or not; two caches are too."""
    cache = world.make()
    faces = [cache.for_user("a"), cache.for_user("b"), cache.shared(), world.make().for_user("a")]
    calls = [
        lambda at=at, face=face: face.get_or_compute("k", world.loader(lambda: ["of", at], 0.1))
        for at, face in enumerate(faces)
        for _ in range(5)
    ]
    found = world.ask(*calls)
    assert found == [["of", at] for at in range(4) for _ in range(5)]
    with pytest.raises(PolicyError, match="for_user"):
        world.one(lambda: cache.get_or_compute("k", world.loader(lambda: 1)))


def test_a_loader_may_ask_the_cache(world: World) -> None:
    """A loader that needs another answer gets it; one that needs its own, at one remove or two, computes it."""
    user = world.make().for_user("u")
    depth: list[str] = []

    def needs(key: str, other: str) -> Any:
        def give() -> Any:
            depth.append(key)
            return 7 if len(depth) > 6 else user.get_or_compute(other, world.loader(needs(other, key)))

        return give

    assert world.one(lambda: user.get_or_compute("out", world.loader(lambda: user.get_or_compute("in", in_)))) == 1
    assert world.one(lambda: user.get_or_compute("self", world.loader(needs("self", "self")))) == 7
    depth.clear()
    assert world.one(lambda: user.get_or_compute("x", world.loader(needs("x", "y")))) == 7


def in_() -> int:
    """A loader for either kind: what it gives is not awaited."""
    return 1


def test_two_loaders_that_need_each_other_do_not_wait_for_ever(world: World) -> None:
    """When the loader of one answer waits for the other and the other for the one, one of them computes for itself."""
    user = world.make().for_user("u")
    begun = {"a": 0, "b": 0}

    def give(key: str, other: str) -> Any:
        def given() -> Any:
            begun[key] += 1
            if begun[key] > 1:
                return key
            return user.get_or_compute(other, world.loader(give(other, key), 0.1))

        return given

    asked = [
        lambda key=key, other=other: user.get_or_compute(key, world.loader(give(key, other), 0.2), wait=30)
        for key, other in (("a", "b"), ("b", "a"))
    ]
    found = world.ask(*asked)
    assert set(found) <= {"a", "b"}
    assert sum(begun.values()) <= 4


def test_who_waits_for_a_hanging_loader_starts_again(world: World) -> None:
    """After ``wait`` seconds one of those who wait computes again, and the others wait for that one."""
    user = world.make().for_user("u")
    give, calls = counted(lambda number: number)
    begun: list[int] = []

    def hangs() -> bool:
        begun.append(1)
        return not calls

    hanging, quick = world.loader(give, until=lambda: not hangs()), world.loader(give, 0.1)
    late = world.after(lambda: bool(begun), lambda: user.get_or_compute("k", quick, wait=1))
    found = world.ask(lambda: user.get_or_compute("k", hanging), *[late] * 10)
    assert found[1:] == [1] * 10
    assert found[0] == 2
    assert len(calls) == 2


def test_options_that_make_no_sense(world: World) -> None:
    """Terms that contradict each other, and loaders of the other kind, are refused before anything is asked."""
    user = world.make().for_user("u")
    for wrong in (
        *({"early": 0}, {"stale": -1}, {"lock": "1"}, {"wait": None}, {"ttl": True}),
        *({"ttl": None, "early": 1}, {"ttl": None, "stale": 1}, {"wait": float("inf")}),
    ):
        with pytest.raises(PolicyError):
            world.one(lambda wrong=wrong: user.get_or_compute("k", world.loader(lambda: 1), **wrong))
    for fn in ("no function", None):
        with pytest.raises(PolicyError):
            world.one(lambda fn=fn: user.get_or_compute("k", fn))
    with pytest.raises(PolicyError):
        world.one(lambda: user.get_or_compute(1, world.loader(lambda: 1)))
    if world.kind == "sync":
        with pytest.raises(PolicyError, match="AsyncCache"):
            user.get_or_compute("k", Tasks().loader(lambda: 1))


def test_the_time_to_live(world: World) -> None:
    """``ttl`` is that of ``set``: the cache's own, another, or none; ``stale`` is kept on top of it."""
    store = MemoryBackend()
    user = world.make(store, ttl=50).for_user("u")
    for key, terms, least, most in (
        ("own", {}, 49, 50),
        ("given", {"ttl": 5}, 4, 5),
        ("stale", {"ttl": 5, "stale": 100}, 104, 105),
    ):
        world.one(lambda key=key, terms=terms: user.get_or_compute(key, world.loader(lambda: 1), **terms))
        assert least * 1000 < store.ttl(f"app:u:{key}") <= most * 1000
    world.one(lambda: user.get_or_compute("endless", world.loader(lambda: 1), ttl=None))
    assert store.ttl("app:u:endless") == -1
