"""A bar on standard error while something takes its time, where that is a terminal; nothing elsewhere."""

import sys
from types import TracebackType
from typing import Self

import rich.progress
from rich.console import Console


class Progress:
    """Shown as long as the block lasts, and gone afterwards."""

    def __init__(self) -> None:
        console = Console(stderr=True, markup=False, highlight=False)
        self._bar = rich.progress.Progress(
            rich.progress.TextColumn("{task.description}"),
            rich.progress.BarColumn(),
            rich.progress.MofNCompleteColumn(),
            rich.progress.TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._task: rich.progress.TaskID | None = None

    def start(self, what: str, total: int, done: int = 0) -> None:
        """Begin with ``done`` of ``total``, which may be a guess."""
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(what, total=max(total, done, 1), completed=done)

    def advance(self, count: int) -> None:
        """So many more are done."""
        if self._task is not None:
            self._bar.advance(self._task, count)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, raised: object, trace: TracebackType | None) -> None:
        self._bar.stop()
