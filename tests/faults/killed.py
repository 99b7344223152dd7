"""A program: for each line it reads it forks a child, which writes one value after another under one key until killed.

    python -m tests.faults.killed {sync,async} URL

A child prints its process id when its first write is about to begin.
"""

import os
import sys

import redis.asyncio  # noqa: F401 - once, instead of in each child

from tests.faults.shells import shell

ROWS = 20_000


def value(number: int) -> dict[str, object]:
    """A value that shows whether it is whole."""
    return {"number": number, "rows": [number] * ROWS, "end": number}


def write(kind: str, url: str, number: int) -> None:
    """A child's life."""
    with shell(kind, url, namespace="killed", client={"socket_timeout": 10}) as cache:
        user = cache.for_user("u")
        user.set("warm", 1)
        sys.stdout.write(f"{os.getpid()}\n")
        sys.stdout.flush()
        while True:
            number += 1
            user.set("k", value(number))


def main(kind: str, url: str) -> None:
    """One child after another, each with numbers of its own."""
    for number, _ in enumerate(sys.stdin):
        pid = os.fork()
        if pid == 0:
            write(kind, url, number * 1_000_000)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
