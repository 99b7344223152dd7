"""The proxy itself: each fault is what it says."""

import socket
import time
from collections.abc import Iterator

import pytest

from siftpack.testing import servers
from siftpack.testing.faults import Fault, Proxy, deaf, reply_end


@pytest.fixture
def proxy(server: servers.Server) -> Iterator[Proxy]:
    """One before a server."""
    with Proxy(server.port, rate=100) as made:
        yield made


def asked(proxy: Proxy, commands: bytes = b"PING\r\n", seconds: float = 0.1) -> bytes | str:
    """What comes back within some seconds, and how it ends."""
    with socket.create_connection(("127.0.0.1", proxy.port), 1) as sock:
        sock.settimeout(seconds)
        sock.sendall(commands)
        found = b""
        try:
            while data := sock.recv(1000):
                found += data
        except TimeoutError:
            return found
        except ConnectionResetError:
            return f"{found!r} reset"
        return f"{found!r} end"


def test_each_fault_is_what_it_says(proxy: Proxy) -> None:
    """A PING through each of them."""
    expected: dict[Fault, bytes | str] = {
        Fault.NONE: b"+PONG\r\n",
        Fault.BLACK_HOLE: b"",
        Fault.STALLED: b"",
        Fault.CUT: "b'+PO' reset",
        Fault.HALF_CLOSED: "b'' end",
        Fault.TRUNCATED: b"+PO",
        Fault.DUPLICATED: b"+PONG\r\n+PONG\r\n",
    }
    for fault, answer in expected.items():
        proxy.inject(fault)
        assert asked(proxy) == answer, fault
    proxy.inject(Fault.GARBAGE)
    garbage = asked(proxy)
    assert type(garbage) is bytes
    assert garbage[:1] == b"\x00"
    proxy.inject(Fault.SLOW)
    assert 3 <= len(asked(proxy, b"PING\r\n", 0.04)) <= 7
    proxy.inject(Fault.REFUSED)
    with pytest.raises(ConnectionRefusedError):
        asked(proxy)
    proxy.heal()
    assert asked(proxy) == b"+PONG\r\n"


def test_replies_change_places(proxy: Proxy) -> None:
    """The second of two comes first."""
    proxy.inject(Fault.REORDERED)
    assert asked(proxy, b"ECHO a\r\nECHO b\r\n") == b"$1\r\nb\r\n$1\r\na\r\n"


def test_what_was_held_arrives_unless_it_was_recalled(proxy: Proxy, server: servers.Server) -> None:
    """After a stall the commands of a connection that was closed still arrive, those of one that was reset do not."""
    for abrupt in (False, True):
        with server.client() as client:
            client.delete("held")
            proxy.inject(Fault.STALLED)
            sock = socket.create_connection(("127.0.0.1", proxy.port), 1)
            sock.sendall(b"SET held 1\r\n")
            time.sleep(0.05)
            if abrupt:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            sock.close()
            time.sleep(0.05)
            proxy.heal()
            time.sleep(0.1)
            assert client.get("held") == (None if abrupt else b"1")


def test_connections_are_cut_off(proxy: Proxy) -> None:
    """Those that are there are reset, new ones are let through."""
    with socket.create_connection(("127.0.0.1", proxy.port), 1) as sock:
        sock.sendall(b"PING\r\n")
        assert sock.recv(100) == b"+PONG\r\n"
        proxy.cut_off()
        with pytest.raises(ConnectionResetError):
            sock.recv(100)
    assert asked(proxy) == b"+PONG\r\n"


def test_nobody_gets_through_to_the_deaf() -> None:
    """A connection there does not come about."""
    with deaf() as port, pytest.raises(TimeoutError):
        socket.create_connection(("127.0.0.1", port), 0.1)


@pytest.mark.parametrize(
    "reply",
    [
        b"+OK\r\n",
        b":1\r\n",
        b"$-1\r\n",
        b"$0\r\n\r\n",
        b"$4\r\n\r\n\r\n\r\n",
        b"*-1\r\n",
        b"*2\r\n$1\r\na\r\n*1\r\n:1\r\n",
        b"%1\r\n+k\r\n~1\r\n_\r\n",
        b"|1\r\n+k\r\n+v\r\n+OK\r\n",
        b">1\r\n#t\r\n",
    ],
)
def test_where_a_reply_ends(reply: bytes) -> None:
    """At its last byte, whatever follows; nowhere while a byte is missing."""
    assert reply_end(reply + b"+next\r\n") == len(reply)
    assert all(reply_end(reply[:size]) == -1 for size in range(len(reply)))
