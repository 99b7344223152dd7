"""Law 6: the same data gives the same bytes and the same report in every process."""

import os
import random
import subprocess
import sys
from collections import Counter, OrderedDict, deque
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any

from siftpack.testing.machinery import hashable_specimens, specimens
from siftpack.testing.zoo import ENUMS, Frozen, Held, Int, Loose, Opaque, Pair, Plain, Str, failed, marked
from tests.conftest import core

SEEDS = ("0", "1", "4242", "random")
ROOT = Path(__file__).resolve().parents[2]


def _hashable(draw: random.Random, depth: int = 0) -> Any:
    made = draw.choice(
        [
            *(
                lambda: draw.randrange(-300, 300),
                lambda: draw.choice("abcdefgh") * draw.randrange(4),
                draw.random,
            ),
            *(
                lambda: draw.choice(ENUMS[:2]),
                lambda: Decimal(draw.randrange(9)) / 10,
                lambda: PurePosixPath(draw.choice("xyz")),
            ),
            *(
                lambda: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=draw.randrange(9)),
                lambda: b"b" * draw.randrange(3),
            ),
            *(
                lambda: marked(Str(draw.choice("stu")), 1),
                lambda: Int(draw.randrange(5)),
                lambda: "\ud800",
                lambda: 2**80,
            ),
            *(
                lambda: Frozen(draw.randrange(3), draw.choice("ab")),
                lambda: Pair(draw.randrange(3)),
                lambda: Loose(1, "z"),
            ),
        ]
    )
    if depth < 3 and draw.random() < 0.4:
        inner = [_hashable(draw, depth + 1) for _ in range(draw.randrange(4))]
        return draw.choice([tuple, frozenset])(inner)
    return made()


def _value(draw: random.Random, depth: int = 0) -> Any:
    if depth > 3 or draw.random() < 0.3:
        return draw.choice([lambda: _hashable(draw), lambda: draw.choice(specimens()).obj])()
    inner = [_value(draw, depth + 1) for _ in range(draw.randrange(4))]
    keys = [_hashable(draw) for _ in range(draw.randrange(8))]
    lost = [draw.choice(hashable_specimens()).obj for _ in range(draw.randrange(3))]
    return draw.choice(
        [
            *(
                lambda: inner,
                lambda: tuple(inner),
                lambda: deque(inner),
                lambda: {*keys, *lost},
                lambda: frozenset(keys + lost),
            ),
            *(
                lambda: dict.fromkeys(keys, inner),
                lambda: OrderedDict((key, 1) for key in keys + lost),
                lambda: Counter(keys),
            ),
            *(lambda: Plain(inner, {*keys}), lambda: Held(1, api_key=inner), lambda: Opaque(a=inner, b={*keys, *lost})),
            *(lambda: failed("m", inner, note="n"), lambda: {key: {*keys} for key in keys}, lambda: [{*keys}, {*lost}]),
        ]
    )()


def values() -> list[Any]:
    """The same two hundred values in every process."""
    draw = random.Random(7)
    return [_value(draw) for _ in range(200)]


def main() -> None:
    """Print bytes and report of every value."""
    for value in values():
        payload, report = core().packb_with_report(value)
        text = str(report).replace("\n", "|").encode("unicode_escape").decode()
        sys.stdout.write(f"{payload.hex()} {text}\n")


def test_hash_seed_and_process_change_nothing() -> None:
    """Processes with different hash seeds and addresses write the same bytes and the same reports."""
    outputs = set()
    for seed in SEEDS:
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-W", "ignore", "-m", "tests.properties.test_determinism"]
        done = subprocess.run(
            command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
        )
        outputs.add(done.stdout)
    assert len(outputs) == 1
    assert len(outputs.pop().splitlines()) == len(values())


def test_machinery_beside_the_data_changes_no_byte() -> None:
    """The bytes are those of the sanitized value: nothing of the machinery that stood beside it is in them."""
    for value in values():
        assert core().packb(value) == core().packb(core().sanitize(value))


class Left:
    """Hashes as it is told."""

    def __init__(self, place: int) -> None:
        self.place = place

    def __hash__(self) -> int:
        return self.place


class Right(Left):
    """The same under another name."""


def test_a_set_element_that_is_lost_is_reported_the_same_whatever_its_own_order() -> None:
    """An element that cannot be kept as a whole has the same findings however its own set happens to be ordered."""
    one, other = (frozenset([Left(place), Right(3 - place), Int(5)]) for place in (1, 2))
    assert [type(item) for item in one] != [type(item) for item in other]
    assert core().inspect({one}) == core().inspect({other})


if __name__ == "__main__":
    main()
