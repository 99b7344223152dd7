"""The commands find the master that sentinels name."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from siftpack.cli.stores import Store
from tests.cli.conftest import Calls
from tests.cli.mixed import check, fill, whole

COUNT = 1000


@pytest.fixture
def calls(sentinel_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Calls:
    """The command line on servers behind sentinels."""
    monkeypatch.chdir(tmp_path)
    return Calls(sentinel_url, tmp_path)


@pytest.fixture
def master(calls: Calls) -> Iterator[Redis]:
    """A client of the master, which is empty."""
    with Store(calls.url) as store:
        store.client.flushall()
        yield store.client


def test_a_store_behind_sentinels_is_scanned(calls: Calls, master: Redis) -> None:
    """All keys of the master are counted, by their formats."""
    fill(master, COUNT)
    page = calls.found("scan")
    assert (page["keys"], page["finished"]) == (COUNT, True)
    assert calls.found("scan", "--match", "app:u3:*")["keys"] == COUNT // 10


def test_a_store_behind_sentinels_is_migrated(calls: Calls, master: Redis, tmp_path: Path) -> None:
    """Without ``--apply`` nothing is written; with it every entry of the master is right, with its time to live."""
    wanted = fill(master, COUNT)
    before = {key: master.dump(key) for key in master.scan_iter()}
    dry = calls.found("migrate", *whole(tmp_path))
    assert {key: master.dump(key) for key in master.scan_iter()} == before
    done = calls.found("migrate", *whole(tmp_path), "--apply")
    assert done["finished"]
    assert done["rewritten"] == dry["rewritten"] > COUNT // 2
    check(master, wanted, calls.refused())
    again = calls.found("migrate", *whole(tmp_path), "--apply")
    assert (again["rewritten"], again["refused"]) == (0, done["refused"])
