"""Masters that are replaced, behind sentinels and in a cluster: killed, or made replicas while they are up.

Each function ends when the servers are through with it and the old master, started again if it was killed, follows the
new one.
"""

import contextlib
from collections.abc import Iterator
from typing import Final

import redis

from siftpack.testing.faults import Fault, Proxy
from siftpack.testing.outages import demote, until
from siftpack.testing.servers import Cluster, Sentinels, Server, single

SECONDS = 60.0
"""How long servers may take for a part of it."""
_REACHING: Final = "reaching"
"""The user that a client logs in as, with its first command, so that no connection of a sentinel or replica does."""


def sides(group: Sentinels) -> tuple[Server, Server]:
    """The master that the first sentinel names, and the other one."""
    port = _named(group.sentinels[0])
    pair = (group.master, group.replica)
    return pair if pair[0].port == port else (pair[1], pair[0])


def replace_master(group: Sentinels) -> None:
    """Have the sentinels make the replica the master while the old master is up."""
    _, new = sides(group)
    until(lambda: _asked(group.sentinels[0], "SENTINEL", "FAILOVER", "main"), "the failover to begin", SECONDS)
    until(lambda: _named(group.sentinels[0]) == new.port, "the failover", SECONDS)
    until(lambda: _one_master(group), "the servers to agree", SECONDS)


def kill_master(group: Sentinels) -> None:
    """Kill the master, and start it again when the sentinels have replaced it."""
    old, new = sides(group)
    old.kill()
    until(lambda: _named(group.sentinels[0]) == new.port, "the failover", SECONDS)
    old.start()
    until(lambda: _one_master(group), "the servers to agree", SECONDS)


def _one_master(group: Sentinels) -> bool:
    """Whether all agree. Who takes himself for another master is told at once what sentinels would in some seconds."""
    with contextlib.suppress(redis.RedisError):  # sentinels close connections to those whose role they change
        if len({_named(each) for each in group.sentinels}) > 1:
            return False
        master, other = sides(group)
        if _role(other) == "master":
            demote(other, master)
            with other.client() as client:
                client.client_kill_filter(_type="normal", skipme=True)
        return _role(master) == "master" and _follows(other, master)
    return False


class Divided(Sentinels):
    """Sentinels and a replica that reach the master through ``proxy`` alone, which spares clients that use ``url``."""

    def __init__(self, master: Server, replica: Server, sentinels: list[Server], proxy: Proxy) -> None:
        super().__init__(master, replica, sentinels)
        self.proxy = proxy

    @property
    def url(self) -> str:
        """The ``redis+sentinel://`` URL, with the login by which the proxy knows who is a client."""
        return super().url.replace("//", f"//{_REACHING}:word@")

    def part(self) -> None:
        """Cut the master off from all but its clients, and wait until the sentinels have another one."""
        self.proxy.inject(Fault.BLACK_HOLE)
        until(lambda: _replaced(self), "the failover", SECONDS)

    def unite(self) -> None:
        """Let everything through, and wait until the sentinels have told the old master to follow the new one."""
        self.proxy.heal()
        until(lambda: _united(self), "the old master to follow", SECONDS)


@contextlib.contextmanager
def divided() -> Iterator[Divided]:
    """A master and a replica under three sentinels, for one partition between the master and the rest."""
    with contextlib.ExitStack() as stack:
        master = stack.enter_context(single("repl-diskless-sync-delay 0"))
        proxy = stack.enter_context(Proxy(master.port, spared=_REACHING.encode()))
        replica = stack.enter_context(single(f"replicaof 127.0.0.1 {proxy.port}", "repl-diskless-sync-delay 0"))
        for server in (master, replica):
            with server.client() as client:
                client.execute_command("ACL", "SETUSER", _REACHING, "on", ">word", "~*", "&*", "+@all")
                client.config_set("replica-announce-port", proxy.port if server is master else server.port)
        lines = (
            f"monitor main 127.0.0.1 {proxy.port} 2",
            "down-after-milliseconds main 500",
            "failover-timeout main 2000",
        )
        watching = [Server(sentinel="\n".join(f"sentinel {line}" for line in lines)) for _ in range(3)]
        for one in watching:
            stack.callback(one.stop)
            one.start()
        until(lambda: _linked(replica) and all(map(_watches, watching)), "the servers to see each other")
        yield Divided(master, replica, watching, proxy)


def _replaced(group: Divided) -> bool:
    with contextlib.suppress(redis.RedisError):  # as in _one_master
        return _role(group.replica) == "master" and {_named(each) for each in group.sentinels} == {group.replica.port}
    return False


def _united(group: Divided) -> bool:
    with contextlib.suppress(redis.RedisError):  # as in _one_master
        return _follows(group.master, group.replica)
    return False


def _watches(sentinel: Server) -> bool:
    """Whether a sentinel knows the replica and the two others."""
    with sentinel.client() as client, contextlib.suppress(redis.RedisError):
        usable = client.execute_command("SENTINEL", "CKQUORUM", "main").startswith(b"OK 3")
        return bool(usable) and len(client.execute_command("SENTINEL", "REPLICAS", "main")) == 1
    return False


def replace_node(group: Cluster, old: Server) -> None:
    """Have the replica of a master of a cluster take its place while it is up."""
    new = replica_of(group, old)
    until(lambda: _asked(new, "CLUSTER", "FAILOVER"), "the failover to begin", SECONDS)
    until(lambda: _follows(old, new), "the old master to follow", SECONDS)
    _agree(group)


def kill_node(group: Cluster, old: Server) -> None:
    """Kill a master of a cluster, and start it again when its replica has taken its place."""
    new = replica_of(group, old)
    old.kill()
    until(lambda: _role(new) == "master", "the failover", SECONDS)
    old.start()
    until(lambda: _follows(old, new), "the old master to follow", SECONDS)
    _agree(group)


def masters(group: Cluster) -> list[Server]:
    """The masters of a cluster."""
    return [node for node in group.nodes if _role(node) == "master"]


def replica_of(group: Cluster, master: Server) -> Server:
    """The replica of a master of a cluster, once there is one. Raises ``RuntimeError`` if there is none."""
    until(lambda: any(_follows(node, master) for node in group.nodes), "the replica", SECONDS)
    return next(node for node in group.nodes if _follows(node, master))


def _agree(group: Cluster) -> None:
    until(lambda: all(map(_whole, group.nodes)), "the cluster to be whole", SECONDS)


def _whole(node: Server) -> bool:
    with node.client() as client:
        nodes = client.execute_command("CLUSTER", "NODES").decode().splitlines()
        whole = b"cluster_state:ok" in client.execute_command("CLUSTER", "INFO")
    return whole and not any("fail" in line for line in nodes) and sum("slave" in line for line in nodes) == 3


def _asked(server: Server, *command: str) -> bool:
    """False if the server says that it is not ready for that yet."""
    with server.client() as client, contextlib.suppress(redis.RedisError):
        client.execute_command(*command)
        return True
    return False


def _named(sentinel: Server) -> int:
    with sentinel.client() as client:
        return int(client.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main")[1])


def _role(node: Server) -> str:
    with node.client() as client:
        return str(client.info("replication")["role"])


def _follows(replica: Server, master: Server) -> bool:
    with replica.client() as client:
        found = client.info("replication")
    return (found["role"], found.get("master_port"), found.get("master_link_status")) == ("slave", master.port, "up")


def _linked(replica: Server) -> bool:
    with replica.client() as client:
        return bool(client.info("replication").get("master_link_status") == "up")
