"""A program: checked traffic under interrupts. Prints one line of JSON: what was checked, and what was wrong.

    python -m tests.faults.interrupted URL {ours,plain} {2,3} SECONDS

An alarm raises an exception every 0.1 to 1 ms, anywhere in an operation of the main thread, as Ctrl-C or a job's time
limit would; three threads beside it use the same client undisturbed. ``plain`` is redis-py with its defaults.
"""

import gc
import json
import random
import signal
import sys
import threading
import time
from typing import Any

import redis

from siftpack.cache import MISSING, Cache
from siftpack.cache.backends.redis import pools as redis_pools
from siftpack.testing.traffic import Worker


class Stop(BaseException):
    """As KeyboardInterrupt."""


class LateError(Exception):
    """As a job's time limit."""


class Plain:
    """redis-py as it is, with the words of a cache."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self._user = ""

    def for_user(self, user: str) -> "Plain":
        made = Plain(self.client)
        made._user = user
        return made

    def get(self, key: str) -> Any:
        found = self.client.get(f"{self._user}:{key}")
        return MISSING if found is None else read(found)

    def set(self, key: str, value: Any, *, only_if_absent: bool = False) -> bool:
        return bool(self.client.set(f"{self._user}:{key}", json.dumps(value), nx=only_if_absent))

    def delete(self, key: str) -> bool:
        return self.client.delete(f"{self._user}:{key}") == 1

    def get_many(self, keys: list[str]) -> dict[str, Any]:
        found = self.client.mget([f"{self._user}:{key}" for key in keys])
        return {key: read(data) for key, data in zip(keys, found, strict=True) if data is not None}


def read(data: bytes) -> Any:
    value = json.loads(data)
    value["tags"] = tuple(value["tags"])
    return value


class Alarm:
    """Raises at random times while it is armed, once."""

    def __init__(self) -> None:
        self.armed = False
        self.raised = 0
        self._random = random.Random(7)
        signal.signal(signal.SIGALRM, self._ring)

    def wind(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, self._random.uniform(1e-4, 1e-3))

    def _ring(self, number: int, frame: Any) -> None:
        self.wind()
        if self.armed:
            self.armed = False
            self.raised += 1
            raise self._random.choice((Stop, LateError))


def undisturbed(cache: Any, worker: Worker, ended: threading.Event, failures: list[str]) -> None:
    """A thread beside the main one, until it is told to end."""
    while not ended.is_set():
        op = worker.next()
        try:
            answer = getattr(cache.for_user(op.user), op.method)(*op.args, **op.options)
        except Exception as failed:
            failures.append(type(failed).__name__)
            worker.torn(op)
        else:
            worker.check(op, answer)


def interrupted(cache: Any, worker: Worker, seconds: float, failures: list[str]) -> int:
    """The main thread's run; how often it was interrupted."""
    alarm = Alarm()
    ends = time.monotonic() + seconds
    alarm.wind()
    while time.monotonic() < ends:
        op = worker.next()
        method = getattr(cache.for_user(op.user), op.method)
        try:
            alarm.armed = True
            answer = method(*op.args, **op.options)
            alarm.armed = False
        except (Stop, LateError):
            worker.torn(op)
        except Exception as failed:
            alarm.armed = False
            failures.append(type(failed).__name__)
            worker.torn(op)
        else:
            try:
                worker.check(op, answer)
            except (TypeError, KeyError, AttributeError):
                worker.wrong.append(f"{op.method}: {answer!r:.100}")
    signal.setitimer(signal.ITIMER_REAL, 0)
    return alarm.raised


def main(url: str, which: str, protocol: int, seconds: float) -> dict[str, Any]:
    if which == "ours":
        cache: Any = Cache.from_url(url, namespace="interrupted", client={"protocol": protocol})
        cache.clear_namespace()
        pools = redis_pools(cache._backend.front.client)
    else:
        cache = Plain(redis.Redis.from_url(url, protocol=protocol))
        cache.client.flushdb()
        pools = redis_pools(cache.client)
    workers = [Worker(number, 4, strict=False) for number in range(4)]
    failures: list[str] = []
    ended = threading.Event()
    threads = [threading.Thread(target=undisturbed, args=(cache, each, ended, failures)) for each in workers[1:]]
    for thread in threads:
        thread.start()
    raised = interrupted(cache, workers[0], seconds, failures)
    ended.set()
    for thread in threads:
        thread.join()
    gc.collect()
    return {
        "checked": sum(worker.checked for worker in workers),
        "interrupts": raised,
        "wrong": sum(len(worker.wrong) for worker in workers),
        "examples": [text for worker in workers for text in worker.wrong][:3],
        "failures": len(failures),
        "kinds": sorted(set(failures)),
        "slots_lost": sum(pool._created_connections - len(pool._available_connections) for pool in pools),
        "misses": cache.stats()["misses_by_reason"] if which == "ours" else {},
        "errors": cache.stats()["errors_by_kind"] if which == "ours" else {},
    }


if __name__ == "__main__":
    url, which, protocol, seconds = sys.argv[1:]
    sys.stdout.write(json.dumps(main(url, which, int(protocol), float(seconds))) + "\n")
