"""Masters that die, or are replaced while they are up, and slots on the move: behind sentinels and in a cluster."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis.crc

from siftpack.cache import MISSING
from siftpack.testing import servers
from siftpack.testing.outages import begin_move, demote, end_move, fail_over, master_port, owner_of, until
from tests.faults.shells import SHELLS, Stalls, Took, back, measured, shell, timed
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

    def __init__(self, kind: str, url: str) -> None:
        super().__init__(name=kind)
        self.kind = kind
        self.url = url
        self.ended = threading.Event()
        self.over = threading.Event()
        self.wrong: list[Any] = []
        self.taken: list[Took] = []
        self.back: list[Took] = []
        self.raised: BaseException | None = None

    def run(self) -> None:
        try:
            with shell(self.kind, self.url, namespace=self.kind) as cache:
                self._live(cache)
        except BaseException as raised:
            self.raised = raised

    def _live(self, cache: Any) -> None:
        written = dict.fromkeys(USERS, 0)
        number = 0
        while not self.ended.is_set():
            number += 1
            for name in USERS:
                user = cache.for_user(name)
                self._timed(lambda user=user, number=number: user.set("k", number))
                written[name] = number
                found = self._timed(lambda user=user: user.get("k"))
                if found is not MISSING and found != number:
                    self.wrong.append((name, number, found))
                if number % 7 == 0:
                    self._timed(lambda user=user: user.delete("k"))
                    if (found := self._timed(lambda user=user: user.get("k"))) is not MISSING:
                        self.wrong.append((name, "deleted", found))
            time.sleep(0.002)
        self.over.wait(30)
        self.back += [back(cache, cache.for_user(name)) for name in USERS]
        for name in USERS:
            found = cache.for_user(name).get("k")
            if found is not MISSING and found != number:
                self.wrong.append((name, "afterwards", found))

    def _timed(self, call: Callable[[], Any]) -> Any:
        seconds, answer = timed(call)
        self.taken.append(seconds)
        return answer


def live_through(url: str, change: Callable[[], None], settle: Callable[[], object]) -> None:
    """Clients of both kinds during a change; ``settle`` waits until the servers are through with it."""
    clients = [Client(kind, url) for kind in SHELLS]
    with Stalls() as stalls:
        for client in clients:
            client.start()
        time.sleep(0.2)
        change()
        settle()
        for client in clients:
            client.ended.set()
            client.over.set()
        for client in clients:
            client.join(30)
    for client in clients:
        assert client.raised is None, client.name
        assert client.wrong == [], client.name
        assert len(client.taken) > 100, client.name
        stalls.check(f"{client.name}, calls", client.taken, FIRST)
        stalls.check(f"{client.name}, until it is back", client.back, BACK)


@measured
def test_a_slot_moves(nodes: servers.Cluster) -> None:
    """While a slot moves from one master to another under load, every answer is right and none is slow."""
    slot = redis.crc.key_slot(USERS[0].encode())
    source = owner_of(nodes, slot)
    target = next(node for node in nodes.nodes[:3] if node is not source)

    def move() -> None:
        begin_move(slot, source, target)
        time.sleep(0.3)
        end_move(nodes, slot, source, target)

    live_through(nodes.url, move, lambda: time.sleep(0.3))


@measured
def test_the_master_of_a_cluster_dies(nodes: servers.Cluster) -> None:
    """Killed, its replica takes over; meanwhile the cache goes on, and afterwards uses it."""
    slot = redis.crc.key_slot(USERS[0].encode())
    master = owner_of(nodes, slot)
    rest = [node for node in nodes.nodes if node is not master]

    def serves(node: servers.Server) -> bool:
        with node.client() as client:
            lines = client.execute_command("CLUSTER", "NODES").decode().splitlines()
            whole = b"cluster_state:ok" in client.execute_command("CLUSTER", "INFO")
        gone = any(f":{master.port}@" in line and "master,fail " in line for line in lines)
        return whole and gone and sum("master" in line and "fail" not in line for line in lines) == 3

    live_through(nodes.url, master.kill, lambda: until(lambda: all(map(serves, rest)), "the failover"))
    master.start()


@measured
def test_the_master_is_replaced_while_it_is_up(group: servers.Sentinels) -> None:
    """The sentinels make the replica the master and the old master a replica: the cache follows."""

    def replace() -> None:
        fail_over(group)
        time.sleep(0.2)  # two masters; then what the sentinels do to the old one some seconds later
        demote(group.master, group.replica)
        with group.master.client() as client:
            client.client_kill_filter(_type="normal", skipme=True)

    live_through(group.url, replace, lambda: time.sleep(0.2))


@measured
def test_the_master_dies(group: servers.Sentinels) -> None:
    """Killed, the replica takes its place within the sentinels' time; meanwhile the cache goes on."""
    was = master_port(group)
    master = next(each for each in (group.master, group.replica) if each.port == was)
    live_through(group.url, master.kill, lambda: until(lambda: master_port(group) != was, "the failover"))
