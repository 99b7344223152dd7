"""Paths as text: how they are taken apart again."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siftpack.paths import split
from siftpack.report import Segment, render


def _named(name: str, module: str) -> type:
    made = type("A", (), {"__module__": module})
    made.__qualname__ = name
    return made


TEXTS = st.one_of(
    st.text(st.characters()),
    st.text(st.sampled_from('ab1_.$[]{}"\\\n\0\u202e\ud800é日')),
    st.sampled_from(("", "a", "..", "$.a[0]", "x" * 100, '"' * 64, "\\" * 65, "{}", '["]')),
)
TYPES = st.builds(_named, TEXTS, TEXTS)
PLAIN = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.binary()).map(lambda key: (key,))
SEGMENTS: st.SearchStrategy[Segment] = st.one_of(st.integers(0, 2**70), TEXTS, TYPES, PLAIN)


@given(st.lists(SEGMENTS, max_size=8))
def test_split_is_the_inverse_of_render(steps: list[Segment]) -> None:
    """A rendered path comes apart into its steps exactly, so equal beginnings have equal parts."""
    assert split(render(tuple(steps))) == tuple(render((step,))[1:] for step in steps)


@given(st.lists(SEGMENTS, max_size=5), st.lists(SEGMENTS, max_size=3), st.lists(SEGMENTS, max_size=3))
def test_equal_prefixes_group(prefix: list[Any], one: list[Any], other: list[Any]) -> None:
    """Two paths through one place share exactly the parts of that place."""
    first, second = split(render((*prefix, *one))), split(render((*prefix, *other)))
    assert first[: len(prefix)] == second[: len(prefix)] == split(render(tuple(prefix)))


@given(TEXTS, st.integers(0, 5))
def test_split_is_total(text: str, most: int) -> None:
    """Any text comes apart without a character lost, into no more parts than asked for and one."""
    body = text.removeprefix("$")
    assert "".join(split(text)) == "".join(split(text, most)) == body
    assert len(split(text, most)) <= most + 1
    assert split(text, most)[:most] == split(text)[:most]


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("$", ()),
        ("$.a", (".a",)),
        ("$.messages[3].agent", (".messages", "[3]", ".agent")),
        ("$.scores{1}{None}{-1.5}", (".scores", "{1}", "{None}", "{-1.5}")),
        (r'$["a\"]b"]["\\"].c', (r'["a\"]b"]', r'["\\"]', ".c")),
        ('${app.f.<locals>.C[int]}{"a}b"}', ("{app.f.<locals>.C[int]}", '{"a}b"}')),
        ("$.a.1b", (".a", ".1b")),
        ("$.a[0", (".a", "[0")),
        ("no path", ("no path",)),
        ("", ()),
    ],
)
def test_parts(path: str, parts: tuple[str, ...]) -> None:
    """Each step is a part as it stands there; what is no step is the last part."""
    assert split(path) == parts


@pytest.mark.timeout(20)
@pytest.mark.parametrize("part", ['["', '["\\', "{", '{"', "[1", ".a", '["\\"', "[0]"])
def test_splitting_is_linear(part: str) -> None:
    """A megabyte of openings that never close takes no time to speak of."""
    start = time.perf_counter()
    assert split("$" + part * 200_000, 50)
    assert time.perf_counter() - start < 2
