"""The bytes of format version 1 are what ``golden.txt`` says, for the reference, the core, and other readers."""

import re
from types import ModuleType

import msgpack
import pytest

import siftpack
import siftpack.reference
from siftpack import DecodeError, FrameError, wire
from siftpack.testing import same
from tests.conformance.cases import Case, cases


def checked(module: ModuleType, case: Case) -> None:
    if case.kind == "refuse":
        message = re.escape(case.expression.strip("*"))
        with pytest.raises(DecodeError, match=rf"(?s){message}.* at offset \d+$"):
            module.unpackb(case.data())
        return
    value = case.value()
    if case.kind in ("both", "listed"):
        data = module.packb(value, **case.options())
        assert case.matches(data), data[:400].hex()
        back = module.unpackb(data, **case.options())
        assert same(back, value) if case.kind == "both" else back == value
        assert module.packb(back, **case.options()) == data
    else:
        assert same(module.unpackb(case.data()), value)


ALL = cases("both", "listed", "read", "refuse")


@pytest.mark.parametrize("case", ALL, ids=[case.name for case in ALL])
def test_reference(case: Case) -> None:
    """The reference writes the literal bytes, reads them back, and refuses what it must."""
    checked(siftpack.reference, case)


@pytest.mark.parametrize("case", ALL, ids=[case.name for case in ALL])
def test_core(case: Case) -> None:
    """The core writes the literal bytes, reads them back, and refuses what it must."""
    checked(siftpack, case)


FOREIGN = [case for case in cases("both", "listed") if case.name not in ("ext_code(-128)", "ext_code(-2)")]
"""msgpack has no words for negative codes but its own."""


@pytest.mark.parametrize("case", FOREIGN, ids=[case.name for case in FOREIGN])
def test_other_readers(case: Case) -> None:
    """Another MessagePack library reads every case and, writing it again, finds no shorter form."""
    data = siftpack.reference.packb(case.value(), **case.options())
    read = msgpack.unpackb(data, strict_map_key=False, timestamp=0, ext_hook=msgpack.ExtType)
    assert msgpack.packb(read) == data


@pytest.mark.parametrize("case", cases("frame"), ids=str)
def test_frame(case: Case) -> None:
    """A frame is four literal bytes ahead of the payload, and its content is what ``sanitize`` gives."""
    data = siftpack.dumps(case.value())
    assert data == case.data()
    assert same(siftpack.loads(data), siftpack.sanitize(case.value()))


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("magic", "c0010000"),
        ("version", "c1020000"),
        ("text", "c1010100"),
        ("unassigned bit", "c1010400"),
        ("bound", "c1012000"),
        ("sealed", "c1014000"),
        ("key id", "c1010001"),
        ("short", "c10100"),
    ],
)
def test_frame_refused(name: str, header: str) -> None:
    """A header this version does not define, or reserves, is a ``FrameError``."""
    with pytest.raises(FrameError):
        siftpack.loads(bytes.fromhex(header) + b"\xc0" * (len(header) == 8))


def test_every_code_and_mark_has_a_case() -> None:
    """No ext code and no mark of the format is without a literal case."""
    codes: set[int] = set()
    marks: set[int] = set()

    def hook(code: int, payload: bytes) -> msgpack.ExtType:
        codes.add(code)
        if code == wire.MARK:
            marks.add(payload[0])
        return msgpack.ExtType(code, payload)

    for case in (*FOREIGN, *(case for case in cases("read") if case.name.startswith("sifted"))):
        if not case.wire.startswith("sha256"):
            read = msgpack.unpackb(case.data(), strict_map_key=False, timestamp=0, ext_hook=hook)
            codes |= {wire.TIMESTAMP} if isinstance(read, msgpack.Timestamp) else set()
    assert codes >= {wire.TIMESTAMP, *range(wire.FIRST_OWN, wire.NDARRAY + 1)}
    assert marks == {*range(wire.TUPLE, wire.SIFTED + 1)}
