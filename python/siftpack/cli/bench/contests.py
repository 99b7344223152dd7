"""Calls to be timed, by name, for each question. Whatever is returned here has been seen to give the right result.

A wrong result of siftpack is an ``AssertionError``. A peer that cannot take a corpus, or does not give it back, does
not take part in that contest.
"""

import contextlib
import copy
import functools
import marshal
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

import siftpack
import siftpack.reference
from siftpack.cli.bench.corpora import Corpus
from siftpack.cli.bench.peers import DIGESTERS, REFERENCE, SIFTPACK, Peer, Way, installed
from siftpack.testing import same

Calls = dict[str, Callable[[], object]]
MODULES: dict[str, Any] = {"siftpack": siftpack, "reference": siftpack.reference}
OURS = {"siftpack": SIFTPACK, "reference": REFERENCE}
NO_SHARING = 2
"""The last version of marshal that writes equal data as equal bytes, whoever shares what."""


def packing(corpus: Corpus, *, only: Collection[str] = ()) -> Calls:
    """Write the corpus; of the peers those named in ``only``, if there are any."""
    _check_ours(corpus)
    return {name: partial(way.pack, corpus.value) for name, way in OURS.items()} | rivals(corpus, only=only)


def rivals(corpus: Corpus, *, only: Collection[str] = ()) -> Calls:
    """The peers alone, for data that the reference would need minutes for."""
    calls: Calls = {}
    for peer in installed():
        way = None if only and peer.name not in only else next(filter(partial(_packs, corpus), peer.ways), None)
        if way is not None:
            calls[peer.name] = partial(way.pack, corpus.value)
    return calls


def unpacking(corpus: Corpus) -> Calls:
    """Read what each wrote of the corpus, by those who give back what it was."""
    _check_ours(corpus)
    calls: Calls = {name: _reads(way, corpus) for name, way in OURS.items()}
    for peer in installed():
        way = next((way for way in peer.ways if way.unpack and _packs(corpus, way) and _gives_back(way, corpus)), None)
        if way is not None:
            calls[peer.name] = _reads(way, corpus)
    return calls


def copying(corpus: Corpus) -> Calls:
    """Make an isolated copy of the corpus."""
    expected = corpus.value if corpus.sort == "plain" else siftpack.reference.sanitize(corpus.value)
    right = exact if corpus.sort == "plain" else same
    for name, module in MODULES.items():
        assert right(module.sanitize(corpus.value), expected), f"sanitize of {name} changes {corpus.name}"
    ours: Calls = {name: partial(module.sanitize, corpus.value) for name, module in MODULES.items()}
    return ours | {"deepcopy": partial(copy.deepcopy, corpus.value)}


def digesting(corpus: Corpus) -> Calls:
    """Make a cache key of the corpus."""
    ours = siftpack.fingerprint(corpus.value)
    assert ours == siftpack.fingerprint(siftpack.sanitize(corpus.value)), f"the copy of {corpus.name} has another key"
    calls: Calls = {"siftpack": partial(siftpack.fingerprint, corpus.value)}
    with contextlib.suppress(ImportError):  # the reference needs blake3
        expected = siftpack.reference.fingerprint(corpus.value)
        assert ours == expected, f"fingerprint and its reference differ on {corpus.name}"
        calls["reference"] = partial(siftpack.reference.fingerprint, corpus.value)
    for peer in installed(DIGESTERS):
        if _repeats(peer, corpus.value):
            calls[peer.name] = partial(peer.ways[0].pack, corpus.value)
    return calls


def reporting(corpus: Corpus) -> Calls:
    """Write the corpus and read every finding."""
    ours, expected = (_written_and_read(module, corpus.value) for module in MODULES.values())
    assert ours == expected, f"the report and its reference differ on {corpus.name}"
    return packing(corpus) | {
        name: partial(_written_and_read, module, corpus.value) for name, module in MODULES.items()
    }


def _written_and_read(module: Any, value: Any) -> tuple[bytes, Any, Any]:
    data, report = module.packb_with_report(value)
    return data, report.findings, report.counts


@functools.cache
def _check_ours(corpus: Corpus) -> None:
    data = SIFTPACK.pack(corpus.value)
    assert data == REFERENCE.pack(corpus.value), f"siftpack and its reference differ on {corpus.name}"
    for name, way in OURS.items():
        assert way.unpack
        back = way.unpack(data)
        if corpus.sort == "plain":
            right = exact(back, corpus.value)
        else:
            right = same(back, siftpack.reference.sanitize(corpus.value))
        assert right, f"{name} reads {corpus.name} back changed"


def exact(one: Any, other: Any) -> bool:
    """True if plain data is the same, type for type and in order: ``same`` is slow where there is much of it."""
    return marshal.dumps(one, NO_SHARING) == marshal.dumps(other, NO_SHARING)


def _packs(corpus: Corpus, way: Way) -> bool:
    try:
        return bool(way.pack(corpus.value)) and (corpus.sort != "plain" or not way.unpack or _gives_back(way, corpus))
    except Exception:  # noqa: BLE001 - whatever a peer refuses with, it does not take part
        return False


def _gives_back(way: Way, corpus: Corpus) -> bool:
    assert way.unpack
    try:
        back = way.unpack(way.pack(corpus.value))
        return exact(back, corpus.value) if corpus.sort == "plain" else bool(back == corpus.value)
    except Exception:  # noqa: BLE001 - as above
        return False


def _reads(way: Way, corpus: Corpus) -> Callable[[], object]:
    assert way.unpack
    return partial(way.unpack, way.pack(corpus.value))


def _repeats(peer: Peer, value: Any) -> bool:
    try:
        return bool(peer.ways[0].pack(value) == peer.ways[0].pack(value))
    except Exception:  # noqa: BLE001 - as above
        return False
