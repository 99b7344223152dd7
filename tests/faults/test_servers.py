"""The servers that tests start: never left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from siftpack.testing import servers

PROGRAM = """
import sys, time
from siftpack.testing import servers
with servers.single() as server:
    print(server.pid, server.folder, flush=True)
    time.sleep(60)
"""


def alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_no_server_outlives_its_program(number: signal.Signals) -> None:
    """However the program that started it ends, the server is gone within a second."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as program:
        assert program.stdout is not None
        pid = int(program.stdout.readline().split()[0])
        assert alive(pid)
        os.kill(program.pid, number)
        program.wait(10)
        deadline = time.monotonic() + 1
        while alive(pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not alive(pid)


def test_a_server_is_started_paused_killed_and_started_again() -> None:
    """A server keeps its port over a restart, and leaves no folder."""
    with servers.single("maxmemory 10mb") as server:
        with server.client() as client:
            assert client.config_get("maxmemory") in ({"maxmemory": "10485760"}, {b"maxmemory": b"10485760"})
        first = server.pid
        server.pause()
        server.resume()
        server.kill()
        server.start()
        assert server.pid != first
        folder = server.folder
    assert not folder.exists()


def test_a_server_that_cannot_start_says_why() -> None:
    """A bad setting is an error with the server's own words."""
    with pytest.raises(RuntimeError, match="did not come up"), servers.single("no-such-setting yes"):
        pass
    server = servers.Server()
    with pytest.raises(RuntimeError, match="not started"):
        assert server.pid
    server.stop()
