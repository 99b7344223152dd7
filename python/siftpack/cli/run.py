"""One run of ``siftpack migrate``: files opened, migration driven, and what became of it told, whatever ended it."""

import contextlib
import json
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from siftpack.cli.ledger import Counts, Ledger, Report
from siftpack.cli.migrate import Migration, show
from siftpack.cli.progress import Progress
from siftpack.cli.request import Request
from siftpack.cli.stores import Store


class Files(NamedTuple):
    """Where a run notes things. ``ledger`` is None for a dry run; ``restart`` forgets what is in it."""

    ledger: Path | None
    report: Path
    restart: bool


class Run:
    """A run that is to be made. ``finished`` is True once every key was dealt with."""

    def __init__(self, files: Files) -> None:
        self.finished = False
        self._files = files
        self._counts: Counts | None = None
        self._resumed = False

    def make(self, store: Store, request: Request) -> None:
        """Until it is finished, or a signal ends it. Raises ``Trouble`` and the client's errors."""
        files = self._files
        plan = request.plan(dry=files.ledger is None)
        with contextlib.closing(Report(files.report)) as report:
            ledger = Ledger(files.ledger, request.identity(store.shown), report, restart=files.restart)
            try:
                with contextlib.suppress(SystemExit), Progress() as progress:
                    Migration(store, plan, ledger, report, progress).run()
                    self.finished = True
            finally:
                self._counts, self._resumed = ledger.saved, ledger.was_resumed

    def tell(self, console: Console, *, as_json: bool) -> None:
        """Print what became of the keys, up to the last whole batch; nothing if it did not come to that."""
        if self._counts is None:
            return
        ledger, report = self._files.ledger, str(self._files.report)
        if not as_json:
            show(console, self._counts, dry=ledger is None, report=report, finished=self.finished)
            return
        found = {
            "dry_run": ledger is None,
            "finished": self.finished,
            "resumed": self._resumed,
            "report": report,
            "ledger": None if ledger is None else str(ledger),
            **self._counts.plain(),
        }
        print(json.dumps(found, indent=2))
