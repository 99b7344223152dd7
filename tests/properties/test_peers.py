"""Law 4 with the other MessagePack libraries: they read what we write, and we read what they write."""

import math
from typing import Any

import msgpack
import msgspec
import ormsgpack
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from siftpack.testing import same
from siftpack.testing.strategies import graphs
from tests.conftest import EXAMPLES, core

CORE = core()


class Opaque:
    """Any ext value, hashable so that it can be a key."""

    def __init__(self, code: int, payload: bytes) -> None:
        self.code, self.payload = code, bytes(payload)


def by_msgpack(payload: bytes) -> Any:
    """Read with ``msgpack``, keys of any type, ext values opaque."""
    return msgpack.unpackb(payload, strict_map_key=False, ext_hook=Opaque)


def by_ormsgpack(payload: bytes) -> Any:
    """Read with ``ormsgpack``, keys of any type, ext values opaque."""
    return ormsgpack.unpackb(payload, ext_hook=Opaque, option=ormsgpack.OPT_NON_STR_KEYS)


def by_msgspec(payload: bytes) -> Any:
    """Read with ``msgspec``, ext values opaque."""
    return msgspec.msgpack.decode(payload, ext_hook=Opaque)


def has_ext_key(payload: bytes) -> bool:
    """True if a map somewhere in the payload has an ext value as its key."""
    found = []

    def look(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
        found.extend(key for key, _ in pairs if type(key) in (Opaque, msgpack.Timestamp))
        return {}

    msgpack.unpackb(payload, strict_map_key=False, ext_hook=Opaque, object_pairs_hook=look)
    return bool(found)


PEERS = {"msgpack": by_msgpack, "ormsgpack": by_ormsgpack, "msgspec": by_msgspec}
WRITERS = {
    "msgpack": msgpack.packb,
    "ormsgpack": lambda value: ormsgpack.packb(value, option=ormsgpack.OPT_NON_STR_KEYS),
    "msgspec": msgspec.msgpack.encode,
}
PLAIN = st.recursive(
    st.one_of(
        *(st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(), st.text(max_size=40)),
        *(st.binary(max_size=40), st.sampled_from([127, 128, 255, 256, -32, -33, 2**16, 2**32, -(2**31) - 1])),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.dictionaries(st.one_of(st.text(max_size=5), st.integers(-(2**63), 2**64 - 1)), inner, max_size=5),
        st.lists(inner, min_size=16, max_size=18),
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("peer", sorted(PEERS))
@settings(max_examples=EXAMPLES // 5)
@given(value=graphs())
def test_a_peer_reads_whatever_is_written(peer: str, value: Any) -> None:
    """With non-string keys and an ext hook, a peer decodes every payload, and a top-level container keeps its size."""
    clean = CORE.sanitize(value)
    payload = CORE.packb(value)
    assume(peer != "ormsgpack" or not has_ext_key(payload))  # it reads no ext value as a key, whatever its options
    read = PEERS[peer](payload)
    if type(clean) in (dict, list):
        assert len(read) == len(clean)
    elif type(clean) in (tuple, set, frozenset):
        assert len(read) == len(clean) + 1
    elif type(clean) in (int, float) and math.isfinite(clean) and -(2**63) <= clean < 2**64:
        assert same(read, clean)


@pytest.mark.parametrize("peer", sorted(PEERS))
@settings(max_examples=EXAMPLES // 10)
@given(value=PLAIN)
def test_plain_data_is_the_same_in_a_peer(peer: str, value: Any) -> None:
    """Data of MessagePack's own types reads in a peer as exactly what it was."""
    assert same(PEERS[peer](CORE.packb(value)), value)


@pytest.mark.parametrize("peer", sorted(WRITERS))
@settings(max_examples=EXAMPLES // 10)
@given(value=PLAIN)
def test_plain_data_of_a_peer_is_read(peer: str, value: Any) -> None:
    """What a peer writes of MessagePack's own types is read as exactly what it was, and is what we write."""
    payload = WRITERS[peer](value)
    assert same(CORE.unpackb(payload), value)
    assert CORE.packb(value) == payload
