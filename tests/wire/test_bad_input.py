"""Bytes that are not what they should be: a value or a ``DecodeError``, the same as the reference says, never more."""

import random
import re
import resource
import struct
import warnings
from typing import Any

import pytest

from siftpack import reference, wire
from siftpack.errors import DecodeError, FrameError
from siftpack.policy import Limits
from siftpack.testing import same
from tests.conftest import FULL, core, outcome
from tests.properties.test_determinism import values

SHORT = 48
FIRST = 4 if FULL else 1
"""Bytes of a short payload that are changed to every other value."""
SAMPLED = 6 if FULL else 2
"""Other values of each byte behind those, and in a long payload."""


def read(module: Any, payload: bytes) -> Any:
    """The value, or ``DecodeError`` itself where the payload is refused."""
    try:
        return module.unpackb(payload)
    except DecodeError as refused:
        return DecodeError if re.search(r" at offset \d+$", str(refused)) else refused


def agree(payload: bytes) -> None:
    """Both readers refuse a payload, or both read the same value."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours, theirs = read(core(), payload), read(reference, payload)
    assert (ours is DecodeError) == (theirs is DecodeError), payload.hex()
    assert ours is DecodeError or same(ours, theirs), payload.hex()


def payloads() -> list[bytes]:
    """What the reference writes for two hundred values and every leaf of the strategies, each once."""
    from siftpack.testing import strategies

    leaves = [*strategies.FLAT, *strategies.TIMES, *strategies.NAMES, *(make() for make in strategies.MUTABLE)]
    packed = [reference.packb(value) for value in [*values(), *leaves]]
    return [payload for payload in dict.fromkeys(packed) if len(payload) < 400]


PAYLOADS = payloads()
CHUNKS = [PAYLOADS[at::8] for at in range(8)]


@pytest.mark.parametrize("chunk", range(8))
def test_every_prefix_is_refused(chunk: int) -> None:
    """No proper prefix of a payload is a payload."""
    for payload in CHUNKS[chunk]:
        for end in range(len(payload)):
            assert read(core(), payload[:end]) is DecodeError
            assert read(reference, payload[:end]) is DecodeError


@pytest.mark.sized
@pytest.mark.parametrize("chunk", range(8))
def test_every_changed_byte_is_read_or_refused_like_the_reference(chunk: int) -> None:
    """With any one byte changed, a payload gives the reference's value or a ``DecodeError``."""
    draw = random.Random(chunk)
    for payload in CHUNKS[chunk]:
        for at in range(len(payload)):
            others = range(256) if len(payload) <= SHORT and at < FIRST else draw.sample(range(256), SAMPLED)
            for other in others:
                agree(payload[:at] + bytes([other]) + payload[at + 1 :])


@pytest.mark.parametrize("chunk", range(8))
def test_inserted_removed_and_swapped_bytes(chunk: int) -> None:
    """Insertions, deletions and swaps are read or refused like the reference."""
    draw = random.Random(100 + chunk)
    for payload in CHUNKS[chunk]:
        for _ in range(12):
            at, other = draw.randrange(len(payload) + 1), draw.randrange(256)
            agree(payload[:at] + bytes([other]) + payload[at:])
            agree(payload[:at] + payload[at + 1 :])
            agree(payload[:at] + payload[at:][::-1])


def test_random_bytes() -> None:
    """Random bytes behind every first byte are read or refused like the reference."""
    draw = random.Random(5)
    for first in range(256):
        for size in (0, 1, 2, 5, 9, 20):
            agree(bytes([first]) + draw.randbytes(size))
            agree(bytes([first]) + bytes(size))


@pytest.mark.parametrize("code", range(-128, 128))
def test_every_ext_code_with_every_small_payload(code: int) -> None:
    """Each ext code with short payloads of every kind is built or refused like the reference."""
    draw = random.Random(code)
    for size in (0, 1, 2, 3, 4, 5, 7, 8, 11, 12, 16, 17, 24):
        for body in (
            bytes(size),
            b"\xff" * size,
            draw.randbytes(size),
            draw.randbytes(size),
            b"\x01" + bytes(size)[1:],
            b"0" * size,
        ):
            agree(struct.pack(">BBb", 0xC7, len(body), code) + body)
            agree(b"\x81" + struct.pack(">BBb", 0xC7, len(body), code) + body + b"\x01")


@pytest.mark.parametrize("head", ["dd", "df", "db", "c6", "c9", "dc", "de", "da", "c5", "c8"])
def test_headers_that_announce_too_much_cost_nothing(head: str) -> None:
    """A header of 2**32 - 1 elements or bytes that are not there is refused without memory for them."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for tail in (b"", b"\x01", b"\xc0" * 50):
        for wrap in (b"", b"\x91", b"\x81", b"\x81\x01", b"\x92\xd4\x60\x02"):
            payload = wrap + bytes.fromhex(head) + b"\xff" * (4 if head in ("dd", "df", "db", "c6", "c9") else 2) + tail
            assert read(core(), payload) is DecodeError
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000


@pytest.mark.parametrize(
    "opening", ["91", "8100", "92d46001", "92d46002", "92d4600592c0", "81c70961", "c761", "92d4600791"]
)
def test_very_deep_input_is_refused(opening: str) -> None:
    """A hundred thousand open containers of any kind are a ``DecodeError``."""
    assert read(core(), bytes.fromhex(opening) * 100_000) is DecodeError
    assert read(core(), bytes.fromhex(opening) * 100_000 + b"\x01") is DecodeError


REFUSED = {
    "nothing": "",
    "the byte never used": "c1",
    "trailing byte": "0101",
    "trailing bytes after a map": "8101c0c0",
    "overlong utf-8": "a2c080",
    "surrogate in utf-8": "a3eda080",
    "bare continuation": "a180",
    "utf-8 cut short": "a2e282",
    "utf-8 beyond unicode": "a4f4908080",
    "duplicate key": "8201010102",
    "duplicate str key": "82a16101a16102",
    "equal keys of two types": "8201c0c3c0",
    "equal int and float": "8201c0cb3ff0000000000000c0",
    "int in two forms": "8201c0cc01c0",
    "list as a value of a key form": "81c7036190c0",
    "map as a key": "818001",
    "list of map as a key": "8191800" + "1",
    "bytearray as a key": "81d4640001",
    "set as a key": "8191d4600201",
    "mark as a value": "d46001",
    "mark in the middle of an array": "9201d46001",
    "mark as a key": "81d4600101",
    "unknown mark": "91d46063",
    "mark zero": "91d46000",
    "deque mark without a bound": "91d46004",
    "wide mark that is no deque": "91d76001ffffffffffffff",
    "slice of two": "93d460090101",
    "ordered dict of a list": "92d4600590",
    "ordered dict of two maps": "93d460058080",
    "duplicate set element": "93d460020101",
    "list in a set": "92d4600291d46002",
    "deque longer than its bound": "93d7600400000000000001" + "0102",
    "key form as a value": "c7036192d46001",
    "key form of an int": "81c701610101",
    "key form of the wrong size": "81c704619101c001",
    "timestamp of three bytes": "c703ff000000",
    "timestamp with too many nanoseconds": "d7ffee6b280000000000",
    "timestamp beyond the year 9999": "c70cff00000000" + "7fffffffffffffff",
    "timestamp before the year 1": "c70cff00000000" + "8000000000000000",
    "small int in the big form": "d46201",
    "big int with a byte too many": "c70a62" + "00" * 2 + "01" * 8,
    "plain string in the surrogate form": "d46361",
    "range without a step": "c70f6e000000010000000001010000000100",
    "uuid of fifteen bytes": "c70f70" + "00" * 15,
    "decimal that is no number": "d46d78",
}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_is_no_message_is_refused(subject: Any, name: str) -> None:
    """Each malformed input is a ``DecodeError`` that names an offset."""
    assert read(subject, bytes.fromhex(REFUSED[name])) is DecodeError


def _key(body: str) -> str:
    return f"c7{len(body) // 2:02x}61{body}"


def test_keys_of_one_hash_are_bounded(subject: Any) -> None:
    """More container keys of one hash than honest data ever has are refused by writer and reader, in linear time."""
    keys = []
    for bits in range(2**7):
        body = "".join("d0ff"[2:] if bits >> at & 1 else "fe" for at in range(7))
        keys.append(_key(f"98d46001{body}"))
    assert len({hash(tuple(-1 if bits >> at & 1 else -2 for at in range(7))) for bits in range(2**7)}) == 1
    flooded = "de0080" + "".join(f"{key}01" for key in keys)
    assert read(subject, bytes.fromhex(flooded)) is DecodeError
    assert subject.unpackb(bytes.fromhex("de0010" + "".join(f"{key}01" for key in keys[:16])))
    value = {tuple(-1 if bits >> at & 1 else -2 for at in range(7)): 1 for bits in range(wire.SAME_HASH + 1)}
    with pytest.raises(TypeError, match="hash"):
        subject.packb(value)


@pytest.mark.parametrize("key", ["94", "9191", "92d46003", "91d46001"])
def test_keys_nested_beyond_the_limit_are_refused_unhashed(key: str) -> None:
    """A key nested thousands deep is refused while it is read, before Python hashes it."""
    body = bytes.fromhex(key) * 20_000 + b"\x01"
    payload = b"\x81" + struct.pack(">BIb", 0xC9, len(body), wire.KEY) + body + b"\x01"
    assert read(core(), payload) is DecodeError
    assert read(core(), b"\x92\xd4\x60\x02" + body) is DecodeError


def test_a_reader_takes_any_buffer_and_nothing_else() -> None:
    """bytes, bytearray and memoryview are read alike; anything that is no buffer is a ``TypeError``."""
    for data in (b"\x91\x01", bytearray(b"\x91\x01"), memoryview(b"\x91\x01"), memoryview(b"\x00\x91\x01")[1:]):
        assert core().unpackb(data) == [1]
    for wrong in ("\x91\x01", 5, None, [0x91, 1]):
        with pytest.raises(TypeError):
            core().unpackb(wrong)


@pytest.mark.parametrize("at", range(12))
def test_a_damaged_frame_is_a_frame_or_decode_error(at: int) -> None:
    """A frame cut short or changed in any byte is read, or a ``DecodeError``; a foreign head is a ``FrameError``."""
    framed = core().dumps({"a": [1, (2, "x")]})
    with pytest.raises(DecodeError):
        core().loads(framed[:at])
    for other in range(256):
        changed = framed[:at] + bytes([other]) + framed[at + 1 :]
        result = outcome(core().loads, changed)
        if isinstance(result, type):
            assert issubclass(result, DecodeError)
            assert at > 0 or result is FrameError


@pytest.mark.parametrize(
    "foreign",
    [
        b"",
        b"{}",
        b'{"a": 1}',
        b"\x80\x04\x95.",
        b"\x82\xa1a\x01\xa1b\x02",
        b"text",
        b"123",
        b"\x00",
        b"\xc1",
        b"\xc1\xff\xff\xff\xff",
    ],
)
def test_what_is_no_frame_is_a_frame_error(foreign: bytes) -> None:
    """JSON, pickles, plain MessagePack, text and stray bytes are never taken for a frame."""
    with pytest.raises(FrameError):
        core().loads(foreign)


def test_limits_hold_for_reading() -> None:
    """Each bound of ``Limits`` is one a reader refuses to pass, and says which."""
    payload = reference.packb({"text": "x" * 50, (1, (2,)): [[[1]]], (3,): 1})
    for limits, name in (
        *((Limits(depth=2), "depth"), (Limits(nodes=3), "nodes"), (Limits(bytes=20), "bytes")),
        *(
            (Limits(str_bytes=49), "str_bytes"),
            (Limits(container_keys=1), "container_keys"),
            (Limits(key_depth=1), "key_depth"),
        ),
    ):
        with pytest.raises(DecodeError, match=f"Limits.{name}"):
            core().unpackb(payload, limits=limits)
