"""What redis-py's asyncio client of a cluster needs: guarded connections, an end for all of them, less to read."""

from typing import Any

from siftpack.cache.backends.aioguard import LEFT_ALONE


def prepared(made: Any, cls: Any) -> Any:
    """A client whose connections, which it makes itself, are of a class; it asks once which commands there are."""
    made.connection_kwargs["connection_class"] = cls
    for node in made.nodes_manager.startup_nodes.values():
        node.connection_class = cls
    made.commands_parser = _asked_once(type(made.commands_parser))()
    return made


def _asked_once(parser: Any) -> Any:
    """It takes 50 ms to read the answer, and redis-py asks whenever it looks for its nodes anew."""

    async def initialize(self: Any, node: Any = None) -> None:
        if node is not None and self.commands:
            self.node = node
        else:
            await parser.initialize(self, node)

    return type(parser.__name__, (parser,), {"initialize": initialize})


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
