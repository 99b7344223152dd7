"""The contestants: siftpack, its reference, and the libraries people use for the same job today."""

import hashlib
import importlib.metadata
import pickle
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jsonpickle
import msgpack
import msgspec
import ormsgpack
import pydantic_core
from sentry_sdk.serializer import serialize as sentry_serialize

import siftpack
import siftpack.reference
from corpus import ALL as CORPORA
from corpus import Corpus
from siftpack.testing import same

sys.setrecursionlimit(20_000)  # the reference and jsonpickle recurse, several frames a level
Step = Callable[[Any], Any]


@dataclass(frozen=True)
class Peer:
    """One way to pack and, for most, to unpack."""

    name: str
    pack: Step
    unpack: Step | None = None
    survives: bool = False
    """Gives bytes for dirty data too."""
    refuses: tuple[str, ...] = ()
    """Corpora it raises on or does not read back as they were, or which another of its settings takes faster."""

    def takes(self, corpus: Corpus) -> bool:
        """True if the peer competes on that corpus."""
        return corpus.name not in self.refuses and (self.survives or corpus.sort != "dirty")


_encoder, _decoder = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder()
_sorted_encoder = msgspec.msgpack.Encoder(order="sorted")
_HARDENED = ormsgpack.OPT_NON_STR_KEYS | ormsgpack.OPT_PASSTHROUGH_BIG_INT | ormsgpack.OPT_PASSTHROUGH_SUBCLASS


def _msgpack_unpack(data: bytes) -> Any:
    return msgpack.unpackb(data, strict_map_key=False)


def _ormsgpack_repr(value: Any) -> bytes:
    return ormsgpack.packb(value, default=repr, option=_HARDENED)


def _ormsgpack_keys(value: Any) -> bytes:
    return ormsgpack.packb(value, option=ormsgpack.OPT_NON_STR_KEYS)


def _ormsgpack_keys_unpack(data: bytes) -> Any:
    return ormsgpack.unpackb(data, option=ormsgpack.OPT_NON_STR_KEYS)


def _pydantic(value: Any) -> bytes:
    return pydantic_core.to_json(value, serialize_unknown=True, bytes_mode="base64")


def _sentry(value: Any) -> Any:
    return sentry_serialize({"request": {"data": value}}, max_request_body_size="always")  # so that it trims nothing


def _jsonpickle(value: Any) -> str:
    return jsonpickle.encode(value, keys=True)  # type: ignore[no-any-return, unused-ignore]  # untyped in some versions


def _pickle(value: Any) -> bytes:
    return pickle.dumps(value, protocol=5)


def _msgspec_blake2b(value: Any) -> str:
    return hashlib.blake2b(_sorted_encoder.encode(value), digest_size=32).hexdigest()


def _pickle_sha256(value: Any) -> str:
    return hashlib.sha256(_pickle(value)).hexdigest()


_PLAIN = tuple(corpus.name for corpus in CORPORA if corpus.sort == "plain")
SIFTPACK = Peer("siftpack", siftpack.packb, siftpack.unpackb, survives=True)
REFERENCE = Peer("reference", siftpack.reference.packb, siftpack.reference.unpackb, survives=True)
ORMSGPACK = Peer("ormsgpack", ormsgpack.packb, ormsgpack.unpackb, refuses=("deep", "int_keys", "mixed_values"))
MSGSPEC = Peer("msgspec", _encoder.encode, _decoder.decode, refuses=("mixed_values",))
ORMSGPACK_REPR = Peer("ormsgpack+repr", _ormsgpack_repr, survives=True, refuses=_PLAIN)
ALL: tuple[Peer, ...] = (
    SIFTPACK,
    REFERENCE,
    ORMSGPACK,
    Peer(
        "ormsgpack+keys",
        _ormsgpack_keys,
        _ormsgpack_keys_unpack,
        refuses=tuple(corpus.name for corpus in CORPORA if corpus.name != "int_keys"),
    ),
    MSGSPEC,
    Peer("msgpack", msgpack.packb, _msgpack_unpack, refuses=("mixed_values", "dataclasses")),
    ORMSGPACK_REPR,
    Peer("pydantic-core", _pydantic, survives=True),
    Peer("sentry-sdk", _sentry, survives=True),
    Peer("jsonpickle", _jsonpickle, survives=True),
    Peer("pickle", _pickle, pickle.loads),
)
BY_NAME = {peer.name: peer for peer in ALL}
DIGESTS: tuple[Peer, ...] = (
    Peer("siftpack", siftpack.fingerprint, survives=True),
    Peer("msgspec+blake2b", _msgspec_blake2b, refuses=("int_keys", "mixed_values")),
    Peer("pickle+sha256", _pickle_sha256),
)
"""Ways to a cache key. Pickle shows the order of dicts; msgspec puts those in order that have nothing but str keys."""
DISTRIBUTIONS = ("siftpack", "ormsgpack", "msgspec", "msgpack", "pydantic-core", "sentry-sdk", "jsonpickle")


def versions() -> dict[str, str]:
    """What is installed here, by distribution."""
    return {name: importlib.metadata.version(name) for name in DISTRIBUTIONS}


def contests(*, packing: bool) -> Iterator[tuple[Corpus, Peer]]:
    """Every corpus with every peer that takes it; reading back is only asked of those that can."""
    for corpus in CORPORA:
        for peer in ALL:
            if peer.takes(corpus) and (packing or (peer.unpack is not None and corpus.sort != "dirty")):
                yield corpus, peer


def check_pack(corpus: Corpus, peer: Peer) -> None:
    """Raise ``AssertionError`` unless the peer writes what it should for that corpus."""
    packed = peer.pack(corpus.value)
    assert packed, f"{peer.name} wrote nothing for {corpus.name}"
    if peer is SIFTPACK:
        assert packed == REFERENCE.pack(corpus.value), f"siftpack and its reference differ on {corpus.name}"
    if peer.unpack is not None and corpus.sort != "dirty":
        check_unpack(corpus, peer)


def check_unpack(corpus: Corpus, peer: Peer) -> None:
    """Raise ``AssertionError`` unless the peer reads back what it wrote for that corpus."""
    assert peer.unpack is not None
    back = peer.unpack(peer.pack(corpus.value))
    if peer in (SIFTPACK, REFERENCE):
        assert same(back, siftpack.reference.sanitize(corpus.value)), f"{peer.name} reads {corpus.name} back changed"
    if corpus.sort == "plain":
        assert same(back, corpus.value), f"{peer.name} does not read {corpus.name} back as it was"
