"""dtypes as text: read without numpy, and only what would be written."""

import numpy as np
import pytest

from siftpack.testing import arrays
from siftpack.values import dtypes, layouts, padding


@pytest.mark.parametrize("dtype", arrays.dtypes(), ids=str)
def test_a_text_says_all_of_a_dtype(dtype: np.dtype) -> None:
    """The text of a dtype gives its layout, the layout the text, and numpy the very dtype."""
    text = dtypes.describe(dtype)
    assert text is not None
    assert layouts.write(layouts.parse(text)) == text
    made = dtypes.restore(text)
    assert (made, made.type, made.itemsize, made.isalignedstruct) == (
        dtype,
        dtype.type,
        dtype.itemsize,
        dtype.isalignedstruct,
    )


@pytest.mark.parametrize(
    ("dtype", "text"),
    [
        *(("<i4", "<i4"), (">f8", ">f8"), ("u1", "|u1"), ("?", "|b1"), ("S5", "|S5"), (">U3", ">U3"), ("V2", "|V2")),
        *(("M8[25us]", "<M8[25us]"), ("m8", "<m8"), ("q", "<q8"), ("O", "|O8")),
        ([("a", "<i2"), ("é;", ">f4", (2, 3))], "{26;1:a@0<i2;2:é;@2(2,3)>f4}"),
        (np.dtype([("a", "u1"), ("b", "<i4")], align=True), "{8!;1:a@0|u1;1:b@4<i4}"),
        ({"names": ["a"], "formats": ["u1"], "offsets": [1], "titles": ["T"], "itemsize": 3}, "{3;1:a@1=1:T|u1}"),
        (np.dtype((np.record, [("a", [("b", "u1")])])), "R{1;1:a@0{1;1:b@0|u1}}"),
    ],
)
def test_the_notation(dtype: object, text: str) -> None:
    """These dtypes have these texts."""
    assert dtypes.describe(np.dtype(dtype)) == text


BAD = """
|i4 <i1 >u1 <b1 |f4 <i3 <f1 <x8 <w4 |O4 <S1 |U1 <V1 i4 <i <4 <i04 <i4x <ii4 =i4 <M8[] <M8[1s] <M8[0s] <M8[x] <M8[s
<M8[01s] <M8[9999999999s] <m4 |M8 <U600000000 |S2147483648 |S99999999999 { {} {1 {1;} {01} {1;1:a} {1;1:a@0} {1;1a@0|u1}
{1;2:a@0|u1} {1;0:@0|u1} {1;1:a@0|u1}} {1;1:a@1|u1} {4;1:a@0<i4;1:b@3|u1} {2;1:a@0|u1;1:a@1|u1} {1;1:a@-1|u1}
{2;1:a@0=1:a|u1} {2;1:a@0()|u1} {2;1:a@0(1,)|u1} {2;1:a@0(3)|u1} {1;1:a@0(4294967296)|u1} RR{1} R<i4 {1!!} {1;1:a@0R|u1}
numpy.float64 float64 object O
"""


@pytest.mark.parametrize(
    "text", [*BAD.split(), "", " <i4", "<i4 ", "\ud800", "<i\u0664", "{9;1:a@0|u1;" * 20 + "}" * 20]
)
def test_any_other_text_is_refused(text: str) -> None:
    """A text that no dtype is written as is a ``ValueError``, without and with numpy."""
    for read in (layouts.parse, dtypes.restore):
        with pytest.raises(ValueError, match="dtype"):
            read(text)


def test_records_nest_to_a_bound() -> None:
    """Records are read and written sixteen deep and no deeper, whatever numpy would bear."""
    deep: object = "u1"
    for _ in range(16):
        deep = np.dtype([("a", deep)])
    text = dtypes.describe(np.dtype(deep))
    assert text is not None
    assert dtypes.restore(text) == deep
    assert dtypes.describe(np.dtype([("a", deep)])) is None
    with pytest.raises(ValueError, match="dtype"):
        layouts.parse(f"{{1;1:a@0{text}}}")


def test_what_the_notation_has_no_word_for_is_not_written() -> None:
    """Fields that overlap, names that are no plain str and texts over 65535 bytes have no text."""
    overlap = np.dtype({"names": ["a", "b"], "formats": ["<i4", "<i2"], "offsets": [0, 2]})
    named = np.dtype([(type("Name", (str,), {})("a"), "u1")])
    wide = np.dtype([(f"{at:050}", "u1") for at in range(1300)])
    assert [dtypes.describe(dtype) for dtype in (overlap, named, wide, np.dtypes.StringDType())] == [None] * 4


@pytest.mark.parametrize(
    ("text", "sound"),
    [
        *(("<U1", b"\xff\xff\x10\0"), (">U1", b"\0\x10\xff\xff"), ("<U2", b"a\0\0\0\0\xd8\0\0")),
        *(("{6;1:a@1<U1}", b"\0a\0\0\0\0"), ("{3;1:a@1|u1}", b"\0\xff\0"), ("<x16", bytes([255] * 10 + [0] * 6))),
        *((">x16", bytes([0] * 6 + [255] * 10)), ("<y32", bytes([255] * 10 + [0] * 6) * 2)),
        ("{24;1:a@0|u1;1:b@4(2){8;1:c@3<U1}}", bytes([9]) + bytes(6) + b"a" + bytes(7) + b"b" + bytes(8)),
    ],
)
def test_only_data_has_a_choice(text: str, sound: bytes) -> None:
    """Of every layout each byte that is padding, or makes a character too large, is found; no other byte is."""
    layout = layouts.parse(text)
    assert len(sound) == layout.size
    for count in (1, 3, 40):
        data = sound * count
        assert padding.sound(layout, data, count)
        for at in range(layout.size):
            changed = bytearray(data)
            changed[at - layout.size] = 0xEE if data[at - layout.size] != 0xEE else 0
            clean = bytearray(changed)
            settled = padding.settle(layout, clean, count)
            assert padding.sound(layout, changed, count) == (settled and clean == changed)
            assert not settled or clean in (data, changed)
