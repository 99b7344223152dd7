"""Many users at once, undisturbed: every answer is the right one."""

import os
from typing import Any

import pytest

from siftpack.cache import Seal
from siftpack.testing.traffic import USERS, Worker
from tests.faults import busy

SYNC = int(os.environ.get("SIFTPACK_SYNC_OPERATIONS", "100000"))
ASYNC = int(os.environ.get("SIFTPACK_ASYNC_OPERATIONS", "100000"))


def right(workers: list[Worker], stats: dict[str, Any], operations: int) -> None:
    assert [text for worker in workers for text in worker.wrong] == []
    assert sum(worker.checked for worker in workers) == operations
    assert stats["errors_by_kind"] == {}
    assert stats["misses_by_reason"].keys() <= {"absent"}
    assert stats["hits"] > operations / 5
    assert stats["users"].keys() == {f"user-{number}" for number in range(USERS)}


def test_sixteen_threads(url: str) -> None:
    """16 threads and 200 users on one cache: no wrong answer and no error."""
    workers, stats = busy.threads(url, 16, SYNC)
    right(workers, stats, SYNC // 16 * 16)


def test_five_hundred_tasks(url: str) -> None:
    """500 asyncio tasks and 200 users on one cache: no wrong answer and no error."""
    workers, stats = busy.tasks(url, 500, ASYNC)
    right(workers, stats, ASYNC // 500 * 500)


@pytest.mark.parametrize("where", ["sentinel_url", "cluster_url"])
def test_groups_of_servers(where: str, request: pytest.FixtureRequest) -> None:
    """The same behind sentinels and in a cluster, by threads and by tasks."""
    address = request.getfixturevalue(where)
    workers, stats = busy.threads(address, 4, 2000)
    right(workers, stats, 2000)
    workers, stats = busy.tasks(address, 20, 2000)
    right(workers, stats, 2000)


def test_sealed_traffic(url: str) -> None:
    """The same with a seal."""
    workers, stats = busy.threads(url, 4, 2000, seal=Seal({1: bytes(32)}))
    right(workers, stats, 2000)
