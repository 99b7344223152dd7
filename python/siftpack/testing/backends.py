"""``BackendSuite``: what every backend of ``siftpack.cache`` must do. Subclass it in your own tests.

    class TestMine(BackendSuite):
        @pytest.fixture
        def backend(self):
            yield MyBackend(...)

An asyncio backend subclasses ``AsyncBackendSuite``, whose fixture ``backend`` is a function that makes one inside the
running loop. ``TICK`` is the finest time to live, in milliseconds, that the store keeps.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from siftpack.cache.backends import ENDLESS, GONE, AsyncBackend, Backend

BYTES = (b"", b"\x00", b"\xff\xfe\r\n$-1\r\n", bytes(range(256)), b"x" * 300_000)
"""Values that a store may mistake for something."""


class BackendSuite:
    """Each test is given a ``backend`` that others may use too: it touches names under ``suite:`` alone."""

    TICK: ClassVar[int] = 40

    def test_bytes_come_back_as_they_were(self, backend: Backend) -> None:
        """Any bytes, empty and binary ones too, come back exactly; a name that was never written gives None."""
        backend.clear("suite:")
        assert backend.get("suite:1:absent") is None
        for number, data in enumerate(BYTES):
            assert backend.set(f"suite:1:{number}", data, 60_000)
            assert backend.get(f"suite:1:{number}") == data
            assert type(backend.get(f"suite:1:{number}")) is bytes

    def test_a_second_write_replaces_the_first(self, backend: Backend) -> None:
        """The last value and its time to live count."""
        backend.clear("suite:")
        backend.set("suite:2:k", b"old", 60_000)
        assert backend.set("suite:2:k", b"new", None)
        assert backend.get("suite:2:k") == b"new"
        assert backend.ttl("suite:2:k") == ENDLESS

    def test_only_if_absent(self, backend: Backend) -> None:
        """``only_if_absent`` writes once, and leaves the first value and its time to live alone."""
        backend.clear("suite:")
        assert backend.set("suite:3:k", b"first", 60_000, only_if_absent=True)
        assert not backend.set("suite:3:k", b"second", None, only_if_absent=True)
        assert backend.get("suite:3:k") == b"first"
        assert 0 < backend.ttl("suite:3:k") <= 60_000

    def test_deleted_is_gone(self, backend: Backend) -> None:
        """``delete`` counts what was there, one name or many, and none of it is read again."""
        backend.clear("suite:")
        for name in "abc":
            backend.set(f"suite:4:{name}", b"v", 60_000)
        assert backend.delete(["suite:4:a"]) == 1
        assert backend.delete(["suite:4:a", "suite:4:b", "suite:4:c", "suite:4:d"]) == 2
        assert backend.delete([]) == 0
        assert backend.get_many(["suite:4:a", "suite:4:b", "suite:4:c"]) == [None, None, None]

    def test_exists(self, backend: Backend) -> None:
        """``exists`` tells an empty value from none."""
        backend.clear("suite:")
        assert not backend.exists("suite:5:k")
        backend.set("suite:5:k", b"", 60_000)
        assert backend.exists("suite:5:k")

    def test_entries_expire(self, backend: Backend) -> None:
        """After its time to live an entry is gone from every operation."""
        backend.clear("suite:")
        backend.set("suite:6:k", b"v", self.TICK)
        assert backend.get("suite:6:k") == b"v"
        time.sleep(self.TICK * 2 / 1000)
        assert backend.get("suite:6:k") is None
        assert not backend.exists("suite:6:k")
        assert backend.ttl("suite:6:k") == GONE
        assert backend.delete(["suite:6:k"]) == 0
        assert backend.set("suite:6:k", b"w", 60_000, only_if_absent=True)

    def test_time_to_live(self, backend: Backend) -> None:
        """``ttl`` and ``expire`` speak of milliseconds; an absent name is ``GONE`` and cannot be given a time."""
        backend.clear("suite:")
        assert backend.ttl("suite:7:k") == GONE
        assert not backend.expire("suite:7:k", 60_000)
        assert not backend.expire("suite:7:k", None)
        backend.set("suite:7:k", b"v", 60_000)
        assert 50_000 < backend.ttl("suite:7:k") <= 60_000
        assert backend.expire("suite:7:k", 90_000)
        assert 80_000 < backend.ttl("suite:7:k") <= 90_000
        assert backend.expire("suite:7:k", None)
        assert backend.ttl("suite:7:k") == ENDLESS
        assert backend.expire("suite:7:k", None)
        assert backend.get("suite:7:k") == b"v"

    def test_many_at_once(self, backend: Backend) -> None:
        """``set_many`` and ``get_many`` are as many single calls, in the order of the names, gaps as None."""
        backend.clear("suite:")
        items = [(f"suite:8:{number}", bytes([number])) for number in range(50)]
        assert backend.set_many(items, 60_000)
        backend.set_many([], None)
        names = [name for name, _ in items]
        assert backend.get_many([*names, "suite:8:absent"]) == [*(data for _, data in items), None]
        assert backend.get_many([]) == []
        assert all(0 < backend.ttl(name) <= 60_000 for name in names[:3])

    def test_clear_takes_a_prefix_and_nothing_else(self, backend: Backend) -> None:
        """``clear`` deletes what begins with the prefix, however the prefix looks, and leaves its neighbours."""
        backend.clear("suite:")
        kept = ["suite:9x:k", "suite:90:k", "suite:9", "suite:9[a]:k"]
        for name in kept:
            backend.set(name, b"v", 60_000)
        backend.set_many([(f"suite:9:{number}", b"v") for number in range(1200)], 60_000)
        assert backend.clear("suite:9:") == 1200
        assert backend.clear("suite:9:") == 0
        assert all(backend.exists(name) for name in kept)
        assert backend.clear("suite:9[a]:") == 1
        assert backend.delete(kept) == 3

    def test_size(self, backend: Backend) -> None:
        """``size`` counts the entries under a prefix and adds up their bytes."""
        backend.clear("suite:")
        assert backend.size("suite:10:") == (0, 0, True)
        backend.set_many([(f"suite:10:{number}", b"x" * 10) for number in range(20)], 60_000)
        assert backend.size("suite:10:") == (20, 200, True)

    def test_ping_and_distrust(self, backend: Backend) -> None:
        """``ping`` answers, and goes on answering after connections were dropped."""
        backend.clear("suite:")
        backend.set("suite:11:k", b"v", 60_000)
        backend.ping()
        backend.distrust()
        backend.ping()
        assert backend.get("suite:11:k") == b"v"


class AsyncBackendSuite:
    """The same promises, awaited: see ``BackendSuite``."""

    TICK: ClassVar[int] = 40

    def test_keeps_the_promises_of_the_suite(self, backend: Callable[[], AsyncBackend]) -> None:
        """Every test of ``BackendSuite`` holds of the backend, called through its event loop."""
        tests = [name for name in vars(BackendSuite) if name.startswith("test_")]
        assert len(tests) > 10
        with asyncio.Runner() as runner:
            made = runner.run(_made(backend))
            try:
                for name in tests:
                    suite = type("Suite", (BackendSuite,), {"TICK": self.TICK})()
                    getattr(suite, name)(_Blocking(made, runner))
            finally:
                runner.run(made.close())


async def _made(make: Callable[[], AsyncBackend]) -> AsyncBackend:
    return make()


class _Blocking:
    """An asyncio backend as a synchronous one, a call at a time."""

    def __init__(self, backend: Any, runner: asyncio.Runner) -> None:
        self._backend = backend
        self._runner = runner

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._backend, name)
        return lambda *args, **options: self._runner.run(_awaited(method, args, options))


async def _awaited(method: Callable[..., Awaitable[Any]], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    return await method(*args, **options)
