"""Processes that die in the middle of a write: the old value, the new one or none, and never a broken one."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from siftpack import Limits
from siftpack.cache import MISSING, Cache
from siftpack.testing import servers
from tests.faults.killed import LOCK, acknowledged, value
from tests.faults.shells import SHELLS, back, shell

ROOT = Path(__file__).resolve().parents[2]
POINTS = 100
"""How often each kind of worker is killed, each time 50 microseconds later."""
SPREAD = 0.02
"""Seconds: what one of them takes, and some more."""
PATIENT = {"client": {"socket_timeout": 5}, "limits": Limits(bytes=2**27)}
OLD, NEW = b"old" * 17_000_000, b"new" * 17_000_000


def received(server: servers.Server) -> int:
    """Bytes that a server was sent so far."""
    with server.client() as client:
        return int(client.info("stats")["total_net_input_bytes"])


def logged(server: servers.Server) -> int:
    """Bytes that a server wrote to its log of writes; it answers nobody while it does that."""
    return sum(file.stat().st_size for file in server.folder.rglob("*.aof"))


MOMENTS = [
    pytest.param(received, 2**20, id="begun"),
    pytest.param(logged, 2**20, id="logged"),
    pytest.param(received, 40_000_000, id="late", marks=pytest.mark.full),
]
"""When a server is killed: what is counted then has grown by so many bytes."""


def killed_in_a_write(cache: Any, server: servers.Server, count: Callable[[servers.Server], int], size: int) -> bool:
    """Kills a server when a write has come that far, and starts it again; False if the write was quicker than that."""
    user = cache.for_user("u")
    assert user.set("k", OLD)
    cache.reset_stats()
    before = count(server)
    writing = threading.Thread(target=user.set, args=("k", NEW))
    writing.start()
    while writing.is_alive() and count(server) < before + size:
        pass
    alive = writing.is_alive()
    server.kill()
    writing.join()
    server.start()
    return alive and "unreachable" in cache.stats()["errors_by_kind"]


@pytest.mark.sized
@pytest.mark.parametrize("kind", SHELLS)
@pytest.mark.parametrize(("count", "size"), MOMENTS)
def test_a_server_killed_in_the_middle_of_fifty_megabytes(
    kind: str, count: Callable[[servers.Server], int], size: int
) -> None:
    """A server that logs each write is killed in one of 50 MB and started again: old, new or none, whole."""
    with (
        servers.single("appendonly yes", "appendfsync no") as server,
        shell(kind, server.url, namespace="large", **PATIENT) as cache,
        Cache.from_url(server.url, namespace="large", **PATIENT) as other,
    ):
        user = cache.for_user("u")
        for _ in range(5):
            struck = killed_in_a_write(cache, server, count, size)
            assert other.for_user("u").get("k") in (OLD, NEW)
            assert back(cache, user) <= 2
            assert user.get("k") in (MISSING, OLD, NEW)
            if struck:
                break
        assert struck


class Workers:
    """Starts one worker after the other, and kills it so many seconds after its first write began.

    ``cache`` is the reader's, and ``user`` whose entries they write.
    """

    def __init__(self, program: "subprocess.Popen[str]", path: Path, cache: Cache) -> None:
        self._program = program
        self.path = path
        self.cache = cache
        self.user = cache.for_user("u")

    def begin(self) -> None:
        """Until something was acknowledged."""
        self.kill_one(0.1)
        while not acknowledged(self.path):
            self.kill_one(0.5)

    def kill_one(self, after: float) -> None:
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.write("\n")
        self._program.stdin.flush()
        worker = int(self._program.stdout.readline())
        time.sleep(after)
        os.kill(worker, signal.SIGKILL)


@contextlib.contextmanager
def workers(kind: str, url: str, folder: Path, how: str) -> Iterator[Workers]:
    """Those of ``killed``, one of whose writes was acknowledged."""
    path = folder / "acknowledged"
    command = [sys.executable, "-m", "tests.faults.killed", kind, url, str(path), how]
    with (
        Cache.from_url(url, namespace="killed", client={"socket_timeout": 10}) as cache,
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program,
    ):
        made = Workers(program, path, cache)
        made.user.clear()
        made.begin()
        yield made
        assert program.stdin is not None
        program.stdin.close()


@pytest.mark.parametrize("kind", SHELLS)
def test_a_worker_killed_at_any_point_of_a_write(kind: str, server: servers.Server, tmp_path: Path) -> None:
    """Killed at a hundred points of a write, again and again under one key: what is read is whole, and no older one."""
    seen = set()
    with workers(kind, server.url, tmp_path, "set") as writing:
        for point in range(POINTS):
            writing.kill_one(point * 5e-5)
            last = acknowledged(writing.path)
            found = writing.user.get("k")
            assert found is MISSING or found == value(found["number"]), point
            assert found is MISSING or found["number"] >= last, point
            seen.add(found if found is MISSING else found["number"])
    assert len(seen) > 10
    assert writing.cache.stats()["misses_by_reason"].keys() <= {"absent"}


@pytest.mark.full
@pytest.mark.parametrize("kind", SHELLS)
def test_a_worker_killed_while_it_computes_under_a_lock(kind: str, server: servers.Server, tmp_path: Path) -> None:
    """Killed at many points of it: each lock it leaves ends with its time, and what it stored is whole."""
    left = 0
    with server.client() as client, workers(kind, server.url, tmp_path, "compute") as computing:
        for point in range(POINTS):
            computing.kill_one(point * SPREAD / POINTS)
            for lock in client.keys("killed:%lock:*"):
                left += 1
                assert client.pttl(lock) in (-2, *range(int(LOCK * 1000) + 1)), "gone by now, or in time"
        time.sleep(LOCK + 0.05)
        assert client.keys("killed:%lock:*") == []
        assert left > 0
        for key in client.keys("killed:u:k*"):
            found = computing.user.get(key.decode().rpartition(":")[2])
            assert found == value(found["number"])
    assert computing.cache.stats()["misses_by_reason"] == {}
