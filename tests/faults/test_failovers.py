"""Masters that die, or are replaced while they are up, and slots on the move: behind sentinels and in a cluster."""

import threading
import time
from collections.abc import Callable, Iterator
from operator import eq
from typing import Any

import pytest
import redis.crc

from siftpack.cache import MISSING
from siftpack.testing import servers
from siftpack.testing.outages import begin_move, end_move, owner_of, until
from siftpack.testing.turnovers import divided, kill_master, kill_node, masters, replace_master, replace_node, sides
from tests.faults.history import Failovers, History
from tests.faults.shells import SHELLS, Stalls, Took, back, measured, shell, tier, timed
from tests.faults.victims import BACK, FIRST

USERS = [f"user-{number}" for number in range(12)]
"""Of a cluster these are in slots of every node."""


@pytest.fixture(scope="module")
def group() -> Iterator[servers.Sentinels]:
    """Sentinels of these tests' own, whose master they replace."""
    with servers.sentinels() as running:
        yield running


@pytest.fixture(scope="module")
def nodes() -> Iterator[servers.Cluster]:
    """A cluster of these tests' own."""
    with servers.cluster() as running:
        yield running


class Client(threading.Thread):
    """Writes and reads numbers that grow, and notes what was wrong, until it is told to end."""

    def __init__(self, kind: str, url: str, failovers: Failovers, pause: float) -> None:
        super().__init__(name=kind)
        self.kind = kind
        self.url = url
        self.pause = pause
        self.history = History(failovers)
        self.ended = threading.Event()
        self.wrong: list[Any] = []
        self.taken: list[Took] = []
        self.back: list[Took] = []
        self.raised: BaseException | None = None
        self.notes: Any = None

    def run(self) -> None:
        try:
            with shell(self.kind, self.url, namespace=self.kind) as cache:
                self.notes = tier(cache).notes
                self._live(cache)
        except BaseException as raised:
            self.raised = raised

    def _live(self, cache: Any) -> None:
        number = 0
        while not self.ended.is_set():
            number += 1
            for name in USERS:
                user = cache.for_user(name)
                if number > 1:
                    self._say(name, self._timed(lambda user=user: user.get("k")))
                self._wrote(name, number, lambda user=user, number=number: user.set("k", number))
                self._say(name, self._timed(lambda user=user: user.get("k")))
                if number % 7 == 0:
                    self._wrote(name, MISSING, lambda user=user: user.delete("k"))
                    self._say(name, self._timed(lambda user=user: user.get("k")))
            time.sleep(self.pause)
        self.back += [back(cache, cache.for_user(name)) for name in USERS]
        for name in USERS:
            self._say(name, cache.for_user(name).get("k"))

    def _wrote(self, name: str, value: Any, call: Callable[[], Any]) -> None:
        self.history.wrote(name, value, time.monotonic())
        self._timed(call)
        if not self.notes.owing:
            self.history.settled()

    def _say(self, name: str, found: Any) -> None:
        if not self.history.may_be(name, found):
            self.wrong.append((name, self.history.last(name), found))

    def _timed(self, call: Callable[[], Any]) -> Any:
        seconds, answer = timed(call)
        self.taken.append(seconds)
        return answer


def live_through(url: str, change: Callable[[], None], *, pause: float = 0.002) -> None:
    """Clients of both kinds during a change that ends when the servers are through with it."""
    failovers = Failovers()
    clients = [Client(kind, url, failovers, pause) for kind in SHELLS]
    with Stalls() as stalls:
        for client in clients:
            client.start()
        time.sleep(0.2)
        try:
            with failovers:
                change()
            time.sleep(0.2)
        finally:
            for client in clients:
                client.ended.set()
        for client in clients:
            client.join(30)
    for client in clients:
        if client.raised is not None:
            raise client.raised
        assert client.wrong == [], client.name
        assert len(client.taken) > 100, client.name
        stalls.check(f"{client.name}, calls", client.taken, FIRST)
        stalls.check(f"{client.name}, until it is back", client.back, BACK)


@measured
def test_a_slot_moves(nodes: servers.Cluster) -> None:
    """While a slot moves from one master to another under load, every answer is right and none is slow."""
    slot = redis.crc.key_slot(USERS[0].encode())
    source = owner_of(nodes, slot)
    target = next(node for node in masters(nodes) if node is not source)

    def move() -> None:
        begin_move(slot, source, target)
        time.sleep(0.3)
        end_move(nodes, slot, source, target)
        time.sleep(0.3)

    live_through(nodes.url, move)


@measured
def test_the_master_of_a_cluster_dies(nodes: servers.Cluster) -> None:
    """Killed, its replica takes over; meanwhile the cache goes on, and afterwards uses it."""
    master = owner_of(nodes, redis.crc.key_slot(USERS[0].encode()))
    live_through(nodes.url, lambda: kill_node(nodes, master))


@measured
def test_the_master_of_a_cluster_is_replaced(nodes: servers.Cluster) -> None:
    """Its replica takes its place while it is up: the cache follows."""
    master = owner_of(nodes, redis.crc.key_slot(USERS[0].encode()))
    live_through(nodes.url, lambda: replace_node(nodes, master))


@measured
def test_the_master_is_replaced_while_it_is_up(group: servers.Sentinels) -> None:
    """The sentinels make the replica the master and the old master a replica: the cache follows."""
    live_through(group.url, lambda: replace_master(group))


@measured
def test_the_master_dies(group: servers.Sentinels) -> None:
    """Killed, the replica takes its place within the sentinels' time; meanwhile the cache goes on."""
    live_through(group.url, lambda: kill_master(group))


def written(server: servers.Server) -> list[bytes | None]:
    """What is stored on a server under one key of each client."""
    with server.client() as client:
        return [client.get(f"{kind}:{USERS[0]}:k") for kind in SHELLS]


@pytest.mark.full
@measured
def test_a_master_that_only_its_clients_reach() -> None:
    """Replaced behind its back, it is used until the partition heals; then the cache follows to the new master.

    What was written to it meanwhile is lost, as by any failover, and nothing else: no other answer is wrong.
    """
    with divided() as group:

        def part_and_unite() -> None:
            group.part()
            before = written(group.master)
            until(lambda: not any(map(eq, before, written(group.master))), "the clients to write to the old master")
            for kind in SHELLS:
                with shell(kind, group.url, namespace=f"late-{kind}") as cache:
                    assert cache.for_user("u").set("k", 1)
                with group.replica.client() as client:
                    assert client.exists(f"late-{kind}:u:k")
            group.unite()

        live_through(group.url, part_and_unite, pause=0.1)  # few writes: a history is as long as the partition
        with group.replica.client() as client:
            assert client.exists(*(f"{kind}:{name}:back" for kind in SHELLS for name in USERS)) == 2 * len(USERS)


@pytest.mark.parametrize("kind", SHELLS)
def test_a_replica_is_not_taken_for_the_master(kind: str, group: servers.Sentinels) -> None:
    """A sentinel that has not heard of a failover yet names a replica: nothing is read there, it may be behind."""
    _, replica = sides(group)
    with shell(kind, group.url, namespace=kind) as cache:
        user = cache.for_user("u")
        assert user.set("k", 0)
        pool = tier(cache).front.client.connection_pool
        known = pool.sentinel_manager.discover_master

        def named(_service: str) -> tuple[str, int]:
            return "127.0.0.1", replica.port

        async def named_later(service: str) -> tuple[str, int]:
            return named(service)

        pool.sentinel_manager.discover_master = named if kind == "sync" else named_later
        for connection in pool._available_connections:
            connection.drop() if kind == "async" else connection.disconnect()
        assert user.set("k", 1)
        assert user.get("k") == 1
        assert cache.stats()["errors_by_kind"].keys() <= {"readonly", "settling", "open"}
        assert cache.stats()["errors_by_kind"]["readonly"] > 0
        pool.sentinel_manager.discover_master = known
        back(cache, user)
        assert user.get("k") is MISSING
