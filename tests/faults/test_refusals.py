"""Real servers that answer, but not with what was asked for: full, a replica, loading, locked, with other passwords."""

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis.exceptions as errors

from siftpack.cache import MISSING
from siftpack.testing import servers
from siftpack.testing.outages import demote, fill, until
from tests.faults.shells import SHELLS, Stalls, Took, back, measured, shell, tier, timed
from tests.faults.victims import BACK, FIRST


@pytest.fixture(scope="module")
def mine() -> Iterator[servers.Server]:
    """A server whose settings these tests change, and put back."""
    with servers.single() as running:
        yield running


@pytest.fixture(params=SHELLS)
def cache(request: pytest.FixtureRequest, mine: servers.Server) -> Iterator[Any]:
    """A cache of either kind on it, and nothing in it."""
    with mine.client() as client:
        client.flushall()
    with shell(request.param, mine.url) as made:
        yield made


def set_up(server: servers.Server, **settings: Any) -> None:
    with server.client() as client:
        for name, value in settings.items():
            client.config_set(name.replace("_", "-"), value)


def test_a_full_server(cache: Any, mine: servers.Server) -> None:
    """Without memory, writes are refused and counted, the old entry is gone, and reads stay on the server."""
    user = cache.for_user("u")
    for key in ("k", "kept", "first"):
        user.set(key, "old")
    try:
        fill(mine)
        for _ in range(10):
            assert not user.set("k", "new" * 1000)
        assert user.set_many({"k": "n" * 1000, "m": "n" * 1000}) == {"k": False, "m": False}
        assert not user.set("first", "second" * 1000, only_if_absent=True)
        assert user.get("k") is MISSING
        assert user.get("kept") == "old"
        assert user.get("first") == "old"
        assert user.delete("kept")
        assert tier(cache).breaker.closed
        assert cache.stats()["errors_by_kind"].keys() == {"full"}
    finally:
        set_up(mine, maxmemory=0)
    assert user.set("k", "new")
    assert user.get("k") == "new"


@measured
def test_a_server_that_was_made_a_replica(cache: Any, mine: servers.Server) -> None:
    """Where the master was is a replica: nothing old is read, nothing raises, and it is used again once it is one."""
    user = cache.for_user("u")
    user.set("k", "old")
    with servers.single() as other:
        demote(mine, other)
        assert user.set("k", "new")
        assert user.get("k") == "new"
        assert user.set_many({"a": 1}) == {"a": True}
        assert user.delete("k")
        assert user.get("k") is MISSING
        assert "readonly" in cache.stats()["errors_by_kind"]
        with mine.client() as client:
            client.execute_command("REPLICAOF", "NO", "ONE")
        with Stalls() as stalls:
            again = back(cache, user)
    assert user.get("k") is MISSING
    assert user.get("a") is MISSING
    stalls.check("until it is back", [again], BACK)


@measured
def test_a_server_with_all_its_places_taken(cache: Any, mine: servers.Server) -> None:
    """A server that takes no more clients is one that is away; with a place free it is used again."""
    with Stalls() as stalls, mine.client() as first, contextlib.ExitStack() as stack:
        first.ping()
        first.config_set("maxclients", 1)
        first.client_kill_filter(_type="normal", skipme=True)
        try:
            user = cache.for_user("u")
            taken = []
            for number in range(20):
                seconds, done = timed(lambda number=number: user.set("k", number))
                taken.append(seconds)
                assert done
                assert user.get("k") == number
            assert "unreachable" in cache.stats()["errors_by_kind"]
        finally:
            first.config_set("maxclients", 1000)
        stack.callback(first.close)
        again = back(cache, user)
    assert user.get("k") is MISSING
    stalls.check("calls", taken, FIRST)
    stalls.check("until it is back", [again], BACK)


@measured
def test_a_server_that_is_loading(cache: Any, mine: servers.Server) -> None:
    """While a server reads its data in, the cache goes on without it, and no old value comes back after that."""
    user = cache.for_user("u")
    user.set("k", "old")
    with mine.client() as client:
        client.mset({f"filling:{number}": "x" * 4096 for number in range(1000)})
        client.save()
    mine.kill()
    was = list(mine.options)
    mine.options += ["key-load-delay 1000", "loading-process-events-interval-bytes 1024"]
    ended = threading.Event()
    wrong: list[Any] = []
    taken: list[Took] = []

    def use() -> None:
        while not ended.is_set():
            seconds, _ = timed(lambda: user.set("k", "new"))
            found = user.get("k")
            taken.append(seconds)
            if found not in ("new", MISSING):
                wrong.append(found)
            time.sleep(0.002)

    using = threading.Thread(target=use)
    with Stalls() as stalls:
        using.start()
        try:
            mine.start()
        finally:
            ended.set()
            using.join()
            mine.options = was
        again = back(cache, user)
    assert wrong == []
    assert "unhealthy" in cache.stats()["errors_by_kind"]
    assert user.get("k") in ("new", MISSING)
    stalls.check("calls", taken, FIRST)
    stalls.check("until it is back", [again], BACK)


def test_everything_is_flushed(cache: Any, mine: servers.Server) -> None:
    """After FLUSHALL reads are misses, writes are kept, and there is no error."""
    user = cache.for_user("u")
    user.set("k", 1)
    assert user.get("k") == 1
    with mine.client() as client:
        client.flushall()
    assert user.get("k") is MISSING
    assert user.set("k", 2)
    assert user.get("k") == 2
    assert cache.stats()["errors"] == 0


def test_entries_expire_while_they_are_read(cache: Any) -> None:
    """A value is there or not: no part of an entry outlives the rest, whatever is asked of it."""
    user = cache.for_user("u")
    ends = time.monotonic() + 0.5
    seen = set()
    while time.monotonic() < ends:
        user.set("k", "v", ttl=0.003)
        for _ in range(8):
            seen.add(user.get("k"))
            entry = user.get_entry("k")
            assert entry is MISSING or (entry.value == "v" and (entry.ttl or 0) <= 0.003)
            assert user.get_many(["k"]) in ({}, {"k": "v"})
    assert seen == {"v", MISSING}
    assert cache.stats()["errors"] == 0


@pytest.mark.parametrize("kind", SHELLS)
def test_a_password_that_was_changed(kind: str, mine: servers.Server) -> None:
    """A password that is not taken any more is raised by every operation, in an outage before it too, and an alarm."""
    set_up(mine, requirepass="first")
    with shell(kind, mine.url.replace("//", "//:first@")) as cache, mine.client(password="first") as client:
        user = cache.for_user("u")
        assert user.set("k", 1)
        mine.pause()
        while tier(cache).breaker.closed:
            user.get("k")
        mine.resume()
        client.config_set("requirepass", "second")
        client.client_kill_filter(_type="normal", skipme=True)
        try:
            until(lambda: raises(lambda: user.get("k"), errors.AuthenticationError), "the error", 2)
            for call in (lambda: user.get("k"), lambda: user.set("k", 1), lambda: user.delete("k"), cache.health):
                assert raises(call, errors.AuthenticationError)
            assert cache.stats()["alarms"] > 0
        finally:
            client.config_set("requirepass", "")


def raises(call: Any, wanted: type[Exception]) -> bool:
    try:
        call()
    except wanted:
        return True
    return False


def test_a_permission_that_was_taken_away(mine: servers.Server) -> None:
    """What the server's access list forbids is raised, for that operation, and is no outage."""
    with mine.client() as client:
        client.execute_command("ACL", "SETUSER", "app", "on", ">word", "~*", "&*", "+@all")
        for kind in SHELLS:
            with shell(kind, mine.url.replace("//", "//app:word@")) as cache:
                user = cache.for_user("u")
                assert user.set("k", 1)
                client.execute_command("ACL", "SETUSER", "app", "-set")
                for _ in range(10):
                    assert raises(lambda user=user: user.set("k", 2), errors.NoPermissionError)
                assert user.get("k") == 1
                assert tier(cache).breaker.closed
                client.execute_command("ACL", "SETUSER", "app", "+set", "resetpass", ">other")
                client.client_kill_filter(_type="normal", skipme=True)
                assert raises(lambda user=user: user.get("k"), errors.AuthenticationError)
                client.execute_command("ACL", "SETUSER", "app", ">word")
        client.execute_command("ACL", "DELUSER", "app")


@pytest.mark.parametrize("certified", [{"days": -1}, {"address": "127.0.0.2"}], ids=["expired", "of another host"])
def test_a_certificate_that_is_not_right(certified: dict[str, Any]) -> None:
    """An expired certificate, or one of another host, is an outage: nothing is sent or raised, and health tells."""
    with servers.tls(**certified) as secured:
        options = {"client": {"ssl_ca_certs": str(secured.authority)}}
        for kind in SHELLS:
            with shell(kind, secured.url, **options) as cache:
                user = cache.for_user("u")
                assert user.set("k", "secret")
                assert user.get("k") == "secret"
                health = cache.health()
                assert (health["ok"], health["error"]) == (False, "unreachable")
        with secured.server.client(unix_socket_path=str(secured.server.socket)) as client:
            assert client.dbsize() == 0
