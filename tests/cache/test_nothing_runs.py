"""An audit hook watches: bad bytes, values, URLs and options import nothing, open nothing and run nothing."""

import contextlib
import pickle
import sys
from collections.abc import Callable
from typing import Any

import pytest

from siftpack import EncodeError, Limits, PolicyError
from siftpack.cache import MISSING, AsyncCache, AsyncRedisBackend, Cache, Legacy, Pickles, RedisBackend, Seal
from siftpack.cache.presets import maker
from siftpack.testing.machinery import specimens
from tests.cache.shells import Failing, Make
from tests.cache.test_options import WRONG_CLIENTS, WRONG_OPTIONS, WRONG_OPTIONS_OF_CLIENTS
from tests.cache.test_original import BAD_VALUES
from tests.cache.test_presets import BAD_URLS
from tests.cache.watched import ALLOWED, HARMLESS, HOSTILE, MODULE, NAME, TRAPPED, Evil, Watch, frame

READERS: dict[str, dict[str, Any]] = {
    "none": {},
    "text": {"legacy": Legacy(text=True)},
    "all": {"legacy": Legacy(text=True, pickle=ALLOWED)},
    "sealed": {"seal": Seal({1: bytes(32)})},
}
READS: tuple[Callable[[Any], Any], ...] = (
    lambda user: user.get("k"),
    lambda user: user.get_many(["k"]),
    lambda user: user.get_entry("k"),
    lambda user: user.exists("k"),
    lambda user: user.expire("k", 60),
)
WRITING: dict[str, dict[str, Any]] = {
    "store": {},
    "skip": {"on_lossy": "skip"},
    "raise": {"on_lossy": "raise"},
    "text": {"limits": Limits(nodes=2)},
    "sealed": {"seal": Seal({1: bytes(32)}), "compression": "zlib"},
}
URLS = ("redis://", "rediss://", "unix:///", "redis+sentinel://", "rediss+sentinel://", "redis+cluster://")


@pytest.fixture(scope="module")
def watch() -> Watch:
    """The hook, once for all tests here."""
    return Watch()


def test_the_hook_sees(watch: Watch) -> None:
    """What must not happen below is seen if it happens."""
    with watch() as seen, pytest.raises(ImportError):
        pickle.loads(pickle.dumps(Evil()))
    assert {"pickle.find_class", "exec", "import"} <= {event.split()[0] for event in seen}
    assert any(MODULE in event for event in seen)
    with pytest.raises(TypeError):
        repr(TRAPPED[0]())
    assert Evil.ran[-1] == "__repr__"


@pytest.mark.parametrize("readers", READERS)
def test_nothing_is_imported_or_run_by_reading(watch: Watch, make: Make, readers: str) -> None:
    """While hostile bytes of every kind are read, no import, exec, file or process is asked for."""
    store = Failing()
    user = make(store, **READERS[readers]).for_user("u")
    for harmless in (b"1", b"1.5", b"[1]", b"text", frame(), ALLOWED.sign(NAME, pickle.dumps([1]))):
        for read in READS:
            store.set(NAME, harmless, None)
            read(user)
    assert user.set("k", HARMLESS)
    assert len(user.get("k")) == len(HARMLESS)
    with watch() as seen:
        for data in HOSTILE:
            for read in READS:
                store.set(NAME, data, None)
                read(user)
    assert seen == []
    assert MODULE not in sys.modules


def test_a_pickle_that_is_signed_is_not_run(watch: Watch, make: Make) -> None:
    """One that calls what was not allowed is a miss, though the signature is right and pickles are read."""
    store = Failing()
    cache = make(store, legacy=Legacy(pickle=ALLOWED))
    with watch() as seen:
        store.set(NAME, ALLOWED.sign(NAME, pickle.dumps(Evil())), None)
        assert cache.for_user("u").get("k") is MISSING
    assert seen == []
    assert cache.stats()["misses_by_reason"] == {"bad_legacy": 1}


@pytest.mark.parametrize("writing", WRITING)
def test_nothing_is_imported_or_run_by_writing(watch: Watch, make: Make, writing: str) -> None:
    """While machinery and whatever else no cache should be given is written, nothing of it is called or looked up."""
    user = make(Failing(), **WRITING[writing]).for_user("u")
    assert user.set("k", HARMLESS) is (writing != "text")
    values = [*(each.obj for each in specimens()), *BAD_VALUES.values(), *(made() for made in TRAPPED)]
    every = [shape for value in values for shape in (value, [value], {"a": {"b": value}}, (1, value))]
    Evil.ran.clear()
    with watch() as seen:
        for value in every:
            with contextlib.suppress(EncodeError):
                user.set("k", value)
                user.set_many({"k": value, "l": 1})
    assert seen == []
    assert Evil.ran == []


def test_nothing_is_imported_or_run_by_what_makes_no_sense(watch: Watch) -> None:
    """URLs, options and clients that are refused are refused without a look at what they name."""
    for url in URLS:
        for asynchronous in (False, True):
            maker(f"{url}localhost/main" if "sentinel" in url else f"{url}localhost", asynchronous=asynchronous)
    hostile = (f"{MODULE}://localhost", "file:///etc/passwd", f"redis://localhost?parser_class={MODULE}.Parser")
    bad: list[Callable[[], Any]] = []
    for made in (Cache, AsyncCache):
        bad += [lambda made=made, url=url: made.from_url(url) for url in (*BAD_URLS, *hostile)]
        bad += [lambda made=made, options=options: made(**options) for options in WRONG_OPTIONS]
        for client in (*WRONG_OPTIONS_OF_CLIENTS, {"connection_class": "os.system"}):
            bad.append(lambda made=made, client=client: made.from_url("redis://localhost", client=client))
    for backend in (RedisBackend, AsyncRedisBackend):
        bad += [lambda backend=backend, client=client: backend(client) for client in WRONG_CLIENTS]
    bad += [lambda: Legacy(pickle="os.system"), lambda: Pickles(b"x" * 16, allow=["os.system"])]  # type: ignore[arg-type, list-item]
    with watch() as seen:
        for call in bad:
            with pytest.raises(PolicyError):
                call()
    assert seen == []
