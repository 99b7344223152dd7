"""What redis-py's asyncio client of a cluster needs.

Guarded connections, an end for all of them, less to ask the nodes, and to ask the right one.
"""

from typing import Any, Final

from siftpack.cache.backends.aioguard import LEFT_ALONE

_ONE_KEY: Final = {"flags": (), "first_key_pos": 1, "step_count": 1}
_KNOWN: Final = {
    **dict.fromkeys(("get", "set", "expire", "pexpire", "persist", "ttl", "pttl", "strlen", "type"), 1),
    **dict.fromkeys(("unlink", "del", "exists"), -1),
}
"""Commands of a cache, and where their keys end: at the first argument, or at the last."""


def resolver() -> Any:
    """Says which commands go to the node of their key.

    redis-py finds that out from a client that knows its nodes. Until one does, or does again, it sends what is asked
    to any node, learns that it was the wrong one, forgets its nodes because of that, and so on for thousands of calls.
    """
    from redis.commands import policies
    from redis.commands.policies import AsyncPolicyResolver, AsyncStaticPolicyResolver

    source: Any = policies  # its types do not say what it imports
    keyed = source.CommandPolicies(source.RequestPolicy.DEFAULT_KEYED, source.ResponsePolicy.DEFAULT_KEYED)

    class Keyed(AsyncPolicyResolver):
        async def resolve(self, command_name: str) -> Any:
            return keyed if command_name in _KNOWN else None

        def with_fallback(self, fallback: AsyncPolicyResolver) -> AsyncPolicyResolver:  # noqa: ARG002 - has none
            return self

    return AsyncStaticPolicyResolver(Keyed())


def prepared(made: Any, cls: Any) -> Any:
    """A client whose connections, which it makes itself, are of a class, and which knows the commands of a cache."""
    made.connection_kwargs["connection_class"] = cls
    for node in made.nodes_manager.startup_nodes.values():
        node.connection_class = cls
    made.commands_parser = _knowing(type(made.commands_parser))()
    return made


def _knowing(parser: Any) -> Any:
    """Asks for all commands when it meets one that it does not know.

    redis-py asks whenever it looks for its nodes anew, and the answer takes 50 ms to read.
    """

    def __init__(self: Any) -> None:  # noqa: N807 - of the class below
        parser.__init__(self)
        self.commands = {name: {**_ONE_KEY, "name": name, "last_key_pos": last} for name, last in _KNOWN.items()}

    async def initialize(self: Any, node: Any = None) -> None:
        if node is None:
            await parser.initialize(self)
        else:
            self.node = node

    return type(parser.__name__, (parser,), {"__init__": __init__, "initialize": initialize})


async def distrust_node(node: Any) -> None:
    """Drop the idle connections of a node, and those in use when they are given back, as far as the client can."""
    if hasattr(node, "disconnect_free_connections"):
        node.update_active_connections_for_reconnect()
        await node.disconnect_free_connections()
        return
    idle = node._free  # noqa: SLF001 - valkey-py has no words for it
    for _ in range(len(idle)):
        if not idle:  # others took them meanwhile
            return
        connection = idle.popleft()  # nobody else is to use it while it is closed
        try:
            await connection.disconnect()
        finally:
            idle.append(connection)


async def close_nodes(client: Any) -> None:
    """Close an asyncio cluster client, which does that only if it knows its nodes for sure."""
    await client.aclose()
    for connection in _connections(client):
        await connection.disconnect()


def drop_nodes(client: Any) -> None:
    """Close an asyncio cluster client at once whose event loop is gone."""
    for connection in _connections(client):
        connection.drop()
    client._initialize = True  # noqa: SLF001 - what its own closing says


def leave_nodes(client: Any) -> None:
    """Leave the streams of a parent's asyncio cluster client alone."""
    LEFT_ALONE.extend(connection.leave_alone() for connection in _connections(client))
    client._initialize = True  # noqa: SLF001 - as above


def _connections(client: Any) -> list[Any]:
    manager = client.nodes_manager
    nodes = {id(node): node for node in (*manager.nodes_cache.values(), *manager.startup_nodes.values())}
    return [connection for node in nodes.values() for connection in node._connections]  # noqa: SLF001 - no other way
