"""A large output is the buffer it was written into: nobody else has it afterwards, and it holds what it shows."""

import sys
import threading

import msgpack
import pytest

import siftpack

FLOAT = 9
"""Bytes."""
EDGES = (1024, 8 * 1024, 1 << 20)
"""Bytes: the first room, the least output that is not copied, the most room that is kept."""


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("off", range(-2, 3))
@pytest.mark.parametrize("earlier", [0, 10, 3000, 300_000])
def test_an_output_of_any_size_is_exact_and_stays_what_it_was(edge: int, off: int, earlier: int) -> None:
    """Around each size at which something changes, after outputs of other sizes and before more of them."""
    before = siftpack.packb([1.5] * earlier)
    value = [float(at) for at in range(edge // FLOAT + off)]
    data = siftpack.packb(value)
    assert data == msgpack.packb(value)
    assert sys.getsizeof(data) == sys.getsizeof(b"") + len(data)
    assert hash(data) == hash(bytes(bytearray(data)))
    after = [siftpack.packb([2.5] * size) for size in (0, len(value), 3 * len(value))]
    assert data == msgpack.packb(value)
    assert before == msgpack.packb([1.5] * earlier)
    assert after == [msgpack.packb([2.5] * size) for size in (0, len(value), 3 * len(value))]


@pytest.mark.parametrize("size", range(8 * 1024 - 40, 8 * 1024 + 40, 7))
def test_an_output_that_ends_within_a_string_is_exact(size: int) -> None:
    """The room of a buffer runs out in the midst of a string."""
    value = ["x" * (size - 100), "y" * 90, None]
    data = siftpack.packb(value)
    assert data == msgpack.packb(value)
    assert sys.getsizeof(data) == sys.getsizeof(b"") + len(data)


def test_an_output_that_fails_midway_leaves_the_next_one_alone() -> None:
    """What a refused output had written is gone."""
    value = [[float(at)] * 100 for at in range(2000)]
    expected = msgpack.packb(value)
    for bound in (1, 1000, 9000, 100_000, 1_500_000):
        with pytest.raises(siftpack.LimitExceeded):
            siftpack.packb(value, limits=siftpack.Limits(bytes=bound))
        assert siftpack.packb(value) == expected


def test_sets_and_keys_of_parts_beside_a_large_output() -> None:
    """Elements are written to buffers of their own, which may have the room that another call left."""
    value = [1.5] * 5000, {frozenset({at, str(at)}) for at in range(50)}, {("k", at): [at] * 400 for at in range(50)}
    for _ in range(3):
        assert siftpack.unpackb(siftpack.packb(value)) == value


def test_outputs_of_many_threads_are_their_own() -> None:
    """Whoever takes the room that was kept has it alone."""
    wrong: list[int] = []

    def work(number: int) -> None:
        value = [float(number)] * (200 * number)
        expected = msgpack.packb(value)
        wrong.extend(number for _ in range(200) if siftpack.packb(value) != expected)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
