"""Many keys at once: each answer under its own key, and nothing taken for a list of keys that is none."""

import pickle
from collections.abc import Iterator
from typing import Any

import pytest
import redis.exceptions as errors

from siftpack import PolicyError
from siftpack.cache import MISSING, Legacy, MemoryBackend, Pickles
from tests.cache.shells import Failing, Make


class Alike(str):
    """A key that says it is equal to every other, as one that ignores case says of some."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 1


def test_keys_that_call_themselves_equal_are_kept_apart(make: Make) -> None:
    """A key is its characters: what a subclass of str says of equality mixes no two entries."""
    user = make(Failing()).for_user("u")
    user.set_many({"a": "of a", "b": "of b"})
    found = user.get_many([Alike("a"), Alike("b")])
    assert found == {"a": "of a", "b": "of b"}
    assert {type(key) for key in found} == {str}
    assert user.set_many({Alike("c"): 1}) == {"c": True}
    assert user.get("c") == 1
    assert user.delete_many([Alike("a"), Alike("b")]) == 2


@pytest.mark.parametrize("keys", ["report", b"report", None, 7, {"k"}.__iter__, [None], ["k", 7], [["k"]]])
def test_what_is_no_list_of_keys(make: Make, keys: Any) -> None:
    """A str is one key and not a list of its characters; it and anything else that is no keys is a clear error."""
    user = make(Failing()).for_user("u")
    user.set_many(dict.fromkeys("report", 1))
    for call in (user.get_many, user.delete_many):
        with pytest.raises(PolicyError, match="key"):
            call(keys)
    assert user.size_estimate().entries == len(set("report"))


@pytest.mark.parametrize("values", [["k"], [("k", 1)], "k", None, {7: 1}, {"k": 1, None: 2}])
def test_what_is_no_mapping_of_values(make: Make, values: Any) -> None:
    """``set_many`` takes a mapping from keys to values, and stores nothing of what is none."""
    user = make(Failing()).for_user("u")
    with pytest.raises(PolicyError, match=r"key|mapping"):
        user.set_many(values)
    assert user.size_estimate().entries == 0


class MineError(ValueError):
    """Of the caller's own code."""


def test_an_error_of_the_callers_iterable_is_the_callers(make: Make) -> None:
    """What an iterable of keys raises is neither swallowed nor counted as an error of the store."""
    cache = make(Failing())
    user = cache.for_user("u")

    def keys(error: Exception) -> Iterator[str]:
        yield "k"
        raise error

    for call in (user.get_many, user.delete_many):
        for error in (MineError("mine"), ValueError("plain")):
            with pytest.raises(ValueError, match=str(error)):
                call(keys(error))
    assert cache.stats()["errors"] == 0


def test_a_store_that_answers_too_few(make: Make) -> None:
    """An answer of the wrong length is garbled: no value is given under another's key, and nothing raises."""
    store = Failing()
    cache = make(store)
    user = cache.for_user("u")
    user.set_many({"a": 1, "b": 2})
    whole = store.get_many
    for wrong in (lambda names: whole(names)[1:], lambda names: [*whole(names), None], lambda names: 5):
        store.get_many = wrong  # type: ignore[method-assign,assignment]
        cache.reset_stats()
        assert user.get_many(["a", "b"]) == {}
        assert cache.stats()["misses_by_reason"] == {"error": 2}
        assert cache.stats()["errors_by_kind"] == {"garbled": 1}


def test_one_failure_is_one_error_and_as_many_misses(make: Make) -> None:
    """A batch that fails asked the store once."""
    store = Failing()
    cache = make(store)
    store.error = errors.ConnectionError("away")
    assert cache.for_user("u").get_many(["a", "b", "c"]) == {}
    stats = cache.stats()
    assert (stats["errors_by_kind"], stats["misses_by_reason"]) == ({"unreachable": 1}, {"error": 3})


def test_writing_back_leaves_a_newer_value(make: Make) -> None:
    """A pickle is not written back over what somebody stored while it was read."""
    pickles = Pickles(b"a secret of some bytes")
    store = Failing()
    user = make(store, legacy=Legacy(pickle=pickles)).for_user("u")
    user.set("k", "new")
    newer = store.get("app:u:k") or b""
    store.set("app:u:k", pickles.sign("app:u:k", pickle.dumps("old")), 60_000)
    real = store.ttl

    def meanwhile(name: str, /) -> int:
        del store.ttl  # type: ignore[attr-defined]
        store.set(name, newer, 60_000)
        return real(name)

    store.ttl = meanwhile  # type: ignore[method-assign]
    assert user.get("k") == "old"
    assert user.get("k") == "new"


def test_an_unkept_batch_is_not_called_kept(make: Make) -> None:
    """A value that is larger than the store's bound by itself is not stored, alone and among others."""
    cache = make(Failing(max_bytes=2000))
    user = cache.for_user("u")
    user.set("big", 1)
    assert not user.set("big", "x" * 5000)
    assert user.get("big") is MISSING
    stored = user.set_many({"small": 1, "big": "x" * 5000})
    assert not stored["big"]
    assert all(user.get(key) is not MISSING for key, kept in stored.items() if kept)
    assert not MemoryBackend(max_entries=0).set("k", b"", None)
