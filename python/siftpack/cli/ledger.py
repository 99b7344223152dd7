"""How far a migration came, on disk: written whole after every batch, so that it is true whenever the process ends.

The report of what was refused is cut back to what the ledger knows when a migration goes on, so nothing is in it twice.
"""

import contextlib
import hashlib
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from siftpack.cli.stores import Trouble

_FORMAT: Final = "siftpack migrate 1"
_COUNTS: Final = ("scanned", "rewritten", "already", "refused", "gone", "unselected", "bytes_before", "bytes_after")

_FIELDS: Final = frozenset({"job", "finished", "report", "shape", "cursors", "counts", "forms", "reasons"})


class Counts:
    """What became of the keys so far. ``scanned`` is the sum of the five after it, apart from bytes."""

    def __init__(self, numbers: dict[str, int] | None = None) -> None:
        self.numbers = dict.fromkeys(_COUNTS, 0) | (numbers or {})
        self.forms: dict[str, int] = {}
        """Rewritten, by what they were."""
        self.reasons: dict[str, int] = {}
        """Refused, by reason."""

    def add(self, word: str, count: int = 1) -> None:
        """Count some more."""
        self.numbers[word] += count

    def copy(self) -> "Counts":
        """The same counts, which stay as they are."""
        other = Counts(dict(self.numbers))
        other.forms, other.reasons = dict(self.forms), dict(self.reasons)
        return other

    def plain(self) -> dict[str, Any]:
        """All of it for JSON."""
        return {**self.numbers, "rewritten_by_form": self.forms, "refused_by_reason": self.reasons}


class Report:
    """A file with a line of JSON for every refused key. Raises ``Trouble`` if another file is in its place.

    What is no regular file, such as ``/dev/null``, is written to and never cut back.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._first = json.dumps({"format": _FORMAT, "is": "keys that were refused"}).encode() + b"\n"
        with self._told():
            self._file: BinaryIO = path.open("r+b" if path.exists() else "x+b")
            self._regular = stat.S_ISREG(os.fstat(self._file.fileno()).st_mode)
        if self._regular:
            self._lock()
            start = self._file.read(len(self._first))
            if start and start != self._first:
                self._file.close()
                raise Trouble(f"{path} is no report of a migration and is left as it is: name another with --report")

    def begin(self, size: int | None) -> None:
        """Start at ``size``, where the ledger says that it ended, or anew. Raises ``Trouble``."""
        if not self._regular:
            return
        with self._told():
            if size is not None and not len(self._first) <= size <= self.path.stat().st_size:
                raise Trouble(f"{self.path} is not the report that the ledger knows: use --restart")
            self._file.seek(0)
            self._file.write(self._first)
            self._file.truncate(len(self._first) if size is None else size)
            self._file.seek(0, os.SEEK_END)

    def line(self, fields: dict[str, Any]) -> None:
        """One more refused key. Raises ``Trouble``."""
        with self._told():
            self._file.write(json.dumps(fields).encode() + b"\n")

    def sync(self) -> int:
        """Everything so far is on disk; how many bytes. Raises ``Trouble``."""
        with self._told():
            self._file.flush()
            if not self._regular:
                return 0
            os.fsync(self._file.fileno())
            return self._file.tell()

    def close(self) -> None:
        """Close the file."""
        with contextlib.suppress(OSError):  # what could not be written was told before
            self._file.close()

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as wrong:
            raise Trouble(f"the report cannot be written: {self.path}: {wrong.strerror}") from None

    def _lock(self) -> None:
        try:
            import fcntl
        except ImportError:  # Windows: two migrations at a time do no harm to the data, only to their report
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise Trouble(f"another migration is writing {self.path}") from None


class Ledger:
    """The state of a migration. ``path`` None keeps it in memory alone, for a dry run."""

    def __init__(self, path: Path | None, options: dict[str, Any], report: Report, *, restart: bool) -> None:
        """Goes on where the file says. Raises ``Trouble`` if it is of another migration, or damaged."""
        self.path = path
        self.counts = Counts()
        self.saved = Counts()
        """The counts up to the last whole batch."""
        self.shape: Any = None
        """Servers and their runs when it began: a cursor means something to the run that gave it alone."""
        self.cursors: dict[str, int | None] = {}
        """Where SCAN goes on, by server; None where it is through."""
        self.was_resumed = False
        """True if it went on from an earlier run."""
        self._report = report
        self._job = hashlib.sha256(json.dumps(options, sort_keys=True).encode()).hexdigest()[:32]
        state = None if path is None or restart else self._read(path)
        if state is not None and not state["finished"]:
            self.counts = Counts(state["counts"])
            self.counts.forms, self.counts.reasons = state["forms"], state["reasons"]
            self.shape, self.cursors, self.was_resumed = state["shape"], state["cursors"], True
            self.saved = self.counts.copy()
        report.begin(state["report"] if self.was_resumed and state is not None else None)

    def restart(self, shape: Any, labels: list[str]) -> None:
        """Begin anew with these servers."""
        self.counts = Counts()
        self.shape, self.cursors, self.was_resumed = shape, dict.fromkeys(labels, 0), False
        self._report.begin(None)
        self.save()

    def save(self, *, finished: bool = False) -> None:
        """What was counted so far is true, and the report is on disk."""
        size = self._report.sync()
        self.saved = self.counts.copy()
        if self.path is None:
            return
        state = {
            "format": _FORMAT,
            "job": self._job,
            "finished": finished,
            "report": size,
            "shape": self.shape,
            "cursors": self.cursors,
            "counts": self.counts.numbers,
            "forms": self.counts.forms,
            "reasons": self.counts.reasons,
        }
        beside = self.path.with_name(f"{self.path.name}.new")
        try:
            with beside.open("wb") as file:
                file.write(json.dumps(state, indent=1).encode())
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self.path)
        except OSError as wrong:
            raise Trouble(f"the ledger cannot be written: {self.path}: {wrong.strerror}") from None
        finally:
            with contextlib.suppress(OSError):
                beside.unlink()

    def _read(self, path: Path) -> dict[str, Any] | None:
        try:
            state = json.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            state = None
        if not isinstance(state, dict) or state.get("format") != _FORMAT or not state.keys() >= _FIELDS:
            raise Trouble(f"{path} is no ledger of a migration, or damaged: name another with --ledger, or --restart")
        if state["job"] != self._job and not state["finished"]:
            raise Trouble(f"{path} is of a migration with other options: finish it, or --ledger, or --restart")
        return state
