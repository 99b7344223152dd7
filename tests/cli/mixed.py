"""A store full of old entries of many makes, and what has to become of each."""

import datetime as dt
import gzip
import json
import pickle
import random
import zlib
from pathlib import Path
from typing import Any, NamedTuple

from redis import Redis

import siftpack
from siftpack.cache import Cache, MemoryBackend, Pickles, RedisBackend

SECRET = b"a secret of sixteen bytes and more"
PICKLES = Pickles(SECRET, allow=[("datetime", "date"), ("builtins", "set")])
FOREIGN = (
    b"!" + pickle.dumps({"w": 1}),
    b'{"ct": 1795545149.97293, "v": 2}|' + pickle.dumps([1]),
    b"msgpack:" + siftpack.packb({"l": 1}),
    zlib.compress(json.dumps({"z": list(range(40))}).encode()),
    gzip.compress(b"g" * 100),
    siftpack.packb({"bare": [1, 2]}),
    pickle.dumps([1], protocol=0),
    b"\xff\xfe\x00\x01",
)
OTHERS = ("bad_pickle", "reader_off", "not_string", "bad_json", "moved", "frame", "already", "name")


class Expected(NamedTuple):
    """What has to be under a key in the end: a value of the cache's, or the same as before for a reason."""

    value: Any
    reason: str | None
    ends: int | None
    """Milliseconds since 1970, None for no end."""


def fill(client: Redis, count: int, *, seed: int = 7) -> dict[str, Expected]:
    """Writes ``count`` entries under ``app:u<n>:<i>``; half of them JSON, a tenth signed pickles, a tenth text."""
    chance = random.Random(seed)
    now = int(client.time()[0]) * 1000
    store = MemoryBackend()
    ours = Cache(store, namespace="app", ttl=None)
    wanted: dict[str, Expected] = {}
    for base in range(0, count, 5000):
        pipe = client.pipeline(transaction=False)
        for at in range(base, min(base + 5000, count)):
            name = f"app:u{at % 10}:{at}"
            data, value, reason = _entry(at, name, ours, store)
            if reason == "name":
                name += ":x"
            ends = None if at % 5 == 0 else now + chance.randint(3_600_000, 10**9)
            if data is None:
                pipe.rpush(name, "an element")
            else:
                pipe.set(name, data)
            if ends is not None:
                pipe.pexpireat(name, ends)
            wanted[name] = Expected(value, reason, ends)
        pipe.execute()
    return wanted


def _entry(at: int, name: str, ours: Cache, store: MemoryBackend) -> tuple[bytes | None, Any, str | None]:
    """Bytes, the value that they are, and the reason for leaving them, if there is one."""
    turn = at % 10
    if turn < 5:
        value: Any = {"id": at, "name": "ä" * (at % 40), "tags": [None, 1.5, True, {}]}
        return json.dumps(value, ensure_ascii=bool(at % 2)).encode(), value, None
    if turn == 5:
        value = {"id": at, "seen": {1, 2}, "at": (at, b"raw"), "day": dt.date(2024, 1, 1 + at % 28)}
        return PICKLES.sign(name, pickle.dumps(value, protocol=3 + at // 10 % 3)), value, None
    if turn == 6:
        text = f"words about {at}, € and more" + ("." * (at % 700))
        return text.encode(), text, None
    if turn == 7:
        foreign = FOREIGN[at // 10 % len(FOREIGN)]
        return foreign, foreign, "foreign"
    if turn == 8:
        value = list(range(at % 30))
        return json.dumps(value).encode(), value, None
    return _other(OTHERS[at // 10 % len(OTHERS)], at, name, ours, store)


def _other(kind: str, at: int, name: str, ours: Cache, store: MemoryBackend) -> tuple[bytes | None, Any, str | None]:
    _, user, key = name.split(":")
    if kind == "bad_pickle":
        data = pickle.dumps({"unsigned": at})
        return data, data, kind
    if kind == "reader_off":
        return str(at).encode(), at, kind
    if kind == "not_string":
        return None, None, kind
    if kind == "bad_json":
        data = b'{"a": NaN, "b": "' + b"x" * 600 + b'"}'
        return data, data, kind
    if kind == "frame":
        return siftpack.dumps({"frame": at}), {"frame": at}, None
    partition = ours.for_user(user if kind == "already" else "somebody")
    partition.set(key, {"ours": at})
    written = store.get(name if kind == "already" else f"app:somebody:{key}")
    assert written is not None
    if kind == "name":
        return json.dumps(at + 0.5).encode(), None, kind
    return written, {"ours": at} if kind == "already" else written, None if kind == "already" else kind


def whole(folder: Path) -> tuple[str, ...]:
    """The options of a migration that reads everything; the secret lies in ``folder``."""
    (folder / "secret").write_bytes(SECRET + b"\n")
    formats = ("json", "text", "pickle", "frame")
    read = [word for name in formats for word in ("--read", name)]
    allowed = ("--allow", "datetime:date", "--allow", "builtins:set")
    return ("--namespace", "app", *read, "--pickle-secret", str(folder / "secret"), *allowed)


def check(client: Redis, wanted: dict[str, Expected], reasons: dict[str, str]) -> None:
    """Every value is there, as the cache's own or untouched for its reason, and lives as long as before."""
    assert reasons == {name: each.reason for name, each in wanted.items() if each.reason is not None}
    cache = Cache(RedisBackend(client), namespace="app")
    names = list(wanted)
    for base in range(0, len(names), 5000):
        part = names[base : base + 5000]
        pipe = client.pipeline(transaction=False)
        for name in part:
            pipe.pexpiretime(name)
        for name, ends in zip(part, pipe.execute(), strict=True):
            assert (ends == -1) if wanted[name].ends is None else abs(ends - (wanted[name].ends or 0)) <= 1000
        for user in range(10):
            keys = {name.split(":")[2]: name for name in part if name.startswith(f"app:u{user}:")}
            values = cache.for_user(f"u{user}").get_many([key for key, name in keys.items() if not wanted[name].reason])
            assert values == {key: wanted[name].value for key, name in keys.items() if not wanted[name].reason}
        left = [name for name in part if isinstance(wanted[name].value, bytes)]
        assert client.mget(left) == [wanted[name].value for name in left]
