"""A program: for each line it reads it forks a child, which writes one value after another until killed.

    python -m tests.faults.killed {sync,async} URL FILE {set,compute}

With ``set`` all under one key, with ``compute`` each under a key of its own and a lock of ``LOCK`` seconds. A child
prints its process id when its first write is about to begin; FILE holds the last number whose write was acknowledged.
"""

import mmap
import os
import struct
import sys
from pathlib import Path

import redis.asyncio  # noqa: F401 - once, instead of in each child

from tests.faults.shells import shell, tier

ROWS = 20_000
LOCK = 1.0
NUMBER = struct.Struct("Q")


def value(number: int) -> dict[str, object]:
    """A value that shows whether it is whole."""
    return {"number": number, "rows": [number] * ROWS, "end": number}


def acknowledged(path: Path) -> int:
    """The last number whose write was acknowledged, 0 if none was."""
    number: int = NUMBER.unpack(path.read_bytes())[0]
    return number


def write(kind: str, url: str, number: int, path: Path, how: str) -> None:
    """A child's life."""
    with (
        path.open("r+b") as file,
        mmap.mmap(file.fileno(), NUMBER.size) as shared,  # what is in it survives a kill
        shell(kind, url, namespace="killed", client={"socket_timeout": 10}) as cache,
    ):
        user = cache.for_user("u")
        user.set("warm", 1)
        sys.stdout.write(f"{os.getpid()}\n")
        sys.stdout.flush()
        while True:
            number += 1
            if how == "compute":
                user.get_or_compute(f"k{number}", lambda number=number: value(number), lock=LOCK)
            else:
                user.set("k", value(number))
            if not tier(cache).notes.owing:
                NUMBER.pack_into(shared, 0, number)


def main(kind: str, url: str, file: str, how: str) -> None:
    """One child after another, each with numbers of its own."""
    path = Path(file)
    path.write_bytes(bytes(NUMBER.size))
    for number, _ in enumerate(sys.stdin):
        pid = os.fork()
        if pid == 0:
            write(kind, url, number * 1_000_000, path, how)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
