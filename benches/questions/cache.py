"""What the cache costs on a real server on this machine, beside redis-py with ``packb`` and ``unpackb``."""

import atexit
import contextlib
import functools
from functools import partial

import redis

import siftpack
from case import Aim, Case
from siftpack.cache import Cache
from siftpack.cli.bench import clean, contests, timing
from siftpack.testing import same, servers

AIMS = (Aim(("redis-py+packb",), worst=1.15),)
FIGURES = "Medians"
VALUE = clean.metric_rows(100)
KEPT_FOR = 3_600_000
"""Milliseconds."""


def cases() -> list[Case]:
    """Ten kilobytes, written and read."""
    return [Case(f"{way} 10 kB", partial(_calls, way), measure=_middle) for way in ("set", "get")]


def _middle(calls: contests.Calls, seconds: float) -> dict[str, timing.Sample]:
    """The middle ones: the least are those for which the server happened to be awake."""
    samples = timing.measure(calls, 10 * seconds)
    return {name: timing.Sample(each.median, each.median, each.calls) for name, each in samples.items()}


@functools.cache
def _server() -> servers.Server:
    """One server for both, which ends with this process."""
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(servers.single())


def _calls(way: str) -> contests.Calls:
    url, data = _server().url, siftpack.packb(VALUE)
    client, user = redis.Redis.from_url(url), Cache.from_url(url, namespace="bench").for_user("u")
    assert 9_000 < len(data) < 11_000
    assert user.set("k", VALUE)
    assert same(user.get("k"), VALUE)
    assert client.set("plain", data, px=KEPT_FOR)
    assert client.get("plain") == data
    if way == "set":
        return {
            "siftpack": lambda: user.set("k", VALUE),
            "redis-py+packb": lambda: client.set("plain", siftpack.packb(VALUE), px=KEPT_FOR),
            "redis-py, bytes": lambda: client.set("plain", data, px=KEPT_FOR),
        }
    return {
        "siftpack": lambda: user.get("k"),
        "redis-py+packb": lambda: siftpack.unpackb(client.get("plain")),  # type: ignore[arg-type]
        "redis-py, bytes": lambda: client.get("plain"),
    }
