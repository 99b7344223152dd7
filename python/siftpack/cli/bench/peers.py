"""The contestants: siftpack, its reference, and those libraries for the same job that are installed."""

import contextlib
import hashlib
import importlib.metadata
import pickle
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import siftpack
import siftpack.reference

Step = Callable[[Any], Any]


@dataclass(frozen=True)
class Way:
    """One way to pack and, for most, to unpack."""

    pack: Step
    unpack: Step | None = None


@dataclass(frozen=True)
class Peer:
    """A library. Of its ways, the fastest first, the one that does a corpus right is the one that is timed."""

    name: str
    ways: tuple[Way, ...]


SIFTPACK = Way(siftpack.packb, siftpack.unpackb)
REFERENCE = Way(siftpack.reference.packb, siftpack.reference.unpackb)


def _ormsgpack() -> Peer:
    import ormsgpack

    keys = ormsgpack.OPT_NON_STR_KEYS
    hardened = keys | ormsgpack.OPT_PASSTHROUGH_BIG_INT | ormsgpack.OPT_PASSTHROUGH_SUBCLASS
    models = ormsgpack.OPT_SERIALIZE_PYDANTIC
    return Peer(
        "ormsgpack",
        (
            Way(ormsgpack.packb, ormsgpack.unpackb),
            Way(lambda value: ormsgpack.packb(value, option=keys), lambda data: ormsgpack.unpackb(data, option=keys)),
            Way(lambda value: ormsgpack.packb(value, option=models)),
            Way(lambda value: ormsgpack.packb(value, default=repr, option=hardened)),
        ),
    )


def _msgspec() -> Peer:
    import msgspec

    return Peer("msgspec", (Way(msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder().decode),))


def _msgpack() -> Peer:
    import msgpack

    return Peer("msgpack", (Way(msgpack.packb, lambda data: msgpack.unpackb(data, strict_map_key=False)),))


def _pydantic() -> Peer:
    from pydantic_core import to_json

    return Peer("pydantic-core", (Way(lambda value: to_json(value, serialize_unknown=True, bytes_mode="base64")),))


def _sentry() -> Peer:
    from sentry_sdk.serializer import serialize

    whole: dict[str, Any] = {"max_request_body_size": "always"}  # so that it trims nothing
    return Peer("sentry-sdk", (Way(lambda value: serialize({"request": {"data": value}}, **whole)),))


def _jsonpickle() -> Peer:
    import jsonpickle

    return Peer("jsonpickle", (Way(lambda value: jsonpickle.encode(value, keys=True)),))


def _langgraph() -> Peer:
    from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

    return Peer("langgraph", (Way(JsonPlusSerializer().dumps_typed),))


def _pickle() -> Peer:
    return Peer("pickle", (Way(_pickled, pickle.loads),))


def _pickled(value: Any) -> bytes:
    return pickle.dumps(value, protocol=5)


PACKERS = (_ormsgpack, _msgspec, _msgpack, _pydantic, _sentry, _jsonpickle, _langgraph, _pickle)
DISTRIBUTIONS = (
    "siftpack",
    "ormsgpack",
    "msgspec",
    "msgpack",
    "pydantic-core",
    "sentry-sdk",
    "jsonpickle",
    "langgraph",
)


def _msgspec_blake2b() -> Peer:
    import msgspec

    encode = msgspec.msgpack.Encoder(order="sorted").encode
    return Peer("msgspec+blake2b", (Way(lambda value: hashlib.blake2b(encode(value), digest_size=32).hexdigest()),))


def _pickle_sha256() -> Peer:
    return Peer("pickle+sha256", (Way(lambda value: hashlib.sha256(_pickled(value)).hexdigest()),))


DIGESTERS = (_msgspec_blake2b, _pickle_sha256)
"""Ways to a cache key. Pickle shows the order of dicts; msgspec puts those in order that have nothing but str keys."""


@cache
def installed(makers: tuple[Callable[[], Peer], ...] = PACKERS) -> tuple[Peer, ...]:
    """Those whose libraries are there."""
    found = []
    for make in makers:
        with contextlib.suppress(ImportError):
            found.append(make())
    return tuple(found)


def versions() -> dict[str, str]:
    """What is installed here, by distribution."""
    found = {}
    for name in DISTRIBUTIONS:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


@contextlib.contextmanager
def room_to_recurse() -> Iterator[None]:
    """Recursion as deep as the reference and some peers need for the deep corpus: several frames a level."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, 20_000))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
