"""The fingerprints of version 1 are what ``fingerprints.txt`` says, and what the rule over the payload gives."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest
from blake3 import blake3

from tests.conformance.cases import NAMES, cases

GOLDEN = Path(__file__).with_name("fingerprints.txt")
CONTEXT = "siftpack fingerprint 1"


class Frozen(NamedTuple):
    """One line of the table: a fingerprint, and the Python expression whose value has it."""

    fingerprint: str
    expression: str


def frozen() -> list[Frozen]:
    """The lines of the table."""
    lines = GOLDEN.read_text(encoding="utf-8").splitlines()
    return [Frozen(*line.split(maxsplit=1)) for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("case", frozen(), ids=lambda case: case.expression[:40])
def test_frozen(subject: Any, case: Frozen) -> None:
    """A value has the fingerprint it has always had: another one would empty every cache."""
    assert subject.fingerprint(eval(case.expression, dict(NAMES))) == case.fingerprint


def test_no_two_lines_say_the_same() -> None:
    """The table tells its values apart, and there are enough of them."""
    found = [case.fingerprint for case in frozen()]
    assert len(set(found)) == len(found) > 40


def hashed(*parts: bytes) -> bytes:
    """The hash of the rule."""
    return blake3(b"".join(parts), derive_key_context=CONTEXT).digest()


def test_short_values_are_hashed_as_they_are_packed(subject: Any) -> None:
    """The fingerprint of a value that fits 1024 bytes is the hash of its payload, dicts in the order of their bytes."""
    for case in cases("both"):
        value = case.value()
        if not case.wire.startswith("sha256") and len(case.data()) <= 1024 and type(value) is not dict:
            assert subject.fingerprint(value) == hashed(case.data()).hex(), case.name
    assert subject.fingerprint({"b": 2, "a": 1}) == hashed(bytes.fromhex("82 a16101 a16202")).hex()


def test_long_values_are_replaced_from_the_inside_out(subject: Any) -> None:
    """A string, list or map of more than 1024 bytes stands in its container as ``c1`` and its own digest."""
    text, key = "x" * 1022, "k" * 2000
    short = b"\xc1" + hashed(b"\xda\x03\xfe", text.encode())
    assert subject.fingerprint(text) == hashed(short).hex()
    assert subject.fingerprint([text]) == hashed(b"\x91", short).hex()
    assert (
        subject.fingerprint([text[1:]]) != hashed(b"\x91", b"\xc1" + hashed(b"\xda\x03\xfd", text[1:].encode())).hex()
    )
    inner = b"\xc1" + hashed(b"\x81", b"\xda\x07\xd0", key.encode(), short)
    assert subject.fingerprint({key: text}) == hashed(inner).hex()
    assert subject.fingerprint({"b": {key: text}, "a": text}) == hashed(b"\x82", b"\xa1a", short, b"\xa1b", inner).hex()
