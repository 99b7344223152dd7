"""One run of ``siftpack migrate``: files opened, migration driven, result printed, whatever ends it."""

import contextlib
import json
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from siftpack.cli.ledger import Ledger, Report
from siftpack.cli.migrate import Migration, show
from siftpack.cli.progress import Progress
from siftpack.cli.request import Request
from siftpack.cli.stores import Store


class Files(NamedTuple):
    """Where a run notes things. ``ledger`` is None for a dry run; ``restart`` forgets what is in it."""

    ledger: Path | None
    report: Path
    restart: bool


def migrated(console: Console, store: Store, request: Request, files: Files, *, as_json: bool) -> bool:
    """True if every key was dealt with; what was is printed in any case.

    Raises ``Trouble`` and the client's errors.
    """
    dry = files.ledger is None
    plan = request.plan(dry=dry)
    finished = False
    with contextlib.closing(Report(files.report)) as report:
        ledger = Ledger(files.ledger, request.identity(store.shown), report, restart=files.restart)
        try:
            with contextlib.suppress(SystemExit), Progress() as progress:
                Migration(store, plan, ledger, report, progress).run()
                finished = True
        finally:
            if as_json:
                found = {
                    "dry_run": dry,
                    "finished": finished,
                    "resumed": ledger.was_resumed,
                    "report": str(files.report),
                    "ledger": None if dry else str(files.ledger),
                    **ledger.saved.plain(),
                }
                print(json.dumps(found, indent=2))
            else:
                show(console, ledger.saved, dry=dry, report=str(files.report), finished=finished)
    return finished
