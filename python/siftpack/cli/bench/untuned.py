"""Data nobody tuned for: other alphabets, other shapes, other types."""

import random
from collections import deque
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

from siftpack.cli.bench.clean import WORDS, identifier

_GREEK = "αβγδεζηθικλμνξοπρστυφχψω"
_CYRILLIC = "абвгдежзиклмнопрстуфхцчшщэюя"
_CJK = "日本語中文字漢数値報告費用地域記憶通信要求結果"
_EMOJI = "🚀🔥📉📈🧠🤖💾🔒"
_LATIN = "àâçéèêëîïôùûüÿñæœßøå"


def non_ascii_text(count: int = 400) -> list[dict[str, str]]:
    """Texts of one, two and four bytes a character inside CPython, short and long."""
    rng = random.Random(11)
    rows = []
    for number in range(count):
        alphabet = (_LATIN + "abcdefgh ", _GREEK + " ", _CYRILLIC + " ", _CJK, _EMOJI + "abc ")[number % 5]
        text = "".join(rng.choices(alphabet, k=rng.choice((6, 20, 80, 300))))
        rows.append({"заголовок": text[:12], "text": text, "naïve": "ok"})
    return rows


def repeated_keys(count: int = 4000) -> list[dict[str, int]]:
    """Many small dicts with the same three keys."""
    rng = random.Random(12)
    return [{"x": rng.randrange(100), "y": rng.randrange(100), "weight": rng.randrange(10_000)} for _ in range(count)]


def wide_dict(count: int = 10_000) -> dict[str, int]:
    """One dict with many keys that are all different."""
    rng = random.Random(13)
    return {identifier(rng)[: rng.randrange(6, 36)] + str(number): number for number in range(count)}


def ints(count: int = 10_000) -> list[int]:
    """Every width MessagePack has, both signs, and the edges between them."""
    rng = random.Random(14)
    edges = [sign * (2**bits + off) for bits in (5, 7, 8, 15, 16, 31, 32, 62) for off in (-1, 0, 1) for sign in (1, -1)]
    edges += [0, 2**63 - 1, -(2**63), 2**63, 2**64 - 1]
    return edges + [rng.choice((1, -1)) * rng.getrandbits(rng.randrange(1, 63)) for _ in range(count - len(edges))]


def floats(count: int = 10_000) -> list[float]:
    """Small, large, whole, subnormal and infinite."""
    rng = random.Random(15)
    edges = [0.0, -0.0, 1.0, -1.5, 5e-324, 1.7976931348623157e308, float("inf"), float("-inf")]
    return edges + [rng.uniform(-1, 1) * 10.0 ** rng.randrange(-300, 300) for _ in range(count - len(edges))]


def deep(levels: int = 500) -> Any:
    """Lists and dicts in turn, 500 deep: as far as every peer goes."""
    value: Any = "bottom"
    for level in range(levels):
        value = {"level": level, "next": value} if level % 2 else [level, value]
    return value


def int_keys(count: int = 2000) -> dict[int, dict[int, float]]:
    """Dicts keyed by number."""
    rng = random.Random(16)
    return {number * 37: {day: rng.random() for day in range(7)} for number in range(count // 7)}


def mixed_values(count: int = 300) -> list[dict[str, Any]]:
    """Tuples, sets, dates, decimals, ids, large ints and bytes in one row."""
    rng = random.Random(17)
    start = datetime(2026, 1, 14, 9, 26, 53, 589793, tzinfo=UTC)
    return [
        {
            "point": (rng.random(), rng.random(), number),
            "tags": set(rng.sample(WORDS, 5)),
            "frozen": frozenset(rng.sample(range(1000), 4)),
            "at": start + timedelta(minutes=number),
            "local": (start + timedelta(hours=number)).astimezone(timezone(timedelta(hours=number % 12))),
            "day": date(2026, 1, 1) + timedelta(days=number),
            "took": timedelta(microseconds=rng.getrandbits(40)),
            "price": Decimal(rng.getrandbits(40)).scaleb(-4),
            "uuid": UUID(int=rng.getrandbits(128)),
            "large": rng.getrandbits(100),
            "blob": rng.randbytes(40),
            "recent": deque((1, 2, number), maxlen=8),
        }
        for number in range(count)
    ]
