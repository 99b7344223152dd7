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
from siftpack.testing.outages import TOPOLOGIES, Rig, demote, fill, rig, until
from tests.faults.shells import SHELLS, Stalls, Took, back, measured, shell, tier, timed
from tests.faults.victims import BACK, FIRST

GROUPS = [pytest.param(topology, marks=pytest.mark.full) for topology in TOPOLOGIES[1:]]


@pytest.fixture(scope="module", params=["single", *GROUPS])
def where(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """Servers whose settings these tests change, and put back: one alone, and at full size the others too."""
    with rig(request.param) as running:
        yield running


@pytest.fixture(params=SHELLS)
def cache(request: pytest.FixtureRequest, where: Rig) -> Iterator[Any]:
    """A cache of either kind on them, and nothing in it."""
    everywhere(where, "FLUSHALL")
    with shell(request.param, where.url) as made:
        yield made


@contextlib.contextmanager
def clients(where: Rig) -> Iterator[list[Any]]:
    """A plain client of each server that holds data."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(server.client()) for server in where.servers]


def everywhere(where: Rig, *command: Any) -> None:
    """One command to each of them."""
    with clients(where) as each:
        for client in each:
            client.execute_command(*command)


def home(where: Rig) -> servers.Server:
    """The server that holds what was written, which in a cluster is one of three."""
    for server in where.servers:
        with server.client() as client:
            if client.dbsize():
                return server
    raise AssertionError("nothing was written")


def test_a_full_server(cache: Any, where: Rig) -> None:
    """Without memory, writes are refused and counted, the old entry is gone, and reads stay on the server."""
    user = cache.for_user("u")
    for key in ("k", "kept", "first"):
        user.set(key, "old")
    try:
        for server in where.servers:
            fill(server)
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
        everywhere(where, "CONFIG", "SET", "maxmemory", 0)
    assert user.set("k", "new")
    assert user.get("k") == "new"


@measured
@pytest.mark.parametrize("where", ["single", *GROUPS[:1]], indirect=True)
def test_a_server_that_was_made_a_replica(cache: Any, where: Rig) -> None:
    """Where the master was is a replica: nothing old is read, nothing raises, and it is used again once it is one."""
    user = cache.for_user("u")
    user.set("k", "old")
    with servers.single() as other:
        demote(where.servers[0], other)
        assert user.set("k", "new")
        assert user.get("k") == "new"
        assert user.set_many({"a": 1}) == {"a": True}
        assert user.delete("k")
        assert user.get("k") is MISSING
        assert "readonly" in cache.stats()["errors_by_kind"]
        everywhere(where, "REPLICAOF", "NO", "ONE")
        with Stalls() as stalls:
            again = back(cache, user)
    assert user.get("k") is MISSING
    assert user.get("a") is MISSING
    stalls.check("until it is back", [again], BACK)


@measured
def test_a_server_with_all_its_places_taken(cache: Any, where: Rig) -> None:
    """A server that takes no more clients is one that is away; with a place free it is used again."""
    with Stalls() as stalls:
        with clients(where) as first:
            for client in first:
                client.ping()
                client.config_set("maxclients", 1)
                client.client_kill_filter(_type="normal", skipme=True)
            try:
                user = cache.for_user("u")
                taken = []
                for number in range(20):
                    seconds, done = timed(lambda number=number: user.set("k", number))
                    taken.append(seconds)
                    assert done
                    assert user.get("k") == number
                away = {"unreachable", "unhealthy"} if where.topology == "cluster" else {"unreachable"}
                assert away & cache.stats()["errors_by_kind"].keys()
            finally:
                for client in first:
                    client.config_set("maxclients", 1000)
        again = back(cache, user)
    assert user.get("k") is MISSING
    stalls.check("calls", taken, FIRST)
    stalls.check("until it is back", [again], BACK)


@measured
def test_a_server_that_is_loading(cache: Any, where: Rig) -> None:
    """While a server reads its data in, the cache goes on without it, and no old value comes back after that."""
    user = cache.for_user("u")
    user.set("k", "old")
    mine = home(where)
    with mine.client() as client:
        client.mset({f"filling:{{u}}:{number}": "x" * 4096 for number in range(1000)})
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
        until(where.healthy, "the servers to be ready")
        again = back(cache, user)
    assert wrong == []
    assert "unhealthy" in cache.stats()["errors_by_kind"]
    assert user.get("k") in ("new", MISSING)
    stalls.check("calls", taken, FIRST)
    stalls.check("until it is back", [again], BACK)


def test_everything_is_flushed(cache: Any, where: Rig) -> None:
    """After FLUSHALL reads are misses, writes are kept, and there is no error."""
    user = cache.for_user("u")
    user.set("k", 1)
    assert user.get("k") == 1
    everywhere(where, "FLUSHALL")
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
def test_a_password_that_was_changed(kind: str, where: Rig) -> None:
    """A password that is not taken any more is raised by every operation, in an outage before it too, and an alarm."""
    everywhere(where, "CONFIG", "SET", "requirepass", "first")
    with contextlib.ExitStack() as stack:
        known = [stack.enter_context(server.client(password="first")) for server in where.servers]
        cache = stack.enter_context(shell(kind, where.url.replace("//", "//:first@")))
        user = cache.for_user("u")
        assert user.set("k", 1)
        where.pause()
        while tier(cache).breaker.closed:
            user.get("k")
        where.resume()
        for client in known:
            client.config_set("requirepass", "second")
            client.client_kill_filter(_type="normal", skipme=True)
        try:
            until(lambda: names_login(where, lambda: user.get("k")), "the error", 2)
            for call in (lambda: user.get("k"), lambda: user.set("k", 1), lambda: user.delete("k"), cache.health):
                assert names_login(where, call)
            assert cache.stats()["alarms"] > 0
        finally:
            for client in known:
                client.config_set("requirepass", "")


def raises(call: Any, wanted: type[Exception]) -> bool:
    try:
        call()
    except wanted:
        return True
    return False


def names_login(where: Rig, call: Any) -> bool:
    """Whether a wrong password is raised; a cluster's client may raise it as the cause of an error of its own."""
    if where.topology != "cluster":
        return raises(call, errors.AuthenticationError)
    try:
        call()
    except errors.AuthenticationError:
        return True
    except errors.RedisClusterException as error:
        return isinstance(error.__cause__, errors.AuthenticationError)
    return False


@pytest.mark.parametrize("kind", SHELLS)
def test_a_permission_that_was_taken_away(kind: str, where: Rig) -> None:
    """What the server's access list forbids is raised, for that operation, and is no outage."""
    everywhere(where, "ACL", "SETUSER", "app", "on", ">word", "~*", "&*", "+@all")
    try:
        with shell(kind, where.url.replace("//", "//app:word@")) as cache:
            user = cache.for_user("u")
            assert user.set("k", 1)
            everywhere(where, "ACL", "SETUSER", "app", "-set")
            for _ in range(10):
                assert raises(lambda: user.set("k", 2), errors.NoPermissionError)
            assert user.get("k") == 1
            assert tier(cache).breaker.closed
            everywhere(where, "ACL", "SETUSER", "app", "+set", "resetpass", ">other")
            everywhere(where, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            assert names_login(where, lambda: user.get("k"))
    finally:
        everywhere(where, "ACL", "DELUSER", "app")


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
