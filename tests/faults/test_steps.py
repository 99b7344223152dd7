"""The guarded connection, one step at a time, against the real server."""

import asyncio
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from siftpack.cache import presets
from siftpack.testing import servers


class Torn(BaseException):
    """Raised in the middle."""


def tear(connection: Any, method: str, *, after: bool) -> None:
    """Has one call of a method of a connection end in an exception, before or after it did its work."""
    real = getattr(connection, method)

    def torn(*args: Any, **options: Any) -> Any:
        delattr(connection, method)
        if after:
            real(*args, **options)
        raise Torn

    setattr(connection, method, torn)


def client_of(server: servers.Server, **options: Any) -> Any:
    return presets.maker(server.url, asynchronous=False, **options)()


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize(("method", "after"), [("send_command", True), ("read_response", False)])
def test_a_reply_that_was_not_read_is_nobodys(server: servers.Server, method: str, after: bool, protocol: int) -> None:
    """After an exception between send and reply the next command gets its own reply on a new connection."""
    client = client_of(server, protocol=protocol)
    client.mset({"steps:a": "a", "steps:b": "b"})
    connection = client.connection_pool._available_connections[0]
    was = connection._sock
    tear(connection, method, after=after)
    with pytest.raises(Torn):
        client.get("steps:a")
    assert client.get("steps:b") == b"b"
    assert client.connection_pool._available_connections[0]._sock is not was
    client.close()


def test_a_pipeline_that_was_not_read_is_nobodys(server: servers.Server) -> None:
    """A pipeline owes as many replies as it has commands."""
    client = client_of(server)
    client.mset({"steps:a": "a", "steps:b": "b"})
    connection = client.connection_pool._available_connections[0]
    seen = []
    real = connection.read_response

    def third(*args: Any, **options: Any) -> Any:
        seen.append(connection._owed)
        if len(seen) == 3:
            del connection.read_response
            raise Torn
        return real(*args, **options)

    connection.read_response = third
    pipe = client.pipeline(transaction=False)
    for _ in range(5):
        pipe.get("steps:a")
    with pytest.raises(Torn):
        pipe.execute()
    pipe.reset()
    assert seen == [5, 4, 3]
    assert client.get("steps:b") == b"b"
    with client.pipeline(transaction=True) as pipe:
        pipe.get("steps:a").incr("steps:a").get("steps:b")
        with pytest.raises(redis.ResponseError):
            pipe.execute()
    assert connection._owed == 0
    client.close()


def test_a_handshake_that_did_not_end_is_no_connection(server: servers.Server) -> None:
    """Torn between the steps of its handshake, a connection is not used: it might be in the wrong database."""
    with redis.Redis(port=server.port, db=0) as zero, redis.Redis(port=server.port, db=7) as seven:
        zero.set("steps:where", "zero")
        seven.set("steps:where", "seven")
    client = client_of(server, db=7)
    pool = client.connection_pool
    connection = pool.get_connection()
    pool.release(connection)
    connection.disconnect()
    real = connection.send_command

    def before_select(*args: Any, **options: Any) -> Any:
        if args[0] == "SELECT":
            del connection.send_command
            raise Torn
        return real(*args, **options)

    connection.send_command = before_select
    with pytest.raises(Torn):
        client.get("steps:where")
    assert connection._sock is not None
    assert client.get("steps:where") == b"seven"
    client.close()


def test_an_unasked_reply_is_noticed(server: servers.Server) -> None:
    """Data that nobody asked for, in the socket or read ahead, makes a connection be replaced."""
    client = client_of(server)
    client.mset({"steps:a": "a", "steps:b": "b"})
    connection = client.connection_pool._available_connections[0]
    connection._sock.sendall(b"GET steps:a\r\n")
    import time

    time.sleep(0.05)
    assert client.get("steps:b") == b"b"
    client.close()


def test_a_health_check_that_connects_anew_is_counted_right(server: servers.Server) -> None:
    """A PING that finds its connection dead makes a new one; the command after it owes its reply there."""
    client = client_of(server, health_check_interval=1, retry=Retry(NoBackoff(), 1))
    client.set("steps:a", "a")
    connection = client.connection_pool._available_connections[0]
    owed = []
    real = connection.read_response

    def noted(*args: Any, **options: Any) -> Any:
        owed.append(connection._owed)
        return real(*args, **options)

    connection.read_response = noted
    connection.next_health_check = 0
    real_check = connection.check_health

    def dying(*args: Any, **options: Any) -> Any:
        connection._sock.close()
        del connection.check_health
        return real_check(*args, **options)

    connection.check_health = dying
    assert client.get("steps:a") == b"a"
    assert owed[-1] == 1
    assert connection._owed == 0
    client.close()


def test_a_lost_connection_gives_its_slot_back(server: servers.Server) -> None:
    """A connection that nobody holds any more is not counted, so a pool of two never runs dry."""
    client = client_of(server, max_connections=2)
    for _ in range(10):
        client.connection_pool.get_connection()
    held = [client.connection_pool.get_connection() for _ in range(2)]
    with pytest.raises(redis.exceptions.MaxConnectionsError):
        client.connection_pool.get_connection()
    client.connection_pool.release(held.pop())
    assert client.ping()
    client.close()


def test_asyncio_steps(server: servers.Server) -> None:
    """The asyncio connection counts as well: torn between send and reply, it is replaced; lost, its slot is free."""

    async def run() -> None:
        client = presets.maker(server.url, asynchronous=True, max_connections=2)()
        await client.mset({"steps:a": "a", "steps:b": "b"})
        available = client.connection_pool._available_connections

        async def torn(*args: Any, **options: Any) -> Any:
            raise Torn

        available[0].read_response = torn
        with pytest.raises(Torn):
            await client.get("steps:a")
        assert available[0]._owed == 1
        del available[0].read_response
        assert await client.get("steps:b") == b"b"
        assert available[0]._owed == 0
        for _ in range(10):
            await client.connection_pool.get_connection()
        held = [await client.connection_pool.get_connection() for _ in range(2)]
        waiting = asyncio.ensure_future(client.get("steps:a"))
        given_up = asyncio.ensure_future(client.get("steps:a"))
        await asyncio.sleep(0.01)
        given_up.cancel()
        await client.connection_pool.release(held.pop())
        assert await waiting == b"a"
        with pytest.raises(asyncio.CancelledError):
            await given_up
        held.append(await client.connection_pool.get_connection())
        with pytest.raises(redis.exceptions.MaxConnectionsError):
            await client.get("steps:a")
        for each in held:
            await client.connection_pool.release(each)
        assert await client.get("steps:a") == b"a"
        await client.connection_pool.disconnect()
        await asyncio.sleep(0)

    asyncio.run(run())
