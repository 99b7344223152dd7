"""Names and values of secrets: the core and Python agree on any text, in time linear in it."""

import base64
import itertools
import re
import time
from collections.abc import Callable
from functools import partial
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siftpack import _core
from siftpack.redact import names, secret_name, values
from siftpack.redact.keys import KEYS, Key
from siftpack.testing.planted import KINDS, secrets
from tests.conftest import EXAMPLES

URLS = (
    *("http", "jdbc:", "://", ":", "/", "//", r":\/\/", "%3A", "%3a%2F%2f", "%3A//", "@", "%40", "u", "pw", "{", "}"),
    *(
        "${",
        "$(",
        "%(",
        ")s",
        "%s",
        "%",
        "%%",
        "%2A",
        "%25",
        "$",
        "$A",
        "<",
        ">",
        "[",
        "]",
        "(",
        ")",
        "***",
        "x",
        "...",
    ),
    *(
        "•",
        "…",
        "。",
        "\uff0c",
        "redacted",
        "_MASKED_",
        "sha256:",
        "sha512%3A",
        "?",
        "#",
        "&",
        "+",
        ",",
        ";",
        "'",
        '"',
        "|",
    ),
)
BLOCKS = (
    *("-----BEGIN", "-----END", "-----", " ", "+", "%20", "RSA", " PRIVATE", "PRIVATE", " KEY", "KEY", " BLOCK"),
    *("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "\n", "\r", "\\n", "\\\\n", "\\", "%0A", "%0d"),
    *("MII", "A" * 40, "=", ">", '"', "Proc-Type: 4,ENCRYPTED"),
)
TOKENS = (
    *("eyJ", "eyJhbGciOiJIUzI1NiJ9", ".eyJzdWIiOiJmYWtlIn0", ".", "-", "_", "Bearer", "bearer", "BASIC", "basic", " "),
    *("\t", "+", "%20", "dXNlcjpwYXNzd29yZA", "YTpi", "ZmFrZXVzZXI", "=", "~", "sk", "K", "I", "J", "b", "B"),
)
EDGES = (
    "\\x41",
    "\\u00e9",
    "\\t",
    "%41",
    "a",
    "Z",
    "9",
    "é",
    "密",
    "\ud800",
    "\U0001f600",
    "\x00",
    "\x7f",
    "\x0b",
    "\xa0",
)
MARKS = tuple(key.mark.decode() for key in KEYS)
ALPHABETS = (
    *("0123456789abcdef", "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "abcdefghijklmnopqrstuvwxyz", "aB", "x"),
    *("abcdefghijklmABCDEFGHIJKLM0123456789", "abcxyzABCXYZ0189-_", "abcABC019._-", "abcABC019+/="),
)
LENGTHS = (
    1,
    5,
    6,
    7,
    9,
    10,
    11,
    12,
    13,
    15,
    16,
    17,
    19,
    20,
    22,
    24,
    30,
    32,
    35,
    36,
    37,
    40,
    41,
    58,
    60,
    64,
    65,
    80,
    128,
)
ALLOWED = {
    key.follow: {bytes([each]) for each in range(256) if re.fullmatch(b"[" + key.follow + b"]", bytes([each]))}
    for key in KEYS
}
PLANTED = tuple(secret for _, secret in secrets(4 * len(KINDS), seed=2))

ADVERSE = (
    *("sk-", "a://", "eyJ.", "-----BEGIN ", "://@:", "eyJ", "-eyJ", "a:b@", "a://u:", "bearer+", "basic%20", "{:", "%"),
    *(
        "a%3A%2F%2F",
        "glpat-",
        "ghp_",
        "AKIA",
        "-----BEGIN PRIVATE KEY-----\\",
        "eyJhbGciOiJIUzI1.eyJzdWIiOiIx.",
        "Basic ",
    ),
    *(
        "-----BEGIN PRIVATE KEY-----\n-----END ",
        "sk-aB-",
        "sk-abcdefgh-",
        "a://{",
        "_",
        "-",
        "\\",
        "\\u00e9",
        "é",
        "。",
    ),
)


def bodies() -> st.SearchStrategy[str]:
    """Characters as keys have them, in the lengths that matter."""
    drawn = (st.text(alphabet, min_size=size, max_size=size) for alphabet in ALPHABETS for size in LENGTHS)
    return st.one_of(*drawn)


def texts() -> st.SearchStrategy[str]:
    """Text near the shapes: pieces of them, of whole secrets, and of what stands beside them."""
    kinds = (URLS, BLOCKS, TOKENS, EDGES, MARKS)
    few = st.one_of(*(st.lists(st.sampled_from((*kind, *EDGES)), max_size=12) for kind in kinds[:3]))
    keyed = st.lists(st.one_of(st.sampled_from((*MARKS, *EDGES)), bodies()), max_size=6)
    mixed = st.lists(st.one_of(*(st.sampled_from(kind) for kind in kinds), bodies(), st.text(max_size=3)), max_size=12)
    return st.one_of(*(parts.map("".join) for parts in (few, keyed, mixed)), broken())


def broken() -> st.SearchStrategy[str]:
    """Secrets with a piece left out, doubled or exchanged."""

    def change(secret: str, at: int, size: int, other: str) -> str:
        at %= len(secret) + 1
        return secret[:at] + other + secret[at + size :]

    pieces = st.one_of(st.just(""), st.sampled_from((*EDGES, *URLS)), st.text(max_size=2))
    return st.builds(change, st.sampled_from(PLANTED), st.integers(0, 1 << 16), st.integers(0, 3), pieces)


def agree(text: str) -> None:
    """Both implementations say the same of a text and of its bytes, and what is a secret holds one."""
    data = text.encode("utf-8", "surrogatepass")
    holds, only = values.holds_secret(text), values.is_secret(text)
    assert (values.holds_secret_bytes(data), values.is_secret_bytes(data)) == (holds, only)
    for value in (text, data):
        assert _core.secret_value(value, whole=False) is holds
        assert _core.secret_value(value, whole=True) is only
    assert holds or not only


@given(texts())
def test_any_text_is_told_alike(text: str) -> None:
    """Near the shapes and far from them, the core finds what Python finds."""
    agree(text)


@settings(max_examples=EXAMPLES // 20)
@given(texts(), st.integers(1, 3000), texts())
def test_long_text_is_told_alike(text: str, times: int, end: str) -> None:
    """Repeated many times, text is still told alike."""
    agree(text * min(times, 1 + 30_000 // (len(text) + 1)) + end)


@settings(max_examples=EXAMPLES // 4)
@given(st.binary(max_size=200), texts())
def test_any_bytes_are_told_alike(noise: bytes, text: str) -> None:
    """Bytes that are no UTF-8 are told alike, alone and around text."""
    for data in (noise, noise + text.encode("utf-8", "surrogatepass") + noise, text.encode("utf-16", "surrogatepass")):
        assert _core.secret_value(data, whole=False) is values.holds_secret_bytes(data)
        assert _core.secret_value(data, whole=True) is values.is_secret_bytes(data)


@pytest.mark.full
@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.mark.decode())
def test_every_key_of_the_table_is_in_both(key: Key) -> None:
    """For each mark both know the same lengths and the same characters."""
    drawn = "".join(each for each in "0a1B2c3D4e5F6a7B8c9Def01abCD23" if each.encode() in ALLOWED[key.follow])
    last = min(key.most, 200)
    body = (drawn * 200)[: last + 2]
    for size in (*range(key.least - 2, key.least + 3), *range(last - 2, last + 3)):
        agree(key.mark.decode() + body[:size])
    assert values.is_secret(key.mark.decode() + body[: key.least])
    for point in range(0x180):
        for at in (1, key.least - 1, key.least):
            agree(f"{key.mark.decode()}{body[:at]}{chr(point)}{body[at:last]}")
            agree(f"{key.mark.decode()}{body[:at]}{chr(point)}{body[at + 1 : last]}")


@pytest.mark.parametrize(
    "pattern", [*("aB", "a1", "A1", "aaB", "aab1", "ab-1A", "aBcDe-", "ABCDEFGHIJKLMNOa", "a" * 11 + "1")]
)
@pytest.mark.parametrize("mark", ["sk-", "glpat-", "ghp_", "hf_", "Bearer "])
def test_what_looks_random_is_told_alike(mark: str, pattern: str) -> None:
    """Both draw the line between chance and words in the same place, for each size and start of a pattern."""
    for start in range(len(pattern)):
        for size in (*range(18, 45), 63, 64, 65):
            text = (pattern * 70)[start : start + size]
            for part in (text, "xyzvwu" + text, text[:10] + "-xyzvwu-" + text[10:]):
                agree(mark + part)


def around(*sizes: int) -> list[int]:
    """Each size, and the two beside it."""
    return sorted({size + by for size in sizes for by in (-1, 0, 1)})


def test_the_sizes_of_tokens_are_told_alike() -> None:
    """Both know the fewest characters of each part of a JWT, of a bearer token and of a user with a password."""
    for first, second, third in itertools.product(around(13), around(7), around(20)):
        text = f"eyJ{'a' * first}.eyJ{'b' * second}.{'c' * third}"
        agree(text)
        assert values.holds_secret(text) is (first >= 13 and second >= 7 and third >= 20)
    for size in (*around(20, 64), 200):
        agree(f"Bearer {('x' * 50 + 'aB1cD2eF3gH4iJ5k' * 10)[-size:]}")
        agree(f"Bearer {'x' * (size - 16)}aB1cD2eF3gH4iJ5k{'.' * 9}")
    for size in range(60):
        token = base64.b64encode(b"u:" + b"x" * size).decode()
        for cut in range(5):
            agree(f"Basic {token[: len(token) - cut]}")
            agree(f"Basic {token[: len(token) - cut]}=.")
    for size, end in itertools.product(around(90, 93, 96, 99), (b"\0", b"\x7f", b"\x80", b":", b"~")):
        for start in (b"u:", b"\x80:", b"u"):
            agree(f"Basic {base64.b64encode(start + b'x' * (size - len(start)) + end).decode()}")


def test_the_window_of_a_key_is_told_alike() -> None:
    """Both look at the first 64 characters of a key, and at no more."""
    for mark, size in itertools.product(("sk-", "glpat-", "nvapi-", "Bearer "), range(40, 72)):
        agree(f"{mark}{'x-' * (size // 2)}{'y' * (size % 2)}abcde1aB2cD3eF4gH5iJ")
    for mark, size in itertools.product(("sk-", "Bearer "), range(10, 40)):
        agree(f"{mark}{'vwxyz-' * 9}"[: len(mark) + size] + "550e8400-e29b-11d4-a716-446655440000")


def test_the_sizes_of_pem_blocks_are_told_alike() -> None:
    """Both know how long a label may be, and how much of a key has to follow on its own line."""
    for size in around(64 - len("  PRIVATE KEY")):
        text = f"-----BEGIN {'A' * size} PRIVATE KEY-----\nMII"
        agree(text)
        assert values.holds_secret(text) is (size + len("  PRIVATE KEY") <= 64)
    joints = (" ", "", '\\n" +\n"', "\\\\n", "\\", "', '", "\n> ", "\n| ", "%0A+", "\\r", "\\t", "-", ".", "\n%", "%20")
    for joint, size, end in itertools.product(joints, around(1, 40), ("", "=", "-", "é")):
        agree(f"-----BEGIN PRIVATE KEY-----{joint}{'A' * size}{end}")
        agree(f"-----BEGIN PRIVATE KEY-----{joint}{'A' * size}{end}\n-----END PRIVATE KEY-----")


def test_places_of_passwords_are_told_alike() -> None:
    """Whatever byte stands before, in and after a password, in a plain URL or an encoded one, is told alike."""
    for point in (*range(0x100), 0x3000, 0x303F, 0x3040, 0xFF0C, 0xFF5E, 0xD800, 0x1F600):
        each = chr(point)
        for text in (f"http://u{each}:pw@h", f"http://u:{each}@h", f"http://u:p{each}w@h", f"http://u:pw@{each}h"):
            agree(text)
            agree(text.replace("@", "%40").replace(":", "%3A"))
            agree(quote(text, safe="", errors="surrogatepass"))
            agree(quote(text, safe="/", errors="surrogatepass").lower())
        for text in (f"http{each}://u:pw@h", f"http:{each}//u:pw@h", f"{each}http://u:pw@h", f"http://u:pw@h{each}"):
            agree(text)


def test_masks_are_told_alike() -> None:
    """What counts as a mask in both counts as one in the same spellings and the same lengths."""
    wraps = (
        *(
            ("", ""),
            ("{", "}"),
            ("[", "]"),
            ("(", ")"),
            ("<", ">"),
            ("${", "}"),
            ("$(", ")"),
            ("%(", ")"),
            ("%(", ")s"),
        ),
        *(
            ("%{", "}"),
            ("%{", "}Z"),
            ("%", "%"),
            ("$[", "]"),
            ("{", ")"),
            ("[", ">"),
            ("_", "_"),
            ("*", ""),
            ("-", "_"),
        ),
        *(("]", "]"), ("[", "["), ("[*_-", "-_*]")),
    )
    words = (
        *(
            "",
            "p",
            "P",
            "REDACTED",
            "Masked",
            "filtered",
            "***",
            "a***b",
            "**",
            "x",
            "xX",
            "%2A",
            "%2a%2a%2A",
            "•",
            "•…",
        ),
        *("•a", "?", "$A", "$a", "$", "%s", "%S", "%d1", "..", "-", "*_", "hiddenly"),
    )
    for (start, end), word in itertools.product(wraps, words):
        password = start + word + end
        for each in (password, quote(password), quote(quote(password, safe=""), safe="")):
            agree(f"http://u:{each}@h")
            agree(f"http%3A//u%3A{quote(each)}%40h")
    for size in around(128):
        for mask in ("x" * size, "%78" * size, "%2578" * size, "{" + "a" * (size - 2) + "}"):
            agree(f"http://u:{mask}@h")
            agree(f"http%3A//u%3A{mask}%40h")


PARTS = (*names.ENDINGS, *names.WHOLE, "input", "tokens", "x", "my", "A", "B2", "é", "key", "ABC", "1", "")


@given(
    st.lists(st.one_of(st.sampled_from(PARTS), st.text(max_size=3)), max_size=5), st.sampled_from("_ - . |é".split(" "))
)
def test_any_name_is_told_alike(parts: list[str], between: str) -> None:
    """Names made of the words of the table, in every spelling, are told alike."""
    name = between.join(parts)
    for spelled in (name, name.upper(), name.title(), "".join(map(str.title, name.split("_"))), f"_{name}__"):
        assert _core.secret_name(spelled) is secret_name(spelled)


@pytest.mark.parametrize("ending", [*names.ENDINGS, *names.WHOLE])
def test_every_name_of_the_table_is_in_both(ending: str) -> None:
    """Each ending is a name of its own, and only the whole names do not end others."""
    for name in (ending, ending.upper(), ending.replace("_", "-"), ending.title().replace("_", "")):
        assert secret_name(name)
        assert _core.secret_name(name)
    assert secret_name(f"my_{ending}") is _core.secret_name(f"my_{ending}") is (ending not in names.WHOLE)
    assert not secret_name(f"{ending}izer")
    assert not _core.secret_name(f"{ending}izer")


def seconds(test: Callable[[bytes], bool], data: bytes) -> float:
    """What one run takes."""
    start = time.perf_counter()
    test(data)
    return time.perf_counter() - start


def within(bound: float, test: Callable[[bytes], bool], data: bytes) -> bool:
    """True if one run of three stays below the bound: what else the machine does at the time is no matter."""
    return any(seconds(test, data) < bound for _ in range(3))


@pytest.mark.parametrize("piece", ADVERSE)
def test_the_core_takes_linear_time(piece: str) -> None:
    """Ten megabytes of the beginnings of shapes take about ten times what one takes, and a few seconds at most."""
    small, large = ((piece.encode() * (size // len(piece)))[:size] for size in (10**6, 10**7))
    for whole in (False, True):
        test = partial(_core.secret_value, whole=whole)
        least = min(seconds(test, small) for _ in range(3))
        assert within(min(3, 40 * least + 0.05), test, large)


@pytest.mark.alone
@pytest.mark.full
@pytest.mark.parametrize("piece", ADVERSE)
def test_python_takes_linear_time(piece: str) -> None:
    """A megabyte of the beginnings of shapes takes about ten times what a tenth of it takes."""
    most = 10**6
    small, large = ((piece.encode() * (size // len(piece)))[:size] for size in (most // 10, most))
    for test in (values.holds_secret_bytes, values.is_secret_bytes):
        least = min(seconds(test, small) for _ in range(3))
        assert within(min(10, 40 * least + 0.05), test, large)
