"""What happens to real servers: behind proxies, without memory, demoted, failed over, with slots on the move.

``Server`` of ``siftpack.testing.servers`` itself can be paused, killed and started again.
"""

import contextlib
import time
from collections.abc import Iterator
from typing import Any, Final

from siftpack.testing.faults import Fault, Proxy
from siftpack.testing.servers import Cluster, Server, single

TOPOLOGIES: Final = ("single", "sentinel", "cluster")
_MASTERS: Final = ((0, 5460), (5461, 10922), (10923, 16383))


class Rig:
    """Servers that can be reached through proxies alone, and the URL that leads to those. ``servers`` hold the data."""

    def __init__(self, topology: str, url: str, servers: list[Server], proxies: list[Proxy]) -> None:
        self.topology = topology
        self.url = url
        self.servers = servers
        self.proxies = proxies

    def inject(self, fault: Fault) -> None:
        """A fault on every connection there is."""
        for proxy in self.proxies:
            proxy.inject(fault)

    def heal(self) -> None:
        """Everything comes through again."""
        self.inject(Fault.NONE)

    def pause(self) -> None:
        """Every server that holds data hangs."""
        for server in self.servers:
            server.pause()

    def resume(self) -> None:
        """They go on."""
        for server in self.servers:
            server.resume()

    def kill(self) -> None:
        """Every server that holds data dies, and what it held with it."""
        for server in self.servers:
            server.kill()

    def start(self) -> None:
        """They are started again, and ready when this ends."""
        for server in self.servers:
            server.start()
        until(self.healthy, "the servers to be ready")

    def healthy(self) -> bool:
        """True if a cluster says that it is whole; of other servers nothing is asked."""
        wanted = {str(proxy.port) for proxy in self.proxies}
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(server.client()) for server in self.servers]
            return self.topology != "cluster" or all(_settled(client, wanted) for client in clients)

    def stored(self, name: str) -> bytes | None:
        """What a name holds, asked behind the proxies' backs."""
        for server in self.servers:
            with server.client() as client:
                if name.encode() in client.keys("*"):
                    found: bytes | None = client.get(name)
                    return found
        return None


@contextlib.contextmanager
def rig(topology: str) -> Iterator[Rig]:
    """One server, one with a sentinel, or a cluster of three masters: each reached through a proxy of its own."""
    with contextlib.ExitStack() as stack:
        if topology == "single":
            yield _single(stack)
        elif topology == "sentinel":
            yield _sentinel(stack)
        else:
            yield _cluster(stack)


def _single(stack: contextlib.ExitStack) -> Rig:
    server = stack.enter_context(single())
    proxy = stack.enter_context(Proxy(server.port))
    return Rig("single", f"redis://127.0.0.1:{proxy.port}", [server], [proxy])


def _sentinel(stack: contextlib.ExitStack) -> Rig:
    """The sentinel never finds its master down, so what the client meets is the fault and no failover."""
    server = stack.enter_context(single())
    proxy = stack.enter_context(Proxy(server.port, spared=b"sentinel-"))  # nonsense makes a sentinel crash
    watching = Server(
        sentinel=f"sentinel monitor main 127.0.0.1 {proxy.port} 1\nsentinel down-after-milliseconds main 600000"
    )
    stack.callback(watching.stop)
    watching.start()
    before = stack.enter_context(Proxy(watching.port))
    return Rig("sentinel", f"redis+sentinel://127.0.0.1:{before.port}/main", [server], [proxy, before])


def _cluster(stack: contextlib.ExitStack) -> Rig:
    nodes, proxies = [], []
    for _ in _MASTERS:
        node = Server(("cluster-enabled yes", "cluster-node-timeout 15000"))
        stack.callback(node.stop)
        proxy = stack.enter_context(Proxy(node.port))
        node.options += [f"cluster-announce-port {proxy.port}", f"cluster-announce-bus-port {node.port + 10_000}"]
        node.start()
        nodes.append(node)
        proxies.append(proxy)
    clients = [stack.enter_context(node.client()) for node in nodes]
    for (first, last), client in zip(_MASTERS, clients, strict=True):
        client.execute_command("CLUSTER ADDSLOTSRANGE", first, last)
        client.execute_command("CLUSTER MEET", "127.0.0.1", nodes[0].port)
    made = Rig("cluster", "", nodes, proxies)
    until(made.healthy, "the nodes to know each other's proxies")
    hosts = ",".join(f"127.0.0.1:{proxy.port}" for proxy in proxies)
    made.url = f"redis+cluster://{hosts}"
    return made


def _settled(client: Any, ports: set[str]) -> bool:
    nodes = [line.split() for line in client.execute_command("CLUSTER", "NODES").decode().splitlines()]
    known = {node[1].partition("@")[0].rpartition(":")[2] for node in nodes if "handshake" not in node[2]}
    return known == ports and b"cluster_state:ok" in client.execute_command("CLUSTER", "INFO")


def until(done: Any, what: str, seconds: float = 20.0) -> float:
    """Waits until ``done()``; the seconds it took. Raises ``RuntimeError`` if it took too long."""
    began = time.monotonic()
    while not done():
        if time.monotonic() - began > seconds:
            raise RuntimeError(f"waited too long for {what}")
        time.sleep(0.01)
    return time.monotonic() - began


def fill(server: Server) -> None:
    """Have a server refuse writes for want of memory, with its data still there; undone by ``maxmemory 0``."""
    with server.client() as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", int(client.info("memory")["used_memory"]) + (1 << 20))
        for number in range(1000):
            try:
                client.set(f"filling:{number}", b"x" * (1 << 16))
            except Exception as full:
                if type(full).__name__ == "MovedError":  # in a cluster two of three names are others'
                    continue
                if type(full).__name__ != "OutOfMemoryError":
                    raise
                used = int(client.info("memory")["used_memory"])
                client.config_set("maxmemory", used - (1 << 19))  # what is free in the last page is taken too
                return
    raise RuntimeError("the server took everything")


def demote(server: Server, master: Server) -> None:
    """Make a server the replica of another, as after a failover that its clients did not notice."""
    with server.client() as client:
        client.execute_command("REPLICAOF", "127.0.0.1", master.port)


def owner_of(group: Cluster, slot: int) -> Server:
    """The master that has a slot."""
    for node in group.nodes:
        with node.client() as client:
            mine = [
                line.split()
                for line in client.execute_command("CLUSTER", "NODES").decode().splitlines()
                if "myself,master" in line
            ]
        ranges = [word.split("-") for words in mine for word in words[8:] if not word.startswith("[")]
        if any(int(one[0]) <= slot <= int(one[-1]) for one in ranges):
            return node
    raise RuntimeError("no node has the slot")


def begin_move(slot: int, source: Server, target: Server) -> None:
    """From now on ``source`` sends whoever asks for an absent key of a slot to ``target`` (ASK)."""
    ids = {node.port: _id(node) for node in (source, target)}
    with source.client() as one, target.client() as other:
        other.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[source.port])
        one.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[target.port])


def end_move(group: Cluster, slot: int, source: Server, target: Server) -> None:
    """Move the keys, and give the slot to ``target`` (MOVED)."""
    with source.client() as one:
        while keys := one.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 100):
            one.execute_command("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)
    for node in (target, source, *(node for node in group.nodes if node not in (source, target))):
        with node.client() as client, contextlib.suppress(Exception):  # replicas are told by their masters
            client.execute_command("CLUSTER", "SETSLOT", slot, "NODE", _id(target))


def _id(node: Server) -> str:
    with node.client() as client:
        found: bytes = client.execute_command("CLUSTER", "MYID")
    return found.decode()
