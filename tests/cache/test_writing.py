"""What is stored of a value, and what becomes of one that cannot be stored."""

import threading
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pydantic
import pytest

from siftpack import Action, EncodeError, Kind, Limits, Policy, PolicyError
from siftpack.cache import MISSING, Cache, MemoryBackend, Seal
from siftpack.cache.text import LONGEST, render

LOSSY = {"n": 1, "lock": threading.Lock(), "f": print}
STRICT = Policy({Kind.FUNCTION: Action.RAISE})


class Agent:
    """Known as an agent by its ``run``."""

    def run(self) -> None:
        """Never called."""


TOPS: list[Any] = [print, threading.Lock(), Agent, Agent(), ModuleType("m"), (x for x in ())]


def make(**options: Any) -> Cache:
    return Cache(namespace="app", **options)


def test_values_come_back_sifted() -> None:
    """Data comes back as it was, machinery is left out, and both count as stored."""
    cache = make()
    user = cache.for_user("u")
    assert user.set("clean", {"x": (1, {2, 3}), 4: b"5"})
    assert user.set("lossy", LOSSY)
    assert user.get("clean") == {"x": (1, {2, 3}), 4: b"5"}
    assert user.get("lossy") == {"n": 1}
    stats = cache.stats()
    assert (stats["sets"], stats["lossy_writes"]) == (2, 1)
    assert stats["findings"] == {"sync": 1, "function": 1}


@dataclass
class Order:
    """Comes back as itself where it is listed."""

    number: int
    lines: tuple[str, ...] = ()


def test_listed_types_come_back_as_themselves() -> None:
    """``types`` are the classes that ``get`` gives back; without the list they are dicts, and nothing is imported."""
    store = MemoryBackend()
    listed, plain = (Cache(store, namespace="app", types=types).for_user("u") for types in ((Order,), ()))
    assert listed.set("k", {"order": Order(7, ("a", "b"))})
    assert listed.get("k") == {"order": Order(7, ("a", "b"))}
    assert listed.get_many(["k"]) == {"k": {"order": Order(7, ("a", "b"))}}
    assert type(plain.get("k")["order"]) is not Order
    sealed = Cache(types={"order.v2": Order}, seal=Seal({1: bytes(32)}), compression="zlib").for_user("u")
    assert sealed.set("k", [Order(number) for number in range(50)])
    assert sealed.get("k") == [Order(number) for number in range(50)]
    with pytest.raises(PolicyError):
        Cache(types=("Order",))


def test_a_listed_class_that_refuses_is_a_miss() -> None:
    """An entry of before a class changed, which it refuses now, is a miss and no error."""

    def made(**fields: Any) -> type:
        return pydantic.create_model("Report", **fields)

    store = MemoryBackend()
    before, after = (Cache(store, namespace="app", types=(cls,)) for cls in (made(n=(str, ...)), made(n=(int, ...))))
    old: Any = made(n=(str, ...))
    listed = Cache(store, namespace="app", types=(old,)).for_user("u")
    assert listed.set("k", old(n="not a number"))
    assert before.for_user("u").get("k").n == "not a number"
    assert after.for_user("u").get("k") is MISSING
    assert after.stats()["misses_by_reason"] == {"corrupt": 1}


def test_a_cached_none_is_a_hit() -> None:
    """None is a value like any other, told from a miss by ``MISSING``."""
    cache = make()
    user = cache.for_user("u")
    assert user.set("k", None)
    assert user.get("k") is None
    assert user.get("k", "default") is None
    assert user.get("other") is MISSING
    assert not MISSING
    assert (cache.stats()["hits"], cache.stats()["misses"]) == (2, 1)


@pytest.mark.parametrize("value", TOPS, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("action", [Action.DROP, Action.NAME, Action.TOMBSTONE])
def test_machinery_itself_is_refused(value: Any, action: Action) -> None:
    """A value that is machinery is not stored, under no policy, and what was there is gone."""
    kinds = (Kind.FUNCTION, Kind.SYNC, Kind.CLASS, Kind.AGENT, Kind.MODULE, Kind.ITERATOR)
    cache = make(policy=Policy(dict.fromkeys(kinds, action)))
    user = cache.for_user("u")
    user.set("k", "old")
    assert not user.set("k", value)
    assert user.get("k") is MISSING
    assert not user.exists("k")
    assert cache.stats()["refused_writes"] == 1


def test_a_skipped_value_leaves_no_stale_one() -> None:
    """With ``on_lossy="skip"`` a lossy value is not stored, and neither is the old one kept."""
    cache = make(on_lossy="skip")
    user = cache.for_user("u")
    assert user.set("k", "old")
    assert not user.set("k", LOSSY)
    assert not user.exists("k")
    assert user.set_many({"a": 1, "b": LOSSY}) == {"a": True, "b": False}
    assert user.get_many(["a", "b"]) == {"a": 1}
    assert cache.stats()["skipped_writes"] == 2


def test_on_lossy_raise() -> None:
    """With ``on_lossy="raise"`` the caller sees path and kind, and the old value is gone all the same."""
    user = make(on_lossy="raise").for_user("u")
    for write in (lambda: user.set("k", LOSSY), lambda: user.set("k", print), lambda: user.set_many({"k": LOSSY})):
        user.set("k", "old")
        with pytest.raises(EncodeError, match=r"\$"):
            write()
        assert user.get("k") is MISSING
    refused = make(on_lossy="raise", policy=STRICT).for_user("u")
    with pytest.raises(EncodeError, match="function"):
        refused.set("k", LOSSY)
    assert not refused.exists("k")


def test_a_refusing_policy_leaves_a_text() -> None:
    """What the policy or a limit refuses is rendered as text instead, and never raises."""
    for options in ({"policy": STRICT}, {"limits": Limits(nodes=2)}, {"limits": Limits(bytes=4000)}):
        cache = make(**options)
        user = cache.for_user("u")
        user.set("k", 1)
        assert not user.set("k", {"f": print, "api_key": "sk-123", "deep": [[["x" * 5000]]]})
        assert user.get("k") is MISSING
        assert cache.stats()["text_writes"] == 1


def test_a_rendering_is_bounded_and_masked() -> None:
    """A rendering shows shape and types, no secret and no object's own words, and ends."""

    class Loud:
        def __repr__(self) -> str:
            raise AssertionError("called")

    loop: list[Any] = []
    loop.append(loop)
    shown = render({"api_key": "sk-123", "x": Loud(), "l": loop, 1: b"12", "s": "y" * 1000, "many": list(range(100))})
    assert "sk-123" not in shown
    assert "Loud" in shown
    assert "<bytes of 2>" in shown
    assert "80 more" in shown
    wide = {str(number): ["x" * 80] * 20 for number in range(20)}
    assert len(render([wide] * 20)) <= LONGEST
    assert render((1, {2}, frozenset(), None, 2**70)) == "(1, {2, }, {}, None, <int>, )"


def test_a_value_that_cannot_even_be_rendered_is_refused() -> None:
    """If the rendering is refused too, nothing is stored and the old entry is gone."""
    cache = make(policy=STRICT, limits=Limits(str_bytes=10))
    user = cache.for_user("u")
    user.set("k", 1)

    class Cruel(dict):  # type: ignore[type-arg]
        pass

    changing: dict[str, Any] = {"f": print}
    import siftpack.cache.engine as room

    original, room.render = room.render, lambda value: 1 / 0  # type: ignore[assignment]
    try:
        assert not user.set("k", changing)
    finally:
        room.render = original
    assert user.get("k") is MISSING
    assert cache.stats()["refused_writes"] == 1


def test_only_if_absent() -> None:
    """``only_if_absent`` stores once; neither a second value nor a refused one touches what is there."""
    user = make(on_lossy="skip").for_user("u")
    assert user.set("k", 1, only_if_absent=True)
    assert not user.set("k", 2, only_if_absent=True)
    assert not user.set("k", LOSSY, only_if_absent=True)
    assert user.get("k") == 1


def test_a_value_mutated_after_get_changes_nothing() -> None:
    """What ``get`` gave is the caller's own: the next read is as the value was written."""
    user = make().for_user("u")
    value = {"rows": [1, 2]}
    user.set("k", value)
    value["rows"].append(3)
    first = user.get("k")
    first["rows"].clear()
    first["more"] = True
    assert user.get("k") == {"rows": [1, 2]}
    assert user.get_many(["k"]) == {"k": {"rows": [1, 2]}}


def test_times_to_live() -> None:
    """A time to live is given for each value, or is the cache's own, or there is none."""
    user = make(ttl=50).for_user("u")
    user.set("own", 1)
    user.set("given", 1, ttl=0.5)
    user.set("none", 1, ttl=None)
    assert 49 < user.ttl("own") <= 50  # type: ignore[operator]
    assert 0.4 < user.ttl("given") <= 0.5  # type: ignore[operator]
    assert user.ttl("none") is None
    assert user.ttl("absent") is MISSING
    assert user.expire("none", 10)
    assert 9 < user.ttl("none") <= 10  # type: ignore[operator]
    assert user.expire("none", None)
    assert user.ttl("none") is None
    assert not user.expire("absent", 10)


@pytest.mark.parametrize("ttl", [0, -1, float("nan"), float("inf"), "60", True, 10**12])
def test_times_that_make_no_sense(ttl: Any) -> None:
    """A time to live that is no number of seconds above 0 is a clear error, and stores nothing."""
    user = make().for_user("u")
    with pytest.raises(PolicyError, match="ttl"):
        user.set("k", 1, ttl=ttl)
    with pytest.raises(PolicyError, match="ttl"):
        make(ttl=ttl)
    assert not user.exists("k")


@pytest.mark.parametrize(
    "options",
    [
        {"namespace": ""},
        {"namespace": 3},
        {"on_lossy": "maybe"},
        {"policy": {}},
        {"limits": 3},
        {"compression": "lz4"},
        {"legacy": True},
        {"seal": b"key"},
        {"colour": "red"},
    ],
    ids=str,
)
def test_options_that_make_no_sense(options: dict[str, Any]) -> None:
    """An option that is unknown or of the wrong kind is a clear error when the cache is made."""
    with pytest.raises(PolicyError):
        Cache(**options)


def test_deleting() -> None:
    """``delete`` and ``delete_many`` say what was there, ``clear`` empties one partition."""
    cache = make()
    user, other = cache.for_user("u"), cache.for_user("v")
    for face in (user, other):
        face.set_many({"a": 1, "b": 2, "c": 3})
    assert user.delete("a")
    assert not user.delete("a")
    assert user.delete_many(["a", "b", "x"]) == 1
    assert user.clear() == 1
    assert other.get_many(["a", "b", "c"]) == {"a": 1, "b": 2, "c": 3}
    assert cache.stats()["deletes"] == 3


def test_the_embedded_store_is_bounded() -> None:
    """Bytes and entries are bounded, the longest unused leave first, and what is too large is not kept."""
    user = Cache(MemoryBackend(max_entries=3)).for_user("u")
    for key in "abc":
        user.set(key, key)
    assert user.get("a") == "a"
    user.set("d", "d")
    assert [user.exists(key) for key in "abcd"] == [True, False, True, True]
    store = MemoryBackend(max_bytes=2000)
    assert not store.set("big", b"x" * 3000, None)
    assert store.get("big") is None
    for number in range(100):
        store.set(str(number), b"x" * 100, None)
    assert store.size("")[0] == 2000 // (100 + 2 + 200)


def test_an_interrupted_change_of_the_embedded_store_is_counted_again() -> None:
    """A thread torn out of a change leaves entries whole, and the next change sets the sum right."""
    store = MemoryBackend()
    store.set("a", b"x" * 100, None)
    store._at_work = True
    store._bytes += 12345
    store.set("b", b"x" * 100, None)
    assert store._bytes == 2 * (1 + 100 + 200)
    assert store.get("a") == store.get("b")


def test_sizes() -> None:
    """``size_estimate`` counts a partition, or the whole namespace."""
    cache = make()
    cache.for_user("u").set_many({"a": b"x" * 100, "b": b"x" * 100})
    cache.for_user("v").set("a", 1)
    one, everything = cache.for_user("u").size_estimate(), cache.size_estimate()
    assert (one.entries, everything.entries, one.exact) == (2, 3, True)
    assert 200 < one.bytes < everything.bytes
    assert cache.clear_namespace() == 3
    assert cache.size_estimate().entries == 0
