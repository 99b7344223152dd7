"""Formats are recognised by bytes alone, whole or cut, and nothing that is looked at can do harm."""

import bz2
import collections
import gzip
import json
import pickle
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

import siftpack
from siftpack.cache import Cache, MemoryBackend, Seal
from siftpack.cli.forms import HEAD, pickle_names, recognise
from siftpack.cli.structure import is_messagepack

HTTP = b"\x80\x04\x8c\x14django.http.response\x94\x8c\x0cHttpResponse\x94\x93\x94)\x81\x94}"
LRU = b"\x80\x04\x95\x91\x00\x00\x00\x00\x00\x00\x00\x8c\ncachetools\x94\x8c\x08LRUCache\x94\x93\x94)\x81\x94}\x94("
SIGNED = b"eyJhIjoxfQ:1xVvJe:dG6mwNHLMSwiN5268NGcY2eE-biLrjqjrcEGWhZF7i4"
RESULT = {"status": "SUCCESS", "result": 1, "traceback": None, "children": [], "task_id": "a-b"}
NAMED: dict[str, bytes] = {
    "empty": b"",
    "integer": b"-12",
    "json": b'{"a": [1, 2.5, null]}',
    "text": "schön".encode(),
    "binary": b"\xfe\x00\x01",
    "msgpack": siftpack.packb({"a": [1, "b"]}),
    "pickle": pickle.dumps({"a": 1}),
    "pickle 0": pickle.dumps([1, 2], protocol=0),
    "siftpack v1 data unbound": siftpack.dumps([1]),
    "siftpack v1 data lossy unbound": siftpack.dumps([print]),
    "siftpack cut short": b"\xc1\x01",
    "siftpack v7 unknown": b"\xc1\x07\x00\x00\xc0",
    "gzip of json": gzip.compress(b'{"a": 1}'),
    "zlib of pickle": zlib.compress(pickle.dumps(list(range(50)))),
    "zstd": b"\x28\xb5\x2f\xfd\x04\x00",
    "hyperloglog": b"HYLL\x01\x00",
    "langgraph: msgpack": b"msgpack:\x92\x01\x02",
    "werkzeug: pickle": b"!" + pickle.dumps({"a": 1}),
    "dogpile: pickle": b'{"ct": 1795545149.97293, "v": 2}|' + pickle.dumps(1),
    "cashews: pickle": b"md5:0123456789abcdef0123456789abcdef_" + pickle.dumps(1),
    "django: text signed": SIGNED,
    "django: pickle": HTTP,
    "cachetools: pickle": LRU,
    "langgraph: null": b"null:",
    "bzip2": bz2.compress(b"x"),
    "celery: json": json.dumps(RESULT).encode(),
    "langchain: json": b'["{\\"lc\\": 1, \\"type\\": \\"constructor\\"}"]',
    "jsonpickle: json": b'{"py/object": "app.User"}',
}


@pytest.mark.parametrize("label", NAMED)
def test_a_format_has_its_name(label: str) -> None:
    """Each format of the table, and each framework's, is told from all others."""
    assert recognise(NAMED[label], len(NAMED[label])).label == label


def test_entries_of_the_cache_are_told_apart() -> None:
    """Bound, compressed, sealed and lossy entries and renderings have names of their own."""
    store = MemoryBackend()
    Cache(store, namespace="n").for_user("u").set("bound", 1)
    Cache(store, namespace="n", compression="zlib").for_user("u").set("zlib", "x" * 5000)
    Cache(store, namespace="n", seal=Seal({1: bytes(range(32))})).for_user("u").set("sealed", [1, print])
    Cache(store, namespace="n", policy=siftpack.STRICT).for_user("u").set("text", [print])
    names = {
        key: recognise(data, len(data)).label
        for key in ("bound", "zlib", "sealed", "text")
        if (data := store.get(f"n:u:{key}"))
    }
    assert names == {
        "bound": "siftpack v1 data bound",
        "zlib": "siftpack v1 data bound zlib",
        "sealed": "siftpack v1 data lossy bound sealed",
        "text": "siftpack v1 text lossy bound",
    }


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (pickle.dumps([collections.Counter] + ["x"] * 500, protocol=0), "pickle 0"),
        (json.dumps(["é" * 3] * 1000).encode(), "json"),
        (("é" * 5000).encode(), "text"),
        (siftpack.packb(["x" * 100] * 1000), "msgpack"),
        (pickle.dumps(["x" * 100] * 1000), "pickle"),
        (zlib.compress(json.dumps([i * 7919 for i in range(2000)]).encode()), "zlib of json"),
        (b"\xff" * 5000, "binary"),
    ],
)
def test_the_head_of_a_large_value_is_enough(value: bytes, label: str) -> None:
    """A cut in the middle of a character or of a structure changes nothing."""
    assert len(value) > HEAD
    for cut in (HEAD, HEAD - 1, HEAD - 2):
        assert recognise(value[:cut], len(value)).label == label


@pytest.mark.parametrize("value", [b'{"a": 1', b"[1, 2", b"nice", b"NaN", b"1e5x", b"[" * 400])
def test_what_only_starts_like_json_is_text(value: bytes) -> None:
    """A whole value that does not parse is no JSON."""
    assert recognise(value, len(value)).label == "text"


@pytest.mark.parametrize(
    "value",
    [
        *(b"cat\ndog\n", b"(d0\n", b"BZhou", b"HYLLOW", b"PAR1S", b"ARROW1", b"json: x", b"msgpack:abc", b"null: x"),
        *(b"007", b"pickle: x", b"sum:1_2", b"md5:12_", b"x^2 + 1", b"!important", b"h" * 44, b'{"ct": 1, "v": 2}x'),
    ],
)
def test_plain_text_is_not_taken_for_more(value: bytes) -> None:
    """Words that begin as some format does are text still."""
    assert recognise(value, len(value)).label == "text"


@given(st.binary(max_size=600), st.integers(0, 1000))
def test_any_bytes_have_a_form(data: bytes, more: int) -> None:
    """Nothing makes recognition raise, and its label is one printable line."""
    for start in (b"", b"\x80\x04", b"x\x9c", b"\x1f\x8b\x08", b"\xc1\x01"):
        assert recognise(start + data, len(start + data) + more).label.isprintable()


def test_the_names_in_a_pickle_are_read_and_not_loaded() -> None:
    """All protocols give the same names, in order, repeated strings too; loading it would end the process."""
    things = [collections.OrderedDict, collections.Counter, exit]
    for protocol in range(6):
        names = pickle_names(pickle.dumps(things, protocol=protocol))
        assert names[:2] == [("collections", "OrderedDict"), ("collections", "Counter")]
    assert pickle_names(b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94\x93\x94\x8c\x04ha") == [("os", "system")]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text() | st.binary(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
        max_leaves=20,
    ).map(lambda x: [x])
)
def test_messagepack_is_one_whole_value(value: list[object]) -> None:
    """What packb writes is one value; one byte more or less is none; any head may be the start of one."""
    data = siftpack.packb(value)
    assert is_messagepack(data, whole=True)
    assert not is_messagepack(data + b"\xc0", whole=True)
    assert not is_messagepack(data[:-1], whole=True)
    assert all(is_messagepack(data[:end], whole=False) for end in range(1, len(data)))
    assert not is_messagepack(data + b"\xc0", whole=False)
