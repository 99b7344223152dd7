"""Masters that are replaced, behind sentinels and in a cluster: killed, or made replicas while they are up.

Each function ends when the servers are through with it and the old master, started again if it was killed, follows the
new one.
"""

import contextlib

import redis

from siftpack.testing.outages import demote, until
from siftpack.testing.servers import Cluster, Sentinels, Server

SECONDS = 60.0
"""How long servers may take for a part of it."""


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
