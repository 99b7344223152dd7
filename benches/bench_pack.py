"""How long each peer takes to write each corpus: ``pytest benches --benchmark-only``."""

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from corpus import Corpus
from peers import Peer, check_pack, contests

CONTESTS = list(contests(packing=True))


@pytest.mark.parametrize(("corpus", "peer"), CONTESTS, ids=[f"{corpus.name}-{peer.name}" for corpus, peer in CONTESTS])
def test_pack(benchmark: BenchmarkFixture, corpus: Corpus, peer: Peer) -> None:
    """The result first, then the time."""
    check_pack(corpus, peer)
    benchmark.group = f"pack {corpus.name}"
    benchmark(peer.pack, corpus.value)
