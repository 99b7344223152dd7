"""Keys that begin with a mark of who issued them: ``ghp_``, ``AKIA``, ``sk-`` and their like.

A mark alone says little (``sk-`` begins CSS classes too), so what follows has to look drawn at random. A key shows that
in its first 64 characters or not at all, which keeps the work at each mark bounded.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

CAPITALS = rb"A-Z0-9"
HEX = rb"0-9a-f"
ALNUM = rb"A-Za-z0-9"
WORD = rb"A-Za-z0-9_"
SLACK = rb"A-Za-z0-9-"
URL = rb"A-Za-z0-9_-"
DOTTED = rb"A-Za-z0-9_.-"
BASE64 = rb"A-Za-z0-9+/="
TOKEN = rb"A-Za-z0-9_.~+/=-"

ANY = 1 << 62
WINDOW = 64
"""Bytes of a key that are looked at."""
LEAST = 20
"""Bytes that a token has at least where the issuer does not say more."""


class Key(NamedTuple):
    """A mark, the characters that may follow it, how many at least and at most, and whether words have the mark too."""

    mark: bytes
    follow: bytes
    least: int
    most: int
    doubtful: bool = False


KEYS = (
    # OpenAI, Anthropic, OpenRouter, DeepSeek, Langfuse and many more; Stripe
    Key(b"sk-", URL, LEAST, ANY, doubtful=True),
    *(Key(mark, ALNUM, 16, ANY) for mark in (b"sk_live_", b"sk_test_", b"rk_live_", b"rk_test_")),
    Key(b"whsec_", BASE64, 24, ANY),
    # AWS, Google, DigitalOcean
    *(Key(mark, CAPITALS, 16, 16) for mark in (b"AKIA", b"ASIA")),
    Key(b"AIza", URL, 35, 35),
    Key(b"ya29.", DOTTED, LEAST, ANY),
    Key(b"GOCSPX-", URL, 28, 28),
    *(Key(mark, HEX, 64, 64) for mark in (b"dop_v1_", b"doo_v1_", b"dor_v1_")),
    # GitHub, GitLab, package registries
    *(Key(mark, ALNUM, 36, ANY) for mark in (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_")),
    Key(b"github_pat_", WORD, 36, ANY),
    *(Key(mark, DOTTED, LEAST, ANY) for mark in (b"glpat-", b"gldt-", b"glrt-", b"glptt-", b"glcbt-")),
    Key(b"npm_", ALNUM, 36, ANY),
    Key(b"pypi-AgE", URL, 50, ANY),
    # Slack, SendGrid, Twilio, Shopify
    *(Key(b"xox" + kind + b"-", SLACK, LEAST, ANY) for kind in (b"a", b"b", b"e", b"o", b"p", b"r", b"s")),
    Key(b"xapp-", SLACK, LEAST, ANY),
    Key(b"SG.", DOTTED, 60, 80, doubtful=True),
    Key(b"SK", HEX, 32, 32),
    *(Key(mark, HEX, 32, 32) for mark in (b"shpat_", b"shpca_", b"shppa_", b"shpss_")),
    # models, search and tracing
    Key(b"hf_", ALNUM, 30, 40),
    Key(b"gsk_", ALNUM, 40, ANY),
    Key(b"xai-", ALNUM, 40, ANY),
    Key(b"pplx-", ALNUM, 40, ANY),
    Key(b"nvapi-", URL, 40, ANY),
    Key(b"r8_", ALNUM, 37, 40),
    Key(b"tvly-", URL, LEAST, ANY),
    Key(b"pcsk_", WORD, 40, ANY),
    Key(b"jina_", ALNUM, 60, ANY),
    Key(b"lsv2_pt_", WORD, 32, ANY),
    Key(b"lsv2_sk_", WORD, 32, ANY),
    # vaults and workshops
    Key(b"hvs.", URL, 24, ANY),
    Key(b"AGE-SECRET-KEY-1", CAPITALS, 58, 58),
    Key(b"glsa_", WORD, 32, ANY),
    Key(b"ntn_", ALNUM, 40, ANY),
    Key(b"figd_", URL, 36, ANY),
    Key(b"lin_api_", ALNUM, 36, ANY),
    Key(b"sbp_", HEX, 40, 40),
    Key(b"sb_secret_", URL, LEAST, ANY),
)

_RUN = {key.follow: re.compile(b"[" + key.follow + b"]*+") for key in KEYS}
_CHANGE = re.compile(rb"[a-z](?=[A-Z0-9])|[A-Z](?=[a-z0-9])|[0-9](?=[A-Za-z])")
_STRETCH = re.compile(rb"[A-Za-z0-9]++")
_UUID = re.compile(rb"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_DIGIT, _LETTER = re.compile(rb"[0-9]"), re.compile(rb"[A-Za-z]")
_LOWER, _UPPER = re.compile(rb"[a-z]"), re.compile(rb"[A-Z]")
_OPENING = re.compile(
    rb"(?<![A-Za-z0-9])|(?<=\\[abefnrtv0])|(?<=\\x[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4})|(?<=%[0-9A-Fa-f]{2})"
)


def opens(data: bytes, at: int) -> bool:
    """True if a word can begin here: after anything but an ASCII letter or digit, or after an escape."""
    return _OPENING.match(data, at) is not None


def places(data: bytes, mark: bytes) -> Iterator[int]:
    """Where a mark begins a word."""
    at = data.find(mark)
    while at >= 0:
        if opens(data, at):
            yield at
        at = data.find(mark, at + 1)


def looks_random(text: bytes, *, doubtful: bool) -> bool:
    """True if text looks drawn at random: not like words, numbers or names with separators between them.

    Of the first 64 characters at least six differ, and there is a stretch of twelve with letters and digits, or a UUID,
    or they change four times between small, capital and digit, with a digit or with more capitals, or more small
    letters, than names have. Where words are to be expected, more of it is asked for.
    """
    window = text[:WINDOW]
    if len(set(window)) < 6:
        return False
    stretch, changes, share = (16, 6, 5) if doubtful else (12, 4, 6)
    parts = (part for part in _STRETCH.findall(window) if len(part) >= stretch)
    if any(_DIGIT.search(part) and _LETTER.search(part) for part in parts):
        return True
    if len(_CHANGE.findall(window)) >= changes:
        lower, upper = len(_LOWER.findall(window)), len(_UPPER.findall(window))
        if _DIGIT.search(window) or share * min(lower, upper) >= lower + upper:
            return True
    return _UUID.search(window) is not None


def _is_body(key: Key, body: bytes) -> bool:
    if not key.least <= len(body) <= key.most:
        return False
    # Sixteen capitals may well be without a digit, and nothing else follows these marks.
    return len(set(body)) >= 6 if key.follow is CAPITALS else looks_random(body, doubtful=key.doubtful)


def holds_key(data: bytes) -> bool:
    """True if one of the keys is anywhere in the data."""
    return any(_is_body(key, _body(key, data, at)) for key in KEYS for at in places(data, key.mark))


def _body(key: Key, data: bytes, at: int) -> bytes:
    start = at + len(key.mark)
    # One more than a key has tells that it is none; more than that need not be read.
    longest = max(key.least, WINDOW) if key.most == ANY else key.most + 1
    return _RUN[key.follow].match(data, start, start + longest)[0]  # type: ignore[index]  # it matches nothing, too


def is_key(data: bytes) -> bool:
    """True if the data is one of the keys and nothing else."""
    for key in KEYS:
        body = data[len(key.mark) :]
        if data.startswith(key.mark) and _RUN[key.follow].fullmatch(body) and _is_body(key, body):
            return True
    return False
