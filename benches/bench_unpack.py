"""How long each peer takes to read back what it wrote: ``pytest benches --benchmark-only``."""

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from corpus import Corpus
from peers import Peer, check_unpack, contests

CONTESTS = list(contests(packing=False))


@pytest.mark.parametrize(("corpus", "peer"), CONTESTS, ids=[f"{corpus.name}-{peer.name}" for corpus, peer in CONTESTS])
def test_unpack(benchmark: BenchmarkFixture, corpus: Corpus, peer: Peer) -> None:
    """The result first, then the time."""
    check_unpack(corpus, peer)
    assert peer.unpack is not None
    benchmark.group = f"unpack {corpus.name}"
    benchmark(peer.unpack, peer.pack(corpus.value))
