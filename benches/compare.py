"""siftpack beside its peers, in one process and in turn: ``python benches/compare.py [--quick] [--record]``.

Every result is checked before it is timed; a wrong one makes the exit code 1. The ratio is siftpack over the better
of ormsgpack and msgspec, so below 1 is faster. Times are minima; the record keeps the medians too.
"""

import argparse
import copy
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import peers
import report
import siftpack
import siftpack.reference
from corpus import ALL, Corpus
from siftpack.testing import same
from timing import Sample, measure

QUICK = ("siftpack", "ormsgpack", "ormsgpack+keys", "msgspec", "ormsgpack+repr")
"""Who takes part with ``--quick``: siftpack and those the ratio is against."""
Calls = dict[str, Callable[[], object]]


def packing(corpus: Corpus, taking: list[peers.Peer]) -> Calls:
    """Checked calls that write the corpus."""
    for peer in taking:
        peers.check_pack(corpus, peer)
    return {peer.name: partial(peer.pack, corpus.value) for peer in taking}


def unpacking(corpus: Corpus, taking: list[peers.Peer]) -> Calls:
    """Checked calls that read the corpus back; of rich data, only by those who give back more than text."""
    calls: Calls = {}
    for peer in taking:
        exact = corpus.sort == "plain" or peer.name not in report.BETTER_OF
        if peer.unpack is not None and corpus.sort != "dirty" and exact:
            peers.check_unpack(corpus, peer)
            calls[peer.name] = partial(peer.unpack, peer.pack(corpus.value))
    return calls


def copying(corpus: Corpus, _: list[peers.Peer]) -> Calls:
    """Checked calls that copy the corpus."""
    if corpus.sort == "dirty" or corpus.name == "mixed_values":
        return {}
    clean = siftpack.sanitize(corpus.value)
    assert same(clean, siftpack.reference.sanitize(corpus.value)), f"sanitize changes {corpus.name}"
    return {"siftpack": partial(siftpack.sanitize, corpus.value), "deepcopy": partial(copy.deepcopy, corpus.value)}


def reporting(corpus: Corpus, _: list[peers.Peer]) -> Calls:
    """Checked calls that write the corpus and read the report."""
    if corpus.sort != "dirty":
        return {}
    assert _packed_and_read(corpus.value) == _packed_and_read(corpus.value, siftpack.reference.packb_with_report)
    return {
        "siftpack": partial(_packed_and_read, corpus.value),
        "ormsgpack+repr": partial(peers.ORMSGPACK_REPR.pack, corpus.value),
    }


def _packed_and_read(value: Any, pack: Callable[..., Any] = siftpack.packb_with_report) -> tuple[bytes, Any, Any]:
    data, found = pack(value)
    return data, found.findings, found.counts


def one_leaf(corpus: Corpus, _: list[peers.Peer]) -> Calls:
    """Checked calls that write 130 000 values, clean and with one function among them."""
    if corpus.name != "one_dirty_leaf":
        return {}
    clean = siftpack.sanitize(corpus.value)
    assert len(siftpack.inspect(corpus.value)) == 1, "one function is one finding"
    return {"siftpack": partial(siftpack.packb, corpus.value), "the same, clean": partial(siftpack.packb, clean)}


def fingerprinting(corpus: Corpus, _: list[peers.Peer]) -> Calls:
    """Checked calls that make a cache key of the corpus; dirty data has no other contestant."""
    if corpus.sort == "dirty":
        return {}
    assert siftpack.fingerprint(corpus.value) == siftpack.reference.fingerprint(corpus.value), (
        f"differs on {corpus.name}"
    )
    taking = [peer for peer in peers.DIGESTS if peer.takes(corpus)]
    for peer in taking:
        assert peer.pack(corpus.value) == peer.pack(corpus.value), f"{peer.name} changes its mind on {corpus.name}"
    return {peer.name: partial(peer.pack, corpus.value) for peer in taking}


QUESTIONS: dict[str, Callable[[Corpus, list[peers.Peer]], Calls]] = {
    "pack": packing,
    "unpack": unpacking,
    "sanitize": copying,
    "report": reporting,
    "fingerprint": fingerprinting,
    "one_leaf": one_leaf,
}


def run(questions: list[str], corpora: list[Corpus], *, quick: bool, rounds: int) -> tuple[list[report.Row], list[str]]:
    """Measure each question on each corpus; also what was wrong."""
    rows, wrong = [], []
    for question in questions:
        for corpus in corpora:
            taking = [peer for peer in peers.ALL if peer.takes(corpus) and (not quick or peer.name in QUICK)]
            try:
                calls = QUESTIONS[question](corpus, taking)
            except Exception as error:  # noqa: BLE001 - a wrong result is what is looked for, in whatever form
                wrong.append(f"{question} {corpus.name}: {type(error).__name__}: {error}")
                continue
            if len(calls) > 1:
                samples: dict[str, Sample] = measure(calls, rounds, 1_000_000 if quick else 4_000_000)
                rows.append(report.Row(question, corpus.name, corpus.aimed, samples))
                print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return rows, wrong


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few rounds, only siftpack and the peers of the ratio")
    parser.add_argument("--record", action="store_true", help="write benches/record/<date>-<machine kind>.{json,md}")
    parser.add_argument("--rounds", type=int, help="rounds a case (quick: 7, else 25)")
    parser.add_argument("--only", action="append", metavar="WORD", help="corpora or questions, by name; repeatable")
    given = parser.parse_args()
    only = set(given.only or ())
    questions = [name for name in QUESTIONS if name in only] or list(QUESTIONS)
    corpora = [corpus for corpus in ALL if corpus.name in only] or list(ALL)
    unknown = only - set(QUESTIONS) - {corpus.name for corpus in ALL}
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    rounds = given.rounds or (7 if given.quick else 25)
    rows, wrong = run(questions, corpora, quick=given.quick, rounds=rounds)
    text = report.tables(rows)
    print(text)
    for line in wrong:
        print(f"WRONG {line}")
    if given.record and not wrong:
        print(f"recorded {report.record(rows, text, ' '.join(['benches/compare.py', *sys.argv[1:]]))}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
