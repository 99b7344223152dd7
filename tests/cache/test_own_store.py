"""A store that somebody else wrote, with nothing of ours in it: the suite is all that it has to pass."""

import asyncio
import math
import time
from collections.abc import Callable, Sequence

import pytest

from siftpack.cache import AsyncBackend, AsyncCache, Backend, Cache
from siftpack.testing.backends import AsyncBackendSuite, BackendSuite


class Shelf:
    """Bytes in a dict, each with the moment when they end."""

    remote = False

    def __init__(self) -> None:
        self.kept: dict[str, tuple[bytes, float]] = {}

    def get(self, name: str, /) -> bytes | None:
        data, end = self.kept.get(name, (None, math.inf))
        return data if end > time.monotonic() else None

    def set(self, name: str, data: bytes, ttl: int | None, *, only_if_absent: bool = False) -> bool:
        if only_if_absent and self.exists(name):
            return False
        self.kept[name] = (data, math.inf if ttl is None else time.monotonic() + ttl / 1000)
        return True

    def delete(self, names: Sequence[str], /) -> int:
        there = [name for name in names if self.exists(name)]
        for name in names:
            self.kept.pop(name, None)
        return len(there)

    def exists(self, name: str, /) -> bool:
        return self.get(name) is not None

    def expire(self, name: str, ttl: int | None, /) -> bool:
        data = self.get(name)
        return data is not None and self.set(name, data, ttl)

    def ttl(self, name: str, /) -> int:
        if not self.exists(name):
            return -2
        left = self.kept[name][1] - time.monotonic()
        return -1 if left == math.inf else int(left * 1000)

    def get_many(self, names: Sequence[str], /) -> list[bytes | None]:
        return [self.get(name) for name in names]

    def set_many(self, items: Sequence[tuple[str, bytes]], ttl: int | None, /) -> bool:
        for name, data in items:
            self.set(name, data, ttl)
        return True

    def clear(self, prefix: str, /) -> int:
        return self.delete([name for name in self.kept if name.startswith(prefix)])

    def size(self, prefix: str, /) -> tuple[int, int, bool]:
        sizes = [len(self.get(name) or b"") for name in self.kept if name.startswith(prefix) and self.exists(name)]
        return len(sizes), sum(sizes), True

    def ping(self) -> None:
        """Always there."""

    def distrust(self) -> None:
        """Nothing to drop."""

    def close(self) -> None:
        self.kept.clear()


class AsyncShelf:
    """The same, awaited."""

    remote = False

    def __init__(self) -> None:
        self.shelf = Shelf()

    async def get(self, name: str, /) -> bytes | None:
        return self.shelf.get(name)

    async def set(self, name: str, data: bytes, ttl: int | None, *, only_if_absent: bool = False) -> bool:
        return self.shelf.set(name, data, ttl, only_if_absent=only_if_absent)

    async def delete(self, names: Sequence[str], /) -> int:
        return self.shelf.delete(names)

    async def exists(self, name: str, /) -> bool:
        return self.shelf.exists(name)

    async def expire(self, name: str, ttl: int | None, /) -> bool:
        return self.shelf.expire(name, ttl)

    async def ttl(self, name: str, /) -> int:
        return self.shelf.ttl(name)

    async def get_many(self, names: Sequence[str], /) -> list[bytes | None]:
        return self.shelf.get_many(names)

    async def set_many(self, items: Sequence[tuple[str, bytes]], ttl: int | None, /) -> bool:
        return self.shelf.set_many(items, ttl)

    async def clear(self, prefix: str, /) -> int:
        return self.shelf.clear(prefix)

    async def size(self, prefix: str, /) -> tuple[int, int, bool]:
        return self.shelf.size(prefix)

    async def ping(self) -> None:
        """Always there."""

    async def distrust(self) -> None:
        """Nothing to drop."""

    async def close(self) -> None:
        self.shelf.close()


class TestShelf(BackendSuite):
    @pytest.fixture
    def backend(self) -> Backend:
        """The store."""
        return Shelf()


class TestAsyncShelf(AsyncBackendSuite):
    @pytest.fixture
    def backend(self) -> Callable[[], AsyncBackend]:
        """The store, awaited."""
        return AsyncShelf


def test_a_cache_in_front_of_it() -> None:
    """A store that passes the suite holds the entries of both caches, and either reads what the other wrote."""
    awaited = AsyncShelf()
    user = Cache(awaited.shelf, namespace="app").for_user("u")

    async def run() -> None:
        other = AsyncCache(awaited, namespace="app").for_user("u")
        assert user.set("k", {"x": (1, None)})
        assert await other.get("k") == {"x": (1, None)}
        assert await other.set_many({"a": None, "b": print}) == {"a": True, "b": False}
        assert user.get_many(["a", "b", "k"]) == {"a": None, "k": {"x": (1, None)}}
        assert await other.clear() == 2

    asyncio.run(run())
    assert awaited.shelf.kept == {}
