"""Which values are secrets by their shape, alone and in whatever stands around them."""

import json
import random
import string
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from siftpack import _core
from siftpack.redact import secret_name, values
from siftpack.testing.lookalikes import lookalikes
from siftpack.testing.planted import KINDS, secrets

PLANTED = secrets(12 * len(KINDS), seed=1)
LOOKALIKES = lookalikes()
PYTHON = SimpleNamespace(
    holds=lambda value: (values.holds_secret if isinstance(value, str) else values.holds_secret_bytes)(value),
    only=lambda value: (values.is_secret if isinstance(value, str) else values.is_secret_bytes)(value),
)
CORE = SimpleNamespace(
    holds=lambda value: _core.secret_value(value, whole=False),
    only=lambda value: _core.secret_value(value, whole=True),
)

AROUND: dict[str, Callable[[str], str]] = {
    "alone": lambda secret: secret,
    "at the start": lambda secret: f"{secret} is what was given.",
    "at the end": lambda secret: f"the value is {secret}",
    "in prose": lambda secret: f"Take {secret}, they said; it opens everything.",
    "in quotes": lambda secret: f"key = '{secret}'",
    "in brackets": lambda secret: f"({secret}) [{secret}] <{secret}> `{secret}`",
    "after a sign": lambda secret: f"KEY={secret};",
    "after a line break": lambda secret: f"one\n{secret}\r\ntwo",
    "in JSON": lambda secret: json.dumps({"a": [1, {"b": secret}], "c": "é"}),
    "in JSON in JSON": lambda secret: json.dumps({"body": json.dumps({"b": secret})}),
    "in JSON after a line break": lambda secret: json.dumps(f"one\n{secret}\ntwo"),
    "in JSON after an escape": lambda secret: json.dumps(f"密钥{secret}。"),
    "in repr": lambda secret: repr({"a": f"\t{secret}"}),
    "in a query": lambda secret: f"https://example.com/?a=1&key={secret}",
    "in a quoted query": lambda secret: f"https://example.com/?key={quote(secret)}&b=2",
    "in an encoded query": lambda secret: f"https://example.com/?{urlencode({'a': 'x', 'key': secret, 'b': 'y'})}",
    "after an encoded sign": lambda secret: quote(f"a=1&key={secret}", safe=""),
    "among non-ASCII": lambda secret: f"密钥是{secret}\uff0c不要外传。",
    "among Latin-1": lambda secret: f"clé\xa0: «{secret}»",
    "beyond the basic plane": lambda secret: f"\U0001f511{secret}\U0001f511",
    "beside a surrogate": lambda secret: f"\ud800{secret}\udfff",
    "deep in text": lambda secret: f"{'lorem ipsum ' * 2000}{secret}{' dolor sit' * 2000}",
}


@pytest.fixture(params=[CORE, PYTHON], ids=["core", "python"])
def matcher(request: pytest.FixtureRequest) -> Any:
    """Both implementations of the same two questions."""
    return request.param


def split(pem: str) -> str:
    """A private key as source code has it, one literal a line."""
    return " +\n".join(f'"{line}\\n"' for line in pem.splitlines())


def test_there_are_enough_kinds_and_lookalikes() -> None:
    """Twenty kinds of secrets and five hundred innocent values are the least."""
    assert len(KINDS) >= 20
    assert len({(name, value) for name, value in LOOKALIKES}) >= 500
    assert {name for name, _ in PLANTED} == set(KINDS)


def test_planted_secrets_are_the_same_for_the_same_seed() -> None:
    """A seed says which secrets are planted, and another seed says others."""
    assert secrets(70, seed=5) == secrets(70, seed=5) != secrets(70, seed=6)
    assert lookalikes() == LOOKALIKES


@pytest.mark.parametrize("place", AROUND)
def test_every_planted_secret_is_found(matcher: Any, place: str) -> None:
    """Whatever stands around it, and whether it is text or bytes, a secret is found."""
    for name, secret in PLANTED:
        text = AROUND[place](secret)
        assert matcher.holds(text), (name, text)
        assert matcher.holds(text.encode("utf-8", "surrogatepass")), (name, text)


def test_every_planted_secret_is_one_as_a_whole(matcher: Any) -> None:
    """A secret with nothing but whitespace around it is one, and with words beside it is not."""
    for name, secret in PLANTED:
        for text in (secret, f"  {secret}\r\n", f"\t{secret}\x0c"):
            assert matcher.only(text), (name, text)
            assert matcher.only(text.encode()), (name, text)
        for text in (f"see {secret}", f"{secret} and more", f"é{secret}", f"{secret}\x00", f"\x0b{secret}"):
            assert not matcher.only(text), (name, text)


def test_no_lookalike_is_a_secret(matcher: Any) -> None:
    """Counters, ids, hashes, public keys, certificates, addresses, masks and prose are kept."""
    for name, value in LOOKALIKES:
        assert not secret_name(name), name
        if isinstance(value, str | bytes):
            assert not matcher.holds(value), (name, value)
            assert not matcher.only(value), (name, value)


def test_all_lookalikes_together_are_none(matcher: Any) -> None:
    """A list of innocent values in any order makes no secret between them."""
    rng = random.Random(3)
    texts = [str(value) for _, value in LOOKALIKES]
    for _ in range(20):
        rng.shuffle(texts)
        assert not matcher.holds("\n- ".join(texts))


@pytest.mark.parametrize(
    ("mark", "alphabet", "size"),
    [
        *(("sk-", string.ascii_letters + string.digits, size) for size in (32, 48)),
        ("sk-ant-api03-", string.ascii_letters + string.digits + "-_", 95),
        ("sk-", string.hexdigits[:16], 32),
        ("glpat-", string.ascii_letters + string.digits + "-_", 20),
        ("hf_", string.ascii_letters, 34),
        ("ghp_", string.ascii_letters + string.digits, 36),
        ("AKIA", string.ascii_uppercase + "234567", 16),
        ("Bearer ", string.ascii_letters + string.digits + "-_", 32),
    ],
)
def test_keys_without_a_word_in_them_are_found(mark: str, alphabet: str, size: int) -> None:
    """Of keys drawn from nothing but chance less than one in five hundred has the looks of words."""
    rng = random.Random(8)
    missed = sum(not CORE.holds(mark + "".join(rng.choices(alphabet, k=size))) for _ in range(5000))
    assert missed < 10


@pytest.mark.parametrize("before", ["a", "Z", "9", "\\", "%4", "\\x4", "\\u00e", "\\q", "%zz"])
def test_a_key_begins_a_word(matcher: Any, before: str) -> None:
    """Directly after a letter or digit that ends no escape a mark is part of another word."""
    kinds = ("aws access", "openai", "github personal", "twilio", "jwt", "huggingface", "bearer", "basic")
    for name, secret in PLANTED:
        if name in kinds:
            assert matcher.holds(before + secret) is (before == "\\"), (name, before + secret)


@pytest.mark.parametrize(
    "before", ["_", "-", "\\n", "\\t", "\\x1b", "\\u00e9", "%20", "%3D", "é", "\ud800", "\x00", "/"]
)
def test_a_word_begins_after_a_separator_or_an_escape(matcher: Any, before: str) -> None:
    """After anything but a letter or digit, and after an escape, a mark begins a word."""
    for name, secret in PLANTED:
        if not name.startswith(("pem", "pgp", "url")):
            assert matcher.holds(f"x{before}{secret}"), (name, before)


@pytest.mark.parametrize("mark", ["AKIA", "ASIA"])
def test_the_length_of_a_key_is_exact_where_it_is_known(matcher: Any, mark: str) -> None:
    """Keys of a fixed length are not found in longer or shorter words."""
    key = mark + "Q2WE3RT4ZU5IO6PA"
    assert matcher.holds(key)
    for other in (key[:-1], key + "7", key + "A", key[:-1] + "a"):
        assert not matcher.holds(other), other
    for after in (".", "_", "é", "%20", "\\n"):
        assert matcher.holds(f"{key}{after}"), after


@pytest.mark.parametrize(
    ("url", "found"),
    [
        *(("postgres://user:password@host", True), ("redis://:password@host", True), ("ftp://a:b@[::1]:21/x", True)),
        *(("http://a@b.example:pw@host/", True), ("http://a:p@ss@host", True), ("scheme://a:b@", True)),
        *(
            ("postgresql://u:pw@/db?host=/cloudsql/x", True),
            ("mongodb://u:pw@a:1,b:2/db", True),
            ("HTTP://U:P@H", True),
        ),
        *(("http://u:пароль@host", True), ("http://u:$ecret1@host", True), ("http://u:{a}b@host", True)),
        *((r'"http:\/\/u:pw@host\/"', True), ("http%3A%2F%2Fu%3Apw%40host", True), ("http%3a//u%3apw%40host", True)),
        *(
            ("http://user@host", False),
            ("http://user:@host", False),
            ("://user:pw@host", False),
            ("http//u:p@h", False),
        ),
        *(("http://host/u:p@h", False), ("http://host?u:p@h", False), ("http://host#u:p@h", False)),
        *(("http:/u:p@h", False), ("mailto:u:p@h", False), ("git@host:path", False), ("http://u:p h@x", False)),
        *(("http://${U:-x}:${P:-y}@h", False), ("http://{u}:{p}@h", False), ("http://%s:%s@h", False)),
        *(("http://[user:passwd@]host", False), ("http://u:。@h", False), ("http://u:\uff0c@h", False)),
        *(("http://img:1.2@sha256:00", False), ("http%3A//img%3A1.2%40sha512%3A00", False)),
    ],
)
def test_passwords_in_urls(matcher: Any, url: str, found: bool) -> None:
    """A URL holds a secret if its authority has a password that is no mask and nothing to be filled in."""
    assert matcher.holds(url) is found
    assert matcher.holds(f"see {url} there") is found


@pytest.mark.parametrize(
    "text",
    [
        *("https://example.com/?next=postgres://u:pw@h", "http%3A%2F%2Fu%3Apw%40host", "http://u:pw@h and more"),
        *('http://u:pw@h/"x', "u:pw@h", "//u:pw@h", ":http://u:pw@h", "1http://u:pw@h", "http://u:pw@h\x7f"),
        *("http://u:pw@h/<x>", "https://example.com/", "see http://u:pw@h"),
    ],
)
def test_text_that_is_more_or_less_than_a_url(matcher: Any, text: str) -> None:
    """Only an absolute URL with the secret in its own authority is a secret as a whole."""
    assert not matcher.only(text)


@pytest.mark.parametrize("mask", ["x" * 128, "*" * 128, "{" + "p" * 126 + "}", "%2A" * 42])
def test_a_mask_has_an_end(matcher: Any, mask: str) -> None:
    """What is longer than 128 bytes is taken for a password whatever it looks like."""
    assert not matcher.holds(f"http://u:{mask}@h")
    assert matcher.holds(f"http://u:{mask[0] + 2 * mask[1:-1] + mask[-1]}@h")


@pytest.mark.parametrize("label", ["", "RSA ", "EC ", "DSA ", "OPENSSH ", "ENCRYPTED ", "ANY OTHER NEW "])
@pytest.mark.parametrize("below", ["\n", "\r\n", "\\n", "\\\\r\\\\n", "%0A", "  \n\t", "\n\n"])
def test_private_keys_with_any_label(matcher: Any, label: str, below: str) -> None:
    """A PEM header of a private key counts if a key follows below it, also if its end is cut off."""
    assert matcher.holds(f"-----BEGIN {label}PRIVATE KEY-----{below}MIIfake")
    for other in (f"{label}PUBLIC KEY", "CERTIFICATE", f"{label}PRIVATE", "PRIVATEKEY", "private key"):
        assert not matcher.holds(f"-----BEGIN {other}-----{below}MIIfake")


@pytest.mark.parametrize("after", ["", " is the header", "\n", '\\n"', "\n...", "\n<key>", "\n{key}", "'", "\\n'"])
def test_a_header_that_is_spoken_of_is_no_key(matcher: Any, after: str) -> None:
    """Without a key below it the header of a PEM block is a word like any other."""
    assert not matcher.holds(f"look for -----BEGIN PRIVATE KEY-----{after}")


def test_private_keys_however_their_lines_are_joined(matcher: Any) -> None:
    """A key is found in source code, on one line, quoted in mail and in a list of lines."""
    for name, key in PLANTED:
        if name in {"pem", "pem rsa", "pem ec", "pem openssh", "pem encrypted"}:
            for text in (split(key), key.replace("\n", " "), key.replace("\n", "\n> "), repr(key.splitlines())):
                assert matcher.holds(text), text


def test_two_private_keys_are_more_than_one(matcher: Any) -> None:
    """A bundle of PEM blocks holds secrets and is not one."""
    key = dict(PLANTED)["pem"]
    assert matcher.holds(f"{key}\n{key}")
    assert not matcher.only(f"{key}\n{key}")
    assert not matcher.only(key.rpartition("\n")[0])
    assert not matcher.only(key.replace("END PRIVATE", "END RSA PRIVATE"))


def test_subclasses_are_read_by_their_storage(matcher: Any) -> None:
    """What a subclass of str or bytes overrides is not asked."""

    class Text(str):
        __slots__ = ()

        def encode(self, *args: Any) -> bytes:
            raise AssertionError

    class Data(bytes):
        def __getitem__(self, key: Any) -> Any:
            raise AssertionError

        def find(self, *args: Any) -> int:
            raise AssertionError

    secret = dict(PLANTED)["openai"]
    for value in (Text(secret), Data(secret.encode())):
        assert matcher.holds(value)
        assert matcher.only(value)


@pytest.mark.parametrize("value", [None, 1, bytearray(b"x"), ["x"]])
def test_only_text_and_bytes_are_asked_about(value: Any) -> None:
    """The core refuses what is neither str nor bytes."""
    with pytest.raises(TypeError):
        _core.secret_value(value, whole=True)


@pytest.mark.parametrize("value", ["", b"", " ", "\n\t", "\x00", "é", "\ud800"])
def test_nothing_is_no_secret(matcher: Any, value: Any) -> None:
    """Empty text and blanks hold nothing."""
    assert not matcher.holds(value)
    assert not matcher.only(value)
