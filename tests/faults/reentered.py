"""A program: a cache that is used by a signal handler and by finalizers while it is in use. Prints one line of JSON.

    python -m tests.faults.reentered URL TIMES

A handler that stores what is left to do when a job is told to end, and a finalizer that counts, run in the midst of
any operation of the thread they interrupt, on the same cache.
"""

import gc
import json
import signal
import sys
from typing import Any

from siftpack.cache import Cache


class Counting:
    """Uses the cache when the collector finds it."""

    def __init__(self, user: Any, runs: list[int]) -> None:
        self.me = self
        self.user = user
        self.runs = runs

    def __del__(self) -> None:
        self.runs[1] += 1
        self.user.set("finalizer", self.runs[1])
        self.user.get("finalizer")


def main(url: str, times: int) -> dict[str, Any]:
    cache = Cache.from_url(url, namespace="reentered", client={"socket_timeout": 10} if "redis" in url else None)
    user, other = cache.for_user("u"), cache.for_user("v")
    runs, wrong = [0, 0], 0

    def ring(number: int, frame: Any) -> None:
        nonlocal wrong
        runs[0] += 1
        value = {"n": runs[0]}
        other.set("handler", value)
        wrong += other.get("handler") != value
        other.get_many(["handler", "absent"])
        other.delete("handler")
        signal.setitimer(signal.ITIMER_REAL, 3e-4)

    gc.set_threshold(50)
    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 3e-4)
    checked = 0
    while min(runs) < times:
        checked += 1
        key, value = f"k{checked % 50}", [checked] * (checked % 20)
        user.set(key, value)
        wrong += user.get(key) != value
        Counting(user, runs)
        if checked % 7 == 0:
            user.delete(key)
    signal.setitimer(signal.ITIMER_REAL, 0)
    user.set("k", 1)
    store = cache._backend
    held = sum(len(n) + len(d) + 200 for n, (d, _) in store._kept.items()) if "memory" in url else 0  # type: ignore[attr-defined]
    drift = store._bytes - held if "memory" in url else 0  # type: ignore[attr-defined]
    return {"checked": checked, "handler": runs[0], "finalizer": runs[1], "wrong": wrong, "drift": drift}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1], int(sys.argv[2]))) + "\n")
