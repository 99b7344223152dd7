"""A program: a million checked operations and more, written to a record. ``make soak`` runs it.

    python -m tests.faults.soak [SCALE]

SCALE 1 is 10^6 operations with a fault or a failover every few seconds, on all topologies; 10^6 by 16 threads and 10^6
by 500 tasks undisturbed; 10^5 under interrupts and 10^5 under cancellations in each protocol, and 10^5 in forked
children. Ends with 1 if any answer was wrong, or more than one operation of a hundred took more than 250 ms.
"""

import asyncio
import datetime as dt
import gc
import json
import os
import platform
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis.asyncio

from siftpack.cache import AsyncCache
from siftpack.testing import servers
from siftpack.testing.traffic import Worker
from tests.faults import busy
from tests.faults.cancelled import Plain, run
from tests.faults.storm import ARRANGEMENTS, storm

ROOT = Path(__file__).resolve().parents[2]
RECORD = Path(__file__).parent / "record"
PER_SECOND = 2500
"""Operations that the interrupted program surely does in a second."""


def program(name: str, *arguments: str) -> dict[str, Any]:
    """What a program beside this file prints; the plain client may hang for good under interrupts."""
    plain = "plain" in arguments
    command = [sys.executable, "-m", f"tests.faults.{name}", *arguments]
    limit = 60 if plain else None
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=limit)
    except subprocess.TimeoutExpired:
        if not plain:
            raise
        return {"hung": True, "wrong": 0}
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def counted(workers: list[Worker]) -> dict[str, Any]:
    """What tasks did that were cancelled."""
    return {
        "checked": sum(worker.checked for worker in workers),
        "cancelled": sum(worker.counts["torn"] for worker in workers),
        "wrong": sum(len(worker.wrong) for worker in workers),
    }


def traffic(made: Callable[..., Any], url: str, count: int, operations: int) -> dict[str, Any]:
    workers, stats = made(url, count, operations)
    return {
        "checked": sum(worker.checked for worker in workers),
        "wrong": sum(len(worker.wrong) for worker in workers),
        "users": len(stats["users"]),
        "errors": stats["errors_by_kind"],
    }


async def cancelled_plain(url: str, protocol: int, operations: int) -> dict[str, Any]:
    """redis-py as it is, for a minute at most."""
    client = redis.asyncio.Redis.from_url(url, protocol=protocol)
    await client.flushdb()
    running = asyncio.ensure_future(run(Plain(client), 60, operations))
    done, _ = await asyncio.wait([running], timeout=60)
    if not done:
        running.cancel()
        return {"hung": True, "wrong": 0}
    workers = running.result()
    raised = Counter(word for worker in workers for word in worker.counts.elements() if word.startswith("raised"))
    return {
        **counted(workers),
        **raised,
    }


async def cancelled(url: str, protocol: int, operations: int) -> dict[str, Any]:
    async with AsyncCache.from_url(url, namespace="soak", client={**busy.patient(url), "protocol": protocol}) as cache:
        await cache.clear_namespace()
        workers = await run(cache, 60, operations)
        gc.collect()
        pool = cache._backend.front.client.connection_pool  # type: ignore[attr-defined]
        return {
            **counted(workers),
            "slots_lost": len(list(pool._in_use_connections)),
            "errors": cache.stats()["errors_by_kind"],
        }


def main(scale: float) -> int:
    seconds = str(100_000 * scale / PER_SECOND)
    rows: dict[str, dict[str, Any]] = {}

    def record(name: str, make: Callable[[], dict[str, Any]]) -> None:
        began = time.monotonic()
        rows[name] = make()
        rows[name]["seconds"] = round(time.monotonic() - began, 1)
        sys.stdout.write(f"{name}: {json.dumps(rows[name])}\n")
        sys.stdout.flush()

    for number, arrangement in enumerate(ARRANGEMENTS):
        record(
            f"faults, {arrangement}",
            lambda a=arrangement, n=number: storm(
                a, max(4000, round(1_000_000 * scale / len(ARRANGEMENTS))), seconds=max(30, 1200 * scale), seed=n
            ),
        )
    with servers.single() as server:
        url = server.url
        record("16 threads, 200 users", lambda: traffic(busy.threads, url, 16, round(1_000_000 * scale)))
        record("500 tasks, 200 users", lambda: traffic(busy.tasks, url, 500, round(1_000_000 * scale)))
        for protocol in (2, 3):
            name = f"RESP{protocol}"
            record(f"interrupts, {name}", lambda p=protocol: program("interrupted", url, "ours", str(p), seconds))
            record(
                f"interrupts, {name}, redis-py", lambda p=protocol: program("interrupted", url, "plain", str(p), "20")
            )
            record(
                f"cancellations, {name}",
                lambda p=protocol: asyncio.run(cancelled(url, p, round(200_000 * scale))),
            )
            record(f"cancellations, {name}, redis-py", lambda p=protocol: asyncio.run(cancelled_plain(url, p, 20_000)))
        record("forks", lambda: program("forked", url, "20", str(round(5000 * scale))))
    RECORD.mkdir(exist_ok=True)
    about = {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "scale": scale,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
    }
    path = RECORD / f"{about['date']}-soak.json"
    if scale >= 1:
        path.write_text(json.dumps({**about, "runs": rows}, indent=2) + "\n")
    wrong = sum(row["wrong"] for name, row in rows.items() if not name.endswith("redis-py"))
    slow = [name for name, row in rows.items() if row.get("slower than 250 ms", 0) > row.get("checked", 0) / 100]
    where = f"recorded in {path.relative_to(ROOT)}" if scale >= 1 else "not recorded"
    sys.stdout.write(f"{wrong} wrong; too slow: {', '.join(slow) or 'none'}; {where}\n")
    return 1 if wrong or slow else 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0))
