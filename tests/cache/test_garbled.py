"""A server that answers nonsense: misses and alarms, no exception, no wrong answer."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from siftpack.cache import MISSING, AsyncCache, Cache

REPLIES = {
    "nested ten thousand deep": b"*1\r\n" * 10_000 + b":1\r\n",
    "an int that is none": b":abc\r\n",
    "a negative length": b"$-5\r\n",
    "an endless length": b"$99999999999999\r\nabc",
    "a billion elements": b"*999999999\r\n",
    "a set of what has no hash": b"~1\r\n*1\r\n:1\r\n",
    "keys that have no hash": b"%1\r\n*1\r\n:1\r\n:2\r\n",
    "an unknown type": b"?x\r\n",
    "an empty line": b"\r\n",
    "a verbatim string without its format": b"=3\r\nabc\r\n",
    "an int of too many digits": b"(" + b"9" * 6000 + b"\r\n",
    "a double beyond all numbers": b",1e999\r\n",
    "another protocol": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "NULs": b"\0" * 100 + b"\r\n",
    "an int": b":5\r\n",
    "a list": b"*2\r\n:1\r\n:2\r\n",
    "a bool": b"#t\r\n",
    "a status": b"+QUEUED\r\n",
    "an attribute": b"|1\r\n+a\r\n:1\r\n:5\r\n",
    "a push": b">2\r\n+message\r\n:1\r\n$2\r\nab\r\n",
    "an invalidation": b">2\r\n+invalidate\r\n:3\r\n:1\r\n",
}
CALLS: dict[str, Callable[[Any], Any]] = {
    "get": lambda user: user.get("k"),
    "get_many": lambda user: user.get_many(["k", "j"]),
    "get_entry": lambda user: user.get_entry("k"),
    "set": lambda user: user.set("k", 1),
    "set_many": lambda user: user.set_many({"a": 1, "b": 2}),
    "delete": lambda user: user.delete("k"),
    "delete_many": lambda user: user.delete_many(["a", "b"]),
    "exists": lambda user: user.exists("k"),
    "ttl": lambda user: user.ttl("k"),
    "expire": lambda user: user.expire("k", 5),
    "clear": lambda user: user.clear(),
    "size": lambda user: user.size_estimate(),
}


@contextlib.contextmanager
def answering(reply: bytes) -> Iterator[str]:
    """A server that shakes hands and then answers everything alike; its URL."""
    listening = socket.create_server(("127.0.0.1", 0))

    def talk(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(65536):
                greeting = b"HELLO" in data or b"CLIENT" in data
                connection.sendall((b"+OK\r\n" if greeting else reply) * max(1, data.count(b"\r\n*") + 1))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=talk, args=(listening.accept()[0],), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"redis://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()


OPTIONS = {"protocol": 2, "socket_timeout": 0.05}
"""The old protocol has no greeting that the client would look at."""


@pytest.mark.parametrize("name", REPLIES)
def test_nonsense(name: str) -> None:
    """No operation raises, and nothing that the server says is taken for a value."""
    with answering(REPLIES[name]) as url, Cache.from_url(url, client=OPTIONS, fallback=False) as cache:
        user = cache.for_user("u")
        answers = {word: call(user) for word, call in CALLS.items()}
        assert answers["get"] is answers["get_entry"] is MISSING
        assert answers["get_many"] == {}
        assert cache.stats()["hits"] == 0
        assert not cache.health()["ok"] or name in ("a list", "a status", "an int")


@pytest.mark.parametrize("name", REPLIES)
def test_nonsense_awaited(name: str) -> None:
    """The same of the asyncio cache, in the new protocol, whose parser is another."""

    async def run(url: str) -> None:
        options = {**OPTIONS, "protocol": 3}
        async with AsyncCache.from_url(url, client=options, fallback=False) as cache:
            user = cache.for_user("u")
            for word, call in CALLS.items():
                answer = await call(user)
                assert word not in ("get", "get_entry") or answer is MISSING
                assert word != "get_many" or answer == {}
            assert cache.stats()["hits"] == 0

    with answering(REPLIES[name]) as url:
        asyncio.run(run(url))


@pytest.mark.parametrize("name", ["an int", "a list"])
def test_a_reply_to_something_else_is_an_alarm(name: str) -> None:
    """What answers a GET and is no bytes belongs to another command: a miss, an alarm, and connections are dropped."""
    with answering(REPLIES[name]) as url, Cache.from_url(url, client=OPTIONS) as cache:
        user = cache.for_user("u")
        assert user.get("k") is MISSING
        pool = cache._backend.front.client.connection_pool  # type: ignore[attr-defined]
        assert [connection._sock for connection in pool._available_connections] == [None]
        stats = cache.stats()
        assert (stats["misses_by_reason"], stats["alarms"]) == ({"garbled": 1}, 1)
