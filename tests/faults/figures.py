"""A program: how long calls take while a store is away, beside redis-py with its defaults. Prints a Markdown table.

    python -m tests.faults.figures

redis-py is waited for as long as ``PATIENCE`` and no longer.
"""

import contextlib
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import redis
import redis.cluster
import redis.sentinel

from siftpack.testing.faults import Fault
from siftpack.testing.outages import TOPOLOGIES, Rig, rig
from tests.faults.shells import back, shell, tier, timed

PATIENCE = 20.0
"""Seconds after which redis-py is not waited for any longer."""
CONDITIONS: tuple[tuple[str, Callable[[Rig], None], Callable[[Rig], None]], ...] = (
    ("refused", lambda where: where.inject(Fault.REFUSED), Rig.heal),
    ("hung (SIGSTOP)", Rig.pause, Rig.resume),
    ("black hole", lambda where: where.inject(Fault.BLACK_HOLE), Rig.heal),
    ("1 byte a second", lambda where: where.inject(Fault.SLOW), Rig.heal),
    ("reset in a reply", lambda where: where.inject(Fault.CUT), Rig.heal),
    ("half a reply, then silence", lambda where: where.inject(Fault.TRUNCATED), Rig.heal),
    ("garbage", lambda where: where.inject(Fault.GARBAGE), Rig.heal),
)


def plain(where: Rig) -> Any:
    """redis-py with its defaults."""
    port = int(where.url.rpartition("//")[2].split("/")[0].split(",")[0].rpartition(":")[2])
    if where.topology == "sentinel":
        return redis.sentinel.Sentinel([("127.0.0.1", port)]).master_for("main")
    if where.topology == "cluster":
        return redis.cluster.RedisCluster(host="127.0.0.1", port=port)
    return redis.Redis(port=port)


def waited(call: Callable[[], Any]) -> str:
    """How long a call took, however it ended."""
    took: list[float] = []

    def run() -> None:
        began = time.perf_counter()
        with contextlib.suppress(Exception):
            call()
        took.append(time.perf_counter() - began)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return f"{took[0] * 1000:.0f} ms" if took else f"> {PATIENCE:.0f} s"


def ours(kind: str, where: Rig, begin: Callable[[Rig], None], end: Callable[[Rig], None]) -> tuple[str, str, str]:
    """The slowest call, the median of those with an open breaker, and the time until the store is used again."""
    with shell(kind, where.url, namespace=kind) as cache:
        user = cache.for_user("u")
        back(cache, user)
        user.get("k")
        begin(where)
        first, later = [], []
        for number in range(300):
            closed = tier(cache).breaker.closed
            seconds, _ = timed(lambda number=number: user.set("k", number) if number % 2 else user.get("k"))
            (first if closed else later).append(seconds)
        end(where)
        again = back(cache, user)
    once = f"{sorted(later)[len(later) // 2] * 1e6:.0f} µs" if later else "-"
    return f"{max(first) * 1000:.0f} ms", once, f"{again:.2f} s"


def main() -> None:
    """The table."""
    sys.stdout.write("| fault | servers | shell | first calls | breaker open | back after | redis-py's defaults |\n")
    sys.stdout.write("|---|---|---|---|---|---|---|\n")
    for topology in TOPOLOGIES:
        with rig(topology) as where:
            for name, begin, end in CONDITIONS:
                rows = [ours(kind, where, begin, end) for kind in ("sync", "async")]
                client = plain(where)
                client.set("plain", 1)
                begin(where)
                other = waited(lambda client=client: client.get("plain"))
                end(where)
                for kind, row in zip(("sync", "async"), rows, strict=True):
                    beside = other if kind == "sync" else ""
                    sys.stdout.write(f"| {name} | {topology} | {kind} | {' | '.join(row)} | {beside} |\n")
                    sys.stdout.flush()


if __name__ == "__main__":
    main()
