"""Second step: a clean tree as MessagePack, every form the shortest, sets in the order of their bytes."""

import struct
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
from typing import Any

from siftpack import wire
from siftpack.advice import exceeded
from siftpack.classify import classify
from siftpack.errors import LimitExceeded
from siftpack.policy import Limits
from siftpack.reference.record import Gathered, Record
from siftpack.values import Leaf, Parts
from siftpack.values.names import text_bytes
from siftpack.values.numbers import twos_complement


def encode(clean: Any, limits: Limits) -> bytes:
    """The bytes of a clean tree. Raises ``LimitExceeded`` for a string or payload over its bound."""
    data = _encode(clean, limits)
    if len(data) > limits.bytes:
        raise LimitExceeded(exceeded("$", "bytes", limits.bytes))
    return data


def plain(key: Any) -> bool:
    """True if a key has one of MessagePack's own scalar forms."""
    if type(key) is int:
        return -(2**63) <= key < 2**64
    if type(key) is str:
        return not any("\ud800" <= char <= "\udfff" for char in key)
    return key is None or type(key) in (bool, float, bytes)


def _encode(value: Any, limits: Limits) -> bytes:
    if value is None:
        return b"\xc0"
    if value is True or value is False:
        return b"\xc3" if value else b"\xc2"
    cls = type(value)
    if cls is int:
        return integer(value) if plain(value) else _ext(wire.BIGINT, twos_complement(value), limits)
    if cls is float:
        return struct.pack(">Bd", 0xCB, value)
    if cls is str:
        return _str(value, limits)
    if cls is bytes:
        return _sized(value, limits, (0xC4, 0xC5, 0xC6))
    if cls is list:
        return header(len(value), 0x90, 0xDC) + b"".join(_encode(item, limits) for item in value)
    if cls is dict:
        return _map(value, limits)
    return _tagged(value, limits) or _value(value, limits)


def integer(value: int) -> bytes:
    """The shortest of MessagePack's integer forms."""
    if 0 <= value < 128 or -32 <= value < 0:
        return struct.pack(">b" if value < 0 else ">B", value)
    forms = ((8, 0xCC, 0xD0), (16, 0xCD, 0xD1), (32, 0xCE, 0xD2), (64, 0xCF, 0xD3))
    for bits, unsigned, signed in forms:
        if 0 <= value < 2**bits:
            return bytes([unsigned]) + value.to_bytes(bits // 8, "big")
        if value < 0 and -(2 ** (bits - 1)) <= value:
            return bytes([signed]) + value.to_bytes(bits // 8, "big", signed=True)
    raise AssertionError("an int beyond 64 bits has a form of ours")


def header(count: int, fix: int, sixteen: int) -> bytes:
    """The header of an array (0x90, 0xDC) or map (0x80, 0xDE)."""
    if count < 16:
        return bytes([fix | count])
    return struct.pack(">BH", sixteen, count) if count < 2**16 else struct.pack(">BI", sixteen + 1, count)


def ext(code: int, payload: bytes) -> bytes:
    """An ext value in its shortest form."""
    size = len(payload)
    if size in (1, 2, 4, 8, 16):
        return struct.pack(">Bb", 0xD4 + size.bit_length() - 1, code) + payload
    if size < 2**8:
        return struct.pack(">BBb", 0xC7, size, code) + payload
    return struct.pack(">BHb" if size < 2**16 else ">BIb", 0xC8 if size < 2**16 else 0xC9, size, code) + payload


def _str(value: str, limits: Limits) -> bytes:
    raw = text_bytes(value)
    if not plain(value):
        return _ext(wire.STR, raw, limits)
    if len(raw) < 32:
        return bytes([0xA0 | len(raw)]) + raw
    return _sized(raw, limits, (0xD9, 0xDA, 0xDB))


def _sized(raw: bytes, limits: Limits, markers: tuple[int, int, int]) -> bytes:
    size = len(raw)
    if size > limits.str_bytes:
        raise LimitExceeded(exceeded("$", "str_bytes", limits.str_bytes))
    if size < 2**8:
        return bytes([markers[0], size]) + raw
    return struct.pack(">BH", markers[1], size) + raw if size < 2**16 else struct.pack(">BI", markers[2], size) + raw


def _ext(code: int, payload: bytes, limits: Limits) -> bytes:
    if len(payload) > limits.str_bytes:
        raise LimitExceeded(exceeded("$", "str_bytes", limits.str_bytes))
    return ext(code, payload)


def _map(value: dict[Any, Any], limits: Limits) -> bytes:
    rows = (_key(key, limits) + _encode(item, limits) for key, item in value.items())
    return header(len(value), 0x80, 0xDE) + b"".join(rows)


def _key(key: Any, limits: Limits) -> bytes:
    raw = _encode(key, limits)
    return ext(wire.KEY, raw) if type(key) in (tuple, frozenset, Record) else raw


def _tagged(value: Any, limits: Limits) -> bytes | None:
    """Container-like types: an array that opens with a mark."""
    cls = type(value)
    if cls is tuple:
        return _array(mark(wire.TUPLE), [_encode(item, limits) for item in value])
    if cls is set or cls is frozenset:
        tag = wire.SET if cls is set else wire.FROZENSET
        return _array(mark(tag), sorted(_encode(item, limits) for item in value))
    if cls is deque:
        bound = wire.DEQUE_UNBOUNDED if value.maxlen is None else value.maxlen
        return _array(mark(wire.DEQUE, bound.to_bytes(7, "big")), [_encode(item, limits) for item in value])
    for own, tag in ((OrderedDict, wire.ORDERED_DICT), (defaultdict, wire.DEFAULT_DICT), (Counter, wire.COUNTER)):
        if cls is own:
            return _array(mark(tag), [_map(value, limits)])
    if cls is ChainMap:
        return _array(mark(wire.CHAIN_MAP), [_encode(item, limits) for item in value.maps])
    if cls is Gathered:
        return _array(mark(wire.PARTS), [_encode(part, limits) for part in value.parts])
    if cls is Record:
        return _array(mark(wire.RECORD), [_str(value.listed.name, limits), _map(value.fields, limits)])
    if cls is slice:
        return _array(mark(wire.SLICE), [_encode(item, limits) for item in (value.start, value.stop, value.step)])
    return None


def mark(tag: int, data: bytes = b"") -> bytes:
    """The first element of a tagged array."""
    return ext(wire.MARK, bytes([tag]) + data)


def _array(first: bytes, rows: list[bytes]) -> bytes:
    return header(len(rows) + 1, 0x90, 0xDC) + first + b"".join(rows)


def _value(value: Any, limits: Limits) -> bytes:
    lower = classify(type(value)).lower
    lowered = lower(value) if lower is not None else None
    if lowered is None:
        raise AssertionError(f"not a clean value: {type(value)}")
    if type(lowered) is Parts:
        return _array(mark(wire.PARTS), [_encode(part, limits) for part in lowered.parts])
    if type(lowered) is Leaf:
        return _ext(wire.NDARRAY, lowered.head + memoryview(lowered.items).tobytes(), limits)
    return _ext(lowered[0], lowered[1], limits)
