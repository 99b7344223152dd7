"""All kinds of machinery at every position, and the streams and iterators among them unread."""

import io
import itertools
from typing import Any

import pytest

from siftpack.policy import Action
from siftpack.testing import same
from siftpack.testing.machinery import hashable_specimens, specimens
from tests.hostile.positions import HASHED, PLAIN, path_of


@pytest.mark.parametrize("name", sorted(PLAIN))
def test_machinery_of_every_kind_leaves_its_place(subject: Any, name: str) -> None:
    """In every position each kind of machinery is dropped with its kind and path, and the rest is intact."""
    position = PLAIN[name]
    for kind, lost in specimens():
        payload, report = subject.packb_with_report(position.build(lost))
        assert same(subject.unpackb(payload), position.left), lost
        assert [(f.path, f.kind, f.action) for f in report] == [(path_of(position, lost), kind, Action.DROP)]


@pytest.mark.parametrize("name", sorted(HASHED))
def test_machinery_as_a_key_drops_its_entry(subject: Any, name: str) -> None:
    """As a key or set element each kind of machinery drops its entry with its kind and path."""
    position = HASHED[name]
    for kind, lost in hashable_specimens():
        payload, report = subject.packb_with_report(position.build(lost))
        assert same(subject.unpackb(payload), position.left), lost
        assert [(f.path, f.kind, f.action) for f in report] == [(path_of(position, lost), kind, Action.DROP)]


def test_all_machinery_at_once(subject: Any) -> None:
    """Every kind in every position of one graph leaves exactly what the positions leave one by one."""
    everything = [(position.build(lost.obj), position.left) for position in PLAIN.values() for lost in specimens()]
    everything += [
        (position.build(lost.obj), position.left) for position in HASHED.values() for lost in hashable_specimens()
    ]
    payload, report = subject.packb_with_report([built for built, _ in everything])
    assert same(subject.unpackb(payload), [left for _, left in everything])
    assert len(report) == len(everything)
    assert report.truncated


def test_streams_and_iterators_are_left_unread(subject: Any, tmp_path: Any) -> None:
    """Files, buffers, generators and iterators stand where they stood before the walk."""
    file = tmp_path / "text"
    file.write_text("unread")
    buffer, numbers = io.BytesIO(b"unread"), itertools.count()
    items = iter([1, 2, 3])
    generator = (number for number in range(3))
    with file.open() as opened:
        opened.read(2)
        built = [opened, buffer, numbers, items, generator, {"k": (generator, opened)}]
        subject.packb_with_report(built)
        subject.sanitize(built)
        assert opened.read() == "read"
    assert buffer.tell() == 0
    assert (next(numbers), next(items), next(generator)) == (0, 1, 0)
