"""Options, URLs and stores that make no sense, and those that only look as if."""

from typing import Any

import pytest

from siftpack import LOGGING, Limits, Policy, PolicyError
from siftpack.cache import (
    MISSING,
    AsyncCache,
    AsyncMemoryBackend,
    AsyncRedisBackend,
    Cache,
    MemoryBackend,
    RedisBackend,
)
from siftpack.cache.text import render

WRONG_OPTIONS: list[dict[str, Any]] = [
    {"multi_user": None},
    {"multi_user": 0},
    {"multi_user": "no"},
    {"hash_tags": "yes"},
    {"hash_tags": None},
    {"fallback": "no"},
    {"fallback": None},
    {"wall_clock": 3},
    {"types": 5},
    {"limits": None},
    {"policy": None},
    {"ttl": ...},
    {"on_lossy": ["store"]},
    {"seal": [b"k" * 32]},
]
WRONG_OPTIONS_OF_CLIENTS: list[Any] = ["socket_timeout=1", 5, [1], {1: 2}, {"no_such": 1}]
WRONG_CLIENTS: list[Any] = ["redis://localhost", object(), 5, dict, {"url": "redis://localhost"}, MemoryBackend()]


@pytest.mark.parametrize("options", WRONG_OPTIONS, ids=str)
def test_options_of_the_wrong_kind(options: dict[str, Any]) -> None:
    """What is almost right is refused too: a ``multi_user`` that is merely false would open everybody's entries."""
    for made in (Cache, AsyncCache):
        with pytest.raises(PolicyError):
            made(**options)


@pytest.mark.parametrize("rest", ["localhost", "/path", "?max_bytes=10", "localhost:6379/0", "#x"])
def test_a_memory_url_is_a_scheme_alone(rest: str) -> None:
    """What stands behind ``memory://`` would be ignored, so it is refused; so are options for a client."""
    for made in (Cache, AsyncCache):
        with pytest.raises(PolicyError, match="memory"):
            made.from_url(f"memory://{rest}")
        for url in (None, "memory://"):
            with pytest.raises(PolicyError, match="client"):
                made.from_url(url, client={"socket_timeout": 1})
            assert made.from_url(url, namespace="app", client={}) is not None


@pytest.mark.parametrize("client", WRONG_OPTIONS_OF_CLIENTS)
def test_client_options_that_are_none(client: Any) -> None:
    """``client`` is a mapping from names of options that redis-py has."""
    for made in (Cache, AsyncCache):
        with pytest.raises(PolicyError):
            made.from_url("redis://localhost", client=client).close()


@pytest.mark.parametrize("client", WRONG_CLIENTS)
def test_clients_that_are_none(client: Any) -> None:
    """What has none of the words of a client is a clear error, and not misses for ever."""
    for made in (RedisBackend, AsyncRedisBackend):
        with pytest.raises(PolicyError, match="client"):
            made(client)
        if not callable(client):
            with pytest.raises(PolicyError, match="client"):
                made(make=client)


class Own:
    """A store as somebody may write it: what it is, it says of itself and not of its class."""

    def __init__(self) -> None:
        self.remote = False
        self._store = MemoryBackend()
        for name in ("get", "set", "delete", "exists", "expire", "ttl", "get_many", "set_many", "clear", "size"):
            setattr(self, name, getattr(self._store, name))

    def ping(self) -> None:
        """There."""

    def distrust(self) -> None:
        """Nothing to drop."""

    def close(self) -> None:
        """Nothing to close."""


def test_a_store_of_ones_own() -> None:
    """A store need not say on its class what it is."""
    user = Cache(Own()).for_user("u")  # type: ignore[arg-type]
    assert user.set("k", 1)
    assert user.get("k") == 1


@pytest.mark.parametrize("word", ["get", "size", "distrust", "ping", "set_many", "remote"])
def test_a_store_that_lacks_a_word(word: str) -> None:
    """A store without one of the methods is refused when the cache is made, and the message names it."""
    own = Own()
    if word in ("ping", "distrust"):
        own = type("Less", (), {"remote": False, **{k: v for k, v in vars(MemoryBackend).items() if k != word}})()
    else:
        delattr(own, word)
    with pytest.raises(PolicyError, match=word):
        Cache(own)  # type: ignore[arg-type]


def test_a_store_of_the_other_kind_is_told() -> None:
    """A synchronous cache says so when it is given what must be awaited."""
    with pytest.raises(PolicyError, match="synchronous"):
        Cache(AsyncMemoryBackend())  # type: ignore[arg-type]


def test_a_value_that_was_only_cut_is_a_value() -> None:
    """A text that a limit or a policy cuts at the top is stored as far as it goes; what leaves nothing is refused."""
    cut = Cache(limits=Limits(str_bytes=3, on_exceed="cut")).for_user("u")
    assert cut.set("k", "abcdefgh")
    assert cut.get("k") == "abc"
    logged = Cache(policy=LOGGING).for_user("u")
    assert logged.set("k", "words " * 10_000)
    assert logged.get("k").startswith("words words ")
    assert not cut.set("k", print)
    assert cut.get("k") is MISSING


def test_a_namespace_of_any_characters_can_be_sealed() -> None:
    """Lone surrogates in namespace, user and key are written, sealed and read like any others."""
    from siftpack.cache import Seal

    store = MemoryBackend()
    for seal in (None, Seal({1: bytes(32)})):
        user = Cache(store, namespace="a\ud800", seal=seal).for_user("u\udfff")
        assert user.set("k\ud800", 1)
        assert user.get("k\ud800") == 1
        assert user.expire("k\ud800", 50)
        assert Cache(store, namespace="a\ud801", seal=seal).for_user("u\udfff").get("k\ud800") is MISSING


SHOWN = {"l": ["postgres://u:hunter2@h/db", b"x", ("see postgres://u:hunter2@h/db",)], "token": "abc"}


def test_a_rendering_shows_no_secret_by_its_shape() -> None:
    """A value that looks like a secret is masked in a rendering, wherever it stands, as one is by its name."""
    shown = render(SHOWN)
    assert "hunter2" not in shown
    assert "abc" not in shown
    assert "<secret>" in shown
    user = Cache(limits=Limits(nodes=2), policy=Policy(redact=True)).for_user("u")
    assert not user.set("k", [SHOWN])
    assert "hunter2" not in user.get_entry("k").value  # type: ignore[union-attr]
    assert "hunter2" not in render({"postgres://u:hunter2@h/db": 1})


def test_codes_are_no_counters() -> None:
    """Digits with a leading zero were never written by INCR: they are text where text is read, and no number."""
    from siftpack.cache import Legacy

    for data, texts, numbers in ((b"007", "007", MISSING), (b"-0", "-0", MISSING), (b"0", 0, 0), (b"-7", -7, -7)):
        store = MemoryBackend()
        store.set("app:u:k", data, None)
        texting = Cache(store, namespace="app", legacy=Legacy(json=False, text=True))
        assert texting.for_user("u").get("k") == texts
        assert Cache(store, namespace="app", legacy=Legacy(json=False)).for_user("u").get("k") == numbers


def test_nothing_shows_a_secret() -> None:
    """No cache, store, client maker or seal shows a password or a key when it is printed."""
    from siftpack.cache import Seal

    seal = Seal({1: b"hunter2hunter2hunter2hunter2hunt"})
    for url in ("redis://:hunter2@localhost:1", "redis+sentinel://:hunter2@localhost:1/m?sentinel_password=hunter2"):
        for made in (Cache, AsyncCache):
            cache: Any = made.from_url(url, seal=seal)
            tier = cache._backend
            faces = (cache, cache._engine, cache.for_user("u"), tier, tier.front, tier.behind, tier.breaker, seal)
            assert "hunter2" not in "".join(f"{face!r}{face!s}" for face in faces)
            assert "hunter2" not in repr(cache.stats())
