"""A real server for all tests of agents."""

import os
from collections.abc import Iterator

import pytest

from siftpack.testing import servers


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """Where the server is: the one of ``REDIS_URL`` if it is set, else a Valkey of our own."""
    given = os.environ.get("REDIS_URL")
    if given:
        yield given
        return
    with servers.single() as running:
        yield running.url
