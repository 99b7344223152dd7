"""Processes that die in the middle of a write: the old value, the new one or none, and never a broken one."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from siftpack import Limits
from siftpack.cache import MISSING, Cache
from siftpack.testing import servers
from tests.faults.killed import value
from tests.faults.shells import SHELLS, back, shell

ROOT = Path(__file__).resolve().parents[2]
POINTS = 100
"""How often each kind of worker is killed, each time 50 microseconds later."""
PATIENT = {"client": {"socket_timeout": 5}, "limits": Limits(bytes=2**27)}


def old_or_new(kind: str, server: servers.Server, kill: Callable[[threading.Thread], None]) -> Any:
    """What is read after a write of 50 MB in place of an older one was killed; ``kill`` also brings it back."""
    with shell(kind, server.url, namespace="large", **PATIENT) as cache:
        user = cache.for_user("u")
        assert user.set("k", b"old" * 17_000_000)
        writing = threading.Thread(target=user.set, args=("k", b"new" * 17_000_000))
        writing.start()
        kill(writing)
        writing.join()
        assert back(cache, user) <= 2
        return user.get("k")


@pytest.mark.parametrize("kind", SHELLS)
@pytest.mark.parametrize("delay", [0.05, 0.08])
def test_a_server_killed_in_the_middle_of_fifty_megabytes(kind: str, delay: float) -> None:
    """A server that logs each write is killed in one of 50 MB and started again: old, new or none, whole."""
    with servers.single("appendonly yes", "appendfsync no") as server:

        def kill(writing: threading.Thread) -> None:
            time.sleep(delay)
            server.kill()
            writing.join()
            server.start()

        found = old_or_new(kind, server, kill)
        assert found is MISSING or found in (b"old" * 17_000_000, b"new" * 17_000_000)


@pytest.mark.parametrize("kind", SHELLS)
def test_a_worker_killed_at_any_point_of_a_write(kind: str, server: servers.Server) -> None:
    """Killed at a hundred points of a write, again and again under the same key: what is read is whole."""
    command = [sys.executable, "-m", "tests.faults.killed", kind, server.url]
    seen = set()
    with (
        Cache.from_url(server.url, namespace="killed", client={"socket_timeout": 10}) as cache,
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program,
    ):
        assert program.stdin is not None
        assert program.stdout is not None
        user = cache.for_user("u")
        user.clear()
        for point in range(POINTS):
            program.stdin.write("\n")
            program.stdin.flush()
            worker = int(program.stdout.readline())
            time.sleep(point * 5e-5)
            os.kill(worker, signal.SIGKILL)
            found = user.get("k")
            assert found is MISSING or found == value(found["number"]), point
            seen.add(found if found is MISSING else found["number"])
        program.stdin.close()
    assert len(seen) > 10
    assert cache.stats()["misses_by_reason"].keys() <= {"absent"}
