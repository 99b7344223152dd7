"""The bar of ``siftpack migrate``: it moves on a terminal, is gone afterwards, and is written nowhere else."""

import os
import pty
import re
import subprocess
import sys
import threading

from redis import Redis

from tests.cli.conftest import Calls

COUNT = 10_000
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
WORDS = ("--namespace", "app", "--apply")


def filled(client: Redis) -> None:
    client.eval(f"for i = 1, {COUNT} do redis.call('SET', 'app:u:' .. i, '[' .. i .. ']') end", 0)


def on_a_terminal(calls: Calls) -> tuple[bytes, str]:
    """What a migration writes to standard output, and to a terminal that is its standard error."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "siftpack", "migrate", calls.url, *WORDS]
    shown: list[bytes] = []

    def look() -> None:
        try:
            while data := os.read(ours, 4096):
                shown.append(data)
        except OSError:  # how Linux says that nobody writes there any more
            pass

    looking = threading.Thread(target=look)
    looking.start()
    try:
        env = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
        done = subprocess.run(command, cwd=calls.folder, env=env, stdout=subprocess.PIPE, stderr=theirs, check=True)
    finally:
        os.close(theirs)
        looking.join(10)
        os.close(ours)
    return done.stdout, b"".join(shown).decode()


def test_the_bar_moves_on_a_terminal(calls: Calls, client: Redis) -> None:
    """The counts that it shows grow up to all keys, and nothing of it is left on the screen."""
    filled(client)
    out, shown = on_a_terminal(calls)
    done = [int(count) for count in re.findall(rf"(\d+)/{COUNT}", ESCAPES.sub("", shown))]
    assert done == sorted(done)
    assert len(set(done)) > 3
    assert done[-1] >= COUNT
    assert shown.endswith("\x1b[2K")  # the line is erased
    assert b"migrating" not in out


def test_no_bar_where_there_is_no_terminal(calls: Calls, client: Redis) -> None:
    """Into a file or a pipe goes what it says in the end and nothing else."""
    filled(client)
    command = [sys.executable, "-m", "siftpack", "migrate", calls.url, *WORDS]
    done = subprocess.run(command, cwd=calls.folder, capture_output=True, check=True)
    assert done.stderr == b""
    assert b"rewritten" in done.stdout
    assert b"migrating" not in done.stdout
    assert b"\x1b" not in done.stdout
