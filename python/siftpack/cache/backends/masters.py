"""A sentinel that has not heard of a failover yet names the old master: a connection there is none to the master.

From a replica, reads could be older than what was written just before.
"""

from typing import Any


def as_master(connection: Any) -> None:
    """Shakes hands. Raises ``ReadOnlyError`` if a replica answers."""
    connection.on_connect()
    connection.send_command("ROLE")
    with _permitted():
        _check(connection.read_response())


async def as_master_async(connection: Any) -> None:
    """``as_master`` for ``redis.asyncio``."""
    await connection.on_connect()
    await connection.send_command("ROLE")
    with _permitted():
        _check(await connection.read_response())


def _permitted() -> Any:
    """An access list may forbid the question; then it is as without it."""
    import contextlib

    from redis.exceptions import NoPermissionError

    return contextlib.suppress(NoPermissionError)


def _check(role: Any) -> None:
    from redis.exceptions import ReadOnlyError

    if not role or role[0] not in (b"master", "master"):
        raise ReadOnlyError("a replica is in the master's place")
