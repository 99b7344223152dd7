"""What a remote store still owes a delete, and who settles that."""

import threading
import time
from collections.abc import Sequence
from typing import Final

from siftpack.cache import forks

NOTED: Final = 10_000
"""Names that are noted; beyond that their whole namespaces are."""
PATIENCE: Final = 5.0
"""Seconds after which a settlement counts as torn, and somebody else takes it up."""
PATIENCE_FOR_ALL: Final = 60.0
"""The same if whole namespaces are to be looked through."""


class Notes:
    """Names and prefixes that the remote store still owes a delete."""

    __slots__ = ("__weakref__", "_lock", "_names", "_prefixes", "_settler", "_turn", "_until", "owing")

    def __init__(self) -> None:
        self.owing = False
        self._lock = threading.RLock()
        self._names: dict[str, int] = {}
        self._prefixes: dict[str, int] = {}
        self._turn = 0
        self._settler: object = None
        self._until = 0.0
        forks.register(self)

    def add(self, names: Sequence[str]) -> None:
        """Note names."""
        with self._lock:
            self.owing = True
            self._turn += 1
            self._names |= dict.fromkeys(names, self._turn)
            if len(self._names) > NOTED:
                spaces = {f"{name.partition(':')[0]}:" for name in self._names}
                self._prefixes |= dict.fromkeys(spaces, self._turn)
                self._names.clear()

    def add_prefix(self, prefix: str) -> None:
        """Note all names that begin with a prefix."""
        with self._lock:
            self.owing = True
            self._turn += 1
            self._prefixes[prefix] = self._turn

    def taken_by(self, settler: object) -> bool:
        """True if it is this one who settles now: one at a time, or what is new would be deleted with the old."""
        with self._lock:
            now = time.monotonic()
            if self.busy and now < self._until:
                return False
            self._settler = settler
            self._until = now + (PATIENCE_FOR_ALL if self._prefixes else PATIENCE)
            return True

    @property
    def busy(self) -> bool:
        """True while somebody settles."""
        return self._settler is not None

    def left_by(self, settler: object) -> None:
        """A settlement ended, well or not."""
        if self._settler is settler:
            self._settler = None

    def taken(self) -> tuple[dict[str, int], dict[str, int]]:
        """All that is noted now."""
        with self._lock:
            return dict(self._names), dict(self._prefixes)

    def settled(self, settler: object, names: dict[str, int], prefixes: dict[str, int]) -> bool:
        """Strikes out what was taken and not noted again since; True if nothing is left, and nobody took over."""
        with self._lock:
            if self._settler is not settler:
                return False
            for noted, done in ((self._names, names), (self._prefixes, prefixes)):
                for name, turn in done.items():
                    if noted.get(name) == turn:
                        del noted[name]
            self.owing = bool(self._names or self._prefixes)
            return not self.owing

    def after_fork(self) -> None:
        """The child owes what its parent noted, and waits for no thread of the parent's."""
        self._lock = threading.RLock()
        self._settler = None
