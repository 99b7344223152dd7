"""Errors that the caller has to see show what happened, and nothing of what was stored."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis.exceptions as errors

from siftpack.cache import AsyncCache, Cache
from siftpack.testing import servers

VALUE = "hunter2"
CALLS: list[Callable[[Any], Any]] = [
    lambda user: user.set("k", VALUE),
    lambda user: user.set_many({"k": VALUE, "j": VALUE}),
    lambda user: user.delete_many(["k", "j"]),
    lambda user: user.get_many(["k", "j"]),
    lambda user: user.clear(),
    lambda user: user.size_estimate(),
]


@pytest.fixture(scope="module")
def denied() -> Iterator[str]:
    """A server where the user of the URL may shake hands and nothing else."""
    with servers.single() as server:
        with server.client() as client:
            client.execute_command("ACL", "SETUSER", "guest", "on", ">pw", "~*", "-@all", "+hello", "+client", "+ping")
        yield server.url.replace("//", "//guest:pw@")


def shown(error: BaseException) -> str:
    return "".join(f"{each!r} {each}" for each in (error, error.__cause__) if each is not None)


def test_a_command_that_is_not_permitted(denied: str) -> None:
    """Each operation raises what the server said, without the value or the password, and counts no outage."""
    with Cache.from_url(denied, namespace="app") as cache:
        for call in CALLS:
            with pytest.raises(errors.NoPermissionError, match="permissions") as raised:
                call(cache.for_user("u"))
            assert VALUE not in shown(raised.value)
            assert "pw" not in shown(raised.value)
        assert cache.stats()["errors_by_kind"].keys() == {"bug"}
        assert cache.health()["breaker"] == "closed"


def test_a_command_that_is_not_permitted_awaited(denied: str) -> None:
    """The same of the asyncio cache."""

    async def run() -> None:
        async with AsyncCache.from_url(denied, namespace="app") as cache:
            for call in CALLS:
                with pytest.raises(errors.NoPermissionError, match="permissions") as raised:
                    await call(cache.for_user("u"))
                assert VALUE not in shown(raised.value)

    asyncio.run(run())
