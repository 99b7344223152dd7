"""``siftpack bench`` checks before it times, and works with whatever is installed."""

import gc
import io
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from siftpack import reference
from siftpack.cli.bench import command, contests, corpora, peers, timing
from siftpack.cli.bench.corpora import Corpus

SMALL = ("small_context",)


def told(**options: Any) -> tuple[bool, str]:
    out = io.StringIO()
    passed = command.run(Console(file=out, width=120, markup=False), **{"seconds": 0.001, "only": SMALL, **options})
    return passed, out.getvalue()


@pytest.fixture
def afresh() -> Iterator[None]:
    """Who is installed is asked anew, now and afterwards."""
    peers.installed.cache_clear()
    yield
    peers.installed.cache_clear()


def test_the_command_works_anywhere(tmp_path: Path) -> None:
    """Run from another folder it exits with 0, and tells of siftpack, its reference and the peers."""
    line = [sys.executable, "-m", "siftpack", "bench", "--only", "small_context", "--seconds", "0.001"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for word in ("packb, clean data", "unpackb", "sanitize", "fingerprint", "reference", "ormsgpack", "geometric mean"):
        assert word in done.stdout


def test_an_unknown_corpus_is_refused() -> None:
    """A name that does not exist is an error that lists those that do."""
    with pytest.raises(LookupError, match="no corpus is called tiny; there are small_context"):
        told(only=("tiny",))


@pytest.mark.usefixtures("afresh")
def test_without_peers_it_compares_with_what_python_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no other library is installed, pickle, deepcopy and the reference are there, and records of theirs not."""
    for name in ("blake3", "ormsgpack", "msgspec", "msgpack", "pydantic_core", "sentry_sdk", "jsonpickle", "langgraph"):
        monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.setitem(sys.modules, f"{name}.serializer", None)
        monkeypatch.setitem(sys.modules, f"{name}.checkpoint.serde.jsonplus", None)
    passed, text = told(only=("small_context", "structs"))
    assert passed
    assert "structs" not in text
    assert [peer.name for peer in peers.installed()] == ["pickle"]
    assert "pickle+sha256" in text
    assert "geometric mean" not in text


def test_a_wrong_result_is_told_and_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not agree with the reference is not timed, and the run has failed."""
    monkeypatch.setitem(contests.MODULES, "siftpack", SimpleNamespace(sanitize=lambda _: {}))
    monkeypatch.setattr(reference, "fingerprint", lambda _: "another")
    passed, text = told()
    assert not passed
    assert "WRONG sanitize, beside copy.deepcopy: small_context: AssertionError" in text
    assert "WRONG fingerprint" in text


def test_two_minutes_are_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the time is up no further corpus is begun, and those left out are named."""
    monkeypatch.setattr(command, "LONGEST", -1.0)
    passed, text = told(only=())
    assert passed
    assert "Left out, for want of time: packb, clean data: small_context" in text


@pytest.mark.parametrize(
    "way",
    [
        peers.Way(lambda _: b"\xc0", lambda _: None),
        peers.Way(lambda _: b""),
        peers.Way(lambda value: value.missing),
        peers.Way(lambda value: value, lambda value: [float(number) for number in value]),
    ],
    ids=["another value", "nothing", "refusal", "another type"],
)
def test_a_peer_that_is_wrong_does_not_take_part(way: peers.Way, monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer is timed only where it gives back the data, type for type."""
    monkeypatch.setattr(contests, "installed", lambda: (peers.Peer("broken", (way,)),))
    corpus = Corpus("three", lambda: [1, 2, 3])
    assert contests.packing(corpus).keys() == {"siftpack", "reference"}
    assert contests.unpacking(corpus).keys() == {"siftpack", "reference"}


def test_a_peer_takes_part_in_the_first_way_that_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several settings the first that does it right is timed."""
    right = peers.Way(lambda value: value, lambda value: value)
    wrong = peers.Way(lambda _: b"\xc0", lambda _: None)
    monkeypatch.setattr(contests, "installed", lambda: (peers.Peer("two", (wrong, right)),))
    assert contests.packing(Corpus("one", lambda: [1]))["two"]() == [1]


@pytest.mark.parametrize("pair", [(1, True), (1, 1.0), ([0.0], [-0.0]), ({"a": 1, "b": 2}, {"b": 2, "a": 1})])
def test_exact_tells_types_signs_and_order_apart(pair: tuple[Any, Any]) -> None:
    """Plain data is the same only if its types and its order are."""
    assert not contests.exact(*pair)


def test_exact_does_not_see_who_shares() -> None:
    """Equal data is the same whether its parts are one object or several."""
    part = [1, "some text"]
    assert contests.exact([part, part], json.loads(json.dumps([part, part])))


def test_every_corpus_is_made_alike_each_time() -> None:
    """A corpus is the same data whenever it is built: the seeds are fixed."""
    for corpus in corpora.PLAIN:
        assert contests.exact(corpus.build(), corpus.build())


def test_everybody_runs_in_every_round() -> None:
    """Fast calls fill batches, slow ones run in fewer rounds, and the collector is as it was."""
    order: list[str] = []

    def slow() -> None:
        order.append("slow")
        time.sleep(0.002)

    found = timing.measure({"fast": lambda: order.append("fast"), "slow": slow}, 0.005, rounds=10)
    assert found["fast"].calls >= 10
    assert timing.FEWEST <= found["slow"].calls < 10
    assert found["slow"].minimum >= 2_000_000
    assert found["fast"].minimum <= found["fast"].median < found["slow"].minimum
    assert order[-1] == "fast"
    assert gc.isenabled()
