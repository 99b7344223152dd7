"""Where bytes are kept. A backend knows names and bytes, and nothing of values, users or formats."""

from collections.abc import Sequence
from typing import Final, Protocol

GONE: Final = -2
"""What ``ttl`` gives for a name that is not there."""
ENDLESS: Final = -1
"""What ``ttl`` gives for an entry that does not expire."""


class Backend(Protocol):
    """A store that is asked in the caller's thread. Times are milliseconds; errors are the store's own."""

    @property
    def remote(self) -> bool:
        """True if it can be out of reach, and wants an embedded store behind it."""
        ...

    def get(self, name: str, /) -> bytes | None:
        """The bytes under a name, None if there are none."""
        ...

    def set(self, name: str, data: bytes, ttl: int | None, *, only_if_absent: bool = False) -> bool:
        """Keep bytes; False if ``only_if_absent`` and there were some, and if they were not kept."""
        ...

    def delete(self, names: Sequence[str], /) -> int:
        """Delete; how many were there."""
        ...

    def exists(self, name: str, /) -> bool:
        """True if there are bytes under a name."""
        ...

    def expire(self, name: str, ttl: int | None, /) -> bool:
        """Give an entry a new time to live, None for no end; False if it is not there."""
        ...

    def ttl(self, name: str, /) -> int:
        """Milliseconds left, ``ENDLESS`` or ``GONE``."""
        ...

    def get_many(self, names: Sequence[str], /) -> list[bytes | None]:
        """``get`` for each name, in one go where the store can."""
        ...

    def set_many(self, items: Sequence[tuple[str, bytes]], ttl: int | None, /) -> bool:
        """``set`` for each name; False unless all were kept."""
        ...

    def clear(self, prefix: str, /) -> int:
        """Delete all names that begin with a prefix; how many."""
        ...

    def size(self, prefix: str, /) -> tuple[int, int, bool]:
        """Entries and bytes under a prefix, and whether both were counted rather than projected."""
        ...

    def ping(self) -> None:
        """Raises the store's error if it does not answer."""
        ...

    def distrust(self) -> None:
        """Drop connections that may be out of step."""
        ...

    def close(self) -> None:
        """Let go of what the backend itself made."""
        ...


class AsyncBackend(Protocol):
    """A store that is awaited: each method as in ``Backend``."""

    @property
    def remote(self) -> bool:
        """As in ``Backend``."""
        ...

    async def get(self, name: str, /) -> bytes | None:
        """As in ``Backend``."""
        ...

    async def set(self, name: str, data: bytes, ttl: int | None, *, only_if_absent: bool = False) -> bool:
        """As in ``Backend``."""
        ...

    async def delete(self, names: Sequence[str], /) -> int:
        """As in ``Backend``."""
        ...

    async def exists(self, name: str, /) -> bool:
        """As in ``Backend``."""
        ...

    async def expire(self, name: str, ttl: int | None, /) -> bool:
        """As in ``Backend``."""
        ...

    async def ttl(self, name: str, /) -> int:
        """As in ``Backend``."""
        ...

    async def get_many(self, names: Sequence[str], /) -> list[bytes | None]:
        """As in ``Backend``."""
        ...

    async def set_many(self, items: Sequence[tuple[str, bytes]], ttl: int | None, /) -> bool:
        """As in ``Backend``."""
        ...

    async def clear(self, prefix: str, /) -> int:
        """As in ``Backend``."""
        ...

    async def size(self, prefix: str, /) -> tuple[int, int, bool]:
        """As in ``Backend``."""
        ...

    async def ping(self) -> None:
        """As in ``Backend``."""
        ...

    async def distrust(self) -> None:
        """As in ``Backend``."""
        ...

    async def close(self) -> None:
        """As in ``Backend``."""
        ...
